"""What a thread's nodes work with does not depend on how the file was ordered or labelled."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from made_up import ScriptedManager, criterion, mining, pairs

from agents.mining import Mining
from agents.paper_policy import PaperPolicy
from agents.priors import prior
from agents.robust_policy import RobustPolicy


def thread(preferred: str = "AB=", symmetric: bool = True) -> Mining:
    return mining(pairs(preferred), ScriptedManager(), RobustPolicy(), symmetric=symmetric)


@given(st.permutations(range(6)))
def test_the_order_of_pairs_is_that_of_their_content(order: list[int]) -> None:
    made = pairs("AB=ABA")
    moved = mining([made[i] for i in order], ScriptedManager(), PaperPolicy())
    assert moved.pairs == mining(made, ScriptedManager(), PaperPolicy()).pairs


def test_the_order_of_pairs_does_not_follow_what_people_preferred() -> None:
    assert thread("AAAA").pairs == thread("BBBB").pairs


def test_truth_follows_the_pairs_asked_for() -> None:
    found = thread()
    a, b, tie = (p.hash for p in found.brief.pairs)
    assert found.truth((tie, b, a)).tolist() == [0, -1, 1]


def test_priors_are_those_of_the_threads_domain() -> None:
    central = criterion("central", domains={"answers": 3, "code": 1})
    assert thread().priors([central]) == {central.hash: prior(central, "answers")}
