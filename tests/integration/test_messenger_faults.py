#!/usr/bin/python3
"""Messengers over D-Bus, and what goes wrong on the way: late answers, lies, outages.

    LONGRUND=PATH TEST_BACKEND=PATH test_messenger_faults.py
"""

import json
import time

from daemon_testing import SOON_SEC
from messenger_testing import MSEC, MessengerTestCase, main


class Faults(MessengerTestCase):
    def test_late_reply(self):
        """Of one who is not looked at any more: it stays theirs."""
        self.server.message("anna", "of anna")
        self.server.message("bert", "of bert")
        self.server.fault("/api/messages", "delay", count=1, ms=300)
        late = self.chat.messages_later("anna")
        self.server.wait_requests(1, "/api/messages")
        self.assertEqual([m["content"] for m in self.chat.messages("bert")], ["of bert"])
        self.assertEqual(late, [])
        self.session.wait_until(lambda: late, "the late reply")
        self.assertEqual([m["content"] for m in late[0][0]], ["of anna"])
        self.chat.settled()
        self.assertEqual(self.chat.loaded(), [("bert", ["of bert"]), ("anna", ["of anna"])])
        self.assertEqual(self.chat.peer(), "bert")

    def test_messages_of_somebody_else(self):
        self.server.fault("/api/messages", "status", code=200, body=json.dumps(
            [{"id": 1, "peer": "bert", "direction": "received", "content": "secret", "timestamp": 1}]))
        self.assertFails("BackendFailed", "somebody else", "LoadMessages", "(sa{sv})", "anna", {})
        self.chat.settled()
        self.assertEqual(self.chat.loaded(), [])

    def test_asked_together(self):
        self.server.fault("/api/friends", "delay", count=1, ms=200)
        replies = [self.chat.later("LoadFriends") for _ in range(10)]
        self.session.wait_until(lambda: all(replies), "the friends")
        self.assertEqual({len(r[0][0]) for r in replies}, {2})
        self.assertEqual(self.server.count("/api/friends"), 1)
        self.chat.settled()
        self.assertEqual(len(self.chat.signals("FriendsLoaded")), 1)

    def test_order_of_sends(self):
        """Also when the first takes long, and whoever they are for."""
        self.server.fault("/api/messages", "delay", count=1, ms=300, method="POST")
        replies = [self.chat.send_later("anna" if i % 2 else "bert", f"m{i}") for i in range(30)]
        self.session.wait_until(lambda: all(replies), "the answers")
        self.assertEqual([r[0][0]["content"] for r in replies], [f"m{i}" for i in range(30)])
        sent = [json.loads(r["body"])["content"] for r in self.requests(method="POST")]
        self.assertEqual(sent, [f"m{i}" for i in range(30)])
        self.assertEqual([m["content"] for m in self.chat.messages("anna")], [f"m{i}" for i in range(1, 30, 2)])

    def test_send_while_lists_hang(self):
        self.server.fault("/api/messages", "hang", method="GET")
        replies = self.chat.messages_later("anna")
        self.server.wait_requests(1, "/api/messages")
        before = time.monotonic()
        self.assertEqual(self.chat.send("anna", "hi")["content"], "hi")
        self.assertLess(time.monotonic() - before, SOON_SEC)
        self.assertEqual(replies, [])

    def test_sent_once(self):
        """The server has taken the message, and then the connection, which was used before, breaks: nobody knows."""
        self.chat.messages("anna")
        self.server.fault("/api/messages", "reset", method="POST", before=True)
        self.assertFails("BackendOffline", "^Failed to send message: ", "SendMessage", "(ss)", "anna", "hi")
        self.assertEqual(len(self.requests(method="POST")), 1)
        self.server.clear()
        self.server.fault("/api/messages", "reset", method="POST", after=3)
        self.chat.messages("anna")
        self.assertFails("BackendOffline", "^Failed to send message: ", "SendMessage", "(ss)", "anna", "ho")
        self.assertEqual(len(self.requests(method="POST")), 2)
        self.assertEqual([m["content"] for m in self.chat.messages("anna")], ["ho"])

    def test_sends_behind_one_that_fails(self):
        """The server does not answer: none of them waits for longer than the first, and none is sent later."""
        self.replace_backend(timeout=300 * MSEC)
        self.server.fault("/api/messages", "hang", count=1, method="POST")
        replies = [self.chat.send_later("anna", f"m{i}") for i in range(20)]
        before = time.monotonic()
        self.session.wait_until(lambda: all(replies), "the answers")
        self.assertLess(time.monotonic() - before, SOON_SEC)
        for r in replies:
            self.assertEqual(r[0].name, "BackendOffline")
            self.assertTrue(r[0].message.startswith("Failed to send message: "), r[0])
        self.assertEqual(self.chat.send("anna", "after")["content"], "after")
        self.assertEqual(len(self.requests(method="POST")), 2)

    def test_nobody_else_waits(self):
        self.server.fault("/api/*", "hang")
        replies = [self.chat.later("LoadFriends"), self.chat.messages_later("anna"), self.chat.send_later("anna", "x")]
        self.server.wait_requests(3, "/api/*")
        before = time.monotonic()
        for _ in range(100):
            self.session.get("Running")
        self.assertLess(time.monotonic() - before, SOON_SEC)
        self.assertEqual(replies, [[], [], []])

    def test_the_end_is_at_once(self):
        self.server.fault("/api/*", "hang")
        replies = [self.chat.later("LoadFriends"), self.chat.messages_later("anna"), self.chat.send_later("anna", "x")]
        self.server.wait_requests(3, "/api/*")
        before = time.monotonic()
        self.assertEqual(self.session.end_daemon(), 0)
        self.assertLess(time.monotonic() - before, 2)
        self.session.wait_until(lambda: all(replies), "errors")
        self.session.start_daemon()

    def test_removed_meanwhile(self):
        self.server.fault("/api/*", "hang")
        replies = [self.chat.later("LoadFriends"), self.chat.messages_later("anna"), self.chat.send_later("anna", "x"),
                   self.chat.send_later("anna", "y")]
        self.server.wait_requests(3, "/api/*")
        self.session.call("RemoveBackend", "(s)", "chat")
        self.session.wait_until(lambda: all(replies), "errors")
        self.assertEqual({r[0].name for r in replies}, {"NoSuchBackend"})
        self.assertEqual(len(self.requests(method="POST")), 1)

    def test_too_many_ask(self):
        self.server.fault("/api/*", "hang")
        replies = [self.chat.later("LoadFriends") for _ in range(101)]
        self.session.wait_until(lambda: any(replies), "an error")
        (refused,) = [r[0] for r in replies if r]
        self.assertEqual(refused.name, "org.freedesktop.DBus.Error.LimitsExceeded")


class Lies(MessengerTestCase):
    """What is no good answer is an error with words, to who asked and to all; and nothing of it is shown."""

    CHAT = {**MessengerTestCase.CHAT, "timeout": 400 * MSEC}

    CALLS = (
        ("LoadFriends", ()),
        ("AddFriend", ("(s)", "carla")),
        ("RemoveFriend", ("(s)", "bert")),
        ("LoadMessages", ("(sa{sv})", "anna", {})),
        ("SendMessage", ("(ss)", "anna", "hi")),
        ("DeleteMessage", ("(s)", "1")),
    )
    BEGIN = {
        "LoadFriends": "Failed to load friends: ", "AddFriend": "Failed to add friend: ",
        "RemoveFriend": "Failed to remove friend: ", "LoadMessages": "Failed to load messages: ",
        "SendMessage": "Failed to send message: ", "DeleteMessage": "Failed to delete message: ",
    }

    def setUp(self):
        super().setUp()
        self.chat.wait_told(1, "StatusUpdated")  # nothing but what is asked for goes wrong

    def assertAllFail(self, name, text, calls=CALLS):
        for method, args in calls:
            self.chat.forget()
            with self.subTest(method=method):
                said = self.assertFails(name, f"^{self.BEGIN[method]}{text}", method, *args)
                self.assertNotIn("\n", said)
                self.chat.settled()
                self.assertEqual(self.chat.errors(), [said])
                self.assertEqual(self.chat.get("LastError"), said)
                self.assertEqual(self.chat.signals("FriendsLoaded", "FriendAdded", "MessagesLoaded", "MessageSent"), [])

    def lists(self):
        return [c for c in self.CALLS if c[0] in ("LoadFriends", "LoadMessages")]

    def test_no_json(self):
        self.server.fault("/api/*", "garbage")
        self.assertAllFail("BackendFailed", "the answer is not JSON: .*")

    def test_error_with_200(self):
        self.server.fault("/api/*", "error-200", text="the database\nis <b>down</b>")
        self.assertAllFail("BackendFailed", "the database is <b>down</b>$")

    def test_status(self):
        self.server.fault("/api/*", "status", code=503, text="come back later")
        self.assertAllFail("BackendFailed", "come back later$")
        self.server.clear()
        self.server.fault("/api/*", "status", code=502, body="<html>bad gateway</html>")
        self.assertAllFail("BackendFailed", "HTTP 502$")

    def test_wrong_types(self):
        self.server.message("anna", "hello")
        for how in ("top", "values", "lists", "null", "missing"):
            self.server.clear()
            self.server.fault("/api/*", "wrong-types", how=how)
            with self.subTest(how=how):
                self.assertAllFail("BackendFailed", "the answer is (wrong|empty)", self.lists())

    def test_too_large(self):
        for chunked in (False, True):
            self.server.clear()
            self.server.fault("/api/*", "huge", bytes=50e6, chunked=chunked)
            self.assertAllFail("BackendFailed", ".*8(.0)? ?M", self.lists())

    def test_no_end(self):
        self.server.fault("/api/*", "endless")
        self.assertAllFail("BackendFailed|BackendOffline", ".", self.lists()[:1])

    def test_breaks(self):
        for kind in ("reset", "short", "hang-body"):
            self.server.clear()
            self.server.fault("/api/*", kind)
            with self.subTest(kind=kind):
                self.assertAllFail("BackendOffline", ".", self.lists())

    def test_hangs(self):
        self.server.fault("/api/*", "hang")
        self.assertAllFail("BackendOffline", ".")

    def test_redirects(self):
        self.server.fault("/api/*", "redirect-loop")
        self.assertAllFail("BackendFailed", ".", self.lists())

    def test_gone(self):
        self.server.stop()
        self.assertAllFail("BackendOffline", ".")

    def test_good_after_bad(self):
        self.server.fault("/api/friends", "garbage", count=1)
        self.assertAllFail("BackendFailed", ".", self.lists()[:1])
        self.assertEqual(len(self.chat.friends()), 2)
        self.assertEqual(self.chat.get("LastError"), "")


if __name__ == "__main__":
    main()
