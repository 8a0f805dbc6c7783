"""What the docker command says when it fails, told in terms of the user's own file.

The engine gives no error codes, so its words decide. What none of the patterns matches is passed on as it was said.
"""

from __future__ import annotations

import re

import attrs

from dockdsl.engine.base import LOG_LINES, BuildRequest
from dockdsl.engine.progress import Account, Step, origin_at
from dockdsl.engine.texts import cut, printable, quoted_log
from dockdsl.errors import BuildFailed, EngineError, EngineUnavailable

_UNAVAILABLE = (
    (
        # Without the plugin, the docker command takes the options of `buildx` for its own.
        re.compile(r"unknown command: docker buildx|'buildx' is not a docker command|unknown flag: --progress"),
        "the docker command has no buildx plugin",
        "install docker-buildx (Debian, Ubuntu) or docker-buildx-plugin (Docker's own packages)",
    ),
    (
        re.compile(r"invalid progress mode"),
        "the buildx plugin is too old to report its progress as JSON",
        "install version 0.13 or later",
    ),
    (
        re.compile(r"permission denied while trying to connect|connect: permission denied"),
        "the permission to use the container engine is missing",
        "join the group that owns its socket (most often docker) and log in again, or run as that user",
    ),
    (
        re.compile(
            r"Cannot connect to the Docker daemon|failed to connect to the docker API|error during connect"
            r"|Is the docker daemon running"
        ),
        "the container engine does not answer",
        "start it, or check DOCKER_HOST and `docker context ls`",
    ),
    (
        re.compile(r'no builder "[^"]*" found|context not found|failed to find driver'),
        "the builder or the docker context does not exist",
        "check --builder, BUILDX_BUILDER and DOCKER_CONTEXT against `docker buildx ls`",
    ),
)
# How the end of a connection reads depends on what the client was waiting for just then.
_LOST = re.compile(
    r"failed to receive status: |(?:rpc error: )?(?:code = )?Unavailable\b|error reading from server: "
    r"|(?:unexpected )?EOF$|transport is closing"
).match
_REFUSED_OPTION = re.compile(
    r"target stage .* could not be found|unable to prepare context|invalid tag|invalid argument|unknown flag"
    r"|Dockerfile cannot be empty"
)
_several_platforms = re.compile(
    r"Multi-platform build is not supported|does not currently support exporting manifest lists"
)
_no_secret = re.compile(r"secret (\S+): not found").search
_unresolved = re.compile(r"failed to resolve source metadata for (\S+): (.*)", re.DOTALL).search
_NO_REGISTRY = re.compile(
    r"failed to do request|dial tcp|no such host|i/o timeout|connection refused|TLS handshake|x509:"
    r"|network is unreachable"
)
_heading = re.compile(r"Dockerfile:(\d+)").fullmatch
_marked = re.compile(r"\s*(\d+) \| >>>").match
_exit_code = re.compile(r"did not complete successfully: (exit code: \d+.*)", re.DOTALL).search
_not_there = re.compile(
    r'failed to calculate checksum of ref \S+: ("(?:[^"\\]|\\.)*"): not found'
    r"|^(?:failed to solve: )?lstat (\S.*): (?:no such file or directory|not a directory)$"
).search
_library = re.compile(r"[^/]+/library/").match


@attrs.frozen
class Said:
    """The engine's last words: its error without what it always says first, and the lines that it marks."""

    error: str
    lines: tuple[int, int] | None


def unavailable(text: str) -> EngineUnavailable | None:
    """Return the error that `text` of the docker command means if there is nothing to build with."""
    for words, fact, remedy in _UNAVAILABLE:
        if words.search(text):
            # What follows the first line is how the command is used.
            said = _brief("".join(_last_error(text).splitlines()[:1]))
            return EngineUnavailable(f"build: {fact} ({said}); {remedy}", origin=None)
    return None


def failure(request: BuildRequest, account: Account, status: int) -> EngineError:
    """Return the error that a failed build is."""
    text = list(account.text)
    missing = unavailable("\n".join(text)) if account.is_empty else None
    if missing is not None:
        return missing
    last = _last_error("\n".join(text))
    if _LOST(last):
        return EngineUnavailable(
            f"build: the container engine went away amid the build ({_brief(last)}); "
            "see whether it still runs, and build again",
            origin=None,
        )
    step = account.failed()
    # The engine's own excerpt is exact; the step's text is compared only where there is none.
    said = Said(last, _excerpt(text))
    if said.lines is None and step is not None and step.label:
        said = attrs.evolve(said, lines=_lines_of(step, request.dockerfile))
    unresolved = _unresolved(said.error)
    if unresolved:
        return _no_image(request, said, unresolved[1], unresolved[2])
    if step is not None:
        return _step_failed(request, step, said)
    return _refused(request, said, status)


def timed_out(request: BuildRequest, account: Account) -> BuildFailed:
    """Return the error for a build that took too long."""
    step = account.running()
    lines = _lines_of(step, request.dockerfile) if step is not None and step.label else None
    name = _name(step) if step is not None else None
    where = f", in {printable(name)}{_place(lines)}" if name else ""
    log = step.lines()[-LOG_LINES:] if step is not None else ()
    message = f"build: it was not done after {request.timeout:g} s{where}; allow it more time, or see what it waits for"
    return BuildFailed(
        message + quoted_log(log, "last output of the step"),
        origin=origin_at(request.origins, lines),
        step=name,
        log=log,
        lines=lines,
        kind="timeout",
    )


def _no_image(request: BuildRequest, said: Said, ref: str, reason: str) -> BuildFailed:
    library = _library(ref)
    name = printable(ref[library.end() :] if library else ref)
    what = f"the image {name}"
    if request.platforms:
        what += f" for {', '.join(request.platforms)}"
    directive = said.lines is not None and _line(request.dockerfile, said.lines[0]).startswith("#")
    if directive:
        what = f"the frontend {name} of the syntax directive"
    if _NO_REGISTRY.search(reason):
        fact = f"{what} is not on this machine, and its registry cannot be reached ({_brief(reason)})"
        remedy = "leave the directive out" if directive else "check the network, or `docker load` the image"
    else:
        fact = f"{what} cannot be had ({_brief(reason)})"
        remedy = "check its name and tag, or `docker login` to its registry"
    return BuildFailed(
        f"build{_place(said.lines)}: {fact}; {remedy}",
        origin=origin_at(request.origins, said.lines),
        reason=reason,
        lines=said.lines,
        kind="registry" if _NO_REGISTRY.search(reason) else "image",
    )


def _step_failed(request: BuildRequest, step: Step, said: Said) -> BuildFailed:
    reason = step.error or said.error
    remedy = "check the instruction"
    code, absent, secret = _exit_code(reason), _not_there(reason), _no_secret(reason)
    if code:
        reason, remedy = code[1], "mend the command"
    elif absent:
        reason = f"{absent[1] or absent[2]} is not there to be copied"
        remedy = "check the path (below the context folder, or in the stage it is copied from) and .dockerignore"
    elif secret:
        remedy = f"give it to the build, as with --secret id={secret[1]},env=NAME"
    log = step.lines()[-LOG_LINES:]
    message = f"build step {printable(_name(step))}{_place(said.lines)}: {_brief(reason)}; {remedy}"
    return BuildFailed(
        message + quoted_log(log, "last output of the step"),
        origin=origin_at(request.origins, said.lines),
        step=_name(step),
        reason=reason,
        log=log,
        lines=said.lines,
    )


def _refused(request: BuildRequest, said: Said, status: int) -> BuildFailed:
    """The build ended, and no step of it had failed."""
    reason = said.error or f"the docker command ended with status {status} and said nothing"
    platforms = _several_platforms.search(reason)
    refused = said.lines is not None or platforms or _REFUSED_OPTION.search(reason)
    remedy = "check the Dockerfile and the options of the build"
    if platforms:
        remedy = "build one platform at a time, or turn on the engine's containerd image store"
    return BuildFailed(
        f"build{_place(said.lines)}: {_brief(reason)}; {remedy}",
        origin=origin_at(request.origins, said.lines),
        reason=reason,
        lines=said.lines,
        kind="definition" if refused else "step",
    )


def _last_error(text: str) -> str:
    """Return the text after the last ``ERROR:``, else all of it."""
    words = text.rpartition("ERROR: ")[2]
    for prefix in ("failed to build: ", "failed to solve: "):
        words = words.removeprefix(prefix)
    return words.strip()


def _excerpt(text: list[str]) -> tuple[int, int] | None:
    """Return the lines that the first excerpt of the Dockerfile marks with ``>>>``."""
    for index, line in enumerate(text[:-1]):
        heading = _heading(line)
        if heading is None or not text[index + 1].startswith("-----"):
            continue
        marked = []
        for below in text[index + 2 :]:
            if below.startswith("-----"):
                break
            mark = _marked(below)
            if mark:
                marked.append(int(mark[1]))
        return (min(marked), max(marked)) if marked else (int(heading[1]), int(heading[1]))
    return None


def _lines_of(step: Step, dockerfile: str) -> tuple[int, int] | None:
    """Return the one line whose text is that of a step, as far as the line goes; None if there is none or several."""
    wanted = step.text
    found = []
    for number, line in enumerate(dockerfile.split("\n"), start=1):
        text = " ".join(line.removesuffix("\\").split())
        if text and " " in text and wanted.startswith(text):
            found.append(number)
    return (found[0], found[0]) if len(found) == 1 else None


def _line(dockerfile: str, number: int) -> str:
    return "".join(dockerfile.split("\n")[number - 1 : number]).lstrip()


def _name(step: Step) -> str:
    return f"{step.label} {step.text}".strip()


def _place(lines: tuple[int, int] | None) -> str:
    if lines is None:
        return ""
    return f" (Dockerfile:{lines[0]})" if lines[0] == lines[1] else f" (Dockerfile:{lines[0]}-{lines[1]})"


def _brief(text: str) -> str:
    """Return text on one line, of a length that can be read."""
    line = " ".join(printable(part) for part in text.splitlines() if part.strip())
    return cut(line, 400)
