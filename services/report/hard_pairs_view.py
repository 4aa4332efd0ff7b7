"""The pairs on which the vote went wrong, with what spoke for each text set side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from services.inert import cut
from services.run_result import HardPair, Opinion

TEXT_LIMIT, PROMPT_LIMIT, RATIONALE_LIMIT = 4000, 1200, 400
"""Characters shown; a report must stay small enough to send."""


@dataclass(frozen=True)
class SideView:
    """One text of a pair: which, its text, whether people preferred it, its chance by the vote, what spoke for it."""

    letter: Literal["A", "B"]
    text: str
    preferred: bool
    probability: float
    opinions: tuple[Opinion, ...]


@dataclass(frozen=True)
class PairView:
    """A pair; `silent` are the criteria that abstained or whose answer is missing."""

    id: str
    prompt: str
    thread: str
    sides: tuple[SideView, SideView]
    silent: tuple[Opinion, ...]


def pair_views(pairs: Sequence[HardPair]) -> list[PairView]:
    """The pairs as told, in their order."""
    return [_view(pair) for pair in pairs]


def _view(pair: HardPair) -> PairView:
    opinions = [o.model_copy(update={"rationale": cut(o.rationale, RATIONALE_LIMIT)}) for o in pair.opinions]
    a = _side("A", pair.a, pair.preferred == "a", pair.probability, opinions)
    b = _side("B", pair.b, pair.preferred == "b", 1 - pair.probability, opinions)
    silent = tuple(o for o in opinions if o.verdict == "abstain")
    return PairView(pair.id, cut(pair.prompt, PROMPT_LIMIT), pair.thread, (a, b), silent)


def _side(
    letter: Literal["A", "B"], text: str, preferred: bool, probability: float, opinions: Sequence[Opinion]
) -> SideView:
    spoke = tuple(o for o in opinions if o.verdict == letter)
    return SideView(letter, cut(text, TEXT_LIMIT), preferred, probability, spoke)
