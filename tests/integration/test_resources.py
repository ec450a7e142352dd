#!/usr/bin/python3
"""Resources: named tokens that tasks claim, all at once or not at all.

    LONGRUND=PATH test_resources.py
"""

import time

from daemon_testing import DaemonTestCase, main

SEC = 1000000
FOREVER = {"steps": 1, "step_ms": 3600000}


class ResourceTestCase(DaemonTestCase):
    ARGUMENTS = ("--max-parallel=0",)

    def configure(self, name, capacity):
        self.session.call("ConfigureResource", "(su)", name, capacity)

    def holder(self, **resources):
        """A task that runs, and holds these until it is cancelled."""
        task = self.session.start("countdown", FOREVER, resources=resources)
        task.wait_state("running")
        return task

    def start(self, kind="noop", params=None, **options):
        return self.session.start(kind, params, **options)


class ConfigureTest(ResourceTestCase):
    def test_made_changed_and_removed(self):
        self.assertEqual(self.session.resources(), {})
        self.configure("net", 5)
        self.configure("gpu", 2)
        self.assertEqual(list(self.session.resources().items()), [("gpu", (2, 0)), ("net", (5, 0))])
        task = self.holder(gpu=2, net=1)
        self.assertEqual(self.session.resources(), {"gpu": (2, 2), "net": (5, 1)})
        self.assertEqual(task.get("Resources"), {"gpu": 2, "net": 1})
        self.configure("gpu", 1)  # ends nothing
        self.assertEqual(self.session.resources()["gpu"], (1, 2))
        self.configure("net", 0)
        self.assertEqual(self.session.resources(), {"gpu": (1, 2)})
        self.assertEqual(task.get("State"), "running")
        task.cancel()
        task.wait()
        self.assertEqual(self.session.resources(), {"gpu": (1, 0)})

    def test_refused(self):
        for name in ("", "a b", "1", "x/y", "x" * 65):
            with self.assertError("InvalidOption"):
                self.configure(name, 1)
        with self.assertError("NoSuchResource", "gpu.*ListResources"):
            self.configure("gpu", 0)
        for i in range(1000):
            self.session.call_later("ConfigureResource", "(su)", f"r{i}", 1)
        self.session.settles(lambda: len(self.session.resources()) == 1000, "there are not as many")
        with self.assertError("NotPermitted", "1000 resources.*capacity of 0"):
            self.configure("gpu", 1)
        self.configure("r5", 7)
        self.configure("r6", 0)
        self.configure("gpu", 1)

    def test_kept(self):
        self.configure("gpu", 2)
        self.configure("tape", 4)
        self.configure("tape", 0)
        self.configure("net", 4294967295)
        self.session.restart()
        self.assertEqual(self.session.resources(), {"gpu": (2, 0), "net": (4294967295, 0)})


class StartTest(ResourceTestCase):
    def test_beyond_what_there_is(self):
        self.configure("gpu", 2)
        with self.assertError("InvalidOption", "gpu.*3.*2|gpu.*2.*3"):
            self.start(resources={"gpu": 3})
        with self.assertError("NoSuchResource", "tape"):
            self.start(resources={"tape": 1})
        with self.assertError("InvalidOption", "0 of gpu"):
            self.start(resources={"gpu": 0})
        with self.assertError("InvalidOption"):
            self.start(resources={"a b": 1})
        self.assertEqual(self.session.get("Queued"), 0)

    def test_one_waits_for_another(self):
        self.configure("gpu", 2)
        first = self.holder(gpu=1)
        second = self.start("countdown", FOREVER, resources={"gpu": 2})
        passing = self.start()  # wants none, and passes by
        passing.wait()
        self.assertEqual(second.get("State"), "queued")
        self.assertRegex(second.get("Reason"), "gpu")
        first.cancel()
        second.wait_state("running")
        self.assertEqual(self.session.resources(), {"gpu": (2, 2)})
        second.cancel()
        second.wait()
        self.assertEqual(self.session.resources(), {"gpu": (2, 0)})

    def test_a_large_claim_is_not_kept_waiting(self):
        """Small ones that come later do not get what it waits for."""
        self.configure("gpu", 2)
        first = self.holder(gpu=1)
        large = self.start("countdown", FOREVER, resources={"gpu": 2})
        small = self.start(resources={"gpu": 1})
        self.start().wait()
        self.assertEqual((large.get("State"), small.get("State")), ("queued", "queued"))
        first.cancel()
        large.wait_state("running")
        self.assertEqual(small.get("State"), "queued")
        large.cancel()
        self.assertEqual(small.wait(), ("succeeded", 0))

    def test_lowered_below_what_somebody_waits_for(self):
        self.configure("gpu", 2)
        first = self.holder(gpu=2)
        waiting = self.start(resources={"gpu": 2})
        self.configure("gpu", 1)
        first.cancel()
        first.wait()
        other = self.start()
        other.wait()
        self.assertEqual(waiting.get("State"), "queued")
        self.assertRegex(waiting.get("Reason"), "gpu")
        self.configure("gpu", 2)
        self.assertEqual(waiting.wait(), ("succeeded", 0))

    def test_removed_while_somebody_waits(self):
        self.configure("gpu", 1)
        first = self.holder(gpu=1)
        waiting = self.start(resources={"gpu": 1})
        self.configure("gpu", 0)
        self.assertRegex(waiting.get("Reason"), "gpu")
        first.cancel()
        first.wait()
        self.start().wait()
        self.assertEqual(waiting.get("State"), "queued")
        self.configure("gpu", 1)
        self.assertEqual(waiting.wait(), ("succeeded", 0))

    def test_no_deadlock(self):
        """Each wants a and b, in either order, again and again; none ever holds one of them alone."""
        self.configure("a", 1)
        self.configure("b", 1)
        tasks = self.session.start_many(
            [("countdown", {"params": {"steps": 1, "step_ms": 5},
                            "resources": ({"a": 1, "b": 1}, {"b": 1, "a": 1}, {"a": 1}, {"b": 1})[i % 4]})
             for i in range(80)])
        used = []
        while self.session.get("Running") + self.session.get("Queued") > 0:
            used.append(self.session.resources())
        self.assertEqual({state for _, state, _ in self.session.wait(tasks)}, {"succeeded"})
        for table in used:
            for capacity, number in table.values():
                self.assertLessEqual(number, capacity)

    def test_timed_acquire(self):
        """Who has waited too long is told so: resources and queue-timeout."""
        self.configure("gpu", 1)
        first = self.holder(gpu=1)
        begin = time.monotonic()
        task = self.start(resources={"gpu": 1}, queue_timeout=SEC // 2)
        self.assertEnds(task, "timed-out", -1, "queue-timeout: it has waited for .*, the limit is 500ms")
        self.assertGreaterEqual(time.monotonic() - begin, 0.5)
        self.assertEqual(task.get("StartedAt"), 0)
        self.assertEqual(first.get("State"), "running")
        self.assertEqual(self.session.resources(), {"gpu": (1, 1)})

    def test_held_over_a_restart(self):
        """A command goes on, and so does its claim."""
        self.configure("gpu", 1)
        first = self.session.command("sleep", "1000", resources={"gpu": 1})
        first.wait_state("running")
        second = self.start(resources={"gpu": 1})
        self.session.restart()
        self.assertEqual(self.session.resources(), {"gpu": (1, 1)})
        self.start().wait()
        self.assertEqual(second.get("State"), "queued")
        first.cancel()
        self.assertEqual(second.wait(), ("succeeded", 0))

    def test_of_a_group(self):
        """A default of a group like any other."""
        self.configure("gpu", 1)
        self.session.configure_group("train", resources={"gpu": 1})
        first = self.session.start("countdown", FOREVER, group="train")
        first.wait_state("running")
        second = self.session.start("noop", group="train")
        own = self.session.start("noop", group="train", resources={})
        self.assertEqual(own.wait(), ("succeeded", 0))
        self.assertEqual(second.get("State"), "queued")
        first.cancel()
        self.assertEqual(second.wait(), ("succeeded", 0))


class ConfigTest(ResourceTestCase):
    CONFIG = "[Resources]\ngpu = 2\nnet=1\n"

    def config(self, text):
        self.session.config_path.write_text(text, encoding="utf-8")
        self.session.call("Reload")

    def test_read_at_the_start(self):
        self.assertEqual(self.session.resources(), {"gpu": (2, 0), "net": (1, 0)})
        # What was set over the bus holds for as long as the daemon runs, and the file says nothing new.
        self.configure("gpu", 5)
        self.configure("tape", 3)
        self.session.call("Reload")
        self.assertEqual(self.session.resources(), {"gpu": (5, 0), "net": (1, 0), "tape": (3, 0)})
        self.session.restart()
        self.assertEqual(self.session.resources(), {"gpu": (2, 0), "net": (1, 0), "tape": (3, 0)})

    def test_reload(self):
        self.configure("net", 7)
        task = self.holder(gpu=2)
        waiting = self.start(resources={"gpu": 1})
        self.config("[Resources]\ngpu = 3\ndisk=1\n")
        # net is as it was set over the bus, now that the file does not name it; as after a restart.
        expected = {"disk": (1, 0), "gpu": (3, 2), "net": (7, 0)}
        waiting.wait()
        self.assertEqual(self.session.resources(), expected)
        self.config("")
        self.assertEqual(self.session.resources(), {"net": (7, 0)})
        self.assertEqual(task.get("State"), "running")
        task.cancel()
        task.wait()
        self.assertEqual(self.session.resources(), {"net": (7, 0)})
        self.session.restart()
        self.assertEqual(self.session.resources(), {"net": (7, 0)})

    def test_bad_file(self):
        with self.assertError("InvalidOption", "longrun.conf: line 2: gpu=lots is not valid.*tokens"):
            self.config("[Resources]\ngpu=lots\nnet=5\n")
        self.assertEqual(self.session.resources(), {"gpu": (2, 0), "net": (1, 0)})


if __name__ == "__main__":
    main()
