#!/usr/bin/python3
"""The signals: how often, in which order, and that what they say holds together.

    LONGRUND=PATH test_signals.py
"""

import textwrap
import time

from daemon_testing import FINAL, DaemonTestCase, DBusError, main
from longrun_testing import Gate

PYTHON = "/usr/bin/python3"

# Nobody receives signals at the very moments at which they are sent, so what may be sent in a second is looked for in
# a bit less than that.
SECOND = 0.93


def most_within(signals, seconds):
    """The largest number of signals in any window of that length."""
    times = [s.time for s in signals]
    first = most = 0
    for last, end in enumerate(times):
        while end - times[first] >= seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


class RateTest(DaemonTestCase):
    def check_rates(self, task, seconds, members):
        """At most 10 a second of each, and not much fewer either."""
        for member in members:
            signals = task.signals(member)
            self.assertLessEqual(most_within(signals, SECOND), 10, member)
            self.assertGreaterEqual(len(signals), 6 * seconds, member)
        self.assertLessEqual(most_within(task.signals("PropertiesChanged"), SECOND), 10)
        changed = self.session.manager_signals("TasksChanged")
        self.assertLessEqual(most_within(changed, SECOND), 10)
        self.assertGreaterEqual(len(changed), 6 * seconds)

    def check_lines(self, task):
        """Every Log says where in the log its lines are; none is told twice; the last one is."""
        log = task.read_log()
        end = 0
        for offset, lines in (s.args for s in task.signals("Log")):
            self.assertGreaterEqual(offset, end)
            for _, _, text in lines:
                self.assertEqual(log[offset:offset + len(text) + 1], text.encode() + b"\n")
                offset += len(text) + 1
            end = offset
        self.assertEqual(end, len(log))

    def test_fast_kinds(self):
        for isolate in (False, True):
            with self.subTest(isolate=isolate):
                self.session.signals.clear()
                begin = time.monotonic()
                task = self.session.start("countdown", {"steps": 2000, "step_ms": 1}, isolate=isolate)
                self.session.wait_until(lambda: task.signals("Finished"), "the end")
                seconds = time.monotonic() - begin
                self.assertGreater(seconds, 2)
                self.check_rates(task, seconds, ("Progress", "Status", "Log"))
                self.check_lines(task)
                fractions = [s.args[0] for s in task.signals("Progress")]
                self.assertEqual(fractions, sorted(set(fractions)))
                self.assertEqual(fractions[-1], 1.0)
                self.assertEqual(task.signals("Status")[-1].args, ("Task completed!",))

    def test_a_fast_command(self):
        script = textwrap.dedent("""\
            import os, socket, time
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.connect(os.environ["NOTIFY_SOCKET"])
            end = time.monotonic() + 2
            i = 0
            while time.monotonic() < end:
                i += 1
                print("line", i, "x" * (i % 80))
                s.send(b"STATUS=%d\\nX_LONGRUN_DONE=%d\\nX_LONGRUN_TOTAL=1000000000" % (i, i))
            """)
        begin = time.monotonic()
        task = self.session.command(PYTHON, "-uc", script)
        self.session.wait_until(lambda: task.signals("Finished"), "the end")
        self.check_rates(task, time.monotonic() - begin, ("Progress", "Status", "Log"))
        self.check_lines(task)

    def check_finished_rate(self):
        finished = self.session.manager_signals("TasksFinished")
        # At most one every 20 ms; but some come late here, and the next ones do not.
        self.assertLessEqual(most_within(finished, 0.15), 10)
        self.assertLessEqual(len(finished) - 1, (finished[-1].time - finished[0].time) / 0.02 + 1)
        for member in ("TasksChanged", "TasksRemoved"):
            self.assertLessEqual(most_within(self.session.manager_signals(member), SECOND), 10, member)
        # A task is in TasksAdded before it is in TasksFinished: the one keeps pace with the other.
        self.assertLessEqual(most_within(self.session.manager_signals("TasksAdded"), 0.15), 16)
        return finished

    def run_in_turn(self, seconds):
        """Tasks one after the other, as quickly as it goes, each removed at once. Gives their number."""
        end = time.monotonic() + seconds
        number = 0
        while time.monotonic() < end:
            task = self.session.start("noop")
            task.wait()
            self.session.call("RemoveTasks", "(at)", [task.id])
            self.session.dispatch()
            number += 1
        self.session.wait_until(lambda: len(self.session.batched("TasksRemoved")) == number, "all told")
        return number

    def test_tasks_finished_while_others_run(self):
        self.session.set_max_parallel(2)
        self.session.start("countdown", {"step_ms": 100000})
        number = self.run_in_turn(1.2)
        self.assertGreater(number, 30)
        self.assertEqual(len(self.session.batched("TasksFinished")), number)
        self.assertGreater(len(self.check_finished_rate()), 30)

    def test_tasks_finished_when_the_group_runs_dry_each_time(self):
        number = self.run_in_turn(1.2)
        self.assertGreater(number, 30)
        self.assertEqual(len(self.session.batched("TasksFinished")), number)
        self.check_finished_rate()
        # Every task that ended is in one of the counts.
        self.session.wait_until(
            lambda: sum(s.args[1] for s in self.session.manager_signals("GroupFinished")) == number, "GroupFinished")

    def test_the_first_at_once(self):
        delays = {"TasksAdded": [], "TasksFinished": []}
        for _ in range(8):
            self.session.signals.clear()
            begin = time.monotonic()
            task = self.session.start("noop")
            self.session.wait_until(lambda: self.session.batched("TasksFinished") and self.session.batched("TasksAdded"),
                                    "news")
            end = task.signals("Finished")[0].time
            delays["TasksAdded"].append(self.session.manager_signals("TasksAdded")[0].time - begin)
            delays["TasksFinished"].append(self.session.manager_signals("TasksFinished")[0].time - end)
            # What the rates hold back is over now.
            timer = self.session.start("countdown", {"steps": 1, "step_ms": 120})
            self.session.wait_until(lambda: len(self.session.batched("TasksFinished")) == 2, "the pause")
            del timer
        self.assertLess(min(delays["TasksAdded"]), 0.05, delays)
        self.assertLess(min(delays["TasksFinished"]), 0.015, delays)

    def test_a_fast_change_of_label(self):
        task = self.session.start("countdown", {"step_ms": 100000})
        for i in range(100):
            task.call("SetLabel", "(s)", f"label {i}")
        self.session.wait_until(
            lambda: any(s.args[1].get("Label") == "label 99" for s in task.signals("PropertiesChanged")), "the last")


class ShortTaskTest(DaemonTestCase):
    def test_finished_alone(self):
        tasks = [self.session.start("noop"), self.session.command("echo", "x"), self.session.command("/nonexistent"),
                 self.session.start("countdown", {"steps": 2, "step_ms": 5}), self.session.start("noop", isolate=True)]
        self.session.wait(tasks)
        self.session.dispatch()
        for task in tasks:
            if task.get("FinishedAt") - task.get("StartedAt") < 100000:
                self.assertEqual([s.member for s in task.signals()], ["Finished"])
        self.assertEqual(tasks[3].get("Status"), "Task completed!")
        # Unless this machine is very slow today:
        self.assertTrue(any(t.get("FinishedAt") - t.get("StartedAt") < 100000 for t in tasks))

    def test_nothing_before_100_milliseconds(self):
        for isolate in (False, True):
            task = self.session.start("countdown", {"steps": 2, "step_ms": 150}, isolate=isolate)
            started = time.monotonic() - (time.time() - task.get("CreatedAt") / 1e6)
            self.session.wait_until(lambda: task.signals("Finished"), "the end")
            self.assertGreaterEqual(min(s.time for s in task.signals()) - started, 0.099)


class LogTest(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.gate = Gate(self.session.session)
        self.addCleanup(self.gate.close)

    def test_the_last_lines_come_before_finished(self):
        """Of a burst too large for one signal the newest, down to the last one without a newline."""
        script = f"read -r _ <{self.gate.path}; seq 1 20000; printf end"
        task = self.session.command("sh", "-c", script)
        task.wait_state("running")
        self.gate.send("")
        self.assertEnds(task, "succeeded", 0)
        signals = task.signals("Log")
        lines = [text for s in signals for _, _, text in s.args[1]]
        self.assertEqual(lines[-1], "end")
        self.assertEqual(lines[-400:-1], [str(i) for i in range(20001 - 399, 20001)])
        log = task.read_log()
        for s in signals:
            first = s.args[1][0][2].encode()
            self.assertEqual(log[s.args[0]:s.args[0] + len(first)], first)
            self.assertTrue(s.args[0] == 0 or log[s.args[0] - 1:s.args[0]] == b"\n")
        # What was left out shows.
        self.assertLess(len(lines), 20001)

    def test_an_unfinished_line_comes_at_the_end(self):
        task = self.session.command("sh", "-c", f"printf 'a prompt: '; read -r _ <{self.gate.path}")
        task.wait_state("running")
        self.session.settles(lambda: task.get("LogSize") == 10, "no output")
        pause = self.session.start("countdown", {"steps": 1, "step_ms": 250})
        self.session.wait_until(lambda: pause.signals("Finished"), "the pause")
        self.assertEqual(task.signals("Log"), [])
        self.gate.send("")
        self.assertEnds(task, "succeeded", 0)
        self.assertEqual([(s.args[0], s.args[1][0][1:]) for s in task.signals("Log")],
                         [(0, ("stdout", "a prompt: "))])

    def test_two_streams(self):
        """Lines of each are whole, though pieces of the other come between them."""
        script = textwrap.dedent(f"""\
            import os
            gate = open({str(self.gate.path)!r})
            for fd, text in ((1, b"out "), (2, b"err "), (1, b"one\\nout"), (2, b"one\\n"), (2, b"err two"), (1, b" two\\n")):
                gate.readline()
                os.write(fd, text)
            gate.readline()
            """)
        task = self.session.command(PYTHON, "-c", script)
        task.wait_state("running")
        size = 0
        for _ in range(6):
            self.gate.send("")
            self.session.settles(lambda size=size: task.get("LogSize") > size, "no output", 10)
            size = task.get("LogSize")
        self.gate.send("")
        self.assertEnds(task, "succeeded", 0)
        lines = [line[1:] for s in task.signals("Log") for line in s.args[1]]
        self.assertEqual(sorted(lines), [("stderr", "err one"), ("stderr", "err two"), ("stdout", "out one"),
                                         ("stdout", "out two")])
        self.assertEqual(task.read_log(), b"out err one\noutone\nerr two two\n")

    def test_offsets_of_a_slow_log(self):
        task = self.session.command("sh", "-c", f"while read -r l && [ $l != end ]; do echo $l; done <{self.gate.path}")
        task.wait_state("running")
        for i in range(5):
            self.gate.send(f"line-{i}")
            self.session.wait_until(lambda i=i: len(task.signals("Log")) > i, "a line")
        self.gate.end()
        self.assertEnds(task, "succeeded", 0)
        self.assertEqual([(s.args[0], s.args[1][0][1:]) for s in task.signals("Log")],
                         [(7 * i, ("stdout", f"line-{i}")) for i in range(5)])


class OrderTest(DaemonTestCase):
    ORDER = ["starting", "running", "cancelling", *sorted(FINAL)]

    def check_order(self):
        """What holds for all signals of all tasks, whatever they are. All must have ended."""
        self.session.wait_until(
            lambda: len(self.session.batched("TasksFinished")) >= len(self.session.batched("TasksAdded")), "all ends")
        added, finished, removed = set(), set(), set()
        ended = {}
        phases = {}
        for s in self.session.signals:
            if s.member == "TasksAdded":
                ids = [number for number, _ in s.args[0]]
                self.assertTrue(added.isdisjoint(ids))
                added.update(ids)
            elif s.member in ("TasksChanged", "TasksFinished", "TasksRemoved"):
                entries = [e[0] if isinstance(e, tuple) else e for e in s.args[0]]
                self.assertEqual(len(entries), len(set(entries)))
                self.assertLessEqual(set(entries), added, f"{s.member} before TasksAdded")
                self.assertTrue(removed.isdisjoint(entries), f"{s.member} after TasksRemoved")
                if s.member == "TasksChanged":
                    self.assertTrue(finished.isdisjoint(entries), "TasksChanged after TasksFinished")
                    self.assertTrue(all(state not in FINAL for _, state, _, _ in s.args[0]), s)
                elif s.member == "TasksFinished":
                    self.assertTrue(finished.isdisjoint(entries), "finished twice")
                    finished.update(entries)
                else:
                    self.assertLessEqual(set(entries), finished, "TasksRemoved before TasksFinished")
                    removed.update(entries)
            elif "/task/" in s.path:
                self.assertNotIn(s.path, ended, f"{s} after Finished")
                if s.member == "Finished":
                    ended[s.path] = s.args
                elif s.member == "Progress":
                    fraction, done, total, phase = s.args
                    before_phase, before = phases.get(s.path, (phase, (-2, 0, 0)))
                    if phase == before_phase:
                        self.assertGreaterEqual(fraction, before[0], s)
                        self.assertNotEqual((fraction, done, total), before, s)
                    phases[s.path] = (phase, (fraction, done, total))
        self.assertEqual(added, finished)
        for path, (_, last) in phases.items():
            if last[0] == 1.0:
                self.assertEqual(ended[path][0], "succeeded")
        self.check_states(ended)
        return ended

    def check_states(self, ended):
        states = {}
        for s in self.session.signals:
            if s.member == "PropertiesChanged" and "State" in s.args[1]:
                states.setdefault(s.path, []).append(s.args[1]["State"])
        for path, row in states.items():
            self.assertEqual(row, sorted(row, key=self.ORDER.index), path)
            self.assertEqual(row[-1], ended[path][0])

    def test_many_at_once(self):
        self.session.set_max_parallel(6)
        sorts = [
            ("noop", {}),
            ("command", {"argv": ["sh", "-c", "echo a; sleep 0.15; echo b"]}),
            ("countdown", {"params": {"steps": 30, "step_ms": 9}}),
            ("countdown", {"params": {"steps": 3, "step_ms": 60}, "isolate": True}),
            ("compute-e", {"params": {"seconds": 0.3, "force_error": True}}),
            ("map", {"params": {"items": list("abcdef"), "item_ms": 40}}),
            ("command", {"argv": ["false"]}),
        ]
        tasks = []
        for i in range(12):
            tasks += self.session.start_many([sorts[(i * 7 + k) % len(sorts)] for k in range(5)])
            if i % 3 == 0:
                self.session.wait(tasks[:1])
        for task in tasks[10::5]:
            try:
                task.cancel()
            except DBusError as error:
                self.assertEqual(error.name, "NotRunning")
        self.session.wait(tasks, timeout=60)
        self.session.call("RemoveTasks", "(at)", [t.id for t in tasks])
        self.session.wait_until(lambda: len(self.session.batched("TasksRemoved")) == len(tasks), "TasksRemoved")
        self.assertEqual(len(self.check_order()), len(tasks))

    def remove_at_once(self):
        end = time.monotonic() + 0.6
        number = 0
        while time.monotonic() < end:
            task = self.session.start("noop")
            task.wait()
            self.session.call("RemoveTasks", "(at)", [task.id])
            number += 1
        self.session.wait_until(lambda: len(self.session.batched("TasksRemoved")) == number, "TasksRemoved")

    def test_removed_at_once(self):
        """The end is told before the removal, though the one is held to 50 a second and the other to 10."""
        self.remove_at_once()
        self.check_order()

    def test_removed_at_once_while_others_run(self):
        self.session.set_max_parallel(2)
        long = self.session.start("countdown", {"step_ms": 100000})
        self.remove_at_once()
        long.cancel()
        self.session.wait_until(lambda: long.id in [t[0] for t in self.session.batched("TasksFinished")], "the end")
        self.check_order()

    def test_large_batches(self):
        """12,000 tasks that are cancelled before they start: batches of at most 5000."""
        self.session.set_max_parallel(1)
        blocker = self.session.start("countdown", {"step_ms": 100000})
        tasks = self.session.start_many([("noop", {})] * 12000)
        self.assertEqual(self.session.cancel_all(), 12001)
        blocker.wait()
        self.session.wait_until(lambda: len(self.session.batched("TasksFinished")) == 12001, "12001 ends")
        self.check_order()
        for member in ("TasksAdded", "TasksFinished"):
            self.assertLessEqual(max(len(s.args[0]) for s in self.session.manager_signals(member)), 5000)
        self.assertEqual([t[0] for t in self.session.batched("TasksAdded")], [blocker.id, *(t.id for t in tasks)])

    def test_states_of_a_cancel(self):
        script = "trap 'sleep 0.3; exit 1' TERM; echo ready; while :; do sleep 0.05; done"
        task = self.session.command("bash", "-c", script)
        self.session.wait_until(lambda: task.signals("Log"), "the trap to be set")
        task.cancel()
        task.wait_state("cancelling")
        self.assertEnds(task, "cancelled", 1)
        states = [s.args[1]["State"] for s in task.signals("PropertiesChanged")]
        self.assertEqual(states, ["running", "cancelling", "cancelled"])
        told = [state for s in self.session.manager_signals("TasksChanged") for _, state, _, _ in s.args[0]]
        self.assertIn("cancelling", told)
        self.check_order()

    def test_progress_of_a_failure_stays_below_one(self):
        script = textwrap.dedent("""\
            import os, socket, time
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.connect(os.environ["NOTIFY_SOCKET"])
            for text in (b"X_LONGRUN_PROGRESS=100", b"X_LONGRUN_DONE=5\\nX_LONGRUN_TOTAL=5", b"X_LONGRUN_PROGRESS=1.0"):
                s.send(text)
                time.sleep(0.15)
            raise SystemExit(1)
            """)
        task = self.session.command(PYTHON, "-c", script)
        self.assertEnds(task, "failed", 1)
        self.assertTrue(task.signals("Progress"))
        self.assertTrue(all(s.args[0] < 1 for s in task.signals("Progress")))
        self.check_order()


if __name__ == "__main__":
    main()
