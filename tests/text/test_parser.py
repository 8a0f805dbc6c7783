"""Reading: what `parse` makes of a text, and that it reads and refuses what BuildKit does.

Real Dockerfiles and BuildKit's own cases are read where they are present, beside the checkout.
"""

from __future__ import annotations

import copy
import gc
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from dockdsl import (
    Arg,
    Bind,
    Cache,
    Copy,
    Dockerfile,
    DockerfileSyntaxError,
    Env,
    ExpansionError,
    Healthcheck,
    Heredoc,
    Instruction,
    InvalidType,
    Label,
    Onbuild,
    Run,
    Stage,
    SyntaxProblem,
    Verbatim,
    Workdir,
    external,
    layout,
    literal,
    parse,
    render,
)
from dockdsl.syntax.instruction_line import Line
from dockdsl.text.parser import lines_of
from tests import oracle
from tests.corpora import cases, corpus
from tests.laws import anything

BUILDS = sorted(Path(__file__).resolve().parents[2].joinpath("builds").glob("*.Dockerfile"))
CASES = ("parser_testfiles", "parse_snippets", "mounts", "instructions_heredoc", "integration_inline")


def one(text: str) -> Instruction:
    """Return the one instruction of a stage."""
    (stage,) = parse(f"FROM scratch\n{text}\n").stages
    return stage.steps[-1]


def problems(text: str) -> list[SyntaxProblem]:
    """Return what is wrong in a text."""
    with pytest.raises(DockerfileSyntaxError) as caught:
        parse(text, "D")
    for number, each in enumerate(caught.value.errors):
        assert f"D:{each.line}:{each.column}: {each.message}" in str(caught.value), number
        assert each.message.endswith(f"; {each.remedy}")
        assert each.message.count(": ") >= 1
    return list(caught.value.errors)


def steps_of(dockerfile: Dockerfile) -> Iterator[Instruction]:
    """Return all instructions, including those in ONBUILD on their own."""
    for step in (*dockerfile.args, *[step for stage in dockerfile.stages for step in stage.steps]):
        yield step.instruction if isinstance(step, Onbuild) else step


@pytest.mark.parametrize("path", BUILDS, ids=lambda path: path.stem)
def test_our_builds(path: Path) -> None:
    """A rendered text is read, and rendered in the same way again."""
    text = path.read_text()

    assert text == render(parse(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("env a b c", Env({"a": "b c"}), id="old form of ENV"),
        pytest.param("LABEL a b", Label({"a": "b"}), id="old form of LABEL"),
        pytest.param("ENV A = b", Env({"A": "= b"}), id="old form with an equals sign"),
        pytest.param("ENV A='$x' B=\"$x\\$\"", Env({"A": literal("$x"), "B": "$x" + literal("$")}), id="dollars"),
        pytest.param("ENV A=a\\ b", Env({"A": "a b"}), id="escaped blank"),
        pytest.param('ENV A=${B:-"x y"}', Env({"A": "${B:-x y}"}), id="quotes in a reference"),
        pytest.param("ARG A=1 B", Arg("A", "1", more=[Arg("B")]), id="several arguments"),
        pytest.param("WORKDIR a b # c", Workdir("a b # c"), id="the rest of the line"),
        pytest.param('COPY ["a b", "/c d/"]', Copy("a b", "/c d/"), id="array of paths"),
        pytest.param("COPY --link=TRUE --exclude=a --exclude=b . /", Copy(".", "/", link=True, exclude=["a", "b"]), id="flags"),
        pytest.param("COPY --chown= a b", Copy("a", "b"), id="empty flag"),
        pytest.param("COPY --from=deps a b", Copy("a", "b", from_=external("deps")), id="named context"),
        pytest.param("COPY --from=alpine:3 a b", Copy("a", "b", from_="alpine:3"), id="image"),
        pytest.param("COPY <<-EOF /x\n\ta$B\n\tEOF", Copy(Heredoc("a$B\n", "EOF", expand=True), "/x"), id="tabs off"),
        pytest.param("COPY <<'a' <<b /x/\n$\na\nc\nb", Copy([Heredoc("$\n", "a"), Heredoc("c\n", "b", expand=True)], "/x/"), id="heredocs"),
        pytest.param("RUN a && \\\n  # why\n\n  b", Run(layout("a && \\\n  # why\n  b")), id="comment in a command"),
        pytest.param("RUN a \\  \n b", Run("a \\\n b"), id="blanks behind a break"),
        pytest.param("RUN <<EOF\na\nEOF", Run("<<EOF\na\nEOF"), id="script"),
        pytest.param("RUN cat <<A <<'B' >x\n1\nA\n2\nB", Run("cat <<A <<'B' >x\n1\nA\n2\nB"), id="several heredocs"),
        pytest.param('RUN ["a", "b"]', Run.exec("a", "b"), id="exec form"),
        pytest.param("RUN ['a']", Run("['a']"), id="no array after all"),
        pytest.param("RUN -- --x", Run("--x"), id="two dashes"),
        pytest.param(
            "RUN --mount=target=. --mount=type=CACHE,dst=/c,ro,uid=0 x",
            Run("x", mounts=[Bind("."), Cache("/c", readonly=True, uid=0)]),
            id="mounts",
        ),
        pytest.param("RUN --mount=from=a,ro=0 x", Run("x", mounts=Bind(from_=external("a"), readwrite=True)), id="switch"),
        pytest.param("HEALTHCHECK --retries=3 NONE", Healthcheck.none(), id="flags of NONE"),
        pytest.param('HEALTHCHECK --interval=1m cmd ["a"]', Healthcheck.exec("a", interval="1m"), id="probe"),
        pytest.param("ONBUILD RUN a \\\n b", Onbuild(Run("a \\\n b")), id="trigger"),
        pytest.param("ONBUILD COPY --from=a b c", Onbuild(Copy("b", "c", from_="a")), id="source in a trigger"),
        pytest.param("HEALTHCHECK --retries=+" + "0" * 5000 + "7 CMD x", Healthcheck("x", retries=7), id="long number"),
        pytest.param("COPY --from=" + "9" * 5000 + " a b", Verbatim("COPY --from=" + "9" * 5000 + " a b"), id="long index"),
        pytest.param("RUN", Verbatim("RUN"), id="nothing to run"),
        pytest.param("ONBUILD FOO \\\n a", Verbatim("ONBUILD FOO \\\n a"), id="unknown trigger"),
        pytest.param("COPY ['a b'] c", Verbatim("COPY ['a b'] c"), id="what means nothing"),
    ],
)  # fmt: skip
def test_values(text: str, value: Instruction) -> None:
    """An instruction is read as the value that means the same, and knows its line."""
    found = one(text)

    assert value == found
    assert "Dockerfile:2" == str(found.origin)
    for other in (
        copy.copy(found),
        copy.deepcopy(found),
        pickle.loads(pickle.dumps(found)),
        attrs.evolve(anything(found)),
    ):
        assert found == other
        assert hash(found) == hash(other)
        assert repr(found) == repr(other)
        assert str(found) == str(other)


def test_a_text_that_was_read_leaves_nothing_to_the_collector() -> None:
    """All that is made on the way is freed at once, and the collector is as it was, whatever comes of the text."""
    gc.collect()
    gc.disable()
    try:
        before = sum(isinstance(each, Line) for each in gc.get_objects())
        parse("FROM a AS x\nRUN b \\\n c\nFROM scratch\nCOPY --from=x a b\n")
        assert before == sum(isinstance(each, Line) for each in gc.get_objects())
        assert not gc.isenabled()
    finally:
        gc.enable()
    with pytest.raises(DockerfileSyntaxError):
        parse("FROM")
    assert gc.isenabled()


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        pytest.param("from a as B\nrun x", "FROM a AS b\nRUN x\n", id="keywords and names"),
        pytest.param("FROM a\r\nRUN x \\\r\n y\r\n", "FROM a\nRUN x \\\n y\n", id="line ends"),
        pytest.param("\ufeffFROM a", "FROM a\n", id="byte order mark"),
        pytest.param("#x\n#\n ##  y\n\nFROM a", "# x\n#\n##  y\n\nFROM a\n", id="comments"),
        pytest.param("FROM a\n#x\n\n#y\nUSER 1", "FROM a\n# x\n# y\nUSER 1\n", id="neighbouring comments"),
        pytest.param("FROM a\n#x\n\n#y\nFROM b", "FROM a\n# x\n\n# y\nFROM b\n", id="comment of a stage"),
        pytest.param("FROM a\nENV A=b \\\n # why\n C=d", "FROM a\n# why\nENV A=b C=d\n", id="comment within"),
        pytest.param("FROM a\nRUN \\\n # why\n x", "FROM a\n# why\nRUN x\n", id="comment before the command"),
        pytest.param("FROM a\nRUN x \\\n # why\n", "FROM a\n# why\nRUN x\n", id="comment behind the command"),
        pytest.param("# escape=`\nFROM a\nRUN x `\n y", "# escape=`\n\nFROM a\nRUN x `\n y\n", id="backtick"),
        pytest.param("# escape=`\nFROM a\nRUN x \\`\n y", "# escape=`\n\nFROM a\nRUN x \\ y\n", id="break that cannot be"),
        pytest.param("# escape=`\nFROM a\nRUN c:\\", "# escape=`\n\nFROM a\nRUN c:\\\n", id="backslash last"),
        pytest.param("# x=1\n# escape=`\nFROM a", "\n# x=1\n# escape=`\nFROM a\n", id="directive below another comment"),
        pytest.param(" # syntax=x\nFROM a", "\n# syntax=x\nFROM a\n", id="directive that does not act"),
        pytest.param("#syntax = x y\nFROM a", "# syntax=x y\n\nFROM a\n", id="frontend with arguments"),
        pytest.param("#!/x\n# syntax=y\nFROM a", "# syntax=y\n\n# !/x\nFROM a\n", id="frontend below a shebang"),
        pytest.param("# check=skip=A,,B error=true\nFROM a", "# check=skip=A,B\n\nFROM a\n", id="checks up to a blank"),
        pytest.param("FROM a\nFROM b\nCOPY --from=0 a b", "FROM a\n\nFROM b\nCOPY --from=0 a b\n", id="index of no name"),
        pytest.param("FROM a AS x\nFROM b\nCOPY --from=0 a b", "FROM a AS x\n\nFROM b\nCOPY --from=x a b\n", id="index of a name"),
        pytest.param("FROM a AS x\nFROM b\nFROM x", "FROM a AS x\n\nFROM b\n\nFROM x\n", id="stages nobody needs"),
        pytest.param("FROM b AS x\nFROM a AS x\nFROM x", "FROM b AS x\n\nFROM a AS x\n\nFROM x\n", id="name borne twice"),
        pytest.param("FROM b AS x\nFROM a AS x\nCOPY --from=0 c d", "FROM b AS x\n\nFROM a AS x\nCOPY --from=0 c d\n", id="index of a name borne twice"),
        pytest.param("FROM a AS scratch", "FROM a AS scratch\n", id="reserved name"),
        pytest.param("FROM {{x}}\nFROM --platform=$1 $2", "FROM {{x}}\n\nFROM --platform=$1 $2\n", id="templates"),
        pytest.param("ARG A\nARG B", "ARG A\nARG B\n", id="no stage"),
        pytest.param("FROM a\nRUN x \\", "FROM a\nRUN x\n", id="break at the end of the file"),
        pytest.param("FROM a\nRUN a \\\n\\\nb", "FROM a\nRUN a \\\n\\\nb\n", id="break alone"),
        pytest.param("FROM a\n\\\nRUN x", "FROM a\nRUN x\n", id="break before the keyword"),
        pytest.param("FROM a\nCOPY << E /x\nhi\nE", "FROM a\nCOPY << E /x\nhi\nE\n", id="blank in a heredoc's word"),
    ],
)  # fmt: skip
def test_normal_form(text: str, rendered: str) -> None:
    """A text is written in one form, which is a fixed point."""
    dockerfile = parse(text)

    assert rendered == render(dockerfile)
    assert dockerfile == parse(rendered)
    assert rendered == render(parse(rendered))


def test_origins() -> None:
    """Stages and instructions know their lines, in the file that was named."""
    dockerfile = parse("\nARG A\n# c\nFROM a AS b\nRUN x \\\n y\n# d\nCOPY <<E /e\nE\nFROM b", "some/Dockerfile")
    (first, second) = dockerfile.stages

    assert ["some/Dockerfile:2"] == [str(each.origin) for each in dockerfile.args]
    assert ["some/Dockerfile:4", "some/Dockerfile:10"] == [str(each.origin) for each in (first, second)]
    assert [5, 7, 8] == [each.origin.line for each in first.steps]
    assert first.comment is not None
    assert 3 == first.comment.origin.line
    (heredoc,) = first.steps[2].sources  # type: ignore[attr-defined]  # a Copy
    assert 8 == heredoc.origin.line
    assert first is second.base


def test_targets() -> None:
    """The targets are the stages that no other needs, if that keeps the order of the file."""
    file = "FROM a AS x\nFROM a AS y\nFROM b\nCOPY --from=y c d\nFROM x"

    assert [None, None] == [each.name for each in parse("FROM a AS x\nFROM x\nFROM x\n").targets]
    assert ["x", "y", None, None] == [each.name for each in parse(file).stages]
    assert parse(file) == parse(render(parse(file)))


def test_automatic_names() -> None:
    """A name that render made up for an unnamed stage is not its name."""
    base = Stage("a")
    value = Dockerfile(Stage(base, steps=[Run("x", mounts=Bind("/m", from_=base))]))

    assert "FROM a AS stage-0\n\nFROM stage-0\nRUN --mount=type=bind,target=/m,from=stage-0 x\n" == render(value)
    assert value == parse(render(value))
    assert "stage-0" == parse("FROM a AS stage-0").stages[0].name


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("", (1, 1, 1, "no instruction"), id="empty"),
        pytest.param("# c\n\n", (1, 1, 1, "no instruction"), id="comments alone"),
        pytest.param("RUN x", (1, 1, 5, "RUN: there is no stage yet"), id="no stage"),
        pytest.param("FROM", (1, 1, 4, "FROM: no base"), id="no base"),
        pytest.param("FROM a b", (1, 6, 3, "FROM: the instruction has 2 operands"), id="two words"),
        pytest.param("FROM a AS 1b", (1, 11, 2, "FROM: '1b' is not a valid stage name"), id="name"),
        pytest.param("FROM --plattform=b a", (1, 6, 13, "did you mean --platform"), id="flag"),
        pytest.param(
            f"FROM x\n{'y' * 60000}", (2, 1, 60000, f"{'Y' * 39}…: the instruction '{'y' * 30}"), id="endless keyword"
        ),
        pytest.param("FROM x\n  CPOY a b", (2, 3, 4, "the instruction 'CPOY' is unknown; did you mean COPY?"), id="keyword"),
        pytest.param("FROM x\nCOPY a", (2, 6, 1, "COPY: a source or the destination is missing"), id="destination"),
        pytest.param("FROM x\nCOPY a <<E\nE", (2, 8, 3, "COPY: the destination is a heredoc"), id="heredoc last"),
        pytest.param("FROM x\nCOPY --link=1 a b", (2, 6, 8, "COPY: the value '1' is neither true nor false"), id="switch"),
        pytest.param("FROM x\nCOPY --link= a b", (2, 6, 7, "COPY: the value '' is neither"), id="empty switch"),
        pytest.param("FROM x\nCOPY --chown a b", (2, 6, 7, "COPY: the flag --chown has no value"), id="flag without a value"),
        pytest.param("FROM x\nCOPY --from=a --from=b a b", (2, 15, 8, "--from is given twice"), id="flag twice"),
        pytest.param("FROM x\nCMD --x a", (2, 5, 3, "CMD: the flag --x is unknown; CMD has no flags"), id="no flags"),
        pytest.param('FROM x\nCMD ["a", 1]', (2, 5, 8, "CMD: the array has an element that is not a string"), id="number"),
        pytest.param("FROM x\nSHELL sh", (2, 7, 2, "SHELL: the shell is not a JSON array"), id="shell"),
        pytest.param("FROM x\nENV A=b C", (2, 9, 1, "ENV: the word 'C' has no equals sign"), id="word of ENV"),
        pytest.param("FROM x\nENV =b", (2, 5, 2, "ENV: a key is blank"), id="key of ENV"),
        pytest.param("FROM x\nLABEL", (2, 1, 5, "LABEL: no key-value pair is given"), id="no pair"),
        pytest.param("ARG =b", (1, 5, 2, "ARG: a name is blank"), id="name of ARG"),
        pytest.param("FROM x\nRUN --network=lan x", (2, 5, 13, "RUN: the value 'lan' is unknown; use one of"), id="network"),
        pytest.param("FROM x\nRUN --security= x", (2, 5, 11, "RUN: the value '' is unknown"), id="empty choice"),
        pytest.param("# escape=`\xa0\nFROM a", (1, 1, 11, "the escape character '`\\xa0' is neither"), id="blank"),
        pytest.param("FROM x\nRUN --mount=from=$a,target=/b x", (2, 5, 25, "has a variable"), id="variable in a mount"),
        pytest.param("FROM x\nRUN --device=a,b x", (2, 5, 12, "the device has 'b' after its name"), id="device"),
        pytest.param("FROM x\nRUN x \\\n <<E", (3, 2, 3, "RUN: the heredoc 'E' is never closed"), id="heredoc in a second line"),
        pytest.param("FROM x\nRUN $((1 << 2))", (2, 10, 6, "the heredoc '2))' is never closed"), id="arithmetic"),
        pytest.param("FROM x\nEXPOSE", (2, 1, 6, "EXPOSE: no port"), id="no port"),
        pytest.param("FROM x\nVOLUME []", (2, 8, 2, "VOLUME: no path"), id="no path"),
        pytest.param("FROM x\nUSER", (2, 1, 4, "USER: no user"), id="no user"),
        pytest.param("FROM x\nMAINTAINER", (2, 1, 10, "MAINTAINER: no name"), id="no maintainer"),
        pytest.param("FROM x\nHEALTHCHECK RUN x", (2, 13, 3, "HEALTHCHECK: 'RUN' is neither CMD nor NONE"), id="kind of probe"),
        pytest.param("FROM x\nHEALTHCHECK CMD", (2, 13, 3, "HEALTHCHECK: no command"), id="no probe"),
        pytest.param("FROM x\nHEALTHCHECK CMD []", (2, 17, 1, "HEALTHCHECK: the command is empty"), id="empty probe"),
        pytest.param("FROM x\nHEALTHCHECK NONE x", (2, 18, 1, "HEALTHCHECK: NONE takes no operands"), id="probe of none"),
        pytest.param("FROM x\nHEALTHCHECK --interval=5 CMD x", (2, 13, 12, "'5' is not a duration"), id="duration"),
        pytest.param("FROM x\nHEALTHCHECK --interval=1us CMD x", (2, 13, 14, "shorter than a millisecond"), id="too short"),
        pytest.param("FROM x\nHEALTHCHECK --retries=-1 CMD x", (2, 13, 12, "'-1' is not a number"), id="retries"),
        pytest.param("FROM x\nHEALTHCHECK --retries=" + "9" * 5000 + " CMD x", (2, 13, 5010, "out of range"), id="long retries"),
        pytest.param("FROM x\nONBUILD ONBUILD RUN x", (2, 9, 7, "ONBUILD is not allowed"), id="trigger of a trigger"),
        pytest.param("FROM x\nONBUILD", (2, 1, 7, "ONBUILD: no instruction"), id="no trigger"),
        pytest.param("# escape=x\nFROM a", (1, 1, 10, "the escape character 'x' is neither"), id="escape character"),
        pytest.param("# check=skip=all\n# check=skip=all\nFROM a", (2, 1, 16, "check is given twice"), id="directive twice"),
        pytest.param("FROM x\nRUN " + "a" * 70_000, (2, 1, 1, "a line is 70,004 bytes long"), id="long line"),
        pytest.param("FROM x\nRUN \ud800", (2, 5, 1, "a lone surrogate"), id="no Unicode"),
    ],
)  # fmt: skip
def test_refused(text: str, problem: tuple[int, int, int, str]) -> None:
    """What BuildKit refuses is refused, with place, fact and remedy."""
    (found,) = problems(text)
    *place, message = problem

    assert place == [found.line, found.column, found.length], found
    assert message in found.message


def test_errors_in_one_go() -> None:
    """All errors are reported at once: where, what, and what to do; each place is underlined."""
    with pytest.raises(DockerfileSyntaxError) as caught:
        parse("FROM x\nCOPPY a b\nCOPY --chwon=3 a b\n\tENV A\nRUN cat <<EOF\n", "D")

    assert [
        SyntaxProblem(2, 1, 5, "COPPY: the instruction 'COPPY' is unknown; did you mean COPY?", "did you mean COPY?"),
        SyntaxProblem(3, 6, 9, "COPY: the flag --chwon is unknown; did you mean --chown?", "did you mean --chown?"),
        SyntaxProblem(4, 6, 1, "ENV: the key 'A' has no value; write A=value", "write A=value"),
        SyntaxProblem(
            5,
            9,
            5,
            "RUN: the heredoc 'EOF' is never closed; add a line that is just EOF",
            "add a line that is just EOF",
        ),
    ] == list(caught.value.errors)
    assert "D:2" == str(caught.value.origin)
    assert (
        "D:3:6: COPY: the flag --chwon is unknown; did you mean --chown?\n"
        "    COPY --chwon=3 a b\n"
        "         ^~~~~~~~~\n"
        "D:4:6: ENV: the key 'A' has no value; write A=value\n"
        "    \tENV A\n"
        "    \t    ^\n"
    ) in str(caught.value)


def test_a_misspelled_from_is_one_problem() -> None:
    """The content of a stage that did not begin is not a further problem."""
    (found,) = problems("FORM x\nRUN a\nCOPY b c\n")

    assert "did you mean FROM?" in found.message


def test_a_problem_is_a_value() -> None:
    """Problems are compared by content, and cannot be changed; the error keeps them when it is pickled."""
    problem = SyntaxProblem(1, 2, 3, "a: b; c", "c")

    assert problem == pickle.loads(pickle.dumps(problem))
    assert {problem} == {copy.copy(problem)}
    assert "SyntaxProblem(line=1, column=2, length=3, message='a: b; c', remedy='c')" == repr(problem)
    with pytest.raises(AttributeError):
        problem.line = 2  # type: ignore[misc]  # what a type checker refuses is refused at run time, too
    with pytest.raises(DockerfileSyntaxError) as caught:
        parse("FOO")
    assert caught.value.errors == pickle.loads(pickle.dumps(caught.value)).errors


def test_the_text_is_a_str() -> None:
    """Bytes are refused with their type: the caller has to decode them."""
    with pytest.raises(InvalidType, match="the text is a bytes; pass a str"):
        parse(anything(b"FROM x"))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("FROM x\n" + "RUN echo a && \\\n  b\n" * 50_000, id="lines"),
        pytest.param("FROM x\nRUN " + "a" * 60_000, id="long line"),
        pytest.param("FROM x\nRUN --network=none a " + "\\\n# c\n b " * 25_000, id="continuations"),
        pytest.param("FROM x\nENV " + '\\\n A="b c" ' * 20_000, id="pairs"),
        pytest.param("FROM x\nENV A=" + "${A:-" * 5_000 + "}" * 5_000, id="references"),
        pytest.param("FROM x\nCOPY " + "[" * 30_000 + "]" * 29_999 + " x", id="brackets"),
        pytest.param("FROM x\nRUN cat " + "<<A " * 5_000 + "\n" + "A\n" * 5_000, id="heredocs"),
        pytest.param("FROM x AS a0\n" + "".join(f"FROM a{i} AS a{i + 1}\n" for i in range(3_000)), id="stages"),
        pytest.param("FROM x\n" + "# a\n" * 100_000, id="comments"),
    ],
)
def test_hostile_shapes(text: str) -> None:
    """A long text is read, however it is built: anything superlinear would not finish."""
    once = render(parse(text))

    assert once == render(parse(once))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("FROM x\n" + "RUN <<A\n" * 20_000, id="heredocs that do not end"),
        pytest.param("FROM x\nONBUILD " * 1 + "ONBUILD " * 5_000 + "RUN a", id="triggers"),
        pytest.param("FROM x\nCMD " + "[" * 9_000 + "]" * 9_000, id="nested arrays"),
        pytest.param("FOO\n" * 20_000, id="unknown words"),
    ],
)
def test_hostile_errors(text: str) -> None:
    """A long text is refused, however it is built."""
    with pytest.raises(DockerfileSyntaxError):
        parse(text)


@pytest.mark.corpora
def test_real_files() -> None:
    """Exactly those real files are read that BuildKit reads; written again, they mean the same to it."""
    verbatim = 0
    longest: list[tuple[int, int]] = []
    for file in corpus():
        if file["cls"] != "good":
            with pytest.raises(DockerfileSyntaxError):
                parse(file["text"])
            continue
        parsed = parse(file["text"])
        text = render(parsed)
        assert parsed == parse(text)
        assert text == render(parse(text))
        if file["pypi_parse"]:
            check_same(file["text"], text, parsed.escape)
        count = sum(isinstance(step, Verbatim) for step in steps_of(parsed))
        verbatim += count
        if len(parsed.stages) > 1:
            longest.append((len(text), count))

    assert verbatim <= 20
    assert not any(count for _, count in sorted(longest)[-30:])


def check_same(before: str, after: str, escape: str) -> None:
    """Assert that BuildKit reads instructions of the same meaning in both texts."""
    one, other = oracle.read(before), oracle.read(after)
    assert len(one) == len(other)
    for first, second in zip(one, other, strict=True):
        for env in ({}, {"A": "1", "PATH": "/bin", "VERSION": "3.2"}):
            assert said(first, env, escape) == said(second, env, escape), first.original


def said(found: oracle.Read, env: dict[str, str], escape: str) -> Any:
    """Return the meaning of an instruction in a normal form."""
    found = attrs.evolve(found, keyword=found.keyword.upper())
    try:
        meaning = oracle.meaning(found, env, escape)
    except ExpansionError:
        return found.words
    flags = {
        name: [value == "true" if value in ("true", "false") else value for value in values]
        for name, values in meaning.flags.items()
    }
    if "from" in flags:
        flags["from"] = [each.lower() for each in flags["from"]]
    flags["mount"] = [in_one_form(each) for each in flags.get("mount", ())]
    operands, heredocs = meaning.operands, meaning.heredocs
    if found.keyword == "FROM":
        operands = [operands[0].lower(), *[each.lower() for each in operands[1:]]]
    if found.keyword in ("COPY", "ADD") and "<<-" in found.original:
        tabless = [(name, "".join(line.lstrip("\t") for line in text.splitlines(True))) for name, text in heredocs]
        heredocs = tuple(tabless)
    return found.keyword, operands, flags, heredocs, meaning.json


def in_one_form(mount: dict[str, str]) -> dict[str, Any]:
    """Return the options of a mount under their first names, without defaults."""
    names = {"src": "source", "dst": "target", "destination": "target", "ro": "readonly", "rw": "readwrite"}
    options: dict[str, Any] = {names.get(name.lower(), name.lower()): value for name, value in mount.items()}
    options.setdefault("type", "bind")
    for name in ("readonly", "readwrite", "required"):
        if name in options:
            options[name] = options[name] in ("", "true", "1")
    default = "readonly" if options["type"] == "bind" else "readwrite"
    if options.get(default) is True:
        del options[default]
    return options


@pytest.mark.corpora
@pytest.mark.parametrize("case", cases(*CASES), ids=lambda case: case["id"])
def test_cases(case: dict[str, Any]) -> None:
    """BuildKit's own cases are read and refused as BuildKit does, and in the same pieces."""
    text, result = case["dockerfile"], case["result"]
    if "parse_error" in result or "instruction_error" in result:
        with pytest.raises(DockerfileSyntaxError):
            parse(text)
        return
    dockerfile = parse(text)
    rendered = render(dockerfile)
    assert dockerfile == parse(rendered)
    assert rendered == render(parse(rendered))
    found = lines_of(text)
    assert [node["instruction"] for node in result["nodes"]] == [line.head for line in found]
    for node, line in zip(result["nodes"], found, strict=True):
        assert node["start"] == line.logical.first + 1
        assert node["end"] == line.last + 1
        flags = [f"--{each.name}" if each.value is None else f"--{each.name}={each.value}" for each in line.flags]
        assert node["flags"] == flags
        documents = [
            (each.word.name, not each.word.quoted, each.word.strip_tabs, each.content) for each in line.documents
        ]
        expected = [
            (each["name"], each["expand"], each["chomp"], each["content"]) for each in node.get("heredocs") or ()
        ]
        assert expected == documents
        if node["json"] and line.keyword in ("RUN", "CMD", "ENTRYPOINT", "SHELL", "COPY", "ADD", "VOLUME"):
            assert node["args"] == line.array()
        elif line.keyword in ("RUN", "CMD", "ENTRYPOINT", "USER", "WORKDIR", "STOPSIGNAL", "MAINTAINER"):
            assert node["args"] == [line.text] * bool(line.text)
        elif line.keyword in ("COPY", "ADD", "VOLUME", "EXPOSE", "FROM"):
            assert node["args"] == line.words()
