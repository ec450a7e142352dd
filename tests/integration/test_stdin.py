#!/usr/bin/python3
"""What commands read: bytes and files at the start, WriteStdin and CloseStdin while they run, over crashes of the
daemon, and with nobody who reads.

    LONGRUND=PATH test_stdin.py
"""

import contextlib
import hashlib
import itertools
import os
import random
import signal

from daemon_testing import DBusError, DaemonTestCase, NAME, TASK, main

try:
    from gi.repository import Gio, GLib
except ImportError:
    Gio = GLib = None

PIECE = 64 << 10
KEPT = (256 << 10) + (64 << 10)  # by the shim, and by the pipe


def noise(size, seed=1):
    return random.Random(seed).randbytes(size)


def digest(data):
    return hashlib.sha256(data).hexdigest()


def variant(data):
    """Bytes as "ay": PyGObject would take them one by one."""
    return GLib.Variant.new_from_bytes(GLib.VariantType("ay"), GLib.Bytes.new(data), True)


class StdinTestCase(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.numbers = itertools.count()

    def begun(self, script, before=":", **options):
        """A task with an open stdin that has come to the script."""
        fifo = self.session.fifo(f"begun-{next(self.numbers)}")
        task = self.session.shell(f"{before}; echo begun >{fifo.path}; {script}",
                                  **{"stdin_open": True, "stop_timeout": 100000, **options})
        self.assertEqual(fifo.read_line(), "begun")
        return task

    def gated(self, script, **options):
        """The same, which reads nothing before open_gate()."""
        self.gate = self.session.base / f"gate-{next(self.numbers)}"
        os.mkfifo(self.gate)
        return self.begun(f"read x <{self.gate}; {script}", **options)

    def open_gate(self):
        with open(self.gate, "wb"):
            pass

    def write(self, task, data):
        """Waits for the answer."""
        self.session.call("WriteStdin", "", GLib.Variant.new_tuple(variant(data)), path=task.path, interface=TASK)

    def write_later(self, task, data, connection=None):
        """Gives a list into which the answer comes: None, or the error."""
        replies = []

        def on_reply(source, result):
            try:
                source.call_finish(result)
                replies.append(None)
            except GLib.Error as error:
                replies.append(DBusError.from_glib(error))

        (connection or self.session.connection).call(
            NAME, task.path, TASK, "WriteStdin", GLib.Variant.new_tuple(variant(data)), None,
            Gio.DBusCallFlags.NO_AUTO_START, GLib.MAXINT, None, on_reply)
        return replies

    def wait_size(self, task, condition):
        self.session.settles(lambda: condition(task.get("StdinSize")),
                             lambda: f"StdinSize of task {task.id} is {task.get('StdinSize')}")

    def wait_replies(self, replies):
        self.session.wait_until(lambda: all(replies), "answers")

    def close(self, task):
        task.call("CloseStdin")


class StartTest(StdinTestCase):
    def test_bytes(self):
        """All that there are, and as many as are taken; each attempt and each retry reads them anew."""
        data = bytes(range(256)) * 4096
        task = self.session.shell("sha256sum; [ $LONGRUN_ATTEMPT = 2 ]", stdin=variant(data), retries=1, retry_delay=0)
        self.assertEqual(task.finished()[0], "succeeded")
        again = self.session.shell("exit 1", stdin=variant(b"\0"))
        self.assertEqual(again.finished()[0], "failed")
        log = task.read_log().decode()
        self.assertEqual(log.count(digest(data)), 2, log)
        reply = self.session.call_variant("Get", "(ss)", TASK, "Stdin", path=task.path,
                                          interface="org.freedesktop.DBus.Properties")
        self.assertEqual(reply.get_child_value(0).get_variant().get_data_as_bytes().get_data(), data)
        self.assertNotIn("Stdin", task.get_all())
        [listed], _ = self.session.list_tasks(limit=1)
        self.assertNotIn("stdin", listed)
        retry = task.call("Retry")[0]
        self.session.call("Wait", "(at)", [retry])
        with self.assertError("InvalidOption", "stdin has more than 1024 KiB"):
            self.session.shell("cat", stdin=variant(data + b"x"))

    def test_over_a_crash(self):
        """Of many that wait, each with its own."""
        datas = [noise(1 << 20, seed) for seed in range(4)]
        self.session.call("Pause", "(s)", "default")
        entries = [("command", {"argv": GLib.Variant("as", ["sha256sum"]), "stdin": variant(d)}) for d in datas]
        ids = [number for number, _ in self.session.call("StartMany", "(a(sa{sv}))", entries)[0]]
        self.session.restart(signal.SIGKILL)
        self.session.call("Resume", "(s)", "default")
        self.session.call("Wait", "(at)", ids)
        for number, data in zip(ids, datas):
            log = self.session.call("ReadLog", "(tu)", 0, 1000, path=f"/org/longrun/Longrun1/task/{number}",
                                    interface=TASK)[0]
            self.assertEqual(bytes(log).decode().split()[0], digest(data))

    def test_file(self):
        path = self.session.base / "in put"
        path.write_bytes(b"first")
        task = self.session.shell('cat; echo; [ "$LONGRUN_ATTEMPT" = 2 ]', stdin_file=str(path), retries=1,
                                  retry_delay=300000)
        task.wait_state("waiting")
        path.write_bytes(b"second")  # it is opened at each start
        self.assertEqual(task.finished()[0], "succeeded")
        self.assertRegex(task.read_log().decode(), r"(?s)^first\n.*second\n$")
        self.assertEqual(task.get("StdinFile"), str(path))

    def test_file_that_cannot_be_opened(self):
        fifo = self.session.base / "fifo"
        os.mkfifo(fifo)
        for name, message in (("nothing", f"cannot open stdin-file {self.session.base}/nothing: No such file"),
                              ("fifo", f"stdin-file {fifo} is a FIFO or a socket"),
                              (".", "Is a directory")):
            task = self.session.shell("cat", stdin_file=str(self.session.base / name))
            self.assertEnds(task, "failed", 1, message)

    def test_nothing(self):
        for options in ({}, {"stdin": variant(b"")}, {"stdin_file": ""}):
            task = self.session.shell("readlink /proc/self/fd/0", **options)
            self.assertEqual(task.finished()[0], "succeeded")
            self.assertEqual(task.read_log(), b"/dev/null\n")


class KeptTest(StdinTestCase):
    CONFIG = "[Manager]\nLogsMax=2M\n"

    def test_limit(self):
        """What was kept for ended tasks to read counts as their logs do, also of one that never began."""
        self.session.call("Pause", "(s)", "default")
        waiting = [self.session.shell("true", stdin=variant(bytes(1 << 20))) for _ in range(3)]
        waiting[0].cancel()
        self.session.call("Resume", "(s)", "default")
        self.session.wait(waiting[1:])
        self.session.settles(lambda: len(self.session.list_tasks()[0]) == 2, "the first one to be forgotten")
        self.assertNotIn(waiting[0].id, [t["id"] for t in self.session.list_tasks()[0]])


class WriteTest(StdinTestCase):
    def test_much(self):
        data = noise(1 << 20)
        task = self.begun("sha256sum")
        whole = hashlib.sha256()
        for _ in range(50):
            self.write(task, data)
            whole.update(data)
        self.assertEqual(task.get("StdinSize"), 50 << 20)
        self.close(task)
        self.close(task)
        self.assertEnds(task, "succeeded", 0)
        self.assertEqual(task.read_log().decode().split()[0], whole.hexdigest())

    def test_order(self):
        task = self.gated("cat -v")
        self.write(task, b"\0one\n")
        task.call("Send", "(s)", "two")
        self.write(task, b"")
        self.write(task, b"th\xff")
        task.call("Send", "(s)", "ree")
        self.close(task)
        with self.assertError("StdinClosed", "it was closed by CloseStdin$"):
            self.write(task, b"x")
        with self.assertError("NotRunning", "its stdin was closed by CloseStdin"):
            task.call("Send", "(s)", "x")
        self.open_gate()
        self.assertEnds(task, "succeeded", 0)
        self.assertEqual(task.read_log(), b"^@one\ntwo\nthM-^?ree\n")

    def test_terminal(self):
        """What is written is typed, and echoed; the end is Ctrl-D, in the middle of a line, too."""
        for data, log in ((b"one\ntwo\n", b"one\ntwo\none\ntwo\n"), (b"half", b"halfhalf")):
            task = self.gated("cat", pty=True)
            self.write(task, data)
            self.close(task)
            with self.assertError("StdinClosed", "it was closed by CloseStdin"):
                self.write(task, b"x")
            self.open_gate()
            self.assertEnds(task, "succeeded", 0)
            self.assertEqual(sorted(task.read_log()), sorted(log))

    def test_bytes_come_first(self):
        task = self.begun("cat", stdin=variant(b"\0first "))
        self.write(task, b"second")
        self.close(task)
        self.assertEnds(task, "succeeded", 0)
        self.assertEqual(task.read_log(), b"\0first second")
        self.assertEqual(task.get("StdinSize"), len("second"))

    def test_nobody_reads(self):
        """Calls wait, others are answered; more than 16 do not wait. A cancel ends them all."""
        task, other = self.begun("sleep 1000"), self.gated("wc -c")
        waiting = [self.write_later(task, bytes(1 << 20)) for _ in range(16)]
        self.wait_size(task, lambda size: size >= 256 << 10)
        with self.assertError("QueueFull", "16 calls wait"):
            self.write(task, b"x")
        self.write(other, bytes(1000))
        self.close(other)
        self.open_gate()
        self.assertEnds(other, "succeeded", 0)
        self.assertLessEqual(task.get("StdinSize"), KEPT)
        self.assertFalse(any(waiting))
        task.cancel()
        self.wait_replies(waiting)
        for replies in waiting:
            self.assertEqual(replies[0].name, "StdinClosed")
        taken = [int(r[0].message.partition("(")[2].split()[0]) for r in waiting if "bytes were taken" in r[0].message]
        self.assertEqual(sum(taken), task.get("StdinSize"))
        self.assertEqual(task.finished()[0], "cancelled")

    def test_reader_closes(self):
        task = self.begun("head -c 100000 | wc -c; exec <&-; sleep 1000")
        replies = self.write_later(task, bytes(1 << 20))
        self.wait_replies([replies])
        self.assertEqual(replies[0].name, "StdinClosed")
        self.assertIn("the command has closed it", replies[0].message)
        with self.assertError("StdinClosed", "the command has closed it"):
            self.write(task, b"x")
        self.close(task)  # what is closed need not be closed
        task.cancel()
        self.assertEqual(task.finished()[0], "cancelled")

    def test_two_writers(self):
        """What one call brings stays together, and each writer's order holds."""
        task = self.begun("cat")
        with contextlib.closing(self.session.connect()) as second:
            pieces = [(letter, number) for number in range(8) for letter in (b"a", b"b")]
            replies = [self.write_later(task, (letter + str(number).encode()) * (PIECE // 2),
                                        second if letter == b"b" else None) for letter, number in pieces]
            self.session.wait_until(lambda: all(replies), "answers")
            second.close_sync(None)
        self.assertEqual([r[0] for r in replies], [None] * len(pieces))
        self.close(task)
        self.assertEnds(task, "succeeded", 0)
        log = task.read_log()
        blocks = [log[i:i + PIECE] for i in range(0, len(log), PIECE)]
        self.assertEqual([b[:2] * (PIECE // 2) for b in blocks], blocks)
        for letter in (b"a", b"b"):
            self.assertEqual([b[1] for b in blocks if b[:1] == letter], list(b"01234567"))

    def test_writer_leaves(self):
        """What was not taken of his call goes with him; others go on."""
        task = self.gated("tail -c 4; tail -c 1 >/dev/null")
        second = self.session.connect()
        self.write_later(task, bytes(1 << 20), second)
        self.write_later(task, b"not to come", second)
        self.wait_size(task, lambda size: size >= 256 << 10)
        mine = self.write_later(task, b"end\n")
        second.close_sync(None)
        self.open_gate()
        self.wait_replies([mine])
        self.assertEqual(mine, [None])
        size = task.get("StdinSize")
        self.assertLess(size, 1 << 20)
        self.close(task)
        self.assertEnds(task, "succeeded", 0)
        self.assertEqual(task.read_log(), b"end\n")

    def test_who_has_none(self):
        plain = self.session.shell("sleep 1000", stop_timeout=100000)
        kind = self.session.start("countdown", {"steps": 1, "step_ms": 10000000}, isolate=True)
        waiting = self.session.shell("cat", stdin_open=True, after=[plain.id])
        plain.wait_state("running")
        kind.wait_state("running")
        with self.assertError("InvalidOption", f"The stdin of task {plain.id} is not open: .* --stdin-open"):
            self.write(plain, b"x")
        with self.assertError("InvalidOption", "is no command, but a countdown"):
            self.write(kind, b"x")
        with self.assertError("NotRunning", f"Task {waiting.id} has not started"):
            self.write(waiting, b"x")
        with self.assertError("NotRunning", "has not started"):
            self.close(waiting)
        with self.assertError("InvalidOption", "at most 1.0M in a call"):
            self.write(plain, bytes((1 << 20) + 1))
        ended = self.begun("exit 0")
        self.assertEnds(ended, "succeeded", 0)
        with self.assertError("StdinClosed", "has ended"):
            self.write(ended, b"x")
        for task in (kind, plain):
            task.cancel()
        self.assertEqual(waiting.finished()[0], "skipped")


class CrashTest(StdinTestCase):
    def test_resume(self):
        """A daemon that is killed in the middle of a call, again and again: StdinSize says where to go on."""
        data = noise(4 << 20)
        task = self.begun("while head -c 50000 >/dev/shm/$$ && [ -s /dev/shm/$$ ]; do cat /dev/shm/$$; done; rm /dev/shm/$$",
                          log_max=1 << 30)
        crashes = random.Random(5)
        while (at := task.get("StdinSize")) < len(data):
            replies = [self.write_later(task, data[at + i * PIECE:at + (i + 1) * PIECE]) for i in range(12)]
            goal = min(at + crashes.randrange(1, 8 * PIECE), len(data))
            self.session.settles(lambda goal=goal: task.get("StdinSize") >= goal, "bytes to be taken")
            self.session.crash()
            self.session.wait_until(lambda replies=replies: all(replies), "answers")
            self.session.start_daemon()
        self.assertEqual(task.get("StdinSize"), len(data))
        self.close(task)
        task.wait()
        self.assertEqual(digest(task.read_log()), digest(data))

    def test_what_waits_in_the_shim(self):
        """It is read though the daemon has gone, the end too."""
        data = noise(200 << 10)
        task = self.gated("sha256sum")
        self.write(task, data)
        self.close(task)
        self.session.restart(signal.SIGKILL)
        self.assertEqual(task.get("StdinSize"), len(data))
        with self.assertError("StdinClosed", "it was closed by CloseStdin"):
            self.write(task, b"x")
        self.open_gate()
        self.assertEqual(task.wait()[0], "succeeded")
        self.assertEqual(task.read_log().decode().split()[0], digest(data))


if __name__ == "__main__":
    main()
