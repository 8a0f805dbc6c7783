"""Package managers as rules know them: what installs, and which words of that are packages."""

from __future__ import annotations

from typing import NamedTuple

from dockdsl.lint.shell import Command


class Manager(NamedTuple):
    """A package manager."""

    programs: tuple[str, ...]
    verbs: tuple[str, ...] = ("install",)
    """The words that install."""
    valued: frozenset[str] = frozenset()
    """The options whose value is the next word."""

    def operands(self, command: Command) -> list[str]:
        """Return the words that are neither options nor their values."""
        found: list[str] = []
        is_value = False
        for word in command.words[1:]:
            if not is_value and word[:1] != "-":
                found.append(word)
            is_value = not is_value and word in self.valued
        return found

    def packages(self, command: Command) -> list[str] | None:
        """Return what a command installs; None if it installs nothing."""
        words = self.operands(command)
        return words[1:] if words and words[0] in self.verbs else None


_RPM = frozenset(
    {"--disablerepo", "--enablerepo", "--exclude", "--installroot", "--releasever", "--setopt", "-c", "-x"}
)
_INDEXES = {"--cert", "--extra-index-url", "--find-links", "--index-url", "--trusted-host", "-f", "-i"}
_PLACES = {
    "--abi",
    "--implementation",
    "--platform",
    "--prefix",
    "--python-version",
    "--root",
    "--src",
    "--target",
    "-t",
}

APT = Manager(("apt-get",), valued=frozenset({"--option", "--target-release", "-o", "-t"}))
APK = Manager(
    ("apk",), ("add",), frozenset({"--arch", "--keys-dir", "--repository", "--root", "--virtual", "-X", "-p", "-t"})
)
DNF = Manager(("dnf", "microdnf"), valued=_RPM)
YUM = Manager(("yum",), valued=_RPM)
ZYPPER = Manager(("zypper",), ("install", "in"), frozenset({"--from", "--repo", "--root", "-R", "-r"}))
PIP = Manager(
    ("pip", "pip2", "pip3"),
    valued=frozenset({"--constraint", "--editable", "--requirement", "-c", "-e", "-r", *_INDEXES, *_PLACES}),
)
NPM = Manager(("npm",), ("add", "i", "install"), frozenset({"--prefix", "--registry", "-C"}))
GEM = Manager(("gem",), ("i", "install"), frozenset({"--bindir", "--install-dir", "--source", "-i", "-n", "-s"}))
GO = Manager(("go",), ("get", "install"), valued=frozenset({"-C", "-gcflags", "-ldflags", "-mod", "-o", "-p", "-tags"}))
YARN = Manager(("yarn",), ("add", "install"), frozenset({"--cwd"}))
