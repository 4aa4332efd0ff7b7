"""Runs over HTTP: ordered, watched, stopped, taken up again, and what they hand over."""

from __future__ import annotations

import threading
import time
from typing import Any

import httpx
import pytest
from httpx_sse import connect_sse
from workbench import execute, take_job


def test_a_run_goes_from_a_file_to_a_criteria_set(api: Any) -> None:
    dataset = api.dataset()
    ordered = api.order(dataset)
    assert ordered.status_code == 201
    run = ordered.json()["run"]
    assert (run["state"], run["name"], run["source"], run["by"]) == ("running", "line", dataset, "local")
    api.work()
    found = api.get(f"/v1/runs/{run['run']}").json()
    assert found["state"] == "finished"
    result = api.get(f"/v1/runs/{run['run']}/result").json()
    assert result["held_out_weighted"]["kind"] == "sealed"
    stored = api.get(f"/v1/criteria-sets/line/{found['version']}").json()
    assert stored["stored"]["status"] == "proposed"
    assert stored["stored"]["criteria_set"] == result["criteria_set"]
    page = api.get(f"/v1/runs/{run['run']}/report")
    assert page.headers["content-type"].startswith("text/html")
    assert "<html" in page.text
    assert len(api.get(f"/v1/runs/{run['run']}/rounds").json()) == len(result["rounds"])


def test_the_same_order_makes_the_same_run(api: Any) -> None:
    dataset = api.dataset()
    first, second = api.order(dataset).json(), api.order(dataset).json()
    assert first == second


def test_an_order_that_was_sent_twice_is_carried_out_once(api: Any) -> None:
    dataset, body = api.dataset(), {"dataset": "letters", "name": "line"}
    headers = {"Idempotency-Key": "once"}
    first = api.post("/v1/runs", body, headers=headers)
    api.http.post(f"/v1/datasets/{dataset}/upload", params={"filename": "m.jsonl"}, content=_more())
    second = api.post("/v1/runs", body, headers=headers)
    third = api.post("/v1/runs", body)
    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    assert second.headers["idempotency-replayed"] == "true"
    assert third.json()["run"]["run"] != first.json()["run"]["run"]


def test_a_quote_names_the_run_that_an_order_makes_and_keeps_nothing(api: Any) -> None:
    dataset = api.dataset()
    body = {"dataset": dataset, "name": "line"}
    quoted = api.post("/v1/runs/estimate", body).json()
    assert (quoted["exists"], quoted["estimate"]) == (False, None)
    assert api.get("/v1/runs").json()["items"] == []
    assert api.post("/v1/runs", body).json()["run"]["run"] == quoted["run"]
    assert api.post("/v1/runs/estimate", body).json()["exists"] is True


def test_a_run_is_cancelled_and_resumed(api: Any) -> None:
    run = api.order(api.dataset()).json()["run"]["run"]
    for _ in range(2):
        execute(api.deployment, take_job(api.deployment))
    cancelled = api.post(f"/v1/runs/{run}/cancel")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    api.work()
    assert api.get(f"/v1/runs/{run}").json()["state"] == "cancelled"
    none = api.get(f"/v1/runs/{run}/result")
    assert none.status_code == 409
    assert f"cancelled by local; POST /v1/runs/{run}/resume" in none.json()["detail"]
    assert api.post(f"/v1/runs/{run}/resume").json()["state"] == "running"
    api.work()
    assert api.get(f"/v1/runs/{run}").json()["state"] == "finished"
    refused = api.post(f"/v1/runs/{run}/cancel")
    assert refused.status_code == 409
    assert "has finished" in refused.json()["detail"]


def test_runs_are_listed_in_pages(api: Any) -> None:
    made = [api.order(api.dataset(f"d{i}", seed=i)).json()["run"]["run"] for i in range(5)]
    seen, after = [], ""
    while True:
        page = api.get("/v1/runs", params={"limit": 2, "after": after}).json()
        seen += [run["run"] for run in page["items"]]
        if page["next"] is None:
            break
        after = page["next"]
    assert seen == made[::-1]
    assert api.get("/v1/runs", params={"state": "finished"}).json()["items"] == []


def test_what_is_immutable_is_not_sent_twice(api: Any) -> None:
    run = api.finished(api.dataset())
    first = api.get(f"/v1/runs/{run}/result")
    again = api.get(f"/v1/runs/{run}/result", headers={"If-None-Match": first.headers["etag"]})
    assert "immutable" in first.headers["cache-control"]
    assert (again.status_code, again.content) == (304, b"")
    assert api.get(f"/v1/runs/{run}/result", headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.usefixtures("configured")
def test_judgments_are_told_by_criterion_pair_and_status(api: Any) -> None:
    run = api.finished(api.dataset())
    page = api.get(f"/v1/runs/{run}/judgments", params={"limit": 200}).json()
    keys = [j["key"] for j in page["items"]]
    assert keys == sorted(keys)
    assert page["next"]
    one = page["items"][0]
    by = {"criterion": one["criterion"], "pair": one["pair"], "status": one["status"]}
    found = api.get(f"/v1/runs/{run}/judgments", params=by).json()["items"]
    assert one in found
    assert {(j["criterion"], j["pair"], j["status"]) for j in found} == {tuple(by.values())}


@pytest.mark.parametrize(
    ("body", "where", "told"),
    [
        ({"dataset": "letters", "name": "bad name"}, "body.name", "is 'bad name'; use letters"),
        ({"dataset": "letters", "name": "line", "config": {"rounds": 0}}, "body.config.rounds", "greater than"),
        ({"dataset": "letters", "name": "line", "confg": {}}, "body.confg", "did you mean 'config'?"),
        ({"name": "line"}, "body.dataset", "is missing"),
        ({"dataset": "letters", "name": "line", "config": {"seed": 10**40}}, "body.config.seed", "less than"),
    ],
)
def test_a_faulty_order_is_told_field_by_field(api: Any, body: Any, where: str, told: str) -> None:
    refused = api.post("/v1/runs", body)
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    [fault] = refused.json()["faults"]
    assert fault["where"] == where
    assert told in fault["told"]


def test_a_policy_that_is_not_there_and_a_dataset_that_is_not_there_are_told(api: Any) -> None:
    missing = api.post("/v1/runs", {"dataset": "nowhere", "name": "line"})
    assert (missing.status_code, missing.json()["type"].rpartition("/")[2]) == (404, "not-found")
    api.dataset()
    refused = api.post("/v1/runs", {"dataset": "letters", "name": "line", "config": {"policy": "best"}})
    assert refused.status_code == 422
    assert "best" in refused.json()["detail"]


def test_a_dataset_without_a_decided_pair_is_refused_before_anything_is_made(api: Any) -> None:
    api.post("/v1/datasets", {"name": "empty"})
    refused = api.post("/v1/runs", {"dataset": "empty", "name": "line"})
    assert refused.status_code == 422
    assert "has a vote that stands; add votes first" in refused.json()["detail"]
    assert api.get("/v1/runs").json()["items"] == []


def test_every_path_of_a_run_that_is_not_there_is_a_404_with_a_remedy(api: Any) -> None:
    for path in ("", "/progress", "/events", "/result", "/report", "/rounds", "/judgments"):
        found = api.get(f"/v1/runs/0000000000000000{path}")
        assert found.status_code == 404, path
        assert found.headers["content-type"] == "application/problem+json", path
        assert "GET /v1/runs lists" in found.json()["detail"]
    assert api.get("/v1/nothing").status_code == 404
    assert api.http.delete("/v1/runs").status_code == 405


def test_an_unfinished_run_has_no_result_yet(api: Any) -> None:
    run = api.order(api.dataset()).json()["run"]["run"]
    assert api.get(f"/v1/runs/{run}/result").status_code == 409


def _more() -> bytes:
    return b'{"id": "new", "a": "eeee", "b": "zzzz", "preferred": "a"}'


# Events


def events(api: Any, run: str, last: str = "", most: int = 1000) -> list[Any]:
    headers = {"Last-Event-ID": last} if last else {}
    with (
        httpx.Client(base_url=api.url, timeout=30) as http,
        connect_sse(http, "GET", f"/v1/runs/{run}/events", headers=headers) as source,
    ):
        found = []
        for event in source.iter_sse():
            found.append(event)
            if event.event == "end" or len(found) == most:
                break
        return found


def test_events_tell_a_run_as_it_happens_until_its_end(api: Any) -> None:
    run = api.order(api.dataset()).json()["run"]["run"]
    told: list[Any] = []
    watching = threading.Thread(target=lambda: told.extend(events(api, run)))
    watching.start()
    time.sleep(0.3)
    api.work()
    watching.join(20)
    assert not watching.is_alive()
    assert told[0].event == "progress"
    assert (told[-1].event, told[-1].json()["state"]) == ("end", "finished")
    numbers = [e.json()["number"] for e in told if e.event == "round"]
    assert numbers == list(range(1, len(numbers) + 1))
    answered = [e.json()["answered"] for e in told if e.event != "round"]
    assert answered == sorted(answered)


def test_a_reader_that_was_cut_off_is_told_the_rounds_that_it_missed_and_no_other(api: Any) -> None:
    run = api.finished(api.dataset())
    whole = events(api, run)
    rounds = [e for e in whole if e.event == "round"]
    assert len(rounds) >= 2
    for seen, event in enumerate(rounds, start=1):
        again = [e.json()["number"] for e in events(api, run, event.id) if e.event == "round"]
        assert again == [e.json()["number"] for e in rounds[seen:]]
    assert [e.event for e in events(api, run, whole[-1].id)] == ["end"]


def test_progress_tells_the_same_to_those_who_ask(api: Any) -> None:
    run = api.finished(api.dataset())
    assert api.get(f"/v1/runs/{run}/progress").json() == events(api, run)[-1].json()
