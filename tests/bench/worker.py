"""Makes and renders Dockerfiles with one library, warm, when told to, and says how long it took.

It runs under the benchmark's own interpreters: ``python worker.py LIBRARY GO_FILE SIZES``. SIZES is a JSON object that
names large builds, each by its stages and by the cycles of steps in each of them. Each line of stdin is a request,
``[task, times]`` in JSON, and each line of stdout the answer: the CPU nanoseconds of all the times together, or with
0 times the text itself. CPU time, since others may be using the machine. The garbage collector works as it always does.
"""

from __future__ import annotations

import ast
import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any

Task = Callable[[], str]


class Body(ast.NodeTransformer):
    """What a module makes: no imports, no main block, and of an ``Image(x, …)`` only the x, which is rendered."""

    def visit_If(self, node: ast.If) -> ast.AST | None:
        """Drop the main block."""
        return None if "__main__" in ast.unparse(node.test) else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Take the Dockerfile out of the Image of dockdsl; that of Docked is a Dockerfile."""
        inner = isinstance(node.func, ast.Name) and node.func.id == "Image"
        return node.args[0] if inner else self.generic_visit(node)


def body_of(path: Path) -> tuple[dict[str, Any], CodeType]:
    """Return a module's imported names, and its compiled body, to be run again and again."""
    tree = ast.parse(path.read_text())
    imports: list[ast.stmt] = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    rest = [node for node in tree.body if node not in imports]
    names: dict[str, Any] = {"__name__": "body"}
    exec(compile(ast.Module(imports, []), path, "exec"), names)
    return names, compile(Body().visit(ast.Module(rest, [])), str(path), "exec")


def go_of_dockdsl(path: Path) -> Task:
    """Return the task of builds/go_api.py: its stages and its Dockerfile, made and rendered."""
    from dockdsl import Dockerfile, render

    imported, body = body_of(path)
    made = dict(imported)
    exec(body, made)
    name = next(name for name, value in made.items() if isinstance(value, Dockerfile))

    def task() -> str:
        names = dict(imported)
        exec(body, names)
        return render(names[name])

    return task


def go_of_docked(path: Path) -> Task:
    """Return the task for Docked."""
    imported, body = body_of(path)

    def task() -> str:
        names = dict(imported)
        exec(body, names)
        return str(names["image"])

    return task


def go_of_containerspec(path: Path) -> Task:
    """Return the task for containerspec."""
    imported, body = body_of(path)

    def task() -> str:
        names = dict(imported)
        exec(body, names)
        text: str = names["api"].to_dockerfile()
        return text

    return task


def go_of_hpccm(path: Path) -> Task:
    """Return the task for hpccm, whose recipes find the stages and primitives as globals."""
    hpccm = importlib.import_module("hpccm")
    imported: dict[str, Any] = dict(vars(importlib.import_module("hpccm.primitives")))
    body = compile(path.read_text(), str(path), "exec")

    def task() -> str:
        names = {**imported, "Stage0": hpccm.Stage(), "Stage1": hpccm.Stage()}
        exec(body, names)
        return f"{names['Stage0']}\n\n{names['Stage1']}"

    return task


def go_of_docker_dsl(path: Path) -> Task:
    """Return the task for docker-dsl, which itself runs the module again for each rendering."""
    docker_dsl = importlib.import_module("docker_dsl")
    module = importlib.import_module(path.stem)

    def task() -> str:
        text: str = docker_dsl.Dockerfile(module).render()
        return text

    return task


GO_OF = {
    "dockdsl": go_of_dockdsl,
    "docked": go_of_docked,
    "hpccm": go_of_hpccm,
    "containerspec": go_of_containerspec,
    "docker-dsl": go_of_docker_dsl,
}


def many_of(library: str, stages: int, cycles: int) -> Task:
    """Return the task of making and rendering a large build."""
    module = importlib.import_module(f"{library.replace('-', '_')}_many")
    if library == "docker-dsl":
        dockerfile = importlib.import_module("docker_dsl").Dockerfile(module)
        return lambda: str(dockerfile.render(stages=stages, cycles=cycles))
    return lambda: str(module.many(stages, cycles))


def cpu_time(task: Task, times: int) -> int:
    """Return the nanoseconds of CPU that it takes to do the task so many times."""
    start = time.process_time_ns()
    for _ in range(times):
        task()
    return time.process_time_ns() - start


def main() -> None:
    """Answer requests until there are no more."""
    library, go_file, sizes = sys.argv[1:]
    tasks = {"go": GO_OF[library](Path(go_file))}
    tasks.update({name: many_of(library, *size) for name, size in json.loads(sizes).items()})
    for line in sys.stdin:
        task, times = json.loads(line)
        print(json.dumps(cpu_time(tasks[task], times) if times else tasks[task]()), flush=True)


if __name__ == "__main__":
    main()
