#!/usr/bin/python3
"""Messages: from clients to tasks, from a task to its parent, from a parent to its children; and what becomes of those
that nobody takes.

    LONGRUND=PATH test_messages.py
"""

import signal

from daemon_testing import DaemonTestCase, main
from longrun_testing import DEADLINE_SEC

# Writes down each line that comes on stdin, until "end".
READER = 'while read -r line; do [ "$line" = end ] && exit 0; echo "got $line"; done; exit 9'


class MessageTestCase(DaemonTestCase):
    ARGUMENTS = ("--max-parallel=0",)

    def setUp(self):
        super().setUp()
        self.fifo = self.session.fifo("said")

    def wait_log(self, task, text):
        self.session.wait_until(lambda: text in task.read_log().decode(), f"{text!r} in the log of task {task.id}")

    def messages(self, task):
        """Signals Message of the task that have come: from and text of each."""
        return [s.args for s in task.signals("Message")]

    def wait_messages(self, task, *expected):
        self.session.wait_until(lambda: len(self.messages(task)) >= len(expected), f"messages of task {task.id}")
        self.assertEqual(self.messages(task), list(expected))

    def begun(self, script, before=":", **options):
        task = self.session.shell(f"{before}; echo begun >{self.fifo.path}; {script}", **options)
        self.assertEqual(self.fifo.read_line(), "begun")
        return task

    def reader(self, **options):
        return self.begun(READER, stdin_open=True, **options)

    def countdown(self, isolate=False, **options):
        """One that waits for messages until it is cancelled."""
        task = self.session.start("countdown", {"steps": 1, "step_ms": 10000000}, isolate=isolate, **options)
        self.wait_log(task, "Task started")
        return task

    def send(self, task, text):
        task.call("Send", "(s)", text)

    def send_to_children(self, task, text):
        return task.call("SendToChildren", "(s)", text)[0]


class SendTest(MessageTestCase):
    def test_command(self):
        task = self.reader()
        for text in ("hello", "", "two words", "ümlaut", "$HOME `x`"):
            self.send(task, text)
        self.wait_messages(task, *((0, t) for t in ("hello", "", "two words", "ümlaut", "$HOME `x`")))
        self.send(task, "end")
        self.assertEnds(task, "succeeded", 0)
        self.assertEqual(task.read_log().decode(), "got hello\ngot \ngot two words\ngot ümlaut\ngot $HOME `x`\n")

    def test_kinds(self):
        for isolate in (False, True):
            with self.subTest(isolate=isolate):
                task = self.countdown(isolate)
                for text in ("one", "two"):
                    self.send(task, text)
                self.wait_log(task, "Message received: one\nMessage received: two\n")
                self.wait_messages(task, (0, "one"), (0, "two"))
                task.cancel()
                self.assertEqual(task.finished()[0], "cancelled")

    def test_isolated_params(self):
        """They come first on the same stdin, on one line, whatever is in them."""
        for params in ('{\n"steps": 1,\n "step_ms": 1, "message": "a\\"b ü"\n}', "{\"steps\":1,\"step_ms\":1}"):
            task = self.session.start("countdown", params, isolate=True)
            self.assertEqual(task.finished()[0], "succeeded")

    def test_bad_messages(self):
        task = self.reader()
        with self.assertError("InvalidOption", "A message is one line"):
            self.send(task, "two\nlines")
        with self.assertError("InvalidOption", "at most 4096 bytes: this one has 4097"):
            self.send(task, "x" * 4097)
        with self.assertError("InvalidOption", "A message is one line"):
            self.send_to_children(task, "line\n")
        self.send(task, "x" * 4096)
        self.wait_log(task, "got " + "x" * 4096 + "\n")
        self.send(task, "end")
        self.assertEnds(task, "succeeded", 0)

    def test_who_takes_none(self):
        task = self.begun("sleep 1000")
        with self.assertError("InvalidOption", f"Task {task.id} takes no messages: start it with stdin-open"):
            self.send(task, "hello")
        for isolate in (False, True):
            kind = self.session.start("map", {"items": ["a"], "item_ms": 1000000}, isolate=isolate)
            kind.wait_state("running")
            with self.assertError("InvalidOption", "takes no messages: a map does not look for any"):
                self.send(kind, "hello")
            kind.cancel()
        waiting = self.session.start("countdown", after=[task.id])
        with self.assertError("NotRunning", "has not started"):
            self.send(waiting, "hello")
        with self.assertError("NoSuchTask"):
            self.session.call("Send", "(s)", "hello", path="/org/longrun/Longrun1/task/1000",
                              interface="org.longrun.Longrun1.Task")
        task.cancel()
        self.assertEqual(waiting.finished()[0], "skipped")
        for ended in (task, waiting):
            with self.assertError("NotRunning", "has ended"):
                self.send(ended, "hello")
        self.assertEqual(self.messages(task), [])

    def test_being_cancelled(self):
        task = self.begun("while :; do sleep 0.05; done", before="trap : TERM", stdin_open=True, stop_timeout=1000000)
        task.cancel()
        with self.assertError("NotRunning", "is being cancelled"):
            self.send(task, "hello")
        self.assertEnds(task, "cancelled", 137)

    def test_closed_stdin(self):
        task = self.begun("exec </dev/null; sleep 1000", stdin_open=True)

        def refused():
            try:
                self.send(task, "hello")
                return None
            except Exception as error:  # pylint: disable=broad-except
                return error

        self.session.wait_until(lambda: "closed its stdin" in str(refused()), "the closed stdin to be known")
        with self.assertError("NotRunning", "has closed its stdin"):
            self.send(task, "hello")
        task.cancel()
        self.assertEqual(task.finished()[0], "cancelled")

    def check_full(self, task, text):
        """Gives how many went in before it was full."""
        sent = 0
        while True:
            try:
                self.send(task, text)
            except Exception as error:  # pylint: disable=broad-except
                self.assertEqual(error.name, "QueueFull", error)
                self.assertRegex(str(error), f"Task {task.id} has not taken the last 100 messages yet")
                return sent
            sent += 1
            self.assertLess(sent, 1000)

    def test_full_command(self):
        """It does not read: the pipe takes what it can, 100 wait, and the daemon goes on."""
        gate = self.session.base / "gate"
        task = self.begun(f"mkfifo {gate}; echo >{self.fifo.path}; read -r x <{gate}; {READER}", stdin_open=True)
        self.fifo.read_line()
        sent = self.check_full(task, "x" * 4000)
        self.assertGreaterEqual(sent, 100)
        self.assertLess(sent, 120)
        self.assertEqual(self.session.start("noop").finished()[0], "succeeded")
        with open(gate, "w", encoding="utf-8") as f:
            f.write("open\n")
        self.session.wait_until(lambda: task.read_log().count(b"got x") == sent, "all of them to be read")
        self.send(task, "end")
        self.assertEnds(task, "succeeded", 0)

    def test_cancel_wakes(self):
        """A task that waits for a message heeds its cancel at once."""
        for isolate in (False, True):
            task = self.countdown(isolate)
            task.cancel()
            self.assertEnds(task, "cancelled", -1, "cancelled by user")

    def test_paused(self):
        """What comes meanwhile is there when it goes on."""
        task = self.reader()
        task.call("Pause")
        task.wait_state("paused")
        self.send(task, "meanwhile")
        task.call("Resume")
        self.wait_log(task, "got meanwhile")
        self.send(task, "end")
        self.assertEnds(task, "succeeded", 0)


NOTIFY = "systemd-notify X_LONGRUN_MESSAGE="


class TreeTest(MessageTestCase):
    def test_to_parent(self):
        """All sorts of children to all sorts of parents."""
        parents = [self.reader(), self.countdown(), self.countdown(isolate=True)]
        for parent in parents:
            for isolate in (False, True):
                with self.subTest(parent=parent.get("Kind"), isolate=isolate):
                    child = self.session.start(
                        "countdown", {"steps": 2, "step_ms": 1, "message": f"from a thread {isolate}"},
                        isolate=isolate, parent=parent.id)
                    self.assertEqual(child.finished()[0], "succeeded")
                    self.wait_log(parent, f"from a thread {isolate}\n")
                    self.assertEqual(self.messages(child), [(child.id, f"from a thread {isolate}")] * 2)
                    self.session.wait_until(lambda: self.messages(parent)[-2:] == self.messages(child),
                                            "the parent's signals")
            child = self.session.shell(f"{NOTIFY}'from a command'", parent=parent.id)
            self.assertEqual(child.finished()[0], "succeeded")
            self.wait_log(parent, "from a command\n")
            self.assertEqual(self.messages(child), [(child.id, "from a command")])
        self.session.cancel_all()

    def test_order_and_burst(self):
        parent = self.reader()
        child = self.session.command(
            "/usr/bin/python3", "-c",
            "import os, socket\n"
            "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
            "s.connect(os.environ['NOTIFY_SOCKET'])\n"
            "for i in range(0, 100, 4):\n"
            "    s.send('\\n'.join(f'X_LONGRUN_MESSAGE={n}' for n in range(i, i + 4)).encode())\n",
            parent=parent.id)
        self.assertEnds(child, "succeeded", 0)
        self.wait_log(parent, "got 99\n")
        self.assertEqual(parent.read_log().decode(), "".join(f"got {n}\n" for n in range(100)))
        self.wait_messages(parent, *((child.id, str(n)) for n in range(100)))
        self.send(parent, "end")
        self.assertEnds(parent, "succeeded", 0)

    def test_what_is_no_text(self):
        """Bytes that are no UTF-8 come as something that is; what is too long is left out, and said so."""
        parent = self.reader()
        child = self.session.command(
            "/usr/bin/python3", "-c",
            "import os, socket\n"
            "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
            "s.connect(os.environ['NOTIFY_SOCKET'])\n"
            "s.send(b'X_LONGRUN_MESSAGE=a\\xffb')\n"
            "s.send(b'X_LONGRUN_MESSAGE=' + b'x' * 4097)\n"
            "s.send(b'X_LONGRUN_MESSAGE=' + b'\\xff' * 4096)\n"
            "s.send(b'X_LONGRUN_MESSAGE=last')\n", parent=parent.id)
        self.assertEnds(child, "succeeded", 0)
        self.wait_log(parent, "got last\n")
        texts = [text for _, text in self.messages(parent)]
        self.assertEqual((texts[0], texts[-1], len(texts)), ("a\ufffdb", "last", 3))
        self.assertLessEqual(len(texts[1].encode()), 4096)
        self.assertIn("1 messages to its parent were lost", self.session.log())
        self.send(parent, "end")
        self.assertEnds(parent, "succeeded", 0)

    def test_flood(self):
        """It is held to 100 a second, and holds up nobody."""
        parent = self.begun("sleep 1000", stdin_open=True)
        child = self.session.command(
            "/usr/bin/python3", "-c",
            "import os, socket\n"
            "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
            "s.connect(os.environ['NOTIFY_SOCKET'])\n"
            "for i in range(20000):\n"
            "    s.send(b'X_LONGRUN_MESSAGE=' + b'x' * 2000)\n", parent=parent.id)
        self.assertEnds(child, "succeeded", 0)
        p = child.get_all()
        seconds = (p["FinishedAt"] - p["StartedAt"]) / 1000000
        self.assertLessEqual(len(self.messages(child)), 201 + seconds * 100)
        self.assertIn("messages to its parent were lost: at most 100", self.session.log())
        parent.cancel()
        self.assertEqual(parent.finished()[0], "cancelled")

    def test_nobody_takes_it(self):
        """No parent, or one that takes none: signals tell whoever watches, and once a line in the journal."""
        alone = self.session.shell(f"{NOTIFY}hello")
        self.assertEnds(alone, "succeeded", 0)
        self.assertEqual(self.messages(alone), [(alone.id, "hello")])
        parent = self.begun("sleep 1000")
        child = self.session.shell(f"{NOTIFY}one; {NOTIFY}two", parent=parent.id)
        self.assertEnds(child, "succeeded", 0)
        self.assertEqual(self.messages(parent), [(child.id, "one"), (child.id, "two")])
        self.assertEqual(self.session.log().count("was not taken: Task"), 1, self.session.log())
        self.assertIn("start it with stdin-open", self.session.log())
        parent.cancel()
        self.assertEqual(parent.finished()[0], "cancelled")

    def test_to_children(self):
        parent = self.begun("sleep 1000")
        self.assertEqual(self.send_to_children(parent, "nobody"), 0)
        deaf = self.begun("sleep 1000", parent=parent.id)
        with self.assertError("InvalidOption", f"Task {deaf.id} takes no messages"):
            self.send_to_children(parent, "hello")
        children = [self.reader(parent=parent.id), self.countdown(parent=parent.id),
                    self.countdown(isolate=True, parent=parent.id)]
        leaf = self.countdown(parent=children[0].id)
        self.assertEqual(self.send_to_children(parent, "hello"), 3)
        for child in children:
            self.wait_log(child, "hello\n")
            self.wait_messages(child, (parent.id, "hello"))
        self.wait_messages(parent, (parent.id, "hello"))
        self.assertEqual(self.messages(leaf) + self.messages(deaf), [])
        parent.cancel()
        self.assertEqual(parent.finished()[0], "cancelled")
        with self.assertError("NotRunning"):
            self.send_to_children(parent, "hello")


class RestartTest(MessageTestCase):
    def test_command(self):
        """What the shim holds is neither lost nor repeated, and the next daemon goes on where the last one was."""
        gate = self.session.base / "gate"
        task = self.begun(f"mkfifo {gate}; echo >{self.fifo.path}; read -r x <{gate}; {READER}", stdin_open=True)
        self.fifo.read_line()
        # As many as fill the pipe, and then small ones: all of them are in the socket of the shim, whether it reads or not.
        # What waits in the daemon is lost with it.
        for i in range(60):
            self.send(task, f"{i} " + "x" * (4000 if i < 18 else 10))
        for signum in (signal.SIGTERM, signal.SIGKILL):
            self.session.restart(signum)
            self.session.wait_until(lambda: task.get("Pid") > 0, "the shim to have told what it holds")
        with self.assertError("QueueFull"):
            for i in range(60, 200):
                last = i
                self.send(task, f"{i} " + "x" * 4000)
        self.assertLess(last, 120)
        with open(gate, "w", encoding="utf-8") as f:
            f.write("open\n")
        self.session.wait_until(lambda: task.read_log().count(b"got ") == last, "all of them to be read")
        self.send(task, "end")
        self.assertEnds(task, "succeeded", 0)
        numbers = [int(line.split()[1]) for line in task.read_log().decode().splitlines()]
        self.assertEqual(numbers, list(range(last)))

    def test_isolated(self):
        task = self.countdown(isolate=True)
        self.send(task, "before")
        self.wait_log(task, "Message received: before\n")
        self.session.restart(signal.SIGKILL)
        self.send(task, "after")
        self.wait_log(task, "Message received: before\nMessage received: after\n")
        task.cancel()
        self.assertEqual(task.finished()[0], "cancelled")

    def test_from_a_child(self):
        """Sent while there is no daemon: the next one passes it on."""
        gate = self.session.base / "gate"
        parent = self.reader()
        child = self.begun(f"mkfifo {gate}; echo >{self.fifo.path}; read -r x <{gate}; {NOTIFY}meanwhile; "
                           f"echo sent >{self.fifo.path}; read -r x <{gate}", parent=parent.id)
        self.fifo.read_line()
        self.session.crash()
        for line in ("go", "end"):
            if line == "end":
                self.session.start_daemon()
                self.wait_log(parent, "got meanwhile\n")
            with open(gate, "w", encoding="utf-8") as f:
                f.write(f"{line}\n")
            if line == "go":
                self.assertEqual(self.fifo.read_line(DEADLINE_SEC), "sent")
        self.assertEnds(child, "succeeded", 0)
        self.send(parent, "end")
        self.assertEnds(parent, "succeeded", 0)


if __name__ == "__main__":
    main()
