"""The pytest plugin: what its fixtures give, what it says where something is missing, and that it cleans up."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.engine.helpers import BUSYBOX, SERVER, containers_of, docker, left_by, wait_until

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[1]
# Fixtures of a project that tests without an engine.
FAKES = """
import pytest
from dockdsl.engine.fake import FakeBuilder, FakeResponse, FakeRunner

@pytest.fixture(scope="session")
def dockdsl_builder():
    builder = FakeBuilder()
    yield builder
    print(f"built {len(builder.requests)} times")

@pytest.fixture(scope="session")
def dockdsl_runner():
    runner = FakeRunner(lambda request: FakeResponse(body=b'{"path": "%s"}' % request.path.encode()), log=("up", "asked"))
    yield runner
    print(f"started {len(runner.requests)}, left {len(runner.running)}, untagged {len(runner.untagged)}")
"""
IMAGE = "from dockdsl import *\nimage = Image(Dockerfile(Stage('scratch')), port=8080)\n"


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with an image and the two lines that it takes."""
    pytester.makepyprojecttoml('[tool.pytest.ini_options]\ndockdsl_image = "builds/api.py"\n')
    pytester.makeconftest(FAKES)
    pytester.mkdir("builds").joinpath("api.py").write_text(IMAGE)
    return pytester


def test_the_common_case(project: pytest.Pytester) -> None:
    """One build for the session, a fresh container for each test, and nothing left."""
    project.makepyfile(
        """
        from dockdsl import FileCheck, HttpCheck, SizeBudget

        def test_one(container):
            assert container.get("/a").json() == {"path": "/a"}
            assert container.post("/b", json=1, headers={"X": "y"}).status == 200
            assert container.url.startswith("http://127.0.0.1:")

        def test_two(container, image):
            container.check(HttpCheck("GET", "/c", json={"path": "/c"}))
            image.check(SizeBudget("2MB"))
            image.check(HttpCheck("GET", "/d"), SizeBudget("2MB"))
            assert image.id.startswith("sha256:") and container.ready >= 0
        """
    )
    result = project.runpytest_subprocess("-s")

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*started 3, left 0, untagged 1*", "*built 1 times*"])


def test_a_container_for_the_session(project: pytest.Pytester) -> None:
    """It is started once, and again where a test has stopped it."""
    project.makepyprojecttoml(
        '[tool.pytest.ini_options]\ndockdsl_image = "builds/api.py"\ndockdsl_container = "session"\n'
    )
    project.makepyfile(
        """
        def test_one(container): container.get("/")
        def test_two(container): container.stop()
        def test_three(container): container.get("/")
        """
    )
    result = project.runpytest_subprocess("-s")

    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["*started 2, left 0*"])


def test_a_failing_test_shows_the_log(project: pytest.Pytester) -> None:
    """A passing one does not; a check that fails says so in its own line, without the inside of dockdsl."""
    project.makepyfile(
        """
        from dockdsl import HttpCheck

        def test_good(container): pass
        def test_bad(container): assert container.get("/").status == 418
        def test_check(container):
            container.check(HttpCheck("GET", "/", status=404))
        """
    )
    result = project.runpytest_subprocess()

    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["*- Log of the container -*", "up", "asked"])
    assert 2 == str(result.stdout).count("- Log of the container -")
    result.stdout.fnmatch_lines(["E*CheckFailed: test *: 1 of 1 checks failed; fix the image or the checks"])
    result.stdout.fnmatch_lines(["E*FAIL GET /: expected status 404, got 200; body * (test_*.py:6)"])
    result.stdout.no_fnmatch_line("*raise_for_failures*")


@pytest.mark.parametrize("lasting", ["test", "session"])
def test_a_failing_fixture_shows_the_log(project: pytest.Pytester, lasting: str) -> None:
    """Also where it fails in its teardown, of which pytest tells when the container is gone."""
    project.makepyfile(
        """
        import pytest

        @pytest.fixture
        def filled(container): assert container.get("/").status == 201

        @pytest.fixture
        def emptied(container):
            yield
            assert container.get("/").status == 204

        def test_setup(filled): pass
        def test_teardown(emptied): pass
        """
    )
    result = project.runpytest_subprocess("-o", f"dockdsl_container={lasting}")

    result.assert_outcomes(passed=1, errors=2)
    shown = re.findall(r"^-+ Log of the container -+\nup\nasked$", str(result.stdout), re.MULTILINE)
    assert 2 == len(shown)


def test_which_image(project: pytest.Pytester) -> None:
    """A fixture of the project goes before the marker, that before the command line, that before the ini option."""
    project.path.joinpath("builds/api.py").write_text(IMAGE.replace("port=8080", "port=1"))
    project.path.joinpath("other.py").write_text(IMAGE + "second = Image(Dockerfile(Stage('scratch')), port=2)\n")
    project.makepyfile(
        test_default="def test(image): assert image.image.port == 1",
        test_marked="""
        import pytest

        @pytest.mark.dockdsl_image("other.py:second")
        def test(image): assert image.image.port == 2

        @pytest.mark.dockdsl_image()
        def test_nothing(image): pass
        """,
        test_own="""
        import pytest
        from dockdsl import Dockerfile, Image, Stage

        @pytest.fixture(params=[3, 4])
        def dockdsl_image(request): return Image(Dockerfile(Stage("scratch")), port=request.param)

        def test(image): assert image.image.port in (3, 4)
        def test_again(image): assert image.image.port in (3, 4)
        """,
        test_wrong="""
        import pytest

        @pytest.fixture
        def dockdsl_image(): return "api"

        def test(image): pass
        """,
    )
    result = project.runpytest_subprocess("-s", "--strict-markers")
    result.assert_outcomes(passed=6, errors=2)
    result.stdout.fnmatch_lines(["*built 4 times*"])
    result.stdout.fnmatch_lines(
        ["the marker dockdsl_image takes one value*", "dockdsl: the fixture * returned a str; *"]
    )

    result = project.runpytest_subprocess("--dockdsl-image", "other.py:second", "test_default.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*assert 2 == 1*"])


def test_fixtures_that_live_longer(project: pytest.Pytester) -> None:
    """A server for a module, of the image that the settings name; each image is built once, for `image`, too."""
    project.path.joinpath("other.py").write_text(IMAGE.replace("port=8080", "port=1"))
    project.makepyfile(
        """
        import pytest
        from dockdsl import Dockerfile, Image, Stage

        @pytest.fixture(scope="module")
        def server(dockdsl_build):
            with dockdsl_build().start() as running:
                yield running

        def test_one(server): assert server.get("/a").json() == {"path": "/a"}
        def test_two(server, image): assert server.get("/b").status == 200

        @pytest.fixture(scope="session", params=["other.py", Image(Dockerfile(Stage("scratch")), port=2)])
        def other(dockdsl_build, request): return dockdsl_build(request.param)

        def test_others(other, dockdsl_build):
            assert other.image.port in (1, 2)
            assert dockdsl_build(other.image) is other

        def test_wrong(dockdsl_build): dockdsl_build(5)
        def test_missing(dockdsl_build): dockdsl_build("nosuch.py")
        """
    )
    result = project.runpytest_subprocess("-s")

    result.assert_outcomes(passed=4, failed=2)
    result.stdout.fnmatch_lines(["*started 1, left 0, untagged 3*", "*built 3 times*"])
    result.stdout.fnmatch_lines(
        ["dockdsl_build: an int is not an image; pass an Image or FILE.py:NAME", "*nosuch.py: *"]
    )


def test_no_image_is_named(pytester: pytest.Pytester) -> None:
    """The error says how to name one."""
    pytester.makeconftest(FAKES)
    pytester.makepyfile("def test(container): pass\ndef test_build(dockdsl_build): dockdsl_build()")
    result = pytester.runpytest_subprocess()

    result.assert_outcomes(errors=1, failed=1)
    result.stdout.fnmatch_lines(['dockdsl: no image is named; write dockdsl_image = "FILE.py"*'] * 2)
    result.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("image = 1", "*defines no Image; write image = Image(*", id="no image"),
        pytest.param("1 +", "*Python cannot parse it: invalid syntax; fix the line", id="syntax"),
    ],
)
def test_a_file_without_an_image(project: pytest.Pytester, text: str, words: str) -> None:
    """The error is that of the command line, once for each test."""
    project.path.joinpath("builds/api.py").write_text(text)
    project.makepyfile("def test(image): pass")
    result = project.runpytest_subprocess()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([words])


def test_a_build_that_fails_is_tried_once(project: pytest.Pytester) -> None:
    """Each test that needs it is told why."""
    project.makeconftest(
        FAKES.replace("FakeBuilder()", "FakeBuilder(error=BuildFailed('RUN: no space'))")
        + "from dockdsl import BuildFailed\n"
    )
    project.makepyfile("def test_one(image): pass\ndef test_two(container): pass")
    result = project.runpytest_subprocess("-s")

    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*built 1 times*"])
    assert 2 == len(re.findall(r"^conftest\.py:\d+: RUN: no space$", str(result.stdout), re.MULTILINE))


@pytest.mark.parametrize("lasting", ["test", "session"])
def test_a_container_that_dies(project: pytest.Pytester, lasting: str) -> None:
    """It is told once, at the line of the image."""
    project.makeconftest(FAKES.replace('log=("up"', 'exit_code=3, log=("up"'))
    project.makepyfile("def test(container): pass")
    result = project.runpytest_subprocess("-o", f"dockdsl_container={lasting}")

    result.assert_outcomes(errors=1)
    assert 1 == len(re.findall(r"^builds/api\.py:2: .*exited with code 3", str(result.stdout), re.MULTILINE))
    assert "During handling" not in str(result.stdout)


@pytest.mark.parametrize(("options", "outcomes"), [([], {"errors": 1}), (["--dockdsl-no-engine=skip"], {"skipped": 1})])
def test_no_engine(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, options: list[str], outcomes: dict[str, int]
) -> None:
    """It is an error with the reason, or a skip with it where that is asked for."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    pytester.path.joinpath("api.py").write_text(IMAGE)
    pytester.makepyfile("def test(container): pass")
    result = pytester.runpytest_subprocess("--dockdsl-image=api.py", "-rs", *options)

    result.assert_outcomes(**outcomes)
    result.stdout.fnmatch_lines(["*run: the container engine at unix:///nonexistent/docker.sock does not answer*"])


def test_ini_options_are_checked(pytester: pytest.Pytester) -> None:
    """A value that means nothing ends the run before it begins."""
    pytester.makeini("[pytest]\ndockdsl_container = module\n")
    result = pytester.runpytest_subprocess()

    assert pytest.ExitCode.USAGE_ERROR == result.ret
    result.stderr.fnmatch_lines(["ERROR: dockdsl_container = 'module' is not one of test, session; write one of them"])


def test_the_plugin_is_light() -> None:
    """A run of pytest that has no container test pays next to nothing for it."""
    code = "import sys, pytest, dockdsl.pytest_plugin; print([n for n in sys.modules if n.startswith(('dockdsl.', 'docker', 'attr.'))])"
    # Measuring coverage loads modules of its own.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60, cwd=ROOT, env=environment
    )

    assert "['dockdsl.pytest_plugin']\n" == done.stdout


UNHEALTHY = """
from dockdsl.engine.fake import FakeCommand

def probed(command):
    print("probed", *command)
    return FakeCommand(126, b"not me")

HEALTH = {"Config": {"Healthcheck": {"Test": ["CMD", "probe"]}}}
""" + FAKES.replace("FakeRunner(lambda", "FakeRunner(facts=HEALTH, execute=probed, handler=lambda")


@pytest.mark.parametrize("lasting", ["test", "session"])
def test_an_image_that_is_unhealthy(project: pytest.Pytester, lasting: str) -> None:
    """Its own health check is asked once, and each test with a container fails of it; the others do not."""
    project.makeconftest(UNHEALTHY)
    project.makepyfile("def test_one(container): pass\ndef test_two(container): pass\ndef test_three(image): pass\n")
    result = project.runpytest_subprocess("-s", "-o", f"dockdsl_container={lasting}")

    result.assert_outcomes(errors=2, passed=1)
    assert 1 == str(result.stdout).count("probed probe")
    # In CI, the summary repeats the messages.
    printed, _, _ = str(result.stdout).partition("short test summary")
    assert 2 == len(re.findall(r"^  FAIL healthy: .* got 126 .*'not me'.*builds/api.py:2\)$", printed, re.MULTILINE))
    assert 2 == printed.count("- Log of the container -")
    result.stdout.fnmatch_lines(["*left 0*"])


def test_an_image_whose_health_is_left_out(project: pytest.Pytester) -> None:
    """It is not asked."""
    project.makeconftest(UNHEALTHY)
    project.path.joinpath("builds/api.py").write_text(IMAGE.replace("port=8080", "port=8080, healthcheck=False"))
    project.makepyfile("def test_one(container): pass\n")

    project.runpytest_subprocess().assert_outcomes(passed=1)


def test_a_worker(project: pytest.Pytester) -> None:
    """A container without a port is ready when its check says so; it has no URL."""
    project.makeconftest(
        "from dockdsl.engine.fake import FakeCommand\n"
        + FAKES.replace("FakeRunner(", "FakeRunner(command=lambda _: FakeCommand(None, b'connected'), handler=", 1)
    )
    project.path.joinpath("builds/api.py").write_text(IMAGE.replace("port=8080", "ready=Printed('connected')"))
    project.makepyfile(
        "import pytest\n"
        "from dockdsl import Printed\n"
        "def test_one(container):\n"
        "    container.check(Printed('connected'))\n"
        "    with pytest.raises(ValueError, match='it has no port'):\n"
        "        container.url\n"
        "def test_two(container): assert container.get('/').status == 200\n"
    )
    result = project.runpytest_subprocess()

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*has no URL and answers no requests; pass port=*", "*left 0*"])


# --- on a real engine, in a project of its own


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh environment, into which the built wheel and pytest are installed."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "-q", "--no-deps", "-w", folder, ROOT], check=True, timeout=300)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv/bin/python"
    subprocess.run([*pip, "--python", python, "install", "-q", f"{wheel}[runner]", "pytest"], check=True, timeout=300)
    return python


def write_project(folder: Path) -> None:
    """Write a project that tests a server in busybox."""
    folder.joinpath("pyproject.toml").write_text('[tool.pytest.ini_options]\ndockdsl_image = "api.py:image"\n')
    step = 'Cmd.exec("sh", "-c", "echo it is up; exec httpd -f -p 8080 -h /www")'
    folder.joinpath("api.py").write_text(
        "from dockdsl import *\n"
        f"server = Stage({BUSYBOX!r}, steps=[Run.script({SERVER!r}), {step}])\n"
        'image = Image(Dockerfile(server), port=8080, ready="/healthz")\n'
        'unhealthy = Stage(server, steps=[Healthcheck("exit 126")])\n'
        'sick = Image(Dockerfile(unhealthy), port=8080, ready="/healthz")\n'
    )


@pytest.mark.engine
def test_an_installed_wheel_in_another_project(elsewhere: Path, tmp_path: Path) -> None:
    """Fixtures are there without an import; what fails shows the container's log; nothing is left on the engine."""
    write_project(tmp_path)
    tmp_path.joinpath("test_api.py").write_text(
        "import os, pytest, urllib.request\n"
        "from dockdsl import CommandCheck, FileCheck, MetadataCheck\n"
        "def test_good(container, image):\n"
        '    assert container.get("/healthz").json()["status"] == "ok"\n'
        '    assert urllib.request.urlopen(container.url + "/healthz").status == 200\n'
        '    image.check(FileCheck("/www/healthz", content="ok"), CommandCheck(["cat", "/www/healthz"], stdout="notes"))\n'
        '    image.check(MetadataCheck(cmd=["sh", "-c", "echo it is up; exec httpd -f -p 8080 -h /www"]))\n'
        "def test_bad(container):\n"
        '    assert container.get("/nothere").status == 200\n'
        "@pytest.fixture\n"
        "def emptied(container):\n"
        "    yield\n"
        '    assert container.get("/emptied").status == 200\n'
        "def test_torn_down(emptied): pass\n"
        "def test_names(image):\n"
        '    open("names", "w").write(f"{os.getpid()} {image.id}")\n'
    )
    tmp_path.joinpath("test_sick.py").write_text(
        "import pytest\nfrom api import sick\n@pytest.fixture\ndef dockdsl_image(): return sick\ndef test(container): pass\n"
    )
    done = subprocess.run(
        [elsewhere, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=300,
        check=False,
    )

    assert 1 == done.returncode, done.stdout + done.stderr
    assert "1 failed, 3 passed, 2 errors in " in done.stdout
    assert 3 == done.stdout.count("- Log of the container -")
    assert 3 == done.stdout.count("\nit is up\n")
    assert "assert 404 == 200" in done.stdout
    pid, image = tmp_path.joinpath("names").read_text().split()
    assert [] == left_by(int(pid))
    assert image not in docker("images", "--all", "--quiet", "--no-trunc").split()


@contextmanager
def started(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run pytest in a folder; its tests have begun when they have made the file `started`."""
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as running:
        try:
            wait_until(lambda: folder.joinpath("started").exists() or running.poll() is not None, 120)
            yield running
        finally:
            running.kill()


@pytest.mark.engine
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_ended_removes_its_containers(tmp_path: Path, number: signal.Signals) -> None:
    """SIGTERM and SIGHUP end it as Ctrl-C does."""
    write_project(tmp_path)
    tmp_path.joinpath("test_api.py").write_text(
        'import pathlib, time\ndef test(container):\n    pathlib.Path("started").touch()\n    time.sleep(60)\n'
    )
    with started(tmp_path) as running:
        assert containers_of(running.pid)
        running.send_signal(number)
        output, _ = running.communicate(timeout=60)

    assert 128 + number == running.returncode, output
    assert [] == containers_of(running.pid)


@pytest.mark.engine
@pytest.mark.parametrize("where", ["test", "setup", "teardown"])
def test_a_run_that_is_ended_in_a_build_of_its_own(tmp_path: Path, where: str) -> None:
    """SIGTERM while a test builds an image without the fixtures ends the run, and is no failed test."""
    parts = {name: "build()" if name == where else "pass" for name in ("test", "setup", "teardown")}
    tmp_path.joinpath("test_build.py").write_text(
        f"""
import os, pytest
from dockdsl import *

def build():
    step = Run(f"echo {{os.urandom(8).hex()}}; echo begun; sleep 60")
    def progress(event):
        if event.text == "begun":
            open("started", "w").close()
    Image(Dockerfile(Stage({BUSYBOX!r}, "s", steps=[step])), tags="x:y").build(progress=progress)

@pytest.fixture
def made():
    {parts["setup"]}
    yield
    {parts["teardown"]}

def test_one(made):
    {parts["test"]}

def test_two():
    open("went_on", "w").close()
"""
    )
    with started(tmp_path) as running:
        running.terminate()
        output, _ = running.communicate(timeout=60)

    assert 143 == running.returncode, output
    assert "ended by SIGTERM" in output
    assert not tmp_path.joinpath("went_on").exists()
