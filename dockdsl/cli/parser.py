"""The parser of a verb's arguments, whose help is a product, and whose errors are messages like others."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import Any, NoReturn

from dockdsl.cli.streams import put, say
from dockdsl.display import one_line, suggestion


class Parser(argparse.ArgumentParser):
    """A parser that writes as all of the command line does: its own way takes the words of users as they are."""

    def __init__(self, program: str, description: str) -> None:
        super().__init__(program, description=description, formatter_class=_formatter)

    def print_help(self, file: Any = None) -> None:
        """Write the help to stdout."""
        put(self.format_help())

    def check_options(self, arguments: Sequence[str]) -> None:
        """Refuse a misspelled option with what was meant: argparse may report what is missing besides."""
        known = [name for name in self._option_string_actions if name.startswith("--")]
        for word in arguments:
            name = word.partition("=")[0]
            if word == "--":
                return
            # A word with a blank is a value; options may be abbreviated.
            if word.startswith("--") and " " not in word and not any(each.startswith(name) for each in known):
                others = ["--version", "--completion"] if " " not in self.prog else []
                self.error(f"{name} is not an option; {suggestion(name, [*known, *others], 'see --help')}")

    def error(self, message: str) -> NoReturn:
        """Say how the verb is used, and what is wrong."""
        super().error(one_line(message))

    def _print_message(self, message: str, file: Any = None) -> None:
        say(message.removesuffix("\n"))


def _formatter(prog: str) -> argparse.HelpFormatter:
    # Without a width, argparse imports shutil and all the compressors for each option that is added.
    try:
        width = os.get_terminal_size().columns
    except OSError:
        width = 80
    return argparse.HelpFormatter(prog, width=width - 2)
