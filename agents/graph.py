"""The manager as a LangGraph graph: it decides, interrupts for judgments, and is resumed when they are there.

    seed -> dispatch -> wait* -> (screened -> top_up -> dispatch) -> assess
    assess -> (race on -> dispatch | enough -> examine | reflect)
    reflect -> refine -> replace -> dispatch ...        examine -> dispatch -> wait* -> finish
                                                        (* interrupts while judgments are missing)

The graph never calls a worker and its state holds ids only. Nodes may run again after a kill, so each one
either only reads, or writes the same thing twice. `wait` is a node of its own because an interrupted node
runs again from its start.
"""

from __future__ import annotations

from typing import Any, Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import interrupt

from agents import steps
from agents.mining import Mining, MiningState

Graph = StateGraph[MiningState, Mining, MiningState, MiningState]


def seed(state: MiningState, runtime: Runtime[Mining]) -> MiningState:
    """Ask the manager for the first candidates."""
    return steps.seed(runtime.context)


def dispatch(state: MiningState, runtime: Runtime[Mining]) -> MiningState:
    """Want the judgments that the current stage needs."""
    steps.dispatch(state, runtime.context)
    return {}


def wait(state: MiningState, runtime: Runtime[Mining]) -> MiningState:
    """Interrupt while judgments are missing; the payload says how many. What is there may make more wanted."""
    missing = runtime.context.ledger.missing() or steps.look_again(state, runtime.context)
    if missing:
        interrupt({"missing": missing})
    return {}


def top_up(state: MiningState, runtime: Runtime[Mining]) -> MiningState:
    """Keep the best of the screened knowledge base, and have the manager write what is wanting."""
    return steps.top_up(state, runtime.context)


def assess(state: MiningState, runtime: Runtime[Mining]) -> MiningState:
    """Drop the race's losers, or decide every contender's fate once all pairs are met."""
    return steps.assess(state, runtime.context)


def reflect(state: MiningState, runtime: Runtime[Mining]) -> MiningState:
    """Ban what failed; everything alive stays where it is."""
    return steps.reflect(state, runtime.context)


def refine(state: MiningState, runtime: Runtime[Mining]) -> MiningState:
    """Have the manager rewrite the middling criteria after their mistakes."""
    return steps.refine(state, runtime.context)


def replace(state: MiningState, runtime: Runtime[Mining]) -> MiningState:
    """Have the manager propose new candidates for what the failures missed."""
    return steps.replace(state, runtime.context)


def examine(state: MiningState, runtime: Runtime[Mining]) -> MiningState:
    """Compose the set; from here on only sealed pairs are judged."""
    return steps.examine(state, runtime.context)


def finish(state: MiningState, runtime: Runtime[Mining]) -> MiningState:
    """Nothing is left to ask."""
    return {"stage": "finished"}


def after_wait(state: MiningState, runtime: Runtime[Mining]) -> Literal["wait", "top_up", "assess", "finish"]:
    """Wait again if something is still missing; else to where the stage leads."""
    if runtime.context.ledger.missing():
        return "wait"
    if state["stage"] == "screen":
        return "top_up"
    return "finish" if state["stage"] == "sealed" else "assess"


def after_assess(state: MiningState, runtime: Runtime[Mining]) -> Literal["dispatch", "reflect"]:
    """Next rung of the race, or the end of the round."""
    return "dispatch" if steps.racing(state, runtime.context) else "reflect"


def after_reflect(state: MiningState, runtime: Runtime[Mining]) -> Literal["refine", "examine"]:
    """Another round, or enough."""
    return "examine" if steps.enough(state, runtime.context) else "refine"


def after_replace(state: MiningState, runtime: Runtime[Mining]) -> Literal["dispatch", "examine"]:
    """Judge the new contenders; if the manager had none, there is nothing left to do."""
    return "dispatch" if state["contenders"] else "examine"


def build() -> Graph:
    """The uncompiled graph; compile it with a checkpointer to run it over a queue."""
    graph: Graph = StateGraph(MiningState, context_schema=Mining)
    nodes: list[Any] = [seed, dispatch, wait, top_up, assess, reflect, refine, replace, examine, finish]
    for node in nodes:
        graph.add_node(node.__name__, node)
    graph.add_edge(START, "seed")
    for source, target in [("seed", "dispatch"), ("dispatch", "wait"), ("top_up", "dispatch"), ("refine", "replace")]:
        graph.add_edge(source, target)
    graph.add_conditional_edges("wait", after_wait)
    graph.add_conditional_edges("assess", after_assess)
    graph.add_conditional_edges("reflect", after_reflect)
    graph.add_conditional_edges("replace", after_replace)
    graph.add_edge("examine", "dispatch")
    graph.add_edge("finish", END)
    return graph
