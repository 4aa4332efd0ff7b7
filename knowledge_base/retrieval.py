"""Finding prior criteria: near to what a run is about, unlike one another, away from what it has or has rejected.

Selection is by maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): each step takes the criterion
with the best balance of relevance and novelty with respect to those already taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge_base.criterion import Criterion, Domain
from knowledge_base.embedding import embed
from knowledge_base.errors import InputError
from knowledge_base.index import Index, words_digest

SAME_MEANING = 0.92
"""Cosine at and above which two criteria count as one. The two closest criteria of the catalogue, which differ,
stand at .86; a light rewording stands near .98. A free paraphrase may stand as low as .75, among mere neighbours,
so this catches copies: that two criteria judge alike in other words shows in their votes, not here."""

IMPORTANCE_BONUS = 0.05
"""Relevance added for each step of importance (0 to 3) that a criterion has in the run's domain. Cosines of a
criterion with a query about its matter run from .4 to .7, so that a central criterion (+.15) overtakes one that
is somewhat nearer in words, and seldom one that is about the matter when it is not itself."""

POOL = 500
"""Criteria taken from the index for each query before the selection; smaller indexes are considered whole."""


@dataclass(frozen=True)
class Retrieved:
    """A criterion and how relevant it is: a cosine in [-1, 1] plus the bonus of its domain, in [0, .15]."""

    criterion: Criterion
    relevance: float


def retrieve(
    index: Index,
    queries: Sequence[str],
    n: int,
    *,
    away_from: Sequence[Criterion] = (),
    banned: Sequence[Criterion] = (),
    domain: Domain | None = None,
    programmatic_only: bool = False,
    diversity: float = 0.3,
) -> list[Retrieved]:
    """The `n` criteria that best serve a run, in order of selection.

    The relevance of a criterion is the mean of the greatest and of the average cosine between its words and the
    queries, plus `IMPORTANCE_BONUS` times its importance in `domain`. Equal scores are settled by hash.

    Args:
        index: the knowledge base.
        queries: what is looked for, in words; blank ones are ignored. Without any, the domain alone decides.
        n: how many at most.
        away_from: criteria that the run has already: each step counts them as taken.
        banned: criteria never to return, nor any of the same content or meaning (cosine >= `SAME_MEANING`).
        domain: what the run's texts are; None leaves importance out.
        programmatic_only: only criteria that the signal worker can judge.
        diversity: weight of novelty in [0, 1]: 0 is relevance alone, 1 is novelty alone.

    Raises:
        InputError: `diversity` is outside [0, 1].
    """
    if not 0.0 <= diversity <= 1.0:
        raise InputError(f"diversity is {diversity}; give a number from 0 to 1")
    asked = _embedded([q for q in queries if q.strip()], index)
    rows = _pool(index, asked, n, banned)
    rows = _allowed(index, rows, banned, programmatic_only)
    relevance = _relevance(index, rows, asked, domain)
    taken = _vectors(away_from, index)
    return [
        Retrieved(index.criteria[rows[at]], float(relevance[at]))
        for at in _select(index.vectors[rows], relevance, taken, n, diversity)
    ]


def _embedded(texts: Sequence[str], index: Index) -> NDArray[np.float32]:
    """(n, d) vectors; nothing to embed needs no model."""
    return embed(texts) if texts else np.empty((0, index.vectors.shape[1]), dtype=np.float32)


def _vectors(criteria: Sequence[Criterion], index: Index) -> NDArray[np.float32]:
    """(n, d) vectors of criteria; those of the index are not embedded again."""
    rows = {words_digest(c): row for row, c in enumerate(index.criteria)} if criteria else {}
    fresh = [c for c in criteria if words_digest(c) not in rows]
    made = dict(zip(map(words_digest, fresh), _embedded([c.words for c in fresh], index), strict=True))
    found = [made[d] if (d := words_digest(c)) in made else index.vectors[rows[d]] for c in criteria]
    return np.array(found, dtype=np.float32).reshape(len(criteria), index.vectors.shape[1])


def _pool(index: Index, asked: NDArray[np.float32], n: int, banned: Sequence[Criterion]) -> list[int]:
    """Rows worth a closer look, ascending (so by hash)."""
    size = max(POOL, 20 * n) + len(banned)
    if size >= len(index.criteria) or not len(asked):
        return list(range(len(index.criteria)))
    found = {hit.criterion.hash for query in asked for hit in index.search(query, size)}
    return [row for row, criterion in enumerate(index.criteria) if criterion.hash in found]


def _allowed(index: Index, rows: list[int], banned: Sequence[Criterion], programmatic_only: bool) -> list[int]:
    """Rows that are neither banned (the same content has the same words, so a cosine of 1) nor beyond the judge."""
    nearest = _nearest(index.vectors[rows], _vectors(banned, index))
    return [
        row
        for row, closeness in zip(rows, nearest, strict=True)
        if closeness < SAME_MEANING and (index.criteria[row].programmatic or not programmatic_only)
    ]


def _relevance(index: Index, rows: list[int], asked: NDArray[np.float32], domain: Domain | None) -> NDArray[np.float64]:
    importance = [index.criteria[row].domains.get(domain, 0) if domain else 0 for row in rows]
    bonus = IMPORTANCE_BONUS * np.array(importance, dtype=np.float64)
    if not len(asked) or not rows:
        return bonus
    cosines = (index.vectors[rows] @ asked.T).astype(np.float64)
    return np.asarray((cosines.max(axis=1) + cosines.mean(axis=1)) / 2 + bonus)


def _select(
    vectors: NDArray[np.float32], relevance: NDArray[np.float64], taken: NDArray[np.float32], n: int, diversity: float
) -> list[int]:
    """Positions in order of selection; rounding lets ties be ties, and the first of them (by hash) wins."""
    closeness = np.maximum(_nearest(vectors, taken), 0.0)
    chosen: list[int] = []
    free = np.ones(len(vectors), dtype=bool)
    while len(chosen) < n and free.any():
        score = np.round((1 - diversity) * relevance - diversity * closeness, 6)
        best = int(np.argmax(np.where(free, score, -np.inf)))
        chosen.append(best)
        free[best] = False
        closeness = np.maximum(closeness, vectors @ vectors[best])
    return chosen


def _nearest(vectors: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Greatest cosine of each vector with any of `others`; -1 where there are none."""
    if not len(others):
        return np.full(len(vectors), -1.0, dtype=np.float32)
    return np.asarray((vectors @ others.T).max(axis=1))
