"""``dockdsl run``: build the image that a Python file describes, run it, and follow its log until Ctrl-C."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from dockdsl.cli import building as _building
from dockdsl.cli.streams import open_product, say, show
from dockdsl.display import printable, shown
from dockdsl.errors import EngineError, InvalidValue, Refused
from dockdsl.image import Image
from dockdsl.operands import whole
from dockdsl.selection import Selected, pick

if TYPE_CHECKING:
    import argparse

    from dockdsl.image.built import RunningImage

_LAST_LINES = 5.0
"""Seconds to wait for the end of the log when the container has ended."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    _building.add_arguments(parser, "run")
    ports: Any = {"action": "append", "default": [], "type": _building.reader(_ports)}
    what = "publish this port of the container at that port of this machine; HOST alone is for the image's own port"
    parser.add_argument("--publish", **ports, metavar="HOST[:CONTAINER]", help=what)


def _ports(text: str) -> tuple[int, int | None]:
    outside, colon, inside = text.partition(":")
    if not outside.isdecimal() or (colon and not inside.isdecimal()):
        raise Refused(f"{shown(text)} is not of the form HOST:CONTAINER", "write two ports: 8080:80")
    return whole(int(outside), 1, 65535), whole(int(inside), 1, 65535) if colon else None


def run(options: argparse.Namespace) -> int:
    """Build, run, print the URL, and follow the log."""
    open_product()
    (spec,) = options.sources
    one = pick(spec, Image)
    one.value.check_starts()
    publish = _published(one.value, options.publish)
    _building.show_errors(one, options)
    return _building.reported(lambda: _run(one, options, publish))


def _published(image: Image, ports: list[tuple[int, int | None]]) -> dict[int, int]:
    publish = {}
    for outside, inside in ports:
        port = inside or image.port
        if port is None:
            raise InvalidValue(
                f"--publish {outside}: the image has no port for it to lead to; write --publish {outside}:CONTAINER",
                origin=None,
            )
        publish[outside] = port
    return publish


def _run(one: Selected[Image], options: argparse.Namespace, publish: dict[int, int]) -> int:
    with one.value.built(**_building.keywords_of(one, options)) as built:
        if options.progress != "quiet":
            say(built.result.summary())
        with built.start(publish=publish, timeout=options.ready_timeout) as server:
            return _followed(server, has_url=one.value.port is not None)


def _followed(server: RunningImage, *, has_url: bool) -> int:
    """Show the URL, if it has one, and the log to its end; a signal asks it to end, and its last words are shown."""
    failures: list[EngineError] = []
    # A thread that is being joined when a signal comes counts as ended from then on.
    is_over = threading.Event()

    def follow() -> None:
        try:
            for line in server.follow():
                say(printable(line))
        except EngineError as error:
            failures.append(error)
        finally:
            is_over.set()

    try:
        threading.Thread(target=follow, daemon=True).start()
        # Who has read it may end this at once, and is shown the log, too.
        if has_url:
            show(server.url)
        else:
            say("the container is ready")
        is_over.wait()
    except (KeyboardInterrupt, SystemExit):
        server.stop()
        is_over.wait(_LAST_LINES)
        raise
    if failures:
        raise failures[0]
    state = server.stop(1)
    say(f"the container {state}")
    return 0 if state.exit_code == 0 else 1
