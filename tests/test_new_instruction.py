"""An instruction that dockdsl does not have: once it is registered, every part of the package handles it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar
from typing import Literal as OneOf

import attrs
import jsonschema
import pytest

from dockdsl import (
    Arg,
    DockdslError,
    Dockerfile,
    DockerfileSyntaxError,
    Instruction,
    InvalidType,
    InvalidValue,
    Onbuild,
    Run,
    Stage,
    User,
    Verbatim,
    describe,
    literal,
    needs_of,
    parse,
    prove,
    render,
    render_with_map,
    steps_of,
    to_python,
    variables_of,
)
from dockdsl.instructions.converters import tuple_of
from dockdsl.instructions.registry import kind_for, register, unregister
from dockdsl.schema.json_schema import json_schema
from dockdsl.syntax.flags import OPERAND, SWITCH, TEXT, flag, one_of
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.words import Spelling, Word, word, word_or_none
from dockdsl.text.buildah import for_buildah
from tests import laws
from tests.laws import anything

_LEVELS = ("low", "high")


@attrs.frozen(slots=False, repr=False)
class Hint(Instruction):
    """A hint for an optimizer: ``HINT [flags] about``."""

    KEYWORD: ClassVar[str] = "HINT"

    about: Word = attrs.field(converter=word)
    level: OneOf["low", "high"] | None = attrs.field(
        default=None,
        kw_only=True,
        metadata=flag("level", one_of(*_LEVELS), since="1.99"),
    )
    loud: bool | None = attrs.field(default=None, kw_only=True, metadata=flag("loud", SWITCH))
    owner: Word | None = attrs.field(
        default=None,
        converter=word_or_none,
        kw_only=True,
        metadata=flag("owner", OPERAND, since="1.3"),
    )
    tags: tuple[str, ...] = attrs.field(
        default=(), converter=tuple_of, kw_only=True, metadata=flag("tag", TEXT, repeatable=True)
    )

    def operands(self, spelling: Spelling) -> Sequence[str]:
        """Spell what the hint is about."""
        return [spelling.value(self.about)]

    @classmethod
    def read_operands(cls, line: Line) -> dict[str, Any]:
        """Read what the hint is about, which is the rest of the line."""
        if not line.text:
            raise line.wrong("nothing is given", "write HINT about")
        return {"about": line.word(line.text)}


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    """Make the instruction known for the length of a test."""
    register(Hint)
    yield
    unregister(Hint)


class LoudHint(Hint):
    """A hint whose constructor says more than what is passed to it."""

    def __init__(self, about: Word) -> None:
        super().__init__(about, loud=True)


FULL = Hint("$A b", level="high", loud=True, tags=["x", "y z"])
LINE = 'HINT --level=high --loud --tag=x --tag="y z" "$A b"'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(Hint("a"), "HINT a", id="operand"),
        pytest.param(Hint(literal("$a")), r'HINT "\$a"', id="literal"),
        pytest.param(Hint("${A:-b}"), "HINT ${A:-b}", id="variable"),
        pytest.param(FULL, LINE, id="all flags"),
        pytest.param(Hint("a", loud=False), "HINT --loud=false a", id="switch that is off"),
        pytest.param(Onbuild(Hint("a", level="low")), "ONBUILD HINT --level=low a", id="kept"),
    ],
)
def test_laws(value: Instruction, text: str) -> None:
    """It is written as it should be, BuildKit's parser reads its flags, and it is read as the same value."""
    laws.check_row(value, text, __file__)


def test_constructor_of_its_own() -> None:
    """A subclass may have a constructor of its own, which gives options that its caller does not."""
    assert "HINT --loud a" == str(LoudHint("a"))


@pytest.mark.parametrize("escape", ["\\", "`"])
def test_any_escape_character(escape: OneOf["\\", "`"]) -> None:
    """It is spelled, read and spelled again under each escape character."""
    value = Hint("a`b\\c $A", level="low")

    laws.check_instruction(value, {"A": "1"}, escape)
    laws.check_dockerfile(Dockerfile(Stage("a", steps=[value, Onbuild(Hint("b"))]), escape=escape), {"A": "1"})


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        pytest.param(
            lambda: Hint("a", level=anything("mid")), InvalidValue, "HINT: .*use one of low, high", id="choice"
        ),
        pytest.param(lambda: Hint("a", loud=anything("yes")), InvalidType, "HINT: .*pass True or False", id="switch"),
        pytest.param(lambda: Hint("a", tags=anything([1])), InvalidType, "HINT: .*pass a str", id="tag"),
        pytest.param(lambda: Hint("a\nUSER root"), InvalidValue, "HINT: .*newline", id="newline"),
        pytest.param(lambda: Hint(anything(1)), InvalidType, "HINT: ", id="type"),
    ],
)
def test_what_it_refuses(make: Any, kind: type[DockdslError], message: str) -> None:
    """What has no spelling is refused by the constructor, with construct, fact and remedy."""
    laws.check_refused(make, kind, message, __file__)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param("HINT --level=mid a", "use one of low, high", id="choice"),
        pytest.param("HINT --lewel=low a", "did you mean --level", id="flag"),
        pytest.param("HINT --level=low --level=low a", "twice", id="twice"),
        pytest.param("HINT", "write HINT about", id="operand"),
        pytest.param("HNT a", "HINT", id="keyword"),
    ],
)
def test_what_its_reader_refuses(line: str, message: str) -> None:
    """A text that does not say it is refused at its line."""
    with pytest.raises(DockerfileSyntaxError, match=message) as caught:
        parse(f"FROM a\n{line}\n")

    assert 2 == caught.value.errors[0].line


def test_text_and_origin() -> None:
    """It is rendered with the line on which it was written, and what is read is rendered as it was."""
    value = Hint("a")
    text, origins = render_with_map(Dockerfile(Stage("a", steps=[value])))

    assert "FROM a\nHINT a\n" == text == render(parse(text))
    assert value.origin == origins[1]
    assert 2 == parse(text).stages[0].steps[0].origin.line


def test_minimum_syntax() -> None:
    """Its flags say since when they are known."""
    assert ["1.0", "1.99", "1.6"] == [
        each.minimum_syntax for each in (Hint("a", loud=True), Onbuild(FULL), Hint("${A-b}"))
    ]


def test_description_and_schema() -> None:
    """It is described by its fields, and the schema has it."""
    data = describe(Dockerfile(Stage("a", steps=[FULL, Onbuild(Hint(literal("$") + "a$B", owner="$A"))])))
    schema = json_schema()
    first, second = data["stages"][0]["steps"]

    jsonschema.Draft202012Validator(schema).validate(data)
    assert ("HINT", "$A b", "high", True, None, ["x", "y z"]) == tuple(
        first[name] for name in ("instruction", "about", "level", "loud", "owner", "tags")
    )
    assert ([{"literal": "$a"}, "$B"], "$A") == (second["trigger"]["about"], second["trigger"]["owner"])
    assert "The flag --level, since frontend 1.99." == schema["$defs"]["HINT"]["properties"]["level"]["description"]
    first["level"] = "mid"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(data)


def test_python_source() -> None:
    """The Python that is written of it imports it from here, and makes the same value."""
    file = Dockerfile(Stage("a", steps=[FULL, Onbuild(Hint("b")), User("1")]))
    source = to_python(file)
    found: dict[str, Any] = {}
    exec(source, found)

    assert file == found["dockerfile"]
    assert f"from {__name__} import Hint\n" in source
    assert 'Hint("$A b", level="high", loud=True, tags=["x", "y z"])' in source


def test_walker() -> None:
    """Its steps and variables are seen, in an ONBUILD as well; it takes no files from anywhere."""
    file = Dockerfile(Stage("a", steps=[Arg("A"), FULL, Hint("x", owner="$A"), Onbuild(Hint("$B"))]))

    assert ["ARG", "HINT", "HINT", "ONBUILD", "HINT"] == [step.instruction.keyword for step in steps_of(file)]
    assert ["image"] == [need.kind for need in needs_of(file)]
    (variable,) = variables_of(file)
    assert [("A", 1, "builder"), ("A", 2, "builder")] == [
        (variable.name, use.step.place, use.by) for use in variable.uses if use.step is not None
    ]


def test_dialect() -> None:
    """For buildah it stays as it is, unless a flag of it is too new."""
    file = Dockerfile(Stage("a", steps=[Hint("a", loud=True), Onbuild(Hint("b"))]))

    assert str(file) == for_buildah(file).text
    with pytest.raises(InvalidValue, match=r"HINT: .* do not support --level"):
        for_buildah(Dockerfile(Stage("a", steps=[FULL])))


def test_proof() -> None:
    """BuildKit's own parser sees whether two files have the same flags."""
    one, other = [str(Dockerfile(Stage("a", steps=[Hint("a", level=level)]))) for level in ("low", "high")]

    assert None is prove(one, one)
    assert prove(one, other) is not None


def test_verbatim() -> None:
    """Its text may stand verbatim as long as it is registered, and no longer."""
    text = "HINT x"

    assert "HINT" == Verbatim(text).keyword
    unregister(Hint)
    try:
        assert kind_for("HINT") is None
        with pytest.raises(InvalidValue, match="HINT x"):
            Verbatim(text)
        with pytest.raises(DockerfileSyntaxError, match="HINT"):
            parse(f"FROM a\n{text}\n")
    finally:
        register(Hint)


def test_taking_the_place_of_another() -> None:
    """A class with a known keyword is read instead of the usual one, until it is unregistered."""

    class Login(User):
        """A user who logs in."""

    register(Login)
    assert isinstance(parse("FROM a\nUSER b\n").stages[0].steps[0], Login)
    unregister(Login)
    assert type(parse("FROM a\nUSER b\n").stages[0].steps[0]) is User


@attrs.frozen(slots=False, repr=False)
class Dash(Run):
    """A RUN with a flag more."""

    fast: bool | None = attrs.field(default=None, kw_only=True, metadata=flag("fast", SWITCH))


@pytest.mark.parametrize(
    "line", ["RUN --fast a && b", 'RUN --network=none --fast ["a"]', "RUN --mount=type=cache,target=/c x"]
)
def test_a_flag_more(line: str) -> None:
    """A subclass adds a flag to a known instruction: it is read, described and written as Python as well."""
    register(Dash)
    try:
        file = parse(f"FROM a\n{line}\n")
        found: dict[str, Any] = {}
        exec(to_python(file), found)

        assert f"FROM a\n{line}\n" == str(file)
        assert file == found["dockerfile"]
        jsonschema.Draft202012Validator(json_schema()).validate(describe(file))
    finally:
        unregister(Dash)


@pytest.mark.parametrize("keyword", ["HINT2", "HI-NT", "HI_NT2"])
def test_a_keyword_with_digits(keyword: str) -> None:
    """BuildKit takes all up to a blank for the keyword, so digits and dashes make no difference in any direction."""

    class Other(Hint):
        """Another hint."""

        KEYWORD: ClassVar[str] = keyword

    register(Other)
    try:
        file = parse(f"FROM a\n{keyword} --level=low x\nONBUILD {keyword} y\n")

        assert f"FROM a\n{keyword} --level=low x\nONBUILD {keyword} y\n" == str(file)
        assert [keyword, "ONBUILD", keyword] == [step.instruction.keyword for step in steps_of(file)]
        assert Verbatim(f"{keyword} y").keyword == keyword
        jsonschema.Draft202012Validator(json_schema()).validate(describe(file))
    finally:
        unregister(Other)


@pytest.mark.parametrize("keyword", ["", "hint", "HI NT", "FROM", "1HINT", "É", "HINT\n", "HINT²"])
def test_keywords(keyword: str) -> None:
    """A keyword that no Dockerfile can have is refused, with what to use."""

    class Other(Hint):
        """Another hint."""

        KEYWORD: ClassVar[str] = keyword

    with pytest.raises(InvalidValue, match=r"register: the keyword .* of Other is not valid; use capital letters"):
        register(Other)
