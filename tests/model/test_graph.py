"""Which stage needs which."""

from __future__ import annotations

import pytest

from dockdsl import Bind, Cache, Copy, Dockerfile, Onbuild, Run, Stage, UnknownStage, parse


def four() -> Dockerfile:
    """Return a Dockerfile of four stages: two that stand alone, one that is built on the first, one that takes all."""
    base = Stage("a", "base")
    other = Stage("b", "other")
    built = Stage("base", "built", steps=[Run("x", mounts=[Cache("/c"), Bind("/o", from_=other)])])
    last = Stage(
        "c",
        "last",
        steps=[Copy("x", "/", from_=built), Copy("y", "/", from_="built"), Onbuild(Copy("z", "/", from_="other"))],
    )
    return Dockerfile([base, other, last])


def test_edges() -> None:
    """Each need is an edge with its kind and its step; an instruction in an ONBUILD has none."""
    assert [
        ("built", "base", "base", None),
        ("built", "other", "mount", 0),
        ("last", "built", "copy", 0),
        ("last", "built", "copy", 1),
    ] == [(edge.stage.name, edge.needs.name, edge.by, edge.step) for edge in four().graph.edges]


def test_needs() -> None:
    """A stage that is needed twice is named once."""
    graph = four().graph

    assert [[], [], ["base", "other"], ["built"]] == [
        [need.name for need in graph.needs(each)] for each in graph.stages
    ]


@pytest.mark.parametrize(
    ("index", "names"),
    [
        pytest.param(1, ["other"], id="alone"),
        pytest.param(2, ["base", "other", "built"], id="with what it needs"),
        pytest.param(3, ["base", "other", "built", "last"], id="with all"),
    ],
)
def test_reached(index: int, names: list[str]) -> None:
    """What a target reaches comes in the order of the Dockerfile, the target included."""
    graph = four().graph

    assert names == [stage.name for stage in graph.reached_by(graph.stages[index])]


def test_an_equal_stage() -> None:
    """An equal stage under the same name is the one in the Dockerfile; any other stage is refused."""
    graph = four().graph

    assert 0 == graph.index(Stage("a", "base"))
    with pytest.raises(UnknownStage, match=r"StageGraph: .* is not one of its stages; pass one of them"):
        graph.index(Stage("a", "unknown"))


def test_names_in_a_file() -> None:
    """A base is a stage above, or an image; a copy takes the last stage of a name, in capitals as well."""
    file = parse("FROM x AS a\nFROM b\nFROM c AS b\nFROM d AS a\nCOPY --from=B /x /\nCOPY --from=1 /x /\n")

    assert [(3, 2, "copy", 0), (3, 1, "copy", 1)] == [
        (file.graph.index(edge.stage), file.stages.index(edge.needs), edge.by, edge.step) for edge in file.graph.edges
    ]
