"""The pages have what the package has, and hold together: an entry for each name, a line for each page, two languages."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

import dockdsl
from dockdsl.checks.check import Check
from dockdsl.cli import VERBS
from dockdsl.engine.builders import BUILDERS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
JAPANESE = sorted(path.relative_to(DOCS / "ja").as_posix() for path in DOCS.glob("ja/**/*.md"))
# Columns of code that fit on a page in a window of 1,280 pixels.
COLUMNS = 90
INDEXES = [DOCS / "index.md", DOCS / "ja" / "index.md"]
PUBLIC = [name for name in dir(dockdsl) if name != "__version__"]
CHECKS = [name for name in PUBLIC if isinstance(kind := getattr(dockdsl, name), type) and issubclass(kind, Check)]


def entries() -> set[str]:
    """Return the names that the pages of the API have an entry for."""
    lines = [
        line for page in DOCS.joinpath("api").glob("*.md") for line in page.read_text(encoding="utf-8").splitlines()
    ]
    return {line.partition(":: ")[2] for line in lines if line.startswith(".. auto")}


def guide(page: str) -> str:
    """Return a page of the guide."""
    return DOCS.joinpath("guide", page).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PUBLIC)
def test_each_public_name_has_an_entry(name: str) -> None:
    """It stands on a page of docs/api, under its public name or where it is."""
    assert {f"dockdsl.{name}", f"{getattr(dockdsl, name).__module__}.{name}"} & entries()


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_a_row(verb: str) -> None:
    """It stands in the table of verbs, in both languages."""
    assert f"`dockdsl {verb}" in guide("command-line.md")
    assert f"`dockdsl {verb}" in guide("../ja/guide/command-line.md")


@pytest.mark.parametrize("name", CHECKS)
def test_each_kind_of_check_has_a_row(name: str) -> None:
    """It stands in the table of kinds."""
    assert f"\n| `{name}(" in guide("images.md")


@pytest.mark.parametrize("name", BUILDERS)
def test_each_builder_has_an_entry(name: str) -> None:
    """Its class has an entry, and the guide shows how it is chosen."""
    assert f"dockdsl.engine.builders.{name}.{BUILDERS[name]}" in entries()
    assert name in guide("engines.md")
    assert name in guide("command-line.md")


@pytest.mark.parametrize("index", INDEXES, ids=["en", "ja"])
def test_each_page_has_a_line_on_the_index(index: Path) -> None:
    """It stands in a list, with what it is about, in the order of the navigation."""
    text = index.read_text(encoding="utf-8")
    navigation = [
        re.sub(r".*<(.*)>", r"\1", line)
        for tree in re.findall(r"^```{toctree}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        for line in tree.split("\n")
        if line and not line.startswith(":")
    ]
    assert navigation == re.findall(r"^- \[.+\]\((\S+)\.md\)(?:: |：)\S", text, re.MULTILINE)
    assert len(navigation) > 10


@pytest.mark.parametrize("page", JAPANESE)
def test_each_japanese_page_has_an_english_one(page: str) -> None:
    """It has the same name, to which the frame of the page links."""
    assert (DOCS / page).is_file()


@pytest.mark.parametrize("page", [ROOT / "README.ja.md", *(DOCS / "ja" / page for page in JAPANESE)], ids=str)
def test_japanese_terms_are_consistent(page: Path) -> None:
    """One spelling for one thing."""
    assert [] == re.findall(
        r"手もと|ひとつ|チェックアウト|バイナリー|コンパイラ(?!ー)|サーバ(?!ー)", page.read_text(encoding="utf-8")
    )


def test_the_two_readmes_show_the_same() -> None:
    """The same code but for comments and placeholders, the same links, tables of the same size."""
    shapes = []
    for name in ("README.md", "README.ja.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        code = "".join(re.findall(r"^ *```\w+\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL))
        code = re.sub(r" *#.*", "", code)
        links = sorted(set(re.findall(r"\]\((?:docs/(?:ja/)?)?([^)#]+)", text)) - {"README.md", "README.ja.md"})
        shapes.append(
            (code, links, len(re.findall(r"^\|", text, re.MULTILINE)), len(re.findall(r"^#", text, re.MULTILINE)))
        )
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("name", ["README.md", "README.ja.md"])
def test_the_readmes_name_a_line_that_an_error_would_name(name: str) -> None:
    """An instruction is written there."""
    found = re.search(r"`(builds/\w+\.py):(\d+)`", (ROOT / name).read_text(encoding="utf-8"))
    assert found is not None
    steps = dockdsl.steps_of(runpy.run_path(str(ROOT / found[1]))["image"].dockerfile)
    assert int(found[2]) in [step.instruction.origin.line for step in steps]


@pytest.mark.parametrize("page", sorted(DOCS.glob("**/*.md")), ids=lambda page: page.relative_to(DOCS).as_posix())
def test_code_is_not_cut(page: Path) -> None:
    """No line of Python is longer than a page is wide."""
    code = r"^```(?:{testcode}|{file} \S+\.py|python)\n(?!:hide:)(.*?)^```$"
    blocks = re.findall(code, page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert [] == [line for block in blocks for line in block.split("\n") if len(line) > COLUMNS]
