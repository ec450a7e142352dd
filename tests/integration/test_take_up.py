#!/usr/bin/python3
"""longrund is killed, and the next one takes up its tasks: at every instant of a task's life, and with everything else
that may be lost along with it.

    LONGRUND=PATH test_take_up.py
"""

import contextlib
import os
import pathlib
import signal
import socket
import sqlite3
import struct
import time

from daemon_testing import DBusError, Task, main
from process_testing import kill, until
from take_up_testing import TakeUpTestCase, is_paused

MSEC = 1000
SEC = 1000000


class InstantTest(TakeUpTestCase):
    """Where in the life of a command the daemon is killed."""

    def stopped_keeper(self):
        keeper = self.session.keeper()
        os.kill(keeper, signal.SIGSTOP)
        self.addCleanup(kill, keeper, signal.SIGCONT)
        return keeper

    def test_before_spawn(self):
        """The order to spawn has been given, and not been read."""
        self.session.command("true").wait()
        keeper = self.stopped_keeper()
        task = self.session.shell(f"{self.begin}; echo here; exit 3")
        task.wait_state("starting")
        self.session.crash()
        os.kill(keeper, signal.SIGCONT)
        self.session.start_daemon()
        self.assertTrueEnd(task, "failed", 3)
        self.assertEqual((self.starts(), task.read_log()), (1, b"here\n"))

    def test_before_spawn_and_the_order_is_lost(self):
        """Claimed on the disk, and no trace of a shim: it was not started, and keeps its place."""
        self.session.command("true").wait()
        keeper = self.stopped_keeper()
        tasks = [self.session.shell(f"echo x >>{self.side}; echo here; exit 3") for _ in range(3)]
        tasks[2].wait_state("starting")
        self.session.crash()
        kill(keeper)
        os.kill(keeper, signal.SIGCONT)
        self.session.start_daemon()
        for task in tasks:
            self.assertTrueEnd(task, "failed", 3, attempt=1)
            self.assertEqual(task.read_log(), b"here\n")
        self.assertEqual(self.starts(), 3)

    def test_the_keeper_hangs(self):
        """The daemon comes all the same, and hears of the task when it does not any more."""
        task = self.begun(f"{self.pause}; exit 3")
        self.session.crash()
        self.stopped_keeper()
        self.session.start_daemon()
        # That it runs may not have been on disk yet.
        self.assertIn(task.get("State"), ("starting", "running"))
        os.kill(self.session.keeper(), signal.SIGCONT)
        self.open_gate(task)
        self.assertTrueEnd(task, "failed", 3)

    def test_the_keeper_hangs_and_is_killed(self):
        """What it was asked for before, and has not begun, keeps its place."""
        self.session.command("true").wait()
        keeper = self.stopped_keeper()
        task = self.session.shell(f"echo x >>{self.side}; echo here; exit 3")
        task.wait_state("starting")
        self.session.crash()
        self.session.start_daemon()
        self.assertEqual(task.get("State"), "starting")
        kill(keeper)
        self.assertTrueEnd(task, "failed", 3, "exit code 3", attempt=1)
        self.assertEqual((self.starts(), task.read_log()), (1, b"here\n"))

    def test_between_spawn_and_commit(self):
        """The first that the command does is to kill the daemon, which cannot have written down yet that it runs."""
        script = f"kill -9 {self.session.daemon.pid}; {self.begin}; {self.pause}; echo here; exit 4"
        reply = self.session.call_later("StartCommand", "(asa{sv})", ["sh", "-c", script], {})
        self.fifo.read_line()
        self.session.wait_until(lambda: reply, "an answer")
        self.session.crash()
        self.session.start_daemon()
        row, = self.session.list_tasks()[0]
        task = Task(self.session, row["id"])
        until(lambda: task.get("State") == "running", "it is not taken up")
        self.open_gate(task)
        self.assertTrueEnd(task, "failed", 4)
        self.assertEqual((self.starts(), task.read_log()), (1, b"here\n"))

    def test_while_it_runs(self):
        task = self.begun(f"echo one; {self.pause}; echo two; exit 5")
        task.wait_state("running")
        started_at = task.get("StartedAt")
        # That it has begun goes to the disk in no hurry: with the next commit.
        self.session.command("true").wait()
        self.session.restart()
        p = task.get_all()
        self.assertEqual((p["State"], p["Pid"], p["StartedAt"], p["Attempt"]), ("running", task.main_pid, started_at, 1))
        self.assertEqual(self.session.get("Running"), 1)
        self.open_gate(task)
        self.assertTrueEnd(task, "failed", 5, "exit code 5")
        self.assertEqual((self.starts(), task.read_log()), (1, b"one\ntwo\n"))

    def test_again_and_again(self):
        task = self.begun(f"{self.pause}; exit 6")
        for _ in range(5):
            self.session.restart()
        self.open_gate(task)
        self.assertTrueEnd(task, "failed", 6)
        self.assertEqual(self.starts(), 1)

    def test_between_the_end_and_its_commit(self):
        """The daemon is stopped while the task ends, so it cannot write that down."""
        task = self.begun(f"{self.pause}; echo '[7]' >$LONGRUN_RESULT; echo last; exit 7")
        self.session.daemon.send_signal(signal.SIGSTOP)
        self.open_gate(task)
        self.wait_ended(task)
        self.session.crash()
        self.session.start_daemon()
        self.assertTrueEnd(task, "failed", 7, "exit code 7")
        self.assertEqual((self.starts(), task.read_log(), task.take_result()), (1, b"last\n", [7]))

    def test_the_database_is_lost(self):
        """What runs is not left to itself, and its number is not given out again."""
        task = self.begun(f"echo before; {self.pause}; exit 5")
        self.session.crash()
        for path in self.session.state.glob("longrun.db*"):
            path.unlink()
        self.session.start_daemon()
        until(lambda: task.get("State") == "running", "it is not taken up")
        self.assertEqual(task.get("Argv"), ["unknown"])
        self.assertIn("is lost", task.get("Label"))
        other = self.session.shell("exit 0")
        self.assertGreater(other.id, task.id)
        self.open_gate(task)
        self.assertTrueEnd(task, "failed", 5, "exit code 5")
        self.assertEqual((self.starts(), task.read_log()), (1, b"before\n"))

    def test_half_of_a_folder_is_left(self):
        """The end is on disk, and the daemon died while it removed what had told of it."""
        task = self.begun("exit 4")
        task.finished()
        self.session.crash()
        folder = self.session.runtime / f"task-{task.id}"
        folder.mkdir()
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.bind(str(folder / "control"))
        self.session.start_daemon()
        self.assertFalse(folder.exists())
        self.assertEqual((task.get("ExitCode"), task.get("Argv")[:1]), (4, ["/bin/sh"]))

    def test_just_after_the_end(self):
        """The end may have been told, and the folder be there still."""
        for i in range(5):
            task = self.begun(f"{self.pause}; exit {i}")
            self.open_gate(task)
            task.finished()
            self.session.restart()
            self.assertEqual(task.get("ExitCode"), i)
            self.assertEqual(len(task.signals("Finished")), 1)
        self.assertEqual(self.starts(), 5)

    def test_while_it_is_cancelled_and_ends_meanwhile(self):
        task = self.begun("while :; do sleep 0.05; done", "trap 'echo told' TERM", stop_timeout=700 * MSEC)
        task.cancel()
        until(lambda: b"told\n" in task.read_log(), "it was not told")
        self.session.crash()
        self.wait_ended(task)  # the shim kills it
        self.session.start_daemon()
        self.assertTrueEnd(task, "cancelled", 137, "killed.*within 700ms")

    def test_while_it_is_cancelled(self):
        task = self.begun("while :; do sleep 0.05; done", "trap 'echo told' TERM", stop_timeout=3000 * MSEC)
        task.cancel()
        until(lambda: b"told\n" in task.read_log(), "it was not told")
        self.session.restart()
        self.assertEqual(task.get("State"), "cancelling")
        with self.assertRaises(DBusError):
            self.session.call("RemoveTasks", "(at)", [task.id])
        self.assertTrueEnd(task, "cancelled", 137, "killed")

    def test_before_the_cancel_is_told(self):
        """The answer to Cancel came, and the shim was stopped: the next daemon says it again."""
        task = self.begun("echo up; exec sleep 1000")
        shim = self.session.shims()[task.id]
        os.kill(shim, signal.SIGSTOP)
        task.cancel()
        self.session.crash()
        os.kill(shim, signal.SIGCONT)
        self.session.start_daemon()
        self.assertTrueEnd(task, "cancelled", 143)

    def test_while_it_is_paused(self):
        task = self.begun(f"echo up; {self.pause}; exit 8")
        task.call("Pause")
        until(lambda: task.get("State") == "paused", "not paused")
        self.session.restart()
        self.assertEqual(task.get("State"), "paused")
        until(lambda: is_paused(task.main_pid), "it goes on")
        task.call("Resume")
        until(lambda: task.get("State") == "running", "not resumed")
        self.open_gate(task)
        self.assertTrueEnd(task, "failed", 8)

    def test_while_a_hundred_run(self):
        self.session.set_max_parallel(100)
        tasks = self.session.start_many([("command", {"argv": ["sh", "-c", f"echo x >>{self.side}; exec sleep 1000"]})] * 100)
        until(lambda: self.starts() == 100, "not all have begun")
        self.session.crash()
        began = time.monotonic()
        self.session.start_daemon()
        self.assertEqual(sum(self.session.count_tasks().values()), 100)
        print(f"100 running tasks taken up: on the bus and counted after {1000 * (time.monotonic() - began):.0f} ms")
        # What was not written down yet is heard from the shim.
        until(lambda: self.session.count_tasks() == {"running": 100}, "not all are known to run")
        until(lambda: all(row["pid"] for row in self.session.list_tasks(fields=["pid"])[0]), "not all are known")
        self.assertEqual(self.session.cancel_all(), 100)
        self.assertEqual({end[1] for end in self.session.wait(tasks)}, {"cancelled"})
        self.assertEqual(self.starts(), 100)


class MeanwhileTest(TakeUpTestCase):
    """What happens while there is no daemon."""

    def test_the_session_is_forgotten(self):
        """That part of the database is damaged: what runs is taken up all the same."""
        task = self.begun(f"{self.pause}; exit 3")
        task.wait_state("running")
        self.session.crash()
        path = self.session.state / "longrun.db"
        with contextlib.closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            page = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'meta'").fetchone()[0]
            size = db.execute("PRAGMA page_size").fetchone()[0]
        with open(path, "r+b") as file:
            file.seek((page - 1) * size)
            file.write(b"\xff" * size)
        self.session.start_daemon()
        self.assertEqual(task.get("State"), "running")
        self.open_gate(task)
        self.assertTrueEnd(task, "failed", 3)
        self.assertEqual(self.starts(), 1)

    def test_ends(self):
        ends = [
            ("exit 0", "succeeded", 0, 0), ("exit 9", "failed", 9, 0), ("kill -9 $$", "failed", 137, 9),
            ("setsid sh -c 'sleep 0.3; echo late' & exit 2", "failed", 2, 0),
            (f"echo '{{\"a\": 1}}' >$LONGRUN_RESULT", "succeeded", 0, 0),
            ("i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done", "succeeded", 0, 0),
            ("systemd-notify --status='last words' X_LONGRUN_PROGRESS=40; exit 1", "failed", 1, 0),
        ]
        tasks = [self.begun(f"echo first; {self.pause}; echo more; {script}") for script, *_ in ends]
        self.session.crash()
        for task in tasks:
            self.open_gate(task)
        for task in tasks:
            self.wait_ended(task)
        before = time.time()
        self.session.start_daemon()
        for task, (script, state, code, signum) in zip(tasks, ends):
            with self.subTest(script=script):
                self.assertEqual(task.wait(), (state, code))
                self.assertEqual(task.get("ExitSignal"), signum)
                log = b"first\nmore\n" + (b"late\n" if "late" in script else b"")
                self.assertEqual((task.read_log(), task.get("LogSize")), (log, len(log)))
                # When it was, not when the next daemon came.
                self.assertLessEqual(task.get("FinishedAt"), (before + 1) * SEC)
                self.assertGreater(task.get("Usage")["cpu-usec"], 0)
        self.assertEqual([task.get("HasResult") for task in tasks], [i == 4 for i in range(len(tasks))])
        self.assertEqual(tasks[4].take_result(), {"a": 1})
        self.assertGreater(tasks[5].get("Usage")["cpu-usec"], 20 * MSEC)
        self.assertEqual((tasks[6].get("Status"), tasks[6].get("Progress")), ("last words", 0.4))
        for task, (_, state, code, _) in zip(tasks, ends):
            self.assertEqual(task.get("State"), state)
        self.assertEqual(self.starts(), len(ends))

    def test_limits_hold(self):
        over = self.begun("echo up; sleep 1000", timeout=600 * MSEC)
        idle = self.begun("echo up; sleep 1000", idle_timeout=600 * MSEC)
        late = self.begun(f"{self.pause}; exit 0", timeout=60 * SEC)
        self.session.crash()
        self.wait_ended(over)
        self.wait_ended(idle)
        self.session.start_daemon()
        self.assertEqual(over.wait(), ("timed-out", 143))
        self.assertRegex(over.get("Message"), "^timeout: .*600ms")
        self.assertEqual(idle.wait(), ("timed-out", 143))
        self.assertRegex(idle.get("Message"), "^idle-timeout: .*600ms")
        self.open_gate(late)
        self.assertTrueEnd(late, "succeeded", 0)

    def test_a_timeout_counts_on(self):
        """Half of it passes under one daemon, half under the next."""
        task = self.begun("sleep 1000", timeout=1000 * MSEC)
        self.session.restart()
        self.assertTrueEnd(task, "timed-out", 143, "^timeout: .*limit is 1(\\.0)?s")
        self.assertLess(task.get("FinishedAt") - task.get("StartedAt"), 30 * SEC)

    def test_isolated_kinds(self):
        tasks = [self.session.start("countdown", {"steps": 5, "step_ms": 100}, isolate=True),
                 self.session.start("map", {"items": ["a", "b"], "op": "uppercase", "item_ms": 200}, isolate=True)]
        for task in tasks:
            until(lambda: task.get("Pid"), "no process")  # pylint: disable=cell-var-from-loop
        self.session.crash()
        for task in tasks:
            self.wait_ended(task)
        self.session.start_daemon()
        for task in tasks:
            self.assertTrueEnd(task, "succeeded", 0)
        self.assertEqual(tasks[0].get("Message"), "All work completed successfully!")
        self.assertEqual([item["processed"] for item in tasks[1].take_result()], ["A", "B"])


class QueueTest(TakeUpTestCase):
    ARGUMENTS = ("--max-parallel=1",)

    def queue(self, number, **options):
        """A command that runs, and behind it some that write down when it is their turn."""
        first = self.begun(self.pause)
        return first, [self.session.shell(f"echo {i} >>{self.side}.order", **options) for i in range(number)]

    def test_order_and_place(self):
        first, tasks = self.queue(20)
        created = [task.get("CreatedAt") for task in tasks]
        for signum in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
            self.session.restart(signum)
            self.assertEqual(self.session.count_tasks(), {"running": 1, "queued": 20})
            self.assertEqual(self.session.get("Queued"), 20)
            self.assertEqual({task.get("Attempt") for task in tasks}, {0})
        last = self.session.shell(f"echo last >>{self.side}.order")
        self.open_gate(first)
        self.session.wait([*tasks, last])
        order = pathlib.Path(f"{self.side}.order").read_text().split()
        self.assertEqual(order, [*map(str, range(20)), "last"])
        self.assertEqual([task.get("CreatedAt") for task in tasks], created)
        self.assertEqual({task.get("Attempt") for task in tasks}, {1})
        self.assertEqual(first.wait(), ("succeeded", 0))

    def test_cancelled_before_the_crash(self):
        first, tasks = self.queue(3)
        tasks[1].cancel()
        self.session.restart()
        self.assertEqual(tasks[1].get("State"), "cancelled")
        self.open_gate(first)
        self.session.wait(tasks)
        self.assertEqual(pathlib.Path(f"{self.side}.order").read_text().split(), ["0", "2"])
        self.assertEqual(first.wait(), ("succeeded", 0))

    def test_queue_timeout_passes(self):
        first = self.begun(self.pause)
        due = self.session.shell(f"echo {0} >>{self.side}.order", queue_timeout=300 * MSEC)
        later = self.session.shell(f"echo {1} >>{self.side}.order", queue_timeout=600 * SEC)
        self.session.crash()
        time.sleep(0.4)  # what passes is time
        self.session.start_daemon()
        self.assertTrueEnd(due, "timed-out", -1, "^queue-timeout: .*300ms", attempt=0)
        self.open_gate(first)
        self.assertTrueEnd(later, "succeeded", 0)
        self.assertEqual(pathlib.Path(f"{self.side}.order").read_text().split(), ["1"])
        self.assertEqual(first.wait(), ("succeeded", 0))

    def test_unique_keys_are_known(self):
        first = self.begun(self.pause, unique="one")
        waits = self.session.shell("exit 0", unique="two")
        self.session.restart()
        self.assertEqual(self.session.shell("exit 1", unique="one").id, first.id)
        self.assertEqual(self.session.shell("exit 1", unique="two").id, waits.id)
        self.open_gate(first)
        self.session.wait([first, waits])
        self.assertNotEqual(self.session.shell("exit 1", unique="one").id, first.id)


class ThreadTest(TakeUpTestCase):
    def test_interrupted_or_restarted(self):
        fails = self.session.start("countdown", {"step_ms": 100000})
        again = self.session.start("countdown", {"steps": 4, "step_ms": 300}, on_interrupt="restart")
        short = self.session.start("noop")
        for task in (fails, again):
            task.wait_state("running")
        short.wait()
        self.session.restart()
        self.assertEqual(fails.wait(), ("interrupted", -1))
        self.assertEqual(again.wait(), ("succeeded", 0))
        self.assertEqual(again.get("Attempt"), 2)
        self.assertTrueEnd(fails, "interrupted", -1, "longrund")
        self.assertTrueEnd(again, "succeeded", 0, attempt=2)
        self.assertTrueEnd(short, "succeeded", 0)

    def test_a_cancelled_one_is_not_restarted(self):
        """Cancel was answered; whether the thread saw it or not, it does not begin anew."""
        for _ in range(3):
            task = self.session.start("countdown", {"step_ms": 100000}, on_interrupt="restart")
            task.wait_state("running")
            task.cancel()
            self.session.restart()
            self.assertEqual(task.wait()[0], "cancelled")


class ThreadQueueTest(TakeUpTestCase):
    ARGUMENTS = ("--max-parallel=1",)

    def trace(self):
        numbers = struct.iter_unpack("=Q", (self.session.runtime / "threads").read_bytes())
        return {number for number, in numbers}

    def test_daemons_that_cannot_write(self):
        """It begins while the disk has no more than the claim, and so has the daemon after the next."""
        first, task = self.session.start_many([("command", {"argv": ["sh", "-c", self.pause]}),
                                               ("countdown", {"params": '{"step_ms": 100000}'})])
        with contextlib.closing(sqlite3.connect(self.session.state / "longrun.db", isolation_level=None)) as db:
            row = ("SELECT state FROM task WHERE id = ?", (task.id,))
            until(lambda: db.execute(*row).fetchone() == ("starting",), "it is not claimed")
            db.execute("BEGIN IMMEDIATE")
            self.open_gate(first)
            until(lambda: task.id in self.trace(), "it does not begin")
            self.session.restart()
            self.session.crash()
            self.assertEqual(db.execute(*row).fetchone(), ("starting",))
        self.session.start_daemon()
        self.assertEqual(first.wait(), ("succeeded", 0))
        self.assertTrueEnd(task, "interrupted", -1, "longrund")


class SignalsTest(TakeUpTestCase):
    def test_go_on(self):
        script = (f"seq 5000; {self.pause}; echo after; systemd-notify --status=there X_LONGRUN_DONE=3 X_LONGRUN_TOTAL=4;"
                  f" {self.pause}")
        task = self.begun(script)
        until(lambda: task.get("LogSize") == len("".join(f"{i}\n" for i in range(1, 5001))), "not all was printed")
        size = task.get("LogSize")
        self.session.crash()
        self.session.dispatch()
        old = len(self.session.signals)
        self.session.start_daemon()
        self.open_gate(task)

        def new(member):
            return [s.args for s in self.session.signals[old:] if s.path == task.path and s.member == member]

        self.session.wait_until(lambda: new("Status") and new("Progress"), "status and progress")
        self.assertEqual(new("Status")[-1], ("there",))
        self.assertEqual(new("Progress")[-1], (0.75, 3, 4, ""))
        self.session.wait_until(lambda: any(line[2] == "after" for args in new("Log") for line in args[1]), "the line")
        told = [line[2] for args in new("Log") for line in args[1]]
        self.assertLessEqual(len(told), 20, "old lines are told again")
        self.assertGreaterEqual(new("Log")[-1][0], size - 100)
        # Status and progress last over another one.
        self.session.restart()
        until(lambda: task.get("Status") == "there", "the status is lost")
        self.assertEqual((task.get("Progress"), task.get("Done"), task.get("Total")), (0.75, 3, 4))
        self.open_gate(task)
        self.assertEqual(task.finished()[:2], ("succeeded", 0))

    def test_of_an_end_meanwhile(self):
        """Who has waited for it through a monitor of the bus hears of it from the next daemon, once."""
        task = self.begun(f"{self.pause}; exit 3")
        self.session.crash()
        self.open_gate(task)
        self.wait_ended(task)
        self.session.start_daemon()
        self.session.dispatch()
        self.assertEqual(task.wait(), ("failed", 3))
        self.session.restart()
        self.assertLessEqual(len(task.signals("Finished")), 1)


if __name__ == "__main__":
    main()
