#!/usr/bin/python3
"""What is wrong is refused with a named error that says what to do; nothing of it stays, and the daemon goes on.

    LONGRUND=PATH test_bad_input.py
"""

import json

from daemon_testing import (FILTER, MANAGER, OPTIONS, PROPERTIES, ROOT, TASK, DaemonTestCase, DBusError, Task,
                            dictionary, main, options_of)
from longrun_testing import GLib

MIB = 1 << 20


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
                  "u": GLib.Variant("i", 1), "i": GLib.Variant("u", 1), "t": GLib.Variant("u", 1),
                  "at": GLib.Variant("as", ["1"]), "ai": GLib.Variant("au", [1]),
                  "ay": GLib.Variant("s", "x"), "a{su}": GLib.Variant("a{st}", {"gpu": 1})}
        for name, wanted in OPTIONS.items():
            for value in (others[wanted], GLib.Variant("v", GLib.Variant("s", "x")), GLib.Variant("a{sv}", {}),
                          GLib.Variant("(ss)", ("a", "b"))):
                with self.subTest(name=name, type=value.get_type_string()):
                    self.check("noop", {name: value}, "InvalidOption",
                               f"^option {name} is of type {wanted}, not {value.get_type_string()}"
                               .replace("(", r"\(").replace(")", r"\)").replace("{", r"\{").replace("}", r"\}"))

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
            ({"result_max": 8 * MIB + 1}, "^result-max is above 8.0M: write larger data to a file"),
            ({"priority": 1000001}, "^priority is from -1000000 to 1000000"),
            ({"start_at": 1700000000}, "^start-at 1700000000 lies before the year 2000: it is given in microseconds"),
            ({"start_at": (1 << 64) - 1}, "more than a century ahead"),
            ({"after": [0]}, "^after names task 0, which there never is"),
            ({"after_any": list(range(1, 100002))}, "^after-any names more than 100000 tasks"),
            ({"resources": {"gpu": 0}}, "^resources wants 0 of gpu"),
            ({"resources": {f"r{i}": 1 for i in range(65)}}, "^resources "),
            ({"retry_on": [1]}, "^retry-on says nothing without retries"),
            ({"retries": 1, "retry_on": [0]}, "^retry-on: 0 is not the exit code of a failure"),
            ({"retries": 1001}, "^retries is at most 1000"),
            ({"every": 99999}, "^every is at least 100ms"),
            ({"every": 10**6, "calendar": "daily"}, "^every and calendar exclude each other"),
            ({"every": 10**6, "after": [1]}, "^after does not go with every"),
            ({"persistent": True}, "give calendar as well"),
            ({"stdin_open": True}, "^stdin-open is for tasks with a process of their own"),
            ({"pty": True}, "^pty is for tasks with a process of their own"),
            ({"pty_size": "80x24x2"}, '^pty-size is COLUMNSxROWS, each from 1 to 65535, as in "80x24"; not "80x24x2"'),
            ({"pty_size": "8" * 5000}, "^pty-size is COLUMNSxROWS"),
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
        task.wait_state("running")
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
        task.wait_state("running")
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
            ("Cancel", "()", ()), ("Wait", "()", ()), ("OpenLog", "()", ()), ("OpenLogIndex", "()", ()), ("ReadLog", "(tu)", (0, 1)),
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


if __name__ == "__main__":
    main()
