"""The model as data: the schema holds, and nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dockdsl
from dockdsl import (
    Add,
    Arg,
    Bind,
    Cache,
    Cmd,
    Comment,
    Copy,
    DockdslError,
    Dockerfile,
    Entrypoint,
    Heredoc,
    InvalidType,
    Literal,
    Onbuild,
    Run,
    Secret,
    Ssh,
    Stage,
    Tmpfs,
    Verbatim,
    describe,
    external,
    layout,
    literal,
    parse,
)
from dockdsl.instructions.registry import KEYWORDS, kind_for
from dockdsl.schema.json_schema import json_schema
from dockdsl.selection import load
from dockdsl.syntax.flags import declared
from tests import strategies
from tests.corpora import corpus

ROOT = Path(__file__).parents[2]
SCHEMA = json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
KINDS: dict[str, Any] = {
    "COMMENT": Comment,
    "VERBATIM": Verbatim,
    **{keyword: kind_for(keyword) for keyword in KEYWORDS},
}
MOUNTS: dict[str, Any] = {kind.TYPE: kind for kind in (Bind, Cache, Secret, Ssh, Tmpfs)}
DERIVED = ("origin", "form", "joined", "heredocs")
"""What follows from the fields, and where they were written."""
BUILDS = sorted(ROOT.joinpath("builds").glob("*.py"))


def checked(dockerfile: Dockerfile) -> dict[str, Any]:
    """Return the description of a Dockerfile as it comes out of JSON; it fits the schema."""
    data: dict[str, Any] = json.loads(json.dumps(describe(dockerfile)))
    VALIDATOR.validate(data)
    return data


class Restored:
    """A reader of the data, as another program would be: it makes values again, and knows the data alone."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.stages: list[Stage] = []
        for each in data["stages"]:
            comment = None if each["comment"] is None else self.instruction(each["comment"])
            steps = [self.instruction(step) for step in each["steps"]]
            base = self.source(each["base"])
            self.stages.append(Stage(base, each["name"], self.word(each["platform"]), steps, comment=comment))
        args = [self.instruction(each) for each in data["args"]]
        targets = [self.stages[index] for index in data["targets"]]
        self.dockerfile = Dockerfile(targets, args, **data["directives"])

    def word(self, data: Any) -> Any:
        """Return an operand."""
        if not isinstance(data, list):
            return data
        return Literal(tuple((True, each["literal"]) if isinstance(each, dict) else (False, each) for each in data))

    def source(self, data: Any) -> Any:
        """Return a stage, the name of one, or an image."""
        if data is None:
            return None
        if "stage" in data:
            return data.get("as", self.stages[data["stage"]])
        image = self.word(data["image"])
        try:
            Stage(image)
        except DockdslError:
            return external(image)
        return external(image) if isinstance(image, str) and "$" not in image else image

    def value(self, name: str, data: Any) -> Any:
        """Return the value of a field."""
        match name:
            case "from":
                return self.source(data)
            case "pairs":
                return tuple((self.word(each["key"]), self.word(each["value"])) for each in data)
            case "sources":
                return [self.heredoc(each) if isinstance(each, dict) else self.word(each) for each in data]
            case "mounts":
                return [MOUNTS[each["type"]](**self.fields(each, "type")) for each in data]
            case "more":
                return [self.instruction(each) for each in data]
            case "trigger":
                return self.instruction(data)
            case "command" if isinstance(data, str):
                return layout(data)
            case "command" | "argv" | "exclude" | "device":
                return tuple(data) if isinstance(data, list) else data
            case "ports" | "paths":
                return [self.word(each) for each in data]
        return self.word(data)

    def heredoc(self, data: Any) -> Heredoc:
        """Return a file written in place."""
        return Heredoc(**self.fields(data))

    def fields(self, data: Mapping[str, Any], *besides: str) -> dict[str, Any]:
        """Return the fields of a value by their names in Python."""
        renamed = {"from": "from_", "trigger": "instruction"}
        return {
            renamed.get(name, name): self.value(name, each)
            for name, each in data.items()
            if name not in (*besides, *DERIVED)
        }

    def instruction(self, data: Mapping[str, Any]) -> Any:
        """Return an instruction."""
        return KINDS[data["instruction"]](**self.fields(data, "instruction"))


def check_restored(dockerfile: Dockerfile) -> None:
    """Assert that the data says all that the values say."""
    data = checked(dockerfile)
    again = Restored(data).dockerfile

    assert dockerfile == again
    assert str(dockerfile) == str(again)
    versions = [dockerfile.minimum_syntax, *[stage.minimum_syntax for stage in dockerfile.stages]]
    assert [{"version": version.removesuffix("-labs"), "labs": version.labs} for version in versions] == [
        each["minimum_syntax"] for each in (data, *data["stages"])
    ]


def test_the_schema_is_a_schema() -> None:
    """It is valid itself, and has the identity that the data names."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    data = checked(Dockerfile(Stage("scratch")))

    assert SCHEMA["$id"] == data["schema"]
    assert "https://json-schema.org/draft/2020-12/schema" == SCHEMA["$schema"]


def test_the_schema_is_the_documented_one() -> None:
    """What is generated is the file in the documentation; ``dockdsl inspect --schema > docs/model.schema.json`` writes it."""
    documented = ROOT.joinpath("docs", "model.schema.json").read_text(encoding="utf-8")

    assert json.dumps(SCHEMA, indent=2) + "\n" == documented


@pytest.mark.parametrize("name", sorted(KINDS))
def test_the_schema_has_every_field(name: str) -> None:
    """Each instruction is in the schema, with each of its fields, and allows no other."""
    known = SCHEMA["$defs"][name]
    fields = {field.name.rstrip("_") for field in declared(KINDS[name]).fields}
    renamed = {"trigger" if field == "instruction" else field for field in fields}

    assert renamed | {"instruction", "origin"} == set(known["properties"]) - {*DERIVED[1:]}
    assert set(known["properties"]) == set(known["required"])
    assert known["additionalProperties"] is False
    assert {"$ref": f"#/$defs/{name}"} in SCHEMA["$defs"]["instruction"]["oneOf"]


@pytest.mark.parametrize("name", sorted(MOUNTS))
def test_the_schema_has_every_mount(name: str) -> None:
    """Each type of mount is in the schema with each of its options."""
    fields = {field.name.rstrip("_") for field in declared(MOUNTS[name]).fields}

    assert fields | {"type", "origin"} == set(SCHEMA["$defs"][name]["properties"])


@pytest.mark.parametrize("path", BUILDS, ids=lambda path: path.stem)
def test_the_build_files_lose_nothing(path: Path) -> None:
    """Another program could make the same values of the data."""
    check_restored(load(str(path), Dockerfile))


@pytest.mark.corpora
def test_real_files_lose_nothing() -> None:
    """Real Dockerfiles can be made again of the data."""
    for file in corpus()[::10]:
        if file["cls"] == "good":
            check_restored(parse(file["text"]))


@settings(max_examples=strategies.examples(400), deadline=None, suppress_health_check=list(HealthCheck))
@given(strategies.dockerfiles)
def test_a_dockerfile_loses_nothing(value: Any) -> None:
    """Whatever is said is in the data, in a form that fits the schema."""
    if isinstance(value, Dockerfile):
        check_restored(value)


@settings(max_examples=strategies.examples(600), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(strategies.instructions, min_size=1, max_size=6))
def test_an_instruction_loses_nothing(found: list[Any]) -> None:
    """Each field of each instruction arrives."""
    value = strategies.attempt(Dockerfile, Stage("a", steps=strategies.accepted(found)))
    if isinstance(value, Dockerfile):
        check_restored(value)


def test_words() -> None:
    """A text is text; literal parts say so."""
    (step,) = checked(Dockerfile(Stage("a", steps=[dockdsl.Env({"A": "$B", "C": literal("$5/") + "${D}"})])))["stages"][
        0
    ]["steps"]

    assert [
        {"key": "A", "value": "$B"},
        {"key": "C", "value": [{"literal": "$5/"}, "${D}"]},
    ] == step["pairs"]


def test_forms() -> None:
    """The two forms of a command, and none, are told apart."""
    steps = [Cmd("a b"), Entrypoint.exec("a", "b"), dockdsl.Healthcheck.none(), Run.exec("a")]
    found = checked(Dockerfile(Stage("a", steps=steps)))["stages"][0]["steps"]

    assert [("shell", "a b"), ("exec", ["a", "b"]), ("none", None), ("exec", ["a"])] == [
        (step["form"], step["command"]) for step in found
    ]


def test_what_a_shell_is_given() -> None:
    """Continued lines are joined, and comments between them are dropped; heredocs stay as they are."""
    text = "FROM a\nRUN a && \\\n# x\n  b <<E\n# y\nE\nCMD c \\\n  d\n"
    first, second = checked(parse(text))["stages"][0]["steps"]

    assert ("a && \\\n# x\n  b <<E\n# y\nE", "a &&   b <<E\n# y\nE") == (first["command"], first["joined"])
    assert ("c \\\n  d", "c   d") == (second["command"], second["joined"])


def test_heredocs_of_a_command() -> None:
    """They are told apart from the command, with what the shell does with them."""
    command = "cat <<A - <<-'B' >f\n$x\nA\n\ty\n\tB"
    (step,) = checked(Dockerfile(Stage("a", steps=[Run(command)])))["stages"][0]["steps"]

    assert command == step["command"]
    assert [
        {"name": "A", "content": "$x\n", "expand": True, "strip_tabs": False},
        {"name": "B", "content": "\ty\n", "expand": False, "strip_tabs": True},
    ] == step["heredocs"]


def test_edges() -> None:
    """Who needs whom, and by which step: by object, by name, as a base, to copy from, and to mount."""
    base = Stage("alpine", "base")
    nameless = Stage(base)
    last = Stage(
        "base",
        "last",
        steps=[
            Comment("first"),
            Copy("/a", "/a", from_=nameless),
            Run("x", mounts=[Bind("/b", from_="base"), Cache("/c", from_=nameless), Bind("/d", from_="busybox:1.37")]),
            Onbuild(Copy("/a", "/a", from_="base")),
        ],
    )
    data = checked(Dockerfile([nameless, last]))

    assert [
        {"stage": 1, "needs": 0, "by": "base", "step": None},
        {"stage": 2, "needs": 0, "by": "base", "step": None},
        {"stage": 2, "needs": 1, "by": "copy", "step": 1},
        {"stage": 2, "needs": 0, "by": "mount", "step": 2},
        {"stage": 2, "needs": 1, "by": "mount", "step": 2},
    ] == data["edges"]
    assert [1, 2] == data["targets"]
    assert [{"image": "alpine"}, {"stage": 0}, {"stage": 0, "as": "base"}] == [each["base"] for each in data["stages"]]
    steps = data["stages"][2]["steps"]
    assert [{"stage": 0, "as": "base"}, {"stage": 1}, {"image": "busybox:1.37"}] == [
        mount["from"] for mount in steps[2]["mounts"]
    ]
    assert {"image": "base"} == steps[3]["trigger"]["from"]


def test_a_stage_named_like_its_image() -> None:
    """``FROM alpine AS alpine`` is an image, and the name of a stage below is one, too."""
    data = checked(Dockerfile([Stage(external("b"), "a"), Stage("alpine", "alpine"), Stage("c", "b")]))

    assert [{"image": "b"}, {"image": "alpine"}, {"image": "c"}] == [each["base"] for each in data["stages"]]
    assert [] == data["edges"]


def test_no_stage() -> None:
    """A file of arguments alone has a model."""
    data = checked(parse("ARG A\n"))

    assert ([], [], ["A"]) == (data["stages"], data["targets"], [each["name"] for each in data["args"]])


def test_directives_arguments_and_origins() -> None:
    """What stands above the stages is there, and where each value was written."""
    argument = Arg("V", "3")
    file = Dockerfile(
        Stage("a:$V", platform="$BUILDPLATFORM", comment="Above.", steps=[Add("a", "/b", unpack=True)]),
        args=[Comment("Top."), argument],
        syntax="auto",
        escape="`",
        check="skip=all",
    )
    data = checked(file)

    assert {"syntax": "docker/dockerfile:1.17", "escape": "`", "check": "skip=all"} == data["directives"]
    assert {"version": "1.17", "labs": False} == data["minimum_syntax"]
    assert ["COMMENT", "ARG"] == [each["instruction"] for each in data["args"]]
    assert argument.origin.line == data["args"][1]["origin"]["line"]
    assert str(argument.origin) == "{file}:{line}".format(**data["args"][1]["origin"])
    (stage,) = data["stages"]
    assert ("$BUILDPLATFORM", "Above.") == (stage["platform"], stage["comment"]["remark"])


@pytest.mark.parametrize("value", [None, "FROM a", Stage("a")])
def test_what_is_no_dockerfile(value: Any) -> None:
    """It is refused with what to pass."""
    with pytest.raises(InvalidType, match=r"describe: .* is a.*; pass"):
        describe(value)
