"""Calls are charged to their run; a spent budget or a closed endpoint ends or pauses it, and nothing is paid twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from paid_bench import (
    MINED,
    PAPER,
    by_stage,
    endpoint,
    judgments,
    mine,
    paid_bench,
    paid_run,
    reopened,
    replies,
)
from sqlalchemy import select
from workbench import bench, execute, outcome, take_job, thread_row, waiting

from benchmarks.scripted.faults import Script
from benchmarks.scripted.process import ThreadedEndpoint
from benchmarks.scripted.service import Service
from knowledge_base.errors import EndpointClosed, RunError
from services.budget import Budget
from services.charging import charged_to
from services.deployment import Deployment
from services.jobs import advance_thread
from services.result_reading import result_of
from services.run_driver import _revive
from services.run_result import RunResult
from services.runs import create_run
from services.sweeper import Sweeper
from services.tables import JudgmentRow, ThreadRow

FIRST = 19
"""Calls of the manager before the first judgment: an explanation of each of 18 pairs, and the proposals."""

RACE = 4 * 18
"""Judgments of the first round."""


@pytest.fixture
def served() -> Iterator[ThreadedEndpoint]:
    with endpoint() as found:
        yield found


@pytest.fixture
def deployment(place: Path, served: ThreadedEndpoint) -> Iterator[Deployment]:
    with paid_bench(place, served.base_url, batch_size=24, in_flight=2) as opened:
        yield opened


def mined(deployment: Deployment, budget: Budget | None = None) -> tuple[str, RunResult]:
    """A run taken to its end."""
    run = paid_run(deployment, budget=budget)
    mine(deployment, run)
    return run, result_of(deployment.database, run)


def spent(database: Any, run: str) -> set[str]:
    """What the threads of a run say of its budget."""
    with database.read() as connection:
        return set(connection.execute(select(ThreadRow.spent).where(ThreadRow.run == run)).scalars())


def attempts(deployment: Deployment) -> set[tuple[str, int]]:
    """Status and attempts of what was not answered."""
    query = select(JudgmentRow.status, JudgmentRow.attempts).where(JudgmentRow.status.in_(["missing", "failed"]))
    with deployment.database.read() as connection:
        return {(status, count) for status, count in connection.execute(query)}


def mine_stubbornly(deployment: Deployment, run: str) -> list[str]:
    """Work on after every closed endpoint, as workers do; returns what they said."""
    deployment.queue.advance([f"{run}-main"])
    told: list[str] = []
    while (job := take_job(deployment)) is not None:
        try:
            execute(deployment, job)
        except EndpointClosed as error:
            told.append(str(error))
    return told


def test_every_call_is_charged_to_the_part_of_the_run_that_made_it(
    deployment: Deployment, served: ThreadedEndpoint
) -> None:
    run, result = mined(deployment)
    found = by_stage(deployment.database, run)
    assert (found["mining/explain"], found["mining/propose"]) == (18, 1)
    assert found["mining/judge"] == result.usage.stages[0].asked
    assert found["sealed/judge"] == result.usage.stages[1].asked == 6 * len(result.criteria_set.members)
    assert sum(found.values()) == served.stats()["requests"] == result.usage.calls.total.calls
    assert result.usage.spent == ""


def test_where_nothing_costs_anything_no_account_is_opened(place: Path) -> None:
    with bench(place) as free, charged_to(free, "no such run", "race"):
        pass


def test_where_something_costs_the_run_must_be_there(deployment: Deployment) -> None:
    with (
        pytest.raises(RunError, match="'no such run' is not in this database"),
        charged_to(deployment, "no such run", "race"),
    ):
        pass


def test_a_budget_spent_while_judging_ends_the_asking_and_the_run_hands_over_what_it_has(
    deployment: Deployment, served: ThreadedEndpoint
) -> None:
    run, result = mined(deployment, Budget(calls=60))
    assert served.stats()["requests"] == 60
    assert thread_row(deployment, f"{run}-main").status == "finished"
    assert result.criteria_set.members
    assert result.usage.spent.startswith("the budget is used up: 60 calls allowed, 60 spent")
    assert spent(deployment.database, run) == {result.usage.spent}
    assert (result.usage.stages[0].decided + result.usage.stages[0].abstained) == 60 - FIRST
    assert result.usage.stages[0].failed == RACE - (60 - FIRST)
    entries = result.rounds[-1].entries
    assert sum(entry.assessment.missing for entry in entries) == RACE - (60 - FIRST)


def test_a_spent_budget_leaves_no_judgment_failed_for_other_runs(deployment: Deployment) -> None:
    mined(deployment, Budget(calls=60))
    assert judgments(deployment.database).get("failed", 0) == 0
    assert attempts(deployment) == {("missing", 0)}
    assert waiting(deployment) == []


def test_the_share_kept_back_leaves_the_sealed_pairs_judged(deployment: Deployment, served: ThreadedEndpoint) -> None:
    run, result = mined(deployment, Budget(calls=90, kept_back=0.3))
    found = by_stage(deployment.database, run)
    assert sum(calls for name, calls in found.items() if name.startswith("mining/")) == 63
    assert result.usage.spent
    sealed = result.usage.stages[1]
    assert sealed.asked == 6 * len(result.criteria_set.members) > 0
    assert (sealed.failed, found["sealed/judge"]) == (0, sealed.asked)
    assert result.held_out_weighted is not None
    assert served.stats()["requests"] == 63 + sealed.asked


def test_without_such_a_share_the_run_ends_all_the_same(deployment: Deployment) -> None:
    _, result = mined(deployment, Budget(calls=60))
    assert result.usage.stages[1].failed == result.usage.stages[1].asked > 0
    assert result.held_out_weighted is not None
    assert result.held_out_weighted.decided == 0


@pytest.mark.parametrize("budget", [Budget(calls=FIRST - 9), Budget(tokens=9000)])
def test_a_budget_that_does_not_reach_for_one_proposal_fails_the_thread_with_the_remedy(
    deployment: Deployment, budget: Budget
) -> None:
    run = paid_run(deployment, budget=budget)
    mine(deployment, run)
    row = thread_row(deployment, f"{run}-main")
    assert (row.status, row.attempts, row.lease_owner) == ("failed", 0, "")
    assert row.fault.startswith("no criterion was proposed yet. the budget is used up: ")
    name = "calls" if budget.calls else "tokens"
    assert f"run the same command with a larger --budget-{name}" in row.fault


def test_a_budget_spent_by_the_manager_later_ends_the_run_with_the_first_rounds_set(
    deployment: Deployment, served: ThreadedEndpoint
) -> None:
    run, result = mined(deployment, Budget(calls=FIRST + RACE + 3))
    assert served.stats()["requests"] == FIRST + RACE + 3
    assert by_stage(deployment.database, run)["mining/critique"] == 3
    assert len(result.rounds) >= 1
    assert result.criteria_set.members
    assert "--budget-calls" in result.usage.spent


@pytest.mark.parametrize("calls", [FIRST - 9, FIRST, 60, FIRST + RACE + 3])
def test_a_larger_budget_pays_for_nothing_twice_and_comes_to_the_same(
    deployment: Deployment, served: ThreadedEndpoint, place: Path, calls: int
) -> None:
    poor = paid_run(deployment, budget=Budget(calls=calls))
    mine(deployment, poor)
    assert served.stats()["requests"] == calls
    known = replies(deployment.database)
    assert known == min(calls, FIRST) + max(0, calls - FIRST - RACE)
    rich, result = mined(deployment, Budget(calls=1000))
    assert rich != poor
    stats = served.stats()
    assert stats["duplicates"] == 0
    assert result.usage.calls.total.calls == stats["requests"] - calls
    assert result.usage.stages[0].reused == max(0, min(calls, FIRST + RACE) - FIRST)
    with paid_bench(place / "other", served.base_url, home=place / "other") as undisturbed:
        free, _ = mined(undisturbed)
        assert outcome(undisturbed, free) == outcome(deployment, rich)


def test_a_run_is_charged_only_what_it_asked_itself(deployment: Deployment) -> None:
    mined(deployment, Budget(calls=1000))
    _, again = mined(deployment, Budget(calls=900))
    assert again.usage.calls.total.calls == 0
    assert again.usage.stages[0].reused == again.usage.stages[0].asked


CLOSED = [
    (Service(key="right"), "Incorrect API key provided"),
    (Service(models=("another",)), "The model `scripted` does not exist"),
    (Service(quota=0), "You exceeded your current quota"),
]


@pytest.mark.parametrize(("service", "told"), CLOSED)
def test_an_endpoint_that_is_closed_to_the_manager_fails_the_thread_at_once_with_the_reason(
    place: Path, service: Service, told: str
) -> None:
    with endpoint(service) as closed, paid_bench(place, closed.base_url, in_flight=4) as deployment:
        run = paid_run(deployment)
        with pytest.raises(EndpointClosed, match=told):
            advance_thread(deployment, f"{run}-main")
        row = thread_row(deployment, f"{run}-main")
        assert (row.status, row.attempts, row.lease_owner) == ("failed", 0, "")
        assert row.fault.startswith("EndpointClosed: ")
        assert told in row.fault
        assert closed.stats()["requests"] <= 4, "calls in flight at most: none is sent once the first has come back"
        Sweeper(deployment).sweep(run)
        assert waiting(deployment) == []


def test_with_the_key_mended_the_same_run_goes_on(place: Path) -> None:
    with (
        endpoint(Service(key="right")) as served,
        paid_bench(place, served.base_url, worker_api_key="wrong") as deployment,
    ):
        run = paid_run(deployment)
        assert len(mine_stubbornly(deployment, run)) == 1
        assert replies(deployment.database) == 0
        with reopened(deployment, worker_api_key="right") as mended:
            assert paid_run(mended) == run, "a key decides no answer"
            _revive(mended.database, run)
            mine(mended, run)
            assert thread_row(mended, f"{run}-main").status == "finished"


@pytest.mark.parametrize("quota", [FIRST, FIRST + 30, FIRST + RACE + 4])
def test_a_quota_used_up_pauses_the_run_which_then_goes_on_where_it_stood(
    deployment: Deployment, served: ThreadedEndpoint, quota: int
) -> None:
    plenty = served.engine.service
    served.engine.service = replace(plenty, quota=quota)
    run = paid_run(deployment)
    told = mine_stubbornly(deployment, run)
    assert told
    assert all("You exceeded your current quota" in words for words in told)
    row = thread_row(deployment, f"{run}-main")
    assert (row.status, row.attempts) == ("failed", 0)
    assert "You exceeded your current quota" in row.fault
    assert judgments(deployment.database).get("failed", 0) == 0, "no judgment is at fault"
    assert attempts(deployment) <= {("missing", 0)}
    refused = served.stats()["outcomes"]["quota"]
    assert refused <= 2 * len(told), "two are in flight"
    served.engine.service = plenty
    with reopened(deployment) as mended:
        _revive(mended.database, run)
        Sweeper(mended).sweep(run)
        mine(mended, run)
        assert thread_row(mended, f"{run}-main").status == "finished"
        found = result_of(mended.database, run)
    stats = served.stats()
    assert stats["duplicates"] == 0, "what was answered before the quota was used up is not asked again"
    assert found.usage.calls.total.calls == stats["requests"]
    assert found.usage.stages[0].failed == 0


def test_a_budget_that_ends_one_worker_of_a_panel_loses_no_answer_of_the_other(place: Path) -> None:
    panel = {"worker_model": "openai:one,openai:two", "batch_size": 24, "in_flight": 8}
    with (
        endpoint(Service(models=()), Script(latency=0.02)) as served,
        paid_bench(place, served.base_url, **panel) as deployment,
    ):
        poor = paid_run(deployment, budget=Budget(calls=FIRST + 50))
        mine(deployment, poor)
        assert thread_row(deployment, f"{poor}-main").status == "finished"
        rich, result = mined(deployment)
        assert rich != poor
        assert served.stats()["duplicates"] == 0
        assert result.usage.stages[0].reused == 50
        assert {row.model for row in result.usage.calls.rows if row.stage == "judge"} == {"openai:one", "openai:two"}


def test_folds_stop_with_the_run_and_their_held_out_pairs_are_judged_from_what_was_kept(
    deployment: Deployment, served: ThreadedEndpoint
) -> None:
    config = PAPER.model_copy(update={"holdout": "crossfit", "folds": 2, "size": 3})
    config = config.model_copy(update={"budget": Budget(calls=150, kept_back=0.4)})
    run = create_run(deployment.database, deployment.parties, MINED, config)
    mine(deployment, run, ("main", "fold-1", "fold-2"))
    assert {thread_row(deployment, f"{run}-{n}").status for n in ("main", "fold-1", "fold-2")} == {"finished"}
    result = result_of(deployment.database, run)
    assert result.usage.spent
    assert result.held_out_weighted is not None
    assert result.held_out_weighted.decided > 0
    assert served.stats()["requests"] <= 150


def test_a_fold_for_which_no_money_is_left_does_not_lose_the_set_of_all_pairs(deployment: Deployment) -> None:
    config = PAPER.model_copy(update={"holdout": "crossfit", "folds": 2})
    run = paid_run(deployment, config, Budget(calls=60), None)
    for names in (("main",), ("fold-1", "fold-2")):
        mine(deployment, run, names)
    assert {thread_row(deployment, f"{run}-{n}").status for n in ("main", "fold-1", "fold-2")} == {"finished"}
    result = result_of(deployment.database, run)
    assert result.criteria_set.members
    assert result.held_out_weighted is not None
    assert (result.held_out_weighted.n > 0, result.held_out_weighted.decided) == (True, 0)
    assert "60 calls allowed" in result.usage.spent
