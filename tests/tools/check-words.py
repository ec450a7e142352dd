#!/usr/bin/python3
"""Words that no file of the tree may have: paths of somebody's machine, marks of unfinished work.

    check-words.py SOURCE_ROOT
"""

import pathlib
import re
import sys

import sources

# What is searched for would be found here; each is written so that it does not match itself.
EVERYWHERE = [
    (re.compile(r"(?<![\w.~*}$])/(?:home|work|root|Users)/(?=\w)"), "a path of one machine"),
    (re.compile(r"\b(?:TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b"), "a mark of unfinished work"),
    (re.compile(r"^(?:<{7} |>{7} |={7}$)"), "a merge conflict"),
]
# Tests make directories of their own there; a program asks the environment.
IN_PROGRAMS = [(re.compile(r'"/(?:tmp|var/tmp|run/user)\b'), "a fixed directory")]


def check_file(root, path):
    rules = list(EVERYWHERE)
    if path.suffix in (".c", ".h") and path.parts[0] != "tests":
        rules += IN_PROGRAMS
    for number, line in enumerate(sources.read(root / path).split("\n"), 1):
        for pattern, what in rules:
            match = pattern.search(line)
            if match:
                yield f"{path}:{number}: {match.group().strip()}: {what}"


def main():
    root = pathlib.Path(sys.argv[1])
    paths = sources.files(root)
    errors = [error for path in paths for error in check_file(root, path)]
    for error in errors:
        print(error)
    print(f"{len(paths)} files, {len(errors)} wrong words")
    return 1 if errors or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
