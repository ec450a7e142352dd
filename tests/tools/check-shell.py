#!/usr/bin/python3
"""shellcheck has nothing to say about any shell script of the tree.

    check-shell.py SOURCE_ROOT
"""

import pathlib
import shutil
import subprocess
import sys

import sources

SKIP = 77


def main():
    root = pathlib.Path(sys.argv[1])
    if not shutil.which("shellcheck"):
        print("SKIP: shellcheck is not installed")
        return SKIP
    scripts = [str(path) for path in sources.files(root) if sources.is_shell_script(root / path)]
    print(f"{len(scripts)} scripts: {' '.join(scripts)}")
    return subprocess.run(["shellcheck", "--external-sources", "--", *scripts], cwd=root).returncode if scripts else 1


if __name__ == "__main__":
    sys.exit(main())
