"""Webhooks are added only where messages may go, listed without their secrets, and on record."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import ValidationError

from knowledge_base.errors import AddressRefused, InputError, NotThere
from services.access.audit import list_actions
from services.access.identity import Identity
from services.database import Database
from services.tables import Tables
from services.webhooks import endpoints
from services.webhooks.deliveries import list_deliveries
from services.webhooks.endpoints import add_webhook, enable_webhook, list_webhooks, remove_webhook, secret_of
from services.webhooks.events import EVENTS
from services.webhooks.outbox import announce
from services.webhooks.settings import WebhookSettings

ADA = Identity(key="k1", name="ada", scopes=frozenset({"admin"}))
URL = "https://hooks.example/x"


def public(host: str, port: int) -> Sequence[str]:
    return ["93.184.216.34"]


def everything_in(database: Database) -> str:
    """All that the database holds, as text."""
    with database.read() as connection:
        return str([connection.execute(table.select()).all() for table in Tables.metadata.sorted_tables])


def test_a_webhook_is_listed_with_all_that_was_said_of_it(database: Database, settings: WebhookSettings) -> None:
    made = add_webhook(database, settings, URL, ["drift.found", "run.failed"], who=ADA, resolver=public)
    (listed,) = list_webhooks(database)
    assert listed == made.webhook
    assert (listed.url, listed.events, listed.enabled) == (URL, ("run.failed", "drift.found"), True)
    assert (listed.created_by, listed.failing_since, listed.disabled_because) == ("ada (k1)", None, "")


def test_without_a_choice_it_is_told_of_everything(database: Database, settings: WebhookSettings) -> None:
    assert add_webhook(database, settings, URL, resolver=public).webhook.events == tuple(EVENTS)


def test_its_secret_can_be_asked_for_and_is_kept_nowhere(database: Database, settings: WebhookSettings) -> None:
    made = add_webhook(database, settings, URL, resolver=public)
    assert secret_of(database, settings, made.webhook.id) == made.secret
    held = everything_in(database)
    assert made.webhook.id in held
    assert made.secret.removeprefix("whsec_") not in held
    assert settings.webhook_secret.get_secret_value() not in held
    assert made.secret not in repr(made)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "fd00::1", "100.64.0.1"])
def test_an_address_inside_is_refused_and_nothing_is_kept(
    database: Database, settings: WebhookSettings, address: str
) -> None:
    strict = WebhookSettings.model_validate(settings.model_dump() | {"webhook_networks": ""})
    with pytest.raises(AddressRefused, match="leads to"):
        add_webhook(database, strict, URL, resolver=lambda host, port: [address])
    assert list_webhooks(database) == ()
    assert list_actions(database).items == ()


def test_a_name_that_does_not_resolve_is_refused(database: Database, settings: WebhookSettings) -> None:
    def nowhere(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror("unknown name")

    with pytest.raises(AddressRefused, match="cannot be resolved"):
        add_webhook(database, settings, URL, resolver=nowhere)


def test_an_unknown_event_is_refused(database: Database, settings: WebhookSettings) -> None:
    with pytest.raises(InputError, match=r"no event 'run\.\*'; there are run\.finished"):
        add_webhook(database, settings, URL, ["run.*"], resolver=public)


@pytest.mark.parametrize(
    ("secret", "told"), [("", "is not set"), ("short", "fewer than 32"), ("x" * 32 + ",y", "fewer")]
)
def test_without_a_good_secret_there_are_no_webhooks_and_it_is_not_repeated(
    database: Database, settings: WebhookSettings, secret: str, told: str
) -> None:
    poor = WebhookSettings.model_validate(settings.model_dump() | {"webhook_secret": secret})
    with pytest.raises(InputError, match=rf"TOUCHSTONE_WEBHOOK_SECRET.*{told}|{told}.*openssl rand") as caught:
        add_webhook(database, poor, URL, resolver=public)
    assert not secret or secret not in str(caught.value)


def test_there_is_a_bound_to_their_number(
    database: Database, settings: WebhookSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "MOST_WEBHOOKS", 2)
    first = add_webhook(database, settings, URL, resolver=public)
    add_webhook(database, settings, URL, resolver=public)
    with pytest.raises(InputError, match="2 webhooks already"):
        add_webhook(database, settings, URL, resolver=public)
    remove_webhook(database, first.webhook.id)
    add_webhook(database, settings, URL, resolver=public)


def test_a_removed_one_is_told_nothing_more(database: Database, settings: WebhookSettings) -> None:
    made = add_webhook(database, settings, URL, resolver=public).webhook
    with database.write() as connection:
        announce(connection, "run.failed", {"run": "r"})
    remove_webhook(database, made.id)
    assert list_webhooks(database) == ()
    (delivery,) = list_deliveries(database).items
    assert (delivery.status, delivery.fault) == ("dead", "the webhook was removed")


def test_one_that_is_not_there_is_told_so(database: Database, settings: WebhookSettings) -> None:
    removed = add_webhook(database, settings, URL, resolver=public).webhook.id
    remove_webhook(database, removed)
    actions: list[Any] = [remove_webhook, enable_webhook]
    for webhook in ("wh_nope", removed):
        for act in actions:
            with pytest.raises(NotThere, match=f"no webhook '{webhook}'"):
                act(database, webhook)
        with pytest.raises(NotThere):
            secret_of(database, settings, webhook)


def test_everything_that_is_done_to_them_is_on_record_without_their_address(
    database: Database, settings: WebhookSettings
) -> None:
    made = add_webhook(database, settings, URL + "?token=abc", who=ADA, resolver=public).webhook
    enable_webhook(database, made.id, who=ADA)
    remove_webhook(database, made.id, who=ADA)
    done = list_actions(database).items
    assert [(a.action, a.subject, a.key) for a in reversed(done)] == [
        (f"webhook.{what}", made.id, "k1") for what in ("added", "enabled", "removed")
    ]
    assert "token=abc" not in "".join(a.model_dump_json() for a in done)


@pytest.mark.parametrize(
    ("name", "value"),
    [("webhook_networks", "10.0.0.1/8"), ("webhook_ca_file", "/nowhere.pem"), ("webhook_timeout_seconds", 0)],
)
def test_settings_that_cannot_be_used_are_refused(settings: WebhookSettings, name: str, value: object) -> None:
    with pytest.raises(ValidationError):
        WebhookSettings.model_validate(settings.model_dump() | {name: value})
