"""What is due once a run has ended: its set is kept and whoever waits is told, once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update
from workbench import another, bench, new_run, work_off

from services.closing import close_finished
from services.criteria_sets.reading import list_sets
from services.deployment import Deployment
from services.orders.order import Customer, load_order, place_order, resume
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
