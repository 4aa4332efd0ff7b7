"""What a provider's exception means for us: try again, give up this call, or give up the endpoint.

Each provider's library has exceptions of its own, and none of them need be installed here. So an exception is read by
what they share (a status, a response with headers, a body with an error in it) and by the names of its classes, never
by importing the classes themselves.

A message says what the endpoint said, shortened, with anything like a key blanked; it never holds a prompt.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field

from agents.chat.fault_words import (
    FILTERED,
    NO_KEY,
    NO_MODEL,
    QUOTA,
    SEED,
    STRUCTURE,
    TOO_LONG,
    UNKNOWN_PARAMETER,
    blank_keys,
)
from agents.chat.provider_error import Facts, facts_of
from knowledge_base.errors import BadCall, EndpointClosed, ProviderError, TransientFault

SAID = 240
"""Characters of an endpoint's own words that a message quotes."""


@dataclass(frozen=True)
class Source:
    """The endpoint an exception came from, as messages name it.

    Attributes:
        model: `provider:model`.
        where: scheme, host and port; empty for a provider's own address.
        settings: what its settings' names begin with, such as `TOUCHSTONE_WORKER`; empty if either may be meant.
        secrets: the keys in use, so that they can be blanked.
    """

    model: str
    where: str = ""
    settings: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def setting(self, name: str) -> str:
        """The setting that a person must look at, such as `TOUCHSTONE_WORKER_API_KEY`."""
        prefixes = (self.settings,) if self.settings else ("TOUCHSTONE_MANAGER", "TOUCHSTONE_WORKER")
        return " or ".join(f"{prefix}_{name}" for prefix in prefixes)

    def __str__(self) -> str:
        return f"{self.model} at {self.where}" if self.where else self.model


class FeatureRefused(BadCall):
    """The endpoint does not take a part of the request that it can be sent without.

    Attributes:
        feature: `schema` (of the reply) or `seed`.
    """

    feature = "schema"


class SeedRefused(FeatureRefused):
    """The endpoint takes no seed."""

    feature = "seed"


def fault_of(error: BaseException, source: Source) -> ProviderError:
    """The fault that a provider's exception stands for. Raise it `from None`: the exception may hold a key or a prompt.

    401, 403, 404, a spent quota, an unknown parameter: `EndpointClosed`. 400, 413, 422: `BadCall`. 408, 409, 429, 5xx,
    a timeout, a dropped or refused connection, a reply that is no chat completion, and anything unknown:
    `TransientFault`, since trying again a few times costs little and what lasts opens the breaker.
    """
    if isinstance(error, ProviderError):
        return error
    facts = facts_of(error)
    kind, reason = _meaning(facts, source)
    return kind(
        f"{source}: {reason}{_said(facts, source)}",
        model=source.model,
        status=facts.status,
        retry_after=facts.retry_after,
        request=facts.request,
    )


def _said(facts: Facts, source: Source) -> str:
    words = " ".join(blank_keys(facts.message, source.secrets).split())
    if not words:
        return ""
    return f" (it says: {words[:SAID]}{'...' if len(words) > SAID else ''})"


Meaning = tuple[type[ProviderError], str]


def _meaning(facts: Facts, source: Source) -> Meaning:
    """The kind of fault, and a sentence that ends in the remedy."""
    if facts.status is None or facts.status < 400:
        return _without_status(facts, source)
    return _closed(facts, source) or _refused(facts, source) or _passing(facts)


def _closed(facts: Facts, source: Source) -> Meaning | None:
    """Faults that only a person can mend."""
    status, words = facts.status, facts.words
    if status in (400, 403) and FILTERED.search(words):
        return None
    if status == 402 or (status in (400, 403, 429) and QUOTA.search(words)):
        return EndpointClosed, f"{status}, the account's quota or credit is used up; add credit, then go on"
    if status in (401, 403) or (status == 400 and NO_KEY.search(words)):
        return (
            EndpointClosed,
            f"{status}, the key was refused; set {source.setting('API_KEY')} to a key that may use it",
        )
    if status in (404, 405) or (status in (400, 422) and NO_MODEL.search(words)):
        names = f"its name in {source.setting('MODEL')} and the base URL (which mostly ends in /v1)"
        return EndpointClosed, f"{status}, model not found; check {names}"
    if status in (400, 422) and UNKNOWN_PARAMETER.search(words) and not _feature(facts):
        return EndpointClosed, f"{status}, a parameter is not taken; change {source.setting('PARAMETERS')}"
    return None


def _refused(facts: Facts, source: Source) -> Meaning | None:
    """Faults of this one call."""
    status, words = facts.status, facts.words
    if status == 413 or (status in (400, 422) and TOO_LONG.search(words)):
        return BadCall, f"{status}, longer than the context window; show less of a text, or use another model"
    if status in (400, 403) and FILTERED.search(words):
        return BadCall, f"{status}, refused by a content filter; nothing can be done about this text"
    if status in (400, 422) and (feature := _feature(facts)):
        return (
            feature,
            f"{status}, the endpoint takes no {feature.feature}; TOUCHSTONE_STRUCTURED_OUTPUT=auto leaves it out",
        )
    if status is not None and status < 500 and status not in (408, 409, 425, 429):
        return BadCall, f"{status}, the request was refused"
    return None


def _feature(facts: Facts) -> type[FeatureRefused] | None:
    """What the endpoint complains of, if the request can be sent without it."""
    about = facts.parameter or facts.words
    if SEED.search(about):
        return SeedRefused
    return FeatureRefused if STRUCTURE.search(about) else None


def _passing(facts: Facts) -> Meaning:
    reasons = {408: "the endpoint gave up waiting", 409: "a conflict", 425: "too early", 429: "too many requests"}
    reason = reasons.get(facts.status or 0, "the endpoint failed")
    return TransientFault, f"{facts.status}, {reason}; try again later"


def _without_status(facts: Facts, source: Source) -> Meaning:
    """Faults before, or instead of, a reply that says what is wrong."""
    if facts.is_a(ssl.SSLCertVerificationError.__name__):
        return EndpointClosed, f"its certificate is not trusted; check {source.setting('BASE_URL')}"
    if facts.is_a("UnsupportedProtocol", "InvalidURL", "LocalProtocolError"):
        return (
            EndpointClosed,
            f"no request can be made; check {source.setting('BASE_URL')} and {source.setting('API_KEY')}",
        )
    if facts.is_a("TypeError") and UNKNOWN_PARAMETER.search(facts.words):
        return EndpointClosed, f"a parameter is not taken; change {source.setting('PARAMETERS')}"
    if NO_KEY.search(facts.words):
        return EndpointClosed, f"there is no key, or it was refused; set {source.setting('API_KEY')}"
    if facts.is_a("ContextOverflowError"):
        return BadCall, "longer than the context window; show less of a text, or use another model"
    if facts.is_a("ContentFilterFinishReasonError"):
        return BadCall, "refused by a content filter; nothing can be done about this text"
    if facts.is_a("TimeoutError", "APITimeoutError", "TimeoutException", "ModelTimeoutError", "DeadlineExceeded"):
        return TransientFault, "no answer in time; if it happens often, allow more seconds or fewer calls at once"
    if facts.is_a("OSError", "APIConnectionError", "TransportError", "ModelConnectionError", "ClientConnectionError"):
        return TransientFault, f"the connection failed; check that it runs, and {source.setting('BASE_URL')}"
    return TransientFault, "what came back is no chat completion"
