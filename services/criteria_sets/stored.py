"""A criteria set as it is kept: a version in a line of versions, and what belongs to it."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ConfigDict

from agents.criteria_set import CriteriaSet
from knowledge_base.errors import InputError
from services.criteria_sets.evidence import Reasons, SetEvidence
from services.criteria_sets.standing import Decision, SetStatus

LINE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class StoredSet(BaseModel):
    """A version.

    Attributes:
        version: content hash of the set; name: the line it stands in, such as `web-quality`.
        criteria_set: the set itself.
        dataset, run, parent: what it was mined from, by, and starting from which version; empty where not known.
        status: what people decided (`services.criteria_sets.standing`).
        created_at: seconds since the epoch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    name: str
    criteria_set: CriteriaSet
    dataset: str
    run: str
    parent: str
    status: SetStatus
    created_at: float


class SetDetails(BaseModel):
    """What belongs to a version beside the set.

    Attributes:
        evidence: None where there is none here, as for a set that was imported.
        reasons: why its criteria are as they are.
        created_by: who put it here; empty for a run.
        decisions: about this version, oldest first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    evidence: SetEvidence | None
    reasons: Reasons
    created_by: str
    decisions: tuple[Decision, ...]


def checked_name(name: str) -> str:
    """The name of a line.

    Raises:
        InputError: it could not stand in a path or an address.
    """
    if not LINE.fullmatch(name):
        remedy = "use 1 to 64 letters, digits, dots, dashes and underscores, with a letter or digit first"
        raise InputError(f"the name of the criteria set is {name[:80]!r}; {remedy}")
    return name


def stored_of(row: Any, status: SetStatus) -> StoredSet:
    """A row of `criteria_sets` as a version."""
    return StoredSet(
        version=row.version, name=row.name, criteria_set=CriteriaSet.model_validate_json(row.body), dataset=row.dataset,
        run=row.run, parent=row.parent, status=status, created_at=row.created_at,
    )  # fmt: skip
