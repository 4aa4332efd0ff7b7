"""Errors as problem documents (RFC 9457): what is wrong, with which value, and what would do."""

from __future__ import annotations

import errno
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from redis.exceptions import RedisError
from sqlalchemy.exc import DataError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from knowledge_base.errors import (
    AccessDenied,
    CatalogueError,
    Conflict,
    ExpressionError,
    InputError,
    NotThere,
    ProviderError,
    RunError,
    TouchstoneError,
)
from services.api.wording import told_of
from services.datasets import FaultyRows

MEDIA_TYPE = "application/problem+json"
TYPES = "https://touchstone.invalid/problems/"
"""Prefix of a problem's type; a name, not a page."""

MOST_FAULTS = 20
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""How a write is refused where there is no room."""

log = logging.getLogger(__name__)


class Detail(BaseModel):
    """One thing that is wrong with a request.

    Attributes:
        where: path of the field, such as `body.config.seed`, or `file:row`.
        told: what is wrong with it and what would do.
    """

    model_config = ConfigDict(frozen=True)

    where: str = Field(examples=["body.config.rounds"])
    told: str = Field(examples=["is 0; it should be greater than or equal to 1"])


class Problem(BaseModel):
    """Why a request was not carried out.

    Attributes:
        type: a name of the kind of problem, as a URI.
        title: the kind in words; status: of the response.
        detail: this problem, with its value and a remedy.
        instance: the request's id, which the server's log names too.
        faults: each thing that is wrong, where there is more to tell.
    """

    model_config = ConfigDict(frozen=True)

    type: str = Field(default="about:blank", examples=[TYPES + "input"])
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["sealed_share is 1.5; give a number between 0 and 1"])
    instance: str = Field(default="", examples=["req-6f1c2a"])
    faults: tuple[Detail, ...] = ()


class Refused(TouchstoneError):
    """A request that cannot be carried out for a reason of HTTP's own.

    Args:
        status: of the response.
        kind: last part of the problem's type.
        headers: to send along.
    """

    def __init__(self, status: int, kind: str, told: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(told)
        self.status, self.kind, self.headers = status, kind, dict(headers or {})


KINDS: tuple[tuple[type[Exception], int, str], ...] = (
    (NotThere, 404, "not-found"),
    (Conflict, 409, "conflict"),
    (InputError, 422, "input"),
    (CatalogueError, 422, "criterion"),
    (ExpressionError, 422, "expression"),
    (RunError, 409, "run"),
    (ProviderError, 502, "provider"),
    (TouchstoneError, 500, "internal"),
)
"""Error -> status and kind; the first that fits."""


def install(app: FastAPI) -> None:
    """Have the application answer every error with a problem document."""
    app.add_exception_handler(TouchstoneError, _touchstone)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    for away in (OperationalError, InterfaceError, PoolTimeout):
        app.add_exception_handler(away, _outage)
    for unstorable in (DataError, UnicodeEncodeError):
        app.add_exception_handler(unstorable, _unstorable)
    app.add_exception_handler(RedisError, _outage)
    app.add_exception_handler(OSError, _full)
    app.add_exception_handler(Exception, _unforeseen)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route's `responses` say of the problems it may answer with."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def respond(request: Request, status: int, kind: str, told: str, **more: Any) -> Response:
    """A problem document as a response; `more` are `faults` and `headers`."""
    problem = Problem(
        type=TYPES + kind, title=HTTPStatus(status).phrase, status=status, detail=told,
        instance=getattr(request.state, "id", ""), faults=more.get("faults", ()),
    )  # fmt: skip
    # Words that a user sent may hold half a character, which no encoding takes.
    body = problem.model_dump_json(exclude_defaults=False).encode("utf-8", "replace")
    return Response(body, status, more.get("headers"), media_type=MEDIA_TYPE)


async def _touchstone(request: Request, error: Exception) -> Response:
    if isinstance(error, Refused):
        return respond(request, error.status, error.kind, str(error), headers=error.headers)
    if isinstance(error, AccessDenied):
        return _denied(request, error)
    status, kind = next((s, k) for of, s, k in KINDS if isinstance(error, of))
    if status == 500:
        log.error("a request failed", exc_info=error)
    faults = tuple(_row(f) for f in error.faults[:MOST_FAULTS]) if isinstance(error, FaultyRows) else ()
    return respond(request, status, kind, str(error), faults=faults)


def _row(fault: Any) -> Detail:
    where, _, told = str(fault).partition(": ")
    return Detail(where=where, told=told or where)


def _denied(request: Request, error: AccessDenied) -> Response:
    statuses = {"unauthenticated": 401, "forbidden": 403, "limited": 429}
    headers = {"WWW-Authenticate": 'Bearer realm="touchstone"'} if error.reason == "unauthenticated" else {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    return respond(request, statuses[error.reason], error.reason, str(error), headers=headers)


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = tuple(Detail(where=where, told=told) for where, told in told_of(request, error))
    told = "; ".join(f"{f.where}: {f.told}" for f in faults[:3]) or "the request cannot be read"
    return respond(request, 422, "input", told, faults=faults[:MOST_FAULTS])


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 400:
        # What the framework says of a body that is not UTF-8, is nested too deep, or holds a number that never ends.
        return respond(request, 422, "input", "the body cannot be read as JSON in UTF-8; send one object, such as {}")
    told = {
        404: f"there is nothing at {request.url.path}; GET /v1/openapi.json lists what there is",
        405: f"{request.method} cannot be done to {request.url.path}",
    }.get(error.status_code, str(error.detail))
    kind = "too-large" if error.status_code == 413 else "http"
    return respond(request, error.status_code, kind, told, headers=error.headers)


async def _outage(request: Request, error: Exception) -> Response:
    """The database or Redis is away or too busy: an answer that a client may try again after."""
    log.error("a request met an outage", exc_info=error)
    name = "Redis" if isinstance(error, RedisError) else "the database"
    return respond(request, 503, "outage", f"{name} does not answer; try again", headers={"Retry-After": "5"})


async def _full(request: Request, error: Exception) -> Response:
    """Files are written whole or not at all, so nothing of the request was kept."""
    if not isinstance(error, OSError) or error.errno not in FULL:
        return await _unforeseen(request, error)
    log.error("a request met a full disk", exc_info=error)
    told = "the server's disk is full and nothing was kept; whoever runs it must free some space"
    return respond(request, 503, "outage", told, headers={"Retry-After": "60"})


async def _unstorable(request: Request, error: Exception) -> Response:
    """Text that no database takes and no field refused: nothing of the request was kept."""
    told = "a text holds a NUL or half of a surrogate pair; send whole characters"
    return respond(request, 422, "input", told)


async def _unforeseen(request: Request, error: Exception) -> Response:
    log.error("a request failed", exc_info=error)
    told = f"the server failed; its log tells of it under {getattr(request.state, 'id', 'this request')}"
    return respond(request, 500, "internal", told)
