"""What a run asked of its judge, counted from its judgments."""

from __future__ import annotations

import json
from collections import Counter
from typing import Literal

from sqlalchemy import select

from services.call_tally import tally
from services.database import Database
from services.run_result import StageUsage, Usage
from services.tables import DatasetPairRow, JudgmentRow, ThreadRow, WantRow

Stage = Literal["mining", "sealed"]
Row = tuple[Stage, str, bool, bool]
"""Stage, status, whether another run had asked before, and whether a text was cut."""


def usage_of(database: Database, run: str, seconds: float) -> Usage:
    """Judgments of a run by stage. One that several threads want counts once, as mining if any mines with it."""
    sealed = _sealed_pairs(database, run)
    rows: dict[str, Row] = {}
    query = (
        select(
            WantRow.thread,
            WantRow.void,
            JudgmentRow.key,
            JudgmentRow.pair,
            JudgmentRow.status,
            JudgmentRow.asked_by,
            JudgmentRow.truncated,
        )
        .join(JudgmentRow, JudgmentRow.key == WantRow.key)
        .join(ThreadRow, ThreadRow.id == WantRow.thread)
        .where(ThreadRow.run == run)
    )
    with database.read() as connection:
        for r in connection.execute(query):
            stage: Stage = "sealed" if r.pair in sealed[r.thread] else "mining"
            if r.key not in rows or stage == "mining":
                # A void want was asked by this run, whoever has asked again since.
                rows[r.key] = (stage, r.void or r.status, not r.void and r.asked_by != run, r.truncated)
    return Usage(
        stages=tuple(_stage(s, [r for r in rows.values() if r[0] == s]) for s in _STAGES), seconds=seconds,
        calls=tally(database, run), spent=_spent(database, run),
    )  # fmt: skip


def _spent(database: Database, run: str) -> str:
    """What the threads of a run say of its budget; empty while it reaches."""
    query = select(ThreadRow.spent).where(ThreadRow.run == run, ThreadRow.spent != "").order_by(ThreadRow.id)
    with database.read() as connection:
        return connection.execute(query.limit(1)).scalar() or ""


_STAGES: tuple[Stage, ...] = ("mining", "sealed")


def _stage(stage: Stage, rows: list[Row]) -> StageUsage:
    by_status = Counter(status for _, status, _, _ in rows)
    return StageUsage(
        stage=stage, asked=len(rows), reused=sum(reused for _, _, reused, _ in rows), decided=by_status["decided"],
        abstained=by_status["abstained"], invalid=by_status["invalid"], failed=by_status["failed"],
        truncated=sum(truncated for _, _, _, truncated in rows),
    )  # fmt: skip


def _sealed_pairs(database: Database, run: str) -> dict[str, set[str]]:
    """Hashes of the pairs that each thread of a run has sealed."""
    row, place = ThreadRow, DatasetPairRow
    found: dict[str, set[str]] = {}
    with database.read() as connection:
        for thread, positions, dataset in connection.execute(
            select(row.id, row.sealed, row.sealed_of).where(row.run == run)
        ):
            rows = connection.execute(select(place.position, place.pair).where(place.dataset == dataset))
            pairs = {position: pair for position, pair in rows}  # noqa: C416 - a Row is no tuple to a type checker
            found[thread] = {pairs[i] for i in json.loads(positions)}
    return found
