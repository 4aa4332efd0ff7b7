"""When to stop asking an endpoint that does not answer, and when to ask again (Nygard, Release It!, 2nd ed., ch. 5)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from knowledge_base.errors import BadCall, EndpointClosed, ProviderError, TransientFault


class Breaker:
    """The state of one endpoint, shared by everything that calls it. Not bound to an event loop.

    Closed, it lets calls pass. It opens at an `EndpointClosed`, or when `faults` calls in a row, by whomever, ended in
    a `TransientFault` over at least `seconds`. Open, it raises the reason in place of every call, until `cool_down` is
    over: then one call passes as a probe, and its end decides. What was sent before it opened decides nothing any more.

    Args:
        faults: transient faults in a row, 1 or more.
        seconds: from the first of them to the last.
        cool_down: seconds from opening, or from a failed probe, to the next probe.
        clock: seconds, never backwards.
    """

    def __init__(
        self,
        *,
        faults: int = 10,
        seconds: float = 20.0,
        cool_down: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._seconds, self._cool_down, self._clock = faults, seconds, cool_down, clock
        self._opened = 0
        self.reset()

    def reset(self) -> None:
        """Close it: somebody says that the endpoint is well."""
        self._reason: EndpointClosed | None = None
        self._faults, self._since, self._probe_at, self._probing = 0, 0.0, 0.0, False

    @property
    def reason(self) -> str:
        """Why it is open; empty if it is closed."""
        return "" if self._reason is None else str(self._reason)

    @property
    def doubtful(self) -> bool:
        """Whether so many calls in a row have failed that only time is lacking for it to open."""
        return self._reason is None and self._faults >= self._most

    def check(self) -> None:
        """Pass if a call may be sent now, or could be as a probe.

        Raises:
            EndpointClosed: why it is open.
        """
        if self._reason is not None and (self._probing or self._clock() < self._probe_at):
            raise _again(self._reason)

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Send one call in this block; how it ends is noted.

        Raises:
            EndpointClosed: it is open, or the call opened it.
        """
        self.check()
        probe, opened = self._reason is not None, self._opened
        self._probing = self._probing or probe
        try:
            yield
        except (EndpointClosed, TransientFault) as fault:
            if opened == self._opened and (closed := self._after(fault, probe)):
                raise closed from None
            raise
        except BaseException as error:
            if isinstance(error, BadCall):
                self._answered(opened)
            elif probe and opened == self._opened:
                self._probing = False
            raise
        self._answered(opened)

    def _answered(self, opened: int) -> None:
        if opened == self._opened:
            self.reset()

    def _after(self, fault: ProviderError, probe: bool) -> EndpointClosed | None:
        """Note a fault; the reason if it opened the breaker or kept it open."""
        if isinstance(fault, TransientFault) and not probe:
            self._count()
            if self._faults < self._most or self._clock() - self._since < self._seconds:
                return None
        self._open(self._no_answer(fault) if isinstance(fault, TransientFault) else _again(fault))
        return self._reason

    def _count(self) -> None:
        if not self._faults:
            self._since = self._clock()
        self._faults += 1

    def _open(self, reason: EndpointClosed) -> None:
        self._reason, self._probing = reason, False
        self._probe_at = self._clock() + self._cool_down
        self._opened += 1

    def _no_answer(self, last: ProviderError) -> EndpointClosed:
        seconds = self._clock() - self._since
        words = (
            f"no answer from {last.model or 'the endpoint'} for {seconds:.0f} s ({self._faults} calls), last: {last}"
        )
        return EndpointClosed(words, model=last.model, status=last.status, request=last.request)


def _again(error: ProviderError) -> EndpointClosed:
    """The same error as a new object: one that is raised twice gathers tracebacks."""
    return EndpointClosed(
        str(error), model=error.model, status=error.status, retry_after=error.retry_after, request=error.request
    )
