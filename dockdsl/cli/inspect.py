"""The verb ``inspect``: the contents of a Dockerfile, as a summary or as data for other programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dockdsl.cli.streams import json_text, put, show
from dockdsl.display import counted
from dockdsl.errors import SourceError
from dockdsl.schema.description import describe
from dockdsl.schema.json_schema import json_schema
from dockdsl.selection import model

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "source",
        metavar="FILE[:NAME]",
        nargs="?",
        help="a Python file (*.py), and the name of the object if it defines several; or a Dockerfile (- is stdin)",
    )
    parser.add_argument("--json", action="store_true", help="print the whole model as JSON, for other programs")
    parser.add_argument("--schema", action="store_true", help="print the JSON Schema of that instead")


def run(options: argparse.Namespace) -> int:
    """Describe, and print."""
    if options.schema:
        if options.source is not None:
            raise SourceError("--schema takes no file; leave one of them out")
        put(json_text(json_schema()))
        return 0
    if options.source is None:
        raise SourceError("there is nothing to inspect; name a file, or use --schema")
    data = describe(model(options.source))
    if options.json:
        put(json_text(data))
    else:
        show(summary(data))
    return 0


def summary(data: dict[str, Any]) -> str:
    """Return a line for each stage, and one for the whole Dockerfile."""
    stages = data["stages"]
    lines = []
    for stage in stages:
        platform = "" if stage["platform"] is None else f" for {_shown(stage['platform'])}"
        steps = counted(sum(step["instruction"] != "COMMENT" for step in stage["steps"]), "step")
        taken: dict[str, list[str]] = {}
        for source, path in _taken(stage):
            paths = taken.setdefault(_source(source, stages), [])
            if path not in paths:
                paths.append(path)
        takes = " and ".join(f"{', '.join(paths)} from {source}" for source, paths in taken.items())
        begin = f"{_called(stage)}: from {_source(stage['base'], stages)}{platform}, {steps}"
        lines.append(f"{begin}, takes {takes}\n" if takes else f"{begin}\n")
    needed = {edge["needs"] for edge in data["edges"]}
    targets = data["targets"]
    # The last target is the default; targets that another stage needs are not interesting in themselves.
    built = [*targets[-1:], *[target for target in targets[:-1] if target not in needed]]
    builds = ", or ".join(_called(stages[target]) for target in built) or "nothing"
    version = data["minimum_syntax"]
    labs = ", labs channel" if version["labs"] else ""
    return f"{''.join(lines)}builds {builds}; needs frontend {version['version']}{labs}\n"


def _taken(stage: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield what the steps of a stage copy or mount from stages and images: the source, and the path in it."""
    for step in stage["steps"]:
        if step.get("from") is not None:
            for path in step["sources"]:
                yield step["from"], path["name"] if isinstance(path, dict) else _shown(path)
        for mount in step.get("mounts", ()):
            if mount.get("from") is not None:
                yield mount["from"], "/" if mount["source"] is None else _shown(mount["source"])


def _source(source: dict[str, Any], stages: list[dict[str, Any]]) -> str:
    return _called(stages[source["stage"]]) if "stage" in source else _shown(source["image"])


def _called(stage: dict[str, Any]) -> str:
    return str(stage["name"] or f"stage {stage['index']}")


def _shown(word: Any) -> str:
    """Return a word for display, where it does not matter whether a dollar in it is literal."""
    return (
        word if isinstance(word, str) else "".join(each if isinstance(each, str) else each["literal"] for each in word)
    )
