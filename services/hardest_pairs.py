"""The pairs on which a vote went most clearly against people, with what each criterion said: where to look first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

from agents.criteria_set import CriteriaSet
from agents.judgments import Judgment, Status, Verdict
from agents.outcome import Outcome, PairOutcome
from agents.pairs import Pair
from agents.votes import DECIDED, Votes
from services.database import Database
from services.mining_thread import StoredThread
from services.run_facts import Holdout
from services.run_result import HardPair, Opinion
from services.sql_ledger import SqlLedger

SHOWN = 12

Source = Literal["sealed", "crossfit", "test", "mining"]
Candidate = tuple[StoredThread, CriteriaSet, Pair, float]
"""A pair with the thread and set that voted on it, and the vote's probability for a."""


def hardest_pairs(
    database: Database, holdout: Holdout, threads: Sequence[tuple[StoredThread, Outcome]], mining_votes: Votes
) -> tuple[tuple[HardPair, ...], Source]:
    """Up to `SHOWN` pairs with the vote against people or balanced, clearest mistakes first; and which pairs they are.

    Args:
        threads: those that held pairs out; the first one's mining pairs stand in where none did.
        mining_votes: the first thread's set on its mining pairs.
    """
    source: Source = "mining" if holdout == "none" else holdout
    candidates = (
        [c for t, o in threads for c in _held_out(t, o)] if holdout != "none" else _mined(*threads[0], mining_votes)
    )
    wrong = [c for c in candidates if _support(c) <= 0.5 and c[2].sign]
    ranked = sorted(wrong, key=lambda c: (round(_support(c), 9), c[2].hash))[:SHOWN]
    return tuple(_tell(database, *c) for c in ranked), source


def _support(candidate: Candidate) -> float:
    """The vote's probability for what people preferred."""
    _, _, pair, probability = candidate
    return probability if pair.sign > 0 else 1 - probability


def _held_out(thread: StoredThread, outcome: Outcome) -> list[Candidate]:
    pairs: dict[str, Pair] = {p.hash: p for p in thread.sealed}
    sealed: tuple[PairOutcome, ...] = outcome.sealed
    return [(thread, outcome.criteria_set, pairs[p.pair], p.probability) for p in sealed]


def _mined(thread: StoredThread, outcome: Outcome, votes: Votes) -> list[Candidate]:
    probabilities = dict(zip(votes.pairs, outcome.criteria_set.ballot.probability(votes), strict=True))
    return [(thread, outcome.criteria_set, p, float(probabilities[p.hash])) for p in thread.mining]


def _tell(database: Database, thread: StoredThread, voters: CriteriaSet, pair: Pair, probability: float) -> HardPair:
    ledger = SqlLedger(database, thread.run.id, thread.id)
    merged = ledger.votes([c.hash for c in voters.criteria], [pair.hash])
    opinions = tuple(
        _opinion(c.hash, c.name, [j for _, j in ledger.judgments(c.hash, [pair.hash])], merged, row)
        for row, c in enumerate(voters.criteria)
    )
    return HardPair(
        id=pair.id, prompt=pair.prompt, a=pair.a, b=pair.b, preferred=pair.preferred,
        probability=probability, thread=thread.name, opinions=opinions,
    )  # fmt: skip


def _opinion(criterion: str, name: str, judgments: Sequence[Judgment], votes: Votes, row: int) -> Opinion:
    sign = int(votes.signs[row, 0])
    verdict = cast(Verdict, {1: "A", -1: "B", 0: "abstain"}[sign])
    status: Status = "decided" if votes.states[row, 0] == DECIDED else _worst(judgments)
    rationale = " / ".join(dict.fromkeys(j.rationale for j in judgments if j.rationale))
    return Opinion(criterion=criterion, name=name, verdict=verdict, status=status, rationale=rationale)


def _worst(judgments: Sequence[Judgment]) -> Status:
    """What stands for an undecided cell: an abstention if there is any evidence, else why there is none."""
    found = {j.status for j in judgments}
    if found & {"abstained", "decided"}:
        return "abstained"
    return "invalid" if "invalid" in found else "failed"
