"""What other projects use in their pipelines: the hooks for pre-commit, and the examples on the page about CI."""

from __future__ import annotations

import argparse
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from dockdsl.cli import VERBS

ROOT = Path(__file__).parents[1]
PAGE = ROOT.joinpath("docs", "guide", "ci.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
HOOKS: list[dict[str, Any]] = yaml.safe_load(ROOT.joinpath(".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
SCRIPTS = Path(sysconfig.get_path("scripts"))


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder, as nobody in particular."""
    who = ["-c", "user.name=x", "-c", "user.email=x@x", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def repository(folder: Path) -> str:
    """Make a folder a repository, and return the id of its only commit."""
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "all")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that uses all hooks, of a repository that has this package."""
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in (".pre-commit-hooks.yaml", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, hooks)
    shutil.copytree(ROOT / "dockdsl", hooks / "dockdsl", ignore=shutil.ignore_patterns("__pycache__"))
    used = [
        {"id": hook["id"]}
        if "fmt" in hook["id"] or "lint" in hook["id"]
        else {"id": hook["id"], "args": ["builds/app.py"]}
        for hook in sorted(HOOKS, key=lambda hook: not re.search("check|lint", hook["id"]))
    ]
    config = {"repos": [{"repo": str(hooks), "rev": repository(hooks), "hooks": used}]}
    folder = tmp_path / "project"
    folder.joinpath("builds").mkdir(parents=True)
    folder.joinpath(".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    folder.joinpath("Dockerfile").write_text("from a:1\nEXPOSE 80\n")
    folder.joinpath("builds", "helper.py").write_text("base = 'busybox:1.37'\n")
    folder.joinpath("builds", "app.py").write_text(
        "from dockdsl import *\nfrom helper import base\n\nd = Dockerfile(Stage(base, steps=[User('65532')]))\n"
    )
    # What a hook changes is a failure, and what it adds is not seen by pre-commit.
    folder.joinpath("builds", "app.Dockerfile").write_text("FROM busybox:1.37\n")
    repository(folder)
    return folder


def test_the_hooks(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pre-commit installs them and runs them: those that check list what is wrong, the others put it right."""
    # pip installs into an environment of its own, with what is here already instead of what an index has.
    monkeypatch.setenv("PYTHONPATH", sysconfig.get_path("purelib"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_NO_BUILD_ISOLATION", "0")
    monkeypatch.setenv("VIRTUALENV_NO_PERIODIC_UPDATE", "1")
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "home"))

    def run() -> tuple[int, str]:
        command = [sys.executable, "-m", "pre_commit", "run", "--all-files", "--color=never"]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=300)
        return done.returncode, done.stdout + done.stderr

    code, said = run()
    assert 1 == code, said
    assert len(HOOKS) == said.count("Failed\n"), said
    assert "builds/app.Dockerfile: it is not up to date; run python -m dockdsl builds/app.py" in said
    assert "\nDockerfile\n" in said
    assert "Dockerfile:1: warning: 'from' is in another case than most instructions; " in said
    assert "FROM a:1\nEXPOSE 80\n" == project.joinpath("Dockerfile").read_text()
    assert "FROM busybox:1.37\nUSER 65532\n" == project.joinpath("builds", "app.Dockerfile").read_text()

    git(project, "add", "--all")
    code, said = run()
    assert 0 == code, said
    assert len(HOOKS) == said.count("Passed\n"), said


def commands(value: Any, key: str = "") -> Iterator[str]:
    """Yield the lines of shell in a pipeline."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from commands(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from commands(inner, key)
    elif key in ("run", "script", "before_script"):
        yield from str(value).splitlines()


LINES = [shlex.split(line) for block in BLOCKS for line in commands(yaml.safe_load(block))]
TABLE = [shlex.split(line) for line in re.findall(r"`(dockdsl [^`]*)`", PAGE)]


@pytest.mark.parametrize("line", [*LINES, *TABLE, *(shlex.split(hook["entry"]) for hook in HOOKS)], ids=" ".join)
def test_the_commands_exist(line: list[str]) -> None:
    """Each command of the pipelines, the page and the hooks is one that dockdsl takes; pip installs what there is."""
    program, *arguments = line
    if program.endswith("pip"):
        extras = tomllib.loads(ROOT.joinpath("pyproject.toml").read_text())["project"]["optional-dependencies"]
        assert "install" == arguments[0]
        name, _, extra = arguments[1].rstrip("]").partition("[")
        assert "dockdsl" == name
        assert not extra or extra in extras
    elif program.endswith("dockdsl"):
        verb = arguments.pop(0) if arguments[0] in VERBS else "render"
        parser = argparse.ArgumentParser(exit_on_error=False)
        import_module(f"dockdsl.cli.{verb}").add_arguments(parser)
        # A hook is given files besides.
        parser.parse_intermixed_args([*arguments, "x"])
    else:
        assert program in ("apk", "python3"), line


def test_the_pipelines_have_commands() -> None:
    """Else the test above would try nothing."""
    assert 3 <= len([line for line in LINES if line[0].endswith("dockdsl")])
    assert 3 == len(BLOCKS)


@pytest.mark.parametrize(
    ("block", "judge"),
    [
        ("on: ", ["check-jsonschema", "--builtin-schema", "vendor.github-workflows"]),
        ("services: ", ["check-jsonschema", "--builtin-schema", "vendor.gitlab-ci"]),
        ("repos:", ["pre-commit", "validate-config"]),
    ],
)
def test_the_pipelines_are_valid(block: str, judge: list[str], tmp_path: Path) -> None:
    """By the schemas that those who run them publish."""
    (text,) = [each for each in BLOCKS if re.search(f"^ *{block}", each, re.MULTILINE)]
    file = tmp_path / "file.yml"
    file.write_text(text)
    command = [str(SCRIPTS / judge[0]), *judge[1:], str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert 0 == done.returncode, done.stdout + done.stderr


def test_the_hooks_on_the_page_exist() -> None:
    """The example uses hooks that there are, and the table has all of them with what they run."""
    (text,) = [each for each in BLOCKS if each.startswith("repos:")]
    ids = {hook["id"] for hook in HOOKS}

    assert {hook["id"] for repo in yaml.safe_load(text)["repos"] for hook in repo["hooks"]} <= ids
    for hook in HOOKS:
        assert f"| `{hook['id']}` | `{hook['entry']}` |" in PAGE
