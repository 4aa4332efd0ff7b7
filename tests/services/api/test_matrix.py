"""Every route by every scope: who may, and who may not. A route that is added without a scope fails here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute

from services.access.keys import create_key
from services.access.scopes import IMPLIED, SCOPES

PUBLIC = {("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/metrics"), ("GET", "/v1/openapi.json")}
ANYONE = {("GET", "/v1/keys/self")}

NEEDED = {
    ("POST", "/v1/runs"): "run", ("POST", "/v1/runs/estimate"): "read", ("POST", "/v1/runs/{run}/cancel"): "run",
    ("POST", "/v1/runs/{run}/resume"): "run", ("POST", "/v1/datasets"): "run",
    ("PATCH", "/v1/datasets/{dataset}"): "run", ("POST", "/v1/datasets/{dataset}/upload"): "run",
    ("POST", "/v1/datasets/{dataset}/pairs"): "run", ("POST", "/v1/datasets/{dataset}/freeze"): "run",
    ("POST", "/v1/datasets/{dataset}/votes"): "annotate",
    ("POST", "/v1/datasets/{dataset}/votes/{vote}/withdraw"): "annotate",
    ("POST", "/v1/datasets/{dataset}/next"): "annotate",
    ("POST", "/v1/datasets/{dataset}/assignments/{assignment}/answer"): "annotate",
    ("POST", "/v1/criteria-sets/{name}/{version}/decisions"): "approve",
    ("POST", "/v1/criteria-sets/{name}/upload"): "run", ("POST", "/v1/labellings/upload"): "run",
    ("POST", "/v1/labellings/{labelling}/resume"): "run", ("POST", "/v1/schedules"): "run",
    ("POST", "/v1/schedules/preview"): "read", ("PUT", "/v1/schedules/{schedule}"): "run",
    ("POST", "/v1/schedules/{schedule}/acknowledge"): "approve",
    ("POST", "/v1/schedules/{schedule}/refreshes"): "run", ("POST", "/v1/refreshes/{refresh}/cancel"): "run",
    ("POST", "/v1/refreshes/{refresh}/resume"): "run", ("POST", "/v1/knowledge/entries"): "run",
    ("POST", "/v1/knowledge/entries/{digest}/approve"): "approve",
    ("POST", "/v1/knowledge/entries/{digest}/withdraw"): "approve",
}  # fmt: skip
"""What changes something or costs something. Everything under `/keys`, `/webhooks` and `/actions` is an admin's, and
every other GET a reader's.
"""


@pytest.fixture
def tokens(api: Any) -> dict[str, str]:
    """A key with each scope alone, and one that was revoked."""
    from services.access.keys import revoke_key

    database = api.deployment.database
    made = {scope: create_key(database, scope, [scope]) for scope in SCOPES}
    gone = create_key(database, "gone", ["admin"])
    revoke_key(database, gone.key.id)
    return {scope: key.token for scope, key in made.items()} | {"revoked": gone.token}


def routes(api: Any) -> list[tuple[str, str]]:
    """Every route that the OpenAPI document names."""
    paths = api.get("/v1/openapi.json").json()["paths"]
    return sorted((method.upper(), path) for path, methods in paths.items() for method in methods)


def needed(method: str, path: str) -> str:
    if path.startswith(("/v1/webhooks", "/v1/actions")) or (path.startswith("/v1/keys") and path != "/v1/keys/self"):
        return "admin"
    return NEEDED.get((method, path), "read" if method == "GET" else "")


def asked(api: Any, method: str, path: str, token: str) -> int:
    filled = re.sub(r"\{version\}|\{digest\}", "0" * 12, path)
    filled = re.sub(r"\{[a-z]+\}", "nothing-there", filled)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = api.http.request(method, filled, headers=headers, json={} if method != "GET" else None)
    return int(answer.status_code)


def test_every_route_asks_for_its_scope(api: Any, tokens: dict[str, str]) -> None:
    found = routes(api)
    assert {r for r in NEEDED if r not in found} == set()
    for method, path in found:
        if (method, path) in PUBLIC | ANYONE:
            continue
        scope = needed(method, path)
        assert scope, f"{method} {path} changes something and no scope is named for it here"
        for held in SCOPES:
            if path.endswith("/events") and scope in IMPLIED[held]:
                continue
            status = asked(api, method, path, tokens[held])
            assert (status == 403) == (scope not in IMPLIED[held]), f"{method} {path} with {held}: {status}"


def test_no_route_is_open_to_whoever_has_no_good_key(api: Any, tokens: dict[str, str]) -> None:
    for method, path in routes(api):
        if (method, path) in PUBLIC:
            continue
        for token in ("", tokens["revoked"], "tsk_nonsense", tokens["read"][:-1]):
            assert asked(api, method, path, token) in (401, 429), f"{method} {path}"


@pytest.mark.usefixtures("configured")
def test_public_routes_say_nothing_about_anybody(api: Any, tokens: dict[str, str]) -> None:
    assert api.get("/healthz").json() == {"status": "ok"}
    assert api.get("/readyz").json() == {"ready": True, "database": "ok", "redis": "ok"}


def test_every_route_is_behind_a_scope_or_listed_as_open(api: Any) -> None:
    from services.api.app import application

    app = application(api.deployment.settings)
    for route in app.routes:
        if not isinstance(route, APIRoute):
            continue
        for method in route.methods:
            if (method, route.path) in PUBLIC | ANYONE:
                continue
            names = {d.call.__name__ for d in _dependencies(route.dependant) if hasattr(d.call, "__name__")}
            assert any(name.startswith("may_") for name in names), f"{method} {route.path}"


def _dependencies(dependant: Any) -> Iterator[Any]:
    for each in dependant.dependencies:
        yield each
        yield from _dependencies(each)
