"""A variable is declared before it is used.

BuildKit puts nothing in its place. A base image may set it: what a well-known one sets is known, as GOPATH of golang.
Any other name is a hint, unless it looks like one that the file declares, or the base is ``scratch``.

Bad::

    FROM scratch
    COPY $folder /x

Good::

    FROM scratch
    ARG folder=src
    COPY $folder /x

Fix: declare it with ARG or ENV, or correct its name. The default of an ARG in another stage does not count: repeat it,
or let it stand before the first stage.

Source: https://docs.docker.com/reference/build-checks/undefined-var/
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.display import suggestion
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import CLOSE, KNOWN, PREDEFINED, Subject, used
from dockdsl.model.steps import Variable
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.lazy_regex import lazy_regex

_EXPANDED = ("ADD", "COPY", "ENV", "EXPOSE", "LABEL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR")
_odd = lazy_regex(r"\$(?:\{[^A-Za-z_]|[^A-Za-z_{])")
_OF_SHELLS = ("CMD", "ENTRYPOINT", "HEALTHCHECK", "RUN")


def examine(subject: Subject) -> Iterator[Fault]:
    """Find names that nothing declares."""
    variables = subject.variables if any(map(_names_some, subject.lines)) else []
    # That $GOPATH is close to PATH says nothing: every image has a PATH.
    declared = {variable.name for variable in variables if variable.kind != "undeclared"} - KNOWN
    for variable in variables:
        if variable.kind != "undeclared" or variable.name in KNOWN:
            continue
        lines = [line for line in _lines(subject, variable) if not subject.base_sets(line, variable.name)]
        if not lines:
            continue
        # A name that the file sets elsewhere is not misspelled: ENV A="$A b" adds to what the base image has.
        close = "" if variable.name in declared else suggestion(variable.name, declared, "", least=CLOSE)
        for line in lines:
            is_scratch = subject.is_on_scratch(line)
            remedy = close or f"declare it: {subject.declaration(variable.name)}"
            yield Fault(line, f"${variable.name} is not set", remedy, "warning" if is_scratch or close else "hint")
    for line in subject.steps(*_EXPANDED) if _odd().search(subject.text) else ():
        texts = [line.text, *(each.content for each in line.documents if not each.word.quoted)]
        for name in sorted({name for text in texts for name in used(text) if not name.isidentifier()}):
            yield Fault(
                line, f"${name} is a variable of shells, and BuildKit puts nothing in its place", "escape the $"
            )


def _names_some(line: Line) -> bool:
    """Whether BuildKit may put the value of a variable in its place."""
    if line.keyword in _OF_SHELLS:
        return any("$" in (flag.value or "") for flag in line.flags)
    return "$" in line.logical.text or any("$" in document.content for document in line.documents)


def _lines(subject: Subject, variable: Variable) -> Iterator[Line]:
    """Yield where BuildKit puts the value of a variable in its place."""
    for use in variable.uses:
        line = None if use.step is None else subject.by_line.get(use.step.instruction.origin.line)
        is_predefined = use.stage is None and variable.name in PREDEFINED
        # What EXPOSE names is not looked at by BuildKit.
        if line is not None and use.by == "builder" and not is_predefined and line.keyword != "EXPOSE":
            yield line


RULE = Rule("UndefinedVar", examine, __doc__ or "", aliases=("undefined-variable",))
