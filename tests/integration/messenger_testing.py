"""For tests of messengers: longrund, a server on loopback that speaks the dialect, and the backend "chat" between them."""

import os
import re
import sys

from backend_testing import Backend
from backends_testing import BACKEND, MESSENGER, BackendObject, add_backend
from daemon_testing import DaemonTestCase, DBusError
from daemon_testing import main as daemon_main
from longrun_testing import SKIP, GLib

MSEC = 1000
SEC = 1000 * MSEC


class Chat(BackendObject):
    """As a client of the messenger sees it. What has one result gives it, not a tuple."""

    def call(self, method, signature="()", *args, interface=MESSENGER, **kwargs):
        reply = super().call(method, signature, *args, interface=interface, **kwargs)
        return reply[0] if len(reply) == 1 else reply

    def later(self, method, signature="()", *args):
        return self.call_later(method, signature, *args, interface=MESSENGER)

    def friends(self):
        return self.call("LoadFriends")

    def messages(self, peer, **options):
        return self.call("LoadMessages", "(sa{sv})", peer,
                         {name: GLib.Variant("u", value) for name, value in options.items()})

    def messages_later(self, peer):
        return self.later("LoadMessages", "(sa{sv})", peer, {})

    def send(self, to, content):
        return self.call("SendMessage", "(ss)", to, content)

    def send_later(self, to, content):
        return self.later("SendMessage", "(ss)", to, content)

    def check(self):
        return self.call("CheckStatus", interface=BACKEND)

    def state(self):
        return self.get("State")

    def peer(self):
        return self.get("CurrentPeer", MESSENGER)

    def set_peer(self, peer):
        self.set("CurrentPeer", peer)

    # --- signals

    def loaded(self):
        """Peer and contents of each MessagesLoaded that has come."""
        return [(s.args[0], [m["content"] for m in s.args[1]]) for s in self.signals("MessagesLoaded")]

    def errors(self):
        return [s.args[0] for s in self.signals("Error")]

    def wait_told(self, count, *members):
        """Waits until so many have come, and gives all of them."""
        self.session.wait_until(lambda: len(self.signals(*members)) >= count, f"{count} signals {members}")
        return self.signals(*members)

    def settled(self):
        """All signals that were sent before this call have come."""
        self.session.get("Version")
        self.session.dispatch()

    def forget(self):
        self.settled()
        self.session.signals.clear()


class MessengerTestCase(DaemonTestCase):
    """self.server: the server, with two friends, one of them online, and somebody who may become one; self.chat."""

    OPTIONS = ("--peer=anna:online", "--peer=bert:offline", "--peer=carla")
    # What is not tested should not come in between.
    CHAT = {"status_interval": 3600 * SEC, "poll_interval": 3600 * SEC, "timeout": 20 * SEC}

    def setUp(self):
        super().setUp()
        self.session.connections = 100
        self.server = Backend(*self.OPTIONS)
        self.addCleanup(self.server.stop)
        self.add_backend()

    def add_backend(self, **more):
        add_backend(self.session, "chat", **{"url": self.server.url, "type": "messenger", **self.CHAT, **more})
        self.chat = Chat(self.session, "chat")

    def replace_backend(self, **more):
        self.session.call("RemoveBackend", "(s)", "chat")
        self.add_backend(**more)

    def online(self):
        """It is polled from now on."""
        self.assertTrue(self.chat.check())
        self.session.wait_until(lambda: self.chat.state() == "online", "the backend to be online")

    def requests(self, path="/api/messages", method=None):
        return [r for r in self.server.requests(path) if method in (None, r["method"])]

    def assertFails(self, name, text, method, *args):
        """The call fails with this error, or one of several ("A|B"), the text of which matches; gives the text."""
        try:
            self.chat.call(method, *args)
        except DBusError as error:
            self.assertRegex(error.name, f"^({name})$", error)
            self.assertRegex(error.message, re.compile(text, re.DOTALL))
            return error.message
        self.fail(f"no error of {method}, expected {name}")


def main():
    if not os.access(os.environ.get("TEST_BACKEND", ""), os.X_OK):
        print("SKIP: TEST_BACKEND in the environment does not name a program")
        sys.exit(SKIP)
    daemon_main()
