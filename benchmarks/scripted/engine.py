"""The endpoint without HTTP: checks a request, draws its fate, answers it and counts.

The server and the in-process model share it, so that they cannot differ.

A request is taken (`take`), answered unless its fate is a fault of the wire (`answer`), and ended (`end`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from agents.chat.endpoint import Tokens
from benchmarks.scripted.answers import Answer, Request
from benchmarks.scripted.counters import Counters, Log
from benchmarks.scripted.faults import Fate, Script
from benchmarks.scripted.prefix_cache import BLOCK_BYTES, PrefixCache, chain_of
from benchmarks.scripted.rejections import (
    Rejection,
    bad_request,
    no_quota,
    of_fault,
    over_cap,
    too_long,
    unknown_model,
)
from benchmarks.scripted.service import Service
from benchmarks.scripted.spoiling import spoil
from benchmarks.scripted.tokenizer import cut, rendered, tokens_in


@dataclass(frozen=True, slots=True)
class Ticket:
    """A request that is being served: `attempt` is the number of times it was taken, `prompt` what the model reads."""

    request: Request
    attempt: int
    fate: Fate
    prompt: bytes
    limit: int | None


@dataclass(frozen=True, slots=True)
class Served:
    """A reply: text, whether it is a refusal, whether it was cut at the limit of tokens, and tokens."""

    text: str
    refusal: bool
    finish: Literal["stop", "length"]
    tokens: Tokens


class Engine:
    """Serves requests to one answer function.

    Args:
        answer: what the model says.
        service: what is offered.
        script: how it misbehaves.
        log: file for a log of requests (JSON lines).
    """

    def __init__(self, answer: Answer, service: Service, script: Script, log: Path | None = None) -> None:
        self.service, self.script = service, script
        self.counters, self.log = Counters(), Log(log)
        self._answer = answer
        self._cache = PrefixCache(service.cache_tokens)
        self._attempts: Counter[str] = Counter()
        self._replies = 0

    def take(self, request: Request, limit: int | None = None) -> Ticket:
        """Check a request and draw its fate.

        Args:
            limit: tokens that the reply may have; None for as many as the window holds.

        Raises:
            Rejection: it gets no reply; it is counted and ended already.
        """
        try:
            return self._take(request, limit)
        except Rejection as rejection:
            self.counters.outcomes[rejection.outcome] += 1
            raise

    def answer(self, ticket: Ticket, now: float, prefilled: float, done: float) -> Served:
        """The reply. The prefix cache is read at time `now`; what is computed can be used from the later times on."""
        request, fate = ticket.request, ticket.fate
        text = self._answer(request)
        if fate.text is not None:
            text = spoil(text, fate.text, fate.variant)
        text, completion, short = cut(text, ticket.limit)
        tokens = self._account(ticket, text, completion, (now, prefilled, done))
        return Served(text, fate.text == "refusal", "length" if short else "stop", tokens)

    def end(self, ticket: Ticket, outcome: str, served: Served | None = None) -> None:
        """Count what became of a request: `answered`, `abandoned` or a fault; `served`: the reply that was made."""
        self.counters.leave(outcome)
        if served is not None and outcome in ("answered", ticket.fate.text):
            self._replies += 1
            self.counters.handed_over(ticket.request.digest, outcome, served.tokens)
        text, tokens = (None, Tokens()) if served is None else (served.text, served.tokens)
        self.log.write(ticket.request, ticket.attempt, outcome, text, tokens)

    def reset(self) -> None:
        """Forget counts, attempts, cached blocks and the quota used."""
        self.counters.clear()
        self._cache.clear()
        self._attempts.clear()
        self._replies = 0

    def stats(self) -> dict[str, Any]:
        """Counts as plain values."""
        self.log.flush()
        return self.counters.as_json() | {"cached_blocks": len(self._cache)}

    def _take(self, request: Request, limit: int | None) -> Ticket:
        service = self.service
        if service.models and request.model not in service.models:
            raise unknown_model(request.model)
        try:
            prompt = rendered(request.messages)
        except UnicodeEncodeError as error:
            raise bad_request(f"a message holds a lone surrogate: {error.reason}", "messages") from error
        limit = _within(service.window, tokens_in(prompt), limit)
        if service.quota is not None and self._replies >= service.quota:
            raise no_quota()
        if self.script.cap is not None and self.counters.in_flight >= self.script.cap:
            raise over_cap(self.script.retry_after)
        return self._admit(request, prompt, limit)

    def _admit(self, request: Request, prompt: bytes, limit: int | None) -> Ticket:
        digest = request.digest
        self._attempts[digest] += 1
        attempt = self._attempts[digest]
        fate = self.script.fate(digest, attempt)
        rejection = None if fate.wire is None else of_fault(fate.wire, self.script.retry_after)
        if rejection is not None:
            self.log.write(request, attempt, rejection.outcome, None, Tokens())
            raise rejection
        self.counters.enter()
        return Ticket(request, attempt, fate, prompt, limit)

    def _account(self, ticket: Ticket, text: str, completion: int, times: tuple[float, float, float]) -> Tokens:
        now, prefilled, done = times
        prompt = tokens_in(ticket.prompt)
        chain = chain_of(ticket.request.model, ticket.prompt + text.encode())
        read = chain[: len(ticket.prompt) // BLOCK_BYTES]
        cached = self._cache.read(read, prompt, now)
        self._cache.keep(chain[len(read) :], done)
        self._cache.keep(read, prefilled)
        return Tokens(prompt, cached, completion)


def _within(window: int | None, prompt: int, limit: int | None) -> int | None:
    """The limit of completion tokens that a window leaves."""
    if window is None:
        return limit
    if prompt + (limit or 0) > window:
        raise too_long(window, prompt, limit or 0)
    return window - prompt if limit is None else limit
