#!/usr/bin/python3
"""What README.md tells people to type works.

    private-bus BUILDDIR test_readme.py README.md

Every block of shell commands that follows a line <!-- tested --> is executed, in order, in one home and on one bus,
each in a shell that stops at the first command that fails.
"""

import pathlib
import re
import subprocess
import sys

TIMEOUT_SEC = 60
BLOCK = re.compile(r"^<!-- tested -->\n+```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def main():
    readme = pathlib.Path(sys.argv[1])
    text = readme.read_text(encoding="utf-8")
    blocks = list(BLOCK.finditer(text))
    if len(blocks) != text.count("<!-- tested -->"):
        print("a mark <!-- tested --> is not followed by a block ```sh")
        return 1
    failed = 0
    for block in blocks:
        line = text.count("\n", 0, block.start(1)) + 1
        print(f"--- {readme.name}:{line}", flush=True)
        try:
            code = subprocess.run(["bash", "-euxo", "pipefail", "-c", block.group(1)], stdin=subprocess.DEVNULL,
                                  stderr=subprocess.STDOUT, timeout=TIMEOUT_SEC).returncode
        except subprocess.TimeoutExpired:
            code = f"none after {TIMEOUT_SEC} s"
        if code != 0:
            print(f"{readme.name}:{line}: exit status {code}", flush=True)
            failed += 1
    print(f"{len(blocks)} blocks, {failed} failed")
    return 1 if failed or not blocks else 0


if __name__ == "__main__":
    sys.exit(main())
