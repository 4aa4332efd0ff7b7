"""Which addresses a message may be sent to: those of the public Internet, and of networks that the operator allows.

A webhook's address is somebody's wish, and the server that fulfils it stands inside: beside databases, beside the
cloud's metadata service. So every address that a name resolves to is looked at, in every form an IPv4 address can be
written in IPv6, and the connection is then made to the very address that was looked at (see `sending`).

The lists are those of the IANA special-purpose address registries (RFC 6890 and its updates), written out, because
what `ipaddress` thinks of some of them differs between versions of Python. For IPv6 it is the other way round: only
what IANA has handed out as global unicast (2000::/3) passes, less the special parts of it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from services.access.settings import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

SPECIAL_4 = {
    "0.0.0.0/8": "this network",
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "shared with other customers of a provider",
    "127.0.0.0/8": "loopback",
    "168.63.129.16/32": "a cloud's own service",
    "169.254.0.0/16": "link-local, where clouds keep their metadata",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": "kept for protocols",
    "192.0.2.0/24": "documentation",
    "192.31.196.0/24": "kept for protocols",
    "192.52.193.0/24": "kept for protocols",
    "192.88.99.0/24": "a relay of 6to4",
    "192.168.0.0/16": "private",
    "192.175.48.0/24": "kept for protocols",
    "198.18.0.0/15": "benchmarks",
    "198.51.100.0/24": "documentation",
    "203.0.113.0/24": "documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved",
}
SPECIAL_6 = {
    "2001::/23": "kept for protocols, Teredo among them",
    "2001:db8::/32": "documentation",
    "2002::/16": "6to4, which may lead anywhere",
    "2620:4f:8000::/48": "kept for protocols",
    "3fff::/20": "documentation",
}
GLOBAL_6 = ipaddress.IPv6Network("2000::/3")
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv4 addresses as an IPv6 network without IPv4 sees them (RFC 6052); what counts is the address inside."""

_REASONS = tuple((ipaddress.ip_network(n), why) for n, why in (SPECIAL_4 | SPECIAL_6).items())


def refusal(address: str, allowed: Iterable[Network] = ()) -> str:
    """Why nothing is sent to an address, in words; empty if it may be.

    Args:
        address: IPv4 or IPv6, as resolved.
        allowed: networks that are allowed whatever they are.
    """
    parsed = inner_address(address)
    if parsed is None:
        return "no address"
    if within(address, allowed):
        return ""
    if isinstance(parsed, ipaddress.IPv6Address) and parsed not in GLOBAL_6:
        return "loopback" if parsed.is_loopback else "not of the public Internet"
    return next((why for network, why in _REASONS if parsed in network), "")


def within(address: str, networks: Iterable[Network]) -> bool:
    """Whether an address, or the IPv4 address inside it, lies in one of the networks."""
    parsed = inner_address(address)
    return parsed is not None and any(parsed in network for network in networks)


def inner_address(address: str) -> Address | None:
    """The address, or the IPv4 address that it stands for; None if it is none, or has a zone (`fe80::1%eth0`)."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv4Address):
        return parsed
    if parsed.scope_id is not None:
        return None
    if parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF) if parsed in NAT64 else parsed
