"""Who asks, and whether they may: dependencies for routes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from services.access.audit import acting_in
from services.access.doorkeeper import REQUESTS, Doorkeeper
from services.access.identity import Identity, require
from services.access.local_access import RequestFacts
from services.access.rate_limits import Standing, TooMany
from services.access.scopes import Scope
from services.deployment import Deployment

bearer = HTTPBearer(auto_error=False, description="An API key, made by `touchstone keys create`.")


def _deployment(request: Request) -> Deployment:
    found: Deployment = request.app.state.deployment
    return found


Place = Annotated[Deployment, Depends(_deployment)]
"""The deployment that the application serves."""


async def _known(
    request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> AsyncIterator[Identity]:
    """Let the caller in; what it then does is recorded under its request.

    Raises:
        AccessDenied: it may not come in.
    """
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    peer = request.client.host if request.client else ""
    try:
        admitted = await run_in_threadpool(doorkeeper.admit, RequestFacts.of(peer, request.headers.items()))
    except TooMany as error:
        request.state.headers = _told(error.standing) if error.kind == REQUESTS else {}
        raise
    request.state.identity = admitted.identity
    request.state.headers = _told(admitted.standing)
    with acting_in(request.state.id, admitted.address):
        yield admitted.identity


Anyone = Annotated[Identity, Depends(_known)]
"""Any caller that was let in."""

known_caller = Depends(_known)


def _told(standing: Standing | None) -> dict[str, str]:
    """Where the caller stands in its rate limit, as headers (IETF draft "RateLimit header fields for HTTP")."""
    if standing is None:
        return {}
    left = f'"key";r={standing.remaining};t={round(standing.reset)}'
    return {"RateLimit": left, "RateLimit-Policy": f'"key";q={standing.limit};w=60'}


def _having(scope: Scope) -> Any:
    def check(caller: Anyone) -> Identity:
        require(caller, scope)
        return caller

    # By this, tests tell which scope a route asks for.
    check.__name__ = f"may_{scope}"
    return Depends(check)


Reader = Annotated[Identity, _having("read")]
Annotator = Annotated[Identity, _having("annotate")]
Runner = Annotated[Identity, _having("run")]
Approver = Annotated[Identity, _having("approve")]
Admin = Annotated[Identity, _having("admin")]
