"""Do the criteria still fit? The approved set's vote on new human votes, against its accuracy at approval.

The accuracy at approval is an estimate from a finite number of sealed pairs, and is treated as one
(agents.drift.betting).
A pair counts once in the life of a state, however many people vote on it and whenever: its observation is the share of
its voters that the set contradicts. Pairs that hang together count as one. Ties and undecided pairs are left out, as
they are from the accuracy at approval.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from agents.drift.reference import Reference
from agents.drift.refresh import NewVote
from agents.drift.stream import Stream
from agents.judgments import Verdict
from agents.pairs import Preference

VOTE, BY_CRITERION = 0.9, 0.1
"""Shares of the cause's capital; that of the criteria is divided evenly among them."""

_SAYS: dict[Verdict, Preference] = {"A": "a", "B": "b"}


def streams(reference: Reference) -> tuple[Stream, ...]:
    """What is watched: the set's vote and each criterion whose accuracy at approval is known."""
    scored = {c: s for c, s in sorted(reference.by_criterion.items()) if s.n}
    found = []
    if reference.accuracy and reference.accuracy.n:
        label = "accuracy of the set's vote on new votes"
        found.append(_stream("vote", label, VOTE if scored else 1.0, reference.accuracy.errors.mirrored))
    for criterion, score in scored.items():
        share = (BY_CRITERION if found and found[0].name == "vote" else 1.0) / len(scored)
        each = _stream(f"vote {criterion}", "accuracy of this criterion on new votes", share, score.errors.mirrored)
        found.append(each.model_copy(update={"criterion": criterion}))
    return tuple(stream.started() for stream in found)


def fresh(votes: Iterable[NewVote], seen: frozenset[str]) -> list[NewVote]:
    """The votes on pairs that no evidence rests on yet."""
    return [vote for vote in votes if vote.pair not in seen]


def observations(votes: Sequence[NewVote]) -> dict[str, list[float]]:
    """Values for each stream by its name: for each unit of pairs, the share of voters that were met."""
    by_unit: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for vote in votes:
        if vote.preferred == "tie":
            continue
        told = {"vote": vote.vote, **{f"vote {c}": verdict for c, verdict in vote.verdicts.items()}}
        for name, verdict in told.items():
            if verdict in _SAYS:
                by_unit[name][vote.unit or vote.pair].append(float(_SAYS[verdict] == vote.preferred))
    return {name: [sum(v) / len(v) for v in units.values()] for name, units in by_unit.items()}


def _stream(name: str, label: str, share: float, reference: object) -> Stream:
    return Stream.model_validate(
        {
            "name": name,
            "label": label,
            "unit": "voted pairs",
            "direction": "fall",
            "share": share,
            "reference": reference,
        }
    )
