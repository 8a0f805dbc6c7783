"""dockdsl: Dockerfiles as typed Python values.

Write a `Stage` of instructions, put it into a `Dockerfile`, and `render` it::

    from dockdsl import Copy, Dockerfile, Entrypoint, Run, Stage, render

    build = Stage("golang:1.27-alpine", name="build", steps=[Copy(".", "."), Run("go build -o /api .")])
    api = Stage("scratch", steps=[Copy("/api", "/api", from_=build), Entrypoint.exec("/api")])
    print(render(Dockerfile(api)))

Names are imported when they are used, so that importing the package costs next to nothing. The list of them is the stub
beside this file, which type checkers and editors read.
"""

from __future__ import annotations

__version__ = "0.1.0"


def __dir__() -> list[str]:
    from dockdsl.public import homes

    return sorted([*homes(), "__version__"])


def __getattr__(name: str) -> object:
    from importlib import import_module

    from dockdsl.public import homes

    known = homes()
    if name == "__all__":
        return [*known]
    if name in known:
        value = getattr(import_module(known[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'dockdsl' has no attribute {name!r}")
