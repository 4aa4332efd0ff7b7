"""Ranks, sketches and witnesses: what a score or an embedding is measured by."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.drift.corpus_reference import FEWEST, MOST, CorpusReference
from agents.drift.ranks import BINS, Ranks, spread
from agents.drift.sketch import AXES, Sketch
from agents.drift.witness import classifier, first_witnesses, nearest
from knowledge_base.errors import InputError

RNG = np.random.default_rng(11)
CLOUD = RNG.normal(size=(300, 30)) * np.geomspace(3, 0.1, 30)


def reference(rows: np.ndarray[tuple[int, int], np.dtype[np.float64]] = CLOUD) -> CorpusReference:
    return CorpusReference.of(embeddings=rows)


def test_ranks_of_the_same_law_are_about_uniform() -> None:
    found = Ranks.of(RNG.normal(size=4000)).of_values(RNG.normal(size=4000))
    assert np.mean(found) == pytest.approx(0.5, abs=0.03)
    assert np.histogram(found, bins=BINS // 2)[0].min() > 200


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=20))
def test_ranks_lie_between_zero_and_one_and_rise_with_the_values(sample: list[float], values: list[float]) -> None:
    found = Ranks.of(sample).of_values(sorted(values))
    assert found[0] >= 0
    assert found[-1] <= 1
    assert found == sorted(found)


def test_equal_values_rank_in_the_middle() -> None:
    assert Ranks.of([3.0] * 10).of_values([2.0, 3.0, 4.0]) == [0.0, 0.5, 1.0]


def test_spread_rises_when_values_leave_the_middle() -> None:
    assert spread([0.5, 0.0, 1.0, 0.25]) == [0.0, 1.0, 1.0, 0.5]


def test_a_sketch_keeps_the_widest_axes_and_the_length_of_the_rest() -> None:
    sketch = Sketch.of(CLOUD)
    rows = sketch.rows(CLOUD)
    assert rows.shape == (300, AXES + 1)
    variances = rows[:, :-1].var(axis=0)
    assert (np.diff(variances) <= 1e-6).all()
    whole = np.square(CLOUD - CLOUD.mean(axis=0)).sum(axis=1)
    assert np.square(rows).sum(axis=1) == pytest.approx(whole, rel=1e-3)


def test_few_texts_or_dimensions_make_few_axes() -> None:
    assert len(Sketch.of(CLOUD[:24]).axes) == 3
    assert len(Sketch.of(CLOUD[:, :2]).axes) == 2


def test_a_sketch_does_not_depend_on_the_sign_that_linear_algebra_happens_to_choose() -> None:
    axes = np.array(Sketch.of(CLOUD).axes)
    assert (axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)] > 0).all()


@pytest.mark.parametrize(
    ("embeddings", "told"),
    [([[1.0] * 5] * 2, "5 dimensions"), ([[float("nan")] * 30], "not finite"), ([[1.0], [1.0, 2.0]], "equal length")],
)
def test_embeddings_that_do_not_fit_are_refused(embeddings: list[list[float]], told: str) -> None:
    with pytest.raises(InputError, match=told):
        Sketch.of(CLOUD).rows(embeddings)


def test_the_halves_of_a_reference_share_no_text_and_large_ones_are_cut() -> None:
    found = reference(RNG.normal(size=(900, 20))).embeddings
    assert found is not None
    assert (len(found.known), len(found.held)) == (MOST // 2, MOST // 2)
    assert not set(found.known) & set(found.held)


def test_a_reference_that_is_too_small_is_not_watched() -> None:
    found = CorpusReference.of(scores=[1.0] * (FEWEST - 1), embeddings=CLOUD[: FEWEST - 1])
    assert found == CorpusReference()


def test_scores_that_are_not_finite_are_refused() -> None:
    with pytest.raises(InputError, match="score"):
        CorpusReference.of(scores=[1.0] * 50 + [float("inf")])


def test_json_keeps_a_reference_to_the_bit() -> None:
    found = CorpusReference.of(
        coverage=[0.3] * 5, abstention=[0.1], scores=RNG.normal(size=60).tolist(), embeddings=CLOUD
    )
    assert CorpusReference.model_validate_json(found.model_dump_json()) == found


def test_a_reference_is_small_whatever_the_embeddings() -> None:
    assert len(reference(RNG.normal(size=(500, 384))).model_dump_json()) < 250_000


def test_the_nearest_row_is_the_nearest() -> None:
    rows, known = RNG.normal(size=(20, 4)), RNG.normal(size=(30, 4))
    slow = [min(float(np.linalg.norm(r - k)) for k in known) for r in rows]
    assert nearest(rows, known) == pytest.approx(slow)
    assert nearest(known, known) == pytest.approx(np.zeros(30), abs=1e-6)
    assert nearest(known, known, leave_out_itself=True).min() > 0


def test_texts_from_elsewhere_are_novel() -> None:
    found = reference().embeddings
    assert found is not None
    novelty = first_witnesses(found)[0]
    same, other = (novelty.values(found.sketch.rows(CLOUD[:100] + shift), found) for shift in (0.0, 4.0))
    assert novelty.name == "novelty"
    assert np.mean(other) > 0.95 > 0.6 > np.mean(same)


def test_each_witness_stays_between_zero_and_one() -> None:
    found = reference().embeddings
    assert found is not None
    for witness in first_witnesses(found):
        values = witness.values(found.sketch.rows(CLOUD * 100), found)
        assert min(values) >= 0
        assert max(values) <= 1


@given(st.integers(0, 29))
@settings(deadline=None, max_examples=10)
def test_a_classifier_finds_the_direction_in_which_texts_moved(seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = reference().embeddings
    assert found is not None
    moved = CLOUD + np.eye(30)[2] * 2.5
    lesson, later = (found.sketch.rows(moved[rng.permutation(300)[:80]]) for _ in range(2))
    witness = classifier("classifier 1", found, lesson)
    held = witness.values(np.array(found.held), found)
    assert np.mean(witness.values(later, found)) > np.mean(held) + 0.15


def test_a_classifier_of_texts_from_the_same_place_finds_nothing_that_lasts() -> None:
    found = reference().embeddings
    assert found is not None
    rng = np.random.default_rng(4)
    gaps = []
    for _ in range(20):
        lesson, later = (found.sketch.rows(rng.normal(size=(60, 30)) * np.geomspace(3, 0.1, 30)) for _ in range(2))
        witness = classifier("classifier 1", found, lesson)
        gaps.append(np.mean(witness.values(later, found)) - np.mean(witness.values(np.array(found.held), found)))
    assert abs(float(np.mean(gaps))) < 0.03
