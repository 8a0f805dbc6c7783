"""ADD: files from URLs, Git repositories and archives."""

from __future__ import annotations

from typing import ClassVar

import attrs

from dockdsl.display import shown
from dockdsl.errors import Refused
from dockdsl.instructions.copy import CHMOD, CHOWN, EXCLUDE, FileInstruction, excludes_of
from dockdsl.syntax.flags import OPERAND, SWITCH, convert_later, flag
from dockdsl.syntax.lazy_regex import lazy_regex
from dockdsl.syntax.patterns import is_remote
from dockdsl.syntax.words import Literal, Word, word_or_none

_is_git = lazy_regex(r"https?://[^?#]*\.git(?:[?#]|$)|git://|ssh://|git@|[\w.-]+@[\w.-]+:")
_is_checksum = lazy_regex(r"sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}")
_is_commit = lazy_regex(r"[0-9a-f]{7,64}")


@attrs.frozen(slots=False, repr=False, field_transformer=convert_later)
class Add(FileInstruction):
    """Add files from a URL, a Git repository or an archive: ``ADD [flags] source… destination``.

    `sources`, `destination`, `chmod`, `chown`, `link`, `exclude`
        As for `Copy`. A source may also be a URL or a Git repository, and a local archive is unpacked.
    `keep_git_dir`
        Whether the ``.git`` folder of a Git source is kept.
    `checksum`
        The ``sha256:…`` digest of the file at a URL, or the commit of a Git source. Requires exactly one source.
    `unpack`
        Whether an archive is unpacked. By default, a local archive is and a remote one is not.

    Raises `InvalidValue` for a value that cannot be written in a Dockerfile, `InvalidType` for a wrong type.

    >>> print(Add("https://example.com/a.tar.gz", "/opt/", unpack=True))
    ADD --unpack https://example.com/a.tar.gz /opt/

    Source: the Dockerfile reference, "ADD".
    """

    KEYWORD: ClassVar[str] = "ADD"

    keep_git_dir: bool | None = attrs.field(
        default=None, kw_only=True, metadata=flag("keep-git-dir", SWITCH, since="1.6")
    )
    checksum: Word | None = attrs.field(
        default=None, converter=word_or_none, kw_only=True, metadata=flag("checksum", OPERAND, since="1.6")
    )
    chmod: Word | None = attrs.field(default=None, converter=word_or_none, kw_only=True, metadata=CHMOD)
    chown: Word | None = attrs.field(default=None, converter=word_or_none, kw_only=True, metadata=CHOWN)
    link: bool | None = attrs.field(default=None, kw_only=True, metadata=flag("link", SWITCH, since="1.4"))
    unpack: bool | None = attrs.field(default=None, kw_only=True, metadata=flag("unpack", SWITCH, since="1.17"))
    exclude: tuple[str, ...] = attrs.field(default=(), converter=excludes_of, kw_only=True, metadata=EXCLUDE)

    def check_together(self) -> None:
        """Refuse a checksum where there is nothing to verify."""
        checksum = self.checksum
        if checksum is not None:
            if len(self.sources) != 1 or not self._may_be_remote():
                raise Refused(
                    "a checksum needs exactly one source, which must be remote",
                    "split the instruction, or leave the checksum out",
                    by_build=not self._depends(checksum),
                )
            if isinstance(checksum, Literal) or (
                isinstance(checksum, str)
                and "$" not in checksum
                and not (_is_checksum().fullmatch(checksum) or _is_commit().fullmatch(checksum))
            ):
                source = self.sources[0]
                is_git = isinstance(source, str) and _is_git().match(source) is not None
                raise Refused(
                    f"{shown(checksum)} is not a checksum",
                    "write sha256: followed by 64 hexadecimal digits",
                    by_build=not (is_git or self._depends(checksum)),
                )

    def _may_be_remote(self) -> bool:
        source = self.sources[0]
        return is_remote(source) or (isinstance(source, str) and source.startswith("$"))

    def _depends(self, checksum: Word) -> bool:
        """Whether a variable tells what the checksum or a source is."""
        return any(isinstance(each, str) and "$" in each for each in (checksum, *self.sources))

    def features(self) -> list[str]:
        needed = super().features()
        for each in self.sources:
            if isinstance(each, str) and _is_git().match(each):
                needed.append("1.18" if "?" in each else "1.16" if self.checksum is not None else "1.6")
        return needed
