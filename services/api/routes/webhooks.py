"""Webhooks: who is told of what, and what became of each message."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from services.api.access import Admin, Place
from services.api.fields import Given, Ident, Line
from services.api.paging import After, Limit, Page, cursor_of, place_of
from services.api.problems import documented
from services.webhooks.attempts import Status
from services.webhooks.deliveries import Delivery, list_deliveries, redeliver
from services.webhooks.delivering import send_test
from services.webhooks.endpoints import NewWebhook, Webhook, add_webhook, enable_webhook, list_webhooks, remove_webhook
from services.webhooks.events import examples

router = APIRouter(tags=["webhooks"])

WebhookId = Annotated[Ident, Path(description="Id of a webhook.", examples=["wh_3k9d"])]


class WebhookIn(Given):
    """An address to tell of events; all of them where none is named."""

    url: Line = Field(examples=["https://example.org/touchstone"])
    events: list[Annotated[Line, Field(max_length=96)]] = Field(
        default=[], max_length=20, examples=[["run.finished", "drift.found"]]
    )


@router.get("/webhooks", summary="All webhooks")
def webhooks(place: Place, caller: Admin) -> list[Webhook]:
    """Who is told, of what, and whether that works."""
    return list(list_webhooks(place.database))


@router.post("/webhooks", summary="Have an address told", status_code=201)
def add(given: WebhookIn, place: Place, caller: Admin) -> NewWebhook:
    """The secret that its messages are signed with is in the answer."""
    return add_webhook(place.database, place.settings, given.url, tuple(given.events), who=caller)


@router.get("/webhooks/events", summary="What there is to be told of")
def events(caller: Admin) -> dict[str, dict[str, Any]]:
    """Every event with a whole message as it is sent."""
    return examples()


@router.get("/webhooks/deliveries", summary="What became of each message, the latest first")
def deliveries(
    place: Place,
    caller: Admin,
    webhook: Annotated[Ident | None, Query(description="Only to this one.")] = None,
    status: Annotated[Status | None, Query(description="Only those.")] = None,
    limit: Limit = 50,
    after: After = "",
) -> Page[Delivery]:
    """Messages on their way, delivered, and given up."""
    at = place_of(after, str)
    found = list_deliveries(
        place.database, webhook=webhook or "", status=status, after=at[0] if at else "", limit=limit
    )
    return Page(items=list(found.items), next=cursor_of(found.next) if found.next else None)


@router.post("/webhooks/{webhook}/test", summary="Send a message now", responses=documented(404, 409))
def test(webhook: WebhookId, place: Place, caller: Admin) -> Delivery:
    """Send a message that only shows that messages arrive, and tell how that went."""
    return send_test(place.database, place.settings, webhook, who=caller)


@router.post("/webhooks/{webhook}/enable", summary="Tell it again", responses=documented(404))
def enable(webhook: WebhookId, place: Place, caller: Admin) -> Webhook:
    """After the server gave it up: what waited goes out."""
    return enable_webhook(place.database, webhook, who=caller)


@router.post(
    "/webhooks/{webhook}/deliveries/{event}", summary="Send a message again", status_code=204,
    responses=documented(404, 409),
)  # fmt: skip
def again(
    webhook: WebhookId, event: Annotated[Ident, Path(description="Id of an event.")], place: Place, caller: Admin
) -> Response:
    """From the first try on, under the same id."""
    redeliver(place.database, event, webhook, who=caller)
    return Response(status_code=204)


@router.delete("/webhooks/{webhook}", summary="Tell it no more", status_code=204, responses=documented(404))
def remove(webhook: WebhookId, place: Place, caller: Admin) -> Response:
    """What still waits for it is given up."""
    remove_webhook(place.database, webhook, who=caller)
    return Response(status_code=204)
