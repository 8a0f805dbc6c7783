"""USER: as whom commands and containers run."""

from __future__ import annotations

from typing import ClassVar

import attrs

from dockdsl.instructions.converters import number_or_word
from dockdsl.instructions.single import SingleOperand
from dockdsl.syntax.flags import convert_later, plain_if
from dockdsl.syntax.words import Word, is_plain


def _user(value: int | Word) -> Word:
    return number_or_word(value)  # type: ignore[no-any-return]  # what it leaves as it is is refused when spelled


@attrs.frozen(slots=False, repr=False, field_transformer=convert_later)
class User(SingleOperand):
    """As whom later commands and the container run: ``USER user[:group]``.

    Names or numbers, a user alone also as an ``int``. Numbers need no ``/etc/passwd``, and are what Kubernetes can
    check.

    Raises `InvalidValue` for a blank name or one with a newline, `InvalidType` for a wrong type.

    >>> print(User("65532:65532"))
    USER 65532:65532

    Source: the Dockerfile reference, "USER".
    """

    KEYWORD: ClassVar[str] = "USER"
    OPERAND: ClassVar[str] = "user"

    user: Word = attrs.field(converter=_user, metadata=plain_if(is_plain))
