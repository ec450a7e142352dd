#!/usr/bin/python3
"""The page of a task.

    LONGRUN_GTK=PATH LONGRUND=PATH LONGRUN=PATH test_gtk_task.py
"""

import json
import re

from gtk_testing import WindowTestCase, main
from longrun_testing import GLib

BUTTONS = ["Pause", "Resume", "Cancel", "End Series", "Retry", "Remove…"]


class TaskPageTest(WindowTestCase):
    def setUp(self):
        super().setUp()
        self.window = self.open()

    def show(self, task):
        self.window.action("show-task", GLib.Variant("t", task))
        self.window.find("label", f"Task {task}")

    def start(self, kind, **params):
        return self.session.call("Start", "(sa{sv})", kind, {"params": GLib.Variant("s", json.dumps(params))})[0]

    def start_command(self, *argv, **options):
        return self.session.call("StartCommand", "(asa{sv})", argv, options)[0]

    def has_buttons(self, **expected):
        """Those that are in view, and whether they can be clicked."""
        expected = {name.replace("_", " "): sensitive for name, sensitive in expected.items()}

        def there():
            found = self.window.look().find_all("push button")
            return {node.name.rstrip("…"): node.sensitive for node in found if node.name in BUTTONS} == expected
        self.window.settles(there, f"buttons {expected}")

    def says(self, text):
        return self.window.find("label", re.compile(text) if isinstance(text, str) else text)

    # ---- one window for several, for each takes its time to come up ----

    def check_all(self, *checks):
        """Each with no task at work when it begins."""
        for check in checks:
            with self.subTest(check.__name__):
                check()
            self.session.call("CancelAll", "(a{sv})", {})

    def test_states(self):
        self.check_all(self.check_pause_and_resume, self.check_waiting_says_why, self.check_series_has_runs,
                       self.check_attempts_and_the_end, self.check_never_was)

    def test_deeds(self):
        self.check_all(self.check_result_is_taken_once_and_stays, self.check_messages,
                       self.check_message_that_is_not_taken, self.check_rename)

    def test_links_and_what_goes(self):
        self.check_all(self.check_parent_and_children, self.check_removed_while_shown, self.check_remove)

    # ---- states ----

    def test_progress_cancel_retry(self):
        task = self.start("countdown", steps=6000, step_ms=50)
        self.show(task)
        self.says(r"^Running$")
        self.says(r"^Processing step \d+ of 6000 \(Elapsed: \d+s\)$")
        self.says(r"^\d%$")
        self.says(r" left, until ")
        self.window.find("progress bar", "Progress")
        self.has_buttons(Pause=False, Cancel=True)
        self.window.click("push button", "Cancel")
        self.says(r"^Cancelled$")
        self.says(r"^Task was cancelled by user$")
        self.has_buttons(Retry=True, Remove=True)
        self.window.click("push button", "Retry")
        self.window.find("label", f"Task {task + 1}")
        self.says(r"^Running$")
        self.says(r"^Is repeated by this task · Cancelled$")

    def check_pause_and_resume(self):
        task = self.session.start_task("sleep", "100")
        self.show(task)
        self.has_buttons(Pause=True, Cancel=True)
        self.window.click("push button", "Pause")
        self.says(r"^Paused$")
        self.has_buttons(Resume=True, Cancel=True)
        self.window.click("push button", "Resume")
        self.says(r"^Running$")
        self.assertEqual(self.session.property(task, "State"), "running")

    def check_waiting_says_why(self):
        first = self.session.start_task("sleep", "100")
        second = self.session.start_task("true", after=first)
        self.show(second)
        self.says(rf"^Waits for task {first} to succeed$")
        self.says(r"^Must have succeeded before · Running$")
        self.session.task_call(first, "Cancel")
        self.says(r"^Must have succeeded before · Cancelled$")
        self.says(r"^Skipped$")

    def check_series_has_runs(self):
        series = self.start_command("true", every=GLib.Variant("t", 500_000), label=GLib.Variant("s", "tick"))
        self.show(series)
        self.says(r"^Runs$")
        self.says(r"^tick #([3-9]|\d\d+)$")
        self.has_buttons(End_Series=True)
        self.window.click("push button", "End Series")
        self.says(r"^Cancelled$")

    def check_attempts_and_the_end(self):
        task = self.start_command("sh", "-c", "exit 3", retries=GLib.Variant("u", 2), **{"retry-delay": GLib.Variant("t", 0)})
        self.session.wait(task)
        self.show(task)
        self.says(r"^Exit code 3$")
        titles = self.window.look().texts()
        self.assertLess(titles.index("Attempt 2"), titles.index("Attempt 1"))
        self.says(r"^3 of 3$")

    # ---- what can be done besides ----

    def check_result_is_taken_once_and_stays(self):
        task = self.start("compute-e", seconds=0.1)
        self.session.wait(task)
        self.show(task)
        self.window.click("push button", "Take Result")
        text = self.window.find("text", "Result")
        self.assertIn('"value": ', self.window.settles(text.text, "the result"))
        self.window.gone("push button", "Take Result")
        self.assertFalse(self.session.property(task, "HasResult"))
        other = self.session.start_task("true")
        self.show(other)
        self.show(task)
        text = self.window.find("text", "Result")
        self.assertIn('"value": ', text.text())

    def check_messages(self):
        task = self.start_command("cat", **{"stdin-open": GLib.Variant("b", True)})
        self.show(task)
        send = self.window.find("push button", "Send", sensitive=False)
        self.window.find("text", "Message to the task", sensitive=True).set_text("hello <b>cat</b>")
        self.window.settles(lambda: send.refreshed().sensitive, "Send")
        self.window.click("push button", "Send")
        self.says(r"^hello <b>cat</b>$")
        self.says(r" · To the task$")
        self.window.settles(lambda: self.window.find("text", "Message to the task").text() == "", "an empty entry")
        self.window.click("push button", "End Input")
        self.says(r"^Succeeded$")
        self.window.gone("push button", "Send")

    def check_message_that_is_not_taken(self):
        task = self.start_command("sh", "-c", "exec <&-; exec sleep 100", **{"stdin-open": GLib.Variant("b", True)})
        self.show(task)

        def entry():
            return self.window.find("text", "Message to the task", sensitive=True)

        def refused():
            return self.window.look().find_all("label", re.compile("it has closed its stdin"))

        # The first ones may be taken, for the pipe is there until the command closes it.
        while not refused():
            entry().set_text("hello")
            self.window.click("push button", "Send")
            self.window.settles(lambda: refused() or not entry().text(), "an answer")
        self.assertEqual(self.window.find("text", "Message to the task").text(), "hello")

    def check_rename(self):
        task = self.session.start_task("sleep", "100")
        self.show(task)
        self.task_action("Rename…")
        self.window.find("text", "Name").set_text("x" * 5000)
        self.window.click("push button", "Rename")
        self.says(r"^label has more than \d+ bytes$")
        self.window.find("text", "Name").set_text("A nap & <more>")
        self.window.click("push button", "Rename")
        self.says(r"^A nap & <more>$")
        self.assertEqual(self.session.property(task, "Label"), "A nap & <more>")

    def task_action(self, name):
        self.window.click("push button", "Task Menu")
        self.window.click("menu item", name)

    # ---- from task to task ----

    def follow(self, label):
        self.window.press(self.window.find("list item", label))

    def check_parent_and_children(self):
        parent = self.session.start_task("sleep", "100")
        child = self.session.start_task("sleep", "99", parent=parent)
        self.show(parent)
        self.follow("sleep 99")
        self.window.find("label", f"Task {child}")
        self.says(r"^Parent · ")
        self.follow("sleep 100")
        self.window.find("label", f"Task {parent}")

    # ---- what goes ----

    def check_removed_while_shown(self):
        task = self.session.start_task("true")
        self.session.wait(task)
        self.show(task)
        self.has_buttons(Retry=True, Remove=True)
        self.session.call("RemoveTasks", "(at)", [task])
        self.says(r"^This task was removed\.")
        self.has_buttons(Retry=False, Remove=False)
        self.says(r"^Succeeded$")

    def check_remove(self):
        task = self.session.start_task("true")
        self.session.wait(task)
        self.show(task)
        self.window.click("push button", "Remove…")
        self.says(r"^Remove Task\?$")
        self.window.click("push button", "Remove")
        self.window.gone("label", f"Task {task}")
        with self.assertRaises(GLib.Error):
            self.session.property(task, "State")

    def check_never_was(self):
        self.show(9999)
        self.says(r"^No Such Task$")
        self.window.click("push button", "Back")
        self.window.gone("label", "No Such Task")

    def test_daemon_goes_and_comes(self):
        task = self.session.start_task("sleep", "100")
        self.show(task)
        self.has_buttons(Pause=True, Cancel=True)
        self.session.kill_daemon()
        self.has_buttons(Pause=False, Cancel=False)
        self.says(r"^Running$")
        self.session.start_daemon()
        self.has_buttons(Pause=True, Cancel=True)
        self.window.click("push button", "Cancel")
        self.says(r"^Cancelled$")


if __name__ == "__main__":
    main()
