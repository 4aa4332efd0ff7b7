"""Measurements are remembered by text, name and version, and "does not apply" is a value like any other."""

from __future__ import annotations

import math

import pytest

from agents.signals.measurement import MeasurementCache
from services.database import Database
from services.measurement_store import SqlMeasurements


def test_it_is_a_measurement_cache(database: Database) -> None:
    cache: MeasurementCache = SqlMeasurements(database, "1")
    assert cache.get(["text"], ["words"]) == {}


def test_what_was_put_is_got(database: Database) -> None:
    cache = SqlMeasurements(database, "1")
    cache.put([("t1", "words", 3.0), ("t1", "chars", 17.5), ("t2", "words", 0.1 + 0.2)])
    assert cache.get(["t1", "t2", "t3"], ["words", "chars"]) == {
        "t1": {"words": 3.0, "chars": 17.5},
        "t2": {"words": 0.1 + 0.2},
    }


def test_only_names_asked_for_come_back(database: Database) -> None:
    cache = SqlMeasurements(database, "1")
    cache.put([("t1", "words", 3.0), ("t1", "chars", 17.5)])
    assert cache.get(["t1"], ["chars"]) == {"t1": {"chars": 17.5}}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 0.0, -1e-300, 1e300])
def test_extreme_values_survive(database: Database, value: float) -> None:
    cache = SqlMeasurements(database, "1")
    cache.put([("t", "n", value)])
    got = cache.get(["t"], ["n"])["t"]["n"]
    assert got == value or (math.isnan(got) and math.isnan(value))


def test_putting_again_changes_nothing(database: Database) -> None:
    cache = SqlMeasurements(database, "1")
    for _ in range(2):
        cache.put([("t", "n", 1.0)])
    assert cache.get(["t", "t"], ["n"]) == {"t": {"n": 1.0}}


def test_another_version_of_the_signals_starts_anew(database: Database) -> None:
    SqlMeasurements(database, "1").put([("t", "n", 1.0)])
    assert SqlMeasurements(database, "2").get(["t"], ["n"]) == {}


def test_thousands_of_texts_are_asked_for_at_once(database: Database) -> None:
    cache = SqlMeasurements(database, "1")
    texts = [f"{i:016x}" for i in range(1700)]
    cache.put([(t, "n", float(i)) for i, t in enumerate(texts)])
    assert len(cache.get(texts, ["n"])) == 1700


def test_putting_nothing_is_fine(database: Database) -> None:
    SqlMeasurements(database, "1").put([])
