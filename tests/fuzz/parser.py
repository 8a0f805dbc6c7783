"""Feeds the reader texts that are made to reach new code, until it is stopped: ``make fuzz``. BuildKit is the judge.

The arguments are those of libFuzzer: ``-max_total_time=60``, and a folder that keeps the texts that reached something
new. A text that breaks a law is written beside it, and is read again by naming it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

with atheris.instrument_imports(include=["dockdsl"]):
    import dockdsl.text.parser  # noqa: F401 - loaded here, it is watched

from tests.text.differential import FILES, PIECES, check_text


def one(data: bytes) -> None:
    """Read a text: what libFuzzer gives, each byte above 0x7f being a piece of the grammar."""
    text = "".join(
        [chr(each) if each < 0x80 else PIECES[each - 0x80] if each - 0x80 < len(PIECES) else "é" for each in data]
    )
    check_text(text)


def main() -> None:
    """Start with the texts of the ordinary tests."""
    folders = [Path(each) for each in sys.argv[1:] if not each.startswith("-")]
    for folder in folders[:1]:
        if not folder.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            for number, text in enumerate(FILES):
                (folder / f"given-{number}").write_text(text, encoding="ascii", errors="replace")
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
