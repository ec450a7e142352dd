#!/usr/bin/python3
"""How longrund comes and goes: options, configuration, the second one, its end in all ways, and what stays.

    LONGRUND=PATH test_lifecycle.py
"""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import time

from daemon_testing import (PROPERTIES, DaemonTestCase, DBusError, Task, children, command_line, main, options_of,
                            wait_gone)
from longrun_testing import DEADLINE_SEC, Gate


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
        self.session.state.mkdir(parents=True, exist_ok=True)
        (self.session.state / "next-id").write_text("nonsense\n")
        self.check([], 1, "next-id does not hold a sensible number: put one in")

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
        self.session.start_daemon()
        task = self.session.shell("echo 5 >$LONGRUN_RESULT; echo x")
        self.assertEqual(task.wait(), ("succeeded", 0))
        self.assertEqual(task.take_result(), 5)
        home = pathlib.Path(self.session.env["HOME"])
        self.assertTrue((home / f".local/state/longrun/logs/{task.id}.log").exists())


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
        self.assertEqual(self.session.get("Running"), 4)
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
        self.gate = Gate(self.session.session)
        self.addCleanup(self.gate.close)
        # Says that it has begun, and holds the fifo open as long as it lives.
        self.hold = f"exec 9>{self.fifo.path}; echo $$ $PPID >&9; exec sleep 1000"

    def folders(self):
        return list(self.session.runtime.glob("task-*"))


class TerminationTest(StopTestCase):
    ARGUMENTS = ("--max-parallel=6",)  # as many as run; the others wait

    def test_running_and_queued_tasks(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number.name):
                self.session = self.new_session(*self.ARGUMENTS)
                self.fifo = self.session.fifo("held")
                self.stop_with_tasks(number)

    def stop_with_tasks(self, number):
        hold = f"exec 9>{self.fifo.path}; echo x >&9; exec sleep 1000"
        running = [
            self.session.shell(hold),
            self.session.shell(f"setsid sh -c '{hold}' & {hold}"),
            self.session.shell(f"trap 'echo told; exit 3' TERM; exec 9>{self.fifo.path}; echo x >&9; sleep 1000 & wait"),
            self.session.shell(f"trap '' TERM; {hold}; :", stop_timeout=300000),
            self.session.start("countdown", {"step_ms": 100000}),
            self.session.start("countdown", {"step_ms": 100000}, isolate=True),
        ]
        for _ in range(5):
            self.fifo.read_line()
        for task in running[4:]:
            task.wait_state("running")
        queued = self.session.start_many([("noop", {})] * 20)
        tasks = running + queued
        waiting = self.session.call_later("Wait", "(at)", [t.id for t in tasks])
        self.session.get("Running")
        self.assertEqual(self.session.end_daemon(number), 0)
        self.assertTrue(self.fifo.is_closed(), "a process of a task has outlived longrund")

        self.session.wait_until(lambda: waiting, "the reply of Wait")
        self.session.wait_until(lambda: self.session.manager_signals("GroupFinished"), "GroupFinished")
        for task in tasks:
            self.assertEqual([s.args[0] for s in task.signals("Finished")], ["interrupted"])
            self.assertEqual(task.signals()[-1].member, "Finished")
        self.assertEqual([t[:2] for t in waiting[0][0]], [(t.id, "interrupted") for t in tasks])
        self.assertEqual(sorted(t[:2] for t in self.session.batched("TasksFinished")),
                         [(t.id, "interrupted") for t in tasks])
        self.assertEqual(self.session.manager_signals("GroupFinished")[-1].args, ("default", 0, len(tasks)))
        messages = {s.args[2] for t in tasks for s in t.signals("Finished")}
        self.assertTrue(all("longrund" in text for text in messages), messages)
        log = (self.session.state / f"logs/{running[2].id}.log").read_bytes()
        self.assertEqual(log, b"told\n")

    def test_nothing_new_while_it_stops(self):
        task = self.session.shell(f"trap '' TERM; echo x >{self.fifo.path}; {self.gate_wait()}")
        cancelled = self.session.shell(f"trap '' TERM; echo x >{self.fifo.path}; {self.gate_wait()}")
        for _ in range(2):
            self.fifo.read_line()
        cancelled.cancel()
        self.session.daemon.send_signal(signal.SIGTERM)
        self.session.settles(lambda: task.get("State") == "cancelling", "not told")
        self.session.daemon.send_signal(signal.SIGTERM)  # again: nothing new
        for call in (lambda: self.session.start("noop"), lambda: self.session.start_many([("noop", {})])):
            with self.assertError("NotPermitted", "longrund is stopping: try again"):
                call()
        # Who looks still gets an answer.
        self.assertEqual(self.session.count_tasks(), {"cancelling": 2})
        with contextlib.suppress(DBusError):
            self.session.call("Reload")
        task.call("Kill", "(i)", signal.SIGKILL)
        cancelled.call("Kill", "(i)", signal.SIGKILL)
        self.session.wait_until(lambda: task.signals("Finished") and cancelled.signals("Finished"), "both ends")
        self.assertEqual(task.signals("Finished")[0].args[0], "interrupted")
        self.assertEqual(cancelled.signals("Finished")[0].args[0], "cancelled")
        self.assertEqual(self.session.daemon.wait(DEADLINE_SEC), 0)
        self.session.end_daemon()

    def gate_wait(self):
        return f"while :; do read -r _ <{self.gate.path}; done"

    def test_one_that_ends_by_itself_meanwhile(self):
        """The command has ended, and the daemon does not know it yet."""
        task = self.session.shell(f"echo $$ $PPID >{self.fifo.path}; read -r _ <{self.gate.path}")
        pid, shim = map(int, self.fifo.read_line().split())
        os.kill(shim, signal.SIGSTOP)
        self.gate.send("")
        self.session.settles(lambda: "Z (zombie)" in pathlib.Path(f"/proc/{pid}/status").read_text(), "not ended")
        self.session.daemon.send_signal(signal.SIGTERM)
        self.session.settles(lambda: task.get("State") == "cancelling", "not told")
        os.kill(shim, signal.SIGCONT)
        self.assertEqual(self.session.end_daemon(), 0)
        self.session.wait_until(lambda: task.signals("Finished"), "the end")
        self.assertEqual(task.signals("Finished")[0].args, ("succeeded", 0, "exit code 0"))

    def test_with_nothing_to_do(self):
        self.assertEqual(self.session.end_daemon(), 0)
        self.assertEqual(self.folders(), [])


class BusLostTest(StopTestCase):
    def test_bus_killed(self):
        task = self.session.shell(f"setsid sh -c '{self.hold}' & {self.hold}")
        isolated = self.session.start("countdown", {"step_ms": 100000}, isolate=True)
        thread = self.session.start("countdown", {"step_ms": 100000})
        shims = {int(self.fifo.read_line().split()[1]) for _ in range(2)}
        self.session.settles(lambda: isolated.get("Pid"), "no process")
        worker = isolated.get("Pid")
        self.assertEqual(thread.get("Pid"), 0)
        self.assertTrue(shims)
        del task
        self.session.session.bus.kill()
        self.session.session.bus.wait()
        code = self.session.daemon.wait(DEADLINE_SEC)
        self.assertEqual(code, 1)
        self.assertTrue(self.fifo.is_closed(), "a process of a task has outlived longrund")
        wait_gone(worker, 0)
        self.assertIn("The connection to the bus is lost, stopping", self.session.log())
        self.session.lost_bus()

    def test_daemon_thrown_off_the_bus_comes_back(self):
        """A new one gets the name, and starts where the ids of the old one end."""
        last = self.session.start("noop").id
        self.session.session.bus.kill()
        self.session.session.bus.wait()
        self.assertEqual(self.session.daemon.wait(DEADLINE_SEC), 1)
        self.session.lost_bus()
        again = self.new_session(environment={name: self.session.env[name] for name in
                                              ("XDG_STATE_HOME", "XDG_RUNTIME_DIR")})
        self.assertGreater(again.start("noop").id, last)


class KilledTest(StopTestCase):
    def only_shim(self):
        """Once those of tasks that have ended are gone."""
        self.session.settles(lambda: len(children(self.session.daemon.pid)) == 1, "not one shim")
        return children(self.session.daemon.pid)[0]

    @staticmethod
    def wait_for(shim):
        """With the daemon gone, it is our child."""
        wait_gone(shim)
        os.waitpid(shim, 0)

    def test_its_tasks_end(self):
        """Nobody can see them any more, so nothing of them runs on."""
        self.session.shell(f"setsid sh -c '{self.hold}' & {self.hold}")
        self.session.shell(f"trap '' TERM; {self.hold}; :", stop_timeout=300000)
        isolated = self.session.start("countdown", {"step_ms": 100000}, isolate=True)
        for _ in range(3):
            self.fifo.read_line()
        self.session.settles(lambda: isolated.get("Pid"), "no process")
        shims = children(self.session.daemon.pid)
        self.assertEqual([command_line(p) for p in shims], ["longrun-shim"] * 3)
        worker = isolated.get("Pid")
        self.assertEqual(self.session.end_daemon(signal.SIGKILL), -signal.SIGKILL)
        for pid in shims:
            self.wait_for(pid)
        wait_gone(worker)
        self.assertTrue(self.fifo.is_closed(), "a process of a task has outlived its shim")

    def test_what_stays(self):
        logged = self.session.shell("echo kept; echo 1 >$LONGRUN_RESULT; touch ${LONGRUN_RESULT%/*}/more")
        logged.wait()
        running = self.session.shell(self.hold)
        self.fifo.read_line()
        shim = self.only_shim()
        self.session.end_daemon(signal.SIGKILL)
        self.wait_for(shim)
        self.session.start_daemon()
        # The results of before are out of reach, and out of the way; the logs are for people to read.
        self.assertEqual(self.folders(), [])
        self.assertEqual((self.session.state / f"logs/{logged.id}.log").read_bytes(), b"kept\n")
        self.assertEqual(self.session.list_tasks(), ([], 0))
        for task in (logged, running):
            with self.assertError("NoSuchTask"):
                task.get("State")
        self.assertGreater(self.session.start("noop").id, running.id)

    def test_the_next_one_starts_while_old_tasks_end(self):
        task = self.session.shell(f"trap '' TERM; {self.hold}; :", stop_timeout=700000)
        self.fifo.read_line()
        shim = self.only_shim()
        self.session.end_daemon(signal.SIGKILL)
        self.session.start_daemon()
        new = self.session.shell("echo fresh; echo 2 >$LONGRUN_RESULT")
        self.assertGreater(new.id, task.id)
        self.assertEqual(new.wait(), ("succeeded", 0))
        self.assertFalse(self.fifo.is_closed())
        self.wait_for(shim)
        self.assertTrue(self.fifo.is_closed())
        self.assertEqual(new.take_result(), 2)


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
        self.session.end_daemon()
        self.session.start_daemon()
        logs = {p.name for p in (self.session.state / "logs").glob("*.log")}
        self.assertLessEqual(len(logs), 2)


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
        self.session.wait_until(
            lambda: started <= {t[0] for t in self.session.batched("TasksFinished")}, "the end of each that was started")
        self.session.end_daemon()


if __name__ == "__main__":
    main()
