"""Without keys only who sits at the machine is let in: no web page, no proxy, nobody from elsewhere."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.errors import AccessDenied
from services.access.binding import is_loopback
from services.access.identity import LOCAL
from services.access.local_access import RequestFacts, client_address, identity_of

HERE = RequestFacts(peer="127.0.0.1", host="127.0.0.1:8400")
PROXIES = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8"))


def facts(**changed: object) -> RequestFacts:
    return HERE.model_copy(update=changed)


def refused(asked: RequestFacts, *, keyless: bool = True) -> str:
    with pytest.raises(AccessDenied) as caught:
        identity_of(asked, keyless=keyless)
    assert caught.value.reason == "unauthenticated"
    return str(caught.value)


@pytest.mark.parametrize(
    "asked",
    [
        HERE,
        facts(host="localhost"),
        facts(host="LocalHost:1"),
        facts(peer="::1", host="[::1]:8400"),
        facts(peer="::ffff:127.0.0.1"),
        facts(peer="127.3.2.1"),
        facts(origin="http://127.0.0.1:8400", fetch_site="same-origin"),
        facts(fetch_site="none"),
    ],
)
def test_whoever_sits_at_the_machine_is_let_in(asked: RequestFacts) -> None:
    assert identity_of(asked, keyless=True) is LOCAL


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8400", "localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example",
     "", "localhost, evil.example", "10.0.0.1", "0.0.0.0:8400", "[::]",
     "127.0.0.1:8400:1", "localhost\n", "[::1", "2130706433"],
)  # fmt: skip
def test_a_name_that_was_made_to_point_here_is_refused(host: str) -> None:
    assert f"for the host {host!r}" in refused(facts(host=host))


@pytest.mark.parametrize("peer", ["10.0.0.5", "::ffff:10.0.0.5", "2001:db8::1", "", "localhost.evil", "0.0.0.0"])
def test_who_comes_from_elsewhere_is_refused(peer: str) -> None:
    assert "came from" in refused(facts(peer=peer))


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:3000", "http://localhost:8400", "file://", "x"]
)
def test_another_site_in_the_browser_of_who_sits_here_is_refused(origin: str) -> None:
    assert f"the site {origin!r} sent" in refused(facts(origin=origin))


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
def test_an_image_or_a_link_on_another_site_is_refused(site: str) -> None:
    assert "another site" in refused(facts(fetch_site=site))


@pytest.mark.parametrize("header", ["Forwarded", "Via", "X-Real-IP", "X-Forwarded-For", "x-forwarded-proto"])
def test_what_a_proxy_hands_on_is_refused(header: str) -> None:
    asked = RequestFacts.of("127.0.0.1", [("Host", "127.0.0.1"), (header, "1.2.3.4")])
    assert "a proxy handed" in refused(asked)


def test_the_message_says_how_to_get_a_key() -> None:
    assert "touchstone keys create NAME --scope admin" in refused(facts(peer="10.0.0.5"))


def test_where_there_are_keys_a_key_is_needed_even_here() -> None:
    assert "Authorization: Bearer" in refused(HERE, keyless=False)


def test_facts_are_read_out_of_headers() -> None:
    read = RequestFacts.of(
        "10.1.1.1",
        [("HOST", "h:1"), ("authorization", "Bearer  tsk_x "), ("Origin", "http://o"), ("Sec-Fetch-Site", "cross-site"),
         ("X-Forwarded-For", "1.1.1.1"), ("x-forwarded-for", "2.2.2.2")],
    )  # fmt: skip
    assert (read.host, read.token, read.origin, read.fetch_site) == ("h:1", "tsk_x", "http://o", "cross-site")
    assert (read.forwarded_for, read.handed_on) == ("1.1.1.1, 2.2.2.2", True)
    assert "tsk_x" not in repr(read)


@pytest.mark.parametrize(
    "value", ["Basic dXNlcg==", "tsk_x", "Bearer", "Bearer ", "Bearer a b", "", "Bearer a, Bearer b"]
)
def test_an_authorization_that_is_no_bearer_token_is_no_key(value: str) -> None:
    assert RequestFacts.of("1.1.1.1", [("Authorization", value)]).token == ""


def test_two_hosts_are_none_that_is_known() -> None:
    asked = RequestFacts.of("127.0.0.1", [("Host", "localhost"), ("Host", "evil.example")])
    assert "for the host" in refused(asked)


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "address"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "1.2.3.4", "203.0.113.9"),
        ("10.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "6.6.6.6, 1.2.3.4, 10.9.9.9", "1.2.3.4"),
        ("10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2"),
        ("10.0.0.1", "nonsense, 10.0.0.3", "10.0.0.3"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "1.2.3.4:5678", "1.2.3.4"),
        ("fd00::1", "[2001:db8::7]:99", "2001:db8::7"),
        ("", "1.2.3.4", ""),
    ],
)
def test_the_address_is_the_last_one_that_no_trusted_proxy_has(peer: str, forwarded_for: str, address: str) -> None:
    assert client_address(RequestFacts(peer=peer, forwarded_for=forwarded_for), PROXIES) == address


@given(st.text(max_size=60))
def test_whatever_a_client_writes_it_cannot_choose_its_address(written: str) -> None:
    assert client_address(RequestFacts(peer="203.0.113.9", forwarded_for=written), PROXIES) == "203.0.113.9"
    behind = RequestFacts(peer="10.0.0.1", forwarded_for=f"{written}, 1.2.3.4")
    assert client_address(behind, PROXIES) == "1.2.3.4"


@given(st.text(max_size=40))
def test_no_host_but_loopback_is_let_in(host: str) -> None:
    try:
        let_in = identity_of(facts(host=host), keyless=True) is LOCAL
    except AccessDenied:
        let_in = False
    assert not let_in or is_loopback(host.rsplit(":", 1)[0]) or is_loopback(host)


@given(st.ip_addresses())
def test_loopback_is_what_the_standard_library_calls_so(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    mapped = getattr(address, "ipv4_mapped", None)
    assert is_loopback(str(address)) == (mapped or address).is_loopback


@given(st.ip_addresses(v=4))
def test_a_mapped_address_is_loopback_if_the_inner_one_is(address: ipaddress.IPv4Address) -> None:
    assert is_loopback(f"::ffff:{address}") == address.is_loopback
