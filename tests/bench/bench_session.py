"""What is measured runs here: a bus and longrund of their own, in directories of their own: on the disk, but for the runtime
directory, which is in memory as in every session of a user."""

import ctypes
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

NAME = "org.longrun.Longrun1"
COMMAND_TIMEOUT_SEC = 60
END_TIMEOUT_SEC = 15
REST_SEC = 2
PROGRAMS_PATH = "/usr/local/bin:/usr/bin:/bin"
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

libc = ctypes.CDLL(None)


class Failure(Exception):
    """Something could not be measured; the text says why."""


def become_subreaper():
    """What a program leaves behind becomes a child of this one, so that end_children() finds it."""
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children(pid):
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text(encoding="ascii").split()]
    return found


def end_children():
    while pids := children(os.getpid()):
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


class Place:
    """A directory for one measurement, on the disk, and the environment of all that runs in it. A context manager."""

    def __init__(self, build):
        self.build = build
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="longrun-bench-", dir="/var/tmp"))
        self.runtime = pathlib.Path(tempfile.mkdtemp(prefix="longrun-bench-", dir="/dev/shm"))
        for name in ("home", "state"):
            (self.directory / name).mkdir(mode=0o700)
        self.env = {
            "HOME": str(self.directory / "home"),
            "LC_ALL": "C.UTF-8",
            "PATH": f"{build / 'client-cli'}:{PROGRAMS_PATH}",
            "TMPDIR": str(self.directory),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "XDG_STATE_HOME": str(self.directory / "state"),
        }

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.directory, ignore_errors=True)
        shutil.rmtree(self.runtime, ignore_errors=True)

    def run(self, *argv):
        """Runs a program to its end and gives its output, which goes into a file: processes that it leaves in the
        background may keep that open."""
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            try:
                code = subprocess.run(argv, cwd=self.directory, env=self.env, stdin=subprocess.DEVNULL, stdout=out,
                                      stderr=err, timeout=COMMAND_TIMEOUT_SEC).returncode
            except subprocess.TimeoutExpired:
                raise Failure(f"{argv[0]} has not ended in {COMMAND_TIMEOUT_SEC} s") from None
            out.seek(0)
            err.seek(0)
            if code != 0:
                raise Failure(f"{' '.join(argv)[:200]}: exit code {code}: {err.read().strip()}")
            return out.read()

    def time(self, *argv):
        """The same; gives the seconds that it took."""
        begin = time.perf_counter()
        self.run(*argv)
        return time.perf_counter() - begin

    def sh(self, script):
        return self.time("/bin/sh", "-ec", script)


class Session(Place):
    """With a session bus and longrund on it. config: text of longrun.conf."""

    def __init__(self, build, max_parallel, config=""):
        super().__init__(build)
        path = self.directory / "home/.config/longrun/longrun.conf"
        path.parent.mkdir(parents=True)
        path.write_text(config, encoding="utf-8")
        self.arguments = ["--max-parallel", str(max_parallel)]
        self.bus = self.daemon = None

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in (self.daemon, self.bus):
            if process:
                process.terminate()
                try:
                    process.wait(END_TIMEOUT_SEC)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        super().__exit__()

    def _spawn(self, argv, log, **more):
        return subprocess.Popen(argv, cwd=self.directory, env=self.env, stdin=subprocess.DEVNULL, stderr=log,
                                preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), **more)

    def _start(self):
        with open(self.directory / "log", "wb") as log:
            self.bus = self._spawn(["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=1"], log,
                                   stdout=subprocess.PIPE)
            self.env["DBUS_SESSION_BUS_ADDRESS"] = self.bus.stdout.readline().decode().strip()
        self.start_daemon()

    def start_daemon(self):
        """Gives the seconds until it said that it is ready: it has its name, and has taken up what there was."""
        with open(self.directory / "log", "ab") as log, Readiness(self.directory / "ready") as ready:
            self.env["NOTIFY_SOCKET"] = ready.path
            begin = time.perf_counter()
            self.daemon = self._spawn([self.build / "daemon/longrund", *self.arguments], log, stdout=log)
            del self.env["NOTIFY_SOCKET"]
            if not ready.wait():
                raise Failure(f"longrund did not start: {(self.directory / 'log').read_text(encoding='utf-8')}")
            return time.perf_counter() - begin

    def end_daemon(self, signum):
        self.daemon.send_signal(signum)
        self.daemon.wait(END_TIMEOUT_SEC)

    def client(self, *argv):
        """Runs bench-client; gives the numbers that it prints."""
        return [float(line) for line in self.run(str(self.build / "tests/bench/bench-client"), *argv).split()]

    def switches(self):
        """How often the threads of longrund have been given a CPU so far."""
        count = 0
        for task in pathlib.Path(f"/proc/{self.daemon.pid}/task").iterdir():
            for line in (task / "status").read_text(encoding="utf-8").splitlines():
                if "ctxt_switches:" in line:
                    count += int(line.split()[1])
        return count

    def settle(self):
        """Returns when nothing has happened in longrund for REST_SEC: what it puts off, it puts off for a second at
        most."""
        deadline = time.monotonic() + END_TIMEOUT_SEC
        before = None
        while (now := self.switches()) != before:
            if time.monotonic() > deadline:
                raise Failure("longrund does not come to rest")
            before = now
            time.sleep(REST_SEC)


class Readiness:
    """The receiving end of sd_notify(3). A context manager."""

    def __init__(self, path):
        self.path = str(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(END_TIMEOUT_SEC)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        os.unlink(self.path)

    def wait(self):
        try:
            while b"READY=1" not in self.socket.recv(4096):
                pass
        except TimeoutError:
            return False
        return True


def memory_peak(pid):
    """Kilobytes: the most that has been resident so far."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise Failure("the kernel does not tell the peak of memory")


def memory(pid):
    """Kilobytes: resident, and the process's share of what it has in common with others."""
    found = {}
    for name in ("status", "smaps_rollup"):
        for line in pathlib.Path(f"/proc/{pid}/{name}").read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            if key in ("VmRSS", "Pss"):
                found[key] = int(value.split()[0])
    return found["VmRSS"], found["Pss"]
