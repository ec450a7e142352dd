#!/usr/bin/python3
"""The examples in docs/examples do what they say, with their times shortened.

    private-bus BUILDDIR test_examples.py docs/examples
"""

import pathlib
import re
import subprocess
import sys
import unittest

TIMEOUT_SEC = 60
EXAMPLES = None


def run(name, *arguments):
    return subprocess.run([EXAMPLES / name, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                          timeout=TIMEOUT_SEC, check=True).stdout.splitlines()


class ExamplesTest(unittest.TestCase):
    def test_child_reports(self):
        self.assertEqual(run("child-reports", "0.05")[-3:], [f"my child says: report {n}" for n in (1, 2, 3)])

    def test_server(self):
        # Else a small machine runs fewer at a time than the group may.
        subprocess.run(["busctl", "--user", "set-property", "org.longrun.Longrun1", "/org/longrun/Longrun1",
                        "org.longrun.Longrun1.Manager", "MaxParallel", "u", "0"], check=True)
        lines = [line for line in run("server", "25", "0.5") if re.match("hello|bye", line)]
        said = [re.fullmatch(r"(hello|bye), client (\d+): (\d+) here", line).groups() for line in lines]
        for what in ("hello", "bye"):
            self.assertEqual(sorted(int(client) for w, client, _ in said if w == what), list(range(1, 26)))
        # On a busy machine they come more slowly than they go.
        self.assertIn(max(int(here) for _, _, here in said), range(2, 11))
        self.assertEqual(said[-1][2], "0")
        self.assertIn("bye, client 1: 0 here", run("server", "1", "0"))  # once more: the group is there

    def test_hello_every_second(self):
        self.assertEqual(run("hello-every-second", "0.2")[-3:], ["hello"] * 3)

    def test_all_of_them(self):
        """None is left out here."""
        tests = {name.removeprefix("test_").replace("_", "-") for name in dir(self) if name.startswith("test_")}
        self.assertEqual({p.name for p in EXAMPLES.iterdir()}, tests - {"all-of-them"})


if __name__ == "__main__":
    EXAMPLES = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
