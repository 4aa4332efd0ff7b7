"""Readability formulas for English prose.

The formulas are the published ones. They are computed here, not by textstat, because textstat downloads a
pronouncing dictionary at run time and takes seconds to import; its Dale-Chall word list is used.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache, lru_cache

from agents.signals.lexicons import packaged
from agents.signals.passage import Passage
from agents.signals.rates import share
from agents.signals.signal import signal
from agents.signals.syllables import count_syllables

_ENDINGS = ("'s", "s", "es", "ed", "d", "ing", "ly", "er", "r", "est", "st", "n")


@signal(unit="points", low=-math.inf, high=122.0, source="Flesch, A new readability yardstick (1948)", scope="english")
def flesch_reading_ease(passage: Passage) -> float:
    """Flesch reading ease: 206.835 - 1.015 words/sentence - 84.6 syllables/word; higher is easier."""
    return 206.835 - 1.015 * _sentence_length(passage) - 84.6 * syllables_per_word(passage)


@signal(unit="school grade", low=-4.0, source="Kincaid et al., Navy report 8-75 (1975)", scope="english")
def flesch_kincaid_grade(passage: Passage) -> float:
    """Flesch-Kincaid grade: 0.39 words/sentence + 11.8 syllables/word - 15.59."""
    return 0.39 * _sentence_length(passage) + 11.8 * syllables_per_word(passage) - 15.59


@signal(unit="school grade", source="Gunning, The technique of clear writing (1952)", scope="english")
def gunning_fog(passage: Passage) -> float:
    """Gunning fog index: 0.4 (words/sentence + percentage of words of three or more syllables)."""
    long = sum(count >= 3 for count in _syllables(passage))
    return 0.4 * (_sentence_length(passage) + 100 * share(long, len(passage.words)))


@signal(unit="school grade", source="McLaughlin, SMOG grading (1969)", scope="english")
def smog(passage: Passage) -> float:
    """SMOG grade: 3.1291 + 1.043 sqrt(30 polysyllables / sentences); made for 30 sentences, rough below."""
    long = sum(count >= 3 for count in _syllables(passage))
    return 3.1291 + 1.043 * math.sqrt(30 * share(long, len(passage.sentence_words)))


@signal(unit="school grade", low=-math.inf, source="Coleman and Liau (1975)", scope="english")
def coleman_liau(passage: Passage) -> float:
    """Coleman-Liau index: 0.0588 letters per 100 words - 0.296 sentences per 100 words - 15.8."""
    count = len(passage.words)
    return 5.88 * share(_characters(passage), count) - 29.6 * share(len(passage.sentence_words), count) - 15.8


@signal(unit="school grade", low=-math.inf, source="Senter and Smith, AMRL-TR-66-220 (1967)", scope="english")
def ari(passage: Passage) -> float:
    """Automated readability index: 4.71 characters/word + 0.5 words/sentence - 21.43."""
    return 4.71 * share(_characters(passage), len(passage.words)) + 0.5 * _sentence_length(passage) - 21.43


@signal(unit="points", source="Dale and Chall, A formula for predicting readability (1948)", scope="english")
def dale_chall(passage: Passage) -> float:
    """Dale-Chall score: 0.1579 % difficult words + 0.0496 words/sentence, + 3.6365 above 5 % difficult words."""
    difficult = 100 * difficult_word_share(passage)
    return 0.1579 * difficult + 0.0496 * _sentence_length(passage) + (3.6365 if difficult > 5 else 0.0)


@signal(unit="share", high=1.0, source="Dale and Chall (1948); word list as carried by textstat", scope="english")
def difficult_word_share(passage: Passage) -> float:
    """Share of words outside the Dale-Chall list of 3,000 familiar words; names and figures count as familiar."""
    return share(sum(_is_difficult(word) for word in _candidates(passage)), len(passage.words))


@signal(unit="syllables", low=1.0, source="Coke and Rothkopf (1970)", scope="english")
def syllables_per_word(passage: Passage) -> float:
    """Mean number of syllables in a word, counted by rule."""
    return share(sum(_syllables(passage)), len(passage.words))


def _syllables(passage: Passage) -> list[int]:
    return [count_syllables(word) for word in passage.lower_words]


def _sentence_length(passage: Passage) -> float:
    return share(len(passage.words), len(passage.sentence_words))


def _characters(passage: Passage) -> int:
    return sum(map(str.isalnum, "".join(passage.words)))


def _candidates(passage: Passage) -> Iterator[str]:
    for words in passage.sentence_words:
        for place, word in enumerate(words):
            if word.islower() or (place == 0 and not word.isupper()):
                yield word.lower().replace("\u2019", "'")


@cache
def familiar_words() -> frozenset[str]:
    """The Dale-Chall list of familiar words, lower case."""
    path = packaged("textstat", "resources", "en", "easy_words.txt")
    return frozenset(path.read_text(encoding="utf-8").lower().split())


@lru_cache(maxsize=50_000)
def _is_difficult(word: str) -> bool:
    return not (word[0].isdigit() or any(part in familiar_words() for part in _bases(word)))


def _bases(word: str) -> Iterator[str]:
    """The word and what it may be an inflection of, after Dale and Chall's rules for counting endings."""
    yield word
    for ending in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem != word and len(stem) > 1:
            yield from (stem, stem + "e")
            if stem[-1] == "i":
                yield stem[:-1] + "y"
            if len(stem) > 2 and stem[-1] == stem[-2]:
                yield stem[:-1]
