"""Spelling, punctuation, capitals and other mechanics: what a careless writer leaves wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from agents.signals.lexicons import load, phrases
from agents.signals.passage import Passage
from agents.signals.rates import mean, per_100_words, phrase_rate, word_rate
from agents.signals.segmentation import CLOSERS, FULL_STOPS
from agents.signals.signal import signal
from agents.signals.spelling import is_misspelt

_PROJECT = "this project"
_CODE_WORD = re.compile(r"`[^`\n]*`|(?<!\S)\S*(?:[a-z][A-Z]|_|\w\(|\w\.\w|[@/\\=<>{}#&;])\S*")
_FIRST_LETTER = re.compile(r"[^\W_]")
_LOWER_I = re.compile(r"(?<![\w.'\u2019&-])i(?=['\u2019](?:m|ve|d|ll)\b|[\s,!?;:]|$)(?!\.e)")
_ENDED = re.compile(rf"[.!?\u2026:{FULL_STOPS}][{CLOSERS}]*\s*$|[:;][-']?[)(DPp]\s*$")
_FAULT = re.compile(
    r"(?<=[\w\"')]) +[,;:.!?](?=\s|$)|(?<=[a-zA-Z]{2}),(?=[a-zA-Z])|(?<=[a-z]{2})[.!?](?=[A-Z][a-z ])"
    r"|(?<=[a-z]{2}[!?;])(?=[a-z])"
    r"|,{2,}|;{2,}|[!?]{2,}|(?<!\.)\.\.(?!\.)|\.{4,}|(?:\. ){2,}\.|[,;]\s*[.!?]|[!?]\s*,|\( | \)"
)
_PUNCTUATION = re.compile(r"[^\w\s]")
_DASH = re.compile(r"\u2014|\u2013|(?<=\s)--?(?=\s)|(?<=\w)--(?=\w)")
_MOJIBAKE = re.compile(
    r"\ufffd|&(?:amp|lt|gt|quot|nbsp|apos|mdash|ndash|rsquo|lsquo|rdquo|ldquo|hellip|#x?[0-9a-fA-F]{2,6});"
    r"|\u00e2\u20ac.?|\u00c3[\u0080-\u00bf]|\u00c2[\u00a0-\u00bf]|\u00ef\u00bb\u00bf|<br ?/?>"
)
_REPEATED = re.compile(r"\b(?!www\b|\d|x+\b|i+\b|[mdclxvi]+\b)\w*?([^\W\d])\1\1+\w*\b", re.IGNORECASE)
_DRAWN_OUT = re.compile(r"(\w{1,4}?)\1{3,}")


@signal(unit="per 100 words", source="Norvig, How to write a spelling corrector (2007); Speer (2022)", scope="english")
def misspelling_rate(passage: Passage) -> float:
    """Misspelt words; names, words in capitals, code and words with a missing apostrophe are left out."""
    return per_100_words(sum(is_misspelt(word) for word in _spelt(passage)), passage)


def _spelt(passage: Passage) -> Iterator[str]:
    coded = set(re.findall(r"[^\W\d_]+", " ".join(match[0] for match in _CODE_WORD.finditer(passage.prose))))
    known = load("stop_words") | load("missing_apostrophes") | load("slang")
    for words in passage.sentence_words:
        for place, word in enumerate(words):
            lower = word.lower()
            if lower not in known and (word.islower() or (place == 0 and word.istitle())) and word not in coded:
                yield lower


@signal(unit="per 100 words", source=_PROJECT, scope="english")
def missing_apostrophe_rate(passage: Passage) -> float:
    """Contractions written without their apostrophe: dont, thats, im."""
    return word_rate(passage, load("missing_apostrophes"))


@signal(unit="per 100 words", source="Fowler (1926) and later usage guides; list `confusions`", scope="english")
def confused_word_rate(passage: Passage) -> float:
    """Words taken for one another or out of agreement: better then, could of, your wrong, its a."""
    return phrase_rate(passage, phrases("confusions"))


@signal(unit="share", high=1.0, source=_PROJECT, scope="cased")
def lowercase_sentence_share(passage: Passage) -> float:
    """Share of sentences whose first letter is small."""
    firsts = (_FIRST_LETTER.search(sentence) for sentence in passage.sentences)
    return mean([first is not None and first[0].islower() for first in firsts])


@signal(unit="per 100 words", source=_PROJECT, scope="english")
def lowercase_i_rate(passage: Passage) -> float:
    """The pronoun I written small."""
    return per_100_words(len(_LOWER_I.findall(passage.prose)), passage)


@signal(unit="share", high=1.0, source=_PROJECT)
def missing_terminal_share(passage: Passage) -> float:
    """Share of paragraphs that do not end with a full stop, question mark, exclamation mark, colon or smiley."""
    return mean([not _ENDED.search(paragraph[-12:]) for paragraph in passage.paragraphs])


@signal(unit="per 100 words", source=_PROJECT)
def punctuation_fault_rate(passage: Passage) -> float:
    """Space before a mark, none after it, doubled marks (!!, ??, ,,), two dots, marks that clash."""
    return per_100_words(len(_FAULT.findall(passage.prose)), passage)


@signal(unit="per 100 words", source=_PROJECT)
def punctuation_rate(passage: Passage) -> float:
    """Punctuation marks and symbols of any kind."""
    return per_100_words(len(_PUNCTUATION.findall(passage.prose)), passage)


@signal(unit="per 100 words", source=_PROJECT)
def comma_rate(passage: Passage) -> float:
    """Commas, the Chinese, Japanese and Arabic ones included."""
    return per_100_words(sum(map(passage.prose.count, ",\uff0c\u3001\u060c")), passage)


@signal(unit="per 100 words", source=_PROJECT)
def semicolon_rate(passage: Passage) -> float:
    """Semicolons, less those of character entities."""
    prose = passage.prose
    entities = sum(match[0].endswith(";") for match in _MOJIBAKE.finditer(prose))
    return per_100_words(prose.count(";") + prose.count("\uff1b") - entities, passage)


@signal(unit="per 100 words", source="Reinhart et al., Do LLMs write like humans? (2025)")
def dash_rate(passage: Passage) -> float:
    """Dashes between words (not hyphens): em and en dashes, spaced or doubled hyphens."""
    return per_100_words(len(_DASH.findall(passage.prose)), passage)


@signal(unit="per 100 words", source="damage that ftfy mends (Speer 2019)")
def mojibake_rate(passage: Passage) -> float:
    """Broken characters: replacement marks, character entities, <br>, UTF-8 read as Latin-1."""
    return per_100_words(len(_MOJIBAKE.findall(passage.text)), passage)


@signal(unit="per 100 words", source="Brody and Diakopoulos, Cooooooolll (2011)")
def repeated_letter_rate(passage: Passage) -> float:
    """Words drawn out by a letter three or more times (soooo) or a syllable four or more times (lolololol)."""
    drawn = sum(bool(_DRAWN_OUT.search(word)) for word in passage.lower_words if len(word) > 7 and word.isalpha())
    return per_100_words(drawn + len(_REPEATED.findall(passage.prose)), passage)


@signal(unit="share", high=1.0, source="plain-language guides, e.g. ISO 24495-1 (2023)")
def run_on_share(passage: Passage) -> float:
    """Share of sentences longer than 45 words."""
    return mean([len(words) > 45 for words in passage.sentence_words])


@signal(unit="per 100 words", source=_PROJECT)
def doubled_word_rate(passage: Passage) -> float:
    """The same word twice in a row inside a sentence, less `that that` and `had had`."""
    doubles = (one for words in passage.lower_sentence_words for one, two in pairwise(words) if one == two)
    return per_100_words(sum(one.isalpha() and one not in ("that", "had") for one in doubles), passage)
