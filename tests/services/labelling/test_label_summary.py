"""A summary counts what passed by, and says how far labels may be trusted."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from labelling_bench import (
    ALL,
    WEIGHTS,
    created,
    full_vote,
    labelled,
    letter_set,
    pairs_file,
    sweep,
    work_off_chunks,
    write_rows,
)
from letter_parties import letter_criterion, letter_dataset, letter_judgment
from rich.console import Console
from workbench import bench

from agents.ballot import effective_votes
from agents.criteria_set import CriteriaSet
from agents.early_stop import StopRule
from agents.statistics import wilson
from agents.votes import tally
from services.cli.label_summary import print_labelling
from services.deployment import Deployment
from services.labelling.output import Outputs, write_outputs
from services.labelling.register import load_labelling
from services.labelling.summary import LabelSummary, Share, effective

PAIRS = 90
DATASET = letter_dataset(PAIRS)


@pytest.fixture
def deployment(place: Path) -> Iterator[Deployment]:
    with bench(place) as opened:
        yield opened


def summary(
    deployment: Deployment, path: Path, rule: StopRule = ALL, criteria_set: CriteriaSet | None = None, trl: bool = False
) -> LabelSummary:
    labelling = created(deployment, path, rule, criteria_set)
    sweep(deployment, labelling)
    work_off_chunks(deployment)
    outputs = Outputs(path.with_name("labels.parquet"), path.with_name("trl.jsonl") if trl else None)
    return write_outputs(deployment.database, load_labelling(deployment.database, labelling), outputs)


def told(found: LabelSummary) -> str:
    said = StringIO()
    print_labelling(found, Console(width=240, file=said))
    return said.getvalue()


def test_it_counts_labels_and_compares_them_with_the_file(deployment: Deployment, place: Path) -> None:
    found = summary(deployment, pairs_file(place, PAIRS))
    signs = {p.id: full_vote(p) for p in DATASET.pairs}
    assert found.labels == {s: list(signs.values()).count(n) for s, n in {"a": 1, "b": -1, "tie": 0}.items()}
    compared = [p for p in DATASET.pairs if p.sign and signs[p.id]]
    right = sum(signs[p.id] == p.sign for p in compared)
    interval = wilson(right, len(compared))
    assert found.given == Share(right=right, n=len(compared), low=interval.low, high=interval.high)
    assert f"{right:,} of {len(compared):,} pairs, ties left out" in told(found)


def test_a_file_without_preferences_is_compared_with_nothing(deployment: Deployment, place: Path) -> None:
    rows = [p.model_dump(include={"a", "b"}) for p in DATASET.pairs[:10]]
    found = summary(deployment, write_rows(place / "p.jsonl", rows))
    assert found.given is None
    assert "file's own preference" not in told(found)


def test_effective_votes_are_those_of_the_whole_program_where_everything_was_asked(
    deployment: Deployment, place: Path
) -> None:
    found = summary(deployment, pairs_file(place, PAIRS))
    criteria = {letter_criterion(x).hash: x for x in WEIGHTS}
    cells = [(c, p.hash, "ab", letter_judgment("", x, p)) for c, x in criteria.items() for p in DATASET.pairs]
    expected = effective_votes(tally(list(criteria), [p.hash for p in DATASET.pairs], cells))
    assert found.effective_votes == pytest.approx(expected)
    early = summary(deployment, pairs_file(place, PAIRS), StopRule())
    assert early.effective_votes == pytest.approx(expected, rel=0.15)


def test_effective_votes_compare_two_criteria_on_the_pairs_that_both_met() -> None:
    signs = np.array([[1, 1], [1, 1], [-1, -1], [1, 0], [1, 0]], dtype=float)
    asked = np.array([[1, 1], [1, 1], [1, 1], [1, 0], [1, 0]], dtype=float)
    assert effective(signs.T @ signs, np.abs(signs).T @ asked) == pytest.approx(1.0), "alike wherever they met"
    assert effective(np.zeros((2, 2)), np.zeros((2, 2))) == 0.0
    assert effective(np.diag([3.0, 0.0]), np.array([[3.0, 3.0], [0.0, 0.0]])) == 1.0, "one of them never decides"


def test_what_early_stopping_saved_is_told(deployment: Deployment, place: Path) -> None:
    found = summary(deployment, pairs_file(place, PAIRS), StopRule())
    whole = PAIRS * len(WEIGHTS)
    assert found.saved > 0.1 * whole
    assert found.asked + found.saved == whole
    assert f"saved {found.saved:,} of {whole:,} ({found.saved / whole:.0%}), on {found.early:,} pairs" in told(found)
    assert "no label would differ" in told(found)
    asked = [c.asked for c in found.criteria]
    assert asked == sorted(asked, reverse=True)
    assert sum(asked) == found.asked


def test_the_measured_error_of_likely_stopping_is_told_with_its_interval(deployment: Deployment, place: Path) -> None:
    found = summary(deployment, pairs_file(place, PAIRS), StopRule(kind="likely", error=0.45, audit=0.6))
    assert found.turned is not None
    assert 20 < found.turned.n < PAIRS
    assert found.turned.low <= found.turned.right / found.turned.n <= found.turned.high
    assert f"{found.turned.right:,} of {found.turned.n:,} pairs asked to the end (0.45 accepted)" in told(found)
    exact = summary(deployment, pairs_file(place, PAIRS), StopRule())
    assert exact.turned is None


def test_likely_stopping_that_was_never_checked_says_so(deployment: Deployment, place: Path) -> None:
    found = summary(deployment, pairs_file(place, 20), StopRule(kind="likely", error=0.4, audit=0.0))
    assert found.turned == Share(right=0, n=0, low=0.0, high=1.0)
    assert "the error of stopping is not known" in told(found)


def test_preferences_written_for_trl_are_counted(deployment: Deployment, place: Path) -> None:
    found = summary(deployment, pairs_file(place, 20), trl=True)
    assert found.exported == 20 - found.labels["tie"]
    assert f"{found.exported} preferences for TRL" in told(found)
    assert summary(deployment, pairs_file(place, 20)).exported is None


def test_a_set_that_was_mined_with_another_judge_is_noted(deployment: Deployment, place: Path) -> None:
    made = letter_set()
    other = made.model_copy(update={"lineage": made.lineage.model_copy(update={"judge": "signals/1"})})
    found = summary(deployment, pairs_file(place, 10), criteria_set=other)
    assert any("mined with another judge (signals/1)" in note for note in found.notes)
    assert "another judge" not in told(summary(deployment, pairs_file(place, 10)))


def test_repeated_rows_are_noted(deployment: Deployment, place: Path) -> None:
    rows = [p.model_dump(include={"a", "b"}) for p in DATASET.pairs[:10]]
    found = summary(deployment, write_rows(place / "p.jsonl", rows + rows[:3]))
    assert found.pairs == 10
    assert found.notes[0].startswith("3 rows repeat the texts of an earlier row, in either order")


def test_a_summary_comes_back_from_json(deployment: Deployment, place: Path) -> None:
    found = summary(deployment, pairs_file(place, 20), StopRule(kind="likely"))
    assert LabelSummary.model_validate_json(found.model_dump_json()) == found
    assert len(labelled(deployment, found.labelling)) == 20
