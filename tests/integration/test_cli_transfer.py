#!/usr/bin/python3
"""longrun download and longrun operation against a real server.

    LONGRUND=PATH LONGRUN=PATH TEST_BACKEND=PATH test_cli_transfer.py
"""

import hashlib
import json
import os

from backend_testing import Backend, file_content
from cli_testing import Case
from longrun_testing import main

SIZE = 200_000


class Transfer(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.enterClassContext(Backend())

    def setUp(self):
        self.addCleanup(self.server.clear)
        self.folder = self.session.directory / "work" / self.id()
        self.folder.mkdir()

    def check_file(self, path):
        self.assertEqual(path.read_bytes(), file_content(SIZE))


class Download(Transfer):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.file("data.bin", SIZE)
        cls.url = f"{cls.server.url}/files/data.bin"

    def download(self, *words):
        return self.session.run("download", *words, cwd=self.folder)

    def test_where_it_goes(self):
        (self.folder / "there").mkdir()
        for words, path in [([], "data.bin"), (["-o", "other.bin"], "other.bin"), (["-o", "there"], "there/data.bin"),
                            (["-o", str(self.folder / "absolute")], "absolute")]:
            r = self.download(self.url, "--follow", *words)
            self.assertEqual(r.returncode, 0, r)
            self.assertRegex(r.stderr, rf"^Started task \d+: {'data.bin' if words[1:] == ['there'] else os.path.basename(path)}\n")
            self.check_file(self.folder / path)
        self.assertEqual(sorted(os.listdir(self.folder)), ["absolute", "data.bin", "other.bin", "there"])

    def test_what_it_must_be(self):
        right, wrong = hashlib.sha256(file_content(SIZE)).hexdigest(), 64 * "0"
        r = self.download(self.url, "-f", "--sha256", wrong)
        self.assertEqual(r.returncode, 1)
        self.assertIn("sha256", r.stderr)
        r = self.download(self.url, "-f", "--size", "5K")
        self.assertEqual(r.returncode, 1)
        self.assertEqual(self.download(self.url, "-f", "--sha256", right, "--size", str(SIZE)).returncode, 0)
        # What is there stays, unless it is said.
        (self.folder / "data.bin").write_text("mine", encoding="utf-8")
        r = self.download(self.url, "-f")
        self.assertEqual(r.returncode, 1)
        self.assertIn("overwrite", r.stderr)
        self.assertEqual((self.folder / "data.bin").read_text(encoding="utf-8"), "mine")
        self.assertEqual(self.download(self.url, "-f", "--overwrite").returncode, 0)
        self.check_file(self.folder / "data.bin")

    def test_mode(self):
        for mask, mode in ((0o77, 0o600), (0o22, 0o644)):
            path = self.folder / oct(mask)
            r = self.session.run("download", self.url, "-f", "-o", path, preexec_fn=lambda: os.umask(mask))
            self.assertEqual((r.returncode, path.stat().st_mode & 0o777), (0, mode))

    def test_mirrors(self):
        r = self.download(f"{self.server.url}/files/gone.bin", self.url, "-f", "-o", "x.bin")
        self.assertEqual(r.returncode, 0, r)
        self.check_file(self.folder / "x.bin")

    def test_is_a_task(self):
        r = self.download(self.url, "--json", "--label", "mine", "--retries", "2")
        task = json.loads(r.stdout)["id"]
        self.ok("wait", task)
        shown = self.json("show", task, "-j")
        self.assertEqual((shown["kind"], shown["label"], shown["retries"], shown["state"], shown["total"], shown["unit"]),
                         ("download", "mine", 2, "succeeded", SIZE, "bytes"))
        self.assertEqual(shown["params"]["path"], str(self.folder))
        r = self.download("data.bin")
        self.assertEqual(r.returncode, 2)
        self.assertIn('"data.bin" is no URL', r.stderr)
        r = self.download("http://user:secret@h/x")
        self.assertEqual(r.returncode, 1)
        self.assertIn("password", r.stderr)


class Operation(Transfer):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.session.run("backend", "add", "jobs", cls.server.url, "--status-path", "/api/status",
                        "--set", "status-interval=100ms", "--set", "backoff-max=100ms")

    def operation(self, *words, **kwargs):
        return self.session.run("operation", "jobs", "/operations", *words, cwd=self.folder, **kwargs)

    def test_follow(self):
        r = self.operation('{"steps": 3, "step_ms": 10, "result": {"a": 1}}', "--follow", "-p", "poll_interval_ms=100")
        self.assertEqual(r.returncode, 0, r)
        self.assertRegex(r.stderr, r"^Started task \d+: jobs/operations\n")
        task = int(r.stderr.split()[2].rstrip(":"))
        shown = self.json("show", task, "-j")
        self.assertEqual((shown["kind"], shown["state"], shown["label"]), ("http-operation", "succeeded", "jobs/operations"))
        self.assertIn('"a"', self.ok("result", task))

    def test_bodies(self):
        (self.folder / "body").write_text('{"steps": 1, "step_ms": 1}', encoding="utf-8")
        for words in (["@body"], ["--body-file", "body"]):
            self.server.forget_requests()
            r = self.operation(*words, "-f", "-H", "X-Mark: here", "-p", "poll_interval_ms=100")
            self.assertEqual(r.returncode, 0, r)
            request = self.server.requests("/operations")[0]
            self.assertEqual((request["method"], json.loads(request["body"])), ("POST", {"steps": 1, "step_ms": 1}))
            self.assertEqual({name.lower(): value for name, value in request["headers"].items()}["x-mark"], "here")

    def test_failure(self):
        r = self.operation('{"steps": 1, "step_ms": 1, "fail": true, "error": "no disk"}', "-f", "-p", "poll_interval_ms=100")
        self.assertEqual(r.returncode, 1)
        self.assertIn("no disk", r.stderr)
        r = self.session.run("operation", "nowhere", "/operations", "{}", "-f")
        self.assertEqual(r.returncode, 1)
        self.assertIn('"nowhere"', r.stderr)
        r = self.operation("-p", "state_field=nonsense")
        self.assertEqual(r.returncode, 1)
        self.assertIn("state_field", r.stderr)

    def test_cancel(self):
        self.server.forget_requests()
        task = int(self.operation('{"steps": 10000, "step_ms": 100}', "-q", "-p", "poll_interval_ms=100").stdout)
        self.server.wait_requests(1, "/operations/*")
        self.ok("cancel", task)
        r = self.session.run("wait", task)
        self.assertEqual((r.returncode, r.stdout), (130, f"Task {task} cancelled\n"))
        self.assertEqual(self.server.operations()["operations"][-1]["state"], "cancelled")


if __name__ == "__main__":
    os.umask(0o22)
    main()
