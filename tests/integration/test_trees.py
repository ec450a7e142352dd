#!/usr/bin/python3
"""Trees of tasks: a parent ends after its children, its cancel ends all of them, and a daemon that comes in between
changes nothing of that.

    LONGRUND=PATH test_trees.py
"""

import signal

from daemon_testing import DEADLINE_SEC, DaemonTestCase, Task, main, sanitized
from process_testing import is_gone


class TreeTestCase(DaemonTestCase):
    ARGUMENTS = ("--max-parallel=0",)

    def setUp(self):
        super().setUp()
        self.fifo = self.session.fifo("said")

    def gate(self, name):
        """A shell command that waits for open_gate()."""
        path = self.session.base / name
        return f"mkfifo {path} 2>&-; echo {name} >{self.fifo.path}; read -r x <{path}"

    def open_gate(self, name):
        with open(self.session.base / name, "w", encoding="utf-8") as gate:
            gate.write("open\n")

    def at_gate(self, name, then=":", **options):
        """A command that waits there, and has come there."""
        task = self.session.shell(f"{self.gate(name)}; {then}", **options)
        self.assertEqual(self.fifo.read_line(), name)
        return task

    def sleeper(self, **options):
        return self.session.command("sleep", "1000", **options)

    def waits_for_children(self, task):
        self.session.settles(lambda: "its own work is over" in task.get("Reason"),
                             lambda: f"task {task.id} does not wait for its children", DEADLINE_SEC)

    def finished_order(self, tasks):
        """The signals Finished of these, in their order."""
        ids = {t.path: t.id for t in tasks}
        self.session.wait_until(lambda: sum(s.member == "Finished" and s.path in ids for s in self.session.signals)
                                == len(ids), "all to have finished")
        return [ids[s.path] for s in self.session.signals if s.member == "Finished" and s.path in ids]


class StartTest(TreeTestCase):
    def test_child(self):
        parent = self.sleeper()
        child = self.sleeper(parent=parent.id)
        other = self.sleeper()
        self.assertEqual(child.get("Parent"), parent.id)
        self.assertEqual(parent.get("Children"), [child.id])
        self.assertEqual(other.get("Parent"), 0)
        self.assertEqual([t["id"] for t in self.session.list_tasks(parent=parent.id)[0]], [child.id])
        child.cancel()
        child.finished()
        self.assertEqual(parent.get("Children"), [])
        parent.wait_state("running")
        self.assertEqual(parent.get("State"), "running")
        self.session.cancel_all()

    def test_bad_parents(self):
        ended = self.session.start("noop")
        ended.finished()
        with self.assertError("NotRunning", f"parent: task {ended.id} has ended already"):
            self.session.start("noop", parent=ended.id)
        with self.assertError("NoSuchTask", "parent: there is no task 1000"):
            self.session.start("noop", parent=1000)
        self.session.call("RemoveTasks", "(at)", [ended.id])
        with self.assertError("NoSuchTask", f"parent: there is no task {ended.id}"):
            self.session.start("noop", parent=ended.id)
        parent = self.session.shell(f"trap : TERM; echo $$ >{self.fifo.path}; while :; do sleep 0.05; done",
                                    stop_timeout=1000000)
        self.fifo.read_line()
        parent.cancel()
        with self.assertError("NotRunning", f"task {parent.id} is being cancelled"):
            self.session.start("noop", parent=parent.id)
        with self.assertError("NoSuchTask", r"tasks\[1\]: parent: there is no task 1000"):
            self.session.start_many([("noop", {}), ("noop", {"parent": 1000})])
        self.assertEnds(parent, "cancelled", 137)

    def test_command_starts_children(self):
        """By its LONGRUN_TASK_ID."""
        parent = self.session.shell(
            f"busctl --user --auto-start=no call org.longrun.Longrun1 /org/longrun/Longrun1 "
            f"org.longrun.Longrun1.Manager StartCommand 'asa{{sv}}' 2 sleep 1000 1 parent t $LONGRUN_TASK_ID "
            f">{self.fifo.path} 2>&1")
        line = self.fifo.read_line()
        self.assertRegex(line, "^to ")
        child = Task(self.session, int(line.split()[1]))
        self.waits_for_children(parent)
        self.assertEqual(parent.get("Children"), [child.id])
        parent.cancel()
        self.assertEqual(self.finished_order([parent, child]), [child.id, parent.id])


class EndTest(TreeTestCase):
    def check_waits(self, parent, child, state, code, message):
        """The parent's own work is over: so it ends, when the child has."""
        self.waits_for_children(parent)
        self.assertEqual(parent.get("State"), "running")
        self.assertRegex(parent.get("Reason"), rf"its own work is over \({state}\); it waits for 1 child$")
        self.assertFalse(parent.signals("Finished"))
        with self.assertError("NotRunning"):
            parent.call("Pause")
        self.open_gate("child")
        self.assertEnds(child, "succeeded", 0)
        self.assertEnds(parent, state, code, message)
        self.assertEqual(self.finished_order([parent, child]), [child.id, parent.id])

    def test_succeeded(self):
        parent = self.at_gate("parent", "echo '[1]' >$LONGRUN_RESULT")
        child = self.at_gate("child", parent=parent.id)
        self.open_gate("parent")
        self.check_waits(parent, child, "succeeded", 0, "^exit code 0$")
        self.assertEqual(parent.take_result(), [1])

    def test_failed_leaves_children_alone(self):
        parent = self.at_gate("parent", "exit 3")
        child = self.at_gate("child", parent=parent.id)
        self.open_gate("parent")
        self.check_waits(parent, child, "failed", 3, "3")

    def test_thread(self):
        parent = self.session.start("countdown", {"steps": 1, "step_ms": 300})
        child = self.at_gate("child", parent=parent.id)
        self.check_waits(parent, child, "succeeded", 0, "All work completed")

    def test_isolated(self):
        parent = self.session.start("countdown", {"steps": 1, "step_ms": 300}, isolate=True)
        child = self.at_gate("child", parent=parent.id)
        self.check_waits(parent, child, "succeeded", 0, "All work completed")

    def test_never_executed(self):
        """A parent that cannot even begin, with a child that was there before."""
        blocker = self.at_gate("blocker")
        parent = self.session.command("/nonexistent/program", after_any=[blocker.id])
        child = self.at_gate("child", parent=parent.id)
        self.open_gate("blocker")
        self.check_waits(parent, child, "failed", 127, "nonexistent")

    def test_waiting_takes_no_slot(self):
        self.session.set_max_parallel(2)
        parent = self.at_gate("parent")
        child = self.at_gate("child", parent=parent.id)
        third = self.session.start("noop")
        self.assertEqual(third.get("State"), "queued")
        self.open_gate("parent")
        self.assertEnds(third, "succeeded", 0)
        self.assertEqual(parent.get("State"), "running")
        self.assertEqual(self.session.get("Running"), 1)
        self.open_gate("child")
        self.assertEnds(parent, "succeeded", 0)
        self.assertEnds(child, "succeeded", 0)

    def test_deep(self):
        """A long chain, each waiting for the next: they end from below, and the first comes last."""
        number = 500 if sanitized() else 2000
        self.session.set_max_parallel(1)
        blocker = self.at_gate("blocker")
        tasks = [self.session.start("noop")]
        for _ in range(number - 1):
            tasks.append(self.session.start("noop", parent=tasks[-1].id))
        self.open_gate("blocker")
        order = self.finished_order(tasks)
        self.assertEqual(order, [t.id for t in reversed(tasks)])
        self.assertEqual(self.session.count_tasks()["succeeded"], number + 1)
        self.assertEnds(blocker, "succeeded", 0)

    def test_several_levels(self):
        top = self.at_gate("top", "exit 1")
        middle = self.at_gate("middle", "exit 2", parent=top.id)
        leaf = self.at_gate("leaf", "exit 4", parent=middle.id)
        self.open_gate("top")
        self.open_gate("middle")
        self.waits_for_children(top)
        self.waits_for_children(middle)
        self.open_gate("leaf")
        self.assertEqual(self.finished_order([top, middle, leaf]), [leaf.id, middle.id, top.id])
        self.assertEqual([t.wait()[1] for t in (top, middle, leaf)], [1, 2, 4])

    def test_dependent_waits_for_the_whole_tree(self):
        parent = self.at_gate("parent")
        child = self.at_gate("child", parent=parent.id)
        then = self.session.start("noop", after=[parent.id])
        self.open_gate("parent")
        self.waits_for_children(parent)
        self.assertEqual(then.get("State"), "waiting")
        self.open_gate("child")
        self.assertEqual(self.finished_order([parent, child, then]), [child.id, parent.id, then.id])


class CancelTest(TreeTestCase):
    def test_subtree(self):
        other = self.sleeper()
        top = self.sleeper()
        left = self.sleeper(parent=top.id)
        right = self.session.start("countdown", parent=top.id)
        leaf = self.sleeper(parent=left.id)
        self.session.wait_until(lambda: all(t.get("State") == "running" for t in (other, top, left, right, leaf)),
                                "all to run")
        left.cancel()
        self.assertEqual(self.finished_order([left, leaf]), [leaf.id, left.id])
        self.assertEqual(top.get("State"), "running")
        top.cancel()
        order = self.finished_order([top, right])
        self.assertEqual(order, [right.id, top.id])
        self.assertEqual({t.wait()[0] for t in (top, left, right, leaf)}, {"cancelled"})
        self.assertEqual(other.get("State"), "running")
        other.cancel()

    def test_slow_child(self):
        """It holds up the end of its parent, not that of others, and not for ever."""
        parent = self.sleeper()
        child = self.session.shell(f"trap '' TERM; echo $$ >{self.fifo.path}; while :; do sleep 0.05; done",
                                   parent=parent.id, stop_timeout=6000000)
        pid = int(self.fifo.read_line())
        self.session.wait_until(lambda: parent.get("State") == "running", "the parent to run")
        parent.cancel()
        self.waits_for_children(parent)
        self.assertIn("it waits for 1 child", parent.get("Reason"))
        self.assertEqual(parent.get("State"), "cancelling")
        self.assertEnds(child, "cancelled", 137)
        self.assertTrue(is_gone(pid))
        self.assertEnds(parent, "cancelled", 143)
        self.assertEqual(self.finished_order([parent, child]), [child.id, parent.id])

    def test_too_late_for_the_parent(self):
        """Its own work was done: it says so, and its children are cancelled all the same."""
        parent = self.at_gate("parent")
        child = self.sleeper(parent=parent.id)
        self.open_gate("parent")
        self.waits_for_children(parent)
        parent.cancel()
        self.assertEnds(child, "cancelled", 143)
        self.assertEnds(parent, "succeeded", 0)

    def test_waiting_children(self):
        self.session.set_max_parallel(1)
        parent = self.at_gate("parent")
        queued = self.sleeper(parent=parent.id)
        below = self.sleeper(parent=queued.id)
        waiting = self.sleeper(parent=parent.id, after=[queued.id])
        parent.cancel()
        order = self.finished_order([parent, queued, below, waiting])
        self.assertEqual(order[-1], parent.id)
        self.assertLess(order.index(below.id), order.index(queued.id))
        self.assertEqual({t.wait()[0] for t in (parent, queued, below)}, {"cancelled"})
        self.assertIn(waiting.wait()[0], ("cancelled", "skipped"))

    def test_waiting_parent(self):
        """One that has not begun takes those along that have."""
        first = self.sleeper()
        for options, end in (({"after": [first.id]}, "cancelled"), ({"after": [first.id]}, "skipped")):
            with self.subTest(end=end):
                parent = self.session.start("noop", **options)
                child = self.at_gate(f"child-{end}", "sleep 1000", parent=parent.id,
                                     stop_timeout=300000)
                leaf = self.session.start("noop", parent=child.id, after=[first.id])
                (parent if end == "cancelled" else first).cancel()
                order = self.finished_order([parent, child, leaf])
                self.assertEqual(order, [leaf.id, child.id, parent.id])
                self.assertEqual(child.wait()[0], "cancelled")
                self.assertEqual(parent.wait(), (end, -1))

    def test_waiting_parent_is_cancelling(self):
        first = self.sleeper()
        parent = self.session.start("noop", after=[first.id])
        child = self.session.shell(f"trap '' TERM; echo $$ >{self.fifo.path}; while :; do sleep 0.05; done",
                                   parent=parent.id, stop_timeout=500000)
        self.fifo.read_line()
        parent.cancel()
        self.assertEqual(parent.get("State"), "cancelling")
        self.assertRegex(parent.get("Reason"), r"\(cancelled\); it waits for 1 child$")
        self.assertEnds(child, "cancelled", 137)
        self.assertEnds(parent, "cancelled", -1, "cancelled before it was started")
        first.cancel()

    def test_queue_timeout(self):
        self.session.set_max_parallel(1)
        blocker = self.at_gate("blocker")
        parent = self.session.start("noop", queue_timeout=200000)
        child = self.session.start("noop", parent=parent.id)
        self.assertEqual(self.finished_order([parent, child]), [child.id, parent.id])
        self.assertEqual((parent.wait()[0], child.wait()[0]), ("timed-out", "cancelled"))
        self.open_gate("blocker")
        self.assertEnds(blocker, "succeeded", 0)

    def test_deep(self):
        """1,000 tasks below each other, all of which wait."""
        first = self.sleeper()
        tasks = [self.session.start("noop", after=[first.id])]
        for _ in range(9):
            for _ in range(111):
                tasks.append(self.session.start("noop", parent=tasks[-1].id, after=[first.id]))
        tasks[0].cancel()
        order = self.finished_order(tasks)
        self.assertEqual(order, [t.id for t in reversed(tasks)])
        first.cancel()

    def test_wide(self):
        first = self.sleeper()
        parent = self.session.start("noop", after=[first.id])
        children = self.session.start_many([("noop", {"parent": parent.id, "after": [first.id]})] * 5000)
        self.assertEqual(len(parent.get("Children")), 5000)
        parent.cancel()
        self.assertEqual(self.finished_order([parent, *children])[-1], parent.id)
        self.assertEqual(self.session.count_tasks(states=["cancelled"]), {"cancelled": 5001})
        first.cancel()

    def test_active_is_not_removed(self):
        parent = self.at_gate("parent")
        child = self.at_gate("child", parent=parent.id)
        self.open_gate("parent")
        self.waits_for_children(parent)
        for task in (parent, child):
            with self.assertError("StillActive"):
                self.session.call("RemoveTasks", "(at)", [task.id])
        self.open_gate("child")
        self.assertEnds(parent, "succeeded", 0)


class RestartTest(TreeTestCase):
    def test_end_is_kept(self):
        """Exit code, message and result of a parent that waits, though another daemon is there when it ends."""
        parent = self.at_gate("parent", "echo '[7]' >$LONGRUN_RESULT; exit 5")
        child = self.at_gate("child", parent=parent.id)
        self.open_gate("parent")
        self.waits_for_children(parent)
        for signum in (signal.SIGKILL, signal.SIGTERM):
            self.session.restart(signum)
            self.assertEqual(parent.get("State"), "running")
            self.assertEqual(parent.get("Children"), [child.id])
            self.assertRegex(parent.get("Reason"), r"\(failed\); it waits for 1 child$")
        self.open_gate("child")
        self.assertEnds(child, "succeeded", 0)
        self.assertEnds(parent, "failed", 5, "5")
        self.assertEqual(parent.take_result(), [7])
        self.assertEqual(self.finished_order([parent, child]), [child.id, parent.id])

    def test_child_ended_meanwhile(self):
        parent = self.at_gate("parent")
        child = self.at_gate("child", parent=parent.id)
        self.open_gate("parent")
        self.waits_for_children(parent)
        self.session.crash()
        self.open_gate("child")
        self.session.start_daemon()
        self.session.wait_until(lambda: parent.get("State") == "succeeded", "the parent to end")
        self.assertEqual(child.get("State"), "succeeded")

    def test_parent_is_lost(self):
        """A thread ends with its daemon; the child, a command, goes on, and the parent does not end before it."""
        for signum, message in ((signal.SIGKILL, "ended unexpectedly"), (signal.SIGTERM, "longrund was stopped")):
            with self.subTest(signum=signum):
                parent = self.session.start("countdown", {"steps": 1000})
                parent.wait_state("running")
                child = self.at_gate(f"child-{signum}", parent=parent.id)
                self.session.restart(signum)
                self.assertEqual(parent.get("State"), "running")
                self.assertRegex(parent.get("Reason"), r"\(interrupted\); it waits for 1 child$")
                self.open_gate(f"child-{signum}")
                self.assertEnds(parent, "interrupted", -1, message)
                self.assertEqual(self.finished_order([parent, child]), [child.id, parent.id])

    def test_cancel_in_between(self):
        """Of a tree of which the next daemon knows from the disk."""
        parent = self.sleeper()
        child = self.sleeper(parent=parent.id)
        leaf = self.session.start("noop", parent=child.id, after=[self.sleeper().id])
        self.session.wait_until(lambda: child.get("State") == "running", "the child to run")
        self.session.restart(signal.SIGKILL)
        self.assertEqual(child.get("Children"), [leaf.id])
        parent.cancel()
        self.assertEqual(self.finished_order([parent, child, leaf]), [leaf.id, child.id, parent.id])
        self.session.cancel_all()

    def test_cancelling_parent(self):
        """It never began, its child is being ended, and the daemon is lost at that moment."""
        first = self.sleeper()
        parent = self.session.start("noop", after=[first.id])
        child = self.session.shell(f"trap '' TERM; echo $$ >{self.fifo.path}; while :; do sleep 0.05; done",
                                   parent=parent.id, stop_timeout=1500000)
        self.fifo.read_line()
        parent.cancel()
        self.session.restart(signal.SIGKILL)
        self.assertEqual(parent.get("State"), "cancelling")
        self.session.wait_until(lambda: parent.get("State") == "cancelled", "the parent to end")
        self.assertEqual(child.get("State"), "cancelled")
        self.assertEqual(parent.get("Message"), "cancelled before it was started")
        first.cancel()

    def test_skipped_at_once(self):
        """What a task waited for was lost with the daemon: the next one skips it, and ends its children first."""
        lost = self.session.start("countdown", {"steps": 1000})
        lost.wait_state("running")
        parent = self.session.start("noop", after=[lost.id])
        running = self.at_gate("running", "sleep 1000", parent=parent.id)
        waiting = self.session.start("noop", parent=running.id, after=[lost.id])
        queued = [self.session.start("noop", parent=parent.id, after_any=[running.id]) for _ in range(3)]
        self.session.restart(signal.SIGKILL)
        tasks = [lost, parent, running, waiting, *queued]
        self.session.wait_until(lambda: parent.get("State") == "skipped", "the parent to be skipped")
        states = [t.get("State") for t in tasks]
        self.assertEqual(states[:3], ["interrupted", "skipped", "cancelled"])
        self.assertTrue(set(states[3:]) <= {"skipped", "cancelled"}, states)
        self.assertEqual(max(t.get("FinishedAt") for t in tasks), parent.get("FinishedAt"))

    def test_shutdown(self):
        """Threads of one tree end in order when the daemon is stopped."""
        parent = self.session.start("countdown", {"steps": 1000})
        child = self.session.start("countdown", {"steps": 1000}, parent=parent.id)
        for task in (parent, child):
            task.wait_state("running")
        self.session.end_daemon(signal.SIGTERM)
        self.assertEqual(self.finished_order([parent, child]), [child.id, parent.id])
        self.session.start_daemon()
        self.assertEqual((parent.get("State"), child.get("State")), ("interrupted", "interrupted"))


if __name__ == "__main__":
    main()
