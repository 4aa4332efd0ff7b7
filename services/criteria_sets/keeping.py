"""Keeping a criteria set as a version of a line, with what speaks for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, insert
from sqlalchemy.exc import IntegrityError

from agents.criteria_set import CriteriaSet
from knowledge_base.errors import Conflict, NotThere
from services.criteria_sets.evidence import Reasons, evidence_in, evidence_of_run
from services.criteria_sets.reading import load_set
from services.criteria_sets.stored import StoredSet, checked_name
from services.criteria_sets.tables import CriteriaSetRow
from services.database import Database
from services.run_result import RunResult


def keep_set(
    database: Database,
    criteria_set: CriteriaSet,
    *,
    name: str,
    dataset: str = "",
    run: str = "",
    parent: str = "",
    why: Mapping[str, str] | None = None,
    who: str = "",
    result: RunResult | None = None,
    within: Callable[[Connection], object] | None = None,
) -> StoredSet:
    """Keep a set as a version of a line; it is `proposed` until somebody decides.

    Keeping a version again changes nothing: what was kept first stands.

    Args:
        database: where.
        criteria_set: its version is the hash of its content.
        name: of the line.
        dataset, run, parent: where it comes from; dataset and parent are the lineage's where not given.
        why: reasons by criterion hash or name, before those of the run's own records.
        who: put it here; empty for a run.
        result: of the run, for a caller that has it; read from this database otherwise.
        within: called in the transaction that keeps a new version, and only then; what it writes stands with it.

    Raises:
        InputError: the name cannot be used.
    """
    # Read anew: a copy with other content may still carry the version that was computed for the original.
    criteria_set = CriteriaSet.model_validate_json(criteria_set.model_dump_json())
    lineage = criteria_set.lineage
    speaks, reasons = evidence_in(result, criteria_set) if result else evidence_of_run(database, run, criteria_set)
    row: dict[str, Any] = {
        "name": checked_name(name), "version": criteria_set.version, "body": criteria_set.model_dump_json(),
        "dataset": dataset or lineage.dataset, "run": run, "parent": parent or lineage.parent,
        "evidence": speaks.model_dump_json() if speaks else "",
        "why": Reasons(why={**reasons.why, **(why or {})}, parents=reasons.parents).model_dump_json(),
        "created_at": time.time(), "created_by": who,
    }  # fmt: skip
    fault = _insert(database, row, within)
    try:
        return load_set(database, criteria_set.version, name)
    except NotThere:
        raise Conflict(f"criteria set {criteria_set.version} of {name!r} was not kept: {fault}") from fault


def _insert(
    database: Database, row: Mapping[str, Any], within: Callable[[Connection], object] | None
) -> IntegrityError | None:
    """Insert a new version; the database's refusal if it is there already."""
    try:
        with database.write() as connection:
            connection.execute(insert(CriteriaSetRow).values(row))
            if within is not None:
                within(connection)
    except IntegrityError as error:
        return error
    return None
