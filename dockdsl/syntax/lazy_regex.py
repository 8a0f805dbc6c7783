"""Regular expressions that are compiled when they are first used, because most programs need only a few of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, partial


def lazy_regex(pattern: str, flags: int = 0) -> Callable[[], re.Pattern[str]]:
    """Return a function that returns the compiled expression.

    >>> digits = lazy_regex("[0-9]+")
    >>> digits().findall("8000-8010")
    ['8000', '8010']
    """
    return cache(partial(re.compile, pattern, flags))
