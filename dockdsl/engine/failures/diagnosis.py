"""What the docker command says when it fails, in terms of the user's own file; and why a container died.

The engine gives no error codes, so its words decide. What none of the patterns matches is passed on as it was said.
"""

from __future__ import annotations

import linecache
import re
from collections.abc import Callable
from typing import Literal

from dockdsl.display import cut, printable, quoted_log
from dockdsl.engine.builders.progress import Account, Step
from dockdsl.engine.building import LOG_LINES, BuildRequest, without_flags
from dockdsl.engine.failures.absent import absent
from dockdsl.engine.failures.causes import NO_IMAGE, NOT_PUSHED, UNAVAILABLE, Explanation, explain, first
from dockdsl.engine.running import ContainerState
from dockdsl.errors import BuildFailed, EngineError, EngineUnavailable, RunFailed
from dockdsl.origins import Origin

Lines = tuple[int, int]
"""First and last line of an instruction."""
# How the end of a connection reads depends on what the client was waiting for just then.
_LOST = re.compile(
    r"failed to receive status: |(?:rpc error: )?(?:code = )?Unavailable\b|error reading from server: "
    r"|(?:unexpected )?EOF$|transport is closing"
).match
_REFUSED_OPTION = re.compile(
    r"target stage .* could not be found|unable to prepare context|invalid argument|unknown flag"
    r"|Dockerfile cannot be empty|is not supported for the \S+ driver|conflicts with|make sure SSH_AUTH_SOCK is set"
    r"|could not be resolved|failed to get build context|not supported by buildkit|entitlement \S+ is not allowed"
    r"|tag is needed|invalid destination|destination (?:file|directory) |failed to open open|synctarget dest dir"
    r"|failed to send stat|failed to convert agent config|invalid SOURCE_DATE_EPOCH"
    r"|syntax error in pattern|exporting manifest lists"
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
_failed_push = re.compile(r"failed to push (\S+): (.*)", re.DOTALL).match
_excerpted = re.compile(r"^Dockerfile:(\d+)\n-----.*\n((?:(?!-----).*\n)*)", re.MULTILINE).search
_marked = re.compile(r"^\s*(\d+) \| >>>", re.MULTILINE).findall
_exit_code = re.compile(r"did not complete successfully: (exit code: \d+.*)", re.DOTALL).search
_not_there = re.compile(
    r'failed to calculate checksum of ref \S+: (?:("(?:[^"\\]|\\.)*"): not found|too many links$)'
    r"|^(?:failed to solve: )?lstat (\S.*): (?:no such file or directory|not a directory)$"
    r"|did not complete successfully: (?:open|l?stat) (\S.*): no such file or directory$"
).search
_SOURCE_LINES, _SOURCE_WIDTH = 8, 160
BELOW = "see cause and fix below"
_not_allowed = re.compile(r"(network\.host|security\.insecure|device\S*) is not allowed").search
_ENTITLEMENTS = {"network.host": "--network=host", "security.insecure": "--security=insecure"}
_from = re.compile(r"\bfrom=([^\s,]+)").findall
_library = re.compile(r"[^/]+/library/").match


def unavailable(text: str) -> EngineUnavailable | None:
    """Return the error that `text` of the docker command means if there is nothing to build with."""
    row = first(UNAVAILABLE, text)
    if row is None:
        return None
    # What follows the first line is how the command is used.
    said = _brief("".join(_last_error(text).splitlines()[:1]))
    return EngineUnavailable(f"build: {row.cause} ({said}); {row.fix}")


def failure(request: BuildRequest, account: Account, status: int) -> EngineError:
    """Return the error that a failed build is."""
    text = "\n".join(account.text)
    missing = unavailable(text) if account.is_empty else None
    if missing is not None:
        return missing
    last = _last_error(text) or f"the docker command ended with status {status} and said nothing"
    step = account.failed()
    exporting = step is not None and step.text.startswith(("pushing ", "exporting "))
    not_pushed = _not_pushed(request, step, step.error or last) if step is not None and exporting else None
    if not_pushed is not None:
        return not_pushed
    if _LOST(last):
        return EngineUnavailable(
            f"build: the container engine disconnected during the build ({_brief(last)}); "
            "see whether it still runs, and build again"
        )
    # The engine's own excerpt is exact; the step's text is compared only without it.
    lines = _excerpt(text) or lines_of(step, request.dockerfile)
    if exporting:
        return _refused(request, last, lines, "check where the image goes to")
    loading = step is not None and isinstance(request.context, str) and step.text.startswith("[internal] load ")
    return build_failed(request, step, last, lines, "check the address of the context" if loading else None)


def build_failed(
    request: BuildRequest, step: Step | None, error: str, lines: Lines | None, remedy: str | None = None
) -> BuildFailed:
    """Return the error that the engine's last words mean, and the lines that it marks.

    `error` is without what the engine always says first; `remedy` is said where no more is known.
    """
    unresolved = _unresolved(error)
    if unresolved:
        return _no_image(request, lines, unresolved[1], unresolved[2])
    if step is not None:
        return _step_failed(request, step, error, lines, remedy or "check the instruction")
    return _refused(request, error, lines, remedy or "check the Dockerfile and the options of the build")


def timed_out(request: BuildRequest, step: Step | None = None) -> BuildFailed:
    """Return the error for a build that took too long; `step` is what was running."""
    fact = f"timed out after {request.timeout:g} s"
    remedy = "allow it more time, or see what it waits for"
    return _failed(request, fact, remedy, lines=lines_of(step, request.dockerfile), step=step, kind="timeout")


def _failed(
    request: BuildRequest,
    fact: str,
    remedy: str = "",
    *,
    lines: Lines | None = None,
    step: Step | None = None,
    reason: str | None = None,
    known: Explanation | None = None,
    is_below: bool = False,
    kind: Literal["step", "image", "registry", "definition", "timeout"] = "step",
) -> BuildFailed:
    """Return the error of a build.

    `remedy` is for where nothing is known. Where `is_below`, what is known says more than `fact`, and goes below it.
    """
    origin = request.origin_at(lines)
    source = source_at(origin)
    log = step.lines()[-LOG_LINES:] if step is not None else ()
    what = "build" if step is None else f"build step {printable(_name(step, without_flags(step.text)))}"
    if known is not None:
        remedy = BELOW if is_below else known.fix
    message = f"{what}{_place(lines)}: {fact}; {remedy}" + quoted_log(log, "last output of the step")
    if source is not None:
        message += f"\n{origin}: {source}"
    return BuildFailed(
        message + (explained(known) if is_below else ""),
        origin=origin,
        step=None if step is None else _name(step),
        reason=reason,
        log=log,
        lines=lines,
        cause=None if known is None else known.cause,
        fix=None if known is None else known.fix,
        source=source,
        kind=kind,
    )


def _no_image(request: BuildRequest, lines: Lines | None, ref: str, reason: str) -> BuildFailed:
    library = _library(ref)
    name = printable(ref[library.end() :] if library else ref)
    # The engine does not say which step mounts it.
    lines = lines or _lines_from(ref, request.dockerfile)
    what = f"the image {name}" + (f" for {', '.join(request.platforms)}" if request.platforms else "")
    known = first(NO_IMAGE, reason) or Explanation(
        "cannot be had", "check its name and tag, or `docker login` to its registry"
    )
    remedy = known.fix
    if lines is not None and _line(request.dockerfile, lines[0]).startswith("#"):
        what = f"the frontend {name} of the syntax directive"
        remedy = "leave the directive out, unless a feature of a newer frontend is used"
    fact = f"{what} {known.cause} ({_brief(reason)})"
    kind: Literal["registry", "image"] = "registry" if _NO_REGISTRY.search(reason) else "image"
    return _failed(request, fact, lines=lines, reason=reason, known=Explanation(fact, remedy), kind=kind)


def _not_pushed(request: BuildRequest, step: Step, reason: str) -> BuildFailed | None:
    """Return the error of an image or a cache that a registry rejected; None for what goes elsewhere."""
    what = step.text.removesuffix(" with docker")
    pushed = _failed_push(reason)
    if pushed:
        what, reason = f"pushing {pushed[1]}", pushed[2]
    elif not what.startswith(("pushing ", "exporting cache to registry")):
        return None
    known = first(NOT_PUSHED, reason) or Explanation("the registry rejects it", "see what it says, and its log")
    fact = f"{printable(what)}: {known.cause} ({_brief(reason)})"
    return _failed(request, fact, reason=reason, known=known, kind="registry")


def _step_failed(request: BuildRequest, step: Step, error: str, lines: Lines | None, remedy: str) -> BuildFailed:
    reason, is_below = step.error or error, False
    known: Explanation | None
    missing = _not_there(reason) if step.text.startswith(("COPY ", "ADD ")) or "--mount=" in step.text else None
    secret = _no_secret(reason)
    if missing:
        known = absent(request, step.text, next(filter(None, missing.groups()), ""))
        reason = known.cause
    elif secret:
        known = Explanation(
            f"the build was not given the secret {secret[1]}",
            f"pass it to the build, as with --secret id={secret[1]},env=NAME",
        )
    else:
        code = _exit_code(reason)
        reason = code[1] if code else reason
        known, is_below = explain(reason, step.lines()), True
        if reason.startswith("exit code: "):
            remedy = "fix the command"
    return _failed(
        request, _brief(reason), remedy, lines=lines, step=step, reason=reason, known=known, is_below=is_below
    )


def explained(known: Explanation | None) -> str:
    """Return cause and fix as lines to be put below a message; nothing where they are not known."""
    return "" if known is None else f"\ncause: {_brief(known.cause)}\nfix: {_brief(known.fix)}"


def run_failed(
    message: str, known: Explanation | None, log: tuple[str, ...] = (), exit_code: int | None = None
) -> RunFailed:
    """Return an error of a container, with what it printed and what is known of it."""
    return RunFailed(
        message + quoted_log(log, "last output of the container") + explained(known),
        log=log,
        exit_code=exit_code,
        cause=None if known is None else known.cause,
        fix=None if known is None else known.fix,
    )


def died(what: str, state: ContainerState, log: tuple[str, ...], when: str = "") -> RunFailed:
    """Return the error that the end of a container is."""
    known = explain(state.detail) or explain(f"exit code: {state.exit_code}", log)
    fact = f"{what}: the container {printable(str(state))}{when}" + ("" if log else ", and printed nothing")
    remedy = "fix what it says" if log else "run its command in a shell of the image, or let it say why it ends"
    return run_failed(f"{fact}; {remedy if known is None else BELOW}", known, log, state.exit_code)


def in_short(error: RunFailed) -> tuple[str, ...]:
    """Return what an error says without the log, to be reported as what a check found wrong."""
    known = None if error.cause is None else Explanation(error.cause, error.fix or "")
    head = error.message.partition("\n")[0].removesuffix(f"; {BELOW}")
    return tuple((head + explained(known)).splitlines())


def source_at(origin: Origin | None) -> str | None:
    """Return the instruction as it stands in the user's file, on one line; None where there is no such file."""
    if origin is None:
        return None
    text, open_ = "", 0
    for number in range(origin.line, origin.line + _SOURCE_LINES):
        line = linecache.getline(origin.path, number).strip()
        text += line if not text or text.endswith(("(", "[")) or line.startswith((")", "]")) else f" {line}"
        open_ += sum(line.count(each) for each in "([{") - sum(line.count(each) for each in ")]}")
        if not line or open_ <= 0:
            break
    return cut(printable(text).rstrip(","), _SOURCE_WIDTH) or None


def _refused(request: BuildRequest, reason: str, lines: Lines | None, remedy: str) -> BuildFailed:
    """Return the error of a build that ended although no step of it had failed."""
    if reason.startswith("mkdir "):
        # Only of the folder of a cache buildx does not say what it is for.
        reason = f"invalid destination directory: {reason.removeprefix('mkdir ')}"
    platforms = _several_platforms.search(reason)
    if platforms:
        remedy = "build one platform at a time, or turn on the engine's containerd image store"
    lines = lines or _lines_that_want(reason, request.dockerfile)
    kind: Literal["definition", "step"] = "step"
    if lines is not None or platforms or _REFUSED_OPTION.search(reason):
        kind = "definition"
    return _failed(request, _brief(reason), remedy, lines=lines, reason=reason, known=explain(reason), kind=kind)


def _lines_that(dockerfile: str, fits: Callable[[str], bool]) -> list[Lines]:
    """Return each line that fits, as the first and the last line of an instruction."""
    return [(number, number) for number, line in enumerate(dockerfile.split("\n"), 1) if fits(line)]


def _lines_that_want(reason: str, dockerfile: str) -> Lines | None:
    """Return the line of the first step that asks for what a build must allow; the engine does not say which."""
    wanted = _not_allowed(reason)
    if wanted is None:
        return None
    flag = _ENTITLEMENTS.get(wanted[1], "--device=")
    return next(iter(_lines_that(dockerfile, lambda line: flag in line)), None)


def _lines_from(ref: str, dockerfile: str) -> Lines | None:
    """Return the first line that takes something from an image; the engine spells its name in full."""
    full = f"/{ref.removesuffix(':latest')}"
    found = _lines_that(
        dockerfile, lambda line: any(full.endswith(f"/{each.removesuffix(':latest')}") for each in _from(line))
    )
    return found[0] if found else None


def _last_error(text: str) -> str:
    """Return the text after the last ``ERROR:``, else all of it."""
    words = text.rpartition("ERROR: ")[2]
    for prefix in ("failed to build: ", "failed to solve: ", "rpc error: code = Unknown desc = "):
        words = words.removeprefix(prefix)
    return words.strip()


def _excerpt(text: str) -> Lines | None:
    """Return the lines that the first excerpt of the Dockerfile marks with ``>>>``."""
    found = _excerpted(f"{text}\n")
    if found is None:
        return None
    marked = [int(number) for number in _marked(found[2]) or [found[1]]]
    return min(marked), max(marked)


def lines_of(step: Step | None, dockerfile: str) -> Lines | None:
    """Return the one line whose text is that of a numbered step, as far as the line goes; None for none or several."""
    if step is None or not step.label:
        return None

    def fits(line: str) -> bool:
        text = " ".join(line.removesuffix("\\").split())
        return " " in text and step.text.startswith(text)

    found = _lines_that(dockerfile, fits)
    return found[0] if len(found) == 1 else None


def _line(dockerfile: str, number: int) -> str:
    return "".join(dockerfile.split("\n")[number - 1 : number]).lstrip()


def _name(step: Step, text: str | None = None) -> str:
    return f"{step.label} {step.text if text is None else text}".strip()


def _place(lines: Lines | None) -> str:
    if lines is None:
        return ""
    return f" (Dockerfile:{lines[0]})" if lines[0] == lines[1] else f" (Dockerfile:{lines[0]}-{lines[1]})"


def _brief(text: str) -> str:
    """Return text on one line, of a length that can be read."""
    line = " ".join(printable(part) for part in text.splitlines() if part.strip())
    return cut(line, 400)
