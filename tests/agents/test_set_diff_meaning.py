"""The threshold of likeness, held against the model whose cosines it is about."""

from __future__ import annotations

import pytest
from made_up import LINEAGE, assessment

from agents.criteria_set import CriteriaSet, Member
from agents.set_diff import diff_sets
from knowledge_base.criterion import Criterion, Provenance
from knowledge_base.entries import load_catalogue

pytestmark = pytest.mark.slow


def made(*criteria: Criterion) -> CriteriaSet:
    members = tuple(Member(criterion=c, weight=1.0, mining=assessment(c.hash)) for c in criteria)
    return CriteriaSet(members=members, method="paper", lineage=LINEAGE)


def worded(name: str, description: str) -> Criterion:
    return Criterion(
        name=name, description=description, provenance=Provenance(kind="person", source="These tests", year=2026)
    )


def test_a_light_rewording_is_the_same_criterion() -> None:
    old = worded("Clear structure", "Prefer the text whose parts follow one another in an order that helps the reader.")
    new = worded("Clear structures", "Prefer the text whose parts come in an order that helps the reader.")
    (change,) = diff_sets(made(old), made(new)).reworded
    assert change.basis == "meaning"


def test_no_two_criteria_of_the_catalogue_are_the_same_criterion() -> None:
    everything = load_catalogue()
    halves = made(*everything[::2]), made(*everything[1::2])
    by_meaning = [c for c in diff_sets(*halves).reworded if c.basis == "meaning"]
    assert by_meaning == []
