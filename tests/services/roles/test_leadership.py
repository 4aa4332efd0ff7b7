"""One leads: two by mistake share nothing, and another takes over when the leader dies, is silent or gives it back."""

from __future__ import annotations

import subprocess
import sys
import time
from threading import Thread

from roles.launcher import await_that
from sqlalchemy import select, update

from services.database import Database
from services.processes import Mark
from services.roles.leadership import Leadership
from services.roles.tables import LeaderRow


def row(database: Database) -> LeaderRow:
    with database.read() as connection:
        return connection.execute(select(LeaderRow.owner, LeaderRow.until, LeaderRow.taken)).one()  # type: ignore[return-value]


def test_the_first_leads_and_the_second_does_not(database: Database) -> None:
    first, second = (Leadership(database, "x", 10) for _ in "12")
    assert first.seek()
    assert not second.seek()
    assert (first.leads, second.leads) == (True, False)
    assert first.seek(), "and goes on leading"
    assert row(database).taken == 1


def test_duties_are_led_one_by_one(database: Database) -> None:
    assert Leadership(database, "x", 10).seek()
    assert Leadership(database, "y", 10).seek()


def test_what_is_given_back_is_free_at_once(database: Database) -> None:
    first, second = (Leadership(database, "x", 1000) for _ in "12")
    first.seek()
    first.give_back()
    assert not first.leads
    assert second.seek()
    first.give_back()
    assert second.seek(), "who does not lead has nothing to give back"


def test_a_leader_that_was_not_heard_of_is_followed_by_another_and_notices(database: Database) -> None:
    first, second = (Leadership(database, "x", 1) for _ in "12")
    first.seek()
    with database.write() as connection:
        connection.execute(update(LeaderRow).values(until=time.time() - 1))
    assert second.seek()
    assert not first.seek()
    assert not first.leads
    assert row(database).taken == 2


def test_a_leader_does_not_believe_that_it_leads_beyond_its_lease(database: Database) -> None:
    leadership = Leadership(database, "x", 1)
    leadership.seek()
    leadership._until = time.monotonic() - 0.001
    assert not leadership.leads


def test_a_leader_whose_process_died_is_followed_at_once(database: Database) -> None:
    process = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
    dead = f"token/{Mark.of(process.pid)}"
    process.kill()
    process.wait()
    leadership = Leadership(database, "x", 10)
    leadership.seek()
    leadership.give_back()
    with database.write() as connection:
        connection.execute(update(LeaderRow).values(owner=dead, until=time.time() + 1000))
    assert leadership.seek()


def test_leading_lasts_as_long_as_the_block_and_is_given_back_after(database: Database) -> None:
    first, second = (Leadership(database, "x", 1) for _ in "12")
    with first.sought():
        await_that(lambda: first.leads)
        time.sleep(1.5)
        assert first.leads, "it was renewed"
        assert not second.seek()
    assert second.seek()


def test_of_many_that_seek_at_once_one_leads(database: Database, database_url: str) -> None:
    candidates = [Leadership(Database(database_url), "x", 30) for _ in range(8)]
    hands = [Thread(target=c.seek) for c in candidates]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert sum(c.leads for c in candidates) == 1
