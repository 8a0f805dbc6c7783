"""USER: the user that runs commands and containers."""

from __future__ import annotations

from typing import ClassVar

import attrs

from dockdsl.instructions.constructor import plain_if
from dockdsl.instructions.converters import number_or_word
from dockdsl.instructions.single import SingleOperand
from dockdsl.syntax.flags import convert_later
from dockdsl.syntax.words import Word, is_plain


def _user(value: int | Word) -> Word:
    return number_or_word(value)  # type: ignore[no-any-return]  # other values are refused when written


@attrs.frozen(slots=False, repr=False, field_transformer=convert_later)
class User(SingleOperand):
    """Set the user that runs the commands that follow and the container: ``USER user[:group]``.

    Names or numbers; a number without a group may also be an ``int``. Numbers work without ``/etc/passwd``, and
    Kubernetes can check that they are not root.

    Raises `InvalidValue` for a user that is blank or has a newline, `InvalidType` for a wrong type.

    >>> print(User("65532:65532"))
    USER 65532:65532

    Source: the Dockerfile reference, "USER".
    """

    KEYWORD: ClassVar[str] = "USER"
    OPERAND: ClassVar[str] = "user"

    user: Word = attrs.field(converter=_user, metadata=plain_if(is_plain))
