"""A run as it happens: where it stands, for those who ask, and events, for those who wait."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from services.api.access import Place, Reader
from services.api.problems import documented
from services.api.routes.runs import RunId
from services.api.watching import Standing, events_of, standing_of
from services.closing import ENDS, close_run
from services.orders.known_run import known_run

router = APIRouter(tags=["runs"])


@router.get("/runs/{run}/progress", summary="Where a run stands", responses=documented(404))
def progress(run: RunId, place: Place, caller: Reader) -> Standing:
    """For those who cannot follow events: ask again after a second or so."""
    found = standing_of(place.database, run)
    if found.state in ENDS:
        close_run(place.database, run)
    return found


def _there(run: RunId, place: Place, caller: Reader) -> str:
    """Before the stream begins, since after that no error can be told."""
    return known_run(place.database, run).run


@router.get(
    "/runs/{run}/events", summary="A run as it happens", response_class=EventSourceResponse, responses=documented(404)
)
async def events(
    run: Annotated[str, Depends(_there)],
    place: Place,
    request: Request,
    last: Annotated[str, Header(alias="Last-Event-ID", max_length=40, description="Where a reader was cut off.")] = "",
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: `round` for each finished round, `progress` for where it stands, `end` at its end.

    A reader that was cut off connects again with `Last-Event-ID`; it is told the rounds that it missed.
    """
    async for event in events_of(request.app.state.hub, place.database, run, last):
        yield event
