"""A chunk is labelled as if everything were asked; what is stored is used, and nothing is asked or stored twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from labelling_bench import (
    ALL,
    WEIGHTS,
    CountingJudge,
    JudgedBy,
    created,
    full_vote,
    judgments,
    labelled,
    letter_set,
    next_chunk,
    pairs_file,
    sweep,
    work_off_chunks,
    write_rows,
)
from letter_parties import LetterJudge, LetterParties, letter_dataset
from sqlalchemy import func, select, update
from workbench import bench, finish, new_run, waiting, with_parties

from agents.chat.accounts import CallRecord, charged
from agents.chat.endpoint import Tokens
from agents.early_stop import StopRule
from agents.judgments import Ask, Judgment
from agents.pairs import Pair
from agents.panel import Panel, seat_of
from knowledge_base.errors import BudgetSpent, EndpointClosed, RunError, WrongJudge
from services.budget import Budget
from services.call_tally import tally as call_tally
from services.deployment import Deployment
from services.labelling.jobs import label_pairs
from services.labelling.progress import label_progress
from services.labelling.register import load_labelling
from services.labelling.sweeping import chunk_size
from services.labelling.tables import LabellingRow, LabelRow
from services.tables import JudgmentRow

pytestmark = pytest.mark.usefixtures("configured")

SIDES = {1: "a", -1: "b", 0: "tie"}


@pytest.fixture
def deployment(place: Path) -> Iterator[Deployment]:
    with bench(place) as opened:
        yield opened


def counting(deployment: Deployment, judge: LetterJudge | None = None) -> tuple[Deployment, CountingJudge]:
    """The deployment with a judge that remembers what it was asked."""
    made = judge or CountingJudge()
    assert isinstance(made, CountingJudge)
    return with_parties(deployment, JudgedBy(made)), made


def test_labels_are_those_of_asking_everything(deployment: Deployment, place: Path) -> None:
    labelling = created(deployment, pairs_file(place, 120))
    sweep(deployment, labelling)
    assert work_off_chunks(deployment) == 120
    found = labelled(deployment, labelling)
    assert {p.id: found[p.id].label.label for p in letter_dataset(120).pairs} == {
        p.id: SIDES[full_vote(p)] for p in letter_dataset(120).pairs
    }
    progress = label_progress(deployment.database, labelling)
    assert progress.finished
    assert progress.saved > 100
    assert progress.asked + progress.saved == 120 * len(WEIGHTS)
    assert progress.asked == judgments(deployment) == sum(len(p.answers) for p in found.values())


def test_without_early_stopping_everything_is_asked(deployment: Deployment, place: Path) -> None:
    labelling = created(deployment, pairs_file(place, 30), ALL)
    sweep(deployment, labelling)
    work_off_chunks(deployment)
    assert judgments(deployment) == 30 * len(WEIGHTS)
    assert not any(p.early for p in labelled(deployment, labelling).values())


def test_a_judge_is_asked_for_many_pairs_at_once(deployment: Deployment, place: Path) -> None:
    own, judge = counting(deployment)
    sweep(own, created(own, pairs_file(place, 60), ALL))
    chunks = len(waiting(own))
    work_off_chunks(own)
    assert judge.calls == chunks
    assert len(judge.asked) == 60 * len(WEIGHTS)


def test_a_judge_never_sees_what_people_preferred(deployment: Deployment, place: Path) -> None:
    own, judge = counting(deployment)
    sweep(own, created(own, pairs_file(place, 20)))
    work_off_chunks(own)
    assert {pair.preferred for _, pair in judge.asked} == {"tie"}
    assert {pair.id == pair.hash for _, pair in judge.asked} == {True}


def test_judgments_of_mining_are_used_and_those_of_labelling_serve_mining(deployment: Deployment, place: Path) -> None:
    run = new_run(deployment.database, letter_dataset(40, seed=2))
    finish(deployment, run)
    before = judgments(deployment)
    with deployment.database.read() as connection:
        mined = set(connection.execute(select(JudgmentRow.criterion).distinct()).scalars())
    own, judge = counting(deployment)
    labelling = created(own, pairs_file(place, 40, seed=2), ALL)
    sweep(own, labelling)
    work_off_chunks(own)
    shared = [c.hash for c in letter_set().criteria if c.hash in mined]
    reused = label_progress(deployment.database, labelling).reused
    assert shared
    assert reused > 0
    assert reused + len(judge.asked) == 40 * len(WEIGHTS)
    assert judgments(deployment) == before + len(judge.asked)


def test_another_rule_on_the_same_pairs_pays_only_for_what_the_first_left_out(
    deployment: Deployment, place: Path
) -> None:
    own, judge = counting(deployment)
    path = pairs_file(place, 50)
    first = created(own, path)
    sweep(own, first)
    work_off_chunks(own)
    asked = len(judge.asked)
    second = created(own, path, ALL)
    assert second != first
    sweep(own, second)
    work_off_chunks(own)
    assert len(judge.asked) == 50 * len(WEIGHTS)
    assert label_progress(own.database, second).reused == asked
    assert len({ask.key for ask, _ in judge.asked}) == len(judge.asked)


def test_the_same_inputs_find_the_same_labelling_and_others_do_not(deployment: Deployment, place: Path) -> None:
    path = pairs_file(place, 10)
    first = created(deployment, path)
    assert created(deployment, pairs_file(place, 10, name="renamed.jsonl")) == first
    others = {
        created(deployment, pairs_file(place, 11)), created(deployment, path, StopRule(block=2)),
        created(deployment, path, criteria_set=letter_set({**WEIGHTS, "e": 0.7})),
        created(with_parties(deployment, JudgedBy(CountingJudge("letters/2"))), path),
    }  # fmt: skip
    assert len(others | {first}) == 5


def test_a_pair_that_stands_twice_in_either_order_is_labelled_once(deployment: Deployment, place: Path) -> None:
    rows = [p.model_dump(include={"id", "a", "b"}) for p in letter_dataset(5).pairs]
    turned = [{"id": f"turned {r['id']}", "a": r["b"], "b": r["a"]} for r in rows[:2]]
    own, judge = counting(deployment)
    labelling = created(own, write_rows(place / "p.jsonl", [*rows, *turned, rows[0]]), ALL)
    sweep(own, labelling)
    work_off_chunks(own)
    assert list(labelled(own, labelling)) == [r["id"] for r in rows]
    assert len(judge.asked) == 5 * len(WEIGHTS)


def test_a_killed_job_leaves_its_answers_and_the_next_asks_only_for_the_rest(
    deployment: Deployment, place: Path
) -> None:
    class Killed(BaseException):
        """As a kill leaves it: nothing catches this."""

    def die(ask: Ask, pair: Pair) -> None:
        if len(doomed.asked) > 90:
            raise Killed

    doomed = CountingJudge(before=die)
    path = pairs_file(place, 40)
    labelling = created(deployment, path, ALL)
    sweep(deployment, labelling)
    chunk = next_chunk(deployment)
    assert chunk is not None
    with pytest.raises(Killed):
        label_pairs(with_parties(deployment, JudgedBy(doomed)), chunk)
    stored = judgments(deployment)
    assert 0 < stored <= 90
    sweep(deployment, labelling)
    own, judge = counting(deployment)
    work_off_chunks(own)
    assert len(judge.asked) == 40 * len(WEIGHTS) - stored
    progress = label_progress(deployment.database, labelling)
    assert (progress.finished, progress.asked, progress.reused) == (True, 40 * len(WEIGHTS), 0)


def test_a_job_that_runs_twice_or_comes_late_finds_nothing_to_do(deployment: Deployment, place: Path) -> None:
    labelling = created(deployment, pairs_file(place, 20))
    sweep(deployment, labelling)
    chunk = next_chunk(deployment)
    assert chunk is not None
    sweep(deployment, labelling)
    own, judge = counting(deployment)
    assert label_pairs(own, chunk) == 0, "the pairs were handed to another chunk since"
    done = work_off_chunks(own)
    assert done == 20
    asked = len(judge.asked)
    assert label_pairs(own, chunk) == 0
    assert len(judge.asked) == asked


def test_a_broken_judge_is_tried_again_and_then_its_pairs_have_missing_evidence(place: Path) -> None:
    poisoned = letter_dataset(40).pairs[7]

    def choke(ask: Ask, pair: Pair) -> None:
        if pair.hash == poisoned.hash:
            raise ConnectionResetError("this pair chokes it")

    with bench(place, max_attempts=3) as deployment:
        own = with_parties(deployment, JudgedBy(CountingJudge(before=choke)))
        labelling = created(own, pairs_file(place, 40))
        for _ in range(5):
            sweep(own, labelling)
            while (chunk := next_chunk(own)) is not None:
                try:
                    label_pairs(own, chunk)
                except ConnectionResetError:
                    continue
        found = labelled(own, labelling)
        assert len(found) == 40
        assert {name for name, p in found.items() if p.failed} == {poisoned.id}
        assert found[poisoned.id].label.missing == len(WEIGHTS)
        with own.database.read() as connection:
            told = set(
                connection.execute(select(JudgmentRow.rationale).where(JudgmentRow.status == "failed")).scalars()
            )
        assert told == {"no answer after 3 attempts; ConnectionResetError: this pair chokes it"}


@pytest.mark.parametrize("error", [EndpointClosed("wrong key"), BudgetSpent("nothing left")])
def test_what_no_second_attempt_mends_ends_the_labelling_at_once(
    deployment: Deployment, place: Path, error: Exception
) -> None:
    def refuse(ask: Ask, pair: Pair) -> None:
        raise error

    own = with_parties(deployment, JudgedBy(CountingJudge(before=refuse)))
    labelling = created(own, pairs_file(place, 300))
    sweep(own, labelling)
    chunks = [next_chunk(own), next_chunk(own)]
    with pytest.raises(type(error)):
        label_pairs(own, str(chunks[0]))
    progress = label_progress(own.database, labelling)
    assert (progress.status, progress.fault) == ("failed", f"{type(error).__name__}: {error}")
    assert label_pairs(own, str(chunks[1])) == 0, "nothing more is asked"
    with own.database.read() as connection:
        assert connection.execute(select(func.max(LabelRow.attempts))).scalar_one() == 0


def test_a_worker_with_another_judge_gives_the_labelling_up_and_says_why(deployment: Deployment, place: Path) -> None:
    labelling = created(deployment, pairs_file(place, 20))
    sweep(deployment, labelling)
    changed = with_parties(deployment, JudgedBy(CountingJudge("letters/2")))
    with pytest.raises(WrongJudge):
        label_pairs(changed, str(next_chunk(deployment)))
    told = label_progress(deployment.database, labelling).fault
    assert told.startswith("WrongJudge: judge 'letters/1' is asked, but this worker has 'letters/2'")
    assert judgments(deployment) == 0


def test_a_judge_that_swallows_a_question_does_not_hang_the_chunk(deployment: Deployment, place: Path) -> None:
    class Swallowing(CountingJudge):
        async def answer(self, questions: Any) -> Any:
            async for judgment in super().answer(questions[:-1]):
                yield judgment

    own = with_parties(deployment, JudgedBy(Swallowing()))
    sweep(own, created(own, pairs_file(place, 10), ALL))
    with pytest.raises(RunError, match="1 questions came back without an answer"):
        label_pairs(own, str(next_chunk(own)))


def test_a_pair_goes_on_while_others_wait_for_a_slow_answer(place: Path) -> None:
    slow = letter_dataset(20).pairs[0].hash
    done: list[str] = []

    class Slow(LetterJudge):
        """One pair's first answer takes longer than all others together."""

        async def answer(self, questions: Any) -> Any:
            tasks = [asyncio.create_task(self._one(q)) for q in questions]
            for task in asyncio.as_completed(tasks):
                yield await task

        async def _one(self, question: Any) -> Judgment:
            late = question[2].hash == slow and not any(h == slow for h in done)
            await asyncio.sleep(1.0 if late else 0.001)
            done.append(question[2].hash)
            [judgment] = [judgment async for judgment in super().answer([question])]
            return judgment

    with bench(place, workers=1) as deployment:
        own = with_parties(deployment, JudgedBy(Slow()))
        labelling = created(own, pairs_file(place, 20))
        sweep(own, labelling)
        work_off_chunks(own)
        assert label_progress(own.database, labelling).finished
        asked = sum(len(p.answers) for p in labelled(own, labelling).values())
    assert done.index(slow) == asked - done.count(slow), (
        "every other pair was at its end before the slow one had its first answer"
    )


def test_parties_that_are_no_panel_of_one_are_all_asked(deployment: Deployment, place: Path) -> None:
    one, two = CountingJudge("letters/1"), CountingJudge("letters/2")
    own = with_parties(deployment, JudgedBy(one, two))
    labelling = created(own, pairs_file(place, 10), ALL)
    sweep(own, labelling)
    work_off_chunks(own)
    assert len(one.asked) == len(two.asked) == 10 * len(WEIGHTS)
    for pair in labelled(own, labelling).values():
        assert [a.seat for a in pair.answers] == [0, 1] * len(WEIGHTS)
    assert isinstance(own.parties, LetterParties)


class PayingJudge(CountingJudge):
    """Pays a call for each question, as a chat judge does."""

    async def answer(self, questions: Any) -> Any:
        for question in questions:
            account = charged()
            await account.allow("scripted:m", "judge", 100)
            account.record(CallRecord("scripted:m", "judge", Tokens(80, 30, 20), 0.1, "answered"), 100)
            async for judgment in super().answer([question]):
                yield judgment


class PayingParties(JudgedBy):
    """Parties whose judgments cost something."""

    def panel(self) -> Panel:
        return Panel(seats=tuple(seat_of(judge, free=False) for judge in self.workers()))


def budgeted(deployment: Deployment, labelling: str, calls: int | None) -> None:
    with deployment.database.write() as connection:
        changed = {"budget": Budget(calls=calls).model_dump_json(), "status": "running"}
        connection.execute(update(LabellingRow).where(LabellingRow.id == labelling).values(**changed))


def test_calls_are_charged_to_the_labelling(deployment: Deployment, place: Path) -> None:
    own = with_parties(deployment, PayingParties(PayingJudge()))
    labelling = created(own, pairs_file(place, 12))
    sweep(own, labelling)
    work_off_chunks(own)
    [row] = call_tally(own.database, labelling).rows
    asked = label_progress(own.database, labelling).asked
    assert (row.work, row.stage, row.model) == ("label", "judge", "scripted:m")
    assert (row.calls, row.prompt, row.cached, row.completion) == (asked, 80 * asked, 30 * asked, 20 * asked)


def test_a_spent_budget_ends_it_with_everything_kept_and_a_larger_one_takes_it_further(place: Path) -> None:
    with bench(place, workers=1) as deployment:
        judge = PayingJudge()
        own = with_parties(deployment, PayingParties(judge))
        labelling = created(own, pairs_file(place, 12), ALL)
        budgeted(own, labelling, 30)
        sweep(own, labelling)
        with pytest.raises(BudgetSpent):
            work_off_chunks(own)
        progress = label_progress(own.database, labelling)
        assert progress.status == "failed"
        assert progress.fault.startswith("BudgetSpent: ")
        assert progress.asked == len(judge.asked) == 30
        budgeted(own, labelling, None)
        sweep(own, labelling)
        work_off_chunks(own)
        assert label_progress(own.database, labelling).finished
        assert len(judge.asked) == 12 * len(WEIGHTS), "nothing was paid for twice"


def test_a_chunk_for_a_paid_judge_is_long_enough_to_keep_an_endpoint_busy(place: Path) -> None:
    with bench(place, workers=1) as deployment:
        own = with_parties(deployment, PayingParties(PayingJudge()))
        found = load_labelling(own.database, created(own, pairs_file(place, 12)))
        many = replace(found, pairs=25_000)
        free = replace(many, sheet=many.sheet)
        assert chunk_size(own, many) >= own.batch_size // many.sheet.first_block > 100
        assert chunk_size(deployment, free) == 100
