"""A run's result and progress, read from the database alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from letter_parties import letter_dataset
from sqlalchemy import func, select, update
from workbench import SEALED, SMALL, bench, finish, new_run, take_job, work_off

from agents.pairs import Dataset, Pair
from knowledge_base.errors import RunError
from services.database import Database
from services.deployment import Deployment
from services.hardest_pairs import SHOWN
from services.jobs import advance_thread, judge_rows
from services.progress import progress_of
from services.result_reading import REDUNDANT, result_of
from services.run_result import RunResult
from services.tables import JudgmentRow, ThreadRow

NOISY = letter_dataset(60, noise=0.35)


@pytest.fixture
def deployment(place: Path) -> Iterator[Deployment]:
    with bench(place, batch_size=50) as opened:
        yield opened


def finished(deployment: Deployment, dataset: Dataset = NOISY, **more: object) -> RunResult:
    run = new_run(deployment.database, dataset, **more)  # type: ignore[arg-type]
    finish(deployment, run, tuple(t.name for t in progress_of(deployment.database, run).threads))
    return result_of(deployment.database, run)


def by_id(result: RunResult, dataset: Dataset) -> list[Pair]:
    known = {p.id: p for p in dataset.pairs}
    return [known[h.id] for h in result.hardest]


def test_it_is_read_again_to_the_same_bytes_by_another_process(deployment: Deployment) -> None:
    result = finished(deployment)
    again = Database(deployment.settings.database)
    assert result_of(again, result.run).model_dump_json() == result.model_dump_json()
    assert RunResult.model_validate_json(result.model_dump_json()) == result


def test_a_sealed_share_gives_the_reported_accuracy(deployment: Deployment) -> None:
    result = finished(deployment)
    assert result.held_out_weighted is not None
    assert result.held_out_weighted.kind == result.hardest_from == result.facts.holdout == "sealed"
    assert result.held_out_weighted.n + result.held_out_weighted.ties == result.dataset.held_out
    assert result.dataset.mining + result.dataset.held_out == result.dataset.pairs == 60
    assert [a.criterion for a in result.held_out_assessments] == [c.hash for c in result.criteria_set.criteria]
    assert result.folds == {}


def test_a_cross_fit_pools_its_folds(deployment: Deployment) -> None:
    result = finished(deployment, config=SMALL)
    assert result.held_out_weighted is not None
    assert result.held_out_weighted.kind == result.hardest_from == "crossfit"
    assert result.held_out_weighted.n + result.held_out_weighted.ties == result.dataset.held_out == 60
    assert result.held_out_assessments == ()
    assert set(result.folds) == {"fold-1", "fold-2", "fold-3"}
    assert all(name.startswith("Letters ") for names in result.folds.values() for name in names)
    assert {h.thread for h in result.hardest} <= set(result.folds)


def test_a_test_file_gives_the_reported_accuracy(deployment: Deployment) -> None:
    test = letter_dataset(25, seed=9, noise=0.4)
    result = finished(deployment, test=test)
    assert result.held_out_majority is not None
    assert result.held_out_majority.kind == result.hardest_from == "test"
    assert result.dataset.test == test.hash
    assert result.dataset.held_out == 25
    assert all(p in test.pairs for p in by_id(result, test))


def test_where_nothing_is_held_out_no_accuracy_is_reported(deployment: Deployment) -> None:
    together = Dataset(name="g", pairs=tuple(p.model_copy(update={"group": "g"}) for p in NOISY.pairs))
    result = finished(deployment, together)
    assert (result.held_out_weighted, result.held_out_majority) == (None, None)
    assert result.hardest_from == "mining"
    assert result.hardest
    assert result.dataset.held_out == 0


def test_the_liked_letter_is_found(deployment: Deployment) -> None:
    result = finished(deployment, letter_dataset(60))
    assert result.criteria_set.criteria[0].name == "Letters e"
    assert result.held_out_weighted is not None
    assert result.held_out_weighted.accuracy > 0.6


def test_the_hardest_pairs_are_those_where_the_vote_went_against_people(deployment: Deployment) -> None:
    result = finished(deployment)
    assert 0 < len(result.hardest) <= SHOWN
    support = [h.probability if h.preferred == "a" else 1 - h.probability for h in result.hardest]
    assert support == sorted(support)
    assert max(support) <= 0.5
    assert all(h.preferred != "tie" for h in result.hardest)


def test_each_criterion_says_why_of_a_hard_pair(deployment: Deployment) -> None:
    result = finished(deployment)
    for hard, pair in zip(result.hardest, by_id(result, NOISY), strict=True):
        assert (hard.a, hard.b, hard.preferred) == (pair.a, pair.b, pair.preferred)
        assert [o.criterion for o in hard.opinions] == [c.hash for c in result.criteria_set.criteria]
        for opinion in hard.opinions:
            letters = opinion.name.removeprefix("Letters ")
            a, b = (sum(map(text.count, letters)) for text in (pair.a, pair.b))
            assert opinion.rationale == f"{letters}: A {a}, B {b}"
            assert opinion.verdict == ("A" if a > b else "B" if b > a else "abstain")


def test_correlation_is_a_correlation_in_the_sets_order(deployment: Deployment) -> None:
    result = finished(deployment)
    matrix = np.array(result.correlation)
    assert matrix.shape == (len(result.criteria_set.members),) * 2
    assert np.allclose(matrix, matrix.T)
    assert np.allclose(np.diag(matrix), 1)
    assert 1 <= result.effective_votes <= len(result.criteria_set.members)


def test_redundant_pairs_are_those_that_correlate(deployment: Deployment) -> None:
    result = finished(deployment, config=SEALED.model_copy(update={"size": 20, "policy": "robust"}))
    names = [c.name for c in result.criteria_set.criteria]
    told = {(r.first, r.second) for r in result.redundant}
    for i, first in enumerate(names):
        for j in range(i + 1, len(names)):
            assert ((first, names[j]) in told) == (abs(result.correlation[i][j]) >= REDUNDANT)


def test_usage_counts_each_judgment_once_by_stage_and_status(deployment: Deployment) -> None:
    result = finished(deployment, config=SMALL)
    mining, sealed = result.usage.stages
    assert (mining.stage, sealed.stage) == ("mining", "sealed")
    assert mining.asked == mining.decided + mining.abstained
    assert mining.reused == sealed.reused == 0
    with deployment.database.read() as connection:
        judged = connection.execute(select(func.count()).select_from(JudgmentRow)).scalar_one()
    assert mining.asked + sealed.asked == judged
    threads = progress_of(deployment.database, result.run).threads
    assert judged < sum(t.wanted for t in threads), "threads share what they both want"


def test_usage_tells_what_an_earlier_run_paid_for(deployment: Deployment) -> None:
    first = finished(deployment)
    second = finished(deployment, config=SEALED.model_copy(update={"folds": 4}))
    assert [s.reused for s in first.usage.stages] == [0, 0]
    assert [s.reused for s in second.usage.stages] == [s.asked for s in second.usage.stages]


def test_time_is_told_but_is_no_substance(deployment: Deployment) -> None:
    result = finished(deployment)
    usage = result.usage.model_copy(update={"seconds": 99.0})
    assert result.model_copy(update={"usage": usage}).substance() == result.substance()
    assert '"seconds"' not in result.substance()


def test_a_result_of_an_unfinished_run_says_what_is_still_to_do(deployment: Deployment) -> None:
    run = new_run(deployment.database, config=SMALL)
    finish(deployment, run, ("main", "fold-1"))
    with pytest.raises(RunError, match=r"not finished \(fold-2, fold-3 still to do\)"):
        result_of(deployment.database, run)


def test_progress_follows_a_run(deployment: Deployment) -> None:
    run = new_run(deployment.database)
    start = progress_of(deployment.database, run)
    assert (start.status, start.wanted, start.answered, start.latest) == ("running", 0, 0, None)
    advance_thread(deployment, f"{run}-main")
    begun = progress_of(deployment.database, run)
    assert (begun.threads[0].round, begun.threads[0].stage) == (1, "race")
    assert begun.wanted > begun.answered == 0
    job = take_job(deployment)
    assert job is not None
    assert progress_of(deployment.database, run).answered == 0
    assert judge_rows(deployment, job.args[0]) == progress_of(deployment.database, run).answered > 0
    work_off(deployment)
    finish(deployment, run)
    end = progress_of(deployment.database, run)
    assert (end.status, end.threads[0].stage) == ("finished", "finished")
    assert end.answered == end.wanted
    assert end.latest is not None


def test_progress_names_threads_in_order_and_shows_a_fault(deployment: Deployment) -> None:
    run = new_run(deployment.database, config=SMALL)
    assert [t.name for t in progress_of(deployment.database, run).threads] == ["main", "fold-1", "fold-2", "fold-3"]
    with deployment.database.write() as connection:
        failed = update(ThreadRow).where(ThreadRow.name == "fold-2")
        connection.execute(failed.values(status="failed", fault="it broke"))
    found = progress_of(deployment.database, run)
    assert (found.status, found.faults) == ("failed", "fold-2: it broke")
