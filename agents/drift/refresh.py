"""What one refresh brings: new evidence only, each observation given once and never again."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from agents.judgments import Verdict
from agents.pairs import Preference

Cell = tuple[str, str]
"""Content hashes of a criterion and a pair."""


class NewVote(BaseModel):
    """One person's answer on a pair that the set's accuracy was not counted on, with what the set says of the pair.

    Attributes:
        pair: content hash.
        preferred: the person's answer.
        verdicts: what each criterion decides, by content hash, both orders merged.
        vote: what the set's weighted vote decides; `abstain` where it balances.
        annotator: who answered; empty if not known.
        unit: what the pair hangs together with (a group, a shared text); empty for the pair alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pair: str
    preferred: Preference
    verdicts: Mapping[str, Verdict] = Field(default_factory=dict)
    vote: Verdict = "abstain"
    annotator: str = ""
    unit: str = ""


class Repeat(BaseModel):
    """A pair that was voted on before and shown again.

    Attributes:
        annotator: who answered now. pair: content hash.
        before, now: the answer on record and the new one.
        first: who gave the answer on record; empty for the same person.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    annotator: str
    pair: str
    before: Preference
    now: Preference
    first: str = ""

    @property
    def same_person(self) -> bool:
        """Whether the answer on record is the person's own."""
        return self.first in ("", self.annotator)

    @property
    def flipped(self) -> float:
        """1 if the answers differ, 0 if not."""
        return float(self.before != self.now)


class CorpusBatch(BaseModel):
    """Separate pairs or documents drawn from the corpus as it is now; parts may have different lengths or be empty.

    Attributes:
        coverage: for each pair, the share of the criteria asked that decided it.
        abstention: for each pair, the share of the criteria that answered by abstaining (no answer counts as neither).
        scores: of documents, by the scorer that was there at approval; any real numbers.
        embeddings: (n, d) of documents, by the embedding that was there at approval.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    coverage: tuple[float, ...] = ()
    abstention: tuple[float, ...] = ()
    scores: tuple[float, ...] = ()
    embeddings: tuple[tuple[float, ...], ...] = ()


class RefreshData(BaseModel):
    """All that a refresh brings; any part may be absent.

    Attributes:
        anchor_answers: the judge's answers on anchor pairs by (criterion hash, pair hash). Judge all anchor pairs, or a
            fresh random subset, by all criteria. None where no evidence came (invalid, failed); cells not asked are
        left out.
        new_votes: votes that came since the last refresh.
        repeats: repeated votes that came since the last refresh.
        corpus: what a sample of the corpus looks like now.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    anchor_answers: Mapping[Cell, Verdict | None] = Field(default_factory=dict)
    new_votes: tuple[NewVote, ...] = ()
    repeats: tuple[Repeat, ...] = ()
    corpus: CorpusBatch | None = None
