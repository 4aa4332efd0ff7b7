"""Habits of literary prose, and those that tell machine prose from people's.

The measures follow what professional writers mend in machine drafts (Chakrabarty, Laban and Wu, Can AI writing be
salvaged?, 2025: cliche, unnecessary exposition, purple prose, lack of specificity, awkward word choice) and the words
that models over-use (Kobak et al. 2025; Liang et al. 2024; Reinhart et al. 2025).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from agents.signals.lexicons import load, phrase_table, phrases, zipf
from agents.signals.passage import Passage
from agents.signals.prose_lists import concrete_nouns, strong_verbs
from agents.signals.rates import per_100_words, phrase_rate, share, word_rate
from agents.signals.signal import signal

_BIBER = "Biber, Variation across speech and writing (1988)"
_LAMP = "Chakrabarty et al., Can AI writing be salvaged? (2025)"
_REINHART = "Reinhart et al., Do LLMs write like humans? (2025)"
_CRAFT = "Browne and King, Self-editing for fiction writers (2004)"
_PER_100 = "per 100 words"

_SIMILE = re.compile(
    r"\b(?:like (?:an?|the|his|her|my|their|some|so many|\w+s in|\w+ing)\b|as (?:if|though)\b|as \w+ as (?:an?|the)\b)",
    re.IGNORECASE,
)
_SPEECH = re.compile('["\u201c][^"\u201c\u201d\n]{2,800}["\u201d]|(?<!\\w)\u2018[^\u2018\n]{2,800}?[,.!?]\u2019')
_CONTRAST = re.compile(
    r"\bnot (?:just|only|merely|simply)\b|\bmore than just\b"
    r"|\b(?:is|was|were|are)n['\u2019]t (?:just|only|merely|simply)\b"
    r"|\bnot (?:[\w'\u2019]+ ){1,6}but (?:an?|the|with|in|of|for|by|as|something)\b"
    r"|\bless (?:an? |of )?\w+,? (?:and )?more\b"
    r"|(?:n['\u2019]t|\bnot) (?:[\w'\u2019]+ ){0,6}[\w'\u2019]+ ?[,;.\u2014-]+ ?"
    r"(?:it|they|he|she|this)(?: is| was| were|['\u2019]s)\b",
    re.IGNORECASE,
)


def _listed(passage: Passage, kind: str) -> float:
    return phrase_rate(passage, phrase_table("markers")[kind])


def _tagged(passage: Passage) -> Iterator[tuple[str, str]]:
    for words, tags in zip(passage.lower_sentence_words, passage.sentence_tags, strict=True):
        yield from zip(words, tags, strict=True)


@signal(unit=_PER_100, source="Orwell, Politics and the English language (1946); list `cliches`", scope="english")
def cliche_rate(passage: Passage) -> float:
    """Worn-out phrases: heart skipped a beat, calm before the storm, time stood still."""
    return phrase_rate(passage, phrases("cliches"))


@signal(unit=_PER_100, source="Kobak et al. (2025); Liang et al. (2024); Reinhart et al. (2025)", scope="english")
def machine_phrase_rate(passage: Passage) -> float:
    """Words and phrases that language models over-use: tapestry, testament to, a mix of, hung in the air."""
    return phrase_rate(passage, phrases("machine_phrases"))


@signal(unit=_PER_100, source=_LAMP, scope="english")
def simile_rate(passage: Passage) -> float:
    """Similes: like a, as if, as though, as ... as a."""
    return per_100_words(len(_SIMILE.findall(passage.prose)), passage)


@signal(unit="share", high=1.0, source="this project", scope="any")
def dialogue_share(passage: Passage) -> float:
    """Share of characters inside quotation marks."""
    quoted = sum(len(speech) for speech in _SPEECH.findall(passage.prose))
    return min(1.0, share(quoted, len(passage.prose.strip()))) if passage.words else math.nan


@signal(unit=_PER_100, source="Gardner, The art of fiction (1983)", scope="english")
def filter_word_rate(passage: Passage) -> float:
    """Verbs that put a perceiver in between: felt, noticed, seemed, realised."""
    return word_rate(passage, load("filter_verbs"))


@signal(unit="per 100 words of the last sentence", source=_LAMP + ", unnecessary exposition", scope="english")
def abstract_ending(passage: Passage) -> float:
    """Abstract nouns and machine phrases in the last sentence, per 100 of its words."""
    last = passage.lower_sentence_words[-1] if passage.sentence_words else []
    hits = sum(word in load("abstract_nouns") for word in last) + phrases("machine_phrases").count(last)
    return share(100.0 * hits, len(last))


@signal(unit=_PER_100, source="Brysbaert et al., Concreteness ratings (2014); list `concrete_nouns`", scope="english")
def concrete_noun_rate(passage: Passage) -> float:
    """Everyday nouns for things that can be seen and touched."""
    return word_rate(passage, concrete_nouns())


@signal(unit=_PER_100, source=_LAMP + ", lack of specificity", scope="english")
def specific_noun_rate(passage: Passage) -> float:
    """Nouns of the concrete list that are rare enough to be a choice (Zipf frequency below 4.2), and names."""
    concrete = concrete_nouns()
    chosen = sum(word in concrete and zipf(word) < 4.2 for word in passage.lower_words)
    names = sum(tag == "NNP" for tags in passage.sentence_tags for tag in tags)
    return per_100_words(chosen + names, passage)


@signal(unit=_PER_100, source=_LAMP + "; " + _CRAFT, scope="english")
def body_language_rate(passage: Passage) -> float:
    """Stock gestures and reactions: took a deep breath, jaw clenched, eyes widened, nodded."""
    return phrase_rate(passage, phrases("body_language"))


@signal(unit=_PER_100, source=_BIBER + ", amplifiers", scope="english")
def intensifier_rate(passage: Passage) -> float:
    """Adverbs of degree: very, deeply, incredibly, almost."""
    return _listed(passage, "intensifier")


@signal(unit=_PER_100, source=_LAMP + ", lack of specificity", scope="english")
def vague_word_rate(passage: Passage) -> float:
    """Words that name nothing in particular: something, somehow, things, various, kind of."""
    return _listed(passage, "vague")


@signal(
    unit=_PER_100, source="Levin, English verb classes and alternations (1993); list `strong_verbs`", scope="english"
)
def verb_strength_rate(passage: Passage) -> float:
    """Verbs for one definite movement, handling or way of speaking: trudge, yank, mutter."""
    strong = strong_verbs()
    return per_100_words(sum(tag[0] == "V" and word in strong for word, tag in _tagged(passage)), passage)


@signal(unit=_PER_100, source=_LAMP + ", unnecessary exposition", scope="english")
def expository_rate(passage: Passage) -> float:
    """Phrases that explain what a scene means: a sense of, as if to, a reminder that, she realised."""
    return phrase_rate(passage, phrases("exposition"))


@signal(unit=_PER_100, source=_LAMP + ", purple prose", scope="english")
def feeling_of_rate(passage: Passage) -> float:
    """Feelings as things: `a wave of grief`, `the weight of years`, `a flicker of doubt`."""
    named = load("abstract_nouns") | load("emotions")
    return per_100_words(sum(_feelings_of(words, named) for words in passage.lower_sentence_words), passage)


def _feelings_of(words: Sequence[str], named: frozenset[str]) -> int:
    things = load("of_feeling")
    places = (i for i in range(1, len(words) - 1) if words[i] == "of")
    return sum(words[i - 1] in things or words[i + 1] in named for i in places)


@signal(unit=_PER_100, source=_REINHART + "; " + _LAMP, scope="english")
def negated_contrast_rate(passage: Passage) -> float:
    """The turn `not just x but y`, `it wasn't x, it was y`, `less a x, more a y`."""
    return per_100_words(len(_CONTRAST.findall(passage.prose)), passage)
