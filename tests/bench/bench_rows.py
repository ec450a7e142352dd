"""What is measured: a function for each part of the table."""

import os
import pathlib
import shutil
import signal
import statistics
import time

import bench_backends
import bench_capture
import bench_download
import bench_first
import bench_logs
import bench_report as br
import bench_window
from bench_session import PROGRAMS_PATH, Failure, Place, Session, children, memory, memory_peak

SLOTS = 2  # tasks at a time, of longrun and of its peers
HERE = pathlib.Path(__file__).resolve().parent


class Sizes:
    """How much of everything."""

    def __init__(self, quick):
        self.commands = 200 if quick else 1000
        self.latencies = 200 if quick else 1000
        self.noops = 5000 if quick else 20000
        self.rounds = 3 if quick else 5
        self.long_rounds = 1 if quick else 3
        self.log = "256M" if quick else "2G"
        self.log_bytes = (256 if quick else 2048) << 20
        self.idle_sec = 3 if quick else 10
        self.history = 50000 if quick else 1000000
        self.pages = 20 if quick else 200
        self.waiting = 100000
        self.backends = 1000
        self.polling_sec = 8 if quick else 15
        self.decisions = 20000 if quick else 200000
        self.window_sec = 5 if quick else 15


def installed(report, program, package):
    if shutil.which(program, path=PROGRAMS_PATH):
        return True
    report.note(f"{program} is not installed: apt-get install {package}")
    return False


# --- many short commands ---

def loop(n, command):
    """A shell that starts a process for each; their ids are in the file ids."""
    return f"i=0; while [ $i -lt {n} ]; do {command}; i=$((i + 1)); done >ids"


def time_tsp(build, n):
    """Jobs begin in the order in which they came: with the last of each slot, all have ended."""
    with Place(build) as place:
        place.env["TS_SOCKET"] = str(place.directory / "socket")
        place.run("tsp", "-S", str(SLOTS))
        try:
            return place.sh(f"{loop(n, 'tsp true')}; for id in $(tail -n {SLOTS} ids); do tsp -w $id; done")
        finally:
            place.run("tsp", "-K")


def time_nq(build, n):
    with Place(build) as place:
        place.env["NQDIR"] = str(place.directory / "nq")
        return place.sh(f"{loop(n, 'nq -q true')}; nq -w")


def time_xargs(build, n):
    with Place(build) as place:
        return place.sh(f"yes | head -n {n} | xargs -P{SLOTS} -n1 true")


def measure_true(report, build, sizes):
    n = sizes.commands
    starts = loop(n, "longrun start --quiet -- true")
    with Session(build, SLOTS) as session:
        ours = {
            "a process each": lambda: session.sh(f"{starts}; longrun wait $(cat ids)"),
            "one connection": lambda: session.client("commands", str(n))[0] / 1e6,
            "StartMany": lambda: session.client("many", str(n), "command")[0] / 1e6,
        }
        peers = {}
        if installed(report, "tsp", "task-spooler"):
            peers["tsp"] = lambda: time_tsp(build, n)
        peers["xargs -P2"] = lambda: time_xargs(build, n)
        values = br.interleave(sizes.rounds, {**ours, **peers})
        if installed(report, "nq", "nq"):
            # One at a time is all that it does, and it takes long.
            peers["nq, no slots"] = None
            values.update(br.interleave(1, {"nq, no slots": lambda: time_nq(build, n)}))
    for name in ours:
        ratios = {peer: report.row(f"{n} x true, {name}", values[name], br.seconds, peer, values[peer])
                  for peer in peers}
        if "tsp" in ratios:
            report.target(ratios["tsp"] <= 1, f"{n} x true, {name}, in no more than the time of tsp",
                          f"{ratios['tsp']:.2f} x")


# --- latencies ---

def show_percentiles(report, what, ours, peer, theirs):
    for percent in (50, 99):
        report.row(f"{what}, p{percent}", br.percentile(ours, percent) / 1e6, br.milliseconds, peer,
                   br.percentile(theirs, percent) / 1e6)


def measure_submit(report, build, sizes):
    with Session(build, SLOTS) as session:
        ours, theirs = [], []
        for _ in range(sizes.long_rounds):
            ours += session.client("submit", str(sizes.latencies))
            session.settle()
            theirs += session.client("ping", str(sizes.latencies))
    show_percentiles(report, "StartCommand of true to its answer", ours, "Ping", theirs)


def measure_finish(report, build, sizes):
    with Session(build, SLOTS) as session:
        arguments = [str(sizes.latencies // 2), str(build / "tests/bench/bench-exit"), str(session.directory / "exits")]
        ours, theirs = [], []
        for _ in range(sizes.long_rounds):
            ours += session.client("finish", *arguments)
            theirs += session.client("waitpid", *arguments)
    show_percentiles(report, "exit of a process to Finished", ours, "waitpid(2)", theirs)
    p50 = br.percentile(ours, 50) / 1e6
    report.target(p50 < 0.003, "Finished within 3 ms of the exit of the process, p50", br.milliseconds(p50))


# --- built-in tasks ---

def has_qt(place):
    try:
        place.run("/usr/bin/python3", "-c", "import PyQt6.QtCore")
    except Failure:
        return False
    return True


def measure_noop(report, build, sizes):
    n = sizes.noops
    with Session(build, SLOTS) as session:
        sides = {"longrun": lambda: session.client("many", str(n), "noop")[0] / 1e6}
        if has_qt(session):
            sides["QThreadPool"] = lambda: float(
                session.run("/usr/bin/python3", str(HERE / "qt-pool.py"), str(n), str(SLOTS)))
        else:
            report.note("PyQt6 is not installed: apt-get install python3-pyqt6")
        values = br.interleave(sizes.long_rounds, sides)
    ratio = report.row(f"{n} x noop by StartMany ({n / values['longrun']:.0f} a second)", values["longrun"], br.seconds,
                       "QThreadPool", values.get("QThreadPool"))
    if ratio:
        report.target(ratio <= 2, f"{n} x noop, at least half as many a second as QThreadPool", f"{1 / ratio:.2f} x")


# --- output ---

LARGE_LOGS = "[Manager]\nLogMax=8G\n"

def time_log(session, sizes):
    os.sync()  # what others have written is not to be paid for here
    task, usec = session.client("command", "head", "-c", sizes.log, "/dev/zero")
    size = (session.directory / f"state/longrun/logs/{task:.0f}.log").stat().st_size
    session.run("longrun", "remove", f"{task:.0f}")
    if size != sizes.log_bytes:
        raise Failure(f"the log has {size} bytes instead of {sizes.log_bytes}")
    return sizes.log_bytes / (usec / 1e6)


def time_cat(session, sizes):
    os.sync()
    seconds = session.sh(f"head -c {sizes.log} /dev/zero | cat >file")
    (session.directory / "file").unlink()
    return sizes.log_bytes / seconds


def measure_log(report, build, sizes):
    with Session(build, SLOTS, LARGE_LOGS) as session:
        free = shutil.disk_usage(session.directory).free
        if free < 2 * sizes.log_bytes:
            raise Failure(f"only {free >> 20} MiB are free below {session.directory.parent}")
        values = br.interleave(sizes.long_rounds, {"longrun": lambda: time_log(session, sizes),
                                                   "cat": lambda: time_cat(session, sizes)})
    ratio = report.row(f"log of head -c {sizes.log} /dev/zero", values["longrun"], br.speed, "cat >file", values["cat"])
    report.target(ratio >= 0.5, "log at least half as fast as cat >file", f"{ratio:.2f}")


# --- nothing to do ---

def count_wakeups(session, sizes):
    """A second."""
    session.settle()
    before, begin = session.switches(), time.monotonic()
    time.sleep(sizes.idle_sec)
    return (session.switches() - before) / (time.monotonic() - begin)


def show_memory(report, what, pid):
    resident, share = memory(pid)
    report.row(f"{what}, resident", resident * 1024, br.megabytes)
    report.row(f"{what}, its share (PSS)", share * 1024, br.megabytes)
    return resident * 1024


def measure_idle(report, build, sizes):
    n = sizes.commands
    with Session(build, SLOTS) as session:
        wakeups = [count_wakeups(session, sizes)]
        resident = [show_memory(report, "longrund after its start", session.daemon.pid)]
        session.client("commands", str(n))
        wakeups.append(count_wakeups(session, sizes))
        resident.append(show_memory(report, f"longrund after {n} tasks", session.daemon.pid))
        task = session.run("longrun", "start", "--quiet", "--", "sleep", "1000").strip()
        session.settle()
        show_memory(report, "longrun-shim of a task", children(session.daemon.pid)[0])
        session.run("longrun", "cancel", task)
    report.row("longrund idle, wake-ups a second", wakeups[0], br.plain)
    report.row(f"the same after {n} tasks", wakeups[1], br.plain)
    report.target(max(wakeups) == 0, "no wake-ups when idle", f"{max(wakeups):g} a second")
    report.target(max(resident) < 12e6, "resident below 12 MB", br.megabytes(max(resident)))


# --- what was there before ---

RUNNING = 100


def time_take_up(session):
    """From the start of the next daemon to its answers to a call to each task."""
    session.end_daemon(signal.SIGKILL)
    return session.start_daemon() + session.client("control", str(RUNNING))[0] / 1e6


def measure_take_up(report, build, sizes):
    with Session(build, RUNNING) as session:
        for _ in range(RUNNING):
            session.run("longrun", "start", "--quiet", "--", "sleep", "1000")
        session.client("control", str(RUNNING))
        took = statistics.median(time_take_up(session) for _ in range(sizes.rounds))
        session.run("longrun", "cancel", *(str(task) for task in range(1, RUNNING + 1)))
    report.row(f"kill -9, to {RUNNING} tasks under control again", took, br.seconds)
    report.target(took < 0.2, f"{RUNNING} running tasks are taken up in less than 200 ms", br.milliseconds(took))


PAGES = {
    "first": [],
    "newest first": ["newest-first"],
    "failed": ["states", "failed"],
    "failed, newest first": ["states", "failed", "newest-first"],
    "a group": ["group", "encodes"],
    "a group, newest first": ["group", "encodes", "newest-first"],
}


def measure_history(report, build, sizes):
    n = sizes.history
    with Session(build, SLOTS, "[Manager]\nHistoryMax=4000000000\nHistoryMaxAgeSec=0\n") as session:
        session.end_daemon(signal.SIGTERM)
        for _ in range(4):  # each within the time that a program may take
            session.run(str(build / "tests/bench/bench-history"), str(session.directory / "state/longrun"), str(n // 4))
        starts = []
        for _ in range(sizes.rounds):
            starts.append(session.start_daemon())
            session.end_daemon(signal.SIGTERM)
        session.start_daemon()
        pages = {name: session.client("list", str(sizes.pages), *words) for name, words in PAGES.items()}
        resident = memory(session.daemon.pid)[0] * 1024
    report.row(f"start with {n} ended tasks", statistics.median(starts), br.seconds)
    for name, usec in pages.items():
        report.row(f"ListTasks, 100 of {n}: {name}", br.percentile(usec, 50) / 1e6, br.milliseconds)
    report.row(f"longrund with {n} ended tasks, resident", resident, br.megabytes)
    slowest = max(br.percentile(usec, 50) for usec in pages.values()) / 1e6
    start = statistics.median(starts)
    report.target(slowest < 0.005, f"a page of 100 out of {n} in less than 5 ms, p50", br.milliseconds(slowest))
    report.target(start < 0.2, f"start with {n} ended tasks in less than 200 ms", br.milliseconds(start))
    report.target(resident < 12e6, f"resident below 12 MB with {n} ended tasks", br.megabytes(resident))


# --- what is still to come ---

def measure_waiting(report, build, sizes):
    n = sizes.waiting
    with Session(build, SLOTS) as session:
        empty = memory(session.daemon.pid)[0] * 1024
        took = sum(session.client("fill", str(n // 2), kind)[0] for kind in ("noop", "command")) / 1e6
        session.settle()
        resident, peak = memory(session.daemon.pid)[0] * 1024, memory_peak(session.daemon.pid) * 1024
        pages = {name: session.client("list", str(sizes.pages), *words)
                 for name, words in (("first", []), ("newest first", ["newest-first"]))}
        starts = []
        for _ in range(sizes.long_rounds):
            session.end_daemon(signal.SIGTERM)
            starts.append(session.start_daemon())
        session.settle()
        again = memory(session.daemon.pid)[0] * 1024
    report.row(f"StartMany, {n} tasks, to the last answer", took, br.seconds)
    report.row(f"longrund with {n} waiting tasks, resident", resident, br.megabytes)
    report.row("the most of it meanwhile", peak, br.megabytes)
    report.row("the same after a restart", again, br.megabytes)
    report.row("of it for each task (bytes)", round((resident - empty) / n), br.plain)
    for name, usec in pages.items():
        report.row(f"ListTasks, 100 of {n} waiting: {name}", br.percentile(usec, 50) / 1e6, br.milliseconds)
    start = statistics.median(starts)
    report.row(f"start with {n} waiting tasks", start, br.seconds)
    report.target(max(resident, again) < 80e6, f"resident below 80 MB with {n} waiting tasks",
                  br.megabytes(max(resident, again)))
    report.target(start < 1, f"start with {n} waiting tasks in less than 1 s", br.seconds(start))


# --- who is next ---

QUEUES = {"one": "one group", "groups": "50 groups", "tokens": "60 sets of tokens", "sets": "1000 sets of tokens"}
QUEUE_SIZES = {"1k": 1000, "10k": 10000, "100k": 100000}


def time_decision(build, n, sort, rounds):
    """Seconds on average: of a task that ends, one that comes, the claim and the start of the next; and of that start."""
    with Place(build) as place:
        words = place.run(str(build / "tests/bench/bench-scheduler"), str(n), sort, str(rounds)).split()
        return int(words[0]) / 1e9, int(words[1]) / 1e9


def measure_decide(report, build, sizes):
    slowest, growth = 0, 0
    for sort, what in QUEUES.items():
        took = {}
        for name, n in QUEUE_SIZES.items():
            took[name] = [statistics.median(of) for of in
                          zip(*(time_decision(build, n, sort, sizes.decisions) for _ in range(sizes.rounds)))]
        for name, (whole, start) in took.items():
            of_1k = (whole / took["1k"][0], start / took["1k"][1])
            report.row(f"{name} queued, {what}", whole, br.microseconds, "1k queued", took["1k"][0])
            report.row(f"{name} queued, {what}: start", start, br.microseconds, "1k queued", took["1k"][1])
            slowest, growth = max(slowest, whole), max(growth, *of_1k)
    report.target(slowest < 50e-6, "a decision in less than 50 us on average", br.microseconds(slowest))
    report.note(f"At most {growth:.1f} times as long with 100 times as many tasks: memory that is in no cache, no more steps.")


PARTS = {
    "true": measure_true,
    "submit": measure_submit,
    "finish": measure_finish,
    "noop": measure_noop,
    "log": measure_log,
    "capture": bench_capture.measure_capture,
    "view": bench_logs.measure_view,
    "followers": bench_logs.measure_followers,
    "download": bench_download.measure_download,
    "idle": measure_idle,
    "take-up": measure_take_up,
    "history": measure_history,
    "waiting": measure_waiting,
    "decide": measure_decide,
    "backends": bench_backends.measure_backends,
    "first": bench_first.measure_first,
    "window": bench_window.measure_window,
}
