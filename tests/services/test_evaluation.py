from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence

import numpy as np
import pytest
from letter_parties import LetterJudge, letter_criterion, letter_dataset, letter_judgment

from agents.assessment import assess
from agents.criteria_set import CriteriaSet, Lineage, Member
from agents.judge import Question
from agents.judgments import Ask, Judgment
from agents.pairs import Dataset, Pair
from agents.panel import Panel, seat_of
from agents.votes import tally
from knowledge_base.criterion import Criterion
from knowledge_base.errors import InputError
from services.evaluation import Evaluation, evaluate

PAIRS = Dataset(
    name="four",
    pairs=(
        Pair(id="1", a="eee", b="aaa", preferred="a"),
        Pair(id="2", a="aea", b="eea", preferred="a"),
        Pair(id="3", a="bbb", b="ccc", preferred="b"),
        Pair(id="4", a="ea", b="e", preferred="tie"),
        Pair(id="5", a="x", b="xe", preferred="b"),
    ),
)


def criteria_set(*weighted: tuple[Criterion, float], dataset: str = "") -> CriteriaSet:
    empty = np.empty(0, dtype=np.int8)
    members = [Member(criterion=c, weight=w, mining=assess(tally([c.hash], [], []), empty)[0]) for c, w in weighted]
    lineage = Lineage(
        dataset=dataset, pairs=3, judge="letters/1", manager="m", policy="paper", rounds=1, size=2, seed=0
    )
    return CriteriaSet(members=tuple(members), method="paper", lineage=lineage)


class FickleJudge(LetterJudge):
    """Says the first text shown is better, whatever it is, for pairs that hold an x."""

    symmetric = False

    async def answer(self, questions: Sequence[Question]) -> AsyncIterator[Judgment]:
        for ask, criterion, pair in questions:
            if "x" in pair.a + pair.b:
                yield Judgment(key=ask.key, status="decided", verdict="A" if ask.order == "ab" else "B")
            else:
                yield letter_judgment(ask.key, criterion.name.removeprefix("Letters "), pair)


def alone(judge: LetterJudge) -> tuple[tuple[LetterJudge], Panel]:
    """A judge as a panel of its own."""
    return (judge,), Panel(seats=(seat_of(judge),))


@pytest.fixture
def found() -> Evaluation:
    return evaluate(
        criteria_set((letter_criterion("e"), 2.0), (letter_criterion("a"), 0.5)), PAIRS, *alone(LetterJudge())
    )


def test_ties_are_left_out_and_counted(found):
    assert (found.weighted.n, found.weighted.ties) == (4, 1)
    assert [c.here.ties for c in found.criteria] == [1, 1]


def test_each_criterion_is_counted_by_itself(found):
    by_e, by_a = (c.here for c in found.criteria)
    assert (by_e.right, by_e.decided, by_e.asked) == (2, 3, 4)
    assert (by_a.right, by_a.decided, by_a.asked) == (1, 2, 4)
    assert by_e.coverage == 0.75
    assert [c.name for c in found.criteria] == ["Letters e", "Letters a"]
    assert [c.weight for c in found.criteria] == [2.0, 0.5]


def test_the_weighted_vote_and_the_majority_stand_beside_each_other(found):
    assert (found.weighted.right, found.weighted.decided) == (2, 3)
    assert (found.majority.right, found.majority.decided) == (1, 1)
    assert found.weighted.kind == found.majority.kind == "test"
    assert found.weighted.low < found.weighted.accuracy < found.weighted.high


def test_pairs_that_a_set_was_mined_from_are_called_so():
    mined = evaluate(criteria_set((letter_criterion("e"), 1.0), dataset=PAIRS.hash), PAIRS, *alone(LetterJudge()))
    assert mined.weighted.kind == "mining"
    assert any("flatters" in note for note in mined.notes)


def test_a_judge_that_is_not_symmetric_is_asked_in_both_orders_and_its_flips_are_told():
    found = evaluate(criteria_set((letter_criterion("e"), 1.0)), PAIRS, *alone(FickleJudge()))
    (criterion,) = found.criteria
    assert criterion.here.flip_rate == pytest.approx(1 / 3), "of the pairs that were shown twice"
    assert criterion.here.decided == 2


def test_criteria_that_the_judge_cannot_judge_are_left_out_by_name():
    other = Criterion(
        name="Beauty", description="The more beautiful text is better.", provenance=letter_criterion("e").provenance
    )
    found = evaluate(criteria_set((letter_criterion("e"), 1.0), (other, 9.0)), PAIRS, *alone(LetterJudge()))
    assert found.left_out == ("Beauty",)
    assert [c.name for c in found.criteria] == ["Letters e"]
    with pytest.raises(InputError, match="can judge by none of these criteria"):
        evaluate(criteria_set((other, 1.0)), PAIRS, *alone(LetterJudge()))


def test_another_judge_than_the_set_was_mined_with_is_noted():
    found = evaluate(criteria_set((letter_criterion("e"), 1.0)), PAIRS, *alone(LetterJudge("letters/2")))
    assert any("mined with another judge (letters/1)" in note for note in found.notes)


def test_notes_of_the_file_are_kept():
    noted = PAIRS.model_copy(update={"notes": ("two rows were merged",)})
    assert (
        "two rows were merged"
        in evaluate(criteria_set((letter_criterion("e"), 1.0)), noted, *alone(LetterJudge())).notes
    )


def test_an_evaluation_is_the_same_each_time_and_goes_through_json():
    chosen = criteria_set((letter_criterion("e"), 1.0), (letter_criterion("t"), 1.0))
    one, other = (evaluate(chosen, letter_dataset(30), *alone(LetterJudge())) for _ in range(2))
    assert one == other == Evaluation.model_validate(json.loads(one.model_dump_json()))
    assert 1.0 <= one.effective_votes <= 2.0


class Notebook:
    """Answers that outlive an evaluation."""

    def __init__(self) -> None:
        self.kept: dict[str, Judgment] = {}

    def known(self, asks: Sequence[Ask]) -> dict[str, Judgment]:
        return {a.key: self.kept[a.key] for a in asks if a.key in self.kept}

    def keep(self, answers: Sequence[tuple[Ask, Judgment]]) -> None:
        assert not {a.key for a, _ in answers} & self.kept.keys()
        self.kept.update({a.key: j for a, j in answers})


class DumbJudge(FickleJudge):
    """Must not be asked."""

    async def answer(self, questions: Sequence[Question]) -> AsyncIterator[Judgment]:
        raise AssertionError(f"asked {len(questions)} questions")
        yield


def test_what_was_answered_before_is_not_asked_again():
    chosen, notebook = criteria_set((letter_criterion("e"), 1.0)), Notebook()
    first = evaluate(chosen, PAIRS, *alone(FickleJudge()), notebook)
    assert notebook.kept
    assert evaluate(chosen, PAIRS, *alone(DumbJudge()), notebook) == first


def test_the_other_order_is_shown_only_after_a_decision():
    notebook = Notebook()
    evaluate(criteria_set((letter_criterion("q"), 1.0)), PAIRS, *alone(FickleJudge()), notebook)
    with_x = [p for p in PAIRS.pairs if "x" in p.a + p.b]
    assert len(notebook.kept) == len(PAIRS.pairs) + len(with_x)
