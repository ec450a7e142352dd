#!/usr/bin/python3
"""The page of messages when something goes wrong: late and wrong answers, a server or a daemon that goes, other clients.

    LONGRUN_GTK=PATH LONGRUND=PATH LONGRUN=PATH TEST_BACKEND=PATH test_gtk_messages_faults.py
"""

import re

from gtk_testing import GLib

from backends_testing import MESSENGER
from messages_testing import MSEC, OFFLINE, MessagesTestCase, main


class Answers(MessagesTestCase):
    def setUp(self):
        super().setUp()
        self.server.message("anna", "of anna")
        self.server.message("bert", "of bert")

    def test_late(self):
        """An answer about anna that comes when bert is looked at."""
        self.server.fault("/api/messages", "delay", count=1, ms=3000)
        window = self.open_page(poll_interval=3600 * 1000 * MSEC)
        late = []
        self.session.connection.signal_subscribe(None, MESSENGER, "MessagesLoaded", self.chat.path, None, 0,
                                                 lambda *args: late.append(args[5].unpack()[0]))
        self.choose("anna")
        self.server.wait_requests(1, "/api/messages")
        self.choose("bert")
        self.shows(("bert:", "of bert"))
        self.session.until(lambda: "anna" in late, "the answer about anna")
        self.assertEqual(self.conversation(), [("bert:", "of bert")])
        window.find("push button", "Send", sensitive=False)
        self.assertEqual(self.conversation(), [("bert:", "of bert")])
        self.server.fault("/api/messages", "hang")
        self.choose("anna")
        self.shows(("anna:", "of anna"))  # it is known, whatever is loaded now
        self.server.give_up()

    def test_wrong(self):
        """Errors are told; what is there stays, and what is not comes in the end."""
        self.open_page()
        self.server.fault("/api/messages", "status", code=503, text="out of order")
        self.choose("anna")
        self.status("Error: Failed to load messages: out of order")
        self.server.clear()
        self.shows(("anna:", "of anna"))
        self.status("Connected to backend")
        for kind, text in (("garbage", "."), ("error-200", "the database is down")):
            self.server.fault("/api/messages", kind)
            self.window.find(None, self.error_of("messages", text))
            self.assertEqual(self.conversation(), [("anna:", "of anna")])
            self.server.clear()
        self.server.fault("/api/friends", "status", code=503)
        self.window.find(None, self.error_of("friends", "."))
        self.assertEqual(self.chosen(), ["anna"])
        self.friend("bert")

    @staticmethod
    def error_of(what, text):
        return re.compile(f"^Error: Failed to load {what}: .*{text}")


class Absences(MessagesTestCase):
    def setUp(self):
        super().setUp()
        self.server.message("anna", "one")

    def test_backend(self):
        self.open_page(timeout=300 * MSEC)
        self.choose("anna")
        self.shows(("anna:", "one"))
        self.server.freeze()
        self.window.find("status bar", OFFLINE)
        self.window.find("label", OFFLINE)
        self.assertEqual((self.chosen(), self.conversation()), (["anna"], [("anna:", "one")]))
        self.friend("bert")
        self.write("a draft")
        self.server.thaw()
        self.status("Connected to backend")
        self.server.message("anna", "two")
        self.shows(("anna:", "one"), ("anna:", "two"))
        self.assertEqual((self.chosen(), self.entry().text()), (["anna"], "a draft"))

    def test_daemon(self):
        self.open_page()
        self.choose("anna")
        self.shows(("anna:", "one"))
        self.write("a draft")
        self.session.kill_daemon()
        self.window.find("push button", "Send", sensitive=False)
        self.assertEqual((self.chosen(), self.conversation()), (["anna"], [("anna:", "one")]))
        self.server.message("anna", "two")
        self.session.start_daemon()
        self.shows(("anna:", "one"), ("anna:", "two"))
        self.window.find("push button", "Send", sensitive=True)
        self.assertEqual((self.chosen(), self.entry().text()), (["anna"], "a draft"))

class Others(MessagesTestCase):
    def test_another_client(self):
        """It looks at somebody else: here, nothing changes, and what is new still comes."""
        self.server.message("anna", "one")
        self.server.message("bert", "of bert")
        self.open_page()
        self.choose("anna")
        self.shows(("anna:", "one"))
        self.others_load("bert")
        self.server.message("anna", "two")
        self.shows(("anna:", "one"), ("anna:", "two"))
        self.assertEqual(self.chosen(), ["anna"])
        # Each friend has a draft.
        self.write("for anna")
        self.choose("bert")
        self.has_draft("")
        self.write("for bert")
        self.choose("anna")
        self.has_draft("for anna")
        self.choose("bert")
        self.has_draft("for bert")

    def has_draft(self, text):
        self.window.settles(lambda: self.entry().text() == text, f"{text!r} in the entry")

    def test_fewer_messages(self):
        """Another client wants fewer than we: those that are here stay."""
        texts = [("anna:", str(n)) for n in range(8)]
        for _, text in texts:
            self.server.message("anna", text)
        self.open_page()
        self.choose("anna")
        self.shows(*texts)
        self.session.call("LoadMessages", "(sa{sv})", "anna", {"limit": GLib.Variant("u", 2)}, path=self.chat.path,
                          interface=MESSENGER)
        self.server.message("anna", "new")
        self.shows(*texts, ("anna:", "new"))


class Places(MessagesTestCase):
    def test_scrolled_up(self):
        """What comes does not move the list when one has scrolled up; at the end, it stays at the end."""
        for n in range(40):
            self.server.message("anna", f"message {n}")
        window = self.open_page()
        self.choose("anna")
        window.settles(lambda: self.in_sight("message 39"), "the last message in sight")
        self.server.message("anna", "message 40")
        window.settles(lambda: self.in_sight("message 40"), "the new message in sight")
        window.gone("push button", "To the Last Message")
        x, y = window.find("label", "message 40").center()
        window.screen.point(x, y - 100)
        for _ in range(4):
            window.screen.press(x, y - 100, button=4)
        window.find("push button", "To the Last Message")
        place = self.place("message 36")
        self.server.message("anna", "message 41")
        self.server.wait_requests(self.server.count("/api/messages") + 3, "/api/messages")
        self.assertEqual(self.place("message 36"), place)
        # The same after one has looked at somebody else.
        self.choose("bert")
        self.choose("anna")
        window.settles(lambda: self.in_sight("message 36"), "the place to be the one before")
        self.assertFalse(self.in_sight("message 41"))
        window.click("push button", "To the Last Message")
        window.settles(lambda: self.in_sight("message 41"), "the last message in sight")

    def place(self, text):
        return self.window.find("label", text).extents()[1]

    def in_sight(self, text):
        found = self.window.look().find_all("label", text)
        entry = self.entry().extents()[1]
        return bool(found) and 60 < found[0].extents()[1] < entry


if __name__ == "__main__":
    main()
