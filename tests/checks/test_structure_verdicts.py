"""Files of container-structure-test, judged by that tool: dockdsl comes to its verdict on the same image, test by test."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockdsl import FileError, InvalidValue, from_structure_test
from dockdsl.checks.structure_checks import Licenses, Metadata
from dockdsl.checks.subject import Subject
from dockdsl.engine.runners.docker_sdk import DockerSdk
from dockdsl.engine.running import RunRequest
from dockdsl.errors import RunFailed
from tests.engine.helpers import BUSYBOX, docker

TOOL = Path(sys.executable).with_name("container-structure-test")
DOCKERFILE = f"""
FROM {BUSYBOX}
RUN mkdir -p /d /usr/share/doc/good /usr/share/doc/libgnutls30 && echo MIT >/usr/share/doc/good/copyright \
 && echo x >/d/f && chmod 640 /d/f && chown 5:6 /d/f && ln -s f /d/l && ln -s /d /e && ln -s /no /n && ln -s /d/f /abs \
 && cp /bin/busybox /d/x && chmod 4755 /d/x && chmod 1777 /tmp && echo 'the Wtfpl' >/d/bad && printf 'a\\nb\\n' >/d/ab
ENV A=image BIN=/bin EMPTY=
EXPOSE 53/udp 8080
VOLUME /v /w/deep
WORKDIR /d
LABEL l=v1.2 e= lines="a\\nb\\n"
USER 7
ENTRYPOINT ["/bin/echo", "entry"]
CMD ["x"]
"""
COMMANDS = r"""
schemaVersion: 2.0.0
globalEnvVars: [{key: G, value: g$A}, {key: A, value: file $A}]
commandTests:
- &echo {name: + words, command: echo, args: [hi, 3], expectedOutput: ['^hi 3\n$'], excludedOutput: [entry]}
- {<<: *echo, name: + merged}
- {<<: *echo, name: '- merged', expectedOutput: ['^hi 3$']}
- {name: + stderr, command: sh, args: [-c, 'echo e >&2; exit 300'], exitCode: 44, expectedError: [e], excludedError: [x]}
- {name: '- stderr', command: sh, args: [-c, 'echo e >&2'], excludedError: [e]}
- {name: '- code', command: sh, args: [-c, exit 300], exitCode: 999}
- {name: + the image's and the file's variables, command: $BIN/echo, args: ['$A ${G}'], expectedOutput: ['^file image gimage\n$']}
- {name: + a test's variable, command: sh, args: [-c, 'env; echo [$OWN]'], envVars: [{key: OWN, value: $A}],
   expectedOutput: ['OWN=\$A', '\[\]', 'G=gimage']}
- {name: + setup, command: cat, args: [/tmp/s], setup: [[sh, -c, 'echo $A; id -u >/tmp/s; env >>/tmp/s'], [sh, -c, 'echo two >>/tmp/s']],
   teardown: [['false']], envVars: [{key: OWN, value: $A}], expectedOutput: ['^7\n', 'OWN=file image\n', 'two\n$']}
- {name: + variables of setup, command: sh, args: [-c, 'echo $OWN; env'], setup: [['true']], envVars: [{key: OWN, value: $A}],
   expectedOutput: ['^file image\n', 'OWN=\$A']}
- {name: + setup that fails, command: echo, setup: [[sh, -c, 'exit 3']]}
- {name: '- nothing of setup stays', command: cat, args: [/tmp/s]}
- {name: + syntax of Go, command: echo, args: [abc.], expectedOutput: ['^[[:alpha:]]+\.', '\Qc.\E', '\pL', '(?P<x>a)', '\x{61}', '\z']}
- {name: '- syntax of Go', command: echo, args: [abc], expectedOutput: ['\Qa.c\E']}
- {name: + lines, command: sh, args: [-c, 'echo a; echo b'], expectedOutput: ['(?m)^b$', '(?mi)^B$', '^a\n(?m)^b$'], excludedOutput: ['^b', 'a$', 'a.b', '(?m:^a)$']}
"""
FILES = r"""
schemaVersion: 2.0.0
containerRunOptions:
globalEnvVars: [{key: F, value: /d/f}]
fileExistenceTests:
- &file {name: + all, path: /d/f, permissions: -rw-r-----, uid: 5, gid: 6}
- {<<: *file, name: '- group', gid: 5}
- {name: '- owner', path: /d/f, uid: 6}
- {name: '- permissions', path: /d/f, permissions: -rw-rw----}
- {name: + nothing asked, path: /d/f, permissions: '', uid: -1, isExecutableBy: ''}
- {name: + gone, path: /gone, shouldExist: false, permissions: -rw-r--r--, isExecutableBy: any, uid: 5}
- {name: '- gone', path: /gone, permissions: -rw-r--r--}
- {name: '- there', path: /d/f, shouldExist: false, permissions: -rw-r-----}
- {name: + relative, path: d/f}
- {name: + dots, path: /d/../d/./f}
- {name: + variable, path: $F}
- {name: + variable without a slash, path: '${NONE}d/f'}
- {name: '- empty', path: $NONE}
- {name: + empty, path: $NONE, shouldExist: false}
- {name: + folder, path: /tmp/, permissions: dtrwxrwxrwx}
- {name: + special, path: /d/x, permissions: urwxr-xr-x, isExecutableBy: other}
- {name: '- special', path: /d/x, permissions: -rwxr-xr-x}
- {name: '- not permissions', path: /d/x, permissions: rwx}
- {name: '- executable', path: /d/f, isExecutableBy: any}
- {name: + link, path: /e/l, permissions: Lrwxrwxrwx}
- {name: + link to nothing, path: /n}
- {name: '- file as a folder', path: /d/f/}
- {name: + link as a folder, path: /e/, permissions: drwxr-xr-x}
- {name: '- link to a file as a folder', path: /d/l/.}
- {name: + folder of a volume, path: /v, permissions: drwxr-xr-x, uid: 0}
- {name: + folder above one, path: /w}
- {name: '- below a volume', path: /v/x}
- {name: '- null', path: /d/f, shouldExist: }
- {name: '- null is nought', path: /d/f, uid: }
- {name: '- link to nothing', path: /n, shouldExist: false}
- {name: + added by the engine, path: /.dockerenv, permissions: -rwxr-xr-x, uid: 0, gid: 0}
- {name: '- added by the engine', path: ./etc/../.dockerenv, shouldExist: false}
- {name: + added console, path: /dev/console, permissions: -rwxr-xr-x}
- {name: + added link, path: /etc/mtab, permissions: Lrwxrwxrwx}
- {name: + added folder, path: /dev/pts, permissions: drwxr-xr-x}
- {name: '- not added', path: /proc/mounts}
- {name: '- permissions of a link', path: /d/l, permissions: -rw-r-----}
fileContentTests:
- {name: + content, path: /d/ab, expectedContents: ['a', '(?m)^b$'], excludedContents: [c, '^b']}
- {name: '- content', path: /d/ab, excludedContents: ['[[:alpha:]]']}
- {name: + relative content, path: d/f, expectedContents: ['^x\n$']}
- {name: + content of a link, path: /abs, expectedContents: [x]}
- {name: + added content, path: /.dockerenv, excludedContents: [x]}
- {name: '- no variables here', path: /$F}
- {name: '- folder for content', path: /d}
- {name: '- no content', path: /gone}
"""
METADATA = """
schemaVersion: 2.0.0
metadataTest:
  envVars: [{key: A, value: image}, {key: BIN, value: '^/b', isRegex: true}, {key: EMPTY, value: ''}]
  unboundEnvVars: [{key: GONE}]
  labels: [{key: l, value: '^v[[:digit:]]', isRegex: true}, {key: e, value: ''}]
  exposedPorts: ["53", 8080]
  unexposedPorts: ["80"]
  volumes: [/v, /w/deep]
  unmountedVolumes: [/w]
  entrypoint: [/bin/echo, entry]
  cmd: [x]
  workdir: /d
  user: "7"
"""
METADATA_TESTS = [
    ("{exposedPorts: ['80']}", False),
    ("{unexposedPorts: ['53']}", False),
    ("{unmountedVolumes: [/v]}", False),
    ("{unboundEnvVars: [{key: A}]}", False),
    ("{envVars: [{key: A, value: '^age', isRegex: true}]}", False),
    ("{labels: [{key: lines, value: '^b', isRegex: true}]}", False),
    ("{cmd: []}", False),
    ("{labels: [{key: e}], envVars: [{key: EMPTY, value: }]}", True),
    ("{labels: [{key: l}]}", False),
    ("{entrypoint: null, cmd: , workdir: '', user: '', exposedPorts: [53]}", True),
    ("{entrypoint: [/bin/echo]}", False),
]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The image that both examine."""
    tag = f"dockdsl-structure-verdicts:{uuid.uuid4().hex}"
    folder = tmp_path_factory.mktemp("image")
    (folder / "Dockerfile").write_text(DOCKERFILE)
    docker("build", "--quiet", "--tag", tag, str(folder))
    yield tag
    docker("image", "rm", tag)


def tool(image: str, file: Path) -> dict[str, bool]:
    """Return the verdicts of container-structure-test, by the names of the tests."""
    report = file.with_suffix(".report.json")
    command = [str(each) for each in (TOOL, "test", "--image", image, "--config", file, "--test-report", report)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert report.exists(), done.stderr
    results = json.loads(report.read_text())["Results"]
    return {each["Name"].partition(" Test: ")[2] or each["Name"]: each["Pass"] for each in results}


def ours(image: str, file: Path) -> dict[str, bool]:
    """Return the verdicts of dockdsl in the same form."""
    verdicts = {}
    with DockerSdk() as runner, Subject(runner, RunRequest(image=image)) as subject:
        for check in from_structure_test(file):
            kind = {Metadata: "Metadata Test", Licenses: "License Test"}.get(type(check))
            try:
                passed = check.examine(subject).ok
            except RunFailed:
                passed = False
            verdicts[kind or check.title.partition(": ")[0]] = passed
    return verdicts


@pytest.mark.engine
@pytest.mark.parametrize("text", [COMMANDS, FILES], ids=["commands", "files"])
def test_each_test_has_the_verdict_of_the_tool(tmp_path: Path, image: str, nothing_left: None, text: str) -> None:
    """A name begins with + where the test passes, with - where it fails."""
    file = tmp_path / "structure.yaml"
    file.write_text(text)
    verdicts = ours(image, file)

    assert {name: name.startswith("+") for name in verdicts} == verdicts
    assert tool(image, file) == verdicts


@pytest.mark.engine
def test_metadata_has_the_verdict_of_the_tool(tmp_path: Path, image: str) -> None:
    """All of it, and each way to fail. A port is looked for whatever its protocol."""
    for number, (text, passes) in enumerate([(METADATA, True), *METADATA_TESTS]):
        file = tmp_path / f"{number}.yaml"
        file.write_text(text if number == 0 else f"schemaVersion: 2.0.0\nmetadataTest: {text}")

        assert {"Metadata Test": passes} == ours(image, file) == tool(image, file), text


@pytest.mark.engine
def test_a_port_with_a_protocol(tmp_path: Path, image: str) -> None:
    """It must be exposed with that protocol; the tool finds none of these, exposed or not."""
    for port, key, passes in [
        ("53/udp", "exposedPorts", True),
        ("53/tcp", "exposedPorts", False),
        ("53/udp", "unexposedPorts", False),
        ("53/tcp", "unexposedPorts", True),
    ]:
        file = tmp_path / "structure.yaml"
        file.write_text(f"schemaVersion: 2.0.0\nmetadataTest: {{{key}: ['{port}']}}")

        assert {"Metadata Test": passes} == ours(image, file)
        assert {"Metadata Test": key == "unexposedPorts"} == tool(image, file)


@pytest.mark.engine
@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("{debian: true}", True),
        ("{debian: true, files: [/d/f, usr/share/doc/good/copyright]}", True),
        ("{files: [/d/bad]}", False),
        ("{files: [/gone]}", False),
        ("{debian: false}", True),
    ],
)
def test_licenses_have_the_verdict_of_the_tool(tmp_path: Path, image: str, text: str, passes: bool) -> None:
    """No notice names a licence that is not wanted, in small letters or large ones; one package is passed over."""
    file = tmp_path / "structure.yaml"
    file.write_text(f"schemaVersion: 2.0.0\nlicenseTests: [{text}]")

    assert {"License Test": passes} == ours(image, file) == tool(image, file)


@pytest.mark.engine
def test_a_package_without_a_notice(tmp_path: Path, tag: str) -> None:
    """Both report it, and a missing folder."""
    file = tmp_path / "structure.yaml"
    file.write_text("schemaVersion: 2.0.0\nlicenseTests: [{debian: true}]")
    (tmp_path / "Dockerfile").write_text(
        f"FROM {BUSYBOX}\nRUN mkdir -p /usr/share/doc/bare && echo x >/usr/share/doc/file"
    )
    docker("build", "--quiet", "--tag", tag, str(tmp_path))
    try:
        assert {"License Test": False} == ours(tag, file) == tool(tag, file)
    finally:
        docker("image", "rm", tag)
    assert {"License Test": False} == ours(BUSYBOX, file) == tool(BUSYBOX, file)


@pytest.mark.engine
def test_the_first_schema(tmp_path: Path, image: str, nothing_left: None) -> None:
    """A command is one list; the file's variables are there in setup alone, and for what follows it."""
    file = tmp_path / "structure.yaml"
    file.write_text(
        "schemaVersion: 1.0.0\nglobalEnvVars: [{key: G, value: g$A}]\n"
        "commandTests:\n"
        "- {name: + list, command: [echo, hi, $A, '[$G]'], expectedOutput: ['^hi image \\[\\]\\n$'], envVars: [{key: G, value: x}]}\n"
        "- {name: '- list', command: [sh, -c, 'exit 1']}\n"
        "- {name: + setup, setup: [[sh, -c, 'echo s$G >/tmp/s']], command: [cat, /tmp/s, /d/$G], exitCode: 1,\n"
        "   expectedOutput: [sgimage], expectedError: [/d/gimage]}\n"
        "fileExistenceTests:\n- {name: + path, path: /d/f, permissions: -rw-r-----}\n- {name: '- no variables', path: $BIN}\n"
        "fileContentTests: [{name: + content, path: /d/f, expectedContents: [x]}]\n"
        "licenseTests: [{debian: true}]\n"
    )
    verdicts = ours(image, file)

    assert tool(image, file) == verdicts
    assert {name: name[0] in "+L" for name in verdicts} == verdicts


@pytest.mark.engine
def test_options_of_the_container(
    tmp_path: Path, image: str, monkeypatch: pytest.MonkeyPatch, nothing_left: None
) -> None:
    """Commands have them, those of setup as well; variables of the environment count most, then those of the file."""
    (tmp_path / "mounted").write_text("mounted")
    (tmp_path / "vars.env").write_text(
        "# words\n\nexport X=file # why\nA = \"of the file\"\nY='$X'\nEMPTY=\nFROM_HERE=file\nZ=a#b\n"
    )
    monkeypatch.setenv("FROM_HERE", "here")
    file = tmp_path / "structure.yaml"
    file.write_text(
        "schemaVersion: 2.0.0\n"
        f"containerRunOptions: {{user: '0:5', privileged: true, envVars: [FROM_HERE], envFile: {tmp_path}/vars.env,\n"
        f"  bindMounts: ['{tmp_path}/mounted:/m:ro']}}\n"
        "commandTests:\n"
        "- {name: + user, command: id, expectedOutput: ['uid=0.* gid=5']}\n"
        "- {name: + variables, command: env, envVars: [{key: X, value: own}, {key: FROM_HERE, value: own}],\n"
        "   expectedOutput: ['(?m)^X=file$', '(?m)^A=of the file$', '(?m)^Y=\\$X$', '(?m)^FROM_HERE=here$', '(?m)^Z=a#b$', '(?m)^EMPTY=$']}\n"
        "- {name: + mount, command: cat, args: [/m], expectedOutput: [mounted]}\n"
        "- {name: '- mount', command: touch, args: [/m]}\n"
        "- {name: + privileged, command: grep, args: ['CapBnd:.*0000000', /proc/self/status], exitCode: 1}\n"
        "- {name: + not replaced, command: echo, args: ['[$FROM_HERE]'], expectedOutput: ['\\[\\]']}\n"
        "- {name: + setup, setup: [[sh, -c, 'id; cat /m >/s; env >>/s']], command: cat, args: [/s],\n"
        "   expectedOutput: ['^mounted'], excludedOutput: [FROM_HERE]}\n"
    )
    verdicts = ours(image, file)

    assert {name: name.startswith("+") for name in verdicts} == verdicts
    assert tool(image, file) == verdicts


@pytest.mark.engine
def test_what_the_tool_loses_is_given(tmp_path: Path, image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Capabilities, which it names in a way that the engine passes over; a test's variables beside those of the options."""
    monkeypatch.setenv("FROM_HERE", "here")
    file = tmp_path / "structure.yaml"
    file.write_text(
        "schemaVersion: 2.0.0\ncontainerRunOptions: {user: root, capabilities: [NET_ADMIN], envVars: [FROM_HERE]}\n"
        "commandTests:\n- {name: capability, command: grep, args: ['CapEff:.*35fb$', /proc/self/status]}\n"
        "- {name: variable, command: env, envVars: [{key: OWN, value: own}], expectedOutput: ['OWN=own', 'FROM_HERE=here']}\n"
    )

    assert {"capability": True, "variable": True} == ours(image, file)
    assert {"capability": False, "variable": False} == tool(image, file)


def test_variables_of_the_environment_that_are_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are refused where they are named, as those of an Image are, and not shown."""
    monkeypatch.setenv("BYTES", "secret\udcff")
    file = tmp_path / "structure.yaml"
    file.write_text(
        "schemaVersion: 2.0.0\ncontainerRunOptions: {envVars: [BYTES]}\ncommandTests: [{name: a, command: b}]\n"
    )
    with pytest.raises(InvalidValue, match="the value of BYTES: a lone surrogate") as caught:
        from_structure_test(file)

    assert caught.value.origin is not None
    assert 2 == caught.value.origin.line


@pytest.mark.parametrize("line", ["X", "1=2", 'X="$A"', "X=a$A", 'X="a\\n"', "X='a", "Y: 1", "X='a\\'"])
def test_environment_files_that_are_refused(tmp_path: Path, line: str) -> None:
    """What the tool reads otherwise than it stands there is not read; and a missing file is an error, not a warning."""
    (tmp_path / "vars.env").write_text(f"A=1\n{line}\n")
    file = tmp_path / "structure.yaml"
    file.write_text(
        f"schemaVersion: 2.0.0\ncontainerRunOptions:\n  envFile: {tmp_path}/vars.env\ncommandTests: [{{name: a, command: b}}]\n"
    )
    with pytest.raises(InvalidValue, match=r"line 2 of .*vars.env is not NAME=value") as caught:
        from_structure_test(file)
    (tmp_path / "vars.env").unlink()
    with pytest.raises(FileError, match="cannot be read") as missing:
        from_structure_test(file)

    assert [3, 3] == [each.value.origin and each.value.origin.line for each in (caught, missing)]
