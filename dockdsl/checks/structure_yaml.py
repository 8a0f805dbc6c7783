"""A file of container-structure-test as a tree whose pieces know their lines, and what they are called in messages.

A piece that aliases repeat is read once, so that n aliases of n elements take n steps and not n times n.
"""
# ruff: noqa: PLC0415 - PyYAML and RE2 come with an extra, and few need them or JSON

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs

from dockdsl import operands as operand
from dockdsl.checks.structure_checks import GoPattern
from dockdsl.display import kind_of, shown, suggestion
from dockdsl.errors import DockdslError, FileError, InvalidType, InvalidValue, Refused
from dockdsl.origins import Origin

if TYPE_CHECKING:
    from yaml.nodes import MappingNode, ScalarNode, SequenceNode

    YamlNode = MappingNode | ScalarNode | SequenceNode

_T = TypeVar("_T")
_NEEDED = 'structure test: {} is not installed; run: pip install "dockdsl[structure-test]"'
_MERGE = "tag:yaml.org,2002:merge"
_LONGEST_NUMBER = 20
_MOST_MERGES = 10


@attrs.frozen
class Node:
    """A piece of the file: what it is made of, what it is called in messages, the file, and what was read before."""

    _yaml: YamlNode
    _what: str
    _path: str
    _read: dict[tuple[int, object], Any] = attrs.field(factory=dict)

    @property
    def origin(self) -> Origin:
        """Where it stands."""
        return Origin(self._path, self._yaml.start_mark.line + 1)

    def refused(self, message: str) -> InvalidValue:
        """Return an error that names its line."""
        return InvalidValue(f"structure test: {message}", origin=self.origin)

    @contextlib.contextmanager
    def blamed(self) -> Iterator[None]:
        """Give the errors of the block this place, but for those that have one in the file."""
        try:
            yield
        except DockdslError as error:
            if error.origin is None or error.origin.path != self._path:
                error.origin = self.origin
            raise

    def once(self, how: Callable[[Node], _T]) -> _T:
        """Read it, or return what it was read as where an alias led here before."""
        key = id(self._yaml), how
        if key not in self._read:
            self._read[key] = how(self)
        return cast(_T, self._read[key])

    @property
    def is_null(self) -> bool:
        """Whether nothing stands there."""
        return self._yaml.id == "scalar" and self._yaml.tag.endswith(":null")

    def _of(self, yaml: YamlNode, what: str) -> Node:
        return Node(yaml, what, self._path, self._read)

    def mapping(self, known: str, needed: str = "", *, others: str = "a key that is not known") -> Mapping:
        """Return what stands behind its keys, with those that ``<<`` merges into them."""
        found = self._keys(known, others, 0)
        for name in needed.split():
            if name not in found:
                raise self.refused(f"{self._what} has a test without {name}; add it")
        return found

    def _keys(self, known: str, others: str, depth: int) -> Mapping:
        if self._yaml.id != "mapping":
            raise self.refused(f"{self._what} is a {self._yaml.id}; write keys with values")
        found, merged, names = Mapping(), Mapping(), known.split()
        for key, value in self._yaml.value:
            place, name = self._of(key, str(key.value)), str(key.value)
            if key.tag == _MERGE:
                merged = self._of(value, self._what)._merged(known, others, depth + 1)  # noqa: SLF001 - its own
                continue
            if key.id != "scalar" or name not in names:
                hint = suggestion(name, names, f"known are {', '.join(names)}")
                raise place.refused(f"{self._what} has {shown(name)}, {others}; {hint}")
            if name in found:
                raise place.refused(f"{self._what} has {name} twice; leave one")
            found[name] = self._of(value, name)
        return Mapping(merged | found)

    def _merged(self, known: str, others: str, depth: int) -> Mapping:
        """Return the keys of one mapping, or of several, of which the first that has a key counts."""
        if depth > _MOST_MERGES:
            raise self.refused(
                f"{self._what} merges mappings into one another more than {depth - 1} times; write them out"
            )
        if (key := (id(self._yaml), known)) not in self._read:
            found = Mapping()
            for each in reversed(self._yaml.value) if self._yaml.id == "sequence" else [self._yaml]:
                found.update(self._of(each, self._what)._keys(known, others, depth))  # noqa: SLF001 - its own
            self._read[key] = found
        return cast(Mapping, self._read[key])

    def items(self) -> list[Node]:
        """Return the elements of a list; null has none."""
        if self.is_null:
            return []
        if self._yaml.id != "sequence":
            raise self.refused(f"{self._what} is a {self._yaml.id}; write a list")
        return [self._of(each, self._what) for each in self._yaml.value]

    def any_text(self) -> str:
        """Return text, of numbers and so on as it is written."""
        if self._yaml.id != "scalar" or self.is_null:
            kind = "nothing" if self._yaml.id == "scalar" else f"a {self._yaml.id}"
            raise self.refused(f"{self._what} is {kind}; write text")
        with self.blamed():
            return operand.checked(f"structure test: {self._what}", operand.any_text, str(self._yaml.value))

    def text(self) -> str:
        """Return text that is not empty."""
        found = self.any_text()
        if not found:
            raise self.refused(f"{self._what} is empty; write text")
        return found

    def texts(self) -> tuple[str, ...]:
        """Return a list of texts."""
        return tuple(each.any_text() for each in self.items())

    def commands(self) -> tuple[tuple[str, ...], ...]:
        """Return a list of commands, each with its arguments."""
        return tuple(each.once(Node.command) for each in self.items())

    def command(self) -> tuple[str, ...]:
        """Return a command with its arguments."""
        found = self.texts()
        if not found or not found[0]:
            raise self.refused(f"{self._what} has a command without a program; name one")
        return found

    def flag(self) -> bool:
        """Return True or False."""
        if self._yaml.id != "scalar" or not self._yaml.tag.endswith(":bool"):
            raise self.refused(f"{shown(str(self._yaml.value))} is neither true nor false; write one of them")
        return str(self._yaml.value).lower() in ("true", "yes", "on")

    def whole(self) -> int:
        """Return an integer, in whatever way YAML writes it."""
        import yaml

        value = str(self._yaml.value)
        if self._yaml.id != "scalar" or not self._yaml.tag.endswith(":int") or len(value) > _LONGEST_NUMBER:
            raise self.refused(f"{self._what} is {shown(value)}; write a number")
        return int(yaml.SafeLoader("").construct_yaml_int(cast("ScalarNode", self._yaml)))

    def pattern(self) -> GoPattern:
        """Return a regular expression."""
        try:
            return GoPattern(self.any_text())
        except Refused as refused:
            raise self.refused(str(refused)) from None

    def patterns(self) -> tuple[GoPattern, ...]:
        """Return a list of regular expressions."""
        return tuple(each.once(Node.pattern) for each in self.items())


class Mapping(dict[str, Node]):
    """What stands behind the keys of a piece of the file."""

    def read(self, key: str, how: Callable[[Node], _T], default: _T) -> _T:
        """Return what stands behind a key, or the default where that is nothing or left out."""
        return self[key].once(how) if key in self and not self[key].is_null else default

    def items_of(self, key: str) -> list[Node]:
        """Return the elements of a list, which may be left out."""
        return self[key].items() if key in self else []


def read(path: str | os.PathLike[str]) -> Node:
    """Return a YAML or JSON file as a tree. Raises as `from_structure_test` does."""
    try:
        import re2  # noqa: F401 - what needs it later does not look
        import yaml
    except ImportError as error:
        raise FileError(_NEEDED.format({"yaml": "PyYAML", "re2": "google-re2"}.get(error.name or "", error))) from None
    if not isinstance(path, (str, os.PathLike)):
        raise InvalidType(f"structure test: the file is {kind_of(path)}; pass its path")
    file = operand.checked("structure test: the path", operand.text, os.fspath(path))
    place = os.path.abspath(file)
    text = text_of(file)
    try:
        root = yaml.compose(_without_tabs(text), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        why = getattr(error, "problem", None) or "it is nested too deep"
        origin = Origin(place, 1 if mark is None else mark.line + 1)
        raise InvalidValue(f"structure test: it is not YAML: {why}; fix the line", origin=origin) from None
    if root is None:
        raise InvalidValue(f"structure test: {file} is empty; is it the right file?", origin=None)
    return Node(cast("YamlNode", root), "the file", place)


def text_of(file: str) -> str:
    """Return the text of a file. Raises `FileError`."""
    try:
        with open(file, encoding="utf-8") as stream:
            return stream.read()
    except OSError as error:
        raise FileError(f"{file}: it cannot be read ({error.strerror}); check the path") from None
    except UnicodeDecodeError:
        raise FileError(f"{file}: it is not UTF-8 text; is it the right file?") from None


def _without_tabs(text: str) -> str:
    """Return JSON without the tabs that may indent it, which YAML refuses; no string of JSON has any."""
    import json

    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text.replace("\t", " ")
