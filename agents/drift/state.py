"""All evidence of drift since a set was approved; JSON keeps it to the bit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from agents.drift import annotator_drift, corpus_drift, fit_drift, judge_drift
from agents.drift.corpus_drift import CorpusMemory
from agents.drift.evidence import Evidence, mixture
from agents.drift.reference import Reference
from agents.drift.stream import Stream
from knowledge_base.errors import InputError

Cause = Literal["judge", "annotators", "corpus", "fit"]
CAUSES: tuple[Cause, ...] = ("judge", "annotators", "corpus", "fit")
"""In the order of precedence: what comes earlier can bring about what comes later."""

SHARES: Mapping[Cause, float] = {"judge": 0.15, "annotators": 0.2, "corpus": 0.15, "fit": 0.5}
"""How the overall level is divided. Votes are few and dear, so their test gets half; a cause that the reference leaves
untested gives its part to the others in proportion."""


class CauseState(BaseModel):
    """One cause's evidence.

    Attributes:
        level: false alarms of this cause allowed over the whole stream, in [0, 1); 0 where it is not tested.
        streams: what is watched; their shares sum to at most 1.
        evidence: the average of their e-values, refresh by refresh.
        alarm: number of the refresh (from 1) at which the evidence first reached 1 / level; None until then. It stays.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: float = Field(ge=0.0, lt=1.0)
    streams: tuple[Stream, ...] = ()
    evidence: Evidence = Evidence()
    alarm: int | None = None

    @property
    def observed(self) -> bool:
        """Whether any refresh brought observations."""
        return any(stream.batches for stream in self.streams)

    def stream(self, name: str) -> Stream | None:
        """A stream by its name."""
        return next((stream for stream in self.streams if stream.name == name), None)

    def after(self, observations: Mapping[str, list[float]], refresh: int) -> CauseState:
        """The state after a refresh that brought these values by stream name; unknown names are passed over."""
        streams = tuple(stream.after(observations.get(stream.name, ())) for stream in self.streams)
        if not any(stream.batches for stream in streams):
            return self.model_copy(update={"streams": streams, "evidence": self.evidence.then(0.0)})
        evidence = self.evidence.then(mixture([s.log_e for s in streams], [s.share for s in streams]))
        raised = self.alarm is None and self.level > 0 and evidence.passes(self.level)
        return self.model_copy(
            update={"streams": streams, "evidence": evidence, "alarm": refresh if raised else self.alarm}
        )

    def watching(self, streams: tuple[Stream, ...]) -> CauseState:
        """The state with further streams, from the next refresh on."""
        return self.model_copy(update={"streams": (*self.streams, *streams)})


class DriftState(BaseModel):
    """Everything that a schedule keeps between refreshes.

    Attributes:
        reference: what was known at approval.
        alpha: chance that any alarm is ever raised without drift, over all refreshes until the state is restarted.
        refreshes: how many were examined.
        causes: evidence by cause.
        seen_pairs: hashes of pairs that evidence rests on, sorted; votes on them are not counted again.
        ballots: votes on new pairs that have two or more, as counts of ballots such as `aab` (t for a tie).
        baseline: number of the refresh that measured the judge's own flips, where approval did not; None otherwise.
        corpus_memory: what is kept for the tests of embeddings.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    reference: Reference
    alpha: float = Field(default=0.05, gt=0.0, lt=1.0)
    refreshes: int = 0
    causes: dict[Cause, CauseState]
    seen_pairs: tuple[str, ...] = ()
    ballots: dict[str, int] = Field(default_factory=dict)
    baseline: int | None = None
    corpus_memory: CorpusMemory = CorpusMemory()

    @classmethod
    def begin(cls, reference: Reference, alpha: float = 0.05) -> DriftState:
        """The state when a set is approved.

        Args:
            reference: what is known then.
            alpha: false alarms allowed over the whole stream of refreshes, in (0, 1).

        Raises:
            InputError: alpha is out of range.
        """
        if not 0.0 < alpha < 1.0:
            raise InputError(
                f"alpha is {alpha!r}; give the share of false alarms allowed, between 0 and 1, such as 0.05"
            )
        memory, corpus = corpus_drift.begin(reference.corpus)
        streams: dict[Cause, tuple[Stream, ...]] = {
            "judge": judge_drift.streams(reference),
            "annotators": annotator_drift.streams(reference),
            "corpus": corpus,
            "fit": fit_drift.streams(reference),
        }
        tested = [c for c in CAUSES if streams[c] or (c == "judge" and reference.anchors)]
        whole = sum(SHARES[c] for c in tested)
        causes = {
            c: CauseState(level=alpha * SHARES[c] / whole if c in tested else 0.0, streams=streams[c]) for c in CAUSES
        }
        return cls(
            reference=reference, alpha=alpha, causes=causes, corpus_memory=memory,
            seen_pairs=tuple(sorted(set(reference.known_pairs))),
        )  # fmt: skip


def restarted(state: DriftState, reference: Reference, alpha: float | None = None) -> DriftState:
    """A fresh state, once a person has acknowledged an alarm by approving a set or the new state of things.

    The level holds anew from here: each approval buys its own stream. Pairs that evidence rested on stay known, so no
    vote is counted before and after.
    """
    known = {*state.seen_pairs, *reference.known_pairs}
    begun = DriftState.begin(reference, state.alpha if alpha is None else alpha)
    return begun.model_copy(update={"seen_pairs": tuple(sorted(known))})
