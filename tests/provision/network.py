"""The engine's part of the machine's network: a bridge, an address range, three iptables rules."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path

from tests.provision.host import Refusal, tail
from tests.provision.place import Place
from tests.provision.root import in_root

FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
FORWARDING_MARK = Path("/run/dockdsl-engine-ip-forward")  # says that an engine of this kind let the machine forward


def addresses(place: Place) -> list[tuple[str, ipaddress.IPv4Network]]:
    """Return each network interface of the machine with its IPv4 networks, and each route."""
    found = []
    for entry in json.loads(in_root(place, "ip", "-j", "-4", "address")[1] or "[]"):
        found += [
            (str(entry["ifname"]), ipaddress.IPv4Network(f"{a['local']}/{a['prefixlen']}", strict=False))
            for a in entry["addr_info"]
        ]
    for entry in json.loads(in_root(place, "ip", "-j", "-4", "route")[1] or "[]"):
        if entry["dst"] != "default":
            found.append((str(entry.get("dev", "")), ipaddress.IPv4Network(entry["dst"], strict=False)))
    return found


def free_subnet(place: Place) -> str:
    """Pick 65,536 private addresses that nothing on this machine uses, the same ones each time if possible."""
    first = int(place.key, 16) % 256
    used = [network for _, network in addresses(place)]
    for number in range(256):
        subnet = ipaddress.IPv4Network(f"10.{(first + number) % 256}.0.0/16")
        if not any(subnet.overlaps(network) for network in used):
            return str(subnet)
    raise Refusal("network: no free range in 10.0.0.0/8 for containers; take a route away")


def rules(subnet: str) -> list[list[str]]:
    """Return the iptables rules of an engine: its containers may reach what the machine reaches."""
    return [
        ["-t", "nat", "POSTROUTING", "-s", subnet, "!", "-d", subnet, "-j", "MASQUERADE"],
        ["-t", "filter", "FORWARD", "-s", subnet, "-j", "ACCEPT"],
        ["-t", "filter", "FORWARD", "-d", subnet, "-j", "ACCEPT"],
    ]


def make_network(place: Place, subnet: str) -> None:
    """Make the bridge and the rules, and let the machine forward."""
    gateway = next(ipaddress.IPv4Network(subnet).hosts())
    # A bridge without an address of its own takes that of one of its containers, and another one when that ends: what
    # the rest of them sends is lost for seconds.
    own = "02:42:" + gateway.packed.hex(":")
    in_root(place, "ip", "link", "delete", place.bridge)  # of an engine that was killed and whose state file is gone
    steps = [
        ["ip", "link", "add", place.bridge, "address", own, "type", "bridge"],
        ["ip", "address", "add", f"{gateway}/24", "dev", place.bridge],
        ["ip", "link", "set", place.bridge, "up"],
        *(["iptables", "-w", *rule[:2], "-I", *rule[2:]] for rule in rules(subnet)),
    ]
    for step in steps:
        status, _, error = in_root(place, *step)
        if status:
            raise Refusal(
                f"network: {' '.join(step)}: {tail(error)}; run it on a machine whose root may configure the network"
            )
    if FORWARDING.read_text().strip() == "0":
        FORWARDING_MARK.touch()
        FORWARDING.write_text("1")


def remove_network(place: Place, subnet: str) -> None:
    """Take away what `make_network` made, and the bridges of networks that users of the engine made."""
    for rule in rules(subnet):
        while in_root(place, "iptables", "-w", *rule[:2], "-D", *rule[2:])[0] == 0:
            pass
    pool = ipaddress.IPv4Network(subnet)
    for name, network in addresses(place):
        if name == place.bridge or (name.startswith("br-") and network.subnet_of(pool)):
            in_root(place, "ip", "link", "delete", name)
    if FORWARDING_MARK.exists() and not list(Path("/sys/class/net").glob("*/bridge")):  # the last one to need it
        FORWARDING.write_text("0")
        FORWARDING_MARK.unlink()
