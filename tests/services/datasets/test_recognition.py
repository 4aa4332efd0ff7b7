"""The format is told by the columns alone."""

from __future__ import annotations

import pytest

from knowledge_base.errors import InputError
from services.datasets.recognition import FORMATS, recognise


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ("a b preferred", "native"),
        ("a b votes", "native"),
        ("a b annotators prompt text", "native"),
        ("prompt chosen rejected", "trl"),
        ("chosen rejected score_chosen", "trl"),
        ("A B answer", "reference"),
        ("response_a response_b winner model_a model_b", "arena"),
        ("text label", "pointwise"),
        ("label text id meta", "pointwise"),
    ],
)
def test_columns_tell_the_format(columns: str, name: str) -> None:
    assert recognise("f", columns.split()).name == name


def test_every_format_is_recognised_by_the_columns_it_knows() -> None:
    assert [recognise("f", sorted(known.knows)) for known in FORMATS] == list(FORMATS)


@pytest.mark.parametrize(
    ("columns", "hint"),
    [
        (["Chosen", "rejected"], "rename 'Chosen' to 'chosen'"),
        (["a", "b", " preferred"], "rename ' preferred' to 'preferred'"),
        (["text", "labels"], "rename 'labels' to 'label'"),
        (["a", "b"], "give the columns of one"),
        (["x"], "fits no format (columns: 'x')"),
        ([], "columns: none"),
    ],
)
def test_columns_that_fit_nothing_are_listed_with_near_misses(columns: list[str], hint: str) -> None:
    with pytest.raises(InputError) as caught:
        recognise("pairs.csv", columns)
    assert hint in str(caught.value)
    assert str(caught.value).startswith("pairs.csv fits no format")


def test_a_column_that_is_already_there_is_not_proposed() -> None:
    with pytest.raises(InputError) as caught:
        recognise("f", ["text", "texts"])
    assert "rename" not in str(caught.value)


def test_two_fitting_formats_are_refused_rather_than_guessed() -> None:
    with pytest.raises(InputError, match="fits the formats native and trl at once"):
        recognise("f", ["a", "b", "preferred", "chosen", "rejected"])


def test_a_long_list_of_columns_is_cut() -> None:
    with pytest.raises(InputError) as caught:
        recognise("f", [f"column {i} " + "x" * 500 for i in range(5000)])
    assert len(str(caught.value)) < 2000
