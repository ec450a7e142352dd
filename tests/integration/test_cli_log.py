#!/usr/bin/python3
"""longrun log: parts of a log, its streams and times, escape sequences; --follow as if the command ran here.

    LONGRUND=PATH LONGRUN=PATH test_cli_log.py
"""

import contextlib
import datetime
import json
import os
import re
import signal
import subprocess
import threading
import time
import zlib

from cli_testing import Case
from daemon_testing import sanitized
from longrun_testing import DEADLINE_SEC, Gate, Terminal, main

STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d"
MARK = re.compile(rb"\n\[longrun\] (\d+) bytes are left out here \(log-max [\d.KM]+\) *\n")


class Shell:
    """Where Terminal starts programs: a shell with job control, of which longrun is a child, as it is for a person."""

    def __init__(self, session):
        self.session = session

    def popen(self, script, env=None, **kwargs):
        return subprocess.Popen(["bash", "--norc", "-c", "set -m; " + script], cwd=self.session.directory / "work",
                                env={**self.session.env, "LONGRUN": self.session.longrun, **(env or {})}, **kwargs)


class Parts(Case):
    def run_script(self, script, **options):
        task = self.session.start_task("sh", "-c", script, **options)
        self.session.wait(task)
        return task

    # how much

    def test_last_lines(self):
        task = self.run_script("seq 1000; printf end")
        table = [(0, ""), (1, "end"), (3, "999\n1000\nend"), (10 ** 6, "".join(f"{i}\n" for i in range(1, 1001)) + "end")]
        for n, expected in table:
            with self.subTest(n):
                self.assertEqual(self.ok("log", "-n", n, task), expected)
                self.assertEqual(self.ok("log", task, "-f", "--lines", n), expected)
        self.fails(2, 'wants a number, not "-3"', "log", "-n", "-3", task)
        self.fails(2, 'wants a number, not "all"', "log", "-n", "all", task)

    def test_last_lines_of_much(self):
        """They are looked for from the end: of a gigabyte that is left out, and of the rest."""
        task = self.session.start_task("sh", "-c", "seq 1000; head -c 300M /dev/zero; seq 200000", log_max="4M")
        self.session.wait(task)
        self.assertEqual(self.ok("log", "-n", 2, task), "199999\n200000\n")
        lines = self.ok("log", "-n", 200001, task, text=False).split(b"\n")
        self.assertEqual(lines[-3:], [b"199999", b"200000", b""])
        self.assertEqual(len(lines), 200002)

    def test_only_what_comes(self):
        gate = self.gate()
        task = self.session.start_task(*gate.argv())
        first = self.session.popen("log", "-f", task, stdout=subprocess.PIPE)
        gate.send("before")
        self.assertEqual(first.stdout.readline(), b"before\n")
        follower = self.session.popen("log", "-f", "-n", "0", "-t", task, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.wait_for_inotify(follower)
        gate.send("after")
        self.assertRegex(follower.stdout.readline().decode(), f"^{STAMP} out after\n$")
        gate.end()
        self.assertEqual(follower.communicate(timeout=DEADLINE_SEC), (b"", b""))
        first.communicate(timeout=DEADLINE_SEC)

    def wait_for_inotify(self, process):
        """Until it has begun to follow."""
        def follows():
            with contextlib.suppress(FileNotFoundError):  # one that was closed meanwhile
                return any("inotify" in os.readlink(f"{fds}/{fd}") for fd in os.listdir(fds))
            return False

        fds = f"/proc/{process.pid}/fd"
        deadline = time.monotonic() + DEADLINE_SEC
        while not follows():
            self.assertLess(time.monotonic(), deadline, "it does not follow")
            time.sleep(0.001)

    def test_since(self):
        """Times as people write them; what came since is what the index says."""
        gate = self.gate()
        task = self.session.start_task(*gate.argv())
        follower = self.session.popen("log", "-f", "--json", task, stdout=subprocess.PIPE)
        times = []
        for line in ("one", "two", "three"):
            gate.send(line)
            times.append(json.loads(follower.stdout.readline())["time"])
            # Output within 10 ms may share an entry of the index.
            time.sleep(0.03)
        gate.end()
        follower.communicate(timeout=DEADLINE_SEC)
        self.session.wait(task)
        for i, expected in enumerate(("one\ntwo\nthree\n", "two\nthree\n", "three\n")):
            local = datetime.datetime.fromtimestamp(times[i] / 1e6).strftime("%F %T.%f")
            self.assertEqual(self.ok("log", "--since", local, task), expected)
            self.assertEqual(self.ok("log", "--since", f"@{times[i] // 10 ** 6}.{times[i] % 10 ** 6:06}", task), expected)
        for since in ("10min", "1h 5min", "10min ago", "-1h", "yesterday"):
            self.assertEqual(self.ok("log", "--since", since, task), "one\ntwo\nthree\n")
        self.assertEqual(self.ok("log", "--since", "tomorrow", task), "")
        self.assertEqual(self.ok("log", "--since", "1h", "-n", "1", task), "three\n")
        self.fails(2, '--since wants a time, as in 10min, "2h ago"', "log", "--since", "soon", task)

    def test_time_of_day_is_the_last_one(self):
        """Unlike with --at: one that is to come was yesterday."""
        task = self.run_script("echo x")
        later = (datetime.datetime.now() + datetime.timedelta(minutes=2)).strftime("%H:%M:%S")
        self.assertEqual(self.ok("log", "--since", later, task), "x\n")

    def test_attempts(self):
        """Each with the line that says how it ended."""
        counter = self.work / f"count-{self.id()}"
        script = f'echo x >>{counter}; echo "this is $(wc -l <{counter})"; [ $(wc -l <{counter}) = 3 ]'
        task = self.run_script(script, retries=5, retry_delay="1ms")
        for i in (1, 2):
            self.assertRegex(self.ok("log", "--attempt", i, task),
                             rf"^this is {i}\n\n\[longrun\] attempt {i} failed .*\n$")
        self.assertEqual(self.ok("log", "--attempt", 3, task), "this is 3\n")
        last = self.session.run("log", "--attempt", 1, "-n", 1, "--stdout", task)
        self.assertEqual(last.stdout, "this is 1\n")
        self.assertTrue(last.stderr.startswith("\n[longrun] attempt 1 failed"), last.stderr)
        parts = [self.ok("log", "--attempt", i, task) for i in (1, 2, 3)]
        self.assertEqual("".join(parts), self.ok("log", task))
        for number in (0, 4):
            self.fails(1, f"has no attempt {number}: there are attempts 1 to 3", "log", "--attempt", number, task)
        self.fails(2, "--follow does not go together with --attempt", "log", "-f", "--attempt", 1, task)

    def test_last_line_of_a_stream(self):
        """What ended the attempts before is no part of it."""
        counter = self.work / f"count-{self.id()}"
        script = f'echo x >>{counter}; n=$(wc -l <{counter}); echo out $n; echo err $n >&2; [ $n = 3 ]'
        task = self.run_script(script, retries=5, retry_delay="1ms")
        for stream, name in (("--stderr", "err"), ("--stdout", "out")):
            last = self.session.run("log", stream, "-n", 1, task)
            self.assertEqual((last.stdout, last.stderr), (f"{name} 3\n", ""))
            two = self.session.run("log", stream, "-n", 2, task)
            self.assertEqual(two.stdout, f"{name} 2\n{name} 3\n")
            self.assertRegex(two.stderr, r"^\n\[longrun\] attempt 2 failed .*\n$")
            all_three = self.session.run("log", stream, "-n", 4, task)
            self.assertEqual(all_three.stdout, f"{name} 1\n{name} 2\n{name} 3\n")

    def test_lines_of_longrun(self):
        """In lines and in JSON there is nothing around them."""
        counter = self.work / f"count-{self.id()}"
        task = self.run_script(f'echo x >>{counter}; echo "  x "; [ $(wc -l <{counter}) = 2 ]', retries=1, retry_delay="1ms")
        lines = [json.loads(line) for line in self.ok("log", "--json", task).splitlines()]
        self.assertEqual([line["stream"] for line in lines], ["stdout", "longrun", "stdout"])
        self.assertRegex(lines[1]["text"], r"^\[longrun\] attempt 1 failed .*\S$")
        self.assertEqual(lines[2]["text"], "  x ")
        self.assertEqual(re.sub(rf"{STAMP} ", "", self.ok("log", "-t", task)),
                         f"out   x \n--  {lines[1]['text']}\nout   x \n")
        task = self.run_script("yes | head -c 200000", log_max=32768)
        texts = [json.loads(line) for line in self.ok("log", "--json", task).splitlines()]
        own = [line["text"] for line in texts if line["stream"] == "longrun"]
        self.assertEqual(len(own), 1)
        self.assertRegex(own[0], r"^\[longrun\] \d+ bytes are left out here \(log-max 32\.0K\)$")
        own = [line for line in self.ok("log", "-t", task).splitlines() if " --  " in line]
        self.assertRegex("\n".join(own), rf"^{STAMP} --  \[longrun\] \d+ bytes are left out here \(log-max 32\.0K\)$")

    def test_attempt_of_one(self):
        task = self.run_script("echo x")
        self.assertEqual(self.ok("log", "--attempt", 1, task), "x\n")
        self.fails(1, "has no attempt 2: there is only attempt 1", "log", "--attempt", 2, task)
        waits = self.session.start_task("true", at="+1h")
        self.fails(1, "has not been started yet", "log", "--attempt", 1, waits)
        self.assertEqual(self.ok("log", waits), "")

    def test_attempt_in_the_gap(self):
        """Of an attempt that the log has no more of, it is said that it is gone."""
        counter = self.work / f"count-{self.id()}"
        script = f'echo x >>{counter}; n=$(wc -l <{counter}); yes "this is $n" | head -c 200000; [ $n = 4 ]'
        task = self.run_script(script, retries=5, retry_delay="1ms", log_max=32768)
        r = self.session.run("log", "--attempt", 2, task)
        self.assertEqual((r.returncode, r.stdout), (0, ""))
        self.assertRegex(r.stderr, r"^longrun: 2\d{5} bytes of the log were left out \(log-max\)\n$")
        last = self.session.run("log", "--attempt", 4, task)
        self.assertEqual(set(last.stdout.splitlines()[1:]), {"this is 4"})
        self.assertRegex(last.stderr, r"^longrun: 1\d{5} bytes of the log were left out \(log-max\)\n$")

    def test_waiting_task(self):
        """Nothing so far; -f waits for the task, whatever of its log is asked for."""
        gate = self.gate()
        before = self.session.start_task(*gate.argv())
        task = self.session.start_task("sh", "-c", "echo out; echo err >&2", after=before)
        self.assertEqual(self.ok("log", task), "")
        self.assertEqual(self.ok("log", "--stderr", "-n", "3", task), "")
        follower = self.session.popen("log", "-f", "--stderr", "-n", "5", task, stdout=subprocess.PIPE)
        self.wait_for_inotify(follower)
        gate.end()
        self.assertEqual(follower.communicate(timeout=DEADLINE_SEC)[0], b"err\n")

    def test_wrong_calls(self):
        for args in (["--stdout", "--stderr"], ["--json", "-t"], ["--json", "--raw"], ["--raw", "--color", "always"]):
            self.fails(2, "does not go together with", "log", *args, "1")
        self.fails(2, 'wants auto, always or never, not "red"', "log", "--color", "red", "1")
        self.fails(1, "here is no task 4711", "log", "4711")
        self.fails(1, "here is no task 4711", "log", "--stderr", "-f", "4711")

    # streams and times

    def test_streams(self):
        """Lines that lie mixed in the file."""
        script = ("printf 'out ' ; sleep 0.05; echo err >&2; sleep 0.05; echo line; sleep 0.05; "
                  "printf 'last err' >&2; sleep 0.05; printf 'last out'")
        task = self.run_script(script)
        self.assertEqual(self.ok("log", task), "out err\nline\nlast errlast out")
        self.assertEqual(self.ok("log", "--stdout", task), "out line\nlast out")
        self.assertEqual(self.ok("log", "--stderr", task), "err\nlast err")
        self.assertEqual(self.ok("log", "--stderr", "-n", "1", task), "last err")
        text = self.ok("log", "--timestamps", task)
        self.assertRegex(text, rf"^{STAMP} err err\n{STAMP} out out line\n{STAMP} out last out\n{STAMP} err last err\n$")
        self.assertEqual(re.sub(STAMP, "", self.ok("log", "-t", "--stdout", task)), " out line\n last out\n")
        lines = [json.loads(line) for line in self.ok("log", "--json", task).splitlines()]
        self.assertEqual([(line["stream"], line["text"]) for line in lines],
                         [("stderr", "err"), ("stdout", "out line"), ("stdout", "last out"), ("stderr", "last err")])
        self.assertTrue(all(abs(line["time"] / 1e6 - datetime.datetime.now().timestamp()) < 600 for line in lines))

    def test_stamps_are_local_time(self):
        task = self.run_script("echo x")
        started = self.session.property(task, "StartedAt")
        for zone, offset in (("UTC0", 0), ("XYZ-5:30", 19800), ("ABC8", -28800)):
            stamp = self.ok("log", "-t", task, env={"TZ": zone}).split()[0]
            time = datetime.datetime.fromisoformat(stamp)
            self.assertEqual(time.utcoffset().total_seconds(), offset)
            self.assertLess(abs(time.timestamp() - started / 1e6), 60)

    def test_bars_keep_their_returns(self):
        task = self.run_script(r"printf '1%%\r2%%\r3%%\r\ndone\n'; printf '\r4%%' >&2")
        self.assertEqual(self.ok("log", task, text=False), b"1%\r2%\r3%\r\ndone\n\r4%")
        for args, expected in (([], b"@ out 1%\n@ out 2%\n@ out 3%\n@ out done\n@ err 4%\n"),
                               (["--raw"], b"@ out 1%\r@ out 2%\r@ out 3%\r\n@ out done\n@ err 4%\n")):
            text = self.ok("log", "-t", *args, task, text=False)
            self.assertEqual(re.sub(STAMP.encode(), b"@", text), expected)
        with Terminal(self.session, "log", "-t", task) as t:
            self.assertEqual(re.sub(STAMP, "@", t.finish()[1]),
                             "@ out 1%\r@ out 2%\r@ out 3%\r\r\n@ out done\r\n@ err 4%\r\n")

    def test_bars_in_a_pipe_are_lines(self):
        """Each with its own time, also where those of two streams lie mixed and one has no end."""
        task = self.run_script(r"printf '1%%\r\r2%%\r'; sleep 0.05; printf 'a\r' >&2; sleep 0.05; printf '3%%\r\n\n4%%'")
        text = self.ok("log", "-t", task, text=False).decode()
        self.assertNotIn("\r", text)
        self.assertEqual(re.sub(STAMP, "@", text), "@ out 1%\n@ out 2%\n@ err a\n@ out 3%\n@ out \n@ out 4%\n")

    def test_json_of_anything(self):
        task = self.run_script(r"""printf 'tab\t"quote" \\ back \033[31mred\033[0m \377 \303\251\n\n\000\a'""")
        lines = [json.loads(line)["text"] for line in self.ok("log", "--json", task).splitlines()]
        self.assertEqual(lines, ['tab\t"quote" \\ back red \ufffd é', "", ""])

    def test_long_line(self):
        task = self.run_script("head -c 1M /dev/zero | tr '\\0' x; echo; echo next")
        text = self.ok("log", "-t", task)
        self.assertRegex(text, rf"^{STAMP} out x{{1048576}}\n{STAMP} out next\n$")

    def test_gap_and_streams(self):
        """The line at the gap is no stream's: with one of them alone it is said beside."""
        script = "for i in $(seq 2000); do echo out $i; echo err $i >&2; done; yes | head -c 200000"
        task = self.run_script(script, log_max=32768)
        out = self.session.run("log", "--stdout", task, text=False)
        self.assertNotIn(b"longrun", out.stdout)
        self.assertNotIn(b"\0", out.stdout)
        number = int(MARK.search(out.stderr).group(1))
        size = self.session.property(task, "LogSize")
        err = self.session.run("log", "--stderr", task, text=False)
        self.assertEqual(set(re.sub(rb"\d+", b"", line) for line in err.stdout.splitlines()[:-1]), {b"err "})
        self.assertEqual(len(out.stdout) + len(err.stdout) + number, size)
        stamped = self.ok("log", "-t", task)
        self.assertRegex(stamped, rf"(?m)^{STAMP} --  \[longrun\] {number} bytes are left out here")

    def test_index_is_lost(self):
        """Without it all is there still, and what is not known is said."""
        task = self.run_script("echo out; echo err >&2")
        path = self.session.property(task, "LogFile")
        os.unlink(path.replace(".log", ".idx"))
        self.assertEqual(self.ok("log", task), "out\nerr\n")
        r = self.session.run("log", "--stderr", task)
        self.assertEqual((r.returncode, r.stdout), (0, "out\nerr\n"))
        self.assertIn("of 8 bytes it is not known any more which stream they are of", r.stderr)
        self.assertEqual(self.ok("log", "-t", task), "-                             ?   out\n"
                                                     "-                             ?   err\n")

    # escape sequences

    ESCAPES = (r"printf '\033[1;31mred\033[0m \033]0;title\007\033]52;c;aGk=\033\\\033[2J\033[3Aup \033Pdcs\033\\"
               r"\033[>4;1m\302\233m\a\010x 10%%\033[K\r\n\033]0;never ended\nend \033[32m'")
    STRIPPED = "red up \xc2\x9bm\a\bx 10%\r\n\nend "

    def test_escapes_in_a_pipe(self):
        task = self.run_script(self.ESCAPES)
        raw = self.ok("log", "--raw", task, text=False)
        self.assertIn(b"\x1b]52;c;", raw)
        self.assertEqual(len(raw), self.session.property(task, "LogSize"))
        self.assertEqual(self.ok("log", task, text=False), self.STRIPPED.encode("latin1"))
        self.assertEqual(self.ok("log", "--color", "never", task, text=False), self.STRIPPED.encode("latin1"))
        self.assertEqual(self.ok("log", "--color", "always", task, text=False),
                         b"\x1b[1;31mred\x1b[0m up m\bx 10%\x1b[K\r\n\nend \x1b[32m\x1b[0m")
        self.assertEqual(self.session.run("start", "-f", "-q", "--", "sh", "-c", self.ESCAPES, text=False).stdout, raw)

    def test_escapes_on_a_terminal(self):
        task = self.run_script(self.ESCAPES)
        coloured = "\x1b[1;31mred\x1b[0m up m\bx 10%\x1b[K\r\r\n\r\nend \x1b[32m\x1b[0m"
        plain = "red up m\bx 10%\x1b[K\r\r\n\r\nend "
        table = [({}, [], coloured), ({"NO_COLOR": "1"}, [], plain), ({}, ["--color", "never"], plain),
                 ({"NO_COLOR": "1"}, ["--color", "always"], coloured),
                 ({"TERM": "dumb"}, [], "red up m\bx 10%\r\r\n\r\nend ")]
        for env, args, expected in table:
            for follow in ([], ["-f"]):
                with self.subTest((env, args, follow)), Terminal(self.session, "log", *args, *follow, task, env=env) as t:
                    self.assertEqual(t.finish(), (0, expected))

    def test_colours_end_with_their_line(self):
        task = self.run_script(r"printf '\033[31mred\n' ; sleep 0.05; echo plain >&2; printf 'a\nb\033[1mc\n'")
        text = re.sub(STAMP, "@", self.ok("log", "-t", "--color", "always", task))
        self.assertEqual(text, "@ out \x1b[31mred\x1b[0m\n@ err plain\n@ out a\n@ out b\x1b[1mc\x1b[0m\n")

    # files

    def test_file(self):
        """It is a plain file, and where it is can be seen."""
        task = self.run_script("echo needle in $$ >&2; echo hay")
        path = self.session.property(task, "LogFile")
        self.assertEqual(subprocess.run(["grep", "-c", "needle", path], capture_output=True, text=True).stdout, "1\n")
        self.assertIn(f"Log file: {path}\n", self.ok("show", task))
        self.assertEqual(json.loads(self.ok("show", "--json", task))["log-file"], path)
        self.assertIn(path, [t["log-file"] for t in json.loads(self.ok("list", "--json"))])
        silent = self.run_script("true")
        self.assertNotIn("Log file", self.ok("show", silent))
        self.assertEqual(self.session.property(silent, "LogFile"), "")

    def test_reader_goes_early(self):
        """As with | head: no complaint."""
        task = self.run_script("yes | head -c 20000000")
        for args in (["log"], ["log", "-t"], ["log", "-f"], ["log", "--json"]):
            reader = self.session.popen(*args, task, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            reader.stdout.read(10)
            reader.stdout.close()
            self.assertEqual((reader.stderr.read(), reader.wait(DEADLINE_SEC)), (b"", -signal.SIGPIPE))
            reader.stderr.close()
        ignoring = subprocess.run(["sh", "-c", f'trap "" PIPE; "{self.session.longrun}" log {task} | head -c 5'],
                                  env=self.session.env, capture_output=True, text=True, check=False)
        self.assertEqual((ignoring.stdout, ignoring.stderr), ("y\ny\ny", ""))

    def test_stdout_is_closed(self):
        """No descriptor of the program itself takes its place."""
        task = self.run_script("echo text")
        for args in ("log", "log -f", "watch", "list"):
            r = subprocess.run(["sh", "-c", f'"{self.session.longrun}" {args} {task if args != "list" else ""} >&-'],
                               env=self.session.env, capture_output=True, text=True, check=False)
            self.assertEqual(r.returncode, 1)
            self.assertRegex(r.stderr, r"^longrun: cannot .* to stdout: Bad file descriptor\n$")


class LikeHere(Case):
    """start --follow."""

    def test_each_stream_to_its_own(self):
        script = r"echo out; echo err >&2; printf 'a\033[31m\000\377'; printf 'b\033]0;x\007' >&2; exit 7"
        r = self.session.run("start", "-f", "-q", "--", "sh", "-c", script, text=False)
        direct = subprocess.run(["sh", "-c", script], capture_output=True, check=False)
        self.assertEqual((r.returncode, r.stdout, r.stderr), (7, direct.stdout, direct.stderr))
        r = self.session.run("run", "-f", "-q", "countdown", "-p", "steps=1", "-p", "step_ms=1")
        self.assertEqual(r.stderr, "")

    def test_order(self):
        """Where both go to the same place, it is the order in which the task has written."""
        gate = self.gate()
        script = 'while read -r line <&3; do case $line in end) exit;; o*) echo $line;; *) echo $line >&2;; esac; done 3<"$0"'
        follower = self.session.popen("start", "-f", "-q", "--", "sh", "-c", script, str(gate.path), stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT)
        for i in range(100):
            line = f"{'oe'[i * 7 % 5 % 2]}{i}"
            gate.send(line)
            self.assertEqual(follower.stdout.readline().decode(), line + "\n")
        gate.end()
        self.assertEqual(follower.communicate(timeout=DEADLINE_SEC)[0], b"")

    def test_first_of_each_stream(self):
        """Of two writes right after each other the first one comes first, whichever stream it is."""
        for script, expected in (("printf out; printf err >&2", b"outerr"), ("printf err >&2; printf out", b"errout")):
            for _ in range(20):
                r = self.session.run("start", "-f", "-q", "--", "sh", "-c", script, text=False, stderr=subprocess.STDOUT)
                self.assertEqual(r.stdout, expected)

    def test_what_longrun_says(self):
        """It is no part of the output of the command."""
        r = self.session.run("start", "-f", "-q", "--retries", "1", "--retry-delay", "1ms", "--", "sh", "-c", "echo x; exit 1")
        self.assertEqual((r.returncode, r.stdout), (1, "x\nx\n"))
        self.assertRegex(r.stderr, r"\n\[longrun\] attempt 1 failed \(exit code 1\)")

    def test_stopped_by_a_key(self):
        """Ctrl-Z stops the looking on, says so, and fg goes on with all that came meanwhile."""
        gate = self.gate()
        command = "while read -r line; do [ \"$line\" = end ] && exit 4; echo \"$line\"; done <\"$0\""
        script = f"\"$LONGRUN\" start -f -- sh -c '{command}' {gate.path}; echo \"status $?\"; read -r x; fg; echo \"then $?\""
        with Terminal(Shell(self.session), script) as t:
            gate.send("one")
            task = int(re.search(r"Started task (\d+)", t.read_until("one\r\n")).group(1))
            t.press(b"\x1a")
            text = t.read_until("status 148")
            self.assertIn(f"You have stopped looking on; task {task} goes on.", text)
            self.assertIn(f"longrun pause {task}", text)
            other = self.session.popen("log", "-f", task, stdout=subprocess.PIPE)
            other.stdout.readline()
            gate.send("two")
            self.assertEqual(other.stdout.readline(), b"two\n")
            self.assertEqual(self.session.property(task, "State"), "running")
            self.assertNotIn("two\r\n", t.output.decode())
            t.press(b"\n")
            t.read_until("two\r\n")
            # Once more: it was not only the first one.
            gate.send("three")
            t.read_until("three\r\n")
            gate.end()
            code, text = t.finish()
            other.communicate(timeout=DEADLINE_SEC)
        self.assertEqual(code, 0)
        self.assertEqual(text.count("two\r\n"), 1)
        self.assertIn("then 4", text)

    def test_stopped_twice(self):
        gate = self.gate()
        command = "while read -r line; do [ \"$line\" = end ] && exit; echo \"$line\"; done <\"$0\""
        script = (f"\"$LONGRUN\" start -f -- sh -c '{command}' {gate.path}; echo \"status $?\"; fg; echo \"again $?\"; fg; "
                  "echo \"then $?\"")
        with Terminal(Shell(self.session), script) as t:
            gate.send("one")
            t.read_until("one\r\n")
            t.press(b"\x1a")
            t.read_until("status 148")
            gate.send("two")
            t.read_until("two\r\n")
            t.press(b"\x1a")
            t.read_until("again 148")
            gate.send("three")
            t.read_until("three\r\n")
            gate.end()
            _, text = t.finish()
        self.assertEqual(text.count("You have stopped looking on"), 2)
        self.assertIn("then 0", text)

    def test_stopped_while_it_hands_on(self):
        """There are two processes then, of which one says so."""
        script = "\"$LONGRUN\" start -f --stdin - cat; echo \"status $?\"; fg; echo \"then $?\""
        with Terminal(Shell(self.session), script) as t:
            t.read_until("Started task")
            t.press(b"one\n")
            t.read_until("one\r\none\r\n")
            t.press(b"\x1a")
            t.read_until("status 148")
            t.press(b"two\n")
            t.read_until("two\r\ntwo\r\n")
            t.press(b"\x04")
            text = t.finish()[1]
        self.assertEqual(text.count("You have stopped looking on"), 1)
        self.assertIn("then 0", text)

    def test_other_ends_of_the_follower(self):
        """A terminal that is closed, a kill: the task goes on."""
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGKILL, signal.SIGQUIT):
            gate = Gate(self.session, f"gate-{number}")
            if number != signal.SIGKILL:
                signal.signal(number, signal.SIG_DFL)  # who runs the tests in the background may ignore it
            follower = self.session.popen("start", "-f", "--", *gate.argv(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                          text=True)
            task = int(re.match(r"Started task (\d+)", follower.stderr.readline()).group(1))
            gate.send("x")
            follower.stdout.readline()
            follower.send_signal(number)
            follower.communicate(timeout=DEADLINE_SEC)
            self.assertEqual(follower.returncode, -number)
            self.assertEqual(self.session.property(task, "State"), "running")
            gate.end()
            self.assertEqual(self.session.wait(task)[0][1], "succeeded")
            gate.close()


class Followers(Case):
    """Many of one task that prints much."""

    SIZE = (64 if sanitized() else 300) << 20

    def digest(self, stream):
        crc = size = 0
        while data := stream.read1(1 << 20):
            crc = zlib.crc32(data, crc)
            size += len(data)
        return size, crc

    def memory(self):
        with open(f"/proc/{self.session.daemon.pid}/status", encoding="utf-8") as f:
            return int(re.search(r"VmRSS:\s+(\d+) kB", f.read()).group(1)) << 10

    def test_all_get_all(self):
        """Each byte, also one that stood still until the task had ended; and the daemon has nothing to do with it."""
        gate = self.gate()
        script = '"$@"; yes 0123456789abcdefghijklmnopqrstuvwxyz | head -c ' + str(self.SIZE)
        task = self.session.start_task("sh", "-c", script, "sh", *gate.argv())
        followers = [self.session.popen("log", "-f", task, stdout=subprocess.PIPE) for _ in range(3)]
        followers.append(self.session.popen("log", "-f", "--stdout", "--raw", task, stdout=subprocess.PIPE))
        gate.send("begin")
        for follower in followers:
            self.assertEqual(follower.stdout.readline(), b"begin\n")
        stopped = followers[2]
        stopped.send_signal(signal.SIGSTOP)
        before = self.memory()
        results = {}

        def read(follower):
            results[follower.pid] = self.digest(follower.stdout)

        threads = [threading.Thread(target=read, args=(follower,)) for follower in followers]
        for thread in threads:
            thread.start()
        gate.end()
        self.session.wait(task)
        after = self.memory()
        stopped.send_signal(signal.SIGCONT)
        for follower, thread in zip(followers, threads):
            thread.join(DEADLINE_SEC)
            self.assertEqual(follower.wait(DEADLINE_SEC), 0)
            follower.stdout.close()
        line = b"0123456789abcdefghijklmnopqrstuvwxyz\n"
        crc = 0
        block = line * 30000
        for at in range(0, self.SIZE, len(block)):
            crc = zlib.crc32(block[:self.SIZE - at], crc)
        self.assertEqual(set(results.values()), {(self.SIZE, crc)})
        if not sanitized():
            self.assertLess(after - before, 2 << 20)


if __name__ == "__main__":
    os.umask(0o22)
    main()
