"""The scripted endpoint as clients see it when nothing goes wrong, and when they do something wrong."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from openai import OpenAI

from agents.chat.endpoint import Message
from agents.chat.fence import Fence
from benchmarks.scripted.answers import Request
from benchmarks.scripted.engine import Engine
from benchmarks.scripted.faults import Script
from benchmarks.scripted.letters import letters
from benchmarks.scripted.process import ThreadedEndpoint
from benchmarks.scripted.service import Service
from benchmarks.scripted.tokenizer import rendered, tokens_in

FENCE = Fence(b"secret", "a pair")
SCHEMA = {"type": "json_schema", "json_schema": {"name": "judgment", "schema": {"title": "judgment"}}}


def body(criterion: str = "Clarity: it is clear", **more: Any) -> dict[str, Any]:
    blocks = FENCE.blocks([("a", "a longer text " * 20), ("b", "a text " * 20), ("criterion", criterion)])
    messages = [{"role": "system", "content": "Compare."}, {"role": "user", "content": blocks}]
    return {"model": "scripted", "messages": messages, "response_format": SCHEMA} | more


def with_schema(schema: object) -> dict[str, Any]:
    return body(response_format={"type": "json_schema", "json_schema": schema})


def serving(service: Service | None = None, script: Script | None = None, log: Path | None = None) -> ThreadedEndpoint:
    return ThreadedEndpoint(Engine(letters, service or Service(), script or Script(), log))


def post(endpoint: ThreadedEndpoint, asked: dict[str, Any] | bytes, **headers: str) -> httpx.Response:
    content = asked if isinstance(asked, bytes) else json.dumps(asked).encode()
    return httpx.post(
        f"{endpoint.base_url}/chat/completions", content=content, headers=headers, timeout=5, verify=False
    )


@pytest.fixture(scope="module")
def plain() -> Iterator[ThreadedEndpoint]:
    with serving() as endpoint:
        yield endpoint


@pytest.fixture
def endpoint(plain: ThreadedEndpoint) -> ThreadedEndpoint:
    plain.reset()
    return plain


@pytest.fixture
def client(endpoint: ThreadedEndpoint) -> Iterator[OpenAI]:
    with OpenAI(base_url=endpoint.base_url, api_key="none", max_retries=0, timeout=5) as made:
        yield made


def test_the_openai_client_gets_a_reply_with_its_usage(client: OpenAI) -> None:
    asked = body()
    reply = client.chat.completions.create(**asked)
    prompt = rendered([Message(m["role"], m["content"]) for m in asked["messages"]])
    text = reply.choices[0].message.content or ""
    assert json.loads(text)["verdict"] == "A"
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage is not None
    assert reply.usage.prompt_tokens == tokens_in(prompt)
    assert reply.usage.completion_tokens == tokens_in(text.encode())
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens


def test_the_second_criterion_of_a_pair_finds_the_pair_cached(client: OpenAI) -> None:
    first, second = (client.chat.completions.create(**body(c)) for c in ("Clarity: clear", "Tone: friendly"))
    assert first.usage is not None
    assert second.usage is not None
    cached = [u.prompt_tokens_details.cached_tokens for u in (first.usage, second.usage) if u.prompt_tokens_details]
    shared = rendered([Message(m["role"], m["content"]) for m in body("")["messages"]]).index(b"[[criterion")
    assert cached == [0, 16 * (shared // 64)]


def test_a_streamed_reply_adds_up_to_the_whole_one(client: OpenAI) -> None:
    whole = client.chat.completions.create(**body())
    stream = client.chat.completions.create(**body(), stream=True, stream_options={"include_usage": True})
    chunks = list(stream)
    said = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert said == whole.choices[0].message.content
    assert len(chunks) > 3
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert whole.usage is not None
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert {c.id for c in chunks} == {chunks[0].id}


def test_a_stream_has_usage_only_if_asked(endpoint: ThreadedEndpoint) -> None:
    said = post(endpoint, body(stream=True))
    assert said.headers["content-type"] == "text/event-stream"
    assert said.text.endswith("data: [DONE]\n\n")
    assert "usage" not in said.text


def test_a_stream_begins_before_it_ends() -> None:
    with serving(script=Script(latency=0.4, prefill=0.25)) as endpoint:
        address, start, came = f"{endpoint.base_url}/chat/completions", time.monotonic(), []
        with httpx.stream("POST", address, json=body(stream=True), timeout=5, verify=False) as said:
            came = [time.monotonic() - start for line in said.iter_lines() if line]
    assert 0.1 <= came[0] < came[-1]
    assert came[-1] - came[0] > 0.2


def test_a_client_that_leaves_a_stream_is_counted_as_gone() -> None:
    with serving(script=Script(latency=30.0, prefill=0.0)) as endpoint:
        address = f"{endpoint.base_url}/chat/completions"
        with httpx.stream("POST", address, json=body(stream=True), timeout=5, verify=False) as said:
            assert next(said.iter_lines()).startswith("data: {")
        until = time.monotonic() + 2
        while endpoint.stats()["in_flight"] and time.monotonic() < until:
            time.sleep(0.005)
        assert endpoint.stats()["outcomes"] == {"abandoned": 1}


def test_models_are_listed(client: OpenAI) -> None:
    assert [m.id for m in client.models.list()] == ["scripted"]


def test_a_request_id_tells_digest_and_attempt(endpoint: ThreadedEndpoint) -> None:
    ids = [post(endpoint, body()).headers["x-request-id"] for _ in range(2)]
    asked = body()
    request = Request(tuple(Message(m["role"], m["content"]) for m in asked["messages"]), "judgment", "scripted")
    assert ids == [f"chatcmpl-{request.digest}-{n}" for n in (1, 2)]


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_limit_of_tokens_cuts_the_reply(client: OpenAI, name: str) -> None:
    asked: dict[str, Any] = body() | {name: 3}
    reply = client.chat.completions.create(**asked)
    assert reply.choices[0].finish_reason == "length"
    assert reply.choices[0].message.content == '{"reasoning"'
    assert reply.usage is not None
    assert reply.usage.completion_tokens == 3


def test_seed_model_and_title_reach_the_answer_function() -> None:
    seen: list[Request] = []

    def note(request: Request) -> str:
        seen.append(request)
        return "noted"

    with ThreadedEndpoint(Engine(note, Service(models=("m", "n")), Script())) as endpoint:
        post(endpoint, body(model="n", seed=7, temperature=0.5))
        post(endpoint, body(model="m", response_format={"type": "json_object"}, seed=None))
        named = {"type": "json_schema", "json_schema": {"name": "point", "schema": {"type": "object"}}}
        post(endpoint, body(model="m", response_format=named))
    assert [(r.model, r.sample, r.temperature, r.title) for r in seen] == [
        ("n", 7, 0.5, "judgment"), ("m", 0, None, ""), ("m", 0, None, "point")
    ]  # fmt: skip


def test_a_message_may_come_in_parts_and_from_a_developer(endpoint: ThreadedEndpoint) -> None:
    parts = [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]
    asked = {
        "model": "scripted",
        "messages": [{"role": "developer", "content": "R"}, {"role": "user", "content": parts}],
    }
    assert post(endpoint, asked).json()["choices"][0]["message"]["content"] == "I was sent 6 characters."


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        (b"{", None),
        (b"[]", None),
        (b'{"model": "scripted", "messages": [{"role": "user", "content": "\\ud800"}]}', None),
        ({"model": "scripted"}, "messages"),
        (body(messages=[]), "messages"),
        (body(messages=["hello"]), "messages[0]"),
        (body(messages=[{"role": "robot", "content": "x"}]), "messages[0].role"),
        (body(messages=[{"role": "user", "content": None}]), "messages[0].content"),
        (body(messages=[{"role": "user", "content": [{"type": "image_url"}]}]), "messages[0].content"),
        (body(response_format="json"), "response_format.type"),
        (body(response_format={"type": "xml"}), "response_format.type"),
        (with_schema(None), "response_format.json_schema"),
        (with_schema({"name": "a b", "schema": {}}), "response_format.json_schema.name"),
        (with_schema({"name": "a"}), "response_format.json_schema.schema"),
        (body(max_tokens=0), "max_tokens"),
        (body(max_completion_tokens="many"), "max_completion_tokens"),
        (body(temperature=3), "temperature"),
        (body(seed="x"), "seed"),
        (body(n=2), "n"),
        (body(stream="yes"), "stream"),
        (body(model=7), "model"),
    ],
)  # fmt: skip
def test_a_request_that_is_not_of_the_form_is_refused_by_name(
    endpoint: ThreadedEndpoint, wrong: dict[str, Any] | bytes, param: str | None
) -> None:
    said = post(endpoint, wrong)
    assert said.status_code == 400
    assert said.json()["error"]["type"] == "invalid_request_error"
    assert said.json()["error"]["param"] == param
    assert endpoint.stats()["outcomes"] == {"bad_request": 1}


def test_an_unknown_model_is_not_found(endpoint: ThreadedEndpoint) -> None:
    said = post(endpoint, body(model="another"))
    assert (said.status_code, said.json()["error"]["code"]) == (404, "model_not_found")
    assert "`another`" in said.json()["error"]["message"]


@pytest.mark.parametrize(("path", "status"), [("/v1/completions", 404), ("/v1/chat/completions", 405), ("/", 404)])
def test_an_unknown_address_is_not_found(endpoint: ThreadedEndpoint, path: str, status: int) -> None:
    assert httpx.get(endpoint.base_url.removesuffix("/v1") + path).status_code == status


def test_a_server_without_names_serves_any_model() -> None:
    with serving(Service(models=())) as endpoint:
        assert post(endpoint, body(model="whatever")).status_code == 200


@pytest.mark.parametrize("given", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "right"}])
def test_a_wrong_key_is_refused(given: dict[str, str]) -> None:
    with serving(Service(key="right")) as endpoint:
        said = post(endpoint, body(), **given)
        assert (said.status_code, said.json()["error"]["code"]) == (401, "invalid_api_key")
        assert httpx.get(f"{endpoint.base_url}/models", headers=given).status_code == 401
        assert post(endpoint, body(), Authorization="Bearer right").status_code == 200
        assert endpoint.stats()["outcomes"] == {"answered": 1, "bad_key": 2}


def test_an_old_server_refuses_a_response_format_but_answers_without() -> None:
    with serving(Service(schemas=False)) as endpoint:
        said = post(endpoint, body())
        assert (said.status_code, said.json()["error"]["param"]) == (400, "response_format")
        unasked = body()
        del unasked["response_format"]
        reply = post(endpoint, unasked).json()["choices"][0]["message"]["content"]
        assert json.loads(reply)["verdict"] == "A"


def test_a_prompt_beyond_the_window_is_refused() -> None:
    prompt = tokens_in(rendered([Message(m["role"], m["content"]) for m in body()["messages"]]))
    with serving(Service(window=prompt + 3)) as endpoint:
        said = post(endpoint, body(max_tokens=4))
        assert (said.status_code, said.json()["error"]["code"]) == (400, "context_length_exceeded")
        assert f"{prompt + 4} tokens" in said.json()["error"]["message"]
        fits = post(endpoint, body()).json()
        assert fits["choices"][0]["finish_reason"] == "length"
        assert fits["usage"]["completion_tokens"] == 3
    with serving(Service(window=prompt - 1)) as endpoint:
        assert post(endpoint, body()).json()["error"]["code"] == "context_length_exceeded"


def test_a_quota_is_used_up() -> None:
    with serving(Service(quota=2)) as endpoint:
        said = [post(endpoint, body()) for _ in range(4)]
        assert [s.status_code for s in said] == [200, 200, 429, 429]
        assert said[-1].json()["error"]["code"] == "insufficient_quota"
        assert "retry-after" not in said[-1].headers
        endpoint.reset()
        assert post(endpoint, body()).status_code == 200


def test_usage_can_be_left_out_in_part_or_altogether() -> None:
    with serving(Service(usage="plain")) as endpoint:
        assert set(post(endpoint, body()).json()["usage"]) == {"prompt_tokens", "completion_tokens", "total_tokens"}
    with serving(Service(usage="none")) as endpoint:
        assert "usage" not in post(endpoint, body()).json()
        assert "usage" not in post(endpoint, body(stream=True, stream_options={"include_usage": True})).text


def test_errors_can_look_like_those_of_vllm() -> None:
    with serving(Service(style="vllm", window=5, key="k")) as endpoint:
        assert post(endpoint, body()).json() == {"error": "Unauthorized"}
        said = post(endpoint, body(), Authorization="Bearer k").json()
        assert (said["object"], said["code"], said["type"]) == ("error", 400, "BadRequestError")
        assert "maximum context length is 5 tokens" in said["message"]


def test_what_a_request_computes_is_cached_once_its_prompt_has_been_read() -> None:
    def cached(said: httpx.Response) -> int:
        return int(said.json()["usage"]["prompt_tokens_details"]["cached_tokens"])

    with serving(script=Script(latency=0.5, prefill=1.0)) as endpoint, ThreadPoolExecutor(1) as pool:
        first = pool.submit(post, endpoint, body("Clarity"))
        while endpoint.engine.counters.in_flight < 1:
            time.sleep(0.005)
        assert [cached(post(endpoint, body("Tone"))), cached(first.result())] == [0, 0]
        assert cached(post(endpoint, body("Length"))) > 0


def test_replies_take_as_long_as_the_script_says() -> None:
    with serving(script=Script(latency=0.12)) as endpoint:
        start = time.monotonic()
        post(endpoint, body())
        assert time.monotonic() - start >= 0.12


def test_many_requests_are_served_at_once() -> None:
    async def ask(address: str) -> list[int]:
        async with httpx.AsyncClient(timeout=5) as client:
            asked = (client.post(f"{address}/chat/completions", json=body(seed=i)) for i in range(40))
            return [r.status_code for r in await asyncio.gather(*asked)]

    with serving(script=Script(latency=0.2)) as endpoint:
        start = time.monotonic()
        assert asyncio.run(ask(endpoint.base_url)) == [200] * 40
        assert time.monotonic() - start < 40 * 0.2 / 4
        stats = endpoint.stats()
    assert stats["most_in_flight"] > 10
    assert (stats["in_flight"], stats["requests"], stats["duplicates"]) == (0, 40, 0)


def test_stats_count_outcomes_tokens_and_duplicates_until_reset(endpoint: ThreadedEndpoint) -> None:
    replies = [post(endpoint, body(seed=seed)).json()["usage"] for seed in (1, 2, 1, 1)]
    post(endpoint, body(n=3))
    stats = endpoint.stats()
    assert stats["outcomes"] == {"answered": 4, "bad_request": 1}
    assert (stats["requests"], stats["answered_once"], stats["duplicates"]) == (5, 2, 2)
    assert stats["tokens"] == {
        "prompt": sum(u["prompt_tokens"] for u in replies),
        "cached": sum(u["prompt_tokens_details"]["cached_tokens"] for u in replies),
        "completion": sum(u["completion_tokens"] for u in replies),
    }
    assert stats["cpu_seconds"] > 0
    assert stats["cached_blocks"] > 0
    endpoint.reset()
    cleared = endpoint.stats()
    assert (cleared["requests"], cleared["duplicates"], cleared["cached_blocks"]) == (0, 0, 0)
    assert cleared["tokens"] == {"prompt": 0, "cached": 0, "completion": 0}
    assert post(endpoint, body(seed=1)).headers["x-request-id"].endswith("-1")


def test_a_log_holds_what_was_asked_and_what_became_of_it(tmp_path: Path) -> None:
    with serving(script=Script(first=("server_error", "prose")), log=tmp_path / "log.jsonl") as endpoint:
        for _ in range(3):
            post(endpoint, body(seed=5))
        endpoint.stats()
        lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [(line["attempt"], line["outcome"]) for line in lines] == [
        (1, "server_error"),
        (2, "prose"),
        (3, "answered"),
    ]
    assert lines[0]["reply"] is None
    assert json.loads(lines[2]["reply"])["verdict"] == "A"
    assert lines[2]["messages"] == [[m["role"], m["content"]] for m in body()["messages"]]
    assert {(line["sample"], line["title"], line["digest"]) for line in lines} == {(5, "judgment", lines[0]["digest"])}


def test_an_answer_function_that_fails_is_a_500_that_says_so(caplog: pytest.LogCaptureFixture) -> None:
    def fail(request: Request) -> str:
        raise KeyError("lost")

    with ThreadedEndpoint(Engine(fail, Service(), Script())) as endpoint:
        said = post(endpoint, body())
        assert said.status_code == 500
        assert "KeyError('lost')" in said.json()["error"]["message"]
        assert endpoint.stats()["outcomes"] == {"broken": 1}
        assert endpoint.stats()["in_flight"] == 0
    assert "the answer function failed" in caplog.text


def test_a_body_of_megabytes_is_read_whole(endpoint: ThreadedEndpoint) -> None:
    asked = {"model": "scripted", "messages": [{"role": "user", "content": "x" * 3_000_000}]}
    assert post(endpoint, asked).json()["choices"][0]["message"]["content"] == "I was sent 3000000 characters."


def test_stopping_waits_for_nobody() -> None:
    endpoint = serving(script=Script(latency=30.0))
    with ThreadPoolExecutor(2) as pool:
        with endpoint:
            asked = [pool.submit(post, endpoint, body(seed=i)) for i in range(2)]
            while endpoint.engine.counters.in_flight < 2:
                time.sleep(0.005)
            start = time.monotonic()
        assert time.monotonic() - start < 1
        for request in asked:
            with pytest.raises(httpx.TransportError):
                request.result()
    assert f"scripted endpoint {endpoint.port}" not in [t.name for t in threading.enumerate()]
