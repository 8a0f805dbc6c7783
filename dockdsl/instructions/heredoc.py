"""Heredoc: a file whose content is in the Dockerfile, as a source of COPY or ADD."""

from __future__ import annotations

import re
from typing import Any

import attrs

from dockdsl.display import shown
from dockdsl.errors import InvalidType, InvalidValue, Refused, refuse_type
from dockdsl.instructions.located import Located, put
from dockdsl.origins import Origin
from dockdsl.syntax.layout import pick_delimiter
from dockdsl.syntax.lazy_regex import lazy_regex
from dockdsl.syntax.lines import Document
from dockdsl.syntax.modifiers import modifier_versions, references_in
from dockdsl.syntax.words import Word, atoms_of, check_characters, read_word, text_of, word

_is_name = lazy_regex(r"[A-Za-z0-9_.+=@%^,:~][A-Za-z0-9_.+=@%^,:~-]*")
# In quotes, any characters but those that end them, start another heredoc or separate the parts of a path.
_is_quoted_name = lazy_regex(r"[^\s'<>/\\]+")
_find_tabs = lazy_regex(r"^\t+", re.MULTILINE)
_BOM = "\ufeff"


def _given(name: str | None) -> Any:
    # None stays until the content is known, from which the name is chosen.
    return None if name is None else text_of(name)


@attrs.frozen(slots=False, repr=False)
class Heredoc(Located):
    """A file whose content is in the Dockerfile: one of the sources of `Copy` or `Add`.

    `content`
        The content, character for character. It is empty or ends with a newline, and has no NUL character.
    `name`
        The name of the file, if the destination is a folder. It may have any characters except whitespace, quotes,
        angle brackets, slashes and backslashes; with `expand`, only letters, digits and ``_.+=@%^,:~-``, not starting
        with a dash. It is also the delimiter, so no line of the content may equal it. By default, the delimiter is
        ``EOF``, or ``EOF2`` and so on if the content has such a line.
    `expand`
        Whether BuildKit expands ``$NAME`` in the content, as in other operands; `literal` makes plain dollars.

    Raises `InvalidValue` for any other content or name, `InvalidType` for a wrong type.

    >>> from dockdsl import Copy
    >>> print(Copy([Heredoc("a\\n", "a.txt"), Heredoc("b\\n", "b.txt")], "/etc/app/"))
    COPY <<'a.txt' <<'b.txt' /etc/app/
    a
    a.txt
    b
    b.txt

    Source: the Dockerfile reference, "Here-Documents".
    """

    content: Word = attrs.field(converter=word)
    name: str = attrs.field(default=None, converter=_given)
    expand: bool = attrs.field(default=False, kw_only=True)
    _lines: str = attrs.field(init=False, eq=False, repr=False)

    def complete(self, *, is_normal: bool = False) -> None:
        """Write the content, and choose a delimiter if none is given."""
        try:
            lines = self._written()
            self._check_name(lines)
        except Refused as refused:
            raise refused.error("Heredoc", self.origin) from None
        put(self, "_lines", lines)
        if self.name is None:
            put(self, "name", pick_delimiter(lines))

    @classmethod
    def read(cls, document: Document, origin: Origin) -> Heredoc:
        """Read the body of a heredoc, without the tabs that ``<<-`` strips."""
        text = document.content
        if document.word.strip_tabs:
            text = _find_tabs().sub("", text)
        content = text if document.word.quoted else read_word(text, "\\", quotes=False)
        try:
            return cls.from_parsed(
                origin, {"content": content, "name": document.word.name, "expand": not document.word.quoted}
            )
        except (InvalidType, InvalidValue) as error:
            raise Refused(error.message, "") from None

    def _written(self) -> str:
        if not self.expand:
            if not isinstance(self.content, str):
                raise Refused(
                    f"the content is {shown(self.content)}, and nothing in it is expanded",
                    "pass a str, or expand=True",
                    wrong_type=True,
                )
            text = self.content
            check_characters(text, control=True)
        else:
            # Quotes stand for themselves in a heredoc; the escape is a backslash whatever the directive says.
            table = str.maketrans({"\\": "\\\\", "$": "\\$"})
            atoms = atoms_of(self.content, control=True)
            text = "".join([part if reference else part.translate(table) for reference, part in atoms])
            if text.startswith(_BOM):
                # BuildKit drops a byte order mark at the start of what it expands, unless it is escaped.
                text = f"\\{text}"
        if "\0" in text:
            raise Refused("the content has a NUL character", "copy the file from the build context")
        if text and not text.endswith("\n"):
            raise Refused(f"the content {shown(text)} does not end with a newline, and a heredoc always does", "add it")
        return text

    def _check_name(self, body: str) -> None:
        if self.name is None:
            return
        if not isinstance(self.name, str):
            raise refuse_type("name", self.name, "pass a str")
        bad = not _is_name().fullmatch(self.name) and (
            self.expand or not _is_quoted_name().fullmatch(self.name) or not self.name.isprintable()
        )
        if bad or self.name in (".", ".."):
            raise Refused(f"the name {shown(self.name)} cannot be a delimiter", "use letters, digits and _.+=@%^,:~-")
        if self.name in {line.rstrip("\r") for line in body.split("\n")}:
            raise Refused(f"the name {self.name!r} is also a line of the content", "use another name")

    @property
    def word(self) -> str:
        """The word that starts the heredoc; in quotes, which prevent expansion, unless `expand` is set."""
        return f"<<{self.name}" if self.expand else f"<<'{self.name}'"

    @property
    def body(self) -> str:
        """The lines after the instruction, including the delimiter, without the last newline."""
        return f"{self._lines}{self.name}"

    def features(self) -> list[str]:
        """The frontend versions that introduced what is used here."""
        return ["1.4", *(modifier_versions("".join(references_in(self.content))) if self.expand else ())]

    def __repr__(self) -> str:
        return f"Heredoc({self.content!r}, {self.name!r}{', expand=True' if self.expand else ''})"
