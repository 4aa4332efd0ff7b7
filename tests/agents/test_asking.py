"""What is asked of the workers: which orders, of whom, how often, and what is asked no more once a budget is spent."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import pytest
from made_up import LINEAGE, ScriptedJudge, ScriptedManager, criterion, mining, pairs

from agents import steps
from agents.local_run import run_local
from agents.memory_ledger import MemoryLedger
from agents.mining import Mining
from agents.panel import Looks, Panel, Seat, first_look
from agents.paper_policy import PaperPolicy
from agents.policy import Policy
from agents.robust_policy import RobustPolicy

PREFERRED = "AABBAABB"
GOOD, OTHER, POOR = (criterion(n) for n in ("good", "other", "poor"))
SCRIPT = {"good": PREFERRED, "other": "AABBAABA", "poor": "BBAABBAA", "never": "--------", "new": "AABBAAAA"}


def policy(looks: Looks) -> RobustPolicy:
    return RobustPolicy(size=3, rounds=1, candidates=3, first_rung=8, looks=looks)


def asked(looks: Looks, first: str, other: str) -> Counter[str]:
    """How often each pair was shown, by a judge of whom both orders are scripted."""
    judge = ScriptedJudge({"good": first}, second={"good": other})
    thread = mining(pairs(PREFERRED), ScriptedManager([GOOD]), policy(looks), symmetric=False)
    run_local(thread, judge, LINEAGE)
    return Counter(of.id for _, _, of in judge.asked)


@pytest.mark.parametrize(("looks", "times"), [("one", 1), ("both", 2), ("second", 2)])
def test_a_decided_pair_is_shown_as_often_as_the_policy_looks(looks: Looks, times: int) -> None:
    assert set(asked(looks, "A" * 8, "A" * 8).values()) == {times}


@pytest.mark.parametrize(("looks", "times"), [("one", 1), ("both", 2), ("second", 1)])
def test_after_an_abstention_a_second_look_changes_nothing_and_is_saved(looks: Looks, times: int) -> None:
    assert set(asked(looks, "-" * 8, "-" * 8).values()) == {times}


def test_which_order_comes_first_is_as_good_as_random_and_always_the_same() -> None:
    orders = [first_look(p.hash, symmetric=False) for p in pairs("A" * 200)]
    assert 70 < orders.count("ab") < 130
    assert orders == [first_look(p.hash, symmetric=False) for p in pairs("B" * 200)]


def test_a_symmetric_judge_is_always_shown_a_first() -> None:
    assert {first_look(p.hash, symmetric=True) for p in pairs("A" * 50)} == {"ab"}


def test_every_seat_of_a_panel_answers_as_often_as_it_has_samples() -> None:
    panel = Panel(seats=(Seat(judge="one", samples=3), Seat(judge="two", symmetric=True)))
    made = panel.asks("c", "p", ("ab", "ba"))
    assert Counter((a.judge, a.order) for a in made) == {("one", "ab"): 3, ("one", "ba"): 3, ("two", "ab"): 1}
    assert len({a.key for a in made}) == len(made)


def test_a_panel_is_named_after_its_judges() -> None:
    assert Panel(seats=(Seat(judge="one", samples=3), Seat(judge="two"))).name == "3 x one + two"


def screened(known: list[str], later: list[str]) -> tuple[Mining, ScriptedManager, ScriptedJudge]:
    manager = ScriptedManager([], [[criterion(n) for n in later]])
    manager.known = [criterion(n) for n in known]
    thread = mining(pairs(PREFERRED), manager, PaperPolicy(size=2, rounds=1, screens=True))
    return thread, manager, ScriptedJudge(SCRIPT)


def test_screening_has_the_whole_knowledge_base_meet_every_pair_and_keeps_the_best() -> None:
    thread, manager, judge = screened(["good", "other", "poor", "never"], [])
    outcome = run_local(thread, judge, LINEAGE)
    assert {by.name for _, by, _ in judge.asked} == {"good", "other", "poor", "never"}
    assert {c.name for c in outcome.criteria_set.criteria} == {"good", "other"}
    assert manager.rooms == []


def test_the_manager_writes_what_the_screening_leaves_wanting() -> None:
    thread, manager, judge = screened(["good", "poor"], ["new"])
    outcome = run_local(thread, judge, LINEAGE)
    assert manager.rooms == [1]
    assert {c.name for c in outcome.criteria_set.criteria} == {"good", "new"}
    record = thread.ledger.records()[0]
    assert (record.candidates, record.raced_out) == (3, 1)


def test_what_screening_judged_is_not_judged_again() -> None:
    thread, _, judge = screened(["good", "other"], [])
    run_local(thread, judge, LINEAGE)
    assert len(judge.asked) == len({a.key for a, _, _ in judge.asked}) == 16


def test_an_empty_knowledge_base_leaves_all_to_the_manager() -> None:
    manager = ScriptedManager([GOOD, OTHER])
    thread = mining(pairs(PREFERRED), manager, PaperPolicy(size=2, rounds=1, screens=True))
    outcome = run_local(thread, ScriptedJudge(SCRIPT), LINEAGE)
    assert len(outcome.criteria_set.criteria) == 2


@dataclass
class Purse:
    """How many judgments may still come."""

    left: int


class PoorLedger(MemoryLedger):
    """A ledger whose run has money for so many judgments; then nothing that is missing will ever come."""

    purse: Purse = Purse(0)

    def spent(self) -> bool:
        return self.purse.left <= 0

    def missing(self) -> int:
        return 0 if self.spent() else super().missing()

    async def answer_missing(self, judge: object) -> int:
        came = await super().answer_missing(judge)  # type: ignore[arg-type]
        self.purse.left -= came
        return came


def poor_thread(chosen: Policy, money: int, manager: ScriptedManager) -> Mining:
    thread = mining(pairs(PREFERRED), manager, chosen)
    ledger = PoorLedger(thread.brief.pairs)
    ledger.purse = Purse(money)
    return replace(thread, ledger=ledger)


def test_a_spent_budget_ends_the_rounds_with_the_best_set_so_far() -> None:
    manager = ScriptedManager([GOOD, OTHER, POOR], [[criterion("new")]] * 3)
    thread = poor_thread(PaperPolicy(size=3, rounds=3), 20, manager)
    outcome = run_local(thread, ScriptedJudge(SCRIPT), LINEAGE)
    assert {c.name for c in outcome.criteria_set.criteria} == {"good", "other"}
    assert manager.rooms == []
    assert len(thread.ledger.records()) == 1


def test_a_budget_spent_in_the_middle_of_a_race_still_gives_a_set() -> None:
    manager = ScriptedManager([GOOD, OTHER, POOR])
    chosen = RobustPolicy(size=1, rounds=3, candidates=3, first_rung=4, survive=0.3)
    outcome = run_local(poor_thread(chosen, 1, manager), ScriptedJudge(SCRIPT), LINEAGE)
    assert len(outcome.criteria_set.criteria) == 1
    assert outcome.criteria_set.criteria[0].name in {"good", "other"}


def test_a_spent_budget_asks_the_manager_nothing() -> None:
    manager = ScriptedManager([GOOD, OTHER, POOR], rewrites={"poor": criterion("better")})
    thread = poor_thread(PaperPolicy(size=3, rounds=3), 0, manager)
    state = steps.seed(thread)
    steps.refine(state | {"refining": [GOOD.hash]}, thread)
    steps.replace(state, thread)
    assert (manager.refined, manager.rooms) == ([], [])
