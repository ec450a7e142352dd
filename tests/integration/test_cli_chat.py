#!/usr/bin/python3
"""longrun chat against a real server, in both dialects.

    LONGRUND=PATH LONGRUN=PATH TEST_BACKEND=PATH test_cli_chat.py
"""

import json
import os
import re

from backend_testing import Backend
from cli_testing import Case, Reader
from longrun_testing import DEADLINE_SEC, main

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d (sent|received) (\w+): (.*)")
QUICK = ("--set", "status-interval=100ms", "--set", "backoff-max=100ms", "--set", "poll-interval=100ms")


class ChatCase(Case):
    dialect = "first"

    def setUp(self):
        self.server = self.enterContext(Backend(f"--dialect={self.dialect}", "--peer=alice:online",
                                                "--peer=bob:offline", "--peer=carol"))
        self.ok("backend", "add", "home", self.server.url, "--type", "messenger", *QUICK)
        self.addCleanup(self.session.run, "backend", "remove", "home")
        self.ok("backend", "check", "home")

    def chat(self, *words, **kwargs):
        return self.ok("chat", "home", *words, **kwargs)

    def read(self, peer, *words):
        lines = self.chat("read", peer, *words).splitlines()
        return [LINE.fullmatch(line).groups() for line in lines]

    def texts(self, reader, n):
        found = [LINE.fullmatch(line) for line in reader.lines(n)]
        return [match[3] for match in found]

    def peer(self):
        return self.json("backend", "show", "home", "-j")["current-peer"]


class Chat(ChatCase):
    def test_friends(self):
        lines = [line.split()[:2] for line in self.chat().splitlines()]
        self.assertEqual(lines, [["FRIEND", "STATE"], ["alice", "online"], ["bob", "offline"]])
        self.assertEqual(self.chat("friends"), self.chat())
        self.assertEqual(self.chat("add", "carol"), "Added carol\n")
        self.assertEqual([one["username"] for one in self.json("chat", "home", "--json")], ["alice", "bob", "carol"])
        self.fails(1, "Failed to add friend: ", "chat", "home", "add", "carol")
        self.fails(1, "Failed to add friend: ", "chat", "home", "add", "nobody")
        self.assertEqual(self.chat("remove", "carol"), "Removed carol\n")
        self.fails(1, "Failed to remove friend: ", "chat", "home", "remove", "carol")

    def test_messages(self):
        self.assertEqual(self.read("alice"), [])
        self.assertEqual(self.chat("send", "alice", "good", "day"), "Sent to alice\n")
        self.assertEqual(self.chat("send", "bob", "later"), "Sent; it waits at the server until bob is online\n")
        self.server.message("alice", "hi\nthere \u202e<b>&amp;")
        self.assertEqual(self.read("alice"), [("sent", "alice", "good day"), ("received", "alice", "hi⏎there <b>&amp;")])
        self.assertEqual(self.read("alice", "-n", "1"), [("received", "alice", "hi⏎there <b>&amp;")])
        first, second = self.json("chat", "home", "read", "alice", "--json")
        self.assertEqual((first["direction"], second["content"][:8]), ("sent", "hi\nthere"))
        self.assertEqual(self.chat("delete", first["id"]), f"Deleted message {first['id']}\n")
        self.assertEqual(len(self.read("alice")), 1)
        self.fails(1, "Failed to delete message: ", "chat", "home", "delete", first["id"])
        self.assertEqual(self.read("bob"), [("sent", "bob", "later")])

    def send_lines(self, data):
        with open(self.session.directory / "lines", "wb+") as file:
            file.write(data)
            file.seek(0)
            return self.session.run("chat", "home", "send", "alice", "-", stdin=file)

    def test_send_lines(self):
        r = self.send_lines("one\n\nzwei Wörter\n".encode())
        self.assertEqual((r.stdout, r.stderr, r.returncode), ("Sent to alice: 2\n", "", 0))
        self.server.fault("/api/messages", "status", code=507, method="POST", skip=1, count=1)
        r = self.send_lines(b"three\nfour\nfive\n")
        self.assertEqual((r.stdout, r.returncode), ("", 1))
        self.assertRegex(r.stderr, "^longrun: Failed to send message: a fault on demand\n"
                                   "longrun: stopped at line 2; messages sent before it: 1\n$")
        self.assertEqual([text for _, _, text in self.read("alice")], ["one", "zwei Wörter", "three"])

    def test_errors(self):
        self.server.fault("/api/messages", "error-200", count=1)
        self.fails(1, "Failed to load messages: ", "chat", "home", "read", "alice")
        self.server.fault("/api/friends", "garbage", count=1)
        self.fails(1, "Failed to load friends: ", "chat", "home")
        self.fails(1, "Failed to send message: ", "chat", "home", "send", "nobody", "hello")
        self.server.stop()
        for words in ([], ["read", "alice"], ["send", "alice", "hello"], ["read", "alice", "-f"]):
            self.fails(1, "connection refused", "chat", "home", *words)


class OtherDialect(Chat):
    dialect = "other"


class Follow(ChatCase):
    def test_new_ones(self):
        self.server.message("alice", "before")
        reader = Reader(self, "chat", "home", "read", "alice", "--follow", "-n", "10")
        self.assertEqual(self.texts(reader, 1), ["before"])
        self.server.message("alice", "after")
        self.assertEqual(self.texts(reader, 1), ["after"])
        self.chat("send", "alice", "mine")
        self.assertEqual(self.texts(reader, 1), ["mine"])

    def test_two_at_once(self):
        """The daemon polls one of them; both hear of all."""
        readers = {peer: Reader(self, "chat", "home", "read", peer, "-f") for peer in ("alice", "bob")}
        for number in range(3):
            for peer, reader in readers.items():
                self.server.message(peer, f"{number} to {peer}")
                self.assertEqual(self.texts(reader, 1), [f"{number} to {peer}"])

    def test_not_polled(self):
        self.ok("backend", "stop", "home")
        reader = Reader(self, "chat", "home", "read", "alice", "-f", "--json")
        self.server.message("alice", "one")
        self.assertEqual(json.loads(reader.line())["content"], "one")

    def test_server_is_away(self):
        self.server.message("alice", "one")
        reader = Reader(self, "chat", "home", "read", "alice", "-f")
        self.assertEqual(self.texts(reader, 1), ["one"])
        self.server.stop()
        self.server.restart()
        self.server.message("alice", "one")
        self.server.message("alice", "two")
        self.assertEqual(self.texts(reader, 1), ["two"])
        self.server.message("alice", "three")
        self.assertEqual(self.texts(reader, 1), ["three"])

    def test_daemon_is_away(self):
        reader = Reader(self, "chat", "home", "read", "alice", "-f")
        self.server.message("alice", "one")
        self.assertEqual(self.texts(reader, 1), ["one"])
        self.server.message("alice", "two")
        self.assertEqual(self.texts(reader, 1), ["two"])  # it listens by now
        self.session.kill_daemon()
        self.server.message("alice", "three")
        self.session.start_daemon()
        self.assertEqual(self.texts(reader, 1), ["three"])
        self.server.message("alice", "four")
        self.assertEqual(self.texts(reader, 1), ["four"])
        self.assertEqual(self.peer(), "alice")

    def test_removed(self):
        reader = Reader(self, "chat", "home", "read", "alice", "-f")
        self.server.message("alice", "one")
        self.assertEqual(self.texts(reader, 1), ["one"])
        self.ok("backend", "remove", "home")
        _, err = reader.process.communicate(timeout=DEADLINE_SEC)
        self.assertEqual((reader.process.returncode, err), (1, b'longrun: there is no messenger "home" any more\n'))


if __name__ == "__main__":
    os.umask(0o22)
    main()
