"""A stream as the service would see it: what is known at approval, then one refresh after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.drift import Anchor, CorpusBatch, CorpusReference, NewVote, Reference, RefreshData, Repeat, Score
from agents.judgments import Verdict
from agents.pairs import Preference
from benchmarks.drift.changes import REFRESHES, Change
from benchmarks.drift.town import CRITERIA, Pairs, Signs, Town

PEOPLE = 6
NAMES = tuple(f"criterion{k}" for k in range(CRITERIA))
VERDICT: dict[int, Verdict] = {1: "A", -1: "B", 0: "abstain"}
PREFERENCE: dict[int, Preference] = {1: "a", -1: "b", 0: "tie"}


@dataclass(frozen=True)
class Sizes:
    """How much is known at approval and how much each refresh brings.

    Attributes:
        sealed: pairs that accuracy was counted on; anchors: pinned pairs.
        repeats, shared, documents: repeated votes, pairs with two votes, and corpus texts at approval.
        new_votes, new_shared, new_repeats, new_documents: at each refresh; of the new votes' pairs `new_shared` get a
        second.
    """

    sealed: int = 200
    anchors: int = 100
    repeats: int = 120
    shared: int = 80
    documents: int = 500
    new_votes: int = 50
    new_shared: int = 15
    new_repeats: int = 30
    new_documents: int = 60


class Course:
    """One stream; `refreshes` must be read in order, as its random numbers are drawn in order."""

    def __init__(self, seed: int, change: Change, sizes: Sizes | None = None) -> None:
        self.town, self.change, self.sizes = Town(seed), change, sizes or Sizes()
        self._anchors, self._shown = self.town.pairs(self.sizes.anchors), self.town.pairs(self.sizes.repeats)
        self._record = self.town.votes(self._shown)
        self.reference = self._reference()

    def refreshes(self, count: int = REFRESHES) -> Iterator[RefreshData]:
        """What each refresh brings, the first one first."""
        for number in range(1, count + 1):
            yield RefreshData(
                anchor_answers=self._anchor_answers(self.change.at("judge", number)),
                new_votes=self._new_votes(number),
                repeats=self._repeats(self.sizes.new_repeats, self.change.at("annotators", number)),
                corpus=self._corpus(number),
            )

    def _reference(self) -> Reference:
        town, sizes = self.town, self.sizes
        sealed = town.pairs(sizes.sealed)
        truth, answers = town.votes(sealed), town.judge(sealed)
        pinned, again = town.judge(self._anchors), town.judge(self._anchors)
        people = town.votes(self._anchors)
        anchors = tuple(
            Anchor(
                pair=f"anchor{i}",
                criterion=NAMES[c],
                answer=VERDICT[int(pinned[i, c])],
                again=VERDICT[int(again[i, c])],
            )
            for i in range(sizes.anchors)
            for c in range(CRITERIA)
        )
        shared = town.pairs(sizes.shared)
        ballots = zip(town.votes(shared).tolist(), town.votes(shared).tolist(), strict=True)
        return Reference(
            accuracy=_score(town.set_vote(answers), truth),
            by_criterion={name: _score(answers[:, c], truth) for c, name in enumerate(NAMES)},
            weights=dict(zip(NAMES, town.ballot().tolist(), strict=True)),
            anchors=anchors,
            anchor_votes={f"anchor{i}": PREFERENCE[int(sign)] for i, sign in enumerate(people)},
            repeats=self._repeats(sizes.repeats, 0.0),
            ballots=tuple((PREFERENCE[a], PREFERENCE[b]) for a, b in ballots),
            separate_calls=True,
            corpus=self._corpus_reference(),
        )

    def _corpus_reference(self) -> CorpusReference:
        texts = self.town.texts(self.sizes.documents)
        shares = self._shares(self.sizes.documents // 2, 0.0, 0.0)
        return CorpusReference.of(
            coverage=shares[0], abstention=shares[1], scores=self.town.scores(texts).tolist(),
            embeddings=self.town.embeddings(texts),
        )  # fmt: skip

    def _shares(self, n: int, moved: float, judge: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Coverage and abstention of n pairs of the corpus; one answer in fifty does not come."""
        answers = self.town.judge(self.town.pairs(n, moved), judge)
        came = self.town.rng.random(answers.shape) < 0.98
        covered = ((answers != 0) & came).mean(axis=1)
        abstained = ((answers == 0) & came).sum(axis=1) / np.maximum(came.sum(axis=1), 1)
        return tuple(covered.tolist()), tuple(abstained.tolist())

    def _anchor_answers(self, moved: float) -> dict[tuple[str, str], Verdict | None]:
        answers = self.town.judge(self._anchors, moved)
        return {
            (NAMES[c], f"anchor{i}"): VERDICT[int(answers[i, c])]
            for i in range(len(self._anchors))
            for c in range(CRITERIA)
        }

    def _new_votes(self, number: int) -> tuple[NewVote, ...]:
        change, town = self.change, self.town
        pairs = town.pairs(self.sizes.new_votes, change.at("corpus", number))
        answers = town.judge(pairs, change.at("judge", number))
        said, taste, unspoken = town.set_vote(answers), change.at("annotators", number), change.at("fit", number)
        first, second = (town.votes(pairs, taste, unspoken) for _ in range(2))
        votes = [self._vote(number, i, int(first[i]), answers, said) for i in range(len(pairs))]
        return (*votes, *(self._vote(number, i, int(second[i]), answers, said) for i in range(self.sizes.new_shared)))

    def _vote(self, number: int, i: int, sign: int, answers: Signs, said: Signs) -> NewVote:
        verdicts = {name: VERDICT[int(answers[i, c])] for c, name in enumerate(NAMES)}
        return NewVote(
            pair=f"pair{number}-{i}", preferred=PREFERENCE[sign], verdicts=verdicts, vote=VERDICT[int(said[i])]
        )

    def _repeats(self, n: int, taste: float) -> tuple[Repeat, ...]:
        """A random part of the pairs on record, voted on again."""
        chosen = self.town.rng.permutation(len(self._shown))[:n]
        now = self.town.votes(_part(self._shown, chosen), taste)
        both = zip(chosen.tolist(), self._record[chosen].tolist(), now.tolist(), strict=True)
        return tuple(
            Repeat(annotator=f"person{i % PEOPLE}", pair=f"shown{i}", before=PREFERENCE[old], now=PREFERENCE[new])
            for i, old, new in both
        )

    def _corpus(self, number: int) -> CorpusBatch:
        moved, judge = self.change.at("corpus", number), self.change.at("judge", number)
        texts = self.town.texts(self.sizes.new_documents, moved)
        covered, abstained = self._shares(self.sizes.new_documents, moved, judge)
        return CorpusBatch(
            coverage=covered, abstention=abstained, scores=tuple(self.town.scores(texts).tolist()),
            embeddings=tuple(map(tuple, self.town.embeddings(texts).tolist())),
        )  # fmt: skip


def _part(pairs: Pairs, at: NDArray[np.intp]) -> Pairs:
    return Pairs(pairs.gaps[at], pairs.errors[at], pairs.other_errors[at], pairs.turn[at], pairs.unspoken[at])


def _score(said: Signs, truth: Signs) -> Score:
    return Score(right=float((said * truth > 0).sum()), n=float((said != 0).sum()))
