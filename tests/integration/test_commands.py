#!/usr/bin/python3
"""Commands over the bus: how they are started, and how they end.

    LONGRUND=PATH test_commands.py
"""

import json
import os
import pathlib
import signal
import textwrap
import time

from command_testing import PYTHON, CommandTestCase
from daemon_testing import SOON_SEC, DBusError, main
from process_testing import wait_gone


class ProcessTestCase(CommandTestCase):
    def script(self, name, text, mode=0o755):
        path = self.session.base / name
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        path.chmod(mode)
        return str(path)

    def listener(self, name, code):
        """Text of a Python program: two processes, the child in a session of its own, that each print a word for every
        signal of that name that they get, up to 0.1 s after the first."""
        return textwrap.dedent(f"""\
            import os, signal, sys
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.{name}])
            child = os.fork()
            if not child:
                os.setsid()
            with open({self.fifo.path!r}, "w") as f:
                f.write("ready\\n")
            while signal.sigtimedwait([signal.{name}], 0.1 if "got" in globals() else 1000):
                got = os.write(1, b"parent\\n" if child else b"child\\n")
            if child:
                os.wait()
                sys.exit({code})
            """)

    def pid(self, task):
        """Of the command, once the daemon knows it."""
        self.session.settles(lambda: task.get("Pid"), "no process")
        return task.get("Pid")


class EndTest(ProcessTestCase):
    def test_exit_codes(self):
        for code in (0, 1, 3, 255):
            with self.subTest(code=code):
                task = self.session.shell(f"exit {code}")
                self.assertEnds(task, "succeeded" if code == 0 else "failed", code, f"^exit code {code}$")
                self.assertEqual(task.get("ExitSignal"), 0)

    def test_signals(self):
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
            with self.subTest(signal=number.name):
                task = self.session.shell(f"kill -{number.value} $$")
                self.assertEnds(task, "failed", 128 + number, rf"^ended by signal {number.value} \({number.name}\)$")
                self.assertEqual(task.get("ExitSignal"), number)

    def test_what_cannot_be_executed(self):
        plain = self.script("plain", "#!/bin/sh\n", 0o644)
        no_header = self.script("no-header", "echo x\n")
        no_interpreter = self.script("no-interpreter", "#!/nonexistent/interpreter\n")
        cases = [
            (["no-such-program"], {}, 127, "no-such-program: not found in PATH"),
            (["/nonexistent/program"], {}, 127, "/nonexistent/program: no such program"),
            (["./program"], {"cwd": "/"}, 127, r"\./program: no such program"),
            ([no_interpreter], {}, 127, "no-interpreter"),
            ([plain], {}, 126, "cannot execute .*/plain: Permission denied"),
            ([str(self.session.base)], {}, 126, "cannot execute .*: Permission denied"),
            ([no_header], {}, 126, "no-header: not a program .*#!"),
            ([f"{plain}/x"], {}, 126, "cannot execute|no such program"),
            (["true"], {"cwd": "/nonexistent"}, 127, "working directory /nonexistent: No such file"),
            (["sh", "-c", ":"], {"env": ["PATH=/nonexistent"]}, 127, "sh: not found in PATH"),
            (["x" * 300], {}, 126, "File name too long"),
        ]
        for argv, options, code, message in cases:
            with self.subTest(argv=argv, **options):
                task = self.session.command(*argv, **options)
                state, got, said = task.finished()
                self.assertEqual(state, "failed")
                self.assertRegex(said, message)
                if "|" not in message:
                    self.assertEqual(got, code)
                self.assertEqual((task.get("Pid"), task.get("LogSize"), task.get("ExitSignal")), (0, 0, 0))

    def test_a_background_child_keeps_the_task_running(self):
        task = self.session.shell(
            f'(exec 9>{self.fifo.path}; echo $$ >&9; {self.pause}; echo late; exit 9) & echo soon; exit 3')
        self.fifo.read_line()
        self.session.settles(lambda: task.get("Reason"), "no reason")
        self.assertRegex(task.get("Reason"), "the command has ended; 1 process")
        self.assertEqual(task.get("State"), "running")
        self.session.dispatch()
        self.assertEqual(task.signals("Finished"), [])
        self.go_on()
        # The end is the command's; the output is everybody's.
        self.assertEnds(task, "failed", 3, "^exit code 3$")
        self.assertEqual(task.read_log(), b"soon\nlate\n")
        self.assertTrue(self.fifo.is_closed())

    def test_it_closes_its_output_and_lives_on(self):
        task = self.session.shell(f"echo before; exec >&- 2>&-; echo closed >{self.fifo.path}; {self.pause}; exit 7")
        self.fifo.read_line()
        task.wait_state("running")
        self.assertEqual(task.get("State"), "running")
        self.go_on()
        self.assertEnds(task, "failed", 7)
        self.assertEqual(task.read_log(), b"before\n")

    def test_orphans_are_gone_before_finished(self):
        """Children in sessions of their own, twice forked; the command itself ends at once."""
        held = f"exec 9>{self.fifo.path}; echo here >&9; exec sleep 1000"
        task = self.session.shell(f"setsid -f sh -c '{held}'; setsid -f sh -c 'setsid -f sh -c \"{held}\"'; (({held}) &)")
        for _ in range(3):
            self.fifo.read_line()
        self.session.settles(lambda: "the command has ended; " in task.get("Reason"), "no reason")
        task.cancel()
        self.assertEnds(task, "cancelled", 0, "cancelled")
        self.assertTrue(self.fifo.is_closed(), "a process of the task has outlived it")


class CancelTest(ProcessTestCase):
    def test_sigterm_to_every_process(self):
        task = self.session.command(PYTHON, "-c", self.listener("SIGTERM", 5))
        for _ in range(2):
            self.fifo.read_line()
        begin = time.monotonic()
        task.cancel()
        self.assertEnds(task, "cancelled", 5, "^cancelled: exit code 5$")
        self.assertLess(task.signals("Finished")[0].time - begin, SOON_SEC)
        self.assertEqual(sorted(task.read_log().split()), [b"child", b"parent"])

    def test_sigkill_after_the_stop_timeout(self):
        """For those that ignore SIGTERM, in a session of their own too."""
        stubborn = f"trap \"\" TERM; exec 9>{self.fifo.path}; echo ready >&9; while :; do sleep 1000; done"
        task = self.session.shell(f"setsid sh -c '{stubborn}' & {stubborn}", stop_timeout=600000)
        for _ in range(2):
            self.fifo.read_line()
        begin = time.monotonic()
        task.cancel()
        self.assertEqual(task.get("State"), "cancelling")
        self.assertFalse(self.fifo.is_closed())
        task.cancel()  # again: nothing new, and no new timeout
        self.assertEnds(task, "cancelled", 137, "^cancelled: killed, for it did not end within 600ms of SIGTERM$")
        self.assertTrue(self.fifo.is_closed(), "a process of the task has outlived it")
        self.assertTrue(0.6 <= task.signals("Finished")[0].time - begin < SOON_SEC)

    def test_sigkill_at_once(self):
        task = self.session.shell(f"trap '' TERM; echo x >{self.fifo.path}; while :; do sleep 1000; done", stop_timeout=0)
        self.fifo.read_line()
        begin = time.monotonic()
        task.cancel()
        self.assertEnds(task, "cancelled", 137)
        self.assertLess(task.signals("Finished")[0].time - begin, SOON_SEC)

    def test_a_stopped_process(self):
        task = self.session.shell(f"trap 'exit 6' TERM; echo x >{self.fifo.path}; kill -STOP $$; exit 1")
        self.fifo.read_line()
        pid = self.pid(task)
        self.session.settles(lambda: "T (stopped)" in pathlib.Path(f"/proc/{pid}/status").read_text(), "not stopped")
        task.cancel()
        self.assertEnds(task, "cancelled", 6)

    def test_a_process_that_forks_against_it(self):
        script = self.script("forks", f"""\
            #!{PYTHON}
            import os, signal, time
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.open({self.fifo.path!r}, os.O_WRONLY)
            print("ready", flush=True, file=open({self.fifo.path!r}, "w"))
            while True:
                if os.fork() == 0:
                    os.setsid()
                    time.sleep(0.02)
                else:
                    os._exit(0)
            """)
        task = self.session.command(script, stop_timeout=100000)
        self.fifo.read_line()
        task.cancel()
        state, _, _ = task.finished()
        self.assertEqual(state, "cancelled")
        self.assertTrue(self.fifo.is_closed(), "a process of the task has outlived it")

    def test_whatever_the_moment(self):
        """Commands that end by themselves about when they are cancelled."""
        seen = set()
        for i in range(200):
            task = self.session.command("true") if i % 2 else self.session.command("sleep", f"0.00{i % 9}")
            for _ in range(i % 7):
                self.session.get("Running")
            told = True
            try:
                task.cancel()
            except DBusError as error:
                self.assertEqual(error.name, "NotRunning")
                told = False
            state, code = task.wait()
            seen.add((told, state, code))
            if state == "succeeded":
                self.assertEqual((code, task.get("Message")), (0, "exit code 0"))
            else:
                self.assertTrue(told)
                self.assertEqual(state, "cancelled")
                self.assertIn(code, (-1, 0, 143))
        self.assertTrue({"succeeded", "cancelled"} <= {state for _, state, _ in seen}, seen)

    def test_too_late(self):
        """The command has ended and only its end has not been told yet: the cancel does not change it."""
        task = self.session.shell(f"echo $PPID >{self.fifo.path}; {self.pause}")
        shim = int(self.fifo.read_line())
        pid = self.pid(task)
        os.kill(shim, signal.SIGSTOP)
        self.go_on()
        self.session.settles(lambda: "Z (zombie)" in pathlib.Path(f"/proc/{pid}/status").read_text(), "not ended")
        task.cancel()
        os.kill(shim, signal.SIGCONT)
        self.assertEnds(task, "succeeded", 0, "^exit code 0$")
        with self.assertError("NotRunning", "ended already: succeeded"):
            task.cancel()
        with self.assertError("NotRunning", "ended already: succeeded"):
            self.session.call("Cancel", "(at)", [task.id])


class KillTest(ProcessTestCase):
    def test_every_process_gets_the_signal(self):
        task = self.session.command(PYTHON, "-c", self.listener("SIGUSR1", 4))
        for _ in range(2):
            self.fifo.read_line()
        task.call("Kill", "(i)", signal.SIGUSR1)
        self.assertEnds(task, "failed", 4)
        self.assertEqual(sorted(task.read_log().split()), [b"child", b"parent"])

    def test_the_end_by_a_signal_is_a_failure(self):
        for isolate in (None, True):
            with self.subTest(isolate=isolate):
                task = (self.session.start("countdown", {"step_ms": 100000}, isolate=True) if isolate else
                        self.session.shell(f"echo x >{self.fifo.path}; exec sleep 1000"))
                task.wait_state("running")
                task.call("Kill", "(i)", signal.SIGKILL)
                self.assertEnds(task, "failed", 137, "SIGKILL")
                with self.assertError("NotRunning", "ended already: failed"):
                    task.call("Kill", "(i)", signal.SIGKILL)

    def test_no_number(self):
        task = self.session.command("sleep", "1000")
        for number in (0, -1, 65, 99, 1 << 30, -(1 << 31)):
            with self.assertError("InvalidOption", rf"^{number} is not a signal: give a number from 1 to 64"):
                task.call("Kill", "(i)", number)
        self.assertIn(task.get("State"), ("starting", "running"))

    def test_a_thread_has_no_process(self):
        task = self.session.start("countdown", {"step_ms": 100000})
        with self.assertError("NotRunning", "thread .*isolate"):
            task.call("Kill", "(i)", signal.SIGTERM)


class SurroundingsTest(ProcessTestCase):
    def new_session(self, *args, **kwargs):
        return super().new_session(*args, **kwargs, environment={
            "OF_DAEMON": "1", "LISTEN_PID": "1", "LISTEN_FDS": "3", "INVOCATION_ID": "x", "JOURNAL_STREAM": "1:2",
            "LONGRUN_TASK_ID": "77", "LONGRUN_OTHER": "x", "DBUS_STARTER_ADDRESS": "x"})

    def environment(self, **options):
        task = self.session.command("env", "-0", **options)
        self.assertEnds(task, "succeeded", 0)
        pairs = [entry.partition("=")[::2] for entry in task.read_log().decode().split("\0")[:-1]]
        self.assertEqual(len(dict(pairs)), len(pairs))
        folder = str(self.session.runtime / f"task-{task.id}")
        own = {"LONGRUN_TASK_ID": str(task.id), "LONGRUN_RESULT": f"{folder}/result", "NOTIFY_SOCKET": f"{folder}/notify",
               "LONGRUN_RESULT_MAX": str(1 << 20), "LONGRUN_ATTEMPT": "1"}
        got = dict(pairs)
        self.assertEqual({name: got.pop(name) for name in own}, own)
        return got

    def test_environment(self):
        base = {name: value for name, value in self.session.env.items()
                if not name.startswith(("LISTEN_", "LONGRUN_")) and
                name not in ("INVOCATION_ID", "JOURNAL_STREAM", "DBUS_STARTER_ADDRESS")}
        self.assertEqual(self.environment(), base)
        more = {"NEW": "a=b c", "HOME": "/other", "EMPTY": ""}
        strings = [f"{name}={value}" for name, value in more.items()]
        self.assertEqual(self.environment(env=[*strings, "NOTIFY_SOCKET=/x"]), base | more)
        self.assertEqual(self.environment(env=[*strings, "PATH=/bin:/usr/bin"], clear_env=True),
                         more | {"PATH": "/bin:/usr/bin"})

    def test_path_and_folder(self):
        folder = self.session.base / "programs"
        folder.mkdir()
        program = folder / "my-program"
        program.write_text('#!/bin/sh\necho "$0 in $(pwd)"; umask\n', encoding="utf-8")
        program.chmod(0o755)
        by_path = self.session.command("my-program", env=[f"PATH=/nonexistent:{folder}:/usr/bin:/bin"], cwd="/usr")
        by_folder = self.session.command("./my-program", cwd=str(folder), umask=0o077)
        self.session.wait([by_path, by_folder])
        self.assertEqual(by_path.read_log().decode(), f"{program} in /usr\n0022\n")
        self.assertEqual(by_folder.read_log().decode(), f"./my-program in {folder}\n0077\n")

    def test_the_folder_is_made_by_the_task_before(self):
        self.session.set_max_parallel(1)
        folder = self.session.base / "made"
        tasks = [self.session.command("mkdir", str(folder)), self.session.command("pwd", cwd=str(folder))]
        self.session.wait(tasks)
        self.assertEqual(tasks[1].read_log().decode(), f"{folder}\n")

    def test_descriptors_signals_session(self):
        script = self.script("look", f"""\
            #!{PYTHON}
            import json, os, re
            status = open("/proc/self/status").read()
            print(json.dumps({{
                "fds": sorted(int(n) for n in os.listdir("/proc/self/fd"))[:-1],
                "stdin": os.readlink("/proc/self/fd/0"),
                "blocked": int(re.search(r"SigBlk:\\t(.*)", status).group(1), 16),
                "leader": os.getsid(0) == os.getpid(),
                "terminal": os.path.exists("/dev/tty") and os.isatty(1),
            }}))
            """)
        task = self.session.command(script)
        self.assertEnds(task, "succeeded", 0)
        self.assertEqual(json.loads(task.read_log()),
                         {"fds": [0, 1, 2], "stdin": "/dev/null", "blocked": 0, "leader": True, "terminal": False})
        task = self.session.command("grep", "SigIgn", "/proc/self/status")
        self.assertEnds(task, "succeeded", 0)
        # But for the two that posix_spawn(3) of glibc keeps for itself.
        self.assertEqual(int(task.read_log().split()[1], 16) & ~(1 << 31 | 1 << 32), 0)

    def test_argv_as_it_is(self):
        argv = ["", " ", "a b", "*", "$HOME", "'\"\\", "é\n", "-n", "x" * 100000]
        task = self.session.command("printf", "%s\\0", *argv)
        self.assertEnds(task, "succeeded", 0)
        self.assertEqual(task.read_log().decode().split("\0")[:-1], argv)
        task = self.session.start("command", argv=["printf", "x"])
        self.assertEnds(task, "succeeded", 0)
        self.assertEqual(task.read_log(), b"x")


class ShimLostTest(ProcessTestCase):
    def test_its_processes_end_and_others_go_on(self):
        held = f"exec 9>{self.fifo.path}; echo $PPID >&9; setsid sh -c \"trap '' TERM; sleep 1000\" & exec sleep 1000"
        task = self.session.shell(held)
        other = self.session.shell(f"{self.pause}; echo fine")
        isolated = self.session.start("countdown", {"steps": 3, "step_ms": 300}, isolate=True)
        shim = int(self.fifo.read_line())
        self.session.settles(lambda: len(pathlib.Path(f"/proc/{shim}/task/{shim}/children").read_text().split()) == 1,
                             "no child")
        os.kill(shim, signal.SIGKILL)
        self.assertEnds(task, "interrupted", -1, "longrun-shim, was killed")
        self.assertTrue(self.fifo.is_closed(), "a process of the task has outlived it")
        self.go_on()
        self.assertEnds(other, "succeeded", 0)
        self.assertEqual(other.read_log(), b"fine\n")
        self.assertEnds(isolated, "succeeded", 0)
        self.assertFalse((self.session.runtime / f"task-{task.id}").exists(), "its folder is left")

    def test_during_a_cancel(self):
        task = self.session.shell(f"trap '' TERM; echo $PPID >{self.fifo.path}; while :; do sleep 1000; done")
        shim, pid = int(self.fifo.read_line()), self.pid(task)
        task.cancel()
        os.kill(shim, signal.SIGKILL)
        self.assertEnds(task, "cancelled", -1)
        wait_gone(pid, 0.1)


if __name__ == "__main__":
    main()
