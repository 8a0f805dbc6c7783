"""What of a folder is sent: the engine is the judge, on trees and ignore files that are generated."""

from __future__ import annotations

import io
import random
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from dockdsl.context.sending import BuildContext

NAMES = ["a", "b", "src", "a.md", "b.txt", "README.md", ".env", "a b", "[x]", "a*", "ü", "d.txt"]
PIECES = ["a", "b", "src", "*", "**", "?", "*.md", "*.txt", "a*", "[ab]", "[^a]", "[a-c]*", "RE*.md", ".*", "ü"]
PIECES += [r"\[x\]", r"a\*", "[!a]", "**.md", "a**", "d.txt", "README.md", ".env", "a b", "*?", "[*]", "\\s*", "a^b"]
SEEDS = [*range(6), *[pytest.param(seed, marks=pytest.mark.long) for seed in range(1000, 1400)]]


def plant(folder: Path, random: random.Random, names: Sequence[str] = NAMES, depth: int = 3) -> None:
    """Make a tree of files, folders and links."""
    folder.mkdir(exist_ok=True)
    for name in random.sample(names, random.randint(1, 7)):
        path = folder / name
        if depth and "." not in name and random.random() < 0.7:
            plant(path, random, names, depth - 1)
        elif random.random() < 0.1:
            path.symlink_to(random.choice(["a", "../b", "/src", "nothing"]))
        else:
            path.write_text(name)


def lines(random: random.Random) -> Iterator[str]:
    """Yield the lines of an ignore file."""
    for _ in range(random.randint(1, 6)):
        pattern = "/".join(random.choice(PIECES) for _ in range(random.randint(1, 3)))
        before = random.choice(["", "", "", "!", "!", "/", " ", "./", "! /", "x/../"])
        yield f"{before}{pattern}{random.choice(['', '', '', '/', ' ', '/.', chr(13)])}"


def sent_by_the_engine(folder: Path) -> set[str]:
    """Return the paths that a build of the whole context gets."""
    dockerfile = "FROM scratch\nCOPY . /\n"
    command = ["docker", "buildx", "build", "--output=type=tar,dest=-", "-f", "-", str(folder)]
    done = subprocess.run(command, input=dockerfile.encode(), capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        return {name.strip("/") for name in tar.getnames()}


def sent_by_us(folder: Path) -> set[str]:
    """Return the paths that dockdsl says are sent."""
    context = BuildContext.of(folder)
    assert context is not None
    found = {path for path, _ in context.walk()}
    for path in found:
        assert context.is_sent(path, context.folder.follow(path, last=False).kind)
    return found


@pytest.mark.engine
@pytest.mark.parametrize("seed", SEEDS)
def test_the_engine_sends_the_same(tmp_path: Path, seed: int) -> None:
    """What is sent of a generated tree with a generated ignore file is what the engine gets."""
    folder, source = tmp_path / "context", random.Random(seed)
    plant(folder, source)
    text = "\n".join(lines(source)) + "\n"
    folder.joinpath(".dockerignore").write_bytes(text.encode())
    assert sent_by_the_engine(folder) == sent_by_us(folder), (seed, text)
