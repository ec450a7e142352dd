"""What a screen reader sees of a program, and can do there: AT-SPI over D-Bus.

A Node is a widget as it was when it was looked at. To see what has become of it, look again.
"""

import contextlib
import functools
import re

from gi.repository import Gio, GLib

ATSPI = "org.a11y.atspi."
ACCESSIBLE = ATSPI + "Accessible"
COMPONENT = ATSPI + "Component"
DBUS = "org.freedesktop.DBus"
PROPERTIES = DBUS + ".Properties"
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
    """Of the program with that process id; a connection to the bus of assistive technologies.

    What was asked for in one look is asked for at once in the next one, which mostly is all that it takes: a program that
    has little time answers a thousand questions as quickly as one.
    """

    def __init__(self, connection, pid, timeout_sec):
        self.connection = connection
        self.pid = pid
        self.timeout_msec = timeout_sec * 1000
        self.bus = None
        self.questions = {}  # of this look, or of the last one
        self.answers = {}
        self.uncertain = self.news = False

    def call(self, bus, path, interface, method, signature=None, *args):
        parameters = GLib.Variant(signature, args) if signature else None
        return self.connection.call_sync(bus, path, interface, method, parameters, None, Gio.DBusCallFlags.NONE,
                                         self.timeout_msec, None).unpack()

    def call_all(self, calls):
        """Results of many calls that are under way at a time; None for one that has failed."""
        results = [None] * len(calls)
        left = len(calls)

        def on_result(connection, result, index):
            nonlocal left
            left -= 1
            with contextlib.suppress(GLib.Error):
                reply = connection.call_finish(result)
                results[index] = _items(reply) if calls[index][3] == "GetItems" else reply.unpack()

        for index, (bus, path, interface, method, signature, *args) in enumerate(calls):
            self.connection.call(bus, path, interface, method, _parameters(signature, *args), None, Gio.DBusCallFlags.NONE,
                                 self.timeout_msec, None, on_result, index)
        while left:
            GLib.MainContext.default().iteration(True)
        return results

    def is_there(self):
        """Whether the program has come onto the bus."""
        if not self.bus:
            for bus, _ in self.call(REGISTRY, ROOT, ACCESSIBLE, "GetChildren")[0]:
                if self.call(DBUS, "/", DBUS, "GetConnectionUnixProcessID", "(s)", bus)[0] == self.pid:
                    self.bus = bus
        return bool(self.bus)

    def look(self, ref=None, parent=None):
        """A node and all in it that can be seen, or could if one scrolled, but of long lists what is in sight; of all
        windows without ref. None if the node has gone."""
        node = self._look(ref, parent)
        # What was new could not be asked for by its place. It is not new any more.
        return self._look(ref, parent) if self.uncertain and self.news else node

    def _look(self, ref, parent):
        questions, self.questions = list(self.questions), {}
        self.uncertain = self.news = False
        self.answers = dict(zip(questions, self.call_all(questions)))
        known = self._known()
        top = Node(self, ref or (self.bus, ROOT), parent)
        level = [top]
        while level:
            self._name(level, known)
            self._find_children(level)
            for node in level:
                self._leave_out_hidden(node)
            level = [child for node in level for child in node.children]
        return _without_hidden(top)

    def _ask(self, calls):
        """As call_all(), each but once in a look."""
        new = [call for call in calls if call not in self.answers]
        self.answers.update(zip(new, self.call_all(new)))
        self.questions.update(dict.fromkeys(calls))
        return [self.answers[call] for call in calls]

    def _known(self):
        """Role, name and states of widgets that were asked for before, by their paths; the program gives them all at
        once. Not their children: it says of those that were hidden that they still are."""
        return self._ask([(self.bus, CACHE, ATSPI + "Cache", "GetItems", None)])[0] or {}

    def _name(self, nodes, known):
        """Role, name, states."""
        new = [node for node in nodes if node.path not in known]
        self.news = self.news or bool(new)
        results = iter(self.call_all([call for node in new for call in (
            (node.bus, node.path, ACCESSIBLE, "GetRole", None),
            (node.bus, node.path, PROPERTIES, "Get", "(ss)", ACCESSIBLE, "Name"),
            (node.bus, node.path, ACCESSIBLE, "GetState", None))]))
        for node in nodes:
            if node.path in known:
                role, name, states = known[node.path]
            else:
                role, name, states = (result and result[0] for result in (next(results), next(results), next(results)))
            if role is not None and name is not None and states:
                node.role = ROLES[role] if role < len(ROLES) else str(role)
                node.name = TWICE.sub(r"\1\2", name)
                node.states = frozenset(state for i, state in enumerate(STATES) if states[i // 32] >> i % 32 & 1)

    def _find_children(self, nodes):
        nodes = [node for node in nodes if node.can_be_seen()]
        results = self._ask([(node.bus, node.path, ACCESSIBLE, "GetChildren", None) for node in nodes])
        for node, result in zip(nodes, results):
            node.children = [Node(self, ref, node) for ref in (result[0] if result else [])]
        # For what follows, all at once.
        self._place([child for node in nodes if _needs_places(node) for child in node.children])

    def _place(self, nodes):
        results = self._ask([(node.bus, node.path, COMPONENT, "GetExtents", "(u)", WINDOW_COORDINATES)
                             for node in nodes])
        for node, result in zip(nodes, results):
            node.place = result and result[0]

    def _leave_out_hidden(self, node):
        """Of children that lie one upon another, only what is on top anywhere can be seen."""
        if not _needs_places(node):
            return
        if node.role in LISTS:
            self._keep_in_sight(node)
            return
        self._place_pages([child for child in node.children if not child.place])
        node.children = [child for child in node.children if not child.place or (child.place[2] and child.place[3])]
        piled = [child for child in node.children
                 if any(_overlap(child.place, other.place) for other in node.children if other is not child)]
        if piled:
            on_top = self._on_top(node, piled)
            self.uncertain = self.uncertain or not on_top
            # None: nothing can be clicked there, since all of it is insensitive.
            node.children = [child for child in node.children
                             if child not in piled or not on_top or (child.inside or child.path) in on_top]

    def _keep_in_sight(self, node):
        """Of a long list, which has many more rows than are in sight."""
        pane = node.within("scroll pane") or node
        self._place([pane])
        node.children = [child for child in node.children if _overlap(child.place, pane.place)]

    def _place_pages(self, pages):
        """Those of a GtkStack are no widgets: they are where their only child is."""
        inner = self._ask([(page.bus, page.path, ACCESSIBLE, "GetChildren", None) for page in pages])
        shown = [(page, Node(self, refs[0][0])) for page, refs in zip(pages, inner) if refs and len(refs[0]) == 1]
        self._place([node for _, node in shown])
        for page, node in shown:
            page.place, page.inside = node.place, node.path

    def _on_top(self, node, piled):
        """Paths of those of its children which get a click at their middle or near a corner."""
        points = [(x + width * i // 8, y + height * j // 8) for x, y, width, height in (child.place for child in piled)
                  for i, j in ((4, 4), (1, 1), (7, 1), (1, 7), (7, 7))]
        found = self._ask([(node.bus, node.path, COMPONENT, "GetAccessibleAtPoint", "(iiu)", x, y, WINDOW_COORDINATES)
                           for x, y in points])
        paths = {child.inside or child.path for child in piled}
        on_top = set()
        refs = {tuple(result[0]) for result in found if result}
        while refs:
            on_top |= {path for _, path in refs if path in paths}
            refs = [ref for ref in refs if ref[1] not in (node.path, NOTHING, ROOT, *paths)]
            results = self._ask([(*ref, PROPERTIES, "Get", "(ss)", ACCESSIBLE, "Parent") for ref in refs])
            refs = {tuple(result[0]) for result in results if result}
        return on_top


@functools.cache
def _parameters(signature, *args):
    """Most calls have the same ones, and to make them takes longer than to send them."""
    return GLib.Variant(signature, args) if signature else None


def _items(reply):
    """What is wanted of a GetItems: to unpack all of it takes longer than all the rest."""
    items = {}
    for item in map(reply.get_child_value(0).get_child_value, range(reply.get_child_value(0).n_children())):
        states = item.get_child_value(9)
        items[item.get_child_value(0).get_child_value(1).get_string()] = (
            item.get_child_value(7).get_uint32(), item.get_child_value(6).get_string(),
            [states.get_child_value(i).get_uint32() for i in range(states.n_children())])
    return items


def _needs_places(node):
    return len(node.children) > (LONG if node.role in LISTS else 1) and node.role in CONTAINERS | LISTS


def _overlap(one, other):
    """Of rectangles; those that only touch at a border do not."""
    return bool(one and other and all(
        min(one[i] + one[i + 2], other[i] + other[i + 2]) - max(one[i], other[i]) > 4 for i in (0, 1)))


def _without_hidden(node):
    node.children = [child for child in map(_without_hidden, node.children) if child]
    return node if node.can_be_seen() else None
