"""For tests of the kind http-operation: a server of which each test says what it answers, and a session with a backend."""

import contextlib
import http.server
import json
import socket
import socketserver
import struct
import threading
import time

from backend_testing import Backend
from daemon_testing import DEADLINE_SEC, DaemonTestCase, GLib


class Answer:
    """body: what becomes JSON, or str or bytes as they are. drop: the connection breaks instead. hold: an Event that is
    waited for before."""

    def __init__(self, status=200, body=None, headers=None, drop=False, hold=None):
        self.status, self.headers, self.drop, self.hold = status, dict(headers or {}), drop, hold
        self.body = b"" if body is None else body.encode() if isinstance(body, str) else body
        if not isinstance(self.body, bytes):
            self.body = json.dumps(self.body).encode()
            self.headers.setdefault("Content-Type", "application/json")


class Request:
    def __init__(self, handler):
        self.time = time.monotonic()
        self.method, self.path, self.headers = handler.command, handler.path, dict(handler.headers.items())
        self.body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))

    @property
    def key(self):
        return self.headers.get("Idempotency-Key")


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = DEADLINE_SEC

    def setup(self):
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self):
        self.server.connections.discard(self.connection)
        super().finish()

    def log_message(self, *_):
        pass

    def answer(self):
        answer = self.server.peer.answer_to(Request(self))
        if answer.hold:
            answer.hold.wait(DEADLINE_SEC)
        if answer.drop:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if answer.status != 204:
            self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, *_):
        pass


class Peer:
    """on("GET /jobs/1", a, b, c): these answers, one after the other, the last again and again; functions are handed the
    request and give the answer. What nobody has said is 404."""

    def __init__(self):
        self.answers, self.requests = {}, []
        self.condition = threading.Condition()
        self.server = None
        self.port = 0
        self.start()

    def start(self):
        self.server = _Server(("127.0.0.1", self.port), _Handler)
        self.server.peer, self.server.connections = self, set()
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        """Nobody listens any more, and all connections break; what it has been told stays."""
        self.server.shutdown()
        self.server.server_close()
        for connection in list(self.server.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def on(self, what, *answers):
        with self.condition:
            self.answers[what] = list(answers)

    def answer_to(self, request):
        what = f"{request.method} {request.path.partition('?')[0]}"
        with self.condition:
            self.requests.append(request)
            self.condition.notify_all()
            answers = self.answers.get(what, [Answer(404, {"error": "nothing here"})])
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return answer(request) if callable(answer) else answer

    def of(self, what):
        method, _, path = what.partition(" ")
        with self.condition:
            return [r for r in self.requests if (r.method, r.path.partition("?")[0]) == (method, path)]

    def wait(self, what, n=1):
        """Until so many have come; gives them."""
        with self.condition:
            if not self.condition.wait_for(lambda: len(self.of_locked(what)) >= n, DEADLINE_SEC):
                raise AssertionError(f"{n} requests {what}, but {len(self.of_locked(what))}")
            return self.of_locked(what)

    def of_locked(self, what):
        method, _, path = what.partition(" ")
        return [r for r in self.requests if (r.method, r.path.partition("?")[0]) == (method, path)]


class OperationTestCase(DaemonTestCase):
    """self.peer is the backend "peer"."""

    def setUp(self):
        super().setUp()
        self.session.connections = 64  # requests that change something have one of their own each
        self.peer = Peer()
        self.addCleanup(self.peer.stop)
        self.add_backend("peer", self.peer.url)

    def add_backend(self, name, url, **settings):
        settings = {"url": GLib.Variant("s", url), "polling": GLib.Variant("b", False),
                    "status-interval": GLib.Variant("t", 60000000), **settings}
        self.session.call("AddBackend", "(sa{sv})", name, settings)

    def start_server(self):
        """A server of tests/backend, as backend "server"."""
        server = Backend()
        self.addCleanup(server.stop)
        self.add_backend("server", server.url)
        return server

    def operation(self, path="/jobs", backend="peer", options=None, **params):
        params = {"backend": backend, "path": path, "poll_interval_ms": 100, **params}
        return self.session.start("http-operation", {k: v for k, v in params.items() if v is not None}, **(options or {}))

    def begins(self, *polls, status=202, path="/jobs/1", **headers):
        """A POST to /jobs begins an operation that is followed at this path."""
        self.peer.on("POST /jobs", Answer(status, headers={"Location": path, **headers}))
        if polls:
            self.peer.on(f"GET {path}", *polls)

    def statuses(self, task):
        return [s.args[0] for s in task.signals("Status")]

    def lines(self, task):
        return task.read_log().decode().splitlines()


RUNNING = Answer(200, {"status": "running"})
DONE = Answer(200, {"status": "succeeded", "result": {"answer": 42}})
