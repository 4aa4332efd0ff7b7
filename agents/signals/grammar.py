"""Grammar that tells plain prose from laboured, and people's from machines': clauses, coordination, tense, voice.

Features follow Biber, Variation across speech and writing (1988), and Reinhart et al., Do LLMs write like humans?
(PNAS 2025), who found present participle clauses, `that` clauses, nominalisations and phrasal coordination to set
language models apart. Tags are rough (see `agents.signals.tags`): compare rates, do not trust single hits.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from agents.signals.lexicons import load
from agents.signals.passage import Passage
from agents.signals.rates import mean, per_100_words, word_rate
from agents.signals.signal import signal
from agents.signals.tags import BE_FORMS

_BIBER = "Biber, Variation across speech and writing (1988)"
_LAMP = "Chakrabarty et al., Can AI writing be salvaged? (2025)"
_REINHART = "Reinhart et al., Do LLMs write like humans? (2025)"
_CRAFT = "Browne and King, Self-editing for fiction writers (2004)"
_PER_100 = "per 100 words"

_SUBJECTS = ("PRP", "PRP$", "DT", "NNP", "NNS", "EX")
_AFTER_COMMA = re.compile(r"[,\u2014] ?(?:[a-z]+ly |his |her |their |my |its |all |each )?(?:[a-z]+ )?([a-z]{2,}ing)\b")
_TOKEN = r"[\w'\u2019-]{1,30}"
_TRIAD = re.compile(rf"(?<![\w'\u2019-]){_TOKEN}, (?:{_TOKEN} ){{0,4}}{_TOKEN},? (?:and|or) {_TOKEN}")


def _tag_rate(passage: Passage, *wanted: str) -> float:
    return per_100_words(sum(tag in wanted for tags in passage.sentence_tags for tag in tags), passage)


@signal(unit=_PER_100, source=_REINHART, scope="english")
def participle_clause_rate(passage: Passage) -> float:
    """Clauses in -ing after a comma or dash: `..., leaning against the wall`."""
    return per_100_words(len(_participles(passage)), passage)


def _participles(passage: Passage) -> list[str]:
    return [word for word in _AFTER_COMMA.findall(passage.prose) if word not in load("participle_exceptions")]


@signal(unit=_PER_100, source=_CRAFT, scope="english")
def adverb_rate(passage: Passage) -> float:
    """Adverbs in -ly."""
    words = (word for word in passage.lower_words if word.endswith("ly") and len(word) > 4)
    return per_100_words(sum(word not in load("adverb_exceptions") for word in words), passage)


@signal(unit=_PER_100, source=_LAMP + ", purple prose", scope="english")
def adjective_pile_rate(passage: Passage) -> float:
    """Two adjectives in a row before a noun, the comma between them or not: `the worn, wooden door`."""
    piles = (_piled(tags, i) for tags in passage.sentence_tags for i in range(len(tags) - 2))
    return per_100_words(sum(piles), passage)


def _piled(tags: Sequence[str], at: int) -> bool:
    return tags[at][:2] == "JJ" and tags[at + 1][:2] == "JJ" and tags[at + 2][:2] in ("NN", "JJ")


@signal(unit=_PER_100, source=_BIBER, scope="english")
def adjective_rate(passage: Passage) -> float:
    """Adjectives."""
    return _tag_rate(passage, "JJ", "JJR", "JJS")


@signal(unit=_PER_100, source=_BIBER, scope="english")
def passive_rate(passage: Passage) -> float:
    """Passives: a form of `to be` with a past participle among the next three words."""
    return per_100_words(sum(_passives(passage)), passage)


def _passives(passage: Passage) -> Iterator[int]:
    for words, tags in zip(passage.lower_sentence_words, passage.sentence_tags, strict=True):
        for i, word in enumerate(words):
            if word in BE_FORMS and word[-1] != "m":
                yield "VBN" in _until_noun(tags[i + 1 : i + 4])


def _until_noun(tags: Sequence[str]) -> Sequence[str]:
    return tags[: next((i for i, tag in enumerate(tags) if tag[0] in "ND" or tag in ("JJ", "IN", "TO", "VBG")), 3)]


@signal(unit=_PER_100, source=_REINHART, scope="english")
def triad_rate(passage: Passage) -> float:
    """Lists of three: `x, y, and z`."""
    return per_100_words(len(_TRIAD.findall(passage.prose)), passage)


@signal(unit=_PER_100, source=_BIBER, scope="english")
def past_tense_rate(passage: Passage) -> float:
    """Verbs in the past tense."""
    return _tag_rate(passage, "VBD")


@signal(unit=_PER_100, source=_BIBER, scope="english")
def present_tense_rate(passage: Passage) -> float:
    """Verbs in the present tense."""
    return _tag_rate(passage, "VBZ", "VBP")


@signal(unit="share", high=1.0, source=_LAMP + ", tense inconsistency", scope="english")
def tense_shift_share(passage: Passage) -> float:
    """Share of neighbouring sentences outside dialogue whose prevailing tenses differ; needs two with a tense."""
    pairs = zip(passage.sentences, passage.sentence_tags, strict=False)
    tenses = [tense for sentence, tags in pairs if '"' not in sentence and (tense := _tense(tags))]
    return mean([one != two for one, two in pairwise(tenses)])


def _tense(tags: Sequence[str]) -> str:
    counts = Counter("past" if tag == "VBD" else "present" for tag in tags if tag in ("VBD", "VBZ", "VBP"))
    return counts.most_common(1)[0][0] if counts else ""


@signal(unit=_PER_100, source=_BIBER + ", features 21 and 22", scope="english")
def that_clause_rate(passage: Passage) -> float:
    """`That` after a verb or adjective, opening a clause: she knew that ..., sure that ..."""
    opened = (
        words[i] == "that" and tags[i - 1][:2] in ("VB", "JJ") and tags[i + 1] in _SUBJECTS
        for words, tags in zip(passage.lower_sentence_words, passage.sentence_tags, strict=True)
        for i in range(1, len(words) - 1)
    )  # fmt: skip
    return per_100_words(sum(opened), passage)


@signal(unit=_PER_100, source=_REINHART + "; " + _BIBER, scope="english")
def and_coordination_rate(passage: Passage) -> float:
    """Phrases joined by and: noun and noun, adjective and adjective (`pain and longing`, `soft and warm`)."""
    joined = (
        words[i] == "and" and tags[i - 1][:2] == tags[i + 1][:2] and tags[i - 1][:2] in ("NN", "JJ", "RB")
        for words, tags in zip(passage.lower_sentence_words, passage.sentence_tags, strict=True)
        for i in range(1, len(words) - 1)
    )  # fmt: skip
    return per_100_words(sum(joined), passage)


@signal(unit=_PER_100, source=_BIBER, scope="english")
def relative_clause_rate(passage: Passage) -> float:
    """Relative clauses: who, whose, whom, which or that after a noun."""
    relatives = ("who", "whose", "whom", "which", "that", "where")
    opened = (
        words[i] in relatives and tags[i - 1][:2] == "NN" and i + 1 < len(words)
        for words, tags in zip(passage.lower_sentence_words, passage.sentence_tags, strict=True)
        for i in range(1, len(words))
    )  # fmt: skip
    return per_100_words(sum(opened), passage)


@signal(unit=_PER_100, source=_BIBER, scope="english")
def be_verb_rate(passage: Passage) -> float:
    """Forms of `to be`, contracted ones included."""
    return word_rate(passage, BE_FORMS)


@signal(unit="share", high=1.0, source=_CRAFT, scope="english")
def as_clause_opening_share(passage: Passage) -> float:
    """Share of sentences that open with `As she ...`, `With a ...`, `Despite the ...` or an -ing form."""
    return mean([_opens_late(words) for words in passage.lower_sentence_words])


def _opens_late(words: Sequence[str]) -> bool:
    first = words[0]
    participle = first.endswith("ing") and first not in load("participle_exceptions")
    return len(words) > 4 and (participle or first in ("as", "with", "despite", "amidst", "amid"))
