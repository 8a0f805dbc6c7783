"""Files of container-structure-test as checks, and reports in JUnit's format."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import attrs
import pytest

from dockdsl import (
    CommandCheck,
    FileCheck,
    FileError,
    InvalidType,
    InvalidValue,
    MetadataCheck,
    from_structure_test,
)
from dockdsl.checks.check import Check
from dockdsl.checks.judging import judged_text
from dockdsl.checks.subject import Subject
from dockdsl.engine.fake import FakeRunner
from dockdsl.engine.running import RunRequest
from tests.engine.helpers import BUSYBOX, SERVER

WHOLE = r"""
schemaVersion: '2.0.0' # the latest
globalEnvVars:
- {key: A, value: global}
- {key: B, value: b}
containerRunOptions:
  user: "7"
commandTests:
- name: 'apt-get'
  command: 'apt-get'
  args: ['help', 3]
  setup: []
  envVars: [{key: A, value: own}]
  excludedOutput: ['.*FAIL.*']
  expectedOutput: ['.*Usage.*', '^v\d']
  expectedError: [e1]
  excludedError: [e2]
  exitCode: 100
- {name: short, command: "true"}
fileExistenceTests:
- {name: Root, path: /, permissions: drwxr-xr-x, uid: 0, gid: 0}
- {name: Date, path: /bin/date, shouldExist: true, isExecutableBy: owner, permissions: '-rw-r-----'}
- {name: Temporary, path: /tmp, permissions: dtrwxrwxrwx, gid: 5}
- {name: Dummy, path: /etc/dummy, shouldExist: false}
fileContentTests:
- name: 'Debian Sources'
  excludedContents: ['.*gce_debian_mirror.*']
  expectedContents: ['.*httpredir\.debian\.org.*']
  path: '/etc/apt/sources.list'
metadataTest:
  envVars: [{key: foo, value: baz}, {key: v, value: '^1\.', isRegex: true}]
  unboundEnvVars: [{key: gone}]
  labels: [{key: l, value: '', isRegex: false}]
  exposedPorts: ["8080", 2345, 53/udp]
  unexposedPorts: ['80']
  volumes: [/test]
  unmountedVolumes: ['/root']
  entrypoint: []
  cmd: ["/bin/bash"]
  workdir: /app
  user: luke
"""


def plain(check: Check) -> Check:
    """Return the check that one of a file is, without its name and without what files alone can ask for."""
    check = getattr(check, "check", check)
    kind = next(kind for kind in (CommandCheck, FileCheck, MetadataCheck) if isinstance(check, kind))
    return kind(**{each.name: getattr(check, each.name) for each in attrs.fields(kind) if each.init})


def test_the_whole_schema(tmp_path: Path) -> None:
    """Each key has its place in a check, and each check its line in the file."""
    file = tmp_path / "image.yaml"
    file.write_text(WHOLE)
    found = from_structure_test(file)

    assert (
        CommandCheck(
            ["apt-get", "help", "3"],
            exit_code=100,
            stdout=[".*Usage.*", r"\Av\d"],
            no_stdout=".*FAIL.*",
            stderr="e1",
            no_stderr="e2",
            env={"A": "own"},
            user="7",
        ),
        CommandCheck(["true"], user="7"),
        FileCheck("/", kind="directory", mode=0o755, owner="0:0"),
        FileCheck("/bin/date", kind="file", executable_by="owner", mode=0o640),
        FileCheck("/tmp", kind="directory", mode=0o1777, owner=":5"),
        FileCheck("/etc/dummy", exists=False),
        FileCheck(
            "/etc/apt/sources.list",
            kind="file",
            content=r".*httpredir\.debian\.org.*",
            no_content=".*gce_debian_mirror.*",
        ),
        MetadataCheck(
            env={"foo": "baz", "v": re.compile(r"\A1\.", re.MULTILINE), "gone": None},
            labels={"l": ""},
            ports=["8080", 2345, "53/udp"],
            no_ports="80",
            volumes="/test",
            no_volumes="/root",
            entrypoint=[],
            cmd=["/bin/bash"],
            workdir="/app",
            user="luke",
        ),
    ) == tuple(map(plain, found))
    titles = [check.title for check in found]
    assert ["apt-get: run apt-get help 3", "short: run true", "Root: file /"] == titles[:3]
    assert "metadata " == titles[-1][:9]
    assert [9, 19, 21, 22, 23, 24, 26, 31] == [check.origin.line for check in found]
    assert {str(file)} == {check.origin.path for check in found}


def test_what_is_empty(tmp_path: Path) -> None:
    """As there: null and empty text ask for nothing, an empty list asks for none."""
    file = tmp_path / "image.yaml"
    file.write_text(
        f"{HEAD}metadataTest: {{entrypoint: , cmd: [], workdir: '', user: '', volumes: null, labels: [{{key: a, value: ''}}]}}"
    )
    for_none = tmp_path / "none.yaml"
    for_none.write_text(f"{HEAD}metadataTest: {{entrypoint: [], cmd: null, workdir: , user: null}}")

    assert (MetadataCheck(cmd=[], labels={"a": ""}),) == from_structure_test(file)
    assert (MetadataCheck(entrypoint=[]),) == from_structure_test(for_none)


@pytest.mark.parametrize("indent", [None, 2, "\t"])
def test_json(tmp_path: Path, indent: int | str | None) -> None:
    """It is YAML, too, but for tabs; a tab that a string says stays."""
    file = tmp_path / "image.json"
    content = {"schemaVersion": "2.0.0", "fileExistenceTests": [{"name": "x\ty", "path": "/x"}]}
    file.write_text(json.dumps(content, indent=indent))
    (check,) = from_structure_test(str(file))

    assert "x\ty: file /x" == check.title
    assert (1 if indent is None else 4) == check.origin.line


HEAD = "schemaVersion: 2.0.0\n"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        pytest.param("a: [", 1, "it is not YAML: ", id="no YAML"),
        pytest.param("a:\n\t- 1", 2, "it is not YAML: found character '\\t'", id="tab in YAML"),
        pytest.param("- 1\n", 1, "the file is a sequence; write keys with values", id="list"),
        pytest.param("commandTests: []", 1, "schemaVersion is None; write 2.0.0, which is read", id="no version"),
        pytest.param("\nschemaVersion: 1.0.0", 2, "schemaVersion is 1.0.0; write 2.0.0", id="old version"),
        pytest.param(
            f"{HEAD}commandTest: []",
            2,
            "'commandTest', a key that is not known; did you mean 'commandTests'?",
            id="key",
        ),
        pytest.param(
            f"{HEAD}licenseTests:\n- debian: true",
            3,
            "licenseTests have no counterpart, so nothing of the file is taken; move",
            id="licence",
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
            f"{HEAD}commandTests: [{{name: a, command: b, exitCode: 999}}]",
            2,
            "exit_code: 999 is out of range; pass",
            id="high code",
        ),
        pytest.param(
            f"{HEAD}commandTests:\n- name: a\n  command: b\n  setup: [[x]]",
            5,
            "setup has no counterpart, so nothing of the file is taken; write one command",
            id="setup",
        ),
        pytest.param(
            f"{HEAD}commandTests:\n- name: a\n  command: b\n  expectedOutput:\n  - '['",
            6,
            "'[' is not a regular expression",
            id="pattern",
        ),
        pytest.param(
            f"{HEAD}commandTests: [{{name: a, command: b, expectedOutput: ['[[:alpha:]]']}}]",
            2,
            "has syntax that only Go knows",
            id="Go",
        ),
        pytest.param(
            f"{HEAD}containerRunOptions: {{privileged: true}}",
            2,
            "'privileged', no counterpart; known are user",
            id="run",
        ),
        pytest.param(f"{HEAD}fileExistenceTests: [{{name: a, path: a}}]", 2, "write it from the root on", id="path"),
        pytest.param(
            f"{HEAD}fileContentTests: [{{name: a, path: /$A}}]", 2, "the path '/$A' has a $", id="dollar in path"
        ),
        pytest.param(
            f"{HEAD}fileExistenceTests: [{{name: a, path: /, shouldExist: 7}}]",
            2,
            "is neither true nor false",
            id="flag",
        ),
        pytest.param(
            f"{HEAD}fileExistenceTests: [{{name: a, path: /, permissions: rwx}}]",
            2,
            "permissions are 'rwx'; write",
            id="mode",
        ),
        pytest.param(f"{HEAD}metadataTest: {{}}", 2, "it expects nothing", id="no metadata"),
        pytest.param(f"{HEAD}metadataTest: {{labels: [{{key: a}}]}}", 2, "labels has a test without value", id="label"),
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


@pytest.mark.parametrize(
    ("pattern", "text", "is_found"),
    [
        ("^v1$", "v1", True),
        ("^v1$", "v1\n", False),
        (r"^v1\n$", "v1\n", True),
        (r"^v1\z", "v1\n", False),
        ("^b", "a\nb\n", False),
        ("(?m)^b$", "a\nb\n", True),
        ("a\n(?m)^b$", "a\nb\nc", True),
        ("(?m:^b)$", "a\nb\n", False),
        ("(?m:^b$)", "a\nb\n", True),
        ("(?mi)^B$", "a\nb\n", True),
        ("(?m)(?-m:^b)", "a\nb\n", False),
        ("(?m)(?:^b$)", "a\nb\n", True),
        ("(?:(?m)^a)$", "a\n", False),
        (r"[$^]\$\^", "$$^", True),
        ("[]$]$", "]\n", False),
        (r"[\]$]^", "$^", False),
        ("a.b", "a\nb", False),
    ],
)
def test_patterns_mean_what_they_mean_to_go(tmp_path: Path, pattern: str, text: str, is_found: bool) -> None:
    """The flag m is not set unless the pattern sets it, and the last newline is text as all is."""
    file = tmp_path / "x.json"
    tests = [{"name": "a", "command": "b", "expectedOutput": [pattern]}]
    labels = [{"key": "a", "value": pattern, "isRegex": True}]
    file.write_text(json.dumps({"schemaVersion": "2.0.0", "commandTests": tests, "metadataTest": {"labels": labels}}))
    command, metadata = map(plain, from_structure_test(file))

    assert isinstance(command, CommandCheck)
    assert is_found == (not judged_text("stdout", text.encode(), text=None, patterns=command.stdout))
    subject = Subject(FakeRunner(facts={"Config": {"Labels": {"a": text}}}), RunRequest(image="x"))
    assert is_found == metadata.examine(subject).ok


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


def test_without_pyyaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install is told."""
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(FileError, match="PyYAML is not installed; run: pip install pyyaml"):
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
    del nothing_left
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
def test_variables_are_replaced(tmp_path: Path) -> None:
    """By the image's and the file's own for all tests, not by those of one test; a name that is not known is nothing."""
    file = tmp_path / "api.py"
    file.write_text(
        "from dockdsl import *\n"
        f"image = Image(Dockerfile(Stage({BUSYBOX!r}, steps=[Env({{'BIN': '/bin', 'A': 'image=1'}})])))\n"
    )
    structure = tmp_path / "structure.yaml"
    structure.write_text(
        f"{HEAD}globalEnvVars: [{{key: SHELLS, value: '$BIN/sh'}}, {{key: A, value: 'file $A'}}]\n"
        "commandTests:\n"
        "- {name: image, command: $BIN/echo, args: ['${BIN}s$A'], expectedOutput: ['/binsfile image=1']}\n"
        "- {name: test, command: sh, args: [-c, 'env; echo [$OWN]'], envVars: [{key: OWN, value: $A}],\n"
        "   expectedOutput: ['OWN=[$]A', 'A=file image=1', 'SHELLS=/bin/sh', '\\[\\]']}\n"
        "- {name: none, command: $NONE}\n"
        "fileExistenceTests:\n"
        "- {name: there, path: $SHELLS}\n"
        "- {name: gone, path: '${BIN}/none', shouldExist: false}\n"
        "- {name: relative, path: '${NONE}bin'}\n"
    )
    done = dockdsl("test", file, "--structure-test", structure, "--progress", "quiet")
    lines = done.stdout.splitlines()

    assert 1 == done.returncode, done.stderr
    assert ["ok  ", "ok  ", "FAIL", "ok  ", "ok  ", "FAIL"] == [line[:4] for line in lines[:6]], done.stdout
    assert f"the command $NONE is empty, since no variable of the image has that name ({structure}:7)" in lines[2]
    assert (
        f"the path ${{NONE}}bin is 'bin', which is not an absolute path; see its variables ({structure}:11)" in lines[5]
    )


@pytest.mark.engine
def test_links_are_looked_at_themselves(tmp_path: Path) -> None:
    """At the end of the path, where existence is asked for; those before it are followed, and for content all are."""
    file = tmp_path / "api.py"
    file.write_text(
        "from dockdsl import *\n"
        f"server = Stage({BUSYBOX!r}, steps=[Run('mkdir /d && echo x >/d/f && ln -s f /d/l && ln -s /d /e && ln -s /no /n')])\n"
        "image = Image(Dockerfile(server))\n"
    )
    structure = tmp_path / "structure.yaml"
    structure.write_text(
        f"{HEAD}fileExistenceTests:\n"
        "- {name: link, path: /e/l, permissions: Lrwxrwxrwx}\n"
        "- {name: dangling, path: /n}\n"
        "- {name: no file, path: /d/l, permissions: -rw-r--r--}\n"
        "- {name: gone, path: /n, shouldExist: false}\n"
        "fileContentTests: [{name: content, path: /e/l, expectedContents: [x]}]\n"
    )
    done = dockdsl("test", file, "--structure-test", structure, "--progress", "quiet")
    lines = done.stdout.splitlines()

    assert 1 == done.returncode, done.stderr
    assert ["ok  ", "ok  ", "FAIL", "FAIL", "ok  "] == [line[:4] for line in lines[:5]]
    assert "expected a file, got a link" in lines[2]
    assert "expected none, got a link" in lines[3]


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
    assert "boot\ufffd\ufffd<&]]>" == suite.findtext("system-out")


def test_a_structure_test_that_is_wrong(tmp_path: Path) -> None:
    """Exit 2 before anything is built, with the file's line."""
    structure = tmp_path / "structure.yaml"
    structure.write_text(f"{HEAD}\nlicenseTests: []\n")
    done = dockdsl("test", write_image(tmp_path), "--structure-test", structure)

    assert (2, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith(f"{structure}:3: error: structure test: licenseTests have no counterpart, so nothing")
