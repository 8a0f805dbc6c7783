"""Both ways are built on the real engine: the figures, their forms, and that nothing of it stays."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from dockdsl.cli import main
from dockdsl.compare.belongings import Belongings
from dockdsl.compare.replay import Replay
from dockdsl.engine.leftovers.orphans import sweep
from dockdsl.engine.runners.docker_sdk import DockerSdk
from dockdsl.migrate.recipe import Recipe
from tests.engine.helpers import BUSYBOX, docker, left_by, wait_until

pytestmark = pytest.mark.engine
BUILDER = f"FROM {BUSYBOX}\nWORKDIR /src\nCOPY . ./\nRUN cat *.c > app && chmod +x app\n"
FINAL = f"FROM {BUSYBOX}\nCOPY app /bin/\nRUN mkdir -p /var/cache/apk && echo x > /var/cache/apk/index\n"
MAIN = "docker build -t NAME:build -f Dockerfile.build .\n"
COPY = "docker create --name NAME-c NAME:build\ndocker cp NAME-c:/src/app ./app\ndocker rm NAME-c\n"
END = "docker build -t NAME:latest .\n"


@pytest.fixture
def name() -> Iterator[str]:
    """A name for images and containers, which are the user's: there are some already, and they are to stay."""
    found = f"dockdsl-pytest-{secrets.token_hex(6)}"
    docker("tag", BUSYBOX, f"{found}:build")
    docker("create", "--name", f"{found}-c", BUSYBOX)
    yield found
    docker("rm", f"{found}-c")
    docker("rmi", f"{found}:build")
    assert [] == docker("images", "--quiet", found).split()


def project(folder: Path, name: str, script: str, **files: str) -> Path:
    """Write a project of the builder pattern."""
    folder.mkdir()
    wanted = {"Dockerfile.build": BUILDER, "Dockerfile": FINAL, "app.c": "main() {}", "build.sh": script, **files}
    for file, text in wanted.items():
        folder.joinpath(file).write_text(text.replace("NAME", name))
    return folder


def compare(folder: Path, *options: str) -> tuple[int, str, str, int]:
    """Run the command line; return the exit code, stdout, stderr and the number of the process."""
    command = [sys.executable, "-m", "dockdsl", "compare", str(folder), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        output, said = child.communicate(timeout=300)
    return child.returncode, output, said, child.pid


def shown(capsys: pytest.CaptureFixture[str], *options: str | Path) -> str:
    """Return what a comparison that was measured looks like."""
    assert 0 == main(["compare", *map(str, options)])
    return capsys.readouterr().out


def test_figures(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each figure is what it says, all forms have the same, and the engine, the project and the host are as before."""
    end = "docker images NAME\ndocker push NAME\nnpm test\nrm -f /nowhere/x $(ls)\n"
    end += "cat app | tee x\nsed 1d app > y\necho patched >> app\n"
    folder = project(tmp_path / "notes", name, f"#!/bin/sh\ndocker rm -f NAME-c\n{MAIN}{COPY}{END}{end}")
    folder.joinpath("password").symlink_to("/etc/passwd")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    page, saved = tmp_path / "page.html", tmp_path / "found.json"

    code, output, said, pid = compare(folder, "--json", "--html", str(page))

    assert 0 == code, said
    saved.write_text(output)
    found = json.loads(output)
    old, new = found["before"], found["after"]
    assert ("notes", "app.c") == (found["name"], found["changed"])
    assert [f"docker rm -f {name}-c", f"docker build -t {name}:build -f Dockerfile.build ."] == old["commands"][:2]
    assert [f"dockdsl build builds/{name.replace('-', '_')}.py"] == new["commands"]
    assert [f"{name}:build", name] == old["images"]
    assert [name] == new["images"]
    base = int(docker("image", "inspect", "--format", "{{.Size}}", BUSYBOX))
    assert base < new["image_bytes"] < old["image_bytes"] < base + 1000
    assert [{"name": "app", "bytes": 9 + len("patched\n")}] == old["files"]
    assert [] == new["files"]
    for side in (old, new):
        assert (3, base + 9 + 2) == (side["layers"], side["shipped_bytes"])
        assert [{"kind": "caches", "files": 1, "bytes": 2, "example": "/var/cache/apk/index"}] == side["unneeded"]
        assert 0 < side["cold_seconds"] < 300
        assert 0 < side["rebuild_seconds"] < 300
    left_out = [f"9: docker push {name}", "10: npm test", "11: ls", "11: rm -f /nowhere/x $(ls)"]
    left_out += ["12: cat app > x", "13: sed 1d app > y"]
    assert ["password", *left_out] == [line.removeprefix(f"{folder}/build.sh:") for line in found["notes"]]
    assert "left out: password\n" in said
    assert f"{folder}/build.sh:14: echo writes app, which is not followed; " in said

    for language in ("en", "ja"):
        table = shown(capsys, "--from", saved, "--lang", language, "--markdown")
        rows = [line.strip("|\n ").split(" | ") for line in table.splitlines()[2:]]
        plain = shown(capsys, "--from", saved, "--lang", language, "--html", tmp_path / f"{language}.html")
        html = tmp_path.joinpath(f"{language}.html").read_text()
        cells = re.findall(r'<th scope="row">(.*?)</th><td.*?>(.*?)</td><td.*?>(.*?)</td>', html)
        assert 8 == len(rows)
        assert [tuple(row) for row in rows] == [tuple(map(unescape, each)) for each in cells]
        assert [re.sub(r"\s+", "", "".join(row)) for row in rows] == [
            re.sub(r"\s+", "", line) for line in plain.splitlines()[2:]
        ]
        drawn = {unescape(text) for text in re.findall(r"<text[^>]*>(.*?)</text>", html)}
        assert {cell for row in rows[:3] + rows[4:7] for cell in row} <= drawn
    assert tmp_path.joinpath("en.html").read_text() == page.read_text()

    assert before == {path.name: path.read_bytes() for path in folder.iterdir()}
    assert docker("image", "inspect", "--format", "{{.Id}}", BUSYBOX) == docker(
        "image", "inspect", "--format", "{{.Id}}", f"{name}:build"
    )
    assert docker("ps", "--all", "--quiet", "--filter", f"name={name}-c")
    assert [] == left_by(pid)


def measured(folder: Path, *options: str) -> Any:
    """Compare, and return the data."""
    code, output, said, pid = compare(folder, "--json", *options)
    assert 0 == code, said
    assert [] == left_by(pid)
    return json.loads(output)


SCRIPTS = {
    "printed": MAIN + "docker run --rm NAME:build cat /src/app > app\nchmod +x app\n" + END + "rm app\n",
    "mounted": "docker run --rm -v $PWD:/src -v cache:/cache -w /src busybox:1.37 cp app.c app\n" + END,
    "piped": MAIN
    + "docker create --name NAME-c NAME:build\ndocker cp NAME-c:/src/app - | tar -xC .\n"
    + END
    + "docker run --rm -p 8080:80 NAME:latest\n",
    "by id": "id=$(docker build -q -f Dockerfile.build .)\nc=$(docker create $id)\ndocker cp $c:/src/app .\n"
    + END
    + "docker tag NAME:latest NAME:1\ndocker rm $c\ndocker rmi $id\n",
    "moved": "docker build -t NAME:build -f - . <<X\n"
    + BUILDER
    + "X\nmkdir -p out\n"
    + COPY.replace("./app", "out/x")
    + "mv out/* app\n"
    + END
    + "rm -r app out\n",
    "executed": "folder=$(mktemp -d)\ntrap 'rm -rf $folder' EXIT\n"
    + MAIN
    + "docker run -d --cidfile id NAME:build sleep 60\ndocker exec $(cat id) cp app other\n"
    + "docker cp $(cat id):/src/other $folder/app\ndocker rm -f $(cat id)\nrm id\ncat > $folder/Dockerfile <<X\n"
    + FINAL
    + "X\ndocker build -t NAME:latest $folder\n",
}


@pytest.mark.parametrize("kind", SCRIPTS)
def test_scripts(kind: str, tmp_path: Path, name: str) -> None:
    """What each gives is given again: the image that it ships is that of the stages."""
    found = measured(project(tmp_path / "notes", name, SCRIPTS[kind]))

    old, new = found["before"], found["after"]
    assert old["shipped_bytes"] == new["shipped_bytes"]
    gone = kind in ("mounted", "by id")
    assert (1 if gone else 2, 1) == (len(old["images"]), len(new["images"]))
    assert (kind not in ("printed", "moved", "executed")) == bool(old["files"])
    assert (kind == "piped") == bool(found["notes"])


def test_an_image_as_a_base(tmp_path: Path, name: str) -> None:
    """An image that a Dockerfile names is the one that this run has built, and not the user's of that name."""
    script = MAIN + "docker build -t NAME:latest .\n"
    folder = project(tmp_path / "notes", name, script, Dockerfile="FROM NAME:build\nRUN test -x /src/app\n")

    found = measured(folder, "--change", "app.c", "--repeat", "2")

    assert ["sources"] == [each["kind"] for each in found["before"]["unneeded"]]


REFUSED = [
    ("rm -f /tmp/x\n" + MAIN + COPY.replace("./app", "/tmp/app") + END, "build.sh:4: /tmp/app is outside of "),
    (MAIN + COPY.replace("./app", "out/app") + END, "build.sh:3: out/app leads out of the project by a link"),
    (MAIN + COPY + "docker build -t NAME:latest --output x .\n", "build.sh:5: a build with --output is not compared;"),
    (MAIN + COPY + END + "docker rmi NAME:latest\n", "compare: the script removes the image that it ships,"),
    (MAIN + COPY + "docker build -t NAME:latest $(pick)\n", "the context $(pick) is not known"),
]


@pytest.mark.parametrize(("script", "message"), REFUSED)
def test_refused(script: str, message: str, tmp_path: Path, name: str) -> None:
    """What would leave the project, or cannot be measured, is refused with its line; nothing stays."""
    folder = project(tmp_path / "notes", name, script)
    outside = tmp_path / "outside"
    outside.mkdir()
    folder.joinpath("there").symlink_to(outside)
    folder.joinpath("Dockerfile.build").write_text(f"{BUILDER}RUN ln -s /tmp /out\n")
    if "out/app" in script:
        script = script.replace("docker rm", "docker cp NAME-c:/out out\ndocker rm")
        lines = script.splitlines(keepends=True)
        folder.joinpath("build.sh").write_text(
            "".join([lines[0], lines[1], lines[3], lines[2], *lines[4:]]).replace("NAME", name)
        )
        message = message.replace(":3:", ":4:")

    code, output, said, pid = compare(folder)

    assert (2, "") == (code, output), said
    assert message in said
    assert [] == left_by(pid)
    assert [] == list(outside.iterdir())


def test_a_build_that_fails(tmp_path: Path, name: str) -> None:
    """The line of the script is named, with what the build says; nothing stays."""
    folder = project(
        tmp_path / "notes", name, MAIN + COPY + END, **{"Dockerfile.build": f"{BUILDER}RUN echo why; exit 3\n"}
    )

    code, _, said, pid = compare(folder)

    assert 1 == code
    assert "build.sh:1: docker build ended with exit code 1; fix what it says" in said
    assert "why" in said
    assert [] == left_by(pid)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_signals(number: signal.Signals, tmp_path: Path, name: str) -> None:
    """Ctrl-C and SIGTERM leave nothing; what SIGKILL leaves, the next run removes."""
    sleep = f"{BUILDER}RUN sleep 600\n" if number is signal.SIGTERM else BUILDER
    script = (
        MAIN + COPY + END if number is signal.SIGTERM else MAIN + COPY + "docker run --rm NAME:build sleep 600\n" + END
    )
    folder = project(tmp_path / "notes", name, script, **{"Dockerfile.build": sleep})
    command = [sys.executable, "-m", "dockdsl", "compare", str(folder)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as child:
        wait_until(lambda: bool(left_by(child.pid)), 60)
        if number is not signal.SIGTERM:
            assert child.stderr is not None
            while "docker rm" not in (line := child.stderr.readline()):
                assert line
            wait_until(lambda: bool(docker("ps", "--quiet", "--filter", f"label=dockdsl.pid={child.pid}")), 60)
        child.send_signal(number)
        child.communicate(timeout=120)

    assert {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGKILL: -9}[number] == child.returncode
    if number is signal.SIGKILL:
        assert left_by(child.pid)
        sweep()
        with DockerSdk() as runner:
            runner.sweep()
    assert [] == left_by(child.pid)
    assert not folder.joinpath("app").exists()


def test_what_goes_in_and_is_packed(tmp_path: Path, name: str) -> None:
    """Files that a container is given, volumes of another one, archives, and a context that tar gives."""
    script = f"""\
docker build -t x-$RANDOM -f Dockerfile.build .
docker create -v /w --name NAME-v {BUSYBOX} true
docker cp . NAME-v:/w
docker run --rm --volumes-from NAME-v:rw -w /w {BUSYBOX} sh -c "cat app.c > app"
docker cp NAME-v:/w/app app
docker rm -v NAME-v
tar -czf app.tgz app
tar -c Dockerfile app.tgz | docker build -t NAME:latest -
"""
    folder = project(tmp_path / "packs", name, script, Dockerfile=f"FROM {BUSYBOX}\nADD app.tgz /bin/\n")
    code, output, said, pid = compare(folder, "--json")

    assert 0 == code, said
    found = json.loads(output)
    assert 8 == len(found["before"]["commands"])
    assert f"-w /w {BUSYBOX} sh -c 'cat app.c > app'" in found["before"]["commands"][3]
    assert ["app", "app.tgz"] == [file["name"] for file in found["before"]["files"]]
    assert found["before"]["shipped_bytes"] == found["after"]["shipped_bytes"]
    assert "left out: " not in said
    assert [] == left_by(pid)


def test_files_of_root(tmp_path: Path) -> None:
    """What a container leaves in the copy as root belongs to the user afterwards, who can remove it."""
    with DockerSdk() as engine:
        own = Belongings(engine)
        docker("run", "--rm", f"--volume={tmp_path}:/src", BUSYBOX, "sh", "-c", "mkdir /src/d && touch /src/d/f")
        replay = Replay(Recipe(tmp_path), own, tmp_path, str(tmp_path), print, worker=BUSYBOX)
        replay.regain(65534)
        own.remove()

    assert {65534} == {path.stat().st_uid for path in (tmp_path, *tmp_path.rglob("*"))}
    assert [] == left_by(os.getpid())
