"""Pairs of texts that people compared, and the dataset they make."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Preference = Literal["a", "b", "tie"]


class Vote(BaseModel):
    """One person's answer on one pair, with the reason they gave (empty if none)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    preferred: Preference
    annotator: str = ""
    reason: str = ""


class Pair(BaseModel):
    """Two texts and which one people preferred.

    Attributes:
        id: the user's name for the pair; unique in a dataset.
        a, b: the two texts.
        preferred: the people's (aggregated) answer.
        prompt: what both texts answer; empty if nothing.
        votes: the single answers behind `preferred`; empty if only one was recorded.
        reason: why, in the people's own words; empty if not recorded.
        group: pairs of one group are never split between mining and sealed; empty if not given.
        weight: how much the pair counts (> 0).
        confidence: how far the votes support `preferred`, in [0, 1] (see agents.aggregation): at least 1/3 where the
            votes decided, lower only where a stated preference stands against its own votes; 1 for a single answer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1)
    a: str
    b: str
    preferred: Preference
    prompt: str = ""
    votes: tuple[Vote, ...] = ()
    reason: str = ""
    group: str = ""
    weight: float = Field(default=1.0, gt=0.0)
    confidence: float = Field(default=1.0, ge=0.0, le=1.0)

    @cached_property
    def hash(self) -> str:
        """Content hash (16 hex digits) of what a judge sees: prompt, a, b. Never id, label or position."""
        seen = json.dumps([self.prompt, self.a, self.b], ensure_ascii=False).encode("utf-8", "surrogatepass")
        return hashlib.sha256(seen).hexdigest()[:16]

    @property
    def sign(self) -> int:
        """+1 if people preferred a, -1 if b, 0 for a tie."""
        return {"a": 1, "b": -1, "tie": 0}[self.preferred]


class Point(BaseModel):
    """One text that people labelled by itself.

    Attributes:
        id: the user's name for the text; unique in a dataset.
        text: the text.
        label: 1 if people found it good (or kept it), 0 if not.
        prompt: what the text answers; empty if nothing.
        group: texts of one group are never split between mining and sealed; empty if not given.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1)
    text: str
    label: Literal[0, 1]
    prompt: str = ""
    group: str = ""

    @cached_property
    def hash(self) -> str:
        """Content hash (16 hex digits) of what a judge sees: prompt and text. Never id, label or position."""
        seen = json.dumps([self.prompt, self.text], ensure_ascii=False).encode("utf-8", "surrogatepass")
        return hashlib.sha256(seen).hexdigest()[:16]


class Dataset(BaseModel):
    """Pairs, in file order, with what is known about them.

    Attributes:
        name: file name or title.
        description: what people compared, in a sentence or two; empty if not given.
        pairs: the pairs; ids unique, content hashes unique.
        points: the labelled texts that the pairs were made from; empty unless the file was pointwise.
        notes: what a reader of the file should know (duplicates merged, columns ignored ...), a sentence each.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    description: str = ""
    pairs: tuple[Pair, ...]
    points: tuple[Point, ...] = ()
    notes: tuple[str, ...] = ()

    @cached_property
    def hash(self) -> str:
        """Content hash (16 hex digits) over everything that may change a result, in order; not ids, name or notes."""
        pairs = [[p.hash, p.preferred, p.group, p.weight, p.confidence, p.reason, _told(p)] for p in self.pairs]
        points = [[p.hash, p.label, p.group] for p in self.points]
        return hashlib.sha256(json.dumps([self.description, pairs, points]).encode()).hexdigest()[:16]


def _told(pair: Pair) -> list[list[str]]:
    return [[v.preferred, v.annotator, v.reason] for v in pair.votes]
