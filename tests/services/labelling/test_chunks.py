"""Pairs are handed out in chunks of bounded size; whatever is lost is handed out again, in smaller ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelling_bench import created, labelled, next_chunk, pairs_file, sweep, work_off_chunks
from sqlalchemy import select, update
from workbench import another, bench, waiting

from services.deployment import Deployment
from services.embedded_redis import EmbeddedRedis
from services.labelling.chunks import BYTES, ChunkQueue, begin, hand_out, outstanding, pack
from services.labelling.progress import label_progress
from services.labelling.register import load_labelling
from services.labelling.sweeping import LabelSweeper, chunk_size
from services.labelling.tables import LabellingRow, LabelRow
from services.queue import LABELLING, JobQueue
from services.settings import load_settings

pytestmark = pytest.mark.usefixtures("configured")


@pytest.fixture
def deployment(place: Path) -> Iterator[Deployment]:
    with bench(place) as opened:
        yield opened


sizes = st.lists(st.integers(0, BYTES), max_size=60)


@given(sizes, st.integers(1, 20))
def test_packing_keeps_every_pair_in_order_in_chunks_of_bounded_size(weights: list[int], size: int) -> None:
    rows = list(enumerate(weights))
    packed = pack(rows, size)
    assert [position for chunk in packed for position in chunk] == list(range(len(weights)))
    assert all(1 <= len(chunk) <= size for chunk in packed)
    assert all(sum(weights[p] for p in chunk[:-1]) < BYTES for chunk in packed)


def test_small_pairs_fill_a_chunk() -> None:
    assert [len(c) for c in pack([(i, 100) for i in range(25)], 10)] == [10, 10, 5]
    assert [len(c) for c in pack([(i, BYTES // 2) for i in range(6)], 10)] == [2, 2, 2]


def chunks_of(deployment: Deployment) -> dict[str, int]:
    with deployment.database.read() as connection:
        rows = connection.execute(select(LabelRow.chunk)).scalars().all()
    return {chunk: rows.count(chunk) for chunk in rows}


def test_every_worker_gets_a_chunk_and_none_is_larger_than_it_should_be(place: Path) -> None:
    with bench(place, workers=4) as deployment:
        labelling = created(deployment, pairs_file(place, 250))
        sweep(deployment, labelling)
        assert sorted(chunks_of(deployment).values()) == [61, 63, 63, 63]
        assert {job.id for job in waiting(deployment)} == set(chunks_of(deployment))
        found = load_labelling(deployment.database, labelling)
        assert chunk_size(deployment, found) == 63
        assert chunk_size(deployment, found.__class__(**{**found.__dict__, "pairs": 25_000})) == 100
        assert chunk_size(deployment, found.__class__(**{**found.__dict__, "pairs": 12})) == 10


def test_nothing_is_handed_out_twice_while_it_is_alive(deployment: Deployment, place: Path) -> None:
    labelling = created(deployment, pairs_file(place, 60))
    for _ in range(3):
        sweep(deployment, labelling)
    assert len(waiting(deployment)) == 2
    assert sum(chunks_of(deployment).values()) == 60


def test_many_pairs_are_handed_out_in_several_transactions(
    deployment: Deployment, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.labelling.chunks.AT_ONCE", 25)
    labelling = created(deployment, pairs_file(place, 60))
    queue = ChunkQueue(deployment.queue, deployment.turns)
    assert hand_out(deployment.database, labelling, 10, queue) == 60
    assert sorted(chunks_of(deployment).values()) == [5, 5, 10, 10, 10, 10, 10]
    assert hand_out(deployment.database, labelling, 10, queue) == 0


def test_what_an_emptied_redis_lost_is_handed_out_again(deployment: Deployment, place: Path) -> None:
    labelling = created(deployment, pairs_file(place, 60))
    sweep(deployment, labelling)
    before = set(chunks_of(deployment))
    deployment.queue.connection.flushall()
    sweep(deployment, labelling)
    assert before.isdisjoint(chunks_of(deployment))
    assert work_off_chunks(deployment) == 60


def test_a_chunk_that_died_at_work_comes_back_in_smaller_pieces(deployment: Deployment, place: Path) -> None:
    labelling = created(deployment, pairs_file(place, 130))
    sweep(deployment, labelling)
    first = str(next_chunk(deployment))
    begin(deployment.database, first)
    sweep(deployment, labelling)
    found = chunks_of(deployment)
    assert first not in found
    assert sorted(found.values()) == [1] + [8] * 8 + [65]


def test_a_chunk_of_another_living_command_is_left_alone_and_that_of_a_dead_one_is_not(
    deployment: Deployment, place: Path
) -> None:
    labelling = created(deployment, pairs_file(place, 40))
    sweep(deployment, labelling)
    before = set(chunks_of(deployment))
    with EmbeddedRedis(place / "home") as other:
        settings = load_settings(redis_url=other.url)
        queue = JobQueue(other.url, settings.job_seconds)
        elsewhere = Deployment(settings, deployment.database, queue)
        LabelSweeper(elsewhere, load_labelling(deployment.database, labelling)).sweep()
        assert set(chunks_of(deployment)) == before
        stranger = update(LabelRow).values(chunk="label-00000000-dead")
        with deployment.database.write() as connection:
            connection.execute(stranger)
        LabelSweeper(elsewhere, load_labelling(deployment.database, labelling)).sweep()
        assert outstanding(deployment.database, labelling).isdisjoint({"label-00000000-dead"})
        queue.close()


def test_a_labelling_that_was_given_up_is_begun_by_nobody(deployment: Deployment, place: Path) -> None:
    labelling = created(deployment, pairs_file(place, 20))
    sweep(deployment, labelling)
    chunk = str(next_chunk(deployment))
    with deployment.database.write() as connection:
        connection.execute(update(LabellingRow).values(status="failed"))
    assert begin(deployment.database, chunk) == ("", {})
    assert begin(deployment.database, "label-none") == ("", {})


def test_two_commands_at_once_label_every_pair_once(deployment: Deployment, place: Path) -> None:
    labelling = created(deployment, pairs_file(place, 80))
    other = another(deployment)
    for each in (deployment, other, deployment, other):
        sweep(each, labelling)
        chunk = next_chunk(each)
        if chunk is not None:
            begin(each.database, chunk)
    deployment.queue.connection.delete(f"rq:queue:{LABELLING}")
    sweep(other, labelling)
    work_off_chunks(other)
    assert len(labelled(deployment, labelling)) == 80
    assert label_progress(deployment.database, labelling).done == 80
