"""For tests of the command line client."""

import itertools
import json
import os
import select
import subprocess
import time
import unittest

from fake_daemon import FakeDaemon, run
from longrun_testing import DEADLINE_SEC, LOGOUT_STAMP, ROOT, Gate, GLib, Session, variant

# Keys of a listed task, as the interface Manager documents them.
TASK_KEYS = {"id", "kind", "label", "group", "state", "reason", "progress", "phase", "done", "total", "unit",
             "rate", "expected-end-time", "progress-source", "status", "created-at", "started-at", "finished-at", "attempt", "exit-code", "exit-signal", "message", "has-result",
             "usage", "unique", "params", "argv", "cwd", "clear-env", "umask", "timeout", "idle-timeout",
             "queue-timeout", "stop-timeout", "memory-max", "pids-max", "cpu-weight", "nice", "on-interrupt", "notify", "isolate",
             "log-max", "result-max", "pid", "log-size", "log-begin", "log-file", "priority", "after", "after-any", "after-failed", "when-online",
             "start-at", "due-at", "resources", "parent", "children", "retries", "retry-delay", "retry-on", "retry-of",
             "attempts", "every", "calendar", "persistent", "stdin-open", "stdin-file",
             "stdin-size", "pty", "pty-size"}

HOUR = 3600_000_000


def now():
    return int(time.time() * 1e6)


def started(*_):
    """An answer to a start: it is task 7."""
    return GLib.Variant("(to)", (7, f"{ROOT}/task/7"))


def waiting(**more):
    """Properties of task 7, which waits."""
    properties = {"Id": variant("t", 7), "State": variant("s", "waiting"), "Reason": variant("s", ""),
                  "CreatedAt": variant("t", now()), "DueAt": variant("t", 0), "Label": variant("s", "x"),
                  "Every": variant("t", 0), "Calendar": variant("s", "")}
    return {7: properties | more}


class Reader:
    """A longrun that goes on, and what it prints as it comes."""

    def __init__(self, case, *args, **kwargs):
        self.process = case.session.popen(*args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kwargs)
        self.buffer = b""
        case.addCleanup(self.stop)

    def line(self):
        """The next line without its end; a deadline for it."""
        deadline = time.monotonic() + DEADLINE_SEC
        while b"\n" not in self.buffer:
            if not select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))[0]:
                raise AssertionError(f"no more lines came; the beginning of one: {self.buffer!r}")
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                raise AssertionError(f"it has ended: {self.process.communicate(timeout=DEADLINE_SEC)}")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode()

    def lines(self, n):
        return [self.line() for _ in range(n)]

    def until(self, *parts):
        """Lines up to the one that has all of these parts."""
        deadline = time.monotonic() + DEADLINE_SEC
        lines = [self.line()]
        while not all(part in lines[-1] for part in parts):
            if time.monotonic() > deadline:
                raise AssertionError(f"{parts} did not come; the last lines: {lines[-20:]}")
            lines.append(self.line())
        return lines

    def stop(self):
        """Kills it; gives what it has said on stderr."""
        if self.process.returncode is None:
            self.process.kill()
            return self.process.communicate()[1].decode()
        return ""


class Case(unittest.TestCase):
    """Tests that share a session."""

    arguments = ("--max-parallel=16",)
    numbers = itertools.count()

    @classmethod
    def setUpClass(cls):
        cls.session = cls.enterClassContext(Session(arguments=cls.arguments))
        cls.work = cls.session.directory / "work"

    def gate(self):
        gate = Gate(self.session, f"gate-{self.id()}-{next(self.numbers)}")
        self.addCleanup(gate.close)
        return gate

    def start_gate(self, code=0, **options):
        """Gives a gate and the task behind it, which runs and has printed "up"."""
        gate = self.gate()
        task = self.session.start_task(*gate.argv(code), **options)
        gate.send("up")
        self.wait_for_output(task, "up")
        return gate, task

    def wait_for_output(self, task, line):
        with self.session.popen("log", "-f", task, stdout=subprocess.PIPE, text=True) as reader:
            self.assertEqual(reader.stdout.readline(), line + "\n")
            reader.kill()

    def until_property(self, task, name, condition):
        """Of what the daemon hears later than it answers: asks for the property until the condition holds for it."""
        deadline = time.monotonic() + DEADLINE_SEC
        while not condition(value := self.session.property(task, name)):
            self.assertLess(time.monotonic(), deadline, f"{name} of task {task} is {value}")

    def until_state(self, task, state):
        self.until_property(task, "State", lambda value: value == state)

    def ok(self, *args, **kwargs):
        """Runs the CLI, which must succeed and say nothing on stderr; gives its stdout."""
        r = self.session.run(*args, **kwargs)
        self.assertEqual((r.returncode, r.stderr), (0, "" if kwargs.get("text", True) else b""), r)
        return r.stdout

    def json(self, *args):
        return json.loads(self.ok(*args))

    def remove_ended(self):
        ended = [task["id"] for task in self.json("list", "--all", "--json")]
        self.session.call("RemoveTasks", "(at)", ended)

    def fails(self, code, text, *args, **kwargs):
        """Runs the CLI, which must fail with that status and a message that has the text in it."""
        r = self.session.run(*args, **kwargs)
        self.assertEqual(r.returncode, code, r)
        self.assertRegex(r.stderr, "^longrun: ")
        self.assertIn(text, r.stderr)
        # Names of D-Bus errors are for programs.
        self.assertNotIn("org.freedesktop.DBus.Error", r.stderr)
        return r


class FakeCase(unittest.TestCase):
    """Tests with a stand-in for longrund, which daemon() makes."""

    def setUp(self):
        self.session = self.enterContext(Session(daemon=False))
        self.stamp = self.session.directory / "runtime" / LOGOUT_STAMP

    def daemon(self, **kwargs):
        fake = FakeDaemon(self.session, **kwargs)
        self.addCleanup(fake.gone)
        return fake

    def ok(self, *args, **kwargs):
        out, err, code = run(self.session, *args, **kwargs)
        self.assertEqual((err, code), ("", 0))
        return out

    def json(self, *args):
        return json.loads(self.ok(*args))

    def fails(self, code, text, *args):
        """Runs the CLI, which must fail with that status and a message that has the text in it; gives its stdout."""
        out, err, status = run(self.session, *args)
        self.assertEqual(status, code, err)
        self.assertRegex(err, "^longrun: ")
        self.assertIn(text, err)
        return out
