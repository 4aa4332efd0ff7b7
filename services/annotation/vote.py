"""A vote as it is given and as it is kept."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from knowledge_base.errors import InputError
from services.datasets.faults import shown

Choice = Literal["a", "b", "tie", "skip"]
Kept = Literal["a", "b", "tie", "skip", "withdrawn"]
Source = Literal["upload", "page", "import"]
Why = Literal["", "random", "information", "further", "repeat"]
Shown = Literal["", "ab", "ba"]

REASON = 100_000
"""Longest reason, in characters."""


def _without_nul(value: str) -> str:
    if "\x00" in value:
        raise ValueError("remove NUL characters")
    return value


Line = Annotated[str, AfterValidator(_without_nul)]


class VoteIn(BaseModel):
    """A vote that comes in.

    Attributes:
        pair: content hash of a pair of the dataset.
        annotator: who gave it; empty if not known.
        choice: in terms of the pair's own a and b, whatever order they were shown in; `skip` for no answer.
        confidence: in [0, 1]; reason: in their own words; seconds: that it took.
        at: when it was given, seconds since the epoch; None for now. It decides which of one person's votes is the
            latest, and must be given with votes that are brought in from elsewhere.
        shown: order in which the texts were shown; empty if not known.
        id: any name that is the same when the same vote is sent again; made up if empty.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pair: Annotated[str, Field(min_length=1, max_length=64)]
    annotator: Annotated[Line, Field(max_length=200)] = ""
    choice: Choice
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    reason: Annotated[Line, Field(max_length=REASON)] = ""
    seconds: Annotated[float, Field(ge=0, le=1e6)] | None = None
    at: Annotated[float, Field(ge=0, le=1e11)] | None = None
    shown: Shown = ""
    id: Annotated[Line, Field(max_length=200)] = ""


def cast(**said: Any) -> VoteIn:
    """A vote out of values that nobody has checked.

    Raises:
        InputError: a value will not do.
    """
    try:
        return VoteIn(**said)
    except ValidationError as error:
        first = error.errors()[0]
        name, why = ".".join(map(str, first["loc"])), first["msg"].removeprefix("Value error, ")
        raise InputError(f'the vote\'s "{name}" is {shown(first["input"])}; {why[:1].lower()}{why[1:]}') from None


class StoredVote(BaseModel):
    """A vote as it is kept; it never changes.

    Attributes:
        recorded_at: when it came in; no two votes of a dataset have the same moment, and later ones have later ones.
        source: `upload` (a file of settled votes), `page` (answered here) or `import` (brought in one by one).
        why: why the pair was shown: in a fixed random order, for its expected information, because further people
            were wanted, or as a repeat; empty where it was not handed out here.
        probability: chance with which the pair was drawn, given everything before; None where it was not drawn.
        withdraws: for `withdrawn`, the vote that no longer stands.
        The others are as in `VoteIn`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    dataset: str
    pair: str
    annotator: str
    choice: Kept
    confidence: float | None
    reason: str
    seconds: float | None
    at: float
    recorded_at: float
    source: Source
    why: Why
    probability: float | None
    shown: Shown
    withdraws: str = ""

    @classmethod
    def of(cls, row: Any) -> StoredVote:
        """From a row of `votes`."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields})
