"""Folders for rules that look at the build context, written as the pages of rules have them."""

from __future__ import annotations

from pathlib import Path

from dockdsl.context.sending import BuildContext
from dockdsl.lint.build import Build


def plant(root: Path, listing: str) -> None:
    r"""Make files from lines: ``name``, ``name: content`` (where ``\n`` is a newline), ``name -> target``, ``name/``."""
    for line in listing.splitlines():
        name, is_link, target = line.partition(" -> ")
        if not is_link:
            name, _, content = line.partition(": ")
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if is_link:
            path.symlink_to(target)
        elif name.endswith("/"):
            path.mkdir()
        else:
            path.write_text(content.replace("\\n", "\n") + "\n")


def build(root: Path, listing: str, options: str = "", dockerfile: str | None = None) -> Build:
    """Return how a Dockerfile is built with such files, if any; options are ``target=…`` and ``port=…``."""
    plant(root, listing)
    given = dict(line.split("=") for line in options.split())
    targets = (given["target"],) if "target" in given else ("",)
    port = int(given["port"]) if "port" in given else None
    context = BuildContext.of(root, dockerfile=dockerfile) if listing else None
    return Build(context, targets=targets, is_all="target" in given, port=port)
