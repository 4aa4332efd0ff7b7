"""A criteria set is named by its criteria, their weights and where they come from, and by nothing else."""

from __future__ import annotations

import pytest
from made_up import LINEAGE, assessment, criterion
from pydantic import ValidationError

from agents.criteria_set import CriteriaSet, Lineage, Member

FIRST, SECOND = criterion("first"), criterion("second", "words", margin=0.5)


def made(*members: tuple[str, float], lineage: Lineage = LINEAGE, accuracy: float = 0.5) -> CriteriaSet:
    bodies = {"first": FIRST, "second": SECOND}
    found = tuple(
        Member(criterion=bodies[n], weight=w, mining=assessment(bodies[n].hash, accuracy=accuracy)) for n, w in members
    )
    return CriteriaSet(members=found, method="paper", lineage=lineage)


BOTH = made(("first", 0.5), ("second", 0.25))


def test_criteria_stand_strongest_first_as_they_were_given() -> None:
    assert BOTH.criteria == (FIRST, SECOND)


def test_the_ballot_votes_with_the_members_weights() -> None:
    assert BOTH.ballot.weights == {FIRST.hash: 0.5, SECOND.hash: 0.25}


def test_equal_sets_have_one_version() -> None:
    assert made(("first", 0.5), ("second", 0.25)).version == BOTH.version


@pytest.mark.parametrize(
    "other",
    [
        made(("first", 0.5)),
        made(("second", 0.25), ("first", 0.5)),
        made(("first", 0.5), ("second", 0.26)),
        made(("first", 0.5), ("second", 0.25), lineage=LINEAGE.model_copy(update={"seed": 1})),
        made(("first", 0.5), ("second", 0.25), lineage=LINEAGE.model_copy(update={"parent": "0" * 12})),
        made(),
    ],
)
def test_other_criteria_weights_or_lineage_are_another_version(other: CriteriaSet) -> None:
    assert other.version != BOTH.version


@pytest.mark.parametrize("field", sorted(Lineage.model_fields))
def test_everything_in_the_lineage_is_in_the_version(field: str) -> None:
    value = 99 if isinstance(getattr(LINEAGE, field), int) else "another"
    other = made(("first", 0.5), ("second", 0.25), lineage=LINEAGE.model_copy(update={field: value}))
    assert other.version != BOTH.version


def test_how_the_members_did_does_not_change_the_version() -> None:
    assert made(("first", 0.5), ("second", 0.25), accuracy=0.9).version == BOTH.version


def test_noise_beyond_the_ninth_digit_does_not_change_the_version() -> None:
    assert made(("first", 0.5 + 1e-12), ("second", 0.25)).version == BOTH.version


def test_a_set_survives_json_byte_for_byte() -> None:
    told = BOTH.model_dump_json()
    again = CriteriaSet.model_validate_json(told)
    assert (again, again.version, again.model_dump_json()) == (BOTH, BOTH.version, told)


def test_a_set_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        setattr(BOTH, "method", "robust")  # noqa: B010  # a plain assignment would not pass the type checker


def test_a_set_may_be_empty() -> None:
    assert made().ballot.weights == {}
