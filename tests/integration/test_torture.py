#!/usr/bin/python3
"""200 tasks of all sorts while the daemon is killed 50 times; and while their supervisors are.

    LONGRUND=PATH LONGRUN=PATH test_torture.py

LONGRUN_TORTURE_SEC    how long tasks are started and things killed; there are as many more tasks and kills
LONGRUN_TORTURE_SEED   to do the same again, as far as chance allows
"""

import ctypes
import unittest

from daemon_testing import PR_SET_CHILD_SUBREAPER, main, sanitized
from torture_testing import PrivateBusRig, Torture, seconds, seed

# In CI.
DAEMON_SEC, DAEMON_TASKS, DAEMON_KILLS = 30, 200, 50
SHIM_SEC, SHIM_TASKS, SHIM_KILLS = 10, 100, 30


class TortureTest(unittest.TestCase):
    def setUp(self):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def torture(self, of, default, tasks, kills):
        length = seconds(default)
        # With the sanitizers everything takes longer, the start of a daemon most of all.
        share = length / default / (2.5 if sanitized() else 1)
        with PrivateBusRig() as rig:
            torture = Torture(rig, self, seed(), int(tasks * share), int(kills * share), length, of=of)
            try:
                torture.all()
            except BaseException:
                print("--- the bus and longrund said ---", rig.said(), sep="\n")
                raise

    def test_daemon_killed(self):
        self.torture("daemon", DAEMON_SEC, DAEMON_TASKS, DAEMON_KILLS)

    def test_shims_killed(self):
        self.torture("shim", SHIM_SEC, SHIM_TASKS, SHIM_KILLS)


if __name__ == "__main__":
    main()
