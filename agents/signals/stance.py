"""How the writer stands to the matter and to the reader: certainty, person, feeling, courtesy, register.

Markers stand in the list `markers`, after Hyland, Metadiscourse (2005), Biber (1988) and
Danescu-Niculescu-Mizil et al. (2013).
"""

from __future__ import annotations

import math
import re
from functools import lru_cache

from agents.signals.lexicons import load, phrase_table
from agents.signals.passage import Passage
from agents.signals.polarity import score_words
from agents.signals.rates import mean, per_100_words, phrase_rate, word_rate
from agents.signals.signal import signal
from agents.signals.tags import lexicon

_HYLAND = "Hyland, Metadiscourse (2005), appendix"
_BIBER = "Biber, Variation across speech and writing (1988)"
_PATTERN = "De Smedt and Daelemans, Pattern for Python (2012); lists of this project"
_QUESTION = re.compile(r"[?\uff1f\u061f][\"'\u201d\u2019)\]*_]*$")
_EXCLAMATION = re.compile("[!\uff01]+")
_CONTRACTION = re.compile(r"^[a-z]+(?:n't|'(?:s|m|re|ve|ll|d))$")


def _marked(passage: Passage, kind: str) -> float:
    return phrase_rate(passage, phrase_table("markers")[kind])


@signal(unit="per 100 words", source=_HYLAND, scope="english")
def hedge_rate(passage: Passage) -> float:
    """Hedges: perhaps, might, seems, in my opinion."""
    return _marked(passage, "hedge")


@signal(unit="per 100 words", source=_HYLAND, scope="english")
def booster_rate(passage: Passage) -> float:
    """Boosters: clearly, obviously, in fact, definitely."""
    return _marked(passage, "booster")


@signal(unit="per 100 words", source="Al-Mosaiwi and Johnstone, In an absolute state (2018)", scope="english")
def absolute_rate(passage: Passage) -> float:
    """Absolutes: always, never, everyone, nothing, completely."""
    return _marked(passage, "absolute")


@signal(unit="per 100 words", source=_BIBER, scope="english")
def modal_rate(passage: Passage) -> float:
    """Modal verbs, contracted ones included."""
    return _marked(passage, "modal")


@signal(unit="per 100 words", source=_BIBER, scope="english")
def first_person_rate(passage: Passage) -> float:
    """First-person pronouns: I, me, my, we, our."""
    return _marked(passage, "first_person")


@signal(unit="per 100 words", source=_BIBER, scope="english")
def second_person_rate(passage: Passage) -> float:
    """Second-person pronouns: you, your, u."""
    return _marked(passage, "second_person")


@signal(unit="per 100 words", source=_BIBER, scope="english")
def third_person_rate(passage: Passage) -> float:
    """Third-person personal pronouns: he, she, they and their forms."""
    return _marked(passage, "third_person")


def _polarities(passage: Passage) -> list[tuple[float, float]]:
    return [score for words in passage.lower_sentence_words for score in score_words(words)]


@signal(unit="per 100 words", source=_PATTERN, scope="english")
def positive_rate(passage: Passage) -> float:
    """Words of positive polarity (above 0.1), negation considered."""
    return per_100_words(sum(polarity > 0.1 for polarity, _ in _polarities(passage)), passage)


@signal(unit="per 100 words", source=_PATTERN, scope="english")
def negative_rate(passage: Passage) -> float:
    """Words of negative polarity (below -0.1), negation considered."""
    return per_100_words(sum(polarity < -0.1 for polarity, _ in _polarities(passage)), passage)


@signal(unit="polarity", low=-1.0, high=1.0, source=_PATTERN, scope="english")
def sentiment(passage: Passage) -> float:
    """Mean polarity of the words that have one; 0 if none has."""
    return _mean_or_zero([polarity for polarity, _ in _polarities(passage) if polarity], passage)


@signal(unit="share", high=1.0, source=_PATTERN, scope="english")
def subjectivity(passage: Passage) -> float:
    """Mean subjectivity of the words that the lexicon knows; 0 if it knows none."""
    return _mean_or_zero([value for _, value in _polarities(passage)], passage)


def _mean_or_zero(values: list[float], passage: Passage) -> float:
    if not values:
        return 0.0 if passage.words else math.nan
    return max(-1.0, min(1.0, mean(values)))


@signal(unit="per 100 words", source="list of this project after Plutchik (1980)", scope="english")
def emotion_rate(passage: Passage) -> float:
    """Words that name an emotion."""
    return word_rate(passage, load("emotions"))


@signal(unit="per 100 words", source="list of this project; argumentum ad hominem", scope="english")
def insult_rate(passage: Passage) -> float:
    """Insults and name-calling, mild ones included."""
    return word_rate(passage, load("insults"))


@signal(unit="share", high=1.0, source=_BIBER)
def question_rate(passage: Passage) -> float:
    """Share of sentences that end with a question mark."""
    return mean([bool(_QUESTION.search(sentence)) for sentence in passage.sentences])


@signal(unit="per 100 words", source="this project")
def exclamation_rate(passage: Passage) -> float:
    """Exclamations; a run of marks counts once."""
    return per_100_words(len(_EXCLAMATION.findall(passage.prose)), passage)


@signal(unit="per 100 words", source="this project", scope="cased")
def capitals_rate(passage: Passage) -> float:
    """Words of three or more letters in capitals that English also writes small: shouting, not acronyms."""
    return per_100_words(sum(_is_shouted(word) for word in passage.words if word.isupper()), passage)


@lru_cache(maxsize=10_000)
def _is_shouted(word: str) -> bool:
    return len(word) > 2 and (len(word) > 6 or lexicon().get(word.lower(), "NNP") != "NNP")


@signal(unit="per 100 words", source="Danescu-Niculescu-Mizil et al., A computational approach to politeness (2013)",
        scope="english")  # fmt: skip
def politeness_rate(passage: Passage) -> float:
    """Courtesies: please, thanks, could you, good catch, sorry."""
    return _marked(passage, "politeness")


@signal(unit="per 100 words", source="suggestions in Kononenko et al., Code review quality (2016)", scope="english")
def suggestion_rate(passage: Passage) -> float:
    """Words that propose a change: should, consider, might be better, instead, rename."""
    return _marked(passage, "suggestion")


@signal(unit="share", high=1.0, source="directives of Hyland, Metadiscourse (2005)", scope="english")
def imperative_share(passage: Passage) -> float:
    """Share of sentences that start with a bare verb: Use, Remove, Consider, Imagine."""
    bare = load("bare_verbs")
    return mean([words[0] in bare for words in passage.lower_sentence_words])


@signal(unit="per 100 words", source="list of this project", scope="english")
def slang_rate(passage: Passage) -> float:
    """Chat spellings and interjections: u, lol, gonna, cuz."""
    return word_rate(passage, load("slang"))


@signal(unit="per 100 words", source=_BIBER, scope="english")
def contraction_rate(passage: Passage) -> float:
    """Contractions with an apostrophe: don't, it's, we'll; possessives of names and nouns do not count."""
    stop = load("stop_words")
    contracted = (word for word in passage.lower_words if "'" in word and _CONTRACTION.match(word))
    return per_100_words(sum(word in stop or not word.endswith("'s") for word in contracted), passage)


@signal(unit="per 100 words", source=_BIBER, scope="english")
def negation_rate(passage: Passage) -> float:
    """Negations: not, no, never, don't, without."""
    return _marked(passage, "negation")


@signal(unit="per 100 words", source=_BIBER, scope="english")
def obligation_rate(passage: Passage) -> float:
    """Words of obligation: must, have to, need to, required."""
    return _marked(passage, "obligation")
