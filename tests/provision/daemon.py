"""A Docker Engine of the project's own: dockerd, started in its root folder and stopped without a trace.

Everything lives under one folder (`.cache/engine` of the checkout):

    root/          a small Debian with docker.io, docker-cli and docker-buildx
    data/          dockerd's images and build cache
    bin/ config/   what clients need: `docker`, and DOCKER_CONFIG with the buildx plugin
    run/           the socket (a folder of /run if this path is too long for a socket)
    debs/ downloads/ images/   packages and stand-in images, kept for the next time
    state.json     which process is the engine; never believed without looking at the process
    users/         the runs that use it now; the last one stops it
    dockerd.log    the engine's log since it was last started

The engine has a mount and a PID namespace of its own: when its first process ends, however that comes, the kernel ends
every container and takes every mount away. It has the machine's network, so that published ports are on the machine's
loopback, but its own bridge, its own address range and three iptables rules of its own; it leaves docker0 and Docker's
chains alone, so that engines do not disturb each other. Ports are published by docker-proxy. Of the machine's folders,
containers can mount those under /tmp and under the checkout.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from tests.provision.host import BOOT_ID, Process, Refusal, ask, require_debian, say, tail
from tests.provision.network import free_subnet, make_network, remove_network
from tests.provision.place import SYSTEM_PATH, Place, State, answers
from tests.provision.root import make_client, make_root

PROXIES = {"http_proxy", "https_proxy", "no_proxy"}

LAUNCH = r"""
set -e
read -r _                     # the state file is written; at end of file this fails: the caller is gone
umask 022
root=$1 data=$2 socket=$3 checkout=$4; shift 4
mount --bind "$root" "$root"
cd "$root"
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount -t tmpfs -o mode=755 tmpfs run
mount --bind /tmp tmp         # so that `docker run -v` finds the folders of tests
mkdir -p run/engine var/lib/docker ".$checkout"
mount --bind "$checkout" ".$checkout"
mount --bind "$socket" run/engine
mount --bind "$data" var/lib/docker
pivot_root . mnt
exec chroot . /bin/sh -c 'umount -l /mnt && exec docker-init -- dockerd "$@"' dockerd "$@" </dev/null
"""


def start(place: Place, *options: str) -> State:
    """Bring the engine of `place` up, with more options of dockerd if there are any, and wait until it answers.

    Raises:
        Refusal: it cannot be made here, or does not answer in 60 seconds; its log's tail is shown.
    """
    require_debian("engine: none answers; one of its own", "start Docker Engine 27 or newer with buildx")
    begun = time.monotonic()
    stop(place)
    for half in place.folder.glob("new-*"):  # made by a run that was killed
        shutil.rmtree(half, ignore_errors=True)
    make_root(place)
    make_client(place)
    subnet = free_subnet(place)
    for folder in (place.folder / "data", place.sockets):
        folder.mkdir(parents=True, exist_ok=True)
    copy_names(place)
    argv = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", LAUNCH, "launch"]
    argv += map(str, (place.root, place.folder / "data", place.sockets, place.checkout))
    argv += ["--host=unix:///run/engine/docker.sock", "--group=0", "--data-root=/var/lib/docker"]
    argv += ["--exec-root=/run/docker", "--pidfile=/run/dockerd.pid"]
    argv += [f"--bridge={place.bridge}", f"--default-address-pool=base={subnet},size=24"]
    argv += ["--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"]
    argv += [f"--cgroup-parent=/dockdsl-{place.key}", "--exec-opt=native.cgroupdriver=cgroupfs"]
    argv += options
    env = {name: value for name, value in os.environ.items() if name.lower() in PROXIES}
    log = place.folder / "dockerd.log"
    with log.open("wb") as output:
        child = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            cwd="/",
            env={**env, "PATH": SYSTEM_PATH},
            start_new_session=True,
        )
    outer, inner = Process.find(child.pid), None
    while child.poll() is None and inner is None:
        inner = Process.child_of(child.pid)
    if outer is None or inner is None:
        fact = tail(log.read_text(errors="replace"))
        raise Refusal(f"engine: no namespaces for it ({fact}); run it where root may make them")
    state = State(outer, inner, subnet)
    state.save(place)
    try:
        make_network(place, subnet)
        if child.stdin is not None:
            child.stdin.write(b"go\n")
            child.stdin.close()
        version = wait_until_it_answers(place, child)
    except BaseException:
        if child.stdin is not None:
            child.stdin.close()  # it may still wait there, and the first process of a namespace ignores SIGTERM
        stop(place)
        raise
    say(f"Docker Engine {version} is up after {time.monotonic() - begun:.1f} s ({place.host})")
    return state


def copy_names(place: Place) -> None:
    """Let the engine look names up as the machine does now."""
    resolved = Path("/run/systemd/resolve/resolv.conf")  # the real servers behind systemd-resolved's loopback address
    sources = {"resolv.conf": resolved if resolved.exists() else Path("/etc/resolv.conf"), "hosts": Path("/etc/hosts")}
    for name, source in sources.items():
        target = place.root / "etc" / name
        target.unlink(missing_ok=True)  # a link here would lead out of the root folder
        if source.exists():
            shutil.copyfile(source, target)


def wait_until_it_answers(place: Place, child: subprocess.Popen[bytes], timeout: float = 60) -> str:
    """Return the version of the engine that `child` becomes.

    Raises:
        Refusal: it ended, or says nothing in `timeout` seconds.
    """
    limit = time.monotonic() + timeout
    while child.poll() is None and time.monotonic() < limit:
        version = answers(place.environment(), timeout=10)
        if version:
            return version
        time.sleep(0.1)
    log = place.folder / "dockerd.log"
    for line in tail(log.read_text(errors="replace"), 15).splitlines():
        say(f"dockerd.log: {line}")
    fact = f"did not answer in {timeout:.0f} s" if child.poll() is None else f"ended with status {child.returncode}"
    raise Refusal(f"engine: dockerd {fact}; its log is {log}")


def stop(place: Place) -> bool:
    """End the engine of `place` and return whether one ran; nothing is left of it but its folder.

    Raises:
        Refusal: it does not end.
    """
    state = State.load(place) or State.recover(place)
    if state is None:
        return False
    ran = state.inner.alive()
    if ran:
        empty(place)
        for number, patience in ((signal.SIGTERM, 30), (signal.SIGKILL, 10)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(state.inner.pid, number)
            if state.inner.gone(patience) and state.outer.gone(5):
                break
        else:
            raise Refusal(f"engine: process {state.inner.pid} does not end; end it by hand")
    if state.inner.boot == BOOT_ID.read_text().strip():  # a restart of the machine took it all away
        remove_network(place, state.subnet)
    for parent in Path("/sys/fs/cgroup").glob(f"**/dockdsl-{place.key}"):
        for folder, _, _ in os.walk(parent, topdown=False):
            with contextlib.suppress(OSError):
                Path(folder).rmdir()
    shutil.rmtree(place.sockets, ignore_errors=True)
    (place.folder / "state.json").unlink(missing_ok=True)
    return ran


def empty(place: Place) -> None:
    """Remove the engine's containers and their networks; nobody else uses this engine."""
    environment = place.environment()
    containers = ask(["docker", "ps", "--all", "--quiet"], env=environment, timeout=15)[1].split()
    if containers:
        ask(["docker", "rm", "--force", "--volumes", *containers], env=environment, timeout=60)
    ask(["docker", "network", "prune", "--force"], env=environment, timeout=30)
