"""The target of several files ends with a slash.

BuildKit makes a folder in any case; other builders refuse it, and readers see at once what it is.

Bad::

    FROM scratch
    COPY a b /x

Good::

    FROM scratch
    COPY a b /x/

Fix: add the slash.

Source: https://github.com/hadolint/hadolint/wiki/DL3021
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.editing import fix_of, replaced, words_of
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find targets without a slash."""
    for line, sources, target in subject.copies("COPY"):
        bare = target.strip("\"'")
        if len(sources) > 1 and not bare.endswith(("/", "\\")) and bare not in (".", ".."):
            *_, last = words_of(line)
            edits = replaced(subject, line, last, f"{target}/") if last[0] == target == bare else ()
            fix = fix_of(edits, "BuildKit copies several files, which it refused to")
            fact, why = f"several files are copied to {target!r}", "the target is not a plain word; change it by hand"
            yield Fault(line, fact, f"write {target}/", fix=fix, unfixed=why)


RULE = Rule("CopyTargetIsFolder", examine, __doc__ or "", "hint", ("DL3021",))
