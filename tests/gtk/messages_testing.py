"""For tests of the page of messages: a server that speaks the dialect, the backend "chat", and the window at that page."""

import os
import re
import sys

from gtk_testing import SKIP, WindowTestCase
from gtk_testing import main as window_main

from backend_testing import Backend
from backends_testing import MESSENGER, BackendObject, add_backend

MSEC = 1000
SEC = 1000 * MSEC
OFFLINE = "⚠️ Backend offline!"


class MessagesTestCase(WindowTestCase):
    """self.server: with two friends, one of them online, and somebody who may become one."""

    OPTIONS = ("--peer=anna:online", "--peer=bert:offline", "--peer=carla")
    CHAT = {"status_interval": 200 * MSEC, "poll_interval": 100 * MSEC, "timeout": 20 * SEC, "backoff_max": 200 * MSEC}

    def setUp(self):
        super().setUp()
        self.server = Backend(*self.OPTIONS)
        self.addCleanup(self.server.stop)
        self.window = self.status_bar = None

    def open_page(self, **settings):
        """The page, as it is when the friends are there."""
        self.chat = self.add_backend("chat", **settings)
        self.window = self.open()
        self.window.click("page tab", "Messages")
        self.friend("anna")
        self.status_bar = self.window.find("status bar")
        return self.window

    def add_backend(self, name, **settings):
        settings = {"url": self.server.url, "type": "messenger", **self.CHAT, **settings}
        return BackendObject(self.session, add_backend(self.session, name, **settings).name)

    # ---- what is to be seen ----

    def friend(self, name):
        """Its row."""
        return self.window.find("list item", re.compile(f"^{re.escape(name)}, "))

    def chosen(self):
        rows = self.window.look().find_all("list item", selected=True)
        return [row.name.partition(",")[0] for row in rows]

    def conversation(self):
        """Of each message that is to be seen: who, and what."""
        rows = [row for row in self.window.look().find_all("list item") if row.within("list").name == "Messages"]
        return [tuple(row.texts()[:2]) for row in rows]

    def shows(self, *messages):
        """Waits until these are all there are."""
        self.window.settles(lambda: self.conversation() == list(messages), f"the messages {messages}")

    def status(self, text):
        """Waits until the status bar says it, some of which it does not for long."""
        def says():
            said = self.status_bar.property("Accessible", "Name")
            return text.search(said) if isinstance(text, re.Pattern) else said == text

        self.window.settles(says, f"{text} in the status bar")

    # ---- what is done ----

    def choose(self, name):
        self.window.press(self.friend(name))
        self.window.settles(lambda: self.chosen() == [name], f"{name} to be chosen")

    def entry(self):
        return self.window.find("text", "Message")

    def write(self, text):
        self.entry().set_text(text)
        self.window.settles(lambda: self.entry().text() == text, f"the entry to have {text!r}")

    def send(self, text):
        self.write(text)
        self.window.click("push button", "Send")

    def choose_of_menu(self, node, item):
        """Of the context menu of the row that has the node. The menu lies in the row, and on top of it."""
        row = next(up for up in self.up(node) if up.name in ("FriendRow", "MessageRow"))
        self.window.press(node, button=3)

        def found():
            menus = [self.window.tree.look(ref) for ref in row.call("Accessible", "GetChildren")[0]]
            return [found for menu in menus if menu for found in menu.find_all("menu item", item)]

        self.window.settles(found, f"the item {item}")[0].click()

    @staticmethod
    def up(node):
        while node:
            yield node
            node = node.parent

    def others_load(self, peer):
        """As another client of the daemon."""
        self.session.call("LoadMessages", "(sa{sv})", peer, {}, path=self.chat.path, interface=MESSENGER)

    def requests(self, path="/api/messages", method=None):
        return [r for r in self.server.requests(path) if method in (None, r["method"])]


def main():
    if not os.access(os.environ.get("TEST_BACKEND", ""), os.X_OK):
        print("SKIP: TEST_BACKEND in the environment does not name a program")
        sys.exit(SKIP)
    window_main()
