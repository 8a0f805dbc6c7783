"""The layout of a Dockerfile: what fmt changes, what it keeps, and that it means the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dockdsl import DockdslError, Dockerfile, DockerfileSyntaxError, parse, prove, render
from dockdsl.text.formatting import reformat
from tests import strategies
from tests.corpora import corpus


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("from a as B\nrun x", "FROM a AS b\nRUN x\n", id="keywords and the last newline"),
        pytest.param("FROM a\n\n\n\nRUN x\n\n\n", "FROM a\n\nRUN x\n", id="blank lines"),
        pytest.param("\n\nFROM a\nRUN x\nFROM b\n", "FROM a\nRUN x\n\nFROM b\n", id="stages are parted"),
        pytest.param("FROM a\n \t\nRUN x\n", "FROM a\n\nRUN x\n", id="line of blanks"),
        pytest.param("FROM a\r\n\r\nRUN x\r\n", "FROM a\n\nRUN x\n", id="line ends of Windows"),
        pytest.param("\ufeff#x\n#y\n\nFROM a\n", "# x\n# y\n\nFROM a\n", id="byte order mark"),
        pytest.param(
            "# syntax=x\n#a\n\n#b\nARG A\nFROM c\n", "# syntax=x\n\n# a\n\n# b\nARG A\n\nFROM c\n", id="directive"
        ),
        pytest.param(
            "FROM a\n#b\n\n\n#c\n#d\n\nRUN x\n", "FROM a\n# b\n\n# c\n# d\n\nRUN x\n", id="groups of comments"
        ),
        pytest.param(
            "FROM a\nRUN x\n#b\n\n#c\nFROM d\n", "FROM a\nRUN x\n# b\n\n# c\nFROM d\n", id="comment above a stage"
        ),
        pytest.param("FROM a\nRUN x\n\n# b", "FROM a\nRUN x\n\n# b\n", id="comment at the end"),
        pytest.param("FROM a\n#\n# b\n#\nRUN x\n", "FROM a\n#\n# b\n#\nRUN x\n", id="empty comment lines"),
        pytest.param(
            "FROM a\n# b\n\n# check=skip=all\nRUN x\n", "FROM a\n# b\n\n# check=skip=all\nRUN x\n", id="check"
        ),
        pytest.param(
            "FROM a\nRUN x\n\nENV a=b \\\n # c\n\n # d\n e=f\n",
            "FROM a\nRUN x\n\n# c\n# d\nENV a=b e=f\n",
            id="comments inside",
        ),
        pytest.param(
            "FROM a\n# b\n\nENV c=d \\\n# e\n f=g\nRUN x\n",
            "FROM a\n# b\n\n# e\nENV c=d f=g\nRUN x\n",
            id="comments above and inside",
        ),
        pytest.param(
            "FROM a\nRUN x && \\\n\n# b\n   y\n\nRUN z\n",
            "FROM a\nRUN x && \\\n# b\n   y\n\nRUN z\n",
            id="layout of a command",
        ),
        pytest.param(
            "FROM a\nRUN <<E\n\n# x\n\n  y \n\nE\n\nRUN z\n",
            "FROM a\nRUN <<E\n\n# x\n\n  y \n\nE\n\nRUN z\n",
            id="heredoc",
        ),
        pytest.param("FROM a\r\nRUN <<E\r\nx\r\nE\r\n", "FROM a\nRUN <<E\nx\r\nE\n", id="line ends in a heredoc"),
        pytest.param(
            "# escape=`\nFROM a\nRUN x `\n  y\n\nRUN z\n",
            "# escape=`\n\nFROM a\nRUN x `\n  y\n\nRUN z\n",
            id="backtick",
        ),
        pytest.param("ARG A\n\n\narg B", "ARG A\n\nARG B\n", id="no stage"),
        pytest.param("FROM a\nRUN b \\\f\nUSER c\n", "FROM a\nRUN b \\\f\nUSER c\n", id="form feed behind a backslash"),
        pytest.param(
            "FROM a\nCMD b \\\u2028\nUSER c\n", "FROM a\nCMD b \\\u2028\nUSER c\n", id="other line behind a backslash"
        ),
        pytest.param(
            "FROM a\nENV b=c \\\n# check=skip=all\n d=e\n",
            "FROM a\n## check=skip=all\nENV b=c d=e\n",
            id="what does not act inside does not act above",
        ),
        pytest.param(
            "FROM a\n\\\n\tRUN --mount= x\n", "FROM a\nRUN --mount= x\n", id="broken line before an instruction"
        ),
        pytest.param(
            "FROM a\n\\\n\n# b\n onbuild RUN x\n", "FROM a\n# b\nONBUILD RUN x\n", id="broken line before a trigger"
        ),
        pytest.param("FROM A\\\f\nRUN x\n", "FROM A\nRUN x\n", id="form feed behind a base that ends in a backslash"),
        pytest.param("FROM a\nENV b c d\nLABEL e f\n", 'FROM a\nENV b="c d"\nLABEL e=f\n', id="old form of ENV"),
        pytest.param('FROM a\nCMD [\'b\']\nCMD [ "c","d" ]\n', 'FROM a\nCMD [\'b\']\nCMD ["c", "d"]\n', id="array"),
    ],
)
def test_layout(text: str, expected: str) -> None:
    """Blank lines, comments and heredocs are kept; the spelling is that of render."""
    assert expected == reformat(text)
    assert expected == reformat(expected)
    assert prove(text, expected) is None


@settings(max_examples=strategies.examples(200), deadline=None, suppress_health_check=list(HealthCheck))
@given(strategies.dockerfiles, st.randoms(use_true_random=False))
def test_what_render_writes_is_kept(value: Any, random: Any) -> None:
    """A rendered Dockerfile is formatted, also with a blank line between some of its instructions."""
    if not isinstance(value, Dockerfile):
        return
    text = render(value)
    assert text == reformat(text)
    again = reformat(parted(text, random))
    assert again == reformat(again)
    assert parse(again) == parse(text)


def parted(text: str, random: Any) -> str:
    """Return the text of a Dockerfile with blank lines before some of its instructions."""
    lines = text.split("\n")
    begins = {step.origin.line for stage in parse(text).stages for step in stage.steps if random.random() < 0.5}
    return "\n".join(
        [
            f"{random.choice(['', ' ', chr(10)])}\n{line}" if index + 1 in begins else line
            for index, line in enumerate(lines)
        ]
    )


@settings(max_examples=strategies.examples(300), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.one_of(
        st.text(),
        st.lists(
            st.sampled_from(
                [
                    "FROM a",
                    "\n",
                    "\n\n",
                    "# x",
                    "RUN x",
                    " \\\n",
                    "ENV a b",
                    "<<E",
                    "\nE\n",
                    "\r",
                    "\ufeff",
                    "# check=",
                    "# escape=`\n",
                    "ARG a",
                    " ",
                    "`\n",
                ]
            )
        ).map("".join),
    )
)
def test_any_text(text: str) -> None:
    """A text is refused as by `parse`, or formatting it again changes nothing."""
    try:
        expected = parse(text)
    except DockerfileSyntaxError:
        with pytest.raises(DockerfileSyntaxError):
            reformat(text)
        return
    once = reformat(text)
    assert once == reformat(once)
    assert expected == parse(once)


@pytest.mark.corpora
def test_real_files() -> None:
    """Each real file that BuildKit reads keeps its meaning, and formatting it again changes nothing."""
    wrong = []
    for number, file in enumerate(corpus()):
        if file["cls"] != "good":
            continue
        once = reformat(file["text"])
        # The proof takes longer than everything else.
        if once != reformat(once) or (number % 4 == 0 and unproven(file["text"], once)):
            wrong.append((file["repo"], file["path"]))

    assert not wrong


def unproven(before: str, after: str) -> bool:
    """Return whether BuildKit's parser finds a difference, or refuses."""
    try:
        return prove(before, after) is not None
    except DockdslError:
        return True
