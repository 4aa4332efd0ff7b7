"""Deliveries arrive signed, are tried again on schedule, sent by one process only, and given up visibly."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from receiver import RUN, Answer, Receiver, added, free_port, only, tell

from services.access.audit import list_actions
from services.database import Database
from services.webhooks.attempts import (
    GIVE_UP_SECONDS,
    JITTER,
    RETRY_SECONDS,
    settle,
    take_due,
)
from services.webhooks.deliveries import list_deliveries
from services.webhooks.delivering import DeliveryReport, deliver
from services.webhooks.endpoints import add_webhook, enable_webhook, list_webhooks
from services.webhooks.sending import Outcome
from services.webhooks.settings import WebhookSettings
from services.webhooks.signing import verify_signature

ROOT = Path(__file__).parents[3]
Make = Callable[..., Receiver]


def test_a_message_arrives_signed_with_what_happened(
    database: Database, settings: WebhookSettings, receiver: Receiver
) -> None:
    made = added(database, settings, receiver)
    (message,) = tell(database)
    assert deliver(database, settings) == DeliveryReport(delivered=1)
    (request,) = receiver.requests
    payload = verify_signature(made.secret, request.headers, request.body)
    assert (payload["type"], payload["data"]) == ("run.finished", RUN)
    assert request.headers["webhook-id"] == message
    delivery = only(database)
    assert (delivery.status, delivery.answer, delivery.attempts, delivery.reply) == ("delivered", 200, 1, "thanks")
    assert delivery.ended_at is not None
    assert delivery.next_at is None


def test_what_arrived_is_not_sent_again(database: Database, settings: WebhookSettings, receiver: Receiver) -> None:
    added(database, settings, receiver)
    tell(database, 3)
    assert deliver(database, settings).delivered == 3
    assert deliver(database, settings).tried == 0
    assert deliver(database, settings, time.time() + 1e6).tried == 0
    assert len(receiver.requests) == 3


def test_each_receiver_gets_its_own_signature(database: Database, settings: WebhookSettings, receivers: Make) -> None:
    first, second = receivers(), receivers()
    secrets = [added(database, settings, r).secret for r in (first, second)]
    tell(database)
    assert deliver(database, settings).delivered == 2
    signatures = [r.requests[0].headers["webhook-signature"] for r in (first, second)]
    assert len({*signatures}) == len({*secrets}) == 2
    assert first.ids == second.ids


def test_what_fails_is_tried_again_with_longer_and_longer_waits_and_then_given_up(
    database: Database, settings: WebhookSettings, receiver: Receiver
) -> None:
    receiver.answers = [Answer(503)]
    added(database, settings, receiver)
    tell(database)
    now = begun = time.time()
    for number, wait in enumerate(RETRY_SECONDS, start=1):
        assert deliver(database, settings, now) == DeliveryReport(waiting=1)
        delivery = only(database)
        assert (delivery.attempts, delivery.fault) == (number, "the receiver answered 503")
        assert delivery.next_at is not None
        assert now + wait <= delivery.next_at <= now + wait * (1 + JITTER)
        assert deliver(database, settings, delivery.next_at - 0.001).tried == 0
        now = delivery.next_at
    assert 0.9 * 86400 < now - begun < 1.3 * 86400
    assert deliver(database, settings, now) == DeliveryReport(dead=1)
    assert deliver(database, settings, now + 1e6).tried == 0
    assert (only(database).status, len(receiver.requests)) == ("dead", len(RETRY_SECONDS) + 1)
    assert len({*receiver.ids}) == 1


def test_a_receiver_that_comes_back_gets_everything(
    database: Database, settings: WebhookSettings, receiver: Receiver
) -> None:
    receiver.answers = [Answer(500), Answer(500), Answer(200)]
    made = added(database, settings, receiver)
    messages = tell(database, 2)
    assert deliver(database, settings).waiting == 2
    assert list_webhooks(database)[0].failing_since is not None
    assert deliver(database, settings, time.time() + 60).delivered == 2
    assert sorted(receiver.ids) == sorted([*messages, *messages])
    assert list_webhooks(database)[0].failing_since is None
    assert verify_signature(made.secret, receiver.requests[-1].headers, receiver.requests[-1].body)


def test_a_wait_that_the_receiver_asks_for_is_kept(
    database: Database, settings: WebhookSettings, receiver: Receiver
) -> None:
    receiver.answers = [Answer(429, {"Retry-After": "900"}), Answer()]
    added(database, settings, receiver)
    tell(database)
    now = time.time()
    deliver(database, settings, now)
    assert only(database).next_at == now + 900


def test_a_receiver_that_is_gone_is_told_no_more(
    database: Database, settings: WebhookSettings, receiver: Receiver
) -> None:
    receiver.answers = [Answer(410)]
    made = added(database, settings, receiver).webhook
    tell(database)
    assert deliver(database, settings) == DeliveryReport(dead=1)
    (webhook,) = list_webhooks(database)
    assert (webhook.enabled, webhook.disabled_because) == (False, "the receiver answered 410: gone")
    tell(database)
    assert len(list_deliveries(database).items) == 1
    action = list_actions(database).items[0]
    assert (action.action, action.subject, action.key) == ("webhook.disabled", made.id, "system")


def run_out(database: Database, settings: WebhookSettings, begin: float) -> float:
    """Call it for a day and a half; the moment when it ends."""
    for hour in range(40):
        deliver(database, settings, begin + 3600 * hour)
    return begin + 3600 * 40


def test_where_nothing_arrives_for_long_the_webhook_is_disabled_and_that_is_on_record(
    database: Database, settings: WebhookSettings
) -> None:
    made = add_webhook(database, settings, f"http://127.0.0.1:{free_port()}/").webhook
    tell(database)
    now = time.time()
    end = run_out(database, settings, now)
    (webhook,) = list_webhooks(database)
    assert not webhook.enabled
    assert webhook.disabled_because.startswith("nothing arrived for ")
    assert only(database).status == "dead"
    assert [a.action for a in list_actions(database, subject=made.id).items] == ["webhook.disabled", "webhook.added"]
    assert end - now > GIVE_UP_SECONDS


def test_one_message_that_is_never_taken_does_not_disable_a_webhook_that_takes_others(
    database: Database, settings: WebhookSettings, receiver: Receiver
) -> None:
    added(database, settings, receiver)
    (poor,) = tell(database)
    now = time.time()
    for wait in (0.0, *RETRY_SECONDS):
        now += wait * (1 + JITTER)
        receiver.answers = [Answer(500)]
        deliver(database, settings, now)
        receiver.answers = [Answer(200)]
        tell(database)
        deliver(database, settings, now)
    (webhook,) = list_webhooks(database)
    assert webhook.enabled
    assert [d.event for d in list_deliveries(database, status="dead").items] == [poor]


def test_while_it_is_disabled_what_waits_is_kept_and_goes_out_once_it_is_enabled(
    database: Database, settings: WebhookSettings, receiver: Receiver
) -> None:
    receiver.answers = [Answer(500), Answer(410), Answer(200)]
    made = added(database, settings, receiver).webhook
    tell(database)
    deliver(database, settings)
    tell(database)
    deliver(database, settings)
    assert deliver(database, settings, time.time() + 1e5).tried == 0
    enable_webhook(database, made.id)
    assert deliver(database, settings, time.time() + 1e5).delivered == 1


def test_two_deliverers_send_each_message_once(
    database: Database, settings: WebhookSettings, receiver: Receiver
) -> None:
    added(database, settings, receiver)
    messages = tell(database, 24)
    url = database.url.render_as_string(hide_password=False)
    reports: list[DeliveryReport] = []

    def work() -> None:
        own = Database(url)
        while (report := deliver(own, settings)).tried:
            reports.append(report)
        own.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(receiver.ids) == sorted(messages)
    assert sum(r.delivered for r in reports) == 24


def test_what_a_killed_process_held_is_sent_when_its_lease_ends_under_the_same_id(
    database: Database, settings: WebhookSettings, receiver: Receiver
) -> None:
    added(database, settings, receiver)
    (message,) = tell(database)
    now = time.time()
    (lost,) = take_due(database, now, seconds=100)
    assert deliver(database, settings, now + 99).tried == 0
    assert deliver(database, settings, now + 100) == DeliveryReport(delivered=1)
    assert (receiver.ids, only(database).attempts) == ([message], 2)
    settle(database, lost, Outcome(fault="too late"), now + 101)
    assert only(database).status == "delivered"


KILLED = """
import sys
from services.database import Database
from services.webhooks.delivering import deliver
from services.webhooks.settings import WebhookSettings

deliver(Database(sys.argv[1]), WebhookSettings())
"""


def test_a_process_that_is_killed_amid_sending_loses_nothing(
    database: Database, settings: WebhookSettings, receiver: Receiver
) -> None:
    receiver.answers = [Answer(delay=60), Answer()]
    made = added(database, settings, receiver)
    (message,) = tell(database)
    variables = {
        "TOUCHSTONE_WEBHOOK_SECRET": settings.webhook_secret.get_secret_value(),
        "TOUCHSTONE_WEBHOOK_NETWORKS": settings.webhook_networks,
    }
    command = [sys.executable, "-c", KILLED, database.url.render_as_string(hide_password=False)]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | variables)
    until = time.monotonic() + 30
    while not receiver.requests and time.monotonic() < until:
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert deliver(database, settings).tried == 0
    assert deliver(database, settings, time.time() + 200).delivered == 1
    assert receiver.ids == [message, message]
    assert verify_signature(made.secret, receiver.requests[1].headers, receiver.requests[1].body)
