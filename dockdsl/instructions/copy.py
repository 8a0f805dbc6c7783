"""COPY: files from the build context, another stage or an image."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Self

import attrs

from dockdsl.display import shown
from dockdsl.errors import Refused, refuse_type
from dockdsl.instructions.constructor import are_all, plain_if
from dockdsl.instructions.converters import tuple_of
from dockdsl.instructions.heredoc import Heredoc
from dockdsl.instructions.instruction import Instruction
from dockdsl.instructions.sources import Reference, Source, plain_source, read_source, source_name, write_source
from dockdsl.syntax.flags import OPERAND, SWITCH, TEXT, Kind, convert_later, flag
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.lazy_regex import lazy_regex
from dockdsl.syntax.lines import heredoc_of
from dockdsl.syntax.patterns import check_pattern, is_easy, is_plain_path, is_remote, is_settled, source
from dockdsl.syntax.words import Literal, Spelling, Word, array, json_text, plain, word, word_or_none

FileSource = Word | Heredoc
_is_chmod = lazy_regex(r"0*[0-7]{1,4}|[ugoa]*(?:[-+=][rwxXstugo]*)+(?:,[ugoa]*(?:[-+=][rwxXstugo]*)+)*")
_is_octal = lazy_regex(r"[0-7]+")


def sources_of(value: FileSource | Iterable[FileSource]) -> tuple[FileSource, ...]:
    """Return the sources as a tuple of normalized operands."""
    if type(value) is str:
        return (source(value),)
    given = (value,) if isinstance(value, Heredoc) else tuple_of(value)
    return tuple([each if isinstance(each, Heredoc) else source(each) for each in given])


def excludes_of(value: str | Iterable[str]) -> tuple[str, ...]:
    """Return the patterns to leave out as a tuple."""
    return tuple([plain(each) for each in found]) if (found := tuple_of(value)) else ()


def _write_chmod(spelling: Spelling, value: Any) -> str:
    if isinstance(value, int):
        raise Refused(
            f"the mode {shown(value)} is a number, and 755 would not mean the permissions 755",
            'write the digits as text, "0755"',
            wrong_type=True,
        )
    if isinstance(value, Literal) or (isinstance(value, str) and "$" not in value and not _is_chmod().fullmatch(value)):
        fact = f"the mode {shown(value)} is neither octal nor symbolic"
        raise Refused(fact, 'write "0755" or "u=rwX,go=rX"', by_build=True)
    return spelling.lexed(value)


def _plain_chmod(value: Any) -> str | None:
    return f"={value}" if type(value) is str and _is_octal().fullmatch(value) and len(value) <= 4 else None


FROM = flag("from", Kind(write_source, read_source, plain=plain_source))
CHMOD = flag("chmod", OPERAND._replace(write=_write_chmod, plain=_plain_chmod), since="1.2")
CHOWN = flag("chown", OPERAND)
EXCLUDE = flag("exclude", TEXT, since="1.19", repeatable=True)


@attrs.frozen(slots=False, repr=False, field_transformer=convert_later)
class FileInstruction(Instruction):
    """What COPY and ADD share: sources, a destination, and heredocs among the sources."""

    IS_REMOTE: ClassVar[bool] = True
    """Whether a source may be remote."""

    sources: tuple[FileSource, ...] = attrs.field(converter=sources_of, metadata=plain_if(is_plain_path, several=True))
    destination: Word = attrs.field(converter=word, metadata=plain_if(is_plain_path))

    @classmethod
    def text(
        cls,
        content: Word,
        destination: Word,
        *,
        name: str | None = None,
        expand: bool = False,
        chmod: Word | None = None,
        chown: Word | None = None,
        link: bool | None = None,
    ) -> Self:
        """Write a file whose content is in the Dockerfile itself.

        `content`
            The content, character for character. It is empty or ends with a newline.
        `destination`
            The path of the file, or of its folder (which ends with ``/``).
        `name`
            The name of the file, if `destination` is a folder.
        `expand`
            Whether BuildKit expands ``$NAME`` in the content.
        `chmod`, `chown`, `link`
            As for `Copy`.

        Raises `InvalidValue` for content without a newline at its end or with a NUL character, `InvalidType` for a
        wrong type.

        >>> from dockdsl import Add
        >>> print(Copy.text("listen = 8080\\n", "/etc/api.conf", chmod="0644"))
        COPY --chmod=0644 <<'EOF' /etc/api.conf
        listen = 8080
        EOF
        >>> print(Add.text("hello\\n", "/srv/hello.txt"))
        ADD <<'EOF' /srv/hello.txt
        hello
        EOF

        Source: the Dockerfile reference, "Here-Documents".
        """
        heredoc = Heredoc(content, name, expand=expand)
        return cls(heredoc, destination, chmod=chmod, chown=chown, link=link)  # type: ignore[call-arg]  # of the subclasses

    @classmethod
    def read_operands(cls, line: Line) -> dict[str, Any]:
        elements = line.array()
        words = line.words() if elements is None else elements
        if len(words) < 2:
            raise line.wrong("a source or the destination is missing", f"write {cls.KEYWORD} source destination")
        *sources, destination = words
        if elements is None and not line.documents and are_all(is_plain_path, words):
            return {"sources": tuple(sources), "destination": destination}
        if heredoc_of(destination) is not None:
            raise line.wrong("the destination is a heredoc", "write a path last", destination)
        starts = [heredoc_of(each) for each in sources] if "<<" in line.text else []
        named = [each.name for each in starts if each is not None]
        if named != [each.word.name for each in line.documents] or (named and elements is not None):
            raise Refused("a word looks like a heredoc but is not one", "write a file with Copy.text()")
        documents = iter(line.documents)
        read: list[FileSource] = []
        for index, each in enumerate(sources):
            if named and starts[index] is not None:
                read.append(Heredoc.read(next(documents), line.origin))
                continue
            word = line.word(each)
            if not is_settled(word):
                raise Refused(
                    f"the source {shown(word)} is a pattern that dockdsl cannot write in the same way",
                    "rename the file",
                )
            read.append(word)
        return {"sources": tuple(read), "destination": line.word(destination)}

    def operands(self, spelling: Spelling) -> Sequence[str]:
        operands = (*self.sources, self.destination)
        if len(operands) > 1 and are_all(is_plain_path, operands):
            return operands  # type: ignore[return-value]  # all are texts
        for each in self.sources:
            if not self.IS_REMOTE and is_remote(each):
                raise Refused(
                    f"the source {shown(each)} is remote, and {self.KEYWORD} takes only files of the build",
                    "use ADD",
                    by_build=True,
                )
        if not self.sources:
            raise Refused("no source is given", "name at least one file")
        from_context = getattr(self, "from_", None) is None
        for each in self.sources:
            _check_source(each, from_context=from_context)
        destination = self.destination
        if isinstance(destination, Heredoc):
            raise refuse_type("destination", destination, "pass a path")
        if isinstance(destination, str) and not destination:
            raise Refused("the destination is empty", 'write "." for the working directory')
        names = [each.name for each in self.sources if isinstance(each, Heredoc)]
        if len(set(names)) < len(names):
            raise Refused(
                "two heredocs have the same name, and only the last would be written", "give them different names"
            )
        pieces = [each.word if isinstance(each, Heredoc) else spelling.path(each) for each in operands]
        bare = [piece for piece in pieces if piece is not None]
        if len(bare) == len(pieces):
            return bare
        if names:
            return [each.word if isinstance(each, Heredoc) else _beside_heredoc(spelling, each) for each in operands]
        return array([json_text(spelling.lexed(each)) for each in operands if not isinstance(each, Heredoc)])

    def references(self) -> tuple[Reference, ...]:
        """The build context, if a file is copied from it."""
        for each in self.sources:
            if type(each) is str and ":" not in each:
                return _CONTEXT
            if not isinstance(each, Heredoc) and not is_remote(each):
                return _CONTEXT
        return ()

    def expanded(self) -> Iterable[object]:
        """The operands, and the content of heredocs that are expanded."""
        return [
            *super().expanded(),
            *[each.content for each in self.sources if isinstance(each, Heredoc) and each.expand],
        ]

    def bodies(self) -> Sequence[str]:
        return [each.body for each in self.sources if isinstance(each, Heredoc)]

    def features(self) -> list[str]:
        needed = super().features()
        # The flags came with one version, and some forms of their values with later ones.
        chmod, chown = getattr(self, "chmod", None), getattr(self, "chown", None)
        if chmod is not None and not (isinstance(chmod, str) and _is_octal().fullmatch(chmod)):
            needed.append("1.10" if "$" in str(chmod) else "1.14")
        if chown is not None and not (isinstance(chown, str) and "$" not in chown):
            needed.append("1.2")
        for each in self.sources:
            if isinstance(each, Heredoc):
                needed += each.features()
        return needed


_CONTEXT = (Reference(None, "copy"),)


def _beside_heredoc(spelling: Spelling, value: Word) -> str:
    # A heredoc needs the plain form, which is split at whitespace, quoted or not.
    spelled = spelling.lexed(value)
    if any(char in " \t" for char in spelled):
        raise Refused(
            f"the path {shown(value)} has whitespace, and next to a heredoc BuildKit splits paths at whitespace",
            "write the file to a path without whitespace",
        )
    if spelled != spelled.strip():
        # BuildKit strips all kinds of whitespace from the ends of the line.
        return spelling.value(value)
    # Two dashes would start a flag.
    return spelling.escape + spelled if spelled.startswith("--") else spelled


def _check_source(value: FileSource, *, from_context: bool) -> None:
    if isinstance(value, Heredoc) or (type(value) is str and is_easy(value)):
        return
    if not isinstance(value, (str, Literal)):
        raise refuse_type("source", value, "pass a str or a Heredoc")
    if value == "":
        raise Refused("a source is empty", 'write "." for the whole context')
    if not is_remote(value):
        check_pattern(value, from_context=from_context)


@attrs.frozen(slots=False, repr=False, field_transformer=convert_later)
class Copy(FileInstruction):
    """Copy files into the image: ``COPY [flags] source… destination``.

    `sources`
        One path or several, relative to the build context (or to the root of `from_`). A path is a pattern with
        the wildcards ``*``, ``?`` and ``[…]``; `literal` names exactly that file. ``$NAME`` is expanded.
        A `Heredoc` is a file whose content is in the Dockerfile. In a path that has wildcards, a backslash escapes
        the next character; in any other path, it is an ordinary character.
    `destination`
        A path relative to the working directory of the stage; a folder if it ends with ``/``. Several sources need
        a folder: if it neither ends with ``/`` nor exists, only the last source is kept.
    `from_`
        A `Stage`, or the name of an image or a named context. Variables in it are not expanded.
    `chmod`
        Permissions as text: ``"0755"`` or ``"u=rwX,go=rX"``.
    `chown`
        ``user`` or ``user:group``, as names or numbers.
    `link`
        Whether the files are copied into an independent layer, which stays valid if earlier layers change.
    `parents`
        Whether the folders of the sources are kept; ``/./`` in a source marks where they begin.
    `exclude`
        Patterns of files to leave out. Variables in them are not expanded.

    Raises `InvalidValue` for a value that cannot be written in a Dockerfile, `InvalidType` for a wrong type.

    >>> print(Copy("go.mod", "./"))
    COPY go.mod ./
    >>> print(Copy(["my file.txt"], "/srv/", chown="65532:65532"))
    COPY --chown=65532:65532 ["my file.txt", "/srv/"]

    Source: the Dockerfile reference, "COPY".
    """

    KEYWORD: ClassVar[str] = "COPY"
    IS_REMOTE: ClassVar[bool] = False

    from_: Source | None = attrs.field(
        default=None,
        converter=source_name,
        kw_only=True,
        metadata=FROM,
    )
    chmod: Word | None = attrs.field(default=None, converter=word_or_none, kw_only=True, metadata=CHMOD)
    chown: Word | None = attrs.field(default=None, converter=word_or_none, kw_only=True, metadata=CHOWN)
    link: bool | None = attrs.field(default=None, kw_only=True, metadata=flag("link", SWITCH, since="1.4"))
    parents: bool | None = attrs.field(default=None, kw_only=True, metadata=flag("parents", SWITCH, since="1.20"))
    exclude: tuple[str, ...] = attrs.field(default=(), converter=excludes_of, kw_only=True, metadata=EXCLUDE)

    def references(self) -> tuple[Reference, ...]:
        if self.from_ is None:
            return super().references()
        return (Reference(self.from_, "copy"),)
