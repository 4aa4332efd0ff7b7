"""A refresh from new votes to a proposal, over a real queue and database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from letter_parties import LetterJudge, LetterParties, letter_dataset
from refresh_bench import TERMS, World, approved_version, asked, set_by_hand, vote_on, with_terms, world
from sqlalchemy import select, update
from workbench import with_parties

from agents.judge import Question
from agents.judgments import Judgment
from agents.pairs import Dataset
from knowledge_base.errors import NotThere
from services.annotation.freezing import freeze
from services.annotation.tables import OpenPairRow
from services.annotation.vote import VoteIn
from services.annotation.votes import add_votes
from services.criteria_sets.deciding import decide
from services.criteria_sets.keeping import keep_set
from services.criteria_sets.reading import list_sets, load_set, set_details
from services.mining_thread import load_run, load_thread
from services.orders.known_run import known_run
from services.schedules import working as steps
from services.schedules.acknowledging import acknowledge_drift
from services.schedules.asking import SAMPLES
from services.schedules.beginning import refresh_now
from services.schedules.refreshes import list_refreshes, list_windows, load_refresh
from services.schedules.tables import AnchorRow
from services.schedules.terms import Bar
from services.schedules.work import Work


@pytest.mark.usefixtures("configured")
def test_a_refresh_is_the_same_on_every_database(place: Path) -> None:
    with world(place) as letters:
        letters.vote()
        letters.pass_time(hours=1)
        letters.run_out()
        [found] = list_refreshes(letters.database)
        assert (found.status, found.step) == ("finished", "done")
        assert list(letters.windows().values()) == ["finished"]
        assert sorted(letters.events()) == ["run.finished", "set.proposed"]
        assert letters.refresh().number == found.number + 1


class TestFromVotesToProposal:
    """What a refresh does when nothing goes wrong."""

    def test_the_new_version_is_proposed_and_the_approved_one_stays(self, letters: World) -> None:
        letters.vote()
        refresh = letters.refresh()
        assert (refresh.status, refresh.step, refresh.old) == ("finished", "done", letters.approved.version)
        new = load_set(letters.database, refresh.new, "letters")
        assert (new.status, new.parent, new.run) == ("proposed", letters.approved.version, refresh.mining)
        assert new.criteria_set.lineage.parent == letters.approved.version
        assert approved_version(letters) == letters.approved.version
        assert [s.step for s in refresh.steps] == ["gather", "judge", "examine", "mine", "propose"]

    def test_whoever_listens_is_told_of_the_proposal_and_the_end(self, letters: World) -> None:
        letters.vote()
        letters.refresh()
        assert sorted(letters.events()) == ["run.finished", "set.proposed"]

    def test_the_run_that_mined_can_be_looked_at_and_is_by_the_refresh(self, letters: World) -> None:
        letters.vote()
        refresh = letters.refresh()
        run = known_run(letters.database, refresh.mining)
        assert (run.state, run.name, run.by) == ("finished", "letters", f"refresh {refresh.id}")
        assert (run.version, run.source) == (refresh.new, letters.dataset)
        with pytest.raises(NotThere):
            known_run(letters.database, "no such run")

    def test_the_current_set_is_where_mining_starts(self, letters: World) -> None:
        letters.vote()
        refresh = letters.refresh()
        assert load_run(letters.database, refresh.mining).config.parent == letters.approved.version
        reasons = set_details(letters.database, "letters", refresh.new).reasons.why
        assert all(m.criterion.hash in reasons for m in letters.approved.criteria_set.members)

    def test_old_and_new_are_compared_on_pairs_that_neither_was_mined_from(self, letters: World) -> None:
        letters.vote()
        refresh = letters.refresh()
        old, new = (load_thread(letters.database, f"{run}-main") for run in (letters.approved.run, refresh.mining))
        sealed = {p.hash for p in new.sealed}
        assert refresh.comparison is not None
        assert refresh.comparison.n == len(sealed) > 10
        assert not sealed & {p.hash for p in (*old.mining, *new.mining)}
        assert {p.hash for p in old.sealed} <= sealed

    def test_only_what_is_new_is_judged_and_anchors_anew(self, letters: World) -> None:
        before = {p.hash for p in load_run(letters.database, letters.approved.run).dataset.pairs}
        letters.vote()
        refresh = letters.refresh()
        usual = [pair for pair, sample in asked(letters, refresh) if sample < SAMPLES]
        anew = {(pair, sample) for pair, sample in asked(letters, refresh) if sample >= SAMPLES}
        assert usual
        assert not set(usual) & before
        assert {sample for _, sample in anew} == {refresh.number * SAMPLES}
        assert len({pair for pair, _ in anew}) == TERMS.anchors

    def test_a_second_refresh_asks_no_more_than_the_anchors_again(self, letters: World) -> None:
        letters.vote()
        first, second = letters.refresh(), letters.refresh()
        assert second.number == first.number + 1
        assert {sample for _, sample in asked(letters, second)} == {second.number * SAMPLES}
        assert [p for p, _ in asked(letters, second)] == [p for p, s in asked(letters, first) if s >= SAMPLES]
        assert second.new == first.new
        assert len(list_sets(letters.database, "letters")) == 2

    def test_anchors_stay_pinned_to_what_was_said_at_first(self, letters: World) -> None:
        def pinned() -> list[Any]:
            with letters.database.read() as connection:
                return [tuple(r) for r in connection.execute(select(*AnchorRow.__table__.columns))]

        letters.refresh()
        first = pinned()
        letters.vote(seed=9)
        letters.refresh()
        assert pinned() == first
        assert len(first) == TERMS.anchors

    def test_after_the_new_version_is_approved_the_next_refresh_starts_from_it(self, letters: World) -> None:
        letters.vote()
        first = letters.refresh()
        decide(letters.database, "letters", first.new, "approve", "", "ada")
        letters.vote(seed=7)
        second = letters.refresh()
        assert second.old == first.new
        assert "13 new votes; 64 pairs, 13 of them new" in second.steps[0].told
        seals = [{p.hash for p in load_thread(letters.database, f"{r.mining}-main").sealed} for r in (first, second)]
        assert seals[0] <= seals[1]

    def test_refreshes_are_listed_newest_first(self, letters: World) -> None:
        first, second = letters.refresh(), letters.refresh()
        assert list_refreshes(letters.database, letters.schedule.id) == [second, first]
        assert list_refreshes(letters.database, before=second.number, limit=5) == [first]
        assert list_refreshes(letters.database, status="failed") == []


class TestEnoughVotes:
    """Windows without enough new votes are skipped, and say so."""

    def test_a_window_with_too_few_votes_is_skipped(self, letters: World) -> None:
        letters.vote(5)
        letters.pass_time(hours=1)
        letters.run_out()
        [window] = list_windows(letters.database, letters.schedule.id)
        assert window.status == "skipped"
        assert "fewer than the 10" in window.why
        assert load_refresh(letters.database, window.refresh).status == "skipped"
        assert letters.events() == []

    def test_votes_add_up_over_skipped_windows_until_they_are_enough(self, letters: World) -> None:
        for batch in range(4):
            letters.vote(5, seed=20 + batch)
            letters.pass_time(hours=1)
            letters.run_out()
        assert list(letters.windows().values()).count("finished") == 1

    def test_votes_that_were_examined_are_not_new_again(self, letters: World) -> None:
        letters.vote()
        for _ in range(2):
            letters.pass_time(hours=1)
            letters.run_out()
        assert list(letters.windows().values()) == ["finished", "skipped"]
        assert "0 new votes" in list_windows(letters.database, letters.schedule.id)[0].why

    def test_a_person_may_have_the_set_examined_all_the_same(self, letters: World) -> None:
        assert letters.refresh(forced=False).status == "skipped"
        assert letters.refresh().status == "finished"

    def test_without_an_approved_version_there_is_nothing_to_examine(self, letters: World) -> None:
        decide(letters.database, "letters", letters.approved.version, "reject", "", "ada")
        letters.vote()
        assert "no version of 'letters' is approved" in letters.refresh().steps[0].told


class TestDrift:
    """What moved is found, told once, and kept."""

    def test_criteria_that_fit_no_more_raise_an_alarm_once(self, letters: World) -> None:
        name = letters.approved.criteria_set.criteria[0].name.removeprefix("Letters ")
        for seed in range(2):
            vote_on(letters.database, letters.dataset, against(name, 120, 40 + seed))
            refresh = letters.refresh()
        assert refresh.drift is not None
        assert refresh.drift.of("fit").finding == "drift"
        assert letters.events().count("drift.found") == 1
        assert refresh.drift.primary == "fit"

    def test_a_judge_that_answers_otherwise_is_named(self, letters: World) -> None:
        letters.refresh()
        other = with_parties(letters.deployment, TurnedParties())
        refresh = refresh_now(letters.database, letters.schedule.id, "ada", letters.now)
        own, letters.deployment = letters.deployment, other
        letters.run_out()
        letters.deployment = own
        found = load_refresh(letters.database, refresh.id)
        assert found.status == "finished"
        assert found.drift is not None
        assert found.drift.primary == "judge"

    def test_a_calm_world_raises_none(self, letters: World) -> None:
        for seed in range(2):
            letters.vote(seed=60 + seed)
            refresh = letters.refresh()
        assert refresh.drift is not None
        assert refresh.drift.refresh == 2
        assert not refresh.drift.drifted

    @pytest.mark.usefixtures("configured")
    def test_an_alarm_that_a_person_has_seen_is_put_to_rest(self, letters: World) -> None:
        name = letters.approved.criteria_set.criteria[0].name.removeprefix("Letters ")
        with pytest.raises(NotThere, match="has not examined"):
            acknowledge_drift(letters.database, letters.schedule.id)
        vote_on(letters.database, letters.dataset, against(name, 150, 40))
        assert letters.refresh().drift.drifted  # type: ignore[union-attr]
        assert "fit" in acknowledge_drift(letters.database, letters.schedule.id)
        assert not letters.refresh().drift.drifted  # type: ignore[union-attr]

    def test_repeated_votes_tell_of_the_annotators(self, letters: World) -> None:
        pairs = [p.hash for p in load_run(letters.database, letters.approved.run).dataset.pairs]
        refresh = letters.refresh()
        assert refresh.drift is not None
        assert refresh.drift.of("annotators").finding == "not tested"
        votes = [VoteIn(pair=p, annotator=who, choice="a") for p in pairs[:4] for who in ("bea", "cyd")]
        add_votes(letters.database, letters.dataset, votes)
        assert letters.refresh().status == "finished"

    def test_pairs_that_were_chosen_to_learn_from_are_no_evidence(self, letters: World) -> None:
        name = letters.approved.criteria_set.criteria[0].name.removeprefix("Letters ")
        vote_on(letters.database, letters.dataset, against(name, 150, 40))
        mined = [p.hash for p in load_run(letters.database, letters.approved.run).dataset.pairs]
        with letters.database.write() as connection:
            fresh = OpenPairRow.pair.not_in(mined)
            connection.execute(update(OpenPairRow).where(fresh).values(why="information"))
        refresh = letters.refresh()
        assert refresh.drift is not None
        assert refresh.drift.of("fit").finding == "not tested"

    def test_mining_only_where_drift_was_found(self, letters: World) -> None:
        with_terms(letters, remine="drift")
        letters.vote()
        refresh = letters.refresh()
        assert (refresh.status, refresh.mining, refresh.new) == ("finished", "", "")
        assert "no drift was found" in refresh.steps[-1].told


class TestApprovalWithoutAPerson:
    """Only if the schedule says so, and only if the evidence passes its bar."""

    def test_a_better_version_is_approved_where_the_schedule_says_so(self, place: Path) -> None:
        with world(place, by_hand="q", pairs=120) as letters:
            with_terms(letters, bar=Bar(pairs=20))
            letters.vote(160, liked="e", noise=0.0)
            refresh = letters.refresh()
            assert refresh.comparison is not None
            assert refresh.comparison.verdict == "better"
            assert approved_version(letters) == refresh.new
            assert load_set(letters.database, refresh.old, "letters").status == "superseded"
            assert refresh.steps[-1].step == "approve"
            assert sorted(letters.events()) == ["run.finished", "set.decided", "set.proposed"]

    def test_it_waits_for_a_person_where_the_schedule_says_nothing(self, place: Path) -> None:
        with world(place, by_hand="q", pairs=120) as letters:
            letters.vote(160, liked="e", noise=0.0)
            refresh = letters.refresh()
            assert refresh.comparison is not None
            assert refresh.comparison.verdict == "better"
            assert load_set(letters.database, refresh.new, "letters").status == "proposed"

    def test_a_decision_that_a_person_made_meanwhile_stands(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def meddle(work: Work) -> Any:
            kept = keep_set(work.database, set_by_hand("x"), name="letters")
            decide(work.database, "letters", kept.version, "approve", "", "bob")
            return real(work)

        real = steps.STEPS["approve"]
        monkeypatch.setitem(steps.STEPS, "approve", meddle)
        with world(place, by_hand="q", pairs=120) as letters:
            with_terms(letters, bar=Bar(pairs=20))
            letters.vote(160, liked="e", noise=0.0)
            refresh = letters.refresh()
            assert refresh.status == "finished"
            assert "left to a person" in refresh.steps[-1].told
            assert approved_version(letters) == set_by_hand("x").version


def test_a_set_whose_past_nobody_knows_is_tested_on_pairs_that_came_after_it(place: Path) -> None:
    with world(place, by_hand="q") as letters:
        stranger = keep_set(letters.database, set_by_hand("w"), name="letters")
        decide(letters.database, "letters", stranger.version, "approve", "", "ada")
        before = {p.hash for p in freeze(letters.database, letters.dataset).pairs}
        letters.vote()
        refresh = letters.refresh()
        assert refresh.old == stranger.version
        sealed = {p.hash for p in load_thread(letters.database, f"{refresh.mining}-main").sealed}
        assert sealed
        assert not sealed & before


class TurnedJudge(LetterJudge):
    """Prefers what the other judge does not."""

    async def answer(self, questions: Sequence[Question]) -> AsyncIterator[Judgment]:
        async for judgment in super().answer(questions):
            turned = {"A": "B", "B": "A"}.get(judgment.verdict, judgment.verdict)
            yield Judgment.model_validate({**judgment.model_dump(), "verdict": turned})


class TurnedParties(LetterParties):
    """With that judge."""

    def judge(self) -> LetterJudge:
        return TurnedJudge("letters/2")


def against(letters: str, pairs: int, seed: int) -> Dataset:
    """Pairs on which people prefer the text with fewer of these letters."""
    return letter_dataset(pairs, seed, letters, noise=1.0)
