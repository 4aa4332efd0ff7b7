"""Which pairs a refresh looks at, and what for: evidence about the approved set, mining, or the comparison of both.

A pair tells how well a set does only if the set was mined from nothing that hangs together with it: pairs of one unit
(`agents.splitting`) share texts or a group. So units stay whole, and every unit has one fate:

- a unit that the approved set was mined from is mined again;
- a unit that nobody mined from is *sealed* with a fixed probability, decided by its content alone. It is sealed at
  every later refresh, too, as long as nothing of it was mined: a pair once sealed stays fit to compare on;
- what was held out when the approved set was mined stays sealed.

Both sets are compared on the sealed pairs, which neither was mined from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence, Set
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from agents.pairs import Pair
from agents.splitting import unit_labels


@dataclass(frozen=True)
class Seen:
    """What the approved set has to do with.

    Attributes:
        mined: pairs that it was mined from, whether the dataset still has them or not.
        held_out: hashes of pairs that were held out when it was mined.
        examined: hashes of pairs that earlier refreshes have examined it on.
        anchors: hashes of pairs on which its judge was asked again before.
    """

    mined: tuple[Pair, ...] = ()
    held_out: frozenset[str] = frozenset()
    examined: frozenset[str] = frozenset()
    anchors: frozenset[str] = frozenset()


class RefreshPlan(BaseModel):
    """Content hashes of pairs, each tuple in ascending order.

    Attributes:
        free: pairs that the approved set was not mined from: it votes on them.
        unknown: those of them that were not held out either, as the set was mined: votes on them tell how it does now.
        fresh: those of them that no refresh has examined yet.
        sealed: free pairs to compare old and new on; `mining`: pairs to mine the new set from. Together, all pairs.
        anchors: pairs on which the judge is asked again.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    free: tuple[str, ...]
    unknown: tuple[str, ...]
    fresh: tuple[str, ...]
    sealed: tuple[str, ...]
    mining: tuple[str, ...]
    anchors: tuple[str, ...]


def plan_refresh(pairs: Sequence[Pair], seen: Seen, share: float, anchors: int) -> RefreshPlan:
    """Decide what becomes of each pair.

    Args:
        pairs: of the dataset as it is now.
        seen: what the approved set has to do with.
        share: probability, in (0, 1), that a new unit is sealed.
        anchors: pairs wanted to ask the judge again on; fewer if the set had fewer to do with.
    """
    units = _units(pairs, seen.mined)
    learnt = {units[p.hash] for p in seen.mined}
    kept = {units[p.hash] for p in pairs if p.hash in seen.held_out} - learnt
    free = [p.hash for p in pairs if units[p.hash] not in learnt]
    sealed = {h for h in free if units[h] in kept or _chance(f"sealed {units[h]}") < share}
    known = {p.hash for p in seen.mined} | (seen.held_out & {p.hash for p in pairs})
    return RefreshPlan(
        free=tuple(sorted(free)),
        unknown=tuple(sorted({*free} - seen.held_out)),
        fresh=tuple(sorted({*free} - seen.examined - seen.held_out)),
        sealed=tuple(sorted(sealed)),
        mining=tuple(sorted({p.hash for p in pairs} - sealed)),
        anchors=choose_anchors(seen.anchors, known or {p.hash for p in pairs}, anchors),
    )


def choose_anchors(before: Set[str], known: Set[str], wanted: int) -> tuple[str, ...]:
    """Up to so many pairs (content hashes), as good as at random and always the same.

    Once there are any, only those: what is said of an anchor is compared with what was said at the beginning.
    """
    return tuple(sorted(sorted(before or known, key=lambda h: _chance(f"anchor {h}"))[:wanted]))


def _units(pairs: Sequence[Pair], mined: Sequence[Pair]) -> dict[str, str]:
    """The unit of each pair, those that are only known from before among them."""
    together = list({p.hash: p for p in (*mined, *pairs)}.values())
    return dict(zip([p.hash for p in together], unit_labels(together), strict=True))


def _chance(text: str) -> float:
    """A number in [0, 1), as good as random, that depends on the text alone."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:13], 16) / 16**13
