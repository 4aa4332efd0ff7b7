"""The judge as plain functions: criterion words and texts in, answer out, the same for the same question.

A judge compares readings. A text's reading by a criterion is its level (the criterion's qualities weighed as its words
name them) plus an error. The error's standard deviation grows as the words point less well. Part of it belongs to the
text and the criterion and comes back in either order and every sample, part to the text alone (halo: it is the same
for all criteria), part to this one answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt
from typing import Literal

from benchmarks.world.chance import happens, normal, uniform
from benchmarks.world.pointing import Pointing, point
from benchmarks.world.qualities import levels
from benchmarks.world.temper import HASTE, PLAIN, Temper

Answer = Literal["A", "B", "not applicable", "equal", "unsure"]
PointAnswer = Literal["yes", "no", "unsure"]

FLOOR = 0.08
"""Standard deviation of a comparison's error by words that point perfectly; levels run from 0 to 1."""

SPREAD = 0.7
"""What is added to it by words that point at nothing."""

LASTING, HALO = 0.5, 0.1
"""Shares of the error's variance that belong to text and criterion, and to the text alone; the rest to the answer."""

NEAR = 0.06
"""Differences up to this look like none."""

EQUAL_SEEN = 0.75
"""How often texts of equal level are found equal, whatever the error."""

LOST = 0.65
"""How often a judge says that it cannot tell by words that point at nothing; else it picks one as if at random."""

DOUBT = 0.15
"""How often it cannot tell by words that hardly point; falls to 0 as they point better."""


def judge(words: str, first: str, second: str, seed: object, *, sample: int = 0, temper: Temper = PLAIN) -> Answer:
    """Which text is better by a criterion.

    Args:
        words: the criterion's name and description.
        first, second: the texts as shown; `A` means the first.
        seed: which judge; anything that prints alike answers alike.
        sample: 0 for the first answer to this question.
        temper: how it errs.
    """
    return _answer(words, (first, second), _lean(words, (first, second), seed, sample, temper), seed, sample, temper)


def judge_all(
    criteria: Sequence[str], first: str, second: str, seed: object, *, sample: int = 0, temper: Temper = PLAIN
) -> list[Answer]:
    """An answer by each criterion, all judged in one call: less reliable, and drawn towards the first one's."""
    crowded, shown = replace(temper, crowd=max(1, len(criteria))), (first, second)
    leans = [_lean(words, shown, seed, sample, crowded) for words in criteria]
    pull = crowded.following
    drawn = [lean if i == 0 else (1 - pull) * lean + pull * leans[0] for i, lean in enumerate(leans)]
    return [_answer(w, shown, lean, seed, sample, crowded) for w, lean in zip(criteria, drawn, strict=True)]


def judge_overall(
    criteria: Sequence[str], first: str, second: str, seed: object, *, sample: int = 0, temper: Temper = PLAIN
) -> Answer:
    """One answer by many criteria at once, as a prompt that lists them all asks for.

    Every criterion further down the list weighs less, so that a long list is read as its beginning.
    """
    crowded, shown = replace(temper, crowd=max(1, len(criteria))), (first, second)
    weights = [0.85**i for i in range(len(criteria))]
    leans = [_lean(words, shown, seed, sample, crowded) for words in criteria]
    mean = sum(w * lean for w, lean in zip(weights, leans, strict=True)) / (sum(weights) or 1.0)
    if abs(mean) <= NEAR / 4:
        return "A" if happens(temper.position_bias, "overall", seed, first, second, sample) else "unsure"
    return "A" if mean > 0 or _hasty(temper, seed, "overall", shown, sample) else "B"


def judge_one(words: str, text: str, seed: object, *, sample: int = 0, temper: Temper = PLAIN) -> PointAnswer:
    """Whether a text by itself meets a criterion: its reading lies in the upper half; near the middle is unsure."""
    pointing = point(words)
    if not pointing.shares and happens(LOST, "lost", seed, words, text, sample):
        return "unsure"
    own = normal("answer", seed, words, text, sample) * sqrt(1 - LASTING - HALO)
    reading = _value(pointing, text) + _deviation(pointing, temper) * (_lasting(words, text, seed) + own) / sqrt(2)
    middle = 0.5 if pointing.sign > 0 else -0.5
    if abs(reading - middle) <= NEAR:
        return "unsure"
    return "yes" if reading > middle else "no"


def compare_levels(pointing: Pointing, first: str, second: str) -> float:
    """True difference of two texts in what words point at, in [-1, 1], positive for the first."""
    return _value(pointing, first) - _value(pointing, second)


def _lean(words: str, shown: tuple[str, str], seed: object, sample: int, temper: Temper) -> float:
    """The difference that the judge sees, positive for the first text."""
    pointing = point(words)
    lasting = _lasting(words, shown[0], seed) - _lasting(words, shown[1], seed)
    own = normal("answer", seed, words, *shown, sample) * sqrt(2 * (1 - LASTING - HALO))
    return compare_levels(pointing, *shown) + _deviation(pointing, temper) * (lasting + own) / sqrt(2)


def _answer(words: str, shown: tuple[str, str], lean: float, seed: object, sample: int, temper: Temper) -> Answer:
    """What it says, seeing this difference."""
    if _hasty(temper, seed, words, shown, sample):
        return "A"
    found = _undecided(words, shown, lean, seed, sample)
    if found is None:
        return "A" if lean > 0 else "B"
    return "A" if happens(temper.position_bias, "bias", seed, words, *shown, sample) else found


def _undecided(words: str, shown: tuple[str, str], lean: float, seed: object, sample: int) -> Answer | None:
    """Why the judge abstains, or None if it does not; the same reasons hold in both orders, mostly."""
    pointing, draw = point(words), uniform("doubt", seed, words, *sorted(shown), sample)
    if not pointing.shares:
        return "unsure" if draw < LOST else None
    if compare_levels(pointing, *shown) == 0 and draw < EQUAL_SEEN:
        return "not applicable" if not _value(pointing, shown[0]) and draw < EQUAL_SEEN / 2 else "equal"
    if abs(lean) <= NEAR:
        return "equal"
    return "unsure" if draw > 1 - DOUBT * (1 - pointing.reliability) else None


def _hasty(temper: Temper, seed: object, words: str, shown: tuple[str, str], sample: int) -> bool:
    return temper.position_bias > 0 and happens(HASTE * temper.position_bias, "haste", seed, words, *shown, sample)


def _value(pointing: Pointing, text: str) -> float:
    """The level that the words ask for, in [-1, 1]."""
    of_text = levels(text)
    return pointing.sign * sum(share * of_text[quality] for quality, share in pointing.shares.items())


def _lasting(words: str, text: str, seed: object) -> float:
    """The part of a text's error that every answer shares, with variance LASTING + HALO."""
    return sqrt(LASTING) * normal("reading", seed, words, text) + sqrt(HALO) * normal("halo", seed, text)


def _deviation(pointing: Pointing, temper: Temper) -> float:
    """Standard deviation of a comparison's error."""
    return temper.factor * (FLOOR + SPREAD * (1 - pointing.reliability))
