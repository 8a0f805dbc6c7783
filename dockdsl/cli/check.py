"""The verb ``check``: find mistakes in Python build files and Dockerfiles before they are built."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockdsl.cli.streams import put, say, show
from dockdsl.display import suggestion
from dockdsl.errors import DockdslError, SourceError
from dockdsl.lint import formats
from dockdsl.lint.checking import UNREADABLE, check_dockerfile, check_text, problem
from dockdsl.lint.finding import LEVELS, Finding
from dockdsl.lint.rules import rules
from dockdsl.loading import read_text
from dockdsl.model.dockerfile import Dockerfile
from dockdsl.origins import Origin
from dockdsl.selection import Selected, select, split
from dockdsl.syntax.filenames import is_dockerfile

if TYPE_CHECKING:
    import argparse

NOTHING = "NoDockerfile"
"""The rule of a finding about a Python file that defines nothing to check."""
_OTHERS = ("node_modules", "vendor", "venv", "__pycache__")
"""Folders with files of others."""
_TESTS = ("test_*.py", "*_test.py", "conftest.py")
_LONGEST = 60.0
"""Seconds that a Python file of a folder may take."""
_GUARD = 'guard that with if __name__ == "__main__"'
_import = re.compile(rb"^[ \t]*(?:from|import)[ \t]+dockdsl\b", re.MULTILINE)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    what = "a Python file (*.py, FILE:NAME for one object), a Dockerfile (- is stdin), or a folder with such files"
    parser.add_argument("sources", metavar="PATH", nargs="*", help=what)
    form = "how to print the findings"
    parser.add_argument("--format", choices=sorted(formats.FORMATS), default="text", help=form)
    least = "the lowest level to report (default: warning)"
    parser.add_argument("--severity", choices=LEVELS, default="warning", help=least)
    parser.add_argument("--explain", metavar="RULE", help="print the page of a rule")
    parser.add_argument("--rules", action="store_true", help="list the rules")


def run(options: argparse.Namespace) -> int:
    """Check, and print; 1 if anything was found."""
    if options.explain is not None:
        return _explain(options.explain)
    if options.rules:
        show("".join(f"{rule.name}: {rule.summary}\n" for rule in rules()))
        return 0
    if not options.sources:
        raise SourceError("there is nothing to check; name a file or a folder")
    wanted = LEVELS[: LEVELS.index(options.severity) + 1]
    examine: dict[str, Callable[[str], list[Finding] | None]] = {}
    for source in options.sources:
        if source == "-" or not Path(source).is_dir():
            examine[source] = _findings
        else:
            examine = dict.fromkeys(_files(source), _findings_in_folder) | examine
    results = [result for path, look in examine.items() if (result := look(path)) is not None]
    found = [each for result in results for each in result if each.level in wanted]
    form = formats.FORMATS[options.format]
    written = form(found)
    if options.format == "text":
        if written:
            show(written)
        count, files = len(found), len(results)
        say(f"{count} finding{'' if count == 1 else 's'} in {files} file{'' if files == 1 else 's'}")
    else:
        put(written)
    return 1 if found else 0


def _explain(name: str) -> int:
    for rule in rules():
        if name.lower() in (rule.name.lower(), *(alias.lower() for alias in rule.aliases)):
            show(f"{rule.name} ({rule.level})\n\n{rule.page.rstrip()}\n")
            return 0
    known = [name for rule in rules() for name in (rule.name, *rule.aliases)]
    raise SourceError(f"--explain: there is no rule {name!r}; {suggestion(name, known, 'see --rules')}")


def _files(folder: str) -> Iterator[str]:
    """Yield a folder's Dockerfiles, and its Python files that import dockdsl, without tests and what others wrote."""
    found: list[Path] = []
    for at, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name[0] != "." and name not in _OTHERS]
        found += [Path(at, name) for name in names if name[0] != "."]
    for path in sorted(found):
        is_ours = path.suffix == ".py" and not any(fnmatch(path.name, test) for test in _TESTS)
        if path.is_file() and (is_dockerfile(path.name) or (is_ours and _imports_dockdsl(path))):
            yield str(path)


def _imports_dockdsl(path: Path) -> bool:
    try:
        source = path.read_bytes()
    except OSError:
        # That it cannot be read is found when it is run.
        return True
    if b"dockdsl" not in source:
        return False
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _import.search(source) is not None
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
    return any(name.split(".")[0] == "dockdsl" for name in names)


def _findings_in_folder(path: str) -> list[Finding] | None:
    """Return what is found in a file of a folder; None for a Python file that defines nothing to check.

    A Python file is run in a process of its own: one that ends it, or does not end, leaves the others alone.
    """
    if not path.endswith(".py"):
        return _findings(path)
    from dockdsl.cli.together import environment

    # Imports are searched for in the current folder if they are here, as after `python -m dockdsl`.
    safe = [] if sys.path[:1] == [os.getcwd()] else ["-P"]  # noqa: PTH109 - a text is compared
    options = ["--format=json", f"--severity={LEVELS[-1]}"]
    command = [sys.executable, *safe, "-m", "dockdsl", "check", *options, f"{os.path.abspath(path)}:*"]  # noqa: PTH100 - links stay
    given: Any = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "env": environment(), "timeout": _LONGEST}
    try:
        done = subprocess.run(command, **given, check=False)  # noqa: S603 - dockdsl itself
        rows = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return [problem(SourceError(f"the file did not end within {_LONGEST:g} s; {_GUARD}"), path)]
    except ValueError:
        how = f"exit {done.returncode}" if done.returncode >= 0 else f"signal {-done.returncode}"
        fact = f"the file ended the program ({how}) before it was checked"
        return [problem(SourceError(f"{fact}; {_GUARD}"), path)]
    if [row["rule"] for row in rows] == [NOTHING]:
        return None
    return [_finding(row) for row in rows]


def _finding(row: dict[str, Any]) -> Finding:
    line, origin = row["dockerfile_line"], Origin(row["path"], row["line"])
    return Finding(row["rule"], row["level"], row["message"], row["remedy"], line, line, origin)


def _findings(spec: str) -> list[Finding]:
    """Return what is found in a file; what cannot be read is a finding, too."""
    file, name = split(spec)
    loaded: dict[str, dict[str, Any]] = {}
    chosen: list[Selected[Dockerfile]] = []
    try:
        if not file.endswith(".py"):
            return check_text(read_text(file), "<stdin>" if file == "-" else file)
        chosen, _ = select(spec if name is not None else f"{file}:*", Dockerfile, files=loaded)
        models = {id(each.value): each.value for each in chosen}
        found = [each for value in models.values() for each in check_dockerfile(value, file)]
        # A stage that several objects share is one place.
        return list({(each.rule, str(each.origin), each.fact): each for each in found}.values())
    except DockdslError as error:
        is_empty = bool(loaded) and not chosen and name in (None, "*")
        return [problem(error, file, NOTHING if is_empty else UNREADABLE)]
