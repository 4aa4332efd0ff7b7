"""Which pairs are shown in the other order, too: none, all, those that were decided, or a sample of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
from made_up import LINEAGE, ScriptedJudge, ScriptedManager, criterion, mining, pairs

from agents.assessment import Assessment
from agents.local_run import run_local
from agents.panel import FLIPS, Looks, in_sample
from agents.robust_policy import RobustPolicy

GOOD = criterion("good")
POLICY = RobustPolicy(
    size=3, rounds=1, candidates=6, first_rung=4, survive=0.5, floor=0.1, keep=0.6, drop=0.5, false_share=1.0,
    same_votes=2.0, gain_level=0.3, trust=0.2, spread=0.3,
)  # fmt: skip
"""The default policy with numbers of these tests, so that tuning its own changes none of them."""

MANY = "AB" * 30


def looked(looks: Looks, first: str, second: str) -> tuple[dict[str, set[str]], Assessment]:
    """Orders in which each pair was shown by the criterion `good`, and what it came to."""
    judge = ScriptedJudge({"good": first}, {"good": second})
    thread = mining(pairs(MANY), ScriptedManager([GOOD]), replace(POLICY, looks=looks), symmetric=False)
    run_local(thread, judge, LINEAGE)
    shown: dict[str, set[str]] = {}
    for ask, _, pair in judge.asked:
        shown.setdefault(pair.hash, set()).add(ask.order)
    return shown, thread.ledger.records()[0].entries[0].assessment


def turned_at(places: Sequence[int]) -> str:
    """What a judge says in one order if it says `MANY` in the other but turns round at these pairs."""
    other = {"A": "B", "B": "A"}
    return "".join(other[c] if i in places else c for i, c in enumerate(MANY))


SAMPLED = [int(p.id) for p in pairs(MANY) if in_sample(p.hash)]


def test_where_the_order_hardly_matters_only_a_sample_is_shown_twice() -> None:
    shown, found = looked("sampled", MANY, MANY)
    twice = {pair for pair, orders in shown.items() if len(orders) == 2}
    assert len(shown) == 60
    assert twice == {pair for pair in shown if in_sample(pair)}
    assert 0 < len(twice) < 30
    assert found.flip_rate == 0.0


def test_where_the_order_matters_every_decision_is_looked_at_again() -> None:
    shown, found = looked("sampled", MANY, "A" * 60)
    assert all(len(orders) == 2 for orders in shown.values())
    assert found.flip_rate == pytest.approx(0.5)


@pytest.mark.parametrize("more", [0, 1])
def test_a_few_flips_are_those_of_repeated_answers_and_one_more_is_the_order(more: int) -> None:
    few = int(FLIPS * len(SAMPLED))
    shown, found = looked("sampled", MANY, turned_at(SAMPLED[: few + more]))
    assert sum(len(orders) == 2 for orders in shown.values()) == (60 if more else len(SAMPLED))
    assert found.flip_rate > 0


def test_flips_outside_the_sample_are_not_seen() -> None:
    shown, found = looked("sampled", MANY, turned_at([i for i in range(60) if i not in SAMPLED]))
    assert sum(len(orders) == 2 for orders in shown.values()) == len(SAMPLED)
    assert found.flip_rate == 0.0


def test_a_sample_looks_again_only_at_decisions() -> None:
    shown, _ = looked("sampled", "-" * 60, "-" * 60)
    assert {len(orders) for orders in shown.values()} == {1}


@pytest.mark.parametrize(("looks", "asked"), [("one", 60), ("both", 120), ("second", 120)])
def test_the_other_kinds_of_looks_show_what_they_say(looks: Looks, asked: int) -> None:
    shown, _ = looked(looks, MANY, MANY)
    assert sum(map(len, shown.values())) == asked


def test_a_second_look_follows_a_decision_only() -> None:
    half = "AB" * 15 + "-" * 30
    shown, _ = looked("second", half, half)
    decided = {p.hash for p in pairs(MANY)[:30]}
    assert {pair for pair, orders in shown.items() if len(orders) == 2} == decided


def test_who_loses_the_race_is_looked_at_once() -> None:
    bad = [criterion(f"bad {i}") for i in range(5)]
    turned = MANY.translate(str.maketrans("AB", "BA"))
    script = {"good": MANY} | {c.name: turned for c in bad}
    judge = ScriptedJudge(script, {})
    thread = mining(pairs(MANY), ScriptedManager([GOOD, *bad]), POLICY, symmetric=False)
    run_local(thread, judge, LINEAGE)
    per_cell = Counter((by.name, pair.id) for _, by, pair in judge.asked)
    beaten = {by.name for by in [GOOD, *bad] if sum(name == by.name for name, _ in per_cell) < 60}
    assert beaten
    assert {count for (name, _), count in per_cell.items() if name in beaten} == {1}
    assert {count for (name, _), count in per_cell.items() if name == "good"} == {2}
