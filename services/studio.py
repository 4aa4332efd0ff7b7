"""The manager graph for LangGraph Studio (`langgraph.json`), mining a small sample that lives in memory.

Judgments are answered as soon as they are wanted, so the graph runs through without a worker.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from langgraph.graph import END, START, StateGraph

from agents.graph import build
from agents.judge import Judge
from agents.judgments import Ask
from agents.manager import Brief, Manager
from agents.memory_ledger import MemoryLedger
from agents.mining import Mining, MiningState
from agents.pairs import Dataset, Pair
from agents.panel import Panel, seat_of
from agents.policies import policy_named

SAMPLE = Path(__file__).with_name("samples") / "howto_answers.jsonl"
SAMPLE_PAIRS = 40
ROUNDS = 2


class AnsweringLedger(MemoryLedger):
    """A ledger in memory whose judge answers at once."""

    def __init__(self, pairs: Sequence[Pair], judge: Judge) -> None:
        super().__init__(pairs)
        self._judge = judge

    def want(self, asks: Sequence[Ask]) -> int:
        if super().want(asks):
            # Studio's server may run this inside an event loop, where no second one can be started.
            with ThreadPoolExecutor(1) as own:
                own.submit(lambda: asyncio.run(self.answer_missing(self._judge))).result()
        return self.missing()


def sample_mining(dataset: Dataset, judge: Judge, manager: Manager) -> Mining:
    """A thread over a dataset, with nothing sealed."""
    brief = Brief(dataset.pairs[:SAMPLE_PAIRS], dataset.description, "answers", 0)
    ledger, policy = AnsweringLedger(brief.pairs, judge), policy_named("robust", rounds=ROUNDS)
    return Mining(brief, (), ledger, manager, policy, Panel(seats=(seat_of(judge),)))


def studio_graph(mining: Mining) -> Any:
    """The manager graph with its context filled in, compiled; Studio shows it as a subgraph of one node."""
    inner = build().compile()

    def mine(state: MiningState) -> Any:
        return inner.invoke(state, {"recursion_limit": 1000}, context=mining)

    outer: StateGraph[MiningState, None, MiningState, MiningState] = StateGraph(MiningState)
    outer.add_node("mine", mine)
    outer.add_edge(START, "mine")
    outer.add_edge("mine", END)
    return outer.compile()


def graph() -> Any:
    """The factory that `langgraph.json` names."""
    from agents.signal_judge import SignalJudge
    from agents.signals.measurement import MemoryCache
    from agents.statistical_manager import StatisticalManager
    from knowledge_base.entries import load_catalogue
    from knowledge_base.index import Index
    from services.datasets import read_dataset

    cache = MemoryCache()
    manager = StatisticalManager(Index.build(load_catalogue()), cache)
    return studio_graph(sample_mining(read_dataset(SAMPLE).dataset, SignalJudge(cache), manager))
