"""The simulated streams of drift are what they say, and the benchmark's tables count them rightly."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from agents.drift import DriftState, RefreshData
from benchmarks.bench_drift import confusion, detections, false_alarms
from benchmarks.drift.changes import CHANGES, NONE, ONSET, REFRESHES, Change
from benchmarks.drift.naive import Ledger, rise_p
from benchmarks.drift.outcomes import Stream, examine_stream
from benchmarks.drift.refreshes import NAMES, Course, Sizes
from benchmarks.drift.town import CRITERIA, TOPICS, Town

SEED = 100_000
SMALL = Sizes(
    sealed=80, anchors=20, repeats=40, shared=30, documents=80,
    new_votes=20, new_shared=5, new_repeats=10, new_documents=20,
)  # fmt: skip


def refreshes(change: Change, count: int = ONSET) -> list[RefreshData]:
    return list(Course(SEED, change, SMALL).refreshes(count))


def test_the_same_seed_gives_the_same_stream() -> None:
    assert refreshes(NONE) == refreshes(NONE)
    assert Course(SEED, NONE, SMALL).reference == Course(SEED, NONE, SMALL).reference
    assert Course(SEED + 1, NONE, SMALL).reference != Course(SEED, NONE, SMALL).reference


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_change_shows_from_its_onset_on_and_not_before(change: Change) -> None:
    before, moved = refreshes(NONE), refreshes(change)
    assert moved[: ONSET - 1] == before[: ONSET - 1]
    assert moved[ONSET - 1] != before[ONSET - 1]


def test_a_refresh_brings_as_much_as_its_sizes_say() -> None:
    course = Course(SEED, NONE, SMALL)
    data = next(course.refreshes())
    assert len(course.reference.anchors) == len(data.anchor_answers) == SMALL.anchors * CRITERIA
    assert len(data.new_votes) == SMALL.new_votes + SMALL.new_shared
    assert len({vote.pair for vote in data.new_votes}) == SMALL.new_votes
    assert len(data.repeats) == SMALL.new_repeats
    assert data.corpus is not None
    assert len(data.corpus.embeddings) == len(data.corpus.scores) == SMALL.new_documents
    assert set(course.reference.by_criterion) == set(NAMES)


def test_every_part_of_a_stream_is_tested() -> None:
    state = DriftState.begin(Course(SEED, NONE, SMALL).reference)
    assert all(cause.streams and cause.level > 0 for cause in state.causes.values())


def test_a_town_labels_as_the_simulated_world_does() -> None:
    town = Town(SEED)
    pairs = town.pairs(20_000)
    truth = np.sign(pairs.gaps @ town.weights)
    assert (town.votes(pairs) == truth).mean() == pytest.approx(0.89, abs=0.02)


def test_a_judge_flips_a_little_by_itself_and_more_where_another_model_reads() -> None:
    town = Town(SEED)
    pairs = town.pairs(3000)
    first = town.judge(pairs)
    own, other = (float((town.judge(pairs, moved) != first).mean()) for moved in (0.0, 0.4))
    assert 0.02 < own < 0.1
    assert other > own + 0.1
    assert (town.set_vote(first) == town.votes(pairs)).mean() > 0.7


def test_people_of_another_taste_contradict_themselves_and_new_needs_do_not() -> None:
    town = Town(SEED)
    pairs = town.pairs(4000)
    record = town.votes(pairs)
    noise, taste = (float((town.votes(pairs, t) != record).mean()) for t in (0.0, 0.4))
    assert taste > noise + 0.1
    one, two = (town.votes(pairs, unspoken=0.6) for _ in range(2))
    assert float((one != two).mean()) < noise + 0.03
    assert float((one == record).mean()) < 1 - noise - 0.1


def test_a_new_topic_is_new_and_its_texts_differ_less() -> None:
    town = Town(SEED)
    texts = town.texts(2000, 0.3)
    assert (texts.topics == TOPICS).mean() == pytest.approx(0.3, abs=0.04)
    assert not (town.texts(500).topics == TOPICS).any()
    assert np.abs(town.pairs(2000, 1.0).gaps).mean() < 0.5 * np.abs(town.pairs(2000).gaps).mean()


def test_the_textbook_test_is_the_textbooks() -> None:
    """Against scipy: without a correction, the chi-squared test of a 2 x 2 table is the square of this z test."""
    chi2 = stats.chi2_contingency([[10, 90], [25, 75]], correction=False).pvalue
    assert rise_p((10, 100), (25, 100)) == pytest.approx(chi2 / 2)
    assert rise_p((25, 100), (10, 100)) == pytest.approx(1 - chi2 / 2)
    assert rise_p((0, 10), (0, 10)) == 1


def test_the_ledger_counts_what_a_refresh_brought() -> None:
    course = Course(SEED, NONE, SMALL)
    ledger = Ledger(course.reference)
    for data in course.refreshes(2):
        ledger.add(data)
    assert [batch["judge"][1] for batch in ledger.since] == [SMALL.anchors * CRITERIA] * 2
    assert ledger.since[0]["annotators"][1] == SMALL.new_repeats
    assert set(ledger.p_values(0, 1)) == {"judge", "annotators", "corpus", "fit"}
    assert all(0 <= p <= 1 for p in ledger.p_values(1, 1).values())


def test_a_large_change_is_found_and_named() -> None:
    found = examine_stream(SEED, Change("judge", 0.9), SMALL, refreshes=6)
    assert found.named_last == found.named_first == "judge"
    assert found.found("judge")
    assert found.delay("judge") <= 2
    assert found.shift["judge"] > 0.2


def test_without_a_change_nothing_is_found_here() -> None:
    found = examine_stream(SEED, NONE, SMALL, refreshes=5)
    assert (found.alarm, found.named_last, found.first) == ({}, None, None)


def stream(**changes: object) -> Stream:
    fields: dict[str, object] = {
        "alarm": {}, "named_first": None, "named_last": None, "each_batch": {}, "each_total": {},
        "at_end": frozenset(), "shift": {"judge": 0.1, "annotators": 0.0, "fit": 0.0},
    }  # fmt: skip
    return Stream(**{**fields, **changes})  # type: ignore[arg-type]  # a mapping of fields


RIGHT = stream(alarm={"judge": ONSET + 1}, named_first="judge", named_last="judge", at_end=frozenset({"judge"}))
WRONG = stream(alarm={"fit": ONSET}, named_first="fit", named_last="fit")
EARLY = stream(alarm={"judge": ONSET - 1}, named_first="judge", named_last="judge", each_batch={"judge": 1})


def cells(table: str, row: int) -> list[str]:
    return [cell.strip() for cell in table.splitlines()[2 + row].strip("|").split("|")]


def test_false_alarms_are_counted_by_cause_and_in_all() -> None:
    found = false_alarms([RIGHT, WRONG, EARLY, stream()], [stream(), WRONG])
    assert cells(found, 0)[1:5] == ["0.500", "0.000", "0.000", "0.250"]
    assert cells(found, 0)[5].startswith("0.750")
    assert cells(found, 1)[5].startswith("0.500")
    assert cells(found, 2)[1] == "0.250"
    assert cells(found, 4)[5].startswith("0.250")


def test_detections_count_the_causes_own_alarm_after_the_onset() -> None:
    found = cells(detections([(Change("judge", 0.2), [RIGHT, RIGHT, WRONG, EARLY])]), 0)
    assert found[0] == "judge 0.2"
    assert found[2].startswith("0.50")
    assert found[3] == "0.75"
    assert found[4] == "2.0"
    assert found[6] == "0.250"
    assert found[7] == "2 of 3"
    assert found[8] == "0.50"


def test_the_confusion_table_counts_what_is_named_by_what_changed() -> None:
    found = confusion([(Change("judge", 0.2), [RIGHT, WRONG, stream()]), (Change("fit", 0.2), [WRONG])])
    assert cells(found, 0) == ["judge", "1", "0", "0", "1", "1", "0.500", "0.500"]
    assert cells(found, 3) == ["fit", "0", "0", "0", "1", "0", "1.000", "1.000"]


def test_a_stream_lasts_twelve_refreshes() -> None:
    assert len(list(Course(SEED, NONE, SMALL).refreshes())) == REFRESHES
