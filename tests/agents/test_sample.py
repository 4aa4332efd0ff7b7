"""What a statistical manager sees of the mining pairs is what the judge will say of them."""

from __future__ import annotations

import asyncio
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import criterion, pair

from agents.judgments import Ask
from agents.pairs import Pair
from agents.sample import Sample, round_margin, signs_of
from agents.signal_judge import SignalJudge
from agents.signals.measurement import MemoryCache

CACHE = MemoryCache()
TEXTS = ["One.", "Two words.", "Now three words.", "Here are four words.", "And here are five words.", "", "one two"]
PAIRS = [
    pair(i, "AB="[i % 3], a=a, b=b) for i, (a, b) in enumerate((a, b) for a in TEXTS for b in TEXTS if a != b)
][::3]  # fmt: skip
gap = st.one_of(st.floats(-50, 50), st.just(math.nan), st.just(0.0))


def judged(sample: Sample, judge: SignalJudge, expression: str, direction: str, margin: float) -> list[int]:
    by = criterion("as the judge sees it", expression, "higher" if direction == "higher" else "lower", margin)
    questions = [(Ask(judge="j", criterion=by.hash, pair=p.hash), by, p) for p in sample.pairs]

    async def collect() -> list[int]:
        return [j.sign async for j in judge.answer(questions)]

    return asyncio.run(collect())


@pytest.mark.parametrize("expression", ["words", "log1p(chars)", "mean_word_length", "words / sentences", "words > 2"])
@pytest.mark.parametrize("direction", ["higher", "lower"])
@pytest.mark.parametrize("margin", [0.0, 1.0])
def test_votes_are_what_the_signal_judge_says(expression: str, direction: str, margin: float) -> None:
    sample = Sample(PAIRS, CACHE)
    by = criterion("as the sample sees it", expression, "higher" if direction == "higher" else "lower", margin)
    assert sample.votes(by).tolist() == judged(sample, SignalJudge(CACHE), expression, direction, margin)


def test_a_gap_is_the_value_on_a_less_the_value_on_b() -> None:
    sample = Sample([pair(1, a="one two three", b="one")], MemoryCache())
    assert sample.gaps("words").tolist() == [2.0]


def test_a_gap_is_none_where_a_signal_does_not_apply_to_both() -> None:
    assert np.isnan(Sample([pair(1, a="one two", b="")], MemoryCache()).gaps("mean_word_length")).all()


def test_the_order_of_the_pairs_does_not_matter() -> None:
    one, other = Sample(PAIRS, CACHE), Sample(PAIRS[::-1], CACHE)
    assert one.pairs == other.pairs
    assert one.truth.tolist() == other.truth.tolist()
    assert one.gaps("words").tolist() == other.gaps("words").tolist()


def test_truth_follows_the_pairs() -> None:
    sample = Sample(PAIRS, CACHE)
    assert sample.truth.tolist() == [p.sign for p in sample.pairs]


def test_swapping_the_texts_turns_every_vote() -> None:
    by = criterion("longer", "words")
    for one in PAIRS:
        other: Pair = pair(0, a=one.b, b=one.a)
        assert Sample([one], CACHE).votes(by).tolist() == (-Sample([other], CACHE).votes(by)).tolist()


@given(st.lists(gap, max_size=20), st.floats(0, 10))
def test_a_vote_needs_a_gap_beyond_the_margin(gaps: list[float], margin: float) -> None:
    found = signs_of(np.array(gaps, dtype=np.float64), margin, True)
    expected = [0 if math.isnan(g) or abs(g) <= margin else int(math.copysign(1, g)) for g in gaps]
    assert found.tolist() == expected


@given(st.lists(gap, max_size=20), st.floats(0, 10))
def test_the_other_direction_is_the_other_vote(gaps: list[float], margin: float) -> None:
    values = np.array(gaps, dtype=np.float64)
    assert signs_of(values, margin, True).tolist() == (-signs_of(values, margin, False)).tolist()


@given(st.lists(gap, max_size=20), st.floats(0, 1))
def test_a_margin_is_never_negative_and_never_above_the_largest_gap_by_more_than_rounding(
    gaps: list[float], share: float
) -> None:
    largest = max((abs(g) for g in gaps if not math.isnan(g)), default=0.0)
    assert 0 <= round_margin(np.array(gaps, dtype=np.float64), share) <= 1.05 * largest


def test_a_margin_abstains_on_about_the_share_of_differing_pairs() -> None:
    gaps = np.random.default_rng(0).normal(size=1000)
    abstained = (signs_of(gaps, round_margin(gaps, 0.3), True) == 0).mean()
    assert abstained == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize("gaps", [[], [0.0, 0.0], [math.nan]])
def test_without_a_difference_there_is_no_margin(gaps: list[float]) -> None:
    assert round_margin(np.array(gaps, dtype=np.float64), 0.5) == 0.0


def test_a_share_of_nought_is_no_margin() -> None:
    assert round_margin(np.array([1.0, 2.0]), 0.0) == 0.0


def test_measuring_all_signals_tells_their_names() -> None:
    assert {"words", "chars"} <= set(Sample([PAIRS[0]], CACHE).measure_all())
