"""Sentence vectors for the signals that compare meanings, with a bound on how many a text may cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MOST_SENTENCES = 24
"""Sentences of a text that are embedded: the first half and the last half of this number, if it has more."""

Vectors = NDArray[np.float32]


def sampled(sentences: Sequence[str], most: int = MOST_SENTENCES) -> list[str]:
    """The sentences to embed, in order: all, or the first and the last `most / 2`."""
    if len(sentences) <= most:
        return list(sentences)
    return [*sentences[: most // 2], *sentences[len(sentences) - most // 2 :]]


def embed_groups(groups: Sequence[Sequence[str]]) -> list[Vectors]:
    """Embed groups of texts in one call.

    Returns:
        for each group of n texts an (n, d) float32 array with rows of length 1.
    """
    from knowledge_base.embedding import embed

    flat = [text for group in groups for text in group]
    if not flat:
        return [np.empty((0, 0), dtype=np.float32) for _ in groups]
    found = embed(flat)
    borders = np.cumsum([len(group) for group in groups])[:-1]
    return list(np.split(found, borders))


def cosine(a: Vectors, b: Vectors) -> float:
    """Cosine of two vectors of any length, in [-1, 1]; 0 if one has no length."""
    size = float(np.linalg.norm(a)) * float(np.linalg.norm(b))
    return float(np.clip(float(a @ b) / size, -1.0, 1.0)) if size else 0.0
