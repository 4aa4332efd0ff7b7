"""How varied, how dense and how uncommon the words are."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

from agents.signals.lexicons import load, zipf
from agents.signals.passage import Passage
from agents.signals.rates import mean, per_100_words, share, word_rate
from agents.signals.signal import signal

_FREQUENCY = "Speer, wordfreq 3.0 (2022); rarity as in Kuperman et al. (2012)"
_NOMINAL = ("tion", "tions", "sion", "sions", "ment", "ments", "ness", "nesses", "ity", "ities", "ism")


@signal(unit="share", high=1.0, source="Templin, Certain language skills in children (1957)")
def type_token_ratio(passage: Passage) -> float:
    """Different words / words. Falls with length: compare texts of like length, or use mtld."""
    return share(len(set(passage.lower_words)), len(passage.words))


@signal(unit="types per root token", source="Guiraud, Les caractères statistiques du vocabulaire (1954)")
def root_ttr(passage: Passage) -> float:
    """Different words / square root of words."""
    return share(len(set(passage.lower_words)), math.sqrt(len(passage.words)))


@signal(unit="words", source="McCarthy and Jarvis, MTLD, vocd-D, and HD-D (2010)")
def mtld(passage: Passage) -> float:
    """Mean length of word runs whose type-token ratio stays above .72, both directions; needs ten words."""
    words = passage.lower_words
    return (_factor_length(words) + _factor_length(words[::-1])) / 2 if len(words) >= 10 else math.nan


def _factor_length(words: Sequence[str], threshold: float = 0.72) -> float:
    factors, seen, run = 0.0, set[str](), 0
    for word in words:
        seen.add(word)
        run += 1
        if len(seen) <= threshold * run:
            factors, seen, run = factors + 1, set(), 0
    if run:
        factors += (1 - len(seen) / run) / (1 - threshold)
    if factors == 0:
        factors = (1 - len(set(words)) / len(words)) / (1 - threshold) or 1.0
    return len(words) / factors


@signal(unit="share", high=1.0, source="McCarthy and Jarvis, vocd: a theoretical and empirical evaluation (2007)")
def hdd(passage: Passage) -> float:
    """HD-D: expected type-token ratio of 42 words drawn at random; needs 42 words."""
    size = len(passage.words)
    if size < 42:
        return math.nan
    counts = Counter(Counter(passage.lower_words).values())
    return sum(many * (1 - _never_drawn(size, count)) for count, many in counts.items()) / 42


def _never_drawn(size: int, count: int, draws: int = 42) -> float:
    """Hypergeometric chance that `draws` of `size` words miss one that occurs `count` times."""
    if size - count < draws:
        return 0.0
    gamma = math.lgamma
    ways = gamma(size - count + 1) - gamma(size - count - draws + 1) - gamma(size + 1) + gamma(size - draws + 1)
    return math.exp(min(0.0, ways))


@signal(unit="share", high=1.0, source="Ure, Lexical density and register differentiation (1971)", scope="english")
def content_word_share(passage: Passage) -> float:
    """Lexical density: share of words that are no function words."""
    return share(len(passage.content_words), len(passage.words))


@signal(unit="share", high=1.0, source="Tweedie and Baayen, How variable may a constant be? (1998)")
def hapax_share(passage: Passage) -> float:
    """Share of words that occur once in the text."""
    return share(sum(count == 1 for count in Counter(passage.lower_words).values()), len(passage.words))


@signal(unit="zipf units below 8", high=8.0, source=_FREQUENCY, scope="english")
def mean_word_rarity(passage: Passage) -> float:
    """Mean of 8 - Zipf frequency over content words; names, figures and unknown words are left out."""
    return mean([8 - frequency for frequency in _frequencies(passage)])


@signal(unit="share", high=1.0, source=_FREQUENCY, scope="english")
def rare_word_share(passage: Passage) -> float:
    """Share of content words that English uses less than once in a million words (Zipf < 3); unknown words left out."""
    return mean([frequency < 3 for frequency in _frequencies(passage)])


def _frequencies(passage: Passage) -> list[float]:
    stop = load("stop_words")
    words = (word for word in passage.words if word.islower() and word not in stop)
    return [frequency for word in words if (frequency := zipf(word))]


@signal(unit="per 100 words", source="Biber, Variation across speech and writing (1988), feature 14", scope="english")
def nominalisation_rate(passage: Passage) -> float:
    """Nouns made from verbs and adjectives (-tion, -ment, -ness, -ity, -ism)."""
    return per_100_words(sum(_is_nominal(word) for word in passage.lower_words), passage)


@lru_cache(maxsize=20_000)
def _is_nominal(word: str) -> bool:
    return len(word) > 5 and word.endswith(_NOMINAL) and word not in load("not_nominal")


@signal(unit="per 100 words", source="this project", scope="cased")
def proper_noun_rate(passage: Passage) -> float:
    """Names: capitalised words inside a sentence, less `I`, capitals throughout and title-case lines."""
    return per_100_words(sum(1 for _ in _names(passage)), passage)


def _names(passage: Passage) -> Iterator[str]:
    stop = load("stop_words")
    for words in passage.sentence_words:
        inner = [word for word in words[1:] if word[0].isupper() and not word.isupper()]
        if len(words) < 4 or 2 * len(inner) < len(words):
            yield from (word for word in inner if word.lower().replace("\u2019", "'") not in stop)


@signal(unit="per 100 words", source="list after Brysbaert et al., Concreteness ratings (2014)", scope="english")
def abstract_noun_rate(passage: Passage) -> float:
    """Nouns for ideas, feelings and states (list `abstract_nouns`), which cannot be seen or touched."""
    return word_rate(passage, load("abstract_nouns"))


@signal(unit="per 100 words", source="list after Lynott et al., Lancaster sensorimotor norms (2020)", scope="english")
def sensory_word_rate(passage: Passage) -> float:
    """Words for colour, light, sound, smell, taste, touch and temperature (list `sensory_words`)."""
    return word_rate(passage, load("sensory_words"))


@signal(unit="bits", source="Shannon, A mathematical theory of communication (1948)")
def word_entropy(passage: Passage) -> float:
    """Entropy of the text's word distribution; 0 for one word repeated."""
    size = len(passage.words)
    counts = Counter(passage.lower_words).values()
    return max(0.0, -sum(n / size * math.log2(n / size) for n in counts)) if size else math.nan
