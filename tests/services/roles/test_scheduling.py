"""The scheduler sees to each duty by itself; a faulty or slow one holds up no other; one of two schedulers works."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from labelling_bench import created, labelled, pairs_file, work_off_chunks
from roles.launcher import await_that
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from workbench import bench, new_run, waiting

from services.deployment import Deployment
from services.labelling.tables import LabellingRow
from services.roles import scheduling
from services.roles.duties import DAILY, Duty, Labellings, duties
from services.roles.ending import Ending
from services.roles.health import Health
from services.roles.leadership import Leadership
from services.roles.scheduling import DUTY, schedule, see_to
from services.roles.tables import LeaderRow
from services.tables import ReplyRow
from services.webhooks.delivering import DeliveryReport


@pytest.fixture
def deployment(place: Path) -> Iterator[Deployment]:
    with bench(place, sweep_seconds=0.1, schedule_seconds=0.1, leader_seconds=1.0) as opened:
        yield opened


class Running:
    """A scheduler in a thread."""

    def __init__(self, deployment: Deployment, *also: Duty) -> None:
        self.ending = Ending(0.0)
        told = (deployment.settings, self.ending, Health("scheduler"), also)
        self._thread = threading.Thread(target=schedule, args=told)

    def __enter__(self) -> Running:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.asked = True
        self._thread.join(30)
        assert not self._thread.is_alive()


def counted(deployment: Deployment, duty: str, outcome: str) -> float:
    return dict(deployment.tally.read()).get(("duties", duty, outcome), 0)


def test_lost_work_is_found_without_anybody_asking(deployment: Deployment) -> None:
    run = new_run(deployment.database)
    with Running(deployment):
        await_that(lambda: waiting(deployment))
    assert [job.args for job in waiting(deployment)] == [[f"{run}-main"]]


@pytest.mark.usefixtures("configured")
def test_a_labelling_is_handed_out_and_ended(deployment: Deployment, place: Path) -> None:
    labelling = created(deployment, pairs_file(place, 30))

    def status() -> str:
        with deployment.database.read() as connection:
            return connection.execute(select(LabellingRow.status)).scalar_one()

    with Running(deployment):
        await_that(lambda: waiting(deployment))
        work_off_chunks(deployment)
        await_that(lambda: status() == "finished")
    assert len(labelled(deployment, labelling)) == 30


def test_labellings_that_were_given_up_or_have_ended_are_left_alone(deployment: Deployment, place: Path) -> None:
    created(deployment, pairs_file(place, 30))
    with deployment.database.write() as connection:
        connection.execute(update(LabellingRow).values(status="failed"))
    assert Labellings(deployment).sweep() == 0
    assert waiting(deployment) == []


def test_a_duty_that_fails_is_told_of_and_stops_no_other(deployment: Deployment) -> None:
    looked: list[float] = []

    def fail() -> int:
        raise ValueError("no good")

    def look() -> int:
        looked.append(time.monotonic())
        return 1

    with Running(deployment, Duty("faulty", 0.05, fail), Duty("fine", 0.05, look)):
        await_that(lambda: len(looked) > 10 and counted(deployment, "faulty", "failed") > 1)
    assert counted(deployment, "fine", "done") > 5
    assert counted(deployment, "fine", "failed") == 0


def test_a_duty_that_takes_long_holds_up_no_other(deployment: Deployment) -> None:
    looked: list[int] = []
    hold = threading.Event()

    def slow() -> int:
        hold.wait(20)
        return 0

    with Running(deployment, Duty("slow", 0.05, slow), Duty("fine", 0.05, lambda: looked.append(1) or 0)):
        await_that(lambda: len(looked) > 10)
        hold.set()


def test_a_duty_that_keeps_failing_is_looked_at_less_and_less_often(deployment: Deployment) -> None:
    failed: list[float] = []

    def fail() -> int:
        failed.append(time.monotonic())
        raise OperationalError("x", {}, Exception("away"))

    with Running(deployment, Duty("faulty", 0.05, fail)):
        await_that(lambda: len(failed) >= 5)
    pauses = [b - a for a, b in pairwise(failed)]
    assert pauses[3] > 3 * pauses[0]


def test_of_two_schedulers_one_works_and_the_other_takes_over(deployment: Deployment) -> None:
    looked: list[str] = []

    def duty(name: str) -> Duty:
        return Duty("watched", 0.05, lambda: looked.append(name) or 0)

    with Running(deployment, duty("first")):
        await_that(lambda: looked)
        with Running(deployment, duty("second")):
            time.sleep(1.5)
            assert set(looked) == {"first"}
            held = len(looked)
            with deployment.database.read() as connection:
                assert connection.execute(select(LeaderRow.taken).where(LeaderRow.duty == DUTY)).scalar_one() == 1
            assert held > 3
    looked.clear()
    first = Running(deployment, duty("first"))
    with first:
        await_that(lambda: looked)
        with Running(deployment, duty("second")):
            first.ending.asked = True
            await_that(lambda: "second" in looked)


def test_whoever_waits_for_a_long_look_to_end_leads_no_more(deployment: Deployment) -> None:
    begun, hold = threading.Event(), threading.Event()
    looked: list[int] = []

    def slow() -> int:
        begun.set()
        hold.wait(60)
        return 0

    with Running(deployment, Duty("slow", 0.05, slow)) as first:
        assert begun.wait(10)
        first.ending.asked = True
        with Running(deployment, Duty("watched", 0.05, lambda: looked.append(1) or 0)):
            try:
                await_that(lambda: looked, seconds=10)
            finally:
                hold.set()


def test_webhooks_that_are_slow_to_take_what_they_are_told_do_not_hold_up_the_end(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, sent = threading.Event(), list[float]()

    def deliver(*_: object) -> DeliveryReport:
        sent.append(time.monotonic())
        if len(sent) == 3:
            done.set()
        return DeliveryReport(delivered=1)

    monkeypatch.setattr("services.roles.duties.deliver", deliver)
    [webhooks] = [d for d in duties(deployment, done) if d.name == "webhooks"]
    assert webhooks.look() == 3
    assert len(sent) == 3


def test_nothing_is_done_by_whoever_does_not_lead(deployment: Deployment) -> None:
    other = Leadership(deployment.database, DUTY, 1000)
    assert other.seek()
    looked: list[int] = []
    with Running(deployment, Duty("watched", 0.05, lambda: looked.append(1) or 0)):
        time.sleep(1.5)
    assert looked == []


def test_all_duties_are_there(deployment: Deployment) -> None:
    named = {"runs", "labellings", "closing", "schedules", "webhooks", "sums", DAILY}
    assert {d.name for d in duties(deployment)} == named


def test_a_duty_with_nothing_due_does_nothing(deployment: Deployment) -> None:
    assert [duty.look() for duty in duties(deployment)] == [0] * 7


@pytest.mark.usefixtures("configured")
def test_what_is_kept_no_longer_is_removed_once_a_day_by_whichever_scheduler(deployment: Deployment) -> None:
    [daily] = [d for d in duties(deployment) if d.name == DAILY]

    def old_reply() -> None:
        with deployment.database.write() as connection:
            connection.execute(ReplyRow.__table__.insert().values(key="k", body="{}", at=1.0))

    old_reply()
    assert daily.look() == 1
    old_reply()
    assert daily.look() == 0, "not again so soon"
    with deployment.database.write() as connection:
        connection.execute(update(LeaderRow).where(LeaderRow.duty == DAILY).values(until=time.time() - 1))
    assert daily.look() == 1


def test_a_look_that_took_long_is_followed_by_a_rest(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduling, "RESTS", 10.0)
    began: list[float] = []

    def slow() -> int:
        began.append(time.monotonic())
        time.sleep(0.1)
        return 0

    leadership, done = Leadership(deployment.database, "x", 30), threading.Event()
    leadership.seek()
    told = (Duty("slow", 0.01, slow), deployment, leadership, Health("scheduler"), done)
    hand = threading.Thread(target=see_to, args=told)
    hand.start()
    await_that(lambda: len(began) == 2)
    done.set()
    hand.join()
    assert began[1] - began[0] > 1.0
