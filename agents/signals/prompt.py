"""What a text has to do with the prompt it answers: shared words, copied phrases, numbers, and meaning.

Words are those of the whole text, code included, in lower case. Embeddings are those of the knowledge base
(all-MiniLM-L6-v2 unless set otherwise): they read English and only the first 256 word pieces of a text. What a text
has to do with code in its prompt is measured by `agents.signals.prompt_code`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.signals.identifiers import stem
from agents.signals.lexicons import load
from agents.signals.passage import Passage
from agents.signals.rates import share
from agents.signals.recall import Recall
from agents.signals.segmentation import cut_words
from agents.signals.signal import batch_signal, signal
from agents.signals.vectors import cosine, embed_groups, sampled

_ROUGE = "recall as in ROUGE-1, Lin 2004"
_SBERT = "Reimers and Gurevych 2019, Sentence-BERT (arXiv 1908.10084)"
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_GRAM = 4


@dataclass(frozen=True)
class Shared:
    """What a text and its prompt share (see the signals of the same names)."""

    coverage: float
    copied: float
    novel: float
    numbers: float
    ratio: float


@dataclass(frozen=True)
class Closeness:
    """Cosines between a text and its prompt: of the whole text, and of its best sentence (NaN without one)."""

    whole: float
    sentence: float


_shared: Recall[Shared] = Recall()
_closeness: Recall[Closeness] = Recall()


def _compare(passage: Passage) -> Shared:
    said = [word.lower() for word in cut_words(passage.text)]
    asked = [word.lower() for word in cut_words(passage.prompt_passage.text)]
    said_content, asked_content = _content(said), _content(asked)
    grams, known = _grams(said), set(_grams(asked))
    numbers = set(_NUMBER.findall(passage.prompt_passage.text))
    repeated = numbers & set(_NUMBER.findall(passage.text))
    return Shared(
        coverage=share(len(set(asked_content) & set(said_content)), len(set(asked_content))),
        copied=share(sum(gram in known for gram in grams), len(grams)),
        novel=share(sum(word not in set(asked_content) for word in set(said_content)), len(set(said_content))),
        numbers=share(len(repeated), len(numbers)),
        ratio=share(len(said), len(asked)),
    )


def _content(words: Sequence[str]) -> list[str]:
    return [stem(word) for word in words if word not in load("stop_words")]


def _grams(words: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(words[at : at + _GRAM]) for at in range(len(words) - _GRAM + 1)]


def _embed(passages: Sequence[Passage]) -> list[Closeness]:
    groups = [[p.prompt_passage.text, p.text, *sampled(p.sentences)] for p in passages]
    return [_close(vectors) for vectors in embed_groups(groups)]


def _close(vectors: NDArray[np.float32]) -> Closeness:
    best = max((cosine(vectors[0], sentence) for sentence in vectors[2:]), default=math.nan)
    return Closeness(cosine(vectors[0], vectors[1]), best)


@signal(unit="share", high=1.0, source=_ROUGE, scope="prompt")
def prompt_coverage(passage: Passage) -> float:
    """Share of the prompt's distinct content words that occur in the text; a plural s makes no difference."""
    return _shared.one(passage, _compare).coverage


@signal(unit="share", high=1.0, source="Grusky et al. 2018, Newsroom (extractive coverage)", scope="prompt")
def prompt_copy_share(passage: Passage) -> float:
    """Share of the text's runs of four words that stand in the prompt; NaN for a text of fewer words."""
    return _shared.one(passage, _compare).copied


@signal(unit="share", high=1.0, source="See et al. 2017 (novel n-grams)", scope="prompt")
def novel_word_share(passage: Passage) -> float:
    """Share of the text's distinct content words that the prompt does not hold."""
    return _shared.one(passage, _compare).novel


@signal(unit="share", high=1.0, source="this project", scope="prompt")
def prompt_number_share(passage: Passage) -> float:
    """Share of the prompt's distinct numbers that the text repeats; NaN if the prompt has none."""
    return _shared.one(passage, _compare).numbers


@signal(unit="ratio", source="this project", scope="prompt")
def length_to_prompt(passage: Passage) -> float:
    """Words of the text for each word of the prompt."""
    return _shared.one(passage, _compare).ratio


@batch_signal(unit="cosine", low=-1.0, high=1.0, source=_SBERT, scope="prompt")
def prompt_similarity(passages: Sequence[Passage]) -> NDArray[np.float64]:
    """Cosine between the embeddings of text and prompt."""
    return np.array([close.whole for close in _closeness.all(passages, _embed)])


@batch_signal(unit="cosine", low=-1.0, high=1.0, source=_SBERT, scope="prompt")
def prompt_sentence_similarity(passages: Sequence[Passage]) -> NDArray[np.float64]:
    """Highest cosine between the prompt and a sentence of the text (the first and last 12); NaN without one."""
    return np.array([close.sentence for close in _closeness.all(passages, _embed)])
