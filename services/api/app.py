"""The application: routes over one deployment, opened and closed with the server."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, FastAPI

from services.access.doorkeeper import Doorkeeper
from services.annotation.spool import LEFT_SECONDS, remove_left_behind
from services.api import problems
from services.api.access import known_caller
from services.api.middleware import Passage
from services.api.routes import ROUTERS, public
from services.api.watching import Hub, standing_of
from services.closing import close_run, is_closed
from services.database import Database
from services.deployment import Deployment
from services.queue import JobQueue
from services.settings import Settings

MOST_BYTES = 4_000_000
"""Of a body that is no upload."""

THREADS = 100
"""Requests that are worked on at a time."""

DESCRIPTION = """Mines written quality criteria from a few dozen human preferences, and puts them to work.

Every error is a problem document (RFC 9457) that names the field, the value and the remedy. Lists come in pages: ask
again with `after` set to the page's `next`. What costs money takes an `Idempotency-Key`. What never changes has an
`ETag`."""


def application(settings: Settings, *, preload: bool = False) -> FastAPI:
    """The application over the deployment that the settings name, whose Redis must be running.

    Args:
        settings: of the deployment.
        preload: load models and the knowledge base beside the first requests, so that none of them waits for that.

    Raises:
        InputError: the database cannot be used.
    """
    app = FastAPI(
        title="Touchstone", version="1", description=DESCRIPTION, openapi_url="/v1/openapi.json", docs_url=None,
        redoc_url=None, lifespan=_lifespan, redirect_slashes=False,
    )  # fmt: skip
    app.state.settings, app.state.preload = settings, preload
    app.add_middleware(Passage, most_bytes=MOST_BYTES, most_upload=settings.upload_bytes)
    problems.install(app)
    app.include_router(public.router)
    protected = APIRouter(
        prefix="/v1", dependencies=[known_caller], responses=problems.documented(401, 403, 422, 429, 503)
    )
    for router in ROUTERS:
        protected.include_router(router)
    app.include_router(protected)
    _describe(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    database = Database(settings.database).create()
    # A scheduler on another host does not see this one's files.
    remove_left_behind(settings.spool, time.time() - LEFT_SECONDS)
    deployment = Deployment(settings, database, JobQueue(settings.redis_url, settings.job_seconds))
    app.state.deployment = deployment
    # Requests that wait for the database hold a thread each; those that only read must not wait for them.
    current_default_thread_limiter().total_tokens = THREADS
    if app.state.preload:
        threading.Thread(target=deployment.parties.preload, name="preload", daemon=True).start()
    app.state.hub = Hub(partial(standing_of, database), partial(is_closed, database), partial(close_run, database))
    app.state.doorkeeper = Doorkeeper(database, settings, settings.redis_url)
    try:
        yield
    finally:
        await app.state.hub.close()
        app.state.doorkeeper.close()
        deployment.queue.close()
        database.close()


def _describe(app: FastAPI) -> None:
    """Have the OpenAPI document say that errors are problem documents, in place of the framework's own."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        document = made()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(schemas["Problem"].pop("$defs", {}))
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # the framework's documented way
