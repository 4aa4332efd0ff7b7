"""Keys over HTTP: nobody locks everybody out, and who is refused is told how to come in."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from services.access.keys import create_key, list_keys, revoke_key, rotate_key
from services.client.client import Client
from services.client.transport import ServerRefused


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_the_first_key_is_one_that_can_make_others(api: Any) -> None:
    refused = api.post("/v1/keys", {"name": "pipeline", "scopes": ["run", "approve"]})
    assert refused.status_code == 409
    assert "make one with the scope admin first" in refused.json()["detail"]
    assert list_keys(api.deployment.database) == ()
    assert api.get("/v1/keys").status_code == 200
    admin = api.post("/v1/keys", {"name": "operator", "scopes": ["admin"]})
    assert admin.status_code == 201
    own = bearer(admin.json()["token"])
    assert api.post("/v1/keys", {"name": "pipeline", "scopes": ["run"]}, headers=own).status_code == 201


def test_the_command_line_may_make_any_key_first(api: Any) -> None:
    assert create_key(api.deployment.database, "pipeline", ["run"]).key.scopes == ("run",)


@pytest.mark.usefixtures("configured")
def test_the_last_key_with_admin_is_not_revoked_over_http(api: Any) -> None:
    database = api.deployment.database
    last = create_key(database, "operator", ["admin"])
    create_key(database, "pipeline", ["run"])
    revoke_key(database, create_key(database, "gone", ["admin"]).key.id)
    own = bearer(last.token)
    refused = api.http.delete(f"/v1/keys/{last.key.id}", headers=own)
    assert refused.status_code == 409
    assert "touchstone keys revoke" in refused.json()["detail"]
    assert api.get("/v1/keys", headers=own).status_code == 200
    another = rotate_key(database, last.key.id)
    assert api.http.delete(f"/v1/keys/{last.key.id}", headers=own).status_code == 200
    again = api.http.delete(f"/v1/keys/{last.key.id}", headers=bearer(another.token))
    assert again.status_code == 200
    assert api.http.delete(f"/v1/keys/{another.key.id}", headers=bearer(another.token)).status_code == 409
    assert revoke_key(database, another.key.id).revoked_at is not None


@pytest.mark.usefixtures("configured")
def test_of_two_that_revoke_each_other_at_once_one_stays(api: Any) -> None:
    keys = [create_key(api.deployment.database, name, ["admin"]) for name in "ab"]
    for key in keys:
        assert api.get("/v1/keys/self", headers=bearer(key.token)).status_code == 200
    start, codes = threading.Barrier(2), list[int]()

    def revoke(mine: int) -> None:
        start.wait()
        path = f"/v1/keys/{keys[1 - mine].key.id}"
        codes.append(api.http.delete(path, headers=bearer(keys[mine].token)).status_code)

    threads = [threading.Thread(target=revoke, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) in ([200, 401], [200, 409])
    assert sum(key.revoked_at is None for key in list_keys(api.deployment.database)) == 1


def test_who_comes_too_often_is_told_the_limit_as_before(api: Any) -> None:
    own = bearer(create_key(api.deployment.database, "x", ["read"], per_minute=2).token)
    let_in = [api.get("/v1/keys/self", headers=own) for _ in range(2)][-1]
    refused = api.get("/v1/keys/self", headers=own)
    assert (let_in.status_code, refused.status_code) == (200, 429)
    assert refused.headers["ratelimit-policy"] == let_in.headers["ratelimit-policy"] == '"key";q=2;w=60'
    assert refused.headers["ratelimit"].startswith('"key";r=0;t=')
    assert int(refused.headers["retry-after"]) > 0


def test_without_a_key_the_client_names_its_setting_and_the_api_its_header(api: Any, tmp_path: Path) -> None:
    create_key(api.deployment.database, "operator", ["admin"])
    told = api.get("/v1/runs").json()["detail"]
    assert "Authorization: Bearer" in told
    assert "TOUCHSTONE_API_KEY" not in told
    with Client(api.url) as client:
        for ask in (
            lambda: client.dataset("x"), lambda: next(client.follow("x")),
            lambda: client.download_labels("x", tmp_path / "out"),
        ):  # fmt: skip
            with pytest.raises(ServerRefused, match="TOUCHSTONE_API_KEY") as refused:
                ask()
            assert "Authorization" not in str(refused.value)
    with Client(api.url, "tsk_nonsense") as client, pytest.raises(ServerRefused, match="no API key") as refused:
        client.dataset("x")
    assert "set TOUCHSTONE_API_KEY" not in str(refused.value)
