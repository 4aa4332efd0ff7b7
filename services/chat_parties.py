"""Chat models as workers and as the manager, put together from the settings."""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from agents.judge import Judge
from agents.manager import Manager
from agents.panel import Panel, seat_of
from knowledge_base.errors import InputError
from services.model_checks import RULES_TOKENS
from services.parties import EmbeddedParties
from services.settings import PREFIX, Settings

if TYPE_CHECKING:
    from agents.chat.breaker import Breaker
    from agents.chat.endpoint import ChatModel
    from agents.chat.gate import Gate
    from agents.chat.text_limit import TextLimit
    from knowledge_base.index import Index
    from services.database import Database
    from services.model_settings import Endpoint

TEXTS_SHOWN = 12
"""Texts in a manager's longest prompt: four mistakes, each a pair and what it answers."""

LEAST_SHOWN = 64
"""Tokens of a text that a manager is shown in any case."""


class ChatParties(EmbeddedParties):
    """The parties of a deployment that names models. A manager that is not named is the first worker's model."""

    def __init__(self, settings: Settings, database: Database) -> None:
        super().__init__(settings, database)
        self._doors: dict[str, tuple[Gate, Breaker]] = {}
        if not settings.worker_model:
            raise InputError(
                f"{PREFIX}MANAGER_MODEL is {settings.manager_model!r} but {PREFIX}WORKER_MODEL is empty: "
                "what a model writes only a model can judge; name a worker model too"
            )

    def workers(self) -> tuple[Judge, ...]:
        """A judge for each worker model, a cascade where a strong model is named."""
        return self._workers

    def panel(self) -> Panel:
        """All workers, each with as many samples as the settings say."""
        samples = self.settings.worker_samples
        return Panel(seats=tuple(seat_of(judge, samples, free=False) for judge in self._workers))

    def preload(self) -> None:
        """Load the embedding model, and what talks to endpoints."""
        import agents.chat.manager
        from knowledge_base.embedding import preload, set_threads
        from knowledge_base.entries import load_catalogue

        set_threads(self.settings.threads)
        preload()
        load_catalogue()
        _ = self._workers
        del agents

    @cached_property
    def _workers(self) -> tuple[Judge, ...]:
        from agents.chat.cascade import CascadeJudge

        cheap = [self._judge_of(endpoint, "WORKER") for endpoint in self.settings.worker_endpoints]
        strong = self.settings.strong_endpoint
        return tuple(CascadeJudge(judge, self._judge_of(strong, "STRONG")) if strong else judge for judge in cheap)

    def _new_manager(self, index: Index) -> Manager:
        """The manager's model, whose replies are kept so that none is paid for twice."""
        from agents.chat.journal import Journalled
        from agents.chat.manager import ChatManager
        from services.sql_journal import SqlJournal

        model = Journalled(self.model(self.settings.manager_endpoint, "MANAGER"), SqlJournal(self.database))
        return ChatManager(
            model, index, secret=self.secret, language=self.settings.language, limit=self._manager_limit,
            in_flight=self.settings.in_flight,
        )  # fmt: skip

    def model(self, endpoint: Endpoint, role: str) -> ChatModel:
        """A model behind its endpoint, within the limits that all processes share; `role` names its settings."""
        from agents.chat.caller import Caller

        gate, breaker = self._door(endpoint.place)
        opened = open_endpoint(endpoint, self.settings, role)
        # What may come back is set aside in full, or a budget of tokens would be a wish.
        most = self.settings.completion_tokens
        return Caller(opened, gate, tries=self.settings.call_tries, breaker=breaker, reply_tokens=most)

    def _door(self, place: str) -> tuple[Gate, Breaker]:
        """Gate and breaker of an endpoint, shared by all models that it serves.

        A command that works alone, without a queue, keeps to the limit by itself.
        """
        from agents.chat.breaker import Breaker
        from agents.chat.gate import LocalGate
        from services.redis_gate import RedisGate

        settings = self.settings
        if place not in self._doors:
            rates = settings.requests_per_minute, settings.tokens_per_minute
            shared = RedisGate(settings.redis_url, place, settings.in_flight, *rates) if settings.redis_url else None
            self._doors[place] = shared or LocalGate(settings.in_flight), Breaker()
        return self._doors[place]

    def _judge_of(self, endpoint: Endpoint, role: str) -> Judge:
        from agents.chat.judge import ChatJudge

        return ChatJudge(
            self.model(endpoint, role), secret=self.secret, language=self.settings.language, limit=self.limit,
            criteria_per_call=self.settings.criteria_per_call, in_flight=self.settings.in_flight,
        )  # fmt: skip

    @cached_property
    def limit(self) -> TextLimit:
        from agents.chat.text_limit import TextLimit

        return TextLimit(self.settings.text_tokens, self.settings.truncation)

    @property
    def _manager_limit(self) -> TextLimit:
        """A manager is shown up to four pairs at once, which together must leave room in its window."""
        from agents.chat.text_limit import TextLimit

        settings = self.settings
        room = settings.context_tokens - settings.completion_tokens - RULES_TOKENS
        return TextLimit(min(settings.text_tokens, max(LEAST_SHOWN, room // TEXTS_SHOWN)), settings.truncation)

    @cached_property
    def secret(self) -> bytes:
        return fence_secret(self.settings.home)


def open_endpoint(endpoint: Endpoint, settings: Settings, role: str) -> ChatModel:
    """The model of an endpoint, with neither limits nor second tries.

    Raises:
        InputError: it cannot be opened; the message names the settings of this `role`.
    """
    from agents.chat.langchain_model import open_model

    return open_model(
        endpoint.model, base_url=endpoint.base_url, api_key=endpoint.key,
        parameters={"max_tokens": settings.completion_tokens, **endpoint.parameters},
        structured=settings.structured_output, timeout=settings.timeout_seconds, settings=f"{PREFIX}{role}",
    )  # fmt: skip


def fence_secret(home: Path) -> bytes:
    """The secret behind the marks that fence texts in prompts: 32 random bytes, made once and readable by the owner.

    Workers on other hosts may have another: their prompts then share no prefix with these, and are as safe.
    """
    path = home / "fence.key"
    home.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        # A link either is there whole or is not, however many processes begin at once.
        with tempfile.NamedTemporaryFile(dir=home) as draft, suppress(FileExistsError):
            draft.write(secrets.token_bytes(32))
            draft.flush()
            os.link(draft.name, path)
    return path.read_bytes()
