"""A build: the Python file is loaded, run and rendered, and BuildKit is given what comes of it."""

from __future__ import annotations

import os
from collections.abc import Mapping

from dockdsl import __version__
from dockdsl.display import cut, for_terminal, one_line, printable
from dockdsl.frontend import child, contexts, llb
from dockdsl.frontend.codec import Malformed
from dockdsl.frontend.forwarding import Forwarding
from dockdsl.frontend.gateway import Gateway
from dockdsl.frontend.messages import Definition, Result, Status, WarnRequest
from dockdsl.frontend.places import SOURCE_DETAIL, Places, ranges
from dockdsl.frontend.report import Crashed, Failed, Made, Place
from dockdsl.frontend.sources import Sources
from dockdsl.frontend.userfile import NAME_ARGUMENT
from dockdsl.frontend.wire import CallFailed, ConnectionLost

_NEEDED = ("frontend.inputs", "proto.refarray", "readdir")
"""What BuildKit must be able to do."""
_WARNINGS = "gateway.warnings"
_UNKNOWN, _INTERNAL = 2, 13
"""Codes of gRPC."""
_NOBODY = 65534
_ARGUMENT = f"build-arg:{NAME_ARGUMENT}"
_MOST_SAID, _LONGEST_SAID = 20, 500
"""How many lines of what a file prints become warnings, and of how many characters each."""


class Session:
    """One build. `place` is the folder that the Python files are put into."""

    def __init__(self, gateway: Gateway, environment: Mapping[str, str], place: str) -> None:
        self._gateway = gateway
        pairs = (value.partition("=") for key, value in environment.items() if key.startswith("BUILDKIT_FRONTEND_OPT_"))
        self._options = {name: value for name, _, value in pairs}
        self._session = environment.get("BUILDKIT_SESSION_ID", "")
        self._workers = environment.get("BUILDKIT_WORKERS", "")
        self._sources = Sources(gateway, self._options.get("filename", "Dockerfile"), place)
        self._places: Places | None = None

    def run(self) -> None:
        """Build, and give BuildKit the result or the error. Raises `ConnectionLost` where it cannot be given."""
        answer: Result | Status
        try:
            answer = self._build()
        except Failed as failed:
            detail = self._sources.files.detail(failed.place)
            answer = Status(code=_UNKNOWN, message=for_terminal(str(failed)), details=[detail])
        except CallFailed as failed:
            answer = failed.status
            if self._places is not None:
                self._places.in_details(answer.details)
            if all(each.type_url != SOURCE_DETAIL for each in answer.details):
                # BuildKit would give it the line `# syntax=`.
                answer.details.append(self._sources.files.detail(None))
        except Malformed as error:
            fact = f"BuildKit gave what cannot be read ({error})"
            message = f"frontend dockdsl {__version__}: {fact}; use Docker Engine 27 or later, or a newer frontend"
            answer = Status(code=_INTERNAL, message=message)
        except ConnectionLost:
            raise
        except Exception:  # noqa: BLE001 - whatever is wrong here is told
            import traceback  # noqa: PLC0415 - only needed for the message

            answer = Status(code=_INTERNAL, message=_crashed(traceback.format_exc()))
        try:
            self._gateway.end(answer)
        except CallFailed as failed:
            raise ConnectionLost(f"BuildKit refused the answer ({failed})") from None

    def _build(self) -> Result:
        able = self._gateway.capabilities()
        missing = [each for each in _NEEDED if each not in able]
        if missing:
            fact = f"this BuildKit lacks {', '.join(missing)}"
            raise Failed(f"frontend dockdsl {__version__}: {fact}; use Docker Engine 27 or later", None)
        inputs = self._gateway.inputs()
        self._load(inputs)
        made = self._render(can_warn=_WARNINGS in able)
        filename = f"{os.path.basename(self._sources.filename).removesuffix('.py')}.Dockerfile"
        self._places = Places(filename, made.text, made.lines, self._sources.files)
        contents = {filename: made.text.encode()}
        ignore = self._sources.ignore if made.ignore is None else made.ignore.encode()
        if ignore is not None:
            contents[f"{filename}.dockerignore"] = ignore
        rendered = llb.files(contents, f"[internal] render {self._sources.filename}")
        inputs["dockerfile"] = rendered.written()
        options = {**made.options, **self._options, "filename": filename}
        options.pop(_ARGUMENT, None)
        if made.has_syntax:
            # BuildKit starts the frontend that the text names only where none seems to have been started yet.
            for name in ("cmdline", "source", "build-arg:BUILDKIT_SYNTAX"):
                options.pop(name, None)
        forwarding = Forwarding(self._gateway, self._sources.files, self._places, options, inputs, self._sources.vertex)
        return forwarding.run(made.check, can_warn=_WARNINGS in able)

    def _load(self, inputs: dict[str, bytes]) -> None:
        """Load the file, and take the context with it where that is at an address."""
        key = self._options.pop("contextkey", "context")
        address = self._options.pop(key, "")
        name = self._options.pop("dockerfilekey", "")
        fetched = None
        if address:
            fetched = contexts.fetch(self._gateway, address, self._options, self._workers)
            inputs["context"] = fetched.definition.written()
        if name or (fetched is None and "dockerfile" not in inputs):
            name = name or "dockerfile"
            self._sources.load(name, self._options.get(f"local-sessionid:{name}", self._session))
        elif fetched is not None:
            self._sources.load_from(fetched.definition, fetched.filename)
        else:
            self._sources.load_from(Definition.read(inputs["dockerfile"]))

    def _render(self, *, can_warn: bool) -> Made:
        # Root may become anybody.
        user = _NOBODY if os.geteuid() == 0 else None
        found, said = child.run(self._sources.main, self._options.get(_ARGUMENT), user=user)
        if can_warn:
            lines = [(line, each.place) for each in said for line in each.text.splitlines() if line.strip()]
            more = len(lines) - _MOST_SAID
            for line, place in lines[:_MOST_SAID]:
                self._tell(line, place)
            if more > 0:
                self._tell(f"… and {more} more lines", None)
        if isinstance(found, Made):
            return found
        if isinstance(found, Crashed):
            raise Failed(_crashed(str(found)), None)
        raise found

    def _tell(self, text: str, place: Place | None) -> None:
        """Make a warning of a line that the file printed."""
        files = self._sources.files
        warning = WarnRequest(digest=self._sources.vertex, level=1)
        name, line = self._sources.filename, ""
        if place is not None and place.path in files.texts:
            name, line = files.names[place.path], f" (line {place.first})"
            warning.info, warning.ranges = files.info(place.path), ranges([place[1:]])
        warning.short = f"{one_line(name)} printed: {cut(printable(text), _LONGEST_SAID)}{line}".encode()
        self._gateway.warn(warning)


def _crashed(text: str) -> str:
    return f"frontend dockdsl {__version__}: internal error; report it with this:\n{text}"
