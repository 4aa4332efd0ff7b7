"""Polarity and subjectivity of words, from the pattern lexicon (De Smedt and Daelemans, 2012) that TextBlob carries.

TextBlob itself is not imported: it takes more than a second and brings NLTK. Pattern knows adjectives best, so two
short lists of nouns and verbs (`positive_words`, `negative_words`) add harm and benefit, at plus or minus one half.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from xml.etree import ElementTree

from agents.signals.lexicons import load, packaged

_NEGATIONS = frozenset(["no", "not", "never", "nothing", "cannot", "without", "neither", "nor"])
_SCORES = ("polarity", "subjectivity", "intensity")


@cache
def sentiment_lexicon() -> dict[str, tuple[float, float]]:
    """Word -> (polarity in [-1, 1], subjectivity in [0, 1]), averaged over its senses."""
    senses: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for form, _, polarity, subjectivity, _ in _entries():
        senses[form].append((polarity, subjectivity))
    table = {form: (_mean(pairs, 0), _mean(pairs, 1)) for form, pairs in senses.items()}
    added = dict.fromkeys(load("positive_words"), (0.5, 0.5)) | dict.fromkeys(load("negative_words"), (-0.5, 0.5))
    return added | {form: scores for form, scores in table.items() if form not in added or scores[0]}


@cache
def intensities() -> dict[str, float]:
    """Adverb -> the factor (> 0) by which it strengthens or weakens the next word, e.g. `very` 1.3."""
    return {form: strength for form, tag, _, _, strength in _entries() if tag == "RB" and strength != 1.0}


def _entries() -> Iterator[tuple[str, str, float, float, float]]:
    tree = ElementTree.parse(packaged("textblob", "en", "en-sentiment.xml"))
    for word in tree.iter("word"):
        form, tag = word.get("form", ""), word.get("pos", "")
        polarity, subjectivity, strength = (float(word.get(key, "0")) for key in _SCORES)
        yield form, tag, polarity, subjectivity, strength


def _mean(pairs: Sequence[tuple[float, float]], part: int) -> float:
    return sum(pair[part] for pair in pairs) / len(pairs)


def score_words(words: Sequence[str]) -> list[tuple[float, float]]:
    """(polarity, subjectivity) of each word of `words` (one sentence, lower case) that the lexicon knows.

    A negation among the three words before turns polarity round and halves it; an adverb of degree scales it.
    """
    lexicon, strength = sentiment_lexicon(), intensities()
    scores = []
    for i, word in enumerate(words):
        if word not in lexicon or word in strength:
            continue
        polarity, subjectivity = lexicon[word]
        factor = strength.get(words[i - 1], 1.0) if i else 1.0
        turn = -0.5 if any(_negates(before) for before in words[max(0, i - 3) : i]) else 1.0
        scores.append((max(-1.0, min(1.0, polarity * factor * turn)), min(1.0, subjectivity * factor)))
    return scores


def _negates(word: str) -> bool:
    return word in _NEGATIONS or word.endswith("n't")
