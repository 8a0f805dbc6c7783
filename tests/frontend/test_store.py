"""What needs containerd's image store, or git beside it: several platforms, attestations, caches, layouts, repositories.

The judge is the plain Dockerfile.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.engine.helpers import BUSYBOX, BuildKitLine, docker, git, git_served
from tests.frontend.builds import BASE, Build, served

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("in_store", "there")]

RENDERED = Path(__file__).parents[2] / "builds/frontend.Dockerfile"
PLATFORMS = """\
from dockdsl import Arg, Copy, Dockerfile, Run, Stage

build = Stage("busybox:1.37", name="build", platform="$BUILDPLATFORM", steps=[
    Arg("TARGETARCH"),
    Run("echo $TARGETARCH > /arch", network="none"),
])
app = Stage("scratch", steps=[
    Copy("/arch", "/arch", from_=build),
    Copy(".", "/context/"),
])
dockerfile = Dockerfile(app)
"""
SCANNER = """\
#!/bin/sh
printf '{"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://spdx.dev/Document", ' > /statement
printf '"predicate": {"name": "of the test"}}' >> /statement
cp /statement "$BUILDKIT_SCAN_DESTINATION/x.spdx.json"
"""
"""A generator of bills of materials, by the protocol of BuildKit's."""


@pytest.fixture(scope="module")
def there(frontend: str, way_to_store: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The frontend's image and its base, in that engine as well."""
    archive = tmp_path_factory.mktemp("image") / "frontend.tar"
    docker("save", "--output", str(archive), frontend, BASE)
    with pytest.MonkeyPatch.context() as changed:
        for name, value in way_to_store.items():
            changed.setenv(name, value)
        docker("load", "--input", str(archive))
        yield
    archive.unlink()


def layout(folder: Path) -> dict[str, Any]:
    """Return the index of images that a layout has."""
    index = json.loads((folder / "index.json").read_text())
    digest = index["manifests"][0]["digest"].replace(":", "/")
    found: dict[str, Any] = json.loads((folder / "blobs" / digest).read_text())
    return found


def statements(folder: Path) -> Iterator[Any]:
    """Yield the attestations in a layout."""
    for each in folder.joinpath("blobs/sha256").iterdir():
        data = each.read_bytes()
        if data.startswith(b"{") and b"predicateType" in data and "predicate" in (found := json.loads(data)):
            yield found


def images(index: dict[str, Any]) -> dict[str, str]:
    """Return the digests of the images of an index, by their platforms."""
    found = {each["platform"]["architecture"]: each["digest"] for each in index["manifests"]}
    return {name: digest for name, digest in found.items() if name != "unknown"}


def test_two_platforms_with_provenance(build: Build) -> None:
    """Each platform's image has the digest of the plain build's, and the provenance names the Python file."""
    build.write(PLATFORMS)
    build.plain()
    for file, into in (("app.py", "one"), ("plain-app.Dockerfile", "two")):
        output = f"--output=type=oci,tar=false,dest={into}"
        done = build.run(
            "--platform=linux/amd64,linux/arm64",
            "--provenance=mode=max",
            "--build-arg=SOURCE_DATE_EPOCH=0",
            output,
            file=file,
        )
        assert 0 == done.code, done.errors
    ours, plain = layout(build.folder / "one"), layout(build.folder / "two")
    provenance = [each for each in statements(build.folder / "one") if "slsa" in each["predicateType"]]

    assert ["amd64", "arm64"] == sorted(images(plain))
    assert images(plain) == images(ours)
    assert 2 == len(provenance)
    for each in provenance:
        text = json.dumps(each["predicate"])
        assert '"app.py"' in text
        assert f"{build.frontend.partition(':')[0]}" in text


def test_a_bill_of_materials(build: Build) -> None:
    """The one that a generator makes comes through."""
    build.write()
    build.folder.joinpath("scan").write_text(SCANNER)
    build.folder.joinpath("scanner.Dockerfile").write_text(
        f'FROM {BUSYBOX}\nCOPY --chmod=755 scan /scan\nENTRYPOINT ["/scan"]\n'
    )
    scanner = f"{build.frontend}-scanner"
    try:
        made = build.run("--load", "-t", scanner, file="scanner.Dockerfile", context=".")
        assert 0 == made.code, made.errors
        done = build.run(f"--sbom=generator={scanner}", "--output=type=oci,tar=false,dest=one")
    finally:
        docker("rmi", "--force", scanner)
    found = [each for each in statements(build.folder / "one") if each["predicateType"] == "https://spdx.dev/Document"]

    assert 0 == done.code, done.errors
    assert [{"name": "of the test"}] == [each["predicate"] for each in found]


def test_caches(build: Build) -> None:
    """A cache that the plain Dockerfile wrote serves the Python file, and the other way round."""
    build.write()
    plain = build.plain()
    for first, second in (("app.py", plain), (plain, "app.py")):
        written = build.run(f"--cache-to=type=local,mode=max,dest=cache-{first}", "--no-cache", file=first)
        docker("builder", "prune", "--all", "--force")
        done = build.run(f"--cache-from=type=local,src=cache-{first}", file=second)

        assert 0 == written.code, written.errors
        assert 0 == done.code, done.errors
        steps = set(re.findall(r"^(#\d+) \[.*\] RUN ", done.errors, re.MULTILINE))
        assert 2 == len(steps)
        assert all(f"\n{step} CACHED\n" in done.errors for step in steps), done.errors


def test_one_other_platform(build: Build) -> None:
    """The frontend is there for the machine alone, and runs on it, whatever is built for."""
    build.write(PLATFORMS)
    done = build.run("--platform=linux/arm64", "--output=out")

    assert 0 == done.code, done.errors
    assert "arm64\n" == build.folder.joinpath("out/arch").read_text()


def test_a_frontend_in_a_layout(build: Build, wheels: Path) -> None:
    """A frontend that is in a folder needs neither a registry nor the engine's store."""
    name = "nowhere-frontend:1"
    output = f"--output=type=oci,tar=false,dest=frontend-oci,name={name}"
    made = build.run(output, file=str(RENDERED), context=str(wheels))
    assert 0 == made.code, made.errors
    build.write(line=f"# syntax={name}")
    done = build.run(f"--build-context={name}=oci-layout://frontend-oci:1")

    assert 0 == done.code, done.errors


def test_a_builder_beside_the_engine(build: Build, wheels: Path) -> None:
    """A builder of another driver exports the frontend and builds with it; a step that fails has its lines."""
    line = BuildKitLine(build.folder / "buildkit.sock")
    name = "nowhere-frontend:2"
    run = partial(build.run, "--builder=beside", BUILDX_CONFIG=str(build.folder / "buildx"))
    create = ["buildx", "create", "--name=beside", "--driver=remote", line.host]
    try:
        assert 0 == build.docker(*create, BUILDX_CONFIG=str(build.folder / "buildx")).code
        output = f"--output=type=oci,tar=false,dest=frontend-oci,name={name}"
        made = run(output, file=str(RENDERED), context=str(wheels))
        assert 0 == made.code, made.errors
        build.write(line=f"# syntax={name}")
        layout = f"--build-context={name}=oci-layout://frontend-oci:2"
        done = run(layout, "--output=out")
        failed = run(layout, "--build-arg=GREETING=bye", "--target=test")
    finally:
        line.close()

    assert 0 == done.code, done.errors
    assert "hello\n" == build.folder.joinpath("out/greeting").read_text()
    assert [("app.py", 1)] == [(file, len(lines)) for file, lines in failed.excerpts]


def test_a_frontend_in_a_registry(build: Build, wheels: Path, registry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is published for a platform that this machine cannot run, and used by its digest in an engine without it."""
    base, published = f"{build.frontend}-base", f"{registry}/{build.frontend}"
    build.folder.joinpath("base.Dockerfile").write_text(
        f"FROM --platform=$BUILDPLATFORM {BASE} AS amd64\nFROM scratch AS arm64\nFROM $TARGETARCH\n"
    )
    platforms = "--platform=linux/amd64,linux/arm64"
    try:
        made = build.run(platforms, "-t", base, file="base.Dockerfile")
        assert 0 == made.code, made.errors
        based = f"--build-context={BASE}=docker-image://{base}"
        pushed = build.run(platforms, "--push", "-t", published, based, file=str(RENDERED), context=str(wheels))
        assert 0 == pushed.code, pushed.errors
    finally:
        docker("rmi", "--force", base, published)
    digest = json.loads(docker("buildx", "imagetools", "inspect", "--format={{json .Manifest.Digest}}", published))
    # The engine that the tests have without this file's.
    monkeypatch.undo()
    build.write(line=f"# syntax={published}@{digest}")
    done = build.run("--output=out")

    assert 0 == done.code, done.errors
    assert f"resolve image config for docker-image://{published}@{digest}" in done.errors
    assert "hello\n" == build.folder.joinpath("out/greeting").read_text()


@pytest.mark.parametrize(
    ("protocol", "part", "file", "option"),
    [
        ("git", "main:top", "app.py", "--label=a=b"),
        ("http", "main", "top/app.py", "--build-arg=BUILDKIT_CONTEXT_KEEP_GIT_DIR=1"),
    ],
    ids=["a folder", "the whole over HTTP"],
)
def test_a_git_repository(build: Build, protocol: str, part: str, file: str, option: str) -> None:
    """A repository is the context, and has the Python file and its modules; a failing step has its lines."""
    build.write()
    top = build.folder / "top"
    top.mkdir()
    for name in ("app.py", "bases.py", "parts", "context"):
        build.folder.joinpath(name).rename(top / name)
    plain = Build(top, build.frontend).plain()
    git(build.folder, "init", "-q", "-b", "main")
    git(build.folder, "add", "--all")
    git(build.folder, "commit", "-qm", "x")
    git(build.folder, "update-server-info")
    with git_served(build.folder) if protocol == "git" else served(build.folder) as host:
        context = f"{host}/.git#{part}"
        for each, into in ((file, "one"), (str(Path(file).with_name(plain)), "two")):
            done = build.run(option, f"--output={into}", file=each, context=context)
            assert 0 == done.code, done.errors
        failed = build.run("--build-arg=GREETING=bye", "--target=test", file=file, context=context)
    made, expected = (
        {str(each.relative_to(build.folder / into)) for each in build.folder.joinpath(into).rglob("*")}
        for into in ("one", "two")
    )

    assert expected == made
    assert ("context/.git/HEAD" in made) == (protocol == "http")
    assert [(file, 1)] == [(name, len(lines)) for name, lines in failed.excerpts]
