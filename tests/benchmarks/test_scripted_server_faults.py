"""Every fault of the scripted endpoint as it arrives at a client."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import openai
import pytest

from agents.chat.fence import Fence
from benchmarks.scripted.engine import Engine
from benchmarks.scripted.faults import TEXT_FAULTS, Fault, Script, every_fault
from benchmarks.scripted.letters import letters
from benchmarks.scripted.process import ThreadedEndpoint
from benchmarks.scripted.service import Service
from benchmarks.scripted.spoiling import PROSE_REFUSALS, REFUSAL

FENCE = Fence(b"secret", "a pair")
SCHEMA = {"type": "json_schema", "json_schema": {"name": "judgment", "schema": {"title": "judgment"}}}


def body(seed: int = 0, **more: Any) -> dict[str, Any]:
    blocks = FENCE.blocks([("a", "longer"), ("b", "text"), ("criterion", "Clarity: it is clear")])
    messages = [{"role": "user", "content": blocks}]
    return {"model": "scripted", "messages": messages, "response_format": SCHEMA, "seed": seed} | more


def serving(**script: Any) -> ThreadedEndpoint:
    return ThreadedEndpoint(Engine(letters, Service(), Script(**script)))


def post(endpoint: ThreadedEndpoint, seed: int = 0, timeout: float = 5.0, **more: Any) -> httpx.Response:
    return httpx.post(f"{endpoint.base_url}/chat/completions", json=body(seed, **more), timeout=timeout, verify=False)


def content(said: httpx.Response) -> Any:
    return said.json()["choices"][0]["message"]["content"]


def eventually(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + 2
    while not holds() and time.monotonic() < until:
        time.sleep(0.005)
    return holds()


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [("rate_limit", 429, "requests"), ("rate_limit_date", 429, "requests"), ("server_error", 500, "server_error"),
     ("unavailable", 503, "service_unavailable")],
)  # fmt: skip
def test_a_fault_with_a_status_comes_with_an_error_body_and_ends(fault: Fault, status: int, kind: str) -> None:
    with serving(rates={fault: 1.0}, end_after=2) as endpoint:
        said = [post(endpoint) for _ in range(3)]
        assert [s.status_code for s in said] == [status, status, 200]
        assert said[0].json()["error"]["type"] == kind
        assert endpoint.stats()["outcomes"] == {"answered": 1, fault: 2}


def test_a_bad_gateway_is_a_page_and_no_json() -> None:
    with serving(first=("bad_gateway",)) as endpoint:
        said = post(endpoint)
        assert (said.status_code, said.headers["content-type"]) == (502, "text/html")
        assert said.text.startswith("<html>")


@pytest.mark.parametrize(("seconds", "shown"), [(7.0, "7"), (0.05, "0.05")])
def test_a_rate_limit_says_in_seconds_when_to_come_back(seconds: float, shown: str) -> None:
    with serving(first=("rate_limit",), retry_after=seconds) as endpoint:
        assert post(endpoint).headers["retry-after"] == shown


def test_a_rate_limit_says_as_a_date_when_to_come_back() -> None:
    with serving(first=("rate_limit_date",), retry_after=7.0) as endpoint:
        until = parsedate_to_datetime(post(endpoint).headers["retry-after"]).timestamp()
        assert 5 < until - time.time() <= 8


def test_the_openai_client_retries_and_succeeds() -> None:
    with (
        serving(first=("rate_limit", "rate_limit"), retry_after=0.01) as endpoint,
        openai.OpenAI(base_url=endpoint.base_url, api_key="none", max_retries=2, timeout=5) as client,
    ):
        reply = client.chat.completions.create(**body())
        assert json.loads(reply.choices[0].message.content or "")["verdict"] == "A"
        assert endpoint.stats()["outcomes"] == {"answered": 1, "rate_limit": 2}


def test_the_openai_client_sees_dropped_connections_as_what_they_are() -> None:
    with (
        serving(first=("drop_headers",)) as endpoint,
        openai.OpenAI(base_url=endpoint.base_url, api_key="none", max_retries=0, timeout=5) as client,
        pytest.raises(openai.APIConnectionError),
    ):
        client.chat.completions.create(**body())


def test_a_connection_dropped_amid_the_headers_brings_no_response() -> None:
    with serving(first=("drop_headers",)) as endpoint:
        with pytest.raises(httpx.RemoteProtocolError):
            post(endpoint)
        assert post(endpoint).status_code == 200
        assert endpoint.stats()["outcomes"] == {"answered": 1, "drop_headers": 1}


def until_it_breaks(endpoint: ThreadedEndpoint, asked: dict[str, Any]) -> tuple[int, bytes]:
    got = b""
    with httpx.stream("POST", f"{endpoint.base_url}/chat/completions", json=asked, timeout=5, verify=False) as said:
        try:
            for part in said.iter_raw():
                got += part
        except httpx.RemoteProtocolError:
            return said.status_code, got
    raise AssertionError("the connection did not break")


@pytest.mark.parametrize("stream", [False, True])
def test_a_connection_dropped_amid_the_body_brings_half_a_response(stream: bool) -> None:
    with serving(first=("drop_body",)) as endpoint:
        status, got = until_it_breaks(endpoint, body(stream=stream))
        assert status == 200
        assert b"chatcmpl-" in got
        assert b"[DONE]" not in got
        assert eventually(lambda: endpoint.stats()["in_flight"] == 0)
        assert endpoint.stats()["outcomes"] == {"drop_body": 1}
        assert endpoint.stats()["tokens"]["completion"] == 0


def test_a_timeout_is_accepted_and_never_answered() -> None:
    with serving(first=("timeout",)) as endpoint:
        with pytest.raises(httpx.ReadTimeout):
            post(endpoint, timeout=0.1)
        assert eventually(lambda: endpoint.stats()["in_flight"] == 0)
        assert post(endpoint).status_code == 200
        assert endpoint.stats()["outcomes"] == {"answered": 1, "timeout": 1}


def test_a_timeout_closes_the_connection_after_its_time() -> None:
    with serving(first=("timeout",), hang=0.1) as endpoint:
        start = time.monotonic()
        with pytest.raises(httpx.RemoteProtocolError):
            post(endpoint)
        assert 0.1 <= time.monotonic() - start < 2


def test_a_client_that_leaves_early_is_counted_as_gone_and_not_as_answered() -> None:
    with serving(latency=30.0) as endpoint:
        with pytest.raises(httpx.ReadTimeout):
            post(endpoint, timeout=0.1)
        assert eventually(lambda: endpoint.stats()["in_flight"] == 0)
        stats = endpoint.stats()
        assert (stats["outcomes"], stats["answered_once"]) == ({"abandoned": 1}, 0)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", TEXT_FAULTS)
def test_a_spoiled_reply_comes_with_200_and_the_next_is_whole(fault: Fault, stream: bool) -> None:
    with serving(rates={fault: 1.0}, end_after=1) as endpoint:
        spoiled, whole = (post(endpoint, stream=stream) for _ in range(2))
        assert (spoiled.status_code, whole.status_code) == (200, 200)
        if not stream:
            assert json.loads(content(whole))["verdict"] == "A"
            assert content(spoiled) != content(whole)
        assert endpoint.stats()["outcomes"] == {"answered": 1, fault: 1}
        assert endpoint.stats()["duplicates"] == 0


def test_a_refusal_stands_in_a_field_of_its_own() -> None:
    with serving(first=("refusal", "refusal")) as endpoint:
        message = post(endpoint).json()["choices"][0]["message"]
        assert (message["content"], message["refusal"]) == (None, REFUSAL)
        streamed = post(endpoint, stream=True).text
        deltas = [json.loads(e[6:])["choices"][0]["delta"] for e in streamed.split("\n\n") if e.startswith("data: {")]
        assert "".join(d.get("refusal", "") for d in deltas) == REFUSAL
        assert not [d for d in deltas if "content" in d]


def test_a_refusal_in_prose_stands_where_the_reply_should() -> None:
    with serving(first=("prose_refusal",)) as endpoint:
        assert content(post(endpoint)) in PROSE_REFUSALS


def test_an_empty_reply_is_empty_and_costs_no_completion_tokens() -> None:
    with serving(first=("empty",)) as endpoint:
        said = post(endpoint)
        assert content(said) == ""
        assert said.json()["usage"]["completion_tokens"] == 0


def ask_all(endpoint: ThreadedEndpoint, seeds: list[int]) -> list[httpx.Response | None]:
    async def ask() -> list[httpx.Response | None]:
        address = f"{endpoint.base_url}/chat/completions"
        async with httpx.AsyncClient(timeout=5) as client:

            async def one(seed: int) -> httpx.Response | None:
                try:
                    return await client.post(address, json=body(seed))
                except httpx.TransportError:
                    return None

            return list(await asyncio.gather(*(one(seed) for seed in seeds)))

    return asyncio.run(ask())


def outline(said: httpx.Response | None) -> tuple[int, str]:
    if said is None:
        return 0, ""
    if said.status_code != 200:
        return said.status_code, ""
    message = said.json()["choices"][0]["message"]
    return 200, message["content"] or message["refusal"] or ""


def test_over_the_cap_requests_are_turned_away_and_that_was_no_attempt() -> None:
    with serving(latency=0.4, cap=2, retry_after=3.0) as endpoint:
        said = ask_all(endpoint, list(range(6)))
        codes = [s.status_code for s in said if s is not None]
        assert Counter(codes) == {200: 2, 429: 4}
        turned = next(s for s in said if s is not None and s.status_code == 429)
        assert turned.headers["retry-after"] == "3"
        seed = codes.index(429)
        assert post(endpoint, seed).headers["x-request-id"].endswith("-1")
        stats = endpoint.stats()
        assert stats["most_in_flight"] == 2
        assert stats["outcomes"] == {"answered": 3, "over_cap": 4}


def test_fates_depend_neither_on_order_nor_on_company() -> None:
    seeds = list(range(120))
    told: dict[str, Any] = {"seed": 11, "hang": 0.01, "rates": every_fault(0.06)}
    with serving(**told) as endpoint:
        alone = {s: outline(post_or_none(endpoint, s)) for s in seeds}
    with serving(**told) as endpoint:
        together = dict(zip(reversed(seeds), map(outline, ask_all(endpoint, seeds[::-1])), strict=True))
    assert alone == together
    assert {code for code, _ in alone.values()} == {0, 200, 429, 500, 502, 503}


def post_or_none(endpoint: ThreadedEndpoint, seed: int) -> httpx.Response | None:
    try:
        return post(endpoint, seed)
    except httpx.TransportError:
        return None


def test_with_every_fault_on_whoever_asks_again_is_answered_as_if_there_were_none() -> None:
    seeds = list(range(60))
    with serving() as endpoint:
        undisturbed = content(post(endpoint))
    with serving(seed=5, hang=0.01, rates=every_fault(0.06), end_after=3) as endpoint:
        for _ in range(3):
            ask_all(endpoint, seeds)
        said = ask_all(endpoint, seeds)
        stats = endpoint.stats()
    assert {outline(s) for s in said} == {(200, undisturbed)}
    assert stats["requests"] == 4 * 60
    assert set(stats["outcomes"]) == {"answered", *every_fault(0.06)}
