"""What is due once a run has ended: its set is kept and whoever waits is told, once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from labelling_bench import created, pairs_file
from sqlalchemy import insert, select, update
from workbench import another, bench, new_run, work_off

from services import closing
from services.closing import close_finished, close_run, is_closed
from services.criteria_sets.reading import list_sets
from services.database import Database
from services.deployment import Deployment
from services.labelling.tables import LabellingRow
from services.orders.labelling_order import load_labelling_order
from services.orders.order import Customer, cancel, list_orders, load_order, place_order, resume
from services.orders.tables import LabellingOrderRow
from services.progress import RunProgress
from services.result_reading import result_of
from services.tables import ThreadRow
from services.webhooks.tables import EventRow

pytestmark = pytest.mark.usefixtures("configured")

ME = Customer("letters", "me")


@pytest.fixture
def deployment(place: Path) -> Iterator[Deployment]:
    with bench(place) as made:
        yield made


def events(deployment: Deployment) -> list[str]:
    with deployment.database.read() as connection:
        return sorted(connection.execute(select(EventRow.event)).scalars())


def ordered(deployment: Deployment) -> str:
    run = new_run(deployment.database)
    place_order(deployment, run, ME)
    return run


def test_a_finished_runs_set_is_kept_as_proposed_and_told_once(deployment: Deployment) -> None:
    run = ordered(deployment)
    assert close_finished(deployment) == 0
    work_off(deployment)
    assert close_finished(deployment) == 1
    assert close_finished(deployment) == 0
    [kept] = list_sets(deployment.database, "letters")
    order = load_order(deployment.database, run)
    assert (kept.status, kept.run, kept.version) == ("proposed", run, order.version)
    assert order.ended_at > 0
    assert events(deployment) == ["run.finished", "set.proposed"]


def test_whoever_tells_of_the_end_closes_it_first(deployment: Deployment) -> None:
    run = ordered(deployment)
    close_run(deployment.database, run)
    assert load_order(deployment.database, run).ended_at == 0, "it has not ended"
    work_off(deployment)
    assert not is_closed(deployment.database, run)
    close_run(deployment.database, run)
    assert is_closed(deployment.database, run)
    order = load_order(deployment.database, run)
    assert order.version == list_sets(deployment.database, "letters")[0].version
    assert result_of(deployment.database, run).usage.seconds == pytest.approx(order.ended_at - order.created_at)
    assert close_finished(deployment) == 0
    close_run(deployment.database, "no such run")
    assert is_closed(deployment.database, "no such run")


def test_two_that_close_at_once_tell_once(deployment: Deployment) -> None:
    ordered(deployment)
    work_off(deployment)
    other = another(deployment)
    close_finished(deployment)
    close_finished(other)
    other.queue.close()
    other.database.close()
    assert events(deployment) == ["run.finished", "set.proposed"]


def test_a_failed_run_is_told_with_its_fault_and_can_be_taken_up(deployment: Deployment) -> None:
    run = ordered(deployment)
    with deployment.database.write() as connection:
        connection.execute(update(ThreadRow).values(status="failed", fault="its worker died"))
    assert close_finished(deployment) == 1
    assert "its worker died" in load_order(deployment.database, run).fault
    resume(deployment, run)
    work_off(deployment)
    assert close_finished(deployment) == 1
    assert load_order(deployment.database, run).state == "finished"
    assert events(deployment) == ["run.failed", "run.finished", "set.proposed"]


def fail(deployment: Deployment) -> None:
    with deployment.database.write() as connection:
        connection.execute(update(ThreadRow).values(status="failed", fault="its worker died"))


def test_a_run_taken_up_while_it_is_being_closed_stays_open_and_its_set_is_kept(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ordered(deployment)
    fail(deployment)
    real = closing.progress_of

    def meanwhile(database: Database, asked: str) -> RunProgress:
        resume(deployment, run)
        return real(database, asked)

    monkeypatch.setattr(closing, "progress_of", meanwhile)
    close_finished(deployment)
    monkeypatch.setattr(closing, "progress_of", real)
    order = load_order(deployment.database, run)
    assert (order.state, order.ended_at, order.fault) == ("running", 0.0, "")
    assert events(deployment) == []
    work_off(deployment)
    close_finished(deployment)
    assert [kept.run for kept in list_sets(deployment.database, "letters")] == [run]
    assert events(deployment) == ["run.finished", "set.proposed"]


def test_a_run_cancelled_while_it_is_being_closed_is_not_told_of_as_failed(deployment: Deployment) -> None:
    run = ordered(deployment)
    fail(deployment)
    [order] = list_orders(deployment.database, state="failed")
    resume(deployment, run)
    cancel(deployment.database, run, "me")
    closing._close(deployment.database, order)
    assert load_order(deployment.database, run).state == "cancelled"
    assert events(deployment) == []


def labelling(deployment: Deployment, place: Path) -> str:
    created_one = created(deployment, pairs_file(place, 3))
    with deployment.database.write() as connection:
        row = {
            "labelling": created_one, "by": "me", "key": "", "state": "open", "fault": "", "created_at": 1.0,
            "ended_at": 0.0,
        }  # fmt: skip
        connection.execute(insert(LabellingOrderRow), [row])
    return created_one


@pytest.mark.parametrize(
    ("seen", "meanwhile"), [("failed", "running"), ("finished", "running"), ("finished", "failed")]
)
def test_a_labelling_taken_up_while_it_is_being_closed_stays_open(
    deployment: Deployment, place: Path, seen: str, meanwhile: str
) -> None:
    name = labelling(deployment, place)
    order = load_labelling_order(deployment.database, name).model_copy(update={"state": seen})
    stand(deployment, status=meanwhile)
    closing._close_labelling(deployment.database, order)
    with deployment.database.read() as connection:
        assert connection.execute(select(LabellingOrderRow.state)).scalar_one() == "open"
        assert connection.execute(select(LabellingRow.status)).scalar_one() == meanwhile
    assert events(deployment) == []


@pytest.mark.parametrize("state", ["failed", "finished"])
def test_a_labelling_that_has_ended_is_told_once(deployment: Deployment, place: Path, state: str) -> None:
    labelling(deployment, place)
    assert close_finished(deployment) == 0
    stand(deployment, status="failed" if state == "failed" else "running", done=LabellingRow.pairs)
    assert close_finished(deployment) == 1
    assert close_finished(deployment) == 0
    assert events(deployment) == [f"labelling.{state}"]
    with deployment.database.read() as connection:
        assert connection.execute(select(LabellingRow.status)).scalar_one() == state


def stand(deployment: Deployment, **columns: Any) -> None:
    with deployment.database.write() as connection:
        connection.execute(update(LabellingRow).values(**columns))


def test_one_that_cannot_be_closed_does_not_hold_up_the_others(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    broken, sound = ordered(deployment), new_run(deployment.database, config=_other())
    place_order(deployment, sound, ME)
    work_off(deployment)
    from services.tables import OutcomeRow

    with deployment.database.write() as connection:
        connection.execute(update(OutcomeRow).where(OutcomeRow.thread == f"{broken}-main").values(body="{}"))
    assert close_finished(deployment) == 1
    assert load_order(deployment.database, sound).version
    assert "cannot be closed" in caplog.text


def _other():  # type: ignore[no-untyped-def]
    from workbench import SEALED

    return SEALED.model_copy(update={"seed": 9})
