"""A model's reasoning made fit to be kept and shown: short, printable, and about the pair's own a and b."""

from __future__ import annotations

import re

from agents.judgments import Order

LONGEST = 600

UNFIT = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff\ufff9-\uffff]"
)
"""Control characters, those that turn or hide text, and lone surrogates: unfit for databases, terminals and pages."""

LABEL = re.compile(r"((?i:\b(?:text|texts|version|answer|response)\s+)|文本\s*)([AB])(?![A-Za-z])")
"""A letter that names a text, with the word that says so."""

BARE = re.compile(r"(?<![A-Za-z])(?:B|A(?! [a-z]))(?![A-Za-z])")
"""A letter that may stand for a text; `A` before a word is more often the article."""

SHOWN_TURNED = {"en": "[A and B as shown: b came first] ", "zh": "[按展示顺序称 A、B：b 在前] "}


def tidy(reasoning: str, order: Order = "ab", language: str = "en") -> str:
    """At most 600 characters on one line, in which text A is the pair's a.

    Models are told to write `text A` for the text shown first; where that is b, the letters change places. If a letter
    is left that may stand for a text as shown, a note in front says how to read it.
    """
    plain = " ".join(UNFIT.sub("", reasoning[: 10 * LONGEST]).split())
    return shorten(plain if order == "ab" else _turned(plain, language))


def _turned(text: str, language: str) -> str:
    if BARE.search(LABEL.sub("", text)):
        return SHOWN_TURNED.get(language, SHOWN_TURNED["en"]) + text
    return LABEL.sub(_other, text)


def _other(label: re.Match[str]) -> str:
    return label[1] + ("B" if label[2] == "A" else "A")


def shorten(text: str, most: int = LONGEST) -> str:
    """`text`, or as much of it as leaves room for the three dots that end it."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
