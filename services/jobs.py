"""The jobs on the queue. Each may be killed at any moment and run again; payloads are ids.

No wake-up is lost. A thread must be advanced once nothing it wants is missing. Whoever writes the last answer
(`judge_batch`) looks after writing; whoever holds the thread's lease (`advance`) looks after giving it back. Of the
two, the later one sees both the answer and the free lease. What a kill between the two loses, a sweep finds.

A worker that is asked to end may stop its job. The job then gives back at once what it has not done, so that nobody
waits for a lease or a sweep: a batch is handed out again, a thread's lease is free and its advance on the queue.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, cast

from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command
from sqlalchemy import case, select

from agents.graph import build
from agents.judge import Question
from agents.judgments import Judgment
from agents.local_run import RECURSION_LIMIT
from agents.manager import Manager
from agents.mining import Mining, MiningState
from agents.outcome import Outcome, conclude
from agents.steps import nothing_proposed
from knowledge_base.errors import BudgetSpent, EndpointClosed, WrongJudge
from services.batches import (
    begin,
    blame,
    cause_of,
    end_asking,
    give_back,
    hand_out,
    missing_by_thread,
    refuse,
    running_threads,
    threads_served,
)
from services.charging import charged_to
from services.checkpoints import checkpointer
from services.database import upsert
from services.deployment import Deployment, standing
from services.judging import judge_questions
from services.lease import Lease, take
from services.mining_thread import StoredThread, load_thread
from services.parties import manager_for
from services.settings import load_settings
from services.sql_ledger import keep_answers
from services.stopping import Stopped
from services.sweeper import Sweeper
from services.tables import OutcomeRow, ThreadRow, WantRow
from services.telemetry.logs import about, log

ENDED = "ended"

REFRESHING = "-refresh"
"""How the id of a thread ends that mines nothing but wants the judgments of a refresh (services.schedules)."""

logger = log(__name__)

Graph = CompiledStateGraph[MiningState, Mining, MiningState, MiningState]


def advance(thread: str) -> None:
    """Job: take a thread as far as it gets without another judgment."""
    advance_thread(standing(load_settings()), thread)


def judge_batch(batch: str) -> None:
    """Job: answer what is missing of a batch."""
    judge_rows(standing(load_settings()), batch)


def sweep() -> None:
    """Job: find and repair lost work in all unfinished runs."""
    Sweeper(standing(load_settings())).sweep()


def advance_thread(deployment: Deployment, thread: str) -> bool:
    """Advance a thread if nobody else does; returns whether this call did.

    Raises:
        EndpointClosed: the manager's endpoint will answer nothing; the thread is given up until somebody mends that.
        Stopped: the worker is to end; the thread is on the queue again.
        Exception: whatever a manager or a policy raises; it is noted on the thread, which a sweep tries again.
    """
    lease = take(deployment.database, thread, deployment.settings.lease_seconds)
    if lease is None:
        return False
    if lease.taken_over:
        logger.warning("lease taken over", thread=thread)
        deployment.tally.add({("take-overs",): 1})
    try:
        with about(thread=thread), lease.renewed():
            waiting = _proceed(deployment, lease)
    except BudgetSpent as error:
        _stop_asking(deployment, lease, error)
        return True
    except EndpointClosed as error:
        lease.release(attempts=0, status="failed", fault=f"{type(error).__name__}: {error}")
        raise
    except Stopped:
        lease.release(attempts=case((ThreadRow.attempts > 0, ThreadRow.attempts - 1), else_=0))
        deployment.queue.advance([thread])
        raise
    except Exception as error:
        lease.release(fault=f"{type(error).__name__}: {error}")
        raise
    if waiting and _idle(deployment, thread):
        deployment.queue.advance([thread])
    return True


def judge_rows(deployment: Deployment, batch: str) -> int:
    """Answer what is missing of a batch and wake the threads that wait for nothing more; returns how many it was.

    Raises:
        WrongJudge: the batch is for another judge than this worker's; the threads that want it are given up.
        EndpointClosed: a worker's endpoint will answer nothing; the threads that want the batch are given up.
        Stopped: the worker is to end; what is unanswered is handed out again.
        Exception: whatever the judge raises; it is noted on the unanswered rows, which a sweep hands out again.
    """
    try:
        count = _judge_rows(deployment, batch)
    except BaseException:
        # Should this fail as well, a sweep finds the place that stays empty.
        with suppress(Exception):
            deployment.turns.ended(batch)
        raise
    deployment.turns.ended(batch)
    deployment.queue.advance(threads_served(deployment.database, batch, deployment.turns.waits))
    return count


def _judge_rows(deployment: Deployment, batch: str) -> int:
    questions = begin(deployment.database, batch)
    run, stage = cause_of(deployment.database, batch)
    try:
        # Where nobody waits any more, the asking was ended just now.
        if questions and run:
            with about(run=run, batch=batch), charged_to(deployment, run, stage):
                _answer(deployment, questions)
    except BudgetSpent as error:
        end_asking(deployment.database, run, str(error), stage)
        deployment.queue.advance(running_threads(deployment.database, run))
    except Stopped:
        again = give_back(deployment.database, batch, deployment.queue.new_batch)
        deployment.turns.replace(batch, again, run)
        raise
    except (WrongJudge, EndpointClosed) as error:
        refuse(deployment.database, batch, f"{type(error).__name__}: {error}")
        raise
    except Exception as error:
        blame(deployment.database, batch, f"{type(error).__name__}: {error}")
        raise
    return len(questions)


def _answer(deployment: Deployment, questions: Sequence[Question]) -> None:
    """Have questions answered; what comes is kept, and counted once it is."""
    judges = {ask.key: ask.judge for ask, _, _ in questions}
    kept: list[tuple[str, str]] = []

    def keep(some: Sequence[Judgment]) -> None:
        keep_answers(deployment.database, some)
        kept.extend((judges[j.key], j.status) for j in some)

    try:
        judge_questions(deployment.parties.workers(), questions, keep)
    finally:
        deployment.tally.judged(kept)


def _proceed(deployment: Deployment, lease: Lease) -> bool:
    """Run the graph until it needs judgments or ends, and give the lease back; returns whether it waits."""
    database, queue = deployment.database, deployment.queue
    if lease.thread.endswith(REFRESHING):
        from services.schedules.working import proceed

        return proceed(deployment, lease)
    thread = load_thread(database, lease.thread)
    mining = thread.with_manager(_manager_of(deployment, thread), database)
    # A manager makes many calls in one advance. Each answer is kept: whoever is killed amid them got on all the same.
    with charged_to(deployment, thread.run.id, "manage", lease.progressed):
        state: MiningState = {} if mining.ledger.missing() else _run_graph(deployment, lease.thread, mining)
    if state.get("stage") == "finished":
        _keep_outcome(deployment, lease.thread, conclude(state, mining, thread.lineage))
        lease.release(attempts=0, fault="", status="finished", stage="finished")
        return False
    batches = hand_out(database, lease.thread, deployment.batch_size, queue.new_batch, deployment.parts)
    deployment.turns.offer(thread.run.id, lease.thread, batches)
    place = {name: state[name] for name in ("round", "stage") if name in state}
    lease.release(attempts=0, fault="", **place)
    return True


def _stop_asking(deployment: Deployment, lease: Lease, error: BudgetSpent) -> None:
    """The manager may ask nothing more: the run ends with what it has, or fails if that is nothing.

    A fold of a cross-fit that has nothing ends with an empty set, which decides none of its pairs: the set of all pairs
    is not to be lost for it.
    """
    thread = load_thread(deployment.database, lease.thread)
    mining = thread.with_manager(_manager_of(deployment, thread), deployment.database)
    begun = mining.ledger.records()
    end_asking(deployment.database, thread.run.id, str(error), "manage")
    if begun or _wanted(deployment, lease.thread):
        lease.release(attempts=0, fault="")
        deployment.queue.advance([lease.thread])
    elif thread.name == "main":
        lease.release(attempts=0, status="failed", fault=f"no criterion was proposed yet. {error}")
    else:
        _keep_outcome(deployment, lease.thread, conclude(nothing_proposed(), mining, thread.lineage))
        lease.release(attempts=0, fault="", status="finished", stage="finished")


def _manager_of(deployment: Deployment, thread: StoredThread) -> Manager:
    """The manager with the knowledge base that the run began with, whatever was approved since."""
    return manager_for(deployment.parties, thread.run.facts.manager)


def _run_graph(deployment: Deployment, thread: str, mining: Mining) -> MiningState:
    """Invoke the graph until it ends or judgments are missing; returns its state."""
    with checkpointer(deployment.database) as saver:
        graph: Graph = build().compile(checkpointer=saver)
        while (given := _next_input(graph, thread)) != ENDED:
            graph.invoke(given, _config(thread), context=mining, durability="sync")
            if mining.ledger.missing():
                break
        return cast(MiningState, graph.get_state(_config(thread)).values)


def _next_input(graph: Graph, thread: str) -> Any:
    """What the graph goes on with: a start, a pending interrupt's answer, or nothing after a kill inside a node.

    That no node is next does not mean that the graph has ended: a kill between a node's writes and the checkpoint
    that takes them in leaves it so. Only the stage that the last node writes means that.
    """
    snapshot = graph.get_state(_config(thread))
    if snapshot.created_at is None:
        return {}
    if not snapshot.next and snapshot.values.get("stage") == "finished":
        return ENDED
    return Command(resume=True) if any(t.interrupts for t in snapshot.tasks) else None


def _config(thread: str) -> Any:
    return {"configurable": {"thread_id": thread}, "recursion_limit": RECURSION_LIMIT}


def _wanted(deployment: Deployment, thread: str) -> bool:
    """Whether a thread has ever asked for a judgment."""
    with deployment.database.read() as connection:
        return connection.execute(select(WantRow.key).where(WantRow.thread == thread).limit(1)).first() is not None


def _keep_outcome(deployment: Deployment, thread: str, outcome: Outcome) -> None:
    with deployment.database.write() as connection:
        upsert(connection, OutcomeRow, [{"thread": thread, "body": outcome.model_dump_json()}])


def _idle(deployment: Deployment, thread: str) -> bool:
    """Whether no batch will wake a thread: it misses nothing, or was stopped as it asked and maybe taken up again."""
    free = missing_by_thread(deployment.database, [thread]).get(thread)
    return free is None or free > 0
