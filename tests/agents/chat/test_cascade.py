"""The strong judge is asked what the cheap one could not tell, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing

import pytest
from judge_conformance import JudgeConformance, JudgeWorld, answers, question, text_pair
from made_up import criterion
from made_up_model import MadeUpModel, always, by_content, criterion_of, verdict_reply

from agents.chat.cascade import CascadeJudge
from agents.chat.endpoint import Call, Reply
from agents.chat.judge import ChatJudge
from agents.judge import Judge, Question
from agents.judgments import Judgment
from agents.signal_judge import SignalJudge
from agents.signals.measurement import MemoryCache
from knowledge_base.criterion import Criterion
from knowledge_base.errors import BadCall, EndpointClosed, InputError

CACHE = MemoryCache()
CRITERIA = [criterion(f"criterion {i}") for i in range(4)]
LONGER = criterion("longer", "words", margin=1.0)
PAIRS = [text_pair(f"Left {i}.", f"Right {i}.") for i in range(3)]


def chat(model: MadeUpModel) -> ChatJudge:
    return ChatJudge(model, secret=b"known to no text", head_start=0.0)


def cascade(cheap: Callable[[Call], str], strong: Callable[[Call], str] = by_content) -> CascadeJudge:
    return CascadeJudge(
        chat(MadeUpModel(cheap, name="made-up:cheap")), chat(MadeUpModel(strong, name="made-up:strong"))
    )


def grid(judge: Judge, criteria: Sequence[Criterion] = CRITERIA) -> list[Question]:
    return [question(p, c, judge) for p in PAIRS for c in criteria]


class CascadeWorld:
    """Signals first; a model where they cannot tell."""

    unreadable: Criterion | None = None
    criteria: Sequence[Criterion] = (LONGER, *CRITERIA[:2])

    def judge(self) -> Judge:
        return CascadeJudge(SignalJudge(CACHE), chat(MadeUpModel()))


class TestCascadeJudge(JudgeConformance):
    """See `JudgeConformance`."""

    @pytest.fixture
    def world(self) -> JudgeWorld:
        return CascadeWorld()


def test_what_the_cheap_judge_can_tell_never_reaches_the_strong_one() -> None:
    for told in ("A", "equal", "not applicable"):
        judge = cascade(always(told), always("unsure"))
        assert {j.hesitation for j in answers(judge, grid(judge))} == {told if told != "A" else ""}
        assert (judge.asked, judge.went_on) == (12, 0)


@pytest.mark.parametrize("reply", [verdict_reply("unsure"), "unreadable"])
def test_what_the_cheap_judge_cannot_tell_goes_on(reply: str) -> None:
    judge = cascade(lambda call: reply, always("B"))
    assert {j.verdict for j in answers(judge, grid(judge))} == {"B"}
    assert (judge.asked, judge.went_on) == (12, 12)


def test_only_those_questions_go_on_and_each_is_answered_under_its_own_key() -> None:
    def unsure_of_two(call: Call) -> str:
        return verdict_reply("unsure" if criterion_of(call) == CRITERIA[2].name else "A")

    judge = cascade(unsure_of_two, always("B"))
    asked = grid(judge)
    expected = {ask.key: "B" if c.name == CRITERIA[2].name else "A" for ask, c, _ in asked}
    assert {j.key: j.verdict for j in answers(judge, asked)} == expected
    assert judge.went_on == 3


def test_a_failure_of_the_cheap_judge_goes_on_and_one_of_the_strong_judge_stands() -> None:
    def fails(call: Call) -> str:
        raise BadCall("too long")

    assert {j.status for j in _all(cascade(fails))} == {"decided"}
    assert {j.status for j in _all(cascade(always("unsure"), fails))} == {"failed"}


def test_a_decision_with_a_small_margin_goes_on_if_asked_to() -> None:
    near, far = text_pair("one two three", "one"), text_pair("one " * 50, "one")
    for clear, went_on in ((0.0, 0), (0.8, 1), (1.0, 2)):
        judge = CascadeJudge(SignalJudge(CACHE), chat(MadeUpModel()), clear)
        answers(judge, [question(of, LONGER, judge) for of in (near, far)])
        assert judge.went_on == went_on


def test_a_criterion_that_the_cheap_judge_cannot_judge_by_goes_straight_on() -> None:
    judge = CascadeJudge(SignalJudge(CACHE), chat(MadeUpModel(always("B"))))
    assert all(judge.can_judge(c) for c in (*CRITERIA, LONGER))
    assert {j.verdict for j in answers(judge, grid(judge))} == {"B"}


def test_what_neither_can_judge_is_invalid() -> None:
    broken = criterion("broken", "words +")
    judge = CascadeJudge(SignalJudge(CACHE), SignalJudge(CACHE))
    assert not judge.can_judge(broken)
    assert {j.status for j in answers(judge, grid(judge, [broken]))} == {"invalid"}


def test_it_is_symmetric_if_both_are_and_named_after_both() -> None:
    signals, model = SignalJudge(CACHE), chat(MadeUpModel())
    assert CascadeJudge(signals, signals).symmetric
    assert not CascadeJudge(signals, model).symmetric
    names = {CascadeJudge(signals, model, c).fingerprint for c in (0.0, 0.5)}
    names |= {CascadeJudge(model, signals).fingerprint}
    assert len(names) == 3
    assert all(signals.fingerprint in name and model.fingerprint in name for name in names)


def test_what_came_is_yielded_before_a_closed_endpoint_is_raised() -> None:
    def closes(call: Call) -> str:
        raise EndpointClosed("401")

    def unsure_of_one(call: Call) -> str:
        return verdict_reply("unsure" if criterion_of(call) == CRITERIA[1].name else "A")

    judge = cascade(unsure_of_one, closes)
    found: list[Judgment] = []

    async def collect() -> None:
        async for judgment in judge.answer(grid(judge)):
            found.append(judgment)

    with pytest.raises(EndpointClosed):
        asyncio.run(collect())
    assert len(found) == 9


@pytest.mark.parametrize("first", ["A", "unsure"])
def test_closing_the_generator_cancels_the_calls_of_either(first: str) -> None:
    models = [MadeUpModel(always(first)), MadeUpModel(seconds=30)]
    models[0 if first == "A" else 1] = slow = MadeUpModel(lambda call: verdict_reply("A"), seconds=30)

    async def given_up() -> int:
        judge = CascadeJudge(chat(models[0]), chat(models[1]))
        async with aclosing(judge.answer(grid(judge))) as found:
            reading = asyncio.ensure_future(anext(found))
            await asyncio.sleep(0.05)
            reading.cancel()
            await asyncio.wait([reading])
        return len(asyncio.all_tasks())

    assert asyncio.run(given_up()) == 1
    assert slow.cancelled == len(slow.calls) == 12


@pytest.mark.parametrize("first", ["A", "unsure"])
def test_closing_the_generator_between_answers_cancels_at_once(first: str) -> None:
    class FirstFast(MadeUpModel):
        async def reply(self, call: Call) -> Reply:
            self._seconds = 30.0 * bool(self.calls)
            return await super().reply(call)

    slow = FirstFast(always("A"))
    models = [slow, MadeUpModel()] if first == "A" else [MadeUpModel(always("unsure")), slow]

    async def given_up() -> int:
        judge = CascadeJudge(chat(models[0]), chat(models[1]))
        found = judge.answer(grid(judge))
        await anext(found)
        await asyncio.sleep(0.01)
        await found.aclose()
        return slow.cancelled

    assert asyncio.run(given_up()) == 11


def test_a_margin_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        CascadeJudge(SignalJudge(CACHE), SignalJudge(CACHE), 2.0)


def _all(judge: CascadeJudge) -> list[Judgment]:
    return answers(judge, grid(judge))
