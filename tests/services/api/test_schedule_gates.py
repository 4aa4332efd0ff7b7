"""Schedules and refreshes over HTTP: what approves needs the scope for it; what costs is agreed to, and counted."""

from __future__ import annotations

import time
from typing import Any

import pytest
from letter_parties import LetterParties
from sqlalchemy import delete

from agents.panel import Panel, seat_of
from services.access.allowance import DailyAllowance
from services.access.keys import create_key
from services.access.scopes import Scope
from services.api.tables import OnceRow
from services.tables import CallRow

WANTED = {"name": "weekly", "dataset": "letters", "criteria_set": "line", "cron": "0 6 * * 1"}
BAR: dict[str, Any] = {"bar": {"pairs": 100}, "budget": {"calls": 1000}}


@pytest.fixture
def dataset(api: Any) -> str:
    return str(api.dataset())


@pytest.fixture
def paid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers whose answers cost something."""
    panel = Panel(seats=(seat_of(LetterParties().judge(), free=False),))
    monkeypatch.setattr(LetterParties, "panel", lambda _: panel)


def key(api: Any, *scopes: Scope, **more: Any) -> dict[str, str]:
    """Headers of a new key."""
    made = create_key(api.deployment.database, "-".join(scopes), scopes, **more)
    return {"Authorization": f"Bearer {made.token}"}


def kept(api: Any, **more: Any) -> str:
    made = api.post("/v1/schedules", {**WANTED, **more})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def call(api: Any, run: str, times: int = 1) -> None:
    row = {"run": run, "work": "mining", "stage": "judge", "model": "m", "ended": "answered", "at": time.time()}
    with api.deployment.database.write() as connection:
        connection.execute(CallRow.__table__.insert(), [row] * times)  # type: ignore[attr-defined]


class TestApproval:
    """A schedule that approves by itself is made by who may approve."""

    def test_a_bar_needs_the_scope_to_approve(self, api: Any, dataset: str) -> None:
        runs, both = key(api, "run"), key(api, "run", "approve")
        refused = api.post("/v1/schedules", {**WANTED, "terms": BAR}, headers=runs)
        assert (refused.status_code, "scope approve" in refused.json()["detail"]) == (403, True)
        assert api.get("/v1/schedules", headers=runs).json()["items"] == []
        assert api.post("/v1/schedules", {**WANTED, "terms": BAR}, headers=both).status_code == 201
        assert api.post("/v1/schedules", {**WANTED, "name": "plain"}, headers=runs).status_code == 201
        assert api.post("/v1/schedules", {**WANTED, "name": "x"}, headers=key(api, "approve")).status_code == 403

    @pytest.mark.parametrize(
        "change",
        [
            {"terms": {**BAR, "bar": {"pairs": 20}}}, {"terms": {**BAR, "bar": {"pairs": 100, "margin": 0.2}}},
            {"terms": {**BAR, "bar": None}}, {"terms": {**BAR, "alpha": 0.5}}, {"criteria_set": "another"},
            {"dataset": "others"},
        ],
    )  # fmt: skip
    def test_so_does_changing_it_or_what_it_decides_about(self, api: Any, dataset: str, change: Any) -> None:
        api.dataset("others", seed=1)
        schedule = kept(api, terms=BAR)
        runs, both = key(api, "run"), key(api, "run", "approve")
        before = api.get(f"/v1/schedules/{schedule}", headers=runs).json()
        changed = {**WANTED, "terms": BAR, **change}
        assert api.http.put(f"/v1/schedules/{schedule}", json=changed, headers=runs).status_code == 403
        assert api.get(f"/v1/schedules/{schedule}", headers=runs).json() == before
        assert api.http.put(f"/v1/schedules/{schedule}", json=changed, headers=both).status_code == 200

    def test_giving_a_bar_to_one_without_needs_it_and_other_changes_do_not(self, api: Any, dataset: str) -> None:
        plain, barred = kept(api), kept(api, name="barred", terms=BAR)
        runs = key(api, "run")

        def put(schedule: str, **more: Any) -> int:
            sent = api.http.put(f"/v1/schedules/{schedule}", json={**WANTED, **more}, headers=runs)
            return int(sent.status_code)

        assert put(plain, terms=BAR) == 403
        assert put(plain, terms={"minimum": 3}, criteria_set="another") == 200
        assert put(barred, name="renamed", cron="@daily", enabled=False, terms=BAR) == 200


@pytest.mark.usefixtures("paid")
class TestCost:
    """What costs something has a budget, or somebody who agreed."""

    def test_a_schedule_without_a_budget_is_kept_only_where_that_is_agreed_to(self, api: Any, dataset: str) -> None:
        refused = api.post("/v1/schedules", WANTED)
        assert refused.status_code == 402
        assert "terms.budget, or accept_cost" in refused.json()["detail"]
        assert api.post("/v1/schedules", {**WANTED, "terms": {"budget": {"calls": 9}}}).status_code == 201
        assert api.post("/v1/schedules", {**WANTED, "name": "other", "accept_cost": True}).status_code == 201

    def test_lifting_the_budget_or_switching_on_without_one_is_agreed_to_anew(self, api: Any, dataset: str) -> None:
        schedule = kept(api, terms={"budget": {"calls": 9}})

        def put(**more: Any) -> int:
            return int(api.http.put(f"/v1/schedules/{schedule}", json={**WANTED, **more}).status_code)

        assert put() == 402
        assert put(enabled=False) == 200
        assert put() == 402
        assert put(accept_cost=True) == 200
        assert put(cron="@daily") == 200, "it goes on as was agreed"

    def test_a_refresh_without_a_budget_is_begun_only_where_that_is_agreed_to(self, api: Any, dataset: str) -> None:
        schedule = kept(api, accept_cost=True)
        assert api.post(f"/v1/schedules/{schedule}/refreshes").status_code == 402
        assert api.get("/v1/refreshes").json()["items"] == []
        assert api.post(f"/v1/schedules/{schedule}/refreshes", {"accept_cost": True}).status_code == 201
        limited = kept(api, name="limited", terms={"budget": {"cost": 1.0}})
        assert api.post(f"/v1/schedules/{limited}/refreshes").status_code == 201


def test_where_nothing_costs_anything_nobody_is_asked(api: Any, dataset: str) -> None:
    assert api.post(f"/v1/schedules/{kept(api)}/refreshes").status_code == 201


class TestAllowance:
    """A key that has had its day's share begins nothing more and takes nothing up."""

    def test_what_refreshes_take_is_counted_and_ends_what_the_key_may_begin(self, api: Any, dataset: str) -> None:
        mine, other = key(api, "run", daily=DailyAllowance(calls=2)), key(api, "run")
        schedule = api.post("/v1/schedules", WANTED, headers=mine).json()["id"]
        begun = api.post(f"/v1/schedules/{schedule}/refreshes", headers=mine)
        assert begun.status_code == 201
        refresh = begun.json()["id"]
        api.post(f"/v1/refreshes/{refresh}/cancel", headers=mine)
        call(api, refresh, 2)
        for path, body in (
            (f"/v1/schedules/{schedule}/refreshes", {}),
            (f"/v1/refreshes/{refresh}/resume", {}),
            ("/v1/schedules", {**WANTED, "name": "more"}),
        ):
            denied = api.post(path, body, headers=mine)
            assert (denied.status_code, "Retry-After" in denied.headers) == (429, True), path
            assert api.post(path, body, headers=other).status_code in (200, 201, 409), path
        rows = api.get("/v1/usage", params={"by": "key"}, headers=mine).json()["rows"]
        assert [(row["key"], row["calls"]) for row in rows] == [("run", 2)]

    def test_nor_does_it_take_up_runs_or_labellings(self, api: Any, dataset: str) -> None:
        run = api.order(dataset).json()["run"]["run"]
        api.post(f"/v1/runs/{run}/cancel")
        mine = key(api, "run", daily=DailyAllowance(calls=1))
        schedule = api.post("/v1/schedules", WANTED, headers=mine).json()["id"]
        call(api, api.post(f"/v1/schedules/{schedule}/refreshes", headers=mine).json()["id"])
        assert api.post(f"/v1/runs/{run}/resume", headers=mine).status_code == 429
        assert api.post("/v1/labellings/nothing/resume", headers=mine).status_code == 429
        assert api.post(f"/v1/runs/{run}/resume", headers=key(api, "run")).status_code == 200


class TestOnce:
    """The same Idempotency-Key begins one refresh, whatever became of the first answer."""

    def test_a_begin_whose_answer_was_lost_is_not_done_twice(self, api: Any, dataset: str) -> None:
        schedule, sent = kept(api), {"Idempotency-Key": "x" * 200}
        path = f"/v1/schedules/{schedule}/refreshes"
        first = api.post(path, headers=sent).json()
        api.post(f"/v1/refreshes/{first['id']}/cancel")
        _forget(api)
        again = api.post(path, headers=sent)
        assert (again.status_code, again.json()["id"]) == (201, first["id"])
        assert len(api.get("/v1/refreshes").json()["items"]) == 1
        assert [a["action"] for a in api.get("/v1/actions").json()["items"]].count("refresh.begun") == 1
        assert api.post(path, headers={"Idempotency-Key": "another"}).json()["id"] != first["id"]

    def test_it_is_not_held_against_what_it_began_itself(self, api: Any, dataset: str) -> None:
        mine = key(api, "run", daily=DailyAllowance(calls=1)) | {"Idempotency-Key": "k"}
        schedule = api.post("/v1/schedules", WANTED, headers=mine | {"Idempotency-Key": "s"}).json()["id"]
        first = api.post(f"/v1/schedules/{schedule}/refreshes", headers=mine).json()["id"]
        call(api, first, 5)
        _forget(api)
        assert api.post(f"/v1/schedules/{schedule}/refreshes", headers=mine).json()["id"] == first

    def test_the_same_key_of_another_caller_is_another_request(self, api: Any, dataset: str) -> None:
        schedule = kept(api)
        one, other = (key(api, "run") | {"Idempotency-Key": "k"} for _ in range(2))
        first = api.post(f"/v1/schedules/{schedule}/refreshes", headers=one).json()["id"]
        assert api.post(f"/v1/schedules/{schedule}/refreshes", headers=other).status_code == 409
        api.post(f"/v1/refreshes/{first}/cancel", headers={k: v for k, v in one.items() if k == "Authorization"})
        assert api.post(f"/v1/schedules/{schedule}/refreshes", headers=other).json()["id"] != first


def _forget(api: Any) -> None:
    """As if the server had died before it kept its answers, long enough ago."""
    with api.deployment.database.write() as connection:
        connection.execute(delete(OnceRow))
