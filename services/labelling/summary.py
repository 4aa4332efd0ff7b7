"""What a labelling came to, gathered while its pairs pass by: nothing of them is held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from agents.statistics import wilson
from services.labelling.label import CALIBRATION, Side
from services.labelling.labelled import LabelledPair
from services.labelling.pair_vote import count
from services.labelling.register import Labelling


class Share(BaseModel):
    """`right` of `n`, with a 95 % interval (Wilson 1927) of the share."""

    model_config = ConfigDict(frozen=True)

    right: int
    n: int
    low: float
    high: float

    @classmethod
    def of(cls, right: int, n: int) -> Share:
        """The share `right` / `n`; the interval is all of [0, 1] where n is 0."""
        found = wilson(right, n)
        return cls(right=right, n=n, low=found.low, high=found.high)


class CriterionShare(BaseModel):
    """What one criterion did: pairs it was asked of, and those it decided, abstained on, or gave no evidence on."""

    model_config = ConfigDict(frozen=True)

    name: str
    weight: float
    asked: int
    decided: int
    abstained: int
    missing: int


class LabelSummary(BaseModel):
    """A finished labelling.

    Attributes:
        labelling: id; criteria_set: version; judge: fingerprints of the panel.
        stop: the rule of stopping; error: accepted by it where it is `likely`.
        pairs: labelled, and of them by label: a, b, tie.
        asked, reused, saved: judgments made, there before, and left out by early stopping.
        early: pairs whose vote stopped early; failed: judgments that nobody gave.
        turned: of the pairs asked to the end to measure `likely` stopping, those whose label changed after it would
            have stopped; None for other rules.
        given: of the pairs whose file states a preference and whose label is no tie, those labelled alike; None if the
            file states none.
        effective_votes: how many independent votes the criteria are worth on these pairs.
        criteria: in the order of asking.
        left_out: names of criteria that nobody on the panel can judge by.
        exported: preferences written for TRL; None if none were wanted.
        notes: what a reader should know, a sentence each.
    """

    model_config = ConfigDict(frozen=True)

    labelling: str
    criteria_set: str
    judge: str
    stop: Literal["exact", "none", "likely"]
    error: float
    pairs: int
    labels: dict[Side, int]
    asked: int
    reused: int
    saved: int
    early: int
    failed: int
    turned: Share | None
    given: Share | None
    effective_votes: float
    criteria: tuple[CriterionShare, ...]
    left_out: tuple[str, ...]
    exported: int | None = None
    notes: tuple[str, ...] = (CALIBRATION,)


class Tally:
    """Adds up pages of labelled pairs."""

    def __init__(self, labelling: Labelling) -> None:
        self._labelling = labelling
        self._at = {c: i for i, c in enumerate(labelling.sheet.criteria)}
        self._labels: Counter[Side] = Counter()
        self._sums: Counter[str] = Counter()
        self._states: Counter[tuple[int, str]] = Counter()
        size = len(self._at)
        self._together, self._met = np.zeros((size, size)), np.zeros((size, size))
        self.exported = 0

    def add(self, page: Sequence[LabelledPair]) -> None:
        """Take in pairs."""
        signs, asked = (np.zeros((len(page), len(self._at))) for _ in range(2))
        for row, pair in enumerate(page):
            self._labels[pair.label.label] += 1
            self._add(pair)
            for criterion, (sign, say) in count(pair.answers).items():
                at = self._at[criterion]
                signs[row, at], asked[row, at] = sign, 1
                self._states[at, say] += 1
        self._together += signs.T @ signs
        self._met += np.abs(signs).T @ asked

    def summary(self, exported: bool = False) -> LabelSummary:
        """What it came to."""
        found, sheet, sums = self._labelling, self._labelling.sheet, self._sums
        return LabelSummary(
            labelling=found.id, criteria_set=found.version, judge=sheet.panel.name, stop=sheet.rule.kind,
            error=sheet.rule.error, pairs=self._labels.total(), labels={s: self._labels[s] for s in ("a", "b", "tie")},
            asked=sums["asked"], reused=sums["reused"], saved=sums["saved"], early=sums["early"],
            failed=sums["failed"],
            turned=Share.of(sums["turned"], sums["audited"]) if sheet.rule.kind == "likely" else None,
            given=Share.of(sums["alike"], sums["compared"]) if sums["stated"] else None,
            effective_votes=effective(self._together, self._met), criteria=tuple(self._criteria()),
            left_out=sheet.left_out, exported=self.exported if exported else None,
            notes=(*found.notes, *self._notes(), CALIBRATION),
        )  # fmt: skip

    def _add(self, pair: LabelledPair) -> None:
        for name in ("asked", "reused", "saved", "failed", "early", "audited", "turned"):
            self._sums[name] += getattr(pair, name)
        self._sums["stated"] += bool(pair.given)
        if pair.given in ("a", "b") and pair.label.label != "tie":
            self._sums["compared"] += 1
            self._sums["alike"] += pair.given == pair.label.label

    def _criteria(self) -> list[CriterionShare]:
        shares = []
        for at, m in enumerate(self._labelling.sheet.members):
            said = {say: self._states[at, say] for say in ("decided", "abstained", "missing")}
            shares.append(CriterionShare(name=m.criterion.name, weight=m.weight, asked=sum(said.values()), **said))
        return shares

    def _notes(self) -> list[str]:
        notes = []
        mined_with = self._labelling.sheet.criteria_set.lineage.judge
        if mined_with and mined_with != self._labelling.sheet.panel.name:
            notes.append(f"the set was mined with another judge ({mined_with}); its weights were fitted to that one")
        if failed := self._sums["failed"]:
            notes.append(f"{failed:,} judgments failed; the same command asks for them again")
        return notes


def effective(together: NDArray[np.float64], met: NDArray[np.float64]) -> float:
    """How many independent votes criteria are worth, as `agents.ballot.effective_votes`, where not all met all pairs.

    Args:
        together: (c, c) sums over pairs of the product of two criteria's votes.
        met: (c, c) pairs that the first decided and the second was asked of.

    Returns:
        A number in [1, c]; 0 if none ever decided. Two criteria are compared on the pairs that both were asked of.
    """
    voted = np.diag(met) > 0
    if not voted.any():
        return 0.0
    length = np.sqrt(met * met.T)
    correlation = np.divide(together, length, out=np.zeros_like(together), where=length > 0)[np.ix_(voted, voted)]
    np.fill_diagonal(correlation, 1.0)
    return float(voted.sum() ** 2 / np.square(correlation).sum())
