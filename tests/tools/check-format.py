#!/usr/bin/python3
"""Every C file is laid out as .clang-format says.

    check-format.py SOURCE_ROOT
"""

import pathlib
import re
import shutil
import subprocess
import sys

import sources

SKIP = 77
VERSION = "14"  # others lay out the same style differently


def find_clang_format():
    for name in (f"clang-format-{VERSION}", "clang-format"):
        path = shutil.which(name)
        if path:
            version = re.search(r"version (\d+)\.", subprocess.check_output([path, "--version"], text=True))
            if version and version.group(1) == VERSION:
                return path
    return None


def main():
    root = pathlib.Path(sys.argv[1])
    clang_format = find_clang_format()
    if not clang_format:
        print(f"SKIP: clang-format {VERSION} is not installed")
        return SKIP
    paths = [str(path) for path in sources.files(root, ".c", ".h")]
    r = subprocess.run([clang_format, "--dry-run", "-Werror", *paths], cwd=root, stderr=subprocess.PIPE, text=True)
    wrong = sorted(set(re.findall(r"^(\S+):\d+:\d+: error: ", r.stderr, re.MULTILINE)))
    print(f"{len(paths)} files, {len(wrong)} laid out otherwise")
    if wrong:
        print(f"Put right by:\n    (cd {root} && {clang_format} -i {' '.join(wrong)})")
    elif r.returncode != 0:
        print(r.stderr)
    return 1 if r.returncode != 0 or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
