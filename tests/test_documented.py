"""The pages have what the package has: an entry for each name, a row for each verb and each kind of check."""

from __future__ import annotations

from pathlib import Path

import pytest

import dockdsl
from dockdsl.checks.check import Check
from dockdsl.cli import VERBS
from dockdsl.engine.builders import BUILDERS

DOCS = Path(__file__).parents[1] / "docs"
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
    """It stands in the table of verbs."""
    assert f"`dockdsl {verb}" in guide("command-line.md")


@pytest.mark.parametrize("name", CHECKS)
def test_each_kind_of_check_has_a_row(name: str) -> None:
    """It stands in the table of kinds."""
    assert f"\n| `{name}(" in guide("images.md")


@pytest.mark.parametrize("name", BUILDERS)
def test_each_builder_has_an_entry(name: str) -> None:
    """Its class has an entry, and the guide shows how it is chosen."""
    assert f"dockdsl.engine.builders.{name}.{BUILDERS[name]}" in entries()
    assert name in guide("images.md")
    assert name in guide("command-line.md")
