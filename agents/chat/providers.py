"""What differs from provider to provider: where its package comes from, and how a schema is asked for."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agents.chat.fault_words import blank_keys
from knowledge_base.errors import InputError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

Schema = Mapping[str, Any]

PACKAGE = "touchstone-criteria"
EXAMPLES = "openai:gpt-5-mini, anthropic:claude-haiku-4-5, or openai:my-model with the base URL of a local server"
OPENAI_URL = "https://api.openai.com/v1"
NO_KEY = "no-key"
"""Sent to servers that need none: the client insists on having one."""

OWN_SETTINGS = ("api_key", "base_url", "model", "model_name", "model_provider", "timeout", "request_timeout")
"""Parameters that have settings of their own."""

NOT_OURS = ("n", "stream", "streaming", "response_format", "max_retries", "cache", "callbacks", "use_responses_api")
"""Parameters that would change what a call is: one answer, in one piece, and repeated by the caller."""

PLUMBING = ("default_headers", "default_query", "organization", "http_client", "http_async_client", "openai_proxy")
"""Parameters about how a request travels; they are no part of a fingerprint, and may hold secrets."""


@dataclass(frozen=True)
class Provider:
    """A provider beside those that speak the OpenAI API.

    Attributes:
        extra: the extra of this package that brings it; empty where there is none.
        structure: JSON schema -> arguments that make the endpoint enforce it; None where there is no such thing.
        single: its `max_retries` that means one try.
    """

    extra: str = ""
    structure: Callable[[Schema], dict[str, Any]] | None = None
    single: int = 0


def openai_format(schema: Schema) -> dict[str, Any]:
    """The `response_format` of the OpenAI chat API."""
    name = "".join(c if c.isalnum() and c.isascii() else "_" for c in str(schema.get("title", "reply")))[:64]
    return {"type": "json_schema", "json_schema": {"name": name or "reply", "schema": dict(schema), "strict": True}}


def _as_openai(schema: Schema) -> dict[str, Any]:
    return {"response_format": openai_format(schema)}


def _as_openai_unparsed(schema: Schema) -> dict[str, Any]:
    """As `extra_body`: as `response_format` the client would parse the reply too, for .4 ms, and lose a cut-off one."""
    return {"extra_body": _as_openai(schema)}


def _as_anthropic(schema: Schema) -> dict[str, Any]:
    return {"output_config": {"format": {"type": "json_schema", "schema": dict(schema)}}}


def _as_google(schema: Schema) -> dict[str, Any]:
    return {"response_mime_type": "application/json", "response_json_schema": dict(schema)}


def _as_ollama(schema: Schema) -> dict[str, Any]:
    return {"format": dict(schema)}


OPENAI = Provider("", _as_openai_unparsed)
PROVIDERS: Mapping[str, Provider] = {
    "openai": OPENAI,
    "azure_openai": OPENAI,
    "deepseek": OPENAI,
    "xai": OPENAI,
    "anthropic": Provider("anthropic", _as_anthropic),
    "google_genai": Provider("google", _as_google, single=1),
    "google_vertexai": Provider("", _as_google, single=1),
    "ollama": Provider("ollama", _as_ollama),
    "mistralai": Provider("mistral", _as_openai),
    "groq": Provider("groq", _as_openai),
    "fireworks": Provider("", _as_openai),
    "together": Provider("", _as_openai_unparsed),
}
"""What is known of providers; any other that LangChain has works too, with replies in plain text."""


def provider_of(name: str) -> tuple[str, str]:
    """Provider and model of a name such as `openai:gpt-5-mini`; a model's own name may hold further colons.

    Raises:
        InputError: it has no provider.
    """
    provider, _, model = name.partition(":")
    if not provider.strip() or not model.strip():
        raise InputError(f"model {name!r} names no provider; write provider:model, such as {EXAMPLES}")
    return provider.strip().replace("-", "_").lower(), model.strip()


def check_parameters(name: str, parameters: Mapping[str, Any]) -> None:
    """Refuse parameters that are set elsewhere or are not the user's to set.

    Raises:
        InputError: naming the first such parameter.
    """
    for parameter in parameters:
        if parameter in OWN_SETTINGS:
            raise InputError(f"{name}: leave {parameter} out of the parameters; it has a setting of its own")
        if parameter in NOT_OURS:
            raise InputError(f"{name}: leave {parameter} out of the parameters; Touchstone sets it itself")


def open_openai(model: str, base_url: str, api_key: str, parameters: Mapping[str, Any]) -> BaseChatModel:
    """A model behind an OpenAI-compatible endpoint, on connections that any event loop may use.

    Parameters that the client does not know go into the request's body as they are, such as vLLM's `top_k`; so does
    `max_tokens`, which the client would give its new name, and not every server knows that.

    Raises:
        InputError: a parameter has a value that it cannot have.
    """
    from langchain_openai import ChatOpenAI

    from agents.chat.connections import shared_client

    async def key() -> str:
        # Given as a coroutine, it spares the client a second, synchronous one.
        return api_key

    known = {n for field, info in ChatOpenAI.model_fields.items() for n in (field, info.alias) if n}
    if base_url:
        known.discard("max_tokens")
    body = {n: v for n, v in parameters.items() if n not in known}
    own = {n: v for n, v in parameters.items() if n in known and n != "extra_body"}
    body = {**parameters.get("extra_body", {}), **body}
    # The library then advises a method that only its own `with_structured_output` has.
    warnings.filterwarnings("ignore", message="This model does not support OpenAI's structured output")
    warnings.filterwarnings("ignore", message="Invalid schema for OpenAI's structured output")
    try:
        return ChatOpenAI(
            model=model, base_url=base_url or OPENAI_URL, api_key=key, max_retries=0, use_responses_api=False,
            cache=False, http_async_client=shared_client(), extra_body=body or None, **own,
        )  # fmt: skip
    except ValueError as error:
        raise InputError(_cannot_be_opened(f"openai:{model}", error, api_key)) from None


def open_other(provider: str, model: str, base_url: str, api_key: str, parameters: Mapping[str, Any]) -> BaseChatModel:
    """A model of any other provider that LangChain knows.

    Raises:
        InputError: no such provider, its package is not installed, or it does not take these parameters.
    """
    name = f"{provider}:{model}"
    given = {n: v for n, v in (("base_url", base_url), ("api_key", api_key)) if v}
    single = PROVIDERS.get(provider, Provider()).single
    try:
        from langchain.chat_models import init_chat_model

        options: dict[str, Any] = {"max_retries": single, "cache": False, **given, **parameters}
        opened: BaseChatModel = init_chat_model(model, model_provider=provider, **options)
        return opened
    except ImportError as error:
        raise InputError(_how_to_install(name, provider, error)) from None
    except ValueError as error:
        if "nsupported" in str(error) and "provider" in str(error):
            raise InputError(f"model {name!r}: there is no provider {provider!r}; write {EXAMPLES}") from None
        raise InputError(_cannot_be_opened(name, error, api_key)) from None


def _how_to_install(name: str, provider: str, error: ImportError) -> str:
    known = PROVIDERS.get(provider)
    if known is None and (error.name or "").partition(".")[0] == "langchain":
        return f"model {name!r}: only LangChain may know {provider!r}; pip install langchain, or write {EXAMPLES}"
    extra = known.extra if known else ""
    wanted = f"'{PACKAGE}[{extra}]'" if extra else f"langchain langchain-{provider.replace('_', '-')}"
    return f"model {name!r}: the package for {provider} is not installed; pip install {wanted}"


def _cannot_be_opened(name: str, error: ValueError, api_key: str) -> str:
    words = " ".join(blank_keys(str(error), (api_key,)).split())[:300]
    return f"model {name!r} cannot be opened: {words}; check its key and parameters"
