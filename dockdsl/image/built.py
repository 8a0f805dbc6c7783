"""BuiltImage and RunningImage: an image to examine, and a container of it that runs, for as long as a test takes."""
# ruff: noqa: PLC0415 - as in actions.py

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import attrs

from dockdsl.checks.check import Check, checks_of
from dockdsl.checks.http import HttpCheck
from dockdsl.errors import InvalidValue, RunFailed
from dockdsl.operands import PairsLike, checked, seconds, url_path

if TYPE_CHECKING:
    from dockdsl.checks.http_client import Answer
    from dockdsl.checks.json_values import Json
    from dockdsl.checks.report import SmokeReport
    from dockdsl.checks.subject import Subject
    from dockdsl.engine.building import BuildResult
    from dockdsl.engine.running import Container, ContainerState, Runner, RunRequest
    from dockdsl.image.declaration import Declaration


class Sent(TypedDict, total=False):
    """What `RunningImage.request` takes besides method and path."""

    json: Json
    body: str | bytes | None
    headers: PairsLike
    timeout: float


class BuiltImage:
    """An image that was built and can be tested; `Image.built` makes it.

    `image`
        The declaration of it, which is the `Image`.
    `name`
        Its first tag, or what its id begins with.
    `result`
        The result of the build: id, size, and what it cost.
    """

    def __init__(self, image: Declaration, name: str, result: BuildResult, runner: Runner) -> None:
        from dockdsl.checks.subject import Subject

        self.image = image
        self.name = name
        self.result = result
        self._runner = runner
        self._subject = Subject(runner, self._request(), **self._options())

    @property
    def id(self) -> str:
        """The id by which the engine runs it."""
        return self.result.image

    def check(self, *checks: Check) -> SmokeReport:
        """Run checks. Where one asks the server, a server is started for these checks, and removed after them.

        Raises `CheckFailed` if one fails, after all of them were run; and what `start` raises.
        """
        __tracebackhide__ = True
        from dockdsl.checks.smoke import smoke

        if any(check.needs_server for check in checks):
            self.image.check_starts()
            report = smoke(self._runner, self._request(), checks, **self._options())
        else:
            report = _examined(self._subject, checks)
        report.raise_for_failures()
        return report

    @contextlib.contextmanager
    def start(
        self, *, publish: Mapping[int, int] | None = None, timeout: float | None = None
    ) -> Iterator[RunningImage]:
        """Start a server, wait until it is ready, and remove it at the end of the block.

        `publish`
            Ports of this machine, and the ports of the container that they lead to: ``{8080: 80}``. By default a free
            port leads to the image's.
        `timeout`
            Seconds until it must be ready, instead of the image's own.

        Raises `RunFailed` if it does not start or does not get ready, `InvalidValue` for an image that has neither a
        port nor a check that says when it is ready.
        """
        from dockdsl.checks.subject import Subject
        from dockdsl.image.place import place_of

        self.image.check_starts()
        request = attrs.evolve(self._request(), publish=publish or {})
        options = {**self._options(), "verb": "run"}
        if timeout is not None:
            options["timeout"] = checked("Image: timeout", seconds, timeout)
        with Subject(self._runner, request, **options) as subject:
            try:
                subject.serve()
            except RunFailed as error:
                error.origin = place_of(self.image, error)
                raise
            yield RunningImage(subject)

    def close(self) -> None:
        """Free what was needed to examine the image. `Image.built` does it at the end of its block."""
        self._subject.__exit__(None, None, None)

    def _request(self) -> RunRequest:
        return self.image.run_request(self.id)

    def _options(self) -> dict[str, Any]:
        image = self.image
        return {"ready": image.ready, "timeout": image.timeout, "name": self.name, "build": self.result}


class RunningImage:
    """A server or a worker that is ready; `BuiltImage.start` makes it.

    `ready`
        Seconds from its start until it was ready.
    """

    def __init__(self, subject: Subject) -> None:
        assert subject.server is not None
        assert subject.ready is not None
        self._subject = subject
        self._container: Container = subject.server
        self.ready = subject.ready
        self._address = self._container.address(subject.port) if subject.request.ports else None

    @property
    def id(self) -> str:
        """The engine's id of the container."""
        return self._container.id

    @property
    def url(self) -> str:
        """Where it is reached from here, for any HTTP client: ``"http://127.0.0.1:49153"``.

        Raises `InvalidValue` for an image without a port.
        """
        host, port = self._reached()
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Json = ...,
        body: str | bytes | None = None,
        headers: PairsLike = None,
        timeout: float = 5.0,
    ) -> Answer:
        """Send a request, with a body where one is given, as JSON or as it is; return the answer, whatever it is.

        Raises `RunFailed` where none comes within `timeout` seconds, `InvalidValue` for an image without a port.
        """
        from dockdsl.checks.http_client import NoAnswer

        # Nothing is saved here that could stand first.
        checked("HttpCheck: path", url_path, path)
        probe = HttpCheck(
            method, path, status=None, send_json=json, send_body=body, send_headers=headers, timeout=timeout
        )
        self._reached()
        try:
            return self._subject.ask(probe)
        except NoAnswer as error:
            raise RunFailed(f"{method} {path}: {error}; see what the container printed", log=self.logs()) from None

    def _reached(self) -> tuple[str, int]:
        if self._address is None:
            raise InvalidValue(
                "Image: it has no port, so its container has no URL and answers no requests; pass port=…, where its "
                "server listens"
            )
        return self._address

    def get(self, path: str, **options: Unpack[Sent]) -> Answer:
        """Send a GET request; the options are those of `request`."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Unpack[Sent]) -> Answer:
        """Send a POST request; the options are those of `request`."""
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Unpack[Sent]) -> Answer:
        """Send a PUT request; the options are those of `request`."""
        return self.request("PUT", path, **options)

    def patch(self, path: str, **options: Unpack[Sent]) -> Answer:
        """Send a PATCH request; the options are those of `request`."""
        return self.request("PATCH", path, **options)

    def delete(self, path: str, **options: Unpack[Sent]) -> Answer:
        """Send a DELETE request; the options are those of `request`."""
        return self.request("DELETE", path, **options)

    def check(self, *checks: Check) -> SmokeReport:
        """Run checks, those that ask a server on this one. Raises `CheckFailed` if one fails, after all were run."""
        __tracebackhide__ = True
        report = _examined(self._subject, checks)
        report.raise_for_failures()
        return report

    def logs(self, lines: int = 20) -> tuple[str, ...]:
        """Return the last lines that it printed."""
        return self._container.logs(lines)

    def follow(self) -> Iterator[str]:
        """Yield the lines that it prints, from its start until it ends."""
        return self._container.follow()

    def state(self) -> ContainerState:
        """Ask how the container is."""
        return self._container.state()

    def signal(self, name: str) -> None:
        """Send its first process a signal: ``"SIGHUP"``."""
        self._container.signal(name)

    def stop(self, timeout: float = 10.0) -> ContainerState:
        """Ask it to end, and end it by force after `timeout` seconds."""
        return self._container.stop(timeout)


def _examined(subject: Subject, checks: tuple[Check, ...]) -> SmokeReport:
    from dockdsl.checks.report import SmokeReport
    from dockdsl.checks.smoke import examined

    results = tuple(result for _, result in examined(subject, checked("check()", checks_of, checks)))
    return SmokeReport(image=subject.name, results=results, ready=subject.ready, build=subject.build)
