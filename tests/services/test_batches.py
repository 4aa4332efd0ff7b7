"""Rows are handed out once, all criteria of a pair together, and again when their job died."""

from __future__ import annotations

from itertools import groupby

import pytest
from batch_desk import CRITERIA, DATASET, Desk
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update
from workbench import SMALL, new_run

from agents.judgments import Ask
from services.batches import (
    SMALLEST,
    begin,
    blame,
    outstanding,
    pack,
    refuse,
    threads_served,
)
from services.database import Database
from services.tables import JudgmentRow, ThreadRow

ROWS = st.lists(st.tuples(st.integers(0, 6).map(str), st.uuids().map(str)), max_size=80, unique_by=lambda r: r[1]).map(
    sorted
)


@given(rows=ROWS, size=st.integers(1, 40), whole=st.booleans())
def test_packing_loses_and_doubles_nothing_and_keeps_order(rows: list[tuple[str, str]], size: int, whole: bool) -> None:
    assert [key for batch in pack(rows, size, whole) for key in batch] == [key for _, key in rows]


@given(rows=ROWS, size=st.integers(1, 40), whole=st.booleans())
def test_no_batch_is_empty_or_more_than_three_times_its_size(
    rows: list[tuple[str, str]], size: int, whole: bool
) -> None:
    assert all(0 < len(batch) <= (3 * size if whole else 2 * size) for batch in pack(rows, size, whole))


@given(rows=ROWS, size=st.integers(1, 40))
def test_a_pair_that_fits_stays_whole(rows: list[tuple[str, str]], size: int) -> None:
    batch_of = {key: i for i, batch in enumerate(pack(rows, size)) for key in batch}
    for _, members in groupby(rows, key=lambda row: row[0]):
        keys = [key for _, key in members]
        if len(keys) <= 2 * size:
            assert len({batch_of[key] for key in keys}) == 1


@given(rows=ROWS)
def test_rows_can_be_packed_alone(rows: list[tuple[str, str]]) -> None:
    assert all(len(batch) == 1 for batch in pack(rows, 1, whole=False))


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def test_every_row_is_handed_out_once(desk: Desk) -> None:
    batches = desk.hand_out()
    assert sum(len(begin(desk.database, b)) for b in batches) == 60
    assert desk.hand_out() == []


def test_all_criteria_of_a_pair_are_together(desk: Desk) -> None:
    for batch in desk.hand_out():
        pairs = [pair.hash for _, _, pair in begin(desk.database, batch)]
        assert len(pairs) == 20
        assert pairs == sorted(pairs)


def test_questions_carry_content_and_no_label(desk: Desk) -> None:
    ask, criterion, pair = begin(desk.database, desk.hand_out()[0])[0]
    assert (ask.criterion, ask.pair) == (criterion.hash, pair.hash)
    assert criterion in CRITERIA
    assert pair.preferred == "tie"


def test_what_was_answered_is_not_asked_again(desk: Desk) -> None:
    batch = desk.hand_out()[0]
    questions = begin(desk.database, batch)
    desk.answer(questions[:15])
    assert begin(desk.database, batch) == questions[15:]


def test_only_batches_with_missing_rows_are_outstanding(desk: Desk) -> None:
    batches = desk.hand_out()
    desk.answer(begin(desk.database, batches[0]))
    assert outstanding(desk.database, desk.run) == set(batches[1:])
    assert outstanding(desk.database, "another run") == set()


def test_a_batch_handed_out_again_has_nothing_left_under_its_old_id(desk: Desk) -> None:
    batches = desk.hand_out()
    new = desk.again(batches[:1])
    assert begin(desk.database, batches[0]) == []
    assert sum(len(begin(desk.database, b)) for b in new) == 20


def test_a_batch_that_was_never_begun_costs_no_attempt(desk: Desk) -> None:
    batches = desk.hand_out()
    for _ in range(10):
        batches = desk.again(batches, attempts=1)
    assert desk.statuses() == ["missing"] * 60


def test_each_death_makes_batches_smaller_until_rows_are_alone(desk: Desk) -> None:
    batches = desk.hand_out()[:1]
    sizes = []
    for _ in range(3):
        sizes.append(max(len(begin(desk.database, b)) for b in batches))
        batches = desk.again(batches, attempts=9)
    assert sizes[0] == 20
    assert sizes[1] <= 4
    assert sizes[2] == 1


def test_after_so_many_attempts_a_row_has_failed_and_says_so(desk: Desk) -> None:
    batches = desk.hand_out()[:1]
    for _ in range(2):
        for batch in batches:
            begin(desk.database, batch)
            blame(desk.database, batch, "Timeout: no reply")
        batches = desk.again(batches, attempts=2)
    assert batches == []
    assert desk.statuses().count("failed") == 20
    with desk.database.read() as connection:
        told = connection.execute(select(JudgmentRow.rationale).where(JudgmentRow.status == "failed").distinct())
        assert told.scalars().all() == ["no answer after 2 attempts; Timeout: no reply"]


def test_a_thread_is_served_when_nothing_it_wants_is_missing(desk: Desk) -> None:
    batches = desk.hand_out()
    for batch in batches[:-1]:
        desk.answer(begin(desk.database, batch))
        assert threads_served(desk.database, batch) == []
    desk.answer(begin(desk.database, batches[-1]))
    assert threads_served(desk.database, batches[-1]) == [desk.thread]
    assert threads_served(desk.database, batches[0]) == [desk.thread]


def test_a_batch_of_nothing_serves_nobody(desk: Desk) -> None:
    assert threads_served(desk.database, "judge-t-none") == []


def test_rows_of_a_pair_are_never_split_over_two_hand_outs_of_one_row(desk: Desk) -> None:
    """A row whose id changed under a running job belongs to the new job alone."""
    old = desk.hand_out(60)
    questions = begin(desk.database, old[0])
    new = desk.again(old, size=60)
    desk.answer(questions[:30])
    left = [q for batch in new for q in begin(desk.database, batch)]
    assert {a.key for a, _, _ in left} == {a.key for a, _, _ in questions[30:]}


def test_blame_is_noted_on_missing_rows_only(desk: Desk) -> None:
    batch = desk.hand_out()[0]
    questions = begin(desk.database, batch)
    desk.answer(questions[:5])
    blame(desk.database, batch, "broken")
    with desk.database.read() as connection:
        blamed = connection.execute(select(JudgmentRow.status).where(JudgmentRow.rationale == "broken")).scalars()
        assert list(blamed) == ["missing"] * 15


def test_a_refused_batch_gives_up_whoever_waits_for_it_and_costs_no_attempt(desk: Desk) -> None:
    other = new_run(desk.database, DATASET, SMALL)
    batch, untouched = desk.hand_out()[:2]
    desk.answer(begin(desk.database, batch)[:5])
    refuse(desk.database, batch, "not mine")
    with desk.database.read() as connection:
        threads = connection.execute(select(ThreadRow.run, ThreadRow.status, ThreadRow.fault)).all()
        missing = select(JudgmentRow.attempts).where(JudgmentRow.status == "missing")
        attempts = [
            set(connection.execute(missing.where(JudgmentRow.batch == b)).scalars()) for b in (batch, untouched)
        ]
    assert {tuple(t) for t in threads} == {(desk.run, "failed", "not mine"), (other, "running", "")}
    assert attempts == [{0}, {0}]


def test_a_batch_that_has_nothing_missing_is_refused_without_harm(desk: Desk) -> None:
    batch = desk.hand_out()[0]
    desk.answer(begin(desk.database, batch))
    refuse(desk.database, batch, "not mine")
    with desk.database.read() as connection:
        assert set(connection.execute(select(ThreadRow.status)).scalars()) == {"running"}


def test_rows_that_lost_their_batch_are_handed_out_and_no_others(desk: Desk) -> None:
    first = desk.hand_out(20)
    with desk.database.write() as connection:
        connection.execute(update(JudgmentRow).where(JudgmentRow.batch == first[0]).values(batch=""))
    assert sum(len(begin(desk.database, b)) for b in desk.hand_out(20)) == 20


@given(rows=st.integers(1, 400), size=st.integers(50, 400), parts=st.integers(1, 16))
def test_parts_make_batches_smaller_but_not_small(rows: int, size: int, parts: int) -> None:
    """What `hand_out` makes of a size: as many batches as there are workers, unless that makes them tiny."""
    smaller = min(size, max(SMALLEST, -(-rows // parts)))
    batches = pack([(f"{i:04}", str(i)) for i in range(rows)], smaller)
    assert len(batches) <= max(parts, -(-rows // SMALLEST))
    assert all(len(batch) >= min(SMALLEST, size) for batch in batches[:-1])


@pytest.fixture
def many(database: Database) -> Desk:
    """A desk with 300 judgments wanted in both orders and by two samples."""
    desk = Desk(database)
    pairs = [p.hash for p in DATASET.pairs]
    desk.ledger.want(
        [
            Ask(judge="letters/1", criterion=c.hash, pair=p, order="ba", sample=n)
            for p in pairs for c in CRITERIA for n in range(4)
        ]
    )  # fmt: skip
    return desk


@pytest.mark.parametrize(("parts", "batches"), [(1, 1), (2, 2), (3, 3), (4, 4), (100, 6)])
def test_what_is_missing_is_handed_out_in_as_many_parts_as_there_are_workers(
    many: Desk, parts: int, batches: int
) -> None:
    found = many.hand_out(1000, parts)
    assert len(found) == batches
    assert sum(len(begin(many.database, b)) for b in found) == 300


def test_parts_never_make_batches_larger_than_they_may_be(many: Desk) -> None:
    assert len(many.hand_out(50, 2)) == 6


def test_an_attempt_counts_only_where_the_batch_got_nothing_done(desk: Desk) -> None:
    idle, busy, *_ = desk.hand_out()
    begin(desk.database, idle)
    desk.answer(begin(desk.database, busy)[:1])
    assert desk.attempts(desk.again([idle])) == [1] * 20
    assert desk.attempts(desk.again([busy])) == [0] * 19


def test_a_batch_that_always_gets_something_done_is_never_given_up(desk: Desk) -> None:
    batches = desk.hand_out(60)
    rounds = 0
    while batches:
        rounds += 1
        for batch in batches:
            desk.answer(begin(desk.database, batch)[:1])
        batches = desk.again(batches, attempts=1)
    assert rounds > 5, "far more often than it may be begun for nothing"
    assert set(desk.statuses()) <= {"decided", "abstained"}


def test_a_batch_that_was_answered_and_never_begun_takes_no_attempt_back_below_zero(desk: Desk) -> None:
    batch = desk.hand_out()[0]
    questions = begin(desk.database, batch)
    desk.answer(questions[:3])
    again = desk.again([batch])
    assert desk.attempts(desk.again(again)) == [0] * 17
