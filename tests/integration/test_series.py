#!/usr/bin/python3
"""Tasks that run again and again: every so often, and at the times of a calendar.

    LONGRUND=PATH test_series.py
"""

import os
import random
import shutil
import sys
import time

from daemon_testing import DaemonTestCase, Task, main, options_of
from longrun_testing import SKIP

MSEC = 1000
SEC = 1000000


class SeriesTestCase(DaemonTestCase):
    def runs_of(self, series):
        """Those that have begun or are about to, by their age."""
        return self.session.list_tasks(parent=series.id, limit=1000)[0]

    def wait_runs(self, series, number, **keys):
        """Waits until so many of them have ended; gives all."""
        def ended():
            return [run for run in self.runs_of(series) if run["finished-at"] > 0]
        self.session.settles(lambda: len(ended()) >= number, f"no {number} runs of task {series.id}", **keys)
        return self.runs_of(series)

    def gated(self, **options):
        """A series whose runs wait for open_gate(), each."""
        gate = self.session.base / "gate"
        os.mkfifo(gate)
        fd = os.open(gate, os.O_RDWR | os.O_CLOEXEC)
        self.addCleanup(os.close, fd)
        series = self.session.shell(f"echo $LONGRUN_TASK_ID >>begun; read -r word <{gate}", cwd=str(self.session.base),
                                    **options)
        series.gate = fd
        return series

    @staticmethod
    def open_gate(series):
        os.write(series.gate, b"open\n")

    def begun(self):
        """Ids of the runs of gated()."""
        path = self.session.base / "begun"
        return [int(line) for line in path.read_text(encoding="ascii").split()] if path.exists() else []

    def wait_begun(self, number, **keys):
        self.session.settles(lambda: len(self.begun()) >= number, f"no {number} runs have begun", **keys)
        return self.begun()


class EveryTest(SeriesTestCase):
    def test_hello(self):
        """S4, 1: hello once a second; made anew, and deleted."""
        series = self.session.shell("echo hello", label="hello", every=1 * SEC)
        runs = self.wait_runs(series, 3)
        self.assertEqual([run["label"] for run in runs[:3]], ["hello #1", "hello #2", "hello #3"])
        for run, after in zip(runs, runs[1:]):
            self.assertEqual((run["state"], run["exit-code"], run["parent"]), ("succeeded", 0, series.id))
            self.assertGreaterEqual(after["created-at"], run["finished-at"] + 1 * SEC)
            self.assertLess(after["created-at"], run["finished-at"] + 3 * SEC)
        self.assertEqual(Task(self.session, runs[0]["id"]).read_log(), b"hello\n")
        p = series.get_all()
        self.assertEqual((p["State"], p["Attempt"], p["Every"]), ("waiting", len(self.runs_of(series)), 1 * SEC))
        series.cancel()
        self.assertEqual(series.finished()[0], "cancelled")
        number = len(self.runs_of(series))
        again = self.session.shell("echo hello", label="hello", every=1 * SEC)
        self.wait_runs(again, 2)
        self.assertEqual(len(self.runs_of(series)), number)
        again.cancel()
        again.finished()
        for task in (series, again):
            self.assertEqual(self.session.call("RemoveTasks", "(at)", [task.id]), (1,))

    def test_first_run_is_at_once(self):
        begin = time.time()
        series = self.session.start("noop", every=3600 * SEC)
        run = self.wait_runs(series, 1)[0]
        self.assertLess(run["created-at"] / SEC, begin + 10)
        p = series.get_all()
        self.assertGreaterEqual(p["DueAt"], run["finished-at"] + 3600 * SEC)
        self.assertLess(p["DueAt"], run["finished-at"] + 3601 * SEC)
        self.assertRegex(p["Reason"], r"runs next at 20\d\d-")
        self.assertEqual(self.session.get("Queued"), 1)

    def test_never_two_at_once(self):
        series = self.gated(every=100 * MSEC)
        for number in range(1, 4):
            self.wait_begun(number)
            time.sleep(0.3)  # in which others would come
            self.assertEqual(len(self.begun()), number)
            active, _ = self.session.list_tasks(parent=series.id, states=["running"])
            self.assertEqual([run["id"] for run in active], self.begun()[-1:])
            p = series.get_all()
            self.assertRegex(p["Reason"], f"its run {number}, task {active[0]['id']}, is active")
            self.assertEqual((p["State"], p["DueAt"]), ("waiting", 0))
            self.open_gate(series)
        self.wait_begun(4)
        self.open_gate(series)

    def test_failures(self):
        """A run that fails does not end the series, nor does one that is cancelled."""
        series = self.session.shell("exit 3", every=100 * MSEC)
        runs = self.wait_runs(series, 3)
        self.assertEqual({(run["state"], run["exit-code"]) for run in runs[:3]}, {("failed", 3)})
        series.cancel()
        series = self.gated(every=100 * MSEC)
        first = Task(self.session, self.wait_begun(1)[0])
        first.cancel()
        self.assertEnds(first, "cancelled", 143)
        self.wait_begun(2)
        self.assertEqual(series.get("State"), "waiting")
        self.open_gate(series)

    def test_what_a_run_is(self):
        series = self.session.shell("echo $WORD >&2; exit 4", env=["WORD=a b"], every=100 * MSEC, unique="key", retries=1,
                                    retry_delay=10 * MSEC, start_at=5 * 10**14 + 5 * 10**14, label="x")
        run = Task(self.session, self.wait_runs(series, 1)[0]["id"])
        p = run.get_all()
        self.assertEqual((p["Unique"], p["Every"], p["StartAt"], p["Parent"], p["Group"], p["Retries"], p["Label"]),
                         ("", 0, 0, series.id, "default", 1, "x #1"))
        self.assertEqual((p["State"], p["ExitCode"], p["Attempt"]), ("failed", 4, 2))
        self.assertIn(b"a b\n", run.read_log())
        self.assertEqual(self.session.start("noop", unique="key").id, series.id)

    def test_start_at(self):
        begin = int((time.time() + 1) * SEC)
        series = self.session.start("noop", every=100 * MSEC, start_at=begin)
        self.assertEqual(series.get("DueAt"), begin)
        self.assertGreaterEqual(self.wait_runs(series, 1)[0]["created-at"], begin)

    def test_cancel_between_runs(self):
        series = self.session.start("noop", every=3600 * SEC)
        run = Task(self.session, self.wait_runs(series, 1)[0]["id"])
        series.cancel()
        self.assertEnds(series, "cancelled", -1, "^cancelled$")
        self.assertEqual(run.get("State"), "succeeded")

    def test_cancel_before_the_first_run(self):
        series = self.session.start("noop", every=3600 * SEC, start_at=int((time.time() + 3600) * SEC))
        series.cancel()
        self.assertEnds(series, "cancelled", -1, "^cancelled before it was started$")

    def test_cancel_with_a_run(self):
        """Both end, the series last."""
        series = self.gated(every=100 * MSEC)
        run = Task(self.session, self.wait_begun(1)[0])
        series.cancel()
        self.assertEnds(run, "cancelled", 143)
        self.assertEnds(series, "cancelled", -1)
        ids = [entry[0] for entry in self.session.batched("TasksFinished")]
        self.assertEqual(ids, [run.id, series.id])
        time.sleep(0.3)
        self.assertEqual(len(self.runs_of(series)), 1)

    def test_group_finished(self):
        """A series does not keep its group from running dry."""
        self.session.configure_group("tests")
        series = self.session.start("noop", group="tests", every=3600 * SEC)
        self.wait_runs(series, 1)
        self.session.wait_until(lambda: self.session.manager_signals("GroupFinished"), "GroupFinished")
        self.assertEqual(self.session.manager_signals("GroupFinished")[0].args, ("tests", 1, 0))
        with self.assertError("StillActive"):
            self.session.call("RemoveGroup", "(s)", "tests")
        series.cancel()
        series.finished()
        self.session.call("RemoveGroup", "(s)", "tests")

    def test_paused_group(self):
        self.session.configure_group("tests")
        self.session.call("Pause", "(s)", "tests")
        series = self.session.start("noop", group="tests", every=100 * MSEC)
        self.session.settles(lambda: self.runs_of(series), "no run is made")
        time.sleep(0.3)
        runs = self.runs_of(series)
        self.assertEqual([run["state"] for run in runs], ["waiting"])
        self.assertRegex(runs[0]["reason"], "paused")
        self.session.call("Resume", "(s)", "tests")
        self.wait_runs(series, 3)

    def test_no_room(self):
        """A run for which the queue has no room comes when there is some, and nobody spins meanwhile."""
        self.session.configure_group("tests", max_parallel=1, max_queued=2)
        os.mkfifo(self.session.base / "fifo")
        holds = self.session.shell("read -r word <fifo", group="tests", cwd=str(self.session.base))
        self.session.settles(lambda: holds.get("State") == "running", "it does not run")
        waits = self.session.start("noop", group="tests")
        series = self.session.start("noop", group="tests", every=100 * MSEC)
        self.session.settles(lambda: "tests has no room for 1 more: 2 wait in it, and it takes 2" in series.get("Reason"), "Reason does not say it")
        self.assertRegex(series.get("Reason"), "tried again every 10.*s: ")
        self.assertGreater(series.get("DueAt"), time.time() * SEC)
        self.assertEqual(self.runs_of(series), [])
        self.assertEqual(self.session.log().count("cannot be started yet"), 1)
        (self.session.base / "fifo").write_text("open\n", encoding="ascii")
        self.session.wait([holds, waits])
        self.wait_runs(series, 2, timeout=30)
        self.assertRegex(series.get("Reason"), "runs next|is active")

    def test_no_children_but_runs(self):
        series = self.session.start("noop", every=3600 * SEC)
        with self.assertError("InvalidOption", f"task {series.id} is a series"):
            self.session.start("noop", parent=series.id)

    def test_many(self):
        """Thirty of them, for a while."""
        tasks = self.session.start_many([("noop", {"every": 100 * MSEC, "label": f"s{i}"}) for i in range(30)])
        for series in tasks:
            numbers = [int(run["label"].split(" #")[1]) for run in self.wait_runs(series, 2)]
            # Of those that ended long ago the first are not kept.
            self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))))
        self.session.cancel_all()
        self.session.wait(tasks)


class RefusalTest(SeriesTestCase):
    REFUSED = [
        ({"calendar": "gugu"}, "Failed to parse calendar specification 'gugu'.*systemd.time"),
        ({"calendar": "--help"}, "'--help'"),
        ({"calendar": "2020-01-01"}, '"2020-01-01" never elapses'),
        ({"calendar": "*-02-30"}, "never elapses"),
        ({"calendar": "2030-01-01", "start_at": 2 * 10**15}, "never elapses"),
        ({"calendar": "x" * 2000}, "calendar has more than"),
        ({"calendar": "daily", "every": 1 * SEC}, "exclude each other"),
        ({"every": 1}, "at least 100ms"),
        ({"every": 2**63}, "ten years"),
        ({"every": 1 * SEC, "persistent": True}, "give calendar as well"),
        ({"persistent": True}, "give calendar as well"),
    ]

    def test_refused(self):
        for options, message in self.REFUSED:
            with self.subTest(**options), self.assertError("InvalidOption", message):
                self.session.start("noop", **options)
        self.assertEqual(self.session.list_tasks()[0], [])

    def test_after(self):
        before = self.session.start("noop")
        with self.assertError("InvalidOption", "after does not go with every"):
            self.session.start("noop", after=[before.id], every=1 * SEC)

    def test_start_many(self):
        """All or none, and the error tells which."""
        with self.assertError("InvalidOption", r"tasks\[2\]: calendar: .*'gugu'"):
            self.session.start_many([("noop", {}), ("noop", {"calendar": "daily"}), ("noop", {"calendar": "gugu"})])
        self.assertEqual(self.session.list_tasks()[0], [])

    def test_too_many_calendars(self):
        with self.assertError("InvalidOption", "more than 1000 different calendars"):
            self.session.start_many([("noop", {"calendar": f"*:{i % 60}:{i // 60}"}) for i in range(1001)])

    def test_loop_goes_on(self):
        """While systemd reads calendars, others are answered."""
        tasks = [("noop", {"calendar": f"2099-01-01 {i // 60}:{i % 60}"}) for i in range(40)]
        replies = self.session.call_later("StartMany", "(a(sa{sv}))", [self.entry(*task) for task in tasks])
        self.session.call("CountTasks", "(a{sv})", {})
        self.assertEqual(replies, [])
        self.session.wait_until(lambda: replies, "the reply")
        self.assertEqual(len(replies[0][0]), 40)
        for number, _ in replies[0][0]:
            self.session.settles(lambda n=number: Task(self.session, n).get("DueAt") > 0, "the first time is not known")

    @staticmethod
    def entry(kind, options):
        return (kind, options_of(**options))


class NoSystemdTest(SeriesTestCase):
    def setUp(self):
        self.sessions = []
        self.session = self.new_session(start=False)
        self.bin = self.session.base / "bin"
        self.bin.mkdir()
        self.session.env["PATH"] = str(self.bin)

    def test_missing(self):
        self.session.start_daemon()
        with self.assertError("InvalidOption", "install the package systemd"):
            self.session.start("noop", calendar="daily")
        self.wait_runs(self.session.start("noop", every=100 * MSEC), 2)

    def test_lost(self):
        """It was there when the series was started, and is not any more: times that are known hold."""
        program = self.bin / "systemd-analyze"
        program.symlink_to(shutil.which("systemd-analyze"))
        self.session.start_daemon()
        series = self.session.start("noop", calendar="2099-01-01")
        due = series.get("DueAt")
        self.assertGreater(due, 0)
        program.unlink()
        self.session.restart()
        self.session.settles(lambda: series.get("DueAt") == due, "the time is not known again")
        self.assertIn("install the package systemd", self.session.log())


class CalendarTest(SeriesTestCase):
    def test_every_second(self):
        """On the second, and what elapses while a run is active is left out."""
        series = self.session.shell("sleep 1.5", calendar="*:*:*")
        self.assertGreater(series.get("DueAt"), 0)
        runs = self.wait_runs(series, 3)
        for run, after in zip(runs, runs[1:]):
            self.assertLess(run["created-at"] % SEC, 0.9 * SEC)
            if run["finished-at"]:
                self.assertGreaterEqual(after["created-at"], run["finished-at"])
        self.assertRegex(self.session.log(), "left out: the last one is still active")

    def test_ends(self):
        """One that does not elapse any more has succeeded."""
        moment = time.time() + 2
        series = self.session.start("noop", calendar=time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment)))
        self.assertEqual(series.get("DueAt"), int(moment) * SEC)
        self.assertEnds(series, "succeeded", 0, "does not elapse any more; it has run 1 time$")
        runs = self.runs_of(series)
        self.assertEqual([(run["state"], run["created-at"] // SEC) for run in runs], [("succeeded", int(moment))])

    def test_start_at(self):
        """The moment that start-at names is one."""
        begin = 4102444800  # 2100-01-01
        series = self.session.start("noop", calendar="*-01-01 00:00 UTC", start_at=begin * SEC)
        self.assertEqual(series.get("DueAt"), begin * SEC)
        later = self.session.start("noop", calendar="*-01-01 00:00 UTC", start_at=begin * SEC + 1)
        self.assertEqual(later.get("DueAt"), (begin + 365 * 86400) * SEC)

    def test_many_of_one(self):
        """Those that have the same calendar share what systemd says."""
        begin = time.monotonic()
        tasks = self.session.start_many([("noop", {"calendar": "2099-01-01"})] * 500)
        self.assertEqual(len({series.get("DueAt") for series in tasks}), 1)
        self.assertLess(time.monotonic() - begin, 15)


class CrashTest(SeriesTestCase):
    def test_run_goes_on(self):
        """longrund is killed while a run is active: it goes on, and no other one begins."""
        series = self.gated(every=100 * MSEC)
        first = self.wait_begun(1)[0]
        self.session.restart()
        time.sleep(0.3)
        self.assertEqual(self.begun(), [first])
        self.assertRegex(series.get("Reason"), f"its run 1, task {first}, is active")
        self.open_gate(series)
        self.wait_begun(2)
        self.open_gate(series)

    def test_run_ends_meanwhile(self):
        series = self.gated(every=100 * MSEC)
        first = self.wait_begun(1)[0]
        self.session.crash()
        self.open_gate(series)
        time.sleep(0.3)
        self.session.start_daemon()
        self.wait_begun(2)
        self.assertEqual(Task(self.session, first).wait(), ("succeeded", 0))
        self.open_gate(series)

    def test_overdue(self):
        """One that was due while longrund was off runs once at its start; one that was not keeps its time."""
        late = self.session.start("noop", every=1 * SEC)
        later = self.session.start("noop", every=3600 * SEC)
        self.wait_runs(late, 1)
        self.wait_runs(later, 1)
        due = later.get("DueAt")
        self.session.crash()
        number = None
        time.sleep(2.5)
        self.session.start_daemon()
        number = len(self.runs_of(late))
        self.session.settles(lambda: len(self.runs_of(late)) > number or late.get("DueAt") > time.time() * SEC,
                             "it does not run")
        self.assertEqual(later.get("DueAt"), due)
        self.assertEqual(len(self.runs_of(later)), 1)

    def test_cancel_outlives(self):
        """A cancel that was under way goes on."""
        series = self.gated(every=100 * MSEC, stop_timeout=0)
        first = self.wait_begun(1)[0]
        series.cancel()
        self.session.restart()
        self.assertEqual(series.wait()[0], "cancelled")
        self.assertEqual(Task(self.session, first).wait()[0], "cancelled")
        time.sleep(0.3)
        self.assertEqual(len(self.begun()), 1)

    def test_neither_twice_nor_lost(self):
        """Killed again and again, at any moment: each run has run once, and their numbers have no gap."""
        seed = int(os.environ.get("LONGRUN_TORTURE_SEED", random.randrange(1 << 32)))
        print(f"LONGRUN_TORTURE_SEED={seed}")
        chance = random.Random(seed)
        script = "echo $LONGRUN_TASK_ID >>runs"
        options = {"cwd": str(self.session.base)}
        series = [self.session.shell(script, every=100 * MSEC, **options),
                  self.session.shell(script, calendar="*:*:*", **options)]
        for _ in range(12):
            time.sleep(chance.uniform(0, 0.35))
            self.session.restart()
        for s in series:
            self.wait_runs(s, len(self.runs_of(s)) + 1)
            s.cancel()
        self.session.wait(series)
        ran = (self.session.base / "runs").read_text(encoding="ascii").split()
        self.assertEqual(len(ran), len(set(ran)), "a run has run twice")
        for s in series:
            runs = self.runs_of(s)
            self.assertGreater(len(runs), 2)
            self.assertEqual([run["label"].split(" #")[-1] for run in runs], [str(i + 1) for i in range(len(runs))])
            for run in runs:
                if run["state"] == "succeeded":
                    self.assertIn(str(run["id"]), ran)
            for run, after in zip(runs, runs[1:]):
                self.assertGreaterEqual(after["created-at"], run["finished-at"])


if __name__ == "__main__":
    if not shutil.which("systemd-analyze"):
        print("SKIP: systemd-analyze is not installed (package systemd)")
        sys.exit(SKIP)
    main()
