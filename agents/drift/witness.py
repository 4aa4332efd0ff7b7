"""What is read off an embedded text, as one number in [0, 1]: how new, where, and whether like what came since.

The last is a classifier between the reference and texts that came since: fitted on some, it is judged on later ones
only (the predictive two-sample test of Pandeva et al. 2022, "E-valuating classifier two-sample tests", and Podkopaev
and Ramdas 2023, "Sequential predictive two-sample and independence testing", with a witness that is fixed once
fitted, because the reference it is compared on is finite and is used again by each later batch).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from agents.drift.corpus_reference import EmbeddingReference
from agents.drift.ranks import Ranks

Floats = NDArray[np.float64]

RIDGE = 0.1
"""Share of the mean variance that is added to every coordinate's before the classifier divides by it."""

PLACES = 4
"""Leading axes along which texts are watched one by one."""


class Witness(BaseModel):
    """Something that is read off the rows of a sketch.

    Attributes:
        name: `novelty` (distance to the nearest known text), `axis k`, `outside` (what the axes leave out) or
            `classifier k`.
        direction: (k + 1,) the row's coordinates are multiplied by this and summed; empty for `novelty`.
        ranks: quantiles of the known half.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    direction: tuple[float, ...] = ()
    ranks: Ranks

    def values(self, rows: Floats, reference: EmbeddingReference) -> list[float]:
        """(n, k + 1) rows -> n numbers in [0, 1]."""
        raw = rows @ np.array(self.direction) if self.direction else nearest(rows, np.array(reference.known))
        return self.ranks.of_values(raw)


def first_witnesses(reference: EmbeddingReference) -> tuple[Witness, ...]:
    """The witnesses that need no new text."""
    known = np.array(reference.known)
    last = known.shape[1] - 1
    found = [Witness(name="novelty", ranks=Ranks.of(nearest(known, known, leave_out_itself=True)))]
    for place in [*range(min(PLACES, last)), last]:
        unit = tuple(float(k == place) for k in range(last + 1))
        name = "outside" if place == last else f"axis {place + 1}"
        found.append(Witness(name=name, direction=unit, ranks=Ranks.of(known[:, place])))
    return tuple(found)


def classifier(name: str, reference: EmbeddingReference, new: Floats) -> Witness:
    """The direction that best tells (n, k + 1) new rows from the known ones (Fisher 1936, with a ridge)."""
    known = np.array(reference.known)
    pooled = (np.cov(known.T) * len(known) + np.cov(new.T) * len(new)) / (len(known) + len(new))
    ridge = RIDGE * float(np.trace(pooled)) / len(pooled) + 1e-12
    direction = np.linalg.solve(pooled + ridge * np.eye(len(pooled)), new.mean(axis=0) - known.mean(axis=0))
    kept = tuple(float(f"{x:.6g}") for x in direction.tolist())
    return Witness(name=name, direction=kept, ranks=Ranks.of(known @ np.array(kept)))


def nearest(rows: Floats, known: Floats, *, leave_out_itself: bool = False) -> Floats:
    """(n,) distance of each row to the nearest known row."""
    squares = np.square(rows).sum(axis=1)[:, None] + np.square(known).sum(axis=1) - 2 * rows @ known.T
    if leave_out_itself:
        np.fill_diagonal(squares, np.inf)
    found: Floats = np.sqrt(np.maximum(squares.min(axis=1), 0.0))
    return found
