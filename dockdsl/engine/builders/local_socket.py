"""A question to the engine behind a socket of this machine, which is answered before a docker command has started."""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any
from urllib.parse import quote

QUESTION = 30.0
"""Seconds that a question to the engine may take."""


class NoQuestion(Exception):
    """What listens at the socket could not be asked."""


def image_at(path: str, name: str) -> dict[str, Any] | None:
    """Return what the engine knows of an image, None where it does not have it.

    Raises `TimeoutError`, and `NoQuestion` where something else than an answer comes.

    Source: the Docker Engine API, "Inspect an image".
    """
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    try:
        connection.sock.settimeout(QUESTION)
        connection.sock.connect(path)
        connection.request("GET", f"/images/{quote(name, safe='/:@')}/json")
        answer = connection.getresponse()
        found = json.loads(answer.read())
    except TimeoutError:
        raise
    except (OSError, http.client.HTTPException, ValueError):
        raise NoQuestion from None
    finally:
        connection.close()
    if answer.status == http.client.NOT_FOUND:
        return None
    if answer.status != http.client.OK or not isinstance(found, dict) or "Id" not in found:
        raise NoQuestion
    return found
