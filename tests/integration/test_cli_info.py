#!/usr/bin/python3
"""longrun info, the warning of a logout that ends tasks, and answers of longrund that come seldom.

    LONGRUND=PATH LONGRUN=PATH test_cli_info.py
"""

import json
import os
import re
import time

from cli_testing import Case, FakeCase
from fake_daemon import run
from longrun_testing import NAME, ROOT, GLib, main, variant

STARTED = {"StartCommand": lambda *_: GLib.Variant("(to)", (7, f"{ROOT}/task/7")),
           "Wait": lambda *_: GLib.Variant("(a(tsi))", ([(7, "succeeded", 0)],))}


class Real(Case):
    def test_info(self):
        # How tasks are kept apart is known when there is somebody to make their processes.
        self.session.wait(self.session.start_task("true"))
        info = self.json("info", "--json")
        self.assertLessEqual({"version", "isolation", "running", "queued", "max-parallel", "low-disk", "ends-at-logout",
                              "pid"}, set(info))
        self.assertEqual(info["pid"], self.session.daemon.pid)
        self.assertEqual((info["max-parallel"], info["low-disk"]), (16, False))
        self.assertIn(info["isolation"], ("cgroup", "process-group"))
        text = self.ok("info")
        self.assertIn(f"Process: {info['pid']}\n", text)
        self.assertRegex(text, rf"(?m)^ Isolation: {info['isolation']}: \S")
        self.assertRegex(text, r"(?m)^ +Running: 0 of at most 16$")

    def test_running(self):
        gate, task = self.start_gate()
        self.assertEqual(self.json("info", "--json")["running"], 1)
        gate.end()
        self.session.wait(task)


class Info(FakeCase):
    def test_all_is_well(self):
        self.daemon(properties={"Version": variant("s", "1.2.3"), "Isolation": variant("s", "cgroup"),
                                "MaxParallel": variant("u", 0), "Running": variant("u", 2), "Queued": variant("u", 3),
                                "LowDisk": variant("b", False), "EndsAtLogout": variant("b", False)})
        text = self.ok("info")
        for expected in ("Version: 1.2.3", "Running: 2", "Queued: 3"):
            self.assertRegex(text, rf"(?m)^ *{re.escape(expected)}$")
        self.assertRegex(text, "(?m)^ Isolation: cgroup: ")
        self.assertNotRegex(text, "Disk|Logout")

    def test_what_people_should_know(self):
        self.daemon(properties={"Isolation": variant("s", "process-group"), "LowDisk": variant("b", True),
                                "EndsAtLogout": variant("b", True)})
        text = self.ok("info")
        self.assertRegex(text, "(?m)^ Isolation: process-group: ")
        self.assertIn("no task is started", text)
        self.assertIn("loginctl enable-linger", text)
        info = json.loads(self.ok("info", "--json"))
        self.assertEqual((info["low-disk"], info["ends-at-logout"]), (True, True))


class Logout(FakeCase):
    def setUp(self):
        super().setUp()
        self.stamp.unlink()
        self.log = self.session.directory / "log"
        self.log.touch()

    def daemon(self, ends=True):
        properties = {} if ends is None else {"EndsAtLogout": variant("b", ends)}
        return super().daemon(answers=STARTED, tasks={7: {"CreatedAt": variant("t", 1)}}, properties=properties,
                              log_path=self.log)

    def test_warns_once(self):
        fake = self.daemon()
        out, err, code = run(self.session, "start", "true")
        self.assertEqual((out, code), ("Started task 7: true\n", 0))
        self.assertRegex(err, "^longrun: tasks end when you log out: .*\\n.*loginctl enable-linger\\n$")
        self.assertEqual(self.stamp.stat().st_mode & 0o777, 0o600)
        self.assertEqual(len(fake.asked("Get")), 1)
        # From then on the daemon is not even asked.
        self.assertEqual(self.ok("start", "true"), "Started task 7: true\n")
        self.assertEqual(len(fake.asked("Get")), 1)
        # A new login, a new runtime folder.
        self.stamp.unlink()
        self.assertIn("linger", run(self.session, "start", "true")[1])

    def test_follow(self):
        self.daemon()
        out, err, code = run(self.session, "start", "--follow", "true")
        self.assertEqual((out, code), ("", 0))
        self.assertRegex(err, "^Started task 7: true\nlongrun: tasks end when you log out")

    def test_nothing_to_warn_of(self):
        for ends in (False, None):
            with self.subTest(ends):
                fake = self.daemon(ends)
                self.ok("start", "true")
                self.assertFalse(self.stamp.exists())
                self.assertEqual(len(fake.asked("Get")), 1)
                fake.gone()

    def test_scripts_are_not_told(self):
        fake = self.daemon()
        self.assertEqual(self.ok("start", "--quiet", "true"), "7\n")
        self.assertEqual(json.loads(self.ok("start", "--json", "true"))["id"], 7)
        self.assertEqual(self.ok("start", "--quiet", "--follow", "true"), "")
        self.assertEqual(fake.asked("Get"), [])
        self.assertFalse(self.stamp.exists())

    def test_no_place_to_remember(self):
        self.daemon()
        for env in ({"XDG_RUNTIME_DIR": ""}, {"XDG_RUNTIME_DIR": "/nowhere"}):
            for _ in range(2):
                out, err, code = run(self.session, "start", "true", env=env)
                self.assertEqual((out, code), ("Started task 7: true\n", 0))
                self.assertIn("linger", err)


class Pages(FakeCase):
    """A page that has fewer than were asked for is not the last one, unless its cursor says so."""

    def list(self, *args):
        """Ended tasks 9 to 1, in pages of one, none and two."""
        pages = {0: ([9], 9), 9: ([], 8), 8: ([8, 7], 7), 7: ([6], 6), 6: ([5, 4, 3, 2], 2), 2: ([], 1), 1: ([1], 0)}

        def answer(filters):
            tasks, following = pages[filters.get("cursor", 0)] if "succeeded" in filters["states"] else ([], 0)
            tasks = tasks[:filters["limit"]]
            entries = [{"id": variant("t", task), "state": variant("s", "succeeded")} for task in tasks]
            return GLib.Variant("(aa{sv}t)", (entries, following))
        fake = self.daemon(answers={"ListTasks": answer})
        ids = [task["id"] for task in json.loads(self.ok("list", "--json", *args))]
        fake.gone()
        return ids

    def test_follows_the_cursor(self):
        self.assertEqual(self.list("--all"), list(range(1, 10)))
        self.assertEqual(self.list(), list(range(1, 10)))
        self.assertEqual(self.list("-n", "4"), [6, 7, 8, 9])
        self.assertEqual(self.list("-n", "2"), [8, 9])


class Show(FakeCase):
    def test_attempt_and_usage(self):
        usage = variant("a{sv}", {"cpu-usec": variant("t", 3725_000_000), "memory-peak": variant("t", 300 << 20)})
        self.daemon(tasks={7: {"Id": variant("t", 7), "State": variant("s", "running"), "Attempt": variant("u", 3),
                               "Usage": usage, "CpuWeight": variant("u", 50), "IdleTimeout": variant("t", 300_000_000),
                               "QueueTimeout": variant("t", 2_000_000), "Nice": variant("i", -5)}})
        text = self.ok("show", 7)
        for expected in ("Attempt: 3", "CPU time: 1h 2min", "Memory: 300.0M", "Nice: -5",
                         "Limits: idle 5min 0s, queued 2.0s, CPU weight 50"):
            self.assertRegex(text, rf"(?m)^ *{re.escape(expected)}$")
        self.assertEqual(json.loads(self.ok("show", "--json", 7))["usage"],
                         {"cpu-usec": 3725_000_000, "memory-peak": 300 << 20})


class Asked(FakeCase):
    """What comes to the daemon of a call."""

    def test_prune(self):
        final = ["succeeded", "failed", "cancelled", "timed-out", "interrupted", "skipped"]
        table = [
            (["--yes"], {"states": final}),
            (["-s", "failed", "-s", "timed-out"], {"states": ["failed", "timed-out"]}),
            (["-k", "command", "-g", "default", "-l", "a part"],
             {"states": final, "kind": "command", "group": "default", "label": "a part"}),
        ]
        fake = self.daemon(answers={"Prune": lambda *_: GLib.Variant("(u)", (3,))})
        for words, filters in table:
            self.assertEqual(self.ok("prune", *words), "Removed: 3\n")
            self.assertEqual(fake.asked("Prune")[-1], (filters,))
        before = time.time()
        self.ok("prune", "--older", "1h30min")
        until = fake.asked("Prune")[-1][0]["until"] / 1e6 + 5400
        self.assertTrue(before - 1 <= until <= time.time() + 1)

    def test_pause(self):
        errors = {"Resume": (f"{NAME}.Error.NotRunning", "Task 7 is not paused: it is running")}
        fake = self.daemon(tasks={7: {}, 8: {}}, answers={"Pause": lambda: None}, errors=errors)
        self.assertEqual(self.ok("pause", 7, 8), "Paused: 2\n")
        self.assertEqual(len(fake.asked("Pause")), 2)
        self.assertEqual(run(self.session, "resume", 7, 8),
                         ("", 2 * "longrun: Task 7 is not paused: it is running\n", 1))
        states = iter(["starting", "starting", "running"])
        fake.tasks[7] = {"State": lambda: variant("s", next(states, "running"))}
        self.assertEqual(self.ok("pause", 7), "Paused: 1\n")
        self.assertIsNone(next(states, None))
        # What cannot be done to one does not keep the others from it.
        out, err, code = run(self.session, "pause", 9, 7)
        self.assertEqual((out, code, len(err.splitlines())), ("Paused: 1\n", 1, 1))


if __name__ == "__main__":
    os.umask(0o22)
    main()
