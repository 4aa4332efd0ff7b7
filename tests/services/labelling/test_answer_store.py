"""Answers go into the store that mining reads from, once each, and nobody's evidence changes under them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from busy import held_for, opened_hastily
from labelling_bench import created, judgments, letter_sheet, pairs_file
from letter_parties import LetterParties, letter_criterion, letter_dataset
from sqlalchemy import select, update
from workbench import SEALED

from agents.judgments import Ask, Judgment
from agents.votes import MISSING
from services.database import Database
from services.labelling.answer_store import AnswerStore, reopen
from services.labelling.pair_vote import PairResult, PairVote
from services.labelling.progress import label_progress
from services.labelling.tables import LabelRow
from services.runs import create_run
from services.settings import load_settings
from services.sql_ledger import SqlLedger, keep_answers
from services.tables import JudgmentRow, ThreadRow

pytestmark = pytest.mark.usefixtures("configured")

DATASET = letter_dataset(30)
FIRST = DATASET.pairs[0]


class Place:
    """A database with a labelling of the dataset, a mining run on it, and one question."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(load_settings().database).create()
        deployment: Any = type("D", (), {"database": self.database, "parties": LetterParties()})()
        self.labelling = created(deployment, pairs_file(folder, 30))
        run = create_run(self.database, LetterParties(), DATASET, SEALED)
        self.ledger = SqlLedger(self.database, run, f"{run}-main")
        self.criterion = letter_criterion("e")
        self.ask = Ask(judge="letters/1", criterion=self.criterion.hash, pair=FIRST.hash)
        self.store = AnswerStore(self.database, self.labelling)

    def says(self, status: str, verdict: str = "abstain") -> Judgment:
        return Judgment.model_validate({"key": self.ask.key, "status": status, "verdict": verdict})

    def keep(self, judgment: Judgment) -> None:
        self.store.keep([(self.ask, judgment)], {})

    def mine(self, judgment: Judgment | None = None) -> None:
        """Have the run want the judgment, and get it."""
        self.ledger.remember([self.criterion])
        self.ledger.want([self.ask])
        if judgment is not None:
            keep_answers(self.database, [judgment])

    def row(self) -> Any:
        with self.database.read() as connection:
            columns = (JudgmentRow.status, JudgmentRow.verdict, JudgmentRow.asked_by)
            return connection.execute(select(*columns).where(JudgmentRow.key == self.ask.key)).one()

    def state(self) -> int:
        """What the mining run sees."""
        return int(self.ledger.votes([self.criterion.hash], [FIRST.hash]).states[0, 0])


@pytest.fixture
def here(place: Path) -> Iterator[Place]:
    made = Place(place)
    yield made
    made.database.close()


def test_an_answer_is_kept_whole(here: Place) -> None:
    given = Judgment(
        key=here.ask.key, status="abstained", rationale="why", margin=0.25, hesitation="equal", truncated=True
    )
    here.keep(given)
    assert here.store.stored([here.ask]) == {here.ask.key: (given, False)}
    assert AnswerStore(here.database, "another").stored([here.ask]) == {here.ask.key: (given, True)}


def test_the_first_answer_stands(here: Place) -> None:
    here.keep(here.says("decided", "A"))
    here.keep(here.says("decided", "B"))
    assert here.row()[:2] == ("decided", "A")
    assert judgments(here) == 1  # type: ignore[arg-type]


def test_what_mining_was_told_is_used_and_not_overwritten(here: Place) -> None:
    here.mine(here.says("decided", "B"))
    assert here.store.stored([here.ask])[here.ask.key] == (here.says("decided", "B"), True)
    here.keep(here.says("decided", "A"))
    assert here.row()[:2] == ("decided", "B")


def test_what_mining_waits_for_is_answered_for_it_too(here: Place) -> None:
    here.mine()
    assert here.ledger.missing() == 1
    assert here.store.stored([here.ask]) == {}
    here.keep(here.says("decided", "A"))
    assert here.ledger.missing() == 0
    assert here.row() == ("decided", "A", here.labelling)


def test_a_failure_is_no_answer_to_what_mining_waits_for(here: Place) -> None:
    here.mine()
    here.keep(here.says("failed"))
    assert here.ledger.missing() == 1
    assert here.row().status == "missing"


@pytest.mark.parametrize("status", ["invalid", "failed"])
def test_missing_evidence_of_a_run_is_asked_anew_and_stays_so_in_the_eyes_of_the_run(here: Place, status: str) -> None:
    here.mine(here.says(status))
    assert here.store.stored([here.ask]) == {}
    here.keep(here.says("decided", "A"))
    assert here.row() == ("decided", "A", here.labelling)
    assert here.state() == MISSING


@pytest.mark.parametrize("status", ["invalid", "failed"])
def test_its_own_missing_evidence_stands_for_a_labelling(here: Place, status: str) -> None:
    here.keep(here.says(status))
    assert here.store.stored([here.ask]) == {here.ask.key: (here.says(status), False)}
    assert AnswerStore(here.database, "another").stored([here.ask]) == {}


def position(here: Place) -> int:
    with here.database.read() as connection:
        return int(connection.execute(select(LabelRow.position).where(LabelRow.pair == FIRST.hash)).scalar_one())


def result(status: str = "decided") -> tuple[PairResult, list[tuple[Ask, Judgment]]]:
    """A vote on the first pair in which everybody says the same."""
    vote, said = PairVote(FIRST, letter_sheet()), []
    while asks := vote.next_asks():
        for ask in asks:
            verdict = "A" if status == "decided" else "abstain"
            said.append((ask, Judgment.model_validate({"key": ask.key, "status": status, "verdict": verdict})))
            vote.take(said[-1][1], reused=False)
    return vote.result(), said


def test_a_label_is_written_and_counted_once(here: Place) -> None:
    found, said = result()
    for _ in range(2):
        here.store.keep(said, {position(here): found})
    progress = label_progress(here.database, here.labelling)
    assert (progress.done, progress.asked, progress.saved) == (1, found.asked, found.saved)


def test_answers_that_were_paid_for_outlast_a_long_write_of_others(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, said = result()
    with opened_hastily(load_settings().database, monkeypatch) as hasty, held_for(here.database, 0.5):
        AnswerStore(hasty, here.labelling).keep(said, {position(here): found})
    progress = label_progress(here.database, here.labelling)
    assert (progress.done, progress.asked) == (1, found.asked)


def test_an_answer_and_the_label_it_completes_are_written_together_or_not_at_all(here: Place) -> None:
    found, said = result()
    broken = [(said[0][0].model_copy(update={"pair": "no such pair"}), said[0][1])]
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        here.store.keep(broken, {position(here): found})
    assert label_progress(here.database, here.labelling).done == 0
    assert judgments(here) == 0  # type: ignore[arg-type]


def test_pairs_with_failures_are_asked_again_when_the_command_is_given_again_and_unreadable_replies_are_not(
    here: Place,
) -> None:
    failed, said = result("failed")
    here.store.keep(said, {position(here): failed})
    assert reopen(here.database, here.labelling) == 1
    progress = label_progress(here.database, here.labelling)
    assert (progress.done, progress.asked, progress.saved, progress.status) == (0, 0, 0, "running")
    assert here.store.stored([ask for ask, _ in said]) == {}
    invalid, read = result("invalid")
    here.store.keep(read, {position(here): invalid})
    assert set(here.store.stored([ask for ask, _ in read])) == {ask.key for ask, _ in read}
    assert reopen(here.database, here.labelling) == 0
    assert label_progress(here.database, here.labelling).done == 1


def test_reopening_keeps_the_totals_of_what_stays(here: Place) -> None:
    found, said = result()
    here.store.keep(said, {position(here): found})
    before = label_progress(here.database, here.labelling)
    with here.database.write() as connection:
        connection.execute(update(LabelRow).where(~LabelRow.done).values(attempts=7, fault="died"))
    assert reopen(here.database, here.labelling) == 0
    assert label_progress(here.database, here.labelling) == before
    with here.database.read() as connection:
        assert set(connection.execute(select(LabelRow.attempts, LabelRow.fault).where(~LabelRow.done))) == {(0, "")}


def test_a_mining_run_is_left_as_it_is(here: Place) -> None:
    here.mine(here.says("failed"))
    here.keep(here.says("decided", "A"))
    with here.database.read() as connection:
        assert connection.execute(select(ThreadRow.status)).scalars().first() == "running"
