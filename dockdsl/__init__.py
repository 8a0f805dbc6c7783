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

_homes: dict[str, str] = {}


def _read_homes() -> dict[str, str]:
    """Return the module of each public name, as the lines ``from MODULE import NAME as NAME`` of the stub have it."""
    if not _homes:
        stub: bytes = __spec__.loader.get_data(__file__.removesuffix(".pyc").removesuffix(".py") + ".pyi")
        lines = (line.split() for line in stub.decode().splitlines() if line.startswith("from "))
        _homes.update((line[3], line[1]) for line in lines)
    return _homes


def __dir__() -> list[str]:
    return sorted([*_read_homes(), "__version__"])


def __getattr__(name: str) -> object:
    homes = _read_homes()
    if name == "__all__":
        return [*homes]
    if name in homes:
        from importlib import import_module

        value = getattr(import_module(homes[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'dockdsl' has no attribute {name!r}")
