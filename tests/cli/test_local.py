"""What options name on this machine is looked at before anything is built, and the message names the option."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockdsl.cli import main

FILE = """
from dockdsl import *
image = Image(Dockerfile(Stage("nosuch.invalid/base:1")), secrets="id=mine,src=nosuch", port=80, checks=[HttpCheck("GET", "/")])
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with an image that cannot be built, and a file `there`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    tmp_path.joinpath("app.py").write_text(FILE)
    tmp_path.joinpath("there").write_text("x")
    tmp_path.joinpath("circle").symlink_to("circle")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("test --junit no/such/x.xml", "--junit: 'no/such/x.xml' cannot be written; name a file in a folder that is"),
        ("test --junit .", "--junit: '.' is a folder; name a file in it"),
        ("test --junit there/x.xml", "--junit: 'there/x.xml' cannot be written"),
        ("test --junit circle", "--junit: 'circle' cannot be written"),
        ("test --junit=", "--junit: the path is empty; name a file"),
        ("size -o no/such/x", "-o: 'no/such/x' cannot be written"),
        ("build -o type=oci,dest=no/such/x.tar", "--output: 'no/such/x.tar' cannot be written"),
        ("build -o type=tar,dest=.", "--output: '.' is a folder; name a file in it"),
        ("build -o there", "--output: 'there' is not a folder: "),
        ("build -o there/x", "--output: 'there/x' is not a folder: "),
        ("build --platform foo", "--platform: 'foo' is not a platform; write linux/arm64, several as a list"),
        ("build --platform linux/amd64,foo", "--platform: 'foo' is not a platform"),
        ("build --secret id=t,src=nosuch", "--secret: the secret t: its file nosuch cannot be read (No such file"),
        ("test --secret id=t,env=DOCKDSL_NO", "--secret: the secret t: the environment has no DOCKDSL_NO; export"),
        ("size --ssh default", "--ssh: default: there is no SSH agent at SSH_AUTH_SOCK; start one"),
        ("build --ssh k=nosuch", "--ssh: k: 'nosuch' cannot be read; name the socket of an agent, or a key"),
        ("build --tag UPPER", "--tag: 'UPPER' is not a tag"),
        ("build --network x", "--network: 'x' is not one of default, none, host"),
        ("build --shm-size x", "--shm-size: 'x' is not a size"),
        ("test --check=", "--check: the text is empty, which each title has; name a part of one"),
    ],
)
def test_an_option_that_cannot_be_used(arguments: str, message: str, capfd: pytest.CaptureFixture[str]) -> None:
    """The option is named, without a place in the file, and nothing is written."""
    verb, *rest = arguments.split()

    assert 2 == main([verb, "app.py", *rest])
    said = capfd.readouterr()
    assert said.err.startswith(f"error: {message}")
    assert 1 == said.err.count("\n")
    assert not said.out
    assert {"app.py", "there", "circle"} == {each.name for each in Path().iterdir()}


@pytest.mark.engine
@pytest.mark.parametrize(
    "arguments", ["test --junit there", "test --junit /dev/stdout", "size -o new", "build -o new/er"]
)
def test_what_can_be_written(arguments: str, capfd: pytest.CaptureFixture[str]) -> None:
    """What is there, a device and a new name are accepted: the next thing that is wrong is said."""
    verb, *rest = arguments.split()

    assert 2 == main([verb, "app.py", *rest])
    assert "app.py:3: error: build: the secret mine: its file nosuch cannot be read" in capfd.readouterr().err
