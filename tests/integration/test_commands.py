#!/usr/bin/python3
"""Commands over the bus: how they are started, what becomes of their output, how they end, what they may tell.

    LONGRUND=PATH test_commands.py
"""

import hashlib
import json
import os
import pathlib
import re
import signal
import textwrap
import time

from daemon_testing import SOON_SEC, DaemonTestCase, DBusError, main
from longrun_testing import Gate
from process_testing import wait_gone

PYTHON = "/usr/bin/python3"


class CommandTestCase(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.gate = Gate(self.session.session)
        self.addCleanup(self.gate.close)
        self.fifo = self.session.fifo()
        # Waits until the test lets it go on.
        self.pause = f"read -r _ <{self.gate.path}"

    def go_on(self):
        self.gate.send("")

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

    def lines(self, task):
        """Stream and text of the lines that the signal Log has brought."""
        return [line[1:] for s in task.signals("Log") for line in s.args[1]]

    def wait_line(self, task, text):
        self.session.wait_until(lambda: any(text in line for _, line in self.lines(task)), f"{text!r} in Log", 10)


class EndTest(CommandTestCase):
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


class CancelTest(CommandTestCase):
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


class KillTest(CommandTestCase):
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


class SurroundingsTest(CommandTestCase):
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


class OutputTest(CommandTestCase):
    def test_streams_and_times(self):
        before = time.time() * 1e6
        task = self.session.shell(f"echo one; echo two >&2; printf 'no newline'; {self.pause}; echo ' ended'; printf rest")
        self.wait_line(task, "two")
        self.assertEqual(sorted(self.lines(task)), [("stderr", "two"), ("stdout", "one")])
        self.go_on()
        self.assertEnds(task, "succeeded", 0)
        self.assertEqual(self.lines(task)[2:], [("stdout", "no newline ended"), ("stdout", "rest")])
        self.assertEqual(sorted(task.read_log()), sorted(b"one\ntwo\nno newline ended\nrest"))
        times = [line[0] for s in task.signals("Log") for line in s.args[1]]
        self.assertTrue(all(before <= t <= time.time() * 1e6 for t in times), times)

    def test_bytes_of_all_sorts(self):
        raw = (b"nul\0byte\n" b"latin \xe4\xf6\n" b"cut \xe2\x82\n" b"\x1b[31mred\x1b[0m \x1b]0;title\x07plain\n"
               b"tab\there\x08\x7f\n" b"50%\rdone\r\n" b"\n" b"noncharacter \xef\xbf\xbf \xef\xb7\x90\n" b"\xf0\x9f\x98\x80\n"
               b"surrogate \xed\xa0\x80\n")
        path = self.session.base / "raw"
        path.write_bytes(raw)
        task = self.session.shell(f"cat {path}; {self.pause}")
        self.wait_line(task, "surrogate")
        self.go_on()
        self.assertEnds(task, "succeeded", 0)
        self.assertEqual(task.read_log(), raw)
        lines = [text for _, text in self.lines(task)]
        self.assertEqual(lines[:7], ["nulbyte", "latin \ufffd\ufffd", "cut \ufffd\ufffd", "red plain", "tab\there", "50%",
                                     "done"])
        self.assertEqual(lines[7], "")
        # What a D-Bus string cannot hold must not take the rest along.
        self.assertTrue(lines[8].startswith("noncharacter"))
        self.assertEqual(lines[9], "\U0001f600")
        self.assertTrue(lines[10].startswith("surrogate \ufffd"))
        self.assertEqual(len(lines), 11)

    def test_a_line_of_a_megabyte(self):
        line = b"0123456789abcdef" * 65536
        path = self.session.base / "line"
        path.write_bytes(line + b"\nshort\n")
        task = self.session.shell(f"cat {path}; {self.pause}")
        self.wait_line(task, "short")
        self.go_on()
        self.assertEnds(task, "succeeded", 0)
        self.assertEqual(task.read_log(), line + b"\nshort\n")
        # Cut, but there, whichever part of it was seen.
        lengths = [len(text.encode()) for _, text in self.lines(task)]
        self.assertEqual(len(lengths), 2)
        self.assertLessEqual(lengths[0], 4096 + 3)
        self.assertGreaterEqual(lengths[0], 4096)

    def test_64_megabytes_at_full_speed(self):
        path = self.session.base / "random"
        digest = hashlib.sha256()
        with open(path, "wb") as f:
            for _ in range(64):
                block = os.urandom(1 << 20)
                digest.update(block)
                f.write(block)
        task = self.session.command("cat", str(path))
        fd = task.open_log()
        self.assertEnds(task, "succeeded", 0)
        self.assertEqual(task.get("LogSize"), 64 << 20)
        with self.assertRaises(OSError):
            os.write(fd, b"x")
        with open(fd, "rb") as f:
            self.assertEqual(hashlib.sha256(f.read()).hexdigest(), digest.hexdigest())
        self.assertEqual(hashlib.sha256(task.read_log()).hexdigest(), digest.hexdigest())
        sent = sum(len(text) for _, text in self.lines(task))
        self.assertLess(sent, 8 << 20)

    def test_log_while_it_grows(self):
        task = self.session.shell(f"echo one; echo >{self.fifo.path}; {self.pause}; echo two")
        self.fifo.read_line()
        fd = task.open_log()
        with open(fd, "rb", buffering=0) as f:
            self.session.wait_until(lambda: self.lines(task), "the first line")
            self.assertEqual(f.read(), b"one\n")
            self.go_on()
            self.assertEnds(task, "succeeded", 0)
            self.assertEqual(f.read(), b"two\n")

    def test_pages(self):
        task = self.session.shell("printf 0123456789")
        task.wait()
        self.assertEqual(task.read_log(page=3), b"0123456789")
        for offset, size, data in ((0, 4, b"0123"), (8, 10, b"89"), (10, 10, b""), (3, 0, b""), (1 << 40, 5, b""),
                                   ((1 << 64) - 1, 1 << 20, b""), (1 << 63, 5, b"")):
            got, following = task.call("ReadLog", "(tu)", offset, size)
            self.assertEqual((bytes(got), following), (data, offset + len(data)))
        # At most 1 MiB a call.
        task = self.session.shell("head -c 3000000 /dev/zero")
        task.wait()
        self.assertEqual(task.call("ReadLog", "(tu)", 0, (1 << 32) - 1)[1], 1 << 20)

    def test_log_max(self):
        """The beginning and the end are kept, at their offsets."""
        task = self.session.shell("seq 200000; exit 3", log_max=100000)
        self.assertEnds(task, "failed", 3, "exit code 3")
        whole = "".join(f"{i}\n" for i in range(1, 200001)).encode()
        self.assertEqual(task.get("LogSize"), len(whole))
        log = task.read_log()
        self.assertLessEqual(len(log), 100000)
        head, number, tail = re.fullmatch(
            rb"(.*)\n\[longrun\] (\d+) bytes are left out here \(log-max 97\.7K\) *\n(.*)", log, re.DOTALL).groups()
        self.assertEqual(len(head) + int(number) + len(tail), len(whole))
        self.assertTrue(whole.startswith(head) and whole.endswith(tail))
        self.assertGreater(min(len(head), len(tail)), 25000)
        # In the middle of the gap, at its end, and before it.
        begin = len(head) + int(number)
        for offset in (len(head) + 96, 500000, begin - 1, begin):
            data, following = task.call("ReadLog", "(tu)", offset, 10)
            self.assertEqual((bytes(data), following), (tail[:10], begin + 10))
        data, following = task.call("ReadLog", "(tu)", 0, 1 << 20)
        self.assertEqual((len(data), following), (len(head) + 96, len(head) + 96))
        with open(task.open_log(), "rb") as f:
            self.assertEqual(os.fstat(f.fileno()).st_size, len(whole))
            self.assertLessEqual(os.fstat(f.fileno()).st_blocks * 512, 100000 + 4096)

    def test_no_output_no_file(self):
        task = self.session.command("true")
        task.wait()
        self.assertEqual(list((self.session.state / "logs").iterdir()), [])
        self.assertEqual(task.read_log(), b"")
        with open(task.open_log(), "rb") as f:
            self.assertEqual(f.read(), b"")

    def test_logs_are_private(self):
        task = self.session.command("echo", "x")
        task.wait()
        logs = self.session.state / "logs"
        self.assertEqual(logs.stat().st_mode & 0o777, 0o700)
        self.assertEqual({p.stat().st_mode & 0o777 for p in logs.iterdir()}, {0o600})


class ResultTest(CommandTestCase):
    def test_valid(self):
        for text in ('{"a": [1, 2.5, null, "é"]}', "17", '"text"', "  [ ]\n"):
            task = self.session.shell(f"printf %s '{text}' >$LONGRUN_RESULT; exit 2")
            self.assertEnds(task, "failed", 2, "^exit code 2$")
            self.assertTrue(task.get("HasResult"))
            self.assertEqual(task.take_result(), json.loads(text))

    def test_of_a_cancelled_command(self):
        task = self.session.shell(f"echo 1 >$LONGRUN_RESULT; echo x >{self.fifo.path}; exec sleep 1000")
        self.fifo.read_line()
        task.cancel()
        self.assertEnds(task, "cancelled", 143)
        self.assertEqual(task.take_result(), 1)

    def test_what_is_no_result(self):
        cases = [
            ("echo '{' >$LONGRUN_RESULT", "not JSON"),
            ("echo '{} x' >$LONGRUN_RESULT", "not JSON"),
            (": >$LONGRUN_RESULT", "not JSON"),
            (r"printf '\"a\0b\"' >$LONGRUN_RESULT", "not JSON"),
            (r"printf '\"\377\"' >$LONGRUN_RESULT", "not JSON"),
            (r"printf '\"\357\277\277\"' >$LONGRUN_RESULT", "not JSON"),
            ("printf '\"%01000d\"' 0 >$LONGRUN_RESULT", "more than 1000 bytes .result-max"),
            ("head -c 100000000 /dev/zero >$LONGRUN_RESULT", "more than 1000 bytes .result-max"),
            ("mkfifo $LONGRUN_RESULT", "not kept"),
            ("echo 1 >$HOME/file; ln -s $HOME/file $LONGRUN_RESULT", "not kept"),
            ("ln -s /dev/zero $LONGRUN_RESULT", "not kept"),
            ("mkdir $LONGRUN_RESULT; touch $LONGRUN_RESULT/x", "not kept"),
        ]
        for script, message in cases:
            with self.subTest(script=script):
                task = self.session.shell(script, result_max=1000)
                self.assertEnds(task, "succeeded", 0, f"^exit code 0; its result was not kept: .*{message}"
                                if message != "not kept" else "^exit code 0; its result was not kept: ")
                self.assertFalse(task.get("HasResult"))
                with self.assertError("NoResult"):
                    task.call("TakeResult")
                self.assertFalse((self.session.runtime / f"task-{task.id}").exists(), "its folder is left")
        self.assertTrue((pathlib.Path(self.session.env["HOME"]) / "file").exists())

    def test_what_else_is_in_the_folder_goes_too(self):
        extra = 'd=${LONGRUN_RESULT%/*}; echo x >$d/result.part; mkdir $d/sub; echo x >$d/sub/x; ln -s /usr $d/link'
        task = self.session.shell(extra)
        self.assertEnds(task, "succeeded", 0)
        self.assertFalse((self.session.runtime / f"task-{task.id}").exists(), "its folder is left")
        task = self.session.shell(f"{extra}; echo 1 >$LONGRUN_RESULT")
        self.assertEnds(task, "succeeded", 0)
        self.assertEqual(task.take_result(), 1)
        self.assertFalse((self.session.runtime / f"task-{task.id}").exists(), "its folder is left")

    def test_result_goes_with_the_task(self):
        task = self.session.shell("echo 1 >$LONGRUN_RESULT")
        task.wait()
        self.assertEqual(self.session.stored_results(), [task.id])
        self.assertFalse((self.session.runtime / f"task-{task.id}").exists())
        self.session.call("RemoveTasks", "(at)", [task.id])
        self.assertEqual(self.session.stored_results(), [])


class NotifyTest(CommandTestCase):
    def teller(self):
        """A command that sends each line that it is given as a datagram, \\n in it being a new line."""
        return self.session.command(PYTHON, "-uc", textwrap.dedent(f"""\
            import os, socket
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.connect(os.environ["NOTIFY_SOCKET"])
            for line in open({str(self.gate.path)!r}):
                if line == "end\\n":
                    break
                s.send(eval(line))
            """))

    def test_progress_and_status(self):
        task = self.teller()
        steps = [
            (b"X_LONGRUN_PROGRESS=42", "Progress", (0.42, 0, 0, "")),
            (b"X_LONGRUN_PROGRESS=43.5%", "Progress", (0.435, 0, 0, "")),
            (b"X_LONGRUN_PROGRESS=0.5", "Progress", (0.5, 0, 0, "")),
            (b"X_LONGRUN_DONE=3\nX_LONGRUN_TOTAL=4", "Progress", (0.75, 3, 4, "")),
            (b"STATUS=At work\nMAINPID=1\nREADY=1", "Status", ("At work",)),
            (b"X_LONGRUN_PHASE=second", "Progress", (-1.0, 0, 0, "second")),
            (b"X_LONGRUN_PROGRESS=10", "Progress", (0.1, 0, 0, "second")),
            # 1.0 is for the end.
            (b"X_LONGRUN_PROGRESS=100", "Progress", (0.999, 0, 0, "second")),
            (b"STATUS=caf\xe9 \x1b[1mbold\x1b[0m \xef\xbf\xbf.", "Status", None),
        ]
        for datagram, member, args in steps:
            with self.subTest(datagram=datagram):
                before = len(task.signals(member))
                self.gate.send(repr(datagram))
                self.session.wait_until(lambda: len(task.signals(member)) > before, f"{member} of {datagram}", 5)
                if args:
                    self.assertEqual(task.signals(member)[-1].args, args)
        self.assertTrue(task.get("Status").startswith("caf\ufffd bold "), task.get("Status"))
        self.assertEqual((task.get("Phase"), task.get("Progress")), ("second", 0.999))
        self.assertEqual(self.session.list_tasks()[0][0]["phase"], "second")
        self.gate.end()
        self.assertEnds(task, "succeeded", 0, "^exit code 0$")
        self.assertEqual(task.get("Progress"), 1.0)

    def test_what_is_no_reading(self):
        task = self.teller()
        self.gate.send(repr(b"X_LONGRUN_PROGRESS=50"))
        self.session.wait_until(lambda: task.get("Progress") == 0.5, "progress", 10)
        for datagram in (b"X_LONGRUN_PROGRESS=49", b"X_LONGRUN_PROGRESS=nan", b"X_LONGRUN_PROGRESS=-1",
                         b"X_LONGRUN_PROGRESS=1e3", b"X_LONGRUN_PROGRESS=101",
                         b"X_LONGRUN_PROGRESS=", b"X_LONGRUN_PROGRESS", b"=", b"\n\n", b"", b"\xff" * 3000,
                         b"X_LONGRUN_DONE=18446744073709551616", b"X_LONGRUN_DONE=1\nX_LONGRUN_TOTAL=3",
                         b"EXIT_CODE=0", b"STARTED=1", b"LOG_SIZE=99999", b"STATUS=a\0\nX_LONGRUN_PROGRESS=90",
                         b"x" * 100000):
            self.gate.send(repr(datagram))
        self.gate.send(repr(b"STATUS=told"))
        self.session.wait_until(lambda: task.get("Status") == "told", "status", 10)
        self.assertEqual((task.get("State"), task.get("Progress"), task.get("LogSize")), ("running", 0.5, 0))
        self.assertNotEqual(task.get("Pid"), 1)
        self.gate.end()
        self.assertEnds(task, "succeeded", 0)

    def test_a_phase_begins_anew(self):
        """What was said of the phase before, just before, is not taken for progress of the new one."""
        task = self.teller()
        for phase in ("B", "C", "D", "E"):
            self.gate.send(repr(b"X_LONGRUN_PROGRESS=90"))
            self.gate.send(repr(f"X_LONGRUN_PHASE={phase}".encode()))
            self.gate.send(repr(b"X_LONGRUN_PROGRESS=10"))
            self.session.wait_until(lambda: (task.get("Phase"), task.get("Progress")) == (phase, 0.1), phase, 10)
        self.gate.end()
        self.assertEnds(task, "succeeded", 0)

    def test_a_long_status_is_cut(self):
        task = self.teller()
        self.gate.send(repr(b"STATUS=" + "ä".encode() * 1500))
        self.session.wait_until(lambda: task.get("Status"), "status", 10)
        self.assertRegex(task.get("Status"), "^ä+…?$")
        self.assertLessEqual(len(task.get("Status").encode()), 1030)
        self.gate.end()
        self.assertEnds(task, "succeeded", 0)

    def test_from_a_shell_script(self):
        for how in ("", "--no-block "):
            task = self.session.shell(
                f"systemd-notify {how}--status='From a shell' X_LONGRUN_PROGRESS=42; echo x >{self.fifo.path}; {self.pause}")
            self.fifo.read_line()
            self.session.wait_until(lambda: task.signals("Status", "Progress")[1:], "both", 10)
            self.assertEqual((task.get("Status"), task.get("Progress")), ("From a shell", 0.42))
            self.go_on()
            self.assertEnds(task, "succeeded", 0)

    def test_the_last_words_are_kept(self):
        """Told just before the end, or by a task too quick for signals."""
        task = self.session.command(PYTHON, "-c", textwrap.dedent("""\
            import os, socket, sys
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.sendto(b"STATUS=Last words\\nX_LONGRUN_PROGRESS=70", os.environ["NOTIFY_SOCKET"])
            sys.exit(1)
            """))
        self.assertEnds(task, "failed", 1)
        self.assertEqual((task.get("Status"), task.get("Progress")), ("Last words", 0.7))

    def test_a_flood(self):
        task = self.session.command(PYTHON, "-c", textwrap.dedent("""\
            import os, socket, time
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.connect(os.environ["NOTIFY_SOCKET"])
            end = time.monotonic() + 1
            i = 0
            while time.monotonic() < end:
                i += 1
                s.send(b"STATUS=%d\\nX_LONGRUN_DONE=%d\\nX_LONGRUN_TOTAL=1000000000" % (i, i))
            print(i)
            """))
        self.assertEnds(task, "succeeded", 0)
        sent = int(task.read_log())
        self.assertEqual(task.get("Status"), str(sent))
        self.assertEqual(task.signals("Status")[-1].args, (str(sent),))


class ShimLostTest(CommandTestCase):
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
