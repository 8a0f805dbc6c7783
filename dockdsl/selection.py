"""The objects in a user's Python file, and which of them are meant: ``FILE``, ``FILE:NAME[KEY]``, ``FILE:*``."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeGuard, TypeVar

from dockdsl.display import argument, kind_of, one_line, shown
from dockdsl.errors import SourceError
from dockdsl.loading import name_of, read_text, run_file, running

if TYPE_CHECKING:
    from dockdsl.model.dockerfile import Dockerfile

T = TypeVar("T")
_DEEPEST = 4
"""How many collections may stand in each other."""
_PLAIN = frozenset((str, bytes, int, float, bool, type(None)))
"""What holds nothing, of which a file may have a great many."""
_LISTED = 20
"""How many names a message lists."""
# Compiled when a name is given.
_NAME = r"(?s)([^\W\d]\w*)(\[.*\])?\Z"


class Selected(NamedTuple, Generic[T]):
    """An object in a file.

    `spec` is what names it on a command line, as it was given where it means this object alone: ``app.py``,
    ``app.py:matrix[3.12]``; `file` and `name` are ``app.py`` and ``matrix[3.12]``. `holders` are the images of which a
    `Dockerfile` is that.
    """

    spec: str
    file: str
    name: str
    value: T
    holders: tuple[Any, ...] = ()


def load(spec: str, want: type[T]) -> T:
    """Return the object of the class `want` in ``FILE[:NAME]``.

    Raises `SourceError` as `select` does, and if there is more than one.
    """
    return pick(spec, want).value


def pick(spec: str, want: type[T]) -> Selected[T]:
    """Return what `load` does, with its name."""
    found, _ = select(spec, want, one=True)
    if len(found) > 1:
        raise SourceError(f"{one_line(spec)}: it means {len(found)} objects; {_choices(found)}")
    return found[0]


def select(
    spec: str, want: type[T], *, one: bool = False, files: dict[str, dict[str, Any]] | None = None
) -> tuple[list[Selected[T]], bool]:
    """Return the objects of the class `want` that ``FILE[:NAME]`` means, at least one.

    The flag says whether several are meant: a collection or ``*`` means several, however many objects there are.

    With `one`, no message advises to take all. `files` keeps the names of the files that were run: one that is there
    is not run again.

    A file's objects are what its names hold, in dicts, lists and tuples as well; a name that begins with ``_`` does not
    count. NAME is a name with the keys of a collection, ``matrix[3.12]``, or a collection, or a function that takes no
    arguments and is called; ``*`` means all objects, without what functions return. A key is written as it is
    printed, a tuple as its parts with commas between. A string may have quotes, and needs them where another key is
    printed alike. If a `Dockerfile` is wanted, that of an `Image` is used as well.

    Raises `SourceError` if the file is missing, has a syntax error, raises an exception, defines no such object, or,
    where no name is given, more than one.
    """
    file, name = split(spec)
    shown_file = one_line(file)
    files = {} if files is None else files
    namespace = files[file] = files[file] if file in files else run_file(file)
    public: Any = {key: value for key, value in namespace.items() if key[:1] != "_"}
    found = _each(file, _objects(public, want, top=True))
    if name not in (None, "*"):
        picked, is_plural = _picked(file, name, namespace, want)
        if not picked:
            raise _unknown(file, name, namespace, found, want)
        return picked if is_plural else [picked[0]._replace(spec=spec)], is_plural
    kind = want.__name__
    if not found:
        raise SourceError(f"{shown_file}: it defines no {kind}; {_how(namespace, kind)}")
    if len(found) > 1 and name is None:
        everything = "" if one else f", or {argument(f'{file}:*')} for all"
        raise SourceError(f"{shown_file}: it defines more than one {kind}; {_choices(found)}{everything}")
    return (found, True) if name == "*" else ([found[0]._replace(spec=spec)], False)


def model(spec: str) -> Dockerfile:
    """Return the `Dockerfile` that a Python file defines, or that is read from a Dockerfile.

    A path that ends in ``.py`` is a Python file, anything else a Dockerfile; ``-`` is a Dockerfile on stdin.

    Raises `SourceError` as `load` does, `FileError` for a Dockerfile that cannot be read, and `DockerfileSyntaxError`.
    """
    from dockdsl.model.dockerfile import Dockerfile

    if split(spec)[0].endswith(".py"):
        return load(spec, Dockerfile)
    from dockdsl.text.parser import parse

    path = dockerfile_path(spec)
    return parse(read_text(path), name_of(path))


def dockerfile_path(spec: str) -> str:
    """Return the path of a Dockerfile. Raises `SourceError` if a name follows it."""
    path, name = split(spec)
    if name is not None:
        raise SourceError(
            f"{one_line(path)}: a name picks an object in a Python file, and this is not one; leave :{name} out"
        )
    return path


def split(spec: str) -> tuple[str, str | None]:
    """Return the file and the name in ``FILE[:NAME]``.

    >>> split("app.py"), split("app.py:matrix[linux:3.12]"), split("C:/app.py:*")
    (('app.py', None), ('app.py', 'matrix[linux:3.12]'), ('C:/app.py', '*'))
    """
    # A key may have colons in it, and so may the path.
    for colon in [index for index, character in enumerate(spec) if character == ":"]:
        name = spec[colon + 1 :]
        if colon and (name == "*" or re.match(_NAME, name)) and not os.path.exists(spec):
            return spec[:colon], name
    return spec, None


def _picked(file: str, name: str, namespace: dict[str, Any], want: type[T]) -> tuple[list[Selected[T]], bool]:
    """Return the objects that a name means, none where it means none, and whether it means several."""
    match = re.match(_NAME, name)
    assert match is not None
    head, keys = match[1], match[2] or ""
    value: Any = namespace.get(head)
    if _is_function(value):
        _check_parameters(file, head, value)
        with running(os.path.abspath(file)):
            value = value()
    at = _at(value, keys)
    if at is None:
        return [], False
    inside = list(_objects(at[1], want))
    named = ((f"{head}{at[0]}{rest}", each, holder) for rest, each, holder in inside)
    return _each(file, named), any(rest for rest, _, _ in inside)


def _is_function(value: Any) -> bool:
    return callable(value) and not isinstance(value, type)


def _check_parameters(file: str, name: str, function: Any) -> None:
    from inspect import signature

    try:
        signature(function).bind()
    except TypeError as error:
        raise SourceError(
            f"{one_line(file)}: {name}() cannot be called without arguments ({error}); give each a default, or write "
            "what it returns into the file under a name"
        ) from None
    except ValueError:
        # It does not say.
        return


def _at(value: Any, keys: str) -> tuple[str, Any] | None:
    """Return what is at the keys in a collection, and the keys as `_objects` writes them."""
    if not keys:
        return "", value
    names = _key_names(value)
    for key, inner in _items(value):
        for spelling in (names[key], *((f'"{key}"', f"'{key}'") if _is(key, str) else ())):
            if keys.startswith(f"[{spelling}]"):
                found = _at(inner, keys[len(spelling) + 2 :])
                if found is not None:
                    return f"[{names[key]}]{found[0]}", found[1]
    return None


def _each(file: str, objects: Iterator[tuple[str, T, Any]]) -> list[Selected[T]]:
    distinct: dict[int, Selected[T]] = {}
    for name, value, holder in objects:
        known = distinct.setdefault(id(value), Selected(f"{file}:{name}", file, name, value))
        if holder is not value:
            distinct[id(value)] = known._replace(holders=(*known.holders, holder))
    return list(distinct.values())


def _wanted(value: Any, want: type[T]) -> T | None:
    # The Dockerfile of an Image is one as well.
    inner = getattr(value, "dockerfile", None) if type(value).__name__ == "Image" else None
    return next((each for each in (value, inner) if _is(each, want)), None)


def _is(value: Any, kinds: type[T] | tuple[type[T], ...]) -> TypeGuard[T]:
    """Whether a value is of a class, by its type alone: an object that stands for another one may raise when asked."""
    return issubclass(type(value), kinds)


def _objects(
    value: Any, want: type[T], depth: int = _DEEPEST, seen: set[int] | None = None, *, top: bool = False
) -> Iterator[tuple[str, T, Any]]:
    """Yield the objects that a value is or holds, each with the keys that lead to it, and with what it was found in.

    At the top, the keys are names.
    """
    each = _wanted(value, want)
    seen = set() if seen is None else seen
    if each is not None:
        yield "", each, value
    elif depth and _is(value, (dict, list, tuple)) and id(value) not in seen:
        # One that holds itself ends here.
        seen.add(id(value))
        inside = [
            (key, at)
            for key, inner in _items(value)
            if type(inner) not in _PLAIN
            for at in _objects(inner, want, depth - 1, seen)
        ]
        names = _key_names(value) if inside and not top else {}
        yield from (
            ((key if top else f"[{names[key]}]") + keys, found, holder) for key, (keys, found, holder) in inside
        )


def _items(value: Any) -> Iterable[tuple[Any, Any]]:
    if _is(value, dict):
        # A class of the user's may have an items() of its own, which does anything.
        return dict.items(value)
    return enumerate(value) if _is(value, (list, tuple)) else ()


def _key_names(value: Any) -> dict[Any, str]:
    """Return how each key of a collection is written."""
    found: dict[str, list[Any]] = {}
    for key, _ in _items(value):
        found.setdefault(_printed(key), []).append(key)
    return {
        key: f'"{key}"' if _is(key, str) and len(keys) > 1 else name for name, keys in found.items() for key in keys
    }


def _printed(key: Any) -> str:
    if _is(key, tuple):
        return ",".join(map(_printed, key))
    try:
        return str(key)
    except Exception:  # noqa: BLE001 - whatever a key of the user's raises
        return shown(key)


def _unknown(file: str, name: str, namespace: dict[str, Any], found: list[Selected[T]], want: type[T]) -> SourceError:
    kind = want.__name__
    fact = f"it defines no {kind} named {shown(name)}"
    value = namespace.get(name)
    if _is(value, (dict, list, tuple)):
        fact = f"there is no {kind} in {name}"
    elif _is_function(value):
        fact = f"{name}() returns no {kind}"
    elif name in namespace:
        fact = f"{name} is {kind_of(value)}, not {'an' if kind == 'Image' else 'a'} {kind}"
    return SourceError(f"{one_line(file)}: {fact}; {_choices(found) or _how(namespace, kind)}")


def _choices(found: list[Selected[T]]) -> str:
    more = len(found) - _LISTED
    names = sorted(argument(each.spec) for each in found)[:_LISTED]
    return f"pick one: {', '.join(names)}{f' and {more} more' if more > 0 else ''}" if found else ""


def _how(namespace: dict[str, Any], kind: str) -> str:
    """Return the line that makes the object of what a file defines."""
    last = {type(value).__name__: name for name, value in namespace.items() if name[:1] != "_"}
    made = f"Dockerfile({last.get('Stage', 'stage')})"
    line = f"image = Image({last.get('Dockerfile', made)})" if kind == "Image" else f"dockerfile = {made}"
    missing = [name for name in ("Dockerfile", "Image") if f"{name}(" in line and name not in namespace]
    names = " and ".join(missing)
    return f"write {line}, and import {names} from dockdsl" if missing else f"write {line}"
