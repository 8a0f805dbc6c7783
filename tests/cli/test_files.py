"""Files that a command writes: streams that are open already, names of folders, protected files, runs that are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from dockdsl.cli import main
from dockdsl.engine.leftovers import owner
from tests.engine.helpers import GONE

TEXT = "FROM scratch\n"
FILE = "from dockdsl import *\nprint('said')\ndockerfile = Dockerfile(Stage('scratch'))\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be in a folder of one's own, with a file in it."""
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("app.py").write_text(FILE)
    return tmp_path


def shell(command: str) -> subprocess.CompletedProcess[str]:
    """Run a line of Bash in which `dockdsl` is the command line."""
    line = f'dockdsl() {{ "{sys.executable}" -m dockdsl "$@"; }}; {command}'
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False, timeout=120)


def names(folder: Path) -> list[str]:
    """Return the names of what is in a folder."""
    return sorted(each.name for each in folder.iterdir())


@pytest.mark.parametrize(
    "command",
    [
        *[
            f"dockdsl app.py -o {path} | cat"
            for path in ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/dev/../dev/stdout", "/proc/thread-self/fd/1")
        ],
        "dockdsl app.py -o /dev/stdout > out; cat out",
        "echo first > out; dockdsl app.py -o /dev/stdout >> out; tail -n +2 out",
        "dockdsl app.py -o /dev/stderr 2>&1 >/dev/null | grep -v said",
        "dockdsl app.py -o /dev/stderr 2>out; grep -v said out",
        "dockdsl app.py -o /proc/self/fd/7 7>&1",
        "dockdsl app.py -o /dev/fd/7 7>out; cat out",
        "dockdsl app.py -o >(cat > out); sleep 1; cat out",
        "ln -s /dev/stdout link; dockdsl app.py -o link; test -L link",
        "ln -s link2 link; ln -s /dev/fd/1 link2; dockdsl app.py -o link | cat",
        "dockdsl import -o /dev/stdout - <<< 'FROM scratch' | grep -q Dockerfile && echo FROM scratch",
    ],
)
def test_a_stream_that_is_open_is_written_to(command: str) -> None:
    """A path that leads to a stream is that stream, and no file is put in its place."""
    done = shell(command)

    assert TEXT == done.stdout, done.stderr
    assert 0 == done.returncode


@pytest.mark.parametrize("path", ["new/", "new/.", "new/..", "new//", ".", "./", "there/", "there"])
def test_a_folder_is_no_file(path: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A path that ends as one of a folder is refused, whether there is one or not."""
    folder.joinpath("there").mkdir()

    assert 2 == main(["app.py", "-o", path])
    assert f"{path}: it is a folder; name a file in it\n" in capsys.readouterr().err
    assert ["app.py", "there"] == names(folder)


def test_a_write_protected_file_is_left_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not even root replaces it unasked; what the message advises works."""
    out = folder / "my out"
    out.write_text("old\n")
    out.chmod(0o444)

    assert 2 == main(["app.py", "-o", "my out"])
    error = capsys.readouterr().err
    assert "error: my out: it is write-protected; name another file, or: chmod u+w 'my out'\n" in error
    assert "old\n" == out.read_text()
    assert 0 == shell(error.rpartition("or: ")[2]).returncode
    assert 0 == main(["app.py", "-o", "my out"])
    assert TEXT == out.read_text()


def test_a_file_of_several_names(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is replaced as a whole, the other names keep the old text, and that is said."""
    folder.joinpath("one").write_text("old\n")
    folder.joinpath("two").hardlink_to("one")

    assert 0 == main(["app.py", "-o", "one"])
    assert (
        "one: it is a file of its own now; the other names of the file (hard links) keep the" in capsys.readouterr().err
    )
    assert (TEXT, "old\n") == (folder.joinpath("one").read_text(), folder.joinpath("two").read_text())


def test_what_a_killed_run_left_is_removed(folder: Path) -> None:
    """The next run that writes there removes it; what belongs to a living run stays, and what others made."""
    me = owner.this_process()
    dead = attrs.evolve(me, pid=GONE)
    left = folder / f"{owner.file_prefix(dead)}x"
    kept = [folder / f"{owner.file_prefix(me)}x", folder / ".dockdsl-mine", folder / f"{owner.FOLDER}x"]
    kept.append(folder / f"{owner.file_prefix(attrs.evolve(dead, boot='0' * 32))}x")
    for each in (left, *kept):
        each.touch()

    assert 0 == main(["app.py", "-o", "out"])
    assert sorted(["app.py", "out", *(each.name for each in kept)]) == names(folder)


KILLED = """
import os, signal, sys
from dockdsl.cli import main

def killed(descriptor):
    os.kill(os.getpid(), int(sys.argv[1]))
os.fsync = killed
main(["app.py", "-o", "out"])
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_killed_while_it_writes(number: signal.Signals, folder: Path) -> None:
    """The file is the old one, and the next run leaves nothing but the new one."""
    out = folder / "out"
    out.write_text("old\n")
    killed = subprocess.run([sys.executable, "-c", KILLED, str(number.value)], check=False, timeout=60)

    assert -number == killed.returncode
    assert "old\n" == out.read_text()
    assert 0 == main(["app.py", "-o", "out"])
    assert ["app.py", "out"] == names(folder)
    assert TEXT == out.read_text()


def test_a_fifo_that_nobody_reads(capsys: pytest.CaptureFixture[str]) -> None:
    """It is waited for a little, and then that is said."""
    os.mkfifo("pipe")

    assert 2 == main(["app.py", "-o", "pipe"])
    assert "pipe: it is a FIFO, and nobody reads it; start what does, or name a file\n" in capsys.readouterr().err
