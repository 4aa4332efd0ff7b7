"""Vectors counted from letters, for processes in which loading the embedding model would be most of the work."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SIZE = 384


def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    """(n, 384) unit vectors of the counts of each text's three-letter pieces."""
    found = np.zeros((len(texts), SIZE), dtype=np.float32)
    for row, text in zip(found, texts, strict=True):
        for at in range(max(len(text) - 2, 1)):
            row[zlib.crc32(text[at : at + 3].encode("utf-8", "surrogatepass")) % SIZE] += 1
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), dtype=np.float32)
