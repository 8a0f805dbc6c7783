"""Building with ``docker buildx build``: what comes out, and what is said when nothing does."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import attrs
import pytest

from dockdsl.engine.builders.buildx import Buildx
from dockdsl.engine.builders.progress import Account
from dockdsl.engine.building import BuildEvent, BuildRequest, BuildResult, plain
from dockdsl.engine.failures.diagnosis import failure
from dockdsl.errors import BuildFailed, EngineError, EngineUnavailable, FileError
from dockdsl.origins import Origin
from tests.engine.helpers import BUSYBOX, docker, inspect, line_to_the_engine, someone_else, wait_until


def request(dockerfile: str, context: Path, **options: Any) -> BuildRequest:
    """Return a request whose lines come from lines 101, 102, … of a file."""
    origins = tuple(Origin("builds/x.py", 101 + index) for index in range(dockerfile.count("\n")))
    return BuildRequest(dockerfile=dockerfile, context=context, origins=origins, **options)


def failed(dockerfile: str, context: Path, **options: Any) -> BuildFailed:
    """Build, and return the failure."""
    with pytest.raises(BuildFailed) as caught:
        Buildx().build(request(dockerfile, context, **options))
    return caught.value


# --- success


@pytest.mark.engine
def test_an_image_is_built(context: Path, tag: str) -> None:
    """The image has the files, the tag, the labels, and the size that the engine counts."""
    mark = secrets.token_hex(8)
    dockerfile = f"""\
FROM {BUSYBOX} AS build
ARG MARK
COPY . /context
RUN echo "$MARK" > /mark && ls -A /context
FROM scratch
COPY --from=build /mark /mark
"""
    before = sorted(context.iterdir())
    events: list[BuildEvent] = []
    result = Buildx().build(
        request(dockerfile, context, tags=tag, build_args={"MARK": mark}, labels={"a.b": "c d"}), events.append
    )
    found = inspect(tag)

    assert found["Id"] == result.image
    assert found["Size"] == result.size == len(mark) + 1
    assert {"a.b": "c d"} == found["Config"]["Labels"]
    assert (tag,) == result.tags
    assert 0 < result.seconds < 60
    printed = {event.text for event in events if event.kind == "log"}
    assert "page" in printed
    assert "hidden" not in printed, ".dockerignore counts"
    assert sorted(context.iterdir()) == before, "nothing is written into the context"


@pytest.mark.engine
def test_steps_are_reported_and_counted(context: Path, tag: str) -> None:
    """Each numbered step is reported with its time; on the second run all come from the cache."""
    mark = secrets.token_hex(8)
    dockerfile = f"FROM {BUSYBOX}\nWORKDIR /{mark}\nRUN echo {mark}; printf 'no end'\n"
    first: list[str] = []
    again: list[str] = []
    built = Buildx().build(request(dockerfile, context, tags=tag), plain(first.append))
    cached = Buildx().build(request(dockerfile, context, tags=tag), plain(again.append))

    assert (2, 0) == (built.steps, built.cached)
    assert f"[3/3] | {mark}" in first
    assert "[3/3] | no end" in first
    assert any(line.startswith(f"[3/3] RUN echo {mark}; printf 'no end' ") and line.endswith("s") for line in first)
    assert (2, 2) == (cached.steps, cached.cached)
    assert f"[2/3] WORKDIR /{mark} CACHED" in again
    assert built.image == cached.image


@pytest.mark.engine
def test_options_reach_the_engine(context: Path, tag: str) -> None:
    """The target is built, the platform is asked for, and nothing comes from the cache on request."""
    dockerfile = f"FROM {BUSYBOX} AS one\nENV WHICH=one\nRUN true\nFROM one AS two\nENV WHICH=two\n"
    options = {"target": "one", "platforms": "linux/amd64"}
    Buildx().build(request(dockerfile, context, **options, tags=tag))
    again = Buildx().build(request(dockerfile, context, **options, tags=f"{tag}-again", no_cache=True))

    assert "WHICH=one" in inspect(tag)["Config"]["Env"]
    assert "amd64" == inspect(tag)["Architecture"]
    assert again.cached < again.steps


@pytest.mark.engine
def test_a_secret_is_given_and_not_shown(context: Path, tag: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret comes from the environment, and stands in no message."""
    monkeypatch.setenv("TOKEN", "very-secret")
    dockerfile = f"FROM {BUSYBOX}\nRUN --mount=type=secret,id=token wc -c < /run/secrets/token && false\n"
    error = failed(dockerfile, context, tags=tag, secrets="id=token,env=TOKEN", no_cache=True)

    assert ("11",) == error.log
    assert "very-secret" not in str(error)


@pytest.mark.engine
def test_findings_of_the_engine_point_at_python(context: Path, tag: str) -> None:
    """A warning of BuildKit names the line in the Python file."""
    lines: list[str] = []
    result = Buildx().build(
        request(f"FROM {BUSYBOX}\nWORKDIR relative\n", context, tags=tag, no_cache=True), plain(lines.append)
    )

    assert [Origin("builds/x.py", 102)] == [warning.origin for warning in result.warnings]
    assert any(line.startswith("warning: builds/x.py:102: WorkdirRelativePath: ") for line in lines)


# --- failures of the build


@pytest.mark.engine
def test_a_failing_step_points_at_python(context: Path) -> None:
    """The step, its last lines, its lines in the Dockerfile and its origin are in the error."""
    dockerfile = f"""\
FROM {BUSYBOX} AS build
RUN true
FROM {BUSYBOX} AS api
RUN <<END
{{ seq 1 50; echo "no such thing"; }} >&2
exit 3
END
COPY --from=build /bin/true /x
"""
    error = failed(dockerfile, context, no_cache=True)

    assert Origin("builds/x.py", 104) == error.origin
    assert (4, 7) == error.lines
    assert "exit code: 3" == error.reason
    assert error.step is not None
    assert error.step.startswith("[api 2/3] RUN <<END")
    assert "no such thing" in error.log
    assert 20 == len(error.log)
    assert "step" == error.kind
    assert "(Dockerfile:4-7): exit code: 3; " in error.message
    assert "\n  no such thing" in error.message


@pytest.mark.engine
def test_the_step_that_failed_is_named_not_the_one_it_stopped(context: Path) -> None:
    """Of two steps that run at once, the one at fault is named, the other one is reported as canceled."""
    dockerfile = f"""\
FROM {BUSYBOX} AS slow
RUN sleep 30
FROM {BUSYBOX} AS bad
RUN sleep 1; exit 7
FROM scratch
COPY --from=slow /bin/true /a
COPY --from=bad /bin/true /b
"""
    events: list[BuildEvent] = []
    begin = time.monotonic()
    with pytest.raises(BuildFailed) as caught:
        Buildx().build(request(dockerfile, context, no_cache=True), events.append)

    assert Origin("builds/x.py", 104) == caught.value.origin
    assert "exit code: 7" == caught.value.reason
    assert time.monotonic() - begin < 25
    kinds = {event.text: event.kind for event in events if event.kind in ("failed", "canceled")}
    assert "failed" == kinds["RUN sleep 1; exit 7"]
    assert "canceled" == kinds.get("RUN sleep 30", "canceled")


@pytest.mark.engine
@pytest.mark.parametrize(
    ("instruction", "words"),
    [
        pytest.param("COPY nothere /x", '"/nothere" is not there to be copied: the context folder', id="no such file"),
        pytest.param(
            "COPY hidden /x",
            "it is in the context folder, and .dockerignore leaves it out; add !hidden at the end of .dockerignore",
            id="ignored file",
        ),
        pytest.param('RUN ["/nosuch"]', "exit code: 1; see cause and fix below\nlast o", id="no program"),
        pytest.param(
            "RUN --mount=type=secret,id=t,required=true true",
            "secret t: not found; pass it to the build, as with --secret id=t,env=NAME",
            id="no secret",
        ),
        pytest.param("ADD http://127.0.0.1:1/x /x", "connection refused", id="no download"),
    ],
)
def test_other_failing_steps(context: Path, instruction: str, words: str) -> None:
    """What is wrong is said with a remedy, and points at the line."""
    error = failed(f"FROM {BUSYBOX}\n{instruction}\n", context)

    assert Origin("builds/x.py", 102) == error.origin
    assert "step" == error.kind
    assert words in error.message


@pytest.mark.engine
@pytest.mark.parametrize(
    ("dockerfile", "options", "words", "line"),
    [
        pytest.param(f"FROM {BUSYBOX}\nCOPYY a b\n", {}, "unknown instruction: COPYY", 102, id="no instruction"),
        pytest.param(f"FROM {BUSYBOX}\nCOPY --chwon=1 a b\n", {}, "unknown flag: --chwon", 102, id="no flag"),
        pytest.param(f"FROM {BUSYBOX}\n", {"target": "zz"}, 'target stage "zz" could not be found', None, id="target"),
        pytest.param("", {}, "Dockerfile cannot be empty", None, id="empty"),
    ],
)
def test_refused_before_a_step(
    context: Path, dockerfile: str, options: dict[str, Any], words: str, line: int | None
) -> None:
    """A Dockerfile or an option that the engine refuses is no failing step."""
    error = failed(dockerfile, context, **options)

    assert "definition" == error.kind
    assert words in error.message
    assert (None if line is None else Origin("builds/x.py", line)) == error.origin


@pytest.mark.engine
@pytest.mark.parametrize(
    ("dockerfile", "words"),
    [
        pytest.param("FROM dockdsl-no-such-image:1\n", "the image dockdsl-no-such-image:1 ", id="base"),
        pytest.param(
            f"# syntax=dockdsl/no-such-frontend:1\nFROM {BUSYBOX}\n", "no-such-frontend:1 of the syntax", id="frontend"
        ),
    ],
)
def test_a_missing_image(context: Path, dockerfile: str, words: str) -> None:
    """An image that is neither here nor in a registry is named, with the line that wants it."""
    error = failed(dockerfile, context)

    assert error.kind in ("image", "registry")
    assert words in error.message
    assert Origin("builds/x.py", 101) == error.origin


@pytest.mark.engine
def test_a_registry_that_cannot_be_reached(context: Path) -> None:
    """It is distinguished from an image that does not exist."""
    error = failed("FROM 127.0.0.1:1/api:1\n", context)

    assert "registry" == error.kind
    assert "its registry cannot be reached" in error.message


@pytest.mark.engine
def test_a_build_that_takes_too_long(context: Path) -> None:
    """It is ended in time, and the step that it was in is named with its output."""
    begin = time.monotonic()
    error = failed(f"FROM {BUSYBOX}\nRUN echo waiting; sleep 120\n", context, timeout=4, no_cache=True)

    assert "timeout" == error.kind
    assert Origin("builds/x.py", 102) == error.origin
    assert ("waiting",) == error.log
    assert time.monotonic() - begin < 25


def test_a_context_that_is_no_folder(tmp_path: Path) -> None:
    """It is refused before anything is started."""
    tmp_path.joinpath("docker").symlink_to("/bin/true")
    with pytest.raises(FileError, match="is not a folder; check the path"):
        Buildx(str(tmp_path / "docker")).build(request("FROM scratch\n", tmp_path / "nothere"))


# --- nothing to build with


def unavailable(context: Path, builder: Buildx | None = None, *, name: str | None = None) -> str:
    """Build, and return the message of the failure."""
    with pytest.raises(EngineUnavailable) as caught:
        (builder or Buildx()).build(request(f"FROM {BUSYBOX}\n", context, builder=name))
    assert caught.value.origin is None
    return caught.value.message


def test_no_docker_command(context: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without docker on the PATH the message says so."""
    monkeypatch.setenv("PATH", str(tmp_path))

    assert "there is no docker command on the PATH; install Docker" in unavailable(context)


def test_a_docker_command_that_cannot_run(context: Path, tmp_path: Path) -> None:
    """A file that the system cannot run is said to be one."""
    broken = tmp_path / "docker"
    broken.write_bytes(b"\x00")
    broken.chmod(0o755)

    assert f"{broken} cannot be run" in unavailable(context, Buildx(str(broken)))


def script(folder: Path, text: str) -> Buildx:
    """Return a builder whose docker command is this shell text."""
    command = folder / "docker"
    command.write_text(f"#!/bin/sh\n{text}\n")
    command.chmod(0o755)
    return Buildx(str(command))


def test_a_command_that_is_not_dockers(context: Path, tmp_path: Path) -> None:
    """One that ends well and builds nothing is no success."""
    with pytest.raises(EngineError, match="succeeded without naming an image; is it Docker's own buildx"):
        script(tmp_path, '[ "$1" = buildx ]').build(request("FROM scratch\n", context))


def test_an_image_that_is_not_on_the_engine(context: Path, tmp_path: Path) -> None:
    """A builder that keeps the image to itself gives its id, and no size."""
    writing = """\
[ "$1" = buildx ] || { echo "No such image" >&2; exit 1; }
for option; do case $option in --iidfile=*) echo sha256:abc > "${option#*=}";; esac; done"""
    result = script(tmp_path, writing).build(request("FROM scratch\n", context))

    assert ("sha256:abc", None, None) == (result.image, result.size, result.digest)


@pytest.mark.engine
@pytest.mark.parametrize(("times", "is_built"), [(1, True), (9, False)])
def test_an_equal_image_that_is_removed_meanwhile(context: Path, tmp_path: Path, times: int, is_built: bool) -> None:
    """Another run may take away the last tag of the same image just when this one is stored: it is built again."""
    refusing = f"""\
if [ "$1" = buildx ] && [ "$(echo >> {tmp_path}/runs; wc -l < {tmp_path}/runs)" -le {times} ]; then
    echo "ERROR: failed to build: failed to solve: failed to get digest sha256:5e63: open /x/5e63: no such file or directory" >&2
    exit 1
fi
exec docker "$@"
"""
    builder = script(tmp_path, refusing)
    if not is_built:
        with pytest.raises(BuildFailed, match="failed to get digest"):
            builder.build(request("FROM scratch\n", context))
    else:
        assert builder.build(request(f"FROM {BUSYBOX}\n", context)).image.startswith("sha256:")
    assert (2 if is_built else 3) == len((tmp_path / "runs").read_text().splitlines())


def test_an_engine_that_goes_away_after_the_build(context: Path, tmp_path: Path) -> None:
    """It is said to be gone."""
    dying = '[ "$1" = buildx ] && exit; echo "Cannot connect to the Docker daemon at x." >&2; exit 1'
    builder = script(tmp_path, dying)
    with pytest.raises(EngineUnavailable, match="the container engine does not answer"):
        builder.build(request("FROM scratch\n", context, tags="api:dev"))


def test_a_command_that_minds_no_signal(context: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A docker command that does not end after SIGTERM is killed."""
    monkeypatch.setattr("dockdsl.engine.builders.process.GRACE", 0.3)
    builder = script(tmp_path, "trap '' TERM; echo $$ > \"$(dirname $0)/pid\"; while :; do sleep 0.1; done")
    with pytest.raises(BuildFailed, match=r"timed out after 0\.5 s; allow it more time"):
        builder.build(request("FROM scratch\n", context, timeout=0.5))

    assert not Path("/proc", tmp_path.joinpath("pid").read_text().strip()).exists()


def test_a_command_that_fails_without_a_word(context: Path, tmp_path: Path) -> None:
    """Its exit status is reported."""
    with pytest.raises(BuildFailed, match="the docker command ended with status 9 and said nothing"):
        script(tmp_path, "exit 9").build(request("FROM scratch\n", context))


@pytest.mark.engine
def test_no_buildx_plugin(context: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A docker command without the plugin is recognized by what it says."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    if not subprocess.run(["docker", "buildx", "version"], capture_output=True, check=False).returncode:
        pytest.skip("the plugin is installed for all users here; the table below has what docker says without it")

    assert "the docker command has no buildx plugin" in unavailable(context)


@pytest.mark.engine
@pytest.mark.parametrize("host", ["unix:///nonexistent/docker.sock", "tcp://127.0.0.1:1"])
def test_no_engine(context: Path, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """An engine that does not answer is named by its address."""
    monkeypatch.setenv("DOCKER_HOST", host)

    message = unavailable(context)
    assert "the container engine does not answer" in message
    assert host in message


@pytest.mark.engine
@pytest.mark.parametrize("version", ["9.99", "abc"])
def test_no_such_version_of_the_api(context: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """It is named where it is asked for."""
    monkeypatch.setenv("DOCKER_API_VERSION", version)

    assert "unset DOCKER_API_VERSION" in unavailable(context)


@pytest.mark.engine
def test_no_such_builder(context: Path) -> None:
    """The name of a builder is passed on, and one that does not exist is named."""
    assert 'no builder "dockdsl-nosuch" found' in unavailable(context, name="dockdsl-nosuch")


@pytest.mark.engine
def test_a_builder_of_another_context(context: Path) -> None:
    """Its engine would get the image, where nothing looks for it; it is to be chosen as the engine."""
    name = f"dockdsl-{secrets.token_hex(4)}"
    docker("context", "create", name, "--docker", "host=unix:///nonexistent/docker.sock")
    try:
        message = unavailable(context, name=name)
    finally:
        docker("context", "rm", name)

    assert "build: the builder is the engine of another docker context (" in message
    assert message.endswith("; name no builder, and set DOCKER_CONTEXT to it and no DOCKER_HOST")


@pytest.mark.engine
def test_no_permission(barred: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket that may not be used is distinguished from an engine that is not there."""
    monkeypatch.setenv("DOCKER_HOST", barred)
    with someone_else() as folder:
        plugin = next(docker_config().glob("cli-plugins/docker-buildx"), None)
        if plugin is not None:
            folder.joinpath("cli-plugins").mkdir()
            folder.joinpath("cli-plugins/docker-buildx").symlink_to(plugin)
        monkeypatch.setenv("HOME", str(folder))
        monkeypatch.setenv("DOCKER_CONFIG", str(folder))

        assert "the permission to use the container engine is missing" in unavailable(folder)


def docker_config() -> Path:
    """Return the folder of the docker command's settings."""
    return Path(os.environ.get("DOCKER_CONFIG") or "~/.docker").expanduser()


SAID = [
    pytest.param("unknown flag: --progress\n\nUsage:  docker [OPTIONS]", "no buildx plugin", id="no plugin, 28"),
    pytest.param(
        "docker: 'buildx' is not a docker command.\nSee 'docker --help'", "no buildx plugin", id="no plugin, 20"
    ),
    pytest.param("docker: unknown command: docker buildx", "no buildx plugin", id="no plugin"),
    pytest.param("ERROR: invalid progress mode rawjson", "too old", id="old plugin"),
    pytest.param(
        "ERROR: failed to connect to the docker API at unix:///x.sock; check if the path is correct and if the daemon "
        "is running: dial unix /x.sock: connect: no such file or directory",
        "does not answer",
        id="no engine, 29",
    ),
    pytest.param(
        "ERROR: permission denied while trying to connect to the docker API at unix:///x.sock",
        "the permission",
        id="no permission, 29",
    ),
    pytest.param('ERROR: failed to find driver "cloud"', "does not exist", id="no driver"),
]


@pytest.mark.parametrize(("text", "words"), SAID)
def test_what_other_versions_say(context: Path, text: str, words: str) -> None:
    """Words of versions that are not at hand are understood as well."""
    account = Account()
    for line in text.splitlines(keepends=True):
        account.feed(line)
    error = failure(request("FROM scratch\n", context), account, 1)

    assert isinstance(error, EngineUnavailable)
    assert words in error.message


# --- the account of a build


def test_unknown_records_are_passed_over() -> None:
    """What this version of the engine does not write yet changes nothing."""
    events: list[BuildEvent] = []
    account = Account(events.append)
    for line in (
        '{"novelty": [1, 2], "vertexes": [{"digest": "d", "name": "[2/2] RUN x", "started": "2026-01-01T00:00:00Z"}]}',
        '{"vertexes": "many", "logs": [7, {"vertex": "other", "data": "eA=="}, {"vertex": "d", "data": 7}]}',
        '{"warnings": [{"short": "!"}], "statuses": null}',
        '{"vertexes": [{"digest": "d", "completed": "2026-01-01T00:00:01.5Z", "cached": "perhaps"}, {}]}',
        "{not json",
        "[1, 2]",
        '"text"',
    ):
        account.feed(line)

    assert ["started", "warning", "done"] == [event.kind for event in events]
    assert 1.5 == events[-1].seconds
    assert ["{not json", "[1, 2]", '"text"'] == list(account.text)


def test_stages_stand_in_the_order_of_the_dockerfile() -> None:
    """Steps from the cache end in any order."""
    account = Account()
    for name in ("api 1/1", "stage-1 1/1", "linux/arm64 base 2/2", "other 1/1", "base 2/2"):
        account.feed(
            f'{{"vertexes": [{{"digest": "{name}", "name": "[{name}] RUN x", "started": "2026-01-01T00:00:00Z",'
            ' "completed": "2026-01-01T00:00:00Z", "cached": true}]}'
        )
    found = account.stages("FROM --platform=a b AS Base\nRUN x\nFROM base\nRUN x\nFROM scratch as api \nCOPY a b")

    assert ["linux/arm64 base", "base", "stage-1", "api", "other"] == [stage.name for stage in found]


def test_pieces_of_a_line_are_joined() -> None:
    """A character or a line that comes in two pieces is one; what a carriage return overwrites is gone."""
    events: list[BuildEvent] = []
    account = Account(events.append)
    account.feed('{"vertexes": [{"digest": "d", "name": "[1/1] RUN x", "started": "2026-01-01T00:00:00Z"}]}')
    for piece in ("w4M=", "w4M=", "44E=", "gg0x", "MCUNMTAwJQo="):
        account.feed(f'{{"logs": [{{"vertex": "d", "stream": 1, "data": "{piece}"}}]}}')

    assert ["100%"] == [event.text for event in events if event.kind == "log"]


def test_control_characters_do_not_reach_the_terminal() -> None:
    """What a build prints cannot steer the terminal."""
    lines: list[str] = []
    plain(lines.append)(BuildEvent("log", "[1/1]", "\x1b]0;title\x07\x1b[2Jred\u202e"))

    assert ["[1/1] | red\\u202e"] == lines


def test_a_step_is_found_by_its_text_where_nothing_marks_its_lines(context: Path) -> None:
    """Without an excerpt, the line that begins like the step is taken; of two such lines, none."""
    record = (
        '{"vertexes": [{"digest": "d", "name": "[2/2] RUN go build ./cmd", "started": "2026-01-01T00:00:00Z",'
        ' "completed": "2026-01-01T00:00:01Z", "error": "did not complete successfully: exit code: 1"}]}'
    )
    one = "FROM a\nRUN go build \\\n  ./cmd\n"
    two = f"{one}FROM b\nRUN go build ./cmd\n"
    found = []
    for dockerfile in (one, two):
        account = Account()
        account.feed(record)
        account.feed("ERROR: failed to build: failed to solve: process did not complete successfully: exit code: 1")
        error = failure(request(dockerfile, context), account, 1)
        assert isinstance(error, BuildFailed)
        found.append(error.lines)

    assert [(2, 2), None] == found


def test_results_are_values() -> None:
    """Requests and results can be compared and hashed."""
    one = BuildRequest(dockerfile="FROM scratch", context=".", build_args={"A": "1"})

    assert one == attrs.evolve(one)
    assert hash(one) == hash(attrs.evolve(one))
    assert BuildResult(image="x") != BuildResult(image="y")


# --- interrupted

CHILD = """
import sys
from dockdsl.engine.building import BuildRequest
from dockdsl.engine.builders.buildx import Buildx
dockerfile = "FROM {image}\\nARG MARK\\nRUN echo $MARK; sleep 120\\n"
request = BuildRequest(dockerfile=dockerfile, context=sys.argv[1], build_args={{"MARK": sys.argv[2]}}, no_cache=True)
Buildx().build(request, lambda event: print(event, flush=True))
"""


@pytest.mark.engine
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, -signal.SIGINT)])
def test_an_interrupted_build_leaves_no_process(context: Path, number: signal.Signals, status: int) -> None:
    """On Ctrl-C and SIGTERM the docker command ends with the program, and the step with it."""
    mark = secrets.token_hex(8)
    code = CHILD.format(image=BUSYBOX)
    with subprocess.Popen(
        [sys.executable, "-c", code, str(context), mark], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if line.strip() == f"[2/2] | {mark}":
                break
        assert processes(mark)
        child.send_signal(number)

        assert status == child.wait(30)
    wait_until(lambda: not processes(mark))
    assert docker("version")


def processes(mark: str) -> list[str]:
    """Return the command lines that have `mark` in them."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue
        if mark.encode() in line:
            found.append(line.replace(b"\0", b" ").decode())
    return found


@pytest.mark.engine
def test_an_engine_that_goes_away_during_the_build(context: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No step is at fault: the engine is unavailable."""
    dockerfile = f"FROM {BUSYBOX}\nRUN echo {secrets.token_hex(8)}; echo begun; sleep 20\n"
    with line_to_the_engine() as line:
        monkeypatch.setenv("DOCKER_HOST", line.host)

        def progress(event: BuildEvent) -> None:
            if event.kind == "log":
                line.cut()

        with pytest.raises(EngineUnavailable, match="the container engine disconnected during the build"):
            Buildx().build(request(dockerfile, context), progress)


@pytest.mark.engine
@pytest.mark.parametrize("base", ["scratch", BUSYBOX])
@pytest.mark.parametrize("path", ["/nope", "/nope/x", "/bin/busybox/x"])
def test_a_path_that_another_stage_does_not_have(context: Path, path: str, base: str) -> None:
    """The path is named, and where to look for it, whichever way the engine says it."""
    error = failed(f"FROM {BUSYBOX} AS a\nFROM {base}\nCOPY --from=a {path} /y/\n", context)

    assert path in (error.reason or "")
    assert "is not there to be copied; check the path in the stage, image or context that it is t" in error.message
    assert (3, 3) == error.lines


@pytest.mark.engine
def test_the_folder_of_a_killed_build_is_swept_by_the_next(context: Path, tag: str) -> None:
    """Nothing can be done against SIGKILL; folders of builds that live, and of others, stay."""
    code = (
        "import sys; from dockdsl.engine.building import BuildRequest; from dockdsl.engine.builders.buildx import Buildx\n"
        f"text = 'FROM {BUSYBOX}\\nRUN echo {secrets.token_hex(8)}; sleep 15\\n'\n"
        "Buildx().build(BuildRequest(dockerfile=text, context=sys.argv[1]), lambda event: print(event, flush=True))\n"
    )

    def folders(pid: int) -> list[Path]:
        return list(Path(tempfile.gettempdir()).glob(f"dockdsl-build-*_{pid}_*"))

    with subprocess.Popen([sys.executable, "-c", code, str(context)], stdout=subprocess.DEVNULL) as child:
        try:
            wait_until(lambda: bool(folders(child.pid)))
            Buildx().build(request(f"FROM {BUSYBOX}\nENV A=1\n", context, tags=tag))
            assert folders(child.pid), "its build lives"
        finally:
            child.kill()
    assert folders(child.pid)
    Buildx().build(request(f"FROM {BUSYBOX}\nENV A=1\n", context, tags=tag))
    assert [] == folders(child.pid)
    assert [] == folders(os.getpid())
