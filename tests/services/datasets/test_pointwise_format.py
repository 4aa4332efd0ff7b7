"""Labelled texts stay points and become pairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.pairs import Pair, Point
from agents.splitting import split, units_of
from knowledge_base.errors import InputError
from services.datasets import FaultyRows, read_dataset
from services.datasets.points import MEETINGS, pairs_of

Write = Callable[[list[dict[str, object]]], Path]


def rows(good: int, poor: int, **more: object) -> list[dict[str, object]]:
    labels = [1] * good + [0] * poor
    return [{"text": f"text {i} {sorted(more.items())}", "label": label, **more} for i, label in enumerate(labels)]


def points(good: int, poor: int) -> list[Point]:
    labels = [1] * good + [0] * poor
    return [Point.model_validate({"id": str(i), "text": f"text {i}", "label": x}) for i, x in enumerate(labels)]


def uses(pairs: tuple[Pair, ...]) -> Counter[str]:
    return Counter(text for pair in pairs for text in (pair.a, pair.b))


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_dataset(path)
    return str(caught.value)


@pytest.mark.parametrize("writer", ["jsonl", "table", "parquet"])
def test_points_are_kept_and_paired(writer: str, request: pytest.FixtureRequest) -> None:
    reading = read_dataset(request.getfixturevalue(writer)(rows(6, 6)))
    labels = {point.text: point.label for point in reading.dataset.points}
    assert reading.format == "pointwise"
    assert len(labels) == 12
    for pair in reading.dataset.pairs:
        better, worse = (pair.a, pair.b) if pair.preferred == "a" else (pair.b, pair.a)
        assert (labels[better], labels[worse]) == (1, 0)
    assert reading.notes == ("18 pairs were made from 12 of 12 labelled texts",)


@given(st.integers(1, 40), st.integers(1, 40))
def test_no_text_stands_in_more_pairs_than_allowed_and_the_rarer_label_is_used_up(good: int, poor: int) -> None:
    pairs = pairs_of(points(good, poor), limit=10_000)
    assert max(uses(pairs).values()) <= MEETINGS
    rarer = {str(p.text) for p in points(good, poor) if p.label == (1 if good <= poor else 0)}
    assert rarer <= set(uses(pairs))
    assert len({pair.hash for pair in pairs}) == len({pair.id for pair in pairs}) == len(pairs)


@given(st.integers(1, 40), st.integers(1, 40))
def test_texts_that_meet_stay_in_small_units(good: int, poor: int) -> None:
    pairs = pairs_of(points(good, poor), limit=10_000)
    assert max(map(len, units_of(pairs))) <= MEETINGS**2


@given(st.randoms(use_true_random=False))
def test_the_order_of_the_texts_does_not_matter(rng: object) -> None:
    given_points = points(9, 14)
    shuffled = list(given_points)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random, typed as object by the strategy
    assert pairs_of(shuffled, limit=1000) == pairs_of(given_points, limit=1000)


def test_the_better_text_stands_on_both_sides() -> None:
    wins = Counter(pair.preferred for pair in pairs_of(points(60, 60), limit=1000))
    assert 60 < wins["a"] < 120


def test_enough_points_can_be_sealed(jsonl: Write) -> None:
    pairs = read_dataset(jsonl(rows(40, 40))).dataset.pairs
    result = split(pairs)
    assert (result.mode, result.note) == ("sealed", "")


def test_a_tight_limit_makes_fewer_pairs() -> None:
    assert len(pairs_of(points(10, 10), limit=20)) == 20
    assert max(uses(pairs_of(points(10, 10), limit=20)).values()) == 2


def test_texts_meet_only_under_their_prompt_and_group(jsonl: Write) -> None:
    given_rows = rows(3, 3, prompt="p", group="g") + rows(3, 3, prompt="q", group="g") + rows(2, 2, group="h")
    reading = read_dataset(jsonl(given_rows))
    prompt_of = {point.text: (point.prompt, point.group) for point in reading.dataset.points}
    assert {(p.prompt, p.group) for p in reading.dataset.pairs} == {("p", "g"), ("q", "g"), ("", "h")}
    for pair in reading.dataset.pairs:
        assert prompt_of[pair.a] == prompt_of[pair.b] == (pair.prompt, pair.group)


def test_texts_without_a_partner_are_counted(jsonl: Write) -> None:
    reading = read_dataset(jsonl(rows(2, 2, prompt="p") + rows(3, 0, prompt="q")))
    assert reading.notes[-1] == "4 pairs were made from 4 of 7 labelled texts"
    assert len(reading.dataset.points) == 7


@pytest.mark.parametrize("label", [0, 1])
def test_one_label_only_is_refused(jsonl: Write, label: int) -> None:
    found = refusal(jsonl([{"text": f"t{i}", "label": label} for i in range(4)]))
    assert found == f'pairs.jsonl: every "label" is {label}, so nothing can be compared; give texts of both labels'


def test_prompts_that_never_have_both_labels_are_refused(jsonl: Write) -> None:
    assert "no prompt and group has texts of both labels" in refusal(
        jsonl([{"text": f"t{i}", "label": i % 2, "prompt": f"p{i}"} for i in range(4)])
    )


def test_repeated_and_contradicted_texts_are_settled_and_counted(jsonl: Write) -> None:
    given_rows = rows(2, 2)
    more = [{"text": "m", "label": 1}, {"text": "m", "label": 1}, {"text": "m", "label": 0}]
    even = [{"text": "e", "label": 1}, {"text": "e", "label": 0}]
    reading = read_dataset(jsonl([*given_rows, *more, *even]))
    labels = {point.text: point.label for point in reading.dataset.points}
    assert labels["m"] == 1
    assert "e" not in labels
    assert reading.notes[:3] == (
        "3 rows repeat an earlier text and were merged with it",
        "1 texts have rows that contradict each other; the majority's label was kept",
        "1 texts are labelled 0 as often as 1 and were left out",
    )


def test_nothing_but_contradictions_is_refused(jsonl: Write) -> None:
    assert "labelled both 0 and 1" in refusal(jsonl([{"text": "e", "label": 1}, {"text": "e", "label": 0}]))


@pytest.mark.parametrize("label", [2, "1", True, 1.0, None, "good"])
def test_labels_are_the_numbers_0_and_1(jsonl: Write, label: object) -> None:
    with pytest.raises(FaultyRows, match=r'"label" is .*; use 0 or 1'):
        read_dataset(jsonl([{"text": "t", "label": label}]))


@pytest.mark.parametrize("label", ["2", "1.0", " 1", "true", ""])
def test_labels_in_csv_are_the_digits_0_and_1(table: Write, label: str) -> None:
    with pytest.raises(FaultyRows, match=r'"label" is .*; use 0 or 1'):
        read_dataset(table([{"text": "t", "label": label}]))


def test_an_id_for_two_texts_is_a_fault(jsonl: Write) -> None:
    with pytest.raises(FaultyRows, match=r'pairs.jsonl:2: "id" is "1" again, for another text'):
        read_dataset(jsonl([{"id": 1, "text": "t", "label": 1}, {"id": 1, "text": "u", "label": 0}]))


def test_ids_that_hold_the_joining_mark_do_not_collide() -> None:
    labelled = [("x~y", 1), ("z", 0), ("x", 1), ("y~z", 0)]
    made = pairs_of([Point.model_validate({"id": i, "text": i, "label": x}) for i, x in labelled], limit=100)
    assert len({pair.id for pair in made}) == len(made) == 4
