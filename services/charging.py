"""Whose account the calls of a job are charged to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from agents.chat.accounts import Account, CallRecord, charging
from agents.chat.endpoint import Stage
from services.budget import Work

if TYPE_CHECKING:
    from services.deployment import Deployment


class Telling:
    """An account that also tells, once, that a call was answered."""

    def __init__(self, account: Account, on_answer: Callable[[], None]) -> None:
        self._account, self._on_answer, self._told = account, on_answer, False

    async def allow(self, model: str, stage: Stage, tokens: int) -> None:
        """As the account does."""
        await self._account.allow(model, stage, tokens)

    def record(self, call: CallRecord, allowed: int) -> None:
        """As the account does."""
        self._account.record(call, allowed)
        if call.ended == "answered" and not self._told:
            self._told = True
            self._on_answer()


@contextmanager
def charged_to(
    deployment: Deployment, run: str, stage: str, on_answer: Callable[[], None] | None = None
) -> Iterator[None]:
    """Charge the calls of this block to a run, whose mining leaves a share of its budget to the sealed pairs.

    Args:
        deployment: whose database and prices.
        run: that pays.
        stage: of the thread that the calls are for; `sealed` may take what mining may not.
        on_answer: called once, when the first call of the block is answered.
    """
    if deployment.parties.panel().free and not deployment.settings.manager_model:
        yield
        return
    from services.mining_thread import load_run
    from services.sql_account import SqlAccount

    settings, config = deployment.settings, load_run(deployment.database, run).config
    work: Work = "sealed" if stage == "sealed" else "mining"
    with SqlAccount(deployment.database, run, settings.price_table, config.budget, work) as account:
        payer = Telling(account, on_answer) if on_answer else account
        with charging(payer):
            yield
