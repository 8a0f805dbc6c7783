"""Everything that a build takes: what is refused, what reaches the engine, and what comes out."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dockdsl import (
    Arg,
    Cmd,
    CommandCheck,
    Copy,
    DockdslError,
    Dockerfile,
    Image,
    InvalidType,
    InvalidValue,
    Run,
    Secret,
    Ssh,
    Stage,
    UnknownStage,
    external,
    render,
)
from dockdsl.cli import building as _building
from dockdsl.engine.builders.buildx import Buildx, arguments
from dockdsl.engine.building import BuildEvent, BuildRequest, plain
from dockdsl.engine.fake import FakeBuilder
from dockdsl.engine.specifications import SecretSpec, SshSpec
from dockdsl.errors import BuildFailed, FileError
from dockdsl.selection import Selected
from tests.engine.helpers import BUSYBOX, cannot_run, docker, inspect, run, wait_until
from tests.engine.registry import registry
from tests.refusals import check_refused

DOCKERFILE = Dockerfile(Stage("scratch", name="api", steps=[Cmd.exec("/x")]))


# --- what is refused before anything is started

REFUSED = [
    pytest.param({"contexts": {"a=b": "."}}, InvalidValue, "'a=b' is not the name of a context", id="context name"),
    pytest.param({"contexts": {"": "."}}, InvalidValue, "a name: '' is empty", id="no context name"),
    pytest.param(
        {"contexts": {"a b": "."}}, InvalidValue, "'a b' is not the name of a context", id="context of two words"
    ),
    pytest.param(
        {"contexts": {"Api": "."}}, InvalidValue, "'Api' has the same name as the stage 'api'", id="context stage name"
    ),
    pytest.param({"contexts": {"a": 1}}, InvalidType, "contexts: a: 1 is an int; pass", id="context type"),
    pytest.param({"contexts": {"a": Stage("x")}}, InvalidType, "make an Image of it", id="context stage"),
    pytest.param({"contexts": {"a": Image(DOCKERFILE)}}, InvalidValue, "the Image has no tag", id="context image"),
    pytest.param({"contexts": {"a": "target:x"}}, InvalidValue, "only bake knows 'target:x'", id="context target"),
    pytest.param({"contexts": {"a": "docker-image://"}}, InvalidValue, "has no name; write", id="context of nothing"),
    pytest.param({"contexts": {"a": "ftp://x"}}, InvalidValue, "builds do not support 'ftp://x'", id="context scheme"),
    pytest.param({"contexts": "a=b"}, InvalidType, "pass a dict", id="contexts type"),
    pytest.param(
        {"cache_from": "type=disk,src=x"}, InvalidValue, "has the type 'disk'; use one of reg", id="cache type"
    ),
    pytest.param({"cache_from": "type=local"}, InvalidValue, "has no folder; add src=…", id="cache without src"),
    pytest.param({"cache_to": "type=local,src=x"}, InvalidValue, "has no folder; add dest=…", id="cache without dest"),
    pytest.param({"cache_to": "type=registry"}, InvalidValue, "has no image; add ref=…", id="cache without ref"),
    pytest.param({"cache_from": "type=inline"}, InvalidValue, "write the name of the image", id="cache from inline"),
    pytest.param(
        {"cache_to": "dest=x"}, InvalidValue, "has no type; add type=…, one of registry", id="cache without type"
    ),
    pytest.param(
        {"cache_to": "type=local,x"},
        InvalidValue,
        "without a key and an equals sign; write each as key=value",
        id="cache part",
    ),
    pytest.param(
        {"network": "bridge"}, InvalidValue, "network: 'bridge' is not one of default, none, host", id="network"
    ),
    pytest.param({"allow": "all"}, InvalidValue, "allow: 'all' is unknown; use network.host", id="allow"),
    pytest.param({"add_hosts": {"a:b": "1.2.3.4"}}, InvalidValue, "'a:b' is not the name of a host", id="host name"),
    pytest.param(
        {"add_hosts": {"a": "b"}}, InvalidValue, "'b' of a is not an address; write 10.0.0.1", id="host address"
    ),
    pytest.param({"add_hosts": "a:1.2.3.4"}, InvalidType, "pass a dict of str", id="hosts type"),
    pytest.param({"shm_size": "much"}, InvalidValue, "shm_size: 'much' is not a size; write 128m", id="shm_size"),
    pytest.param(
        {"ulimits": "nofile"}, InvalidValue, "ulimits: 'nofile' is not a limit; write nofile=1024", id="ulimits"
    ),
    pytest.param({"annotations": {"a=b": "c"}}, InvalidValue, "'a=b' has an equals sign", id="annotations"),
    pytest.param({"sbom": 1}, InvalidType, "sbom: 1 is an int; pass True", id="sbom"),
    pytest.param({"sbom": "a,b"}, InvalidValue, "not the name of an image", id="sbom text"),
    pytest.param(
        {"provenance": "most"}, InvalidValue, "provenance: 'most' is unknown; pass True, False", id="provenance"
    ),
    pytest.param({"provenance": "mode=most"}, InvalidValue, "provenance: 'most' is unknown; pass", id="mode"),
    pytest.param({"provenance": "version=v2"}, InvalidValue, "'v2' is unknown; pass True", id="version of provenance"),
    pytest.param(
        {"provenance": "mode=max,x=y"}, InvalidValue, "has the unknown part 'x'; use mode, version", id="part"
    ),
    pytest.param({"sbom": "generator=a b"}, InvalidValue, "is not the name of an image", id="generator of two words"),
    pytest.param(
        {"context": "ftp://x"}, InvalidValue, "context: 'ftp://x' is not a folder, and not an a", id="address"
    ),
    pytest.param({"context": 1}, InvalidType, "context: 1 is an int; pass the path", id="context type of image"),
    pytest.param(
        {"context": "https://x.test/y.git", "ignore": "a"},
        InvalidValue,
        "ignore: the context is 'https://x.test/y.git', which the engine fetches as a whole; leave ignore out",
        id="ignore of an address",
    ),
    pytest.param({"reproducible": "yes"}, InvalidType, "reproducible: 'yes' is a str", id="reproducible"),
    pytest.param(
        {"reproducible": True, "sbom": True}, InvalidValue, "reproducible and has sbom", id="reproducible sbom"
    ),
    pytest.param(
        {"reproducible": True, "build_args": {"SOURCE_DATE_EPOCH": "1"}},
        InvalidValue,
        "pass it as source_date_epoch",
        id="epoch twice",
    ),
    pytest.param({"source_date_epoch": -1}, InvalidValue, "source_date_epoch: -1 is out of range", id="epoch"),
    pytest.param({"ignore": 1}, InvalidType, "ignore: 1 is an int; pass a str", id="ignore type"),
    pytest.param({"ignore": ["a", "a\nb"]}, InvalidValue, "ignore: 'a\\nb' has line ends", id="ignore lines"),
    pytest.param({"ignore": "#a"}, InvalidValue, "'#a' would be a comment; write [#]", id="ignore comment"),
    pytest.param({"ignore": "!"}, InvalidValue, "'!' takes nothing back in; write the path", id="ignore nothing"),
    pytest.param({"secrets": "env=TOKEN"}, InvalidValue, "has no id; write id=token,env=TOKEN", id="secret without id"),
    pytest.param(
        {"secrets": "id=t,value=x"}, InvalidValue, "'t' has an unknown key; use id, env and src", id="secret part"
    ),
    pytest.param({"secrets": "s=1"}, InvalidValue, "secrets: it has an unknown key; use id, ", id="secret nameless"),
    pytest.param({"secrets": "id=t,type=x,src=y"}, InvalidValue, "has the type 'x'; leave it out", id="secret type"),
    pytest.param({"secrets": 'id=t,"src=y'}, InvalidValue, "close each quote", id="secret quote"),
    pytest.param(
        {"secrets": "token"}, InvalidValue, "it has a part without a key and an equals sign; write each", id="secret"
    ),
]
REFUSED_HERE = [
    pytest.param({"output": "type=zip,dest=x"}, InvalidValue, "has the type 'zip'; use one of local", id="output type"),
    pytest.param({"output": "type=oci"}, InvalidValue, "has no destination; add dest=…", id="output without dest"),
    pytest.param({"output": "-"}, InvalidValue, "is stdout, where the id goes; name a file", id="output stdout"),
    pytest.param({"output": ["load", "load"]}, InvalidValue, "'load' is given twice", id="output twice"),
    pytest.param({"no_cache": 1}, InvalidType, "no_cache: 1 is an int", id="no_cache"),
    pytest.param({"timeout": 0}, InvalidValue, "timeout: 0 is out of range", id="timeout"),
    pytest.param(
        {"no_cache_filter": "apo"}, UnknownStage, "'apo' for no_cache_filter; did you mean 'api'", id="filter"
    ),
    pytest.param({"no_cache_filter": Stage("x")}, InvalidType, "a Stage has no name; name the stage", id="no name"),
    pytest.param({"builder": ""}, InvalidValue, "builder: '' is empty", id="builder"),
    pytest.param({"nocache": True}, InvalidType, "no option 'nocache'; did you mean 'no_cache'?", id="unknown"),
]


@pytest.mark.parametrize(("options", "kind", "words"), REFUSED)
def test_what_an_image_refuses(options: dict[str, Any], kind: type[DockdslError], words: str) -> None:
    """Construct, fact and remedy are in the message, and the place is the line that says it."""
    check_refused(lambda: Image(DOCKERFILE, **options), kind, f"^(?=Image: ).*{re.escape(words)}", __file__)


@pytest.mark.parametrize(("options", "kind", "words"), REFUSED[:3] + REFUSED_HERE)
def test_what_a_build_refuses(options: dict[str, Any], kind: type[DockdslError], words: str) -> None:
    """The options of one build are looked at as those of the image are."""
    with pytest.raises(kind) as caught:
        Image(DOCKERFILE).request(**options)
    assert words in caught.value.message


def test_a_request_or_options() -> None:
    """Options beside a request would be lost."""
    image = Image(DOCKERFILE)
    with pytest.raises(InvalidValue, match=r"has a request and options; pass the options to request"):
        image.build(request=image.request(), no_cache=True)


ARGUMENTS = [
    pytest.param({}, ["--load"], id="nothing"),
    pytest.param({"ignore": []}, ["--load", "--file=/f/Dockerfile"], id="ignore"),
    pytest.param({"output": ["load", "push"]}, ["--load", "--push"], id="load and push"),
    pytest.param({"output": "type=oci,dest=x.tar"}, ["--output=type=oci,dest=x.tar"], id="output"),
    pytest.param({"contexts": {"a": "https://x.test/y.git"}}, ["--build-context=a=https://x.test/y.git"], id="context"),
    pytest.param(
        {"cache_from": ["type=local,src=a", "x:c"], "cache_to": "type=inline"},
        ["--cache-from=type=local,src=a", "--cache-from=type=registry,ref=x:c", "--cache-to=type=inline"],
        id="caches",
    ),
    pytest.param({"network": "none", "allow": "network.host"}, ["--network=none", "--allow=network.host"], id="network"),
    pytest.param({"add_hosts": {"a.test": "::1"}, "shm_size": "1g"}, ["--add-host=a.test:::1", "--shm-size=1g"], id="hosts"),
    pytest.param(
        {"annotations": {"index:a": "b=c"}, "ulimits": ["nofile=9", "nproc=-1:-1"]},
        ["--annotation=index:a=b=c", "--ulimit=nofile=9", "--ulimit=nproc=-1:-1"],
        id="annotations and limits",
    ),
    pytest.param({"no_cache_filter": [DOCKERFILE.stages[0], "API"]}, ["--no-cache-filter=api", "--no-cache-filter=API"], id="filter"),
    pytest.param({"sbom": True, "provenance": "max"}, ["--sbom=true", "--provenance=mode=max"], id="attest"),
    pytest.param({"sbom": "x/y:1", "provenance": False}, ["--sbom=generator=x/y:1", "--provenance=false"], id="generator"),
    pytest.param({"provenance": "Version=v1, mode=max", "sbom": "generator=x,a=B"}, ["--provenance=version=v1,mode=max", "--sbom=generator=x,a=B"], id="parts"),
    pytest.param({"provenance": "mode=min", "sbom": "generator=x"}, ["--provenance=mode=min", "--sbom=generator=x"], id="one part"),
    pytest.param({"provenance": "disabled=true"}, ["--provenance=false"], id="disabled"),
    pytest.param({"context": "https://x.test/y.git#main:api"}, ["--load", "https://x.test/y.git#main:api"], id="git"),
    pytest.param({"context": "git@x.test:y.git"}, ["--load", "git@x.test:y.git"], id="git by ssh"),
    pytest.param({"context": "/srv"}, ["--load", "/srv"], id="another folder"),
    pytest.param({"source_date_epoch": 5}, ["--build-arg=SOURCE_DATE_EPOCH=5", "--load"], id="epoch"),
    pytest.param(
        {"reproducible": True},
        ["--build-arg=SOURCE_DATE_EPOCH=0", "--provenance=false", "--output=type=docker,dest=/f/image.tar,rewrite-timestamp=true"],
        id="reproducible",
    ),
    pytest.param(
        {"reproducible": True, "output": ["push", "type=local,dest=x"]},
        ["--output=type=image,push=true,rewrite-timestamp=true", "--output=type=local,dest=x"],
        id="reproducible push",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("options", "expected"), ARGUMENTS)
def test_arguments(options: dict[str, Any], expected: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each option is one of the docker command, and only what is asked for is passed."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    said = arguments(Image(DOCKERFILE).request(**options), "/f")

    assert set(expected) <= set(said)
    assert ("--load" in said) == ("--load" in expected or not {"output", "reproducible"} & set(options))


def test_the_epoch_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the time of a reproducible image where nothing else is said."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")

    assert "--build-arg=SOURCE_DATE_EPOCH=1700000000" in arguments(Image(DOCKERFILE).request(reproducible=True), "/f")


def request(*arguments: str, **said: Any) -> BuildRequest:
    """Return what the command line asks for with these arguments, of an image that says so."""
    parser = argparse.ArgumentParser()
    _building.add_arguments(parser, "build")
    image = Image(DOCKERFILE, **said)
    return _building.request_of(Selected("x.py", "x.py", "image", image), parser.parse_args(["x.py", *arguments]))


def test_a_build_argument_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name alone has the value that it has there; what is not set is not given, as docker does it."""
    monkeypatch.setenv("A", "here = there")
    monkeypatch.delenv("UNSET", raising=False)

    given = {"A": "file"}

    assert (("A", "here = there"),) == request("--build-arg", "A", "--build-arg", "UNSET", build_args=given).build_args
    assert (("A", "file"), ("B", "")) == request("--build-arg", "B=", build_args=given).build_args


@pytest.mark.parametrize(
    ("arguments", "provenance", "sbom"),
    [
        ("--attest type=provenance,mode=max,version=v1", "mode=max,version=v1", None),
        ("--attest type=provenance --attest type=sbom", True, True),
        ("--attest type=sbom,generator=x/y:1", None, "x/y:1"),
        ("--attest type=provenance,disabled=true", False, None),
        ("--provenance mode=max,version=v1 --sbom generator=x", "mode=max,version=v1", "x"),
        ("--provenance mode=min --sbom false", "min", False),
    ],
)
def test_attestations_of_the_command_line(arguments: str, provenance: Any, sbom: Any) -> None:
    """Either way of docker's command means the same."""
    found = request(*arguments.split())

    assert (provenance, sbom) == (found.provenance, found.sbom)


def test_an_attestation_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    """Its type is looked at where it is read."""
    for text in ("type=x", "mode=max"):
        with pytest.raises(SystemExit):
            request("--attest", text)
        assert f"argument --attest: '{text}' has no known type; write type=sbom" in capsys.readouterr().err


def test_the_context_of_the_command_line() -> None:
    """A folder is relative to the current one, not to the file; an address stays as it is."""
    assert Path.cwd() / "x" == request("--context", "x").context
    assert "git@x.test:y.git" == request("--context", "git@x.test:y.git").context
    with pytest.raises(InvalidValue, match="context: '' is empty"):
        request("--context", "")


# --- on the engine


def listens(port: int) -> bool:
    """Return whether somebody listens at a port of this machine."""
    with socket.socket() as asking:
        asking.settimeout(5)
        return asking.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def served(*command: str) -> Iterator[int]:
    """Yield the port at which a server listens that runs for the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    with subprocess.Popen([each.replace("PORT", str(port)) for each in command], stderr=subprocess.DEVNULL) as server:
        try:
            wait_until(lambda: listens(port))
            yield port
        finally:
            server.terminate()


@pytest.mark.engine
def test_a_git_repository_as_the_context(tmp_path: Path, tag: str) -> None:
    """The engine fetches it, by way of its own git: where it has none, that is what is said."""
    repository = tmp_path / "repository"
    repository.joinpath("sub").mkdir(parents=True)
    repository.joinpath("sub", "mark").write_text("from git\n")
    git = ["git", "-C", str(repository), "-c", "user.name=x", "-c", "user.email=x@x.test"]
    for words in ("init --quiet", "add .", "commit --quiet --message=one", "tag v1"):
        subprocess.run([*git, *words.split()], check=True, timeout=60)
    stage = Stage(BUSYBOX, steps=[Copy("mark", "/got"), Run("ls /got >/out")])
    with served(
        "git", "daemon", "--listen=127.0.0.1", "--port=PORT", f"--base-path={tmp_path}", "--export-all"
    ) as port:
        image = Image(Dockerfile(stage), context=f"git://127.0.0.1:{port}/repository#v1:sub", tags=tag)
        try:
            image.build()
        except BuildFailed as error:
            assert "the engine has no git, with which it gets a repository" == error.cause  # noqa: PT017 - see above
            return
        assert "from git" == docker("run", "--rm", tag, "cat", "/got")
        with pytest.raises(
            BuildFailed, match=r"does not contain ref gone.*; check the address of the context"
        ) as caught:
            image.build(context=f"git://127.0.0.1:{port}/repository#gone")
        assert caught.value.origin is None


@pytest.mark.engine
def test_an_archive_as_the_context(tmp_path: Path, tag: str) -> None:
    """The engine fetches it and takes the files out; the Dockerfile is that of the Image all the same."""
    tmp_path.joinpath("mark").write_text("from an archive\n")
    # BuildKit looks at the first KiB, in which another format has no name of a file yet.
    with tarfile.open(tmp_path / "x.tar", "w", format=tarfile.GNU_FORMAT) as archive:
        archive.add(tmp_path / "mark", "mark")
    stage = Stage(BUSYBOX, steps=[Copy("mark", "/got")])
    with served(sys.executable, "-m", "http.server", "PORT", "--bind=127.0.0.1", f"--directory={tmp_path}") as port:
        Image(Dockerfile(stage), tags=tag).build(context=f"http://127.0.0.1:{port}/x.tar")
        with pytest.raises(BuildFailed, match=r"load remote build context: invalid response status 404"):
            Image(Dockerfile(stage), tags=tag).build(context=f"http://127.0.0.1:{port}/gone.tar")
        with pytest.raises(BuildFailed, match=r'"/gone" is not there to be copied') as caught:
            Image(
                Dockerfile(Stage(BUSYBOX, steps=[Copy("gone", "/got")])), context=f"http://127.0.0.1:{port}/x.tar"
            ).build()
        assert "check the path in the stage, image or context that it is taken from" == caught.value.fix

    assert "from an archive" == docker("run", "--rm", tag, "cat", "/got")


def printing(command: str, **options: Any) -> Stage:
    """Return a stage that keeps what a command prints, and never takes it from the cache."""
    return Stage(BUSYBOX, steps=[Run(f": {secrets.token_hex(6)}; ({command}) > /out", **options)])


def printed(image: Image, tag: str, **options: Any) -> str:
    """Build, and return what the command of `printing` printed."""
    image.build(request=image.request(tags=tag, **options))
    return docker("run", "--rm", tag, "cat", "/out")


@pytest.mark.engine
@pytest.mark.parametrize("kind", ["folder", "image", "another image"])
def test_named_contexts(tmp_path: Path, tag: str, kind: str) -> None:
    """Copy finds a folder, an image and what another Image builds under the name."""
    tmp_path.joinpath("mark").write_text("from a folder\n")
    contexts: dict[str, Any] = {
        "folder": {"extra": tmp_path},
        "image": {"extra": f"docker-image://{BUSYBOX}"},
        "another image": {"extra": Image(Dockerfile(Stage("scratch", steps=[Copy.text("made\n", "/mark")])), tags=f"{tag}-x")},
    }  # fmt: skip
    path, expected = (
        ("/bin/busybox", "") if kind == "image" else ("/mark", "from a folder" if kind == "folder" else "made")
    )
    stage = Stage(BUSYBOX, steps=[Copy(path, "/got", from_=external("extra"))])
    Image(Dockerfile(stage), contexts=contexts[kind], tags=tag).build()

    assert docker("run", "--rm", tag, "test", "-s", "/got") == ""
    assert not expected or expected == docker("run", "--rm", tag, "cat", "/got")


@pytest.mark.engine
def test_an_image_as_a_context_is_built_for_the_same(tag: str) -> None:
    """What this build says of platform, cache and time goes for the images that it takes."""
    tools = Image(Dockerfile(Stage("scratch", steps=[Copy.text("made\n", "/mark")])), tags=f"{tag}-x")
    image = Image(
        Dockerfile(Stage(external("tools"), steps=[Copy.text("x\n", "/x")])), contexts={"tools": tools}, tags=tag
    )
    image.build(platforms="linux/arm64")
    fake = FakeBuilder()
    image.build(fake, no_cache=True, pull=True, timeout=7)

    assert ["arm64", "arm64"] == [inspect(name)["Architecture"] for name in (f"{tag}-x", tag)]
    assert [(True, True, 7)] * 2 == [(each.no_cache, each.pull, each.timeout) for each in fake.requests]


@pytest.mark.engine
@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        pytest.param(None, ".dockerignore page", id="the context's own"),
        pytest.param(["page", "*ignore"], "hidden", id="instead"),
        pytest.param(["*", "!page"], "page", id="taken back in"),
        pytest.param([], ".dockerignore hidden page", id="nothing"),
    ],
)
def test_what_is_left_out_of_the_context(context: Path, tag: str, patterns: list[str] | None, expected: str) -> None:
    """What an image ignores stands in for `.dockerignore`, as Docker's own file of one Dockerfile does."""
    before = sorted(context.iterdir())
    stage = Stage(BUSYBOX, steps=[Copy(".", "/got/")])
    Image(Dockerfile(stage), context=context, ignore=patterns, tags=tag).build()
    file = context.parent / "x.Dockerfile"
    file.write_text(render(Dockerfile(stage)))
    if patterns is not None:
        context.parent.joinpath("x.Dockerfile.dockerignore").write_text(
            "".join(f"{each}\n" for each in ["#", *patterns])
        )
    docker("buildx", "build", "--load", f"--tag={tag}-docker", f"--file={file}", str(context))

    assert expected.split() == docker("run", "--rm", tag, "ls", "-A", "/got").split()
    assert expected.split() == docker("run", "--rm", f"{tag}-docker", "ls", "-A", "/got").split()
    assert before == sorted(context.iterdir())


@pytest.mark.engine
def test_a_file_that_the_image_ignores(context: Path) -> None:
    """That it is ignored is said, and by what."""
    with pytest.raises(BuildFailed) as caught:
        Image(Dockerfile(Stage("scratch", steps=[Copy("page", "/")])), context=context, ignore="page").build()

    assert (
        '"/page" is not there to be copied: it is in the context folder, and ignore= leaves it out'
        == caught.value.cause
    )
    assert 'add "!page" at the end of ignore=' == caught.value.fix


@pytest.mark.engine
def test_errors_are_the_same_where_something_is_ignored(context: Path) -> None:
    """They name the line of the Dockerfile, and point to the Python file."""
    step = Run("exit 3")
    with pytest.raises(BuildFailed, match=r"build step \[2/2\] RUN exit 3 \(Dockerfile:2\): exit code: 3") as caught:
        Image(Dockerfile(Stage(BUSYBOX, steps=[step])), context=context, ignore="*").build()

    assert step.origin == caught.value.origin


def test_a_named_context_that_is_no_folder(tmp_path: Path) -> None:
    """It is named with its path, before anything is started."""
    tmp_path.joinpath("docker").symlink_to("/bin/true")
    request = BuildRequest(dockerfile="FROM scratch\n", context=tmp_path, contexts={"extra": f"{tmp_path}/no"})
    with pytest.raises(FileError, match=r"the context extra, .*/no, is not a folder; check the path"):
        Buildx(str(tmp_path / "docker")).build(request)


@pytest.mark.engine
def test_the_network_of_the_steps(tag: str) -> None:
    """With none there is the loopback device alone."""
    image = Image(Dockerfile(printing("ls /sys/class/net")))

    assert "lo" == printed(image, tag, network="none")


@pytest.mark.engine
def test_files_and_archives(tmp_path: Path) -> None:
    """The files of an image go into a folder and an archive; there is no image, and no id."""
    image = Image(Dockerfile(Stage("scratch", steps=[Copy.text("x\n", "/etc/made")])))
    folder = image.build(output=str(tmp_path / "out"))
    image.build(output=f"type=tar,dest={tmp_path}/out.tar")

    assert "x\n" == tmp_path.joinpath("out/etc/made").read_text()
    with tarfile.open(tmp_path / "out.tar") as archive:
        assert "etc/made" in archive.getnames()
    assert ("", None) == (folder.image, folder.size)
    assert f"  output type=local,dest={tmp_path}/out" in folder.summary()


@pytest.mark.engine
def test_the_command_line_says_where_files_went(tmp_path: Path) -> None:
    """Without an id, stdout has the output as it was asked for."""
    file = tmp_path / "x.py"
    file.write_text(
        'from dockdsl import *\nimage = Image(Dockerfile(Stage("scratch", steps=[Copy.text("x\\n", "/a")])))\n'
    )
    command = [sys.executable, "-m", "dockdsl", "build", str(file), "-o", "out", "--progress", "quiet"]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=env, timeout=120)

    assert (0, "type=local,dest=out\n", "") == (done.returncode, done.stdout, done.stderr)
    assert "x\n" == tmp_path.joinpath("out/a").read_text()


@pytest.mark.engine
@pytest.mark.parametrize(
    ("options", "cause"),
    [
        pytest.param({"output": "type=oci,dest=x.tar"}, "OCI exporter", id="oci"),
        pytest.param({"cache_to": "type=local,dest=x"}, "Cache export", id="cache"),
        pytest.param({"sbom": True}, "Attestation", id="sbom"),
        pytest.param({"reproducible": True}, "Docker exporter", id="reproducible"),
    ],
)
def test_what_the_classic_image_store_cannot_do(
    options: dict[str, Any], cause: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is reported with what would help, and is not a failing step; containerd's image store does it all (see below)."""
    # Buildx makes the file before the build is refused.
    monkeypatch.chdir(tmp_path)
    if "io.containerd" in docker("info", "--format", "{{json .DriverStatus}}"):
        pytest.skip("this engine has containerd's image store")
    with pytest.raises(BuildFailed) as caught:
        Image(DOCKERFILE).build(**options)

    assert "definition" == caught.value.kind
    assert f"{cause}: the engine's own builder cannot do this with its classic image store" == caught.value.cause
    assert "; turn on the engine's containerd image store" in caught.value.message
    assert [] == list(tmp_path.iterdir())


@pytest.mark.engine
@pytest.mark.parametrize("kind", ["tar", "oci", "docker"])
def test_an_archive_is_whole_or_not_written(tmp_path: Path, kind: str) -> None:
    """Where a build fails, what was at its place stays as it was, and nothing is beside it."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("precious")
    old.chmod(0o640)
    image = Image(Dockerfile(Stage(BUSYBOX, steps=[Run("exit 3")])))
    for path in (old, new):
        with pytest.raises(BuildFailed):
            image.build(output=f"type={kind},dest={path}")

    assert [old] == list(tmp_path.iterdir())
    assert "precious" == old.read_text()


@pytest.mark.engine
def test_an_archive_takes_the_place_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file has the archive and the permissions that it had; a link to it is still one."""
    monkeypatch.chdir(tmp_path)
    old, link = tmp_path / "old.tar", tmp_path / "link.tar"
    old.write_text("precious")
    old.chmod(0o640)
    link.symlink_to("old.tar")
    image = Image(Dockerfile(Stage("scratch", steps=[Copy.text("x\n", "/a")])))
    result = image.build(output="type=tar,dest=link.tar")

    assert ["type=tar,dest=link.tar"] == list(result.output)
    assert {old, link} == set(tmp_path.iterdir())
    assert link.is_symlink()
    assert 0o640 == old.stat().st_mode & 0o777
    with tarfile.open(old) as archive:
        assert "a" in archive.getnames()


@pytest.mark.engine
def test_a_builder_by_its_name(tag: str) -> None:
    """The engine's own has the name of its context; what it builds is on the engine, and may get a temporary tag."""
    image = Image(Dockerfile(printing("echo x")), checks=[CommandCheck(["cat", "/out"], stdout="^x$")])

    assert "x" == printed(image, tag, builder="default")
    assert image.test(request=image.request(builder="default")).ok


@pytest.mark.engine
def test_what_the_steps_find(tag: str) -> None:
    """Hosts, the size of /dev/shm and limits are those that are asked for, and are no part of the image."""
    image = Image(
        Dockerfile(printing("grep a.test /etc/hosts; df -m /dev/shm | tail -n 1; ulimit -n")),
        add_hosts={"a.test": "fd00::1"}, shm_size="17m", ulimits="nofile=99",
    )  # fmt: skip
    words = printed(image, tag).split()

    assert ["fd00::1", "a.test", "17", "99"] == [*words[:2], words[3], words[-1]]
    assert "a.test" not in docker("run", "--rm", tag, "cat", "/etc/hosts")


@pytest.mark.engine
def test_one_stage_without_the_cache(tag: str) -> None:
    """The others come from it."""
    kept = Stage(BUSYBOX, name="kept", steps=[Run("cat /proc/sys/kernel/random/uuid > /a")])
    fresh = Stage(BUSYBOX, name="fresh", steps=[Run("cat /proc/sys/kernel/random/uuid > /b")])
    last = Stage(BUSYBOX, steps=[Copy("/a", "/a", from_=kept), Copy("/b", "/b", from_=fresh)])
    image = Image(Dockerfile(last), tags=tag)
    reported = []
    for options in ({}, {}, {"no_cache_filter": fresh}, {"no_cache_filter": ["fresh"]}):
        image.build(**options)
        reported.append(docker("run", "--rm", tag, "cat", "/a", "/b").split())

    assert 1 == len({a for a, _ in reported})
    assert reported[0] == reported[1]
    assert 3 == len({b for _, b in reported[1:]})


AGENT = r"""
import os, socket
agent = socket.socket(socket.AF_UNIX)
agent.connect(os.environ["SSH_AUTH_SOCK"])
agent.send(b"\0\0\0\x01\x0b")
answer = agent.makefile("rb")
print("the agent has", answer.read(int.from_bytes(answer.read(4), "big")))
"""
"""Asks for the list of keys, as the draft of the agent's protocol says."""


@pytest.mark.engine
@pytest.mark.parametrize("spec", ["default", "default=KEY", "other=SOCKET"])
def test_an_ssh_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec: str) -> None:
    """A step asks a real agent for its keys; a key in a file gets an agent of its own."""
    if shutil.which("ssh-agent") is None:
        cannot_run("there is no ssh-agent on the PATH; install openssh-client")
    key, place = tmp_path / "key", tmp_path / "agent"
    comment = secrets.token_hex(6)
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(key))
    with subprocess.Popen(["ssh-agent", "-D", "-a", str(place)], stdout=subprocess.DEVNULL) as agent:
        try:
            wait_until(place.exists)
            monkeypatch.setenv("SSH_AUTH_SOCK", str(place))
            run("ssh-add", "-q", str(key))
            if "KEY" in spec:
                monkeypatch.delenv("SSH_AUTH_SOCK")
            name = spec.partition("=")[0]
            step = Run.exec("python3", "-c", AGENT, mounts=[Ssh(id=name, required=True)])
            lines: list[str] = []
            image = Image(
                Dockerfile(Stage("python:3.13-slim", steps=[Arg("ROUND"), step])), build_args={"ROUND": comment}
            )
            image.build(ssh=spec.replace("KEY", str(key)).replace("SOCKET", str(place)), progress=plain(lines.append))
        finally:
            agent.terminate()

    reported = next(line for line in lines if "| the agent has" in line)
    assert "ssh-ed25519" in reported
    # The agent that buildx makes of a file gives the key another comment.
    assert (comment in reported) == ("KEY" not in spec)


# --- secrets


@pytest.mark.engine
@pytest.mark.parametrize("way", ["env", "file", "keys in upper case"])
@pytest.mark.parametrize("status", [0, 3])
def test_a_secret_is_logged_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, status: int) -> None:
    """Not even where a step prints it: not in a log line, an error, an event, or an argument of a command."""
    value = f"s3cret-{secrets.token_hex(8)}"
    if way == "env":
        monkeypatch.setenv("THE_TOKEN", value)
    else:
        tmp_path.joinpath("token").write_text(f"{value}\nsecond-{value}\n")
    spec = "id=t,env=THE_TOKEN" if way == "env" else f"id=t,src={tmp_path}/token"
    if way == "keys in upper case":
        spec = f"ID=t,Src={tmp_path}/token"
    command = "cat /run/secrets/t; printf 'and again: '; cat /run/secrets/t >&2; tr '\\0' ' ' < /proc/1/cmdline"
    # A program that colours a part of a line writes codes within it.
    command += "; echo; head -c 9 /run/secrets/t; printf '\\033[0m'; tail -c +10 /run/secrets/t"
    image = Image(
        Dockerfile(Stage(BUSYBOX, steps=[Run(f"{command}; exit {status}", mounts=[Secret("t")])])), secrets=spec
    )
    events: list[BuildEvent] = []
    lines: list[str] = []
    seen: list[str] = []

    def report(event: BuildEvent) -> None:
        events.append(event)
        plain(lines.append)(event)
        if event.kind == "log":
            seen.extend(path.read_bytes().decode(errors="replace") for path in processes())

    reported = ""
    try:
        reported = image.build(no_cache=True, progress=report).summary()
    except BuildFailed as error:
        assert status
        reported = f"{error!r} {error.message} {error.log} {error.reason} {error.cause} {vars(error)}"

    everything = "\n".join(
        [*lines, *map(repr, events), reported, *seen, repr(image), " ".join(arguments(image.request(), ""))]
    )
    assert value not in everything
    assert any("***" in line for line in lines)
    assert any("--secret" in line for line in seen), "the docker command was looked at"


def processes() -> Iterator[Path]:
    """Yield the files that have the arguments of the docker commands that run."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"docker" in path.read_bytes():
                yield path
        except OSError:
            continue


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("id=t,env=NO_SUCH_NAME", "the secret t: the environment has no NO_SUCH_NAME; export NO_SUCH_NAME, or"),
        ("id=t,src=/no/such", "the secret t: its file /no/such cannot be read (No such file or directory); check"),
        ("id=NO_SUCH_NAME", "the secret NO_SUCH_NAME: its file NO_SUCH_NAME cannot be read"),
        ("id=t,type=env,src=NO_SUCH_NAME", "the environment has no NO_SUCH_NAME"),
        (
            "id=t,src=/dev/zero",
            "the secret t: /dev/zero is a pipe or a device, not a file; pass the secret with env=NAME",
        ),
    ],
)
def test_a_secret_that_is_not_there(tmp_path: Path, spec: str, words: str) -> None:
    """The engine would build with an empty one; the build is not begun."""
    tmp_path.joinpath("docker").symlink_to("/bin/true")
    with pytest.raises(BuildFailed) as caught:
        Image(DOCKERFILE, secrets=spec).build(Buildx(str(tmp_path / "docker")))

    assert words in caught.value.message
    assert "definition" == caught.value.kind


FROM_THE_LINE = [
    pytest.param(
        {"secrets": ["id=t,env=NO_SUCH_NAME", "id=u,src=u"]},
        ["--secret", "src=f,id=t"],
        {"secrets": (SecretSpec("t", src="f"), SecretSpec("u", src="u"))},
        id="secret",
    ),
    pytest.param(
        {"ssh": ["default", "b=x"]},
        ["--ssh", "default=k"],
        {"ssh": (SshSpec("default", ("k",)), SshSpec("b", ("x",)))},
        id="ssh",
    ),
    pytest.param(
        {"ssh": "b=x"}, ["--ssh", "default"], {"ssh": (SshSpec("b", ("x",)), SshSpec("default"))}, id="another ssh"
    ),
    pytest.param(
        {"add_hosts": {"a": "::1", "b": "::1"}, "ulimits": "core=0", "shm_size": "1m"},
        ["--add-host", "b=::2", "--ulimit", "nofile=9", "--shm-size", "2m", "--no-cache-filter", "api"],
        {
            "add_hosts": (("a", "::1"), ("b", "::2")),
            "ulimits": ("core=0", "nofile=9"),
            "shm_size": "2m",
            "no_cache_filter": ("api",),
        },
        id="hosts and limits",
    ),
    pytest.param(
        {"annotations": {"a": "b"}}, ["--annotation", "a=c=d"], {"annotations": (("a", "c=d"),)}, id="annotation"
    ),
]


@pytest.mark.parametrize(("said", "words", "expected"), FROM_THE_LINE)
def test_an_option_with_the_same_id_replaces_the_images(
    said: dict[str, Any], words: list[str], expected: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two there would be one that is not there, or that the command refuses; others stay."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SSH_AUTH_SOCK", "k")
    for name in ("f", "k", "x"):
        tmp_path.joinpath(name).touch()
    found = request(*words, **said)

    assert expected == {name: getattr(found, name) for name in expected}


@pytest.mark.engine
def test_a_secret_from_the_command_line(tmp_path: Path) -> None:
    """The step gets it, where the file's own is not to be had."""
    file = tmp_path / "x.py"
    step = f'Run("echo {secrets.token_hex(6)}; wc -c < /run/secrets/t", mounts=[Secret("t")])'
    file.write_text(
        f"from dockdsl import *\nimage = Image(Dockerfile(Stage({BUSYBOX!r}, steps=[{step}])), "
        "secrets='id=t,env=NO_SUCH_NAME')\n"
    )
    tmp_path.joinpath("f").write_text("12345")
    command = [sys.executable, "-m", "dockdsl", "build", str(file), "--secret", "id=t,src=f", "--progress", "plain"]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=env, timeout=120)

    assert 0 == done.returncode, done.stderr
    assert "| 5\n" in done.stderr


# --- an engine with containerd's image store


def grown(folder: Path) -> Image:
    """Return an image with files that are copied, and files that a step makes when it runs."""
    folder.mkdir(parents=True)
    for name in ("b", "a", "c"):
        folder.joinpath(name).write_text(f"file {name}\n")
    base = Stage(BUSYBOX, name="base", steps=[Copy(".", "/src/"), Run("mkdir -p /made/x && cat /src/* > /made/x/all")])
    stage = Stage("scratch", name="api", steps=[Copy("/made", "/made", from_=base), Copy("a", "/a")])
    return Image(Dockerfile(stage), context=folder, reproducible=True)


@pytest.mark.engine
@pytest.mark.usefixtures("in_store")
@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        (
            {"output": "push", "tags": "127.0.0.1:1/x:1"},
            "registry",
            "build: pushing 127.0.0.1:1/x:1: the registry cannot",
        ),
        (
            {"cache_to": "type=registry,ref=127.0.0.1:1/x:1"},
            "registry",
            "build: exporting cache to registry: the registry",
        ),
        (
            {"cache_to": "type=local,dest=/proc/nosuch"},
            "definition",
            "build: invalid destination directory: /proc/nosuch:",
        ),
    ],
)
def test_what_cannot_be_handed_on(options: dict[str, Any], kind: str, message: str, tmp_path: Path) -> None:
    """An image or a cache that a registry or a folder rejects is reported with cause and fix; no step is at fault."""
    image = Image(Dockerfile(Stage(BUSYBOX, name="s", steps=[Run("echo x > /x")])), context=str(tmp_path))
    with pytest.raises(BuildFailed) as caught:
        image.build(**options)

    assert kind == caught.value.kind
    assert caught.value.origin is not None
    assert __file__ == caught.value.origin.path
    assert caught.value.message.startswith(message)
    assert caught.value.cause
    assert caught.value.message.endswith(f"; {caught.value.fix}")


@pytest.mark.engine
@pytest.mark.usefixtures("in_store")
def test_annotations(tmp_path: Path) -> None:
    """They stand in the manifest, or in the index."""
    image = Image(
        Dockerfile(Stage("scratch", steps=[Copy.text("x\n", "/x")])), annotations={"a": "b=c"}, provenance=True
    )
    image.build(output=f"type=oci,dest={tmp_path}/x,tar=false", annotations={"a": "b=c", "index:d": "e"})
    blobs = [path.read_bytes() for path in tmp_path.glob("x/blobs/sha256/*")]
    reported = [
        found["annotations"] for each in blobs if each.startswith(b"{") and "annotations" in (found := json.loads(each))
    ]

    assert {"a": "b=c"} in reported
    assert {"d": "e"} in reported


@pytest.mark.engine
@pytest.mark.usefixtures("in_store")
def test_a_reproducible_image(tmp_path: Path, tag: str) -> None:
    """Two builds from two folders, the second without the cache, give one digest; the engine runs that very image."""
    first, second = grown(tmp_path / "one"), grown(tmp_path / "two" / "deeper")
    os.utime(tmp_path / "one" / "a", (1, 1_600_000_000))
    one, two = first.build(tags=f"{tag}-1"), second.build(tags=f"{tag}-2", no_cache=True)
    archive = first.build(no_cache=True, output=f"type=docker,dest={tmp_path}/x.tar")
    ordinary = first.build(no_cache=True, reproducible=False, tags=f"{tag}-3")

    assert one.digest == two.digest == archive.digest
    assert one.image == two.image == inspect(f"{tag}-2")["Id"]
    assert "1970-01-01T00:00:00Z" == inspect(f"{tag}-1")["Created"]
    assert one.digest != ordinary.digest, "else nothing is shown"


@pytest.mark.engine
@pytest.mark.usefixtures("in_store")
def test_a_reproducible_archive(tmp_path: Path) -> None:
    """The same with an OCI archive, on the command line, at a time that is given."""
    grown(tmp_path / "app")
    file = tmp_path / "x.py"
    file.write_text(
        "from dockdsl import *\n"
        f'base = Stage({BUSYBOX!r}, steps=[Run("date > /dev/null; mkdir /made; echo x > /made/x")])\n'
        'image = Image(Dockerfile(Stage("scratch", steps=[Copy("/made", "/made", from_=base), Copy("a", "/a")])), "app")\n'
    )
    ids = []
    for name in ("1.tar", "2.tar"):
        done = subprocess.run(
            [sys.executable, "-m", "dockdsl", "build", str(file), "--reproducible", "--source-date-epoch", "1700000000",
             "--no-cache", "-o", f"type=oci,dest={tmp_path}/{name}"],
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert 0 == done.returncode, done.stderr
        ids.append((done.stdout, done.stderr.rpartition("digest ")[2]))

    assert ids[0] == ids[1]
    assert ids[0][0].startswith("sha256:")
    assert tmp_path.joinpath("1.tar").read_bytes() == tmp_path.joinpath("2.tar").read_bytes()


@pytest.mark.engine
@pytest.mark.usefixtures("in_store")
def test_several_platforms_in_an_archive(tmp_path: Path) -> None:
    """Each platform has its manifest."""
    stage = Stage("scratch", steps=[Arg("TARGETARCH"), Copy.text("$TARGETARCH\n", "/arch")])
    Image(Dockerfile(stage), platforms=["linux/amd64", "linux/arm64"]).build(
        output=f"type=oci,dest={tmp_path}/x,tar=false", provenance=False
    )
    layout = tmp_path / "x"
    index = json.loads((layout / "index.json").read_text())
    digest = index["manifests"][0]["digest"].replace(":", "/")
    inner = json.loads((layout / "blobs" / digest).read_text())

    assert ["amd64", "arm64"] == sorted(each["platform"]["architecture"] for each in inner["manifests"])


@pytest.mark.engine
@pytest.mark.usefixtures("in_store")
def test_a_layout_as_context(tmp_path: Path, tag: str) -> None:
    """What one build writes as an OCI layout is a base for another one."""
    made = Image(Dockerfile(Stage(BUSYBOX, steps=[Copy.text("in the layout\n", "/mark")])))
    made.build(output=f"type=oci,dest={tmp_path}/layout,tar=false,name=x:1")
    image = Image(
        Dockerfile(Stage("base", steps=[Run("true")])), contexts={"base": f"oci-layout://{tmp_path}/layout:1"}
    )
    image.build(tags=tag)

    assert "in the layout" == docker("run", "--rm", tag, "cat", "/mark")


@pytest.mark.engine
@pytest.mark.usefixtures("in_store")
def test_a_cache_in_a_folder(tmp_path: Path, tag: str) -> None:
    """What one build writes, another one takes in when the engine has forgotten everything."""
    image = Image(Dockerfile(printing("echo x")))
    cache = tmp_path / "cache"
    image.build(cache_to=f"type=local,dest={cache},mode=max")
    docker("builder", "prune", "--all", "--force")
    again = image.build(cache_from=f"type=local,src={cache}", tags=tag)

    assert (1, 1) == (again.steps, again.cached)


@pytest.mark.engine
@pytest.mark.usefixtures("in_store")
def test_attestations(tmp_path: Path) -> None:
    """The provenance is in the archive; a bill of materials needs an image that makes it, and says which."""
    # Without a step there is nothing to attest.
    image = Image(Dockerfile(Stage("scratch", steps=[Copy.text("x\n", "/x")])), provenance="mode=max,version=v1")
    image.build(output=f"type=oci,dest={tmp_path}/x,tar=false")
    blobs = [each.read_bytes() for each in tmp_path.joinpath("x/blobs/sha256").iterdir()]
    with pytest.raises(BuildFailed) as caught:
        Image(DOCKERFILE).build(sbom="127.0.0.1:1/scanner:1")

    assert any(b"https://slsa.dev/provenance/v1" in each for each in blobs)
    assert "the image 127.0.0.1:1/scanner:1 is not on this machine" in caught.value.message


@pytest.mark.engine
@pytest.mark.usefixtures("in_store")
def test_push(tmp_path: Path, tag: str) -> None:
    """The image is in the registry under its tag, and so is its cache; from there both are had again."""
    with registry() as (host, kept):
        name = f"{host}/{tag}"
        repository, _, version = name.removeprefix(f"{host}/").partition(":")
        image = Image(Dockerfile(printing("echo x")), tags=name)
        pushed = image.build(output="push", cache_to=f"type=registry,ref={name}-cache,mode=max")
        docker("builder", "prune", "--all", "--force")
        again = image.build(cache_from=f"{name}-cache", tags=f"{tag}-again")
        based = Image(Dockerfile(Stage(name, steps=[Run("cat /out")])), tags=f"{tag}-based").build()

        assert f"{repository}/manifests/{version}" in kept
        assert pushed.digest == pushed.image
        assert pushed.digest in kept
        assert (1, 1) == (again.steps, again.cached)
        assert 1 == based.steps
        docker("rmi", "--force", name)


@pytest.mark.engine
@pytest.mark.usefixtures("in_store")
def test_pull(tag: str) -> None:
    """A base image that has changed in the registry is the old one for a build, but for one that asks for newer ones."""
    with registry() as (host, kept):
        name = f"{host}/{tag}"
        for text, version in (("one\n", name), ("two\n", f"{name}-two")):
            Image(Dockerfile(Stage(BUSYBOX, steps=[Copy.text(text, "/version")])), tags=version).build(output="push")
        place = tag.replace(":", "/manifests/")
        # The engine keeps what it pushes under that name, so the registry alone is to have the newer one.
        kept[place] = kept[f"{place}-two"]
        image = Image(Dockerfile(Stage(name, steps=[Run("cp /version /out")])))

        assert "one" == printed(image, tag)
        assert "two" == printed(image, tag, pull=True)
        docker("rmi", "--force", name, f"{name}-two")


@pytest.mark.engine
@pytest.mark.usefixtures("in_store")
def test_a_cache_in_the_image(tag: str) -> None:
    """It comes with the image from the registry."""
    with registry() as (host, _):
        name = f"{host}/{tag}"
        image = Image(Dockerfile(printing("echo x")), tags=name)
        image.build(output="push", cache_to="type=inline")
        docker("builder", "prune", "--all", "--force")
        again = image.build(cache_from=name, tags=tag)

        assert (1, 1) == (again.steps, again.cached)


@pytest.mark.engine
@pytest.mark.usefixtures("in_store")
def test_platforms_whose_files_differ(tmp_path: Path) -> None:
    """Each has its own; nothing of them is run."""
    for name in ("amd64", "arm64"):
        tmp_path.joinpath(f"bin-{name}").write_text(name)
    stage = Stage("scratch", steps=[Arg("TARGETARCH"), Copy("bin-$TARGETARCH", "/app")])
    image = Image(Dockerfile(stage), context=tmp_path, platforms=["linux/amd64", "linux/arm64"])
    result = image.build(output=f"type=local,dest={tmp_path}/out")

    for name in ("amd64", "arm64"):
        assert name == tmp_path.joinpath(f"out/linux_{name}/app").read_text()
    assert (4, 0) == (result.steps * 2, result.cached)


@pytest.mark.engine
@pytest.mark.usefixtures("in_store")
def test_the_size_of_containerds_store(tag: str) -> None:
    """The engine reports the layers as they are transferred, and the summary says so."""
    result = Image(Dockerfile(Stage(BUSYBOX, steps=[Run("true")])), tags=tag).build()

    assert "content" == result.size_kind
    assert "(its layers as they are transferred)" in result.summary()
    assert inspect(tag)["Size"] == result.size
