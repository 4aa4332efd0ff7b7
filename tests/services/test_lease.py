"""At most one holder, and no hold for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, select, update
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from workbench import new_run

from services.database import Database
from services.lease import Lease, is_free, take
from services.processes import Mark
from services.tables import ThreadRow


@pytest.fixture
def thread(database: Database) -> str:
    return f"{new_run(database)}-main"


def column(database: Database, thread: str, name: str) -> object:
    with database.read() as connection:
        return connection.execute(select(getattr(ThreadRow, name)).where(ThreadRow.id == thread)).scalar_one()


def held(database: Database, thread: str) -> Lease:
    lease = take(database, thread, 30)
    assert lease is not None
    return lease


def hold(database: Database, thread: str, owner: str, until: float) -> None:
    with database.write() as connection:
        statement = update(ThreadRow).where(ThreadRow.id == thread)
        connection.execute(statement.values(lease_owner=owner, lease_until=until))


def test_a_held_lease_is_not_taken_again(database: Database, thread: str) -> None:
    held(database, thread)
    assert take(database, thread, 30) is None


def test_a_released_lease_is_taken_again(database: Database, thread: str) -> None:
    assert held(database, thread).release()
    assert take(database, thread, 30) is not None


def test_giving_back_writes_what_the_holder_says(database: Database, thread: str) -> None:
    assert held(database, thread).release(fault="tired", attempts=2)
    assert (column(database, thread, "fault"), column(database, thread, "attempts")) == ("tired", 2)


def test_giving_back_does_not_hide_why_the_thread_was_given_up_meanwhile(database: Database, thread: str) -> None:
    lease = held(database, thread)
    with database.write() as connection:
        connection.execute(update(ThreadRow).where(ThreadRow.id == thread).values(status="failed", fault="no judge"))
    assert lease.release(fault="", attempts=0)
    assert (column(database, thread, "status"), column(database, thread, "fault")) == ("failed", "no judge")
    assert column(database, thread, "lease_owner") == ""


def test_of_many_that_reach_for_it_one_gets_it(database: Database, thread: str) -> None:
    gate, taken = threading.Barrier(8), []

    def reach() -> None:
        gate.wait()
        taken.append(take(database, thread, 30))

    threads = [threading.Thread(target=reach) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sum(lease is not None for lease in taken) == 1


def test_a_lease_that_ran_out_is_free_whoever_held_it(database: Database, thread: str) -> None:
    hold(database, thread, str(Mark.here()), time.time() - 1)
    assert take(database, thread, 30) is not None


def test_a_dead_holders_lease_is_free_at_once(database: Database, thread: str) -> None:
    here = Mark.here()
    hold(database, thread, str(Mark(here.host, here.pid, here.started - 100)), time.time() + 1000)
    assert take(database, thread, 30) is not None


def test_another_hosts_lease_is_honoured_until_it_runs_out(database: Database, thread: str) -> None:
    elsewhere = str(Mark("elsewhere", 1, 1.0))
    hold(database, thread, elsewhere, time.time() + 1000)
    assert take(database, thread, 30) is None
    assert not is_free(elsewhere, time.time() + 1)
    assert is_free(elsewhere, time.time() - 1)


def test_an_attempt_is_counted_until_one_ends_well(database: Database, thread: str) -> None:
    held(database, thread).release(fault="it broke")
    assert column(database, thread, "attempts") == 1
    lease = held(database, thread)
    assert column(database, thread, "attempts") == 2
    lease.release(attempts=0, fault="")
    assert column(database, thread, "attempts") == 0


@pytest.mark.parametrize("status", ["finished", "failed"])
def test_there_is_nothing_to_take_of_a_thread_that_has_ended(database: Database, thread: str, status: str) -> None:
    held(database, thread).release(status=status)
    assert take(database, thread, 30) is None


def test_there_is_nothing_to_take_of_a_thread_that_is_not_there(database: Database) -> None:
    assert take(database, "nothing", 30) is None


def test_it_is_renewed_while_work_goes_on(database: Database, thread: str) -> None:
    lease = take(database, thread, 0.6)
    assert lease is not None
    with lease.renewed():
        time.sleep(0.9)
        assert take(database, thread, 30) is None
    until = column(database, thread, "lease_until")
    assert isinstance(until, float)
    assert until > lease.until


FAULTS = [
    pytest.param(OperationalError("UPDATE threads", {}, Exception("database is locked")), id="locked"),
    pytest.param(InterfaceError("UPDATE threads", {}, Exception("the server is gone")), id="gone"),
    pytest.param(PoolTimeout("no connection is free"), id="no connection"),
]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_database_that_fails_for_a_moment_does_not_end_the_renewing(
    database: Database, thread: str, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    lease, real, failed = take(database, thread, 0.6), database.write, [0]
    assert lease is not None

    @contextmanager
    def failing(*, alone: bool = True) -> Iterator[Connection]:
        failed[0] += 1
        if failed[0] <= 2:
            raise fault
        with real(alone=alone) as connection:
            yield connection

    with lease.renewed():
        monkeypatch.setattr(database, "write", failing)
        time.sleep(0.9)
        monkeypatch.setattr(database, "write", real)
        assert failed[0] > 2
        assert take(database, thread, 30) is None, "it was renewed once the database was back"


def test_a_fault_of_our_own_is_not_passed_over_in_renewing(
    database: Database, thread: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease, told = take(database, thread, 0.03), list[object]()
    assert lease is not None
    monkeypatch.setattr(threading, "excepthook", lambda args: told.append(args.exc_type))
    monkeypatch.setattr(database, "again", lambda do: 1 / 0)
    with lease.renewed():
        time.sleep(0.2)
    assert told == [ZeroDivisionError]


def test_a_lost_lease_neither_renews_nor_writes(database: Database, thread: str) -> None:
    lease = held(database, thread)
    hold(database, thread, str(Mark("elsewhere", 1, 1.0)), time.time() + 1000)
    assert not lease.release(status="finished")
    assert column(database, thread, "status") == "running"
    assert column(database, thread, "lease_owner") == str(Mark("elsewhere", 1, 1.0))
