#!/usr/bin/python3
"""Tasks of kind download: what is true of all tasks, and what they outlive.

    LONGRUND=PATH test_download.py
"""

import os
import random
import signal
import time
import unittest

from daemon_testing import DaemonTestCase, main
from download_testing import MB, PART, sha256
from nginx_testing import NGINX, Nginx
from process_testing import children, kill, until
from take_up_testing import is_paused

FAST = {"give_up_after_ms": 20000, "stall_timeout_ms": 10000}


@unittest.skipUnless(NGINX, "nginx is not installed")
class DownloadTest(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.base = self.session.base / "nginx"
        self.base.mkdir()
        self.server = Nginx(self.base, rate="6m")
        self.addCleanup(self.server.__exit__)
        self.data = random.randbytes(6 * MB)
        self.server.put("file", self.data)
        self.url = self.server.url + "/file"
        self.folder = self.session.base / "downloads"
        self.folder.mkdir()
        self.target = self.folder / "file"

    def fast(self):
        """What is limited is what comes behind this."""
        self.server.rate = "0"
        self.server.restart()

    def download(self, options=None, **params):
        return self.session.start("download", {"url": self.url, **FAST, **params},
                                  **{"cwd": str(self.folder), **(options or {})})

    def begun(self, options=None, **params):
        """One that has got a part of it."""
        task = self.download(options, **params)
        self.session.wait_until(lambda: any(s.args[1] >= MB for s in task.signals("Progress")), "a megabyte")
        return task

    def program(self, task):
        """Its pid."""
        return until(lambda: children(self.session.shims()[task.id]), "the shim has no child")[0]

    def check_whole(self, resumed=None, task=None):
        self.assertEqual(sha256(self.target.read_bytes()), sha256(self.data))
        self.assertEqual(os.listdir(self.folder), ["file"])
        if resumed is not None:
            self.assertEqual(task.take_result()["resumed"] > 0, resumed)

    def test_all_of_it(self):
        task = self.download({"umask": 0o027}, sha256=sha256(self.data), size=len(self.data))
        self.assertEnds(task, "succeeded", 0, r"^6\.0M in .* from 127\.0\.0\.1:\d+$")
        self.check_whole()
        self.assertEqual(self.target.stat().st_mode & 0o777, 0o640)
        self.assertEqual(task.take_result(), {"path": str(self.target), "size": len(self.data), "url": self.url,
                                              "sha256": sha256(self.data), "resumed": 0})
        p = task.get_all()
        self.assertEqual((p["Done"], p["Total"], p["Unit"]), (len(self.data), len(self.data), "bytes"))
        self.assertEqual((p["Isolate"], p["OnInterrupt"]), (True, "restart"))
        last, phase = 0, ""
        for s in task.signals("Progress"):
            fraction, _, _, name = s.args
            if name != phase:
                last, phase = -1, name  # not known yet
            self.assertGreaterEqual(fraction, last)
            last = fraction
        self.assertIn("downloading", {s.args[3] for s in task.signals("Progress")})
        self.assertIn(b"GET " + self.url.encode(), task.read_log())
        statuses = [s.args[0] for s in task.signals("Status")]
        self.assertTrue(any(s.endswith(f"/s from 127.0.0.1:{self.server.port}") for s in statuses), statuses)

    def test_params(self):
        with self.assertError("InvalidOption", "params of kind download: parameter 'url' is missing"):
            self.session.start("download", {})
        with self.assertError("InvalidOption", "begins with http:// or https://"):
            self.session.start("download", {"url": "file:///etc/passwd"})

    def test_who_says_what_becomes_of_it(self):
        """The request, else its group, else the kind; and a process of its own in any case."""
        self.session.configure_group("g", on_interrupt="fail", nice=3)
        for options, expected in (({"on_interrupt": "fail"}, "fail"), ({"group": "g"}, "fail"),
                                  ({"isolate": False}, "restart")):
            task = self.download({**options, "start_at": 4000000000000000})
            self.assertEqual((task.get("OnInterrupt"), task.get("Isolate")), (expected, True))
            self.assertEqual(task.get("Nice"), 3 if "group" in options else 0)
            task.cancel()

    def test_target_exists(self):
        self.target.write_bytes(b"old")
        self.assertEnds(self.download(), "failed", 1, "exists: give another path, or overwrite to replace it$")
        self.fast()
        self.assertEnds(self.download(overwrite=True), "succeeded", 0)
        self.check_whole()

    def test_cancel_and_again(self):
        task = self.begun()
        task.cancel()
        self.assertEnds(task, "cancelled", -1, f"^Cancelled: .* are kept in {self.folder}/{PART}, and the same")
        self.fast()
        again = self.download()
        self.assertEnds(again, "succeeded", 0, "were there before")
        self.check_whole(True, again)

    def test_pause(self):
        """However long it takes, nothing is late because of it."""
        task = self.begun(stall_timeout_ms=500, give_up_after_ms=0)
        pid = self.program(task)
        task.call("Pause")
        until(lambda: is_paused(pid), "it is not paused")
        time.sleep(1.2)  # for those who look at the clock
        task.call("Resume")
        self.assertEnds(task, "succeeded", 0)
        self.check_whole(False, task)
        self.assertNotIn(b"not a byte", task.read_log())

    def test_daemon_is_killed(self):
        task = self.begun()
        pid = self.program(task)
        self.session.restart()
        self.assertEqual(self.program(task), pid)
        self.assertEqual(task.wait(), ("succeeded", 0))
        self.assertEqual(task.get("Attempt"), 1)
        self.check_whole(False, task)

    def test_daemon_is_away(self):
        """It comes to its end without one."""
        task = self.begun()
        self.session.crash()
        until(self.target.exists, "the file does not come")
        until(lambda: task.id not in self.session.shims(), "the shim does not go")
        self.session.start_daemon()
        self.assertEqual(task.wait(), ("succeeded", 0))
        self.check_whole(False, task)

    def test_program_is_killed(self):
        """That is a failure, and another attempt goes on."""
        task = self.begun({"retries": 1, "retry_delay": 1000})
        kill(self.program(task))
        self.session.wait_until(lambda: task.signals("Finished"), "the end")
        self.assertEqual(task.wait(), ("succeeded", 0))
        self.assertEqual(task.get("Attempt"), 2)
        self.check_whole(True, task)

    def test_all_is_lost(self):
        """Its shim, and so all that belongs to it: it goes back into the queue by itself."""
        task = self.begun()
        kill(self.session.shims()[task.id], signal.SIGKILL)
        self.session.wait_until(lambda: task.signals("Finished"), "the end")
        self.assertEqual(task.wait(), ("succeeded", 0))
        self.assertEqual(task.get("Attempt"), 2)
        self.check_whole(True, task)

    def test_killed_at_random(self):
        """Twenty times, whoever has a part in it; no wrong file, and nothing that is not gone on with."""
        seed = random.randrange(1 << 32)
        chance = random.Random(seed)
        data = chance.randbytes(24 * MB)
        self.server.put("file", data)
        self.server.rate = "3m"
        self.server.restart()
        task = self.download({"retries": 100, "retry_delay": 1000, "on_interrupt": "restart"})
        victims = ["daemon"] * 6 + ["server"] * 7 + ["program"] * 4 + ["shim"] * 3
        chance.shuffle(victims)
        for victim in victims:
            time.sleep(chance.random() * 0.2)  # any moment will do
            if victim == "daemon":
                self.session.restart()
            elif victim == "server":
                self.server.restart()
            elif shim := self.session.shims().get(task.id):
                for pid in [shim] if victim == "shim" else children(shim):
                    kill(pid)
        self.fast()
        self.assertEqual(task.wait(), ("succeeded", 0), f"seed {seed}")
        self.assertEqual(sha256(self.target.read_bytes()), sha256(data), f"seed {seed}")
        self.assertEqual(os.listdir(self.folder), ["file"], f"seed {seed}")
        self.assertIn(b"Resumed at", task.read_log(), f"seed {seed}")


if __name__ == "__main__":
    main()
