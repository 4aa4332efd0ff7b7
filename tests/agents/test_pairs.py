"""Pairs and datasets are named by their content."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agents.pairs import Dataset, Pair, Point, Vote

texts = st.text(min_size=1, max_size=30)


def pair(**fields: object) -> Pair:
    return Pair.model_validate({"id": "1", "a": "left", "b": "right", "preferred": "a", **fields})


@given(texts, texts, texts)
def test_a_pairs_hash_ignores_its_id_its_label_and_its_votes(a: str, b: str, prompt: str) -> None:
    one = Pair(id="x", a=a, b=b, preferred="a", prompt=prompt)
    two = Pair(id="y", a=a, b=b, preferred="b", prompt=prompt, votes=(Vote(preferred="b"),), group="g", weight=2.0)
    assert one.hash == two.hash


@pytest.mark.parametrize("change", [{"a": "other"}, {"b": "other"}, {"prompt": "other"}, {"a": "right", "b": "left"}])
def test_a_pairs_hash_sees_whatever_a_judge_sees(change: dict[str, str]) -> None:
    assert pair().hash != pair(**change).hash


def test_a_lone_surrogate_does_not_break_the_hash() -> None:
    assert len(pair(a="\ud800").hash) == 16


@pytest.mark.parametrize(("preferred", "sign"), [("a", 1), ("b", -1), ("tie", 0)])
def test_the_sign_says_which_text_won(preferred: str, sign: int) -> None:
    assert pair(preferred=preferred).sign == sign


@pytest.mark.parametrize(
    "wrong", [{"preferred": "A"}, {"weight": 0}, {"confidence": 1.1}, {"id": ""}, {"colour": "red"}]
)
def test_a_pair_refuses_what_it_cannot_mean(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        pair(**wrong)


@pytest.mark.parametrize("label", [2, -1, "yes"])
def test_a_point_refuses_labels_other_than_0_and_1(label: object) -> None:
    with pytest.raises(ValidationError):
        Point.model_validate({"id": "1", "text": "t", "label": label})


def test_a_points_hash_ignores_its_label_and_id_but_not_its_prompt() -> None:
    assert Point(id="1", text="t", label=1).hash == Point(id="2", text="t", label=0, group="g").hash
    assert Point(id="1", text="t", label=1).hash != Point(id="1", text="t", label=1, prompt="p").hash


def test_a_datasets_hash_follows_its_pairs_and_points_but_not_its_notes() -> None:
    plain = Dataset(name="d", pairs=(pair(),))
    assert plain.hash == Dataset(name="e", pairs=(pair(),), notes=("a note",)).hash
    assert plain.hash != Dataset(name="d", pairs=(pair(preferred="b"),)).hash
    assert plain.hash != Dataset(name="d", pairs=(pair(),), points=(Point(id="1", text="t", label=1),)).hash


def test_a_dataset_survives_json() -> None:
    dataset = Dataset(name="d", pairs=(pair(votes=(Vote(preferred="tie", reason="r"),)),), notes=("n",))
    assert Dataset.model_validate_json(dataset.model_dump_json()) == dataset


def test_a_datasets_hash_tells_a_group_from_a_weight() -> None:
    one, other = pair(group="g", weight=11.0), pair(group="g1", weight=1.0)
    assert Dataset(name="d", pairs=(one,)).hash != Dataset(name="d", pairs=(other,)).hash


VOTE = Vote(preferred="a", annotator="ann", reason="clearer")


@pytest.mark.parametrize(
    "fields",
    [
        {"reason": "It gives its reasons."},
        {"confidence": 0.5},
        {"votes": (VOTE,)},
        {"votes": (VOTE, VOTE.model_copy(update={"annotator": "bob"}))},
        {"votes": (VOTE.model_copy(update={"reason": "shorter"}),)},
        {"votes": (VOTE.model_copy(update={"preferred": "b"}),)},
    ],
)
def test_a_datasets_hash_changes_with_what_people_said_of_a_pair(fields: dict[str, object]) -> None:
    told = Dataset(name="d", pairs=(pair(**fields),)).hash
    others = [Dataset(name="d", pairs=(pair(**other),)).hash for other in ({}, {"votes": (VOTE,) * 3})]
    assert told not in others
    assert told == Dataset(name="e", pairs=(pair(**fields),)).hash


def test_a_datasets_hash_does_not_hang_on_ids() -> None:
    assert Dataset(name="d", pairs=(pair(id="1"),)).hash == Dataset(name="d", pairs=(pair(id="2"),)).hash


def test_a_datasets_hash_tells_its_description_from_its_pairs() -> None:
    assert Dataset(name="d", description="x", pairs=()).hash != Dataset(name="d", pairs=()).hash


@pytest.mark.parametrize("fields", [{"group": "\ud800"}, {"a": "\ud800"}])
def test_a_lone_surrogate_does_not_break_a_datasets_hash(fields: dict[str, object]) -> None:
    assert len(Dataset(name="d", description="\ud800", pairs=(pair(**fields),)).hash) == 16
