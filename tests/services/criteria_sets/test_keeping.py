"""A set is kept once, under its name and version, with what speaks for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from knowledge_bench import LINEAGE, at_once, criterion, set_of
from report_cases import sealed_result
from sqlalchemy import Connection, func, insert, select
from workbench import bench, finish, new_run

from knowledge_base.errors import InputError, NotThere
from services.criteria_file import criteria_yaml
from services.criteria_sets.deciding import decide
from services.criteria_sets.keeping import keep_set
from services.criteria_sets.proposing import propose_file
from services.criteria_sets.reading import approved_set, cursor_of, list_sets, load_set, set_details
from services.criteria_sets.tables import CriteriaSetRow
from services.database import Database
from services.datasets import FaultyRows
from services.result_reading import result_of
from services.run_config import RunConfig
from services.run_result import RunResult
from services.tables import MeasurementRow

FIRST, SECOND = set_of(criterion("Depth"), criterion("Tone")), set_of(criterion("Depth"), criterion("Warmth"))


def held_out_by(holdout: str, **fields: object) -> RunResult:
    """A run's result, as if other pairs had been held out."""
    result = sealed_result()
    return result.model_copy(update={"facts": result.facts.model_copy(update={"holdout": holdout}), **fields})


def rows(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(CriteriaSetRow)).scalar_one())


def test_a_kept_set_is_proposed_and_comes_back_as_it_was(database: Database) -> None:
    kept = keep_set(database, FIRST, name="web-quality", dataset="d1", run="r1", parent="p1")
    assert load_set(database, FIRST.version, "web-quality") == kept
    assert kept.criteria_set == FIRST
    assert (kept.name, kept.version, kept.status) == ("web-quality", FIRST.version, "proposed")
    assert (kept.dataset, kept.run, kept.parent) == ("d1", "r1", "p1")
    assert kept.created_at > 1.7e9


def test_dataset_and_parent_are_the_lineages_unless_given(database: Database) -> None:
    kept = keep_set(database, set_of(criterion("Depth"), parent="abcdef012345"), name="web")
    assert (kept.dataset, kept.run, kept.parent) == (LINEAGE.dataset, "", "abcdef012345")


def test_a_copy_with_other_content_is_kept_under_its_own_version(database: Database) -> None:
    known = FIRST.version
    changed = FIRST.model_copy(update={"members": FIRST.members[1:]})
    assert keep_set(database, changed, name="web").version != known
    assert keep_set(database, FIRST, name="web").version == known


def test_keeping_again_changes_nothing(database: Database) -> None:
    first = keep_set(database, FIRST, name="web", run="r1", why={"Depth": "first"})
    decide(database, "web", FIRST.version, "approve", "", "ann")
    again = keep_set(database, FIRST, name="web", run="r2", why={"Depth": "second"})
    assert again == first.model_copy(update={"status": "approved"})
    assert set_details(database, "web", FIRST.version).reasons.why == {"Depth": "first"}
    assert rows(database) == 1


def test_the_same_set_may_stand_in_several_lines_with_a_status_in_each(database: Database) -> None:
    for name in ("web", "forum"):
        keep_set(database, FIRST, name=name)
    decide(database, "forum", FIRST.version, "approve", "", "ann")
    assert [load_set(database, FIRST.version, n).status for n in ("web", "forum")] == ["proposed", "approved"]
    unnamed = load_set(database, FIRST.version)
    assert (unnamed.name, unnamed.criteria_set) == ("web", FIRST), "the line that kept it first"


@pytest.mark.parametrize(
    "name", ["", "web quality", "-web", "web/quality", "web@1", "x" * 65, "wéb", "web\n", "../etc"]
)
def test_a_name_that_could_not_stand_in_an_address_is_refused(database: Database, name: str) -> None:
    with pytest.raises(InputError, match="use 1 to 64 letters"):
        keep_set(database, FIRST, name=name)
    assert rows(database) == 0


@pytest.mark.parametrize(("version", "name"), [("nothing", ""), (FIRST.version, "forum"), ("", "")])
def test_what_is_not_there_is_told_with_the_remedy(database: Database, version: str, name: str) -> None:
    keep_set(database, FIRST, name="web")
    with pytest.raises(NotThere, match="touchstone sets list"):
        load_set(database, version, name)
    assert approved_set(database, "forum") is None


def test_processes_that_keep_one_set_at_once_keep_it_once(database: Database) -> None:
    def keep(own: Database) -> str:
        return keep_set(own, FIRST, name="web", who="").version

    assert at_once(database, [keep] * 4) == [FIRST.version] * 4
    assert rows(database) == 1


class TestWithin:
    """What a caller writes with a set stands and falls with it."""

    def write(self, connection: Connection) -> None:
        connection.execute(insert(MeasurementRow).values(version="1", text="t", name="n", value=1.0))

    def count(self, database: Database) -> int:
        with database.read() as connection:
            return int(connection.execute(select(func.count()).select_from(MeasurementRow)).scalar_one())

    def test_it_is_written_once_however_often_the_set_is_kept(self, database: Database) -> None:
        for _ in range(3):
            keep_set(database, FIRST, name="web", within=self.write)
        assert self.count(database) == 1

    def test_what_fails_in_it_keeps_no_set(self, database: Database) -> None:
        def fail(connection: Connection) -> None:
            self.write(connection)
            raise RuntimeError("the outbox is full")

        with pytest.raises(RuntimeError):
            keep_set(database, FIRST, name="web", within=fail)
        assert (rows(database), self.count(database)) == (0, 0)


class TestPages:
    """Lists of versions."""

    def test_every_version_is_listed_once_newest_first_whatever_the_page_and_what_comes_in(
        self, database: Database
    ) -> None:
        sets = [set_of(criterion(f"Quality {i}")) for i in range(7)]
        for made in sets:
            keep_set(database, made, name="web")
        seen, after = [], ""
        while page := list_sets(database, "web", after, limit=3):
            seen += [s.version for s in page]
            after = cursor_of(page[-1])
            keep_set(database, set_of(criterion(f"Came in later {len(seen)}")), name="web")
        assert seen == [made.version for made in reversed(sets)]

    def test_versions_of_one_moment_are_all_listed(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("services.criteria_sets.keeping.time.time", lambda: 1e9)
        kept = {
            cursor_of(keep_set(database, set_of(criterion(f"Quality {i}")), name=name))
            for i in range(3)
            for name in ("a", "b")
        }
        seen, after = list[str](), ""
        while page := list_sets(database, after=after, limit=2):
            seen += map(cursor_of, page)
            after = seen[-1]
        assert sorted(seen) == sorted(kept)

    def test_a_line_lists_only_its_own_with_their_status(self, database: Database) -> None:
        keep_set(database, FIRST, name="web")
        keep_set(database, SECOND, name="forum")
        decide(database, "web", FIRST.version, "reject", "", "ann")
        assert [(s.name, s.status) for s in list_sets(database, "web")] == [("web", "rejected")]
        assert [(s.name, s.status) for s in list_sets(database)] == [("forum", "proposed"), ("web", "rejected")]
        assert list_sets(database, "nothing") == ()

    @pytest.mark.parametrize("limit", [0, -1, 1001])
    def test_a_page_has_a_size(self, database: Database, limit: int) -> None:
        with pytest.raises(InputError, match=f"limit is {limit}"):
            list_sets(database, limit=limit)

    @pytest.mark.parametrize("after", ["web@gone", "nothing", "@"])
    def test_a_cursor_that_stands_nowhere_is_refused(self, database: Database, after: str) -> None:
        with pytest.raises(NotThere, match="start with the first page"):
            list_sets(database, after=after)


class TestEvidence:
    """What speaks for a set, out of a run."""

    def test_a_set_carries_the_held_out_figures_of_the_run_that_gave_it(self, database: Database) -> None:
        result = sealed_result()
        keep_set(database, result.criteria_set, name="letters", run=result.run, result=result)
        details = set_details(database, "letters", result.criteria_set.version)
        found = details.evidence
        assert found is not None
        assert (found.run, found.holdout, found.judge, found.policy) == (result.run, "sealed", "letters/1", "robust")
        assert found.weighted == result.held_out_weighted
        assert found.weighted is not None
        assert found.weighted.low <= found.weighted.accuracy <= found.weighted.high
        assert (found.majority, found.mining) == (result.held_out_majority, result.mining_weighted)
        assert found.criteria == result.held_out_assessments
        hashes = {e.criterion for r in result.rounds for e in r.entries}
        assert set(details.reasons.why) == hashes

    def test_a_crossfit_has_figures_of_the_vote_and_none_of_criteria(self, database: Database) -> None:
        result = held_out_by("crossfit", held_out_assessments=())
        keep_set(database, result.criteria_set, name="letters", result=result)
        found = set_details(database, "letters", result.criteria_set.version).evidence
        assert found is not None
        assert (found.holdout, found.criteria) == ("crossfit", ())
        assert found.weighted is not None

    def test_where_nothing_was_held_out_no_figure_is_made_up(self, database: Database) -> None:
        result = held_out_by("none", held_out_weighted=None, held_out_majority=None, held_out_assessments=())
        keep_set(database, result.criteria_set, name="letters", result=result)
        found = set_details(database, "letters", result.criteria_set.version).evidence
        assert found is not None
        assert (found.holdout, found.weighted, found.majority) == ("none", None, None)

    def test_a_run_that_is_finished_here_is_asked_for_its_result(self, place: Path) -> None:
        with bench(place) as deployment:
            run = new_run(deployment.database, config=RunConfig(policy="paper", size=3, rounds=1, minimum=10))
            finish(deployment, run)
            result = result_of(deployment.database, run)
            keep_set(deployment.database, result.criteria_set, name="letters", run=run)
            evidence = set_details(deployment.database, "letters", result.criteria_set.version).evidence
        assert evidence is not None
        assert (evidence.run, evidence.weighted) == (run, result.held_out_weighted)

    def test_a_lineage_that_names_a_parent_is_no_other_set(self, database: Database) -> None:
        result = sealed_result()
        lineage = result.criteria_set.lineage.model_copy(update={"parent": "0" * 12})
        refreshed = result.criteria_set.model_copy(update={"lineage": lineage})
        kept = keep_set(database, refreshed, name="letters", result=result)
        assert (kept.version != result.criteria_set.version, kept.parent) == (True, "0" * 12)
        assert set_details(database, "letters", kept.version).evidence is not None

    def test_a_set_that_was_edited_has_the_reasons_of_its_run_but_not_its_figures(self, database: Database) -> None:
        result = sealed_result()
        edited = result.criteria_set.model_copy(update={"members": result.criteria_set.members[1:]})
        kept = keep_set(database, edited, name="letters", result=result)
        details = set_details(database, "letters", kept.version)
        assert details.evidence is None
        assert details.reasons.why

    def test_a_run_that_is_not_here_tells_nothing(self, database: Database) -> None:
        keep_set(database, FIRST, name="web", run="0123456789abcdef")
        details = set_details(database, "web", FIRST.version)
        assert (details.evidence, details.reasons.why) == (None, {})

    def test_reasons_that_are_given_come_before_the_runs_own(self, database: Database) -> None:
        result = sealed_result()
        chosen = result.criteria_set.members[0].criterion.hash
        keep_set(database, result.criteria_set, name="letters", result=result, why={chosen: "people asked for it"})
        assert (
            set_details(database, "letters", result.criteria_set.version).reasons.why[chosen] == "people asked for it"
        )


class TestFiles:
    """A criteria file becomes a version."""

    def file(self, folder: Path, text: str) -> Path:
        path = folder / "criteria.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    def test_a_file_as_it_was_written_is_the_version_that_it_states(self, database: Database, tmp_path: Path) -> None:
        path = self.file(tmp_path, criteria_yaml(FIRST))
        proposed = propose_file(database, path, name="web", who="ann")
        assert (proposed.stored.version, proposed.stored.status, proposed.notes) == (FIRST.version, "proposed", ())
        assert set_details(database, "web", FIRST.version).created_by == "ann"
        assert propose_file(database, path, name="web", who="bo") == proposed

    def test_an_edited_file_is_a_version_of_its_own_with_the_stated_one_as_parent(
        self, database: Database, tmp_path: Path
    ) -> None:
        keep_set(database, FIRST, name="web")
        text = criteria_yaml(FIRST).replace("what these tests call Tone", "what these tests call a calm tone")
        proposed = propose_file(database, self.file(tmp_path, text), name="web", who="ann")
        assert proposed.stored.version != FIRST.version
        assert proposed.stored.parent == FIRST.version
        assert any("was edited" in note for note in proposed.notes)

    def test_an_edited_file_of_a_version_that_is_not_here_has_no_parent(
        self, database: Database, tmp_path: Path
    ) -> None:
        text = criteria_yaml(FIRST).replace("Tone", "Calm")
        assert propose_file(database, self.file(tmp_path, text), name="web", who="ann").stored.parent == ""

    def test_the_result_of_the_run_gives_the_file_its_evidence(self, database: Database, tmp_path: Path) -> None:
        result = sealed_result()
        path = self.file(tmp_path, criteria_yaml(result.criteria_set))
        stored = propose_file(database, path, name="letters", who="ann", result=result).stored
        assert stored.run == result.run
        evidence = set_details(database, "letters", stored.version).evidence
        assert evidence is not None
        assert evidence.weighted == result.held_out_weighted

    def test_a_faulty_file_is_refused_with_its_faults_and_nothing_is_kept(
        self, database: Database, tmp_path: Path
    ) -> None:
        path = self.file(tmp_path, criteria_yaml(FIRST).replace("description:", "descripton:"))
        with pytest.raises(FaultyRows, match="did you mean description"):
            propose_file(database, path, name="web", who="ann")
        assert rows(database) == 0

    @pytest.mark.parametrize("who", ["", "  ", "a\nb", "x" * 97])
    def test_nobody_in_particular_proposes_nothing(self, database: Database, tmp_path: Path, who: str) -> None:
        with pytest.raises(InputError, match="who is"):
            propose_file(database, self.file(tmp_path, criteria_yaml(FIRST)), name="web", who=who)
