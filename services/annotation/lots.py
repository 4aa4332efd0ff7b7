"""Chance that nobody can steer or foresee: numbers out of a dataset's secret and the name of what they decide.

The same name always gives the same number (permanent random numbers; Ohlsson 1995, "Coordination of samples using
permanent random numbers"), so a decision can be checked afterwards and does not change by asking again.
"""

from __future__ import annotations

import hashlib
import hmac
import json

_BITS = 53


def lot(secret: str, *name: str | int) -> int:
    """A whole number in [0, 2^53)."""
    said = json.dumps(name).encode()
    return int.from_bytes(hmac.new(secret.encode(), said, hashlib.sha256).digest()[:8], "big") >> (64 - _BITS)


def uniform(secret: str, *name: str | int) -> float:
    """A number in [0, 1)."""
    return lot(secret, *name) / float(2**_BITS)


def token(secret: str, *name: str | int) -> str:
    """32 hex digits that tell nothing of the name."""
    return hmac.new(secret.encode(), json.dumps(name).encode(), hashlib.sha256).hexdigest()[:32]
