"""OpenAI's chat completions on the wire: a request's body read and checked, a reply's body and stream written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson

from agents.chat.endpoint import Message, Role, Tokens
from benchmarks.scripted.answers import Request
from benchmarks.scripted.engine import Served
from benchmarks.scripted.rejections import Rejection, bad_request, no_schemas
from benchmarks.scripted.service import Service, Usage

ROLES: Final[dict[str, Role]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}
SCHEMA_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
PIECE = 64
"""Characters in a chunk of a stream."""


@dataclass(frozen=True, slots=True)
class Order:
    """A request as it came: what is asked, tokens that the reply may have, and whether to stream it, with usage."""

    request: Request
    limit: int | None
    stream: bool
    stream_usage: bool


def read_order(body: bytes, service: Service) -> Order:
    """Read and check a request's body.

    Raises:
        Rejection: it is not of the API's form, or asks for what the service does not offer.
    """
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"We could not parse the JSON body of your request: {error}") from error
    if not isinstance(asked, dict):
        raise bad_request("The body of your request must be a JSON object.")
    request = Request(
        messages=_messages(asked.get("messages")),
        title=_title(asked.get("response_format"), service),
        model=_typed(asked, "model", str, ""),
        sample=_typed(asked, "seed", int, 0),
        temperature=_number(asked, "temperature", 2.0),
    )
    if _typed(asked, "n", int, 1) != 1:
        raise bad_request("Only one choice is offered: 'n' must be 1.", "n")
    options = _typed(asked, "stream_options", dict, {})
    stream = _typed(asked, "stream", bool, False)
    return Order(request, _limit(asked), stream, stream and bool(options.get("include_usage")))


def completion(name: str, created: int, model: str, served: Served, usage: Usage) -> bytes:
    """The body of a whole reply."""
    message = {
        "role": "assistant",
        "content": None if served.refusal else served.text,
        "refusal": served.text if served.refusal else None,
    }
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": served.finish}
    reply: dict[str, Any] = _envelope(name, created, model, "chat.completion", [choice])
    if usage != "none":
        reply["usage"] = _usage(served.tokens, usage)
    return orjson.dumps(reply)


def chunks(name: str, created: int, model: str, served: Served, usage: Usage | None) -> Iterator[bytes]:
    """The events of a streamed reply; `usage`: None if the request asked for none."""

    def event(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _event(_envelope(name, created, model, "chat.completion.chunk", [choice]))

    field = "refusal" if served.refusal else "content"
    yield event({"role": "assistant", field: ""})
    for start in range(0, len(served.text), PIECE):
        yield event({field: served.text[start : start + PIECE]})
    yield event({}, served.finish)
    if usage is not None and usage != "none":
        last = _envelope(name, created, model, "chat.completion.chunk", [])
        yield _event(last | {"usage": _usage(served.tokens, usage)})
    yield b"data: [DONE]\n\n"


def model_list(service: Service) -> bytes:
    """The body of the list of models; `max_model_len` stands there as vLLM has it."""
    names = service.models or ("scripted",)
    fixed = {"object": "model", "created": 0, "owned_by": "scripted", "max_model_len": service.window}
    return orjson.dumps({"object": "list", "data": [{"id": name} | fixed for name in names]})


def _messages(given: object) -> tuple[Message, ...]:
    if not isinstance(given, list) or not given:
        raise bad_request("'messages' must be a list of at least one message.", "messages")
    return tuple([_message(m, at) for at, m in enumerate(given)])


def _message(given: object, at: int) -> Message:
    place = f"messages[{at}]"
    if not isinstance(given, dict):
        raise bad_request(f"'{place}' must be an object.", place)
    role = ROLES.get(given.get("role", ""))
    if role is None:
        raise bad_request(f"'{place}.role' must be one of {', '.join(ROLES)}.", f"{place}.role")
    content = given.get("content")
    if isinstance(content, list):
        content = "".join([_part(p, place) for p in content])
    if content is None and role == "assistant":
        content = given.get("refusal") or ""
    if not isinstance(content, str):
        raise bad_request(f"'{place}.content' must be a string or a list of parts.", f"{place}.content")
    return Message(role, content)


def _part(given: object, place: str) -> str:
    if isinstance(given, dict) and given.get("type") == "text" and isinstance(given.get("text"), str):
        return str(given["text"])
    raise bad_request(f"'{place}.content' may hold parts of type 'text' only.", f"{place}.content")


def _title(given: object, service: Service) -> str:
    if given is None:
        return ""
    wanted = given if isinstance(given, dict) else {}
    kind = wanted.get("type")
    if kind not in ("text", "json_object", "json_schema"):
        message = f"Invalid value: {kind!r}. Supported values are: 'json_object', 'json_schema', and 'text'."
        raise bad_request(message, "response_format.type")
    if kind != "text" and not service.schemas:
        raise no_schemas(kind)
    return _schema_title(wanted.get("json_schema")) if kind == "json_schema" else ""


def _schema_title(given: object) -> str:
    place = "response_format.json_schema"
    if not isinstance(given, dict):
        raise bad_request(f"Missing required parameter: '{place}'.", place)
    name, schema = given.get("name"), given.get("schema")
    if not isinstance(name, str) or not SCHEMA_NAME.fullmatch(name):
        raise bad_request(f"'{place}.name' must have 1 to 64 letters, digits, '_' or '-'.", f"{place}.name")
    if not isinstance(schema, dict):
        raise bad_request(f"Missing required parameter: '{place}.schema'.", f"{place}.schema")
    return str(schema.get("title", name))


def _limit(asked: dict[str, Any]) -> int | None:
    for name in ("max_completion_tokens", "max_tokens"):
        limit: int | None = _typed(asked, name, int, None)
        if limit is not None and limit < 1:
            raise bad_request(f"Invalid '{name}': {limit} is less than the minimum of 1.", name)
        if limit is not None:
            return limit
    return None


def _number(asked: dict[str, Any], name: str, most: float) -> float | None:
    value = asked.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise bad_request(f"Invalid '{name}': {value!r} is no number from 0 to {most:g}.", name)
    return float(value)


def _typed(asked: dict[str, Any], name: str, kind: type, absent: Any) -> Any:
    value = asked.get(name)
    if value is None:
        return absent
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise _wrong_type(name, kind)
    return value


def _wrong_type(name: str, kind: type) -> Rejection:
    return bad_request(f"Invalid type for '{name}': expected {kind.__name__}.", name)


def _envelope(name: str, created: int, model: str, kind: str, choices: list[Any]) -> dict[str, Any]:
    return {"id": name, "object": kind, "created": created, "model": model, "choices": choices}


def _usage(tokens: Tokens, usage: Usage) -> dict[str, Any]:
    counted: dict[str, Any] = {
        "prompt_tokens": tokens.prompt,
        "completion_tokens": tokens.completion,
        "total_tokens": tokens.prompt + tokens.completion,
    }
    return counted | {"prompt_tokens_details": {"cached_tokens": tokens.cached}} if usage == "full" else counted


def _event(what: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(what) + b"\n\n"
