"""The chat manager keeps the promises of every manager, and proposes from the knowledge base and from the model."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from made_up import criterion
from made_up_texts import answer_pair, brief, small_index
from manager_conformance import ManagerConformance, ManagerWorld
from writing_model import SECRET, CountingJudge, WritingModel, case_of, clear_pairs, explanation_of, written_pool

from agents.chat.manager import QUERIES, ChatManager
from agents.chat.proposing import HANDFUL
from agents.chat.text_limit import TextLimit
from agents.judge import Judge
from agents.manager import Manager
from agents.pairs import Pair
from knowledge_base.errors import InputError
from knowledge_base.index import Index

BRIEF = brief()
THOROUGH = replace(BRIEF, thorough=True)
CARE = {
    "name": "Care for the reader",
    "description": "Whether a text foresees what its reader may not know. The text that explains more of it is better.",
}


class ChatWorld:
    """Chat managers over a small catalogue, with a model that writes by rule."""

    brief = BRIEF
    sealed: Sequence[Pair] = tuple(map(answer_pair, range(40, 46)))

    def manager(self) -> Manager:
        return chat_manager()

    def judge(self) -> Judge:
        return CountingJudge()


class TestChatManager(ManagerConformance):
    """See `ManagerConformance`."""

    @pytest.fixture
    def world(self) -> ManagerWorld:
        return ChatWorld()


class ThoroughWorld(ChatWorld):
    """The same, by the published procedure, which calls for nothing of the knowledge base."""

    brief = THOROUGH


class TestThoroughChatManager(ManagerConformance):
    """See `ManagerConformance`."""

    @pytest.fixture
    def world(self) -> ManagerWorld:
        return ThoroughWorld()

    def test_the_order_of_the_pairs_does_not_change_the_seeds(self, world: ManagerWorld) -> None:
        turned = replace(world.brief, pairs=world.brief.pairs[::-1])
        assert world.manager().seed(world.brief, 8) == world.manager().seed(turned, 8)


class BareWorld(ChatWorld):
    """The same, without a knowledge base."""

    def manager(self) -> Manager:
        return ChatManager(WritingModel(), None, secret=SECRET)


class TestChatManagerWithoutBase(ManagerConformance):
    """See `ManagerConformance`."""

    @pytest.fixture
    def world(self) -> ManagerWorld:
        return BareWorld()


def chat_manager(model: WritingModel | None = None, share: float = 0.6) -> ChatManager:
    return ChatManager(model or WritingModel(), small_index(), secret=SECRET, share_from_base=share)


def bare(model: WritingModel) -> ChatManager:
    return ChatManager(model, None, secret=SECRET)


def names(lines: str) -> list[str]:
    return re.findall(r"^- (.+?): ", lines, re.MULTILINE)


# Where seeds come from


@pytest.mark.parametrize(("n", "from_base"), [(10, 6), (1, 1), (5, 3)])
def test_the_knowledge_base_fills_its_share_and_the_model_the_rest(n: int, from_base: int) -> None:
    origins = [p.origin for p in chat_manager().seed(BRIEF, n)]
    assert origins == ["knowledge base"] * from_base + ["manager"] * (n - from_base)


def test_without_a_knowledge_base_the_model_writes_everything() -> None:
    assert [p.origin for p in bare(WritingModel()).seed(BRIEF, 7)] == ["manager"] * 7


def test_a_share_of_nothing_leaves_everything_to_the_model() -> None:
    assert {p.origin for p in chat_manager(share=0.0).seed(BRIEF, 5)} == {"manager"}


def test_a_share_of_everything_asks_the_model_for_no_criterion() -> None:
    model = WritingModel()
    assert {p.origin for p in chat_manager(model, share=1.0).seed(BRIEF, 5)} == {"knowledge base"}
    assert not model.stages["propose"]


def test_prior_criteria_in_words_only_are_proposed_too() -> None:
    index = Index.build([criterion("words only")])
    found = ChatManager(WritingModel(), index, secret=SECRET, share_from_base=1.0).seed(BRIEF, 1)
    assert [(p.criterion.name, p.origin) for p in found] == [("words only", "knowledge base")]


def test_where_the_model_writes_nothing_the_knowledge_base_fills_in() -> None:
    silent = WritingModel(lambda call, _: "no JSON" if call.stage in ("propose", "repair") else None)
    found = chat_manager(silent).seed(BRIEF, 10)
    assert [p.origin for p in found] == ["knowledge base"] * 10


def test_the_whole_base_is_offered_for_screening() -> None:
    assert chat_manager().base(BRIEF) == list(small_index().criteria)
    assert bare(WritingModel()).base(BRIEF) == []


def test_written_criteria_say_who_wrote_them_and_are_alike_in_every_run() -> None:
    found = bare(WritingModel()).seed(BRIEF, 3)
    assert {(p.criterion.provenance.kind, p.criterion.provenance.year) for p in found} == {("mined", 2026)}
    assert all("made-up:writer" in p.criterion.provenance.source for p in found)
    assert all(p.criterion.domains == {"answers": 1} and not p.criterion.expression for p in found)


def test_the_most_probable_come_first() -> None:
    pool = [CARE | {"probability": 0.2}, written_pool()[0] | {"probability": 0.9}]
    found = bare(WritingModel(pool=pool)).seed(BRIEF, 2)
    assert [p.criterion.name for p in found] == [written_pool()[0]["name"], CARE["name"]]
    assert "probability 0.90" in found[0].why


# How the model is asked


def test_a_sample_is_asked_for_by_the_handful_from_different_explanations() -> None:
    model = WritingModel()
    bare(model).seed(BRIEF, 10)
    asked = model.asked("propose")
    assert len(asked) >= 2
    assert all(int(blocks["number"]) <= HANDFUL for blocks in asked)
    assert len({blocks["explanations"] for blocks in asked}) == len(asked)


def test_the_calls_of_a_wave_see_all_explanations_between_them() -> None:
    model = WritingModel()
    bare(model).seed(BRIEF, 10)
    seen = {line for blocks in model.asked("propose") for line in blocks["explanations"].splitlines()}
    assert seen == {f"- {explanation_of(blocks)}" for blocks in model.asked("explain")}


def test_what_is_taken_from_the_base_is_listed_with_its_description() -> None:
    model = WritingModel()
    found = chat_manager(model).seed(BRIEF, 5)
    prior = [p.criterion for p in found if p.origin == "knowledge base"]
    taken = model.asked("propose")[0]["taken"]
    assert names(taken) == [c.name for c in prior]
    assert all(c.description.split(".")[0][:60] in taken for c in prior)


def test_another_seed_asks_for_another_sample() -> None:
    one, other = WritingModel(), WritingModel()
    bare(one).seed(BRIEF, 4)
    bare(other).seed(replace(BRIEF, seed=8), 4)
    assert not {c.key for c in one.calls} & {c.key for c in other.calls}


@pytest.mark.parametrize("seed", [-1, 2**40])
def test_any_seed_becomes_a_sample_that_endpoints_take(seed: int) -> None:
    model = WritingModel()
    bare(model).seed(replace(BRIEF, seed=seed), 2)
    assert all(0 <= call.sample < 2**31 for call in model.calls)


def test_pairs_that_all_tie_teach_nothing_and_raise_nothing() -> None:
    tied = replace(BRIEF, pairs=tuple(p.model_copy(update={"preferred": "tie"}) for p in BRIEF.pairs))
    model = WritingModel()
    assert len(chat_manager(model).seed(tied, 5)) == 5
    assert not model.stages["explain"]


def test_a_brief_without_pairs_or_description_still_gives_criteria() -> None:
    assert len(bare(WritingModel()).seed(replace(BRIEF, pairs=(), description=""), 3)) == 3


def test_nothing_wanted_is_nothing_asked() -> None:
    model = WritingModel()
    assert bare(model).seed(BRIEF, 0) == []
    assert bare(model).replace(BRIEF, [], [], [], 0) == []
    assert not model.calls


# As published


def test_as_published_all_criteria_come_from_one_call_and_none_by_retrieval() -> None:
    model = WritingModel()
    found = chat_manager(model).seed(THOROUGH, 12)
    assert [p.origin for p in found] == ["manager"] * 12
    assert model.stages["propose"] == 1
    assert model.asked("propose")[0]["number"] == "12"


def test_as_published_no_probability_is_asked_for() -> None:
    model = WritingModel()
    bare(model).seed(THOROUGH, 3)
    call = next(c for c in model.calls if c.stage == "propose")
    assert not [m for m in call.messages if "probab" in m.content]


def test_as_published_the_order_of_the_reply_stands() -> None:
    found = bare(WritingModel(pool=[CARE | {"probability": 0.2}, *written_pool()])).seed(THOROUGH, 2)
    assert found[0].criterion.name == CARE["name"]


def test_as_published_an_unreadable_reply_is_asked_for_again() -> None:
    first: list[str] = []

    def spoilt(call: object, blocks: dict[str, str]) -> str | None:
        if "number" in blocks and len(first) < 3:
            first.append("spoilt")
            return "no JSON"
        return None

    assert len(bare(WritingModel(spoilt)).seed(THOROUGH, 4)) == 4


def test_as_published_failures_are_replaced_without_critiques() -> None:
    model = WritingModel()
    bare(model).replace(THOROUGH, [], [case_of(criterion("poor"), clear_pairs(BRIEF)[:5])], [], 3)
    assert not model.stages["critique"]
    assert model.stages["propose"] == 1


# Replacement


def test_the_failures_mistakes_are_critiqued_and_told_to_the_model() -> None:
    model = WritingModel()
    failed = case_of(criterion("poor"), clear_pairs(BRIEF)[:6])
    chat_manager(model).replace(BRIEF, [], [failed], [failed.criterion], 5)
    assert model.stages["critique"] == 1
    told = model.asked("propose")[0]["failures"]
    assert told.startswith("- poor: It rewards a mere sign")


def test_only_the_worst_failures_are_looked_at() -> None:
    model = WritingModel()
    failed = [case_of(criterion(f"poor {i}"), clear_pairs(BRIEF)[: 1 + i % 3]) for i in range(10)]
    bare(model).replace(BRIEF, [], failed, [], 3)
    assert model.stages["critique"] == 6
    assert "mistake 2 a" in model.asked("critique")[0]


def test_the_order_of_the_failures_changes_nothing() -> None:
    failed = [case_of(criterion(f"poor {i}"), clear_pairs(BRIEF)[:2]) for i in range(4)]
    one = chat_manager().replace(BRIEF, [], failed, [], 5)
    assert one == chat_manager().replace(BRIEF, [], failed[::-1], [], 5)


def test_what_is_kept_is_listed_as_taken() -> None:
    model = WritingModel()
    kept = [criterion("kept one"), criterion("kept two")]
    bare(model).replace(BRIEF, kept, [], [], 2)
    assert names(model.asked("propose")[0]["taken"]) == ["kept one", "kept two"]


def test_the_critiques_lead_the_search_of_the_base() -> None:
    failed = case_of(criterion("poor"), clear_pairs(BRIEF)[:1])

    def told(critique: str) -> list[str]:
        said = json.dumps({"critiques": [critique]})
        model = WritingModel(lambda call, _: said if call.stage == "critique" else None)
        return [p.criterion.name for p in chat_manager(model, 1.0).replace(BRIEF, [], [failed], [], 5)]

    assert told("Spelling and punctuation are what people looked at.") != told("Code should handle errors and inputs.")


# Set up


def test_the_fingerprint_follows_everything_that_changes_a_proposal() -> None:
    model = WritingModel()
    made = [
        bare(model),
        chat_manager(model),
        chat_manager(model, share=0.5),
        ChatManager(model, None, secret=SECRET, language="zh"),
        ChatManager(model, None, secret=SECRET, limit=TextLimit(100)),
    ]
    assert len({m.fingerprint for m in made}) == len(made)
    assert all(m.fingerprint.startswith("chat-manager/made-up:writer/1/") for m in made)


def test_the_secret_and_the_number_in_flight_are_not_part_of_the_fingerprint() -> None:
    one = ChatManager(WritingModel(), None, secret=b"one", in_flight=1)
    assert one.fingerprint == ChatManager(WritingModel(), None, secret=b"two", in_flight=9).fingerprint


def test_a_language_without_prompts_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(InputError, match="'xx'"):
        ChatManager(WritingModel(), None, secret=SECRET, language="xx")


@pytest.mark.parametrize(("in_flight", "share"), [(0, 0.5), (4, -0.1), (4, 1.5)])
def test_settings_that_make_no_sense_are_refused(in_flight: int, share: float) -> None:
    with pytest.raises(InputError, match="in flight"):
        ChatManager(WritingModel(), None, secret=SECRET, in_flight=in_flight, share_from_base=share)


def test_fewer_pairs_than_queries_are_enough() -> None:
    few = replace(BRIEF, pairs=BRIEF.pairs[:2])
    assert len(few.pairs) < QUERIES
    assert len(chat_manager().seed(few, 4)) == 4
