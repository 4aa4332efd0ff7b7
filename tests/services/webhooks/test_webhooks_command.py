"""`touchstone webhooks`: from an address on the command line to a message that arrives there."""

from __future__ import annotations

import json

import pytest
from receiver import Answer, Receiver
from typer.testing import CliRunner

from services.cli.webhooks import app
from services.database import Database
from services.settings import load_settings
from services.webhooks.outbox import announce
from services.webhooks.signing import verify_signature


@pytest.fixture(autouse=True)
def environment(place: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHSTONE_WEBHOOK_SECRET", "s" * 40)
    monkeypatch.setenv("TOUCHSTONE_WEBHOOK_NETWORKS", "127.0.0.0/8")


def run(*arguments: str, code: int = 0) -> tuple[str, str]:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result.stdout, result.stderr


def tell() -> str:
    database = Database(load_settings().database)
    with database.write() as connection:
        message = announce(connection, "run.failed", {"run": "r1", "fault": "x"})
    database.close()
    return message


def test_a_webhook_is_added_tried_listed_and_removed(receiver: Receiver) -> None:
    out, _ = run("add", receiver.url, "--event", "run.failed")
    secret, line = out.splitlines()
    webhook = line.split()[1]
    assert "is told of run.failed" in line
    assert "arrived; the receiver answered 200" in run("test", webhook)[0]
    (request,) = receiver.requests
    assert verify_signature(secret, request.headers, request.body)["type"] == "webhook.test"
    (listed,) = json.loads(run("list", "--json")[0])
    assert (listed["id"], listed["url"]) == (webhook, receiver.url)
    assert secret not in run("list")[0]
    run("remove", webhook)
    assert "no webhooks yet" in run("list")[0]


def test_a_test_that_does_not_arrive_ends_with_one_and_says_why(receiver: Receiver) -> None:
    receiver.answers = [Answer(404)]
    webhook = json.loads(run("add", receiver.url, "--json")[0])["webhook"]["id"]
    out, _ = run("test", webhook, code=1)
    assert "did not arrive: the receiver answered 404" in out
    assert json.loads(run("test", webhook, "--json", code=1)[0])["answer"] == 404


def test_deliveries_are_shown_and_sent_again(receiver: Receiver) -> None:
    webhook = json.loads(run("add", receiver.url, "--json")[0])["webhook"]["id"]
    message = tell()
    shown = run("deliveries", webhook)[0]
    assert message in shown
    assert "waiting" in shown
    assert json.loads(run("deliveries", "--status", "dead", "--json")[0])["items"] == []
    assert "will be sent" in run("redeliver", message, webhook)[0]
    assert "is enabled" in run("enable", webhook)[0]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["add", "https://10.0.0.1/"], "leads to 10.0.0.1, which is private; if it is meant, add its network to"),
        (["add", "ftp://x"], "start it with https://"),
        (["add", "http://127.0.0.1:8080/", "--event", "x"], "there is no event 'x'"),
        (["remove", "wh_x"], "there is no webhook 'wh_x'"),
        (["redeliver", "msg_x", "wh_x"], "there is no webhook 'wh_x'"),
    ],
)
def test_what_cannot_be_done_is_told_with_the_remedy(arguments: list[str], told: str) -> None:
    _, error = run(*arguments, code=1)
    assert error.startswith("touchstone: ")
    assert told in error


def test_without_a_secret_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHSTONE_WEBHOOK_SECRET", "")
    assert "openssl rand -hex 32" in run("add", "http://127.0.0.1:8080/", code=1)[1]
