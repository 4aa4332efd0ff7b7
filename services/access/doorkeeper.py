"""Everything that is looked at before a request is let in, in the right order, behind one call."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from sqlalchemy import select

from knowledge_base.errors import AccessDenied
from services.access.authenticator import Authenticator
from services.access.binding import is_loopback
from services.access.identity import Identity
from services.access.local_access import RequestFacts, client_address, identity_of
from services.access.rate_limits import RequestLimits, Standing
from services.access.settings import AccessSettings
from services.access.tables import ApiKeyRow
from services.database import Database

FAILURES = "failed authentications"
REQUESTS = "requests"


@dataclass(frozen=True)
class Admitted:
    """A request that was let in.

    Attributes:
        identity: who sent it.
        address: from where.
        standing: where its key stands in its rate limit; None if it has none.
    """

    identity: Identity
    address: str
    standing: Standing | None = None


class Doorkeeper:
    """Looks at requests for one process; may be used by many threads.

    Args:
        database: of the keys.
        settings: of access.
        redis_url: where processes count requests together; empty: each by itself.
    """

    def __init__(self, database: Database, settings: AccessSettings, redis_url: str = "") -> None:
        self._database, self._settings, self._proxies = database, settings, settings.proxies
        self._authenticator = Authenticator(database, settings.key_pepper.get_secret_value())
        self._limits = RequestLimits(redis_url)
        self._keys_exist = False

    def admit(self, facts: RequestFacts) -> Admitted:
        """Let a request in and count it.

        Raises:
            AccessDenied: it has no key that is good (`unauthenticated`), or comes too often (`limited`).
        """
        address = client_address(facts, self._proxies)
        identity = self._identify(facts, address)
        if identity.per_minute is None:
            return Admitted(identity, address)
        return Admitted(identity, address, self._limits.take(REQUESTS, identity.key, identity.per_minute))

    def close(self) -> None:
        """Give the connections back."""
        self._limits.close()

    def _identify(self, facts: RequestFacts, address: str) -> Identity:
        if not facts.token:
            return identity_of(facts, keyless=self._keyless())
        neighbours, most = _neighbourhood(address), self._settings.failures_per_minute
        # A key that was good before is looked at even from an address with many failures: else whoever shares an
        # address with others, behind one proxy, could lock them all out.
        if not self._authenticator.knows(facts.token):
            self._limits.check(FAILURES, neighbours, most)
        try:
            return self._authenticator.authenticate(facts.token)
        except AccessDenied:
            self._limits.take(FAILURES, neighbours, most)
            raise

    def _keyless(self) -> bool:
        own = self._settings
        return is_loopback(own.api_host) and not own.public and not self._proxies and not self._any_key()

    def _any_key(self) -> bool:
        """Whether a key was ever made; once it is so it stays so."""
        if not self._keys_exist:
            with self._database.read() as connection:
                self._keys_exist = connection.execute(select(ApiKeyRow.id).limit(1)).first() is not None
        return self._keys_exist


def _neighbourhood(address: str) -> str:
    """What failures are counted by: an IPv4 address, or the /64 network that one machine has of IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if parsed.version == 6 and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((int(parsed), 64), strict=False))
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)
