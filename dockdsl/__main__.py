"""``python -m dockdsl``."""

from dockdsl.cli import program

raise SystemExit(program())
