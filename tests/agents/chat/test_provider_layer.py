"""The whole provider layer against the scripted endpoint: every fault at once, and nothing lost."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict

from agents.chat.accounts import OpenAccount, charging
from agents.chat.caller import Backoff, Caller
from agents.chat.endpoint import Call, Message
from agents.chat.fence import Fence
from agents.chat.gate import LocalGate
from agents.chat.langchain_model import open_model
from agents.chat.structured import Unreadable, ask, schema_of
from benchmarks.scripted.engine import Engine
from benchmarks.scripted.faults import Fault, Script
from benchmarks.scripted.letters import letters
from benchmarks.scripted.process import ThreadedEndpoint
from benchmarks.scripted.service import Service

WIRE: dict[Fault, float] = {
    "rate_limit": 0.05, "rate_limit_date": 0.03, "server_error": 0.05, "bad_gateway": 0.03, "unavailable": 0.03,
    "timeout": 0.01, "drop_headers": 0.03, "drop_body": 0.03,
}  # fmt: skip
TEXT: dict[Fault, float] = {"truncated": 0.05, "malformed": 0.05, "prose": 0.1, "wrong_enum": 0.05, "empty": 0.02}
CALLS = 120


class Judgment(BaseModel):
    model_config = ConfigDict(title="judgment")

    reasoning: str
    verdict: Literal["A", "B", "not applicable", "equal", "unsure"]


def call(number: int) -> Call:
    fence = Fence(b"secret", f"pair {number // 4}")
    texts = [("a", f"text {number // 4} " * (30 + number % 7)), ("b", "another text " * 30)]
    asked = fence.blocks([*texts, ("criterion", f"Criterion {number % 4}: it is clear")])
    return Call((Message("system", "Compare two texts. " * 40), Message("user", asked)), "judge", schema_of(Judgment))


def answers(script: Script) -> tuple[Sequence[object], OpenAccount, dict[str, int]]:
    """Verdicts, or what was raised, for all calls at once; what was recorded; and what the endpoint saw."""
    account = OpenAccount()

    async def run() -> Sequence[object]:
        with charging(account):
            asked = (ask(caller, call(number), Judgment) for number in range(CALLS))
            return await asyncio.gather(*asked, return_exceptions=True)

    with ThreadedEndpoint(Engine(letters, Service(), script)) as endpoint:
        model = open_model("openai:scripted", base_url=endpoint.base_url, timeout=20.0)
        pause = Backoff(first=0.02, longest=0.1, dice=random.Random(1))
        caller = Caller(model, LocalGate(32), tries=8, pause=pause)
        return asyncio.run(run()), account, endpoint.stats()["outcomes"]


@pytest.fixture(scope="module")
def undisturbed() -> Sequence[object]:
    return answers(Script())[0]


def test_without_faults_every_call_is_made_once_and_shared_beginnings_are_cached() -> None:
    verdicts, account, seen = answers(Script())
    assert all(isinstance(v, Judgment) for v in verdicts)
    assert seen == {"answered": CALLS}
    assert Counter(r.ended for r in account.records) == {"answered": CALLS}
    assert sum(r.tokens.cached for r in account.records) > 0
    assert all(r.tokens.cached <= r.tokens.prompt for r in account.records)


def test_with_every_passing_fault_at_once_the_verdicts_are_the_same(undisturbed: Sequence[object]) -> None:
    verdicts, account, seen = answers(Script(seed=3, rates={**WIRE, **TEXT}, retry_after=0.05, hang=0.2))
    unreadable = [v for v in verdicts if isinstance(v, Unreadable)]
    assert all(isinstance(v, Judgment | Unreadable) for v in verdicts)
    assert len(unreadable) <= CALLS * 0.05
    assert all(got == wanted for got, wanted in zip(verdicts, undisturbed, strict=True) if isinstance(got, Judgment))
    assert len(account.records) == sum(seen.values())
    ended = Counter(r.ended for r in account.records)
    assert set(ended) == {"answered", "transient"}
    assert {r.stage for r in account.records} == {"judge", "repair"}


def test_refusals_are_told_from_what_cannot_be_read() -> None:
    verdicts, account, _ = answers(Script(rates={"refusal": 1.0}))
    assert all(isinstance(v, Unreadable) and v.refused for v in verdicts)
    assert len(account.records) == CALLS
