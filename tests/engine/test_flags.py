"""The table of build options: it is complete, and all that is derived from it agrees."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import attrs
import pytest

from dockdsl import Image
from dockdsl.cli import building as _building
from dockdsl.engine import options
from dockdsl.engine.building import BuildRequest
from dockdsl.engine.flags import OPTIONS, flags
from dockdsl.engine.options import BuildKeywords, ImageOptions
from dockdsl.engine.specifications import CacheSpec, OutputSpec, SecretSpec, SshSpec
from dockdsl.errors import Refused

GUIDE = Path(__file__).parents[2] / "docs" / "guide"
NO_OPTIONS = {"dockerfile", "files", "notes", "origins"}
"""What a request has besides options."""


def test_each_option_is_everywhere() -> None:
    """The fields, the table of flags and the keywords of type checkers have the same names."""
    fields = {field.name for field in attrs.fields(BuildRequest)} - NO_OPTIONS

    assert fields == set(OPTIONS)
    assert fields == {*BuildKeywords.__annotations__, "builder"}
    assert {field.name for field in attrs.fields(ImageOptions)} <= {field.name for field in attrs.fields(Image)}


@pytest.mark.parametrize("field", attrs.fields(ImageOptions), ids=lambda field: field.name)
def test_keywords_are_what_the_fields_accept(field: attrs.Attribute[Any]) -> None:
    """A type checker accepts for a keyword what the field's converter takes."""
    converter: Any = field.converter
    accepted = next(iter(converter.__annotations__.values()))

    assert accepted == BuildKeywords.__annotations__[field.name].__forward_arg__


@pytest.mark.parametrize("name", OPTIONS)
def test_each_option_is_documented(name: str) -> None:
    """The class says what it means, the guide shows it in Python, and the page of the command line its flag."""
    doc = f"{ImageOptions.__doc__}{BuildRequest.__doc__}"
    building = GUIDE.joinpath("building.md").read_text()

    assert f"`{name}`" in doc
    assert f"{name}=" in building or name == "builder"
    for flag in OPTIONS[name].names:
        assert f"`{flag}" in GUIDE.joinpath("command-line.md").read_text(), flag


def test_each_option_is_on_the_command_line() -> None:
    """A flag of the table is one of `dockdsl build`, and those for all verbs are one of `dockdsl test`."""
    for verb in ("build", "test"):
        parser = argparse.ArgumentParser()
        _building.add_arguments(parser, verb)
        known = {flag for action in parser._actions for flag in action.option_strings}
        wanted = {flag for option in OPTIONS.values() if option.verb in (None, verb) for flag in option.names}
        assert wanted <= known


def test_defaults_are_not_passed_on() -> None:
    """A request without options has no flags, and an argument says what it is for."""
    request = BuildRequest(dockerfile="FROM scratch", context=".")

    assert [] == flags(request, "buildx") == flags(request, "buildah")
    assert all(option.help for option in OPTIONS.values() if option.names)


@pytest.mark.parametrize(
    ("text", "expected", "spelled"),
    [
        pytest.param("id=t,src=f", SecretSpec("t", src="f"), "id=t,src=f", id="file"),
        pytest.param("ID=t,Src=f", SecretSpec("t", src="f"), "id=t,src=f", id="keys in upper case"),
        pytest.param("source=f, id=t", SecretSpec("t", src="f"), "id=t,src=f", id="other key"),
        pytest.param("id=t,ENV=T", SecretSpec("t", env="T"), "id=t,env=T", id="variable"),
        pytest.param("id=t,type=env,src=T", SecretSpec("t", env="T"), "id=t,env=T", id="type env"),
        pytest.param("id=t,type=file,src=f", SecretSpec("t", src="f"), "id=t,src=f", id="type file"),
        pytest.param('id=t,"src=a,b"', SecretSpec("t", src="a,b"), 'id=t,"src=a,b"', id="comma"),
        pytest.param('id=t,"src=a""b"', SecretSpec("t", src='a"b'), 'id=t,"src=a""b"', id="quote"),
        pytest.param("id=t", SecretSpec("t"), "id=t", id="id alone"),
        pytest.param("id=t,src=a=b", SecretSpec("t", src="a=b"), "id=t,src=a=b", id="equals sign"),
    ],
)
def test_a_secret_is_read_once(text: str, expected: SecretSpec, spelled: str) -> None:
    """It is read as BuildKit reads it, and what is spelled is read as the same again."""
    found = SecretSpec.parse(text)

    assert expected == found == SecretSpec.parse(spelled)
    assert spelled == str(found)


def test_where_a_secret_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """An id alone is a variable where there is one, else a file; a variable counts before a file."""
    monkeypatch.setenv("TOKEN", "x")

    assert ("env", "TOKEN") == SecretSpec("TOKEN").source
    assert ("src", "no-such-variable") == SecretSpec("no-such-variable").source
    assert ("env", "A") == SecretSpec("t", "A", "f").source


def test_other_specifications() -> None:
    """Each is read into its parts and spelled from them."""
    for kind, text in (
        (SshSpec, "default"),
        (SshSpec, "git=key1,key2"),
        (OutputSpec, "load"),
        (OutputSpec, "type=oci,dest=a.tar,tar=false"),
        (CacheSpec, "type=registry,ref=x:c,mode=max"),
    ):
        assert text == str(kind.parse(text))
    assert OutputSpec("local", "out") == OutputSpec.parse("out")
    assert OutputSpec("oci", "a") == OutputSpec.parse("DEST=a,Type=oci")
    assert CacheSpec("registry", (("ref", "x:c"),)) == CacheSpec.parse("x:c")
    with pytest.raises(Refused, match="write each as key=value"):
        OutputSpec.parse("type=oci,dest")


def test_a_value_is_accepted_in_the_place_of_text() -> None:
    """A specification that was made in Python is taken as it is, alone or among texts."""
    request = BuildRequest(
        dockerfile="FROM scratch", context=".", secrets=SecretSpec("t", env="T"), output=[OutputSpec("load"), "push"]
    )

    assert (SecretSpec("t", env="T"),) == request.secrets
    assert (OutputSpec("load"), OutputSpec("push")) == request.output
    assert () == options.outputs(None)
