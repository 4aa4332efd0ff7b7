"""An estimate is near what a run then really asks for, grows with what is asked of it, and knows what it does not."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.pairs import Pair
from agents.panel import Looks
from agents.paper_policy import PaperPolicy
from agents.policies import POLICY_NAMES, policy_named
from agents.robust_policy import frugal
from benchmarks.world_runs import MINED, Found, Way, mine_world, pairs_of
from services.estimate import DECIDED, SHARED, Estimate, Load, cells, estimate, manager_calls, mean_text_tokens
from services.prices import Price

LOAD = Load(answers=1, together=1, text=200, in_flight=8)
FREE, DEAR = Price(prompt=0, completion=0), Price(prompt=1.0, completion=2.0)

JUDGING = (0.85, 2.2)
"""Estimated over real judgments: a run may end rounds early, but must not take much more than it was said to."""

MANAGING = (0.75, 3.5)
"""The same of the manager's calls, which hang on how many mistakes there are."""


def guess(
    name: str = "robust",
    pairs: int = 30,
    sealed: int = 0,
    load: Load = LOAD,
    prices: tuple[Price | None, Price | None] = (None, None),
) -> Estimate:
    return estimate(policy_named(name, 6, 2, free=False), [(pairs, sealed)], load, prices)


def calls(found: Estimate) -> dict[str, int]:
    return {stage.stage: stage.calls for stage in found.stages}


@pytest.mark.parametrize("seed", [1003, 1005])
@pytest.mark.parametrize("base", [0, 30])
@pytest.mark.parametrize("name", POLICY_NAMES)
def test_calls_are_near_what_a_run_then_makes(name: str, base: int, seed: int) -> None:
    policy = policy_named(name, 6, 2, free=False)
    found = mine_world(seed, Way(name, policy, base=base), sealed=4)
    load = LOAD.model_copy(update={"base": base})
    told = calls(estimate(policy, [(MINED, 0)], load, (None, None)))
    assert JUDGING[0] < told["mining"] / found.taken.judging < JUDGING[1]
    assert MANAGING[0] < told["manager"] / found.taken.managing < MANAGING[1]


def test_tokens_of_a_call_are_near_those_that_an_endpoint_counts() -> None:
    text = mean_text_tokens(pairs_of(1003, "mining", MINED, 0.0), 2000)
    found: Found = mine_world(1003, Way("paper", policy_named("paper", 6, 2, free=False), base=0), sealed=4)
    told = guess("paper", load=LOAD.model_copy(update={"text": text}))
    prompt = sum(stage.prompt for stage in told.stages) / told.calls
    assert 0.6 < prompt / (found.taken.prompt / found.taken.calls) < 1.6


@given(
    name=st.sampled_from(POLICY_NAMES), pairs=st.integers(1, 400), size=st.integers(1, 60), rounds=st.integers(1, 8),
    more=st.tuples(st.integers(0, 60), st.integers(0, 20), st.integers(0, 4), st.integers(0, 100)),
    base=st.integers(0, 300),
)  # fmt: skip
def test_more_pairs_criteria_rounds_or_prior_criteria_never_take_less(
    name: str, pairs: int, size: int, rounds: int, more: tuple[int, int, int, int], base: int
) -> None:
    small = policy_named(name, size, rounds, free=False)
    large = policy_named(name, size + more[1], rounds + more[2], free=False)
    assert cells(small, pairs, base) <= cells(large, pairs + more[0], base + more[3])
    assert manager_calls(small, pairs) <= manager_calls(large, pairs + more[0])


@given(pairs=st.integers(1, 400), rounds=st.integers(1, 6))
def test_every_candidate_meets_the_first_rung_and_none_more_than_all_pairs(pairs: int, rounds: int) -> None:
    policy = replace(frugal(), rounds=rounds)
    found = cells(policy, pairs, 0)
    assert found >= policy.candidates * policy.rungs(pairs)[0]
    later = (rounds - 1) * (round(0.35 * policy.size) + policy.room(0, 0))
    assert found <= (policy.candidates + later) * pairs


def test_the_published_procedure_adds_the_whole_knowledge_base_on_every_pair() -> None:
    paper, robust = (policy_named(name, 6, 2, free=False) for name in ("paper", "robust"))
    assert cells(paper, 30, 340) - cells(paper, 30, 0) == 340 * 30
    assert cells(robust, 30, 340) == cells(robust, 30, 0)


def test_a_thorough_manager_is_asked_for_every_mistake() -> None:
    paper = PaperPolicy(size=6, rounds=2)
    assert manager_calls(paper, 60) - manager_calls(replace(paper, thorough=False), 60) == 2 * (60 // 3 - 1)


@pytest.mark.parametrize(("looks", "times"), [("one", 1), ("second", 1 + DECIDED), ("both", 2)])
def test_looks_multiply_what_is_asked_on_mining_pairs(looks: Looks, times: float) -> None:
    policy = replace(frugal(), looks=looks)
    told = calls(estimate(policy, [(30, 10)], LOAD, (None, None)))
    assert told["mining"] == round(cells(policy, 30, 0) * times)
    assert told["sealed"] == 10 * policy.size, "held-out pairs are shown once"


def test_there_is_an_estimate_for_every_kind_of_looks() -> None:
    told = [estimate(replace(frugal(), looks=looks), [(30, 0)], LOAD, (None, None)).calls for looks in get_args(Looks)]
    assert min(told) >= cells(frugal(), 30, 0)


def test_a_judge_for_whom_one_order_is_enough_is_shown_one() -> None:
    told = guess(load=LOAD.model_copy(update={"symmetric": True}))
    assert calls(told)["mining"] == cells(policy_named("robust", 6, 2, free=False), 30, 0)


def test_answers_multiply_judgments_and_criteria_in_a_call_divide_them() -> None:
    one = calls(guess(sealed=10))
    three = calls(guess(sealed=10, load=LOAD.model_copy(update={"answers": 3})))
    assert three["mining"] == pytest.approx(3 * one["mining"], abs=2)
    assert three["sealed"] == 3 * one["sealed"]
    assert three["manager"] == one["manager"]
    together = guess(sealed=10, load=LOAD.model_copy(update={"together": 5}))
    assert calls(together)["sealed"] == one["sealed"] / 5
    assert together.tokens < guess(sealed=10).tokens, "the pair is sent once for five criteria"


def test_judging_that_is_free_leaves_the_managers_calls_and_the_other_way_round() -> None:
    told = calls(guess(sealed=5, load=LOAD.model_copy(update={"free": True})))
    assert (told["mining"], told["sealed"]) == (0, 0)
    assert told["manager"] > 0
    assert calls(guess(load=LOAD.model_copy(update={"manager": False})))["manager"] == 0


def test_folds_share_part_of_their_judgments_with_the_thread_that_is_handed_over() -> None:
    policy = policy_named("paper", 6, 2, free=False)
    alone = calls(estimate(policy, [(30, 0)], LOAD, (None, None)))
    folded = estimate(policy, [(30, 0), (24, 6), (24, 6)], LOAD, (None, None))
    assert folded.threads == 3
    assert calls(folded)["mining"] == alone["mining"] + round(2 * (1 - SHARED) * cells(policy, 24, 0))
    assert calls(folded)["sealed"] == 12 * policy.size


def test_the_cost_is_what_the_prices_say_of_the_tokens() -> None:
    told = guess(sealed=10, prices=(DEAR, DEAR))
    tokens = [(stage.prompt, stage.completion) for stage in told.stages]
    assert told.cost == pytest.approx(sum(prompt + 2 * reply for prompt, reply in tokens) / 1e6)
    assert guess(prices=(FREE, FREE)).cost == 0


def test_a_lower_price_of_cached_tokens_makes_it_cheaper() -> None:
    saving = Price(prompt=1.0, cached=0.1, completion=2.0)
    dear, cheap = guess(prices=(DEAR, FREE)).cost, guess(prices=(saving, FREE)).cost
    assert dear is not None
    assert cheap is not None
    assert cheap < 0.7 * dear


@pytest.mark.parametrize("prices", [(None, DEAR), (DEAR, None), (None, None)])
def test_a_price_that_is_not_known_leaves_the_cost_unknown(prices: tuple[Price | None, Price | None]) -> None:
    assert guess(prices=prices).cost is None


def test_a_price_that_nobody_needs_may_be_missing() -> None:
    assert guess(prices=(None, DEAR), load=LOAD.model_copy(update={"free": True})).cost is not None
    assert guess(prices=(DEAR, None), load=LOAD.model_copy(update={"manager": False})).cost is not None


@given(pairs=st.integers(0, 200), sealed=st.integers(0, 5000), rounds=st.integers(1, 4))
def test_sealed_pairs_get_the_share_that_they_need_and_never_more_than_half(
    pairs: int, sealed: int, rounds: int
) -> None:
    told = estimate(policy_named("robust", 6, rounds, free=False), [(pairs, sealed)], LOAD, (None, None))
    part = calls(told)["sealed"] / told.calls
    assert told.kept_back == (part if part < 0.5 else 0.5)


def test_where_nothing_is_sealed_nothing_is_kept_back() -> None:
    assert guess().kept_back == 0.0
    nothing = LOAD.model_copy(update={"free": True, "manager": False})
    assert (guess(sealed=9, load=nothing).calls, guess(sealed=9, load=nothing).kept_back) == (0, 0.0)


def test_time_is_calls_over_places_at_what_a_call_takes() -> None:
    told = guess(load=LOAD.model_copy(update={"in_flight": 4, "call_seconds": 0.5}))
    assert told.seconds == pytest.approx(told.calls * 0.5 / 4)


def test_a_prefix_cache_never_saves_more_than_the_prompts() -> None:
    for name in POLICY_NAMES:
        assert all(0 <= stage.cached <= stage.prompt for stage in guess(name, sealed=9).stages)


def test_texts_count_as_far_as_they_are_shown() -> None:
    pairs = [Pair(id="1", prompt="Why?", a="word " * 5000, b="", preferred="a")]
    whole, cut = mean_text_tokens(pairs, 1_000_000), mean_text_tokens(pairs, 100)
    assert whole > 4000
    assert 100 < cut < 110
    assert mean_text_tokens([], 100) == 0
