#!/usr/bin/python3
"""longrun: when tasks run, in which order, and with what others. What it asks of longrund.

    LONGRUND=PATH LONGRUN=PATH test_cli_plan.py
"""

import datetime
import os
import re
import time

from cli_testing import HOUR, Case, FakeCase, now, started, waiting
from fake_daemon import run
from longrun_testing import NAME, ROOT, GLib, Session, main, variant

NO_SUCH_GROUP = (f"{NAME}.Error.NoSuchGroup", "there is no group nosuch")


def number(n):
    return lambda *_: GLib.Variant("(u)", (n,))


def nothing(*_):
    return None


def group(name, **more):
    properties = {"max-parallel": 0, "max-queued": 0, "active": 0, "running": 0, "queued": 0, "waiting": 0,
                  "succeeded": 0, "failed": 0}
    numbers = {key.replace("_", "-"): value for key, value in more.items() if not isinstance(value, (bool, dict))}
    return {"name": variant("s", name), "paused": variant("b", more.get("paused", False)),
            "draining": variant("b", more.get("draining", False)),
            "defaults": variant("a{sv}", more.get("defaults", {})),
            **{key: variant("u", value) for key, value in (properties | numbers).items()}}


def groups():
    defaults = {"timeout": variant("t", HOUR), "priority": variant("i", -5), "retries": variant("u", 0),
                "resources": variant("a{su}", {"gpu": 1}), "notify": variant("b", False)}
    return [group("default", active=3, running=1, queued=2, succeeded=5, failed=1),
            group("encode", max_parallel=2, max_queued=100, paused=True, draining=True, active=9, running=2, queued=6,
                  waiting=1, defaults=defaults)]


class WrongCalls(Case):
    """What is said before any bus comes into it: there is none here."""

    @classmethod
    def setUpClass(cls):
        cls.session = Session(daemon=False)
        cls.addClassCleanup(cls.session.stop)

    def check(self, table):
        for args, text in table:
            with self.subTest(args):
                r = self.fails(2, text, *args)
                self.assertEqual(r.stdout, "")
                self.assertNotIn("bus", r.stderr)

    def test_times(self):
        wants = '--at wants a time, as in 18:00, +2h'
        self.check([(["start", "--at", word, "true"], text) for word, text in (
            ("", wants), ("soon", wants), ("25:00", wants), ("12:60", wants), ("6pm", wants), ("infinity", wants),
            ("2026-13-01", wants), ("--", wants), ("$(reboot)", 'not "$(reboot)"'), ("9999999999999999999", wants),
            ("yesterday", "which is past"), ("-5min", "which is past"), ("2001-01-01", "is Mon 2001-01-01 00:00:00"),
            ("@1", "which is past"))])

    def test_numbers(self):
        self.check([
            (["priority"], "something is missing"),
            (["priority", "5"], "which tasks?"),
            (["priority", "high", "5"], "a priority is a number from -1000000 to 1000000"),
            (["priority", "-1000001", "5"], "a priority is"),
            (["priority", "1.5", "5"], "a priority is"),
            (["priority", "", "5"], "a priority is"),
            (["priority", "-", "5"], "a priority is"),
            (["priority", "-5", "x"], '"x" is not the id'),
            (["priority", "-5", "1", "--all"], "not both"),
            (["priority", "5", "--state", "running"], "no state of a task that has not started: waiting, queued"),
            (["priority", "-x", "5"], "unknown option -x"),
            (["resource", "set", "gpu", "0"], "longrun resource remove gpu"),
            (["resource", "set", "gpu", "-1"], "unknown option -1"),
            (["resource", "set", "gpu", "two"], "no number of tokens"),
            (["resource", "set", "gpu"], "something is missing"),
            (["resource", "remove"], "something is missing"),
            (["resource", "sell", "gpu"], 'no command "sell"'),
        ])

    def test_targets(self):
        for command in ("cancel", "retry"):
            self.check([
                ([command], "which tasks? Name their ids"),
                ([command, "1", "--all"], "not both"),
                ([command, "1", "--group", "a"], "not both"),
                ([command, "--all", "--group", "a"], "--all does not go together"),
                ([command, "x"], '"x" is not the id'),
                ([command, "0"], '"0" is not the id'),
                ([command, "--parent", "0"], '"0" is not the id'),
                ([command, "--parent", "x"], '"x" is not the id'),
            ])
        self.check([
            (["cancel", "--state", "failed"], "no state of a task that has not ended: waiting, queued, starting"),
            (["retry", "--state", "running"], "no final state: succeeded"),
            (["retry", "--older", "soon"], "--older wants a time"),
            (["list", "--parent", "-1"], "is not the id"),
        ])

    def test_several_words(self):
        self.check([
            (["group", "nosuch"], 'no command "nosuch"'),
            (["group", "list", "x"], "takes no arguments"),
            (["group", "add"], "something is missing: longrun group add NAME"),
            (["group", "add", "a", "b"], "too many"),
            (["group", "--nosuch"], "unknown option --nosuch"),
            (["group", "set", "a"], "what is to be set?"),
            (["group", "set", "a", "--json"], "what is to be set?"),
            (["help", "group", "nosuch"], 'no command "nosuch"'),
            (["help", "group", "add", "x"], "too many"),
            (["pause", ""], '"" is neither'),
            (["resume", "0"], '"0" is not the id'),
            (["pause", "a", "99999999999999999999"], "is not the id"),
            (["send", "7"], "something is missing"),
            (["send", "x", "hello"], '"x" is not the id'),
            (["tree", "x"], '"x" is not the id'),
            (["tree", "1", "2"], "too many"),
            (["tree", "-n", "-1"], "--last wants a number"),
        ])

    def test_help(self):
        self.assertEqual(self.ok("group", "--help"), self.ok("help", "group"))
        text = self.ok("group", "--help")
        for word in ("list", "add", "set", "remove", "drain"):
            self.assertIn(f"  longrun group {word}", text)
            self.assertEqual(self.ok("group", word, "--help"), self.ok("help", "group", word))
            self.assertTrue(self.ok("group", word, "-h").startswith(f"longrun group {word}"))
        text = self.ok("start", "--help")
        self.assertIn("125", text)
        self.assertRegex(text, r"(?m)^  -h, --help .*\n\nWhen:\n +--after ID,… ")

    def test_help_fits_on_a_screen(self):
        commands = re.findall(r"(?m)^  (\w+) ", self.ok("help"))
        commands.remove("help")
        for command in ["group add", "group list", "group set", "resource set", *commands]:
            for line in self.ok("help", *command.split()).splitlines():
                self.assertLessEqual(len(line), 100, line)


class WrongOptions(FakeCase):
    """What is found out while a call is put together: nothing of it is asked."""

    def test_options(self):
        latin = b"caf\xe9"
        table = [
            (2, ["--after", "x"], '--after wants ids of tasks, as in 12 or 12,13; not "x"'),
            (2, ["--after", ""], 'not ""'),
            (2, ["--after", "1,,2"], 'not ""'),
            (2, ["--after", "1", "--after", "2,0"], 'not "0"'),
            (2, ["--after-any", "-1"], "--after-any wants ids"),
            (2, ["--after-failed", "1 2"], "--after-failed wants ids"),
            (2, ["--parent", "0"], "--parent wants the id of a task"),
            (2, ["--parent", ""], "--parent wants the id of a task"),
            (2, ["--priority", "high"], "--priority wants a number from"),
            (2, ["--priority", "1000001"], "--priority wants a number from"),
            (2, ["--priority", "-9999999999"], "--priority wants a number from"),
            (2, ["--every", "0"], "--every wants a time"),
            (2, ["--every", "-10min"], "--every wants a time"),
            (2, ["--every", "infinity"], "--every wants a time"),
            (2, ["--every", ""], "--every wants a time"),
            (2, ["--calendar", ""], "--calendar wants something that is not empty"),
            (2, ["--group", ""], "--group wants something"),
            (2, ["--unique", ""], "--unique wants something"),
            (2, ["--follow", "--every", "1h"], "a series prints nothing itself"),
            (2, ["--follow", "--calendar", "hourly"], "a series prints nothing itself"),
            (2, ["--when-online", ""], "--when-online wants something"),
            (2, ["--retries", "-1"], "--retries wants a number"),
            (2, ["--retries", "4294967296"], "--retries wants a number"),
            (2, ["--retry-delay", "soon"], "--retry-delay wants a time"),
            (2, ["--retry-on", "256"], "--retry-on wants exit codes from 0 to 255"),
            (2, ["--retry-on", "1,x"], 'not "x"'),
            (2, ["--retry-on", "-1"], 'not "-1"'),
            (2, ["--resource", ""], "--resource wants NAME or NAME=N"),
            (2, ["--resource", "=1"], "--resource wants NAME or NAME=N"),
            (2, ["--resource", "gpu=0"], "--resource wants NAME or NAME=N"),
            (2, ["--resource", "gpu=-1"], "--resource wants NAME or NAME=N"),
            (2, ["--resource", "gpu=1.5"], "--resource wants NAME or NAME=N"),
            (2, ["--resource", "gpu", "--resource", "net=2", "--resource", "gpu=2"], "gpu=2: it was claimed before"),
            (1, ["--resource", latin], "resources is not UTF-8"),
            (1, ["--group", latin], "group is not UTF-8"),
            (1, ["--calendar", latin], "calendar is not UTF-8"),
        ]
        fake = self.daemon()
        for code, words, text in table:
            for args in (["start", *words, "true"], ["run", "noop", *words]):
                with self.subTest(args):
                    self.assertEqual(self.fails(code, text, *args), "")
        for code, args, text in (
                (2, ["group", "add", "a", "--max-parallel", "-1"], '--max-parallel wants a number, not "-1"'),
                (2, ["group", "add", "a", "--max-queued", "many"], "--max-queued wants a number"),
                (2, ["group", "set", "a", "--unset", "label"], 'no default of "label"'),
                (2, ["group", "set", "a", "--unset", ""], 'no default of ""'),
                (2, ["group", "add", "a", "--retries", "x"], "--retries wants"),
                (2, ["group", "add", "a", "--label", "x"], "unknown option --label"),
                (1, ["group", "add", latin], "the name is not UTF-8"),
                (1, ["resource", "set", latin, "1"], "the name is not UTF-8"),
                (1, ["pause", latin], "group is not UTF-8"),
                (1, ["send", "7", latin], "the message is not UTF-8")):
            with self.subTest(args):
                self.assertEqual(self.fails(code, text, *args), "")
        self.assertEqual(fake.calls, [])

    def test_no_systemd_analyze(self):
        fake = self.daemon()
        out, err, code = run(self.session, "start", "--at", "18:00", "true", env={"PATH": "/nowhere"})
        self.assertEqual((out, code, fake.calls), ("", 1, []))
        self.assertIn("systemd-analyze, which reads times, cannot be executed", err)


class Start(FakeCase):
    def options(self, *words):
        """What comes to the daemon of these options."""
        fake = self.daemon(answers={"Start": started}, tasks=waiting())
        self.ok("run", "noop", "--quiet", *words)
        options = fake.asked("Start")[0][1]
        fake.gone()
        return options

    def test_options(self):
        table = [
            (["--group", "encode", "--priority", "-5"], {"group": "encode", "priority": -5}),
            (["--priority", "+7"], {"priority": 7}),
            (["--priority", "0", "--retries", "0"], {"priority": 0, "retries": 0}),
            (["--after", "3"], {"after": [3]}),
            (["--after", "3,5", "--after", "4"], {"after": [3, 5, 4]}),
            (["--after-any", "18446744073709551615", "--after-failed", "1,2"],
             {"after-any": [2**64 - 1], "after-failed": [1, 2]}),
            (["--when-online", "box"], {"when-online": "box"}),
            (["--every", "1h 30min"], {"every": 5400_000_000}),
            (["--calendar", "Mon..Fri 09:00", "--persistent"], {"calendar": "Mon..Fri 09:00", "persistent": True}),
            (["--retries", "3", "--retry-delay", "1.5s", "--retry-on", "1,75"],
             {"retries": 3, "retry-delay": 1_500_000, "retry-on": [1, 75]}),
            (["--resource", "gpu", "--resource", "net=2"], {"resources": {"gpu": 1, "net": 2}}),
            (["--resource", "gpu,gpux=3"], {"resources": {"gpu": 1, "gpux": 3}}),
            (["--parent", "12", "--stdin-open", "--unique", "k"], {"parent": 12, "stdin-open": True, "unique": "k"}),
            (["--memory-max", "1.5G", "--timeout", "2h 30min"], {"memory-max": 3 << 29, "timeout": 9000_000_000}),
        ]
        for words, expected in table:
            with self.subTest(words):
                self.assertEqual(self.options(*words), expected)

    def test_a_parent_from_the_environment(self):
        """A task starts its children with what it has."""
        fake = self.daemon(answers={"StartCommand": started})
        self.ok("start", "-q", "--parent", "41", "true")
        self.assertEqual(fake.asked("StartCommand")[0][1]["parent"], 41)

    def test_at(self):
        today = datetime.date.today()
        for word, expected in (
                ("2030-12-24 09:00", datetime.datetime(2030, 12, 24, 9)),
                ("tomorrow", datetime.datetime.combine(today + datetime.timedelta(days=1), datetime.time())),
                ("@1900000000.25", datetime.datetime.fromtimestamp(1900000000.25))):
            with self.subTest(word):
                self.assertEqual(self.options("--at", word), {"start-at": round(expected.timestamp() * 1e6)})
        for word in ("+2h", "2h left"):
            before = now()
            start_at = self.options("--at", word)["start-at"]
            self.assertTrue(before + 2 * HOUR <= start_at <= now() + 2 * HOUR)
        self.assertLessEqual(self.options("--at", "now")["start-at"], now())

    def test_at_a_time_of_day(self):
        """That of tomorrow when today's is past, also across a change of the clocks."""
        for hours in (-1, 1):
            moment = datetime.datetime.now() + datetime.timedelta(hours=hours)
            moment = moment.replace(second=0, microsecond=0)
            word = f"{moment:%H:%M}"
            start_at = self.options("--at", word)["start-at"] / 1e6
            with self.subTest(word):
                self.assertEqual(f"{datetime.datetime.fromtimestamp(start_at):%H:%M}", word)
                self.assertTrue(time.time() < start_at <= time.time() + 90000)

    def test_what_it_says(self):
        due = int(datetime.datetime(2030, 12, 24, 9).timestamp() * 1e6)
        soon = int(datetime.datetime.now().replace(microsecond=0).timestamp() + 3) * 1_000_000
        reason = "waits for task 3 to succeed"
        table = [
            (["--at", "2030-12-24 09:00"], {"DueAt": variant("t", due)},
             "Planned task 7: noop (starts at Tue 2030-12-24 09:00:00)\n"),
            (["--calendar", "Mon"], {"DueAt": variant("t", due), "Calendar": variant("s", "Mon")},
             "Planned task 7: noop (first run at Tue 2030-12-24 09:00:00)\n"),
            (["--after", "3"], {"Reason": variant("s", reason)}, f"Planned task 7: noop ({reason})\n"),
            (["--after", "3"], {"State": variant("s", "running")}, "Started task 7: noop\n"),
            (["--every", "1h"], {"DueAt": variant("t", soon - 5_000_000)}, "Started task 7: noop\n"),
        ]
        for words, properties, expected in table:
            with self.subTest(words):
                fake = self.daemon(answers={"Start": started}, tasks=waiting(**properties))
                self.assertEqual(self.ok("run", "noop", *words), expected)
                due_at = properties.get("DueAt", variant("t", 0)).unpack()
                answer = {"id": 7, "object": f"{ROOT}/task/7", "already-running": False}
                self.assertEqual(self.json("run", "noop", "--json", *words),
                                 answer | ({"due-at": due} if due_at == due else {}))
                # Scripts that want the id alone cost no second question.
                before = len(fake.asked("GetAll"))
                self.assertEqual(self.ok("run", "noop", "--quiet", *words), "7\n")
                self.assertEqual(len(fake.asked("GetAll")), before)
                fake.gone()


class Bulk(FakeCase):
    def test_filters(self):
        active = ["waiting", "queued", "starting", "running", "paused", "cancelling"]
        failed = ["failed", "timed-out", "interrupted"]
        fake = self.daemon(answers={"CancelAll": number(3), "SetPriorityAll": number(4),
                                    "RetryAll": lambda *_: GLib.Variant("(at)", ([40, 41],))})
        table = [
            (["cancel", "--all"], "CancelAll", {"states": active}, "Told to stop: 3\n"),
            (["cancel", "-g", "a", "-k", "command", "-l", "part", "--parent", "5", "-s", "queued"], "CancelAll",
             {"states": ["queued"], "group": "a", "kind": "command", "label": "part", "parent": 5},
             "Told to stop: 3\n"),
            (["retry", "--all"], "RetryAll", {"states": failed}, "Started task 40\nStarted task 41\n"),
            (["retry", "--all", "-q"], "RetryAll", {"states": failed}, "40\n41\n"),
            (["retry", "-s", "skipped", "-s", "cancelled"], "RetryAll", {"states": ["cancelled", "skipped"]},
             "Started task 40\nStarted task 41\n"),
            (["retry", "--group", "b"], "RetryAll", {"states": failed, "group": "b"},
             "Started task 40\nStarted task 41\n"),
        ]
        for words, method, filters, text in table:
            with self.subTest(words):
                self.assertEqual(self.ok(*words), text)
                self.assertEqual(fake.asked(method)[-1], (filters,))
        for words, priority in ((["-5", "--group", "a"], -5), (["--group", "a", "7"], 7), (["+3", "-g", "a"], 3)):
            self.assertEqual(self.ok("priority", *words), "Changed: 4\n")
            self.assertEqual(fake.asked("SetPriorityAll")[-1],
                             ({"states": ["waiting", "queued"], "group": "a"}, priority))
        self.assertEqual(self.json("cancel", "--all", "--json"), {"accepted": 3})
        self.assertEqual(self.json("retry", "--all", "--json"), [{"id": 40}, {"id": 41}])
        self.assertEqual(self.json("priority", "1", "--all", "--json"), {"changed": 4})

    def test_nothing_matches(self):
        self.daemon(answers={"CancelAll": number(0), "SetPriorityAll": number(0),
                             "RetryAll": lambda *_: GLib.Variant("(at)", ([],))})
        self.assertEqual(self.ok("cancel", "--all"), "Told to stop: 0\n")
        self.assertEqual(self.ok("retry", "--all"), "There are no such tasks.\n")
        self.assertEqual(self.ok("retry", "--all", "--quiet"), "")
        self.assertEqual(self.ok("priority", "1", "--all"), "Changed: 0\n")

    def test_named_twice(self):
        """It is one task, whatever is done to it."""
        fake = self.daemon(tasks={7: {}, 8: {}}, answers={"Cancel": number(2), "SetPriority": lambda _: None})
        self.assertEqual(self.ok("priority", 5, 8, 7, 8, 7, 7), "Changed: 2\n")
        self.assertEqual(fake.asked_of("SetPriority"), [(8, 5), (7, 5)])
        self.assertEqual(self.ok("cancel", 8, 7, 8), "Told to stop: 2\n")
        self.assertEqual(fake.asked("Cancel"), [([8, 7],)])

    def test_retry(self):
        answers = iter([GLib.Variant("(to)", (40, "/x")), (f"{NAME}.Error.StillActive", "task 8 has not ended"),
                        GLib.Variant("(to)", (41, "/x"))] * 2)
        fake = self.daemon(tasks={7: {}, 8: {}, 9: {}}, answers={"Retry": lambda: next(answers)})
        # What cannot be done to one does not keep the others from it.
        out, err, code = run(self.session, "retry", 7, 8, 9)
        self.assertEqual((out, err, code), ("Started task 40: task 7 again\nStarted task 41: task 9 again\n",
                                            "longrun: task 8 has not ended\n", 1))
        self.assertEqual(fake.asked_of("Retry"), [(7,), (8,), (9,)])
        self.assertEqual(self.json("retry", "--json", 7), [{"id": 40, "retry-of": 7}])

    def test_priority(self):
        answers = iter([None, (f"{NAME}.Error.NotRunning", "task 8 has started"), None])
        fake = self.daemon(tasks={7: {}, 8: {}, 9: {}}, answers={"SetPriority": lambda _: next(answers)})
        out, err, code = run(self.session, "priority", "-12", "7", "8")
        self.assertEqual((out, err, code), ("Changed: 1\n", "longrun: task 8 has started\n", 1))
        self.assertEqual(self.json("priority", "-3", "--json", "9"), {"changed": 1})
        self.assertEqual(fake.asked_of("SetPriority"), [(7, -12), (8, -12), (9, -3)])


class Groups(FakeCase):
    def with_groups(self, **answers):
        answers = {name: function or nothing for name, function in answers.items()}
        return self.daemon(answers={"ListGroups": lambda: GLib.Variant("(aa{sv})", (groups(),)), **answers})

    def test_list(self):
        self.with_groups()
        self.assertEqual(self.ok("group"), self.ok("group", "list"))
        self.assertEqual(re.sub(" +", " ", self.ok("group")).splitlines(), [
            "GROUP STATE RUNNING QUEUED WAITING SUCCEEDED FAILED DEFAULTS",
            "default open 1 2 0 5 1 ",
            "encode paused, draining 2/2 6/100 1 0 0 timeout 1h 0min, priority -5, retries none, resources gpu=1, "
            "notify no"])
        self.assertEqual(self.json("group", "--json"), self.json("group", "list", "-j"))
        encode = self.json("group", "--json")[1]
        self.assertEqual((encode["name"], encode["max-parallel"], encode["paused"]), ("encode", 2, True))
        self.assertEqual(encode["defaults"], {"timeout": 3600_000_000, "priority": -5, "resources": {"gpu": 1},
                                              "retries": 0, "notify": False})

    def test_configure(self):
        fake = self.with_groups(ConfigureGroup=None)
        table = [
            (["add", "new"], "Added group new\n", ("new", {})),
            (["add", "new", "--max-parallel", "2", "--max-queued", "0", "--priority", "-1", "--timeout", "2h"],
             "Added group new\n", ("new", {"max-parallel": 2, "max-queued": 0, "priority": -1, "timeout": 7200_000_000})),
            (["set", "encode", "-p", "0"], "Changed group encode\n", ("encode", {"max-parallel": 0})),
            (["set", "encode", "--retries", "0", "--resource", "gpu=2"], "Changed group encode\n",
             ("encode", {"retries": 0, "resources": {"gpu": 2}})),
            (["set", "encode", "--unset", "timeout", "--unset", "--resource", "--unset", "resources"],
             "Changed group encode\n", ("encode", {"unset": ["timeout", "resources", "resources"]})),
        ]
        for words, text, expected in table:
            with self.subTest(words):
                self.assertEqual(self.ok("group", *words), text)
                self.assertEqual(fake.asked("ConfigureGroup")[-1], expected)
        self.assertEqual(self.json("group", "add", "new", "--json"), {"name": "new"})
        before = len(fake.asked("ConfigureGroup"))
        self.fails(1, '"longrun group set" changes it', "group", "add", "encode")
        self.fails(1, '"longrun group add" makes it', "group", "set", "encodee", "-p", "3")
        self.assertEqual(len(fake.asked("ConfigureGroup")), before)

    def test_remove_and_drain(self):
        fake = self.with_groups(RemoveGroup=None, Drain=None)
        self.assertEqual(self.ok("group", "remove", "encode"), "Removed group encode\n")
        self.assertRegex(self.ok("group", "drain", "encode"), "^Draining group encode: it takes no new tasks")
        self.assertEqual((fake.asked("RemoveGroup"), fake.asked("Drain")), ([("encode",)], [("encode",)]))
        self.assertEqual(self.json("group", "drain", "-j", "encode"), {"name": "encode"})
        fake.errors = {"RemoveGroup": NO_SUCH_GROUP}
        self.assertEqual(self.fails(1, "there is no group nosuch", "group", "remove", "nosuch"), "")

    def test_pause(self):
        fake = self.daemon(answers={"Pause": nothing, "Resume": nothing}, tasks={7: {}},
                           properties={"Groups": variant("as", ["default", "a"])})
        self.assertEqual(self.ok("pause"), "Paused every group: nothing more is started; what runs goes on\n")
        self.assertEqual(fake.asked_of("Pause"), [(None, "")])
        self.assertEqual(self.json("resume", "--json"), {"resumed": 0, "groups": ["default", "a"]})
        self.assertEqual(self.ok("pause", "a", 7), "Paused: 1\nPaused group a: nothing more is started; "
                                                   "what runs goes on\n")
        self.assertEqual(fake.asked_of("Pause")[1:], [(None, "a"), (7,)])
        self.assertEqual(self.json("resume", "-j", "a", 7), {"resumed": 1, "groups": ["a"]})
        self.assertEqual(self.json("resume", "-j", 7), {"resumed": 1})
        self.assertRegex(self.ok("resume", "3d"), "^Resumed group 3d: ")
        # What cannot be done to one does not keep the others from it.
        fake.answers["Pause"] = lambda group=None: NO_SUCH_GROUP if group == "nosuch" else None
        out, err, code = run(self.session, "pause", "nosuch", 7)
        self.assertEqual((out, err, code), ("Paused: 1\n", "longrun: there is no group nosuch\n", 1))


class Resources(FakeCase):
    def test_all(self):
        resources = [("gpu", 2, 1), ("net", 100, 0)]
        fake = self.daemon(answers={"ListResources": lambda: GLib.Variant("(a(suu))", (resources,)),
                                    "ConfigureResource": nothing})
        self.assertEqual(self.ok("resource"), "RESOURCE  USED  CAPACITY\ngpu          1         2\n"
                                              "net          0       100\n")
        self.assertEqual(self.json("resource", "list", "--json")[0], {"name": "gpu", "capacity": 2, "used": 1})
        self.assertEqual(self.ok("resource", "set", "gpu", "3"), "Resource gpu: 3\n")
        self.assertEqual(self.ok("resource", "remove", "gpu"), "Removed resource gpu\n")
        self.assertEqual(self.json("resource", "set", "-j", "disk", "4294967295"),
                         {"name": "disk", "capacity": 2**32 - 1})
        self.assertEqual(fake.asked("ConfigureResource"), [("gpu", 3), ("gpu", 0), ("disk", 2**32 - 1)])
        resources.clear()
        self.assertEqual(self.ok("resource"), 'There are no resources; "longrun resource set NAME N" makes one.\n')
        self.assertEqual(self.json("resource", "--json"), [])


class Send(FakeCase):
    def test_all(self):
        fake = self.daemon(tasks={7: {}}, answers={"Send": nothing, "SendToChildren": number(3)})
        self.assertEqual(self.ok("send", 7, "hello", "you  there"), "Sent to task 7\n")
        self.assertEqual(self.ok("send", 7, "--", "-x"), "Sent to task 7\n")
        self.assertEqual(self.ok("send", 7, ""), "Sent to task 7\n")
        self.assertEqual(fake.asked_of("Send"), [(7, "hello you  there"), (7, "-x"), (7, "")])
        self.assertEqual(self.ok("send", "--children", 7, "stop"), "Sent to children of task 7: 3\n")
        self.assertEqual(self.json("send", 7, "stop", "--children", "--json"), {"sent": 3})
        self.assertEqual(self.json("send", 7, "x", "--json"), {"sent": 1})
        fake.errors = {"Send": (f"{NAME}.Error.QueueFull", "the inbox of task 7 is full")}
        self.assertEqual(self.fails(1, "the inbox of task 7 is full", "send", 7, "x"), "")


if __name__ == "__main__":
    os.umask(0o22)
    main()
