"""Reads Dockerfiles with several readers in one warm process, in turns, and prints their times as JSON.

    python reading.py ROUNDS CORPUS FOLDER

CORPUS is a file of real Dockerfiles, one JSON object with a ``text`` a line, packed with gzip; where it is not there, the
Dockerfiles of FOLDER are read, fifty times each. A time is CPU time in nanoseconds, for all the texts together. What a
reader refuses is refused in that time.
"""

from __future__ import annotations

import gzip
import io
import json
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

Reader = Callable[[str], object]


def texts_of(corpus: Path, folder: Path) -> list[str]:
    """Return what there is to read."""
    if corpus.exists():
        with gzip.open(corpus, "rt", encoding="utf-8") as lines:
            return [json.loads(line)["text"] for line in lines]
    return [path.read_text() for path in sorted(folder.glob("*.Dockerfile"))] * 50


def readers() -> dict[str, tuple[Reader, type[Exception]]]:
    """Return how each library reads a text, and what it raises where it refuses one."""
    import dockerfile
    from dockerfile_parse import DockerfileParser

    from dockdsl import DockerfileSyntaxError, parse

    def structure(text: str) -> object:
        return DockerfileParser(fileobj=io.BytesIO(text.encode())).structure

    return {
        "dockdsl": (parse, DockerfileSyntaxError),
        "dockerfile": (dockerfile.parse_string, dockerfile.GoParseError),
        "dockerfile-parse": (structure, ValueError),
    }


def main() -> None:
    """Measure and print."""
    rounds, corpus, folder = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    texts = texts_of(corpus, folder)
    times: dict[str, list[int]] = {}
    for _ in range(rounds + 1):
        for name, (read, refusal) in readers().items():
            start = time.process_time_ns()
            for text in texts:
                with suppress(refusal):
                    read(text)
            times.setdefault(name, []).append(time.process_time_ns() - start)
    # The first round is the warming up.
    print(json.dumps({"texts": len(texts), "times": {name: each[1:] for name, each in times.items()}}))


if __name__ == "__main__":
    main()
