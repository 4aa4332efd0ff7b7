from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from agents.pairs import Pair
from benchmarks.world.oracle import agreement, decided_accuracy, oracle_accuracy, perfect_accuracies, votes_by
from benchmarks.world.people import World
from benchmarks.world.pointing import tally
from benchmarks.world.qualities import names, quality_named
from benchmarks.world.temper import Temper

Worlds = list[tuple[World, list[Pair]]]

ROOT = Path(__file__).resolve().parents[2]
SEEDS = range(1000, 1020)
PAIRS = 150


@pytest.fixture(scope="module")
def worlds() -> Worlds:
    return [(World(seed), World(seed).pairs(PAIRS, "calibration")) for seed in SEEDS]


def wording(quality: str, concepts: int, variant: int = 0) -> str:
    words = quality_named(quality).words
    return "Criterion: the better text has more " + ", ".join((words[variant:] + words[:variant])[:concepts])


def test_a_world_cares_about_five_or_six_qualities_with_unequal_weights() -> None:
    for seed in SEEDS:
        world = World(seed)
        weights = [world.weights[q] for q in world.cared]
        assert len(world.cared) in (5, 6)
        assert len(world.disliked) in (1, 2)
        assert len(set(weights)) == len(weights)
        assert weights == sorted(weights, reverse=True)
        assert set(world.cared) | set(world.disliked) | set(world.irrelevant) == set(names())


def test_worlds_differ_in_what_they_care_about() -> None:
    assert len({World(seed).cared for seed in SEEDS}) == len(SEEDS)


def test_the_same_seed_gives_the_same_world_in_another_process() -> None:
    code = (
        "from benchmarks.world.people import World; w = World(1003); "
        "print(dict(w.weights), w.pairs(3, 'mining', 0.3, True))"
    )
    printed = [
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": salt, "PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, check=True,
        ).stdout
        for salt in ("1", "2")
    ]  # fmt: skip
    world = World(1003)
    assert printed == [f"{dict(world.weights)} {world.pairs(3, 'mining', 0.3, True)}\n"] * 2


def test_more_pairs_begin_with_the_fewer() -> None:
    assert World(1000).pairs(12, "mining")[:5] == World(1000).pairs(5, "mining")


def test_streams_share_no_text() -> None:
    mining, sealed = World(1000).pairs(40, "mining"), World(1000).pairs(40, "sealed")
    assert not {t for p in mining for t in (p.a, p.b)} & {t for p in sealed for t in (p.a, p.b)}
    assert len({p.hash for p in (*mining, *sealed)}) == 80


@pytest.mark.parametrize("noise", [0.1, 0.3])
def test_noise_turns_its_share_of_labels_round_and_nothing_else(noise: float) -> None:
    world = World(1001)
    plain, noisy = world.pairs(600, "mining"), world.pairs(600, "mining", noise)
    assert [(p.id, p.hash) for p in plain] == [(p.id, p.hash) for p in noisy]
    turned = sum(p.preferred != q.preferred for p, q in zip(plain, noisy, strict=True)) / 600
    assert turned == pytest.approx(noise, abs=0.045)


def test_labels_turned_by_little_noise_are_turned_by_more() -> None:
    world = World(1001)
    plain, little, much = (world.pairs(200, "mining", noise) for noise in (0.0, 0.1, 0.3))
    turned = {p.id for p, q in zip(plain, little, strict=True) if p.preferred != q.preferred}
    assert turned < {p.id for p, q in zip(plain, much, strict=True) if p.preferred != q.preferred}


def test_utility_is_the_weighted_difference_and_turns_with_the_texts() -> None:
    world = World(1002)
    pair = world.pairs(1, "x")[0]
    assert world.utility(pair.a, pair.b) == pytest.approx(-world.utility(pair.b, pair.a))
    assert {q for q, v in world.contributions(pair.a, pair.b).items() if v} <= {*world.cared, *world.disliked}


def test_utility_has_a_standard_deviation_of_one_in_every_world() -> None:
    spread = [statistics.pstdev(w.utility(p.a, p.b) for p in w.pairs(250, "spread")) for w in map(World, SEEDS)]
    assert statistics.mean(spread) == pytest.approx(1.0, abs=0.03)


def test_labels_follow_the_logistic_law() -> None:
    clear = close = 0.0
    for seed in range(1000, 1006):
        world = World(seed)
        told = [(abs(u := world.utility(p.a, p.b)), u * p.sign > 0) for p in world.pairs(250, "law")]
        clear += sum(right for size, right in told if size > 1) / sum(size > 1 for size, _ in told) / 6
        close += sum(right for size, right in told if size < 0.1) / sum(size < 0.1 for size, _ in told) / 6
    assert clear > 0.985
    assert 0.45 < close < 0.7


def test_reasons_name_what_spoke_for_the_preferred_text() -> None:
    world = World(1004)
    for pair in world.pairs(60, "mining", reasons=True):
        spoke = {q: v * pair.sign for q, v in world.contributions(pair.a, pair.b).items()}
        said = tally(pair.reason)
        assert said or pair.reason == "I just liked it better"
        assert all(spoke[q] > 0 and sign * world.weights[q] > 0 for q, sign in said)


def test_no_reason_is_given_unless_asked_for() -> None:
    assert {p.reason for p in World(1004).pairs(20, "mining")} == {""}


def test_the_oracle_agrees_with_people_on_about_nine_in_ten(worlds: Worlds) -> None:
    found = [oracle_accuracy(world, pairs) for world, pairs in worlds]
    assert 0.88 <= statistics.mean(found) <= 0.91
    assert min(found) > 0.8


def test_one_good_criterion_decides_better_than_chance_and_far_below_the_oracle(
    worlds: Worlds,
) -> None:
    perfect = [(w, perfect_accuracies(pairs)) for w, pairs in worlds]
    cared = statistics.mean(accuracy[q] for w, accuracy in perfect for q in w.cared)
    weightiest = statistics.mean(accuracy[w.cared[0]] for w, accuracy in perfect)
    assert 0.70 <= cared <= 0.77
    assert cared < weightiest <= 0.82


def test_a_useless_quality_decides_like_a_coin_and_a_disliked_one_worse(
    worlds: Worlds,
) -> None:
    perfect = [(w, perfect_accuracies(pairs)) for w, pairs in worlds]
    assert statistics.mean(a[q] for w, a in perfect for q in w.irrelevant) == pytest.approx(0.5, abs=0.02)
    assert statistics.mean(a[q] for w, a in perfect for q in w.disliked) < 0.47


def majority(world: World, pairs: list[Pair], concepts: int, variants: int = 1) -> float:
    votes = [votes_by(wording(q, concepts, v), pairs, world.seed) for q in world.cared for v in range(variants)]
    return agreement(np.sum(votes, axis=0), pairs)


def test_a_majority_of_well_worded_criteria_comes_near_the_oracle(worlds: Worlds) -> None:
    assert 0.83 <= statistics.mean(majority(w, pairs, 8) for w, pairs in worlds) <= 0.87


def test_a_majority_of_weakly_worded_criteria_stays_behind(worlds: Worlds) -> None:
    assert 0.74 <= statistics.mean(majority(w, pairs, 1) for w, pairs in worlds) <= 0.80


def test_weak_words_cost_a_criterion_accuracy_and_coverage(worlds: Worlds) -> None:
    weak = [(votes_by(wording(w.cared[0], 1), pairs, w.seed), pairs) for w, pairs in worlds]
    strong = [(votes_by(wording(w.cared[0], 8), pairs, w.seed), pairs) for w, pairs in worlds]
    gained = statistics.mean(decided_accuracy(*s) - decided_accuracy(*v) for s, v in zip(strong, weak, strict=True))
    assert gained > 0.03
    assert np.mean([(v != 0).mean() for v, _ in weak]) < np.mean([(v != 0).mean() for v, _ in strong]) - 0.05


def test_words_that_point_at_nothing_decide_seldom_and_like_a_coin(worlds: Worlds) -> None:
    votes = [(votes_by("Charm: the text with more charm is better", pairs, w.seed), pairs) for w, pairs in worlds]
    assert statistics.mean(decided_accuracy(*v) for v in votes) == pytest.approx(0.5, abs=0.04)
    assert 0.25 < np.mean([(v != 0).mean() for v, _ in votes]) < 0.45


def test_a_judge_without_noise_decides_as_the_levels_do() -> None:
    world = World(1007)
    pairs = world.pairs(PAIRS, "exact")
    votes = votes_by(wording("clarity", 8), pairs, 0, Temper(noise=0.0))
    exact = perfect_accuracies(pairs)["clarity"]
    apart = votes != 0
    assert apart.mean() > 0.7
    assert decided_accuracy(votes, pairs) == pytest.approx(exact, abs=0.03)


def test_a_balance_counts_half() -> None:
    pairs = World(1000).pairs(2, "mining")
    assert agreement([0.0, 0.0], pairs) == 0.5
    assert agreement([float(p.sign) for p in pairs], pairs) == 1.0
    assert decided_accuracy(np.zeros(2), pairs) == 0.5
