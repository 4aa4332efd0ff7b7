"""What an endpoint answers instead of a reply: status, words and code as OpenAI's API and as vLLM give them.

Sources: the error codes of OpenAI's API reference; of vLLM, `ErrorResponse` and the checks of its OpenAI server.
"""

from __future__ import annotations

import math
import time
from email.utils import formatdate
from typing import Literal

Style = Literal["openai", "vllm"]

VLLM_KINDS = {400: "BadRequestError", 404: "NotFoundError", 429: "RateLimitError", 500: "InternalServerError"}

BAD_GATEWAY = b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>nginx</body>\r\n</html>\r\n"


class Rejection(Exception):
    """A request that gets no reply.

    Attributes:
        outcome: under which it is counted: a fault's name, or `bad_request`, `bad_key`, `unknown_model`, `too_long`,
            `quota`, `over_cap`, `not_found`.
        status: HTTP status.
        kind, code, param: as in the body of an error.
        retry_after: seconds; None for no such header.
        date: whether that header is a date.
    """

    def __init__(
        self,
        outcome: str,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        retry_after: float | None = None,
        date: bool = False,
    ) -> None:
        super().__init__(message)
        self.outcome, self.status, self.message = outcome, status, message
        self.kind, self.code, self.param = kind, code, param
        self.retry_after, self.date = retry_after, date

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """Retry-After, if it has one. A fraction of a second is not in the standard, but clients read it."""
        if self.retry_after is None:
            return []
        when = formatdate(math.ceil(time.time() + self.retry_after), usegmt=True)
        return [(b"retry-after", when.encode() if self.date else f"{self.retry_after:g}".encode())]

    def body(self, style: Style) -> object:
        """The body, before it becomes JSON."""
        if style == "openai":
            return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}}
        if self.status == 401:
            return {"error": "Unauthorized"}
        kind = VLLM_KINDS.get(self.status, "InternalServerError")
        return {"object": "error", "message": self.message, "type": kind, "param": None, "code": self.status}


def bad_request(message: str, param: str | None = None) -> Rejection:
    """400: the request is not of the API's form."""
    return Rejection("bad_request", 400, message, param=param)


def no_schemas(kind: str) -> Rejection:
    """400: this server cannot enforce a form of reply."""
    message = f"Invalid parameter: 'response_format' of type '{kind}' is not supported with this model."
    return bad_request(message, "response_format")


def bad_key() -> Rejection:
    """401: no key, or a wrong one."""
    return Rejection("bad_key", 401, "Incorrect API key provided.", code="invalid_api_key")


def unknown_model(name: str) -> Rejection:
    """404: it serves no such model."""
    message = f"The model `{name}` does not exist or you do not have access to it."
    return Rejection("unknown_model", 404, message, code="model_not_found")


def too_long(window: int, prompt: int, completion: int) -> Rejection:
    """400: prompt and completion (tokens) are more than the context window."""
    message = (
        f"This model's maximum context length is {window} tokens. However, you requested {prompt + completion} tokens "
        f"({prompt} in the messages, {completion} in the completion). Please reduce the length of the messages or "
        "completion."
    )
    return Rejection("too_long", 400, message, code="context_length_exceeded", param="messages")


def no_quota() -> Rejection:
    """429 that no waiting helps: the account is empty."""
    message = "You exceeded your current quota, please check your plan and billing details."
    return Rejection("quota", 429, message, kind="insufficient_quota", code="insufficient_quota")


def over_cap(retry_after: float) -> Rejection:
    """429: more requests at once than it serves."""
    return _limited("over_cap", "Too many requests at once.", retry_after, False)


def of_fault(fault: str, retry_after: float) -> Rejection | None:
    """The rejection that a fault of the wire is; None if it is none."""
    match fault:
        case "rate_limit" | "rate_limit_date":
            message = "Rate limit reached for requests. Please try again later."
            return _limited(fault, message, retry_after, fault == "rate_limit_date")
        case "server_error":
            message = "The server had an error while processing your request. Sorry about that!"
            return Rejection(fault, 500, message, kind="server_error")
        case "bad_gateway":
            return Rejection(fault, 502, "Bad Gateway", kind="server_error")
        case "unavailable":
            return Rejection(fault, 503, "The engine is currently overloaded.", kind="service_unavailable")
    return None


def _limited(outcome: str, message: str, retry_after: float, date: bool) -> Rejection:
    return Rejection(
        outcome, 429, message, kind="requests", code="rate_limit_exceeded", retry_after=retry_after, date=date
    )
