#!/usr/bin/python3
"""Thousands of requests, of which many go wrong, by chance, in every way that the test server knows: each call is answered,
the daemon stays, and afterwards it is as it was before.

    LONGRUND=PATH TEST_BACKEND=PATH test_backend_sweep.py

To go on for longer, or to do the same once more as far as chance allows: LONGRUN_SWEEP_REQUESTS, LONGRUN_SWEEP_SEED.
"""

import contextlib
import os
import random
import sys

from backend_testing import Backend
from backends_testing import MESSENGER, add_backend, remove_backend
from daemon_testing import DaemonTestCase, DBusError, main, sanitized

MSEC = 1000
REQUESTS = int(os.environ.get("LONGRUN_SWEEP_REQUESTS") or 2000)
SEED = int(os.environ.get("LONGRUN_SWEEP_SEED") or random.randrange(1 << 31))
CALLS_AT_ONCE = 40
GROWTH_MAX = 8 << 20
OPERATIONS_ON = 4  # the first so many backends
OPERATIONS_MAX = 20
STYLES = ["location", "operation-location", "body", "azure", "google", "redirect", "gone"]

SETTINGS = {"timeout": 200 * MSEC, "response-max": 1 << 20, "status-interval": 1000 * MSEC, "poll-interval": 200 * MSEC,
            "backoff-max": 1000 * MSEC}

# About one request in two meets one of them.
FAULTS = [
    {"kind": "delay", "ms": 20},
    {"kind": "status", "code": 500},
    {"kind": "status", "code": 503, "retry_after": 1},
    {"kind": "status", "code": 503, "headers": {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}},
    {"kind": "status", "code": 404, "body": "<html>nothing</html>"},
    {"kind": "status", "code": 204},
    {"kind": "status", "code": 304},
    {"kind": "garbage"},
    {"kind": "garbage", "body": "[" * 5000},
    {"kind": "error-200"},
    {"kind": "redirect-loop"},
    {"kind": "redirect-to", "url": "/echo"},
    {"kind": "redirect-to", "url": "http://127.0.0.1:1/"},
    {"kind": "redirect-to", "url": "file:///etc/passwd"},
    {"kind": "redirect-to", "url": "//[nonsense"},
    {"kind": "not-http"},
    {"kind": "endless"},
    {"kind": "huge", "bytes": 3_000_000},
    {"kind": "huge", "bytes": 1_000_000, "chunked": True},
    *({"kind": "wrong-types", "how": how} for how in ("values", "null", "lists", "missing", "top")),
    {"kind": "trickle", "bytes": 10, "ms": 1},
    {"kind": "trickle", "bytes": 1, "ms": 50},
    {"kind": "short"},
    {"kind": "reset"},
    {"kind": "reset", "before": True},
    {"kind": "reset", "after": 0},
    {"kind": "hang", "chance": 0.005},
    {"kind": "hang-body", "chance": 0.005},
]


class Server:
    """One that is killed now and then; it counts its requests over all its lives."""

    def __init__(self, chance, *options):
        self.backend = Backend(f"--seed={SEED}", "--peer=alice:online", "--peer=bob:offline", "--peer=carol", *options)
        self.chance = chance
        self.before = self.faults_before = 0

    def prepare(self):
        self.backend.document("poll", {"value": self.chance.random()})
        for fault in FAULTS:
            self.backend.fault("/b/*", **{"chance": 0.02, **fault})

    def kill(self):
        self.before, self.faults_before = self.count(), self.faults()
        self.backend.kill()

    def restart(self):
        self.backend.restart()
        self.prepare()

    def count(self):
        return self.before + self.backend.state()["requests"]

    def faults(self):
        return self.faults_before + self.backend.state()["faults"]


class SweepTest(DaemonTestCase):
    def setUp(self):
        super().setUp()
        print(f"LONGRUN_SWEEP_SEED={SEED} LONGRUN_SWEEP_REQUESTS={REQUESTS}", file=sys.stderr)
        self.chance = random.Random(SEED)
        self.servers = [Server(self.chance), Server(self.chance, "--dialect=other")]
        for server in self.servers:
            self.addCleanup(server.backend.stop)
        self.backends, self.tasks = {}, []

    def add(self, name):
        number = int(name[1:])
        more = {"type": "messenger"} if number % 2 else {"status-path": "/api/status", "poll-path": "/doc/poll"}
        url = f"{self.servers[number % 4 // 2].backend.url}/b/{name}"
        self.backends[name] = add_backend(self.session, name, url=url, **more, **SETTINGS)

    def some_call(self):
        """Begins one, of those that a client may make of any backend."""
        b = self.chance.choice(list(self.backends.values()))
        of_messenger = int(b.name[1:]) % 2
        method, signature, *args = self.chance.choice([
            ("CheckStatus", "()"), ("Poll", "()"), ("StopPolling", "()"), ("StartPolling", "()"), ("StartPolling", "()"),
            ("Request", "(sss)", "GET", "/doc/poll", ""), ("Request", "(sss)", "POST", "/echo", '{"a": 1}'),
        ] + of_messenger * [
            ("LoadFriends", "()"), ("AddFriend", "(s)", "carol"), ("RemoveFriend", "(s)", "carol"),
            ("LoadMessages", "(sa{sv})", "alice", {}), ("LoadMessages", "(sa{sv})", "bob", {}),
            ("SendMessage", "(ss)", "alice", "hello"), ("SendMessage", "(ss)", "nobody", "hello"),
            ("DeleteMessage", "(s)", "1"),
        ])
        chats = method.endswith(("Friend", "Friends", "Message", "Messages"))
        return method, b.call_later(method, signature, *args, **({"interface": MESSENGER} if chats else {}))

    def events(self):
        """What happens beside calls, before they are answered."""
        server = self.chance.choice(self.servers)
        what = self.chance.random()
        if what < 0.5:
            server.backend.document("poll", {"value": self.chance.random()})
        elif what < 0.6:
            server.kill()
            return server.restart
        elif what < 0.7:
            name = self.chance.choice(list(self.backends)[OPERATIONS_ON:])
            remove_backend(self.session, name)
            self.add(name)
        elif what < 0.8:
            server.backend.give_up()
        return None

    def operate(self):
        """Begins a long operation; its backend stays."""
        request = {"steps": self.chance.randrange(4), "step_ms": self.chance.choice([0, 50]),
                   "style": self.chance.choice(STYLES), "fail": self.chance.random() < 0.2}
        self.tasks.append(self.session.start("http-operation", {
            "backend": f"b{self.chance.randrange(OPERATIONS_ON)}", "path": "/operations", "body": request,
            "poll_interval_ms": 100}))
        if self.chance.random() < 0.2:
            with contextlib.suppress(DBusError):  # it may have ended
                self.chance.choice(self.tasks).cancel()

    def round(self):
        if len(self.tasks) < OPERATIONS_MAX:
            self.operate()
        calls = [self.some_call() for _ in range(CALLS_AT_ONCE)]
        later = self.events()
        self.session.wait_until(lambda: all(replies for _, replies in calls), lambda: "calls are not answered: " + str(
            [method for method, replies in calls if not replies]))
        if later:
            later()
        for method, (reply,) in calls:
            if isinstance(reply, DBusError):  # of ours: others have a long name
                self.assertNotIn(".", reply.name, f"{method}: {reply}")
                self.assertTrue(reply.message, method)

    def sweep(self, requests):
        """Until the servers have seen so many. Signals are looked at no more: they would be very many."""
        while sum(server.count() for server in self.servers) < requests:
            self.round()
            self.session.signals.clear()

    def check_all_is_well(self):
        for server in self.servers:
            server.backend.clear()
            server.backend.give_up()
            server.backend.set(clear=True, friends=[{"username": "alice", "online": True}])
        for b in self.backends.values():
            b.call("StartPolling")
            self.session.settles(b.check, f"{b.name} to be online")
            b.wait_state("online")
            self.assertEqual(b.request("GET", "/api/status")[0], 200)
            if int(b.name[1:]) % 2:
                (friends,) = b.chat("LoadFriends")
                self.assertEqual([f["username"] for f in friends], ["alice"])

    def test_random_faults(self):
        for server in self.servers:
            server.prepare()
        for i in range(12):
            self.add(f"b{i}")
        self.sweep(REQUESTS // 3)
        before = self.session.memory()
        self.sweep(REQUESTS)
        grown = self.session.memory() - before
        # Else it says little.
        self.assertGreater(sum(server.faults() for server in self.servers), REQUESTS // 10)
        if not sanitized():
            self.assertLess(grown, GROWTH_MAX)
        print(f"{sum(s.faults() for s in self.servers)} faults in {sum(s.count() for s in self.servers)} requests, "
              f"{grown >> 10} KiB more", file=sys.stderr)
        self.check_all_is_well()
        for task in self.tasks:
            self.assertIn(task.wait()[0], ("succeeded", "failed", "cancelled"))
        # What session.stop() looks for then: nothing of it is left.
        for name in list(self.backends):
            remove_backend(self.session, name)


if __name__ == "__main__":
    main()
