#!/usr/bin/python3
"""longrund goes away and comes back: wait, watch, log -f and start -f go on where they were.

    LONGRUND=PATH LONGRUN=PATH test_cli_again.py
"""

import json
import os
import re
import signal
import subprocess
import unittest

from fake_daemon import FakeDaemon, finish
from longrun_testing import DEADLINE_SEC, NAME, ROOT, Gate, GLib, Session, Terminal, main, variant


def ended(task, state="failed", code=7):
    return lambda *_: GLib.Variant("(a(tsi))", ([(task, state, code)],))


def task_properties(task, **more):
    properties = {"Id": variant("t", task), "Kind": variant("s", "command"), "Label": variant("s", "x"),
                  "State": variant("s", "running"), "Progress": variant("d", -1), "Done": variant("t", 0),
                  "Total": variant("t", 0), "Phase": variant("s", ""), "Status": variant("s", ""),
                  "Message": variant("s", "")}
    return {task: properties | more}


class Moments(unittest.TestCase):
    """The daemon goes at one exact moment: a stand-in for it does."""

    def setUp(self):
        self.session = self.enterContext(Session(daemon=False))
        self.log = self.session.directory / "log"
        self.log.write_bytes(b"one\n")

    def daemon(self, **kwargs):
        kwargs.setdefault("tasks", task_properties(5))
        fake = FakeDaemon(self.session, log_path=self.log, **kwargs)
        self.addCleanup(fake.gone)
        return fake

    def client(self, *args):
        client = self.session.popen(*args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(client.wait)
        self.addCleanup(client.kill)
        return client

    def finish(self, client):
        return finish(self.session, client)

    def test_wait(self):
        """It asks each daemon that comes, as soon as it comes."""
        client = self.client("wait", 5)
        # Where nothing is on the bus, nothing is waited for.
        self.assertEqual(self.finish(client)[2], 1)
        first = self.daemon()
        client = self.client("wait", 5)
        for _ in range(3):
            first.until_asked("Wait")
            first.gone()
            first = self.daemon()
        first.until_asked("Wait")
        first.gone()
        last = self.daemon(answers={"Wait": ended(5)})
        self.assertEqual(self.finish(client), ("Task 5 failed, exit code 7\n", "", 7))
        self.assertEqual(last.asked("Wait"), [([5],)])

    def test_says_that_it_waits(self):
        first = self.daemon()
        client = self.client("wait", 5)
        first.until_asked("Wait")
        first.gone()
        self.assertEqual(client.stderr.readline(), "longrun: longrund has gone away; waiting for it to come back\n")
        self.daemon(answers={"Wait": ended(5)})
        self.assertEqual(self.finish(client), ("Task 5 failed, exit code 7\n", "", 7))

    def test_the_next_one_does_not_know_it(self):
        """That is an answer as any."""
        first = self.daemon()
        clients = [self.client(*args, 5) for args in (("wait",), ("log", "-f"))]
        first.until_asked("Wait", 2)
        first.gone()
        self.daemon(errors={"Wait": (f"{NAME}.Error.NoSuchTask", "There is no task 5")})
        for client in clients:
            _, err, code = self.finish(client)
            self.assertEqual((err, code), ("longrun: There is no task 5\n", 1))

    def test_log_follow(self):
        first = self.daemon()
        client = self.client("log", "-f", 5)
        first.until_asked("Wait")
        self.assertEqual(client.stdout.readline(), "one\n")
        first.gone()
        # The shim goes on writing, with nobody on the bus.
        with open(self.log, "ab") as f:
            f.write(b"two\n")
        self.assertEqual(client.stdout.readline(), "two\n")
        second = self.daemon(answers={"Wait": ended(5)})
        with open(self.log, "ab") as f:
            f.write(b"three\n")
        out, err, code = self.finish(client)
        self.assertEqual((out, err, code), ("three\n", "", 0))
        self.assertEqual(second.asked("OpenLog"), [])

    def test_before_the_log_is_open(self):
        first = self.daemon(silent={"OpenLog"})
        client = self.client("log", "-f", 5)
        first.until_asked("OpenLog")
        first.gone()
        self.daemon(answers={"Wait": ended(5)})
        self.assertEqual(self.finish(client), ("one\n", "", 0))

    def test_before_the_last_word(self):
        """It has said that the task has ended, and goes before it says how."""
        first = self.daemon(answers={"Wait": ended(5)}, silent={"GetAll"})
        client = self.client("watch", 5)
        first.until_asked("GetAll", 2)
        first.gone()
        self.daemon(tasks=task_properties(5, State=variant("s", "failed"), Message=variant("s", "exit code 7")))
        self.assertEqual(self.finish(client), ("failed exit code 7\n", "", 7))

    def test_start_is_not_asked_twice(self):
        """Nobody knows whether the daemon has started it."""
        first = self.daemon()
        client = self.client("start", "true")
        first.until_asked("StartCommand")
        first.gone()
        self.daemon()
        _, err, code = self.finish(client)
        self.assertEqual(code, 1)
        self.assertRegex(err, '^longrun: longrund has gone away.*"longrun list"')

    def test_older_daemon(self):
        """What it does not know yet is said in words that help."""
        unknown = ("org.freedesktop.DBus.Error.UnknownMethod", "No such method")
        self.daemon(errors={"OpenLogIndex": unknown})
        self.assertEqual(self.finish(self.client("log", 5)), ("one\n", "", 0))
        out, err, code = self.finish(self.client("log", "--stderr", 5))
        self.assertEqual((out, code), ("", 1))
        self.assertIn("longrund is of an older version", err)

    def test_start_follow(self):
        first = self.daemon(answers={"StartCommand": lambda *_: GLib.Variant("(to)", (5, f"{ROOT}/task/5"))})
        client = self.client("start", "-f", "-q", "true")
        first.until_asked("Wait")
        first.gone()
        second = self.daemon(answers={"Wait": ended(5, "timed-out", 143)},
                             tasks=task_properties(5, Message=variant("s", "timed out after 1s")))
        out, err, code = self.finish(client)
        self.assertEqual((out, code), ("one\n", 124))
        self.assertEqual(err, "longrun: task 5 timed-out: timed out after 1s\n")
        self.assertEqual(second.asked("StartCommand"), [])

    def test_watch(self):
        first = self.daemon()
        client = self.client("watch", "--json", 5)
        first.until_asked("Wait")
        self.session.until(lambda: first.asked("GetAll"), "the properties to be read")
        self.assertEqual(json.loads(client.stdout.readline())["state"], "running")
        first.gone()
        # What happened in between is seen though it was not announced.
        second = self.daemon(tasks=task_properties(5, Status=variant("s", "half of it"), Progress=variant("d", 0.5)))
        second.until_asked("GetAll")
        self.assertEqual(json.loads(client.stdout.readline())["status"], "half of it")
        second.until_asked("Wait")
        second.gone()
        final = {"State": variant("s", "succeeded"), "Progress": variant("d", 1)}
        self.daemon(answers={"Wait": ended(5, "succeeded", 0)}, tasks=task_properties(5, **final))
        out, err, code = self.finish(client)
        self.assertEqual((err, code), ("", 0))
        self.assertEqual([json.loads(line)["state"] for line in out.splitlines()], ["succeeded"])

    def test_watch_on_a_terminal(self):
        """The bar is not written into."""
        first = self.daemon()
        with Terminal(self.session, "watch", 5) as t:
            first.until_asked("Wait")
            t.read_until("running")
            first.gone()
            text = t.read_until("come back")
            self.assertRegex(text, r"\n\r?longrun: longrund has gone away")
            self.daemon(answers={"Wait": ended(5, "cancelled", -1)},
                        tasks=task_properties(5, State=variant("s", "cancelled")))
            self.finish(t.process)
            code, text = t.finish()
        self.assertEqual(code, 130)
        self.assertTrue(text.replace("\x1b[K", "").endswith("\r\n"), text)

    def test_bus_goes(self):
        first = self.daemon()
        clients = [self.client(*args, 5) for args in (("wait",), ("log", "-f"), ("watch",))]
        first.until_asked("Wait", 3)
        self.session.bus.kill()
        self.session.connection = None
        for client in clients:
            _, err = client.communicate(timeout=DEADLINE_SEC)
            self.assertEqual(client.returncode, 1)
            self.assertRegex(err, r"^longrun: .*is lost")


class Real(unittest.TestCase):
    """The same with longrund itself, which knows its tasks again."""

    def setUp(self):
        self.session = self.enterContext(Session())

    def clients(self, task):
        """Each has asked for the end when it shows something."""
        args = (("log", "-f", task), ("watch", task), ("watch", "--json", task))
        clients = {a: self.session.popen(*a, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for a in args}
        for client in clients.values():
            self.addCleanup(client.wait)
            self.addCleanup(client.kill)
            self.assertTrue(client.stdout.readline())
        return clients

    def check(self, signum):
        gate = Gate(self.session)
        self.addCleanup(gate.close)
        task = self.session.start_task(*gate.argv(3))
        gate.send("one")
        clients = self.clients(task)
        self.session.kill_daemon(signum)
        gate.send("two")
        self.assertEqual(clients["log", "-f", task].stdout.readline(), "two\n")
        self.session.start_daemon()
        gate.send("three")
        self.assertEqual(clients["log", "-f", task].stdout.readline(), "three\n")
        gate.end()
        for args, client in clients.items():
            with self.subTest(args):
                out, err = client.communicate(timeout=DEADLINE_SEC)
                self.assertEqual((client.returncode, err), (0 if args[0] == "log" else 3, ""))
                if args[0] == "log":
                    self.assertEqual(out, "")
                else:
                    self.assertIn("failed", out.splitlines()[-1])

    def test_killed(self):
        self.check(signal.SIGKILL)

    def test_restarted(self):
        self.check(signal.SIGTERM)

    def test_start_follow(self):
        gate = Gate(self.session)
        self.addCleanup(gate.close)
        client = self.session.popen("start", "-f", "--", *gate.argv(9), stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, text=True)
        task = int(re.match(r"Started task (\d+)", client.stderr.readline()).group(1))
        lines = [str(i) for i in range(30)]
        for i, line in enumerate(lines):
            gate.send(line)
            self.assertEqual(client.stdout.readline(), line + "\n")
            if i % 10 == 5:
                self.session.kill_daemon(signal.SIGKILL)
            if i % 10 == 8:
                self.session.start_daemon()
        gate.end()
        out, err = client.communicate(timeout=DEADLINE_SEC)
        self.assertEqual((out, client.returncode), ("", 9))
        self.assertEqual(err, f"longrun: task {task} failed: exit code 9\n")

    def test_ended_meanwhile(self):
        gate = Gate(self.session)
        self.addCleanup(gate.close)
        task = self.session.start_task(*gate.argv(3))
        gate.send("one")
        clients = self.clients(task)
        self.session.kill_daemon(signal.SIGKILL)
        gate.send("two")
        gate.end()
        follower = clients["log", "-f", task]
        self.assertEqual(follower.stdout.readline(), "two\n")
        self.session.start_daemon()
        self.assertEqual(self.session.wait(task), [(task, "failed", 3)])
        for args, client in clients.items():
            client.communicate(timeout=DEADLINE_SEC)
            self.assertEqual(client.returncode, 0 if args[0] == "log" else 3)


class Activated(unittest.TestCase):
    """Nobody starts it again but the client that waits."""

    def test_wait(self):
        with Session(activatable=True) as session:
            gate = Gate(session)
            task = session.start_task(*gate.argv(4))
            gate.send("x")
            client = session.popen("log", "-f", task, stdout=subprocess.PIPE)
            self.assertEqual(client.stdout.readline(), b"x\n")
            waiter = session.popen("wait", task, stdout=subprocess.DEVNULL)
            info = json.loads(session.run("info", "--json").stdout)
            os.kill(info["pid"], signal.SIGKILL)
            gate.end()
            self.assertEqual(waiter.wait(DEADLINE_SEC), 4)
            self.assertEqual(client.communicate(timeout=DEADLINE_SEC)[0], b"")
            self.assertEqual(client.returncode, 0)
            again = json.loads(session.run("info", "--json").stdout)
            self.assertNotEqual(again["pid"], info["pid"])
            gate.close()


if __name__ == "__main__":
    os.umask(0o22)
    main()
