"""For tests of backends over D-Bus: an object by its name, calls, signals as they come.

    home = add_backend(session, "home", url=server.url, status_interval=100 * MSEC)
    home.wait_state("online")
"""

from daemon_testing import PROPERTIES, dictionary
from longrun_testing import DEADLINE_SEC, NAME, ROOT, GLib

BACKEND = NAME + ".Backend"
MESSENGER = NAME + ".Messenger"

# D-Bus types of the settings.
SETTINGS = {
    "url": "s", "type": "s", "status-path": "s", "status-interval": "t", "poll-path": "s", "poll-interval": "t",
    "polling": "b", "timeout": "t", "connect-timeout": "t", "response-max": "t", "failure-threshold": "u",
    "success-threshold": "u", "backoff-max": "t", "expect-status": "s", "expect": "as", "expect-time": "t",
    "ca-file": "s", "client-cert": "s", "client-key": "s", "auth": "s", "credential": "s",
}


def path_of(name):
    """As sd_bus_path_encode(3) has it."""
    encoded = [c if c.isascii() and (c.isalpha() or c.isdigit() and i > 0) else "".join(f"_{b:02x}" for b in c.encode())
               for i, c in enumerate(name)]
    return f"{ROOT}/backend/" + ("".join(encoded) or "_")


class BackendObject:
    def __init__(self, session, name):
        self.session = session
        self.name = name
        self.path = path_of(name)

    def call(self, method, signature="()", *args, interface=BACKEND, **kwargs):
        return self.session.call(method, signature, *args, path=self.path, interface=interface, **kwargs)

    def chat(self, method, signature="()", *args, **kwargs):
        """A method of the messenger."""
        return self.call(method, signature, *args, interface=MESSENGER, **kwargs)

    def call_later(self, method, signature="()", *args, interface=BACKEND, **kwargs):
        return self.session.call_later(method, signature, *args, path=self.path, interface=interface, **kwargs)

    def get(self, name, interface=BACKEND):
        return self.session.get(name, self.path, interface)

    def set(self, name, value, interface=MESSENGER):
        value = value if isinstance(value, GLib.Variant) else GLib.Variant("s", value)
        self.session.call("Set", "(ssv)", interface, name, value, path=self.path, interface=PROPERTIES)

    def check(self):
        return self.call("CheckStatus")[0]

    def request(self, method, path, body=""):
        """Gives the status of HTTP and the body."""
        return self.call("Request", "(sss)", method, path, body)

    def signals(self, *members):
        """Those that have come of this backend up to now, in order."""
        self.session.dispatch()
        return [s for s in self.session.signals if s.path == self.path and (not members or s.member in members)]

    def wait_signals(self, member, n=1, timeout=DEADLINE_SEC):
        """Waits until so many have come; gives the arguments of the last of those."""
        self.session.wait_until(lambda: len(self.signals(member)) >= n, f"{n} {member} of {self.name}", timeout)
        return self.signals(member)[n - 1].args

    def wait_next(self, member, timeout=DEADLINE_SEC):
        """Waits for one more than there are."""
        return self.wait_signals(member, len(self.signals(member)) + 1, timeout)

    def wait_state(self, state, timeout=DEADLINE_SEC):
        """Waits until it has the state, now."""
        self.session.wait_until(lambda: self.get("State") == state, f"backend {self.name} to be {state}", timeout)


def add_backend(session, name, **settings):
    session.call("AddBackend", "(sa{sv})", name, dictionary(SETTINGS, settings))
    return BackendObject(session, name)


def remove_backend(session, name):
    session.call("RemoveBackend", "(s)", name)


def backends(session):
    """Paths by name."""
    return dict(session.call("ListBackends")[0])
