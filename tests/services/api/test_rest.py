"""Criteria sets, labelling, keys, the knowledge base, schedules, usage and the record of actions, over HTTP."""

from __future__ import annotations

import io
import json
import time
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from workbench import take_job

from knowledge_base.errors import AccessDenied
from services.access.keys import create_key


@pytest.fixture
def line(api: Any) -> tuple[str, str]:
    """A run that has ended, and the version it gave."""
    run = api.finished(api.dataset())
    return run, api.get(f"/v1/runs/{run}").json()["version"]


def decide(api: Any, version: str, decision: str = "approve", **more: Any) -> Any:
    return api.post(f"/v1/criteria-sets/line/{version}/decisions", {"decision": decision, "note": "fits", **more})


def test_a_version_is_approved_by_a_person_on_the_record(api: Any, line: tuple[str, str]) -> None:
    _, version = line
    assert api.get("/v1/criteria-sets/line/approved").status_code == 404
    made = decide(api, version)
    assert (made.status_code, made.json()["who"]) == (201, "local")
    assert api.get("/v1/criteria-sets/line/approved").json()["stored"]["version"] == version
    assert decide(api, version).status_code == 409
    actions = [a["action"] for a in api.get("/v1/actions").json()["items"]]
    assert actions[0] == "set.approve"
    assert api.get("/v1/actions/verify").json()["broken_at"] is None


def test_a_decision_that_did_not_know_of_another_is_refused(api: Any, line: tuple[str, str]) -> None:
    _, version = line
    decide(api, version)
    late = decide(api, version, "reject", seen=0)
    assert late.status_code == 409
    assert "look again" in late.json()["detail"]


@pytest.mark.parametrize("target", ["yaml", "json", "prometheus", "promptfoo", "deepeval", "prompt", "markdown"])
def test_a_version_is_exported_for_other_tools(api: Any, line: tuple[str, str], target: str) -> None:
    _, version = line
    path = f"/v1/criteria-sets/line/{version}/export"
    found = api.get(path, params={"format": target})
    assert found.status_code == 200
    assert "Letters" in found.text
    assert f"line-{version}" in found.headers["content-disposition"]
    headers = {"If-None-Match": found.headers["etag"]}
    assert api.get(path, params={"format": target}, headers=headers).status_code == 304


def test_an_edited_file_becomes_a_version_that_differs_where_it_was_edited(api: Any, line: tuple[str, str]) -> None:
    _, version = line
    document = yaml.safe_load(api.get(f"/v1/criteria-sets/line/{version}/export").text)
    document["criteria"][0]["description"] += " Short words count twice."
    sent = api.http.post("/v1/criteria-sets/line/upload", content=yaml.safe_dump(document, sort_keys=False).encode())
    assert sent.status_code == 201, sent.text
    proposed = sent.json()["stored"]
    assert (proposed["parent"], proposed["status"]) == (version, "proposed")
    diff = api.get(f"/v1/criteria-sets/line/{proposed['version']}/diff", params={"old": version}).json()
    assert len(diff["reworded"]) == 1
    assert (diff["dropped"], diff["new"]) == ([], [])


PAIRS = "\n".join(json.dumps({"id": str(i), "a": "e" * i + "x", "b": "zzz"}) for i in range(12)).encode()


@pytest.mark.usefixtures("configured")
def test_pairs_are_labelled_by_the_approved_version(api: Any, line: tuple[str, str]) -> None:
    from services.labelling.jobs import label_pairs

    query = {"filename": "new.jsonl", "name": "line"}
    assert api.http.post("/v1/labellings/upload", params=query, content=PAIRS).status_code == 404
    decide(api, line[1])
    made = api.http.post("/v1/labellings/upload", params=query, content=PAIRS)
    assert made.status_code == 201, made.text
    labelling = made.json()["labelling"]
    assert (made.json()["state"], made.json()["pairs"]) == ("running", 12)
    assert api.get(f"/v1/labellings/{labelling}/labels").status_code == 409
    while (job := take_job(api.deployment)) is not None:
        label_pairs(api.deployment, job.args[0])
    api.work()
    assert api.get(f"/v1/labellings/{labelling}").json()["state"] == "finished"
    table = pq.read_table(io.BytesIO(api.get(f"/v1/labellings/{labelling}/labels").content))
    assert table.num_rows == 12
    rows = api.get(f"/v1/labellings/{labelling}/labels", params={"format": "jsonl"}).text.splitlines()
    assert [json.loads(row)["probability"] for row in rows] == table["probability"].to_pylist()
    trl = api.get(f"/v1/labellings/{labelling}/labels", params={"format": "trl"}).text.splitlines()
    assert {"chosen", "rejected"} <= set(json.loads(trl[0]))
    assert api.get(f"/v1/labellings/{labelling}/summary").json()["pairs"] == 12
    assert [x["labelling"] for x in api.get("/v1/labellings").json()["items"]] == [labelling]


def test_a_key_is_told_once_works_and_works_no_longer_when_revoked(api: Any) -> None:
    admin = create_key(api.deployment.database, "admin", ["admin"]).token
    headers = {"Authorization": f"Bearer {admin}"}
    made = api.post("/v1/keys", {"name": "pipeline", "scopes": ["run"], "per_minute": 3}, headers=headers).json()
    own = {"Authorization": f"Bearer {made['token']}"}
    told = api.get("/v1/keys/self", headers=own)
    assert (told.json()["name"], told.json()["scopes"]) == ("pipeline", ["read", "run"])
    assert "r=2" in told.headers["ratelimit"]
    assert made["token"] not in api.get("/v1/keys", headers=headers).text
    codes = [api.get("/v1/keys/self", headers=own).status_code for _ in range(4)]
    assert codes[-1] == 429
    assert api.http.delete(f"/v1/keys/{made['key']['id']}", headers=headers).status_code == 200


@pytest.mark.usefixtures("configured")
def test_a_keys_daily_allowance_ends_what_it_may_order(api: Any) -> None:
    from services.access.allowance import DailyAllowance
    from services.access.identity import Identity
    from services.api.allowance import check_allowance
    from services.tables import CallRow

    run = api.order(api.dataset()).json()["run"]["run"]
    local = Identity(key="local", name="x", scopes=frozenset(), daily=DailyAllowance(calls=2))
    row = {"run": run, "work": "mining", "stage": "judge", "model": "m", "ended": "answered", "at": time.time()}
    with api.deployment.database.write() as connection:
        connection.execute(CallRow.__table__.insert(), [row, {**row, "run": "of another key"}])
    check_allowance(api.deployment.database, local)
    with api.deployment.database.write() as connection:
        connection.execute(CallRow.__table__.insert(), [row])
    with pytest.raises(AccessDenied, match="daily calls"):
        check_allowance(api.deployment.database, local)
    check_allowance(api.deployment.database, local.model_copy(update={"daily": DailyAllowance()}))


def test_a_prior_criterion_is_added_approved_and_found(api: Any) -> None:
    criterion = {
        "name": "Cites its sources", "description": "The better text names where its claims come from.",
        "provenance": {"kind": "team", "source": "our guide", "year": 2026},
    }  # fmt: skip
    kinds = api.get("/v1/openapi.json").json()["components"]["schemas"]["Provenance"]["properties"]["kind"]["enum"]
    criterion["provenance"]["kind"] = kinds[0]  # type: ignore[index]
    made = api.post("/v1/knowledge/entries", {"criterion": criterion})
    assert made.status_code == 201, made.text
    digest = made.json()["entry"]["digest"]
    assert api.post(f"/v1/knowledge/entries/{digest}/approve", {"note": "good"}).status_code == 200
    found = api.get("/v1/knowledge/search", params={"q": "names the sources of its claims"}).json()
    assert "Cites its sources" in [f["criterion"]["name"] for f in found]
    listed = api.get("/v1/knowledge/entries", params={"status": "approved"}).json()["items"]
    assert [e["digest"] for e in listed] == [digest]


def test_a_schedule_is_kept_foreseen_and_begun_by_hand(api: Any, line: tuple[str, str]) -> None:
    decide(api, line[1])
    wanted = {
        "name": "weekly",
        "dataset": "letters",
        "criteria_set": "line",
        "cron": "0 6 * * 1",
        "zone": "Europe/Berlin",
    }
    due = api.post("/v1/schedules/preview", wanted, params={"n": 3}).json()
    assert len(due) == 3
    assert due == sorted(due)
    kept = api.post("/v1/schedules", wanted).json()
    assert api.post("/v1/schedules", wanted).status_code == 409
    begun = api.post(f"/v1/schedules/{kept['id']}/refreshes")
    assert begun.status_code == 201
    assert [r["id"] for r in api.get("/v1/refreshes").json()["items"]] == [begun.json()["id"]]
    stopped = api.post(f"/v1/refreshes/{begun.json()['id']}/cancel")
    assert stopped.json()["status"] == "cancelled"
    assert api.http.put(f"/v1/schedules/{kept['id']}", json={**wanted, "enabled": False}).json()["enabled"] is False
    wrong = api.post("/v1/schedules", {**wanted, "name": "x", "cron": "every day"})
    assert wrong.status_code == 422
    assert "every day" in wrong.json()["detail"]


@pytest.mark.usefixtures("configured")
def test_usage_is_summed_by_what_is_asked_for(api: Any) -> None:
    from services.tables import CallRow

    row = {"run": "r1", "work": "mining", "stage": "judge", "model": "openai:m", "prompt": 10, "cached": 4,
           "completion": 2, "seconds": 0.5, "ended": "answered", "at": 86_400.0 * 20_000 + 86_399.9}  # fmt: skip
    with api.deployment.database.write() as connection:
        connection.execute(CallRow.__table__.insert(), [{**row, "cost": 0.5}, {**row, "cost": 0.25}])
        connection.execute(CallRow.__table__.insert(), [{**row, "cost": None, "at": 86_400.0 * 20_001, "model": "b:n"}])
    found = api.get("/v1/usage", params={"by": ["day", "model"]}).json()["rows"]
    assert [(r["day"], r["model"], r["calls"], r["cost"]) for r in found] == [
        ("2024-10-04", "openai:m", 2, 0.75), ("2024-10-05", "b:n", 1, None),
    ]  # fmt: skip
    assert api.get("/v1/usage", params={"by": "run", "until": "2024-10-04"}).json()["rows"][0]["calls"] == 2
    assert api.get("/v1/usage", params={"by": "run", "since": "2030-01-01"}).json()["rows"] == []


def test_metrics_are_told_in_prometheus_format(api: Any) -> None:
    found = api.get("/v1/metrics")
    assert found.status_code == 200
    assert "touchstone_queue_oldest_seconds" in found.text


def test_every_answer_carries_a_request_id_and_forbids_what_browsers_might_do(api: Any) -> None:
    given = api.get("/v1/runs", headers={"X-Request-Id": "my-id"})
    assert given.headers["x-request-id"] == "my-id"
    made = api.get("/v1/nothing", headers={"X-Request-Id": "no good"})
    assert made.headers["x-request-id"] == made.json()["instance"]
    for answer in (given, made):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_browser_of_another_site_is_not_let_in(api: Any) -> None:
    assert api.get("/v1/runs", headers={"Origin": "https://evil.example"}).status_code == 401
    assert api.get("/v1/runs", headers={"Host": "rebound.example"}).status_code == 401
