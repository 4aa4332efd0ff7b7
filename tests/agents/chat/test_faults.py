"""What each failure of an endpoint is taken for: over real HTTP with the real client, and by exceptions of others."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loopback_endpoint import Answer, LoopbackEndpoint, completion

from agents.chat.endpoint import Call, Message
from agents.chat.fault_words import blank_keys
from agents.chat.faults import FeatureRefused, SeedRefused, Source
from agents.chat.langchain_model import LangChainModel, open_model
from agents.chat.provider_error import retry_after
from knowledge_base.errors import BadCall, EndpointClosed, ProviderError, TransientFault

KEY = "sk-test-0123456789abcdef"
SECRET_TEXT = "the whole text under judgment, which no error may show"
CALL = Call((Message("system", "Judge."), Message("user", SECRET_TEXT)), "judge")
OK = Answer(completion("yes"))
SOURCE = Source("openai:m", "http://host:1", "TOUCHSTONE_WORKER", (KEY,))


@pytest.fixture(scope="module")
def endpoint() -> Iterator[LoopbackEndpoint]:
    with LoopbackEndpoint(lambda request: OK) as serving:
        yield serving


@pytest.fixture(scope="module")
def model(endpoint: LoopbackEndpoint) -> LangChainModel:
    return open_model("openai:m", base_url=endpoint.url, api_key=KEY, timeout=0.5, settings="TOUCHSTONE_WORKER")


def error(message: str, code: str | None = None, kind: str = "invalid_request_error", param: str | None = None) -> Any:
    return {"error": {"message": message, "type": kind, "code": code, "param": param}}


def extra_input(name: str) -> Any:
    """As FastAPI says it, which quotes what it was given."""
    fault = {"loc": ["body", name], "msg": "Extra inputs are not permitted", "input": SECRET_TEXT}
    return {"detail": [fault]}


def raised(endpoint: LoopbackEndpoint, model: LangChainModel, answer: Answer) -> ProviderError:
    endpoint.answer = lambda request: answer
    with pytest.raises(ProviderError) as caught:
        asyncio.run(model.reply(CALL))
    assert SECRET_TEXT not in str(caught.value)
    assert KEY not in str(caught.value)
    return caught.value


CLOSED: list[tuple[int, Any, str]] = [
    (401, error(f"Incorrect API key provided: {KEY}.", "invalid_api_key"), "401, the key was refused.*WORKER_API_KEY"),
    (401, {"message": "Unauthorized"}, "401, the key was refused.*Unauthorized"),
    (403, error("Country not supported"), "403, the key was refused"),
    (404, error("The model `m` does not exist", "model_not_found"), "404, model not found.*TOUCHSTONE_WORKER_MODEL"),
    (404, {"detail": "Not Found"}, "404, model not found.*mostly ends in /v1.*Not Found"),
    (404, b"<html>nothing here</html>", "404, model not found"),
    (405, b"", "405, model not found"),
    (400, error("The model `m` does not exist"), "400, model not found"),
    (400, error("API key not valid. Please pass a valid API key."), "400, the key was refused"),
    (402, error("Insufficient Balance"), "402, the account's quota or credit is used up"),
    (429, error("You exceeded your quota", "insufficient_quota", "insufficient_quota"), "429, the account's quota"),
    (400, error("Your credit balance is too low"), "400, the account's quota or credit"),
    (400, error("'top_k'?", "unsupported_parameter", param="top_k"), "a parameter is not taken.*WORKER_PARAMETERS"),
    (422, extra_input("top_k"), "body/top_k: Extra inputs"),
]

BAD: list[tuple[int, Any, str]] = [
    (400, error("This model's maximum is 8192 tokens.", "context_length_exceeded"), "longer than the context"),
    (400, error("Input tokens exceed the configured limit of 100"), "longer than the context"),
    (400, {"object": "error", "message": "4096, reduce the length", "code": 400}, "longer than the context"),
    (413, b"too large", "413, longer than the context"),
    (400, error("The response was filtered", "content_filter"), "refused by a content filter"),
    (403, error("Your input was flagged by moderation"), "refused by a content filter"),
    (400, error("messages: text is empty"), "400, the request was refused"),
    (422, {"detail": "no"}, "422, the request was refused"),
    (418, b"teapot", "418, the request was refused"),
]  # fmt: skip

PASSING: list[tuple[int, Any, str]] = [
    (408, error("timeout"), "408"),
    (409, error("conflict"), "409"),
    (425, b"", "425"),
    (429, error("Rate limit reached", "rate_limit_exceeded"), "429, too many requests"),
    (429, error("You exceeded your current quota, please wait", "429"), "429, too many requests"),
    (500, error("boom", "server_error"), "500, the endpoint failed"),
    (502, b"<html><body>Bad gateway</body></html>", "502, the endpoint failed"),
    (503, error("overloaded"), "503, the endpoint failed.*overloaded"),
    (529, error("overloaded"), "529, the endpoint failed"),
    (500, b"", "500, the endpoint failed"),
]


@pytest.mark.parametrize(("status", "body", "words"), CLOSED)
def test_what_only_a_person_can_mend_closes_the_endpoint(
    endpoint: LoopbackEndpoint, model: LangChainModel, status: int, body: Any, words: str
) -> None:
    fault = raised(endpoint, model, Answer(body, status))
    assert isinstance(fault, EndpointClosed)
    assert fault.status == status
    with pytest.raises(EndpointClosed, match=words):
        raise fault


@pytest.mark.parametrize(("status", "body", "words"), BAD)
def test_what_is_wrong_with_one_request_fails_that_call_alone(
    endpoint: LoopbackEndpoint, model: LangChainModel, status: int, body: Any, words: str
) -> None:
    fault = raised(endpoint, model, Answer(body, status))
    assert isinstance(fault, BadCall)
    assert not isinstance(fault, FeatureRefused)
    assert (fault.status, fault.model) == (status, "openai:m")
    with pytest.raises(BadCall, match=words):
        raise fault


@pytest.mark.parametrize(("status", "body", "words"), PASSING)
def test_what_may_pass_is_transient(
    endpoint: LoopbackEndpoint, model: LangChainModel, status: int, body: Any, words: str
) -> None:
    fault = raised(endpoint, model, Answer(body, status))
    assert isinstance(fault, TransientFault)
    assert fault.status == status
    with pytest.raises(TransientFault, match=words):
        raise fault


REPLIES_THAT_ARE_NONE: list[tuple[str, Answer]] = [
    ("a dropped connection before the head", Answer({}, sent=0)),
    ("half a head", Answer({}, sent=20)),
    ("half a body", Answer(completion("yes" * 1000), sent=400)),
    ("half a JSON document of full length", Answer(b'{"id": "x", "choices": [{"mess')),
    ("an empty body", Answer(b"")),
    ("a web page", Answer(b"<html>hello</html>", headers={"content-type": "text/html"})),
    ("a page that calls itself JSON", Answer(b"<html>hello</html>")),
    ("no choices", Answer({"id": "x", "object": "chat.completion", "created": 1, "model": "m"})),
    ("null for choices", Answer(completion("yes") | {"choices": None})),
    ("an empty list of choices", Answer(completion("yes") | {"choices": []})),
    ("a choice without a message", Answer(completion("yes") | {"choices": [{"index": 0}]})),
    ("JSON of another kind", Answer([1, 2, 3])),
    ("bytes that are no UTF-8", Answer(b'{"id": "\xff\xfe"}')),
    ("no answer in time", Answer({}, delay=1.0)),
]


@pytest.mark.parametrize(("what", "answer"), REPLIES_THAT_ARE_NONE, ids=[what for what, _ in REPLIES_THAT_ARE_NONE])
def test_a_reply_that_is_no_reply_is_transient(
    endpoint: LoopbackEndpoint, model: LangChainModel, what: str, answer: Answer
) -> None:
    fault = raised(endpoint, model, answer)
    assert isinstance(fault, TransientFault), fault
    assert fault.status in (None, 200)
    endpoint.answer = lambda request: OK
    assert asyncio.run(model.reply(CALL)).text == "yes"


def test_an_error_inside_a_reply_of_status_200_is_read(endpoint: LoopbackEndpoint, model: LangChainModel) -> None:
    fault = raised(endpoint, model, Answer({"error": {"message": "Provider returned error", "code": 429}}))
    assert isinstance(fault, TransientFault)
    assert fault.status == 429


def test_a_timeout_says_so(endpoint: LoopbackEndpoint, model: LangChainModel) -> None:
    began = time.monotonic()
    fault = raised(endpoint, model, Answer(OK.body, delay=2.0))
    assert "no answer in time" in str(fault)
    assert time.monotonic() - began < 1.5


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("address", ["http://127.0.0.1:{port}/v1", "http://nowhere.invalid/v1"])
def test_nobody_at_the_address_is_transient_and_named(address: str) -> None:
    gone = open_model("openai:m", base_url=address.format(port=free_port()), api_key=KEY, timeout=5.0)
    with pytest.raises(TransientFault, match=r"openai:m at http://(127|nowhere).*connection failed.*_BASE_URL"):
        asyncio.run(gone.reply(CALL))


def test_an_address_that_is_no_web_address_is_closed() -> None:
    odd = open_model("openai:m", base_url="ftp://127.0.0.1/v1", api_key=KEY)
    with pytest.raises(EndpointClosed, match="_BASE_URL"):
        asyncio.run(odd.reply(CALL))


def test_retry_after_and_request_id_are_kept(endpoint: LoopbackEndpoint, model: LangChainModel) -> None:
    headers = {"retry-after": "17", "x-request-id": "req-9"}
    fault = raised(endpoint, model, Answer(error("slow"), 429, headers))
    assert (fault.retry_after, fault.request) == (17.0, "req-9")
    headers = {"retry-after": formatdate(time.time() + 30, usegmt=True)}
    fault = raised(endpoint, model, Answer(error("slow"), 503, headers))
    assert fault.retry_after is not None
    assert 27 < fault.retry_after <= 30


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "5"}, 5.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "5", "retry-after-ms": "120"}, 0.12),
        ({"retry-after-ms": "soon", "retry-after": "2"}, 2.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:01:40 GMT"}, 90.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "tomorrow"}, None),
        ({"retry-after": ""}, None),
    ],
)
def test_retry_after_is_read_in_all_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, now=10.0) == seconds


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_retry_after_at_all_breaks_the_reading(seconds: str, milliseconds: str) -> None:
    asked = retry_after({"retry-after": seconds, "retry-after-ms": milliseconds})
    assert asked is None or asked >= 0


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (error("'response_format' of type 'json_schema' is not supported with this model."), FeatureRefused),
        (error("Invalid schema for response_format 'judgment'", param="response_format"), FeatureRefused),
        (error("Invalid parameter", "unsupported_value", param="response_format"), FeatureRefused),
        (error("Failed to compile grammar"), FeatureRefused),
        (error("This response_format type is unavailable now"), FeatureRefused),
        (extra_input("response_format"), FeatureRefused),
        (error("Unrecognized request argument supplied: seed"), SeedRefused),
        (extra_input("seed"), SeedRefused),
    ],
)
def test_a_feature_that_the_endpoint_lacks_is_told_from_a_bad_call(
    endpoint: LoopbackEndpoint, model: LangChainModel, body: Any, kind: type[FeatureRefused]
) -> None:
    assert type(raised(endpoint, model, Answer(body, 400))) is kind


def test_nothing_of_the_original_exception_is_printed_with_the_fault(
    endpoint: LoopbackEndpoint, model: LangChainModel
) -> None:
    import traceback

    endpoint.answer = lambda request: Answer(error(f"bad key {KEY}"), 401)
    try:
        asyncio.run(model.reply(CALL))
    except EndpointClosed as fault:
        printed = "".join(traceback.format_exception(fault))
    assert KEY not in printed
    assert SECRET_TEXT not in printed


def test_a_long_complaint_is_shortened(endpoint: LoopbackEndpoint, model: LangChainModel) -> None:
    assert len(str(raised(endpoint, model, Answer(error("why " * 5000), 400)))) < 450


@pytest.mark.parametrize(
    "text",
    ["sk-proj-abcDEF_123456", "Bearer abc.def", "bearer  x", "AIzaSyA1234567890abcdef", "gsk_abcdefgh12",
     "?key=abcdef&x=1", "lsv2_pt_0123456789", "hf_abcdefghij", "sk-ant-api03-xyzxyz"],
)  # fmt: skip
def test_whatever_looks_like_a_key_is_blanked(text: str) -> None:
    said = blank_keys(f"It was {text} that failed")
    assert "[key]" in said
    assert said.startswith("It was ")
    assert said.endswith(" that failed")


def test_a_key_of_any_form_is_blanked_if_it_is_ours() -> None:
    assert blank_keys("key hunter22 and hunter22x", ("hunter22",)) == "key [key] and [key]x"


def test_ordinary_words_are_left_alone() -> None:
    words = "The model gpt-5-mini refused the request; see the risk-averse documentation at https://host/v1"
    assert blank_keys(words, ("",)) == words
