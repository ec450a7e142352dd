#!/usr/bin/python3
"""What is wrong is refused with a named error that says what to do; nothing of it stays, and the daemon goes on.

    LONGRUND=PATH test_bad_input.py
"""

import json
import socket
import struct
import time

from daemon_testing import (FILTER, MANAGER, NAME, OPTIONS, PROPERTIES, ROOT, TASK, DaemonTestCase, DBusError, Task,
                            dictionary, main, options_of, sanitized)
from longrun_testing import DEADLINE_SEC, GLib

MIB = 1 << 20
MANY = 100000


def pairs(*entries):
    """An a{sv} with keys that may repeat."""
    builder = GLib.VariantBuilder.new(GLib.VariantType.new("a{sv}"))
    for key, value in entries:
        builder.add_value(GLib.Variant.new_dict_entry(GLib.Variant("s", key), GLib.Variant("v", value)))
    return builder.end()


class StartTest(DaemonTestCase):
    def check(self, kind, options, name, text):
        """Start, StartMany and, for commands, StartCommand refuse it in the same way, and nothing is started."""
        options = options if isinstance(options, GLib.Variant) else GLib.Variant("a{sv}", options)
        with self.assertError(name, text):
            self.session.call("Start", "", GLib.Variant.new_tuple(GLib.Variant("s", kind), options))
        good = GLib.Variant.new_tuple(GLib.Variant("s", "noop"), GLib.Variant("a{sv}", {}))
        bad = GLib.Variant.new_tuple(GLib.Variant("s", kind), options)
        many = GLib.Variant.new_array(None, [good, good, bad, good])
        with self.assertError(name, rf"^tasks\[2\]: (?s:.*){text}" if not text.startswith("^") else
                              rf"^tasks\[2\]: {text[1:]}"):
            self.session.call("StartMany", "", GLib.Variant.new_tuple(many))
        self.assertEqual(self.session.count_tasks(), {})

    def test_argv(self):
        large = ["true", *("x" * 1000 for _ in range(3000))]
        cases = [
            ([], "argv is empty: name the program"),
            ([""], "argv is empty: name the program"),
            (["true", "x" * 200 * 1024], r"^argv\[1\] has 204800 bytes; the system takes at most 131071 .*file"),
            (["x" * 200 * 1024], r"^argv\[0\] has 204800 bytes"),
            (large, "^argv has more than 1024 KiB altogether"),
        ]
        for argv, text in cases:
            with self.subTest(argv=str(argv)[:40]):
                self.check("command", options_of(argv=argv), "InvalidOption", text)
                with self.assertError("InvalidOption", text):
                    self.session.command(*argv)
        self.check("command", {}, "InvalidOption", "argv is empty")
        with self.assertError("InvalidOption", "option argv is for Start; StartCommand has it"):
            self.session.command("true", argv=["false"])
        self.assertEqual(self.session.count_tasks(), {})

    def test_kinds_and_options_of_others(self):
        self.check("nonsense", {}, "NoSuchKind", '^There is no kind "nonsense".*longrun kinds')
        self.check("", {}, "NoSuchKind", '^There is no kind ""')
        self.check("é" * 1000, {}, "NoSuchKind", "^There is no kind")
        self.check("xé" * 1000, {}, "NoSuchKind", "^There is no kind")
        self.check("noop", options_of(argv=["true"]), "InvalidOption", 'argv is for tasks of kind "command"')
        self.check("command", options_of(argv=["true"], params="{}"), "InvalidOption", "params is for built-in kinds")
        self.check("command", options_of(argv=["true"], isolate=True), "InvalidOption", "isolate is for built-in kinds")
        self.check("noop", options_of(group="other"), "NoSuchGroup", '^There is no group "other"')

    def test_unknown_option(self):
        for name in ("nonsense", "", "Label", "clear_env", "x" * 10000, "é" * 200, "xé" * 200):
            with self.subTest(name=name[:20]):
                self.check("noop", {name: GLib.Variant("s", "x")}, "UnknownOption",
                           "^There is no option .*Known are: label, group, cwd")

    def test_wrong_types(self):
        others = {"s": GLib.Variant("i", 1), "as": GLib.Variant("s", "x"), "b": GLib.Variant("u", 1),
                  "u": GLib.Variant("i", 1), "t": GLib.Variant("u", 1)}
        for name, wanted in OPTIONS.items():
            for value in (others[wanted], GLib.Variant("v", GLib.Variant("s", "x")), GLib.Variant("a{sv}", {}),
                          GLib.Variant("(ss)", ("a", "b"))):
                with self.subTest(name=name, type=value.get_type_string()):
                    self.check("noop", {name: value}, "InvalidOption",
                               f"^option {name} is of type {wanted}, not {value.get_type_string()}"
                               .replace("(", r"\(").replace(")", r"\)").replace("{", r"\{"))

    def test_given_twice(self):
        for name, value in (("label", GLib.Variant("s", "x")), ("argv", GLib.Variant("as", ["x"])),
                            ("isolate", GLib.Variant("b", True)), ("umask", GLib.Variant("u", 1))):
            self.check("noop", pairs((name, value), (name, value)), "InvalidOption", f"^option {name} is given twice")

    def test_values(self):
        file = self.session.base / "file"
        file.touch()
        cases = [
            ({"cwd": "relative/path"}, '^cwd "relative/path" is not absolute'),
            ({"cwd": ""}, "is not absolute"),
            ({"cwd": "é" * 300}, "is not absolute"),
            ({"cwd": "xé" * 300}, "is not absolute"),
            ({"cwd": str(file)}, f"^cwd {file} is not a folder"),
            ({"cwd": "/" + "x" * 5000}, "^cwd has more than 4095 bytes"),
            ({"umask": 0o1000}, "^umask 1000 is above 0777"),
            ({"umask": 0xffffffff}, "is above 0777"),
            ({"label": "two\nlines"}, "control character"),
            ({"label": "\x1b[31m"}, "control character"),
            ({"label": "\x7f"}, "control character"),
            ({"label": "x" * 4097}, "^label has more than 4096 bytes"),
            ({"unique": "x" * 1025}, "^unique has more than 1024 bytes"),
            ({"env": ["A=1", "NAME"]}, r'^env\[1\] is not VARIABLE=VALUE: "NAME"'),
            ({"env": ["=value"]}, r"^env\[0\] is not VARIABLE=VALUE"),
            ({"env": [""]}, r"^env\[0\] is not VARIABLE=VALUE"),
            ({"env": ["é" * 300]}, r"^env\[0\] is not VARIABLE=VALUE"),
            ({"env": ["xé" * 300]}, r"^env\[0\] is not VARIABLE=VALUE"),
            ({"env": ["A=" + "x" * 200000]}, r"^env\[0\] has 200002 bytes"),
            ({"env": [f"A{i}=" + "x" * 10000 for i in range(60)]}, "^env has more than 512 KiB"),
            ({"stop_timeout": 8 * 86400 * 10**6}, "^stop-timeout is above 7d.*microseconds"),
            ({"stop_timeout": (1 << 64) - 1}, "^stop-timeout is above"),
            ({"log_max": (1 << 50) + 1}, "^log-max is above 1024T"),
            ({"result_max": 64 * MIB + 1}, "^result-max is above 64.0M: write larger data to a file"),
        ]
        for options, text in cases:
            with self.subTest(**{k: str(v)[:40] for k, v in options.items()}):
                self.check("noop", options_of(**options), "InvalidOption", text)
        self.check("noop", options_of(group="é" * 300), "NoSuchGroup", "There is no group")
        self.check("noop", options_of(group="xé" * 300), "NoSuchGroup", "There is no group")

    def test_params(self):
        cases = [
            ("noop", "{", "not JSON"),
            ("noop", "nonsense", "not JSON"),
            ("noop", "{} {}", "not JSON"),
            ("noop", "[" * 100000, "not JSON"),
            ("noop", "[1]", "object"),
            ("noop", "17", "object"),
            ("noop", "null", "object"),
            ("noop", '"text"', "object"),
            ("noop", '{"x": 1}', "'x'"),
            ("noop", '{"' + "é" * 500 + '": 1}', "."),
            ("noop", '{"x' + "é" * 500 + '": 1}', "."),
            ("noop", " " * MIB + "{}", "1024 KiB"),
            ("countdown", '{"stepz": 3}', "'stepz'"),
            ("countdown", '{"steps": "3"}', "'steps' must be a whole number"),
            ("countdown", '{"steps": 0}', "'steps' must be a whole number from 1"),
            ("countdown", '{"steps": -1}', "'steps'"),
            ("countdown", '{"steps": 1.5}', "'steps'"),
            ("countdown", '{"steps": 1e300}', "'steps'"),
            ("countdown", '{"step_ms": true}', "'step_ms'"),
            ("countdown", '{"step_ms": 1e10}', "'step_ms'"),
            ("map", "{}", "'items' is missing"),
            ("map", '{"items": {}}', "'items' must be an array"),
            ("map", '{"items": [[1]]}', r"items\[0\]"),
            ("map", '{"items": [1, {"a": 2}]}', r"items\[1\]"),
            ("map", '{"items": [], "op": "reverse"}', "'op' must be one of uppercase"),
            ("map", '{"items": [], "op": "' + "xé" * 500 + '"}', "'op' must be one of uppercase"),
            ("map", '{"items": [], "item_ms": -5}', "'item_ms'"),
            ("map", '{"items": ["a\\u0000b"]}', "u0000"),
            ("compute-e", '{"seconds": -1}', "'seconds'"),
            ("compute-e", '{"seconds": "3"}', "'seconds'"),
            ("compute-e", '{"force_error": 1}', "'force_error' must be true or false"),
            ("checksum", "{}", "'paths' is missing"),
            ("checksum", '{"paths": "x"}', "'paths'"),
            ("checksum", '{"paths": [1]}', "paths"),
            ("checksum", '{"paths": ["relative"]}', "."),
            ("checksum", '{"paths": ["/x"], "algorithm": "rot13"}', "'algorithm'"),
        ]
        for kind, params, text in cases:
            with self.subTest(kind=kind, params=params[:40]):
                self.check(kind, options_of(params=params), "InvalidOption", text)

    def test_what_d_bus_itself_refuses(self):
        cases = [
            ("Start", "(s)", ("noop",)), ("Start", "(ss)", ("noop", "x")), ("StartCommand", "(s)", ("x",)),
            ("Cancel", "(t)", (1,)), ("Wait", "(au)", ([1],)), ("GetTask", "(u)", (1,)), ("Reload", "(s)", ("x",)),
        ]
        for method, signature, args in cases:
            with self.subTest(method=method, signature=signature), \
                    self.assertError("org.freedesktop.DBus.Error.InvalidArgs"):
                self.session.call(method, signature, *args)
        with self.assertError("org.freedesktop.DBus.Error.UnknownMethod"):
            self.session.call("Nonsense")
        with self.assertError("org.freedesktop.DBus.Error.UnknownMethod"):
            self.session.call("Start", interface="org.longrun.Nonsense")
        with self.assertError("org.freedesktop.DBus.Error.UnknownObject"):
            self.session.call("Start", path="/nonsense")
        with self.assertError("org.freedesktop.DBus.Error.UnknownProperty"):
            self.session.get("Nonsense")
        with self.assertError("org.freedesktop.DBus.Error.PropertyReadOnly"):
            self.session.call("Set", "(ssv)", MANAGER, "Version", GLib.Variant("s", "x"), interface=PROPERTIES)
        for value in (GLib.Variant("i", -1), GLib.Variant("s", "many"), GLib.Variant("t", 1)):
            with self.assertError("org.freedesktop.DBus.Error.InvalidArgs", "MaxParallel"):
                self.session.call("Set", "(ssv)", MANAGER, "MaxParallel", value, interface=PROPERTIES)

    def test_characters_that_are_none(self):
        """U+FFFF and the like: the bus lets them pass."""
        text = "a\uffffb\ufdd0c\U0001fffe"
        task = self.session.start("countdown", {"step_ms": 100000})
        calls = [
            lambda: self.session.start("noop", label=text),
            lambda: self.session.start("noop", unique=text),
            lambda: self.session.start("noop", env=[f"A={text}"]),
            lambda: self.session.start("noop", cwd=f"/{text}"),
            lambda: self.session.start("map", {"items": [text], "item_ms": 0}),
            lambda: self.session.start("map", json.dumps({"items": [text], "item_ms": 0}, ensure_ascii=False)),
            lambda: self.session.start(text),
            lambda: self.session.command("printf", text),
            lambda: self.session.command(text),
            lambda: task.call("SetLabel", "(s)", text),
            lambda: self.session.list_tasks(label=text),
            lambda: self.session.list_tasks(**{text: GLib.Variant("s", "")}),
        ]
        for i, call in enumerate(calls):
            with self.subTest(call=i):
                try:
                    started = call()
                    if isinstance(started, Task):
                        started.wait()
                        started.get_all()
                        if started.get("HasResult"):
                            started.take_result()
                except DBusError as error:
                    self.assertTrue(error.message)
                self.assertEqual(task.get("State"), "running")
                # Nobody else's view is spoilt by it.
                self.session.list_tasks()


class IdTest(DaemonTestCase):
    def test_ids_that_are_not_there(self):
        task = self.session.start("countdown", {"step_ms": 100000})
        for number in (0, task.id + 1, 999, (1 << 64) - 1):
            for method in ("Cancel", "Wait", "RemoveTasks"):
                with self.assertError("NoSuchTask", f"^There is no task {number}: .*longrun list"):
                    self.session.call(method, "(at)", [task.id, number])
            with self.assertError("NoSuchTask", f"^There is no task {number}:"):
                self.session.call("GetTask", "(t)", number)
        # None of the others was asked.
        self.assertEqual(task.get("State"), "running")
        self.assertEqual(self.session.call("Cancel", "(at)", []), (0,))
        self.assertEqual(self.session.call("RemoveTasks", "(at)", []), (0,))

    def test_objects_that_are_not_there(self):
        calls = [
            ("Cancel", "()", ()), ("Wait", "()", ()), ("OpenLog", "()", ()), ("ReadLog", "(tu)", (0, 1)),
            ("TakeResult", "()", ()), ("SetLabel", "(s)", ("x",)), ("Kill", "(i)", (15,)),
        ]
        self.session.start("noop").wait()
        for number in (0, 2, 999, (1 << 64) - 1):
            task = Task(self.session, number)
            for method, signature, args in calls:
                with self.subTest(number=number, method=method), \
                        self.assertError("NoSuchTask", f"^There is no task {number}:"):
                    task.call(method, signature, *args)
            with self.assertError("NoSuchTask"):
                task.get("State")
            with self.assertError("NoSuchTask"):
                task.get_all()
        for tail in ("", "abc", "1/x", "01", "+1", "1_", "18446744073709551616", "_1"):
            path = f"{ROOT}/task/{tail}".rstrip("/").replace("+", "_")
            with self.subTest(path=path), self.assertRaises(DBusError):
                self.session.call("Cancel", path=path, interface=TASK)
            with self.subTest(path=path), self.assertRaises(DBusError):
                self.session.get("State", path, TASK)

    def test_the_wrong_moment(self):
        active = self.session.start("countdown", {"step_ms": 100000})
        ended = [self.session.start("noop"), self.session.command("false")]
        self.session.wait(ended)
        with self.assertError("StillActive", f"^Task {active.id} has not ended: cancel it first"):
            self.session.call("RemoveTasks", "(at)", [ended[0].id, active.id])
        self.assertEqual(len(self.session.list_tasks()[0]), 3)
        with self.assertError("StillActive", "has not ended: wait for it"):
            active.call("TakeResult")
        with self.assertError("NotRunning", f"^Task {ended[0].id} has ended already: succeeded"):
            ended[0].cancel()
        with self.assertError("NotRunning", f"^Task {ended[1].id} has ended already: failed"):
            ended[1].call("Kill", "(i)", 15)
        with self.assertError("NotRunning", f"^Task {ended[0].id} has ended already: succeeded"):
            self.session.call("Cancel", "(at)", [ended[0].id])
        with self.assertError("NotRunning", "^All of these tasks have ended already"):
            self.session.call("Cancel", "(at)", [t.id for t in ended])
        # One that runs among them is enough.
        self.assertEqual(self.session.call("Cancel", "(at)", [ended[0].id, active.id]), (1,))

    def test_calls_on_one_another(self):
        """Sent without waiting for answers: each finds what the one before has left."""
        self.session.set_max_parallel(1)
        blocker = self.session.start("countdown", {"step_ms": 100000})
        for _ in range(20):
            task = self.session.start("noop")
            replies = [self.session.call_later("Cancel", "(at)", [task.id]),
                       self.session.call_later("RemoveTasks", "(at)", [task.id]),
                       self.session.call_later("RemoveTasks", "(at)", [task.id]),
                       self.session.call_later("GetTask", "(t)", task.id)]
            self.session.wait_until(lambda replies=replies: all(replies), "four replies")
            self.assertEqual([replies[0][0], replies[1][0]], [(1,), (1,)])
            for reply in replies[2:]:
                self.assertIsInstance(reply[0], DBusError)
                self.assertEqual(reply[0].name, "NoSuchTask")
            self.session.wait_until(lambda task=task: task.id in self.session.batched("TasksRemoved"), "the removal")
            self.assertEqual([s.args[0] for s in task.signals("Finished")], ["cancelled"])
        blocker.cancel()


class FilterTest(DaemonTestCase):
    def check(self, keys, name, text, methods=("ListTasks", "CountTasks", "CancelAll")):
        for method in methods:
            with self.subTest(method=method, keys=str(keys)[:60]), self.assertError(name, text):
                self.session.call(method, "(a{sv})", keys)
        self.assertEqual(self.task.get("State"), "running")

    def setUp(self):
        super().setUp()
        self.task = self.session.start("countdown", {"step_ms": 100000})
        self.task.wait_state("running")

    def test_keys(self):
        for key in ("nonsense", "", "State", "xé" * 100, "é" * 100):
            self.check({key: GLib.Variant("s", "x")}, "UnknownOption", "^There is no filter key .*Known are: states")
        only_for_lists = {"cursor": 1, "limit": 5, "fields": ["id"], "newest-first": True}
        for key, value in only_for_lists.items():
            self.check(dictionary(FILTER, {key: value}), "UnknownOption", f'^There is no filter key "{key}" here',
                       ("CountTasks", "CancelAll"))

    def test_values(self):
        for key, wanted in FILTER.items():
            value = GLib.Variant("y", 1)
            self.check({key: value}, "InvalidOption", f"^option {key} is of type {wanted}, not y",
                       ("ListTasks",) if key in ("cursor", "limit", "fields", "newest-first") else
                       ("ListTasks", "CountTasks", "CancelAll"))
        for state in ("nonsense", "", "Running", "xé" * 100, "é" * 100):
            self.check(dictionary(FILTER, {"states": ["running", state]}), "InvalidOption", "is not a state of a task")
        for limit in (0, 1001, (1 << 32) - 1):
            self.check(dictionary(FILTER, {"limit": limit}), "InvalidOption", "^limit is from 1 to 1000", ("ListTasks",))
        for field in ("nonsense", "", "Id", "env", "xé" * 100, "é" * 100):
            self.check(dictionary(FILTER, {"fields": ["id", field]}), "InvalidOption", "is not a key of a listed task",
                       ("ListTasks",))
        self.check(dictionary(FILTER, {"fields": ["id"] * 1000}), "InvalidOption", "more keys than there are",
                   ("ListTasks",))
        with self.assertError("InvalidOption", "fields is given twice"):
            fields = GLib.Variant("as", ["id"])
            self.session.call("ListTasks", "", GLib.Variant.new_tuple(pairs(("fields", fields), ("fields", fields))))

    def test_a_cursor_from_nowhere(self):
        self.assertEqual(self.session.list_tasks(cursor=(1 << 64) - 1), ([], 0))
        self.assertEqual(len(self.session.list_tasks(cursor=(1 << 64) - 1, newest_first=True)[0]), 1)


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
        self.assertEqual(len(self.session.list_tasks(limit=1000, fields=["id"])[0]), 201)
        self.assertEqual(self.session.cancel_all(), 201)


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


class QueueTest(DaemonTestCase):
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
            client = RawClient(self.session.env["DBUS_SESSION_BUS_ADDRESS"])
            serials = range(10, 8010)
            client.send_calls(NAME, ROOT, MANAGER, "Start", GLib.Variant("(sa{sv})", ("noop", {})), serials)
            self.assertEqual(client.read_replies(len(serials)),
                             {"org.longrun.Longrun1.Error.QueueFull": len(serials)})
            self.assertEqual(client.answered, list(serials))
            client.close()

    def test_100000_starts_beyond_the_cap(self):
        client = RawClient(self.session.env["DBUS_SESSION_BUS_ADDRESS"])
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
        grown = self.session.memory() - before
        self.assertLess(grown, (300 if sanitized() else 2) * MIB)
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


class WaitTest(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.blocker = self.session.start("countdown", {"step_ms": 1000000})

    def waits(self, client, number, ids, first=10):
        client.send_calls(NAME, ROOT, MANAGER, "Wait", GLib.Variant("(at)", (ids,)), range(first, first + number))

    def test_clients_that_vanish(self):
        """Three times as many tasks waited for as there may be at a time, by clients that leave in the middle."""
        ids = [self.blocker.id] * 1000
        address = self.session.env["DBUS_SESSION_BUS_ADDRESS"]

        def come_and_go():
            client = RawClient(address)
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

        self.session.settles(lambda: self.session.memory() - before < (300 if sanitized() else 4) * MIB,
                             lambda: f"longrund has grown by {self.session.memory() - before} bytes")

        def is_room():
            client = RawClient(address)
            self.waits(client, 190, ids)
            client.send_calls(NAME, ROOT, MANAGER, "GetTask", GLib.Variant("(at)", ([],)), [999])
            told = client.read_replies(1)
            client.close()
            return told == {"org.freedesktop.DBus.Error.InvalidArgs": 1}

        self.session.settles(is_room, "those who left are waited for still")
        self.blocker.cancel()
        self.blocker.wait()

    def test_10000_waits(self):
        client = RawClient(self.session.env["DBUS_SESSION_BUS_ADDRESS"])
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
