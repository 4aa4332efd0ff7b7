"""The chat judge keeps the promises of every judge, maps replies back to the pair, and stops as it should."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any

import pytest
from judge_conformance import JudgeConformance, JudgeWorld, answers, question, text_pair
from made_up import criterion
from made_up_model import MadeUpModel, always, blocks_of, by_content, criterion_of, verdict_reply

from agents.chat.accounts import OpenAccount, charged, charging
from agents.chat.endpoint import Call
from agents.chat.judge import ChatJudge
from agents.chat.text_limit import TextLimit
from agents.judge import Judge, Question
from agents.judgments import Ask, Judgment, Order
from agents.pairs import Pair
from knowledge_base.criterion import Criterion
from knowledge_base.errors import BadCall, BudgetSpent, EndpointClosed, InputError, TransientFault

SECRET = b"known to no text"
CRITERIA = [criterion(f"criterion {i}") for i in range(7)]
PAIR = text_pair("The first text.", "The second text.", "What do they answer?")


def chat_judge(model: MadeUpModel | None = None, **options: Any) -> ChatJudge:
    return ChatJudge(model or MadeUpModel(), secret=SECRET, **options)


def grid(judge: Judge, pairs: Sequence[Pair], orders: Sequence[Order] = ("ab",)) -> list[Question]:
    return [question(p, c, judge, o) for p in pairs for o in orders for c in CRITERIA]


def many_pairs(count: int) -> list[Pair]:
    return [text_pair(f"Left text {i}.", f"Right text {i}.") for i in range(count)]


def asked_once(says: Callable[[Call], str], order: Order = "ab", of: Pair = PAIR, **options: Any) -> Judgment:
    judge = chat_judge(MadeUpModel(says), **options)
    return answers(judge, [question(of, CRITERIA[0], judge, order)])[0]


def raising(error: Exception) -> Callable[[Call], str]:
    def says(call: Call) -> str:
        raise error

    return says


class ChatWorld:
    """Chat judges whose model answers by content."""

    unreadable: Criterion | None = None
    criteria: Sequence[Criterion] = (*CRITERIA[:2], criterion("measured", "words"))

    def __init__(self, language: str, together: int) -> None:
        self._language, self._together = language, together

    def judge(self) -> Judge:
        return chat_judge(language=self._language, criteria_per_call=self._together)


class TestChatJudge(JudgeConformance):
    """See `JudgeConformance`."""

    @pytest.fixture(params=[("en", 1), ("zh", 1), ("en", 2), ("zh", 5)])
    def world(self, request: pytest.FixtureRequest) -> JudgeWorld:
        return ChatWorld(*request.param)


@pytest.mark.parametrize(
    ("order", "said", "meant"), [("ab", "A", "A"), ("ab", "B", "B"), ("ba", "A", "B"), ("ba", "B", "A")]
)
@pytest.mark.parametrize("together", [1, 3])
def test_a_verdict_on_the_texts_as_shown_is_mapped_back_to_the_pair(
    order: Order, said: str, meant: str, together: int
) -> None:
    def says(call: Call) -> str:
        return _numbered(call, lambda i: said) if together > 1 else verdict_reply(said)

    judgment = asked_once(says, order, criteria_per_call=together)
    assert (judgment.status, judgment.verdict, judgment.hesitation) == ("decided", meant, "")


def test_the_order_decides_which_text_is_shown_first() -> None:
    model = MadeUpModel()
    judge = chat_judge(model)
    answers(judge, [question(PAIR, CRITERIA[0], judge, order) for order in ("ab", "ba")])
    shown = {(blocks_of(call)["a"], blocks_of(call)["b"]) for call in model.calls}
    assert shown == {(PAIR.a, PAIR.b), (PAIR.b, PAIR.a)}


def test_a_model_that_always_says_a_is_found_to_contradict_itself() -> None:
    judge = chat_judge(MadeUpModel(always("A")))
    first, second = answers(judge, [question(PAIR, CRITERIA[0], judge, order) for order in ("ab", "ba")])
    assert {first.verdict, second.verdict} == {"A", "B"}


@pytest.mark.parametrize("hesitation", ["not applicable", "equal", "unsure"])
@pytest.mark.parametrize("order", ["ab", "ba"])
def test_an_abstention_says_why(hesitation: str, order: Order) -> None:
    judgment = asked_once(always(hesitation), order)
    assert (judgment.status, judgment.verdict, judgment.hesitation) == ("abstained", "abstain", hesitation)


@pytest.mark.parametrize(
    "reply",
    ["", "A", "Text A is better.", "{}", '{"verdict": "A"}', verdict_reply("C"), verdict_reply("A or B"), "[1]",
     verdict_reply("A") + verdict_reply("B"), '{"reasoning": null, "verdict": "A"}', verdict_reply("Answer: A")],
)  # fmt: skip
def test_a_reply_that_cannot_be_read_is_invalid_after_two_repairs(reply: str) -> None:
    model = MadeUpModel(lambda call: reply)
    judge = chat_judge(model)
    judgment = answers(judge, [question(PAIR, CRITERIA[0], judge)])[0]
    assert (judgment.status, judgment.verdict) == ("invalid", "abstain")
    assert "could not be read" in judgment.rationale
    assert [call.stage for call in model.calls] == ["judge", "repair", "repair"]


def test_a_reply_that_is_mended_counts() -> None:
    says = {"judge": "A is better.", "repair": verdict_reply("B")}
    assert asked_once(lambda call: says[call.stage]).verdict == "B"


@pytest.mark.parametrize("error", [BadCall("the prompt is too long"), TransientFault("503 again and again")])
def test_a_call_that_does_not_succeed_is_failed_and_says_why(error: Exception) -> None:
    judgment = asked_once(raising(error))
    assert (judgment.status, judgment.verdict, judgment.rationale) == ("failed", "abstain", str(error))


def test_one_failure_disturbs_no_other_judgment() -> None:
    def says(call: Call) -> str:
        if criterion_of(call) == CRITERIA[3].name:
            raise BadCall("refused")
        return by_content(call)

    judge = chat_judge(MadeUpModel(says))
    found = Counter(j.status for j in answers(judge, grid(judge, many_pairs(4))))
    assert found == {"failed": 4, "decided": 4 * 6}


@pytest.mark.parametrize("together", [1, 3])
@pytest.mark.parametrize("stopped", [EndpointClosed("401: wrong key"), BudgetSpent("no calls left")])
def test_what_ends_everything_is_raised_after_what_has_come_was_yielded(stopped: Exception, together: int) -> None:
    def says(call: Call) -> str:
        if len(model.calls) > 12:
            raise stopped
        return by_content(call)

    model = MadeUpModel(says)
    judge = chat_judge(model, criteria_per_call=together, in_flight=4)
    came, raised = asyncio.run(_until_it_ends(judge, grid(judge, many_pairs(20))))
    assert raised is stopped
    assert len(came) >= 8
    assert {j.status for j in came} == {"decided"}
    assert len(model.calls) <= 12 + 4


def test_when_the_budget_is_spent_calls_that_are_paid_for_come_back() -> None:
    def says(call: Call) -> str:
        if len(model.calls) == 8 and call is model.calls[-1]:
            raise BudgetSpent("no calls left")
        return by_content(call)

    model = MadeUpModel(says)
    judge = chat_judge(model, in_flight=8)
    came, raised = asyncio.run(_until_it_ends(judge, [question(p, CRITERIA[0], judge) for p in many_pairs(8)]))
    assert isinstance(raised, BudgetSpent)
    assert (len(came), model.cancelled) == (7, 0)


def test_closing_the_generator_cancels_the_calls_and_leaves_no_task() -> None:
    async def first_only() -> set[asyncio.Task[object]]:
        judge = chat_judge(model, in_flight=16)
        async with aclosing(judge.answer(grid(judge, many_pairs(10)))) as found:
            await anext(found)
            await asyncio.sleep(0.005)
        return asyncio.all_tasks() - {asyncio.current_task()}

    model = MadeUpModel(lambda call: by_content(call), seconds=0.01)
    assert asyncio.run(first_only()) == set()
    assert model.cancelled > 0


def test_cancelling_who_asks_cancels_the_calls() -> None:
    async def given_up() -> int:
        judge = chat_judge(model)
        asking = asyncio.create_task(_until_it_ends(judge, grid(judge, many_pairs(3))))
        await asyncio.sleep(0.05)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        return len(asyncio.all_tasks())

    model = MadeUpModel(seconds=60)
    assert asyncio.run(given_up()) == 1
    assert model.cancelled == len(model.calls) == 3


def test_all_calls_about_a_pair_in_one_order_begin_alike_and_end_with_the_criterion() -> None:
    model = MadeUpModel()
    judge = chat_judge(model)
    answers(judge, grid(judge, [PAIR]))
    users = [call.messages[1].content for call in model.calls]
    assert len({call.messages[0] for call in model.calls}) == 1
    assert len({user[: user.rindex("[[criterion ")] for user in users}) == 1
    assert all(user.endswith(f"\n[[/criterion {user.rsplit(' ', 1)[1]}") for user in users)


def test_the_first_call_about_a_pair_comes_back_before_the_others_go() -> None:
    model = MadeUpModel(seconds=0.02)
    judge = chat_judge(model, head_start=10.0)
    answers(judge, grid(judge, many_pairs(3)))
    first, rest = model.calls[:3], model.calls[3:]
    assert len({blocks_of(call)["a"] for call in first}) == 3
    assert len(rest) == 18
    assert model.most == 18


def test_without_a_head_start_all_calls_go_at_once() -> None:
    model = MadeUpModel(seconds=0.02)
    judge = chat_judge(model, head_start=0.0)
    answers(judge, grid(judge, many_pairs(3)))
    assert model.most == 21


def test_no_more_calls_than_allowed_are_in_flight() -> None:
    model = MadeUpModel(seconds=0.001)
    judge = chat_judge(model, in_flight=5)
    assert len(answers(judge, grid(judge, many_pairs(10)))) == 70
    assert model.most == 5


def test_several_criteria_share_a_call_and_each_gets_its_own_verdict() -> None:
    def says(call: Call) -> str:
        return _numbered(call, lambda i: "A" if "0" in blocks_of(call)[f"criterion {i}"] else "equal")

    model = MadeUpModel(says)
    judge = chat_judge(model, criteria_per_call=3)
    asked = grid(judge, [PAIR])
    found = {j.key: j.verdict for j in answers(judge, asked)}
    assert [len(blocks_of(call)) - 3 for call in model.calls] == [3, 3, 1]
    assert {c.name: found[ask.key] for ask, c, _ in asked} == {
        c.name: "A" if c.name == "criterion 0" else "abstain" for c in CRITERIA
    }


def test_criteria_share_the_same_calls_in_whatever_order_they_are_asked() -> None:
    model, other = MadeUpModel(), MadeUpModel()
    for m, turn in ((model, 1), (other, -1)):
        judge = chat_judge(m, criteria_per_call=3, head_start=0.0)
        answers(judge, grid(judge, [PAIR])[::turn])
    assert {call.key for call in model.calls} == {call.key for call in other.calls}


def test_of_several_criteria_those_without_exactly_one_judgment_are_invalid() -> None:
    def says(call: Call) -> str:
        numbers = [(1, "A"), (2, "A"), (2, "A"), (9, "B")]
        return json.dumps({"judgments": [{"criterion": n, "reasoning": "x", "verdict": v} for n, v in numbers]})

    judge = chat_judge(MadeUpModel(says), criteria_per_call=3)
    asked = sorted(grid(judge, [PAIR])[:3], key=lambda q: q[0].criterion)
    found = {j.key: j for j in answers(judge, asked)}
    assert [found[ask.key].status for ask, _, _ in asked] == ["decided", "invalid", "invalid"]
    assert "2 judgments by criterion 2" in found[asked[1][0].key].rationale
    assert "0 judgments by criterion 3" in found[asked[2][0].key].rationale


def test_a_shared_call_that_fails_fails_all_its_criteria() -> None:
    judge = chat_judge(MadeUpModel(raising(BadCall("too long"))), criteria_per_call=4)
    assert [j.status for j in answers(judge, grid(judge, [PAIR]))] == ["failed"] * 7


@pytest.mark.parametrize("together", [1, 2])
def test_each_sample_is_asked_anew(together: int) -> None:
    def says(call: Call) -> str:
        verdict = "AB"[call.sample % 2]
        return _numbered(call, lambda i: verdict) if together > 1 else verdict_reply(verdict)

    model = MadeUpModel(says)
    judge = chat_judge(model, criteria_per_call=together)
    asks = [Ask(judge=judge.fingerprint, criterion="c", pair=PAIR.hash, sample=i) for i in range(4)]
    found = {j.key: j.verdict for j in answers(judge, [(ask, CRITERIA[0], PAIR) for ask in asks])}
    assert [found[ask.key] for ask in asks] == ["A", "B", "A", "B"]
    assert sorted(call.sample for call in model.calls) == [0, 1, 2, 3]


def test_a_long_text_is_cut_and_the_judgment_says_so() -> None:
    long = text_pair("Water boils. " * 2000, "Short.")
    judgments = {of.b: asked_once(always("A"), of=of, limit=TextLimit(500)) for of in (long, PAIR)}
    assert judgments["Short."].truncated
    assert not judgments[PAIR.b].truncated


def test_a_failed_judgment_of_a_long_text_says_that_it_was_cut() -> None:
    assert asked_once(raising(BadCall("x")), of=text_pair("Water boils. " * 9000, "Short.")).truncated


def test_the_reasoning_is_kept_short_and_printable() -> None:
    judgment = asked_once(lambda call: verdict_reply("A", "Text A\x00 is\n\n\x1b[31m better\u202e. " + "x" * 5000))
    assert judgment.rationale.startswith("Text A")
    assert judgment.rationale.isprintable()
    assert len(judgment.rationale) == 600


def test_calls_are_charged_to_the_account_of_who_asks() -> None:
    accounts: set[object] = set()

    def says(call: Call) -> str:
        accounts.add(charged())
        return by_content(call)

    async def asked() -> OpenAccount:
        judge = chat_judge(MadeUpModel(says, seconds=0.001), in_flight=3, head_start=0.0005)
        with charging(OpenAccount()):
            _ = [j async for j in judge.answer(grid(judge, many_pairs(3)))]
            account = charged()
        assert isinstance(account, OpenAccount)
        return account

    assert accounts == {asyncio.run(asked())}


FINGERPRINTS: dict[str, Callable[[], ChatJudge]] = {
    "another model": lambda: chat_judge(MadeUpModel(name="made-up:other")),
    "another language": lambda: chat_judge(language="zh"),
    "another limit": lambda: chat_judge(limit=TextLimit(1000)),
    "another part kept": lambda: chat_judge(limit=TextLimit(keep="head")),
    "two criteria a call": lambda: chat_judge(criteria_per_call=2),
    "three criteria a call": lambda: chat_judge(criteria_per_call=3),
}  # fmt: skip


def test_whatever_can_change_an_answer_changes_the_fingerprint() -> None:
    assert len({make().fingerprint for make in FINGERPRINTS.values()} | {chat_judge().fingerprint}) == 7


def test_what_changes_no_answer_does_not_change_the_fingerprint() -> None:
    elsewhere = ChatJudge(MadeUpModel(), secret=b"of another deployment", in_flight=3, head_start=0.0)
    assert elsewhere.fingerprint == chat_judge().fingerprint


def test_the_fingerprint_names_model_and_language_and_is_short() -> None:
    assert chat_judge().fingerprint.startswith("chat/made-up:model/en/")
    assert len(chat_judge().fingerprint) < 50


@pytest.mark.parametrize(
    ("options", "named"),
    [({"language": "xx"}, "language 'xx'"), ({"criteria_per_call": 0}, "criteria_per_call is 0"),
     ({"in_flight": 0}, "in_flight is 0")],
)  # fmt: skip
def test_what_no_judge_can_work_with_is_refused_before_any_call(options: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=named):
        chat_judge(**options)


def test_a_judge_without_a_secret_is_refused() -> None:
    with pytest.raises(InputError, match="secret"):
        ChatJudge(MadeUpModel(), secret=b"")


async def _until_it_ends(judge: Judge, asked: Sequence[Question]) -> tuple[list[Judgment], Exception | None]:
    came: list[Judgment] = []
    try:
        async for judgment in judge.answer(asked):
            came.append(judgment)
    except Exception as error:
        return came, error
    return came, None


def _numbered(call: Call, verdict: Callable[[int], str]) -> str:
    count = sum(name.startswith("criterion ") for name in blocks_of(call))
    said = [{"criterion": i, "reasoning": "x", "verdict": verdict(i)} for i in range(1, count + 1)]
    return json.dumps({"judgments": said})
