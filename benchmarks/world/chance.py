"""Randomness that is a function of what is asked: the same parts give the same draw, in any process and any order."""

from __future__ import annotations

import random
from hashlib import blake2b
from statistics import NormalDist

_NORMAL = NormalDist()
_STEPS = 2**53


def uniform(*parts: object) -> float:
    """A number in (0, 1) that follows from the parts."""
    digest = blake2b("\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return ((int.from_bytes(digest, "big") >> 11) + 0.5) / _STEPS


def normal(*parts: object) -> float:
    """A standard normal number that follows from the parts."""
    return _NORMAL.inv_cdf(uniform(*parts))


def happens(probability: float, *parts: object) -> bool:
    """True with this probability."""
    return uniform(*parts) < probability


def generator(*parts: object) -> random.Random:
    """A generator that follows from the parts, where many draws are needed."""
    return random.Random("\x1f".join(map(str, parts)))
