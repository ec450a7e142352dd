#!/usr/bin/python3
"""longrun backend, and --when-online, against a real server.

    LONGRUND=PATH LONGRUN=PATH TEST_BACKEND=PATH test_cli_backend.py
"""

import json
import os
import signal

from backend_testing import Backend
from cli_testing import Case, Reader
from longrun_testing import DEADLINE_SEC, Terminal, main

QUICK = ("--status-interval", "200ms", "--set", "backoff-max=200ms", "--poll-interval", "100ms")


class BackendCase(Case):
    def setUp(self):
        self.server = self.enterContext(Backend("--peer=bob:online"))
        self.addCleanup(self.session.run, "backend", "remove", "home")

    def add(self, *words, name="home"):
        self.assertEqual(self.ok("backend", "add", name, self.server.url, *words), f"Added backend {name}\n")


class Backends(BackendCase):
    def test_life(self):
        self.add("--status-path", "/api/status")
        self.assertRegex(self.ok("backend", "check", "home"), r"^home: online \(.*\)\n$")
        shown = self.json("backend", "show", "home", "--json")
        self.assertEqual((shown["name"], shown["url"], shown["state"]), ("home", self.server.url, "online"))
        self.assertEqual(json.loads(shown["status"])["status"], "online")
        self.assertRegex(self.ok("backend"), rf"(?m)^home +online +yes +\S+ +\S+ \S+ +{self.server.url}")
        self.assertRegex(self.ok("backend", "show", "home"), r"(?m)^ *Status: \{.*\"online\"")
        self.fails(1, "home", "backend", "add", "home", self.server.url)
        self.server.stop()
        r = self.session.run("backend", "check", "home")
        self.assertEqual((r.returncode, r.stderr), (1, ""))
        self.assertRegex(r.stdout, "^home: offline: .*connection refused")
        self.assertRegex(self.ok("backend", "list"), "(?m)^home +offline .*connection refused")
        self.assertEqual(self.ok("backend", "remove", "home"), "Removed backend home\n")
        self.fails(1, "home", "backend", "show", "home")

    def test_unknown(self):
        for words in (["show"], ["check"], ["poll"], ["start"], ["stop"], ["remove"]):
            self.fails(1, '"nowhere"', "backend", *words, "nowhere")
        self.fails(1, '"nowhere"', "backend", "request", "nowhere", "GET", "/")
        self.fails(1, 'there is no backend "nowhere"', "backend", "watch", "nowhere")
        self.fails(1, "a b", "backend", "add", "a b", self.server.url)
        self.add("--status-path", "/api/status")
        self.fails(1, "messenger", "chat", "home", "friends")
        out = self.session.run("backend", "check", "nowhere", "home")
        self.assertEqual(out.returncode, 1)
        self.assertRegex(out.stdout, "^home: online")

    def test_settings_come_back(self):
        self.add("--status-path", "/api/status", "--failure-threshold", "3", "-e", '/status == "online"',
                 "-e", "/uptime == 1e9", "--set", "response-max=64K")
        r = self.session.run("backend", "check", "home")
        self.assertEqual(r.returncode, 1)
        self.assertIn("/uptime", r.stdout)
        # The setting is one of three failures.
        shown = self.json("backend", "show", "home", "-j")
        self.assertEqual((shown["settings"]["failure-threshold"], shown["settings"]["response-max"]), (3, 65536))
        self.assertIn('expect /status == "online" and /uptime == 1e9', self.ok("backend", "show", "home"))
        self.fails(1, "expect", "backend", "add", "other", self.server.url, "-e", "nonsense")
        self.fails(1, "url", "backend", "add", "other", "ftp://x")

    def test_polling_persists(self):
        self.add("--poll-path", "/api/friends")
        self.assertEqual(self.ok("backend", "stop", "home"), "Not polling: 1\n")
        self.session.kill_daemon(signal.SIGTERM)
        self.session.start_daemon()
        self.assertFalse(self.json("backend", "show", "home", "-j")["polling"])
        self.assertEqual(self.ok("backend", "poll", "home"), "Polled: 1\n")
        self.assertEqual(self.ok("backend", "start", "home"), "Polling: 1\n")
        self.assertTrue(self.json("backend", "show", "home", "-j")["polling"])

    def test_of_a_file(self):
        folder = self.session.directory / "config" / "longrun" / "backend.d"
        folder.mkdir(parents=True)
        (folder / "filed.conf").write_text(f"[Backend]\nUrl={self.server.url}\n", encoding="utf-8")
        self.addCleanup(lambda: (folder / "filed.conf").unlink() or self.session.call("Reload"))
        self.session.call("Reload")
        self.assertRegex(self.ok("backend", "show", "filed"), rf"(?m)^ *From: {folder}/filed.conf$")
        self.fails(1, "filed.conf", "backend", "remove", "filed")


class Request(BackendCase):
    def request(self, *words, **kwargs):
        r = self.session.run("backend", "request", "home", *words, **kwargs)
        return r.stdout, r.stderr, r.returncode

    def test_request(self):
        self.add()
        out, err, code = self.request("GET", "/api/friends")
        self.assertEqual((json.loads(out)["friends"][0]["username"], err, code), ("bob", "HTTP 200\n", 0))
        out, err, code = self.request("post", "/api/friends", '{"username": "nobody"}')
        self.assertEqual((err, code), ("HTTP 404\n", 1))
        self.assertIn("error", json.loads(out))
        out, err, code = self.request("GET", "/api/messages?peer=bob", "--json")
        self.assertEqual((json.loads(out)["status"], err, code), (200, "", 0))
        self.assertEqual(self.server.requests("/api/friends")[-1]["body"], '{"username": "nobody"}')

    def test_errors(self):
        self.add("--timeout", "300ms")
        self.server.fault("/slow", "hang")
        self.fails(1, "300ms", "backend", "request", "home", "GET", "/slow")
        self.server.stop()
        self.fails(1, "connection refused", "backend", "request", "home", "GET", "/")

    def test_terminal(self):
        """What a server says does nothing to a terminal."""
        self.add()
        self.server.message("bob", "\x9b31m plain \x1b]0;title\x07")
        with Terminal(self.session, "backend", "request", "home", "GET", "/api/messages?peer=bob") as terminal:
            code, output = terminal.finish()
        self.assertEqual(code, 0)
        self.assertIn("plain", output)
        self.assertNotRegex(output, "[\x1b\x9b]")
        self.server.message("bob", "delete \x7f")
        out, _, _ = self.request("GET", "/api/messages?peer=bob", "--json")
        self.assertNotRegex(out, "[\x1b\x7f\x9b]")
        self.assertRegex(json.loads(json.loads(out)["body"])["messages"][-1]["content"], "^delete \x7f$")


class Watch(BackendCase):
    def test_lines(self):
        self.server.document("news", {"a": 1})
        self.add("--status-path", "/api/status", "--poll-path", "/doc/news", *QUICK)
        reader = Reader(self, "backend", "watch", "home")
        reader.until(" home status: {")
        self.server.document("news", {"a": 2})
        reader.until(' home updated: /doc/news {"a":2}')
        self.server.fault("/doc/news", "status", code=500)
        reader.until(" home error: ")
        self.server.stop()
        reader.until(" home state: offline")
        self.server.restart()
        reader.until(" home state: online")
        self.ok("backend", "remove", "home")
        self.assertRegex(reader.until("home removed")[-1], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d home removed$")

    def test_daemon_restarts(self):
        self.add("--status-path", "/api/status", *QUICK)
        reader = Reader(self, "backend", "watch", "all", "--json")

        def until(name, event):
            json.loads(reader.until(f'"backend":"{name}"', f'"event":"{event}"')[-1])
        until("home", "status")
        self.session.kill_daemon()
        self.session.start_daemon()
        until("home", "status")
        self.add("--status-path", "/api/status", name="second")
        until("second", "added")
        until("second", "state")
        # While it is away, nobody can tell: it goes by what the next one has.
        reader.process.send_signal(signal.SIGSTOP)
        self.ok("backend", "remove", "second")
        self.session.kill_daemon()
        self.session.start_daemon()
        reader.process.send_signal(signal.SIGCONT)
        until("second", "removed")

    def test_reader_goes(self):
        self.add()
        reader = Reader(self, "backend", "watch", "home")
        reader.line()
        reader.process.stdout.close()
        self.assertEqual(reader.process.wait(DEADLINE_SEC), -signal.SIGPIPE)
        reader.process.stderr.close()


class WhenOnline(BackendCase):
    def test_waits(self):
        self.server.stop()
        self.add("--status-path", "/api/status", *QUICK)
        r = self.session.run("start", "--when-online", "home", "--", "echo", "up")
        self.assertRegex(r.stdout, r"^Planned task \d+: echo up \(waits for backend home ")
        task = int(r.stdout.split()[2].rstrip(":"))
        self.assertRegex(self.ok("list"), rf"(?m)^ *{task} +waiting .*waits for backend home")
        self.assertRegex(self.ok("show", task), r"(?m)^ *State: waiting \(waits for backend home.*\)$")
        self.assertRegex(self.ok("show", task), r"(?m)^ *Online: home$")
        self.server.restart()
        self.assertEqual(self.ok("log", "-f", task), "up\n")
        self.ok("wait", task)

    def test_one_that_is_not_there(self):
        self.fails(1, 'There is no backend "later"', "start", "--when-online", "later", "--", "true")


if __name__ == "__main__":
    os.umask(0o22)
    main()
