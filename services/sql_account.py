"""The account of a run: every call is recorded in the database, and none is made that its budget does not reach for.

A call costs a moment's arithmetic here. A thread of its own talks to the database: it writes records in batches and
sets aside parts of the budget, for a few calls at a time (see `services.reservations`).
"""

from __future__ import annotations

import asyncio
import math
import secrets
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from agents.chat.accounts import CallRecord
from agents.chat.endpoint import Stage
from knowledge_base.errors import BudgetSpent, InputError, RunError
from services.budget import BILLION, NOTHING, Amount, Budget, Work
from services.database import Database
from services.prices import Prices, cost_of, most_of
from services.processes import Mark
from services.purse import Purse
from services.reservations import Claim, Decision, open_account, settle

HANDFUL = 64
"""Records that are written as soon as there are so many."""

PATIENCE = 0.2
"""Seconds after which a record is written even if no other has come."""

LEASE_SECONDS = 15.0
"""How long what a process has set aside stays taken after it was last heard of."""

IDLE_SECONDS = 1.0
"""Seconds without a call after which what a process has to spare is given back."""

AGAIN = 0.05
"""Pause before asking again for what others have set aside and may not need."""

TROUBLE = 1.0
"""Pause before writing again after the database failed."""


@dataclass(eq=False)
class _Asked:
    """A call that waits to be allowed."""

    need: Amount
    answer: asyncio.Future[None]
    granted: bool = False

    def tell(self, error: Exception | None = None) -> None:
        """Let the caller go on, from any thread."""
        try:
            self.answer.get_loop().call_soon_threadsafe(self._tell, error)
        except RuntimeError:  # the loop was closed over it: nobody waits any more
            return

    def _tell(self, error: Exception | None) -> None:
        if self.answer.done():
            return
        if error is None:
            self.answer.set_result(None)
        else:
            self.answer.set_exception(error)


class SqlAccount:
    """An `Account` in the database, and a context manager that leaves nothing unwritten.

    Args:
        database: where.
        run: whose account.
        prices: by model.
        budget: what all processes together may take for the run.
        work: the part of the run that the calls are for.
        lease_seconds: how long what this process has set aside stays taken if it dies.

    The budget holds as far as the estimates given to `allow` are not exceeded; for calls it holds in any case.
    """

    def __init__(
        self,
        database: Database,
        run: str,
        prices: Prices,
        budget: Budget,
        work: Work = "mining",
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self._database, self._run, self._prices, self._budget, self._work = database, run, prices, budget, work
        self._lease = lease_seconds
        self._holder = f"{Mark.here()}/{secrets.token_hex(4)}"
        self._purse = Purse()
        self._asked: deque[_Asked] = deque()
        self._rows: list[dict[str, Any]] = []
        # Moments of the monotonic clock: by when records must be written and what is held be renewed, when to ask again
        # for unmet needs, until when what is held may be used, and when a call was allowed last.
        self._due = self._renew = math.inf
        self._again = self._until = self._allowed = 0.0
        self._changed = threading.Condition()
        self._writing = threading.Lock()
        self._opened = self._closing = False
        self._thread: threading.Thread | None = None

    def __enter__(self) -> SqlAccount:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def allow(self, model: str, stage: Stage, tokens: int) -> None:
        """Set aside what a call may take; waits while others have set aside what they may not need.

        Raises:
            BudgetSpent: what is spent leaves no room for it.
            InputError: the budget is in money, and the model has no price.
        """
        if not self._budget.limited:
            return
        need = self._need(model, tokens)
        with self._changed:
            if not self._asked and time.monotonic() < self._until and self._purse.take(need):
                self._allowed = time.monotonic()
                return
            asked = _Asked(need, asyncio.get_running_loop().create_future())
            self._asked.append(asked)
            self._wake()
        try:
            await asked.answer
        except asyncio.CancelledError:
            self._withdraw(asked)
            raise

    def record(self, call: CallRecord, allowed: int) -> None:
        """Keep what a call took; one that was cancelled before it was sent took nothing, and is not kept."""
        need = self._need(call.model, allowed) if self._budget.limited else NOTHING
        if call.ended == "cancelled" and not call.seconds:
            with self._changed:
                self._purse.forget(need)
            return
        cost = cost_of(call.model, call.tokens, self._prices)
        row = {
            "run": self._run, "work": self._work, "stage": call.stage, "model": call.model,
            "prompt": call.tokens.prompt, "cached": call.tokens.cached, "completion": call.tokens.completion,
            "seconds": call.seconds, "ended": call.ended, "cost": cost, "at": time.time(),
        }  # fmt: skip
        taken = Amount(1, call.tokens.prompt + call.tokens.completion, _billionths(cost))
        with self._changed:
            self._purse.pay(need, taken)
            self._rows.append(row)
            if len(self._rows) in (1, HANDFUL):
                self._due = time.monotonic() + PATIENCE if len(self._rows) == 1 else 0.0
                self._wake()

    def flush(self) -> None:
        """Write what is recorded. Raises what the database raises; nothing is lost then, and it can be tried again."""
        if self._rows:
            self._settle()

    def close(self) -> None:
        """Write what is recorded and give back what is set aside. Raises as `flush`."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        with self._changed:
            self._answer_all(RunError("the account was closed while a call waited to be allowed"))
            self._purse.forget(self._purse.flying)
            self._until, self._closing = 0.0, False
        if self._rows or self._purse.held != NOTHING:
            self._settle()

    def _need(self, model: str, tokens: int) -> Amount:
        most = most_of(model, tokens, self._prices)
        if most is None and self._budget.cost is not None:
            raise InputError(f"{model} has no price, but there is a budget in money; add it to TOUCHSTONE_PRICES")
        return Amount(1, tokens, _billionths(most))

    def _withdraw(self, asked: _Asked) -> None:
        with self._changed:
            if asked.granted:
                self._purse.forget(asked.need)
            elif asked in self._asked:
                self._asked.remove(asked)

    def _wake(self) -> None:
        """Have the thread look at what has changed; the lock is held."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="account", daemon=True)
            self._thread.start()
        self._changed.notify()

    def _serve(self) -> None:
        while self._await_work():
            try:
                self._settle()
            except Exception as error:
                self._suffer(error)

    def _await_work(self) -> bool:
        """Wait until there is something to tell or to ask the database; False once the account is closed."""
        with self._changed:
            while not self._closing:
                asks = self._again if self._asked else math.inf
                idle = self._allowed + IDLE_SECONDS if self._purse.has_spare else math.inf
                wait = min(asks, self._due, self._renew, idle) - time.monotonic()
                if wait <= 0:
                    return True
                self._changed.wait(None if wait == math.inf else wait)
            return False

    def _suffer(self, error: Exception) -> None:
        """The database failed: whoever waits is told, what was recorded is kept for another try."""
        with self._changed:
            self._answer_all(error)
            later = time.monotonic() + TROUBLE
            self._due = later if self._rows else math.inf
            self._renew = later if self._purse.held != NOTHING else math.inf
            self._allowed = later

    def _answer_all(self, error: Exception) -> None:
        while self._asked:
            self._asked.popleft().tell(error)

    def _settle(self) -> None:
        """Tell the database what was taken, and ask it for what is needed."""
        with self._writing:
            if not self._opened:
                open_account(self._database, self._run)
                self._opened = True
            began = time.monotonic()
            claim, asked = self._begin(began)
            try:
                decision = settle(self._database, claim, self._budget)
            except BaseException:
                self._undo(claim)
                raise
            self._finish(claim, asked, decision, began)

    def _begin(self, began: float) -> tuple[Claim, Sequence[_Asked]]:
        with self._changed:
            asked, rows, now = tuple(self._asked), self._rows, time.time()
            self._rows, self._due = [], math.inf
            # Whoever needs more offers what it has, or two that wait for each other's rest would wait for ever.
            keep_spare = not asked and began < min(self._until, self._allowed + IDLE_SECONDS)
            taken, stays = self._purse.begin(keep_spare)
        needs, until = [a.need for a in asked], now + self._lease
        return Claim(self._run, self._work, self._holder, rows, taken, stays, needs, now, until), asked

    def _undo(self, claim: Claim) -> None:
        with self._changed:
            self._purse.undo()
            self._rows[:0] = claim.rows

    def _finish(self, claim: Claim, asked: Sequence[_Asked], decision: Decision, began: float) -> None:
        with self._changed:
            self._purse.finish(claim.stays, decision.granted)
            for each in asked[: decision.met]:
                self._grant(each)
            if decision.refused and asked[decision.met] in self._asked:
                self._asked.remove(asked[decision.met])
                asked[decision.met].tell(BudgetSpent(decision.refused))
            self._plan(began, waiting=decision.met < len(asked) and not decision.refused)

    def _grant(self, asked: _Asked) -> None:
        """Allow a call; if it was withdrawn meanwhile, its part is to spare."""
        if asked in self._asked:
            self._asked.remove(asked)
            self._purse.flying += asked.need
            self._allowed = time.monotonic()
            asked.granted = True
            asked.tell()

    def _plan(self, began: float, waiting: bool) -> None:
        """When the thread must be back, after a settlement that began then."""
        self._until = began + self._lease
        self._renew = began + self._lease / 3 if self._purse.held != NOTHING else math.inf
        self._again = time.monotonic() + AGAIN if waiting else 0.0


def _billionths(money: float | None) -> int:
    """Rounded up: what is counted is never less than what is spent."""
    return math.ceil((money or 0.0) * BILLION)
