#!/usr/bin/python3
"""Tasks that wait for a time, and what becomes of that when the clock or the time zone is set.

    LONGRUND=PATH CLOCK_SHIFT_LIBRARY=PATH test_start_at.py
"""

import calendar
import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

from clock_testing import ClockMixin
from daemon_testing import DaemonTestCase, main
from longrun_testing import SKIP

MSEC = 1000
SEC = 1000000
HOUR = 3600
DAY = 24 * HOUR

CLONE_NEWNS = 0x00020000


def utc(text):
    """Seconds since the epoch."""
    return calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M:%S"))


class StartAtTest(DaemonTestCase):
    def test_waits(self):
        begin = int((time.time() + 1.5) * SEC)
        task = self.session.start("noop", start_at=begin)
        p = task.get_all()
        self.assertEqual((p["State"], p["DueAt"], p["StartAt"]), ("waiting", begin, begin))
        self.assertRegex(p["Reason"], r"^starts at 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d$")
        self.assertEnds(task, "succeeded", 0)
        p = task.get_all()
        self.assertGreaterEqual(p["StartedAt"], begin)
        self.assertLess(p["StartedAt"], begin + 5 * SEC)
        self.assertEqual(p["DueAt"], 0)
        states = [s.args[1]["State"] for s in task.signals("PropertiesChanged") if "State" in s.args[1]]
        self.assertEqual(states[:1] or ["queued"], ["queued"])

    def test_past(self):
        task = self.session.start("noop", start_at=946684800 * SEC)
        self.assertEnds(task, "succeeded", 0)

    def test_order(self):
        """By their times, not by their ages; one that is due later does not hold up others."""
        now = int(time.time() * SEC)
        tasks = [self.session.start("noop", start_at=now + wait) for wait in (2 * SEC, 1 * SEC, 3600 * SEC)]
        self.session.wait(tasks[:2])
        self.assertLess(tasks[1].get("StartedAt"), tasks[0].get("StartedAt"))
        self.assertEqual(tasks[2].get("State"), "waiting")
        tasks[2].cancel()
        self.assertEnds(tasks[2], "cancelled", -1)

    def test_absurd(self):
        for start_at in (1, 1795280000, 1795280000 * 1000, 2**63, 2**64 - 1):
            with self.subTest(start_at), self.assertError("InvalidOption", f"start-at {start_at} lies"):
                self.session.start("noop", start_at=start_at)

    def test_restart(self):
        begin = int((time.time() + 2) * SEC)
        task = self.session.start("noop", start_at=begin)
        later = self.session.start("noop", start_at=begin + 3600 * SEC)
        self.session.restart()
        self.assertEqual(task.get("DueAt"), begin)
        self.assertEqual(task.wait(), ("succeeded", 0))
        self.assertGreaterEqual(task.get("StartedAt"), begin)
        self.assertEqual((later.get("State"), later.get("DueAt")), ("waiting", begin + 3600 * SEC))

    def test_due_while_off(self):
        task = self.session.start("noop", start_at=int((time.time() + 1) * SEC))
        self.session.crash()
        time.sleep(1.2)
        self.session.start_daemon()
        self.assertEqual(task.wait(), ("succeeded", 0))


class ClockTest(ClockMixin, DaemonTestCase):
    """The wall clock is set."""

    def setUp(self):
        self.sessions = []
        self.session = self.start_with_clock(*self.ARGUMENTS)

    def wait_due(self, task, low, high):
        """Until DueAt is between the two, in seconds."""
        self.session.settles(lambda: low <= task.get("DueAt") / SEC <= high,
                             lambda: f"DueAt is {task.get('DueAt') / SEC}, not {low} to {high}")

    def wait_runs(self, series, number):
        def ended():
            return [run for run in self.runs_of(series) if run["finished-at"] > 0]
        self.session.settles(lambda: len(ended()) >= number, f"no {number} runs")
        return self.runs_of(series)

    def runs_of(self, series):
        return self.session.list_tasks(parent=series.id)[0]

    # start-at

    def test_start_at_forward(self):
        task = self.session.start("noop", start_at=int((self.now() + HOUR) * SEC))
        self.set_clock(2 * HOUR)
        self.assertEqual(task.wait(), ("succeeded", 0))
        self.assertGreaterEqual(task.get("StartedAt"), task.get("StartAt"))

    def test_start_at_back(self):
        begin = int((self.now() + 1) * SEC)
        task = self.session.start("noop", start_at=begin)
        self.set_clock(-2 * HOUR)
        time.sleep(1.5)
        self.assertEqual((task.get("State"), task.get("DueAt")), ("waiting", begin))
        self.set_clock(0)
        self.assertEqual(task.wait(), ("succeeded", 0))

    # pauses

    def test_every_keeps_its_pause(self):
        series = self.session.start("noop", every=2 * HOUR * SEC)
        end = self.wait_runs(series, 1)[0]["finished-at"] / SEC
        self.wait_due(series, end + 2 * HOUR - 1, end + 2 * HOUR + 1)
        self.set_clock(10 * HOUR)
        self.wait_due(series, end + 12 * HOUR - 2, end + 12 * HOUR + 2)
        self.set_clock(-10 * HOUR)
        self.wait_due(series, end - 8 * HOUR - 2, end - 8 * HOUR + 2)
        self.assertEqual(len(self.runs_of(series)), 1)
        series.call("SetLabel", "(s)", "on disk, and all before it")
        self.session.restart()
        self.wait_due(series, end - 8 * HOUR - 2, end - 8 * HOUR + 2)

    def test_every_goes_on(self):
        """Short pauses while the clock is set forward and back: none is left out, and none takes an hour."""
        series = self.session.start("noop", every=300 * MSEC)
        for number, shift in enumerate((HOUR, -HOUR, 5 * HOUR, 0)):
            self.wait_runs(series, number + 1)
            self.set_clock(shift)
        self.wait_runs(series, 6)

    def test_every_from_a_time(self):
        """The first run is at the time that was named, whatever the clock was before."""
        begin = int((self.now() + HOUR) * SEC)
        series = self.session.start("noop", every=HOUR * SEC, start_at=begin)
        self.set_clock(-HOUR)
        time.sleep(0.3)
        self.assertEqual(series.get("DueAt"), begin)
        self.set_clock(2 * HOUR)
        self.wait_runs(series, 1)

    def test_retry_keeps_its_pause(self):
        task = self.session.command("/bin/false", retries=1, retry_delay=HOUR * SEC)
        self.session.settles(lambda: task.get("DueAt") > 0, "it is not tried again")
        due = task.get("DueAt") / SEC
        self.set_clock(10 * HOUR)
        self.wait_due(task, due + 10 * HOUR - 2, due + 10 * HOUR + 2)
        self.assertEqual((task.get("State"), task.get("Attempt")), ("waiting", 1))
        self.set_clock(-10 * HOUR)
        self.wait_due(task, due - 10 * HOUR - 2, due - 10 * HOUR + 2)

    # calendars

    def test_calendar_is_asked_anew(self):
        series = self.session.start("noop", calendar="*-*-* 00:00 UTC")
        for days in (3.5, -3.5, 0):
            self.set_clock(int(days * DAY))
            midnight = (int(self.now()) // DAY + 1) * DAY
            self.wait_due(series, midnight, midnight)
        time.sleep(0.2)
        self.assertEqual(self.runs_of(series), [])

    def test_persistent_makes_up(self):
        """Jumped over by the clock: as if longrund had been off then."""
        plain = self.session.start("noop", calendar="*-*-* 00:00 UTC")
        persistent = self.session.start("noop", calendar="*-*-* 00:00 UTC", persistent=True)
        self.set_clock(5 * DAY)
        self.assertEqual(len(self.wait_runs(persistent, 1)), 1)
        midnight = (int(self.now()) // DAY + 1) * DAY
        for series in (plain, persistent):
            self.wait_due(series, midnight, midnight)
        self.assertEqual(len(self.runs_of(persistent)), 1)
        self.assertEqual(self.runs_of(plain), [])

    def test_missed_while_off(self):
        plain = self.session.start("noop", calendar="*-*-* 00:00 UTC")
        persistent = self.session.start("noop", calendar="*-*-* 00:00 UTC", persistent=True)
        self.session.crash()
        self.set_clock(5 * DAY)
        self.session.start_daemon()
        self.wait_runs(persistent, 1)
        midnight = (int(self.now()) // DAY + 1) * DAY
        for series in (plain, persistent):
            self.wait_due(series, midnight, midnight)
        self.session.restart()
        for series in (plain, persistent):
            self.wait_due(series, midnight, midnight)
        self.assertEqual(len(self.runs_of(persistent)), 1)
        self.assertEqual(self.runs_of(plain), [])
        self.assertRegex(self.session.log(), "left out: longrund was off then")

    def test_a_moment_late(self):
        """longrund is replaced by another one just when a run is due: it comes."""
        self.set_clock_to(utc("2030-01-01 08:59:58"))
        series = self.session.start("noop", calendar="*-*-* 09:00 UTC")
        self.assertEqual(series.get("DueAt"), utc("2030-01-01 09:00:00") * SEC)
        self.session.crash()
        self.set_clock_to(utc("2030-01-01 09:00:20"))
        self.session.start_daemon()
        self.wait_runs(series, 1)
        self.wait_due(series, utc("2030-01-02 09:00:00"), utc("2030-01-02 09:00:00"))
        self.assertEqual(len(self.runs_of(series)), 1)

    def test_set_back_a_little(self):
        """The moment of a run that was just made does not come again."""
        self.set_clock_to(utc("2030-01-01 08:59:58"))
        series = self.session.start("noop", calendar="*-*-* 09:00 UTC")
        self.wait_runs(series, 1)
        self.set_clock_to(utc("2030-01-01 08:59:57"))
        self.wait_due(series, utc("2030-01-02 09:00:00"), utc("2030-01-02 09:00:00"))
        time.sleep(3.5)
        self.assertEqual(len(self.runs_of(series)), 1)


class DaylightTest(ClockMixin, DaemonTestCase):
    """Where the clock is changed twice a year."""

    def start_at(self, moment, zone="Europe/Berlin"):
        self.session = self.start_with_clock(*self.ARGUMENTS, environment={"TZ": zone}, shift=int(moment - time.time()))

    def setUp(self):
        self.sessions = []

    def runs_of(self, series):
        return self.session.list_tasks(parent=series.id)[0]

    def wait_run(self, series):
        self.session.settles(lambda: any(run["finished-at"] for run in self.runs_of(series)) and series.get("DueAt"),
                             "it does not run")

    def test_spring(self):
        """The night that has no 02:30."""
        self.start_at(utc("2026-03-28 01:29:58"))
        series = self.session.start("noop", calendar="*-*-* 02:30")
        self.assertEqual(series.get("DueAt"), utc("2026-03-28 01:30:00") * SEC)
        self.wait_run(series)
        self.assertEqual(series.get("DueAt"), utc("2026-03-30 00:30:00") * SEC)
        self.assertRegex(series.get("Reason"), "runs next at 2026-03-30 02:30:00")

    def test_spring_at_another_time(self):
        self.start_at(utc("2026-03-29 00:59:58"))  # two seconds before the clocks are changed
        series = self.session.start("noop", calendar="*-*-* 03:00")
        self.assertEqual(series.get("DueAt"), utc("2026-03-29 01:00:00") * SEC)
        self.wait_run(series)
        self.assertEqual(series.get("DueAt"), utc("2026-03-30 01:00:00") * SEC)

    def test_autumn(self):
        """The night that has 02:30 twice: one run."""
        self.start_at(utc("2026-10-25 00:29:58"))
        series = self.session.start("noop", calendar="*-*-* 02:30")
        self.wait_run(series)
        self.assertEqual(series.get("DueAt"), utc("2026-10-26 01:30:00") * SEC)
        self.set_clock_to(utc("2026-10-25 01:29:59"))
        time.sleep(2)
        self.session.restart()
        self.session.settles(lambda: series.get("DueAt") == utc("2026-10-26 01:30:00") * SEC, "it is due again")
        self.assertEqual(len(self.runs_of(series)), 1)

    def test_every_knows_no_zones(self):
        """An hour is an hour."""
        self.start_at(utc("2026-10-25 00:30:00"))
        series = self.session.start("noop", every=2 * HOUR * SEC)
        self.wait_run(series)
        due = series.get("DueAt") / SEC
        self.assertLess(abs(due - utc("2026-10-25 02:30:00")), 10)


@unittest.skipIf(os.geteuid() != 0, "an /etc of our own takes root")
class ZoneTest(DaemonTestCase):
    """The machine is given another time zone, as timedatectl(1) does it."""

    def setUp(self):
        self.sessions = []
        self.own_etc()
        self.set_zone("UTC")
        self.session = self.new_session(start=False)
        self.session.env.pop("TZ", None)
        self.session.start_daemon()

    def own_etc(self):
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) < 0:
            self.skipTest("no mount namespace of our own: " + os.strerror(ctypes.get_errno()))
        top = self.enterContext(tempfile.TemporaryDirectory(prefix="longrun-test-"))
        steps = [["--make-rprivate", "/"], ["-t", "tmpfs", "tmpfs", top]]
        for step in steps:
            subprocess.run(["mount", *step], check=True)
        self.addCleanup(subprocess.run, ["umount", "--lazy", top], check=True)
        for name in ("upper", "work"):
            os.mkdir(f"{top}/{name}")
        r = subprocess.run(["mount", "-t", "overlay", "-o", f"lowerdir=/etc,upperdir={top}/upper,workdir={top}/work", "overlay",
                            "/etc"], stderr=subprocess.PIPE, text=True, check=False)
        if r.returncode:
            self.skipTest("no overlay on /etc: " + r.stderr.strip())
        self.addCleanup(subprocess.run, ["umount", "--lazy", "/etc"], check=True)

    @staticmethod
    def set_zone(name):
        os.symlink(f"/usr/share/zoneinfo/{name}", "/etc/.localtime.new")
        os.rename("/etc/.localtime.new", "/etc/localtime")

    def test_zone(self):
        here = self.session.start("noop", calendar="2099-07-01 12:00")
        there = self.session.start("noop", calendar="2099-07-01 12:00 Asia/Tokyo")
        due = there.get("DueAt")
        self.assertEqual(here.get("DueAt"), utc("2099-07-01 12:00:00") * SEC)
        for zone, hour in (("America/Phoenix", 19), ("Asia/Kolkata", 6.5), ("UTC", 12)):
            self.set_zone(zone)
            want = (utc("2099-07-01 00:00:00") + int(hour * HOUR)) * SEC
            self.session.settles(lambda w=want: here.get("DueAt") == w, f"it is not asked anew in {zone}")
            self.assertRegex(here.get("Reason"), "runs next at 2099-07-01 12:00:00")
            self.session.settles(lambda: there.get("DueAt") == due, "another zone was changed, too")


if __name__ == "__main__":
    if not shutil.which("systemd-analyze"):
        print("SKIP: systemd-analyze is not installed (package systemd)")
        sys.exit(SKIP)
    main()
