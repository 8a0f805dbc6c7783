"""useradd with a large user id makes no entry in the log of logins.

That file has a place for each id up to the largest: with an id of six digits or more it takes megabytes in the image.

Bad::

    FROM debian:12
    RUN useradd -u 123456 app

Good::

    FROM debian:12
    RUN useradd -l -u 123456 app

Fix: add ``-l``, or take a smaller id.

Source: https://github.com/hadolint/hadolint/wiki/DL3046
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from dockdsl.lint.editing import IN_SCRIPT, added, fix_of
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find large ids without ``-l``."""
    for script, command in subject.commands("useradd"):
        words = [part for word in command.words for part in word.split("=", 1)]
        ids = [value for option, value in itertools.pairwise(words) if option in ("-u", "--uid")]
        if any(len(each) > 5 for each in ids) and not command.has("-l", "--no-log-init"):
            fact = f"the user id {ids[0]} makes a large file of logins"
            fix = fix_of(added(subject, script, command, "useradd", " -l"), "the log of logins has no entry for it")
            yield Fault(script.line, fact, "add -l", at=script.place(command.at), fix=fix, unfixed=IN_SCRIPT)


RULE = Rule("SparseUserLog", examine, __doc__ or "", "hint", ("DL3046",))
