"""What a process does that races others for pairs; told over a queue once it is done."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

from annotation_bench import NAME

from services.annotation.answering import answer
from services.annotation.handing import next_pair
from services.annotation.uploading import upload
from services.database import Database


def work(url: str, annotator: str, start: Any, told: Any) -> None:
    """Ask and answer until nothing is left; sends every pair that was handed out."""
    with closing(Database(url)) as database:
        start.wait(30)
        given = []
        while (assignment := next_pair(database, NAME, annotator)) is not None:
            given.append(assignment.pair)
            answer(database, NAME, assignment.id, annotator, "first")
        told.put((annotator, given))


def hold(url: str, annotator: str, start: Any, told: Any) -> None:
    """Ask once and hold what comes."""
    with closing(Database(url)) as database:
        start.wait(30)
        given = next_pair(database, NAME, annotator)
        told.put((annotator, [given.pair] if given else []))


def send(url: str, path: str, start: Any, told: Any) -> None:
    """Upload a file."""
    with closing(Database(url)) as database:
        start.wait(30)
        report = upload(database, NAME, Path(path))
        told.put((path, [report.already, report.pairs_added, report.votes_added]))
