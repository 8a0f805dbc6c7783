"""``dockdsl run``: build the image that a Python file describes, run its server, and follow its log until Ctrl-C."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from dockdsl.cli import building as _building
from dockdsl.cli.streams import open_product, say, show
from dockdsl.display import printable, shown
from dockdsl.errors import EngineError, Refused
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
    one.value.check_port()
    _building.show_errors(one, options)
    return _building.reported(lambda: _run(one, options))


def _run(one: Selected[Image], options: argparse.Namespace) -> int:
    image = one.value
    assert image.port is not None
    publish = {outside: inside or image.port for outside, inside in options.publish}
    with image.built(**_building.keywords_of(one, options)) as built:
        if options.progress != "quiet":
            say(built.result.summary())
        with built.start(publish=publish, timeout=options.ready_timeout) as server:
            return _followed(server)


def _followed(server: RunningImage) -> int:
    """Show the URL, and the log until the container ends; a signal asks it to end, and its last words are shown."""
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
        show(server.url)
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
