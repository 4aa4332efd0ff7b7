"""The examples on docs/data-formats.md read as the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agents.splitting import split
from services.datasets import read_dataset
from services.datasets.drafts import PairFormat, PointFormat
from services.datasets.recognition import FORMATS

PAGE = (Path(__file__).parents[3] / "docs" / "data-formats.md").read_text(encoding="utf-8")
EXAMPLES = [
    (section.split("\n", 1)[0], ending, block)
    for section in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]
    for ending, block in re.findall(r"^```(jsonl|csv)\n(.*?)^```", section, flags=re.MULTILINE | re.DOTALL)
]


def test_every_format_has_an_example() -> None:
    assert {name for name, _, _ in EXAMPLES} == {known.name for known in FORMATS}


@pytest.mark.parametrize(("name", "ending", "block"), EXAMPLES, ids=[f"{name}-{end}" for name, end, _ in EXAMPLES])
def test_an_example_is_read_as_its_format(tmp_path: Path, name: str, ending: str, block: str) -> None:
    path = tmp_path / f"example.{ending}"
    path.write_text(block, encoding="utf-8")
    reading = read_dataset(path)
    assert reading.format == name
    assert not any("ignored" in note for note in reading.notes)
    assert split(reading.dataset.pairs).mode in ("crossfit", "none")


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.name)
def test_every_column_that_is_understood_is_on_the_page(known: PairFormat | PointFormat) -> None:
    assert [column for column in sorted(known.knows) if f"`{column}`" not in PAGE] == []
