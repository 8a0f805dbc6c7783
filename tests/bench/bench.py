"""How fast dockdsl is, as ratios in one run: against a bare interpreter, attrs, and other libraries for Dockerfiles.

    .venv/bin/python tests/bench/bench.py [--json FILE] [--rounds N]

1. import, 2. the command line on builds/go_api.py, 3. that build made and rendered in a warm process, 4. builds of
1,000 and 10,000 instructions in 50 stages, 5. real Dockerfiles read, where they are beside the checkout, else those of
builds/; against BuildKit's own parser and dockerfile-parse, 6. the build of an image whose steps are all cached, against
docker buildx build alone, where an engine answers. Each library builds the same as far as it can; what its text lacks is said,
and the heads of the recipes say what else is not the same.

Processes are measured by wall time, work inside a process by CPU time. The rounds are interleaved; a time is the median
of its rounds, a ratio the median of the ratios within the rounds, since a machine may be slower for a while. The other
libraries come from PyPI into `.cache/bench/`, one folder for each interpreter. Those that refuse this interpreter are
measured on a newer one, with all the others again, if the machine has one; else the table says that they are not.

Exit code 0, whatever the figures; 1 if something that should have been measured was not.
"""

from __future__ import annotations

import argparse
import ast
import importlib.metadata
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent
CACHE = CHECKOUT / ".cache" / "bench"
RECIPES = HERE / "recipes"
GO_FILE = CHECKOUT / "builds" / "go_api.py"
RECIPE = 3
"""Raise it when the environments made earlier must be made again."""

ROUNDS = 25
LARGE_ROUNDS = 9
BATCH = 5e6
"""The nanoseconds that a batch of small tasks should take: less than a scheduler's slice."""
BUDGET = 15.0
"""The seconds after which no further round of a section is begun."""
LARGE_BUDGET = 3.0
"""The seconds of one library's large builds after which they are not repeated."""
FEWEST = 3
STAGES = 50
CYCLES = {"1,000": 2, "10,000": 22}
"""Steps of large builds come in cycles of nine; with so many in each of the stages there are that many instructions."""

BUILT = "go-api:bench"
"""The tag of the image that is built."""

SIZES = json.dumps({name: (STAGES, cycles) for name, cycles in CYCLES.items()})


class Unmeasured(Exception):
    """Something could not be measured, and why."""


@dataclass(frozen=True)
class Library:
    """A library for Dockerfiles, and how a user of it prints the Go build."""

    name: str
    package: str
    module: str
    needs: tuple[int, int]
    recipe: Path
    command: tuple[str, ...]


LIBRARIES = (
    Library("dockdsl", "", "dockdsl", (3, 11), GO_FILE, ("-m", "dockdsl", str(GO_FILE))),
    Library("docked", "docked==0.1.0", "docked", (3, 8), RECIPES / "docked_go.py", (str(RECIPES / "docked_go.py"),)),
    Library(
        "hpccm",
        "hpccm==26.5.0",
        "hpccm",
        (3, 8),
        RECIPES / "go_api.hpccm",
        ("-m", "hpccm.cli", "--recipe", str(RECIPES / "go_api.hpccm")),
    ),
    Library(
        "containerspec",
        "containerspec==0.1.7",
        "containerspec",
        (3, 12),
        RECIPES / "containerspec_go.py",
        (str(RECIPES / "containerspec_go.py"),),
    ),
    Library(
        "docker-dsl",
        "docker-dsl==0.1.2",
        "docker_dsl",
        (3, 13),
        RECIPES / "docker_dsl_go.py",
        ("-m", "docker_dsl", "docker_dsl_go"),
    ),
)
OURS, NEAREST = "dockdsl", "docked"
READER = "dockerfile"
READERS = (f"{READER}==3.4.0", "dockerfile-parse==2.0.1")
CORPUS = CHECKOUT.parent / "shared" / "corpus" / "open.jsonl.gz"

# What the Go build says, once continuations are joined.
SAYS = {
    "build stage": r"^FROM .*\bgolang:1\.27-alpine AS build$",
    "platform": r"^FROM --platform=\$BUILDPLATFORM ",
    "WORKDIR": r"^WORKDIR /src$",
    "COPY go.mod": r"^COPY go\.mod \./$",
    "go mod download": r"^RUN .*go mod download$",
    "cache of go mod download": r"^RUN --mount=type=cache,target=/go/pkg/mod\S* .*go mod download$",
    "COPY .": r"^COPY \. \./$",
    "ARG": r"(?s)^ARG TARGETOS$.*^ARG TARGETARCH$",
    "go build": r"^RUN .*GOARCH=\$TARGETARCH go build -trimpath -ldflags='-s -w' -o /out/api \.$",
    "1st cache of go build": r"^RUN .*--mount=type=cache,target=/go/pkg/mod[, ].*go build",
    "2nd cache of go build": r"^RUN .*--mount=type=cache,target=/root/\.cache/go-build[, ].*go build",
    "final stage": r"^FROM scratch\b",
    "COPY --from": r"^COPY --from=build .*/out/api /api$",
    "USER": r"^USER 65532:65532$",
    "EXPOSE": r"^EXPOSE 8080(/tcp)?$",
    "HEALTHCHECK": r'^HEALTHCHECK --interval=10s CMD \["/api", ?"healthcheck"\]$',
    "ENTRYPOINT": r'^ENTRYPOINT \["/api"\]$',
}
_INSTRUCTIONS = re.compile(r"^(?:FROM|ARG|COPY|ENTRYPOINT|ENV|RUN|WORKDIR)\b", re.MULTILINE)


def joined(text: str) -> str:
    """Return a Dockerfile's text with each instruction in one line."""
    lines: list[str] = []
    continues = False
    for line in text.split("\n"):
        if continues:
            lines[-1] = f"{lines[-1]} {line.strip()}"
        else:
            lines.append(line)
        continues = lines[-1].endswith("\\") and not lines[-1].startswith("#")
        if continues:
            lines[-1] = lines[-1][:-1].rstrip()
    return "\n".join(lines)


def lacking(text: str) -> list[str]:
    """Return what the Go build should say and this text does not."""
    whole = joined(text)
    return [what for what, pattern in SAYS.items() if not re.search(pattern, whole, re.MULTILINE)]


@dataclass
class Bar:
    """A limit that dockdsl keeps or misses."""

    what: str
    limit: float
    ratios: list[float]
    """One of each round."""

    @property
    def figure(self) -> float:
        """What is held against the limit."""
        return statistics.median(self.ratios)

    @property
    def kept(self) -> bool:
        """Whether the limit is kept."""
        return self.figure <= self.limit


@dataclass
class Row:
    """The times of one thing that was measured, and what there is to say about it."""

    name: str
    times: list[float] = field(default_factory=list)
    remark: str = ""

    @property
    def median(self) -> float:
        """The median of the times."""
        return statistics.median(self.times)

    def ratios(self, other: Row) -> list[float]:
        """Return how many times the other's time is this one's, in each round that both have."""
        return [mine / its for mine, its in zip(self.times, other.times, strict=False)]


@dataclass
class Section:
    """A table: its rows, and the bars that are read from it."""

    title: str
    unit: str
    base: str
    against: str
    rows: dict[str, Row] = field(default_factory=dict)
    bars: list[Bar] = field(default_factory=list)

    def ratio(self, one: str, other: str) -> float:
        """Return how many times the time of `other` is that of `one`."""
        return statistics.median(self.rows[one].ratios(self.rows[other]))

    def hold(self, what: str, limit: float, one: str, other: str) -> None:
        """Hold the ratio of two rows against a limit, if both are there."""
        if one in self.rows and other in self.rows:
            self.bars.append(Bar(what, limit, self.rows[one].ratios(self.rows[other])))


def quartiles(figures: Sequence[float]) -> tuple[float, float]:
    """Return the first and the third quartile."""
    low, _, high = statistics.quantiles(figures, n=4, method="inclusive")
    return low, high


def environment_of(
    interpreter: Sequence[str], version: str, attrs: str, libraries: Iterable[Library]
) -> tuple[Path, dict[str, Unmeasured]]:
    """Return the interpreter of an environment with the libraries in it, and those that could not be installed.

    It is made if it is missing, of old, or not whole.
    """
    folder = CACHE / version
    python = folder / "bin" / "python"
    wanted = [library for library in libraries if library.package]
    paths = [str(CHECKOUT), str(RECIPES)]
    stamp = folder / "ready"
    content = json.dumps([RECIPE, attrs, READERS, [library.package for library in wanted], paths])
    if python.exists() and stamp.exists() and stamp.read_text() == content:
        return python, {}
    print(f"making {folder.relative_to(CHECKOUT)}", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)
    # Without pip: the environment has then nothing in it that every start of the interpreter would pay for.
    run([*interpreter, "-m", "venv", "--without-pip", str(folder)])
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    install = [*pip, "install", "--quiet", "--only-binary=:all:"]
    run([*install, attrs])
    failures: dict[str, Unmeasured] = {}
    try:
        run([*install, *READERS])
    except Unmeasured as failure:
        failures[READER] = failure
    for library in wanted:
        try:
            run([*install, library.package])
        except Unmeasured as failure:
            failures[library.name] = failure
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "checkout.pth").write_text("".join(f"{path}\n" for path in paths))
    if not failures:
        stamp.write_text(content)
    return python, failures


def run(argv: Sequence[str]) -> str:
    """Run a program and return what it prints."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=CACHE, env=surroundings())
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise Unmeasured(f"{' '.join(argv[-2:])}: {last}")
    return done.stdout


def surroundings() -> dict[str, str]:
    """Return the environment variables without those that change how Python starts."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE"))}


def interpreters() -> Iterator[tuple[tuple[int, int], str]]:
    """Yield the newer interpreters of this machine, oldest first, each with its version."""
    roots = [Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"]
    roots.append(Path(os.environ.get("UV_PYTHON_INSTALL_DIR", Path.home() / ".local" / "share" / "uv" / "python")))
    for minor in range(sys.version_info.minor + 1, 20):
        name = f"python3.{minor}"
        found = [path for path in [shutil.which(name)] if path]
        found += sorted(str(path) for root in roots for path in root.glob(f"*/bin/{name}"))
        for path in found:
            # A shim of pyenv may stand for nothing; an interpreter of Debian may lack venv.
            probe = subprocess.run([path, "-c", "import venv"], capture_output=True, check=False, env=surroundings())
            if probe.returncode == 0:
                yield (3, minor), path
                break


def spawn(argv: Sequence[str], variables: dict[str, str]) -> float:
    """Run a program to its end and return the milliseconds it took."""
    silent = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
    start = time.perf_counter()
    process = os.posix_spawn(argv[0], list(argv), variables, file_actions=silent)
    _, status = os.waitpid(process, 0)
    took = (time.perf_counter() - start) * 1e3
    if status:
        raise Unmeasured(f"{' '.join(argv[1:])}: exit {os.waitstatus_to_exitcode(status)}")
    return took


def rotated(names: Sequence[str], by: int) -> list[str]:
    """Return the names in an order that is another each round."""
    by %= len(names)
    order = [*names[by:], *names[:by]]
    return order if by % 2 else order[::-1]


def time_commands(section: Section, commands: dict[str, list[str]], rounds: int) -> None:
    """Measure commands in interleaved rounds."""
    variables = surroundings()
    for name, command in commands.items():
        section.rows.setdefault(name, Row(name))
        for _ in range(2):  # until everything is compiled, and in the disk cache
            spawn(command, variables)
    end = time.monotonic() + BUDGET
    for number in range(rounds):
        for name in rotated(list(commands), number):
            section.rows[name].times.append(spawn(commands[name], variables))
        if time.monotonic() > end and number + 1 >= FEWEST:
            break


def imports_of(path: Path) -> str:
    """Return the import statements of a file in one line."""
    tree = ast.parse(path.read_text())
    return "; ".join(ast.unparse(node) for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom)))


def measure_import(python: Path, libraries: Sequence[Library], rounds: int) -> Section:
    """Measure what an import costs."""
    section = Section('1. Import: python -c "…", wall time', "ms", "pass", "import dockdsl")
    lines = {"pass": "pass", "import attrs": "import attrs"}
    lines.update({f"import {library.module}": f"import {library.module}" for library in libraries})
    used = "the imports of builds/go_api.py"
    lines[used] = imports_of(GO_FILE)
    time_commands(section, {name: [str(python), "-c", line] for name, line in lines.items()}, rounds)
    section.rows[used].remark = "dockdsl with the names in use; the others load everything at once"
    section.hold("import dockdsl, in times of import attrs", 1.35, "import dockdsl", "import attrs")
    return section


def measure_cli(python: Path, libraries: Sequence[Library], rounds: int) -> Section:
    """Measure the commands that print the Go build."""
    section = Section("2. Command line: prints the Go build, wall time", "ms", "pass", OURS)
    commands = {name: [str(python), "-c", name] for name in ("pass", "import attrs, argparse")}
    for library in libraries:
        commands[library.name] = [str(python), *library.command]
        section.rows[library.name] = Row(library.name, remark=said(run(commands[library.name])))
    time_commands(section, commands, rounds)
    section.rows = {name: section.rows[name] for name in commands}
    section.hold("dockdsl, in times of import attrs, argparse", 2, OURS, "import attrs, argparse")
    for library in libraries:
        if library.name != OURS:
            section.hold(f"dockdsl, in times of {library.name}", 1, OURS, library.name)
    return section


def said(text: str) -> str:
    """Say how much of the Go build is in a text."""
    missing = lacking(text)
    share = f"{len(SAYS) - len(missing)} of {len(SAYS)}"
    return f"{share}: lacks {', '.join(missing)}" if missing else share


class Worker:
    """A process with one library in it, which makes and renders when told to."""

    def __init__(self, python: Path, library: Library) -> None:
        self.library = library
        self._process = subprocess.Popen(
            [str(python), str(HERE / "worker.py"), library.name, str(library.recipe), SIZES],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=CACHE,
            env=surroundings(),
        )

    def _ask(self, kind: str, times: int) -> int | str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps([kind, times]) + "\n")
            self._process.stdin.flush()
            answer: int | str = json.loads(self._process.stdout.readline())
        except (OSError, ValueError):
            _, complaint = self._process.communicate()
            last = (complaint.strip().splitlines() or ["it said nothing"])[-1]
            raise Unmeasured(f"{self.library.name}, {kind}: {last}") from None
        return answer

    def text(self, kind: str) -> str:
        """Return what a task renders."""
        return str(self._ask(kind, 0))

    def time(self, kind: str, times: int = 1) -> float:
        """Return the nanoseconds that a task takes, each of so many times."""
        return int(self._ask(kind, times)) / times

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def workers_of(python: Path, libraries: Sequence[Library]) -> Iterator[dict[str, Worker]]:
    """Start a worker for each library, and end them all."""
    workers: dict[str, Worker] = {}
    try:
        for library in libraries:
            workers[library.name] = Worker(python, library)
        yield workers
    finally:
        for worker in workers.values():
            worker.close()


def measure_go(workers: dict[str, Worker], rounds: int) -> Section:
    """Measure the Go build, made and rendered in a warm process."""
    section = Section("3. The Go build made and rendered, warm, CPU time", "µs", "", OURS)
    times: dict[str, int] = {}
    for name, worker in workers.items():
        section.rows[name] = Row(name, remark=said(worker.text("go")).partition(":")[0])
        worker.time("go", 50)
        times[name] = max(1, round(BATCH / worker.time("go", 50)))
    end = time.monotonic() + BUDGET
    for number in range(4 * rounds):
        for name in rotated(list(workers), number):
            section.rows[name].times.append(workers[name].time("go", times[name]) / 1e3)
        if time.monotonic() > end and number + 1 >= FEWEST:
            break
    section.hold(f"dockdsl, in times of {NEAREST}", 1, OURS, NEAREST)
    return section


def measure_large(workers: dict[str, Worker], rounds: int) -> tuple[Section, Section]:
    """Measure large builds, made and rendered in a warm process."""
    kinds = {kind: Section(f"4. {kind} instructions in 50 stages, warm, CPU time", "ms", "", OURS) for kind in CYCLES}
    for kind, section in kinds.items():
        for name, worker in workers.items():
            # The check of what is made is the warming up as well.
            count = len(_INSTRUCTIONS.findall(worker.text(kind)))
            if f"{count:,}" != kind:
                raise Unmeasured(f"{name}: its text has {count:,} instructions instead of {kind}")
            section.rows[name] = Row(name)
    small, large = kinds["1,000"], kinds["10,000"]
    spent = dict.fromkeys(workers, 0.0)
    for number in range(rounds):
        for name in rotated(list(workers), number):
            if spent[name] > LARGE_BUDGET and number >= FEWEST:
                continue
            start = time.monotonic()
            # Ten small ones take as long as a large one, and stand beside it: so they see the same machine.
            small.rows[name].times.append(workers[name].time("1,000", 10) / 1e6)
            large.rows[name].times.append(workers[name].time("10,000") / 1e6)
            spent[name] += time.monotonic() - start
    for name, row in large.rows.items():
        row.remark = f"{statistics.median(row.ratios(small.rows[name])):.1f} x the time of 1,000"
    small.hold(f"dockdsl, in times of {NEAREST}", 1, OURS, NEAREST)
    growth = large.rows[OURS].ratios(small.rows[OURS])
    large.bars.append(Bar("dockdsl, in times of its 1,000 instructions", 11, growth))
    return small, large


def measure_reading(python: Path, rounds: int) -> Section:
    """Measure how long it takes to read Dockerfiles."""
    program = [str(python), str(HERE / "reading.py"), str(rounds), str(CORPUS), str(GO_FILE.parent)]
    found = json.loads(run(program))
    section = Section(f"5. {found['texts']:,} Dockerfiles read, warm, CPU time", "ms", "", OURS)
    for name, times in found["times"].items():
        section.rows[name] = Row(name, [each / 1e6 for each in times])
    section.rows[READER].remark = "BuildKit's parser in Go: no values, no flags and mounts, no stages"
    section.hold(f"dockdsl, in times of {READER}", 1, OURS, READER)
    return section


def measure_build(python: Path, rounds: int) -> Section:
    """Measure the build of an image whose steps are all cached."""
    reason = os.environ.get("DOCKDSL_ENGINE_REASON")
    docker = shutil.which("docker")
    if reason or docker is None:
        raise Unmeasured(f"the build of an image: {reason or 'there is no docker command'}")
    bare, ours = "docker buildx build", "dockdsl build"
    section = Section("6. An image built whose steps are all cached, wall time", "ms", bare, ours)
    file = GO_FILE.with_suffix(".Dockerfile")
    folder = CHECKOUT / "go_app"
    commands = {
        bare: [docker, "buildx", "build", "--load", f"--tag={BUILT}", f"--file={file}", str(folder)],
        ours: [str(python), "-m", "dockdsl", "build", f"--tag={BUILT}", str(GO_FILE)],
    }
    try:
        time_commands(section, commands, rounds)
    finally:
        subprocess.run([docker, "image", "rm", BUILT], capture_output=True, check=False)
    section.hold(f"{ours}, in times of {bare}", 1.3, ours, bare)
    return section


def shown(section: Section) -> str:
    """Return a table as text."""
    width = max(len(name) for name in section.rows) + 2
    heading = f"{'':{width}}{section.unit:>9}" + (f"{'x bare':>9}" if section.base else "")
    lines = [section.title, f"{heading}{'x dockdsl':>11}"]
    for row in section.rows.values():
        cells = f"{row.median:9.1f}" if row.median < 1000 else f"{row.median:9.0f}"
        if section.base:
            cells += f"{section.ratio(row.name, section.base):9.2f}"
        cells += f"{section.ratio(row.name, section.against):11.2f}"
        lines.append(f"  {row.name:{width - 2}}{cells}   {row.remark}".rstrip())
    for bar in section.bars:
        verdict = "ok" if bar.kept else "MISSED"
        low, high = quartiles(bar.ratios)
        spread = f"{bar.figure:.2f} (quartiles {low:.2f} and {high:.2f})"
        lines.append(f"  {verdict:>6}  {bar.what}: {spread}, at most {bar.limit:g}")
    return "\n".join(lines)


def data_of(section: Section) -> dict[str, object]:
    """Return a table as data."""
    rows = [
        {"name": row.name, "times": row.times, "median": row.median, "remark": row.remark}
        for row in section.rows.values()
    ]
    bars = [{"what": bar.what, "limit": bar.limit, "figure": bar.figure, "kept": bar.kept} for bar in section.bars]
    return {"title": section.title, "unit": section.unit, "rows": rows, "bars": bars}


def measure_all(python: Path, libraries: Sequence[Library], rounds: int, tell: Callable[[Section], None]) -> None:
    """Measure all on one interpreter, and tell each table when it is there."""
    tell(measure_import(python, libraries, rounds))
    tell(measure_cli(python, libraries, rounds))
    with workers_of(python, libraries) as workers:
        tell(measure_go(workers, rounds))
        for section in measure_large(workers, min(rounds, LARGE_ROUNDS)):
            tell(section)
    tell(measure_reading(python, min(rounds, LARGE_ROUNDS)))
    tell(measure_build(python, rounds))


def plan() -> Iterator[tuple[str, list[str], list[Library]]]:
    """Yield the interpreters to measure on, by version and command, each with the libraries that run on it."""
    here = sys.version_info[:2]
    todo = [(here, [sys.executable])]
    if any(library.needs > here for library in LIBRARIES):
        newer = [(version, [path]) for version, path in interpreters()]
        newest = max(library.needs for library in LIBRARIES)
        todo += [each for each in newer if each[0] >= newest][:1] or newer[-1:]
    for version, interpreter in todo:
        yield f"{version[0]}.{version[1]}", interpreter, [each for each in LIBRARIES if each.needs <= version]


@dataclass
class Report:
    """All that is found out: the tables, the bars that are missed, and what could not be measured."""

    tables: list[dict[str, object]] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    unmeasured: list[str] = field(default_factory=list)

    def measure(self, version: str, interpreter: Sequence[str], able: Sequence[Library], rounds: int) -> None:
        """Measure on one interpreter, and print each table when it is there."""
        attrs = f"attrs=={importlib.metadata.version('attrs')}"
        python, lost = environment_of(interpreter, version, attrs, able)
        self.unmeasured += [f"Python {version}: {failure}" for failure in lost.values()]
        exact = run([str(python), "-c", "import platform; print(platform.python_version())"]).strip()
        machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
        print(f"\n== Python {exact}, {attrs.replace('==', ' ')}, {machine}")
        for library in LIBRARIES:
            if library.name in lost:
                print(f"   {library.name} is not in these tables: it could not be installed")
            elif library not in able:
                need = ".".join(map(str, library.needs))
                print(f"   {library.name} is not in these tables: it does not run here, it needs Python {need}")
        sections: list[dict[str, object]] = []
        self.tables.append({"python": exact, "attrs": attrs, "machine": machine, "sections": sections})

        def tell(section: Section) -> None:
            print(f"\n{shown(section)}", flush=True)
            sections.append(data_of(section))
            self.missed += [f"Python {version}: {section.title}: {bar.what}" for bar in section.bars if not bar.kept]

        measure_all(python, [library for library in able if library.name not in lost], rounds, tell)


def main() -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(description="Measure how fast dockdsl is, as ratios.")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures into this file as well")
    parser.add_argument("--rounds", metavar="N", type=int, default=ROUNDS, help=f"the rounds of each table ({ROUNDS})")
    options = parser.parse_args()
    output = options.json.resolve() if options.json else None
    CACHE.mkdir(parents=True, exist_ok=True)
    # Neither the checkout nor the recipes may be found by way of the current folder.
    os.chdir(CACHE)
    report = Report()
    for version, interpreter, able in plan():
        try:
            report.measure(version, interpreter, able, max(FEWEST, options.rounds))
        except Unmeasured as failure:
            report.unmeasured.append(f"Python {version}: {failure}")
    print("\nbars missed:" if report.missed else "\nall bars are kept")
    print("".join(f"  {line}\n" for line in report.missed), end="", flush=True)
    for line in report.unmeasured:
        print(f"not measured: {line}", file=sys.stderr)
    if output is not None:
        output.write_text(json.dumps(asdict(report), indent=1) + "\n")
    return 1 if report.unmeasured else 0


if __name__ == "__main__":
    raise SystemExit(main())
