"""What it costs to keep the output of a command, with its progress being read."""

import contextlib
import os
import pathlib
import re
import statistics
import threading
import time

import bench_report as br
from bench_logs import cpu_seconds
from bench_session import Failure, Session, memory_peak

WATCH_SEC = 0.01

# By what is printed: words of bench-output behind the number of bytes, and the progress that is to be seen.
OUTPUTS = {
    "long lines": ("words", [], ""),
    "counters": ("counters", [], "counter"),
    "long lines on both streams": ("words", ["both"], ""),
    "counters on both streams": ("counters", ["both"], "counter"),
}


def shims():
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and (entry / "comm").read_text(encoding="utf-8").strip() == "longrun-shim":
                yield int(entry.name)


class ShimWatch(threading.Thread):
    """The most that the shim of the only task has had resident, in kilobytes. A context manager."""

    def __init__(self):
        super().__init__(daemon=True)
        self.peak = 0
        self.ended = threading.Event()
        self.others = set(shims())

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()

    def run(self):
        pid = None
        while not self.ended.wait(WATCH_SEC):
            pid = pid or next(iter(set(shims()) - self.others), None)
            with contextlib.suppress(OSError, Failure):
                self.peak = max(self.peak, memory_peak(pid) if pid else 0)


def capture(session, argv, size, source):
    """Bytes a second, what the daemon took of a core meanwhile, and the peak of the shim in bytes."""
    os.sync()  # what others have written is not to be paid for here
    begin, cpu = time.monotonic(), cpu_seconds(session.daemon.pid)
    with ShimWatch() as watch:
        task, usec = session.client("command", *argv)
    cpu = (cpu_seconds(session.daemon.pid) - cpu) / (time.monotonic() - begin)
    shown = session.run("longrun", "show", "--json", f"{task:.0f}")
    kept = (session.directory / f"state/longrun/logs/{task:.0f}.log").stat().st_size
    session.run("longrun", "remove", f"{task:.0f}")
    if kept != size:
        raise Failure(f"the log has {kept} bytes instead of {size}")
    found = re.search(r'"progress-source":\s*"(.*)"', shown)
    if not found or found[1] != source:
        raise Failure(f"its progress was read from {found and found[1]!r}, not from {source!r}")
    return size / (usec / 1e6), cpu, watch.peak * 1024


def cat(session, argv, size):
    """One for each stream."""
    os.sync()
    seconds = session.sh(f"{{ {' '.join(argv)} 2>&3 | cat >file; }} 3>&1 | cat >file-of-stderr")
    for name in ("file", "file-of-stderr"):
        (session.directory / name).unlink()
    return size / seconds


def measure_output(report, session, name, sizes):
    kind, more, source = OUTPUTS[name]
    size = sizes.log_bytes - sizes.log_bytes % (80 if kind == "counters" else 1)
    argv = [str(session.build / "tests/bench/bench-output"), kind, str(size), *more]
    ours, theirs = [], []
    for _ in range(sizes.long_rounds):
        ours.append(capture(session, argv, size, source))
        theirs.append(cat(session, argv, size))
    speed, cpu, peak = (statistics.median(values) for values in zip(*ours))
    ratio = report.row(f"{sizes.log} of {name}", speed, br.speed, "| cat >file", statistics.median(theirs))
    report.row("longrund meanwhile, of a core", cpu, lambda share: f"{share:.1%}")
    report.row("the most of longrun-shim, resident", peak, br.megabytes)
    report.target(ratio >= 0.5, f"{name}: kept at least half as fast as by cat", f"{ratio:.2f}")
    return cpu, peak


def measure_capture(report, build, sizes):
    with Session(build, 2, "[Manager]\nLogMax=8G\n") as session:
        figures = [measure_output(report, session, name, sizes) for name in OUTPUTS]
    cpu, peak = (max(values) for values in zip(*figures))
    report.target(cpu < 0.03, "longrund below 3 % of a core while output is kept", f"{cpu:.1%}")
    report.target(peak < 2e6, "longrun-shim below 2 MB meanwhile", br.megabytes(peak))
