"""The command line of docker (and podman), as far as a build, a container and a copy are concerned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dockdsl.migrate.words import Word, text

# Options that take a value; all others are switches.
_BUILD = (
    "add-host allow annotation attest build-arg build-context builder cache-from cache-to call cgroup-parent cpu-period"
    " cpu-quota cpu-shares cpuset-cpus cpuset-mems file format iidfile isolation label memory memory-swap metadata-file"
    " network no-cache-filter output platform progress provenance sbom secret security-opt shm-size source-policy-file"
    " ssh tag target ulimit"
)
_RUN = (
    "add-host annotation attach blkio-weight blkio-weight-device cap-add cap-drop cgroup-parent cgroupns cidfile"
    " cpu-period cpu-quota cpu-rt-period cpu-rt-runtime cpu-shares cpus cpuset-cpus cpuset-mems detach-keys device"
    " device-cgroup-rule device-read-bps device-read-iops device-write-bps device-write-iops dns dns-option dns-search"
    " domainname entrypoint env env-file expose gpus group-add health-cmd health-interval health-retries"
    " health-start-interval health-start-period health-timeout hostname ip ip6 ipc isolation kernel-memory label"
    " label-file link link-local-ip log-driver log-opt mac-address memory memory-reservation memory-swap"
    " memory-swappiness mount name network net network-alias oom-score-adj pid pids-limit platform publish pull restart"
    " runtime security-opt shm-size stop-signal stop-timeout storage-opt sysctl tmpfs ulimit user userns uts volume"
    " volume-driver volumes-from workdir"
)
_GLOBAL = "config context host log-level tlscacert tlscert tlskey"
_LETTERS = {
    "build": {"f": "file", "t": "tag", "o": "output", "m": "memory", "c": "cpu-shares"},
    "run": {
        "a": "attach",
        "c": "cpu-shares",
        "e": "env",
        "h": "hostname",
        "l": "label",
        "m": "memory",
        "p": "publish",
        "u": "user",
        "v": "volume",
        "w": "workdir",
    },
    "": {"H": "host", "c": "context", "l": "log-level"},
    "other": {},
}
_VALUED = {"build": _BUILD.split(), "run": _RUN.split(), "": _GLOBAL.split(), "other": []}


class Arguments(NamedTuple):
    """The options and operands of one command."""

    options: tuple[tuple[str, Word], ...]
    operands: tuple[Word, ...]

    def all(self, name: str) -> list[Word]:
        """Return each value of an option."""
        return [value for key, value in self.options if key == name]

    def last(self, name: str) -> Word | None:
        """Return the value of an option that counts: the last one."""
        return self.all(name)[-1] if self.all(name) else None


def verb_of(words: Sequence[Word]) -> tuple[str, list[Word]]:
    """Return what a command of docker does, in one word, and its arguments: ``container cp`` is ``cp``."""
    rest = list(words)
    while rest and (rest[0].text or "").startswith("-"):
        option = (rest.pop(0).text or "").lstrip("-")
        if option in _VALUED[""] or option in _LETTERS[""]:
            del rest[:1]
    names: list[str] = []
    while rest and len(names) < 2:
        names.append(rest.pop(0).text or "")
        if names[0] not in ("container", "image", "buildx", "builder"):
            break
    if names[:1] in (["buildx"], ["builder"]) and names[1:] not in (["build"], ["b"], ["bake"]):
        return " ".join(names), rest
    return names[-1] if names else "", rest


def arguments(verb: str, words: Sequence[Word], *, first_operand_ends: bool = False) -> Arguments:
    """Read options and operands; with `first_operand_ends`, what follows the first operand are all operands."""
    kind = {"build": "build", "bud": "build", "run": "run", "create": "run", "exec": "run"}.get(verb, "other")
    options: list[tuple[str, Word]] = []
    operands: list[Word] = []
    waiting = iter(words)
    for word in waiting:
        first = word[0] if word and isinstance(word[0], str) else ""
        if first == "--":
            operands.extend(waiting)
        elif first.startswith("-") and first != "-":
            options.extend(_options(kind, word, waiting))
        else:
            operands.append(word)
            if first_operand_ends:
                operands.extend(waiting)
    return Arguments(tuple(options), tuple(operands))


def _options(kind: str, word: Word, waiting: Iterator[Word]) -> Iterator[tuple[str, Word]]:
    on = text("true")
    if str(word).startswith("--"):
        name, value = word.partition("=")
        key = (name.text or "").removeprefix("--")
        if value is None:
            value = next(waiting, Word()) if key in _VALUED[kind] else on
        yield "network" if key == "net" else key, value
        return
    letters = str(word[0])[1:]
    for index, letter in enumerate(letters):
        key = _LETTERS[kind].get(letter, "")
        if not key:
            yield letter, on
            continue
        rest = Word.of([letters[index + 1 :].removeprefix("="), *word[1:]])
        yield key, rest or next(waiting, Word())
        return
