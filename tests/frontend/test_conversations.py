"""Whole conversations with BuildKit, without an engine: as they should be, and with everything that can go wrong."""

from __future__ import annotations

import json
import os
import random
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import pytest

# What the file and its rendering need is there before the process is copied hundreds of times.
import dockdsl.selection
import dockdsl.text.rendering  # noqa: F401 - as above
from dockdsl import User  # noqa: F401 - as above
from dockdsl.frontend.gateway import Gateway
from dockdsl.frontend.messages import (
    AnyMessage,
    Capability,
    CopyAction,
    Definition,
    FileAction,
    FileOp,
    Input,
    InputsResponse,
    Location,
    Locations,
    Op,
    PingResponse,
    ReadDirResponse,
    ReadFileRequest,
    ReadFileResponse,
    Ref,
    Refs,
    Result,
    ReturnRequest,
    SolveRequest,
    SolveResponse,
    Source,
    SourceInfo,
    SourceOp,
    Stat,
    Status,
    WarnRequest,
)
from dockdsl.frontend.places import SOURCE_DETAIL, ranges
from dockdsl.frontend.session import Session
from dockdsl.frontend.wire import Channel, ConnectionLost
from tests.frontend.peer import Peer, Reply, Shape, failing, serving

# The tests have threads; the frontend has none.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")

FACTOR = int(os.environ.get("DOCKDSL_EXAMPLES_FACTOR", "1"))
FILES = {
    "app.py": "import base\nfrom dockdsl import Dockerfile, Stage, User\n\nd = Dockerfile(Stage(base.NAME, steps=[\n    User('1'),\n]))\n",
    "base.py": "NAME = 'scratch'\n",
}
RENDERED = "FROM scratch\nUSER 1\n"
CAPABILITIES = ("frontend.inputs", "proto.refarray", "readdir", "gateway.warnings")
MISSING = Status(code=2, message="no such file")
MINUTE = 60


def definition(line: int) -> bytes:
    """Return a definition with one step, which comes from a line of the rendered text."""
    info = SourceInfo(filename="app.Dockerfile", data=RENDERED.encode(), definition=b"\x0a\x01x", language="Dockerfile")
    locations = {"sha256:1": Locations(locations=[Location(ranges=ranges([(line, line)]))])}
    return Definition(operations=[b"op"], source=Source(locations=locations, infos=[info])).written()


COPIED = Op(inputs=[Input(digest="sha256:2")], file=FileOp(actions=[FileAction(copy=CopyAction(source="/"))]))
FETCHED = Definition(
    operations=[
        Op(source=SourceOp(identifier="git://x.test/y#main")).written(),
        COPIED.written(),
        Op(inputs=[Input(digest="sha256:3")]).written(),
    ]
)
"""What BuildKit makes of the address of a repository, from which a file copies all."""


class BuildKit:
    """What an engine answers; `files` are those of the command."""

    def __init__(self, **files: str) -> None:
        self.files = {**FILES, **{name.replace("_py", ".py"): text for name, text in files.items()}}
        self.capabilities: tuple[str, ...] = CAPABILITIES
        self.built = Result(ref=Ref(id="built", definition=definition(2)))
        self.solved: list[SolveRequest] = []

    def __call__(self, method: str, message: bytes) -> Reply:
        """Answer a call."""
        if method == "Ping":
            able = [Capability(id=each, enabled=True) for each in self.capabilities]
            return "ok", PingResponse(frontend_caps=able).written()
        if method == "Inputs":
            return "ok", InputsResponse().written()
        if method == "ReadFile":
            text = self.files.get(ReadFileRequest.read(message).path)
            return failing(MISSING) if text is None else ("ok", ReadFileResponse(data=text.encode()).written())
        if method == "ReadDir":
            return "ok", ReadDirResponse(entries=[Stat(path=name) for name in self.files]).written()
        if method == "Solve":
            return self.solve(SolveRequest.read(message))
        return "ok", b""

    def solve(self, request: SolveRequest) -> Reply:
        """Solve a definition, check a Dockerfile, or build one."""
        self.solved.append(request)
        if not request.frontend:
            return "ok", SolveResponse(result=Result(ref=Ref(id="solved"))).written()
        if "context:dockdsl-context" in request.options:
            return "ok", SolveResponse(result=Result(ref=Ref(id="probe", definition=FETCHED.written()))).written()
        if request.options.get("requestid") == "frontend.lint":
            location = {"ranges": [{"start": {"line": 2}, "end": {"line": 2}}]}
            warning = {
                "ruleName": "Rule",
                "detail": "something",
                "description": "why",
                "url": "u",
                "location": location,
            }
            document = json.dumps({"warnings": [warning]}).encode()
            return "ok", SolveResponse(result=Result(metadata={"result.json": document})).written()
        return "ok", SolveResponse(result=self.built).written()


class Ended(NamedTuple):
    """What came of a conversation: the answer to BuildKit, or why none could be given."""

    answer: ReturnRequest | None
    lost: str
    warnings: list[WarnRequest]


def converse(answer: Callable[[str, bytes], Reply], shape: Shape = Shape(), /, **options: str) -> Ended:  # noqa: B008 - it is frozen
    """Let a frontend build ``app.py``."""
    options = {"filename": "app.py", **options}
    pairs = {
        f"BUILDKIT_FRONTEND_OPT_{number}": f"{name}={value}" for number, (name, value) in enumerate(options.items())
    }
    lost = ""
    with tempfile.TemporaryDirectory() as place, serving(answer, shape) as (reading, writing, peer):
        # The file is run as nobody where that is possible.
        Path(place).chmod(0o755)
        try:
            Session(Gateway(Channel(reading, writing)), {**pairs, "BUILDKIT_SESSION_ID": "s"}, place).run()
        except ConnectionLost as error:
            lost = str(error)
    return Ended(returned(peer), lost, [WarnRequest.read(data) for method, data in peer.calls if method == "Warn"])


def returned(peer: Peer) -> ReturnRequest | None:
    """Return the last call, if it is the answer."""
    method, message = peer.calls[-1] if peer.calls else ("", b"")
    return ReturnRequest.read(message) if method == "Return" else None


def test_a_build() -> None:
    """The file and its module are loaded, the Dockerfile is checked and built, and the steps get lines of Python."""
    engine = BuildKit()
    answer, lost, (warning,) = converse(engine, target="t")
    *_, lint, built, again = engine.solved

    assert "" == lost
    assert answer is not None
    assert answer.result is not None
    assert answer.result.ref is not None
    assert "solved" == answer.result.ref.id
    assert "Rule: something (line 5)" == warning.short.decode()
    assert warning.info is not None
    assert ("app.py", "Python") == (warning.info.filename, warning.info.language)
    assert ("dockerfile.v0", "app.Dockerfile", "t") == (
        built.frontend,
        built.options["filename"],
        built.options["target"],
    )
    assert "skip=all" == built.options["build-arg:BUILDKIT_DOCKERFILE_CHECK"]
    assert "frontend.lint" == lint.options["requestid"]
    assert RENDERED.encode() in Definition.read(built.inputs["dockerfile"]).operations[0]
    assert again.definition is not None
    source = again.definition.source
    assert source is not None
    ((location,),) = [each.locations for each in source.locations.values()]
    assert ["app.Dockerfile", "app.py"] == [each.filename for each in source.infos]
    assert (1, ranges([(5, 5)])) == (location.source_index, location.ranges)
    assert source.infos[0].definition == source.infos[1].definition


def test_several_platforms() -> None:
    """Each platform's steps get lines of Python."""
    engine = BuildKit()
    refs = {name: Ref(id=name, definition=definition(1)) for name in ("a", "b")}
    engine.built = Result(refs=Refs(refs=refs), metadata={"refs.platforms": b"{}"})
    answer, _, _ = converse(engine)

    assert answer is not None
    assert answer.result is not None
    assert answer.result.refs is not None
    assert {"a": "solved", "b": "solved"} == {name: ref.id for name, ref in answer.result.refs.refs.items()}
    assert {"refs.platforms": b"{}"} == answer.result.metadata


def test_where_the_lines_of_python_are_refused() -> None:
    """The build goes on with the lines of the Dockerfile."""
    engine = BuildKit()

    def answer(method: str, message: bytes) -> Reply:
        is_again = method == "Solve" and (SolveRequest.read(message).definition or Definition()).source is not None
        return failing(Status(code=2, message="not this way")) if is_again else engine(method, message)

    ended = converse(answer)

    assert ended.answer is not None
    assert ended.answer.result is not None
    assert ended.answer.result.ref is not None
    assert "built" == ended.answer.result.ref.id


def test_an_engine_that_checks_nothing() -> None:
    """Where BuildKit cannot check a Dockerfile, it is built all the same, with what it says itself."""
    engine = BuildKit()

    def answer(method: str, message: bytes) -> Reply:
        is_check = method == "Solve" and SolveRequest.read(message).options.get("requestid") == "frontend.lint"
        return failing(Status(code=2, message="unknown")) if is_check else engine(method, message)

    ended = converse(answer)

    assert ended.answer is not None
    assert ended.answer.result is not None
    assert [] == ended.warnings
    assert [None] == [
        each.options.get("build-arg:BUILDKIT_DOCKERFILE_CHECK") for each in engine.solved if each.frontend
    ]


def test_an_engine_that_shows_no_warnings() -> None:
    """Then none are made, of checks or of what the file prints."""
    engine = BuildKit(app_py=f"print('a note')\n{FILES['app.py']}")
    engine.capabilities = CAPABILITIES[:-1]
    ended = converse(engine)

    assert ended.answer is not None
    assert ended.answer.result is not None
    assert [] == ended.warnings


@pytest.mark.parametrize("missing", CAPABILITIES[:-1])
def test_an_engine_that_is_too_old(missing: str) -> None:
    """What it lacks is named, and what to use instead."""
    engine = BuildKit()
    engine.capabilities = tuple(each for each in CAPABILITIES if each != missing)
    answer, _, _ = converse(engine)

    assert answer is not None
    assert answer.error is not None
    assert f"this BuildKit lacks {missing}; use Docker Engine 27 or later" in answer.error.message


def test_errors_of_a_build() -> None:
    """An error of BuildKit's keeps its code, its text and its details; the lines are those of Python."""
    engine = BuildKit()
    value = {"info": {"filename": "app.Dockerfile"}, "ranges": [{"start": {"line": 2}, "end": {"line": 2}}]}
    details = [
        AnyMessage(type_url=SOURCE_DETAIL, value=json.dumps(value).encode()),
        AnyMessage(type_url="x", value=b"y"),
    ]
    odd = [b"{", b"[]", b"5", b'{"info": 5}', b'{"info": {"filename": "app.Dockerfile"}, "ranges": 5}', b"\xff"]
    details += [AnyMessage(type_url=SOURCE_DETAIL, value=each) for each in odd]

    def answer(method: str, message: bytes) -> Reply:
        if method == "Solve" and SolveRequest.read(message).frontend:
            return failing(Status(code=5, message="no such image", details=details))
        return engine(method, message)

    ended = converse(answer)

    assert ended.answer is not None
    error = ended.answer.error
    assert error is not None
    assert (5, "no such image") == (error.code, error.message)
    assert [each.type_url for each in details] == [each.type_url for each in error.details]
    assert odd == [each.value for each in error.details[2:]]
    shown = json.loads(error.details[0].value)
    assert "app.py" == shown["info"]["filename"]
    assert [{"start": {"line": 5}, "end": {"line": 5}}] == shown["ranges"]


def test_a_repository() -> None:
    """Its files and the context are what BuildKit fetches; ``.git`` is kept where that is asked for."""
    kept = {"build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR": "true"}
    for options, attributes in (({}, {}), (kept, {"git.keepgitdir": "true"})):
        engine = BuildKit()
        answer, _, _ = converse(engine, context="https://x.test/y.git#main", **options)
        built = next(each for each in reversed(engine.solved) if each.frontend)
        source = Op.read(Definition.read(built.inputs["context"]).operations[0]).source

        assert answer is not None
        assert answer.result is not None
        assert source is not None
        assert ("git://x.test/y#main", attributes) == (source.identifier, source.attrs)
        assert "context" not in built.options


ODD = (
    *(b"{", b"[]", b"5", b"null", b'{"warnings": 5}', b'{"warnings": [5]}', b'{"warnings": [{"location": 5}]}'),
    b'{"warnings": [{"location": {"ranges": [{"start": {"line": "x"}}]}}]}',
    b'{"sources": [5], "a": {"location": {"sourceIndex": [], "ranges": 5}}}',
)
"""Answers to questions of a form that BuildKit's do not have."""


@pytest.mark.parametrize("document", ODD)
@pytest.mark.parametrize("question", [None, "frontend.lint"])
def test_answers_of_another_form(document: bytes, question: str | None) -> None:
    """A build goes on without checks of ours; what was asked for is passed on as it came."""
    engine = BuildKit()

    def answer(method: str, message: bytes) -> Reply:
        if method == "Solve" and SolveRequest.read(message).options.get("requestid") == "frontend.lint":
            return "ok", SolveResponse(result=Result(metadata={"result.json": document})).written()
        return engine(method, message)

    ended = converse(answer, **({} if question is None else {"requestid": question}))

    assert ended.answer is not None
    assert ended.answer.result is not None
    assert [] == ended.warnings
    if question is not None:
        given = ended.answer.result.metadata["result.json"]
        assert document.split() == given.split() or json.loads(document) == json.loads(given)


def test_a_definition_of_another_form() -> None:
    """What of BuildKit cannot be read is said, and what may help."""
    engine = BuildKit()

    def answer(method: str, message: bytes) -> Reply:
        if method == "Solve" and SolveRequest.read(message).frontend:
            return "ok", SolveResponse(result=engine.built).written()
        return engine(method, message)

    ended = converse(answer, context="git://x.test/y")

    assert ended.answer is not None
    assert ended.answer.error is not None
    assert "BuildKit gave what cannot be read (a definition copies nothing); use" in ended.answer.error.message


def test_a_fault_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception of this program is told as such, with what to report."""

    def fault(_: Session) -> None:
        raise AssertionError("a fault")

    monkeypatch.setattr(Session, "_build", fault)
    answer, _, _ = converse(BuildKit())

    assert answer is not None
    assert answer.error is not None
    assert "internal error; report it with this:\nTraceback" in answer.error.message
    assert "AssertionError: a fault" in answer.error.message


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """Fail if the block takes longer."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"it hangs: {seconds} s are over")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def damaged(chance: random.Random, reply: Reply) -> Reply:
    """Return what comes in the place of an answer."""
    kind = chance.choice(
        ("closed", "garbage", "reset", "goodbye", "status", "status", "body", "noise", "odd", "cut", "changed")
    )
    data = bytearray(reply[1])
    if kind == "status":
        return failing(Status(code=chance.randrange(1, 17), message="", details=[AnyMessage(value=b"x")]))
    if kind in ("garbage", "body", "noise"):
        noise = chance.randbytes(chance.randrange(40))
        return "ok" if kind == "noise" else kind, noise
    if kind == "odd":
        return "ok", SolveResponse(result=Result(metadata={"result.json": chance.choice(ODD)})).written()
    if kind == "cut":
        return "ok", bytes(data[: chance.randrange(len(data) + 1)])
    if kind == "changed":
        for _ in range(chance.randrange(1, 4)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        return "ok", bytes(data)
    return kind, b""


ASKED: tuple[dict[str, str], ...] = (
    {},
    {"requestid": "frontend.lint"},
    {"requestid": "frontend.outline"},
    {"context": "git://x.test/y#main", "build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR": "1"},
    {"context": "http://x.test/y.tar"},
)
"""What is asked for besides, in different conversations."""


@pytest.mark.parametrize("part", range(10))
def test_conversations_that_go_wrong(part: int) -> None:
    """Whatever BuildKit answers, and wherever the connection breaks: there is an answer, or it is known to be lost."""
    outcomes = set()
    for number in range(50 * FACTOR):
        chance = random.Random(f"{part} {number}")
        engine = BuildKit()
        first = chance.randrange(14)
        calls = 0

        def answer(method: str, message: bytes) -> Reply:
            nonlocal calls
            calls += 1
            reply = engine(method, message)  # noqa: B023 - it is called in this round
            is_damaged = calls > first and chance.random() < 0.7  # noqa: B023 - as above
            return damaged(chance, reply) if is_damaged else reply  # noqa: B023 - as above

        with within(MINUTE):
            shape = Shape(chance.choice((1, 7, 16384)), chance.choice((1, 100, 1 << 16)))
            ended = converse(answer, shape, **chance.choice(ASKED))
        has_answer = ended.answer is not None and (ended.answer.result is not None) != (ended.answer.error is not None)
        assert has_answer or ended.lost, (part, number)
        assert ended.answer is None or "internal error" not in (ended.answer.error or Status()).message, (
            part,
            number,
            ended,
        )
        outcomes.add((has_answer, bool(ended.lost)))
    # It goes wrong in each of these ways.
    assert {(True, False), (False, True)} <= outcomes
