"""Permissions that were written as a number."""

from __future__ import annotations

import re


def reads_as_mode(value: int) -> bool:
    """Whether the decimal digits of a number look like permissions: 755 is 0o1363, which is not intended.

    >>> reads_as_mode(755), reads_as_mode(0o755)
    (True, False)
    """
    # No usual permissions in octal have such digits.
    return 400 <= value <= 777 and re.fullmatch(r"7*6*5*4*0*", str(value)) is not None
