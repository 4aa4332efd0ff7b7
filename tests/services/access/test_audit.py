"""What was done is on record, in order, whole, and without secrets; whatever is done to the record shows."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from knowledge_base.errors import InputError
from services.access.audit import LONGEST_DETAIL, MOST_DETAILS, _bounded, acting_in, list_actions, record_action
from services.access.audit_chain import ChainHead, verify_actions
from services.access.identity import Identity
from services.access.tables import ActionHeadRow, ActionRow
from services.access.tokens import new_token
from services.database import Database

ROOT = Path(__file__).parents[3]
ADA = Identity(key="k1", name="ada", scopes=frozenset({"read"}))


def note(database: Database, number: int = 1, who: Identity = ADA, action: str = "thing.done") -> None:
    for i in range(number):
        with database.write() as connection:
            record_action(connection, who, action, f"s{i}", {"i": i})


def tamper(database: Database, statement: Any) -> None:
    with database.write() as connection:
        connection.execute(statement)


def test_an_action_is_listed_with_all_that_was_said_of_it(database: Database) -> None:
    before = time.time()
    with database.write() as connection, acting_in("req-1", "203.0.113.5"):
        number = record_action(connection, ADA, "set.approved", "v1", {"name": "answers", "pairs": 7, "ok": True})
    (action,) = list_actions(database).items
    assert (action.number, action.key, action.key_name) == (number, "k1", "ada")
    assert (action.action, action.subject) == ("set.approved", "v1")
    assert action.details == {"name": "answers", "pairs": 7, "ok": True}
    assert (action.request, action.address) == ("req-1", "203.0.113.5")
    assert before <= action.at <= time.time()


def test_outside_of_a_request_none_is_named_unless_given(database: Database) -> None:
    with acting_in("req-1", "a"):
        pass
    with database.write() as connection:
        record_action(connection, "nightly job", "x.done", "s")
        record_action(connection, ADA, "x.done", "s", request="req-2", address="b")
    second, first = list_actions(database).items
    assert (first.key, first.key_name, first.request, first.address) == ("", "nightly job", "", "")
    assert (second.request, second.address) == ("req-2", "b")


def test_an_action_is_not_on_record_if_what_was_done_is_not(database: Database) -> None:
    note(database)

    def fail() -> None:
        with database.write() as connection:
            record_action(connection, ADA, "x.done", "s")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    note(database)
    assert [a.number for a in list_actions(database).items] == [2, 1]
    assert verify_actions(database).whole


def test_secrets_and_texts_do_not_get_in(database: Database) -> None:
    token = new_token().text
    details = {
        "note": f"used {token} today", "api_key": "abc", "webhook_secret": "abc", "text": "word " * 100,
        "list": [token, "fine", "long " * 100], "nested": {"key": token},
        "model": "sk-abcdefghijklmnop", "nul": "a\x00b",
    }  # fmt: skip
    with database.write() as connection:
        record_action(connection, ADA.model_copy(update={"name": token}), f"x.{token}", token, details, request=token)
    (action,) = list_actions(database).items
    told = action.model_dump_json()
    assert token not in told
    assert "abcdefghijklmnop" not in told
    assert "\\u0000" not in told
    assert (action.details["api_key"], action.details["webhook_secret"]) == ("(hidden)", "(hidden)")
    assert action.details["text"] == "(500 characters)"
    assert action.details["list"] == ["(hidden)", "fine", "(500 characters)"]
    assert action.details["note"] == "used (hidden) today"
    assert verify_actions(database).whole


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=250),
    lambda inner: st.lists(inner, max_size=22) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=8,
)


@settings(max_examples=40)
@given(st.dictionaries(st.text(max_size=45), ANYTHING, max_size=22))
def test_whatever_the_details_they_are_bounded(details: dict[str, Any]) -> None:
    assert len(_bounded(details)) < MOST_DETAILS * 22 * (6 * LONGEST_DETAIL + 50)
    assert "\x00" not in _bounded(details)


def test_pages_go_back_in_time_and_end(database: Database) -> None:
    note(database, 7)
    seen, after = [], ""
    while True:
        page = list_actions(database, after=after, limit=3)
        seen.append([a.number for a in page.items])
        if not page.next:
            break
        after = page.next
        note(database)
    assert seen == [[7, 6, 5], [4, 3, 2], [1]]


def test_the_record_can_be_asked_by_key_action_and_subject(database: Database) -> None:
    note(database, 2)
    note(database, 1, ADA.model_copy(update={"key": "k2"}), "other.done")
    assert [a.number for a in list_actions(database, key="k1").items] == [2, 1]
    assert [a.number for a in list_actions(database, action="other.done").items] == [3]
    assert [a.number for a in list_actions(database, subject="s0").items] == [3, 1]
    assert [a.number for a in list_actions(database, key="k1", subject="s1").items] == [2]


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "9" * 30, "\u0661"])
def test_a_cursor_that_was_never_given_is_refused(database: Database, cursor: str) -> None:
    with pytest.raises(InputError, match="cursor"):
        list_actions(database, after=cursor)


def test_an_empty_record_is_whole(database: Database) -> None:
    report = verify_actions(database)
    assert (report.whole, report.checked, report.head) == (True, 0, ChainHead())


CHANGES = [
    (update(ActionRow).where(ActionRow.number == 4).values(key_name="eve"), 4),
    (update(ActionRow).where(ActionRow.number == 4).values(at=ActionRow.at + 1e-6), 4),
    (update(ActionRow).where(ActionRow.number == 4).values(details="{}"), 4),
    (update(ActionRow).where(ActionRow.number == 4).values(address="x"), 4),
    (update(ActionRow).where(ActionRow.number == 4).values(chain="0" * 64), 4),
    (delete(ActionRow).where(ActionRow.number == 4), 4),
    (delete(ActionRow).where(ActionRow.number == 1), 1),
    (delete(ActionRow).where(ActionRow.number > 8), 9),
    (delete(ActionRow), 1),
    (update(ActionHeadRow).values(number=99), 11),
    (update(ActionHeadRow).values(chain="0" * 64), 11),
]


@pytest.mark.parametrize(("change", "where"), CHANGES, ids=[str(i) for i in range(len(CHANGES))])
def test_whatever_is_changed_or_taken_out_shows_and_where(database: Database, change: Any, where: int) -> None:
    note(database, 10)
    assert verify_actions(database).whole
    tamper(database, change)
    report = verify_actions(database)
    assert (report.whole, report.broken_at, report.checked) == (False, where, where - 1)
    assert report.fault


def test_what_is_put_in_shows(database: Database) -> None:
    note(database, 3)
    with database.read() as connection:
        row = dict(connection.execute(select(*ActionRow.__table__.columns).where(ActionRow.number == 3)).one()._mapping)
    tamper(database, insert(ActionRow).values(row | {"number": 4}))
    assert verify_actions(database).broken_at == 4


def test_two_actions_that_changed_places_show(database: Database) -> None:
    note(database, 4)
    for number, to in ((2, 100), (3, 2), (100, 3)):
        tamper(database, update(ActionRow).where(ActionRow.number == number).values(number=to))
    assert verify_actions(database).broken_at == 2


def test_a_head_that_was_noted_shows_a_record_that_was_written_anew(database: Database) -> None:
    note(database, 5)
    noted = verify_actions(database).head
    assert noted.number == 5
    assert verify_actions(database, noted).whole
    note(database, 1)
    assert verify_actions(database, noted).whole
    tamper(database, delete(ActionRow))
    tamper(database, delete(ActionHeadRow))
    assert verify_actions(database, noted).fault
    note(database, 6)
    assert verify_actions(database).whole
    report = verify_actions(database, noted)
    assert (report.broken_at, "another than the one that was noted" in report.fault) == (5, True)


ANOTHER = """
import sys
from services.access.audit import record_action
from services.database import Database

database = Database(sys.argv[1])
for i in range(25):
    with database.write() as connection:
        record_action(connection, "another process", "thing.done", str(i))
"""


def test_processes_and_threads_that_record_at_once_make_one_chain(database: Database) -> None:
    command = [sys.executable, "-c", ANOTHER, database.url.render_as_string(hide_password=False)]
    processes = [subprocess.Popen(command, cwd=ROOT) for _ in range(2)]
    threads = [threading.Thread(target=note, args=(database, 25)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    note(database, 25)
    assert [p.wait(60) for p in processes] == [0, 0]
    report = verify_actions(database)
    assert (report.whole, report.checked) == (True, 150)
