#!/usr/bin/python3
"""The list of tasks.

    LONGRUN_GTK=PATH LONGRUND=PATH LONGRUN=PATH test_gtk_tasks.py
"""

import re

from gtk_testing import WindowTestCase, main

ROWS = "list item"


def rows(window):
    """What the rows say, from the top."""
    return [node.name for node in window.look().find_all(ROWS)]


class TasksTest(WindowTestCase):
    session_arguments = {}

    def shows(self, window, *expected):
        """Rows, each with a text that is in it."""
        def as_expected():
            names = rows(window)
            return len(names) == len(expected) and all(text in name for text, name in zip(expected, names))
        window.settles(as_expected, f"rows {expected}, there are {rows(window)}")

    def test_empty_says_what_to_do(self):
        window = self.open()
        window.find("label", "No Tasks")
        window.find("push button", "New Task…")

    def test_follows_tasks(self):
        done = self.session.start_task("true")
        self.session.wait(done)
        window = self.open()
        self.shows(window, "true, Succeeded")
        task = self.session.start_task("sleep", "100")
        self.shows(window, "sleep 100, Running", "true, Succeeded")
        self.session.cancel(task)
        self.shows(window, "sleep 100, Cancelled", "true, Succeeded")


if __name__ == "__main__":
    main()
