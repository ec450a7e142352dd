#!/usr/bin/python3
"""Commands with a terminal of their own, and what becomes of it when longrund, or the command, ends first.

    LONGRUND=PATH test_pty.py
"""

import hashlib
import os

from daemon_testing import DaemonTestCase, main


class Pty(DaemonTestCase):
    def gate(self):
        """A named pipe on which a command may wait for a line."""
        path = self.session.base / "gate"
        os.mkfifo(path)
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self.addCleanup(os.close, fd)
        return path, lambda: os.write(fd, b"go\n")

    def test_much(self):
        """Byte by byte."""
        size = 30000000
        task = self.session.shell(f"head -c {size} /dev/zero | tr '\\0' a >&2; echo; echo end", pty=True)
        self.assertEnds(task, "succeeded", 0)
        data = task.read_log()
        self.assertEqual(len(data), size + 5)
        self.assertEqual(hashlib.sha256(data).digest(), hashlib.sha256(b"a" * size + b"\nend\n").digest())

    def test_the_next_daemon(self):
        """It goes on printing meanwhile, and is cancelled by the next one."""
        fifo = self.session.fifo()
        gate, go = self.gate()
        task = self.session.shell(
            f"trap 'echo bye; exit 7' TERM; exec 3<>{gate}; echo one; echo >{fifo.path}; read -r x <&3; echo two; "
            f"echo >{fifo.path}; while :; do read -r x <&3; done", pty=True, pty_size="100x30")
        fifo.read_line()
        self.session.crash()
        go()
        fifo.read_line()
        self.session.start_daemon()
        task.wait_state("running")
        self.assertEqual((task.get("Pty"), task.get("PtySize")), (True, "100x30"))
        task.cancel()
        self.assertEnds(task, "cancelled", 7)
        self.assertEqual(task.read_log(), b"one\ntwo\nbye\n")

    def test_hangup(self):
        """The processes in the foreground go with the command; those that ignore it are waited for."""
        task = self.session.shell("sleep 1000 & exit 5", pty=True)
        self.assertEnds(task, "failed", 5)
        gate, go = self.gate()
        task = self.session.shell(f"trap '' HUP; {{ read -r x <{gate}; echo late; }} & echo main; exit 5", pty=True)
        self.session.settles(lambda: "the command has ended; 1 process" in task.get("Reason"), "no reason")
        go()
        self.assertEnds(task, "failed", 5)
        self.assertEqual(task.read_log(), b"main\nlate\n")

    def test_a_builtin_kind(self):
        """On a thread there is no terminal, and in a process of its own nothing of it is to be seen."""
        with self.assertError("InvalidOption", "pty is for tasks with a process of their own"):
            self.session.start("noop", {}, pty=True)
        task = self.session.start("noop", {}, isolate=True, pty=True)
        self.assertEnds(task, "succeeded", 0)

    def test_each_has_its_own(self):
        fifo = self.session.fifo()
        gate, go = self.gate()
        self.session.set_max_parallel(10)
        tasks = [self.session.shell(f"tty <&1; echo >{fifo.path}; read -r x <{gate}", pty=True) for _ in range(10)]
        for _ in tasks:
            fifo.read_line()
        for task in tasks:
            go()
        for task in tasks:
            self.assertEnds(task, "succeeded", 0)
        self.assertEqual(len({task.read_log() for task in tasks}), 10)


if __name__ == "__main__":
    main()
