"""Mining in one process, for the library, tests and benchmarks; `services` runs the same graph over a queue."""

from __future__ import annotations

import asyncio
from typing import cast

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from agents.criteria_set import Lineage
from agents.graph import build
from agents.judge import Judge
from agents.memory_ledger import MemoryLedger
from agents.mining import Mining, MiningState
from agents.outcome import Outcome, conclude

RECURSION_LIMIT = 1000


def run_local(mining: Mining, judge: Judge, lineage: Lineage) -> Outcome:
    """Drive the graph to its end, answering what is missing at every interrupt.

    Raises:
        TypeError: `mining.ledger` is not a `MemoryLedger`; a durable ledger is driven by `services`.
    """
    ledger = mining.ledger
    if not isinstance(ledger, MemoryLedger):
        raise TypeError(f"run_local needs a MemoryLedger, not {type(ledger).__name__}")
    graph = build().compile(checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "local"}, "recursion_limit": RECURSION_LIMIT}
    result = graph.invoke({}, config, context=mining)
    while "__interrupt__" in result:
        asyncio.run(ledger.answer_missing(judge))
        result = graph.invoke(Command(resume=True), config, context=mining)
    return conclude(cast(MiningState, result), mining, lineage)
