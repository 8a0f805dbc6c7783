"""What a file's objects are, how one of them is named, and which are meant where none is."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from dockdsl import Dockerfile, Image, SourceError, render
from dockdsl.selection import load, select

FILE = """\
from enum import Enum
from dockdsl import *

def of(image):
    return Dockerfile(Stage(image))

class Color(Enum):
    RED = 1

matrix = {v: of(f"python:{v}") for v in ("3.11", "3.12", 3.12)}
images = [Image(of("a:1"), tags="a:dev"), (Image(of("b:1")), None)]
pairs = {("3.12", "slim"): of("c:1"), "linux/amd64:v1": of("d:1"), "a[0]": of("e:1"), Color.RED: of("f:1"), "": of("g:1")}
single = of("h:1")
again = single
_hidden = of("i:1")
loop = [of("j:1")]
loop.append(loop)
data = {"n": 5}

def make(image="k:1"):
    return {"x": of(image), "y": [of("l:1")]}

def one():
    return of("m:1")

def late():
    raise ValueError("deep")

def nothing():
    return 5
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A file with objects of all kinds, by its path."""
    path = tmp_path / "app.py"
    path.write_text(FILE)
    return str(path)


@pytest.mark.parametrize(
    ("name", "bases"),
    [
        pytest.param("single", ["h:1"], id="name"),
        pytest.param("_hidden", ["i:1"], id="hidden name"),
        pytest.param("matrix[3.11]", ["python:3.11"], id="string as a key"),
        pytest.param('matrix["3.11"]', ["python:3.11"], id="in quotes"),
        pytest.param("matrix['3.11']", ["python:3.11"], id="in single quotes"),
        pytest.param("images[0]", ["a:1"], id="number"),
        pytest.param("images[1][0]", ["b:1"], id="nested"),
        pytest.param("pairs[3.12,slim]", ["c:1"], id="tuple"),
        pytest.param("pairs[linux/amd64:v1]", ["d:1"], id="colon"),
        pytest.param("pairs[a[0]]", ["e:1"], id="brackets"),
        pytest.param("pairs[Color.RED]", ["f:1"], id="enum"),
        pytest.param("pairs[]", ["g:1"], id="empty"),
        pytest.param("images", ["a:1", "b:1"], id="collection"),
        pytest.param("images[1]", ["b:1"], id="collection of one"),
        pytest.param("make", ["k:1", "l:1"], id="function"),
        pytest.param("make[y][0]", ["l:1"], id="what a function returns"),
        pytest.param("one", ["m:1"], id="function of one"),
    ],
)
def test_a_name_means_objects(file: str, name: str, bases: list[str]) -> None:
    """Names, keys as they are printed, collections, and functions, which are called."""
    assert bases == [each.value.stages[0].base for each in select(f"{file}:{name}", Dockerfile)[0]]


def test_all_objects(file: str) -> None:
    """Each once, under the first of its names, without hidden names and without what functions return."""
    found, is_plural = select(f"{file}:*", Dockerfile)

    assert is_plural
    assert [
        *("matrix[3.11]", 'matrix["3.12"]', "matrix[3.12]", "images[0]", "images[1][0]", "pairs[3.12,slim]"),
        *("pairs[linux/amd64:v1]", "pairs[a[0]]", "pairs[Color.RED]", "pairs[]", "single", "loop[0]"),
    ] == [each.name for each in found]
    assert ["images[0]", "images[1][0]"] == [each.name for each in select(f"{file}:*", Image)[0]]


def test_what_an_object_is_called_means_it(file: str) -> None:
    """A string that is printed as another key is has quotes, and the other key has none."""
    for each in select(f"{file}:*", Dockerfile)[0]:
        again, is_plural = select(each.spec, Dockerfile)
        assert (False, render(each.value)) == (is_plural, render(again[0].value))
    assert "python:3.12" == load(f'{file}:matrix["3.12"]', Dockerfile).stages[0].base


@pytest.mark.parametrize(
    ("name", "is_plural"),
    [
        ("images", True),
        ("images[1]", True),
        ("images[0]", False),
        ("matrix['3.11']", False),
        ("make", True),
        ("one", False),
    ],
)
def test_whether_several_are_meant(file: str, name: str, is_plural: bool) -> None:
    """A collection means several, of whatever number of objects."""
    assert is_plural == select(f"{file}:{name}", Dockerfile)[1]


@pytest.mark.parametrize("text", ["x = [Dockerfile(Stage('a'))]", "x = {'k': Dockerfile(Stage('a'))}; y = x['k']"])
def test_the_only_object_needs_no_name(tmp_path: Path, text: str) -> None:
    """Wherever it is."""
    path = tmp_path / "app.py"
    path.write_text(f"from dockdsl import *\n{text}\n")

    assert "a" == load(str(path), Dockerfile).stages[0].base
    assert not select(str(path), Dockerfile)[1]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param("nope", ": it defines no Dockerfile named 'nope'; pick one: ", id="no name"),
        pytest.param("matrix[9]", ": it defines no Dockerfile named 'matrix[9]'; pick one: ", id="no key"),
        pytest.param("single[0]", ": it defines no Dockerfile named 'single[0]'; pick one: ", id="no collection"),
        pytest.param("data", ": there is no Dockerfile in data; pick one: ", id="other collection"),
        pytest.param("Color", ": Color is a class, not a Dockerfile; pick one: ", id="class"),
        pytest.param("nothing", ": nothing() returns no Dockerfile; pick one: ", id="returns something else"),
        pytest.param("late", ":27: error: the file raised ValueError: deep", id="raises"),
        pytest.param(
            "of", ": of() cannot be called without arguments (missing a required argument: 'image')", id="needs"
        ),
    ],
)
def test_a_name_that_means_nothing(file: str, name: str, message: str) -> None:
    """What is there is said, and what can be picked."""
    with pytest.raises(SourceError) as raised:
        select(f"{file}:{name}", Dockerfile)
    error = raised.value
    assert message in (f"{error.origin}: error: {error.message}" if error.origin else error.message)


def test_many_choices_are_cut(tmp_path: Path) -> None:
    """A long list ends with the number of those that are left out."""
    path = tmp_path / "app.py"
    path.write_text("from dockdsl import *\nx = [Dockerfile(Stage('a')) for _ in range(1000)]\n")

    with pytest.raises(SourceError, match=r"pick one: .*x\[0\]'.* and 980 more, or '.*app.py:\*' for all$"):
        select(str(path), Dockerfile)


def test_a_file_with_a_colon_in_its_name(tmp_path: Path) -> None:
    """A file that exists is meant before a name in another one."""
    path = tmp_path / "app.py:x"
    path.write_text("from dockdsl import *\ny = Dockerfile(Stage('a'))\n")

    assert "a" == load(str(path), Dockerfile).stages[0].base
    assert "a" == load(f"{path}:y", Dockerfile).stages[0].base


def test_a_file_with_much_data_is_fast(tmp_path: Path) -> None:
    """What holds no objects costs next to nothing, and what is in itself many times is looked at once."""
    path = tmp_path / "app.py"
    path.write_text(
        "from dockdsl import *\nnumbers = list(range(1_000_000))\nloop = []\nloop.extend([loop] * 10_000)\n"
        "x = [[loop] * 1000 for _ in range(100)]\ny = Dockerfile(Stage('a'))\n"
    )
    begin = time.process_time()

    assert "a" == load(str(path), Dockerfile).stages[0].base
    assert time.process_time() - begin < 5


def test_an_object_that_cannot_be_asked_for_its_class(tmp_path: Path) -> None:
    """A lazy object, as frameworks have them for their settings, may raise until it is set up: it is none of ours."""
    path = tmp_path / "app.py"
    path.write_text(
        "from dockdsl import *\n"
        "class Lazy:\n    @property\n    def __class__(self):\n        raise RuntimeError('not configured')\n"
        "settings = Lazy()\nmore = [settings, {'a': settings}]\ny = Dockerfile(Stage('a'))\n"
    )

    assert "a" == load(str(path), Dockerfile).stages[0].base
