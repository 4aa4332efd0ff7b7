"""Writers of data files, so that a test shows the rows it is about and nothing else."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

Rows = Sequence[dict[str, object]]
Write = Callable[[Rows], Path]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes seconds")


@pytest.fixture
def jsonl(tmp_path: Path) -> Write:
    """Writes rows to `pairs.jsonl`."""

    def write(rows: Rows) -> Path:
        path = tmp_path / "pairs.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    return write


@pytest.fixture
def table(tmp_path: Path) -> Write:
    """Writes rows to `pairs.csv`."""

    def write(rows: Rows) -> Path:
        path = tmp_path / "pairs.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return path

    return write


@pytest.fixture
def parquet(tmp_path: Path) -> Write:
    """Writes rows to `pairs.parquet`."""

    def write(rows: Rows) -> Path:
        import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
        from pyarrow import parquet as pq

        path = tmp_path / "pairs.parquet"
        pq.write_table(pa.Table.from_pylist(list(rows)), path)
        return path

    return write


@pytest.fixture
def raw(tmp_path: Path) -> Callable[[str, bytes], Path]:
    """Writes bytes to a file of the given name."""

    def write(name: str, data: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write
