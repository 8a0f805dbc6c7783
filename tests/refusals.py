"""What must hold of every refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dockdsl import DockdslError, InvalidType


def check_refusal(error: DockdslError) -> None:
    """Assert that an error says the construct, the fact and the remedy, and names this side of the package."""
    construct, colon, rest = str(error).partition(": ")
    assert construct
    assert colon
    assert "; " in rest, str(error)
    assert "\n" not in str(error)
    assert isinstance(error, (TypeError if isinstance(error, InvalidType) else ValueError))


def check_refused(make: Callable[[], Any], kind: Any, message: str, file: str) -> None:
    """Assert that a constructor refuses, in words that name construct, fact and remedy, at the line of the caller."""
    with pytest.raises(kind, match=message) as caught:
        make()
    check_refusal(caught.value)
    assert caught.value.origin is not None
    assert file == caught.value.origin.path
