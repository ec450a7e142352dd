#!/usr/bin/python3
"""What is taken up by the next longrund although more than the last one was lost: supervisors, the keeper, folders, the
machine; and with pauses and limits.

    LONGRUND=PATH test_take_up_lost.py
"""

import contextlib
import os
import shutil
import signal
import sqlite3
import time

from daemon_testing import main
from process_testing import kill, processes_of, until, wait_gone
from take_up_testing import TakeUpTestCase, is_paused

MSEC = 1000
SEC = 1000000


class LostTest(TakeUpTestCase):
    """More than the daemon is lost."""

    def setsid_task(self, **options):
        """A command with a child that no signal to the process group reaches."""
        self.session.base.joinpath("held").unlink(missing_ok=True)
        held = self.session.fifo("held")
        script = (f"exec 9>{held.path}; echo x >>{self.side}; echo $$ >&9; setsid sh -c 'echo child >&9; exec sleep 1000' & "
                  "exec sleep 1000")
        task = self.session.shell(script, **options)
        lines = [held.read_line(), held.read_line()]
        task.main_pid = int(next(line for line in lines if line != "child"))
        return task, held

    def test_the_shim(self):
        """While a daemon looks on, and while none does."""
        for crash in (False, True):
            with self.subTest(crash=crash):
                task, held = self.setsid_task()
                other = self.begun(f"{self.pause}; exit 3")
                shims = self.session.shims()
                if crash:
                    self.session.crash()
                os.kill(shims[task.id], signal.SIGKILL)
                if crash:
                    until(lambda: held.is_closed(), "its processes go on")  # pylint: disable=cell-var-from-loop
                    self.session.start_daemon()
                self.assertEqual(task.wait(), ("interrupted", -1))
                self.assertTrue(held.is_closed(), "a process has outlived the end of its task")
                self.assertTrueEnd(task, "interrupted", -1, "supervisor, longrun-shim, was killed")
                self.open_gate(other)
                self.assertTrueEnd(other, "failed", 3)

    def test_the_shim_and_the_task_is_restarted(self):
        script = (f"{self.begin}; exec 9>>{self.side}.lock; flock -n 9 || echo overlap >>{self.side}; "
                  f"{self.pause}; echo done")
        task = self.session.shell(script, on_interrupt="restart")
        self.fifo.read_line()
        os.kill(self.session.shims()[task.id], signal.SIGKILL)
        self.fifo.read_line()
        self.open_gate(task)
        self.assertTrueEnd(task, "succeeded", 0, attempt=2)
        self.assertEqual(self.side.read_text().split(), ["x", "x"])
        self.assertTrue(task.read_log().endswith(b"done\n"))

    def test_the_keeper(self):
        """Its tasks go on, ends are true, and the next task gets another one."""
        task = self.begun(f"{self.pause}; echo end; exit 3")
        held_task, held = self.setsid_task(stop_timeout=1 * SEC)
        keeper = self.session.keeper()
        os.kill(keeper, signal.SIGKILL)
        wait_gone(keeper)
        new = self.begun(f"{self.pause}; exit 4")
        self.assertNotEqual(self.session.keeper(), keeper)
        self.open_gate(task)
        self.open_gate(new)
        self.assertTrueEnd(task, "failed", 3)
        self.assertTrueEnd(new, "failed", 4)
        held_task.cancel()
        self.assertEqual(held_task.wait()[0], "cancelled")
        self.assertTrue(held.is_closed())
        self.assertEqual(self.starts(), 3)

    def test_the_keeper_and_the_daemon(self):
        runs = self.begun(f"{self.pause}; echo end; exit 3")
        ends = self.begun(f"{self.pause}; exit 4")
        lost, held = self.setsid_task()
        shims, keeper = self.session.shims(), self.session.keeper()
        self.session.crash()
        os.kill(keeper, signal.SIGKILL)
        self.open_gate(ends)
        self.wait_ended(ends)
        os.kill(shims[lost.id], signal.SIGKILL)
        self.session.start_daemon()
        self.assertEqual(ends.wait(), ("failed", 4))
        self.assertEqual(lost.wait(), ("interrupted", -1))
        self.assertTrue(held.is_closed(), "a process has outlived the end of its task")
        self.assertEqual(runs.get("State"), "running")
        self.open_gate(runs)
        self.assertTrueEnd(runs, "failed", 3)

    def on_disk(self, task):
        """The state that its row has."""
        with contextlib.closing(sqlite3.connect(f"file:{self.session.state}/longrun.db?mode=ro", uri=True)) as db:
            return db.execute("SELECT state FROM task WHERE id = ?", (task.id,)).fetchone()[0]

    def reboot(self, forget):
        """No process is left. forget: the runtime folder is empty, as a new tmpfs is; else it lies on a disk, and just
        the session is another."""
        self.session.crash()
        runtime = self.session.env["XDG_RUNTIME_DIR"]
        # The keeper first, lest it sees to the shims.
        for find in (lambda: [self.session.keeper()], lambda: list(self.session.shims().values()),
                     lambda: [p for p in processes_of(runtime) if p != self.session.session.bus.pid]):
            for pid in find():
                kill(pid)
        until(lambda: processes_of(runtime) == [self.session.session.bus.pid], "processes live on")
        if forget:
            shutil.rmtree(self.session.runtime)
        else:
            (self.session.runtime / "session").write_text("00000000-0000-0000-0000-000000000000 0123456789abcdef\n")
        self.session.start_daemon()

    def test_all_by_a_reboot(self):
        for forget in (True, False):
            with self.subTest(forget=forget):
                self.side.unlink(missing_ok=True)
                self.session.set_max_parallel(4)
                fails = self.begun("echo up; exec sleep 1000")
                again = self.begun(f"echo up; {self.pause}; exit 0", on_interrupt="restart")
                thread = self.session.start("countdown", {"step_ms": 100000})
                cancelling = self.begun("while :; do sleep 1; done", "trap '' TERM", on_interrupt="restart")
                cancelling.cancel()
                queued = self.session.shell(f"echo x >>{self.side}")
                # After a power cut a claim looks like a start: it is given back when nothing comes of it for a second.
                time.sleep(1.2)
                until(lambda: self.on_disk(queued) == "queued", "the claim is kept")  # pylint: disable=cell-var-from-loop
                self.reboot(forget)
                self.fifo.read_line()
                self.open_gate(again)
                self.assertEqual(again.wait(), ("succeeded", 0))
                self.assertTrueEnd(again, "succeeded", 0, attempt=2)
                self.assertTrueEnd(fails, "interrupted", -1)
                self.assertTrueEnd(thread, "interrupted", -1)
                # Someone wanted it to end, and it has: it does not begin again.
                self.assertIn(cancelling.wait()[0], ("interrupted", "cancelled"))
                self.assertTrueEnd(queued, "succeeded", 0)
                self.assertEqual(self.starts(), 5)


class PauseTest(TakeUpTestCase):
    def test_command(self):
        task = self.begun("setsid sh -c 'while :; do echo x; sleep 0.02; done' & wait")
        until(lambda: task.get("LogSize") > 4, "it prints nothing")
        task.call("Pause")
        task.wait_state("paused")
        until(lambda: is_paused(task.main_pid), "it goes on")
        size = self.settled_size(task)
        time.sleep(0.1)  # time in which nothing may happen
        self.assertEqual(task.get("LogSize"), size)
        task.call("Pause")  # once more is fine
        self.assertEqual(self.session.count_tasks(), {"paused": 1})
        task.call("Resume")
        until(lambda: task.get("State") == "running", "not resumed")
        until(lambda: task.get("LogSize") > size, "it does not go on")
        task.call("Pause")
        until(lambda: task.get("State") == "paused", "not paused again")
        task.cancel()
        self.assertEqual(task.wait()[0], "cancelled")

    @staticmethod
    def settled_size(task):
        sizes = [-1]

        def same():
            time.sleep(0.1)
            sizes.append(task.get("LogSize"))
            return sizes[-1] == sizes[-2]

        until(same, "it prints on")
        return sizes[-1]

    def test_isolated_kind(self):
        task = self.session.start("countdown", {"steps": 20, "step_ms": 20}, isolate=True)
        until(lambda: task.get("Done") > 0, "no step")
        task.call("Pause")
        until(lambda: task.get("State") == "paused", "not paused")
        done = self.settled_size(task)
        time.sleep(0.1)
        self.assertEqual(task.get("LogSize"), done)
        task.call("Resume")
        self.assertEqual(task.wait(), ("succeeded", 0))

    def test_where_there_is_nothing_to_pause(self):
        ended = self.session.shell("exit 0")
        ended.wait()
        for method in ("Pause", "Resume"):
            with self.assertError("NotRunning"):
                ended.call(method)

    def test_timeouts_stand_still(self):
        task = self.begun(self.pause, timeout=700 * MSEC, idle_timeout=700 * MSEC)
        task.call("Pause")
        until(lambda: task.get("State") == "paused", "not paused")
        time.sleep(1)  # what passes is time
        self.assertEqual(task.get("State"), "paused")
        task.call("Resume")
        self.open_gate(task)
        self.assertEqual(task.wait(), ("succeeded", 0))


class LimitTest(TakeUpTestCase):
    def kinds(self, **options):
        """A task that goes on for long, of each sort."""
        long = {"steps": 1, "step_ms": 100000}
        return {"command": self.session.shell("sleep 1000", **options),
                "isolated": self.session.start("countdown", long, isolate=True, **options),
                "thread": self.session.start("countdown", long, **options)}

    def check(self, state, message, **options):
        for sort, task in self.kinds(**options).items():
            with self.subTest(sort=sort):
                self.assertEqual(task.wait()[0], state)
                self.assertRegex(task.get("Message"), message)
                task.finished()
                self.assertEqual(len(task.signals("Finished")), 1)

    def test_timeout(self):
        self.check("timed-out", r"^timeout: .*3\d\dms, the limit is 300ms", timeout=300 * MSEC)

    def test_idle_timeout(self):
        self.check("timed-out", "^idle-timeout: .*no output and no progress.*the limit is 300ms",
                   idle_timeout=300 * MSEC)

    def test_idle_timeout_of_who_is_not_idle(self):
        tasks = [self.session.shell("for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.2; done", idle_timeout=1 * SEC),
                 self.session.shell("for i in 1 2 3 4 5 6 7 8; do systemd-notify X_LONGRUN_DONE=$i X_LONGRUN_TOTAL=9;"
                                    " sleep 0.2; done", idle_timeout=1 * SEC),
                 self.session.start("countdown", {"steps": 8, "step_ms": 200}, idle_timeout=1 * SEC),
                 self.session.start("countdown", {"steps": 8, "step_ms": 200}, idle_timeout=1 * SEC, isolate=True)]
        self.assertEqual({end[1] for end in self.session.wait(tasks)}, {"succeeded"})

    def test_queue_timeout(self):
        self.session.set_max_parallel(1)
        first = self.begun(self.pause)
        self.check("timed-out", r"^queue-timeout: .*300ms", queue_timeout=300 * MSEC)
        self.open_gate(first)
        first.wait()
        self.assertEqual(self.session.shell("exit 0", queue_timeout=60 * SEC).wait(), ("succeeded", 0))

    EATER = "exec /usr/bin/python3 -c 'x = b\"x\" * (300 << 20); import time; time.sleep(1000)'"

    def test_memory_max(self):
        task = self.session.shell(f"{self.EATER} & wait", memory_max=100 << 20)
        self.assertEqual(task.wait()[0], "failed")
        self.assertRegex(task.get("Message"), r"^memory-max: .*the limit is 100[.0]*M")
        self.assertGreater(task.get("Usage")["memory-peak"], 100 << 20)

    def test_memory_max_counts_all_processes(self):
        part = self.EATER.replace("300", "60").removeprefix("exec ")
        task = self.session.shell(f"setsid {part} & {part} & wait", memory_max=100 << 20)
        self.assertEqual(task.wait()[0], "failed")
        self.assertRegex(task.get("Message"), "^memory-max: ")
        fits = self.session.shell("exit 0", memory_max=100 << 20)
        self.assertEqual(fits.wait(), ("succeeded", 0))

    def test_pids_max(self):
        task = self.session.shell("for i in 1 2 3 4 5 6 7 8 9; do sleep 1000 & done; wait", pids_max=5)
        self.assertEqual(task.wait()[0], "failed")
        self.assertRegex(task.get("Message"), r"^pids-max: .*the limit is 5:")
        self.assertEqual(self.session.shell("true & wait", pids_max=5).wait(), ("succeeded", 0))


if __name__ == "__main__":
    main()
