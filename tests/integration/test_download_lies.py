#!/usr/bin/python3
"""The program longrun-download, against a server that says what is not so.

    LONGRUND=PATH test_download_lies.py
"""

import contextlib
import socket
import threading

import daemon_testing
from download_testing import ProgramTestCase, sha256


class Liar(threading.Thread):
    """Answers each request with the next of some texts, and closes the connection, whatever was asked for."""

    def __init__(self, answers):
        super().__init__(daemon=True)
        self.answers = answers
        self.requests = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/file"
        self.start()

    def run(self):
        with self.listener:
            for answer in self.answers:
                connection, _ = self.listener.accept()
                with connection, contextlib.suppress(OSError):  # the other side may have heard enough
                    request = b""
                    while b"\r\n\r\n" not in request:
                        request += connection.recv(65536)
                    self.requests.append(request.decode())
                    connection.sendall(answer)
                    connection.shutdown(socket.SHUT_WR)
                    connection.recv(1)


class LiarTest(ProgramTestCase):
    DATA = bytes(range(256)) * 8192
    HALF = len(DATA) // 2

    def answer(self, status, body, **headers):
        fields = {"ETag": '"a"', "Content-Length": len(body), **{k.replace("_", "-"): v for k, v in headers.items()}}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None)
        return f"HTTP/1.1 {status} x\r\n{head}\r\n".encode() + body

    def whole(self, size=None):
        """All of it, or cut off."""
        return self.answer(200, self.DATA)[:size and size - len(self.DATA)]

    def rest(self, first, total=None, body=None, **headers):
        body = self.DATA[self.HALF:] if body is None else body
        return self.answer(206, body, **{
            "Content_Range": f"bytes {first}-{first + len(body) - 1}/{total or len(self.DATA)}", **headers})

    def test_the_rest_is_not_the_rest(self):
        """Then all of it is fetched once more."""
        garbage = b"x" * self.HALF
        lies = {
            "another part": self.rest(0, body=garbage),
            "behind it": self.rest(self.HALF + 1, body=garbage[1:]),
            "no range": self.rest(self.HALF, body=garbage, Content_Range=None),
            "a bad range": self.rest(self.HALF, body=garbage, Content_Range="bytes 1"),
            "another size": self.rest(self.HALF, len(self.DATA) + 1, body=garbage),
            "another file": self.rest(self.HALF, body=garbage, ETag='"b"'),
            "a weak word": self.rest(self.HALF, body=garbage, ETag='W/"a"'),
            "no word": self.rest(self.HALF, body=garbage, ETag=None),
            "too much": self.answer(416, b"", Content_Range=f"bytes */{self.HALF - 1}"),
        }
        for name, lie in lies.items():
            with self.subTest(name):
                server = Liar([self.whole(self.HALF), lie, self.whole()])
                self.assertLoads(self.DATA, url=server.url, give_up_after_ms=3000)
                self.assertEqual(["Range:" in r for r in server.requests], [False, True, False])
                self.target.unlink()

    def test_the_rest(self):
        server = Liar([self.whole(self.HALF), self.rest(self.HALF)])
        self.assertLoads(self.DATA, url=server.url)
        self.assertIn('If-Range: "a"\r\n', server.requests[1])

    def test_a_part_that_nobody_has_asked_for(self):
        self.assertFails("HTTP 206", url=Liar([self.rest(0)]).url)
        self.assertNothing()

    def test_without_a_length(self):
        """Its end is the end of the connection, which may as well have broken: who knows the size can tell."""
        text = b"HTTP/1.0 200 OK\r\n\r\n"
        self.assertLoads(self.DATA, url=Liar([text + self.DATA]).url)
        self.target.unlink()
        self.assertFails(f"it has sent {self.HALF} bytes, and the file has {len(self.DATA)}",
                         url=Liar([text + self.DATA[:self.HALF]]).url, size=len(self.DATA))
        self.assertNothing()
        self.assertLoads(b"", url=Liar([self.answer(200, b"")]).url, sha256=sha256(b""))

    def test_a_head_without_end(self):
        self.assertFails(".", url=Liar([b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200000]).url, give_up_after_ms=0)
        self.assertNothing()


if __name__ == "__main__":
    daemon_testing.main()
