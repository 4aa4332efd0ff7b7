"""Who pays for a call: one model serves many runs, so the account travels with the work, not with the model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal, Protocol

from agents.chat.endpoint import Stage, Tokens

Ended = Literal["answered", "transient", "bad", "closed", "cancelled"]


@dataclass(frozen=True)
class CallRecord:
    """One request that was sent.

    Attributes:
        model: `provider:model`; stage: what it was for.
        tokens: as the endpoint counted them; zero where no reply came.
        seconds: from sending to the last byte, waiting for a turn not included.
        ended: `answered`, or how it failed.
    """

    model: str
    stage: Stage
    tokens: Tokens
    seconds: float
    ended: Ended


class Account(Protocol):
    """Allows calls and remembers them. Methods are called from an event loop and must not block for long."""

    async def allow(self, model: str, stage: Stage, tokens: int) -> None:
        """Set aside what a call may take: `tokens` is an estimate of prompt and completion.

        Raises:
            BudgetSpent: the budget does not reach for it.
        """
        ...

    def record(self, call: CallRecord, allowed: int) -> None:
        """Keep what a call took, in place of the `allowed` tokens that were set aside for it."""
        ...


class OpenAccount:
    """Allows everything and keeps its records in a list; for the library, tests and benchmarks."""

    def __init__(self) -> None:
        self.records: list[CallRecord] = []

    async def allow(self, model: str, stage: Stage, tokens: int) -> None:
        """Always."""

    def record(self, call: CallRecord, allowed: int) -> None:
        """Append it."""
        self.records.append(call)


class NoAccount:
    """Allows everything and remembers nothing: what is charged where nobody pays."""

    async def allow(self, model: str, stage: Stage, tokens: int) -> None:
        """Always."""

    def record(self, call: CallRecord, allowed: int) -> None:
        """Nowhere."""


_charged: ContextVar[Account] = ContextVar("charged", default=NoAccount())  # noqa: B039 - it has no state


def charged() -> Account:
    """The account that calls are charged to here and now."""
    return _charged.get()


@contextmanager
def charging(account: Account) -> Iterator[None]:
    """Charge the calls of this block, and of the tasks that it starts, to `account`."""
    token = _charged.set(account)
    try:
        yield
    finally:
        _charged.reset(token)
