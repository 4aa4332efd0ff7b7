"""What happened to each criterion in each round, as the progress display and the report tell it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from agents.assessment import Assessment

Fate = Literal["keep", "refine", "replace"]
Origin = Literal["knowledge base", "search", "rewrite", "manager", "incumbent"]
"""Where a criterion came from; an incumbent stood in the set that a refresh started from."""


class Entry(BaseModel):
    """One criterion in one round.

    Attributes:
        criterion: content hash.
        name: its name, for reading.
        origin: where it came from.
        parent: hash of the criterion it was rewritten from; empty if none.
        assessment: on the mining pairs judged so far.
        fate: what the policy decided.
        why: the decision in a sentence.
    """

    model_config = ConfigDict(frozen=True)

    criterion: str
    name: str
    origin: Origin
    parent: str = ""
    assessment: Assessment
    fate: Fate
    why: str


class RoundRecord(BaseModel):
    """One round: how many candidates entered, how many lost the race, and every contender's fate.

    Attributes:
        number: 1 for the first round.
        candidates: criteria that entered the race.
        raced_out: candidates dropped on few pairs, before the full grid.
        entries: the contenders that met every mining pair, best first.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    candidates: int
    raced_out: int
    entries: tuple[Entry, ...]
