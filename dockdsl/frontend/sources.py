"""What describes a build: the Python file, the modules beside it that it imports, and what replaces .dockerignore.

They are copied from where the command has them into a folder of the container.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Callable, Iterable

from dockdsl.frontend import llb
from dockdsl.frontend.gateway import Gateway
from dockdsl.frontend.messages import Definition
from dockdsl.frontend.places import Files
from dockdsl.frontend.wire import CallFailed

_SKIPPED = ("**/.git", "**/.venv", "**/venv", "**/node_modules", "**/__pycache__")
_FOLDER = 1 << 31
"""The bit of Go that says that a file is a folder."""
_DEEPEST = 32
"""How many folders may stand in each other."""
_IGNORE = ".dockerignore"


class Sources:
    """The files of one build."""

    def __init__(self, gateway: Gateway, filename: str, place: str) -> None:
        self._gateway, self._place = gateway, place
        self.filename = filename
        self.files = Files()
        self.ignore: bytes | None = None
        """What replaces the ``.dockerignore`` of the context."""
        self.vertex = ""
        """The step of the build that has loaded the file, by its digest."""

    @property
    def main(self) -> str:
        """The file, where it is now."""
        return self._path(self.filename)

    def load(self, name: str, session: str) -> None:
        """Load the files from a folder of the command, whose name among its folders is given.

        Raises `CallFailed` if the file is not there.
        """
        wanted = [self.filename, self.filename + _IGNORE]
        folder, base = os.path.split(self.filename)
        if base == "Dockerfile":
            wanted.append(os.path.join(folder, base.lower()))
        title = f"[internal] load build definition from {self.filename}"
        definition = llb.local(name, session, title, hint=name, patterns={"followpaths": wanted})
        self._take_main(definition)

        def beside(modules: Iterable[str]) -> str:
            patterns = [
                os.path.join(folder, each) for module in modules for each in (f"{module}.py", f"{module}/**/*.py")
            ]
            title = f"[internal] load Python modules beside {self.filename}"
            chosen = {"includepattern": patterns, "excludepatterns": _SKIPPED}
            return self._gateway.solve(llb.local(name, session, title, hint=f"{name}-python", patterns=chosen))

        self._load_modules(beside)

    def load_from(self, definition: Definition, filename: str | None = None) -> None:
        """Load the files from a definition that has all of them; the file may have another name there.

        Raises `CallFailed` if the file is not there.
        """
        self.filename = filename or self.filename
        reference = self._take_main(definition)
        self._load_modules(lambda _: reference)

    def _take_main(self, definition: Definition) -> str:
        self.vertex = llb.head(definition)
        reference = self._gateway.solve(definition)
        try:
            data = self._gateway.read(reference, self.filename)
        except CallFailed:
            folder, base = os.path.split(self.filename)
            if base != "Dockerfile":
                raise
            data = self._gateway.read(reference, os.path.join(folder, base.lower()))
        self._keep(self.filename, data)
        try:
            self.ignore = self._gateway.read(reference, self.filename + _IGNORE)
        except CallFailed:
            # It does not exist.
            self.ignore = None
        return reference

    def _load_modules(self, beside: Callable[[list[str]], str]) -> None:
        """Load what the file imports, and what that imports; `beside` returns where modules with these names are."""
        folder = os.path.dirname(self.filename)
        known: set[str] = {"dockdsl", *sys.stdlib_module_names}
        new = {self.main}
        while wanted := sorted({name for path in new for name in _imports(self.files.texts[path])} - known):
            known.update(wanted)
            before = set(self.files.texts)
            self._walk(beside(wanted), folder, set(wanted), _DEEPEST)
            new = set(self.files.texts) - before

    def _walk(self, reference: str, folder: str, modules: set[str] | None, depth: int) -> None:
        """Keep the Python files of a folder, in it only those of some modules, and of folders below it."""
        for entry in self._gateway.entries(reference, folder or "."):
            name = os.path.basename(entry.path)
            path = os.path.join(folder, name)
            if modules is not None and name.removesuffix(".py") not in modules:
                continue
            if entry.mode & _FOLDER:
                if depth:
                    self._walk(reference, path, None, depth - 1)
            elif name.endswith(".py"):
                self._keep(path, self._gateway.read(reference, path))

    def _path(self, name: str) -> str:
        """Return where a file is put, which is in the folder whatever its name is."""
        return self._place + os.path.normpath(f"/{name}")

    def _keep(self, name: str, data: bytes) -> None:
        path = self._path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
        self.files.texts[path], self.files.names[path] = data, name


def _imports(text: bytes) -> set[str]:
    """Return the first names of the modules that a Python file imports; a file that cannot be read has none."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found
