"""A constructor that is called in the wrong way: Python's TypeError as a message with a remedy.

Python checks the arguments of a call before the function begins, so what it finds can only be caught by what makes the
call: the metaclass.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from dockdsl.errors import InvalidType

if TYPE_CHECKING:
    from inspect import Signature


class Explained(type):
    """The type of classes whose constructors explain a call that does not fit their parameters."""

    if not TYPE_CHECKING:
        # Type checkers and editors know the parameters of `__init__`.

        def __call__(cls, *values: Any, **options: Any) -> Any:  # noqa: D102 - it is the constructor
            try:
                return type.__call__(cls, *values, **options)
            except TypeError:
                misuse = misused(cls, values, options)
                if misuse is None:
                    raise
                raise misuse from None

    @property
    def __signature__(cls) -> Signature:
        """What `inspect.signature` returns, which would otherwise describe the call above."""
        from inspect import signature  # noqa: PLC0415 - only editors and messages need it

        found = signature(cls.__init__)  # type: ignore[misc]  # it is that of the class itself
        return found.replace(parameters=list(found.parameters.values())[1:])


def misused(cls: Any, values: tuple[Any, ...], options: dict[str, Any]) -> InvalidType | None:
    """Return the error for a call that does not fit the parameters; None if that is not what is wrong."""
    if cls.__init__ is object.__init__:
        return None
    try:
        cls.__signature__.bind(*values, **options)
    except TypeError:
        pass
    else:
        # It was raised inside the constructor.
        return None
    from inspect import Parameter  # noqa: PLC0415 - only needed for the message

    from dockdsl.display import shown, suggestion  # noqa: PLC0415 - as above

    parameters = cls.__signature__.parameters.values()
    names = [each.name for each in parameters]
    placed = [each for each in parameters if each.kind is Parameter.POSITIONAL_OR_KEYWORD]
    needed = [each.name for each in placed if each.default is Parameter.empty]
    unknown = [name for name in options if name not in names]
    missing = [name for name in needed[len(values) :] if name not in options]
    remedy: str | None
    if unknown:
        fact = f"it has no option {shown(unknown[0])}"
        remedy = suggestion(unknown[0], names, "") or _meant(cls, values, options, len(placed))
        remedy = remedy or f"its options are {', '.join(names)}"
    elif len(values) > len(placed):
        named = [name for name in names if name not in [each.name for each in placed]]
        fact = (
            f"it takes {len(placed) or 'no'} value{'s' * (len(placed) != 1)} without a name, and is given {len(values)}"
        )
        remedy = _meant(cls, values, options, len(placed))
        remedy = remedy or (f"pass the others by name: {', '.join(named)}" if named else "leave out the others")
    elif missing:
        fact = f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
        remedy = f"write {cls.__name__}({', '.join(needed)})"
    else:
        fact, remedy = next(each.name for each in placed if each.name in options) + " is passed twice", "pass it once"
    return InvalidType(f"{cls.__name__}: {fact}; {remedy}")


def _meant(cls: Any, values: tuple[Any, ...], options: dict[str, Any], most: int) -> str | None:
    """Return the remedy to write what was probably meant: a list or a dict, if that is accepted, or the exec form."""
    from dockdsl.display import shown  # noqa: PLC0415 - as above

    more = len(values) - most
    if more > 0 and hasattr(cls, "exec") and all(isinstance(each, str) for each in values):
        return f"write {cls.__name__}.exec({', '.join(map(shown, values))})"
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    if more > 0 and most:
        calls.append((([*values[: more + 1]], *values[more + 1 :]), options))
    if not values or (len(values) == 2 and isinstance(values[0], str)):
        calls.append((({**dict([values] if values else []), **options},), {}))
    for operands, named in calls:
        with contextlib.suppress(Exception):
            cls(*operands, **named)
            written = [*map(shown, operands), *[f"{name}={shown(value)}" for name, value in named.items()]]
            return f"write {cls.__name__}({', '.join(written)})"
    return None
