"""Find a Docker Engine with BuildKit, or provision one on a bare Debian machine, and run a command with it.

    provision.py run [--images go,busybox] [--require] -- COMMAND...
    provision.py up [--images go,busybox]     bring an engine up and leave it up
    eval "$(provision.py env)"                use it in this shell
    provision.py down                         end it

An engine that answers already (a `docker` client with buildx, DOCKER_HOST and the docker context honoured, BuildKit new
enough for --call=check) is used as it is; an image that it lacks and cannot pull counts as no engine. Otherwise, on
Debian and as root, one is made from Debian packages under `.cache/engine` of the checkout, and `run` ends it again. Base
images that this one lacks and cannot pull are replaced by stand-ins of the same names, made from packages and labelled
dockdsl.standin=1 (see tests/provision/images.py). No container registry is needed. In an engine that is used as it is,
names are not given to stand-ins, unless DOCKDSL_STANDINS=1 is set.

`run` exits with COMMAND's status. Where no engine can be had it runs COMMAND all the same, with DOCKDSL_ENGINE_REASON
set to one line that says why; with --require it exits 2 instead.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if __name__ == "__main__":
    # Run by the machine's own Python: the checkout is what is imported from, and no installed package called `tests`.
    sys.path[:] = [
        str(Path(__file__).resolve().parents[2]),
        *(path for path in sys.path[1:] if "-packages" not in path),
    ]

from tests.provision import daemon, images
from tests.provision.host import Interrupted, Process, Refusal, ask, locked, say, tail
from tests.provision.place import STEERING, Place, State, answers, running

if TYPE_CHECKING:
    from collections.abc import Mapping

PLACE = Place(Path(__file__).resolve().parents[2] / ".cache" / "engine")
REASON = "DOCKDSL_ENGINE_REASON"
STANDINS = "DOCKDSL_STANDINS"
SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
GRACE = 60.0  # seconds that COMMAND has to end after a signal


def reachable(place: Place) -> bool:
    """Whether the environment as it is leads to an engine that can be used; the project's own one does not count.

    One build decides it: BuildKit's check of the smallest Dockerfile needs client, buildx and engine, and no network.
    """
    environment = dict(os.environ)
    version = "" if environment.get("DOCKER_HOST") == place.host else answers(environment)
    if not version:
        return False
    argv = ["docker", "buildx", "build", "--call=check,format=json", "-"]
    status, _, error = ask(argv, env=environment, stdin="FROM scratch\nCOPY a /\n", timeout=60)
    if status:
        say(f"Docker Engine {version} answers, but does not check a Dockerfile ({tail(error)}); looking for another")
        return False
    say(f"using the Docker Engine {version} that answers already")
    return True


def obtain(place: Place, names: list[str], *, keep: bool) -> dict[str, str]:
    """Find or bring up an engine with these images and return its clients' environment.

    The project's own engine stays up if `keep` says so; otherwise this process is put on the list of its users first.

    Raises:
        Refusal: none can be had, or the one that answers lacks an image.
    """
    if reachable(place):
        missing = images.lacking(names, os.environ)
        if missing and os.environ.get(STANDINS) != "1":
            lacked = ", ".join(images.IMAGES[name].name for name in missing)
            raise Refusal(
                f"{lacked}: the engine that answers lacks it and cannot pull it; load it there, or set {STANDINS}=1 to "
                "have a stand-in of that name made in it"
            )
        if missing:
            with locked(place.folder / "lock"):
                images.make(place, missing, os.environ)
        return dict(os.environ)
    with locked(place.folder / "lock"):
        if not keep:
            ticket(place).parent.mkdir(parents=True, exist_ok=True)
            ticket(place).touch()
        state = running(place)
        if state:
            say(f"using the engine that is up ({place.host})")
        else:
            state = daemon.start(place)
        images.make(place, images.lacking(names, place.environment()), place.environment())
        replace(state, kept=state.kept or keep).save(place)
    return place.environment()


def ticket(place: Place) -> Path:
    """Return the file that says that this process uses the engine of `place`."""
    me = Process.find(os.getpid())
    return place.folder / "users" / f"{os.getpid()}-{me.started if me else 0}"


def users(place: Place) -> list[Process]:
    """Return the runs that use the engine of `place` now; what killed runs left is taken away."""
    found = []
    for file in (place.folder / "users").glob("*"):
        pid, _, started = file.name.partition("-")
        user = Process.find(int(pid)) if pid.isdigit() else None
        if user and str(user.started) == started:
            found.append(user)
        else:
            file.unlink(missing_ok=True)
    return found


def leave(place: Place) -> None:
    """End the engine of `place` unless `up` asked for it or a run still uses it."""
    if State.load(place) is None:
        return
    with locked(place.folder / "lock"):
        state = State.load(place)
        if state and not state.kept and not users(place):
            begun = time.monotonic()
            daemon.stop(place)
            say(f"the engine is stopped ({time.monotonic() - begun:.1f} s)")


def supervise(command: list[str], environment: Mapping[str, str]) -> int:
    """Run `command` and return its exit status, 128 + N for one that signal N ended.

    A signal sent to this program goes on to the command, which has GRACE seconds to end. A terminal sends Ctrl-C to
    both by itself.
    """
    watched = SIGNALS | {signal.SIGCHLD}
    signal.pthread_sigmask(signal.SIG_BLOCK, watched)

    def unblock() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, watched)

    try:
        child = subprocess.Popen(command, env=environment, preexec_fn=unblock)  # noqa: PLW1509 - one thread
    except OSError as error:
        say(f"{command[0]}: {error.strerror}; give a command that can be run")
        return 127 if isinstance(error, FileNotFoundError) else 126
    limit = float("inf")
    while child.poll() is None:
        got = signal.sigtimedwait(watched, 1)
        if got and got.si_signo in SIGNALS:
            limit = min(limit, time.monotonic() + GRACE)
            if got.si_code <= 0:  # sent by a process, not by the terminal
                child.send_signal(got.si_signo)
        if time.monotonic() > limit:
            child.kill()
    return 128 - child.returncode if child.returncode < 0 else child.returncode


def run(place: Place, command: list[str], names: list[str], *, require: bool) -> int:
    """Run `command` with an engine; see the module's docstring."""
    try:
        try:
            environment = obtain(place, names, keep=False)
            environment.pop(REASON, None)
        except (Refusal, OSError) as error:
            reason = one_line(error)
            say(reason)
            if require:
                return 2
            environment = {**os.environ, REASON: reason}
        return supervise(command, environment)
    finally:
        if ticket(place).exists():
            ticket(place).unlink()
            leave(place)


def up(place: Place, names: list[str]) -> int:
    """Bring an engine up, or find one, and leave it up."""
    try:
        obtain(place, names, keep=True)
    finally:
        leave(place)  # it stays, unless it could not be made whole
    return 0


def down(place: Place) -> int:
    """End the engine that `up` left up; runs that use it end it themselves when they are done."""
    with locked(place.folder / "lock"):
        state = State.load(place) or State.recover(place)
        if state:
            replace(state, kept=False).save(place)
            for user in users(place):
                say(f"process {user.pid} still uses the engine, and stops it at its end")
        else:
            say("no engine of this checkout is up")
    leave(place)
    return 0


def env(place: Place) -> int:
    """Print what a shell evaluates to use the engine of this checkout."""
    if running(place) is None:
        if reachable(place):
            return 0
        raise Refusal("engine: none of this checkout is up; run `provision.py up` first")
    own = place.variables()
    lines = [f"export {name}={shlex.quote(value)}" for name, value in own.items() if name != "PATH"]
    lines.append(f'export PATH={shlex.quote(str(place.folder / "bin"))}:"$PATH"')
    lines.append(f"unset {' '.join(STEERING)}")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def image_names(text: str) -> list[str]:
    """Read the value of --images: keys of IMAGES with commas between them, `all`, or nothing."""
    names = list(images.IMAGES) if text == "all" else [name for name in text.split(",") if name]
    unknown = [name for name in names if name not in images.IMAGES]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"unknown image {unknown[0]!r}; give some of {','.join(images.IMAGES)}, or all"
        )
    return names


def one_line(error: Exception) -> str:
    """Return the message of an error without line breaks."""
    return " ".join(str(error).split())


def interrupt(number: int, _frame: object) -> NoReturn:
    """Turn a signal into an exception, so that what is under way is undone."""
    for other in SIGNALS:
        signal.signal(other, signal.SIG_IGN)  # what is undone now is not to be interrupted again
    raise Interrupted(number)


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(
        prog="provision.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("run", "up", "down", "env"):
        sub = verbs.add_parser(verb)
        if verb in ("run", "up"):
            sub.add_argument(
                "--images",
                type=image_names,
                default="go,busybox",
                metavar="NAMES",
                help=f"of {','.join(images.IMAGES)}; or all",
            )
        if verb == "run":
            sub.add_argument("--require", action="store_true", help="exit 2 where no engine can be had")
            sub.add_argument("command", nargs="+", metavar="COMMAND")
    options = parser.parse_args(arguments)
    for number in SIGNALS:
        signal.signal(number, interrupt)
    try:
        if options.verb == "run":
            return run(PLACE, options.command, options.images, require=options.require)
        if options.verb == "up":
            return up(PLACE, options.images)
        return down(PLACE) if options.verb == "down" else env(PLACE)
    except (Refusal, OSError) as error:
        say(one_line(error))
        return 2
    except Interrupted as stop:
        say(f"stopped by signal {stop.status - 128}")
        return stop.status


if __name__ == "__main__":
    raise SystemExit(main())
