"""A longrund whose wall clock a test sets forward and back under it: see clock-shift.c."""

import os
import struct
import time


class ClockMixin:
    """For a DaemonTestCase. Its session is to be made by start_with_clock()."""

    def start_with_clock(self, *arguments, environment=None, shift=0):
        """Gives a session whose clock is off by so many seconds."""
        library = os.environ.get("CLOCK_SHIFT_LIBRARY")
        if not library:
            self.skipTest("CLOCK_SHIFT_LIBRARY in the environment does not name clock-shift.so")
        session = self.new_session(*arguments, start=False)
        self.clock = session.base / "clock"
        self.clock.write_bytes(struct.pack("@q", shift))
        self.shift = shift
        session.env.update({**(environment or {}), "LD_PRELOAD": library, "CLOCK_SHIFT": str(self.clock)})
        session.start_daemon()
        return session

    def set_clock(self, seconds):
        """Off by so many seconds from now on."""
        self.shift = seconds
        with open(self.clock, "r+b", buffering=0) as clock:
            clock.write(struct.pack("@q", seconds))

    def set_clock_to(self, moment):
        """To seconds since the epoch."""
        self.set_clock(int(moment - time.time()))

    def now(self):
        """What longrund's clock shows, in seconds."""
        return time.time() + self.shift
