"""What a run will take, told before anything is paid for. Counts follow the policy's own plan; tokens are estimates."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from pydantic import BaseModel, ConfigDict

from agents.chat.endpoint import Tokens
from agents.pairs import Pair
from agents.panel import Looks
from agents.policy import Policy
from services.prices import Price, cost_of

RULES_TOKENS = 420
"""Prompt tokens of the rules and the output format."""

CRITERION_TOKENS = 90
"""Prompt tokens of a criterion."""

REPLY_TOKENS = 130
"""Completion tokens of a judgment with its reasoning."""

MANAGER_PROMPT_TOKENS, MANAGER_REPLY_TOKENS = 1600, 350
"""Prompt and completion tokens of a manager's call, texts aside."""

DECIDED = 0.75
"""Share of first looks that come to a decision and so ask for a second."""

LOOKS: dict[Looks, float] = {"one": 1.0, "both": 2.0, "second": 1.0 + DECIDED, "sampled": 1.0 + DECIDED}
"""Judgments of a cell by the orders that a policy asks for; a sample may show that all of them are needed."""

MIDDLING = 0.35
"""Share of the criteria in play that a round refines; as many are replaced."""

SHARED = 0.5
"""Share of a fold's judgments that another thread of the run asks for too, and are paid for once."""

CALL_SECONDS = 2.0
"""Seconds of a call at an endpoint that nobody has timed yet."""


class StageEstimate(BaseModel):
    """One stage: calls, prompt tokens, those of them that a prefix cache may save, and completion tokens."""

    model_config = ConfigDict(frozen=True)

    stage: str
    calls: int
    prompt: int
    cached: int
    completion: int


class Estimate(BaseModel):
    """What a run will take.

    Attributes:
        stages: mining, sealed and manager.
        threads: of the run; a cross-fit has one for each fold beside the one whose set is handed over.
        cost: in the currency of the price table; None where a price is missing.
        seconds: with every place in flight taken, at `CALL_SECONDS` a call unless the endpoint was timed.
    """

    model_config = ConfigDict(frozen=True)

    stages: tuple[StageEstimate, ...]
    threads: int
    cost: float | None
    seconds: float

    @property
    def calls(self) -> int:
        """Of all stages."""
        return sum(stage.calls for stage in self.stages)

    @property
    def tokens(self) -> int:
        """Prompt and completion tokens of all stages."""
        return sum(stage.prompt + stage.completion for stage in self.stages)

    @property
    def kept_back(self) -> float:
        """Share of a budget that mining must leave to the sealed pairs, in [0, 1/2]."""
        sealed = sum(stage.calls for stage in self.stages if stage.stage == "sealed")
        return min(0.5, sealed / self.calls) if self.calls else 0.0


def cells(policy: Policy, pairs: int, base: int) -> int:
    """Criteria times pairs that one thread's mining will ask for, at most as the policy plans it.

    Args:
        policy: how a round is judged.
        pairs: mining pairs.
        base: criteria of the knowledge base that is screened; 0 if it is not.
    """
    screening = base * pairs if policy.screens else 0
    first = _race(policy, policy.candidates, pairs)
    rewritten = round(MIDDLING * policy.size)
    later = _race(policy, rewritten + policy.room(policy.size - rewritten, rewritten), pairs)
    return screening + first + (policy.rounds - 1) * later


def _race(policy: Policy, entering: int, pairs: int) -> int:
    met, asked = 0, 0
    for rung in policy.rungs(pairs):
        asked += entering * (rung - met)
        entering, met = policy.passing(entering), rung
    return asked


def manager_calls(policy: Policy, pairs: int) -> int:
    """Calls that one thread's manager will make."""
    rewritten = round(MIDDLING * policy.size)
    critiques = rewritten * (pairs // 3 if policy.thorough else 1)
    return pairs + 4 + (policy.rounds - 1) * (critiques + rewritten + 6)


class Load(BaseModel):
    """What decides an estimate beside the policy.

    Attributes:
        answers: judgments asked for a cell and order: samples over all workers.
        together: criteria in a call.
        text: mean tokens of both texts and the prompt of a pair, truncation applied.
        in_flight: calls at once; call_seconds: of one.
        base: criteria of the knowledge base.
        symmetric: whether one order is enough.
        manager: whether a model manages; free: whether judging costs nothing.
    """

    model_config = ConfigDict(frozen=True)

    answers: int
    together: int
    text: int
    in_flight: int
    call_seconds: float = CALL_SECONDS
    base: int = 0
    symmetric: bool = False
    manager: bool = True
    free: bool = False


def estimate(
    policy: Policy, threads: Sequence[tuple[int, int]], load: Load, prices: tuple[Price | None, Price | None]
) -> Estimate:
    """What a run will take.

    Args:
        policy: of the run.
        threads: (mining pairs, sealed pairs) of each thread, the one that is handed over first.
        load: what a call takes.
        prices: of the worker's and of the manager's tokens; None where they are not known.
    """
    looks = 1.0 if load.symmetric else LOOKS[policy.looks]
    mining, sealed, managing = 0.0, 0.0, 0
    for number, (mined, tested) in enumerate(threads):
        new = 1.0 if number == 0 else 1.0 - SHARED
        mining += new * cells(policy, mined, load.base) * looks
        sealed += tested * policy.size
        managing += manager_calls(policy, mined)
    judged = [_judging(name, count, load) for name, count in (("mining", mining), ("sealed", sealed))]
    stages = (*judged, _managing(managing, load))
    seconds = sum(stage.calls for stage in stages) * load.call_seconds / load.in_flight
    return Estimate(stages=stages, threads=len(threads), cost=_cost(stages, prices), seconds=seconds)


def _judging(stage: str, looked: float, load: Load) -> StageEstimate:
    calls = 0 if load.free else round(looked * load.answers / load.together)
    shared = RULES_TOKENS + load.text
    return StageEstimate(
        stage=stage, calls=calls, prompt=calls * (shared + CRITERION_TOKENS * load.together),
        cached=round(calls * shared * 0.8), completion=calls * REPLY_TOKENS * load.together,
    )  # fmt: skip


def _managing(calls: int, load: Load) -> StageEstimate:
    calls = calls if load.manager else 0
    prompt = calls * (MANAGER_PROMPT_TOKENS + load.text)
    return StageEstimate(stage="manager", calls=calls, prompt=prompt, cached=0, completion=calls * MANAGER_REPLY_TOKENS)


def _cost(stages: Sequence[StageEstimate], prices: tuple[Price | None, Price | None]) -> float | None:
    total = 0.0
    for stage in stages:
        price = prices[1] if stage.stage == "manager" else prices[0]
        if price is None and stage.calls:
            return None
        tokens = Tokens(stage.prompt, stage.cached, stage.completion)
        total += cost_of("this", tokens, {"this": price}) or 0.0 if price else 0.0
    return total


def mean_text_tokens(pairs: Sequence[Pair], limit: int) -> int:
    """Mean tokens of a pair's texts and prompt, each cut at `limit`."""
    from agents.chat.tokens import estimate_tokens

    return (
        round(fmean(sum(min(limit, estimate_tokens(t)) for t in (p.a, p.b, p.prompt)) for p in pairs)) if pairs else 0
    )
