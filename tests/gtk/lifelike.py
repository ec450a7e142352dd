"""A day's work for screenshots and for tests of the whole: tasks in every state, backends, friends.

The programs that seem to run are scripts that print what such programs print, in a folder of their own in PATH.
"""

import os
import pathlib

from backend_testing import Backend
from longrun_testing import GLib, Session

PROGRAMS = {
    "ninja": r"""
        n=${1:-407}; i=0
        while [ $i -lt $n ]; do
            i=$((i + 1))
            printf '[%d/%d] \033[32mCompiling C object\033[0m daemon/core/part-%d.c.o\n' $i $n $i
            [ $((i % 97)) != 5 ] || printf 'part-%d.c:42:9: \033[1;35mwarning:\033[0m unused variable \033[1m‘ret’\033[0m\n' $i
            sleep ${2:-0.25}
        done
        printf '\033[1;32mDone.\033[0m\n'""",
    "ffmpeg": r"""
        i=0
        while [ $i -lt 100 ]; do
            i=$((i + 1))
            printf 'frame %5d  fps %2d  q=28.0  size %7d kB\n' $((i * 24)) $((22 + i % 5)) $((i * 190))
            printf '%d%%\n' $i
            sleep ${1:-1}
        done""",
    "pytest": r"""
        printf '\033[1m============= test session starts ==============\033[0m\n'
        printf 'collected 48 items\n\n'
        printf 'tests/test_export.py \033[32m...............\033[31mF\033[0m\033[32m......\033[0m\n'
        printf 'tests/test_import.py \033[32m..........................\033[0m\n\n'
        printf '\033[1m\033[31mE   AssertionError: expected 12 rows, got 11\033[0m\n'
        printf '\033[31m\033[1m1 failed\033[0m, \033[32m47 passed\033[0m in 3.21s\n'
        exit 1""",
    "backup": r"""
        printf 'reading the list of files\n'
        exec sleep 1000""",
    "report": r"""
        printf 'Report written: 14 pages, 3 charts\n'
        [ -z "$LONGRUN_RESULT" ] || printf '{"pages": 14, "charts": 3}' >"$LONGRUN_RESULT"
        exit 0""",
}


class Day:
    """A context manager: self.session, self.tasks by their names, self.messenger (a server)."""

    def __init__(self):
        self.programs = None
        self.session = Session(activatable=True, environment={"PATH": os.environ["PATH"]})
        self.programs = self.session.directory / "programs"
        self._write_programs()
        self.session.env["PATH"] = f"{self.programs}:{self.session.env['PATH']}"
        self.messenger = self.builds = None
        self.tasks = {}

    def _write_programs(self):
        self.programs.mkdir()
        for name, script in PROGRAMS.items():
            path = self.programs / name
            path.write_text("#!/bin/sh" + script.replace("\n        ", "\n") + "\n", encoding="utf-8")
            path.chmod(0o755)

    def __enter__(self):
        self.session.start()
        try:
            self.messenger = Backend("--peer=anna:online", "--peer=bert:offline", "--peer=carla:online", "--peer=david")
            self.builds = Backend()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for server in (self.messenger, self.builds):
            if server:
                server.stop()
        self.session.stop()

    def ok(self, *words):
        r = self.session.run(*words)
        if r.returncode != 0:
            raise AssertionError(f"longrun {' '.join(map(str, words))}: {r.returncode}: {r.stdout}{r.stderr}")
        return r.stdout

    def start(self, name, *argv, **options):
        """After label, group and so on, words of their own: more=["--after", 1]."""
        more = options.pop("more", [])
        words = [word for key, value in options.items() for word in (f"--{key.replace('_', '-')}", value)]
        self.tasks[name] = int(self.ok("start", "--quiet", "--cwd", "/var", *words, *more, "--", *argv))
        return self.tasks[name]

    def begin(self):
        """All of it; returns when those that end soon have ended."""
        self.begin_tasks()
        self.begin_backends()

    def begin_tasks(self):
        self.session.call("Set", "(ssv)", "org.longrun.Longrun1.Manager", "MaxParallel", GLib.Variant("u", 8),
                          interface="org.freedesktop.DBus.Properties")
        self.ok("group", "add", "media", "--max-parallel", 1)
        for group in ("builds", "office"):
            self.ok("group", "add", group)
        ended = [
            self.start("report", "report", "--month", "October", label="Monthly report", group="office"),
            self.start("tests", "pytest", "-q", label="Tests of the exporter", group="builds"),
            self.start("old build", "ninja", 20, 0.02, label="Build longrun 0.1.0", group="builds"),
            self.start("mirror", "sleep", 10, label="Mirror the package archive", timeout="1s"),
        ]
        backup = self.start("backup", "backup", "--to", "nas", label="Back up the photographs")
        self.ok("wait", *ended[:1])
        self.ok("cancel", backup)
        self.session.run("wait", *ended, backup)
        self.start("build", "ninja", 407, 0.25, label="Build longrun", group="builds")
        self.start("install", "ninja", "install", label="Install longrun", group="builds",
                   more=["--after", self.tasks["build"]])
        self.start("film", "ffmpeg", 0.7, label="Convert holiday.mov", group="media")
        for number in (2, 3):
            self.start(f"film {number}", "ffmpeg", 1, label=f"Convert holiday-{number}.mov", group="media")
        self.start("nightly", "backup", "--to", "nas", label="Nightly backup", more=["--calendar", "02:30"])
        self.tasks["countdown"] = int(self.ok("run", "--quiet", "countdown", "--label", "Countdown",
                                              "-p", "steps=600", "-p", "step_ms=500"))

    def begin_backends(self):
        for name, server in (("builds", self.builds), ("chat", self.messenger)):
            kind = ["--type", "messenger"] if server is self.messenger else ["--status-path", "/api/status"]
            self.ok("backend", "add", name, server.url, *kind, "--set", "status-interval=1s")
            self.ok("backend", "check", name)
        self.ok("backend", "add", "laptop", "http://127.0.0.1:9", "--set", "timeout=1s")
        self.session.run("backend", "check", "laptop")
        for peer, content, direction in (
                ("anna", "Good morning! Is the new build done?", "received"),
                ("anna", "Nearly: 80 %, three minutes to go.", "sent"),
                ("anna", "Great, I’ll test it right away.", "received"),
                ("anna", "The exporter has a failing test, I am looking into it. <b>Not bold</b> & safe.", "sent"),
                ("bert", "See you on Monday", "sent")):
            self.messenger.message(peer, content, direction)


def programs_in(build):
    """What the environment must name, of a build folder."""
    build = pathlib.Path(build).resolve()
    os.environ.update({"LONGRUND": str(build / "daemon/longrund"), "LONGRUN": str(build / "client-cli/longrun"),
                       "LONGRUN_GTK": str(build / "client-gtk/longrun-gtk"),
                       "TEST_BACKEND": str(build / "tests/backend/test-backend"),
                       "RIGHT_TO_LEFT_LIBRARY": str(build / "tests/gtk/right-to-left.so")})
