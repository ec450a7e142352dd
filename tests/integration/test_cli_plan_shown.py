#!/usr/bin/python3
"""longrun: when tasks run, in which order, and with what others. How it shows what longrund answers.

    LONGRUND=PATH LONGRUN=PATH test_cli_plan_shown.py
"""

import datetime
import json
import os
import re

from cli_testing import HOUR, FakeCase, now, started, waiting
from fake_daemon import run
from longrun_testing import GLib, main, variant


class Shown(FakeCase):
    def test_list(self):
        at = datetime.datetime.now().replace(second=0, microsecond=0) + datetime.timedelta(days=40)
        soon = now() + 30_000_000
        tasks = [
            {"id": variant("t", 1), "state": variant("s", "running"), "label": variant("s", "one"),
             "group": variant("s", "default"), "priority": variant("i", 0), "progress": variant("d", 0.5)},
            {"id": variant("t", 2), "state": variant("s", "waiting"), "label": variant("s", "two"),
             "group": variant("s", "encode"), "priority": variant("i", -5),
             "reason": variant("s", "its group is paused")},
            {"id": variant("t", 3), "state": variant("s", "waiting"), "label": variant("s", "three"),
             "group": variant("s", "default"), "priority": variant("i", 0),
             "due-at": variant("t", int(at.timestamp() * 1e6))},
            {"id": variant("t", 4), "state": variant("s", "waiting"), "label": variant("s", "four"),
             "due-at": variant("t", soon)},
            {"id": variant("t", 5), "state": variant("s", "running"), "label": variant("s", "five"),
             "reason": variant("s", "left processes behind"), "due-at": variant("t", soon)},
            {"id": variant("t", 6), "state": variant("s", "queued"), "label": variant("s", "six"),
             "reason": variant("s", "wants gpu=1, of which 0 of 2 are free")},
            {"id": variant("t", 7), "state": variant("s", "queued"), "label": variant("s", "seven"),
             "reason": variant("s", "all 2 slots are in use (MaxParallel)")},
        ]
        asked = []

        def answer(filters):
            asked.append(filters)
            shown = tasks if "running" in filters["states"] else []
            return GLib.Variant("(aa{sv}t)", (shown, 0))
        self.daemon(answers={"ListTasks": answer})
        lines = self.ok("list").splitlines()
        self.assertEqual(lines[0].split(), ["ID", "STATE", "PROGRESS", "TIME", "GROUP", "PRIORITY", "WAITING", "LABEL"])
        when = datetime.datetime.fromtimestamp(soon / 1e6)
        soon_text = f"tomorrow {when:%H:%M}" if when.date() > datetime.date.today() else f"{when:%H:%M:%S}"
        for line, expected in zip(lines[1:], (
                " 1 running 50% - default 0 one", " 2 waiting - - encode -5 its group is paused two",
                f" 3 waiting - - default 0 until {at:%Y-%m-%d %H:%M} three",
                f" 4 waiting - - 0 until {soon_text} four",
                " 5 running - - 0 five", " 6 queued - - 0 wants gpu=1, of which 0 of 2 are free six",
                " 7 queued - - 0 seven"), strict=True):
            self.assertEqual(re.sub(" +", " ", line), expected)
        # Columns that would tell nothing are not there.
        del tasks[1:]
        self.assertEqual(self.ok("list").split("\n")[0].split(), ["ID", "STATE", "PROGRESS", "TIME", "LABEL"])
        self.ok("list", "--group", "encode", "--parent", "9", "--json")
        self.assertEqual((asked[-1]["group"], asked[-1]["parent"]), ("encode", 9))

    def test_pace(self):
        def entry(number, left, rate, **more):
            end = now() + int(left * 1e6) + 300_000 if left else 0
            return {"id": variant("t", number), "state": variant("s", "running"), "label": variant("s", "x"),
                    "expected-end-time": variant("t", end), "rate": variant("d", rate),
                    **{key: variant(*value) for key, value in more.items()}}
        many, huge = ("t", 3_500_000_000), ("t", 2**64 - 1)
        tasks = [
            entry(1, 45, 12.5e6, progress=("d", 0.45), unit=("s", "bytes")),
            entry(2, 125, 34.6, progress=("d", 0.999)),
            entry(3, 59.5 * 60, 1.25, progress=("d", 0.0)),
            entry(4, 3 * 3600 + 60, 512, progress=("d", -1), done=many, unit=("s", "bytes")),
            entry(5, 50 * 3600, 0.04, progress=("d", -1), done=many),
            entry(6, 0, 0, progress=("d", 0.5)),
            entry(7, 0, -1, progress=("d", -1), done=("t", 0), unit=("s", "bytes")),
            entry(8, 0, 1e300, progress=("d", -1), done=huge, unit=("s", "bytes")),
            entry(9, 0, 0.002, progress=("d", 0.5)),
        ]
        self.daemon(answers={"ListTasks": lambda filters: GLib.Variant(
            "(aa{sv}t)", (tasks if "running" in filters["states"] else [], 0))})
        lines = [re.sub(" +", " ", line.strip()) for line in self.ok("list").splitlines()]
        self.assertEqual(lines, [
            "ID STATE PROGRESS TIME LEFT RATE LABEL", "1 running 45% - 45s 11.9M/s x",
            "2 running 99% - 2min 5s 34/s x", "3 running 0% - 59min 1.2/s x", "4 running 3.3G - 3h 1min 512B/s x",
            "5 running 3500000000 - 2d 2h 2.4/min x", "6 running 50% - x", "7 running - - x", "8 running 16.0E - x",
            "9 running 50% - 7.2/h x"])
        del tasks[:5], tasks[-1]
        self.assertEqual(self.ok("list").split("\n")[0].split(), ["ID", "STATE", "PROGRESS", "TIME", "LABEL"])

    def test_show_pace(self):
        end = now() + 125_300_000
        task = {"Id": variant("t", 7), "State": variant("s", "running"), "Progress": variant("d", 0.45),
                "Done": variant("t", 1_300_000_000), "Total": variant("t", 2_900_000_000), "Unit": variant("s", "bytes"),
                "Rate": variant("d", 12.9e6), "ExpectedEndTime": variant("t", end),
                "ProgressSource": variant("s", "counter")}
        self.daemon(tasks={7: task})
        lines = [line.strip() for line in self.ok("show", 7).splitlines()]
        for line in ("Progress: 45%, 1.2G of 2.7G", "Known from: a count in its output", "Rate: 12.3M/s",
                     f"Will end: in 2min 5s, at {datetime.datetime.fromtimestamp(end // 10**6)}"):
            self.assertIn(line, lines)
        for source, words in (("notify", "what it says itself"), ("osc", "OSC 9;4 in its output"),
                              ("percent", "a percentage in its output")):
            task["ProgressSource"] = variant("s", source)
            self.assertIn(f"Known from: {words}", self.ok("show", 7))
        for name in ("Total", "ExpectedEndTime"):
            task[name] = variant("t", 0)
        task.update(Progress=variant("d", -1), ProgressSource=variant("s", "hearsay"), Unit=variant("s", ""))
        text = self.ok("show", 7)
        self.assertIn("Progress: 1300000000 done\n", text)
        self.assertIn("Rate: 12900000/s\n", text)
        self.assertNotIn("Known from", text)
        self.assertNotIn("Will end", text)
        self.assertEqual(self.json("show", 7, "--json")["rate"], 12.9e6)

    def test_until(self):
        """What is left out can be told from now."""
        midnight = datetime.datetime.combine(datetime.date.today(), datetime.time())
        moments = [(days, midnight + datetime.timedelta(days=days, hours=9, minutes=5)) for days in (1, 2, 5, 7, 400)]
        forms = {1: "tomorrow %H:%M", 2: "%a %H:%M", 5: "%a %H:%M"}
        tasks = [{"id": variant("t", days), "state": variant("s", "waiting"), "reason": variant("s", "starts later"),
                  "due-at": variant("t", int(moment.timestamp() * 1e6))} for days, moment in moments]
        # It needs more than the time to pass.
        tasks.append(tasks[0] | {"id": variant("t", 401), "reason": variant("s", "waits for task 3 to end")})
        # The time has come.
        tasks.append(tasks[0] | {"id": variant("t", 402), "due-at": variant("t", 1)})
        self.daemon(answers={"ListTasks": lambda filters: GLib.Variant(
            "(aa{sv}t)", (tasks if "running" in filters["states"] else [], 0))})
        shown = [re.sub("^.*- +-  ", "", line).strip() for line in self.ok("list").splitlines()[1:]]
        self.assertEqual(shown, [f"until {moment.strftime(forms.get(days, '%Y-%m-%d %H:%M'))}"
                                 for days, moment in moments] + ["waits for task 3 to end", "starts later"])

    def test_show(self):
        attempts = [(1, "failed", 3, 0, 1_000_000, 3_500_000, 0, "exit code 3"),
                    (2, "timed-out", 143, 15, 5_000_000, 65_000_000, 120, "")]
        self.daemon(tasks={7: {
            "Id": variant("t", 7), "State": variant("s", "waiting"), "Reason": variant("s", "waits for its time"),
            "Group": variant("s", "encode"), "Priority": variant("i", -5), "After": variant("at", [3, 4]),
            "AfterAny": variant("at", []), "AfterFailed": variant("at", [5]), "WhenOnline": variant("s", "box"),
            "Resources": variant("a{su}", {"gpu": 1}), "DueAt": variant("t", 1924333200_000_000),
            "Every": variant("t", 600_000_000), "Calendar": variant("s", ""), "Persistent": variant("b", True),
            "Retries": variant("u", 3), "RetryDelay": variant("t", 30_000_000), "RetryOn": variant("ai", [1, 75]),
            "RetryOf": variant("t", 2), "Parent": variant("t", 6), "Children": variant("at", [8, 9]),
            "StdinOpen": variant("b", True), "Pty": variant("b", True), "PtySize": variant("s", "132x50"), "Attempt": variant("u", 3),
            "Attempts": variant("a(usiittts)", attempts)}})
        text = self.ok("show", 7)
        when = datetime.datetime.fromtimestamp(1924333200)
        for expected in ("Group: encode", "Priority: -5", "After: 3,4", "If failed: 5", "Online: box", "Claims: gpu=1",
                         f"Next run: {when:%a %Y-%m-%d %H:%M:%S}", "Every: 10min 0s",
                         "If missed: it runs once as soon as it can", "Retries: 3, after 30.0s, on exit codes 1,75",
                         "Retry of: 2", "Parent: 6", "Children: 8,9", "Terminal: 132x50", "State: waiting (waits for its time)"):
            self.assertRegex(text, rf"(?m)^ *{re.escape(expected)}$")
        self.assertNotRegex(text, "After any|Calendar")
        table = [re.sub(" +", " ", line.strip()) for line in text.split("\n\n")[1].splitlines()]
        self.assertEqual(table[0], "ATTEMPT STATE STARTED TIME MESSAGE")
        self.assertRegex(table[1], r"^1 failed [\d-]+ [\d:]+ 2\.5s exit code 3$")
        self.assertRegex(table[2], r"^2 timed-out [\d-]+ [\d:]+ 1min 0s exit code 143$")
        shown = self.json("show", "--json", 7)
        self.assertEqual(shown["attempts"][0], {
            "number": 1, "state": "failed", "exit-code": 3, "exit-signal": 0, "started-at": 1_000_000,
            "finished-at": 3_500_000, "log-offset": 0, "message": "exit code 3"})
        self.assertEqual(shown["resources"], {"gpu": 1})

    def test_skipped(self):
        ends = GLib.Variant("(a(tsi))", ([(7, "skipped", -1)],))
        message = "skipped: task 3 has failed"
        self.daemon(answers={"Wait": lambda _: ends, "StartCommand": started},
                    tasks=waiting(State=variant("s", "skipped"), Message=variant("s", message)),
                    log_path="/dev/null")
        self.assertEqual(run(self.session, "wait", 7), ("Task 7 skipped\n", "", 125))
        out, _, code = run(self.session, "watch", 7)
        self.assertEqual((out, code), (f"skipped {message}\n", 125))
        out, err, code = run(self.session, "start", "--follow", "--quiet", "--after", "3", "true")
        self.assertEqual((out, err, code), ("", f"longrun: task 7 {message}\n", 125))

    def test_watch_says_why_it_waits(self):
        fake = self.daemon(tasks=waiting(Reason=variant("s", "waits for task 3 to succeed")))
        client = self.session.popen("watch", 7, stdout=-1, text=True)
        self.addCleanup(client.wait)
        self.addCleanup(client.kill)
        fake.until_asked("Wait")
        fake.until_asked("GetAll")
        self.assertEqual(client.stdout.readline(), "waiting waits for task 3 to succeed\n")
        client.stdout.close()


class Tree(FakeCase):
    """1 with 2 and 3 below, 3 with the ended 4 and 5 below; a series 6 with the ended run 7; 8 alone."""

    ACTIVE = {1: (0, "running"), 2: (1, "waiting"), 3: (1, "running"), 6: (0, "waiting"), 8: (0, "queued"),
              9: (2, "running")}
    ENDED = {4: (3, "succeeded"), 5: (3, "failed"), 7: (6, "succeeded"), 10: (9, "skipped")}

    def task(self, task, parent, state):
        return {"id": variant("t", task), "parent": variant("t", parent), "state": variant("s", state),
                "label": variant("s", f"task {task}"), "progress": variant("d", -1),
                "every": variant("t", HOUR if task == 6 else 0), "calendar": variant("s", "")}

    def fake(self):
        def answer(filters):
            tasks = self.ACTIVE if "running" in filters["states"] else self.ENDED
            ids = sorted((task for task, (parent, _) in tasks.items() if filters.get("parent", parent) == parent),
                         reverse=filters["newest-first"])
            page = [self.task(task, *tasks[task]) for task in ids[:filters["limit"]]]
            return GLib.Variant("(aa{sv}t)", (page, ids[len(page) - 1] if len(page) < len(ids) else 0))
        properties = {"Id": variant("t", 3), "Parent": variant("t", 1), "State": variant("s", "running"),
                      "Label": variant("s", "task 3")}
        return self.daemon(answers={"ListTasks": answer}, tasks={3: properties})

    def lines(self, *args, **kwargs):
        text = self.ok("tree", *args, **kwargs)
        place = text.index("LABEL")
        return [line[place:] for line in text.splitlines()[1:]]

    def test_active(self):
        fake = self.fake()
        self.assertEqual(self.lines(), ["task 1", "├─ task 2", "│  └─ task 9", "│     └─ task 10", "└─ task 3",
                                        "   ├─ task 4", "   └─ task 5", "task 6", "└─ task 7", "task 8"])
        # Who has just come has no children that have ended: it is not asked for them.
        asked = [filters.get("parent") for (filters,) in fake.asked("ListTasks")]
        self.assertEqual(asked, [None, 1, 2, 3, 6, 9])

    def test_lines_of_ascii(self):
        self.fake()
        for env in ({"LC_ALL": "C"}, {"LC_ALL": "", "LC_CTYPE": "POSIX"}):
            self.assertEqual(self.lines(env=env)[:7], ["task 1", "|- task 2", "|  `- task 9", "|     `- task 10",
                                                       "`- task 3", "   |- task 4", "   `- task 5"])

    def test_below_one(self):
        self.fake()
        self.assertEqual(self.lines(3), ["task 3", "├─ task 4", "└─ task 5"])
        self.assertEqual(self.lines(3, "-n", "1"), ["task 3 (more children have ended: --all)", "└─ task 5"])
        self.assertEqual(self.lines(3, "-n", "0"), ["task 3"])

    def test_json(self):
        self.fake()
        tasks = self.json("tree", "--json")
        self.assertEqual([(task["id"], task["depth"]) for task in tasks],
                         [(1, 0), (2, 1), (9, 2), (10, 3), (3, 1), (4, 2), (5, 2), (6, 0), (7, 1), (8, 0)])
        self.assertFalse(any(task["more-children"] for task in tasks))
        self.assertEqual([task["more-children"] for task in self.json("tree", "-j", "-n", "1", 3)], [True, False])

    def test_none(self):
        self.daemon(answers={"ListTasks": lambda _: GLib.Variant("(aa{sv}t)", ([], 0))})
        self.assertEqual(self.ok("tree"), "No active tasks.\n")
        self.assertEqual(self.json("tree", "--json"), [])

    def test_deep(self):
        """As deep as anybody may make one: no stack and no line is too short for it."""
        depth = 1500
        tasks = [self.task(task, task - 1, "waiting") for task in range(1, depth + 1)]

        def answer(filters):
            if "running" not in filters["states"]:
                return GLib.Variant("(aa{sv}t)", ([], 0))
            first = filters.get("cursor", 0)
            last = min(first + filters["limit"], depth)
            return GLib.Variant("(aa{sv}t)", (tasks[first:last], last if last < depth else 0))
        self.daemon(answers={"ListTasks": answer})
        with open(self.session.directory / "tree", "w+", encoding="utf-8") as out:
            self.assertEqual(run(self.session, "tree", "--json", stdout=out), (None, "", 0))
            out.seek(0)
            self.assertEqual(json.load(out)[-1]["depth"], depth - 1)


if __name__ == "__main__":
    os.umask(0o22)
    main()
