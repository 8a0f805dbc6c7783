"""The proof: texts that mean the same pass, and every kind of loss is caught."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dockdsl import Difference, InvalidType, InvalidValue, prove
from tests import oracle

ROOT = Path(__file__).parents[2]
BUILDS = sorted(ROOT.joinpath("builds").glob("*.Dockerfile"))


@pytest.mark.parametrize("path", BUILDS, ids=lambda path: path.stem)
def test_a_file_is_itself(path: Path) -> None:
    """A Dockerfile means the same as itself."""
    text = path.read_text()
    assert prove(text, text) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("env a b", "ENV a=b", id="keyword and legacy form"),
        pytest.param("ENV a b  c", 'ENV a="b  c"', id="legacy form with blanks"),
        pytest.param("LABEL a 'b'", "LABEL a=b", id="quotes without effect"),
        pytest.param("ENV a='$B'", 'ENV a="\\$B"', id="a plain dollar"),
        pytest.param("ENV a=${B}c", 'ENV "a"="${B}c"', id="quotes around a reference"),
        pytest.param("USER '1000'", "USER 1000", id="a quoted user"),
        pytest.param("EXPOSE 80/TCP $A/Udp", "EXPOSE 80/tcp $A/udp", id="the case of a protocol"),
        pytest.param('VOLUME [ "/a" ,"/b"]', "VOLUME /a /b", id="volumes as an array"),
        pytest.param('COPY ["a","b"]', "COPY a b", id="paths as an array"),
        pytest.param('CMD ["a" ,"\\u0062"]', 'CMD ["a", "b"]', id="spelling of an array"),
        pytest.param("COPY --chown=a --link x y", "COPY --link --chown=a x y", id="order of flags"),
        pytest.param("COPY --link=TRUE x y", "COPY --link x y", id="a switch"),
        pytest.param("HEALTHCHECK --retries=03 CMD x", "HEALTHCHECK --retries=3 CMD x", id="a number"),
        pytest.param(
            "RUN --mount=dst=/a,type=cache,rw x", "RUN --mount=type=cache,target=/a x", id="options of a mount"
        ),
        pytest.param("RUN --mount=target=/a,ro x", "RUN --mount=type=bind,target=/a,readonly=true x", id="read-only"),
        pytest.param(
            "RUN --mount=type=bind,target=/a,ro=0 x", "RUN --mount=target=/a,rw x", id="written in the negative"
        ),
        pytest.param(
            "RUN --mount=type=secret,src=a x", "RUN --mount=type=secret,id=a x", id="a secret by its other name"
        ),
        pytest.param("RUN a \\\n  && b", "RUN a && \\\n    b", id="place of the operator"),
        pytest.param("RUN a&&b", "RUN a && \\\n    b", id="blanks at the operator"),
        pytest.param("RUN a \\\n# x\n\n   b", "RUN a \\\n b", id="comment and blank line in between"),
        pytest.param("RUN a\\\nb", "RUN ab", id="a word on two lines"),
        pytest.param("CMD a \\\n   b", "CMD a b", id="a command on two lines"),
        pytest.param("RUN <<'E'\nx\nE", "RUN <<EOF\nx\nEOF", id="name of a heredoc that is all"),
        pytest.param("RUN <<-E\n\tx\n\tE", "RUN <<EOF\nx\nEOF", id="tabs that are taken off"),
        pytest.param("COPY <<E /a\nx\nE", "COPY <<'E' /a\nx\nE", id="nothing to expand"),
        pytest.param("COPY <<-'E' /a\n\tx\nE", "COPY <<'E' /a\nx\nE", id="tabs of a file"),
        pytest.param("STOPSIGNAL --x TERM", "STOPSIGNAL TERM", id="flags that nobody reads"),
        pytest.param("ADD --chmod= --chown= --checksum= x y", "ADD x y", id="flags that are empty"),
        pytest.param("HEALTHCHECK --x=1 NONE", "HEALTHCHECK NONE", id="flags of no health check"),
        pytest.param("COPY --from= x y", "COPY x y", id="no source"),
        pytest.param('RUN [ "a" ]  && b', 'RUN [ "a" ] && \\\n  b', id="what looks like an array"),
        pytest.param("ONBUILD run a \\\n  b", "ONBUILD RUN a b", id="a trigger"),
        pytest.param("# x\nRUN a", "RUN a\n# y", id="comments"),
        pytest.param("RUN a\r\nRUN b\r", "RUN a\nRUN b", id="line ends"),
    ],
)
def test_what_means_the_same(before: str, after: str) -> None:
    """Spelling and layout without effect are not a difference."""
    assert prove(f"FROM scratch\n{before}\n", f"FROM scratch\n{after}\n") is None
    assert prove(f"FROM scratch\n{after}\n", f"FROM scratch\n{before}\n") is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("FROM a AS B\nFROM B\n", "FROM a AS b\nFROM B\n", id="case of a base is that of an image"),
        pytest.param("FROM a as B\nFROM b\n", "FROM a AS b\nFROM b\n", id="case of a name"),
        pytest.param(
            "FROM a\nFROM b\nCOPY --from=0 x y\n", "FROM a AS stage-0\nFROM b\nCOPY --from=stage-0 x y\n", id="index"
        ),
        pytest.param(
            "FROM a AS b\nFROM c\nCOPY --from=B x y\n", "FROM a AS b\nFROM c\nCOPY --from=b x y\n", id="source"
        ),
        pytest.param(
            "FROM a AS b\nFROM c\nRUN --mount=target=/x,from=B x\n",
            "FROM a AS b\nFROM c\nRUN --mount=target=/x,from=b x\n",
            id="mounted",
        ),
        pytest.param("# escape=`\nFROM a\nENV x=C:\\y\n", 'FROM a\nENV x="C:\\\\y"\n', id="escape character"),
        pytest.param(
            "# check=skip=all\n# escape=`\nFROM a `\n AS b\n", "# escape=`\n# check=skip=all\nFROM a AS b", id="order"
        ),
        pytest.param("# check=skip=,A;error=f z\nFROM a\n", "# check=skip=A\nFROM a\n", id="empty names of checks"),
        pytest.param("FROM --platform= a\n", "FROM a\n", id="no platform"),
        pytest.param("\ufeffFROM a\n", "FROM a\n", id="byte order mark"),
    ],
)
def test_files_that_mean_the_same(before: str, after: str) -> None:
    """Nor are the case of stage names and the order of directives."""
    assert prove(before, after) is None
    assert prove(after, before) is None


MUTATIONS = [
    ("RUN --mount=type=cache,target=/a x", "RUN x", "a lost mount"),
    ("RUN --mount=type=cache,target=/a x", "RUN --mount=type=cache,target=/b x", "another target"),
    ("RUN --mount=type=cache,target=/a x", "RUN --mount=type=tmpfs,target=/a x", "another type"),
    ("RUN --mount=type=cache,target=/a,sharing=locked x", "RUN --mount=type=cache,target=/a x", "a lost option"),
    ("RUN --mount=target=/a,rw x", "RUN --mount=target=/a x", "a mount that may be written to"),
    ("RUN --mount=type=cache,target=/a,ro x", "RUN --mount=type=cache,target=/a x", "a mount that may not"),
    ("RUN --mount=target=/a --mount=target=/b x", "RUN --mount=target=/b --mount=target=/a x", "order of mounts"),
    ("RUN --mount=type=secret,id=a x", "RUN --mount=type=secret,id=b x", "another secret"),
    ("RUN --mount=target=/a,from=x y", "RUN --mount=target=/a y", "a lost source"),
    ("RUN --network=none x", "RUN x", "a lost flag"),
    ("RUN --network=none x", "RUN --network=host x", "another value"),
    ("COPY --link x y", "COPY x y", "a lost switch"),
    ("COPY --link=false x y", "COPY --link x y", "a switch turned over"),
    ("COPY --chown=a x y", "COPY --chmod=a x y", "another flag"),
    ("COPY --chown=$A x y", "COPY --chown=\\\\$A x y", "a dollar in a flag"),
    ("COPY --from=a x y", "COPY --from=b x y", "another source"),
    ("COPY --exclude=a --exclude=b x y", "COPY --exclude=b --exclude=a x y", "order of patterns"),
    ("COPY a b c/", "COPY a c/", "a lost path"),
    ("COPY a b c/", "COPY b a c/", "order of paths"),
    ("COPY a b/", "COPY a b", "a folder as a file"),
    ("COPY a b", "ADD a b", "another instruction"),
    ("ENV a='$B'", "ENV a=$B", "a plain dollar comes alive"),
    ('ENV a="b "', "ENV a=b", "a blank in quotes"),
    ("ENV a='b\"c'", 'ENV a=b"c"', "a quote in quotes"),
    ("ENV a=${B:-x}", "ENV a=${B:-y}", "a default"),
    ("ENV a=${B:-x}", "ENV a=${B-x}", "a modifier"),
    ("ENV a=${B#x}", "ENV a=${B#y}", "a pattern"),
    ("ENV a=$B", "ENV a=$C", "another variable"),
    ("ENV a=b c=d", "ENV c=d a=b", "order of variables"),
    ("ENV a=b c=d", "ENV a=b", "a lost variable"),
    ("ENV a b", "LABEL a=b", "a label"),
    ("ARG a", "ARG a=", "an empty default"),
    ("ARG a=b", "ARG a", "a lost default"),
    ("RUN a", "RUN a\nRUN a", "an instruction more"),
    ("RUN a\nRUN b", "RUN b\nRUN a", "order of instructions"),
    ("RUN a  b", "RUN a b", "blanks within a line"),
    ("RUN echo 'a \\\n  b'", "RUN echo 'a b'", "blanks in quotes"),
    ('RUN echo "a \\\n  b"', 'RUN echo "a b"', "blanks in double quotes"),
    ("RUN a && b", "RUN a; b", "another operator"),
    ("RUN a || b && c", "RUN a || { b && c; }", "a group"),
    ("RUN echo 'a && b'", "RUN echo 'a  &&  b'", "an operator in quotes"),
    ("RUN echo a \\\n b", "RUN echo a\\\nb", "two words"),
    ('RUN ["a", "b"]', "RUN a b", "form"),
    ('RUN ["a", "b"]', 'RUN ["a b"]', "arguments"),
    ('CMD ["a"] b', 'CMD ["a"]', "text behind an array"),
    ("CMD a", "ENTRYPOINT a", "another command"),
    ("HEALTHCHECK CMD a", "HEALTHCHECK NONE", "no health check"),
    ("HEALTHCHECK --interval=1s CMD a", "HEALTHCHECK --timeout=1s CMD a", "another time"),
    ("HEALTHCHECK --retries=3 CMD a", "HEALTHCHECK --retries=30 CMD a", "another number"),
    ("RUN <<EOF\na\nEOF", "RUN <<EOF\nb\nEOF", "another script"),
    ("RUN <<EOF\na\n  b\nEOF", "RUN <<EOF\na\nb\nEOF", "blanks of a script"),
    ("RUN <<EOF\nset -e\na\nEOF", "RUN <<EOF\na\nEOF", "a lost line"),
    ("RUN <<EOF bash\na\nEOF", "RUN <<EOF\na\nEOF", "a lost interpreter"),
    ("RUN cat <<EOF >f\n$A\nEOF", "RUN cat <<'EOF' >f\n$A\nEOF", "quotes of a delimiter"),
    ("RUN cat <<A <<B\n1\nA\n2\nB", "RUN cat <<A <<B\n2\nA\n1\nB", "two heredocs"),
    ("COPY <<EOF /a\na\nEOF", "COPY <<EOF /a\nb\nEOF", "another file"),
    ("COPY <<EOF /a\n$A\nEOF", "COPY <<'EOF' /a\n$A\nEOF", "a file that is expanded"),
    ("COPY <<EOF /a\na\\b\nEOF", "COPY <<'EOF' /a\na\\b\nEOF", "a backslash in a file"),
    ("COPY <<a /x/\n1\na", "COPY <<b /x/\n1\nb", "a file's name"),
    ("COPY <<'EOF' /a\n\ta\nEOF", "COPY <<-'EOF' /a\n\ta\nEOF", "tabs of a file"),
    ("ONBUILD RUN --mount=target=/a x", "ONBUILD RUN x", "a mount of a trigger"),
    ("ONBUILD COPY --chown=a x y", "ONBUILD COPY x y", "a flag of a trigger"),
    ("ONBUILD RUN <<EOF\na\nEOF", "ONBUILD RUN <<EOF\nb\nEOF", "the heredoc of a trigger"),
    ("ONBUILD RUN a", "RUN a", "a trigger"),
    ("EXPOSE 80", "EXPOSE 80/udp", "a protocol"),
    ("EXPOSE 80 81", "EXPOSE 80", "a lost port"),
    ("EXPOSE $A", "EXPOSE $B", "a port's variable"),
    ('VOLUME ["/a b"]', "VOLUME /a b", "a blank in a path"),
    ("WORKDIR /a", "WORKDIR /b", "a folder"),
    ("USER a", "USER a:b", "a group"),
    ("STOPSIGNAL SIGTERM", "STOPSIGNAL SIGINT", "a signal"),
    ('SHELL ["a", "b"]', 'SHELL ["a"]', "a shell"),
    ("MAINTAINER a", "MAINTAINER b", "a maintainer"),
    ("# check=skip=A\nRUN a", "RUN a", "a check that is switched off"),
]


@pytest.mark.parametrize(("before", "after"), [each[:2] for each in MUTATIONS], ids=[each[2] for each in MUTATIONS])
def test_what_is_caught(before: str, after: str) -> None:
    """A change of meaning is a difference, whichever text comes first."""
    for one, other in ((before, after), (after, before)):
        found = prove(f"FROM scratch\n{one}\n", f"FROM scratch\n{other}\n")
        assert isinstance(found, Difference)


FILES = [
    ("FROM a\n", "FROM b\n", "base"),
    ("FROM a\n", "FROM a AS b\n", "a name"),
    ("FROM a AS stage-1\n", "FROM a\n", "a name of another place"),
    ("FROM --platform=a b\n", "FROM b\n", "platform"),
    ("FROM a\n", "FROM a\nFROM a\n", "a stage more"),
    ("FROM a AS x\nFROM b AS y\nFROM x\n", "FROM a AS x\nFROM b AS y\nFROM y\n", "another stage"),
    ("FROM a\nFROM b\nFROM c\nCOPY --from=0 x y\n", "FROM a\nFROM b\nFROM c\nCOPY --from=1 x y\n", "another index"),
    ("# syntax=a\nFROM a\n", "FROM a\n", "frontend"),
    ("# check=skip=A\nFROM a\n", "# check=skip=B\nFROM a\n", "checks"),
    ("ARG a\nFROM b\n", "FROM b\nARG a\n", "place of an argument"),
    ("# escape=`\nFROM a\nENV x=C:\\y\n", "FROM a\nENV x=C:\\y\n", "escape character"),
]


@pytest.mark.parametrize(("before", "after"), [each[:2] for each in FILES], ids=[each[2] for each in FILES])
def test_files_that_differ(before: str, after: str) -> None:
    """So is a change of stages and directives."""
    assert prove(before, after) is not None
    assert prove(after, before) is not None


@pytest.mark.parametrize("path", BUILDS, ids=lambda path: path.stem)
def test_each_instruction_counts(path: Path) -> None:
    """A file without any one of its instructions is different."""
    text = path.read_text()
    lines = text.split("\n")
    for each in oracle.read(text):
        assert prove(text, "\n".join([*lines[: each.start - 1], *lines[each.end :]])) is not None


def test_a_difference_shows_both_lines() -> None:
    """A difference says what differs and where; long text is cut to the place."""
    found = prove("FROM a\n\nENV x=1\n", "FROM a\nENV x=2\n")
    assert found is not None
    assert "ENV: the operands differ: '1' and '2'\n  before: line 3: ENV x=1\n  after:  line 2: ENV x=2" == str(found)
    found = prove(f"FROM a\nRUN {'x' * 500}y{'x' * 500}\n", f"FROM a\nRUN {'x' * 1001}\n")
    assert found is not None
    assert 700 > len(str(found))
    assert "xy" in found.fact
    assert "after:  none" in str(prove("FROM a\nRUN b\n", "FROM a\n"))


def test_what_cannot_be_judged() -> None:
    """A text that the parser refuses is refused, and so is anything but a str."""
    with pytest.raises(InvalidValue, match="after: BuildKit's parser refuses"):
        prove("FROM a\n", "FROM a\nRUN <<EOF\n")
    with pytest.raises(InvalidValue, match="has a NUL"):
        prove("FROM a\0", "FROM a")
    with pytest.raises(InvalidValue, match="lone surrogate"):
        prove("FROM a\nRUN \udc80", "FROM a")
    with pytest.raises(InvalidType, match="pass a str"):
        prove(b"FROM a", "FROM a")  # type: ignore[arg-type]


def test_without_the_parser() -> None:
    """The error names the extra."""
    code = (
        "import sys; sys.modules['dockerfile'] = None\n"
        "import dockdsl\n"
        "try: dockdsl.prove('FROM a', 'FROM a')\n"
        "except dockdsl.ProofUnavailable as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert 'prove: BuildKit\'s parser is not installed; run: pip install "dockdsl[prove]"\n' == done.stdout
