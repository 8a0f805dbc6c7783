"""What an instruction says can be built.

BuildKit reads a Dockerfile, and refuses some values only when it builds: flags and options with a value that they
cannot have, a base that is not the name of an image, a stage that is not there or further down, a signal that no
system knows, a quote that is never closed. No step of the stage is run. A value that depends on a variable is not
looked at.

Bad::

    FROM alpine:3.22
    COPY --chmod=999 run.sh /usr/local/bin/
    STOPSIGNAL FOO

Good::

    FROM alpine:3.22
    COPY --chmod=755 run.sh /usr/local/bin/
    STOPSIGNAL SIGQUIT

Fix: write a value that the reference of the instruction has.

Source: https://docs.docker.com/reference/dockerfile/
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.display import shown
from dockdsl.instructions.mounts.mount import csv_fields
from dockdsl.lint.effects import joined
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject
from dockdsl.syntax.directives import directives_of, settings_of
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.references import is_image

_SAYS = "BuildKit refuses this when it builds: "
_OTHERS = ("EXPOSE", "ONBUILD")
"""The rule InvalidPort has the ports, with the values of variables; what ONBUILD stores, another build reads."""
_TARGET = ("target", "dst", "destination")
_MOUNTED = ("bind", "cache", "tmpfs")


def examine(subject: Subject) -> Iterator[Fault]:
    """Find what was refused with the fact that a build refuses it, too."""
    refused = [line for line in subject.lines if line.refusal and line.keyword not in _OTHERS]
    for line in refused:
        fact, _, remedy = line.refusal.rpartition("; ")
        yield Fault(line, f"{_SAYS}{fact}", remedy)
    yield from _of_directives(subject)
    if subject.lines and not subject.parts:
        yield Fault(subject.lines[-1], f"{_SAYS}the file has no stage", "write FROM image below it")
    for line, fact, remedy in (*_at_the_root(subject), *_not_above(subject)):
        if line not in refused:
            yield Fault(line, f"{_SAYS}{fact}", remedy)


def _of_directives(subject: Subject) -> Iterator[Fault]:
    """Find directives with a value that they cannot have."""
    check, image = subject.dockerfile.check, (subject.dockerfile.syntax or "scratch").partition(" ")[0]
    facts = {}
    if check is not None and settings_of(check) is None:
        remedy = "write skip=RULE or error=true"
        facts["check"] = f"{shown(check)} is not a setting of checks", remedy
    if not is_image(image):
        facts["syntax"] = f"{shown(image)} is not the name of an image", "write docker/dockerfile:1"
    lines = subject.text.removeprefix("\ufeff").split("\n") if facts and subject.lines else []
    for index in directives_of(lines).lines if lines else ():
        name = lines[index].lstrip("# \t").partition("=")[0].strip().lower()
        if name in facts:
            fact, remedy = facts[name]
            yield Fault(subject.lines[0], f"{_SAYS}{fact}", remedy, at=index)


def _mounts(line: Line) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the mounts of an instruction, each with its options."""
    for flag in line.flags:
        if flag.name == "mount" and flag.value:
            pairs = [field.partition("=") for field in csv_fields(flag.value)]
            yield flag.value, {name.lower(): value for name, _, value in pairs}


def _at_the_root(subject: Subject) -> Iterator[tuple[Line, str, str]]:
    """Find mounts whose path is that of the working directory, where that is the root."""
    for stage in subject.stages if "--mount" in subject.text else ():
        for done in stage.steps:
            for mount, options in _mounts(done.line) if done.workdir is not None else ():
                target = next((options[name] for name in _TARGET if name in options), "")
                if options.get("type", "bind").lower() not in _MOUNTED or "$" in target:
                    continue
                if joined(done.workdir, target or ".") == "/":
                    fact = f"the mount {shown(mount)} is at the root, since that is the working directory"
                    yield done.line, fact, "write target=/path"


def _not_above(subject: Subject) -> Iterator[tuple[Line, str, str]]:
    """Find stages that are built, and take files from one further down, or mount themselves."""
    names = [part.name.lower() if part.name else "" for part in subject.parts]
    if "from=" not in subject.text.lower():
        return
    built = {stage.origin.line for target in subject.targets for stage in subject.graph.reached_by(target.stage)}
    for index, part in enumerate(subject.parts):
        own, below = names[index], names[index + 1 :]
        # That a COPY names its own stage, the rule CopyFromItself finds.
        later = {"COPY": {*below, *map(str, range(index + 1, len(names)))}, "RUN": {*below, own}}
        for line in part.steps if part.line.logical.first + 1 in built else ():
            sources = [flag.value or "" for flag in line.flags if flag.name == "from"]
            sources += [options.get("from", "") for _, options in _mounts(line)]
            for name in sources:
                if name and name.lower() in later.get(line.keyword, ()) and name.lower() not in names[:index]:
                    yield line, f"the stage {name!r} is not above this one", "move it there, or name another"


RULE = Rule("RefusedByBuild", examine, __doc__ or "", "error")
