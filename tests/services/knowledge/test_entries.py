"""What may enter the knowledge base, what is told of it, and what people decide about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from knowledge_bench import PROCESSES, SHIPPED, at_once, criterion
from sqlalchemy import func, select

from knowledge_base.criterion import Criterion
from knowledge_base.errors import Conflict, InputError, NotThere
from services.database import Database
from services.datasets import FaultyRows
from services.knowledge.adding import Added, add
from services.knowledge.approving import approve, find_entry, history, withdraw
from services.knowledge.entry import EntryDecision
from services.knowledge.files import add_file, criteria_in
from services.knowledge.listing import count_approved, list_entries, load_entry
from services.knowledge.tables import PriorRow
from services.knowledge.validation import check_criterion

DEPTH = criterion("Depth of thought")
LONG = "Prefer the text whose parts follow one another in an order that helps the reader along"


def added(database: Database, home: Path, of: Criterion = DEPTH, who: str = "ann", note: str = "") -> Added:
    return add(database, home, of, who, note)


def rows(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(PriorRow)).scalar_one())


class TestValidation:
    """A criterion that every later run may meet."""

    @pytest.mark.parametrize(
        "given",
        [
            criterion("In words alone"),
            criterion("By signals", expression="log1p(words) - 0.5 * hedge_rate", margin=0.1),
            criterion("只看是否清楚", "文章的每一步都说明了理由, 并且读者可以自己检查每一步的结论是否正确。"),
            criterion("Several lines", "The first line of it says this.\nThe second\tsays that."),
        ],
        ids=lambda c: c.name,
    )
    def test_what_can_be_shown_and_judged_by_is_fit(self, given: Criterion) -> None:
        check_criterion(given)

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            (criterion("Bound", expression="no_such_signal"), "unknown signal 'no_such_signal'"),
            (criterion("Bound", expression="2 + 2"), "no signal in it"),
            (criterion("Bound", expression="__import__('os')"), "only these functions may be called"),
            (criterion("Bound", expression="words / 0"), "does it divide by 0"),
            (criterion("Bound", expression="words", margin=float("inf")), "margin is inf"),
            (criterion("Two\nlines"), "name holds a line break"),
            (criterion("Bell\x07"), "name holds a character that cannot be stored"),
            (criterion("Null", "A description that holds a null byte: \x00."), "description holds a character"),
            (criterion("Wordy", not_when="x" * 1201), "not_when has 1,201 characters"),
            (
                criterion("Sourced", provenance={"kind": "person", "source": "x" * 501}),
                "provenance.source has 501 characters",
            ),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_what_cannot_is_refused_with_the_remedy(self, given: Criterion, told: str) -> None:
        with pytest.raises(InputError) as refused:
            check_criterion(given)
        assert told in str(refused.value)
        assert "\x00" not in str(refused.value)
        assert all(line.startswith(("'", '"')) for line in str(refused.value).splitlines()), (
            "nothing of it breaks a line"
        )

    def test_every_fault_is_told(self) -> None:
        with pytest.raises(InputError) as refused:
            check_criterion(criterion("Bound", not_when="x" * 2000, expression="nothing"))
        assert len(str(refused.value).splitlines()) == 2


class TestAdding:
    """Proposals."""

    def test_what_is_added_is_proposed_and_comes_back_as_it_was(self, database: Database, tmp_path: Path) -> None:
        entry = added(database, tmp_path, note="asked for by the editors").entry
        assert (entry.criterion, entry.status, entry.source, entry.who) == (DEPTH, "proposed", "person", "ann")
        assert (entry.note, entry.evidence, history(database, entry.digest)) == ("asked for by the editors", (), ())
        assert load_entry(database, entry.digest) == entry
        assert entry.at > 1.7e9

    def test_a_copy_with_other_content_enters_under_its_own_hash(self, database: Database, tmp_path: Path) -> None:
        known = DEPTH.hash
        copied = added(database, tmp_path, DEPTH.model_copy(update={"name": "Depth of feeling"})).entry
        assert copied.criterion.hash != known
        assert added(database, tmp_path).entry.criterion.hash == known

    def test_a_faulty_criterion_is_not_added(self, database: Database, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="unknown signal"):
            added(database, tmp_path, criterion("Bound", expression="nothing"))
        with pytest.raises(InputError, match="who is"):
            added(database, tmp_path, who="")
        assert rows(database) == 0

    def test_the_same_content_stands_once_whatever_its_provenance(self, database: Database, tmp_path: Path) -> None:
        digest = added(database, tmp_path).entry.digest
        other = DEPTH.model_copy(update={"domains": {"code": 3}})
        for again in (DEPTH, other):
            with pytest.raises(Conflict, match=f"proposed, since ann added it; .* approve {digest[:12]}"):
                added(database, tmp_path, again, "bo")
        approve(database, digest, "cy")
        with pytest.raises(Conflict, match="approved, since ann added it; there is no need"):
            added(database, tmp_path, other)
        assert rows(database) == 1

    def test_what_the_catalogue_holds_is_not_added(self, database: Database, tmp_path: Path) -> None:
        with pytest.raises(Conflict, match="stands in the catalogue"):
            added(database, tmp_path, SHIPPED[0])

    def test_what_was_withdrawn_is_taken_up_again_rather_than_added(self, database: Database, tmp_path: Path) -> None:
        digest = added(database, tmp_path).entry.digest
        withdraw(database, digest, "bo")
        with pytest.raises(Conflict, match=f"withdrawn, .*approve {digest[:12]}` takes it up again"):
            added(database, tmp_path)

    def test_a_withdrawn_content_may_come_back_with_another_provenance(
        self, database: Database, tmp_path: Path
    ) -> None:
        old = added(database, tmp_path).entry.digest
        withdraw(database, old, "bo", "wrong source")
        mended = added(database, tmp_path, DEPTH.model_copy(update={"domains": {"web": 1}})).entry
        approve(database, mended.digest, "bo")
        with pytest.raises(Conflict, match="another entry holds the same content"):
            approve(database, old, "cy")
        assert load_entry(database, old).status == "withdrawn"

    def test_what_means_the_same_is_told_the_closest_first(self, database: Database, tmp_path: Path) -> None:
        first = added(database, tmp_path, criterion("Clear order", f"{LONG}.")).entry.criterion
        second = added(database, tmp_path, criterion("Clear order now", f"{LONG}."))
        assert [a.hash for a in second.alike] == [first.hash]
        third = added(database, tmp_path, criterion("Clear order", f"{LONG}, always."))
        assert {a.name for a in third.alike} == {"Clear order", "Clear order now"}
        cosines = [a.similarity for a in third.alike]
        assert cosines == sorted(cosines, reverse=True)
        assert all(0.92 <= cosine <= 1 for cosine in cosines)

    def test_what_is_new_by_meaning_resembles_nothing(self, database: Database, tmp_path: Path) -> None:
        assert added(database, tmp_path).alike == ()

    def test_a_likeness_to_the_catalogue_is_told_too(self, database: Database, tmp_path: Path) -> None:
        near = criterion("Plain language!", SHIPPED[2].description)
        assert [a.name for a in added(database, tmp_path, near).alike] == ["Plain language"]

    def test_processes_that_add_one_content_at_once_add_it_once(self, database: Database, tmp_path: Path) -> None:
        def act(number: int) -> Any:
            body = DEPTH.model_copy(update={"domains": {"web": 1 + number % 3}})
            return lambda own: add(own, tmp_path, body, f"person-{number}").entry.who

        told = at_once(database, [act(number) for number in range(PROCESSES)])
        assert sum(said.startswith("person-") for said in told) == 1, told
        assert sum(said.startswith("Conflict: ") for said in told) == PROCESSES - 1, told
        assert rows(database) == 1


class TestDeciding:
    """What people decide about entries."""

    def test_decisions_lead_to_a_status_and_stay_on_record(self, database: Database, tmp_path: Path) -> None:
        digest = added(database, tmp_path).entry.digest
        made = (
            approve(database, digest, "bo", "good"), withdraw(database, digest, "cy", "too vague"),
            approve(database, digest, "bo", "on second thoughts"),
        )  # fmt: skip
        assert history(database, digest) == made
        assert [(d.number, d.decision, d.note) for d in made] == [
            (1, "approve", "good"), (2, "withdraw", "too vague"), (3, "approve", "on second thoughts"),
        ]  # fmt: skip
        assert load_entry(database, digest).status == "approved"

    def test_a_proposal_may_be_withdrawn(self, database: Database, tmp_path: Path) -> None:
        digest = added(database, tmp_path).entry.digest
        withdraw(database, digest, "bo")
        assert load_entry(database, digest).status == "withdrawn"

    @pytest.mark.parametrize(("act", "status"), [(approve, "approved"), (withdraw, "withdrawn")])
    def test_what_is_so_already_is_not_decided_again(
        self, database: Database, tmp_path: Path, act: Any, status: str
    ) -> None:
        digest = added(database, tmp_path).entry.digest
        act(database, digest, "bo")
        with pytest.raises(Conflict, match=f"is {status} already"):
            act(database, digest, "cy")
        assert len(history(database, digest)) == 1

    def test_an_entry_that_is_not_there_cannot_be_decided_about(self, database: Database) -> None:
        with pytest.raises(NotThere, match="has no entry"):
            approve(database, "0" * 64, "bo")

    def test_nobody_decides_nothing(self, database: Database, tmp_path: Path) -> None:
        digest = added(database, tmp_path).entry.digest
        with pytest.raises(InputError, match="who is ''"):
            approve(database, digest, "")
        with pytest.raises(InputError, match="shorten it"):
            approve(database, digest, "bo", "x" * 5000)
        assert load_entry(database, digest).status == "proposed"

    def test_of_several_who_decide_at_once_each_decision_stands_or_is_refused(
        self, database: Database, tmp_path: Path
    ) -> None:
        digest = added(database, tmp_path).entry.digest

        def act(number: int) -> Any:
            decide = approve if number % 2 else withdraw
            return lambda own: decide(own, digest, f"person-{number}").who

        told = at_once(database, [act(number) for number in range(PROCESSES)])
        made: tuple[EntryDecision, ...] = history(database, digest)
        assert made
        assert {d.who for d in made} == {s for s in told if s.startswith("person-")}
        assert all(said.startswith(("person-", "Conflict: ")) for said in told), told
        assert [d.number for d in made] == list(range(1, len(made) + 1))
        ends = {"approve": "approved", "withdraw": "withdrawn"}
        assert load_entry(database, digest).status == ends[made[-1].decision]


class TestFinding:
    """Lists, and what a person means."""

    def test_pages_hold_every_entry_once_newest_first(self, database: Database, tmp_path: Path) -> None:
        made = [added(database, tmp_path, criterion(f"Quality number {i}")).entry.digest for i in range(5)]
        seen, after = list[str](), ""
        while page := list_entries(database, after=after, limit=2):
            seen += [e.digest for e in page]
            after = seen[-1]
            added(database, tmp_path, criterion(f"Later than {len(seen)}"))
        assert seen == made[::-1]

    def test_a_status_lists_only_its_own(self, database: Database, tmp_path: Path) -> None:
        first, second = (added(database, tmp_path, criterion(name)).entry for name in ("Quality one", "Quality two"))
        approve(database, first.digest, "bo")
        assert [e.digest for e in list_entries(database, "approved")] == [first.digest]
        assert [e.digest for e in list_entries(database, "proposed")] == [second.digest]
        assert list_entries(database, "withdrawn") == ()
        assert count_approved(database) == 1

    def test_pages_have_a_size_and_a_place(self, database: Database) -> None:
        with pytest.raises(InputError, match="limit is 0"):
            list_entries(database, limit=0)
        with pytest.raises(NotThere, match="start with the first page"):
            list_entries(database, after="f" * 64)

    def test_an_entry_is_meant_by_its_first_digits_or_its_name(self, database: Database, tmp_path: Path) -> None:
        entry = added(database, tmp_path).entry
        for given in (entry.digest, entry.digest[:6], entry.criterion.hash, "depth OF thought "):
            assert find_entry(database, given) == entry

    @pytest.mark.parametrize("given", ["depth", "ffffff", "%", "______", ""])
    def test_what_names_nothing_is_told(self, database: Database, tmp_path: Path, given: str) -> None:
        added(database, tmp_path)
        with pytest.raises(NotThere, match="touchstone knowledge list"):
            find_entry(database, given)

    def test_what_names_several_is_told_with_all_of_them(self, database: Database, tmp_path: Path) -> None:
        for other in (DEPTH, criterion("Depth of thought", "Another description of what is looked for.")):
            added(database, tmp_path, other)
        with pytest.raises(InputError, match=r"several entries: \w{12} \(proposed\), \w{12} \(proposed\)"):
            find_entry(database, "Depth of thought")


CATALOGUE_FORM = """\
- name: Depth of thought
  description: Prefer the text that thinks the matter through, and further than one line.
  provenance: {kind: person, source: Our editors}
- name: Length
  description: Prefer the longer of the two texts, all else being equal.
  provenance: {kind: person, source: Our editors}
  expression: EXPRESSION
"""


class TestFiles:
    """Criteria of a YAML file."""

    def file(self, folder: Path, text: str) -> Path:
        path = folder / "ours.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    def test_a_list_in_the_form_of_the_catalogue_is_added(self, database: Database, tmp_path: Path) -> None:
        path = self.file(tmp_path, CATALOGUE_FORM.replace("EXPRESSION", "log1p(words)"))
        done = add_file(database, tmp_path, path, "ann", "ours")
        assert [a.entry.criterion.name for a in done.added] == ["Depth of thought", "Length"]
        assert {a.entry.note for a in done.added} == {"ours"}
        again = add_file(database, tmp_path, path, "ann")
        assert (again.added, len(again.left_out)) == ((), 2)

    def test_a_criteria_file_is_added(self, database: Database, tmp_path: Path) -> None:
        path = self.file(tmp_path, "touchstone: criteria/1\ncriteria:\n" + CATALOGUE_FORM.split("- name: Length")[0])
        assert [a.entry.criterion.name for a in add_file(database, tmp_path, path, "ann").added] == ["Depth of thought"]

    def test_faults_are_told_with_their_lines_and_nothing_is_added(self, database: Database, tmp_path: Path) -> None:
        text = CATALOGUE_FORM.replace("description: Prefer the longer", "descripton: Prefer the longer")
        with pytest.raises(FaultyRows) as refused:
            add_file(database, tmp_path, self.file(tmp_path, text), "ann")
        assert 'ours.yaml:4: "2.description" is missing; add it' in str(refused.value)
        assert 'ours.yaml:5: "2.descripton"' in str(refused.value)
        with pytest.raises(InputError, match=r"ours\.yaml: 'Length': expression .*unknown signal"):
            add_file(database, tmp_path, self.file(tmp_path, CATALOGUE_FORM), "ann")
        assert rows(database) == 0

    @pytest.mark.parametrize("text", ["", "just words", "- 1\n- 2\n", "[", "- *alias\n"])
    def test_what_is_no_such_file_is_refused(self, tmp_path: Path, text: str) -> None:
        with pytest.raises(InputError):
            criteria_in(self.file(tmp_path, text))
