"""The program: ``dockdsl``, or ``python -m dockdsl``."""

from gc import set_threshold

# What is imported stays: to collect it again and again takes a tenth of the time of a rendering.
set_threshold(50_000, 20, 20)

from dockdsl.cli import program  # noqa: E402 - what it imports is what would be collected

if __name__ == "__main__":
    raise SystemExit(program())
