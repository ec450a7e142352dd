"""What the integration tests stand on: a session bus of their own with the real longrund on it.

A Session has a home, XDG folders and a bus of its own. It is given up by stop(), which looks at what was left: the
daemon must be alive, have no descriptor more than at its start, no child, no folder of a task without a result, end
with exit status 0 on SIGTERM, and nobody may have left a process behind.

The daemon is the program that LONGRUND in the environment names.
"""

import contextlib
import ctypes
import json
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import typing
import unittest

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

SKIP = 77
DEADLINE_SEC = 30

NAME = "org.longrun.Longrun1"
ROOT = "/org/longrun/Longrun1"
MANAGER = "org.longrun.Longrun1.Manager"
TASK = "org.longrun.Longrun1.Task"
ERROR_PREFIX = "org.longrun.Longrun1.Error."
PROPERTIES = "org.freedesktop.DBus.Properties"

FINAL = {"succeeded", "failed", "cancelled", "interrupted"}

# D-Bus types of the options of a task.
OPTIONS = {
    "label": "s", "group": "s", "cwd": "s", "env": "as", "clear-env": "b", "umask": "u", "stop-timeout": "t",
    "isolate": "b", "log-max": "t", "result-max": "t", "unique": "s", "params": "s", "argv": "as",
}
# And of the keys of a filter.
FILTER = {
    "states": "as", "group": "s", "kind": "s", "label": "s", "since": "t", "until": "t", "cursor": "t", "limit": "u",
    "fields": "as", "newest-first": "b",
}

BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    {connect}
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
  <!-- Those of the session bus. -->
  <limit name="max_incoming_bytes">1000000000</limit>
  <limit name="max_incoming_unix_fds">250000000</limit>
  <limit name="max_outgoing_bytes">1000000000</limit>
  <limit name="max_outgoing_unix_fds">250000000</limit>
  <limit name="max_message_size">1000000000</limit>
  <limit name="max_completed_connections">100000</limit>
  <limit name="max_incomplete_connections">10000</limit>
  <limit name="max_connections_per_user">100000</limit>
  <limit name="max_names_per_connection">50000</limit>
  <limit name="max_match_rules_per_connection">50000</limit>
  <limit name="max_replies_per_connection">50000</limit>
</busconfig>
"""

PR_SET_CHILD_SUBREAPER = 36


def longrund():
    path = os.environ.get("LONGRUND")
    if not path:
        sys.exit("set LONGRUND to the path of the daemon")
    return pathlib.Path(path).resolve()


def sanitized():
    """Whether the daemon is built with AddressSanitizer: freed memory is not given back then."""
    return b"__asan_init" in longrund().read_bytes()


class DBusError(Exception):
    """An error reply. The name of one of ours is given without its prefix."""

    def __init__(self, name, message):
        super().__init__(f"{name}: {message}")
        self.name = name.removeprefix(ERROR_PREFIX)
        self.message = message

    @classmethod
    def from_glib(cls, error):
        name = Gio.DBusError.get_remote_error(error)
        if not name:
            return cls(f"{error.domain}.{error.code}", error.message)
        return cls(name, error.message.removeprefix(f"GDBus.Error:{name}: "))


class Signal(typing.NamedTuple):
    time: float  # monotonic, when it came
    path: str
    member: str
    args: tuple

    @property
    def id(self):
        return int(self.path.rpartition("/")[2]) if self.path != ROOT else 0


def dictionary(types, values):
    """Keyword arguments as the values of an a{sv}: clear_env=True is {"clear-env": <true>}."""
    pairs = {name.replace("_", "-"): value for name, value in values.items()}
    return {name: value if isinstance(value, GLib.Variant) else GLib.Variant(types[name], value)
            for name, value in pairs.items()}


def options_of(params=None, **options):
    if params is not None:
        options["params"] = params if isinstance(params, str) else json.dumps(params)
    return dictionary(OPTIONS, options)


def children(pid):
    """Child processes: each belongs to the thread that made it."""
    found = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                text = pathlib.Path(f"/proc/{pid}/task/{thread}/children").read_text(encoding="ascii")
                found += [int(child) for child in text.split()]
    return found


def descendants(pid):
    """Child processes, and theirs."""
    return [p for child in children(pid) for p in (child, *descendants(child))]


def command_line(pid):
    try:
        data = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        return data.replace(b"\0", b" ").decode(errors="replace").strip() or "(gone)"
    except OSError:
        return "(gone)"


def wait_gone(pid, timeout=DEADLINE_SEC):
    """Waits for the end of a process that is nobody's child here."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        if not poll.poll(timeout * 1000):
            raise AssertionError(f"process {pid} ({command_line(pid)}) has not ended in {timeout} s")
    finally:
        os.close(fd)


class Fifo:
    """A named pipe by which commands tell the test something, and, by the end of file, that none of the processes
    that have it open is left."""

    def __init__(self, path):
        os.mkfifo(path)
        self.path = str(path)
        self.fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        self.data = b""

    def _wait(self, timeout):
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        if not poll.poll(timeout * 1000):
            raise AssertionError(f"nothing came through {self.path} in {timeout} s")
        return os.read(self.fd, 65536)

    def read_line(self, timeout=DEADLINE_SEC):
        while b"\n" not in self.data:
            more = self._wait(timeout)
            if not more:
                raise AssertionError(f"{self.path} was closed before a line came")
            self.data += more
        line, _, self.data = self.data.partition(b"\n")
        return line.decode()

    def is_closed(self):
        """Whether every process that had it open is gone, now."""
        try:
            while True:
                more = os.read(self.fd, 65536)
                if not more:
                    return True
                self.data += more
        except BlockingIOError:
            return False

    def close(self):
        os.close(self.fd)


class Task:
    def __init__(self, session, number):
        self.session = session
        self.id = number
        self.path = f"{ROOT}/task/{number}"

    def call(self, method, signature="()", *args, **kwargs):
        return self.session.call(method, signature, *args, path=self.path, interface=TASK, **kwargs)

    def get(self, name):
        return self.session.get(name, self.path, TASK)

    def get_all(self):
        return self.session.call("GetAll", "(s)", TASK, path=self.path, interface=PROPERTIES)[0]

    def cancel(self):
        self.call("Cancel")

    def wait(self, timeout=DEADLINE_SEC):
        """Gives state and exit code."""
        return self.call("Wait", timeout=timeout)

    def read_log(self):
        """The whole log, page by page."""
        data, offset = b"", 0
        while True:
            page, offset = self.call("ReadLog", "(tu)", offset, 1 << 20)
            if not page:
                return data
            data += bytes(page)

    def open_log(self):
        reply, fds = self.session.bus.call_with_unix_fd_list_sync(
            NAME, self.path, TASK, "OpenLog", None, None, Gio.DBusCallFlags.NO_AUTO_START, DEADLINE_SEC * 1000, None,
            None)
        return fds.get(reply.unpack()[0])

    def take_result(self):
        return json.loads(self.call("TakeResult")[0])

    def signals(self, *members):
        """Those that have come of this task, in order."""
        return [s for s in self.session.signals if s.path == self.path and (not members or s.member in members)]

    def finished(self, timeout=DEADLINE_SEC):
        """Waits for the signal Finished and gives its state, code and message."""
        self.session.wait_until(lambda: self.signals("Finished"), f"Finished of task {self.id}", timeout)
        return self.signals("Finished")[0].args

    def wait_state(self, state, timeout=DEADLINE_SEC):
        """Waits for a state that lasts."""
        self.session.wait_until(lambda: any(s.args[1].get("State") == state for s in self.signals("PropertiesChanged")),
                                f"task {self.id} to be {state}", timeout)


class Session:
    """config: text of longrun.conf; args: of longrund; everyone: other users may connect to the bus."""

    _started = set()  # processes of all sessions, which are not strays

    def __init__(self, *args, config=None, env=None, everyone=False, start=True):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.args = args
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="lr-", dir="/tmp"))
        self.signals = []
        self.bus = self.bus_daemon = self.daemon = self._descriptors = None
        self.kept_log = ""  # of the daemon and the bus, once all has ended
        self._helpers = []
        self._fifos = []
        for name in ("home", "run"):
            (self.base / name).mkdir(mode=0o700)
        self.state = self.base / "state/longrun"
        self.runtime = self.base / "run/longrun"
        self.config_path = self.base / "config/longrun/longrun.conf"
        self.config_path.parent.mkdir(parents=True)
        if config is not None:
            self.config_path.write_text(config, encoding="utf-8")
        self.log_path = self.base / "log"
        self.env = {key: value for key, value in os.environ.items()
                    if not key.startswith(("XDG_", "DBUS_", "LONGRUN")) and
                    key not in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "JOURNAL_STREAM")}
        self.env |= {
            "HOME": str(self.base / "home"),
            "LC_ALL": "C.UTF-8",
            "XDG_STATE_HOME": str(self.base / "state"),
            "XDG_CONFIG_HOME": str(self.base / "config"),
            "XDG_RUNTIME_DIR": str(self.base / "run"),
        } | (env or {})
        try:
            self._start_bus(everyone)
            if start:
                self.start_daemon()
        except BaseException:
            self._end_all()
            raise

    # --- bus and daemon

    def _start_bus(self, everyone):
        if everyone:
            self.base.chmod(0o755)
        config = self.base / "bus.conf"
        config.write_text(BUS_CONFIG.format(socket=self.base / "bus", connect='<allow user="*"/>' if everyone else ""),
                          encoding="utf-8")
        with self._log() as log:
            self.bus_daemon = self._popen("dbus-daemon", f"--config-file={config}", "--nofork", "--print-address=1",
                                          stdout=subprocess.PIPE, stderr=log)
        with self.bus_daemon.stdout as out:
            self.address = out.readline().decode().strip()
        if not self.address:
            raise AssertionError(f"dbus-daemon did not start:\n{self.log()}")
        self.env["DBUS_SESSION_BUS_ADDRESS"] = self.address
        self.bus = self.connect()

    def connect(self):
        """A connection to the bus of its own, which the caller closes."""
        return Gio.DBusConnection.new_for_address_sync(
            self.address,
            Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)

    def _log(self):
        return open(self.log_path, "ab")

    def log(self):
        """What the daemon and the bus have said."""
        return self.log_path.read_text(encoding="utf-8", errors="replace") if self.log_path.exists() else ""

    def _owner(self):
        try:
            return self.bus.call_sync("org.freedesktop.DBus", "/", "org.freedesktop.DBus", "GetNameOwner",
                                      GLib.Variant("(s)", (NAME,)), None, Gio.DBusCallFlags.NONE, -1, None).unpack()[0]
        except GLib.Error:
            return None

    def start_daemon(self, *args):
        """Starts longrund and waits until it has its name, or has given up."""
        owners = []
        watch = self.bus.signal_subscribe(
            "org.freedesktop.DBus", "org.freedesktop.DBus", "NameOwnerChanged", "/org/freedesktop/DBus", NAME,
            Gio.DBusSignalFlags.NONE, lambda *signal_args: owners.append(signal_args[5].unpack()[2]))
        with self._log() as log:
            self.daemon = self._popen(longrund(), *self.args, *args, stdout=log, stderr=log)
        try:
            with self.watched(self.daemon.pid) as ended:
                self.wait_until(lambda: any(owners) or ended() or self._owner(), "longrund to get its name")
        finally:
            self.bus.signal_unsubscribe(watch)
        owner = self._owner()
        if not owner:
            raise AssertionError(f"longrund did not start, exit status {self.daemon.wait(DEADLINE_SEC)}:\n{self.log()}")
        self._subscription = self.bus.signal_subscribe(owner, None, None, None, None, Gio.DBusSignalFlags.NONE,
                                                       self._on_signal)
        self.get("Version")
        self._descriptors = self.descriptors()

    def _on_signal(self, _bus, _sender, path, interface, member, parameters):
        if interface in (MANAGER, TASK, PROPERTIES):
            self.signals.append(Signal(time.monotonic(), path, member, parameters.unpack()))

    def end_daemon(self, how=signal.SIGTERM):
        """Gives its exit status."""
        self.daemon.send_signal(how)
        code = self.daemon.wait(DEADLINE_SEC)
        self.bus.signal_unsubscribe(self._subscription)
        return code

    # --- calls

    def call(self, method, signature="()", *args, path=ROOT, interface=MANAGER, bus=None, timeout=DEADLINE_SEC):
        """The values of the reply. A D-Bus error is raised as DBusError."""
        parameters = args[0] if args and isinstance(args[0], GLib.Variant) else GLib.Variant(signature, args)
        try:
            reply = (bus or self.bus).call_sync(NAME, path, interface, method, parameters, None,
                                                Gio.DBusCallFlags.NO_AUTO_START, int(timeout * 1000), None)
        except GLib.Error as error:
            raise DBusError.from_glib(error) from None
        return reply.unpack()

    def get(self, name, path=ROOT, interface=MANAGER):
        return self.call("Get", "(ss)", interface, name, path=path, interface=PROPERTIES)[0]

    def set(self, name, value):
        self.call("Set", "(ssv)", MANAGER, name, value, path=ROOT, interface=PROPERTIES)

    def set_max_parallel(self, number):
        self.set("MaxParallel", GLib.Variant("u", number))

    def start(self, kind, params=None, **options):
        return Task(self, self.call("Start", "(sa{sv})", kind, options_of(params, **options))[0])

    def command(self, *argv, **options):
        return Task(self, self.call("StartCommand", "(asa{sv})", argv, options_of(**options))[0])

    def shell(self, script, **options):
        return self.command("/bin/sh", "-c", script, **options)

    def start_many(self, tasks):
        """tasks: pairs of a kind and options as of start()."""
        entries = [(kind, options_of(**options)) for kind, options in tasks]
        return [Task(self, number) for number, _ in self.call("StartMany", "(a(sa{sv}))", entries)[0]]

    def cancel_all(self, **keys):
        return self.call("CancelAll", "(a{sv})", dictionary(FILTER, keys))[0]

    def list_tasks(self, **keys):
        return self.call("ListTasks", "(a{sv})", dictionary(FILTER, keys))

    def count_tasks(self, **keys):
        return self.call("CountTasks", "(a{sv})", dictionary(FILTER, keys))[0]

    def wait(self, tasks, timeout=DEADLINE_SEC):
        return self.call("Wait", "(at)", [t.id for t in tasks], timeout=timeout)[0]

    # --- events

    def dispatch(self):
        """Takes in the signals that have come up to now."""
        context = GLib.MainContext.default()
        while context.pending():
            context.iteration(False)

    def wait_until(self, condition, what, timeout=DEADLINE_SEC):
        """Takes in events until the condition holds."""
        late = []
        timer = GLib.timeout_add(int(timeout * 1000), lambda: late.append(True) or GLib.SOURCE_CONTINUE)
        try:
            self.dispatch()
            while not condition():
                if late:
                    raise AssertionError(f"waited {timeout} s in vain for {what}")
                GLib.MainContext.default().iteration(True)
        finally:
            GLib.source_remove(timer)

    @contextlib.contextmanager
    def watched(self, pid):
        """Lets wait_until() see the end of a process; gives a function that tells whether it has come."""
        fd = os.pidfd_open(pid)
        ended = []
        source = GLib.unix_fd_add_full(GLib.PRIORITY_DEFAULT, fd, GLib.IOCondition.IN,
                                       lambda *_: ended.append(True) or GLib.SOURCE_CONTINUE)
        try:
            yield lambda: bool(ended)
        finally:
            GLib.source_remove(source)
            os.close(fd)

    def manager_signals(self, *members):
        return [s for s in self.signals if s.path == ROOT and s.member in members]

    def fifo(self, name="fifo"):
        fifo = Fifo(self.base / name)
        self._fifos.append(fifo)
        return fifo

    def spawn(self, *argv, **kwargs):
        """A helper process on this bus; it ends with the session."""
        process = self._popen(*argv, **kwargs)
        self._helpers.append(process)
        return process

    def _popen(self, *argv, **kwargs):
        process = subprocess.Popen([str(a) for a in argv], env=self.env, **{"stdin": subprocess.DEVNULL, **kwargs})
        self._started.add(process.pid)
        return process

    def run(self, *argv, **kwargs):
        return subprocess.run([str(a) for a in argv], env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=2 * DEADLINE_SEC, check=False, **kwargs)

    # --- what the daemon holds

    def descriptors(self):
        """What the daemon has open, sorted: numbers do not count."""
        found = []
        folder = f"/proc/{self.daemon.pid}/fd"
        for name in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):
                found.append(re.sub(r"\d+", "N", os.readlink(f"{folder}/{name}")))
        return sorted(found)

    def memory(self):
        """Resident bytes of the daemon."""
        status = pathlib.Path(f"/proc/{self.daemon.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024

    def settles(self, condition, what, timeout=10):
        """For what sends no event: looks again and again, until it holds."""
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"after {timeout} s: {what() if callable(what) else what}")
            time.sleep(0.01)

    def check_leaks(self):
        """No descriptor and no child of the daemon that was not there at its start."""
        self.settles(lambda: self.descriptors() == self._descriptors,
                     lambda: f"descriptors of longrund were {self._descriptors}, are {self.descriptors()}")
        self.settles(lambda: not descendants(self.daemon.pid),
                     lambda: f"children of longrund: {[command_line(p) for p in descendants(self.daemon.pid)]}")

    def _check_folders(self):
        """Every folder of a task holds a result and nothing else."""
        for folder in sorted(self.runtime.glob("task-*")):
            number = int(folder.name.removeprefix("task-"))
            contents = sorted(p.name for p in folder.iterdir())
            try:
                has_result = Task(self, number).get("HasResult")
            except DBusError as error:
                has_result = str(error)
            if has_result is not True or contents != ["result"]:
                raise AssertionError(f"{folder.name} is left over: HasResult is {has_result}, it holds {contents}")

    def _end_tasks(self):
        active = [t["id"] for t in self.list_tasks(states=["queued", "starting", "running", "cancelling"],
                                                   fields=["id"], limit=1000)[0]]
        if active:
            with contextlib.suppress(DBusError):
                self.call("Cancel", "(at)", active)
            self.call("Wait", "(at)", active)

    # --- the end

    def stop(self):
        """Ends everything; raises AssertionError when something is not as it should be."""
        try:
            if self.daemon and self._descriptors is not None and self.daemon.returncode is None:
                if self.daemon.poll() is not None:
                    raise AssertionError(f"longrund has ended by itself, exit status {self.daemon.returncode}")
                self._end_tasks()
                self.check_leaks()
                self._check_folders()
                code = self.end_daemon()
                if code != 0:
                    raise AssertionError(f"exit status of longrund after SIGTERM: {code}")
            self._check_log()
        finally:
            strays = self._end_all()
        if strays:
            raise AssertionError(f"left behind: {strays}")

    def _check_log(self):
        for sign in ("Sanitizer", "runtime error:", "Refused to go from", "Cannot send the signal"):
            if sign in self.log():
                raise AssertionError(f"longrund has complained: {sign}")

    def _end_all(self):
        """Gives the command lines of processes that should have been gone."""
        if self.bus and not self.bus.is_closed():
            with contextlib.suppress(GLib.Error):
                self.bus.close_sync(None)
        for process in [*self._helpers, self.daemon, self.bus_daemon]:
            if process:
                self._end_process(process)
        for fifo in self._fifos:
            fifo.close()
        strays = self._end_strays()
        self.kept_log = self.log()
        shutil.rmtree(self.base, ignore_errors=True)
        return strays

    def _end_process(self, process):
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(DEADLINE_SEC)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._started.discard(process.pid)

    def _end_strays(self):
        """We are the subreaper: what lost its parents is our child now."""
        strays = []
        for pid in children(os.getpid()):
            if pid in self._started or os.waitpid(pid, os.WNOHANG)[0] == pid:
                continue
            strays.append(command_line(pid))
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        return strays


class SessionTestCase(unittest.TestCase):
    """Each test has a session of its own in self.session; what the daemon said follows a test that fails."""

    ARGS = ()
    CONFIG = None

    def setUp(self):
        self.logs = []
        self.session = self.new_session(*self.ARGS, config=self.CONFIG)

    def new_session(self, *args, **kwargs):
        session = Session(*args, **kwargs)
        self.addCleanup(self._stop, session)
        return session

    def _stop(self, session):
        try:
            session.stop()
        finally:
            self.logs.append(session.kept_log)

    def run(self, result=None):
        result = result if result is not None else self.defaultTestResult()
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            for log in getattr(self, "logs", []):
                lines = log.splitlines()
                print(f"--- longrund in {self.id()} said ---", *lines[-60:], sep="\n", file=sys.stderr)
        return result

    @contextlib.contextmanager
    def assertError(self, name, text=""):
        """The block must fail with this D-Bus error, the message of which matches."""
        try:
            yield
        except DBusError as error:
            self.assertEqual(error.name, name, error)
            self.assertRegex(error.message, text)
        else:
            self.fail(f"no error, expected {name}")

    def assertEnds(self, task, state, code, message=None):
        """Waits for the end of the task and checks it, in signal, properties and the reply of Wait."""
        finished = task.finished()
        self.assertEqual(finished[:2], (state, code), finished)
        if message is not None:
            self.assertRegex(finished[2], message)
        properties = task.get_all()
        self.assertEqual((properties["State"], properties["ExitCode"], properties["Message"]), finished)
        self.assertEqual(task.wait(), (state, code))
        self.assertEqual(properties["Pid"], 0)
        self.assertEqual(properties["Reason"], "")
        self.assertGreaterEqual(properties["FinishedAt"], max(properties["StartedAt"], properties["CreatedAt"]))
        self.assertEqual(len(task.signals("Finished")), 1)
        return finished


def main():
    if not shutil.which("dbus-daemon"):
        print("SKIP: dbus-daemon is not installed")
        sys.exit(SKIP)
    unittest.main(verbosity=2)
