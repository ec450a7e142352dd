#!/usr/bin/python3
"""The torture of the daemon under a real systemd user manager, where each task has a cgroup of its own.

Run by user-manager, see test_service.py.
"""

import os
import pathlib
import subprocess
import sys
import unittest

from longrun_testing import Gio
from process_testing import command_line, is_gone, processes_of, until
from torture_testing import Torture, seconds, seed

UNIT = "longrund.service"
TASKS_UNIT = "longrun-tasks.service"
LONGRUND = pathlib.Path(os.environ.get("PREFIX", "")) / "libexec/longrun/longrund"

SECONDS, TASKS, KILLS = 8, 40, 10


def systemctl(*args):
    r = subprocess.run(["systemctl", "--user", *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                       timeout=120, check=False)
    if r.returncode != 0:
        raise AssertionError(f"systemctl {' '.join(args)}: {r.stdout}")
    return r.stdout.strip()


def show(name, unit):
    return systemctl("show", "--value", "--property", name, unit)


class UserManagerRig:
    """The installed units, and the files of the user that we are."""

    def __init__(self):
        self.env = dict(os.environ)
        self.runtime = self.env["XDG_RUNTIME_DIR"]
        self.folder = f"{self.runtime}/longrun"
        self.state = str(pathlib.Path.home() / ".local/state/longrun")
        self.side = str(pathlib.Path.home() / "torture")
        self.longrun = "longrun"
        os.makedirs(self.side)
        config = pathlib.Path.home() / ".config/longrun/longrun.conf"
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text("[Manager]\nMaxParallel=16\n", encoding="ascii")

    def connect(self):
        return Gio.DBusConnection.new_for_address_sync(
            self.env["DBUS_SESSION_BUS_ADDRESS"],
            Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)

    @staticmethod
    def daemon():
        pid = int(show("MainPID", UNIT))
        return pid if pid and not is_gone(pid) else None

    @staticmethod
    def kill_daemon(_pid):
        systemctl("kill", "--signal=KILL", UNIT)
        # How often it may be started within some seconds is not what this is about.
        systemctl("reset-failed")

    @staticmethod
    def end_daemon():
        systemctl("stop", UNIT)

    def check_end(self):
        cgroup = pathlib.Path(f"/sys/fs/cgroup{show('ControlGroup', TASKS_UNIT)}")
        assert (cgroup / "keeper").is_dir(), f"{cgroup} is not that of the tasks"
        until(lambda: not list(cgroup.glob("task-*")), lambda: f"cgroups that are left: {list(cgroup.glob('task-*'))}", 10)
        systemctl("stop", TASKS_UNIT)
        until(lambda: not self.strays(), lambda: f"processes that are left: {self.strays()}", 10)

    def strays(self):
        found = {pid: command_line(pid) for pid in processes_of(self.runtime)}
        return {pid: line for pid, line in found.items() if "longrun" in line or "torture" in line or "sleep" in line}


class TortureServiceTest(unittest.TestCase):
    def test_daemon_killed(self):
        length = seconds(SECONDS)
        share = length / SECONDS
        torture = Torture(UserManagerRig(), self, seed(), int(TASKS * share), int(KILLS * share), length)
        torture.run()
        self.assertEqual(torture.call("Get", "(ss)", "org.longrun.Longrun1.Manager", "Isolation",
                                      interface="org.freedesktop.DBus.Properties")[0], "cgroup")
        torture.check()
        torture.end()
        torture.summary()


if __name__ == "__main__":
    if not LONGRUND.exists():
        sys.exit("run this by user-manager --install, see above")
    os.environ.setdefault("LONGRUND", str(LONGRUND))
    unittest.main(verbosity=2)
