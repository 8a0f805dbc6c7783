"""The build files: their committed output is true, and a real engine accepts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dockdsl.cli import main

ROOT = Path(__file__).parents[1]
BUILDS = sorted(ROOT.joinpath("builds").glob("*.py"))
CONTEXT = ROOT / "go_app"


@pytest.fixture(autouse=True)
def _root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("path", BUILDS, ids=lambda path: path.stem)
def test_the_committed_output_is_true(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Each build file has its Dockerfile beside it, equal to what is rendered."""
    assert 0 == main([str(path.relative_to(ROOT)), "--check"]), capfd.readouterr().err


@pytest.mark.engine
@pytest.mark.parametrize("path", BUILDS, ids=lambda path: path.stem)
def test_the_engine_finds_nothing_to_warn_of(path: Path) -> None:
    """BuildKit's own checks read each Dockerfile and find nothing."""
    done = subprocess.run(
        [
            "docker",
            "buildx",
            "build",
            "--call=check,format=json",
            "-f",
            str(path.with_suffix(".Dockerfile")),
            str(CONTEXT),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    found = json.loads(done.stdout)

    assert 0 == done.returncode, done.stderr
    assert not found.get("warnings")
    assert "buildError" not in found


def docker(*arguments: str) -> str:
    """Run docker and return what it prints."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, timeout=600)
    assert 0 == done.returncode, done.stderr
    return done.stdout


@pytest.mark.engine
def test_the_release_holds_what_its_steps_made(tmp_path: Path) -> None:
    """Heredocs, a secret, bind and tmpfs mounts do their work; the secret is in no layer."""
    key = tmp_path / "key"
    key.write_text("the-secret-key")
    tag = f"dockdsl-test-release:{os.getpid()}"
    path = ROOT / "builds/release.Dockerfile"
    docker("buildx", "build", "--secret", f"id=signing-key,src={key}", "-t", tag, "-f", str(path), str(CONTEXT))
    try:
        manifest = docker("run", "--rm", "--network=none", tag)
        configuration = docker("run", "--rm", "--network=none", "--entrypoint=cat", tag, "/etc/release/api.toml")
        history = docker("history", "--no-trunc", tag)
    finally:
        docker("image", "rm", "-f", tag)

    assert manifest.startswith("files: 3\nsignature: ")
    assert 64 == len(manifest.split()[-1])
    assert "listen = 8080\nlog_format = json\n" == configuration
    assert "the-secret-key" not in history


def test_a_users_file_passes_strict_types(tmp_path: Path) -> None:
    """The package is typed: a correct file passes mypy --strict, and a misspelled option does not."""
    good = ROOT.joinpath("builds/go_api.py").read_text()
    for name, text, passes in (
        ("good.py", good, True),
        ("bad.py", good.replace('interval="10s"', 'intervall="10s"'), False),
        ("wrong.py", good.replace("from_=build", "from_=5"), False),
    ):
        tmp_path.joinpath(name).write_text(text)
        done = subprocess.run(
            [sys.executable, "-m", "mypy", "--strict", "--config-file=", str(tmp_path / name)],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            env={**os.environ, "MYPYPATH": str(ROOT), "MYPY_CACHE_DIR": str(ROOT / ".mypy_cache")},
        )
        assert passes == (done.returncode == 0), done.stdout
