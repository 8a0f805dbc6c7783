"""One stage with its toolchain left in, as two: what compiles, and what ships; a reason for each line."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator
from typing import NamedTuple

import attrs

from dockdsl.codegen.words import text_in
from dockdsl.errors import SourceError
from dockdsl.instructions.arg import Arg
from dockdsl.instructions.cmd import Cmd
from dockdsl.instructions.comment import Comment
from dockdsl.instructions.copy import Copy, FileInstruction
from dockdsl.instructions.entrypoint import Entrypoint
from dockdsl.instructions.env import Env
from dockdsl.instructions.expose import Expose
from dockdsl.instructions.healthcheck import Healthcheck
from dockdsl.instructions.heredoc import Heredoc
from dockdsl.instructions.instruction import Instruction
from dockdsl.instructions.label import Label
from dockdsl.instructions.run import Run
from dockdsl.instructions.shell import Shell
from dockdsl.instructions.stopsignal import Stopsignal
from dockdsl.instructions.user import User
from dockdsl.instructions.volume import Volume
from dockdsl.instructions.workdir import Workdir
from dockdsl.model.dockerfile import Dockerfile
from dockdsl.model.stage import Stage

_RUNS = (Cmd, Entrypoint, Expose, Healthcheck, Label, Stopsignal, User, Volume, Shell)
_compiles = re.compile(
    r"\b(?:go (?:build|install)|cargo (?:build|install)|g?cc|g\+\+|clang|make|cmake --build|ninja|mvnw?|gradlew?"
    r"|dotnet publish|swift build|zig build|stack (?:build|install)|cabal (?:build|install)|javac)\b"
).search
_installs = re.compile(r"\b(?:apk add|apt-get install|apt install)\b").search
_adds_users = re.compile(r"\b(?:adduser|addgroup|useradd|groupadd)\b").search
# Packages that programs need when they run.
_RUNTIME = {"ca-certificates", "tzdata", "tini", "dumb-init", "su-exec", "gosu", "libstdc++", "libgcc"}
_TOOLCHAIN = re.compile(r"(?:GO|CGO_|CARGO_|RUST|MAVEN_|GRADLE_|CC$|CXX|CFLAGS|DOTNET_CLI)\w*").match
_BUILD_SHELL = ("apk", "apt-get", "apt", "update", "upgrade", "add", "install", "clean")


class Reason(NamedTuple):
    """Where a line went, and why."""

    line: int
    step: str
    fact: str


class Split(NamedTuple):
    """The proposal."""

    dockerfile: Dockerfile
    reasons: list[Reason]


def split(dockerfile: Dockerfile) -> Split:
    """Return a Dockerfile of one stage as two stages.

    Raises `SourceError` if it has several, or if no step compiles, or if what is compiled cannot be told.
    """
    if len(dockerfile.stages) != 1:
        raise SourceError("migrate --single: the Dockerfile has several stages; it is split already")
    return _Split(dockerfile, dockerfile.stages[0]).run()


class _Split:
    def __init__(self, dockerfile: Dockerfile, stage: Stage) -> None:
        self.dockerfile = dockerfile
        self.stage = stage
        self.reasons: list[Reason] = []
        self.compiling = [step for step in stage.steps if isinstance(step, Run) and _compiles(_script(step))]

    def run(self) -> Split:
        if not self.compiling:
            raise SourceError("migrate --single: no step compiles anything, so nothing can be left out; keep one stage")
        folder = self._folder()
        program = self._program(folder)
        build, final = [], []
        for step in self.stage.steps:
            in_build, in_final, why = self._place(step, program)
            build += [step] if in_build else []
            final += [step] if in_final else []
            if not isinstance(step, Comment):
                self.reasons.append(Reason(step.origin.line, str(step).partition("\n")[0], why))
        compiler = attrs.evolve(self.stage, name="build", steps=build)
        shipped = self._shipped(program)
        copies = [Copy(shipped, shipped, from_=compiler)]
        position = next((index for index, step in enumerate(final) if isinstance(step, _RUNS)), len(final))
        base = self._base(final)
        result = Stage(base, "final", steps=[*final[:position], *copies, *final[position:]])
        return Split(attrs.evolve(self.dockerfile, targets=result), self.reasons)

    def _folder(self) -> str:
        folder = "/"
        for step in self.stage.steps:
            if isinstance(step, Workdir):
                folder = posixpath.join(folder, text_in(step.path))
        return folder

    # The program.

    def _program(self, folder: str) -> str:
        """Return the path of what the image runs, in the file system of the build."""
        words = self._command()
        if not words:
            fact = "it has neither CMD nor ENTRYPOINT, so what it ships cannot be told"
            raise SourceError(f"migrate --single: {fact}; add one")
        if words[0] in ("java", "dotnet"):
            files = [word for word in words if word.endswith((".jar", ".dll"))]
            if not files:
                raise SourceError(f"migrate --single: {words[0]} is given no .jar or .dll; name the file in CMD")
            return posixpath.normpath(posixpath.join(folder, files[0]))
        name = posixpath.basename(words[0])
        if "/" in words[0]:
            return posixpath.normpath(posixpath.join(folder, words[0]))
        for step in self.compiling:
            script = _script(step)
            outputs = re.findall(r"(?:-o|--output)[ =](\S+)", script)
            for output in outputs:
                if posixpath.basename(output) == name:
                    return posixpath.normpath(posixpath.join(folder, output))
            if "go install" in script:
                return f"/go/bin/{name}"
            if "cargo install" in script:
                return f"/usr/local/cargo/bin/{name}"
        remedy = "write its path into CMD or ENTRYPOINT"
        raise SourceError(f"migrate --single: no step that compiles writes {name}; {remedy}")

    def _command(self) -> list[str]:
        """Return the words of the last ENTRYPOINT, or CMD."""
        for kind in (Entrypoint, Cmd):
            for step in reversed(self.stage.steps):
                if isinstance(step, kind):
                    command = step.command
                    if not isinstance(command, str):
                        return list(command)
                    words = shlex.split(command)
                    return words[1:] if words[:1] == ["exec"] else words
        return []

    @staticmethod
    def _shipped(program: str) -> str:
        # An assembly needs those beside it.
        return posixpath.dirname(program) + "/" if program.endswith(".dll") else program

    # Each line.

    def _place(self, step: Instruction, program: str) -> tuple[bool, bool, str]:
        """Return whether a step belongs to the build, to the final stage, and why."""
        if isinstance(step, _RUNS):
            is_before = step.origin.line < self.compiling[-1].origin.line
            if is_before and isinstance(step, (Shell, User)):
                return True, True, "both: it says how commands run"
            return False, True, "final: it says how the image runs"
        if isinstance(step, Workdir):
            return True, True, "both: paths are relative to it"
        if isinstance(step, Env):
            names = [text_in(name) for name, _ in step.pairs]
            own = all(_TOOLCHAIN(name) for name in names)
            return True, not own, "build: it is about the compiler" if own else "both: the program may read it"
        if isinstance(step, Arg):
            return True, False, "build: an argument"
        if isinstance(step, Run):
            return self._place_run(step)
        if isinstance(step, FileInstruction):
            return self._place_files(step, program)
        return True, False, "build"

    def _place_run(self, step: Run) -> tuple[bool, bool, str]:
        script = _script(step)
        if _compiles(script):
            return True, False, "build: it compiles"
        if _installs(script):
            words = re.split(r"[\s&;|]+", script)
            named = {word for word in words if word[:1] not in ("", "-") and "/" not in word}
            packages = named - set(_BUILD_SHELL)
            if packages and packages <= _RUNTIME:
                return False, True, "final: the program needs it when it runs"
            kept = packages & _RUNTIME
            remedy = f"; install {', '.join(sorted(kept))} in the final stage, too, if it runs with it" if kept else ""
            return True, False, f"build: packages to compile with{remedy}"
        if _adds_users(script):
            return True, True, "both: the user of the program"
        return True, False, "build: see whether the program needs what it does"

    def _place_files(self, step: FileInstruction, program: str) -> tuple[bool, bool, str]:
        destination = text_in(step.destination)
        names = [posixpath.basename(text_in(each)) for each in step.sources if not isinstance(each, Heredoc)]
        is_run = posixpath.basename(program) in names
        if is_run and not destination.endswith("/"):
            return False, True, "final: it is what runs"
        if step.origin.line > max(each.origin.line for each in self.stage.steps if isinstance(each, Run)):
            return False, True, "final: nothing that compiles comes behind it, so it is read when the program runs"
        return True, False, "build: sources; copy from build what the program reads when it runs"

    # The base.

    def _base(self, final: list[Instruction]) -> str:
        base = self.stage.base
        name = text_in(base) if not isinstance(base, Stage) else ""  # type: ignore[arg-type]
        words = self._command()
        if words[:1] == ["java"]:
            number = re.search(r"(?:temurin|jdk|corretto|java)[:-]?(\d+)", name) or re.search(r":(\d+)", name)
            return f"eclipse-temurin:{number[1] if number else '21'}-jre"
        if words[:1] == ["dotnet"]:
            return name.replace("/sdk", "/aspnet")
        needs_shell = any(isinstance(step, Run) for step in final) or self._has_shell_form()
        said = [*map(_script, self.compiling), *(str(step) for step in self.stage.steps if isinstance(step, Env))]
        if re.search(r"CGO_ENABLED[= ]\"?0", "\n".join(said)) and not needs_shell:
            return "scratch"
        alpine = re.search(r"alpine(\d+\.\d+)?", name)
        if alpine:
            return f"alpine:{alpine[1] or '3'}"
        release = re.search(r"bookworm|trixie|bullseye|forky", name)
        return f"debian:{release[0] if release else 'stable'}-slim"

    def _has_shell_form(self) -> bool:
        return any(isinstance(step, (Cmd, Entrypoint)) and isinstance(step.command, str) for step in self.stage.steps)


def _script(step: Run) -> str:
    command = step.command
    return command if isinstance(command, str) else " ".join(command)


def lines(result: Split, name: str) -> Iterator[str]:
    """Yield what to say of each line."""
    for reason in result.reasons:
        yield f"{name}:{reason.line}: {reason.step}: {reason.fact}"
    base = text_in(result.dockerfile.stages[-1].base)  # type: ignore[arg-type]
    if base == "scratch":
        yield (
            f"{name}: the final stage has the program alone; if it calls others over TLS or needs time zones, copy"
            ' "/etc/ssl/certs/ca-certificates.crt" or "/usr/share/zoneinfo" from the build stage'
        )
    else:
        yield f"{name}: the final stage is based on {base}; see that it has the C library that the build has"
