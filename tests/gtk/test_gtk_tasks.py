#!/usr/bin/python3
"""The list of tasks.

    LONGRUN_GTK=PATH LONGRUND=PATH LONGRUN=PATH test_gtk_tasks.py
"""

import re

from gtk_testing import WindowTestCase, main

UNDO = re.compile("Undo")  # in a toast, which names it twice


class ListTestCase(WindowTestCase):
    def rows(self):
        return self.window.look().find_all("list item")

    def shows(self, *expected):
        """Rows, from the top, each with a text that is in what it says."""
        def as_expected():
            names = [row.name for row in self.rows()]
            return len(names) == len(expected) and all(text in name for text, name in zip(expected, names))
        self.window.settles(as_expected, f"rows {expected}")

    def select(self, *labels):
        """Rows that begin so, by clicks while selecting."""
        self.window.click("push button", "Select")
        self.window.find("check box", "Selected")
        for label in labels:
            box = self.window.settles(lambda: [row for row in self.rows() if row.name.startswith(label)], label)[0]
            self.window.press(box)
            self.window.settles(lambda: [row for row in self.rows() if row.name.startswith(label) and row.selected],
                                f"{label} to be selected")

    def end(self, *argv):
        """Id of a task that has ended."""
        task = self.session.start_task(*argv)
        self.session.wait(task)
        return task

    def state(self, task):
        return self.session.property(task, "State")


class FacesTest(ListTestCase):
    def test_without_tasks_it_says_what_to_do(self):
        self.window = self.open()
        self.window.find("label", "No Tasks")
        self.window.click("push button", "New Task…")
        self.window.find("label", "Command Line")

    def test_what_is_not_found_can_be_given_up(self):
        self.end("true")
        self.window = self.open()
        self.shows("true, Succeeded")
        self.window.key("ctrl+f")
        self.window.find("entry", "Search names of tasks").set_text("nothing of that name")
        self.window.find("label", "No Tasks Found")
        self.window.click("push button", "Show All Tasks")
        self.shows("true, Succeeded")

    def test_stays_while_the_daemon_is_away(self):
        self.end("true")
        gone = self.end("false")
        self.window = self.open()
        self.shows("false, Failed", "true, Succeeded")
        self.session.kill_daemon()
        self.window.find("label", "The daemon is not running")
        self.shows("false, Failed", "true, Succeeded")
        self.session.start_daemon()
        self.session.call("RemoveTasks", "(at)", [gone])
        self.end("sh", "-c", "exit 3")
        self.shows("sh -c exit 3, Failed", "true, Succeeded")


class RowsTest(ListTestCase):
    def test_follow_a_task(self):
        self.end("true")
        self.window = self.open()
        self.shows("true, Succeeded")
        task = self.session.start_task("sleep", "100")
        self.shows("sleep 100, Running", "true, Succeeded")
        self.session.task_call(task, "Cancel")
        self.shows("sleep 100, Cancelled", "true, Succeeded")
        self.session.call("RemoveTasks", "(at)", [task])
        self.shows("true, Succeeded")

    def test_open_a_task(self):
        self.end("true")
        self.window = self.open()
        self.shows("true, Succeeded")
        self.window.press(self.rows()[0])
        self.window.gone("list item", "true, Succeeded")
        self.window.click("push button", "Back")
        self.shows("true, Succeeded")

    def test_are_filtered(self):
        self.end("true")
        self.end("false")
        self.window = self.open()
        self.shows("false, Failed", "true, Succeeded")
        self.window.key("ctrl+f")
        self.window.find("entry", "Search names of tasks").set_text("als")
        self.shows("false, Failed")
        self.end("echo", "also")
        self.shows("echo also, Succeeded", "false, Failed")


class BulkTest(ListTestCase):
    def setUp(self):
        super().setUp()
        self.done = self.end("true")
        self.running = self.session.start_task("sleep", "100")
        self.window = self.open()
        self.shows("sleep 100, Running", "true, Succeeded")

    def test_a_cancel_is_taken_back(self):
        self.select("sleep")
        self.window.click("push button", "Cancel")
        self.window.find("label", "1 task will be cancelled")
        self.shows("sleep 100, Running, Will be cancelled", "true")
        self.window.click("push button", UNDO)
        self.shows("sleep 100, Running", "true")
        self.window.gone("label", "1 task will be cancelled")
        self.assertEqual(self.state(self.running), "running")

    def test_a_cancel_is_done_after_a_while(self):
        self.select("sleep")
        self.window.click("push button", "Cancel")
        self.shows("sleep 100, Cancelled", "true")

    def test_what_is_planned_is_done_when_the_window_closes(self):
        self.select("sleep", "true")
        self.window.click("push button", "Remove")
        self.window.find("label", "1 task will be removed")
        self.window.close()
        tasks = [task["id"] for task in self.session.call("ListTasks", "(a{sv})", {})[0]]
        self.assertEqual(tasks, [self.running])

    def test_a_retry_is_taken_back(self):
        self.select("true")
        self.window.click("push button", "Retry")
        self.window.find("label", "1 task started again")
        self.shows("true, Succeeded", "sleep", "true")
        self.window.click("push button", UNDO)
        self.shows("sleep", "true")


if __name__ == "__main__":
    main()
