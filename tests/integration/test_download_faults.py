#!/usr/bin/python3
"""The program longrun-download, against servers that do not do what they should.

    LONGRUND=PATH TEST_BACKEND=PATH test_download_faults.py
"""

import os
import signal
import subprocess

import daemon_testing
from backend_testing import Backend, file_content
from download_testing import MB, PART, STATE, ProgramTestCase, sha256


class FaultTest(ProgramTestCase):
    def setUp(self):
        super().setUp()
        self.server = Backend()
        self.addCleanup(self.server.stop)
        self.url = self.server.url + "/files/file"
        self.data = self.serve(3 * MB)

    def serve(self, size, **more):
        self.server.file("file", size, **more)
        return file_content(size)

    def ranges(self):
        return [r["headers"].get("Range", "") for r in self.server.requests("/files/*")]

    def test_plain(self):
        d = self.assertLoads(self.data, url=self.url, sha256=sha256(self.data).upper(), size=len(self.data))
        self.assertEqual(d.result(), {"path": str(self.target), "size": len(self.data), "sha256": sha256(self.data),
                                      "url": self.url, "resumed": 0})
        self.assertRegex(d.log.splitlines()[-1], r"^3\.0M in .* from 127\.0\.0\.1:")
        request = self.server.requests("/files/*")[0]
        self.assertEqual(request["headers"]["Accept-Encoding"], "identity")
        self.assertEqual(d.all_told("X_LONGRUN_PHASE"), ["downloading", "verifying"])
        self.check_progress(d)

    def test_resumes_what_broke(self):
        for kind in ("reset", "short"):
            with self.subTest(kind):
                self.server.fault("/files/*", kind, count=2, after=MB)
                d = self.assertLoads(self.data, url=self.url)
                # What had come when the connection was reset may be less.
                ranges = self.ranges()
                self.assertEqual(len(ranges), 3, d.log)
                self.assertEqual(d.all_told("X_LONGRUN_PHASE"), ["downloading"])
                self.assertIn("Resumed at", d.log)
                self.check_progress(d)
                self.assertEqual(["If-Range" in r["headers"] for r in self.server.requests("/files/*")],
                                 [False, True, True])
                if kind == "short":
                    self.assertEqual(ranges, ["", f"bytes={MB}-", f"bytes={2 * MB}-"])
                self.target.unlink()
                self.server.forget_requests()
                self.server.clear()

    def test_hangs(self):
        self.server.fault("/files/*", "hang-body", count=1, after=MB)
        d = self.assertLoads(self.data, url=self.url, stall_timeout_ms=300)
        self.assertIn("not a byte has come in 300ms, with 1.0M there", d.log)
        self.assertEqual(self.ranges(), ["", f"bytes={MB}-"])
        self.server.give_up()
        self.target.unlink()
        self.server.fault("/files/*", "hang", count=1)
        self.assertLoads(self.data, url=self.url, stall_timeout_ms=300)
        self.server.give_up()

    def test_server_without_ranges(self):
        self.serve(3 * MB, ranges=False)
        self.server.fault("/files/*", "short", count=1, after=MB)
        d = self.assertLoads(self.data, url=self.url)
        self.assertEqual(d.all_told("X_LONGRUN_PHASE"), ["downloading", "downloading (2)"])
        self.assertIn("From the beginning again", d.log)
        self.check_progress(d)

    def test_nothing_tells_it_from_another(self):
        """No resumption, but with a digest."""
        for more in ({"etag": "weak"}, {"etag": False, "last_modified": False}):
            with self.subTest(more):
                self.serve(3 * MB, **more)
                self.server.forget_requests()
                self.server.fault("/files/*", "short", count=1, after=MB)
                self.assertLoads(self.data, url=self.url)
                self.assertEqual(self.ranges(), ["", ""])
                self.target.unlink()
                self.server.forget_requests()
                self.server.fault("/files/*", "short", count=1, after=MB)
                self.assertLoads(self.data, url=self.url, sha256=sha256(self.data))
                self.assertEqual(self.ranges(), ["", f"bytes={MB}-"])
                self.target.unlink()

    def test_changes_meanwhile(self):
        self.serve(3 * MB, change_at=MB)
        new = file_content(3 * MB, version=2)
        d = self.assertLoads(new, url=self.url)
        self.assertEqual(d.all_told("X_LONGRUN_PHASE"), ["downloading", "downloading (2)"])

    def test_changes_unseen(self):
        """What follows is of another version, and nothing says so but the digest: all of it is fetched once more."""
        self.serve(3 * MB, change_at=MB, change="mix", etag=False, last_modified=False)
        new = file_content(3 * MB, version=2)
        self.server.fault("/files/*", "short", count=1, after=MB)
        d = self.assertLoads(new, url=self.url, sha256=sha256(new))
        self.assertIn("Again from the beginning: its sha256 is", d.log)

    def test_wrong_digest(self):
        wrong = sha256(b"another")
        d = self.assertFails(f"its sha256 is {sha256(self.data)} instead of {wrong}, nothing of it is kept", url=self.url, sha256=wrong)
        self.assertNothing()
        self.assertEqual(len(self.ranges()), 1, d.log)

    def test_wrong_size(self):
        for size in (len(self.data) - 1, len(self.data) + 1):
            self.assertFails(f"it has another file, of {len(self.data)} bytes instead of {size}", url=self.url,
                             size=size)
            self.assertNothing()

    def test_endless(self):
        self.server.fault("/files/*", "endless")
        self.assertFails("it sends more than .* bytes", url=self.url, size=MB)
        self.assertNothing()

    def test_errors(self):
        for code in (404, 403, 410, 501):
            self.server.clear()
            self.server.fault("/files/*", "status", code=code)
            self.server.forget_requests()
            self.assertFails(f"HTTP {code}", url=self.url)
            self.assertEqual(len(self.ranges()), 1)
            self.assertNothing()

    def test_comes_back(self):
        for code in (500, 502, 503, 429, 408):
            self.server.fault("/files/*", "status", count=1, code=code)
            self.assertLoads(self.data, url=self.url)
            self.target.unlink()
        self.server.fault("/files/*", "status", count=1, code=503, retry_after=2)
        self.server.forget_requests()
        self.assertLoads(self.data, url=self.url)
        first, second = self.server.requests("/files/*")
        self.assertGreaterEqual(second["time"] - first["time"], 2)

    def test_gives_up(self):
        self.server.fault("/files/*", "status", code=503)
        self.assertFails(r"^HTTP 503 \(http://.*/file\)$", url=self.url, give_up_after_ms=0)
        self.assertFails("Given up, for nothing new has come in .*: HTTP 503", url=self.url, give_up_after_ms=700)
        self.assertNothing()

    def test_not_http(self):
        self.server.fault("/files/*", "not-http")
        self.assertFails("no HTTP from", url=self.url)
        self.assertNothing()

    def test_redirects(self):
        self.server.fault("/moved", "redirect-to", url=self.url)
        self.assertLoads(self.data, url=self.server.url + "/moved", path=str(self.target))
        self.target.unlink()
        self.server.fault("/loop", "redirect-loop")
        self.assertFails("more than 5 redirects", url=self.server.url + "/loop", path=str(self.target))
        for other in ("file:///etc/passwd", "ftp://127.0.0.1/x"):
            self.server.clear()
            self.server.fault("/moved", "redirect-to", url=other)
            self.assertFails("redirect", url=self.server.url + "/moved", path=str(self.target))
        self.assertNothing()

    def test_mirrors(self):
        """One is dead, one has not got it, one breaks, one has another file."""
        dead = Backend()
        dead.stop()
        with Backend() as other, Backend() as breaks:
            other.file("file", MB)
            breaks.file("file", 3 * MB)
            breaks.fault("/files/*", "reset", after=MB)
            urls = [f"{s.url}/files/file" for s in (dead, breaks, other)]
            missing = self.server.url + "/files/missing"
            d = self.assertLoads(self.data, urls=[*urls, missing, self.url], sha256=sha256(self.data),
                                 size=len(self.data))
            self.assertEqual(d.result()["url"], urls[1])  # of its beginning
            self.assertRegex(d.log, f"Passed over {urls[2]}: it has another file")
            self.assertRegex(d.log, f"Passed over {missing}: HTTP 404")
            self.assertRegex(d.log, f"{urls[0]}: connection refused")
            self.assertTrue(self.ranges()[-1].startswith("bytes="), self.ranges())
            self.check_progress(d)

    def test_mirror_with_another_file(self):
        """Of the same size: only the digest tells."""
        with Backend() as other:
            other.file("file", 3 * MB, seed=2)
            urls = [f"{other.url}/files/file", self.url]
            d = self.assertLoads(self.data, urls=urls, sha256=sha256(self.data))
            self.assertRegex(d.log, f"Passed over {urls[0]}: its sha256 is")
            self.assertEqual(d.result()["url"], self.url)
            self.target.unlink()
            self.assertFails("None of the 2 mirrors has it, the first: its sha256", urls=urls,
                             sha256=sha256(b"another"))
            self.assertNothing()

    def test_mirrors_do_not_mix(self):
        """Without a digest, the rest of one is not put behind the beginning of another."""
        with Backend() as breaks:
            breaks.file("file", 3 * MB, seed=2)
            breaks.fault("/files/*", "short", count=1, after=MB)
            breaks.fault("/files/*", "status", code=404)
            d = self.assertLoads(self.data, urls=[f"{breaks.url}/files/file", self.url])
            self.assertEqual(self.ranges(), [""], d.log)

    def test_target_and_others(self):
        self.target.write_bytes(b"old")
        self.assertFails("exists: give another path, or overwrite", url=self.url)
        self.assertEqual(self.ranges(), [])
        self.assertLoads(self.data, url=self.url, overwrite=True)
        self.assertFails("The folder /nowhere does not exist", url=self.url, path="/nowhere/x")
        self.assertFails("names no file", url=self.server.url + "/files/")
        self.assertFails("names no file", url=self.server.url)

    def test_two_at_once(self):
        self.serve(3 * MB, rate=2 * MB)
        d = self.download(url=self.url)
        d.wait_bytes(MB // 2)
        self.assertFails("Another download to .*/file is under way", url=self.url)
        self.assertEqual(self.left(), [PART, STATE])
        self.assertEqual(d.wait()[0], 0, d.log)
        self.assertEqual(self.target.read_bytes(), self.data)

    def test_target_that_comes_meanwhile(self):
        self.serve(3 * MB, rate=2 * MB)
        d = self.download(url=self.url)
        d.wait_bytes(MB)
        self.target.write_bytes(b"new")
        code, words = d.wait()
        self.assertEqual(code, 1)
        self.assertRegex(words, f"was made by somebody else meanwhile.*/{PART}")
        self.assertEqual(self.target.read_bytes(), b"new")
        self.target.unlink()
        before = len(self.ranges())
        self.assertLoads(self.data, url=self.url)  # it is all there
        self.assertEqual(len(self.ranges()), before)

    def leave_whole(self, size):
        """All of it under the other name, because the target is there; which goes then."""
        self.serve(size, rate=2 * size)
        d = self.download(url=self.url)
        d.wait_bytes(size // 4)
        self.target.write_bytes(b"new")
        self.assertEqual(d.wait()[0], 1)
        self.target.unlink()
        self.assertEqual(self.left(), [PART, STATE])

    def test_what_is_there_is_of_another(self):
        """What came from one url is not the file of another, whatever its size; a digest can tell."""
        other, data = self.server.url + "/files/other", file_content(3 * MB, seed=2)
        self.server.file("other", 3 * MB, seed=2)
        for more in ({}, {"sha256": sha256(data)}):
            with self.subTest(more):
                self.leave_whole(3 * MB)
                d = self.assertLoads(data, url=other, path=str(self.target), **more)
                self.assertEqual((d.result()["url"], d.result()["resumed"]), (other, 0))
                self.target.unlink()
        self.leave_whole(3 * MB)
        d = self.assertLoads(self.data, url=other, path=str(self.target), sha256=sha256(self.data))
        self.assertEqual(d.result()["resumed"], 3 * MB)

    def test_cancel(self):
        self.serve(3 * MB, rate=2 * MB)
        d = self.download(url=self.url)
        d.wait_bytes(MB)
        d.signal(signal.SIGTERM)
        code, words = d.wait()
        self.assertEqual(code, 3)
        self.assertRegex(words, f"^Cancelled: .* are kept in {self.folder}/{PART}, and the same download goes on")
        d = self.assertLoads(self.data, url=self.url)
        self.assertGreaterEqual(d.result()["resumed"], MB)
        # Nothing is kept that cannot be gone on with.
        self.target.unlink()
        self.serve(3 * MB, rate=2 * MB, etag=False, last_modified=False)
        d = self.download(url=self.url)
        d.wait_bytes(MB)
        d.signal(signal.SIGTERM)
        self.assertEqual(d.wait(), (3, "Cancelled"))
        self.assertNothing()

    def test_cancel_while_it_waits(self):
        self.server.fault("/files/*", "hang")
        d = self.download(url=self.url)
        self.server.wait_requests(1, "/files/*")
        d.signal(signal.SIGTERM)
        self.assertEqual(d.wait(), (3, "Cancelled"))
        self.assertNothing()

    def test_credential(self):
        secret = self.folder / "secret"
        secret.write_text("s3cr3t\n")
        secret.chmod(0o600)
        self.server.set(authorization="Bearer s3cr3t")
        self.assertFails("HTTP 401", url=self.url)
        d = self.assertLoads(self.data, url=self.url, credential=str(secret), headers={"X-Test": "a b"})
        self.assertNotIn("s3cr3t", d.log)
        self.assertEqual(self.server.requests("/files/*")[-1]["headers"]["X-Test"], "a b")
        self.target.unlink()
        self.server.set(authorization="Basic bWU6czNjcjN0")
        secret.write_text("me:s3cr3t\n")
        self.assertLoads(self.data, url=self.url, credential=str(secret), auth="basic")
        self.target.unlink()
        # Another origin does not get it.
        with Backend() as other:
            other.fault("*", "redirect-to", url=self.url)
            self.assertFails("HTTP 401", url=other.url + "/files/file", credential=str(secret), auth="basic")
        secret.chmod(0o644)
        self.assertFails("others can read", url=self.url, credential=str(secret))

    def test_full_disk(self):
        if os.geteuid() != 0:
            self.skipTest("takes root")
        small = self.folder / "small"
        small.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", small]
        if subprocess.run(mount, stderr=subprocess.DEVNULL, check=False).returncode != 0:
            self.skipTest("mount is not allowed here")
        self.addCleanup(subprocess.run, ["umount", small], check=True)
        self.assertFails("There is no room for it: 3.0M more are needed in the folder .*/small, and 2.0M are free",
                         url=self.url, path=str(small / "file"))
        # The size is not known before.
        self.server.fault("/files/*", "trickle", bytes=256 * 1024, ms=1)
        self.assertFails("The disk is full after .*, in the folder .*/small: make room", url=self.url,
                         path=str(small / "file"), sha256=sha256(self.data))
        self.assertFalse((small / "file").exists())


if __name__ == "__main__":
    daemon_testing.main()
