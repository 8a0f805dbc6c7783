"""Why a server that runs is not ready: what its port speaks, what its image exposes, what its log says."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterable, Mapping
from typing import Any

from dockdsl.checks.http_client import NoAnswer

_TLS_TIMEOUT = 3.0
_begins = re.compile(r"(?i)listen|serv|start|running|bound|ready|http://").search
_ports = re.compile(r"(?i)(?:\bport\b[ =:]*|:)(\d{2,5})\b").findall
_LOWEST = 80
"""The lowest port that is looked for in a log: below it stand minutes and seconds."""


def remedy(
    address: tuple[str, int], port: int, config: Mapping[str, Any], log: Iterable[str], last: NoAnswer | None
) -> str:
    """Return what to do about a server that did not get ready.

    `address` is where it was asked, `port` the container's port; `config` is what the image says of how it is run, and
    `last` what became of the last request.
    """
    if _speaks_tls(address):
        return f"port {port} speaks TLS and was asked in plain HTTP: pass the port= of one without TLS"
    if last is not None and last.has_begun:
        return "see why it gives that answer"
    if last is not None and last.is_silent:
        return f"see what the server waits for: it took the request on port {port}"
    listens = f"see that it listens on 0.0.0.0:{port} inside"
    exposed = [each.partition("/")[0] for each in config.get("ExposedPorts") or () if not each.endswith("/udp")]
    if exposed and str(port) not in exposed:
        return f"the image exposes {' and '.join(exposed)}: pass port={exposed[0]}, or {listens}"
    said = [line for line in log if _begins(line)]
    if any(re.search(rf"(?:127\.0\.0\.1|localhost|\[::1\]):{port}\b", line) for line in said):
        return f"its log says that it listens on its loopback address, which only the container reaches: {listens}"
    named = [each for line in said for each in _ports(line) if _LOWEST <= int(each) < 1 << 16]
    if named and str(port) not in named:
        return f"its log names the port {named[-1]}: pass port={named[-1]}, or {listens}"
    return listens


def _speaks_tls(address: tuple[str, int]) -> bool:
    """Whether a server answers to a TLS handshake, be it with a refusal."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection(address, _TLS_TIMEOUT) as plain,
            context.wrap_socket(plain, server_hostname="localhost"),
        ):
            return True
    except ssl.SSLError as error:
        return "ALERT" in str(error.reason)
    except OSError:
        return False
