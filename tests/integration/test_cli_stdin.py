#!/usr/bin/python3
"""What a command that the CLI starts reads: start <FILE, --stdin, longrun write.

    LONGRUND=PATH LONGRUN=PATH test_cli_stdin.py
"""

import contextlib
import hashlib
import os
import random
import signal
import subprocess
import threading

from cli_testing import Case
from longrun_testing import DEADLINE_SEC, Session, main

LARGE = 3 << 20


def noise(size):
    return random.Random(7).randbytes(size)


def digest(data):
    return hashlib.sha256(data).hexdigest()


class StdinCase(Case):
    def file(self, name, data):
        path = self.work / name
        path.write_bytes(data)
        return path

    def output(self, task):
        self.session.wait(task)
        return self.ok("log", task, text=False)

    def shell(self, script, **kwargs):
        """Runs a script of sh in which "longrun" is the CLI."""
        path = f"{os.path.dirname(os.path.abspath(self.session.longrun))}:{os.environ['PATH']}"
        r = subprocess.run(["sh", "-c", script], env={**self.session.env, "PATH": path}, cwd=self.work,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=DEADLINE_SEC, check=False,
                           **{"stdin": subprocess.DEVNULL, **kwargs})
        self.assertEqual((r.returncode, r.stderr), (0, ""), r)
        return r.stdout


class Start(StdinCase):
    def start(self, *args, **kwargs):
        return int(self.ok("start", "-q", *args, **kwargs))

    def test_file(self):
        data = bytes(range(256)) * 48
        path = self.file("small", data)
        with open(path, "rb") as file:
            said = self.ok("start", "sha256sum", stdin=file)
            self.assertRegex(said, r"^Started task \d+: sha256sum, stdin: 12\.0K of small\n$")
            self.assertEqual(os.lseek(file.fileno(), 0, os.SEEK_CUR), 0)
        task = int(said.split()[2].rstrip(":"))
        path.unlink()  # it has a copy
        self.assertEqual(self.output(task).split()[0].decode(), digest(data))

    def test_large_file(self):
        path = self.file("large", noise(LARGE))
        with open(path, "rb") as file:
            said = self.ok("start", "sha256sum", stdin=file)
        self.assertRegex(said, rf", stdin: 3\.0M of {path}\n$")
        task = int(said.split()[2].rstrip(":"))
        self.assertEqual(self.output(task).split()[0].decode(), digest(noise(LARGE)))
        self.assertIn(f"     Input: {path}\n", self.ok("show", task))

    def test_limit(self):
        for size, key in ((1 << 20, ""), ((1 << 20) + 1, str(self.work / "limit"))):
            with open(self.file("limit", bytes(size)), "rb") as file:
                task = self.start("wc", "-c", stdin=file)
            self.assertEqual(self.output(task), b"%d\n" % size)
            self.assertEqual(self.session.property(task, "StdinFile"), key)

    def test_large_file_without_size(self):
        """As files of /proc are: they have none before they are read."""
        path = "/proc/kallsyms"
        with open(path, "rb") as file:
            data = file.read()
        if len(data) <= 1 << 20:
            self.skipTest("the kernel has no long file in /proc")
        self.assertEqual(self.output(self.start("--stdin", path, "sha256sum")).split()[0].decode(), digest(data))

    def test_large_file_named_by_a_dash(self):
        with open(self.file("large", noise(LARGE)), "rb") as file:
            task = self.start("--stdin", "-", "sha256sum", stdin=file)
        self.assertEqual(self.output(task).split()[0].decode(), digest(noise(LARGE)))

    def test_large_file_without_name(self):
        with open(self.file("gone", bytes(LARGE)), "rb") as file:
            os.unlink(file.name)
            self.fails(1, "no name any more", "start", "cat", stdin=file)
        with open(self.file("large", bytes(LARGE)), "rb") as file:
            self.fails(1, "longrun write --close ID", "start", "--stdin-open", "cat", stdin=file)

    def test_small_file_before_an_open_stdin(self):
        with open(self.file("first", b"first\n"), "rb") as file:
            task = self.start("--stdin-open", "cat", stdin=file)
        self.ok("write", "--close", task, self.file("second", b"second\n"))
        self.assertEqual(self.output(task), b"first\nsecond\n")

    def test_list_of_a_loop(self):
        """Its file is the shell's to read."""
        self.file("list", b"".join(b"line %d\n" % i for i in range(20)))
        ids = self.shell("while read -r line; do longrun start -q -- sh -c 'echo \"$0\"; cat' \"$line\"; done <list")
        self.assertEqual([self.output(int(i)) for i in ids.split()], [b"line %d\n" % i for i in range(20)])

    def test_what_is_not_read(self):
        """A pipe, of which the end may never come; a file that somebody has begun; nothing; what is not open."""
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as cat:
            task = self.start("cat", stdin=cat.stdout)
            cat.stdin.close()
        self.assertEqual(self.output(task), b"")
        with open(self.file("begun", b"0123456789"), "rb", buffering=0) as file:
            file.read(1)
            self.assertEqual(self.output(self.start("cat", stdin=file)), b"")
            self.assertEqual(file.read(), b"123456789")
        with open(self.file("empty", b""), "rb") as file:
            self.assertRegex(self.ok("start", "cat", stdin=file), r": cat\n$")
        with open(self.file("out", b"x"), "ab") as file:
            self.assertEqual(self.output(self.start("cat", stdin=file)), b"")
        self.assertEqual(self.output(int(self.shell("longrun start -q cat <&-"))), b"")

    def test_option(self):
        self.file("named", b"named\n")
        for args in (("--stdin", "named"), (f"--stdin={self.work}/named",)):
            self.assertEqual(self.output(self.start(*args, "cat")), b"named\n")
        self.assertEqual(self.output(self.start("--stdin", "/dev/null", "cat")), b"")
        self.assertEqual(self.output(self.start("--stdin", "-", "cat", input=b"piped\0\n", stdin=None, text=False)),
                         b"piped\0\n")
        self.fails(1, "cannot open nothing: No such file", "start", "--stdin", "nothing", "cat")
        self.fails(1, "Is a directory", "start", "--stdin", ".", "cat")
        r = self.session.run("start", "--stdin", "-", "cat", input="x" * ((1 << 20) + 1), stdin=None)
        self.assertEqual(r.returncode, 1)
        self.assertIn("more than 1M on stdin; write it while the command runs", r.stderr)

    def test_follow(self):
        """As if the command ran here, however much it is; and as at the end of a pipe, when it reads no more."""
        data = noise(LARGE)
        r = self.session.run("start", "-f", "-q", "--stdin", "-", "sha256sum", input=data, stdin=None, text=False)
        self.assertEqual((r.returncode, r.stdout.split()[0].decode(), r.stderr), (0, digest(data), b""))
        r = self.session.run("start", "-f", "-q", "--stdin", "-", "head", "-c", "3", input=b"12345" * 200000, stdin=None,
                             text=False)
        self.assertEqual((r.returncode, r.stdout, r.stderr), (0, b"123", b""))
        with self.session.popen("start", "-f", "-q", "--stdin", "-", "sed", "-u", "s/$/!/", stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True, bufsize=1) as p:
            for word in ("one", "two"):
                p.stdin.write(word + "\n")
                self.assertEqual(p.stdout.readline(), word + "!\n")
            p.stdin.close()
            self.assertEqual(p.wait(DEADLINE_SEC), 0)

    def follow(self, script, *options, **kwargs):
        """Runs a script as a task that is followed, with our stdin as its own."""
        return self.session.run("start", "-fq", *options, "--stdin", "-", "--", "sh", "-c", script,
                                **{"stdin": None, **kwargs})

    def test_follow_over_attempts(self):
        """The first one has what comes, those after it the end of file at once; of a file each has all."""
        retries = ("--retries", "2", "--retry-delay", "100ms")
        r = self.follow("cat; echo end; exit 3", *retries, input="words\n")
        self.assertEqual((r.returncode, r.stdout), (3, "words\nend\nend\nend\n"), r)
        with open(self.file("words", b"words\n"), "rb") as file:
            r = self.follow("cat; echo end; exit 3", *retries, stdin=file)
            self.assertEqual((r.returncode, r.stdout), (3, "words\nend\n" * 3), r)
            self.assertEqual(os.lseek(file.fileno(), 0, os.SEEK_CUR), 0)
        path = self.file("large", noise(LARGE))
        with open(path, "rb") as file:
            r = self.follow("sha256sum; exit 3", *retries, stdin=file)
        self.assertEqual([line.split()[0] for line in r.stdout.splitlines()], [digest(noise(LARGE))] * 3, r)
        with open(path, "rb") as file:  # one that no other process can open
            path.unlink()
            r = self.follow("sha256sum", stdin=file)
        self.assertEqual((r.returncode, r.stdout.split()[0]), (0, digest(noise(LARGE))), r)

    def test_follow_over_attempts_while_nothing_comes(self):
        """What comes too late for the first attempt is not for the second."""
        gate = self.gate()
        with self.session.popen("start", "-fq", "--retries", "1", "--retry-delay", "100ms", "--stdin", "-", "--",
                                "sh", "-c", f'if mkdir {self.work}/begun-once; then head -n 1; else cat; "$@"; fi; exit 3', "sh",
                                *gate.argv(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, bufsize=1) as p:
            p.stdin.write("one\n")
            self.assertEqual(p.stdout.readline(), "one\n")
            gate.send("up")  # the second one has read the end
            self.assertEqual(p.stdout.readline(), "up\n")
            p.stdin.write("two\n")
            gate.end()
            self.assertEqual(p.communicate(timeout=DEADLINE_SEC)[0], "")

    def test_follow_where_reading_fails(self):
        directory = os.open(self.work, os.O_RDONLY)
        self.addCleanup(os.close, directory)
        r = self.follow("cat; echo end", stdin=directory)
        self.assertEqual((r.returncode, r.stdout, r.stderr),
                         (0, "end\n", "longrun: cannot read: Is a directory\n"))

    def test_follow_where_the_writer_is_killed(self):
        with self.session.popen("start", "-fq", "--stdin", "-", "--", "sh", "-c", "head -n 1; cat; echo end",
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, bufsize=1) as p:
            p.stdin.write("one\n")
            self.assertEqual(p.stdout.readline(), "one\n")
            with open(f"/proc/{p.pid}/task/{p.pid}/children", encoding="ascii") as children:
                writer, = children.read().split()
            os.kill(int(writer), signal.SIGKILL)
            self.assertEqual(p.stdout.readline(), "end\n")
            self.assertEqual(p.wait(DEADLINE_SEC), 0)
            self.assertEqual(p.stderr.read(), "longrun: the process that read stdin was ended: Killed\n")

    def test_pipe_that_is_not_read(self):
        hint = 'longrun: stdin is a pipe and is not read; "--stdin -" hands it on\n'
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        self.addCleanup(os.close, writer)
        for data, options, said in ((b"", ("-f",), False), (b"hi\n", ("-f",), True), (b"", ("-fq",), False),
                                    (b"", ("-f", "--stdin", "/dev/null"), False), (b"", (), False)):
            os.write(writer, data)
            r = self.session.run("start", *options, "--", "cat", stdin=reader)
            self.assertEqual(r.returncode, 0, r)
            self.assertEqual(hint in r.stderr, said, (options, r))

    def test_file_of_proc(self):
        with open("/proc/cpuinfo", "rb") as file:
            size = len(file.read())
        for options in ((), ("--stdin", "-"), ("--stdin", "/proc/cpuinfo")):
            with open("/proc/cpuinfo", "rb") as file:
                self.assertAlmostEqual(int(self.output(self.start(*options, "wc", "-c", stdin=file))), size, delta=200)
        with open("/proc/cpuinfo", "rb") as file:
            self.assertRegex(self.ok("start", "cat", stdin=file), r"stdin: .* of cpuinfo\n$")



class Write(StdinCase):
    def start(self, *argv, **options):
        return int(self.ok("start", "-q", "--stdin-open", *options.get("options", ()), "--", *argv))

    def test_write(self):
        data = noise(LARGE)
        task = self.start("sha256sum")
        self.assertEqual(self.ok("write", task, input=data.decode("latin-1"), stdin=None, encoding="latin-1"),
                         f"Wrote {LARGE} bytes to task {task}\n")
        self.assertEqual(self.ok("write", "-q", task, self.file("more", b"more")), "")
        self.assertEqual(self.json("write", "--json", "--close", task, "/dev/null"), {"written": 0, "closed": True})
        self.assertEqual(self.ok("write", "--close", task), f"Wrote 0 bytes to task {task}, and closed its input\n")
        self.assertEqual(self.output(task).split()[0].decode(), digest(data + b"more"))
        self.fails(1, "has ended", "write", task, self.file("more", b"more"))

    def test_waits_for_the_start(self):
        gate, before = self.start_gate()
        task = self.start("cat", options=("--after", str(before)))
        with self.session.popen("write", "--close", task, self.file("in", b"in time\n"), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True) as p:
            self.assertIn(f"task {task} has not started; waiting", p.stderr.readline())
            gate.end()
            self.assertEqual(p.wait(DEADLINE_SEC), 0)
        self.assertEqual(self.output(task), b"in time\n")

    def test_reader_closes(self):
        task = self.start("sh", "-c", "head -c 1000000 >/dev/null; exec <&-; sleep 1000")
        r = self.fails(1, "the command has closed it", "write", task, self.file("large", bytes(LARGE)))
        self.assertRegex(r.stderr, r"\d+ bytes were written to task \d+ before that\n")
        self.ok("cancel", task)

    def test_interrupt(self):
        task = self.start("sleep", "1000")
        with self.session.popen("write", task, self.file("large", bytes(LARGE)), stderr=subprocess.PIPE, text=True) as p:
            self.until_property(task, "StdinSize", lambda size: size >= 256 << 10)
            p.send_signal(signal.SIGINT)
            said = p.stderr.read()
            self.assertEqual(p.wait(DEADLINE_SEC), 130)
        self.assertRegex(said, rf"At least \d+ bytes were written to task {task}, which goes on")
        self.ok("cancel", task)

    def test_called_wrongly(self):
        task = int(self.ok("start", "-q", "sleep", "1000"))
        path = self.file("x", b"x")
        self.fails(1, "--stdin-open of \"longrun start\"", "write", task, path)
        self.fails(1, "There is no task 4711", "write", 4711, path)
        self.fails(2, "is not the id of a task", "write", "x", path)
        self.fails(2, "too many", "write", task, path, path)
        self.fails(2, "--json does not go together with --quiet", "write", "-j", "-q", task, path)
        self.fails(1, "cannot open nothing", "write", task, "nothing")
        self.fails(1, "cannot read: Is a directory", "write", task, ".")
        self.ok("cancel", task)


class Crash(StdinCase):
    """The daemon is killed in the middle, and the next one tells how much there is to go on from."""

    @classmethod
    def setUpClass(cls):
        cls.session = cls.enterClassContext(Session(arguments=cls.arguments))
        cls.work = cls.session.directory / "work"

    def test_goes_on(self):
        data = noise(LARGE)
        path, gate = self.file("large", data), self.work / "gate"
        os.mkfifo(gate)
        task = int(self.ok("start", "-q", "--stdin-open", "--", "sh", "-c", "read x <gate; sha256sum"))
        with self.session.popen("write", "--close", task, path, stdout=subprocess.PIPE, text=True,
                                stderr=subprocess.PIPE) as p:
            # The second piece, of which a part is taken, waits.
            self.until_property(task, "StdinSize", lambda size: size >= 300 << 10)
            self.session.kill_daemon()
            self.session.start_daemon()
            with contextlib.closing(open(gate, "wb", buffering=0)):
                pass
            out, _ = p.communicate(timeout=DEADLINE_SEC)
        self.assertEqual(out, f"Wrote {LARGE} bytes to task {task}, and closed its input\n")
        self.assertEqual(self.output(task).split()[0].decode(), digest(data))

    def test_follow_goes_on(self):
        """What is handed on, and the end of file that a later attempt reads under the next daemon."""
        data, gate = noise(LARGE), self.work / "gate-of-attempts"
        os.mkfifo(gate)
        with self.session.popen("start", "-fq", "--retries", "1", "--retry-delay", "100ms", "--stdin", "-", "--", "sh",
                                "-c", f"read x <{gate}; sha256sum; read x <{gate}; exit 3", stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
            writer = threading.Thread(target=p.stdin.write, args=(data,))
            writer.start()
            self.session.until(lambda: self.json("list", "--json"), "the task")
            task = self.json("list", "--json")[0]["id"]
            self.until_property(task, "StdinSize", lambda size: size >= 300 << 10)
            sums = []
            for _ in range(2):
                self.session.kill_daemon()
                self.session.start_daemon()
                gate.write_bytes(b"")
                writer.join()
                with contextlib.suppress(BrokenPipeError):
                    p.stdin.close()
                sums.append(p.stdout.readline().split()[0].decode())
                self.session.kill_daemon()
                self.session.start_daemon()
                gate.write_bytes(b"")
            self.assertEqual(sums, [digest(data), digest(b"")])
            self.assertEqual(p.wait(DEADLINE_SEC), 3)
            self.assertNotIn(b"longrund", p.stderr.read())


if __name__ == "__main__":
    main()
