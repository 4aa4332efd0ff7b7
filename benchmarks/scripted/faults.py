"""How an endpoint misbehaves: a script from which every request's fate follows, whenever it arrives.

A fate is drawn from (seed, request digest, number of this attempt at it), so the order in which requests come, and how
many come at once, change nothing. Only the concurrency cap depends on load; what it turns away was no attempt.
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import NormalDist
from typing import Literal, TypeVar, get_args

from knowledge_base.errors import InputError

WireFault = Literal[
    "rate_limit",
    "rate_limit_date",
    "server_error",
    "bad_gateway",
    "unavailable",
    "timeout",
    "drop_headers",
    "drop_body",
]
"""No whole reply comes. In order: 429 with Retry-After in seconds; the same as an HTTP date; 500; 502 with a proxy's
page of HTML; 503; accepted and never answered; the connection closed amid the headers; and amid the body."""

TextFault = Literal["truncated", "malformed", "prose", "wrong_enum", "refusal", "prose_refusal", "empty"]
"""A reply comes with 200, and its text is spoiled (see `spoiling`)."""

Fault = WireFault | TextFault

WIRE_FAULTS: tuple[WireFault, ...] = get_args(WireFault)
TEXT_FAULTS: tuple[TextFault, ...] = get_args(TextFault)
FAULTS: tuple[Fault, ...] = (*WIRE_FAULTS, *TEXT_FAULTS)

T = TypeVar("T")

NORMAL = NormalDist()
P99 = NORMAL.inv_cdf(0.99)


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one attempt: its fault, if any; seconds until the whole reply is there; a number for variety."""

    wire: WireFault | None
    text: TextFault | None
    seconds: float
    variant: int


@dataclass(frozen=True)
class Script:
    """How an endpoint behaves.

    Attributes:
        seed: another seed, other fates.
        latency: seconds until a reply is complete; the median if there is a `latency_p99`.
        latency_p99: seconds within which 99 % of the replies come, log-normally distributed; None: all take `latency`.
        prefill: share of a reply's time, in [0, 1], after which its prompt has been read: only then can other
            requests use its cached blocks. At 0 they can at once, as where a server batches requests that share them.
            A stream's first event comes then, the others at the end.
        cap: requests served at once; others get 429. None: any number.
        rates: probability of each fault, in [0, 1]. Faults of the wire are drawn first, and sum to at most 1; those
            of the text among the replies that come, and sum to at most 1.
        first: fates of the first attempts at each request, before any are drawn: names of faults, or `ok`.
        end_after: attempts at a request after which it has no more faults; None: there is no end.
        retry_after: seconds that a 429 asks to wait.
        hang: seconds after which a `timeout` closes the connection.

    Raises:
        InputError: a name is no fault, or a number is out of range.
    """

    seed: int = 0
    latency: float = 0.0
    latency_p99: float | None = None
    prefill: float = 0.25
    cap: int | None = None
    rates: Mapping[Fault, float] = field(default_factory=dict)
    first: Sequence[Fault | Literal["ok"]] = ()
    end_after: int | None = None
    retry_after: float = 1.0
    hang: float = 600.0

    def __post_init__(self) -> None:
        for name in (*self.rates, *(f for f in self.first if f != "ok")):
            _require(name in FAULTS, f"there is no fault {name!r}; use {', '.join(FAULTS)}")
        for name, rate in self.rates.items():
            _require(0 <= rate <= 1, f"the rate of {name} is {rate}; use a number from 0 to 1")
        for kind in (WIRE_FAULTS, TEXT_FAULTS):
            total = sum(self.rates.get(name, 0.0) for name in kind)
            _require(total <= 1 + 1e-9, f"the rates of {', '.join(kind)} sum to {total:g}; they may sum to 1 at most")
        _require(self.latency >= 0, f"latency is {self.latency}; use seconds from 0 up")
        slow = self.latency_p99
        _require(
            slow is None or slow >= self.latency > 0,
            f"latency_p99 is {slow} and latency {self.latency}; use a latency above 0 and a p99 that is no less",
        )
        _require(0 <= self.prefill <= 1, f"prefill is {self.prefill}; use a share from 0 to 1")
        _require(self.cap is None or self.cap >= 1, f"cap is {self.cap}; use 1 or more, or none")
        _require(self.retry_after >= 0 and self.hang >= 0, "retry_after and hang are seconds from 0 up")

    def fate(self, digest: str, attempt: int) -> Fate:
        """What becomes of the `attempt`-th try (from 1) of the request with this digest."""
        drawn = hashlib.blake2b(f"{self.seed}|{digest}|{attempt}".encode(), digest_size=32).digest()
        wire, text, time, variant = struct.unpack(">4Q", drawn)
        seconds = self._seconds(_share(time))
        if attempt <= len(self.first):
            told = self.first[attempt - 1]
            return Fate(_among(told, WIRE_FAULTS), _among(told, TEXT_FAULTS), seconds, variant)
        if not self.rates or (self.end_after is not None and attempt > self.end_after):
            return Fate(None, None, seconds, variant)
        return Fate(_pick(self._wire, _share(wire)), _pick(self._text, _share(text)), seconds, variant)

    @cached_property
    def _wire(self) -> list[tuple[float, WireFault]]:
        return [(self.rates[name], name) for name in WIRE_FAULTS if name in self.rates]

    @cached_property
    def _text(self) -> list[tuple[float, TextFault]]:
        return [(self.rates[name], name) for name in TEXT_FAULTS if name in self.rates]

    @cached_property
    def _spread(self) -> float:
        return 0.0 if self.latency_p99 is None else math.log(self.latency_p99 / self.latency) / P99

    def _seconds(self, share: float) -> float:
        return self.latency * math.exp(self._spread * NORMAL.inv_cdf(share)) if self._spread else self.latency


def every_fault(rate: float) -> dict[Fault, float]:
    """All faults at once, each with this probability (at most 1/8)."""
    return dict.fromkeys(FAULTS, rate)


def _require(holds: bool, complaint: str) -> None:
    if not holds:
        raise InputError(complaint)


def _share(drawn: int) -> float:
    """64 random bits as a number in the open interval (0, 1): 52 of them, so that neither end is reached."""
    return ((drawn >> 12) + 0.5) / 2.0**52


def _pick(rates: list[tuple[float, T]], share: float) -> T | None:
    for rate, name in rates:
        share -= rate
        if share < 0:
            return name
    return None


def _among(name: str, known: tuple[T, ...]) -> T | None:
    return next((k for k in known if k == name), None)
