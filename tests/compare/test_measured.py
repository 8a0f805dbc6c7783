"""The comparison on the front page is what was measured: one file of figures, and what is made of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dockdsl.compare.comparison import from_data
from dockdsl.compare.page import picture
from dockdsl.compare.report import markdown
from dockdsl.compare.words import Words

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "docs" / "_static"
FOUND = from_data(json.loads(STATIC.joinpath("compare.json").read_text()), "compare.json")


@pytest.mark.parametrize(("language", "page"), [("en", "README.md"), ("ja", "README.ja.md")])
def test_the_front_pages_show_what_was_measured(language: str, page: str) -> None:
    """The table and the picture are those that `make compare` makes of the figures."""
    words = Words(language)
    folder = STATIC if language == "en" else ROOT / "docs" / "ja" / "_static"

    assert f"\n\n{markdown(FOUND, words)}\n" in ROOT.joinpath(page).read_text(encoding="utf-8")
    assert picture(FOUND, words) == (folder / "compare.svg").read_text(encoding="utf-8")


def test_it_is_the_program_of_the_tutorial() -> None:
    """The commands are those of the script, and one for the stages."""
    script = ROOT.joinpath("builds", "builder_pattern", "build.sh").read_text().splitlines()[2:]

    assert script == [*FOUND.before.commands]
    assert ("dockdsl build builds/notes.py",) == FOUND.after.commands
