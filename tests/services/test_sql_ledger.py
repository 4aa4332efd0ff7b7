"""The database ledger keeps every ledger's promises, agrees with the dictionary, and shares work between threads."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence

import pytest
from ledger_conformance import FIRST, HASHES, PAIRS, SECOND, LedgerConformance, World, answer, ask
from sqlalchemy import select, update
from test_memory_ledger import ScriptedJudge

from agents.judgments import Ask, Judgment, Status, Verdict
from agents.ledger import Ledger
from agents.memory_ledger import MemoryLedger
from agents.pairs import Dataset
from services.batches import hand_out, threads_served
from services.database import Database, insert_new
from services.dataset_store import save_dataset
from services.sql_ledger import SqlLedger, keep_answers
from services.tables import JudgmentRow, RunRow, ThreadRow


class SqlWorld:
    """Ledgers over one database; every run has a thread `main` and a thread `fold`."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.dataset = save_dataset(self.database, Dataset(name="conformance", pairs=PAIRS))

    def ledger(self, run: str = "run-1", thread: str = "main") -> SqlLedger:
        rows = [{"id": f"{run}-{t}", "run": run, "name": t, "sealed_of": self.dataset} for t in ("main", "fold")]
        with self.database.write() as connection:
            insert_new(connection, RunRow, [{"id": run, "dataset": self.dataset, "config": "{}", "facts": "{}"}])
            insert_new(connection, ThreadRow, [r | {"mining": "[]", "sealed": "[]"} for r in rows])
        return SqlLedger(self.database, run, f"{run}-{thread}")

    def answer(self, ledger: Ledger, judgments: Sequence[Judgment]) -> None:
        keep_answers(self.database, judgments)


@pytest.fixture
def sql(database: Database) -> SqlWorld:
    return SqlWorld(database)


class TestSqlLedger(LedgerConformance):
    """See `LedgerConformance`."""

    @pytest.fixture
    def world(self, sql: SqlWorld) -> World:
        return sql


def names() -> Callable[[], str]:
    """Fresh batch ids."""
    count = iter(range(10_000))
    return lambda: f"judge-test-{next(count)}"


def test_two_threads_that_want_the_same_share_one_judgment_and_one_batch(sql: SqlWorld) -> None:
    main, fold = sql.ledger(thread="main"), sql.ledger(thread="fold")
    for ledger in (main, fold):
        ledger.remember([FIRST, SECOND])
        assert ledger.want([ask(c, p) for c in (FIRST, SECOND) for p in range(4)]) == 8
    new = names()
    batches = hand_out(sql.database, "run-1-main", 100, new)
    assert hand_out(sql.database, "run-1-fold", 100, new) == []
    with sql.database.read() as connection:
        held = connection.execute(select(JudgmentRow.batch)).scalars().all()
    assert held == batches * 8


def test_one_answer_serves_every_thread_that_wants_it(sql: SqlWorld) -> None:
    main, fold = sql.ledger(thread="main"), sql.ledger(thread="fold")
    for ledger in (main, fold):
        ledger.want([ask()])
    batches = hand_out(sql.database, "run-1-main", 100, names())
    assert threads_served(sql.database, batches[0]) == []
    keep_answers(sql.database, [answer(ask())])
    assert main.missing() == fold.missing() == 0
    assert threads_served(sql.database, batches[0]) == ["run-1-fold", "run-1-main"]


def test_another_thread_of_the_run_does_not_ask_anew_what_failed(sql: SqlWorld) -> None:
    main, fold = sql.ledger(thread="main"), sql.ledger(thread="fold")
    main.want([ask()])
    keep_answers(sql.database, [answer(ask(), "abstain", "failed")])
    assert fold.want([ask()]) == 0


def test_what_failed_stays_failed_for_its_run_even_once_another_has_an_answer(sql: SqlWorld) -> None:
    first, other = sql.ledger("run-1"), sql.ledger("run-2")
    first.want([ask()])
    keep_answers(sql.database, [answer(ask(), "abstain", "failed")])
    other.want([ask()])
    keep_answers(sql.database, [answer(ask(), "A")])
    assert [j.status for _, j in first.judgments(FIRST.hash, HASHES)] == ["failed"]
    assert [j.status for _, j in other.judgments(FIRST.hash, HASHES)] == ["decided"]
    assert first.votes([FIRST.hash], HASHES[:1]).signs[0, 0] == 0


def test_a_run_that_wants_again_keeps_the_failure_it_was_told_of(sql: SqlWorld) -> None:
    first, other = sql.ledger("run-1"), sql.ledger("run-2")
    for ledger in (first, other):
        ledger.want([ask()])
    keep_answers(sql.database, [answer(ask(), "abstain", "failed")])
    assert other.want([ask()]) == 0, "it wanted the judgment before it failed, so it has its answer"


def test_the_first_answer_stands(sql: SqlWorld) -> None:
    ledger = sql.ledger()
    ledger.want([ask()])
    keep_answers(sql.database, [answer(ask(), "A")])
    keep_answers(sql.database, [answer(ask(), "B"), answer(ask(pair=3), "B")])
    assert ledger.votes([FIRST.hash], HASHES[:1]).signs[0, 0] == 1


def test_texts_of_any_script_survive_in_rationales(sql: SqlWorld) -> None:
    ledger = sql.ledger()
    ledger.want([ask()])
    said = Judgment(key=ask().key, status="decided", verdict="A", rationale='«so» 判断 \U0001f600 ünï \n\t"quoted"')
    keep_answers(sql.database, [said])
    assert ledger.judgments(FIRST.hash, HASHES)[0][1] == said


def test_thousands_of_criteria_and_asks_pass_parameter_limits(sql: SqlWorld) -> None:
    ledger = sql.ledger()
    asks = [Ask(judge="j", criterion=f"{c:016x}", pair=HASHES[0]) for c in range(1300)]
    assert ledger.want(asks) == 1300
    assert ledger.votes([a.criterion for a in asks], HASHES[:1]).states.shape == (1300, 1)


@pytest.mark.parametrize("seed", range(12))
def test_it_agrees_with_the_dictionary_on_any_course_of_events(sql: SqlWorld, seed: int) -> None:
    rng = random.Random(seed)
    memory, durable = MemoryLedger(PAIRS), sql.ledger()
    for ledger in (memory, durable):
        ledger.remember([FIRST, SECOND])
    asks = [ask(c, p, o, s) for c in (FIRST, SECOND) for p in range(4) for o in ("ab", "ba") for s in range(2)]
    for _ in range(12):
        some = rng.sample(asks, rng.randint(0, 10))
        assert memory.want(some) == durable.want(some)
        said = [_random_answer(a) for a in rng.sample(some, len(some) // 2)]
        asyncio.run(memory.answer_missing(ScriptedJudge(said)))
        keep_answers(sql.database, said)
        assert memory.missing() == durable.missing()
        _same_view(memory, durable)


def _random_answer(to: Ask) -> Judgment:
    """An answer that depends on the ask alone, as a judge's would."""
    own = random.Random(to.key)
    status: Status = own.choice(["decided", "decided", "abstained", "invalid", "failed"])
    verdict: Verdict = own.choice(["A", "B"]) if status == "decided" else "abstain"
    return answer(to, verdict, status, margin=own.choice([0.25, 0.5, 1.0]))


def _same_view(one: Ledger, other: Ledger) -> None:
    criteria = [SECOND.hash, FIRST.hash]
    a, b = one.votes(criteria, HASHES), other.votes(criteria, HASHES)
    for name in ("signs", "states", "flipped", "margins"):
        assert getattr(a, name).tolist() == getattr(b, name).tolist()
    for c in criteria:
        assert sorted(one.judgments(c, HASHES), key=repr) == sorted(other.judgments(c, HASHES), key=repr)


def test_only_the_thread_that_is_told_so_has_spent_its_budget(sql: SqlWorld) -> None:
    main, fold, other = sql.ledger(), sql.ledger(thread="fold"), sql.ledger("run-2")
    with sql.database.write() as connection:
        connection.execute(update(ThreadRow).where(ThreadRow.id == "run-1-main").values(spent="no money"))
    assert [ledger.spent() for ledger in (main, fold, other)] == [True, False, False]


def test_why_a_judge_abstained_is_forgotten_when_the_judgment_is_asked_anew(sql: SqlWorld) -> None:
    first, other = sql.ledger("run-1"), sql.ledger("run-2")
    first.want([ask()])
    failed = Judgment(key=ask().key, status="failed", hesitation="unsure", truncated=True, rationale="cut off")
    keep_answers(sql.database, [failed])
    other.want([ask()])
    keep_answers(sql.database, [Judgment(key=ask().key, status="abstained")])
    (told,) = (j for _, j in other.judgments(FIRST.hash, HASHES))
    assert (told.hesitation, told.truncated, told.rationale) == ("", False, "")
