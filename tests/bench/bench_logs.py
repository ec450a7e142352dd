"""What is measured of logs that somebody reads."""

import os
import pathlib
import statistics
import subprocess
import time

import bench_report as br
from bench_session import Failure, Session, memory

FOLLOWERS = 4
RATE = 100 << 20  # bytes a second
SECONDS = 3

# Prints at that rate, and says on stderr by how much it fell behind at the most: the seconds that its writes had to wait.
PACED = f"""
import os, sys, time
block, late, begin = b"0123456789abcdefghijklmnopqrstuvwxy\\n" * 29128, 0, time.monotonic()
for i in range({SECONDS * 100}):
    data = memoryview(block)
    while data:
        data = data[os.write(1, data):]
    due = begin + (i + 1) / 100
    late = max(late, time.monotonic() - due)
    time.sleep(max(0, due - time.monotonic()))
print(late, file=sys.stderr)
"""


def follow(session, task):
    return subprocess.Popen(["longrun", "log", "-f", task], cwd=session.directory, env=session.env, stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL)


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run_paced(session, followers):
    """A task that prints at a steady rate: how late it was, and what the daemon took meanwhile."""
    begin, cpu = time.monotonic(), cpu_seconds(session.daemon.pid)
    task = session.run("longrun", "start", "--quiet", "--log-max", "2G", "--", "python3", "-c", PACED).strip()
    processes = [follow(session, task) for _ in range(followers)]
    session.run("longrun", "wait", task)
    for process in processes:
        if process.wait(60) != 0:
            raise Failure("a follower failed")
    cpu = (cpu_seconds(session.daemon.pid) - cpu) / (time.monotonic() - begin)
    late = float(session.run("longrun", "log", "--stderr", task))
    session.run("longrun", "remove", task)
    return late, cpu


def measure_followers(report, build, sizes):
    rate = f"{RATE >> 20} MB/s"
    with Session(build, 2) as session:
        run_paced(session, 0)
        before = memory(session.daemon.pid)[0] * 1024
        late, cpu = {}, {}
        for followers in (0, FOLLOWERS):
            runs = [run_paced(session, followers) for _ in range(sizes.long_rounds)]
            late[followers] = statistics.median(run[0] for run in runs)
            cpu[followers] = statistics.median(run[1] for run in runs)
        grown = memory(session.daemon.pid)[0] * 1024 - before
    for followers in (0, FOLLOWERS):
        report.row(f"{rate} with {followers} followers: late by", late[followers], br.milliseconds)
        report.row("the same: longrund, of a core", cpu[followers], lambda share: f"{share:.1%}")
    report.row("longrund has grown meanwhile", grown, br.megabytes)
    report.target(late[FOLLOWERS] < 0.1, f"{FOLLOWERS} followers keep no task at {rate} waiting for 100 ms",
                  br.milliseconds(late[FOLLOWERS]))
    report.target(cpu[FOLLOWERS] < 0.03, "longrund below 3 % of a core meanwhile", f"{cpu[FOLLOWERS]:.1%}")
    report.target(grown < 1e6, "and it grows by less than 1 MB", br.megabytes(grown))


def measure_view(report, build, sizes):
    with Session(build, 2) as session:
        script = f"yes 0123456789abcdefghijklmnopqrstuvwxyz | head -c {sizes.log}"
        task = session.run("longrun", "start", "--quiet", "--log-max", "4G", "--", "sh", "-c", script).strip()
        session.run("longrun", "wait", task)
        path = session.directory / f"state/longrun/logs/{task}.log"
        sides = {
            "log": lambda: session.sh(f"longrun log {task} >/dev/null"),
            "cat": lambda: session.sh(f"cat {path} >/dev/null"),
            "log | cat": lambda: session.sh(f"longrun log {task} | cat >/dev/null"),
            "cat | cat": lambda: session.sh(f"cat {path} | cat >/dev/null"),
            "-n 10": lambda: session.sh(f"longrun log -n 10 {task} >/dev/null"),
            "tail": lambda: session.sh(f"tail -n 10 {path} >/dev/null"),
            "-t": lambda: session.sh(f"longrun log -t {task} >/dev/null"),
        }
        values = br.interleave(sizes.long_rounds, sides)
    size = sizes.log_bytes

    def speed_of(name):
        return size / values[name]

    for name, peer in (("log", "cat"), ("log | cat", "cat | cat")):
        report.row(f"longrun {name}, {sizes.log}", speed_of(name), br.speed, peer, speed_of(peer))
    report.row(f"longrun log -t, {sizes.log}", speed_of("-t"), br.speed)
    report.row(f"longrun log -n 10, {sizes.log}", values["-n 10"], br.milliseconds, "tail -n 10", values["tail"])
