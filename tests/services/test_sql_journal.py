"""A reply that was paid for once is there for every process, word for word."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from agents.chat.endpoint import Call, Finish, Message, Reply, Tokens
from agents.chat.journal import Journal, Journalled
from services.database import Database
from services.sql_journal import SqlJournal
from services.tables import ReplyRow

REPLY = Reply("A criterion.", "stop", Tokens(120, 100, 7), 0.75)


class CountingModel:
    """Answers with the number of the call."""

    name, fingerprint = "fake:counting", "fake:counting/1"

    def __init__(self) -> None:
        self.calls = 0

    async def reply(self, call: Call) -> Reply:
        self.calls += 1
        return Reply(f"answer {self.calls}", "stop", Tokens(), 0.0)


def test_it_is_a_journal(database: Database) -> None:
    journal: Journal = SqlJournal(database)
    assert journal.read("key") is None


def test_what_was_written_is_read_by_whoever_opens_it(database: Database) -> None:
    SqlJournal(database).write("key", REPLY)
    with closing(Database(database.url.render_as_string())) as another:
        assert SqlJournal(another).read("key") == REPLY


def test_the_first_reply_of_a_key_stands(database: Database) -> None:
    journal = SqlJournal(database)
    journal.write("key", REPLY)
    journal.write("key", Reply("another", "length", Tokens(), 9.0))
    assert journal.read("key") == REPLY


def test_of_several_that_write_at_once_one_stands(database: Database) -> None:
    journal = SqlJournal(database)
    replies = [Reply(str(i), "stop", Tokens(), 0.0) for i in range(8)]
    threads = [threading.Thread(target=journal.write, args=("key", reply)) for reply in replies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert journal.read("key") in replies
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(ReplyRow)).scalar_one() == 1


@pytest.mark.parametrize("key", ["", "k" * 100_000, "one/two", "ünï 判断 \ud800 \x00\n"])
def test_keys_of_any_kind_are_kept_apart(database: Database, key: str) -> None:
    journal = SqlJournal(database)
    journal.write(key, REPLY)
    assert journal.read(key) == REPLY
    assert journal.read(key + "x") is None


def test_a_stored_key_fits_into_its_column(database: Database) -> None:
    SqlJournal(database).write("fingerprint of any length " * 99, REPLY)
    with database.read() as connection:
        stored = connection.execute(select(ReplyRow.key)).scalar_one()
    assert stored == hashlib.sha256(("fingerprint of any length " * 99).encode()).hexdigest()


finishes: st.SearchStrategy[Finish] = st.sampled_from(["stop", "length", "refusal"])
counts = st.integers(0, 2**40)
replies = st.builds(
    Reply,
    st.text(st.characters(exclude_categories=())),
    finishes,
    st.builds(Tokens, counts, counts, counts),
    st.floats(0, 1e6),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(reply=replies)
def test_replies_come_back_as_they_were_whatever_they_hold(database: Database, reply: Reply) -> None:
    journal, key = SqlJournal(database), repr(reply)
    journal.write(key, reply)
    assert journal.read(key) == reply


def test_a_model_with_a_journal_is_asked_once_whatever_process_asks(database: Database) -> None:
    model, call = CountingModel(), Call((Message("user", "why?"),), "explain")
    answers = [asyncio.run(Journalled(model, SqlJournal(database)).reply(call)).text for _ in range(3)]
    assert answers == ["answer 1"] * 3
    assert model.calls == 1
