#!/usr/bin/python3
"""longrun watch: the bar on a terminal, lines and JSON elsewhere.

    LONGRUND=PATH LONGRUN=PATH test_cli_watch.py
"""

import json
import os
import re

from cli_testing import Case
from longrun_testing import Terminal, main


class Watch(Case):
    def countdown(self, steps=4, step_ms=150):
        return int(self.ok("run", "countdown", "-q", "-p", f"steps={steps}", "-p", f"step_ms={step_ms}"))

    def test_plain(self):
        task = self.countdown()
        lines = self.ok("watch", task).splitlines()
        self.assertEqual(lines[-1], "succeeded 100% All work completed successfully!")
        for line in lines[:-1]:
            self.assertRegex(line, r"^(queued|starting|running)( \d+%)?( |$)")
        self.assertEqual(len(lines), len(set(lines)))
        percents = [int(m.group(1)) for m in (re.search(r" (\d+)%", line) for line in lines) if m]
        self.assertEqual(percents, sorted(percents))
        self.assertTrue(any(re.match(r"running (25|50|75)% Processing step \d of 4$", line) for line in lines), lines)

    def test_ended(self):
        task = self.session.start_task("sh", "-c", "exit 7")
        self.session.wait(task)
        r = self.session.run("watch", task)
        self.assertEqual((r.returncode, r.stderr), (7, ""))
        self.assertEqual(r.stdout.splitlines()[-1], "failed exit code 7")

    def test_ends_at_any_moment(self):
        for delay in ("0", "0.001", "0.003", "0.006") * 10:
            task = self.session.start_task("sh", "-c", f"sleep {delay}; exit 9")
            r = self.session.run("watch", task)
            self.assertEqual((r.returncode, r.stdout.splitlines()[-1]), (9, "failed exit code 9"), r)

    def test_json(self):
        task = self.countdown()
        r = self.session.run("watch", "--json", task)
        self.assertEqual((r.returncode, r.stderr), (0, ""))
        events = [json.loads(line) for line in r.stdout.splitlines()]
        keys = {"id", "state", "progress", "done", "total", "phase", "status"}
        for event in events[:-1]:
            self.assertEqual(set(event), keys)
            self.assertEqual(event["id"], task)
        self.assertEqual(set(events[-1]), keys | {"exit-code", "message"})
        self.assertEqual((events[-1]["state"], events[-1]["exit-code"], events[-1]["progress"]), ("succeeded", 0, 1))
        self.assertIn((2, 4), [(event["done"], event["total"]) for event in events])

    def test_bar(self):
        task = self.countdown(steps=4, step_ms=300)
        with Terminal(self.session, "watch", task, columns=90) as t:
            t.read_until("50%")
            code, text = t.finish()
        self.assertEqual(code, 0)
        frames = [re.sub(r"\x1b\[[0-9;]*[mK]", "", frame) for frame in text.replace("\r\n", "\n").split("\r")]
        self.assertTrue(all(len(frame.rstrip("\n")) < 90 for frame in frames), frames)
        self.assertTrue(any("[############............]  50%" in frame for frame in frames), frames)
        self.assertRegex(frames[-1], r"^succeeded \[#{24}\] 100%  \S+  All work completed successfully!\n$")
        self.assertIn("\x1b[32msucceeded\x1b[0m", text)
        # One line, drawn over and over.
        self.assertEqual(text.count("\n"), 1)

    def test_bar_fits_the_terminal(self):
        task = self.countdown(steps=1, step_ms=0)
        for columns in (20, 45):
            with Terminal(self.session, "watch", task, columns=columns, env={"NO_COLOR": "1"}) as t:
                frames = t.finish()[1].replace("\r\n", "").replace("\x1b[K", "").split("\r")
            self.assertTrue(all(len(frame) < columns for frame in frames), frames)
            self.assertTrue(frames[-1].endswith("…"), frames)

    def test_bar_without_progress_counts_the_time(self):
        gate, task = self.start_gate(4)
        with Terminal(self.session, "watch", task) as t:
            t.read_until("--  ")
            t.read_until("  2.0s")
            gate.end()
            self.assertEqual(t.finish()[0], 4)

    def test_state_changes(self):
        gate = self.gate()
        script = 'trap "" TERM; echo up; while :; do read -r x; done <"$0"'
        task = self.session.start_task("sh", "-c", script, gate.path, stop_timeout="1s")
        self.wait_for_output(task, "up")
        with Terminal(self.session, "watch", task) as t:
            t.read_until("running")
            self.ok("cancel", task)
            t.read_until("cancelling")
            code, text = t.finish()
        self.assertIn("cancelled", text)
        self.assertEqual(code, 137)

    def test_interrupt(self):
        gate, task = self.start_gate()
        with Terminal(self.session, "watch", task) as t:
            t.read_until("running")
            t.press(b"\x03")
            code, text = t.finish()
        self.assertEqual(code, 130)
        self.assertIn(f"longrun cancel {task}", text)
        self.assertEqual(self.session.property(task, "State"), "running")
        gate.end()
        self.session.wait(task)

    def test_dumb_terminal(self):
        task = self.countdown(steps=1, step_ms=0)
        with Terminal(self.session, "watch", task, env={"TERM": "dumb"}) as t:
            code, text = t.finish()
        self.assertEqual(code, 0)
        self.assertNotIn("\x1b", text)


if __name__ == "__main__":
    os.umask(0o22)
    main()
