"""What the verbs `build` and `test` share: the options of a build, its progress, and its failures."""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TextIO

from dockdsl.cli.arguments import source_argument
from dockdsl.display import shown
from dockdsl.errors import BuildFailed, DockdslError, EngineError, EngineUnavailable, FileError
from dockdsl.operands import LONGEST_TIME

if TYPE_CHECKING:
    from dockdsl.engine.building import Builder, BuildRequest, Progress
    from dockdsl.image import Image

_SETUP = ("image", "registry", "definition")
"""Failures of a build in which no step was at fault."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of a build."""
    source_argument(parser)
    repeated: Any = {"action": "append", "default": []}
    parser.add_argument("-t", "--tag", **repeated, metavar="TAG", help="tag the image so, instead of as the file says")
    parser.add_argument("--target", metavar="STAGE", help="build this stage")
    parser.add_argument("--build-arg", **repeated, type=pair, metavar="NAME=VALUE", help="set a build argument")
    parser.add_argument("--platform", **repeated, metavar="OS/ARCH", help="build for this platform")
    parser.add_argument(
        "--secret",
        **repeated,
        metavar="SPEC",
        help="give the build a secret: id=token,env=TOKEN; instead of one of this id that the file says",
    )
    parser.add_argument("--label", **repeated, type=pair, metavar="NAME=VALUE", help="give the image a label")
    parser.add_argument(
        "--build-context",
        **repeated,
        type=pair,
        metavar="NAME=VALUE",
        help="a folder, docker-image://… or oci-layout://…",
    )
    parser.add_argument("--cache-from", **repeated, metavar="SPEC", help="take a cache in: type=local,src=FOLDER")
    parser.add_argument("--cache-to", **repeated, metavar="SPEC", help="write the cache: type=local,dest=FOLDER")
    parser.add_argument("--network", metavar="MODE", help="the network of the steps: default, none, host")
    parser.add_argument(
        "--add-host",
        **repeated,
        type=pair,
        metavar="NAME=ADDRESS",
        help="let the steps find a host: mirror.test=10.0.0.1",
    )
    parser.add_argument("--allow", **repeated, metavar="WHAT", help="let steps do more: network.host")
    parser.add_argument("--ssh", **repeated, metavar="SPEC", help="give the build an SSH agent: default; as --secret")
    parser.add_argument("--builder", metavar="NAME", help="build with this builder of docker buildx")
    parser.add_argument(
        "--builder-engine",
        choices=["buildx", "buildah", "podman"],
        default="buildx",
        help="what builds: docker buildx, buildah, or podman",
    )
    parser.add_argument("--no-cache", action="store_true", help="use nothing from the cache")
    parser.add_argument(
        "--no-cache-filter", **repeated, metavar="STAGE", help="use nothing from the cache for this stage"
    )
    parser.add_argument("--shm-size", metavar="SIZE", help="the size of /dev/shm of the steps: 128m")
    parser.add_argument("--ulimit", **repeated, metavar="SPEC", help="limit the steps: nofile=1024:4096")
    parser.add_argument("--pull", action="store_true", help="ask the registry for newer base images")
    parser.add_argument("--reproducible", action="store_true", help="the same build gives the same digest")
    parser.add_argument("--source-date-epoch", type=int, metavar="SECONDS", help="the time that the image is given")
    parser.add_argument(
        "--progress",
        choices=["auto", "live", "plain", "quiet"],
        default="auto",
        help="what to tell on stderr: what happens now in a terminal, a line for each event elsewhere (auto)",
    )
    parser.add_argument("--timeout", type=seconds, metavar="SECONDS", help="how long the build may take (1800)")


def pair(text: str) -> tuple[str, str]:
    """Read NAME=VALUE."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"{shown(text)} is not of the form NAME=VALUE")
    return name, value


def output_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of a build whose image is not run afterwards."""
    repeated: Any = {"action": "append", "default": []}
    parser.add_argument(
        "-o",
        "--output",
        **repeated,
        metavar="SPEC",
        help="where the image goes: type=oci,dest=FILE; a folder for its files",
    )
    parser.add_argument("--load", action="append_const", const="load", dest="output", help="into the engine")
    parser.add_argument(
        "--push", action="append_const", const="push", dest="output", help="to the registry of its tags"
    )
    parser.add_argument(
        "--annotation", **repeated, type=pair, metavar="NAME=VALUE", help="write it into the manifest of the image"
    )
    parser.add_argument("--sbom", type=attestation, metavar="true|IMAGE", help="add a bill of materials")
    parser.add_argument("--provenance", type=attestation, metavar="true|false|min|max", help="add how it was built")


def attestation(text: str) -> bool | str:
    """Read ``true``, ``false``, or what they are to be made with."""
    return {"true": True, "false": False}.get(text, text.removeprefix("mode=").removeprefix("generator="))


def seconds(text: str) -> float:
    """Read a number of seconds above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= LONGEST_TIME:
        raise argparse.ArgumentTypeError(
            f"{shown(text)} is no number of seconds above 0, or it is more than {LONGEST_TIME}"
        )
    return value


def request_of(image: Image, options: argparse.Namespace) -> BuildRequest:
    """Return what is to be built: the image, with what the options say instead.

    Raises `InvalidValue` and `UnknownStage` for a tag, stage or platform that `Image` would not take either.
    """
    try:
        return image.request(**_instead(image, options))
    except DockdslError as error:
        # It is about the command line, which is no place in a file.
        error.origin = None
        raise


def _instead(image: Image, options: argparse.Namespace) -> dict[str, Any]:
    """Return what the options say in the place of what the image does."""
    instead: dict[str, Any] = {
        "tags": tuple(options.tag),
        "platforms": tuple(each for platforms in options.platform for each in platforms.split(",")),
        "build_args": options.build_arg and {**dict(image.build_args), **dict(options.build_arg)},
        "labels": options.label and {**dict(image.labels), **dict(options.label)},
        # A path on the command line is relative to the current folder.
        "contexts": options.build_context
        and {**dict(image.contexts), **{name: _absolute(value) for name, value in options.build_context}},
        "secrets": options.secret and _replaced(image.secrets, options.secret, _secret_id),
        "ssh": options.ssh and _replaced(image.ssh, options.ssh, _agent_id),
        "cache_from": options.cache_from and (*image.cache_from, *options.cache_from),
        "cache_to": options.cache_to and (*image.cache_to, *options.cache_to),
        "add_hosts": options.add_host and {**dict(image.add_hosts), **dict(options.add_host)},
        "allow": options.allow and (*image.allow, *options.allow),
        "ulimits": options.ulimit and (*image.ulimits, *options.ulimit),
        "annotations": getattr(options, "annotation", []) and {**dict(image.annotations), **dict(options.annotation)},
        "reproducible": options.reproducible,
        "output": tuple(getattr(options, "output", ())),
        "no_cache": options.no_cache,
        "no_cache_filter": tuple(options.no_cache_filter),
        "pull": options.pull,
    }
    instead = {name: value for name, value in instead.items() if value}
    for name in ("target", "network", "shm_size", "source_date_epoch", "builder", "timeout", "sbom", "provenance"):
        if getattr(options, name, None) is not None:
            instead[name] = getattr(options, name)
    return instead


def builder_of(options: argparse.Namespace) -> Builder | None:
    """Return what builds, or None for the usual builder."""
    if options.builder_engine == "buildx":
        return None
    from dockdsl.engine.builders.buildah import Buildah, Podman

    return Podman() if options.builder_engine == "podman" else Buildah()


def _replaced(of_image: tuple[str, ...], given: list[str], identity: Callable[[str], str]) -> tuple[str, ...]:
    """Return what the image says and what is given; of one id, what is given."""
    ids = {identity(spec) for spec in given}
    return (*(spec for spec in of_image if identity(spec) not in ids), *given)


def _secret_id(spec: str) -> str:
    from dockdsl.image.options import fields_of

    return fields_of("Image: the secret", spec).get("id", "")


def _agent_id(spec: str) -> str:
    return spec.partition("=")[0]


def _absolute(context: str) -> str:
    return context if ":" in context or not context else os.path.abspath(context)  # noqa: PTH100 - Path.absolute keeps the dots


def progress_of(options: argparse.Namespace) -> Progress | None:
    """Return what tells of the build on stderr, or None if it is to be quiet."""
    if options.progress == "quiet" or sys.stderr is None:
        return None
    # The quick question first: the module is needed in a terminal alone.
    if options.progress == "live" or (options.progress == "auto" and sys.stderr.isatty()):
        from dockdsl.engine.builders import live

        if options.progress == "live" or (live.is_possible() and live.is_terminal(sys.stderr)):
            return live.watch(sys.stderr, force=True)
    from dockdsl.engine.building import plain

    return plain(lambda line: say(line, sys.stderr))


def say(line: str, stream: TextIO | None) -> None:
    """Write a line to stdout or stderr at once.

    What the stream's encoding has no character for becomes an escape. When the reader went away, as `head` does, or
    the terminal, the line is dropped: what is being built or tested goes on, and its exit code tells what came of it.
    So it is on stderr when there is no room for it.

    Raises `FileError` where stdout cannot be written for another reason.
    """
    if stream is None:
        return
    encoding = stream.encoding or "utf-8"
    try:
        stream.write(f"{line.encode(encoding, 'backslashreplace').decode(encoding)}\n")
        stream.flush()
    except OSError as error:
        # Python writes what is left in the stream when it ends, and fails again.
        with contextlib.suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)
        if stream is sys.stdout and error.errno not in (errno.EPIPE, errno.EIO):
            raise FileError(
                f"stdout: it cannot be written ({error.strerror}); send it elsewhere", origin=None
            ) from None


def say_json(data: dict[str, Any]) -> None:
    """Write data to stdout as one JSON object, in characters that each encoding has."""
    import json

    say(json.dumps(data, indent=2), sys.stdout)


def reported(action: Callable[[], int]) -> int:
    """Run `action`; tell of an engine's failure on stderr and return the exit code that it means.

    1 is for a step or a container that failed, 2 for what kept the build from being tried.
    """
    from dockdsl.engine.leftovers import interrupts

    interrupts.on_wait = _tell_of_wait
    try:
        # What is begun before the first container, as the sweep, is ended so, too.
        with interrupts.ended_by_exception():
            return action()
    except EngineError as error:
        place = "" if error.origin is None else f"{error.origin}: "
        say(f"{place}error: {error.message}", sys.stderr)
        setup = isinstance(error, EngineUnavailable) or (isinstance(error, BuildFailed) and error.kind in _SETUP)
        return 2 if setup else 1
    finally:
        interrupts.on_wait = None


def _tell_of_wait() -> None:
    from dockdsl.engine.leftovers import interrupts

    interrupts.on_wait = None
    say(
        "interrupted: waiting for the engine, to leave nothing behind; a second Ctrl-C leaves it to dockdsl gc",
        sys.stderr,
    )
