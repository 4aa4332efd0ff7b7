"""A server without keys: whoever sits at the machine may do everything, and nobody else may do anything.

"Reached over loopback" is not enough for that. A web page that somebody at the machine looks at can send requests to
127.0.0.1 (cross-site request forgery), or have its own name point there and read the answers (DNS rebinding); and a
proxy on the machine hands on requests from anywhere. So the Host must be loopback's, no other site may have sent the
request, and nothing may say that it was handed on. Once a key was ever made, expired and revoked ones included, a key
is always needed: a server must not open up because its last key ran out.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from knowledge_base.errors import AccessDenied
from services.access.binding import is_loopback
from services.access.identity import LOCAL, Identity
from services.access.settings import Network

HANDED_ON = frozenset({"forwarded", "via", "x-real-ip", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"})
"""Headers that a proxy adds."""

HOST = re.compile(r"(localhost|[0-9.]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.IGNORECASE)
BEARER = re.compile(r"bearer +(\S+) *", re.IGNORECASE)
ADDRESS = re.compile(r"\[([^\]]*)\](?::\d+)?|([0-9.]+):\d+")

NO_KEY = "this needs an API key; send it as `Authorization: Bearer tsk_...`"


class RequestFacts(BaseModel):
    """What of a request tells who sent it.

    Attributes:
        peer: address at the other end of the connection; empty where there is none.
        host: the Host header.
        token: the API key; empty if there is none. It stands in no representation.
        origin, fetch_site: the Origin and Sec-Fetch-Site headers, by which browsers tell which site sent a request.
        forwarded_for: the X-Forwarded-For headers, joined by commas.
        handed_on: whether any header says that a proxy handed it on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    peer: str = ""
    host: str = ""
    token: str = Field(default="", repr=False)
    origin: str = ""
    fetch_site: str = ""
    forwarded_for: str = ""
    handed_on: bool = False

    @classmethod
    def of(cls, peer: str, headers: Iterable[tuple[str, str]]) -> RequestFacts:
        """Out of a request's headers, in their order; one that was sent several times counts as joined by commas."""
        found: dict[str, str] = {}
        for name, value in headers:
            low = name.lower()
            found[low] = f"{found[low]}, {value}" if low in found else value
        bearer = BEARER.fullmatch(found.get("authorization", ""))
        return cls(
            peer=peer, host=found.get("host", ""), token=bearer[1] if bearer else "", origin=found.get("origin", ""),
            fetch_site=found.get("sec-fetch-site", ""), forwarded_for=found.get("x-forwarded-for", ""),
            handed_on=bool(HANDED_ON & set(found)),
        )  # fmt: skip


def identity_of(facts: RequestFacts, *, keyless: bool) -> Identity:
    """Who sends a request that has no key.

    Args:
        facts: of the request.
        keyless: whether no key was ever made and the server is meant for this machine alone.

    Raises:
        AccessDenied: somebody who needs a key; the message says why.
    """
    if not keyless:
        raise AccessDenied(NO_KEY, reason="unauthenticated")
    fault = _fault(facts)
    if fault:
        raise AccessDenied(
            f"without API keys this server serves only its own machine, and {fault}; make a key with `touchstone keys "
            "create NAME --scope admin`, and send it as `Authorization: Bearer tsk_...`",
            reason="unauthenticated",
        )
    return LOCAL


def client_address(facts: RequestFacts, proxies: Iterable[Network]) -> str:
    """The address that a request came from: the last one in X-Forwarded-For that no trusted proxy has.

    What stands before that was written by the client and may be anything. Without trusted proxies it is the peer.
    """
    trusted = tuple(proxies)
    nearest = facts.peer
    for part in reversed([facts.peer, *facts.forwarded_for.split(",")][1:]):
        if not _within(nearest, trusted):
            break
        named = _bare(part.strip())
        if named is None:
            break
        nearest = named
    return nearest


def _fault(facts: RequestFacts) -> str:
    """Why the request does not come from who sits at the machine; empty if it does."""
    host = HOST.fullmatch(facts.host)
    if not is_loopback(facts.peer):
        return f"this request came from {facts.peer or 'an unknown address'}"
    if host is None or not is_loopback(host[1]):
        return f"this request was for the host {facts.host[:80]!r}"
    if facts.handed_on:
        return "a proxy handed this request on"
    if facts.origin and urlsplit(facts.origin).netloc.lower() != facts.host.lower():
        return f"the site {facts.origin[:80]!r} sent this request"
    if facts.fetch_site not in ("", "same-origin", "none"):
        return "another site sent this request"
    return ""


def _within(address: str, networks: tuple[Network, ...]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)


def _bare(part: str) -> str | None:
    """An address out of X-Forwarded-For, without a port; None if it is none."""
    found = ADDRESS.fullmatch(part)
    try:
        return str(ipaddress.ip_address((found[1] or found[2]) if found else part))
    except ValueError:
        return None
