"""The user's file in a child process: what comes back, and what it cannot do."""

from __future__ import annotations

import os
import time
from pathlib import Path
from textwrap import dedent

import pytest

import dockdsl.selection  # noqa: F401 - the checkout may be for root alone, and the child is not root
from dockdsl.frontend import child
from dockdsl.frontend.report import Crashed, Failed, Made, Place, Said, line, read

# The tests have threads; the frontend has none.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
GOOD = "from dockdsl import *\n\nd = Dockerfile(Stage('scratch', steps=[\n    User(\n        '1',\n    ),\n]))\n"


def run(
    folder: Path, text: str, name: str | None = None, *, memory: int = child.MEMORY, seconds: float = 20
) -> tuple[Made | Failed | Crashed, list[Said]]:
    """Run a file."""
    path = folder / "app.py"
    path.write_text(dedent(text))
    return child.run(str(path), name, memory=memory, seconds=seconds)


def failure(folder: Path, text: str, *, memory: int = child.MEMORY, seconds: float = 20) -> tuple[str, int | None]:
    """Return why a file defines nothing, and at which line, if at any."""
    found, _ = run(folder, text, memory=memory, seconds=seconds)
    assert isinstance(found, Failed), found
    if found.place is None:
        return str(found), None
    assert str(folder / "app.py") == found.place.path
    return str(found), found.place.first


def wait_for_the_end(process: str) -> None:
    """Wait until a process has ended, whether or not anybody has asked how."""
    deadline = time.monotonic() + 10
    state = Path(f"/proc/{process}/stat")
    while state.exists() and state.read_text().split()[2] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_comes_back(tmp_path: Path) -> None:
    """The text, and for each line the lines of the call that made it."""
    found, said = run(tmp_path, GOOD)
    path = str(tmp_path / "app.py")

    assert isinstance(found, Made), found
    assert "FROM scratch\nUSER 1\n" == found.text
    assert (Place(path, 3, 7), Place(path, 4, 6)) == found.lines
    assert (False, "", None, {}) == found[2:]
    assert [] == said


def test_what_an_image_says_of_the_build(tmp_path: Path) -> None:
    """Directives, and what an Image declares: build arguments, labels, target and ignored files."""
    found, _ = run(
        tmp_path,
        """
        from dockdsl import *
        d = Dockerfile(Stage("scratch", name="a"), syntax="docker/dockerfile:1", check="error=true")
        image = Image(d, build_args={"A": "1"}, labels={"b": "2"}, target="a", ignore=["*", "!c"])
        """,
    )

    assert isinstance(found, Made), found
    assert (True, "error=true", "*\n!c\n") == found[2:5]
    assert {"build-arg:A": "1", "label:b": "2", "target": "a"} == found.options


def test_one_of_several(tmp_path: Path) -> None:
    """A file that defines several needs a name, which the message says how to give."""
    text = """
        from dockdsl import *
        each = {name: Dockerfile(Stage(name)) for name in ("a", "b")}
        """
    message, _ = failure(tmp_path, text)
    found, _ = run(tmp_path, text, "each[b]")

    assert "pick one with --build-arg DOCKDSL_NAME=…: 'each[a]', 'each[b]'" in message
    assert isinstance(found, Made), found
    assert "FROM b\n" == found.text


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("\nfrom dockdsl import *\nUser('')\n", "USER: the user '' is blank", 3),
        ("\nx = (\n", "Python cannot parse it: '(' was never closed", 2),
        ("\n1 / 0\n", "the file raised ZeroDivisionError: division by zero", 2),
        ("x = 1\n", "app.py: it defines no Dockerfile; write dockerfile = Dockerfile(stage)", None),
        ("import sys\nsys.exit(3)\n", "the file ended the program (exit 3)", 2),
        ("import nothing_of_the_kind\n", "and those beside the file; where a newer dockdsl has the name", 1),
        ("from dockdsl import Nothing\n", "and those beside the file; where a newer dockdsl has the name", 1),
        ("open('notes.txt')\n", "of the files beside it, the frontend loads Python modules alone", 1),
        ("import os\nos._exit(4)\n", "os._exit ended the program before the command was done; guard it with if", 2),
        ("import os\nos.execlp('true', 'true')\n", "os.execv ended the program before the command was done", 2),
        ("import ctypes\nctypes.CDLL(None)._exit(4)\n", "app.py: the program that ran it ended (exit 4) without", None),
        ("import os\nos.closerange(3, 50)\n", "let it neither end that program nor close files that it", None),
        ("import os\nos.kill(os.getpid(), 11)\n", "app.py: SIGSEGV ended the program that ran it", None),
    ],
)
def test_why_a_file_defines_nothing(tmp_path: Path, text: str, message: str, line: int | None) -> None:
    """The message is that of the command line, at the line if it is about one, with what differs in a frontend."""
    found, at = failure(tmp_path, text)

    assert message in found
    assert line == at


def test_an_endless_file_is_ended_at_its_line(tmp_path: Path) -> None:
    """A file has so much time."""
    message, line = failure(tmp_path, "x = 0\nwhile True:\n    x += 1\n", seconds=0.5)

    assert "app.py: it has run for 0.5 s, which is all the time that it has in a build" in message
    assert line in (2, 3)


def test_a_file_that_does_not_heed_its_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that catches the error of its end has little more time, and what it started ends with it."""
    monkeypatch.setattr(child, "_GRACE", 1)
    pid = tmp_path / "pid"
    text = f"""
        import subprocess, time
        started = subprocess.Popen(["sleep", "600"])
        open({str(pid)!r}, "w").write(str(started.pid))
        while True:
            try:
                time.sleep(600)
            except Exception:
                pass
        """
    begun = time.monotonic()
    message, _ = failure(tmp_path, text, seconds=1)

    assert "it has run for 1 s" in message
    assert time.monotonic() - begun < 30
    wait_for_the_end(pid.read_text())


def test_memory_is_bounded(tmp_path: Path) -> None:
    """A file that takes too much is told so at the line."""
    message, line = failure(tmp_path, "\nx = bytearray(1 << 33)\n", memory=1 << 32)

    assert "the file raised MemoryError; a file has 4096 MiB in a build" in message
    assert 2 == line


def test_what_is_printed_has_its_line(tmp_path: Path) -> None:
    """Python's own output has a line, whether the file or a module of its own prints; that of a program has none."""
    tmp_path.joinpath("below_app.py").write_text("import warnings\n\nprint('from below')\n")
    found, said = run(
        tmp_path,
        """
        import subprocess, sys
        import below_app
        for word in "one", "two":
            print(word)
        sys.stderr.write("three")
        subprocess.run(["echo", "four"], check=True)
        """
        + GOOD.replace("\n", "\n        "),
    )
    path, below = str(tmp_path / "app.py"), str(tmp_path / "below_app.py")

    assert isinstance(found, Made), found
    assert [
        Said("from below\n", Place(below, 3, 3)),
        Said("one\ntwo\n", Place(path, 5, 5)),
        Said("three", Place(path, 6, 6)),
        Said("four\n", None),
    ] == said


def test_what_is_printed_is_bounded(tmp_path: Path) -> None:
    """A file that prints without end is not heard without end."""
    _, said = run(
        tmp_path,
        """
        import subprocess
        for _ in range(1000):
            print("x" * 1000)
        subprocess.run(["sh", "-c", "yes | head -c 1000000"], check=True)
        """,
    )

    assert [1 << 16, 1 << 16] == [len(each.text) for each in said]


def test_a_program_that_goes_on(tmp_path: Path) -> None:
    """What a file leaves running, and what that prints without end, is not waited for."""
    begun = time.monotonic()
    found, said = run(tmp_path, f"import subprocess\nsubprocess.Popen(['yes'])\n{GOOD}", seconds=60)

    assert isinstance(found, Made), found
    assert len(said) <= 1
    assert time.monotonic() - begun < 30


def test_copies_of_the_program_that_go_on(tmp_path: Path) -> None:
    """They have its report open, which is complete when the file has ended; and they are killed."""
    pid = tmp_path / "pid"
    text = f"""
        import os, time
        for _ in range(50):
            if not (copy := os.fork()):
                time.sleep(600)
        open({str(pid)!r}, "w").write(str(copy))
        """
    begun = time.monotonic()
    found, said = run(tmp_path, dedent(text) + GOOD, seconds=60)

    assert isinstance(found, Made), found
    assert [] == said
    assert time.monotonic() - begun < 30
    wait_for_the_end(pid.read_text())


def test_the_child_has_no_descriptors_of_ours(tmp_path: Path) -> None:
    """Not even one that a child would inherit: it has its input, its output and its report."""
    secret, other = os.pipe()
    text = """
        import os
        for each in os.listdir("/proc/self/fd"):
            if os.path.exists(f"/proc/self/fd/{each}"):
                print(os.readlink(f"/proc/self/fd/{each}"))
        """
    os.set_inheritable(secret, True)
    os.set_inheritable(other, True)
    mine = str(Path(f"/proc/self/fd/{secret}").readlink())
    try:
        _, said = run(tmp_path, text)
    finally:
        os.close(secret)
        os.close(other)
    found = said[0].text.splitlines()

    assert mine not in found
    assert {"/dev/null", "pipe"} == {each.partition(":")[0] for each in found}
    assert 3 == len(set(found))


def test_the_variables_of_buildkit_are_not_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The options of a build may have secrets in them, and are none of the file's business."""
    monkeypatch.setenv("BUILDKIT_FRONTEND_OPT_0", "build-arg:TOKEN=secret")
    _, said = run(tmp_path, "import os\nprint([each for each in os.environ if 'BUILDKIT' in each])\n")

    assert "[]\n" == said[0].text


def test_a_forged_report(tmp_path: Path) -> None:
    """What a file writes into the report is looked at as foreign text; it can say no more than a Dockerfile can."""
    lines = [b"\xff\n", b"[]\n", b'["made", 5]\n', b'["made", [1, [5], 0, 0, 0, 0]]\n', b'["said", null]\n', b"[[[\n"]
    # Not even a line that is not complete hides what comes after it.
    lines.append(b"[1")
    half = b'["failed", ["\\ud800", null]]\n'
    found, said = run(tmp_path, f"import os\nos.write(3, {b''.join(lines)!r})\n{GOOD}")

    assert isinstance(found, Made), found
    assert "FROM scratch\nUSER 1\n" == found.text
    assert [] == said
    assert "?" == str(read(half)[0])
    assert (None, []) == read(b'["said", ["x"]]\n["failed", []]\n["other", 1]\n')


def test_a_fault_of_ours_is_told_as_ours() -> None:
    """An exception of this program is neither the file's, nor lost."""
    found, _ = read(line("crashed", "Traceback"))

    assert isinstance(found, Crashed)
    assert "Traceback" == str(found)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_the_child_is_another_user() -> None:
    """So it cannot look into its parent, which has the connection."""
    folder = Path("/tmp") / f"dockdsl-pytest-{os.getpid()}"
    folder.mkdir(mode=0o755)
    path = folder / "app.py"
    path.write_text(
        "import os\nprint(os.getuid(), os.getgroups())\ntry:\n    os.listdir(f'/proc/{os.getppid()}/fd')\n"
        "except OSError as error:\n    print(error.strerror)\ntry:\n    os.kill(os.getppid(), 9)\n"
        "except OSError as error:\n    print(error.strerror)\n"
    )
    try:
        _, said = child.run(str(path), None, user=65534)
    finally:
        path.unlink()
        folder.rmdir()

    assert "65534 []\n" == said[0].text
    assert ["Permission denied\n", "Operation not permitted\n"] == [each.text for each in said[1:3]]
