"""The build files: their committed output is true, and a real engine accepts it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pip
import pytest

from dockdsl.cli import main

ROOT = Path(__file__).parents[1]
BUILDS = sorted(ROOT.joinpath("builds").glob("*.py"))
CONTEXT = ROOT / "go_app"
TOOLS = "python:3.13-slim"


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


def release(into: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Build the release into a folder."""
    path = str(ROOT / "builds/release.Dockerfile")
    return subprocess.run(
        ["docker", "buildx", "build", *options, "--output", str(into), "-f", path, str(CONTEXT)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A file with a new private key."""
    path = tmp_path / "key.pem"
    path.write_text(docker("run", "--rm", "--network=none", TOOLS, "openssl", "genpkey", "-algorithm", "ed25519"))
    return path


@pytest.mark.engine
def test_the_release_is_reproducible_and_signed(tmp_path: Path, key: Path) -> None:
    """Two builds make the same archive, its checksum is right, and the signature is that of the key."""
    secret = f"--secret=id=signing-key,src={key}"
    for name in ("first", "second"):
        done = release(tmp_path / name, secret, f"--build-arg=SIGNER={name}-{tmp_path}", "--no-cache")
        assert 0 == done.returncode, done.stderr
    archive, again = ((tmp_path / name / "sources.tar.gz").read_bytes() for name in ("first", "second"))
    sums = (tmp_path / "first/SHA256SUMS").read_text()
    verified = docker(
        *("run", "--rm", "--network=none", f"--volume={tmp_path}:/d:ro", "--workdir=/d/first", TOOLS),
        *("openssl", "pkeyutl", "-verify", "-inkey", "../key.pem", "-rawin"),
        *("-in", "SHA256SUMS", "-sigfile", "SHA256SUMS.sig"),
    )

    assert archive == again
    assert f"{sha256(archive).hexdigest()}  sources.tar.gz" in sums.splitlines()
    assert "Signature Verified Successfully" in verified


@pytest.mark.engine
def test_no_release_is_unsigned(tmp_path: Path, key: Path) -> None:
    """Without the key or its name the build fails, and a key that comes later signs."""
    signer = f"--build-arg=SIGNER={tmp_path}"
    secret = f"--secret=id=signing-key,src={key}"
    unsigned = release(tmp_path / "out", signer)
    unnamed = release(tmp_path / "out", secret)
    signed = release(tmp_path / "out", signer, secret)

    assert 0 != unsigned.returncode
    assert "secret signing-key: not found" in unsigned.stderr
    assert 0 != unnamed.returncode
    assert "give --build-arg SIGNER=" in unnamed.stderr
    assert 0 == signed.returncode, signed.stderr
    assert 64 == (tmp_path / "out/SHA256SUMS.sig").stat().st_size


@pytest.fixture
def python_version(tmp_path: Path) -> Iterator[str]:
    """The version of a Python image that has pip, which not every image of this name has."""
    shutil.copytree(Path(pip.__file__).parent, tmp_path / "pip", ignore=shutil.ignore_patterns("__pycache__"))
    tmp_path.joinpath("Dockerfile").write_text(f"FROM {TOOLS}\nCOPY pip /opt/pip/pip\nENV PYTHONPATH=/opt/pip\n")
    version = f"dockdsl-test-{os.getpid()}"
    docker("buildx", "build", "--load", "-t", f"python:{version}-slim", str(tmp_path))
    yield version
    docker("image", "rm", "-f", f"python:{version}-slim")


@pytest.mark.engine
@pytest.mark.parametrize(
    ("name", "environment"),
    [("static_site", []), ("python_service", []), ("python_service", ["--env=PORT=9000"])],
    ids=["static_site", "python_service", "python_service on another port"],
)
def test_a_server_becomes_healthy_and_stops(name: str, environment: list[str], python_version: str) -> None:
    """A server of the examples is healthy within seconds, read-only and without capabilities, and ends on SIGTERM."""
    tag = f"dockdsl-test-{name.replace('_', '-')}:{os.getpid()}"
    path = str(ROOT / f"builds/{name}.Dockerfile")
    version = [f"--build-arg=PYTHON_VERSION={python_version}"] if name == "python_service" else []
    docker("buildx", "build", "--load", *version, "-t", tag, "-f", path, str(CONTEXT))
    container = ""
    try:
        container = docker("run", "--detach", "--read-only", "--cap-drop=ALL", *environment, tag).strip()
        deadline = time.monotonic() + 20
        while (health := docker("inspect", "--format={{.State.Health.Status}}", container).strip()) != "healthy":
            assert time.monotonic() < deadline, health
            time.sleep(0.2)
        started = time.monotonic()
        docker("stop", container)
        took = time.monotonic() - started
        code = docker("inspect", "--format={{.State.ExitCode}}", container).strip()
    finally:
        docker("rm", "-f", container)
        docker("image", "rm", "-f", tag)

    assert "0" == code
    assert took < 8


@pytest.mark.engine
def test_packages_below_the_service_are_part_of_its_context(tmp_path: Path) -> None:
    """The service may have packages in folders below: its ignore file lets them in."""
    shutil.copytree(CONTEXT, tmp_path / "app")
    package = tmp_path / "app/internal/store/store.go"
    package.parent.mkdir(parents=True)
    package.write_text("package store\n")
    tmp_path.joinpath("Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    into, file = f"--output={tmp_path / 'out'}", f"--file={tmp_path / 'Dockerfile'}"
    docker("buildx", "build", into, file, str(tmp_path / "app"))

    assert "package store\n" == tmp_path.joinpath("out/internal/store/store.go").read_text()
    assert not tmp_path.joinpath("out/README.md").exists()


def test_a_users_file_passes_strict_types(tmp_path: Path) -> None:
    """The package is typed: a correct file passes mypy --strict, and a misspelled option does not."""
    good = ROOT.joinpath("builds/go_api.py").read_text()
    for name, text, passes in (
        ("good.py", good, True),
        ("bad.py", good.replace('interval="30s"', 'intervall="30s"'), False),
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
