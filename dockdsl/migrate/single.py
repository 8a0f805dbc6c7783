"""One stage with its toolchain left in, as two: what compiles, and what ships; a reason for each line."""

from __future__ import annotations

import itertools
import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import attrs

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
from dockdsl.instructions.maintainer import Maintainer
from dockdsl.instructions.run import Run
from dockdsl.instructions.shell import Shell
from dockdsl.instructions.stopsignal import Stopsignal
from dockdsl.instructions.user import User
from dockdsl.instructions.volume import Volume
from dockdsl.instructions.workdir import Workdir
from dockdsl.model.dockerfile import Dockerfile
from dockdsl.model.stage import Stage
from dockdsl.syntax.expand import expand
from dockdsl.syntax.words import text_in

_RUNS = (Cmd, Entrypoint, Expose, Healthcheck, Label, Maintainer, Stopsignal, User, Volume, Shell)
_compiles = re.compile(
    r"\b(?:go (?:build|install)|cargo (?:build|install)|g?cc|g\+\+|clang|make|cmake --build|ninja|mvnw?|gradlew?"
    r"|dotnet publish|swift build|zig build|stack (?:build|install)|cabal (?:build|install)|javac)\b"
).search
_installs = re.compile(r"\b(?:apk add|apt-get install|apt install)\b").search
_adds_users = re.compile(r"\b(?:adduser|addgroup|useradd|groupadd)\b").search
# Packages that programs need when they run.
_RUNTIME = {"ca-certificates", "tzdata", "tini", "dumb-init", "su-exec", "gosu", "libstdc++", "libgcc"}
_TOOLCHAIN = re.compile(r"(?:GO|CGO_|CARGO_|RUST|MAVEN_|GRADLE_|CC$|CXX|CFLAGS|DOTNET_CLI)\w*").match
_java_version = re.compile(r"(?:temurin|jdk|corretto|semeru|sapmachine|zulu|\bjava)[:-]?(\d+)").search
_variables = re.compile(r"\$\{?(\w+)").findall
_outputs = re.compile(r"(?:-o|--output)[ =](\S+)").findall
# Folders that tools write to without being told.
_FOLDERS = (
    ("go install", "/go/bin"),
    ("cargo install", "/usr/local/cargo/bin"),
    ("cargo build", "target"),
    ("mvn", "target"),
    ("gradle", "build"),
)
_BINARIES = ("/go/bin", "/usr/local/cargo/bin")
_SET_BY_BASES = {"GOPATH": "/go", "CARGO_HOME": "/usr/local/cargo", "HOME": "/root"}
_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_WRAPPERS = {"tini", "dumb-init", "su-exec", "gosu"}
# Bases without a compiler: what is installed in the build is not in them.
_distribution = re.compile(
    r"(?:.*/)?(?:alpine|ubuntu|fedora|centos|rockylinux|almalinux|amazonlinux|oraclelinux|ubi\d)(?:[:@].*)?"
).fullmatch
_interprets = re.compile(
    r"(?:python|pypy|node|ruby|perl|php|lua)[\d.]*|php-fpm|nodejs|npm|npx|pnpm|yarn|bun|deno|bundle|puma|rails|Rscript"
    r"|uv|poetry|pipenv|gunicorn|uvicorn|hypercorn|flask|celery|streamlit"
).fullmatch
_SHELLS = {"sh", "ash", "bash", "dash"}
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
        fact = "the Dockerfile has several stages"
        raise SourceError(f"migrate --single: {fact}; it is split already", origin=dockerfile.stages[1].origin)
    return _Split(dockerfile, dockerfile.stages[0]).run()


class _Split:
    def __init__(self, dockerfile: Dockerfile, stage: Stage) -> None:
        self.dockerfile = dockerfile
        self.stage = stage
        self.reasons: list[Reason] = []
        self.remarks: list[Reason] = []
        self.compiling = [step for step in stage.steps if isinstance(step, Run) and _compiles(_script(step))]
        self.outputs: list[str] = []
        self.folders: list[str] = []
        for step, folder in self._in_folders():
            if isinstance(step, Run) and step in self.compiling:
                script = _script(step)
                # Other commands of the step have an -o, too: that of curl is not a program.
                commands = [command for command in re.split(r"&&|;|\|", script) if _compiles(command)]
                named = [output.strip("\"'") for command in commands for output in _outputs(command)]
                self.outputs += [posixpath.normpath(posixpath.join(folder, output)) for output in named]
                tools = [each for tool, each in _FOLDERS if re.search(rf"\b{tool}", script)]
                self.folders += [posixpath.join(folder, each) for each in tools]
        self.shipped: dict[str, str] = {}
        """What comes from the build, and where it goes."""
        self.brought: list[FileInstruction] = []
        self.scripts: list[str] = []
        self.wrappers: list[str] = []
        self.needs_shell = False
        self.words = self._words()
        self.tool = next((word for word in self.words if word in ("java", "dotnet")), None)

    def run(self) -> Split:
        if self.words[:2] == ["go", "run"]:
            fact = "go run compiles each time that the container starts"
            remedy = "compile with RUN go build -o PATH, and name that in CMD"
            raise SourceError(f"migrate --single: {fact}; {remedy}", origin=self._command().origin)
        if not self.compiling:
            fact = "no step compiles anything, so nothing can be left out"
            raise SourceError(f"migrate --single: {fact}; keep one stage", origin=self.stage.origin)
        self._find_programs()
        build, final = [], []
        for step in self.stage.steps:
            in_build, in_final, why = self._place(step)
            build += [step] if in_build else []
            final += [self._at_home(step)] if in_final else []
            if not isinstance(step, Comment):
                self._say(step, why)
        compiler = attrs.evolve(self.stage, name="build", steps=build)
        copies = [Copy(path, to, from_=compiler) for path, to in self.shipped.items()]
        position = next((index for index, step in enumerate(final) if isinstance(step, _RUNS)), len(final))
        base = self._base(final)
        result = Stage(base, "final", steps=[*final[:position], *copies, *final[position:]])
        self._check_users(final)
        self._check_health(final)
        self.reasons += self.remarks
        return Split(attrs.evolve(self.dockerfile, targets=result), self.reasons)

    def _say(self, step: Instruction, fact: str) -> None:
        self.reasons.append(Reason(step.origin.line, str(step).partition("\n")[0], fact))

    def _remark(self, line: int, step: str, fact: str) -> None:
        self.remarks.append(Reason(line, step, f"check: {fact}"))

    def _in_folders(self) -> Iterator[tuple[Instruction, str]]:
        """Yield each step with the working folder behind it."""
        folder, values = "/", dict(_SET_BY_BASES)
        for step in self.stage.steps:
            if isinstance(step, Workdir):
                folder = posixpath.join(folder, self._settled(step, values))
            elif isinstance(step, Env):
                values |= {text_in(name): text_in(value) for name, value in step.pairs}
            elif isinstance(step, Arg) and step.default is not None:
                values.setdefault(step.name, text_in(step.default))
            yield step, folder

    def _settled(self, step: Workdir, values: Mapping[str, str]) -> str:
        """Return the folder of WORKDIR without variables."""
        path = text_in(step.path)
        if set(_variables(path)) <= set(values):
            return expand(path, values)
        fact = f"which folder WORKDIR {path} is cannot be seen"
        raise SourceError(f"migrate --single: {fact}; write it without variables", origin=step.origin)

    def _at_home(self, step: Instruction) -> Instruction:
        """Return a step for the final stage, which has not all variables of the build."""
        if isinstance(step, Workdir) and "$" in text_in(step.path):
            return Workdir(next(folder for each, folder in self._in_folders() if each is step))
        return step

    # The programs.

    def _find_programs(self) -> None:
        """Find what the words of ENTRYPOINT and CMD name: in the build, or by a COPY."""
        words = self.words
        origin = self._command().origin
        if not words:
            fact = "neither CMD nor ENTRYPOINT names a program, so what it ships cannot be told"
            raise SourceError(f"migrate --single: {fact}; name it in CMD", origin=origin)
        if interpreter := _interprets(posixpath.basename(words[0])):
            fact = f"{interpreter[0]} runs the program, so no step compiles that"
            remedy = (
                "keep one stage, or compile what it imports in a stage of its own and copy it with Copy(…, from_=…)"
            )
            raise SourceError(f"migrate --single: {fact}; {remedy}", origin=origin)
        if self.tool and not any(word.endswith((".jar", ".dll")) for word in words):
            fact = f"{self.tool} is given no .jar or .dll"
            raise SourceError(f"migrate --single: {fact}; name the file in CMD", origin=origin)
        folder = [folder for _, folder in self._in_folders()][-1]
        is_compiled = False
        for index, word in enumerate(words):
            if word.startswith("-") or word == self.tool:
                continue
            is_file = bool(self.tool) and word.endswith((".jar", ".dll"))
            paths = [f"{each}/{word}" for each in _PATH]
            if "/" in word or is_file:
                paths = [posixpath.normpath(posixpath.join(folder, word))]
            written = self._written(word, paths, is_first=index == 0)
            step = None if written else self._bringer(paths)
            if written or (is_file and not (step and self._is_late(step))):
                is_compiled = True
                # An assembly needs those beside it.
                path = written or paths[0]
                self._ship(posixpath.dirname(path) + "/" if path.endswith(".dll") else path)
            elif step:
                is_compiled |= not self._bring(
                    step, next(path for path in paths if self._bringer([path]) is step), is_first=index == 0
                )
            elif index == 0 and "/" in word:
                self._ship(paths[0])
                is_compiled = True
                if not any(
                    posixpath.basename(word) in _script(each) for each in self.stage.steps if isinstance(each, Run)
                ):
                    self._remark(
                        *self._command_line(), f"no step is seen to write {paths[0]}; see that the build has it"
                    )
        if not is_compiled and self.scripts:
            # The script names the program itself.
            for output in self.outputs:
                self._ship(output)
                is_compiled = True
            fact = f"{self.scripts[0]} names the program; see that what it runs is copied from build"
            self._remark(*self._command_line(), fact)
        if not is_compiled:
            name = posixpath.basename(self.scripts[0] if self.scripts else words[0])
            fact = f"what the script {name} runs cannot be told" if self.scripts else f"no step is seen to write {name}"
            remedy = "write its path into CMD or ENTRYPOINT"
            raise SourceError(f"migrate --single: {fact}; {remedy}", origin=origin)

    def _ship(self, path: str) -> None:
        folder, name = posixpath.split(path)
        # Only the base of the build has this folder in PATH.
        self.shipped[path] = f"/usr/local/bin/{name}" if folder in _BINARIES and name in self.words else path

    def _written(self, word: str, paths: list[str], *, is_first: bool) -> str | None:
        """Return the path of what a step that compiles writes."""
        for output in self.outputs:
            if posixpath.basename(output) == word or output == paths[0]:
                return output
        for folder in [*self.outputs, *self.folders]:
            if len(paths) == 1 and paths[0].startswith(folder + "/"):
                return paths[0]
            if len(paths) > 1 and is_first and folder in _BINARIES:
                return f"{folder}/{word}"
        return None

    def _bringer(self, paths: list[str]) -> FileInstruction | None:
        """Return the last COPY that brings one of some paths, by its name or with a folder."""
        found = None
        for step, folder in self._in_folders():
            if isinstance(step, FileInstruction) and any(_brings(step, folder, path) for path in paths):
                found = step
        return found

    def _bring(self, step: FileInstruction, path: str, *, is_first: bool) -> bool:
        """Ship what a COPY brings; return whether no compiler writes it."""
        is_source = True
        name = posixpath.basename(path)
        is_named = name in {posixpath.basename(target) for target in [*_names(step), text_in(step.destination)]}
        if is_first or path.endswith(".sh"):
            if is_named or "." in name:
                self.scripts.append(path)
                fact = f"{path} may be a script; see that the final stage has the interpreter that its first line names"
                self._remark(*self._command_line(), fact)
            else:
                is_source = False
                self._remark(*self._command_line(), f"no step is seen to write {path}; see that the build has it")
        is_changed = any(name in _script(each) for each in self.stage.steps if isinstance(each, Run))
        if self._is_late(step) or (is_named and len(step.sources) == 1 and not is_changed):
            self.brought.append(step)
        else:
            self._ship(path)
        return is_source

    def _is_late(self, step: Instruction) -> bool:
        return step.origin.line > max(each.origin.line for each in self.stage.steps if isinstance(each, Run))

    def _command(self) -> Stage | Instruction:
        """Return what says last which program runs."""
        said = [each for each in self.stage.steps if isinstance(each, (Cmd, Entrypoint))]
        return said[-1] if said else self.stage

    def _command_line(self) -> tuple[int, str]:
        step = self._command()
        return step.origin.line, str(step)

    def _words(self) -> list[str]:
        """Return the words of the last ENTRYPOINT and the last CMD: the program first, and without shells."""
        words: list[str] = []
        for kind in (Entrypoint, Cmd):
            step = next((each for each in reversed(self.stage.steps) if isinstance(each, kind)), None)
            if step and isinstance(step.command, str):
                self.needs_shell = True
                words += self._in_shell(step.command)
                break
            words += step.command if step else []
        found = self._unwrapped(words)
        # A wrapper may be brought by a COPY.
        return [word for word in [*found, *self.wrappers] if word.strip("/")] if found else []

    def _unwrapped(self, words: list[str]) -> list[str]:
        """Return words without the shells and wrappers that start what follows them."""
        index = next((i for i, word in enumerate(words) if posixpath.basename(word) in _SHELLS | _WRAPPERS), None)
        if index is None:
            return words
        before, (starter, *rest) = words[:index], words[index:]
        if posixpath.basename(starter) in _SHELLS:
            self.needs_shell = True
        else:
            self.wrappers.append(starter)
            rest = rest[1:] if starter.endswith(("su-exec", "gosu")) else rest
        options = [*itertools.takewhile(lambda word: word.startswith("-"), rest)]
        rest = rest[len(options) :]
        is_text = starter not in self.wrappers and any(option.endswith("c") for option in options)
        if is_text and rest:
            return [*before, *self._in_shell(rest[0]), *rest[1:]]
        return [*before, *self._unwrapped(rest)]

    def _in_shell(self, text: str) -> list[str]:
        try:
            lexer = shlex.shlex(text, posix=True, punctuation_chars=";&|")
            lexer.whitespace_split = True
            lexer.commenters = ""
            words = list(lexer)
        except ValueError:
            fact = f"{text!r} has an open quote"
            raise SourceError(f"migrate --single: {fact}; close it", origin=self._command().origin) from None
        marks = [index for index, word in enumerate(words) if word in ("exec", "&&", ";")]
        last = marks[-1] + 1 if marks else 0
        kept = [word for word in [*words[last:], *words[:last]] if word not in ("exec", "&&", ";", "$@", "$*")]
        while kept and re.match(r"\w+=", kept[0]):
            del kept[0]
        return self._unwrapped(kept)

    # Each line.

    def _place(self, step: Instruction) -> tuple[bool, bool, str]:
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
            return self._place_files(step)
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

    def _place_files(self, step: FileInstruction) -> tuple[bool, bool, str]:
        if any(step is each for each in self.brought):
            return False, True, "final: ENTRYPOINT or CMD names it"
        if self._is_late(step):
            return False, True, "final: nothing that compiles comes behind it, so it is read when the program runs"
        return True, False, "build: sources; copy from build what the program reads when it runs"

    # The base.

    def _base(self, final: list[Instruction]) -> str:
        base = self.stage.base
        name = text_in(base) if not isinstance(base, Stage) else ""  # type: ignore[arg-type]
        if self.tool == "java":
            scripts = [_script(step) for step in self.stage.steps if isinstance(step, Run)]
            number = _java_version("\n".join([name, *scripts]))
            if not number:
                fact = "its Java version is not known; see that the final stage has that of the build, or a later one"
                self._remark(self.stage.origin.line, f"FROM {name}", fact)
            return f"eclipse-temurin:{number[1] if number else '21'}-jre"
        if self.tool == "dotnet":
            return name.replace("/sdk", "/aspnet")
        needs_shell = (
            self.needs_shell or bool(self.scripts or _users(final)) or any(isinstance(step, Run) for step in final)
        )
        needs_shell |= any(isinstance(step, Healthcheck) and isinstance(step.command, str) for step in final)
        said = [*map(_script, self.compiling), *(str(step) for step in self.stage.steps if isinstance(step, Env))]
        if re.search(r"CGO_ENABLED[= ]\"?0", "\n".join(said)) and not needs_shell:
            return "scratch"
        if _distribution(name):
            return name
        alpine = re.search(r"alpine(\d+\.\d+)?", name)
        if alpine:
            return f"alpine:{alpine[1] or '3'}"
        release = re.search(r"bookworm|trixie|bullseye|forky|buster|stretch|jessie", name)
        return f"debian:{release[0] if release else 'stable'}-slim"

    def _check_health(self, final: list[Instruction]) -> None:
        for step in final:
            program = _program(step) if isinstance(step, Healthcheck) else ""
            if program and program not in {posixpath.basename(path) for path in [*self.shipped, *self.scripts]}:
                self._remark(step.origin.line, str(step), f"see that the final stage has {program}")

    def _check_users(self, final: list[Instruction]) -> None:
        made = "\n".join(_script(step) for step in final if isinstance(step, Run) and _adds_users(_script(step)))
        for step in _users(final):
            name = text_in(step.user).partition(":")[0]
            if name not in ("root", "nobody") and not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", made):
                fact = f"no step of the final stage makes the user {name}; make it in a RUN of its own"
                self._remark(step.origin.line, str(step), fact)


def _program(step: Healthcheck) -> str:
    """Return the program that a check of health calls."""
    words = step.command.split() if isinstance(step.command, str) else step.command or ("",)
    return posixpath.basename(words[0])


def _users(steps: list[Instruction]) -> list[User]:
    """Return the steps that name a user, for which the image needs a list of users."""
    return [step for step in steps if isinstance(step, User) and not re.match(r"[\d$]", text_in(step.user))]


def _names(step: FileInstruction) -> list[str]:
    return [each.name if isinstance(each, Heredoc) else text_in(each) for each in step.sources]


def _brings(step: FileInstruction, folder: str, path: str) -> bool:
    """Tell whether COPY brings a path: by its name, or with a folder."""
    destination = text_in(step.destination)
    target = posixpath.normpath(posixpath.join(folder, destination))
    is_folder = destination.endswith(("/", ".")) or len(step.sources) > 1 or target == folder
    for name in _names(step):
        base = posixpath.basename(posixpath.normpath(name))
        if path == (posixpath.join(target, base) if is_folder else target):
            return True
        may_be_folder = name.endswith(("/", ".")) or "." not in base or "*" in base
        if may_be_folder and path.startswith(target.rstrip("/") + "/"):
            return True
    return False


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
