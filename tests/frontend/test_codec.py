"""The messages, judged by Google's own implementation of Protocol Buffers."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message as Judged
from google.protobuf.unknown_fields import UnknownFieldSet
from hypothesis import given
from hypothesis import strategies as st

from dockdsl.frontend import messages
from dockdsl.frontend.codec import Field, Malformed, Message

KINDS: list[type[Message]] = [
    each
    for _, each in inspect.getmembers(messages, inspect.isclass)
    if issubclass(each, Message) and each is not Message
]
TYPE = descriptor_pb2.FieldDescriptorProto
PLAIN = {str: TYPE.TYPE_STRING, bytes: TYPE.TYPE_BYTES, int: TYPE.TYPE_INT64, bool: TYPE.TYPE_BOOL}


def declare(into: Any, name: str, field: Field, number: int | None = None) -> None:
    """Add a field to a descriptor."""
    made = into.field.add(name=name, number=number or field.number, label=TYPE.LABEL_OPTIONAL)
    if issubclass(field.kind, Message):
        made.type, made.type_name = TYPE.TYPE_MESSAGE, f".{field.kind.__name__}"
    else:
        made.type = PLAIN[field.kind]
    if field.many:
        made.label = TYPE.LABEL_REPEATED


def judges() -> dict[type[Message], type[Judged]]:
    """Return the classes of the judge, made of the same declarations."""
    file = descriptor_pb2.FileDescriptorProto(name="gateway.proto", syntax="proto3")
    for kind in KINDS:
        made = file.message_type.add(name=kind.__name__)
        for name, field in kind._fields.items():
            if not field.entries:
                declare(made, name, field)
                continue
            entry = made.nested_type.add(name=f"{name.title().replace('_', '')}Entry")
            entry.options.map_entry = True
            declare(entry, "key", Field(1, str, str))
            declare(entry, "value", field._replace(entries=False), 2)
            made.field.add(
                name=name,
                number=field.number,
                label=TYPE.LABEL_REPEATED,
                type=TYPE.TYPE_MESSAGE,
                type_name=f".{kind.__name__}.{entry.name}",
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {kind: message_factory.GetMessageClass(pool.FindMessageTypeByName(kind.__name__)) for kind in KINDS}


JUDGES = judges()
TEXT = st.text(st.characters(codec="utf-8"), max_size=6)
VALUES: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    bytes: st.binary(max_size=6),
    int: st.integers(-(2**63), 2**63 - 1),
    bool: st.booleans(),
}


def values(kind: type[Message]) -> st.SearchStrategy[Message]:
    """Return messages of a class."""

    def each(field: Field) -> st.SearchStrategy[Any]:
        one = values(field.kind) if issubclass(field.kind, Message) else VALUES[field.kind]
        if field.entries:
            return st.dictionaries(TEXT, one, max_size=2)
        if field.many:
            return st.lists(one, max_size=2)
        return st.none() | one if issubclass(field.kind, Message) else one

    return st.builds(kind, **{name: each(field) for name, field in kind._fields.items()})


MESSAGES = st.sampled_from(KINDS).flatmap(values)


@given(MESSAGES)
def test_what_is_written_is_what_the_judge_writes(message: Message) -> None:
    """The judge reads the same values, and what it writes of them is read back as the same message."""
    kind = type(message)
    judged = JUDGES[kind].FromString(message.written())

    assert message == kind.read(judged.SerializeToString())
    assert message == kind.read(message.written())
    assert 0 == len(UnknownFieldSet(judged))


@given(MESSAGES, st.binary(max_size=4))
def test_fields_that_are_not_declared_are_kept(message: Message, extra: bytes) -> None:
    """A message of another version loses nothing on its way through."""
    more = b"\xaa\xfa\x03" + bytes([len(extra)]) + extra + b"\xb1\xfa\x03" + b"8 bytes." + b"\xbd\xfa\x03" + b"four"
    read = type(message).read(message.written() + more)

    assert more == read.unknown
    assert message.written() + more == read.written()


@given(st.sampled_from(KINDS), st.binary(max_size=60))
def test_damaged_bytes_are_refused_as_the_judge_does(kind: type[Message], data: bytes) -> None:
    """Whatever comes is a message or `Malformed`; what is taken means to the judge what it means here."""
    try:
        read = kind.read(data)
    except Malformed:
        return
    judged = JUDGES[kind].FromString(data)
    assert read.written() == kind.read(judged.SerializeToString()).written() or read.unknown


@given(MESSAGES, st.data())
def test_a_message_that_is_cut_off_is_refused_or_shorter(message: Message, data: st.DataObject) -> None:
    """Of a part of the bytes no more is read than the judge reads."""
    written = message.written()
    part = written[: data.draw(st.integers(0, len(written)))]
    try:
        read = type(message).read(part)
    except Malformed:
        return
    assert read == type(message).read(JUDGES[type(message)].FromString(part).SerializeToString())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x0a\x05ab", "cut off"),
        (b"\x0a\x02\xff\xfe", "not UTF-8"),
        (b"\x08\x01", "another form"),
        (b"\x0b", "not in use"),
        (b"\x80" * 12, "no end"),
    ],
)
def test_why_bytes_are_refused(data: bytes, why: str) -> None:
    """The reason says what is wrong."""
    with pytest.raises(Malformed, match=why):
        messages.SourceInfo.read(data)


def test_the_member_of_a_oneof_is_written_last() -> None:
    """As Go does: BuildKit writes each operation again, and knows it by the digest of that."""
    op = messages.Op(constraints=messages.Constraints(), source=messages.SourceOp(identifier="local://context"))

    assert op.written().startswith(b"\x5a\x00\x1a")
