"""A text being measured, with the pieces that many signals share, each cut once."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property

from agents.signals.code_source import share_of_code
from agents.signals.fences import read_fences
from agents.signals.language import looks_english
from agents.signals.lexicons import load
from agents.signals.segmentation import URL, cut_paragraphs, cut_sentences, cut_words
from agents.signals.tags import tag_sentence

LIMIT = 100_000
"""Characters measured; a longer text is measured by its first LIMIT characters (documented in docs/signals.md)."""

_HEAD = 20_000
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Passage:
    """A text and the prompt it answers (empty if none)."""

    full_text: str
    prompt: str = ""

    @cached_property
    def text(self) -> str:
        """The part that is measured: the first LIMIT characters, NUL removed, lone surrogates made U+FFFD."""
        text = self.full_text[:LIMIT].replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")
        return _SURROGATE.sub("\ufffd", text)

    @cached_property
    def hash(self) -> str:
        """Content hash (16 hex digits) of prompt and text."""
        seen = f"{len(self.prompt)}:{self.prompt}{self.full_text}".encode("utf-8", "surrogatepass")
        return hashlib.sha256(seen).hexdigest()[:16]

    @cached_property
    def prose(self) -> str:
        """The text without fenced code blocks and URLs; the whole text if nothing else has letters in it."""
        text = self.text
        if "```" in text or "~~~" in text:
            text = "\n".join(read_fences(text).outside)
        if "://" in text or "www." in text:
            text = URL.sub(" ", text)
        return text if any(map(str.isalnum, text)) else self.text

    @cached_property
    def words(self) -> list[str]:
        """Words of `prose`, as written. `don't` and `well-known` are one word each; unspaced scripts are segmented."""
        return cut_words(self.prose)

    @cached_property
    def lower_words(self) -> list[str]:
        """`words` in lower case with straight apostrophes."""
        return _lower(self.words)

    @cached_property
    def content_words(self) -> list[str]:
        """`lower_words` without English function words."""
        stop = load("stop_words")
        return [word for word in self.lower_words if word not in stop]

    @cached_property
    def sentences(self) -> list[str]:
        """Sentences of `prose`, stripped; each holds a letter or digit. A bullet or a heading is a sentence."""
        return cut_sentences(self.prose)

    @cached_property
    def sentence_words(self) -> list[list[str]]:
        """Words of each sentence, as written; sentences without words are left out."""
        return [words for sentence in self.sentences if (words := cut_words(sentence))]

    @cached_property
    def lower_sentence_words(self) -> list[list[str]]:
        """`sentence_words` in lower case with straight apostrophes."""
        return [_lower(words) for words in self.sentence_words]

    @cached_property
    def sentence_tags(self) -> list[list[str]]:
        """Penn Treebank tags of `sentence_words`; English only (see `agents.signals.tags`)."""
        return [tag_sentence(words) for words in self.sentence_words]

    @cached_property
    def paragraphs(self) -> list[str]:
        """Paragraphs of `prose`, stripped, none empty."""
        return cut_paragraphs(self.prose)

    @cached_property
    def lines(self) -> list[str]:
        """Lines of `text` that are not blank, as written."""
        return [line for line in self.text.split("\n") if line.strip()]

    @cached_property
    def is_english(self) -> bool:
        """Whether the prose is English; a short Latin-script text is, unless its words say otherwise."""
        return looks_english(self.prose, self.lower_words)

    @cached_property
    def has_case(self) -> bool:
        """Whether at least half of the letters belong to a script with upper and lower case."""
        letters = [c for c in self.prose[:5000] if c.isalpha()]
        return bool(letters) and 2 * sum(c.islower() or c.isupper() for c in letters) >= len(letters)

    @cached_property
    def looks_like_code(self) -> bool:
        """Whether the text holds code: a fenced block, or 30 % of its lines, and two or all of them, read like code."""
        head = self.text[:_HEAD]
        if read_fences(head).blocks:
            return True
        share, lines = share_of_code(head), sum(bool(line.strip()) for line in head.split("\n"))
        return share >= 0.3 and round(share * lines) >= min(2, lines)

    @cached_property
    def prompt_passage(self) -> Passage:
        """The prompt as a passage of its own (empty if there is none)."""
        return Passage(self.prompt)

    def in_scope(self, scope: str) -> bool:
        """Whether signals of `scope` (see `agents.signals.signal.Scope`) apply. Raises ValueError if unknown."""
        match scope:
            case "any":
                return True
            case "english":
                return self.is_english
            case "cased":
                return self.has_case
            case "code":
                return self.looks_like_code
            case "prompt":
                return bool(self.prompt.strip())
        raise ValueError(f"scope {scope!r} is unknown; use any, english, cased, code or prompt")


def _lower(words: list[str]) -> list[str]:
    return [word.lower().replace("\u2019", "'").replace("\u02bc", "'") for word in words]
