"""Models of other providers, and those that must live in a loop of their own."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from loopback_endpoint import Answer, completion
from pydantic import BaseModel

from agents.chat.endpoint import Call, Message, Reply, Tokens
from agents.chat.langchain_model import LangChainModel
from agents.chat.structured import schema_of
from knowledge_base.errors import TransientFault


class Judged(BaseModel):
    """A docstring."""

    reasoning: str
    verdict: str


MESSAGES = (Message("system", "Judge."), Message("user", "Which?"))
CALL = Call(MESSAGES, "judge", schema_of(Judged))
PLAIN = Call(MESSAGES, "judge")
OK = Answer(completion('{"reasoning": "x", "verdict": "A"}'))
NO_SCHEMA = {"error": {"message": "'response_format' of type 'json_schema' is not supported with this model."}}
NO_SEED = {"error": {"message": "Unrecognized request argument supplied: seed"}}


def asked(model: LangChainModel, call: Call = CALL) -> Reply:
    return asyncio.run(model.reply(call))


class Bound(BaseChatModel):
    """A provider whose connections belong to the first loop that used them, as some packages' do."""

    seen: list[dict[str, Any]] = []  # noqa: RUF012 - a field, copied for each model
    loops: set[int] = set()  # noqa: RUF012 - a field, copied for each model
    fails: bool = False

    @property
    def _llm_type(self) -> str:
        return "bound"

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        raise NotImplementedError

    async def _agenerate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        self.loops.add(id(asyncio.get_running_loop()))
        self.seen.append(kwargs)
        if self.fails:
            raise ConnectionResetError("reset")
        await asyncio.sleep(0.01)
        message = AIMessage(
            [{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "yes"}],
            response_metadata={"stop_reason": "max_tokens"},
            usage_metadata={
                "input_tokens": 30, "output_tokens": 4, "total_tokens": 34,
                "input_token_details": {"cache_read": 20, "cache_creation": 5},
            },
        )  # fmt: skip
        return ChatResult(generations=[ChatGeneration(message=message)])


def test_any_langchain_model_will_do() -> None:
    model = LangChainModel(Bound(), "elsewhere:m")
    reply = asked(model)
    assert (reply.text, reply.finish, reply.tokens) == ("yes", "length", Tokens(30, 20, 4))


def test_a_provider_that_enforces_no_schema_is_sent_none() -> None:
    bound = Bound()
    asked(LangChainModel(bound, "elsewhere:m"), Call(MESSAGES, "judge", schema_of(Judged), sample=4))
    assert "response_format" not in bound.seen[0]
    assert "seed" not in bound.seen[0]


@pytest.mark.parametrize(
    ("provider", "argument"),
    [("anthropic", "output_config"), ("google_genai", "response_json_schema"), ("ollama", "format"),
     ("mistralai", "response_format")],
)  # fmt: skip
def test_each_provider_is_asked_for_a_schema_in_its_own_way(provider: str, argument: str) -> None:
    bound = Bound()
    asked(LangChainModel(bound, f"{provider}:m"))
    assert schema_of(Judged) in [bound.seen[0][argument], *_inside(bound.seen[0][argument])]


def _inside(value: Any) -> list[Any]:
    return [w for v in value.values() for w in [v, *_inside(v)]] if isinstance(value, dict) else []


def test_a_resident_model_runs_in_one_loop_whatever_loop_it_is_called_from() -> None:
    bound = Bound()
    model = LangChainModel(bound, "elsewhere:m", resident=True)

    async def run() -> int:
        await asyncio.gather(*(model.reply(CALL) for _ in range(5)))
        return id(asyncio.get_running_loop())

    callers = {asyncio.run(run()) for _ in range(3)}
    assert len(bound.loops) == 1
    assert not bound.loops & callers


def test_a_fault_in_the_resident_loop_arrives_like_any_other() -> None:
    with pytest.raises(TransientFault, match="connection failed"):
        asked(LangChainModel(Bound(fails=True), "elsewhere:m", resident=True))


def test_a_call_in_the_resident_loop_can_be_cancelled() -> None:
    ended = threading.Event()

    class Slow(Bound):
        async def _agenerate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
            try:
                await asyncio.sleep(60)
            finally:
                ended.set()
            raise AssertionError

    async def run() -> None:
        task = asyncio.ensure_future(LangChainModel(Slow(), "elsewhere:m", resident=True).reply(CALL))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for _ in range(200):
            if ended.is_set():
                return
            await asyncio.sleep(0.005)

    asyncio.run(run())
    assert ended.is_set()
