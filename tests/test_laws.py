"""The laws, on values that Hypothesis makes: what is written is what BuildKit reads.

The number of values is multiplied by the environment variable ``DOCKDSL_EXAMPLES_FACTOR``.
"""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dockdsl
from dockdsl import Comment, DockdslError, Dockerfile, ExpansionError, Run, Stage, render, render_with_map
from dockdsl.syntax.expand import Options, split_words
from dockdsl.syntax.guard import heredoc_words
from dockdsl.syntax.words import BACKTICK
from tests import laws, oracle, strategies

environments = st.sampled_from(strategies.ENVIRONMENTS)


def tried(strategy: st.SearchStrategy[Any], number: int, law: Callable[[Any], None]) -> None:
    """Try a law on values of a strategy: `number` of them, times the factor of the environment."""

    @settings(
        max_examples=strategies.examples(number),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    @given(strategy)
    def run(value: Any) -> None:
        law(value)

    run()


def backtick_serves(value: Any) -> bool:
    """Whether a value can be written where the escape character is a backtick."""
    try:
        value.spell(BACKTICK)
    except DockdslError:
        return False
    return True


@pytest.mark.parametrize("name", strategies.INSTRUCTIONS)
def test_an_instruction_is_read_as_what_it_says(name: str) -> None:
    """An instruction is refused by its constructor, or BuildKit reads it as its value, with both escape characters."""

    def law(drawn: tuple[Any, dict[str, str]]) -> None:
        value, env = drawn
        if isinstance(value, DockdslError):
            laws.check_refusal(value)
            return
        laws.check_instruction(value, env)
        if backtick_serves(value):
            laws.check_instruction(value, env, "`")

    tried(st.tuples(strategies.INSTRUCTIONS[name], environments), 850, law)


def test_a_dockerfile_is_read_as_what_it_says() -> None:
    """BuildKit reads the stages and steps of a Dockerfile in order, and nothing more; each line knows its origin."""

    def law(drawn: tuple[Any, dict[str, str]]) -> None:
        value, env = drawn
        if isinstance(value, DockdslError):
            laws.check_refusal(value)
        else:
            laws.check_dockerfile(value, env)

    tried(st.tuples(strategies.dockerfiles, environments), 500, law)


def test_an_accepted_value_is_a_value() -> None:
    """Copies, pickles and evolved values are equal to the first, with equal hash, text and origin."""

    def law(value: Any) -> None:
        if isinstance(value, DockdslError):
            again = pickle.loads(pickle.dumps(value))
            assert (type(value), str(value), value.origin) == (type(again), str(again), again.origin)
            return
        for other in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
            assert value == other
            assert hash(value) == hash(other)
            assert str(value) == str(other)
            assert value.origin == other.origin
        assert value == attrs.evolve(value)

    tried(strategies.instructions, 500, law)


def test_a_remark_never_acts() -> None:
    """A comment at the top of a Dockerfile, or as its header, is no directive; what is behind it is read as before."""

    def law(text: str) -> None:
        remark = strategies.attempt(Comment, text)
        if isinstance(remark, DockdslError):
            laws.check_refusal(remark)
            return
        tail = Stage("scratch", steps=[dockdsl.Env({"A": "a`b\\"})])
        for rendered in (
            render(Dockerfile(Stage("scratch", steps=tail.steps, comment=remark))),
            render(Dockerfile(tail, [remark])),
            render(Dockerfile(tail), header=text),
        ):
            found = oracle.read(rendered)
            assert ["FROM", "ENV"] == [each.keyword for each in found]
            assert [("A", "a`b\\")] == oracle.meaning(found[1], {}).operands

    directives = st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["", " ", "\t", "!", "/", "x\n"]),
        st.sampled_from(["escape", "syntax", "ESCAPE", "check", "x", "Syntax "]),
        st.sampled_from(["=", " = ", "", ":"]),
        st.sampled_from(["`", "docker/dockerfile:1", "skip=all", "\\", ""]),
    )
    tried(st.one_of(directives, strategies.nasty, st.lists(directives, max_size=3).map("\n".join)), 500, law)


def test_the_shell_is_given_the_text_as_it_is() -> None:
    """A RUN text reaches the shell as it is, but for the blanks around it and around a broken ``&&``."""

    def law(text: str) -> None:
        value = strategies.attempt(Run, text)
        if isinstance(value, DockdslError):
            laws.check_refusal(value)
            return
        given_text = laws.run_text(oracle.read_one(str(value)))
        # Before the first word a broken line says nothing.
        text, given_text = [re.sub(r"\A[ \t\n]*(?:\\\n[ \t]*)+", "", each) for each in (text, given_text)]
        wanted = text.strip(" \t\n")
        if laws.is_heredoc(wanted):
            wanted = laws.run_text(oracle.read_one(f"RUN {wanted}"))
        if "\\\n" in wanted and "\\\n" not in given_text:
            # BuildKit joins the lines as the shell would.
            wanted = wanted.replace("\\\n", "")
        assert laws.same_but_for_layout(wanted.strip(" \t\n"), given_text.strip(" \t\n")) or text.strip(
            "\n"
        ) == given_text.strip("\n")

    tried(strategies.shell_texts, 1200, law)


def test_heredocs_are_seen_as_the_lexer_sees_them() -> None:
    """The heredocs that are found in a line are those that BuildKit's lexer finds, or the search gives up, which is rare."""
    options = Options(raw_quotes=True, raw_escapes=True, skip_unset_env=True)
    given_up = []

    def law(text: str) -> None:
        line = f"RUN {text}"
        try:
            expected = split_words(line, {}, options=options)
        except ExpansionError:
            expected = []
        found = heredoc_words(line)
        given_up.append(found is None)
        if found is not None:
            assert [each for word in expected for each in started(word)] == [
                (each.name, each.strip_tabs) for each in found
            ]

    pieces = st.sampled_from(
        [*strategies.TRAPS, *strategies.QUOTES, *strategies.BLANKS, *strategies.DOLLARS, "\x1f", "٣<<E", "²"]
    )
    tried(strategies.joined(pieces), 1000, law)
    assert sum(given_up) < len(given_up) / 2


def started(word: str) -> list[tuple[str, bool]]:
    """Return the name of the heredoc that a word of the lexer starts, and whether tabs are taken off, if it does."""
    match = re.fullmatch(r"([0-9]*)<<(-?)[\t\n\f\r ]*([^<]*)", word)
    if match is None or not match[3]:
        return []
    name = split_words(match[3], {}, options=Options(skip_unset_env=True))
    return [(name[0], bool(match[2]))] if len(name) == 1 else []


def test_long_text_is_refused_or_broken() -> None:
    """A text of a size that BuildKit cannot read in one line is refused, wherever it stands."""

    def law(drawn: tuple[Any, Callable[[Any], Any]]) -> None:
        text, make = drawn
        value = strategies.attempt(make, text)
        if isinstance(value, DockdslError):
            laws.check_refusal(value)
            return
        rendered = render(Dockerfile(Stage("scratch", steps=[value])))
        laws.check_layout(rendered, oracle.read(rendered))

    makers: list[Callable[[Any], Any]] = [
        dockdsl.Run,
        dockdsl.Run.script,
        dockdsl.Cmd,
        dockdsl.Cmd.exec,
        dockdsl.Workdir,
        dockdsl.Volume,
        dockdsl.User,
        dockdsl.Comment,
        dockdsl.Maintainer,
        dockdsl.Healthcheck,
        dockdsl.Stopsignal,
        dockdsl.Expose,
        dockdsl.Arg,
        lambda text: dockdsl.Run.chain(text, text),
        lambda text: dockdsl.Env({"A": text, "B": text}),
        lambda text: dockdsl.Copy(text, "/x"),
        lambda text: dockdsl.Copy.text(f"{text}\n", "/x"),
        lambda text: dockdsl.Copy("a", "/x", exclude=[text]),
        lambda text: dockdsl.Run("x", mounts=[dockdsl.Cache(text)]),
        lambda text: dockdsl.Onbuild(dockdsl.Cmd.exec(text)),
        lambda text: dockdsl.Label({text: "x"}),
        lambda text: dockdsl.Shell([text]),
    ]
    tried(st.tuples(strategies.long_texts, st.sampled_from(makers)), 60, law)


def test_rendering_never_fails() -> None:
    """What the constructors have accepted is rendered, a copy likewise; each line has an origin or is blank."""
    rendered = []

    def law(value: Any) -> None:
        rendered.append(not isinstance(value, DockdslError))
        if isinstance(value, DockdslError):
            return
        text, origins = render_with_map(value)
        assert text == render(copy.deepcopy(value))
        for line, origin in zip(text.split("\n")[:-1], origins, strict=True):
            assert line == "" if origin is None else origin.path == strategies.__file__

    tried(strategies.dockerfiles, 200, law)
    assert sum(rendered) > len(rendered) / 4


PUBLIC = [
    *[
        getattr(dockdsl, name)
        for name in [
            "Add",
            "Arg",
            "Bind",
            "Cache",
            "Cmd",
            "Comment",
            "Copy",
            "Dockerfile",
            "Entrypoint",
            "Env",
            "Expose",
        ]
    ],
    *[
        getattr(dockdsl, name)
        for name in [
            "Healthcheck",
            "Heredoc",
            "Label",
            "Maintainer",
            "Onbuild",
            "Run",
            "Secret",
            "Shell",
            "Ssh",
            "Stage",
        ]
    ],
    *[
        getattr(dockdsl, name)
        for name in ["Stopsignal", "Tmpfs", "User", "Volume", "Workdir", "literal", "render", "render_with_map"]
    ],
    *[
        dockdsl.Add.text,
        dockdsl.Arg.many,
        dockdsl.Cmd.exec,
        dockdsl.Comment.check,
        dockdsl.Copy.text,
        dockdsl.Entrypoint.exec,
    ],
    *[dockdsl.Healthcheck.exec, dockdsl.Healthcheck.none, dockdsl.Run.chain, dockdsl.Run.exec, dockdsl.Run.script],
]
USUAL = {
    "instruction": Run("x"),
    "dockerfile": Dockerfile(Stage("a")),
    "targets": Stage("a"),
    "pairs": {"A": "b"},
    "ports": 80,
}


@pytest.mark.parametrize("make", PUBLIC, ids=lambda make: make.__qualname__)
def test_every_type_is_accepted_or_refused(make: Callable[..., Any]) -> None:
    """Whatever is passed for whichever operand, the answer is a value or a `DockdslError`."""
    parameters = list(inspect.signature(make).parameters.values())
    for number in range(len(strategies.strangers())):
        for parameter in parameters:
            stranger = strategies.strangers()[number]
            given_by_name: dict[str, Any] = {}
            by_position: list[Any] = []
            for other in parameters:
                value = stranger if other is parameter else USUAL.get(other.name, "x")
                if other.kind is inspect.Parameter.VAR_POSITIONAL:
                    by_position += [value, "x"] if other is parameter else [value]
                elif other.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD and (
                    other is parameter or other.default is inspect.Parameter.empty
                ):
                    by_position += [value] if not given_by_name else []
                    if given_by_name:
                        given_by_name[other.name] = value
                elif other is parameter:
                    given_by_name[other.name] = value
                if (
                    other.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
                    and other.default is not inspect.Parameter.empty
                ):
                    # From the first operand that may be left out on, all go by name.
                    given_by_name = {**given_by_name, **({other.name: by_position.pop()} if other is parameter else {})}
            made = strategies.attempt(make, *by_position, **given_by_name)
            if isinstance(made, DockdslError):
                laws.check_refusal(made)
            elif isinstance(made, (dockdsl.Instruction, Stage)):
                target = made if isinstance(made, Stage) else Stage("a", steps=[made])
                dockerfile = strategies.attempt(Dockerfile, target)
                if not isinstance(dockerfile, DockdslError):
                    laws.check_layout(render(dockerfile), oracle.read(render(dockerfile)))
                    assert "\nUSER root" not in render(dockerfile) or "<<EOF" in render(dockerfile)
