"""A file that a step does not find: the message says why, and what it advises works, on a real engine."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from ast import literal_eval
from pathlib import Path
from typing import Any

import pytest

from dockdsl import Add, Bind, Copy, Dockerfile, Image, Run, Stage, external
from dockdsl.errors import BuildFailed
from tests.engine.helpers import BUSYBOX

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A context with links that stay in it and links that leave it, and a folder beside it."""
    folder = tmp_path_factory.mktemp("absent")
    for name in ("outside.txt", "beside/file", "context/sub/real", "context/odd/a[b]", "context/few/a.y"):
        folder.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
        folder.joinpath(name).write_text(f"{name}\n")
    context = folder / "context"
    links = {
        "rel_out": "../outside.txt",
        "abs_out": str(folder / "outside.txt"),
        "chain": "rel_out",
        "dir_out": "../beside",
        "inside": "sub/real",
        "deep/up": "../subl",
        "subl": "/sub",
        "brackets": "odd/a[b]",
        "nowhere": "no/such",
        "up": "..",
        "back": str(context / "sub/real"),
        "deep/again": f"../../{context.name}/sub/real",
        "circle": "elcric",
        "elcric": "circle",
    }
    for name, target in links.items():
        context.joinpath(name).parent.mkdir(exist_ok=True)
        context.joinpath(name).symlink_to(target)
    return context


def build(steps: list[Any], context: Path, **options: Any) -> None:
    """Build, and keep nothing; what is cached would hide that nothing is sent."""
    image = Image(Dockerfile(Stage(BUSYBOX, name="s", steps=steps)), context=str(context), **options)
    image.build(output="type=cacheonly", no_cache=True)


def failed(step: Any, context: Path, **options: Any) -> tuple[str, str]:
    """Build what fails; return the cause and the fix, both of which the message has."""
    with pytest.raises(BuildFailed) as caught:
        build([step], context, **options)
    error = caught.value

    assert f": {error.cause}; {error.fix}\n" in error.message
    assert step.origin == error.origin
    return error.cause or "", error.fix or ""


def mounted(source: str, **options: Any) -> Run:
    """Return a step that reads what it mounts."""
    return Run("test -e /x", mounts=[Bind("/x", source=source, **options)])


LEAVING = {
    "rel_out": ("rel_out", "../outside.txt"),
    "abs_out": ("abs_out", "outside.txt"),
    "chain": ("rel_out", "../outside.txt"),
    "dir_out": ("dir_out", "../beside"),
    "dir_out/file": ("dir_out", "../beside"),
    "rel_*": ("rel_out", "../outside.txt"),
    "dir_out/*": ("dir_out", "../beside"),
    "up/outside.txt": ("up", ".."),
}


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        *(("copy", source) for source in LEAVING),
        *((kind, "dir_out/file") for kind in ("add", "mount", "context", "ignored")),
        *((kind, "dir_out/*") for kind in ("add", "context", "ignored")),
    ],
)
def test_a_link_that_leaves_the_context(kind: str, source: str, context: Path) -> None:
    """The link is named, and the folder that it leads to is found as a context of its own."""
    options: dict[str, Any] = {}
    step: Any = Copy(source, "/x/")
    if kind == "add":
        step = Add(source, "/x/")
    elif kind == "mount":
        step = mounted(source)
    elif kind == "context":
        step, options = Copy(source, "/x/", from_=external("c")), {"contexts": {"c": str(context)}}
    elif kind == "ignored":
        options = {"ignore": ["few"]}
    cause, fix = failed(step, context, **options)
    link, target = LEAVING[source]

    assert f"the link '{link}' leads to '" in cause
    assert f"{target}', outside the context folder" in cause
    advised = re.search(r"contexts=(\{.*\}), and take ('.*') from_=external\(\"other\"\)$", fix)
    assert advised is not None
    contexts = literal_eval(advised[1])
    build([Copy(literal_eval(advised[2]), "/x/", from_=external("other"))], context, contexts=contexts)


@pytest.mark.parametrize("step", [Copy("../outside.txt", "/x/"), mounted("../outside.txt")], ids=str)
def test_a_path_that_leaves_the_context(step: Any, context: Path) -> None:
    """It is told apart from one that does not exist."""
    cause, fix = failed(step, context)

    assert "'../outside.txt' is outside the context folder" in cause
    assert fix.endswith(f"""{{"other": {str(context.parent)!r}}}, and take 'outside.txt' from_=external("other")""")


@pytest.mark.parametrize("source", ["back", "deep/again"])
def test_a_link_that_leaves_and_comes_back(source: str, context: Path, tmp_path: Path) -> None:
    """What links it within the folder is named, and works."""
    folder = shutil.copytree(context, tmp_path / context.name, symlinks=True)
    folder.joinpath("back").unlink()
    folder.joinpath("back").symlink_to(folder / "sub/real")
    cause, fix = failed(Copy(source, "/x/"), folder)

    assert "in a build the context folder is /, where that does not exist" in cause
    command = fix.removeprefix("link it within the folder: ")
    subprocess.run(shlex.split(command), check=True)
    build([Copy(source, "/x/")], folder)


@pytest.mark.parametrize("step", [Copy("circle", "/x"), Copy(["few", "circle"], "/x/"), mounted("circle")], ids=str)
def test_links_in_a_circle(step: Any, context: Path) -> None:
    """It is said, and which link it is."""
    cause, fix = failed(step, context)

    assert cause.endswith(("the link 'circle' leads in a circle", "the link 'elcric' leads in a circle"))
    assert "correct the link" == fix


@pytest.mark.parametrize(
    ("step", "cause"),
    [
        (Copy("nowhere", "/x"), "the link 'nowhere' leads to 'no/such', and 'no/such' does not exist"),
        (Copy("subl/nothere", "/x"), "the link 'subl' leads to '/sub', and 'sub/nothere' does not exist"),
        (Copy("few/*.x", "/x/"), "nothing in the context folder fits the pattern 'few/*.x'"),
        (Copy("nothere/*.x", "/x/"), "' does not have it"),
        (Copy(["few", "nothere"], "/x/"), "' does not have it"),
        (mounted("few", from_=Stage(BUSYBOX, name="o")), '"/few" is not there to be mounted'),
        (Copy("few", "/x/", from_=Stage(BUSYBOX, name="o")), '"/few" is not there to be copied'),
    ],
    ids=str,
)
def test_what_is_not_there_at_all(step: Any, cause: str, context: Path) -> None:
    """Nothing is said of .dockerignore where there is none."""
    said, fix = failed(step, context)

    assert cause in said
    assert "check the p" in fix
    assert ".dockerignore" not in said + fix


IGNORED = [
    ("inside", ["sub"], ["!inside", "!sub/real"]),
    ("inside", ["*", "!inside"], ["!inside", "!sub/real"]),
    ("inside", ["*", "!sub/real"], ["!inside", "!sub/real"]),
    ("deep/up/real", ["**/real", "subl"], ["!deep/up", "!subl", "!sub/real"]),
    ("subl/*", ["sub"], ["!subl", "!sub/*"]),
    ("sub", ["sub"], ["!sub"]),
    ("sub/../sub//real", ["*"], ["!sub/real"]),
    ("few/*.y", ["**/*.y"], ["!few/*.y"]),
    ("odd/a[[]b]", ["odd"], ["!odd/a[[]b]"]),
]


@pytest.mark.parametrize("where", ["ignore=", ".dockerignore"])
@pytest.mark.parametrize(("source", "ignore", "lines"), IGNORED, ids=str)
def test_what_is_left_out(
    source: str, ignore: list[str], lines: list[str], where: str, context: Path, tmp_path: Path
) -> None:
    """All that must be sent is named, also what a link leads to, and with it the build succeeds."""
    # The folder's own file is for this test alone.
    folder = shutil.copytree(context, tmp_path / "context", symlinks=True)
    options: dict[str, Any] = {"ignore": ignore}
    if where == ".dockerignore":
        folder.joinpath(where).write_text("\n".join(ignore))
        options = {}
    cause, fix = failed(Copy(source, "/x/"), folder, **options)

    assert f"{where} leaves " in cause
    found = re.fullmatch(r"add (.*) at the end of (\S+)", fix)
    assert found is not None
    assert where == found[2]
    advised = [each.strip('"') for each in found[1].split(" and ")]
    assert lines == advised
    if where == ".dockerignore":
        folder.joinpath(where).write_text("\n".join([*ignore, *advised]))
    else:
        options = {"ignore": [*ignore, *advised]}
    build([Copy(source, "/x/"), Run('test -n "$(cat /x/* /x/*/* 2>/dev/null)"')], folder, **options)
