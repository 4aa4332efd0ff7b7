"""Which of the votes that were ever cast on a pair stand: none that was withdrawn, and of one person the declared one.

A function of the set of votes alone: in what order they came in makes no difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from services.annotation.dataset import Repeats

ANSWERS = ("a", "b", "tie")


class Cast(Protocol):
    """What is looked at of a vote; `upload` names the file it stood in, empty for a vote of its own."""

    @property
    def id(self) -> str: ...
    @property
    def annotator(self) -> str: ...
    @property
    def choice(self) -> str: ...
    @property
    def at(self) -> float: ...
    @property
    def upload(self) -> str: ...
    @property
    def withdraws(self) -> str: ...


V = TypeVar("V", bound=Cast)


def standing(cast: Iterable[V], repeats: Repeats) -> list[V]:
    """The votes on one pair that stand, in the order of their times (votes of one file: as given).

    Args:
        cast: every vote and withdrawal on the pair.
        repeats: which of one person's votes stands: the `latest`, the `first`, or `all` of them. A file gives its votes
            all at once: none of them is later than another, and they stand or fall together.
    """
    votes = list(cast)
    gone = {vote.withdraws for vote in votes}
    left = [vote for vote in votes if vote.choice in ANSWERS and vote.id not in gone]
    if repeats != "all":
        chosen = _chosen(left, repeats)
        left = [vote for vote in left if not vote.annotator or _occasion(vote) == chosen[vote.annotator]]
    return sorted(left, key=_occasion)


def _chosen(votes: Sequence[V], repeats: Repeats) -> dict[str, tuple[float, str]]:
    """The occasion that counts for each person."""
    best = max if repeats == "latest" else min
    found: dict[str, tuple[float, str]] = {}
    for vote in votes:
        mine = _occasion(vote)
        found[vote.annotator] = best(found.get(vote.annotator, mine), mine)
    return found


def _occasion(vote: Cast) -> tuple[float, str]:
    return vote.at, vote.upload or vote.id
