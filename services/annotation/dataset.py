"""Open datasets: named, growing by pairs and votes; any moment of one can be frozen into a version."""

from __future__ import annotations

import re
import secrets
import time
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, or_, select
from sqlalchemy.exc import IntegrityError

from knowledge_base.criterion import DOMAINS
from knowledge_base.errors import Conflict, InputError, NotThere
from services.annotation.tables import OpenDatasetRow
from services.database import Database

Repeats = Literal["latest", "first", "all"]

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,99}")
ID = re.compile(r"d?[0-9a-f]{16,64}")
LISTED = 200


class Sampling(BaseModel):
    """How pairs are handed out, and which votes count.

    Attributes:
        votes_wanted: different people wanted for each pair.
        share_random: of first looks at pairs, the share that follows a random order fixed beforehand.
        share_repeat: of all that is handed out, the share of pairs the same person has answered before.
        repeat_after: answers that a person must have given since, before a pair is repeated.
        lease_seconds: how long a pair that was handed out is kept for that person.
        repeats: which of one person's votes on one pair stands.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    votes_wanted: Annotated[int, Field(ge=1, le=1000)] = 1
    share_random: Annotated[float, Field(ge=0, le=1)] = 0.2
    share_repeat: Annotated[float, Field(ge=0, le=0.5)] = 0.05
    repeat_after: Annotated[int, Field(ge=1, le=100_000)] = 20
    lease_seconds: Annotated[float, Field(ge=1, le=604_800)] = 900.0
    repeats: Repeats = "latest"


class OpenDataset(BaseModel):
    """A dataset that grows.

    Attributes:
        id: made by the server; name: unique.
        description: what people compare; judges and managers read it.
        domain: of the catalogue; empty if not given.
        created_at, changed_at: seconds since the epoch; every write moves `changed_at` on.
        created_by: who made it.
        pairs, votes: how many were added (votes: withdrawals and votes that no longer stand included).
        draws: pairs that were drawn to be shown first; sampled: how many places of the random order were gone through.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    name: str
    description: str
    domain: str
    sampling: Sampling
    created_at: float
    created_by: str
    changed_at: float
    pairs: int
    votes: int
    draws: int
    sampled: int


def create_dataset(
    database: Database,
    name: str,
    description: str = "",
    *,
    domain: str = "",
    sampling: Sampling | None = None,
    created_by: str = "",
    secret: str = "",
) -> OpenDataset:
    """Make an empty dataset.

    Args:
        name: 1 to 100 letters, digits, dots, dashes, underscores and spaces, a letter or digit first.
        secret: keys all chance in it; left out, it is drawn. Tests that must repeat themselves give one.

    Raises:
        InputError: name or domain will not do.
        Conflict: there is a dataset of this name.
    """
    _check(name, description, domain)
    now = time.time()
    row = {
        "id": f"d{secrets.token_hex(8)}", "name": name, "description": description, "domain": domain,
        "secret": secret or secrets.token_hex(16), "sampling": (sampling or Sampling()).model_dump_json(),
        "created_at": now, "changed_at": now, "created_by": created_by[:200],
    }  # fmt: skip
    try:
        with database.write() as connection:
            connection.execute(OpenDatasetRow.__table__.insert(), [row])  # type: ignore[attr-defined]
    except IntegrityError:
        raise Conflict(f"there is a dataset {name!r} already; give another name, or add to that one") from None
    return open_dataset(database, str(row["id"]))


def open_dataset(database: Database, dataset: str) -> OpenDataset:
    """The dataset with this id or name.

    Raises:
        NotThere: there is none.
    """
    with database.read() as connection:
        return _dataset(row_of(connection, dataset))


def list_datasets(database: Database, after: str = "", limit: int = 50) -> list[OpenDataset]:
    """Up to `limit` (at most 200) datasets by name, from the one after `after` on."""
    row = OpenDatasetRow
    query = select(*_columns()).where(row.name > after).order_by(row.name).limit(min(limit, LISTED))
    with database.read() as connection:
        return [_dataset(found) for found in connection.execute(query)]


def change_dataset(
    database: Database, dataset: str, *, description: str | None = None, sampling: Sampling | None = None
) -> OpenDataset:
    """Change what a dataset says of itself; what was handed out and answered stays as it was.

    Args:
        description: None: as it is.
        sampling: only the fields that it was made with are changed. Votes are counted anew if another of one person's
            votes stands now.

    Raises:
        NotThere: there is no such dataset.
        InputError: the description holds NUL.
    """
    # Both need this module.
    from services.annotation.moment import held
    from services.annotation.tallies import recount_all

    _check("x", description or "", "")
    values: dict[str, Any] = {} if description is None else {"description": description}
    if not values and sampling is None:
        return open_dataset(database, dataset)
    with held(database, dataset) as now:
        if sampling is not None:
            changed = {name: getattr(sampling, name) for name in sampling.model_fields_set}
            values["sampling"] = now.sampling.model_copy(update=changed).model_dump_json()
            if changed.get("repeats", now.sampling.repeats) != now.sampling.repeats:
                recount_all(now, sampling.repeats)
        now.change(**values)
    return open_dataset(database, now.id)


def row_of(connection: Connection, dataset: str) -> Any:
    """The row of the dataset with this id or name.

    Raises:
        NotThere: there is none.
    """
    row = OpenDatasetRow
    query = select(*_columns()).where(or_(row.id == dataset, row.name == dataset))
    found = connection.execute(query).one_or_none() if "\x00" not in dataset else None
    if found is None:
        raise NotThere(f"there is no dataset {dataset[:100]!r}; create it first, or list those that are there")
    return found


def _columns() -> list[Any]:
    return list(OpenDatasetRow.__table__.columns)


def _dataset(row: Any) -> OpenDataset:
    return OpenDataset(
        id=row.id, name=row.name, description=row.description, domain=row.domain,
        sampling=Sampling.model_validate_json(row.sampling), created_at=row.created_at, created_by=row.created_by,
        changed_at=row.changed_at, pairs=row.pairs, votes=row.votes, draws=row.draws, sampled=row.sampled,
    )  # fmt: skip


def _check(name: str, description: str, domain: str) -> None:
    if not NAME.fullmatch(name) or ID.fullmatch(name):
        remedy = "use 1 to 100 letters, digits, dots, dashes, underscores and spaces, and nothing that reads like an id"
        raise InputError(f"the name of the dataset is {name[:80]!r}; {remedy}")
    if "\x00" in description or len(description) > 10_000:
        raise InputError("the description holds NUL or more than 10,000 characters; say it in a sentence or two")
    if domain and domain not in DOMAINS:
        raise InputError(f"the domain is {domain[:40]!r}; use one of {', '.join(DOMAINS)}, or leave it out")
