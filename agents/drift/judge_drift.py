"""Did the judge move? Anchor pairs judged again, against the judge's own habit of answering twice differently.

A judge that is not deterministic flips by itself. How often is learned at approval, where each anchor pair is judged
twice; drift is more flips against the pinned answers than that. The same anchors may be judged at every refresh: given
the pinned answers and each pair's own chance of a flip, answers at different times are independent as long as the judge
is the same, and all of the panel (or a random part of it) is judged (agents.drift.betting, "Observations that are not
alike"). So the null hypothesis is about the panel's mean flip rate, and nothing is assumed of single pairs.

Flips of one pair by different criteria may hang together where several are asked in one call. A pair then counts as one
observation, the share of its criteria that flipped; with separate calls each answer counts. Each criterion also has a
test of its own.

A judge that became steadier without answering differently is not looked for. Nor is a change that spares the anchor
pairs: their number and their likeness to the corpus bound what can be seen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from agents.drift.reference import Anchor, Reference
from agents.drift.refresh import Cell
from agents.drift.stream import Stream
from agents.drift.tally import Tally
from agents.judgments import Verdict

FLIPS, BY_CRITERION, ACCURACY, ABSTENTION = 0.5, 0.3, 0.1, 0.1
"""Shares of the cause's capital; that of the criteria is divided evenly among them."""

SIGN = {"A": 1, "B": -1, "abstain": 0}
Answers = Mapping[Cell, Verdict | None]


def pinned_again(reference: Reference, answers: Answers) -> tuple[Anchor, ...]:
    """The anchors with these answers as their second judging, where they had none."""
    return tuple(
        anchor if anchor.again else anchor.model_copy(update={"again": answers.get((anchor.criterion, anchor.pair))})
        for anchor in reference.anchors
    )


def has_baseline(reference: Reference) -> bool:
    """Whether it is known how often the judge flips by itself."""
    return bool(usable(reference))


def usable(reference: Reference) -> dict[Cell, Anchor]:
    """Anchors whose own flips are known: judged twice, or by a judge that cannot flip."""
    return {(a.criterion, a.pair): a for a in reference.anchors if a.again or reference.deterministic}


def streams(reference: Reference) -> tuple[Stream, ...]:
    """What is watched; empty where no anchor has a baseline."""
    anchors = usable(reference)
    if not anchors:
        return ()
    first = observations(reference, {cell: a.again or a.answer for cell, a in anchors.items()})
    criteria = sorted({criterion for criterion, _ in anchors})
    unit = "answers on anchor pairs" if reference.separate_calls else "anchor pairs"
    looked_for = "never" if reference.deterministic else "rise"
    found = [
        _stream(
            "flips", "share of answers on anchor pairs that differ from the pinned ones", looked_for, FLIPS, first, unit
        ),
        _stream("abstention", "share of abstentions on anchor pairs", "change", ABSTENTION, first, unit),
        _stream("accuracy", "accuracy of the set's vote on anchor pairs", "fall", ACCURACY, first),
    ]
    for criterion in criteria:
        label = "share of anchor pairs on which this criterion differs from its pinned answer"
        each = _stream(f"flips {criterion}", label, looked_for, BY_CRITERION / len(criteria), first)
        found.append(each.model_copy(update={"criterion": criterion}))
    return tuple(stream.started() for stream in found if stream.reference.n)


def observations(reference: Reference, answers: Answers) -> dict[str, list[float]]:
    """Values for each stream by its name; cells that are not anchors with a baseline are left out."""
    anchors = usable(reference)
    asked = {cell: answer for cell, answer in answers.items() if cell in anchors}
    flips: dict[str, list[float]] = defaultdict(list)
    abstained: dict[str, list[float]] = defaultdict(list)
    found: dict[str, list[float]] = defaultdict(list)
    for (criterion, pair), answer in asked.items():
        # A missing answer is no flip: the bet is on a rise, so this can hide drift but never invent it.
        flip = float(answer is not None and answer != anchors[criterion, pair].answer)
        flips[pair].append(flip)
        found[f"flips {criterion}"].append(flip)
        if answer is not None:
            abstained[pair].append(float(answer == "abstain"))
    found["flips"] = _observed(flips, reference.separate_calls)
    found["abstention"] = _observed(abstained, reference.separate_calls)
    found["accuracy"] = list(vote_scores(reference, asked).values())
    return dict(found)


def vote_scores(reference: Reference, answers: Answers) -> dict[str, float]:
    """Pair hash -> 1 where the set's weighted vote is as people say, 0 where it is not, 0.5 where it balances."""
    totals: dict[str, float] = defaultdict(float)
    for (criterion, pair), answer in answers.items():
        totals[pair] += reference.weights.get(criterion, 0.0) * SIGN[answer or "abstain"]
    truth = {pair: {"a": 1, "b": -1, "tie": 0}[vote] for pair, vote in reference.anchor_votes.items()}
    if not reference.weights:
        return {}
    return {
        pair: 0.5 if not round(total, 9) else float(total * truth[pair] > 0)
        for pair, total in totals.items()
        if truth.get(pair)
    }


def _observed(by_pair: Mapping[str, Sequence[float]], one_by_one: bool) -> list[float]:
    if one_by_one:
        return [value for values in by_pair.values() for value in values]
    return [sum(values) / len(values) for values in by_pair.values()]


def _stream(
    name: str, label: str, direction: str, share: float, first: Mapping[str, list[float]], unit: str = "anchor pairs"
) -> Stream:
    reference = Tally.of(first.get(name, ()))
    fields = {
        "name": name,
        "label": label,
        "unit": unit,
        "direction": direction,
        "share": share,
        "reference": reference,
    }
    return Stream.model_validate(fields)
