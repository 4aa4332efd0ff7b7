"""Critiques and rewrites: what the model is shown of a criterion's mistakes, and what is believed of its answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from made_up import criterion
from made_up_texts import brief, small_index
from writing_model import SECRET, WritingModel, case_of, clear_pairs

from agents.chat.endpoint import Call
from agents.chat.manager import ChatManager
from agents.chat.rewriting import MISTAKES
from agents.chat.text_limit import TextLimit
from agents.manager import Case, Proposal
from agents.pairs import Pair
from knowledge_base.criterion import Criterion

BRIEF = brief()
THOROUGH = replace(BRIEF, thorough=True)
PAIRS = clear_pairs(BRIEF)
PLAIN = criterion("plainness")
WORDED = "The text that uses fewer rare words and shorter sentences is better."


def manager(model: WritingModel, limit: TextLimit | None = None) -> ChatManager:
    return ChatManager(model, None, secret=SECRET, limit=limit)


def rewriting(answer: object) -> WritingModel:
    """A model that answers every request for a rewrite, and every repair of one, like this."""
    text = answer if isinstance(answer, str) else json.dumps(answer)

    def rule(call: Call, blocks: dict[str, str]) -> str | None:
        return text if "accuracy" in blocks else None

    return WritingModel(rule)


def rewritten(answer: object, of: Criterion = PLAIN) -> Criterion | None:
    found = manager(rewriting(answer)).refine(BRIEF, [case_of(of, PAIRS[:2])])[0]
    return found.criterion if found else None


def refined(model: WritingModel, *cases: Case, thorough: bool = False) -> list[Proposal | None]:
    return manager(model).refine(THOROUGH if thorough else BRIEF, list(cases))


# What is shown


@pytest.mark.parametrize("stage", ["critique", "rewrite"])
def test_a_criterion_is_always_shown_with_its_description(stage: str) -> None:
    model = WritingModel()
    refined(model, case_of(PLAIN, PAIRS[:2]))
    (blocks,) = model.asked(stage)
    assert blocks["criterion"] == f"{PLAIN.name}: {PLAIN.description}"


def test_when_it_does_not_apply_is_shown_too() -> None:
    model = WritingModel()
    refined(model, case_of(PLAIN.model_copy(update={"not_when": "Both texts are lists."}), PAIRS[:2]))
    assert all(
        blocks["criterion"].endswith("\nDoes not apply: Both texts are lists.")
        for stage in ("critique", "rewrite")
        for blocks in model.asked(stage)
    )


def test_a_mistake_is_shown_with_both_answers_and_the_reasoning() -> None:
    model = WritingModel()
    refined(model, case_of(PLAIN, PAIRS[:1], "Text A is\nplainer."))
    (blocks,) = model.asked("critique")
    pair = PAIRS[0]
    assert (blocks["mistake 1 a"], blocks["mistake 1 b"], blocks["mistake 1 prompt"]) == (pair.a, pair.b, pair.prompt)
    assert blocks["mistake 1 people"] == pair.preferred
    assert blocks["mistake 1 worker"] == f"{'b' if pair.preferred == 'a' else 'a'}: Text A is plainer."


def test_the_rewrite_sees_every_critique_and_how_the_criterion_did() -> None:
    model = WritingModel()
    refined(model, case_of(PLAIN, PAIRS[:3], accuracy=0.6, right=6, decided=10, asked=13))
    (blocks,) = model.asked("rewrite")
    told = [f"- It rewards a mere sign of the quality, case {i}." for i in (1, 2, 3)]
    assert blocks["critiques"].splitlines() == told
    assert blocks["accuracy"] == "0.60 (right 6, decided 10, asked 13)"


def test_the_clearest_mistakes_share_one_call() -> None:
    model = WritingModel()
    refined(model, case_of(PLAIN, PAIRS[:7]))
    (blocks,) = model.asked("critique")
    assert [blocks[f"mistake {i + 1} a"] for i in range(MISTAKES)] == [p.a for p in PAIRS[:MISTAKES]]
    assert f"mistake {MISTAKES + 1} a" not in blocks


def test_as_published_every_mistake_has_a_call_of_its_own() -> None:
    model = WritingModel()
    refined(model, case_of(PLAIN, PAIRS[:7]), case_of(criterion("order"), PAIRS[:2]), thorough=True)
    assert model.stages == {"critique": 9, "rewrite": 2}
    assert all("mistake 1 a" in b and "mistake 2 a" not in b for b in model.asked("critique"))


def test_otherwise_a_criterion_takes_two_calls() -> None:
    model = WritingModel()
    refined(model, case_of(PLAIN, PAIRS[:7]), case_of(criterion("order"), PAIRS[:2]))
    assert model.stages == {"critique": 2, "rewrite": 2}


def test_mistakes_that_share_a_call_share_the_room_for_texts() -> None:
    long = [Pair(id=str(i), a=f"word{i} " * 4000, b="short", preferred="a") for i in range(4)]
    model = WritingModel()
    manager(model, TextLimit(2000)).refine(BRIEF, [case_of(PLAIN, long)])
    manager(model, TextLimit(2000)).refine(BRIEF, [case_of(PLAIN, long[:1])])
    shared, alone = (blocks["mistake 1 a"] for blocks in model.asked("critique"))
    assert 3 * len(shared) < len(alone)


def test_the_order_of_the_mistakes_changes_no_call() -> None:
    one, other = WritingModel(), WritingModel()
    told = case_of(PLAIN, PAIRS[:6])
    refined(one, told)
    refined(other, replace(told, mistakes=told.mistakes[::-1]))
    assert [c.key for c in one.calls] == [c.key for c in other.calls]


# What is believed


@pytest.mark.parametrize("name", ["Another name", "plainness", "", "x" * 500, None])
def test_a_rewrite_keeps_its_name_whatever_the_model_calls_it(name: str | None) -> None:
    found = rewritten({"name": name, "description": WORDED, "not_when": ""})
    assert found is not None
    assert (found.name, found.description) == (PLAIN.name, WORDED)


def test_a_rewrite_without_a_name_is_read() -> None:
    found = rewritten({"description": WORDED})
    assert found is not None
    assert found.name == PLAIN.name


def test_a_rewrite_keeps_its_domains_and_says_where_it_comes_from() -> None:
    old = criterion("plainness", domains={"answers": 3, "web": 1})
    found = rewritten({"description": WORDED}, old)
    assert found is not None
    assert found.domains == old.domains
    assert (found.provenance.kind, found.provenance.locator) == ("mined", "reworded from: A made-up guideline")


def test_a_rewrite_of_a_rewrite_names_the_first_source() -> None:
    first = rewritten({"description": WORDED})
    assert first is not None
    second = rewritten({"description": f"Counting names out: {WORDED}"}, first)
    assert second is not None
    assert second.provenance == first.provenance


def test_an_expression_is_left_behind() -> None:
    old = criterion("plainness", "rare_word_share", "lower", 0.1)
    found = rewritten({"description": WORDED}, old)
    assert found is not None
    assert (found.expression, found.margin, found.direction) == ("", 0.0, "higher")


def test_a_condition_that_is_not_mentioned_stays() -> None:
    old = PLAIN.model_copy(update={"not_when": "Both texts are lists."})
    kept, dropped = rewritten({"description": WORDED}, old), rewritten({"description": WORDED, "not_when": ""}, old)
    assert kept is not None
    assert dropped is not None
    assert (kept.not_when, dropped.not_when) == ("Both texts are lists.", "")


@pytest.mark.parametrize("turned", [str, str.upper, lambda text: f"  {text.replace(' ', '  ')} "])
def test_the_same_words_again_are_no_rewrite(turned: Callable[[str], str]) -> None:
    assert rewritten({"name": "New", "description": turned(PLAIN.description), "not_when": ""}) is None


@pytest.mark.parametrize(
    "reply",
    ["no JSON", "", '{"name": "plainness"}', {"description": "Too short."}, {"description": "word " * 400}, [WORDED]],
)
def test_a_reply_that_makes_no_criterion_leaves_the_old_one(reply: object) -> None:
    told = rewriting(reply)
    refiner = manager(told)
    assert refiner.refine(BRIEF, [case_of(PLAIN, PAIRS[:2])]) == [None]
    assert refiner.notes


def test_one_unreadable_rewrite_leaves_the_others_alone() -> None:
    def rule(call: Call, blocks: dict[str, str]) -> str | None:
        return "no JSON" if "accuracy" in blocks and blocks["criterion"].startswith("plainness") else None

    found = refined(WritingModel(rule), case_of(PLAIN, PAIRS[:2]), case_of(criterion("order"), PAIRS[:2]))
    assert [p and p.criterion.name for p in found] == [None, "order"]


def test_a_criterion_that_made_no_mistake_costs_no_call() -> None:
    model = WritingModel()
    assert refined(model, case_of(PLAIN)) == [None]
    assert not model.calls


def test_a_criterion_that_often_abstains_is_reworded_even_without_mistakes() -> None:
    model = WritingModel()
    found = refined(model, case_of(PLAIN, abstained=9, decided=3, right=3))
    assert model.stages == {"rewrite": 1}
    assert found[0] is not None


def test_unreadable_critiques_leave_the_criterion() -> None:
    silent = WritingModel(lambda call, blocks: "no JSON" if "mistake 1 a" in blocks else None)
    assert refined(silent, case_of(PLAIN, PAIRS[:2])) == [None]
    assert not silent.stages["rewrite"]


def test_critiques_beyond_the_mistakes_are_not_believed() -> None:
    said = json.dumps({"critiques": ["First.", "Second.", "Third.", ""]})
    model = WritingModel(lambda call, _: said if call.stage == "critique" else None)
    refined(model, case_of(PLAIN, PAIRS[:2]))
    assert model.asked("rewrite")[0]["critiques"] == "- First.\n- Second."


def test_criteria_of_the_base_can_be_reworded() -> None:
    prior = [c for c in small_index().criteria if c.programmatic][:3]
    found = refined(WritingModel(), *(case_of(c, PAIRS[:2]) for c in prior))
    assert [p and p.criterion.name for p in found] == [c.name for c in prior]
    assert all(p and p.origin == "rewrite" and not p.criterion.expression for p in found)
