#!/usr/bin/python3
"""longrund under a real systemd user manager, from what `meson install` has installed.

Run by user-manager, as an ordinary user with a manager of his own:

    user-manager --install BUILDDIR --copy tests/integration -- /run/longrun-test/integration/test_service.py
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import unittest

UNIT = "longrund.service"
NAME = "org.longrun.Longrun1"
ROOT = "/org/longrun/Longrun1"
MANAGER = "org.longrun.Longrun1.Manager"
TASK = "org.longrun.Longrun1.Task"

PREFIX = pathlib.Path(os.environ.get("PREFIX", ""))
LONGRUND = PREFIX / "libexec/longrun/longrund"
CONFIG = pathlib.Path.home() / ".config/longrun/longrun.conf"
DROP_INS = pathlib.Path.home() / f".config/systemd/user/{UNIT}.d"

DEADLINE_SEC = 30


# For a longrund that does not share the files of the service.
OTHER_DIRECTORIES = {**os.environ, "XDG_STATE_HOME": str(pathlib.Path.home() / "state"),
                     "XDG_RUNTIME_DIR": str(pathlib.Path.home() / "run"),
                     "DBUS_SESSION_BUS_ADDRESS": os.environ.get("DBUS_SESSION_BUS_ADDRESS", "")}


def run(*command, check=True, env=None):
    r = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                       timeout=120, env=env)
    if check and r.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit status {r.returncode}: {r.stdout}")
    return r


def systemctl(*args, check=True):
    return run("systemctl", "--user", *args, check=check)


def show(name, unit=UNIT):
    return systemctl("show", "--value", "--property", name, unit).stdout.strip()


def busctl(*args):
    """What it prints as JSON, without the type."""
    return json.loads(run("busctl", "--user", "--json=short", *args).stdout)["data"]


def call(method, *args, auto_start=True):
    return busctl(f"--auto-start={'yes' if auto_start else 'no'}", "--", "call", NAME, ROOT, MANAGER, method, *args)


def get(name, path=ROOT, interface=MANAGER):
    return busctl("get-property", NAME, path, interface, name)


def start_command(*argv, options=("0",)):
    """Starts a command task and returns its id."""
    return call("StartCommand", "asa{sv}", str(len(argv)), *argv, *options)[0]


def task_get(task, name):
    return get(name, f"{ROOT}/task/{task}", TASK)


def owner_pid():
    return busctl("call", "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "GetConnectionUnixProcessID", "s",
                  NAME)[0]


def until(condition, what):
    """Waits for a thing to become true and returns it."""
    deadline = time.monotonic() + DEADLINE_SEC
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not in {DEADLINE_SEC} s: {what}")
        time.sleep(0.02)


def is_gone(pid):
    """One that has ended and that its parent, here the user manager, is about to collect does not count."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def journal(*matches):
    """The entries that have all of these FIELD=VALUE."""
    out = run("journalctl", "--quiet", "--no-pager", "--output=json", *matches).stdout
    return [json.loads(line) for line in out.splitlines()]


def unit_pids():
    """Every process in the unit's cgroup."""
    group = pathlib.Path(f"/sys/fs/cgroup{show('ControlGroup')}")
    return {int(pid) for path in group.rglob("cgroup.procs") for pid in path.read_text(encoding="ascii").split()}


class ServiceTest(unittest.TestCase):
    def setUp(self):
        shutil.rmtree(DROP_INS, ignore_errors=True)
        CONFIG.unlink(missing_ok=True)
        systemctl("stop", UNIT)
        systemctl("reset-failed", check=False)
        systemctl("daemon-reload")
        self.assertEqual(show("ActiveState"), "inactive")

    @classmethod
    def tearDownClass(cls):
        systemctl("stop", UNIT)
        said = "\n".join(str(entry["MESSAGE"]) for entry in journal(f"_SYSTEMD_USER_UNIT={UNIT}"))
        if "Sanitizer" in said or "runtime error:" in said:
            raise AssertionError("a sanitizer complained, see the journal")

    def drop_in(self, text):
        DROP_INS.mkdir(parents=True, exist_ok=True)
        (DROP_INS / "test.conf").write_text(text, encoding="ascii")
        systemctl("daemon-reload")

    def configure(self, text):
        CONFIG.parent.mkdir(parents=True, exist_ok=True)
        CONFIG.write_text(text, encoding="ascii")

    def running_task(self, script, options=("0",)):
        """Starts a shell script that prints "ready" and returns the task and all processes that it made."""
        before = unit_pids()
        task = start_command("sh", "-c", script, options=options)
        until(lambda: b"ready" in bytes(self.log(task)), "the task printed ready")
        self.assertEqual(task_get(task, "State"), "running")
        pids = unit_pids() - before
        self.assertIn(task_get(task, "Pid"), pids)
        return task, pids

    @staticmethod
    def log(task):
        return busctl("call", NAME, f"{ROOT}/task/{task}", TASK, "ReadLog", "tu", "0", "65536")[0]

    def restarted(self, pid):
        """Waits for a main process other than this one, and holds it to answering on the bus."""
        new = until(lambda: show("ActiveState") == "active" and int(show("MainPID")) not in (0, pid)
                    and int(show("MainPID")), "the unit was restarted")
        self.assertTrue(call("ListTasks", "a{sv}", "0", auto_start=False) is not None)
        self.assertEqual(owner_pid(), new)

    # --- started ---

    def test_started_by_a_call_to_its_name(self):
        self.assertEqual(get("MaxParallel"), os.cpu_count())
        self.assertEqual(show("ActiveState"), "active")
        self.assertEqual(show("SubState"), "running")
        self.assertEqual(int(show("MainPID")), owner_pid())
        self.assertEqual(os.readlink(f"/proc/{owner_pid()}/exe"), str(LONGRUND))
        self.assertEqual(show("FragmentPath"), str(PREFIX / f"share/systemd/user/{UNIT}"))

    def test_started_by_the_command_line_client(self):
        run("longrun", "list")
        self.assertEqual(show("ActiveState"), "active")
        self.assertEqual(int(show("MainPID")), owner_pid())

    def test_started_by_systemctl_is_ready_when_that_returns(self):
        systemctl("start", UNIT)
        call("CountTasks", "a{sv}", "0", auto_start=False)

    def test_enabled(self):
        systemctl("enable", UNIT)
        self.assertEqual(show("UnitFileState"), "enabled")
        self.assertIn(UNIT, show("Wants", "default.target"))
        systemctl("disable", UNIT)

    def test_unit_is_valid(self):
        self.assertEqual(run("systemd-analyze", "verify", "--user", show("FragmentPath")).stdout, "")

    # --- while it runs ---

    def test_status_tells_what_it_does(self):
        systemctl("start", UNIT)
        self.assertNotEqual(show("StatusText"), "")
        self.running_task("echo ready; exec sleep 1000")
        until(lambda: show("StatusText").startswith("1 running"), "the status counts the task")
        call("CancelAll", "a{sv}", "0")
        until(lambda: show("StatusText").startswith("0 running"), "the status forgets the task")

    def test_tasks_are_not_confined(self):
        task = start_command("grep", "-E", "^(SigIgn|SigBlk|NoNewPrivs|Seccomp|Umask):", "/proc/self/status")
        self.assertEqual(call("Wait", "at", "1", str(task))[0][0][1], "succeeded")
        status = dict(line.split(":\t") for line in bytes(self.log(task)).decode().splitlines())
        # posix_spawn(3) leaves 32 and 33, of the threads library, ignored in whatever it starts.
        self.assertEqual(int(status["SigIgn"], 16) & ~(3 << 31), 0)
        self.assertEqual(int(status["SigBlk"], 16), 0)
        self.assertEqual(status["NoNewPrivs"], "0")
        self.assertEqual(status["Seccomp"], "0")
        self.assertEqual(status["Umask"], "0022")

    def test_journal_knows_the_task(self):
        task = start_command("sh", "-c", "exit 7")
        self.assertEqual(call("Wait", "at", "1", str(task))[0][0][1:], ["failed", 7])
        entries = until(lambda: journal(f"TASK_ID={task}"), "a journal entry with TASK_ID")
        self.assertEqual({entry["_SYSTEMD_USER_UNIT"] for entry in entries}, {UNIT})
        self.assertEqual({entry["SYSLOG_IDENTIFIER"] for entry in entries}, {"longrund"})

    def test_second_one_is_refused(self):
        systemctl("start", UNIT)
        pid = owner_pid()
        r = run(LONGRUND, check=False)
        self.assertEqual(r.returncode, 1)
        self.assertRegex(r.stdout, "Another longrund uses .*: end it first")
        # The bus name is the lock, where the files are no matter of dispute.
        r = run(LONGRUND, env=OTHER_DIRECTORIES, check=False)
        self.assertEqual(r.returncode, 1)
        self.assertRegex(r.stdout, f"already.*pid {pid} owns {NAME}.*systemctl --user stop longrund")
        self.assertEqual(owner_pid(), pid)
        self.assertEqual(int(show("MainPID")), pid)

    def test_not_active_while_another_has_the_name(self):
        self.drop_in("[Service]\nRestart=no\n")
        with subprocess.Popen([LONGRUND], env=OTHER_DIRECTORIES) as other:
            until(lambda: NAME in run("busctl", "--user", "list", "--acquired").stdout, "the other one has the name")
            try:
                self.assertNotEqual(systemctl("start", UNIT, check=False).returncode, 0)
                self.assertEqual(show("ActiveState"), "failed")
            finally:
                other.terminate()
                self.assertEqual(other.wait(DEADLINE_SEC), 0)

    def test_reload(self):
        self.configure("[Manager]\nMaxParallel=3\n")
        self.assertEqual(get("MaxParallel"), 3)
        pid = owner_pid()
        self.configure("[Manager]\nMaxParallel=5\n")
        systemctl("reload", UNIT)
        self.assertEqual(get("MaxParallel"), 5)
        self.configure("[Manager]\nMaxParallel=none of it\n")
        self.assertNotEqual(systemctl("reload", UNIT, check=False).returncode, 0)
        self.assertEqual(get("MaxParallel"), 5)
        self.assertEqual(owner_pid(), pid)

    # --- how it ends, and comes back ---

    def test_stop_ends_tasks(self):
        _, pids = self.running_task("setsid sleep 1000 & sleep 1000 & echo ready; wait")
        self.assertGreaterEqual(len(pids), 3)
        started = time.monotonic()
        systemctl("stop", UNIT)
        self.assertLess(time.monotonic() - started, 8)
        self.assertEqual([pid for pid in pids if not is_gone(pid)], [])
        self.assertEqual(show("ActiveState"), "inactive")
        self.assertEqual(show("Result"), "success")
        self.assertEqual(show("ExecMainStatus"), "0")

    def test_stop_ends_a_stubborn_task(self):
        _, pids = self.running_task("trap '' TERM; echo ready; while :; do sleep 1; done",
                                    ("1", "stop-timeout", "t", "1000000"))
        started = time.monotonic()
        systemctl("stop", UNIT)
        self.assertLess(time.monotonic() - started, 15)
        self.assertEqual([pid for pid in pids if not is_gone(pid)], [])
        self.assertEqual(show("Result"), "success")

    def test_watchdog(self):
        self.drop_in("[Service]\nWatchdogSec=2s\n")
        systemctl("start", UNIT)
        pid = owner_pid()
        begin = len(journal("UNIT_RESULT=watchdog"))
        time.sleep(5)  # two watchdog intervals and more, in which it has to have lived
        self.assertEqual((show("NRestarts"), owner_pid()), ("0", pid))
        os.kill(pid, signal.SIGSTOP)
        self.restarted(pid)
        self.assertEqual(show("NRestarts"), "1")
        until(lambda: len(journal("UNIT_RESULT=watchdog")) == begin + 1, "the journal says why")

    def test_crash(self):
        systemctl("start", UNIT)
        pid = owner_pid()
        _, pids = self.running_task("setsid sleep 1000 & echo ready; wait")
        os.kill(pid, signal.SIGKILL)
        self.restarted(pid)
        self.assertEqual([pid for pid in pids if not is_gone(pid)], [])

    def test_bus_is_lost(self):
        systemctl("start", UNIT)
        pid = owner_pid()
        _, pids = self.running_task("echo ready; exec sleep 1000")
        # Not by SIGKILL: systemd 252 then waits 90 s for an answer from the bus that it has to start.
        systemctl("restart", "dbus.service")
        self.restarted(pid)
        self.assertEqual([pid for pid in pids if not is_gone(pid)], [])
        until(lambda: journal("UNIT_RESULT=exit-code", f"USER_UNIT={UNIT}"), "the journal says why")


if __name__ == "__main__":
    if not PREFIX.is_absolute() or not LONGRUND.exists():
        sys.exit("run this by user-manager --install, see above")
    unittest.main(verbosity=2)
