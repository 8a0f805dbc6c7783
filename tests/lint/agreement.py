"""How far the rules agree with hadolint: ``python -m tests.lint.agreement HADOLINT`` prints a table for the docs.

A finding is a file, the first line of an instruction, and a code of hadolint. The files are those of the corpus that
both can read.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dockdsl.errors import DockerfileSyntaxError
from dockdsl.lint.rules import rules
from dockdsl.lint.subject import Subject
from tests.corpora import corpus

Findings = dict[str, set[tuple[int, int]]]
"""By code: the number of the file, and the line."""
_AT_ONCE = 100


def ours(texts: Sequence[str]) -> tuple[Findings, set[int]]:
    """Return what our rules find under hadolint's codes, and the files that cannot be read."""
    found: Findings = {}
    unread = set()
    for number, text in enumerate(texts):
        try:
            subject = Subject(text, "Dockerfile")
        except DockerfileSyntaxError:
            unread.add(number)
            continue
        for rule in rules():
            for fault in rule.examine(subject) if rule.examine is not None else ():
                for code in [fault.alias] if fault.alias else rule.aliases[:1]:
                    found.setdefault(code, set()).add((number, fault.line.logical.first + 1))
    return found, unread


def hadolints(program: str, texts: Sequence[str]) -> tuple[Findings, set[int]]:
    """Return what hadolint finds, and the files that it cannot read or that end it."""
    found: Findings = {}
    unread = set()
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, str(number)) for number in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text, encoding="utf-8", newline="")
        for start in range(0, len(paths), _AT_ONCE):
            for row in _rows(program, paths[start : start + _AT_ONCE]):
                number = int(Path(row["file"]).name)
                if row["code"] == "DL1000":
                    unread.add(number)
                found.setdefault(row["code"], set()).add((number, row["line"]))
    return found, unread


def _rows(program: str, paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
    command = [program, "--format=json", "--no-fail", *map(str, paths)]
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, capture_output=True, env=environment, timeout=600, check=False)
    try:
        yield from json.loads(done.stdout)
    except ValueError:
        # One file ended it.
        if len(paths) == 1:
            yield {"file": str(paths[0]), "code": "DL1000", "line": 1}
            return
        middle = len(paths) // 2
        yield from _rows(program, paths[:middle])
        yield from _rows(program, paths[middle:])


def main(program: str, shown: str = "") -> None:
    """Print the table; with codes, the lines on which the two differ."""
    texts = [str(each["text"]) for each in corpus()]
    mine, unread = ours(texts)
    theirs, unread_there = hadolints(program, texts)
    left_out = unread | unread_there
    print(f"{len(texts) - len(left_out)} files; left out: {len(unread)} and {len(unread_there)}\n")
    print("| code | rule | level | both | hadolint alone | dockdsl alone | agreement |\n|---|---|---|---|---|---|---|")
    of_code = {alias: rule for rule in rules() for alias in rule.aliases if alias.startswith("DL")}
    for code, rule in sorted(of_code.items()):
        here, there = ({each for each in found.get(code, set()) if each[0] not in left_out} for found in (mine, theirs))
        both, either = len(here & there), len(here | there)
        counts = (both, len(there - here), len(here - there), f"{both / either:.1%}") if either else ("",) * 4
        print("|", *(f"{each} |" for each in (code, f"`{rule.name}`", rule.level, *counts)))
        if code in shown.split(","):
            for name, differing in (("hadolint", there - here), ("dockdsl", here - there)):
                for number, line in sorted(differing):
                    print(f"{name} {number}:{line}: {' '.join(texts[number].splitlines()[line - 1 : line + 3])[:300]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
