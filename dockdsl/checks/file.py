"""FileCheck: a file of the image, examined without running the image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import attrs

from dockdsl import operands as operand
from dockdsl.checks.check import Check, asked_by
from dockdsl.checks.judging import EXECUTABLE_BY, LONGEST_CONTENT, judged_text
from dockdsl.checks.searching import Searches
from dockdsl.display import megabytes, shown
from dockdsl.errors import InvalidValue, Refused
from dockdsl.operands import Pairs
from dockdsl.syntax.modes import reads_as_mode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockdsl.checks.image_files import Entry, ImageFiles
    from dockdsl.checks.program import Program
    from dockdsl.checks.report import CheckResult
    from dockdsl.checks.subject import Subject

Kind = Literal["file", "directory", "link"]
ExecutableBy = Literal["owner", "group", "other", "any"]


def _path(value: str) -> str:
    if not operand.text(value).startswith("/"):
        raise Refused(f"{shown(value)} is not an absolute path", "write it from the root on, with a slash")
    return value


def _kind(value: Kind | None) -> Kind | None:
    return None if value is None else operand.one_of(value, ("file", "directory", "link"))


def _executable_by(value: ExecutableBy | None) -> ExecutableBy | None:
    return None if value is None else operand.one_of(value, EXECUTABLE_BY)


def _mode(value: int | str | None) -> int | None:
    if value is None:
        return None
    if isinstance(value, str):
        if not (len(value) <= 5 and value and set(value) <= set("01234567")):
            raise Refused(f"{shown(value)} is not a mode", 'write octal digits, such as "0755" or 0o755')
        value = int(value, 8)
    elif isinstance(value, int) and reads_as_mode(value):
        raise Refused(f"{value} is {oct(value)} in octal", f'write "0{value}" or 0o{value}')
    return operand.whole(value, 0, 0o7777)


def _owner(value: str | int | None) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        return str(operand.whole(value, 0, 2**32 - 1))
    if operand.text(value).count(":") > 1 or value.endswith(":"):
        raise Refused(f"{shown(value)} is not an owner", 'write "user", "user:group" or ":group", names or numbers')
    return value


@attrs.frozen(slots=False, repr=False, field_transformer=operand.named)
class FileCheck(Check):
    """A file of the image, and what is expected of it. The image is read and not run, so that it may be on scratch.

    `path`
        From the root on. Symbolic links are followed, as a program would do.
    `exists`
        False expects that there is nothing of that name, not even a link.
    `kind`, `link`
        ``"file"``, ``"directory"`` or ``"link"``; where a symbolic link leads. With either of ``"link"`` and `link`,
        a link at the end of the path is not followed.
    `mode`, `executable_by`
        The permissions, as ``0o755`` or ``"0755"``; one of ``"owner"``, ``"group"``, ``"other"``, ``"any"``.
    `owner`
        ``"65532"``, ``"65532:65532"``, ``":65532"``, or names, which the image's ``/etc/passwd`` and
        ``/etc/group`` list.
    `min_size`, `max_size`
        Bytes: an int, or ``"10MB"``.
    `content`, `no_content`
        A regular expression that must, or must not, be found in it; or several. ``^`` and ``$`` stand for lines.
    `text`
        Its content, character for character.
    `static`
        True expects a program that needs no dynamic linker and no library.
    `architecture`
        The machine that a program is for: ``"amd64"``, ``"arm64"``.
    `go_version`, `go_module`, `go_settings`
        What Go wrote into a program: ``"go1.27"`` or more exactly ``"go1.27.3"``; the path of its module; settings as
        ``go version -m`` shows them, such as ``{"CGO_ENABLED": "0", "vcs.modified": "false"}``.

    Content of more than 16 MiB is not searched. Programs are read with pyelftools, which comes with the extra
    ``runner``. Raises `InvalidValue` and `InvalidType`.

    >>> FileCheck("/api", mode="0755", static=True, max_size="10MB").max_size
    10000000
    >>> FileCheck("/bin/sh", exists=False).title
    'no file /bin/sh'
    """

    path: str = attrs.field(converter=_path)
    exists: bool = attrs.field(default=True, kw_only=True, converter=operand.flag)
    kind: Kind | None = attrs.field(default=None, kw_only=True, converter=_kind)
    link: str | None = attrs.field(default=None, kw_only=True, converter=operand.optional_text)
    mode: int | None = attrs.field(default=None, kw_only=True, converter=_mode)
    executable_by: ExecutableBy | None = attrs.field(default=None, kw_only=True, converter=_executable_by)
    owner: str | None = attrs.field(default=None, kw_only=True, converter=_owner)
    min_size: int | None = attrs.field(default=None, kw_only=True, converter=operand.optional_size)
    max_size: int | None = attrs.field(default=None, kw_only=True, converter=operand.optional_size)
    content: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=operand.patterns)
    no_content: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=operand.patterns)
    text: str | None = attrs.field(default=None, kw_only=True, converter=operand.optional_any_text)
    static: bool = attrs.field(default=False, kw_only=True, converter=operand.flag)
    architecture: str | None = attrs.field(default=None, kw_only=True, converter=operand.optional_text)
    go_version: str | None = attrs.field(default=None, kw_only=True, converter=operand.optional_text)
    go_module: str | None = attrs.field(default=None, kw_only=True, converter=operand.optional_text)
    go_settings: Pairs = attrs.field(default=(), kw_only=True, converter=operand.texts_by_name)

    def __attrs_post_init__(self) -> None:
        if not self.exists and asked_by(self) != ["path", "exists"]:
            raise InvalidValue(f"FileCheck: {self.path} must not exist, so it has no other properties; leave them out")

    @property
    def title(self) -> str:
        """The path."""
        return f"file {self.path}" if self.exists else f"no file {self.path}"

    @property
    def _follows(self) -> bool:
        """Whether a link at the end of the path is followed."""
        return self.exists and self.link is None and self.kind != "link"

    def examine(self, subject: Subject) -> CheckResult:
        """Examine the file in the image's layers."""
        files = subject.files
        entry = files.find(self.path, follow=self._follows)
        wrong: list[str] = []
        details: list[str] = []
        if entry is None:
            wrong += ["expected a file, got none"] if self.exists else []
        elif not self.exists:
            wrong.append(f"expected none, got a {entry.kind}")
        else:
            details = [megabytes(entry.size)] if entry.kind == "file" else [entry.kind]
            details += [f"mode {entry.mode:04o}", f"owner {entry.uid}:{entry.gid}"]
            wrong += [*self._facts(entry, files), *self._content(entry, files), *self._program(entry, files, details)]
        return self.result(wrong, detail=", ".join(details))

    def _facts(self, entry: Entry, files: ImageFiles) -> Iterator[str]:
        if self.kind is not None and entry.kind != self.kind:
            yield f"expected a {self.kind}, got a {entry.kind}"
        if self.link is not None and (entry.kind != "link" or entry.link != self.link):
            yield f"expected a link to {self.link}, got a {entry.kind}" + (f" to {entry.link}" if entry.link else "")
        if self.mode is not None and entry.mode != self.mode:
            yield f"expected mode {self.mode:04o}, got {entry.mode:04o}"
        if self.executable_by is not None and not entry.mode & EXECUTABLE_BY[self.executable_by]:
            yield f"expected it executable by {self.executable_by}, got mode {entry.mode:04o}"
        if self.owner is not None:
            user, _, group = self.owner.partition(":")
            for what, name, found, table in (
                ("owner", user, entry.uid, "/etc/passwd"),
                ("group", group, entry.gid, "/etc/group"),
            ):
                number = name if not name or name.isdecimal() else files.ids(table).get(name)
                if name and number != str(found):
                    yield f"expected {what} {name}, got {found}"
        if self.max_size is not None and entry.size > self.max_size:
            yield "expected at most " + _compared(self.max_size, entry.size)
        if self.min_size is not None and entry.size < self.min_size:
            yield "expected at least " + _compared(self.min_size, entry.size)

    def _content(self, entry: Entry, files: ImageFiles) -> list[str]:
        if self.text is None and not self.content and not self.no_content:
            return []
        if entry.kind != "file":
            return [f"expected content, got a {entry.kind}"]
        if entry.size > LONGEST_CONTENT:
            return [f"expected content of at most {megabytes(LONGEST_CONTENT)}, got {megabytes(entry.size)}"]
        with files.open(entry) as stream:
            content = stream.read()
        return [*judged_text("content", content, self.content, self.no_content, Searches().in_lines, self.text)]

    def _program(self, entry: Entry, files: ImageFiles, details: list[str]) -> list[str]:
        go = self.go_version is not None or self.go_module is not None or bool(self.go_settings)
        if not (self.static or self.architecture is not None or go):
            return []
        from dockdsl.checks.program import program_in  # noqa: PLC0415 - few checks are about programs

        with files.open(entry) as stream:
            program = program_in(stream)
        if program is None:
            return ["expected a program (an ELF file), got another file"]
        details.append(f"{'static' if program.is_static else 'dynamic'} {program.architecture}")
        wrong = []
        if self.static and not program.is_static:
            needs = ", ".join(each for each in (program.interpreter, *program.needed) if each)
            wrong.append(f"expected a static program, got one that needs {needs}")
        if self.architecture is not None and program.architecture != self.architecture:
            wrong.append(f"expected architecture {self.architecture}, got {program.architecture}")
        return wrong + (self._go(program, details) if go else [])

    def _go(self, program: Program, details: list[str]) -> list[str]:
        if program.go is None:
            return ["expected a program that Go 1.18 or later built, got one without build information"]
        details.append(program.go.version)
        wrong = []
        version = program.go.version
        if self.go_version is not None and f"{version}.".find(f"{self.go_version}.") != 0:
            wrong.append(f"expected {self.go_version}, got {version}")
        if self.go_module is not None and program.go.module != self.go_module:
            wrong.append(f"expected Go module {self.go_module}, got {program.go.module or 'none'}")
        for name, value in self.go_settings:
            found = program.go.settings.get(name)
            if found != value:
                wrong.append(f"expected {name}={value}, got {'none' if found is None else found}")
        return wrong


def _compared(expected: int, found: int) -> str:
    """Return two sizes, in bytes where they would look alike otherwise."""
    texts = megabytes(expected), megabytes(found)
    return "{}, got {}".format(*(texts if texts[0] != texts[1] else (f"{expected} B", f"{found} B")))
