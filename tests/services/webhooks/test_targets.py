"""Addresses are looked at before anything is sent: their form, then every machine that they lead to."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.errors import AddressRefused
from services.webhooks.addresses import refusal
from services.webhooks.targets import NO_WEB_PORTS, checked_url, find_target, resolve_host

INSIDE = (ipaddress.ip_network("10.1.0.0/16"),)


def leading_to(*addresses: str) -> Callable[[str, int], Sequence[str]]:
    return lambda host, port: addresses


def refused(url: str, *addresses: str) -> str:
    with pytest.raises(AddressRefused) as caught:
        find_target(url, INSIDE, leading_to(*addresses))
    return str(caught.value)


def test_a_public_address_is_found_with_all_its_machines() -> None:
    target = find_target("https://hooks.example/x?y=1", (), leading_to("1.1.1.1", "2606:4700:4700::1111"))
    assert (target.host, target.addresses) == ("hooks.example", ("1.1.1.1", "2606:4700:4700::1111"))
    assert str(target.url) == "https://hooks.example/x?y=1"


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://hooks.example", ("hooks.example", 443)),
        ("http://hooks.example", ("hooks.example", 80)),
        ("https://hooks.example:8443/", ("hooks.example", 8443)),
        ("https://HOOKS.example/", ("hooks.example", 443)),
        ("https://[2606:4700::1]:8443/", ("2606:4700::1", 8443)),
    ],
)
def test_the_resolver_is_asked_once_for_the_very_host(url: str, asked: tuple[str, int]) -> None:
    questions: list[tuple[str, int]] = []

    def resolver(host: str, port: int) -> Sequence[str]:
        questions.append((host, port))
        return ["10.1.2.3"]

    find_target(url, INSIDE, resolver)
    assert questions == [asked]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ftp://x.example", "start it with https://"),
        ("file:///etc/passwd", "start it with https://"),
        ("gopher://x.example", "start it with https://"),
        ("//x.example/y", "start it with https://"),
        ("x.example", "start it with https://"),
        ("https://", "start it with https://"),
        ("https:///x", "start it with https://"),
        ("", "start it with https://"),
        ("https://me:secret@x.example/", "leave it out"),
        ("https://me@x.example/", "leave it out"),
        ("https://x.example/#a", "fragment"),
        ("https://x.example/a b", "without spaces"),
        ("https://x.example\\@127.0.0.1/", "backslashes"),
        ("https://x.example/\n", "without spaces"),
        ("https://x.example/\x00", "without spaces"),
        ("https://bücher.example/", "ASCII"),
        ("https://x.example/" + "a" * 2000, "2000"),
        ("https://x.example:22/", "port 22"),
        ("https://x.example:25/", "port 25"),
        ("https://x.example:6379/", "port 6379"),
        ("https://x.example:5432/", "port 5432"),
        ("https://x.example:0/", "port 0"),
        ("https://x.example:99999/", "cannot be read|port 99999"),
        ("https://x.example:port/", "cannot be read"),
        ("https://[::1/", "cannot be read"),
        ("https://[fe80::1%25eth0]/", "cannot be read|leads to"),
    ],
)
def test_an_address_of_another_form_is_refused_and_nobody_is_asked(url: str, told: str) -> None:
    import re

    assert re.search(told, refused(url, "10.0.0.1")), url


@pytest.mark.parametrize("port", sorted(NO_WEB_PORTS))
def test_ports_of_databases_and_the_like_are_refused(port: int) -> None:
    with pytest.raises(AddressRefused, match=f"port {port}"):
        checked_url(f"https://x.example:{port}/")


def test_a_secret_in_an_address_is_not_repeated() -> None:
    assert "hunter2" not in refused("https://me:hunter2@x.example/")


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fe80::1%eth0"]
)
def test_a_machine_inside_is_refused_with_the_remedy(address: str) -> None:
    told = refused("https://hooks.example/", address)
    assert f"hooks.example leads to {address}" in told
    assert "TOUCHSTONE_WEBHOOK_NETWORKS" in told


@pytest.mark.parametrize("others", [("1.1.1.1", "10.0.0.1"), ("10.0.0.1", "1.1.1.1"), ("10.1.0.1", "10.2.0.1")])
def test_one_machine_inside_among_several_is_enough(others: tuple[str, ...]) -> None:
    assert "leads to" in refused("https://hooks.example/", *others)


def test_without_encryption_only_allowed_networks_are_told() -> None:
    assert find_target("http://inside.example/", INSIDE, leading_to("10.1.0.5")).addresses == ("10.1.0.5",)
    assert "told over https://" in refused("http://hooks.example/", "1.1.1.1")
    assert "told over https://" in refused("http://hooks.example/", "10.1.0.5", "1.1.1.1")


def test_a_name_that_does_not_resolve_is_refused() -> None:
    def fails(host: str, port: int) -> Sequence[str]:
        raise OSError("no such host")

    with pytest.raises(AddressRefused, match=r"x\.example cannot be resolved \(no such host\)"):
        find_target("https://x.example/", (), fails)
    assert "resolves to no address" in refused("https://x.example/")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "[::1]", "0"]
)
def test_loopback_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(AddressRefused):
        find_target(f"https://{host}/", ())


def test_the_system_resolves_numbers_to_themselves() -> None:
    assert list(resolve_host("127.0.0.1", 80)) == ["127.0.0.1"]
    assert set(resolve_host("localhost", 80)) <= {"127.0.0.1", "::1"}


@given(st.lists(st.ip_addresses().map(str), min_size=1, max_size=5))
def test_what_is_found_leads_to_no_machine_that_is_refused(addresses: list[str]) -> None:
    try:
        target = find_target("https://hooks.example/", INSIDE, leading_to(*addresses))
    except AddressRefused:
        assert any(refusal(a, INSIDE) for a in addresses)
    else:
        assert [refusal(a, INSIDE) for a in target.addresses] == [""] * len(addresses)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    for url in (text, f"https://{text}", f"https://x.example/{text}"):
        try:
            parsed = checked_url(url)
        except AddressRefused:
            continue
        assert parsed.scheme in ("http", "https")
        assert parsed.host
        assert not parsed.userinfo
