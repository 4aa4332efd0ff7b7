"""A sample of the corpus at approval, cut in two: one half to measure by, the other to compare with.

What a new score or embedding is measured by (quantiles, axes, neighbours) comes from the first half only. Given that
half, the measured values of the second half and of an unchanged corpus come from one and the same distribution, so
tests that compare them are exact.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from agents.drift.ranks import Ranks
from agents.drift.sketch import Rows, Sketch, matrix, shortened
from agents.drift.tally import Tally
from knowledge_base.errors import InputError

Floats = NDArray[np.float64]

MOST = 500
"""Embedded texts that are kept; more would make the state large and the tests little sharper."""

FEWEST = 40
"""Scores or embeddings below which no half could say anything; they are then not watched."""


class ScoreReference(BaseModel):
    """Quantiles from the one half, ranks of the other."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ranks: Ranks
    held: tuple[float, ...]


class EmbeddingReference(BaseModel):
    """A sketch and known rows from the one half, rows of the other (see agents.drift.sketch)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sketch: Sketch
    known: Rows
    held: Rows


class CorpusReference(BaseModel):
    """What the corpus looked like at approval; make it with `CorpusReference.of`.

    Attributes:
        coverage, abstention: tallies of the pairs' shares.
        scores, embeddings: None where too few were given.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    coverage: Tally = Tally()
    abstention: Tally = Tally()
    scores: ScoreReference | None = None
    embeddings: EmbeddingReference | None = None

    @classmethod
    def of(
        cls,
        *,
        coverage: Sequence[float] = (),
        abstention: Sequence[float] = (),
        scores: Sequence[float] = (),
        embeddings: Sequence[Sequence[float]] | Floats = (),
        seed: int = 0,
    ) -> CorpusReference:
        """Keep what later refreshes are compared with.

        Args:
            coverage, abstention: shares in [0, 1], one a pair (see agents.drift.refresh.CorpusBatch).
            scores: one a document; any finite numbers.
            embeddings: (n, d), one row a document; of more than MOST a random sample is kept.
            seed: decides which half is which.

        Raises:
            InputError: a share outside [0, 1], a score or embedding that is not finite.
        """
        if not np.isfinite(np.asarray(scores, dtype=np.float64)).all():
            raise InputError("a score is not a finite number; leave that document out")
        return cls(
            coverage=Tally.of(coverage),
            abstention=Tally.of(abstention),
            scores=_scores(np.asarray(scores, dtype=np.float64), seed) if len(scores) >= FEWEST else None,
            embeddings=_embeddings(matrix(embeddings), seed) if len(embeddings) >= FEWEST else None,
        )


def _halves(n: int, seed: int, most: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    order = np.random.default_rng(seed).permutation(n)[:most]
    return order[::2], order[1::2]


def _scores(scores: Floats, seed: int) -> ScoreReference:
    first, second = _halves(len(scores), seed, len(scores))
    ranks = Ranks.of(scores[first])
    return ScoreReference(ranks=ranks, held=tuple(ranks.of_values(scores[second])))


def _embeddings(embeddings: Floats, seed: int) -> EmbeddingReference:
    first, second = _halves(len(embeddings), seed, MOST)
    sketch = Sketch.of(embeddings[first])
    known, held = (shortened(sketch.rows(embeddings[half])) for half in (first, second))
    return EmbeddingReference(sketch=sketch, known=known, held=held)
