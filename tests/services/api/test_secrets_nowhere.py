"""After a full job, no secret lies in the database, in Redis, in logs or in anything that is handed out."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from services.access.keys import create_key

PEPPER, MASTER = "pepper-4f1d2c3b5a697788", "master-0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHSTONE_KEY_PEPPER", PEPPER)
    monkeypatch.setenv("TOUCHSTONE_WEBHOOK_SECRET", MASTER)
    monkeypatch.setenv("TOUCHSTONE_WEBHOOK_NETWORKS", "127.0.0.0/8")


def test_no_secret_is_left_anywhere(api: Any, place: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    made = create_key(api.deployment.database, "admin", ["admin"], pepper=PEPPER)
    api.http.headers["Authorization"] = f"Bearer {made.token}"
    hook = api.post("/v1/webhooks", {"url": "http://127.0.0.1:9999/hook"})
    assert hook.status_code == 201, hook.text
    run = api.finished(api.dataset())
    version = api.get(f"/v1/runs/{run}").json()["version"]
    api.post(f"/v1/criteria-sets/line/{version}/decisions", {"decision": "approve"})
    given = "\n".join(
        api.get(path).text
        for path in (
            f"/v1/runs/{run}/result", f"/v1/runs/{run}/report", f"/v1/criteria-sets/line/{version}/export",
            "/v1/actions", "/v1/webhooks", "/v1/webhooks/deliveries", "/v1/metrics",
        )
    )  # fmt: skip
    secrets = {"pepper": PEPPER, "master": MASTER, "webhook": hook.json()["secret"], "token": made.token}
    secrets["half a token"] = made.token.rpartition("_")[2]
    places = {
        "database": b"".join(p.read_bytes() for p in (place / "home").rglob("*") if p.is_file()),
        "redis": _redis(api), "logs": caplog.text.encode(), "answers": given.encode(),
    }  # fmt: skip
    assert len(places["database"]) > 100_000
    found = [
        (name, where) for name, secret in secrets.items() for where, held in places.items() if secret.encode() in held
    ]
    assert found == []


def _redis(api: Any) -> bytes:
    connection, held = api.deployment.queue.connection, b""
    for key in connection.scan_iter():
        kind = connection.type(key)
        read = {b"string": connection.get, b"hash": connection.hgetall, b"set": connection.smembers}
        value = read[kind](key) if kind in read else connection.dump(key)
        held += key + repr(value).encode()
    return held
