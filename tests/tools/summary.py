#!/usr/bin/python3
"""Adds up what `meson test` has written down.

    summary.py [--no-skip] [--wrong 0|1] TESTLOG.JSON...

Names what failed, and with --no-skip what was skipped; the last line is "N passed, N failed, N skipped". Exits with 1
when a test failed, with --no-skip also when one was skipped, when there was none, and when something was wrong
(--wrong 1) that no test shows, like a build that failed.
"""

import argparse
import collections
import json
import pathlib
import sys

PASSED = {"OK", "EXPECTEDFAIL"}
SKIPPED = {"SKIP"}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--no-skip", action="store_true")
    parser.add_argument("--wrong", type=int, default=0)
    parser.add_argument("logs", nargs="*", type=pathlib.Path)
    args = parser.parse_args()

    count = collections.Counter()
    for log in args.logs:
        for line in log.read_text(encoding="utf-8").splitlines():
            test = json.loads(line)
            kind = "passed" if test["result"] in PASSED else "skipped" if test["result"] in SKIPPED else "failed"
            count[kind] += 1
            if kind == "failed" or (kind == "skipped" and args.no_skip):
                print(f"{test['result']}: {test['name']} in {log.parts[0]}")
    wrong = args.wrong or count["failed"] or not count["passed"] or (args.no_skip and count["skipped"])
    if args.no_skip and count["skipped"]:
        print("A skipped test is an error here: every test must run.")
    if args.wrong and not count["failed"]:
        print("Not every build got to the end of its tests, see above.")
    print(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
