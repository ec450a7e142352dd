#!/usr/bin/python3
"""Commands over the bus: what becomes of their output, and what else they may tell.

    LONGRUND=PATH test_command_output.py
"""

import hashlib
import json
import os
import pathlib
import re
import textwrap
import time

from command_testing import PYTHON, CommandTestCase
from daemon_testing import main


class OutputTest(CommandTestCase):
    def lines(self, task):
        """Stream and text of the lines that the signal Log has brought."""
        return [line[1:] for s in task.signals("Log") for line in s.args[1]]

    def wait_line(self, task, text):
        self.session.wait_until(lambda: any(text in line for _, line in self.lines(task)), f"{text!r} in Log", 10)

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


if __name__ == "__main__":
    main()
