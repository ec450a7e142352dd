#!/usr/bin/python3
"""The window for a new task: what is filled in is what the daemon gets, and what it refuses is said at the field.

    LONGRUN_GTK=PATH LONGRUND=PATH LONGRUN=PATH test_gtk_start.py
"""

import json
import re

from gtk_testing import WindowTestCase, main
from longrun_testing import variant


# Behind label, folder, its button and the notification.
SECTIONS = ["Schedule", "Queue", "Dependencies", "Environment", "Input and Terminal", "Limits", "Retries"]


class StartTestCase(WindowTestCase):
    def open_form(self):
        self.window = self.open()
        self.window.action("start-task")
        self.window.find("text", "Command Line", focused=True)
        return self.window

    def fill(self, **fields):
        """Titles with _ for blanks."""
        for title, text in fields.items():
            self.window.find("text", title.replace("_", " ")).set_text(text)

    def walk(self, role, name, *keys):
        """By keys, to there."""
        self.window.key(*keys)
        self.window.find(role, name, focused=True)

    def expand(self, title):
        """From the command line."""
        self.walk("list item", title, *["Tab"] * (SECTIONS.index(title) + 5))
        self.window.key("space")

    def choose(self, steps):
        """So many further down in the list that has the focus."""
        self.window.key("space", *["Down"] * steps, "Return")

    def has_words(self, *words):
        self.window.settles(lambda: self.window.find("panel", "The Command Line as Words").texts() == list(words), words)

    def start(self):
        self.window.click("push button", "Start")
        self.window.gone("frame", "New Task")

    def newest(self):
        return self.session.call("ListTasks", "(a{sv})", {"newest-first": variant("b", True)})[0][0]


class CommandTest(StartTestCase):
    def test_by_keys_alone(self):
        window = self.window = self.open()
        window.key("ctrl+n")
        window.find("text", "Command Line", focused=True)
        window.type("sleep 100 '0.5'")
        self.has_words("sleep", "100", "0.5")
        window.key("Return")
        window.gone("frame", "New Task")
        self.assertEqual(self.newest()["argv"], ["sleep", "100", "0.5"])

    def test_history(self):
        window = self.open_form()
        self.fill(Command_Line="sleep 101")
        self.start()
        window.action("start-task")
        window.find("push button", "Earlier Commands", sensitive=True)
        window.type("sleep 102")
        window.key("Up")
        self.has_words("sleep", "101")
        window.key("Down")
        self.has_words("sleep", "102")
        window.key("Escape")
        window.gone("frame", "New Task")

    def test_shell(self):
        window = self.open_form()
        self.fill(Command_Line="sleep 100 | wc 'a b'")
        window.click("push button", "Run in a Shell")
        self.start()
        self.assertEqual(self.newest()["argv"], ["sh", "-c", "sleep 100 | wc 'a b'"])

    def test_options(self):
        self.session.call("ConfigureGroup", "(sa{sv})", "build", {})
        window = self.open_form()
        self.fill(Command_Line="sleep 100", Label="<b>x", Working_Folder="/usr")
        self.expand("Limits")
        self.fill(Time="1h", Memory="64M")
        self.walk("list item", "Queue", *["shift+Tab"] * 4)
        window.key("space")
        self.fill(Priority="7")
        self.start()
        task = self.newest()
        self.assertEqual({key: task[key] for key in ("label", "cwd", "priority", "timeout", "memory-max")},
                         {"label": "<b>x", "cwd": "/usr", "priority": 7, "timeout": 3600 * 10**6, "memory-max": 64 * 2**20})


class RefusedTest(StartTestCase):
    def test_what_is_missing_or_wrong(self):
        window = self.open_form()
        window.find("push button", "Start", sensitive=False)
        window.find("status bar", "Fill in “Command Line”.")
        window.key("Return")
        window.find("label", "Fill in “Command Line”.")
        self.fill(Command_Line="sleep 'x")
        window.find("label", re.compile("^A quotation mark"))
        window.find("push button", "Start", sensitive=False)
        self.fill(Command_Line="sleep 1", Working_Folder="here")
        window.find("status bar", re.compile("^Working Folder: Write a whole path"))
        window.settles(lambda: "whole path" in window.find("text", "Working Folder").description(), "the error, described")
        self.fill(Working_Folder="")
        window.find("push button", "Start", sensitive=True)

    def test_by_the_daemon(self):
        """At the field, where the focus is then; everything stays."""
        window = self.open_form()
        self.fill(Command_Line="sleep 100", Label="mine", Working_Folder="/" + 5000 * "x")
        window.click("push button", "Start")
        window.find("label", re.compile("^cwd has more than"))
        window.find("text", "Working Folder", focused=True)
        self.assertEqual(window.find("text", "Label").text(), "mine")
        self.fill(Working_Folder="/")
        window.gone("label", re.compile("^cwd has more than"))
        self.start()
        self.assertEqual(self.newest()["cwd"], "/")

    def test_in_what_is_closed(self):
        """The part with the field opens."""
        window = self.open_form()
        self.fill(Command_Line="sleep 100")
        self.expand("Dependencies")
        window.find("text", "After the Success Of").set_text("4711")
        self.window.key("space")  # closed again
        window.settles(lambda: "After the Success Of" in window.look().texts(), "what was filled in")
        window.click("push button", "Start")
        window.find("label", re.compile("^after: there is no task 4711"))
        window.find("text", "After the Success Of", focused=True)


class KindTest(StartTestCase):
    def test_each_has_its_form(self):
        """In the order of the daemon; what is in one stays while another is looked at."""
        window = self.open_form()
        window.find("status bar", re.compile("Command Line"))
        self.walk("combo box", "What to Run", "shift+Tab")
        self.choose(1)
        self.fill(Files_and_Folders="/etc/passwd\n/usr/share/x y")
        window.find("push button", "Add Files…")
        self.choose(1)
        self.fill(Seconds="0.5")
        window.gone("text", "Files and Folders")
        self.choose(1)
        self.fill(Steps="3", Time_for_Each_Step="1min")
        self.start()
        task = self.newest()
        self.assertEqual((task["kind"], json.loads(task["params"])), ("countdown", {"steps": 3, "step_ms": 60000}))

    def test_refused_parameter(self):
        window = self.open_form()
        self.walk("combo box", "What to Run", "shift+Tab")
        self.choose(1)
        self.fill(Files_and_Folders="/" + 5000 * "x")
        window.click("push button", "Start")
        window.find("label", re.compile(r"^params of kind checksum: paths\[0\] is longer"))
        window.find("text", "Files and Folders", focused=True)
        window.find("check box", "Notification").click()
        self.fill(Files_and_Folders="/etc/hostname")
        self.start()
        self.assertEqual(json.loads(self.newest()["params"]), {"paths": ["/etc/hostname"], "algorithm": "sha256"})


class ScheduleTest(StartTestCase):
    def test_at_a_time(self):
        window = self.open_form()
        self.fill(Command_Line="sleep 100")
        self.expand("Schedule")
        window.gone("text", "Start Time")
        window.find("combo box", "Start")
        window.key("Tab")
        self.choose(1)
        window.find("push button", "Start", sensitive=False)
        self.fill(Start_Time="+2h")
        self.start()
        task = self.newest()
        self.assertEqual(task["state"], "waiting")
        self.assertAlmostEqual(task["start-at"] - task["created-at"], 7200e6, delta=60e6)


class DaemonTest(StartTestCase):
    def test_absence(self):
        """Nothing is lost by it."""
        window = self.open_form()
        self.fill(Command_Line="sleep 100")
        window.find("push button", "Start", sensitive=True)
        self.session.kill_daemon()
        window.find("status bar", re.compile("^The daemon is not running"))
        window.find("push button", "Start", sensitive=False)
        self.session.start_daemon()
        window.find("push button", "Start", sensitive=True)
        self.start()
        self.assertEqual(self.newest()["argv"], ["sleep", "100"])


if __name__ == "__main__":
    main()
