"""How much text there is, and in what portions."""

from __future__ import annotations

import statistics

from agents.signals.passage import Passage
from agents.signals.rates import mean, share
from agents.signals.signal import signal

_COUNTS = "this project; counts over agents.signals.segmentation"
_READING = "sentence length as in Flesch, A new readability yardstick (1948)"


@signal(unit="characters", source=_COUNTS)
def chars(passage: Passage) -> float:
    """Characters, spaces included."""
    return float(len(passage.text))


@signal(unit="words", source=_COUNTS)
def words(passage: Passage) -> float:
    """Words outside fenced code blocks and URLs (of the whole text if there is nothing else)."""
    return float(len(passage.words))


@signal(unit="sentences", source=_COUNTS)
def sentences(passage: Passage) -> float:
    """Sentences; a bullet or a heading counts as one."""
    return float(len(passage.sentences))


@signal(unit="paragraphs", source=_COUNTS)
def paragraphs(passage: Passage) -> float:
    """Paragraphs, parted by blank lines (by line ends if there are none and every line ends a sentence)."""
    return float(len(passage.paragraphs))


@signal(unit="lines", source=_COUNTS)
def lines(passage: Passage) -> float:
    """Lines that are not blank."""
    return float(len(passage.lines))


@signal(unit="characters", source="Rae et al., Gopher (2021), Table A1")
def mean_word_length(passage: Passage) -> float:
    """Mean number of characters in a word."""
    return share(sum(map(len, passage.words)), len(passage.words))


@signal(unit="words", source=_READING)
def mean_sentence_words(passage: Passage) -> float:
    """Mean number of words in a sentence."""
    return mean(_lengths(passage))


@signal(unit="words", source=_READING)
def sd_sentence_words(passage: Passage) -> float:
    """Population standard deviation of words per sentence; needs two sentences."""
    lengths = _lengths(passage)
    return statistics.pstdev(lengths) if len(lengths) > 1 else float("nan")


@signal(unit="words", source=_READING)
def longest_sentence_words(passage: Passage) -> float:
    """Words in the longest sentence; 0 if there is none."""
    return float(max(_lengths(passage), default=0))


@signal(unit="words", source=_COUNTS)
def mean_paragraph_words(passage: Passage) -> float:
    """Mean number of words in a paragraph."""
    return share(len(passage.words), len(passage.paragraphs))


@signal(unit="share", high=1.0, source=_COUNTS)
def short_sentence_share(passage: Passage) -> float:
    """Share of sentences with six words or fewer."""
    return mean([length <= 6 for length in _lengths(passage)])


def _lengths(passage: Passage) -> list[int]:
    return [len(sentence) for sentence in passage.sentence_words]
