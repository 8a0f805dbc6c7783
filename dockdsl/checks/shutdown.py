"""GracefulShutdown: what happens to a request that is in flight when the server has to stop."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs

from dockdsl import operands as operand
from dockdsl.checks.check import Check
from dockdsl.checks.http import HttpCheck
from dockdsl.display import kind_of
from dockdsl.errors import Refused

if TYPE_CHECKING:
    from dockdsl.checks.report import CheckResult
    from dockdsl.checks.subject import Subject


def _request(value: HttpCheck) -> HttpCheck:
    if not isinstance(value, HttpCheck):
        raise Refused(f"{kind_of(value)} is not a request", "pass an HttpCheck", wrong_type=True)
    if value.uses or value.save:
        raise Refused("it saves or uses values", "leave them out, since its server is a fresh one")
    return value


def _exit_codes(value: int | Iterable[int]) -> tuple[int, ...]:
    found = operand.one_or_several(value)
    if not found:
        raise Refused("no code is given", "name one, or leave it out for 0")
    return tuple(operand.whole(each, 0, 255) for each in found)


_BY_SIGNAL = {130: "SIGINT", 143: "SIGTERM"}
"""Codes with which some servers, such as a JVM, end regularly: 128 and the number of the signal."""


@attrs.frozen(slots=False, repr=False, field_transformer=operand.named)
class GracefulShutdown(Check):
    """A request that is in flight when the server gets its stop signal is answered, and the server ends as it should.

    It has a server of its own. The request is sent without the last byte of its body; then the container gets its stop
    signal, as ``docker stop`` sends it; then the last byte is sent.

    `request`
        The request and its answer. It needs a body (``send_json=`` or ``send_body=``), or it must take half a second
        by itself.
    `within`
        Seconds from the answer until the server must have ended. The engine's own patience is 10.
    `exit_code`
        The code that the server must end with, or several, any of which will do: 143 for a JVM after SIGTERM.

    Raises `InvalidValue` and `InvalidType`.

    >>> GracefulShutdown(HttpCheck("POST", "/notes", status=201, send_json={"title": "late"})).title
    'graceful shutdown during POST /notes'
    >>> GracefulShutdown(HttpCheck("GET", "/slow"), exit_code=[0, 143]).exit_code
    (0, 143)
    """

    needs_server = needs_port = True
    request: HttpCheck = attrs.field(converter=_request)
    within: float = attrs.field(default=10.0, kw_only=True, converter=operand.seconds)
    exit_code: tuple[int, ...] = attrs.field(default=0, kw_only=True, converter=_exit_codes)

    @property
    def title(self) -> str:
        """The request that is in flight."""
        return f"graceful shutdown during {self.request.title}"

    def examine(self, subject: Subject) -> CheckResult:
        """Start a server, send it a request, stop it meanwhile, and see how both end."""
        # A check is light until it is run.
        from dockdsl.checks.http_client import NoAnswer, ask  # noqa: PLC0415
        from dockdsl.checks.subject import ended  # noqa: PLC0415

        signal = str(subject.config.get("StopSignal") or "SIGTERM")
        wrong: list[str] = []
        port = subject.port
        with subject.serving() as (container, _):

            def stop(answered: bool) -> None:
                if answered:
                    wrong.append("it was answered before the signal; send a body, or request what takes longer")
                container.signal(signal)

            address = container.address(port)
            try:
                answer = ask(address, self.request, timeout=self.request.timeout, midway=stop)
                wrong += self.request.judge(answer.status, answer.headers, answer.body)
            except NoAnswer as error:
                wrong.append(f"the request in flight: {error}")
            begin = time.monotonic()
            state = ended(container, self.within)
            seconds = time.monotonic() - begin
            if state.running:
                wrong.append(
                    f"expected it to end within {self.within:g} s of {signal}, and it still runs; "
                    "handle the signal in the image's first process"
                )
            elif state.exit_code not in self.exit_code:
                wrong.append(self._unlike(state.exit_code))
            log = container.logs() if wrong else ()
        return self.result(wrong, detail=f"ended with exit code {state.exit_code}", seconds=seconds, log=log)

    def _unlike(self, code: int | None) -> str:
        fact = f"expected exit code {' or '.join(map(str, self.exit_code))}, got {code}"
        if self.exit_code != (0,) or code not in _BY_SIGNAL:
            return fact
        return f"{fact}; if that is how it ends regularly after {_BY_SIGNAL[code]}, pass exit_code={code}"
