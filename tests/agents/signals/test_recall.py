"""The bounded memory: works once, keeps order, and forgets rather than grows."""

from __future__ import annotations

from collections.abc import Sequence

from agents.signals.passage import Passage
from agents.signals.recall import Recall


class Counter:
    """Measures lengths and counts how often it was asked."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def all(self, passages: Sequence[Passage]) -> list[int]:
        self.batches.append([p.full_text for p in passages])
        return [len(p.full_text) for p in passages]

    def one(self, passage: Passage) -> int:
        return self.all([passage])[0]


def test_the_same_text_is_worked_out_once() -> None:
    counter, recall = Counter(), Recall[int]()
    assert [recall.one(Passage("abc"), counter.one) for _ in range(3)] == [3, 3, 3]
    assert counter.batches == [["abc"]]


def test_the_prompt_belongs_to_the_key() -> None:
    counter, recall = Counter(), Recall[int]()
    recall.one(Passage("abc"), counter.one)
    recall.one(Passage("abc", "why?"), counter.one)
    assert len(counter.batches) == 2


def test_a_batch_asks_only_for_what_is_missing_and_keeps_the_order() -> None:
    counter, recall = Counter(), Recall[int]()
    recall.one(Passage("bb"), counter.one)
    texts = [Passage("a"), Passage("bb"), Passage("ccc"), Passage("a")]
    assert recall.all(texts, counter.all) == [1, 2, 3, 1]
    assert counter.batches == [["bb"], ["a", "ccc"]]


def test_a_full_memory_forgets_but_still_answers() -> None:
    counter, recall = Counter(), Recall[int](most=2)
    assert recall.all([Passage("a"), Passage("bb"), Passage("ccc")], counter.all) == [1, 2, 3]
    assert len(recall._kept) <= 2
    assert recall.one(Passage("dddd"), counter.one) == 4
    assert len(recall._kept) <= 2


def test_an_empty_batch_asks_nothing() -> None:
    counter = Counter()
    assert Recall[int]().all([], counter.all) == []
    assert counter.batches == []
