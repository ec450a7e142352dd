#!/usr/bin/python3
"""The table of programs in docs/PROGRESS.md, against what is tested: recordings, and programs that run.

    check_table.py SOURCE_ROOT
"""

import json
import pathlib
import re
import runpy
import sys

SOURCES = {"notify", "osc", "counter", "percent", ""}
TESTED = {"recorded", "live", "lines"}


def rows(text):
    """Cells of the table whose first head is "program"."""
    table = text[text.index("| program |"):].split("\n\n")[0].split("\n")[2:]
    for line in table:
        yield [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip("|"))]


def program(cell):
    """"git clone, fetch" is git."""
    return re.match(r"[\w.+-]+", cell).group().lower()


def check_row(row, titles, live):
    if len(row) != 5:
        yield f"{row[0]}: {len(row)} columns"
        return
    name, _, source, _, tested = row
    tests = set(filter(None, tested.split(", ")))
    if source not in SOURCES or not tests <= TESTED:
        yield f"{name}: no such source or test: {source}, {tested}"
    word = re.compile(rf"\b{re.escape(program(name))}")
    if "recorded" in tests and not any(word.search(title) for title in titles):
        yield f"{name}: there is no recording of it"
    if "live" in tests and not word.search(live):
        yield f"{name}: it is not run by test_progress_live.py"


def check_recordings(folder, fixtures):
    known = runpy.run_path(str(folder / "record"))["RECORDINGS"]
    found = {path.stem for path in folder.glob("*.cast")}
    for name in sorted(found ^ set(known)):
        yield f"{name}.cast and the list in record do not agree"
    for name in sorted(found):
        if f'{{"{name}", ' not in fixtures:
            yield f"{name}.cast is not read by test-progress-fixtures.c"
        if (folder / f"{name}.cast").stat().st_size > 100 * 1024:
            yield f"{name}.cast is too large"


def main():
    root = pathlib.Path(sys.argv[1])
    folder = root / "tests/progress"
    titles = [json.loads(path.read_text(encoding="utf-8").split("\n", 1)[0])["title"] for path in folder.glob("*.cast")]
    live = (root / "tests/integration/test_progress_live.py").read_text(encoding="utf-8")
    table = list(rows((root / "docs/PROGRESS.md").read_text(encoding="utf-8")))
    errors = [error for row in table for error in check_row(row, titles, live)]
    errors += check_recordings(folder, (root / "tests/unit/test-progress-fixtures.c").read_text(encoding="utf-8"))
    for error in errors:
        print(error)
    print(f"{len(table)} programs, {len(titles)} recordings, {len(errors)} errors")
    return 1 if errors or not table or not titles else 0


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main())
