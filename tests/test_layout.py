"""The architecture, as tests: layers, what is imported when, names that are public."""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import dockdsl
from dockdsl.instructions.registry import KEYWORDS, kind_for

PACKAGE = Path(dockdsl.__file__).parent
PUBLIC = [name for name in dir(dockdsl) if name != "__version__"]
# The rooms from the ground up: a file imports from its own room and from those that stand before it.
ROOMS = (
    *("public", "secrecy", "display", "origins", "errors", "ending", "misuse", "operands", "syntax", "instructions"),
    *("model", "text", "codegen", "schema", "migrate", "context", "lint", "engine", "checks"),
    *("image", "compare", "loading", "selection", "linting", "fixing", "frontend", "editor", "cli", "pytest_plugin"),
)
# The engine takes text and folders: it knows nothing of what a Dockerfile is made of, but how images are named.
ENGINE_KNOWS = {"secrecy", "display", "origins", "errors", "misuse", "operands", "context", "engine"}
IMAGE_NAMES = "syntax.references"


def modules() -> list[Path]:
    """Return the package's source files."""
    return sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    """Return a file's dotted name below the package."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(path): path for path in modules()}


def imported(path: Path) -> set[str]:
    """Return the files of the package that a file imports, wherever the import stands in it and whatever for."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "dockdsl":
            inside = (node.module or "").removeprefix("dockdsl").removeprefix(".")
            for alias in node.names:
                full = f"{inside}.{alias.name}".removeprefix(".")
                found.add(full if full in NAMES else inside)
        elif isinstance(node, ast.Import):
            found |= {alias.name.removeprefix("dockdsl.") for alias in node.names if alias.name.startswith("dockdsl.")}
    return found - {""}


INNER = [path for path in modules() if name_of(path) not in ("", "__main__")]


@pytest.mark.parametrize("path", INNER, ids=name_of)
def test_imports_lead_down(path: Path) -> None:
    """No file imports from a room above its own, not even in a function or for its types; the engine knows its own."""
    here = name_of(path).split(".")[0]
    rooms = {there.split(".")[0] for there in imported(path)}

    assert not {there for there in rooms if ROOMS.index(there) > ROOMS.index(here)}
    if here == "engine":
        assert {there.split(".")[0] for there in imported(path) - {IMAGE_NAMES}} <= ENGINE_KNOWS


# What is imported inside functions, all of it for its weight alone: few runs need these libraries…
LATE_LIBRARIES = {
    *("argparse", "ast", "attrs", "base64", "bisect", "csv", "datetime", "difflib", "fcntl", "hashlib", "html", "http"),
    *("importlib", "inspect", "ipaddress", "json", "marshal", "pathlib", "shlex", "signal", "socket"),
    *("subprocess", "tempfile", "textwrap", "tokenize", "tomllib", "traceback", "urllib"),
    # These come with extras besides.
    *("argcomplete", "docker", "dockerfile", "elftools", "re2", "requests", "rich", "urllib3", "yaml"),
}
# … and these files: what runs, builds and examines, which a file that is only rendered does not need; BuildKit's word
# expansion, for files with heredocs; and all that the plugin uses, since pytest loads it for every project.
LATE_FILES = {
    *("checks.http_client", "checks.program", "checks.report", "checks.smoke", "checks.subject"),
    *("cli.completion", "cli.files", "cli.fixes", "cli.json_results", "cli.junit_results", "cli.parser"),
    *(
        "fixing.python",
        "editor.features",
        "editor.worker",
        "cli.together",
        "selection",
        "linting",
        "lint.bounding",
        "lint.data",
        "lint.own",
    ),
    *("codegen.printer", "codegen.steps", "display", "errors", "operands", "public", ""),
    *("engine.builders", "engine.builders.buildx", "engine.builders.progress", "engine.builders.secret"),
    *("engine.building", "engine.endpoint"),
    *("engine.failures.causes", "engine.failures.diagnosis", "engine.flags", "engine.leftovers"),
    *("engine.leftovers.interrupts", "engine.leftovers.orphans", "engine.options"),
    *("engine.runners.docker_sdk", "engine.running"),
    *("engine.specifications", "image", "image.built", "image.health", "image.place", "image.size", "model.dockerfile"),
    *("model.graph", "model.mapping", "model.variable_bases", "syntax.expand"),
    *("text.buildah", "text.parser", "text.proof", "text.rendering"),
}


def late_imports(path: Path) -> Iterator[str]:
    """Yield what a file imports inside functions."""
    functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
    for node in [each for function in functions for each in ast.walk(function)]:
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_late_imports_are_known() -> None:
    """An import inside a function is one of those that are listed, and each that is listed is there."""
    found = {name for path in modules() for name in late_imports(path)}
    ours = {name for name in found if name.split(".")[0] == "dockdsl"}

    assert {name.removeprefix("dockdsl").removeprefix(".") for name in ours} == LATE_FILES
    assert {name.split(".")[0] for name in found - ours} == LATE_LIBRARIES


def test_no_circles() -> None:
    """No file imports itself by way of others: each can be read when those below it are known."""
    graph = {name_of(path): imported(path) - {name_of(path)} for path in INNER}

    assert [] == [sorted(circle) for circle in circles(graph)]


def circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """Return the groups of files that reach each other."""

    def reach(start: str) -> set[str]:
        seen: set[str] = set()
        left = [start]
        while left:
            for there in graph.get(left.pop(), set()) - seen:
                seen.add(there)
                left.append(there)
        return seen

    reached = {name: reach(name) for name in graph}
    found: list[set[str]] = []
    for name in graph:
        circle = {other for other in reached[name] if name in reached.get(other, set())}
        if circle and circle not in found:
            found.append(circle)
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_docker_is_imported_in_one_place(path: Path) -> None:
    """The SDK is imported by its own module alone, inside the functions that need it."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        if any(name.split(".")[0] in ("docker", "requests") for name in names):
            assert "docker_sdk.py" == path.name


def loaded_by(code: str) -> set[str]:
    """Return the modules that are loaded after running `code` in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=PACKAGE.parent,
        # Measuring coverage loads modules of its own.
        env={name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")},
    )
    return set(done.stdout.split())


def test_generation_needs_attrs_alone() -> None:
    """The whole core comes with attrs and the standard library, and with none of its heavy parts."""
    names = ", ".join(PUBLIC)
    loaded = loaded_by(f"from dockdsl import {names}")

    assert "attr" in loaded
    assert not loaded & {
        "docker",
        "requests",
        "urllib3",
        "json",
        "subprocess",
        "argparse",
        "http",
        "asyncio",
        "hashlib",
    }


def test_an_image_with_checks_is_light() -> None:
    """What builds, runs and asks is loaded when it does, and of the kinds of checks those that are used."""
    loaded = loaded_by(
        "from dockdsl import HttpCheck, Image; HttpCheck('GET', '/', json={'a': ...}, headers={'a': 'b'})"
    )

    assert not loaded & {"docker", "json", "subprocess", "http", "socket", "urllib", "tarfile", "tempfile", "shlex"}
    assert {"check", "http", "json_values", "judging", "saving", "searching"} == {
        name.removeprefix("dockdsl.checks.") for name in loaded if name.startswith("dockdsl.checks.")
    }


def test_importing_the_package_loads_nothing() -> None:
    """``import dockdsl`` alone loads no module of the core."""
    assert not {name for name in loaded_by("import dockdsl") if name.startswith(("dockdsl.", "attr"))}


def test_public_names() -> None:
    """What type checkers see, what ``__all__`` says and what can be imported are the same names."""
    tree = ast.parse((PACKAGE / "__init__.pyi").read_text())
    typed = {
        alias.asname: node.module for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }

    assert sorted(map(str, typed)) == PUBLIC == sorted(getattr(dockdsl, "__all__"))  # noqa: B009
    for name, module in typed.items():
        assert getattr(dockdsl, str(name)) is getattr(import_module(str(module)), str(name))
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        getattr(dockdsl, "Nothing")  # noqa: B009


def test_the_table_of_contents_is_complete() -> None:
    """Each instruction of the folder stands in the table of contents and is public."""
    classes = {
        value.KEYWORD: value
        for path in PACKAGE.joinpath("instructions").glob("*.py")
        for value in vars(import_module(f"dockdsl.instructions.{path.stem}")).values()
        if isinstance(value, type) and issubclass(value, dockdsl.Instruction) and value.KEYWORD
    }

    assert {keyword: kind_for(keyword) for keyword in KEYWORDS} == classes
    for value in classes.values():
        assert getattr(dockdsl, value.__name__) is value
        assert value.__name__ in PUBLIC


def test_methods_of_instructions_are_documented() -> None:
    """Each public method of an instruction or a mount has a docstring, of its own or of the method that it overrides."""
    kinds = [
        *map(kind_for, KEYWORDS),
        dockdsl.Comment,
        dockdsl.Verbatim,
        dockdsl.Heredoc,
        *dockdsl.Mount.__subclasses__(),
    ]
    for kind in kinds:
        assert kind is not None
        for name in [name for name in dir(kind) if name.islower() and not name.startswith("_")]:
            value = getattr(kind, name)
            assert not callable(value) or inspect.getdoc(value), f"{kind.__name__}.{name}"


def test_public_names_are_documented() -> None:
    """Each public function and class says what it is, with an example and its source."""
    for name in PUBLIC:
        value = getattr(dockdsl, name)
        if isinstance(value, type) and issubclass(value, BaseException):
            assert value.__doc__
        elif callable(value) and name not in (
            "Instruction",
            "Mount",
            "Literal",
            "Layout",
            "Origin",
            "Rendered",
            "SyntaxProblem",
            *("Edge", "Need", "Step", "Use", "Variable"),
        ):
            doc = value.__doc__ or ""
            assert ">>>" in doc, name
            # The runner's values are no part of the Dockerfile language.
            assert "Source:" in doc or value.__module__.split(".")[1] in ("image", "checks"), name
