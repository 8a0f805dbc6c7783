"""The rule about the line that names a frontend, in Dockerfiles and in Python files."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockdsl import check

DIGEST = "@sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("name", "is_found"),
    [
        ("registry.test/x:1", True),
        ("registry.test/x", True),
        ("127.0.0.1:5000/x:1", True),
        ("someone/x:1", True),
        ("docker.io/someone/x:1", True),
        (f"registry.test/x:1{DIGEST}", False),
        ("docker/dockerfile:1", False),
        ("docker.io/docker/dockerfile:1.7-labs", False),
        ("dockdsl-frontend:0.1.0", False),
    ],
)
def test_which_frontends_need_a_digest(name: str, is_found: bool, tmp_path: Path) -> None:
    """Those of a registry that are not Docker's own: at the line, in both kinds of files."""
    path = tmp_path / "app.py"
    path.write_text(
        f"#!/usr/bin/env python3\n# syntax={name}\nfrom dockdsl import *\nd = Dockerfile(Stage('scratch'))\n"
    )
    in_text = [(each.rule, each.line) for each in check(f"# syntax={name}\nFROM scratch\n")]
    in_python = [(each.rule, str(each.origin)) for each in check(path)]

    assert in_text == [("UnpinnedFrontend", 1)] * is_found
    assert in_python == [("UnpinnedFrontend", f"{path}:2")] * is_found


@pytest.mark.parametrize(
    "top",
    [
        "# syntax=registry.test/x:1\n# dockdsl: ignore=UnpinnedFrontend we build it ourselves\n",
        "# dockdsl: ignore=UnpinnedFrontend a comment above is none for BuildKit\n# syntax=registry.test/x:1\n",
        "\n# syntax=registry.test/x:1\n",
        "# a comment\n# syntax=registry.test/x:1\n",
        "x = 1\n# syntax=registry.test/x:1\n",
    ],
    ids=["ignored", "ignored above", "a blank line above", "a comment above", "code above"],
)
def test_which_lines_name_none(top: str, tmp_path: Path) -> None:
    """A comment ignores the rule, and a line that BuildKit does not read is no such line."""
    path = tmp_path / "app.py"
    path.write_text(f"{top}from dockdsl import *\nd = Dockerfile(Stage('scratch'))\n")

    assert [] == [each.rule for each in check(path) if each.rule == "UnpinnedFrontend"]
