"""The manager that needs no model: it searches the knowledge base and the space of expressions over signals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.expression import MAX_LENGTH, names_in
from agents.expression_space import Candidate, bind, distinct, single, variants
from agents.fingerprints import source_digest
from agents.manager import Brief, Case, Proposal
from agents.pairs import Pair
from agents.sample import Sample, Signs
from agents.signals import SIGNALS
from agents.signals.measurement import MeasurementCache, MemoryCache
from agents.statistics import paired_gain
from agents.wording import criterion_from, explanation, rewritten
from knowledge_base.criterion import Criterion
from knowledge_base.embedding import embed
from knowledge_base.entries import criteria_digest
from knowledge_base.index import Index
from knowledge_base.retrieval import SAME_MEANING, retrieve

SEARCHED_SHARE = 0.25
"""Share of a round's candidates that the search over expressions may fill; the catalogue fills the rest."""

PARTNERS = 6
"""Signals tried as a second term of a rewrite: those that best decide the pairs the criterion got wrong."""

GROWTH = 80
"""Characters that a rewrite may add to an expression; one that has no room left is not rewritten."""

CHANCE = 0.1
"""A rewrite is proposed if its gain on the pairs has at most this p value, times the number of variants tried."""


class StatisticalManager:
    """A `Manager` of programmatic criteria; deterministic, free, and a baseline that a chat manager must beat."""

    def __init__(self, index: Index, cache: MeasurementCache | None = None) -> None:
        self._index = index
        self._cache = cache if cache is not None else MemoryCache()
        self.fingerprint = f"statistical/{source_digest(Path(__file__).parent)}/{criteria_digest(index.criteria)[:12]}"
        self._sample: Callable[[tuple[Pair, ...]], Sample] = lru_cache(maxsize=16)(self._measured)
        self._singles: Callable[[Sample], Sequence[Candidate]] = lru_cache(maxsize=16)(_single_candidates)

    def base(self, brief: Brief) -> list[Criterion]:
        """Every criterion of the catalogue that signals can judge."""
        return [c for c in self._index.criteria if c.programmatic] if brief.from_base else []

    def seed(self, brief: Brief, n: int) -> list[Proposal]:
        """Prior criteria near what the texts are and what separates them, then what the search adds."""
        sample = self._sample(brief.pairs)
        singles = self._singles(sample)
        queries = [brief.description, *(explanation(c) for c in singles[:3])]
        prior = self._from_base(brief, queries, n - int(n * SEARCHED_SHARE))
        taken = [sample.votes(p.criterion) for p in prior]
        return prior + self._searched(brief, distinct(singles, taken), n - len(prior))

    def refine(self, brief: Brief, cases: Sequence[Case]) -> list[Proposal | None]:
        """For each criterion the variant that fits the mining pairs best, if it gains enough to be worth judging."""
        sample = self._sample(brief.pairs)
        return [self._rewrite(case, sample) for case in cases]

    def replace(
        self, brief: Brief, kept: Sequence[Criterion], failures: Sequence[Case], banned: Sequence[Criterion], n: int
    ) -> list[Proposal]:
        """Prior criteria near what decides the pairs that the kept ones miss, then what the search adds there."""
        sample = self._sample(brief.pairs)
        taken = [sample.votes(c) for c in kept if c.programmatic]
        missed = _missed(sample, taken)
        helpers = sorted(self._singles(sample), key=lambda c: -_right_on(c, missed))
        queries = [explanation(c) for c in helpers[:3]] + [case.criterion.words for case in failures[:2]]
        prior = self._from_base(brief, queries, n - int(n * SEARCHED_SHARE), kept, banned)
        seen = taken + [sample.votes(p.criterion) for p in prior]
        return prior + self._searched(brief, distinct(helpers, seen), n - len(prior), banned)

    def _measured(self, pairs: tuple[Pair, ...]) -> Sample:
        return Sample(pairs, self._cache)

    def _from_base(
        self,
        brief: Brief,
        queries: Sequence[str],
        n: int,
        away: Sequence[Criterion] = (),
        banned: Sequence[Criterion] = (),
    ) -> list[Proposal]:
        if not brief.from_base:
            return []
        refused = [*banned, *away]
        found = retrieve(
            self._index, queries, n, away_from=away, banned=refused, domain=brief.domain, programmatic_only=True
        )
        return [Proposal(r.criterion, "knowledge base", f"relevance {r.relevance:.2f}") for r in found]

    def _searched(
        self, brief: Brief, candidates: Sequence[Candidate], n: int, banned: Sequence[Criterion] = ()
    ) -> list[Proposal]:
        proposals: list[Proposal] = []
        for candidate in candidates:
            if len(proposals) >= n:
                break
            criterion = criterion_from(candidate, brief.domain)
            if not _means_one_of(criterion, banned):
                why = f"right on {candidate.right} of {candidate.decided} mining pairs"
                proposals.append(Proposal(criterion, "search", why))
        return proposals

    def _rewrite(self, case: Case, sample: Sample) -> Proposal | None:
        criterion = case.criterion
        if not criterion.programmatic or len(criterion.expression) + GROWTH > MAX_LENGTH:
            return None
        now = Candidate(
            criterion.expression, criterion.direction, criterion.margin, sample.votes(criterion), sample.truth
        )
        tried = variants(criterion, sample, [h.expression for h in self._kin(criterion, now, sample)])
        best = max(tried, key=lambda c: c.fit)
        if best.fit <= now.fit or len(tried) * paired_gain(now.scores, best.scores) > CHANCE:
            return None
        why = f"right on {best.right} of {best.decided} instead of {now.right} of {now.decided}"
        return Proposal(rewritten(criterion, best), "rewrite", why)

    def _kin(self, criterion: Criterion, now: Candidate, sample: Sample) -> list[Candidate]:
        """Signals of the criterion's own families, those first that best decide what it gets wrong.

        A signal of another family might fit the few pairs as well, but the words would no longer say what is judged.
        """
        own = names_in(criterion.expression)
        families = {SIGNALS[name].family for name in own}
        kin = [c for c in self._singles(sample) for n in names_in(c.expression) if SIGNALS[n].family in families]
        fresh = [c for c in kin if not set(names_in(c.expression)) & set(own)]
        return sorted(fresh, key=lambda c: -_right_on(c, now.scores < 0))[:PARTNERS]


def _single_candidates(sample: Sample) -> tuple[Candidate, ...]:
    """Every signal as a candidate, best fit first."""
    found = [bind(single(name), sample) for name in sample.measure_all()]
    return tuple(sorted((c for c in found if c.fit > 0), key=lambda c: (-c.fit, c.expression)))


def _means_one_of(criterion: Criterion, others: Sequence[Criterion]) -> bool:
    if not others:
        return False
    if criterion.expression in {c.expression for c in others}:
        return True
    return bool((embed([c.words for c in others]) @ embed([criterion.words])[0]).max() >= SAME_MEANING)


def _missed(sample: Sample, votes: Sequence[Signs]) -> NDArray[np.bool_]:
    """(p,) True where the majority of these votes is not what people preferred."""
    total = np.sum(votes, axis=0) if votes else np.zeros(len(sample.pairs))
    return np.asarray((sample.truth != 0) & (np.sign(total) != sample.truth))


def _right_on(candidate: Candidate, pairs: NDArray[np.bool_]) -> float:
    """Net pairs among these that a candidate decides as people did, plus its overall fit to settle ties."""
    return float((candidate.votes * candidate.truth)[pairs].sum()) + candidate.fit
