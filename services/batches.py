"""Missing judgments handed out in batches, all criteria of a pair together.

A row belongs to the batch whose id it carries. Handing it out again gives it another id, so a job that comes late finds
nothing to do. Ids are written before a job is enqueued: a job may be lost, but never a row.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, case, exists, func, select, update

from agents.judge import Question
from agents.judgments import Ask
from knowledge_base.criterion import Criterion
from services.database import Database
from services.dataset_store import bare_pairs
from services.sql_ledger import count_missing, wanted_by
from services.tables import CriterionRow, JudgmentRow, ThreadRow, WantRow

SHRINK = 8
"""What a dead batch left is handed out in batches this many times smaller, so that a row that kills is soon alone."""

SMALLEST = 50
"""Judgments below which a batch is not made smaller for the sake of more parts."""

NewBatch = Callable[[], str]
Missing = Row[*tuple[Any, ...]]


def pack(rows: Sequence[tuple[str, str]], size: int, whole: bool = True) -> list[list[str]]:
    """Batches of keys out of (pair, key) rows sorted by pair.

    A batch is closed once it holds `size` keys, so that whole pairs make it larger, up to three times `size`. A pair
    of more than twice `size` keys is cut; so is one of more than `size` keys unless pairs are to stay `whole`.
    """
    batches: list[list[str]] = [[]]
    for _, members in groupby(rows, key=lambda row: row[0]):
        keys = [key for _, key in members]
        step = len(keys) if whole and len(keys) <= 2 * size else size
        for start in range(0, len(keys), step):
            if len(batches[-1]) >= size:
                batches.append([])
            batches[-1] += keys[start : start + step]
    return [b for b in batches if b]


def hand_out(database: Database, thread: str, size: int, new_batch: NewBatch, parts: int = 1) -> list[str]:
    """Give every missing judgment of a thread that nobody was given yet to a new batch; returns the batches' ids.

    Batches hold about `size`, or less where that makes `parts` of them, so that no worker stands idle. A thread that
    does not run is given none: it may have been stopped while it worked out what to ask.
    """
    with database.write() as connection:
        runs = exists().where(ThreadRow.id == thread, ThreadRow.status == "running")
        rows = _missing(connection, wanted_by(thread), JudgmentRow.batch == "", runs)
        size = min(size, max(SMALLEST, -(-len(rows) // parts)))
        return _assign(connection, pack([(r.pair, r.key) for r in rows], size), new_batch)


def hand_out_again(
    database: Database, dead: Sequence[str], size: int, max_attempts: int, new_batch: NewBatch
) -> list[str]:
    """Give what dead batches left to new ones; what was begun `max_attempts` times is marked failed instead.

    An attempt counts only where its batch got nothing done: a worker that was killed amid hundreds of calls says
    nothing against those that it had not come to. A judgment that kills comes first soon enough, and then it counts.
    """
    batches: list[str] = []
    with database.write() as connection:
        _take_back_attempts(connection, dead)
        rows = _missing(connection, JudgmentRow.batch.in_(dead))
        _fail(connection, [r for r in rows if r.attempts >= max_attempts])
        rest = [r for r in rows if r.attempts < max_attempts]
        for attempts in sorted({r.attempts for r in rest}):
            again = [(r.pair, r.key) for r in rest if r.attempts == attempts]
            smaller = max(1, size // SHRINK**attempts)
            batches += _assign(connection, pack(again, smaller, whole=not attempts), new_batch)
    return batches


def _take_back_attempts(connection: Connection, dead: Sequence[str]) -> None:
    row = JudgmentRow
    answered = select(row.batch).where(row.batch.in_(dead), row.status != "missing").distinct()
    moved = list(connection.execute(answered).scalars())
    unanswered = (row.batch.in_(moved), row.status == "missing", row.attempts > 0)
    connection.execute(update(row).where(*unanswered).values(attempts=row.attempts - 1))


def give_back(database: Database, batch: str, new_batch: NewBatch) -> list[str]:
    """Give what a stopped job has not answered of a batch to a new one; no attempt counts. Returns its id, if any."""
    mine = (JudgmentRow.batch == batch, JudgmentRow.status == "missing")
    new = new_batch()
    attempts = case((JudgmentRow.attempts > 0, JudgmentRow.attempts - 1), else_=0)
    with database.write() as connection:
        given = connection.execute(update(JudgmentRow).where(*mine).values(batch=new, attempts=attempts))
        return [new] if given.rowcount else []


def outstanding(database: Database, run: str = "") -> set[str]:
    """Ids of the batches that hold missing judgments of a run; without one, all that hold any, wanted or not."""
    held = (JudgmentRow.status == "missing", JudgmentRow.batch != "")
    if not run:
        with database.read() as connection:
            return set(connection.execute(select(JudgmentRow.batch).where(*held).distinct()).scalars())
    wanted = exists().where(
        WantRow.key == JudgmentRow.key, WantRow.void == "", WantRow.thread == ThreadRow.id, ThreadRow.run == run
    )
    query = select(JudgmentRow.batch).where(*held, wanted)
    with database.read() as connection:
        return set(connection.execute(query.distinct()).scalars())


def begin(database: Database, batch: str) -> list[Question]:
    """Count an attempt for what is still missing of a batch, and return it as questions, pair by pair.

    What no running thread waits for is not asked, as its asking would be paid for. It leaves the batch, so that it is
    handed out again once a thread waits for it.
    """
    mine = JudgmentRow.batch == batch
    with database.write() as connection:
        unwanted = update(JudgmentRow).where(mine, JudgmentRow.status == "missing", ~awaited())
        connection.execute(unwanted.values(batch="", attempts=0))
        rows = _missing(connection, mine)
        begun = update(JudgmentRow).where(mine, JudgmentRow.status == "missing")
        connection.execute(begun.values(attempts=JudgmentRow.attempts + 1))
        criteria = _criteria(connection, {r.criterion for r in rows})
        pairs = bare_pairs(connection, {r.pair for r in rows})
    return [(_ask(r), criteria[r.criterion], pairs[r.pair]) for r in rows]


def blame(database: Database, batch: str, fault: str) -> None:
    """Note on what is missing of a batch why it is."""
    missing = update(JudgmentRow).where(JudgmentRow.batch == batch, JudgmentRow.status == "missing")
    with database.write() as connection:
        connection.execute(missing.values(rationale=fault))


def refuse(database: Database, batch: str, fault: str) -> None:
    """Give up the running threads that wait for a batch, and take back the attempt that `begin` counted for it.

    For what no second attempt mends. Tried again, every judgment would end as `failed`, and the run as one without
    evidence; as it is, the run says what is the matter and can be taken up again with nothing spent.
    """
    mine = (JudgmentRow.batch == batch, JudgmentRow.status == "missing")
    waits = exists().where(WantRow.thread == ThreadRow.id, WantRow.void == "", WantRow.key == JudgmentRow.key, *mine)
    given_up = update(ThreadRow).where(ThreadRow.status == "running", waits)
    with database.write() as connection:
        connection.execute(given_up.values(status="failed", fault=fault))
        connection.execute(update(JudgmentRow).where(*mine).values(attempts=JudgmentRow.attempts - 1))


def end_asking(database: Database, run: str, why: str, stage: str) -> None:
    """Have the running threads of a run go on with what is there: what they miss counts as failed for them.

    What ends the asking while pairs are mined (`stage` is not `sealed`) does not end it for threads whose held-out
    pairs are being judged: a share of the budget is kept for those.

    The judgments themselves stay missing, free for any other run to ask for.
    """
    threads = select(ThreadRow.id).where(ThreadRow.run == run, ThreadRow.status == "running")
    threads = threads if stage == "sealed" else threads.where(ThreadRow.stage != "sealed")
    unanswered = select(JudgmentRow.key).where(JudgmentRow.status == "missing")
    mine = (WantRow.thread.in_(threads), WantRow.void == "", WantRow.key.in_(unanswered))
    with database.write() as connection:
        connection.execute(update(ThreadRow).where(ThreadRow.id.in_(threads)).values(spent=why))
        connection.execute(update(WantRow).where(*mine).values(void="failed"))
        unwanted = ~exists().where(WantRow.key == JudgmentRow.key, WantRow.void == "")
        free = update(JudgmentRow).where(JudgmentRow.status == "missing", unwanted)
        connection.execute(free.values(batch="", attempts=0))


def running_threads(database: Database, run: str) -> list[str]:
    """Threads of a run that have neither finished nor failed."""
    query = select(ThreadRow.id).where(ThreadRow.run == run, ThreadRow.status == "running").order_by(ThreadRow.id)
    with database.read() as connection:
        return list(connection.execute(query).scalars())


def cause_of(database: Database, batch: str) -> tuple[str, str]:
    """Run and stage of a running thread that waits for a batch; empty if none does."""
    query = (
        select(ThreadRow.run, ThreadRow.stage)
        .join(WantRow, WantRow.thread == ThreadRow.id)
        .join(JudgmentRow, JudgmentRow.key == WantRow.key)
        .where(JudgmentRow.batch == batch, WantRow.void == "", ThreadRow.status == "running")
        .order_by(ThreadRow.id)
    )
    with database.read() as connection:
        found = connection.execute(query.limit(1)).one_or_none()
    return (found.run, found.stage) if found else ("", "")


def threads_served(database: Database, batch: str, waits: Callable[[str], bool] | None = None) -> list[str]:
    """Running threads that want a judgment of this batch and miss none at all any more.

    Args:
        database: where.
        batch: that has ended.
        waits: whether a thread has another batch under way. What it misses is then not counted, which takes a look at
            all that anybody misses: the end of that other batch counts it.
    """
    query = (
        select(WantRow.thread)
        .join(JudgmentRow, JudgmentRow.key == WantRow.key)
        .join(ThreadRow, ThreadRow.id == WantRow.thread)
        .where(JudgmentRow.batch == batch, ThreadRow.status == "running")
    )
    with database.read() as connection:
        threads = sorted(connection.execute(query.distinct()).scalars())
    threads = [t for t in threads if waits is None or not waits(t)]
    with database.read() as connection:
        return [t for t in threads if not count_missing(connection, t)]


def missing_by_thread(database: Database, threads: Sequence[str] = ()) -> dict[str, int]:
    """Thread -> how many of the judgments that it misses nobody was given yet, of all threads that miss any.

    Args:
        database: where.
        threads: to be looked at; none named: all, at once.
    """
    row, free = JudgmentRow, func.sum(case((JudgmentRow.batch == "", 1), else_=0))
    every = (
        select(WantRow.thread, free)
        .join(row, row.key == WantRow.key)
        .where(row.status == "missing", WantRow.void == "")
        .group_by(WantRow.thread)
    )
    with database.read() as connection:
        if not threads:
            return {thread: int(count) for thread, count in connection.execute(every)}
        each = {t: select(free).where(row.status == "missing", wanted_by(t)) for t in threads}
        found = {t: connection.execute(query).scalar() for t, query in each.items()}
    return {thread: int(count) for thread, count in found.items() if count is not None}


def _missing(connection: Connection, *conditions: ColumnElement[bool]) -> Sequence[Missing]:
    row = JudgmentRow
    columns = (row.key, row.judge, row.criterion, row.pair, row.order, row.sample, row.attempts, row.rationale)
    query = select(*columns).where(row.status == "missing", *conditions)
    return connection.execute(query.order_by(row.pair, row.criterion, row.order, row.sample)).all()


def awaited() -> ColumnElement[bool]:
    """Condition on a judgment row: a running thread wants it and no earlier answer of it stands."""
    return exists().where(
        WantRow.key == JudgmentRow.key, WantRow.void == "", WantRow.thread == ThreadRow.id,
        ThreadRow.status == "running",
    )  # fmt: skip


def _assign(connection: Connection, packed: Iterable[Sequence[str]], new_batch: NewBatch) -> list[str]:
    ids: list[str] = []
    row = JudgmentRow.__table__.c
    statement = update(JudgmentRow.__table__).where(row.key == bindparam("k")).values(batch=bindparam("b"))  # type: ignore[arg-type]
    for keys in packed:
        ids.append(new_batch())
        connection.execute(statement, [{"k": key, "b": ids[-1]} for key in keys])
    return ids


def _fail(connection: Connection, rows: Sequence[Missing]) -> None:
    for r in rows:
        why = f"no answer after {r.attempts} attempts; {r.rationale or 'each time the worker died'}"
        failed = update(JudgmentRow).where(JudgmentRow.key == r.key)
        connection.execute(failed.values(status="failed", rationale=why, answered_at=time.time()))


def _criteria(connection: Connection, hashes: set[str]) -> dict[str, Criterion]:
    """Any body of each hash: all bodies of one hash read alike to a judge."""
    row = CriterionRow
    found = connection.execute(select(row.hash, row.body).where(row.hash.in_(hashes)).order_by(row.digest.desc()))
    return {h: Criterion.model_validate_json(body) for h, body in found}


def _ask(row: Missing) -> Ask:
    return Ask(judge=row.judge, criterion=row.criterion, pair=row.pair, order=row.order, sample=row.sample)
