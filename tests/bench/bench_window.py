"""How long the window keeps people waiting: gaps between the ticks of a timer of 4 ms in its main loop."""

import os
import shutil
import signal
import subprocess
import time

import bench_report as br
from bench_session import END_TIMEOUT_SEC, PROGRAMS_PATH, Failure, Session, libc, memory

LISTED = 10000
RUNNING = 100
STEP_MS = 100
RATE = 10 << 20  # bytes a second

P99_MAX_USEC = 16000
LONGEST_MAX_USEC = 100000
MEMORY_MAX = 250e6

# Prints at that rate, for ever.
PACED = f"""
import os, time
block, begin, i = b"".join(b"%07d some words of a line of a build\\n" % i for i in range({RATE // 100 // 44})), time.monotonic(), 0
while True:
    data = memoryview(block)
    while data:
        data = data[os.write(1, data):]
    i += len(block)
    time.sleep(max(0, begin + i / {RATE} - time.monotonic()))
"""

# Nothing of the machine's shall count: no theme, no settings, no portals, no graphics card.
ENVIRONMENT = {
    "ADW_DISABLE_PORTAL": "1",
    "GDK_BACKEND": "x11",
    "GDK_DEBUG": "gl-disable,vulkan-disable",
    "GIO_USE_VFS": "local",
    "GSETTINGS_BACKEND": "memory",
    "GSK_RENDERER": "cairo",
    "GTK_A11Y": "none",
    "GTK_USE_PORTAL": "0",
}


def die_with_us():
    libc.prctl(1, signal.SIGKILL, 0, 0, 0)


class Screen:
    """Xvfb. A context manager that gives the name of the display."""

    def __enter__(self):
        reader, writer = os.pipe()
        self.server = subprocess.Popen(["Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x900x24", "-nolisten", "tcp"],
                                       stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=[writer],
                                       preexec_fn=die_with_us)
        os.close(writer)
        with open(reader, encoding="ascii") as numbers:
            number = numbers.readline().strip()
        if not number:
            raise Failure("Xvfb has not started")
        return f":{number}"

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait(END_TIMEOUT_SEC)


class Window:
    """longrun-gtk with the stall meter in it. A context manager."""

    def __init__(self, session, display):
        self.session = session
        self.figures = session.directory / "stalls"
        self.env = {**session.env, **ENVIRONMENT, "DISPLAY": display, "LONGRUN_STALL_FILE": str(self.figures),
                    "LD_PRELOAD": str(session.build / "tests/bench/stall-meter.so")}

    def __enter__(self):
        with open(self.session.directory / "log", "ab") as log:
            self.process = subprocess.Popen([self.session.build / "client-gtk/longrun-gtk"], cwd=self.session.directory,
                                            env=self.env, stdin=subprocess.DEVNULL, stderr=log, preexec_fn=die_with_us)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(END_TIMEOUT_SEC)

    def xdotool(self, *argv):
        return subprocess.run(["xdotool", *argv], env=self.env, timeout=END_TIMEOUT_SEC, check=True,
                              stdout=subprocess.PIPE).stdout

    def is_up(self):
        self.xdotool("search", "--sync", "--onlyvisible", "--class", "longrun")

    def show_task(self, task):
        self.session.run("gdbus", "call", "--session", "-d", "org.longrun.Longrun", "-o", "/org/longrun/Longrun",
                         "-m", "org.gtk.Actions.Activate", "show-task", f"[<uint64 {task}>]", "{}")

    def measure(self, seconds, busy=None):
        """Gives p50, p99 and the longest gap, in microseconds, and the same of the CPU time in them."""
        done = len(self.lines())
        self.process.send_signal(signal.SIGUSR1)
        if busy:
            busy(time.monotonic() + seconds)
        else:
            time.sleep(seconds)
        self.process.send_signal(signal.SIGUSR2)
        deadline = time.monotonic() + END_TIMEOUT_SEC
        while len(self.lines()) == done:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Failure(f"the window does not answer: {(self.session.directory / 'log').read_text(encoding='utf-8')}")
            time.sleep(0.05)
        return [int(number) for number in self.lines()[-1].split()[1:]]

    def lines(self):
        return self.figures.read_text(encoding="ascii").splitlines() if self.figures.exists() else []

    def scroll(self, deadline):
        """Through the list, as with a wheel that is turned fast."""
        self.xdotool("mousemove", "600", "450")
        while time.monotonic() < deadline:
            for button in ("5", "4"):
                self.xdotool("click", "--repeat", "50", "--delay", "10", button)


def report_stalls(report, where, figures):
    p50, p99, longest, _, cpu_p99, cpu_longest = figures
    report.row(f"window, {where}: gaps, p50", p50 / 1e6, br.milliseconds)
    report.row("the same, p99", p99 / 1e6, br.milliseconds)
    report.row("the same, the longest", longest / 1e6, br.milliseconds)
    report.row("CPU time in them, p99", cpu_p99 / 1e6, br.milliseconds)
    report.row("the same, the most", cpu_longest / 1e6, br.milliseconds)
    report.target(p99 < P99_MAX_USEC and longest < LONGEST_MAX_USEC,
                  f"the window, {where}: p99 below 16 ms, none of 100 ms",
                  f"{br.milliseconds(p99 / 1e6)}, {br.milliseconds(longest / 1e6)}")


def start_tasks(session):
    """Gives the id of the one that prints."""
    session.client("many", str(LISTED - RUNNING - 1), "noop")
    task = session.run("longrun", "start", "--quiet", "--log-max", "512M", "--", "python3", "-c", PACED).strip()
    run = f"longrun run --quiet countdown --param steps=100000 --param step_ms={STEP_MS}"
    session.sh(f"for i in $(seq {RUNNING}); do {run}; done >ids")
    return task


def measure_window(report, build, sizes):
    for program in ("Xvfb", "xdotool", "gdbus"):
        if not shutil.which(program, path=PROGRAMS_PATH):
            raise Failure(f"{program} is not installed: scripts/packages test")
    if not (build / "client-gtk/longrun-gtk").exists():
        raise Failure("the window was not built: scripts/packages build")
    seconds = sizes.window_sec
    with Session(build, RUNNING + 1) as session, Screen() as display:
        task = start_tasks(session)
        with Window(session, display) as window:
            window.is_up()
            time.sleep(2)
            listed = window.measure(seconds)
            scrolled = window.measure(seconds, window.scroll)
            window.show_task(task)
            time.sleep(2)
            followed = window.measure(seconds)
            resident = memory(window.process.pid)[0] * 1024
        session.run("longrun", "cancel", task, *(session.directory / "ids").read_text(encoding="ascii").split())
    print(f"{LISTED} tasks, {RUNNING} of them tell of their progress every {STEP_MS} ms")
    report_stalls(report, "tasks", listed)
    report_stalls(report, "tasks that are scrolled", scrolled)
    report_stalls(report, f"log at {RATE >> 20} MB/s", followed)
    report.row("the window, resident", resident, br.megabytes)
    report.target(resident < MEMORY_MAX, "the window below 250 MB", br.megabytes(resident))
