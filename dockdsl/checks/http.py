"""HttpCheck: a request to the running image, and what its answer must be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import EllipsisType
from typing import TYPE_CHECKING

import attrs

from dockdsl import operands as operand
from dockdsl.checks import saving
from dockdsl.checks.check import Check
from dockdsl.checks.json_values import (
    Json,
    at_pointer,
    differences,
    expected_json,
    names_in_json,
    parsed,
    sent_json,
    with_saved,
)
from dockdsl.checks.judging import judged_value
from dockdsl.checks.saving import Header, Saving
from dockdsl.checks.searching import Searches
from dockdsl.display import cut, shown
from dockdsl.errors import InvalidValue, Refused, refuse_type
from dockdsl.operands import Pairs, PairsLike

if TYPE_CHECKING:
    from dockdsl.checks.http_client import Answer
    from dockdsl.checks.report import CheckResult
    from dockdsl.checks.subject import Subject

HeaderValue = str | re.Pattern[str] | EllipsisType
Expected = tuple[tuple[str, HeaderValue], ...]
_LONGEST_SHOWN = 80


def _method(value: str) -> str:
    method = operand.text(value)
    if not (method.isascii() and method.isalpha() and method.isupper()):
        upper = method.upper()
        is_word = method.isascii() and method.isalpha() and len(method) < 40
        raise Refused(f"{shown(method)} is not a method", f"write {upper}" if is_word else "write GET, POST and so on")
    return method


def _path(value: str) -> str:
    # A saved value that stands first brings the slash.
    starts_saved = isinstance(value, str) and saving.leading_name(value) is not None
    return operand.url_text(value) if starts_saved else operand.url_path(value)


def _status(value: int | None) -> int | None:
    # What is below 200 is not an answer yet.
    return None if value is None else operand.whole(value, 200, 599)


def _headers(value: Mapping[str, HeaderValue] | Expected | None) -> Expected:
    found = operand.entries(value)
    for name, each in found:
        is_pattern = isinstance(each, re.Pattern) and isinstance(each.pattern, str)
        _check_header(name, "" if is_pattern or each is ... else each)
    return found


def _send_headers(value: PairsLike) -> Pairs:
    found = operand.entries(value)
    for name, each in found:
        _check_header(name, each)
    return found


def _check_header(name: str, value: str) -> None:
    with operand.part("a name"):
        saving.header_name(name)
    if not all(" " <= character <= "~" for character in operand.text_of(name, value)):
        raise Refused(f"the value of {name} cannot be sent", "use printable ASCII characters only")


def _send_body(value: str | bytes | None) -> str | bytes | None:
    if value is None or isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise refuse_type("", value, "pass a str or bytes")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Refused(f"{shown(value)} cannot be encoded as UTF-8", "pass bytes") from None
    return value


@attrs.frozen(slots=False, repr=False, field_transformer=operand.named)
class HttpCheck(Check):
    """A request to the running image, and what its answer must be.

    `method`, `path`
        ``"GET"``, ``"/notes?limit=2"``.
    `status`
        The status; None for any.
    `headers`
        Headers that the answer must have, with names in upper or lower case. A value of ``...`` stands for any; one of
        ``re.compile("…")`` must be found.
    `json`
        What the body must contain as JSON. The keys that are given must be there and match; others may be there too.
        Lists match element by element; ``...`` matches everything.
    `body`
        A regular expression that must be found in the body.
    `send_json`, `send_headers`
        What is sent with the request.
    `send_body`
        A body that is not JSON, instead of `send_json`: bytes, or a str, which is sent as UTF-8. It is sent as it is,
        with no saved values in it. `send_headers` say what it is:
        ``{"Content-Type": "application/x-www-form-urlencoded"}``.
    `save`
        Names for what is kept from the answer, each with a JSON pointer into its body, or a `Header`:
        ``{"id": "/id", "made": Header("Location")}``. Checks that come later write ``{id}`` in their path and in values
        of their headers, and ``Saved("id")`` in their JSON. In a path, such a value is quoted as a part of one. What
        stands first is a path itself and taken as it is, ``"{made}"`` or ``"{made}/tags"``; of a URL, path and query
        are taken, whatever server it names.
    `timeout`
        Seconds that the whole answer may take, and as many again for searching it.

    Redirects are answers like others: they are judged, not followed.

    Raises `InvalidValue` and `InvalidType`.

    >>> check = HttpCheck("GET", "/healthz", json={"status": "ok", "uptime": ...})
    >>> check.judge(200, {"Content-Type": "application/json"}, b'{"status": "ok", "uptime": 3, "more": true}')
    []
    >>> check.judge(503, {}, b'{"status": "down", "uptime": 3}')
    ['expected status 200, got 503', '$.status: expected "ok", got "down"']
    """

    needs_server = needs_port = True
    method: str = attrs.field(converter=_method)
    path: str = attrs.field(converter=_path)
    status: int | None = attrs.field(default=200, kw_only=True, converter=_status)
    headers: Expected = attrs.field(default=(), kw_only=True, converter=_headers)
    json: Json = attrs.field(default=..., kw_only=True, converter=expected_json, hash=False)
    body: str | None = attrs.field(default=None, kw_only=True, converter=operand.optional_pattern)
    send_json: Json = attrs.field(default=..., kw_only=True, converter=sent_json, hash=False)
    send_body: str | bytes | None = attrs.field(default=None, kw_only=True, converter=_send_body)
    send_headers: Pairs = attrs.field(default=(), kw_only=True, converter=_send_headers, repr=operand.names_alone)
    save: Saving = attrs.field(default=(), kw_only=True, converter=saving.saving)
    timeout: float = attrs.field(default=5.0, kw_only=True, converter=operand.seconds)

    def __attrs_post_init__(self) -> None:
        if self.send_body is not None and self.send_json is not ...:
            raise InvalidValue("HttpCheck: it has both send_json and send_body; leave one out")

    @property
    def uses(self) -> tuple[str, ...]:
        """The names of saved values that it needs."""
        texts = [self.path, *(each for _, each in (*self.headers, *self.send_headers) if isinstance(each, str))]
        names = [name for text in texts if "{" in text for name in saving.names_in(text)]
        return tuple(dict.fromkeys([*names, *names_in_json(self.json), *names_in_json(self.send_json)]))

    @property
    def title(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"

    def examine(self, subject: Subject) -> CheckResult:
        """Ask the server."""
        from dockdsl.checks.http_client import excerpt  # noqa: PLC0415 - a check is light until it is run

        missing = [name for name in self.uses if name not in subject.saved]
        if missing:
            return self.result([f"not asked, since no check before it saved {missing[0]}"])
        try:
            request = self._filled(subject.saved)
        except InvalidValue as error:
            return self.result([error.message])
        answer = subject.ask(request)
        wrong = request.judge(answer.status, answer.headers, answer.body) + self._keep(answer, subject.saved)
        return request.result(
            wrong, detail=str(answer.status), seconds=answer.seconds, excerpt=excerpt(answer.body) if wrong else ""
        )

    def _filled(self, saved: Mapping[str, Json]) -> HttpCheck:
        """Return the check with what was saved in the places of the names."""
        if not self.uses:
            return self
        from urllib.parse import quote  # noqa: PLC0415 - as above

        def text_of(name: str) -> str:
            return saving.as_text(name, saved[name])

        def fill(text: str) -> str:
            return saving.filled_in(text, text_of)

        lead, rest = "", self.path
        if (first := saving.leading_name(rest)) is not None:
            lead, rest = saving.as_path(first, saved[first]), rest.partition("}")[2]
        return attrs.evolve(
            self,
            path=lead + saving.filled_in(rest, lambda name: quote(text_of(name), safe="")),
            headers=tuple((name, fill(each) if isinstance(each, str) else each) for name, each in self.headers),
            send_headers=tuple((name, fill(each)) for name, each in self.send_headers),
            json=with_saved(self.json, saved),
            send_json=with_saved(self.send_json, saved),
        )

    def _keep(self, answer: Answer, saved: dict[str, Json]) -> list[str]:
        """Save what is to be saved; return what is missing."""
        wrong = []
        for name, source in self.save:
            saved.pop(name, None)
            if isinstance(source, Header):
                value = source.value_in(answer.headers)
                if value is None:
                    match = "" if source.pattern is None else f" with a match of {shown(source.pattern)}"
                    found = cut(answer.headers.get(source.name.lower(), "none"), _LONGEST_SHOWN)
                    wrong.append(f"expected the header {source.name}{match} to save it as {name}, got {found}")
                else:
                    saved[name] = value
                continue
            try:
                saved[name] = at_pointer(parsed(answer.body), source)
            except (ValueError, LookupError, RecursionError):
                wrong.append(f"expected a value at {source or 'the top'} to save it as {name}, got none")
        return wrong

    def request(self) -> tuple[Mapping[str, str], bytes | None]:
        """Return headers and body to send."""
        headers = dict(self.send_headers)
        if self.send_json is ...:
            return headers, self.send_body.encode() if isinstance(self.send_body, str) else self.send_body
        from json import dumps  # noqa: PLC0415 - as above

        if not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = "application/json"
        return headers, dumps(self.send_json).encode()

    def judge(self, status: int, headers: Mapping[str, str], body: bytes) -> list[str]:
        """Return what is wrong with an answer, a line each; nothing where all is as expected.

        Raises `RunFailed` where searching takes more than `timeout` seconds.
        """
        wrong = []
        searches = Searches(self.timeout)
        if self.status is not None and status != self.status:
            wrong.append(f"expected status {self.status}, got {status}")
        found = {name.lower(): value.strip() for name, value in headers.items()}
        for name, value in self.headers:
            wrong += judged_value("header", name, value, found.get(name.lower()), searches.first)
        if self.json is not ...:
            try:
                wrong += differences(self.json, parsed(body))
            except (ValueError, RecursionError):
                wrong.append(f"expected a JSON body{_still_encoded(found)}")
        if self.body is not None and searches.first(self.body, body.decode("utf-8", "replace")) is None:
            wrong.append(f"expected a body with {shown(self.body)}{_still_encoded(found)}")
        return wrong


def _still_encoded(headers: Mapping[str, str]) -> str:
    """Return what to add to a message about a body whose encoding was left as it is."""
    from dockdsl.checks.http_client import ENCODINGS  # noqa: PLC0415 - as above

    encoding = headers.get("content-encoding", "identity")
    if encoding.lower() in ("", "identity", *ENCODINGS):
        return ""
    return f", got one in the encoding {cut(encoding, _LONGEST_SHOWN)}; have the server send gzip, deflate or none"
