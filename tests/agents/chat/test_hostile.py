"""No hostile text leaves its block, changes another or decides anything; and the checks would notice if one did."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from judge_conformance import answers, text_pair
from made_up import criterion
from made_up_model import MadeUpModel, always, blocks_of, verdict_reply

from agents.chat import fence, prompts
from agents.chat.endpoint import Call, Message
from agents.chat.fence import Fence
from agents.chat.judge import ChatJudge
from agents.judgments import Ask
from benchmarks.hostile_checks import FENCE, LANGUAGES, ROLES, Role, escapes
from benchmarks.hostile_texts import hostile_texts

TEXTS = hostile_texts(FENCE.mark)
SMALL = {name: text for name, text in TEXTS.items() if len(text) < 50_000}


@pytest.mark.parametrize(
    ("name", "language"), [(n, lang) for n in TEXTS for lang in LANGUAGES if n in SMALL or lang == "en"]
)
def test_a_hostile_text_gets_nowhere(name: str, language: str) -> None:
    for role in ROLES:
        assert escapes(TEXTS[name], role, language) == []


def test_there_are_enough_of_them_and_no_two_are_alike() -> None:
    assert len(TEXTS) >= 70
    assert len(set(TEXTS.values())) == len(TEXTS)


def test_whoever_obeys_a_text_is_read_by_its_verdict_alone() -> None:
    """A model that copies a hostile text into its reasoning, and says B, has said B."""

    def says(call: Call) -> str:
        return verdict_reply("B", blocks_of(call)["a"])

    judge = ChatJudge(MadeUpModel(says), secret=b"known to no text")
    asked = [
        (Ask(judge=judge.fingerprint, criterion="c", pair=pair.hash), criterion("clear"), pair)
        for pair in (text_pair(text, "Plain.") for text in SMALL.values())
    ]

    assert {judgment.verdict for judgment in answers(judge, asked)} == {"B"}


def test_hostile_texts_change_no_answer_about_the_other_texts() -> None:
    judge = ChatJudge(MadeUpModel(always("A")), secret=b"known to no text")
    pair = text_pair("Plain.", "Plain as well.")
    question = (Ask(judge=judge.fingerprint, criterion="c", pair=pair.hash), criterion("clear"), pair)
    hostile = [
        (Ask(judge=judge.fingerprint, criterion="c", pair=p.hash), criterion("clear"), p)
        for p in (text_pair(text, text[::-1]) for text in SMALL.values())
    ]

    alone, among = ({j.key: j for j in answers(judge, asked)} for asked in ([question], [question, *hostile]))
    assert among[question[0].key] == alone[question[0].key]
    assert set(among) == {ask.key for ask, _, _ in [question, *hostile]}


def _found(role: Role = "a") -> int:
    return sum(bool(escapes(text, role, "en")) for text in SMALL.values())


@pytest.mark.parametrize(
    ("careless", "at_least"),
    [
        (lambda self, text: text, 25),
        (lambda self, text: text.replace(self.mark, " " * 12), 15),
        (lambda self, text: fence.UNPRINTABLE.sub("\ufffd", text), 20),
    ],
)
def test_a_careless_fence_would_be_noticed(
    monkeypatch: pytest.MonkeyPatch, careless: Callable[[Fence, str], str], at_least: int
) -> None:
    monkeypatch.setattr(Fence, "inert", careless)
    assert _found() >= at_least


def test_filling_places_twice_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    once = prompts.Prompt.fill

    def twice(self: prompts.Prompt, **values: str) -> tuple[Message, ...]:
        filled = once(self, **values)
        again = [prompts.PLACE.sub(lambda place: values.get(place[1], place[0]), m.content) for m in filled]
        return tuple(Message(m.role, content) for m, content in zip(filled, again, strict=True))

    monkeypatch.setattr(prompts.Prompt, "fill", twice)
    assert _found() >= 2
