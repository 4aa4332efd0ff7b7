"""Mining in one process, for the library, tests and benchmarks; `services` runs the same graph over a queue."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from agents.criteria_set import Lineage
from agents.graph import build
from agents.judge import Judge
from agents.memory_ledger import MemoryLedger
from agents.mining import Mining, MiningState
from agents.outcome import Outcome, conclude
from knowledge_base.errors import RunError

RECURSION_LIMIT = 1000


def run_local(mining: Mining, judge: Judge, lineage: Lineage) -> Outcome:
    """Drive the graph to its end, answering what is missing at every interrupt.

    Raises:
        TypeError: `mining.ledger` is not a `MemoryLedger`; a durable ledger is driven by `services`.
        RunError: the judge answers none of what is missing.
    """
    ledger = mining.ledger
    if not isinstance(ledger, MemoryLedger):
        raise TypeError(f"run_local needs a MemoryLedger, not {type(ledger).__name__}")
    graph = build().compile(checkpointer=InMemorySaver())
    config: RunnableConfig = {"configurable": {"thread_id": "local"}, "recursion_limit": RECURSION_LIMIT}
    start: MiningState = {}
    result = graph.invoke(start, config, context=mining)
    while "__interrupt__" in result:
        if not asyncio.run(ledger.answer_missing(judge)):
            raise RunError(f"judge {judge.fingerprint} left {ledger.missing()} judgments unanswered; mend the judge")
        resume: Command[Any] = Command(resume=True)
        result = graph.invoke(resume, config, context=mining)
    return conclude(cast(MiningState, result), mining, lineage)
