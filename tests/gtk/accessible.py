"""What a screen reader sees of a program, and can do there: AT-SPI over D-Bus.

A Node is a widget as it was when it was looked at. To see what has become of it, look again.
"""

import re

from gi.repository import Gio, GLib

ATSPI = "org.a11y.atspi."
PROPERTIES = "org.freedesktop.DBus.Properties"
REGISTRY = ATSPI + "Registry"
ROOT = "/org/a11y/atspi/accessible/root"
CACHE = "/org/a11y/atspi/cache"
NOTHING = "/org/a11y/atspi/null"
WINDOW_COORDINATES = 1

# By their numbers.
ROLES = """invalid, accelerator label, alert, animation, arrow, calendar, canvas, check box, check menu item,
color chooser, column header, combo box, date editor, desktop icon, desktop frame, dial, dialog, directory pane,
drawing area, file chooser, filler, focus traversable, font chooser, frame, glass pane, html container, icon, image,
internal frame, label, layered pane, list, list item, menu, menu bar, menu item, option pane, page tab, page tab list,
panel, password text, popup menu, progress bar, push button, radio button, radio menu item, root pane, row header,
scroll bar, scroll pane, separator, slider, spin button, split pane, status bar, table, table cell,
table column header, table row header, tearoff menu item, terminal, text, toggle button, tool bar, tool tip, tree,
tree table, unknown, viewport, window, extended, header, footer, paragraph, ruler, application, autocomplete, editbar,
embedded, entry, chart, caption, document frame, heading, page, section, redundant object, form, link,
input method window, table row, tree item, document spreadsheet, document presentation, document text, document web,
document email, comment, list box, grouping, image map, notification, info bar, level bar, title bar, block quote,
audio, video, definition, article, landmark, log, marquee, math, rating, timer, static, math fraction, math root,
subscript, superscript""".replace("\n", " ").split(", ")
STATES = """invalid active armed busy checked collapsed defunct editable enabled expandable expanded focusable focused
has-tooltip horizontal iconified modal multi-line multiselectable opaque pressed resizable selectable selected
sensitive showing single-line stale transient vertical visible manages-descendants indeterminate required truncated
animated invalid-entry supports-autocompletion selectable-text is-default visited checkable has-popup
read-only""".split()

# GTK says twice what a button is called, once with its mnemonic: "_Start Start".
TWICE = re.compile(r"^(.*?)_?(.+) \1\2$", re.DOTALL)

# Of the children of these GTK says that they are visible even if their parent shows but one of them.
CONTAINERS = {"filler", "panel", "page tab list"}
LISTS = {"list", "list box", "table", "tree", "tree table"}
LONG = 50
BOXES = {"filler", "panel", "scroll bar", "scroll pane", "image"}


class Node:
    def __init__(self, tree, ref, parent=None):
        self.tree = tree
        self.bus, self.path = ref
        self.parent = parent
        self.role = self.name = ""
        self.states = frozenset()
        self.place = None  # see extents()
        self.inside = None  # path of what a page of a GtkStack shows
        self.children = []

    def __repr__(self):
        interesting = sorted(self.states - {"visible", "sensitive", "showing", "vertical", "horizontal", "focusable"})
        words = [self.role, repr(self.name), *interesting]
        return " ".join(words if self.sensitive else [*words, "insensitive"])

    @property
    def sensitive(self):
        return "sensitive" in self.states

    @property
    def checked(self):
        return "checked" in self.states or "pressed" in self.states

    @property
    def selected(self):
        return "selected" in self.states

    def can_be_seen(self):
        return self.role == "application" or "visible" in self.states

    def walk(self):
        yield self
        for child in self.children:
            yield from child.walk()

    def dump(self, depth=0):
        """For people: without the boxes."""
        shown = self.role not in BOXES or not (self.name == "" or self.name.startswith(("Gtk", "Adw")))
        lines = [f"{'  ' * depth}{self!r}"] if shown else []
        return "\n".join(lines + [text for child in self.children if (text := child.dump(depth + shown))])

    def texts(self):
        """Of all labels in it, in their order."""
        return [node.name for node in self.walk() if node.role in ("label", "static", "heading") and node.name]

    def find_all(self, role=None, name=None, **states):
        """Nodes in it: of that role; with that name, or one that the pattern is found in; states: sensitive=True."""
        return [node for node in self.walk() if node.matches(role, name, **states)]

    def matches(self, role=None, name=None, **states):
        if role and self.role != role:
            return False
        if isinstance(name, re.Pattern) and not name.search(self.name):
            return False
        if isinstance(name, str) and self.name != name:
            return False
        return all((key.replace("_", "-") in self.states) == wanted for key, wanted in states.items())

    def within(self, role):
        """The nearest one around it, of that role."""
        node = self.parent
        while node and node.role != role:
            node = node.parent
        return node

    # ---- what can be asked and done now ----

    def call(self, interface, method, signature=None, *args):
        return self.tree.call(self.bus, self.path, ATSPI + interface, method, signature, *args)

    def property(self, interface, name):
        return self.tree.call(self.bus, self.path, PROPERTIES, "Get", "(ss)", ATSPI + interface, name)[0]

    def refreshed(self):
        """The same widget with what is in it, as it is now; None when it has gone."""
        return self.tree.look((self.bus, self.path), self.parent)

    def actions(self):
        return [action[0] for action in self.call("Action", "GetActions")[0]]

    def act(self, action):
        self.call("Action", "DoAction", "(i)", self.actions().index(action))

    def click(self):
        """What a click, or the space bar, does."""
        if not self.sensitive:
            raise AssertionError(f"{self!r} cannot be clicked")
        # What can be clicked of a menu button is a button within.
        next(node for node in self.walk() if node.actions()).call("Action", "DoAction", "(i)", 0)

    def text(self):
        """Of an entry or a text view, all of it."""
        return self.call("Text", "GetText", "(ii)", 0, self.property("Text", "CharacterCount"))[0]

    def set_text(self, text):
        if not self.call("EditableText", "SetTextContents", "(s)", text)[0]:
            raise AssertionError(f"{self!r} does not take text")

    def value(self):
        """Of a progress bar, a spin button."""
        return self.property("Value", "CurrentValue")

    def set_value(self, value):
        self.tree.call(self.bus, self.path, PROPERTIES, "Set", "(ssv)", ATSPI + "Value", "CurrentValue",
                       GLib.Variant("d", value))

    def attributes(self):
        return self.call("Accessible", "GetAttributes")[0]

    def description(self):
        return self.property("Accessible", "Description")

    def extents(self):
        """x, y, width and height in its window."""
        if not self.place:
            self.place = self.call("Component", "GetExtents", "(u)", WINDOW_COORDINATES)[0]
        return self.place

    def center(self):
        x, y, width, height = self.extents()
        return x + width / 2, y + height / 2


class Tree:
    """Of the program with that process id; a connection to the bus of assistive technologies."""

    def __init__(self, connection, pid, timeout_sec):
        self.connection = connection
        self.pid = pid
        self.timeout_msec = timeout_sec * 1000
        self.bus = None
        self.uncertain = False

    def call(self, bus, path, interface, method, signature=None, *args):
        return self.connection.call_sync(bus, path, interface, method, GLib.Variant(signature, args) if signature else None,
                                         None, Gio.DBusCallFlags.NONE, self.timeout_msec, None).unpack()

    def call_all(self, calls):
        """Results of many calls that are under way at a time; None for one that has failed."""
        results = [None] * len(calls)
        left = len(calls)

        def on_result(connection, result, index):
            nonlocal left
            left -= 1
            try:
                results[index] = connection.call_finish(result).unpack()
            except GLib.Error:
                pass

        for index, (node, interface, method, signature, *args) in enumerate(calls):
            self.connection.call(node.bus, node.path, interface, method, GLib.Variant(signature, args) if signature else None,
                                 None, Gio.DBusCallFlags.NONE, self.timeout_msec, None, on_result, index)
        while left:
            GLib.MainContext.default().iteration(True)
        return results

    def is_there(self):
        """Whether the program has come onto the bus."""
        if not self.bus:
            for bus, _ in self.call(REGISTRY, ROOT, ATSPI + "Accessible", "GetChildren")[0]:
                pid = self.call("org.freedesktop.DBus", "/", "org.freedesktop.DBus", "GetConnectionUnixProcessID", "(s)", bus)
                if pid[0] == self.pid:
                    self.bus = bus
        return bool(self.bus)

    def look(self, ref=None, parent=None):
        """A node and all in it that can be seen, or could if one scrolled, but of long lists what is in sight; of all
        windows without ref. None if the node has gone."""
        self.uncertain = False
        node = self._look(ref, parent)
        # What is new cannot be asked for by its place. It is not new any more.
        return self._look(ref, parent) if self.uncertain else node

    def _look(self, ref, parent):
        known = self._known()
        top = Node(self, ref or (self.bus, ROOT), parent)
        level = [top]
        while level:
            self._ask(level, known)
            self._ask_for_children(level)
            level = [child for node in level for child in self._seen(node)]
        return _without_hidden(top)

    def _known(self):
        """Roles of widgets that were asked for before, by their paths; the program gives them all at once. The states and
        the children that it gives besides may be those of an earlier time."""
        return {item[0][1]: item[7] for item in self.call(self.bus, CACHE, ATSPI + "Cache", "GetItems")[0]}

    def _ask(self, nodes, known):
        """Role, name, states."""
        new = [node for node in nodes if node.path not in known]
        roles = self.call_all([(node, ATSPI + "Accessible", "GetRole", None) for node in new])
        known.update((node.path, role[0]) for node, role in zip(new, roles) if role)
        answers = self.call_all([call for node in nodes for call in (
            (node, PROPERTIES, "Get", "(ss)", ATSPI + "Accessible", "Name"),
            (node, ATSPI + "Accessible", "GetState", None))])
        for node, name, states in zip(nodes, answers[::2], answers[1::2]):
            role = known.get(node.path)
            if role is not None and name and states:
                node.role = ROLES[role] if role < len(ROLES) else str(role)
                node.name = TWICE.sub(r"\1\2", name[0])
                node.states = frozenset(word for i, word in enumerate(STATES) if states[0][i // 32] >> i % 32 & 1)

    def _ask_for_children(self, nodes):
        parents = [node for node in nodes if node.can_be_seen()]
        results = self.call_all([(node, ATSPI + "Accessible", "GetChildren", None) for node in parents])
        for node, result in zip(parents, results):
            node.children = [Node(self, ref, node) for ref in (result[0] if result else [])]

    def _seen(self, node):
        """The children that can be seen. Of those that lie one upon another, only what is on top anywhere can."""
        if len(node.children) > LONG and node.role in LISTS:
            self._keep_in_sight(node)
        if len(node.children) < 2 or node.role not in CONTAINERS:
            return node.children
        places = self.call_all([(child, ATSPI + "Component", "GetExtents", "(u)", WINDOW_COORDINATES)
                                for child in node.children])
        for child, place in zip(node.children, places):
            child.place = place and place[0]
        self._place_pages([child for child in node.children if not child.place])
        node.children = [child for child in node.children if not child.place or (child.place[2] and child.place[3])]
        piled = [child for child in node.children
                 if any(_overlap(child.place, other.place) for other in node.children if other is not child)]
        if piled:
            on_top = self._on_top(node, piled)
            self.uncertain = self.uncertain or not on_top
            # None: nothing can be clicked there, since all of it is insensitive.
            node.children = [child for child in node.children if child not in piled or not on_top or (child.inside or child.path) in on_top]
        return node.children

    def _keep_in_sight(self, node):
        """Of a long list, which has many more rows than are in sight."""
        pane = node.within("scroll pane")
        places = self.call_all([(child, ATSPI + "Component", "GetExtents", "(u)", WINDOW_COORDINATES)
                                for child in [pane or node, *node.children]])
        for child, place in zip(node.children, places[1:]):
            child.place = place and place[0]
        node.children = [child for child in node.children if places[0] and _overlap(child.place, places[0][0])]

    def _place_pages(self, pages):
        """Those of a GtkStack are no widgets: they are where their only child is."""
        inner = self.call_all([(page, ATSPI + "Accessible", "GetChildren", None) for page in pages])
        widgets = [(page, Node(self, refs[0][0])) for page, refs in zip(pages, inner) if refs and len(refs[0]) == 1]
        places = self.call_all([(widget, ATSPI + "Component", "GetExtents", "(u)", WINDOW_COORDINATES)
                                for _, widget in widgets])
        for (page, _), place in zip(widgets, places):
            page.place = place and place[0]
        for page, widget in widgets:
            page.inside = widget.path

    def _on_top(self, node, piled):
        """Paths of those of its children which get a click at their middle or near a corner."""
        points = [(x + width * i // 8, y + height * j // 8) for x, y, width, height in (child.place for child in piled)
                  for i, j in ((4, 4), (1, 1), (7, 1), (1, 7), (7, 7))]
        found = self.call_all([(node, ATSPI + "Component", "GetAccessibleAtPoint", "(iiu)", x, y, WINDOW_COORDINATES)
                               for x, y in points])
        paths = {child.inside or child.path for child in piled}
        above = {}
        for ref in {result[0] for result in found if result}:
            while ref and ref[1] not in (node.path, NOTHING, ROOT, *paths):
                ref = above.get(ref[1]) or self._parent(ref, above)
            if ref:
                above[ref[1]] = ref
        return paths & above.keys()

    def _parent(self, ref, above):
        try:
            above[ref[1]] = self.call(*ref, PROPERTIES, "Get", "(ss)", ATSPI + "Accessible", "Parent")[0]
        except GLib.Error:
            return None  # gone meanwhile: whoever waits looks again
        return above[ref[1]]


def _overlap(one, other):
    """Of rectangles; those that only touch at a border do not."""
    return bool(one and other and all(
        min(one[i] + one[i + 2], other[i] + other[i + 2]) - max(one[i], other[i]) > 4 for i in (0, 1)))


def _without_hidden(node):
    node.children = [child for child in map(_without_hidden, node.children) if child]
    return node if node.can_be_seen() else None
