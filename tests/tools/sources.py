"""The files of a source tree, for the checks beside this one."""

import pathlib
import re


def files(root, *suffixes):
    """Every file that belongs to the project, as a path from the root, sorted: all but build directories and those
    that begin with a dot, .ci excepted, and .git where that is a file, as git worktree makes it. With suffixes, only
    those that end in one."""
    found = []
    todo = [root]
    while todo:
        for path in todo.pop().iterdir():
            if path.name == "__pycache__" or (path.parent == root and path.name.startswith("build")):
                continue
            if path.is_dir():
                if path.name == ".ci" or not path.name.startswith("."):
                    todo.append(path)
            elif path.is_file() and path.name != ".git" and (not suffixes or path.suffix in suffixes):
                found.append(path.relative_to(root))
    return sorted(found)


def read(path):
    """The text of a file, or "" when it is not text."""
    try:
        return pathlib.Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def is_shell_script(path):
    first = read(path).split("\n", 1)[0]
    return path.suffix == ".sh" or bool(re.match(r"#!.*[/ ](sh|dash|bash)\b", first))
