"""ENTRYPOINT: what is its own (its forms are those of CMD, in test_cmd.py)."""

from __future__ import annotations

from dockdsl import Cmd, Entrypoint
from tests import laws


def test_text() -> None:
    """It is written with its own keyword, and is not equal to a CMD of the same words."""
    laws.check_row(Entrypoint.exec("/api"), 'ENTRYPOINT ["/api"]', __file__)
    laws.check_row(Entrypoint("exec /api"), "ENTRYPOINT exec /api", __file__)

    assert laws.anything(Entrypoint.exec("/api")) != Cmd.exec("/api")
    assert Entrypoint("/api") != Entrypoint.exec("/api")
