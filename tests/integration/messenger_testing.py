"""For tests of messengers: longrund, a server on loopback that speaks the dialect, and the backend "chat" between them."""

import os
import re
import sys

from backend_testing import Backend
from daemon_testing import BACKEND, MESSENGER, PROPERTIES, DaemonTestCase, DBusError
from daemon_testing import main as daemon_main
from longrun_testing import ROOT, SKIP, GLib

PATH = ROOT + "/backend/chat"

MSEC = 1000
SEC = 1000 * MSEC

# Types of the settings that tests give.
SETTINGS = {"url": "s", "type": "s", "timeout": "t", "status-interval": "t", "poll-interval": "t", "polling": "b",
            "response-max": "t", "backoff-max": "t"}


class Chat:
    """The object of the backend, as a client sees it."""

    def __init__(self, session):
        self.session = session
        self.seen = 0  # signals that were looked at

    def call(self, method, signature="()", *args, interface=MESSENGER, **kwargs):
        reply = self.session.call(method, signature, *args, path=PATH, interface=interface, **kwargs)
        return reply[0] if reply else None

    def later(self, method, signature="()", *args, interface=MESSENGER, **kwargs):
        return self.session.call_later(method, signature, *args, path=PATH, interface=interface, **kwargs)

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

    def get(self, name, interface=MESSENGER):
        return self.session.get(name, PATH, interface)

    def set_peer(self, peer):
        self.session.call("Set", "(ssv)", MESSENGER, "CurrentPeer", GLib.Variant("s", peer), path=PATH,
                          interface=PROPERTIES)

    # --- signals

    def signals(self, *members):
        return [s for s in self.session.signals if s.path == PATH and s.member in members]

    def loaded(self):
        """Peer and contents of each MessagesLoaded that has come."""
        return [(s.args[0], [m["content"] for m in s.args[1]]) for s in self.signals("MessagesLoaded")]

    def errors(self):
        return [s.args[0] for s in self.signals("Error")]

    def wait_signals(self, count, *members):
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
    CHAT = {"status-interval": 3600 * SEC, "poll-interval": 3600 * SEC, "timeout": 20 * SEC}

    def setUp(self):
        super().setUp()
        self.session.connections = 100
        self.server = Backend(*self.OPTIONS)
        self.addCleanup(self.server.stop)
        self.chat = Chat(self.session)
        self.add_backend()

    def add_backend(self, **more):
        settings = {"url": self.server.url, "type": "messenger", **self.CHAT,
                    **{name.replace("_", "-"): value for name, value in more.items()}}
        self.session.call("AddBackend", "(sa{sv})", "chat",
                          {name: GLib.Variant(SETTINGS[name], value) for name, value in settings.items()})

    def replace_backend(self, **more):
        self.session.call("RemoveBackend", "(s)", "chat")
        self.add_backend(**more)

    def online(self):
        """It is polled from now on."""
        self.assertTrue(self.chat.check())
        self.session.wait_until(lambda: self.chat.get("State", BACKEND) == "online", "the backend to be online")

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
