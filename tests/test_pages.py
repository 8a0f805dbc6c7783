"""The pages as they are built: two languages, each in a frame of its own, and tables that a phone can show."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
# One process builds the pages, once.
pytestmark = pytest.mark.xdist_group("pages")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the pages of both languages, which are built without a warning."""
    folder = tmp_path_factory.mktemp("pages")
    for source, options in ((DOCS, []), (DOCS / "ja", ["-c", str(DOCS), "-D", "language=ja"])):
        html = folder / source.relative_to(DOCS)
        command = [sys.executable, "-m", "sphinx", "-q", "-W", "-n", "-b", "html", *options, str(source), str(html)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert (0, "") == (done.returncode, done.stderr)
    return folder


@pytest.mark.parametrize(
    ("page", "language", "following", "other"),
    [
        ("tutorial.html", "en", ("Next", "guide/install.html"), "ja/tutorial.html"),
        ("guide/mounts.html", "en", ("Next", "composing.html"), "../ja/index.html"),
        ("ja/tutorial.html", "ja", ("次へ", "guide/install.html"), "../tutorial.html"),
        ("ja/guide/errors.html", "ja", ("次へ", "building.html"), "../../guide/errors.html"),
    ],
)
def test_a_page_stays_in_its_language(
    built: Path, page: str, language: str, following: tuple[str, str], other: str
) -> None:
    """Its frame, and the page that comes next; a link leads to the same page in the other language, or to the index."""
    text = built.joinpath(page).read_text(encoding="utf-8")
    assert f'<html class="no-js" lang="{language}"' in text
    found = re.search(r'<a class="next-page" href="(.*?)">.*?<span>(.*?)</span>', text, re.DOTALL)
    assert found is not None
    assert following == (found[2], found[1])
    assert [other] == re.findall(r'<p class="other-language">\s*<a href="(.*?)"', text)


@pytest.mark.parametrize(
    ("page", "titles"),
    [("guide/errors.html", {"you see", "because", "do"}), ("ja/guide/errors.html", {"表示", "原因", "対処"})],
)
def test_each_cell_names_its_column(built: Path, page: str, titles: set[str]) -> None:
    """On a phone the cells of a row stand one below another."""
    text = built.joinpath(page).read_text(encoding="utf-8")
    assert titles <= set(re.findall(r'<td><span class="column-title">(.*?)</span>', text))


def test_an_option_in_a_session_is_one_word(built: Path) -> None:
    """The style sheet says that it does not break behind its dashes."""
    assert '<span class="na">--retry-all-errors</span>' in built.joinpath("tutorial.html").read_text(encoding="utf-8")
    assert ".highlight-console .na" in built.joinpath("_static/pages.css").read_text(encoding="utf-8")


def test_links_lead_to_the_built_pages_of_the_other_language(built: Path) -> None:
    """They are written as links between the sources."""
    english = built.joinpath("tutorial.html").read_text(encoding="utf-8")
    japanese = built.joinpath("ja/tutorial.html").read_text(encoding="utf-8")
    assert '<a class="reference external" href="ja/tutorial.html">' in english
    assert '<a class="reference external" href="../tutorial.html">' in japanese
