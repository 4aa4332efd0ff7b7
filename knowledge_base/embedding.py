"""Texts as unit vectors, from one sentence-transformers model that is carried along and never fetched.

Every text is encoded on its own, never in a padded batch: on a CPU that costs little, and it makes a
vector depend on its text alone, to the last bit, whatever it was asked together with. The default
model, all-MiniLM-L6-v2 (Wang et al. 2020, arXiv 2002.10957; Reimers and Gurevych 2019, arXiv 1908.10084),
reads English and the first 256 word pieces of a text.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from knowledge_base.errors import InputError
from knowledge_base.model_files import DEFAULT_MODEL, fingerprint_of, model_folder

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

REMEMBERED = 20_000
"""Vectors kept in the process: about 30 MB at 384 dimensions; the least recently used go first."""

MOST_CHARACTERS = 10_000
"""A text is cut here before it is split into word pieces; the model itself reads far less."""

_MOST_THREADS = 4
_lock = threading.RLock()


@dataclass
class _Model:
    """One model by name: its folder and fingerprint, its weights once needed, and the vectors it has made."""

    name: str
    folder: Path | None = None
    fingerprint: str = ""
    encoder: SentenceTransformer | None = None
    vectors: OrderedDict[bytes, NDArray[np.float32]] = field(default_factory=OrderedDict)

    def locate(self) -> Path:
        """The model's folder, checked once."""
        if self.folder is None:
            folder = model_folder(self.name)
            self.fingerprint = fingerprint_of(self.name, folder)
            self.folder = folder
        return self.folder

    def load(self) -> SentenceTransformer:
        """The model with its weights in memory; runs no forward pass."""
        if self.encoder is None:
            self.encoder = _load(self.locate())
        return self.encoder

    def vector(self, text: str) -> NDArray[np.float32]:
        """(d,) unit vector of one text, from memory if it is there."""
        key = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        found = self.vectors.get(key)
        if found is None:
            found = self.vectors[key] = _encode(self.load(), text)
            if len(self.vectors) > REMEMBERED:
                self.vectors.popitem(last=False)
        self.vectors.move_to_end(key)
        return found


_current = _Model(DEFAULT_MODEL)
_threads = 1


def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    """L2-normalised vectors of texts.

    The same text gives the same bytes in any company and order. Texts are remembered by content. Only the
    first `MOST_CHARACTERS` characters count, and of those what the model reads; an empty text is as good as any.

    Args:
        texts: n texts of any length.

    Returns:
        (n, d) float32 with rows of length 1; d is 384 for the default model.

    Raises:
        IntegrityError: the default model's weights are not the official ones.
        InputError: the model chosen by `use_model` cannot be loaded.
    """
    if isinstance(texts, str):
        raise TypeError("embed takes a sequence of texts, not one text; pass [text]")
    with _lock:
        if not texts:
            return np.empty((0, dimension()), dtype=np.float32)
        return np.stack([_current.vector(text) for text in texts])


def embedder_fingerprint() -> str:
    """Name and content hash of the model in use: changes whenever its vectors could. Loads no weights into memory.

    Raises:
        IntegrityError, InputError: as `embed`.
    """
    with _lock:
        _current.locate()
        return _current.fingerprint


def dimension() -> int:
    """Length of the vectors of the model in use (384 for the default)."""
    with _lock:
        size = _current.load().get_embedding_dimension()
    if size is None:
        raise InputError(f"embedding model {_current.name!r} does not say its dimension; choose another model")
    return size


def preload() -> None:
    """Import the library and load the weights, so that the first call of `embed` does not take the time for it.

    It runs no forward pass. One would start OpenMP threads, which do not survive a fork: a process forked after one
    would wait for ever at its own first `embed`. After this alone, a process may fork and embed on both sides.
    """
    with _lock:
        _current.load()


def use_model(name: str) -> None:
    """Embed with another sentence-transformers model from now on, for the whole process.

    Args:
        name: a folder, or a model's name on the Hugging Face hub that is in the local cache already.

    Raises:
        InputError: there is no such model here, or it holds anything but safetensors and library code.
    """
    global _current
    model = _Model(name)
    model.locate()
    with _lock:
        _current = model


def set_threads(count: int) -> None:
    """Let a forward pass use up to `count` CPU threads (torch's own setting, for the whole process).

    One thread is the default: texts are short, several worker processes share the machine, and threads that
    wait for one another on a busy machine are many times slower than one. Vectors made with another number of
    threads may differ in the last bit.

    Raises:
        InputError: `count` is below 1.
    """
    global _threads
    if count < 1:
        raise InputError(f"embedding threads is {count}; give 1 or more")
    with _lock:
        _threads = count
        if _current.encoder is not None:
            _bound_threads()


def _bound_threads() -> None:
    import torch

    torch.set_num_threads(_threads)


def _load(folder: Path) -> SentenceTransformer:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # the library leaves it untyped
    _bound_threads()
    try:
        return SentenceTransformer(
            str(folder),
            device="cpu",
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"embedding model in {folder} cannot be loaded: {error}; choose another model") from error


def _encode(model: SentenceTransformer, text: str) -> NDArray[np.float32]:
    readable = text[:MOST_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
    vector: NDArray[np.float32] = model.encode([readable], batch_size=1, show_progress_bar=False)[0]
    length = float(np.linalg.norm(vector))
    unit = (vector / length if length > 0 else np.full_like(vector, vector.size**-0.5)).astype(np.float32)
    unit.flags.writeable = False
    return unit
