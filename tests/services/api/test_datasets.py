"""Datasets over HTTP: files, pairs, tasks, votes, agreement."""

from __future__ import annotations

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.access.keys import create_key


def send(api: Any, dataset: str, content: bytes, name: str = "pairs.jsonl", **query: Any) -> Any:
    return api.http.post(f"/v1/datasets/{dataset}/upload", params={"filename": name, **query}, content=content)


@pytest.fixture
def dataset(api: Any) -> str:
    return str(api.post("/v1/datasets", {"name": "answers"}).json()["id"])


ROWS = [{"id": "1", "a": "short", "b": "a longer text"}, {"id": "2", "a": "one", "b": "two"}]


def as_file(kind: str, rows: list[dict[str, str]]) -> bytes:
    if kind == "jsonl":
        return "\n".join(map(json.dumps, rows)).encode()
    if kind == "csv":
        return "\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows)]).encode()
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_a_file_of_any_format_is_taken_in_once(api: Any, dataset: str, kind: str) -> None:
    content = as_file(kind, [{**row, "preferred": "a"} for row in ROWS])
    first, again = (send(api, dataset, content, f"pairs.{kind}").json() for _ in "ab")
    assert (first["pairs_added"], first["votes_added"]) == (2, 2)
    assert again["already"] is True
    assert api.get(f"/v1/datasets/{dataset}").json()["pairs"] == 2


def test_a_faulty_file_adds_nothing_and_every_fault_is_told_with_its_row(api: Any, dataset: str) -> None:
    content = b'{"a": "x", "b": "y", "preferred": "a"}\n{"a": "x", "b": "", "preferred": "c"}\n'
    refused = send(api, dataset, content)
    assert refused.status_code == 422
    assert any("pairs.jsonl:2" in fault["where"] for fault in refused.json()["faults"])
    assert api.get(f"/v1/datasets/{dataset}").json()["pairs"] == 0


def test_a_dry_run_keeps_nothing(api: Any, dataset: str) -> None:
    told = send(api, dataset, as_file("jsonl", ROWS), dry_run=True).json()
    assert (told["pairs_added"], told["dry_run"]) == (2, True)
    assert api.get(f"/v1/datasets/{dataset}").json()["pairs"] == 0


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b.jsonl", "x\\y.jsonl", "pairs.exe", "", "pairs"])
def test_names_that_are_paths_or_of_no_known_ending_are_refused(api: Any, dataset: str, name: str) -> None:
    assert send(api, dataset, as_file("jsonl", ROWS), name).status_code == 422


def test_an_empty_body_and_one_that_is_too_large_are_refused(api: Any, dataset: str) -> None:
    assert "empty" in send(api, dataset, b"").json()["detail"]
    large = api.http.post("/v1/datasets", content=b" " * 4_000_001, headers={"Content-Type": "application/json"})
    assert (large.status_code, large.json()["type"].rpartition("/")[2]) == (413, "too-large")

    def endless() -> Any:
        for _ in range(80):
            yield b" " * 100_000

    streamed = api.http.post("/v1/datasets", content=endless(), headers={"Content-Type": "application/json"})
    assert streamed.status_code == 413


def test_an_annotator_gets_a_task_answers_it_and_sees_it_settled(api: Any, dataset: str) -> None:
    send(api, dataset, as_file("jsonl", ROWS))
    seen = set()
    for _ in ROWS:
        task = api.post(f"/v1/datasets/{dataset}/next?annotator=ann").json()["task"]
        assert {"why", "probability", "a", "b"} & set(task) == set()
        seen.add(frozenset([task["first"], task["second"]]))
        said = {"said": "first", "annotator": "ann", "reason": "clearer", "seconds": 3.5}
        voted = api.post(f"/v1/datasets/{dataset}/assignments/{task['assignment']}/answer", said)
        assert voted.status_code == 200
        assert voted.json() == api.post(f"/v1/datasets/{dataset}/assignments/{task['assignment']}/answer", said).json()
    assert seen == {frozenset([r["a"], r["b"]]) for r in ROWS}
    assert api.post(f"/v1/datasets/{dataset}/next?annotator=ann").json()["task"] is None
    frozen = api.post(f"/v1/datasets/{dataset}/freeze").json()
    assert (frozen["pairs"], frozen["decided"]) == (2, 2)
    exported = api.get(f"/v1/datasets/{dataset}/votes/export").text.splitlines()
    assert [json.loads(line)["reason"] for line in exported] == ["clearer"] * 2


def test_a_key_votes_in_its_own_name_unless_it_may_run_things(api: Any, dataset: str) -> None:
    placed = api.post(f"/v1/datasets/{dataset}/pairs", {"pairs": [{"a": "x", "b": "y"}]}).json()[0]["pair"]
    keys = {scope: create_key(api.deployment.database, scope, [scope]).token for scope in ("annotate", "run", "admin")}

    def vote(scope: str, annotator: str) -> Any:
        body = {"votes": [{"pair": placed, "choice": "a", "annotator": annotator}]}
        headers = {"Authorization": f"Bearer {keys[scope]}"}
        return api.post(f"/v1/datasets/{dataset}/votes", body, headers=headers).status_code

    assert vote("annotate", "") == vote("annotate", "annotate") == 200
    assert vote("annotate", "somebody") == 403
    assert vote("admin", "somebody") == 200
    votes = api.get(f"/v1/datasets/{dataset}/votes", headers={"Authorization": f"Bearer {keys['run']}"}).json()
    assert [v["annotator"] for v in votes] == ["annotate", "annotate", "somebody"]


@pytest.mark.usefixtures("configured")
def test_agreement_and_position_bias_are_told(api: Any, dataset: str) -> None:
    placed = api.post(f"/v1/datasets/{dataset}/pairs", {"pairs": ROWS}).json()
    votes = [{"pair": p["pair"], "choice": c, "annotator": who} for p in placed for who, c in (("x", "a"), ("y", "b"))]
    assert api.post(f"/v1/datasets/{dataset}/votes", {"votes": votes}).json()["added"] == 4
    found = api.get(f"/v1/datasets/{dataset}/agreement").json()
    assert found["votes"] == 4
    assert api.get(f"/v1/datasets/{dataset}/position-bias").status_code == 200


@pytest.mark.parametrize("text", ["nul \x00 inside", "half \ud800"])
def test_what_no_database_takes_is_refused_and_not_a_failure_of_the_server(api: Any, text: str) -> None:
    body = json.dumps({"name": "x", "description": text}).encode("utf-8", "surrogatepass")
    refused = api.http.post("/v1/datasets", content=body, headers={"Content-Type": "application/json"})
    assert refused.status_code == 422
    pair = json.dumps({"pairs": [{"a": text, "b": "y"}]}).encode("utf-8", "surrogatepass")
    api.post("/v1/datasets", {"name": "there"})
    sent = api.http.post("/v1/datasets/there/pairs", content=pair, headers={"Content-Type": "application/json"})
    assert sent.status_code == 422


def test_two_datasets_of_one_name_are_a_conflict(api: Any, dataset: str) -> None:
    again = api.post("/v1/datasets", {"name": "answers"})
    assert again.status_code == 409
    assert "give another name" in again.json()["detail"]
