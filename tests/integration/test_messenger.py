#!/usr/bin/python3
"""Messengers over D-Bus: friends and messages in both dialects, and polls.

    LONGRUND=PATH TEST_BACKEND=PATH test_messenger.py
"""

import json
import time

from backends_testing import BACKEND, add_backend
from messenger_testing import MSEC, SEC, MessengerTestCase, main

MARKUP = '<b>bold</b> &amp; <a href="x">"quoted"</a> \\n %s ünïcödé 😀'


class Dialects:
    """What clients see is the same in both."""

    def test_status(self):
        self.chat.wait_told(1, "StatusUpdated")  # of the first check
        self.chat.forget()
        self.server.set(username="me", status={"uptime": 42})
        self.assertTrue(self.chat.check())
        online, status = self.chat.wait_told(2, "BackendOnline", "StatusUpdated")
        self.assertEqual((online.member, online.args), ("BackendOnline", (True,)))
        self.assertEqual(status.member, "StatusUpdated")
        self.assertEqual(json.loads(status.args[0]), {"status": "online", "username": "me", "uptime": 42})

    def test_status_of_one_that_is_gone(self):
        self.chat.wait_told(1, "StatusUpdated")
        self.chat.forget()
        self.server.stop()
        self.assertFalse(self.chat.check())
        (online,) = self.chat.wait_told(1, "BackendOnline")
        self.assertEqual(online.args, (False,))
        self.assertEqual(self.chat.signals("StatusUpdated"), [])

    def test_load_friends(self):
        self.server.friend("anna", True, last_seen=1700000000)
        friends = self.chat.friends()
        self.assertEqual([(f["username"], f["online"]) for f in friends], [("anna", True), ("bert", False)])
        self.assertEqual(friends[0]["last-seen"], 1700000000 * SEC)
        (loaded,) = self.chat.wait_told(1, "FriendsLoaded")
        self.assertEqual(loaded.args[0], friends)

    def test_add_friend(self):
        self.assertEqual(self.chat.call("AddFriend", "(s)", "carla")["username"], "carla")
        added, loaded = self.chat.wait_told(2, "FriendAdded", "FriendsLoaded")
        self.assertEqual((added.member, added.args[0]["username"]), ("FriendAdded", "carla"))
        self.assertEqual([f["username"] for f in loaded.args[0]], ["anna", "bert", "carla"])

    def test_add_friend_fails(self):
        for name, text in (("carl", "no such user: carl"), ("anna", "anna is a friend already")):
            said = self.assertFails("BackendFailed", f"^Failed to add friend: {text}$", "AddFriend", "(s)", name)
            self.chat.settled()
            self.assertEqual(self.chat.errors()[-1], said)
        self.assertEqual(self.chat.signals("FriendAdded", "FriendsLoaded"), [])

    def test_remove_friend(self):
        self.chat.call("RemoveFriend", "(s)", "bert")
        (loaded,) = self.chat.wait_told(1, "FriendsLoaded")
        self.assertEqual([f["username"] for f in loaded.args[0]], ["anna"])
        self.assertFails("BackendFailed", "^Failed to remove friend: no such friend: bert$", "RemoveFriend", "(s)",
                         "bert")

    def test_load_messages(self):
        self.server.message("anna", "hello", timestamp=1700000000)
        self.server.message("anna", "hi", "sent", delivered=False)
        self.server.message("bert", "of somebody else")
        first, second = self.chat.messages("anna")
        self.assertEqual({**first, "id": ""},
                         {"id": "", "peer": "anna", "direction": "received", "content": "hello",
                          "timestamp": 1700000000 * SEC, "delivered": True, "stored-offline": False})
        self.assertNotEqual(first["id"], second["id"])
        self.assertEqual((second["direction"], second["delivered"]), ("sent", False))
        self.assertEqual(self.chat.peer(), "anna")
        (loaded,) = self.chat.wait_told(1, "MessagesLoaded")
        self.assertEqual(loaded.args, ("anna", [first, second]))
        self.assertEqual([m["content"] for m in self.chat.messages("anna", limit=1)], ["hi"])
        self.assertFails("BackendFailed", "^Failed to load messages: no such user: dora$", "LoadMessages", "(sa{sv})",
                         "dora", {})

    def test_send(self):
        self.chat.messages("anna")
        self.chat.forget()
        m = self.chat.send("anna", "hi")
        self.assertEqual((m["peer"], m["direction"], m["content"], m["delivered"], m["stored-offline"]),
                         ("anna", "sent", "hi", True, False))
        sent, loaded = self.chat.wait_told(2, "MessageSent", "MessagesLoaded")
        self.assertEqual((sent.member, sent.args), ("MessageSent", (m,)))
        self.assertEqual([(n["id"], n["content"]) for n in loaded.args[1]], [(m["id"], "hi")])

    def test_send_to_one_who_is_offline(self):
        m = self.chat.send("bert", "hi")
        self.assertEqual((m["delivered"], m["stored-offline"]), (False, True))
        # And nobody is shown other messages because of it.
        self.assertEqual(self.chat.peer(), "")

    def test_send_fails(self):
        self.assertFails("BackendFailed", "^Failed to send message: no such user: dora$", "SendMessage", "(ss)",
                         "dora", "hi")
        self.chat.settled()
        self.assertEqual(self.chat.errors(), ["Failed to send message: no such user: dora"])
        self.assertEqual(self.chat.signals("MessageSent"), [])

    def test_delete_message(self):
        self.server.message("anna", "one")
        self.server.message("anna", "two")
        first = self.chat.messages("anna")[0]
        self.chat.call("DeleteMessage", "(s)", first["id"])
        self.chat.wait_told(2, "MessagesLoaded")
        self.assertEqual(self.chat.loaded(), [("anna", ["one", "two"]), ("anna", ["two"])])
        self.assertFails("BackendFailed", "^Failed to delete message: no such message: ", "DeleteMessage", "(s)",
                         first["id"])

    def test_text_is_text(self):
        self.server.message("anna", MARKUP)
        self.assertEqual(self.chat.messages("anna")[0]["content"], MARKUP)
        self.assertEqual(self.chat.send("anna", MARKUP)["content"], MARKUP)
        self.chat.wait_told(2, "MessagesLoaded")
        self.assertEqual(self.chat.loaded()[-1], ("anna", [MARKUP, MARKUP]))
        self.assertEqual(json.loads(self.requests(method="POST")[0]["body"])["content"], MARKUP)

    def test_odd_names(self):
        for name in ("a&b=c/d e?f#g%41", "ünï", "..x", "<i>"):
            self.server.friend(name, friend=False)
            self.chat.call("AddFriend", "(s)", name)
            self.chat.send(name, "hi")
            self.assertEqual([m["content"] for m in self.chat.messages(name)], ["hi"])
            self.chat.call("RemoveFriend", "(s)", name)


class FirstDialect(Dialects, MessengerTestCase):
    pass


class OtherDialect(Dialects, MessengerTestCase):
    OPTIONS = ("--dialect=other", *MessengerTestCase.OPTIONS)


class Arguments(MessengerTestCase):
    def test_refused_and_not_sent(self):
        for method, args, text in (
                ("SendMessage", ("(ss)", "anna", ""), "the message is empty"),
                ("SendMessage", ("(ss)", "anna", " \n\t "), "the message is empty"),
                ("SendMessage", ("(ss)", "anna", "x" * 65537), "longer than 64 KiB"),
                ("SendMessage", ("(ss)", "", "hi"), "the peer is empty"),
                ("AddFriend", ("(s)", ""), "the username is empty"),
                ("AddFriend", ("(s)", "  "), "the username is empty"),
                ("AddFriend", ("(s)", "a\nb"), "the username has a control character"),
                ("AddFriend", ("(s)", "x" * 256), "the username is longer than 255 bytes"),
                ("RemoveFriend", ("(s)", ".."), "the username cannot be part of a URL"),
                ("DeleteMessage", ("(s)", ""), "the id is empty"),
                ("LoadMessages", ("(sa{sv})", " ", {}), "the peer is empty")):
            with self.subTest(method=method, text=text):
                self.assertFails("InvalidOption", text, method, *args)
        self.assertEqual(self.server.count("/api/friends*") + self.server.count("/api/messages*"), 0)
        with self.assertError("InvalidOption", "limit"):
            self.chat.messages("anna", limit=0)
        with self.assertError("InvalidOption", "limit"):
            self.chat.messages("anna", limit=1001)
        with self.assertError("UnknownOption", "since"):
            self.chat.messages("anna", since=1)
        with self.assertError("InvalidOption", "CurrentPeer is empty"):
            self.chat.set_peer("  ")

    def test_defaults(self):
        settings = self.chat.get("Settings")
        self.assertEqual(settings["status-path"], "/api/status")
        settings = add_backend(self.session, "other", url=self.server.url, type="messenger").get("Settings")
        self.assertEqual([settings[name] for name in ("status-interval", "poll-interval", "timeout")],
                         [10 * SEC, 2 * SEC, 5 * SEC])

    def test_one_of_another_type(self):
        self.session.call("RemoveBackend", "(s)", "chat")
        self.add_backend(type="json")
        with self.assertError("InvalidOption", "only those of type messenger have friends"):
            self.chat.friends()


class Polls(MessengerTestCase):
    CHAT = {**MessengerTestCase.CHAT, "poll_interval": 100 * MSEC}
    other = None

    def wait_polls(self, more):
        self.server.wait_requests(self.server.count("/api/messages") + more, "/api/messages")

    def test_only_what_is_new(self):
        self.online()
        self.server.message("anna", "one")
        self.chat.messages("anna")
        self.wait_polls(3)
        self.chat.settled()
        self.assertEqual(self.chat.loaded(), [("anna", ["one"])])
        self.server.message("anna", "two")
        self.chat.wait_told(2, "MessagesLoaded")
        self.wait_polls(2)
        self.chat.settled()
        self.assertEqual(self.chat.loaded(), [("anna", ["one"]), ("anna", ["one", "two"])])
        # Of somebody else is nothing of theirs.
        self.server.message("bert", "three")
        self.wait_polls(2)
        self.chat.settled()
        self.assertEqual(len(self.chat.loaded()), 2)

    def test_delivered_later_is_news(self):
        self.online()
        self.chat.send("bert", "hi")
        self.chat.messages("bert")
        self.chat.forget()
        self.server.friend("bert", True)
        (loaded,) = self.chat.wait_told(1, "MessagesLoaded")
        self.assertTrue(loaded.args[1][0]["delivered"])

    def test_current_peer(self):
        self.online()
        self.wait_nothing_polled()
        self.server.message("anna", "hello")
        self.chat.set_peer("anna")
        self.chat.wait_told(1, "MessagesLoaded")
        self.assertEqual(self.chat.loaded(), [("anna", ["hello"])])
        self.session.wait_until(lambda: self.peers_told() == ["anna"], "PropertiesChanged of CurrentPeer")
        self.chat.set_peer("bert")
        self.chat.wait_told(2, "MessagesLoaded")
        self.assertEqual(self.chat.loaded()[-1], ("bert", []))
        self.chat.set_peer("")
        self.wait_nothing_polled()
        self.assertEqual(self.peers_told(), ["anna", "bert", ""])
        with self.assertError("InvalidOption"):
            self.chat.call("Poll", interface=BACKEND)

    def wait_nothing_polled(self):
        """While another one with the same interval is polled several times."""
        other = self.other or add_backend(self.session, "other", url=self.server.url, **{
            **self.CHAT, "status_path": "/api/status", "poll_path": "/echo"})
        self.other = other
        self.assertTrue(other.check())
        before = self.server.count("/api/messages")
        self.server.wait_requests(self.server.count("/echo") + 5, "/echo")
        self.assertEqual(self.server.count("/api/messages"), before)

    def peers_told(self):
        self.chat.settled()
        return [s.args[1]["CurrentPeer"] for s in self.chat.signals("PropertiesChanged") if "CurrentPeer" in s.args[1]]

    def test_stop_polling(self):
        self.online()
        self.chat.set_peer("anna")
        self.wait_polls(2)
        self.chat.call("StopPolling", interface=BACKEND)
        self.wait_nothing_polled()
        self.server.message("anna", "hello")
        self.chat.forget()
        self.chat.call("Poll", interface=BACKEND)
        self.chat.settled()
        self.assertEqual(self.chat.loaded(), [("anna", ["hello"])])
        self.chat.call("StartPolling", interface=BACKEND)
        self.wait_polls(2)

    def test_none_piles_up(self):
        """The backend takes longer for an answer than there is between two polls."""
        self.online()
        self.server.fault("/api/messages", "delay", ms=400)
        self.chat.set_peer("anna")
        self.wait_polls(4)
        times = [r["time"] for r in self.requests()][-4:]
        for before, after in zip(times, times[1:]):
            self.assertGreater(after - before, 0.35)

    def test_load_is_no_second_poll(self):
        """While the messages are loaded, they are not polled as well."""
        self.online()
        self.server.fault("/api/messages", "delay", count=1, ms=500)
        replies = self.chat.messages_later("anna")
        self.session.wait_until(lambda: replies, "the messages")
        first, second = [r["time"] for r in self.requests()[:1]] + [time.monotonic()]
        self.assertGreater(second - first, 0.45)
        self.assertLessEqual(len([r for r in self.requests() if r["time"] < first + 0.45]), 1)

    def test_poll_while_loading(self):
        """Who asks for a poll gets one, also while a list that nobody answers is loaded."""
        self.online()
        self.server.fault("/api/messages", "hang", count=1)
        self.server.message("anna", "hello")
        replies = self.chat.messages_later("anna")
        self.server.wait_requests(1, "/api/messages")
        self.chat.call("Poll", interface=BACKEND)
        self.chat.settled()
        self.assertEqual((self.chat.loaded(), replies), ([("anna", ["hello"])], []))

    def test_one_signal_each(self):
        """Asking twice makes no second listener: a message is told once."""
        self.online()
        for count in (1, 2, 3):
            self.chat.messages("anna")
            self.chat.settled()
            self.assertEqual(len(self.chat.loaded()), count)
        self.server.message("anna", "hello")
        self.chat.wait_told(4, "MessagesLoaded")
        self.wait_polls(2)
        self.chat.settled()
        self.assertEqual(self.chat.loaded()[3:], [("anna", ["hello"])])

    def test_odd_characters(self):
        """Half of an emoji, and what would make a terminal do something: the rest is shown all the same."""
        self.online()
        body = ('{"messages":[{"id":1,"peer":"anna","direction":"received","content":"\\ud83d \\u0000 \\u001b[2J\\n.",'
                '"timestamp":1}]}')
        self.server.fault("/api/messages", "status", code=200, body=body)
        self.chat.set_peer("anna")
        self.chat.wait_told(1, "MessagesLoaded")
        self.assertEqual(self.chat.loaded(), [("anna", ["\ufffd \ufffd \ufffd[2J\n."])])
        self.assertEqual(self.chat.errors(), [])

    def test_comes_back(self):
        """Over an outage nothing is emptied, and what was told is not told again."""
        self.replace_backend(status_interval=200 * MSEC, backoff_max=200 * MSEC, timeout=300 * MSEC)
        self.online()
        self.server.message("anna", "one")
        self.chat.messages("anna")
        self.chat.friends()
        self.server.freeze()
        self.session.wait_until(lambda: self.chat.state() == "offline", "the backend to be offline")
        self.assertFails("BackendOffline", "^Failed to load friends: ", "LoadFriends")
        self.assertFails("BackendOffline", "^Failed to load messages: ", "LoadMessages", "(sa{sv})", "anna", {})
        self.server.thaw()
        self.session.wait_until(lambda: self.chat.state() == "online", "the backend to be online")
        self.wait_polls(3)
        self.chat.settled()
        self.assertEqual(self.chat.loaded(), [("anna", ["one"])])
        self.assertEqual([len(s.args[0]) for s in self.chat.signals("FriendsLoaded")], [2])
        self.assertTrue(self.chat.errors())
        self.server.message("anna", "two")
        self.chat.wait_told(2, "MessagesLoaded")
        self.assertEqual(self.chat.loaded()[-1], ("anna", ["one", "two"]))


if __name__ == "__main__":
    main()
