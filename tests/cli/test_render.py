"""The verb render, and what the command line says when something is wrong."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from dockdsl import Dockerfile
from dockdsl.cli import main

GOOD = """\
from dockdsl import Dockerfile, Stage, User

stage = Stage("alpine:3.22", "app", steps=[User("1000")])
dockerfile = Dockerfile(stage)
"""
TEXT = "FROM alpine:3.22 AS app\nUSER 1000\n"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(text: str, name: str = "app.py") -> str:
    """Write a source file and return its name."""
    Path(name).write_text(text)
    return name


def test_prints_the_dockerfile(capfd: pytest.CaptureFixture[str]) -> None:
    """The product goes to stdout and nothing else does."""
    assert 0 == main([write(GOOD)])
    assert (TEXT, "") == capfd.readouterr()


def test_the_verb_may_be_written(capfd: pytest.CaptureFixture[str]) -> None:
    """``render FILE`` is ``FILE``."""
    assert 0 == main(["render", write(GOOD)])
    assert TEXT == capfd.readouterr().out


def test_what_the_file_prints_goes_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    """A print in the user's file does not get into the product."""
    assert 0 == main([write(f"print('hello')\n{GOOD}")])
    assert (TEXT, "hello\n") == capfd.readouterr()


def test_runs_as_a_module_in_a_process_of_its_own() -> None:
    """``python -m dockdsl`` writes UTF-8 with plain newlines whatever the locale."""
    write(GOOD.replace("User", "Label").replace('Label("1000")', 'Label({"é": "ü"})'))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "LC_ALL": "C", "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(
        [sys.executable, "-m", "dockdsl", "app.py"], capture_output=True, check=True, env=environment, timeout=60
    )

    assert 'FROM alpine:3.22 AS app\nLABEL "é"="ü"\n'.encode() == done.stdout


def test_a_reader_that_goes_away_is_no_error() -> None:
    """A closed pipe ends the command quietly."""
    steps = "[User(str(n)) for n in range(50000)]"
    write(GOOD.replace('[User("1000")]', steps))
    command = f"{sys.executable} -m dockdsl app.py | head -n 1"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True, env=environment, timeout=60)

    assert ("FROM alpine:3.22 AS app\n", "") == (done.stdout, done.stderr)


def test_a_reader_that_goes_away_hides_no_drift() -> None:
    """The exit code of --diff is that of the comparison, read or not."""
    write(GOOD)
    command = f"{sys.executable} -m dockdsl app.py --diff -o out | true; exit ${{PIPESTATUS[0]}}"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, env=environment, timeout=60
    )

    assert 1 == done.returncode, done.stderr


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("app.py >&-", "stdout: it is closed; redirect it to a file, or to /dev/null"),
        ("app.py > /dev/full", "stdout: it cannot be written to (No space left on device)"),
        ("inspect app.py >&-", "stdout: it is closed"),
        ("inspect app.py > /dev/full", "stdout: it cannot be written to"),
        ("check Dockerfile >&-", "stdout: it is closed; redirect it to a file, or to /dev/null"),
        ("check --fix Dockerfile >&-", "stdout: it is closed"),
        ("check - < Dockerfile >&-", "stdout: it is closed"),
        # Nothing is built, so that there is no need of an engine.
        ("build image.py >&-", "stdout: it is closed"),
        ("build image.py --json >&-", "stdout: it is closed"),
        ("test image.py >&-", "stdout: it is closed"),
        ("size image.py >&-", "stdout: it is closed"),
        ("run image.py >&-", "stdout: it is closed"),
    ],
)
def test_an_stdout_that_takes_nothing(command: str, message: str) -> None:
    """Exit code 2 and one clear line: what cannot be written is not done."""
    write(GOOD)
    write("from dockdsl import *\nimage = Image(Dockerfile(Stage('nosuch.invalid/x')), port=80)\n", "image.py")
    write("FROM debian:13\nRUN true\n", "Dockerfile")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = f"{sys.executable} -m dockdsl {command}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, env=environment, timeout=60
    )

    assert 2 == done.returncode
    assert message in done.stderr
    assert 1 == done.stderr.count("\n")


def test_what_child_processes_print_goes_to_stderr() -> None:
    """A program that the user's file runs does not get into the product either."""
    write(f"import os\nos.system('echo from a child')\n{GOOD}")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-m", "dockdsl", "app.py"],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        timeout=60,
    )

    assert (TEXT, "from a child\n") == (done.stdout, done.stderr)


def test_a_file_that_goes_elsewhere_writes_where_it_was_called() -> None:
    """A change of the current folder in the user's file does not move the output."""
    Path("other").mkdir()
    source = write(f"import os\nos.chdir('other')\n{GOOD}")

    assert 0 == main([source, "-o", "out"])
    assert TEXT == Path("out").read_text()


def test_a_pipe_is_written_to_and_stays_a_pipe() -> None:
    """Something that is not a regular file is not replaced by one."""
    os.mkfifo("pipe")
    source = write(GOOD)
    with subprocess.Popen(["cat", "pipe"], stdout=subprocess.PIPE, text=True) as reader:
        assert 0 == main([source, "-o", "pipe"])
        assert TEXT == reader.communicate(timeout=60)[0]
    assert Path("pipe").is_fifo()


def test_a_stage_alone_gets_a_hint(capfd: pytest.CaptureFixture[str]) -> None:
    """For a file with stages and no Dockerfile, the message says how to make one of them."""
    assert 2 == main([write('from dockdsl import Stage\nbase = Stage("a")\n')])
    assert "write dockerfile = Dockerfile(base), and import Dockerfile from dockdsl" in capfd.readouterr().err


def test_writes_a_file_whole(capfd: pytest.CaptureFixture[str]) -> None:
    """-o writes the file, keeps its mode and leaves nothing else behind."""
    source = write(GOOD)
    Path("out").write_text("old")
    Path("out").chmod(0o600)

    assert 0 == main([source, "-o", "out"])
    assert ("", "") == capfd.readouterr()
    assert TEXT == Path("out").read_text()
    assert 0o600 == Path("out").stat().st_mode & 0o777
    assert ["app.py", "out"] == sorted(path.name for path in Path().iterdir())


def test_follows_a_link_when_writing() -> None:
    """A link stays a link; its target is written."""
    source = write(GOOD)
    Path("real").write_text("old")
    Path("link").symlink_to("real")

    assert 0 == main([source, "-o", "link"])
    assert Path("link").is_symlink()
    assert TEXT == Path("real").read_text()


def test_a_file_that_says_it_already_is_left_alone() -> None:
    """Writing the same text does not touch the file, so that build tools see no change."""
    source = write(GOOD)
    main([source, "-o", "out"])
    os.utime("out", (1, 1))

    assert 0 == main([source, "-o", "out"])
    assert 1 == Path("out").stat().st_mtime


@pytest.mark.parametrize(
    "text", [None, "FROM other\n", TEXT.rstrip("\n")], ids=["missing", "other", "no final newline"]
)
def test_check_finds_drift(text: str | None, capfd: pytest.CaptureFixture[str]) -> None:
    """--check exits with 1 if the file is not what would be written, and names the command that updates it."""
    source = write(GOOD)
    if text is not None:
        Path("app.Dockerfile").write_text(text)

    assert 1 == main([source, "--check"])
    said = capfd.readouterr()
    assert not said.out
    assert "app.Dockerfile: it" in said.err
    assert "run python -m dockdsl app.py -o app.Dockerfile" in said.err
    assert 0 == main([source, "-o", "app.Dockerfile"])
    assert 0 == main([source, "--check"])


def test_diff_shows_drift(capfd: pytest.CaptureFixture[str]) -> None:
    """--diff prints what would change, and exits with 1 only if something would."""
    source = write(GOOD)
    Path("out").write_text("FROM alpine:3.22 AS app\nUSER 0")

    assert 1 == main([source, "-o", "out", "--diff"])
    assert (
        "--- out\n+++ out (rendered)\n@@ -1,2 +1,2 @@\n FROM alpine:3.22 AS app\n"
        "-USER 0\n\\ No newline at end of file\n+USER 1000\n"
    ) == capfd.readouterr().out
    assert "FROM alpine:3.22 AS app\nUSER 0" == Path("out").read_text()
    main([source, "-o", "out"])
    assert 0 == main([source, "-o", "out", "--diff"])


def test_the_header_names_source_and_command() -> None:
    """The command in the header makes exactly the file that contains it."""
    source = write(GOOD)

    assert 0 == main([source, "--header", "-o", "out"])
    lines = Path("out").read_text().splitlines()
    assert "# Generated from app.py. Do not edit this file; edit that one, and run" == lines[0]
    assert "#   python -m dockdsl app.py --header -o out" == lines[1]
    assert 0 == main([*lines[1].split()[4:], "--check"])


TWO = 'from dockdsl import *\na = Dockerfile(Stage("a:1"))\nb = Dockerfile(Stage("b:1"))\n'


def test_a_name_picks_one_of_several(capfd: pytest.CaptureFixture[str]) -> None:
    """FILE:NAME picks an object; without a name, the choices are listed."""
    write(TWO)

    assert 0 == main(["app.py:b"])
    assert "FROM b:1\n" == capfd.readouterr().out
    assert 2 == main(["app.py"])
    assert (
        "error: app.py: it defines more than one Dockerfile; pick one: app.py:a, app.py:b, or 'app.py:*' for all\n"
        == capfd.readouterr().err
    )
    assert 2 == main(["app.py:c"])
    assert "defines no Dockerfile named 'c'; pick one: app.py:a, app.py:b" in capfd.readouterr().err


MATRIX = """\
from dockdsl import *
matrix = {v: Dockerfile(Stage(f"python:{v}")) for v in ("3.11", "3.12")}
"""


def test_several_are_printed_under_their_names(capfd: pytest.CaptureFixture[str]) -> None:
    """Each has a line above it that no Dockerfile has, so that they are not built as one."""
    write(GOOD)
    write(MATRIX, "m.py")

    assert 0 == main(["app.py", "m.py:*"])
    assert (
        f"==> app.py <==\n{TEXT}==> m.py:matrix[3.11] <==\nFROM python:3.11\n==> m.py:matrix[3.12] <==\nFROM python:3.12\n"
    ) == capfd.readouterr().out
    assert 0 == main(["m.py:matrix[3.12]"])
    assert "FROM python:3.12\n" == capfd.readouterr().out


def test_several_are_written_by_a_pattern() -> None:
    """File, name and keys stand in for each object, and the header of each makes that file alone."""
    Path("sub").mkdir()
    write(MATRIX, "sub/m.py")

    assert 0 == main(["sub/m.py:*", "--header", "-o", "{file}.{name}.Dockerfile"])
    assert ["m.matrix-3.11.Dockerfile", "m.matrix-3.12.Dockerfile"] == sorted(
        path.name for path in Path("sub").glob("*.Dockerfile")
    )
    lines = Path("sub/m.matrix-3.11.Dockerfile").read_text().splitlines()
    command = "#   python -m dockdsl 'sub/m.py:matrix[3.11]' --header -o sub/m.matrix-3.11.Dockerfile"
    assert ["# Generated from sub/m.py:matrix[3.11]. Do not edit this file; edit that one, and run", command] == lines[
        :2
    ]
    assert 0 == main([*shlex.split(lines[1])[4:], "--check"])
    assert 0 == main(["sub/m.py:matrix", "-o", "{key}"])
    assert "FROM python:3.12\n" == Path("3.12").read_text()


def test_several_are_compared(capfd: pytest.CaptureFixture[str]) -> None:
    """Each drift and each error is reported, and none hides another."""
    write(MATRIX, "m.py")
    for name in ("a", "b", "c"):
        write(GOOD, f"{name}.py")
    write("1/0\n", "d.py")
    assert 0 == main(["a.py", "b.py", "-o", "{file}.Dockerfile"])
    assert 0 == main(["m.py:*", "-o", "{name}"])
    assert 0 == main(["a.py", "b.py", "--check"])
    assert 0 == main(["m.py:*", "-o", "{name}", "--check"])

    Path("a.Dockerfile").write_text("x")
    assert 1 == main(["a.py", "b.py", "c.py", "--check"])
    drift = capfd.readouterr().err
    assert "a.Dockerfile: it is not up to date; run python -m dockdsl a.py -o a.Dockerfile\n" in drift
    assert "c.Dockerfile: it does not exist; " in drift
    assert "b.Dockerfile" not in drift
    assert 2 == main(["a.py", "d.py", "b.py", "nowhere.py", "--diff"])
    said = capfd.readouterr()
    assert "+++ a.Dockerfile (rendered)\n" in said.out
    assert "d.py:1: error: the file raised ZeroDivisionError" in said.err
    assert "nowhere.py: there is no such file" in said.err


def test_nothing_is_written_if_one_fails(capfd: pytest.CaptureFixture[str]) -> None:
    """All are loaded before one is written."""
    write(GOOD)
    write("1/0\n", "b.py")

    assert 2 == main(["app.py", "b.py", "-o", "{file}.out"])
    assert "nothing was written\n" in capfd.readouterr().err
    assert not Path("app.out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["m.py:*", "-o", "out"],
            "-o: m.py:matrix[3.11] and m.py:matrix[3.12] would both be out; put {name}, {key} or",
        ),
        (
            ["app.py", "m.py:matrix[3.11]", "-o", "./{x}"],
            "-o: app.py and m.py:matrix[3.11] would both be {x}; put",
        ),
        (["m.py:*", "--check"], "--check and --diff compare with a file; name it with -o"),
        (["m.py:*", "-o", "{file}.py"], "-o: the path is the source itself"),
    ],
)
def test_several_that_have_no_place(arguments: list[str], message: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Two objects are not written to one file."""
    write(GOOD)
    write(MATRIX, "m.py")

    assert 2 == main(arguments)
    assert message in capfd.readouterr().err


def test_a_file_is_run_once(capfd: pytest.CaptureFixture[str]) -> None:
    """However many of its objects are named, and each object counts once."""
    write(f"print('run')\n{MATRIX}", "m.py")

    assert 0 == main(["m.py:matrix[3.12]", "m.py:matrix", "m.py:*", "-o", "{key}"])
    assert "run\n" == capfd.readouterr().err


def test_one_object_under_two_names_is_one(capfd: pytest.CaptureFixture[str]) -> None:
    """Two names for one Dockerfile are not a choice."""
    assert 0 == main([write(GOOD + "same = dockerfile\n")])
    assert TEXT == capfd.readouterr().out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "", "app.py: it defines no Dockerfile; write dockerfile = Dockerfile(stage), and import", id="empty"
        ),
        pytest.param(
            "from dockdsl import *\nfiles = {'a': Dockerfile(Stage('a')), 'b': Dockerfile(Stage('b'))}\n",
            "pick one: 'app.py:files[a]', 'app.py:files[b]', or 'app.py:*' for all",
            id="dict",
        ),
        pytest.param("x = (\n", "app.py:1: error: Python cannot parse it: '(' was never closed", id="syntax error"),
        pytest.param("\n\n1/0\n", "app.py:3: error: the file raised ZeroDivisionError: division by zero", id="raises"),
        pytest.param(
            "import nowhere_at_all\n", "app.py:1: error: the file raised ModuleNotFoundError", id="missing import"
        ),
        pytest.param(
            "build = 1\nx = biuld\n",
            "app.py:2: error: the file raised NameError: name 'biuld' is not defined; did you mean 'build'?",
            id="misspelled name",
        ),
        pytest.param(
            "import dockdsl\ndockdsl.Run.exce('x')\n",
            "app.py:2: error: the file raised AttributeError: type object 'Run' has no attribute 'exce'; did you mean 'exec'?",
            id="misspelled attribute",
        ),
        pytest.param(
            "import dockdsl\nstep = dockdsl.Run('x')\nstep.command = 'y'\n",
            "app.py:3: error: the file raised FrozenInstanceError: can't set attribute; "
            "the value is frozen, so make a changed copy: attrs.evolve(value, …)",
            id="frozen value",
        ),
        pytest.param(
            "raise AttributeError('mine')\n", "app.py:1: error: the file raised AttributeError: mine\n", id="no name"
        ),
        pytest.param(
            'from dockdsl import Copy\nCopy("a", "/", from="build")\n',
            "app.py:2: error: Python cannot parse it: invalid syntax; write from_=…, since from is a keyword of Python",
            id="keyword as an option",
        ),
        pytest.param("raise BaseException('odd')\n", "app.py:1: error: the file raised BaseException: odd", id="odd"),
        pytest.param("import sys\nsys.path = []\n", "it defines no Dockerfile", id="no path"),
        pytest.param(f"raise ValueError('{'x' * 9999}')", "xxx…", id="long text"),
        pytest.param("raise SystemExit(3)\n", "app.py:1: error: the file ended the program (exit 3)", id="exits"),
        pytest.param("\0", "Python cannot parse it", id="no text"),
        pytest.param(
            'from dockdsl import *\n\ns = Stage("a", steps=[\n    Workdir("a\\nRUN b"),\n])\n',
            "app.py:4: error: WORKDIR: the value 'a\\nRUN b' has a newline",
            id="refused value",
        ),
        pytest.param(
            'from dockdsl import *\n\ndef late():\n    raise ValueError("deep")\n\nlate()\n',
            "app.py:4: error: the file raised ValueError: deep",
            id="raises in a function",
        ),
        pytest.param(f"x = {'-' * 100_000}1\n", "error: app.py: Python cannot compile it, since an expr", id="minus"),
        pytest.param(f"x = {'+'.join('1' * 200_000)}\n", "app.py: Python cannot compile it, since an expr", id="sum"),
        pytest.param("globals()[5] = 6\n", "app.py: it defines no Dockerfile", id="a name that is no text"),
        pytest.param("def f():\n    f()\nf()\n", "the file raised RecursionError", id="endless recursion"),
    ],
)
def test_a_source_that_cannot_be_used(text: str, message: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and one clear message with the line, without a traceback, and no file is touched."""
    source = write(text)
    Path("out").write_text("kept")

    assert 2 == main([source, "-o", "out"])
    said = capfd.readouterr()
    assert message in said.err
    assert 1 == said.err.count("\n")
    assert not said.out
    assert "kept" == Path("out").read_text()


@pytest.mark.parametrize("verb", [[], ["import"], ["inspect"], ["build"]], ids=str)
def test_what_has_no_end(verb: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """A device without an end and a FIFO that nobody writes to are refused, and so is a folder whatever its name."""
    os.mkfifo("waits.py")
    Path("folder.py").mkdir()
    Path("circle.py").symlink_to("circle.py")

    for path, fact in (
        ("/dev/zero", "/dev/zero: it is larger than 64 MiB; is it the right "),
        ("waits.py", "waits.py: it is a FIFO, and nobody writes to it; start what does, or name a file\n"),
        ("folder.py/", "folder.py/: it is a folder; name the "),
        ("circle.py", "circle.py: it cannot be read ("),
    ):
        assert 2 == main([*verb, path])
        said = capfd.readouterr()
        assert said.err.startswith(f"error: {fact}")
        assert not said.out


def test_a_fifo(capfd: pytest.CaptureFixture[str]) -> None:
    """It is read as soon as its writer is there, which may take a moment to begin and to go on."""
    os.mkfifo("app.py")

    def write_slowly() -> None:
        with Path("app.py").open("w") as fifo:
            for line in ("from dockdsl import *\n", 'd = Dockerfile(Stage("a"))\n'):
                time.sleep(0.2)
                fifo.write(line)
                fifo.flush()

    writer = threading.Thread(target=write_slowly)
    writer.start()
    assert 0 == main(["app.py"])
    writer.join()
    # Hypothesis reads the files of all modules, and would wait for ever.
    Path("app.py").unlink()
    assert "FROM a\n" == capfd.readouterr().out


def test_an_error_in_an_imported_file_names_both_places(capfd: pytest.CaptureFixture[str]) -> None:
    """A helper next to the source can be imported, and its failure is reported with its own line."""
    write("def go():\n    raise KeyError('x')\n", "helper_of_test.py")
    write("import helper_of_test\nhelper_of_test.go()\n")

    assert 2 == main(["app.py"])
    assert "app.py:2: error: the file raised KeyError: 'x' (at helper_of_test.py:2)" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["nowhere.py"], "nowhere.py: there is no such file", id="missing"),
        pytest.param(["."], "it is a folder", id="folder"),
        pytest.param(
            ["Dockerfile"],
            "error: Dockerfile: it is a Dockerfile, not a Python file; turn it into one: "
            "dockdsl import Dockerfile -o Dockerfile.py\n",
            id="Dockerfile",
        ),
        pytest.param(["build", "Dockerfile"], "turn it into one: dockdsl import", id="build of a Dockerfile"),
        pytest.param(["text"], "text:1: error: Python cannot parse it: invalid syntax; name a Python file", id="text"),
        pytest.param(
            ["app.py:Dockerfile"],
            "app.py: Dockerfile is a class, not a Dockerfile; pick one: app.py:",
            id="name of a class",
        ),
        pytest.param(["bulid", "x.py"], "'bulid' is neither a verb nor a file; did you mean 'build'?", id="verb"),
        pytest.param(["qwertz"], "the verbs are render, check, lsp, import, ", id="no verb at all"),
        pytest.param(["app.py", "--nonsense"], "--nonsense is not an option; see --help", id="option"),
        pytest.param(["app.py", "--chekc"], "--chekc is not an option; did you mean '--check'?", id="misspelled"),
        pytest.param(["--hlep"], "--hlep is not an option; did you mean '--help'?", id="help"),
        pytest.param(["--verison"], "--verison is not an option; did you mean '--version'?", id="version"),
        pytest.param(["build", "--buidl-arg=a=b"], "--buidl-arg is not an option; did you mean '--build-a", id="value"),
        pytest.param(["app.py:"], "'app.py:': there is no such file; leave the colon out, or write a n", id="no name"),
        pytest.param(["test", "app.py::"], "'app.py::': there is no such file; leave the colon out", id="two colons"),
        pytest.param(["no.py:"], "'no.py:': there is no such file; check the path", id="colon of no file"),
        pytest.param(
            ["render", "app.py/x"],
            "app.py/x: it cannot be read (Not a directory); check the path",
            id="file as a folder",
        ),
        pytest.param(["render", "a" * 256], "it cannot be read (File name too long); check the path", id="long source"),
        pytest.param(["app.py", "-o", "no/such/folder"], "cannot be written", id="output folder"),
        pytest.param(["app.py", "-o", "."], ": it is a folder; name a file in it", id="output is a folder"),
        pytest.param(
            ["app.py", "-o", "circle"], "(Too many levels of symbolic links); correct the link", id="circle of links"
        ),
        pytest.param(["app.py", "-o", "a" * 256], "(File name too long); choose a shorter name", id="long name"),
        pytest.param(["app.py", "-o", "/dev/full"], "(No space left on device); make room, or name", id="no room"),
        pytest.param(["app.py", "-o", "app.py"], "-o: the path is the source itself", id="onto the source"),
        pytest.param(["app.py", "-o", ""], "-o: the path is empty", id="empty output"),
        pytest.param(["app.py", "-o", "-", "--check"], "name it with -o", id="check of stdout"),
    ],
)
def test_usage_errors(arguments: list[str], message: str, capfd: pytest.CaptureFixture[str]) -> None:
    """A wrong call exits with 2 and says what is wrong."""
    write(GOOD)
    Path("Dockerfile").write_text("# of c\r\nfrom --platform=linux/amd64 a as b\r\n")
    Path("text").write_text("from here on\n")
    Path("circle").symlink_to("circle")
    try:
        code = main(arguments)
    except SystemExit as end:
        code = int(str(end.code))

    assert 2 == code
    assert message in capfd.readouterr().err


def test_help_and_version(capfd: pytest.CaptureFixture[str]) -> None:
    """Help goes to stdout; without arguments it is an error message."""
    assert 0 == main(["--help"])
    assert "dockdsl VERB FILE" in capfd.readouterr().out
    assert 2 == main([])
    assert "dockdsl VERB FILE" in capfd.readouterr().err
    assert 0 == main(["--version"])
    assert capfd.readouterr().out.startswith("dockdsl 0.")


def test_a_failure_of_ours_shows_no_traceback(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug of dockdsl is reported in one line, and completely on demand."""
    write("import dockdsl\ndockdsl.Dockerfile.pieces = None\n" + GOOD)
    monkeypatch.setattr(Dockerfile, "pieces", Dockerfile.pieces)

    assert 2 == main(["app.py"])
    assert "error: internal error: TypeError" in capfd.readouterr().err
    monkeypatch.setenv("DOCKDSL_TRACEBACK", "1")
    with pytest.raises(TypeError):
        main(["app.py"])
