"""Sources of COPY and ADD: patterns, and text that names exactly one file.

BuildKit matches a source twice: the client that sends the build context, as a regular expression made from the trimmed
pattern; and the builder, as a file pattern. What they would read differently is written in a form that both read in the
same way.
"""

from __future__ import annotations

import re

from dockdsl.display import shown
from dockdsl.errors import Refused
from dockdsl.syntax.lazy_regex import lazy_regex
from dockdsl.syntax.words import Atom, Literal, Word, atoms_of, from_atoms, normal, plain, split, text_in

_is_remote = lazy_regex(r"https?://|git://|ssh://|git@|[\w.-]+@[\w.-]+:")
_ELEMENT = r"(?:\\.|[^\]\\-])"
_CLASS = rf"\[\^?(?:{_ELEMENT}(?:-{_ELEMENT})?)+\]"
_token = lazy_regex(rf"\\.|{_CLASS}|.", re.DOTALL)
_without_class = lazy_regex(r"\\.|.", re.DOTALL)
# What is written and read as it is, and is neither remote nor a pattern that must be checked.
is_plain_path = re.compile(
    r"(?:[A-Za-z0-9_./*]|\$[A-Za-z_][A-Za-z0-9_]*)(?:[A-Za-z0-9_./*?+=%~-]++|\$[A-Za-z_][A-Za-z0-9_]*)*+"
).fullmatch
# What needs no rewriting: no whitespace, exclamation mark, caret, backslash or character class.
is_easy = re.compile(r'["-Z\]_-~]+').fullmatch
_needs_class = lazy_regex(r"((?:\.?/)*)([!\s])", re.DOTALL)
_IN_CLASS = str.maketrans({"[": "[[]", "\\": "[\\\\]", "*": "[*]", "?": "[?]"})


def is_remote(value: object) -> bool:
    """Whether a source is a URL or a Git repository."""
    text = value.parts[0][1] if isinstance(value, Literal) and value.parts else value
    return isinstance(text, str) and _is_remote().match(text) is not None


def source(value: Word) -> Word:
    """Normalize a source, a pattern in which `literal` text names exactly that file."""
    if type(value) is str and is_easy(value):
        return value
    if not isinstance(value, Literal):
        value = plain(value)
        if not isinstance(value, str) or is_easy(value) or _is_remote().match(value):
            return value
        parts: tuple[tuple[bool, str], ...] = ((False, value),)
    elif is_remote(value):
        return normal(value.parts)
    else:
        parts = value.parts
    atoms: list[Atom] = []
    try:
        for exact, text in parts:
            for atom in [(False, text.translate(_IN_CLASS))] if exact else split(text):
                # Adjacent texts are one text in the Dockerfile.
                joins = bool(atoms) and not atom[0] and not atoms[-1][0]
                atoms[len(atoms) - joins :] = [(False, atoms[-1][1] + atom[1]) if joins else atom]
    except Refused:
        # It is refused when it is written, with the name of the instruction.
        return value
    merged = from_atoms(_both_ways(atoms))
    return merged if merged != value else value


def is_settled(value: Word) -> bool:
    """Whether `source` would leave a pattern as it is."""
    if isinstance(value, str) and "$" not in value and is_easy(value):
        return True
    return is_remote(value) or from_atoms(_both_ways(atoms_of(value))) == value


def _both_ways(atoms: list[Atom]) -> list[Atom]:
    """Rewrite what the client would not find: whitespace at an end, an exclamation mark, a caret."""
    if not atoms:
        return atoms
    reference, text = atoms[0]
    needed = None if reference else _needs_class().match(text)
    if needed is not None:
        atoms[0] = (False, f"{needed[1]}[{needed[2]}]{text[needed.end() :]}")
    reference, text = atoms[-1]
    if not reference and text[-1:].isspace():
        atoms[-1] = (False, f"{text[:-1]}[{text[-1]}]")
    if not any(_has_wildcard(text) for reference, text in atoms if not reference):
        return atoms
    return [
        (
            reference,
            text
            if reference or "^" not in text
            else "".join(["\\^" if each == "^" else each for each in tokens(text)]),
        )
        for reference, text in atoms
    ]


def tokens(pattern: str) -> list[str]:
    """Split a pattern into characters, escaped characters and classes."""
    # No class can begin after the last closing bracket, so do not search for its end again and again.
    end = pattern.rfind("]") + 1
    return _token().findall(pattern[:end]) + _without_class().findall(pattern[end:])


def _has_wildcard(pattern: str) -> bool:
    return any(token[0] in "*?[" for token in tokens(pattern))


def check_pattern(value: Word, *, from_context: bool) -> None:
    """Refuse a source that BuildKit would not find, or would take for another file."""
    text = text_in(value)
    found = tokens(text)
    if from_context:
        _check_in_context(value, text, found)
    if "[" in found and "$" not in text:
        raise Refused(
            f"the pattern {shown(value)} has a [ that does not start a character class",
            "close it, or write [[] for a file with a bracket in its name",
            by_build=from_context,
        )
    if any(token[0] in "*?[" for token in found):
        for token in found:
            if token[0] == "\\" and (len(token) == 1 or token[1] not in "*?[]^!-\\"):
                raise Refused(
                    f"the pattern {shown(value)} has a backslash, which escapes the next character",
                    "write / between folders, or literal(…) for a file with a backslash in its name",
                )


def _check_in_context(value: Word, text: str, found: list[str]) -> None:
    if "\t" in text:
        raise Refused(
            f"the source {shown(value)} has a tab, and BuildKit cannot request such a file from the build context",
            "rename the file, or copy its folder",
        )
    if any(token[0] == "[" and len(token) > 1 and ("*" in token or "?" in token) for token in found):
        raise Refused(
            f"the source {shown(value)} has a literal * or ?, and BuildKit finds no such file in the build context",
            "rename the file, or copy its folder",
        )
