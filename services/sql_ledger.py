"""The ledger of one mining thread, in the database: what a run knows survives every process that worked on it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, exists, func, or_, select, update

from agents.chronicle import RoundRecord
from agents.judgments import REUSABLE, Ask, Judgment
from agents.votes import Votes, tally
from knowledge_base.criterion import Criterion
from services.database import Database, insert_new, upsert
from services.tables import CriterionRow, JudgmentRow, RoundRow, ThreadCriterionRow, ThreadRow, WantRow

UNANSWERED = {
    "verdict": "abstain", "margin": 0.0, "rationale": "", "hesitation": "", "truncated": False, "answered_at": 0.0,
}  # fmt: skip

CHUNK = 500
"""Values in one IN list, well under the parameter limits of both databases."""


class SqlLedger:
    """A `Ledger`. Judgments are shared by all threads of all runs; what a thread wants is its own.

    Args:
        database: where.
        run, thread: ids; rows of both must be there.
    """

    def __init__(self, database: Database, run: str, thread: str) -> None:
        self._database, self._run, self._thread = database, run, thread

    def remember(self, criteria: Sequence[Criterion]) -> None:
        bodies = {c.hash: c.model_dump_json() for c in criteria}
        digests = {h: hashlib.sha256(body.encode()).hexdigest() for h, body in bodies.items()}
        with self._database.write(alone=False) as connection:
            rows = [{"digest": digests[h], "hash": h, "body": body} for h, body in bodies.items()]
            insert_new(connection, CriterionRow, rows)
            mine = [{"thread": self._thread, "hash": h, "digest": d} for h, d in digests.items()]
            upsert(connection, ThreadCriterionRow, mine)

    def recall(self, hashes: Sequence[str]) -> list[Criterion]:
        found: dict[str, str] = {}
        with self._database.read() as connection:
            for some in _chunks(sorted(set(hashes))):
                found.update((h, body) for h, body in connection.execute(self._bodies(some)))
        return [Criterion.model_validate_json(found[h]) for h in hashes]

    def want(self, asks: Sequence[Ask]) -> int:
        now = time.time()
        rows = [_row(ask, key, self._run, now) for key, ask in {ask.key: ask for ask in asks}.items()]
        with self._database.write() as connection:
            insert_new(connection, JudgmentRow, rows)
            self._ask_again([r["key"] for r in rows], connection, now)
            insert_new(connection, WantRow, [{"thread": self._thread, "key": r["key"], "void": ""} for r in rows])
        return self.missing()

    def missing(self) -> int:
        with self._database.read() as connection:
            return count_missing(connection, self._thread)

    def spent(self) -> bool:
        query = select(ThreadRow.spent).where(ThreadRow.id == self._thread)
        with self._database.read() as connection:
            return bool(connection.execute(query).scalar_one())

    def votes(self, criteria: Sequence[str], pairs: Sequence[str]) -> Votes:
        wanted = set(pairs)
        answered = self._answered(criteria, (JudgmentRow.verdict, JudgmentRow.margin))
        cells = ((r.criterion, r.pair, r.order, _judgment(r)) for r in answered if r.pair in wanted)
        return tally(criteria, pairs, cells)

    def judgments(self, criterion: str, pairs: Sequence[str]) -> list[tuple[str, Judgment]]:
        by_pair: dict[str, list[Judgment]] = {}
        told = (JudgmentRow.rationale, JudgmentRow.hesitation, JudgmentRow.truncated)
        for r in self._answered([criterion], (JudgmentRow.verdict, JudgmentRow.margin, *told)):
            by_pair.setdefault(r.pair, []).append(_judgment(r, told=True))
        return [(p, judgment) for p in pairs for judgment in by_pair.get(p, ())]

    def record(self, entry: RoundRecord) -> None:
        row = {"thread": self._thread, "number": entry.number, "body": entry.model_dump_json()}
        with self._database.write(alone=False) as connection:
            upsert(connection, RoundRow, [row])

    def records(self) -> list[RoundRecord]:
        query = select(RoundRow.body).where(RoundRow.thread == self._thread).order_by(RoundRow.number)
        with self._database.read() as connection:
            return [RoundRecord.model_validate_json(body) for (body,) in connection.execute(query)]

    def _bodies(self, hashes: Sequence[str]) -> Any:
        mine, body = ThreadCriterionRow, CriterionRow
        return (
            select(mine.hash, body.body)
            .join(body, body.digest == mine.digest)
            .where(mine.thread == self._thread, mine.hash.in_(hashes))
        )

    def _ask_again(self, keys: Sequence[str], connection: Connection, now: float) -> None:
        """Missing evidence of other runs is asked anew, and stays as it was in the eyes of those who asked before."""
        row = JudgmentRow
        ours = exists().where(WantRow.key == row.key, WantRow.thread == ThreadRow.id, ThreadRow.run == self._run)
        for some in _chunks(keys):
            unusable = and_(row.key.in_(some), row.status.not_in(["missing", *REUSABLE]), ~ours)
            stale = list(connection.execute(select(row.key, row.status).where(unusable)))
            for key, status in stale:
                frozen = update(WantRow).where(WantRow.key == key, WantRow.void == "").values(void=status)
                connection.execute(frozen)
            fresh = {"status": "missing", "attempts": 0, "batch": "", "asked_by": self._run, "asked_at": now}
            # What nobody waits for any more was given up unanswered: whoever asks for it now is the one to pay for it.
            alone = ~exists().where(WantRow.key == row.key, WantRow.void == "")
            orphaned = (row.key.in_(some), row.status == "missing", row.asked_by != self._run, alone)
            connection.execute(update(row).where(*orphaned).values(asked_by=self._run, asked_at=now))
            if stale:
                again = update(row).where(row.key.in_([key for key, _ in stale]))
                connection.execute(again.values(**fresh, **UNANSWERED))

    def _answered(self, criteria: Sequence[str], columns: Iterable[Any]) -> Iterator[Any]:
        """Rows of what this thread wants by these criteria and has answered, in a fixed order."""
        row = JudgmentRow
        query = (
            select(row.key, row.criterion, row.pair, row.order, row.status, WantRow.void, *columns)
            .join(WantRow, and_(WantRow.key == row.key, WantRow.thread == self._thread))
            .where(or_(row.status != "missing", WantRow.void != ""))
            .order_by(row.criterion, row.pair, row.order, row.sample, row.key)
        )
        with self._database.read() as connection:
            for some in _chunks(criteria):
                yield from connection.execute(query.where(row.criterion.in_(some)))


def wanted_by(thread: str | ColumnElement[str]) -> ColumnElement[bool]:
    """Condition on a judgment row: this thread wants it and no earlier answer of it stands."""
    # Written as EXISTS so that SQLite starts from the few missing judgments, not from a thread's many wants.
    return exists().where(WantRow.thread == thread, WantRow.key == JudgmentRow.key, WantRow.void == "")


def count_missing(connection: Connection, thread: str) -> int:
    """Judgments that a thread wants and nobody has answered."""
    query = select(func.count()).select_from(JudgmentRow).where(JudgmentRow.status == "missing", wanted_by(thread))
    return int(connection.execute(query).scalar_one())


def keep_answers(database: Database, judgments: Sequence[Judgment]) -> None:
    """Write answers to what is missing. The first answer stands, so that no evidence changes once a thread read it."""
    table = JudgmentRow.__table__
    fields = ("status", "verdict", "margin", "rationale", "hesitation", "truncated")
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in fields}
    missing = update(table).where(table.c.key == bindparam("at"), table.c.status == "missing")  # type: ignore[arg-type]
    # By key, so that two jobs that were given the same judgments wait for each other in one direction only.
    ordered = sorted(judgments, key=lambda j: j.key)
    rows = [{"at": j.key} | {f"new_{name}": getattr(j, name) for name in fields} for j in ordered]

    def write() -> None:
        with database.write(alone=False) as connection:
            connection.execute(missing.values(**values, answered_at=time.time()), rows)

    if rows:
        # What was answered is paid for: neither a server that restarts just now nor a long write may cost it.
        database.again(write)


def _judgment(row: Any, *, told: bool = False) -> Judgment:
    if row.void:
        return Judgment(key=row.key, status=row.void)
    more = {"rationale": row.rationale, "hesitation": row.hesitation, "truncated": row.truncated} if told else {}
    return Judgment(key=row.key, status=row.status, verdict=row.verdict, margin=row.margin, **more)


def _row(ask: Ask, key: str, run: str, now: float) -> dict[str, Any]:
    return {
        "key": key, "judge": ask.judge, "criterion": ask.criterion, "pair": ask.pair, "order": ask.order,
        "sample": ask.sample, "asked_by": run, "asked_at": now,
    }  # fmt: skip


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
