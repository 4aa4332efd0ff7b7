"""Decisions are put on record once, never against what another just decided; a line has at most one approved set."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from knowledge_bench import PROCESSES, at_once, criterion, set_of
from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from agents.criteria_set import CriteriaSet
from knowledge_base.errors import Conflict, InputError, NotThere
from services.criteria_sets.deciding import decide
from services.criteria_sets.keeping import keep_set
from services.criteria_sets.reading import approved_set, load_set, set_details
from services.criteria_sets.standing import ALLOWED, Decision, Wish, approved_in, decisions_of, status_of, statuses
from services.criteria_sets.tables import CriteriaSetRow, SetDecisionRow
from services.database import Database
from services.knowledge.listing import list_entries

DEPTH, TONE, WARMTH = criterion("Depth"), criterion("Tone of voice"), criterion("Warmth")
FIRST, SECOND, THIRD = set_of(DEPTH, TONE), set_of(DEPTH, WARMTH), set_of(TONE, WARMTH)


@pytest.fixture
def line(database: Database) -> Database:
    """A database with three proposed versions of `web`."""
    for made in (FIRST, SECOND, THIRD):
        keep_set(database, made, name="web")
    return database


def approve(database: Database, of: CriteriaSet, who: str = "ann", **more: Any) -> Decision:
    return decide(database, "web", of.version, "approve", "", who, **more)


def reject(database: Database, of: CriteriaSet, who: str = "ann", **more: Any) -> Decision:
    return decide(database, "web", of.version, "reject", "", who, **more)


def standing(database: Database) -> list[str]:
    return [load_set(database, s.version, "web").status for s in (FIRST, SECOND, THIRD)]


class TestStates:
    """What a decision leads to."""

    def test_approving_puts_a_version_in_force_and_the_one_before_aside(self, line: Database) -> None:
        assert approved_set(line, "web") is None
        assert approve(line, FIRST).superseded == ""
        assert approve(line, SECOND).superseded == FIRST.version
        assert standing(line) == ["superseded", "approved", "proposed"]
        assert approved_set(line, "web") == load_set(line, SECOND.version, "web")

    def test_approving_an_older_version_rolls_back(self, line: Database) -> None:
        approve(line, FIRST)
        approve(line, SECOND)
        assert approve(line, FIRST).superseded == SECOND.version
        assert standing(line) == ["approved", "superseded", "proposed"]

    def test_rejecting_the_approved_version_leaves_the_line_without_one(self, line: Database) -> None:
        approve(line, FIRST)
        approve(line, SECOND)
        reject(line, SECOND)
        assert standing(line) == ["superseded", "rejected", "proposed"]
        assert approved_set(line, "web") is None

    def test_a_rejected_version_may_still_be_approved(self, line: Database) -> None:
        reject(line, FIRST)
        approve(line, FIRST)
        assert standing(line)[0] == "approved"

    def test_rejecting_another_version_leaves_the_approved_one_in_force(self, line: Database) -> None:
        approve(line, FIRST)
        reject(line, SECOND)
        assert standing(line) == ["approved", "rejected", "proposed"]

    @pytest.mark.parametrize(
        ("wish", "told"),
        [
            ("approve", "is approved: it can be rejected, not approved"),
            ("reject", "is rejected: it can be approved, not rejected"),
        ],
    )
    def test_what_is_so_already_is_not_decided_again(self, line: Database, wish: Wish, told: str) -> None:
        decide(line, "web", FIRST.version, wish, "", "ann")
        with pytest.raises(Conflict, match=told):
            decide(line, "web", FIRST.version, wish, "", "bo")
        assert len(decisions_of(line, "web")) == 1

    def test_lines_are_decided_about_apart(self, line: Database) -> None:
        keep_set(line, FIRST, name="forum")
        approve(line, FIRST)
        decide(line, "forum", FIRST.version, "reject", "", "bo")
        assert standing(line)[0] == "approved"
        assert [d.number for d in decisions_of(line, "forum")] == [1]


class TestRecord:
    """What stays of a decision."""

    def test_it_tells_what_was_decided_why_by_whom_and_when(self, line: Database) -> None:
        made = decide(line, "web", FIRST.version, "approve", "Reads well.\nHolds on new pairs.", "Ann Lee")
        assert decisions_of(line, "web") == (made,)
        assert (made.number, made.decision, made.who) == (1, "approve", "Ann Lee")
        assert made.note == "Reads well.\nHolds on new pairs."
        assert made.at > 1.7e9

    def test_every_decision_stays_and_is_told_with_its_version(self, line: Database) -> None:
        made = (approve(line, FIRST), approve(line, SECOND), reject(line, SECOND), approve(line, FIRST))
        assert decisions_of(line, "web") == made
        assert [d.superseded for d in made] == ["", FIRST.version, "", ""]
        assert set_details(line, "web", FIRST.version).decisions == (made[0], made[3])

    @pytest.mark.parametrize(
        ("note", "who", "told"),
        [
            ("", "", "who is ''"),
            ("", "a\x00b", "who is"),
            ("x" * 4001, "ann", "4,001 characters"),
            ("a\x00b", "ann", "control characters"),
            ("\ud800", "ann", "cannot be stored"),
        ],
    )
    def test_what_cannot_be_stored_as_it_is_is_refused(self, line: Database, note: str, who: str, told: str) -> None:
        with pytest.raises(InputError, match=told):
            decide(line, "web", FIRST.version, "approve", note, who)
        assert decisions_of(line, "web") == ()

    def test_other_wishes_and_other_versions_are_refused(self, line: Database) -> None:
        wish: Any = "delete"
        with pytest.raises(InputError, match="use approve or reject"):
            decide(line, "web", FIRST.version, wish, "", "ann")
        with pytest.raises(NotThere):
            decide(line, "web", "0" * 12, "approve", "", "ann")
        with pytest.raises(NotThere):
            decide(line, "forum", FIRST.version, "approve", "", "ann")

    def test_a_version_that_was_decided_about_cannot_vanish(self, line: Database) -> None:
        approve(line, FIRST)
        with pytest.raises(IntegrityError), line.write() as connection:
            connection.execute(delete(CriteriaSetRow).where(CriteriaSetRow.version == FIRST.version))

    def test_a_record_cannot_have_two_decisions_of_one_number(self, line: Database) -> None:
        approve(line, FIRST)
        approve(line, SECOND)
        with pytest.raises(IntegrityError), line.write() as connection:
            connection.execute(update(SetDecisionRow).values(number=1))


class TestTogether:
    """Two who decide at once."""

    def test_a_decision_made_while_another_is_being_made_refuses_it(
        self, line: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looks = "services.criteria_sets.deciding.set_details"

        def meanwhile(*place: Any) -> Any:
            monkeypatch.setattr(looks, set_details)
            approve(line, SECOND, "bo")
            return set_details(*place)

        monkeypatch.setattr(looks, meanwhile)
        with pytest.raises(Conflict, match=f"bo chose to approve {SECOND.version}; look at 'web' again"):
            approve(line, FIRST, "ann")
        assert standing(line) == ["proposed", "approved", "proposed"]
        assert [d.who for d in decisions_of(line, "web")] == ["bo"]

    def test_of_several_who_saw_the_same_only_one_decides(self, line: Database) -> None:
        def act(number: int) -> Any:
            of = (FIRST, SECOND, THIRD)[number % 3]
            return lambda own: approve(own, of, f"person-{number}", seen=0).who

        told = at_once(line, [act(number) for number in range(PROCESSES)])
        won = [said for said in told if said.startswith("person-")]
        assert len(won) == 1
        assert sum(said.startswith("Conflict: ") for said in told) == PROCESSES - 1, told
        assert standing(line).count("approved") == 1
        assert [d.who for d in decisions_of(line, "web")] == won

    def test_several_who_decide_blindly_leave_one_approved_and_a_record_without_gaps(self, line: Database) -> None:
        def act(number: int) -> Any:
            of = (FIRST, SECOND, THIRD)[number % 3]
            return lambda own: approve(own, of, f"person-{number}").who

        told = at_once(line, [act(number) for number in range(PROCESSES)])
        made = decisions_of(line, "web")
        assert len(made) == sum(said.startswith("person-") for said in told) >= 1
        assert [d.number for d in made] == list(range(1, len(made) + 1))
        assert standing(line).count("approved") == 1
        assert [d.superseded for d in made[1:]] == [d.version for d in made[:-1]]

    def test_a_decision_on_what_was_seen_is_refused_once_it_is_out_of_date(self, line: Database) -> None:
        approve(line, FIRST, "bo", seen=0)
        with pytest.raises(Conflict, match="since number 0: the last one is number 1, by bo; look again"):
            approve(line, SECOND, seen=0)
        approve(line, SECOND, seen=1)
        with pytest.raises(Conflict, match="since number 7"):
            approve(line, THIRD, seen=7)


class TestWithin:
    """What a caller writes with a decision stands and falls with it."""

    def test_it_is_told_what_was_decided_in_the_same_transaction(self, line: Database) -> None:
        told: list[tuple[Decision, int]] = []

        def note(connection: Connection, made: Decision) -> None:
            told.append((made, connection.execute(select(func.count()).select_from(SetDecisionRow)).scalar_one()))

        made = approve(line, FIRST, within=note)
        assert told == [(made, 1)]

    def test_what_fails_in_it_decides_nothing_and_returns_nothing(self, line: Database) -> None:
        def fail(connection: Connection, made: Decision) -> None:
            raise RuntimeError("the outbox is full")

        with pytest.raises(RuntimeError):
            approve(line, FIRST, within=fail)
        assert (decisions_of(line, "web"), list_entries(line)) == ((), ())


def made_of(steps: list[tuple[str, Wish]]) -> list[Decision]:
    """A record of those of the steps that are allowed in their turn."""
    line: list[Decision] = []
    for version, wish in steps:
        if wish in ALLOWED[status_of(line, version)]:
            line.append(
                Decision(
                    name="x", number=len(line) + 1, version=version, decision=wish, note="", who="ann", at=0.0
                )
            )  # fmt: skip
    return line


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["approve", "reject"])), max_size=14))
def test_whatever_is_decided_at_most_one_version_is_approved_and_every_decision_shows(
    steps: list[tuple[str, Wish]],
) -> None:
    line = made_of(steps)
    found = statuses(line)
    approved = [version for version, status in found.items() if status == "approved"]
    assert approved == ([approved_in(line)] if approved_in(line) else [])
    assert set(found) == {d.version for d in line}
    if line:
        last = line[-1]
        assert found[last.version] == ("approved" if last.decision == "approve" else "rejected")


def test_no_status_is_a_dead_end_and_none_can_be_decided_to_be_itself() -> None:
    ends = {"approve": "approved", "reject": "rejected"}
    assert all(wishes for wishes in ALLOWED.values())
    assert all(ends[wish] != status for status, wishes in ALLOWED.items() for wish in wishes)
