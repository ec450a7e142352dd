"""How long it takes from the start of the window until it can be seen, with a long list in it."""

import shutil
import signal
import statistics
import subprocess
import time

import bench_report as br
from bench_session import END_TIMEOUT_SEC, PROGRAMS_PATH, Failure, Session, memory
from bench_window import Screen, Window

LISTED = 100000
KEPT = "[Manager]\nHistoryMax=4000000000\nHistoryMaxAgeSec=0\n"
MAX_SEC = 1
POLL_SEC = 0.01
LOADED_SEC = 10  # by then it knows of all of them


def wait_until_seen(window):
    deadline = time.monotonic() + END_TIMEOUT_SEC
    while subprocess.run(["xdotool", "search", "--onlyvisible", "--class", "longrun"], env=window.env, check=False,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0:
        if window.process.poll() is not None or time.monotonic() > deadline:
            raise Failure(f"the window does not come: {(window.session.directory / 'log').read_text(encoding='utf-8')}")
        time.sleep(POLL_SEC)


def time_first(session, display):
    begin = time.monotonic()
    with Window(session, display) as window:
        wait_until_seen(window)
        return time.monotonic() - begin


def measure_loaded(session, display):
    """Bytes."""
    with Window(session, display) as window:
        wait_until_seen(window)
        time.sleep(LOADED_SEC)
        return memory(window.process.pid)[0] * 1024


def measure_first(report, build, sizes):
    for program in ("Xvfb", "xdotool"):
        if not shutil.which(program, path=PROGRAMS_PATH):
            raise Failure(f"{program} is not installed: scripts/packages test")
    if not (build / "client-gtk/longrun-gtk").exists():
        raise Failure("the window was not built: scripts/packages build")
    with Session(build, 2, KEPT) as session, Screen() as display:
        session.end_daemon(signal.SIGTERM)
        session.run(str(build / "tests/bench/bench-history"), str(session.directory / "state/longrun"), str(LISTED))
        session.start_daemon()
        first = statistics.median(time_first(session, display) for _ in range(sizes.rounds))
        resident = measure_loaded(session, display)
    report.row(f"window with {LISTED} tasks, to be seen", first, br.seconds)
    report.row("the same, resident", resident, br.megabytes)
    report.target(first < MAX_SEC, f"the window with {LISTED} tasks in less than 1 s", br.seconds(first))
