"""One real call to a model's endpoint: does it answer, can what it says be read, and what did that take?"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from agents.chat.accounts import OpenAccount, charging
from agents.judgments import Ask, Judgment
from agents.pairs import Pair
from knowledge_base.criterion import Criterion, Provenance
from services.model_settings import Endpoint
from services.settings import Settings

PAIR = Pair(
    id="probe", preferred="a", prompt="What is six times seven?", a="Six times seven is 42.",
    b="Six times seven is 24.",
)  # fmt: skip
CRITERION = Criterion(
    name="Correct arithmetic", description="The better text states the right result of the calculation.",
    provenance=Provenance(kind="person", source="touchstone doctor"),
)  # fmt: skip


@dataclass(frozen=True)
class Probe:
    """What a probe found: the judgment, and what the call took."""

    judgment: Judgment
    prompt_tokens: int
    completion_tokens: int
    calls: int
    seconds: float


def probe(endpoint: Endpoint, settings: Settings) -> Probe:
    """Ask one question whose answer is known, with no second try of a call that fails.

    Raises:
        ProviderError: the endpoint did not answer as it should.
        InputError: the model cannot be opened.
    """
    from agents.chat.caller import Caller
    from agents.chat.gate import LocalGate
    from agents.chat.judge import ChatJudge
    from services.chat_parties import open_endpoint

    model = open_endpoint(endpoint, settings, _role(endpoint, settings))
    judge = ChatJudge(Caller(model, LocalGate(1), tries=1), secret=b"probe", language=settings.language)
    account, start = OpenAccount(), time.monotonic()
    with charging(account):
        judgment = asyncio.run(_asked(judge))
    prompts = sum(r.tokens.prompt for r in account.records)
    completions = sum(r.tokens.completion for r in account.records)
    return Probe(judgment, prompts, completions, len(account.records), time.monotonic() - start)


def _role(endpoint: Endpoint, settings: Settings) -> str:
    """What the names of its settings begin with."""
    if endpoint in settings.worker_endpoints:
        return "WORKER"
    return "STRONG" if endpoint == settings.strong_endpoint else "MANAGER"


async def _asked(judge: object) -> Judgment:
    from agents.chat.judge import ChatJudge

    assert isinstance(judge, ChatJudge)
    ask = Ask(judge=judge.fingerprint, criterion=CRITERION.hash, pair=PAIR.hash)
    [judgment] = [judgment async for judgment in judge.answer([(ask, CRITERION, PAIR)])]
    return judgment
