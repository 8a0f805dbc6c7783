"""Programs of Debian that some tests need beside the engine: buildah, podman, a registry, an SSH server.

They live in a root folder of their own, so that nothing is installed on the machine, and the engine's root need not be
made again for them. It is made when the first test asks for it, and kept.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.provision.host import apt_environment, do, locked, read, require_debian, say, write
from tests.provision.root import debootstrap

if TYPE_CHECKING:
    from tests.provision.place import Place

# The oldest supported release on purpose: its buildah lacks most of the language, and many have it.
SUITE = "bookworm"
PACKAGES = ["buildah", "podman", "docker-registry", "openssh-server"]
RECIPE = 1  # raise it when a root made earlier must be made again
# debootstrap knows no alternatives among dependencies, and buildah and podman have some: apt installs them.
INSTALL = r"""
root=$1; shift
mount -t proc proc "$root/proc"
cp --remove-destination /etc/resolv.conf /etc/hosts "$root/etc/"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod +x "$root/usr/sbin/policy-rc.d"
chroot "$root" apt-get -qq update
chroot "$root" apt-get -qq install -y --no-install-recommends "$@"
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
"""


def make_tools(place: Place) -> Path:
    """Return the root folder of the programs, and make it unless a whole one is there.

    Raises:
        Refusal: it cannot be made here.
    """
    root, mark = place.folder / "tools", Path("etc/dockdsl-tools.json")
    recipe = {"recipe": RECIPE, "suite": SUITE, "packages": PACKAGES}
    if recipe.items() <= read(root / mark).items():
        return root
    require_debian("tools: they", "run these tests on Debian as root")
    with locked(place.folder / "tools.lock"):
        if recipe.items() <= read(root / mark).items():
            return root
        shutil.rmtree(root, ignore_errors=True)
        say(f"installing buildah, podman, a registry and an SSH server from Debian {SUITE} into {root}")
        new = Path(tempfile.mkdtemp(prefix="new-tools-", dir=place.folder))
        try:
            debootstrap(place, SUITE, new, "ca-certificates")
            argv = [
                "unshare",
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
                "sh",
                "-ec",
                INSTALL,
                "sh",
                str(new),
                *PACKAGES,
            ]
            remedy = "check the network and apt's sources, then try again"
            do(argv, what=f"apt-get install {' '.join(PACKAGES)}", remedy=remedy, timeout=900, env=apt_environment())
            new.chmod(0o755)
            write(new / mark, recipe)
            new.replace(root)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    return root
