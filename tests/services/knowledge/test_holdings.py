"""What managers draw on: the same for all who look at the same entries, and what it was when a run began."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from knowledge_bench import SHIPPED, at_once, criterion, light_knowledge, set_of
from letter_parties import LetterParties
from sqlalchemy import func, select, update

import services.knowledge.holdings
from agents.criteria_set import CriteriaSet
from agents.manager import Brief
from knowledge_base.criterion import Criterion
from knowledge_base.entries import criteria_digest
from knowledge_base.errors import InputError, IntegrityError
from knowledge_base.index import Index
from services.criteria_sets.deciding import decide
from services.criteria_sets.keeping import keep_set
from services.database import Database
from services.knowledge.adding import add, digest_of
from services.knowledge.approving import approve, find_entry, withdraw
from services.knowledge.holdings import Library, knowledge
from services.knowledge.searching import search
from services.knowledge.tables import KnowledgeRow
from services.parties import EmbeddedParties, manager_for
from services.settings import load_settings
from services.tables import CriterionRow

LONG = "Prefer the text whose parts follow one another in an order that helps the reader along"
DEPTH, TONE = criterion("Depth of thought"), criterion("Tone of voice")


def enter(database: Database, home: Path, *criteria: Criterion) -> None:
    for each in criteria:
        approve(database, add(database, home, each, "ann").entry.digest, "bo")


def approve_set(database: Database, made: CriteriaSet) -> None:
    keep_set(database, made, name="web")
    decide(database, "web", made.version, "approve", "", "ann")


def names(index: Index) -> set[str]:
    return {c.name for c in index.criteria}


def same(one: Index, other: Index) -> bool:
    return one.criteria == other.criteria and np.array_equal(one.vectors, other.vectors)


SHIPPED_NAMES = {c.name for c in SHIPPED}


class TestMembers:
    """Catalogue and approved entries."""

    def test_with_nothing_added_it_is_the_catalogue(self, database: Database, tmp_path: Path) -> None:
        assert same(knowledge(database, tmp_path), Index.build(SHIPPED))

    def test_an_entry_is_in_it_while_it_is_approved(self, database: Database, tmp_path: Path) -> None:
        digest = add(database, tmp_path, DEPTH, "ann").entry.digest
        assert names(knowledge(database, tmp_path)) == SHIPPED_NAMES
        approve(database, digest, "bo")
        assert names(knowledge(database, tmp_path)) == SHIPPED_NAMES | {"Depth of thought"}
        withdraw(database, digest, "bo")
        assert names(knowledge(database, tmp_path)) == SHIPPED_NAMES
        approve(database, digest, "bo")
        assert names(knowledge(database, tmp_path)) == SHIPPED_NAMES | {"Depth of thought"}

    def test_it_is_the_same_for_whoever_looks_and_in_whatever_order_entries_came(
        self, database: Database, tmp_path: Path
    ) -> None:
        enter(database, tmp_path, DEPTH, TONE)
        first = knowledge(database, tmp_path / "one")
        assert same(first, knowledge(database, tmp_path / "two"))
        assert same(first, Index.build([TONE, *SHIPPED, DEPTH]))

    def test_processes_see_the_same_base(self, database: Database, tmp_path: Path) -> None:
        enter(database, tmp_path, DEPTH)

        def look(own: Database) -> str:
            return criteria_digest(Library(own, tmp_path).current().criteria)

        assert set(at_once(database, [look] * 4)) == {criteria_digest([*SHIPPED, DEPTH])}

    def test_criteria_of_an_approved_set_are_in_it(self, database: Database, tmp_path: Path) -> None:
        approve_set(database, set_of(DEPTH, SHIPPED[0]))
        assert names(knowledge(database, tmp_path)) == SHIPPED_NAMES | {"Depth of thought"}


class TestCopies:
    """A refresh that rewords does not fill the base with copies."""

    first, second = criterion("Clear order", f"{LONG}."), criterion("Clear order", f"{LONG}, always.")

    def test_of_two_that_say_the_same_the_earlier_stays(self, database: Database, tmp_path: Path) -> None:
        approve_set(database, set_of(self.first))
        approve_set(database, set_of(self.second))
        found = [c.hash for c in knowledge(database, tmp_path).criteria if c.name == "Clear order"]
        assert found == [self.first.hash]

    def test_when_the_earlier_is_withdrawn_the_later_takes_its_place(self, database: Database, tmp_path: Path) -> None:
        approve_set(database, set_of(self.first))
        approve_set(database, set_of(self.second))
        withdraw(database, digest_of(self.first), "bo")
        found = [c.hash for c in knowledge(database, tmp_path).criteria if c.name == "Clear order"]
        assert found == [self.second.hash]

    def test_a_copy_of_what_the_catalogue_holds_is_left_out(self, database: Database, tmp_path: Path) -> None:
        approve_set(database, set_of(criterion("Plain language!", SHIPPED[2].description)))
        assert names(knowledge(database, tmp_path)) == SHIPPED_NAMES

    def test_what_is_judged_in_another_way_is_no_copy(self, database: Database, tmp_path: Path) -> None:
        bound = criterion("Clear order", f"{LONG}.", expression="log1p(list_item_count)")
        turned = criterion("Clear order", f"{LONG}.", expression="log1p(list_item_count)", direction="lower")
        approve_set(database, set_of(self.first, bound, turned))
        found = {c.hash for c in knowledge(database, tmp_path).criteria if c.name == "Clear order"}
        assert found == {self.first.hash, bound.hash, turned.hash}

    def test_what_a_person_chose_is_never_left_out(self, database: Database, tmp_path: Path) -> None:
        approve_set(database, set_of(self.first))
        enter(database, tmp_path, self.second)
        found = {c.hash for c in knowledge(database, tmp_path).criteria if c.name == "Clear order"}
        assert found == {self.second.hash}, "what came with a set gives way to what was chosen"

    def test_approving_by_hand_what_a_set_brought_makes_it_a_choice(self, database: Database, tmp_path: Path) -> None:
        approve_set(database, set_of(self.first))
        approve_set(database, set_of(self.second))
        withdraw(database, digest_of(self.second), "bo")
        approve(database, digest_of(self.second), "bo")
        found = {c.hash for c in knowledge(database, tmp_path).criteria if c.name == "Clear order"}
        assert found == {self.second.hash}


class TestCost:
    """What an approval costs."""

    def test_only_new_words_are_embedded(self, database: Database, tmp_path: Path, embedded: list[str]) -> None:
        knowledge(database, tmp_path)
        digest = add(database, tmp_path, DEPTH, "ann").entry.digest
        embedded.clear()
        approve(database, digest, "bo")
        assert embedded == []
        knowledge(database, tmp_path)
        assert embedded == [DEPTH.words]
        embedded.clear()
        knowledge(database, tmp_path)
        assert embedded == [], "the folder has them"

    def test_a_library_builds_anew_only_when_something_was_decided(
        self, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        library = Library(database, tmp_path)
        first = library.current()
        digest = add(database, tmp_path, DEPTH, "ann").entry.digest
        assert library.current() is first
        approve(database, digest, "bo")
        second = library.current()
        assert second is not first
        assert library.current() is second

    def test_a_folder_that_cannot_be_written_costs_time_and_nothing_else(
        self, database: Database, tmp_path: Path
    ) -> None:
        (tmp_path / "index").write_text("in the way")
        assert names(knowledge(database, tmp_path)) == SHIPPED_NAMES


class TestPinned:
    """The base that a run began with."""

    def fingerprint(self, index: Index) -> str:
        return f"chat-manager/openai:m 0123456789ab/en/ffffffffffff/{criteria_digest(index.criteria)[:12]} x 0.4"

    def test_a_fingerprint_names_the_base_it_was_made_with(self, database: Database, tmp_path: Path) -> None:
        library = Library(database, tmp_path)
        began = library.current()
        named = self.fingerprint(began)
        assert library.named_in(named) is began
        enter(database, tmp_path, DEPTH)
        found = library.named_in(named)
        assert found is not None
        assert same(found, began)
        assert library.named_in(named) is found, "kept ready"
        assert names(library.current()) == SHIPPED_NAMES | {"Depth of thought"}

    def test_another_process_restores_it_to_the_bit(self, database: Database, tmp_path: Path) -> None:
        enter(database, tmp_path, DEPTH, TONE)
        began = knowledge(database, tmp_path)
        withdraw(database, digest_of(DEPTH), "bo")
        found = Library(database, tmp_path / "elsewhere").named_in(self.fingerprint(began))
        assert found is not None
        assert same(found, began)

    def test_it_outlives_a_catalogue_that_changes_with_the_program(self, database: Database, tmp_path: Path) -> None:
        began = knowledge(database, tmp_path)
        with pytest.MonkeyPatch.context() as patch, light_knowledge(patch, SHIPPED[:2]):
            library = Library(database, tmp_path)
            assert len(library.current().criteria) == 2
            found = library.named_in(self.fingerprint(began))
            assert found is not None
            assert same(found, began)

    @pytest.mark.parametrize("fingerprint", ["", "letters/1", "statistical/0123456789ab/ba9876543210", "x" * 64])
    def test_a_fingerprint_that_names_no_base_gives_none(
        self, database: Database, tmp_path: Path, fingerprint: str
    ) -> None:
        library = Library(database, tmp_path)
        library.current()
        assert library.named_in(fingerprint) is None

    def test_digits_inside_a_longer_number_name_nothing(self, database: Database, tmp_path: Path) -> None:
        library = Library(database, tmp_path)
        short = criteria_digest(library.current().criteria)[:12]
        assert library.named_in(f"statistical/{short}") is library.current()
        assert library.named_in(f"statistical/{short}0") is None

    def test_a_base_that_is_not_as_it_was_is_refused_with_the_remedy(self, database: Database, tmp_path: Path) -> None:
        enter(database, tmp_path, DEPTH)
        began = knowledge(database, tmp_path)
        withdraw(database, digest_of(DEPTH), "bo")
        with database.write() as connection:
            other = update(CriterionRow).where(CriterionRow.hash == DEPTH.hash)
            connection.execute(other.values(body=TONE.model_dump_json()))
        with pytest.raises(IntegrityError, match=r"not in the database as it was.* start a new run"):
            Library(database, tmp_path).named_in(self.fingerprint(began))

    def test_a_base_is_on_record_once(self, database: Database, tmp_path: Path) -> None:
        for folder in ("one", "two", "one"):
            knowledge(database, tmp_path / folder)
        with database.read() as connection:
            assert connection.execute(select(func.count()).select_from(KnowledgeRow)).scalar_one() == 1

    def test_a_process_keeps_only_a_few_of_them(self, database: Database, tmp_path: Path) -> None:
        library, most = Library(database, tmp_path), services.knowledge.holdings.REMEMBERED
        began = []
        for number in range(most + 3):
            began.append(library.current())
            enter(database, tmp_path, criterion(f"Quality number {number}"))
        for index in began:
            found = library.named_in(self.fingerprint(index))
            assert found is not None
            assert same(found, index)
        assert len(library._earlier) == most


class TestManagers:
    """Managers draw on it."""

    @pytest.fixture
    def parties(self, place: Path, database: Database) -> EmbeddedParties:
        return EmbeddedParties(load_settings(), database)

    def home(self, parties: EmbeddedParties) -> Path:
        return parties.settings.home

    def base(self, manager: Any) -> set[str]:
        found: Sequence[Criterion] = manager.base(Brief((), "", "answers", 0))
        return {c.name for c in found}

    def programmatic(self, name: str) -> Criterion:
        return criterion(name, expression="log1p(words)")

    def test_a_new_manager_knows_what_was_approved_and_has_another_name(self, parties: EmbeddedParties) -> None:
        before = parties.manager()
        assert parties.manager() is before
        enter(parties.database, self.home(parties), self.programmatic("Length of it"))
        after = parties.manager()
        assert after.fingerprint != before.fingerprint
        assert self.base(after) == {"Length of it"}
        assert self.base(before) == set()

    def test_a_run_goes_on_with_the_base_it_began_with(self, parties: EmbeddedParties, database: Database) -> None:
        began = parties.manager()
        enter(database, self.home(parties), self.programmatic("Length of it"))
        later = parties.manager()
        assert manager_for(parties, began.fingerprint).fingerprint == began.fingerprint
        assert manager_for(parties, later.fingerprint) is later
        elsewhere = EmbeddedParties(parties.settings, database)
        again = manager_for(elsewhere, began.fingerprint)
        assert (again.fingerprint, self.base(again)) == (began.fingerprint, set())
        assert manager_for(elsewhere, began.fingerprint) is again, "with all that it has measured"

    def test_a_manager_of_no_known_base_is_todays(self, parties: EmbeddedParties) -> None:
        assert manager_for(parties, "another/1") is parties.manager()

    def test_parties_without_a_knowledge_base_have_one_manager(self) -> None:
        assert manager_for(LetterParties(), "statistical/0123456789ab/ba9876543210").fingerprint == "letters/1"


class TestSearching:
    """By meaning."""

    def test_the_nearest_come_first_with_where_they_are_from_and_what_is_known_of_them(
        self, database: Database, tmp_path: Path
    ) -> None:
        approve_set(database, set_of(DEPTH, SHIPPED[0]))
        first, *others = search(database, tmp_path, DEPTH.words, n=3)
        assert (first.criterion, first.origin, first.relevance) == (DEPTH, "entry", 1.0)
        assert [e.name for e in first.evidence] == ["web"]
        assert [f.relevance for f in others] == sorted((f.relevance for f in others), reverse=True)
        (shipped,) = search(database, tmp_path, SHIPPED[0].words, n=1)
        assert (shipped.origin, shipped.evidence[0].version) == ("catalogue", first.evidence[0].version)

    def test_a_domain_lifts_what_matters_there(self, database: Database, tmp_path: Path) -> None:
        plain, lifted = (search(database, tmp_path, "reasons", domain, 1)[0] for domain in (None, "answers"))
        assert lifted.relevance == pytest.approx(plain.relevance + 0.1, abs=2e-4)

    def test_what_is_not_approved_is_not_found(self, database: Database, tmp_path: Path) -> None:
        add(database, tmp_path, DEPTH, "ann")
        assert DEPTH.hash not in {f.criterion.hash for f in search(database, tmp_path, DEPTH.words, n=100)}
        assert find_entry(database, "Depth of thought").status == "proposed"

    @pytest.mark.parametrize(
        ("text", "n", "told"), [("", 5, "search text"), (" ", 5, "search"), ("x" * 2001, 5, "2,001")]
    )
    def test_what_cannot_be_searched_for_is_refused(
        self, database: Database, tmp_path: Path, text: str, n: int, told: str
    ) -> None:
        with pytest.raises(InputError, match=told):
            search(database, tmp_path, text, n=n)

    @pytest.mark.parametrize("n", [0, 101])
    def test_a_number_of_results_out_of_range_is_refused(self, database: Database, tmp_path: Path, n: int) -> None:
        with pytest.raises(InputError, match=f"n is {n}"):
            search(database, tmp_path, "reasons", n=n)
