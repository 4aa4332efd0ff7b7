"""The knowledge base: prior criteria found, added, approved."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from knowledge_base.criterion import Criterion, Domain
from services.api.access import Approver, Place, Reader, Runner
from services.api.fields import Given, Hex, Line, Storable
from services.api.noting import note
from services.api.once import OnceOnly
from services.api.paging import After, Limit, Page, cursor_of, place_of
from services.api.problems import documented
from services.knowledge.adding import Added, add, added_by
from services.knowledge.approving import approve, history, withdraw
from services.knowledge.entry import EntryDecision, PriorEntry
from services.knowledge.listing import list_entries, load_entry
from services.knowledge.searching import Found, search
from services.knowledge.tables import EntryStatus

router = APIRouter(tags=["knowledge base"])

Digest = Annotated[Hex, Path(description="An entry's digest.")]


class EntryIn(Given):
    """A criterion to add, with its provenance, and a word on it."""

    criterion: Criterion
    note: Line = ""


class NoteIn(Given):
    """Why something is decided."""

    note: Line = Field(default="", examples=["Asked for by three teams."])


@router.get("/knowledge/search", summary="Prior criteria near a text")
def find(
    place: Place,
    caller: Reader,
    q: Annotated[
        str,
        Storable,
        Query(min_length=1, max_length=2000, description="What is looked for.", examples=["cites its sources"]),
    ],
    domain: Annotated[Domain | None, Query(description="Lifts criteria that matter there.")] = None,
    n: Annotated[int, Query(ge=1, le=100, description="How many at most.")] = 10,
) -> list[Found]:
    """Search by meaning through the catalogue and what was approved."""
    return list(search(place.database, place.settings.home, q, domain, n))


@router.get("/knowledge/entries", summary="Criteria that were added, the latest first", responses=documented(404))
def entries(
    place: Place,
    caller: Reader,
    status: Annotated[EntryStatus | None, Query(description="Only those.")] = None,
    limit: Limit = 50,
    after: After = "",
) -> Page[PriorEntry]:
    """What people added and what came back with approved sets; the catalogue is not listed."""
    at = place_of(after, str)
    found = list_entries(place.database, status, at[0] if at else "", limit + 1)
    return Page(items=list(found[:limit]), next=cursor_of(found[limit - 1].digest) if len(found) > limit else None)


@router.get("/knowledge/entries/{digest}", summary="One entry", responses=documented(404))
def one(digest: Digest, place: Place, caller: Reader) -> PriorEntry:
    """An entry with its evidence."""
    return load_entry(place.database, digest)


@router.get("/knowledge/entries/{digest}/decisions", summary="What was decided of an entry", responses=documented(404))
def decisions(digest: Digest, place: Place, caller: Reader) -> list[EntryDecision]:
    """Every decision, oldest first."""
    load_entry(place.database, digest)
    return list(history(place.database, digest))


@router.post(
    "/knowledge/entries", summary="Add a criterion", status_code=201, response_model=Added, responses=documented(409)
)
def enter(given: EntryIn, place: Place, caller: Runner, once: OnceOnly) -> Response:
    """Propose a criterion; managers draw on it once somebody approves it."""

    def work() -> Added:
        added = add(place.database, place.settings.home, given.criterion, caller.name, given.note)
        note(place, caller, "knowledge.added", added.entry.digest, name=given.criterion.name)
        return added

    def found() -> Added | None:
        return added_by(place.database, place.settings.home, given.criterion, caller.name)

    return once.answer(work, 201, found)


@router.post("/knowledge/entries/{digest}/approve", summary="Let managers draw on it", responses=documented(404, 409))
def let_in(digest: Digest, given: NoteIn, place: Place, caller: Approver) -> EntryDecision:
    """Runs that begin from now on draw on the entry."""
    made = approve(place.database, digest, caller.name, given.note)
    note(place, caller, "knowledge.approved", digest)
    return made


@router.post(
    "/knowledge/entries/{digest}/withdraw", summary="Let no new run draw on it", responses=documented(404, 409)
)
def take_out(digest: Digest, given: NoteIn, place: Place, caller: Approver) -> EntryDecision:
    """Runs that began with the entry keep it."""
    made = withdraw(place.database, digest, caller.name, given.note)
    note(place, caller, "knowledge.withdrawn", digest)
    return made
