"""A registry on the loopback address: what is pushed there, pulled by its digest, and how large it is there."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from dockdsl import BuildFailed, Copy, Dockerfile, HttpCheck, Image, Run, Stage
from tests.engine.helpers import BUSYBOX, docker, left_by

MANIFESTS = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"


def manifest(registry: str, name: str, reference: str) -> dict[str, object]:
    """Return what the registry says of an image."""
    request = Request(f"http://{registry}/v2/{name}/manifests/{reference}", headers={"Accept": MANIFESTS})
    with build_opener(ProxyHandler({})).open(request, timeout=30) as answer:
        found: dict[str, object] = json.load(answer)
        return found


@pytest.mark.engine
def test_push_and_pull_by_digest(registry: str, tmp_path: Path) -> None:
    """What comes back by the digest that the build reports is the image that was pushed, and passes its checks."""
    name = f"api-{secrets.token_hex(4)}"
    tag = f"{registry}/{name}:dev"
    tmp_path.joinpath("page").write_bytes(secrets.token_hex(50_000).encode())
    steps = [Copy("page", "/www/"), Run("echo hello > /www/index.html")]
    image = Image(
        Dockerfile(Stage(BUSYBOX, name="s", steps=steps)),
        context=str(tmp_path),
        tags=tag,
        port=8080,
        command=["httpd", "-f", "-p", "8080", "-h", "/www"],
        checks=[HttpCheck("GET", "/", body="hello")],
    )
    try:
        report = image.size(compressed=True)
        pushed = image.build(output="push")
        assert pushed.digest
        layers = manifest(registry, name, pushed.digest)["layers"]
        assert isinstance(layers, list)
        size = sum(layer["size"] for layer in layers)
        assert report.compressed is not None
        # Compressors differ a little.
        assert 0.95 < report.compressed / size < 1.05

        docker("rmi", "--force", tag)
        pinned = f"{registry}/{name}@{pushed.digest}"
        docker("pull", "--quiet", pinned)
        again = Image(
            Dockerfile(Stage(pinned, name="again")), port=8080, command=image.command, checks=image.checks,
            context=str(tmp_path),
        )  # fmt: skip
        assert again.test().ok
    finally:
        listed = docker("images", "--format", "{{.ID}}", f"{registry}/{name}").split()
        if listed:
            docker("rmi", "--force", *listed)
    assert [] == left_by(os.getpid())


@pytest.mark.engine
def test_a_digest_that_the_registry_does_not_have(registry: str, tmp_path: Path) -> None:
    """A pinned base image that is gone is named, at its line, and no step is at fault."""
    base = f"{registry}/nosuch@sha256:{'0' * 64}"
    stage = Stage(base, name="s", steps=[Run("true")])
    with pytest.raises(BuildFailed) as caught:
        Image(Dockerfile(stage), context=str(tmp_path)).build()

    assert "image" == caught.value.kind
    assert stage.origin == caught.value.origin
    assert base in caught.value.message
