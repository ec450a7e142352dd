#!/usr/bin/python3
"""The test server itself: what it says in both dialects, and that each fault is what it is called."""

import hashlib
import http.client
import json
import os
import pathlib
import socket
import subprocess
import tempfile
import time
import unittest

import daemon_testing
from backend_testing import Backend, file_content
from process_testing import wait_gone


def curl(*arguments, timeout=10):
    """Gives its exit status, what it printed and what it complained of."""
    r = subprocess.run(["curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", str(timeout), *arguments],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    return r.returncode, r.stdout, r.stderr.decode()


class BackendCase(unittest.TestCase):
    OPTIONS = ("--peer=alice:online", "--peer=bob:offline", "--peer=carol")

    def setUp(self):
        self.backend = Backend(*self.OPTIONS)
        self.addCleanup(self.backend.stop)

    def ask(self, method, path, body=None, **headers):
        """Gives the status and the JSON of the body."""
        status, _, data = self.backend.call(method, path, body, headers)
        return status, json.loads(data) if data else None


class Dialects(BackendCase):
    def test_status(self):
        status, j = self.ask("GET", "/api/status")
        self.assertEqual((status, j["status"], j["username"]), (200, "online", "me"))
        self.assertGreaterEqual(j["uptime"], 0)
        self.backend.set(status={"uptime": 5, "more": [1]})
        self.assertEqual(self.ask("GET", "/api/status")[1],
                         {"status": "online", "username": "me", "uptime": 5, "more": [1]})
        self.assertEqual(self.ask("GET", "/b/17/api/status")[1]["uptime"], 5)

    def test_friends(self):
        self.backend.friend("alice", True, last_seen=1700000000)
        status, j = self.ask("GET", "/api/friends")
        self.assertEqual((status, [f["username"] for f in j["friends"]]), (200, ["alice", "bob"]))
        self.assertEqual(j["friends"][0], {"username": "alice", "online": True, "last_seen": 1700000000})
        self.assertEqual(self.ask("POST", "/api/friends", {"username": "carol"})[0], 200)
        self.assertEqual(self.ask("POST", "/api/friends", {"username": "carol"}),
                         (409, {"error": "carol is a friend already"}))
        self.assertEqual(self.ask("POST", "/api/friends", {"username": "dave"}), (404, {"error": "no such user: dave"}))
        self.assertEqual(self.ask("POST", "/api/friends", "nonsense")[0], 400)
        self.assertEqual(self.ask("DELETE", "/api/friends/alice")[0], 200)
        self.assertEqual(self.ask("DELETE", "/api/friends/alice")[0], 404)
        self.assertEqual([f["username"] for f in self.ask("GET", "/api/friends")[1]["friends"]], ["bob", "carol"])

    def test_messages(self):
        self.backend.message("alice", "hello")
        self.assertEqual(self.ask("POST", "/api/messages", {"to": "alice", "content": "hi"}),
                         (200, {"message_id": 2, "delivered": True}))
        self.assertEqual(self.ask("POST", "/api/messages", {"to": "bob", "content": "ho"}),
                         (200, {"message_id": 3, "delivered": False, "stored_offline": True}))
        messages = self.ask("GET", "/api/messages?peer=alice")[1]["messages"]
        self.assertEqual([(m["id"], m["peer"], m["direction"], m["content"]) for m in messages],
                         [(1, "alice", "received", "hello"), (2, "alice", "sent", "hi")])
        self.assertEqual([m["content"] for m in self.ask("GET", "/api/messages?peer=alice&limit=1")[1]["messages"]],
                         ["hi"])
        self.backend.friend("bob", True)
        self.assertTrue(self.ask("GET", "/api/messages?peer=bob")[1]["messages"][0]["delivered"])
        self.assertEqual(self.ask("DELETE", "/api/messages/1")[0], 200)
        self.assertEqual(self.ask("DELETE", "/api/messages/1")[0], 404)
        self.assertEqual(self.ask("GET", "/api/messages?peer=dave")[0], 404)
        self.assertEqual(self.ask("GET", "/api/messages")[0], 400)
        self.assertEqual(self.ask("POST", "/api/messages", {"to": "alice", "content": ""})[0], 400)
        self.backend.set(echo=True)
        self.ask("POST", "/api/messages", {"to": "alice", "content": "there?"})
        self.assertEqual(self.ask("GET", "/api/messages?peer=alice")[1]["messages"][-1]["content"], "You said: there?")

    def test_other_dialect(self):
        self.backend.set(dialect="other")
        self.backend.message("alice", "hello", timestamp=1700000000)
        self.assertEqual([f["username"] for f in self.ask("GET", "/api/friends")[1]], ["alice", "bob"])
        self.assertEqual(self.ask("POST", "/api/friends", {"username": "carol"})[0], 201)
        self.assertEqual(self.ask("DELETE", "/api/friends/carol"), (204, None))
        self.assertEqual(self.ask("GET", "/api/messages?peer=alice"),
                         (200, [{"msg_id": "m-1", "from": "alice", "direction": "received", "text": "hello",
                                 "timestamp": "2023-11-14T22:13:20Z"}]))
        self.assertEqual(self.ask("POST", "/api/messages", {"to": "alice", "content": "hi"})[0], 201)
        self.assertEqual(self.ask("POST", "/api/messages", {"to": "bob", "content": "hi"}),
                         (202, {"msg_id": "m-3", "delivered": False, "stored_offline": True}))
        self.assertEqual(self.ask("DELETE", "/api/messages/m-3"), (204, None))

    def test_requests_are_remembered(self):
        before = time.monotonic()
        self.ask("POST", "/echo?x=1", {"a": 1}, **{"X-Who": "me"})
        (r,) = self.backend.requests("/echo")
        self.assertEqual((r["method"], r["path"], r["query"], r["headers"]["X-Who"], json.loads(r["body"])),
                         ("POST", "/echo", "x=1", "me", {"a": 1}))
        self.assertTrue(before <= r["time"] <= time.monotonic())
        self.assertEqual(self.backend.count("/api/*"), 0)
        self.backend.forget_requests()
        self.assertEqual(self.backend.requests(), [])

    def test_authorization(self):
        self.backend.set(authorization="Bearer secret")
        self.assertEqual(self.ask("GET", "/api/status")[0], 401)
        self.assertEqual(self.ask("GET", "/api/status", Authorization="Bearer secret")[0], 200)


class Documents(BackendCase):
    def test_etag(self):
        self.backend.document("d", {"n": 1})
        status, headers, data = self.backend.call("GET", "/doc/d")
        self.assertEqual((status, headers["ETag"], data), (200, '"d-1"', b'{"n":1}'))
        self.assertEqual(self.ask("GET", "/doc/d", **{"If-None-Match": '"d-1"'}), (304, None))
        self.backend.document("d", {"n": 2})
        self.assertEqual(self.ask("GET", "/doc/d", **{"If-None-Match": '"d-1"'}), (200, {"n": 2}))
        self.assertEqual(self.ask("PUT", "/doc/d", "[3]"), (204, None))
        self.assertEqual(self.ask("GET", "/doc/d"), (200, [3]))
        self.assertEqual(self.ask("GET", "/doc/x")[0], 404)

    def test_last_modified(self):
        self.backend.document("d", {"n": 1}, etag=False, last_modified=True)
        headers = self.backend.call("GET", "/doc/d")[1]
        self.assertIsNone(headers["ETag"])
        self.assertEqual(self.ask("GET", "/doc/d", **{"If-Modified-Since": headers["Last-Modified"]}), (304, None))


class Files(BackendCase):
    def test_ranges(self):
        self.backend.file("f", 10000)
        content = file_content(10000)
        status, headers, data = self.backend.call("GET", "/files/f")
        etag = headers["ETag"]
        self.assertEqual((status, data), (200, content))
        for asked, begin, end in (("0-", 0, 10000), ("5000-", 5000, 10000), ("4095-4096", 4095, 4097),
                                  ("-10", 9990, 10000), ("9999-20000", 9999, 10000)):
            status, headers, data = self.backend.call("GET", "/files/f", headers={"Range": "bytes=" + asked})
            self.assertEqual((status, headers["Content-Range"], data),
                             (206, f"bytes {begin}-{end - 1}/10000", content[begin:end]))
        status, headers, _ = self.backend.call("GET", "/files/f", headers={"Range": "bytes=10000-"})
        self.assertEqual((status, headers["Content-Range"]), (416, "bytes */10000"))
        self.assertEqual(self.backend.call("GET", "/files/f", headers={"Range": "bytes=5-", "If-Range": etag})[0], 206)
        self.assertEqual(self.backend.call("GET", "/files/f", headers={"Range": "bytes=5-", "If-Range": '"x"'})[0], 200)
        self.assertEqual(self.backend.call("GET", "/files/f", headers={"Range": "nonsense"})[0], 200)
        self.backend.file("f", 10000, ranges=False)
        self.assertEqual(self.backend.call("GET", "/files/f", headers={"Range": "bytes=5-"})[0], 200)

    def test_it_changes_in_the_midst(self):
        self.backend.file("f", 1 << 20, change_at=500000, rate=1 << 24)
        with self.assertRaises(http.client.IncompleteRead) as caught:
            self.backend.call("GET", "/files/f")
        read = caught.exception.partial
        self.assertEqual(read, file_content(1 << 20)[:len(read)])
        self.assertEqual(self.backend.call("GET", "/files/f")[2], file_content(1 << 20, version=2))

    def test_it_is_mixed(self):
        self.backend.file("f", 1 << 20, change_at=500000, change="mix", rate=1 << 24)
        data = self.backend.call("GET", "/files/f")[2]
        old, new = file_content(1 << 20), file_content(1 << 20, version=2)
        self.assertNotIn(data, (old, new))
        self.assertTrue(data.startswith(old[:400000]) and data.endswith(new[600000:]))

    def test_large(self):
        self.backend.file("f", 200 << 20)
        code, out, err = curl(self.backend.url + "/files/f", timeout=60)
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(hashlib.sha256(out).digest(), hashlib.sha256(file_content(200 << 20)).digest())


class Operations(BackendCase):
    def begin(self, key=None, **request):
        """Gives the path of the operation and the answer."""
        request = {"step_ms": 0, "steps": 2, **request}
        status, headers, data = self.backend.call("POST", "/operations", request,
                                                  {"Idempotency-Key": key} if key else {})
        return status, headers, json.loads(data)

    def polls(self, path, n, *fields):
        found = []
        for _ in range(n):
            status, j = self.ask("GET", path)
            found.append((status, *(j.get(f) for f in fields)))
        return found

    def test_location(self):
        status, headers, _ = self.begin(retry_after=3)
        self.assertEqual((status, headers["Location"], headers["Retry-After"]), (202, "/operations/1", "3"))
        self.assertEqual(self.polls("/operations/1", 3, "status", "progress", "result"),
                         [(200, "running", 0.5, None)] + 2 * [(200, "succeeded", 1, {"answer": 42})])

    def test_fails(self):
        self.begin(steps=3, fail=2, error="no disk")
        self.assertEqual(self.polls("/operations/1", 2, "status", "error"),
                         [(200, "running", None), (200, "failed", "no disk")])

    def test_time(self):
        self.begin(steps=1, step_ms=60000)
        self.assertEqual(self.polls("/operations/1", 2, "status"), 2 * [(200, "running")])
        self.backend.set(operations=[{"id": 1, "done": 1, "state": "succeeded"}])
        self.assertEqual(self.polls("/operations/1", 1, "status", "progress"), [(200, "succeeded", 1)])

    def test_styles(self):
        self.assertEqual(self.begin(style="operation-location")[1]["Operation-Location"],
                         self.backend.url + "/operations/1")
        self.assertEqual(self.polls("/operations/1", 2, "state", "percent"),
                         [(200, "in_progress", 50), (200, "completed", 100)])
        self.assertEqual(self.begin(style="body", link="/links/self")[2]["links"]["self"],
                         self.backend.url + "/operations/2")
        self.assertEqual(self.polls("/operations/2", 2, "state", "progress", "total", "output"),
                         [(200, "running", 1, 2, None), (200, "succeeded", 2, 2, {"answer": 42})])
        self.assertEqual(self.begin(style="azure")[1]["Azure-AsyncOperation"], self.backend.url + "/operations/3")
        self.assertEqual(self.polls("/operations/3", 2, "status", "percentComplete", "properties"),
                         [(200, "InProgress", 50, None), (200, "Succeeded", 100, {"answer": 42})])
        self.assertEqual(self.begin(style="google")[2]["name"], "operations/4")
        self.assertEqual(self.polls("/operations/4", 2, "done", "response", "metadata"),
                         [(200, False, None, {"progressPercent": 50}), (200, True, {"answer": 42}, {"progressPercent": 100})])
        self.begin(style="redirect", result=[1])
        self.assertEqual(self.polls("/operations/5", 2, "status"), [(200, "running"), (303, None)])
        self.assertEqual(self.ask("GET", "/operations/5/result"), (200, [1]))
        self.begin(style="gone", steps=1)
        self.assertEqual(self.ask("GET", "/operations/6")[0], 404)

    def test_cancel(self):
        for n, (how, answer, state) in enumerate((("accept", 204, "cancelled"), ("refuse", 409, "running"),
                                                  ("ignore", 202, "running"), ("slow", 202, "cancelling")), 1):
            self.begin(cancel=how, steps=5)
            self.assertEqual(self.ask("DELETE", f"/operations/{n}")[0], answer)
            self.assertEqual(self.ask("GET", f"/operations/{n}")[1]["status"], state)
        self.assertEqual(self.polls("/operations/4", 2, "status"), [(200, "cancelling"), (200, "cancelled")])
        self.assertEqual(self.ask("POST", "/operations/4:cancel")[0], 409)

    def test_idempotency(self):
        first = self.begin("key")
        again = self.begin("key")
        self.assertEqual(first[1]["Location"], again[1]["Location"])
        self.assertEqual(again[1]["Idempotent-Replayed"], "true")
        self.begin("other")
        found = self.backend.operations()
        self.assertEqual((found["posts"], found["started"], found["replayed"]), (3, 2, 1))


class Faults(BackendCase):
    def fault(self, kind, path="/api/status", **more):
        self.backend.clear()
        self.backend.fault(path, kind, **more)

    def curl(self, *arguments, path="/api/status", **more):
        return curl(*arguments, self.backend.url + path, **more)

    def test_which_requests(self):
        self.fault("status", "/api/*", count=2, skip=1, code=500)
        self.assertEqual([self.ask("GET", "/api/status")[0] for _ in range(4)], [200, 500, 500, 200])
        self.fault("status", method="POST")
        self.assertEqual(self.ask("GET", "/api/status")[0], 200)
        self.fault("status", chance=0.5)
        self.assertEqual({self.ask("GET", "/api/status")[0] for _ in range(50)}, {200, 503})
        for wrong in ({"kind": "nonsense"}, {"path": None}):
            with self.assertRaises(AssertionError):
                self.backend.fault(**{"path": "*", "kind": "hang", **wrong})

    def test_status(self):
        self.fault("status", retry_after=7, headers={"X-Why": "test"}, text="later")
        status, headers, data = self.backend.call("GET", "/api/status")
        self.assertEqual((status, headers["Retry-After"], headers["X-Why"], json.loads(data)),
                         (503, "7", "test", {"error": "later"}))

    def test_delay(self):
        self.fault("delay", ms=100)
        begin = time.monotonic()
        self.assertEqual(self.ask("GET", "/api/status")[0], 200)
        self.assertGreaterEqual(time.monotonic() - begin, 0.1)

    def test_bodies(self):
        self.fault("garbage")
        with self.assertRaises(ValueError):
            self.ask("GET", "/api/status")
        self.fault("error-200", text="down")
        self.assertEqual(self.ask("GET", "/api/status"), (200, {"error": "down"}))
        self.backend.set(status={"uptime": 5})
        for how, value in (("values", {"status": -1e300, "username": -1e300, "uptime": "many"}),
                           ("null", {"status": None, "username": None, "uptime": None}), ("missing", {}), ("top", 42)):
            self.fault("wrong-types", how=how)
            self.assertEqual(self.ask("GET", "/api/status"), (200, value))
        self.fault("wrong-types", "/api/friends", how="lists")
        self.assertEqual(self.ask("GET", "/api/friends"), (200, {"friends": "none"}))

    def test_huge(self):
        for chunked in (False, True):
            self.fault("huge", chunked=chunked)
            status, headers, data = self.backend.call("GET", "/api/status")
            self.assertEqual((status, len(data), json.loads(data)), (200, 50_000_000, {"status": "online"}))
            self.assertEqual(headers["Content-Length"], None if chunked else "50000000")

    def test_endless(self):
        self.fault("endless")
        code, out, _ = self.curl("--max-filesize", "1000000", "--range", "0-2000000", "--output", "/dev/null",
                                 timeout=0.3)
        self.assertEqual((code, out), (28, b""))

    def test_redirects(self):
        self.fault("redirect-loop")
        self.assertEqual(self.curl("--location", "--max-redirs", "5")[0], 47)
        self.fault("redirect-to", url=self.backend.url + "/echo", code=307)
        code, out, _ = self.curl("--location", "--data", "x")
        self.assertEqual((code, json.loads(out)["method"]), (0, "POST"))

    def test_cut(self):
        body = self.curl()[1]
        for kind, code in (("short", 18), ("reset", 56)):
            self.fault(kind)
            self.assertEqual(self.curl()[:2], (code, body[:len(body) // 2]), kind)
            self.fault(kind, after=5)
            self.assertEqual(self.curl()[:2], (code, body[:5]), kind)
        self.fault("reset", before=True)
        self.assertEqual(self.curl()[:2], (56, b""))
        # What was asked for has been done.
        self.fault("reset", "/api/messages", method="POST")
        self.curl("--json", '{"to": "alice", "content": "x"}', path="/api/messages")
        self.assertEqual(self.backend.state()["messages"], 1)

    def test_hang(self):
        for kind, more in (("hang", {}), ("hang-body", {"after": 3}), ("hang-body", {"after": 0})):
            self.fault(kind, **more)
            code, out, _ = self.curl(timeout=0.2)
            self.assertEqual((code, len(out)), (28, more.get("after", 0)), kind)
        daemon_testing.until(lambda: self.backend.state()["connections"] == 1, "the server forgets those that went")

    def test_hang_is_given_up(self):
        self.fault("hang")
        with socket.create_connection(("127.0.0.1", self.backend.port)) as s:
            s.sendall(b"GET /api/status HTTP/1.1\r\nHost: x\r\n\r\n")
            self.backend.wait_requests(1)
            self.backend.give_up()
            self.assertEqual(s.recv(100), b"")

    def test_trickle(self):
        body = self.curl()[1]
        self.fault("trickle", bytes=10, ms=5)
        begin = time.monotonic()
        self.assertEqual(self.curl()[:2], (0, body))
        self.assertGreater(time.monotonic() - begin, 0.005 * (len(body) // 10))
        self.fault("trickle", bytes=10, ms=60000)
        self.assertEqual(self.curl(timeout=0.3)[:2], (28, body[:10]))

    def test_not_http(self):
        self.fault("not-http")
        self.assertEqual(self.curl()[0], 1)

    def test_chance_is_repeatable(self):
        def history():
            with Backend("--seed=7", '--fault={"kind": "status", "path": "*", "chance": 0.5}') as backend:
                return [backend.call("GET", "/api/status")[0] for _ in range(30)]
        self.assertEqual(history(), history())


class Life(unittest.TestCase):
    def test_same_port(self):
        with Backend() as backend:
            port = backend.port
            backend.call("GET", "/api/status")
            backend.restart()
            backend.kill()
            backend.restart()
            self.assertEqual((backend.port, backend.call("GET", "/api/status")[0]), (port, 200))

    def test_ends_with_hanging_ones(self):
        with Backend("--fault=hang:/hang", "--fault=hang-body:/api/status") as backend, \
             socket.create_connection(("127.0.0.1", backend.port)) as a, \
             socket.create_connection(("127.0.0.1", backend.port)) as b:
            a.sendall(b"GET /hang HTTP/1.1\r\nHost: x\r\n\r\n")
            b.sendall(b"GET /api/status HTTP/1.1\r\nHost: x\r\n\r\n")
            backend.wait_requests(2)

    def test_ends_with_its_parent(self):
        script = f"{os.environ['TEST_BACKEND']} --die-with-parent & read line; exit"
        parent = subprocess.Popen(["sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        parent.stdout.readline()
        child = daemon_testing.children(parent.pid)[0]
        parent.communicate("\n")
        wait_gone(child)

    def test_many_connections(self):
        with Backend("--fault=hang:/hang") as backend:
            sockets = [socket.create_connection(("127.0.0.1", backend.port)) for _ in range(900)]
            for s in sockets:
                s.sendall(b"GET /hang HTTP/1.1\r\nHost: x\r\n\r\n")
            backend.wait_requests(len(sockets))
            self.assertEqual(backend.state()["connections"], len(sockets) + 1)
            for s in sockets:
                s.close()
            daemon_testing.until(lambda: backend.state()["connections"] == 1, "they are gone")

    def test_wrong_options(self):
        for options in (["--port=x"], ["--dialect=x"], ["--fault=nonsense"], ["--tls-cert=/dev/null"], ["extra"],
                        ["--set=["], ["--nonsense"]):
            r = subprocess.run([os.environ["TEST_BACKEND"], *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               timeout=10, check=False)
            self.assertNotEqual(r.returncode, 0, options)
            self.assertNotEqual(r.stderr, b"", options)


class Tls(unittest.TestCase):
    def test_certificate(self):
        with tempfile.TemporaryDirectory() as folder:
            key, cert = pathlib.Path(folder) / "key.pem", pathlib.Path(folder) / "cert.pem"
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                            "-noenc", "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost", "-addext",
                            "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, stderr=subprocess.DEVNULL)
            with Backend(f"--tls-cert={cert}", f"--tls-key={key}") as backend:
                self.assertTrue(backend.url.startswith("https://127.0.0.1:"))
                self.assertEqual(curl("--cacert", cert, backend.url + "/api/status")[0], 0)
                self.assertEqual(curl(backend.url + "/api/status")[0], 60)
                backend.fault("/api/*", "reset", count=1)
                self.assertEqual(curl("--cacert", cert, backend.url + "/api/status")[0], 56)
                backend.fault("/api/*", "hang")
                self.assertEqual(curl("--cacert", cert, backend.url + "/api/status", timeout=0.3)[0], 28)


if __name__ == "__main__":
    daemon_testing.main()
