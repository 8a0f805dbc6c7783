"""What `build`, `test` and `size` share: the options of a build, its progress, its failures, and several at once."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dockdsl.cli.arguments import sources_argument
from dockdsl.cli.local import check_local
from dockdsl.cli.several import check_distinct, check_files, choose, filled
from dockdsl.cli.streams import open_product, report, say
from dockdsl.display import is_terminal
from dockdsl.errors import BuildFailed, DockdslError, EngineError, EngineUnavailable, Refused
from dockdsl.image import Image
from dockdsl.selection import Selected

if TYPE_CHECKING:
    from dockdsl.cli.together import Part
    from dockdsl.engine.building import BuildRequest, Progress

_SETUP = ("image", "registry", "definition")
"""Failures of a build in which no step was at fault."""


def add_arguments(parser: argparse.ArgumentParser, verb: str = "") -> None:
    """Declare the options of a build, those of the table that are for this verb."""
    import attrs

    from dockdsl.engine.builders import BUILDERS
    from dockdsl.engine.building import BuildRequest
    from dockdsl.engine.flags import OPTIONS, read_attest, read_seconds

    sources_argument(parser, one=verb == "run")
    defaults = attrs.fields(BuildRequest)
    for name, option in OPTIONS.items():
        if not option.names or option.verb not in (None, verb):
            continue
        settings: dict[str, Any] = {"dest": name, "help": option.help}
        if option.metavar is None:
            settings |= {"action": "store_true"}
        else:
            settings |= {"metavar": option.metavar, "type": reader(option.read)}
        if getattr(defaults, name).default == ():
            settings |= {"action": "append", "default": []}
        parser.add_argument(*option.names, **settings)
        if name == "output":
            load: Any = {"action": "append_const", "dest": name}
            parser.add_argument("--load", **load, const="load", help="load the image into the engine")
            parser.add_argument("--push", **load, const="push", help="push the image to the registry of its tags")
    if verb == "build":
        attest: Any = {"metavar": "SPEC", "type": reader(read_attest), "action": _Attest}
        parser.add_argument("--attest", **attest, help="--sbom or --provenance, spelled type=provenance,mode=max")
    parser.add_argument("--builder-engine", choices=list(BUILDERS), default="buildx", help="builder (default: buildx)")
    if verb != "run":
        # What `together` gives the process of one of several objects.
        parser.add_argument("--only", help=argparse.SUPPRESS)
        at_once = "how many objects to work on at the same time (default: 4)"
        parser.add_argument("--jobs", type=count, metavar="N", help=at_once)
    if verb in ("run", "test"):
        limit = "how long the container may take to answer, instead of what the file says"
        parser.add_argument("--ready-timeout", type=reader(read_seconds), metavar="SECONDS", help=limit)
    unseen = "skip the check before the build, which only reports errors and does not stop the build"
    parser.add_argument("--no-lint", action="store_true", help=unseen)
    what = "how to report progress on stderr (default: auto, which is live in a terminal and plain elsewhere)"
    parser.add_argument("--progress", choices=["auto", "live", "plain", "quiet"], default="auto", help=what)


class _Attest(argparse.Action):
    """Sets one of the two options that ``--attest`` stands for."""

    def __call__(self, _: Any, options: argparse.Namespace, value: Any, _flag: str | None = None) -> None:
        setattr(options, value[0], value[1])


def reader(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return a function that reads an argument, with the message of what it refuses."""

    def reading(text: str) -> Any:
        try:
            return read(text)
        except (ValueError, Refused) as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return reading


def count(text: str) -> int:
    """Read a positive number."""
    if text.isdecimal() and int(text):
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")


def run_each(
    options: argparse.Namespace,
    action: Callable[[Selected[Image], argparse.Namespace], int],
    finish: Callable[[list[Part], argparse.Namespace], object],
    *,
    check: Callable[[list[Selected[Image]], bool, argparse.Namespace], object] = lambda *_: None,
    relays: bool = True,
) -> int:
    """Run `action` for the object that is meant; several in processes of their own, with `finish` afterwards.

    `check` may refuse what the options say together. With `relays`, what is printed on stdout is printed at once, with
    the name of the object before it. Nothing is begun where one object cannot be loaded, or two would have one tag or
    be written to one place.
    """
    if getattr(options, "file", None) is None:
        open_product()
    objects, is_plural, is_failed = choose([options.only] if options.only else options.sources, Image)
    if is_failed:
        if is_plural:
            say("nothing was built")
        return 2
    check(objects, is_plural, options)
    if not is_plural:
        if options.only:
            from dockdsl.cli.together import end_with_parent

            end_with_parent()
        show_errors(objects[0], options)
        return reported(lambda: action(objects[0], options))
    requests = [(one, request_of(one, options)) for one in objects]
    remedy = None if options.tags else "give each tags of its own"
    tags = [(one, tag.removesuffix(":latest")) for one, request in requests for tag in request.tags]
    check_distinct("tags", tags, remedy)
    check_files([(one, each.dest) for one, request in requests for each in request.output])
    from dockdsl.cli.together import run_together

    return reported(lambda: run_together(objects, options, progress_of(options), finish, relays=relays))


def show_errors(one: Selected[Image], options: argparse.Namespace) -> None:
    """Show what `check` finds that is an error, but where the options say not to; the build is the judge of it.

    Raises `SourceError` for settings of the project that are not valid.
    """
    if options.no_lint:
        return
    from dockdsl.linting import check

    try:
        image, _ = one.value.changed(_overrides(one, options))
    except DockdslError:
        # The build refuses it with the same words.
        return
    for finding in check(image):
        if finding.severity == "error":
            say(f"{finding}\n{finding.excerpt()}".rstrip("\n"))


def request_of(one: Selected[Image], options: argparse.Namespace) -> BuildRequest:
    """Return what is to be built: the image, with what the options say instead.

    Raises `InvalidValue` and `UnknownStage` for what `Image` would not take either.
    """
    try:
        return one.value.request(**_overrides(one, options))
    except DockdslError as error:
        # It is about the command line, which is not a place in a file.
        error.origin = None
        raise


def keywords_of(one: Selected[Image], options: argparse.Namespace) -> Any:
    """Return what builds, what is to be built, and what reports it, as the methods of an `Image` take them."""
    from dockdsl.engine.builders import make_builder

    builder, request = make_builder(options.builder_engine), request_of(one, options)
    return {"builder": builder, "request": request, "progress": progress_of(options)}


def _overrides(one: Selected[Image], options: argparse.Namespace) -> Any:
    """Return what the options say in the place of what the image does, or besides it."""
    import attrs

    from dockdsl.engine.flags import OPTIONS
    from dockdsl.engine.options import ImageOptions, outputs
    from dockdsl.operands import checked

    fields = attrs.fields(ImageOptions)
    found = {}
    for name, option in OPTIONS.items():
        value = getattr(options, name, None)
        # A switch that is not set is False; --sbom false says something.
        if value is None or value == [] or (value is False and option.metavar is None):
            continue
        if isinstance(value, list):
            # One argument may say several.
            value = tuple(part for each in value for part in (each if isinstance(each, list) else (each,)))
        if name in ("tags", "output"):
            value = tuple(filled(one, each) for each in value)
        flag = option.names[-1]
        if hasattr(fields, name) or name == "output":
            check: Any = outputs if name == "output" else getattr(fields, name).converter
            value = checked(flag, check, value)
        if isinstance(value, tuple):
            check_local(flag, value)
        if isinstance(value, tuple) and not option.replaces and hasattr(fields, name):
            value = tuple({_identity(each): each for each in (*getattr(one.value, name), *value)}.values())
        found[name] = value
    return found


def _identity(value: Any) -> Any:
    """Return what is given once: the name of a pair, the id of a secret, the value itself otherwise."""
    return value[0] if isinstance(value, tuple) else getattr(value, "id", value)


def progress_of(options: argparse.Namespace) -> Progress | None:
    """Return what reports the build on stderr, or None if it is to be quiet."""
    if options.progress == "quiet" or sys.stderr is None:
        return None
    if getattr(options, "only", None):
        from dockdsl.cli.together import record_event

        return record_event
    # The quick question first: the module is needed in a terminal alone.
    if options.progress == "live" or (options.progress == "auto" and sys.stderr.isatty()):
        from dockdsl.engine.builders import live

        if options.progress == "live" or (live.is_possible() and is_terminal(sys.stderr)):
            return live.watch(sys.stderr, force=True)
    from dockdsl.engine.building import plain

    return plain(say)


def reported(action: Callable[[], int]) -> int:
    """Run `action`; report an engine's failure on stderr and return the exit code that it means.

    1 is for a step or a container that failed, 2 for what kept the build from being tried.
    """
    from dockdsl.engine.leftovers import interrupts

    interrupts.on_wait = _report_wait
    try:
        # What runs before the first container, as the sweep, ends by exception, too.
        with interrupts.ended_by_exception():
            return action()
    except EngineError as error:
        report(error)
        setup = isinstance(error, EngineUnavailable) or (isinstance(error, BuildFailed) and error.kind in _SETUP)
        return 2 if setup else 1
    finally:
        interrupts.on_wait = None


def _report_wait() -> None:
    from dockdsl.engine.leftovers import interrupts

    interrupts.on_wait = None
    say("interrupted: waiting for the engine, to leave nothing behind; a second Ctrl-C leaves it to dockdsl gc")
