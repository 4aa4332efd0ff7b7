"""Real human pairs beside the checkout read as they are; only development groups are looked at."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from services.datasets import read_dataset

SHARED = Path(__file__).parents[4] / "shared" / "data"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="no shared data beside the checkout")


def development(name: str, folder: Path) -> tuple[Path, int]:
    """The development groups of a shared file, copied, and the number of their rows."""
    lines = [line for line in (SHARED / name).read_text(encoding="utf-8").splitlines() if _development(line)]
    path = folder / name
    path.write_text("\n".join(lines), encoding="utf-8")
    return path, len(lines)


def _development(line: str) -> bool:
    group = json.loads(line)["group"]
    return int(hashlib.sha256(group.encode()).hexdigest(), 16) % 5 in (0, 1)


def test_ranked_paragraphs_have_three_votes_each(tmp_path: Path) -> None:
    path, rows = development("lamp_pref.jsonl", tmp_path)
    reading = read_dataset(path)
    assert len(reading.dataset.pairs) == rows
    assert {len(pair.votes) for pair in reading.dataset.pairs} == {3}
    assert reading.agreement is not None
    assert 0.5 < reading.agreement.low < reading.agreement.alpha < reading.agreement.high < 0.8


def test_arguments_carry_the_annotators_reasons(tmp_path: Path) -> None:
    path, rows = development("ukp_convarg1.jsonl", tmp_path)
    reading = read_dataset(path)
    assert len(reading.dataset.pairs) == rows
    assert all(vote.reason for pair in reading.dataset.pairs for vote in pair.votes)
    assert all(pair.reason for pair in reading.dataset.pairs if pair.preferred != "tie")


def test_review_comments_count_their_annotators_only(tmp_path: Path) -> None:
    path, rows = development("crscore.jsonl", tmp_path)
    reading = read_dataset(path)
    repeated = [pair for pair in reading.dataset.pairs if pair.votes]
    assert len(reading.dataset.pairs) + len(repeated) == rows
    assert all(pair.prompt for pair in reading.dataset.pairs)
