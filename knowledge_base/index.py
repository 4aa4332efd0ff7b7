"""The criteria as a FAISS index over their words, kept on disk beside a manifest that says what it was made from.

A stored index is a cache and nothing more: it is used if the manifest, the embedding model and the checksum
agree with it, and made anew if anything differs. Vectors of words that have not changed are taken over, so
that a knowledge base that grows by a few criteria embeds only those.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from knowledge_base.criterion import Criterion
from knowledge_base.embedding import dimension, embed, embedder_fingerprint
from knowledge_base.entries import criteria_digest

INDEX_FILE = "criteria.faiss"
MANIFEST_FILE = "criteria.json"

_log = logging.getLogger(__name__)


class Manifest(BaseModel):
    """What a stored index was made from.

    Attributes:
        embedder: fingerprint of the embedding model.
        criteria: digest of the criteria.
        sha256: checksum of the index file, in hex.
        dimension, count: shape of the vectors.
        words: sha256 of each row's words, in row order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    embedder: str
    criteria: str
    sha256: str
    dimension: int = Field(ge=1)
    count: int = Field(ge=0)
    words: tuple[str, ...]


@dataclass(frozen=True)
class Hit:
    """A criterion found, and the cosine of its words with the query, in [-1, 1]."""

    criterion: Criterion
    similarity: float


@dataclass(frozen=True)
class Index:
    """Criteria and their vectors, searched by inner product (the cosine, as vectors have length 1).

    Attributes:
        criteria: n criteria, unique and sorted by hash, so that their order on arrival does not matter.
        vectors: (n, d) float32, row by row the unit vectors of the criteria's words.
    """

    criteria: tuple[Criterion, ...]
    vectors: NDArray[np.float32]
    _faiss: Any = field(repr=False, compare=False)  # faiss has no types

    @classmethod
    def build(cls, criteria: Sequence[Criterion], known: Mapping[str, NDArray[np.float32]] | None = None) -> Index:
        """Embed the criteria's words and index them.

        Args:
            criteria: any number, in any order; repeated contents count once.
            known: vectors by `words_digest`, taken instead of embedding anew.
        """
        ordered = tuple(sorted({c.hash: c for c in criteria}.values(), key=lambda c: c.hash))
        vectors = _vectors(ordered, known or {})
        return cls(ordered, vectors, _flat(vectors))

    @classmethod
    def load_or_build(cls, criteria: Sequence[Criterion], folder: Path) -> Index:
        """The index of `criteria`, from `folder` as far as what lies there can be trusted.

        The folder is brought up to date; one that cannot be written is reported in the log and otherwise ignored.
        """
        stored = _read(folder)
        known = dict(zip(stored[0].words, stored[1], strict=True)) if stored else {}
        index = cls.build(criteria, known)
        if stored is None or stored[0] != index.manifest():
            try:
                index.save(folder)
            except OSError as error:
                _log.warning("index not kept in %s: %s; it will be built again next time", folder, error)
        return index

    def save(self, folder: Path) -> None:
        """Write index and manifest, each in one step, so that a reader sees the old file or the new one.

        Raises:
            OSError: the folder cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / INDEX_FILE, _serialised(self._faiss))
        _write(folder / MANIFEST_FILE, self.manifest().model_dump_json(indent=1).encode())

    def manifest(self) -> Manifest:
        """What this index is made from."""
        return Manifest(
            embedder=embedder_fingerprint(),
            criteria=criteria_digest(self.criteria),
            sha256=hashlib.sha256(_serialised(self._faiss)).hexdigest(),
            dimension=self.vectors.shape[1],
            count=len(self.criteria),
            words=tuple(words_digest(c) for c in self.criteria),
        )

    def search(self, query: NDArray[np.float32], n: int) -> list[Hit]:
        """The `n` criteria nearest to one query vector of shape (d,), nearest first, ties by hash.

        Args:
            query: a unit vector of the same model.
            n: how many at most; fewer come if the index holds fewer.
        """
        wanted = min(max(n, 0), len(self.criteria))
        if not wanted:
            return []
        scores, rows = self._nearest(query, wanted)
        ranked = sorted(zip(-scores, rows, strict=True))[:wanted]
        return [Hit(self.criteria[int(row)], float(-minus)) for minus, row in ranked]

    def _nearest(self, query: NDArray[np.float32], wanted: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Scores and rows of the `wanted` nearest and of all that tie with the last of them."""
        fetched = min(wanted + 1, len(self.criteria))
        while True:
            scores, rows = self._faiss.search(query[None, :], fetched)
            if fetched == len(self.criteria) or scores[0][-1] < scores[0][wanted - 1]:
                return scores[0], rows[0]
            fetched = min(2 * fetched, len(self.criteria))


def words_digest(criterion: Criterion) -> str:
    """sha256 (hex) of the words that are embedded for a criterion."""
    return hashlib.sha256(criterion.words.encode("utf-8", "surrogatepass")).hexdigest()


def _vectors(criteria: Sequence[Criterion], known: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    new = [c for c in criteria if words_digest(c) not in known]
    made = dict(zip((words_digest(c) for c in new), embed([c.words for c in new]) if new else (), strict=True))
    rows = [made[d] if (d := words_digest(c)) in made else known[d] for c in criteria]
    return np.stack(rows) if rows else np.empty((0, dimension()), dtype=np.float32)


def _flat(vectors: NDArray[np.float32]) -> Any:
    import faiss

    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(np.ascontiguousarray(vectors))
    return index


def _read(folder: Path) -> tuple[Manifest, NDArray[np.float32]] | None:
    """Manifest and vectors of a stored index; None if any of it is missing, damaged or not of this embedder."""
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST_FILE).read_bytes())
        raw = (folder / INDEX_FILE).read_bytes()
    except (OSError, ValidationError):
        return None
    if manifest.embedder != embedder_fingerprint() or hashlib.sha256(raw).hexdigest() != manifest.sha256:
        return None
    vectors = _unpack(raw, manifest.count, manifest.dimension)
    return (manifest, vectors) if vectors is not None and len(manifest.words) == manifest.count else None


def _unpack(raw: bytes, count: int, dimension: int) -> NDArray[np.float32] | None:
    """(count, dimension) unit vectors out of an index file; None unless it is, byte for byte, what `_flat` makes.

    The bytes are compared and never handed to the library's reader, which is not made for hostile files.
    """
    size = 4 * count * dimension
    if not 0 < size < len(raw):
        return None
    vectors = np.frombuffer(raw[-size:], dtype="<f4").reshape(count, dimension)
    if not np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-4):
        return None
    return vectors if _serialised(_flat(vectors)) == raw else None


def _serialised(index: Any) -> bytes:
    import faiss

    return bytes(faiss.serialize_index(index))


def _write(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
