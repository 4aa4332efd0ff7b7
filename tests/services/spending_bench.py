"""What tests of accounts share: a database, calls, and spending."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import event, func, select

from agents.chat.accounts import Account, CallRecord, Ended
from agents.chat.endpoint import Stage, Tokens
from knowledge_base.errors import BudgetSpent
from services.database import Database
from services.prices import Price, Prices
from services.tables import CallRow

MODEL = "openai:small"
PRICES: Prices = {MODEL: Price(prompt=1.0, cached=0.5, completion=4.0)}
FREE: Prices = {}


def call(
    prompt: int = 70, completion: int = 10, model: str = MODEL, stage: Stage = "judge", ended: Ended = "answered"
) -> CallRecord:
    return CallRecord(model, stage, Tokens(prompt, prompt // 2, completion), 0.25, ended)


def count(database: Database, table: Any = CallRow) -> int:
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def commits(database: Database) -> list[int]:
    """Grows by one with each transaction that is written."""
    seen: list[int] = []
    event.listen(database._behind._engine, "commit", lambda connection: seen.append(1))
    return seen


async def spend(account: Account, estimate: int = 100, record: CallRecord | None = None, pause: float = 0.0) -> int:
    """Make calls until the budget is used up; returns how many."""
    made = 0
    while True:
        try:
            await account.allow(MODEL, "judge", estimate)
        except BudgetSpent:
            return made
        await asyncio.sleep(pause)
        account.record(record or call(), estimate)
        made += 1


def spend_all(account: Account, at_once: int, **given: Any) -> int:
    """The same in several tasks at once."""

    async def together() -> int:
        async with asyncio.timeout(60):
            return sum(await asyncio.gather(*(spend(account, **given) for _ in range(at_once))))

    return asyncio.run(together())
