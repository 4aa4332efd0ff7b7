"""A database that others hold for long: what was paid for waits, and whoever asked over HTTP is told to try again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from batch_desk import Desk
from busy import held_for, opened_hastily
from fastapi import FastAPI
from fastapi.testclient import TestClient
from letter_parties import letter_judgment
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from services import database as database_module
from services.api import problems
from services.batches import begin
from services.database import Database
from services.sql_ledger import keep_answers
from services.tables import JudgmentRow, ReplyRow


@pytest.fixture
def hasty(database_url: str, database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The same database, opened by somebody who gives up waiting for a lock after a twentieth of a second."""
    with opened_hastily(database_url, monkeypatch) as opened:
        yield opened


def add(connection: Connection) -> None:
    connection.execute(insert(ReplyRow).values(key="one", body="{}", at=0.0))


def test_answers_that_were_paid_for_outlast_a_long_write_of_others(hasty: Database, database: Database) -> None:
    desk = Desk(database)
    questions = [q for batch in desk.hand_out() for q in begin(database, batch)]
    said = [letter_judgment(a.key, c.name.removeprefix("Letters "), p) for a, c, p in questions]
    with held_for(database, 0.5):
        keep_answers(hasty, said)
    with database.read() as connection:
        kept = set(connection.execute(select(JudgmentRow.key).where(JudgmentRow.status != "missing")).scalars())
    assert kept == {j.key for j in said}


def test_a_single_write_gives_up_and_leaves_nothing(hasty: Database, database: Database) -> None:
    with held_for(database, 0.5), pytest.raises(OperationalError), hasty.write() as connection:
        add(connection)
    with database.read() as connection:
        assert connection.execute(select(ReplyRow)).all() == []


def test_what_is_tried_again_is_done_once(hasty: Database, database: Database) -> None:
    tried = []

    def write() -> None:
        tried.append(1)
        with hasty.write() as connection:
            add(connection)

    with held_for(database, 0.5):
        hasty.again(write)
    assert len(tried) > 1
    with database.read() as connection:
        assert len(connection.execute(select(ReplyRow)).all()) == 1


def test_nobody_waits_for_ever(hasty: Database, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "WAITS", 2)
    tried = []

    def write() -> None:
        tried.append(1)
        with hasty.write():
            raise AssertionError("it is held by another")

    with held_for(database, 1.5), pytest.raises(DBAPIError):
        hasty.again(write)
    assert len(tried) == 3


def test_connections_that_are_all_in_use_are_waited_for(quickly: Database) -> None:
    tried = []

    def write() -> str:
        tried.append(1)
        if len(tried) < 3:
            raise PoolTimeout("QueuePool limit of size 5 overflow 10 reached, connection timed out")
        return "done"

    assert quickly.again(write) == "done"


@pytest.fixture
def quickly(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setattr(database_module, "PAUSE_SECONDS", 0.0)
    return database


def test_a_busy_database_is_an_outage_that_may_end(hasty: Database, database: Database) -> None:
    """Two real faults: a lock that is held too long, and no connection that is free."""
    app = FastAPI()
    problems.install(app)

    @app.post("/write")
    def write() -> None:
        with hasty.write() as connection:
            add(connection)

    @app.get("/crowded")
    def crowded() -> None:
        raise PoolTimeout("QueuePool limit of size 5 overflow 10 reached, connection timed out")

    with TestClient(app, raise_server_exceptions=False) as client:
        with held_for(database, 0.5):
            busy = client.post("/write")
        answers = [busy, client.get("/crowded")]
        assert client.post("/write").status_code == 200
    assert [a.status_code for a in answers] == [503, 503]
    assert all(a.headers["Content-Type"] == problems.MEDIA_TYPE and int(a.headers["Retry-After"]) > 0 for a in answers)
    assert not any("QueuePool" in a.text or "INSERT" in a.text for a in answers)
