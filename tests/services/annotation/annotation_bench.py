"""Small datasets and files for the tests of annotation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.annotation.answering import answer
from services.annotation.assignment import Answer, Assignment
from services.annotation.dataset import OpenDataset, Sampling, create_dataset
from services.annotation.handing import next_pair
from services.annotation.pairs import PairIn, add_pairs
from services.database import Database

NAME = "pairs"
PLAIN = Sampling(share_repeat=0.0)


def dataset(database: Database, sampling: Sampling = PLAIN, *, name: str = NAME, secret: str = "secret") -> OpenDataset:
    """An empty dataset whose chance repeats itself."""
    return create_dataset(database, name, "Which text is better?", sampling=sampling, secret=secret)


def filled(database: Database, count: int, sampling: Sampling = PLAIN, *, secret: str = "secret") -> list[str]:
    """A dataset with pairs that nobody has answered; their hashes in order."""
    dataset(database, sampling, secret=secret)
    return [placed.pair for placed in add_pairs(database, NAME, pairs(count))]


def pairs(count: int, start: int = 0) -> list[PairIn]:
    return [PairIn(a=f"left {i}", b=f"right {i}", id=f"p{i}") for i in range(start, start + count)]


def asked(database: Database, annotator: str = "ann", said: Answer = "first") -> Assignment | None:
    """The next pair, answered; None if there is none."""
    given = next_pair(database, NAME, annotator)
    if given is not None:
        answer(database, NAME, given.id, annotator, said)
    return given


def jsonl(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
