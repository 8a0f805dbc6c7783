"""Where files come from: the ``from_`` of COPY and of mounts, which is a stage, an image or a named context."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from dockdsl.display import kind_of, shown
from dockdsl.errors import InvalidType, Refused, refuse_type
from dockdsl.instructions.located import Located
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.references import is_image
from dockdsl.syntax.words import Spelling, is_bare, plain


class StageBase(Located):
    """What a reference to a stage needs to know about it; `dockdsl.Stage` is the only subclass."""

    name: str | None
    is_read: bool = False
    """Whether the stage was read from a Dockerfile."""
    _text: str
    _references: tuple[Reference, ...] | None = None
    _needed: tuple[Any, ...] = ()
    _fingerprint: str = ""


Source = StageBase | str
"""Where files come from: a stage, or the name of an image or a named context."""


class Reference(NamedTuple):
    """What a stage or an instruction takes files from, and how."""

    source: Source | None
    """A stage, or the name of an image or a named context; None is the build context."""
    by: Literal["base", "copy", "mount"]


class External(str):
    """The name of an image or a named context that looks like the name of a stage; made by `external`."""

    __slots__ = ()


def external(name: str) -> External:
    """Return a value for ``from_`` that names an image or a named context, and not a stage.

    A single word such as ``from_="deps"`` is refused if no stage has that name, because it is most likely a misspelled
    stage. Use ``external("deps")`` if an image or a named context (``--build-context deps=…``) is meant.

    Raises `InvalidType` if `name` is not a ``str``.

    >>> from dockdsl import Copy
    >>> print(Copy("/lib", "/lib", from_=external("deps")))
    COPY --from=deps /lib /lib

    Source: the Dockerfile reference, "COPY --from".
    """
    if not isinstance(name, str):
        raise InvalidType(f"external(): the name is {kind_of(name)}; pass a str")
    return External(name)


def source_name(value: Source | None) -> Source | None:
    """Return a stage as it is, and a name as a plain ``str``."""
    return value if value is None or isinstance(value, External) else plain(value)


def write_source(spelling: Spelling, value: Any) -> str:
    """Write the value of ``from``: the name or the index of a stage, or the name of an image or a named context."""
    if isinstance(value, StageBase):
        if value.name is not None:
            return value.name
        return "0" if spelling.names is None else spelling.names[id(value)]
    if not isinstance(value, str):
        hint = " (a Dockerfile or Image is not one of its stages)" if hasattr(value, "dockerfile") else ""
        raise refuse_type("source", value, f"pass a Stage or the name of an image{hint}")
    if "$" in value:
        raise Refused(
            f"the source {shown(value)} has a variable, and BuildKit expands no variables here",
            "make a stage with that base, and name the stage",
            by_build=True,
        )
    # The name of a stage may have capitals.
    if not is_image(value.lower()):
        raise no_image(value)
    if value.isdecimal():
        raise Refused(f"the source {value!r} is the index of a stage", "pass the Stage itself")
    return str.__str__(value)


def plain_source(value: Any) -> str | None:
    """Return what stands behind ``--from`` for a stage with a name."""
    name = value.name if isinstance(value, StageBase) else None
    return f"={name}" if type(name) is str and is_bare(name) else None


def no_image(name: str) -> Refused:
    """Return the refusal of what is neither a stage nor the name of an image."""
    remedy = "name a stage or an image, in lower case"
    return Refused(f"{shown(name)} is not the name of an image", remedy, by_build=True)


def read_source(line: Line, value: str) -> Source:
    """Read the value of ``--from``, which may be the index of a stage."""
    return line.scope.source(value, by_index=True)  # type: ignore[no-any-return]  # a stage, which this layer does not know
