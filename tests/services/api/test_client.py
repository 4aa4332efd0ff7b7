"""The client and the commands over it: the same files as without a server, across restarts of what is between."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from agents.chronicle import RoundRecord
from services.api.routes.criteria_sets import DecisionIn
from services.api.routes.datasets import DatasetIn
from services.api.routes.runs import RunConfigIn, RunIn
from services.api.watching import Standing
from services.cli import app
from services.client.client import Client
from services.client.transport import ServerRefused

SMALL = RunConfigIn(policy="paper", size=6, rounds=3, holdout="sealed")


@contextmanager
def working(api: Any) -> Iterator[None]:
    """Jobs are worked off, as by a worker and a scheduler."""
    done = threading.Event()

    def work() -> None:
        while not done.wait(0.05):
            _label(api)
            api.work()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _label(api: Any) -> None:
    from workbench import execute, take_job

    from services.labelling.jobs import label_pairs

    while (job := take_job(api.deployment)) is not None:
        if "label" in str(job.func_name):
            label_pairs(api.deployment, job.args[0])
        else:
            execute(api.deployment, job)


@pytest.fixture
def client(api: Any) -> Iterator[Client]:
    with Client(api.url) as made:
        yield made


@pytest.fixture
def pairs(api: Any, tmp_path: Path) -> Path:
    from letter_parties import letter_dataset

    rows = [{"id": p.id, "a": p.a, "b": p.b, "preferred": p.preferred} for p in letter_dataset(30).pairs]
    file = tmp_path / "my pairs.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    return file


def test_the_whole_job_through_the_client(api: Any, client: Client, pairs: Path, tmp_path: Path) -> None:
    dataset = client.create_dataset(DatasetIn(name="letters"))
    assert client.upload("letters", pairs).pairs_added == 30
    assert client.dataset(dataset.id).pairs == 30
    wanted = RunIn(dataset="letters", name="line", config=SMALL)
    assert client.estimate_run(wanted).estimate is None
    run = client.order_run(wanted).run.run
    with working(api):
        told = list(client.follow(run))
        while not client.run(run).version:
            time.sleep(0.05)
    assert isinstance(told[-1], Standing)
    assert told[-1].state == "finished"
    assert [r.number for r in told if isinstance(r, RoundRecord)]
    result = client.result(run)
    version = result.criteria_set.version
    assert client.criteria_set("line", version).stored.run == run
    assert client.decide("line", version, DecisionIn(decision="approve")).who == "local"
    assert client.criteria_set("line").stored.version == version
    assert "Letters" in client.criteria_yaml("line", version)
    assert "<html" in client.report(run)
    with working(api):
        ordered = client.order_labelling(pairs, "line")
        ended = client.await_labelling(ordered.labelling, lambda _: None)
    assert (ended.state, ended.done) == ("finished", 30)
    client.download_labels(ended.labelling, tmp_path / "labels.jsonl", "jsonl")
    assert len((tmp_path / "labels.jsonl").read_text().splitlines()) == 30


def test_a_run_is_cancelled_and_resumed_through_the_client(api: Any, client: Client, pairs: Path) -> None:
    client.create_dataset(DatasetIn(name="letters"))
    client.upload("letters", pairs)
    run = client.order_run(RunIn(dataset="letters", name="line", config=SMALL)).run.run
    assert client.cancel_run(run).state == "cancelled"
    told = list(client.follow(run))
    assert isinstance(told[-1], Standing)
    assert told[-1].fault == "cancelled by local"
    assert client.resume_run(run).state == "running"


def test_where_events_do_not_come_through_the_run_is_asked_about(
    api: Any, pairs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Client, run: str, last: str) -> Any:
        raise httpx.ReadError("a proxy ate it")

    monkeypatch.setattr(Client, "_events", broken)
    with Client(api.url, sleep=lambda seconds: time.sleep(min(seconds, 0.05))) as client:
        client.create_dataset(DatasetIn(name="letters"))
        client.upload("letters", pairs)
        run = client.order_run(RunIn(dataset="letters", name="line", config=SMALL)).run.run
        with working(api):
            told = list(client.follow(run))
    assert [t.state for t in told if isinstance(t, Standing)][-1] == "finished"


def test_what_the_server_refuses_is_told_as_an_error_of_ours(client: Client) -> None:
    with pytest.raises(ServerRefused, match="there is no run") as refused:
        client.run("0000000000000000")
    assert (refused.value.status, refused.value.kind) == (404, "not-found")


MINE = ["--policy", "paper", "--size", "6", "--rounds", "3", "--holdout", "sealed", "--quiet"]


def test_the_mine_command_writes_the_same_criteria_with_a_server_as_without(
    api: Any, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOUCHSTONE_URL", api.url)
    with working(api):
        ran = CliRunner().invoke(app, ["mine", str(pairs), "--out", str(tmp_path / "remote"), *MINE])
    assert ran.exit_code == 0, ran.output
    assert sorted(p.name for p in (tmp_path / "remote").iterdir()) == ["criteria.yaml", "report.html", "result.json"]
    monkeypatch.setenv("TOUCHSTONE_URL", "")
    local = CliRunner().invoke(app, ["mine", str(pairs), "--out", str(tmp_path / "local"), *MINE])
    assert local.exit_code == 0, local.output
    theirs, ours = (json.loads((tmp_path / x / "result.json").read_text()) for x in ("remote", "local"))
    assert [m["criterion"]["name"] for m in theirs["criteria_set"]["members"]] == [
        m["criterion"]["name"] for m in ours["criteria_set"]["members"]
    ]
    assert theirs["held_out_weighted"] == ours["held_out_weighted"]


def test_the_label_command_has_a_server_label(
    api: Any, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOUCHSTONE_URL", api.url)
    out = tmp_path / "labels.jsonl"
    with working(api):
        mined = CliRunner().invoke(app, ["mine", str(pairs), "--out", str(tmp_path / "mined"), *MINE])
        assert mined.exit_code == 0, mined.output
        criteria = str(tmp_path / "mined" / "criteria.yaml")
        ran = CliRunner().invoke(app, ["label", criteria, str(pairs), "--out", str(out), "--quiet"])
    assert ran.exit_code == 0, ran.output
    assert len(out.read_text().splitlines()) == 30


def test_a_server_that_is_away_is_told_in_a_line(tmp_path: Path, pairs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHSTONE_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("services.client.transport.TRIES", 2)
    ran = CliRunner().invoke(app, ["mine", str(pairs), "--out", str(tmp_path / "out")])
    assert ran.exit_code == 1
    assert "does not answer" in ran.output
    assert not (tmp_path / "out").exists()


def test_the_page_lists_every_method_of_the_client() -> None:
    page = (Path(__file__).parents[3] / "docs" / "service.md").read_text(encoding="utf-8")
    methods = {name for name in vars(Client) if not name.startswith("_")}
    assert {name for name in methods if f"`{name}(" not in page} == set()
