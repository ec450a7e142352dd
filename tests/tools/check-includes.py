#!/usr/bin/python3
"""Who may include whom: common <- core <- {store, logs, exec, http, bus} <- manager <- main; libraries where they belong.

    check-includes.py SOURCE_ROOT

A folder that is not in the tables is an error: whoever makes one says here what it may see.
"""

import pathlib
import re
import sys

import sources

# The pages of the window, and what else of it is part of each.
PAGES = {"tasks": [], "task": ["client-gtk/log"], "log": [], "start": [], "backends": [], "messages": [], "demo": []}

# The folders of ours that the files directly in a folder may include from.
FOLDERS = {
    "common": {"common"},
    "daemon/core": {"daemon/core", "common"},
    "daemon/store": {"daemon/store", "daemon/core", "common"},
    "daemon/logs": {"daemon/logs", "daemon/core", "common"},
    "daemon/kinds": {"daemon/kinds", "common"},
    "daemon/exec": {"daemon/exec", "daemon/kinds", "daemon/core", "common"},
    "daemon/http": {"daemon/http", "daemon/kinds", "daemon/core", "common"},
    "daemon/bus": {"daemon/bus", "daemon/core", "common"},
    "daemon/shim": {"daemon/shim", "common"},
    "daemon/worker": {"daemon/worker", "daemon/http", "daemon/kinds", "common"},
    # The composition root.
    "daemon": {"daemon", "daemon/bus", "daemon/exec", "daemon/http", "daemon/kinds", "daemon/logs", "daemon/store",
               "daemon/core", "common"},
    "client-cli": {"client-cli", "common"},
    # Pages do not know each other; the window puts them together.
    "client-gtk/base": {"client-gtk/base", "common"},
    "client-gtk/widgets": {"client-gtk/widgets", "client-gtk/base", "common"},
    **{f"client-gtk/{page}": {f"client-gtk/{page}", *shared, "client-gtk/widgets", "client-gtk/base", "common"}
       for page, shared in PAGES.items()},
    "client-gtk/pch": set(),
    "client-gtk": {"client-gtk", *(f"client-gtk/{page}" for page in PAGES), "client-gtk/widgets", "client-gtk/base",
                   "common"},
}

WINDOW = {folder for folder in FOLDERS if folder.startswith("client-gtk")}
VIEW = WINDOW - {"client-gtk/base"}  # models beside the pages are built without GTK's headers in sight
TESTS = "tests"  # and every folder below: they may include what they test

# Who may include a library's headers; the first match counts. What is not listed (libc, the kernel) is free for all.
LIBRARIES = [
    ("systemd/sd-bus", {"daemon/bus", "daemon", "client-cli", TESTS}),
    ("systemd/sd-event", {"daemon/exec", "daemon/http", "daemon/store", "daemon/bus", "daemon", "client-cli", TESTS}),
    ("systemd/", {"daemon", "client-cli", TESTS}),
    ("cjson/", {"daemon/core", "daemon/kinds", "daemon/exec", "daemon/worker", "daemon/http", "daemon/store", "daemon/bus", "daemon",
                "client-cli", "client-gtk/start", "client-gtk/demo", TESTS}),
    ("curl/", {"daemon/http", TESTS}),
    ("microhttpd.h", {TESTS}),
    ("gcrypt", {"daemon/http", "daemon/kinds", "daemon/worker", "daemon/store", "daemon", TESTS}),
    ("sqlite3.h", {"daemon/store", TESTS}),
    ("ini.h", {"daemon", TESTS}),
    ("check.h", {TESTS}),
    ("glib", {*WINDOW, TESTS}),
    ("gio/", {*WINDOW, TESTS}),
    ("gtk/", {*VIEW, TESTS}),
    ("adwaita.h", {*VIEW, TESTS}),
]

GENERATED = {"version.h", "dbus/dbus-proxies.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')


def check_local(root, folder, name):
    if name in GENERATED:
        return None
    if not (root / name).is_file():
        return f'"{name}" is no file of the source tree; paths begin at its root'
    theirs = str(pathlib.PurePath(name).parent)
    if folder != TESTS and theirs not in FOLDERS[folder]:
        return f'"{name}": {folder}/ may include from {", ".join(sorted(FOLDERS[folder]))} only'
    return None


def check_library(folder, name):
    for prefix, allowed in LIBRARIES:
        if name.startswith(prefix):
            if folder not in allowed:
                return f"<{name}> is only for {', '.join(sorted(allowed))}"
            return None
    return None


def check_file(root, path):
    folder = TESTS if path.parts[0] == TESTS else str(path.parent)
    if folder != TESTS and folder not in FOLDERS:
        yield f"{path}: the folder {folder}/ is not in the table of {sys.argv[0]}"
        return
    for number, line in enumerate(sources.read(root / path).split("\n"), 1):
        match = INCLUDE.match(line)
        if match:
            local, library = match.groups()
            error = check_local(root, folder, local) if local else check_library(folder, library)
            if error:
                yield f"{path}:{number}: {error}"


def main():
    root = pathlib.Path(sys.argv[1])
    paths = sources.files(root, ".c", ".h")
    errors = [error for path in paths for error in check_file(root, path)]
    for error in errors:
        print(error)
    print(f"{len(paths)} files, {len(errors)} wrong includes")
    return 1 if errors or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
