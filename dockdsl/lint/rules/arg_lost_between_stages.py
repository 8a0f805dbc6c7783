"""An ARG is declared in the stage that uses it.

One above the first stage, one of another stage, and the arguments of the platform are not visible in a stage that does
not declare them: the shell puts nothing in their place.

Bad::

    ARG VERSION=1.2.3
    FROM alpine:3.22
    RUN echo "$VERSION" > /version

Good::

    ARG VERSION=1.2.3
    FROM alpine:3.22
    ARG VERSION
    RUN echo "$VERSION" > /version

Fix: declare it in the stage: ``Arg("VERSION")``. If its default stands in another stage, repeat that, too:
``Arg("VERSION", "1.2.3")``.

Source: https://docs.docker.com/build/building/variables/#scoping
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockdsl.instructions.mounts.secret import Secret
from dockdsl.instructions.run import Run
from dockdsl.lint.effects import Ran
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import PREDEFINED, Subject
from dockdsl.syntax.lazy_regex import lazy_regex
from dockdsl.syntax.words import BACKSLASH

_NAME = r"\$\{(?P<braced>\w+)(?P<more>:?[-+=]?)|\$(?P<plain>\w+)"
_outside = lazy_regex(rf"""\\.|'[^']*'|(?P<quote>")|(?<![^\s;&|(])\#[^\n]*|{_NAME}""", re.DOTALL)
_inside = lazy_regex(rf"""\\.|(?P<quote>")|{_NAME}""", re.DOTALL)
_sets = (
    r"(?:^|[\s;&|(])(?:(?:export|local|readonly|declare|typeset)\s+(?:-\w+\s+)*)?{0}\+?="
    r"|\bfor\s+{0}\b|\b(?:read|getopts|printf\s+-v|mapfile|readarray)\b[^;&|\n]*\b{0}\b"
)
_ALWAYS = frozenset({"HOME", "HOSTNAME", "IFS", "LINENO", "OLDPWD", "OPTIND", "PATH", "PPID", "PWD", "SHLVL", "TERM"})
"""What the engine and shells set."""
_sources = lazy_regex(r"(?:^|[\s;&|(])(?:\.|source|eval)\s")


def examine(subject: Subject) -> Iterator[Fault]:
    """Find names that are declared elsewhere alone."""
    elsewhere = {name for line in (*subject.args, *subject.steps("ARG")) for name in subject.names(line)} | PREDEFINED
    elsewhere -= _ALWAYS
    for stage in subject.built:
        for run in stage.runs():
            text = run.script.whole
            # Few scripts have any of the names, and to find where a shell replaces them takes long.
            if not (isinstance(run.instruction, Run) and any(name in text for name in elsewhere)):
                continue
            if run.script.interpreter is None or _sources().search(run.script.text):
                continue
            secrets = [each.env for each in run.instruction.mounts if isinstance(each, Secret)]
            given = {BACKSLASH.value(each) for each in secrets if each is not None}
            for name in dict.fromkeys(_used(run)):
                is_set = name in run.values or name in given or (stage.root is not None and stage.root.sets(name))
                if name in elsewhere and not is_set and not re.search(_sets.format(name), run.script.text):
                    fact = f"${name} is not declared in this stage, and is empty"
                    yield Fault(run.line, fact, f"add above: {subject.declaration(name)}")


def _used(run: Ran) -> Iterator[str]:
    """Yield the names that the shell replaces, apart from those with a default."""
    texts = [run.script.text]
    if not run.script.is_heredoc:
        texts += [document.content for document in run.line.documents if not document.word.quoted]
    for text in texts:
        at, search = 0, _outside
        while (found := search().search(text, at)) is not None:
            at = found.end()
            name = found["braced"] or found["plain"]
            if found["quote"]:
                search = _inside if search is _outside else _outside
            elif name and not name[0].isdecimal() and (found["more"] or "")[-1:] not in ("-", "+", "="):
                yield name


RULE = Rule("ArgLostBetweenStages", examine, __doc__ or "", aliases=("arg-lost-between-stages",))
