"""COPY copies files and folders; ADD is for archives, addresses and repositories.

ADD does more than to copy: it unpacks and downloads, by the name that it is given.

Bad::

    FROM scratch
    ADD app /

Good::

    FROM scratch
    COPY app /

Fix: write ``COPY``.

Source: https://github.com/hadolint/hadolint/wiki/DL3020
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.editing import fix_of, head_of, replaced
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject
from dockdsl.syntax.lazy_regex import lazy_regex

_is_special = lazy_regex(
    r"://|^git@|^<<|\$|\.git(?:#|$)|\.(?:tar|t?gz|t?bz2?|tbz2|t?xz|t?lz|lzma|tlz|tZ|Z|t?zst)[\"']?$"
)

_has_wildcard = lazy_regex(r"[*?[\\]")
_FLAGS = ("chown", "chmod", "link", "exclude")
"""Those that COPY has as well."""
_EFFECT = "an archive would be copied as it is, whatever its name"


def examine(subject: Subject) -> Iterator[Fault]:
    """Find ADD with files alone."""
    for line, sources, _ in subject.copies("ADD"):
        plain = [source for source in sources if not _is_special().search(source)]
        if plain:
            head = "copy" if line.head == line.head.lower() else "COPY"
            # What a wildcard matches may be an archive.
            is_copy = plain == sources and not any(map(_has_wildcard().search, sources))
            is_copy = is_copy and all(flag.name in _FLAGS for flag in line.flags)
            fix = fix_of(replaced(subject, line, head_of(line), head), _EFFECT) if is_copy else None
            why = "not all that it adds is certainly only copied; change it by hand"
            yield Fault(line, f"ADD only copies {plain[0]!r}", "write `COPY`", fix=fix, unfixed=why)


RULE = Rule("AddCopiesFile", examine, __doc__ or "", "hint", ("DL3020",))
