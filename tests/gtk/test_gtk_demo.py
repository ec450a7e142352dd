#!/usr/bin/python3
"""The demo: its parts and its texts from the start to the end, a cancel, a window that is closed and comes back.

    LONGRUN_GTK=PATH LONGRUND=PATH LONGRUN=PATH test_gtk_demo.py
"""

import re
import signal

from gtk_testing import WindowTestCase, main

READY = "Ready to start task"
START = "Start Background Task"
CANCEL = "Cancel Task"
STEPS = 8
SOON_SEC = 3  # of what must not take as long as the task


class DemoTestCase(WindowTestCase):
    def open_demo(self):
        self.window = self.open("--demo")
        self.window.find("push button", START, sensitive=True)
        return self.window

    def log_lines(self):
        """Without their times, of which each has one."""
        text = self.window.find("text").text()
        lines = text.split("\n") if text else []
        for line in lines:
            self.assertRegex(line, r"^\[\d\d:\d\d:\d\d\] ")
        return [line[len("[00:00:00] "):] for line in lines]

    def logs(self, *last, seconds=None):
        """Waits until these are the last lines."""
        self.window.settles(lambda: self.log_lines()[-len(last):] == list(last), f"the log to end with {last}", seconds)

    def buttons_are(self, start, cancel):
        self.window.find("push button", START, sensitive=start)
        self.window.find("push button", CANCEL, sensitive=cancel)


class Countdown(DemoTestCase):
    def test_from_start_to_end(self):
        window = self.open_demo()
        window.find("label", READY)
        self.buttons_are(start=True, cancel=False)
        self.assertEqual(self.log_lines(), [])
        window.click("push button", START)
        self.buttons_are(start=False, cancel=True)
        window.click("push button", "UI Test Counter (0)")
        window.click("push button", "UI Test Counter (1)")
        numbers, texts = set(), set()

        def ended():
            look = window.look()
            numbers.update(round(bar.value() * 100) for bar in look.find_all("progress bar"))
            texts.update(node.name for node in look.find_all("label", re.compile("^(Initializing|Processing)")))
            return look.find_all("label", "All work completed successfully!")

        window.settles(ended, "the end")
        # A busy machine looks less often than once a second: some of them, and no others.
        self.assertLessEqual(numbers, {0, 12, 25, 37, 50, 62, 75, 87, 100})
        self.assertGreater(len(numbers), 3)
        self.assertGreater(len(texts), 2)
        for text in texts:
            self.assertRegex(text, rf"^(Initializing\.\.\.|Processing step [1-{STEPS}] of {STEPS}) \(Elapsed: \d+s\)$")
        self.logs("Task completed or cancelled")
        self.assertEqual(self.log_lines(), ["Background task started", "Task started...",
                                            *(f"Completed step {i + 1}" for i in range(STEPS)),
                                            "Task finished successfully", "Task completed or cancelled"])
        self.buttons_are(start=True, cancel=False)
        window.find("push button", "UI Test Counter (2)")
        # The next one begins with nothing.
        window.click("push button", START)
        self.logs("Background task started", "Task started...")
        self.assertEqual(len(self.log_lines()), 2)
        self.assertLess(window.find("progress bar").value(), 0.2)

    def test_cancel(self):
        window = self.open_demo()
        window.click("push button", START)
        self.logs("Completed step 1")
        window.click("push button", CANCEL)
        self.logs("Cancellation requested...", "Task cancelled at step 2", "Task completed or cancelled", seconds=SOON_SEC)
        window.find("label", "Task was cancelled by user")
        self.buttons_are(start=True, cancel=False)
        window.look().find_all("progress bar")[0].value()
        self.assertEqual(self.session.property(1, "State"), "cancelled")

    def test_cancel_before_the_answer(self):
        """It is not lost when the daemon has not yet said which task it is."""
        window = self.open_demo()
        self.session.daemon.send_signal(signal.SIGSTOP)
        try:
            window.click("push button", START)
            window.click("push button", CANCEL)
            self.logs("Background task started", "Cancellation requested...")
        finally:
            self.session.daemon.send_signal(signal.SIGCONT)
        self.logs("Task completed or cancelled")
        self.assertEqual(self.session.property(1, "State"), "cancelled")

    def test_closing_ends_no_task(self):
        """Whoever opens it again sees the task go on, and cannot start another."""
        self.open_demo().click("push button", START)
        self.logs("Task started...")
        self.window.click("push button", "Close")
        self.window.ends()
        self.assertEqual(self.session.property(1, "State"), "running")
        window = self.open("--demo")
        self.window = window
        self.window.find("push button", START, sensitive=False)
        self.assertIn("The background task is already running", self.log_lines())
        window.find("label", re.compile(r"^Processing step \d of 8"))
        window.click("push button", CANCEL)
        self.logs("Task completed or cancelled")
        self.assertEqual(self.session.call("CountTasks", "(a{sv})", {})[0], {"cancelled": 1})

    def test_daemon_is_killed(self):
        window = self.open_demo()
        window.click("push button", START)
        self.logs("Task started...")
        self.session.kill_daemon()
        window.find("push button", CANCEL, sensitive=False)
        self.session.start_daemon()
        self.logs("Task completed or cancelled")
        self.buttons_are(start=True, cancel=False)


class Compute(DemoTestCase):
    def compute(self, end):
        self.window.click("push button", "Start Computing")
        self.window.find("label", re.compile(r"^Summing 1/k! for 3\.0s \(Elapsed: \ds\)$"))
        self.window.click("push button", "Start Computing")
        self.window.find("label", "The task is already running")
        self.window.find("label", end)
        self.assertEqual(self.session.call("CountTasks", "(a{sv})", {})[0].popitem()[1], 1)

    def test_in_a_process(self):
        self.open_demo()
        self.compute("e = 2.718281828459045")
        self.assertTrue(self.session.property(1, "Isolate"))
        self.window.find("label", "2.718281828459045")
        self.window.find("label", re.compile("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"))
        self.window.find("label", re.compile(r"^3\.\d\d s$"))
        self.assertFalse(self.session.property(1, "HasResult"))

    def test_with_an_error(self):
        window = self.open_demo()
        window.click("check box", "Force error")
        window.click("check box", "Use process")
        self.compute(re.compile("^The error was forced"))
        self.assertFalse(self.session.property(1, "Isolate"))
        window.gone("label", "Iterations")

    def test_quit_at_once(self):
        window = self.open_demo()
        window.click("push button", "Start Computing")
        window.find("label", re.compile("^Summing"))
        window.click("push button", "Quit")
        window.ends()
        self.assertEqual(self.session.property(1, "State"), "running")


class Alone(DemoTestCase):
    def test_no_window_is_out_of_sight(self):
        """Nobody could close it."""
        window = self.open_demo()
        window.key("ctrl+n")
        window.find("label", "Command Line")
        window.settles(lambda: len(window.look().children) == 3, "the main window, too")


if __name__ == "__main__":
    main()
