"""Completion in shells: the script that a shell reads once, and the words that it asks for whenever Tab is pressed."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from dockdsl.errors import SourceError

if TYPE_CHECKING:
    import argparse

SHELLS = ("bash", "zsh", "fish")
_ASKED = "_ARGCOMPLETE"
"""The variable by which a shell says that it asks: which word of the line is the program, counted from 1."""


def script(arguments: list[str]) -> str:
    """Return what a shell is to read: ``source <(dockdsl --completion bash)``. Raises `SourceError`."""
    if len(arguments) != 1 or arguments[0] not in SHELLS:
        raise SourceError(f"--completion: name one shell: {', '.join(SHELLS)}")
    if find_spec("argcomplete") is None:
        raise SourceError(
            '--completion needs argcomplete, which is not installed; run: pip install "dockdsl[completion]"'
        )
    from argcomplete.shell_integration import shellcode

    return str(shellcode(["dockdsl"], shell=arguments[0]))


def complete(verbs: dict[str, str], parser_of: Callable[[str, str], argparse.ArgumentParser]) -> None:
    """Write the words that can stand at the cursor, and end the program."""
    import argcomplete

    place = int(os.environ[_ASKED])
    typed = os.environ.get("COMP_LINE", "")[: int(os.environ.get("COMP_POINT") or 0)]
    # The word at the cursor is still being typed.
    words = typed.split()[place:] if typed[-1:].isspace() else typed.split()[place:-1]
    if words and words[0] in verbs:
        parser = parser_of(words[0], f"dockdsl {words[0]}")
        os.environ[_ASKED] = str(place + 1)
    else:
        parser = parser_of("render", "dockdsl")
        if not words:
            for option in ("--version", "--completion"):
                parser.add_argument(option)
            sources = next(each for each in parser._actions if each.dest == "sources")  # noqa: SLF001 - there is no other way
            files = argcomplete.completers.FilesCompleter()

            def first(prefix: str, **more: Any) -> dict[str, str]:
                return {**verbs, **dict.fromkeys(files(prefix, **more), "")}

            sources.completer = first  # type: ignore[attr-defined]
    argcomplete.autocomplete(parser, always_complete_options=False)
