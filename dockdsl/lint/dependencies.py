"""Tools that fetch dependencies: what only fetches, what uses them, and where they are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from dockdsl.lint.effects import joined
from dockdsl.lint.scope import Values
from dockdsl.lint.shell import Command

_TRIVIAL = frozenset("""apk apt apt-get cd corepack dnf echo export ls microdnf mkdir rm set true umask yum""".split())


def _module(command: Command) -> Command:
    """Return the program that ``python -m`` runs."""
    if command.name.startswith("python") and command.words[1:2] == ("-m",) and len(command.words) > 2:
        return command._replace(words=command.words[2:])
    return command


def is_trivial(command: Command) -> bool:
    """Whether a command neither uses the sources nor fetches what a manifest lists."""
    command = _module(command)
    if command.name in ("pip", "pip3") and command.arguments[:1] == ("install",):
        return {*command.arguments[1:]} <= {"pip", "setuptools", "wheel", "build", "poetry", "uv", "pipenv"}
    if command.name in ("npm", "yarn", "pnpm", "go", "pip") and command.arguments[:1] in (
        ("config",),
        ("env",),
        ("version",),
    ):
        return True
    return command.name in _TRIVIAL


def _has(command: Command, *words: str) -> bool:
    return command.arguments[: len(words)] == words


def _is_plain(command: Command, *verbs: str) -> bool:
    """Whether a verb has no operands: it takes what to do from the manifest."""
    return command.arguments[:1] in [(verb,) for verb in verbs] and len(command.arguments) == 1


def fetches(command: Command) -> str | None:
    """Return how a command is called that only fetches what a manifest lists; None for any other."""
    command = _module(command)
    name = command.name
    is_it = {
        "go": lambda: _has(command, "mod", "download"),
        "npm": lambda: _has(command, "ci") or _is_plain(command, "install", "i", "clean-install"),
        "pnpm": lambda: _is_plain(command, "install", "i", "fetch"),
        "yarn": lambda: _is_plain(command, "install") or not command.arguments,
        "bun": lambda: _is_plain(command, "install"),
        "pip": lambda: _has(command, "install") and command.has("-r", "--requirement"),
        "pip3": lambda: _has(command, "install") and command.has("-r", "--requirement"),
        "poetry": lambda: _has(command, "install") and command.has("--no-root"),
        "uv": lambda: (
            (_has(command, "sync") and command.has("--no-install-project"))
            or (_has(command, "pip", "install") and command.has("-r", "--requirement"))
        ),
        "pipenv": lambda: _is_plain(command, "install", "sync"),
        "bundle": lambda: _has(command, "install"),
        "composer": lambda: _is_plain(command, "install"),
        "cargo": lambda: _has(command, "fetch"),
        "mvn": lambda: (
            any(each.startswith("dependency:") for each in command.arguments) and len(command.arguments) == 1
        ),
        "gradle": lambda: _has(command, "dependencies"),
        "gradlew": lambda: _has(command, "dependencies"),
        "mix": lambda: _has(command, "deps.get"),
        "dotnet": lambda: _has(command, "restore"),
    }.get(name)
    if is_it is None or not is_it():
        return None
    return " ".join([name, *command.arguments[: 2 if name == "go" else 1]])


class Tool(NamedTuple):
    """A tool whose modules are in one folder."""

    program: str
    fetching: tuple[str, ...]
    using: tuple[str, ...]
    folder: Callable[[Values, str | None], str | None]

    def verb(self, command: Command) -> Literal["fetch", "use"] | None:
        """Return whether a command fetches modules or uses them."""
        if command.name != self.program:
            return None
        said = " ".join(command.arguments)
        if any(
            said.split(" ")[: len(each.split(" "))] == each.split(" ") or said.startswith(f"{each}:")
            for each in self.fetching
        ):
            return "fetch"
        return "use" if command.arguments[:1] and command.arguments[0] in self.using else None

    def is_vendored(self, text: str) -> bool:
        """Whether a step takes its modules from the sources."""
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
        "cargo", ("fetch",), ("build", "check", "install", "test"), _at("/usr/local/cargo", "CARGO_HOME", "/registry")
    ),
    Tool("mvn", ("dependency",), ("compile", "install", "package", "verify", "test"), _at("/root/.m2")),
    Tool("dotnet", ("restore",), ("build", "publish", "test"), _at("/root/.nuget/packages", "NUGET_PACKAGES")),
    Tool("npm", ("ci", "install"), _BUILDS, _modules),
    Tool("yarn", ("install",), _BUILDS, _modules),
    Tool("pnpm", ("install",), _BUILDS, _modules),
    Tool("bundle", ("install",), ("exec",), _at("/usr/local/bundle", "GEM_HOME")),
)
