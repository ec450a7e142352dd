#!/usr/bin/python3
"""Groups of tasks: their limits, defaults, turns, pauses, and when they have run dry.

    LONGRUND=PATH test_groups.py
"""

import contextlib
import sqlite3
import time

from daemon_testing import MANAGER, PROPERTIES, DaemonTestCase, GLib, main, sanitized

SEC = 1000000
FOREVER = {"steps": 1, "step_ms": 3600000}


class GroupTestCase(DaemonTestCase):
    def blocker(self, **options):
        """A task that runs until it is cancelled."""
        task = self.session.start("countdown", FOREVER, **options)
        task.wait_state("running")
        return task

    def finished_groups(self):
        return [s.args for s in self.session.manager_signals("GroupFinished")]

    def wait_group_finished(self, number=1):
        self.session.wait_until(lambda: len(self.finished_groups()) >= number, "GroupFinished")
        return self.finished_groups()

    def group(self, name):
        return self.session.groups()[name]

    def counts(self, name):
        g = self.group(name)
        return {key: g[key] for key in ("active", "running", "queued", "waiting", "succeeded", "failed") if g[key]}


class ConfigureTest(GroupTestCase):
    def test_default_is_there(self):
        self.assertEqual(self.session.groups(), {"default": {
            "name": "default", "max-parallel": 0, "max-queued": 0, "paused": False, "draining": False, "active": 0,
            "running": 0, "queued": 0, "waiting": 0, "succeeded": 0, "failed": 0, "defaults": {}}})
        self.assertEqual(self.session.get("Groups"), ["default"])

    def test_made_and_changed(self):
        self.session.configure_group("build", max_parallel=2)
        self.session.configure_group("build", max_queued=5, timeout=9 * SEC, resources={})
        g = self.group("build")
        self.assertEqual((g["max-parallel"], g["max-queued"], g["defaults"]),
                         (2, 5, {"timeout": 9 * SEC, "resources": {}}))
        self.session.configure_group("build", unset=["timeout", "nice"], priority=-3)
        self.assertEqual(self.group("build")["defaults"], {"priority": -3, "resources": {}})
        self.session.configure_group("a")
        self.assertEqual(self.session.get("Groups"), ["a", "build", "default"])
        self.session.wait_until(lambda: len(self.session.manager_signals("GroupChanged")) == 4, "GroupChanged")
        self.assertEqual([s.args[0] for s in self.session.manager_signals("GroupChanged")],
                         ["build", "build", "build", "a"])
        changes = [s for s in self.session.manager_signals("PropertiesChanged") if "Groups" in s.args[1]]
        self.assertEqual([s.args[1]["Groups"] for s in changes], [["build", "default"], ["a", "build", "default"]])

    def test_kept(self):
        self.session.configure_group("build", max_parallel=2, max_queued=7, retries=3, retry_on=[1, 75],
                                     on_interrupt="restart", stop_timeout=10 * SEC, notify=False)
        self.session.configure_group("default", priority=5)
        self.session.call("Pause", "(s)", "build")
        self.session.call("Drain", "(s)", "build")
        self.session.configure_group("gone")
        self.session.call("RemoveGroup", "(s)", "gone")
        self.session.configure_group("again", max_parallel=9)
        self.session.call("RemoveGroup", "(s)", "again")
        self.session.configure_group("again", max_queued=1)
        before = self.session.groups()
        self.assertEqual(before["again"]["max-parallel"], 0)
        self.session.restart()
        self.assertEqual(self.session.groups(), before)
        self.assertEqual(before["build"]["defaults"], {"retries": 3, "retry-on": [1, 75], "on-interrupt": "restart",
                                                       "stop-timeout": 10 * SEC, "notify": False})

    def test_lost_with_the_database(self):
        """A task tells which group it is in, if nothing else does; the one called default need not be there either."""
        self.session.configure_group("build", max_parallel=1)
        self.session.call("Pause", "(s)", "build")
        task = self.session.start("noop", group="build")
        self.session.end_daemon()
        with contextlib.closing(sqlite3.connect(self.session.state / "longrun.db")) as db, db:
            db.execute("DELETE FROM grp")
        self.session.start_daemon()
        self.assertEqual(task.wait(), ("succeeded", 0))
        self.session.restart()
        self.assertEqual({n: g["max-parallel"] for n, g in self.session.groups().items()}, {"build": 0, "default": 0})

    def test_refused(self):
        self.session.call("ConfigureResource", "(su)", "gpu", 2)
        for name in ("", "a b", "1", "x/y", "ä", "x" * 65, "-"):
            with self.assertError("InvalidOption"):
                self.session.configure_group(name)
        for properties, error, text in (
                ({"argv": ["x"]}, "InvalidOption", "cannot have a default of argv"),
                ({"label": "x"}, "InvalidOption", "cannot have a default of label.*timeout"),
                ({"unset": ["label"]}, "InvalidOption", "cannot have a default of label"),
                ({"unset": ["nonsense"]}, "UnknownOption", "no property \"nonsense\".*max-parallel.*timeout"),
                ({"unset": ["nice"], "nice": 3}, "InvalidOption", "nice is both given and to be unset"),
                ({"nice": 50}, "InvalidOption", "nice is from -20 to 19"),
                ({"priority": 1 << 30}, "InvalidOption", "priority is from"),
                ({"memory_max": 5}, "InvalidOption", "memory-max"),
                ({"on_interrupt": "explode"}, "InvalidOption", "explode"),
                ({"resources": {"tape": 1}}, "NoSuchResource", "tape"),
                ({"resources": {"gpu": 3}}, "InvalidOption", "gpu")):
            with self.subTest(properties=properties), self.assertError(error, text):
                self.session.configure_group("build", max_parallel=3, **properties)
        with self.assertError("UnknownOption", "no property \"maxparallel\" of a group"):
            self.session.call("ConfigureGroup", "(sa{sv})", "build", {"maxparallel": GLib.Variant("u", 3)})
        with self.assertError("InvalidOption", "max-parallel is of type u, not s"):
            self.session.call("ConfigureGroup", "(sa{sv})", "build", {"max-parallel": GLib.Variant("s", "3")})
        with self.assertError("InvalidOption", "unset is of type as, not s"):
            self.session.call("ConfigureGroup", "(sa{sv})", "build", {"unset": GLib.Variant("s", "nice")})
        self.assertEqual(list(self.session.groups()), ["default"])

    def test_unknown_group(self):
        for call in (lambda: self.session.command("true", group="nonsense"),
                     *(lambda method=method: self.session.call(method, "(s)", "nonsense")
                       for method in ("RemoveGroup", "Pause", "Resume", "Drain"))):
            with self.assertError("NoSuchGroup", "no group \"nonsense\".*longrun group"):
                call()

    def test_remove(self):
        with self.assertError("NotPermitted", "always there"):
            self.session.call("RemoveGroup", "(s)", "default")
        self.session.configure_group("build")
        task = self.blocker(group="build")
        with self.assertError("StillActive", "cancel"):
            self.session.call("RemoveGroup", "(s)", "build")
        task.cancel()
        task.wait()
        self.session.call("RemoveGroup", "(s)", "build")
        self.assertEqual(self.session.get("Groups"), ["default"])
        # What has ended keeps its name.
        self.assertEqual(task.get("Group"), "build")
        self.assertEqual([t["id"] for t in self.session.list_tasks(group="build")[0]], [task.id])
        self.session.restart()
        self.assertEqual(self.session.get("Groups"), ["default"])

    def test_many(self):
        for i in range(999):
            self.session.call_later("ConfigureGroup", "(sa{sv})", f"g{i}", {})
        self.session.settles(lambda: len(self.session.get("Groups")) == 1000, "there are not as many")
        with self.assertError("NotPermitted", "1000 groups.*remove one"):
            self.session.configure_group("one-more")
        self.session.configure_group("g7", max_parallel=1)
        self.session.call("RemoveGroup", "(s)", "g8")
        self.session.configure_group("one-more")


class DefaultsTest(GroupTestCase):
    def test_they_are_for_what_is_not_named(self):
        self.session.configure_group("build", timeout=60 * SEC, priority=7, retries=2, memory_max=1 << 30)
        plain = self.session.command("true", group="build")
        own = self.session.command("true", group="build", timeout=0, priority=-1)
        thread = self.session.start("noop", group="build")
        other = self.session.command("true")
        for task, timeout, priority, memory in ((plain, 60 * SEC, 7, 1 << 30), (own, 0, -1, 1 << 30),
                                                (thread, 60 * SEC, 7, 0), (other, 0, 0, 0)):
            p = task.get_all()
            self.assertEqual((p["Timeout"], p["Priority"], p["MemoryMax"]), (timeout, priority, memory))
        # Later starts alone follow a change.
        self.session.set_max_parallel(1)
        blocker = self.blocker()
        before = self.session.command("true", group="build")
        self.session.configure_group("build", unset=["timeout"], priority=8)
        after = self.session.command("true", group="build")
        self.assertEqual([(t.get("Timeout"), t.get("Priority")) for t in (before, after)], [(60 * SEC, 7), (0, 8)])
        blocker.cancel()

    def test_they_work(self):
        self.session.configure_group("quick", timeout=SEC // 10)
        task = self.session.command("sleep", "1000", group="quick")
        self.assertEnds(task, "timed-out", 143, "timeout")


class LimitTest(GroupTestCase):
    ARGUMENTS = ()
    CONFIG = "[Manager]\nMaxParallel=0\n"

    def run_measured(self, number, **options):
        """Runs so many commands that tell when they begin and end, and gives the most that ran at a time."""
        fifo = self.session.fifo(f"fifo-{time.monotonic_ns()}")
        script = f"echo + >{fifo.path}; sleep 0.05; echo - >{fifo.path}"
        tasks = self.session.start_many(
            [("command", {"argv": ["/bin/sh", "-c", script], **options}) for _ in range(number)])
        running = most = 0
        for _ in range(2 * number):
            running += 1 if fifo.read_line() == "+" else -1
            most = max(most, running)
        for task, (_, state, _) in zip(tasks, self.session.wait(tasks)):
            self.assertEqual(state, "succeeded", task.id)
        return most

    def test_max_parallel_2_runs_exactly_2(self):
        """Of commands, and of kinds on threads."""
        self.session.set_max_parallel(2)
        self.assertEqual(self.run_measured(20), 2)
        tasks = self.session.start_many([("countdown", {"params": FOREVER})] * 8)
        for i in range(6):
            self.session.settles(lambda: self.running() == [t.id for t in tasks[i:i + 2]], "there are not 2")
            tasks[i].cancel()
            tasks[i].wait()
            self.assertLessEqual(len(self.running()), 2)

    def running(self):
        return [t["id"] for t in self.session.list_tasks(states=["running"], fields=["id"])[0]]

    def test_of_a_group(self):
        """A limit of 2 lets in exactly 2, beside others that have none."""
        self.session.configure_group("narrow", max_parallel=2)
        self.assertEqual(self.run_measured(12, group="narrow"), 2)
        self.session.configure_group("narrow", max_parallel=1)
        self.assertEqual(self.run_measured(4, group="narrow"), 1)
        self.session.configure_group("narrow", max_parallel=0)
        self.assertGreater(self.run_measured(8, group="narrow"), 2)

    def test_of_a_group_on_threads(self):
        self.session.configure_group("narrow", max_parallel=2)
        tasks = [self.session.start("countdown", FOREVER, group="narrow") for _ in range(5)]
        others = [self.session.start("countdown", FOREVER) for _ in range(3)]
        for task in (*tasks[:2], *others):
            task.wait_state("running")
        self.assertEqual(self.counts("narrow"), {"active": 5, "running": 2, "queued": 3})
        self.assertRegex(tasks[2].get("Reason"), "narrow")
        for i in range(3):
            tasks[i].cancel()
            tasks[i + 2].wait_state("running")
            self.assertEqual(self.group("narrow")["running"], 2)
        self.session.configure_group("narrow", max_parallel=1)  # ends none
        self.assertEqual(self.group("narrow")["running"], 2)

    def test_of_all(self):
        """MaxParallel caps over all groups."""
        self.session.set_max_parallel(3)
        for name in ("a", "b"):
            self.session.configure_group(name, max_parallel=2)
        tasks = [self.session.start("countdown", FOREVER, group=name) for name in ("a", "b") for _ in range(3)]
        self.session.settles(lambda: self.session.get("Running") == 3, "not as many run as there are slots")
        self.assertEqual(sorted(self.group(name)["running"] for name in ("a", "b")), [1, 2])
        self.assertEqual(self.session.get("Queued"), len(tasks) - 3)

    def test_max_queued(self):
        self.session.configure_group("narrow", max_parallel=1, max_queued=2)
        self.blocker(group="narrow")
        queued = [self.session.start("noop", group="narrow") for _ in range(2)]
        with self.assertError("QueueFull", "narrow.*2.*max-queued"):
            self.session.start("noop", group="narrow")
        with self.assertError("QueueFull"):
            self.session.start_many([("noop", {}), ("noop", {"group": "narrow"})])
        self.session.start("noop").wait()  # others have room
        queued[0].cancel()
        self.session.start("noop", group="narrow")
        self.session.configure_group("narrow", max_queued=0)
        self.session.start_many([("noop", {"group": "narrow"})] * 50)
        # In a pause nobody gets a slot.
        self.session.configure_group("paused", max_queued=2)
        self.session.call("Pause", "(s)", "paused")
        with self.assertError("QueueFull", "no room for 3 more: 0 wait in it, and it takes 2:"):
            self.session.start_many([("noop", {"group": "paused"})] * 3)
        self.session.start_many([("noop", {"group": "paused"})] * 2)

    def test_turns(self):
        """A group with many does not keep another waiting: they take turns, also after a restart."""
        self.session.set_max_parallel(1)
        for name in ("many", "few"):
            self.session.configure_group(name)
        self.session.call("Pause", "(s)", "")
        many = self.session.start_many([("noop", {"group": "many"})] * 40)
        few = self.session.start_many([("noop", {"group": "few"})] * 3)
        self.session.restart()
        self.session.call("Resume", "(s)", "")
        self.session.wait([*many, *few])
        order = sorted([*many, *few], key=lambda t: t.get("StartedAt"))
        places = [order.index(t) for t in few]
        self.assertEqual(places[1] - places[0], 2)
        self.assertEqual(places[2] - places[1], 2)
        self.assertLess(places[0], 2)


class PauseTest(GroupTestCase):
    ARGUMENTS = ("--max-parallel=1",)

    def states(self, tasks):
        return {t.get("State") for t in tasks}

    def told_of(self):
        """Paths of tasks that have told that they are in another state."""
        return {s.path for s in self.session.signals if s.member == "PropertiesChanged" and s.args[1].get("State")}

    def test_pause_and_resume(self):
        self.session.configure_group("build")
        running = self.blocker(group="build")
        queued = [self.session.start("noop", group="build") for _ in range(3)]
        self.assertEqual(self.states(queued), {"queued"})
        self.session.call("Pause", "(s)", "build")
        self.assertEqual(running.get("State"), "running")
        self.assertEqual(self.states(queued), {"waiting"})
        self.assertRegex(queued[0].get("Reason"), "paused")
        self.assertEqual(self.counts("build"), {"active": 4, "running": 1, "waiting": 3})
        for task in queued:
            task.wait_state("waiting")
        self.session.wait_until(
            lambda: {t.id for t in queued} <= {e[0] for e in self.session.batched("TasksChanged") if e[1] == "waiting"},
            "TasksChanged")
        # GroupChanged comes before the states do.
        first = next(i for i, s in enumerate(self.session.signals) if s.path == queued[0].path)
        self.assertIn("GroupChanged", [s.member for s in self.session.signals[:first]])
        running.cancel()
        running.wait()
        other = self.session.start("noop")  # another group has the slot
        self.assertEqual(other.wait(), ("succeeded", 0))
        self.assertEqual(self.session.count_tasks(group="build", states=["waiting"]), {"waiting": 3})
        late = self.session.start("noop", group="build")
        self.assertEqual(late.get("State"), "waiting")
        self.session.call("Resume", "(s)", "build")
        self.session.wait([*queued, late])
        self.assertEqual(self.wait_group_finished(2)[-1], ("build", 4, 1))

    def test_shown_again(self):
        """What is queued again, since the group goes on while all slots are taken."""
        self.blocker()
        self.session.configure_group("build")
        self.session.call("Pause", "(s)", "build")
        task = self.session.start("noop", group="build")
        self.assertEqual(task.get("State"), "waiting")
        self.session.call("Resume", "(s)", "build")
        self.assertEqual(task.get("State"), "queued")
        task.wait_state("queued")
        # More often than there are signals: the last one tells the truth.
        for _ in range(20):
            self.session.call("Pause", "(s)", "build")
            self.session.call("Resume", "(s)", "build")
        self.session.call("Pause", "(s)", "build")
        self.session.wait_until(lambda: task.signals("PropertiesChanged")[-1].args[1]["State"] == "waiting", "waiting")

    def test_kept_over_a_restart(self):
        """A group paused by a person stays so; nothing else is paused."""
        self.session.configure_group("build")
        self.session.call("Pause", "(s)", "build")
        task = self.session.start("noop", group="build")
        for restart in (self.session.restart, lambda: self.session.restart(15)):
            restart()
            self.assertEqual({n: g["paused"] for n, g in self.session.groups().items()},
                             {"build": True, "default": False})
            self.assertEqual(task.get("State"), "waiting")
            self.session.start("noop").wait()
            self.assertEqual(task.get("State"), "waiting")
        self.session.call("Resume", "(s)", "build")
        self.assertEqual(task.wait(), ("succeeded", 0))

    def test_every_group(self):
        self.session.configure_group("build")
        self.session.call("Pause", "(s)", "")
        tasks = [self.session.start("noop", group=name) for name in ("build", "default")]
        self.assertEqual(self.states(tasks), {"waiting"})
        self.session.call("Resume", "(s)", "")
        self.session.wait(tasks)

    def test_nothing_changes(self):
        self.session.call("Pause", "(s)", "default")
        self.session.call("Pause", "(s)", "default")
        self.session.call("Pause", "(s)", "")
        self.session.wait_until(lambda: self.session.manager_signals("GroupChanged"), "GroupChanged")
        self.session.start("noop").cancel()
        self.session.dispatch()
        self.assertEqual(len(self.session.manager_signals("GroupChanged")), 1)

    def test_cancelled_while_paused(self):
        self.session.call("Pause", "(s)", "default")
        task = self.session.start("noop")
        self.assertEqual(self.session.cancel_all(group="default"), 1)
        self.assertEnds(task, "cancelled", -1)
        self.assertEqual(self.wait_group_finished(), [("default", 0, 1)])

    def test_drain(self):
        self.session.configure_group("build")
        first = self.session.command("sleep", "1000", group="build", unique="key")
        first.wait_state("running")
        tasks = [first, *(self.session.start("noop", group="build") for _ in range(2))]
        self.session.call("Drain", "(s)", "build")
        with self.assertError("QueueFull", "draining.*longrun resume build"):
            self.session.start("noop", group="build")
        with self.assertError("QueueFull", "draining"):
            self.session.start_many([("noop", {}), ("noop", {"group": "build"})])
        # Who is told of one that is in there already has not put anything in.
        self.assertEqual(self.session.start("noop", group="build", unique="key").id, first.id)
        self.session.restart()
        with self.assertError("QueueFull", "draining"):
            self.session.start("noop", group="build")
        first.cancel()
        self.session.wait(tasks)
        self.assertEqual(self.wait_group_finished(), [("build", 2, 1)])
        self.assertTrue(self.group("build")["draining"])
        self.session.call("Resume", "(s)", "build")
        self.session.start("noop", group="build").wait()

    def test_many_tasks(self):
        """The loop does not stop while thousands of tasks are shown as waiting, and all of them are told of."""
        number = 2000 if sanitized() else 6000
        self.blocker()
        self.session.configure_group("build")
        tasks = self.session.start_many([("noop", {"group": "build"})] * number)
        self.session.signals.clear()
        self.session.call("Pause", "(s)", "build")
        # Who calls meanwhile gets an answer in between.
        before = []
        self.session.call_later("GetTask", "(t)", tasks[0].id, then=lambda: before.append(len(self.told_of())))
        self.session.session.until(lambda: before, "the answer")
        self.assertLess(before[0], number)
        ids = {t.id for t in tasks}
        told = set()

        def all_told():
            told.update(e[0] for e in self.session.batched("TasksChanged") if e[1] == "waiting")
            return ids <= told

        self.session.wait_until(all_told, "TasksChanged of all")
        self.assertTrue({t.path for t in tasks} <= self.told_of())
        self.session.cancel_all(group="build")


class RunDryTest(GroupTestCase):
    """All have ended: that is told however they did."""

    def test_some_fail_and_some_are_cancelled(self):
        self.session.configure_group("build")
        cancelled = self.blocker(group="build")  # first, so that the group does not run dry before all are there
        good = [self.session.command("true", group="build") for _ in range(3)]
        bad = [self.session.command("false", group="build") for _ in range(2)]
        slow = self.session.command("sleep", "1000", group="build", timeout=SEC // 10)
        skipped = self.session.command("true", group="build", after=[bad[0].id])
        self.session.wait([*good, *bad, slow, skipped])
        self.assertEqual(self.finished_groups(), [])
        cancelled.cancel()
        self.assertEqual(self.wait_group_finished(), [("build", 3, 5)])
        # After the ends of all of them.
        members = [s.member for s in self.session.manager_signals("GroupFinished", "TasksFinished")]
        self.assertEqual(members[-1], "GroupFinished")
        self.assertEqual(self.counts("build"), {})
        self.session.command("true", group="build")
        self.assertEqual(self.wait_group_finished(2)[1], ("build", 1, 0))

    def test_a_pool(self):
        """Twelve pieces of work for two threads, each with a result; then those that are cancelled, all at once."""
        self.session.configure_group("pool", max_parallel=2)
        tasks = self.session.start_many(
            [("map", {"params": {"items": [f"item {i}"], "op": "uppercase", "item_ms": 10}, "group": "pool"})
             for i in range(12)])
        self.assertEqual(self.wait_group_finished(), [("pool", 12, 0)])
        results = [t.take_result()[0] for t in tasks]
        self.assertEqual([r["processed"] for r in results], [f"ITEM {i}" for i in range(12)])
        self.assertNotIn(self.session.daemon.pid, [r["thread"] for r in results])
        tasks = [self.session.start("countdown", FOREVER, group="pool") for _ in range(6)]
        self.assertEqual(self.session.cancel_all(group="pool"), 6)
        self.assertEqual({state for _, state, _ in self.session.wait(tasks)}, {"cancelled"})
        self.assertEqual(self.wait_group_finished(2)[1], ("pool", 0, 6))

    def test_all_fail(self):
        self.session.wait([self.session.command("false") for _ in range(5)])
        ended = self.wait_group_finished()
        self.assertEqual([sum(column) for column in zip(*(e[1:] for e in ended))], [0, 5])

    def test_each_group_for_itself(self):
        for name in ("a", "b"):
            self.session.configure_group(name)
        waits = self.blocker(group="b")
        self.session.command("true", group="a")
        self.assertEqual(self.wait_group_finished(), [("a", 1, 0)])
        waits.cancel()
        self.assertEqual(self.wait_group_finished(2)[1], ("b", 0, 1))

    def test_counts_outlive_the_daemon(self):
        """Killed in the middle, whenever: none is counted twice, and none forgotten."""
        self.session.configure_group("build", max_parallel=1)
        self.session.call("Pause", "(s)", "build")
        tasks = self.session.start_many(
            [("command", {"argv": [("true", "false")[i % 3 == 0]], "group": "build"}) for i in range(30)])
        self.session.call("Resume", "(s)", "build")
        for i in (5, 12, 20):
            tasks[i].wait()
            self.session.restart()
        self.session.wait(tasks)
        self.assertEqual(self.wait_group_finished(), [("build", 20, 10)])

    def test_count_of_one_that_ran_for_long(self):
        """Nothing is written of the group at its end but that it has ended."""
        fifo = self.session.fifo()
        last = self.session.command("sleep", "1000")
        long = self.session.shell(f"echo >{fifo.path}; sleep 0.3; exit 1")
        fifo.read_line()
        long.wait()
        self.session.restart()
        self.assertEqual(self.counts("default"), {"active": 1, "running": 1, "failed": 1})
        last.cancel()
        self.assertEqual(self.wait_group_finished(), [("default", 0, 2)])

    def test_counts_while_it_is_active(self):
        blocker = self.blocker()
        self.session.wait([self.session.command("true"), self.session.command("false")])
        self.assertEqual(self.counts("default"), {"active": 1, "running": 1, "succeeded": 1, "failed": 1})
        self.session.restart(15)
        self.assertEqual(self.wait_group_finished(), [("default", 1, 2)])  # the thread has gone with its daemon
        self.assertEqual(blocker.get("State"), "interrupted")


class PropertyTest(GroupTestCase):
    def test_groups_cannot_be_set(self):
        with self.assertError("org.freedesktop.DBus.Error.PropertyReadOnly"):
            self.session.call("Set", "(ssv)", MANAGER, "Groups", GLib.Variant("as", ["x"]),
                              interface=PROPERTIES)


if __name__ == "__main__":
    main()
