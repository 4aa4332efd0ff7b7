"""What an answer says of two texts: `a`, `b` or `tie`, however the tool and its users spelt it.

An answer is read by the names of the two texts first (`response_2` where the second text is called so), then by words
that mean a side or a tie. What is not plain is not guessed: the user says what it means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from agents.pairs import Preference
from services.datasets.faults import shown

_SEPARATORS = re.compile(r"[\W_]+")
_ENDING = re.compile(r"^(?P<stem>.*?)(?P<end>\d+|left|right|first|second|(?:(?<=[_\W])|^)[a-z])$")
_THING = (
    r"(?:text|response|answer|reply|completion|option|output|model|candidate|generation|summary|assistant|version)?"
)
_SIDE = re.compile(
    rf"^(?:the)?{_THING}(?P<side>a|b|1|2|left|right|first|second|one|two){_THING}(?:is)?(?:better|best|wins)?$"
)
_SIDES: dict[str, Preference] = {
    "a": "a", "left": "a", "first": "a", "one": "a", "1": "a",
    "b": "b", "right": "b", "second": "b", "two": "b", "2": "b",
}  # fmt: skip
_TIE_WORDS = """
tie tied equal equals equally equallygood equallybad same thesame aboutthesame similar draw both bothgood bothbad
tiebothbad neither nopreference nodifference eithergood
"""
_TIES = frozenset(_TIE_WORDS.split())


@dataclass(frozen=True)
class Reader:
    """Reads answers about two texts.

    Attributes:
        a, b: the names of the two texts in the export.
        meanings: answer -> what the user says it means; comes before everything else.
    """

    a: str
    b: str
    meanings: Mapping[str, Preference] = field(default_factory=dict)

    def preference(self, value: object) -> Preference | None:
        """What an answer says; None if that is not plain.

        Args:
            value: a label, a number, a ranking (names in order, or objects with `value` and `rank`).
        """
        if isinstance(value, list):
            return self._ranked(value)
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            return None
        text = str(value).strip()
        if text in self.meanings:
            return self.meanings[text]
        return self._named(text) if isinstance(value, str) else None

    def _named(self, text: str) -> Preference | None:
        plain = squeezed(text)
        names: dict[str, Preference] = {squeezed(self.a): "a", squeezed(self.b): "b"}
        if plain in names:
            return names[plain]
        if plain in _TIES:
            return "tie"
        side = _SIDE.match(plain)
        return self._sided(side["side"]) if side else None

    def _sided(self, side: str) -> Preference | None:
        """A side in words; a digit means the text whose name ends in it, where the names end in digits."""
        ends: dict[str, Preference] = {ending(self.a)[1]: "a", ending(self.b)[1]: "b"}
        if side in ends:
            return ends[side]
        numbered = any(end.isdigit() for end in ends)
        return None if side.isdigit() and numbered else _SIDES[side]

    def _ranked(self, ranking: list[object]) -> Preference | None:
        """The text that stands first, or has the lower rank, of the two; other texts in the ranking do not matter."""
        ranks: dict[Preference, float] = {}
        for place, entry in enumerate(ranking):
            name, rank = (entry.get("value"), entry.get("rank")) if isinstance(entry, dict) else (entry, place)
            said = self.preference(name) if isinstance(name, str) else None
            if said not in ("a", "b") or said in ranks or not isinstance(rank, (int, float)):
                continue
            ranks[said] = rank
        return higher(-ranks["a"], -ranks["b"]) if len(ranks) == 2 else None


def higher(a: float, b: float) -> Preference:
    """The side with the higher number."""
    return "a" if a > b else "b" if b > a else "tie"


def squeezed(name: str) -> str:
    """A name without case, spaces and punctuation."""
    return _SEPARATORS.sub("", name.casefold())


def ending(name: str) -> tuple[str, str]:
    """A name's stem and what tells it from its neighbour, as (`response`, `1`) for `response_1`, or empty."""
    found = _ENDING.match(name.casefold())
    return (squeezed(found["stem"]), found["end"]) if found else (squeezed(name), "")


def listed(values: list[object], most: int = 6) -> str:
    """Distinct answers as a message shows them."""
    distinct = list(dict.fromkeys(map(shown, values)))
    more = ", ..." if len(distinct) > most else ""
    return ", ".join(distinct[:most]) + more
