#!/usr/bin/python3
"""Plans as people make them: the command line, and the real longrund behind it.

    LONGRUND=PATH LONGRUN=PATH test_plan.py
"""

import os
import re
import subprocess
import time

from cli_testing import Case
from longrun_testing import DEADLINE_SEC, main


class PlanCase(Case):
    def start(self, *words):
        """Gives the id."""
        return int(self.ok("start", "--quiet", *words))

    def state(self, task):
        return self.session.property(task, "State")

    def row(self, task):
        """Its line of the list, with single blanks."""
        lines = [re.sub(" +", " ", line.strip()) for line in self.ok("list").splitlines()]
        return next(line for line in lines if line.startswith(f"{task} "))

    def cancel(self, *tasks):
        self.session.run("cancel", *tasks)
        self.session.wait(*tasks)


class Dependencies(PlanCase):
    def test_after(self):
        gate, first = self.start_gate()
        text = self.ok("start", "--after", first, "--", "echo", "x")
        second = int(re.match(r"Planned task (\d+): echo x \(waits for task (\d+) to succeed\)\n$", text)[1])
        self.assertEqual(self.row(second), f"{second} waiting - - waits for task {first} to succeed echo x")
        self.assertIn(f"After: {first}\n", self.ok("show", second))
        gate.end()
        self.assertEqual(self.session.wait(second), [(second, "succeeded", 0)])
        # Of one that has ended already.
        self.assertRegex(self.ok("start", "--after", first, "true"), "^Started task ")

    def test_skipped(self):
        gate, first = self.start_gate(3)
        second = self.start("--after", first, "true")
        third = self.start("--after", second, "true")
        alarm = self.start("--after-failed", first, "--", "echo", "alarm")
        always = self.start("--after-any", f"{first},{second}", "--", "echo", "always")
        follower = self.session.popen("start", "--follow", "--quiet", "--after", third, "true", stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True)
        gate.end()
        out, err = follower.communicate(timeout=DEADLINE_SEC)
        self.assertEqual((out, follower.returncode), ("", 125))
        self.assertRegex(err, rf"^longrun: task \d+ skipped: .*{third}")
        r = self.session.run("wait", second, third, alarm, always)
        self.assertEqual((r.stdout, r.returncode), (f"Task {second} skipped\nTask {third} skipped\n"
                                                    f"Task {alarm} succeeded\nTask {always} succeeded\n", 125))
        self.assertIn(str(first), self.session.property(second, "Message"))
        self.assertEqual([task["id"] for task in self.json("list", "--json", "--state", "skipped")][:2], [second, third])

    def test_bad_ones(self):
        r = self.fails(1, "no task 4242", "start", "--after", "4242", "true")
        self.assertEqual(r.stdout, "")
        self.fails(1, "4242", "start", "--parent", "4242", "true")
        ended = self.start("true")
        self.session.wait(ended)
        self.fails(1, "ended", "start", "--parent", ended, "true")


class Groups(PlanCase):
    def setUp(self):
        self.group = f"g{next(self.numbers)}"
        self.ok("group", "add", self.group, "--max-parallel", "1", "--nice", "3")

    def group_row(self):
        return next(group for group in self.json("group", "--json") if group["name"] == self.group)

    def test_order(self):
        gate, first = self.start_gate(group=self.group)
        tasks = [self.start("--group", self.group, "--priority", priority, "true") for priority in (0, 5, 0)]
        self.assertEqual(self.session.property(tasks[0], "Nice"), 3)
        self.assertEqual(self.ok("priority", "9", tasks[2]), "Changed: 1\n")
        self.assertEqual(self.ok("priority", "-1", "--group", self.group, "--label", "true"), "Changed: 3\n")
        self.assertEqual(self.ok("priority", "7", tasks[2]), "Changed: 1\n")
        self.fails(1, str(first), "priority", "1", first)
        self.assertEqual((self.group_row()["running"], self.group_row()["queued"]), (1, 3))
        gate.end()
        self.session.wait(*tasks)
        begun = [self.session.property(task, "StartedAt") for task in tasks]
        self.assertTrue(begun[2] < begun[0] < begun[1], begun)

    def test_pause(self):
        self.ok("pause", self.group)
        task = self.start("--group", self.group, "true")
        self.assertEqual(self.state(task), "waiting")
        self.assertIn(f"the group {self.group} is paused", self.row(task))
        self.assertEqual(self.group_row()["paused"], True)
        self.ok("resume", self.group)
        self.assertEqual(self.session.wait(task), [(task, "succeeded", 0)])
        self.ok("pause")
        self.assertTrue(all(group["paused"] for group in self.json("group", "--json")))
        self.assertIn("default", self.json("resume", "--json")["groups"])
        self.assertFalse(any(group["paused"] for group in self.json("group", "--json")))

    def test_drain_and_remove(self):
        gate, task = self.start_gate(group=self.group)
        self.ok("group", "drain", self.group)
        self.fails(1, "drain", "start", "--group", self.group, "true")
        self.fails(1, self.group, "group", "remove", self.group)
        gate.end()
        self.session.wait(task)
        self.ok("resume", self.group)
        self.session.wait(self.start("--group", self.group, "true"))
        self.ok("group", "remove", self.group)
        self.fails(1, self.group, "start", "--group", self.group, "true")

    def test_defaults(self):
        self.ok("group", "set", self.group, "--retries", "2", "--timeout", "1h", "--unset", "nice")
        row = self.group_row()
        self.assertEqual(row["defaults"], {"retries": 2, "timeout": 3600_000_000})
        task = self.start("--group", self.group, "--retries", "0", "true")
        shown = self.json("show", "--json", task)
        self.assertEqual((shown["retries"], shown["timeout"], shown["nice"]), (0, 3600_000_000, 0))

    def test_bad_ones(self):
        for words, text in ((["add", "42"], "letter"), (["add", ""], "name"), (["add", "a b"], "letters"),
                            (["add", "x" * 65], "name"), (["remove", "default"], "default"),
                            (["remove", "nosuch"], "nosuch"), (["drain", "nosuch"], "nosuch")):
            with self.subTest(words):
                self.fails(1, text, "group", *words)


class Resources(PlanCase):
    def test_one_at_a_time(self):
        self.ok("resource", "set", "gpu", "1")
        gate, first = self.start_gate(resource="gpu")
        second = self.start("--resource", "gpu=1", "true")
        self.assertEqual(self.json("resource", "--json"), [{"name": "gpu", "capacity": 1, "used": 1}])
        self.assertEqual(self.state(second), "queued")
        self.assertIn("gpu", self.session.property(second, "Reason"))
        self.assertIn("Claims: gpu=1\n", self.ok("show", second))
        self.fails(1, "gpu", "start", "--resource", "gpu=2", "true")
        self.fails(1, "nosuch", "start", "--resource", "nosuch", "true")
        gate.end()
        self.assertEqual(self.session.wait(first, second)[1][1], "succeeded")
        self.ok("resource", "remove", "gpu")
        self.assertEqual(self.json("resource", "--json"), [])


class Times(PlanCase):
    def test_at(self):
        text = self.ok("start", "--at", "2035-01-01 09:00", "--label", "far", "true")
        self.assertRegex(text, r"^Planned task \d+: far \(starts at Mon 2035-01-01 09:00:00\)\n$")
        task = int(re.search(r"\d+", text)[0])
        self.addCleanup(self.cancel, task)
        self.assertEqual(self.row(task), f"{task} waiting - - until 2035-01-01 09:00 far")
        self.assertIn("Starts at: Mon 2035-01-01 09:00:00\n", self.ok("show", task))
        self.assertEqual(self.session.wait(self.start("--at", "now", "true"))[0][1], "succeeded")
        begun = time.time()
        later = self.start("--at", "+1s", "true")
        self.session.wait(later)
        self.assertGreaterEqual(self.session.property(later, "StartedAt") / 1e6, begun + 1)
        self.fails(1, "start-at", "start", "--at", "2200-01-01", "true")

    def test_every(self):
        series = self.start("--every", "10min", "--label", "tidy", "true")
        self.addCleanup(self.cancel, series)
        self.until_property(series, "DueAt", lambda due: due > time.time() * 1e6)
        self.assertRegex(self.row(series), rf"^{series} waiting - - until .* tidy$")
        text = self.ok("show", series)
        self.assertRegex(text, r"(?m)^ *Every: 10min 0s$")
        self.assertRegex(text, r"(?m)^ *Next run: \w{3} \d{4}-")
        tree = self.json("tree", "--json", series)
        self.assertEqual([(task["depth"], task["state"]) for task in tree], [(0, "waiting"), (1, "succeeded")])
        self.assertEqual(len([task for task in self.json("tree", "--json") if task["parent"] == series]), 1)
        self.ok("cancel", series)
        self.assertEqual(self.session.wait(series)[0][1], "cancelled")

    def test_calendar(self):
        text = self.ok("start", "--calendar", "2035-01-01 09:00", "--label", "far", "true")
        self.assertRegex(text, r"^Planned task \d+: far \(first run at Mon 2035-01-01 09:00:00\)\n$")
        task = int(re.search(r"\d+", text)[0])
        self.ok("cancel", task)
        for word in ("nonsense", "2001-01-01", "Mon..Xyz 09:00", "*-02-30"):
            self.fails(1, "calendar", "start", "--calendar", word, "true")
        self.fails(1, "calendar", "start", "--every", "1h", "--calendar", "Mon", "true")
        self.fails(1, "persistent", "start", "--persistent", "true")
        self.fails(1, "every", "start", "--every", "1us", "true")


class Retries(PlanCase):
    def test_attempts(self):
        script = 'echo "attempt"; [ -e "$0" ] && exit 0; touch "$0"; exit 75'
        task = self.start("--retries", "3", "--retry-delay", "50ms", "--retry-on", "75", "--", "sh", "-c", script,
                          self.session.directory / "seen")
        self.assertEqual(self.session.wait(task), [(task, "succeeded", 0)])
        text = self.ok("show", task)
        self.assertRegex(text, r"(?m)^ATTEMPT +STATE +STARTED +TIME +MESSAGE\n +1 +failed .*75")
        self.assertRegex(text, r"(?m)^ *Attempt: 2$")
        self.assertRegex(text, r"(?m)^ *Retries: 3, after 50ms, on exit codes 75$")
        attempts = self.json("show", "--json", task)["attempts"]
        self.assertEqual([(a["number"], a["state"], a["exit-code"]) for a in attempts], [(1, "failed", 75)])
        self.assertEqual(self.ok("log", task).splitlines().count("attempt"), 2)

    def test_not_worth_it(self):
        task = self.start("--retries", "3", "--retry-on", "75", "--", "sh", "-c", "exit 1")
        self.assertEqual(self.session.wait(task), [(task, "failed", 1)])
        self.assertEqual(self.session.property(task, "Attempt"), 1)

    def test_retry(self):
        task = self.start("--label", "again", "--", "sh", "-c", "exit 4")
        self.session.wait(task)
        text = self.ok("retry", task)
        again = int(re.match(rf"Started task (\d+): task {task} again\n$", text)[1])
        self.assertEqual(self.session.wait(again), [(again, "failed", 4)])
        self.assertRegex(self.ok("show", again), rf"(?m)^ *Retry of: {task}$")
        # What has been repeated already is not repeated once more.
        third = int(self.ok("retry", "--quiet", "--label", "again"))
        self.assertEqual(self.session.property(third, "RetryOf"), again)
        self.session.wait(third)
        gate, running = self.start_gate()
        self.fails(1, str(running), "retry", running)
        self.fails(1, "no task 4242", "retry", "4242")
        gate.end()
        self.session.wait(running)


class Trees(PlanCase):
    def test_tree(self):
        gate, parent = self.start_gate(label="parent")
        child = self.start("--parent", parent, "--label", "child", "--", "sleep", "1000")
        grandchild = self.start("--parent", child, "--label", "grandchild", "--", "sleep", "1000")
        ended = self.start("--parent", parent, "--label", "ended", "true")
        self.session.wait(ended)
        text = self.ok("tree", parent)
        self.assertLessEqual({parent, child, grandchild, ended}, {task["id"] for task in self.json("tree", "--json")})
        place = text.index("LABEL")
        self.assertEqual([line[place:] for line in text.splitlines()[1:]],
                         ["parent", "├─ child", "│  └─ grandchild", "└─ ended"])
        self.assertEqual([task["id"] for task in self.json("list", "--json", "--parent", parent)], [child, ended])
        self.assertRegex(self.ok("show", parent), rf"(?m)^ *Children: {child}$")
        self.assertRegex(self.ok("show", child), rf"(?m)^ *Parent: {parent}$")
        # Its own work is over, and it waits for the rest.
        gate.end()
        self.ok("cancel", child)
        ends = self.session.wait(grandchild, child, parent)
        self.assertEqual([state for _, state, _ in ends], ["cancelled", "cancelled", "succeeded"])

    def test_a_task_starts_children(self):
        script = f'"{self.session.longrun}" start --quiet --parent "$LONGRUN_TASK_ID" -- sh -c "exit 3"'
        parent = self.start("--", "sh", "-c", script)
        self.assertEqual(self.session.wait(parent), [(parent, "succeeded", 0)])
        tree = self.json("tree", "--json", parent)
        self.assertEqual([(task["depth"], task["state"]) for task in tree], [(0, "succeeded"), (1, "failed")])

    def test_send(self):
        reads = ["sh", "-c", 'echo up; read -r line; echo "got $line"']
        parent = self.start("--stdin-open", "--", *reads)
        child = self.start("--parent", parent, "--stdin-open", "--", *reads)
        for task in (parent, child):
            self.wait_for_output(task, "up")
        self.assertEqual(self.ok("send", "--children", parent, "to all"), f"Sent to children of task {parent}: 1\n")
        self.assertEqual(self.ok("send", parent, "hello", "there"), f"Sent to task {parent}\n")
        self.session.wait(parent, child)
        self.assertEqual((self.ok("log", parent), self.ok("log", child)), ("up\ngot hello there\n", "up\ngot to all\n"))
        self.fails(1, "ended", "send", parent, "x")
        self.fails(1, "no task 4242", "send", "4242", "x")

    def test_no_such_tree(self):
        self.fails(1, "no task 4242", "tree", "4242")


class Bulk(PlanCase):
    def test_cancel(self):
        self.ok("group", "add", "bulk")
        self.ok("pause", "bulk")
        tasks = [self.start("--group", "bulk", "--label", f"bulk {n}", "true") for n in range(4)]
        self.assertEqual(self.ok("cancel", "--group", "bulk", "--label", "bulk 3"), "Told to stop: 1\n")
        self.assertEqual(self.json("cancel", "--group", "bulk", "--state", "waiting", "--json"), {"accepted": 3})
        self.assertEqual({state for _, state, _ in self.session.wait(*tasks)}, {"cancelled"})
        self.assertEqual(self.ok("cancel", "--group", "bulk"), "Told to stop: 0\n")
        self.ok("resume", "bulk")
        self.assertEqual(self.ok("cancel", "--group", "nosuch"), "Told to stop: 0\n")

    def test_unique(self):
        gate, task = self.start_gate(unique="key")
        self.assertEqual(self.ok("start", "--unique", "key", "--after", task, "true"), f"already running: task {task}\n")
        gate.end()
        self.session.wait(task)
        later = self.start("--unique", "key", "--at", "2035-01-01", "true")
        self.assertEqual(self.ok("start", "--unique", "key", "true"), f"already waiting: task {later}\n")
        self.cancel(later)


if __name__ == "__main__":
    os.umask(0o22)
    main()
