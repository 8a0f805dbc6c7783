"""What must hold of every value: its text is read by BuildKit as that very value, and as nothing else."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs

from dockdsl import (
    Add,
    Arg,
    Comment,
    Copy,
    Dockerfile,
    Env,
    Expose,
    Healthcheck,
    Heredoc,
    Instruction,
    Label,
    Layout,
    Literal,
    Mount,
    Onbuild,
    Run,
    Stage,
    Volume,
    expand,
    parse,
    render,
    render_with_map,
)
from dockdsl.instructions.located import Located
from dockdsl.syntax.flags import declared, write_flags
from dockdsl.syntax.words import Spelling
from tests.oracle import KEYWORDS, Meaning, Read, meaning, read, read_one
from tests.refusals import check_refusal as check_refusal  # noqa: PLC0414 - for those who know it as one of the laws
from tests.refusals import check_refused as check_refused  # noqa: PLC0414 - as above
from tests.strategies import ENVIRONMENTS

_reference = re.compile(r"\$(?:[A-Za-z_][A-Za-z0-9_]*|\{[A-Za-z_][A-Za-z0-9_]*)")


def evaluated(word: Any, env: Mapping[str, str]) -> str:
    """Return what an operand means: text as it is, and references filled in."""
    parts = word.parts if isinstance(word, Literal) else ((False, word),)
    return "".join([text if exact else _filled_in(text, env) for exact, text in parts])


def _filled_in(text: str, env: Mapping[str, str]) -> str:
    done = []
    start = 0
    while (found := _reference.search(text, start)) is not None:
        end = found.end()
        depth = 1 if "{" in found.group() else 0
        while depth:
            depth += {"{": text[end - 1] == "$", "}": -1}.get(text[end], 0)
            end += 1
        done += [text[start : found.start()], expand(text[found.start() : end], env)]
        start = end
    rest = text[start:]
    assert "$" not in rest
    return "".join([*done, rest])


def said(value: Instruction, env: Mapping[str, str]) -> Meaning:
    """Return what an instruction is meant to say, from its fields and not from its text."""

    def word(each: Any) -> str:
        return evaluated(each, env)

    flags = _flags(value, word)
    match value:
        case Env() | Label():
            return Meaning(value.KEYWORD, [(word(key), word(each)) for key, each in value.pairs])
        case Arg():
            given = [(each.name, each.default) for each in (value, *value.more)]
            return Meaning("ARG", [(name, None if default is None else word(default)) for name, default in given])
        case Copy() | Add():
            documents = [each for each in value.sources if isinstance(each, Heredoc)]
            return Meaning(
                value.KEYWORD,
                [
                    ("heredoc", each.name) if isinstance(each, Heredoc) else word(each)
                    for each in (*value.sources, value.destination)
                ],
                flags,
                tuple((each.name, word(each.content) if each.expand else str(each.content)) for each in documents),
            )
        case Healthcheck(command=None):
            return Meaning("HEALTHCHECK", ["NONE"], json=False)
    if not value.EXPANDED:
        (operand,) = operands_of(value)
        operands = list(operand) if isinstance(operand, tuple) else [_given(value, str(operand))]
        before = ["CMD"] if isinstance(value, Healthcheck) else []
        return Meaning(value.KEYWORD, [*before, *operands], flags, json=isinstance(operand, tuple))
    words = [word(each) for operand in operands_of(value) for each in _several(operand)]
    if isinstance(value, Expose):
        words = [each for ports in words for each in ports.split()]
    return Meaning(value.KEYWORD, words if value.KEYWORD in KEYWORDS else [" ".join(words)], flags)


def operands_of(value: Instruction) -> list[Any]:
    """Return the fields of an instruction that are not flags."""
    known = declared(type(value))
    flags = {name for name, _ in known.flags}
    return [getattr(value, field.name) for field in known.fields if field.name not in flags]


def _several(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else () if value is None else (value,)


def _flags(value: Instruction, word: Callable[[Any], str]) -> dict[str, list[Any]]:
    flags: dict[str, list[Any]] = {}
    for name, flag in declared(type(value)).flags:
        for each in _several(getattr(value, name)):
            if isinstance(each, bool):
                said_flag: Any = True if each else "false"
            elif isinstance(each, Mount):
                said_flag = mount_said(each, word)
            elif isinstance(each, Stage):
                said_flag = _called(each)
            else:
                said_flag = word(each) if flag.kind.expands else str(each)
            flags.setdefault(flag.name, []).append(said_flag)
    return flags


def _called(source: Any) -> str:
    return (source.name or "0") if isinstance(source, Stage) else str.__str__(source)


def mount_said(value: Mount, word: Callable[[Any], str]) -> dict[str, str]:
    """Return the options that a mount is meant to have."""
    options = {"type": value.TYPE}
    for field in declared(type(value)).fields:
        option = getattr(value, field.name)
        if option is None:
            continue
        if isinstance(option, bool):
            options[field.name] = str(option).lower()
        elif field.name == "from_":
            options["from"] = _called(option)
        else:
            options[field.name] = word(option)
    return options


def _given(value: Instruction, command: str) -> str:
    """Return what the shell is given of a command that an instruction holds in its own layout."""
    if isinstance(value, Run) and isinstance(value.command, Layout):
        command = _joined(command)
    if not isinstance(value, Run):
        return command.replace("\\\n", "")
    head, _, body = command.partition("\n")
    if body and head.startswith("<<") and not head.endswith("\\"):
        # The whole is a heredoc, and its body is what the shell runs.
        return body[: body.rindex("\n") + 1] if "\n" in body else ""
    if not body or head.endswith("\\"):
        # The comments between the lines are the Dockerfile's.
        return re.sub(r"(?m)^[ \t]*#.*\n", "", command).replace("\\\n", "")
    return untabbed(command) if "<<-" in head else command


def _joined(text: str) -> str:
    """Return a text in the layout of a Dockerfile with its first lines joined, heredocs behind them."""
    lines = text.split("\n")
    head: list[str] = []
    while lines:
        line = lines.pop(0)
        if head and (not line.strip() or line.lstrip().startswith("#")):
            continue
        broken = re.search(r"(?:^|[^\\])\\[ \t]*$", line) is not None
        head.append(line.rstrip(" \t")[:-1] if broken else line)
        if not broken:
            break
    return "\n".join(["".join(head), *lines])


def untabbed(text: str) -> str:
    """Return a text without the tabs at the start of its lines."""
    return re.sub(r"(?m)^\t+", "", text)


def run_text(found: Read) -> str:
    """Return what the shell is given of a RUN that BuildKit has read."""
    (text,) = found.words
    if not found.heredocs:
        return text
    if "<<-" in text:
        # The shell takes the tabs off the lines, and BuildKit off the last one.
        return untabbed("".join([text, *[f"\n{body}{name}" for name, body in found.heredocs]]))
    if re.fullmatch(r"\d*<<-?(['\"]?)[^\s<]+\1", text):
        ((_, body),) = found.heredocs
        return body
    return "".join([text, *[f"\n{body}{name}" for name, body in found.heredocs]])


def same_but_for_layout(one: str, other: str) -> bool:
    """Whether two shell texts differ in the blanks around an ``&&`` at most.

    That no such ``&&`` is in quotes is for real shells to say, in tests/syntax/test_shell.py.
    """
    return re.sub(r"[ \t]*&&[ \t]*", "&&", one) == re.sub(r"[ \t]*&&[ \t]*", "&&", other)


def check_instruction(value: Instruction, env: Mapping[str, str], escape: str = "\\") -> None:
    """Assert that BuildKit reads the instruction, that it means what the value says, and that we read that value back."""
    check_made(value)
    text = value.spell(Spelling(escape))
    if not any(isinstance(each.source, Stage) for each in value.references()):
        check_back(value, text, escape)
    if isinstance(value, Comment):
        assert text.split("\n") == [
            f"#{line}" if line[:1] in ("", "#") else f"# {line}" for line in value.remark.split("\n")
        ]
        return
    check_read(value, read_one(text, escape), text, env, escape)


def check_made(value: Located) -> None:
    """Assert that what was made by one look at plain fields is what conversion, the writer and the proof make."""
    twin = value.with_origin(value.origin)
    twin.complete()
    for name in {**vars(twin), **vars(value)}:
        assert getattr(twin, name) == getattr(value, name), name


def check_back(value: Instruction, text: str, escape: str) -> None:
    """Assert that the text of an instruction is read as that very instruction."""
    directive = "" if escape == "\\" else f"# escape={escape}\n"
    whole = f"{directive}FROM scratch\n{text}\n"
    dockerfile = parse(whole)
    (stage,) = dockerfile.stages
    assert (value,) == stage.steps or is_wrapped(value, escape)
    assert text == stage.steps[0].spell(Spelling(escape))


def is_wrapped(value: Instruction, escape: str) -> bool:
    """Whether a text that cannot stand bare beside a backtick is written otherwise: as a heredoc, or without a break."""
    one, other = [value.spell(Spelling(each)) for each in ("\\", escape)]
    return isinstance(value, Run) and (("<<" in other and "<<" not in one) or one.count("\n") > other.count("\n"))


def check_read(value: Instruction, found: Read, text: str, env: Mapping[str, str], escape: str) -> None:
    """Assert that what BuildKit has read is what the value says."""
    if isinstance(value, Onbuild):
        assert "ONBUILD" == found.keyword
        # BuildKit keeps the joined line and its heredocs, and reads them again with a backslash as the escape character.
        kept = read_one(text.removeprefix("ONBUILD "), escape).original.removesuffix("\n")
        check_read(value.instruction, read_one(kept), kept, env, "\\")
        return
    given = declared(type(value)).given(vars(value))
    if escape == "`" and any("`" in flag or "\\" in flag for flag in write_flags(value, Spelling("`"), given)):
        # This version of BuildKit's parser takes the backslash for the escape character of flags, whatever the directive
        # says; the engine's does not, and is asked in tests/engine/test_hostile.py.
        return
    actual, expected = meaning(found, env, escape), said(value, env)
    if isinstance(value, Run) and isinstance(value.command, str):
        actual = attrs.evolve(actual, operands=[run_text(found)], heredocs=())
        if escape == "`" and found.heredocs and actual.operands == [f"{value.command}\n"]:
            # A text that cannot stand bare beside this escape character is wrapped, and the shell is given it as it is.
            expected = attrs.evolve(expected, operands=actual.operands)
    assert expected == actual


def check_layout(text: str, found: list[Read]) -> None:
    """Assert what holds of the text of every Dockerfile, whatever is in it."""
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    lines = text.split("\n")
    escape = "`" if "# escape=`" in lines[:3] else "\\"
    assert max(len(line.encode()) for line in lines) <= 65_000
    bodies = {
        number
        for each in found
        for number in range(each.end - sum(body.count("\n") + 1 for _, body in each.heredocs), each.end)
        if each.heredocs
    }
    for number, line in enumerate(lines[:-1]):
        if number in bodies or line.startswith("#"):
            continue
        assert not line.endswith("\r")
        inside = any(each.start - 1 <= number < each.end - 1 for each in found)
        assert inside or not line.endswith(escape), line


def check_dockerfile(value: Dockerfile, env: Mapping[str, str]) -> None:
    """Assert that BuildKit reads the stages and steps of a Dockerfile, in order, and nothing more."""
    text, origins = render_with_map(value)
    assert render(value) == text == str(value)
    back = parse(text)
    assert back == value or any(is_wrapped(step, value.escape) for stage in value.stages for step in stage.steps)
    assert text == render(back)
    assert text.count("\n") == len(origins)
    found = read(text)
    check_layout(text, found)
    steps: list[Any] = [step for step in value.args if not isinstance(step, Comment)]
    for stage in value.stages:
        steps += [stage, *[step for step in stage.steps if not isinstance(step, Comment)]]
    assert len(steps) == len(found), text
    names = _names(value, found, steps)
    lines = text.split("\n")
    for step, each in zip(steps, found, strict=True):
        if isinstance(step, Stage):
            _check_stage(step, each, names, env, value.escape)
        elif not _refers_to_unnamed(step):
            check_read(step, each, "\n".join(lines[each.start - 1 : each.end]), env, value.escape)


def _names(value: Dockerfile, found: list[Read], steps: list[Any]) -> dict[int, set[str]]:
    """Return by what each stage may be referred to: its name, or its index."""
    names: dict[int, set[str]] = {}
    index = 0
    for step, each in zip(steps, found, strict=True):
        if isinstance(step, Stage):
            names[id(step)] = {str(index), *each.words[2:]}
            index += 1
    assert len(value.stages) == index
    return names


def _refers_to_unnamed(step: Instruction) -> bool:
    return any(isinstance(each.source, Stage) and each.source.name is None for each in step.references())


def _check_stage(stage: Stage, found: Read, names: dict[int, set[str]], env: Mapping[str, str], escape: str) -> None:
    actual = meaning(found, env, escape)
    assert "FROM" == actual.keyword
    if isinstance(stage.base, Stage):
        assert actual.operands[0] in names[id(stage.base)]
    else:
        assert evaluated(stage.base, env) == actual.operands[0]
    if stage.name is not None:
        assert ["AS", stage.name] == actual.operands[1:]
    expected = {} if stage.platform is None else {"platform": [evaluated(stage.platform, env)]}
    assert expected == actual.flags


def is_heredoc(text: str) -> bool:
    """Whether a text is one command with heredocs that BuildKit finds, and nothing behind them."""
    head, newline, _ = text.partition("\n")
    if not newline or head.endswith("\\") or "<<" not in head:
        return False
    try:
        return bool(read_one(f"RUN {text}").heredocs)
    except AssertionError:
        return False


def anything(value: Any) -> Any:
    """Return a value whose type the type checker does not know: what a careless user passes."""
    return value


def check_row(value: Instruction, text: str, file: str) -> None:
    """Assert that a value is written as `text`, and that BuildKit reads it as what the value says."""
    assert text == str(value)
    for env in ENVIRONMENTS:
        check_instruction(value, env)
    check_value(value, file)


def check_value(value: Any, file: str) -> None:
    """Assert that a value behaves as one: copies and pickles are equal, and it knows where it was written."""
    assert file == value.origin.path
    line = Path(file).read_text(encoding="utf-8").splitlines()[value.origin.line - 1]
    assert type(value).__name__ in line or "Mount" in repr(type(value).__mro__), line
    for other in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert value == other
        assert hash(value) == hash(other)
        assert repr(value) == repr(other)
        assert value.origin == other.origin
    if not isinstance(value, (Expose, Volume)):
        assert value == attrs.evolve(value)
