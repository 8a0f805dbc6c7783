"""A real engine on a bare Debian machine: what `provision.py` is made of. Nothing in `dockdsl` knows of it.

host     commands, processes, locks, apt
place    where an engine lives, and which process it is
root     its root folder, from Debian packages
network  its bridge, addresses and iptables rules
daemon   dockerd: start and stop
images   stand-ins for base images
"""
