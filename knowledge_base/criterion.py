"""One quality criterion: the words a judge reads and, where signals can express it, an expression."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

Direction = Literal["higher", "lower"]
Domain = Literal["web", "answers", "argument", "code", "creative", "review"]
DOMAINS: tuple[Domain, ...] = ("web", "answers", "argument", "code", "creative", "review")


class Provenance(BaseModel):
    """Where a criterion comes from.

    Attributes:
        kind: what sort of source it is; `mined` marks criteria that a run proposed, `person` what somebody wrote down.
        source: title and authors, the issuing body, or the person or team: enough to find it.
        year: year of publication; None only for a `person`, where it may be left out.
        locator: section, rule or table inside the source, where one helps.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["paper", "standard", "guideline", "mined", "person"]
    source: str = Field(min_length=3)
    year: Annotated[int, Field(ge=1800, le=2100)] | None = Field(default=None, validate_default=True)
    locator: str = ""

    @field_validator("year")
    @classmethod
    def _only_a_person_needs_no_year(cls, year: int | None, info: ValidationInfo) -> int | None:
        if year is None and info.data.get("kind", "person") != "person":
            raise PydanticCustomError("missing", "a source has a year unless its kind is person")
        return year


class Criterion(BaseModel):
    """A quality criterion in words, optionally bound to an expression over text signals.

    Attributes:
        name: a short noun phrase, unique in a criteria set.
        description: what the criterion asks and how to judge it.
        not_when: when it does not apply, so that a judge should abstain.
        domains: domain -> 1 (sometimes matters), 2 (usually) or 3 (central), after its source.
        provenance: where it comes from.
        expression: an expression over signal names (see docs/signals.md); empty for words only.
        direction: whether a higher or a lower value of the expression is better.
        margin: abstain when the two values differ by no more than this (in the expression's unit, >= 0).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=3, max_length=80)
    description: str = Field(min_length=20, max_length=1200)
    not_when: str = ""
    domains: dict[Domain, Literal[1, 2, 3]] = Field(default_factory=dict)
    provenance: Provenance
    expression: str = ""
    direction: Direction = "higher"
    margin: float = Field(default=0.0, ge=0.0)

    @model_validator(mode="after")
    def _margin_needs_an_expression(self) -> Criterion:
        if self.margin and not self.expression:
            raise ValueError("margin is set but expression is empty; give both or neither")
        return self

    @property
    def programmatic(self) -> bool:
        """True if the signal worker can judge by it."""
        return bool(self.expression)

    @cached_property
    def hash(self) -> str:
        """Content hash (16 hex digits) of everything a judge can see; domains and provenance do not count."""
        seen = [self.name, self.description, self.not_when, self.expression, self.direction, self.margin]
        return hashlib.sha256(json.dumps(seen, ensure_ascii=False).encode()).hexdigest()[:16]

    @property
    def words(self) -> str:
        """Name and description in one string, as embedded and as shown to a chat judge."""
        return f"{self.name}: {self.description}"
