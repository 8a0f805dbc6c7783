"""The architecture, as tests: layers, what is imported when, names that are public."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import dockdsl
from dockdsl import instructions

PACKAGE = Path(dockdsl.__file__).parent
# A module may import what stands in its own group or above it.
LAYERS = [
    {"errors"},
    {"syntax"},
    {"instructions"},
    {"stage"},
    {"dockerfile"},
    {"rendering"},
    {"parser", "codegen", "proof", "description", "dialect"},
    {"formatting"},
    {"image"},
    {"cli"},
    {"pytest_plugin"},
]
# The engine takes text and folders: of all the rest it knows the errors alone.
APART = {"engine": {"errors"}}
# Imports against the order, each inside a function, with its reason.
DECLARED = {
    ("dockerfile", "rendering"),  # str(dockerfile) is its text
    ("image", "engine"),  # Image.build() and Image.test() are shortcuts to the runner
    ("image", "rendering"),
    ("cli", "engine"),
    ("pytest_plugin", "engine"),
}


def modules() -> list[Path]:
    """Return the package's source files."""
    return sorted(PACKAGE.rglob("*.py"))


def group(path: Path) -> str:
    """Return the name of the group a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[tuple[str, bool]]:
    """Return the groups of dockdsl that a file imports, and whether at its top level."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for child in ast.walk(node)
    }
    top = {id(node) for node in tree.body}
    found = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dockdsl."):
            found.add(((node.module or "").split(".")[1], id(node) in top))
        elif isinstance(node, ast.Import):
            found |= {
                (alias.name.split(".")[1], id(node) in top) for alias in node.names if alias.name.startswith("dockdsl.")
            }
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_layers(path: Path) -> None:
    """Imports go one way; an exception is declared, and stands inside a function."""
    here = group(path)
    order = {name: index for index, names in enumerate(LAYERS) for name in names}
    for there, at_top in imported(path):
        if there == here or here in ("__init__", "__main__"):
            continue
        if here in APART:
            assert there in APART[here], f"{path.name} imports {there}"
        elif there in APART or order[there] > order[here]:
            assert (here, there) in DECLARED, f"{path.name} imports {there}"
            assert here == "cli" or not at_top, f"{path.name} imports {there} at its top"


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
    names = ", ".join(name for name in dockdsl.__all__)
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


def test_importing_the_package_loads_nothing() -> None:
    """``import dockdsl`` alone loads no module of the core."""
    assert not {name for name in loaded_by("import dockdsl") if name.startswith(("dockdsl.", "attr"))}


def test_public_names() -> None:
    """What type checkers see, what ``__all__`` says and what can be imported are the same names."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    typed = {
        alias.asname or alias.name: node.module
        for block in tree.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dockdsl")
        for alias in node.names
    }

    assert sorted(typed) == sorted(dockdsl.__all__)
    assert sorted([*typed, "__version__"]) == dir(dockdsl)
    for name, module in typed.items():
        assert f"dockdsl.{dockdsl._HOME_OF[name]}" == module
        assert getattr(dockdsl, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        dockdsl.Nothing  # noqa: B018


def test_the_table_of_contents_is_complete() -> None:
    """Each instruction of the folder stands in the table of contents and is public."""
    classes = {
        value
        for path in PACKAGE.joinpath("instructions").glob("*.py")
        for value in vars(__import__(f"dockdsl.instructions.{path.stem}", fromlist=["x"])).values()
        if isinstance(value, type) and issubclass(value, instructions.Instruction) and value.KEYWORD
    }

    assert 19 == len({value.KEYWORD for value in classes})
    for value in classes:
        assert getattr(instructions, value.__name__) is value
        assert value.__name__ in dockdsl.__all__


def test_public_names_are_documented() -> None:
    """Each public function and class says what it is, with an example and its source."""
    for name in dockdsl.__all__:
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
        ):
            doc = value.__doc__ or ""
            assert ">>>" in doc, name
            # The runner's values are no part of the Dockerfile language.
            assert "Source:" in doc or dockdsl._HOME_OF[name] == "image", name
