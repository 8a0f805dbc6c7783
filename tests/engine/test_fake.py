"""The public fakes do what the real ones do."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from typing import Any, cast

import pytest

from dockdsl import BuildFailed, CheckFailed, Copy, Dockerfile, HttpCheck, Image, InvalidType, RunFailed, Stage, User
from dockdsl.engine.builders.buildx import Buildx
from dockdsl.engine.building import Builder, BuildEvent, BuildRequest
from dockdsl.engine.fake import FakeBuilder, FakeCommand, FakeRequest, FakeResponse, FakeRunner
from dockdsl.engine.runners.docker_sdk import DockerSdk
from dockdsl.engine.running import Executed, Runner, RunRequest

# That the real ones and the fakes fit their protocols is what the type checker proves here.
BUILDERS: list[Builder] = [FakeBuilder(), Buildx()]
RUNNERS: list[Runner] = [FakeRunner(), DockerSdk()]


def request(**options: str) -> BuildRequest:
    """Return a request to build."""
    return BuildRequest(dockerfile="FROM scratch\n", context=".", tags=["api:dev"], **options)  # type: ignore[arg-type] # str


def test_builds_are_remembered() -> None:
    """Equal requests give equal images, and all are kept."""
    builder = FakeBuilder(size=7)
    events: list[BuildEvent] = []
    one, two, other = (builder.build(each, events.append) for each in (request(), request(), request(target="x")))

    assert one == two
    assert one.image != other.image
    assert one.image.startswith("sha256:")
    assert (7, ("api:dev",)) == (one.size, one.tags)
    assert [request(), request(), request(target="x")] == builder.requests
    assert ["done", "ended"] * 3 == [event.kind for event in events]


def test_a_build_that_fails() -> None:
    """The error that was given is raised."""
    with pytest.raises(BuildFailed, match="no space"):
        FakeBuilder(error=BuildFailed("RUN: no space")).build(request())


def test_a_container_serves_http() -> None:
    """Every method is answered by the function, and the port is closed when the container is gone."""
    seen: list[FakeRequest] = []

    def handler(request: FakeRequest) -> FakeResponse:
        seen.append(request)
        return FakeResponse(207, {"X-A": "b"}, b"body")

    runner = FakeRunner(handler)
    with runner.start(RunRequest(image="api:dev", ports=[8080])) as container:
        host, port = container.address(8080)
        connection = http.client.HTTPConnection(host, port, timeout=5)
        connection.request("PROPFIND", "/x?y", body=b"hello", headers={"X-C": "d"})
        response = connection.getresponse()
        assert (207, "b", b"body") == (response.status, response.headers["X-A"], response.read())
        connection.close()
        assert ["fake-1"] == [each.id for each in runner.running]

    assert FakeRequest("PROPFIND", "/x?y", seen[0].headers, b"hello") == seen[0]
    assert "d" == seen[0].headers["x-c"]
    assert () == runner.running
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection(host, port, timeout=5).connect()


def test_a_container_that_has_ended() -> None:
    """It has a code and a log, and no address."""
    runner = FakeRunner(exit_code=3, log=("one", "two"))
    with runner.start(RunRequest(image="api:dev", ports=[8080])) as container:
        assert "exited with code 3" == str(container.state())
        assert ("two",) == container.logs(1)
        with pytest.raises(RunFailed, match="the container exited with code 3") as caught:
            container.address(8080)
    assert ("one", "two") == caught.value.log


def test_a_command_in_a_container() -> None:
    """A function answers it; without one it succeeds, and in a container that ended it fails."""
    runner = FakeRunner(execute=lambda command: FakeCommand(len(command), b"out\n", b"err\n"))
    with runner.start(RunRequest(image="api:dev", ports=[8080])) as container:
        assert Executed(2, b"out\nerr\n") == container.execute(["a", "b c"], 1)
        assert [("a", "b c")] == container.executed
        container.stop()
        with pytest.raises(RunFailed, match="exec in api:dev: the container exited with code 0"):
            container.execute(["a"], 1)
    with FakeRunner().start(RunRequest(image="api:dev", ports=[8080])) as container:
        assert Executed(0) == container.execute(["a"], 1)


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        pytest.param(lambda _: 1 / 0, "ZeroDivisionError: division by zero", id="raises"),
        pytest.param(
            lambda _: {"status": "ok"}, "TypeError: the handler of a FakeRunner returns a FakeRes", id="other"
        ),
        pytest.param(lambda _: FakeResponse(body=cast(Any, "a")), "whose body is bytes", id="text"),
    ],
)
def test_a_handler_that_fails(handler: Any, words: str) -> None:
    """What it raised stands in the log, and so in the error."""
    image = Image(Dockerfile(Stage("scratch")), port=8080, timeout=1)
    with pytest.raises(RunFailed, match="the connection is closed without an answer") as caught:
        image.test(FakeBuilder(), FakeRunner(handler, log="begun"), checks=[])
    assert words in caught.value.log[-1]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda image: image.build(5), "builder is an int; pass a builder"),
        (lambda image: image.build(FakeBuilder), "builder is the class FakeBuilder; pass a builder"),
        (lambda image: image.build(FakeBuilder(), progress="plain"), "progress is a str; pass a function"),
        (lambda image: image.test(FakeBuilder(), FakeRunner), "runner is the class FakeRunner; pass a runner"),
        (lambda image: image.built(FakeBuilder(), 5).__enter__(), "runner is an int; pass a runner"),
    ],
)
def test_what_is_no_builder_and_no_runner(call: Callable[[Image], object], words: str) -> None:
    """It is refused before anything is built."""
    with pytest.raises(InvalidType, match=words):
        call(Image(Dockerfile(Stage("scratch")), port=8080))


def test_stop_and_remove_may_be_said_twice() -> None:
    """As with a real container."""
    runner = FakeRunner()
    container = runner.start(RunRequest(image="api:dev", ports=[8080]))
    with pytest.raises(RunFailed, match="port 1 is not published"):
        container.address(1)

    assert 0 == container.stop().exit_code
    assert 0 == container.stop().exit_code
    container.remove()
    container.remove()
    assert () == runner.running


def test_an_image_is_tested_without_an_engine() -> None:
    """A user's own tests can go the whole way."""
    image = Image(
        Dockerfile(Stage("scratch")),
        tags="api:dev",
        port=8080,
        env={"A": "b"},
        checks=[HttpCheck("GET", "/healthz", json={"status": "ok"})],
    )
    builder = FakeBuilder()
    good = FakeRunner(lambda _: FakeResponse(body=b'{"status": "ok"}'))
    report = image.test(builder, good)

    assert report.ok
    assert "FROM scratch\n" == builder.requests[0].dockerfile
    assert (("A", "b"),) == good.requests[0].env
    assert report.build is not None
    assert good.requests[0].image == report.build.image
    assert [] == good.untagged
    with pytest.raises(CheckFailed, match="expected a JSON body"):
        image.test(builder, FakeRunner(lambda _: FakeResponse(body=b"down")))
    with pytest.raises(RunFailed) as caught:
        image.test(builder, FakeRunner(exit_code=1))
    assert image.origin == caught.value.origin


def test_an_image_is_measured_without_an_engine() -> None:
    """By the history that was given; one that lacks the steps is not of this image."""
    image = Image(Dockerfile(Stage("busybox", steps=[Copy("api", "/"), User("1")])))
    history = [("busybox", 4), ("COPY api / # buildkit", 6), ("USER 1", 0)]
    runner = FakeRunner(files={"api": b"x"}, history=history)
    report = image.size(FakeBuilder(), runner, compressed=True)

    assert [("base", 4), ("copied", 6), ("made", 0)] == [(share.kind, share.size) for share in report.shares]
    assert report.compressed
    assert 1 == len(runner.untagged)
    with pytest.raises(RunFailed, match="the history of the image does not have the step USER"):
        image.size(FakeBuilder(), FakeRunner())


def test_a_container_without_a_port_that_does_not_end() -> None:
    """It runs, prints and takes commands until it is stopped, and is reached at no port."""
    runner = FakeRunner(command=lambda _: FakeCommand(None, b"connected\n"), execute=lambda _: FakeCommand(3))
    with runner.start(RunRequest(image="x")) as container:
        assert container.state().running
        assert (b"connected\n", b"") == container.output()
        assert 3 == container.execute(["x"], 1).exit_code
        with pytest.raises(RunFailed, match="port 80 is not published"):
            container.address(80)
        assert 0 == container.stop().exit_code
        with pytest.raises(RunFailed, match="the container exited with code 0"):
            container.execute(["x"], 1)


def test_what_a_server_printed() -> None:
    """Its log is what it printed on stdout."""
    with FakeRunner(log=("one", "two")).start(RunRequest(image="x", ports=[80])) as container:
        assert (b"one\ntwo\n", b"") == container.output()
        assert (b"one", b"") == container.output(3)
