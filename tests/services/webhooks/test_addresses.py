"""Only addresses of the public Internet pass, in whatever form they are written, and those that are allowed."""

from __future__ import annotations

import ipaddress
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.webhooks.addresses import SPECIAL_4, refusal, within

PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "172.32.0.1", "192.169.0.1", "100.128.0.1", "223.255.255.254",
          "2606:4700:4700::1111", "2001:4860:4860::8888", "2a00:1450:4001::1", "64:ff9b::8.8.8.8"]  # fmt: skip
PRIVATE = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.255", "168.63.129.16",
    "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.168.1.1",
    "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b:1::8.8.8.8", "100::1", "2001::1", "2001:db8::1",
    "2001:10::1", "2001:20::1", "2002:7f00:1::", "2002:808:808::1", "3fff::1", "4000::1", "5f00::1", "fc00::1",
    "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1", "8.8.8.8%eth0",
]  # fmt: skip

# What IANA keeps for protocols, though this Python's `ipaddress` takes it for anybody's.
EXTRA_4 = [ipaddress.IPv4Network(n) for n in SPECIAL_4]
V4, V6 = st.ip_addresses(v=4), st.ip_addresses(v=6)


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_of_the_public_internet_pass(address: str) -> None:
    assert refusal(address) == ""


@pytest.mark.parametrize("address", PRIVATE)
def test_all_others_do_not(address: str) -> None:
    assert refusal(address)


@pytest.mark.parametrize("address", ["", "localhost", "1.1.1", "0x7f.1", "2130706433", "1.1.1.1 ", "::g", "1.1.1.1/32"])
def test_what_is_no_address_does_not_pass(address: str) -> None:
    assert refusal(address) == "no address"
    assert not within(address, [ipaddress.ip_network("0.0.0.0/0")])


@given(V4 | V6)
def test_nothing_passes_that_the_standard_library_holds_to_be_special(address: IPv4Address | IPv6Address) -> None:
    special = (
        not address.is_global or address.is_private or address.is_multicast or address.is_reserved
        or address.is_loopback or address.is_link_local or address.is_unspecified
    )  # fmt: skip
    # These two stand for the IPv4 address inside them, which is looked at below.
    dressed = address in ipaddress.ip_network("64:ff9b::/96") or getattr(address, "ipv4_mapped", None)
    if special and not dressed:
        assert refusal(str(address))


@given(V4)
def test_every_other_ipv4_address_passes(address: IPv4Address) -> None:
    plain = address.is_global and not address.is_multicast
    if plain and not any(address in network for network in EXTRA_4):
        assert refusal(str(address)) == ""


@given(st.integers(0, 2**125 - 1).map(lambda n: IPv6Address((0b001 << 125) + n)))
def test_every_other_ipv6_address_that_was_handed_out_passes(address: IPv6Address) -> None:
    special = ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "2620:4f:8000::/48")
    if not any(address in ipaddress.IPv6Network(n) for n in special):
        assert refusal(str(address)) == ""


@given(V4, st.sampled_from(["::ffff:", "64:ff9b::"]))
def test_an_ipv4_address_in_ipv6_clothes_is_what_it_is(address: IPv4Address, clothes: str) -> None:
    assert refusal(f"{clothes}{address}") == refusal(str(address))


@given(V4, st.sampled_from([("2002:", "::"), ("2001:0:", "::"), ("::", "")]))
def test_no_other_clothes_pass(address: IPv4Address, clothes: tuple[str, str]) -> None:
    before, after = clothes
    halves = f"{int(address) >> 16:x}:{int(address) & 0xFFFF:x}"
    assert refusal(f"{before}{halves}{after}")


@given(V4 | V6, st.integers(0, 32))
def test_an_address_in_an_allowed_network_passes_whatever_it_is(address: IPv4Address | IPv6Address, bits: int) -> None:
    network = ipaddress.ip_network((int(address), bits if address.version == 4 else 96 + bits), strict=False)
    embedded = isinstance(address, IPv6Address) and (
        address.ipv4_mapped is not None or address in ipaddress.ip_network("64:ff9b::/96")
    )
    if network.version == address.version and not embedded:
        assert refusal(str(address), [network]) == ""


@given(V4)
def test_an_allowed_network_allows_no_other(address: IPv4Address) -> None:
    allowed = [ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("fd00::/8")]
    if address not in allowed[0]:
        assert refusal(str(address), allowed) == refusal(str(address))


def test_allowing_a_network_allows_it_in_every_form() -> None:
    allowed = [ipaddress.ip_network("127.0.0.0/8")]
    assert [refusal(a, allowed) for a in ("127.0.0.1", "::ffff:127.0.0.1")] == ["", ""]
    assert refusal("::1", allowed) == "loopback"
    assert refusal("169.254.169.254", allowed) == "link-local, where clouds keep their metadata"
