"""What the command line writes for people cannot control their terminal, whatever files, names and exceptions say."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from dockdsl.cli import VERBS

HOSTILE = "\x1b[31m\x07\x9b2J\u202e\u2028\x0b\ufeff\U000e0041"
"""A colour, a bell, another way to write a command, marks of direction, breaks of lines, characters without width."""
NAME = f"a{HOSTILE}\nok  all is well"
PYTHON = f"{NAME}.py"
BREAKING = NAME.replace("\u2028", "").replace("\n", "").replace("\x0b", "")
"""What may stand in a line of Python."""

IMAGE = """
from dockdsl import *
hostile = NAME
dockerfile = Dockerfile(Stage("scratch", steps=[Label({"a": "\u202e\ufeff"})]))
image = Image(dockerfile, tags="x:y", checks=[FileCheck("/" + hostile)])
"""
FAULTY = f"""
from dockdsl import *
hostile = NAME
dockerfile = Dockerfile(Stage("a", steps=[Maintainer("{BREAKING}"), Env({{"a": hostile}}), Maintainer(hostile)]))
"""
DOCKERFILE = f"from  scratch\nlabel a='{HOSTILE}'\nrun   echo {BREAKING}\n"
MATRIX = (
    IMAGE.replace("\u202e\ufeff", "b")
    + """
matrix = {hostile: image, hostile + "2": image}
def function(needed):
    pass
"""
)
RAISING = """
class E(Exception):
    def __str__(self):
        return NAME
E.__name__ = NAME
raise E
"""
REPR = """
class R:
    def __repr__(self):
        return NAME
from dockdsl import *
User(R())
"""
NO_ENGINE = {"DOCKER_HOST": f"unix:///nowhere/{HOSTILE}"}

CASES = [
    *[
        pytest.param(["render", PYTHON, *options], {PYTHON: text}, id=f"render {what}")
        for what, text, options in (
            ("an exception", RAISING, []),
            ("a repr", REPR, []),
            ("a syntax error", f"{BREAKING} = = {BREAKING}", []),
            ("no object", "x = 1", []),
            ("several", IMAGE + "other = Dockerfile(Stage('a'))", []),
            ("no file", None, []),
            ("drift", IMAGE, ["--check"]),
            ("a diff", IMAGE, ["--diff"]),
            ("into a folder", IMAGE, ["-o", "."]),
            ("into no folder", IMAGE, ["-o", f"{NAME}/x"]),
            ("a file of another's", f"import os\nos._exit(0) # {BREAKING}", []),
            ("with another option", IMAGE, [f"--{NAME}"]),
            ("an option that is not one", IMAGE, ["--header", NAME]),
        )
    ],
    *[
        pytest.param([verb, NAME, *options], {NAME: text}, id=f"{verb} {what}")
        for verb in ("fmt", "import", "inspect")
        for what, text, options in (
            ("a file", DOCKERFILE, ["-o", "x"] if verb == "import" else []),
            ("an error", f"FROM a\n{BREAKING}\nCOPY {BREAKING}\nRUN --x={BREAKING} a\n", []),
            ("several errors", f"FROM a {HOSTILE}\nUSER {HOSTILE} {HOSTILE}\nENV {HOSTILE}", []),
            ("no file", None, []),
            ("a folder", "", []),
        )
    ],
    *[pytest.param(["fmt", NAME, option], {NAME: DOCKERFILE}, id=f"fmt {option}") for option in ("--check", "--diff")],
    pytest.param(["fmt", PYTHON], {PYTHON: ""}, id="fmt Python"),
    pytest.param(["import", NAME, "-o", NAME + "o", "--diff"], {NAME: DOCKERFILE}, id="import a diff"),
    pytest.param(
        ["import", NAME, "-o", "x"], {NAME: DOCKERFILE, f"{NAME}.dockerignore": BREAKING}, id="import with patterns"
    ),
    pytest.param(["inspect", NAME], {NAME: f"FROM a{HOSTILE} AS b\nCOPY --from={HOSTILE} {BREAKING} /"}, id="inspect"),
    pytest.param(["inspect", NAME, "--json"], {NAME: DOCKERFILE}, id="inspect as JSON"),
    *[
        pytest.param([verb, PYTHON, *options], {PYTHON: IMAGE}, id=f"{verb} {' '.join(options)[:20]}")
        for verb in ("build", "test", "size")
        for options in ([], ["--json"], ["--secret", NAME], ["--secret", f"id={NAME},src={NAME}"], ["--target", NAME])
    ],
    pytest.param(["test", PYTHON, "--check", NAME], {PYTHON: IMAGE}, id="test with a check that is not there"),
    pytest.param(
        ["test", PYTHON, "--structure-test", NAME], {PYTHON: IMAGE, NAME: f'"{BREAKING}": 1'}, id="test with YAML"
    ),
    *[
        pytest.param([verb, f"{PYTHON}:{what}"], {PYTHON: MATRIX}, id=f"{verb} {what}")
        for verb in ("render", "build", "test", "size", "run")
        for what in ("*", "matrix", "nothing", "function")
    ],
    pytest.param(["run", PYTHON], {PYTHON: IMAGE}, id="run"),
    *[
        pytest.param(["migrate", NAME, *options], {NAME: text}, id=f"migrate {what}")
        for what, text, options in (
            ("a script", f"docker build -t 'x:{BREAKING}' -f {BREAKING} .\ndocker run {BREAKING}\n", []),
            ("a Dockerfile", DOCKERFILE, []),
            ("a folder", "", []),
            ("no file", None, []),
            ("no artefact", "", ["--artefact", NAME]),
        )
    ],
    *[
        pytest.param(["compare", one, other], {PYTHON: IMAGE, NAME: DOCKERFILE}, id=f"compare {number}")
        for number, (one, other) in enumerate([(PYTHON, PYTHON), (NAME, PYTHON), ("nothing", NAME), (NAME, "x:y")])
    ],
    *[
        pytest.param(["check", one, "--format", form], {PYTHON: IMAGE, NAME: DOCKERFILE}, id=f"check {number} {form}")
        for number, one in enumerate([PYTHON, NAME, "nothing", f"{PYTHON}:{NAME}"])
        for form in ("text", "json", "sarif", "github")
    ],
    *[
        pytest.param(
            ["check", one, option],
            {PYTHON: FAULTY, NAME: f"FROM a AS B\nMAINTAINER {BREAKING}\n"},
            id=f"check {option} {number}",
        )
        for number, one in enumerate([PYTHON, NAME, ".", "nothing", f"{PYTHON}:{NAME}"])
        for option in ("--fix", "--diff")
    ],
    *[pytest.param(["lsp", word], {}, id=f"lsp {index}") for index, word in enumerate([NAME, f"--{NAME}"])],
    pytest.param(["gc", "--dry-run"], {}, id="gc"),
    pytest.param([NAME], {}, id="no verb"),
]


def run(arguments: list[str], files: dict[str, str | None], folder: Path) -> tuple[bytes, bytes]:
    """Run the command line in a folder of a hostile name with these files, and return what it wrote."""
    folder = folder / f"f{HOSTILE}"
    folder.mkdir()
    for name, text in files.items():
        if text == "":
            (folder / name).mkdir()
        elif text is not None:
            (folder / name).write_bytes(text.replace("NAME", ascii(NAME)).encode())
    # A patch goes into a pipe byte for byte, and into a terminal as text for people.
    ours, theirs = pty.openpty() if "--diff" in arguments else (-1, subprocess.PIPE)
    done = subprocess.run(
        [sys.executable, "-m", "dockdsl", *arguments],
        cwd=folder,
        env=os.environ | NO_ENGINE | {"NO_COLOR": "1"},
        stdout=theirs,
        stderr=subprocess.PIPE,
        check=False,
        timeout=120,
    )
    assert b"internal error" not in done.stderr
    assert b"Traceback" not in done.stderr
    if ours < 0:
        return done.stdout, done.stderr
    # A command that wrote nothing leaves nothing to be read.
    os.write(theirs, b"\n")
    seen = os.read(ours, 1 << 16)
    os.close(ours)
    os.close(theirs)
    return seen.replace(b"\r\n", b"\n"), done.stderr


def commands_in(text: str) -> set[str]:
    """Return the characters of a text that could control a terminal."""
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")} - {"\n", "\t"}


@pytest.mark.parametrize(("arguments", "files"), CASES)
def test_no_word_controls_a_terminal(arguments: list[str], files: dict[str, str | None], tmp_path: Path) -> None:
    """Names of files and folders, lines of Dockerfiles, exceptions and reprs are shown with escapes."""
    for written in run(arguments, files, tmp_path):
        assert set() == commands_in(written.decode())
        # A line of a foreign name does not look like one of ours.
        assert b"\nok  all is well" not in written


def test_each_verb_is_tried() -> None:
    """A new verb needs a case above."""
    tried = {case.values[0][0] for case in CASES}  # type: ignore[index]

    assert set(VERBS) <= tried


@pytest.mark.parametrize("verb", ["render", "fmt"])
def test_the_product_is_escaped_for_a_terminal_alone(verb: str, tmp_path: Path) -> None:
    """A Dockerfile goes into a pipe byte for byte, and into a terminal as text for people."""
    path = tmp_path / "f.py"
    path.write_text(IMAGE.replace("NAME", ascii(HOSTILE)))
    command = [sys.executable, "-m", "dockdsl", verb, "-" if verb == "fmt" else str(path)]
    given = f"from scratch\nlabel a='{HOSTILE}\u202e\ufeff'\n".encode()
    piped = subprocess.run(command, input=given, capture_output=True, check=True, timeout=60).stdout
    ours, theirs = pty.openpty()
    subprocess.run(command, input=given, stdout=theirs, check=True, timeout=60)
    os.close(theirs)
    seen = os.read(ours, 1 << 16)
    os.close(ours)

    assert "\u202e\ufeff" in piped.decode()
    assert set() == commands_in(seen.decode().replace("\r\n", "\n"))


def test_json_is_the_same_data(tmp_path: Path) -> None:
    """JSON has escapes of its own, with which programs read the characters as they were."""
    stdout, _ = run(["inspect", NAME, "--json"], {NAME: f"FROM a\nLABEL a='{HOSTILE}'\n"}, tmp_path)

    step = json.loads(stdout)["stages"][0]["steps"][0]
    assert [] != [value for value in step.values() if HOSTILE in str(value)]
