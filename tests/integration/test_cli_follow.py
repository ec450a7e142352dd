#!/usr/bin/python3
"""longrun start --follow, log and log -f: every byte, every end, and what Ctrl-C does.

    LONGRUND=PATH LONGRUN=PATH test_cli_follow.py
"""

import hashlib
import os
import re
import signal
import subprocess

from cli_testing import Case
from longrun_testing import DEADLINE_SEC, Gate, Terminal, main


class Follow(Case):
    def test_exit_codes(self):
        table = [("exit 0", 0), ("exit 3", 3), ("exit 255", 255), ("kill -KILL $$", 137), ("kill -TERM $$", 143)]
        for script, code in table:
            with self.subTest(script):
                r = self.session.run("start", "--follow", "--", "sh", "-c", f"echo out; echo err >&2; {script}")
                self.assertEqual((r.returncode, r.stdout), (code, "out\n"), r)
                self.assertIn("\nerr\n", r.stderr)
                self.assertEqual("failed: " in r.stderr, code != 0, r.stderr)

    def test_command_that_cannot_start(self):
        (self.work / "text").write_text("no program", encoding="utf-8")
        for argv, code in ((["no-such-program"], 127), ([str(self.work / "text")], 126)):
            with self.subTest(argv):
                r = self.session.run("start", "--follow", "--quiet", "--", *argv)
                self.assertEqual((r.returncode, r.stdout), (code, ""), r)
                self.assertIn(argv[0], r.stderr)

    def test_timed_out(self):
        """As timeout(1), whatever the command ends with."""
        for trap in ("", 'trap "exit 0" TERM; '):
            r = self.session.run("start", "-f", "-q", "--timeout", "200ms", "--", "sh", "-c",
                                 trap + "echo x; sleep 1000 & wait")
            self.assertEqual((r.returncode, r.stdout), (124, "x\n"), r)
            self.assertRegex(r.stderr, r"^longrun: task \d+ timed-out: .*200ms")

    def test_quiet(self):
        r = self.session.run("start", "--follow", "--quiet", "echo", "x")
        self.assertEqual((r.returncode, r.stdout, r.stderr), (0, "x\n", ""))
        r = self.session.run("start", "--follow", "--quiet", "--", "sh", "-c", "echo x; echo y >&2; exit 127")
        self.assertEqual((r.returncode, r.stdout, r.stderr), (127, "x\n", "y\n"))

    def test_quiet_tells_what_the_status_does_not(self):
        r = self.session.run("start", "-f", "-q", "--", "sh", "-c", "kill -KILL $$")
        self.assertEqual((r.returncode, r.stdout), (137, ""))
        self.assertRegex(r.stderr, r"^longrun: task \d+ failed: .*signal 9")
        gate = self.gate()
        follower = self.session.popen("start", "-f", "-q", "--label", "quiet", "--", *gate.argv(), stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True)
        gate.send("up")
        self.assertEqual(follower.stdout.readline(), "up\n")
        task = self.json("list", "--json", "--label", "quiet")[0]["id"]
        self.ok("cancel", task)
        self.assertRegex(follower.communicate(timeout=DEADLINE_SEC)[1], rf"^longrun: task {task} cancelled")

    def test_raw_bytes(self):
        data = bytes(range(256)) * 3
        (self.work / "raw").write_bytes(data)
        r = self.session.run("start", "-f", "-q", "cat", "raw", text=False)
        self.assertEqual(r.stdout, data)

    def test_ends_at_any_moment(self):
        """Tasks that end before, while and after the client begins to look."""
        for delay in ("0", "0.001", "0.003", "0.006") * 15:
            r = self.session.run("start", "-f", "-q", "--", "sh", "-c", f"sleep {delay}; echo x")
            self.assertEqual((r.returncode, r.stdout, r.stderr), (0, "x\n", ""))

    def test_much(self):
        size = 64 << 20
        make = ["sh", "-c", f"head -c {size} /dev/zero | tr '\\0' 'abcdefg'; echo end"]
        expected = hashlib.sha256(b"a" * size + b"end\n").hexdigest()
        task = self.session.start_task(*make)
        follower = self.session.popen("log", "-f", task, stdout=subprocess.PIPE)
        digest = hashlib.sha256()
        while data := follower.stdout.read(1 << 20):
            digest.update(data)
        follower.stdout.close()
        self.assertEqual((follower.wait(DEADLINE_SEC), digest.hexdigest()), (0, expected))

        target = self.work / "copy"
        for mode in ("wb", "ab"):
            with self.subTest(mode):
                with open(target, mode) as f:
                    f.truncate(0)
                    self.ok("log", task, stdout=f)
                self.assertEqual(hashlib.sha256(target.read_bytes()).hexdigest(), expected)
        target.unlink()

    def test_non_blocking_stdout(self):
        task = self.session.start_task("head", "-c", "1M", "/dev/zero")
        self.session.wait(task)
        read, write = os.pipe()
        os.set_blocking(write, False)
        copier = self.session.popen("log", task, stdout=write)
        os.close(write)
        with open(read, "rb") as f:
            self.assertEqual(f.read(), bytes(1 << 20))
        self.assertEqual(copier.wait(DEADLINE_SEC), 0)

    def test_line_by_line(self):
        gate = self.gate()
        follower = self.session.popen("start", "-f", "-q", "--", *gate.argv(5), stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE)
        for line in ("one", "two", "three"):
            gate.send(line)
            self.assertEqual(follower.stdout.readline().decode(), line + "\n")
        gate.end()
        out, err = follower.communicate(timeout=DEADLINE_SEC)
        self.assertEqual((follower.returncode, out, err), (5, b"", b""))

    def test_log_follow(self):
        gate = self.gate()
        task = self.session.start_task(*gate.argv(5))
        follower = self.session.popen("log", "--follow", task, stdout=subprocess.PIPE)
        gate.send("hello")
        self.assertEqual(follower.stdout.readline(), b"hello\n")
        self.assertEqual(self.ok("log", task), "hello\n")
        gate.end()
        self.assertEqual(follower.communicate(timeout=DEADLINE_SEC)[0], b"")
        self.assertEqual(follower.returncode, 0)
        self.assertEqual(self.ok("log", "-f", task), "hello\n")

    def test_log_of_silence(self):
        task = self.session.start_task("true")
        self.session.wait(task)
        self.assertEqual(self.ok("log", task), "")
        self.assertEqual(self.ok("log", "-f", task), "")

    def test_log_goes_on_when_the_task_is_removed(self):
        """The descriptor holds the log, whatever becomes of its name."""
        size = 8 << 20
        task = self.session.start_task("head", "-c", size, "/dev/zero")
        self.session.wait(task)
        reader = self.session.popen("log", task, stdout=subprocess.PIPE)
        first = reader.stdout.read(1)
        self.ok("remove", task)
        self.assertEqual(len(first + reader.stdout.read()), size)
        reader.stdout.close()
        self.assertEqual(reader.wait(DEADLINE_SEC), 0)

    def test_reader_goes(self):
        """As `longrun log -f … | head` does, with a task that prints nothing more."""
        gate = self.gate()
        task = self.session.start_task(*gate.argv())
        follower = self.session.popen("log", "-f", task, stdout=subprocess.PIPE)
        gate.send("x")
        self.assertEqual(follower.stdout.readline(), b"x\n")
        follower.stdout.close()
        self.assertEqual(follower.wait(DEADLINE_SEC), -signal.SIGPIPE)
        gate.end()
        self.assertEqual(self.session.wait(task)[0][1], "succeeded")

    def test_full_disk(self):
        task = self.session.start_task("echo", "x")
        self.session.wait(task)
        with open("/dev/full", "wb") as full:
            for args in (["log", task], ["log", "-f", task]):
                self.fails(1, "cannot copy the log to stdout: No space left", *args, stdout=full)

    def test_interrupt(self):
        gate = self.gate()
        with Terminal(self.session, "start", "--follow", "--", *gate.argv()) as t:
            gate.send("at work")
            text = t.read_until("at work")
            task = int(re.search(r"Started task (\d+)", text).group(1))
            t.press(b"\x03")
            code, text = t.finish()
        self.assertEqual(code, 130)
        self.assertIn(f"longrun log -f {task}", text)
        self.assertIn(f"longrun cancel {task}", text)
        self.assertEqual(self.session.property(task, "State"), "running")
        gate.end()
        self.assertEqual(self.session.wait(task), [(task, "succeeded", 0)])

    def test_interrupt_is_ignored_where_it_was(self):
        """A script's background job does not mind the Ctrl-C that ends the script's other commands."""
        gate = self.gate()
        script = 'trap "" INT; exec "$@"'
        with subprocess.Popen(["sh", "-c", script, "sh", self.session.longrun, "start", "-f", "-q", "--", *gate.argv()],
                              env=self.session.env, stdout=subprocess.PIPE) as follower:
            gate.send("x")
            self.assertEqual(follower.stdout.readline(), b"x\n")
            follower.send_signal(signal.SIGINT)
            gate.send("y")
            self.assertEqual(follower.stdout.readline(), b"y\n")
            gate.end()
            self.assertEqual(follower.wait(DEADLINE_SEC), 0)

    def test_unique(self):
        gate = self.gate()
        task = self.session.start_task(*gate.argv(3), unique="followed")
        follower = self.session.popen("start", "--follow", "--unique", "followed", "true", stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE)
        self.assertEqual(follower.stderr.readline().decode(), f"already running: task {task}\n")
        gate.end()
        follower.communicate(timeout=DEADLINE_SEC)
        self.assertEqual(follower.returncode, 3)

    def test_cancel(self):
        gate = self.gate()
        follower = self.session.popen("start", "-f", "--", *gate.argv(), stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True)
        task = int(re.match(r"Started task (\d+)", follower.stderr.readline()).group(1))
        gate.send("x")
        follower.stdout.readline()
        self.ok("cancel", task)
        _, err = follower.communicate(timeout=DEADLINE_SEC)
        self.assertEqual(follower.returncode, 143)
        self.assertRegex(err, rf"^longrun: task {task} cancelled: ")


class LogMax(Case):
    """A log above its cap: head, mark and tail, and never a NUL of what lies between."""

    MARK = re.compile(rb"\n\[longrun\] (\d+) bytes are left out here \(log-max [\d.KM]+\) *\n")

    def split(self, out):
        """Gives head, number of bytes left out, and tail."""
        self.assertNotIn(b"\0", out)
        parts = self.MARK.split(out)
        self.assertEqual(len(parts), 3, out[:200])
        return parts[0], int(parts[1]), parts[2]

    def test_log(self):
        whole = "".join(f"{i}\n" for i in range(1, 100001)).encode()
        task = self.session.start_task("seq", "100000", log_max=50000)
        self.session.wait(task)
        for args in (("log", task), ("log", "-f", task)):
            with self.subTest(args):
                out = self.ok(*args, text=False)
                head, number, tail = self.split(out)
                self.assertLessEqual(len(out), 50000)
                self.assertEqual(len(head) + number + len(tail), len(whole))
                self.assertTrue(whole.startswith(head) and whole.endswith(tail))
        self.assertEqual(self.session.property(task, "LogSize"), len(whole))

    def test_follow_closely(self):
        """Who keeps up sees every line, although the log keeps few of them."""
        gate = self.gate()
        task = self.session.start_task(*gate.argv(), log_max=32768)
        follower = self.session.popen("log", "-f", task, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for i in range(200):
            line = f"{i:04}" + "x" * 996
            gate.send(line)
            self.assertEqual(follower.stdout.readline(), line + "\n")
        gate.end()
        out, err = follower.communicate(timeout=DEADLINE_SEC)
        self.assertEqual((follower.returncode, out, err), (0, "", ""))
        head, number, tail = self.split(self.ok("log", task, text=False))
        self.assertEqual(len(head) + number + len(tail), 200 * 1001)

    def test_follow_and_be_overtaken(self):
        """Who does not read while the task prints is told of what was left out meanwhile."""
        # Where the reader stands when the gap is made: before it, so that it comes to the mark, or in it.
        for before, read, in_words in ((100000, 1, False), (700000, 600000, True)):
            with self.subTest(before):
                gate = Gate(self.session, f"overtaken-{before}")
                self.addCleanup(gate.close)
                script = f'yes 0123456789abcde | head -c {before}; "$@"; yes 0123456789abcde | head -c 8000000'
                task = self.session.start_task("sh", "-c", script, "sh", *gate.argv(), log_max=1 << 20)
                follower = self.session.popen("log", "-f", task, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                out = follower.stdout.read(read)
                gate.end()
                self.session.wait(task)
                out += follower.stdout.read()
                err = follower.communicate(timeout=DEADLINE_SEC)[1].decode()
                self.assertEqual(follower.returncode, 0)
                if in_words:
                    number = re.fullmatch(r"longrun: (\d+) bytes of the log were left out \(log-max\) before they could be "
                                          "copied\n", err).group(1)
                    self.assertFalse(set(out) - set(b"0123456789abcde\n"))
                    self.assertEqual(len(out) + int(number), before + 8000000)
                else:
                    self.assertEqual(err, "")
                    head, number, tail = self.split(out)
                    self.assertEqual(len(head) + number + len(tail), before + 8000000)

    def test_random_pace(self):
        """Readers that begin at any moment, of a task that prints all the time."""
        task = self.session.start_task("timeout", "3", "yes", "0123456789abcde", log_max=100000)
        for _ in range(20):
            self.assertNotIn(b"\0", self.session.run("log", task, text=False).stdout)
        follower = self.session.popen("log", "-f", task, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        while data := follower.stdout.read(1 << 16):
            self.assertNotIn(b"\0", data)
        follower.stdout.close()
        self.assertEqual(follower.wait(DEADLINE_SEC), 0)


if __name__ == "__main__":
    os.umask(0o22)
    main()
