#!/usr/bin/python3
"""Backends: added and removed, kept, told of, and tasks that wait for one to come online.

    LONGRUND=PATH TEST_BACKEND=PATH test_backends.py
"""

import contextlib
import json
import resource
import signal
import sqlite3

from backend_testing import Backend
from backends_testing import MESSENGER, SETTINGS, BackendObject, add_backend, backends, remove_backend
from daemon_testing import PROPERTIES, DaemonTestCase, DBusError, dictionary, main
from longrun_testing import ROOT

MSEC = 1000
SEC = 1000000
FOREVER = {"steps": 1, "step_ms": 3600000}


class BackendTestCase(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.server = self.new_server()

    def new_server(self, *options):
        server = Backend(*options)
        self.addCleanup(server.stop)
        return server

    def add(self, name="home", server=None, **settings):
        settings = {"url": (server or self.server).url, "status_path": "/api/status", "status_interval": 100 * MSEC,
                    "backoff_max": 200 * MSEC, **settings}
        return add_backend(self.session, name, **settings)

    def start(self, **options):
        return self.session.start("noop", **options)


class WatchTest(BackendTestCase):
    def test_what_is_told(self):
        self.server.set(documents={"news": {"json": [1]}})
        home = self.add("home-1", poll_path="/doc/news", poll_interval=100 * MSEC)
        self.assertEqual(backends(self.session), {"home-1": f"{ROOT}/backend/home_2d1"})
        home.wait_signals("StatusUpdated")
        home.wait_signals("Updated")
        added = self.session.manager_signals("BackendAdded")
        self.assertEqual([s.args for s in added], [("home-1", home.path)])
        # First that it is online, then what it says.
        members = [s.member for s in home.signals()]
        self.assertEqual(home.signals("BackendOnline")[0].args, (True,))
        self.assertEqual(members[members.index("BackendOnline") + 1], "StatusUpdated")
        status = json.loads(home.signals("StatusUpdated")[0].args[0])
        self.assertEqual((status["status"], status["username"]), ("online", "me"))
        self.assertEqual(home.signals("Updated")[0].args[0], "/doc/news")
        self.assertEqual(json.loads(home.signals("Updated")[0].args[1]), [1])
        self.assertTrue(any(s.args[1].get("State") == "online" for s in home.signals("PropertiesChanged")))

        p = self.session.call("GetAll", "(s)", "org.longrun.Longrun1.Backend", path=home.path, interface=PROPERTIES)[0]
        self.assertEqual((p["Name"], p["Url"], p["Type"], p["State"], p["Reason"], p["Origin"], p["LastError"]),
                         ("home-1", self.server.url, "json", "online", "", "", ""))
        self.assertEqual((p["StatusInterval"], p["PollInterval"], p["Polling"]), (100 * MSEC, 100 * MSEC, True))
        self.assertEqual(json.loads(p["Status"])["username"], "me")
        self.assertGreater(p["LastUpdate"], 1700000000 * SEC)
        self.assertGreater(p["Latency"], 0)
        self.assertEqual(p["Settings"]["poll-path"], "/doc/news")

        # Only what is new is told.
        self.server.set(documents={"news": {"json": [2]}})
        self.assertEqual(json.loads(home.wait_signals("Updated", 2)[1]), [2])
        self.assertEqual(len(home.signals("Updated")), 2)

        remove_backend(self.session, "home-1")
        self.session.wait_until(lambda: self.session.manager_signals("BackendRemoved"), "BackendRemoved")
        self.assertEqual(self.session.manager_signals("BackendRemoved")[0].args, ("home-1", home.path))
        self.assertEqual(backends(self.session), {})
        with self.assertError("NoSuchBackend", "home-1.*longrun backend list"):
            home.check()
        with self.assertError("NoSuchBackend", "home-1"):
            remove_backend(self.session, "home-1")

    def test_offline_and_back(self):
        home = self.add()
        home.wait_state("online")
        self.server.stop()
        home.wait_state("offline")
        self.assertRegex(home.get("Reason"), "refused")
        self.assertFalse(home.check())
        self.assertIn((False,), [s.args for s in home.signals("BackendOnline")])
        self.assertRegex(home.get("LastError"), "refused")
        with self.assertError("BackendOffline", "refused"):
            home.request("GET", "/api/status")
        self.server.restart()
        home.wait_state("online")
        self.assertEqual(home.get("Reason"), "")
        self.assertTrue(home.check())

    def test_calls(self):
        home = self.add()
        self.server.set(documents={"news": {"json": {"a": "\xe4"}}})
        status, body = home.request("GET", "/doc/news")
        self.assertEqual((status, json.loads(body)), (200, {"a": "\xe4"}))
        status, body = home.request("POST", "/operations", '{"steps": 1}')
        self.assertEqual(status // 100, 2)
        self.assertEqual(home.request("GET", "/nothing")[0], 404)
        with self.assertError("InvalidOption", "poll-path"):
            home.call("Poll")
        with self.assertError("InvalidOption"):
            home.request("GET", "http://example.org/")
        with self.assertError("InvalidOption", "type json.*messenger"):
            home.chat("LoadFriends")

    def test_a_call_that_waits_when_it_is_removed(self):
        home = self.add(timeout=60 * SEC)
        home.wait_state("online")
        self.server.fault("/slow", "hang")
        reply = home.call_later("Request", "(sss)", "GET", "/slow", "")
        self.server.wait_requests(1, "/slow")
        self.session.dispatch()
        self.assertEqual(reply, [])
        remove_backend(self.session, "home")
        self.session.wait_until(lambda: reply, "an answer")
        self.assertEqual(reply[0].name, "NoSuchBackend")
        self.server.give_up()

    def test_a_call_that_waits_when_the_daemon_ends(self):
        home = self.add(timeout=60 * SEC)
        home.wait_state("online")
        self.server.fault("/slow", "hang")
        reply = home.call_later("Request", "(sss)", "GET", "/slow", "")
        self.server.wait_requests(1, "/slow")
        self.session.restart(signal.SIGTERM)
        self.session.wait_until(lambda: reply, "an answer")
        self.assertRegex(reply[0].name, "NoReply")  # of the bus: the backend is there still
        self.server.give_up()

    def test_polling(self):
        self.server.set(documents={"news": {"json": [1]}})
        home = self.add(poll_path="/doc/news", poll_interval=100 * MSEC, polling=False)
        self.assertEqual((home.get("Polling"), home.get("State"), home.get("NextCheck")), (False, "unknown", 0))
        self.assertEqual(home.get("Reason"), "it is not polled: longrun backend start home")
        self.assertTrue(home.call("CheckStatus")[0])
        self.assertEqual(home.get("State"), "online")
        home.call("Poll")
        self.assertEqual(len(home.signals("Updated")), 1)
        self.assertEqual(self.server.count("/doc/news"), 1)
        home.call("StartPolling")
        self.assertTrue(home.get("Polling"))
        self.server.wait_requests(3, "/doc/news")
        home.call("StopPolling")
        home.wait_state("unknown")
        changed = [s.args[1]["Polling"] for s in home.signals("PropertiesChanged") if "Polling" in s.args[1]]
        self.assertEqual(changed, [True, False])
        self.assertEqual(home.get("NextCheck"), 0)


class KeptTest(BackendTestCase):
    def test_kept(self):
        """The answer comes when it is on disk: a daemon that is killed then has done it."""
        home = self.add(expect=['/status == "online"'], failure_threshold=3)
        settings = home.get("Settings")
        self.session.restart()
        self.assertEqual(home.get("Settings"), settings)
        self.assertTrue(home.get("Polling"))
        home.wait_state("online")
        home.call("StopPolling")
        self.session.restart()
        self.assertFalse(home.get("Polling"))
        self.assertTrue(home.get("Settings")["polling"])
        home.call("StartPolling")
        self.session.restart(signal.SIGTERM)
        self.assertTrue(home.get("Polling"))
        remove_backend(self.session, "home")
        self.session.restart()
        self.assertEqual(backends(self.session), {})
        self.add()  # there is nothing left of it
        self.assertTrue(home.get("Polling"))

    def test_no_room(self):
        """Nothing can be written: the change is made, and written as soon as that is possible."""
        limit = resource.prlimit(self.session.daemon.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.session.daemon.pid, resource.RLIMIT_FSIZE, (4096, limit[1]))
        with self.assertError("Storage", "change is made, but it is not on disk yet"):
            self.add()
        home = BackendObject(self.session, "home")
        home.wait_state("online")
        with self.assertError("Storage"):
            home.call("StopPolling")
        self.assertEqual(self.session.manager_signals("BackendAdded"), [])
        resource.prlimit(self.session.daemon.pid, resource.RLIMIT_FSIZE, limit)
        self.session.wait_until(lambda: self.session.manager_signals("BackendAdded"), "BackendAdded")
        self.session.restart()
        self.assertFalse(home.get("Polling"))

    def test_damage(self):
        """The database is found damaged while the daemon runs: what is in memory goes into the new one."""
        home = self.add()
        home.call("StopPolling")
        operation = self.session.start("http-operation", {"backend": "home", "path": "/operations",
                                                          "poll_interval_ms": 100,
                                                          "body": {"steps": 1000, "step_ms": 60000}})
        self.server.wait_requests(2, "/operations*")
        database = self.session.state / "longrun.db"
        with contextlib.closing(sqlite3.connect(database)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with open(database, "r+b") as file:
            file.seek(4096)
            file.write(b"\xa5" * (database.stat().st_size - 4096))
        # Work that gets to see it.
        self.session.settles(lambda: self.tried("work") and any(self.session.state.glob("*.damaged-*")), "no damage seen")
        self.session.start("noop").wait()
        self.session.restart()
        self.assertIn("home", backends(self.session))
        self.assertFalse(home.get("Polling"))
        # It goes on with the same one.
        self.server.forget_requests()
        self.server.wait_requests(2, "/operations/1")
        self.assertEqual(operation.get("State"), "running")
        self.assertEqual(self.server.count("/operations"), 0)
        operation.cancel()
        self.assertEqual(operation.wait()[0], "cancelled")

    def tried(self, name):
        """Added and removed again, whatever comes of it."""
        with contextlib.suppress(DBusError):
            self.add(name)
        with contextlib.suppress(DBusError):
            remove_backend(self.session, name)
        return True


BAD = [
    ("InvalidOption", "there is no url", {"url": ""}),
    ("InvalidOption", "url \"ftp://x\"", {"url": "ftp://x"}),
    ("InvalidOption", "url", {"url": "http://x/?a=b"}),
    ("InvalidOption", "user or password in the url", {"url": "http://me:secret@x"}),
    ("InvalidOption", "type \"smtp\"", {"type": "smtp"}),
    ("InvalidOption", "status-path", {"status_path": "status"}),
    ("InvalidOption", "poll-path", {"poll_path": "poll"}),
    ("InvalidOption", "status-interval", {"status_interval": 0}),
    ("InvalidOption", "poll-interval", {"poll_interval": 1 << 63}),
    ("InvalidOption", "timeout", {"timeout": 0}),
    ("InvalidOption", "response-max", {"response_max": 1 << 40}),
    ("InvalidOption", "failure-threshold", {"failure_threshold": 0}),
    ("InvalidOption", "success-threshold", {"success_threshold": 4294967295}),
    ("InvalidOption", "backoff-max", {"backoff_max": 0}),
    ("InvalidOption", "expect-status", {"expect_status": "many"}),
    ("InvalidOption", "expect", {"expect": ["status is online"]}),
    ("InvalidOption", "expect-time", {"expect_time": 1 << 63}),
    ("InvalidOption", "ca-file", {"ca_file": "ca.pem"}),
    ("InvalidOption", "client-key", {"url": "https://x", "client_key": "/x"}),
    ("InvalidOption", "auth", {"auth": "digest", "credential": "/x"}),
    ("InvalidOption", "credential", {"auth": "bearer"}),
    ("InvalidOption", "credential", {"credential": "/x"}),
    ("InvalidOption", "a credential would go to", {"url": "http://example.org", "auth": "bearer", "credential": "/x"}),
]


class RefusedTest(BackendTestCase):
    def test_settings(self):
        for name, text, settings in BAD:
            with self.subTest(settings=settings), self.assertError(name, text):
                self.add(**settings)
        self.assertEqual(backends(self.session), {})
        self.assertEqual(self.session.manager_signals("BackendAdded"), [])

    def test_names(self):
        for name in ("", "a b", "1", "x/y", "x" * 65):
            with self.assertError("InvalidOption", "backend|name"):
                self.add(name)
        self.add("x" * 64)
        with self.assertError("InvalidOption", "x already, from AddBackend.*another name"):
            self.add("x" * 64)

    def test_many(self):
        settings = dictionary(SETTINGS, {"url": self.server.url, "status_interval": 3600 * SEC})
        pending = [self.session.call_later("AddBackend", "(sa{sv})", f"b{i}", settings)
                   for i in range(2000)]
        self.session.wait_until(lambda: all(pending), "2000 answers")
        self.assertEqual(len(backends(self.session)), 2000)
        with self.assertError("NotPermitted", "2000 backends.*remove"):
            self.add()
        remove_backend(self.session, "b17")
        self.add()


class FileTest(BackendTestCase):
    def setUp(self):
        super().setUp()
        self.folder = self.session.config_path.parent / "backend.d"
        self.folder.mkdir()

    def section(self, **keys):
        keys = {"Url": self.server.url, "StatusPath": "/api/status", "StatusIntervalSec": "100ms", **keys}
        return "".join(f"{key}={value}\n" for key, value in keys.items())

    def write(self, *names, **keys):
        """longrun.conf with these."""
        text = "".join(f"[Backend {name}]\n{self.section(**keys)}" for name in names)
        self.session.config_path.write_text(text, encoding="utf-8")

    def drop_in(self, name, **keys):
        (self.folder / f"{name}.conf").write_text("[Backend]\n" + self.section(**keys), encoding="utf-8")

    def reload(self):
        self.session.call("Reload")

    def told(self, member):
        """Names, once the signals of what was changed before have come."""
        self.session.start("noop").finished()
        return [s.args[0] for s in self.session.manager_signals(member)]

    def test_reload(self):
        home, nas = BackendObject(self.session, "home"), BackendObject(self.session, "nas")
        self.write("home")
        self.drop_in("nas", TimeoutSec="7s")
        self.reload()
        self.assertEqual(self.told("BackendAdded"), ["home", "nas"])
        home.wait_state("online")
        nas.wait_state("online")
        self.assertEqual(home.get("Origin"), str(self.session.config_path))
        self.assertEqual(nas.get("Origin"), str(self.folder / "nas.conf"))
        self.assertEqual(nas.get("Settings")["timeout"], 7 * SEC)

        # Another setting: it stays what it is.
        self.drop_in("nas", TimeoutSec="8s")
        self.reload()
        self.assertEqual(nas.get("Settings")["timeout"], 8 * SEC)
        self.assertEqual(nas.get("State"), "online")
        changed = [s.args[1] for s in nas.signals("PropertiesChanged") if "Settings" in s.args[1]]
        self.assertEqual([c["Settings"]["timeout"] for c in changed], [8 * SEC])

        # A file that is broken changes nothing; the others are heeded.
        (self.folder / "nas.conf").write_text("[Backend]\nUrl=nowhere\n", encoding="utf-8")
        self.write("home", "work")
        self.reload()
        self.assertEqual(sorted(backends(self.session)), ["home", "nas", "work"])
        self.assertEqual(nas.get("Settings")["timeout"], 8 * SEC)
        self.assertRegex(self.session.log(), r"nas.conf: backend nas: the url \"nowhere\"")

        # A longrun.conf that is broken changes nothing at all.
        self.session.config_path.write_text("[Backend home]\nUrl=http://x\nTimeoutSec=soon\n", encoding="utf-8")
        with self.assertError("InvalidOption", "longrun.conf: line 3: TimeoutSec=soon"):
            self.reload()
        self.assertEqual(home.get("Url"), self.server.url)

        (self.folder / "nas.conf").unlink()
        self.write("work")
        self.reload()
        self.assertEqual(sorted(self.told("BackendRemoved")), ["home", "nas"])
        self.assertEqual(list(backends(self.session)), ["work"])

        # Another type is another object.
        self.write("work", Type="messenger")
        with self.assertError("org.freedesktop.DBus.Error.UnknownProperty"):
            BackendObject(self.session, "work").get("CurrentPeer", MESSENGER)
        self.reload()
        self.assertEqual(self.told("BackendRemoved")[2:], ["work"])
        self.assertEqual(self.told("BackendAdded")[2:], ["work", "work"])
        self.assertEqual(BackendObject(self.session, "work").get("CurrentPeer", MESSENGER), "")

    def test_in_use(self):
        """A backend with tasks at work on it stays, whatever the files say."""
        home = BackendObject(self.session, "home")
        self.write("home")
        self.reload()
        task = self.session.start("http-operation", {"backend": "home", "path": "/operations",
                                                     "body": {"steps": 1000, "step_ms": 60000}})
        task.wait_state("running")
        self.server.wait_requests(2, "/operations*")
        self.write("home", Type="messenger")
        self.reload()
        self.assertEqual(home.get("Type"), "json")
        self.write()
        self.reload()
        self.assertEqual(list(backends(self.session)), ["home"])
        self.assertRegex(self.session.log(), "home is in no file any more, but 1 task.* at work on it")
        task.cancel()
        self.assertEqual(task.wait()[0], "cancelled")
        self.reload()
        self.assertEqual(backends(self.session), {})

    def test_at_the_start(self):
        self.write("home")
        self.drop_in("nas")
        (self.folder / "bad.conf").write_text("rubbish", encoding="utf-8")
        self.session.restart()
        self.assertEqual(list(backends(self.session)), ["home", "nas"])
        self.assertRegex(self.session.log(), "bad.conf: line 1 is neither.*Backend bad is left out")
        with self.assertError("InvalidOption", "bad.conf, which cannot be made use of"):
            self.add("bad")
        with self.assertError("InvalidOption", "a backend nas already, from .*nas.conf"):
            self.add("nas")
        with self.assertError("NotPermitted", "nas comes from .*nas.conf: take it out there"):
            remove_backend(self.session, "nas")

    def test_polling_is_kept(self):
        home = BackendObject(self.session, "home")
        self.write("home")
        self.session.restart()
        home.call("StopPolling")
        self.session.restart()
        self.assertFalse(home.get("Polling"))
        self.write("home", TimeoutSec="3s")
        self.reload()
        self.assertFalse(home.get("Polling"))
        # With the file it is forgotten.
        self.write()
        self.reload()
        self.write("home")
        self.session.restart(signal.SIGTERM)
        self.assertTrue(home.get("Polling"))

    def test_file_wins(self):
        home = self.add(timeout=3 * SEC)
        self.drop_in("home", TimeoutSec="4s")
        self.reload()
        self.assertEqual((home.get("Settings")["timeout"], home.get("Origin")),
                         (4 * SEC, str(self.folder / "home.conf")))
        self.session.restart()
        self.assertEqual(home.get("Settings")["timeout"], 4 * SEC)
        self.assertRegex(self.session.log(), "Backend home is as .*home.conf says, not as AddBackend")
        # What AddBackend has said is there still.
        (self.folder / "home.conf").unlink()
        self.reload()
        self.assertEqual((home.get("Settings")["timeout"], home.get("Origin")), (3 * SEC, ""))
        self.assertEqual(self.told("BackendRemoved"), [])
        remove_backend(self.session, "home")


class WhenOnlineTest(BackendTestCase):
    def test_refused(self):
        with self.assertError("NoSuchBackend", "home.*when-online"):
            self.start(when_online="home")

    def test_waits_and_starts(self):
        home = self.add()
        home.wait_state("online")
        self.assertEqual(self.start(when_online="home").wait(), ("succeeded", 0))
        self.server.stop()
        home.wait_state("offline")
        task = self.start(when_online="home")
        other = self.start()
        other.wait()
        self.assertEqual((task.get("State"), task.get("Reason")), ("waiting", "waits for backend home to come online"))
        # The next daemon knows what it waits for.
        self.session.restart()
        self.assertEqual((task.get("State"), task.get("Reason")), ("waiting", "waits for backend home to come online"))
        self.server.restart()
        self.assertEqual(task.wait(), ("succeeded", 0))

    def test_offline_again_while_it_is_queued(self):
        self.session.set_max_parallel(1)
        first = self.session.start("countdown", FOREVER)
        first.wait_state("running")
        home = self.add()
        home.wait_state("online")
        task = self.start(when_online="home")
        self.assertEqual(task.get("State"), "queued")
        self.server.stop()
        task.wait_state("waiting")
        first.cancel()
        first.wait()
        self.start().wait()
        self.assertEqual(task.get("State"), "waiting")
        self.server.restart()
        self.assertEqual(task.wait(), ("succeeded", 0))

    def test_removed_and_there_again(self):
        self.server.stop()
        home = self.add()
        home.wait_state("offline")
        task = self.start(when_online="home")
        remove_backend(self.session, "home")
        self.assertEqual(task.get("State"), "waiting")
        self.assertRegex(task.get("Reason"), "home.*there is no such backend any more: longrun backend add")
        self.session.restart()
        self.assertRegex(task.get("Reason"), "there is no such backend any more")
        self.server.restart()
        self.add()
        self.assertEqual(task.wait(), ("succeeded", 0))

    def test_removed_while_it_is_queued(self):
        self.session.set_max_parallel(1)
        first = self.session.start("countdown", FOREVER)
        first.wait_state("running")
        self.add().wait_state("online")
        task = self.start(when_online="home")
        remove_backend(self.session, "home")
        task.wait_state("waiting")
        first.cancel()
        self.start().wait()
        self.assertEqual(task.get("State"), "waiting")
        task.cancel()
        self.assertEqual(task.wait(), ("cancelled", -1))


if __name__ == "__main__":
    main()
