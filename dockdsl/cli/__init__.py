"""The command line: ``python -m dockdsl FILE``, or ``dockdsl VERB …``.

The product of a verb goes to stdout, everything else to stderr. Exit codes: 0 done; 1 findings, drift, or a failed
build or test; 2 a usage error, a file that cannot be loaded, no engine.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

# The module itself would be hidden by the verb of this name.
from gc import freeze
from importlib import import_module
from typing import TYPE_CHECKING, Any

from dockdsl.cli.patience import end_soon
from dockdsl.cli.streams import drop, product, put, report, reserve_stdout, say, signal_of
from dockdsl.display import suggestion
from dockdsl.ending import Ending
from dockdsl.errors import DockdslError, SourceError
from dockdsl.selection import split

if TYPE_CHECKING:
    from dockdsl.cli.parser import Parser

VERBS = {
    "render": "print the Dockerfile that a Python file describes, or write it with -o (the verb can be left out)",
    "check": "find mistakes in Dockerfiles and Python files before they are built",
    "lsp": "serve an editor: findings while you type, and quick fixes",
    "import": "turn a Dockerfile into a Python file that describes it",
    "migrate": "turn a builder-pattern script and its Dockerfiles into one Python file of stages",
    "compare": "build as a builder-pattern script does and as stages, and show what each costs",
    "build": "build the image that a Python file describes",
    "test": "build the image, run it, and check it",
    "run": "build the image and run it until Ctrl-C: the URL of its server on stdout, its log on stderr",
    "inspect": "print what a Dockerfile consists of: a line for each stage, or everything as JSON",
    "fmt": "format Dockerfiles without changing what they mean",
    "size": "build the image, and show how many bytes each line adds",
    "gc": "remove what killed runs left behind on this machine",
}

_WITHOUT_PARSER = ("render", "check")
"""Verbs that are used most with a file alone."""
_INTERRUPTED = 130


def program() -> int:
    """Run the command line as a process of its own and return its exit code."""
    if "_ARGCOMPLETE" in os.environ:
        from dockdsl.cli.completion import complete

        complete(VERBS, lambda verb, prog: _parser(verb, prog)[1])
    reserve_stdout()
    ending = Ending(report)
    try:
        ending.status = main()
    except SystemExit as raised:
        ending.status = raised.code if isinstance(raised.code, int) else int(raised.code is not None)
        raise
    finally:
        freeze()
        if ending.status is not None:
            end_soon(ending.status)
    return ending.status


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(arguments)
    except DockdslError as error:
        report(error)
        return 2
    except BrokenPipeError:
        # Something other than the product could not be written, so the work is not done.
        if (stream := product()) is not None:
            drop(stream)
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return _INTERRUPTED
    except SystemExit as ending:
        # A check that the user wrote may end the program, too.
        if name := signal_of(ending.code):
            say(f"ended by {name}")
        raise
    except Exception as error:
        if os.environ.get("DOCKDSL_TRACEBACK"):
            raise
        say(
            f"error: internal error: {type(error).__name__}: {error}; "
            "set DOCKDSL_TRACEBACK=1 to see where, and report it"
        )
        return 2


def _run(arguments: list[str]) -> int:
    verb = arguments[0] if arguments else ""
    if verb in VERBS:
        return _run_verb(verb, f"dockdsl {verb}", arguments[1:])
    if verb in ("", "-h", "--help", "--version"):
        return _about(verb)
    if verb == "--completion":
        from dockdsl.cli.completion import script

        put(script(arguments[1:]))
        return 0
    file, _ = split(verb)
    if not verb.startswith("-") and not file.rstrip(":").endswith(".py") and not os.path.exists(file):
        hint = suggestion(verb, VERBS, f"the verbs are {', '.join(VERBS)}")
        raise SourceError(f"{verb!r} is neither a verb nor a file; {hint}")
    return _run_verb("render", "dockdsl", arguments)


def _run_verb(verb: str, program: str, arguments: list[str]) -> int:
    if verb in _WITHOUT_PARSER and len(arguments) == 1 and arguments[0][:1] not in ("", "-"):
        # A file alone needs no parser, and to import that takes longer than to render the file.
        module = _module(verb)
        return int(module.run(module.Options(arguments[0])))
    module, parser = _parser(verb, program)
    # Files may stand before, between and after the options.
    parser.check_options(arguments)
    if "--" in arguments:
        # To parse_intermixed_args, what starts with a dash is an option even there; "-" is stdin.
        at = arguments.index("--")
        files = [f"./{each}" if each.startswith("-") and each != "-" else each for each in arguments[at + 1 :]]
        arguments = [*arguments[:at], *files]
    options: Any = parser.parse_intermixed_args(arguments, module.Options() if verb == "render" else None)
    # For what is run in a process of its own.
    options.arguments = [verb, *arguments]
    return int(module.run(options))


def _module(verb: str) -> Any:
    # `import` is a keyword of Python.
    return import_module(f"dockdsl.cli.{'import_' if verb == 'import' else verb}")


def _parser(verb: str, program: str) -> tuple[Any, Parser]:
    from dockdsl.cli.parser import Parser

    module = _module(verb)
    parser = Parser(program, description=f"{VERBS[verb][0].upper()}{VERBS[verb][1:]}.")
    module.add_arguments(parser)
    return module, parser


def _about(option: str) -> int:
    if option == "--version":
        from dockdsl import __version__

        put(f"dockdsl {__version__}\n")
        return 0
    verbs = "\n".join(f"  {verb:8} {summary}" for verb, summary in VERBS.items())
    text = (
        "usage: dockdsl FILE[:NAME] [options]\n       dockdsl VERB FILE[:NAME] [options]\n\n"
        "Dockerfiles as Python values: render, build and test them.\n\n"
        f"verbs:\n{verbs}\n\n"
        "options:\n"
        "  -h, --help          print this\n"
        "  --version           print the version\n"
        "  --completion SHELL  print a script by which bash, zsh or fish completes words\n\n"
        "FILE is a Python file that defines a Dockerfile or an Image; NAME picks one if it defines several,\n"
        "and NAME[KEY] one in a dict or a list; * takes all.\n"
        "For import and fmt it is a Dockerfile; inspect takes either.\n"
        "'dockdsl VERB --help' lists the options of a verb."
    )
    if option:
        put(f"{text}\n")
        return 0
    say(text)
    return 2
