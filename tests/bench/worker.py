"""Measures a task against another in one warm process, in turns, and prints the ratios of their CPU times as JSON.

    python worker.py TASK ROUNDS SECONDS GO_FILE CORPUS

It runs in the benchmark's own environment. After so many SECONDS no further round is begun. The garbage collector works as
it always does, and has nothing left over from the task before.
"""

from __future__ import annotations

import ast
import gc
import gzip
import importlib
import json
import re
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import CodeType
from typing import Any

sys.path.append(str(Path(__file__).parent / "recipes"))

Task = Callable[[], object]
FEWEST = 3
BATCH = 60e6
"""The nanoseconds that a task should take at least; a shorter one is done several times."""
STAGES = 50
CYCLES = {1_000: 2, 10_000: 22}
"""Steps of large builds come in cycles of nine; with so many in each stage there are that many instructions."""


def body_of(path: Path) -> tuple[dict[str, Any], CodeType]:
    """Return a module's imported names, and its compiled body, to be run again and again."""
    tree = ast.parse(path.read_text())
    imports: list[ast.stmt] = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    rest = [node for node in tree.body if node not in imports]
    names: dict[str, Any] = {"__name__": "body"}
    exec(compile(ast.Module(imports, []), path, "exec"), names)
    return names, compile(ast.Module(rest, []), str(path), "exec")


def rendering(path: Path) -> Task:
    """Return the task of running a module's body, and rendering the Dockerfile of either library that it makes."""
    imported, body = body_of(path)

    def task() -> str:
        names = dict(imported)
        exec(body, names)
        return str(names["image"])

    return task


def go(_: Path) -> tuple[Task, Task]:
    """Make and render a Go build, with dockdsl and with Docked."""
    recipes = Path(__file__).parent / "recipes"
    return rendering(recipes / "dockdsl_go.py"), rendering(recipes / "docked_go.py")


def many(library: str, instructions: int) -> Task:
    """Return the task of making and rendering a large build."""
    recipe = importlib.import_module(f"{library}_many")
    return lambda: recipe.many(STAGES, CYCLES[instructions])


def large(_: Path) -> tuple[Task, Task]:
    """Make and render 1,000 instructions, with dockdsl and with hpccm."""
    keyword = re.compile(r"^(?:FROM|ARG|COPY|ENTRYPOINT|ENV|RUN|WORKDIR)\b", re.MULTILINE)
    ours, theirs = many("dockdsl", 1_000), many("hpccm", 1_000)
    assert [1_000, 1_000] == [len(keyword.findall(str(task()))) for task in (ours, theirs)]
    return ours, theirs


def growth(_: Path) -> tuple[Task, Task]:
    """Make and render 10,000 instructions, and 1,000."""
    return many("dockdsl", 10_000), many("dockdsl", 1_000)


def names(_: Path) -> tuple[Task, Task]:
    """Merge two equal chains of 5,000 stages, and of 2,000."""
    from dockdsl import Copy, Dockerfile, Run, Stage, render

    def chain(length: int) -> Stage:
        stage = Stage("golang:1.27-alpine", name="part-0", steps=[Run("make")])
        for number in range(1, length):
            steps = [Copy("/out", "/out", from_=stage), Run(f"make part-{number}")]
            stage = Stage("golang:1.27-alpine", name=f"part-{number}", steps=steps)
        return stage

    def twice(length: int) -> str:
        steps = [Copy("/out", f"/{name}", from_=chain(length)) for name in ("one", "two")]
        return render(Dockerfile(Stage("scratch", name="all", steps=steps)))

    return lambda: twice(5_000), lambda: twice(2_000)


def reading(_: Path) -> tuple[Task, Task]:
    """Read 4,000 stages, and 1,000."""
    from dockdsl import parse

    def text(stages: int) -> str:
        step = "FROM golang:1.27-alpine AS part-{}\nCOPY --from=part-{} /out /out\nRUN make part-{}\n"
        return "FROM golang:1.27-alpine AS part-0\n" + "".join(step.format(n, n - 1, n) for n in range(1, stages))

    large, small = text(4_000), text(1_000)
    return lambda: parse(large), lambda: parse(small)


def parsing(go_file: Path, corpus: Path) -> tuple[Task, Task]:
    """Read real Dockerfiles, or where they are not there those of builds/; what a reader refuses is refused in that time."""
    import dockerfile

    from dockdsl import DockerfileSyntaxError, parse

    if corpus.exists():
        with gzip.open(corpus, "rt", encoding="utf-8") as lines:
            texts = [json.loads(line)["text"] for line in lines]
    else:
        texts = [path.read_text() for path in sorted(go_file.parent.glob("*.Dockerfile"))] * 50

    def read(reader: Callable[[str], object], refusal: type[Exception]) -> None:
        for text in texts:
            with suppress(refusal):
                reader(text)

    return (
        lambda: read(parse, DockerfileSyntaxError),
        lambda: read(dockerfile.parse_string, dockerfile.GoParseError),
    )


def cpu_time(task: Task, times: int) -> float:
    """Return the nanoseconds of CPU that a task takes, on average of so many times."""
    gc.collect()
    start = time.process_time_ns()
    for _ in range(times):
        task()
    return (time.process_time_ns() - start) / times


def main() -> None:
    """Measure and print."""
    name, rounds, seconds, go_file, corpus = sys.argv[1:]
    makers = {"go": go, "large": large, "growth": growth, "names": names, "reading": reading}
    pair = parsing(Path(go_file), Path(corpus)) if name == "parse" else makers[name](Path(go_file))
    # The first is the warming up.
    times = [max(1, round(BATCH / cpu_time(task, 1))) for task in pair for _ in range(2)][1::2]
    ratios: list[float] = []
    end = time.monotonic() + float(seconds)
    while len(ratios) < FEWEST or (len(ratios) < int(rounds) and time.monotonic() < end):
        ratios.append(cpu_time(pair[0], times[0]) / cpu_time(pair[1], times[1]))
    print(json.dumps(ratios))


if __name__ == "__main__":
    main()
