"""Tasks that outlive the daemon: what tests of that have in common."""

import os
import pathlib

from daemon_testing import DaemonTestCase
from process_testing import until


def is_paused(pid):
    """Stopped, or waiting in vfork(2) for a child that is."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "TD"


class TakeUpTestCase(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.fifo = self.session.fifo("said")
        self.side = self.session.base / "side"
        # Each attempt of a command leaves a line; then it says that it is there.
        self.begin = f"echo x >>{self.side}; echo $$ >{self.fifo.path}"
        # Up to open_gate(): a named pipe of this task.
        gate = f"{self.session.base}/gate-$LONGRUN_TASK_ID"
        self.pause = f"mkfifo {gate} 2>&-; read -r word <{gate}; rm {gate}"

    def starts(self):
        """Attempts of commands that were executed."""
        return self.side.read_text().count("x") if self.side.exists() else 0

    def open_gate(self, task):
        """Waits for the command to be there, and lets it pass."""
        gate = self.session.base / f"gate-{task.id}"

        def opened():
            try:
                return os.open(gate, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError:
                return None

        fd = until(opened, "nobody waits at the gate")
        os.write(fd, b"open\n")
        until(lambda: os.fstat(fd).st_nlink == 0, "nobody passes the gate")
        os.close(fd)

    def begun(self, script, before=":", **options):
        """A command that has begun, and has done before that what is to be done."""
        task = self.session.shell(f"{before}; {self.begin}; {script}", **options)
        task.main_pid = int(self.fifo.read_line())
        return task

    def wait_ended(self, task):
        """Without the daemon: the shim has written down how it ended, and is gone."""
        record = self.session.runtime / f"task-{task.id}/exit"
        until(record.exists, f"{record} does not come")
        until(lambda: task.id not in self.session.shims(), "the shim does not go")

    def assertTrueEnd(self, task, state, code, message="^", attempt=1):
        """The end, which stays the same in the next daemon, and has been told at most once."""
        self.assertEqual(task.wait(), (state, code))
        p = self.lasting(task)
        self.assertRegex(p["Message"], message)
        self.assertEqual(p["Attempt"], attempt)
        self.assertGreaterEqual(p["FinishedAt"], max(p["StartedAt"], p["CreatedAt"]))
        self.session.dispatch()
        self.assertLessEqual(len(task.signals("Finished")), 1)
        self.session.restart()
        self.assertEqual(self.lasting(task), p)
        self.assertLessEqual(len(task.signals("Finished")), 1)

    @staticmethod
    def lasting(task):
        names = ("State", "ExitCode", "ExitSignal", "Message", "Attempt", "FinishedAt", "StartedAt", "CreatedAt",
                 "HasResult", "LogSize", "Usage", "Label")
        return {name: task.get(name) for name in names}
