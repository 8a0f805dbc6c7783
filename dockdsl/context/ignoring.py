"""Ignore files: which of them counts, and which paths its patterns leave out.

The patterns are those of moby/patternmatcher, not those of Git: the last one that matches a path, or a folder above it,
decides; a file below an ignored folder can be let in again; without ``**``, a pattern begins at the root.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from dockdsl.context.folder import regular
from dockdsl.context.globs import STAR, joined, matcher
from dockdsl.errors import Refused
from dockdsl.syntax.lines import SPACE

_LONGEST = 65536
"""Bytes of a line, from which on BuildKit refuses the file."""
_END = 3
"""Characters at the end of a path by which patterns are sorted."""
_special = re.compile(r"[*?\[\]\\]").search
_CLASSES = {"d": "[0-9]", "D": "[^0-9]", "s": r"[\t\n\f\r ]", "S": r"[^\t\n\f\r ]", "w": "[0-9A-Za-z_]"}
_CLASSES |= {"W": "[^0-9A-Za-z_]", "A": r"\A", "z": r"\Z", "a": r"\a", "f": r"\f", "t": r"\t", "n": r"\n"}
_CLASSES |= {"r": r"\r", "v": r"\v", "b": r"(?a:\b)", "B": r"(?a:\B)"}
"""What Go's regular expressions make of a letter behind a backslash, which patterns pass on to them."""


def lines_of(text: str) -> list[str]:
    """Return the patterns in the text of an ignore file, as BuildKit reads them.

    Raises `Refused` for a line that is too long for BuildKit.

    >>> lines_of("# build output\\n/dist/\\n ! dist/keep \\n")
    ['dist', '!dist/keep']

    Source: Docker's manual, "Build context", ".dockerignore files".
    """
    found: list[str] = []
    for line in text.removeprefix("\ufeff").split("\n"):
        if len(line.encode("utf-8", "surrogateescape")) >= _LONGEST:
            raise Refused(f"a line has more than {_LONGEST - 1} bytes", "split it")
        if line.startswith("#"):
            continue
        pattern = line.strip(SPACE)
        is_exception = pattern.startswith("!")
        pattern = pattern[1:].strip(SPACE) if is_exception else pattern
        if pattern:
            pattern = _cleaned(pattern)
            pattern = pattern[1:] if len(pattern) > 1 and pattern[0] == "/" else pattern
        elif not is_exception:
            continue
        found.append(f"!{pattern}" if is_exception else pattern)
    return found


def _cleaned(path: str) -> str:
    """Return a path as Go's ``filepath.Clean`` does."""
    cleaned = posixpath.normpath(path)
    return cleaned[1:] if cleaned.startswith("//") else cleaned


class _Pattern(NamedTuple):
    text: str
    is_exception: bool
    fits: Callable[[str], object]
    head: str
    """The folders at its beginning that have no wildcard, each with a slash: all that fits is below them."""
    end: str
    """What all that fits ends with."""


class Patterns:
    """The patterns of an ignore file.

    Raises `Refused` for a pattern with which BuildKit cannot build.

    >>> patterns = Patterns(["*.md", "!README.md", "dist"])
    >>> [path for path in ("a.md", "README.md", "docs/a.md", "dist/app.js") if patterns.leaves_out(path)]
    ['a.md', 'dist/app.js']

    Source: the package github.com/moby/patternmatcher.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = tuple(lines)
        self._patterns: list[_Pattern] = []
        for line in self.lines:
            pattern = line.strip(SPACE)
            if not pattern:
                continue
            pattern = _cleaned(pattern)
            is_exception = pattern[0] == "!"
            pattern = pattern.removeprefix("!")
            if not pattern:
                raise Refused("the pattern '!' has no path", "write the path behind it")
            for part in pattern.split("/") if "[" not in pattern else [pattern]:
                if "[" in part or "\\" in part:
                    matcher(part)
            self._patterns.append(_Pattern(pattern, is_exception, _fits(pattern), _head(pattern), _end(pattern)))
        self._exceptions = [each for each in self._patterns if each.is_exception]
        self._by_end: dict[str, list[int]] = {"": []}
        for index, each in enumerate(self._patterns):
            self._by_end.setdefault(each.end[-_END:] if len(each.end) >= _END else "", []).append(index)

    @property
    def has_exceptions(self) -> bool:
        """Whether a pattern begins with an exclamation mark."""
        return bool(self._exceptions)

    def step(self, path: str, above: int = 0) -> tuple[bool, int]:
        """Return whether a path is left out, and which patterns it is known to fit, as the bits of a number.

        `above` are those that its folder fits. As in BuildKit, a pattern that would change nothing for a path is not
        tried on it, and is then not known to fit what is below.
        """
        is_out = False
        fitting = 0
        # Of thousands of patterns, few fit the end of a path.
        inherited = set(_bits(above))
        for index in sorted({*self._by_end[""], *self._by_end.get(path[-_END:], ()), *inherited}):
            pattern = self._patterns[index]
            if index in inherited or (pattern.is_exception == is_out and pattern.fits(path)):
                fitting |= 1 << index
                is_out = not pattern.is_exception
        return is_out, fitting

    def below(self, path: str) -> tuple[bool, int]:
        """Return what `step` does, after a step for each folder above; the root is never left out."""
        state = (False, 0)
        for end in [*(match.start() for match in re.finditer("/", path)), len(path)] if path else ():
            state = self.step(path[:end], state[1])
        return state

    def leaves_out(self, path: str) -> bool:
        """Whether a path is left out, by itself or with a folder above it."""
        return self.below(path)[0]

    def last_names(self, path: str) -> bool:
        """Whether the last pattern that fits a path, or a folder above it, leaves it out."""
        ends = [*(match.start() for match in re.finditer("/", path)), len(path)]
        for pattern in reversed(self._patterns):
            if any(pattern.fits(path[:end]) for end in ends):
                return not pattern.is_exception
        return False

    def lets_in_below(self, folder: str) -> bool:
        """Whether an exception may let in something below a folder that is left out."""
        below = f"{folder}/"
        return any(each.head.startswith(below) or below.startswith(each.head) for each in self._exceptions)


def _bits(number: int) -> Iterator[int]:
    """Yield which bits of a number are set."""
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest


def _head(pattern: str) -> str:
    heads: list[str] = []
    for part in pattern.split("/"):
        if _special(part):
            break
        heads.append(part)
    return "".join([f"{part}/" for part in heads])


def _fits(pattern: str) -> Callable[[str], object]:
    """Return a function that tells whether a pattern fits a path, by the rules of moby/patternmatcher."""
    if not _special(pattern):
        return pattern.__eq__
    rest = pattern.removeprefix("**")
    if rest != pattern and not _special(rest):
        # Without a slash behind the asterisks, the end of any name is enough.
        bare = rest.removeprefix("/")
        return lambda path: path.endswith(rest) or path == bare
    if pattern.endswith("**") and not _special(pattern[:-2]):
        return lambda path: path.startswith(pattern[:-2])
    expression = _expression(pattern)
    end = _end(pattern)

    if "[" in pattern:
        try:
            re.compile(expression)
        except re.error:
            raise Refused(f"the pattern {pattern!r} is not valid", "list plain characters in its brackets") from None
    # Few paths have the right end, and compiling takes time: an ignore file may have thousands of patterns.
    compiled = cache(lambda: re.compile(expression).fullmatch)
    return lambda path: path.endswith(end) and compiled()(path)


def _end(pattern: str) -> str:
    """Return what a path that fits a pattern ends with: what is behind its last character that is not plain."""
    last = max(pattern.rfind(char) for char in "*?[]^\\")
    # Two asterisks with a slash behind them may stand for nothing.
    return pattern[last + 1 + pattern.startswith("\\", last) :].lstrip("/")


def _expression(pattern: str) -> str:
    """Return the regular expression that BuildKit makes of a pattern, with all its oddities, as Python reads it."""
    pieces: list[str] = []
    deep = at = 0
    in_class = False
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*" and pattern.startswith("*", at):
            at += 1 + pattern.startswith("/", at + 1)
            any_folder = ".*" if at >= len(pattern) else "(?:.*/)?"
            pieces.append(re.escape("(.*/)?") if in_class else any_folder)
            deep = len(pieces)
        elif char in "*?":
            # In a class, they are taken for wildcards as well, and the bracket of these closes it.
            piece = STAR if char == "*" else "[^/]"
            pieces.append(f"\\{piece}" if in_class else piece)
            in_class = False
        elif char == "\\":
            pieces.append(_escaped(pattern[at : at + 1]))
            at += 1
        elif in_class:
            if pattern.startswith("[:", at - 1):
                raise Refused(f"the pattern {pattern!r} has a class with a name", "list the characters")
            in_class = char != "]"
            pieces.append(char if char in "]-^" else re.escape(char))
        elif char == "[":
            in_class = True
            pieces.append("[")
        else:
            pieces.append("^" if char == "^" else re.escape(char))
    return "".join([*pieces[:deep], joined(pieces[deep:])])


def _escaped(char: str) -> str:
    if char in _CLASSES:
        return _CLASSES[char]
    if char.isascii() and not char.isalnum():
        return re.escape(char)
    raise Refused(f"the pattern has a backslash before {char!r}", "leave the backslash out")


def counting(dockerfile: str | None, context: str, sent: Sequence[str] | None = None) -> tuple[list[str], str]:
    """Return the patterns that count for a build, and the name of their source.

    ``NAME.dockerignore`` beside the Dockerfile replaces the ``.dockerignore`` of the context, even if it is empty.
    `sent` are patterns that replace both.

    Raises `OSError` for a file that cannot be read, `Refused` for one that BuildKit refuses.
    """
    if sent is not None:
        return list(sent), "ignore="
    own = [] if dockerfile is None else [f"{dockerfile}.dockerignore"]
    for path in [*own, posixpath.join(context, ".dockerignore")]:
        try:
            with open(path, encoding="utf-8", errors="surrogateescape", newline="", opener=regular) as file:
                text = file.read()
        except (FileNotFoundError, NotADirectoryError):
            continue
        return lines_of(text), posixpath.basename(path)
    return [], ".dockerignore"
