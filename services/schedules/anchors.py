"""Anchors pinned: what the judge said of them to begin with stays on record, whatever becomes of the judgments."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

from sqlalchemy import Connection

from agents.panel import Panel
from agents.votes import ABSTAINED, DECIDED, Votes
from knowledge_base.errors import RunError
from services.database import upsert
from services.mining_thread import load_run
from services.schedules.asking import standing_votes, usual_asks
from services.schedules.tables import AnchorRow
from services.schedules.work import Pins, Work


def pin_standing(work: Work) -> None:
    """Pin what the judge said of the anchors when the approved set was mined, as far as that is still on record.

    Done before anything is asked, and once for a version: a step that is done again finds the pins.
    """
    if work.pins or not work.plan.anchors:
        return
    panel, anchors = _panel_then(work), work.plan.anchors
    votes = standing_votes(work.database, work.hashes, anchors, usual_asks(panel, work.hashes, anchors))
    with work.database.write() as connection:
        pin(connection, work, pins_in(votes))
    # What is pinned decides what is asked; it was read before there was any.
    work.__dict__.pop("pins", None)
    work.__dict__.pop("asks", None)


def pins_in(votes: Votes) -> dict[str, dict[str, int]]:
    """What votes pin: those that are evidence."""
    return {
        pair: {
            criterion: int(votes.signs[row, column])
            for row, criterion in enumerate(votes.criteria)
            if votes.states[row, column] in (DECIDED, ABSTAINED)
        }
        for column, pair in enumerate(votes.pairs)
    }


def pin(connection: Connection, work: Work, pins: Pins) -> None:
    """Write pins, over those of the same pairs."""
    now = time.time()
    rows = [
        {
            "schedule": work.refresh.schedule, "version": work.refresh.old, "pair": pair,
            "answers": json.dumps(dict(answers), sort_keys=True), "pinned_at": now,
        }
        for pair, answers in pins.items()
    ]  # fmt: skip
    upsert(connection, AnchorRow, rows)


def together(one: Pins, other: Pins) -> dict[str, dict[str, int]]:
    """The pins of both; the first stand where both say something."""
    pairs: Sequence[str] = sorted({*one, *other})
    return {pair: {**other.get(pair, {}), **one.get(pair, {})} for pair in pairs}


def _panel_then(work: Work) -> Panel:
    """The workers that the approved set was mined with; those of today where they are not known."""
    try:
        return load_run(work.database, work.approved.run).facts.panel if work.approved.run else work.panel
    except RunError:
        return work.panel
