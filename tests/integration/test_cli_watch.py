#!/usr/bin/python3
"""longrun watch: the bar on a terminal, lines and JSON elsewhere.

    LONGRUND=PATH LONGRUN=PATH test_cli_watch.py
"""

import json
import os
import re
import signal
import subprocess
import textwrap

from cli_testing import Case
from longrun_testing import DEADLINE_SEC, Terminal, main


class Watch(Case):
    def countdown(self, steps=4, step_ms=150):
        return int(self.ok("run", "countdown", "-q", "-p", f"steps={steps}", "-p", f"step_ms={step_ms}"))

    @staticmethod
    def frames(text):
        """The lines that were drawn over each other, without colours and the terminal's own progress."""
        plain = re.sub(r"\x1b(\[[0-9;]*[mK]|\]9;4;[0-9;]*\x1b\\)", "", text.replace("\r\n", "\n"))
        return plain.split("\r")

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

    def test_whole_percent(self):
        """0.29 * 100 is a little less than 29."""
        gate = self.gate()
        task = self.session.start_task("sh", "-c", 'systemd-notify X_LONGRUN_PROGRESS=29%; echo up; read -r x <"$0"', gate.path)
        self.wait_for_output(task, "up")
        with self.session.popen("watch", task, stdout=subprocess.PIPE, text=True) as watch:
            self.assertEqual(watch.stdout.readline(), "running 29%\n")
            self.assertIn("Progress: 29%\n", self.ok("show", task))
            gate.end()

    def test_reader_goes_early(self):
        """As with | head, and there may be no next line for long."""
        gate, task = self.start_gate()
        for args in (["watch"], ["watch", "--json"]):
            watch = self.session.popen(*args, task, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            watch.stdout.readline()
            watch.stdout.close()
            self.assertEqual((watch.stderr.read(), watch.wait(DEADLINE_SEC)), (b"", -signal.SIGPIPE))
            watch.stderr.close()
        gate.end()

    def test_json(self):
        task = self.countdown()
        r = self.session.run("watch", "--json", task)
        self.assertEqual((r.returncode, r.stderr), (0, ""))
        events = [json.loads(line) for line in r.stdout.splitlines()]
        keys = {"id", "state", "progress", "done", "total", "unit", "rate", "expected-end-time", "phase", "status"}
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
        frames = self.frames(text)
        self.assertTrue(all(len(frame.rstrip("\n")) < 90 for frame in frames), frames)
        self.assertTrue(any("[############............]  50%" in frame for frame in frames), frames)
        self.assertRegex(frames[-1], r"^succeeded \[#{24}\] 100%  \S+  All work completed successfully!\n$")
        self.assertIn("\x1b[32msucceeded\x1b[0m", text)
        # One line, drawn over and over.
        self.assertEqual(text.count("\n"), 1)

    def test_bar_of_a_short_task(self):
        """The time that is left is asked for as soon as it may be known."""
        task = self.countdown(steps=6, step_ms=150)
        with Terminal(self.session, "watch", task, columns=90) as t:
            frames = self.frames(t.finish()[1])
        self.assertTrue(any("  0s left  " in frame for frame in frames), frames)

    def test_bar_fits_the_terminal(self):
        task = self.countdown(steps=1, step_ms=0)
        for columns in (20, 45):
            with Terminal(self.session, "watch", task, columns=columns, env={"NO_COLOR": "1"}) as t:
                frames = self.frames(t.finish()[1].replace("\r\n", ""))
            self.assertTrue(all(len(frame) < columns for frame in frames), frames)
            self.assertTrue(frames[-1].endswith("…"), frames)

    def test_bar_leaves_room_for_the_status(self):
        """What there is no room for is left out as a whole: the bar gets smaller, then rate, count, bar and time go."""
        script = textwrap.dedent("""\
            import os, socket, time
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.connect(os.environ["NOTIFY_SOCKET"])
            for n in range(5000, 50000):
                s.send(b"X_LONGRUN_DONE=%d\\nX_LONGRUN_TOTAL=99999\\nSTATUS=the quick brown fox jumps over the lazy dog" % n)
                time.sleep(0.1)
            """)
        task = self.session.start_task("/usr/bin/python3", "-c", script)
        self.until_property(task, "ExpectedEndTime", lambda end: end > 0)
        self.until_property(task, "Rate", lambda rate: 0 < rate < 100)
        left, count, rate = r"\d+h \d+min left", r"5\d{3} of 99999", r"[0-9.]+/s"
        status = "the quick brown fox jumps over the lazy dog"
        table = [
            (140, 24, [left, count, rate], len(status)),
            (110, 24, [left, count, rate], 20),
            (95, 16, [left, count, rate], 20),
            (87, 8, [left, count, rate], 20),
            (80, 8, [left, count], 20),
            (68, 8, [left], 20),
            (56, 0, [left], 20),
            (40, 0, [left], 6),
            (30, 0, [], 10),
            (20, 0, [], 4),
        ]
        for columns, bar, parts, least in table:
            with self.subTest(columns), Terminal(self.session, "watch", task, columns=columns) as t:
                t.read_until("  5%")
                t.press(b"\x03")
                line = self.frames(t.finish()[1])[1].split("\n")[0].replace("^C", "")
                expected = "  ".join([rf"running{f' .[#.]{{{bar}}}.' if bar else ''}   5%", *parts, "(the.*)"])
                self.assertRegex(line, f"^{expected}$")
                shown = re.search(f"^{expected}$", line).group(1)
                self.assertLess(len(line), columns)
                self.assertGreaterEqual(len(shown), least)
                self.assertTrue(shown == status or (shown.endswith("…") and len(line) == columns - 1), line)
        self.ok("cancel", task)
        self.session.wait(task)

    def test_bar_without_progress_counts_the_time(self):
        gate, task = self.start_gate(4)
        with Terminal(self.session, "watch", task) as t:
            t.read_until("--  ")
            t.read_until("  2.0s")
            gate.end()
            self.assertEqual(t.finish()[0], 4)

    def test_bar_with_rate(self):
        """10000 bytes a second: of 2000000, and of nobody knows how many."""
        script = textwrap.dedent("""\
            import os, socket, sys, time
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.connect(os.environ["NOTIFY_SOCKET"])
            for n in range(1, 5000):
                s.send(f"X_LONGRUN_DONE={n * 1000}\\n{sys.argv[1]}X_LONGRUN_UNIT=bytes\\nX_LONGRUN_PHASE=copy".encode())
                time.sleep(0.1)
            """)
        end, no_end = (self.session.start_task("/usr/bin/python3", "-c", script, total)
                       for total in ("X_LONGRUN_TOTAL=2000000\n", ""))
        with Terminal(self.session, "watch", end, columns=110) as t, \
                Terminal(self.session, "watch", no_end, columns=60) as u:
            for terminal in (t, u):
                terminal.read_until("/s  copy")
                terminal.press(b"\x03")
            self.assertRegex(self.frames(t.finish()[1])[-1],
                             r"^running \[[#.]{24}\]   \d%  \dmin \d+s left  \d+\.\dK of 1\.9M  [0-9.]+K/s  copy")
            self.assertRegex(self.frames(u.finish()[1])[-1],
                             r"^running \[\.{8}\]   --  \d+\.\ds  \d+\.\dK done  [0-9.]+K/s  copy")
        lines = [re.split(" +", line.strip()) for line in self.ok("list").splitlines()]
        columns = {line[0]: dict(zip(lines[0], line)) for line in lines[1:]}
        self.assertRegex(columns[str(end)]["PROGRESS"], r"^\d%$")
        self.assertRegex(columns[str(no_end)]["PROGRESS"], r"^\d+\.\dK$")
        self.ok("cancel", end, no_end)
        self.session.wait(end)
        self.session.wait(no_end)

    def test_progress_of_the_terminal(self):
        off = "\x1b]9;4;0;\x1b\\"
        task = self.countdown(steps=2, step_ms=200)
        with Terminal(self.session, "watch", task) as t:
            text = t.finish()[1]
        self.assertIn("\x1b]9;4;1;50\x1b\\", text)
        self.assertEqual(text.count(off), 1)
        self.assertNotIn("\x1b]9", text.split(off)[1])

        gate, task = self.start_gate()
        with Terminal(self.session, "watch", task) as t:
            t.read_until("\x1b]9;4;3;\x1b\\")
            t.press(b"\x03")
            self.assertEqual(t.finish()[1].count(off), 1)
        for how in ({"env": {"TERM": "linux"}}, {"env": {"TERM": "dumb"}}):
            with Terminal(self.session, "watch", task, **how) as t:
                t.read_until("running")
                t.press(b"\x03")
                self.assertNotIn("\x1b]", t.finish()[1])
        with Terminal(self.session, "watch", "--json", task) as t:
            t.read_until("running")
            t.press(b"\x03")
            self.assertNotIn("\x1b]", t.finish()[1])
        gate.end()
        self.session.wait(task)

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
