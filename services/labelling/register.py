"""Creating a labelling, so that the same set, pairs, workers and rule find it again, and reading it back."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import delete, func, select, update

from agents.criteria_set import CriteriaSet
from agents.early_stop import StopRule
from agents.panel import Panel
from knowledge_base.errors import InputError, RunError
from services.budget import Budget
from services.database import Database, insert_new
from services.labelling.sheet import Sheet, Voters, voters_of
from services.labelling.tables import LabellingRow, LabelRow
from services.labelling.unlabelled import Incoming, PairsFile, Survey
from services.parties import Parties
from services.tables import PairRow

SLICE_ROWS, SLICE_BYTES = 500, 16_000_000
"""Most rows, and about the most bytes of text, that are held between the file and the database."""

VOTERS = TypeAdapter(dict[str, tuple[int, ...]])


@dataclass(frozen=True)
class Labelling:
    """A labelling, as it was created.

    Attributes:
        id: hash (16 hex digits) of everything that decides the labels.
        name: of the file; pairs: how many it holds; prompted: whether any has a prompt.
        sheet: the criteria, the panel and the rule.
        notes: what was met on reading the file, a sentence each.
        status: see `LabellingRow`.
        budget: what may be spent on it.
    """

    id: str
    name: str
    pairs: int
    prompted: bool
    sheet: Sheet
    notes: tuple[str, ...]
    status: str
    budget: Budget

    @cached_property
    def version(self) -> str:
        """Of the criteria set."""
        return self.sheet.criteria_set.version


def create_labelling(
    database: Database, parties: Parties, criteria_set: CriteriaSet, file: PairsFile, rule: StopRule
) -> str:
    """Create a labelling, or find the one that the same inputs made before; returns its id.

    Raises:
        FaultyRows: rows of the file are at fault; nothing of it is kept.
        InputError: the file cannot be used, it changed while it was read, or nobody can judge by these criteria.
    """
    panel = parties.panel()
    sheet = Sheet(criteria_set, panel, voters_of(criteria_set, panel, parties.workers()), rule)
    survey = file.survey()
    labelling = labelling_id(criteria_set, panel, rule, survey)
    if _status(database, labelling) in ("", "reading"):
        _fill(database, labelling, sheet, file, survey)
    return labelling


def labelling_id(criteria_set: CriteriaSet, panel: Panel, rule: StopRule, survey: Survey) -> str:
    """Hash (16 hex digits) of everything that decides the labels; how the file is called is not part of it."""
    seen = [criteria_set.version, panel.model_dump(), rule.model_dump(), survey.digest]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:16]


def load_labelling(database: Database, labelling: str) -> Labelling:
    """The labelling with this id.

    Raises:
        RunError: it is not there.
    """
    with database.read() as connection:
        columns: list[Any] = list(LabellingRow.__table__.columns)
        row = connection.execute(select(*columns).where(LabellingRow.id == labelling)).one_or_none()
    if row is None:
        raise RunError(f"labelling {labelling!r} is not in this database; run `touchstone label` again")
    sheet = Sheet(
        CriteriaSet.model_validate_json(row.criteria_set), Panel.model_validate_json(row.panel),
        VOTERS.validate_json(row.voters), StopRule.model_validate_json(row.rule),
    )  # fmt: skip
    budget, notes = Budget.model_validate_json(row.budget), tuple(json.loads(row.notes))
    return Labelling(row.id, row.name, row.pairs, row.prompted, sheet, notes, row.status, budget)


def _status(database: Database, labelling: str) -> str:
    """Empty if there is no such labelling."""
    with database.read() as connection:
        found = connection.execute(select(LabellingRow.status).where(LabellingRow.id == labelling)).scalar()
    return found or ""


def _fill(database: Database, labelling: str, sheet: Sheet, file: PairsFile, survey: Survey) -> None:
    """Take the pairs in. What an interrupted command took in before is found there."""
    with database.write() as connection:
        insert_new(connection, LabellingRow, [_head(labelling, sheet, file, survey)])
    same = 0
    try:
        for some in file.slices(survey, SLICE_ROWS, SLICE_BYTES):
            _keep(database, labelling, some)
            same += sum(p.a == p.b for p in some)
    except InputError:
        _forget(database, labelling)
        raise
    _open(database, labelling, survey, same)


def _head(labelling: str, sheet: Sheet, file: PairsFile, survey: Survey) -> dict[str, Any]:
    return {
        "id": labelling, "name": file.name, "digest": survey.digest, "panel": sheet.panel.model_dump_json(),
        "criteria_set": sheet.criteria_set.model_dump_json(), "voters": _as_json(sheet.voters),
        "rule": sheet.rule.model_dump_json(), "prompted": survey.prompted, "created_at": time.time(),
    }  # fmt: skip


def _as_json(voters: Voters) -> str:
    return VOTERS.dump_json(dict(voters)).decode()


def _keep(database: Database, labelling: str, some: Sequence[Incoming]) -> None:
    pairs = {p.pair.hash: p for p in some}
    places = [
        {
            "labelling": labelling, "position": p.row, "pair": p.pair.hash, "texts": p.texts, "name": p.name,
            "given": p.given, "size": p.size,
        }
        for p in some
    ]  # fmt: skip
    with database.write(alone=False) as connection:
        insert_new(connection, PairRow, [{"hash": h, "prompt": p.prompt, "a": p.a, "b": p.b} for h, p in pairs.items()])
        insert_new(connection, LabelRow, places)


def _open(database: Database, labelling: str, survey: Survey, same: int) -> None:
    """All pairs are there: count them, and let workers begin."""
    here = LabellingRow.id == labelling
    with database.write() as connection:
        found = select(func.count()).select_from(LabelRow).where(LabelRow.labelling == labelling)
        pairs = int(connection.execute(found).scalar_one())
        notes = [*survey.notes, *_notes(survey.rows - pairs, same)]
        opened = {"status": "running", "pairs": pairs, "notes": json.dumps(notes)}
        connection.execute(update(LabellingRow).where(here).values(**opened))


def _notes(repeats: int, same: int) -> list[str]:
    notes = {
        f"{repeats} rows repeat the texts of an earlier row, in either order; the first row stands for them": repeats,
        f"{same} rows hold the same text twice; they are ties, and nobody was asked": same,
    }
    return [note for note, count in notes.items() if count]


def _forget(database: Database, labelling: str) -> None:
    with database.write() as connection:
        connection.execute(delete(LabelRow).where(LabelRow.labelling == labelling))
        connection.execute(delete(LabellingRow).where(LabellingRow.id == labelling))
