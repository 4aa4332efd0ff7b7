"""The record of actions: who did what, when."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from services.access.audit import Action, list_actions
from services.access.audit_chain import ChainReport, verify_actions
from services.api.access import Admin, Place
from services.api.fields import Ident
from services.api.paging import After, Limit, Page, cursor_of, place_of

router = APIRouter(tags=["actions"])


@router.get("/actions", summary="Who did what, the latest first")
def actions(
    place: Place,
    caller: Admin,
    key: Annotated[Ident | None, Query(description="Only by this key.")] = None,
    action: Annotated[Ident | None, Query(description="Only actions of this kind, such as `run.ordered`.")] = None,
    limit: Limit = 50,
    after: After = "",
) -> Page[Action]:
    """The record, which is only ever added to."""
    at = place_of(after, str)
    found = list_actions(place.database, key=key or "", action=action or "", after=at[0] if at else "", limit=limit)
    return Page(items=list(found.items), next=cursor_of(found.next) if found.next else None)


@router.get("/actions/verify", summary="Is the record whole?")
def verify(place: Place, caller: Admin) -> ChainReport:
    """Look through the whole record for actions that were changed or taken out."""
    return verify_actions(place.database)
