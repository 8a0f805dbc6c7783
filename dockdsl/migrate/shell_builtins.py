"""What a shell does itself: where it goes, what it prints into a variable, which script it runs, when it ends."""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path

from dockdsl.migrate.commands import Command, Return, Stop
from dockdsl.migrate.makefile import NAMES, Makefile
from dockdsl.migrate.shell import Builtin, Shell
from dockdsl.migrate.words import Unknown, Word, text


def _cd(shell: Shell, command: Command) -> None:
    operands = [word for word in command.words[1:] if word.text != "--"]
    to = operands[0].text if operands else None
    if command.name == "pushd":
        shell.left.append(shell.folder)
    if to is None:
        shell.note(command.place, f"cd goes to {' '.join(map(str, operands)) or 'the home folder'}", "write the folder")
        return
    shell.folder = Path(os.path.normpath(shell.folder / to))


def _popd(shell: Shell, _: Command) -> None:
    if shell.left:
        shell.folder = shell.left.pop()


def _pwd(shell: Shell, _: Command) -> Word:
    return text(str(shell.folder))


def _dirname(_: Shell, command: Command) -> Word:
    return command.words[-1].then(posixpath.dirname).then(lambda path: path or ".")


def _basename(_: Shell, command: Command) -> Word:
    return command.words[1].then(posixpath.basename) if len(command.words) == 2 else Word.of([Unknown("$(basename …)")])


def _realpath(shell: Shell, command: Command) -> Word:
    return command.words[-1].then(lambda path: os.path.normpath(shell.folder / path))


def _echo(_: Shell, command: Command) -> Word:
    """What goes on in the output of the script concerns nobody; what it gives to a variable does."""
    words = [word for word in command.words[1:] if word.text not in ("-n", "-e")]
    return Word.of(part for index, word in enumerate(words) for part in ([" "] if index else []) + list(word))


def _source(shell: Shell, command: Command) -> None:
    if len(command.words) > 1:
        shell.call(command, command.words[1], shell.source)


def _interpreter(shell: Shell, command: Command) -> Word | None:
    words = [word for word in command.words[1:] if not (word.text or "").startswith("-") or word.text == "-c"]
    if words and words[0].text == "-c":
        script = words[1].text if len(words) > 1 else None
        if script is None:
            shell.note(command.place, "the script of -c is not known", "write it out")
        else:
            shell.run_text(script, command.place.path, command.place.line)
    elif words:
        shell.call(command, words[0], lambda path, shown: shell.run_file(path, shown, words[1:]))
    return None


def _make(shell: Shell, command: Command) -> Word | None:
    """Another make: its own Makefile, or another one."""
    folder, file, goals, given = shell.folder, "", [], {}
    waiting = [word.text for word in command.words[1:]]
    while waiting:
        word = waiting.pop(0)
        name, separator, value = (word or "").partition("=")
        option = re.match(r"--(directory|file|makefile)$|-([Cf])", name)
        if option is not None:
            operand = value or (word or "")[option.end() :] or (waiting.pop(0) if waiting else "") or ""
            if "irectory" in name or option[2] == "C":
                folder = Path(os.path.normpath(folder / operand))
            else:
                file = operand
        elif word is None or name.startswith("-"):
            continue
        elif separator:
            given[name.rstrip(":?+")] = value
        elif not word.isdecimal():
            goals.append(word)
    names = [file] if file else NAMES
    path = next((folder / each for each in names if (folder / each).is_file()), None)
    if path is None or None in (word.text for word in command.words[1:] if "=" not in str(word)):
        return shell.handle([command])

    def run(path: Path, shown: str) -> None:
        makefile = Makefile(path, shown, shell.note, given)
        with shell.process():
            shell.folder = folder
            makefile.set_variables(shell)
            for goal in goals or makefile.first():
                makefile.follow(goal, shell)

    shell.call(command, text(str(path)), run)
    return None


def _eval(shell: Shell, command: Command) -> Word | None:
    script = [word.text for word in command.words[1:]]
    if None in script:
        shell.note(command.place, "what eval runs is not known", "write it out")
        return None
    shell.run_text(" ".join(map(str, script)), command.place.path, command.place.line)
    return None


def _exit(_: Shell, __: Command) -> None:
    raise Stop


def _return(_: Shell, __: Command) -> None:
    raise Return


def _set(shell: Shell, command: Command) -> None:
    words = [word.text for word in command.words[1:]]
    if "--" in words:
        shell.arguments = list(command.words[words.index("--") + 2 :])


def _shift(shell: Shell, command: Command) -> None:
    count = (command.words[1].text or "") if len(command.words) > 1 else "1"
    del shell.arguments[: int(count) if count.isdecimal() else 1]


def _trap(shell: Shell, command: Command) -> None:
    words = [word.text for word in command.words[1:]]
    if len(words) > 1 and {"EXIT", "0"} & set(words[1:]):
        shell.trap = None if words[0] in (None, "", "-") else (words[0], command.place)


def _unset(shell: Shell, command: Command) -> None:
    for word in command.words[1:]:
        shell.arrays.pop(str(word), None)
        if str(word) in shell.variables:
            shell.variables[str(word)] = Word()


def _printf(_: Shell, command: Command) -> Word | None:
    """Fill in a format whose places are all ``%s``."""
    words = [word for word in command.words[1:] if word.text != "--"]
    form = re.sub(r"\\n", "\n", (words[0].text or "") if words else "")
    parts = form.split("%s")
    if not form or any("%" in part or "\\" in part for part in parts) or len(words) != len(parts):
        return None
    said = Word.of(each for part, word in zip(parts, [*words[1:], Word()], strict=True) for each in (part, *word))
    return Word.of([*said[:-1], said[-1].rstrip("\n")]) if said and isinstance(said[-1], str) else said


def _where(_: Shell, command: Command) -> Word | None:
    """Where a program is: a name does as well."""
    words = [word for word in command.words[1:] if not (word.text or "").startswith("-")]
    return words[0] if len(words) == 1 else None


def _ignore(_: Shell, __: Command) -> None:
    """It concerns the run of the script alone."""


BUILTINS: dict[str, Builtin] = {
    "cd": _cd,
    "pushd": _cd,
    "pwd": _pwd,
    "dirname": _dirname,
    "basename": _basename,
    "realpath": _realpath,
    "readlink": _realpath,
    "echo": _echo,
    "printf": _printf,
    "source": _source,
    ".": _source,
    "sh": _interpreter,
    "bash": _interpreter,
    "dash": _interpreter,
    "eval": _eval,
    "make": _make,
    "gmake": _make,
    "exit": _exit,
    "return": _return,
    "set": _set,
    "shift": _shift,
    "trap": _trap,
    "true": _ignore,
    ":": _ignore,
    "test": _ignore,
    "[": _ignore,
    "read": _ignore,
    "wait": _ignore,
    "command": _where,
    "type": _where,
    "which": _where,
    "shopt": _ignore,
    "umask": _ignore,
    "sleep": _ignore,
    **dict.fromkeys(("break", "continue", "getopts", "let", "hash", "ulimit", "alias", "jobs", "kill"), _ignore),
    "unset": _unset,
    "popd": _popd,
}
