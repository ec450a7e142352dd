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
TASKS_UNIT = "longrun-tasks.service"
NAME = "org.longrun.Longrun1"
ROOT = "/org/longrun/Longrun1"
MANAGER = "org.longrun.Longrun1.Manager"
TASK = "org.longrun.Longrun1.Task"

PREFIX = pathlib.Path(os.environ.get("PREFIX", ""))
LONGRUND = PREFIX / "libexec/longrun/longrund"
CONFIG = pathlib.Path.home() / ".config/longrun/longrun.conf"
STATE = pathlib.Path.home() / ".local/state/longrun"
RUNTIME = pathlib.Path(os.environ.get("XDG_RUNTIME_DIR", "")) / "longrun"
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
    """What it prints as JSON, without the type; None for nothing."""
    text = run("busctl", "--user", "--json=short", *args).stdout
    return json.loads(text)["data"] if text else None


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


def tasks_cgroup():
    """The one below which each task has a leaf."""
    return pathlib.Path(f"/sys/fs/cgroup{show('ControlGroup', TASKS_UNIT)}")


def leaf(task):
    return tasks_cgroup() / f"task-{task}"


def leaves():
    """Of all tasks. None while the unit does not run."""
    if not show("ControlGroup", TASKS_UNIT):
        return []
    return sorted(path.name for path in tasks_cgroup().glob("task-*"))


def leaf_pids(task):
    """Every process of the task."""
    try:
        return {int(pid) for pid in (leaf(task) / "cgroup.procs").read_text(encoding="ascii").split()}
    except FileNotFoundError:
        return set()


def ends(*tasks):
    """State and code of each, once all have ended."""
    return [tuple(end[1:]) for end in call("Wait", "at", str(len(tasks)), *tasks)[0]]


class ServiceTest(unittest.TestCase):
    def setUp(self):
        shutil.rmtree(DROP_INS, ignore_errors=True)
        CONFIG.unlink(missing_ok=True)
        # The tasks first, so that the daemon can write down how they end.
        systemctl("stop", TASKS_UNIT)
        systemctl("stop", UNIT)
        systemctl("reset-failed", check=False)
        systemctl("daemon-reload")
        shutil.rmtree(STATE, ignore_errors=True)
        self.assertEqual((show("ActiveState"), show("ActiveState", TASKS_UNIT)), ("inactive", "inactive"))

    @classmethod
    def tearDownClass(cls):
        systemctl("stop", TASKS_UNIT)
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
        task = start_command("sh", "-c", script, options=options)
        until(lambda: b"ready" in bytes(self.log(task)), "the task printed ready")
        until(lambda: task_get(task, "State") == "running", "the task runs")
        pids = leaf_pids(task)
        self.assertIn(task_get(task, "Pid"), pids)
        return task, pids

    def assertNoneLives(self, pids):
        self.assertEqual([pid for pid in pids if not is_gone(pid)], [])

    def assertAllLive(self, pids):
        self.assertEqual([pid for pid in pids if is_gone(pid)], [])

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

    def test_output_in_the_journal(self):
        """Of commands, and of kinds in the daemon and outside of it; what is started before a reload is not concerned."""
        systemctl("start", UNIT)
        gate = pathlib.Path.home() / "gate"
        early = start_command("sh", "-c", f"until [ -e {gate} ]; do sleep 0.05; done; echo not there",
                              options=("1", "label", "s", "early"))
        CONFIG.parent.mkdir(parents=True, exist_ok=True)
        CONFIG.write_text("[Manager]\nJournal=yes\n", encoding="utf-8")
        call("Reload")
        task = start_command("sh", "-c", "printf 'begin\\n 10%%\\r100%%\\n'; echo 'caf\u00e9' >&2; echo '\033[31mred'; "
                             "printf '\\377 last'; exit 3", options=("1", "label", "s", "A label"))
        kinds = [call("Start", "sa{sv}", "countdown", *options, "params", "s", '{"steps": 1, "step_ms": 1}')[0]
                 for options in (("2", "label", "s", "thread"), ("3", "isolate", "b", "true", "label", "s", "worker"))]
        gate.touch()
        self.assertEqual([state for state, _ in ends(early, task, *kinds)],
                         ["succeeded", "failed", "succeeded", "succeeded"])
        gate.unlink()

        # Each test begins with task 1: labels tell them apart.
        def lines(label, count):
            return until(lambda: (found := journal(f"TASK_LABEL={label}", "TASK_STREAM=stdout") +
                                  journal(f"TASK_LABEL={label}", "TASK_STREAM=stderr")) and len(found) == count and found,
                         f"{count} lines of {label} in the journal")

        keys = ("MESSAGE", "PRIORITY", "TASK_STREAM", "SYSLOG_IDENTIFIER", "TASK_ID")
        rest = ("sh", str(task))
        self.assertEqual([tuple(entry[key] for key in keys) for entry in lines("A label", 5)], [
            ("begin", "6", "stdout", *rest), ("100%", "6", "stdout", *rest), ("red", "6", "stdout", *rest),
            ("\ufffd last", "6", "stdout", *rest), ("caf\u00e9", "4", "stderr", *rest)])
        said = bytes(self.log(kinds[0])).decode().splitlines()
        for label in ("thread", "worker"):
            found = lines(label, len(said))
            self.assertEqual([entry["MESSAGE"] for entry in found], said)
            self.assertEqual({entry["SYSLOG_IDENTIFIER"] for entry in found}, {"countdown"})
        self.assertEqual(journal("TASK_LABEL=early"), [])

    def test_journal_that_lags(self):
        """A burst of lines arrives all the same; a flood is in the log, and the journal says what it does not have."""
        CONFIG.parent.mkdir(parents=True, exist_ok=True)
        CONFIG.write_text("[Manager]\nJournal=yes\n", encoding="utf-8")
        systemctl("start", UNIT)
        # More than a socket may take at once.
        burst = start_command("seq", "20", options=("1", "label", "s", "burst"))
        self.assertEqual(ends(burst), [("succeeded", 0)])
        expected = [str(i + 1) for i in range(20)]
        until(lambda: [entry["MESSAGE"] for entry in journal("TASK_LABEL=burst")] == expected, "all lines of a burst")
        flood = start_command("seq", "300000", options=("1", "label", "s", "flood"))
        self.assertEqual(ends(flood), [("succeeded", 0)])
        found = until(lambda: journal("TASK_LABEL=flood", "TASK_STREAM=longrun"), "what is missing is told")
        self.assertRegex(found[0]["MESSAGE"], r"^\d+ lines were not taken by the journal")
        self.assertEqual(task_get(flood, "LogSize"), sum(len(str(i + 1)) + 1 for i in range(300000)))

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

    def test_stop_of_the_daemon(self):
        """No task that has processes notices."""
        task, pids = self.running_task("setsid sleep 1000 & sleep 1000 & echo ready; wait")
        self.assertGreaterEqual(len(pids), 3)
        thread = call("Start", "sa{sv}", "countdown", "1", "params", "s", '{"step_ms": 100000}')[0]
        until(lambda: task_get(thread, "State") == "running", "the thread runs")
        started = time.monotonic()
        systemctl("stop", UNIT)
        self.assertLess(time.monotonic() - started, 8)
        self.assertEqual((show("Result"), show("ExecMainStatus")), ("success", "0"))
        self.assertAllLive(pids)
        self.assertEqual(task_get(task, "State"), "running")  # this starts another
        self.assertEqual(ends(thread), [("interrupted", -1)])
        call("Cancel", "at", "1", str(task))
        self.assertEqual(ends(task), [("cancelled", 143)])
        self.assertNoneLives(pids)

    # --- longrun-tasks.service ---

    def test_started_on_demand(self):
        systemctl("start", UNIT)
        self.assertEqual(show("ActiveState", TASKS_UNIT), "inactive")
        task, pids = self.running_task("setsid sleep 1000 & echo ready; wait")
        self.assertEqual((show("ActiveState", TASKS_UNIT), show("SubState", TASKS_UNIT)), ("active", "running"))
        self.assertEqual(show("Slice", TASKS_UNIT), "background.slice")
        self.assertEqual(get("Isolation"), "cgroup")
        # All of it is in the leaf, and what watches over it is not.
        self.assertEqual(leaves(), [f"task-{task}"])
        self.assertEqual(len(pids), 2)
        shim = int(run("ps", "-o", "ppid=", "-p", task_get(task, "Pid")).stdout)
        self.assertNotIn(shim, pids)
        self.assertNotIn(int(show("MainPID")), leaf_pids(task))
        call("Cancel", "at", "1", str(task))
        self.assertEqual(ends(task), [("cancelled", 143)])
        self.assertNoneLives(pids)
        self.assertEqual(leaves(), [])
        self.assertEqual(sorted(path.name for path in RUNTIME.glob("task-*")), [])

    def test_usage_is_that_of_the_cgroup(self):
        task = start_command("sh", "-c", "setsid sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done' & wait")
        self.assertEqual(ends(task), [("succeeded", 0)])
        self.assertGreater(task_get(task, "Usage")["cpu-usec"]["data"], 50000)

    def test_cancel_kills_what_no_signal_reaches(self):
        """Each of these has left process group, session and parent, and ignores SIGTERM."""
        script = "for i in 1 2 3; do (setsid sh -c 'trap \"\" TERM; while :; do sleep 1; done' &); done; echo ready; exit 3"
        task = start_command("sh", "-c", script, options=("1", "stop-timeout", "t", "500000"))
        pids = until(lambda: len(leaf_pids(task)) >= 3 and leaf_pids(task), "its processes")
        call("Cancel", "at", "1", str(task))
        self.assertEqual(ends(task)[0][0], "cancelled")
        self.assertNoneLives(pids)
        self.assertEqual(leaves(), [])

    def test_pause_freezes(self):
        task, pids = self.running_task("setsid sh -c 'while :; do echo x; sleep 0.02; done' & echo ready; wait")
        busctl("call", NAME, f"{ROOT}/task/{task}", TASK, "Pause")
        until(lambda: task_get(task, "State") == "paused", "the task is paused")
        self.assertEqual((leaf(task) / "cgroup.freeze").read_text(encoding="ascii").strip(), "1")
        until(lambda: "frozen 1" in (leaf(task) / "cgroup.events").read_text(encoding="ascii"), "it is frozen")
        # Over another daemon, too. The first one looks how much there is in the log.
        systemctl("restart", UNIT)
        size = task_get(task, "LogSize")
        systemctl("restart", UNIT)
        self.assertEqual(task_get(task, "State"), "paused")
        self.assertEqual(task_get(task, "LogSize"), size)
        busctl("call", NAME, f"{ROOT}/task/{task}", TASK, "Resume")
        until(lambda: task_get(task, "State") == "running", "the task goes on")
        until(lambda: task_get(task, "LogSize") > size, "it prints again")
        busctl("call", NAME, f"{ROOT}/task/{task}", TASK, "Pause")
        until(lambda: task_get(task, "State") == "paused", "the task is paused")
        call("Cancel", "at", "1", str(task))
        self.assertEqual(ends(task)[0][0], "cancelled")
        self.assertNoneLives(pids)

    def test_stop_of_the_tasks(self):
        """All of them are interrupted, each after its own stop timeout, and say by what."""
        busctl("set-property", NAME, ROOT, MANAGER, "MaxParallel", "u", "3")
        ready = [self.running_task("setsid sleep 1000 & echo ready; wait") for _ in range(2)]
        ready.append(self.running_task("trap '' TERM; echo ready; while :; do sleep 1; done",
                                       ("1", "stop-timeout", "t", "1000000")))
        tasks = [task for task, _ in ready]
        pids = [pid for _, pids in ready for pid in pids]
        started = time.monotonic()
        systemctl("stop", TASKS_UNIT)
        self.assertLess(time.monotonic() - started, 15)
        self.assertEqual([state for state, _ in ends(*tasks)], ["interrupted"] * 3)
        for task in tasks:
            self.assertRegex(task_get(task, "Message"), TASKS_UNIT)
        self.assertNoneLives(pids)
        self.assertEqual((show("ActiveState", TASKS_UNIT), show("Result", TASKS_UNIT)), ("inactive", "success"))
        # The next one starts it again.
        task = start_command("sh", "-c", "exit 4")
        self.assertEqual(ends(task), [("failed", 4)])
        self.assertEqual(show("ActiveState", TASKS_UNIT), "active")

    def test_tasks_killed(self):
        """With the keeper and the shims, all at once."""
        task, pids = self.running_task("setsid sleep 1000 & echo ready; wait")
        again, more = self.running_task("echo ready; [ -e $HOME/second ] && exit 5; touch $HOME/second; exec sleep 1000",
                                        ("1", "on-interrupt", "s", "restart"))
        systemctl("kill", "--signal=KILL", TASKS_UNIT)
        self.assertEqual(ends(task, again), [("interrupted", -1), ("failed", 5)])
        self.assertNoneLives(pids | more)
        self.assertEqual(task_get(again, "Attempt"), 2)
        (pathlib.Path.home() / "second").unlink()

    @staticmethod
    def replace_programs():
        """By copies, which have names, and nothing else, in common with those that run."""
        for path in LONGRUND.parent.iterdir():
            before = path.stat()
            new = path.with_name(f"{path.name}.new")
            shutil.copy(path, new)
            new.rename(path)
            assert path.stat().st_ino != before.st_ino

    def test_upgrade(self):
        """The programs are replaced and the daemon restarted while 20 tasks run: none notices."""
        systemctl("start", UNIT)
        busctl("set-property", NAME, ROOT, MANAGER, "MaxParallel", "u", "20")
        gate = pathlib.Path.home() / "gate"
        script = f"echo ready; until [ -e {gate} ]; do sleep 0.05; done; echo end; exit $0"
        tasks = [start_command("sh", "-c", script, str(i)) for i in range(20)]
        until(lambda: call("CountTasks", "a{sv}", "0")[0] == {"running": 20}, "all run")
        until(lambda: all(b"ready" in bytes(self.log(task)) for task in tasks), "all are ready")
        pids = [task_get(task, "Pid") for task in tasks]
        old = owner_pid()
        self.replace_programs()
        systemctl("restart", UNIT)
        self.assertNotEqual(owner_pid(), old)
        self.assertEqual(call("CountTasks", "a{sv}", "0")[0], {"running": 20})
        self.assertEqual([task_get(task, "Pid") for task in tasks], pids)
        self.assertAllLive(pids)
        gate.touch()
        self.assertEqual(ends(*tasks), [("failed" if i else "succeeded", i) for i in range(20)])
        for task in tasks:
            self.assertEqual(bytes(self.log(task)), b"ready\nend\n")
            self.assertEqual(task_get(task, "Attempt"), 1)
        gate.unlink()
        self.assertEqual(leaves(), [])
        task = start_command("sh", "-c", "exit 4")
        self.assertEqual(ends(task), [("failed", 4)])

    def test_end_at_logout(self):
        """Nothing lets this user linger: the daemon knows, and the client says so, once."""
        self.assertIs(get("EndsAtLogout"), True)
        (RUNTIME.parent / "longrun-logout-warned").unlink(missing_ok=True)
        said = [run("longrun", "start", "--", "true").stdout for _ in range(3)]
        self.assertIn("enable-linger", said[0])
        self.assertEqual([text for text in said[1:] if "linger" in text], [])

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
        task, pids = self.running_task("setsid sleep 1000 & echo ready; wait")
        os.kill(pid, signal.SIGKILL)
        self.restarted(pid)
        self.assertAllLive(pids)
        self.assertEqual(task_get(task, "State"), "running")

    def test_bus_is_lost(self):
        systemctl("start", UNIT)
        pid = owner_pid()
        task, pids = self.running_task("echo ready; exec sleep 1000")
        # Not by SIGKILL: systemd 252 then waits 90 s for an answer from the bus that it has to start.
        systemctl("restart", "dbus.service")
        self.restarted(pid)
        self.assertAllLive(pids)
        self.assertEqual(task_get(task, "State"), "running")
        until(lambda: journal("UNIT_RESULT=exit-code", f"USER_UNIT={UNIT}"), "the journal says why")


if __name__ == "__main__":
    if not PREFIX.is_absolute() or not LONGRUND.exists():
        sys.exit("run this by user-manager --install, see above")
    unittest.main(verbosity=2)
