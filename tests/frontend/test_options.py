"""The options of a build on a real engine: each does what it does with the plain Dockerfile."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.engine.helpers import is_open, wait_until
from tests.frontend.builds import BASE, Build, served

pytestmark = pytest.mark.engine


def test_target_arguments_and_labels(build: Build) -> None:
    """A target, a build argument and a label are those of the command."""
    build.write()
    options = ("--target=base", "--build-arg=GREETING=bye", "--label=a=b")
    done, plain = build.image(*options), build.image(*options, file=build.plain())

    assert plain["Id"] == done["Id"]
    assert "b" == done["Config"]["Labels"]["a"]


def test_what_an_image_says(build: Build) -> None:
    """The target, the arguments, the labels and the ignored files of an Image hold where the command has no others."""
    build.write()
    with build.folder.joinpath("app.py").open("a") as file:
        file.write(
            "from dockdsl import Image\n"
            'build_args, labels = {"GREETING": "image"}, {"a": "image", "b": "image"}\n'
            'image = Image(dockerfile, build_args=build_args, labels=labels, target="base", ignore=["ignored*"])\n'
        )
    options = ("--target=app", "--label=a=b")
    plain = build.plain()
    build.folder.joinpath(f"{plain}.dockerignore").write_text("ignored*\n")
    same = build.image(*options, "--label=b=image", "--build-arg=GREETING=image", file=plain)
    done = build.image(*options)
    by_itself = subprocess.run(
        [sys.executable, "-m", "dockdsl", "build", "app.py", "--context=context", "--target=app", "--label=a=b"],
        cwd=build.folder,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=120,
    )

    assert same["Id"] == done["Id"] == by_itself.stdout.strip()
    assert ("b", "image") == (done["Config"]["Labels"]["a"], done["Config"]["Labels"]["b"])


def test_secrets_and_named_contexts(build: Build) -> None:
    """A secret of a file and one of the environment are mounted, and files come from a named context."""
    build.folder.joinpath("extra").mkdir()
    build.folder.joinpath("extra/file").write_text("from the extra context\n")
    build.folder.joinpath("token").write_text("secret")
    build.write(
        "from dockdsl import *\n"
        'mounts = [Secret("token", required=True), Secret("key", env="KEY", required=True)]\n'
        'wc = Run("wc -c < /run/secrets/token > /size; echo ${#KEY} >> /size", mounts=mounts)\n'
        'd = Dockerfile(Stage("busybox:1.37", steps=[wc, Copy("file", "/", from_=external("extra"))]))\n'
    )
    options = ("--secret=id=token,src=token", "--secret=id=key,env=OWN_KEY", "--build-context=extra=extra")
    done = build.run(*options, "--output=out", OWN_KEY="of the environment")
    without = build.run(*options[1:], "--no-cache", OWN_KEY="of the environment")

    assert 0 == done.code, done.errors
    assert "6\n18\n" == build.folder.joinpath("out/size").read_text()
    assert "from the extra context\n" == build.folder.joinpath("out/file").read_text()
    assert 1 == without.code
    assert [("app.py", 1)] == [(name, len(lines)) for name, lines in without.excerpts]
    assert "secret token: not found" in without.errors


ASK_THE_AGENT = """\
import os, socket

with socket.socket(socket.AF_UNIX) as agent:
    agent.connect(os.environ["SSH_AUTH_SOCK"])
    agent.sendall(bytes([0, 0, 0, 1, 11]))
    with agent.makefile("rb") as answer, open("/keys", "wb") as keys:
        keys.write(answer.read(int.from_bytes(answer.read(4), "big")))
"""
"""Asks an SSH agent for its keys."""


@contextmanager
def agent(folder: Path, name: str) -> Iterator[str]:
    """Run an SSH agent with a key of that name; yields its socket."""
    key, path = folder / "key", str(folder / "agent")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", key], check=True, timeout=60)
    with subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL) as running:
        try:
            wait_until(lambda: is_open(path))
            subprocess.run(["ssh-add", "-q", key], check=True, timeout=60, env={**os.environ, "SSH_AUTH_SOCK": path})
            yield path
        finally:
            running.terminate()


def test_an_ssh_agent(build: Build) -> None:
    """A step that mounts the agent of the command reaches it; without one, that step is at fault."""
    build.write(
        "from dockdsl import *\n"
        f"ask = {ASK_THE_AGENT!r}\n"
        f'asks = Stage("{BASE}", name="asks", steps=[\n'
        '    Run.exec("python3", "-c", ask, mounts=[Ssh(id="work", required=True)], network="none"),\n'
        "])\n"
        'd = Dockerfile(Stage("scratch", steps=[Copy("/keys", "/", from_=asks)]))\n'
    )
    with agent(build.folder, "a key of the test") as path:
        done = build.run(f"--ssh=work={path}", "--output=out")
    without = build.run("--no-cache")

    assert 0 == done.code, done.errors
    assert b"a key of the test" in build.folder.joinpath("out/keys").read_bytes()
    assert 1 == without.code
    assert [("app.py", ['    Run.exec("python3", '])] == [
        (name, [line[:24] for line in lines]) for name, lines in without.excerpts
    ]


def test_what_is_ignored(build: Build) -> None:
    """``app.py.dockerignore`` replaces the file of the context, which counts otherwise."""
    build.write()
    build.folder.joinpath("context/.dockerignore").write_text("data.txt\n.dockerignore\n")
    assert 0 == build.run("--output=one").code
    build.folder.joinpath("app.py.dockerignore").write_text("ignored*\n.dockerignore\n")
    assert 0 == build.run("--output=two").code

    assert ["ignored.txt"] == [each.name for each in build.folder.joinpath("one/context").iterdir()]
    assert ["data.txt"] == [each.name for each in build.folder.joinpath("two/context").iterdir()]


@pytest.mark.parametrize("call", ["check", "outline", "targets", "subrequests.describe"])
def test_questions(build: Build, call: str) -> None:
    """What is asked about a build is answered as for the Dockerfile, with the lines and the text of Python."""
    build.write()
    build.replace('Cmd.exec("cat", "/greeting")', 'Cmd("cat /greeting")')
    text = build.folder.joinpath("app.py").read_text()
    plain_file = build.plain()
    done, plain = build.run(f"--call={call}"), build.run(f"--call={call}", file=plain_file)
    given = build.run(f"--call={call},format=json")
    answer, expected = (
        json.loads(each.output) for each in (given, build.run(f"--call={call},format=json", file=plain_file))
    )

    assert (plain.code, without_excerpts(plain.output)) == (done.code, without_excerpts(done.output))
    located = [*locations(answer)]
    assert len([*locations(expected)]) == len(located)
    for location, before in zip(located, locations(expected), strict=True):
        source = answer["sources"][location["sourceIndex"]]
        line = location["ranges"][0]["start"]["line"]
        words = plain_words(build.folder / plain_file, before["ranges"][0]["start"]["line"])
        assert text == (bytes_of(source) if isinstance(source, str) else bytes_of(source["data"]))
        assert words in text.splitlines()[line - 1].upper(), (words, line)
    if call == "check":
        assert "app.py:20" in done.output
    assert done.warnings == [] or call == "outline"


def without_excerpts(output: str) -> list[str]:
    """Return what is printed, but for the lines of a file and their name."""
    head = [
        line for line in output.splitlines() if "|" not in line and "Dockerfile:" not in line and ".py:" not in line
    ]
    return [line.rstrip() for line in head if line.strip()]


def locations(value: Any) -> Iterator[Any]:
    """Yield each location in an answer, in its order."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "location" and inner:
                yield inner
            elif name != "sources":
                yield from locations(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from locations(inner)


def bytes_of(data: str) -> str:
    """Return a text of an answer."""
    return base64.b64decode(data).decode()


def plain_words(path: Path, line: int) -> str:
    """Return the instruction in a line of a Dockerfile; a stage is its keyword in Python."""
    word = path.read_text().splitlines()[line - 1].split()[0]
    return "STAGE(" if word == "FROM" else f"{word}("


def test_bake(build: Build) -> None:
    """A bake file names the Python file, and the target of another one is a base."""
    build.write()
    build.write(
        'from dockdsl import *\nd = Dockerfile(Stage(external("lower"), steps=[Copy("data.txt", "/d")]))\n',
        file="upper.py",
    )
    build.folder.joinpath("bake.hcl").write_text(
        'target "lower" {\n  context = "context"\n  dockerfile = "../app.py"\n  target = "base"\n}\n'
        'target "upper" {\n  context = "context"\n  dockerfile = "../upper.py"\n  contexts = { lower = "target:lower" }\n'
        '  output = ["type=local,dest=out"]\n}\n'
    )
    done = build.docker("buildx", "bake", "--progress=plain", "-f", "bake.hcl", "upper")

    assert 0 == done.code, done.errors
    assert "hello\n" == build.folder.joinpath("out/greeting").read_text()
    assert "data\n" == build.folder.joinpath("out/d").read_text()


def archive(folder: Path, *, is_compressed: bool) -> bytes:
    """Return an archive with all that is in a folder."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        tar.add(folder, ".")
    return gzip.compress(data.getvalue()) if is_compressed else data.getvalue()


@pytest.mark.parametrize("is_compressed", [False, True], ids=["plain", "compressed"])
def test_an_archive_on_stdin(build: Build, *, is_compressed: bool) -> None:
    """The context is an archive, and the Python file and its modules are in it."""
    build.write()
    build.replace('Copy(".", ', 'Copy("context", ')
    plain = build.plain()
    done = build.image(context="-", stdin=archive(build.folder, is_compressed=is_compressed))
    build.replace("echo $GREETING > /greeting", "exit 9")
    failed = build.run(context="-", stdin=archive(build.folder, is_compressed=is_compressed))

    assert build.image(file=plain, context=".")["RootFS"] == done["RootFS"]
    assert [("app.py", 4)] == [(name, len(lines)) for name, lines in failed.excerpts]


def test_a_file_on_stdin(build: Build) -> None:
    """``-f -`` takes the Python file from stdin, whatever the context is; it has no modules then."""
    build.write()
    build.folder.joinpath("bases.py").unlink()
    build.replace("from bases import BASE", 'BASE = "busybox:1.37"')
    build.replace("from parts.common import setup", "setup = []")
    data = build.folder.joinpath("app.py").read_bytes()
    plain = build.folder.joinpath(build.plain()).read_bytes()
    build.folder.joinpath("context.tar").write_bytes(archive(build.folder / "context", is_compressed=False))
    with served(build.folder) as host:
        for context in ("context", f"{host}/context.tar"):
            done, expected = (build.image(file="-", stdin=each, context=context) for each in (data, plain))
            assert expected["Id"] == done["Id"]


def test_a_file_at_an_address(build: Build) -> None:
    """The address of a Python file is a build without a context."""
    build.write('from dockdsl import *\nd = Dockerfile(Stage("busybox:1.37", steps=[Run("echo x > /x")]))\n')
    with served(build.folder) as host:
        done = build.docker("buildx", "build", "--progress=plain", "--output=out", f"{host}/app.py")

    assert 0 == done.code, done.errors
    assert "x\n" == build.folder.joinpath("out/x").read_text()


def test_a_large_file(build: Build) -> None:
    """A file whose text does not fit into one frame is built."""
    labels = ", ".join(f'"label{number}": "{"x" * 1000}"' for number in range(800))
    build.write(
        f'from dockdsl import *\nlabels = {{{labels}}}\nd = Dockerfile(Stage("busybox:1.37", steps=[Label(labels)]))\n'
    )

    assert 800 == len([each for each in build.image()["Config"]["Labels"] if each.startswith("label")])


def test_the_frontend_of_the_command(build: Build) -> None:
    """A file without the line is built with a build argument, and by a named context that leads to the image."""
    plain = build.image(file=build.plain())
    build.write(line="# a comment")
    named = build.image(f"--build-arg=BUILDKIT_SYNTAX={build.frontend}")
    build.replace("# a comment", "# syntax=nowhere.test/frontend:1")
    led = build.image(f"--build-context=nowhere.test/frontend:1=docker-image://{build.frontend}")

    assert plain["Id"] == named["Id"] == led["Id"]


def test_a_frontend_of_the_text(build: Build, tag: str) -> None:
    """A Dockerfile that names a frontend itself is built by that, with all that the command says."""
    program = (
        "import os; from dockdsl.frontend.gateway import Gateway; from dockdsl.frontend.wire import Channel; "
        "gateway = Gateway(Channel(0, 1)); given = [v for k, v in os.environ.items() if k.startswith('BUILDKIT_FRONTEND_OPT_')]; "
        "options = dict(each.split('=', 1) for each in given); inputs = gateway.inputs(); "
        "gateway.end(gateway.build({**options, 'label:by': options['cmdline']}, inputs))"
    )
    another = ["python3", "-BPS", "-c", program]
    build.folder.joinpath("another.Dockerfile").write_text(f"FROM {build.frontend}\nENTRYPOINT {json.dumps(another)}\n")
    assert 0 == build.run("--load", "-t", tag, file="another.Dockerfile").code
    build.write(line="#!/usr/bin/env python3\n# syntax=" + build.frontend)
    build.replace("Dockerfile([test, app])", f'Dockerfile([test, app], syntax="{tag}")')
    plain = build.image("--label=a=b", file=build.plain())

    assert tag == plain["Config"]["Labels"]["by"]
    assert plain["Id"] == build.image("--label=a=b")["Id"]


def test_one_of_several(build: Build) -> None:
    """A build argument picks the Dockerfile, and is not passed on."""
    build.write(
        "from dockdsl import *\n"
        'each = {n: Dockerfile(Stage("busybox:1.37", steps=[Label({"which": n})])) for n in ("a", "b")}\n'
    )
    done = build.run()

    assert "pick one with --build-arg DOCKDSL_NAME=…: 'each[a]', 'each[b]'" in done.errors
    assert "b" == build.image("--build-arg=DOCKDSL_NAME=each[b]")["Config"]["Labels"]["which"]


def test_an_endless_file_and_ctrl_c(build: Build) -> None:
    """Ctrl-C ends a build whose file does not end."""
    build.write("while True:\n    pass\n")
    command = ["docker", "buildx", "build", "--progress=plain", "-f", "app.py", "context"]
    with subprocess.Popen(command, cwd=build.folder, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        for line in running.stderr:
            if "load build definition from app.py" in line and "DONE" not in line:
                break
        time.sleep(1)
        begun = time.monotonic()
        running.send_signal(signal.SIGINT)
        rest = running.stderr.read()
        running.wait(30)

    assert time.monotonic() - begun < 20
    assert 0 != running.returncode
    assert "canceled" in rest


def test_the_child_cannot_reach_buildkit(build: Build) -> None:
    """The file is nobody, has no network, and cannot look into the process that has the connection."""
    build.write(
        "import os, socket\n"
        "def attempt(name, what):\n"
        "    try:\n"
        "        print(name, what())\n"
        "    except OSError as error:\n"
        "        print(name, error.strerror)\n"
        "attempt('parent', lambda: os.listdir(f'/proc/{os.getppid()}/fd'))\n"
        "attempt('signal', lambda: os.kill(os.getppid(), 9))\n"
        "attempt('package', lambda: open('/opt/dockdsl/dockdsl/x', 'w'))\n"
        "attempt('source', lambda: open('/src/app.py', 'w'))\n"
        "attempt('network', lambda: socket.create_connection(('192.0.2.1', 80), 5))\n"
        "print(os.getuid(), sorted(os.listdir('/sys/class/net')))\n"
        'from dockdsl import *\nd = Dockerfile(Stage("busybox:1.37"))\n'
    )
    done = build.run()
    said = [each.partition("printed: ")[2].rpartition(" (line")[0] for each in done.warnings]

    assert 0 == done.code, done.errors
    denied = [f"{each} Permission denied" for each in ("parent", "package", "source")]
    assert {*denied, "signal Operation not permitted", "network Network is unreachable", "65534 ['lo']"} == set(said)
