"""The test server of tests/backend, for tests: Backend starts one, and says what is to go wrong.

The program is named by the environment variable TEST_BACKEND.
"""

import contextlib
import http.client
import json
import os
import select
import signal
import ssl
import subprocess
import urllib.parse

from daemon_testing import DaemonSession
from process_testing import DEADLINE_SEC, until

PAGE = 4096


class Backend:
    """An HTTP server on loopback, on a port of its own. A context manager; it ends with this program at the latest.

    options: of the program, e.g. "--dialect=other", "--peer=alice:online"
    env:     more variables of its environment
    """

    def __init__(self, *options, port=0, env=None):
        self.options = [str(o) for o in options]
        self.env = {**os.environ, **(env or {})}
        self.process = None
        self._start(port)

    def _start(self, port):
        self.process = subprocess.Popen(
            [os.environ["TEST_BACKEND"], "--die-with-parent", f"--port={port}", *self.options], env=self.env,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        DaemonSession.not_a_stray(self.process.pid)
        ready = select.select([self.process.stdout], [], [], DEADLINE_SEC)[0]
        line = self.process.stdout.readline() if ready else ""
        if not line.startswith("listening on "):
            self.kill()
            raise AssertionError("test-backend does not start")
        self.url = line.split()[-1]
        self.host, self.port = urllib.parse.urlsplit(self.url).netloc.rpartition(":")[::2]
        self.port = int(self.port)
        self.https = self.url.startswith("https")

    @property
    def pid(self):
        return self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # --- the end, and a new beginning

    def _end(self, signum):
        """Gives the exit status, -N for signal N."""
        if self.process.poll() is None:
            # It may be frozen. Not afterwards: LeakSanitizer stops the process with signals of its own at the end.
            self.thaw()
            self.process.send_signal(signum)
            self.process.wait(DEADLINE_SEC)
        self.process.stdout.close()
        return self.process.returncode

    def stop(self):
        """Ends it; raises AssertionError when it did not end well: it may be under a sanitizer."""
        was_running = self.process.poll() is None
        code = self._end(signal.SIGTERM)
        if was_running and code != 0:
            raise AssertionError(f"exit status of test-backend: {code}")

    def kill(self):
        self._end(signal.SIGKILL)

    def restart(self):
        """On the same port. It knows nothing of what was before but its options."""
        if self.process.poll() is None:
            self.stop()
        self._start(self.port)

    def freeze(self):
        """The kernel still takes connections; nobody answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self):
        os.kill(self.pid, signal.SIGCONT)

    # --- what is said to it

    def call(self, method, path, body=None, headers=None):
        """A request as any client makes it, that trusts anybody. Gives status, headers, body."""
        where = (self.host.strip("[]"), self.port)
        if self.https:
            trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            trusting.check_hostname = False
            trusting.verify_mode = ssl.CERT_NONE
            connection = http.client.HTTPSConnection(*where, timeout=DEADLINE_SEC, context=trusting)
        else:
            connection = http.client.HTTPConnection(*where, timeout=DEADLINE_SEC)
        with contextlib.closing(connection):
            data = json.dumps(body) if isinstance(body, (dict, list)) else body
            connection.request(method, path, data, headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read()

    def _control(self, method, path, body=None):
        status, _, data = self.call(method, "/_test/" + path, body)
        answer = json.loads(data)
        if status != 200:
            raise AssertionError(f"test-backend, {method} {path}: {answer}")
        return answer

    def fault(self, path, kind, count=None, **more):
        """From now on this goes wrong with requests whose path matches (fnmatch). more: method, chance, skip, and what
        the kind takes: see tests/backend/fault-apply.c."""
        self._control("POST", "faults", {"path": path, "kind": kind, **({} if count is None else {"count": count}),
                                         **more})

    def clear(self):
        """Nothing goes wrong any more. What hangs goes on hanging."""
        self._control("DELETE", "faults")

    def give_up(self):
        """Closes the connections that hang."""
        self._control("POST", "give-up", {})

    def requests(self, path=None):
        """Those that came, oldest first: dicts with method, path, target, query, headers, body, fault, time (of
        time.monotonic()) and connection (a number)."""
        return self._control("GET", "requests" + (f"?path={urllib.parse.quote(path)}" if path else ""))

    def count(self, path="*"):
        return self._control("GET", f"requests?count=1&path={urllib.parse.quote(path)}")

    def wait_requests(self, n, path="*", timeout=DEADLINE_SEC):
        """Returns when so many have come."""
        until(lambda: self.count(path) >= n, lambda: f"{n} requests of {path}, but {self.count(path)}", timeout)

    def forget_requests(self):
        self._control("DELETE", "requests")

    def set(self, **state):
        """username, dialect, echo, status, friends, messages, clear; documents, files, operations; authorization."""
        self._control("POST", "set", state)

    def state(self):
        return self._control("GET", "state")

    def operations(self):
        return self.state()["operations"]

    # --- shorter words for what is set often

    def friend(self, username, online=True, **more):
        self.set(friends=[{"username": username, "online": online, **more}])

    def message(self, peer, content, direction="received", **more):
        self.set(messages=[{"peer": peer, "content": content, "direction": direction, **more}])

    def document(self, name, value, **more):
        self.set(documents={name: {"json": value, **more}})

    def file(self, name, size, **more):
        self.set(files={name: {"size": size, **more}})


def file_content(size, seed=1, version=1):
    """What tests/backend/file.c has in a file."""
    filler = bytes(range(256)) * (PAGE // 256)
    pages = (b"%08x %08x %012x\n" % (seed, version, number) for number in range(-(-size // PAGE)))
    return b"".join(head + filler[:PAGE - len(head)] for head in pages)[:size]
