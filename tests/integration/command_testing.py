"""Commands over the bus: what tests of them have in common."""

from daemon_testing import DaemonTestCase
from longrun_testing import Gate

PYTHON = "/usr/bin/python3"


class CommandTestCase(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.gate = Gate(self.session.session)
        self.addCleanup(self.gate.close)
        self.fifo = self.session.fifo()
        # Waits until the test lets it go on.
        self.pause = f"read -r _ <{self.gate.path}"

    def go_on(self):
        self.gate.send("")
