#!/usr/bin/python3
"""The window as a whole, from page to page: a command is started, followed, cancelled, read and started once more; the
daemon is killed and comes back; ten thousand tasks.

    LONGRUN_GTK=PATH LONGRUND=PATH LONGRUN=PATH test_gtk_whole.py
"""

import re
import signal

from gtk_testing import GLib, WindowTestCase, main
from longrun_testing import Gate

MANY = 9999  # with the first of them as many as the daemon keeps of those that have ended
PAGE = 909  # so many are started by one call


class CommandTest(WindowTestCase):
    def setUp(self):
        super().setUp()
        self.gate = Gate(self.session)
        self.addCleanup(self.gate.close)

    def log(self, window):
        nodes = window.look().find_all("text", "Log")
        return nodes[0].text() if nodes else ""

    def fill_in_and_start(self, window):
        """A command whose output and end are the gate's."""
        window.click("push button", "New Task")
        program, *arguments = self.gate.argv()
        quoted = " ".join("'" + word.replace("'", "'\\''") + "'" for word in arguments)
        window.find("text", "Command Line").set_text(f"{program} {quoted}")
        window.find("text", "Label").set_text("Copy the archive")
        window.click("push button", "Start")
        window.gone("dialog", "New Task")

    def test_from_start_to_end(self):
        window = self.open()
        self.fill_in_and_start(window)
        window.press(window.find("list item", re.compile("^Copy the archive, Running")))
        window.find("label", "Running")
        # Progress, and the log as it grows. One percentage alone is none.
        self.gate.send("10%")
        for percent in (20, 60):
            self.gate.send(f"{percent}%")
            window.settles(lambda: window.find("progress bar", "Progress").value() == percent / 100, f"{percent} %")
        window.find("label", "60%")
        window.settles(lambda: self.log(window).splitlines() == ["10%", "20%", "60%"], "its lines")
        # The end.
        window.click("push button", "Cancel")
        window.find("label", "Cancelled")
        self.assertEqual([row[1] for row in self.session.wait(1)], ["cancelled"])
        self.assertIn("60%", self.log(window))
        # Once more, which is another task.
        window.click("push button", "Retry")
        window.find("label", "Task 2")
        window.find("label", "Running")
        self.gate.send("once more")
        window.settles(lambda: "once more" in self.log(window), "its log")
        self.assertNotIn("60%", self.log(window))
        self.gate.end()
        window.find("label", "Succeeded")
        # All the way back.
        window.key("Escape")
        window.find("label", "Task 1")
        window.key("Escape")
        window.find("list item", re.compile("^Copy the archive, Succeeded"))
        window.find("list item", re.compile("^Copy the archive, Cancelled"))

    def test_daemon_killed_and_back(self):
        """What it shows stays in sight; the daemon comes back by its button, and takes the task up."""
        task = self.session.start_task(*self.gate.argv(), label="Copy the archive")
        window = self.open()
        window.find("list item", re.compile("^Copy the archive, Running"))
        window.action("show-task", GLib.Variant("t", task))
        window.find("label", "Running")
        self.session.kill_daemon(signal.SIGKILL)
        window.find("label", "The daemon is not running")
        window.find("push button", "Cancel", sensitive=False)
        window.find("label", "Copy the archive")
        window.click("push button", "Start")
        window.gone("label", "The daemon is not running")
        self.gate.send("still here")
        window.settles(lambda: "still here" in self.log(window), "its log")
        window.click("push button", "Cancel")
        window.find("label", "Cancelled")
        window.key("Escape")
        window.find("list item", re.compile("^Copy the archive, Cancelled"))


class ManyTest(WindowTestCase):
    def start_many(self):
        """They wait, all of them, for one that has not ended."""
        first = self.session.start_task("sleep", "1000", label="The first")
        options = {"after": GLib.Variant("at", [first]), "label": GLib.Variant("s", "One of many")}
        for _ in range(MANY // PAGE):
            self.session.call("StartMany", "(a(sa{sv}))", [("noop", options)] * PAGE)
        return first

    def test_ten_thousand(self):
        first = self.start_many()
        window = self.open()
        window.find("list item", re.compile("^One of many, Waiting"))
        # The oldest is at the end, far below.
        window.find("list", "Tasks")
        window.press(window.find("list item", re.compile("^One of many")))
        window.find("label", re.compile(f"^Task {first + MANY}$"))
        window.key("Escape")
        window.find("list", "Tasks")
        window.key("End")
        window.find("list item", re.compile("^The first, Running"))
        # All of them change at a time.
        self.session.call("Cancel", "(at)", [first])
        window.find("list item", re.compile("^The first, Cancelled"))
        window.key("Home")
        window.find("list item", re.compile("^One of many, Skipped"))
        self.session.call("Prune", "(a{sv})", {})
        window.find("label", "No Tasks")


if __name__ == "__main__":
    main()
