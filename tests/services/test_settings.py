"""Settings are read once, checked at once, and explained where they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge_base.errors import InputError
from services.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"TOUCHSTONE_{name.upper()}", raising=False)


def test_without_any_variable_everything_is_embedded() -> None:
    settings = load_settings()
    assert settings.embedded
    assert settings.home.name == "touchstone"
    assert settings.database == f"sqlite:///{settings.home}/touchstone.sqlite"
    assert settings.workers >= 2
    assert settings.batch_size == 64
    assert settings.max_attempts == 3


def test_variables_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TOUCHSTONE_HOME", str(tmp_path))
    monkeypatch.setenv("TOUCHSTONE_BATCH_SIZE", "7")
    monkeypatch.setenv("TOUCHSTONE_REDIS_URL", "redis://queue:6379/0")
    settings = load_settings()
    assert settings.home == tmp_path
    assert settings.batch_size == 7
    assert not settings.embedded


def test_a_value_given_by_hand_comes_before_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHSTONE_BATCH_SIZE", "7")
    assert load_settings(batch_size=9).batch_size == 9


def test_home_is_made_absolute_and_the_tilde_is_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHSTONE_HOME", "~/somewhere")
    assert load_settings().home == Path.home() / "somewhere"
    assert load_settings(home="here").home.is_absolute()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BATCH_SIZE", "0"),
        ("BATCH_SIZE", "many"),
        ("MAX_ATTEMPTS", "-1"),
        ("WORKERS", "1000"),
        ("LEASE_SECONDS", "0"),
        ("SWEEP_SECONDS", "nan"),
        ("REDIS_URL", "localhost:6379"),
        ("DATABASE_URL", "mysql://db"),
        ("PARTIES", "os; import sys"),
    ],
)
def test_a_wrong_value_is_named_with_its_variable(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"TOUCHSTONE_{name}", value)
    with pytest.raises(InputError) as caught:
        load_settings()
    assert str(caught.value).startswith(f"TOUCHSTONE_{name} is {value!r}; ")


def test_every_wrong_value_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHSTONE_BATCH_SIZE", "0")
    monkeypatch.setenv("TOUCHSTONE_THREADS", "0")
    with pytest.raises(InputError) as caught:
        load_settings()
    assert {line.split()[0] for line in str(caught.value).splitlines()} == {
        "TOUCHSTONE_BATCH_SIZE",
        "TOUCHSTONE_THREADS",
    }


def test_no_workers_make_sense_only_with_a_server_that_others_serve() -> None:
    with pytest.raises(InputError, match="TOUCHSTONE_WORKERS is 0"):
        load_settings(workers=0)
    assert load_settings(workers=0, redis_url="redis://queue").workers == 0


def test_another_process_builds_the_same_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, redis_url="unix:///tmp/r.sock", sweep_seconds=0.25, parties="some.module")
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings
