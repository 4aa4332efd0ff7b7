"""An event is written with what happened or not at all, for those who want it, and exactly once where that is asked."""

from __future__ import annotations

import json
import re
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from knowledge_base.errors import InputError
from services.database import Database
from services.webhooks.deliveries import list_deliveries
from services.webhooks.endpoints import add_webhook, remove_webhook
from services.webhooks.events import EVENTS, examples
from services.webhooks.outbox import announce
from services.webhooks.settings import WebhookSettings
from services.webhooks.tables import EventRow

URL = "http://127.0.0.1:8080/"
RUN = {"run": "r1", "name": "answers", "version": "v1"}


def told(database: Database, event: str = "run.finished", body: dict[str, Any] | None = None, once: str = "") -> str:
    with database.write() as connection:
        return announce(connection, event, RUN if body is None else body, once=once)


def kept(database: Database) -> list[tuple[str, str, dict[str, Any]]]:
    with database.read() as connection:
        rows = connection.execute(select(EventRow.id, EventRow.event, EventRow.body).order_by(EventRow.at)).all()
    return [(r.id, r.event, json.loads(r.body)) for r in rows]


def test_an_event_is_kept_as_it_is_sent(database: Database) -> None:
    message = told(database)
    ((kept_id, event, body),) = kept(database)
    assert (kept_id, event) == (message, "run.finished")
    assert (body["type"], body["data"]) == ("run.finished", RUN)
    assert abs(datetime.fromisoformat(body["timestamp"]) - datetime.now(UTC)).total_seconds() < 5
    assert re.fullmatch(r"msg_[0-9A-Za-z]{26}", message)


def test_those_who_want_it_and_no_others_are_told(database: Database, settings: WebhookSettings) -> None:
    every = add_webhook(database, settings, URL).webhook.id
    some = add_webhook(database, settings, URL, ["run.finished", "drift.found"]).webhook.id
    other = add_webhook(database, settings, URL, ["run.failed"]).webhook.id
    gone = add_webhook(database, settings, URL).webhook.id
    remove_webhook(database, gone)
    message = told(database)
    found = list_deliveries(database).items
    assert {d.webhook for d in found} == {every, some}
    assert {(d.event, d.kind, d.status, d.attempts) for d in found} == {(message, "run.finished", "waiting", 0)}
    told(database, "run.failed", {"run": "r2"})
    assert len(list_deliveries(database, webhook=other).items) == 1


def test_nothing_is_told_of_what_did_not_happen(database: Database, settings: WebhookSettings) -> None:
    add_webhook(database, settings, URL)

    def fail() -> None:
        with database.write() as connection:
            announce(connection, "run.finished", RUN)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert kept(database) == []
    assert list_deliveries(database).items == ()


def test_every_call_is_an_event_of_its_own_unless_it_says_what_makes_it_the_same(
    database: Database, settings: WebhookSettings
) -> None:
    add_webhook(database, settings, URL)
    assert told(database) != told(database)
    again = {told(database, once="r1") for _ in range(3)}
    assert len(again) == 1
    assert told(database, "run.failed", {"run": "r1"}, once="r1") not in again
    assert told(database, once="r2") not in again
    assert len(kept(database)) == len(list_deliveries(database).items) == 5


def test_announcing_again_does_not_send_again(database: Database, settings: WebhookSettings) -> None:
    told(database, once="r1")
    add_webhook(database, settings, URL)
    told(database, body=RUN | {"version": "changed"}, once="r1")
    assert kept(database)[0][2]["data"] == RUN


def test_many_who_announce_the_same_at_once_make_one_event(database: Database, settings: WebhookSettings) -> None:
    add_webhook(database, settings, URL)
    threads = [threading.Thread(target=told, args=(database,), kwargs={"once": "r1"}) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(kept(database)), len(list_deliveries(database).items)) == (1, 1)


@pytest.mark.parametrize(
    ("event", "body", "fault"),
    [
        ("run.exploded", RUN, "no event 'run.exploded'; announce one of run.finished, "),
        ("webhook.test", {"webhook": "wh_1"}, "no event 'webhook.test'"),
        ("run.finished", {}, "data of run.finished does not fit: run: "),
        ("run.finished", RUN | {"text": "a text"}, "text: Extra inputs"),
        ("run.finished", RUN | {"run": "r" * 300}, "run: "),
        ("set.decided", {"name": "n", "version": "v", "decision": "maybe"}, "decision: "),
        ("labelling.finished", {"labelling": "l", "pairs": -1}, "pairs: "),
    ],
)
def test_what_receivers_were_not_promised_is_refused(
    database: Database, event: str, body: dict[str, Any], fault: str
) -> None:
    with pytest.raises(InputError, match=re.escape(fault)):
        told(database, event, body)
    assert kept(database) == []


def test_long_and_acting_words_are_cut_and_made_harmless(database: Database) -> None:
    told(database, "run.failed", {"run": "r", "fault": "\x1b\x00" + "x" * 5000})
    fault = kept(database)[0][2]["data"]["fault"]
    assert fault.startswith("[U+001B][U+0000]xxx")
    assert fault.endswith("…")
    assert len(fault) < 600


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_has_an_example_that_it_accepts(database: Database, event: str) -> None:
    example = examples()[event]
    assert example["type"] == event
    told(database, event, example["data"])
    assert kept(database)[0][2]["data"] == json.loads(json.dumps(example["data"]))
    assert len(json.dumps(example)) < 20_000


def test_every_field_of_every_event_is_documented() -> None:
    missing = [(e, f) for e, model in EVENTS.items() for f in model.model_fields if f not in (model.__doc__ or "")]
    assert missing == []
