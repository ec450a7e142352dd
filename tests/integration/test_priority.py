#!/usr/bin/python3
"""Who is started first, and a priority that is set while a task waits.

    LONGRUND=PATH test_priority.py
"""

import time

from daemon_testing import FILTER, DaemonTestCase, dictionary, main

FOREVER = {"steps": 1, "step_ms": 3600000}


class PriorityTestCase(DaemonTestCase):
    ARGUMENTS = ("--max-parallel=1",)

    def block(self):
        """Takes the only slot."""
        self.blocker = self.session.start("countdown", FOREVER)
        self.blocker.wait_state("running")

    def order(self, tasks):
        """Lets them run, and gives their places in the list, in the order in which they were started."""
        self.blocker.cancel()
        self.session.wait(tasks)
        starts = {task.get("StartedAt"): i for i, task in enumerate(tasks)}
        self.assertEqual(len(starts), len(tasks))
        return [starts[t] for t in sorted(starts)]

    def set_all(self, priority, **keys):
        return self.session.call("SetPriorityAll", "(a{sv}i)", dictionary(FILTER, keys), priority)[0]

    def told(self, task):
        """Priorities in PropertiesChanged, which come before the replies."""
        self.session.dispatch()
        return [s.args[1]["Priority"] for s in task.signals("PropertiesChanged") if "Priority" in s.args[1]]


class OrderTest(PriorityTestCase):
    def test_option(self):
        self.block()
        tasks = [self.session.shell("true", priority=p) for p in (0, 5, -1, 5, 1000000, -1000000, 0)]
        self.assertEqual(self.order(tasks), [4, 1, 3, 0, 6, 2, 5])

    def test_threads(self):
        """Some of them are ahead of their slots, in the thread pool, when it is set."""
        self.block()
        tasks = [self.session.start("noop") for _ in range(6)]
        tasks[4].call("SetPriority", "(i)", 1)
        tasks[0].call("SetPriority", "(i)", -1)
        self.assertEqual(self.order(tasks), [4, 1, 2, 3, 5, 0])

    def test_set(self):
        self.block()
        tasks = [self.session.shell("true") for _ in range(4)]
        tasks[2].call("SetPriority", "(i)", 7)
        tasks[3].call("SetPriority", "(i)", 7)
        tasks[0].call("SetPriority", "(i)", -7)
        self.assertEqual([t.get("Priority") for t in tasks], [-7, 0, 7, 7])
        self.assertEqual(self.order(tasks), [2, 3, 1, 0])
        self.assertEqual([self.told(t) for t in tasks], [[-7], [], [7], [7]])

    def test_of_a_waiting_one(self):
        """It counts from when the task is queued."""
        self.block()
        tasks = [self.session.shell("true")]
        tasks.append(self.session.shell("true", after=[tasks[0].id]))
        tasks.append(self.session.shell("true"))
        tasks[1].call("SetPriority", "(i)", 1)
        self.assertEqual(self.order(tasks), [0, 1, 2])

    def test_kept(self):
        self.block()
        tasks = [self.session.shell("true") for _ in range(3)]
        tasks[2].call("SetPriority", "(i)", 9)
        self.session.restart()
        self.assertEqual([t.get("Priority") for t in tasks], [0, 0, 9])
        self.session.wait(tasks)
        starts = [t.get("StartedAt") for t in tasks]
        self.assertEqual(sorted(range(3), key=lambda i: starts[i]), [2, 0, 1])
        self.assertEqual([t.get("Priority") for t in tasks], [0, 0, 9])

    def test_retried(self):
        """Between two attempts it can be set, too."""
        task = self.session.shell("exit 1", retries=1, retry_delay=3600 * 1000000)
        self.session.settles(lambda: task.get("State") == "waiting" and task.get("Attempts"), lambda: task.get_all())
        task.call("SetPriority", "(i)", 3)
        self.assertEqual(task.get("Priority"), 3)


class ReadyTest(PriorityTestCase):
    def check(self, **options):
        """Of a row of tasks on threads some are ahead of their slots when the time of another one has come."""
        long = ("countdown", {"params": {"steps": 1, "step_ms": 300}})
        tasks = self.session.start_many([("noop", {})] * 300 + [long] * 15)
        due = time.time_ns() // 1000 + 2000000
        first = self.session.start("noop", start_at=due, **options)
        first.wait()
        self.session.cancel_all()
        starts = [task.get("StartedAt") for task in tasks[300:]]
        self.assertLessEqual(sum(due < start < first.get("StartedAt") for start in starts), 1)

    def test_priority(self):
        self.check(priority=1)

    def test_group(self):
        self.session.configure_group("other")
        self.check(group="other")


class RefusalTest(PriorityTestCase):
    def test_started(self):
        self.block()
        with self.assertError("NotRunning", "has started already .running.: .*does nothing for it"):
            self.blocker.call("SetPriority", "(i)", 1)
        self.blocker.cancel()
        self.blocker.wait()
        with self.assertError("NotRunning", "has ended already: cancelled"):
            self.blocker.call("SetPriority", "(i)", 1)
        self.session.restart()
        with self.assertError("NotRunning", "has ended already: cancelled"):
            self.blocker.call("SetPriority", "(i)", 1)

    def test_bad_values(self):
        self.block()
        task = self.session.shell("true", priority=3)
        for value in (1000001, -1000001, 2**31 - 1, -2**31):
            with self.assertError("InvalidOption", f"from -1000000 to 1000000, not {value}"):
                task.call("SetPriority", "(i)", value)
            with self.assertError("InvalidOption", f"not {value}"):
                self.set_all(value)
        self.assertEqual(task.get("Priority"), 3)


class AllTest(PriorityTestCase):
    def test_filter(self):
        self.block()
        tasks = [self.session.shell("true", label=label) for label in ("one", "two", "three", "two")]
        waits = self.session.shell("true", label="two", after=[tasks[0].id])
        self.assertEqual(self.set_all(4, label="two"), 3)
        self.assertEqual([t.get("Priority") for t in (*tasks, waits)], [0, 4, 0, 4, 4])
        self.assertEqual(self.set_all(4, label="two"), 0)
        self.assertEqual(self.set_all(-2, states=["waiting"]), 1)
        self.assertEqual(self.set_all(1, states=["running", "succeeded"]), 0)
        self.assertEqual(self.set_all(6), 5)
        self.assertEqual(self.blocker.get("Priority"), 0)
        self.assertEqual(self.told(waits), [4, -2, 6])
        with self.assertError("UnknownOption", "nonsense"):
            self.session.call("SetPriorityAll", "(a{sv}i)", dictionary({"nonsense": "s"}, {"nonsense": "x"}), 1)

    def test_many(self):
        """Also while they are being started."""
        tasks = self.session.start_many([("noop", {})] * 3000)
        for priority in range(20):
            self.set_all(priority)
        self.assertEqual({s for _, s, _ in self.session.wait(tasks)}, {"succeeded"})


if __name__ == "__main__":
    main()
