"""Identifiers in code and in prose: finding them, cutting them into words, and telling whether a text names one.

A person may write `unbound_dimensions`, `unboundDimensions` or "the unbound dimensions": all three name it. Cutting
identifiers into words follows Enslen et al. 2009 (Mining source code to automatically split identifiers) without its
frequency table: underscores, case changes and digits are the borders.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from agents.signals.lexicons import load

_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_STRING = re.compile(r"\"(?:[^\"\\\n]|\\.){0,500}\"|'(?:[^'\\\n]|\\.){0,500}'")
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[^\n]*$", re.MULTILINE)
_TICKED = re.compile(r"`([^`\n]{1,200})`")
_CODE_TOKEN = re.compile(
    r"(?<![\w$/@-])(?:"
    r"[A-Za-z_$][\w$]{0,80}(?:(?:\.|::|->)[A-Za-z_$][\w$]{0,80}){0,6}\([^()\n]{0,80}\)"  # a call
    r"|[A-Za-z_$][\w$]{0,80}(?:::|->)[A-Za-z_$][\w$]*"
    r"|[A-Za-z][A-Za-z0-9$]{0,80}_[\w$]*|_{1,3}[A-Za-z]\w*"  # snake_case, _private
    r"|[a-z]{1,80}[0-9]{0,9}[A-Z][\w$]*|[A-Z][a-z0-9]{1,80}[A-Z][\w$]*"  # camelCase, PascalCase
    r"|(?!(?:e\.g|i\.e|a\.k|w\.r)\b)[a-z_$][\w$]{0,80}\.[a-z_$][\w$]{0,80}(?:\.[A-Za-z_$][\w$]{0,80}){0,6}"  # a.b
    r"|@[A-Za-z]\w{1,80}(?:\.\w{1,80}){0,6}"
    r")"
)

_KEYWORDS = """
abstract and as assert async await auto bool boolean break byte case catch char class const continue def default del
delete do double elif else enum except export extends extern false final finally float fn for from func function global
go goto if impl implements import in include instanceof int interface is lambda let long loop match mod mut namespace
new nil none not null nullptr or override package pass print private protected pub public raise range return self short
signed sizeof static str string struct super switch template this throw throws trait true try type typedef typeof
undefined union unsafe unsigned use using var virtual void volatile where while with yield cls args kwargs
"""
KEYWORDS = frozenset(_KEYWORDS.split())
"""Words that stand in code without naming anything of its own (lower case), over the languages that are parsed."""


def identifiers(code: Iterable[str]) -> list[str]:
    """The distinct identifiers in lines of code, in order; no keywords, no single letters, none inside strings.

    Comments are read too: what they say is as much a part of the change.
    """
    names: dict[str, None] = {}
    for line in code:
        for name in _NAME.findall(_STRING.sub(" ", line)):
            if len(name.strip("_$")) > 1 and name.lower() not in KEYWORDS:
                names[name] = None
    return list(names)


@lru_cache(maxsize=20_000)
def parts(name: str) -> tuple[str, ...]:
    """The words of an identifier, lower case: `parseHTTPReply_v2` gives parse, http, reply, v, 2."""
    return tuple(part.lower() for part in _PART.findall(name))


def spelled(line: str) -> str:
    """A line of code as words, for an embedding: identifiers cut into words, punctuation left out, strings kept."""
    return " ".join(part.lower() for part in _PART.findall(line))


def code_tokens(text: str) -> list[str]:
    """Code-like tokens of a text, repeats included: calls, snake_case, camelCase, dotted.names, backticked spans."""
    prose = _FENCE.sub(" ", text)
    ticked = [inside.strip() for inside in _TICKED.findall(prose) if inside.strip()]
    return ticked + _CODE_TOKEN.findall(_TICKED.sub(" ", prose))


class Mentions:
    """Looks up whether a text names identifiers.

    Args:
        text: the text, prose or code.
    """

    def __init__(self, text: str) -> None:
        self._exact = set(_NAME.findall(text))
        self._marked = {name for token in code_tokens(text) for name in _NAME.findall(token)}
        self._stems = " " + " ".join(stem(part.lower()) for part in _PART.findall(text)) + " "

    def names(self, identifier: str) -> bool:
        """Whether the text names `identifier`.

        One of several words counts as written or as those words in a row, in any case and number. One of a single
        word counts as written, case and all, unless it is an English function word that is not marked as code.
        """
        words = parts(identifier)
        if identifier in self._marked:
            return True
        if len(words) > 1:
            return identifier in self._exact or f" {' '.join(map(stem, words))} " in self._stems
        return identifier in self._exact and identifier.lower() not in load("stop_words")


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """A lower-case word without its plural or verbal s: enough for `dimensions` to meet `dimension`."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
