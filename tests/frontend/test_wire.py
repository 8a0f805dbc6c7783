"""The connection to BuildKit: frames of every size, and whatever goes wrong on it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockdsl.frontend.messages import AnyMessage, Empty, ReadFileRequest, ReadFileResponse, Status
from dockdsl.frontend.wire import CallFailed, Channel, ConnectionLost
from tests.frontend.peer import Reply, Shape, failing, serving


@settings(max_examples=60)
@given(
    sizes=st.lists(st.integers(0, 70_000), min_size=1, max_size=3),
    frame=st.integers(1, 16384),
    piece=st.integers(1, 1 << 16),
)
def test_frames_of_every_size(sizes: list[int], frame: int, piece: int) -> None:
    """Calls of every size are answered, however the answer is cut into frames, and these into what is read at once."""
    frame, piece = max(frame, max(sizes) // 200), max(piece, max(sizes) // 200)
    with serving(lambda _, message: ("ok", message), Shape(frame, piece)) as (reading, writing, peer):
        channel = Channel(reading, writing)
        for size in sizes:
            data = bytes(size)
            request = ReadFileRequest(ref="r", path="x" * size)
            echoed = channel.call("ReadFile", request, ReadFileRequest)
            assert request == echoed
            assert len(data) == len(echoed.path)
    assert ["ReadFile"] * len(sizes) == [method for method, _ in peer.calls]


def test_a_frame_as_long_as_go_sends_them() -> None:
    """A frame that is longer than HTTP/2 allows by default is taken, since it was offered."""
    with serving(lambda _, message: ("ok", message)) as (reading, writing, peer):
        channel = Channel(reading, writing)
        channel.call("Ping", Empty(), Empty)
        peer._shape = Shape(frame=100_000)
        data = b"x" * 150_000
        answer = channel.call("ReadFile", ReadFileResponse(data=data), ReadFileResponse)
    assert data == answer.data


DETAILS = Status(code=5, message="lost", details=[AnyMessage(type_url="a", value=b"b")])


@pytest.mark.parametrize(
    ("reply", "code", "message", "details"),
    [
        (("status", b"grpc-status: 5\ngrpc-message: no%20such%0Afile %C3%A9"), 5, "no such\nfile é", 0),
        (failing(DETAILS), 5, "lost", 1),
        (("status", b"grpc-status: 5\ngrpc-message: x\ngrpc-status-details-bin: ***"), 5, "x", 0),
        (("status", b"grpc-status: 5\ngrpc-message: 100%, 5%zz"), 5, "100%, 5%zz", 0),
        (("status", b"grpc-status: 7"), 7, "an error that has no text (code 7)", 0),
        (("status", b"x-nothing: 1"), 2, "an error that has no text (code missing)", 0),
        (("status", b"grpc-status: many"), 2, "an error that has no text (code many)", 0),
        (("reset", b""), 2, "BuildKit broke the call off (HTTP/2 error 2)", 0),
        (("body", b""), 2, "BuildKit answered ReadFile with no message of gRPC", 0),
        (("body", b"\1\0\0\0\0"), 2, "BuildKit answered ReadFile with no message of gRPC", 0),
        (("body", b"\0\0\0\0\7abc"), 2, "BuildKit answered ReadFile with no message of gRPC", 0),
        (("ok", b"\x0a\x7fabc"), 2, "with a message that cannot be read: field 1 is cut off", 0),
    ],
)
def test_an_error_is_that_of_the_call(reply: Reply, code: int, message: str, details: int) -> None:
    """An error of one call has its code, its text and its details, and the connection goes on."""
    replies = [reply, ("ok", b"")]
    with serving(lambda *_: replies.pop(0)) as (reading, writing, _):
        channel = Channel(reading, writing)
        with pytest.raises(CallFailed) as failed:
            channel.call("ReadFile", ReadFileRequest(ref="r"), ReadFileResponse)
        channel.call("ReadFile", ReadFileRequest(ref="r"), ReadFileResponse)

    assert code == failed.value.status.code
    assert message in failed.value.status.message
    assert details == len(failed.value.status.details)


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (("closed", b""), "BuildKit closed the connection"),
        (("goodbye", b""), "BuildKit ended the connection"),
        (("garbage", b"\0\0\1\1\4\0\0\0\1\xff"), "BuildKit sent what is not HTTP/2"),
        (("garbage", b"\0\0\1"), "BuildKit closed the connection"),
        (("silent", b""), "BuildKit has said nothing for 0.2 s"),
    ],
)
def test_a_connection_that_is_lost(reply: Reply, message: str) -> None:
    """Where nothing can be said any more, that is said."""
    with serving(lambda *_: reply) as (reading, writing, _):
        channel = Channel(reading, writing, patience=0.1)
        with pytest.raises(ConnectionLost, match=message):
            channel.call("Ping", Empty(), Empty)


def test_a_call_may_take_long() -> None:
    """A BuildKit that is silent for long, and still there, is waited for."""
    with serving(lambda _, message: ("busy", message)) as (reading, writing, _):
        channel = Channel(reading, writing, patience=2)
        assert "r" == channel.call("Solve", ReadFileRequest(ref="r"), ReadFileRequest).ref
