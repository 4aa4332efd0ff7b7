"""Signs of reasoning and of evidence: connectives by sense, figures, sources, quotations, reasons and comparisons.

Senses of connectives follow the Penn Discourse Treebank 3.0 (Webber et al. 2019); the phrases stand in `connectives`.
"""

from __future__ import annotations

import re

from agents.signals.lexicons import Phrases, phrase_table
from agents.signals.passage import Passage
from agents.signals.rates import per_100_words, phrase_rate
from agents.signals.segmentation import URL
from agents.signals.signal import signal

_PDTB = "Penn Discourse Treebank 3.0, Webber et al. (2019)"
_HYLAND = "Hyland, Metadiscourse (2005), transition and frame markers"
_HABERNAL = "reasons people give in Habernal and Gurevych, What makes a convincing argument? (2016)"
_SENSES = ("causal", "contrast", "example", "conditional", "conclusion", "sequence", "addition")

_NUMBER = re.compile(
    r"\b\d[\d,]*(?:\.\d+)?|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty"
    r"|sixty|seventy|eighty|ninety|hundred|thousand|million|billion|trillion|dozen|half|quarter)s?\b",
    re.IGNORECASE,
)
_STATISTIC = re.compile(
    r"\d\s?(?:%|percent\b|per ?cent\b|times\b|k\b)|[$\u00a3\u20ac\u00a5]\s?\d"
    r"|(?<![\d,.])\d[\d,.]{0,20}\s?(?:hundred|thousand|million"
    r"|billion|trillion|years?|days?|hours?|minutes?|people|men|women|children|kids|students|deaths|miles|km|kg|pounds|dollars"
    r"|degrees|cases|states|countries)\b|\b(?:one|two|three|four|\d+) (?:in|out of) (?:every )?(?:\w+|\d+)\b"
    r"|\b(?:two|three)[- ](?:thirds|quarters|fifths)\b|\b(?:majority|percentage|average) of\b",
    re.IGNORECASE,
)
_CITATION = re.compile(
    r"\[\d{1,3}(?:[,\u2013-]\s?\d{1,3})*\]"
    r"|\((?:[^()]{0,60}\D)?(?:1[5-9]|20)\d\d[a-z]?(?:[^()\d][^()]{0,40})?\)|\bet al\b"
    r"|\b(?:Article|Section|Amendment|Genesis|Exodus|Leviticus|Matthew|Mark|Luke|John|Romans|Corinthians)\s\d+"
)
_QUOTATION = re.compile('["\u201c]([^"\u201c\u201d\n]{8,600})["\u201d]')


def _senses(sense: str) -> Phrases:
    return phrase_table("connectives")[sense]


def _rate(passage: Passage, sense: str) -> float:
    return phrase_rate(passage, _senses(sense))


@signal(unit="per 100 words", source=_PDTB, scope="english")
def causal_rate(passage: Passage) -> float:
    """Words of cause and effect: because, due to, leads to, so that, that's why."""
    return _rate(passage, "causal")


@signal(unit="per 100 words", source=_PDTB, scope="english")
def contrast_rate(passage: Passage) -> float:
    """Words of contrast and concession: but, however, although, on the other hand."""
    return _rate(passage, "contrast")


@signal(unit="per 100 words", source=_PDTB, scope="english")
def example_rate(passage: Passage) -> float:
    """Words that bring an example: for example, such as, for instance, including."""
    return _rate(passage, "example")


@signal(unit="per 100 words", source=_PDTB, scope="english")
def conditional_rate(passage: Passage) -> float:
    """Words of condition: if, unless, provided that, what if."""
    return _rate(passage, "conditional")


@signal(unit="per 100 words", source=_HYLAND, scope="english")
def conclusion_rate(passage: Passage) -> float:
    """Words that draw a conclusion: therefore, thus, this means, in conclusion."""
    return _rate(passage, "conclusion")


@signal(unit="per 100 words", source=_HYLAND, scope="english")
def sequence_rate(passage: Passage) -> float:
    """Words that order points or events: first, second, next, finally, another reason."""
    return _rate(passage, "sequence")


@signal(unit="per 100 words", source=_HYLAND, scope="english")
def addition_rate(passage: Passage) -> float:
    """Words that add a point: also, moreover, in addition, not only."""
    return _rate(passage, "addition")


@signal(unit="per 100 words", source=_PDTB, scope="english")
def connective_rate(passage: Passage) -> float:
    """All of the above together; a word that serves two senses counts twice."""
    return sum(_rate(passage, sense) for sense in _SENSES)


@signal(unit="per 100 words", source="Biber, Variation across speech and writing (1988)")
def number_rate(passage: Passage) -> float:
    """Numbers, in figures or English words from two upwards."""
    return per_100_words(len(_NUMBER.findall(passage.prose)), passage)


@signal(unit="per 100 words", source="this project", scope="any")
def statistic_rate(passage: Passage) -> float:
    """Percentages, money, and numbers with a unit or a population (12 years, two out of three, 300 people)."""
    return per_100_words(len(_STATISTIC.findall(passage.prose)), passage)


@signal(unit="per 100 words", source="evidentials of Hyland, Metadiscourse (2005)")
def citation_rate(passage: Passage) -> float:
    """References to a source: [1], (Smith 2019), et al., according to, Article 5, a dictionary, a newspaper."""
    named = _senses("citation").count(passage.lower_words)
    return per_100_words(named + len(_CITATION.findall(passage.prose)), passage)


@signal(unit="links", source="this project")
def url_count(passage: Passage) -> float:
    """Web addresses in the text."""
    text = passage.text
    return float(len(URL.findall(text))) if "://" in text or "www." in text.lower() else 0.0


@signal(unit="per 100 words", source="this project")
def quotation_rate(passage: Passage) -> float:
    """Quotations of three words or more in double quotes."""
    quotes = _QUOTATION.findall(passage.prose)
    return per_100_words(sum(len(quote.split()) >= 3 for quote in quotes), passage)


@signal(unit="per 100 words", source="this project", scope="english")
def study_rate(passage: Passage) -> float:
    """Appeals to research and authority: studies, survey, statistics, researchers, proven, according to."""
    return _rate(passage, "study")


@signal(unit="reasons", source=_HABERNAL, scope="english")
def reason_count(passage: Passage) -> float:
    """Different reason-giving clauses: a marker (because, another point, leads to) with two or more words after it."""
    reasons = set()
    for words in passage.lower_sentence_words:
        for _, end in _senses("reason").spans(words):
            if len(words) - end >= 2:
                reasons.add(tuple(words[end : end + 3]))
    return float(len(reasons))


@signal(unit="per 100 words", source="comparison in the Penn Discourse Treebank 3.0 (2019)", scope="english")
def comparison_rate(passage: Passage) -> float:
    """Words that compare: better than, more than, compared to, similar to, unlike, best."""
    return _rate(passage, "comparison")


@signal(unit="sentences", source=_HABERNAL, scope="english")
def developed_sentence_count(passage: Passage) -> float:
    """Sentences of eight words or more that hold a connective: points that are made and carried on."""
    return float(sum(_is_developed(words) for words in passage.lower_sentence_words))


def _is_developed(words: list[str]) -> bool:
    return len(words) >= 8 and any(_senses(sense).count(words) for sense in _SENSES)
