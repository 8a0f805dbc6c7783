"""Files of container-structure-test as checks, and reports in JUnit's format."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from dockdsl import FileError, InvalidType, InvalidValue, from_structure_test
from tests.engine.helpers import BUSYBOX, SERVER

HEAD = "schemaVersion: 2.0.0\n"


def test_titles_and_places(tmp_path: Path) -> None:
    """Each check has the name of its test and its line in the file; what asks for nothing is none."""
    file = tmp_path / "image.yaml"
    file.write_text(
        f"{HEAD}commandTests:\n- name: a\n  command: sh\n  args: [-c, exit 3]\nfileExistenceTests:\n- {{name: b, path: /x}}\n"
        "- {name: c, path: /y, shouldExist: false}\nfileContentTests: [{name: d, path: /z}]\n"
        "licenseTests: [{debian: true, files: [/l]}]\nmetadataTest: {user: luke, exposedPorts: [80], cmd: , workdir: ''}\n"
    )
    found = from_structure_test(file)

    assert [
        "a: run sh -c 'exit 3'",
        "b: file /x",
        "c: no file /y",
        "d: file /z",
        "licenses of Debian packages, /l",
        "metadata user, ports",
    ] == [check.title for check in found]
    assert [3, 7, 8, 9, 10, 11] == [check.origin.line for check in found]
    assert {str(file)} == {check.origin.path for check in found}


def test_what_aliases_repeat_is_read_once(tmp_path: Path) -> None:
    """So n tests with the same n arguments take n steps, and not n times n."""
    file = tmp_path / "image.yaml"
    shared = "args: *a, envVars: *e, setup: *s, expectedOutput: *p"
    file.write_text(
        f"{HEAD}commandTests:\n- {{name: x, command: a, args: &a [b, c], envVars: &e [{{key: A, value: b}}], setup: &s [[a]],"
        f" expectedOutput: &p [a]}}\n- {{name: y, command: a, {shared}}}\n- {{name: z, command: a, {shared}}}\n"
    )
    first, *others = from_structure_test(file)

    for name in ("args", "env", "setup", "stdout"):
        assert all(getattr(each, name) is getattr(first, name) for each in others)


@pytest.mark.parametrize(
    ("merges", "names"),
    [
        ("{<<: *t}", "a: run x"),
        ("{<<: *t, name: b}", "b: run x"),
        ("{name: b, <<: *t}", "b: run x"),
        ("{<<: [{name: c}, *t]}", "c: run x"),
        ("{<<: {<<: {<<: *t}, name: d}}", "d: run x"),
    ],
)
def test_merged_mappings(tmp_path: Path, merges: str, names: str) -> None:
    """What stands in a mapping itself counts more than what it merges, and of several the first."""
    file = tmp_path / "image.yaml"
    file.write_text(f"{HEAD}commandTests:\n- &t {{name: a, command: x}}\n- {merges}\n")

    assert ["a: run x", names] == [check.title for check in from_structure_test(file)]


@pytest.mark.parametrize("indent", [None, 2, "\t"])
def test_json(tmp_path: Path, indent: int | str | None) -> None:
    """It is YAML, too, but for tabs; a tab that a string says stays."""
    file = tmp_path / "image.json"
    content = {"schemaVersion": "2.0.0", "fileExistenceTests": [{"name": "x\ty", "path": "/x"}]}
    file.write_text(json.dumps(content, indent=indent))
    (check,) = from_structure_test(str(file))

    assert "x\ty: file /x" == check.title
    assert (1 if indent is None else 4) == check.origin.line


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        pytest.param("a: [", 1, "it is not YAML: ", id="no YAML"),
        pytest.param("a:\n\t- 1", 2, "it is not YAML: found character '\\t'", id="tab in YAML"),
        pytest.param("- 1\n", 1, "the file is a sequence; write keys with values", id="list"),
        pytest.param(
            "commandTests: []", 1, "schemaVersion is None; write 2.0.0, or 1.0.0, which are read", id="no version"
        ),
        pytest.param("\nschemaVersion: 3.0.0", 2, "schemaVersion is 3.0.0; write 2.0.0", id="new version"),
        pytest.param(
            "schemaVersion: 1.0.0\nmetadataTest: {}", 2, "'metadataTest', which 1.0.0 does not have", id="1.0.0"
        ),
        pytest.param(f"{HEAD}metadataTest: {{workdir: ''}}", 1, "the file tests nothing; add a test", id="no test"),
        pytest.param(
            f"{HEAD}commandTest: []",
            2,
            "'commandTest', a key that is not known; did you mean 'commandTests'?",
            id="key",
        ),
        pytest.param(
            f"{HEAD}licenseTests:\n- license: x", 3, "licenseTests has 'license', a key that is", id="licence"
        ),
        pytest.param(f"{HEAD}commandTests:\n- name: a\n  comand: b", 4, "commandTests has 'comand', a key", id="typo"),
        pytest.param(f"{HEAD}commandTests:\n- name: a", 3, "a test without command; add it", id="no command"),
        pytest.param(
            f"{HEAD}commandTests:\n- name: a\n  command: b\n  name: c", 5, "has name twice; leave one", id="twice"
        ),
        pytest.param(f"{HEAD}commandTests: {{name: a}}", 2, "commandTests is a mapping; write a list", id="no list"),
        pytest.param(
            f"{HEAD}commandTests: [{{name: a, command: [b]}}]", 2, "command is a sequence; write text", id="no text"
        ),
        pytest.param(f"{HEAD}commandTests: [{{name: a, command: }}]", 2, "command is nothing; write text", id="null"),
        pytest.param(
            f"{HEAD}commandTests: [{{name: a, command: b, exitCode: x}}]",
            2,
            "exitCode is 'x'; write a number",
            id="code",
        ),
        pytest.param(
            f"{HEAD}commandTests:\n- name: a\n  command: b\n  setup: [[x], []]",
            5,
            "setup has a command without a program; name one",
            id="setup",
        ),
        pytest.param(
            f"{HEAD}commandTests: [{{name: a, command: b, envVars: [{{key: A, value: ''}}]}}]",
            2,
            "value is empty; write text",
            id="empty variable",
        ),
        pytest.param(
            f"{HEAD}commandTests:\n- &a {{name: a, command: b, <<: *a}}",
            3,
            "commandTests merges mappings into one another more than 10 times",
            id="merged into itself",
        ),
        pytest.param(
            f"{HEAD}commandTests: [{{name: a, command: b, envVars: [{{key: A=B, value: c}}]}}]",
            2,
            "the name 'A=B' has an equals sign",
            id="name of a variable",
        ),
        pytest.param(
            f"{HEAD}containerRunOptions: {{bindMounts: ['']}}", 2, "bindMounts is empty; write", id="no mount"
        ),
        pytest.param(
            f"{HEAD}commandTests: [{{name: a, <<: b}}]", 2, "commandTests is a scalar; write keys", id="merge"
        ),
        pytest.param(
            f'{HEAD}commandTests: [{{name: a, command: "\\ud800"}}]', 2, "a lone surrogate is not", id="surrogate"
        ),
        pytest.param(
            f"{HEAD}commandTests:\n- name: a\n  command: b\n  expectedOutput:\n  - '['",
            6,
            "'[' is not a regular expression",
            id="pattern",
        ),
        pytest.param(
            f"{HEAD}commandTests: [{{name: a, command: b, expectedOutput: ['(?=a)']}}]",
            2,
            "'(?=a)' is not a regular expression of Go (",
            id="Python's pattern",
        ),
        pytest.param(
            f"{HEAD}containerRunOptions: {{allocateTty: true}}",
            2,
            "'allocateTty', no counterpart; known are user",
            id="run",
        ),
        pytest.param(
            f"{HEAD}containerRunOptions: {{envVars: [DOCKDSL_NOT_SET]}}",
            2,
            "the variable 'DOCKDSL_NOT_SET' is not set, or empty; set it, or leave it out",
            id="variable",
        ),
        pytest.param(
            f"{HEAD}containerRunOptions: {{bindMounts: ['/x:/m/:ro']}}\nfileContentTests: [{{name: a, path: /m/f}}]",
            3,
            "'/m/f' is in /m/ of bindMounts, not in the image; write a commandTest",
            id="mounted",
        ),
        pytest.param(
            f"{HEAD}fileExistenceTests: [{{name: a, path: /, shouldExist: 7}}]",
            2,
            "is neither true nor false",
            id="flag",
        ),
        pytest.param(
            f"{HEAD}fileExistenceTests: [{{name: a, path: /, isExecutableBy: me}}]", 2, "'me' is not one of", id="whom"
        ),
        pytest.param(
            f"{HEAD}metadataTest: {{labels: [{{key: a, isRegex: true}}]}}",
            2,
            "labels has a test without value",
            id="label",
        ),
        pytest.param(f"{HEAD}metadataTest: {{exposedPorts: [http]}}", 2, "'http' is not a port", id="port"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, line: int, words: str) -> None:
    """The message names the key, and the place is the file's line."""
    file = tmp_path / "x.yaml"
    file.write_text(text)
    with pytest.raises(InvalidValue) as caught:
        from_structure_test(file)

    assert words in caught.value.message
    assert caught.value.origin is not None
    assert (str(file), line) == (caught.value.origin.path, caught.value.origin.line)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """Missing, empty, or no text."""
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidValue, match="is empty; is it the right file"):
        from_structure_test(tmp_path / "empty.yaml")
    with pytest.raises(FileError, match="cannot be read"):
        from_structure_test(tmp_path / "none.yaml")
    with pytest.raises(FileError, match="not UTF-8"):
        from_structure_test(tmp_path / "binary.yaml")
    with pytest.raises(InvalidType, match="the file is an int; pass its path"):
        from_structure_test(3)  # type: ignore[arg-type]  # what a user without a type checker may pass
    with pytest.raises(InvalidValue, match="the path"):
        from_structure_test("a\0b")


@pytest.mark.parametrize(("module", "package"), [("yaml", "PyYAML"), ("re2", "google-re2")])
def test_without_a_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, package: str) -> None:
    """What to install is told."""
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(FileError, match=rf'{package} is not installed; run: pip install "dockdsl\[structure-test\]"'):
        from_structure_test(tmp_path / "x.yaml")


# --- the command line


def write_image(folder: Path) -> Path:
    """Write a file with an image of busybox."""
    file = folder / "api.py"
    file.write_text(
        "from dockdsl import *\n"
        f"server = Stage({BUSYBOX!r}, steps=[Run.script({SERVER!r}), Cmd.exec('httpd', '-f', '-p', '8080', '-h', '/www')])\n"
        'image = Image(Dockerfile(server), port=8080, checks=[HttpCheck("GET", "/healthz")])\n'
    )
    return file


def dockdsl(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end."""
    command = [sys.executable, "-m", "dockdsl", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.engine
def test_the_command_line(tmp_path: Path, nothing_left: None) -> None:
    """The file's checks come after the image's own; a failure names its line; JUnit has them all."""
    structure = tmp_path / "structure.yaml"
    structure.write_text(
        f"{HEAD}commandTests:\n- name: good\n  command: busybox\n  args: [echo, hello]\n  expectedOutput: ['^hel+o\\n$']\n"
        "- name: bad\n  command: sh\n  args: [-c, 'echo why; exit 3']\n"
        "fileContentTests:\n- {name: page, path: /www/healthz, expectedContents: [status]}\n"
        "metadataTest: {cmd: [httpd, -f, -p, '8080', -h, /www]}\n"
    )
    junit = tmp_path / "junit.xml"
    done = dockdsl(
        "test", write_image(tmp_path), "--structure-test", structure, "--junit", junit, "--progress", "quiet"
    )
    lines = done.stdout.splitlines()

    assert 1 == done.returncode, done.stderr
    assert ["ok  ", "ok  ", "FAIL", "ok  ", "ok  "] == [line[:4] for line in lines[:5]]
    assert lines[2].endswith(f"expected exit code 0, got 3 ({structure}:7)")
    assert lines[5].startswith("4 of 5 checks passed; ")
    assert "last output of the container of bad: run sh -c 'echo why; exit 3':\n  why\n" in done.stderr
    suite = ET.parse(junit).getroot()[0]
    assert ("5", "1", "0") == (suite.get("tests"), suite.get("failures"), suite.get("errors"))
    assert ["GET /healthz", "good: run busybox echo hello"] == [case.get("name") for case in suite][:2]
    failure = suite[2].find("failure")
    assert failure is not None
    assert "expected exit code 0, got 3" == failure.get("message")
    assert (str(structure), "7", "why") == (suite[2].get("file"), suite[2].get("line"), suite[2].findtext("system-out"))


@pytest.mark.engine
def test_junit_of_a_server_that_does_not_start(tmp_path: Path) -> None:
    """What kept the checks from running is an error in it, also of a file whose name is not text."""
    file = write_image(tmp_path).rename(tmp_path / os.fsdecode(b"\xff.py"))
    file.write_text(file.read_text().replace("'httpd', '-f'", "'false', '\\x07'"))
    junit = tmp_path / "junit.xml"
    done = dockdsl("test", file, "--junit", junit, "--progress", "quiet")
    suite = ET.parse(junit).getroot()[0]

    assert 1 == done.returncode
    assert ("1", "0", "1") == (suite.get("tests"), suite.get("failures"), suite.get("errors"))
    error = suite[0].find("error")
    assert error is not None
    assert "the container exited with code 1" in (error.get("message") or "")


@pytest.mark.engine
@pytest.mark.parametrize("ends", [True, False])
def test_junit_has_what_the_server_printed(tmp_path: Path, ends: bool) -> None:
    """As the output of the suite, and as XML whatever bytes it is: of a check that failed, and of a server that ended."""
    steps = r"printf 'boot\000\033[31m\377\357\277\277<&]]>\n'; "
    steps += "exit 3" if ends else "exec httpd -f -p 8080 -h /bin"
    file = tmp_path / "api.py"
    file.write_text(
        "from dockdsl import *\n"
        f"image = Image(Dockerfile(Stage({BUSYBOX!r}, steps=[Cmd.exec('sh', '-c', {steps!r})])),\n"
        "    port=8080, checks=[HttpCheck('GET', '/x')])\n"
    )
    junit = tmp_path / "junit.xml"
    done = dockdsl("test", file, "--junit", junit, "--progress", "quiet")
    suite = ET.parse(junit).getroot()[0]

    assert 1 == done.returncode
    assert "boot\\x00\ufffd\ufffd<&]]>" == suite.findtext("system-out")


def test_a_structure_test_that_is_wrong(tmp_path: Path) -> None:
    """Exit 2 before anything is built, with the file's line."""
    structure = tmp_path / "structure.yaml"
    structure.write_text(f"{HEAD}\nnothing: []\n")
    done = dockdsl("test", write_image(tmp_path), "--structure-test", structure)

    assert (2, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith(
        f"{structure}:3: error: structure test: the file has 'nothing', a key that is not known"
    )
