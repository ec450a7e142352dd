#!/usr/bin/python3
"""What is too much is refused by name, costs the daemon nothing, and is forgotten when its sender leaves.

    LONGRUND=PATH test_limits.py
"""

import socket
import struct
import time

from daemon_testing import MANAGER, NAME, ROOT, DaemonTestCase, main
from longrun_testing import DEADLINE_SEC, GLib

MIB = 1 << 20
MANY = 100000


class LargeListTest(DaemonTestCase):
    def test_more_than_a_message_holds(self):
        """200 tasks of 900 KiB each in one page are too much for D-Bus: an error or a shorter page, not the end."""
        self.session.set_max_parallel(1)
        self.session.start("countdown", {"step_ms": 100000})
        argv = ["true", *("x" * 9000 for _ in range(100))]
        for _ in range(200):
            self.session.command(*argv)
        found, cursor, pages = 0, 0, 0
        while True:
            page, cursor = self.session.list_tasks(limit=1000, cursor=cursor)
            found += len(page)
            pages += 1
            if cursor == 0:
                break
        self.assertEqual(found, 201)
        self.assertGreater(pages, 1)
        self.assertEqual(len(self.session.list_tasks(limit=1000, fields=["id"])[0]), 201)
        self.assertEqual(self.session.cancel_all(), 201)


class EnvironmentsTest(DaemonTestCase):
    def test_many_different_ones(self):
        """They are shared, where they are the same; where not, they are counted all the same."""
        self.session.set_max_parallel(1)
        self.session.start("countdown", {"step_ms": 100000})
        shared = ["BIG=" + "x" * 100000, "MORE=" + "y" * 100000]
        for _ in range(400):  # of 200 kB: more than there is room for
            self.session.command("true", env=shared)
        with self.assertError("QueueFull", "different environments"):
            for i in range(400):
                self.session.command("true", env=[f"N={i}", *shared])
        self.assertLess(i, 400)
        self.session.cancel_all()
        self.session.command("true", env=["N=x", *shared]).wait()


class RawClient:
    """A connection that sends thousands of the same call at the speed of a socket."""

    def __init__(self, address, timeout=DEADLINE_SEC):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(address.removeprefix("unix:path=").partition(",")[0])
        self.socket.sendall(b"\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n")
        self.answered = []
        self.data = b""
        while self.data.count(b"\r\n") < 2:
            self.data += self.socket.recv(4096)
        self.data = b""
        self.send_calls("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello",
                        GLib.Variant("()", ()), [1])
        self.read_replies(1)

    @staticmethod
    def message(destination, path, interface, member, body):
        """The bytes of a call, with the serial at 8."""
        def field(code, kind, text):
            data = text.encode()
            size = bytes([len(data)]) if kind == b"g" else struct.pack("<I", len(data))
            return bytes([code]) + b"\1" + kind + b"\0" + size + data + b"\0"

        fields = b""
        for code, kind, text in ((1, b"o", path), (6, b"s", destination), (2, b"s", interface), (3, b"s", member),
                                 (8, b"g", body.get_type_string()[1:-1])):
            if text:
                fields += b"\0" * (-len(fields) % 8) + field(code, kind, text)
        return fields, b"\0" * (-len(fields) % 8)

    def send_calls(self, destination, path, interface, member, body, serials):
        fields, padding = self.message(destination, path, interface, member, body)
        data = RawClient.marshal(body)
        tail = struct.pack("<I", len(fields)) + fields + padding + data
        head = struct.pack("<ccccI", b"l", b"\1", b"\0", b"\1", len(data))
        self.socket.sendall(b"".join(head + struct.pack("<I", serial) + tail for serial in serials))

    @staticmethod
    def marshal(body):
        """Of the few types that are needed here: strings, and arrays of dictionaries that are empty, or of numbers."""
        data = b""
        for value in (body.get_child_value(i) for i in range(body.n_children())):
            kind = value.get_type_string()
            data += b"\0" * (-len(data) % 4)
            if kind == "s":
                text = value.get_string().encode()
                data += struct.pack("<I", len(text)) + text + b"\0"
            elif kind == "a{sv}" and value.n_children() == 0:
                data += struct.pack("<I", 0)
                data += b"\0" * (-len(data) % 8)
            elif kind == "at":
                data += struct.pack("<I", 8 * value.n_children())
                data += b"\0" * (-len(data) % 8)
                data += struct.pack(f"<{value.n_children()}Q", *value.unpack())
            else:
                raise TypeError(kind)
        return data

    def read_replies(self, number):
        """Gives how many replies of which sort came: "ok", or the name of the error. The serials of the calls that
        they answer are in self.answered."""
        counts = {}
        self.answered = []
        while number > 0:
            message = self._read_message()
            if message[1] not in (2, 3):
                continue
            start = message.index(b"\5\1u\0", 16) + 4
            self.answered.append(struct.unpack_from("<I", message, start)[0])
            name = "ok"
            if message[1] == 3:
                start = message.index(b"\4\1s\0", 16) + 4
                size = struct.unpack_from("<I", message, start)[0]
                name = message[start + 4:start + 4 + size].decode()
            counts[name] = counts.get(name, 0) + 1
            number -= 1
        return counts

    def _read_message(self):
        while True:
            if len(self.data) >= 16:
                body, _, fields = struct.unpack_from("<III", self.data, 4)
                size = 16 + fields + (-fields % 8) + body
                if len(self.data) >= size:
                    message, self.data = self.data[:size], self.data[size:]
                    return message
            more = self.socket.recv(1 << 16)
            if not more:
                raise AssertionError("the bus has closed the connection")
            self.data += more

    def close(self):
        self.socket.close()


class LimitTestCase(DaemonTestCase):
    def client(self):
        client = RawClient(self.session.env["DBUS_SESSION_BUS_ADDRESS"])
        self.addCleanup(client.close)
        return client

    def check_growth(self, before, most):
        """The memory of the daemon. Not for a sanitizer, which does not give any back."""
        self.session.settles(lambda: self.session.memory() - before < most,
                             lambda: f"longrund has grown by {self.session.memory() - before} bytes")


class QueueTest(LimitTestCase):
    ARGUMENTS = ()
    CONFIG = "[Manager]\nMaxQueued=10\nMaxParallel=1\n"

    def setUp(self):
        super().setUp()
        self.blocker = self.session.start("countdown", {"step_ms": 100000})

    def test_start_many_beyond_the_cap(self):
        with self.assertError("QueueFull", "^0 tasks wait and the queue takes 10: try again .*MaxQueued="):
            self.session.start_many([("noop", {})] * 11)
        self.assertEqual(self.session.get("Queued"), 0)
        self.session.start_many([("noop", {})] * 4)
        with self.assertError("QueueFull", "^4 tasks wait"):
            self.session.start_many([("noop", {})] * 7)
        self.assertEqual(self.session.get("Queued"), 4)
        self.session.start_many([("noop", {})] * 6)
        for call in (lambda: self.session.start("noop"), lambda: self.session.command("true"),
                     lambda: self.session.start_many([("noop", {})])):
            with self.assertError("QueueFull", "^10 tasks wait"):
                call()
        self.assertEqual(self.session.start_many([]), [])

    def test_start_many_beyond_all(self):
        entry = GLib.Variant.new_tuple(GLib.Variant("s", "noop"), GLib.Variant("a{sv}", {}))
        tasks = GLib.Variant.new_tuple(GLib.Variant.new_array(None, [entry] * (MANY + 1)))
        with self.assertError("QueueFull", "^StartMany takes at most 100000 tasks in one call"):
            self.session.call("StartMany", "", tasks)
        self.assertEqual(self.session.get("Queued"), 0)

    def test_the_first_calls_of_a_client(self):
        """Sent all at once: they are answered in their order, though the daemon has to ask who calls."""
        self.session.start_many([("noop", {})] * 10)
        for _ in range(5):
            client = self.client()
            serials = range(10, 8010)
            client.send_calls(NAME, ROOT, MANAGER, "Start", GLib.Variant("(sa{sv})", ("noop", {})), serials)
            self.assertEqual(client.read_replies(len(serials)),
                             {"org.longrun.Longrun1.Error.QueueFull": len(serials)})
            self.assertEqual(client.answered, list(serials))
            client.close()

    def test_100000_starts_beyond_the_cap(self):
        client = self.client()
        self.session.start_many([("noop", {})] * 10)

        def starts(number, first):
            counts = {}
            for i in range(first, first + number, 1000):
                client.send_calls(NAME, ROOT, MANAGER, "Start", GLib.Variant("(sa{sv})", ("noop", {})),
                                  range(i, i + 1000))
                for name, n in client.read_replies(1000).items():
                    counts[name] = counts.get(name, 0) + n
                self.assertEqual(client.answered, list(range(i, i + 1000)))
            return counts

        starts(5000, 10)  # what the allocator takes once
        before = self.session.memory()
        self.assertEqual(starts(MANY, 10000), {"org.longrun.Longrun1.Error.QueueFull": MANY})
        self.check_growth(before, 2 * MIB)
        self.assertEqual(self.session.get("Queued"), 10)
        client.close()
        # There is room again when there is room.
        self.session.cancel_all(states=["queued"])
        self.session.start("noop")

    def test_a_million_bytes_a_request(self):
        """The queue has a cap in bytes as well."""
        self.config(100000)
        argv = ["true", *("x" * 100000 for _ in range(10))]
        number = 0
        with self.assertError("QueueFull", "more than 256.0M of memory.*files"):
            while number < 400:
                self.session.command(*argv)
                number += 1
        self.assertTrue(200 < number < 300, number)
        self.assertEqual(self.session.get("Queued"), number)
        self.session.cancel_all(states=["queued"])
        self.session.start("noop")

    def config(self, number):
        self.session.config_path.write_text(f"[Manager]\nMaxQueued={number}\nMaxParallel=1\n", encoding="utf-8")
        self.session.call("Reload")


class WaitTest(LimitTestCase):
    def setUp(self):
        super().setUp()
        self.blocker = self.session.start("countdown", {"step_ms": 1000000})

    def waits(self, client, number, ids, first=10):
        client.send_calls(NAME, ROOT, MANAGER, "Wait", GLib.Variant("(at)", (ids,)), range(first, first + number))

    def test_clients_that_vanish(self):
        """Three times as many tasks waited for as there may be at a time, by clients that leave in the middle."""
        ids = [self.blocker.id] * 1000

        def come_and_go():
            client = self.client()
            self.waits(client, 2, ids)
            # The calls have been taken when this one, sent after them, is answered.
            client.send_calls(NAME, ROOT, MANAGER, "GetTask", GLib.Variant("(at)", ([],)), [99])
            client.read_replies(1)
            client.close()

        for _ in range(20):
            come_and_go()
        before = self.session.memory()
        for _ in range(280):
            come_and_go()

        self.check_growth(before, 4 * MIB)

        def is_room():
            client = self.client()
            self.waits(client, 190, ids)
            client.send_calls(NAME, ROOT, MANAGER, "GetTask", GLib.Variant("(at)", ([],)), [999])
            told = client.read_replies(1)
            client.close()
            return told == {"org.freedesktop.DBus.Error.InvalidArgs": 1}

        self.session.settles(is_room, "those who left are waited for still")
        self.blocker.cancel()
        self.blocker.wait()

    def test_10000_waits(self):
        client = self.client()
        other = self.session.start("countdown", {"step_ms": 1000000})
        self.waits(client, 10000, [self.blocker.id])
        self.waits(client, 1000, [other.id, self.blocker.id], 10010)
        client.send_calls(NAME, ROOT, MANAGER, "GetTask", GLib.Variant("(at)", ([],)), [9])
        self.assertEqual(client.read_replies(1), {"org.freedesktop.DBus.Error.InvalidArgs": 1})
        begin = time.monotonic()
        self.blocker.cancel()
        self.assertEqual(client.read_replies(10000), {"ok": 10000})
        other.cancel()
        self.assertEqual(client.read_replies(1000), {"ok": 1000})
        self.assertLess(time.monotonic() - begin, 10)
        client.close()

    def test_too_many(self):
        with self.assertError("org.freedesktop.DBus.Error.LimitsExceeded", "200000 is the limit"):
            self.session.call("Wait", "(at)", [self.blocker.id] * 200001)
        replies = self.session.call_later("Wait", "(at)", [self.blocker.id] * 199999)
        self.session.call_later("Wait", "(at)", [self.blocker.id])
        with self.assertError("org.freedesktop.DBus.Error.LimitsExceeded", "wait for 200000 tasks already"):
            self.blocker.wait()
        self.blocker.cancel()
        self.session.wait_until(lambda: replies, "the reply")
        self.assertEqual(len(replies[0][0]), 199999)
        # One that has ended is no wait.
        self.assertEqual(self.blocker.wait(), ("cancelled", -1))


if __name__ == "__main__":
    main()
