"""The model without HTTP: the same texts, tokens and fates as the server's."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from agents.chat.endpoint import Call, ChatModel, Message, Reply, Tokens
from agents.chat.fence import Fence
from benchmarks.scripted.answers import Request
from benchmarks.scripted.engine import Engine
from benchmarks.scripted.faults import Script, every_fault
from benchmarks.scripted.in_process import ScriptedModel
from benchmarks.scripted.letters import letters
from benchmarks.scripted.process import ThreadedEndpoint
from benchmarks.scripted.service import Service
from benchmarks.scripted.spoiling import REFUSAL
from knowledge_base.errors import BadCall, EndpointClosed, ProviderError, TransientFault

SCHEMA = {"title": "judgment", "type": "object"}
RULES = Message("system", "Compare the texts by the criterion. " * 10)


def call(pair: int = 0, criterion: str = "Clarity", sample: int = 0) -> Call:
    fence = Fence(b"secret", f"pair {pair}")
    named = [("a", "a long text " * (pair + 3)), ("b", "a text. " * 8), ("criterion", criterion)]
    return Call((RULES, Message("user", fence.blocks(named))), "judge", SCHEMA, sample)


CALLS = [call(pair, criterion) for pair in range(12) for criterion in ("Clarity", "Tone", "Length")]


async def asked(model: ChatModel, calls: Sequence[Call]) -> list[Reply | ProviderError]:
    said: list[Reply | ProviderError] = []
    for each in calls:
        try:
            said.append(await model.reply(each))
        except ProviderError as error:
            said.append(error)
    return said


def ask(model: ChatModel, *calls: Call) -> list[Reply | ProviderError]:
    return asyncio.run(asked(model, calls))


def one(model: ChatModel, each: Call) -> Reply:
    return asyncio.run(model.reply(each))


def outline(said: Reply | ProviderError) -> tuple[Any, ...]:
    if isinstance(said, Reply):
        return said.text, said.finish, said.tokens
    return type(said).__name__, said.status, said.retry_after


def over_http(client: httpx.Client, address: str, each: Call) -> tuple[Any, ...]:
    schema = {"type": "json_schema", "json_schema": {"name": "anything", "schema": dict(each.schema)}}
    messages = [{"role": m.role, "content": m.content} for m in each.messages]
    sent = {"model": "scripted", "messages": messages, "seed": each.sample, "response_format": schema}
    try:
        said = client.post(f"{address}/chat/completions", json=sent, timeout=5)
    except httpx.TransportError:
        return "TransientFault", None, None
    if said.status_code != 200:
        wait = said.headers.get("retry-after")
        return "TransientFault", said.status_code, float(wait) if wait else None
    choice, usage = said.json()["choices"][0], said.json()["usage"]
    cached = usage["prompt_tokens_details"]["cached_tokens"]
    tokens = Tokens(usage["prompt_tokens"], cached, usage["completion_tokens"])
    refusal = choice["message"]["refusal"]
    return refusal or choice["message"]["content"], "refusal" if refusal else choice["finish_reason"], tokens


@pytest.mark.parametrize("rates", [{}, {name: r for name, r in every_fault(0.06).items() if name != "rate_limit_date"}])
def test_server_and_model_say_the_same_to_the_same_calls(rates: dict[Any, float]) -> None:
    script = Script(seed=2, rates=rates, hang=0.01)
    calls = [c for c in CALLS for _ in range(3)]
    with ThreadedEndpoint(Engine(letters, Service(), script)) as endpoint, httpx.Client(verify=False) as client:
        served = [over_http(client, endpoint.base_url, c) for c in calls]
        counted = endpoint.stats()
    model = ScriptedModel(letters, script=script)
    assert [outline(r) for r in ask(model, *calls)] == served
    told = ("outcomes", "tokens", "answered_once", "duplicates", "requests", "cached_blocks")
    assert {name: model.stats()[name] for name in told} == {name: counted[name] for name in told}
    assert len({s[0] for s in served}) > 2


def test_a_reply_is_counted_and_takes_the_scripts_time_without_waiting() -> None:
    model = ScriptedModel(letters, script=Script(latency=20.0))
    start = time.monotonic()
    reply = one(model, call())
    assert time.monotonic() - start < 1
    assert reply.seconds == 20.0
    assert json.loads(reply.text)["verdict"] == "B"
    assert reply.tokens.cached == 0 < reply.tokens.completion < reply.tokens.prompt


def test_the_second_criterion_of_a_pair_finds_the_pair_cached() -> None:
    model = ScriptedModel(letters)
    first, second, other = (one(model, c) for c in (call(0, "Clarity"), call(0, "Tone"), call(1, "Tone")))
    assert first.tokens.cached == 0
    assert second.tokens.uncached < 40
    assert 0 < other.tokens.cached < second.tokens.cached


def test_with_a_lag_the_next_calls_find_nothing_cached() -> None:
    model = ScriptedModel(letters, lag=2)
    cached = [one(model, call(0, criterion)).tokens.cached for criterion in ("one", "two", "three", "four")]
    assert cached[:3] == [0, 0, 0]
    assert cached[3] > 0


def test_a_repair_turn_finds_the_reply_cached_too() -> None:
    model = ScriptedModel(lambda request: "a rather long reply " * 30)
    reply = one(model, call())
    repair = one(model, call().after(reply.text, "That is no JSON."))
    assert repair.tokens.cached > reply.tokens.prompt + reply.tokens.completion - 32


def test_another_sample_is_another_request() -> None:
    seen: list[Request] = []

    def note(request: Request) -> str:
        seen.append(request)
        return "noted"

    ask(ScriptedModel(note, "openai:m", temperature=0.5), call(), call(sample=3))
    assert [(r.sample, r.model, r.title, r.temperature) for r in seen] == [
        (0, "m", "judgment", 0.5),
        (3, "m", "judgment", 0.5),
    ]
    assert seen[0].digest != seen[1].digest


def test_name_and_fingerprint_are_as_told() -> None:
    model: ChatModel = ScriptedModel(letters, "openai:m", fingerprint="openai:m in world 3")
    assert (model.name, model.fingerprint) == ("openai:m", "openai:m in world 3")
    assert ScriptedModel(letters, "openai:m").fingerprint == "openai:m"


def test_a_limit_cuts_the_reply() -> None:
    reply = one(ScriptedModel(letters, limit=3), call())
    assert (reply.text, reply.finish, reply.tokens.completion) == ('{"reasoning"', "length", 3)


def test_a_refusal_ends_as_one() -> None:
    reply = one(ScriptedModel(letters, script=Script(first=("refusal",))), call())
    assert (reply.text, reply.finish) == (REFUSAL, "refusal")


@pytest.mark.parametrize(
    ("fault", "status", "wait"),
    [("rate_limit", 429, 4.0), ("rate_limit_date", 429, 4.0), ("server_error", 500, None), ("bad_gateway", 502, None),
     ("unavailable", 503, None), ("timeout", None, None), ("drop_headers", None, None), ("drop_body", None, None)],
)  # fmt: skip
def test_a_fault_of_the_wire_is_transient(fault: Any, status: int | None, wait: float | None) -> None:
    model = ScriptedModel(letters, script=Script(first=(fault,), retry_after=4.0))
    fault_said, reply = ask(model, call(), call())
    assert isinstance(fault_said, TransientFault)
    assert (fault_said.status, fault_said.retry_after, fault_said.model) == (status, wait, "openai:scripted")
    assert isinstance(reply, Reply)
    assert model.stats()["outcomes"] == {"answered": 1, fault: 1}
    assert model.stats()["in_flight"] == 0


@pytest.mark.parametrize(
    ("service", "each", "kind"),
    [
        (Service(models=("another",)), call(), EndpointClosed),
        (Service(models=(), quota=0), call(), EndpointClosed),
        (Service(models=(), window=20), call(), BadCall),
        (Service(models=()), Call((Message("user", "\ud800"),), "judge"), BadCall),
    ],
)
def test_what_no_further_try_helps_is_told_apart(service: Service, each: Call, kind: type[ProviderError]) -> None:
    (said,) = ask(ScriptedModel(letters, service=service), each)
    assert type(said) is kind
    assert said.model == "openai:scripted"
    assert "openai:scripted" in str(said)


def test_an_answer_function_that_fails_is_no_providers_fault() -> None:
    def fail(request: Request) -> str:
        raise KeyError("lost")

    model = ScriptedModel(fail)
    with pytest.raises(KeyError):
        one(model, call())
    assert model.stats()["outcomes"] == {"broken": 1}


def test_a_call_costs_far_less_than_a_millisecond() -> None:
    model = ScriptedModel(lambda request: "{}")
    calls = [call(pair, f"Criterion {i}") for pair in range(10) for i in range(20)]
    start = time.process_time()
    ask(model, *(calls * 10))
    assert (time.process_time() - start) / 2000 < 0.0005
