"""HttpCheck: a request to the running image, and what its answer must be."""
# ruff: noqa: PLC0415 - json is needed when an answer is judged, not when a check is written down

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from math import isfinite
from types import EllipsisType
from typing import TYPE_CHECKING, Any

import attrs

from dockdsl import operands as operand
from dockdsl.checks.check import Check
from dockdsl.errors import InvalidType, InvalidValue
from dockdsl.operands import Pairs, PairsLike, kind_of

if TYPE_CHECKING:
    from dockdsl.checks.exchange import Answer
    from dockdsl.checks.report import CheckResult
    from dockdsl.checks.subject import Subject

Json = Any
HeaderValue = str | re.Pattern[str] | EllipsisType
Expected = tuple[tuple[str, HeaderValue], ...]
_NAME = re.compile(r"\{(\w+)\}")
_SHOWN = 5
"""How many differences of a JSON body a message names."""
_DEEPEST = 100
"""How many lists and objects of an expected JSON value may be in one another."""
_LONG, _LONGEST_SHOWN = 40, 80
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def _saved_name(value: str) -> str:
    if not operand.text("Saved: the name", value).isidentifier():
        raise InvalidValue(f"Saved: {operand.shown(value)} is no name; write letters, digits and _")
    return value


@attrs.frozen
class Saved:
    """In the JSON of an `HttpCheck`: the value that a check before it saved under this name, with its type.

    >>> HttpCheck("PUT", "/notes/{id}", send_json={"copy_of": Saved("id")}).uses
    ('id',)
    """

    name: str = attrs.field(converter=_saved_name)


def _header_name(value: str) -> str:
    _check_header_name("Header", value)
    return value


def _header_pattern(value: str | None) -> str | None:
    return None if value is None else operand.patterns("Header: pattern", operand.text("Header: pattern", value))[0]


@attrs.frozen
class Header:
    """In ``save=`` of an `HttpCheck`: a header of the answer, whose value is saved.

    `name`
        The header. The case does not matter.
    `pattern`
        A regular expression that must be found in the value: what it matches is saved, or its first group if it has
        one. None is the whole value.

    Raises `InvalidValue` and `InvalidType`.

    >>> session = Header("Set-Cookie", pattern="session=[^;,]+")
    >>> HttpCheck("POST", "/login", save={"home": Header("Location"), "session": session}).title
    'POST /login'
    >>> HttpCheck("GET", "{home}", send_headers={"Cookie": "{session}"}).uses
    ('home', 'session')
    """

    name: str = attrs.field(converter=_header_name)
    pattern: str | None = attrs.field(default=None, kw_only=True, converter=_header_pattern)

    def value_in(self, headers: Mapping[str, str]) -> str | None:
        """Return what is to be saved of these headers, whose names are in lower case; None where it is not there."""
        value = headers.get(self.name.lower())
        if value is None or self.pattern is None:
            return value
        found = re.search(self.pattern, value)
        return None if found is None else found[1 if found.re.groups else 0]


Saving = tuple[tuple[str, str | Header], ...]


def _method(value: str) -> str:
    method = operand.text("HttpCheck: the method", value)
    if not (method.isascii() and method.isalpha() and method.isupper()):
        hint = (
            f"write {method.upper()}"
            if method.isascii() and method.isalpha() and len(method) < _LONG
            else "write GET, POST and so on"
        )
        raise InvalidValue(f"HttpCheck: the method is {operand.shown(method)}; {hint}")
    return method


def _path(value: str) -> str:
    # A saved value that stands first brings the slash.
    begun = isinstance(value, str) and _leading(value) is not None
    return operand.url_path("HttpCheck: the path", value, begun=begun)


def _status(value: int | None) -> int | None:
    # What is below 200 is no answer yet.
    return None if value is None else operand.whole("HttpCheck: status", value, 200, 599)


def _timeout(value: float) -> float:
    return operand.seconds("HttpCheck: timeout", value)


def _headers(value: Mapping[str, HeaderValue] | Expected | None) -> Expected:
    found = operand.entries("HttpCheck: headers", value)
    for name, each in found:
        is_pattern = isinstance(each, re.Pattern) and isinstance(each.pattern, str)
        _check_header("HttpCheck: headers", name, "" if is_pattern or each is ... else each)
    return found


def _send_headers(value: PairsLike) -> Pairs:
    found = operand.entries("HttpCheck: send_headers", value)
    for name, each in found:
        _check_header("HttpCheck: send_headers", name, each)
    return found


def _save(value: Mapping[str, str | Header] | Saving | None) -> Saving:
    found = operand.entries("HttpCheck: save", value)
    for name, source in found:
        if not operand.text("HttpCheck: save: a name", name).isidentifier():
            raise InvalidValue(f"HttpCheck: save: {operand.shown(name)} is no name; write letters, digits and _")
        if isinstance(source, Header):
            continue
        where = operand.text(f"HttpCheck: save: the pointer of {name}", source, empty=True)
        if where and not where.startswith("/"):
            raise InvalidValue(
                f'HttpCheck: save: {operand.shown(where)} is no JSON pointer; write "/id", or "/items/0/id", '
                "or Header(…) for a header"
            )
    return found


def _check_header(what: str, name: Any, value: Any) -> None:
    _check_header_name(what, name)
    text = operand.text(f"{what}: the value of {name}", value, empty=True)
    if not all(" " <= character <= "~" for character in text):
        raise InvalidValue(
            f"{what}: the value of {name} is {operand.shown(text)}; a header has printable ASCII characters only"
        )


def _check_header_name(what: str, name: Any) -> None:
    if not _TOKEN.issuperset(operand.text(f"{what}: a name", name)):
        raise InvalidValue(f"{what}: {operand.shown(name)} is no name of a header; mend it")


def _json(value: Json) -> Json:
    return _copied("HttpCheck: json", value, "$")


def _send_json(value: Json) -> Json:
    if value is ...:
        return value
    copied = _copied("HttpCheck: send_json", value, "$")
    if _has_wildcard(copied):
        raise InvalidType("HttpCheck: send_json has a ..., which can be expected and not be sent; write a value")
    return copied


def _send_body(value: str | bytes | None) -> str | bytes | None:
    if value is None or isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise InvalidType(f"HttpCheck: send_body is of the type {kind_of(value)}; pass a str or bytes")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidValue(
            f"HttpCheck: send_body is {operand.shown(value)}, which UTF-8 cannot say; pass bytes"
        ) from None
    return value


def _copied(what: str, value: Json, place: str, depth: int = 0) -> Json:
    """Return a copy of a JSON value that nobody else can change; refuse what JSON cannot say."""
    if value is None or value is ... or isinstance(value, (str, bool, Saved)):
        return value
    if isinstance(value, int):
        _check_digits(what, value, place)
        return value
    if depth > _DEEPEST:
        raise InvalidValue(f"{what}: it is nested more than {_DEEPEST} deep, or holds itself; make it flatter")
    if isinstance(value, float):
        if not isfinite(value):
            raise InvalidValue(f"{what}: {place} is {value}, which JSON cannot say; pass a finite number")
        return value
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise InvalidType(
                    f"{what}: the key {operand.shown(key)} of {place} is of the type {kind_of(key)}; pass a str"
                )
        return {key: _copied(what, each, f"{place}.{key}", depth + 1) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copied(what, each, f"{place}[{index}]", depth + 1) for index, each in enumerate(value)]
    raise InvalidType(f"{what}: {place} is of the type {kind_of(value)}, which JSON cannot say; convert it")


def _check_digits(what: str, value: int, place: str) -> None:
    try:
        str(value)
    except ValueError:
        raise InvalidValue(
            f"{what}: {place} is {operand.shown(value)}, which Python does not write as JSON; pass a smaller number"
        ) from None


def _names_in(text: str) -> list[str]:
    return [name for name in _NAME.findall(text) if name.isidentifier()]


def _leading(path: str) -> str | None:
    """Return the name of the saved value that stands first in a path, or None."""
    found = _NAME.match(path)
    return found[1] if found is not None and found[1].isidentifier() else None


def _filled_in(text: str, value_of: Callable[[str], str]) -> str:
    return _NAME.sub(lambda found: value_of(found[1]) if found[1].isidentifier() else found[0], text)


def _names_of(value: Json) -> list[str]:
    if isinstance(value, Saved):
        return [value.name]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [name for each in inner for name in _names_of(each)]


def _plain(name: str, value: Json) -> str:
    """Return a saved value as text for a path or a header."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, int, float)):
        from json import dumps

        return dumps(value)
    raise InvalidValue(f"the saved value {name} is {_said(value)}, which is no text; save a part of it")


def _path_of(name: str, value: Json) -> str:
    """Return a saved value that is a path, or a URL, of which path and query are taken."""
    plain = _plain(name, value)
    host = re.match(r"(?:https?:)?//[^/?#]*", plain, re.IGNORECASE)
    path = plain[host.end() if host else 0 :].partition("#")[0]
    if host and not path.startswith("/"):
        path = f"/{path}"
    if not path.startswith("/"):
        raise InvalidValue(
            f"the saved value {name} is {_said(value)}, which is neither a path nor a URL; write a path before "
            f"{{{name}}}, or save another one"
        )
    return path


def _with_saved(value: Json, saved: Mapping[str, Json]) -> Json:
    if isinstance(value, Saved):
        return saved[value.name]
    if isinstance(value, dict):
        return {key: _with_saved(each, saved) for key, each in value.items()}
    return [_with_saved(each, saved) for each in value] if isinstance(value, list) else value


def _at_pointer(value: Json, pointer: str) -> Json:
    """Return what a JSON pointer leads to. Raises `LookupError` and `ValueError` where there is nothing."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list):
            if not (key.isascii() and key.isdecimal()):
                raise KeyError(key)
            value = value[int(key)]
        elif isinstance(value, dict):
            value = value[key]
        else:
            raise KeyError(key)
    return value


def _has_wildcard(value: Json) -> bool:
    if isinstance(value, dict):
        return any(_has_wildcard(each) for each in value.values())
    if isinstance(value, list):
        return any(_has_wildcard(each) for each in value)
    return value is ...


def _pattern(value: str | None) -> str | None:
    return None if value is None else operand.patterns("HttpCheck: body", operand.text("HttpCheck: body", value))[0]


@attrs.frozen(slots=False)
class HttpCheck(Check):
    """A request to the running image, and what its answer must be.

    `method`, `path`
        ``"GET"``, ``"/notes?limit=2"``.
    `status`
        The status; None for any.
    `headers`
        Headers that the answer must have; a value of ``...`` stands for any, one of ``re.compile("…")`` must be found.
        The case of names does not matter.
    `json`
        What the body must hold as JSON. The keys that are given must be there and fit; others may be there too. Lists
        fit element by element; ``...`` fits everything.
    `body`
        A regular expression that must be found in the body.
    `send_json`, `send_headers`
        What is sent along.
    `send_body`
        A body that is no JSON, instead of `send_json`: bytes, or a str, which is sent as UTF-8. It is sent as it is,
        with no saved values in it. What it is, `send_headers` say:
        ``{"Content-Type": "application/x-www-form-urlencoded"}``.
    `save`
        Names for what is kept of the answer, each with a JSON pointer into its body, or a `Header`:
        ``{"id": "/id", "made": Header("Location")}``. Checks that come later write ``{id}`` in their path and in values
        of their headers, and ``Saved("id")`` in their JSON. In a path, such a value is quoted as a part of one. What
        stands first is a path itself and taken as it is, ``"{made}"`` or ``"{made}/tags"``; of a URL, path and query
        are taken, whatever server it names.
    `timeout`
        Seconds that the whole answer may take.

    Redirects are answers like others: they are judged, not followed.

    Raises `InvalidValue` and `InvalidType`.

    >>> check = HttpCheck("GET", "/healthz", json={"status": "ok", "uptime": ...})
    >>> check.judge(200, {"Content-Type": "application/json"}, b'{"status": "ok", "uptime": 3, "more": true}')
    []
    >>> check.judge(503, {}, b'{"status": "down", "uptime": 3}')
    ['expected status 200, got 503', '$.status: expected "ok", got "down"']
    """

    needs_server = True
    method: str = attrs.field(converter=_method)
    path: str = attrs.field(converter=_path)
    status: int | None = attrs.field(default=200, kw_only=True, converter=_status)
    headers: Expected = attrs.field(default=(), kw_only=True, converter=_headers)
    json: Json = attrs.field(default=..., kw_only=True, converter=_json, hash=False)
    body: str | None = attrs.field(default=None, kw_only=True, converter=_pattern)
    send_json: Json = attrs.field(default=..., kw_only=True, converter=_send_json, hash=False)
    send_body: str | bytes | None = attrs.field(default=None, kw_only=True, converter=_send_body)
    send_headers: Pairs = attrs.field(default=(), kw_only=True, converter=_send_headers)
    save: Saving = attrs.field(default=(), kw_only=True, converter=_save)
    timeout: float = attrs.field(default=5.0, kw_only=True, converter=_timeout)

    def __attrs_post_init__(self) -> None:
        if self.send_body is not None and self.send_json is not ...:
            raise InvalidValue("HttpCheck: it has send_json and send_body, and a request has one body; leave one out")

    @property
    def uses(self) -> tuple[str, ...]:
        """The names of saved values that it needs."""
        texts = [self.path, *(each for _, each in (*self.headers, *self.send_headers) if isinstance(each, str))]
        names = [name for text in texts if "{" in text for name in _names_in(text)]
        return tuple(dict.fromkeys([*names, *_names_of(self.json), *_names_of(self.send_json)]))

    @property
    def title(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"

    def examine(self, subject: Subject) -> CheckResult:
        """Ask the server."""
        from dockdsl.checks.exchange import excerpt
        from dockdsl.checks.report import CheckResult

        missing = [name for name in self.uses if name not in subject.saved]
        if missing:
            return CheckResult(
                title=self.title,
                mismatches=(f"not asked, since no check before it saved {missing[0]}",),
                origin=self.origin,
            )
        try:
            asked = self._filled(subject.saved)
        except InvalidValue as error:
            return CheckResult(title=self.title, mismatches=(error.message,), origin=self.origin)
        answer = subject.ask(asked)
        wrong = asked.judge(answer.status, answer.headers, answer.body) + self._keep(answer, subject.saved)
        return CheckResult(
            title=asked.title,
            detail=str(answer.status),
            seconds=answer.seconds,
            mismatches=wrong,
            excerpt=excerpt(answer.body) if wrong else "",
            origin=self.origin,
        )

    def _filled(self, saved: Mapping[str, Json]) -> HttpCheck:
        """Return the check with what was saved in the places of the names."""
        if not self.uses:
            return self
        from urllib.parse import quote

        def plain(name: str) -> str:
            return _plain(name, saved[name])

        def fill(text: str) -> str:
            return _filled_in(text, plain)

        lead, rest = "", self.path
        if (first := _leading(rest)) is not None:
            lead, rest = _path_of(first, saved[first]), rest.partition("}")[2]
        return attrs.evolve(
            self,
            path=lead + _filled_in(rest, lambda name: quote(plain(name), safe="")),
            headers=tuple((name, fill(each) if isinstance(each, str) else each) for name, each in self.headers),
            send_headers=tuple((name, fill(each)) for name, each in self.send_headers),
            json=_with_saved(self.json, saved),
            send_json=_with_saved(self.send_json, saved),
        )

    def _keep(self, answer: Answer, saved: dict[str, Json]) -> list[str]:
        """Save what is to be saved; return what is not there."""
        wrong = []
        for name, source in self.save:
            saved.pop(name, None)
            if isinstance(source, Header):
                value = source.value_in(answer.headers)
                if value is None:
                    fit = "" if source.pattern is None else f" with a match of {operand.shown(source.pattern)}"
                    found = _short(answer.headers.get(source.name.lower(), "none"))
                    wrong.append(f"expected the header {source.name}{fit} to save it as {name}, got {found}")
                else:
                    saved[name] = value
                continue
            try:
                saved[name] = _at_pointer(_parsed(answer.body), source)
            except (ValueError, LookupError, RecursionError):
                wrong.append(f"expected a value at {source or 'the top'} to save it as {name}, got none")
        return wrong

    def request(self) -> tuple[Mapping[str, str], bytes | None]:
        """Return headers and body to send."""
        headers = dict(self.send_headers)
        if self.send_json is ...:
            return headers, self.send_body.encode() if isinstance(self.send_body, str) else self.send_body
        from json import dumps

        if not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = "application/json"
        return headers, dumps(self.send_json).encode()

    def judge(self, status: int, headers: Mapping[str, str], body: bytes) -> list[str]:
        """Return what is wrong with an answer, a line each; nothing where all is as expected."""
        wrong = []
        if self.status is not None and status != self.status:
            wrong.append(f"expected status {self.status}, got {status}")
        there = {name.lower(): value for name, value in headers.items()}
        for name, value in self.headers:
            found = there.get(name.lower())
            if found is None:
                wrong.append(f"expected the header {name}, got none")
            elif isinstance(value, re.Pattern):
                if value.search(found.strip()) is None:
                    wrong.append(
                        f"expected {name} with a match of {operand.shown(value.pattern)}, got {_short(found.strip())}"
                    )
            elif value is not ... and found.strip() != value:
                wrong.append(f"expected {name}: {_short(value)}, got {_short(found.strip())}")
        if self.json is not ...:
            wrong += self._judge_json(body, there)
        if self.body is not None and re.search(self.body, body.decode("utf-8", "replace")) is None:
            wrong.append(f"expected a body with {operand.shown(self.body)}{_unread(there)}")
        return wrong

    def _judge_json(self, body: bytes, headers: Mapping[str, str]) -> list[str]:
        try:
            found = _parsed(body)
        except (ValueError, RecursionError):
            return [f"expected a JSON body{_unread(headers)}"]
        wrong = list(_differences(self.json, found, "$"))
        return wrong if len(wrong) <= _SHOWN else [*wrong[:_SHOWN], f"and {len(wrong) - _SHOWN} more differences"]


def _parsed(body: bytes) -> Json:
    """Read JSON; raise `ValueError` or `RecursionError` for what is none."""
    from json import loads

    found: Json = loads(body, parse_constant=_refuse)
    return found


def _unread(headers: Mapping[str, str]) -> str:
    """Return what to add to a message about a body whose encoding was left as it is."""
    from dockdsl.checks.exchange import ENCODINGS

    encoding = headers.get("content-encoding", "identity").strip()
    if encoding.lower() in ("", "identity", *ENCODINGS):
        return ""
    return f", got one in the encoding {_short(encoding)}; have the server send gzip, deflate or none"


def _refuse(name: str) -> Json:
    """Refuse what Python reads and JSON does not have: NaN and Infinity."""
    raise ValueError(name)


def _differences(expected: Json, found: Json, place: str) -> Iterable[str]:
    """Yield where `found` does not have what `expected` has."""
    if expected is ...:
        return
    if isinstance(expected, dict) and isinstance(found, dict):
        for key, value in expected.items():
            if key in found:
                yield from _differences(value, found[key], f"{place}.{key}")
            else:
                yield f"{place}.{key}: expected {_said(value)}, got nothing"
    elif isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            yield f"{place}: expected {len(expected)} elements, got {len(found)}"
        for index, (one, other) in enumerate(zip(expected, found, strict=False)):
            yield from _differences(one, other, f"{place}[{index}]")
    # In JSON, true is not 1.
    elif isinstance(expected, bool) is not isinstance(found, bool) or expected != found:
        yield f"{place}: expected {_said(expected)}, got {_said(found)}"


def _said(value: Json) -> str:
    from json import dumps

    if value is ...:
        return "something"
    try:
        text = dumps(value, ensure_ascii=False, default=lambda _: "…")
    except RecursionError:
        return "what is nested too deep to be shown"
    return _short(text)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"
