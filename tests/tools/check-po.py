#!/usr/bin/python3
"""The translations are whole: POTFILES lists all sources with words, longrun.pot has all of their words, and each
language of LINGUAS has all of those, with formats that fit.

    check-po.py SOURCE_ROOT XGETTEXT_ARGUMENT...
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import sources

SKIP = 77
ADVICE = "ninja -C build longrun-pot longrun-update-po takes new words over; then translate them"
CALL = re.compile(r"\b(?:_|N_|C_|NC_|ngettext)\(\s*(?:\"|/\*)")

def lines_of(path):
    return [line for line in sources.read(path).split("\n") if line and not line.startswith("#")]


def has_words(root, path):
    text = sources.read(root / path)
    if path.suffix == ".c":
        return bool(CALL.search(text))
    if path.suffix == ".ui":
        return 'translatable="yes"' in text
    return path.name.endswith((".desktop.in", ".metainfo.xml.in"))


def check_potfiles(root):
    listed = lines_of(root / "po/POTFILES")
    folders = {folder: sources.files(root / folder) for folder in ("client-gtk", "data")}
    paths = [pathlib.PurePath(folder) / path for folder, found in folders.items() for path in found]
    wanted = sorted(str(path) for path in paths if has_words(root, path))
    if listed == wanted:
        return []
    return [f"po/POTFILES wants {path}" for path in wanted if path not in listed] + \
           [f"po/POTFILES has {path}, which is not there or has no words" for path in listed if path not in wanted] + \
           ([] if sorted(listed) != wanted else ["po/POTFILES is not sorted"])


# ---- files of words ----

def strings(lines, keyword):
    """The value of msgid, msgstr[0] … in the lines of an entry: what follows it in quotes, up to the next one."""
    found, inside = [], False
    for line in lines:
        if line.startswith("msg"):
            inside = line.split(" ", 1)[0] == keyword
            line = line.split(" ", 1)[1]
        if inside:
            found.append(line.strip()[1:-1])
    return "".join(found)


def entries(text):
    """Of a .pot or .po: (context, singular, plural) -> its lines; without the header and what is obsolete."""
    found = {}
    for block in text.split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith("#~")]
        words = [line for line in lines if not line.startswith("#")]
        key = tuple(strings(words, keyword) for keyword in ("msgctxt", "msgid", "msgid_plural"))
        if key[1]:
            found[key] = lines
    return found


def extracted(root, arguments):
    with tempfile.TemporaryDirectory() as folder:
        pot = pathlib.Path(folder) / "new.pot"
        result = subprocess.run(["xgettext", *arguments, "--files-from=po/POTFILES", "--directory=.", "-o", str(pot)],
                                cwd=root, capture_output=True, text=True)
        if result.returncode:
            sys.exit(f"xgettext: {result.stderr}")
        return entries(sources.read(pot))


def check_pot(root, arguments):
    there, wanted = entries(sources.read(root / "po/longrun.pot")), extracted(root, arguments)
    return [f"po/longrun.pot does not have {key[1]!r}" for key in wanted if key not in there] + \
           [f"po/longrun.pot has {key[1]!r}, which no source has" for key in there if key not in wanted]


def check_language(root, language):
    path = root / "po" / f"{language}.po"
    pot, po = entries(sources.read(root / "po/longrun.pot")), entries(sources.read(path))
    errors = [f"{path.name}: not there: {key[1]!r}" for key in pot if key not in po]
    for key, lines in po.items():
        keywords = [line.split(" ", 1)[0] for line in lines if line.startswith("msgstr")]
        if key not in pot:
            errors.append(f"{path.name}: no longer wanted: {key[1]!r}")
        elif not all(strings(lines, keyword) for keyword in keywords):
            errors.append(f"{path.name}: not translated: {key[1]!r}")
        if any(line.startswith("#,") and "fuzzy" in line for line in lines):
            errors.append(f"{path.name}: only guessed (fuzzy): {key[1]!r}")
    result = subprocess.run(["msgfmt", "--check", "--check-accelerators=_", "-o", "/dev/null", str(path)], capture_output=True,
                            text=True)
    return errors + (result.stderr.strip().split("\n") if result.returncode else [])


def main():
    root = pathlib.Path(sys.argv[1])
    if not shutil.which("xgettext"):
        print("SKIP: gettext is not installed")
        return SKIP
    languages = lines_of(root / "po/LINGUAS")
    errors = check_potfiles(root) or check_pot(root, sys.argv[2:])
    for language in languages if not errors else []:
        errors += check_language(root, language)
    for error in errors:
        print(error)
    print(f"{len(languages)} languages, {len(errors)} wrong{'; ' + ADVICE if errors else ''}")
    return 1 if errors or not languages else 0


if __name__ == "__main__":
    sys.exit(main())
