#!/usr/bin/python3
"""longrun: how it is called, what it starts and what it says when that does not work.

    LONGRUND=PATH LONGRUN=PATH test_cli.py
"""

import json
import os
import pathlib
import re
import subprocess
import unittest

from cli_testing import Case
from longrun_testing import DEADLINE_SEC, ROOT, Session, Terminal, main


COMMANDS = ("start", "run", "download", "operation", "list", "show", "log", "watch", "tree", "cancel", "retry", "priority",
            "send", "chat", "pause", "resume", "wait", "result", "remove", "prune", "info", "kinds")
GROUPS_OF_COMMANDS = ("group", "resource", "backend")
MANUAL = pathlib.Path(__file__).parents[2] / "docs" / "man" / "longrun.1"


class Usage(Case):
    """What is said before any bus comes into it: there is none here."""

    @classmethod
    def setUpClass(cls):
        cls.session = Session(daemon=False)
        cls.addClassCleanup(cls.session.stop)

    def test_help(self):
        text = self.ok("help")
        self.assertEqual(text, self.ok("--help"))
        for command in COMMANDS + GROUPS_OF_COMMANDS:
            self.assertRegex(text, rf"(?m)^  {command} ")

    def test_help_of_each_command(self):
        for command in COMMANDS:
            with self.subTest(command):
                text = self.ok(command, "--help")
                self.assertTrue(text.startswith(f"longrun {command}"), text)
                self.assertIn("-h, --help", text)
                self.assertEqual(text, self.ok("help", command))
                self.assertEqual(text, self.ok(command, "-h"))

    def test_manual_has_them_all(self):
        told = set(re.findall(r"\bCm ((?:[a-z]+ )?[a-z]+)\b", MANUAL.read_text(encoding="utf-8")))
        found = set(re.findall(r"(?m)^  (\w+)  ", self.ok("help"))) - {"help"}
        self.assertLessEqual(set(COMMANDS + GROUPS_OF_COMMANDS), found)
        for group in GROUPS_OF_COMMANDS:
            commands = set(re.findall(rf"(?m)^  longrun ({group} \w+)", self.ok(group, "--help")))
            self.assertIn(f"{group} remove", commands)
            found |= commands - {f"{group} list"}
        self.assertEqual(found - told, set())

    def options_of(self, *command):
        return set(re.findall(r"(?m)^ +(?:-\w, )? *--([a-z0-9-]+)", self.ok(*command, "--help")))

    def test_manual_has_options_of_backends(self):
        """Those of tasks are told once, for all of them."""
        told = set(re.findall(r"(?:Fl| ,) -([a-z0-9-]+)", MANUAL.read_text(encoding="utf-8")))
        for command in ("backend add", "download", "operation"):
            self.assertEqual(self.options_of(*command.split()) - self.options_of("run") - told, set(), command)

    def test_help_tells_exit_statuses(self):
        for command in ("start", "run", "watch", "wait", "download", "operation"):
            text = self.ok(command, "--help")
            self.assertIn("128 + N", text)
            self.assertIn("124 when it timed out", text)

    def test_version(self):
        self.assertRegex(self.ok("--version"), r"^longrun \d+\.\d+\.\d+\n$")

    def test_nothing_given(self):
        r = self.session.run()
        self.assertEqual((r.returncode, r.stdout), (2, ""))
        self.assertIn("longrun COMMAND", r.stderr)

    def test_wrong_calls(self):
        table = [
            (["nosuch"], 'no command "nosuch"'),
            (["help", "nosuch"], 'no command "nosuch"'),
            (["help", "list", "show"], "too many"),
            (["list", "--nosuch"], "unknown option --nosuch"),
            (["list", "-z"], "unknown option -z"),
            (["list", "-jz"], "unknown option -z"),
            (["list", "--json=yes"], "takes no argument"),
            (["list", "--label"], "--label wants an argument"),
            (["list", "-n"], "-n wants an argument"),
            (["list", "extra"], "takes no arguments"),
            (["list", "--state", "walking"], '"walking" is no state'),
            (["list", "--state", "walking"], "paused, cancelling, succeeded, failed, cancelled, timed-out"),
            (["list", "-n", "many"], 'not "many"'),
            (["list", "-n", "-1"], 'not "-1"'),
            (["list", "-n", "3", "--all"], "--all"),
            (["start"], "something is missing"),
            (["start", "--"], "something is missing"),
            (["start", "--json", "--follow", "true"], "--json does not go together"),
            (["start", "--json", "--quiet", "true"], "--json does not go together"),
            (["run"], "something is missing"),
            (["run", "map", "noop"], "too many"),
            (["show"], "something is missing"),
            (["show", "1", "2"], "too many"),
            (["show", "one"], '"one" is not the id'),
            (["show", "0"], '"0" is not the id'),
            (["show", "-1"], "unknown option -1"),
            (["show", "99999999999999999999"], "is not the id"),
            (["log", "1x"], '"1x" is not the id'),
            (["watch", ""], '"" is not the id'),
            (["cancel", "1", "two"], '"two" is not the id'),
            (["wait"], "something is missing"),
            (["wait", "1.5"], "is not the id"),
            (["remove", "all"], "is not the id"),
            (["result", "+1"], "is not the id"),
            (["kinds", "x"], "takes no arguments"),
            (["info", "x"], "takes no arguments"),
            (["prune", "3"], "takes no arguments"),
            (["prune", "--state", "running"], '"running" is no final state: succeeded, failed'),
            (["prune", "--older", "yesterday"], "--older wants a time"),
            (["prune", "--older", "infinity"], "--older wants a time"),
            (["prune", "--older", "1000000d"], "--older wants a time"),
            (["download"], "something is missing"),
            (["operation", "home"], "something is missing"),
            (["chat"], "something is missing"),
            (["chat", "home", "sing"], 'there is no "sing"'),
            (["backend", "nosuch"], 'no command "nosuch"'),
            (["backend", "list", "x"], "takes no arguments"),
            (["backend", "check"], "something is missing"),
        ]
        for args, text in table:
            with self.subTest(args):
                r = self.fails(2, text, *args)
                self.assertEqual(r.stdout, "")
                self.assertNotIn("bus", r.stderr)

    def test_no_bus_at_all(self):
        env = {key: value for key, value in self.session.env.items()
               if key not in ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR")}
        r = subprocess.run([self.session.longrun, "list"], env=env, capture_output=True, text=True, check=False)
        self.assertEqual((r.returncode, r.stdout), (1, ""))
        self.assertIn("there is no session bus", r.stderr)
        self.assertIn("dbus-run-session -- bash", r.stderr)

    def test_wrong_address(self):
        for address in ("nonsense", "unix:path", "unix:path=/nowhere/bus"):
            r = self.fails(1, "no session bus answers at DBUS_SESSION_BUS_ADDRESS", "list",
                           env={"DBUS_SESSION_BUS_ADDRESS": address})
            self.assertIn(address, r.stderr)


class NoDaemon(Case):
    """A bus, but nothing on it."""

    @classmethod
    def setUpClass(cls):
        cls.session = cls.enterClassContext(Session(daemon=False))

    def test_service_is_unknown(self):
        for args in (["list"], ["start", "true"], ["watch", "1"], ["log", "-f", "1"], ["wait", "1"]):
            with self.subTest(args):
                self.fails(1, "longrund is not installed where D-Bus finds it", *args)


class WrongCallsOfTasks(Case):
    """What is found out while a call is put together."""

    def test_options(self):
        latin = b"caf\xe9"
        table = [
            (2, ["start", "--umask", "9", "true"], "octal"),
            (2, ["start", "--umask", "1000", "true"], "octal"),
            (2, ["start", "--umask", "-2", "true"], "octal"),
            (2, ["start", "--umask", "", "true"], "octal"),
            (2, ["start", "--env", "NAME", "true"], "NAME=VALUE"),
            (2, ["start", "--env", "=x", "true"], "NAME=VALUE"),
            (2, ["start", "--stop-timeout", "soon", "true"], "--stop-timeout wants a time"),
            (2, ["start", "--log-max", "big", "true"], "--log-max wants a size"),
            (2, ["start", "--result-max", "1 million", "true"], "--result-max wants a size"),
            (2, ["start", "--timeout", "soon", "true"], "--timeout wants a time, as in 30s"),
            (2, ["start", "--timeout", "-1s", "true"], 'not "-1s"'),
            (2, ["start", "--idle-timeout", "", "true"], "--idle-timeout wants a time"),
            (2, ["start", "--queue-timeout", "1 fortnight", "true"], "--queue-timeout wants a time"),
            (2, ["start", "--memory-max", "lots", "true"], "--memory-max wants a size"),
            (2, ["start", "--memory-max", "50%", "true"], "--memory-max wants a size"),
            (2, ["start", "--pids-max", "1.5", "true"], "--pids-max wants a number"),
            (2, ["start", "--cpu-weight", "0", "true"], "from 1 to 10000"),
            (2, ["start", "--cpu-weight", "10001", "true"], "from 1 to 10000"),
            (2, ["start", "--nice", "20", "true"], "from -20 to 19"),
            (2, ["start", "--nice", "-21", "true"], "from -20 to 19"),
            (2, ["start", "--nice", "--5", "true"], 'not "--5"'),
            (2, ["start", "--nice", "-", "true"], "from -20 to 19"),
            (2, ["start", "--notify", "loudly", "true"], '--notify wants yes or no; not "loudly"'),
            (2, ["start", "--on-interrupt", "retry", "true"], "--on-interrupt wants fail or restart"),
            (2, ["start", "--on-interrupt", "", "true"], "--on-interrupt wants fail or restart"),
            (2, ["run", "noop", "--timeout", "soon"], "--timeout wants a time"),
            (2, ["run", "command"], "longrun start -- COMMAND"),
            (2, ["run", "map", "--params", "[1]"], "JSON object"),
            (2, ["run", "map", "--params", "{"], "JSON object"),
            (2, ["run", "map", "--param", "op"], "NAME=VALUE"),
            (2, ["run", "map", "--param", "=1"], "NAME=VALUE"),
            (2, ["run", "map", "--param", "[]=1"], "NAME=VALUE"),
            (2, ["run", "map", "-p", "items=1", "-p", "items[]=2"], "no array"),
            (2, ["run", "map", "-p", b"items=" + latin], "UTF-8"),
            (1, ["start", "echo", latin], "argument 1 is not UTF-8"),
            (1, ["start", "--label", latin, "true"], "label is not UTF-8"),
            (1, ["start", "--cwd", b"/" + latin, "true"], "cwd is not UTF-8"),
            (1, ["start", "--env", b"A=" + latin, "true"], "--env is not UTF-8"),
            (1, ["start", "--unique", latin, "true"], "unique is not UTF-8"),
            (1, ["run", latin], "the kind is not UTF-8"),
            (1, ["list", "--label", latin], "label is not UTF-8"),
            (1, ["list", "--kind", latin], "kind is not UTF-8"),
            # The daemon's words:
            (1, ["run", "nosuch"], "nosuch"),
            (1, ["run", "map", "-p", "items=3"], "items"),
            (1, ["run", "countdown", "-p", "stepps=3"], "stepps"),
            (1, ["start", "--cwd", "/etc/passwd", "true"], "/etc/passwd"),
            (1, ["start", "--stop-timeout", "infinity", "true"], "stop-timeout"),
            (1, ["start", "--timeout", "4000d", "true"], "timeout"),
            (1, ["start", "--memory-max", "1K", "true"], "memory-max"),
            (1, ["start", "--pids-max", "99999999", "true"], "pids-max"),
            (1, ["run", "noop", "--nice", "5"], "isolate"),
            (1, ["start", ""], "argv"),
            (1, ["start", "--label", "a\nb", "true"], "label"),
        ]
        for code, args, text in table:
            with self.subTest(args):
                self.fails(code, text, *args)
        self.assertEqual(self.json("list", "--all", "--json"), [])

    def test_tasks_that_are_not(self):
        for args in (["show"], ["show", "--json"], ["log"], ["log", "-f"], ["watch"], ["watch", "--json"], ["cancel"],
                     ["pause"], ["resume"], ["wait"], ["remove"], ["result"]):
            with self.subTest(args):
                r = self.fails(1, "no task 4242", *args, "4242")
                self.assertEqual(r.stdout, "")
                self.assertEqual(len(r.stderr.splitlines()), 1, r.stderr)


class Start(Case):
    def log_of(self, *args, **kwargs):
        """Starts a task and gives what it printed."""
        task = int(self.ok("start", "--quiet", *args, **kwargs))
        self.session.wait(task)
        return self.ok("log", task)

    def environment_of(self, *args, env=None):
        block = self.log_of(*args, "--", "env", "-0", env=env)
        return dict(entry.split("=", 1) for entry in block.split("\0") if entry)

    def test_what_it_prints(self):
        text = self.ok("start", "--", "echo", "a b")
        self.assertRegex(text, r"^Started task \d+: echo a b\n$")
        self.assertRegex(self.ok("start", "-l", "My work", "true"), r"^Started task \d+: My work\n$")
        self.assertRegex(self.ok("start", "--quiet", "true"), r"^\d+\n$")
        started = self.json("start", "--json", "true")
        self.assertEqual(started, {"id": started["id"], "object": f"{ROOT}/task/{started['id']}",
                                   "already-running": False})

    def test_options_end_at_the_command(self):
        self.assertEqual(self.log_of("echo", "--label", "-q", "--"), "--label -q --\n")
        self.assertEqual(self.log_of("--", "echo", "--quiet"), "--quiet\n")

    def test_no_shell(self):
        self.assertEqual(self.log_of("--", "echo", "$HOME", "*", "a;b", ""), "$HOME * a;b \n")

    def test_working_directory(self):
        self.assertEqual(self.log_of("pwd"), f"{self.work}\n")
        (self.work / "sub").mkdir()
        self.assertEqual(self.log_of("--cwd", "sub", "pwd"), f"{self.work}/sub\n")
        self.assertEqual(self.log_of("-C", "/", "pwd"), "/\n")
        self.assertEqual(self.log_of("-C", "usr", "pwd", cwd="/"), "/usr\n")

    def test_working_directory_keeps_symlinks(self):
        (self.work / "real").mkdir()
        (self.work / "link").symlink_to("real")
        link = str(self.work / "link")
        for pwd, expected in ((link, link), ("/usr", f"{self.work}/real")):
            task = int(self.ok("start", "-q", "true", cwd=link, env={"PWD": pwd}))
            self.assertEqual(self.json("show", "--json", task)["cwd"], expected)

    def test_working_directory_is_gone(self):
        gone = self.work / "gone"
        gone.mkdir()
        script = 'rmdir "$1" && exec "$0" start true'
        r = subprocess.run(["sh", "-c", script, self.session.longrun, gone], cwd=gone, env=self.session.env,
                           capture_output=True, text=True, check=False, timeout=DEADLINE_SEC)
        self.assertEqual(r.returncode, 1, r)
        self.assertIn("--cwd", r.stderr)

    def test_umask(self):
        self.assertEqual(self.log_of("sh", "-c", "umask", umask=0o27), "0027\n")
        self.assertEqual(self.log_of("--umask", "077", "sh", "-c", "umask", umask=0o27), "0077\n")
        self.assertEqual(self.log_of("--umask", "0", "sh", "-c", "umask"), "0000\n")

    def test_environment_is_the_callers(self):
        given = {"MINE": "a=b c", "EMPTY": "", "UNI": "ä€", "BASH_FUNC_f%%": "() { :; }"}
        env = self.environment_of(env=given)
        self.assertEqual({key: env.get(key) for key in given}, given)
        self.assertEqual(env["HOME"], self.session.env["HOME"])

    def test_environment_leaves_out_what_is_of_the_caller_alone(self):
        mine = {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1", "LISTEN_FDS": "1",
                "LISTEN_PID": "1", "JOURNAL_STREAM": "1:2", "INVOCATION_ID": "x", "LONGRUN_TASK_ID": "77",
                "LONGRUN_OTHER": "x", "NOTIFY_SOCKETS": "kept", "MY_LISTEN_FDS": "kept"}
        env = self.environment_of(env=mine)
        self.assertNotEqual(env.get("LONGRUN_TASK_ID"), "77")
        self.assertNotEqual(env.get("NOTIFY_SOCKET"), "/nowhere")
        left = {key for key in mine if key in env} - {"LONGRUN_TASK_ID", "NOTIFY_SOCKET"}
        self.assertEqual(left, {"NOTIFY_SOCKETS", "MY_LISTEN_FDS"})

    def test_environment_given(self):
        words = ["--env", "A=1", "-e", "B=x=y", "-e", "A=2"]
        env = self.environment_of(*words, env={"A": "0", "AB": "kept"})
        self.assertEqual((env["A"], env["B"], env["AB"]), ("2", "x=y", "kept"))
        task = int(self.ok("start", "-q", *words, "true", env={"A": "0"}))
        given = self.session.property(task, "Env")
        self.assertEqual([entry for entry in given if entry.startswith("A=")], ["A=2"])

    def test_environment_is_not_the_daemons(self):
        few = {key: self.session.env[key] for key in ("DBUS_SESSION_BUS_ADDRESS", "PATH")}
        r = subprocess.run([self.session.longrun, "start", "-f", "-q", "env"], env=few, capture_output=True, text=True,
                           check=False, timeout=DEADLINE_SEC)
        self.assertIn(f"PATH={few['PATH']}\n", r.stdout)
        self.assertNotIn("HOME=", r.stdout)

    def test_environment_of_the_daemon(self):
        env = self.environment_of("--clean-env", "--env", "GIVEN=1", env={"MINE": "1"})
        self.assertNotIn("MINE", env)
        self.assertEqual((env["GIVEN"], env["HOME"]), ("1", self.session.env["HOME"]))

    def test_variable_that_is_not_utf8(self):
        env = {**self.session.env, "GOOD": "1"}
        encoded = {os.fsencode(key): os.fsencode(value) for key, value in env.items()} | {b"BAD": b"\xff\xfe"}
        for quiet in (False, True):
            r = subprocess.run([self.session.longrun, "start", *(["-q"] if quiet else []), "-f", "env"], env=encoded,
                               capture_output=True, check=False, timeout=DEADLINE_SEC)
            self.assertEqual(r.returncode, 0, r)
            self.assertIn(b"GOOD=1\n", r.stdout)
            self.assertNotIn(b"BAD", r.stdout)
            self.assertEqual(b"leaving out the variable BAD" in r.stderr, not quiet)

    def test_limits_arrive(self):
        task = int(self.ok("start", "-q", "--stop-timeout", "1min 30s", "--log-max", "1.5M", "--result-max", "64K",
                           "--label", "ä label", "--unique", "limits", "--umask", "7", "true"))
        shown = self.json("show", "--json", task)
        self.assertEqual(
            {key: shown[key] for key in ("stop-timeout", "log-max", "result-max", "label", "unique", "umask", "argv")},
            {"stop-timeout": 90000000, "log-max": 1572864, "result-max": 65536, "label": "ä label",
             "unique": "limits", "umask": 7, "argv": ["true"]})

    def test_guards_arrive(self):
        keys = ("timeout", "idle-timeout", "queue-timeout", "memory-max", "pids-max", "cpu-weight", "nice",
                "on-interrupt", "notify")
        table = [
            (["--timeout", "1h30min", "--idle-timeout=90s", "--queue-timeout", "2d", "--memory-max", "512M",
              "--pids-max", "64", "--cpu-weight", "10000", "--nice", "-20", "--on-interrupt", "restart",
              "--notify", "no"],
             [5400000000, 90000000, 172800000000, 512 << 20, 64, 10000, -20, "restart", False]),
            (["--timeout", "infinity", "--nice", "19", "--cpu-weight", "1", "--memory-max", "1.5G", "--on-interrupt",
              "fail", "--notify", "yes"], [0, 0, 0, 3 << 29, 0, 1, 19, "fail", True]),
            (["--nice=+3"], [0, 0, 0, 0, 0, 0, 3, "fail", True]),
            ([], [0, 0, 0, 0, 0, 0, 0, "fail", True]),
        ]
        for words, expected in table:
            with self.subTest(words):
                # What becomes of it is not asked here: who may not lower a nice value cannot run the first one.
                shown = self.json("show", "--json", int(self.ok("start", "-q", *words, "true")))
                self.assertEqual([shown[key] for key in keys], expected)

    def test_large_numbers_are_digits(self):
        task = int(self.ok("start", "-q", "--log-max", "1000000000000000", "true"))
        self.assertIn('"log-max":\t1000000000000000,', self.ok("show", "--json", task))

    def test_unique(self):
        gate = self.gate()
        task = int(self.ok("start", "-q", "--unique", "one", "--", *gate.argv()))
        self.assertEqual(self.ok("start", "--unique", "one", "true"), f"already running: task {task}\n")
        self.assertEqual(self.ok("start", "-q", "--unique", "one", "true"), f"{task}\n")
        found = self.json("start", "--json", "--unique", "one", "true")
        self.assertEqual((found["id"], found["already-running"]), (task, True))
        gate.end()
        self.session.wait(task)
        again = self.json("start", "--json", "--unique", "one", "true")
        self.assertGreater(again["id"], task)
        self.assertFalse(again["already-running"])

    def test_hint_on_a_terminal(self):
        with Terminal(self.session, "start", "true") as t:
            code, text = t.finish()
        task = re.search(r"Started task (\d+): true", text).group(1)
        self.assertEqual(code, 0)
        self.assertIn(f"longrun log -f {task}", text)

    def test_stdout_is_full(self):
        with open("/dev/full", "wb") as full:
            for args in (["start", "true"], ["list"], ["kinds", "--json"], ["help"]):
                with self.subTest(args):
                    self.fails(1, "cannot write to stdout: No space left", *args, stdout=full)


class Run(Case):
    def params_of(self, *args):
        """What the daemon was given."""
        task = int(self.ok("run", "map", "-q", *args))
        return self.json("show", "--json", task)["params"]

    def test_values(self):
        table = [
            ("text", "text"), ("", ""), ("a=b", "a=b"), ('"quoted"', "quoted"), ("3", 3), ("-1.5e3", -1500),
            ("true", True), ("null", None), ("0", 0), ("ä", "ä"),
            # What cJSON would take for numbers, and is none.
            ("007", "007"), ("1.", "1."), ("-", "-"), ("1e", "1e"), ("1x", "1x"), ("0x10", "0x10"), ("12-3", "12-3"),
            ("-07", "-07"), ("+1", "+1"), (".5", ".5"), ("1e+", "1e+"), ("nan", "nan"),
            # Nearly JSON.
            ("[1", "[1"), ('{"a"', '{"a"'), ("nul", "nul"), ("true false", "true false"), ('"open', '"open'),
        ]
        words = [word for text, _ in table for word in ("-p", f"items[]={text}")]
        self.assertEqual(self.params_of(*words), {"items": [value for _, value in table]})

    def test_arrays_and_objects(self):
        self.assertEqual(self.params_of("-p", 'items=["a", 2]', "-p", "items[]=b"), {"items": ["a", 2, "b"]})
        # map does not take objects; it must be one that it refuses.
        self.fails(1, "object", "run", "map", "-p", 'items[]={"a": 1}')
        self.assertEqual(self.params_of("-p", 'items[]="{}"'), {"items": ["{}"]})

    def test_numbers_keep_their_digits(self):
        number = "9007199254740993"
        for words in (["-p", f"items[]={number}"], ["--params", f'{{"items": [{number}]}}']):
            task = int(self.ok("run", "map", "-q", *words))
            self.assertIn(number, self.session.property(task, "Params"))

    def test_base_object(self):
        base = '{"items": ["a"], "op": "uppercase", "item_ms": 0}'
        self.assertEqual(self.params_of("--params", base), json.loads(base))
        self.assertEqual(self.params_of("--params", base, "-p", "items[]=b", "-p", "op=lowercase"),
                         {"items": ["a", "b"], "op": "lowercase", "item_ms": 0})
        self.assertEqual(self.params_of("--params", '{"item_ms": 0}', "-p", 'items=["x"]'),
                         {"items": ["x"], "item_ms": 0})

    def test_last_value_counts(self):
        self.assertEqual(self.params_of("-p", 'items=["x"]', "-p", "item_ms=50", "-p", "item_ms=1")["item_ms"], 1)

    def test_result(self):
        for isolate in ([], ["--isolate"]):
            with self.subTest(isolate):
                task = int(self.ok("run", "map", "-q", *isolate, "-p", "items[]=one", "-p", "items[]=two",
                                   "-p", "item_ms=0"))
                self.assertEqual(self.session.wait(task), [(task, "succeeded", 0)])
                self.assertEqual(self.json("show", "-j", task)["isolate"], isolate != [])
                self.assertTrue(self.json("show", "-j", task)["has-result"])
                self.assertEqual([item["processed"] for item in self.json("result", task)], ["ONE", "TWO"])
                self.assertFalse(self.json("show", "-j", task)["has-result"])
                self.fails(1, "no result", "result", task)

    def test_result_before_the_end(self):
        task = int(self.ok("run", "countdown", "-q", "-p", "steps=1000"))
        self.fails(1, "", "result", task)
        self.ok("cancel", task)
        self.session.wait(task)

    def test_describes_itself(self):
        self.assertRegex(self.ok("run", "noop"), r"^Started task \d+: noop\n$")
        self.assertRegex(self.ok("run", "noop", "--label", "Nothing"), r"^Started task \d+: Nothing\n$")

    def test_follow(self):
        r = self.session.run("run", "countdown", "-p", "steps=2", "-p", "step_ms=1", "--follow")
        self.assertEqual(r.returncode, 0, r)
        self.assertIn("Completed step 2\n", r.stdout)
        self.assertRegex(r.stderr, r"^Started task \d+: countdown\n$")

    def test_follow_a_failure(self):
        r = self.session.run("run", "compute-e", "-p", "seconds=0.05", "-p", "force_error=true", "-f", "-q")
        self.assertEqual(r.returncode, 1, r)
        self.assertRegex(r.stderr, r"^longrun: task \d+ failed: .*force_error")

    def test_kinds(self):
        kinds = self.json("kinds", "--json")
        names = [kind["name"] for kind in kinds]
        self.assertLessEqual({"checksum", "compute-e", "countdown", "map", "noop"}, set(names))
        self.assertTrue(all(kind["description"] for kind in kinds))
        table = self.ok("kinds")
        for name in names:
            self.assertRegex(table, rf"(?m)^{name} +\S")


class Activation(unittest.TestCase):
    def test_first_call_starts_the_daemon(self):
        with Session(activatable=True) as session:
            r = session.run("start", "--follow", "--quiet", "--", "echo", "x")
            self.assertEqual((r.returncode, r.stdout, r.stderr), (0, "x\n", ""))
            self.assertEqual(session.run("list").returncode, 0)

    def test_daemon_that_does_not_start(self):
        with Session(activatable=True, arguments=["--nonsense"]) as session:
            r = session.run("list")
            self.assertEqual((r.returncode, r.stdout), (1, ""))
            self.assertRegex(r.stderr, "^longrun: longrund could not be started: ")


if __name__ == "__main__":
    os.umask(0o22)
    main()
