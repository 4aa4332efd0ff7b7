from __future__ import annotations

import random
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.pairs import Pair
from benchmarks.world.judging import compare_levels, judge, judge_all, judge_one, judge_overall
from benchmarks.world.people import World
from benchmarks.world.pointing import point
from benchmarks.world.qualities import level, quality_named
from benchmarks.world.rationales import rationale, rationale_one, subject
from benchmarks.world.temper import Temper
from benchmarks.world.texts import topics, write

EXACT = Temper(noise=0.0)
CLEAR = "Clarity: more " + ", ".join(quality_named("clarity").words)
WEAK = "Clarity: the better text has it"
NOTHING = "Charm: the text with more charm is better"
ANSWERS = {"A", "B", "not applicable", "equal", "unsure"}


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    return World(1011).pairs(250, "judging")


def text(**steps: int) -> str:
    return write(steps, topics()[2], random.Random(3))


def verdicts(words: str, pairs: list[Pair], temper: Temper, seed: object = 1, sample: int = 0) -> list[str]:
    return [judge(words, p.a, p.b, seed, sample=sample, temper=temper) for p in pairs]


def right(words: str, pairs: list[Pair], temper: Temper) -> float:
    """Share of decided answers that agree with the true levels in clarity."""
    wanted = point("clarity")
    told = zip(verdicts(words, pairs, temper), pairs, strict=True)
    decided = [(v == "A") == (d > 0) for v, p in told if v in "AB" and (d := compare_levels(wanted, p.a, p.b))]
    return sum(decided) / len(decided)


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_without_noise_the_higher_level_wins_in_both_orders(step: int) -> None:
    low, high = text(clarity=step - 1, tone=4), text(clarity=step)
    assert judge(CLEAR, high, low, 0, temper=EXACT) == "A"
    assert judge(CLEAR, low, high, 0, temper=EXACT) == "B"


def test_words_that_ask_for_less_turn_the_verdict_round() -> None:
    assert judge(f"{CLEAR}; the better text avoids it", text(clarity=4), text(), 0, temper=EXACT) == "B"


def test_only_the_quality_asked_for_counts() -> None:
    assert judge(CLEAR, text(clarity=1, tone=4, depth=4), text(clarity=3), 0, temper=EXACT) == "B"


def test_words_about_two_qualities_weigh_both() -> None:
    words = "Clarity and warmth, plain and kind"
    assert judge(words, text(clarity=4), text(clarity=3, tone=4), 0, temper=EXACT) == "B"


def test_the_same_question_has_the_same_answer() -> None:
    a, b = text(clarity=3), text(clarity=2)
    assert len({judge(WEAK, a, b, "s", sample=2) for _ in range(5)}) == 1


def test_another_seed_another_sample_and_other_words_answer_differently(pairs: list[Pair]) -> None:
    plain = verdicts(WEAK, pairs, Temper())
    assert plain != verdicts(WEAK, pairs, Temper(), seed=2)
    assert plain != verdicts(WEAK, pairs, Temper(), sample=1)
    assert plain != verdicts(f"{WEAK}!", pairs, Temper())


def test_samples_of_one_question_agree_more_than_judges_do(pairs: list[Pair]) -> None:
    plain = verdicts(WEAK, pairs, Temper(noise=3))
    again, other = verdicts(WEAK, pairs, Temper(noise=3), sample=1), verdicts(WEAK, pairs, Temper(noise=3), seed=2)
    assert agreeing(plain, again) > agreeing(plain, other) + 0.05


def test_better_words_are_read_more_reliably(pairs: list[Pair]) -> None:
    words = quality_named("clarity").words
    found = [right("Clear: " + ", ".join(words[:n]), pairs, Temper()) for n in (1, 2, 8)]
    assert found == sorted(found)
    assert found[0] < 0.92 < 0.96 < found[2]


def test_noise_costs_reliability(pairs: list[Pair]) -> None:
    found = [right(WEAK, pairs, Temper(noise=noise)) for noise in (0.0, 1.0, 4.0)]
    assert found[0] == 1.0
    assert found[0] > found[1] > found[2]


def test_equal_levels_are_mostly_found_equal(pairs: list[Pair]) -> None:
    level_in = point(CLEAR)
    even = [p for p in pairs if compare_levels(level_in, p.a, p.b) == 0]
    told = verdicts(CLEAR, even, Temper())
    assert sum(v in ("equal", "not applicable") for v in told) / len(told) > 0.7


def test_not_applicable_is_said_only_where_neither_text_has_anything(pairs: list[Pair]) -> None:
    told = zip(verdicts(CLEAR, pairs, Temper()), pairs, strict=True)
    lacking = [p for v, p in told if v == "not applicable"]
    assert lacking
    assert all(level(p.a, "clarity") == level(p.b, "clarity") == 0 for p in lacking)


def test_words_that_point_at_nothing_leave_the_judge_unsure_or_guessing(pairs: list[Pair]) -> None:
    told = verdicts(NOTHING, pairs, Temper())
    share = {v: told.count(v) / len(told) for v in ANSWERS}
    assert 0.55 < share["unsure"] < 0.75
    assert share["A"] == pytest.approx(share["B"], abs=0.1)
    assert share["equal"] + share["not applicable"] < 0.05


@pytest.mark.parametrize("words", [CLEAR, WEAK, NOTHING])
def test_without_bias_neither_place_wins(pairs: list[Pair], words: str) -> None:
    shown = [*pairs, *(p.model_copy(update={"a": p.b, "b": p.a}) for p in pairs)]
    told = verdicts(words, shown, Temper())
    decided = told.count("A") + told.count("B")
    assert told.count("A") / decided == pytest.approx(0.5, abs=0.06)


def test_position_bias_favours_the_first_text_in_doubt_and_a_little_everywhere(pairs: list[Pair]) -> None:
    plain, biased = verdicts(CLEAR, pairs, Temper()), verdicts(CLEAR, pairs, Temper(position_bias=0.5))
    doubtful = [new for old, new in zip(plain, biased, strict=True) if old not in "AB"]
    lost = [new for old, new in zip(plain, biased, strict=True) if old == "B"]
    assert doubtful.count("A") / len(doubtful) == pytest.approx(0.55, abs=0.15)
    assert lost.count("A") / len(lost) == pytest.approx(0.1, abs=0.07)
    assert all(new == "A" for old, new in zip(plain, biased, strict=True) if old == "A")


def test_full_position_bias_never_abstains(pairs: list[Pair]) -> None:
    assert set(verdicts(NOTHING, pairs, Temper(position_bias=1.0))) <= {"A", "B"}


def test_one_criterion_in_a_call_is_judged_as_if_alone(pairs: list[Pair]) -> None:
    assert [judge_all([WEAK], p.a, p.b, 1) for p in pairs[:60]] == [[judge(WEAK, p.a, p.b, 1)] for p in pairs[:60]]


def test_crowding_a_call_costs_reliability_and_draws_answers_to_the_first(pairs: list[Pair]) -> None:
    tone = "Tone: more " + ", ".join(quality_named("tone").words)
    crowd = [tone, *[f"{NOTHING} {i}" for i in range(14)], WEAK]
    alone, first = verdicts(WEAK, pairs, Temper()), verdicts(tone, pairs, Temper())
    crowded = [judge_all(crowd, p.a, p.b, 1)[-1] for p in pairs]
    assert agreeing(crowded, first) > agreeing(alone, first) + 0.05
    truth = [{1: "A", -1: "B"}.get(sign(compare_levels(point("clarity"), p.a, p.b)), "") for p in pairs]
    assert agreeing(crowded, truth) < agreeing(alone, truth) - 0.03


def test_an_overall_answer_reads_a_long_list_as_its_beginning(pairs: list[Pair]) -> None:
    tone = "Tone: more " + ", ".join(quality_named("tone").words)
    lists = [tone, *[CLEAR] * 3], [CLEAR, *[tone] * 3]
    told = [[judge_overall(of, p.a, p.b, 1, temper=EXACT) for p in pairs] for of in lists]
    assert told[0] != told[1]
    assert [judge_overall([CLEAR], p.a, p.b, 1, temper=EXACT) for p in pairs[:40]] == [
        v if v in "AB" else "unsure" for v in verdicts(CLEAR, pairs[:40], EXACT)
    ]


def test_an_overall_answer_by_no_criteria_is_unsure() -> None:
    assert judge_overall([], "x", "y", 1) == "unsure"


def test_a_text_by_itself_meets_a_criterion_in_its_upper_half() -> None:
    told = [judge_one(CLEAR, text(clarity=step), 0, temper=EXACT) for step in range(5)]
    assert told == ["no", "no", "unsure", "yes", "yes"]
    assert judge_one(f"{CLEAR}; avoid it", text(clarity=4), 0, temper=EXACT) == "no"


def test_a_text_by_itself_is_often_undecided_by_words_that_say_nothing(pairs: list[Pair]) -> None:
    told = [judge_one(NOTHING, p.a, 0) for p in pairs]
    assert told.count("unsure") / len(told) > 0.5


@settings(max_examples=100, deadline=None)
@given(st.text(), st.text(), st.text(), st.integers(), st.floats(0, 1), st.floats(0, 5))
def test_any_words_and_texts_have_an_answer(
    words: str, first: str, second: str, seed: int, bias: float, noise: float
) -> None:
    temper = Temper(noise, bias)
    assert judge(words, first, second, seed, temper=temper) in ANSWERS
    assert judge_one(words, first, seed, temper=temper) in {"yes", "no", "unsure"}
    assert set(judge_all([words, "evidence"], first, second, seed, temper=temper)) <= ANSWERS


def test_a_judgment_takes_well_under_half_a_millisecond(pairs: list[Pair]) -> None:
    words = [f"{WEAK} {i}" for i in range(20)]
    began = time.process_time()
    for pair in pairs[:50]:
        for one in words:
            judge(one, pair.a, pair.b, 7)
    assert (time.process_time() - began) / 1000 < 0.0005


@pytest.mark.parametrize("verdict", sorted(ANSWERS))
def test_a_rationale_is_as_long_as_a_model_s_and_names_the_texts(verdict: str) -> None:
    told = {rationale(f"{CLEAR} {i}", verdict, "x", "y") for i in range(12)}
    assert all(18 <= len(one.split()) <= 40 for one in told)
    assert all("ext A" in one and "ext B" in one for one in told)


def test_a_rationale_speaks_of_what_the_criterion_is_about() -> None:
    assert subject("Use of brevity: terse") == "brevity and terseness"
    assert subject("Everyday feel: nice") == "everyday feel"
    assert subject("") == "this"
    assert "everyday {x} feel" in rationale("Everyday {x} feel: nice", "equal")
    assert all("brevity" in rationale_one("Brevity", verdict) for verdict in ("yes", "no", "unsure"))


def sign(value: float) -> int:
    return (value > 0) - (value < 0)


def agreeing(some: Sequence[str], others: Sequence[str]) -> float:
    """Share of equal answers among those that both decide."""
    both = [s == o for s, o in zip(some, others, strict=True) if s in ("A", "B") and o in ("A", "B")]
    return sum(both) / len(both)
