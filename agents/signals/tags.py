"""Part-of-speech tags from Brill's lexicon and a few context rules: rough, fast and free of downloads.

A trained tagger is some percent better and a hundred times slower; the signals need rates, not parses.
Tags are those of the Penn Treebank (NN, NNS, NNP, VB, VBD, VBG, VBN, VBP, VBZ, JJ, RB, PRP, PRP$, DT, IN, TO, MD ...).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache

from agents.signals.lexicons import packaged

_SUFFIXES = (
    ("ly", "RB"), ("ing", "VBG"), ("ed", "VBD"), ("ous", "JJ"), ("ful", "JJ"), ("less", "JJ"), ("ish", "JJ"),
    ("ive", "JJ"), ("able", "JJ"), ("ible", "JJ"), ("ical", "JJ"), ("ic", "JJ"), ("ary", "JJ"), ("ss", "NN"),
    ("us", "NN"), ("is", "NN"), ("s", "NNS"),
)  # fmt: skip
_CONTRACTED = {"'s": "PRP", "'m": "PRP", "'re": "PRP", "'ve": "PRP", "'ll": "PRP", "'d": "PRP", "n't": "MD"}
_PRONOUNS = frozenset(["i", "you", "he", "she", "it", "we", "they", "that", "who", "there", "what", "let", "here"])
_OVERRIDES = {
    "her": "PRP$", "his": "PRP$", "like": "IN", "as": "IN", "that": "IN", "no": "DT", "all": "DT", "can": "MD",
    "not": "RB", "felt": "VBD", "left": "VBD", "found": "VBD", "thought": "VBD", "read": "VB", "saw": "VBD", "i": "PRP",
    "it": "PRP", "me": "PRP", "us": "PRP", "am": "VBP", "are": "VBP", "is": "VBZ", "was": "VBD", "were": "VBD",
    "be": "VB", "been": "VBN", "being": "VBG", "have": "VBP", "has": "VBZ", "had": "VBD", "do": "VBP", "does": "VBZ",
    "did": "VBD", "to": "TO", "and": "CC", "or": "CC", "but": "CC", "nor": "CC", "a": "DT", "an": "DT", "the": "DT",
    "this": "DT", "these": "DT", "those": "DT", "so": "RB", "just": "RB", "use": "VB", "add": "VB", "make": "VB",
    "dont": "MD", "doesnt": "MD", "didnt": "MD", "cant": "MD", "wont": "MD", "isnt": "VBZ", "u": "PRP", "im": "PRP",
}  # fmt: skip
_HAVE = frozenset(["have", "has", "had", "having", "'ve", "haven't", "hasn't", "hadn't"])
BE_FORMS = frozenset(
    [
        "am",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "being",
        "isn't",
        "aren't",
        "wasn't",
        "weren't",
        "i'm",
        "you're",
        "we're",
        "they're",
        "it's",
        "he's",
        "she's",
        "that's",
        "there's",
        "isnt",
        "arent",
        "wasnt",
        "werent",
    ]
)
"""Forms of `to be`, contracted ones included."""


@cache
def lexicon() -> dict[str, str]:
    """Lower-case word -> its likeliest tag: Brill's lexicon (1992) as carried by TextBlob; read once, about .1 s."""
    table: dict[str, str] = {}
    with packaged("textblob", "en", "en-lexicon.txt").open(encoding="utf-8") as lines:
        for line in lines:
            word, _, tag = line.strip().partition(" ")
            if tag and not line.startswith(";;;") and (word.islower() or word.lower() not in table):
                table[word.lower()] = tag
    return {**table, **_OVERRIDES}


def tag_sentence(words: Sequence[str]) -> list[str]:
    """Tags of the words of one sentence, in order; `words` as written (case tells names from nouns)."""
    lower = [word.lower().replace("\u2019", "'") for word in words]
    tags = [_base_tag(word) for word in lower]
    for i, word in enumerate(words):
        if i and word[0].isupper() and word != "I" and tags[i][0] in "NJV" and not word.isupper():
            tags[i] = "NNP"
    for i in range(len(tags)):
        tags[i] = _in_context(lower, tags, i)
    return tags


@lru_cache(maxsize=50_000)
def _base_tag(word: str) -> str:
    if tag := lexicon().get(word):
        return tag
    if "'" in word:
        return _contraction(word)
    if word[0].isdigit():
        return "CD"
    if "-" in word:
        return "JJ"
    if word.endswith("s") and (stem := lexicon().get(word[:-1])):
        return {"VB": "VBZ", "VBP": "VBZ", "NN": "NNS"}.get(stem, "NNS")
    return next((tag for suffix, tag in _SUFFIXES if word.endswith(suffix) and len(word) > len(suffix) + 2), "NN")


def _contraction(word: str) -> str:
    stem, _, _ = word.partition("'")
    if word.endswith("'s") and stem not in _PRONOUNS:
        return "NN"
    return next((tag for end, tag in _CONTRACTED.items() if word.endswith(end)), "NN")


def _in_context(words: Sequence[str], tags: Sequence[str], i: int) -> str:
    tag = tags[i]
    before = tags[i - 1] if i else ""
    if tag in ("NN", "VBP", "VB", "JJ"):
        return _base_form(words, tags, i, before)
    if tag in ("VBD", "VBN"):
        return _past_form(words, tags, i, before)
    if tag in ("VBG", "VBZ") and before in ("DT", "PRP$"):
        return "NN" if tag == "VBG" else "NNS"
    return "VBZ" if tag == "NNS" and before == "PRP" and _base_tag(words[i][:-1])[0] == "V" else tag


def _base_form(words: Sequence[str], tags: Sequence[str], i: int, before: str) -> str:
    tag, verbal = tags[i], _verbal(words[i])
    if before in ("DT", "PRP$", "JJ", "CD") and tag in ("VB", "VBP"):
        return "NN"
    if before in ("TO", "MD") and verbal:
        return "VB"
    if before in ("PRP", "NNS") and tag in ("VB", "VBP"):
        return "VBP"
    return "VBP" if before == "PRP" and tag == "NN" and verbal and words[i - 1] in _PRONOUNS else tag


def _past_form(words: Sequence[str], tags: Sequence[str], i: int, before: str) -> str:
    if before in ("DT", "PRP$") and i + 1 < len(tags) and tags[i + 1][0] in "NJ":
        return "JJ"
    recent = words[max(0, i - 3) : i]
    if any(word in _HAVE or word in BE_FORMS for word in recent) and words[i] not in BE_FORMS:
        return "VBN"
    return "VBD" if before in ("PRP", "NNP", "NN", "NNS", "WP", "RB", "CC", "") else tags[i]


@lru_cache(maxsize=20_000)
def _verbal(word: str) -> bool:
    """Whether English also uses `word` as a verb: it is tagged as one, or its -s, -ed or -ing form is."""
    table = lexicon()
    if table.get(word, "NN")[0] == "V":
        return True
    stem = word[:-1] if word.endswith("e") else word
    return any(table.get(form, "")[:1] == "V" for form in (stem + "ed", stem + "ing", stem + stem[-1:] + "ing"))
