"""What is measured of backends: a thousand that are polled every second, beside a poller with a thread for each request."""

import json
import pathlib
import subprocess
import time
import urllib.request

import bench_report as br
from bench_logs import cpu_seconds
from bench_session import Failure, Session, memory

INTERVAL_SEC = 1
HUNG = 100
CALL_PAUSE_USEC = 20000
START_SEC = 30
HERE = pathlib.Path(__file__).resolve().parent

CONFIG = """
[Backend {name}]
Url={url}/b/{name}
StatusPath=/api/status
PollPath=/doc/poll
PollIntervalSec={interval}
"""


class Server:
    """tests/backend, which counts what comes. A context manager."""

    def __init__(self, build):
        self.program = build / "tests/backend/test-backend"
        if not self.program.exists():
            raise Failure("there is no test-backend: scripts/packages bench, then remove the build directory")
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen([self.program, "--die-with-parent", "--record=200000"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[-1]
        self.ask("POST", "set", {"documents": {"poll": {"json": {"value": 1}}}})
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def ask(self, method, path, body=None):
        request = urllib.request.Request(f"{self.url}/_test/{path}", method=method,
                                         data=json.dumps(body).encode() if body is not None else None)
        with urllib.request.urlopen(request) as response:
            return json.load(response)

    def wait_polls(self, n):
        deadline = time.monotonic() + START_SEC
        while self.ask("GET", "requests?count=1&path=/b/*/doc/poll") < n:
            if time.monotonic() > deadline:
                raise Failure("the polls do not begin")
            time.sleep(0.2)

    def intervals(self):
        """Seconds between two polls of the same backend, of all that came."""
        last, found = {}, []
        for r in self.ask("GET", "requests?path=/b/n*/doc/poll"):
            if r["path"] in last:
                found.append(r["time"] - last[r["path"]])
            last[r["path"]] = r["time"]
        return found


class Polling:
    """How a process did while it polled: share of a CPU, resident kilobytes, polls a second, seconds between two."""

    def __init__(self, server, pid, seconds, meanwhile):
        server.ask("DELETE", "requests")
        begin, cpu = time.monotonic(), cpu_seconds(pid)
        meanwhile(seconds)
        elapsed = time.monotonic() - begin
        self.cpu = (cpu_seconds(pid) - cpu) / elapsed
        self.memory = memory(pid)[0]
        self.rate = server.ask("GET", "requests?count=1&path=/b/n*/doc/poll") / elapsed
        self.intervals = server.intervals()

    def interval(self, percent):
        return br.percentile(self.intervals, percent)


def names(n, hung):
    return [f"h{i}" for i in range(hung)] + [f"n{i}" for i in range(n - hung)]


def paced_calls(session, seconds):
    """Seconds that each of some calls took, as a window makes them."""
    return [usec / 1e6 for usec in session.client("paced", str(int(seconds * 1e6 / CALL_PAUSE_USEC)),
                                                  str(CALL_PAUSE_USEC))]


def calls_without_backends(build, sizes):
    with Session(build, 2) as session:
        return paced_calls(session, sizes.polling_sec)


def poll_with_longrun(build, server, sizes, hung):
    """Gives that, and the seconds that calls took meanwhile."""
    config = "".join(CONFIG.format(name=name, url=server.url, interval=INTERVAL_SEC)
                     for name in names(sizes.backends, hung))
    with Session(build, 2, config) as session:
        server.ask("DELETE", "requests")
        server.wait_polls(2 * sizes.backends)
        calls = []
        polling = Polling(server, session.daemon.pid, sizes.polling_sec,
                          lambda seconds: calls.extend(paced_calls(session, seconds)))
    return polling, calls


def poll_with_threads(server, sizes, hung):
    urls = [f"{server.url}/b/{name}/doc/poll" for name in names(sizes.backends, hung)]
    with subprocess.Popen(["/usr/bin/python3", HERE / "thread-poller.py", str(INTERVAL_SEC)], stdin=subprocess.PIPE,
                          text=True) as process:
        try:
            process.stdin.write("\n".join(urls))
            process.stdin.close()
            server.ask("DELETE", "requests")
            server.wait_polls(2 * sizes.backends)
            return Polling(server, process.pid, sizes.polling_sec, time.sleep)
        finally:
            process.kill()


def show(report, what, ours, theirs):
    peer = "thread a request"
    report.row(f"{what}: CPU", ours.cpu * 100, lambda v: f"{v:.1f}%", peer, theirs.cpu * 100)
    report.row(f"{what}: memory", ours.memory * 1024, br.megabytes, peer, theirs.memory * 1024)
    report.row(f"{what}: polls a second", ours.rate, lambda v: f"{v:.0f}", peer, theirs.rate)
    for percent in (50, 99):
        report.row(f"{what}: interval, p{percent}", ours.interval(percent), br.seconds, peer, theirs.interval(percent))


def measure_side(report, build, sizes, hung, idle_calls):
    what = f"{sizes.backends} backends" + (f", {hung} hung" if hung else "")
    with Server(build) as server:
        if hung:
            server.ask("POST", "faults", {"path": "/b/h*/doc/poll", "kind": "hang"})
        ours, calls = poll_with_longrun(build, server, sizes, hung)
        theirs = poll_with_threads(server, sizes, hung)
    show(report, what, ours, theirs)
    for percent in (50, 99):
        report.row(f"{what}: a call, p{percent}", br.percentile(calls, percent), br.milliseconds, "no backends",
                   br.percentile(idle_calls, percent))
    p99 = br.percentile(calls, 99)
    report.target(ours.cpu < 0.25, f"{what}: below 25% of a CPU", f"{ours.cpu:.1%}")
    report.target(ours.memory < 60000, f"{what}: below 60 MB", br.megabytes(ours.memory * 1024))
    report.target(p99 < 0.005, f"{what}: calls below 5 ms, p99", br.milliseconds(p99))
    wanted = (sizes.backends - hung) / INTERVAL_SEC
    report.target(ours.rate > 0.95 * wanted and ours.interval(99) < 1.25 * INTERVAL_SEC,
                  f"{what}: nobody is slowed", f"{ours.rate / wanted:.1%} of the polls, p99 {br.seconds(ours.interval(99))}")


def measure_backends(report, build, sizes):
    idle_calls = calls_without_backends(build, sizes)
    for hung in (0, HUNG):
        measure_side(report, build, sizes, hung, idle_calls)
