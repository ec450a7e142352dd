"""How fast a file comes from a web server, beside curl, which only writes it."""

import contextlib
import hashlib
import json
import os
import shutil
import socket
import subprocess
import time

import bench_report as br
from bench_session import END_TIMEOUT_SEC, Failure, Session

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/lib/longrun-test")  # as scripts/packages puts it there
BLOCK = 1 << 20

CONFIG = """
daemon off;
master_process off;
pid {base}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    client_body_temp_path {base}/body;
    proxy_temp_path {base}/proxy;
    fastcgi_temp_path {base}/fastcgi;
    uwsgi_temp_path {base}/uwsgi;
    scgi_temp_path {base}/scgi;
    server {{ listen 127.0.0.1:{port}; root {base}; }}
}}
"""


def make_file(path, size):
    """Bytes that no disk can leave out; gives their digest."""
    digest = hashlib.sha256()
    with open(path, "wb") as file:
        for _ in range(size // BLOCK):
            block = os.urandom(BLOCK)
            file.write(block)
            digest.update(block)
    return digest.hexdigest()


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def nginx(base):
    """Gives the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (base / "nginx.conf").write_text(CONFIG.format(base=base, port=port), encoding="utf-8")
    with open(base / "nginx.log", "wb") as log:
        server = subprocess.Popen([NGINX, "-p", base, "-c", base / "nginx.conf", "-e", "stderr"],
                                  stdin=subprocess.DEVNULL, stderr=log)
    try:
        deadline = time.monotonic() + END_TIMEOUT_SEC
        while not listens(port):
            if server.poll() is not None or time.monotonic() > deadline:
                raise Failure(f"nginx does not listen: {(base / 'nginx.log').read_text(encoding='utf-8')}")
            time.sleep(0.01)
        yield port
    finally:
        server.kill()
        server.wait()


def time_longrun(session, url, digest=None):
    """Until the task has ended: the file is on the disk then, for sure."""
    target = session.directory / "got"
    params = {"url": url, "path": str(target), **({"sha256": digest} if digest else {})}
    os.sync()  # what others have written is not to be paid for here
    seconds = session.time("longrun", "run", "download", "--quiet", "--follow", "--params", json.dumps(params))
    target.unlink()
    return seconds


def time_curl(session, url, then=""):
    os.sync()
    seconds = session.sh(f"curl -sSf -o got {url}{then}")
    (session.directory / "got").unlink()
    return seconds


def measure_download(report, build, sizes):
    if not NGINX:
        report.note("nginx is not installed: scripts/packages test")
        return
    with Session(build, 2) as session:
        if shutil.disk_usage(session.directory).free < 3 * sizes.log_bytes:
            raise Failure(f"there is no room for {sizes.log} twice below {session.directory.parent}")
        base = session.directory / "www"
        base.mkdir()
        base.chmod(0o755)
        digest = make_file(base / "file", sizes.log_bytes)
        with nginx(base) as port:
            url = f"http://127.0.0.1:{port}/file"
            values = br.interleave(sizes.long_rounds, {
                "longrun": lambda: time_longrun(session, url),
                "curl": lambda: time_curl(session, url),
                "synced": lambda: time_curl(session, url, " && sync got"),
                "checked": lambda: time_longrun(session, url, digest),
                "sha256sum": lambda: time_curl(session, url, " && sha256sum got"),
            })
    speeds = {name: sizes.log_bytes / seconds for name, seconds in values.items()}
    what = f"download of {sizes.log} from nginx"
    ratio = report.row(what, speeds["longrun"], br.speed, "curl -o", speeds["curl"])
    report.row(f"{what}, on disk", speeds["longrun"], br.speed, "curl; sync", speeds["synced"])
    report.row(f"{what}, with its sha256", speeds["checked"], br.speed, "curl; sha256sum", speeds["sha256sum"])
    report.target(ratio >= 0.7, "download at 0.7 times the speed of curl -o or better", f"{ratio:.2f}")
