"""Exceptions of providers other than OpenAI, read by what they hold."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.chat.faults import Source, fault_of
from knowledge_base.errors import BadCall, EndpointClosed, ProviderError, TransientFault

KEY = "sk-test-0123456789abcdef"
SOURCE = Source("openai:m", "http://host:1", "TOUCHSTONE_WORKER", (KEY,))


class GoogleError(Exception):
    def __init__(self, code: int, message: str, details: Any) -> None:
        super().__init__(f"{code} {message}")
        self.code, self.message, self.details = code, message, details


class StatusError(Exception):
    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"Error code: {status} - {body}")
        self.status_code, self.body = status, body
        self.response = type("Response", (), {"status_code": status, "headers": headers or {}})()


class AwsError(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"An error occurred ({code})")
        self.response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}


class TimeoutException(Exception):
    """The name is what is read."""


def caused(outer: Exception, inner: Exception) -> Exception:
    outer.__cause__ = inner
    return outer


def google(code: int, message: str, **more: Any) -> GoogleError:
    return GoogleError(code, message, {"error": {"code": code, "message": message} | more})


def anthropic(status: int, kind: str, message: str, **headers: str) -> StatusError:
    return StatusError(status, {"type": "error", "error": {"type": kind, "message": message}}, headers)


@pytest.mark.parametrize(
    ("exception", "kind", "status"),
    [
        (google(429, "Resource exhausted"), TransientFault, 429),
        (google(400, "API key not valid", status="INVALID_ARGUMENT"), EndpointClosed, 400),
        (caused(RuntimeError("wrapped"), google(404, "models/x is not found")), EndpointClosed, 404),
        (anthropic(401, "authentication_error", "invalid x-api-key"), EndpointClosed, 401),
        (anthropic(529, "overloaded_error", "Overloaded"), TransientFault, 529),
        (anthropic(400, "invalid_request_error", "prompt is too long: 210000 tokens"), BadCall, 400),
        (AwsError(403, "AccessDeniedException", "no access"), EndpointClosed, 403),
        (AwsError(503, "ServiceUnavailableException", "later"), TransientFault, 503),
        (TimeoutException(), TransientFault, None),
        (TimeoutError(), TransientFault, None),
        (ConnectionResetError("reset"), TransientFault, None),
        (caused(RuntimeError("wrapped"), ConnectionRefusedError("refused")), TransientFault, None),
        (TypeError("create() got an unexpected keyword argument 'top_q'"), EndpointClosed, None),
        (TypeError('"Could not resolve authentication method. Expected api_key to be set"'), EndpointClosed, None),
        (ZeroDivisionError("a bug"), TransientFault, None),
    ],
)
def test_exceptions_of_other_providers_are_read_by_what_they_hold(
    exception: Exception, kind: type[ProviderError], status: int | None
) -> None:
    fault = fault_of(exception, SOURCE)
    assert type(fault) is kind
    assert (fault.status, fault.model) == (status, "openai:m")


def test_a_delay_in_the_body_is_found() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}]
    assert fault_of(google(429, "slow down", details=details), SOURCE).retry_after == 34.5


def test_a_header_is_believed_before_a_body() -> None:
    fault = fault_of(anthropic(429, "rate_limit_error", "retry in 50s", **{"Retry-After": "3"}), SOURCE)
    assert fault.retry_after == 3.0


def test_a_certificate_that_is_not_trusted_closes_the_endpoint() -> None:
    import ssl

    error_ = caused(ConnectionError("connect"), ssl.SSLCertVerificationError("self-signed certificate"))
    fault = fault_of(error_, SOURCE)
    assert type(fault) is EndpointClosed
    assert "certificate is not trusted" in str(fault)


def test_a_fault_of_our_own_stays_what_it_is() -> None:
    fault = TransientFault("x")
    assert fault_of(fault, SOURCE) is fault


def test_a_circle_of_causes_ends() -> None:
    first, second = RuntimeError("a"), RuntimeError("b")
    first.__cause__, second.__cause__ = second, first
    assert type(fault_of(first, SOURCE)) is TransientFault


def test_the_settings_are_named_as_far_as_they_are_known() -> None:
    known, unknown = SOURCE, Source("openai:m")
    assert known.setting("API_KEY") == "TOUCHSTONE_WORKER_API_KEY"
    assert unknown.setting("API_KEY") == "TOUCHSTONE_MANAGER_API_KEY or TOUCHSTONE_WORKER_API_KEY"
    assert KEY not in repr(known)


bodies = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "message", "code", "type", "param", "detail", "loc", "msg", "status"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.integers(100, 599) | st.integers(),
    bodies,
    st.dictionaries(st.text(max_size=12), st.text(max_size=12), max_size=3),
)
def test_any_error_body_gives_some_fault(status: int, body: Any, headers: dict[str, str]) -> None:
    fault = fault_of(StatusError(status, body, headers), SOURCE)
    assert isinstance(fault, TransientFault | BadCall | EndpointClosed)
    assert str(fault).startswith("openai:m at http://host:1: ")
