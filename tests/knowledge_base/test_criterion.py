"""A criterion: what counts as its content, and which criteria cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from knowledge_base.criterion import Criterion, Provenance

PAPER = Provenance(kind="paper", source="A study of good texts", year=2020)
FIELDS: dict[str, Any] = {
    "name": "Clear claim",
    "description": "The better text states its claim plainly and early on.",
    "not_when": "The text is a poem.",
    "provenance": PAPER,
    "expression": "words / 10",
    "direction": "lower",
    "margin": 0.5,
}


def made(**changes: Any) -> Criterion:
    """The criterion of `FIELDS` with some fields changed."""
    return Criterion(**{**FIELDS, **changes})


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Clear point"},
        {"description": "The better text states its claim plainly and late."},
        {"not_when": ""},
        {"expression": "words / 11"},
        {"direction": "higher"},
        {"margin": 0.4},
    ],
)
def test_anything_a_judge_can_see_changes_the_hash(change: dict[str, Any]) -> None:
    assert made(**change).hash != made().hash


@pytest.mark.parametrize(
    "change", [{"domains": {"web": 3}}, {"provenance": Provenance(kind="mined", source="a run", year=2024)}]
)
def test_domains_and_provenance_do_not_change_the_hash(change: dict[str, Any]) -> None:
    assert made(**change).hash == made().hash


@given(st.text(min_size=3, max_size=80), st.text(min_size=20, max_size=200))
def test_a_criterion_survives_the_way_through_json(name: str, description: str) -> None:
    criterion = made(name=name, description=description)
    again = Criterion.model_validate_json(criterion.model_dump_json())
    assert again == criterion
    assert again.hash == criterion.hash
    assert len(criterion.hash) == 16


def test_only_what_a_person_wrote_down_may_lack_a_year() -> None:
    assert Provenance(kind="person", source="Our editors").year is None
    assert Provenance(kind="person", source="Our editors", year=2024).year == 2024
    with pytest.raises(ValidationError, match=r"(?s)year.*a source has a year unless its kind is person"):
        Provenance(kind="guideline", source="A style guide")


@pytest.mark.parametrize("kind", ["person", "paper"])
def test_a_year_that_is_given_is_plausible(kind: str) -> None:
    with pytest.raises(ValidationError, match="year"):
        Provenance.model_validate({"kind": kind, "source": "Somebody", "year": 12})


def test_text_moved_between_fields_is_other_content() -> None:
    moved = made(description=FIELDS["description"] + " " + FIELDS["not_when"], not_when="")
    assert moved.hash != made().hash


def test_words_are_name_and_description() -> None:
    assert made().words == "Clear claim: The better text states its claim plainly and early on."


def test_a_criterion_is_programmatic_if_it_has_an_expression() -> None:
    assert made().programmatic
    assert not made(expression="", margin=0.0).programmatic


def test_a_margin_without_an_expression_is_refused() -> None:
    with pytest.raises(ValidationError, match="margin is set but expression is empty; give both or neither"):
        made(expression="")


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "ab"},
        {"name": "x" * 81},
        {"description": "too short"},
        {"description": "x" * 1201},
        {"margin": -0.1},
        {"margin": float("nan")},
        {"direction": "up"},
        {"domains": {"poetry": 1}},
        {"domains": {"web": 4}},
        {"colour": "red"},
    ],
)
def test_a_value_out_of_range_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        made(**wrong)


@pytest.mark.parametrize("wrong", [{"kind": "rumour"}, {"source": ""}, {"year": 1700}, {"page": 3}])
def test_a_provenance_that_cannot_be_found_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Provenance(**{"kind": "paper", "source": "A study", "year": 2020, **wrong})


def test_a_criterion_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        made().name = "Other"
