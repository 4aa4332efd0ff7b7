"""Measured signals, remembered across jobs and runs: a text is measured once however often it is judged."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import select

from services.database import Database, insert_new
from services.tables import MeasurementRow

CHUNK = 500
"""Texts asked for in one statement, well under the parameter limits of both databases."""


class SqlMeasurements:
    """A `MeasurementCache` in the database.

    Args:
        database: where.
        version: of the signals (`signals_version()`); values of another version are never given back.
    """

    def __init__(self, database: Database, version: str) -> None:
        self._database, self._version = database, version

    def get(self, hashes: Sequence[str], names: Collection[str]) -> Mapping[str, Mapping[str, float]]:
        """Text hash -> signal name -> value, for whatever is known of what is asked."""
        found: dict[str, dict[str, float]] = {}
        texts, row = sorted(set(hashes)), MeasurementRow
        query = select(row.text, row.name, row.value).where(row.version == self._version, row.name.in_(sorted(names)))
        with self._database.read() as connection:
            for start in range(0, len(texts), CHUNK):
                for text, name, value in connection.execute(query.where(row.text.in_(texts[start : start + CHUNK]))):
                    found.setdefault(text, {})[name] = math.nan if value is None else value
        return found

    def put(self, rows: Sequence[tuple[str, str, float]]) -> None:
        """Remember (text hash, signal name, value); NaN is kept as NULL, which SQL can compare."""
        if not rows:
            return
        kept = [
            {"version": self._version, "text": t, "name": n, "value": None if math.isnan(v) else v} for t, n, v in rows
        ]
        with self._database.write(alone=False) as connection:
            insert_new(connection, MeasurementRow, kept)
