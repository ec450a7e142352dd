#!/usr/bin/python3
"""The source checks find what they are there to find, and the summary adds up.

Each case is a little tree that is in order but for one thing, and a part of what the check must say about it.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).resolve().parent
SKIP = 77

CLEAN = {
    ".clang-format": "BasedOnStyle: LLVM\nIndentWidth: 4\n",
    ".ci/run": "#!/bin/sh\nexit 0\n",
    ".git": "gitdir: /ho" + "me/me/.git/worktrees/x\n",
    "common/text.h": "#pragma once\n",
    "daemon/core/task.h": '#pragma once\n#include "common/text.h"\n',
    "daemon/logs/log.c": '#include "daemon/core/task.h"\n#include <stdio.h>\n',
    "daemon/bus/bus.c": '#include <systemd/sd-bus.h>\n',
    "daemon/main.c": '#include "daemon/core/task.h"\n#include "version.h"\n',
    "tests/unit/test.c": '#include "daemon/core/task.h"\n#include <check.h>\nconst char *p = "/tmp/x";\n',
    "build-x/junk.c": '#include "nothing.h" // TO' + 'DO\n',
}

# The check, the broken file, its content, what is said.
CASES = [
    ("check-includes.py", "daemon/core/task.c", '#include "daemon/logs/log.h"\n', "is no file"),
    ("check-includes.py", "common/a.c", '#include "daemon/core/task.h"\n', "common/ may include from common only"),
    ("check-includes.py", "daemon/shim/a.c", '#include "daemon/core/task.h"\n', "daemon/shim/ may include"),
    ("check-includes.py", "client-cli/a.c", '#include "daemon/core/task.h"\n', "client-cli/ may include"),
    ("check-includes.py", "common/a.c", '#include "text.h"\n', "paths begin at its root"),
    ("check-includes.py", "common/a.c", "  #  include <systemd/sd-event.h>\n", "<systemd/sd-event.h> is only for"),
    ("check-includes.py", "daemon/exec/a.c", "#include <systemd/sd-bus.h>\n", "<systemd/sd-bus.h> is only for"),
    ("check-includes.py", "daemon/core/a.c", "#include <curl/curl.h>\n", "<curl/curl.h> is only for"),
    ("check-includes.py", "daemon/new/a.c", "#include <stdio.h>\n", "daemon/new/ is not in the table"),
    ("check-words.py", "README.md", "see /ho" + "me/me/file\n", "a path of one machine"),
    ("check-words.py", "common/a.c", "// TO" + "DO: later\n", "unfinished"),
    ("check-words.py", "common/a.c", 'const char *p = "/tmp/x";\n', "a fixed directory"),
    ("check-words.py", ".ci/other", "<<<<<<" + "< HEAD\n", "a merge conflict"),
    ("check-format.py", "common/a.c", "int  a ;\n", "clang-format"),
    ("check-shell.py", ".ci/run", "#!/bin/sh\necho $1\n", "SC2086"),
    ("check-shell.py", "scripts/new", "#!/usr/bin/env bash\ncd $1\n", "SC2086"),
]


def write(root, path, text):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text, encoding="utf-8")


class TestChecks(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.directory.name)
        for path, text in CLEAN.items():
            write(self.root, path, text)

    def tearDown(self):
        self.directory.cleanup()

    def check(self, name):
        r = subprocess.run([sys.executable, "-B", TOOLS / name, self.root], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True)
        if r.returncode == SKIP:
            self.skipTest(r.stdout.strip())
        return r

    def test_clean(self):
        for name in sorted({case[0] for case in CASES}):
            with self.subTest(name):
                r = self.check(name)
                self.assertEqual(r.returncode, 0, r.stdout)

    def test_broken(self):
        for name, path, text, said in CASES:
            with self.subTest(f"{name}: {path}: {text.strip()}"):
                write(self.root, path, text)
                r = self.check(name)
                self.assertEqual(r.returncode, 1, r.stdout)
                self.assertIn(said, r.stdout)
                self.assertIn(path, r.stdout)
                (self.root / path).unlink()
                if path in CLEAN:
                    write(self.root, path, CLEAN[path])

    def test_summary(self):
        # Results of two builds, arguments, exit status, what is said.
        cases = [
            ("OK OK", "OK", [], 0, ["3 passed, 0 failed, 0 skipped"]),
            ("OK SKIP", "OK", [], 0, ["2 passed, 0 failed, 1 skipped"]),
            ("OK SKIP", "OK", ["--no-skip"], 1, ["SKIP: 1 in a", "2 passed, 0 failed, 1 skipped"]),
            ("OK", "FAIL TIMEOUT ERROR", [], 1, ["TIMEOUT: 1 in b", "1 passed, 3 failed, 0 skipped"]),
            ("OK", "OK", ["--wrong", "1"], 1, ["Not every build", "2 passed, 0 failed, 0 skipped"]),
            ("", "", [], 1, ["0 passed, 0 failed, 0 skipped"]),
        ]
        for first, second, args, status, said in cases:
            with self.subTest(f"{first} / {second} {args}"):
                for name, results in (("a", first), ("b", second)):
                    lines = (json.dumps({"name": str(i), "result": r}) for i, r in enumerate(results.split()))
                    write(self.root, f"{name}/testlog.json", "".join(f"{line}\n" for line in lines))
                r = subprocess.run([sys.executable, "-B", TOOLS / "summary.py", *args, "a/testlog.json", "b/testlog.json"],
                                   stdout=subprocess.PIPE, text=True, cwd=self.root)
                self.assertEqual(r.returncode, status, r.stdout)
                for text in said:
                    self.assertIn(text, r.stdout)
                self.assertEqual(r.stdout.splitlines()[-1], said[-1])


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    sys.exit(1 if not result.wasSuccessful() else SKIP if result.skipped else 0)
