"""What a process keeps open from job to job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from paid_bench import chat_settings
from sqlalchemy import select
from workbench import bench

from knowledge_base.errors import InputError
from services import deployment
from services.deployment import MOST_IN_BATCH, WAVES, opened, standing
from services.settings import Settings, load_settings
from services.tables import RunRow


@pytest.fixture(autouse=True)
def _nothing_stands_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment, "_standing", {})


@pytest.fixture
def settings(place: Path) -> Settings:
    return load_settings(redis_url="unix:///nobody/listens.sock")


def test_equal_settings_find_the_same_deployment_and_the_same_parties(settings: Settings) -> None:
    first = standing(settings)
    again = standing(load_settings(redis_url=settings.redis_url))
    assert again is first
    assert again.parties is first.parties


@pytest.mark.parametrize("other", [{"home": "/other"}, {"redis_url": "unix:///other.sock"}, {"batch_size": 7}])
def test_other_settings_find_another_deployment(settings: Settings, other: dict[str, Any]) -> None:
    first = standing(settings)
    second = standing(load_settings(**{"redis_url": settings.redis_url, **other}))
    assert second is not first
    assert second.parties is not first.parties
    assert standing(settings) is first, "which does not drive out the one that stands"


def test_parties_are_made_when_they_are_needed_and_not_before(settings: Settings) -> None:
    found = standing(load_settings(redis_url=settings.redis_url, parties="no_such_module"))
    with pytest.raises(InputError, match="no_such_module"):
        _ = found.parties


def test_what_is_opened_for_a_block_is_no_standing_deployment(place: Path) -> None:
    with bench(place) as served:
        with opened(served.settings) as lent, lent.database.read() as connection:
            assert lent.queue.connection.ping()
            assert connection.execute(select(RunRow)).all() == []
        assert standing(served.settings) is not lent


NOWHERE = "http://127.0.0.1:9/v1"


def paid(**overrides: Any) -> deployment.Deployment:
    """A deployment whose worker is a model."""
    return standing(chat_settings(NOWHERE, redis_url="unix:///nobody/listens.sock", **overrides))


def test_another_key_is_another_deployment_although_keys_are_masked(place: Path) -> None:
    first = paid(worker_api_key="one")
    assert paid(worker_api_key="one") is first
    assert paid(worker_api_key="two") is not first
    assert paid(worker_api_key="one", manager_model="openai:m", manager_api_key="two") is not first


def test_free_judgments_come_in_batches_of_the_size_that_was_set(settings: Settings) -> None:
    free = standing(settings)
    assert (free.batch_size, free.parts) == (settings.batch_size, 1)


@pytest.mark.parametrize(
    ("in_flight", "size", "found"),
    [
        (1, 64, 64),
        (16, 64, WAVES * 16),
        (4096, 64, MOST_IN_BATCH),
        (4096, 1000, max(1000, MOST_IN_BATCH)),
        (1, 5, WAVES),
    ],
)
def test_paid_batches_are_long_enough_to_keep_every_place_taken(
    place: Path, in_flight: int, size: int, found: int
) -> None:
    assert paid(in_flight=in_flight, batch_size=size).batch_size == found


@pytest.mark.parametrize(("workers", "parts"), [(1, 1), (6, 6)])
def test_paid_work_is_shared_out_between_all_workers(place: Path, workers: int, parts: int) -> None:
    assert paid(workers=workers).parts == parts


def test_where_only_others_work_there_is_still_one_part(place: Path) -> None:
    assert paid(workers=0).parts == 1
