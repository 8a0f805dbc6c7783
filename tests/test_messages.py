"""What the messages of the package tell people to write: each name and each option of it is there."""

from __future__ import annotations

import ast
import contextlib
import importlib
import inspect
import pkgutil
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import dockdsl

PACKAGE = Path(dockdsl.__file__).parent
_call = re.compile(r"\b([A-Z]\w*[a-z]\w*)(?:\.(\w+))?\(")
_named_option = re.compile(r"\b([A-Z]\w*[a-z]\w*) (\w+)=")
_option = re.compile(r"(?<![-\w.$<?])([a-z]\w+)=(?!=)")
_pip = re.compile(r"pip install (\S+)")
KEYS = {"default", "dest", "device", "env", "id", "key", "nofile", "src", "type", "version"}
"""Keys in specifications of secrets, outputs and so on, which are text."""
ELSEWHERE = {"app", "check", "class", "error", "escape", "go", "height", "skip", "syntax", "word"}
"""Of Dockerfiles and of other languages, and names in examples."""


@cache
def known() -> dict[str, Any]:
    """Return the classes and functions of the package by name; public ones count before others."""
    found: dict[str, Any] = {}
    for module in pkgutil.walk_packages(dockdsl.__path__, "dockdsl."):
        if module.name != "dockdsl.__main__":
            found |= vars(importlib.import_module(module.name))
    return found | {name: getattr(dockdsl, name) for name in dir(dockdsl)}


def parameters(name: str, attribute: str | None) -> set[str]:
    """Return the names of the parameters that a class, or a method of it, takes."""
    target = known()[name]
    if attribute is not None:
        target = getattr(target, attribute)
    return set(inspect.signature(target).parameters)


def options() -> set[str]:
    """Return the names of all parameters of what is public."""
    found = set()
    for name in dir(dockdsl):
        kind = getattr(dockdsl, name)
        for each in (kind, *(getattr(kind, attribute) for attribute in dir(kind) if attribute[0] != "_")):
            if callable(each) and (inspect.isclass(each) or inspect.isroutine(each)):
                with contextlib.suppress(ValueError):  # built-in ones have no signature
                    found |= set(inspect.signature(each).parameters)
    return found


def texts() -> Iterator[tuple[str, str]]:
    """Yield each text of the package that is no docstring, with its place; what is filled in is an ellipsis."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        left_out = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                left_out |= {id(part) for part in node.values}
                text = "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in left_out:
                text = node.value
            else:
                continue
            yield f"{path.relative_to(PACKAGE)}:{node.lineno}", text


def arguments(text: str, begin: int) -> str:
    """Return what stands between the parenthesis that opens before `begin` and its end, without what calls in it have."""
    depth, found = 1, ""
    for character in text[begin:]:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if not depth:
            break
        found += character if depth == 1 else ""
    return found


def calls(text: str) -> Iterator[tuple[str, str | None, list[str]]]:
    """Yield each class that a text names with parentheses or an option: its name, the method, the options."""
    for found in _call.finditer(text):
        yield found[1], found[2], _option.findall(arguments(text, found.end()))
    for found in _named_option.finditer(text):
        yield found[1], None, [found[2]]


def test_each_call_in_a_message_can_be_made() -> None:
    """`Name.method(option=…)` and ``Name option=`` name what there is."""
    seen, wrong = set(), []
    for place, text in texts():
        for name, attribute, named in calls(text):
            seen.add(name)
            if name not in known() or not set(named) <= parameters(name, attribute):
                wrong.append((place, name, attribute, named))

    assert {"Bind", "Copy", "Dockerfile", "Run", "Secret", "User", "Arg"} <= seen
    assert [] == wrong


def test_each_option_in_a_message_is_one() -> None:
    """``option=`` alone is the option of something that is public, or a key of a specification."""
    there = options() | parameters("DockerSdk", None) | KEYS | ELSEWHERE
    # A text without a blank is a spelling and one that begins so is markup, and neither is for people.
    said = [(place, text) for place, text in texts() if " " in text and not text.startswith(("<", "::"))]
    found = {name: place for place, text in said for name in _option.findall(text)}

    assert {"port", "chown", "build_args", "ignore"} <= set(found)
    assert {} == {name: place for name, place in found.items() if name not in there}
    assert set() == {name for name in KEYS | ELSEWHERE if name not in found}


def test_what_is_installed_is_an_extra() -> None:
    """A message that says to install something names an extra of the package, as the README does."""
    project = tomllib.loads(PACKAGE.parent.joinpath("pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [found[1].strip('",') for _, text in texts() for found in _pip.finditer(text)]

    assert named
    assert set(named) <= {f"dockdsl[{extra}]" for extra in project["optional-dependencies"]}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("give a Bind rw=True", [("Bind", None, ["rw"])]),
        ("pass Image(Dockerfile(stage), prot=8080)", [("Image", None, ["prot"]), ("Dockerfile", None, [])]),
        ("use Run.exce(…)", [("Run", "exce", [])]),
    ],
)
def test_what_the_scan_finds(text: str, found: list[tuple[str, str | None, list[str]]]) -> None:
    """It sees a wrong option and a wrong method, also in a call around another one."""
    assert found == list(calls(text))
