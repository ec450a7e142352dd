#!/usr/bin/python3
"""The built-in kinds over the bus: texts, their order, results, cancel; on a thread and in a process of their own.

    LONGRUND=PATH test_kinds.py
"""

import hashlib
import math
import os
import re
import signal
import time

from daemon_testing import SOON_SEC, DaemonTestCase, DBusError, main

BOTH = (False, True)  # isolate


def percent(fraction):
    return int(fraction * 100)


class CountdownTest(DaemonTestCase):
    def check_texts(self, task, steps):
        """What holds on a thread and in a process."""
        lines = ["Task started...", *(f"Completed step {i}" for i in range(1, steps + 1)), "Task finished successfully"]
        sent = [text for s in task.signals("Log") for _, _, text in s.args[1]]
        self.assertEqual(sent, lines)
        self.assertEqual(task.read_log().decode().splitlines(), lines)
        self.assertEqual(task.signals()[-1].member, "Finished")
        self.assertEqual([percent(s.args[0]) for s in task.signals("Progress")],
                         [percent(i / steps) for i in range(1, steps + 1)])
        self.assertEqual([s.args[1:] for s in task.signals("Progress")],
                         [(i, steps, "") for i in range(1, steps + 1)])
        self.assertEqual(task.get("Status"), "Task completed!")
        self.assertEqual((task.get("Progress"), task.get("Done"), task.get("Total")), (1.0, steps, steps))

    def test_on_a_thread(self):
        task = self.session.start("countdown", {"steps": 8, "step_ms": 250})
        self.assertEnds(task, "succeeded", 0, "^All work completed successfully!$")
        self.check_texts(task, 8)
        self.assertEqual([percent(s.args[0]) for s in task.signals("Progress")], [12, 25, 37, 50, 62, 75, 87, 100])
        self.assertEqual([s.args[0] for s in task.signals("Status")],
                         ["Initializing...", *(f"Processing step {i} of 8" for i in range(1, 9)), "Task completed!"])

        # In one row: of each step progress, then status, then log.
        row = [(s.member, s.args[1][0][2] if s.member == "Log" else s.args[0])
               for s in task.signals("Progress", "Status", "Log")]
        expected = [("Log", "Task started..."), ("Status", "Initializing...")]
        for i in range(1, 9):
            expected += [("Progress", i / 8), ("Status", f"Processing step {i} of 8"), ("Log", f"Completed step {i}")]
        expected += [("Status", "Task completed!"), ("Log", "Task finished successfully")]
        self.assertEqual(row, expected)

    def test_isolated(self):
        task = self.session.start("countdown", {"steps": 8, "step_ms": 250}, isolate=True)
        self.assertEnds(task, "succeeded", 0, "^All work completed successfully!$")
        self.check_texts(task, 8)
        # Two texts within a moment come as one, the last.
        sent = [s.args[0] for s in task.signals("Status")]
        self.assertEqual([text for text in sent if text != "Processing step 8 of 8"],
                         ["Initializing...", *(f"Processing step {i} of 8" for i in range(1, 8)), "Task completed!"])

    def test_ten_steps_of_a_second_by_default(self):
        task = self.session.start("countdown")
        self.session.wait_until(lambda: task.signals("Progress"), "the first step")
        first = task.signals("Progress")[0]
        self.assertEqual(first.args, (0.1, 1, 10, ""))
        self.assertGreaterEqual(task.get("Id"), 1)
        elapsed = time.time() - task.get("StartedAt") / 1e6
        self.assertTrue(1.0 <= elapsed < SOON_SEC, elapsed)
        task.cancel()
        self.assertEnds(task, "cancelled", -1, "^Task was cancelled by user$")

    def test_cancel_at_once_in_the_last_step(self):
        for isolate in BOTH:
            with self.subTest(isolate=isolate):
                task = self.session.start("countdown", {"steps": 2, "step_ms": 3000}, isolate=isolate)
                self.session.wait_until(lambda: task.signals("Progress"), "the first step")
                begin = time.monotonic()
                task.cancel()
                self.assertEnds(task, "cancelled", -1, "^Task was cancelled by user$")
                self.assertLess(task.signals("Finished")[0].time - begin, 2)
                self.assertEqual(task.signals("Status")[-1].args, ("Task cancelled",))
                self.assertEqual(task.signals("Log")[-1].args[1][-1][1:], ("stdout", "Task cancelled at step 2"))
                self.assertEqual(task.signals()[-1].member, "Finished")
                self.assertEqual(task.get("Progress"), 0.5)
                self.assertEqual(task.read_log(), b"Task started...\nCompleted step 1\nTask cancelled at step 2\n")

    def test_cancel_at_once_in_the_first_step(self):
        for isolate in BOTH:
            with self.subTest(isolate=isolate):
                task = self.session.start("countdown", {"steps": 3, "step_ms": 3600000}, isolate=isolate)
                task.wait_state("running")
                self.session.wait_until(lambda: task.signals("Status"), "the first status")
                begin = time.monotonic()
                self.session.call("Cancel", "(at)", [task.id])
                self.assertEnds(task, "cancelled", -1, "^Task was cancelled by user$")
                self.assertLess(task.signals("Finished")[0].time - begin, SOON_SEC)
                self.assertEqual(task.read_log(), b"Task started...\nTask cancelled at step 1\n")
                self.assertEqual(task.get("Progress"), -1.0)
                with self.assertError("NotRunning", "cancelled"):
                    task.cancel()

    def test_cancel_comes_in_time_or_too_late_but_never_between(self):
        """Whatever the moment: the cancel was told "too late", or the task is what the rest says it is."""
        for i in range(150):
            isolate = i % 10 == 9
            task = self.session.start("countdown", {"steps": 1, "step_ms": i % 3}, isolate=isolate)
            if i % 2:
                self.session.get("Running")  # a moment
            try:
                task.cancel()
                told = True
            except DBusError as error:
                self.assertEqual(error.name, "NotRunning")
                told = False
            state, code = task.wait()
            self.assertIn((state, code), [("succeeded", 0), ("cancelled", -1)])
            self.assertEqual(task.get("Progress") == 1.0, state == "succeeded")
            if not told:
                self.assertEqual(state, "succeeded")
            ended = task.read_log().endswith(b"Task finished successfully\n")
            self.assertEqual(ended, state == "succeeded")


class MapTest(DaemonTestCase):
    ITEMS = ["item1", "größe", "ÿ", 7, True, None, ""]

    def test_results(self):
        expected = {
            "uppercase": ["ITEM1", "GRÖßE", "Ÿ", "7", "TRUE", "NULL", ""],
            "lowercase": ["item1", "größe", "ÿ", "7", "true", "null", ""],
            "length": [5, 5, 1, 1, 4, 4, 0],
        }
        for isolate in BOTH:
            for op, values in expected.items():
                with self.subTest(isolate=isolate, op=op):
                    task = self.session.start("map", {"items": self.ITEMS, "op": op, "item_ms": 1}, isolate=isolate)
                    self.assertEnds(task, "succeeded", 0, "^7 items$")
                    result = task.take_result()
                    self.assertEqual([(r["id"], r["processed"]) for r in result], list(enumerate(values)))
                    threads = {r["thread"] for r in result}
                    self.assertEqual(len(threads), 1)
                    self.assertNotIn(self.session.daemon.pid, threads)

    def test_progress_per_item(self):
        for isolate in BOTH:
            with self.subTest(isolate=isolate):
                task = self.session.start("map", {"items": list("abcde"), "item_ms": 200}, isolate=isolate)
                self.assertEnds(task, "succeeded", 0, "^5 items$")
                self.assertEqual([s.args[:3] for s in task.signals("Progress")],
                                 [(i / 5, i, 5) for i in range(1, 6)])
                self.assertEqual([s.args[0] for s in task.signals("Status")],
                                 [f"Processing item {i} of 5" for i in range(1, 6)])

    def test_default_pace_and_op(self):
        begin = time.monotonic()
        task = self.session.start("map", {"items": ["ab"] * 6})
        self.assertEnds(task, "succeeded", 0)
        self.assertGreaterEqual(time.monotonic() - begin, 0.3)
        self.assertEqual({r["processed"] for r in task.take_result()}, {"AB"})

    def test_cancel(self):
        for isolate in BOTH:
            with self.subTest(isolate=isolate):
                task = self.session.start("map", {"items": ["a"] * 3, "item_ms": 600000}, isolate=isolate)
                self.session.wait_until(lambda t=task: t.signals("Status"), "the first item")
                begin = time.monotonic()
                task.cancel()
                self.assertEnds(task, "cancelled", -1, "^Cancelled$")
                self.assertLess(task.signals("Finished")[0].time - begin, SOON_SEC)
                with self.assertError("NoResult", "left none"):
                    task.take_result()

    def test_parallel_tasks_name_their_threads(self):
        self.session.set_max_parallel(3)
        tasks = self.session.start_many(
            [("map", {"params": {"items": [f"data{i}"], "item_ms": 400}}) for i in range(3)])
        self.assertEqual([t[1:] for t in self.session.wait(tasks)], [("succeeded", 0)] * 3)
        results = [t.take_result()[0] for t in tasks]
        self.assertEqual([r["processed"] for r in results], ["DATA0", "DATA1", "DATA2"])
        self.assertEqual(len({r["thread"] for r in results}), 3)

    def test_no_items(self):
        for isolate in BOTH:
            task = self.session.start("map", {"items": []}, isolate=isolate)
            self.assertEnds(task, "succeeded", 0, "^0 items$")
            self.assertEqual(task.take_result(), [])


class ComputeETest(DaemonTestCase):
    def test_result(self):
        uuids = set()
        for isolate in BOTH:
            with self.subTest(isolate=isolate):
                begin = time.monotonic()
                task = self.session.start("compute-e", {"seconds": 0.4}, isolate=isolate)
                self.assertEnds(task, "succeeded", 0, "^e = 2.71828")
                self.assertGreaterEqual(time.monotonic() - begin, 0.4)
                result = task.take_result()
                self.assertEqual(set(result), {"uuid", "value", "duration", "iterations"})
                self.assertAlmostEqual(result["value"], math.e, delta=1e-15)
                self.assertTrue(0.4 <= result["duration"] < SOON_SEC, result)
                self.assertGreater(result["iterations"], 10000)
                self.assertRegex(result["uuid"],
                                 re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"))
                uuids.add(result["uuid"])
                fractions = [s.args[0] for s in task.signals("Progress")]
                self.assertEqual(fractions, sorted(fractions))
                self.assertGreaterEqual(len(fractions), 2)
        self.assertEqual(len(uuids), 2)

    def test_three_seconds_by_default(self):
        task = self.session.start("compute-e")
        self.session.wait_until(lambda: task.signals("Progress"), "progress")
        self.assertEqual(task.signals("Progress")[0].args[2], 3000)
        task.cancel()
        self.assertEnds(task, "cancelled", -1, "^Cancelled$")

    def test_forced_error(self):
        for isolate in BOTH:
            with self.subTest(isolate=isolate):
                task = self.session.start("compute-e", {"seconds": 0.2, "force_error": True}, isolate=isolate)
                self.assertEnds(task, "failed", 1, "error was forced")
                self.assertFalse(task.get("HasResult"))
                self.assertLess(task.get("Progress"), 1.0)
                with self.assertError("NoResult", "left none"):
                    task.take_result()

    def test_cancel_at_once(self):
        for isolate in BOTH:
            with self.subTest(isolate=isolate):
                task = self.session.start("compute-e", {"seconds": 600}, isolate=isolate)
                self.session.wait_until(lambda t=task: t.signals("Progress"), "that it is at work")
                begin = time.monotonic()
                task.cancel()
                self.assertEnds(task, "cancelled", -1, "^Cancelled$")
                self.assertLess(task.signals("Finished")[0].time - begin, SOON_SEC)

    def test_the_daemon_answers_while_threads_compute(self):
        tasks = self.session.start_many([("compute-e", {"params": {"seconds": 600}})] * (2 * os.cpu_count()))
        self.session.wait_until(lambda: any(t.signals("Progress") for t in tasks), "a task at work")
        slowest = 0
        for _ in range(100):
            begin = time.monotonic()
            self.session.get("Running")
            slowest = max(slowest, time.monotonic() - begin)
        self.assertLess(slowest, 1)
        begin = time.monotonic()
        self.assertEqual(self.session.cancel_all(), len(tasks))
        self.assertEqual({t[1] for t in self.session.wait(tasks)}, {"cancelled"})
        self.assertLess(time.monotonic() - begin, SOON_SEC)

    def test_a_crash_of_an_isolated_kind_is_one_failed_task(self):
        task = self.session.start("compute-e", {"seconds": 600}, isolate=True)
        other = self.session.start("countdown", {"steps": 1, "step_ms": 300})
        task.wait_state("running")
        os.kill(task.get("Pid"), signal.SIGABRT)
        self.assertEnds(task, "failed", 128 + signal.SIGABRT, "signal 6 .SIGABRT")
        self.assertEnds(other, "succeeded", 0)


class ChecksumTest(DaemonTestCase):
    def test_tree(self):
        tree = self.session.base / "tree"
        (tree / "below").mkdir(parents=True)
        contents = {"one": b"1\n", "below/two": os.urandom(3 << 20), "empty": b""}
        for name, data in contents.items():
            (tree / name).write_bytes(data)
        expected = {str(tree / name): hashlib.sha256(data).hexdigest() for name, data in contents.items()}
        for isolate in BOTH:
            with self.subTest(isolate=isolate):
                task = self.session.start("checksum", {"paths": [str(tree)]}, isolate=isolate)
                self.assertEnds(task, "succeeded", 0)
                self.assertEqual(task.take_result(), expected)
                self.assertEqual(task.get("Total"), sum(map(len, contents.values())))
                self.assertEqual(task.get("Done"), task.get("Total"))

    def test_what_cannot_be_read_is_named(self):
        present = self.session.base / "present"
        present.write_bytes(b"x")
        for isolate in BOTH:
            with self.subTest(isolate=isolate):
                task = self.session.start("checksum", {"paths": [str(present), "/nonexistent/file"]}, isolate=isolate)
                state, _, message = task.finished()
                self.assertEqual(state, "failed")
                self.assertIn("/nonexistent/file", message + task.read_log().decode())


class SlotTest(DaemonTestCase):
    """Tasks on threads pass their slots on among themselves; nobody can tell."""

    STEP = {"steps": 1, "step_ms": 20}

    def start_row(self, n, **options):
        self.session.set_max_parallel(2)
        return self.session.start_many([("countdown", {"params": self.STEP, **options})] * n)

    def times(self, tasks):
        return [(t.get("StartedAt"), t.get("FinishedAt")) for t in tasks]

    def test_in_order_and_never_more_than_the_slots(self):
        tasks = self.start_row(60)
        self.session.wait(tasks)
        times = self.times(tasks)
        self.assertEqual(times, sorted(times, key=lambda t: t[0]))
        for begun, _ in times:
            self.assertLessEqual(sum(b <= begun < e for b, e in times), 2)
        self.assertEqual({t.get("Attempt") for t in tasks}, {1})

    def test_a_command_between_them_has_its_turn(self):
        self.session.set_max_parallel(1)
        kinds = [("countdown", {"params": self.STEP})] * 5
        tasks = self.session.start_many([*kinds, ("command", {"argv": ["true"]}), *kinds])
        self.session.wait(tasks)
        times = self.times(tasks)
        for (_, ended), (begun, _) in zip(times, times[1:]):
            self.assertLessEqual(ended, begun)

    def test_those_cancelled_never_begin(self):
        tasks = self.start_row(120)
        self.session.wait(tasks[:1])
        cancelled = tasks[90:110]
        for task in cancelled:
            task.cancel()
        self.session.wait(tasks)
        for task in tasks:
            self.assertEqual(task.get("State"), "cancelled" if task in cancelled else "succeeded")
        self.assertEqual({t.get("StartedAt") for t in cancelled}, {0})

    def test_fewer_slots_hold_at_once(self):
        tasks = self.start_row(60)
        self.session.wait(tasks[:1])
        self.session.set_max_parallel(1)
        self.session.wait(tasks)
        times = self.times(tasks)[40:]
        for (_, ended), (begun, _) in zip(times, times[1:]):
            self.assertLessEqual(ended, begun)

    def test_those_that_waited_too_long_never_begin(self):
        """Some have begun in the pool when their time in the queue is over, which the daemon does not know yet."""
        for i in range(5):
            self.session.start_many([("noop", {})] * 64)
            tasks = self.session.start_many([("noop", {"queue_timeout": 20000 + i * 5000})] * 400)
            self.session.wait(tasks)
            ends = {(task.get("State"), task.get("StartedAt") > 0) for task in tasks}
            self.assertLessEqual(ends, {("succeeded", True), ("timed-out", False)})

    def test_a_crash_interrupts_those_that_ran_and_no_other(self):
        """Those at work, and with them one or the other whose end was not on disk yet: not those that only waited in the
        pool."""
        tasks = self.start_row(300)
        self.session.wait(tasks[:5])
        self.session.restart()
        self.session.wait(tasks)
        states = [t.get("State") for t in tasks]
        lost = [i for i, state in enumerate(states) if state == "interrupted"]
        self.assertLessEqual(len(lost), 6)
        self.assertLessEqual(max(lost, default=0) - min(lost, default=0), 8)
        self.assertEqual(states.count("succeeded"), len(tasks) - len(lost))
        self.assertEqual({t.get("Attempt") for t in tasks}, {1})


class NoopTest(DaemonTestCase):
    def test_noop(self):
        for isolate in BOTH:
            task = self.session.start("noop", isolate=isolate)
            self.assertEnds(task, "succeeded", 0)
            self.assertEqual(task.get("Progress"), 1.0)
            self.assertEqual(task.get("LogSize"), 0)

    def test_kinds(self):
        kinds = [name for name, _ in self.session.call("ListKinds")[0]]
        self.assertEqual(sorted(kinds), ["checksum", "compute-e", "countdown", "download", "http-operation", "map",
                                         "noop"])
        self.assertEqual(self.session.get("Kinds"), ["command", *kinds])
        self.assertTrue(all(text for _, text in self.session.call("ListKinds")[0]))


if __name__ == "__main__":
    main()
