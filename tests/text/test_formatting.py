"""The layout of a Dockerfile: what fmt changes, what it keeps, and that the meaning stays the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dockdsl import DockdslError, Dockerfile, DockerfileSyntaxError, parse, prove, render
from dockdsl.text.formatting import reformat
from tests import strategies
from tests.corpora import corpus

KEPT = {
    "one pair a line": "FROM a\nENV A=1 \\\n B=2 \\\n C=3\n",
    "escape characters in line": "FROM a\nENV A=1        \\\n    LONGER=2 \\\n    B='3'\n",
    "quotes": 'FROM a\nENV A="1" B=\'2\' C="a b" D=e\\ f\nLABEL "g"="h"\nWORKDIR "/a"\nEXPOSE "80"\n',
    "Windows paths": "FROM a\nCOPY app\\ C:\\app\\\n",
    "arrays": 'FROM a\nVOLUME ["/a"]\nVOLUME /a /b\nCOPY ["a", "/b"]\nCMD [ "c" ]\nSHELL ["d","e"]\n',
    "array over lines": 'FROM a\nCMD [ \\\n    "b", \\\n    "c" \\\n]\n',
    "options of a mount": "FROM a\nRUN --mount=target=/a,type=cache,sharing=locked --mount=type=bind,src=b,dst=/c,ro x\n",
    "order of flags": "FROM a\nCOPY --link=true --from=b --chown=1:1 --chmod=0644 a /b\nRUN --network=none --mount=type=ssh x\n",
    "names of stages": "FROM a AS Build\nFROM Build\nCOPY --from=0 /a /a\nCOPY --from=Build /a /a\n",
    "ports": "FROM a\nEXPOSE 80 \\\n    443/tcp 53/UDP\n",
    "columns of a group": "FROM a\nCOPY --from=tini    /a /b\nCOPY --from=longer  /a /b\n",
    "columns of keywords": "FROM    a\nENV     B=c\n\nRUN     x && \\\n    y\n",
    "columns by tabs": "FROM\ta\nCMD\tb\n",
    "two blank lines": "FROM a\n\n\nRUN x\n\n\nFROM b\n",
    "stages without steps": "ARG A\nFROM a AS b\nFROM b AS c\nFROM b AS d\n",
    "comments": "#a\n\n#  b\nFROM a\n  # c\n\n##d\n#\nRUN x\n# e\n",
    "comments inside": "FROM a\nENV a=b \\\n # c\n  #d\n e=f\n",
    "comment above a stage": "FROM a\nRUN x\n#b\n\n#c\nFROM d\n",
    "directives": "#syntax=x\n# escape=`\n# a\nFROM c\nRUN x `\n  y\n",
    "checks": "FROM a\n# b\n\n# check=skip=all\nRUN x\n  # check=skip=all\nRUN y \\\n# check=skip=all\n z\n",
    "heredoc": "FROM a\nRUN <<E\n\n\n\n# x\n\n  y \n\nE\n\nRUN z\n",
    "heredoc with tabs": "FROM a\nCOPY <<-E /a\n\tb\n\tE\nRUN z\n",
    "old form over lines": "FROM a\nENV DEPENDENCIES \\\n\t\ta \\\n\t\tb\n",
    "old form in quotes over lines": 'FROM a\nENV A "b \\\n  c"\n',
    "what no class can express": "FROM a\nEXPOSE http\nENV A=${F:?msg}\nRUN --mount=, x\n",
    "keyword of what no class can express": "FROM a\nexpose   http\nenv A it's\n",
    "broken line before an instruction": "FROM a\n\\\n\tRUN x\n",
    "form feed behind a backslash": "FROM a\nRUN b \\\f\nUSER c\n",
    "carriage returns behind a backslash": "FROM a\nRUN b \\\r \nUSER c\n",
    "line separator behind a backslash": "FROM a\nCMD b \\\u2028\nUSER c\n",
    "open end": "FROM a\nCOPY a b \\\n",
    "an escape character at the end": "FROM a\nCMD mkdir C:\\app\\\\\nRUN x\n",
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in KEPT.items()])
def test_what_is_kept(text: str) -> None:
    """What the author laid out is left as it is."""
    assert text == reformat(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("from a as B\nrun x", "FROM a AS B\nRUN x\n", id="keywords and the last newline"),
        pytest.param("FROM a\nOnbuild Run x\n", "FROM a\nONBUILD RUN x\n", id="keywords after ONBUILD"),
        pytest.param(
            "FROM a\nHEALTHCHECK --retries=3 cmd x\nonbuild healthcheck none\n",
            "FROM a\nHEALTHCHECK --retries=3 CMD x\nONBUILD HEALTHCHECK NONE\n",
            id="keywords after HEALTHCHECK",
        ),
        pytest.param("FROM a\nuser cmd\ncmd none\n", "FROM a\nUSER cmd\nCMD none\n", id="no keywords"),
        pytest.param(
            "FROM a \\\n # b\n a\\\ns c\nru\\\nn x\n", "FROM a \\\n # b\n A\\\nS c\nRU\\\nN x\n", id="broken keywords"
        ),
        pytest.param("FROM a\nWORKDIR   /b\nRUN\tx\n", "FROM a\nWORKDIR /b\nRUN x\n", id="blanks behind a keyword"),
        pytest.param("FROM a\n  RUN x \\\n    y\n", "FROM a\nRUN x \\\n    y\n", id="indented instruction"),
        pytest.param(
            "FROM a \n# b \t\nENV C=d \\ \n  # e \n  F=g\t\n", "FROM a\n# b\nENV C=d \\\n  # e\n  F=g\n", id="trailing"
        ),
        pytest.param("\n\nFROM a\n\n\n\n\nRUN x\n\n\n", "FROM a\n\n\nRUN x\n", id="blank lines"),
        pytest.param("FROM a\n \t\nRUN x\n", "FROM a\n\nRUN x\n", id="line of blanks"),
        pytest.param(
            "FROM a\nRUN x && \\\n\n# b\n \n   y\n", "FROM a\nRUN x && \\\n# b\n   y\n", id="empty lines inside"
        ),
        pytest.param("FROM a\r\n\r\nRUN x \\\r\n  y\r\n", "FROM a\n\nRUN x \\\n  y\n", id="line ends of Windows"),
        pytest.param("FROM a\r\nRUN <<E\r\nx\r\nE\r\n", "FROM a\nRUN <<E\nx\r\nE\n", id="line ends in a heredoc"),
        pytest.param("\ufeff#x\n#y\n\nFROM a\n", "#x\n#y\n\nFROM a\n", id="byte order mark"),
        pytest.param("\n\n# escape=`\nFROM a\n", "\n# escape=`\nFROM a\n", id="no directive"),
        pytest.param("\n  # escape=`\nFROM a\n", "\n  # escape=`\nFROM a\n", id="no directive, indented"),
        pytest.param("\n# a\n# escape=`\nFROM a\n", "# a\n# escape=`\nFROM a\n", id="no directive anyway"),
        pytest.param("\n#!/x\n# syntax=y\nFROM a\n", "\n#!/x\n# syntax=y\nFROM a\n", id="no directive below a #!"),
        pytest.param(
            "FROM A\\\f\nRUN x\n", "FROM A\\\f\nRUN x\n", id="form feed behind a base that ends in a backslash"
        ),
        pytest.param(
            "FROM a\nENV b c d\nLABEL e f\nENV g 'h'\nONBUILD env i $j\n",
            "FROM a\nENV b=\"c d\"\nLABEL e=f\nENV g='h'\nONBUILD ENV i=$j\n",
            id="old form of ENV",
        ),
        pytest.param('FROM a\nENV "b c" d\n', 'FROM a\nENV "b c" d\n', id="old form with a quote in its key"),
        pytest.param("FROM a\nENV b ${c d\n", "FROM a\nENV b ${c d\n", id="old form that no class can express"),
    ],
)
def test_layout(text: str, expected: str) -> None:
    """What is untidy is mended, and nothing else."""
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
                    "onbuild env ",
                    "healthcheck cmd x",
                    "from b as C",
                    "'",
                    "\t",
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


@pytest.mark.corpora
def test_well_kept_files_are_left_alone() -> None:
    """A project that is consistent, whatever its style, has nothing to change."""
    kept = [
        file["text"]
        for file in corpus()
        if file["repo"] in ("nodejs/docker-node", "docker/docker-py") and file["cls"] == "good"
    ]

    assert kept
    assert kept == list(map(reformat, kept))


def unproven(before: str, after: str) -> bool:
    """Return whether BuildKit's parser finds a difference, or refuses."""
    try:
        return prove(before, after) is not None
    except DockdslError:
        return True
