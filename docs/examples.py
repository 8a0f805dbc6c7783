"""What the pages need so that all they show is true: files are written, sessions are run, tables are tried.

The doctest builder runs each page in a scratch folder of its own, which holds copies of ``builds/`` and ``go_app/``.

``{file} PATH``
    A file, shown with its name and written into the scratch folder.
``{session}``
    Commands after ``$ `` with what they print. ``:engine:`` marks one that needs a container engine: it is run where
    ``DOCKDSL_DOCS_ENGINE`` is set. There sizes, durations, dates, cached steps and the width of columns may differ, and
    ``...`` stands for anything else that differs from run to run. ``:serves:`` marks a command that runs on: its first
    line is compared, and it gets Ctrl-C at the end of the page.
``{dockerfile}``
    As ``{testoutput}``: what the ``{testcode}`` above prints, shown as a Dockerfile.
"""

from __future__ import annotations

import doctest
import importlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, cast

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.ext.doctest import TestoutputDirective
from sphinx.util.docutils import SphinxDirective

import dockdsl

ROOT = Path(__file__).resolve().parent.parent
_LANGUAGES = {".py": "python", ".sh": "sh", ".go": "go", ".toml": "toml"}
_DOCUMENTED = (
    "dockdsl",
    "dockdsl.engine.building",
    "dockdsl.engine.running",
    "dockdsl.checks.report",
    "dockdsl.checks.smoke",
    "dockdsl.checks.subject",
    "dockdsl.checks.http_client",
    "dockdsl.checks.image_files",
    "dockdsl.image.built",
    "dockdsl.checks.check",
    "dockdsl.engine.builders.buildx",
    "dockdsl.engine.builders.buildah",
    "dockdsl.text.buildah",
    "dockdsl.engine.builders.live",
    "dockdsl.engine.runners.docker_sdk",
    "dockdsl.engine.fake",
    "dockdsl.image.size",
    "dockdsl.lint.subject",
)
_FUNCTIONS = (
    "from_structure_test",
    "build_and_smoke",
    "check",
    "for_buildah",
    "describe",
    "expand",
    "external",
    "literal",
    "plain",
    "prove",
    "render",
    "render_with_map",
    "smoke",
    "to_python",
    "watch",
)
_scratch: list[tuple[str, str]] = []
_serving: list[subprocess.Popen[str]] = []


def enter() -> None:
    """Make the scratch folder of a page, and go there."""
    folder = tempfile.mkdtemp(prefix="dockdsl-docs-")
    for name in ("builds", "go_app"):
        shutil.copytree(ROOT / name, Path(folder) / name)
    _scratch.append((folder, str(Path.cwd())))
    os.chdir(folder)


def leave() -> None:
    """End what still runs, go back, and remove the scratch folder."""
    while _serving:
        with _serving.pop() as process:
            process.send_signal(signal.SIGINT)
            try:
                process.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
    folder, before = _scratch.pop()
    os.chdir(before)
    shutil.rmtree(folder)


def write(path: str, text: str) -> None:
    """Write a file that a page shows."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


def run(session: str, *, engine: bool, serves: bool = False) -> None:
    """Run a session, and print what it really looks like if that is not what the page shows."""
    if engine and not os.environ.get("DOCKDSL_DOCS_ENGINE"):
        return
    real = ""
    for command in _commands(session):
        printed = _first_line(command) if serves else _printed(command)
        real += f"$ {command}\n{printed}"
        # The next prompt has a line of its own, whatever was printed.
        real += "\n" if printed and not printed.endswith("\n") else ""
    if not _same(f"{session}\n", real, engine=engine):
        print(real, end="")  # noqa: T201 - what is printed is what doctest reports


def _printed(command: str) -> str:
    done = subprocess.run(  # noqa: S603 - the page's own commands
        ["bash", "-c", command.replace("\n> ", "\n")],  # noqa: S607 - the shell of the reader
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
        timeout=1800,
        env=_environment(),
    )
    return done.stdout


def _first_line(command: str) -> str:
    process = subprocess.Popen(  # noqa: S603 - as above
        ["bash", "-c", f"exec {command}"],  # noqa: S607 - as above
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        text=True,
        env=_environment(),
    )
    _serving.append(process)
    assert process.stdout is not None
    return process.stdout.readline()


def _environment() -> dict[str, str]:
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def _same(shown: str, real: str, *, engine: bool) -> bool:
    return (
        doctest.OutputChecker().check_output(_alike(shown), _alike(real), doctest.ELLIPSIS) if engine else shown == real
    )


def _alike(text: str) -> str:
    """Return a text without what differs from run to run: figures with their unit, dates, the width of columns."""
    for pattern, instead in (
        (r"<?\b\d[\d.]* ?([mun]?s|[kMG]?B|times|秒)\b", r"0 \1"),
        (r"<?\b\d+ %", "0 %"),
        (r"\b\d+ of (?=\d+ steps cached)", "0 of "),
        (r"\b\d{4}-\d\d-\d\dT[\d:.]+Z", "0000-00-00T00:00:00Z"),
        (r"[ \t]+", " "),
    ):
        text = re.sub(pattern, instead, text)
    return text


def _commands(session: str) -> Iterator[str]:
    lines = session.split("\n")
    for index, line in enumerate(lines):
        if line.startswith("$ "):
            more = index + 1
            while more < len(lines) and lines[more].startswith("> "):
                more += 1
            yield "\n".join([line[2:], *lines[index + 1 : more]])


def rows(page: str, heading: str) -> list[list[str]]:
    """Return the rows of the table below a heading: the text of each cell, without the backquotes of code."""
    text = (Path(__file__).parent / page).read_text(encoding="utf-8")
    section = text.split(f"\n{heading}\n", 1)[1]
    table = re.search(r"^\|.*\n\|[-| ]+\|\n((?:\|.*\n)+)", section, re.MULTILINE)
    assert table is not None, f"{page}: no table below {heading}"
    return [[cell.strip().strip("`") for cell in row.strip("|").split(" | ")] for row in table[1].splitlines()]


def public() -> dict[str, Any]:
    """Return the public names, which expressions in tables may use."""
    return {name: getattr(dockdsl, name) for name in dir(dockdsl)}


def refused(page: str, heading: str) -> None:
    """Evaluate the first cell of each row, and print those that are not refused by dockdsl."""
    for row in rows(page, heading):
        try:
            eval(row[0], public())  # noqa: S307 - the page's own expression
        except dockdsl.DockdslError:
            continue
        print("not refused:", row[0])  # noqa: T201 - as above


def blocks(page: str, language: str) -> list[str]:
    """Return the code blocks of a Markdown file of the checkout."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def broken_links(page: str) -> list[str]:
    """Return the links of a Markdown file of the checkout that lead to no file of it."""
    path = ROOT / page
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8"))
    return [target for target in targets if "://" not in target and not (path.parent / target).exists()]


def readmes() -> None:
    """Print what is not true in the pages at the top of the checkout: an example, or a link."""
    for page in ("README.md", "README.ja.md"):
        names: dict[str, Any] = {}
        exec(blocks(page, "python")[0], names)  # noqa: S102 - the page's own example
        if str(names["image"].dockerfile) != blocks(page, "dockerfile")[0]:
            print(f"{page} shows another Dockerfile than this:\n{names['image'].dockerfile}")  # noqa: T201 - as above
    for page in ("README.md", "README.ja.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        for link in broken_links(page):
            print(f"{page} links to {link}")  # noqa: T201 - as above


class File(SphinxDirective):
    """``{file} PATH``: a file of the reader."""

    has_content = True
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Show the file; write it where examples are run."""
        path, text = self.arguments[0], "\n".join(self.content) + "\n"
        # As below: a lexer that does not know all of a Dockerfile is no reason for a warning.
        shown = nodes.literal_block(text, text, language=_LANGUAGES.get(Path(path).suffix, "docker"), force=True)
        caption = nodes.caption("", "", nodes.literal(path, path))
        block = nodes.container("", caption, shown, literal_block=True, classes=["literal-block-wrapper"])
        return [block, _test(self, f"examples.write({path!r}, {text!r})")]


class Session(SphinxDirective):
    """``{session}``: commands and what they print."""

    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {"engine": directives.flag, "serves": directives.flag}

    def run(self) -> list[nodes.Node]:
        """Show the session; run it where examples are run."""
        text = "\n".join(self.content)
        shown = nodes.literal_block(text, text, language="console")
        options = ", ".join(f"{name}={name in self.options}" for name in self.option_spec)
        return [shown, _test(self, f"examples.run({text!r}, {options})")]


def _test(directive: SphinxDirective, code: str) -> nodes.Node:
    node = nodes.comment(code, code, testnodetype="testcode", groups=["default"], options={})
    directive.set_source_info(node)
    return node


class DockerfileOutput(TestoutputDirective):
    """``{dockerfile}``: the output of the example above, which is a Dockerfile."""

    def run(self) -> list[nodes.Node]:
        """Show and compare as ``{testoutput}`` does."""
        self.name = "testoutput"
        found = super().run()
        block = cast(nodes.literal_block, found[0])
        # A lexer that does not know all heredocs is no reason to show none.
        block["language"], block["force"] = "docker", True
        return found


def named(name: str, raw: str, text: str, line: int, inliner: Any, *_: Any) -> tuple[list[nodes.Node], list[Any]]:
    """What stands in single backquotes in a docstring: a reference where it names something public, else code."""
    del name, raw, line
    target = _target(text)
    literal = nodes.literal(text, text)
    if target is None:
        return [literal], []
    reference = pending_xref(
        text, literal, refdomain="py", reftype="obj", reftarget=target, refdoc=inliner.document.settings.env.docname
    )
    return [reference], []


def _target(text: str) -> str | None:
    if not re.fullmatch(r"[A-Za-z_][\w.]*", text):
        return None
    for module in _DOCUMENTED:
        name, _, member = text.removeprefix(f"{module}.").partition(".")
        found = vars(importlib.import_module(module)).get(name) if module != "dockdsl" else public().get(name)
        if not isinstance(found, type) and name not in _FUNCTIONS:
            continue
        if found is not None and module in ("dockdsl", found.__module__):
            is_method = callable(getattr(found, member, None))
            return f"{module}.{name}.{member}" if is_method else f"{module}.{name}"
    return None


def setup(app: Sphinx) -> dict[str, bool]:
    """Register all this."""
    app.add_directive("file", File)
    app.add_directive("session", Session)
    app.add_directive("dockerfile", DockerfileOutput)
    app.add_role("named", named)
    return {"parallel_read_safe": True}
