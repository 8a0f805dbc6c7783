"""Origins: the line that wrote a value, and who called the function that has it."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

import dockdsl
from dockdsl import Arg, Dockerfile, Env, InvalidValue, Origin, Run, Stage
from dockdsl.cli import main


def packages(name: str) -> list[Run]:
    """Return steps, one of them from a comprehension."""
    return [Run(f"install {each}") for each in (name, "more")]


def service(name: str) -> Stage:
    """Return a stage with a step of its own, and with steps of another function."""
    return Stage(
        "scratch",
        name=name,
        steps=[
            Run("own"),
            packages(name),
        ],
    )


def test_who_called() -> None:
    """A line of the Dockerfile leads to the line in the function that wrote it, and to the call of that function."""
    stages = [service(name) for name in ("api", "web")]  # the loop
    rendered = dockdsl.render_with_map(Dockerfile([*stages, service("last")]))  # the call

    source = Path(__file__).read_text().splitlines()

    def trail(line: str) -> list[str]:
        origin = rendered.origins[rendered.text.splitlines().index(line)]
        assert origin is not None
        return [source[each.line - 1].strip() for each in (origin, *origin.callers)][:3]

    loop = 'stages = [service(name) for name in ("api", "web")]  # the loop'
    call = 'rendered = dockdsl.render_with_map(Dockerfile([*stages, service("last")]))  # the call'
    assert ["return Stage(", loop] == trail("FROM scratch AS api")[:2]
    assert ["return Stage(", call] == trail("FROM scratch AS last")[:2]
    assert ['Run("own"),', loop] == trail("RUN own")[:2]
    made = 'return [Run(f"install {each}") for each in (name, "more")]'
    assert [made, "return Stage(", loop] == trail("RUN install web")
    assert [made, "return Stage(", call] == trail("RUN install last")


def refused(name: str) -> Env:
    """Return a value that is refused for some names."""
    return Env({name: "x"})


def test_who_called_with_a_refused_value() -> None:
    """An error leads to the function and to who called it; that is no part of the place as a value."""
    with pytest.raises(InvalidValue) as caught:
        refused("")  # here

    origin = caught.value.origin
    assert origin is not None
    source = Path(__file__).read_text().splitlines()
    assert ['return Env({name: "x"})', 'refused("")  # here'] == [
        source[each.line - 1].strip() for each in (origin, *origin.callers)
    ]
    assert Origin(*origin) == origin
    assert hash(Origin(*origin)) == hash(origin)
    assert not Origin(*origin).callers


def test_no_callers_from_libraries() -> None:
    """What calls a test, and a file that was read, has no callers."""
    stage = Stage("a", steps=[Arg("A")])

    assert () == stage.origin.callers == dockdsl.parse("FROM a\nRUN b\n").stages[0].origin.callers


def test_copies() -> None:
    """The callers are kept in copies of a value."""
    stage = service("api")

    for one in (copy.deepcopy(stage), pickle.loads(pickle.dumps(stage))):
        assert stage.origin.callers == one.origin.callers != ()


FILE = """\
from dockdsl import Dockerfile, Image, Run, Stage, User

def user(name):
    return User(name)

def service(command):
    return Stage("busybox:1.37", steps=[user("root"), Run(command)])

good = service("true")
bad = service({command})
image = Image(Dockerfile([good, bad]))
"""


def test_a_refused_value_in_a_function(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The command shows the line of the function, and the calls that led there."""
    path = tmp_path / "app.py"
    path.write_text(FILE.format(command="''"))

    assert 2 == main([f"{path}:image"])
    assert (
        f"{path}:7: error: RUN: the command is empty; give it a command\n  by way of {path}:10\n"
        == capfd.readouterr().err
    )


@pytest.mark.engine
def test_a_failing_step_in_a_function(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A step that fails leads to the call of the function that made its stage."""
    path = tmp_path / "app.py"
    path.write_text(FILE.format(command="'exit 3'"))

    assert 1 == main(["build", str(path), "--progress", "quiet"])
    said = capfd.readouterr().err
    assert f"{path}:7: error: build step" in said
    assert f"\n  by way of {path}:10\n" in said
    assert f"by way of {path}:9\n" not in said
