"""Searching for regular expressions within a time.

Python's search may take longer than anybody waits: "(a+)+$" doubles its time with each letter, and what it searches
comes from the image. It cannot be ended from within. So a search that could take long is done by a process of its
own, which the system ends.
"""

from __future__ import annotations

import re
import sys
import time
from math import log2

from dockdsl.display import shown
from dockdsl.errors import RunFailed

SECONDS = 30.0
"""How long a check without a time limit of its own may search."""
_QUICK = 25
"""The binary logarithm of the steps of a search that is done here: they take less than a second."""
_ATOM = r"\\[^1-9]|\[\^?\]?(?:\\.|[^\]\\])*\]"
"""What matches one character, and is not a repetition, whatever it says."""
# The alarm ends it in the middle of a search, and also where nobody waits for it any more.
_SEARCH = """
import marshal, re, signal, sys
pattern, flags, text, seconds = marshal.load(sys.stdin.buffer)
if hasattr(signal, "setitimer"):
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
found = re.compile(pattern, flags).search(text)
marshal.dump(found and (found[0], *found.groups()), sys.stdout.buffer)
"""

Found = tuple[str | None, ...]
"""What was found: all of it, and each group."""


class Searches:
    """Searches that share a time limit in seconds."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._left = seconds

    def first(self, pattern: str | re.Pattern[str], text: str, flags: int = 0) -> Found | None:
        """Return what is found first, None where nothing is. Raises `RunFailed` where the time is not enough.

        >>> Searches().first("b(.)", "abc"), Searches().first(re.compile("B", re.IGNORECASE), "abc")
        (('bc', 'c'), ('b',))
        """
        if isinstance(pattern, re.Pattern):
            flags = pattern.flags & ~re.DEBUG
            pattern = pattern.pattern
        if is_quick(pattern, len(text)) or not sys.executable:
            found = re.compile(pattern, flags).search(text)
            return None if found is None else (found[0], *found.groups())
        begin = time.monotonic()
        try:
            return _searched_apart(pattern, flags, text, max(self._left, 0.1))
        finally:
            self._left -= time.monotonic() - begin

    def in_lines(self, pattern: str, text: str) -> str | None:
        """Return what `first` does, without its groups; ``^`` and ``$`` stand for lines."""
        found = self.first(pattern, text, re.MULTILINE)
        return None if found is None else found[0]


def is_quick(pattern: str, length: int) -> bool:
    """Whether it is certain that a search in a text of this length takes few steps.

    >>> is_quick("^go1[.]27$", 10_000), is_quick("a.*b", 1000), is_quick("a.*b", 1_000_000), is_quick("(a+)+$", 40)
    (True, True, False, False)
    """
    bare = re.sub(_ATOM, "x", pattern, flags=re.DOTALL)
    # In a comment, nothing is what it looks like.
    if "#" in bare or re.search(r"\)\s*[*+?{]", bare):
        return False
    repeated = len(re.findall(r"[*+{]|\\[1-9]", bare))
    # Each repetition may begin and end anywhere, and each choice may be taken or not.
    return (1 + repeated) * log2(length + 2) + bare.count("?") + bare.count("|") <= _QUICK


def _searched_apart(pattern: str, flags: int, text: str, seconds: float) -> Found | None:
    import marshal  # noqa: PLC0415 - few patterns need it
    import subprocess  # noqa: PLC0415 - few patterns need it

    command = [sys.executable, "-I", "-S", "-c", _SEARCH]
    given = marshal.dumps((pattern, int(flags), text, seconds))
    try:
        # A machine that is busy may be late in starting it.
        done = subprocess.run(command, input=given, capture_output=True, timeout=seconds + 5, check=False)  # noqa: S603 - a list
    except subprocess.TimeoutExpired:
        done = None
    if done is None or done.returncode:
        raise RunFailed(
            f"the search for {shown(pattern)} took more than {seconds:.3g} s and was ended; write the pattern without "
            "a repetition within a repetition",
            origin=None,
        )
    found: Found | None = marshal.loads(done.stdout)  # noqa: S302 - our own process wrote it
    return found
