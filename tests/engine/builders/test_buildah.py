"""The other builders, buildah and podman: the same image from the same file, and what their dialect lacks."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from builds.go_api import image as go_api
from dockdsl import Add, Arg, Copy, Dockerfile, Healthcheck, Heredoc, Image, Run, Secret, Shell, Stage, User, render
from dockdsl.cli import main
from dockdsl.engine.builders.buildah import Buildah
from dockdsl.engine.builders.podman import Podman
from dockdsl.engine.building import BuildEvent
from dockdsl.engine.leftovers import owner
from dockdsl.engine.leftovers.orphans import orphans, sweep
from dockdsl.engine.runners.docker_sdk import DockerSdk
from dockdsl.errors import BuildFailed, EngineUnavailable, InvalidValue
from dockdsl.text.buildah import for_buildah
from tests.engine.helpers import BUSYBOX, GONE, cannot_run, docker, inspect, left_by, wait_until
from tests.provision.host import Refusal
from tests.provision.provision import PLACE
from tests.provision.tools import make_tools

ROOT = Path(__file__).parents[3]
GO = "golang:1.27-alpine"
BUILDERS: dict[str, type[Buildah]] = {"buildah": Buildah, "podman": Podman}
# The programs are in a root folder of its own, and see of the machine what a build needs.
COMMAND = """\
#!/bin/sh
exec unshare --mount sh -ec '
PATH=/usr/sbin:/sbin:$PATH
root=$1; shift
mount --bind $root $root
for folder in dev proc sys tmp; do mount --rbind /$folder $root/$folder; done
mkdir -p $root{checkout}
mount --bind {checkout} $root{checkout}
cd $root
pivot_root . mnt
exec chroot . /bin/sh -c "umount -l /mnt && exec /usr/bin/{name} \\"\\$@\\"" {name} "$@"' sh {root} "$@"
"""


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Both commands on the PATH, with one storage of their own that has the base images."""
    folder = tmp_path_factory.mktemp("builders")
    try:
        root = make_tools(PLACE)
    except Refusal as refusal:
        cannot_run(str(refusal))
    folder.joinpath("bin").mkdir()
    for name in BUILDERS:
        command = folder / "bin" / name
        command.write_text(COMMAND.format(root=root, checkout=ROOT, name=name))
        command.chmod(0o755)
    storage = folder / "storage.conf"
    storage.write_text(f'[storage]\ndriver = "vfs"\ngraphroot = "{folder}/store"\nrunroot = "{folder}/run"\n')
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("PATH", f"{folder}/bin:{os.environ['PATH']}")
        changed.setenv("CONTAINERS_STORAGE_CONF", str(storage))
        # A container runtime would need control groups of the machine, and not every machine has those it knows.
        changed.setenv("BUILDAH_ISOLATION", "chroot")
        pull(folder, BUSYBOX)
        yield


@pytest.fixture(params=list(BUILDERS.values()), ids=list(BUILDERS))
def builder(request: pytest.FixtureRequest, commands: None) -> Buildah:
    """One builder, then the other."""
    kind: type[Buildah] = request.param
    return kind()


def stored() -> str:
    """Return what is in the storage of both builders, with the layers of single steps."""
    return subprocess.run(
        ["env", "-u", "DOCKER_CONFIG", "podman", "images", "--all"], capture_output=True, text=True, check=True
    ).stdout


def pull(folder: Path, name: str) -> None:
    """Give the storage of both builders an image that the engine has."""
    archive = folder / "image.tar"
    docker("save", "--output", str(archive), name)
    command = ["env", "-u", "DOCKER_CONFIG", "buildah", "pull", "--quiet", f"docker-archive:{archive}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert 0 == done.returncode, done.stderr
    archive.unlink()


@pytest.mark.engine
@pytest.mark.long
def test_the_go_image_gives_the_same_answers(commands: None, tmp_path: Path, tag: str) -> None:
    """All its checks pass on the image of each builder, and all are configured alike."""
    pull(tmp_path, GO)
    builders = {"buildx": None, **{name: kind() for name, kind in BUILDERS.items()}}
    said = []
    with DockerSdk() as runner:
        for name, builder in builders.items():
            report = go_api.test(builder, runner, request=go_api.request(tags=f"{tag}-{name}"))
            said.append([(result.ok, getattr(result, "status", None)) for result in report.results])
    assert [said[0]] * 3 == said
    settings = [inspect(f"{tag}-{name}")["Config"] for name in builders]
    del settings[0]["Healthcheck"]["StartInterval"]  # left out for the others, with a warning
    for name in ("Entrypoint", "User", "ExposedPorts", "Healthcheck", "WorkingDir"):
        # buildah writes no folder where the root folder is meant.
        assert [settings[0].get(name) or "/"] * 3 == [each.get(name) or "/" for each in settings], name
    assert [] == left_by(os.getpid())


@pytest.mark.engine
def test_what_the_dialect_lacks_is_spelled_another_way(builder: Buildah, tmp_path: Path, tag: str) -> None:
    """Heredocs of both kinds do the same as BuildKit's; what is left out is reported, with its place."""
    tmp_path.joinpath("page").write_text("hello\n")
    token = secrets.token_hex(4)
    stage = Stage(
        BUSYBOX,
        name="server",
        steps=[
            Run.script(f"mkdir -p /www/a\necho \"$HOME {token}\" > '/www/a/home'"),
            Run("cat <<'EOF' > /www/own\n$HOME `x` \\n\nEOF\necho more >> /www/own"),
            Copy.text("a \"b\" $c 'd' \\e\n", "/www/text", chmod="0604"),
            Copy([Heredoc("1\n", "one"), Heredoc("2\n", "two")], "/www/several/"),
            Shell(["/bin/busybox", "sh", "-eu", "-c"]),
            Run.script('echo "$0" > /www/shell'),
            Copy("page", "/www/", link=True),
            Run("cd /www && find . -type f | sort | xargs sha256sum > /sums && ls -l text | cut -c1-10 >> /sums"),
        ],
    )
    image = Image(Dockerfile(stage), context=str(tmp_path), tags=tag)
    sums = []
    for each in (None, builder):
        result = image.build(each)
        sums.append(docker("run", "--rm", tag, "cat", "/sums"))
    assert sums[0] == sums[1]
    assert "-rw----r--" in sums[0]
    assert [
        "COPY: buildah 1.28 and podman 4.3 do not support --link, which is left out: a new base image repeats the copy"
    ] == [warning.text for warning in result.warnings]
    assert str(stage.steps[6].origin) == str(result.warnings[0].origin)


@pytest.mark.engine
@pytest.mark.parametrize("name", BUILDERS)
def test_the_command_line(commands: None, name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """`--builder-engine` tests what that builder has built; nothing is left, but the layers that podman keeps."""
    file = tmp_path / "api.py"
    file.write_text(
        "from dockdsl import *\n"
        f"stage = Stage({BUSYBOX!r}, name='s', steps=[Run.script('mkdir /www; echo hi > /www/index.html'),\n"
        "    Cmd.exec('httpd', '-f', '-p', '8080', '-h', '/www')])\n"
        "image = Image(Dockerfile(stage), port=8080, checks=[HttpCheck('GET', '/', body='hi')])\n"
    )
    assert 0 == main(["test", str(file), "--builder-engine", name])
    output, error = capfd.readouterr()

    assert output.startswith("ok   GET / 200 (")
    assert "[2/3] RUN " in error
    assert [] == left_by(os.getpid())
    assert "dockdsl-test" not in stored()


@pytest.mark.engine
def test_what_is_reported(builder: Buildah, context: Path, tag: str) -> None:
    """Each step with its end, what it printed, what was left out, and the end; steps from the cache are counted."""
    steps = [Run(f"echo {tag}"), Copy("page", "/", link=True)]
    image = Image(Dockerfile(Stage(BUSYBOX, name="s", steps=steps)), context=str(context), tags=tag)
    for ends in (["done", "done", "done"], ["done", "cached", "cached"]):
        events: list[BuildEvent] = []
        result = image.build(builder, progress=events.append)
        reported = [event for event in events if event.kind not in ("log", "started")]
        assert ["warning", *ends, "ended"] == [event.kind for event in reported]
        assert (
            f"{steps[1].origin}: COPY: buildah 1.28 and podman 4.3 do not support --link, which is left out"
            in reported[0].text
        )
        assert ["[1/3]", "[2/3]", "[3/3]"] == [event.step for event in events if event.kind == "started"]
        assert (2, ends.count("cached")) == (result.steps, result.cached)


@pytest.mark.engine
@pytest.mark.parametrize(("patterns", "expected"), [(["*", "!hidden"], "hidden"), ([], ".dockerignore hidden page")])
def test_what_is_left_out_of_the_context(
    builder: Buildah, context: Path, tag: str, patterns: list[str], expected: str
) -> None:
    """What an image ignores stands in for `.dockerignore`."""
    stage = Stage(BUSYBOX, steps=[Copy(".", "/got/")])
    Image(Dockerfile(stage), context=context, ignore=patterns, tags=tag).build(builder)

    assert expected.split() == docker("run", "--rm", tag, "ls", "-A", "/got").split()


@pytest.mark.engine
def test_each_line_has_its_bytes(builder: Buildah, context: Path, tag: str) -> None:
    """Their history writes some steps in another way; each has its line all the same."""
    steps = [
        Arg("V", tag),
        Copy("page", "/"),
        Run("echo $V > /made"),
        Run.script("echo a\necho b > /b"),
        Copy.text("text\n", "/text"),
        Run.exec("/bin/sh", "-c", "echo exec > /exec"),
        User("1"),
        Healthcheck.exec("/bin/true"),
    ]
    stage = Stage(BUSYBOX, name="s", steps=steps)
    report = Image(Dockerfile(stage), context=str(context), tags=tag).size(builder)
    made = len(f"{tag}\n")

    assert [inspect(BUSYBOX)["Size"], 0, 6, made, 2, 5, 5, 0, 0] == [share.size for share in report.shares]
    assert [stage.origin, *(step.origin for step in steps)] == [share.origin for share in report.shares]
    assert ["base", "made", "copied", "made", "made", "copied"] == [share.kind for share in report.shares[:6]]
    assert 11 == report.floor


@pytest.mark.engine
def test_a_step_that_fails(builder: Buildah, tmp_path: Path) -> None:
    """The line in the Python file, what the step said, and its exit code."""
    # On a busy machine buildah 1.28 itself loses what is printed just before the end.
    stage = Stage(BUSYBOX, name="s", steps=[Run("true"), Run("echo compiling; sleep 2; exit 5")])
    events: list[BuildEvent] = []
    with pytest.raises(BuildFailed) as caught:
        Image(Dockerfile(stage), context=str(tmp_path)).build(builder, progress=events.append)

    assert stage.steps[1].origin == caught.value.origin
    assert "build step [3/3] RUN echo compiling; sleep 2; exit 5 (Dockerfile:3): " in caught.value.message
    assert ": exit code: 5; fix the command\n" in caught.value.message
    assert "compiling" in "\n".join(caught.value.log)
    assert ["failed", "ended"] == [event.kind for event in events[-2:]]


@pytest.mark.engine
@pytest.mark.parametrize(
    ("step", "kind", "cause"),
    [
        (Run("nosuch --x"), "step", "the shell does not find a program that the command names"),
        (Run("wget http://127.0.0.1:1/x || { sleep 1; false; }"), "step", "most likely nothing listens at the address"),
        (Run.exec("/nosuch"), "step", "/nosuch is not there, or what it needs to start is not"),
        (Run.exec("/arm"), "step", "the program is for another kind of processor"),
        (Run("true", mounts=[Secret("token", required=True)]), "step", "the build was not given the secret token"),
        (Copy("nothere", "/x"), "step", '"/nothere" is not there to be copied'),
        (Copy("hidden", "/x"), "step", ".dockerignore leaves it out"),
        (Copy("/nothere", "/x", from_=Stage(BUSYBOX, name="o")), "step", '"/nothere" is not there to be copied'),
        (Copy("/x", "/x", from_="127.0.0.1:1/nosuch:1"), "image", "the image 127.0.0.1:1/nosuch:1 cannot be had"),
    ],
    ids=lambda each: str(each).split("\n", maxsplit=1)[0] if isinstance(each, (Run, Copy)) else "",
)
def test_a_failure(builder: Buildah, step: Run | Copy, kind: str, cause: str, context: Path) -> None:
    """It is reported as those of BuildKit are: the line, the cause and the fix."""
    context.joinpath("arm").write_bytes(b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xb7\x00\x01" + bytes(43))
    context.joinpath("arm").chmod(0o755)
    stage = Stage(BUSYBOX, name="s", steps=[Copy("arm", "/"), step])
    for _ in range(5):
        with pytest.raises(BuildFailed) as caught:
            Image(Dockerfile(stage), context=str(context)).build(builder)
        error = caught.value
        # On a busy machine buildah 1.28 itself loses at times what is printed just before the end.
        if error.cause is not None:
            break

    assert (kind, step.origin) == (error.kind, error.origin)
    assert cause in (error.cause or ""), error.message
    assert (error.fix or "?") in error.message
    assert error.source
    assert error.source in error.message


@pytest.mark.engine
@pytest.mark.parametrize(
    ("base", "kind"), [("127.0.0.1:1/nosuch:1", "registry"), ("nosuch-{tag}", "image")], ids=["no registry", "no name"]
)
def test_a_base_image_that_is_not_there(builder: Buildah, base: str, kind: str, context: Path) -> None:
    """No step is at fault; it is named with its line."""
    stage = Stage(base.replace("{tag}", secrets.token_hex(4)), name="s", steps=[Run("true")])
    with pytest.raises(BuildFailed) as caught:
        Image(Dockerfile(stage), context=str(context)).build(builder)

    assert (kind, stage.origin) == (caught.value.kind, caught.value.origin)
    assert caught.value.message.startswith(f"build (Dockerfile:1): the image {stage.base} ")


@pytest.mark.engine
def test_an_endless_build(builder: Buildah, tmp_path: Path) -> None:
    """It is ended after its time, and no process of it stays."""
    name = f"sleep {10**9 + secrets.randbelow(10**9)}"
    image = Image(Dockerfile(Stage(BUSYBOX, name="s", steps=[Run(name)])), context=str(tmp_path))
    with pytest.raises(BuildFailed, match="timed out after 5 s") as caught:
        image.build(builder, request=image.request(timeout=5.0))

    assert "timeout" == caught.value.kind
    # On a busy machine the step ends a moment after the command.
    wait_until(lambda: name not in running(), 10)


@pytest.mark.engine
def test_a_run_that_is_killed(builder: Buildah, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its build continues until the next sweep, which leaves no process and no file of it."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    name = f"sleep {10**9 + secrets.randbelow(10**9)}"
    file = tmp_path / "api.py"
    file.write_text(
        "from dockdsl import *\n"
        f"image = Image(Dockerfile(Stage({BUSYBOX!r}, name='s', steps=[Run('echo begun; {name}')])), context='.')\n"
    )
    kind = type(builder).__name__.lower()
    command = [sys.executable, "-m", "dockdsl", "build", str(file), "--builder-engine", kind]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        next(line for line in child.stderr if line.endswith("| begun\n"))
        child.kill()
    assert name in running()
    sweep()

    assert name not in running()
    assert [] == [each for each in orphans() if each.whose.pid == child.pid]
    assert [] == left_by(child.pid)


@pytest.mark.engine
def test_what_a_killed_run_left_in_the_storage(builder: Buildah, capfd: pytest.CaptureFixture[str]) -> None:
    """`dockdsl gc` takes the tags of the dead away, and of nobody else."""
    me = owner.this_process()
    dead, mine = owner.temporary_tag(attrs.evolve(me, pid=GONE)), owner.temporary_tag(me)
    for tag in (dead, mine):
        subprocess.run(["env", "-u", "DOCKER_CONFIG", "podman", "tag", BUSYBOX, tag], check=True)
    assert [dead] == builder.left()
    assert 0 == main(["gc", "--dry-run"])
    assert f"would remove image {dead} of buildah\n" in capfd.readouterr().out
    assert builder.forget(dead)

    assert ([], False) == (builder.left(), builder.forget(dead))
    assert mine.partition(":")[2] in stored()
    assert builder.forget(mine)
    assert "busybox" in stored()


def running() -> str:
    """Return what runs on this machine."""
    return subprocess.run(["ps", "-ef"], capture_output=True, text=True, check=True).stdout


@pytest.mark.engine
def test_an_image_without_a_tag(builder: Buildah, tmp_path: Path, tag: str) -> None:
    """It gets no name in the builder's storage, and takes none away from an image that is the same."""
    image = Image(Dockerfile(Stage(BUSYBOX, name="s", steps=[Run(f"echo {tag}")])), context=str(tmp_path))
    tagged = image.build(builder, request=image.request(tags=tag))
    assert tagged.image == image.build(builder).image
    assert tag.partition(":")[2] in stored()
    assert "dockdsl-test" not in stored()


@pytest.mark.parametrize("name", BUILDERS)
def test_no_command(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install."""
    monkeypatch.setenv("PATH", "/nonexistent")
    image = Image(Dockerfile(Stage("scratch", name="s", steps=[Run.exec("/x")])))
    with pytest.raises(EngineUnavailable, match=f"there is no {name} command on the PATH; install {name}"):
        image.build(BUILDERS[name]())


@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize(
    "options",
    [
        {"builder": "remote"},
        {"cache_from": "type=gha"},
        {"reproducible": True},
        {"output": "push"},
        {"annotations": {"a": "b"}},
        {"no_cache_filter": "s"},
        {"source_date_epoch": 0},
    ],
)
def test_options_that_they_lack(options: dict[str, object], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are refused before anything is built."""
    monkeypatch.setattr("shutil.which", lambda name: name)
    image = Image(Dockerfile(Stage("scratch", name="s", steps=[Run.exec("/x")])))
    with pytest.raises(
        BuildFailed, match=rf"build: {name} has no .*; leave it out, or build with docker buildx"
    ) as caught:
        image.build(BUILDERS[name](), request=image.request(**options))  # type: ignore[arg-type]  # one option a row
    assert "definition" == caught.value.kind


@pytest.mark.parametrize(
    ("step", "words"),
    [
        pytest.param(
            Copy("a", "/", parents=True), "COPY: buildah 1.28 and podman 4.3 do not support --parents", id="parents"
        ),
        pytest.param(
            Copy("a", "/", exclude="b"), "COPY: buildah 1.28 and podman 4.3 do not support --exclude", id="exclude"
        ),
        pytest.param(
            Add("https://x.test/a", "/", checksum=f"sha256:{'0' * 64}"),
            "ADD: buildah 1.28 and podman 4.3 do not support --checksum",
            id="checksum",
        ),
        pytest.param(
            Run("x", security="insecure"), "RUN: buildah 1.28 and podman 4.3 do not support --security", id="security"
        ),
        pytest.param(
            Run("<<EOF\n#!/bin/python3\nprint()\nEOF"), "RUN: the script is for another program", id="shebang"
        ),
        pytest.param(Run("<<EOF python3\nprint()\nEOF"), "RUN: the script is for another program", id="program"),
        pytest.param(Copy([Heredoc("1\n", "one"), "b"], "/x/"), "has other sources beside it", id="sources"),
        pytest.param(Copy(Heredoc("$A\n", "one", expand=True), "/x/"), "has variables in it", id="variables"),
    ],
)
def test_what_has_no_other_spelling(step: Run | Copy | Add, words: str) -> None:
    """It is refused, at its own line."""
    with pytest.raises(InvalidValue) as caught:
        for_buildah(Dockerfile(Stage("scratch", steps=[step])))
    assert words in caught.value.message
    assert step.origin == caught.value.origin


def test_what_both_know_stays_as_it_is() -> None:
    """The text, and the places of its lines."""
    known = render(go_api.dockerfile).replace(" --start-interval=500ms \\\n    CMD", " CMD")
    assert known == for_buildah(go_api.dockerfile).text
    check = Healthcheck.exec("/x", interval="1s", start_interval="2s")
    translated = for_buildah(Dockerfile(Stage("scratch", steps=[check])))
    assert 'FROM scratch\nHEALTHCHECK --interval=1s CMD ["/x"]\n' == translated.text
    note = "HEALTHCHECK: buildah 1.28 and podman 4.3 do not support --start-interval, which is left out"
    assert (note, check.origin) == translated.notes[0]
    assert 2 == len(translated.origins)
