"""Policies are chosen by name, with sizes and rounds that make sense."""

from __future__ import annotations

import pytest

from agents.paper_policy import PaperPolicy
from agents.policies import POLICY_NAMES, PolicyName, policy_named
from agents.robust_policy import RobustPolicy, frugal
from knowledge_base.errors import InputError


def test_names_stand_for_their_policies() -> None:
    assert policy_named("paper") == PaperPolicy()
    assert policy_named("robust") == RobustPolicy()


@pytest.mark.parametrize("name", POLICY_NAMES)
def test_a_policy_bears_the_name_it_is_chosen_by(name: PolicyName) -> None:
    assert policy_named(name).name == name


@pytest.mark.parametrize("name", POLICY_NAMES)
def test_size_and_rounds_are_taken_where_they_are_given(name: PolicyName) -> None:
    chosen, plain = policy_named(name, size=4), policy_named(name)
    assert (chosen.size, chosen.rounds) == (4, plain.rounds)
    assert policy_named(name, rounds=1).rounds == 1


@pytest.mark.parametrize("name", POLICY_NAMES)
def test_a_race_has_no_fewer_candidates_than_the_set_members(name: PolicyName) -> None:
    assert policy_named(name).candidates >= policy_named(name).size


@pytest.mark.parametrize("name", ["", "Paper", "greedy"])
def test_an_unknown_name_is_refused_with_those_that_there_are(name: str) -> None:
    with pytest.raises(InputError, match="'robust' or 'paper'"):
        policy_named(name)


@pytest.mark.parametrize("wrong", [0, -1])
def test_a_size_or_number_of_rounds_below_one_is_refused(wrong: int) -> None:
    with pytest.raises(InputError, match=f"size is {wrong}; use 1 or more"):
        policy_named("paper", size=wrong)
    with pytest.raises(InputError, match=f"rounds is {wrong}"):
        policy_named("paper", rounds=wrong)


def test_where_judgments_cost_money_the_default_asks_for_fewer() -> None:
    free, paid = policy_named("robust"), policy_named("robust", free=False)
    assert paid == frugal()
    assert paid.candidates < free.candidates
    assert paid.room(10, 5) < free.room(10, 5)
    assert paid.passing(paid.candidates) < free.passing(free.candidates)


def test_the_published_procedure_screens_the_knowledge_base_where_it_costs_something() -> None:
    assert policy_named("paper", free=False) == PaperPolicy(screens=True)
    assert not policy_named("paper", free=True).screens


@pytest.mark.parametrize("free", [True, False])
@pytest.mark.parametrize("name", POLICY_NAMES)
def test_size_and_rounds_are_taken_whatever_it_costs(name: PolicyName, free: bool) -> None:
    chosen = policy_named(name, 4, 2, free=free)
    assert (chosen.size, chosen.rounds, chosen.name) == (4, 2, name)


@pytest.mark.parametrize("name", POLICY_NAMES)
def test_only_the_published_procedure_is_thorough(name: PolicyName) -> None:
    assert policy_named(name, free=False).thorough == (name == "paper")
