"""What a run hands over, with everything its numbers must carry."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from agents.assessment import Assessment
from agents.chronicle import RoundRecord
from agents.criteria_set import CriteriaSet
from agents.judgments import Status
from agents.outcome import VoteAccuracy
from agents.pairs import Preference
from services.call_tally import CallTally
from services.run_config import RunConfig
from services.run_facts import RunFacts


class Value(BaseModel):
    """A value that never changes."""

    model_config = ConfigDict(frozen=True)


class DatasetFacts(Value):
    """What was mined.

    Attributes:
        name, description, hash: of the dataset.
        pairs: all pairs; ties: of those, tied by people.
        mining: pairs that the handed-over set was mined from.
        held_out: pairs that the reported accuracy comes from, ties included; 0 if none.
        with_prompt, with_reason: pairs that carry one.
        test: content hash of the test file; empty if there was none.
    """

    name: str
    description: str
    hash: str
    pairs: int
    ties: int
    mining: int
    held_out: int
    with_prompt: int
    with_reason: int
    test: str


class Redundancy(Value):
    """Two criteria of the set that nearly vote as one: their names and vote correlation."""

    first: str
    second: str
    correlation: float


class Opinion(Value):
    """What one criterion said of a pair (both orders merged): verdict `A`, `B` or `abstain`, status and rationale."""

    criterion: str
    name: str
    verdict: Literal["A", "B", "abstain"]
    status: Status
    rationale: str


class HardPair(Value):
    """A pair on which the vote went against people.

    Attributes:
        id: the user's name for it; prompt, a, b: what was compared.
        preferred: by people; probability: that people prefer a, as the vote has it, in [0, 1].
        thread: whose set voted: `main`, or the fold that had not seen the pair.
        opinions: of that set's criteria, strongest first.
    """

    id: str
    prompt: str
    a: str
    b: str
    preferred: Preference
    probability: float
    thread: str
    opinions: tuple[Opinion, ...]


class StageUsage(Value):
    """Judgments of a stage: asked (once each, whichever threads want it), reused from earlier runs, and by status.

    `truncated` counts those whose judge saw a part of a text only.
    """

    stage: Literal["mining", "sealed"]
    asked: int
    reused: int
    decided: int
    abstained: int
    invalid: int
    failed: int
    truncated: int = 0


class Usage(Value):
    """What the run took.

    Attributes:
        stages: judgments.
        seconds: wall time spent working on it, over all its starts.
        calls: requests to models, by stage and model; no row where signals judged and statistics managed.
        spent: which budget ended the asking before the policy would have; empty if none did.
    """

    stages: tuple[StageUsage, ...]
    seconds: float
    calls: CallTally = CallTally()
    spent: str = ""


class RunResult(Value):
    """A finished run.

    Attributes:
        run: id.
        dataset, config, facts: what was asked, of what, by whom. `facts.holdout` is the kind of `held_out_*`.
        criteria_set: mined by the `main` thread.
        rounds: of the `main` thread.
        mining_weighted, mining_majority: on mining pairs: optimistic, for comparison only.
        held_out_weighted, held_out_majority: on pairs nobody mined from, pooled over the folds of a cross-fit;
            None where nothing could be held out.
        held_out_assessments: each criterion of the set on the sealed or test pairs; empty in a cross-fit, whose folds
            have sets of their own.
        folds: in a cross-fit, names of each fold's criteria: how far the folds agree on what matters.
        correlation: (c, c) cosine between the criteria's votes on mining pairs, in the set's order.
        effective_votes: how many independent votes the set is worth, in [1, c]; 0 for an empty set.
        redundant: pairs of criteria whose correlation is at least `REDUNDANT` in size.
        hardest: up to 12 pairs on which the vote went against people, the clearest mistakes first.
        hardest_from: where they come from; `mining` if nothing was held out.
        usage: judgments and time.
    """

    run: str
    dataset: DatasetFacts
    config: RunConfig
    facts: RunFacts
    criteria_set: CriteriaSet
    rounds: tuple[RoundRecord, ...]
    mining_weighted: VoteAccuracy
    mining_majority: VoteAccuracy
    held_out_weighted: VoteAccuracy | None
    held_out_majority: VoteAccuracy | None
    held_out_assessments: tuple[Assessment, ...]
    folds: dict[str, tuple[str, ...]]
    correlation: tuple[tuple[float, ...], ...]
    effective_votes: float
    redundant: tuple[Redundancy, ...]
    hardest: tuple[HardPair, ...]
    hardest_from: Literal["sealed", "crossfit", "test", "mining"]
    usage: Usage

    def substance(self) -> str:
        """The result as JSON without the time it took: equal inputs give equal bytes, whatever was killed meanwhile."""
        return self.model_dump_json(exclude={"usage": {"seconds", "calls"}})
