"""Swapping a and b in every pair turns every judgment and changes nothing else: judge, assessment, policy, set."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import criterion

from agents.assessment import assess
from agents.judgments import Ask
from agents.memory_ledger import MemoryLedger
from agents.pairs import Pair, Preference
from agents.policies import policy_named
from agents.policy import Policy
from agents.signal_judge import SignalJudge
from agents.signals.measurement import MemoryCache
from agents.statistics import Beta
from agents.votes import Votes

CACHE = MemoryCache()
JUDGE = SignalJudge(CACHE)
CRITERIA = (
    criterion("longer", "words"),
    criterion("longer by two", "words", margin=2.0),
    criterion("shorter words", "mean_word_length", "lower"),
    criterion("denser", "words / sentences - 0.5 * (chars > 20)"),
    criterion("less repetitive", "type_token_ratio", margin=0.1),
)
TURNED: dict[str, Preference] = {"a": "b", "b": "a", "tie": "tie"}
text = st.lists(st.sampled_from(["one", "two", "three.", "Four!", "extraordinary", "one"]), max_size=6).map(" ".join)
compared = st.lists(
    st.tuples(text, text, st.sampled_from(["a", "b", "tie"])), min_size=1, max_size=12, unique_by=lambda t: t[:2]
)


def made(rows: Sequence[tuple[str, str, str]]) -> list[Pair]:
    return [Pair.model_validate({"id": str(i), "a": a, "b": b, "preferred": p}) for i, (a, b, p) in enumerate(rows)]


def swap(pair: Pair) -> Pair:
    return Pair(id=pair.id, a=pair.b, b=pair.a, preferred=TURNED[pair.preferred])


def judged(pairs: Sequence[Pair]) -> Votes:
    """Votes of all criteria, pairs in the order given."""
    ledger = MemoryLedger(pairs)
    ledger.remember(CRITERIA)
    ledger.want([Ask(judge=JUDGE.fingerprint, criterion=c.hash, pair=p.hash) for p in pairs for c in CRITERIA])
    asyncio.run(ledger.answer_missing(JUDGE))
    return ledger.votes([c.hash for c in CRITERIA], [p.hash for p in pairs])


def signs(pairs: Sequence[Pair]) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    return np.array([p.sign for p in pairs], dtype=np.int8)


@given(compared)
@settings(max_examples=25)
def test_swapping_the_texts_turns_every_vote_of_the_signal_judge(rows: list[tuple[str, str, str]]) -> None:
    here, there = judged(made(rows)), judged([swap(p) for p in made(rows)])
    assert here.signs.tolist() == (-there.signs).tolist()
    assert here.states.tolist() == there.states.tolist()
    assert here.margins.tolist() == there.margins.tolist()


@pytest.mark.parametrize(
    "policy", [policy_named("robust", size=3), policy_named("paper", size=3)], ids=lambda p: p.name
)
@given(compared)
@settings(max_examples=20)
def test_swapping_the_texts_changes_no_assessment_no_decision_and_no_set(
    policy: Policy, rows: list[tuple[str, str, str]]
) -> None:
    priors = {c.hash: Beta(0.6, 10.0) for c in CRITERIA}
    found = []
    for pairs in (made(rows), [swap(p) for p in made(rows)]):
        votes, truth = judged(pairs), signs(pairs)
        assessments = assess(votes, truth, priors)
        composed = policy.compose(votes, truth, np.ones(len(pairs)), priors)
        found.append((assessments, policy.decide(votes, assessments), composed))
    assert found[0] == found[1]


@given(compared)
@settings(max_examples=20)
def test_swapping_the_texts_turns_every_probability_around_one_half(rows: list[tuple[str, str, str]]) -> None:
    here, there = judged(made(rows)), judged([swap(p) for p in made(rows)])
    _, ballot = policy_named("robust").compose(here, signs(made(rows)), np.ones(len(rows)), {})
    assert ballot.probability(here).tolist() == pytest.approx((1 - ballot.probability(there)).tolist())
