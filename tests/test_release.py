"""What a release consists of: a wheel that needs nothing of the checkout, an sdist, a version and a changelog that agree."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

import dockdsl

ROOT = Path(__file__).parents[1]
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def run(*argv: str | Path, cwd: Path) -> str:
    """Run a program that must succeed, and return what it prints."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=600, cwd=cwd)
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    return folder


def metadata(text: bytes) -> Message:
    """Return the metadata of a distribution."""
    return message_from_bytes(text)


def test_the_wheel_has_the_package_alone(dist: Path) -> None:
    """Each module of the package and the marker of its types are in it, and nothing else; it requires attrs alone."""
    (file,) = dist.glob("*.whl")
    info = f"dockdsl-{dockdsl.__version__}.dist-info"
    with zipfile.ZipFile(file) as wheel:
        names = set(wheel.namelist())
        said = metadata(wheel.read(f"{info}/METADATA"))
    package = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.joinpath("dockdsl").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }

    assert f"dockdsl-{dockdsl.__version__}-py3-none-any.whl" == file.name
    assert "dockdsl/py.typed" in package
    assert package == {name for name in names if not name.startswith(info)}
    assert {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"} == {
        name.removeprefix(f"{info}/") for name in names if name.startswith(info)
    }
    assert dockdsl.__version__ == said["Version"]
    assert ["attrs>=23.2"] == [each for each in said.get_all("Requires-Dist", []) if "extra ==" not in each]


@pytest.mark.skipif(not ROOT.joinpath(".git").exists(), reason="this is no checkout, but an sdist itself")
def test_the_sdist_has_the_project(dist: Path) -> None:
    """What git has is in it, and nothing that was made."""
    (file,) = dist.glob("*.tar.gz")
    with tarfile.open(file) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    tracked = set(run("git", "ls-files", cwd=ROOT).splitlines())
    new = set(run("git", "ls-files", "--others", "--exclude-standard", cwd=ROOT).splitlines())

    assert set() == tracked - names
    assert {"PKG-INFO"} == names - tracked - new


def test_the_wheel_works_alone(dist: Path, tmp_path: Path) -> None:
    """In a fresh environment, with what it requires and nothing else, the command renders a build file."""
    (file,) = dist.glob("*.whl")
    python = tmp_path / "venv" / "bin" / "python"
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv", cwd=tmp_path)
    pip = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check")
    run(*pip, "install", "--quiet", file, cwd=tmp_path)
    build = ROOT / "builds" / "go_api.py"

    assert ["attrs", "dockdsl"] == sorted(
        re.findall(r"^(\S+)==", run(*pip, "list", "--format=freeze", cwd=tmp_path), re.MULTILINE)
    )
    assert build.with_suffix(".Dockerfile").read_text() == run(python.with_name("dockdsl"), build, cwd=tmp_path)
    assert f"dockdsl {dockdsl.__version__}" in run(python, "-m", "dockdsl", "--version", cwd=tmp_path)


def test_the_extra_all_has_what_the_others_have() -> None:
    """One that is added later is not forgotten."""
    extras = tomllib.loads(ROOT.joinpath("pyproject.toml").read_text())["project"]["optional-dependencies"]
    named, *others = extras.pop("all")
    contained = set(re.findall(r"[a-z-]+", named.partition("[")[2]))
    packages = {re.split(r"[<>=; ]", each)[0] for each in others}

    assert contained <= set(extras)
    for extra, needed in extras.items():
        assert extra in contained or {re.split(r"[<>=; ]", each)[0] for each in needed} <= packages


def test_the_version_and_the_changelog_agree() -> None:
    """What is not released stands first; then come the releases, newest first, of which the newest has the package's version."""
    text = ROOT.joinpath("CHANGELOG.md").read_text()
    first, *found = re.findall(r"^## (.*)$", text, re.MULTILINE)
    releases = [re.fullmatch(r"\[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d\d-\d\d)", heading) for heading in found]
    numbers = [tuple(map(int, each.groups()[:3])) for each in releases if each]
    dates = [each[4] for each in releases if each]

    assert "[Unreleased]" == first
    assert all(releases), found
    assert dockdsl.__version__ == ".".join(map(str, numbers[0]))
    assert sorted(numbers, reverse=True) == numbers
    assert sorted(dates, reverse=True) == dates
    assert set(re.findall(r"^### (.*)$", text, re.MULTILINE)) <= KINDS
