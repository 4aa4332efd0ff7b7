"""The API over real HTTP, a real Redis and an SQLite file; jobs are worked off when a test says so."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from letter_parties import letter_dataset
from workbench import bench, work_off

from services.api.app import application
from services.closing import close_finished
from services.deployment import Deployment


@dataclass
class Api:
    """A served API.

    Attributes:
        url: where; deployment: what it serves; http: a client without a key.
    """

    url: str
    deployment: Deployment
    http: httpx.Client

    def post(self, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """Post JSON."""
        return self.http.post(path, json={} if body is None else body, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Get."""
        return self.http.get(path, **options)

    def dataset(self, name: str = "letters", seed: int = 0, pairs: int = 30) -> str:
        """A dataset of letter pairs; returns its id."""
        made = self.post("/v1/datasets", {"name": name, "description": "words"}).json()["id"]
        sent = self.http.post(
            f"/v1/datasets/{made}/upload", params={"filename": "pairs.jsonl"}, content=lines(seed, pairs)
        )
        assert sent.status_code == 200, sent.text
        return str(made)

    def order(self, dataset: str, **more: Any) -> httpx.Response:
        """Order a small run."""
        config = {"policy": "paper", "size": 6, "rounds": 3, "holdout": "sealed"}
        return self.post("/v1/runs", {"dataset": dataset, "name": "line", "config": config, **more})

    def finished(self, dataset: str) -> str:
        """A run that has ended and is closed; returns its id."""
        run = self.order(dataset).json()["run"]["run"]
        self.work()
        return str(run)

    def work(self) -> None:
        """Do all jobs, and close what has ended."""
        work_off(self.deployment)
        close_finished(self.deployment)


def lines(seed: int = 0, pairs: int = 30) -> bytes:
    """Letter pairs as a file."""
    rows = [{"id": p.id, "a": p.a, "b": p.b, "preferred": p.preferred} for p in letter_dataset(pairs, seed=seed).pairs]
    return "\n".join(map(json.dumps, rows)).encode()


@pytest.fixture
def api(place: Path) -> Iterator[Api]:
    with bench(place) as deployment:
        server = uvicorn.Server(
            uvicorn.Config(application(deployment.settings), port=0, log_level="warning", timeout_graceful_shutdown=2)
        )
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        try:
            with httpx.Client(base_url=url, timeout=180) as http:
                yield Api(url, deployment, http)
        finally:
            server.should_exit = True
            thread.join()
