"""The dialect of buildah and podman, as text; tests/engine/builders/test_buildah.py builds it."""

from __future__ import annotations

import pytest

from dockdsl import (
    Add,
    Copy,
    Dockerfile,
    Heredoc,
    Instruction,
    InvalidValue,
    Onbuild,
    Run,
    Shell,
    Stage,
    Verbatim,
    layout,
    parse,
)
from dockdsl.text.buildah import for_buildah


def steps_in(*steps: Instruction, escape: str = "\\") -> list[str]:
    """Return the lines of the steps in the dialect."""
    text = for_buildah(Dockerfile(Stage("scratch", steps=steps), escape="`" if escape == "`" else "\\")).text
    return text.partition("FROM scratch\n")[2].splitlines()


@pytest.mark.parametrize("escape", ["\\", "`"])
def test_every_escape_character(escape: str) -> None:
    """What the dialect lacks is spelled another way under both escape characters."""
    assert [
        'RUN ["/bin/sh", "-c", "set -e\\na\\nb\\n"]',
        "COPY x /",
        "COPY --from=dockdsl-files 0/EOF /y",
    ] == steps_in(Run.script("a\nb"), Copy("x", "/", link=True), Copy.text("1\n", "/y"), escape=escape)


def test_a_text_that_only_another_escape_character_wraps() -> None:
    """Under a backtick, a text that ends in one is written as a heredoc by BuildKit's writer, and here as an argument."""
    step = Run("echo `a`")

    assert ["RUN echo `a`"] == steps_in(step)
    assert ['RUN ["/bin/sh", "-c", "echo `a`"]'] == steps_in(step, escape="`")


def test_what_onbuild_keeps() -> None:
    """It is translated like a step, with the last shell of its stage, which is that of the build that runs it."""
    steps = [Onbuild(Run.script("a")), Onbuild(Copy("x", "/", link=True)), Shell(["/bin/bash", "-c"])]

    assert [
        'ONBUILD RUN ["/bin/bash", "-c", "set -e\\na\\n"]',
        "ONBUILD COPY x /",
        'SHELL ["/bin/bash", "-c"]',
    ] == steps_in(*steps)


def test_notes_of_what_onbuild_keeps() -> None:
    """What is left out of it is reported with its own line."""
    kept = Copy("x", "/", link=True)
    (note,) = for_buildah(Dockerfile(Stage("scratch", steps=[Onbuild(kept)]))).notes

    assert "COPY: buildah 1.28 and podman 4.3 do not support --link" in note[0]
    assert kept.origin == note[1]


def test_lines_without_heredoc_stay() -> None:
    """A command in several lines is left as it is, and so is a switch that is off and may be left out."""
    chain = Run(layout("a && \\\n# remark\n    b"))

    assert ["RUN a && \\", "# remark", "    b", "COPY x /"] == steps_in(chain, Copy("x", "/", link=False))


def test_a_laid_out_command_with_a_heredoc() -> None:
    """The shell is given what BuildKit would give it: joined lines, and no remarks of the Dockerfile."""
    text = "FROM scratch\nRUN a && \\\n# remark\n  cat <<E\nx\nE\nRUN <<-E\n\ty\n\tE\n"
    translated = for_buildah(parse(text)).text

    assert [
        "FROM scratch",
        'RUN ["/bin/sh", "-c", "a &&   cat <<E\\nx\\nE"]',
        'RUN ["/bin/sh", "-c", "y\\n"]',
    ] == translated.splitlines()


def test_shells_of_a_base_stage() -> None:
    """A stage has the shell of the stage that it is built on, be it named by a string or not."""
    base = Stage("alpine", "base", steps=[Shell(["/bin/bash", "-c"])])
    text = for_buildah(Dockerfile([base, Stage("base", steps=[Run.script("a")])])).text

    assert 'RUN ["/bin/bash", "-c", "set -e\\na\\n"]' in text


def test_stages_without_a_name() -> None:
    """They are called in the dialect as they are in the Dockerfile."""
    first, second = Stage("a"), Stage("b")
    last = Stage("c", steps=[Copy("x", "/", from_=first, link=True), Copy("x", "/", from_=second, link=True)])

    assert ["COPY --from=0 x /", "COPY --from=1 x /"] == for_buildah(Dockerfile(last)).text.splitlines()[-2:]


@pytest.mark.parametrize(
    ("step", "words"),
    [
        pytest.param(Copy("a", "/", parents=False), "--parents; leave it out", id="switch that is off"),
        pytest.param(Add("a", "/", unpack=False), "--unpack; leave it out", id="unpack"),
        pytest.param(Onbuild(Copy("a", "/", exclude="b")), "--exclude", id="kept"),
        pytest.param(Onbuild(Copy.text("1\n", "/x")), "is kept for another build", id="file that is kept"),
        pytest.param(Copy([Heredoc("1\n", "one"), "b"], "/x/"), "has other sources beside it", id="sources"),
        pytest.param(Run("<<EOF\n#!/bin/python3\nprint()\nEOF"), "another program than the shell", id="shebang"),
    ],
)
def test_what_has_no_other_spelling(step: Instruction, words: str) -> None:
    """It is refused at its own line, with what to do."""
    with pytest.raises(InvalidValue, match=words) as caught:
        steps_in(step)

    assert caught.value.origin is not None
    assert caught.value.origin == (step.nested() or step).origin


def test_verbatim_stays() -> None:
    """What is not looked into is left as it is."""
    assert ["RUN --security=insecure x"] == steps_in(Verbatim("RUN --security=insecure x"))
