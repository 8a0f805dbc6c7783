"""A second engine whose image store is containerd's: it can write archives, caches and several platforms.

It stands on the root folder of the checkout's own engine, lives as long as a run of the tests, and takes a second.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.provision import daemon, images
from tests.provision.host import Process, Refusal, locked, tail
from tests.provision.place import Place, State
from tests.provision.root import make_root

PREFIX = "store-"


@contextmanager
def store(own: Place) -> Iterator[Place]:
    """Run such an engine beside `own`, with busybox in it.

    Raises:
        Refusal: none can be made on this machine.
    """
    parent = own.folder.parent
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.glob(f"{PREFIX}*"):
        if Process.find(int(left.name.removeprefix(PREFIX))) is None:
            _end(Place(left))
    place = Place(parent / f"{PREFIX}{os.getpid()}")
    try:
        with locked(own.folder / "lock"):
            make_root(own)
        place.folder.mkdir(exist_ok=True)
        for name in ("root", "debs", "downloads", "images"):
            # In a checkout whose own engine was never made, some are not there yet.
            own.folder.joinpath(name).mkdir(exist_ok=True)
            place.folder.joinpath(name).symlink_to(own.folder / name)
        # In a process of its own, since the engine's first process is its child and outlives the call.
        command = [sys.executable, "-m", __name__, str(place.folder)]
        done = subprocess.run(command, cwd=own.checkout, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Refusal(f"engine: none with containerd's image store ({tail(done.stderr)}); see its log")
        images.make(place, images.lacking(["busybox"], place.environment()), place.environment())
        yield place
    finally:
        _end(place)


def _end(place: Place) -> None:
    if State.load(place) is not None:
        daemon.stop(place)
    for name in ("root", "debs", "downloads", "images"):
        place.folder.joinpath(name).unlink(missing_ok=True)
    # Nothing is removed through a mount that is still there.
    if subprocess.run(["grep", "-qF", str(place.folder), "/proc/mounts"], check=False).returncode:
        shutil.rmtree(place.folder, ignore_errors=True)


if __name__ == "__main__":
    daemon.start(Place(Path(sys.argv[1])), "--feature=containerd-snapshotter=true")
