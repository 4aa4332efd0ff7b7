"""Several at the same judgments at once: none is handed out twice, begun twice, or answered for a run that never asked.

Each test has two or more do at the same moment what must not be done by both. On an SQLite file one waits for the
other by itself; on a server it must be made to.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence

import pytest
from batch_desk import CRITERIA, DATASET, Desk
from letter_parties import LetterJudge, letter_judgment
from sqlalchemy import event, select
from workbench import SMALL, new_run

from agents.judge import Question
from agents.judgments import Ask, Judgment
from services.batches import begin, hand_out, hand_out_again
from services.database import Database
from services.sql_ledger import SqlLedger, keep_answers
from services.tables import JudgmentRow, WantRow

PAUSE = 0.004
"""Seconds added to each statement that reads: what might come in between then does."""


@pytest.fixture(autouse=True)
def slowed(database: Database) -> None:
    """Leave time between what a transaction reads and what it does about it."""

    def pause(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.lstrip().startswith("SELECT") and "advisory" not in statement:
            time.sleep(PAUSE)

    event.listen(database._behind._engine, "after_cursor_execute", pause)


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def at_once(*work: Callable[[], object]) -> list[object]:
    """What each returned, all having begun at the same moment."""
    gate, done, errors = threading.Barrier(len(work)), dict[int, object](), list[BaseException]()

    def do(number: int) -> None:
        gate.wait(10)
        try:
            done[number] = work[number]()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=do, args=(number,)) for number in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors
    return [done[number] for number in range(len(work))]


def batches_of(desk: Desk) -> dict[str, int]:
    """Batch -> missing judgments in it."""
    with desk.database.read() as connection:
        held = list(connection.execute(select(JudgmentRow.batch).where(JudgmentRow.status == "missing")).scalars())
    return {batch: held.count(batch) for batch in held}


def test_what_two_hand_out_at_once_is_handed_out_once(desk: Desk) -> None:
    given = at_once(*[lambda: desk.hand_out(7)] * 4)
    ids = [batch for part in given if isinstance(part, list) for batch in part]
    assert sorted(ids) == sorted(batches_of(desk)), "each batch that somebody enqueues holds something"
    assert len(ids) == len(set(ids))


def test_who_begins_a_batch_gets_all_of_it_and_counts_an_attempt_or_nothing_of_it(desk: Desk) -> None:
    for judge in ("letters/2", "letters/3", "letters/4", "letters/5"):
        desk.ledger.want([Ask(judge=judge, criterion=c.hash, pair=p.hash) for c in CRITERIA for p in DATASET.pairs])
        batch = desk.hand_out(1000)[-1]
        begun, again = at_once(lambda b=batch: begin(desk.database, b), lambda b=batch: desk.again([b], 1000, 99))
        assert isinstance(begun, list)
        assert isinstance(again, list)
        with desk.database.read() as connection:
            counted = select(JudgmentRow.attempts).where(JudgmentRow.batch.in_(again))
            attempts = list(connection.execute(counted).scalars())
        assert len(begun) in (0, len(attempts))
        assert set(attempts) == {1 if begun else 0}


def test_two_sweeps_at_once_hand_a_dead_batch_out_once(desk: Desk) -> None:
    dead = desk.hand_out(1000)
    given = at_once(*[lambda: desk.again(dead, 20)] * 3)
    ids = [batch for part in given if isinstance(part, list) for batch in part]
    assert sorted(ids) == sorted(batches_of(desk))


def test_two_runs_that_ask_anew_what_failed_both_wait_for_the_answer(desk: Desk) -> None:
    desk.hand_out()
    asks = [Ask(judge="letters/1", criterion=c.hash, pair=p.hash) for c in CRITERIA for p in DATASET.pairs]
    keep_answers(desk.database, [Judgment(key=ask.key, status="failed") for ask in asks])
    others = [_ledger(desk, seed) for seed in (1, 2, 3)]
    missing = at_once(*[lambda ledger=ledger: ledger.want(asks) for ledger in others])
    assert missing == [len(asks)] * 3
    with desk.database.read() as connection:
        voids = select(WantRow.thread, WantRow.void).distinct()
        seen = {thread: void for thread, void in connection.execute(voids)}  # noqa: C416 - a Row is no tuple
    assert seen.pop(desk.thread) == "failed", "who was told so goes on seeing it so"
    assert set(seen.values()) == {""}
    assert desk.ledger.missing() == 0


def _ledger(desk: Desk, seed: int) -> SqlLedger:
    """Of another run, which has not asked yet."""
    run = new_run(desk.database, DATASET, SMALL.model_copy(update={"seed": seed}))
    ledger = SqlLedger(desk.database, run, f"{run}-main")
    ledger.remember(CRITERIA)
    return ledger


def test_threads_that_want_the_same_in_any_order_share_it(desk: Desk) -> None:
    asks = [Ask(judge="letters/2", criterion=c.hash, pair=p.hash) for c in CRITERIA for p in DATASET.pairs]
    ledgers = [_ledger(desk, seed) for seed in range(4)]
    orders = [asks, asks[::-1], asks[30:] + asks[:30], asks[::2] + asks[1::2]]
    at_once(*[lambda ledger=one, some=some: ledger.want(some) for one, some in zip(ledgers, orders, strict=True)])
    assert [ledger.missing() for ledger in ledgers] == [len(asks)] * 4
    with desk.database.read() as connection:
        rows = connection.execute(select(JudgmentRow.key).where(JudgmentRow.judge == "letters/2")).all()
    assert len(rows) == len(asks)


def test_jobs_that_were_given_the_same_judgments_answer_each_once_in_any_order(desk: Desk) -> None:
    (batch,) = desk.hand_out(1000)
    questions = begin(desk.database, batch)
    said = [letter_judgment(a.key, c.name.removeprefix("Letters "), p) for a, c, p in questions]

    def answer(verdict: str, order: Sequence[Judgment]) -> None:
        marked = [j.model_copy(update={"rationale": verdict}) for j in order]
        for start in range(0, len(marked), 16):
            keep_answers(desk.database, marked[start : start + 16])

    at_once(lambda: answer("one", said), lambda: answer("two", said[::-1]), lambda: answer("three", said[30:] + said))
    assert "missing" not in desk.statuses()
    with desk.database.read() as connection:
        told = set(connection.execute(select(JudgmentRow.rationale)).scalars())
    assert told <= {"one", "two", "three"}


def test_answers_that_come_while_batches_are_handed_out_again_are_kept(desk: Desk) -> None:
    """The batches are not dead at all: their jobs answer while somebody takes them for lost."""
    dead = desk.hand_out(10)
    questions = [question for batch in dead for question in begin(desk.database, batch)]

    def answer_all() -> None:
        for start in range(0, len(questions), 5):
            desk.answer(questions[start : start + 5])

    def again() -> list[str]:
        batches = dead
        for _ in range(6):
            batches = hand_out_again(desk.database, batches, 10, 99, desk.new)
        return batches

    at_once(answer_all, again)
    assert desk.ledger.missing() == 0
    assert set(desk.statuses()) <= {"decided", "abstained"}


def test_a_judge_answers_in_threads_what_is_handed_out_in_threads(desk: Desk) -> None:
    """All at once, as workers and sweeps are: every judgment is there in the end, by whoever answered first."""
    judge = LetterJudge()

    async def judged(questions: list[Question]) -> list[Judgment]:
        return [judgment async for judgment in judge.answer(questions)]

    def work() -> None:
        for batch in hand_out(desk.database, desk.thread, 8, desk.new):
            keep_answers(desk.database, asyncio.run(judged(begin(desk.database, batch))))

    at_once(*[work] * 4)
    assert desk.ledger.missing() == 0
