"""An approved set's criteria come back to the knowledge base; versions that are kept can be compared."""

from __future__ import annotations

from typing import Any

import pytest
from knowledge_bench import PROCESSES, SHIPPED, at_once, criterion, set_of
from report_cases import sealed_result
from sqlalchemy import func, select

from agents.criteria_set import CriteriaSet
from knowledge_base.errors import NotThere
from services.criteria_sets.comparing import compare
from services.criteria_sets.deciding import decide
from services.criteria_sets.keeping import keep_set
from services.criteria_sets.reading import approved_set
from services.criteria_sets.standing import Decision
from services.database import Database
from services.knowledge.adding import add, digest_of
from services.knowledge.approving import history, withdraw
from services.knowledge.entry import PriorEntry
from services.knowledge.listing import evidence_of, list_entries, load_entry
from services.knowledge.tables import PriorEvidenceRow

DEPTH, TONE, WARMTH = criterion("Depth"), criterion("Tone of voice"), criterion("Warmth")
FIRST, SECOND = set_of(DEPTH, TONE), set_of(DEPTH, WARMTH)


@pytest.fixture
def line(database: Database) -> Database:
    """A database with two proposed versions of `web`."""
    for made in (FIRST, SECOND):
        keep_set(database, made, name="web")
    return database


def approve(database: Database, of: CriteriaSet, who: str = "ann") -> Decision:
    return decide(database, "web", of.version, "approve", "", who)


def entries(database: Database) -> dict[str, PriorEntry]:
    return {e.criterion.name: e for e in list_entries(database)}


class TestReturning:
    """An approved set's criteria come back to the knowledge base."""

    def test_they_are_approved_entries_with_their_evidence(self, line: Database) -> None:
        approve(line, FIRST, "ann")
        found = entries(line)
        assert set(found) == {"Depth", "Tone of voice"}
        entry = found["Depth"]
        assert (entry.criterion, entry.source, entry.status, entry.who) == (DEPTH, "set", "approved", "ann")
        (evidence,) = entry.evidence
        assert (evidence.name, evidence.version, evidence.weight) == ("web", FIRST.version, 1.0)
        assert (evidence.judge, evidence.policy, evidence.dataset) == ("signals/1", "robust", "d" * 64)
        assert evidence.mining is not None
        assert (evidence.mining.right, evidence.mining.decided, evidence.mining.accuracy) == (24, 30, 0.8)
        assert evidence.best == evidence.mining
        (decided,) = history(line, entry.digest)
        assert (decided.decision, decided.who, decided.note) == ("approve", "ann", f"with the set web {FIRST.version}")

    def test_proposed_and_rejected_sets_return_nothing(self, line: Database) -> None:
        decide(line, "web", FIRST.version, "reject", "", "ann")
        assert list_entries(line) == ()

    def test_held_out_figures_come_first_where_there_are_any(self, database: Database) -> None:
        result = sealed_result()
        keep_set(database, result.criteria_set, name="web", run=result.run, result=result)
        approve(database, result.criteria_set)
        by_hash = {a.criterion: a for a in result.held_out_assessments}
        for entry in list_entries(database):
            (evidence,) = entry.evidence
            assert (evidence.kind, evidence.run, evidence.judge) == ("sealed", result.run, "letters/1")
            assert evidence.best == evidence.held_out is not None
            assert evidence.held_out.right == by_hash[entry.criterion.hash].right

    def test_a_crossfit_has_no_held_out_figures_of_criteria(self, database: Database) -> None:
        result = sealed_result().model_copy(update={"held_out_assessments": ()})
        keep_set(database, result.criteria_set, name="web", result=result)
        approve(database, result.criteria_set)
        assert {e.evidence[0].kind for e in list_entries(database)} == {"none"}

    def test_evidence_adds_up_over_the_sets_that_hold_a_criterion(self, line: Database) -> None:
        approve(line, FIRST)
        approve(line, SECOND)
        assert [e.version for e in entries(line)["Depth"].evidence] == [FIRST.version, SECOND.version]
        assert len(entries(line)) == 3

    def test_rolling_back_adds_nothing_twice(self, line: Database) -> None:
        approve(line, FIRST)
        approve(line, SECOND)
        approve(line, FIRST)
        assert [len(e.evidence) for e in entries(line).values()] == [1, 1, 2]
        assert all(len(history(line, e.digest)) == 1 for e in entries(line).values())

    def test_what_the_catalogue_holds_gets_evidence_and_no_entry(self, database: Database) -> None:
        made = set_of(SHIPPED[0], DEPTH)
        keep_set(database, made, name="web")
        approve(database, made)
        assert set(entries(database)) == {"Depth"}
        with database.read() as connection:
            assert set(evidence_of(connection, [SHIPPED[0].hash])) == {SHIPPED[0].hash}

    def test_a_vote_against_its_own_words_does_not_come_back(self, database: Database) -> None:
        made = set_of(DEPTH, TONE, WARMTH, weights=(1.0, -0.5, 0.0))
        keep_set(database, made, name="web")
        approve(database, made)
        assert set(entries(database)) == {"Depth"}

    def test_what_was_never_measured_comes_back_without_evidence(self, database: Database) -> None:
        made = set_of(DEPTH, asked=0, decided=0, right=0)
        keep_set(database, made, name="web")
        approve(database, made)
        assert entries(database)["Depth"].evidence == ()

    def test_an_entry_that_waits_is_approved_with_the_set(self, line: Database, tmp_path: Any) -> None:
        waiting = add(line, tmp_path, DEPTH, "bo").entry
        approve(line, FIRST, "ann")
        entry = load_entry(line, waiting.digest)
        assert (entry.status, entry.source, entry.who) == ("approved", "person", "bo")
        assert [(d.number, d.who) for d in history(line, entry.digest)] == [(1, "ann")]

    def test_an_entry_that_a_person_withdrew_stays_withdrawn(self, line: Database) -> None:
        approve(line, FIRST)
        withdraw(line, digest_of(DEPTH), "bo", "too vague")
        approve(line, SECOND)
        assert entries(line)["Depth"].status == "withdrawn"
        assert entries(line)["Warmth"].status == "approved"

    def test_a_criterion_that_could_not_be_shown_or_judged_by_stays_out_and_the_set_is_approved(
        self, database: Database
    ) -> None:
        made = set_of(DEPTH, criterion("Loud\x07bell"), criterion("By no signal", expression="no_such_signal"))
        keep_set(database, made, name="web")
        approve(database, made)
        assert set(entries(database)) == {"Depth"}

    def test_sets_of_two_lines_that_share_criteria_are_approved_at_once(self, database: Database) -> None:
        names = [f"line-{number}" for number in range(PROCESSES)]
        for name in names:
            keep_set(database, FIRST, name=name)

        def act(name: str) -> Any:
            return lambda own: decide(own, name, FIRST.version, "approve", "", "ann").name

        told = at_once(database, [act(name) for name in names])
        assert [said for said in told if not said.startswith("Conflict: ")], told
        assert set(entries(database)) == {"Depth", "Tone of voice"}
        approved = [n for n in names if approved_set(database, n)]
        assert approved == [said for said in told if said in names]
        with database.read() as connection:
            kept = connection.execute(select(func.count()).select_from(PriorEvidenceRow)).scalar_one()
        assert kept == 2 * len(approved)


class TestComparing:
    """Versions that are kept, compared with what was kept of them."""

    def test_reasons_of_the_new_version_are_told_and_the_old_ones_not_for_what_it_dropped(
        self, database: Database
    ) -> None:
        keep_set(database, FIRST, name="web", why={TONE.hash: "round 1, keep: good then", DEPTH.hash: "good"})
        keep_set(database, SECOND, name="web", why={WARMTH.hash: "round 2, keep: better", DEPTH.hash: "held"})
        diff = compare(database, "web", FIRST.version, SECOND.version)
        assert [c.reason for c in diff.kept] == ["unchanged; held"]
        assert [c.reason for c in diff.new] == ["round 2, keep: better"]
        assert [c.reason for c in diff.dropped] == ["not in the new set"]

    def test_what_the_new_run_said_of_a_dropped_criterion_is_why_it_was_dropped(self, database: Database) -> None:
        keep_set(database, FIRST, name="web", why={TONE.hash: "good then"})
        keep_set(database, SECOND, name="web", why={TONE.hash: "round 1, replace: no better than chance"})
        diff = compare(database, "web", FIRST.version, SECOND.version)
        assert [c.reason for c in diff.dropped] == ["round 1, replace: no better than chance"]

    def test_a_version_that_is_not_there_is_told(self, line: Database) -> None:
        with pytest.raises(NotThere):
            compare(line, "web", FIRST.version, "0" * 12)
