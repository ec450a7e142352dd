#!/usr/bin/python3
"""The program longrun-download with a real server: TLS, HTTP/2, and what is killed meanwhile.

    LONGRUND=PATH TEST_BACKEND=PATH test_download_nginx.py
"""

import random

import daemon_testing
from backend_testing import Backend
from download_testing import MB, NginxTestCase, sha256
from nginx_testing import make_certificate


class NginxTest(NginxTestCase):
    def test_tls_and_http2(self):
        certificate = make_certificate(self.base)
        server = self.nginx(tls=True)
        data = random.randbytes(3 * MB)
        server.put("file", data)
        self.assertFails("cannot trust", url=server.url + "/file")
        d = self.assertLoads(data, url=server.url + "/file", ca_file=str(certificate))
        self.assertEqual(d.result()["size"], len(data))
        # Nobody is led from https to http.
        with Backend() as plain:
            plain.file("file", MB)
            server.more = f"location /away {{ return 302 {plain.url}/files/file; }}"
            server.restart()
            self.target.unlink()
            self.assertFails("refused to be redirected from https to http", url=server.url + "/away",
                             path=str(self.target), ca_file=str(certificate))
            self.assertNothing()

    def test_resumes_over_http2(self):
        certificate = make_certificate(self.base)
        server = self.nginx(tls=True, rate="4m")
        data = random.randbytes(4 * MB)
        server.put("file", data)
        d = self.download(url=server.url + "/file", ca_file=str(certificate))
        d.wait_bytes(2 * MB)
        server.restart()
        self.assertEqual(d.wait()[0], 0, d.log)
        self.assertIn("Resumed at", d.log)
        self.assertEqual(self.target.read_bytes(), data)

    def test_is_not_unpacked(self):
        server = self.nginx()
        data = b"a text that is easily packed\n" * 100000
        server.put("file", data)
        self.assertLoads(data, url=server.url + "/packed/file")
        self.target.unlink()
        self.assertLoads(data, url=server.url + "/moved/file")

    def test_server_is_away(self):
        server = self.nginx(rate="8m")
        data = random.randbytes(6 * MB)
        server.put("file", data)
        d = self.download(url=server.url + "/file")
        d.wait_bytes(2 * MB)
        server.stop()
        d.wait_told(lambda: any("refused" in s for s in d.all_told("STATUS")), "a refused connection")
        server.start()
        self.assertEqual(d.wait()[0], 0, d.log)
        self.assertEqual(self.target.read_bytes(), data)
        self.assertIn("Resumed at", d.log)
        self.check_progress(d)

    def test_file_is_replaced(self):
        server = self.nginx(rate="4m")
        server.put("file", b"x" * 4 * MB, 1000000000)
        d = self.download(url=server.url + "/file")
        d.wait_bytes(MB)
        d.kill()
        data = random.randbytes(3 * MB)
        server.put("file", data, 1000000001)
        d = self.assertLoads(data, url=server.url + "/file")
        self.assertIn("From the beginning again", d.log)

    def test_killed_at_random(self):
        """The program, and the server now and then, twenty times: the file is right, and nothing is left."""
        seed = random.randrange(1 << 32)
        chance = random.Random(seed)
        data = random.randbytes(24 * MB)
        server = self.nginx(rate="16m")
        server.put("file", data)
        params = {"url": server.url + "/file", "sha256": sha256(data)} if chance.random() < 0.5 else {
            "url": server.url + "/file"}
        size = 0
        for i in range(20):
            d = self.download(**params)
            # Also before the first byte, and behind the last.
            size += chance.randrange(2 * MB)
            d.wait_bytes(size)
            if i % 4 == 3:
                server.restart()
            d.kill()
            self.assertIn(len(self.left()), (0, 1, 2, 3))
            if self.target.exists():
                break
        if self.target.exists():
            self.assertEqual(sha256(self.target.read_bytes()), sha256(data), f"seed {seed}")
            self.target.unlink()
        server.rate = "0"
        server.restart()
        d = self.assertLoads(data, **params)
        requests = (self.base / "access.log").read_text()
        self.assertIn(" 206 ", requests, f"seed {seed}")


if __name__ == "__main__":
    daemon_testing.main()
