"""A run that starts from an approved set: its criteria come first, meet every pair, and may be beaten."""

from __future__ import annotations

from dataclasses import replace

import made_up
from made_up import ScriptedJudge, ScriptedManager, criterion

from agents.local_run import run_local
from agents.mining import Mining
from agents.paper_policy import PaperPolicy
from agents.policy import Policy
from agents.robust_policy import RobustPolicy
from knowledge_base.criterion import Criterion

PREFERRED = "AB" * 20
RIGHT, WRONG = PREFERRED, "BA" * 20
HALF = "AB" * 10 + "BA" * 10
GOOD, POOR, NEW = criterion("good"), criterion("poor"), criterion("new")


def thread(manager: ScriptedManager, incumbents: tuple[Criterion, ...], policy: Policy | None = None) -> Mining:
    made = made_up.mining(made_up.pairs(PREFERRED), manager, policy or PaperPolicy(size=2, rounds=2))
    return replace(made, brief=replace(made.brief, incumbents=incumbents))


def run(mining: Mining, script: dict[str, str]) -> tuple[list[str], list[tuple[str, str]]]:
    """Names of the set's criteria, and (name, origin) of the first round's entries."""
    outcome = run_local(mining, ScriptedJudge(script), made_up.LINEAGE)
    first = mining.ledger.records()[0]
    return [c.name for c in outcome.criteria_set.criteria], [(e.name, e.origin) for e in first.entries]


def test_incumbents_enter_the_first_round_beside_what_the_manager_seeds() -> None:
    names, entries = run(thread(ScriptedManager([NEW]), (GOOD,)), {"good": RIGHT, "new": RIGHT[:36] + WRONG[36:]})
    assert sorted(entries) == [("good", "incumbent"), ("new", "manager")]
    assert names[0] == "good"


def test_an_incumbent_that_fits_no_more_is_replaced() -> None:
    manager = ScriptedManager([NEW])
    names, _ = run(thread(manager, (POOR,)), {"poor": WRONG, "new": RIGHT})
    assert names == ["new"]
    assert [c.name for c in manager.banned[0]] == ["poor"]


def test_an_incumbent_that_the_manager_proposes_again_stays_an_incumbent() -> None:
    _, entries = run(thread(ScriptedManager([GOOD, NEW]), (GOOD,)), {"good": RIGHT, "new": RIGHT})
    assert dict(entries)["good"] == "incumbent"
    assert len(entries) == 2


def test_an_incumbent_is_not_lost_to_chance_on_the_few_pairs_of_a_race() -> None:
    """Against many that shine on the first pairs and fail afterwards."""
    flashes = [criterion(f"flash {i}") for i in range(12)]
    policy = RobustPolicy(size=2, rounds=1, candidates=12, first_rung=4, survive=0.2, alive=2)
    mining = thread(ScriptedManager(flashes), (GOOD,), policy)
    order = sorted(range(40), key=lambda i: mining.brief.pairs[i].hash)
    first, rest = order[:8], order[8:]
    good, flash = list(RIGHT), list(WRONG)
    for i in first:
        good[i], flash[i] = WRONG[i], RIGHT[i]
    assert len(rest) == 32
    names, entries = run(mining, {"good": "".join(good)} | {f.name: "".join(flash) for f in flashes})
    assert ("good", "incumbent") in entries
    assert names[0] == "good"


def test_incumbents_are_screened_with_the_knowledge_base() -> None:
    manager = ScriptedManager([NEW])
    manager.known = [criterion("known"), GOOD]
    policy = PaperPolicy(size=3, rounds=1, screens=True)
    _, entries = run(thread(manager, (GOOD,), policy), {"good": RIGHT, "known": RIGHT, "new": HALF})
    assert dict(entries)["good"] == "incumbent"
    assert dict(entries)["known"] == "knowledge base"


def test_without_incumbents_nothing_is_different() -> None:
    script = {"new": RIGHT, "good": HALF}
    plain = made_up.mining(made_up.pairs(PREFERRED), ScriptedManager([NEW, GOOD]), PaperPolicy(size=2, rounds=2))
    assert run(plain, script) == run(thread(ScriptedManager([NEW, GOOD]), ()), script)
