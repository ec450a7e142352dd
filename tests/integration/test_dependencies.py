#!/usr/bin/python3
"""Tasks that come after others: what they wait for, what they are skipped for, and that a daemon that comes after another
knows all of it.

    LONGRUND=PATH test_dependencies.py
"""

import contextlib
import sqlite3
import time

from daemon_testing import DaemonTestCase, main, sanitized
from process_testing import until

FOREVER = {"steps": 1, "step_ms": 3600000}


class DependencyTestCase(DaemonTestCase):
    def blocker(self, **options):
        """A task that runs until it is cancelled."""
        task = self.session.start("countdown", FOREVER, **options)
        task.wait_state("running")
        return task

    def ended(self, state):
        """A task that has ended in this state, which it did not by chance."""
        if state == "cancelled":
            task = self.blocker()
            task.cancel()
        elif state == "timed-out":
            task = self.session.shell("exec sleep 1000", timeout=10000)
        elif state == "skipped":
            task = self.session.shell("true", after=[self.ended("failed").id])
        elif state == "interrupted":
            task = self.session.shell("exec sleep 1000")
            pid = until(lambda: self.session.shims().get(task.id), "there is no shim")
            self.session.run("kill", "-KILL", pid)
        else:
            task = self.session.shell("exit 3" if state == "failed" else "true")
        self.assertEqual(task.wait()[0], state)
        return task

    def assertSkipped(self, task, message, reason=None):
        self.assertEqual(task.wait(), ("skipped", -1))
        p = task.get_all()
        self.assertRegex(p["Message"], message)
        self.assertRegex(p["Reason"], reason or message.split(",")[0])
        self.assertEqual((p["StartedAt"], p["Attempt"], p["Pid"]), (0, 0, 0))

    def forget_all(self):
        """Ended tasks are on disk alone."""
        self.session.restart()


class EndsTest(DependencyTestCase):
    """Each kind of dependency, and each end, of tasks that run still, have ended, or lie on disk alone."""

    MET = {
        "after": {"succeeded"},
        "after_any": {"succeeded", "failed", "timed-out", "cancelled", "interrupted", "skipped"},
        "after_failed": {"failed", "timed-out", "interrupted"},
    }

    def check(self, find):
        """find: gives the task that has ended so, or will."""
        for state in sorted(self.MET["after_any"]):
            for kind, met in self.MET.items():
                with self.subTest(state=state, kind=kind):
                    task = self.session.shell("true", **{kind: [find(state).id]})
                    self.assertEqual(task.wait()[0], "succeeded" if state in met else "skipped")

    def test_ended(self):
        self.check(self.ended)

    def test_on_disk(self):
        ended = {state: self.ended(state) for state in self.MET["after_any"]}
        self.forget_all()
        self.check(ended.get)

    def test_active(self):
        """The same, but for what a command cannot do by itself."""
        for script, state in (("true", "succeeded"), ("exit 1", "failed"), ("kill -KILL $$", "failed")):
            for kind, met in self.MET.items():
                with self.subTest(script=script, kind=kind):
                    fifo = self.session.fifo(f"{kind}-{len(script)}")
                    first = self.session.shell(f"read x <{fifo.path}; {script}")
                    task = self.session.shell("true", **{kind: [first.id]})
                    p = task.get_all()
                    self.assertEqual(p["State"], "waiting")
                    self.assertRegex(p["Reason"], f"waits for task {first.id} to")
                    with open(fifo.path, "w", encoding="ascii") as f:
                        f.write("go\n")
                    self.assertEqual(task.wait()[0], "succeeded" if state in met else "skipped")
                    if state in met:
                        self.assertGreaterEqual(task.get("StartedAt"), first.get("FinishedAt"))

    def test_several(self):
        blockers = [self.blocker() for _ in range(3)]
        ended = self.session.shell("true")
        ended.wait()
        task = self.session.shell("true", after_any=[b.id for b in blockers] + [ended.id] * 2, after=[ended.id])
        self.assertEqual(sorted(task.get("AfterAny")), sorted([b.id for b in blockers] + [ended.id]))
        for b in blockers:
            self.assertEqual(task.get("State"), "waiting")
            b.cancel()
        self.assertEqual(task.wait(), ("succeeded", 0))
        self.assertGreaterEqual(task.get("StartedAt"), max(b.get("FinishedAt") for b in blockers))

    def test_cancel_while_waiting(self):
        blocker = self.blocker()
        chain = [self.session.shell("true", after=[blocker.id])]
        chain.append(self.session.shell("true", after=[chain[-1].id]))
        chain[0].cancel()
        self.assertEnds(chain[0], "cancelled", -1)
        self.assertSkipped(chain[1], rf"^task {chain[0].id} \(.*\) was cancelled, and this one was to come after its success")
        self.assertEqual(blocker.get("State"), "running")


class SkippedTest(DependencyTestCase):
    def test_words(self):
        for state, words in (("failed", "failed"), ("timed-out", "timed out"), ("cancelled", "was cancelled"),
                             ("interrupted", "was interrupted")):
            with self.subTest(state=state):
                first = self.ended(state)
                task = self.session.shell("true", after=[first.id])
                self.assertSkipped(task, rf"^task {first.id} \(.*\) {words}, and this one was to come after its success$")
        first = self.ended("succeeded")
        task = self.session.shell("true", after_failed=[first.id], label="x")
        self.assertSkipped(task, rf"^task {first.id} \(.*\) succeeded, and this one was to come after its failure$")

    def test_first_cause(self):
        """Both texts name it, also of a chain that is on disk, and do not grow with it."""
        first = self.session.shell("exit 1", label="the cause")
        chain = [first]
        for _ in range(4):
            chain.append(self.session.shell("true", after=[chain[-1].id]))
        cause = rf"task {first.id} \(the cause\) failed"
        text = rf"^task {chain[3].id} \(.*\) was skipped, and this one was to come after its success; the first cause: {cause}$"
        self.assertSkipped(chain[4], text, rf"^{cause}$")
        self.forget_all()
        late = self.session.shell("true", after=[chain[4].id])
        self.assertSkipped(late, text.replace(f"task {chain[3].id}", f"task {chain[4].id}"), rf"^{cause}$")

    def test_signals(self):
        """It is told as every end is, once, and its group runs dry."""
        blocker = self.blocker()
        task = self.session.shell("true", after=[blocker.id])
        blocker.cancel()
        state, code, message = task.finished()
        self.assertEqual((state, code), ("skipped", -1))
        self.assertRegex(message, f"^task {blocker.id} ")
        self.session.wait_until(lambda: self.session.manager_signals("GroupFinished"), "GroupFinished")
        self.assertEqual([s.args for s in self.session.manager_signals("GroupFinished")], [("default", 0, 2)])
        self.assertEqual(len(task.signals("Finished")), 1)
        self.assertEqual([e for e in self.session.batched("TasksFinished") if e[0] == task.id], [(task.id, "skipped", -1)])

    def test_label_is_cut(self):
        first = self.session.shell("exit 1", label="ü" * 1000)
        first.wait()
        task = self.session.shell("true", after=[first.id])
        task.wait()
        self.assertRegex(task.get("Message"), rf"^task {first.id} \(ü{{20,40}}…\) failed")


class StartTest(DependencyTestCase):
    def test_unknown(self):
        task = self.session.shell("true")
        task.wait()
        for kind in ("after", "after-any", "after-failed"):
            for number in (task.id + 1, task.id + 2, 77, 2**64 - 1):
                with self.subTest(kind=kind, number=number), \
                        self.assertError("NoSuchTask", f"^{kind}: there is no task {number}: .*longrun list"):
                    self.session.shell("true", **{kind.replace("-", "_"): [task.id, number]})
            with self.assertError("InvalidOption", f"^{kind} .*task 0"):
                self.session.shell("true", **{kind.replace("-", "_"): [0]})
        # No id has been used up by all that.
        self.assertEqual(self.session.shell("true").id, task.id + 1)

    def test_removed(self):
        task = self.session.shell("true")
        task.wait()
        self.session.call("RemoveTasks", "(at)", [task.id])
        with self.assertError("NoSuchTask", f"after: there is no task {task.id}"):
            self.session.shell("true", after=[task.id])

    def test_index(self):
        tasks = self.session.start_many([
            ("noop", {"label": "a"}), ("noop", {"after_index": [0]}), ("noop", {"after_index": [0, 1], "label": "c"})])
        self.assertEqual([s for _, s, _ in self.session.wait(tasks)], ["succeeded"] * 3)
        self.assertEqual([t.get("After") for t in tasks], [[], [tasks[0].id], [tasks[0].id, tasks[1].id]])
        starts = [t.get("StartedAt") for t in tasks]
        self.assertEqual(starts, sorted(starts))

    def test_index_and_ids(self):
        first = self.ended("succeeded")
        a, b = self.session.start_many([("noop", {}), ("noop", {"after_index": [0], "after": [first.id]})])
        self.assertEqual(b.wait()[0], "succeeded")
        self.assertEqual(b.get("After"), [first.id, a.id])

    def test_bad_index(self):
        before = self.session.shell("true").id
        for bad in (1, 2, 7, 2**64 - 1):
            with self.subTest(bad=bad), self.assertError("InvalidOption", rf"tasks\[1\]: after-index {bad} is no place before"):
                self.session.start_many([("noop", {}), ("noop", {"after_index": [0, bad]})])
        with self.assertError("InvalidOption", r"tasks\[0\]: after-index 0"):
            self.session.start_many([("noop", {"after_index": [0]})])
        for start in (lambda: self.session.start("noop", after_index=[0]), lambda: self.session.command("true", after_index=[0])):
            with self.assertError("InvalidOption", "after-index .*after"):
                start()
        self.assertEqual(self.session.shell("true").id, before + 1)

    def test_all_or_none(self):
        before = self.session.shell("true").id
        with self.assertError("NoSuchTask", r"tasks\[2\]: after: there is no task 99"):
            self.session.start_many([("noop", {}), ("noop", {"after_index": [0]}), ("noop", {"after": [99]})])
        self.assertEqual(self.session.shell("true").id, before + 1)
        self.assertEqual(sum(self.session.count_tasks().values()), 2)

    def test_unique_in_a_call(self):
        """A place may stand for a task that was there already, or that came before in the call."""
        blocker = self.blocker(unique="k")
        a, b, c, d = self.session.start_many([
            ("noop", {"unique": "k"}), ("noop", {"after_index": [0], "unique": "l"}), ("noop", {"unique": "l"}),
            ("noop", {"after_index": [2]})])
        self.assertEqual((a.id, b.id, c.id, d.id), (blocker.id, blocker.id + 1, blocker.id + 1, blocker.id + 2))
        self.assertEqual((b.get("After"), d.get("After")), ([blocker.id], [b.id]))
        blocker.cancel()
        self.assertEqual([t.wait()[0] for t in (b, d)], ["skipped"] * 2)

    def test_skipped_at_once_in_a_call(self):
        first = self.ended("failed")
        tasks = self.session.start_many([("noop", {"after": [first.id]}), ("noop", {"after_index": [0]}), ("noop", {})])
        self.assertEqual([t.wait()[0] for t in tasks], ["skipped", "skipped", "succeeded"])
        self.assertSkipped(tasks[1], rf"^task {tasks[0].id} .*the first cause: task {first.id} ", f"^task {first.id} ")

    def test_no_backend(self):
        with self.assertError("NoSuchBackend", '"nobody"'):
            self.session.shell("true", when_online="nobody")

    def test_cycle_with_a_parent(self):
        parent = self.blocker()
        with self.assertError("InvalidOption", f"task {parent.id} .*parent"):
            self.session.shell("true", parent=parent.id, after=[parent.id])
        behind = self.session.shell("true", after_any=[parent.id])
        with self.assertError("InvalidOption", f"task {behind.id}, which waits for task {parent.id}, the parent"):
            self.session.shell("true", parent=parent.id, after=[behind.id])
        with self.assertError("InvalidOption", rf"tasks\[1\]: .*task {parent.id}, the parent"):
            self.session.start_many([("noop", {"after_any": [behind.id]}), ("noop", {"parent": parent.id, "after_index": [0]})])
        self.session.shell("true", parent=parent.id).wait()
        parent.cancel()
        self.assertEqual(behind.wait()[0], "succeeded")


class LaterTest(DependencyTestCase):
    """What was on disk alone is read before the start; others are not held up by that."""

    def test_many_on_disk(self):
        ended = self.session.start_many([("noop", {})] * 1500)
        self.session.wait(ended)
        self.forget_all()
        task = self.session.start("noop", after=[t.id for t in ended])
        self.assertEqual(task.wait()[0], "succeeded")
        tasks = self.session.start_many([("noop", {"after_any": [t.id]}) for t in ended])
        self.assertEqual({s for _, s, _ in self.session.wait(tasks)}, {"succeeded"})

    def test_refusal_after_the_disk(self):
        """One that is there and one that is not; and a call that was good when it came."""
        ended = self.ended("succeeded")
        self.forget_all()
        with self.assertError("NoSuchTask", "after-any: there is no task 4711"):
            self.session.shell("true", after=[ended.id], after_any=[4711])
        with self.assertError("InvalidOption", "argv"):
            self.session.start("command", after=[ended.id])


class RestartTest(DependencyTestCase):
    """The ties of the daemon before."""

    def test_still_active(self):
        fifo = self.session.fifo()
        first = self.session.shell(f"read x <{fifo.path}; exit 3")
        kinds = {kind: self.session.shell("true", **{kind: [first.id]}) for kind in ("after", "after_any", "after_failed")}
        behind = self.session.shell("true", after=[kinds["after"].id])
        self.session.restart()
        for task in kinds.values():
            self.assertEqual(task.get("State"), "waiting")
        with open(fifo.path, "w", encoding="ascii") as f:
            f.write("go\n")
        self.assertEqual({kind: t.wait()[0] for kind, t in kinds.items()},
                         {"after": "skipped", "after_any": "succeeded", "after_failed": "succeeded"})
        self.assertSkipped(behind, f"^task {kinds['after'].id} .*first cause: task {first.id} ", f"^task {first.id} ")

    def test_ended_meanwhile(self):
        """While no daemon was there: its exit record is found."""
        fifo = self.session.fifo()
        first = self.session.shell(f"read x <{fifo.path}; exit 3")
        first.wait_state("running")
        task = self.session.shell("true", after=[first.id])
        other = self.session.shell("true", after_failed=[first.id])
        shim = until(lambda: self.session.shims().get(first.id), "there is no shim")
        self.session.crash()
        with open(fifo.path, "w", encoding="ascii") as f:
            f.write("go\n")
        until(lambda: self.session.shims().get(first.id) != shim, "the shim does not end")
        self.session.start_daemon()
        self.assertSkipped(task, f"^task {first.id} ")
        self.assertEqual(other.wait()[0], "succeeded")

    def test_ended_and_removed(self):
        """Some of what it waits for has ended before, is on disk, or was removed."""
        blocker = self.session.shell("exec sleep 1000")
        kept, removed = self.ended("succeeded"), self.ended("succeeded")
        failed = self.ended("failed")
        task = self.session.shell("true", after=[kept.id, removed.id], after_any=[blocker.id, failed.id])
        self.session.call("RemoveTasks", "(at)", [removed.id])
        self.session.restart()
        self.assertEqual(task.get("State"), "waiting")
        self.assertEqual(task.get("After"), [kept.id, removed.id])
        blocker.cancel()
        self.assertEqual(task.wait(), ("succeeded", 0))

    def test_lost(self):
        """A task on a thread is lost with the daemon: who is behind it is skipped by the next."""
        lost = self.blocker()
        task = self.session.start("noop", after=[lost.id])
        behind = self.session.start("noop", after_failed=[lost.id])
        self.session.restart()
        self.assertSkipped(task, rf"^task {lost.id} \(countdown\) was interrupted, and this one")
        self.assertEqual(behind.wait()[0], "succeeded")

    def test_judged_by_the_disk(self):
        """Of one that is in the store as failed, though nobody was skipped for it."""
        blocker = self.session.shell("exec sleep 1000")
        failed = self.ended("failed")
        task = self.session.shell("true", after_any=[failed.id, blocker.id], after=[blocker.id])
        self.session.end_daemon()
        with contextlib.closing(sqlite3.connect(self.session.state / "longrun.db")) as db:
            text = db.execute("SELECT json FROM request WHERE task_id = ?", (task.id,)).fetchone()[0]
            other = text.replace(f'"after":[{blocker.id}]', f'"after":[{failed.id}]')
            self.assertNotEqual(text, other)
            db.execute("UPDATE request SET json = ? WHERE task_id = ?", (other, task.id))
            db.commit()
        self.session.start_daemon()
        self.assertSkipped(task, rf"^task {failed.id} failed, and this one was to come after its success")
        blocker.cancel()


class ManyTest(DependencyTestCase):
    """10,000 in a chain, and 10,000 behind one."""

    NUMBER = 2000 if sanitized() else 10000

    def start_behind(self, first, chain, number):
        """first: a blocker's id."""
        options = [("noop", {"after": [first]} if i == 0 or not chain else {"after_index": [i - 1]})
                   for i in range(number)]
        return self.session.start_many(options)

    def longest_silence(self, until_all):
        """Asks the daemon for a trifle, again and again; gives the longest time that it took to answer."""
        longest = 0
        while True:
            before = time.monotonic()
            counts = self.session.count_tasks()
            longest = max(longest, time.monotonic() - before)
            if until_all(counts):
                return longest

    def check_skipped(self, chain):
        blocker = self.blocker()
        before = time.monotonic()
        tasks = self.start_behind(blocker.id, chain, self.NUMBER)
        started = time.monotonic()
        blocker.cancel()
        silence = self.longest_silence(lambda counts: counts.get("skipped") == self.NUMBER)
        print(f"chain {chain}: started in {started - before:.2f} s, skipped in {time.monotonic() - started:.2f} s, "
              f"longest silence {silence:.2f} s")
        self.assertSkipped(tasks[-1], f"task {blocker.id} ", f"^task {blocker.id} ")
        self.assertLess(silence, 5)

    def test_skipped_chain(self):
        self.check_skipped(True)

    def test_skipped_behind_one(self):
        self.check_skipped(False)

    def check_succeeded(self, chain, number):
        fifo = self.session.fifo()
        first = self.session.shell(f"read x <{fifo.path}")
        tasks = self.start_behind(first.id, chain, number)
        # Another daemon goes on with it.
        before = time.monotonic()
        self.session.restart()
        print(f"chain {chain}: restart in {time.monotonic() - before:.2f} s")
        self.assertEqual(self.session.count_tasks(), {"running": 1, "waiting": number})
        with open(fifo.path, "w", encoding="ascii") as f:
            f.write("go\n")
        before = time.monotonic()
        self.longest_silence(lambda counts: counts.get("succeeded") == number + 1)
        print(f"chain {chain}: {number} done in {time.monotonic() - before:.2f} s")
        page, _ = self.session.list_tasks(fields=["id", "started-at", "finished-at"], limit=1000, cursor=tasks[0].id)
        if chain:
            for one, two in zip(page, page[1:]):
                self.assertGreaterEqual(two["started-at"], one["finished-at"])

    def test_succeeded_chain(self):
        """Each link takes a commit: not as many, for the sake of slow disks."""
        self.check_succeeded(True, self.NUMBER // 5)

    def test_succeeded_behind_one(self):
        self.check_succeeded(False, self.NUMBER)

    def test_one_behind_all(self):
        tasks = self.session.start_many(
            [("noop", {"after": []})] * self.NUMBER + [("noop", {"after_index": list(range(self.NUMBER))})])
        last = tasks[-1]
        self.assertEqual(last.wait()[0], "succeeded")
        self.assertEqual(len(last.get("After")), self.NUMBER)


if __name__ == "__main__":
    main()
