"""nginx, for tests: a real server of files, with ranges, ETag, TLS and HTTP/2, on a port and in a folder of its own.

What scripts/packages has put into /usr/local/lib/longrun-test counts, too: there it is without the service.
"""

import os
import pathlib
import shutil
import signal
import socket
import subprocess

from daemon_testing import DaemonSession
from process_testing import DEADLINE_SEC, until

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/lib/longrun-test")  # None = not installed

NGINX_CONFIG = """
daemon off;
master_process off;
pid {base}/nginx.pid;
error_log {base}/nginx.log;
events {{}}
http {{
    access_log {base}/access.log;
    log_format times '$status $http_range';
    sendfile on;
    client_body_temp_path {base}/body;
    proxy_temp_path {base}/proxy;
    fastcgi_temp_path {base}/fastcgi;
    uwsgi_temp_path {base}/uwsgi;
    scgi_temp_path {base}/scgi;
    default_type application/octet-stream;
    limit_rate {rate};
    server {{
        listen 127.0.0.1:{port}{options};
        root {root};
        {tls}
        location /packed/ {{ gzip on; gzip_types *; gzip_min_length 1; alias {root}/; }}
        location /moved/ {{ rewrite ^/moved/(.*)$ /$1 redirect; }}
        {more}
    }}
}}
"""


class Nginx:
    """Serves the folder base/www on loopback, on a port that stays the same over restart(). A context manager.

    rate:  bytes a second for each connection, as nginx writes it; "0" = as fast as it goes
    tls:   with the certificate base/cert.pem, which make_certificate() has made, and HTTP/2
    """

    def __init__(self, base, rate="0", tls=False, more=""):
        self.base = pathlib.Path(base)
        self.root = self.base / "www"
        self.root.mkdir(parents=True, exist_ok=True)
        self.rate, self.tls, self.more = rate, tls, more
        self.process = None
        # Bound, but not listening: nobody else gets the port, and nginx does.
        self.reservation = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.reservation.bind(("127.0.0.1", 0))
        self.port = self.reservation.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self.reservation.close()

    def start(self):
        tls = f"ssl_certificate {self.base}/cert.pem; ssl_certificate_key {self.base}/key.pem;" if self.tls else ""
        config = self.base / "nginx.conf"
        config.write_text(NGINX_CONFIG.format(base=self.base, root=self.root, port=self.port, rate=self.rate, tls=tls,
                                              options=" ssl http2" if self.tls else "", more=self.more),
                          encoding="utf-8")
        self.process = subprocess.Popen([NGINX, "-c", config, "-p", self.base, "-e",
                                         self.base / "nginx.log"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        DaemonSession.not_a_stray(self.process.pid)
        until(self.listens, lambda: f"nginx does not listen: {(self.base / 'nginx.log').read_text()}")

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self, signum=signal.SIGKILL):
        if self.process:
            self.process.send_signal(signum)
            self.process.wait(DEADLINE_SEC)
            self.process.stderr.close()
            self.process = None

    def restart(self):
        self.stop()
        self.start()

    def put(self, name, data, mtime=None):
        """A file as a whole, in the place of what was there."""
        temporary = self.root / f"{name}.new"
        temporary.write_bytes(data)
        if mtime is not None:
            os.utime(temporary, (mtime, mtime))
        temporary.rename(self.root / name)


def make_certificate(folder):
    """base/cert.pem and key.pem for 127.0.0.1, signed by itself; gives the path of the certificate."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                    folder / "key.pem", "-out", folder / "cert.pem"], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    return folder / "cert.pem"
