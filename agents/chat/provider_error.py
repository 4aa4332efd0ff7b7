"""What can be read off a provider's exception without knowing whose it is.

Most libraries are made by the same generators and give `status_code`, `response` and `body`; Google's give `code`,
AWS's a dictionary in `response`; an error inside a reply of status 200 comes as a bare `ValueError` that holds it.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

DEEPEST = 8
"""Causes of an exception that are looked at."""

DELAY = re.compile(r"retry(?:Delay| in)[\"':= ]+(\d+(?:\.\d+)?) ?s", re.IGNORECASE)
"""Google writes how long to wait into the body."""

REQUEST_IDS = ("x-request-id", "request-id", "x-amzn-requestid", "apim-request-id")


@dataclass(frozen=True)
class Facts:
    """What an exception says.

    Attributes:
        kinds: names of its classes, its causes' included.
        status: HTTP status; None where none is known.
        message: the endpoint's own words, or the exception's.
        code, parameter: as the endpoint's error body has them, or empty.
        retry_after: seconds to wait, 0 or more; None if not said.
        request: the endpoint's id of the request, or empty.
    """

    kinds: frozenset[str]
    status: int | None
    message: str
    code: str
    parameter: str
    retry_after: float | None
    request: str

    @property
    def words(self) -> str:
        """Code and message, to search in."""
        return f"{self.code} {self.message}"

    def is_a(self, *names: str) -> bool:
        """Whether the exception, or a cause of it, is of a class with one of these names."""
        return not self.kinds.isdisjoint(names)


def facts_of(error: BaseException) -> Facts:
    """What an exception and its causes say; the outermost that knows a thing is believed."""
    chain = list(_chain(error))
    headers = next((h for e in chain if (h := _headers(e))), {})
    body = next((b for e in chain if (b := _body(e))), {})
    status = next((s for e in chain if (s := _status(e)) is not None), _number(body.get("code")))
    message = _text(body.get("message")) or _plain(chain)
    return Facts(
        frozenset(kind.__name__ for e in chain for kind in type(e).__mro__),
        status,
        message,
        " ".join(_text(body.get(name)) for name in ("code", "type", "status")),
        _text(body.get("param")),
        _delay_in(body) if (asked := retry_after(headers)) is None else asked,
        next((headers[name] for name in REQUEST_IDS if name in headers), ""),
    )


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Seconds that a reply asks to wait: `retry-after-ms`, else `retry-after`, a number or a date (RFC 9110, 10.2.3).

    Args:
        headers: names in lower case.
        now: seconds since the epoch; the clock's if not given.

    Returns:
        0 or more; None if there is no such header, or it cannot be read.
    """
    milliseconds = _seconds(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    asked = headers.get("retry-after")
    seconds = _seconds(asked)
    if seconds is not None or not asked:
        return seconds
    try:
        until = parsedate_to_datetime(asked).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, until - (time.time() if now is None else now))


def _seconds(text: str | None) -> float | None:
    try:
        seconds = float(text or "")
    except ValueError:
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and len(seen) < DEEPEST and not any(at is e for e in seen):
        seen.append(at)
        yield at
        at = at.__cause__ or at.__context__


def _status(error: BaseException) -> int | None:
    response = getattr(error, "response", None)
    aws = response.get("ResponseMetadata") if isinstance(response, Mapping) else None
    candidates = (
        getattr(error, "status_code", None),
        getattr(response, "status_code", None),
        aws.get("HTTPStatusCode") if isinstance(aws, Mapping) else None,
        getattr(error, "code", None),
    )
    return next((number for c in candidates if (number := _number(c)) is not None), None)


def _number(value: object) -> int | None:
    """An HTTP status, if it is one."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        number = int(value)
    except ValueError:
        return None
    return number if 100 <= number <= 599 else None


def _headers(error: BaseException) -> dict[str, str]:
    held = getattr(getattr(error, "response", None), "headers", None) or getattr(error, "headers", None)
    if not isinstance(held, Mapping):
        return {}
    return {str(name).lower(): str(value) for name, value in held.items()}


def _body(error: BaseException) -> dict[str, Any]:
    """The error object of the endpoint's reply."""
    response = getattr(error, "response", None)
    held: Any = getattr(error, "body", None)
    if held is None:
        held = response if isinstance(response, Mapping) else getattr(error, "details", None) or _read(response)
    if held is None and type(error) is ValueError and error.args:
        held = error.args[0]
    if not isinstance(held, Mapping):
        return {}
    inner = held.get("error") or held.get("Error") or held
    if not isinstance(inner, Mapping):
        return {"message": inner}
    message = inner.get("message")
    detail = message.get("detail") if isinstance(message, Mapping) else inner.get("detail")
    return {str(name).lower(): value for name, value in inner.items()} | _complaints(detail)


def _read(response: object) -> object:
    """A reply's JSON, where the exception only holds the reply."""
    try:
        return json.loads(getattr(response, "text", "") or "null")
    except Exception:  # a reply that was not read raises what its library likes
        return None


def _complaints(detail: object) -> dict[str, Any]:
    """FastAPI's list of what is wrong with a request: places and words, without the input that it quotes."""
    if isinstance(detail, str):
        return {"message": detail}
    if not isinstance(detail, list):
        return {}
    found = [d for d in detail if isinstance(d, Mapping)]
    places = ("/".join(map(str, d.get("loc", ()))) for d in found)
    return {"message": "; ".join(f"{p}: {_text(d.get('msg'))}" for p, d in zip(places, found, strict=True))}


def _text(value: object) -> str:
    return "" if value is None or isinstance(value, Mapping | list) else str(value)


def _plain(chain: list[BaseException]) -> str:
    """The first words that any of the exceptions has; a bare `ReadError` has none, but its cause may."""
    words = (str(getattr(e, "message", "") or e) for e in chain)
    return next((w for w in words if w.strip() and w != "Connection error."), "")


def _delay_in(body: Mapping[str, Any]) -> float | None:
    found = DELAY.search(str(body))
    return float(found[1]) if found else None
