"""For tests of downloads: nginx as the server, and the program longrun-download alone, without a daemon.

The program lies beside the daemon that LONGRUND in the environment names.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from daemon_testing import DaemonSession
from nginx_testing import NGINX, Nginx
from process_testing import DEADLINE_SEC

MB = 1 << 20
PART = ".file.longrun-part"
STATE = PART + ".state"
FAST = {"give_up_after_ms": 20000, "stall_timeout_ms": 10000}
PROGRAM = pathlib.Path(os.environ["LONGRUND"]).parent / "longrun-download"

class Download:
    """longrun-download at work. What it tells through NOTIFY_SOCKET is in told, in order: pairs of key and value."""

    def __init__(self, folder, **params):
        self.folder = pathlib.Path(folder)
        self.told = []
        self.heard = threading.Condition()
        self.result_path = self.folder / f".result-{time.monotonic_ns()}"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"\0longrun-test-{os.getpid()}-{time.monotonic_ns()}")
        address = self.socket.getsockname().replace(b"\0", b"@").decode()
        self.process = subprocess.Popen(
            [PROGRAM, "download"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "NOTIFY_SOCKET": address, "LONGRUN_RESULT": str(self.result_path)})
        DaemonSession.not_a_stray(self.process.pid)
        self.process.stdin.write(json.dumps(params).encode())
        self.process.stdin.close()
        self.process.stdin = None
        self.output = ""
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        """Until it has ended and all that it said has come. A socket that nobody reads is full soon."""
        output = b""
        pipe = self.process.stdout.fileno()
        while pipe >= 0 or select.select([self.socket], [], [], 0)[0]:
            ready = select.select([self.socket] + ([pipe] if pipe >= 0 else []), [], [])[0]
            if pipe in ready:
                data = os.read(pipe, 65536)
                output += data
                pipe = pipe if data else -1
            if self.socket in ready:
                lines = self.socket.recv(65536).decode().splitlines()
                with self.heard:
                    self.told += (tuple(line.split("=", 1)) for line in lines)
                    self.heard.notify_all()
        with self.heard:
            self.output = output.decode()
            self.heard.notify_all()

    def all_told(self, key):
        return [value for k, value in list(self.told) if k == key]

    def wait_told(self, condition, what):
        """Until what it has told is so; False when it has ended before."""
        with self.heard:
            if not self.heard.wait_for(lambda: condition() or not self.reader.is_alive() or self.output, DEADLINE_SEC):
                raise AssertionError(f"longrun-download: {what} never came; it told {self.told[-10:]}")
            return condition()

    def wait_bytes(self, size):
        return self.wait_told(lambda: any(int(n) >= size for n in self.all_told("X_LONGRUN_DONE")), f"{size} bytes")

    def signal(self, signum):
        self.process.send_signal(signum)

    def wait(self):
        """Gives the exit status and the closing words."""
        code = self.process.wait(DEADLINE_SEC)
        self.reader.join(DEADLINE_SEC)
        self.process.stdout.close()
        self.socket.close()
        return code, "".join(self.all_told("X_LONGRUN_FINAL_MESSAGE"))

    @property
    def log(self):
        return self.output

    def kill(self):
        self.signal(signal.SIGKILL)
        self.wait()

    def result(self):
        with contextlib.suppress(FileNotFoundError):
            return json.loads(self.result_path.read_text(encoding="utf-8"))
        return None


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class ProgramTestCase(unittest.TestCase):
    """A folder, in which the program makes the file "file"."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="longrun-test-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.target = self.folder / "file"

    def download(self, **params):
        d = Download(self.folder, **{**FAST, **params})
        self.addCleanup(self.end, d)
        return d

    @staticmethod
    def end(d):
        if d.process.poll() is None:
            d.kill()

    def assertLoads(self, data, **params):
        """It succeeds, and the file is that."""
        d = self.download(**params)
        code, words = d.wait()
        self.assertEqual(code, 0, f"{words}\n{d.log}")
        self.assertEqual(sha256(self.target.read_bytes()), sha256(data), d.log)
        self.assertEqual(self.left(), [])
        self.assertEqual(d.result()["size"], len(data))
        return d

    def assertFails(self, words_like, **params):
        d = self.download(**params)
        code, words = d.wait()
        self.assertEqual(code, 1, d.log)
        self.assertRegex(words, words_like)
        return d

    def left(self):
        """What lies beside the target."""
        return sorted(p.name for p in self.folder.iterdir() if p.name.startswith(".file."))

    def assertNothing(self):
        self.assertFalse(self.target.exists())
        self.assertEqual(self.left(), [])

    def check_progress(self, d):
        """Within a phase it never falls, and never comes to the total before the end."""
        done, phase = 0, ""
        for key, value in d.told:
            if key == "X_LONGRUN_PHASE":
                self.assertNotEqual(value, phase)
                done, phase = 0, value
            if key == "X_LONGRUN_DONE":
                self.assertGreaterEqual(int(value), done)
                done = int(value)


class NginxTestCase(ProgramTestCase):
    """The same, with a real server."""

    def setUp(self):
        super().setUp()
        if not NGINX:
            self.skipTest("nginx is not installed")
        self.base = self.folder / "nginx"
        self.base.mkdir()

    def nginx(self, **kwargs):
        server = Nginx(self.base, **kwargs)
        self.addCleanup(server.__exit__)
        return server
