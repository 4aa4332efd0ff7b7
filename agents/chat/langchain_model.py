"""A LangChain chat model as ours: one request, one reply, its tokens counted, its failures told apart.

The schema goes along as a plain argument, not through `with_structured_output`, which builds it anew for each call.
Tracing is LangChain's own affair: it follows its usual environment variables, and nothing here turns it on.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from agents.chat.connections import in_resident_loop
from agents.chat.endpoint import Call, Reply
from agents.chat.faults import FeatureRefused, Source, fault_of
from agents.chat.langchain_reply import message_of, reply_of
from agents.chat.providers import (
    NO_KEY,
    PLUMBING,
    PROVIDERS,
    Provider,
    check_parameters,
    open_openai,
    open_other,
    provider_of,
)
from knowledge_base.errors import InputError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage

Structured = Literal["auto", "always", "never"]

MOST_SEEDS = 2**31
"""Endpoints take a signed 32-bit number."""

MOST_SCHEMAS = 64
"""Schemas whose arguments are kept; more than anyone has, so that a schema made anew each time does no harm."""


class LangChainModel:
    """A `ChatModel` over a LangChain chat model. It neither retries nor limits; see `agents.chat.caller`.

    Args:
        model: the LangChain model.
        name: `provider:model`; the provider decides how a schema and a seed are sent.
        parameters: all that can change a reply, for the fingerprint.
        structured: whether the schema is sent along: `always`, `never`, or on `auto` until the endpoint refuses it.
        timeout: seconds for a whole reply.
        source: how messages name the endpoint.
        resident: run its calls in the loop that lives as long as the process, since its connections outlive a loop.
    """

    def __init__(
        self,
        model: BaseChatModel,
        name: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        structured: Structured = "auto",
        timeout: float = 120.0,
        source: Source | None = None,
        resident: bool = False,
    ) -> None:
        provider, _ = provider_of(name)
        self.name, self.fingerprint = name, fingerprint_of(name, parameters or {})
        self._model, self._timeout, self._resident = model, timeout, resident
        self._source = source or Source(name)
        self._structure = PROVIDERS.get(provider, Provider()).structure if structured != "never" else None
        self._fall_back = structured == "auto"
        self._seed = int((parameters or {}).get("seed") or 0) if provider == "openai" else None
        self._extra_body = dict(getattr(model, "extra_body", None) or {})
        self._refused: frozenset[str] = frozenset()
        self._schemas: dict[int, tuple[Mapping[str, Any], dict[str, Any]]] = {}

    async def reply(self, call: Call) -> Reply:
        """Answer one call; tokens are estimated where the endpoint does not count them.

        Raises:
            TransientFault, BadCall, EndpointClosed: see `agents.chat.faults`.
        """
        began = time.perf_counter()
        left_out = self._refused
        message = await self._sent(call, left_out)
        while isinstance(message, FeatureRefused):
            if message.feature in left_out or not self._fall_back:
                raise message
            left_out |= {message.feature}
            message = await self._sent(call, left_out)
        # Only now: a complaint that leaving it out did not cure was about something else.
        self._refused |= left_out
        return reply_of(message, call, time.perf_counter() - began)

    async def _sent(self, call: Call, left_out: frozenset[str]) -> AIMessage | FeatureRefused:
        """What came back, or what the endpoint will not take."""
        work = self._invoked(call, self._arguments(call, left_out))
        try:
            return await (in_resident_loop(work) if self._resident else work)
        except Exception as error:
            fault = fault_of(error, self._source)
        if isinstance(fault, FeatureRefused):
            return fault
        raise fault

    async def _invoked(self, call: Call, arguments: Mapping[str, Any]) -> AIMessage:
        async with asyncio.timeout(self._timeout):
            return await self._model.ainvoke([message_of(m) for m in call.messages], **arguments)

    def _arguments(self, call: Call, left_out: frozenset[str]) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        if call.schema and self._structure is not None and "schema" not in left_out:
            arguments.update(self._asked_for(call.schema))
        if call.sample and self._seed is not None and "seed" not in left_out:
            arguments["seed"] = (self._seed + call.sample) % MOST_SEEDS
        return arguments

    def _asked_for(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments that ask for a schema; made once for each schema object."""
        kept = self._schemas.get(id(schema))
        if kept is None or kept[0] is not schema:
            assert self._structure is not None
            made = self._structure(schema)
            if "extra_body" in made:
                made["extra_body"] = {**self._extra_body, **made["extra_body"]}
            if len(self._schemas) >= MOST_SCHEMAS:
                self._schemas.clear()
            kept = self._schemas[id(schema)] = schema, made
        return kept[1]


def open_model(
    name: str,
    *,
    base_url: str = "",
    api_key: str = "",
    parameters: Mapping[str, Any] | None = None,
    structured: Structured = "auto",
    timeout: float = 120.0,
    settings: str = "",
) -> LangChainModel:
    """The model called `provider:model`.

    `openai` stands for every OpenAI-compatible endpoint: give its `base_url`. Without one the key may come from
    `OPENAI_API_KEY`; with one it may not, since it would go to somebody else, and an endpoint that needs a key must be
    given it. Other providers are LangChain's, each in a package of its own.

    Args:
        name: such as `openai:gpt-5-mini`.
        base_url: where it is served; empty: the provider's own address.
        api_key: its key.
        parameters: sent with every call, such as `{"temperature": 0}`.
        structured: see `LangChainModel`.
        timeout: seconds for a whole reply.
        settings: what its settings' names begin with, such as `TOUCHSTONE_WORKER`, for messages.

    Raises:
        InputError: no such provider, its package or key is missing, or a parameter cannot be set so.
    """
    provider, model = provider_of(name)
    parameters = dict(parameters or {})
    check_parameters(name, parameters)
    source = Source(name, place_of(base_url), settings)
    key = api_key.strip()
    if provider == "openai" and not base_url:
        key = key or os.environ.get("OPENAI_API_KEY", "").strip()
        if not key:
            raise InputError(
                f"model {name!r} has no key; set {source.setting('API_KEY')}, or a base URL that needs none"
            )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise InputError(
            f"the key of {name!r} holds spaces or other characters that no key has; set {source.setting('API_KEY')}"
        )
    openai = provider == "openai"
    opened = (
        open_openai(model, base_url, key or NO_KEY, parameters)
        if openai
        else open_other(provider, model, base_url, key, parameters)
    )
    return LangChainModel(
        opened, name, parameters=parameters, structured=structured, timeout=timeout,
        source=replace(source, secrets=(key,) if key else ()), resident=not openai,
    )  # fmt: skip


def place_of(base_url: str) -> str:
    """Scheme, host and port of an address, without a name, a password or a path; empty if it has no host."""
    try:
        parts = urlsplit(base_url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise InputError("a base URL has a port that is no number; write it as http://host:port/v1") from None
    return f"{parts.scheme}://{parts.hostname}{port}" if parts.hostname else ""


def fingerprint_of(name: str, parameters: Mapping[str, Any]) -> str:
    """Name and sorted parameters; not where it runs, nor with which key."""
    telling = {n: v for n, v in parameters.items() if n not in PLUMBING}
    return f"{name} {json.dumps(telling, sort_keys=True, ensure_ascii=False, default=str)}" if telling else name
