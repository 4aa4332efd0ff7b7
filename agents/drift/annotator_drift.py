"""Did the annotators move? Pairs shown to people again, and how far they agree with each other.

A person asked twice does not always answer alike. How often was counted at approval; drift is more than that. Repeated
pairs are drawn at random from those voted on, so that, given each pair's and person's own chance of a flip, the mean
over the panel obeys the same bound as anchor pairs do (agents.drift.betting). Answers against one's own earlier vote
and against another person's are counted apart, for they differ at the best of times.

Agreement is watched on new pairs with two votes or more: a fall may also mean that the new texts are harder to compare,
which the verdict says. If other people vote than did, or in other proportions, that is a change of the annotators too.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from agents.agreement import agreement
from agents.drift.reference import Reference
from agents.drift.refresh import NewVote, Repeat
from agents.drift.stream import Stream
from agents.drift.tally import Tally
from agents.pairs import Preference, Vote

OWN, OTHERS, AGREEMENT, EACH = 0.6, 0.15, 0.15, 0.1
"""Shares of the cause's capital, scaled up where a part is not watched; that of persons is divided evenly."""

FEWEST = 5
"""Repeated votes at approval below which a person's own flip rate is not watched."""


_LETTERS: dict[Preference, str] = {"a": "a", "b": "b", "tie": "t"}
_ANSWERS: dict[str, Preference] = {letter: answer for answer, letter in _LETTERS.items()}


class Alpha(BaseModel):
    """Krippendorff's alpha with its bootstrap interval (agents.agreement), and the share of annotators who agree."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    alpha: float
    low: float
    high: float
    raw: float
    pairs: int
    votes: int


def counted(before: Mapping[str, int], ballots: Iterable[Sequence[Preference]]) -> dict[str, int]:
    """Counts of ballots such as `aab` with these added; ballots of one vote are left out."""
    found = Counter(before)
    found.update("".join(sorted(_LETTERS[vote] for vote in ballot)) for ballot in ballots if len(ballot) > 1)
    return dict(sorted(found.items()))


def alpha(ballots: Mapping[str, int]) -> Alpha | None:
    """Agreement over counted ballots; None without any, or where every vote is a tie."""
    told = [[Vote(preferred=_ANSWERS[letter]) for letter in ballot] for ballot, n in ballots.items() for _ in range(n)]
    found = agreement(told)
    if found is None or math.isnan(found.alpha):
        return None
    return Alpha(alpha=found.alpha, low=found.low, high=found.high, raw=found.raw, pairs=found.pairs, votes=found.votes)


def streams(reference: Reference) -> tuple[Stream, ...]:
    """What is watched, as far as the reference allows."""
    first = _repeated(reference.repeats)
    people = sorted(name for name in first if name.startswith("own ") and len(first[name]) >= FEWEST)
    agreeing = [_agreement(ballot) for ballot in reference.ballots if len(ballot) > 1]
    own = "share of repeated votes in which people contradict their own earlier one"
    others = "share of repeated votes in which people contradict another's earlier one"
    found = [
        _stream("own", own, "rise", OWN, first.get("own", ())),
        _stream("others", others, "rise", OTHERS, first.get("others", ())),
        _stream("agreement", "share of annotator pairs that agree on a new pair", "fall", AGREEMENT, agreeing),
    ]
    for name in people:
        each = _stream(
            name, "share of this person's repeated votes that differ", "rise", EACH / len(people), first[name]
        )
        found.append(each.model_copy(update={"annotator": name.removeprefix("own ")}))
    watched = [stream for stream in found if stream.reference.n]
    whole = sum(stream.share for stream in watched) or 1.0
    return tuple(s.model_copy(update={"share": min(1.0, s.share / whole)}).started() for s in watched)


def observations(repeats: Iterable[Repeat], votes: Sequence[NewVote]) -> dict[str, list[float]]:
    """Values for each stream by its name; `votes` are those on fresh pairs (agents.drift.fit_drift.fresh)."""
    return {**_repeated(repeats), "agreement": [_agreement(ballot) for ballot in ballots(votes)]}


def ballots(votes: Iterable[NewVote]) -> list[tuple[Preference, ...]]:
    """The votes on each pair that has two or more."""
    by_pair: dict[str, list[Preference]] = defaultdict(list)
    for vote in votes:
        by_pair[vote.pair].append(vote.preferred)
    return [tuple(ballot) for ballot in by_pair.values() if len(ballot) > 1]


def _agreement(ballot: Sequence[Preference]) -> float:
    """Share of annotator pairs that agree, in [0, 1]."""
    n = len(ballot)
    return sum(k * (k - 1) for k in Counter(ballot).values()) / (n * (n - 1))


def _repeated(repeats: Iterable[Repeat]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = defaultdict(list)
    for repeat in repeats:
        found["own" if repeat.same_person else "others"].append(repeat.flipped)
        if repeat.same_person and repeat.annotator:
            found[f"own {repeat.annotator}"].append(repeat.flipped)
    return dict(found)


def _stream(name: str, label: str, direction: str, share: float, reference: Sequence[float]) -> Stream:
    unit = "new pairs" if name == "agreement" else "repeated votes"
    return Stream.model_validate(
        {
            "name": name,
            "label": label,
            "unit": unit,
            "direction": direction,
            "share": share,
            "reference": Tally.of(reference),
        }
    )
