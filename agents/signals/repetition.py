"""Repetition and the filter rules of web corpora.

Gopher = Rae et al., Scaling language models (2021), Table A1; RefinedWeb = Penedo et al. (2023), section 3;
C4 = Raffel et al., Exploring the limits of transfer learning (2020), section 2.2.
"""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter
from collections.abc import Sequence

from agents.signals.lexicons import load, phrases
from agents.signals.passage import Passage
from agents.signals.rates import mean, per_100_words, phrase_rate, share
from agents.signals.segmentation import TERMINAL
from agents.signals.signal import signal

_GOPHER = "Rae et al., Gopher (2021), Table A1"
_BULLET = re.compile(r"\s*(?:[-*+\u2022\u25cf\u25aa\u2023\u00b7]\s|\u2022)")
_ELLIPSIS = re.compile(r"(?:\.\.\.|\u2026)\s*$")
_SENTENCES_COMPARED = 100


@signal(unit="share", high=1.0, source=_GOPHER)
def duplicate_line_share(passage: Passage) -> float:
    """Share of non-blank lines that repeat an earlier line."""
    return _duplicates([line.strip() for line in passage.lines])


@signal(unit="share", high=1.0, source=_GOPHER)
def duplicate_paragraph_share(passage: Passage) -> float:
    """Share of paragraphs that repeat an earlier paragraph."""
    return _duplicates(passage.paragraphs)


def _duplicates(parts: Sequence[str]) -> float:
    return share(len(parts) - len(set(parts)), len(parts))


@signal(unit="share", high=1.0, source=_GOPHER)
def top_2gram_share(passage: Passage) -> float:
    """Share of word characters that stand in the commonest pair of words; 0 if none occurs twice."""
    return _top_share(passage.lower_words, 2)


@signal(unit="share", high=1.0, source=_GOPHER)
def top_3gram_share(passage: Passage) -> float:
    """Share of word characters that stand in the commonest three words; 0 if none occurs twice."""
    return _top_share(passage.lower_words, 3)


@signal(unit="share", high=1.0, source=_GOPHER)
def top_4gram_share(passage: Passage) -> float:
    """Share of word characters that stand in the commonest four words; 0 if none occurs twice."""
    return _top_share(passage.lower_words, 4)


def _top_share(words: Sequence[str], n: int) -> float:
    counts = Counter(_grams(words, n))
    repeated = [(many * sum(map(len, gram)), gram) for gram, many in counts.items() if many > 1]
    total = sum(map(len, words))
    if not repeated:
        return 0.0 if total else math.nan
    return _covered(words, max(repeated)[1]) / total


def _covered(words: Sequence[str], gram: tuple[str, ...]) -> int:
    """Characters of `words` inside occurrences of `gram`, overlapping ones counted once."""
    inside = {i + k for i, each in enumerate(_grams(words, len(gram))) if each == gram for k in range(len(gram))}
    return sum(len(words[i]) for i in inside)


@signal(unit="share", high=1.0, source=_GOPHER)
def duplicate_5gram_share(passage: Passage) -> float:
    """Share of word characters inside five-word runs that occurred before."""
    return _repeated_share(passage.lower_words, 5)


@signal(unit="share", high=1.0, source=_GOPHER)
def duplicate_10gram_share(passage: Passage) -> float:
    """Share of word characters inside ten-word runs that occurred before."""
    return _repeated_share(passage.lower_words, 10)


def _repeated_share(words: Sequence[str], n: int) -> float:
    seen: set[tuple[str, ...]] = set()
    inside, covered_to = 0, 0
    for at, gram in enumerate(_grams(words, n)):
        if gram in seen:
            inside += sum(len(word) for word in words[max(at, covered_to) : at + n])
            covered_to = at + n
        seen.add(gram)
    return share(inside, sum(map(len, words)))


def _grams(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return list(zip(*(words[i:] for i in range(n)), strict=False))


@signal(unit="per word", source=_GOPHER)
def symbol_word_ratio(passage: Passage) -> float:
    """Hash signs and ellipses for each word."""
    text = passage.text
    return share(text.count("#") + text.count("...") + text.count("\u2026"), len(passage.words))


@signal(unit="share", high=1.0, source=_GOPHER)
def ellipsis_line_share(passage: Passage) -> float:
    """Share of lines that end with an ellipsis."""
    return mean([bool(_ELLIPSIS.search(line)) for line in passage.lines])


@signal(unit="share", high=1.0, source=_GOPHER)
def bullet_line_share(passage: Passage) -> float:
    """Share of lines that start with a bullet."""
    return mean([bool(_BULLET.match(line)) for line in passage.lines])


@signal(unit="share", high=1.0, source=_GOPHER)
def alphabetic_word_share(passage: Passage) -> float:
    """Share of space-parted tokens that hold at least one letter."""
    return mean([any(map(str.isalpha, token)) for token in passage.text.split()])


@signal(unit="share", high=1.0, source="RefinedWeb, Penedo et al. (2023), after Gopher", scope="english")
def stop_word_share(passage: Passage) -> float:
    """Share of words that are English function words; very low in keyword lists and menus."""
    stop = load("stop_words")
    return mean([word in stop for word in passage.lower_words])


@signal(unit="share", high=1.0, source="C4, Raffel et al. (2020), section 2.2")
def terminal_punctuation_share(passage: Passage) -> float:
    """Share of lines that end with a full stop, question mark, exclamation mark or closing quote after one."""
    return mean([bool(TERMINAL.search(line[-20:])) for line in passage.lines])


@signal(unit="per 100 words", source="C4, Raffel et al. (2020), section 2.2")
def curly_brace_rate(passage: Passage) -> float:
    """Curly braces: a sign of program text or of templates that were not filled in."""
    return per_100_words(passage.text.count("{") + passage.text.count("}"), passage)


@signal(unit="per 100 words", source="C4 (2020), section 2.2; RefinedWeb (2023), line-wise filters", scope="english")
def boilerplate_rate(passage: Passage) -> float:
    """Phrases of page furniture: cookies, privacy, subscriptions, navigation, lorem ipsum (list `boilerplate`)."""
    return phrase_rate(passage, phrases("boilerplate"))


@signal(unit="ratio", source="zlib (RFC 1950), level 6")
def compression_ratio(passage: Passage) -> float:
    """Compressed bytes / raw bytes; low for repetitive text, above 1 for a few words."""
    raw = passage.text.encode("utf-8")
    return share(len(zlib.compress(raw, 6)), len(raw))


@signal(unit="share", high=1.0, source="this project")
def sentence_opening_repetition(passage: Passage) -> float:
    """Share of sentences whose first word already opened an earlier sentence; needs two sentences."""
    openings = [words[0] for words in passage.lower_sentence_words]
    return _duplicates(openings) if len(openings) > 1 else math.nan


@signal(unit="Jaccard", high=1.0, source="Broder, On the resemblance of documents (1997), word shingles of 3")
def sentence_similarity_max(passage: Passage) -> float:
    """Highest trigram overlap of two sentences among the first 100 that have five words; 0 if there are no two."""
    if not passage.words:
        return math.nan
    sentences = [words for words in passage.lower_sentence_words if len(words) >= 5]
    shingles = [frozenset(_grams(words, 3)) for words in sentences[:_SENTENCES_COMPARED]]
    return max((_jaccard(a, b) for i, a in enumerate(shingles) for b in shingles[:i]), default=0.0)


def _jaccard(a: frozenset[tuple[str, ...]], b: frozenset[tuple[str, ...]]) -> float:
    shared = len(a & b)
    return shared / (len(a) + len(b) - shared) if shared else 0.0
