"""A file is made ready while others write; what is then copied is as if nobody else had been there."""

from __future__ import annotations

import errno
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from annotation_bench import NAME, asked, dataset, filled, jsonl, pairs
from postgres import PostgresServer
from sqlalchemy import event, func, insert, select

from knowledge_base.errors import Conflict
from services.annotation import prepared as prepared_module
from services.annotation import uploading
from services.annotation.dataset import Sampling, create_dataset, open_dataset
from services.annotation.freezing import freeze
from services.annotation.handing import next_pair
from services.annotation.moment import held
from services.annotation.pairs import add_pairs
from services.annotation.prepared import Prepared
from services.annotation.tables import OpenPairRow, StatementRow, VoteRow
from services.annotation.tallies import recount_all
from services.annotation.uploading import upload
from services.annotation.vote import VoteIn
from services.annotation.votes import add_votes, votes_export
from services.database import Database
from services.datasets import FaultyRows
from services.tables import PairRow, ReplyRow

ROWS: list[dict[str, Any]] = [
    {"a": f"left {i}", "b": f"right {i}", "id": f"p{i}", "preferred": "ab"[i % 2], "annotator": f"ann{i % 3}"}
    for i in range(40)
]


@pytest.fixture
def server(postgres: PostgresServer) -> Iterator[Database]:
    """A database on a server; a file has one writer at a time."""
    with postgres.fresh() as url, closing(Database(url).create()) as made:
        yield made


def meanwhile(monkeypatch: pytest.MonkeyPatch, do: Callable[[], object], times: int = 1) -> list[int]:
    """Have something happen after a file was made ready and before it goes in; returns how often that was."""
    real, done = Prepared.fill, list[int]()

    def fill(self: Prepared, slices: Any) -> None:
        real(self, slices)
        if len(done) < times:
            done.append(1)
            do()

    monkeypatch.setattr(Prepared, "fill", fill)
    return done


def positions(database: Database) -> list[int]:
    with database.read() as connection:
        mine = OpenPairRow.dataset == open_dataset(database, NAME).id
        return sorted(connection.execute(select(OpenPairRow.position).where(mine)).scalars())


def consistent(database: Database) -> None:
    """What stands beside the pairs is what counting anew makes of the votes, and nothing is there twice."""

    def sums() -> list[Any]:
        row = OpenPairRow
        columns = (row.pair, row.state, row.voters, row.for_a, row.for_b, row.ties)
        with database.read() as connection:
            return [tuple(r) for r in connection.execute(select(*columns).order_by(row.pair))]

    before = sums()
    with held(database, NAME) as now:
        recount_all(now, now.sampling.repeats)
    assert sums() == before
    place = open_dataset(database, NAME)
    assert positions(database) == list(range(place.pairs))
    moments = [vote.recorded_at for vote in votes_export(database, NAME)]
    assert len(set(moments)) == len(moments) == place.votes


def test_others_write_while_a_file_is_made_ready(
    database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were any lock held, these writes would wait for the upload, which waits for them."""
    dataset(database)
    create_dataset(database, "other")
    real, other = prepared_module.lot, Database(database_url)

    def lot(*given: Any) -> int:
        with other.write() as connection:
            connection.execute(insert(ReplyRow).values(key=str(given), body="{}", at=0.0))
        return real(*given)

    monkeypatch.setattr(prepared_module, "lot", lot)
    with closing(other):
        assert upload(database, NAME, jsonl(tmp_path / "p.jsonl", ROWS)).pairs_added == 40
        add_pairs(other, NAME, pairs(1, 90))
    consistent(database)


@pytest.mark.postgres
def test_on_a_server_other_work_goes_on_while_a_file_goes_in(
    server: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, database_url = server, server.url.render_as_string(hide_password=False)
    dataset(database)
    create_dataset(database, "other")
    real, other = Prepared.copy, Database(database_url)

    def copy(self: Prepared, *given: Any) -> None:
        with other.write() as connection:
            connection.execute(insert(ReplyRow).values(key="alone", body="{}", at=0.0))
        add_pairs(other, "other", pairs(3))
        assert next_pair(other, "other", "ann") is not None
        real(self, *given)

    monkeypatch.setattr(Prepared, "copy", copy)
    with closing(other):
        assert upload(database, NAME, jsonl(tmp_path / "p.jsonl", ROWS)).pairs_added == 40
    consistent(database)


@pytest.mark.postgres
def test_on_a_server_writers_of_one_dataset_wait_for_each_other_and_go_by_a_later_clock(
    server: Database,
) -> None:
    database, database_url = server, server.url.render_as_string(hide_password=False)
    dataset(database)
    order: list[float] = []

    def second() -> None:
        with closing(Database(database_url)) as other, held(other, NAME) as then:
            order.extend((then.now, then.moment))

    with held(database, NAME) as first:
        waiting = threading.Thread(target=second)
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        released = time.time()
    waiting.join(10)
    assert order[0] >= released > first.now
    assert order[1] > first.moment


def test_people_may_answer_meanwhile(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (known, *_) = filled(database, 5)
    done = meanwhile(monkeypatch, lambda: (asked(database), add_votes(database, NAME, [_vote(known)])), times=9)
    report = upload(database, NAME, jsonl(tmp_path / "p.jsonl", ROWS))
    assert (report.pairs_added, report.votes_added, len(done)) == (35, 40, 1)
    consistent(database)


def _vote(pair: str) -> VoteIn:
    return VoteIn(pair=pair, annotator="bo", choice="tie")


def test_other_pairs_may_come_in_meanwhile(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset(database)
    done = meanwhile(monkeypatch, lambda: add_pairs(database, NAME, pairs(7, start=100)), times=9)
    assert upload(database, NAME, jsonl(tmp_path / "p.jsonl", ROWS)).pairs_added == 40
    assert (len(done), open_dataset(database, NAME).pairs) == (1, 47)
    consistent(database)


def test_pairs_of_the_file_that_come_in_meanwhile_are_there_once(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset(database)
    done = meanwhile(monkeypatch, lambda: add_pairs(database, NAME, pairs(10, start=35)))
    report = upload(database, NAME, jsonl(tmp_path / "p.jsonl", ROWS))
    assert (report.pairs_added, report.votes_added, len(done)) == (35, 40, 1)
    assert open_dataset(database, NAME).pairs == 45
    consistent(database)


def test_an_id_that_is_taken_meanwhile_is_a_fault(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset(database)
    taken = [pair.model_copy(update={"id": "p3"}) for pair in pairs(1, start=100)]
    meanwhile(monkeypatch, lambda: add_pairs(database, NAME, taken))
    with pytest.raises(FaultyRows, match=r'p.jsonl:4: "id" is "p3", which stands for other texts in the dataset'):
        upload(database, NAME, jsonl(tmp_path / "p.jsonl", ROWS))
    assert open_dataset(database, NAME).pairs == 1


def test_a_file_that_says_some_of_it_meanwhile_is_not_said_twice(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset(database)
    part = jsonl(tmp_path / "part.jsonl", ROWS[10:20])
    monkeypatch.setattr(uploading, "TRIES", 3)
    meanwhile(monkeypatch, lambda: upload(database, NAME, part))
    report = upload(database, NAME, jsonl(tmp_path / "p.jsonl", ROWS))
    assert (report.pairs_added, report.votes_added, report.known_rows) == (30, 30, 10)
    consistent(database)


def test_the_same_file_meanwhile_leaves_nothing_to_do(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset(database)
    path = jsonl(tmp_path / "p.jsonl", ROWS)
    meanwhile(monkeypatch, lambda: upload(database, NAME, path))
    assert upload(database, NAME, path).already
    consistent(database)


def test_one_that_never_gets_through_is_told_to_come_again(
    quick: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset(quick)
    monkeypatch.setattr(uploading, "TRIES", 3)
    given = iter(range(9))
    done = meanwhile(monkeypatch, lambda: add_pairs(quick, NAME, pairs(1, start=next(given))), times=9)
    with pytest.raises(Conflict, match="others kept adding the same pairs; send it again"):
        upload(quick, NAME, jsonl(tmp_path / "p.jsonl", ROWS))
    assert (len(done), open_dataset(quick, NAME).pairs) == (3, 3)


def test_a_dry_run_writes_nothing_at_all(quick: Database, tmp_path: Path) -> None:
    filled(quick, 5)
    with quick.read() as connection:
        before = connection.execute(select(func.count()).select_from(PairRow)).scalar_one()
    changed = open_dataset(quick, NAME).changed_at
    engine = quick._behind._engine  # type: ignore[union-attr]
    said: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda _c, _u, statement, *_: said.append(statement.split()[0]))
    report = upload(quick, NAME, jsonl(tmp_path / "p.jsonl", ROWS), dry_run=True)
    assert (report.pairs_added, report.votes_added, report.dry_run) == (35, 40, True)
    assert set(said) <= {"SELECT", "BEGIN"}
    with quick.read() as connection:
        assert connection.execute(select(func.count()).select_from(PairRow)).scalar_one() == before
    assert open_dataset(quick, NAME).changed_at == changed


def test_while_the_file_goes_in_nothing_is_read_or_worked_out_pair_by_pair(quick: Database, tmp_path: Path) -> None:
    """The writing transaction has a number of statements that grows with the handfuls of rows only."""
    dataset(quick)
    engine = quick._behind._engine  # type: ignore[union-attr]
    spans: list[list[str]] = []

    def note(_c: Any, _u: Any, statement: str, *_: Any) -> None:
        if statement.startswith("BEGIN"):
            spans.append([])
        if spans:
            spans[-1].append(statement)

    event.listen(engine, "before_cursor_execute", note)
    rows = [{**row, "id": f"q{n}", "a": f"{n} {row['a']}"} for n, row in enumerate(ROWS * 100)]
    upload(quick, NAME, jsonl(tmp_path / "p.jsonl", rows))
    [going_in] = [span for span in spans if any("open_pairs" in s and s.startswith("INSERT") for s in span)]
    assert len(going_in) < 30, Counter(s[:30] for s in going_in)


def test_votes_on_pairs_that_were_there_are_added_to_those_they_had(database: Database, tmp_path: Path) -> None:
    dataset(database, Sampling(share_repeat=0.0, repeats="latest"))
    placed = add_pairs(database, NAME, pairs(40))
    add_votes(database, NAME, [VoteIn(pair=placed[0].pair, annotator="ann0", choice="tie")])
    upload(database, NAME, jsonl(tmp_path / "p.jsonl", ROWS))
    consistent(database)
    with database.read() as connection:
        states = Counter(connection.execute(select(OpenPairRow.state)).scalars())
    assert states == {"known": 40}


def test_sides_and_lists_and_pairs_said_twice_add_up(database: Database, tmp_path: Path) -> None:
    rows = [
        {"a": "x", "b": "y", "votes": ["a", {"annotator": "ann", "preferred": "b", "reason": "so"}, "tie"]},
        {"a": "y", "b": "x", "preferred": "a", "votes": ["a", "a"], "reason": "beside"},
        {"a": "u", "b": "v", "votes": [{"annotator": "ann", "preferred": "b"}, {"annotator": "ann", "preferred": "a"}]},
    ]
    dataset(database)
    upload(database, NAME, jsonl(tmp_path / "p.jsonl", rows))
    consistent(database)
    with database.read() as connection:
        statements = connection.execute(select(StatementRow.listed, StatementRow.preferred).order_by(StatementRow.row))
        assert [tuple(r) for r in statements] == [(True, ""), (True, "b"), (True, "")]
        choices = connection.execute(select(VoteRow.choice).order_by(VoteRow.recorded_at)).scalars().all()
    assert choices == ["a", "b", "tie", "b", "b", "b", "a"], "in the order of the file"
    assert len(freeze(database, NAME).pairs) == 2


def test_long_reasons_are_copied_a_few_at_a_time(
    quick: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared_module, "COPIED_CHARS", 1000)
    dataset(quick)
    rows = [{**row, "reason": "because " * 60} for row in ROWS]
    upload(quick, NAME, jsonl(tmp_path / "p.jsonl", rows))
    assert {vote.reason for vote in votes_export(quick, NAME)} == {rows[0]["reason"]}
    consistent(quick)


def test_a_full_disk_beside_the_file_is_told_as_one(
    quick: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset(quick)
    monkeypatch.setattr(prepared_module, "_TABLES", (*prepared_module._TABLES, "PRAGMA max_page_count=8"))
    rows = [{**row, "id": json.dumps([n, "x" * 500]), "a": f"{n} {row['a']}"} for n, row in enumerate(ROWS * 5)]
    with pytest.raises(OSError, match="No space left") as told:
        upload(quick, NAME, jsonl(tmp_path / "p.jsonl", rows))
    assert told.value.errno == errno.ENOSPC
    assert open_dataset(quick, NAME).pairs == 0
