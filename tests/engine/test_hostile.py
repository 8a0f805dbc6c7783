"""Hostile values on a real engine: the container sees what was written, or the value was refused.

One Dockerfile holds all of them. It is built once with each escape character, and the image is inspected, run and
read; a value that got out of its instruction would be seen in what the others say.
"""

from __future__ import annotations

import io
import json
import secrets
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from dockdsl import (
    Add,
    Arg,
    Bind,
    Cache,
    Cmd,
    Comment,
    Copy,
    DockdslError,
    Dockerfile,
    Entrypoint,
    Env,
    Expose,
    Healthcheck,
    Heredoc,
    Instruction,
    Label,
    Onbuild,
    Run,
    Secret,
    Shell,
    Stage,
    Stopsignal,
    Tmpfs,
    User,
    Volume,
    Workdir,
    external,
    literal,
    render,
)
from tests import strategies
from tests.engine.helpers import BUSYBOX, docker, inspect
from tests.oracle import read
from tests.syntax.test_shell import try_chains

pytestmark = pytest.mark.engine

# What any operand, argument, file name or content may be.
VALUES = [
    *[
        "two words",
        " blanks at the ends ",
        "a  b",
        "tab\there",
        'say "hi"',
        "it's",
        '"',
        "'",
        '""',
        "''",
        "back\\slash",
    ],
    *[
        "trailing\\",
        "\\",
        "\\\\",
        '\\"',
        "\\'",
        "\\n",
        "\\$",
        "C:\\dir\\",
        "$HOME",
        "${HOME}",
        "$",
        "$$",
        "${",
        "${HOME",
        "}",
    ],
    *[
        "${HOME:-x}",
        "${x^^}",
        "$(id)",
        "`id`",
        "`",
        "``",
        '["json", "x"]',
        "[",
        "]",
        "[]",
        "[a-c]",
        "[^a]",
        "[!a]",
        "{a,b}",
    ],
    *[
        "# hash",
        "a#b",
        "#",
        "--flag",
        "--flag=x",
        "-",
        "--",
        "<<EOF",
        "<<-'E'",
        "<",
        "<<<x",
        ">x",
        "a=b",
        "=",
        "=b",
        "~",
        "!",
    ],
    *[
        "!a",
        "^",
        "^a",
        "a^[b",
        "&& USER root",
        "; id",
        "|",
        "&",
        "(",
        ")",
        "%",
        "%s",
        "@",
        ",",
        ":",
        "+",
        "_",
        "USER root",
    ],
    *[
        "check=skip=all",
        "escape=`",
        "null",
        "true",
        "NONE",
        "CMD",
        "AS",
        "é本😀",
        "e\u0301",
        "\u202eabc",
        "nbsp\xa0x",
        "\xa0x",
    ],
    *["x\xa0", "line\u2028separator", "next\x85line", "\ufeffmark", "mark\ufeff", "\u3000wide", "²٣"],
]
STARRED = ["*", "a*b", "?", "a?b", "[*]"]
EVERYWHERE_REFUSED = ["x\nUSER 0:0", "\n", "x\r", "x\x00", "\x1b[0m", "\x7f", "\x0b", "\x0c", "\ud800"]
IN_ARGUMENTS = [*VALUES, *STARRED, "", "x\nUSER 0:0", "\n", "x\r\n", "\x1b[0m", "\x7f", "\x0b", "\x0c", "x" * 5000]
IN_VALUES = [*VALUES, *STARRED, "", "x" * 5000]
# A file name is not a path, and has no tab where the build context is asked for it.
NAMES = [value for value in VALUES if "/" not in value and "\t" not in value]

PRINT_ARGUMENTS = 'for each in "$@"; do printf "%s\\0" "$each"; done'
# The shell of the commands below: what each prints and its status go into a file, and the build continues.
RECORDING = ["/bin/sh", "-c", 'sh -c "$0" >>/out/commands 2>/dev/null; printf "\\0%s\\0" "$?" >>/out/commands']

# A RUN, what it prints, and its status.
COMMANDS: list[tuple[Run, str, int]] = [
    (Run("echo $((1 << 2))"), "4\n", 0),
    (Run("echo $((1<<2))"), "4\n", 0),
    (Run("echo 'a  \\  b' \"c\\\\d\""), "a  \\  b c\\d\n", 0),
    (Run("echo a\\\\"), "a\\\n", 0),
    (Run("printf '[%s]' a\\ "), "[a ]", 0),
    (Run("printf '[%s]' a \\\n  b"), "[a][b]", 0),
    (Run("printf '[%s]' 'a \\\n  b'"), "[a \\\n  b]", 0),
    (Run("printf '[%s]' \"a \\\n  b\""), "[a   b]", 0),
    (Run("echo a # b \\\necho c"), "a\nc\n", 0),
    (Run("echo a\n# comment\necho b"), "a\nb\n", 0),
    (Run("echo \\\n# a"), "\n", 0),
    (Run("echo a \\\n\necho b"), "a\nb\n", 0),
    (Run("false\necho on"), "on\n", 0),
    (Run("# nothing\necho a"), "a\n", 0),
    (Run("if true; then\n  echo '\n  a'\nfi"), "\n  a\n", 0),
    (Run("cat <<X\n$HOME \\\n# a\nX"), "/root # a\n", 0),
    (Run("cat <<'X'\n$HOME \\\n# a\nX"), "$HOME \\\n# a\n", 0),
    (Run("cat <<-X\n\ta\n\t\tb\n\tX"), "a\nb\n", 0),
    (Run("cat <<X; echo b\na\nX\necho c"), "a\nb\nc\n", 0),
    (Run("cat <<X\nEOF\nX"), "EOF\n", 0),
    (Run("cat <<X <<Y\na\nX\nb\nY"), "b\n", 0),
    (Run("echo ${HOME%%/*}${HOME#/}"), "root\n", 0),
    (Run('echo "${x:-"a && b"}"'), "a && b\n", 0),
    (
        Run("echo 'a && b' && echo \"c && d\" && echo " + "e" * 90 + " && echo f"),
        "a && b\nc && d\n" + "e" * 90 + "\nf\n",
        0,
    ),
    (Run("echo USER root; echo '\nUSER root'"), "USER root\n\nUSER root\n", 0),
    (Run("echo '<<EOF'"), "<<EOF\n", 0),
    (Run("echo a <<EOF\nEOF"), "a\n", 0),
    (Run("printf 'a\\r' | od -An -c | tr -d ' '"), "a\\r\n", 0),
    (Run("printf '[%s]' \"a\r\""), "[a\r]", 0),
    (Run("echo `echo a`"), "a\n", 0),
    (Run("echo \"$(echo 'a)b')\""), "a)b\n", 0),
    (Run("echo é😀\u2028"), "é😀\u2028\n", 0),
    (Run("[ -d / ] && echo a"), "a\n", 0),
    (Run('["echo", "a"] || echo b'), "b\n", 0),
    # It reaches the shell, which takes it for an option of its own.
    (Run("--version || echo a"), "", 2),
    (Run.chain("echo a", "false", "echo b"), "a\n", 1),
    (Run.chain("echo a", "false || echo b", "echo c"), "a\nb\nc\n", 0),
    (Run.chain("echo a; false", "echo b"), "a\n", 1),
    (Run.chain("false; echo a", "echo b"), "a\nb\n", 0),
    (Run.chain("echo 'a;b' && echo \"c&d\"", "echo \\;"), "a;b\nc&d\n;\n", 0),
    (Run.chain("cd /tmp", "pwd"), "/tmp\n", 0),
    (Run.chain("if false; then echo a; fi", "(exit 3)", "echo b"), "", 3),
    (Run.chain("echo $((1 << 2))", "echo b"), "4\nb\n", 0),
    (Run.chain("! false", "true & wait", "echo a"), "a\n", 0),
    (Run.script("echo a\nfalse\necho b"), "a\n", 1),
    (Run.script("\n    echo a\n      echo '  b'\n"), "a\n  b\n", 0),
    (Run.script("cat <<X\n$HOME\nX\necho b"), "/root\nb\n", 0),
]
# Scripts that another program runs: they do not go through the shell, and say themselves where they print.
PROGRAMS = [
    ("#!/bin/busybox ash\necho $0 >/out/program-0", "/dev/pipes/EOF\n"),
    ("#!/bin/sh -u\necho a >/out/program-1", "a\n"),
    ('#!/bin/awk -f\nBEGIN { print "$HOME \\\\" >"/out/program-2" }', "$HOME \\\n"),
]
CONTENTS = [
    "",
    "\n",
    "a\n",
    "$HOME ${x:-y} $(id) `id`\n",
    "\\\n",
    "\\\\ \\n \\$\n",
    "'\"\n",
    "EOF\n",
    "EOF\nEOF2\n",
    "#!x\n# y\n",
]
CONTENTS += [
    "a\r\nb\r\n",
    "\ta\n\n\n",
    "\ufeffa\n",
    "\x01\x1b\x7f\u2028\n",
    "<<EOF\n",
    "USER root\n",
    "a" * 60_000 + "\n",
    "é😀\n",
]
HEREDOC_NAMES = [
    "a.txt",
    "é",
    "a$b",
    'a"b',
    "#a",
    "[a]",
    "a*b",
    "a?b",
    "!a",
    "-a",
    "--a",
    "{a}",
    "(a)",
    "a;b&c|d",
    "~",
    "`a`",
    "^",
    "=a",
]
SECRET = "the secret\n"
BASE = {
    ".dockerenv",
    "bin",
    "dev",
    "etc",
    "home",
    "lib",
    "lib64",
    "linuxrc",
    "media",
    "mnt",
    "opt",
    "proc",
    "root",
    "run",
    "sbin",
    "srv",
    "sys",
    "tmp",
    "usr",
    "var",
}
# More layers than this in one stage are more than an engine stacks up.
CHUNK = 60


class Image(NamedTuple):
    """The image of hostile values: what the engine says of it, and the files in it."""

    run: Any
    """The configuration of the image that is run."""
    said: Any
    """The configuration of the image that only says things."""
    history: str
    files: dict[str, bytes]
    folders: set[str]
    tag: str


def in_stages(
    name: str, make: Callable[[int, str], Instruction], values: list[str], base: str = "scratch"
) -> list[Stage]:
    """Return stages with a step for each value, and its number."""
    steps = [make(number, value) for number, value in enumerate(values)]
    return [Stage(base, f"{name}-{start}", steps=steps[start : start + CHUNK]) for start in range(0, len(steps), CHUNK)]


def dockerfile(escape: Any) -> Dockerfile:
    """Return the Dockerfile of all hostile values."""
    files = Stage("busybox:1.37", "files", steps=[Copy(".", "/context/")])
    names = [literal(name) for name in NAMES]
    copied = Stage(
        "scratch",
        "copied",
        steps=[
            Copy(names, "/copied/"),
            Add(names, "/added/"),
            Copy([literal("/context/") + name for name in names], "/from/", from_=files),
            Copy([literal(f"/context/{name}") for name in [*STARRED, "tab\there"]], "/starred/", from_=files),
            Copy([Heredoc(f"<{name}>\n", name) for name in HEREDOC_NAMES], "/heredocs/"),
        ],
    )
    parts = [
        copied,
        *in_stages("destinations", lambda number, name: Copy("plain", literal(f"/destination/{number}/{name}")), NAMES),
        *in_stages("folders", lambda number, name: Workdir(literal(f"/workdir/{number}/{name}")), NAMES),
        *in_stages("contents", lambda number, content: Copy.text(content, f"/contents/{number}"), CONTENTS),
        *in_stages(
            "expanded",
            lambda number, content: Add.text(
                literal(content) + "$PART${NONE:-!}\n", f"/expanded/{number}", expand=True
            ),
            CONTENTS,
        ),
    ]
    commands = Stage(
        BUSYBOX,
        "commands",
        steps=[
            Run("mkdir /out"),
            Shell(RECORDING),
            [run for run, _, _ in COMMANDS],
            Shell(["/bin/sh", "-c"]),
            [Run.script(text) for text, _ in PROGRAMS],
            Run.exec("/bin/sh", "-c", f"({PRINT_ARGUMENTS}) >/out/arguments", "sh", *IN_ARGUMENTS),
            mounting(files),
        ],
    )
    run = Stage(
        commands,
        "run",
        steps=[
            Comment("\n".join([value for value in VALUES if not value.startswith("check")])),
            [Copy("/", "/parts/", from_=part) for part in parts],
            Env({f"VALUE_{number}": literal(value) for number, value in enumerate(IN_VALUES)}),
            Env({f"TEXT_{number}": value for number, value in enumerate(IN_VALUES) if "$" not in value}),
            Env([(literal(f"key {value}"), "x") for value in VALUES if "=" not in value]),
            [
                [Arg(f"ARG_{number}", literal(value)), Env({f"FROM_ARG_{number}": f"${{ARG_{number}}}"})]
                for number, value in enumerate(IN_VALUES)
            ],
            Entrypoint.exec("/bin/sh", "-c", PRINT_ARGUMENTS, "sh"),
            Cmd.exec(*IN_ARGUMENTS),
        ],
    )
    said = Stage(
        run,
        "said",
        steps=[
            Env({"PORT": "81"}),
            Label({f"label.{number}": literal(value) for number, value in enumerate(IN_VALUES)}),
            Label([(literal(f"label {value}"), "x") for value in VALUES if "=" not in value]),
            Volume(*[literal(f"/volumes/{number}/{value}") for number, value in enumerate(VALUES)], " /a", "/b "),
            Expose(80, "53/udp", "8000-8002", "$PORT", "${NONE:-82}/tcp"),
            [User(literal(value)) for value in VALUES],
            User(literal("a b\"c'd\\e$f")),
            Workdir(literal("/a b\"c'd\\e$f")),
            Stopsignal("SIGRTMIN+3"),
            Healthcheck.exec(*IN_ARGUMENTS, interval="1m30s", retries=3),
            Shell(["/bin/sh", *IN_ARGUMENTS]),
            Cmd("echo $HOME 'a  b' \"c\\d\" <<EOF # x"),
        ],
    )
    return Dockerfile(said, escape=escape)


def mounting(files: Stage) -> Run:
    """Return a command that has a bind, a secret, a tmpfs and a cache at each nasty place."""
    names = [name for name in NAMES if name.isascii()]
    script = 'for each in "$@"; do cat "/bind/$each/f" "/secret/$each" && test -d "/tmpfs/$each" && test -d "/cache/$each" || exit 1; done'
    mounts: list[Any] = []
    for name in names:
        mounts += [
            Bind(literal(f"/bind/{name}"), source=literal(f"/context/mounted/{name}"), from_=files),
            Secret("hostile", target=literal(f"/secret/{name}")),
            Tmpfs(literal(f"/tmpfs/{name}")),
            Cache(literal(f"/cache/{name}"), id=literal(f"hostile {name}")),
        ]
    return Run.exec("/bin/sh", "-c", f"({script}) >/out/mounts", "sh", *names, mounts=mounts)


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build context with a file of each name, a folder of each name, and decoys that a careless spelling would take."""
    folder = tmp_path_factory.mktemp("hostile")
    for name in [*NAMES, *STARRED, "tab\there"]:
        folder.joinpath(name).write_text(f"<{name}>")
        mounted = folder / "mounted" / name
        mounted.mkdir(parents=True)
        mounted.joinpath("f").write_text(f"<{name}>")
    folder.joinpath("plain").write_text("plain")
    special = {ord(char): None for char in "[]\\^!*?\"'$` "}
    for name in {*[name.translate(special) for name in NAMES], "x", "axb", "b"} - {""}:
        if not folder.joinpath(name).exists():
            folder.joinpath(name).write_text("decoy")
    return folder


@pytest.fixture(scope="module", params=["\\", "`"], ids=["backslash", "backtick"])
def image(request: pytest.FixtureRequest, context: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """The image, built once with each escape character."""
    tag = f"dockdsl-pytest:{secrets.token_hex(6)}"
    folder = tmp_path_factory.mktemp("build")
    folder.joinpath("secret").write_text(SECRET)
    folder.joinpath("Dockerfile").write_text(render(dockerfile(request.param)))
    for target in ("run", "said"):
        docker(
            *["buildx", "build", "--load", "--quiet", "--file", str(folder / "Dockerfile"), "--target", target],
            *["--tag", f"{tag}-{target}", "--secret", f"id=hostile,src={folder / 'secret'}", str(context)],
        )
    container = docker("create", f"{tag}-run")
    try:
        exported = subprocess.run(["docker", "export", container], capture_output=True, check=True, timeout=120).stdout
        with tarfile.open(fileobj=io.BytesIO(exported)) as archive:
            members = {f"/{member.name}": member for member in archive.getmembers()}
            files = {name: archive.extractfile(member).read() for name, member in members.items() if member.isfile()}  # type: ignore[union-attr]
        yield Image(
            inspect(f"{tag}-run")["Config"],
            inspect(f"{tag}-said")["Config"],
            docker("history", "--no-trunc", "--format", "{{json .CreatedBy}}", f"{tag}-said"),
            files,
            {name for name, member in members.items() if member.isdir()},
            f"{tag}-run",
        )
    finally:
        docker("rm", container)
        docker("rmi", "--force", f"{tag}-run", f"{tag}-said")


def test_variables(image: Image) -> None:
    """ENV: each value, each key, and each default of an ARG is in the image as it was written."""
    found = image.run["Env"]
    for number, value in enumerate(IN_VALUES):
        assert f"VALUE_{number}={value}" in found
        assert f"FROM_ARG_{number}={value}" in found
        assert "$" in value or f"TEXT_{number}={value}" in found
    for value in VALUES:
        assert "=" in value or f"key {value}=x" in found
    keys = [value for value in VALUES if "=" not in value]
    texts = [value for value in IN_VALUES if "$" not in value]
    assert 1 + 2 * len(IN_VALUES) + len(texts) + len(keys) == len(found)


def test_variables_in_a_container(image: Image) -> None:
    """ENV: a program in the container sees each value."""
    done = subprocess.run(
        ["docker", "run", "--rm", "--entrypoint", "env", image.tag, "-0"], capture_output=True, check=True, timeout=60
    )
    found = done.stdout.decode().split("\0")

    for number, value in enumerate(IN_VALUES):
        assert f"VALUE_{number}={value}" in found


def test_labels(image: Image) -> None:
    """LABEL: each value and each key is in the image as it was written."""
    expected = {f"label.{number}": value for number, value in enumerate(IN_VALUES)}
    expected |= {f"label {value}": "x" for value in VALUES if "=" not in value}

    assert expected == {key: value for key, value in image.said["Labels"].items() if key.startswith("label")}


def test_arguments(image: Image) -> None:
    """CMD, ENTRYPOINT, HEALTHCHECK, SHELL, RUN: each argument of the exec form is what was written."""
    assert IN_ARGUMENTS == image.run["Cmd"]
    assert ["CMD", *IN_ARGUMENTS] == image.said["Healthcheck"]["Test"]
    assert ["/bin/sh", *IN_ARGUMENTS] == image.said["Shell"]
    assert ["/bin/sh", "-c", PRINT_ARGUMENTS, "sh"] == image.run["Entrypoint"]
    assert IN_ARGUMENTS == image.files["/out/arguments"].decode().split("\0")[:-1]


def test_arguments_in_a_container(image: Image) -> None:
    """CMD: the program in the container is given each argument."""
    done = subprocess.run(["docker", "run", "--rm", image.tag], capture_output=True, check=True, timeout=60)

    assert IN_ARGUMENTS == done.stdout.decode().split("\0")[:-1]


def test_shell_form(image: Image) -> None:
    """CMD: the text of the shell form is handed on as it is."""
    assert ["/bin/sh", *IN_ARGUMENTS, "echo $HOME 'a  b' \"c\\d\" <<EOF # x"] == image.said["Cmd"]


def test_users(image: Image) -> None:
    """USER: each name is what was written."""
    assert "a b\"c'd\\e$f" == image.said["User"]
    history = [json.loads(line) for line in image.history.split("\n")]
    for value in VALUES:
        # The command prints blanks for tabs.
        assert "USER " + value.replace("\t", " ") in history


def test_what_is_said(image: Image) -> None:
    """VOLUME, EXPOSE, WORKDIR, STOPSIGNAL: each is what was written."""
    paths = {f"/volumes/{number}/{value}" for number, value in enumerate(VALUES)}

    assert {*paths, " /a", "/b "} == set(image.said["Volumes"])
    assert {f"{port}/tcp" for port in (80, 81, 82, 8000, 8001, 8002)} | {"53/udp"} == set(image.said["ExposedPorts"])
    assert "/a b\"c'd\\e$f" == image.said["WorkingDir"]
    assert "SIGRTMIN+3" == image.said["StopSignal"]


def below(image: Image, folder: str) -> dict[str, str]:
    """Return the files below a folder of the image."""
    return {
        name.removeprefix(folder): content.decode() for name, content in image.files.items() if name.startswith(folder)
    }


@pytest.mark.parametrize("folder", ["copied", "added", "from"])
def test_sources(image: Image, folder: str) -> None:
    """COPY and ADD: a literal source names that very file, in the build context and in a stage, and no other."""
    assert {name: f"<{name}>" for name in NAMES} == below(image, f"/parts/{folder}/")


def test_sources_that_only_a_stage_has(image: Image) -> None:
    """COPY: a star, a question mark and a tab in a file name can be said where the file is in a stage."""
    assert {name: f"<{name}>" for name in [*STARRED, "tab\there"]} == below(image, "/parts/starred/")


def test_destinations(image: Image) -> None:
    """COPY: each destination is what was written."""
    assert {f"{number}/{name}" for number, name in enumerate(NAMES)} == set(below(image, "/parts/destination/"))


def test_working_directories(image: Image) -> None:
    """WORKDIR: each folder is what was written."""
    for number, name in enumerate(NAMES):
        assert f"/parts/workdir/{number}/{name}" in image.folders


def test_files_written_in_place(image: Image) -> None:
    """Heredocs: each content is the file, and each name its name."""
    assert {name: f"<{name}>\n" for name in HEREDOC_NAMES} == below(image, "/parts/heredocs/")
    for number, content in enumerate(CONTENTS):
        assert content == image.files[f"/parts/contents/{number}"].decode()
        assert f"{content}!\n" == image.files[f"/parts/expanded/{number}"].decode()


def test_mounts(image: Image) -> None:
    """Mounts: each target and each source is what was written."""
    names = [name for name in NAMES if name.isascii()]

    assert "".join([f"<{name}>{SECRET}" for name in names]) == image.files["/out/mounts"].decode()


def test_commands(image: Image) -> None:
    """RUN: each text, chain and script prints what the shell prints, and ends with its status."""
    found = image.files["/out/commands"].decode().split("\0")[:-1]

    assert [(printed, str(status)) for _, printed, status in COMMANDS] == list(
        zip(found[::2], found[1::2], strict=True)
    )


def test_scripts_of_programs(image: Image) -> None:
    """RUN: a script that names its program is run by it."""
    for number, (_, printed) in enumerate(PROGRAMS):
        assert printed == image.files[f"/out/program-{number}"].decode()


def test_nothing_got_out(image: Image) -> None:
    """No value made an instruction of its own: neither a user, nor a file, nor a step is there that was not written."""
    assert "" == image.run["User"]
    assert not [name for name, content in image.files.items() if content == b"decoy"]
    places = {name.split("/")[1] for name in {*image.files, *image.folders}}
    # The places of mounts stay behind as empty folders.
    assert {"parts", "out"} == places - BASE - {"bind", "secret", "tmpfs", "cache"}


@pytest.mark.parametrize("escape", ["\\", "`"], ids=["backslash", "backtick"])
def test_what_is_kept_for_another_build(escape: Any, context: Path, tag: str) -> None:
    """ONBUILD: what is kept does in the next build what the instruction says, whatever that was written with."""
    hostile = {
        f"V{number}": literal(value)
        for number, value in enumerate(VALUES)
        if escape == "\\" or not set(value) & set('"$\\`\ufeff')
    }
    kept = [
        Env(hostile),
        Run.chain("mkdir /out", "echo 'a  b' >/out/chain"),
        Run.script("cat <<X >/out/script\n$HOME\nX"),
        Run("echo $((1 << 2)) >/out/shift"),
        Copy.text("a\nEOF\n$HOME\n", "/out/text"),
        Copy("plain", "/out/my file"),
        Copy("/f", "/out/named", from_="other"),
        Cmd.exec("a", "b c"),
        Label({"a": "b c"}),
    ]
    base = Dockerfile(Stage(BUSYBOX, steps=[Onbuild(each) for each in kept]), escape=escape)
    built(render(base), context, f"{tag}-base")
    other = Stage("scratch", "other", steps=[Copy("x", "/f")])
    built(f"{render(Dockerfile(other))}\nFROM {tag}-base\n", context, tag)
    said = inspect(tag)["Config"]
    printed = docker("run", "--rm", tag, "sh", "-c", "cd /out && cat chain script shift text 'my file' named")

    for name, value in hostile.items():
        assert f"{name}={value if isinstance(value, str) else value.parts[0][1]}" in said["Env"]
    assert "a  b\n/root\n4\na\nEOF\n$HOME\nplaindecoy" == printed
    assert ["a", "b c"] == said["Cmd"]
    assert "b c" == said["Labels"]["a"]


def built(text: str, context: Path, tag: str, *options: str) -> None:
    """Build a Dockerfile under a tag."""
    done = subprocess.run(
        ["docker", "buildx", "build", "--load", "--quiet", "--file", "-", "--tag", tag, *options, str(context)],
        input=text,
        text=True,
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert 0 == done.returncode, done.stderr


def test_flags_with_a_backtick(context: Path, tag: str) -> None:
    """Flags: where the escape character is a backtick, quotes, backslashes and backticks in them are what was written."""
    value = "C:\\a \"b\" `c` 'd' ,e"
    names = Stage("scratch", "names", steps=[Copy("plain", literal(f"/{value}/f"))])
    script = Run.exec(
        "cat", f"/m/{value}/f", mounts=[Bind(literal(f"/m/{value}"), source=literal(f"/{value}"), from_=names)]
    )
    excluded = Copy(".", "/context/", exclude=["*[[]*", "m?unted", "* *", 'say "*', "`*`", "\\\\*"])
    text = render(Dockerfile(Stage(BUSYBOX, steps=[script, excluded]), escape="`"))
    built(text, context, tag)
    found = docker("run", "--rm", tag, "ls", "-A", "/context").split("\n")

    assert "plain" in found
    assert not [
        name for name in found if "[" in name or " " in name or name in ("mounted", "`id`", "\\", "\\\\", "\\$")
    ]


def test_chains_in_busybox() -> None:
    """RUN: the shell of small images, too, runs the commands of a chain one by one until the first that fails."""
    container = docker("run", "--detach", "--init", "--network", "none", BUSYBOX, "sleep", "600")
    try:
        try_chains(["docker", "exec", container, "sh"], 25)
    finally:
        docker("rm", "--force", container)


def test_stages_and_contexts(context: Path, tag: str) -> None:
    """COPY --from: a stage by its name, by its index, under a name that is also an image's, and a named context."""
    named = Stage("scratch", "a.b-c_d", steps=[Copy("x", "/x")])
    unnamed = Stage("scratch", steps=[Copy("plain", "/plain")])
    shadow = Stage("scratch", "busybox", steps=[Copy("x", "/shadow")])
    final = Stage(
        external("busybox:1.37"),
        steps=[
            Copy("/x", "/a", from_=named),
            Copy("/plain", "/b", from_=unnamed),
            Copy("/shadow", "/c", from_=shadow),
            Copy("plain", "/d", from_=external("deps")),
            Run.exec("cp", "/m/plain", "/e", mounts=[Bind("/m", from_=unnamed)]),
        ],
    )
    built(render(Dockerfile(final)), context, tag, "--build-context", f"deps={context}")

    assert "decoyplaindecoyplainplain" == docker("run", "--rm", tag, "cat", "/a", "/b", "/c", "/d", "/e")


ONE_VALUE: list[Callable[[Any], Any]] = [
    *[Workdir, User, Volume, Stopsignal, Expose, Stage],
    lambda value: Stage(external(value)),
    lambda value: Env({"A": value}),
    lambda value: Env({value: "a"}),
    lambda value: Label({"a": value}),
    lambda value: Label({value: "a"}),
    lambda value: Arg("A", value),
    lambda value: Arg(value),
    lambda value: Copy(value, "/x"),
    lambda value: Copy("x", value),
    lambda value: Copy("x", "/x", from_=value),
    lambda value: Copy("x", "/x", chown=value),
    lambda value: Copy("x", "/x", chmod=value),
    lambda value: Copy("x", "/x", exclude=[value]),
    lambda value: Add(value, "/x"),
    lambda value: Add("https://example.com/x", "/x", checksum=value),
    lambda value: Run("x", mounts=[Bind(value)]),
    lambda value: Run("x", mounts=[Bind("/x", source=value)]),
    lambda value: Run("x", mounts=[Bind("/x", from_=value)]),
    lambda value: Run("x", mounts=[Cache("/x", id=value)]),
    lambda value: Run("x", mounts=[Secret(value)]),
    lambda value: Run("x", mounts=[Secret("x", env=value)]),
    lambda value: Run("x", mounts=[Tmpfs("/x", size=value)]),
    lambda value: Run("x", network=value),
    lambda value: Run("x", device=value),
    lambda value: Healthcheck("x", interval=value),
    lambda value: Stage("scratch", value),
    lambda value: Stage("scratch", platform=value),
    lambda value: Heredoc("x\n", value),
    lambda value: Dockerfile(Stage("scratch"), syntax=value),
    lambda value: Dockerfile(Stage("scratch"), check=value),
    lambda value: Dockerfile(Stage("scratch"), escape=value),
]


@pytest.mark.parametrize("value", EVERYWHERE_REFUSED, ids=ascii)
def test_what_no_line_carries_is_refused(value: str) -> None:
    """Newlines, control characters and what is no Unicode are refused by every operand that stands in one line."""
    for make in ONE_VALUE:
        assert isinstance(strategies.attempt(make, value), DockdslError)
        assert isinstance(strategies.attempt(make, f"/x{value}y"), DockdslError)
        assert isinstance(strategies.attempt(make, literal(value)), DockdslError)


@pytest.mark.parametrize("name", [*STARRED, "tab\there"], ids=ascii)
def test_what_the_context_cannot_send_is_refused(name: str) -> None:
    """A file of such a name cannot be asked for; BuildKit would copy nothing, or fail without saying why."""
    assert isinstance(strategies.attempt(Copy, literal(name), "/x"), DockdslError)
    assert isinstance(strategies.attempt(Add, literal(name), "/x"), DockdslError)


@pytest.mark.parametrize("name", [value for value in VALUES if value not in ("null", "true", "_")], ids=ascii)
def test_what_is_no_name_is_refused(name: str) -> None:
    """Names of stages and images have a grammar, and what is outside of it is refused."""
    allowed = {"CMD", "AS", "NONE"}

    assert isinstance(strategies.attempt(Stage, "scratch", name), DockdslError)
    assert isinstance(strategies.attempt(Stage, literal(name)), DockdslError)
    assert name in allowed or isinstance(strategies.attempt(Copy, "x", "/x", from_=name), DockdslError)
    stage = strategies.attempt(Stage, external(name))
    if not isinstance(stage, DockdslError):
        # It vouches for the name, and the name is all that it can put there.
        (found,) = read(render(Dockerfile(stage)))
        assert (found.keyword.upper(), found.words) == ("FROM", (name,))
