"""Each other provider's own client against a server that answers in that provider's wire format.

The packages are real and so is the HTTP; what the providers themselves would say is written down here from their
documentation. Nothing was ever sent to one of them.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import httpx2
import pytest
from loopback_endpoint import Answer, LoopbackEndpoint, completion

from agents.chat.connections import in_resident_loop
from agents.chat.endpoint import Call, Message, Reply, Tokens
from agents.chat.langchain_model import LangChainModel, open_model
from knowledge_base.errors import BadCall, EndpointClosed, ProviderError, TransientFault

KEY = "key-0123456789"
JSON = '{"verdict": "A"}'
SCHEMA: dict[str, Any] = {
    "title": "judgment",
    "type": "object",
    "properties": {"verdict": {"type": "string"}},
    "required": ["verdict"],
    "additionalProperties": False,
}
CALL = Call((Message("system", "Judge."), Message("user", "Which?")), "judge", SCHEMA)


@dataclass(frozen=True)
class Wire:
    """How one provider talks.

    Attributes:
        reply: a completion that was cut off at its length, of 17 prompt tokens, 7 of them cached, and 5 of reply.
        path: where the client posts to.
        schema: keys that lead to the schema in what it posts.
        versioned: whether its base URL ends in `/v1`.
    """

    reply: Mapping[str, Any]
    path: str
    schema: tuple[str, ...]
    tokens: Tokens = field(default_factory=lambda: Tokens(17, 7, 5))
    versioned: bool = False


COMPLETION = completion(JSON, "length")
COMPLETION["usage"] = {
    "prompt_tokens": 17, "completion_tokens": 5, "total_tokens": 22, "prompt_tokens_details": {"cached_tokens": 7}
}  # fmt: skip
IN_OPENAI = ("response_format", "json_schema", "schema")
WIRES = {
    "anthropic:claude": Wire(
        {"id": "m", "type": "message", "role": "assistant", "model": "claude", "stop_reason": "max_tokens",
         "stop_sequence": None, "content": [{"type": "text", "text": JSON}],
         "usage": {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 7,
                   "cache_creation_input_tokens": 0}},
        "/v1/messages", ("output_config", "format", "schema"),
    ),
    "google_genai:gemini": Wire(
        {"candidates": [{"content": {"parts": [{"text": JSON}], "role": "model"}, "finishReason": "MAX_TOKENS"}],
         "usageMetadata": {"promptTokenCount": 17, "candidatesTokenCount": 5, "totalTokenCount": 22,
                           "cachedContentTokenCount": 7}},
        "/v1beta/models/gemini:generateContent", ("generationConfig", "responseJsonSchema"),
    ),
    "ollama:llama3:8b": Wire(
        {"model": "llama3:8b", "created_at": "2026-01-01T00:00:00Z", "done": True, "done_reason": "length",
         "message": {"role": "assistant", "content": JSON}, "prompt_eval_count": 17, "eval_count": 5},
        "/api/chat", ("format",), tokens=Tokens(17, 0, 5),
    ),
    "mistralai:small": Wire(COMPLETION, "/v1/chat/completions", IN_OPENAI, tokens=Tokens(17, 0, 5), versioned=True),
    "groq:llama": Wire(COMPLETION, "/openai/v1/chat/completions", IN_OPENAI),
}  # fmt: skip


_opened: list[LangChainModel] = []
"""Kept until their connections are closed: one that is forgotten before leaves its socket open."""


@pytest.fixture(autouse=True)
def _hung_up() -> Iterator[None]:
    """The packages keep their connections for as long as the process lives; here that is the length of a test."""
    yield
    kinds = (httpx.AsyncClient, httpx2.AsyncClient)
    clients = [found for found in gc.get_objects() if issubclass(type(found), kinds) and not found.is_closed]
    for client in clients:
        asyncio.run(in_resident_loop(client.aclose()))
    _opened.clear()


def opened(name: str, endpoint: LoopbackEndpoint) -> LangChainModel:
    url = endpoint.url if WIRES[name].versioned else endpoint.url.removesuffix("/v1")
    _opened.append(open_model(name, base_url=url, api_key=KEY, settings="TOUCHSTONE_WORKER"))
    return _opened[-1]


def asked(model: LangChainModel, call: Call = CALL) -> Reply:
    return asyncio.run(model.reply(call))


def refused(name: str, answer: Answer) -> tuple[ProviderError, int]:
    """What is raised, and after how many requests."""
    with LoopbackEndpoint(lambda _: answer) as endpoint, pytest.raises(ProviderError) as raised:
        asked(opened(name, endpoint))
    return raised.value, len(endpoint.requests)


@pytest.mark.parametrize("name", WIRES)
def test_a_question_goes_out_with_its_schema_and_the_reply_comes_back_with_its_tokens(name: str) -> None:
    wire = WIRES[name]
    with LoopbackEndpoint(lambda _: Answer(wire.reply)) as endpoint:
        reply = asked(opened(name, endpoint))
    assert (reply.text, reply.finish, reply.tokens) == (JSON, "length", wire.tokens)
    [request] = endpoint.requests
    sent: Any = request.body
    for key in wire.schema:
        sent = sent[key]
    assert request.path == wire.path
    assert sent["required"] == ["verdict"]
    assert "Which?" in str(request.body)


@pytest.mark.parametrize("name", WIRES)
def test_connections_outlive_the_event_loop_that_opened_them(name: str) -> None:
    with LoopbackEndpoint(lambda _: Answer(WIRES[name].reply)) as endpoint:
        model = opened(name, endpoint)
        assert [asked(model).text for _ in range(3)] == [JSON] * 3
    assert len(endpoint.requests) == 3


def anthropic(kind: str, message: str, status: int, headers: dict[str, str] | None = None) -> Answer:
    return Answer({"type": "error", "error": {"type": kind, "message": message}}, status, headers or {})


def google(message: str, status: int, *details: dict[str, Any]) -> Answer:
    return Answer({"error": {"code": status, "message": message, "details": list(details)}}, status)


def openai_like(message: str, status: int, headers: dict[str, str] | None = None, code: str = "") -> Answer:
    return Answer({"error": {"message": message, "type": "error", "code": code}}, status, headers or {})


@pytest.mark.parametrize(
    ("name", "answer", "kind", "words"),
    [
        ("anthropic:claude", anthropic("authentication_error", f"invalid x-api-key {KEY}", 401), EndpointClosed,
         "401, the key was refused; set TOUCHSTONE_WORKER_API_KEY"),
        ("anthropic:claude", anthropic("overloaded_error", "Overloaded", 529), TransientFault, "the endpoint failed"),
        ("anthropic:claude", anthropic("invalid_request_error", "Your credit balance is too low", 400), EndpointClosed,
         "quota or credit is used up"),
        ("anthropic:claude", anthropic("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum", 400),
         BadCall, "longer than the context window"),
        ("anthropic:claude", Answer(b'{"id"', 200), TransientFault, "no chat completion"),
        ("google_genai:gemini", google("API key not valid.", 400, {"reason": "API_KEY_INVALID"}), EndpointClosed,
         "the key was refused"),
        ("google_genai:gemini", google("models/gemini is not found", 404), EndpointClosed, "model not found"),
        ("google_genai:gemini", google("overloaded", 503), TransientFault, "the endpoint failed"),
        ("ollama:llama3:8b", Answer({"error": "model 'llama3:8b' not found"}, 404), EndpointClosed, "model not found"),
        ("ollama:llama3:8b", Answer({"error": "boom"}, 500), TransientFault, "the endpoint failed"),
        ("ollama:llama3:8b", Answer(b"", 200, sent=20), TransientFault, "the connection failed"),
        ("mistralai:small", Answer({"message": "Unauthorized"}, 401), EndpointClosed, "the key was refused"),
        ("mistralai:small",
         Answer({"object": "error", "message": "Prompt contains 9 tokens, too large for model with 8 maximum context "
                 "length", "type": "invalid_request_prompt"}, 400), BadCall, "longer than the context window"),
        ("groq:llama", openai_like("Invalid API Key", 401, code="invalid_api_key"), EndpointClosed, "key was refused"),
    ],
)  # fmt: skip
def test_a_failure_is_told_apart_after_one_request(
    name: str, answer: Answer, kind: type[ProviderError], words: str
) -> None:
    error, requests = refused(name, answer)
    assert isinstance(error, kind)
    assert words in str(error)
    assert KEY not in str(error)
    assert requests == 1


@pytest.mark.parametrize(
    ("name", "answer", "seconds"),
    [
        ("anthropic:claude", anthropic("rate_limit_error", "slow", 429, {"retry-after": "7"}), 7),
        ("google_genai:gemini",
         google("quota", 429, {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34s"}), 34),
        ("mistralai:small", Answer({"message": "slow"}, 429, {"retry-after": "3"}), 3),
        ("groq:llama", openai_like("Rate limit", 429, {"retry-after": "2"}, "rate_limit_exceeded"), 2),
    ],
)  # fmt: skip
def test_a_rate_limit_says_how_long_to_wait(name: str, answer: Answer, seconds: float) -> None:
    error, requests = refused(name, answer)
    assert isinstance(error, TransientFault)
    assert error.retry_after == seconds
    assert requests == 1


def test_a_schema_that_an_endpoint_refuses_is_left_out_from_then_on() -> None:
    def answer(request: Any) -> Answer:
        no = openai_like("This model does not support response format `json_schema`.", 400)
        return no if "response_format" in request.body else Answer(COMPLETION)

    with LoopbackEndpoint(answer) as endpoint:
        model = opened("groq:llama", endpoint)
        assert [asked(model).text for _ in range(2)] == [JSON] * 2
    assert ["response_format" in r.body for r in endpoint.requests] == [True, False, False]
