"""For tests with the real programs: a session bus of their own with longrund on it, the CLI, a terminal.

The programs are those named by the environment variables LONGRUND and LONGRUN. Nothing here sleeps to wait: every
wait is for an event and has a deadline.
"""

import atexit
import contextlib
import fcntl
import os
import pathlib
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

from process_testing import DEADLINE_SEC, processes_of

try:
    from gi.repository import Gio, GLib
except ImportError:
    Gio = GLib = None

SKIP = 77
REPORT_LINES = 40

NAME = "org.longrun.Longrun1"
ROOT = "/org/longrun/Longrun1"
MANAGER = NAME + ".Manager"
TASK = NAME + ".Task"

LOGOUT_STAMP = "longrun-logout-warned"  # in XDG_RUNTIME_DIR: the CLI has warned of the logout

BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={directory}/bus</listen>
  <auth>EXTERNAL</auth>
  <servicedir>{directory}/services</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
  <!-- As in the session.conf that dbus installs. -->
  <limit name="max_incoming_bytes">1000000000</limit>
  <limit name="max_incoming_unix_fds">250000000</limit>
  <limit name="max_outgoing_bytes">1000000000</limit>
  <limit name="max_outgoing_unix_fds">250000000</limit>
  <limit name="max_message_size">1000000000</limit>
  <limit name="service_start_timeout">120000</limit>
  <limit name="auth_timeout">240000</limit>
  <limit name="max_match_rules_per_connection">50000</limit>
  <limit name="max_replies_per_connection">50000</limit>
</busconfig>
"""

SANITIZER_MARKS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:")

sessions = []  # that were begun, for main()'s report


@atexit.register
def end_all():
    """Of a program that ends in the middle: nothing that was started may stay behind."""
    for session in sessions:
        for pid in processes_of(session.env["XDG_RUNTIME_DIR"]) if session.bus else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class Session:
    """A bus and, unless daemon=False, longrund on it, in directories of their own. A context manager.

    activatable: longrund is not started here, but by the first call to its name.
    arguments:   more of longrund's.
    environment: more variables for longrund and everything that run() and popen() start.
    """

    def __init__(self, daemon=True, activatable=False, arguments=(), environment=None):
        self.longrund = os.environ.get("LONGRUND", "longrund")
        self.longrun = os.environ.get("LONGRUN", "longrun")
        self.arguments = list(arguments)
        self.wants_daemon = daemon and not activatable
        self.activatable = activatable
        self.temporary = tempfile.TemporaryDirectory(prefix="longrun-test-")
        self.directory = pathlib.Path(self.temporary.name)
        self.env = self._environment(environment or {})
        self.stderr_path = self.directory / "stderr"
        self.bus_config = BUS_CONFIG
        self.bus = self.daemon = self.connection = None
        self.ends_tasks = True  # at stop(): they outlive the daemon
        self.complaints = []
        sessions.append(self)

    def _environment(self, more):
        env = {key: value for key, value in os.environ.items()
               if not key.startswith(("XDG_", "DBUS_", "LONGRUN_", "LISTEN_", "WATCHDOG_")) and key != "NOTIFY_SOCKET"}
        for name in ("home", "config", "data", "state", "runtime", "services", "work"):
            (self.directory / name).mkdir(mode=0o700)
        # Where the tests run, a logout may end the user's tasks. The warning is for test_cli_info.
        (self.directory / "runtime" / LOGOUT_STAMP).touch()
        env.update({
            "HOME": str(self.directory / "home"),
            "LC_ALL": "C.UTF-8",
            "XDG_CONFIG_HOME": str(self.directory / "config"),
            "XDG_DATA_HOME": str(self.directory / "data"),
            "XDG_STATE_HOME": str(self.directory / "state"),
            "XDG_RUNTIME_DIR": str(self.directory / "runtime"),
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.directory}/bus",
        })
        env.update(more)
        return env

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    # begin and end

    def start(self):
        if self.activatable:
            (self.directory / "services" / f"{NAME}.service").write_text(
                f"[D-BUS Service]\nName={NAME}\nExec={' '.join([self.longrund, *self.arguments])}\n",
                encoding="utf-8")
        config = self.directory / "bus.conf"
        config.write_text(self.bus_config.format(directory=self.directory), encoding="utf-8")
        with open(self.stderr_path, "ab") as stderr:
            self.bus = subprocess.Popen(["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address=1"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, env=self.env)
        if not self.bus.stdout.readline():
            raise RuntimeError(f"dbus-daemon did not start:\n{self.stderr()}")
        self.connection = Gio.DBusConnection.new_for_address_sync(
            self.env["DBUS_SESSION_BUS_ADDRESS"],
            Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
        if self.wants_daemon:
            self.start_daemon()

    def start_daemon(self):
        """Returns when it owns its name. May be called again after kill_daemon()."""
        owners = []
        watch = Gio.bus_watch_name_on_connection(self.connection, NAME, Gio.BusNameWatcherFlags.NONE,
                                                 lambda _c, _n, owner: owners.append(owner), None)
        with open(self.stderr_path, "ab") as stderr:
            self.daemon = subprocess.Popen([self.longrund, *self.arguments], stdin=subprocess.DEVNULL, stdout=stderr,
                                           stderr=stderr, env=self.env)
        pidfd = os.pidfd_open(self.daemon.pid)
        ended = []
        source = GLib.unix_fd_add_full(GLib.PRIORITY_DEFAULT, pidfd, GLib.IOCondition.IN,
                                       lambda *_: ended.append(True) or GLib.SOURCE_CONTINUE)
        try:
            self.until(lambda: owners or ended, "longrund to come onto the bus")
        finally:
            GLib.source_remove(source)
            os.close(pidfd)
            Gio.bus_unwatch_name(watch)
        if not owners:
            raise RuntimeError(f"longrund ended with {self.daemon.wait()}:\n{self.stderr()}")

    def kill_daemon(self, signum=signal.SIGKILL):
        """Ends it and gives its exit status as subprocess does."""
        self.daemon.send_signal(signum)
        code = self.daemon.wait(DEADLINE_SEC)
        self.daemon = None
        self._wait_name_free()
        return code

    def _wait_name_free(self):
        """The bus may see later than we that a daemon is gone: the next one would be taken for that one."""
        deadline = time.monotonic() + 5
        with contextlib.suppress(GLib.Error):
            while time.monotonic() < deadline and self.connection.call_sync(
                    "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "NameHasOwner", GLib.Variant("(s)", (NAME,)),
                    None, Gio.DBusCallFlags.NONE, -1, None).unpack()[0]:
                time.sleep(0.001)

    def _stop_activated(self):
        try:
            pid = self.connection.call_sync("org.freedesktop.DBus", "/", "org.freedesktop.DBus",
                                            "GetConnectionUnixProcessID", GLib.Variant("(s)", (NAME,)), None,
                                            Gio.DBusCallFlags.NONE, -1, None).unpack()[0]
        except GLib.Error:
            return
        pidfd = os.pidfd_open(pid)
        signal.pidfd_send_signal(pidfd, signal.SIGTERM)
        if not select.select([pidfd], [], [], DEADLINE_SEC)[0]:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            self.complaints.append("longrund did not end after SIGTERM")
        os.close(pidfd)

    def _cancel_tasks(self):
        with contextlib.suppress(GLib.Error):
            self.connection.call_sync(NAME, ROOT, MANAGER, "CancelAll", GLib.Variant("(a{sv})", ({},)), None,
                                      Gio.DBusCallFlags.NO_AUTO_START, DEADLINE_SEC * 1000, None)

    def _kill_tasks(self):
        """What is left of them and of their supervisors."""
        for _ in range(100):
            found = [pid for pid in processes_of(self.env["XDG_RUNTIME_DIR"]) if not self.bus or pid != self.bus.pid]
            if not found:
                return
            for pid in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)
        self.complaints.append(f"processes that cannot be ended: {found}")

    def stop(self):
        """Ends everything. An unclean end of longrund, or a sanitizer's report, is an error."""
        if self.ends_tasks and self.connection:
            self._cancel_tasks()
        if self.daemon:
            try:
                code = self.kill_daemon(signal.SIGTERM)
                if code != 0:
                    self.complaints.append(f"longrund ended with {code} after SIGTERM")
            except subprocess.TimeoutExpired:
                self.daemon.kill()
                self.daemon.wait()
                self.complaints.append("longrund did not end after SIGTERM")
        if self.activatable and self.connection:
            self._stop_activated()
        if self.ends_tasks:
            self._kill_tasks()
        if self.connection:
            self.connection.close_sync(None)
            self.connection = None
        if self.bus:
            self.bus.terminate()
            self.bus.wait(DEADLINE_SEC)
            self.bus.stdout.close()
            self.bus = None
        self.kept_stderr = self.stderr()
        self.temporary.cleanup()
        self.complaints += [mark for mark in SANITIZER_MARKS if mark in self.kept_stderr]
        if self.complaints:
            raise AssertionError("; ".join(self.complaints))

    def stderr(self):
        """What the bus and longrund have said."""
        if self.stderr_path.exists():
            return self.stderr_path.read_text(encoding="utf-8", errors="replace")
        return getattr(self, "kept_stderr", "")

    def report(self):
        """Of it, what a person wants to see: the beginning of a sanitizer's report, else the last lines."""
        lines = self.stderr().splitlines()
        marks = [i for i, line in enumerate(lines) if any(mark in line for mark in SANITIZER_MARKS)]
        return "\n".join(lines[marks[0]:][:REPORT_LINES] if marks else lines[-REPORT_LINES:])

    # D-Bus

    def until(self, condition, what, seconds=DEADLINE_SEC):
        """Handles what comes over D-Bus until the condition holds."""
        late = []
        timer = GLib.timeout_add_seconds(seconds, lambda: late.append(True) or GLib.SOURCE_CONTINUE)
        try:
            while not condition():
                if late:
                    raise AssertionError(f"waited {seconds} s for {what}\n{self.stderr()}")
                GLib.MainContext.default().iteration(True)
        finally:
            GLib.source_remove(timer)

    def call(self, method, signature=None, *args, path=ROOT, interface=MANAGER):
        """Calls a method; gives its results as a tuple. Errors are GLib.Error."""
        parameters = GLib.Variant(signature, args) if signature else None
        return self.connection.call_sync(NAME, path, interface, method, parameters, None, Gio.DBusCallFlags.NONE,
                                         DEADLINE_SEC * 1000, None).unpack()

    def task_call(self, task_id, method, signature=None, *args):
        return self.call(method, signature, *args, path=f"{ROOT}/task/{task_id}", interface=TASK)

    def property(self, task_id, name):
        return self.call("Get", "(ss)", TASK, name, path=f"{ROOT}/task/{task_id}",
                         interface="org.freedesktop.DBus.Properties")[0]

    def wait(self, *ids):
        """Ends of the tasks: [(id, state, code), ...]."""
        return self.call("Wait", "(at)", list(ids))[0]

    # programs

    def run(self, *args, env=None, **kwargs):
        """Runs the CLI to its end; stdout and stderr are text unless text=False is given."""
        kwargs.setdefault("stdin", subprocess.DEVNULL)
        kwargs.setdefault("stdout", subprocess.PIPE)
        kwargs.setdefault("stderr", subprocess.PIPE)
        kwargs.setdefault("text", True)
        kwargs.setdefault("cwd", self.directory / "work")
        return subprocess.run([self.longrun, *map(os.fspath, map(_text, args))], env={**self.env, **(env or {})},
                              timeout=DEADLINE_SEC, check=False, **kwargs)

    def popen(self, *args, env=None, **kwargs):
        kwargs.setdefault("stdin", subprocess.DEVNULL)
        kwargs.setdefault("cwd", self.directory / "work")
        return subprocess.Popen([self.longrun, *map(_text, args)], env={**self.env, **(env or {})}, **kwargs)

    def start_task(self, *argv, **options):
        """Starts a command through the CLI; gives its id. options: those of the CLI, without the dashes."""
        words = [word for key, value in options.items() for word in (f"--{key.replace('_', '-')}", str(value))]
        r = self.run("start", "--quiet", *words, "--", *argv)
        if r.returncode != 0:
            raise AssertionError(f"longrun start: exit status {r.returncode}: {r.stderr}")
        return int(r.stdout)


def _text(word):
    return word if isinstance(word, (str, bytes, os.PathLike)) else str(word)


class Gate:
    """A command that prints what it is sent and ends when it is told to: a FIFO between test and task."""

    def __init__(self, session, name="gate"):
        self.path = session.directory / name
        os.mkfifo(self.path, 0o600)
        # For reading, too: so opening waits for nobody.
        self.fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)

    def argv(self, code=0):
        """Ends with the code at the line "end"; all others it prints."""
        script = 'while read -r line; do [ "$line" = end ] && exit "$1"; printf "%s\\n" "$line"; done <"$0"'
        return ["sh", "-c", script, str(self.path), str(code)]

    def send(self, line):
        os.write(self.fd, line.encode() + b"\n")

    def end(self):
        self.send("end")

    def close(self):
        os.close(self.fd)
        os.unlink(self.path)


class Terminal:
    """A program on a terminal of its own. A context manager; leaving it ends the program if it still runs."""

    def __init__(self, session, *args, columns=80, env=None):
        self.output = b""
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        # A session of its own with this as its terminal: ^C reaches it as it does in a shell.
        self.process = session.popen(*args, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                     env={"TERM": "xterm-256color", **(env or {})},
                                     preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)

    def _read(self, deadline):
        if not select.select([self.master], [], [], max(0, deadline - time.monotonic()))[0]:
            raise AssertionError(f"nothing more came; so far: {self.output!r}")
        try:
            data = os.read(self.master, 65536)
        except OSError:  # EIO: the other side is closed
            data = b""
        self.output += data
        return data != b""

    def read_until(self, text):
        """Reads until the text has come; gives all output so far."""
        deadline = time.monotonic() + DEADLINE_SEC
        while text.encode() not in self.output:
            if not self._read(deadline):
                raise AssertionError(f"ended without {text!r}: {self.output!r}")
        return self.output.decode()

    def press(self, keys):
        os.write(self.master, keys)

    def finish(self):
        """Reads to the end; gives the exit status and all output."""
        deadline = time.monotonic() + DEADLINE_SEC
        while self._read(deadline):
            pass
        return self.process.wait(DEADLINE_SEC), self.output.decode()


def variant(signature, value):
    """As the options of a task want it."""
    return GLib.Variant(signature, value)


def check_programs():
    """What is missing for these tests, or None."""
    if Gio is None:
        return "python3-gi is not installed"
    if not shutil.which("dbus-daemon"):
        return "dbus-daemon is not installed"
    for variable in ("LONGRUND", "LONGRUN"):
        path = os.environ.get(variable, "")
        if not os.access(path, os.X_OK):
            return f"{variable} does not name a program: {path!r}"
    return None


def main():
    """Runs the tests of the calling program; after a failure shows what longrund said."""
    missing = check_programs()
    if missing:
        print(f"SKIP: {missing}")
        sys.exit(SKIP)
    # A test that takes too long is sent this: nothing that was started may stay behind.
    signal.signal(signal.SIGTERM, lambda signum, _: sys.exit(128 + signum))
    program = unittest.main(module="__main__", exit=False, verbosity=2)
    if not program.result.wasSuccessful():
        for number, session in enumerate(sessions):
            print(f"--- session {number}: the bus and longrund said\n{session.report()}", file=sys.stderr)
        sys.exit(1)
