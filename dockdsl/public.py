"""The public names: the list of them is the stub of the package, `__init__.pyi`."""

from __future__ import annotations

import os
from functools import cache
from typing import Any


@cache
def homes() -> dict[str, str]:
    """Return the module of each public name, as the lines ``from MODULE import NAME as NAME`` of the stub have it."""
    loader: Any = __spec__.loader
    stub: bytes = loader.get_data(os.path.join(os.path.dirname(__file__), "__init__.pyi"))
    lines = (line.split() for line in stub.decode().splitlines() if line.startswith("from "))
    return {line[3]: line[1] for line in lines}
