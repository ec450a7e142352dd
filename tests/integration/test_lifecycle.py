#!/usr/bin/python3
"""How longrund comes and goes: options, configuration, the second one, its end in all ways, and what stays.

    LONGRUND=PATH test_lifecycle.py
"""

import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import time

from daemon_testing import DaemonTestCase, DBusError, Task, main, options_of, sanitized
from longrun_testing import DEADLINE_SEC, Gate
from process_testing import is_gone


def longrund(*arguments, env):
    """Runs it to its end, which must come soon."""
    return subprocess.run([os.environ["LONGRUND"], *arguments], env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=DEADLINE_SEC, check=False)


class OptionsTest(DaemonTestCase):
    ARGUMENTS = ()

    def new_session(self, *args, **kwargs):
        return super().new_session(*args, **kwargs, start=False)

    def check(self, arguments, code, text, **env):
        """Of a longrund that does not start."""
        environment = {name: value for name, value in (self.session.env | env).items() if value is not None}
        r = longrund(*arguments, env=environment)
        self.assertEqual(r.returncode, code, r)
        self.assertRegex(r.stderr, text)
        self.assertEqual(r.stdout, "")

    def test_help_and_version(self):
        r = longrund("--help", env=self.session.env)
        self.assertEqual((r.returncode, r.stderr), (0, ""))
        for option in ("--config", "--state-dir", "--max-parallel", "--help", "--version"):
            self.assertIn(option, r.stdout)
        r = longrund("--version", env=self.session.env)
        self.assertEqual((r.returncode, r.stderr), (0, ""))
        self.assertRegex(r.stdout, r"^longrund \d+\.\d+\.\d+\n$")

    def test_bad_options(self):
        self.check(["--nonsense"], 2, "nonsense")
        self.check(["--config"], 2, "requires an argument")
        self.check(["make", "all"], 2, 'takes no arguments, but got "make"; .*longrun start -- make')
        for number in ("many", "-1", "1.5", "", "4294967296"):
            self.check([f"--max-parallel={number}"], 2, "--max-parallel wants a number of tasks")

    def test_bad_places(self):
        self.check(["--config=/nonexistent/file"], 1, "Cannot read the configuration /nonexistent/file: No such file")
        self.check(["--state-dir=relative"], 1, "must be absolute: relative")
        self.check([], 1, "Cannot make the folder /dev/null/longrun", XDG_STATE_HOME="/dev/null")
        self.check([], 1, "set HOME or XDG_STATE_HOME", XDG_STATE_HOME=None, HOME=None)
        long = self.session.base / ("x" * 100)
        long.mkdir()
        self.check([], 1, "too long for sockets: set XDG_RUNTIME_DIR", XDG_RUNTIME_DIR=str(long))
        self.check([], 1, "Cannot reach the session bus; set DBUS_SESSION_BUS_ADDRESS",
                   DBUS_SESSION_BUS_ADDRESS="unix:path=/nonexistent/bus")

    def test_bad_configuration(self):
        for text, message in (("[Manager]\nMaxParallel=many\n", "MaxParallel=many .*a number of tasks"),
                              ("[Manager]\nStopTimeoutSec=1 fortnight\n", "StopTimeoutSec=1 fortnight .*time span"),
                              ("[Manager]\nStopTimeoutSec=8d\n", "StopTimeoutSec=8d .*up to a week"),
                              ("[Manager]\nLogMax=-1\n", "LogMax=-1 .*a size"),
                              ("[Manager]\nMaxQueued=99999999999\n", "MaxQueued=99999999999"),
                              ("[Manager\n", "line 1 is neither"), ("\n\nnonsense\n", "line 3 is neither")):
            with self.subTest(text=text):
                self.session.config_path.write_text(text, encoding="utf-8")
                self.check([], 1, f"{self.session.config_path}.*{message}")
        self.session.config_path.write_text("[Manager]\nNonsense=1\n[Other]\nMaxParallel=1\n", encoding="utf-8")
        self.session.start_daemon()
        self.assertIn("unknown key Nonsense= in section [Manager], ignoring", self.session.log())
        self.assertIn("unknown key MaxParallel= in section [Other], ignoring", self.session.log())
        self.assertEqual(self.session.get("MaxParallel"), os.cpu_count())

    def test_places_by_option(self):
        other = self.session.base / "other.conf"
        other.write_text("[Manager]\nMaxParallel=9\nStopTimeoutSec=1500ms\nLogMax=2M\nResultMax=3K\n", encoding="utf-8")
        session = super().new_session(f"--config={other}", f"--state-dir={self.session.base}/elsewhere")
        self.assertEqual(session.get("MaxParallel"), 9)
        task = session.command("echo", "x")
        task.wait()
        self.assertEqual([task.get(name) for name in ("StopTimeout", "LogMax", "ResultMax")],
                         [1500000, 2 << 20, 3 << 10])
        self.assertTrue((self.session.base / f"elsewhere/logs/{task.id}.log").exists())

    def test_without_runtime_folder(self):
        for name in ("XDG_RUNTIME_DIR", "XDG_STATE_HOME"):
            self.session.env.pop(name)
        self.session.state = pathlib.Path(self.session.env["HOME"]) / ".local/state/longrun"
        self.session.runtime = self.session.state / "run"
        self.session.start_daemon()
        task = self.session.shell("echo 5 >$LONGRUN_RESULT; echo x")
        self.assertEqual(task.wait(), ("succeeded", 0))
        self.assertEqual(task.take_result(), 5)
        self.assertTrue((self.session.state / f"logs/{task.id}.log").exists())


class ReloadTest(DaemonTestCase):
    ARGUMENTS = ()
    CONFIG = "[Manager]\nMaxParallel=3\nStopTimeoutSec=7s\n"

    def configure(self, text):
        self.session.config_path.write_text(text, encoding="utf-8")

    def stop_timeout(self):
        return self.session.start("noop").get("StopTimeout")

    def test_reload(self):
        self.assertEqual((self.session.get("MaxParallel"), self.stop_timeout()), (3, 7000000))
        self.configure("[Manager]\nMaxParallel=5\nStopTimeoutSec=2min\n")
        self.session.call("Reload")
        self.assertEqual((self.session.get("MaxParallel"), self.stop_timeout()), (5, 120000000))
        self.session.wait_until(
            lambda: {"MaxParallel": 5} in [s.args[1] for s in self.session.manager_signals("PropertiesChanged")], "news")

        # A bad file changes nothing, not even what is good in it.
        for text in ("[Manager]\nStopTimeoutSec=9s\nMaxParallel=many\n", "[Manager]\nStopTimeoutSec=9s\nnonsense\n"):
            self.configure(text)
            with self.assertError("InvalidOption", f"{self.session.config_path}.*(MaxParallel=many|line 3)"):
                self.session.call("Reload")
            self.assertEqual((self.session.get("MaxParallel"), self.stop_timeout()), (5, 120000000))

        self.session.config_path.unlink()
        self.session.call("Reload")
        self.assertEqual((self.session.get("MaxParallel"), self.stop_timeout()), (os.cpu_count(), 10000000))

    def test_sighup(self):
        self.configure("[Manager]\nMaxParallel=nonsense\n")
        self.session.daemon.send_signal(signal.SIGHUP)
        self.session.settles(lambda: "Kept the configuration as it was: " in self.session.log(), "no word of it")
        self.assertIn("MaxParallel=nonsense", self.session.log())
        self.assertEqual(self.session.get("MaxParallel"), 3)
        self.configure("[Manager]\nMaxParallel=6\n")
        self.session.daemon.send_signal(signal.SIGHUP)
        self.session.wait_until(
            lambda: {"MaxParallel": 6} in [s.args[1] for s in self.session.manager_signals("PropertiesChanged")], "news")

    def test_more_slots_start_more_tasks(self):
        tasks = [self.session.start("countdown", {"step_ms": 100000}) for _ in range(5)]
        self.assertEqual(self.session.get("Running"), 3)
        self.configure("[Manager]\nMaxParallel=4\n")
        self.session.call("Reload")
        self.session.settles(lambda: self.session.get("Running") == 4, "the new slot is not taken")
        tasks[4].cancel()


class SecondTest(DaemonTestCase):
    def test_on_the_same_bus(self):
        env = self.session.env | {"XDG_RUNTIME_DIR": str(self.session.base / "other-runtime"),
                                  "XDG_STATE_HOME": str(self.session.base / "other-state")}
        r = longrund(env=env)
        self.assertEqual(r.returncode, 1)
        self.assertRegex(r.stderr, rf"runs on this bus already \(pid {self.session.daemon.pid} owns "
                         r"org\.longrun\.Longrun1\): use that one, or stop it")
        self.assertEqual(self.session.start("noop").wait(), ("succeeded", 0))

    def test_in_the_same_folders(self):
        other_bus = self.new_session(start=False)
        same_state = other_bus.env | {"XDG_STATE_HOME": self.session.env["XDG_STATE_HOME"]}
        same_runtime = other_bus.env | {"XDG_RUNTIME_DIR": self.session.env["XDG_RUNTIME_DIR"]}
        for env, folder in ((same_state, self.session.state), (same_runtime, self.session.runtime),
                            (self.session.env, self.session.state)):
            r = longrund(env=env)
            self.assertEqual(r.returncode, 1)
            self.assertIn(f"Another longrund uses {folder}: end it first", r.stderr)
        self.assertEqual(self.session.start("noop").wait(), ("succeeded", 0))
        # By themselves they get along.
        other_bus.start_daemon()
        self.assertEqual(other_bus.start("noop").wait(), ("succeeded", 0))


class NotifyTest(DaemonTestCase):
    def setUp(self):
        self.sessions = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.socket.close)
        self.socket.bind("")  # an abstract name
        self.socket.settimeout(10)
        name = self.socket.getsockname().decode().replace("\0", "@")
        self.session = self.new_session(environment={"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "400000"})

    def receive(self, text):
        """Reads up to a datagram with that line."""
        deadline = time.monotonic() + 10
        while text not in self.socket.recv(4096).decode().splitlines():
            self.assertLess(time.monotonic(), deadline, f"no {text}")

    def test_ready_status_watchdog_stopping(self):
        self.receive("READY=1")
        self.receive("WATCHDOG=1")
        task = self.session.start("countdown", {"step_ms": 100000})
        self.receive("STATUS=1 running, 0 queued")
        # It is not the task's business.
        environment = self.session.command("env")
        environment.wait()
        self.assertNotIn(b"WATCHDOG", environment.read_log())
        task.cancel()
        task.wait()
        self.receive("STATUS=0 running, 0 queued")
        self.assertEqual(self.session.end_daemon(), 0)
        self.receive("STOPPING=1")


class StopTestCase(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.fifo = self.session.fifo()
        self.gates = 0

    def gated(self, code, **options):
        """A command with a child that no signal to the process group reaches; it ends at open_gate()."""
        self.gates += 1
        gate = Gate(self.session.session, f"gate-{self.gates}")
        self.addCleanup(gate.close)
        task = self.session.shell(f"setsid sleep 1000 & exec 9>{self.fifo.path}; echo up; echo $$ >&9; read -r _ <{gate.path};"
                                  f" echo end; kill $!; exit {code}", **options)
        task.main_pid = int(self.fifo.read_line())
        task.open_gate = gate.end
        return task

    def check_goes_on(self, task, code):
        """Under the daemon that is there now, as if nothing had been."""
        p = task.get_all()
        self.assertEqual((p["State"], p["Pid"], p["Attempt"]), ("running", task.main_pid, 1))
        task.open_gate()
        self.assertEqual(task.wait(), ("failed", code))
        self.assertEqual(task.read_log(), b"up\nend\n")


class TerminationTest(StopTestCase):
    ARGUMENTS = ("--max-parallel=6",)  # as many as run; the others wait

    def test_sigterm(self):
        self.stop_with_tasks(signal.SIGTERM)

    def test_sigint(self):
        self.stop_with_tasks(signal.SIGINT)

    def stop_with_tasks(self, number):
        commands = [self.gated(3), self.gated(4)]
        cancelling = self.session.shell(f"trap 'echo told' TERM; exec 9>{self.fifo.path}; echo x >&9; "
                                        "while :; do sleep 0.05; done", stop_timeout=2000000)
        self.fifo.read_line()
        isolated = self.session.start("countdown", {"steps": 20, "step_ms": 50}, isolate=True)
        threads = [self.session.start("countdown", {"step_ms": 100000}),
                   self.session.start("countdown", {"steps": 2, "step_ms": 100}, on_interrupt="restart", label="again")]
        for task in (isolated, threads[0], threads[1]):
            task.wait_state("running")
        queued = self.session.start_many([("command", {"argv": ["sh", "-c", "exit 5"]})] * 20)
        cancelling.cancel()
        waiting = self.session.call_later("Wait", "(at)", [threads[0].id])
        began = time.monotonic()
        self.assertEqual(self.session.end_daemon(number), 0)
        self.assertLess(time.monotonic() - began, 4)

        # The thread is asked to stop; what that comes to is told before the daemon goes.
        self.assertEqual(threads[0].finished()[:2], ("interrupted", -1))
        self.assertIn("longrund was stopped", threads[0].finished()[2])
        self.session.wait_until(lambda: waiting, "the reply of Wait")
        self.assertEqual(waiting[0][0], [(threads[0].id, "interrupted", -1)])
        for task in commands + queued:
            self.assertEqual(task.signals("Finished"), [])

        self.session.start_daemon()
        self.assertEqual(threads[0].get("State"), "interrupted")
        for task, code in zip(commands, (3, 4)):
            self.check_goes_on(task, code)
        self.assertEqual({end[1:] for end in self.session.wait(queued)}, {("failed", 5)})
        self.assertEqual({task.get("Attempt") for task in queued}, {1})
        self.assertEqual(isolated.wait(), ("succeeded", 0))
        self.assertEqual(threads[1].wait(), ("succeeded", 0))
        self.assertLessEqual(threads[1].get("Attempt"), 2)
        self.assertEqual(cancelling.wait(), ("cancelled", 137))
        for task in (*commands, *queued, isolated, *threads, cancelling):
            self.session.wait_until(lambda task=task: task.signals("Finished"), "an end")
            self.assertEqual(len(task.signals("Finished")), 1)

    def test_one_that_is_restarted(self):
        task = self.session.start("countdown", {"step_ms": 100000}, on_interrupt="restart")
        task.wait_state("running")
        self.session.restart(signal.SIGTERM)
        self.session.settles(lambda: task.get("State") == "running", "not begun again")
        self.assertEqual(task.get("Attempt"), 2)
        self.assertEqual(task.signals("Finished"), [])

    def test_a_thread_that_heeds_nothing(self):
        """It is held by a debugger: the daemon goes without it, and meanwhile takes on nothing new."""
        if sanitized():
            self.skipTest("the sanitizers want to be its debugger")
        command, thread = self.gated(3), self.session.start("countdown", {"step_ms": 100000})
        thread.wait_state("running")
        held = hold_threads(self.session.daemon.pid, "longrun-pool")
        if not held:
            self.skipTest("no right to trace a process")
        began = time.monotonic()
        self.session.daemon.send_signal(signal.SIGTERM)

        def refused():
            try:
                self.session.start("noop").wait(5)
            except DBusError as error:
                self.assertEqual(error.name, "NotPermitted")
                self.assertRegex(error.message, "longrund is stopping: try again")
                return True

        self.session.settles(refused, "it does not stop")
        with self.assertError("NotPermitted", "longrund is stopping"):
            self.session.start_many([("noop", {})])
        self.session.daemon.send_signal(signal.SIGTERM)  # again: nothing new
        # Who looks still gets an answer.
        self.assertGreaterEqual(self.session.count_tasks().get("running"), 1)
        self.session.wait_until(lambda: thread.signals("Finished"), "the end of the thread")
        self.assertEqual(thread.signals("Finished")[0].args[0], "interrupted")
        self.assertRegex(thread.signals("Finished")[0].args[2], "longrund was stopped, and it did not heed")
        for tid in held:
            os.waitpid(tid, WALL)
        self.assertEqual(self.session.end_daemon(), 0)
        self.assertLess(time.monotonic() - began, 10)
        self.session.start_daemon()
        self.assertEqual(thread.get("State"), "interrupted")
        self.check_goes_on(command, 3)

    def test_with_nothing_to_do(self):
        self.assertEqual(self.session.end_daemon(), 0)
        self.assertEqual(self.session.folders(), [])
        self.session.start_daemon()


PTRACE_SEIZE, PTRACE_INTERRUPT, WALL = 0x4206, 0x4207, 0x40000000


def hold_threads(pid, name):
    """Stops the threads of that name, and no other, until they die; whoever waits for the process has to wait for them.
    Gives their ids."""
    ptrace = ctypes.CDLL(None).ptrace
    ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    held = []
    for path in pathlib.Path(f"/proc/{pid}/task").iterdir():
        if (path / "comm").read_text(encoding="ascii").strip() != name:
            continue
        tid = int(path.name)
        if ptrace(PTRACE_SEIZE, tid, None, None) < 0:
            return []
        ptrace(PTRACE_INTERRUPT, tid, None, None)
        os.waitpid(tid, WALL)
        held.append(tid)
    return held


class BusLostTest(StopTestCase):
    def lose_bus(self):
        self.session.session.bus.kill()
        self.session.session.bus.wait()
        self.assertEqual(self.session.daemon.wait(DEADLINE_SEC), 1)
        self.assertIn("The connection to the bus is lost, stopping", self.session.log())
        self.session.lost_bus()

    def test_bus_killed(self):
        """As with SIGTERM: the daemon goes, and the next one, on another bus, takes up what goes on."""
        command = self.gated(3)
        isolated = self.session.start("countdown", {"steps": 10, "step_ms": 50}, isolate=True)
        thread = self.session.start("countdown", {"step_ms": 100000})
        queued = self.session.start_many([("command", {"argv": ["sh", "-c", "exit 5"]})] * 20)
        thread.wait_state("running")
        self.lose_bus()
        self.assertFalse(is_gone(command.main_pid), "the command is gone with the bus")
        again = self.new_session(environment={name: self.session.env[name] for name in
                                              ("XDG_STATE_HOME", "XDG_RUNTIME_DIR")})
        for task in (command, isolated, thread, *queued):
            task.session = again
        self.check_goes_on(command, 3)
        self.assertEqual(isolated.wait(), ("succeeded", 0))
        self.assertEqual(thread.wait(), ("interrupted", -1))
        self.assertEqual({end[1:] for end in again.wait(queued)}, {("failed", 5)})
        self.assertGreater(again.start("noop").id, queued[-1].id)


class HistoryTest(StopTestCase):
    def test_what_stays(self):
        """Of what has ended, over every way to end a daemon: all."""
        ended = self.session.shell("echo kept; echo 1 >$LONGRUN_RESULT; touch ${LONGRUN_RESULT%/*}/more; exit 3", label="of old",
                                   env=["A=b"], unique="once")
        ended.wait()
        taken = self.session.shell("echo 2 >$LONGRUN_RESULT")
        taken.wait()
        self.assertEqual(taken.take_result(), 2)
        removed = self.session.shell("echo 3")
        removed.wait()
        self.session.call("RemoveTasks", "(at)", [removed.id])
        ended.call("SetLabel", "(s)", "of late")
        before, listed = ended.get_all(), self.session.list_tasks()
        self.assertEqual(before["Label"], "of late")
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
            self.session.restart(number)
            self.assertEqual(self.session.list_tasks(), listed)
            self.assertEqual(ended.get_all(), before)
            self.assertEqual(ended.get("Env"), ["A=b"])
            self.assertEqual(ended.read_log(), b"kept\n")
            self.assertFalse(taken.get("HasResult"))
            with self.assertError("NoSuchTask"):
                removed.get("State")
            self.assertEqual(self.session.count_tasks(), {"failed": 1, "succeeded": 1})
            self.assertEqual(self.session.folders(), [])
        self.assertEqual(ended.take_result(), 1)
        self.session.restart()
        self.assertFalse(ended.get("HasResult"))


class IdsTest(DaemonTestCase):
    def test_never_used_again(self):
        last = 0
        for how in (signal.SIGTERM, signal.SIGKILL, signal.SIGKILL, signal.SIGTERM):
            tasks = self.session.start_many([("noop", {})] * 3)
            self.session.wait(tasks)
            self.session.call("RemoveTasks", "(at)", [t.id for t in tasks])
            self.assertEqual([t.id for t in tasks], sorted(t.id for t in tasks))
            self.assertGreater(tasks[0].id, last)
            last = tasks[-1].id
            self.session.end_daemon(how)
            self.session.start_daemon()
        self.assertGreater(self.session.start("noop").id, last)

    def test_many_more_than_a_block(self):
        tasks = self.session.start_many([("noop", {})] * 2500)
        self.assertEqual([t.id for t in tasks], list(range(tasks[0].id, tasks[0].id + 2500)))
        self.session.cancel_all()
        self.session.end_daemon(signal.SIGKILL)
        self.session.start_daemon()
        self.assertGreater(self.session.start("noop").id, tasks[-1].id)

    def test_old_logs_go(self):
        self.session.config_path.write_text("[Manager]\nHistoryMax=2\n", encoding="utf-8")
        tasks = [self.session.command("echo", "x") for _ in range(4)]
        self.session.wait(tasks)
        tasks.sort(key=lambda task: task.get("FinishedAt"))
        self.session.end_daemon()
        self.session.start_daemon()
        self.session.settles(lambda: len(list((self.session.state / "logs").glob("*.log"))) == 2, "logs stay")
        self.session.settles(lambda: len(self.session.list_tasks()[0]) == 2, "tasks stay")
        self.assertEqual([task["id"] for task in self.session.list_tasks()[0]], sorted(task.id for task in tasks[2:]))


class RemovedWhileStoppingTest(DaemonTestCase):
    def test_a_flood_up_to_the_end(self):
        """Calls that come while the daemon goes are answered, or fail by name; nothing hangs and nothing stays."""
        replies = []
        for i in range(3000):
            replies.append(self.session.call_later("Start", "(sa{sv})", "command", options_of(argv=["true"])))
            if i == 1000:
                self.session.daemon.send_signal(signal.SIGTERM)
        self.assertEqual(self.session.daemon.wait(DEADLINE_SEC), 0)
        self.session.wait_until(lambda: all(replies), "all replies")
        names = {r[0].name for r in replies if isinstance(r[0], DBusError)}
        self.assertLessEqual(names, {"NotPermitted", "org.freedesktop.DBus.Error.NoReply",
                                     "org.freedesktop.DBus.Error.ServiceUnknown",
                                     "org.freedesktop.DBus.Error.NameHasNoOwner"})
        started = {r[0][0] for r in replies if not isinstance(r[0], DBusError)}
        self.session.end_daemon()
        # What was accepted is there, and has its end.
        self.session.start_daemon()
        ends = self.session.wait([Task(self.session, number) for number in sorted(started)])
        self.assertEqual({end[1:] for end in ends}, {("succeeded", 0)})
        self.assertEqual({task["attempt"] for task in self.session.list_tasks(fields=["attempt"], limit=1000)[0]}, {1})


if __name__ == "__main__":
    main()
