"""The few divisions that nearly every signal makes, so that an empty text is NaN everywhere and never an error."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agents.signals.lexicons import Phrases

if TYPE_CHECKING:
    from agents.signals.passage import Passage


def share(part: float, whole: float) -> float:
    """Part / whole; NaN if `whole` is 0."""
    return part / whole if whole else math.nan


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean; NaN if there are no values."""
    return share(sum(values), len(values))


def per_100_words(count: float, passage: Passage) -> float:
    """`count` for each 100 words of the passage; NaN if it has no words."""
    return 100.0 * count / len(passage.words) if passage.words else math.nan


def word_rate(passage: Passage, lexicon: frozenset[str]) -> float:
    """Words of the passage that stand in `lexicon` (lower case), per 100 words; NaN without words."""
    return per_100_words(sum(word in lexicon for word in passage.lower_words), passage)


def phrase_rate(passage: Passage, phrases: Phrases) -> float:
    """Phrases that occur in the passage, per 100 words; NaN without words."""
    return per_100_words(phrases.count(passage.lower_words), passage)
