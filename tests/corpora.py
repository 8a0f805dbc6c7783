"""Collections of real Dockerfiles and of BuildKit's own cases, which may be beside the checkout in a folder `shared`.

A test that reads them is marked `corpora`; where they are missing, `conftest.py` leaves it out.
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

SHARED = Path(__file__).resolve().parents[2] / "shared"
CORPUS = SHARED / "corpus" / "open.jsonl.gz"
CASES = SHARED / "cases"


@cache
def corpus() -> list[dict[str, Any]]:
    """Return the real Dockerfiles."""
    with gzip.open(CORPUS, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def cases(*names: str) -> list[dict[str, Any]]:
    """Return BuildKit's cases from the collections whose names match; none where they are missing."""
    paths = [path for name in names for path in sorted(CASES.glob(f"{name}.json"))]
    return [case for path in paths for case in json.loads(path.read_text(encoding="utf-8"))["cases"]]
