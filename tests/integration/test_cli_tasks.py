#!/usr/bin/python3
"""longrun list, show, cancel, wait, remove: what they print, and to whom.

    LONGRUND=PATH LONGRUN=PATH test_cli_tasks.py
"""

import json
import os
import re
import subprocess

from cli_testing import Case, TASK_KEYS
from longrun_testing import DEADLINE_SEC, Gate, Terminal, main, variant


class List(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ended = [cls.session.start_task("sh", "-c", f"exit {i % 3}", label=f"ended {i}") for i in range(25)]
        cls.session.wait(*cls.ended)
        cls.gates = [Gate(cls.session, f"gate-{i}") for i in range(2)]
        cls.active = [cls.session.start_task(*gate.argv(), label=f"active {i}") for i, gate in enumerate(cls.gates)]
        for task, gate in zip(cls.active, cls.gates):
            gate.send("up")
            # Its first output says that it is there.
            with cls.session.popen("log", "-f", task, stdout=subprocess.PIPE) as reader:
                reader.stdout.readline()
                reader.kill()
        cls.late = cls.session.start_task("true", label="late")
        cls.session.wait(cls.late)

    @classmethod
    def tearDownClass(cls):
        for gate in cls.gates:
            gate.end()
        cls.session.wait(*cls.active)
        for gate in cls.gates:
            gate.close()
        super().tearDownClass()

    def ids(self, *args):
        return [task["id"] for task in self.json("list", "--json", *args)]

    def test_what_is_shown(self):
        everything = self.ended + self.active + [self.late]
        self.assertEqual(self.ids("--all"), everything)
        self.assertEqual(self.ids(), self.ended[-19:] + self.active + [self.late])
        self.assertEqual(self.ids("-n", "2"), self.ended[-1:] + self.active + [self.late])
        self.assertEqual(self.ids("--last=0"), self.active)
        self.assertEqual(self.ids("-n1000"), everything)

    def test_filters(self):
        self.assertEqual(self.ids("--state", "running"), self.active)
        self.assertEqual(self.ids("--state", "succeeded", "-n", "1"), [self.late])
        self.assertEqual(self.ids("-a", "-s", "failed"), [task for i, task in enumerate(self.ended) if i % 3])
        self.assertEqual(self.ids("-s", "running", "-s", "succeeded", "-n", "1"), self.active + [self.late])
        self.assertEqual(self.ids("--label", "active"), self.active)
        self.assertEqual(self.ids("--label", "Active"), [])
        self.assertEqual(self.ids("--kind", "noop"), [])
        self.assertEqual(len(self.ids("--kind", "command", "--all")), 28)

    def test_json(self):
        tasks = self.json("list", "--json", "--all")
        for task in tasks:
            self.assertEqual(set(task), TASK_KEYS)
        task = tasks[0]
        self.assertEqual((task["label"], task["state"], task["exit-code"], task["params"]),
                         ("ended 0", "succeeded", 0, None))
        for key in ("created-at", "started-at", "finished-at"):
            self.assertIsInstance(task[key], int)
            self.assertGreater(task[key], 1_600_000_000_000_000)
        self.assertEqual(self.json("list", "--json", "--label", "none such"), [])

    def test_table(self):
        lines = self.ok("list", "--all").splitlines()
        self.assertEqual(lines[0].split(), ["ID", "STATE", "PROGRESS", "TIME", "LABEL"])
        self.assertEqual(len(lines), 29)
        self.assertRegex(lines[1], rf"^ *{self.ended[0]}  succeeded +\S+ +\S+  ended 0$")
        self.assertRegex(lines[-2], rf"^ *{self.active[1]}  running +- +\S+  active 1$")
        self.assertEqual(self.ok("list", "--label", "none such"), "No tasks.\n")
        self.assertNotIn("\x1b", "".join(lines))

    def test_terminal(self):
        with Terminal(self.session, "list") as t:
            code, text = t.finish()
        self.assertEqual(code, 0)
        self.assertIn("\x1b[36mrunning\x1b[0m", text)
        self.assertIn("--all shows them", text)
        for variable in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            with Terminal(self.session, "list", env=variable) as t:
                self.assertNotIn("\x1b", t.finish()[1])

    def test_output_is_cut_off(self):
        r = subprocess.run(["sh", "-c", '"$0" list --all | head -n 1', self.session.longrun], env=self.session.env,
                           capture_output=True, text=True, check=False, timeout=DEADLINE_SEC)
        self.assertEqual((r.returncode, r.stderr), (0, ""))


class Labels(Case):
    """Labels that other programs have made."""

    def setUp(self):
        self.remove_ended()

    def start(self, label):
        return self.session.call("Start", "(sa{sv})", "noop", {"label": variant("s", label)})[0]

    def test_fits_the_terminal(self):
        self.session.wait(self.start("wide " + "漢字" * 100), self.start("plain " + "x" * 300), self.start("short"))
        for columns in (40, 80, 133):
            with Terminal(self.session, "list", columns=columns, env={"NO_COLOR": "1"}) as t:
                lines = t.finish()[1].splitlines()
            self.assertEqual(len(lines), 4)
            for line in lines:
                self.assertLessEqual(sum(2 if ord(c) > 0x2fff else 1 for c in line), columns)
            self.assertTrue(lines[1].endswith("…") and lines[2].endswith("x…"), lines)
            self.assertTrue(lines[3].endswith("short"), lines)
        self.assertIn("x" * 300 + "\n", self.ok("list"))

    def test_control_characters(self):
        task = self.start("a\u009b31mb\u0085c")
        self.session.wait(task)
        for args in (["list"], ["show", task], ["watch", task]):
            text = self.ok(*args)
            self.assertNotRegex(text, "[\x00-\x09\x0b-\x1f\x7f-\x9f]")
        self.assertIn("a31mbc", self.ok("list"))
        # For programs it is what it is.
        self.assertEqual(self.json("show", "-j", task)["label"], "a\u009b31mb\u0085c")


class Pages(Case):
    def setUp(self):
        self.remove_ended()

    def test_more_than_a_page(self):
        n = 2345
        started = self.session.call("StartMany", "(a(sa{sv}))", [("noop", {})] * n)[0]
        ids = [task for task, _ in started]
        self.session.wait(*ids)
        self.assertEqual([task["id"] for task in self.json("list", "--json", "--all")], ids)
        self.assertEqual([task["id"] for task in self.json("list", "--json", "-n", "1500")], ids[-1500:])
        self.assertEqual(len(self.ok("list").splitlines()), 21)
        self.assertEqual(self.json("remove", "--json", *ids[:2000]), {"removed": 2000})
        self.assertEqual([task["id"] for task in self.json("list", "--json", "--all")], ids[2000:])

    def test_active_ones_are_all_shown(self):
        gate = self.gate()
        self.session.call("Set", "(ssv)", "org.longrun.Longrun1.Manager", "MaxParallel", variant("u", 1),
                          interface="org.freedesktop.DBus.Properties")
        first = self.session.start_task(*gate.argv())
        started = self.session.call("StartMany", "(a(sa{sv}))", [("noop", {})] * 1200)[0]
        ids = [first] + [task for task, _ in started]
        self.assertEqual([task["id"] for task in self.json("list", "--json", "-n", "0")], ids)
        gate.end()
        self.session.wait(*ids)


class Show(Case):
    def test_text(self):
        task = self.session.start_task("sh", "-c", "echo 'x y'; exit 3", "it's", "", label="A label")
        self.session.wait(task)
        text = self.ok("show", task)
        for expected in (f"Task: {task}", "Label: A label", "State: failed", "Exit code: 3", "Kind: command",
                         "Command: sh -c 'echo '\\''x y'\\''; exit 3' 'it'\\''s' ''", f"Directory: {self.work}",
                         "Log: 4B"):
            self.assertRegex(text, rf"(?m)^ *{re.escape(expected)}$")
        self.assertRegex(text, r"(?m)^ +Finished: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")

    def test_log_with_a_gap(self):
        task = self.session.start_task("sh", "-c", "yes | head -c 600000", log_max=65536)
        self.session.wait(task)
        kept = re.search(r"(?m)^ +Log: 585\.9K, (\d+\.\d)K of it kept$", self.ok("show", task))
        self.assertIsNotNone(kept, self.ok("show", task))
        self.assertLessEqual(32, float(kept.group(1)))
        self.assertLessEqual(float(kept.group(1)), 64)
        os.unlink(self.session.property(task, "LogFile"))
        self.assertRegex(self.ok("show", task), r"(?m)^ +Log: 585\.9K$")

    def test_kind(self):
        task = int(self.ok("run", "map", "-q", "-p", "items[]=a", "-p", "item_ms=0"))
        self.session.wait(task)
        text = self.ok("show", task)
        self.assertIn('Params: {"items":["a"],"item_ms":0}', text)
        self.assertIn("Progress: 100%", text)
        self.assertIn("longrun result", text)
        self.assertNotIn("Directory", text)

    def test_running(self):
        gate, task = self.start_gate()
        text = self.ok("show", task)
        self.assertRegex(text, r"(?m)^ +State: running$")
        self.assertRegex(text, r"(?m)^ +Process: \d+$")
        self.assertNotIn("Finished", text)
        gate.end()
        self.session.wait(task)

    def test_json(self):
        task = int(self.ok("run", "countdown", "-q", "-p", "steps=1", "-p", "step_ms=0"))
        self.session.wait(task)
        shown = self.json("show", "--json", task)
        self.assertEqual(set(shown), TASK_KEYS)
        self.assertEqual(shown["params"], {"steps": 1, "step_ms": 0})
        listed = [t for t in self.json("list", "--json", "--all") if t["id"] == task]
        self.assertEqual(listed, [shown])


    def test_limits_and_usage(self):
        task = self.session.start_task("sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done",
                                       timeout="1h30min", memory_max="512M", pids_max=64, nice=5,
                                       on_interrupt="restart")
        self.session.wait(task)
        text = self.ok("show", task)
        for expected in ("Limits: time 1h 30min, memory 512.0M, processes 64", "Nice: 5", "If lost: it starts again"):
            self.assertRegex(text, rf"(?m)^ *{re.escape(expected)}$")
        self.assertRegex(text, r"(?m)^ +CPU time: \d+(ms|\.\ds)$")
        self.assertRegex(text, r"(?m)^ +Memory: [\d.]+[KMG]$")
        self.assertNotIn("Attempt", text)
        shown = self.json("show", "--json", task)
        self.assertEqual(shown["attempt"], 1)
        self.assertGreater(shown["usage"]["cpu-usec"], 0)
        self.assertGreater(shown["usage"]["memory-peak"], 100_000)
        plain = self.session.start_task("true")
        self.session.wait(plain)
        for name in ("Limits", "Nice", "If lost"):
            self.assertNotIn(name, self.ok("show", plain))


class Control(Case):
    def test_cancel(self):
        _, task = self.start_gate()
        self.assertEqual(self.ok("cancel", task), "Told to stop: 1\n")
        r = self.session.run("wait", task)
        self.assertEqual((r.returncode, r.stderr), (143, ""))
        self.assertEqual(r.stdout, f"Task {task} cancelled, exit code 143\n")
        self.fails(1, "has ended", "cancel", task)

    def test_cancel_some(self):
        ended = self.session.start_task("true")
        self.session.wait(ended)
        _, running = self.start_gate()
        self.fails(1, "no task 4242", "cancel", running, 4242)
        self.assertEqual(self.session.property(running, "State"), "running")
        self.assertRegex(self.ok("cancel", running, ended), "^Told to stop: 1 of 2; ")
        self.session.wait(running)

    def test_cancel_json(self):
        _, task = self.start_gate()
        self.assertEqual(self.json("cancel", "--json", task), {"accepted": 1})
        ends = json.loads(self.session.run("wait", "--json", task).stdout)
        self.assertEqual(ends, [{"id": task, "state": "cancelled", "exit-code": 143}])

    def test_cancelled_without_a_code(self):
        task = int(self.ok("run", "countdown", "-q", "-p", "steps=1000"))
        self.ok("cancel", task)
        self.assertEqual(self.session.wait(task), [(task, "cancelled", -1)])
        for command in ("wait", "watch"):
            self.assertEqual(self.session.run(command, task).returncode, 130)

    def test_cancelled_with_a_code_of_success(self):
        gate = self.gate()
        task = self.session.start_task("sh", "-c", 'trap "exit 0" TERM; echo up; while :; do read -r x; done <"$0"',
                                       gate.path)
        self.wait_for_output(task, "up")
        self.ok("cancel", task)
        self.assertEqual(self.session.wait(task), [(task, "cancelled", 0)])
        for command in ("wait", "watch"):
            self.assertEqual(self.session.run(command, task).returncode, 130)

    def test_wait(self):
        tasks = [self.session.start_task("sh", "-c", f"exit {code}") for code in (0, 5, 3)]
        r = self.session.run("wait", *tasks)
        self.assertEqual((r.returncode, r.stderr), (5, ""))
        self.assertEqual(r.stdout, f"Task {tasks[0]} succeeded\nTask {tasks[1]} failed, exit code 5\n"
                                   f"Task {tasks[2]} failed, exit code 3\n")
        self.assertEqual(self.session.run("wait", "--quiet", *reversed(tasks)).returncode, 3)
        self.assertEqual(self.ok("wait", "-q", tasks[0]), "")
        r = self.session.run("wait", "-j", *tasks)
        self.assertEqual(json.loads(r.stdout)[1], {"id": tasks[1], "state": "failed", "exit-code": 5})
        self.assertEqual(r.returncode, 5)

    def test_wait_waits(self):
        gate, task = self.start_gate(2)
        waiter = self.session.popen("wait", task, stdout=subprocess.PIPE)
        self.assertIsNone(waiter.poll())
        gate.end()
        self.assertEqual(waiter.communicate(timeout=DEADLINE_SEC)[0].decode(), f"Task {task} failed, exit code 2\n")
        self.assertEqual(waiter.returncode, 2)

    def test_timed_out(self):
        task = self.session.start_task("sleep", "1000", timeout="100ms")
        r = self.session.run("wait", task)
        self.assertEqual((r.returncode, r.stderr), (124, ""))
        self.assertRegex(r.stdout, rf"^Task {task} timed-out(, exit code \d+)?\n$")
        self.assertEqual(self.session.run("watch", task).returncode, 124)
        self.assertEqual([t["id"] for t in self.json("list", "--json", "--state", "timed-out")], [task])
        with Terminal(self.session, "list", "-s", "timed-out") as t:
            self.assertIn("\x1b[31mtimed-out\x1b[0m", t.finish()[1])

    def test_pause(self):
        gate, task = self.start_gate()
        other_gate, other = self.start_gate()
        self.assertEqual(self.ok("pause", task, other), "Paused: 2\n")
        self.until_state(task, "paused")
        self.until_state(other, "paused")
        with Terminal(self.session, "list", "-s", "paused") as t:
            self.assertIn("\x1b[34mpaused\x1b[0m", t.finish()[1])
        self.assertEqual([t["id"] for t in self.json("list", "--json", "-s", "paused")], [task, other])
        self.assertEqual(self.json("resume", "--json", task), {"resumed": 1})
        self.until_state(task, "running")
        gate.end()
        self.session.wait(task)
        # What cannot be done to one does not keep the others from it.
        r = self.fails(1, str(task), "resume", task, other)
        self.assertEqual(r.stdout, "Resumed: 1\n")
        self.fails(1, str(task), "pause", task)
        other_gate.end()
        self.session.wait(other)

    def test_cancel_of_a_paused_one(self):
        _, task = self.start_gate()
        self.ok("pause", task)
        self.ok("cancel", task)
        self.assertEqual(self.session.wait(task)[0][1], "cancelled")

    def test_remove(self):
        ended = self.session.start_task("true")
        self.session.wait(ended)
        gate, running = self.start_gate()
        self.fails(1, "", "remove", ended, running)
        self.ok("show", ended)
        self.assertEqual(self.ok("remove", ended), "Removed: 1\n")
        self.fails(1, f"no task {ended}", "show", ended)
        gate.end()
        self.session.wait(running)

    def test_result_of_a_command(self):
        task = self.session.start_task("sh", "-c", 'printf \'{"answer": 42}\' >"$LONGRUN_RESULT"')
        self.session.wait(task)
        self.assertEqual(self.ok("result", task), '{"answer": 42}\n')


class Prune(Case):
    """In a list of their own: three that succeeded, two that failed, and one that runs."""

    def setUp(self):
        self.remove_ended()
        self.good = [self.session.start_task("true", label=f"good {i}") for i in range(3)]
        self.bad = [self.session.start_task("false", label=f"bad {i}") for i in range(2)]
        self.session.wait(*self.good, *self.bad)
        self.running_gate, self.running = self.start_gate(label="good one that runs")
        self.addCleanup(lambda: (self.running_gate.end(), self.session.wait(self.running)))

    def ids(self):
        return [task["id"] for task in self.json("list", "--all", "--json")]

    def test_restrictions(self):
        noop = int(self.ok("run", "noop", "-q"))
        self.session.wait(noop)
        rest = [*self.good, *self.bad, self.running, noop]
        for words, gone in ((["--older", "1h"], []), (["--group", "none such"], []),
                            (["--state", "cancelled", "--state", "timed-out"], []), (["--label", "bad 1"], self.bad[1:]),
                            (["--kind", "noop"], [noop]), (["-s", "succeeded", "-l", "good"], self.good),
                            (["--older", "0"], self.bad[:1])):
            with self.subTest(words):
                self.assertEqual(self.ok("prune", *words), f"Removed: {len(gone)}\n")
                rest = [task for task in rest if task not in gone]
                self.assertEqual(self.ids(), rest)
        self.assertEqual(rest, [self.running])

    def test_all(self):
        self.fails(2, "--yes", "prune")
        self.fails(2, "--yes", "prune", "--json")
        self.assertEqual(len(self.ids()), 6)
        self.assertEqual(self.json("prune", "--yes", "--json"), {"removed": 5})
        self.assertEqual(self.ids(), [self.running])
        self.assertEqual(self.ok("prune", "-y"), "Removed: 0\n")

    def test_asks_on_a_terminal(self):
        for keys in (b"n\n", b"\n", b"\x04", b"nay\n"):
            with Terminal(self.session, "prune") as t:
                t.read_until("(5), with their logs and results? [y/N] ")
                t.press(keys)
                code, text = t.finish()
            self.assertEqual(code, 1)
            self.assertIn("Nothing was removed.", text)
            self.assertEqual(len(self.ids()), 6)
        with Terminal(self.session, "prune") as t:
            t.read_until("[y/N] ")
            t.press(b"y\n")
            code, text = t.finish()
        self.assertEqual(code, 0)
        self.assertIn("Removed: 5", text)
        self.assertEqual(self.ids(), [self.running])

    def test_a_restriction_is_not_asked_about(self):
        with Terminal(self.session, "prune", "--state", "failed") as t:
            code, text = t.finish()
        self.assertEqual((code, text), (0, "Removed: 2\r\n"))

    def test_logs_go_too(self):
        task = self.session.start_task("echo", "x")
        self.session.wait(task)
        logs = self.session.directory / "state/longrun/logs"
        self.assertTrue((logs / f"{task}.log").exists())
        self.ok("prune", "--yes")
        self.assertEqual([path.name for path in logs.glob(f"{task}.*")], [])


if __name__ == "__main__":
    os.umask(0o22)
    main()
