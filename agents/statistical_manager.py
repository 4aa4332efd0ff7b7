"""The manager that needs no model: it searches the knowledge base and the space of expressions over signals."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from agents.expression_space import Candidate, bind, distinct, single, variants
from agents.manager import Brief, Case, Proposal
from agents.sample import Sample
from agents.signals.measurement import MeasurementCache, MemoryCache, signals_version
from agents.wording import criterion_from, explanation, rewritten
from knowledge_base.criterion import Criterion
from knowledge_base.entries import criteria_digest
from knowledge_base.index import Index
from knowledge_base.retrieval import SAME_MEANING, retrieve

SEARCHED_SHARE = 0.25
"""Share of a round's candidates that the search over expressions may fill; the catalogue fills the rest."""

PARTNERS = 6
"""Signals tried as a second term of a rewrite: those that best decide the pairs the criterion got wrong."""

WORTH_REWRITING = 0.04
"""Gain in shrunken strength on the mining pairs below which a rewrite is not proposed."""


class StatisticalManager:
    """A `Manager` of programmatic criteria; deterministic, free, and a baseline that a chat manager must beat."""

    def __init__(self, index: Index, cache: MeasurementCache | None = None) -> None:
        self._index = index
        self._cache = cache if cache is not None else MemoryCache()
        self.fingerprint = f"statistical/{signals_version()}/{criteria_digest(index.criteria)[:12]}"
        self._sample = lru_cache(maxsize=4)(self._measured)

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

    def _measured(self, pairs: tuple[object, ...]) -> Sample:
        return Sample(pairs, self._cache)  # type: ignore[arg-type]  # lru_cache erases the element type

    def _singles(self, sample: Sample) -> list[Candidate]:
        """Every signal as a candidate, best fit first."""
        found = [bind(single(name), sample) for name in sample.measure_all()]
        return sorted((c for c in found if c.fit > 0), key=lambda c: (-c.fit, c.expression))

    def _from_base(
        self,
        brief: Brief,
        queries: Sequence[str],
        n: int,
        away: Sequence[Criterion] = (),
        banned: Sequence[Criterion] = (),
    ) -> list[Proposal]:
        found = retrieve(
            self._index, queries, n, away_from=away, banned=[*banned, *away], domain=brief.domain, programmatic_only=True
        )
        return [Proposal(r.criterion, "knowledge base", f"relevance {r.relevance:.2f}") for r in found]

    def _searched(
        self, brief: Brief, candidates: Sequence[Candidate], n: int, banned: Sequence[Criterion] = ()
    ) -> list[Proposal]:
        refused = {c.expression for c in banned}
        chosen = [c for c in candidates if c.expression not in refused][: max(n, 0)]
        return [
            Proposal(criterion_from(c, brief.domain), "search", f"right on {c.right} of {c.decided} mining pairs")
            for c in chosen
        ]

    def _rewrite(self, case: Case, sample: Sample) -> Proposal | None:
        criterion = case.criterion
        if not criterion.programmatic:
            return None
        votes = sample.votes(criterion)
        wrong = votes * sample.truth < 0
        helpers = sorted(self._singles(sample), key=lambda c: -_right_on(c, wrong))[:PARTNERS]
        now = Candidate(criterion.expression, criterion.direction, criterion.margin, votes, sample.truth)
        best = max(variants(criterion, sample, [h.expression for h in helpers]), key=lambda c: c.fit)
        if best.fit < now.fit + WORTH_REWRITING:
            return None
        why = f"right on {best.right} of {best.decided} instead of {now.right} of {now.decided}"
        return Proposal(rewritten(criterion, best), "rewrite", why)


def _missed(sample: Sample, votes: Sequence[np.ndarray]) -> np.ndarray:  # type: ignore[type-arg]
    """(p,) True where the majority of these votes is not what people preferred."""
    total = np.sum(votes, axis=0) if votes else np.zeros(len(sample.pairs))
    return np.asarray((sample.truth != 0) & (np.sign(total) != sample.truth))


def _right_on(candidate: Candidate, pairs: np.ndarray) -> float:  # type: ignore[type-arg]
    """Net pairs among these that a candidate decides as people did, plus its overall fit to settle ties."""
    return float((candidate.votes * candidate.truth)[pairs].sum()) + candidate.fit
