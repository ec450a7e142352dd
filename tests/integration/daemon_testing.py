"""For tests of longrund over D-Bus: on top of longrun_testing, calls by name, signals as they come, and a look at what
a test has left behind.

A DaemonSession is given up by stop(). The daemon must be alive then, have no descriptor more than at its start, no child
but its keeper and no folder of a task; it must end with exit status 0 on SIGTERM, the keeper after it by itself, and no
process may be left of all that was started. The daemon is the program that LONGRUND in the environment names.
"""

import collections
import contextlib
import ctypes
import json
import os
import pathlib
import re
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import typing
import unittest

from longrun_testing import DEADLINE_SEC, MANAGER, NAME, ROOT, SKIP, TASK, Gio, GLib, Session
from process_testing import children, command_line, keepers_of, kill, processes_of, shims_of, until

ERROR_PREFIX = NAME + ".Error."
PROPERTIES = "org.freedesktop.DBus.Properties"

FINAL = {"succeeded", "failed", "cancelled", "timed-out", "interrupted", "skipped"}
ACTIVE = ["waiting", "queued", "starting", "running", "paused", "cancelling"]

# D-Bus types of the options of a task.
OPTIONS = {
    "label": "s", "group": "s", "cwd": "s", "env": "as", "clear-env": "b", "umask": "u", "stop-timeout": "t",
    "isolate": "b", "log-max": "t", "result-max": "t", "unique": "s", "params": "s", "argv": "as",
    "timeout": "t", "idle-timeout": "t", "queue-timeout": "t", "memory-max": "t", "pids-max": "t", "cpu-weight": "u",
    "nice": "i", "on-interrupt": "s", "notify": "b", "priority": "i", "after": "at", "after-any": "at", "after-failed": "at",
    "after-index": "at", "when-online": "s", "start-at": "t", "resources": "a{su}", "parent": "t", "retries": "u",
    "retry-delay": "t", "retry-on": "ai", "every": "t", "calendar": "s", "persistent": "b", "stdin-open": "b",
    "stdin": "ay", "stdin-file": "s",
    "pty": "b", "pty-size": "s",
}
# Of the properties of a group; defaults of options besides.
GROUP = {**OPTIONS, "max-parallel": "u", "max-queued": "u", "unset": "as"}
# And of the keys of a filter.
FILTER = {
    "states": "as", "group": "s", "kind": "s", "label": "s", "search": "s", "parent": "t", "since": "t", "until": "t",
    "cursor": "t", "limit": "u", "fields": "as", "newest-first": "b",
}

# Of longrund's own complaints, those that no test may cause.
COMPLAINTS = ("Refused to go from", "Cannot send the signal", "Cannot reply to a call", "Cannot answer a call")

# At once, on a machine that has much else to do: far less than what a test that fails would wait for.
SOON_SEC = 5

PR_SET_CHILD_SUBREAPER = 36


def sanitized():
    """Whether the daemon is built with AddressSanitizer: freed memory is not given back then."""
    return b"__asan_init" in pathlib.Path(os.environ["LONGRUND"]).read_bytes()


def tcp_sockets(pid):
    """Of all that its network namespace has, as links in /proc/PID/fd have them."""
    found = set()
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/net/{name}", encoding="ascii") as table:
            found.update(f"socket:[{line.split()[9]}]" for line in list(table)[1:])
    return found


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


def dictionary(types, values):
    """Keyword arguments as the values of an a{sv}: clear_env=True is {"clear-env": <true>}."""
    pairs = {name.replace("_", "-"): value for name, value in values.items()}
    return {name: value if isinstance(value, GLib.Variant) else GLib.Variant(types[name], value)
            for name, value in pairs.items()}


def options_of(params=None, **options):
    if params is not None:
        options["params"] = params if isinstance(params, str) else json.dumps(params)
    return dictionary(OPTIONS, options)


class Fifo:
    """A named pipe by which commands tell the test something, and, by the end of file, that none of the processes
    that have it open is left."""

    def __init__(self, path):
        os.mkfifo(path)
        self.path = str(path)
        self.fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        self.writer = os.open(path, os.O_WRONLY | os.O_CLOEXEC)  # so that there is no end of file between two others
        self.data = b""

    def read_line(self, timeout=DEADLINE_SEC):
        deadline = time.monotonic() + timeout
        while b"\n" not in self.data:
            if not select.select([self.fd], [], [], max(0, deadline - time.monotonic()))[0]:
                raise AssertionError(f"no line came through {self.path} in {timeout} s")
            self.data += os.read(self.fd, 65536)
        line, _, self.data = self.data.partition(b"\n")
        return line.decode()

    def is_closed(self):
        """Whether every process that had it open is gone, now. No lines are read after that."""
        if self.writer >= 0:
            os.close(self.writer)
            self.writer = -1
        try:
            while os.read(self.fd, 65536):
                pass
            return True
        except BlockingIOError:
            return False

    def close(self):
        os.close(self.fd)
        if self.writer >= 0:
            os.close(self.writer)


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

    def read_log(self, page=1 << 20):
        """The whole log, page by page."""
        data, offset = [], 0
        while True:
            reply = self.session.call_variant("ReadLog", "(tu)", offset, page, path=self.path, interface=TASK)
            bytes_read = reply.get_child_value(0).get_data_as_bytes().get_data()
            offset = reply.get_child_value(1).get_uint64()
            if not bytes_read:
                return b"".join(data)
            data.append(bytes_read)

    def open_log(self):
        """A descriptor, which the caller closes."""
        reply, fds = self.session.connection.call_with_unix_fd_list_sync(
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
        """Waits until PropertiesChanged tells of a state, one that lasts."""
        self.session.wait_until(lambda: any(s.args[1].get("State") == state for s in self.signals("PropertiesChanged")),
                                f"task {self.id} to be {state}", timeout)


class DaemonSession:
    """config: text of longrun.conf; arguments: of longrund; everyone: other users may connect to the bus;
    start=False: with a bus alone, for start_daemon()."""

    _started = set()  # processes of all sessions, which are not strays
    connections = 0  # to servers, that are kept to be used again

    def __init__(self, *arguments, config=None, environment=None, everyone=False, start=True):
        # What a dead daemon leaves behind comes to us.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.session = Session(daemon=False, arguments=arguments, environment=environment)
        self.base = self.session.directory
        self.env = self.session.env
        self.session.ends_tasks = False  # that none are left is for us to see
        self.state = pathlib.Path(self.env["XDG_STATE_HOME"]) / "longrun"
        self._marked_by = self.env["XDG_RUNTIME_DIR"]  # every process that we start, and what those start
        self.runtime = pathlib.Path(self._marked_by) / "longrun"
        self.config_path = self.base / "config/longrun/longrun.conf"
        self.config_path.parent.mkdir()
        if config is not None:
            self.config_path.write_text(config, encoding="utf-8")
        if everyone:
            self.base.chmod(0o755)
            self.session.bus_config = self.session.bus_config.replace(
                '<policy context="default">', '<policy context="default"><allow user="*"/>')
        self.signals = []
        self._helpers, self._fifos = [], []
        self._descriptors = self._subscription = None
        try:
            self.session.start()
            self._started.add(self.session.bus.pid)
            if start:
                self.start_daemon()
        except BaseException:
            self._end_all()
            raise

    @property
    def connection(self):
        return self.session.connection

    @property
    def daemon(self):
        return self.session.daemon

    def log(self):
        """What the daemon and the bus have said."""
        return self.session.stderr()

    # --- bus and daemon

    def start_daemon(self):
        """Returns when longrund has its name. May be called again after end_daemon()."""
        self.session.start_daemon()
        self._started.add(self.daemon.pid)
        owner = self.connection.call_sync(
            "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "GetNameOwner", GLib.Variant("(s)", (NAME,)), None,
            Gio.DBusCallFlags.NONE, -1, None).unpack()[0]
        self._subscription = self.connection.signal_subscribe(
            owner, None, None, None, None, Gio.DBusSignalFlags.NONE, self._on_signal)
        self.get("Version")
        self._descriptors = collections.Counter(self.descriptors())

    def _on_signal(self, _connection, _sender, path, interface, member, parameters):
        if interface.startswith(NAME + ".") or interface == PROPERTIES:
            self.signals.append(Signal(time.monotonic(), path, member, parameters.unpack()))

    def end_daemon(self, signum=signal.SIGTERM):
        """Gives its exit status as subprocess does. Signals that it has sent come still."""
        pid = self.daemon.pid
        code = self.session.kill_daemon(signum)
        self._started.discard(pid)
        return code

    def crash(self):
        """The daemon is killed, and gone; its tasks are not."""
        self.end_daemon(signal.SIGKILL)

    def restart(self, signum=signal.SIGKILL):
        """Another daemon takes the place of this one."""
        self.end_daemon(signum)
        self.start_daemon()

    def keeper(self):
        """Pid of the process that makes the shims; there must be one."""
        return until(lambda: keepers_of(self.runtime), "there is no keeper")[0]

    def shims(self):
        """Their pids by task id."""
        return shims_of(self.runtime)

    def lost_bus(self):
        """The bus has been killed, and the daemon has ended."""
        self._started.difference_update((self.daemon.pid, self.session.bus.pid))
        self.session.bus.stdout.close()
        self.session.bus = self.session.daemon = self.session.connection = None

    def connect(self):
        """A connection to the bus of its own, which the caller closes."""
        return Gio.DBusConnection.new_for_address_sync(
            self.env["DBUS_SESSION_BUS_ADDRESS"],
            Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)

    # --- calls

    def call_variant(self, method, signature="()", *args, path=ROOT, interface=MANAGER, connection=None,
                     timeout=DEADLINE_SEC):
        """The reply. A D-Bus error is raised as DBusError. args: as the signature says, or one GLib.Variant."""
        parameters = args[0] if args and isinstance(args[0], GLib.Variant) else GLib.Variant(signature, args)
        try:
            return (connection or self.connection).call_sync(
                NAME, path, interface, method, parameters, None, Gio.DBusCallFlags.NO_AUTO_START, int(timeout * 1000),
                None)
        except GLib.Error as error:
            raise DBusError.from_glib(error) from None

    def call(self, method, signature="()", *args, **kwargs):
        """The values of the reply."""
        return self.call_variant(method, signature, *args, **kwargs).unpack()

    def call_later(self, method, signature="()", *args, path=ROOT, interface=MANAGER, connection=None, then=None):
        """Sends a call and waits for nothing. Gives a list into which the reply, or the DBusError, comes. then() is called
        the moment it comes: what came after it on the bus has not been looked at."""
        replies = []

        def on_reply(source, result):
            try:
                replies.append(source.call_finish(result).unpack())
            except GLib.Error as error:
                replies.append(DBusError.from_glib(error))
            if then:
                then()

        (connection or self.connection).call(
            NAME, path, interface, method, GLib.Variant(signature, args), None, Gio.DBusCallFlags.NO_AUTO_START,
            GLib.MAXINT, None, on_reply)
        return replies

    def get(self, name, path=ROOT, interface=MANAGER):
        return self.call("Get", "(ss)", interface, name, path=path, interface=PROPERTIES)[0]

    def set_max_parallel(self, number):
        self.call("Set", "(ssv)", MANAGER, "MaxParallel", GLib.Variant("u", number), interface=PROPERTIES)

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

    def configure_group(self, name, **properties):
        self.call("ConfigureGroup", "(sa{sv})", name, dictionary(GROUP, properties))

    def groups(self):
        """All of them by name, each a dictionary."""
        return {g["name"]: g for g in self.call("ListGroups")[0]}

    def resources(self):
        """Capacity and how many are used, by name."""
        return {name: (capacity, used) for name, capacity, used in self.call("ListResources")[0]}

    def cancel_all(self, **keys):
        return self.call("CancelAll", "(a{sv})", dictionary(FILTER, keys))[0]

    def list_tasks(self, **keys):
        return self.call("ListTasks", "(a{sv})", dictionary(FILTER, keys))

    def stored_results(self):
        """Ids of the tasks whose results wait on the disk to be taken."""
        with contextlib.closing(sqlite3.connect(f"file:{self.state}/longrun.db?mode=ro", uri=True)) as db:
            return [row[0] for row in db.execute("SELECT task_id FROM result ORDER BY task_id")]

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
        self.dispatch()
        self.session.until(condition, what, timeout)

    def manager_signals(self, *members):
        return [s for s in self.signals if s.path == ROOT and s.member in members]

    def batched(self, member):
        """All entries of a batched signal that have come."""
        return [entry for s in self.manager_signals(member) for entry in s.args[0]]

    def fifo(self, name="fifo"):
        fifo = Fifo(self.base / name)
        self._fifos.append(fifo)
        return fifo

    @classmethod
    def not_a_stray(cls, pid):
        """A process that the test has started, and ends."""
        cls._started.add(pid)

    def spawn(self, *argv, **kwargs):
        """A helper process on this bus; it ends with the session."""
        process = subprocess.Popen([str(a) for a in argv], env=self.env, **{"stdin": subprocess.DEVNULL, **kwargs})
        self._started.add(process.pid)
        self._helpers.append(process)
        return process

    def run(self, *argv, **kwargs):
        """Runs a program to its end; stdout and stderr are text."""
        return subprocess.run([str(a) for a in argv], **{"env": self.env, **kwargs}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=DEADLINE_SEC,
                              check=False)

    # --- what the daemon holds

    def descriptors(self):
        """What the daemon has open, sorted: numbers do not count. Without connections to servers, which it keeps to use
        them again."""
        found = []
        folder = f"/proc/{self.daemon.pid}/fd"
        for name in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):
                found.append(os.readlink(f"{folder}/{name}"))
        connections = tcp_sockets(self.daemon.pid)
        return sorted(re.sub(r":\[?\d+\]?$", ":[N]", name) for name in found if name not in connections)

    def memory(self):
        """Resident bytes of the daemon."""
        status = pathlib.Path(f"/proc/{self.daemon.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024

    def settles(self, condition, what, timeout=10):
        """For what sends no event: looks again and again, until it holds."""
        return until(condition, what, timeout)

    def _new_descriptors(self):
        """Those that were not there at the start, but for a socket to the keeper and, where the keeper is a child of
        the daemon, what tells of its end. The database is opened once more by who reads it first."""
        new = collections.Counter(self.descriptors()) - self._descriptors
        new -= collections.Counter(["socket:[N]", "anon_inode:[pidfd]"])
        new -= collections.Counter({"socket:[N]": self.connections})
        return sorted(name for name in new.elements() if "/longrun.db" not in name)

    def check_leaks(self):
        """No descriptor and no child of the daemon that was not there at its start."""
        self.settles(lambda: not self._new_descriptors(),
                     lambda: f"longrund has descriptors that it had not at the start: {self._new_descriptors()}")
        self.settles(lambda: not set(children(self.daemon.pid)) - set(keepers_of(self.runtime)),
                     lambda: f"children of longrund: {[command_line(p) for p in children(self.daemon.pid)]}")

    def folders(self):
        """Of tasks, in the runtime folder."""
        return sorted(p.name for p in self.runtime.glob("task-*"))

    def _check_folders(self):
        self.settles(lambda: not self.folders(), lambda: "left over in the runtime folder: " + ", ".join(
            str(path.relative_to(self.runtime)) for path in self.runtime.glob("task-*/**/*")) + f" {self.folders()}")

    def _end_tasks(self):
        self.cancel_all()
        cursor = None
        while cursor != 0:
            page, cursor = self.list_tasks(states=ACTIVE, fields=["id"], limit=1000)
            self.wait([Task(self, t["id"]) for t in page])

    def _check_daemon(self):
        if self.daemon.poll() is not None:
            raise AssertionError(f"longrund has ended by itself, exit status {self.daemon.returncode}")
        self._end_tasks()
        self.check_leaks()
        self._check_folders()
        code = self.end_daemon()
        if code != 0:
            raise AssertionError(f"exit status of longrund after SIGTERM: {code}")
        until(lambda: not keepers_of(self.runtime), "the keeper does not go")

    # --- the end

    def stop(self):
        """Ends everything; raises AssertionError when something is not as it should be."""
        try:
            if self.daemon:
                self._check_daemon()
        finally:
            strays = self._end_all()
        if strays:
            raise AssertionError(f"processes left behind: {strays}")
        for complaint in COMPLAINTS:
            if complaint in self.log():
                raise AssertionError(f"longrund has complained: {complaint}")

    def _end_all(self):
        """Gives the command lines of processes that should have been gone."""
        known = [self.session.bus, self.session.daemon, *self._helpers]
        try:
            for process in self._helpers:
                process.terminate()
                process.wait(DEADLINE_SEC)
            for fifo in self._fifos:
                fifo.close()
            self.session.stop()
        finally:
            self._started.difference_update(p.pid for p in known if p)
            strays = self._end_strays()
        return strays

    def _end_strays(self):
        """The keeper goes by itself. We are the subreaper: what lost its parents is our child now."""
        with contextlib.suppress(AssertionError):
            until(lambda: not keepers_of(self.runtime), "", 5)
        strays = {}
        while True:
            found = [pid for pid in (*children(os.getpid()), *processes_of(self._marked_by))
                     if pid not in self._started and not self._collect(pid)]
            if not found:
                return list(strays.values())
            for pid in found:
                strays.setdefault(pid, command_line(pid))
                kill(pid)
            time.sleep(0.01)

    @staticmethod
    def _collect(pid):
        """Whether it is over."""
        try:
            return os.waitpid(pid, os.WNOHANG)[0] == pid
        except ChildProcessError:
            return False


class DaemonTestCase(unittest.TestCase):
    """Each test has a session of its own in self.session; what the daemon said follows a test that fails."""

    ARGUMENTS = ("--max-parallel=8",)  # more tasks at a time than a small machine has CPUs
    CONFIG = None

    def setUp(self):
        self.sessions = []
        self.session = self.new_session(*self.ARGUMENTS, config=self.CONFIG)

    def new_session(self, *args, **kwargs):
        session = DaemonSession(*args, **kwargs)
        self.sessions.append(session)
        self.addCleanup(session.stop)
        return session

    def run(self, result=None):
        result = result if result is not None else self.defaultTestResult()
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            for session in getattr(self, "sessions", []):
                print(f"--- longrund in {self.id()} said ---", *session.log().splitlines()[-60:], sep="\n",
                      file=sys.stderr)
        return result

    @contextlib.contextmanager
    def assertError(self, name, text="."):
        """The block must fail with this D-Bus error, the message of which matches."""
        try:
            yield
        except DBusError as error:
            self.assertEqual(error.name, name, error)
            self.assertRegex(error.message, text)
        else:
            self.fail(f"no error, expected {name}")

    def assertEnds(self, task, state, code, message="^"):
        """Waits for the end of the task and checks it, in signal, properties and the reply of Wait."""
        finished = task.finished()
        self.assertEqual(finished[:2], (state, code), finished)
        self.assertRegex(finished[2], message)
        p = task.get_all()
        self.assertEqual((p["State"], p["ExitCode"], p["Message"], p["Pid"], p["Reason"]), (*finished, 0, ""))
        self.assertEqual(task.wait(), (state, code))
        self.assertGreaterEqual(p["FinishedAt"], max(p["StartedAt"], p["CreatedAt"]))
        self.assertEqual(p["Progress"] == 1.0, state == "succeeded")
        self.assertEqual(len(task.signals("Finished")), 1)
        self.assertEqual(task.signals()[-1].member, "Finished")


def main():
    """Runs the tests of the calling program."""
    if Gio is None:
        print("SKIP: python3-gi is not installed")
        sys.exit(SKIP)
    if not shutil.which("dbus-daemon"):
        print("SKIP: dbus-daemon is not installed")
        sys.exit(SKIP)
    if not os.access(os.environ.get("LONGRUND", ""), os.X_OK):
        sys.exit("LONGRUND in the environment does not name a program")
    # A test that takes too long is sent this: nothing that was started may stay behind.
    signal.signal(signal.SIGTERM, lambda signum, _: sys.exit(128 + signum))
    unittest.main(verbosity=2)
