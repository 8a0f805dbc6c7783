"""What the mounts of RUN share: how they are written, checked and read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any, ClassVar

import attrs

from dockdsl.display import cut, shown
from dockdsl.errors import InvalidType, InvalidValue, Refused, refuse_type
from dockdsl.instructions.constructor import plain_if
from dockdsl.instructions.instruction import brief
from dockdsl.instructions.located import Located, put
from dockdsl.instructions.sources import Reference, write_source
from dockdsl.syntax.flags import convert, declared
from dockdsl.syntax.instruction_line import Line, Scope, named
from dockdsl.syntax.lazy_regex import lazy_regex
from dockdsl.syntax.lines import Logical
from dockdsl.syntax.misread import Misread
from dockdsl.syntax.modes import reads_as_mode
from dockdsl.syntax.modifiers import modifier_versions, references_in
from dockdsl.syntax.words import BACKSLASH, Literal, Spelling, Word, is_plain, word_or_none

_FIELD = r'(?:"((?:[^"]|"")*+)"|([^",]*+))'
_is_csv = lazy_regex(f"{_FIELD}(?:,{_FIELD})*+")
_field = lazy_regex(f"{_FIELD},")
_is_variable_source = lazy_regex(r"from=.*\$.", re.IGNORECASE)
_is_size = lazy_regex(r"[0-9]+(?:\.[0-9]+)? ?(?:[bB]|[kKmMgGtTpP](?:i?[bB])?)?")
_is_read_size = lazy_regex(
    r"\+?(?:[0-9_]+\.?[0-9_]*|\.[0-9_]+)(?:[eE][+-]?[0-9]+)? ?(?:b|[kmgtp](?:i?b)?)?", re.IGNORECASE
)
"""What BuildKit may read as a size, too."""
_is_mode = lazy_regex(r"0*[0-7]{1,4}")
_is_variable = lazy_regex(r"[A-Za-z_][A-Za-z0-9_]*")
_SHARING = ("shared", "private", "locked")
_HIGHEST_ID = 2**32 - 1


def _is_id(text: str) -> bool:
    return re.fullmatch(r"[0-9]{1,10}", text) is not None and int(text) <= _HIGHEST_ID


def mode_of(value: int | Word | None) -> Word | None:
    """Return permissions as their octal digits; what is not valid is refused when it is written."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 0o7777:
        return value if reads_as_mode(value) else f"{value:04o}"  # type: ignore[return-value]  # refused when written
    return value if isinstance(value, int) else word_or_none(value)  # type: ignore[return-value]  # refused when written


class Mount(Located):
    """A mount of `Run`; its subclasses are `Bind`, `Cache`, `Secret`, `Ssh` and `Tmpfs`."""

    TYPE: ClassVar[str] = ""
    ALIASES: ClassVar[Mapping[str, str]] = {}
    """Other names that this type alone has for its options."""

    _text: str
    _flag: str | None = None
    """What stands behind ``--mount`` if it needs no quotes, and is empty if it does; None as long as nobody asked."""

    def complete(self, *, is_normal: bool = False) -> None:
        """Write the mount, and refuse values that are not valid."""
        values = self.__dict__
        if not is_normal:
            kind = declared(type(self))
            convert(values, kind.operands, kind.given(values))
        try:
            values.update(_text=self._written(BACKSLASH), _flag=None)
            BACKSLASH.flag(self._text)
            self.check()
        except Refused as refused:
            raise refused.error(type(self).__name__, self.origin) from None

    @classmethod
    def head(cls) -> str | None:
        return f"type={cls.TYPE}"

    @staticmethod
    def read(line: Line, value: str) -> Mount:
        """Read the value of ``--mount``: CSV fields, each ``name=value`` or a switch."""
        if "from" not in value.lower():
            mount = _known(value, line.escape)
            if mount is not None:
                return mount.with_origin(line.site)
        return _read(line, value)

    def check(self) -> None:
        """Refuse values that do not fit together, or that are missing."""

    def _written(self, spelling: Spelling) -> str:
        options = [_option(spelling, name.rstrip("_"), value) for name, value in self._given()]
        return ",".join([f"type={self.TYPE}", *options])

    def write(self, spelling: Spelling) -> str:
        """Return the value of ``--mount``, before it is quoted."""
        if spelling.escape == "\\" and not (spelling.names and self.references()):
            return self._text
        return self._written(spelling)

    def _given(self) -> list[tuple[str, Any]]:
        values = self.__dict__
        return [(name, value) for name in declared(type(self)).names if (value := values[name]) is not None]

    def references(self) -> tuple[Reference, ...]:
        """The stage, image or context that is mounted."""
        source = getattr(self, "from_", None)
        return () if source is None else (Reference(source, "mount"),)

    def expanded(self) -> tuple[object, ...]:
        """The options in which BuildKit expands variables."""
        return tuple([value for name, value in self._given() if name != "from_"])

    def features(self) -> list[str]:
        """The frontend versions that introduced the options."""
        values = self.expanded()
        # Before 1.4, escapes and references in values were not read as such.
        special = _is_special().fullmatch
        lexed = any(isinstance(value, Literal) or (isinstance(value, str) and special(value)) for value in values)
        return ["1.4" if lexed else "1.2", *modifier_versions("".join(references_in(values)))]

    def __repr__(self) -> str:
        given = [f"{name}={brief(value)}" for name, value in self._given()]
        return f"{type(self).__name__}({', '.join(given)})"


def plain_mount(value: Any) -> str | None:
    """Return what stands behind ``--mount`` for a mount that needs no quotes."""
    if not isinstance(value, Mount):
        return None
    found = value._flag  # noqa: SLF001 - of this module
    if found is None:
        found = f"={value._text}" if is_plain(value._text) else ""  # noqa: SLF001 - as above
        put(value, "_flag", found)
    return found or None


_is_plain_target = lazy_regex(r"/[A-Za-z0-9_][A-Za-z0-9_./-]*")
PLAIN_TARGET = plain_if(lambda text: _is_plain_target().fullmatch(text), before=",target=")
"""The metadata of a target."""


_SHORT = ("readonly", "ro", "readwrite", "rw", "required")
_ALIASES = {"ro": "readonly", "rw": "readwrite", "src": "source", "dst": "target", "destination": "target"}
_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_FALSE = ("0", "f", "F", "FALSE", "false", "False")


def csv_fields(value: str) -> list[str]:
    """Split a flag's value into its fields, as BuildKit does: quotes stand around a whole field, or are doubled."""
    if not value:
        raise Misread("the value is empty", "name what is meant, or leave the flag out")
    if '"' not in value:
        return value.split(",")
    if not _is_csv().fullmatch(value):
        raise Misread(
            "the value has a double quote inside a field, or one that is never closed",
            'put quotes around the whole field: "target=/a b"',
        )
    return [quoted.replace('""', '"') or bare for quoted, bare in _field().findall(f"{value},")]


def switch(value: str | None) -> bool:
    """Read a switch as Go does."""
    if value is None or value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise Refused(
        f"the value {shown(value)} is neither true nor false", "use one of the two", by_build="$" not in value
    )


_SWITCHES = ("readonly", "readwrite", "required")
_is_special = lazy_regex(r"[\s\S]*[\"'$<\\][\s\S]*")


def _option(spelling: Spelling, name: str, value: Any) -> str:
    """Write one option, with the quotes of CSV if it needs them."""
    if name == "from":
        text = write_source(spelling, value)
    elif name in _SWITCHES:
        if not isinstance(value, bool):
            raise refuse_type("value", value, "pass True or False").within(name)
        text = str(value).lower()
    elif name == "mode" and isinstance(value, int) and not isinstance(value, bool):
        raise Refused(f"mode: the number {shown(value)} is {cut(oct(value), 20)} in octal", 'write "0755" or 0o755')
    else:
        if name in _CHECKS:
            _check(name, value)
        try:
            text = spelling.lexed(value)
        except Refused as refused:
            raise refused.within(name) from None
        if not text:
            raise Refused(f"{name}: the value is empty", "leave the option out")
    option = f"{name}={text}"
    if '"' in option or "," in option:
        option = '"' + option.replace('"', '""') + '"'
    return option


def _check(name: str, value: Any) -> None:
    """Refuse the value of an option that is not valid, unless it depends on a variable."""
    matches, remedy, may_build = _CHECKS[name]
    if isinstance(value, Literal) or (isinstance(value, str) and "$" not in value and not matches(value)):
        raise Refused(
            f"{name}: {shown(value)} is not valid", remedy, by_build=isinstance(value, str) and not may_build(value)
        )


def check_target(target: Word | None) -> None:
    """Refuse a target that is missing, or the root."""
    if target is None:
        raise Refused("no target is given", "name the path, target=/path", wrong_type=True, by_build=True)
    # The working directory is a valid target; BuildKit refuses it only if it is the root.
    if isinstance(target, str) and not target.replace("/.", "/").strip("/"):
        raise Refused(f"target: the path {shown(target)} is the root", "mount below it", by_build=True)


_CHECKS: dict[str, tuple[Callable[[str], object], str, Callable[[str], object]]] = {
    "mode": (
        lambda text: _is_mode().fullmatch(text),
        'write octal digits, "0400" or 0o400',
        lambda text: re.fullmatch("[0-7]{1,11}", text),
    ),
    "uid": (_is_id, "write a number", _is_id),
    "gid": (_is_id, "write a number", _is_id),
    "sharing": (_SHARING.__contains__, "use shared, private or locked", lambda text: text.lower() in _SHARING),
    "size": (
        lambda text: _is_size().fullmatch(text),
        'write "64m" or a number of bytes',
        lambda text: _is_read_size().fullmatch(text),
    ),
    "env": (lambda text: _is_variable().fullmatch(text), "write the name of a variable", lambda _: True),
}
"""Of options that are more than text, which texts are valid, the remedy, and which texts a build may take."""
_ANYWHERE = ("env", "from", "id", "source")
"""Options that BuildKit may pass over where they do not apply."""
_NEVER = (("secret", "id"), ("secret", "from"), ("ssh", "source"))
"""What it does not: a secret's id if the source is given as well, what it comes from, and the source of an agent."""


TYPES = ("bind", "cache", "tmpfs", "secret", "ssh")


def mount_for(type_: str) -> type[Mount] | None:
    """Return the class of a type of mounts: ``cache`` is `Cache` in the module of that name, imported when needed."""
    if type_ not in TYPES:
        return None
    kind: type[Mount] = getattr(import_module(f"dockdsl.instructions.mounts.{type_}"), type_.capitalize())
    return kind


def _read(line: Line, value: str) -> Mount:
    options: dict[str, str | None] = {}
    given: list[str] = []
    pairs = csv_fields(value)
    for field in pairs:
        if _is_variable_source().match(field):
            remedy = "make a stage with that base, and name the stage"
            raise Misread(f"the option {field!r} has a variable, and variables are not expanded there", remedy)
    for field in pairs:
        name, equals, text = field.partition("=")
        name = name.lower()
        if not equals and name not in _SHORT:
            raise Refused(f"the option {field!r} has no value", f"write {name}=value", by_build=True)
        name = _ALIASES.get(name, name)
        given.append("readonly" if name == "readwrite" else name)
        if name in ("required", "size") and "type" not in options:
            fact = f"the option {name} stands before the type that it belongs to"
            raise Refused(fact, "write type= first", by_build=True)
        options[name] = text if equals else None
    if len(set(given)) < len(given):
        raise Refused("an option is given twice", "keep one of them")
    kind = mount_for((options.pop("type", "bind") or "").lower())
    if kind is None:
        fact = f"the mount type in {shown(value)} is unknown"
        raise Refused(fact, f"use one of {', '.join(TYPES)}", by_build="$" not in value)
    known = {field.name.rstrip("_"): field.name for field in declared(kind).fields}
    needed = [field.name for field in declared(kind).fields if field.default is attrs.NOTHING]
    fields: dict[str, Any] = {}
    for name, said in options.items():
        if name in ("readonly", "readwrite"):
            # Each is the opposite of the other; the default is not stored.
            on = switch(said)
            other = "readwrite" if name == "readonly" else "readonly"
            if name in known:
                fields[name] = on
            elif other in known:
                fields.update({} if on else {other: True})
            elif on is (name == "readonly"):
                raise Refused(f"the option {name} does not apply to this mount", "leave it out")
            continue
        name = kind.ALIASES.get(name, name)  # noqa: PLW2901 - some are of one kind alone
        if name not in known or known[name] in fields:
            fact = f"the option {name} does not apply to this mount"
            raise Refused(
                fact,
                "leave it out",
                by_build=name not in (*known, *_ANYWHERE) or ((kind.TYPE, name) in _NEVER and said != ""),
            )
        if name == "required":
            fields[name] = switch(said)
        elif name == "from":
            fields["from_"] = line.scope.source(said, by_index=False) if said else None
        else:
            fields[known[name]] = line.word(said or "")
    try:
        mount = kind(**{**dict.fromkeys(needed), **fields})
    except (InvalidType, InvalidValue) as error:
        fact, _, remedy = error.message.rpartition("; ")
        raise Refused(fact, remedy, by_build=error.by_build) from None
    return mount.with_origin(line.site)


@lru_cache(512)
def _known(value: str, escape: str) -> Mount | None:
    """Read a mount without ``from``, once for all equal ones; None if it cannot be read."""
    line = Line(Logical((), 0, 0, "RUN", None, escape), 0, Scope("", named))
    try:
        return _read(line, value)
    except (Misread, Refused):
        return None
