#!/usr/bin/python3
"""What longrund makes of a disk that is full, read-only, broken or not its own, and of a clock that is set back. Each of
these really happens here: small file systems in a mount namespace, limits, bytes overwritten.

    LONGRUND=PATH test_storage.py
"""

import contextlib
import ctypes
import os
import pathlib
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time

from clock_testing import ClockMixin
from daemon_testing import FINAL, DaemonTestCase, DBusError, main
from longrun_testing import DEADLINE_SEC, SKIP
from process_testing import until

MSEC = 1000
SEC = 1000000
MIB = 1 << 20

CLONE_NEWNS = 0x00020000


def mount(*args):
    subprocess.run(["mount", *map(str, args)], check=True)


def private_mounts():
    """What is mounted from here on is seen by nobody else, and gone with us."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) < 0:
        return os.strerror(ctypes.get_errno())
    r = subprocess.run(["mount", "--make-rprivate", "/"], stderr=subprocess.PIPE, text=True, check=False)
    return r.stderr.strip() if r.returncode else None


class StorageTestCase(DaemonTestCase):
    FILESYSTEM = None  # size of a small one for the state

    def new_session(self, *args, **kwargs):
        if self.FILESYSTEM:
            state = self.enterContext(tempfile.TemporaryDirectory(prefix="longrun-test-"))
            mount("-t", "tmpfs", "-o", f"size={self.FILESYSTEM},mode=0700", "tmpfs", state)
            self.addCleanup(subprocess.run, ["umount", "--lazy", state], check=True)
            kwargs["environment"] = {"XDG_STATE_HOME": state}
        return super().new_session(*args, **kwargs)

    def setUp(self):
        super().setUp()
        self.gates = 0

    def gated(self, script="exit 3", **options):
        """A command that runs until open_gate()."""
        self.gates += 1
        gate = self.session.base / f"gate-{self.gates}"
        os.mkfifo(gate)
        fd = os.open(gate, os.O_RDWR | os.O_CLOEXEC)
        self.addCleanup(os.close, fd)
        task = self.session.shell(f"echo begun; read -r word <{gate}; {script}", **options)
        task.gate = fd
        until(lambda: task.get("LogSize") > 0, "it does not begin")
        return task

    @staticmethod
    def open_gate(task):
        os.write(task.gate, b"open\n")

    @property
    def database(self):
        return self.session.state / "longrun.db"

    def refused(self, text, **env):
        """longrund does not start, says why, and leaves everything as it is."""
        before = self.contents()
        r = subprocess.run([os.environ["LONGRUND"]], env={**self.session.env, **env}, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=DEADLINE_SEC, check=False)
        self.assertEqual(r.returncode, 1, r.stdout)
        self.assertRegex(r.stdout, text)
        self.assertEqual(self.contents(), before)
        return r.stdout

    def contents(self):
        """Of the database and all that lies beside it."""
        return {path.name: path.read_bytes() for path in self.session.state.glob("longrun.db*") if path.is_file()}


# --- the disk is full ---


class FullTest(StorageTestCase):
    FILESYSTEM = "8m"
    CONFIG = "[Manager]\nMinFreeDisk=0\n"

    def fill(self):
        """Leaves no byte."""
        path = self.session.state / "ballast"
        with contextlib.suppress(OSError), open(path, "wb", buffering=0) as ballast:
            for size in (1 << 16, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while True:
                        ballast.write(b"x" * size)
        self.assertEqual(os.statvfs(self.session.state).f_bavail, 0)
        return path

    def test_full(self):
        done = self.session.shell("echo done; exit 1")
        done.wait()
        runs = self.gated("echo '[1]' >$LONGRUN_RESULT; echo end; exit 3")
        thread = self.session.start("countdown", {"steps": 2, "step_ms": 200})
        thread.wait_state("running")
        self.session.set_max_parallel(1)
        queued = self.session.shell("exit 4")
        ballast = self.fill()

        # What is written over and over needs no room at first: what is large does.
        refused = []
        with self.assertError("Storage", "."):
            for i in range(20):
                refused.append(f"large-{i}")
                self.session.command("true", *["x" * 100000] * 9, label=refused[-1])
        accepted = len(refused) - 1

        self.assertEqual(runs.get("State"), "running")
        self.open_gate(runs)
        # No end is told that is not on the disk: the next daemon might tell another.
        until(lambda: runs.id not in self.session.shims(), "it does not end")
        until(lambda: b"finished" in thread.read_log(), "it does not end")
        time.sleep(0.2)
        for task in (runs, thread):
            self.assertNotIn(task.get("State"), FINAL)
            self.assertEqual(task.signals("Finished"), [])
        listed = {row["id"]: row["state"] for row in self.session.list_tasks()[0]}
        self.assertNotIn(listed[thread.id], FINAL)
        self.assertEqual((done.get("State"), done.read_log()), ("failed", b"done\n"))

        ballast.unlink()
        self.assertEqual(runs.wait(), ("failed", 3))
        self.assertEqual(queued.wait(), ("failed", 4))
        self.assertEqual(thread.wait(), ("succeeded", 0))
        self.assertEqual(runs.take_result(), [1])
        self.assertEqual(self.session.shell("exit 5").wait(), ("failed", 5))
        labels = [task["label"] for task in self.session.list_tasks(limit=1000)[0]]
        self.assertEqual([label for label in labels if label.startswith("large")], refused[:accepted])
        self.session.cancel_all()
        self.session.restart()
        self.assertEqual((runs.get("State"), runs.get("ExitCode"), queued.get("ExitCode")), ("failed", 3, 4))
        self.assertEqual(len(runs.signals("Finished")), 1)

    def test_killed_while_it_is_full(self):
        """The end is in the exit record, and nowhere else."""
        runs = self.gated("exit 3")
        ballast = self.fill()
        with contextlib.suppress(DBusError):
            for i in range(20):
                self.session.command("true", *["x" * 100000] * 9)
        self.open_gate(runs)
        until(lambda: not self.session.shims().get(runs.id), "it does not end")
        self.session.crash()
        ballast.unlink()
        self.session.start_daemon()
        self.assertEqual(runs.wait(), ("failed", 3))

    def test_stopped_while_it_is_full(self):
        """SIGTERM: it does not hang."""
        runs = self.gated("exit 3")
        ballast = self.fill()
        with contextlib.suppress(DBusError):
            for i in range(20):
                self.session.command("true", *["x" * 100000] * 9)
        self.open_gate(runs)
        until(lambda: not self.session.shims().get(runs.id), "it does not end")
        began = time.monotonic()
        self.assertEqual(self.session.end_daemon(), 0)
        self.assertLess(time.monotonic() - began, 15)
        ballast.unlink()
        self.session.start_daemon()
        self.assertEqual(runs.wait(), ("failed", 3))


class LowDiskTest(StorageTestCase):
    FILESYSTEM = "8m"
    CONFIG = "[Manager]\nMinFreeDisk=4M\n"

    def changes(self):
        return [s.args[1]["LowDisk"] for s in self.session.manager_signals("PropertiesChanged") if "LowDisk" in s.args[1]]

    def test_nearly_full(self):
        self.assertIs(self.session.get("LowDisk"), False)
        runs = self.gated("echo more; exit 3")
        ballast = self.session.state / "ballast"
        ballast.write_bytes(b"x" * 5 * MIB)
        time.sleep(1.1)  # it does not look more often than once a second
        # Nothing is refused, nothing is started.
        waits = [self.session.shell("exit 4"), self.session.start("noop"),
                 self.session.start("noop", isolate=True)]
        until(lambda: self.session.get("LowDisk"), "not seen")
        self.session.wait_until(lambda: self.changes() == [True], "LowDisk to be announced")
        for task in waits:
            self.assertEqual(task.get("State"), "queued")
            self.assertRegex(task.get("Reason"), r"disk .*nearly full.*\(MinFreeDisk=\)")
        # What runs keeps what it can.
        self.open_gate(runs)
        self.assertEqual(runs.wait(), ("failed", 3))
        self.assertEqual(runs.read_log(), b"begun\nmore\n")
        # The next daemon sees it, too.
        self.session.restart()
        until(lambda: self.session.get("LowDisk"), "not seen")
        self.assertEqual({task.get("State") for task in waits}, {"queued"})
        ballast.unlink()
        self.assertEqual([task.wait() for task in waits], [("failed", 4), ("succeeded", 0), ("succeeded", 0)])
        self.assertIs(self.session.get("LowDisk"), False)
        self.assertEqual({task.get("Reason") for task in waits}, {""})

    def test_configured_away(self):
        (self.session.state / "ballast").write_bytes(b"x" * 5 * MIB)
        time.sleep(1.1)
        task = self.session.shell("exit 4")
        until(lambda: self.session.get("LowDisk"), "not seen")
        self.session.config_path.write_text("[Manager]\nMinFreeDisk=0\n", encoding="utf-8")
        self.session.call("Reload")
        self.assertEqual(task.wait(), ("failed", 4))
        self.assertIs(self.session.get("LowDisk"), False)


class MemoryTest(StorageTestCase):
    FILESYSTEM = "128m"

    def test_tmpfs(self):
        self.assertRegex(self.session.log(), r"state folder .* lies in memory \(tmpfs\): .* lost when the machine restarts")
        self.assertEqual(self.session.shell("exit 3").wait(), ("failed", 3))


# --- it cannot be written ---


class ReadOnlyTest(StorageTestCase):
    FILESYSTEM = "128m"

    def test_at_the_start(self):
        self.session.shell("exit 3").wait()
        self.session.end_daemon()
        mount("-o", "remount,ro", self.session.env["XDG_STATE_HOME"])
        self.refused("(?i)read-only file system")
        mount("-o", "remount,rw", self.session.env["XDG_STATE_HOME"])
        self.session.start_daemon()
        self.assertEqual(self.session.list_tasks()[0][0]["exit-code"], 3)

    def test_as_a_plain_user(self):
        """The folder is that of somebody, who has taken the right to write from himself."""
        self.session.end_daemon()
        self.session.base.chmod(0o755)
        for mode, path in ((0o400, self.database), (0o500, self.session.state)):
            with self.subTest(path=path.name):
                self.own(self.session.base, 59001)
                path.chmod(mode)
                r = subprocess.run(["setpriv", "--reuid=59001", "--regid=59001", "--clear-groups", os.environ["LONGRUND"]],
                                   env=self.session.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, timeout=DEADLINE_SEC, check=False)
                self.assertEqual(r.returncode, 1, r.stdout)
                self.assertRegex(r.stdout, "(?i)permission denied|read-only")
                path.chmod(0o700)
        self.own(self.session.base, 0)
        self.session.start_daemon()

    @staticmethod
    def own(folder, uid):
        for path in (folder, *folder.rglob("*")):
            os.chown(path, uid, uid, follow_symlinks=False)


class InputOutputErrorTest(StorageTestCase):
    def test_writes_fail(self):
        """No file may grow any more: writing fails in the middle of the database, as on a disk that breaks."""
        done = self.session.shell("exit 1")
        done.wait()
        runs = self.gated("echo end; exit 3")
        limit = resource.prlimit(self.session.daemon.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.session.daemon.pid, resource.RLIMIT_FSIZE, (4096, limit[1]))
        with self.assertError("Storage", "."):
            self.session.command("true", *["x" * 100000] * 9)
        self.assertEqual(runs.get("State"), "running")
        self.open_gate(runs)
        until(lambda: not self.session.shims().get(runs.id), "it does not end")
        self.assertEqual(done.get("ExitCode"), 1)
        resource.prlimit(self.session.daemon.pid, resource.RLIMIT_FSIZE, limit)
        self.assertEqual(runs.wait(), ("failed", 3))
        self.assertEqual(runs.read_log(), b"begun\nend\n")
        self.assertEqual(self.session.shell("exit 5").wait(), ("failed", 5))
        self.assertEqual(list(self.session.state.glob("longrun.db.damaged*")), [])


# --- what is there is wrong ---


def overwrite(path, offset, data):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


class DamagedTest(StorageTestCase):
    """Of a database with some history, on which tasks run."""

    def setUp(self):
        super().setUp()
        self.ended = self.session.start_many([("noop", {"label": f"one of many: {i}"}) for i in range(300)])
        self.session.wait(self.ended)
        self.runs = self.gated("echo end; exit 3")
        self.highest = self.runs.id

    def settle_database(self):
        """All that was written is in the database itself, and not in what lies beside it. The daemon is gone."""
        self.session.crash()
        with contextlib.closing(sqlite3.connect(self.database)) as db:
            self.assertEqual(db.execute("PRAGMA integrity_check").fetchone(), ("ok",))
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def moved_aside(self):
        """What lies there, by the ends of the names."""
        found = {}
        for path in self.session.state.glob("longrun.db.damaged-*"):
            suffix = next((s for s in ("-wal", "-shm", "-journal") if path.name.endswith(s)), "")
            found[suffix] = path.read_bytes()
        return found

    def start_on_damage(self):
        before = self.contents()
        self.session.start_daemon()
        aside = self.moved_aside()
        self.assertEqual(aside[""], before["longrun.db"], "not the bytes that were there")
        if before.get("longrun.db-wal"):
            self.assertEqual(aside["-wal"], before["longrun.db-wal"])
        self.assertRegex(self.session.log(), r"database .*longrun\.db was damaged\. It lies, whole, in .*longrun\.db\.damaged-\d+")

    def check_works(self):
        new = self.session.shell("exit 5")
        self.assertGreater(new.id, self.highest, "an id is used again")
        self.assertEqual(new.wait(), ("failed", 5))
        self.session.restart()
        self.assertEqual(new.get("ExitCode"), 5)

    def check_taken_up(self):
        until(lambda: self.runs.get("State") == "running", "it is not known to run")
        self.open_gate(self.runs)
        self.assertEqual(self.runs.wait(), ("failed", 3))
        self.assertEqual(self.runs.read_log(), b"begun\nend\n")

    def provoke(self):
        """Work that gets to see the damage."""
        def found():
            with contextlib.suppress(DBusError):
                self.session.command("true")
            with contextlib.suppress(DBusError):
                self.session.list_tasks(limit=1000)
            return self.moved_aside()

        until(found, "nobody has seen the damage")

    def test_all_but_the_header(self):
        self.settle_database()
        overwrite(self.database, 4096, b"\xa5" * (self.database.stat().st_size - 4096))
        self.start_on_damage()
        self.check_unknown()
        self.check_works()

    def test_pages_in_the_middle(self):
        """A start does not read all of a long history. Who does later finds the damage; what is whole is kept."""
        self.settle_database()
        size = self.database.stat().st_size
        overwrite(self.database, size // 8192 * 4096, b"\xa5" * 8192)
        self.session.start_daemon()
        self.provoke()
        self.check_taken_up()
        kept = len(self.session.list_tasks(limit=1000, fields=["id"])[0])
        print(f"of 301 tasks {kept} were read out of the damaged database")
        self.assertGreater(kept, 100)
        self.check_works()

    def test_header(self):
        """Nothing can be read. What runs is not forgotten, nor begun again, nor left running out of sight."""
        self.settle_database()
        overwrite(self.database, 0, b"\0" * 100)
        self.start_on_damage()
        self.check_unknown()
        self.check_works()

    def test_truncated(self):
        self.settle_database()
        os.truncate(self.database, 5000)
        self.start_on_damage()
        self.check_unknown()
        self.check_works()

    def test_no_database_at_all(self):
        self.session.end_daemon()
        self.database.write_bytes(b"This is a text.\n" * 1000)
        for suffix in ("-wal", "-shm"):
            pathlib.Path(f"{self.database}{suffix}").unlink(missing_ok=True)
        self.start_on_damage()
        self.check_unknown()
        self.check_works()

    def check_unknown(self):
        """A task that no row tells of: either it is known again, or its processes have been ended."""
        try:
            self.runs.get("State")
        except DBusError as error:
            self.assertEqual(error.name, "NoSuchTask")
            until(lambda: self.runs.id not in self.session.shims(), "its processes run on out of sight")
        else:
            self.check_taken_up()

    def test_with_a_wal(self):
        """The daemon was killed: what is new lies beside the database, and moves with it."""
        self.session.crash()
        self.assertGreater(pathlib.Path(f"{self.database}-wal").stat().st_size, 0)
        overwrite(self.database, 0, b"\0" * 100)
        self.start_on_damage()
        self.check_works()

    def test_while_it_runs(self):
        with contextlib.closing(sqlite3.connect(self.database)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = self.database.stat().st_size
        overwrite(self.database, 4096, b"\xa5" * (size - 4096))

        self.provoke()
        self.assertRegex(self.session.log(), r"database was found damaged\. It lies, whole, in .*longrun\.db\.damaged-\d+")
        self.assertEqual(self.runs.get("State"), "running")
        self.open_gate(self.runs)
        self.assertEqual(self.runs.wait(), ("failed", 3))
        self.check_works()
        self.assertEqual(self.runs.get("ExitCode"), 3)


class OtherTest(StorageTestCase):
    def test_a_newer_schema(self):
        task = self.session.shell("exit 3")
        task.wait()
        self.session.end_daemon()
        with contextlib.closing(sqlite3.connect(self.database)) as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            self.assertGreater(version, 0)
            db.execute("PRAGMA user_version = 9999")
        said = self.refused("written by a newer longrund")
        self.assertIn("9999", said)
        self.assertIn(str(self.database), said)
        with contextlib.closing(sqlite3.connect(self.database)) as db:
            db.execute(f"PRAGMA user_version = {version}")
        self.session.start_daemon()
        self.assertEqual(task.get("ExitCode"), 3)

    def test_a_newer_schema_beside_the_database(self):
        """The version stands in the WAL alone."""
        self.session.end_daemon()
        db = sqlite3.connect(self.database)
        db.execute("PRAGMA wal_autocheckpoint = 0")
        db.execute("PRAGMA user_version = 9999")
        db.commit()
        copies = {path: path.read_bytes() for path in self.session.state.glob("longrun.db*")}
        db.close()
        for path, data in copies.items():
            if not path.name.endswith("-shm"):
                path.write_bytes(data)
        database = self.database.read_bytes()
        r = subprocess.run([os.environ["LONGRUND"]], env=self.session.env, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=DEADLINE_SEC, check=False)
        self.assertEqual(r.returncode, 1)
        self.assertRegex(r.stdout, "written by a newer longrund")
        self.assertEqual(self.database.read_bytes(), database)

    def test_two_daemons(self):
        """On one state folder, from two buses."""
        other = self.new_session(start=False)
        env = {**other.env, "XDG_STATE_HOME": self.session.env["XDG_STATE_HOME"]}
        r = subprocess.run([os.environ["LONGRUND"]], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, timeout=DEADLINE_SEC, check=False)
        self.assertEqual(r.returncode, 1)
        self.assertIn(f"Another longrund uses {self.session.state}: end it first", r.stdout)
        self.assertEqual(self.session.shell("exit 3").wait(), ("failed", 3))


class ClockTest(ClockMixin, StorageTestCase):
    """The wall clock of the daemon is set back and forth under it."""

    def setUp(self):
        self.gates = 0
        self.sessions = []
        self.session = self.start_with_clock(*self.ARGUMENTS)

    def check_times(self, task):
        p = task.get_all()
        self.assertGreater(p["CreatedAt"], 0)
        self.assertGreaterEqual(p["FinishedAt"], max(p["StartedAt"], p["CreatedAt"]))
        self.assertLess(p["FinishedAt"], (time.time() + 7200) * SEC)
        return p

    def test_set_back(self):
        before = self.gated("exit 3")
        created = before.get("CreatedAt")
        self.session.set_max_parallel(1)
        queued = self.session.shell("exit 4", queue_timeout=600 * SEC)
        self.set_clock(-3600)
        late = self.session.shell("exit 5", queue_timeout=600 * SEC)
        self.assertLess(late.get("CreatedAt"), created - 3000 * SEC, "the clock is not the one that was set")
        self.open_gate(before)
        self.assertEqual([task.wait() for task in (before, queued, late)], [("failed", 3), ("failed", 4), ("failed", 5)])
        for task in (before, queued, late):
            self.check_times(task)
        self.session.restart()
        self.assertEqual(before.get("CreatedAt"), created)
        self.assertEqual(self.session.shell("exit 6").wait(), ("failed", 6))

    def test_timeouts_are_not_fooled(self):
        self.set_clock(-3600)
        tasks = [self.session.shell("sleep 1000", timeout=500 * MSEC),
                 self.session.start("countdown", {"step_ms": 100000}, timeout=500 * MSEC)]
        self.set_clock(0)
        for task in tasks:
            self.assertEqual(task.wait()[0], "timed-out")
            self.assertLess(self.check_times(task)["FinishedAt"] // SEC, time.time() + 60)
        goes_on = self.gated(timeout=60 * SEC)
        self.set_clock(+3600)
        self.assertEqual(self.session.shell("sleep 0.2", timeout=60 * SEC).wait(), ("succeeded", 0))
        self.assertEqual(goes_on.get("State"), "running")
        self.open_gate(goes_on)
        self.assertEqual(goes_on.wait(), ("failed", 3))

    def test_queue_timeouts_are_not_fooled(self):
        self.session.set_max_parallel(1)
        holds = self.gated()
        waits = self.session.shell("exit 4", queue_timeout=600 * SEC)
        due = self.session.shell("exit 5", queue_timeout=500 * MSEC)
        self.set_clock(+3600)
        self.assertEqual(due.wait()[0], "timed-out")
        self.assertEqual(waits.get("State"), "queued")
        self.set_clock(-3600)
        due = self.session.shell("exit 5", queue_timeout=500 * MSEC)
        self.assertEqual(due.wait()[0], "timed-out")
        self.open_gate(holds)
        self.assertEqual(waits.wait(), ("failed", 4))


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("SKIP: making small file systems takes root")
        sys.exit(SKIP)
    why = private_mounts()
    if why:
        print(f"SKIP: no mount namespace of our own: {why}")
        sys.exit(SKIP)
    main()
