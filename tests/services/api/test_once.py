"""Idempotency keys, on a file and on a server."""

from __future__ import annotations

import threading
import time

import pytest
from pydantic import BaseModel
from sqlalchemy import func, select, update

from knowledge_base.errors import Conflict, InputError
from services.api.once import KEPT_SECONDS, PATIENCE, Once
from services.api.problems import Refused
from services.api.tables import OnceRow
from services.database import Database


class Done(BaseModel):
    number: int


class Work:
    """Counts how often it is carried out."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.times, self._seconds = 0, seconds

    def __call__(self) -> Done:
        self.times += 1
        time.sleep(self._seconds)
        return Done(number=self.times)


def once(database: Database, key: str = "k", digest: str = "d", caller: str = "me") -> Once:
    return Once(database, caller, key, digest)


def test_the_same_request_is_carried_out_once_and_answered_alike(database: Database) -> None:
    work = Work()
    first, second = once(database).answer(work, 201), once(database).answer(work, 201)
    assert work.times == 1
    assert (first.body, first.status_code) == (second.body, second.status_code) == (b'{"number":1}', 201)
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"


def test_without_a_key_every_request_is_carried_out(database: Database) -> None:
    work = Work()
    assert [bytes(once(database, "").answer(work).body) for _ in "ab"] == [b'{"number":1}', b'{"number":2}']


def test_two_callers_may_use_the_same_key(database: Database) -> None:
    work = Work()
    once(database).answer(work)
    once(database, caller="you").answer(work)
    assert work.times == 2


def test_the_same_key_for_another_request_is_refused(database: Database) -> None:
    once(database).answer(Work())
    with pytest.raises(Refused, match="another request") as refused:
        once(database, digest="other").answer(Work())
    assert refused.value.status == 422


def test_a_request_that_failed_may_be_sent_again(database: Database) -> None:
    def fail() -> Done:
        raise InputError("no")

    with pytest.raises(InputError):
        once(database).answer(fail)
    assert once(database).answer(Work()).status_code == 200


def test_of_many_at_once_one_is_carried_out_and_the_others_are_told_to_wait(database: Database) -> None:
    work, told = Work(0.3), list[int]()

    def send() -> None:
        try:
            told.append(once(database).answer(work).status_code)
        except Refused as refused:
            told.append(refused.status if "Retry-After" in refused.headers else 0)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert work.times == 1
    assert sorted(told) == [200] + [409] * 7


def test_a_key_whose_server_died_is_free_after_a_while(database: Database) -> None:
    once(database)._claim()
    with pytest.raises(Refused, match="under way"):
        once(database).answer(Work())
    _age(database, PATIENCE + 1)
    assert once(database).answer(Work()).status_code == 200


def test_work_that_takes_long_keeps_its_key(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.api.once.PATIENCE", 0.4)
    work = Work(seconds=1.5)
    first = threading.Thread(target=lambda: once(database).answer(work))
    first.start()
    while not work.times:
        time.sleep(0.01)
    time.sleep(1.0)
    with pytest.raises(Refused, match="under way"):
        once(database).answer(Work())
    first.join()
    assert work.times == 1
    assert once(database).answer(work).headers["idempotency-replayed"] == "true"


def test_what_a_server_made_before_it_died_is_the_answer_to_the_same_request(database: Database) -> None:
    def conflict() -> Done:
        raise Conflict("it is there already")

    with pytest.raises(Conflict):
        once(database, "new").answer(conflict, 201, lambda: Done(number=9))
    once(database)._claim()
    _age(database, PATIENCE + 1)
    assert once(database).answer(conflict, 201, lambda: Done(number=9)).body == b'{"number":9}'


def test_what_somebody_else_made_stays_a_conflict(database: Database) -> None:
    def conflict() -> Done:
        raise Conflict("it is there already")

    once(database)._claim()
    _age(database, PATIENCE + 1)
    with pytest.raises(Conflict):
        once(database).answer(conflict, 201, lambda: None)


def test_another_file_under_the_same_key_is_another_request(database: Database) -> None:
    first, second, third = once(database), once(database), once(database)
    for each, digest in ((first, "a"), (second, "a"), (third, "b")):
        each.include(digest)
    work = Work()
    first.answer(work)
    assert second.answer(work).headers["idempotency-replayed"] == "true"
    with pytest.raises(Refused, match="used for another request"):
        third.answer(work)


def test_an_answer_is_kept_for_a_day(database: Database) -> None:
    work = Work()
    once(database).answer(work)
    _age(database, KEPT_SECONDS - 60)
    once(database).answer(work)
    assert work.times == 1
    _age(database, KEPT_SECONDS + 60)
    once(database).answer(work)
    assert work.times == 2
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(OnceRow)).scalar_one() == 1


def _age(database: Database, seconds: float) -> None:
    with database.write() as connection:
        connection.execute(update(OnceRow).values(at=time.time() - seconds))
