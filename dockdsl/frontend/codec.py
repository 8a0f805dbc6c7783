"""Protocol Buffers, as far as the messages of BuildKit need them: varints, texts, bytes, messages, lists and maps.

A class declares the fields that are used here, in the order in which they are written: Go writes the members of a oneof
last, and BuildKit knows an operation by the digest of its bytes. Fields that a class does not declare are kept as they
came, and written at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, Self, TypeVar, dataclass_transform

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED = {_FIXED64: 8, _FIXED32: 4}
_LONGEST = 64
"""Bits of a varint."""
_LAST = 2**29 - 1
"""The highest number of a field."""
M = TypeVar("M", bound="Message")
Kind = type[str] | type[bytes] | type[int] | type[bool] | type["Message"]


class Malformed(ValueError):
    """Bytes that are not a message of that class."""


class Field(NamedTuple):
    """How a field is written: one value, a list of them (`many`), or a map from texts to them (`entries`)."""

    number: int
    kind: Kind
    default: Callable[[], Any]
    many: bool = False
    entries: bool = False


def plain(number: int, *, default: Any) -> Any:
    """Declare a text, bytes, a number or a truth value; one that is empty is not written."""
    return Field(number, type(default), lambda: default)


def one(number: int, kind: type[M], *, default: None = None) -> Any:
    """Declare a message that may be there."""
    return Field(number, kind, lambda: default)


def many(number: int, kind: Kind, *, default_factory: Callable[[], Any] = list) -> Any:
    """Declare a list."""
    return Field(number, kind, default_factory, many=True)


def entries(number: int, kind: Kind, *, default_factory: Callable[[], Any] = dict) -> Any:
    """Declare a map, whose keys are texts; it is written in their order."""
    return Field(number, kind, default_factory, entries=True)


@dataclass_transform(kw_only_default=True, field_specifiers=(plain, one, many, entries))
class Message:
    """A message; `read` and `written` are the two directions."""

    _fields: ClassVar[dict[str, Field]] = {}
    _names: ClassVar[dict[int, str]] = {}
    unknown: ClassVar[bytes] = b""
    """The fields that the class does not declare, as they came."""

    def __init_subclass__(cls) -> None:
        cls._fields = {name: value for name, value in vars(cls).items() if isinstance(value, Field)}
        cls._names = {field.number: name for name, field in cls._fields.items()}

    def __init__(self, **values: Any) -> None:
        for name, field in self._fields.items():
            setattr(self, name, values[name] if name in values else field.default())

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        values = (f"{name}={getattr(self, name)!r}" for name in self._fields if getattr(self, name))
        return f"{type(self).__name__}({', '.join(values)})"

    def written(self) -> bytes:
        """Return the bytes of the message."""
        out = bytearray()
        for name, field in self._fields.items():
            value = getattr(self, name)
            if field.entries:
                for key in sorted(value):
                    _put_bytes(out, field.number, _entry(key, value[key], field.kind))
            elif field.many:
                for each in value:
                    _put(out, field.number, each)
            elif value or (value is not None and issubclass(field.kind, Message)):
                _put(out, field.number, value)
        return bytes(out) + self.unknown

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Return the message that these bytes are. Raises `Malformed`."""
        made, unknown, at = cls(), bytearray(), 0
        while at < len(data):
            start = at
            number, value, at = _next(data, at)
            name = cls._names.get(number)
            if name is None:
                unknown += data[start:at]
                continue
            field = cls._fields[name]
            if field.entries:
                key, inner = _read_entry(value, field.kind)
                getattr(made, name)[key] = inner
            elif field.many:
                getattr(made, name).append(_value(value, field.kind))
            else:
                setattr(made, name, _value(value, field.kind))
        if unknown:
            setattr(made, "unknown", bytes(unknown))  # noqa: B010 - the class has the value of those without any
        return made


def _varint(value: int) -> bytes:
    value &= (1 << _LONGEST) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _put(out: bytearray, number: int, value: str | bytes | int | Message) -> None:
    if isinstance(value, int):
        out += _varint(number << 3 | _VARINT) + _varint(value)
    else:
        _put_bytes(out, number, _as_bytes(value))


def _put_bytes(out: bytearray, number: int, data: bytes) -> None:
    out += _varint(number << 3 | _BYTES) + _varint(len(data)) + data


def _as_bytes(value: str | bytes | Message) -> bytes:
    if isinstance(value, Message):
        return value.written()
    return value.encode() if isinstance(value, str) else value


def _entry(key: str, value: Any, kind: Kind) -> bytes:
    out = bytearray()
    _put_bytes(out, 1, key.encode())
    if value or issubclass(kind, Message):
        _put(out, 2, value)
    return bytes(out)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < _LONGEST and at < len(data):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (1 << _LONGEST) - 1, at
        shift += 7
    raise Malformed("a number in it has no end")


def _next(data: bytes, at: int) -> tuple[int, int | bytes, int]:
    """Return number and value of the field at a place, and where the next one is."""
    key, at = _read_varint(data, at)
    form = key & 7
    if not 0 < key >> 3 <= _LAST:
        raise Malformed(f"{key >> 3} is not the number of a field")
    if form == _VARINT:
        value, at = _read_varint(data, at)
        return key >> 3, value, at
    if form == _BYTES:
        size, at = _read_varint(data, at)
    elif form in _FIXED:
        size = _FIXED[form]
    else:
        raise Malformed(f"field {key >> 3} has a form ({form}) that is not in use")
    if at + size > len(data):
        raise Malformed(f"field {key >> 3} is cut off")
    return key >> 3, data[at : at + size], at + size


def _value(value: int | bytes, kind: Kind) -> Any:
    if isinstance(value, int) != issubclass(kind, int):
        raise Malformed(f"a field of another form than {kind.__name__}")
    if isinstance(value, int):
        if kind is bool:
            return value != 0
        return value - (1 << _LONGEST) if value >> (_LONGEST - 1) else value
    if issubclass(kind, Message):
        return kind.read(value)
    if kind is bytes:
        return value
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"a text that is not UTF-8 ({error.reason})") from None


def _read_entry(data: int | bytes, kind: Kind) -> tuple[str, Any]:
    if isinstance(data, int):
        raise Malformed("an entry of a map that is a number")
    key, value, at = "", kind(), 0
    while at < len(data):
        number, each, at = _next(data, at)
        if number == 1:
            key = _value(each, str)
        elif number == 2:
            value = _value(each, kind)
    return key, value
