"""What becomes of the criteria that a model writes: what is new is let through, one by one, whatever else it wrote."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import pytest
from made_up import criterion
from made_up_texts import brief, small_index
from writing_model import SECRET, WritingModel, case_of, written_pool

from agents.chat.drafts import Draft, LikelyDraft, criterion_of
from agents.chat.manager import ChatManager
from agents.chat.proposing import MOST_BANNED
from knowledge_base.criterion import Criterion
from knowledge_base.embedding import embed
from knowledge_base.entries import load_catalogue
from knowledge_base.retrieval import SAME_MEANING

BRIEF = brief()
CARE = {
    "name": "Care for the reader",
    "description": "Whether a text foresees what its reader may not know. The text that explains more of it is better.",
}


def chat_manager() -> ChatManager:
    return ChatManager(WritingModel(), small_index(), secret=SECRET)


def bare(model: WritingModel) -> ChatManager:
    return ChatManager(model, None, secret=SECRET)


def closest(found: Criterion, others: Sequence[Criterion]) -> float:
    return float((embed([c.words for c in others]) @ embed([found.words])[0]).max())


def names(lines: str) -> list[str]:
    return re.findall(r"^- (.+?): ", lines, re.MULTILINE)


# What is not proposed again


def test_what_means_the_same_as_a_banned_criterion_is_dropped_whatever_its_name() -> None:
    banned = criterion("anything").model_copy(update=CARE)
    reworded = {"name": "The reader cared for", "description": CARE["description"].replace("Whether", "If")}
    assert closest(Criterion.model_validate(banned.model_dump() | reworded), [banned]) >= SAME_MEANING
    found = bare(WritingModel(pool=[reworded, written_pool()[0]])).replace(BRIEF, [], [], [banned], 2)
    assert [p.criterion.name for p in found] == [written_pool()[0]["name"]]


def test_what_failed_is_not_proposed_again_even_before_it_is_banned() -> None:
    failed = criterion("anything").model_copy(update=CARE)
    found = bare(WritingModel(pool=[CARE, written_pool()[0]])).replace(BRIEF, [], [case_of(failed)], [], 2)
    assert [p.criterion.name for p in found] == [written_pool()[0]["name"]]


def test_a_banned_criterion_is_not_retrieved_either() -> None:
    first = chat_manager().seed(BRIEF, 6)
    banned = [p.criterion for p in first]
    found = chat_manager().replace(BRIEF, [], [], banned, 6)
    assert all(closest(p.criterion, banned) < SAME_MEANING for p in found)


def test_two_criteria_of_one_meaning_in_one_reply_count_once() -> None:
    again = CARE | {"name": "Care for readers"}
    assert len(bare(WritingModel(pool=[CARE, again])).seed(BRIEF, 2)) == 1


def test_a_name_that_means_something_else_is_numbered() -> None:
    other = written_pool()[5] | {"name": "care for the  READER"}
    found = bare(WritingModel(pool=[CARE | {"probability": 1.0}, other])).seed(BRIEF, 2)
    assert [p.criterion.name for p in found] == ["Care for the reader", "care for the READER (2)"]


def test_a_numbered_name_stays_within_bounds() -> None:
    long = {"name": "n" * 80}
    pool = [CARE | long, written_pool()[5] | long]
    assert [len(p.criterion.name) <= 80 for p in bare(WritingModel(pool=pool)).seed(BRIEF, 2)] == [True, True]


def test_names_of_all_proposals_differ() -> None:
    found = [p.criterion.name.casefold() for p in chat_manager().seed(BRIEF, 20)]
    assert len(set(found)) == len(found) == 20


def test_only_the_latest_of_many_bans_are_listed() -> None:
    banned = list(load_catalogue()[: MOST_BANNED + 20])
    model = WritingModel()
    bare(model).replace(BRIEF, [], [], banned, 2)
    assert names(model.asked("propose")[0]["banned"]) == [" ".join(c.name.split()) for c in banned[-MOST_BANNED:]]


def test_a_model_with_nothing_new_to_say_is_not_asked_for_ever() -> None:
    model = WritingModel(pool=[CARE])
    assert len(bare(model).seed(BRIEF, 20)) == 1
    assert len(model.asked("propose")) < 20


# Criteria that are none


@pytest.mark.parametrize(
    "poor",
    [
        {"name": "Short", "description": "Too short."},
        {"name": "Long", "description": "word " * 300},
        {"name": "n" * 81, "description": CARE["description"]},
        {"name": "", "description": CARE["description"]},
        {"name": "No description"},
        {"name": ["a list"], "description": CARE["description"]},
        "not even an object",
        None,
    ],
)
def test_a_malformed_criterion_is_dropped_and_the_others_stay(poor: object) -> None:
    pool: list[object] = [poor, CARE]
    replies = {"criteria": pool}

    def rule(call: object, blocks: dict[str, str]) -> str | None:
        return json.dumps(replies) if "number" in blocks else None

    assert [p.criterion.name for p in bare(WritingModel(rule)).seed(BRIEF, 2)] == [CARE["name"]]


@pytest.mark.parametrize("odd", [None, "high", -3, 85, True, [0.5]])
def test_an_odd_probability_spoils_nothing(odd: object) -> None:
    found = bare(WritingModel(pool=[CARE | {"probability": odd}])).seed(BRIEF, 1)
    assert [p.criterion.name for p in found] == [CARE["name"]]


@pytest.mark.parametrize(
    ("said", "read"), [(0.4, 0.4), (1, 1.0), (85, 1.0), (-3, 0.0), ("x", 0.0), (float("inf"), 0.0)]
)
def test_a_probability_is_read_within_bounds(said: object, read: float) -> None:
    assert LikelyDraft.model_validate(CARE | {"probability": said}).probability == read


def test_characters_that_cannot_be_stored_are_left_out_of_names_and_descriptions() -> None:
    odd = {"name": "Care\ud800 for\x00 readers", "description": CARE["description"] + "\ud8ff\n\n\x1b"}
    found = criterion_of(Draft.model_validate(odd), "answers", "made-up:writer")
    assert (found.name, found.description) == ("Care for readers", CARE["description"])
    assert len(found.hash) == 16
