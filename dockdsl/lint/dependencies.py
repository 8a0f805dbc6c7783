"""Tools that fetch dependencies: what only fetches, what uses them, and where they are kept."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple

from dockdsl.lint.effects import joined
from dockdsl.lint.scope import Values
from dockdsl.lint.shell import Command
from dockdsl.syntax.lazy_regex import lazy_regex

_TRIVIAL = frozenset(
    """apk apt apt-get cd chmod corepack dnf echo export ls microdnf mkdir rm rustup set true umask yum""".split()
)
_APART = {
    "bundle": ("config",),
    "composer": ("clear-cache", "clearcache", "config"),
    "go": ("env", "version", "mod verify"),
    "mix": ("local.hex", "local.rebar"),
    "npm": ("cache", "config"),
    "pip": ("cache", "config"),
    "pnpm": ("config", "store"),
    "poetry": ("config", "cache"),
    "uv": ("cache",),
    "yarn": ("cache", "config", "set"),
}
"""What tools do that neither uses the sources nor fetches what a manifest lists."""
_is_package = lazy_regex(r"[A-Za-z0-9@][\w@/+-]*(?:\[[\w,-]*\])?(?:[.\w-]*|(?:[@:=]|[<>~!=]=?)[^/]*)")
_VALUED = frozenset(
    """--cache --cache-folder --constraint --cwd --dir --filter --loglevel --modules-folder --network-timeout --prefix
    --registry --requirement --store-dir --working-dir --jobs --retry --file -C -F -c -f -j -pl -r -s""".split()
)
"""Options whose value is the next word."""


@lru_cache(maxsize=1024)
def _plain(command: Command) -> Command:
    """Return a command without values of options, and without its version; of ``python -m``, what that runs."""
    words = command.words
    if command.name.startswith("python") and words[1:2] == ("-m",) and len(words) > 2:
        words = words[2:]
    name = words[0].rpartition("/")[2]
    name = {"pip3": "pip", "mvnw": "mvn", "gradlew": "gradle", "mamba": "conda", "micromamba": "conda"}.get(name, name)
    kept = [word for before, word in pairwise(words) if before not in _VALUED]
    return command._replace(words=(name, *kept))


def is_trivial(command: Command) -> bool:
    """Whether a command neither uses the sources nor fetches what a manifest lists."""
    command = _plain(command)
    if command.name in _TRIVIAL:
        return True
    said = " ".join(command.arguments)
    if any(f"{said} ".startswith(f"{verb} ") for verb in _APART.get(command.name, ())):
        return True
    if command.name in ("pip", "gem") or (command.name in ("npm", "pnpm") and command.has("-g", "--global")):
        packages = command.arguments[1:]
        is_plain = not command.has("-r", "--requirement", "-e", "--editable", "-c", "--constraint")
        return is_plain and bool(packages) and all(_is_package().fullmatch(each) for each in packages)
    return False


def _has(command: Command, *words: str) -> bool:
    return command.arguments[: len(words)] == words


def _is_plain(command: Command, *verbs: str) -> bool:
    """Whether a verb has no operands: it takes what to do from the manifest."""
    return command.arguments[:1] in [(verb,) for verb in verbs] and len(command.arguments) == 1


def _reads_list(command: Command, *verbs: str) -> bool:
    """Whether all is in a list of requirements, and it does not install the project, too."""
    is_verb = any(_has(command, *verb.split(" ")) for verb in verbs)
    is_project = command.has("-e", "--editable") or any(word.startswith((".", "/")) for word in command.arguments)
    return is_verb and command.has("-r", "--requirement") and not is_project


_FETCHES: dict[str, Callable[[Command], bool]] = {
    "bun": lambda command: _is_plain(command, "install", "i", "ci"),
    "bundle": lambda command: _has(command, "install"),
    "cabal": lambda command: _has(command, "build") and command.has("--only-dependencies"),
    "cargo": lambda command: _has(command, "fetch") or _has(command, "chef", "cook"),
    "composer": lambda command: _is_plain(command, "install"),
    "conda": lambda command: command.has("-f", "--file") and command.arguments[:1] in (("install",), ("env",)),
    "dart": lambda command: _has(command, "pub", "get"),
    "deno": lambda command: _is_plain(command, "install"),
    "dotnet": lambda command: _has(command, "restore"),
    "flutter": lambda command: _has(command, "pub", "get"),
    "go": lambda command: _has(command, "mod", "download"),
    "gradle": lambda command: _has(command, "dependencies"),
    "lein": lambda command: _is_plain(command, "deps"),
    "mix": lambda command: _has(command, "deps.get"),
    "mvn": lambda command: {each.partition(":")[0] for each in command.arguments} == {"dependency"},
    "npm": lambda command: _has(command, "ci") or _is_plain(command, "install", "i", "clean-install"),
    "pdm": lambda command: command.arguments[:1] in (("install",), ("sync",)) and command.has("--no-self"),
    "pip": lambda command: _reads_list(command, "install", "wheel", "download"),
    "pipenv": lambda command: _is_plain(command, "install", "sync"),
    "pnpm": lambda command: _is_plain(command, "install", "i", "fetch"),
    "poetry": lambda command: command.arguments[:1] in (("install",), ("sync",)) and command.has("--no-root"),
    "rebar3": lambda command: _has(command, "get-deps"),
    "sbt": lambda command: _is_plain(command, "update"),
    "stack": lambda command: _has(command, "build") and command.has("--only-dependencies"),
    "swift": lambda command: _has(command, "package", "resolve"),
    "uv": lambda command: (
        (_has(command, "sync") and command.has("--no-install-project", "--no-install-workspace"))
        or _reads_list(command, "pip install", "pip sync")
    ),
    "yarn": lambda command: _is_plain(command, "install") or not command.arguments,
}
"""Whether a command of a tool only fetches what a manifest lists."""


def fetches(command: Command) -> str | None:
    """Return how a command is called that only fetches what a manifest lists; None for any other."""
    command = _plain(command)
    name = command.name
    is_it = _FETCHES.get(name)
    if is_it is None or not is_it(command):
        return None
    return " ".join([name, *command.arguments[: 2 if name in ("go", "dart", "flutter", "swift") else 1]])


class Tool(NamedTuple):
    """A tool whose modules are in one folder."""

    program: str
    fetching: tuple[str, ...]
    using: tuple[str, ...]
    folder: Callable[[Values, str | None], str | None]

    def verb(self, command: Command) -> Literal["fetch", "use"] | None:
        """Return whether a command fetches modules or uses them."""
        command = _plain(command)
        if command.name != self.program:
            return None
        said = " ".join(command.arguments)
        if any(f"{said} ".startswith((f"{each} ", f"{each}:")) for each in self.fetching):
            return "fetch"
        return "use" if command.arguments[:1] and command.arguments[0] in self.using else None

    def is_vendored(self, text: str) -> bool:
        """Whether a step takes its modules from the sources, by its text or by GOFLAGS."""
        return "-mod=vendor" in text or "--vendored" in text


def _go(values: Values, workdir: str | None) -> str | None:  # noqa: ARG001 - as the others
    if "GOMODCACHE" in values:
        return values["GOMODCACHE"]
    path = values.get("GOPATH", "/go")
    return None if path is None else f"{path.rstrip('/')}/pkg/mod"


def _at(path: str, variable: str | None = None, below: str = "") -> Callable[[Values, str | None], str | None]:
    def folder(values: Values, workdir: str | None) -> str | None:  # noqa: ARG001 - as the others
        base = path if variable is None else values.get(variable, path)
        return None if base is None else f"{base}{below}"

    return folder


def _modules(values: Values, workdir: str | None) -> str | None:  # noqa: ARG001 - as the others
    return joined(workdir, "node_modules")


_BUILDS = ("build", "run", "exec", "test", "start")
TOOLS = (
    Tool("go", ("mod download",), ("build", "generate", "install", "run", "test", "vet"), _go),
    Tool(
        "cargo",
        ("fetch", "chef cook"),
        ("build", "check", "install", "test"),
        _at("/usr/local/cargo", "CARGO_HOME", "/registry"),
    ),
    Tool("mvn", ("dependency",), ("compile", "install", "package", "verify", "test"), _at("/root/.m2/repository")),
    Tool(
        "gradle", ("dependencies",), ("assemble", "bootJar", "build", "test"), _at("/root/.gradle", "GRADLE_USER_HOME")
    ),
    Tool("gradle", ("dependencies",), ("assemble", "bootJar", "build", "test"), _at("/home/gradle/.gradle")),
    Tool("dotnet", ("restore",), ("build", "publish", "test"), _at("/root/.nuget/packages", "NUGET_PACKAGES")),
    Tool("npm", ("ci", "install"), _BUILDS, _modules),
    Tool("yarn", ("install",), _BUILDS, _modules),
    Tool("pnpm", ("install",), _BUILDS, _modules),
    Tool("bundle", ("install",), ("exec",), _at("/usr/local/bundle", "GEM_HOME")),
)
