"""Sizes at and over their limits, and memory that stays bounded."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge_base.errors import InputError
from services.datasets import FaultyRows, read_dataset
from services.datasets.record import TEXT_BYTES, byte_size

Write = Callable[[list[dict[str, object]]], Path]
ROOT = Path(__file__).parents[3]


def distinct(count: int) -> list[dict[str, object]]:
    return [{"a": f"x{i}", "b": f"y{i}", "preferred": "ab"[i % 2]} for i in range(count)]


@pytest.mark.parametrize("unit", ["x", "é", "世", "🎈"])
@pytest.mark.parametrize("writer", ["jsonl", "table", "parquet"])
def test_a_text_of_exactly_five_megabytes_is_read(writer: str, unit: str, request: pytest.FixtureRequest) -> None:
    text = unit * (TEXT_BYTES // len(unit.encode()))
    text += "x" * (TEXT_BYTES - len(text.encode()))
    path = request.getfixturevalue(writer)([{"a": text, "b": "y", "preferred": "a"}])
    assert read_dataset(path).dataset.pairs[0].a == text


@pytest.mark.parametrize("writer", ["jsonl", "table", "parquet"])
def test_one_byte_more_is_a_fault(writer: str, request: pytest.FixtureRequest) -> None:
    path: Path = request.getfixturevalue(writer)([{"a": "x" * (TEXT_BYTES + 1), "b": "y", "preferred": "a"}])
    with pytest.raises(FaultyRows, match='"a" is 5000001 bytes long; cut it to at most 5000000 bytes'):
        read_dataset(path)


@pytest.mark.parametrize("text", ["plain", "é", "世界", "🎈x"])
def test_bytes_are_those_of_utf8(text: str) -> None:
    assert byte_size(text) == len(text.encode())


def test_as_many_pairs_as_the_limit_are_read_and_one_more_is_refused(jsonl: Write) -> None:
    assert len(read_dataset(jsonl(distinct(50)), limit=50).dataset.pairs) == 50
    with pytest.raises(InputError, match=r"pairs.jsonl holds more than 50 distinct pairs or texts; .*raise limit"):
        read_dataset(jsonl(distinct(51)), limit=50)


def test_the_limit_counts_pairs_and_not_rows(jsonl: Write) -> None:
    assert len(read_dataset(jsonl(distinct(10) * 5), limit=10).dataset.pairs) == 10


def test_rows_are_limited_to_ten_times_the_pairs(jsonl: Write) -> None:
    assert len(read_dataset(jsonl(distinct(2) * 10), limit=2).dataset.pairs) == 2
    with pytest.raises(InputError, match="more than 20 rows"):
        read_dataset(jsonl(distinct(2) * 10 + distinct(1)), limit=2)


def test_the_limit_holds_for_labelled_texts(jsonl: Write) -> None:
    rows: list[dict[str, object]] = [{"text": f"t{i}", "label": i % 2} for i in range(11)]
    assert len(read_dataset(jsonl(rows), limit=11).dataset.points) == 11
    with pytest.raises(InputError, match="more than 10 distinct"):
        read_dataset(jsonl(rows), limit=10)


def test_the_total_size_of_the_texts_is_limited(jsonl: Write) -> None:
    rows: list[dict[str, object]] = [{"a": f"{i}" + "x" * 98, "b": "y", "preferred": "ab"[i % 2]} for i in range(10)]
    assert len(read_dataset(jsonl(rows), total_bytes=1000).dataset.pairs) == 10
    with pytest.raises(InputError, match=r"more than 999 bytes of text; .*raise total_bytes"):
        read_dataset(jsonl(rows), total_bytes=999)


def test_votes_count_towards_the_total_size(jsonl: Write) -> None:
    with pytest.raises(InputError, match="bytes of text"):
        read_dataset(jsonl([{"a": "x", "b": "y", "votes": ["a"] * 900}]), total_bytes=100_000)


def test_over_the_limit_is_refused_before_faults_of_later_rows_are_looked_for(jsonl: Write) -> None:
    with pytest.raises(InputError, match="distinct pairs"):
        read_dataset(jsonl([*distinct(3), {"a": "", "b": "", "preferred": "?"}]), limit=2)


# The kernel's own mark of this program: `ru_maxrss` would start from the peak of the process that started it.
MEASURE = """
import re, resource, sys
from pathlib import Path
from knowledge_base.errors import InputError
from services.datasets import read_dataset
try:
    outcome = len(read_dataset(sys.argv[1], total_bytes=int(sys.argv[2])).dataset.pairs)
except InputError as error:
    outcome = error
used = resource.getrusage(resource.RUSAGE_SELF)
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
print(int(peak[1]) // 1024, round(used.ru_utime + used.ru_stime), outcome)
"""


def measured(path: Path, total_bytes: int = 10**9) -> tuple[int, int, str]:
    """Peak memory (MB) and processor time (s) of a process that reads a file, and its pairs or its error."""
    command = [sys.executable, "-c", MEASURE, str(path), str(total_bytes)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True)
    megabytes, seconds, outcome = done.stdout.strip().split(" ", 2)
    return int(megabytes), int(seconds), outcome


@pytest.mark.slow
def test_two_hundred_thousand_pairs_are_read_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.jsonl"
    filler = "x" * 200
    with path.open("w", encoding="utf-8") as file:
        for i in range(200_000):
            row = {"a": f"left {i} {filler}", "b": f"right {i} {filler}", "preferred": "ab"[i % 2]}
            file.write(json.dumps(row) + "\n")
    megabytes, seconds, outcome = measured(path)
    assert outcome == "200000"
    assert 100 < megabytes < 700, "less than the texts themselves take would be a measuring fault"
    assert seconds < 20


@pytest.mark.slow
def test_a_small_parquet_file_that_unfolds_into_gigabytes_stays_small(tmp_path: Path) -> None:
    """4,000 rows of one 4 MB text: kilobytes on disk, 16 GB unfolded."""
    import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
    from pyarrow import parquet as pq

    rows = 4000
    text = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["x" * 4_000_000]))
    table = pa.table({"a": text, "b": [f"y{i}" for i in range(rows)], "preferred": ["a"] * rows})
    path = tmp_path / "bomb.parquet"
    pq.write_table(table, path, compression="zstd")
    assert path.stat().st_size < 1_000_000
    megabytes, _, outcome = measured(path, total_bytes=10**8)
    assert "more than 100,000,000 bytes of text" in outcome
    assert 100 < megabytes < 500
