"""The chat judge on a scripted endpoint that misbehaves: every question answered, and as an endpoint that does not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from judge_conformance import answers, question, text_pair
from made_up import criterion

from agents.chat.accounts import OpenAccount, charging
from agents.chat.caller import Backoff, Caller
from agents.chat.gate import LocalGate
from agents.chat.judge import ChatJudge
from agents.chat.overall import OverallJudge
from agents.judge import Question
from agents.judgments import Order
from benchmarks.scripted.faults import Fault, Script, every_fault
from benchmarks.scripted.in_process import ScriptedModel
from benchmarks.scripted.letters import letters

CRITERIA = [criterion(f"criterion {i}") for i in range(10)]
PAIRS = [text_pair("A text. " * (i + 1), "A text. " * (12 - i)) for i in range(12)]
ORDERS: tuple[Order, Order] = ("ab", "ba")
SLOW: tuple[Fault, ...] = ("timeout", "rate_limit_date")
FINAL: tuple[Fault, ...] = ("refusal", "prose_refusal")
RATES = {fault: rate for fault, rate in every_fault(0.12).items() if fault not in SLOW + FINAL}
ROUGH = Script(rates=RATES, end_after=2, retry_after=0.0)


def judge(model: ScriptedModel, together: int = 1) -> ChatJudge:
    patient = Caller(model, LocalGate(16), tries=12, pause=Backoff(first=0.0, longest=0.0))
    return ChatJudge(patient, secret=b"known to no text", criteria_per_call=together, in_flight=16)


def grid(of: ChatJudge) -> list[Question]:
    return [question(p, c, of, o) for p in PAIRS for o in ORDERS for c in CRITERIA]


@pytest.mark.parametrize("together", [1, 4])
def test_faults_of_the_endpoint_change_no_answer_that_can_be_read(together: int) -> None:
    calm, rough = ScriptedModel(letters), ScriptedModel(letters, script=ROUGH)
    right, found = ({j.key: j for j in answers(judge(m, together), grid(judge(m, together)))} for m in (calm, rough))
    read = {key: judgment for key, judgment in found.items() if judgment.status != "invalid"}
    assert set(found) == set(right)
    assert read == {key: right[key] for key in read}
    assert 0.9 * len(found) < len(read)


def test_both_orders_mean_the_same_text() -> None:
    of = judge(ScriptedModel(letters))
    found = {j.key: j.verdict for j in answers(of, grid(of))}
    for pair in PAIRS:
        for by in CRITERIA[:2]:
            verdicts = {found[question(pair, by, of, order)[0].key] for order in ORDERS}
            assert verdicts == {"A" if len(pair.a) > len(pair.b) else "B"}


def test_calls_are_accounted_for_by_what_they_were_for() -> None:
    of, account = judge(ScriptedModel(letters, script=Script(first=("malformed",)))), OpenAccount()
    with charging(account):
        answers(of, grid(of)[:10])
    stages: Sequence[str] = [record.stage for record in account.records]
    assert stages.count("judge") == 10
    assert 10 <= stages.count("repair") <= 20
    assert len(stages) == stages.count("judge") + stages.count("repair")


def test_most_of_a_pairs_prompt_is_read_from_the_endpoints_cache() -> None:
    model = ScriptedModel(letters)
    of, account = judge(model), OpenAccount()
    long = text_pair("Plain words in a row. " * 200, "Other words in a row. " * 200)
    with charging(account):
        answers(of, [question(long, c, of) for c in CRITERIA])
    prompt, cached = (sum(getattr(r.tokens, kind) for r in account.records) for kind in ("prompt", "cached"))
    assert cached > 0.85 * prompt


def test_an_overall_verdict_comes_from_the_same_endpoint() -> None:
    of = OverallJudge(ScriptedModel(letters), secret=b"known to no text")
    found = asyncio.run(of.verdicts(PAIRS, CRITERIA))
    assert [j.verdict for j in found] == ["A" if len(p.a) > len(p.b) else "B" for p in PAIRS]
