"""The root folder of the engine: a small Debian with docker.io, and the client it lends to this machine."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from tests.provision.host import (
    Refusal,
    apt_environment,
    apt_install,
    ask,
    do,
    mirror,
    read,
    say,
    tail,
    write,
)
from tests.provision.place import SYSTEM_PATH, Place, State

SUITES = ("forky", "trixie")  # the second has docker.io 26 and a buildx that knows no --call=check
# BuildKit fetches repositories by git.
PACKAGES = "ca-certificates,iptables,iproute2,docker.io,docker-cli,docker-buildx,runc,containerd,busybox-static,git"
RECIPE = 1  # raise it when a root made earlier must be made again
SPACE = 3 << 30  # bytes: the root, dockerd's data and the stand-in images

BOOTSTRAP = r"""
target=$1 archives=$2 plain=$3; shift 3
mkdir "$plain/root" "$plain/debs"
mount --bind "$target" "$plain/root"
mount --bind "$archives" "$plain/debs"
exec debootstrap "$@"
"""


def debootstrap(place: Place, suite: str, target: Path, packages: str) -> None:
    """Install a small Debian of `suite` with `packages` into the folder `target`.

    It runs in namespaces of its own, so that an end at any time leaves neither mounts nor processes.

    Raises:
        Refusal: a package cannot be had, or this machine allows no mounts.
    """
    env = apt_environment()
    if shutil.which("debootstrap", path=env["PATH"]) is None:
        say("installing debootstrap with apt-get")
        apt_install("debootstrap")
    status, _, error = ask(["unshare", "--mount", "true"])
    if status:
        raise Refusal(
            f"engine: root may not mount here ({tail(error)}); run it in a virtual machine or a privileged container"
        )
    archives = place.folder / "debs"
    archives.mkdir(parents=True, exist_ok=True)
    scripts = Path("/usr/share/debootstrap/scripts")
    script = scripts / (suite if (scripts / suite).exists() else "sid")
    with tempfile.TemporaryDirectory(prefix="dockdsl-engine-") as plain:  # debootstrap takes no path with a space in it
        argv = ["setpriv", "--pdeathsig", "KILL"]  # the caller's death ends it, and --kill-child all that it started
        argv += ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-ec", BOOTSTRAP, "sh"]
        argv += [str(target), str(archives), plain, "--variant=minbase", f"--include={packages}"]
        argv += [f"--cache-dir={plain}/debs", suite, f"{plain}/root", mirror(), str(script)]
        remedy = "check the network and apt's sources, then try again"
        do(argv, what=f"debootstrap {suite}", remedy=remedy, timeout=900, env=env)
    for name in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale"):
        shutil.rmtree(target / name, ignore_errors=True)
        (target / name).mkdir(parents=True)
    for name in ("var/cache/apt/archives/partial", "var/lib/apt/lists/partial"):
        (target / name).mkdir(parents=True)


def make_root(place: Place) -> None:
    """Make the engine's root folder, unless a whole one is there.

    Raises:
        Refusal: neither suite can be installed, the disk is too full, or an engine still runs in an older one.
    """
    mark = Path("etc/dockdsl-engine.json")
    recipe = {"recipe": RECIPE, "packages": PACKAGES}
    if recipe.items() <= read(place.root / mark).items():
        return
    # Others may lend it from the engine that it was made for.
    state = State.load(Place(place.root.resolve().parent))
    if state and state.inner.alive():
        fact = f"the one that is up runs in {place.root.resolve()}, which has to be made again"
        raise Refusal(f"engine: {fact}; end it with provision.py down")
    place.folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(place.root, ignore_errors=True)
    free = shutil.disk_usage(place.folder).free
    if free < SPACE:
        raise Refusal(f"disk: {free >> 20} MiB free at {place.folder}, the engine takes {SPACE >> 20}; make room")
    for suite in SUITES:
        say(f"installing Docker Engine from Debian {suite} into {place.root} (under a minute on a fast network)")
        new = Path(tempfile.mkdtemp(prefix="new-root-", dir=place.folder))
        try:
            debootstrap(place, suite, new, PACKAGES)
            new.chmod(0o755)
            write(new / mark, {**recipe, "suite": suite})
            new.replace(place.root)
        except Refusal as refusal:
            if suite == SUITES[-1]:
                raise
            say(str(refusal))
            say(f"trying Debian {SUITES[-1]}, whose engine is older (remove {place.root} to try {suite} again)")
        else:
            return
        finally:
            shutil.rmtree(new, ignore_errors=True)


def make_client(place: Place) -> None:
    """Put `docker` and its buildx plugin where `Place.variables` says."""
    plugins = place.folder / "config" / "cli-plugins"
    for folder in (place.folder / "bin", plugins):
        folder.mkdir(parents=True, exist_ok=True)
    links = {
        place.folder / "bin" / "docker": "usr/bin/docker",
        plugins / "docker-buildx": "usr/libexec/docker/cli-plugins/docker-buildx",
    }
    for link, name in links.items():
        link.unlink(missing_ok=True)
        link.symlink_to(os.path.relpath(place.root / name, link.parent))


def in_root(place: Place, *argv: str) -> tuple[int, str, str]:
    """Run a command of the engine's root folder in the machine's network; the machine itself may have no `ip`."""
    change = ["chroot", str(place.root)] if (place.root / "usr").exists() else []
    return ask([*change, *argv], env={"PATH": SYSTEM_PATH})
