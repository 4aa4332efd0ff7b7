"""A call on its whole way: allowed by the account, admitted by the gate, tried again, recorded."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agents.chat.accounts import charging
from agents.chat.caller import Backoff, Caller
from agents.chat.endpoint import Call, Message, Reply, Tokens
from knowledge_base.errors import BudgetSpent, TransientFault
from services.budget import Budget
from services.call_tally import spent, tally
from services.database import Database
from services.embedded_redis import EmbeddedRedis
from services.prices import Price
from services.redis_gate import RedisGate
from services.sql_account import SqlAccount


class FalteringModel:
    """Fails every fourth time it is asked."""

    name = fingerprint = "fake:faltering"

    def __init__(self) -> None:
        self.asked = self.now = self.most = 0

    async def reply(self, call: Call) -> Reply:
        self.asked += 1
        self.now += 1
        self.most, faulty = max(self.most, self.now), self.asked % 4 == 0
        await asyncio.sleep(0.002)
        self.now -= 1
        if faulty:
            raise TransientFault("busy", model=self.name, status=500)
        return Reply("yes", "stop", Tokens(50, 25, 5), 0.002)


def question(number: int) -> Call:
    return Call((Message("user", f"question {number}"),), "judge")


def test_calls_keep_to_limit_and_budget_and_are_all_recorded(place: Path) -> None:
    model, prices = FalteringModel(), {"fake:faltering": Price(prompt=1, completion=2)}
    database = Database(f"sqlite:///{place / 'x.sqlite'}").create()

    async def ask_all(caller: Caller) -> list[Reply | BaseException]:
        return await asyncio.gather(*(caller.reply(question(i)) for i in range(200)), return_exceptions=True)

    with (
        EmbeddedRedis(place / "home") as server,
        RedisGate(server.url, "endpoint", 5) as gate,
        SqlAccount(database, "run", prices, Budget(calls=100)) as account,
        charging(account),
    ):
        caller = Caller(model, gate, pause=Backoff(first=0.001))
        ended = asyncio.run(ask_all(caller))
    answered = [r for r in ended if isinstance(r, Reply)]
    refused = [r for r in ended if isinstance(r, BudgetSpent)]
    assert (model.asked, model.most) == (100, 5)
    assert (len(answered), len(answered) + len(refused)) == (75, 200)
    total = tally(database, "run").total
    assert (total.calls, total.retries, total.prompt, total.completion) == (100, 25, 75 * 50, 75 * 5)
    assert spent(database, "run").cost == pytest.approx(75 * (50 + 10) / 1e6)
