"""What needs containerd's image store: several platforms, attestations, caches, layouts. The judge is the plain Dockerfile."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.helpers import BUSYBOX, docker
from tests.frontend.builds import Build
from tests.provision.place import Place

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("in_store", "there")]

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
def there(frontend: str, store_place: Place | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The frontend's image, in that engine as well."""
    archive = tmp_path_factory.mktemp("image") / "frontend.tar"
    docker("save", "--output", str(archive), frontend)
    with pytest.MonkeyPatch.context() as changed:
        for name, value in (store_place.variables() if store_place is not None else {}).items():
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


def test_a_frontend_in_a_layout(build: Build) -> None:
    """A frontend that is in a folder needs neither a registry nor the engine's store."""
    build.folder.joinpath("again.Dockerfile").write_text(f"FROM {build.frontend}\n")
    name = "nowhere-frontend:1"
    made = build.run(f"--output=type=oci,tar=false,dest=frontend-oci,name={name}", file="again.Dockerfile")
    assert 0 == made.code, made.errors
    build.write(line=f"# syntax={name}")
    done = build.run(f"--build-context={name}=oci-layout://frontend-oci:1")

    assert 0 == done.code, done.errors
