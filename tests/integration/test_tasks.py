#!/usr/bin/python3
"""Tasks over the bus: their properties, lists, slots, groups, results, and that each ends once.

    LONGRUND=PATH test_tasks.py
"""

import contextlib
import os
import time

from daemon_testing import FINAL, ROOT, DaemonTestCase, DBusError, main, options_of


class PropertiesTest(DaemonTestCase):
    def test_as_given(self):
        folder = self.session.base / "folder"
        folder.mkdir()
        before = time.time() * 1e6
        task = self.session.command(
            "printf", "%s", "a b", label="A name", cwd=str(folder), env=["A=1", "B="], umask=0o027,
            stop_timeout=1500000, log_max=12345, result_max=678, unique="key", group="default",
            timeout=3600 * 10**6, on_interrupt="restart", notify=False, priority=7, start_at=10**15, retries=2, retry_delay=5,
            retry_on=[9, 3])
        self.assertEqual(task.path, f"{ROOT}/task/{task.id}")
        self.assertEqual(self.session.call("GetTask", "(t)", task.id), (task.path,))
        self.assertEnds(task, "succeeded", 0, "^exit code 0$")
        p = task.get_all()
        expected = {
            "Id": task.id, "Kind": "command", "Label": "A name", "Group": "default", "State": "succeeded",
            "Reason": "", "Progress": 1.0, "Phase": "", "Done": 0, "Total": 0, "Status": "", "ExitCode": 0,
            "ExitSignal": 0, "Message": "exit code 0", "HasResult": False, "Unique": "key", "Params": "",
            "Argv": ["printf", "%s", "a b"], "Cwd": str(folder), "Umask": 0o027, "StopTimeout": 1500000,
            "Isolate": False, "LogMax": 12345, "ResultMax": 678, "Pid": 0, "LogSize": 3, "Attempt": 1,
            "ClearEnv": False, "Timeout": 3600 * 10**6, "IdleTimeout": 0, "QueueTimeout": 0, "MemoryMax": 0,
            "PidsMax": 0, "CpuWeight": 0, "Nice": 0, "OnInterrupt": "restart", "Notify": False,
            "Priority": 7, "After": [], "AfterAny": [], "AfterFailed": [], "WhenOnline": "", "StartAt": 10**15,
            "DueAt": 0, "Resources": {}, "Parent": 0, "Children": [], "Retries": 2, "RetryDelay": 5, "RetryOn": [3, 9],
            "RetryOf": 0, "Attempts": [], "Every": 0, "Calendar": "", "Persistent": False, "StdinOpen": False,
            "Pty": False, "PtySize": "80x24", "StdinFile": "", "StdinSize": 0, "Unit": "", "ProgressSource": "",
            "Rate": -1.0, "ExpectedEndTime": 0, "LogBegin": 0, "LogFile": f"{self.session.state}/logs/{task.id}.log",
        }
        self.assertEqual({name: p[name] for name in expected}, expected)
        # Env is long: it is left out of GetAll.
        self.assertEqual(set(p) - set(expected), {"CreatedAt", "StartedAt", "FinishedAt", "Usage"})
        self.assertEqual(task.get("Env"), ["A=1", "B="])
        self.assertTrue(before <= p["CreatedAt"] <= p["StartedAt"] <= p["FinishedAt"] <= time.time() * 1e6)

    def test_defaults(self):
        task = self.session.command("true", "x", "y\nz")
        task.wait()
        expected = {"Label": "true x y z", "Cwd": self.session.env["HOME"], "Umask": 0o022, "StopTimeout": 10 * 10**6,
                    "LogMax": 1 << 30, "ResultMax": 1 << 20, "Unique": "", "Group": "default"}
        p = task.get_all()
        self.assertEqual({name: p[name] for name in expected}, expected)
        kind = self.session.start("noop", {})
        kind.wait()
        self.assertEqual((kind.get("Label"), kind.get("Params"), kind.get("Argv")), ("noop", "{}", []))

    def test_while_it_runs(self):
        fifo = self.session.fifo()
        task = self.session.shell(f"echo $$ >{fifo.path}; exec sleep 1000")
        pid = int(fifo.read_line())
        task.wait_state("running")
        p = task.get_all()
        self.assertEqual((p["State"], p["Pid"], p["ExitCode"], p["FinishedAt"], p["Message"], p["Progress"]),
                         ("running", pid, -1, 0, "", -1.0))
        self.assertEqual((self.session.get("Running"), self.session.get("Queued")), (1, 0))
        task.cancel()
        self.assertEnds(task, "cancelled", 143, "SIGTERM")
        self.assertEqual(task.get("ExitSignal"), 15)
        self.assertEqual((self.session.get("Running"), self.session.get("Queued")), (0, 0))

    def test_set_label(self):
        task = self.session.start("countdown", {"step_ms": 100000})
        task.call("SetLabel", "(s)", "ein süßer Name")
        self.assertEqual(task.get("Label"), "ein süßer Name")
        self.session.wait_until(
            lambda: any(s.args[1].get("Label") == "ein süßer Name" for s in task.signals("PropertiesChanged")), "news")
        self.assertEqual([t["id"] for t in self.session.list_tasks(label="süß")[0]], [task.id])
        for label, text in (("", "empty"), ("a\nb", "control character"), ("x" * 5000, "4096")):
            with self.assertError("InvalidOption", text):
                task.call("SetLabel", "(s)", label)


class ListTest(DaemonTestCase):
    def test_pages(self):
        tasks = self.session.start_many([("noop", {"label": f"n{i % 3}"}) for i in range(25)])
        self.session.wait(tasks)
        ids = [t.id for t in tasks]
        for newest_first in (False, True):
            found, cursor, pages = [], 0, 0
            while True:
                page, cursor = self.session.list_tasks(cursor=cursor, limit=10, fields=["id"],
                                                       newest_first=newest_first)
                self.assertTrue(all(list(t) == ["id"] for t in page))
                found += [t["id"] for t in page]
                pages += 1
                if cursor == 0:
                    break
            self.assertEqual((found, pages), (ids[::-1] if newest_first else ids, 3))
        # A page that is exactly full is the last one.
        self.assertEqual(self.session.list_tasks(limit=25)[1], 0)
        # The task at which the next page was to begin is removed meanwhile.
        cursor = self.session.list_tasks(limit=10)[1]
        self.session.call("RemoveTasks", "(at)", [cursor])
        page, _ = self.session.list_tasks(limit=10, cursor=cursor)
        self.assertEqual([t["id"] for t in page], ids[11:21])

    def test_pages_of_ended_and_active(self):
        """Those that have ended come from the disk, those that wait from memory."""
        self.session.set_max_parallel(1)
        tasks = []
        for i in range(30):
            later = {"start_at": int((time.time() + 3600) * 1e6)} if i % 3 == 0 or 10 < i < 15 else {}
            tasks.append(self.session.start("noop", **later))
        self.session.wait([t for t in tasks if t.get("StartAt") == 0])
        self.session.restart()
        ids = [t.id for t in tasks]
        for newest_first in (False, True):
            for limit in (1, 4, 7, 30, 100):
                found, cursor = [], 0
                while True:
                    page, cursor = self.session.list_tasks(cursor=cursor, limit=limit, fields=["id"],
                                                           newest_first=newest_first)
                    self.assertLessEqual(len(page), limit)
                    found += [t["id"] for t in page]
                    if cursor == 0:
                        break
                self.assertEqual(found, ids[::-1] if newest_first else ids)

    def test_every_property_is_listed(self):
        task = self.session.command("true")
        task.wait()
        (entry,), _ = self.session.list_tasks()
        dashed = {"".join(f"-{c.lower()}" if c.isupper() else c for c in name).strip("-"): value
                  for name, value in task.get_all().items()}
        self.assertEqual(entry, dashed)

    def test_filters(self):
        self.session.set_max_parallel(1)
        blocker = self.session.start("countdown", {"step_ms": 100000}, label="Blocker")
        first, second = (self.session.command("true", label=f"wait {i}") for i in "ab")
        blocker.wait_state("running")

        def ids(**keys):
            return [t["id"] for t in self.session.list_tasks(fields=["id"], **keys)[0]]

        self.assertEqual(ids(), [blocker.id, first.id, second.id])
        self.assertEqual(ids(states=["queued"]), [first.id, second.id])
        self.assertEqual(ids(states=["queued", "running"], label="t"), [first.id, second.id])
        self.assertEqual(ids(kind="countdown"), [blocker.id])
        self.assertEqual(ids(kind="map"), [])
        self.assertEqual(ids(group="default", label="Block"), [blocker.id])
        self.assertEqual(ids(group="other"), [])
        self.assertEqual(ids(label="block"), [])
        self.assertEqual(ids(since=second.get("CreatedAt")), [second.id])
        self.assertEqual(ids(until=second.get("CreatedAt")), [blocker.id, first.id])
        self.assertEqual(self.session.count_tasks(), {"running": 1, "queued": 2})
        self.assertEqual(self.session.count_tasks(label="wait"), {"queued": 2})

        self.assertEqual(self.session.cancel_all(label="wait a"), 1)
        self.assertEqual(self.session.cancel_all(states=["queued"]), 1)
        self.assertEqual(self.session.count_tasks(), {"running": 1, "cancelled": 2})
        self.assertEqual(self.session.cancel_all(kind="command"), 0)
        self.assertEqual(self.session.cancel_all(), 1)
        blocker.wait()
        self.assertEqual(self.session.count_tasks(), {"cancelled": 3})

    def test_remove(self):
        tasks = self.session.start_many([("map", {"params": {"items": [], "item_ms": 0}}) for _ in range(3)])
        self.session.wait(tasks)
        ids = [t.id for t in tasks]
        logged = self.session.shell("echo x")
        logged.wait()
        self.assertEqual(len(list((self.session.state / "logs").iterdir())), 2)
        self.assertEqual(self.session.call("RemoveTasks", "(at)", [ids[0], ids[2], ids[0], logged.id]), (3,))
        self.session.wait_until(
            lambda: self.session.batched("TasksRemoved") ==
            [ids[0], ids[2], logged.id], "TasksRemoved")
        self.assertEqual([t["id"] for t in self.session.list_tasks()[0]], [ids[1]])
        self.assertEqual(list((self.session.state / "logs").iterdir()), [])
        # The results have gone with them.
        self.assertEqual(self.session.stored_results(), [ids[1]])
        with self.assertError("NoSuchTask"):
            tasks[0].get("State")


class HistoryTest(DaemonTestCase):
    ARGUMENTS = ()
    CONFIG = "[Manager]\nHistoryMax=3\nMaxParallel=1\n"

    def test_the_oldest_are_forgotten(self):
        tasks = [self.session.shell("echo x; echo 1 >$LONGRUN_RESULT") for _ in range(8)]
        tasks[7].wait()
        self.session.wait_until(
            lambda: self.session.batched("TasksRemoved") ==
            [t.id for t in tasks[:5]], "TasksRemoved")
        self.assertEqual([t["id"] for t in self.session.list_tasks()[0]], [t.id for t in tasks[5:]])
        self.assertEqual(sorted(p.name for p in (self.session.state / "logs").glob("*.log")),
                         [f"{t.id}.log" for t in tasks[5:]])
        self.assertEqual(self.session.stored_results(), [t.id for t in tasks[5:]])


class NoHistoryTest(DaemonTestCase):
    CONFIG = "[Manager]\nHistoryMax=0\n"

    def test_every_end_is_told_still(self):
        tasks = self.session.start_many([("noop", {})] * 20)
        with contextlib.suppress(DBusError):
            self.session.wait(tasks)
        self.session.wait_until(
            lambda: sorted(t[0] for t in self.session.batched("TasksFinished")) ==
            [t.id for t in tasks], "TasksFinished")
        self.session.wait_until(
            lambda: sorted(self.session.batched("TasksRemoved")) ==
            [t.id for t in tasks], "TasksRemoved")
        self.assertEqual([len(t.signals("Finished")) for t in tasks], [1] * 20)
        self.assertEqual(self.session.list_tasks(), ([], 0))


class SlotsTest(DaemonTestCase):
    ARGUMENTS = ("--max-parallel=2",)
    CONFIG = "[Manager]\nMaxParallel=7\n"

    def setUp(self):
        super().setUp()
        self.began = self.session.fifo("began")
        self.gate = self.session.base / "gate"
        os.mkfifo(self.gate)
        self.gate_fd = os.open(self.gate, os.O_RDWR | os.O_CLOEXEC)
        self.addCleanup(os.close, self.gate_fd)

    def gated(self):
        """A command that says that it has begun and ends when it is let through the gate."""
        return self.session.shell(f'echo $LONGRUN_TASK_ID >{self.began.path}; head -c1 {self.gate} >"$HOME/out"')

    def let_one_through(self):
        os.write(self.gate_fd, b"x")

    def slots(self):
        return self.session.get("Running"), self.session.get("Queued")

    def test_exactly_two_at_a_time(self):
        self.assertEqual(self.session.get("MaxParallel"), 2)
        tasks = [self.gated() for _ in range(6)]
        begun = {int(self.began.read_line()) for _ in range(2)}
        self.assertEqual(begun, {tasks[0].id, tasks[1].id})
        self.assertEqual(self.slots(), (2, 4))
        for i in range(2, 6):
            self.let_one_through()
            # First in, first out: the next one and no other.
            self.assertEqual(int(self.began.read_line()), tasks[i].id)
            self.assertEqual(self.slots(), (2, 5 - i))
            self.assertEqual(self.began.data, b"")
        self.let_one_through()
        self.let_one_through()
        self.assertEqual([t[1:] for t in self.session.wait(tasks)], [("succeeded", 0)] * 6)
        self.assertEqual(self.slots(), (0, 0))

    def test_change_at_run_time(self):
        tasks = [self.gated() for _ in range(6)]
        for _ in range(2):
            self.began.read_line()
        self.session.set_max_parallel(3)
        self.assertEqual(int(self.began.read_line()), tasks[2].id)
        self.assertEqual(self.slots(), (3, 3))
        self.session.dispatch()
        self.assertIn({"MaxParallel": 3}, [s.args[1] for s in self.session.manager_signals("PropertiesChanged")])

        # A lower number ends nothing, and nothing starts until fewer run.
        self.session.set_max_parallel(1)
        self.assertEqual(self.slots(), (3, 3))
        for left in (2, 1):
            self.let_one_through()
            self.session.wait_until(
                lambda left=left: len([1 for t in tasks if t.signals("Finished")]) == 3 - left, "an end")
            self.assertEqual(self.slots(), (left, 3))
        self.let_one_through()
        self.assertEqual(int(self.began.read_line()), tasks[3].id)
        self.assertEqual(self.slots(), (1, 2))

        self.session.set_max_parallel(0)
        self.assertEqual({int(self.began.read_line()) for _ in range(2)}, {t.id for t in tasks[4:]})
        self.assertEqual(self.slots(), (3, 0))
        for _ in range(3):
            self.let_one_through()
        self.assertEqual({t[1] for t in self.session.wait(tasks)}, {"succeeded"})

    def test_threads_count_too(self):
        tasks = self.session.start_many(
            [("countdown", {"params": {"steps": 2, "step_ms": 60}, "isolate": i % 2 == 0}) for i in range(8)])
        most = 0
        while any(not t.signals("Finished") for t in tasks):
            # By state there may be more: an end that is on its way to the disk is not told yet, and holds no slot.
            most = max(most, self.session.get("Running"))
            self.assertLessEqual(most, 2)
            self.session.dispatch()
        self.assertEqual(most, 2)

    def test_order(self):
        self.session.set_max_parallel(1)
        tasks = [self.session.shell(f"echo $LONGRUN_TASK_ID >>{self.session.base}/order") for _ in range(20)]
        self.session.wait(tasks)
        order = (self.session.base / "order").read_text().split()
        self.assertEqual(order, [str(t.id) for t in tasks])

    def test_a_cancelled_one_frees_its_slot(self):
        tasks = [self.gated() for _ in range(3)]
        for _ in range(2):
            self.began.read_line()
        tasks[0].cancel()
        self.assertEqual(int(self.began.read_line()), tasks[2].id)
        self.assertEqual(tasks[0].wait()[0], "cancelled")  # which is shown when it is on disk
        self.session.cancel_all()

    def test_cancel_of_a_queued_one(self):
        running = [self.gated() for _ in range(2)]
        for _ in range(2):
            self.began.read_line()
        queued = self.gated()
        self.assertEqual(queued.get("State"), "queued")
        with self.assertError("NotRunning", "no processes: it is queued"):
            queued.call("Kill", "(i)", 15)
        queued.cancel()
        self.assertEnds(queued, "cancelled", -1, "^cancelled before it was started$")
        self.assertEqual((queued.get("StartedAt"), queued.get("LogSize"), queued.read_log()), (0, 0, b""))
        self.assertEqual(self.slots(), (2, 0))
        self.session.wait_until(
            lambda: (queued.id, "cancelled", -1) in self.session.batched("TasksFinished"), "TasksFinished")
        self.assertEqual(self.session.cancel_all(), 2)
        self.assertEqual({t[1] for t in self.session.wait(running)}, {"cancelled"})


class GroupTest(DaemonTestCase):
    def group_finished(self, number):
        self.session.wait_until(lambda: len(self.session.manager_signals("GroupFinished")) >= number, "GroupFinished")
        signals = self.session.manager_signals("GroupFinished")
        self.assertEqual(len(signals), number)
        return signals[-1].args

    def test_all_succeed(self):
        tasks = self.session.start_many([("map", {"params": {"items": ["x"], "item_ms": 10}})] * 5)
        self.assertEqual(self.group_finished(1), ("default", 5, 0))
        self.assertEqual({t.get("State") for t in tasks}, {"succeeded"})

    def test_some_fail_or_are_cancelled(self):
        fifo = self.session.fifo()
        long = self.session.shell(f"echo x >{fifo.path}; exec sleep 1000")
        fifo.read_line()
        tasks = self.session.start_many([
            ("noop", {}),
            ("command", {"argv": ["false"]}),
            ("command", {"argv": ["/nonexistent/program"]}),
            ("compute-e", {"params": {"seconds": 0, "force_error": True}}),
            ("noop", {"isolate": True}),
        ])
        self.session.wait(tasks)
        self.session.dispatch()
        self.assertEqual(self.session.manager_signals("GroupFinished"), [])
        long.cancel()
        self.assertEqual(self.group_finished(1), ("default", 2, 4))

        # All of the group's ends have been told before.
        signals = self.session.manager_signals("TasksFinished", "GroupFinished")
        told = {t[0] for s in signals[:-1] for t in s.args[0]}
        self.assertEqual(told, {t.id for t in [long, *tasks]})
        self.assertEqual(signals[-1].member, "GroupFinished")

        # The next round counts from 0.
        self.session.start("noop")
        self.assertEqual(self.group_finished(2), ("default", 1, 0))

    def test_all_are_cancelled(self):
        self.session.set_max_parallel(1)
        self.session.start_many([("countdown", {"params": {"step_ms": 100000}})] * 6)
        self.assertEqual(self.session.cancel_all(), 6)
        self.assertEqual(self.group_finished(1), ("default", 0, 6))


class ResultTest(DaemonTestCase):
    def test_taken_once(self):
        for isolate in (False, True):
            with self.subTest(isolate=isolate):
                task = self.session.start("map", {"items": ["a"], "item_ms": 300}, isolate=isolate)
                with self.assertError("StillActive", "wait for it"):
                    task.call("TakeResult")
                task.wait()
                self.assertTrue(task.get("HasResult"))
                self.assertEqual(self.session.stored_results(), [task.id])
                self.assertFalse((self.session.runtime / f"task-{task.id}").exists())
                self.assertEqual(task.take_result()[0]["processed"], "A")
                self.assertFalse(task.get("HasResult"))
                self.assertEqual(self.session.stored_results(), [])
                with self.assertError("NoResult", "taken already"):
                    task.call("TakeResult")

    def test_large(self):
        item = "x" * 1000
        for isolate in (False, True):
            with self.subTest(isolate=isolate):
                params = {"items": [item] * 900, "item_ms": 0}
                task = self.session.start("map", params, isolate=isolate)
                self.assertEnds(task, "succeeded", 0)
                self.assertEqual([r["processed"] for r in task.take_result()], [item.upper()] * 900)
                task = self.session.start("map", params, isolate=isolate, result_max=1000)
                self.assertEnds(task, "failed", 1, "result-max")
                self.assertFalse(task.get("HasResult"))


class UniqueTest(DaemonTestCase):
    def test_gives_back_the_active_one(self):
        first = self.session.start("countdown", {"step_ms": 100000}, unique="demo")
        self.assertEqual(self.session.start("countdown", {"step_ms": 1}, unique="demo").id, first.id)
        self.assertEqual(self.session.command("true", unique="demo").id, first.id)
        self.assertNotEqual(self.session.command("true", unique="other").id, first.id)
        self.assertNotEqual(self.session.command("true").id, first.id)
        self.session.wait_until(lambda: self.session.manager_signals("TasksAdded"), "TasksAdded")
        first.cancel()
        first.wait()
        again = self.session.start("noop", unique="demo")
        self.assertGreater(again.id, first.id)
        again.wait()
        self.assertEqual(len(self.session.list_tasks()[0]), 4)

    def test_within_one_call(self):
        self.session.set_max_parallel(1)
        tasks = self.session.start_many([("noop", {"unique": "a"}), ("noop", {"unique": "b"}), ("noop", {"unique": "a"})])
        self.assertEqual(tasks[0].id, tasks[2].id)
        self.assertNotEqual(tasks[0].id, tasks[1].id)
        self.assertEqual(len(self.session.wait(tasks)), 3)
        self.session.wait_until(lambda: self.session.manager_signals("GroupFinished"), "GroupFinished")
        self.assertEqual(self.session.manager_signals("GroupFinished")[0].args, ("default", 2, 0))


class FireAndForgetTest(DaemonTestCase):
    def test_the_client_leaves_at_once(self):
        fifo = self.session.fifo()
        gate = self.session.base / "gate"
        os.mkfifo(gate)
        client = self.session.connect()
        script = f"echo here >{fifo.path}; read x <{gate}; echo done"
        number = self.session.call("Start", "(sa{sv})", "command", options_of(argv=["sh", "-c", script]), connection=client)[0]
        fifo.read_line()
        client.close_sync(None)
        with open(gate, "w", encoding="ascii") as f:
            f.write("go\n")
        self.session.wait_until(
            lambda: any(s.path.endswith(f"/{number}") and s.member == "Finished" for s in self.session.signals), "end")
        entry, = self.session.list_tasks()[0]
        self.assertEqual((entry["id"], entry["state"]), (number, "succeeded"))

    def test_nobody_listens(self):
        """200 tasks of a client that sends its calls and is gone before an answer can come."""
        client = self.session.connect()
        self.session.call("ListKinds", connection=client)  # longrund has asked the bus who this is
        for _ in range(200):
            self.session.call_later("Start", "(sa{sv})", "noop", {}, connection=client)
        # The bus has read all of them: it may drop what is left of one that is gone.
        client.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetId", None, None, 0,
                         -1, None)
        client.close_sync(None)
        self.session.wait_until(
            lambda: len(self.session.batched("TasksFinished")) >= 200, "200 ends")
        self.assertEqual(self.session.count_tasks(), {"succeeded": 200})


class WaitTest(DaemonTestCase):
    def test_order_and_repetition(self):
        a = self.session.shell("exit 3")
        b = self.session.start("noop")
        self.assertEqual(self.session.wait([b, a, b]),
                         [(b.id, "succeeded", 0), (a.id, "failed", 3), (b.id, "succeeded", 0)])
        self.assertEqual(self.session.wait([]), [])

    def test_answers_when_all_have_ended(self):
        long = self.session.start("countdown", {"step_ms": 100000})
        short = self.session.start("noop")
        replies = self.session.call_later("Wait", "(at)", [short.id, long.id])
        short.wait()
        self.session.get("Version")
        self.session.dispatch()
        self.assertEqual(replies, [])
        long.cancel()
        self.session.wait_until(lambda: replies, "the reply")
        self.assertEqual(replies, [([(short.id, "succeeded", 0), (long.id, "cancelled", -1)],)])
        # Everything about the end has been told before the reply.
        self.assertEqual(len(long.signals("Finished")), 1)


class ManyTest(DaemonTestCase):
    def test_each_ends_once(self):
        """500 quick tasks of all sorts, some cancelled at some moment: each has one end, told the same everywhere."""
        self.session.set_max_parallel(8)
        sorts = [
            ("noop", {}),
            ("command", {"argv": ["true"]}),
            ("map", {"params": {"items": [1, 2], "item_ms": 1}}),
            ("command", {"argv": ["sh", "-c", "echo out; echo err >&2; exit 4"]}),
            ("countdown", {"params": {"steps": 3, "step_ms": 2}}),
            ("command", {"argv": ["/nonexistent"]}),
            ("noop", {"isolate": True}),
            ("compute-e", {"params": {"seconds": 0.001, "force_error": True}}),
        ]
        tasks = []
        for i in range(10):
            tasks += self.session.start_many([sorts[(i + k) % len(sorts)] for k in range(50)])
            for task in tasks[-50::9]:
                with contextlib.suppress(DBusError):
                    task.cancel()
        ended = self.session.wait(tasks, timeout=60)
        self.session.wait_until(
            lambda: len(self.session.batched("TasksFinished")) >= 500, "500 ends")
        self.session.dispatch()

        self.assertEqual([t[0] for t in ended], [t.id for t in tasks])
        self.assertTrue(all(state in FINAL for _, state, _ in ended))
        self.assertEqual(sorted(self.session.batched("TasksFinished")), sorted(ended))
        by_task = {}
        for s in self.session.signals:
            if s.member == "Finished":
                by_task.setdefault(s.path, []).append(s.args[:2])
        self.assertEqual(by_task, {f"{ROOT}/task/{number}": [(state, code)] for number, state, code in ended})
        listed = {t["id"]: (t["state"], t["exit-code"]) for t in self.session.list_tasks(limit=1000)[0]}
        self.assertEqual(listed, {number: (state, code) for number, state, code in ended})
        self.assertEqual(self.session.batched("TasksAdded"), [(t.id, t.path) for t in tasks])
        self.session.call("RemoveTasks", "(at)", [t.id for t in tasks])
        self.assertEqual(list((self.session.state / "logs").iterdir()), [])


if __name__ == "__main__":
    main()
