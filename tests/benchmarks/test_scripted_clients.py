"""The project's own model over the scripted endpoint's HTTP: as if it stood before the in-process one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from agents.chat.endpoint import Call, ChatModel, Message, Reply
from agents.chat.fence import Fence
from agents.chat.langchain_model import open_model
from benchmarks.scripted.engine import Engine
from benchmarks.scripted.faults import Script, every_fault
from benchmarks.scripted.in_process import ScriptedModel
from benchmarks.scripted.letters import letters
from benchmarks.scripted.process import ThreadedEndpoint
from benchmarks.scripted.rejections import Style
from benchmarks.scripted.service import Service
from knowledge_base.errors import ProviderError

SCHEMA = {
    "title": "judgment",
    "type": "object",
    "properties": {"reasoning": {"type": "string"}, "verdict": {"type": "string"}},
    "required": ["reasoning", "verdict"],
    "additionalProperties": False,
}


def call(pair: int = 0, criterion: str = "Clarity", sample: int = 0) -> Call:
    fence = Fence(b"secret", f"pair {pair}")
    named = [("a", "a long text " * (pair + 3)), ("b", "a text. " * 8), ("criterion", criterion)]
    rules = Message("system", "Compare the texts by the criterion. " * 5)
    return Call((rules, Message("user", fence.blocks(named))), "judge", SCHEMA, sample)


CALLS = [call(pair, criterion, sample) for pair in range(8) for criterion in ("Clarity", "Tone") for sample in (0, 1)]


def outlines(model: ChatModel, calls: Sequence[Call]) -> list[tuple[Any, ...]]:
    async def ask() -> list[tuple[Any, ...]]:
        return [await outline(model, each) for each in calls]

    return asyncio.run(ask())


async def outline(model: ChatModel, each: Call) -> tuple[Any, ...]:
    try:
        reply: Reply = await model.reply(each)
    except ProviderError as error:
        return type(error).__name__, error.status
    return reply.text, reply.finish, reply.tokens


def test_over_http_the_projects_model_gets_what_the_in_process_model_gives() -> None:
    script = Script(seed=4, rates=every_fault(0.05) | {"refusal": 0.2}, retry_after=0.01, hang=0.01)
    calls = [c for c in CALLS for _ in range(4)]
    with ThreadedEndpoint(Engine(letters, Service(), script)) as endpoint:
        over_http = outlines(open_model("openai:scripted", base_url=endpoint.base_url), calls)
    in_process = outlines(ScriptedModel(letters, script=script), calls)
    assert over_http == in_process
    assert {"TransientFault"} < {o[0] for o in over_http}
    assert {"refusal", "stop"} <= {o[1] for o in over_http if len(o) == 3}


@pytest.mark.parametrize(
    ("offered", "kind"),
    [
        ({"key": "another"}, "EndpointClosed"),
        ({"key": "another", "style": "vllm"}, "EndpointClosed"),
        ({"models": ("another",)}, "EndpointClosed"),
        ({"models": ("another",), "style": "vllm"}, "EndpointClosed"),
        ({"quota": 0}, "EndpointClosed"),
        ({"window": 20}, "BadCall"),
        ({"window": 20, "style": "vllm"}, "BadCall"),
    ],
)
def test_what_no_further_try_helps_is_told_apart(offered: dict[str, Any], kind: str) -> None:
    with ThreadedEndpoint(Engine(letters, Service(**offered), Script())) as endpoint:
        assert outlines(open_model("openai:scripted", base_url=endpoint.base_url), [call()])[0][0] == kind


@pytest.mark.parametrize("style", ["openai", "vllm"])
def test_an_old_server_is_asked_again_without_a_schema(style: Style) -> None:
    with ThreadedEndpoint(Engine(letters, Service(style=style, schemas=False), Script())) as endpoint:
        said = outlines(open_model("openai:scripted", base_url=endpoint.base_url), [call(), call(1)])
        assert [json.loads(o[0])["verdict"] for o in said] == ["B", "B"]
        assert endpoint.stats()["outcomes"] == {"answered": 2, "bad_request": 1}
