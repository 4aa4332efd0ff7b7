"""What a process keeps open from job to job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from workbench import bench

from knowledge_base.errors import InputError
from services import deployment
from services.deployment import opened, standing
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
