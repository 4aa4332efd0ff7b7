"""Approving and rejecting versions: put on record once, by somebody, and never against what another just decided."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from sqlalchemy import Connection, insert
from sqlalchemy.exc import IntegrityError

from knowledge_base.errors import Conflict, InputError
from services.criteria_sets.evidence import SetEvidence
from services.criteria_sets.reading import load_set, set_details
from services.criteria_sets.standing import ALLOWED, Decision, Wish, approved_in, decisions_of, status_of
from services.criteria_sets.stored import StoredSet
from services.criteria_sets.tables import SetDecisionRow
from services.database import Database
from services.knowledge.entry import CriterionEvidence, Figures
from services.knowledge.remark import Remark
from services.knowledge.returning import Returned, return_criteria

DONE: dict[Wish, str] = {"approve": "approved", "reject": "rejected"}


def decide(
    database: Database,
    name: str,
    version: str,
    decision: Wish,
    note: str,
    who: str,
    *,
    seen: int | None = None,
    within: Callable[[Connection, Decision], object] | None = None,
) -> Decision:
    """Approve or reject a version; see `services.criteria_sets.standing` for what leads where.

    Approving also returns the set's criteria to the knowledge base, in the same transaction.

    Args:
        database: where.
        name, version: which version of which line.
        decision: `approve` or `reject`.
        note, who: for the record.
        seen: number of the line's last decision that `who` knew of (0: none): if another was made since, this one is
            refused. Left out, only a decision that is made during this call refuses it.
        within: called in the transaction with what was decided; what it writes stands with it.

    Raises:
        NotThere: there is no such version.
        Conflict: the version is not in a status that allows it, or somebody else decided about the line meanwhile.
        InputError: `who`, `note` or `decision` cannot be put on record.
    """
    remark = Remark(who, note)
    if decision not in ("approve", "reject"):
        raise InputError(f"decision is {decision!r}; use approve or reject")
    stored = load_set(database, version, name)
    # Read apart from the write, on purpose: what is decided meanwhile takes this number and refuses this decision.
    line = decisions_of(database, name)
    _allow(line, stored, decision, seen)
    superseded = approved_in(line) if decision == "approve" else ""
    made = Decision(
        name=name, number=len(line) + 1, version=version, decision=decision, note=remark.note, who=remark.who,
        at=time.time(), superseded=superseded,
    )  # fmt: skip
    returned = _returned(stored, set_details(database, name, version).evidence) if decision == "approve" else []
    try:
        with database.write() as connection:
            connection.execute(insert(SetDecisionRow).values(made.model_dump(exclude={"superseded"})))
            return_criteria(connection, returned, remark.who, made.at)
            if within is not None:
                within(connection, made)
    except IntegrityError:
        raise Conflict(_overtaken(decisions_of(database, name), made)) from None
    return made


def _allow(line: tuple[Decision, ...], stored: StoredSet, wish: Wish, seen: int | None) -> None:
    if seen is not None and seen != len(line):
        last = f"the last one is number {len(line)}" + (f", by {line[-1].who}" if line else "")
        raise Conflict(f"{stored.name!r} was decided about since number {seen}: {last}; look again, then decide")
    status = status_of(line, stored.version)
    if wish not in ALLOWED[status]:
        can = " or ".join(DONE[allowed] for allowed in ALLOWED[status])
        told = f"criteria set {stored.version} of {stored.name!r} is {status}"
        raise Conflict(f"{told}: it can be {can}, not {DONE[wish]}")


def _overtaken(line: tuple[Decision, ...], made: Decision) -> str:
    """Who decided at the same moment, as far as the record tells."""
    first = next((d for d in line if d.number == made.number), None)
    told = f"{first.who} chose to {first.decision} {first.version}" if first else "the knowledge base was changed"
    return f"at the same moment {told}; look at {made.name!r} again, then decide"


def _returned(stored: StoredSet, evidence: SetEvidence | None) -> list[Returned]:
    """The set's criteria, each with how it did."""
    held_out = {a.criterion: a for a in evidence.criteria} if evidence else {}
    lineage, found = stored.criteria_set.lineage, list[Returned]()
    for member in stored.criteria_set.members:
        apart = held_out.get(member.criterion.hash)
        speaks = CriterionEvidence(
            name=stored.name, version=stored.version, run=stored.run, dataset=stored.dataset,
            judge=evidence.judge if evidence else lineage.judge, policy=lineage.policy, weight=member.weight,
            mining=Figures.of(member.mining) if member.mining.asked else None,
            held_out=Figures.of(apart) if apart else None, kind=_kind(evidence) if apart else "none",
        )  # fmt: skip
        found.append((member.criterion, speaks))
    return found


def _kind(evidence: SetEvidence | None) -> Literal["sealed", "test"]:
    return "test" if evidence and evidence.holdout == "test" else "sealed"
