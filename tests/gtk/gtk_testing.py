"""For tests of the window: the real program on a screen of its own, with the real daemon, by what a screen reader sees.

    class SomeTest(WindowTestCase):
        def test_something(self):
            task = self.session.start_task("sleep", "100")      # as in longrun_testing: a Session for each test
            window = self.open()                                 # arguments of longrun-gtk may follow
            window.click("page tab", "Backends")
            self.assertEqual(window.find("label", re.compile("Never")).name, "Last update: Never")
            window.find("entry", "Name").set_text("laptop")
            window.settles(lambda: len(window.look().find_all("list item")) == 3, "three rows")
            window.gone("push button", "Cancel")
            window.action("show-task", GLib.Variant("t", task))

find(), click() and gone() wait for it; look() is what there is now. At the end of a test its windows are closed; one that
ends otherwise than well, and a warning of GTK, of GLib or of a sanitizer, fail the test. The programs are those that the
environment variables LONGRUN_GTK, LONGRUND and LONGRUN name. Nothing sleeps to wait but the polls of settles().
"""

import atexit
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

# pylint: disable=wrong-import-position
import longrun_testing
from longrun_testing import DEADLINE_SEC, SANITIZER_MARKS, SKIP, Gio, GLib, Session

import display
from accessible import Node, Tree

APP_ID = "org.longrun.Longrun"
APP_PATH = "/org/longrun/Longrun"
SUPPRESSIONS = pathlib.Path(__file__).with_name("lsan.supp")

POLL_SEC = 0.03
# With more than 2048 quarks GLib makes a new table of them, and leaves the old one, of pointers, to those that may be
# reading it. No suppression fits: without frame pointers nothing is known of the place but g_malloc().
QUARKS = re.compile(r"=+\n==\d+==ERROR: LeakSanitizer: detected memory leaks\n\n"
                    r"Direct leak of 16384 byte\(s\) in 1 object\(s\) allocated from:\n(?: +#\d.*\n){1,2}\n"
                    r"(?:-+\nSuppressions used:\n(?:.*\n)*?-+\n\n)?"
                    r"SUMMARY: AddressSanitizer: 16384 byte\(s\) leaked in 1 allocation\(s\)\.\n")
SANITIZER_EXIT = 1

WARNING = re.compile(r"-(?:WARNING|CRITICAL|ERROR) \*\*")

# Nothing of the machine's shall show: no theme, no settings, no portals, no graphics card; and nothing moves.
ENVIRONMENT = {
    "ADW_DISABLE_PORTAL": "1",
    "GDK_BACKEND": "x11",
    "GDK_DEBUG": "gl-disable,vulkan-disable",
    "GIO_USE_VFS": "local",
    "GIO_USE_VOLUME_MONITOR": "unix",
    "GSETTINGS_BACKEND": "memory",
    "GSK_RENDERER": "cairo",
    "GTK_A11Y": "atspi",
    "GTK_USE_PORTAL": "0",
    "G_DEBUG": "fatal-warnings",
    "G_SLICE": "always-malloc",
    "LSAN_OPTIONS": f"suppressions={SUPPRESSIONS}:print_suppressions=0",
}
# For windows that show GTK's file chooser: what it has asked of clouds and folders when the window ends, it leaves behind.
FILE_CHOOSER = {"ASAN_OPTIONS": "detect_leaks=0"}
SETTINGS = """[Settings]
gtk-enable-animations=0
gtk-cursor-blink=0
gtk-decoration-layout=:close
"""


class Screen:
    """The display of this program, made when it is first asked for."""

    display = None

    @classmethod
    def get(cls):
        if not cls.display:
            cls.display = display.Display()
            atexit.register(cls.close)
            cls.display.__enter__()
        return cls.display

    @classmethod
    def close(cls):
        ended, cls.display = cls.display, None
        if ended:
            ended.stop()


class Window:
    """longrun-gtk, started with these arguments. environment: more variables for it."""

    def __init__(self, session, *arguments, environment=None):
        self.session = session
        self.screen = Screen.get()
        self.stderr_path = session.directory / f"window-{time.monotonic_ns()}"
        settings = pathlib.Path(session.env["XDG_CONFIG_HOME"]) / "gtk-4.0/settings.ini"
        settings.parent.mkdir(exist_ok=True)
        settings.write_text(SETTINGS, encoding="utf-8")
        env = {key: value for key, value in session.env.items() if not key.startswith(("GTK_", "GDK_", "ADW_"))}
        with open(self.stderr_path, "wb") as stderr:
            self.process = subprocess.Popen(
                [os.environ.get("LONGRUN_GTK", "longrun-gtk"), *arguments], stdin=subprocess.DEVNULL, stdout=stderr,
                stderr=stderr, cwd=session.directory / "work",
                env={**env, **ENVIRONMENT, **self.screen.env, **(environment or {})})
        self.pid = self.process.pid
        self.tree = Tree(self.screen.connection, self.pid, DEADLINE_SEC)
        self.deadline_sec = DEADLINE_SEC

    # ---- to see ----

    def look(self):
        """All that is in its windows now: a Node."""
        node = self.tree.look() if self.tree.is_there() else None
        return node or Node(self.tree, ("", ""))

    def settles(self, condition, what="it", seconds=None):
        """Waits until the condition holds, and gives what it gave."""
        deadline = time.monotonic() + (seconds or self.deadline_sec)
        while True:
            if self.process.poll() is not None:
                raise AssertionError(f"the window has ended with {self.process.returncode}:\n{self.stderr()}")
            begin = time.monotonic()
            try:
                result = condition()
            except GLib.Error as e:  # of a widget that has just gone
                result, what = None, f"{what}; at last {e.message}"
            if result:
                return result
            if time.monotonic() > deadline:
                raise AssertionError(f"waited for {what}; there is\n{self.look().dump()}\n{self.stderr()}")
            # A window that is asked all the time has none to lay itself out, which comes after all answers.
            time.sleep(min(1, max(POLL_SEC, time.monotonic() - begin)))

    def find(self, role=None, name=None, **states):
        """The first such widget, as soon as there is one: see Node.find_all()."""
        return self.settles(lambda: self.look().find_all(role, name, **states), f"{role} {name} {states or ''}")[0]

    def gone(self, role=None, name=None, **states):
        self.settles(lambda: not self.look().find_all(role, name, **states), f"{role} {name} to go")

    def click(self, role=None, name=None, **states):
        """As soon as it is there and can be clicked."""
        node = self.find(role, name, **{"sensitive": True, **states})
        node.click()
        return node

    def stderr(self):
        return self.stderr_path.read_text(encoding="utf-8", errors="replace")

    def screenshot(self, path):
        self.screen.screenshot(path)

    # ---- to do ----

    def key(self, *keys):
        """Keys for the window that is on top: "ctrl+n", "Escape"."""
        self._activate()
        self.screen.key(*keys)

    def type(self, text):
        """Into what has the focus."""
        self._activate()
        self.screen.type(text)

    def press(self, node, button=1):
        """A real click, with the pointer."""
        self.screen.press(*node.center(), button=button)

    def resize(self, width, height):
        """Of its window that came first, with borders, in pixels."""
        self.find("frame")
        self.screen.resize(self.pid, width, height)

    def leave(self):
        """Pointer and keyboard leave all windows: none of them is active then."""
        self.screen.point(*(n - 1 for n in self.screen.size))
        self.screen.unfocus()

    def come_back(self):
        """The keyboard is with the window again."""
        self.screen.focus(self.pid)

    def _activate(self):
        """The window that came last is on top, and gets the keys when the pointer is on it."""
        def is_active():
            top = (self.look().children or [None])[-1]
            if top and "active" not in top.states:
                self.screen.unfocus()
                self.screen.point(*top.center())
            return top and "active" in top.states

        self.settles(is_active, "a window to be active")

    def action(self, name, *parameters):
        """An action of the application, without "app."."""
        self.session.connection.call_sync(
            APP_ID, APP_PATH, "org.gtk.Actions", "Activate", GLib.Variant("(sava{sv})", (name, list(parameters), {})),
            None, Gio.DBusCallFlags.NO_AUTO_START, DEADLINE_SEC * 1000, None)

    # ---- the end ----

    def close(self):
        """Ends it as a person would, and sees that it ends well."""
        if self.process.poll() is None:
            try:
                self.action("quit")
            except GLib.Error:
                if self.process.poll() is None:
                    self.process.send_signal(signal.SIGTERM)
        self.ends()

    def ends(self, code=0):
        """It ends by itself, and well."""
        try:
            ended_with = self.process.wait(DEADLINE_SEC)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the window did not end\n{self.stderr()}") from None
        said, quarks = QUARKS.subn("", self.stderr())
        if quarks and ended_with == SANITIZER_EXIT:
            ended_with = code
        if ended_with != code or WARNING.search(said) or any(mark in said for mark in SANITIZER_MARKS):
            raise AssertionError(f"the window ended with {ended_with} and said\n{said}")

    def kill(self):
        """No questions asked."""
        self.process.kill()
        self.process.wait()


class WindowTestCase(unittest.TestCase):
    """A session for each test. session_arguments: more of longrun_testing.Session's."""

    session_arguments = {}

    def setUp(self):
        Screen.get()
        self.session = Session(**self.session_arguments)
        self.session.activatable = True  # besides: when the one that is started has ended
        self.addCleanup(self.session.stop)
        self.session.start()

    def open(self, *arguments, environment=None):
        """A window that is there."""
        window = Window(self.session, *arguments, environment=environment)
        self.addCleanup(self._close, window)
        window.find("frame")
        return window

    def _close(self, window):
        """One that has ended well already has nothing more to say."""
        if self._failed() and window.process.poll() is None:
            window.kill()
        else:
            window.close()

    def _failed(self):
        return any(error for _, error in getattr(self._outcome, "errors", ()))


def check_programs():
    """What is missing for these tests, or None."""
    missing = longrun_testing.check_programs() or display.missing()
    if missing:
        return missing
    path = os.environ.get("LONGRUN_GTK", "")
    return None if os.access(path, os.X_OK) else f"LONGRUN_GTK does not name a program: {path!r}"


def main():
    """Runs the tests of the calling program."""
    missing = check_programs()
    if missing:
        print(f"SKIP: {missing}")
        sys.exit(SKIP)
    try:
        longrun_testing.main()
    finally:
        Screen.close()
