"""A chat model over LangChain: what is sent, read, and left out after a refusal, and on which connections."""

from __future__ import annotations

import asyncio
import gc
import time
import warnings
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from loopback_endpoint import Answer, LoopbackEndpoint, Request, completion
from pydantic import BaseModel

from agents.chat.endpoint import Call, Message, Reply, Tokens
from agents.chat.langchain_model import LangChainModel, fingerprint_of, open_model, place_of
from agents.chat.structured import schema_of
from knowledge_base.errors import BadCall, InputError


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


@pytest.fixture
def endpoint() -> Iterator[LoopbackEndpoint]:
    with LoopbackEndpoint(lambda request: OK) as serving:
        yield serving


def opened(endpoint: LoopbackEndpoint, **options: Any) -> LangChainModel:
    return open_model("openai:m", base_url=endpoint.url, **options)


def asked(model: LangChainModel, call: Call = CALL) -> Reply:
    return asyncio.run(model.reply(call))


def test_messages_schema_and_parameters_are_sent(endpoint: LoopbackEndpoint) -> None:
    model = opened(endpoint, api_key="sk-abc123456", parameters={"temperature": 0, "top_p": 0.5})
    conversation = Call((*MESSAGES, Message("assistant", "A"), Message("user", "Sure?")), "repair", schema_of(Judged))
    asked(model, conversation)
    request = endpoint.requests[0]
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == "Bearer sk-abc123456"
    assert request.body == {
        "model": "m",
        "messages": [{"role": m.role, "content": m.content} for m in conversation.messages],
        "temperature": 0.0,
        "top_p": 0.5,
        "stream": False,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "judged", "schema": schema_of(Judged), "strict": True},
        },
    }


def test_parameters_that_only_some_servers_know_go_into_the_body_as_they_are(endpoint: LoopbackEndpoint) -> None:
    parameters = {"top_k": 20, "max_tokens": 300, "extra_body": {"chat_template_kwargs": {"enable_thinking": False}}}
    asked(opened(endpoint, parameters=parameters))
    body = endpoint.requests[0].body
    assert body["top_k"] == 20
    assert body["max_tokens"] == 300
    assert body["chat_template_kwargs"] == {"enable_thinking": False}
    assert "response_format" in body


def test_without_a_schema_none_is_sent(endpoint: LoopbackEndpoint) -> None:
    asked(opened(endpoint), PLAIN)
    assert "response_format" not in endpoint.requests[0].body


def test_samples_differ_by_their_seed_and_the_first_has_none(endpoint: LoopbackEndpoint) -> None:
    model = opened(endpoint)
    for sample in range(3):
        asked(model, Call(MESSAGES, "judge", sample=sample))
    assert [r.body.get("seed") for r in endpoint.requests] == [None, 1, 2]


def test_a_seed_of_the_user_is_where_samples_start(endpoint: LoopbackEndpoint) -> None:
    model = opened(endpoint, parameters={"seed": 40})
    for sample in (0, 2, 2**31 - 1):
        asked(model, Call(MESSAGES, "judge", sample=sample))
    assert [r.body.get("seed") for r in endpoint.requests] == [40, 42, 39]


def test_a_reply_carries_its_text_tokens_and_seconds(endpoint: LoopbackEndpoint) -> None:
    endpoint.answer = lambda request: Answer(OK.body, delay=0.05)
    reply = asked(opened(endpoint))
    assert reply.text == '{"reasoning": "x", "verdict": "A"}'
    assert reply.tokens == Tokens(1000, 512, 50)
    assert reply.finish == "stop"
    assert 0.05 <= reply.seconds < 5


@pytest.mark.parametrize(
    ("body", "finish", "text"),
    [
        (completion('{"reasoning": "cut', "length"), "length", '{"reasoning": "cut'),
        (completion("", "content_filter"), "refusal", ""),
        (completion(None, "stop", refusal="I cannot."), "refusal", "I cannot."),
        (completion("fine", "stop"), "stop", "fine"),
        (completion("fine", "eos"), "stop", "fine"),
        (completion(None, "stop"), "stop", ""),
    ],
)
def test_how_a_reply_ended_is_kept(endpoint: LoopbackEndpoint, body: Any, finish: str, text: str) -> None:
    endpoint.answer = lambda request: Answer(body)
    reply = asked(opened(endpoint))
    assert (reply.finish, reply.text) == (finish, text)
    assert reply.tokens == Tokens(1000, 512, 50)


@pytest.mark.parametrize("usage", [None, {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}])
def test_tokens_that_the_endpoint_does_not_count_are_estimated(endpoint: LoopbackEndpoint, usage: Any) -> None:
    endpoint.answer = lambda request: Answer(completion("word " * 100) | {"usage": usage})
    tokens = asked(opened(endpoint), Call((Message("user", "word " * 1000),), "judge")).tokens
    assert 1000 <= tokens.prompt < 1500
    assert 100 <= tokens.completion < 150
    assert tokens.cached == 0


def refusing(what: str, body: Any) -> Any:
    def answer(request: Request) -> Answer:
        return Answer(body, 400) if what in request.body else OK

    return answer


@pytest.mark.parametrize(("what", "body"), [("response_format", NO_SCHEMA), ("seed", NO_SEED)])
def test_what_an_endpoint_refuses_is_left_out_from_then_on(endpoint: LoopbackEndpoint, what: str, body: Any) -> None:
    endpoint.answer = refusing(what, body)
    model, call = opened(endpoint), Call(MESSAGES, "judge", schema_of(Judged), sample=1)
    for _ in range(3):
        assert asked(model, call).text == '{"reasoning": "x", "verdict": "A"}'
    assert [what in r.body for r in endpoint.requests] == [True, False, False, False]
    assert ("seed" in endpoint.requests[-1].body) == (what != "seed")


def test_schema_and_seed_may_both_be_refused(endpoint: LoopbackEndpoint) -> None:
    def answer(request: Request) -> Answer:
        if "seed" in request.body:
            return Answer(NO_SEED, 400)
        return Answer(NO_SCHEMA, 400) if "response_format" in request.body else OK

    endpoint.answer = answer
    model, call = opened(endpoint), Call(MESSAGES, "judge", schema_of(Judged), sample=1)
    asked(model, call)
    asked(model, call)
    assert len(endpoint.requests) == 4


def test_a_complaint_that_leaving_it_out_does_not_cure_is_a_bad_call_and_not_remembered(
    endpoint: LoopbackEndpoint,
) -> None:
    endpoint.answer = lambda request: Answer(NO_SCHEMA, 400)
    model = opened(endpoint)
    with pytest.raises(BadCall):
        asked(model)
    endpoint.answer = lambda request: OK
    asked(model)
    assert [("response_format" in r.body) for r in endpoint.requests] == [True, False, True]


def test_a_schema_that_must_be_sent_is_not_left_out(endpoint: LoopbackEndpoint) -> None:
    endpoint.answer = refusing("response_format", NO_SCHEMA)
    with pytest.raises(BadCall, match="takes no schema"):
        asked(opened(endpoint, structured="always"))
    assert len(endpoint.requests) == 1


def test_a_schema_that_must_not_be_sent_is_not(endpoint: LoopbackEndpoint) -> None:
    asked(opened(endpoint, structured="never"))
    assert "response_format" not in endpoint.requests[0].body


def test_the_librarys_advice_about_schemas_is_not_printed(endpoint: LoopbackEndpoint) -> None:
    endpoint.answer = refusing("response_format", NO_SCHEMA)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        asked(opened(endpoint))
    assert heard == []


def test_any_number_of_schema_objects_does_no_harm(endpoint: LoopbackEndpoint) -> None:
    model = opened(endpoint)

    async def run() -> None:
        for number in range(70):
            await model.reply(Call(MESSAGES, "judge", {"title": f"t {number}", "type": "object"}))

    asyncio.run(run())
    names = [r.body["response_format"]["json_schema"]["name"] for r in endpoint.requests]
    assert names == [f"t_{number}" for number in range(70)]


def test_three_loops_in_a_row_share_one_model_and_leave_nothing_open(endpoint: LoopbackEndpoint) -> None:
    model = opened(endpoint)

    async def several() -> list[str]:
        return [(await model.reply(CALL)).text for _ in range(3)]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            assert len(asyncio.run(several())) == 3
            gc.collect()
    assert endpoint.connections == 3


def test_a_loop_that_dies_with_calls_under_way_leaves_nothing_open(endpoint: LoopbackEndpoint) -> None:
    endpoint.answer = lambda request: Answer(OK.body, delay=5.0)
    model = opened(endpoint)

    async def abandoned() -> None:
        tasks = [asyncio.ensure_future(model.reply(CALL)) for _ in range(20)]
        while len(endpoint.requests) < 20:
            await asyncio.sleep(0.005)
        del tasks

    asyncio.run(abandoned())
    gc.collect()
    endpoint.answer = lambda request: OK
    assert asked(model).finish == "stop"


def test_256_calls_at_once_are_all_under_way_together(endpoint: LoopbackEndpoint) -> None:
    model = opened(endpoint)

    async def crowd() -> None:
        await asyncio.gather(*(model.reply(CALL) for _ in range(256)))

    endpoint.answer = lambda request: Answer(OK.body, until=lambda: endpoint.most_at_once == 256)
    asyncio.run(crowd())


def test_calls_one_after_the_other_use_one_connection(endpoint: LoopbackEndpoint) -> None:
    model = opened(endpoint)

    async def row() -> None:
        for _ in range(20):
            await model.reply(CALL)

    asyncio.run(row())
    assert endpoint.connections == 1


def test_cancelling_a_call_ends_it_at_once(endpoint: LoopbackEndpoint) -> None:
    endpoint.answer = lambda request: Answer(OK.body, delay=5.0)
    model = opened(endpoint)

    async def run() -> float:
        task = asyncio.ensure_future(model.reply(CALL))
        while not endpoint.requests:
            await asyncio.sleep(0.005)
        began = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - began

    assert asyncio.run(run()) < 1.0


def test_the_fingerprint_names_what_can_change_a_reply_and_nothing_else() -> None:
    one = open_model("openai:m", base_url="http://a:1/v1", api_key="k1111", parameters={"temperature": 0, "top_k": 3})
    two = open_model("openai:m", base_url="http://b:2/v1", parameters={"top_k": 3, "temperature": 0}, timeout=5)
    assert one.fingerprint == two.fingerprint == 'openai:m {"temperature": 0, "top_k": 3}'
    assert fingerprint_of("openai:m", {}) == "openai:m"
    assert fingerprint_of("openai:m", {"temperature": 1}) != one.fingerprint
    assert "secret" not in fingerprint_of("openai:m", {"default_headers": {"x-auth": "secret"}})


@pytest.mark.parametrize(
    ("url", "place"),
    [("http://user:pass@host:8000/v1?key=x", "http://host:8000"), ("https://host/v1", "https://host"), ("", "")],
)
def test_a_place_is_named_without_credentials_or_path(url: str, place: str) -> None:
    assert place_of(url) == place


@pytest.mark.parametrize("name", ["", "gpt-5", "openai:", ":m", "  : "])
def test_a_name_without_a_provider_is_refused_with_examples(name: str) -> None:
    with pytest.raises(InputError, match="names no provider; write provider:model, such as openai:"):
        open_model(name)


def test_a_missing_key_is_noticed_before_any_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(InputError, match="no key; set TOUCHSTONE_WORKER_API_KEY"):
        open_model("openai:gpt-5-mini", settings="TOUCHSTONE_WORKER")


def test_the_key_of_the_provider_comes_from_its_usual_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-from-the-environment")
    assert open_model("openai:gpt-5-mini").name == "openai:gpt-5-mini"


def test_that_key_is_never_sent_to_another_address(endpoint: LoopbackEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-from-the-environment")
    asked(opened(endpoint))
    assert "environment" not in endpoint.requests[0].headers["authorization"]


@pytest.mark.parametrize("key", ["sk with space", "sk-\u00e9", "sk-\n2"])
def test_a_key_that_cannot_be_one_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(InputError) as error:
        open_model("openai:m", base_url="http://h/v1", api_key=key)
    assert key not in str(error.value)


@pytest.mark.parametrize("parameter", ["api_key", "base_url", "model", "timeout", "n", "stream", "response_format"])
def test_parameters_that_are_not_the_users_to_set_are_refused(parameter: str) -> None:
    with pytest.raises(InputError, match=f"leave {parameter} out"):
        open_model("openai:m", base_url="http://h/v1", parameters={parameter: 1})


def test_a_parameter_of_the_wrong_kind_is_refused_before_any_call() -> None:
    with pytest.raises(InputError, match="temperature"):
        open_model("openai:m", base_url="http://h/v1", parameters={"temperature": "hot"})


async def cpu_seconds(one: Callable[[], Awaitable[object]]) -> float:
    """Of this thread, for one of 32 calls at once."""

    async def called() -> None:
        await one()

    began = time.thread_time()
    await asyncio.gather(*(called() for _ in range(32)))
    return (time.thread_time() - began) / 32


def test_a_call_costs_little_more_than_the_providers_own_client(endpoint: LoopbackEndpoint) -> None:
    import openai

    model = opened(endpoint)
    asked_for: Any = {"model": "m", "messages": [{"role": m.role, "content": m.content} for m in MESSAGES]}

    async def measured() -> tuple[float, float]:
        ours, theirs = [], []
        async with openai.AsyncOpenAI(api_key="x", base_url=endpoint.url, max_retries=0) as bare:
            for _ in range(3):
                ours.append(await cpu_seconds(lambda: model.reply(PLAIN)))
                theirs.append(await cpu_seconds(lambda: bare.chat.completions.create(**asked_for)))
        return min(ours), min(theirs)

    ours, theirs = asyncio.run(measured())
    assert ours < 2 * theirs + 0.001
