#!/usr/bin/python3
"""Attempts after one that failed, and ended tasks that are started again.

    LONGRUND=PATH test_retries.py
"""

import re
import time

from daemon_testing import FILTER, DaemonTestCase, Task, dictionary, main
from longrun_testing import Gate
from process_testing import until

SEC = 1000000
FOREVER = {"steps": 1, "step_ms": 3600000}


class RetryTestCase(DaemonTestCase):
    def wait_attempts(self, task, number):
        """Until so many are over, and the next one is not on its way yet."""
        self.session.settles(lambda: len(task.get("Attempts")) >= number and task.get("State") == "waiting",
                             lambda: task.get_all(), 60)

    def assertUntouched(self, task):
        """Nothing of what was before is the task's own end."""
        p = task.get_all()
        self.assertEqual((p["ExitCode"], p["ExitSignal"], p["Message"], p["FinishedAt"], p["HasResult"], p["Pid"]),
                         (-1, 0, "", 0, False, 0))


class AttemptsTest(RetryTestCase):
    def test_all_fail(self):
        task = self.session.shell("echo one; exit 3", retries=2, retry_delay=1)
        self.assertEnds(task, "failed", 3, "^exit code 3$")
        p = task.get_all()
        self.assertEqual((p["Attempt"], len(p["Attempts"])), (3, 2))
        self.check_history(p, task.read_log(), b"one\n")

    def check_history(self, p, log, printed):
        """Each attempt printed the same."""
        starts = [a[6] for a in p["Attempts"]]
        self.assertEqual([a[:4] for a in p["Attempts"]], [(i + 1, "failed", 3, 0) for i in range(len(starts))])
        self.assertEqual({a[7] for a in p["Attempts"]}, {"exit code 3"})
        self.assertEqual(starts[0], 0)
        times = [t for a in p["Attempts"] for t in a[4:6]] + [p["StartedAt"], p["FinishedAt"]]
        self.assertEqual(times, sorted(times))
        for number, (begin, end) in enumerate(zip(starts, starts[1:] + [None])):
            part = log[begin:end]
            self.assertTrue(part.startswith(printed), part)
            note = rf"^\n\[longrun\] attempt {number + 1} failed \(exit code 3\); attempt {number + 2} starts at [-0-9]+ [:0-9]+\n"
            self.assertRegex(part[len(printed):].decode(), note)
        self.assertEqual(p["LogSize"], len(log))
        self.assertTrue(log.endswith(b"\n" + printed))

    def test_second_succeeds(self):
        task = self.session.shell("test -e it || { touch it; echo no >&2; exit 1; }; echo yes", retries=5, retry_delay=1,
                                  cwd=str(self.session.base))
        self.assertEnds(task, "succeeded", 0)
        p = task.get_all()
        self.assertEqual((p["Attempt"], len(p["Attempts"]), p["DueAt"]), (2, 1, 0))
        self.assertRegex(task.read_log().decode(), r"^no\n\n\[longrun\] attempt 1 failed \(exit code 1\); .*\nyes\n$")
        # Where there is no attempt of it any more, there is nothing of it.
        self.assertEqual(len(task.signals("Finished")), 1)

    def test_other_ends(self):
        """A timeout counts, of a command and of a thread; so does a signal, and what cannot be started."""
        slow = self.session.shell("exec sleep 1000", timeout=20000, retries=1, retry_delay=1)
        thread = self.session.start("countdown", FOREVER, timeout=20000, retries=1, retry_delay=1)
        killed = self.session.shell("kill -KILL $$", retries=1, retry_delay=1)
        absent = self.session.command("/nonexistent/program", retries=1, retry_delay=1)
        force = self.session.start("compute-e", {"seconds": 1, "force_error": True}, retries=1, retry_delay=1)
        for task, state, code, signal in ((slow, "timed-out", 143, 15), (thread, "timed-out", -1, 0),
                                          (killed, "failed", 137, 9), (absent, "failed", 127, 0),
                                          (force, "failed", 1, 0)):
            with self.subTest(task=task.get("Label")):
                self.assertEqual(task.wait()[0], state)
                p = task.get_all()
                self.assertEqual([a[:2] for a in p["Attempts"]], [(1, state)])
                self.assertEqual(p["Attempt"], 2)
                self.assertEqual(*(re.sub("[0-9]+ms", "", text) for text in (p["Attempts"][0][7], p["Message"])))
                self.assertEqual(p["Attempts"][0][2:4], (p["ExitCode"], p["ExitSignal"]))

    def test_no_more(self):
        """Success, a cancel and an end that is not worth it are no reason."""
        good = self.session.shell("true", retries=3, retry_delay=1)
        other = self.session.shell("exit 4", retries=3, retry_delay=1, retry_on=[3, 5])
        slow = self.session.shell("exec sleep 1000", retries=3, retry_delay=1, retry_on=[3, 143], timeout=20000)
        cancelled = self.session.start("countdown", FOREVER, retries=3, retry_delay=1)
        cancelled.wait_state("running")
        cancelled.cancel()
        for task, state in ((good, "succeeded"), (other, "failed"), (slow, "timed-out"), (cancelled, "cancelled")):
            self.assertEqual(task.wait()[0], state)
            self.assertEqual((task.get("Attempt"), task.get("Attempts")), (1, []))
        task = self.session.shell("exit 5", retries=2, retry_delay=1, retry_on=[3, 5])
        self.assertEqual(task.wait(), ("failed", 5))
        self.assertEqual(task.get("Attempt"), 3)

    def test_what_others_see_between(self):
        """It waits without a slot; who is behind it waits for the task, not for an attempt."""
        self.session.set_max_parallel(1)
        task = self.session.shell("echo x; exit 3", retries=1, retry_delay=3600 * SEC, group="default")
        behind = self.session.shell("true", after=[task.id])
        before = time.time() * SEC
        self.wait_attempts(task, 1)
        task.wait_state("waiting")
        p = task.get_all()
        self.assertRegex(p["Reason"], r"^attempt 1 failed \(exit code 3\); attempt 2 starts at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")
        self.assertTrue(before + 3500 * SEC < p["DueAt"] < time.time() * SEC + 4600 * SEC, p["DueAt"])
        self.assertEqual((p["Attempt"], p["StartedAt"], p["Usage"]), (1, 0, {}))
        self.assertUntouched(task)
        self.assertEqual(behind.get("State"), "waiting")
        self.assertEqual(self.session.shell("true").wait()[0], "succeeded")
        self.assertEqual(self.session.get("Running"), 0)
        self.assertEqual(task.signals("Finished"), [])
        task.cancel()
        self.assertEqual(task.wait(), ("cancelled", -1))
        p = task.get_all()
        self.assertEqual((p["Attempt"], p["ExitCode"], len(p["Attempts"])), (1, -1, 1))
        self.assertEqual(p["Message"], "cancelled before it was started again")
        self.assertEqual(behind.wait()[0], "skipped")

    def test_tokens_are_given_back(self):
        self.session.call("ConfigureResource", "(su)", "gpu", 1)
        task = self.session.shell("exit 1", retries=1, retry_delay=3600 * SEC, resources={"gpu": 1})
        self.wait_attempts(task, 1)
        self.assertEqual(self.session.resources(), {"gpu": (1, 0)})
        self.assertEqual(self.session.shell("true", resources={"gpu": 1}).wait()[0], "succeeded")
        task.cancel()

    def test_second_runs(self):
        """Nothing of the first shows while the second one runs."""
        with_gate = Gate(self.session.session)
        script = f"test -e it || {{ touch it; exit 3; }}; read line <{with_gate.path}"
        task = self.session.shell(script, retries=1, retry_delay=1, cwd=str(self.session.base))
        self.session.settles(lambda: task.get("Attempt") == 2 and task.get("State") == "running",
                             lambda: task.get_all())
        p = task.get_all()
        self.assertEqual((p["ExitCode"], p["ExitSignal"], p["Message"], p["FinishedAt"]), (-1, 0, "", 0))
        self.assertEqual(p["Reason"], "attempt 1 failed (exit code 3)")
        with_gate.send("x")
        self.assertEnds(task, "succeeded", 0)
        with_gate.close()

    def test_delays(self):
        """Twice as long each time, and up to a quarter more."""
        task = self.session.shell("exit 1", retries=3, retry_delay=100000)
        self.assertEqual(task.wait(timeout=30)[0], "failed")
        p = task.get_all()
        ends = [a[5] for a in p["Attempts"]]
        starts = [a[4] for a in p["Attempts"]] + [p["StartedAt"]]
        for number, (end, start) in enumerate(zip(ends, starts[1:])):
            self.assertGreaterEqual(start - end, 100000 << number)
        self.assertLess(starts[1] - ends[0], 2 * SEC)

    def test_no_delay(self):
        task = self.session.shell("exit 1", retries=20, retry_delay=0)
        self.assertEqual(task.wait()[0], "failed")
        self.assertEqual(task.get("Attempt"), 21)
        self.assertEqual({a[2] for a in task.get("Attempts")}, {1})

    def test_log_signals(self):
        """Each line is told once, those of the first attempt not again by the second."""
        task = self.session.shell("echo line; sleep 0.3; echo end; exit 1", retries=1, retry_delay=1)
        task.finished()
        lines = [(line[1], line[2]) for s in task.signals("Log") for line in s.args[1]]
        self.assertEqual([text for stream, text in lines if stream == "stdout"], ["line", "end"] * 2)
        notes = [text for stream, text in lines if stream == "longrun" and text]
        self.assertEqual(len(notes), 1)
        self.assertRegex(notes[0], r"^\[longrun\] attempt 1 failed \(exit code 1\); attempt 2 starts at")

    def test_message_of_an_attempt_is_bounded(self):
        task = self.session.shell('python3 -c "import os,socket;'
                                  "s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM);"
                                  "s.sendto(b'STATUS='+b'x'*1000,os.environ['NOTIFY_SOCKET'])\"; exit 1",
                                  retries=1, retry_delay=1)
        task.wait()
        self.assertLessEqual(len(task.get("Attempts")[0][7]), 256)

    def test_interrupted_is_remembered(self):
        task = self.session.shell("exec sleep 1000", on_interrupt="restart")
        shim = until(lambda: self.session.shims().get(task.id), "there is no shim")
        self.session.run("kill", "-KILL", shim)
        self.session.settles(lambda: task.get("Attempt") == 2 and task.get("State") == "running",
                             lambda: task.get_all())
        attempts = task.get("Attempts")
        self.assertEqual([a[:2] for a in attempts], [(1, "interrupted")])
        self.assertRegex(task.get("Reason"), r"^attempt 1 was interrupted \(.+\)$")
        self.assertEqual(task.get("Message"), "")
        self.session.restart()
        self.assertEqual(task.get("Attempts"), attempts)
        task.cancel()

    def test_bad_options(self):
        for options, text in (({"retries": 1001}, "retries"), ({"retry_delay": 8 * 86400 * SEC}, "retry-delay"),
                              ({"retry_on": list(range(257))}, "retry-on")):
            with self.assertError("InvalidOption", text):
                self.session.shell("true", **options)


class RestartTest(RetryTestCase):
    """The daemon goes between attempts, and at the worst of times."""

    def test_while_it_waits(self):
        task = self.session.shell("echo x; exit 3", retries=1, retry_delay=3 * SEC)
        self.wait_attempts(task, 1)
        before = {key: value for key, value in task.get_all().items() if key not in ("Reason",)}
        self.session.restart()
        after = task.get_all()
        self.assertRegex(after["Reason"], r"^attempt 1 failed \(exit code 3\); attempt 2 starts at")
        self.assertEqual({key: value for key, value in after.items() if key in before}, before)
        self.assertUntouched(task)
        self.assertEqual(task.wait(), ("failed", 3))
        p = task.get_all()
        self.assertEqual(p["Attempt"], 2)
        self.assertGreaterEqual(p["StartedAt"], before["DueAt"])
        self.assertEqual(p["Attempts"], before["Attempts"])
        self.assertEqual(task.read_log().count(b"x\n"), 2)

    def test_missed(self):
        """It was due while no daemon was there."""
        task = self.session.shell("exit 3", retries=1, retry_delay=SEC // 2)
        self.wait_attempts(task, 1)
        due = task.get("DueAt")
        self.session.crash()
        until(lambda: time.time() * SEC > due, "")
        self.session.start_daemon()
        self.assertEqual(task.wait(), ("failed", 3))
        self.assertEqual(task.get("Attempt"), 2)

    def test_killed_at_any_moment(self):
        """No attempt is lost or begun twice, wherever the daemon is killed."""
        counter = self.session.base / "count"
        number, kills = 30, 12
        task = self.session.shell(f"echo $LONGRUN_TASK_ID >>{counter}; exit 3", retries=number, retry_delay=20000)
        others = [self.session.shell("exit 3", retries=2, retry_delay=1) for _ in range(10)]
        for i in range(kills):
            time.sleep(0.013 * (i % 5))
            self.session.restart()
        # The pause grows: there is no need to wait for all of them.
        self.wait_attempts(task, 5)
        self.session.crash()
        self.session.start_daemon()
        p = task.get_all()
        n = len(p["Attempts"])
        runs = len(counter.read_text(encoding="ascii").splitlines())
        self.assertEqual([a[0] for a in p["Attempts"]], list(range(1, n + 1)))
        self.assertIn(runs, (p["Attempt"], p["Attempt"] - 1 if p["State"] == "starting" else p["Attempt"]))
        self.assertEqual({a[1:3] for a in p["Attempts"]}, {("failed", 3)})
        task.cancel()
        for other in others:
            self.assertEqual(other.wait(), ("failed", 3))
            self.assertEqual(len(other.get("Attempts")), 2)
            self.assertEqual(other.get("Attempt"), 3)

    def test_offsets_over_restarts(self):
        """Where an attempt begins in the log is known to a daemon that came while it ran."""
        gate = Gate(self.session.session)
        task = self.session.shell(f"echo begin; read x <{gate.path}; exit 3", retries=2, retry_delay=1)
        for attempt in (1, 2):
            self.session.settles(lambda a=attempt: task.get("Attempt") == a and task.get("LogSize") > 0
                                 and task.read_log().count(b"begin\n") == a, lambda: task.get_all())
            self.session.restart()
            gate.send("x")
        self.session.settles(lambda: task.read_log().count(b"begin\n") == 3, lambda: task.read_log())
        gate.send("x")
        self.assertEqual(task.wait(), ("failed", 3))
        log = task.read_log()
        starts = [a[6] for a in task.get("Attempts")]
        begins = [m.start() for m in re.finditer(b"begin\n", log)]
        self.assertEqual(starts, begins[:2])
        gate.close()

    def test_history_of_an_ended_task(self):
        task = self.session.shell("echo x; exit 3", retries=3, retry_delay=1)
        task.wait()
        before = task.get_all()
        self.session.restart()
        self.assertEqual(task.get_all(), before)
        listed = self.session.list_tasks(fields=["id", "attempts", "attempt"])[0]
        self.assertEqual(listed, [{"id": task.id, "attempts": before["Attempts"], "attempt": 4}])


class AgainTest(RetryTestCase):
    """Retry() and RetryAll()."""

    def retry(self, task):
        number, path = task.call("Retry")
        self.assertEqual(path, f"/org/longrun/Longrun1/task/{number}")
        return Task(self.session, number)

    def retry_all(self, **keys):
        return self.session.call("RetryAll", "(a{sv})", dictionary(FILTER, keys))[0]

    OPTIONS = {"label": "a label", "env": ["A=1"], "clear_env": True, "umask": 0o077, "priority": 7, "nice": 3,
               "timeout": 60 * SEC, "retries": 2, "retry_on": [5], "on_interrupt": "restart"}

    def check_same(self, task, again):
        p, q = task.get_all(), again.get_all()
        self.assertEqual((p["RetryOf"], q["RetryOf"]), (0, task.id))
        own = {"Id", "State", "CreatedAt", "StartedAt", "FinishedAt", "RetryOf", "Attempt", "Usage", "LogSize", "LogBegin",
               "LogFile", "ExitCode", "Message", "Reason", "Progress", "Pid", "After", "AfterAny", "AfterFailed", "StartAt"}
        self.assertEqual({k: v for k, v in p.items() if k not in own}, {k: v for k, v in q.items() if k not in own})
        self.assertEqual(task.get("Env"), again.get("Env"))

    def test_same_request(self):
        first = self.session.shell("true")
        task = self.session.command("/bin/sh", "-c", "echo $A; exit 4", after=[first.id], start_at=int(time.time()) * SEC,
                                    **self.OPTIONS)
        self.assertEqual(task.wait(), ("failed", 4))
        again = self.retry(task)
        self.assertEqual(again.wait(), ("failed", 4))
        self.assertEqual(again.read_log(), b"1\n")
        self.check_same(task, again)
        self.assertEqual((task.get("After"), again.get("After"), again.get("StartAt")), ([first.id], [], 0))
        # From the disk alone: the environment too.
        self.session.restart()
        third = self.retry(task)
        self.assertEqual(third.wait(), ("failed", 4))
        self.assertEqual(third.read_log(), b"1\n")
        self.check_same(task, third)

    def test_of_a_kind(self):
        task = self.session.start("map", {"items": ["a"], "op": "uppercase"})
        task.wait()
        again = self.retry(task)
        self.assertEqual(again.wait()[0], "succeeded")
        self.assertEqual([t.take_result()[0]["processed"] for t in (task, again)], ["A"] * 2)

    def test_defaults_of_then(self):
        """A group's defaults were filled in when the task was started; they are not a second time."""
        self.session.configure_group("g", priority=5)
        task = self.session.shell("exit 1", group="g")
        task.wait()
        self.session.configure_group("g", priority=9)
        self.session.restart()
        self.assertEqual(self.retry(task).get("Priority"), 5)

    def test_refusals(self):
        task = self.session.start("countdown", FOREVER)
        with self.assertError("StillActive", f"Task {task.id} has not ended"):
            self.retry(task)
        task.cancel()
        task.wait()
        with self.assertError("NoSuchTask", "99"):
            self.retry(Task(self.session, 99))
        self.session.configure_group("g")
        task = self.session.shell("exit 1", group="g")
        task.wait()
        self.session.call("RemoveGroup", "(s)", "g")
        with self.assertError("NoSuchGroup", f'task {task.id} cannot be started again: .*"g"|"g"'):
            self.retry(task)

    def test_unique(self):
        task = self.session.shell("exit 1", unique="k")
        task.wait()
        again = self.session.start("countdown", FOREVER, unique="k")
        self.assertEqual(self.retry(task).id, again.id)
        self.assertEqual(again.get("RetryOf"), 0)
        again.cancel()
        again.wait()
        self.assertNotIn(self.retry(task).id, (task.id, again.id))

    def test_parent(self):
        parent = self.session.start("countdown", FOREVER)
        child = self.session.shell("exit 1", parent=parent.id)
        child.wait()
        again = self.retry(child)
        again.wait()
        self.assertEqual(again.get("Parent"), parent.id)
        parent.cancel()
        parent.wait()
        self.assertEqual(self.retry(child).get("Parent"), 0)

    def make_ended(self):
        """Two of each end."""
        tasks = {state: [self.session.shell(script, **options) for _ in range(2)] for state, script, options in (
            ("succeeded", "true", {}), ("failed", "exit 1", {}), ("timed-out", "exec sleep 1000", {"timeout": 10000}))}
        tasks["cancelled"] = [self.session.start("countdown", FOREVER) for _ in range(2)]
        for task in tasks["cancelled"]:
            task.cancel()
        tasks["skipped"] = [self.session.shell("true", after=[t.id]) for t in tasks["failed"]]
        for state, some in tasks.items():
            for task in some:
                self.assertEqual(task.wait()[0], state)
        return tasks

    def check_all(self, tasks):
        wanted = sorted(t.id for state in ("failed", "timed-out") for t in tasks[state])
        again = [Task(self.session, number) for number in self.retry_all()]
        self.assertEqual([t.get("RetryOf") for t in again], wanted)
        self.assertEqual([t.id for t in again], sorted(t.id for t in again))
        for task in again:
            task.wait()
        # Those that failed once more are tried once more, and nothing else.
        failed = [t.id for t in again if t.get("State") != "succeeded"]
        third = self.retry_all()
        self.assertEqual([Task(self.session, number).get("RetryOf") for number in third], failed)
        for number in third:
            Task(self.session, number).wait()

    def test_all(self):
        self.check_all(self.make_ended())

    def test_all_on_disk(self):
        tasks = self.make_ended()
        self.session.restart()
        self.check_all(tasks)

    def test_filters(self):
        tasks = self.make_ended()
        self.assertEqual(self.retry_all(label="nothing of the kind"), [])
        self.assertEqual(len(self.retry_all(states=["cancelled"])), 2)
        self.assertEqual(len(self.retry_all(states=["succeeded", "failed"], kind="command")), 4)
        for state in ("running", "waiting"):
            with self.assertError("InvalidOption", state):
                self.retry_all(states=[state])
        with self.assertError("UnknownOption", "limit"):
            self.retry_all(limit=3)
        self.assertEqual([t.get("State") for t in tasks["timed-out"]], ["timed-out"] * 2)
        self.session.cancel_all()

    def test_one_that_cannot(self):
        """All or none, and it says which."""
        self.session.configure_group("g")
        good, bad = self.session.shell("exit 1"), self.session.shell("exit 1", group="g")
        self.session.wait([good, bad])
        self.session.call("RemoveGroup", "(s)", "g")
        with self.assertError("NoSuchGroup", '"g"'):
            self.retry_all()
        self.assertEqual(self.session.count_tasks(), {"failed": 2})

    def test_removed_are_left_out(self):
        tasks = [self.session.shell("exit 1") for _ in range(5)]
        self.session.wait(tasks)
        self.session.call("RemoveTasks", "(at)", [t.id for t in tasks[1:3]])
        self.assertEqual(len(self.retry_all()), 3)


class RoomTest(RetryTestCase):
    CONFIG = "[Manager]\nMaxQueued=100\n"

    def fill(self, number):
        for _ in range(number // 90):
            self.session.wait(self.session.start_many(
                [("command", {"argv": ["false"]})] * 90))

    def test_no_room(self):
        self.fill(180)
        with self.assertError("QueueFull", "180 tasks match.*takes 100"):
            self.session.call("RetryAll", "(a{sv})", {})
        self.assertEqual(self.session.count_tasks(), {"failed": 180})


class ManyTest(RetryTestCase):
    def test_pages(self):
        """More than are read from the disk at a time, by whatever page."""
        number = 3300
        tasks = self.session.start_many([("noop", {"label": "odd" if i % 2 else "even"}) for i in range(number)])
        self.session.wait(tasks)
        self.session.restart()
        keys = dictionary(FILTER, {"states": ["succeeded"], "label": "odd"})
        for _ in range(2):
            before = time.monotonic()
            again = self.session.call("RetryAll", "(a{sv})", keys)[0]
            print(f"{len(again)} of {number} started again in {time.monotonic() - before:.2f} s")
            self.assertEqual(len(again), number // 2)
            self.session.wait([Task(self.session, n) for n in again])
        self.assertEqual(Task(self.session, again[7]).get("Label"), "odd")


if __name__ == "__main__":
    main()
