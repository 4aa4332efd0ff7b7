"""The same inputs give the same criteria set, byte for byte, in any process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from made_up_texts import answer_pair, brief, small_index

from agents.criteria_set import CriteriaSet, Lineage
from agents.local_run import run_local
from agents.manager import Brief
from agents.memory_ledger import MemoryLedger
from agents.mining import Mining
from agents.panel import Panel, seat_of
from agents.policies import policy_named
from agents.signal_judge import SignalJudge
from agents.signals.measurement import MemoryCache
from agents.statistical_manager import StatisticalManager

HERE = Path(__file__).parent
CACHE = MemoryCache()
PROGRAM = """
import knowledge_base.embedding
import letter_vectors
knowledge_base.embedding.embed = letter_vectors.embed
from test_reproducibility import mined
print(mined("robust").model_dump_json())
"""


def mined(policy: str, backwards: bool = False) -> CriteriaSet:
    """The set that the embedded parties mine from the made-up answers."""
    told = brief()
    sealed = tuple(map(answer_pair, range(40, 44)))
    judge, manager = SignalJudge(CACHE), StatisticalManager(small_index(), CACHE)
    chosen = policy_named(policy, size=6, rounds=3)
    used = Brief(told.pairs[::-1] if backwards else told.pairs, told.description, told.domain, told.seed)
    thread = Mining(used, sealed, MemoryLedger([*told.pairs, *sealed]), manager, chosen, Panel(seats=(seat_of(judge),)))
    lineage = Lineage(
        dataset="made-up", pairs=len(told.pairs), judge=judge.fingerprint, manager=manager.fingerprint, policy=policy,
        rounds=chosen.rounds, size=chosen.size, seed=told.seed,
    )  # fmt: skip
    return run_local(thread, judge, lineage).criteria_set


def start(hash_seed: str) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(HERE), str(HERE.parents[1])])
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": path}
    return subprocess.Popen([sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE, text=True)


def test_two_processes_that_hash_differently_mine_the_same_bytes() -> None:
    first, second = (process.communicate()[0] for process in [start("1"), start("2")])
    assert len(CriteriaSet.model_validate_json(first).members) > 1
    assert first == second


@pytest.mark.parametrize("policy", ["paper", "robust"])
def test_the_order_of_the_pairs_in_the_file_changes_no_byte(policy: str) -> None:
    assert mined(policy).model_dump_json() == mined(policy, backwards=True).model_dump_json()


def test_a_second_run_with_everything_measured_already_gives_the_same_set() -> None:
    assert mined("robust").version == mined("robust").version
