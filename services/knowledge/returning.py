"""Criteria come back: what stood in a set that a person approved is drawn on by later runs, with its evidence."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from knowledge_base.criterion import Criterion
from knowledge_base.entries import load_catalogue
from knowledge_base.errors import InputError
from services.database import insert_new
from services.knowledge.adding import row_of
from services.knowledge.approving import decisions_so_far, record_decision
from services.knowledge.entry import CriterionEvidence
from services.knowledge.remark import LONGEST_WHO, Remark
from services.knowledge.tables import PriorEvidenceRow, PriorRow
from services.knowledge.validation import check_criterion

Returned = tuple[Criterion, CriterionEvidence]


def return_criteria(connection: Connection, returned: Sequence[Returned], who: str, at: float) -> None:
    """Take in the criteria of an approved set, in the transaction that approves it.

    Evidence is kept of every criterion that was measured. What the catalogue holds needs no entry; nor does a criterion
    whose vote counts against the text that it speaks for, or whose words could not be shown or judged by. An entry that
    waits for approval is approved with the set; one that somebody withdrew stays withdrawn.
    """
    _keep_evidence(connection, [evidence for _, evidence in returned], [c.hash for c, _ in returned], at)
    shipped = {c.hash for c in load_catalogue()}
    for criterion, evidence in returned:
        if criterion.hash not in shipped and evidence.weight > 0 and _fit(criterion):
            _enter(connection, criterion, Remark(who[:LONGEST_WHO], f"with the set {evidence.name} {evidence.version}"))


def _keep_evidence(
    connection: Connection, found: Sequence[CriterionEvidence], hashes: Sequence[str], at: float
) -> None:
    rows = [
        {"criterion": h, "name": e.name, "version": e.version, "body": e.model_dump_json(), "at": at}
        for h, e in dict(zip(hashes, found, strict=True)).items()
        if e.best is not None
    ]
    insert_new(connection, PriorEvidenceRow, rows)


def _fit(criterion: Criterion) -> bool:
    try:
        check_criterion(criterion)
    except InputError:
        return False
    return True


def _enter(connection: Connection, criterion: Criterion, remark: Remark) -> None:
    row = PriorRow
    known = select(row.digest, row.status, row.live).where(row.hash == criterion.hash)
    found = connection.execute(known).all()
    if not found:
        # Another set with the same criterion may be approved at this moment: whichever comes first enters it.
        insert_new(connection, PriorRow, [row_of(criterion, "set", remark)])
        found = connection.execute(known).all()
    for entry in found:
        if entry.status == "proposed":
            record_decision(connection, entry.digest, decisions_so_far(connection, entry.digest) + 1, "approve", remark)
