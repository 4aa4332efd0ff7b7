"""Deliveries that meet trouble, are sent again by hand, listed and forgotten."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from receiver import Answer, Receiver, added, free_port, only, tell

from knowledge_base.errors import Conflict, InputError, NotThere
from services.access.audit import list_actions
from services.database import Database
from services.webhooks.attempts import (
    MOST_AT_ONCE,
    MOST_TO_ONE,
    RETRY_SECONDS,
    settle,
    take_due,
)
from services.webhooks.deliveries import forget_events, list_deliveries, redeliver
from services.webhooks.delivering import DeliveryReport, deliver, send_test
from services.webhooks.endpoints import add_webhook, enable_webhook, list_webhooks, remove_webhook
from services.webhooks.sending import Outcome
from services.webhooks.settings import WebhookSettings
from services.webhooks.signing import verify_signature

ROOT = Path(__file__).parents[3]
Make = Callable[..., Receiver]


def test_a_message_that_kills_whoever_sends_it_is_given_up(database: Database, settings: WebhookSettings) -> None:
    add_webhook(database, settings, f"http://127.0.0.1:{free_port()}/")
    tell(database)
    now = time.time()
    for number in range(len(RETRY_SECONDS)):
        assert len(take_due(database, now + 10 * number, seconds=10)) == 1
    assert deliver(database, settings, now + 1000) == DeliveryReport(dead=1)


def test_a_slow_receiver_does_not_hold_up_another(
    database: Database, settings: WebhookSettings, receivers: Make
) -> None:
    slow, quick = receivers(), receivers()
    slow.answers = [Answer(delay=1.5)]
    slow_id = added(database, settings, slow).webhook.id
    tell(database, 3 * MOST_AT_ONCE)
    quick_id = added(database, settings, quick).webhook.id
    tell(database)
    taken = take_due(database, time.time(), 0.0)
    assert [t.webhook for t in taken].count(slow_id) == MOST_TO_ONE
    assert [t.webhook for t in taken].count(quick_id) == 1


def test_a_webhook_that_was_removed_amid_a_try_stays_given_up(
    database: Database, settings: WebhookSettings, receiver: Receiver
) -> None:
    made = added(database, settings, receiver).webhook
    tell(database)
    (taken,) = take_due(database, time.time(), 60)
    remove_webhook(database, made.id)
    settle(database, taken, Outcome(fault="x"), time.time())
    assert only(database).status == "dead"
    assert deliver(database, settings, time.time() + 1e6).tried == 0


def test_an_address_that_leads_inside_by_now_is_not_told(
    database: Database, settings: WebhookSettings, receiver: Receiver
) -> None:
    answers = [["127.0.0.1"], ["10.0.0.1"]]
    url = f"http://hooks.example:{receiver.port}/"
    add_webhook(database, settings, url, resolver=lambda host, port: answers[0])
    tell(database)
    deliver(database, settings, resolver=lambda host, port: answers[1])
    assert receiver.requests == []
    assert "leads to 10.0.0.1, which is private" in only(database).fault


def test_without_a_secret_nothing_is_sent_and_no_try_is_lost(
    database: Database, settings: WebhookSettings, receiver: Receiver
) -> None:
    added(database, settings, receiver)
    bare = WebhookSettings.model_validate(settings.model_dump() | {"webhook_secret": ""})
    assert deliver(database, bare).tried == 0
    tell(database)
    with pytest.raises(InputError, match="TOUCHSTONE_WEBHOOK_SECRET is not set"):
        deliver(database, bare)
    assert (only(database).attempts, receiver.requests) == (0, [])


def test_while_the_master_secret_changes_receivers_may_have_either(
    database: Database, settings: WebhookSettings, receiver: Receiver
) -> None:
    old = added(database, settings, receiver)
    both = f"{'n' * 40},{settings.webhook_secret.get_secret_value()}"
    changing = WebhookSettings.model_validate(settings.model_dump() | {"webhook_secret": both})
    new = add_webhook(database, changing, receiver.url)
    tell(database)
    deliver(database, changing)
    for made in (old, new):
        fitting = [r for r in receiver.requests if fits(made.secret, r.headers, r.body)]
        assert len(fitting) == 1


def fits(secret: str, headers: dict[str, str], body: bytes) -> bool:
    try:
        return bool(verify_signature(secret, headers, body))
    except InputError:
        return False


def test_what_was_given_up_can_be_sent_again_by_hand_under_the_same_id(
    database: Database, settings: WebhookSettings, receiver: Receiver
) -> None:
    receiver.answers = [Answer(410), Answer(200)]
    made = added(database, settings, receiver).webhook
    (message,) = tell(database)
    deliver(database, settings)
    with pytest.raises(Conflict, match="is disabled"):
        redeliver(database, message, made.id)
    enable_webhook(database, made.id)
    redeliver(database, message, made.id)
    assert only(database).attempts == 0
    assert deliver(database, settings).delivered == 1
    assert receiver.ids == [message, message]
    assert list_actions(database).items[0].action == "webhook.redelivered"


def test_an_event_from_before_can_be_sent_to_a_new_webhook(
    database: Database, settings: WebhookSettings, receiver: Receiver
) -> None:
    (message,) = tell(database)
    made = added(database, settings, receiver).webhook
    redeliver(database, message, made.id)
    assert deliver(database, settings).delivered == 1
    with pytest.raises(NotThere, match="no event 'msg_nope'"):
        redeliver(database, "msg_nope", made.id)
    with pytest.raises(NotThere, match="no webhook"):
        redeliver(database, message, "wh_nope")


def test_a_test_message_goes_to_one_webhook_at_once(
    database: Database, settings: WebhookSettings, receivers: Make
) -> None:
    first, second = receivers(), receivers()
    made = added(database, settings, first)
    added(database, settings, second)
    tell(database)
    sent = send_test(database, settings, made.webhook.id)
    assert (sent.kind, sent.status, sent.answer) == ("webhook.test", "delivered", 200)
    (request,) = first.requests
    assert verify_signature(made.secret, request.headers, request.body)["data"] == {"webhook": made.webhook.id}
    assert second.requests == []


def test_deliveries_are_listed_by_pages_and_by_where_they_stand(
    database: Database, settings: WebhookSettings, receiver: Receiver
) -> None:
    receiver.answers = [Answer(200), Answer(200), Answer(500)]
    added(database, settings, receiver)
    added(database, settings, receiver)
    messages = tell(database, 3)
    seen, after = [], ""
    while True:
        page = list_deliveries(database, after=after, limit=4)
        seen += [d.event for d in page.items]
        after = page.next
        if not after:
            break
    assert seen == [m for m in reversed(messages) for _ in range(2)]
    deliver(database, settings)
    assert len(list_deliveries(database, status="delivered").items) == 2
    assert len(list_deliveries(database, status="waiting").items) == 4
    for cursor in ("x", "1/2", "1/2/3/4", "nan-/a/b"):
        with pytest.raises(InputError, match="cursor"):
            list_deliveries(database, after=cursor)


def test_old_events_are_forgotten_once_nobody_waits_for_them(
    database: Database, settings: WebhookSettings, receiver: Receiver
) -> None:
    receiver.answers = [Answer(200), Answer(500)]
    added(database, settings, receiver)
    tell(database)
    deliver(database, settings)
    (waits,) = tell(database)
    deliver(database, settings)
    assert forget_events(database, before=0.0) == 0
    assert forget_events(database, time.time() + 1) == 1
    assert [d.event for d in list_deliveries(database).items] == [waits]
    remove_webhook(database, list_webhooks(database)[0].id)
    assert forget_events(database, time.time() + 1) == 1
    assert list_deliveries(database).items == ()
