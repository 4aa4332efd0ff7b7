"""What is answered without a key: whether the server lives, and whether it can work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import Field
from sqlalchemy import text

from services.api.access import Place
from services.api.fields import Told
from services.api.problems import documented
from services.deployment import Deployment

router = APIRouter(tags=["health"])


class Health(Told):
    """That the process answers."""

    status: Literal["ok"] = "ok"


class Readiness(Told):
    """Whether requests can be served: what was tried, and `ok` or what is wrong with it."""

    ready: bool
    database: str = Field(examples=["ok"])
    redis: str = Field(examples=["ok"])


@router.get("/healthz", summary="Does the process live?")
async def health() -> Health:
    """Answer at once, whatever the database and Redis do: a server that cannot reach them need not be restarted."""
    return Health()


@router.get("/readyz", summary="Can requests be served?", responses=documented(503))
def readiness(place: Place, response: Response) -> Readiness:
    """Try the database and Redis; 503 where one of them does not answer."""
    database, redis = _tried(lambda: _ask(place)), _tried(lambda: place.queue.connection.ping())
    ready = database == redis == "ok"
    response.status_code = 200 if ready else 503
    return Readiness(ready=ready, database=database, redis=redis)


def _ask(place: Deployment) -> None:
    with place.database.read() as connection:
        connection.execute(text("SELECT 1"))


def _tried(work: Callable[[], object]) -> str:
    try:
        work()
    except Exception as error:
        return f"does not answer ({type(error).__name__})"
    return "ok"
