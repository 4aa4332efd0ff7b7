"""What was known at approval: the standard that every later refresh is held against."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agents.drift.corpus_reference import CorpusReference
from agents.drift.refresh import Repeat
from agents.drift.tally import Tally
from agents.judgments import Verdict
from agents.pairs import Preference


class Score(BaseModel):
    """An accuracy as counted at approval, on pairs that nobody mined from.

    Attributes:
        right: decided as people did. n: decided at all, ties left out.

    Where pairs hang together give both divided by their design effect (agents.statistics.design_effect), as
    `VoteAccuracy.effective` does: the test is exact for separate pairs, and then about right.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    right: float = Field(ge=0.0)
    n: float = Field(ge=0.0)

    @model_validator(mode="after")
    def _no_more_right_than_decided(self) -> Score:
        if self.right > self.n:
            raise ValueError(f"{self.right:g} right of {self.n:g} decided; `right` counts pairs among `n`")
        return self

    @property
    def errors(self) -> Tally:
        """Ones for wrong, zeros for right."""
        return Tally.binary(self.n - self.right, self.n)


class Anchor(BaseModel):
    """One pinned judgment: what the judge said of an anchor pair by one criterion, twice, when the set was approved.

    Attributes:
        pair, criterion: content hashes.
        answer: the pinned answer, against which flips are counted.
        again: the answer of a second, separate judging then; it tells how often the judge flips by itself. None if the
            pair was judged once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pair: str
    criterion: str
    answer: Verdict
    again: Verdict | None = None


class Reference(BaseModel):
    """What was known at approval; any part may be missing, and what it would have tested is then `not tested`.

    Attributes:
        accuracy: of the set's weighted vote on sealed pairs.
        by_criterion: the same of each criterion, by content hash.
        weights: vote weight (log-odds) of each criterion, by content hash; the set's ballot.
        known_pairs: content hashes of pairs that accuracy was counted on or that were mined; votes on them are not new.
        anchors: pinned judgments.
        anchor_votes: what people prefer on the anchor pairs, by pair hash.
        deterministic: whether the judge cannot answer twice differently (signals; not a chat model at temperature 0): a
            single flip is then proof.
        separate_calls: whether every criterion is asked in a call of its own. Then flips of one pair by different
            criteria are separate evidence, which makes the test of the judge a good deal sharper; otherwise a pair
            counts as one.
        repeats: people who saw a pair again before approval: how often they disagreed with themselves or others then.
        ballots: people's votes on each pair that had two or more before approval.
        corpus: a sample of the corpus then.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    accuracy: Score | None = None
    by_criterion: Mapping[str, Score] = Field(default_factory=dict)
    weights: Mapping[str, float] = Field(default_factory=dict)
    known_pairs: tuple[str, ...] = ()
    anchors: tuple[Anchor, ...] = ()
    anchor_votes: Mapping[str, Preference] = Field(default_factory=dict)
    deterministic: bool = False
    separate_calls: bool = False
    repeats: tuple[Repeat, ...] = ()
    ballots: tuple[tuple[Preference, ...], ...] = ()
    corpus: CorpusReference | None = None

    @model_validator(mode="after")
    def _anchors_are_distinct_and_true_to_their_judge(self) -> Reference:
        cells = {(anchor.criterion, anchor.pair) for anchor in self.anchors}
        if len(cells) < len(self.anchors):
            raise ValueError(
                "an anchor pair is pinned twice for one criterion; pin each once, its repetition in `again`"
            )
        if self.deterministic and any(a.again not in (None, a.answer) for a in self.anchors):
            raise ValueError(
                "a judge called deterministic answered an anchor pair in two ways; set deterministic=False"
            )
        return self
