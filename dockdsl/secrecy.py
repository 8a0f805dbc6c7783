"""The secrets that this process knows, and how they stay out of all that it writes.

A build that reads a secret notes its value here. All that is written for people goes through `hide`: messages of
errors, logs, the results of checks, JSON and JUnit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

HIDDEN = "***"
_WHOLE = 4
"""The length from which a part of a secret is hidden anywhere; a shorter line of it is hidden as a word."""
_CODED = 6
"""The length from which base64 tells so much of a secret that it is hidden, and is unlikely to be anything else."""
_SEQUENCE = r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])"
"""What a terminal takes for a command and does not show: colours, moves of the cursor, titles."""


def without_sequences(text: str) -> str:
    """Return text without the commands to a terminal that are in it, such as colours.

    >>> without_sequences("\\x1b[31mred\\x1b[0m")
    'red'
    """
    return re.sub(_SEQUENCE, "", text) if "\x1b" in text else text


class _Known:
    """What is to be hidden. No debugger that shows the values of variables shows it: it has the repr of an object."""

    def __init__(self) -> None:
        # A long one by its first characters: what is looked for at a place does not depend on how many there are.
        self._long: dict[str, list[str]] = {}
        self._short: set[str] = set()
        self._words: set[str] = set()
        """Short lines of a long secret: they are hidden where they stand alone."""
        self._begin = re.compile("")

    def __bool__(self) -> bool:
        return bool(self._long or self._short or self._words)

    def add(self, secret: str) -> None:
        for form in _forms(secret):
            self._take(form, self._short)
        lines = secret.splitlines()
        for line in map(str.strip, lines if len(lines) > 1 else ()):
            self._take(line, self._words)
        firsts = {re.escape(each[0]) for each in (*self._long, *self._short, *self._words, HIDDEN)}
        self._begin = re.compile(f"[{''.join(sorted(firsts))}]")

    def _take(self, text: str, short: set[str]) -> None:
        if len(text) < _WHOLE:
            if any(map(str.isalnum, text)) or (text and short is self._short):
                short.add(text)
            return
        found = self._long.setdefault(text[:_WHOLE], [])
        if text not in found:
            # The longest one comes first: it may have a shorter one in it.
            found.append(text)
            found.sort(key=len, reverse=True)

    def replaced(self, text: str, end: int) -> str:
        """Return text with each secret replaced that begins before `end`, and what follows the last one left out."""
        parts, begin, at = [], 0, 0
        while (found := self._begin.search(text, at, end)) is not None:
            at = found.start()
            length = len(HIDDEN) if text.startswith(HIDDEN, at) else self._length_at(text, at)
            if length:
                parts += [text[begin:at], HIDDEN]
                begin = at + length
            at += length or 1
        return "".join(parts) + text[begin:end]

    def _length_at(self, text: str, at: int) -> int:
        for word in self._long.get(text[at : at + _WHOLE], ()):
            if text.startswith(word, at):
                return len(word)
        for length in range(_WHOLE - 1, 0, -1) if self._short or self._words else ():
            word = text[at : at + length]
            if word in self._short or (word in self._words and _is_alone(text, at, at + length)):
                return length
        return 0


_known = _Known()


def remember(secrets: Iterable[str]) -> None:
    """Note secrets, which `hide` replaces from now on."""
    for secret in secrets:
        _known.add(secret)


def hide(text: str, end: int | None = None) -> str:
    """Return text with asterisks for each secret that is known; of a longer text, what stands before `end`.

    A secret is found as it is, within the quotes and escapes of Python, JSON, URLs and shells, and in base64; of one
    with several lines, also each line. It is found where commands to a terminal stand between its characters, too.

    >>> remember(["hunter22", "-----BEGIN KEY-----\\nabcdef"])
    >>> hide("password hunter22, key abcdef")
    'password ***, key ***'
    >>> hide("password hunt\\x1b[0mer22")
    'password ***'
    """
    end = len(text) if end is None else min(end, len(text))
    if not _known:
        return text[:end]
    found = _known.replaced(text, end)
    if "\x1b" in found:
        bare = without_sequences(found)
        hidden = _known.replaced(bare, len(bare))
        return hidden if hidden != bare else found
    return found


def _is_alone(text: str, begin: int, end: int) -> bool:
    return not (text[begin - 1 : begin].isalnum() or text[end : end + 1].isalnum())


def _forms(secret: str) -> Iterator[str]:
    """Yield a secret as it may be written."""
    from base64 import b64encode, encodebytes  # noqa: PLC0415 - few builds have secrets
    from json import dumps  # noqa: PLC0415
    from urllib.parse import quote, quote_plus  # noqa: PLC0415

    bare = secret.strip()
    for each in {secret, bare} if bare else ():
        yield each
        yield from (repr(each)[1:-1], dumps(each)[1:-1], dumps(each, ensure_ascii=False)[1:-1])
        yield from (each.replace("'", "'\"'\"'"), each.replace("'", "'\\''"))
        data = each.encode("utf-8", "surrogateescape")
        yield from (quote(data, safe=""), quote(data), quote_plus(data))
        coded = [line.rstrip("=") for line in encodebytes(data).decode().splitlines()]
        # What stands before it moves it by up to two bytes; the characters that its neighbours have a part in are left.
        for shift in range(3):
            all_of_it = b64encode(bytes(shift) + data).decode().rstrip("=")
            coded.append(all_of_it[-(-shift * 8 // 6) : (shift + len(data)) * 8 // 6])
        for form in coded:
            if len(form) >= _CODED:
                yield form
                yield form.replace("+", "-").replace("/", "_")
