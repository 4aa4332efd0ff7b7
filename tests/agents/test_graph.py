"""The manager graph interrupts for judgments, keeps ids only, and goes on after a kill as if nothing had happened."""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command
from made_up import LINEAGE, ScriptedJudge, ScriptedManager, criterion, mining, pair, pairs

from agents import graph
from agents.memory_ledger import MemoryLedger
from agents.mining import Mining, MiningState
from agents.outcome import Outcome, conclude
from agents.pairs import Pair
from agents.paper_policy import PaperPolicy
from agents.policy import Policy
from agents.robust_policy import RobustPolicy

CONFIG: Any = {"configurable": {"thread_id": "t"}, "recursion_limit": 200}
PREFERRED = "AABBAABBAABB"
TURNED = PREFERRED.translate(str.maketrans("AB", "BA"))
NAMES = ("good", "middling", "poor", "better", "late", "later")
GOOD, MIDDLING, POOR, BETTER, LATE, LATER = (criterion(n) for n in NAMES)
SCRIPT = {
    "good": PREFERRED + "AB", "middling": "AABBAABBBBAA" + "BA", "poor": TURNED, "better": "AABBAABBAABA" + "AA",
    "late": "AABBAABBAAAA", "later": "BABBAABBAABB",
}  # fmt: skip
SEALED = (pair(12, "A"), pair(13, "B"))
NODES = ("seed", "dispatch", "wait", "assess", "reflect", "refine", "replace", "examine", "finish")
POLICIES: list[Policy] = [
    PaperPolicy(size=4, rounds=3),
    RobustPolicy(size=4, rounds=3, candidates=6, first_rung=4, keep=0.7, drop=0.5, floor=0.1, false_share=1.0),
]


class Killed(BaseException):
    """Stands for the end of the process: nothing in the graph may catch it."""


def manager() -> ScriptedManager:
    return ScriptedManager([GOOD, MIDDLING, POOR], [[LATE], [LATER]], {"middling": BETTER})


def thread(policy: Policy, mined: Sequence[Pair] = pairs(PREFERRED), sealed: Sequence[Pair] = SEALED) -> Mining:
    return mining(mined, manager(), policy, sealed)


@contextmanager
def checkpoints(place: Path) -> Iterator[SqliteSaver]:
    """What a process finds of the thread. The disk need not keep up: only processes die here."""
    with closing(sqlite3.connect(place, check_same_thread=False)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        yield SqliteSaver(connection)


def go_on(place: Path, mining: Mining) -> bool:
    """What a fresh process does: load the thread and run until it interrupts or ends. Returns whether it ended."""
    with checkpoints(place) as saver:
        compiled = graph.build().compile(checkpointer=saver)
        snapshot = compiled.get_state(CONFIG)
        waiting = any(task.interrupts for task in snapshot.tasks)
        given: Any = {} if snapshot.created_at is None else Command(resume=True) if waiting else None
        compiled.invoke(given, CONFIG, context=mining, durability="sync")
        return not compiled.get_state(CONFIG).next


def state(place: Path) -> MiningState:
    with checkpoints(place) as saver:
        found: Any = graph.build().compile(checkpointer=saver).get_state(CONFIG).values
        return found  # type: ignore[no-any-return]  # LangGraph types values as a plain dictionary


def answer(mining: Mining) -> None:
    assert isinstance(mining.ledger, MemoryLedger)
    asyncio.run(mining.ledger.answer_missing(ScriptedJudge(SCRIPT)))


def finish(place: Path, mining: Mining) -> tuple[Outcome, int]:
    """Run to the end as a new process after every interrupt and every kill; returns also the number of kills."""
    kills = 0
    for _ in range(60):
        try:
            if go_on(place, mining):
                return conclude(state(place), mining, LINEAGE), kills
            answer(mining)
        except Killed:
            kills += 1
    raise AssertionError("the thread does not end")


def dying(node: Callable[..., MiningState], at: int, after: bool) -> Callable[..., MiningState]:
    """The node, but the process dies in its run number `at`: before it begins or when all its work is done."""
    begun = done = 0

    @functools.wraps(node)
    def run(state: MiningState, runtime: Any) -> MiningState:
        nonlocal begun, done
        begun += 1
        if begun == at and not after:
            raise Killed
        result = node(state, runtime)
        done += 1
        if done == at and after:
            raise Killed
        return result

    return run


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Outcome, list[Any]]]:
    """Outcome and records by policy, of runs that nothing disturbed."""
    found = {}
    for policy in POLICIES:
        alone = thread(policy)
        outcome, _ = finish(tmp_path_factory.mktemp("whole") / f"{policy.name}.db", alone)
        found[policy.name] = (outcome, alone.ledger.records())
    return found


@pytest.mark.parametrize(
    ("policy", "after"), [(POLICIES[0], False), (POLICIES[1], True)], ids=["before-paper", "after-robust"]
)
@pytest.mark.parametrize("node", NODES)
def test_a_process_killed_in_any_node_leaves_the_same_set(
    node: str, after: bool, policy: Policy, undisturbed: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph, node, dying(getattr(graph, node), 1, after))
    killed = thread(policy)
    outcome, kills = finish(tmp_path / "t.db", killed)
    assert kills == 1
    assert (outcome, killed.ledger.records()) == undisturbed[policy.name]


@pytest.mark.parametrize("node", ["dispatch", "wait", "assess", "refine", "replace"])
def test_a_process_killed_in_a_later_round_leaves_the_same_set(
    node: str, undisturbed: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph, node, dying(getattr(graph, node), 2, after=True))
    killed = thread(POLICIES[0])
    outcome, kills = finish(tmp_path / "t.db", killed)
    assert kills == 1
    assert (outcome, killed.ledger.records()) == undisturbed["paper"]


def test_a_kill_makes_nobody_judge_anything_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "dispatch", dying(graph.dispatch, 2, after=True))
    judge, killed = ScriptedJudge(SCRIPT), thread(POLICIES[0])
    assert isinstance(killed.ledger, MemoryLedger)
    ended = False
    while not ended:
        try:
            ended = go_on(tmp_path / "t.db", killed)
        except Killed:
            continue
        asyncio.run(killed.ledger.answer_missing(judge))
    keys = [ask.key for ask, _, _ in judge.asked]
    assert len(keys) == len(set(keys))


def test_the_graph_interrupts_with_the_number_of_missing_judgments(tmp_path: Path) -> None:
    waiting = thread(POLICIES[0])
    assert not go_on(tmp_path / "t.db", waiting)
    assert waiting.ledger.missing() == 3 * len(PREFERRED)


def test_resumed_too_early_it_interrupts_again(tmp_path: Path) -> None:
    waiting = thread(POLICIES[0])
    go_on(tmp_path / "t.db", waiting)
    before = state(tmp_path / "t.db")
    assert not go_on(tmp_path / "t.db", waiting)
    assert not go_on(tmp_path / "t.db", waiting)
    assert state(tmp_path / "t.db") == before


def test_the_manager_is_asked_once_for_seeds_however_often_the_graph_is_resumed(tmp_path: Path) -> None:
    waiting = thread(POLICIES[0])
    for _ in range(4):
        go_on(tmp_path / "t.db", waiting)
    assert isinstance(waiting.manager, ScriptedManager)
    assert len(waiting.manager.briefs) == 1


def test_the_state_holds_ids_and_labels_only(tmp_path: Path) -> None:
    finish(tmp_path / "t.db", thread(POLICIES[0]))
    told = json.dumps(state(tmp_path / "t.db"))
    assert "text" not in told
    assert not [n for n in NAMES if f'"{n}"' in told]
    assert GOOD.hash in told


def test_the_state_keeps_the_fields_that_are_documented(tmp_path: Path) -> None:
    finish(tmp_path / "t.db", thread(POLICIES[0]))
    assert set(state(tmp_path / "t.db")) <= set(MiningState.__annotations__)
    documented = inspect.getdoc(MiningState) or ""
    assert all(f"{name}" in documented for name in MiningState.__annotations__)


def test_sealed_pairs_are_judged_last_by_the_final_set_only(tmp_path: Path) -> None:
    judge, sealing = ScriptedJudge(SCRIPT), thread(POLICIES[0])
    assert isinstance(sealing.ledger, MemoryLedger)
    while not go_on(tmp_path / "t.db", sealing):
        asyncio.run(sealing.ledger.answer_missing(judge))
    of_sealed = [(at, by.hash) for at, (_, by, of) in enumerate(judge.asked) if int(of.id) >= len(PREFERRED)]
    final = state(tmp_path / "t.db")["final"]
    assert sorted(by for _, by in of_sealed) == sorted(final * len(SEALED))
    assert min(at for at, _ in of_sealed) == len(judge.asked) - len(of_sealed)


def test_the_manager_never_sees_a_sealed_pair(tmp_path: Path) -> None:
    sealing = thread(POLICIES[0])
    finish(tmp_path / "t.db", sealing)
    spy = sealing.manager
    assert isinstance(spy, ScriptedManager)
    assert spy.refined
    assert all(brief.pairs == pairs(PREFERRED) for brief in spy.briefs)
    shown = [m.pair for cases in (*spy.refined, *spy.failures) for case in cases for m in case.mistakes]
    assert shown
    assert not {p.hash for p in shown} & {p.hash for p in SEALED}


def test_without_sealed_pairs_the_graph_ends_as_soon_as_the_set_is_composed(tmp_path: Path) -> None:
    outcome, _ = finish(tmp_path / "t.db", thread(POLICIES[0], sealed=()))
    assert (outcome.sealed, outcome.sealed_assessments) == ((), ())
    assert outcome.criteria_set.members


@pytest.mark.parametrize("policy", POLICIES, ids=lambda p: p.name)
def test_the_order_of_the_pairs_in_the_file_does_not_change_the_set(
    policy: Policy, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    outcome, _ = finish(tmp_path / "t.db", thread(policy, pairs(PREFERRED)[::-1], SEALED[::-1]))
    assert outcome.criteria_set.model_dump_json() == undisturbed[policy.name][0].criteria_set.model_dump_json()
