"""The pytest plugin: fixtures for an `Image`. pytest loads it wherever dockdsl is installed.

`image`
    The `BuiltImage`; it is built once per session, however many tests use it.
`container`
    A `RunningImage` that is ready: a fresh one for each test, or one for the session with the ini option
    ``dockdsl_container = "session"``.
`dockdsl_image`
    The `Image` that they use: the one that the marker ``dockdsl_image``, the command line or the ini option of that
    name gives; a project may define this fixture itself.
`dockdsl_build`
    A function that returns a `BuiltImage`, for fixtures of a module, a class or the session.
`dockdsl_builder`, `dockdsl_runner`
    What builds and what runs; a project may define them itself, to test without an engine.
"""
# ruff: noqa: PLC0415 - every run of pytest loads this module: what it needs is imported by the tests that use it

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn, Self

import pytest

if TYPE_CHECKING:
    from dockdsl.engine.building import Builder
    from dockdsl.engine.running import Runner
    from dockdsl.errors import CheckFailed
    from dockdsl.image import Image
    from dockdsl.image.built import BuiltImage, RunningImage

_LOG = pytest.StashKey[Callable[[], str]]()
_LOG_LINES = 200
"""Lines of a container's log that a failed test shows."""
_HOW = (
    'write dockdsl_image = "FILE.py" or "FILE.py:NAME" into the pytest section of pyproject.toml, '
    "or define a fixture dockdsl_image that returns an Image"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("dockdsl", "dockdsl: tests of container images")
    group.addoption(
        "--dockdsl-image",
        metavar="FILE[:NAME]",
        help="the Python file with the Image that the fixtures image and container use",
    )
    group.addoption(
        "--dockdsl-no-engine",
        choices=["fail", "skip"],
        help="what happens to tests that need a container engine where none is available (default: fail)",
    )
    parser.addini("dockdsl_image", "FILE[:NAME] of the Image, relative to the root folder of the tests")
    parser.addini("dockdsl_no_engine", "fail or skip: what happens without a container engine", default="fail")
    parser.addini("dockdsl_container", "test or session: how long the container of the fixture lives", default="test")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and refuse unknown values of ini options."""
    config.addinivalue_line("markers", "dockdsl_image(file): the FILE[:NAME] of the Image that a test's fixtures use")
    for name, values in (("dockdsl_no_engine", ("fail", "skip")), ("dockdsl_container", ("test", "session"))):
        if config.getini(name) not in values:
            raise pytest.UsageError(
                f"{name} = {config.getini(name)!r} is not one of {', '.join(values)}; write one of them"
            )


class _Session:
    """What a run of pytest builds and starts, to be removed at its end."""

    def __init__(self, builder: Builder, runner: Runner) -> None:
        self._builder = builder
        self._runner = runner
        self._stack = contextlib.ExitStack()
        self._loaded: dict[str, Image] = {}
        self._built: dict[tuple[Image, Path | str], BuiltImage | Exception] = {}
        self._running: dict[BuiltImage, RunningImage] = {}
        self._unhealthy: dict[BuiltImage, CheckFailed | None] = {}

    def load(self, spec: str, folder: Path) -> Image:
        """Return the Image in ``FILE[:NAME]``, the same one each time."""
        from dockdsl.image import Image
        from dockdsl.selection import load

        path = str(folder / spec)
        if path not in self._loaded:
            self._loaded[path] = load(path, Image)
        return self._loaded[path]

    def build(self, image: Image) -> BuiltImage:
        """Return the built image, the same one each time; a build that failed is not repeated."""
        key = image, image.folder
        if key not in self._built:
            try:
                self._built[key] = self._stack.enter_context(image.built(self._builder, self._runner))
            except Exception as error:  # noqa: BLE001 - it is raised below, here and for each other test
                self._built[key] = error
        found = self._built[key]
        if isinstance(found, Exception):
            raise found from None
        return found

    def start(self, built: BuiltImage) -> RunningImage:
        """Return the session's container of an image if it still runs, else a new one."""
        running = self._running.get(built)
        if running is None or not running.state().running:
            running = self._running[built] = self._stack.enter_context(built.start())
        return running

    def judge(self, built: BuiltImage, running: RunningImage) -> None:
        """Raise `CheckFailed` if the image's own health check fails; it is asked once, of the first container."""
        from dockdsl.errors import CheckFailed
        from dockdsl.image.health import health_check

        if built not in self._unhealthy:
            self._unhealthy[built] = None
            try:
                running.check(*health_check(built.image))
            except CheckFailed as error:
                self._unhealthy[built] = error
        found = self._unhealthy[built]
        if found is not None:
            raise found from None

    def __enter__(self) -> Self:
        self._stack.enter_context(_ended_by_signals())
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def _leave(number: int, _: FrameType | None = None) -> NoReturn:
    pytest.exit(f"ended by {signal.Signals(number).name}", returncode=128 + number)


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the run as Ctrl-C does, so that fixtures are torn down and containers removed."""
    ending = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    mine = []
    if threading.current_thread() is threading.main_thread():
        mine = [number for number in ending if signal.getsignal(number) is signal.SIG_DFL]
    for number in mine:
        signal.signal(number, _leave)
    try:
        yield
    finally:
        for number in mine:
            signal.signal(number, signal.SIG_DFL)


@contextlib.contextmanager
def _reported(config: pytest.Config) -> Iterator[None]:
    """Report errors of dockdsl in their own words and without a traceback; skip where the options say so."""
    from dockdsl.errors import DockdslError, EngineUnavailable

    try:
        yield
    except DockdslError as error:
        text = f"{error.origin}: {error.message}{error.origin.trail()}" if error.origin else error.message
        skipping = config.getoption("--dockdsl-no-engine") or config.getini("dockdsl_no_engine")
        # Without from None, pytest would show the error it comes from as well, which says the same.
        if isinstance(error, EngineUnavailable) and skipping == "skip":
            raise pytest.skip.Exception(text) from None
        raise pytest.fail.Exception(text, pytrace=False) from None


@pytest.fixture(scope="session")
def dockdsl_builder() -> Builder:
    """What builds the images: the docker buildx command."""
    from dockdsl.engine.builders.buildx import Buildx

    return Buildx()


@pytest.fixture(scope="session")
def dockdsl_runner() -> Iterator[Runner]:
    """What runs the containers: the engine that the docker command uses."""
    from dockdsl.engine.runners.docker_sdk import DockerSdk

    with DockerSdk() as runner:
        yield runner


@pytest.fixture(scope="session")
def _dockdsl_session(dockdsl_builder: Builder, dockdsl_runner: Runner) -> Iterator[_Session]:
    """What was built and started so far, until it is removed at the end of the session."""
    with _Session(dockdsl_builder, dockdsl_runner) as session:
        yield session


@pytest.fixture
def dockdsl_image(request: pytest.FixtureRequest, _dockdsl_session: _Session) -> Image:
    """The Image that `image` and `container` use: that of the marker, the command line, or the ini option."""
    config = request.config
    marker = request.node.get_closest_marker("dockdsl_image")
    if marker is None:
        return _named(config, _dockdsl_session)
    if len(marker.args) != 1 or marker.kwargs:
        pytest.fail('the marker dockdsl_image takes one value: dockdsl_image("FILE.py:NAME")', pytrace=False)
    with _reported(config):
        return _dockdsl_session.load(str(marker.args[0]), config.rootpath)


def _named(config: pytest.Config, session: _Session) -> Image:
    """Return the Image that the command line names, or the ini option."""
    on_command_line = config.getoption("--dockdsl-image")
    spec = on_command_line or config.getini("dockdsl_image")
    if not spec:
        pytest.fail(f"dockdsl: no image is named; {_HOW}", pytrace=False)
    with _reported(config):
        return session.load(spec, config.invocation_params.dir if on_command_line else config.rootpath)


@pytest.fixture(scope="session")
def dockdsl_build(pytestconfig: pytest.Config, _dockdsl_session: _Session) -> Callable[..., BuiltImage]:
    """A function that builds an image once per session: for fixtures that live longer than one test.

    It takes an `Image`, or ``"FILE.py:NAME"`` relative to the root folder of the tests; without either, it builds the
    image that the command line or the ini option names. It returns a `BuiltImage`.
    """
    from dockdsl.display import kind_of
    from dockdsl.image import Image

    def build(image: Image | str | None = None) -> BuiltImage:
        with _reported(pytestconfig):
            if isinstance(image, str):
                image = _dockdsl_session.load(image, pytestconfig.rootpath)
            elif image is None:
                image = _named(pytestconfig, _dockdsl_session)
            elif not isinstance(image, Image):
                remedy = "pass an Image or FILE.py:NAME"
                pytest.fail(f"dockdsl_build: {kind_of(image)} is not an image; {remedy}", pytrace=False)
            return _dockdsl_session.build(image)

    return build


@pytest.fixture
def image(request: pytest.FixtureRequest, dockdsl_image: Image, _dockdsl_session: _Session) -> BuiltImage:
    """The image, built once per session."""
    from dockdsl.display import kind_of
    from dockdsl.image import Image

    if not isinstance(dockdsl_image, Image):
        pytest.fail(f"dockdsl: the fixture dockdsl_image returned {kind_of(dockdsl_image)}; {_HOW}", pytrace=False)
    with _reported(request.config):
        return _dockdsl_session.build(dockdsl_image)


@pytest.fixture
def container(request: pytest.FixtureRequest, image: BuiltImage, _dockdsl_session: _Session) -> Iterator[RunningImage]:
    """A container of the image that is ready."""
    from dockdsl.errors import CheckFailed

    with contextlib.ExitStack() as stack:
        with _reported(request.config):
            if request.config.getini("dockdsl_container") == "session":
                running = _dockdsl_session.start(image)
            else:
                running = stack.enter_context(image.start())
            request.node.stash[_LOG] = lambda: _log(running)
            try:
                _dockdsl_session.judge(image, running)
            except CheckFailed:
                _keep_log(request, running)
                raise
        yield running
        # A fixture that uses this one may fail in its teardown.
        _keep_log(request, running)


def _keep_log(request: pytest.FixtureRequest, running: RunningImage) -> None:
    """Read the log now, since the failure is reported when the container is gone."""
    log = _log(running)
    request.node.stash[_LOG] = lambda: log


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None]:
    """End the run if a signal came in a fixture or in a test: pytest takes that for a failed test."""
    try:
        return (yield)
    except SystemExit as raised:
        from dockdsl.errors import Ended

        if isinstance(raised, Ended):
            _leave(int(str(raised.code)) - 128)
        raise


pytest_runtest_call = pytest_runtest_teardown = pytest_runtest_setup


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach the container's log to a test that failed, itself or in the setup or teardown of its fixtures."""
    report = yield
    log = item.stash.get(_LOG, None)
    if log is not None and report.failed:
        report.sections.append(("Log of the container", log()))
    return report


def _log(running: RunningImage) -> str:
    from dockdsl.display import printable
    from dockdsl.errors import EngineError

    try:
        lines = running.logs(_LOG_LINES)
    except EngineError as error:
        return f"(it cannot be read: {error.message})"
    return "\n".join(printable(line) for line in lines)
