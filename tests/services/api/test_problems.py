"""Errors that no route foresees are answered as problem documents, too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from services.api import problems


@pytest.fixture
def client() -> Iterator[TestClient]:
    """An application with nothing but routes that fail."""
    app = FastAPI()
    problems.install(app)

    @app.get("/full")
    def full() -> None:
        with open("/dev/full", "wb", buffering=0) as disk:
            disk.write(b"no room")

    @app.post("/body")
    def body(given: dict[str, int]) -> dict[str, int]:
        return given

    @app.get("/gone")
    def gone() -> None:
        Path("/nowhere/at/all").read_bytes()

    with TestClient(app, raise_server_exceptions=False) as made:
        yield made


def test_a_full_disk_is_an_outage_that_may_end(client: TestClient) -> None:
    answer = client.get("/full")
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == problems.MEDIA_TYPE
    assert int(answer.headers["Retry-After"]) > 0
    assert "disk is full and nothing was kept" in answer.json()["detail"]


def test_any_other_fault_of_the_system_is_ours_and_tells_nothing_of_the_machine(client: TestClient) -> None:
    answer = client.get("/gone")
    assert answer.status_code == 500
    assert "nowhere" not in answer.text
    assert answer.json()["type"] == problems.TYPES + "internal"


@pytest.mark.parametrize(
    "body",
    [b'{"a": "\xff"}', b'{"a": ' + b"[" * 100_000, b'{"a": ' + b"9" * 10_000 + b"}"],
    ids=["bytes", "deep", "long"],
)
def test_a_body_that_no_reader_takes_is_faulty_like_any_other(client: TestClient, body: bytes) -> None:
    answer = client.post("/body", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == problems.MEDIA_TYPE
