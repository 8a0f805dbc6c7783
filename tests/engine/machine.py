"""Another machine for the tests: a network namespace with an engine, which is reached over TCP and over SSH.

    nsenter --net=/run/netns/NAME unshare --mount python -m tests.engine.machine ADDRESS KEY

It says `ready` when both listen at ADDRESS, at the ports 2375 and 2222, and ends with its input. KEY is the file of the
public key that may log in. It has mounts of its own, so that nothing of it is left however it ends.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

from tests.engine.helpers import carry, own_engine, run
from tests.provision.provision import PLACE
from tests.provision.tools import make_tools

TCP, SSH = 2375, 2222
SETTINGS = """
Port {port}
ListenAddress {address}
HostKey /etc/ssh/test_host_key
AuthorizedKeysFile /etc/ssh/test_keys
PidFile none
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
SetEnv DOCKER_HOST=unix:///mnt/docker.sock
"""


def serve(listening: socket.socket, path: str) -> None:
    """Lead each connection to the engine's socket."""
    while True:
        near, _ = listening.accept()
        far = socket.socket(socket.AF_UNIX)
        far.connect(path)
        for pair in ((near, far), (far, near)):
            threading.Thread(target=carry, args=pair, daemon=True).start()


def main(address: str, key: str) -> None:
    """Be that machine."""
    tools = make_tools(PLACE)
    run("mount", "--make-rprivate", "/")
    run("mount", "-t", "tmpfs", "tmpfs", "/run")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    with own_engine("500m") as engine, socket.create_server((address, TCP)) as listening:
        path = str(engine.place.sockets / "docker.sock")
        threading.Thread(target=serve, args=(listening, path), daemon=True).start()
        # What is written for the SSH server is written into this namespace alone.
        for folder in ("run", "etc/ssh", "usr/local/bin"):
            run("mount", "-t", "tmpfs", "tmpfs", tools / folder)
        tools.joinpath("run/sshd").mkdir()
        for folder in ("dev", "proc"):
            run("mount", "--rbind", f"/{folder}", tools / folder)
        run("mount", "--bind", engine.place.sockets, tools / "mnt")
        shutil.copy(engine.place.root / "usr/bin/docker", tools / "usr/local/bin/docker")
        shutil.copy(key, tools / "etc/ssh/test_keys")
        tools.joinpath("etc/ssh/sshd_config").write_text(SETTINGS.format(port=SSH, address=address))
        run("chroot", tools, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/etc/ssh/test_host_key")
        sshd = subprocess.Popen(["chroot", tools, "/usr/sbin/sshd", "-D", "-e"], stderr=subprocess.DEVNULL)
        try:
            while True:
                with contextlib.suppress(OSError), socket.create_connection((address, SSH), timeout=5):
                    break
                assert sshd.poll() is None, "the SSH server ended"
            print("ready", flush=True)
            sys.stdin.read()
        finally:
            sshd.terminate()
            sshd.wait(10)


if __name__ == "__main__":
    main(*sys.argv[1:])
