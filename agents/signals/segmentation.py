"""Cutting a text into words, sentences and paragraphs, in any script, so that every signal cuts alike."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import regex  # type: ignore[import-untyped]  # ships no types

from agents.signals.lexicons import load

_SPACELESS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\u30fc\u3005"
_JOINER = r"['\u2019\u02bc\-\u2010\u2011]"
_LETTERS = rf"(?:(?![{_SPACELESS}])[\p{{L}}\p{{M}}\p{{N}}])+"
_WORD = regex.compile(rf"(?P<unspaced>[{_SPACELESS}]+)|{_LETTERS}(?:{_JOINER}{_LETTERS}|(?<=\d)[.,]\d+)*")
_ASCII_WORD = re.compile(r"[A-Za-z0-9]+(?:['\-][A-Za-z0-9]+|(?<=[0-9])[.,][0-9]+)*")
_KANA, _HANGUL = regex.compile(r"[\p{Hiragana}\p{Katakana}]"), regex.compile(r"\p{Hangul}")

FULL_STOPS = "\u3002\uff01\uff1f\uff61\u061f\u06d4\u0964"
"""Marks that always end a sentence: the Chinese and Japanese, Arabic, Urdu and Devanagari ones."""
CLOSERS = "\"'\u201d\u2019\u00bb)\\]*_\u300d\u300f\uff09"
"""Quotes, brackets and markup that may follow the end of a sentence (ready for a character class)."""

URL = re.compile(r"(?:https?://|www\.)[^\s<>\"')\]]+", re.IGNORECASE)

_BULLET = re.compile(r"\s*(?:[-*+#|>\u2022\u00b7\u2013\u2014]|\d{1,3}[.)]\s|\(?[a-zA-Z0-9]\)\s)")
_END = re.compile(
    rf"[{FULL_STOPS}]+[{CLOSERS}]*"
    rf"|(?<![.!?\u2026])[.!?\u2026]++[{CLOSERS}]*+(?=\s)"
    r"|(?<=[a-z]{2})[.!?]++(?=[A-Z][a-z]*[ '\u2019])"
)
_LAST_TOKEN = re.compile(r"[^\s(\[\"\u201c\u2018]+$")
TERMINAL = re.compile(rf"[.!?\u2026{FULL_STOPS}][{CLOSERS}]*\s*$")
_LINE_CLOSED = re.compile(rf"[.!?:;\u2026{FULL_STOPS}][{CLOSERS}]*\s*$")


def cut_words(text: str) -> list[str]:
    """Words in order, as written. Chinese, Japanese and Korean are segmented by wordfreq (jieba, MeCab)."""
    if text.isascii():
        return _ASCII_WORD.findall(text)
    words: list[str] = []
    unspaced = "ja" if _KANA.search(text) else "zh"
    for match in _WORD.finditer(text):
        if match["unspaced"]:
            words += _segment(match[0], "ko" if _HANGUL.match(match[0]) else unspaced)
        else:
            words.append(match[0])
    return words


def _segment(run: str, language: str) -> list[str]:
    if len(run) == 1:
        return [run]
    _quiet_jieba()
    from wordfreq.tokens import tokenize

    return tokenize(run, language)


@cache
def _quiet_jieba() -> None:
    """Give wordfreq a jieba dictionary read here: jieba's own start-up writes a cache to /tmp and prints to stderr."""
    import jieba  # type: ignore[import-untyped]  # ships no types
    from wordfreq import chinese

    tokenizer: Any = jieba.Tokenizer(dictionary=str(chinese.DICT_FILENAME))
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    chinese.jieba_tokenizer = tokenizer


def cut_paragraphs(text: str) -> list[str]:
    """Paragraphs: parted by blank lines or, if there are none, by line ends when every line ends a sentence."""
    blocks = [block.strip() for block in re.split(r"\n[ \t\r]*\n", text) if block.strip()]
    if len(blocks) != 1:
        return blocks
    lines = [line.strip() for line in blocks[0].split("\n") if line.strip()]
    return lines if all(TERMINAL.search(line) for line in lines) else blocks


def cut_sentences(text: str) -> list[str]:
    """Sentences in order. A line end closes one unless the next line plainly carries on (hard-wrapped text)."""
    return [sentence for block in _join_wrapped(text) for sentence in _split_block(block)]


def _join_wrapped(text: str) -> list[str]:
    blocks: list[str] = []
    last = ""
    for line in text.splitlines():
        carries_on = len(last) >= 50 and line[:1].islower() and not _LINE_CLOSED.search(last)
        if carries_on and not _BULLET.match(line):
            blocks[-1] += " " + line
        elif line.strip():
            blocks.append(line)
        last = line.strip()
    return blocks


def _split_block(block: str) -> list[str]:
    sentences, start = [], 0
    for match in _END.finditer(block):
        if _closes(block, start, match):
            sentences.append(block[start : match.end()].strip())
            start = match.end()
    sentences.append(block[start:].strip())
    return [sentence for sentence in sentences if any(map(str.isalnum, sentence))]


def _closes(block: str, start: int, match: re.Match[str]) -> bool:
    mark, rest = match[0], block[match.end() : match.end() + 40].lstrip()
    if mark[0] in FULL_STOPS or not rest:
        return True
    quoted = len(mark) > 1 and mark[-1] in CLOSERS
    if rest[0].islower() and (quoted or mark.startswith(("..", "\u2026"))):
        return False
    return mark[0] != "." or not _abbreviates(block, start, match.start(), rest[0].islower())


def _abbreviates(block: str, start: int, stop: int, goes_on: bool) -> bool:
    token = _LAST_TOKEN.search(block, max(start, stop - 30), stop)
    if token is None:
        return False
    word = token[0]
    initial = len(word) == 1 and word.isupper() and word != "I"
    number = word.isdigit() and token.start() <= start + 1 and len(word) < 4
    return initial or number or (goes_on and "." in word) or word.lower() in load("abbreviations")
