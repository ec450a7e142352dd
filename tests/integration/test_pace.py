#!/usr/bin/python3
"""How fast tasks get on, and when they are expected to end: Rate, ExpectedEndTime, Unit and ProgressSource.

    LONGRUND=PATH test_pace.py
"""

import textwrap
import time

from daemon_testing import DaemonTestCase, DBusError, main
from process_testing import until

PYTHON = "/usr/bin/python3"
STEP = 1000
STEP_SEC = 0.04
UNKNOWN = {"Rate": -1, "ExpectedEndTime": 0}

# 25000 bytes a second, up to the end or to the part of it that is named. The phase, too, if there is one.
STEADY = textwrap.dedent(f"""\
    import os, socket, sys, time
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.connect(os.environ["NOTIFY_SOCKET"])
    steps, stop, total, phases = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:]
    for phase in phases or [""]:
        name = f"X_LONGRUN_PHASE={{phase}}\\n" if phase else ""
        for i in range(stop + 1):
            s.send(f"{{name}}X_LONGRUN_DONE={{i * {STEP}}}\\n{{total}}X_LONGRUN_UNIT=bytes".encode())
            time.sleep({STEP_SEC})
    if stop < steps:
        time.sleep(1000)
    """)


class Pace(DaemonTestCase):
    def steady(self, steps, stop=None, total=True, phases=()):
        total = f"X_LONGRUN_TOTAL={steps * STEP}\n" if total else ""
        return self.session.command(PYTHON, "-c", STEADY, str(steps), str(stop or steps), total, *phases)

    def get(self, task, *names):
        everything = task.get_all()
        return {name: everything[name] for name in names or (*UNKNOWN, "Done", "Progress")}

    def settles(self, task, condition, what):
        """The first properties of which the condition is true."""
        def look():
            p = self.get(task, *UNKNOWN, "Done", "Progress", "Phase", "State")
            return p if condition(p) else None

        return until(look, what)

    def assertPace(self, task, steps):
        """Within a factor, and somewhat more where a machine is busy."""
        p = self.get(task)
        left = (steps - p["Done"] / STEP) * STEP_SEC
        told = p["ExpectedEndTime"] / 1e6 - time.time()
        self.assertGreater(p["Rate"], STEP / STEP_SEC / 2.5, p)
        self.assertLess(p["Rate"], STEP / STEP_SEC * 2, p)
        self.assertGreater(told, left / 2.5 - 0.5, p)
        self.assertLess(told, left * 2.5 + 0.5, p)

    def test_steady(self):
        steps = 90
        task = self.steady(steps)
        self.settles(task, lambda p: p["Progress"] >= 0, "progress")
        for part in (0.4, 0.6, 0.8):
            self.settles(task, lambda p, part=part: p["Progress"] >= part, f"progress of {part}")
            self.assertPace(task, steps)
        self.assertEqual(self.get(task, "Unit", "ProgressSource"), {"Unit": "bytes", "ProgressSource": "notify"})
        listed = self.session.list_tasks(fields=["rate", "expected-end-time", "unit", "progress-source"])[0][0]
        self.assertGreater(listed["rate"], 0)
        self.assertGreater(listed["expected-end-time"] / 1e6, time.time())
        self.assertEqual((listed["unit"], listed["progress-source"]), ("bytes", "notify"))
        self.assertEqual(task.wait(), ("succeeded", 0))
        ended = UNKNOWN | {"Unit": "bytes", "ProgressSource": "notify", "Done": steps * STEP}
        self.assertEqual(self.get(task, *ended), ended)
        # And in the next daemon.
        self.session.restart()
        self.assertEqual(self.get(task, *ended), ended)

    def test_told_nothing(self):
        task = self.session.shell("sleep 1000")
        task.wait_state("running")
        expected = UNKNOWN | {"Unit": "", "ProgressSource": "", "Progress": -1}
        self.assertEqual(self.get(task, *expected), expected)
        task.cancel()
        self.assertEqual(task.wait()[0], "cancelled")
        self.assertEqual(self.get(task, *expected), expected)

    def test_counted_without_an_end(self):
        task = self.steady(1000, total=False)
        p = self.settles(task, lambda p: p["Done"] >= 30 * STEP, "a count")
        self.assertEqual((p["Progress"], p["ExpectedEndTime"]), (-1, 0))
        self.assertGreater(p["Rate"], STEP / STEP_SEC / 2.5)
        self.assertLess(p["Rate"], STEP / STEP_SEC * 2)
        task.cancel()
        task.wait()

    def test_one_reading_says_nothing(self):
        task = self.session.shell("systemd-notify X_LONGRUN_PROGRESS=42; exec sleep 1000")
        self.settles(task, lambda p: p["Progress"] == 0.42, "progress")
        time.sleep(1.2)  # time alone does not make it known
        self.assertEqual(self.get(task, *UNKNOWN), UNKNOWN)
        task.cancel()
        task.wait()

    def test_a_pause_does_not_count(self):
        steps = 250
        task = self.steady(steps)
        self.settles(task, lambda p: p["Done"] >= 40 * STEP, "progress")
        self.assertPace(task, steps)
        for _ in range(2):
            task.call("Pause")
            self.settles(task, lambda p: p["State"] == "paused", "pause")
            self.assertEqual(self.get(task, *UNKNOWN), {"Rate": 0, "ExpectedEndTime": 0})
            time.sleep(1.2)
            self.assertEqual(self.get(task, *UNKNOWN), {"Rate": 0, "ExpectedEndTime": 0})
            task.call("Resume")
            self.assertPace(task, steps)
        task.cancel()
        task.wait()
        self.assertEqual(self.get(task, *UNKNOWN), UNKNOWN)

    def test_while_nothing_comes(self):
        """The time left does not run out, and the rate falls."""
        task = self.steady(1000, stop=50)
        before = self.settles(task, lambda p: p["Done"] == 50 * STEP and p["Rate"] > 0, "progress")
        self.settles(task, lambda p: 0 < p["Rate"] < before["Rate"] / 2, "a rate that falls")
        self.assertGreater(self.get(task)["ExpectedEndTime"], before["ExpectedEndTime"])
        task.cancel()
        task.wait()

    def test_a_phase_begins_anew(self):
        task = self.steady(35, phases=("one", "two"))
        self.settles(task, lambda p: p["Phase"] == "one" and p["Rate"] > 0, "a rate")
        # Very soon behind its begin.
        p = self.settles(task, lambda p: p["Phase"] == "two", "the next phase")
        if p["Done"] <= STEP:
            self.assertEqual({name: p[name] for name in UNKNOWN}, UNKNOWN)
        self.settles(task, lambda p: p["Phase"] == "two" and p["Rate"] > 0, "a rate")
        self.assertPace(task, 35)
        self.assertEqual(task.wait(), ("succeeded", 0))

    def test_taken_up(self):
        """The next daemon begins with what it is told anew."""
        steps = 400
        task = self.steady(steps)
        self.settles(task, lambda p: p["Done"] >= 15 * STEP, "progress")
        self.session.crash()
        self.session.start_daemon()
        self.settles(task, lambda p: p["Rate"] > 0, "a rate")
        self.settles(task, lambda p: p["Done"] >= 60 * STEP, "progress")
        self.assertPace(task, steps)
        self.assertEqual(self.get(task, "Unit", "ProgressSource"), {"Unit": "bytes", "ProgressSource": "notify"})
        task.cancel()
        task.wait()

    def test_taken_up_while_paused(self):
        steps = 400
        task = self.steady(steps)
        self.settles(task, lambda p: p["Done"] >= 10 * STEP, "progress")
        task.call("Pause")
        self.settles(task, lambda p: p["State"] == "paused", "pause")
        self.session.restart()
        self.settles(task, lambda p: p["State"] == "paused" and p["Done"] > 0, "what it was")
        self.assertEqual(self.get(task, *UNKNOWN), UNKNOWN)
        time.sleep(1)
        task.call("Resume")
        self.settles(task, lambda p: p["Done"] >= 45 * STEP, "progress")
        self.assertPace(task, steps)
        task.cancel()
        task.wait()

    def test_built_in_kinds(self):
        file = self.session.base / "file"
        file.write_bytes(bytes(1 << 20))
        for isolate in (False, True):
            with self.subTest(isolate=isolate):
                expected = {"Done": 1 << 20, "Total": 1 << 20, "Unit": "bytes", "ProgressSource": "notify"}
                task = self.session.start("checksum", {"paths": [str(file)]}, isolate=isolate)
                self.assertEqual(task.wait(), ("succeeded", 0))
                self.assertEqual(self.get(task, *expected), expected)
                task = self.session.start("countdown", {"steps": 2, "step_ms": 1}, isolate=isolate)
                self.assertEqual(task.wait(), ("succeeded", 0))
                expected = {"Done": 2, "Total": 2, "Unit": "", "ProgressSource": "notify"}
                self.assertEqual(self.get(task, *expected), expected)
                task = self.session.start("countdown", {"steps": 100, "step_ms": 20}, isolate=isolate)
                p = self.settles(task, lambda p: p["Done"] >= 30, "steps")
                self.assertGreater(p["Rate"], 15)
                self.assertLess(p["Rate"], 100)
                self.assertGreater(p["ExpectedEndTime"] / 1e6, time.time())
                task.cancel()
                task.wait()

    def test_they_cannot_be_set(self):
        task = self.session.shell(":")
        for name in ("Rate", "ExpectedEndTime", "Unit", "ProgressSource"):
            with self.assertRaises(DBusError):
                task.session.call("Set", "(ssv)", "org.longrun.Longrun1.Task", name, task.session.call_variant(
                    "Get", "(ss)", "org.longrun.Longrun1.Task", name, path=task.path,
                    interface="org.freedesktop.DBus.Properties").get_child_value(0).get_variant(), path=task.path,
                    interface="org.freedesktop.DBus.Properties")
        task.wait()


if __name__ == "__main__":
    main()
