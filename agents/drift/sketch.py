"""Embeddings made small: a few principal axes of a reference sample, and how far each text lies outside of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from knowledge_base.errors import InputError

Floats = NDArray[np.float64]
Rows = tuple[tuple[float, ...], ...]

AXES = 16
"""Most principal axes that are kept."""

DIGITS = 5
"""Significant digits that are kept of each number; embeddings carry no more."""


class Sketch(BaseModel):
    """A linear map from embeddings to at most AXES coordinates and the length of what they leave out.

    Attributes:
        centre: (d,) mean of the sample that it was made from.
        axes: (k, d) principal axes, each of length 1, the widest first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    centre: tuple[float, ...]
    axes: Rows

    @classmethod
    def of(cls, sample: Floats) -> Sketch:
        """The sketch that keeps most of an (n, d) sample's variance; at most an axis for every eight texts."""
        centre = sample.mean(axis=0)
        keep = max(1, min(AXES, len(sample) // 8, sample.shape[1]))
        axes = np.linalg.svd(sample - centre, full_matrices=False)[2][:keep]
        # A principal axis has no direction of its own; without one its sign would depend on the linear algebra library.
        axes = axes * np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]
        return cls(centre=tuple(shortened(centre[None, :])[0]), axes=shortened(axes))

    def rows(self, embeddings: Sequence[Sequence[float]] | Floats) -> Floats:
        """(n, d) embeddings -> (n, k + 1) coordinates; the last is the distance from the span of the axes.

        Raises:
            InputError: another number of dimensions, or a number that is not finite.
        """
        found = matrix(embeddings)
        if found.shape[1] != len(self.centre):
            raise InputError(
                f"embeddings have {found.shape[1]} dimensions, those at approval {len(self.centre)}; "
                "use the embedding model of the approved set, or approve anew"
            )
        moved = found - np.array(self.centre)
        along = moved @ np.array(self.axes).T
        outside = np.sqrt(np.maximum(np.square(moved).sum(axis=1) - np.square(along).sum(axis=1), 0.0))
        return np.column_stack([along, outside])


def matrix(embeddings: Sequence[Sequence[float]] | Floats) -> Floats:
    """Embeddings as an (n, d) array.

    Raises:
        InputError: rows of different lengths, no dimensions, or a number that is not finite.
    """
    try:
        found = np.asarray(embeddings, dtype=np.float64)
    except ValueError as error:
        raise InputError(
            "embeddings have different numbers of dimensions; give one vector of equal length a text"
        ) from error
    if found.ndim != 2 or not found.shape[1]:
        raise InputError(f"embeddings have the shape {found.shape}; give one vector a text")
    if not np.isfinite(found).all():
        raise InputError("an embedding holds a number that is not finite; leave that text out")
    return found


def shortened(rows: Floats) -> Rows:
    """Rows with DIGITS significant digits."""
    return tuple(tuple(float(f"{x:.{DIGITS}g}") for x in row) for row in rows.tolist())
