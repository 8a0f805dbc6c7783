"""What is known of the files of a stage after each of its steps, and what is not."""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from typing import Literal, NamedTuple, Protocol

from dockdsl.context.ignoring import Patterns
from dockdsl.context.sending import BuildContext
from dockdsl.lint.images import Image

Kind = Literal["file", "folder", "absent", "unlikely", "unknown"]
"""What is at a path. What is unlikely could only be there if the base image had it, and such images do not."""
_DEEPEST = 100
"""Stages that a path is followed through; what is behind them is not known."""
_FOLDERS = frozenset(
    """/ /bin /boot /dev /etc /home /lib /media /mnt /opt /proc /root /run /sbin /srv /sys /tmp /usr /usr/bin /usr/lib
    /usr/local /usr/local/bin /usr/local/lib /usr/local/sbin /usr/local/share /usr/sbin /usr/share /usr/src /var
    /var/cache /var/lib /var/log /var/run /var/tmp /etc/ssl /etc/ssl/certs /etc/init.d /etc/profile.d""".split()
)
_OF_SYSTEMS = frozenset("bin boot dev lib lib32 lib64 libx32 proc run sbin sys tmp usr var root".split())
_IN_ETC = frozenset(
    """alpine-release alternatives apk apt bash.bashrc bindresvport.blacklist ca-certificates ca-
    certificates.conf conf.d cron.d cron.daily crontabs debconf.conf debian_version default deluser.conf
    adduser.conf dpkg environment fstab gai.conf group group- gshadow host.conf hostname hosts init.d inittab
    inputrc issue issue.net kernel ld.so.cache ld.so.conf ld.so.conf.d libaudit.conf localtime login.defs
    logrotate.d lsb-release machine-id modprobe.d modules modules-load.d motd mtab network networks
    nsswitch.conf opt os-release pam.conf pam.d passwd passwd- periodic perl profile profile.d protocols rc0.d
    rc1.d rc2.d rc3.d rc4.d rc5.d rc6.d rcS.d resolv.conf rmt rpc secfixes.d security securetty selinux services
    shadow shadow- shells skel ssl ssh subgid subuid sysctl.conf sysctl.d systemd terminfo timezone udhcpc
    udhcpd.conf update-motd.d xattr.conf""".split()
)
_IN_FOLDERS = {
    "usr": frozenset("bin games include lib lib32 lib64 libexec libx32 local sbin share src".split()),
    "usr/local": frozenset("bin bundle cargo etc games go include lib lib64 libexec man rustup sbin share src".split()),
    "var": frozenset("backups cache empty lib local lock log mail opt run spool tmp www".split()),
    "tmp": frozenset[str](),
}
"""What is in some folders of them."""
_SHELLS = frozenset({"sh", "ash", "bash", "busybox", "dash"})
_PROGRAMS = ("/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/usr/local/bin/", "/usr/local/sbin/", "/busybox/")


class Place(NamedTuple):
    """What is at a path."""

    kind: Kind
    context: str | None = None
    """The path in the build context that it comes from."""
    content: str | None = None
    """What is in it, if a heredoc says that."""


class Source(Protocol):
    """Where the contents of a folder come from."""

    depth: int
    """Stages that may be behind it."""

    def look(self, path: str) -> Place:
        """Return what it has at a path, which begins with a slash, or is empty for itself."""


class Unknown:
    """What nothing is known of."""

    depth = 0

    def look(self, path: str) -> Place:
        """Return that it is not known."""
        return Place("unknown")


class Base:
    """The image that a stage begins with."""

    depth = 0

    def __init__(self, image: Image) -> None:
        """Take its name."""
        self.image = image

    def look(self, path: str) -> Place:
        """Return what the image has at a path."""
        if path in ("", "/"):
            return Place("folder")
        if self.image.is_scratch:
            return Place("absent")
        if self.image.is_distroless:
            if "/static" in self.image.name and path.startswith(("/lib/ld-", "/lib64/ld-")):
                return Place("absent")
            is_lacking = self.image.is_bare or path.rpartition("/")[2] in _SHELLS
            return Place("absent" if path.startswith(_PROGRAMS) and is_lacking else "unknown")
        if self.image.is_plain:
            return Place("folder" if path in _FOLDERS else "unlikely" if _is_unlikely(path) else "unknown")
        return Place("unknown")


def _is_unlikely(path: str) -> bool:
    parts = path.split("/")[1:]
    if parts[0] == "etc":
        return parts[1] not in _IN_ETC
    for folder, names in _IN_FOLDERS.items():
        inside = path[1:].removeprefix(f"{folder}/")
        if inside != path[1:] and inside.partition("/")[0] not in names:
            return True
    return parts[0] not in _OF_SYSTEMS


class FromContext:
    """A folder of the build context, as it is copied."""

    depth = 0

    def __init__(self, context: BuildContext, folder: str, excluded: Patterns | None) -> None:
        """Take the folder, and what is left out of the copy."""
        self.context = context
        self.folder = folder
        self.excluded = excluded

    def look(self, path: str) -> Place:
        """Return what is copied to a path."""
        inside = f"{self.folder}{path}".strip("/")
        way = self.context.folder.follow(inside, last=False)
        if way.links or way.kind == "link" or not way.is_known:
            return Place("unknown")
        if self.excluded is not None and path and self.excluded.leaves_out(path.strip("/")):
            return Place("unknown")
        if way.kind is None or not self.context.is_sent(way.end, way.kind):
            return Place("absent")
        return Place("folder" if way.kind == "folder" else "file", way.end)


class FromStage:
    """A folder of a stage, after one of its steps."""

    def __init__(self, files: Files, at: int, folder: str) -> None:
        """Take the files of the stage, the place among its steps, and the folder, which is empty for the root."""
        self.files = files
        self.at = at
        self.folder = folder
        self.depth = files.depth + 1

    def look(self, path: str) -> Place:
        """Return what the folder has at a path."""
        return self.files.look(f"{self.folder}{path}" or "/", self.at)


class _Entry(NamedTuple):
    number: int
    what: Literal["file", "folder", "unknown"] | Source
    context: str | None = None
    content: str | None = None


class Files:
    """What steps made in a stage, in the order in which they made it.

    Nothing is listed: a copied folder is looked into where something in it is asked for. Paths begin with a slash.
    """

    def __init__(self, base: Source) -> None:
        """Begin with what is below the stage."""
        self.depth = base.depth
        self._base: Source = base if base.depth < _DEEPEST else Unknown()
        self._entries: dict[str, list[_Entry]] = {}
        self._runs: list[int] = []
        self.now = 0
        """The number of what was made last."""

    def add_file(self, path: str, context: str | None = None, content: str | None = None) -> None:
        """Note a file, and the path in the context that it comes from, or what is in it."""
        self.add_folder(path.rpartition("/")[0] or "/")
        self._add(path, "file", context, content)

    def add_folder(self, path: str) -> None:
        """Note a folder, with those above it."""
        at = path
        while at not in ("", "/"):
            self._add(at, "folder")
            at = at.rpartition("/")[0]

    def fill(self, path: str, source: Source) -> None:
        """Note that a folder gets the contents of another one."""
        self.add_folder(path)
        self.depth = max(self.depth, source.depth)
        self._add(path, source if source.depth < _DEEPEST else "unknown")

    def forget(self, path: str) -> None:
        """Note that it is not known any more what is at a path, and below it."""
        self._add(path, "unknown")

    def run(self) -> None:
        """Note that a command ran, which may have changed anything."""
        self.now += 1
        self._runs.append(self.now)

    def _add(
        self,
        path: str,
        what: Literal["file", "folder", "unknown"] | Source,
        context: str | None = None,
        content: str | None = None,
    ) -> None:
        self.now += 1
        self._entries.setdefault(path, []).append(_Entry(self.now, what, context, content))

    def look(self, path: str, at: int | None = None, *, trusting: bool = False) -> Place:
        """Return what is at a path, after `at`; with `trusting`, commands leave alone what was copied."""
        at = self.now if at is None else at
        ran = 0 if trusting else self._runs[index - 1] if (index := bisect.bisect(self._runs, at)) else 0
        found = [(entry.number, above, entry) for above, entry in self._deciding(path, at) if entry.number > ran]
        for _, above, entry in sorted(found, key=lambda each: -each[0]):
            place = _place(entry, path, above)
            if place is not None:
                return place
        return Place("unknown") if ran else self._base.look(path)

    def _deciding(self, path: str, at: int) -> Iterator[tuple[str, _Entry]]:
        """Yield for a path, and each folder above it, what was noted, from the last one up to one that decides."""
        above = path
        while True:
            for entry in reversed(self._entries.get(above, ())):
                if entry.number <= at:
                    yield above, entry
                    if entry.what in ("file", "unknown") or (entry.what == "folder" and above == path):
                        break
            if above in ("", "/"):
                return
            above = above.rpartition("/")[0] or "/"

    def file_above(self, path: str, at: int) -> str | None:
        """Return the path, or the folder above it, that was made a file; commands may have changed that since."""
        above = path
        while above not in ("", "/"):
            if self.look(above, at, trusting=True).kind == "file":
                return above
            above = above.rpartition("/")[0]
        return None


def _place(entry: _Entry, path: str, above: str) -> Place | None:
    """Return what an entry says of a path; None where it says nothing."""
    if entry.what == "file":
        return Place("file", entry.context, entry.content) if path == above else Place("absent")
    if entry.what == "folder":
        return Place("folder") if path == above else None
    if entry.what == "unknown":
        return Place("unknown")
    place = entry.what.look(path[len(above.rstrip("/")) :])
    return place if place.kind != "absent" else None
