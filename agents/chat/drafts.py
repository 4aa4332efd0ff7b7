"""Criteria as a model writes them, and what becomes of them: read one by one, so that a bad one spoils no other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, field_validator

from agents.chat.desk import one_line
from knowledge_base.criterion import Criterion, Domain, Provenance
from knowledge_base.embedding import embed
from knowledge_base.retrieval import SAME_MEANING

YEAR = 2026
"""Of every criterion that this manager writes: a date of the run would make equal runs differ."""

LONGEST_NAME = 80


def _clean(value: object) -> object:
    """Text on one line, without what cannot be stored; far longer than any criterion may be."""
    return one_line(value, 10_000) if isinstance(value, str) else "" if value is None else value


def _share(value: object) -> float:
    """A probability in [0, 1]; 0 for what is none."""
    number = float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0
    return min(max(number, 0.0), 1.0)


Words = Annotated[str, BeforeValidator(_clean)]
Probability = Annotated[float, BeforeValidator(_share)]


class Draft(BaseModel):
    """A criterion in a reply."""

    name: Words
    description: Words
    not_when: Words = ""


class LikelyDraft(Draft):
    """A criterion in a sample of criteria, with the probability that the model gives it."""

    probability: Probability = 0.0


class Drafts(BaseModel):
    """Reply: several criteria. Entries that are no criteria at all are left out, the others stand."""

    model_config = ConfigDict(title="criteria")

    criteria: list[LikelyDraft]

    @field_validator("criteria", mode="before")
    @classmethod
    def _those_that_can_be_read(cls, entries: Any) -> Any:
        return [entry for entry in entries if _readable(entry)] if isinstance(entries, list) else entries


class Sieve:
    """Lets criteria through that are new by name and meaning, and remembers them.

    Args:
        taken: criteria whose names and meanings are in use.
        banned: criteria whose meanings are not to come back.
    """

    def __init__(self, taken: Sequence[Criterion], banned: Sequence[Criterion] = ()) -> None:
        self._names = {_key(c.name) for c in taken}
        known = [c.words for c in (*taken, *banned)]
        self._vectors: list[NDArray[np.float32]] = list(embed(known)) if known else []

    def admit(self, criterion: Criterion) -> Criterion | None:
        """The criterion, numbered if another of its name means something else; None if its meaning is known."""
        named = criterion.model_copy(update={"name": self._free_name(criterion.name)})
        vector = embed([named.words])[0]
        if self._vectors and float((np.stack(self._vectors) @ vector).max()) >= SAME_MEANING:
            return None
        self._vectors.append(vector)
        self._names.add(_key(named.name))
        return named

    def _free_name(self, name: str) -> str:
        number, free = 1, name
        while _key(free) in self._names:
            number += 1
            free = f"{name[: LONGEST_NAME - 5].rstrip()} ({number})"
        return free


def criterion_of(draft: Draft, domain: Domain, model: str) -> Criterion:
    """A draft as a criterion.

    Raises:
        ValidationError: its words make no criterion: too short, too long.
    """
    return Criterion(
        name=draft.name,
        description=draft.description,
        not_when=draft.not_when,
        domains={domain: 1},
        provenance=written_by(model),
    )


def written_by(model: str, locator: str = "") -> Provenance:
    """Where a criterion comes from that a chat model wrote or reworded."""
    return Provenance(kind="mined", source=f"Touchstone, chat manager {model}", year=YEAR, locator=locator)


def _readable(entry: object) -> bool:
    try:
        LikelyDraft.model_validate(entry)
    except ValidationError:
        return False
    return True


def _key(name: str) -> str:
    return " ".join(name.split()).casefold()
