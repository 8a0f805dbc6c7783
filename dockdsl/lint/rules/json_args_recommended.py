"""CMD and ENTRYPOINT are in the exec form.

In the shell form the program is a child of a shell, which passes no signals on: ``docker stop`` waits ten seconds and
kills it. An image that
sets ``SHELL`` has chosen a shell, and is not reported.

Bad::

    FROM scratch
    CMD run me

Good::

    FROM scratch
    CMD ["run", "me"]

Fix: write a JSON array, with double quotes and a comma between two words; in Python, ``Cmd.exec`` and
``Entrypoint.exec``.

Source: https://docs.docker.com/reference/build-checks/json-args-recommended/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from dockdsl.lint.editing import COMMENTED, fix_of, operands
from dockdsl.lint.fix import Fix
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.lazy_regex import lazy_regex

_OTHER = {"CMD": "ENTRYPOINT", "ENTRYPOINT": "CMD"}
_PLAIN = r"""[^\s'"\\$`*?\[\]{}()<>|&;#~!=]"""
_are_plain = lazy_regex(rf"""{_PLAIN}+(?:[ \t]+(?:{_PLAIN}|=|'[^']*'|"[^"$`\\!]*")+)*""")
_OF_THE_SHELL = frozenset(
    """. : alias bg break case cd command continue do done elif else esac eval exec exit export fg fi for function
    getopts hash if in jobs local read readonly return select set shift source then time times trap type ulimit umask
    unalias unset until wait while""".split()
)
"""Words that are not a program."""
_QUOTED = r"""'[^'`]*'|"(?:[^"\\`]|\\.)*\""""
_is_list = lazy_regex(rf"\[\s*(?:{_QUOTED})(?:\s*(?:,\s*)?(?:{_QUOTED}))*\s*(?:,\s*)?\]?")


def examine(subject: Subject) -> Iterator[Fault]:
    """Find the shell form."""
    keywords = {line.keyword for line in subject.steps("CMD", "ENTRYPOINT")}
    roots = [part for part in subject.parts if part.parent is None]
    # One stage of Windows says it of the others, where these do not say it themselves.
    has_windows = cache(lambda: any(subject.is_of_windows(root, otherwise=False) for root in roots))
    for part in subject.parts:
        shells = {id(line) for each in part.chain() for line in each.steps if line.keyword == "SHELL"}
        inherited = any(line.keyword == "SHELL" for each in part.chain() if each is not part for line in each.steps)
        for line in part.steps:
            inherited = inherited or id(line) in shells
            if line.keyword in ("CMD", "ENTRYPOINT") and line.array() is None and not inherited:
                fact = f"{line.keyword} is in the shell form, so the program gets no signals"
                remedy = f'write `{line.keyword} ["program", "argument"]`'
                meant = _meant(line.text)
                # CMD is what ENTRYPOINT is given, and in the shell form ENTRYPOINT is given nothing.
                other = _OTHER[line.keyword]
                if meant is not None:
                    flaw, array = meant
                    fact = f"{line.keyword} is not a JSON array, since {flaw}: a shell runs the text as it stands"
                    remedy = f"write `{line.keyword} {array}`"
                    fix, why = None, "what was meant is not certain; write it by hand"
                elif other in keywords:
                    fix, why = None, f"what it does depends on {other}; write both by hand"
                elif subject.is_of_windows(part, otherwise=line.escape == "`" or has_windows()):
                    fix, why = None, "programs for Windows split their words themselves; write it by hand"
                else:
                    fix, why = _array(subject, line)
                yield Fault(line, fact, remedy, fix=fix, unfixed=why)


def _meant(text: str) -> tuple[str, str] | None:
    """Return why a text is not the JSON array that it was meant to be, and that; None for a script of a shell."""
    if _is_list().fullmatch(text) is None:
        # A shell has a blank behind the [ of a test.
        is_meant = text[:1] == "[" and not text[1:2].isspace()
        return ("it is not valid JSON", '["program", "argument"]') if is_meant else None
    import json  # noqa: PLC0415 - few files have such arrays

    words, between = re.findall(_QUOTED, text), re.split(_QUOTED, text)
    flaws = {
        "it has single quotes": any(word[0] == "'" for word in words),
        "a comma is missing": any("," not in each for each in between[1:-1]),
        "a comma follows the last word": "," in between[-1],
        "it does not end with ]": "]" not in between[-1],
        "it has a backslash that is not doubled": True,
    }
    array = json.dumps([_unquoted(word) for word in words], ensure_ascii=False)
    return next(flaw for flaw, is_so in flaws.items() if is_so), array


def _unquoted(word: str) -> str:
    import json  # noqa: PLC0415 - few files have such arrays

    try:
        return str(json.loads(word))
    except ValueError:
        return word[1:-1]


def _array(subject: Subject, line: Line) -> tuple[Fix | None, str]:
    """Return the exec form of words that a shell passes on as they are, and why there may be none."""
    import json  # noqa: PLC0415 - most files have none, and a check of one file is to be quick
    import shlex  # noqa: PLC0415 - as above

    words = shlex.split(line.text) if _are_plain().fullmatch(line.text) else []
    if not words or words[0] in _OF_THE_SHELL:
        return None, "it may need a shell; write it by hand"
    given = "an ENTRYPOINT of the base image sees its words" if line.keyword == "CMD" else "it sees the words of CMD"
    effect = f"the program runs without a shell, and {given}"
    return fix_of(operands(subject, line, json.dumps(words, ensure_ascii=False)), effect), COMMENTED


RULE = Rule("JSONArgsRecommended", examine, __doc__ or "", aliases=("DL3025",))
