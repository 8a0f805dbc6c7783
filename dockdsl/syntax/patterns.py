"""Sources of COPY and ADD: patterns, and text that names one very file.

BuildKit looks a source up twice: the sender of the build context compares it as a regular
expression made of the pattern, trimmed; the builder compares it as a file pattern. What the two read
differently is written here in the form that both read alike.
"""

from __future__ import annotations

import re

from dockdsl.display import shown
from dockdsl.errors import Refused
from dockdsl.syntax.words import Atom, Literal, Word, atoms_of, from_atoms, normal, plain, split

_is_remote = re.compile(r"https?://|git://|ssh://|git@|[\w.-]+@[\w.-]+:").match
_ELEMENT = r"(?:\\.|[^\]\\-])"
_CLASS = rf"\[\^?(?:{_ELEMENT}(?:-{_ELEMENT})?)+\]"
_token = re.compile(rf"\\.|{_CLASS}|.", re.DOTALL)
_without_class = re.compile(r"\\.|.", re.DOTALL)
# What needs no thought: no blank, exclamation mark, caret, backslash or class.
is_easy = re.compile(r'["-Z\]_-~]+').fullmatch
_needs_class = re.compile(r"((?:\.?/)*)([!\s])", re.DOTALL).match
_IN_CLASS = str.maketrans({"[": "[[]", "\\": "[\\\\]", "*": "[*]", "?": "[?]"})


def is_remote(value: object) -> bool:
    """Whether a source is a URL or a Git repository."""
    text = value.parts[0][1] if isinstance(value, Literal) and value.parts else value
    return isinstance(text, str) and _is_remote(text) is not None


def source(value: Word) -> Word:
    """Return the one form of a source, a pattern: text that is `literal` names that very file in it."""
    if not isinstance(value, Literal):
        value = plain(value)
        if not isinstance(value, str) or is_easy(value) or _is_remote(value):
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
                # What is one text in the Dockerfile is looked at as one.
                joins = bool(atoms) and not atom[0] and not atoms[-1][0]
                atoms[len(atoms) - joins :] = [(False, atoms[-1][1] + atom[1]) if joins else atom]
    except Refused:
        # Left as it is: the spelling will refuse it again, and knows for what.
        return value
    merged = from_atoms(_both_ways(atoms))
    return merged if merged != value else value


def is_settled(value: Word) -> bool:
    """Whether `source` has nothing left to rewrite in a pattern; what is literal in it are its dollars alone."""
    return is_remote(value) or from_atoms(_both_ways(atoms_of(value))) == value


def _both_ways(atoms: list[Atom]) -> list[Atom]:
    """Rewrite what the sender of the context would not find: blanks at an end, an exclamation mark, a caret."""
    if not atoms:
        return atoms
    reference, text = atoms[0]
    needed = None if reference else _needs_class(text)
    if needed is not None:
        atoms[0] = (False, f"{needed[1]}[{needed[2]}]{text[needed.end() :]}")
    reference, text = atoms[-1]
    if not reference and text[-1:].isspace():
        atoms[-1] = (False, f"{text[:-1]}[{text[-1]}]")
    if not any(_has_wildcard(text) for reference, text in atoms if not reference):
        return atoms
    return [
        (reference, text if reference or "^" not in text else "".join([_without_caret(each) for each in tokens(text)]))
        for reference, text in atoms
    ]


def _without_caret(char: str) -> str:
    return "\\^" if char == "^" else char


def tokens(pattern: str) -> list[str]:
    """Split a pattern into characters, escaped characters and classes."""
    # Behind the last closing bracket no class can begin, and the search for its end would be in vain each time.
    end = pattern.rfind("]") + 1
    return _token.findall(pattern[:end]) + _without_class.findall(pattern[end:])


def _has_wildcard(pattern: str) -> bool:
    return any(token[0] in "*?[" for token in tokens(pattern))


def check_pattern(value: Word, *, from_context: bool) -> None:
    """Refuse a source that BuildKit would not find, or for which it would take another file."""
    parts = [(False, value)] if isinstance(value, str) else value.parts
    text = "".join([text for _, text in parts])
    found = tokens(text)
    if from_context:
        _check_in_context(value, text, found)
    if "[" in found and "$" not in text:
        raise Refused(
            f"the pattern {shown(value)} has a [ that begins no class of characters",
            "close it, or write literal(…) for a file of that name",
        )
    if any(token[0] in "*?[" for token in found):
        for token in found:
            if token[0] == "\\" and (len(token) == 1 or token[1] not in "*?[]^!-\\"):
                raise Refused(
                    f"the pattern {shown(value)} has a backslash, which takes the next character for itself",
                    "write / between folders, or literal(…) for a file with a backslash in its name",
                )


def _check_in_context(value: Word, text: str, found: list[str]) -> None:
    if "\t" in text:
        raise Refused(
            f"the source {shown(value)} has a tab, and BuildKit can ask for no such file of the build context",
            "rename the file, or copy its folder",
        )
    if any(token[0] == "[" and len(token) > 1 and ("*" in token or "?" in token) for token in found):
        raise Refused(
            f"the source {shown(value)} means a * or ? itself, and BuildKit finds no such file in the build context",
            "rename the file, or copy its folder",
        )
