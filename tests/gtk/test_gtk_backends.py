#!/usr/bin/python3
"""The page of backends: states, latency, the switch of polling, checks, what is added and removed, and what is wrong with it.

    LONGRUN_GTK=PATH LONGRUND=PATH LONGRUN=PATH TEST_BACKEND=PATH test_gtk_backends.py
"""

import pathlib
import re

from gtk_testing import WindowTestCase, main

from backend_testing import Backend
from backends_testing import BACKEND, BackendObject, add_backend, path_of
from daemon_testing import PROPERTIES

MSEC = 1000
QUICK = {"status_path": "/api/status", "status_interval": 200 * MSEC, "backoff_max": 200 * MSEC}
UPDATED = re.compile(r"^Last update: \d\d:\d\d:\d\d$")
NOWHERE = "http://127.0.0.1:1"


class BackendsTestCase(WindowTestCase):
    def setUp(self):
        super().setUp()
        self.server = Backend()
        self.addCleanup(self.server.stop)
        self.window = None

    def add(self, name, url=None, **settings):
        backend = add_backend(self.session, name, url=url or self.server.url, **{**QUICK, **settings})
        return BackendObject(self.session, backend.name)

    def known(self, name, what):
        """A property, as the daemon has it."""
        return self.session.call("Get", "(ss)", BACKEND, what, path=path_of(name), interface=PROPERTIES)[0]

    def open_page(self):
        self.window = self.open()
        self.window.click("page tab", "Backends")
        return self.window

    def rows(self):
        """Texts of the rows, by the name of the backend."""
        view = self.window.find("list", "Backends")
        return {row.texts()[0]: row.texts() for row in view.find_all("list item") if row.texts()}

    def row_has(self, name, text):
        self.window.settles(lambda: any(re.search(text, t) for t in self.rows().get(name, ())), f"{text} at {name}")

    def choose(self, name):
        view = self.window.find("list", "Backends")
        row = next(row for row in view.find_all("list item") if row.texts()[0] == name)
        self.window.press(row)
        self.window.find("list item", selected=True)
        self.window.find("push button", "Check Now", sensitive=True)


class Page(BackendsTestCase):
    def test_states(self):
        self.add("good")
        self.add("gone", NOWHERE)
        self.add("quiet", polling=False)
        self.open_page()
        self.row_has("good", UPDATED.pattern)
        self.row_has("good", r"^\d+(\.\d)? (µs|ms)$")
        self.row_has("gone", "^Last update: Never$")
        self.row_has("gone", re.escape(NOWHERE))
        self.row_has("quiet", "^Not polled$")
        self.assertEqual(list(self.rows()), ["gone", "good", "quiet"])

    def test_goes_offline_and_comes_back(self):
        self.add("home")
        window = self.open_page()
        self.row_has("home", UPDATED.pattern)
        self.choose("home")
        window.find("label", "Online")
        window.settles(lambda: "between" in window.find("image", "Latency").description(), "the latency to be told")
        self.server.fault("/api/status", "status", status=500)
        window.find("label", re.compile("^Offline: a fault on demand"))
        window.find("label", re.compile("Last error"))
        self.server.clear()
        window.find("label", "Online")
        window.gone("label", "Last error")

    def test_empty(self):
        window = self.open_page()
        window.find(None, "No Backends")
        home = self.add("home")
        window.find("list", "Backends")
        self.session.call("RemoveBackend", "(s)", home.name)
        window.find(None, "No Backends")

    def test_daemon_comes_back(self):
        """The selection stays, and what has gone meanwhile goes."""
        self.add("a"), self.add("b")
        window = self.open_page()
        self.row_has("b", UPDATED.pattern)
        self.choose("b")
        self.session.kill_daemon()
        window.find("push button", "Check Now", sensitive=False)
        self.assertEqual(set(self.rows()), {"a", "b"})
        self.session.start_daemon()
        window.find("push button", "Check Now", sensitive=True)
        window.find("list item", selected=True)
        window.settles(lambda: [row.texts()[0] for row in window.look().find_all("list item", selected=True)] == ["b"],
                       "b to be selected")


class Actions(BackendsTestCase):
    def test_check(self):
        self.add("quiet", polling=False)
        window = self.open_page()
        self.row_has("quiet", "Never")
        self.choose("quiet")
        window.find("label", "None is planned")
        window.click("push button", "Check Now")
        window.find("label", "Online")
        self.row_has("quiet", UPDATED.pattern)
        window.gone("push button", "Poll Now")

    def test_poll(self):
        self.add("docs", polling=False, poll_path="/api/status")
        window = self.open_page()
        self.row_has("docs", "Never")
        self.choose("docs")
        window.click("push button", "Poll Now")
        self.row_has("docs", UPDATED.pattern)
        self.server.fault("/api/status", "status", status=503)
        window.click("push button", "Poll Now")
        window.find("label", "Failed to poll: a fault on demand")

    def test_polling(self):
        home = self.add("home")
        window = self.open_page()
        self.row_has("home", UPDATED.pattern)
        self.choose("home")
        window.click("check box", "Polling", checked=True)
        self.row_has("home", "Not polled")
        self.assertFalse(self.known("home", "Polling"))
        window.click("check box", "Polling", checked=False)
        self.row_has("home", UPDATED.pattern)
        self.assertTrue(self.known("home", "Polling"))
        # Somebody else has done it.
        home.call("StopPolling")
        window.find("check box", "Polling", checked=False)

    def test_remove(self):
        self.add("a"), self.add("b")
        window = self.open_page()
        self.row_has("a", UPDATED.pattern)
        self.choose("a")
        window.click("push button", "Remove Backend…")
        window.find("label", "Remove “a”?")
        window.click("push button", re.compile("Cancel$"))
        window.gone("label", "Remove “a”?")
        window.click("push button", "Remove Backend…")
        window.click("push button", re.compile("Remove$"))
        window.settles(lambda: list(self.rows()) == ["b"], "one row")
        window.gone("list item", selected=True)
        self.assertEqual([name for name, _ in self.session.call("ListBackends")[0]], ["b"])

    def test_of_a_file(self):
        folder = pathlib.Path(self.session.env["XDG_CONFIG_HOME"]) / "longrun/backend.d"
        folder.mkdir(parents=True)
        path = folder / "filed.conf"
        path.write_text(f"[Backend]\nUrl={self.server.url}\nStatusPath=/api/status\n", encoding="utf-8")
        self.session.call("Reload")
        window = self.open_page()
        self.row_has("filed", UPDATED.pattern)
        self.choose("filed")
        window.find("label", re.compile(f"^This backend comes from {re.escape(str(path))}"))
        window.gone("push button", "Remove Backend…")


class Add(BackendsTestCase):
    def write(self, field, text):
        self.window.find("text", field).set_text(text)

    def open_form(self):
        window = self.open_page()
        window.click("push button", "Add Backend…")
        window.find("push button", "Add")
        return window

    def test_add(self):
        window = self.open_form()
        self.write("Name", "laptop")
        self.write("URL", self.server.url)
        self.write("Path of checks", "/api/status")
        self.write("Time between checks", "300ms")
        window.find("text", "Expected values").set_text('/status == "online"\n')
        window.click("push button", "Add")
        window.gone("push button", "Add")
        self.row_has("laptop", UPDATED.pattern)
        window.find("list item", selected=True)
        window.find("label", "Online")
        window.find("label", "/api/status")
        settings = self.known("laptop", "Settings")
        self.assertEqual((settings["status-interval"], settings["expect"]), (300 * MSEC, ['/status == "online"']))

    def test_errors_are_at_the_field(self):
        self.add("taken")
        window = self.open_form()

        def wrong(text):
            """And nothing else is; it is just below the field, which is the one that is written in then."""
            window.click("push button", "Add")
            window.find("label", re.compile(text))

        self.write("Name", "two words")
        wrong("^the name of a backend has letters")
        self.write("Name", "laptop")
        wrong("^there is no url")
        window.gone("label", re.compile("^the name of a backend"))
        self.write("URL", "nonsense")
        wrong("^the url \"nonsense\" is not valid")
        self.write("URL", self.server.url)
        self.write("Time between checks", "soon")
        wrong("^This is no time")
        self.write("Time between checks", "1us")
        wrong("^status-interval is out of bounds")
        self.write("Time between checks", "")
        self.write("Trusted certificates", "here")
        wrong("^ca-file \"here\" is not absolute")
        self.write("Trusted certificates", "")
        self.write("Name", "taken")
        wrong("^There is a backend taken already")
        window.click("push button", "Cancel")
        window.gone("push button", "Add")
        self.assertEqual(len(self.session.call("ListBackends")[0]), 1)


if __name__ == "__main__":
    main()
