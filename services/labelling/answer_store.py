"""Judgments of a labelling and the judgment store: what is there is used, what comes is written through.

The store is shared with mining. A judgment that is evidence is never asked again; missing evidence of others is, and
then stays as it was in the eyes of the runs that read it. A labelling's own missing evidence stands until the command
is given again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, or_, select, update

from agents.judgments import REUSABLE, Ask, Judgment
from services.database import Database, insert_new
from services.labelling.pair_vote import ANSWERS, PairResult
from services.labelling.tables import LabellingRow, LabelRow
from services.sql_ledger import CHUNK
from services.tables import JudgmentRow, WantRow

FIELDS = ("status", "verdict", "margin", "rationale", "hesitation", "truncated")
TOTALS = ("asked", "reused", "saved")

Stored = Mapping[str, tuple[Judgment, bool]]
"""Key -> a judgment that stands, and whether it was there before this labelling asked."""


class AnswerStore:
    """Reads and writes for one labelling."""

    def __init__(self, database: Database, labelling: str) -> None:
        self._database, self._labelling = database, labelling

    def stored(self, asks: Sequence[Ask]) -> dict[str, tuple[Judgment, bool]]:
        """What stands already of these asks."""
        row, keys = JudgmentRow, [ask.key for ask in asks]
        ours = and_(row.asked_by == self._labelling, row.status != "missing")
        stands = or_(row.status.in_(REUSABLE), ours)
        query = select(row.key, row.asked_by, *(getattr(row, name) for name in FIELDS)).where(stands)
        found: dict[str, tuple[Judgment, bool]] = {}
        with self._database.read() as connection:
            for start in range(0, len(keys), CHUNK):
                for r in connection.execute(query.where(row.key.in_(keys[start : start + CHUNK]))):
                    judgment = Judgment(key=r.key, **{name: getattr(r, name) for name in FIELDS})
                    found[r.key] = judgment, r.asked_by != self._labelling
        return found

    def keep(self, answers: Sequence[tuple[Ask, Judgment]], finished: Mapping[int, PairResult]) -> None:
        """Write answers that came, and the labels (by position) that they completed, all or nothing.

        They were paid for: while the database is busy they wait. Kept twice, they are kept once.
        """
        self._database.again(lambda: self._keep(answers, finished))

    def _keep(self, answers: Sequence[tuple[Ask, Judgment]], finished: Mapping[int, PairResult]) -> None:
        with self._database.write() as connection:
            if answers:
                self._keep_answers(connection, answers)
            if finished:
                self._keep_labels(connection, finished)

    def _keep_answers(self, connection: Connection, answers: Sequence[tuple[Ask, Judgment]]) -> None:
        now = time.time()
        rows = {ask.key: self._row(ask, judgment, now) for ask, judgment in answers}
        there = select(JudgmentRow.key, JudgmentRow.status, JudgmentRow.asked_by).where(JudgmentRow.key.in_(rows))
        found = {r.key: r for r in connection.execute(there)}
        new = [row for key, row in rows.items() if key not in found]
        insert_new(connection, JudgmentRow, new)
        stale = {key: r.status for key, r in found.items() if self._may_replace(r, rows[key])}
        freeze(connection, {key: status for key, status in stale.items() if status != "missing"})
        self._replace(connection, [rows[key] for key in stale])
        here = update(LabellingRow).where(LabellingRow.id == self._labelling)
        connection.execute(here.values(asked=LabellingRow.asked + len(new) + len(stale)))

    def _may_replace(self, there: Any, given: Mapping[str, Any]) -> bool:
        """Whether an answer may take the place of a row that is there: of none, or of missing evidence of others."""
        if there.status == "missing":
            # No answer is better than a failure: whoever waits for it may yet get one.
            return bool(given["status"] != "failed")
        return there.status not in REUSABLE and there.asked_by != self._labelling

    def _replace(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        if not rows:
            return
        columns = ("asked_by", "answered_at", *FIELDS)
        table = JudgmentRow.__table__
        values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in columns}
        at: ColumnElement[bool] = table.c.key == bindparam("at")
        given = [{"at": r["key"]} | {f"new_{name}": r[name] for name in columns} for r in rows]
        connection.execute(update(JudgmentRow.__table__).where(at).values(**values), given)  # type: ignore[arg-type]

    def _row(self, ask: Ask, judgment: Judgment, now: float) -> dict[str, Any]:
        body = {name: getattr(judgment, name) for name in FIELDS}
        return {
            "key": ask.key, "judge": ask.judge, "criterion": ask.criterion, "pair": ask.pair, "order": ask.order,
            "sample": ask.sample, "asked_by": self._labelling, "asked_at": now, "answered_at": now, **body,
        }  # fmt: skip

    def _keep_labels(self, connection: Connection, finished: Mapping[int, PairResult]) -> None:
        """Write those that nobody has written yet, and add them to the labelling's totals."""
        mine = (LabelRow.labelling == self._labelling, LabelRow.position.in_(finished), ~LabelRow.done)
        still = set(connection.execute(select(LabelRow.position).where(*mine).with_for_update()).scalars())
        new = {position: result for position, result in finished.items() if position in still}
        if not new:
            return
        table = LabelRow.__table__
        at = and_(table.c.labelling == self._labelling, table.c.position == bindparam("at"))
        rows = [{"at": position, **_columns(result)} for position, result in new.items()]
        values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in _COLUMNS}
        connection.execute(update(table).where(at).values(**values, done=True, fault=""), rows)  # type: ignore[arg-type]
        parts = ("reused", "saved")
        add = {name: getattr(LabellingRow, name) + sum(getattr(r, name) for r in new.values()) for name in parts}
        here = update(LabellingRow).where(LabellingRow.id == self._labelling)
        connection.execute(here.values(done=LabellingRow.done + len(new), **add))


_COLUMNS = (*TOTALS, "failed", "early", "audited", "turned", "answers")


def _columns(result: PairResult) -> dict[str, Any]:
    plain = {f"new_{name}": getattr(result, name) for name in _COLUMNS if name != "answers"}
    return plain | {"new_answers": ANSWERS.dump_json(result.answers).decode()}


def freeze(connection: Connection, statuses: Mapping[str, str]) -> None:
    """Have those who read these judgments (key -> status) go on seeing them as they were."""
    for key, status in statuses.items():
        connection.execute(update(WantRow).where(WantRow.key == key, WantRow.void == "").values(void=status))


def reopen(database: Database, labelling: str) -> int:
    """Have the pairs asked again that nobody gave a judgment of; returns how many.

    Whoever gives the command again may have mended what failed. Replies that could not be read stay as they are.
    """
    row, here = LabelRow, LabelRow.labelling == labelling
    judgment = JudgmentRow
    with database.write() as connection:
        pairs = select(row.pair).where(here, row.failed > 0)
        failed = (judgment.asked_by == labelling, judgment.status == "failed", judgment.pair.in_(pairs))
        # As missing evidence of nobody in particular, it is asked again and replaced.
        connection.execute(update(judgment).where(*failed).values(asked_by=""))
        blank = {"done": False, "chunk": "", "answers": "[]", "failed": 0, "early": False} | dict.fromkeys(TOTALS, 0)
        opened = connection.execute(update(row).where(here, row.failed > 0).values(**blank)).rowcount
        connection.execute(update(row).where(here, ~row.done).values(attempts=0, fault=""))
        _add_up(connection, labelling)
    return opened


def _add_up(connection: Connection, labelling: str) -> None:
    """Count anew what the labelling's totals say, and have it run."""
    row, ours = LabelRow, JudgmentRow.asked_by == labelling
    asked = connection.execute(select(func.count()).select_from(JudgmentRow).where(ours)).scalar_one()
    reused, saved = (func.coalesce(func.sum(part), 0) for part in (row.reused, row.saved))
    sums = select(func.count().label("done"), reused.label("reused"), saved.label("saved"))
    added = connection.execute(sums.where(row.labelling == labelling, row.done)).one()._asdict()
    found = added | {"asked": asked, "status": "running", "fault": ""}
    connection.execute(update(LabellingRow).where(LabellingRow.id == labelling).values(**found))
