"""One prompt with all criteria, one verdict a pair: the baseline that voting is compared with."""

from __future__ import annotations

import asyncio

import pytest
from judge_conformance import text_pair
from made_up import criterion
from made_up_model import MadeUpModel, always, blocks_of

from agents.chat.endpoint import Call
from agents.chat.overall import OverallJudge
from agents.judgments import Judgment
from agents.pairs import Pair
from knowledge_base.criterion import Criterion
from knowledge_base.errors import BudgetSpent, InputError

CRITERIA = [criterion(f"criterion {i}") for i in range(4)]
PAIRS = [text_pair(f"Left {i}.", f"Right {i}.") for i in range(12)]


def verdicts(model: MadeUpModel, pairs: list[Pair] = PAIRS, criteria: list[Criterion] = CRITERIA) -> list[Judgment]:
    return asyncio.run(OverallJudge(model, secret=b"known to no text", in_flight=5).verdicts(pairs, criteria))


def test_every_pair_gets_one_verdict_in_the_order_of_the_pairs() -> None:
    model = MadeUpModel(seconds=0.001)
    judge = OverallJudge(model, secret=b"known to no text")
    assert [j.key for j in verdicts(model)] == [judge.ask_of(pair, CRITERIA).key for pair in PAIRS]
    assert (len(model.calls), model.most) == (12, 5)


def test_all_criteria_are_shown_at_once() -> None:
    model = MadeUpModel()
    verdicts(model)
    for call in model.calls:
        assert blocks_of(call)["criteria"].splitlines() == [f"- {c.words}" for c in CRITERIA]


def test_about_half_of_the_pairs_are_shown_the_other_way_round_and_read_back() -> None:
    model = MadeUpModel(always("A"))
    found = verdicts(model)
    shown = {blocks_of(call)["a"] for call in model.calls}
    for pair, judgment in zip(PAIRS, found, strict=True):
        assert judgment.verdict == ("A" if pair.a in shown else "B")
    assert {j.verdict for j in found} == {"A", "B"}


def test_other_criteria_are_another_question() -> None:
    keys = [{j.key for j in verdicts(MadeUpModel(), criteria=some)} for some in (CRITERIA, CRITERIA[:3])]
    assert not keys[0] & keys[1]


def test_a_reply_that_cannot_be_read_is_invalid() -> None:
    assert {j.status for j in verdicts(MadeUpModel(lambda call: "A"))} == {"invalid"}


def test_a_spent_budget_is_raised() -> None:
    def says(call: Call) -> str:
        raise BudgetSpent("no calls left")

    with pytest.raises(BudgetSpent):
        verdicts(MadeUpModel(says))


def test_no_criteria_make_no_verdict() -> None:
    with pytest.raises(InputError, match="needs criteria"):
        verdicts(MadeUpModel(), criteria=[])
    with pytest.raises(InputError, match="in_flight"):
        OverallJudge(MadeUpModel(), secret=b"s", in_flight=0)


def test_no_pairs_cost_no_calls() -> None:
    model = MadeUpModel()
    assert verdicts(model, pairs=[]) == []
    assert model.calls == []
