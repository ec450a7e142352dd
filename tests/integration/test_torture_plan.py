#!/usr/bin/python3
"""Plans while the daemon is killed again and again: limits of groups and tokens are held over all daemons together, each
attempt is made once and written down, what waits for others starts after them or never, a paused group stays paused, and
a series goes on, one run at a time.

    LONGRUND=PATH LONGRUN=PATH test_torture_plan.py

LONGRUN_TORTURE_SEC    how long tasks are started and daemons killed
LONGRUN_TORTURE_SEED   to do the same again, as far as chance allows
"""

import collections
import ctypes
import os
import random
import sys
import time
import unittest

from daemon_testing import FILTER, GROUP, OPTIONS, PR_SET_CHILD_SUBREAPER, dictionary, main
from longrun_testing import DEADLINE_SEC, MANAGER, NAME, ROOT, TASK, Gio, GLib
from process_testing import until
from torture_testing import PrivateBusRig, check_lost, seconds, seed

SECONDS = 12
KILLS_PER_SEC = 3
MSEC = 1000

# Says when it begins and ends, and what it counts as.
SCRIPT = r"""
echo "begin $LONGRUN_TASK_ID $2 $(date +%s%N)" >>"$1"
sleep "$3"
echo "end $LONGRUN_TASK_ID $2 $(date +%s%N)" >>"$1"
exit "$4"
"""
PAIR, HELD = "pair", "held"
LIMITS = {PAIR: 2, "token": 1, "series": 1}

# By sort of task: how often, and the states in which it may end.
SORTS = {
    "plain": (3, {"succeeded"}),
    PAIR: (4, {"succeeded"}),
    "token": (3, {"succeeded"}),
    "retried": (3, {"failed"}),
    "follower": (2, {"succeeded"}),
    "doomed": (2, {"skipped"}),
    "parent": (2, {"succeeded"}),
    "child": (2, {"succeeded"}),
    HELD: (2, {"queued"}),
}
RETRIES = 2
RETRY_DELAY = 20 * MSEC


class PlanTorture:
    def __init__(self, rig, test, number):
        self.rig, self.test, self.seed = rig, test, number
        self.random = random.Random(number)
        self.connection = rig.connect()
        os.makedirs(rig.side, exist_ok=True)
        self.events = f"{rig.side}/events"
        self.sorts = {}  # by id
        self.kills = self.lost = 0

    # --- calls, to whatever daemon there is

    def try_call(self, method, signature, *args, path=ROOT, interface=MANAGER):
        """None when the daemon died over it."""
        try:
            return self.connection.call_sync(NAME, path, interface, method, GLib.Variant(signature, args), None,
                                             Gio.DBusCallFlags.NONE, DEADLINE_SEC * 1000, None).unpack()
        except GLib.Error as error:
            check_lost(error)
            self.lost += 1
            return None

    def call(self, *args, **more):
        deadline = time.monotonic() + DEADLINE_SEC
        while (reply := self.try_call(*args, **more)) is None:
            self.test.assertLess(time.monotonic(), deadline, f"no answer to {args[0]}")
        return reply

    def list(self, **filter_):
        return self.call("ListTasks", "(a{sv})", dictionary(FILTER, {"limit": 1000, **filter_}))[0]

    # --- what is started

    def options(self, sort, label, length, code):
        argv = ["sh", "-c", SCRIPT, "sh", self.events, sort, f"{length:.3f}", str(code)]
        return {"argv": argv, "label": label, "cwd": self.rig.side}

    def of(self, *sorts):
        return [number for number, sort in self.sorts.items() if sort in sorts][-20:]

    def plan(self, sort):
        """Its options, or None when there is nothing yet that it could wait for."""
        others = {"follower": ("plain", "retried"), "doomed": ("retried", "doomed"), "child": ("parent",)}.get(sort)
        needs = self.of(*others) if others else None
        if needs == []:
            return None
        more = {
            PAIR: lambda: {"group": PAIR},
            "token": lambda: {"resources": {"token": 1}},
            "retried": lambda: {"retries": RETRIES, "retry-delay": RETRY_DELAY},
            "follower": lambda: {"after-any": [self.random.choice(needs)]},
            "doomed": lambda: {"after": [self.random.choice(needs)]},
            "child": lambda: {"parent": needs[-1]},
            HELD: lambda: {"group": HELD},
        }.get(sort, dict)()
        code = 3 if sort == "retried" else 0
        return {**self.options(sort, f"task {len(self.sorts)} {self.random.random()}", self.random.uniform(0, 0.1), code),
                **more}

    def start(self, sort):
        """A plain one where there is nothing that it could wait for. There is a daemon then, whoever was killed before."""
        options = self.plan(sort)
        if not options:
            sort, options = "plain", self.plan("plain")
        while True:
            reply = self.try_call_start(options)
            if reply is not None:
                if reply > 0:
                    self.sorts[reply] = sort
                return
            found = self.list(label=options["label"])
            self.test.assertLessEqual(len(found), 1, f"started twice: {found}")
            if found:
                self.sorts[found[0]["id"]] = sort
                return

    def try_call_start(self, options):
        """Its id; 0 when it was refused since its parent has ended, None when there was no answer."""
        try:
            reply = self.try_call("Start", "(sa{sv})", "command", dictionary(OPTIONS, options))
            return reply and reply[0]
        except GLib.Error:
            if "parent" not in options:
                raise
            return 0

    def configure(self):
        for name in (PAIR, HELD):
            limit = LIMITS.get(name, 0)
            self.call("ConfigureGroup", "(sa{sv})", name, dictionary(GROUP, {"max-parallel": limit}))
        self.call("Pause", "(s)", HELD)
        self.call("ConfigureResource", "(su)", "token", LIMITS["token"])
        options = {**self.options("series", "series", 0.02, 0), "every": 100 * MSEC}
        self.series = self.call("Start", "(sa{sv})", "command", dictionary(OPTIONS, options))[0]

    # --- the torture

    def run(self, length):
        self.configure()
        began = due = time.monotonic()
        weights = [weight for weight, _ in SORTS.values()]
        # Where starts take long, until there is something of all that is limited.
        while time.monotonic() < began + length or not {PAIR, "token"} <= set(self.sorts.values()):
            self.start(self.random.choices(list(SORTS), weights)[0])
            time.sleep(self.random.uniform(0, 0.05))
            if time.monotonic() > due:
                due = time.monotonic() + self.random.uniform(0, 2) / KILLS_PER_SEC
                self.rig.kill_daemon(until(self.rig.daemon, "there is no daemon"))
                self.kills += 1
        self.call("Cancel", "(at)", [self.series])
        self.call("Wait", "(at)", [number for number, sort in self.sorts.items() if sort != HELD] + [self.series])

    # --- what must be true then

    def read_events(self):
        with open(self.events, encoding="ascii") as file:
            return [(word, int(number), sort, int(nsec)) for word, number, sort, nsec in map(str.split, file)]

    def check_limits(self, events):
        for sort, limit in LIMITS.items():
            running = most = 0
            for _, word in sorted((nsec, word) for word, _, of, nsec in events if of == sort):
                running += 1 if word == "begin" else -1
                most = max(most, running)
            self.test.assertLessEqual(most, limit, f"of {sort}")
            self.test.assertGreater(most, 0, f"of {sort}")

    def check_attempts(self, row, begun):
        attempts = self.call("Get", "(ss)", TASK, "Attempts", path=f"{ROOT}/task/{row['id']}",
                             interface="org.freedesktop.DBus.Properties")[0]
        number = RETRIES + 1 if self.sorts[row["id"]] == "retried" else 1
        self.test.assertEqual((row["attempt"], begun), (number, number), row)
        self.test.assertEqual([a[:3] for a in attempts], [(i + 1, "failed", 3) for i in range(number - 1)], row)

    def check_task(self, row, rows, begun):
        sort = self.sorts[row["id"]]
        self.test.assertIn(row["state"], SORTS[sort][1] | ({"waiting"} if sort == HELD else set()), row)
        if sort in (HELD, "doomed"):
            self.test.assertEqual((row["attempt"], begun), (0, 0), row)
            return
        self.check_attempts(row, begun)
        for other in row["after-any"]:
            self.test.assertGreaterEqual(row["started-at"], rows[other]["finished-at"], row)
        if row["parent"]:
            self.test.assertGreaterEqual(rows[row["parent"]]["finished-at"], row["finished-at"], row)

    def check_series(self):
        runs = self.list(parent=self.series)
        self.test.assertGreater(len(runs), 1)
        self.test.assertLessEqual({run["state"] for run in runs}, {"succeeded", "cancelled"})

    def check(self):
        events = self.read_events()
        begun = collections.Counter(number for word, number, _, _ in events if word == "begin")
        rows, cursor = {}, 1
        while cursor:
            page, cursor = self.call("ListTasks", "(a{sv})", dictionary(FILTER, {"limit": 1000, "cursor": cursor}))
            rows.update((row["id"], row) for row in page)
        self.check_limits(events)
        for number in self.sorts:
            self.check_task(rows[number], rows, begun[number])
        self.check_series()
        groups = {group["name"]: group for group in self.call("ListGroups", "()")[0]}
        self.test.assertTrue(groups[HELD]["paused"])
        held = sum(sort == HELD for sort in self.sorts.values())
        self.test.assertEqual(groups[HELD]["active"], held)
        self.test.assertEqual([groups[name]["active"] for name in (PAIR, "default")], [0, 0])
        self.test.assertEqual(self.call("ListResources", "()")[0], [("token", LIMITS["token"], 0)])


class PlanTortureTest(unittest.TestCase):
    def test_daemon_killed(self):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        number = seed()
        with PrivateBusRig(max_parallel=6) as rig:
            torture = PlanTorture(rig, self, number)
            try:
                torture.run(seconds(SECONDS))
                torture.check()
            except BaseException:
                print(f"--- the seed was {number}; the bus and longrund said ---", rig.said(), sep="\n")
                raise
            rig.end_daemon()
            torture.connection.close_sync(None)
            rig.check_end()
        print(f"torture of plans: {len(torture.sorts)} tasks, {torture.kills} kills, {torture.lost} calls lost, seed {number}",
              file=sys.stderr)


if __name__ == "__main__":
    main()
