"""The chat manager in a simulated world: it finds what people care about, and critiques make words clearer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_up import LINEAGE
from writing_model import SECRET, case_of

from agents.chat.judge import ChatJudge
from agents.chat.manager import ChatManager
from agents.local_run import run_local
from agents.manager import Brief
from agents.memory_ledger import MemoryLedger
from agents.mining import Mining
from agents.panel import Panel, seat_of
from agents.policies import policy_named
from benchmarks.scripted.in_process import ScriptedModel
from benchmarks.world.dialect import world_answer
from benchmarks.world.people import DESCRIPTION, World
from benchmarks.world.pointing import point
from knowledge_base.criterion import Criterion

SEED = 1001
"""Not one of the worlds that results are reported for."""

WORLD = World(SEED)
BRIEF = Brief(tuple(WORLD.pairs(20, "mining")), DESCRIPTION, "answers", 3)


def manager(**insight: float) -> ChatManager:
    return ChatManager(ScriptedModel(world_answer(SEED, insight=insight)), None, secret=SECRET)


def meant(criterion: Criterion) -> str:
    return point(criterion.words).main


def share_cared_for(found: list[Criterion]) -> float:
    cared = {*WORLD.cared, *WORLD.disliked}
    return sum(meant(criterion) in cared for criterion in found) / len(found)


def test_every_reply_of_the_world_is_read() -> None:
    doing = manager()
    seeds = [p.criterion for p in doing.seed(BRIEF, 12)]
    doing.refine(BRIEF, [case_of(c, BRIEF.pairs[:3]) for c in seeds[:4]])
    doing.replace(BRIEF, seeds[:4], [case_of(c, BRIEF.pairs[:3]) for c in seeds[4:8]], seeds[8:], 6)
    assert len(seeds) == 12
    assert doing.notes == []


def test_more_seeds_are_about_what_people_care_for_than_by_chance() -> None:
    blind = [p.criterion for p in manager().seed(replace(BRIEF, pairs=()), 40)]
    told = [p.criterion for p in manager().seed(BRIEF, 40)]
    assert share_cared_for(told) > share_cared_for(blind) + 0.1


def test_the_first_half_of_the_seeds_is_better_than_the_second() -> None:
    found = [p.criterion for p in manager().seed(BRIEF, 40)]
    assert share_cared_for(found[:20]) > share_cared_for(found[20:])


def test_a_skilled_manager_makes_words_clearer() -> None:
    doing = manager(skill=1.0, spoils=0.0, drifts=0.0)
    seeds = [p.criterion for p in doing.seed(BRIEF, 16) if meant(p.criterion) in WORLD.cared]
    cases = [case_of(c, [p for p in BRIEF.pairs if p.preferred != "tie"][:6]) for c in seeds]
    pairs = [(c, p.criterion) for c, p in zip(seeds, doing.refine(BRIEF, cases), strict=True) if p]
    assert pairs
    assert all(meant(new) == meant(old) for old, new in pairs)
    gained = [point(new.words).reliability - point(old.words).reliability for old, new in pairs]
    assert sum(gained) / len(gained) > 0.1


def test_a_rewrite_under_a_wrong_name_keeps_its_own() -> None:
    doing = manager(echoes=1.0)
    seeds = [p.criterion for p in doing.seed(BRIEF, 6)]
    found = doing.refine(BRIEF, [case_of(c, BRIEF.pairs[:4]) for c in seeds])
    assert any(found)
    assert all(p is None or p.criterion.name == c.name for p, c in zip(found, seeds, strict=True))


@pytest.mark.parametrize("policy", ["paper", "robust"])
def test_a_whole_run_with_chat_workers_beats_a_coin_on_sealed_pairs(policy: str) -> None:
    sealed = tuple(WORLD.pairs(60, "sealed"))
    judge = ChatJudge(ScriptedModel(world_answer(SEED)), secret=SECRET, head_start=0.0)
    panel = Panel(seats=(seat_of(judge, free=False),))
    brief = replace(BRIEF, thorough=policy == "paper")
    ledger = MemoryLedger([*brief.pairs, *sealed])
    thread = Mining(brief, sealed, ledger, manager(), policy_named(policy, size=6, rounds=2), panel)
    outcome = run_local(thread, judge, LINEAGE)
    assert sum(o.truth * o.majority > 0 for o in outcome.sealed) > 0.6 * len(sealed)
