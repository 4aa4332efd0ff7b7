"""What is believed of a criterion beforehand follows the catalogue's word on how much it matters."""

from __future__ import annotations

import pytest
from made_up import criterion

from agents.priors import prior
from knowledge_base.criterion import DOMAINS, Domain


@pytest.mark.parametrize("domain", DOMAINS)
def test_more_important_criteria_are_believed_at_least_as_much(domain: Domain) -> None:
    means = [prior(criterion("some", domains={domain: importance}), domain).mean for importance in (1, 2, 3)]
    assert means == sorted(means)
    assert means[0] < means[-1]


def test_nothing_is_believed_of_a_criterion_that_the_domain_does_not_list() -> None:
    assert prior(criterion("some", domains={"code": 3}), "creative").mean == 0.5


def test_no_prior_is_worse_than_chance_or_certain() -> None:
    means = [prior(criterion("some", domains={"web": i} if i else {}), "web").mean for i in range(4)]
    assert all(0.5 <= mean < 1 for mean in means)


def test_every_prior_is_worth_some_pairs() -> None:
    assert prior(criterion("some"), "web").size > 0
