#!/usr/bin/python3
"""From page to page and back, by keys and from outside; and what the window keeps.

    LONGRUN_GTK=PATH LONGRUND=PATH LONGRUN=PATH test_gtk_navigation.py
"""

import os
import subprocess

from gtk_testing import GLib, WindowTestCase, main


class NavigationTest(WindowTestCase):
    # One look each: a page has a lot to be looked at.

    def at_task(self, window, label):
        def there():
            seen = window.look()
            return seen.find_all("label", label) and seen.find_all("push button", "Back")
        window.settles(there, f"the page of {label}")

    def at_list(self, window):
        def there():
            seen = window.look()
            return seen.find_all("page tab", "Tasks", selected=True) and not seen.find_all("push button", "Back")
        window.settles(there, "the list")

    def again(self, *arguments):
        """A second longrun-gtk."""
        return subprocess.run([os.environ["LONGRUN_GTK"], *arguments], capture_output=True, text=True, check=False,
                              env={**self.session.env, **self.screen_env}, timeout=60)

    def test_back(self):
        one, two = (self.session.start_task("true", label=label) for label in ("first", "second"))
        window = self.open(str(one), str(two))
        self.screen_env = window.screen.env
        self.at_task(window, "second")
        window.key("Escape")  # with the pointer in the window, from now on
        self.at_task(window, "first")
        window.action("show-task", GLib.Variant("t", two))
        self.at_task(window, "second")
        window.screen.key("alt+Left", "alt+Right")
        self.at_task(window, "first")
        window.click("push button", "Back")
        self.at_list(window)
        # A second program is the first one's guest.
        result = self.again(str(two))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.at_task(window, "second")
        window.screen.key("alt+Home")
        self.at_list(window)
        window.screen.key("alt+2")
        window.find("page tab", "Backends", selected=True)

    def test_what_is_wrong(self):
        window = self.open()
        self.screen_env = window.screen.env
        result = self.again("seven")
        self.assertEqual(result.returncode, 2)
        self.assertIn("“seven” is not the id of a task", result.stderr)

    def test_size_is_kept(self):
        folder = self.session.directory / "state/longrun-gtk"
        folder.mkdir()
        (folder / "window.ini").write_text("[Window]\nWidth=640\nHeight=500\n", encoding="utf-8")
        window = self.open()
        width, height = window.find("frame").extents()[2:]
        self.assertTrue(600 < width <= 640 and 460 < height <= 500, (width, height))
        window.close()
        self.assertIn("Width=640\nHeight=500\nMaximized=false", (folder / "window.ini").read_text(encoding="utf-8"))

    def test_keys_are_shown(self):
        window = self.open()
        window.key("ctrl+question")
        window.find("label", "Back to the list")


class AbsenceTest(WindowTestCase):
    session_arguments = {"activatable": True}

    def test_start(self):
        window = self.open()
        window.find("page tab", "Tasks")
        self.session.call("ListKinds")
        pid = self.session.connection.call_sync(
            "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "GetConnectionUnixProcessID",
            GLib.Variant("(s)", ("org.longrun.Longrun1",)), None, 0, -1, None).unpack()[0]
        os.kill(pid, 15)
        window.find("label", "The daemon is not running")
        window.click("push button", "Start", sensitive=True)
        window.gone("label", "The daemon is not running")


if __name__ == "__main__":
    main()
