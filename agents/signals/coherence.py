"""How a text hangs together: from sentence to sentence, and from its beginning to its end.

Embedding measures follow Foltz, Kintsch and Landauer 1998 (The measurement of textual coherence with latent semantic
analysis, Discourse Processes 25), with sentence embeddings in place of latent semantic analysis. Word measures follow
the given and new of Clark and Haviland 1977 and the entity transitions of Barzilay and Lapata 2008 (Modeling local
coherence, Computational Linguistics 34), without a parser. Of a long text the first and the last 12 sentences are
embedded.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.signals.identifiers import stem
from agents.signals.lexicons import load
from agents.signals.passage import Passage
from agents.signals.rates import mean, share
from agents.signals.recall import Recall
from agents.signals.signal import batch_signal, signal
from agents.signals.vectors import MOST_SENTENCES, Vectors, cosine, embed_groups, sampled

_FOLTZ = "Foltz, Kintsch and Landauer 1998"
_PRONOUNS = frozenset(
    ["he", "she", "it", "they", "this", "that", "these", "those", "his", "her", "its", "their", "him", "them", "such"]
)


@dataclass(frozen=True)
class Coherence:
    """Cosines among the sentences of a text; NaN with too few of them."""

    adjacent: float = math.nan
    lowest: float = math.nan
    drift: float = math.nan
    centrality: float = math.nan


_coherence: Recall[Coherence] = Recall()


def _measure(passages: Sequence[Passage]) -> list[Coherence]:
    sentences = [sampled(p.sentences) for p in passages]
    groups = embed_groups([chosen if len(chosen) > 1 else [] for chosen in sentences])
    return [_of(vectors, len(p.sentences)) for vectors, p in zip(groups, passages, strict=True)]


def _of(vectors: Vectors, sentences: int) -> Coherence:
    if len(vectors) < 2:
        return Coherence()
    gap = MOST_SENTENCES // 2 - 1 if sentences > MOST_SENTENCES else -1
    adjacent = [cosine(vectors[at], vectors[at + 1]) for at in range(len(vectors) - 1) if at != gap]
    third = len(vectors) // 3
    centre = vectors.mean(axis=0)
    return Coherence(
        adjacent=mean(adjacent),
        lowest=min(adjacent),
        drift=1.0 - cosine(vectors[:third].mean(axis=0), vectors[-third:].mean(axis=0)) if third else math.nan,
        centrality=mean([cosine(vector, centre) for vector in vectors]),
    )


@batch_signal(unit="cosine", low=-1.0, high=1.0, source=_FOLTZ, scope="english")
def adjacent_similarity(passages: Sequence[Passage]) -> NDArray[np.float64]:
    """Mean cosine between the embeddings of neighbouring sentences; NaN with fewer than two sentences."""
    return np.array([found.adjacent for found in _coherence.all(passages, _measure)])


@batch_signal(unit="cosine", low=-1.0, high=1.0, source=_FOLTZ, scope="english")
def min_adjacent_similarity(passages: Sequence[Passage]) -> NDArray[np.float64]:
    """Lowest cosine between neighbouring sentences: the hardest jump; NaN with fewer than two sentences."""
    return np.array([found.lowest for found in _coherence.all(passages, _measure)])


@batch_signal(unit="1 - cosine", high=2.0, source=_FOLTZ, scope="english")
def topic_drift(passages: Sequence[Passage]) -> NDArray[np.float64]:
    """1 - cosine between the mean embeddings of the first and the last third; NaN under three sentences."""
    return np.array([found.drift for found in _coherence.all(passages, _measure)])


@batch_signal(
    unit="cosine", low=-1.0, high=1.0, source="Radev et al. 2004, centroid-based summarization", scope="english"
)
def sentence_centrality(passages: Sequence[Passage]) -> NDArray[np.float64]:
    """Mean cosine between a sentence and the mean of all; NaN with fewer than two sentences."""
    return np.array([found.centrality for found in _coherence.all(passages, _measure)])


@signal(unit="share", high=1.0, source="Barzilay and Lapata 2008", scope="english")
def pronoun_opening_share(passage: Passage) -> float:
    """Share of the sentences after the first that open with a pronoun pointing back (it, they, this)."""
    openings = [words[0] for words in passage.lower_sentence_words[1:]]
    return share(sum(word.split("'")[0] in _PRONOUNS for word in openings), len(openings))


@signal(unit="share", high=1.0, source="Clark and Haviland 1977; Barzilay and Lapata 2008", scope="english")
def given_word_share(passage: Passage) -> float:
    """Mean share of a sentence's content words that the sentence before holds; a plural s makes no difference."""
    contents = [_content(words) for words in passage.lower_sentence_words]
    pairs = [(before, after) for before, after in itertools.pairwise(contents) if after]
    return mean([share(len(after & before), len(after)) for before, after in pairs])


def _content(words: Sequence[str]) -> set[str]:
    return {stem(word) for word in words if word not in load("stop_words")}
