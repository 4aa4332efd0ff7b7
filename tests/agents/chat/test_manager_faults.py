"""A manager's calls: how many at once, what a fault costs, and that nothing is paid for twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

import pytest
from made_up import LINEAGE, criterion
from made_up_texts import answer_pair, brief, small_index
from writing_model import SECRET, CountingJudge, WritingModel, case_of, clear_pairs

from agents.chat.endpoint import Call, Reply
from agents.chat.journal import Journalled, MemoryJournal
from agents.chat.manager import ChatManager
from agents.local_run import run_local
from agents.memory_ledger import MemoryLedger
from agents.mining import Mining
from agents.panel import Panel, seat_of
from agents.policies import policy_named
from knowledge_base.errors import BadCall, BudgetSpent, EndpointClosed, TransientFault

BRIEF = brief()
CASES = [case_of(criterion(name), clear_pairs(BRIEF)[:6]) for name in ("plainness", "order", "warmth")]


class Dying(WritingModel):
    """Answers so many calls, then fails for ever."""

    def __init__(self, answers: int, failure: Exception | None = None) -> None:
        super().__init__(self._after)
        self._left, self._failure = answers, failure or EndpointClosed("the key is wrong")

    def _after(self, call: Call, blocks: dict[str, str]) -> Exception | None:
        self._left -= 1
        return self._failure if self._left < 0 else None


class Slow(WritingModel):
    """Takes its time to answer, none to fail."""

    async def reply(self, call: Call) -> Reply:
        reply = await super().reply(call)
        await asyncio.sleep(0.05)
        return reply


def manager(model: WritingModel | Journalled, in_flight: int = 8) -> ChatManager:
    return ChatManager(model, small_index(), secret=SECRET, in_flight=in_flight)


def paid(*models: Dying) -> Counter[str]:
    """How often each call was answered."""
    keys = Counter[str]()
    for model in models:
        keys.update(call.key for call in model.calls[: len(model.calls) - max(0, -model._left)])
    return keys


@pytest.mark.parametrize("in_flight", [1, 3, 8])
def test_no_more_calls_are_open_than_allowed(in_flight: int) -> None:
    model = WritingModel()
    manager(model, in_flight).seed(BRIEF, 10)
    manager(model, in_flight).refine(replace(BRIEF, thorough=True), CASES)
    assert model.most_open == in_flight


@pytest.mark.parametrize("in_flight", [1, 3])
def test_how_many_are_open_changes_no_result(in_flight: int) -> None:
    assert manager(WritingModel(), in_flight).seed(BRIEF, 10) == manager(WritingModel()).seed(BRIEF, 10)


@pytest.mark.parametrize(
    "failure", [EndpointClosed("the key is wrong"), BudgetSpent("500 calls are used up"), TransientFault("429")]
)
@pytest.mark.parametrize("answers", [0, 5, 15])
def test_what_concerns_every_call_is_raised(answers: int, failure: Exception) -> None:
    with pytest.raises(type(failure), match=str(failure)):
        manager(Dying(answers, failure)).seed(BRIEF, 10)


def test_after_such_a_failure_nothing_more_is_sent() -> None:
    model = Dying(0)
    with pytest.raises(EndpointClosed):
        manager(model, in_flight=2).seed(BRIEF, 10)
    assert len(model.calls) <= 2


@pytest.mark.parametrize("fault", ["no JSON at all", BadCall("longer than the context window")])
def test_a_pair_that_cannot_be_explained_is_done_without(fault: str | Exception) -> None:
    longest = max(clear_pairs(BRIEF), key=lambda p: len(p.a))
    model = WritingModel(lambda call, blocks: fault if blocks.get("a") == longest.a else None)
    doing = manager(model)
    assert len(doing.seed(BRIEF, 10)) == 10
    (note,) = doing.notes
    assert note.startswith("explain: went on without an answer: ")


def test_a_note_is_logged_as_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    refused = BadCall("refused by a filter")
    doing = manager(WritingModel(lambda call, _: refused if call.stage == "propose" else None))
    doing.seed(BRIEF, 10)
    assert [r.message for r in caplog.records if r.levelname == "WARNING"] == doing.notes


def test_a_model_that_never_writes_json_ends_and_says_so() -> None:
    doing = ChatManager(WritingModel(lambda call, _: "Sorry, I cannot."), None, secret=SECRET)
    assert doing.seed(BRIEF, 5) == []
    assert doing.refine(BRIEF, CASES) == [None, None, None]
    assert doing.notes


@pytest.mark.parametrize("answers", [1, 7, 14, 16])
def test_a_seed_that_is_killed_halfway_pays_for_nothing_twice(answers: int) -> None:
    journal, dying, living = MemoryJournal(), Dying(answers), Dying(10_000)
    with pytest.raises(EndpointClosed):
        manager(Journalled(dying, journal)).seed(BRIEF, 10)
    resumed = manager(Journalled(living, journal)).seed(BRIEF, 10)
    whole = Dying(10_000)
    assert resumed == manager(whole).seed(BRIEF, 10)
    assert paid(dying, living) == paid(whole)
    assert set(paid(whole).values()) == {1}


@pytest.mark.parametrize("answers", [1, 9, 19])
def test_no_critique_is_paid_for_twice(answers: int) -> None:
    told = replace(BRIEF, thorough=True)
    journal, dying, living, whole = MemoryJournal(), Dying(answers), Dying(10_000), Dying(10_000)
    with pytest.raises(EndpointClosed):
        manager(Journalled(dying, journal)).refine(told, CASES)
    assert manager(Journalled(living, journal)).refine(told, CASES) == manager(whole).refine(told, CASES)
    assert paid(dying, living) == paid(whole)


def test_what_is_under_way_when_another_call_fails_is_kept() -> None:
    """Six calls are open when the first of them fails; the others are paid for, so their answers must be there."""
    journal, first = MemoryJournal(), list[str]()

    def rule(call: Call, blocks: dict[str, str]) -> Exception | None:
        first.append(call.key)
        return EndpointClosed("the key is wrong") if len(first) == 1 else None

    model = Slow(rule)
    with pytest.raises(EndpointClosed):
        manager(Journalled(model, journal), in_flight=6).seed(BRIEF, 10)
    assert len(model.calls) == 6
    kept = [journal.read(f"{model.fingerprint}/{key}") for key in first]
    assert [reply is not None for reply in kept] == [False] + [True] * 5


def test_explanations_are_asked_for_once_however_many_rounds_follow() -> None:
    model = WritingModel()
    doing = manager(model)
    doing.seed(BRIEF, 5)
    doing.replace(BRIEF, [], CASES[:1], [], 5)
    assert model.stages["explain"] == len(clear_pairs(BRIEF))


def test_equal_managers_make_equal_calls_in_equal_order() -> None:
    one, other = WritingModel(), WritingModel()
    for model in (one, other):
        manager(model).seed(BRIEF, 10)
        manager(model).refine(BRIEF, CASES)
    assert [c.key for c in one.calls] == [c.key for c in other.calls]


@pytest.mark.parametrize("policy", ["paper", "robust"])
def test_no_sealed_text_stands_in_any_prompt(policy: str) -> None:
    sealed = tuple(map(answer_pair, range(40, 46)))
    model, judge = WritingModel(), CountingJudge()
    panel = Panel(seats=(seat_of(judge),))
    ledger = MemoryLedger([*BRIEF.pairs, *sealed])
    thread = Mining(BRIEF, sealed, ledger, manager(model), policy_named(policy, size=8, rounds=2), panel)
    run_local(thread, judge, LINEAGE)
    assert model.stages["critique"]
    hidden = [text for p in sealed for text in (p.a, p.b)]
    assert not [text for text in hidden for prompt in model.prompts if text in prompt]
    assert any(BRIEF.pairs[0].a in prompt for prompt in model.prompts)
