"""The scripted endpoint without HTTP, as a `ChatModel`: benchmarks of the algorithm make a million calls.

A call gets the text, the tokens and the fate that the server would give the same request in the same sequence.
"""

from __future__ import annotations

from typing import Any

from agents.chat.endpoint import Call, Finish, Reply
from benchmarks.scripted.answers import Answer, Request
from benchmarks.scripted.engine import Engine, Served, Ticket
from benchmarks.scripted.faults import Script
from benchmarks.scripted.rejections import Rejection
from benchmarks.scripted.service import Service
from knowledge_base.errors import BadCall, EndpointClosed, ProviderError, TransientFault

CLOSED = frozenset({"quota", "unknown_model"})

ANY = Service(models=())


class ScriptedModel:
    """A `ChatModel` that asks an answer function.

    Nobody waits: a reply's `seconds` are those of the script, and time is counted in calls. A service's `key`,
    `schemas`, `usage` and `style` and the cap of a script have no meaning here.

    Args:
        answer: what the model says.
        name: `provider:model`; the part behind the colon is the model's name in requests.
        service, script: as the server takes them.
        fingerprint: name and all else that decides a reply; the name by default.
        temperature: as in a request.
        limit: tokens that a reply may have; None for as many as the window holds.
        lag: calls that begin before a call's prompt has been read, so that they find none of its blocks cached: with
            c calls in flight at a server, about c times the script's `prefill`.
    """

    def __init__(
        self,
        answer: Answer,
        name: str = "openai:scripted",
        service: Service = ANY,
        script: Script | None = None,
        *,
        fingerprint: str = "",
        temperature: float | None = None,
        limit: int | None = None,
        lag: int = 0,
    ) -> None:
        self.name, self.fingerprint = name, fingerprint or name
        self.engine = Engine(answer, service, script or Script())
        self._model = name.partition(":")[2] or name
        self._temperature, self._limit, self._lag = temperature, limit, lag
        self._calls = 0

    async def reply(self, call: Call) -> Reply:
        """Answer at once.

        Raises:
            TransientFault: the fate of this attempt is a fault of the wire.
            BadCall: it is longer than the window, or holds a lone surrogate.
            EndpointClosed: the quota is used up, or the model unknown.
        """
        title = str(call.schema.get("title", ""))
        request = Request(call.messages, title, self._model, call.sample, self._temperature)
        try:
            ticket = self.engine.take(request, self._limit)
        except Rejection as rejection:
            raise _error(rejection, self.name) from rejection
        return self._served(ticket)

    def stats(self) -> dict[str, Any]:
        """Counts, as the server's `GET /stats` has them."""
        return self.engine.stats()

    def _served(self, ticket: Ticket) -> Reply:
        wire, served = ticket.fate.wire, None
        outcome: str = wire or "broken"
        try:
            if wire is None or wire == "drop_body":
                served = self._answered(ticket)
            if served is None or wire is not None:
                raise TransientFault(f"{self.name}: {wire}; ask again", model=self.name)
            outcome = ticket.fate.text or "answered"
        finally:
            self.engine.end(ticket, outcome, served)
        return Reply(served.text, _finish(served), served.tokens, ticket.fate.seconds)

    def _answered(self, ticket: Ticket) -> Served:
        self._calls += 1
        ready = self._calls + 1 + self._lag
        return self.engine.answer(ticket, self._calls, ready, ready)


def _finish(served: Served) -> Finish:
    return "refusal" if served.refusal else served.finish


def _error(rejection: Rejection, model: str) -> ProviderError:
    kind: type[ProviderError] = TransientFault
    if rejection.outcome in CLOSED:
        kind = EndpointClosed
    elif rejection.status == 400:
        kind = BadCall
    return kind(
        f"{model}: {rejection.message}", model=model, status=rejection.status, retry_after=rejection.retry_after
    )
