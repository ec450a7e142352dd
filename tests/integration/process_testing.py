"""Processes, as tests look at them: whose they are, and when they are gone."""

import contextlib
import os
import pathlib
import re
import select
import signal
import time

DEADLINE_SEC = int(os.environ.get("LONGRUN_TEST_DEADLINE_SEC") or 60)


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
        return data.replace(b"\0", b" ").decode(errors="replace").strip() or "(ended)"
    except OSError:
        return "(gone)"


def comm(pid):
    """The short name, which a process may give itself; "" when it is gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").rstrip("\n")
    except OSError:
        return ""


def parent(pid):
    """0 when it is gone."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    return int(stat.rpartition(")")[2].split()[1])


def is_gone(pid):
    """One that has ended and that nobody has collected does not count."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] in "ZX"


def wait_gone(pid, timeout=DEADLINE_SEC):
    """Waits for the end of any process."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if not select.select([fd], [], [], timeout)[0]:
            raise AssertionError(f"process {pid} ({command_line(pid)}) has not ended in {timeout} s")
    finally:
        os.close(fd)


def kill(pid, signum=signal.SIGKILL):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signum)


def until(condition, what, timeout=DEADLINE_SEC):
    """For what sends no event: looks again and again, and gives what it found."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"after {timeout} s: {what() if callable(what) else what}")
        time.sleep(0.01)


def processes_of(runtime):
    """Pids of all that have this XDG_RUNTIME_DIR in their environment, but for this program. Zombies have none."""
    wanted = f"XDG_RUNTIME_DIR={runtime}".encode()
    found = []
    for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))):
        with contextlib.suppress(OSError):  # it may end at any moment
            if wanted in pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0") and pid != os.getpid():
                found.append(pid)
    return found


def keepers_of(folder):
    """Those of a daemon's runtime folder: more than one only for a moment."""
    arguments = f"--keeper {folder}"
    return [pid for pid in _all_pids() if comm(pid) == "longrun-keeper" and arguments in command_line(pid)]


def shims_of(folder):
    """Pid of the shim of each task there that has one. A shim holds its exit record open; a copy of it that is about to
    execute the command does, too."""
    record = re.compile(re.escape(f"{folder}/task-") + r"(\d+)/exit(\.new)?$")
    found = {}
    for pid in _all_pids():
        if comm(pid) != "longrun-shim" or comm(parent(pid)) == "longrun-shim":
            continue
        with contextlib.suppress(OSError):
            for fd in os.listdir(f"/proc/{pid}/fd"):
                match = record.match(os.readlink(f"/proc/{pid}/fd/{fd}"))
                if match:
                    found[int(match[1])] = pid
    return found


def _all_pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]
