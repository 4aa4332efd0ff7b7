"""One message over HTTP: to the address that was looked at and no other, within a time, with a bounded reply.

The request is made to the numeric address; the name goes into the Host header and, with https, into what the
certificate must be for. So nothing resolves the name a second time, and DNS cannot answer otherwise in between (DNS
rebinding). Redirects are not followed, proxies and certificates named in the environment not heeded, cookies not kept.
"""

from __future__ import annotations

import asyncio
import email.utils
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from knowledge_base.errors import AddressRefused, InputError
from services.access.settings import Network
from services.inert import shown
from services.webhooks.settings import WebhookSettings
from services.webhooks.targets import Resolver, Target, find_target

AGENT = "Touchstone"
MOST_REPLY = 1000
"""Bytes of a response's body that are read and kept."""

LONGEST_WAIT = 8 * 3600.0
"""Most seconds of a Retry-After that are heeded."""


@dataclass(frozen=True)
class Outcome:
    """How sending went.

    Attributes:
        status: of HTTP; 0 if there was no response.
        fault: what went wrong, in words; empty if nothing did.
        reply: beginning of the response's body.
        retry_after: seconds that the receiver asked to wait; 0 if it did not.
    """

    status: int = 0
    fault: str = ""
    reply: str = ""
    retry_after: float = 0.0

    @property
    def good(self) -> bool:
        """Whether the receiver took the message."""
        return 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """Whether the receiver wants no more messages."""
        return self.status == 410


class Sender:
    """Sends messages; what it needs for that is made once.

    Args:
        settings: of webhooks.
        resolver: of names.

    Raises:
        InputError: the file of certificate authorities cannot be used.
    """

    def __init__(self, settings: WebhookSettings, resolver: Resolver) -> None:
        self._seconds, self._resolver = settings.webhook_timeout_seconds, resolver
        self._allowed: tuple[Network, ...] = settings.allowed_networks
        self._trust = _trust(settings.webhook_ca_file)

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Send a message; whatever goes wrong is in the outcome."""
        try:
            async with asyncio.timeout(self._seconds):
                target = await asyncio.to_thread(find_target, url, self._allowed, self._resolver)
                return await self._try_each(target, headers, body)
        except AddressRefused as error:
            return Outcome(fault=shown(str(error)))
        except TimeoutError:
            return Outcome(fault=f"no answer within {self._seconds:g} s")
        except (httpx.HTTPError, OSError) as error:
            return Outcome(fault=shown(f"{type(error).__name__}: {error}")[:500])

    async def _try_each(self, target: Target, headers: Mapping[str, str], body: bytes) -> Outcome:
        """The first address that can be connected to."""
        for address in target.addresses[:-1]:
            try:
                return await self._post(target, address, headers, body)
            except httpx.ConnectError:
                continue
        return await self._post(target, target.addresses[-1], headers, body)

    async def _post(self, target: Target, address: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        own = {"Host": target.url.netloc.decode("ascii"), "Content-Type": "application/json", "User-Agent": AGENT}
        client = httpx.AsyncClient(verify=self._trust, trust_env=False, follow_redirects=False, timeout=self._seconds)
        request = client.build_request(
            "POST",
            target.url.copy_with(host=address),
            content=body,
            headers={**own, **headers},
            extensions={"sni_hostname": target.host},
        )
        async with client:
            response = await client.send(request, stream=True)
            try:
                return _outcome(response, await _beginning(response))
            finally:
                await response.aclose()


async def _beginning(response: httpx.Response) -> str:
    read = b""
    # Raw: what is compressed could be a thousand times as long.
    async for chunk in response.aiter_raw():
        read += chunk
        if len(read) >= MOST_REPLY:
            break
    return shown(read[:MOST_REPLY].decode("utf-8", "replace"))


def _outcome(response: httpx.Response, reply: str) -> Outcome:
    status = response.status_code
    redirect = "; redirects are not followed: give the address that it leads to" if 300 <= status < 400 else ""
    fault = "" if 200 <= status < 300 else f"the receiver answered {status}{redirect}"
    return Outcome(status, fault, reply, _asked_wait(response.headers.get("retry-after", "")))


def _asked_wait(header: str) -> float:
    """Seconds out of a Retry-After, which holds seconds or a date."""
    if header.isascii() and header.isdecimal():
        return min(float(header[:9]), LONGEST_WAIT)
    try:
        until = email.utils.parsedate_to_datetime(header).timestamp()
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return min(max(0.0, until - time.time()), LONGEST_WAIT)


def _trust(ca_file: str) -> ssl.SSLContext:
    context = httpx.create_ssl_context(trust_env=False)
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except (ssl.SSLError, OSError) as error:
            raise InputError(f"{ca_file} holds no certificates that can be used ({error}); give a PEM file") from None
    return context
