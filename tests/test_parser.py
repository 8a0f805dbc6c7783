"""Reading: what `parse` makes of a text, and that it reads and refuses what BuildKit does."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from dockdsl import DockerfileSyntaxError, Onbuild, SyntaxProblem, Verbatim, parse, render
from tests.oracle import read

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
BUILDS = sorted(Path(__file__).resolve().parent.parent.joinpath("builds").glob("*.Dockerfile"))


def corpus() -> list[dict[str, Any]]:
    """Return the real Dockerfiles, where they are present."""
    path = SHARED / "corpus" / "open.jsonl.gz"
    if not path.exists():
        return []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.mark.parametrize("path", BUILDS, ids=lambda path: path.stem)
def test_our_builds(path: Path) -> None:
    """What render wrote is read, and written the same again."""
    text = path.read_text()

    assert text == render(parse(text))


def test_errors_in_one_go() -> None:
    """All that is wrong is said at once: where, what, and what to do."""
    with pytest.raises(DockerfileSyntaxError) as caught:
        parse("FROM x\nCOPPY a b\nCOPY --chwon=3 a b\nENV A\nRUN cat <<EOF\n", "D")

    assert [
        SyntaxProblem(2, 1, 5, "COPPY: the instruction 'COPPY' is unknown; did you mean COPY?", "did you mean COPY?"),
        SyntaxProblem(3, 6, 9, "COPY: the flag --chwon is unknown; did you mean --chown?", "did you mean --chown?"),
        SyntaxProblem(4, 5, 1, "ENV: the key 'A' has no value; write A=value", "write A=value"),
        SyntaxProblem(
            5,
            9,
            5,
            "RUN: the heredoc 'EOF' does not end; write a line that is EOF alone",
            "write a line that is EOF alone",
        ),
    ] == list(caught.value.errors)
    assert str(caught.value).startswith("D:2:1: COPPY: the instruction")
    assert "    COPY --chwon=3 a b\n         ^~~~~~~~~\n" in str(caught.value)
    assert "D:2" == str(caught.value.origin)


@pytest.mark.skipif(not corpus(), reason="the collection of real Dockerfiles is not here")
def test_real_files() -> None:
    """Of real files, those and only those are read that BuildKit reads; written again they are a fixed point."""
    verbatim = 0
    for file in corpus():
        if file["cls"] != "good":
            with pytest.raises(DockerfileSyntaxError):
                parse(file["text"])
            continue
        parsed = parse(file["text"])
        text = render(parsed)
        again = parse(text)
        assert parsed == again
        assert text == render(again)
        if file["pypi_parse"]:
            assert [each.keyword.upper() for each in read(file["text"])] == [each.keyword for each in read(text)]
        steps = [step for stage in parsed.stages for step in stage.steps]
        verbatim += sum(isinstance(step.instruction if isinstance(step, Onbuild) else step, Verbatim) for step in steps)

    assert verbatim <= 20
