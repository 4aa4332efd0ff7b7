"""Refreshes examined from approval on: evidence kept, causes told apart, everything said."""

from __future__ import annotations

import math

import pytest
from drift_cases import anchors, answers, batch, quiet, repeats, votes, whole

from agents.drift import (
    CAUSES,
    Cause,
    DriftReport,
    DriftState,
    Reference,
    RefreshData,
    advanced,
    examine,
    report,
    restarted,
)
from agents.drift.state import SHARES
from knowledge_base.errors import InputError


def after(data: list[RefreshData], reference: Reference | None = None) -> tuple[DriftState, DriftReport]:
    state = DriftState.begin(reference or whole())
    for one in data:
        state = advanced(state, one)
    return state, report(state)


@pytest.fixture(scope="module")
def calm() -> tuple[DriftState, DriftReport]:
    return after([quiet(k) for k in range(4)])


def test_the_level_is_divided_among_the_causes() -> None:
    state = DriftState.begin(whole(), alpha=0.1)
    assert sum(c.level for c in state.causes.values()) == pytest.approx(0.1)
    assert state.causes["fit"].level == pytest.approx(0.1 * SHARES["fit"])


def test_a_cause_that_is_not_tested_gives_its_level_to_the_others() -> None:
    state = DriftState.begin(whole(repeats=(), ballots=()))
    assert state.causes["annotators"].level == 0
    assert sum(c.level for c in state.causes.values()) == pytest.approx(0.05)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -1.0])
def test_a_level_that_is_none_is_refused(alpha: float) -> None:
    with pytest.raises(InputError, match="alpha"):
        DriftState.begin(Reference(), alpha)


def test_quiet_refreshes_raise_no_alarm(calm: tuple[DriftState, DriftReport]) -> None:
    _, found = calm
    assert (found.drifted, found.primary, found.refresh) == (False, "", 4)
    assert [c.finding for c in found.causes] == ["no evidence"] * 4
    assert "no evidence of drift" in found.sentence
    assert "5%" in found.sentence


MOVED: dict[Cause, RefreshData] = {
    "judge": RefreshData(anchor_answers=answers(25)),
    "annotators": RefreshData(repeats=repeats(60, 40)),
    "corpus": RefreshData(corpus=batch(80, 9, shift=2.0)),
    "fit": RefreshData(new_votes=votes(120, 55)),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_what_moved_is_found_and_named(cause: Cause) -> None:
    _, found = after([quiet(1), MOVED[cause]])
    assert found.primary == cause
    assert [c.cause for c in found.causes if c.finding == "drift"] == [cause]
    own = found.of(cause)
    assert own.alarm == 2
    assert own.log_e >= -math.log(own.level)
    assert own.p_value <= own.level
    assert "alarm at refresh 2" in own.sentence


@pytest.mark.parametrize("cause", CAUSES)
def test_an_alarm_stays_until_the_state_is_restarted(cause: Cause) -> None:
    state, _ = after([quiet(1), MOVED[cause], *(quiet(k) for k in range(2, 7))])
    found = report(state)
    assert found.of(cause).finding == "drift"
    assert found.of(cause).alarm == 2
    fresh = restarted(state, whole())
    assert not report(fresh).drifted
    assert fresh.refreshes == 0
    assert fresh.alpha == state.alpha
    assert restarted(state, whole(), 0.2).alpha == 0.2


def test_pairs_that_evidence_rested_on_stay_known_after_a_restart() -> None:
    state, _ = after([RefreshData(new_votes=votes(5, 5))])
    again = advanced(restarted(state, whole(known_pairs=("more",))), RefreshData(new_votes=votes(6, 5)))
    assert {"new0", "new5", "old1", "more"} <= set(again.seen_pairs)
    assert again.causes["fit"].streams[0].since.n == 1


def test_json_keeps_a_state_to_the_bit_and_it_goes_on_the_same(calm: tuple[DriftState, DriftReport]) -> None:
    state, _ = calm
    kept = DriftState.model_validate_json(state.model_dump_json())
    assert kept == state
    assert examine(kept, quiet(9)) == examine(state, quiet(9))


@pytest.mark.parametrize("cause", CAUSES)
def test_json_keeps_a_report_to_the_bit(cause: Cause) -> None:
    _, found = after([MOVED[cause]])
    assert DriftReport.model_validate_json(found.model_dump_json()) == found


def test_examining_is_advancing_and_reporting(calm: tuple[DriftState, DriftReport]) -> None:
    state, _ = calm
    found, told = examine(state, quiet(5))
    assert found == advanced(state, quiet(5))
    assert told == report(found)


def test_the_order_of_votes_and_answers_changes_nothing() -> None:
    data = quiet(3)
    turned = data.model_copy(
        update={
            "new_votes": data.new_votes[::-1], "repeats": data.repeats[::-1],
            "anchor_answers": dict(list(data.anchor_answers.items())[::-1]),
        }
    )  # fmt: skip
    one, other = (advanced(DriftState.begin(whole()), d) for d in (data, turned))
    for cause in ("judge", "annotators", "fit"):
        found, expected = other.causes[cause].evidence.log_e, one.causes[cause].evidence.log_e
        assert found == pytest.approx(expected, abs=1e-9)


def test_a_pair_counts_once_however_often_it_is_voted_on() -> None:
    state, _ = after([RefreshData(new_votes=votes(30, 10)), RefreshData(new_votes=votes(30, 10))])
    assert state.causes["fit"].streams[0].since.n == 30
    assert state.causes["fit"].streams[0].batches == 1


def test_votes_on_pairs_known_at_approval_are_no_evidence() -> None:
    state, _ = after([RefreshData(new_votes=votes(3, 0, "old"))])
    assert state.causes["fit"].streams[0].since.n == 1


def test_an_empty_refresh_tests_nothing_and_says_why() -> None:
    _, found = after([RefreshData()])
    assert {c.finding for c in found.causes} == {"not tested"}
    assert "no refresh brought" in found.of("fit").sentence


def test_an_empty_reference_tests_nothing_and_says_why() -> None:
    _, found = after([quiet(1), quiet(2)], Reference())
    assert {c.finding for c in found.causes} == {"not tested"}
    assert [c.why for c in found.causes if "at approval" not in c.why] == []
    assert "Not tested: judge, annotators, corpus, fit" in found.sentence
    assert found.agreement_before is None


def test_the_first_refresh_measures_a_judge_that_was_pinned_once_and_tests_nothing() -> None:
    bare = whole(anchors=anchors(again=None))
    state, first = after([RefreshData(anchor_answers=answers(2))], bare)
    assert first.of("judge").finding == "not tested"
    assert "measured how often" in first.of("judge").why
    assert state.baseline == 1
    _, second = examine(state, RefreshData(anchor_answers=answers(2)))
    assert second.of("judge").finding == "no evidence"
    _, moved = examine(state, RefreshData(anchor_answers=answers(28)))
    assert moved.primary == "judge"


def test_a_judge_pinned_once_and_not_asked_since_is_not_known() -> None:
    _, found = after([RefreshData()], whole(anchors=anchors(again=None)))
    assert "only once" in found.of("judge").why


def test_one_flip_of_a_judge_that_cannot_flip_is_an_alarm() -> None:
    signals = whole(deterministic=True, anchors=anchors(again=None))
    _, still = after([RefreshData(anchor_answers=answers(0))], signals)
    assert still.of("judge").finding == "no evidence"
    _, moved = after([RefreshData(anchor_answers=answers(1))], signals)
    assert moved.primary == "judge"
    assert "proof" in moved.of("judge").sentence


def test_the_criterion_that_moved_is_named() -> None:
    _, found = after([RefreshData(anchor_answers=answers(30, by=["short"]))] * 2)
    named = [c.criterion for c in found.of("judge").comparisons if c.named and c.criterion]
    assert named == ["short"]
    assert "Criteria that moved: short" in found.of("judge").sentence


def test_the_criterion_that_lost_its_accuracy_is_named() -> None:
    _, found = after([RefreshData(new_votes=votes(200, 60, by=["clear"]))])
    assert [c.criterion for c in found.of("fit").comparisons if c.named and c.criterion] == ["clear"]


def test_the_person_who_moved_is_named() -> None:
    reference = whole(repeats=repeats(40, 4, "ann") + repeats(40, 4, "bob"))
    _, found = after([RefreshData(repeats=repeats(40, 32, "bob") + repeats(40, 4, "ann"))], reference)
    assert "Annotators who moved: bob" in found.of("annotators").sentence


def test_numbers_before_and_since_come_with_intervals_and_counts(calm: tuple[DriftState, DriftReport]) -> None:
    _, found = calm
    vote = found.of("fit").comparisons[0]
    assert (vote.before.n, vote.since.n, vote.last.n) == (200, 160, 40)
    assert vote.before.mean == vote.since.mean == pytest.approx(0.85)
    for part in (c for cause in found.causes for c in cause.comparisons):
        assert 0 <= part.since.low <= part.since.mean <= part.since.high <= 1
        assert part.sentence


def test_a_report_says_what_would_have_been_noticed(calm: tuple[DriftState, DriftReport]) -> None:
    vote = calm[1].of("fit").comparisons[0]
    assert vote.noticeable is not None
    assert 0.1 < vote.noticeable < 0.4
    assert f"A fall of {vote.noticeable:.3f} would have been noticed" in vote.sentence


def test_agreement_is_told_before_and_since() -> None:
    twice = [v for v in votes(20, 20) for _ in range(2)]
    _, found = after([RefreshData(new_votes=tuple(twice))])
    assert found.agreement_before is not None
    assert found.agreement_since is not None
    assert (found.agreement_before.pairs, found.agreement_since.pairs) == (36, 20)
    assert found.agreement_since.alpha == 1


def test_a_fall_of_fit_under_another_judge_is_explained_by_the_judge() -> None:
    _, found = after([RefreshData(anchor_answers=answers(25), new_votes=votes(120, 55))])
    assert found.primary == "judge"
    assert found.of("fit").explained_by == "judge"
    assert "Alarms stand for fit as well" in found.sentence
    assert found.unseparated


def test_a_cause_named_without_an_alarm_of_its_own_says_so() -> None:
    suspect = RefreshData(new_votes=votes(120, 55), repeats=repeats(34, 14))
    state, found = after([suspect])
    assert state.causes["annotators"].alarm is None
    assert found.primary == "annotators"
    assert "without an alarm of its own" in found.sentence


def test_embeddings_of_another_model_are_refused() -> None:
    data = RefreshData.model_validate({"corpus": {"embeddings": ((1.0, 2.0),)}})
    with pytest.raises(InputError, match="dimensions"):
        advanced(DriftState.begin(whole()), data)


def test_a_year_of_refreshes_stays_small() -> None:
    state = DriftState.begin(whole())
    sizes = []
    for k in range(30):
        state = advanced(state, quiet(k))
        sizes.append(len(state.model_dump_json()))
    assert sizes[-1] < 400_000
