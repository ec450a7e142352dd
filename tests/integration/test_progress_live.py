#!/usr/bin/python3
"""Real programs, as they are, all at a time: how far each is, is told from its beginning to its end, never backwards
within a phase, and when it will have ended.

    LONGRUND=PATH test_progress_live.py
"""

import http.server
import os
import shutil
import threading
import time
import typing

from daemon_testing import DaemonTestCase, main
from longrun_testing import GLib

KIB = 1024
SIZE = 2400 * KIB  # of what is sent, copied, piped
RATE = 400 * KIB   # bytes a second, of those that can be held back
POLL_MSEC = 150
SLACK_SEC = 0.7    # of an end that was foreseen: most programs speak once a second
TIMEOUT_SEC = 60
ABOUT_END = 0.75
ABOUT_BEGIN = 0.4
READINGS = 4       # -1 and three that are known: from then on an end is to be foreseen

NINJA = "rule step\n  command = sleep 0.15 && touch $out\n" + "".join(f"build out_{n}: step\n" for n in range(24))

CMAKE = """
cmake_minimum_required(VERSION 3.13)
project(small C)
add_library(small {})
"""

NOTIFY = """
systemd-notify --status='Looking around' X_LONGRUN_PHASE=looking
for n in 0 25 50 75 100; do systemd-notify X_LONGRUN_PROGRESS=$n; sleep 0.15; done
systemd-notify X_LONGRUN_PHASE=working
for n in 1 2 3 4 5 6 7 8; do systemd-notify X_LONGRUN_DONE=$n X_LONGRUN_TOTAL=8 --status="$n of 8"; sleep 0.15; done
"""

OSC = r"""
for n in 0 10 20 30 40 50 60 70 80 90 100; do printf '\033]9;4;1;%d\033\\step\n' $n; sleep 0.25; done
printf '\033]9;4;0\a'
"""


class Program(typing.NamedTuple):
    name: str
    script: str
    source: str
    phases: list = [""]     # those that may be shown, in this order
    foreseen: bool = False  # it goes on at the same pace
    counts: bool = False    # it does not know the total
    needs: tuple = ()
    terminal: bool = False


PROGRAMS = [
    Program("curl", "curl -o curl.bin URL/big.bin", "counter", foreseen=True, needs=("curl",)),
    Program("curl two", "curl -o 1.bin URL/half.bin && curl -o 2.bin URL/half.bin", "counter", ["", "part 2"],
            needs=("curl",)),
    Program("curl bar", "curl -# -o bar.bin URL/big.bin", "percent", foreseen=True, needs=("curl",)),
    Program("wget", "wget -O wget.bin URL/big.bin", "percent", foreseen=True, needs=("wget",)),
    Program("wget bar", "wget -O bar2.bin URL/big.bin", "percent", foreseen=True, needs=("wget",), terminal=True),
    Program("rsync", f"rsync -r --info=progress2 --bwlimit={RATE // KIB} from/ to/", "percent", foreseen=True,
            needs=("rsync",)),
    Program("ninja", "ninja -C ninja -j1", "counter", foreseen=True, needs=("ninja",)),
    Program("make", "cmake -S cmake -B build >/dev/null && make -C build", "percent", needs=("cmake", "make", "cc")),
    Program("git", "git clone --progress file://$PWD/repository copy", "counter",
            ["Counting objects", "Compressing objects", "Receiving objects", "Resolving deltas", "Updating files"],
            needs=("git",)),
    Program("pv", f"pv -f -i 0.3 -L {RATE} big.bin > pv.bin", "percent", foreseen=True, needs=("pv",)),
    Program("tar | pv", f"tar -c from | pv -f -i 0.3 -s $(du -sb from | cut -f1) -L {RATE} > tar.bin", "percent",
            foreseen=True, needs=("tar", "pv")),
    Program("dd", f"dd if=big.bin bs=16k status=progress | pv -q -L {RATE} > dd.bin", "counter", counts=True,
            needs=("pv",)),
    Program("xz", "xz -v -9e -T1 -k text", "percent", needs=("xz",), terminal=True),
    Program("zstd", "zstd -19 --single-thread text", "counter", needs=("zstd",), terminal=True),
    Program("notify", NOTIFY, "notify", ["looking", "working"], needs=("systemd-notify",)),
    Program("osc", OSC, "osc", foreseen=True),
    Program("counter", "for n in $(seq 20); do echo \"$n of 20\"; sleep 0.1; done", "counter", foreseen=True),
]


class Look(typing.NamedTuple):
    """What a list of tasks has said."""
    time: float  # since the epoch
    row: dict


class SlowHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        size = SIZE // 2 if "half" in self.path else SIZE
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        begin, piece = time.monotonic(), b"x" * 8192
        for sent in range(len(piece), size + 1, len(piece)):
            self.wfile.write(piece)
            time.sleep(max(0, begin + sent / RATE - time.monotonic()))

    def log_message(self, *_):
        pass


class ProgressTest(DaemonTestCase):
    ARGUMENTS = (f"--max-parallel={len(PROGRAMS)}",)

    def setUp(self):
        super().setUp()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), SlowHandler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.folder = self.session.base / "programs"
        self.folder.mkdir()

    # --- what the programs work on

    def prepare(self):
        (self.folder / "big.bin").write_bytes(os.urandom(SIZE))
        (self.folder / "from").mkdir()
        for n in range(4):
            (self.folder / f"from/{n}").write_bytes(os.urandom(SIZE // 4))
        words = [f"{n * 7919 % 10007} lines of text, {n * n % 65537} of them the same\n" for n in range(30000)]
        (self.folder / "text").write_text("".join(words), encoding="utf-8")
        (self.folder / "ninja").mkdir()
        (self.folder / "ninja/build.ninja").write_text(NINJA, encoding="utf-8")
        self.prepare_cmake(16)
        if shutil.which("git"):
            self.prepare_repository(300)

    def prepare_cmake(self, files):
        (self.folder / "cmake").mkdir()
        for n in range(files):
            (self.folder / f"cmake/{n}.c").write_text(f"int f{n}(void);\nint f{n}(void) {{ return {n}; }}\n",
                                                      encoding="utf-8")
        (self.folder / "cmake/CMakeLists.txt").write_text(CMAKE.format(" ".join(f"{n}.c" for n in range(files))),
                                                          encoding="utf-8")

    def prepare_repository(self, files):
        folder = self.folder / "repository"
        folder.mkdir()
        for n in range(files):
            (folder / str(n)).write_bytes(os.urandom(5000))
        for command in (["init", "-q"], ["add", "."],
                        ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org", "commit", "-q", "-m", "All"]):
            result = self.session.run("git", "-C", folder, *command)
            self.assertEqual(result.returncode, 0, result.stderr)

    # --- running them

    def start(self, program):
        options = {"pty": True} if program.terminal else {}
        script = program.script.replace("URL", self.url)
        return self.session.shell(script, cwd=str(self.folder), label=program.name, **options)

    def look(self, tasks, looks):
        rows, _ = self.session.list_tasks(limit=1000)
        now = time.time()
        for row in rows:
            if row["id"] in tasks and row["state"] == "running":
                looks[row["id"]].append(Look(now, row))

    def run_all(self, programs):
        tasks = {task.id: task for task in map(self.start, programs)}
        looks = {number: [] for number in tasks}

        def on_time():
            self.look(tasks, looks)
            return GLib.SOURCE_CONTINUE

        timer = GLib.timeout_add(POLL_MSEC, on_time)
        try:
            self.session.wait_until(lambda: all(t.signals("Finished") for t in tasks.values()), "all to end",
                                    TIMEOUT_SEC)
        finally:
            GLib.source_remove(timer)
        return [(program, tasks[number], looks[number]) for program, number in zip(programs, tasks)]

    # --- what is expected

    def check_signals(self, program, task):
        told = [s.args for s in task.signals("Progress")]
        self.assertTrue(told, "nothing was told")
        phase, fraction, done, seen = None, -1, 0, []
        for f, d, total, p in told:
            if p == phase:
                self.assertGreaterEqual(f, fraction, f"back in phase {p!r}: {told}")
                self.assertGreaterEqual(d, done, f"back in phase {p!r}: {told}")
            else:
                seen.append(p)
            phase, fraction, done = p, f, d
            self.assertLessEqual(d, max(total, d if total == 0 else 0))
        expected = [p for p in program.phases if p in seen]
        self.assertEqual(seen, expected)
        running = [f for f, *_ in told[:-1]]
        self.assertTrue(all(f < 1 for f in running), told)
        if program.counts:
            self.assertTrue(all(f < 0 for f in running), told)
            return
        known = [f for f in running if f >= 0]
        self.assertTrue(known, told)
        if len(program.phases) == 1:  # the first of several may be short
            self.assertLessEqual(known[0], ABOUT_BEGIN, told)
        self.assertGreaterEqual(max(known), ABOUT_END, told)

    def check_end(self, program, task):
        p = task.get_all()
        self.assertEqual((p["State"], p["ExitCode"], p["Progress"]), ("succeeded", 0, 1.0),
                         task.read_log()[-2000:].decode(errors="replace"))
        self.assertEqual(p["ProgressSource"], program.source)
        self.assertIn(p["Phase"], program.phases)
        return p

    def check_foresight(self, p, looks):
        """In the second half; on a machine that has much else to do, when some readings have come by then."""
        begin, end = p["StartedAt"] / 1e6, p["FinishedAt"] / 1e6
        seen, second = set(), []
        for look in looks:
            seen.add(look.row["progress"])
            if len(seen) >= READINGS and (begin + end) / 2 < look.time < end:
                second.append(look)
        self.assertTrue(second)
        for look in second:
            expected = look.row["expected-end-time"] / 1e6
            left, foreseen = end - look.time, expected - look.time
            self.assertTrue(left / 2 - SLACK_SEC <= foreseen <= left * 2 + SLACK_SEC,
                            f"after {look.time - begin:.1f} s: {foreseen:.1f} s to go, in truth {left:.1f} s; "
                            f"at {look.row['progress']}")

    def check_rate(self, looks):
        rates = [look.row["rate"] for look in looks if look.row["rate"] > 0]
        self.assertTrue(rates)
        self.assertTrue(RATE / 3 < rates[-1] < RATE * 3, rates)

    def test_programs(self):
        missing = {need for program in PROGRAMS for need in program.needs if not shutil.which(need)}
        if missing:
            print(f"SKIP: not installed: {' '.join(sorted(missing))}")
        self.prepare()
        programs = [program for program in PROGRAMS if not missing.intersection(program.needs)]
        for program, task, looks in self.run_all(programs):
            with self.subTest(program.name):
                p = self.check_end(program, task)
                self.check_signals(program, task)
                if program.foreseen:
                    self.check_foresight(p, looks)
                if program.counts:
                    self.assertEqual(p["Unit"], "bytes")
                    self.check_rate(looks)


if __name__ == "__main__":
    main()
