#!/usr/bin/python3
"""What happens while a commit is on its way to the disk, and that fails, or is cut off: longrund runs with disk-gate.so,
which stops its writing at a gate.

    LONGRUND=PATH DISK_GATE_LIBRARY=PATH test_commits.py
"""

import contextlib
import os
import signal
import sqlite3
import time

from daemon_testing import DaemonTestCase, DBusError, Task, main, options_of
from longrun_testing import TASK, GLib
from process_testing import kill, until

SEC = 1000000


class CommitsTestCase(DaemonTestCase):
    def new_session(self, *args, **kwargs):
        session = super().new_session(*args, start=False, **kwargs)
        self.gate = session.base / "disk-gate"
        self.full = session.base / "disk-gate.full"
        library = os.environ.get("DISK_GATE_LIBRARY")
        if not library:
            self.skipTest("DISK_GATE_LIBRARY in the environment does not name disk-gate.so")
        session.env.update({"LD_PRELOAD": library, "DISK_GATE": str(self.gate)})
        self.addCleanup(self.open_disk)
        session.start_daemon()
        return session

    def open_disk(self):
        self.full.unlink(missing_ok=True)
        self.gate.unlink(missing_ok=True)

    def close_disk(self):
        """The next commit stops where nothing of it is on the disk yet."""
        self.gate.touch()

    def wait_for_commit(self):
        """It has."""
        until(lambda: self.gate.stat().st_size > 0, "nothing is written")

    def fail_commit(self):
        """The commit that waits finds no room."""
        self.full.touch()
        self.gate.unlink()

    def crash(self):
        """In the middle of a commit, of which nothing is left."""
        self.session.crash()
        self.open_disk()

    def gated(self, script, **options):
        """A command that waits at a named pipe of its own, and that; open it for it to go on."""
        pipe = self.session.base / f"pipe-{time.monotonic_ns()}"
        os.mkfifo(pipe)
        fd = os.open(pipe, os.O_RDWR | os.O_CLOEXEC)
        self.addCleanup(os.close, fd)
        task = self.session.shell(f"echo begun; read -r word <{pipe}; {script}", **options)
        task.open = lambda: os.write(fd, b"open\n")
        until(lambda: task.get("LogSize") > 0, "it does not begin")
        task.wait_state("running")
        return task

    def change(self, task, what):
        """In the database, while there is no daemon."""
        with contextlib.closing(sqlite3.connect(self.session.state / "longrun.db")) as db, db:
            db.execute(f"UPDATE task SET {what} WHERE id = ?", (task.id,))


class CrashTest(CommitsTestCase):
    def test_result(self):
        """It is still there for the next daemon when the end of its task was not written."""
        task = self.gated("echo '[1, 2]' >$LONGRUN_RESULT")
        self.close_disk()
        task.open()
        self.wait_for_commit()
        self.crash()
        self.session.start_daemon()
        self.assertEqual(task.wait(), ("succeeded", 0))
        self.assertEqual(task.take_result(), [1, 2])

    def test_thread_is_lost_twice(self):
        """The daemon that finds out that a task was lost is lost before it has written that: it is not begun again."""
        task = self.session.start("countdown", {"steps": 100, "step_ms": 1000})
        task.wait_state("running")
        self.session.crash()
        self.change(task, "state = 'starting'")
        self.close_disk()
        self.session.start_daemon()
        self.wait_for_commit()
        self.crash()
        self.session.start_daemon()
        self.assertEqual(task.wait(5), ("interrupted", -1))

    def test_thread_without_trace(self):
        """A daemon that cannot note what it begins on threads waits for the disk; the next one takes its word."""
        task = self.session.start("countdown", {"steps": 100, "step_ms": 1000})
        task.wait_state("running")
        self.session.crash()
        (self.session.runtime / "threads").unlink()
        (self.session.runtime / "threads").mkdir()
        self.session.start_daemon()
        self.assertEqual(task.wait(), ("interrupted", -1))
        task = self.session.start("countdown", {"steps": 100, "step_ms": 1000})
        task.wait_state("running")
        self.session.crash()
        self.change(task, "state = 'starting'")
        (self.session.runtime / "threads").rmdir()
        self.session.start_daemon()
        self.assertEqual(task.wait(5), ("interrupted", -1))

    def test_cancel_on_the_way_back(self):
        """A cancel that came with the commit that puts the task back into the queue holds."""
        task = self.session.shell("exec sleep 1000", **{"on-interrupt": "restart"})
        task.wait_state("running")
        self.session.crash()
        kill(self.session.shims()[task.id], signal.SIGKILL)
        self.change(task, "state = 'queued', cancel_requested = 1")
        self.session.start_daemon()
        self.assertEqual(task.wait(), ("cancelled", -1))


class FailureTest(CommitsTestCase):
    def test_unique(self):
        """A task that another call relies on is withdrawn: that call fails as well."""
        self.close_disk()
        first = self.session.call_later("StartCommand", "(asa{sv})", ["true"], options_of(unique="key"))
        self.wait_for_commit()
        second = self.session.call_later("StartCommand", "(asa{sv})", ["true"], options_of(unique="key"))
        self.session.get("Version")
        self.fail_commit()
        self.session.wait_until(lambda: first, "an answer")
        self.open_disk()
        self.session.wait_until(lambda: second, "an answer")
        self.assertEqual(first[0].name, "Storage")
        self.assertIsInstance(second[0], DBusError, second)

    def test_label(self):
        """A task is renamed that is withdrawn next."""
        number = self.session.command("true").id + 1
        self.close_disk()
        first = self.session.call_later("StartCommand", "(asa{sv})", ["true"], {})
        self.wait_for_commit()
        task = Task(self.session, number)
        second = self.session.call_later("SetLabel", "(s)", "new", path=task.path, interface=TASK)
        third = self.session.call_later("Wait", path=task.path, interface=TASK)
        self.session.get("Version")
        self.fail_commit()
        self.session.wait_until(lambda: first, "an answer")
        self.open_disk()
        self.session.wait_until(lambda: second, "an answer")
        self.assertIsInstance(second[0], DBusError)
        self.session.wait_until(lambda: third, "an answer", 5)
        self.assertEqual(third[0].name, "NoSuchTask")

    def test_ready(self):
        """A task gets ready, and is withdrawn next."""
        first = self.gated("exit 0")
        self.close_disk()
        answer = self.session.call_later("StartCommand", "(asa{sv})", ["true"], options_of(after=[first.id]))
        self.wait_for_commit()
        first.open()
        until(lambda: first.id not in self.session.shims(), "it does not end")
        self.session.get("Version")
        self.fail_commit()
        self.session.wait_until(lambda: answer, "an answer")
        self.assertEqual(answer[0].name, "Storage")
        self.open_disk()
        self.assertEqual(first.wait(), ("succeeded", 0))
        self.session.command("true", after=[first.id]).wait()

    def test_words(self):
        """What nothing was written for tells nothing of the disk."""
        self.full.touch()
        with self.assertError("Storage"):
            self.session.command("true")
        time.sleep(0.5)
        self.assertNotIn("can be written again", self.session.log())
        self.open_disk()
        self.session.command("true").wait()
        self.assertIn("can be written again", self.session.log())


class GroupTest(CommitsTestCase):
    def group(self):
        return next(g for g in self.session.call("ListGroups")[0] if g["name"] == "build")

    def test_the_last_one_never_was(self):
        """A group runs dry when the only task that has not ended is withdrawn."""
        self.session.configure_group("build")
        first = self.gated("exit 3", group="build")
        self.close_disk()
        answer = self.session.call_later("StartCommand", "(asa{sv})", ["true"], options_of(group="build"))
        self.wait_for_commit()
        first.open()
        until(lambda: self.group()["failed"] == 1, "its end is not counted")
        self.fail_commit()
        self.session.wait_until(lambda: answer, "an answer")
        self.assertEqual(answer[0].name, "Storage")
        self.session.dispatch()
        self.assertEqual(self.session.manager_signals("GroupFinished"), [])  # nothing is on disk
        self.open_disk()
        self.session.wait_until(lambda: self.session.manager_signals("GroupFinished"), "GroupFinished")
        self.assertEqual([s.args for s in self.session.manager_signals("GroupFinished")], [("build", 0, 1)])
        self.assertEqual(self.session.manager_signals("GroupFinished", "TasksFinished")[-1].member, "GroupFinished")
        self.assertEqual(first.wait(), ("failed", 3))
        self.session.restart()
        self.assertEqual((self.group()["succeeded"], self.group()["failed"]), (0, 0))

    def test_crash_before_the_end_is_written(self):
        """Neither the end nor its count is on disk: the next daemon counts it, once."""
        self.session.configure_group("build")
        first, second = self.gated("exit 3", group="build"), self.gated("exit 0", group="build")
        self.close_disk()
        first.open()
        self.wait_for_commit()
        self.crash()
        self.session.start_daemon()
        self.assertEqual(first.wait(), ("failed", 3))
        self.assertEqual((self.group()["succeeded"], self.group()["failed"], self.group()["active"]), (0, 1, 1))
        second.open()
        self.session.wait_until(lambda: self.session.manager_signals("GroupFinished"), "GroupFinished")
        self.assertEqual(self.session.manager_signals("GroupFinished")[0].args, ("build", 1, 1))

    def test_changes_that_cannot_be_written(self):
        """They hold, whoever asked is told, and they are written when that is possible."""
        self.session.configure_group("build")
        self.session.configure_group("gone", max_parallel=2)
        self.full.touch()
        for method, *arguments in (("Pause", "(s)", "build"), ("RemoveGroup", "(s)", "gone"),
                                   ("ConfigureGroup", "(sa{sv})", "new", {}), ("ConfigureResource", "(su)", "gpu", 2)):
            with self.assertError("Storage", "not on disk yet"):
                self.session.call(method, *arguments)
        self.session.dispatch()
        changed = len(self.session.manager_signals("GroupChanged"))
        groups, resources = self.session.groups(), self.session.resources()
        self.assertEqual((list(groups), groups["build"]["paused"], resources),
                         (["build", "default", "new"], True, {"gpu": (2, 0)}))
        self.open_disk()
        self.session.wait_until(lambda: len(self.session.manager_signals("GroupChanged")) == changed + 2, "GroupChanged")
        self.session.restart()
        self.assertEqual((self.session.groups(), self.session.resources()), (groups, resources))

    def test_crash_in_the_middle(self):
        """Who got no answer may find it undone."""
        self.close_disk()
        answer = self.session.call_later("Pause", "(s)", "default")
        self.wait_for_commit()
        self.crash()
        self.session.start_daemon()
        self.assertIsInstance(answer[0], DBusError)
        self.assertFalse(self.session.groups()["default"]["paused"])

    def test_removed_while_it_is_written(self):
        """And made again, as another one."""
        self.close_disk()
        answers = [self.session.call_later("ConfigureGroup", "(sa{sv})", "build",
                                           {"max-parallel": GLib.Variant("u", 7)})]
        self.wait_for_commit()
        answers.append(self.session.call_later("RemoveGroup", "(s)", "build"))
        answers.append(self.session.call_later("ConfigureGroup", "(sa{sv})", "build",
                                               {"max-queued": GLib.Variant("u", 8)}))
        self.session.get("Version")
        self.open_disk()
        self.session.wait_until(lambda: all(answers), "the answers")
        self.assertEqual(answers, [[()]] * 3)
        before = self.session.groups()
        self.assertEqual((before["build"]["max-parallel"], before["build"]["max-queued"]), (0, 8))
        self.session.restart()
        self.assertEqual(self.session.groups(), before)


class WithdrawnTest(CommitsTestCase):
    """What does not come to disk never was, also when it would have ended meanwhile: whoever started it is told so, and
    nobody else hears of it."""

    def start(self, kind="noop", **options):
        return self.session.call_later("Start", "(sa{sv})", kind, options_of(**options))

    def check(self, answer, *others):
        self.fail_commit()
        self.session.wait_until(lambda: answer and all(others), "the answers")
        self.assertEqual([a[0].name for a in (answer, *others)], ["Storage"] * (1 + len(others)))
        self.assertEqual([row["id"] for row in self.session.list_tasks()[0]], self.known)
        self.open_disk()
        task = self.session.start("noop")  # what was put into the queue before it is on disk, too
        self.assertEqual(task.wait(), ("succeeded", 0))
        self.known.append(task.id)
        told = {number for batch in ("TasksChanged", "TasksFinished") for number, *_ in self.session.batched(batch)}
        self.assertLessEqual(told, set(self.known))
        self.session.wait_until(lambda: self.session.manager_signals("GroupFinished"), "GroupFinished")
        self.assertEqual([s.args for s in self.session.manager_signals("GroupFinished")], [("default", *self.counts)])
        before = self.session.groups()
        self.session.restart()
        self.assertEqual([row["id"] for row in self.session.list_tasks()[0]], self.known)
        self.assertEqual(self.session.groups(), before)

    def test_cancelled(self):
        self.known, self.counts = [], (1, 0)
        self.close_disk()
        answer = self.start(unique="one", start_at=4 * 10**15)
        self.wait_for_commit()
        cancelled = self.session.call_later("CancelAll", "(a{sv})", {})
        self.session.get("Version")
        self.assertEqual(self.session.get("Queued"), 0)
        self.check(answer, cancelled)

    def test_cancelled_and_written(self):
        self.close_disk()
        answer = self.start(start_at=4 * 10**15)
        self.wait_for_commit()
        cancelled = self.session.call_later("CancelAll", "(a{sv})", {})
        self.session.get("Version")
        self.open_disk()
        self.session.wait_until(lambda: answer and cancelled, "the answers")
        self.assertEqual((len(answer[0]), cancelled), (2, [(1,)]))
        task = Task(self.session, answer[0][0])
        self.assertEqual(task.finished(), ("cancelled", -1, "cancelled before it was started"))
        self.assertEqual(task.get("Reason"), "")

    def test_skipped(self):
        """At once, with one behind it."""
        failed = self.session.shell("exit 3")
        failed.wait()
        self.session.wait_until(lambda: self.session.manager_signals("GroupFinished"), "GroupFinished")
        self.session.signals.clear()
        self.known, self.counts = [failed.id], (1, 0)
        self.close_disk()
        answer = self.session.call_later("StartMany", "(a(sa{sv}))", [
            ("noop", options_of(after=[failed.id])), ("noop", options_of(after_index=[0]))])
        self.wait_for_commit()
        self.check(answer)

    def test_parent(self):
        """It waits for a child, which is withdrawn with it."""
        self.known, self.counts = [], (1, 0)
        self.close_disk()
        answers = [self.start(start_at=4 * 10**15)]
        self.wait_for_commit()
        answers.append(self.start(start_at=4 * 10**15, parent=1))
        answers.append(self.session.call_later("Cancel", "(at)", [1]))
        self.session.get("Version")
        self.check(*answers)


class MemoryTest(CommitsTestCase):
    def test_label_of_a_task_that_leaves(self):
        """The end of another, in the same commit as its new label, makes it leave."""
        last = self.gated("exit 3")
        self.session.wait(self.session.start_many([("noop", {})] * 1000))
        self.session.wait_until(lambda: len(self.session.batched("TasksFinished")) == 1000, "the ends")
        first = Task(self.session, self.session.batched("TasksFinished")[0][0])
        self.close_disk()
        self.session.call_later("StartCommand", "(asa{sv})", ["true"], {})
        self.wait_for_commit()
        last.open()
        until(lambda: last.id not in self.session.shims(), "it does not end")
        self.session.get("Version")
        renamed = self.session.call_later("SetLabel", "(s)", "new", path=first.path, interface=TASK)
        self.session.get("Version")
        self.open_disk()
        self.session.wait_until(lambda: renamed, "an answer")
        self.assertEqual(renamed, [()])
        self.session.wait_until(lambda: first.signals("PropertiesChanged"), "PropertiesChanged")
        self.assertEqual(first.signals("PropertiesChanged")[-1].args[1], {"Label": "new"})


class StopTest(CommitsTestCase):
    def test_last_try(self):
        """What could not be written a moment ago is tried once more at the end."""
        task = self.gated("exit 3")
        thread = self.session.start("countdown", {"steps": 5, "step_ms": 100})
        thread.wait_state("running")
        self.full.touch()
        until(lambda: "Cannot write the state" in self.session.log(), "it does not fail")
        time.sleep(2)  # the pauses between the tries grow
        self.open_disk()
        self.session.end_daemon()
        self.session.start_daemon()
        self.assertEqual(thread.wait(), ("succeeded", 0))
        task.open()

    def test_cancel_before_the_disk_has_it(self):
        (self.session.runtime / "threads").unlink()
        self.session.end_daemon()
        (self.session.runtime / "threads").mkdir()
        self.session.start_daemon()
        long = self.session.start("countdown", {"steps": 1000, "step_ms": 10})
        long.wait_state("running")
        for _ in range(20):
            short = self.session.start("noop", {})
            with contextlib.suppress(DBusError):
                short.cancel()
        self.session.end_daemon()
        self.session.start_daemon()
        self.assertRegex(long.get("Message"), "longrund was stopped")


class ClaimTest(DaemonTestCase):
    ARGUMENTS = ("--max-parallel=4",)

    def test_power_cut(self):
        """Only what had a slot is in doubt then, not what waits for hours."""
        tasks = self.session.start_many([("command", {"argv": ["sleep", "1000"]})] * 30)
        until(lambda: self.session.get("Running") == 4, "they do not run")
        with contextlib.closing(sqlite3.connect(f"file:{self.session.state}/longrun.db?mode=ro", uri=True)) as db:
            until(lambda: db.execute("SELECT count(*) FROM task WHERE state = 'starting'").fetchone() == (0,),
                  "claims are not given back")
        self.session.crash()
        for shim in self.session.shims().values():
            kill(shim, signal.SIGKILL)
        (self.session.runtime / "session").unlink()
        self.session.start_daemon()
        self.session.wait(tasks[:4])
        counts = self.session.count_tasks()
        self.assertEqual(counts.get("interrupted"), 4, counts)


    def test_power_cut_in_a_pause(self):
        """The answer to Pause is on disk, and with it that nothing but what runs was about to be started."""
        gone = self.session.start_many([("command", {"argv": ["true"]})] * 50)  # at a rate for which it claims ahead
        tasks = self.session.start_many([("command", {"argv": ["sleep", "1000"]})] * 30)
        self.session.wait(gone)
        # Of those that only have a slot there may be no shim yet to end.
        until(lambda: [t.get("State") for t in tasks[:4]] == ["running"] * 4, "they do not run")
        self.session.call("Pause", "(s)", "default")
        self.session.crash()
        for shim in self.session.shims().values():
            kill(shim, signal.SIGKILL)
        (self.session.runtime / "session").unlink()
        self.session.start_daemon()
        self.session.wait(tasks[:4])
        self.assertEqual(self.session.count_tasks(), {"succeeded": 50, "interrupted": 4, "waiting": 26})
        self.session.call("Resume", "(s)", "default")


class QueueTimeoutTest(DaemonTestCase):
    def test_started_before(self):
        self.session.set_max_parallel(2)
        a = self.session.shell("exec sleep 1000", **{"queue-timeout": 1 * SEC, "on-interrupt": "restart"})
        c = self.session.shell("exec sleep 1000")
        c.wait_state("running")
        until(lambda: a.get("State") == "running", "running")
        self.session.set_max_parallel(1)
        time.sleep(1.2)
        kill(self.session.shims()[a.id], signal.SIGKILL)
        until(lambda: a.get("State") == "queued", "queued")
        d = self.session.shell("true", **{"queue-timeout": 1 * SEC})
        self.assertEqual(d.wait()[0], "timed-out")
        self.assertEqual(a.get("State"), "queued")


class KeeperTest(DaemonTestCase):
    def test_busy_keeper(self):
        """A keeper that does not answer does not keep the daemon from its start."""
        task = self.session.shell("exec sleep 1000")
        task.wait_state("running")
        keeper = self.session.keeper()
        os.kill(keeper, signal.SIGSTOP)
        self.addCleanup(kill, keeper, signal.SIGCONT)
        self.session.crash()
        self.session.start_daemon()
        self.assertEqual(task.get("State"), "running")
        os.kill(keeper, signal.SIGCONT)
        self.assertEqual(task.get("State"), "running")


if __name__ == "__main__":
    main()
