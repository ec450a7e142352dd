#!/usr/bin/python3
"""longrun start --pty: a terminal for the command, as that of the caller.

    LONGRUND=PATH LONGRUN=PATH test_cli_pty.py
"""

import sys

from cli_testing import Case
from longrun_testing import Terminal, main

TELL = 'stty size <&2; echo "$TERM"; test -t 0 && echo in; test -t 1 && echo out; test -t 2 && echo err >&2; exit 3'


class Pty(Case):
    def show(self, task, *keys):
        shown = self.json("show", "--json", task)
        return [shown[key] for key in keys]

    def test_what_it_finds(self):
        """Where the caller has none. The environment is the caller's."""
        for words, size, term in (([], "24 80", "vt100"), (["--pty-size", "132x50"], "50 132", "vt100"),
                                  (["--clean-env", "--env", "TERM=vt52"], "24 80", "vt52")):
            with self.subTest(words):
                r = self.session.run("start", "-f", "-q", "--pty", *words, "--", "sh", "-c", TELL, env={"TERM": "vt100"})
                self.assertEqual((r.returncode, r.stdout, r.stderr), (3, f"{size}\n{term}\nout\nerr\n", ""))

    def test_as_the_callers(self):
        """Also with --clean-env; what goes to a file does not matter as long as there is a terminal somewhere."""
        for words in ([], ["--clean-env"]):
            with Terminal(self.session, "start", "-f", "-q", "--pty", *words, "--", "sh", "-c", TELL, columns=117,
                          env={"TERM": "vt220"}) as t:
                code, text = t.finish()
            self.assertEqual(code, 3)
            self.assertTrue(text.startswith("24 117\r\nvt220\r\nout\r\nerr\r\n"), text)

    def test_size_alone(self):
        task = int(self.ok("start", "-q", "--pty-size", "1x65535", "true"))
        self.assertEqual(self.show(task, "pty", "pty-size"), [True, "1x65535"])
        task = int(self.ok("start", "-q", "true"))
        self.assertEqual(self.show(task, "pty", "pty-size"), [False, "80x24"])

    def test_wrong_sizes(self):
        for size in ("", "80", "80x", "x24", "0x24", "80x65536", "80x24x1", "80 x 24", "-80x24"):
            with self.subTest(size):
                r = self.session.run("start", "--pty", "--pty-size", size, "true")
                self.assertEqual(r.returncode, 2)
                self.assertIn("--pty-size wants COLUMNSxROWS, each from 1 to 65535", r.stderr)

    def test_default_of_a_group(self):
        self.ok("group", "add", "screens", "--pty", "--pty-size", "99x9")
        task = int(self.ok("start", "-q", "--group", "screens", "--", "sh", "-c", TELL))
        self.session.wait(task)
        self.assertEqual(self.ok("log", task), f"9 99\n{self.session.env.get('TERM') or 'xterm-256color'}\nout\nerr\n")
        self.assertIn("pty yes, pty-size 99x9", self.ok("group"))
        self.ok("group", "set", "screens", "--unset", "pty", "--unset", "pty-size")
        self.assertEqual(self.show(int(self.ok("start", "-q", "--group", "screens", "true")), "pty", "pty-size"),
                         [False, "80x24"])

    def test_one_stream_to_a_pipe(self):
        r = self.session.run("start", "-f", "-q", "--pty", "--", "sh", "-c", "echo one; echo two >&2; echo three")
        self.assertEqual((r.returncode, r.stdout, r.stderr), (0, "one\ntwo\nthree\n", ""))

    def test_lines_are_typed(self):
        task = int(self.ok("start", "-q", "--pty", "--stdin-open", "--", sys.executable, "-c",
                           'name = input("Name? "); print("Hello", name)'))
        self.ok("send", task, "World")
        self.session.wait(task)
        self.assertRegex(self.ok("log", task), r"\A(World\nName\? |Name\? World\n)Hello World\n\Z")


if __name__ == "__main__":
    main()
