"""Errors about the context: an engine is the judge, on generated trees, ignore files and steps."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from dockdsl.context.sending import BuildContext
from dockdsl.lint.build import Build
from dockdsl.lint.checking import Checking
from tests.context.test_sending import SEEDS, lines, plant

NAMES = ["a", "b", "src", "a.md", "b.txt", "README.md", ".env", "a b", "d.txt", "c"]
SOURCES = [
    "a",
    "b",
    "src",
    "a.md",
    "*.md",
    "*",
    "src/*",
    "*/a",
    "a/*.txt",
    "README.md",
    ".env",
    "[ab]",
    "a*",
    "?",
    ".*",
]
SOURCES += ["src/a", "b/*", "../a", "./src/", "a/..", "/b/", "*/*/*", "src/a.md", "d.txt", "b.txt", "[a-b]*/[ab]"]
DESTINATIONS = ["/x", "/x/", "/x/y", "/y/", "./", "/y", "/x/a"]
JUDGED = {"CopySourceMissing", "CopySourceIgnored", "WildcardMatchesNothing", "DestinationIsAFile"}
# A file and a folder of one step at one place, or a file where a folder of the same name was copied.
OTHER = ("cannot copy to non-directory", "cannot replace to directory", "not a directory")


@pytest.mark.engine
@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_an_error_does_not_build(tmp_path: Path, seed: int) -> None:
    """A build fails where an error is found, and nowhere else."""
    folder, source = tmp_path / "context", random.Random(seed)
    plant(folder, source, NAMES)
    if source.random() < 0.7:
        folder.joinpath(".dockerignore").write_text("\n".join(lines(source)) + "\n")
    text = "FROM scratch\n"
    for _ in range(source.randint(1, 3)):
        named = " ".join(source.sample(SOURCES, source.choice([1, 1, 1, 2])))
        text += f"{source.choice(['COPY', 'ADD'])} {named} {source.choice(DESTINATIONS)}\n"
    found = Checking("Dockerfile").text(text, build=Build(BuildContext.of(folder)))
    errors = [each for each in found if each.severity == "error" and each.rule in JUDGED]
    command = ["docker", "buildx", "build", "--no-cache", "--output=type=tar,dest=/dev/null", "-f", "-", str(folder)]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=120, check=False)

    if not any(other in done.stderr for other in OTHER):
        assert (done.returncode != 0) == bool(errors), (seed, text, errors, done.stderr)
