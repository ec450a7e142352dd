"""A screen that nobody sees, and the bus of assistive technologies on it: for all the tests of a program.

The screen is one of Xvfb without a window manager: windows come up at its corner, keys go to the window under the pointer.
"""

import contextlib
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import zlib

from gi.repository import Gio, GLib

from longrun_testing import DEADLINE_SEC

PROGRAMS = ("Xvfb", "dbus-daemon", "xdotool")
REGISTRY_FILE = pathlib.Path("/usr/share/dbus-1/accessibility-services/org.a11y.atspi.Registry.service")

BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>accessibility</type>
  <listen>unix:path={directory}/a11y</listen>
  <auth>EXTERNAL</auth>
  <servicedir>{services}</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
  <!-- As in the configuration that at-spi2-core installs: many calls are under way at a time. -->
  <limit name="max_incoming_bytes">1000000000</limit>
  <limit name="max_outgoing_bytes">1000000000</limit>
  <limit name="max_message_size">1000000000</limit>
  <limit name="max_match_rules_per_connection">50000</limit>
  <limit name="max_replies_per_connection">50000</limit>
  <limit name="service_start_timeout">120000</limit>
  <limit name="reply_timeout">300000</limit>
</busconfig>
"""


def missing():
    """What is not there of what it takes, or None."""
    for program in PROGRAMS:
        if not shutil.which(program):
            return f"{program} is not installed"
    return None if REGISTRY_FILE.exists() else "at-spi2-core is not installed"


class Display:
    """A context manager. size: of the screen."""

    def __init__(self, size=(1280, 900)):
        self.size = size
        self.temporary = tempfile.TemporaryDirectory(prefix="longrun-test-display-")
        self.directory = pathlib.Path(self.temporary.name)
        self.server = self.bus = self.connection = None
        self.env = {}

    def __enter__(self):
        try:
            self._start_server()
            self._start_bus()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def _start_server(self):
        ready, write_end = os.pipe()
        with os.fdopen(ready) as numbers:
            self.server = subprocess.Popen(
                ["Xvfb", "-displayfd", str(write_end), "-screen", "0", f"{self.size[0]}x{self.size[1]}x24",
                 "-nolisten", "tcp", "-noreset", "-fbdir", self.directory],
                pass_fds=[write_end], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            os.close(write_end)
            number = numbers.readline().strip()
        if not number:
            raise RuntimeError(f"Xvfb did not start: it ended with {self.server.wait(DEADLINE_SEC)}")
        self.env["DISPLAY"] = f":{number}"

    def _start_bus(self):
        """Its daemon starts the registry of programs, which ends when the bus does."""
        config = self.directory / "a11y.conf"
        config.write_text(BUS_CONFIG.format(directory=self.directory, services=REGISTRY_FILE.parent), encoding="utf-8")
        self.env["AT_SPI_BUS_ADDRESS"] = address = f"unix:path={self.directory}/a11y"
        env = {key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "DBUS_"))}
        self.bus = subprocess.Popen(
            ["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address=1"], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**env, **self.env, "DBUS_SESSION_BUS_ADDRESS": address, "HOME": str(self.directory)})
        if not self.bus.stdout.readline():
            raise RuntimeError("the bus of assistive technologies did not start")
        self.connection = Gio.DBusConnection.new_for_address_sync(
            address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION,
            None, None)

    def _registry(self):
        with contextlib.suppress(GLib.Error):
            return self.connection.call_sync(
                "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "GetConnectionUnixProcessID",
                GLib.Variant("(s)", ("org.a11y.atspi.Registry",)), None, Gio.DBusCallFlags.NONE, -1, None).unpack()[0]
        return None

    def stop(self):
        if self.connection:
            registry = self._registry()
            if registry:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(registry, 15)
            self.connection.close_sync(None)
            self.connection = None
        for process in (self.bus, self.server):
            if process:
                process.terminate()
                process.wait(DEADLINE_SEC)
        if self.bus:
            self.bus.stdout.close()
        self.bus = self.server = None
        self.temporary.cleanup()

    # ---- keys and pointer ----

    def _xdotool(self, *words):
        r = subprocess.run(["xdotool", *map(str, words)], env={**os.environ, **self.env}, check=True,
                           timeout=DEADLINE_SEC, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return r.stdout.split()

    def key(self, *keys):
        """As xdotool names them: "ctrl+n", "Escape"."""
        self._xdotool("key", *keys)

    def type(self, text):
        self._xdotool("type", "--delay", "1", "--", text)

    def point(self, x, y):
        self._xdotool("mousemove", round(x), round(y))

    def press(self, x, y, button=1):
        self._xdotool("mousemove", round(x), round(y), "click", button)

    def resize(self, pid, width, height):
        ids = self._xdotool("search", "--sync", "--onlyvisible", "--pid", pid)
        self._xdotool("windowsize", ids[0], width, height)

    def unfocus(self):
        """Keys are for the window under the pointer."""
        self._xdotool("search", "--maxdepth", "0", "--class", "", "windowfocus")

    def focus(self, pid):
        """Keys are for the window of this process."""
        self._xdotool("search", "--all", "--onlyvisible", "--pid", pid, "--class", "", "windowfocus")

    # ---- what is to be seen ----

    def screenshot(self, path, width=None, height=None):
        """Writes a PNG of the screen, or of its corner of that size."""
        data = (self.directory / "Xvfb_screen0").read_bytes()
        header = struct.unpack_from(">25I", data)
        stride, colours = header[12], header[19]
        begin = header[0] + 12 * colours
        width, height = min(width or header[4], header[4]), min(height or header[5], header[5])
        rows = []
        for y in range(height):
            row = data[begin + y * stride:begin + y * stride + 4 * width]
            rgb = bytearray(3 * width)  # of blue, green, red and nothing, or the other way round
            rgb[0::3], rgb[1::3], rgb[2::3] = (row[2::4], row[1::4], row[0::4]) if header[7] == 0 else (
                row[1::4], row[2::4], row[3::4])
            rows.append(b"\0" + rgb)
        pathlib.Path(path).write_bytes(png(width, height, b"".join(rows)))


def png(width, height, rows):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))
