"""What a rule yields, and what is wrong with a rule that fails: one of the user's may do anything."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

from dockdsl.display import one_line, said_by, shown
from dockdsl.errors import Ended, SourceError
from dockdsl.lint.finding import LEVELS
from dockdsl.lint.fix import Fix
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject
from dockdsl.origins import Origin, short_path
from dockdsl.syntax.instruction_line import Line

_MOST = 10_000
"""Faults that a rule of the user's may find in a file."""
_YIELD = "yield Fault(line, fact, remedy)"
_LINE = 'take it from subject.lines or subject.steps("RUN")'
_TYPES = (("part", (str, type(None))), ("fix", (Fix, type(None))), ("alias", str))


def faults_of(rule: Rule, subject: Subject, most: float = inf) -> tuple[list[Fault], SourceError | None]:
    """Return what a rule finds, and, for a rule that fails or yields anything else, the error, at its line."""
    found: list[Fault] = []
    if rule.examine is None:
        return found, None
    try:
        wrong = _examined(rule.examine, subject, found, most)
    except Ended:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the other rules still run
        fact = f"raised {one_line(said_by(error))} for {one_line(short_path(subject.path))}"
        wrong = f"{fact}; fix the rule", _raised(error, rule.examine)
    return found, None if wrong is None else _error(rule, *wrong)


def faults_of_own(rule: Rule, subject: Subject, seconds: float = 10) -> tuple[list[Fault], SourceError | None]:
    """Return what a rule of the user's finds; the error is also for one that does not come to an end."""
    from dockdsl.lint.bounding import Late, bounded  # noqa: PLC0415 - few projects have rules of their own

    try:
        with bounded(seconds):
            found, error = faults_of(rule, subject, _MOST)
    except Late as late:
        fact = f"did not end within {seconds:g} s for {one_line(short_path(subject.path))}"
        error = _error(rule, f"{fact}; take out what takes so long", _raised(late, rule.examine))
    return ([], error) if error is not None else (found, None)


def _examined(
    examine: Callable[[Subject], object], subject: Subject, into: list[Fault], most: float
) -> tuple[str, Origin | None] | None:
    """Put what a rule finds into a list; return what is wrong with it, and where."""
    found = examine(subject)
    if not hasattr(found, "__iter__"):
        return f"returned {shown(found)}; {_YIELD}", _definition(examine)
    for each in found:
        fact = _wrong(each, subject)
        if fact is not None:
            return f"yielded {fact}", _yield(found) or _definition(examine)
        into.append(each)
        if len(into) > most:
            fact = f"yielded more than {most:,} faults for {one_line(short_path(subject.path))}"
            return f"{fact}; let it come to an end", _definition(examine)
    return None


def _error(rule: Rule, fact: str, origin: Origin | None) -> SourceError:
    return SourceError(f"the rule {rule.name} {fact}", origin=origin)


def _wrong(fault: Any, subject: Subject) -> str | None:
    """Return what is wrong with what a rule yielded, and what to do about it."""
    if not isinstance(fault, Fault):
        return f"{shown(fault)}, which is not a Fault; {_YIELD}"
    if not isinstance(fault.line, Line):
        return f"a Fault whose line is {shown(fault.line)}; {_LINE}"
    lines = fault.line.logical.lines
    if lines is not subject.lines[0].logical.lines:
        return f"a Fault whose line is of another Dockerfile; {_LINE}"
    for name in ("fact", "remedy"):
        if not isinstance(text := getattr(fault, name), str) or not text.strip():
            return f"a Fault whose {name} is {shown(text)}; write half a sentence"
    if fault.level is not None and fault.level not in LEVELS:
        return f"a Fault whose level is {shown(fault.level)}; write {', '.join(LEVELS)}, or leave it out"
    if fault.at is not None and not (isinstance(fault.at, int) and 0 <= fault.at < len(lines)):
        return f"a Fault whose at is {shown(fault.at)}; write an index of line.logical.lines, or leave it out"
    wrong = next((name for name, kind in _TYPES if not isinstance(getattr(fault, name), kind)), None)
    return None if wrong is None else f"a Fault whose {wrong} is {shown(getattr(fault, wrong))}; leave it out"


def _definition(examine: Any) -> Origin | None:
    code = getattr(examine, "__code__", None) or getattr(type(examine).__call__, "__code__", None)
    return None if code is None else Origin(code.co_filename, code.co_firstlineno)


def _yield(found: Any) -> Origin | None:
    """Return the line at which a generator is."""
    frame = getattr(found, "gi_frame", None)
    return None if frame is None else Origin(frame.f_code.co_filename, frame.f_lineno)


def _raised(error: BaseException, examine: Any) -> Origin | None:
    """Return the last line of the rule's file that an error came by."""
    origin, trace = _definition(examine), error.__traceback__
    path = None if origin is None else origin.path
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            origin = Origin(path, trace.tb_lineno)
        trace = trace.tb_next
    return origin
