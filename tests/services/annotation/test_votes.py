"""Votes are kept for ever, once each, and nobody who asks what is new misses one."""

from __future__ import annotations

import io
import threading
from typing import Any

import pytest
from annotation_bench import NAME, filled
from pydantic import ValidationError
from sqlalchemy import select

from knowledge_base.errors import InputError, NotThere
from services.annotation import votes as votes_module
from services.annotation.dataset import Sampling, change_dataset, open_dataset
from services.annotation.tables import OpenPairRow
from services.annotation.uploading import upload
from services.annotation.vote import StoredVote, VoteIn
from services.annotation.votes import add_votes, votes_export, votes_since, withdraw
from services.database import Database


def cast(pair: str, annotator: str = "ann", choice: Any = "a", **more: Any) -> VoteIn:
    return VoteIn(pair=pair, annotator=annotator, choice=choice, **more)


def counted(database: Database, pair: str) -> tuple[int, int, int, int, str]:
    row = OpenPairRow
    query = select(row.voters, row.for_a, row.for_b, row.ties, row.state).where(row.pair == pair)
    with database.read() as connection:
        return tuple(connection.execute(query).one())  # type: ignore[return-value]


def test_a_vote_comes_out_as_it_went_in(database: Database) -> None:
    (pair,) = filled(database, 1)
    given = cast(pair, confidence=0.7, reason="línea\n二", seconds=12.5, at=1234.5, shown="ba", id="from-there-1")
    sent = add_votes(database, NAME, [given])
    (stored,) = votes_export(database, NAME)
    assert stored.model_dump(include=set(VoteIn.model_fields) - {"id"}) == given.model_dump(exclude={"id"})
    assert (stored.id, stored.source, stored.why, stored.probability) == (sent.ids[0], "import", "", None)
    assert stored.recorded_at == open_dataset(database, NAME).changed_at > 1e9


@pytest.mark.parametrize("again", [{"id": "mine"}, {"at": 5.0}])
def test_the_same_vote_sent_again_is_there_already(database: Database, again: dict[str, Any]) -> None:
    (pair,) = filled(database, 1)
    first = add_votes(database, NAME, [cast(pair, **again)])
    second = add_votes(database, NAME, [cast(pair, **again), cast(pair, **again)])
    assert (first.added, second.added, second.already) == (1, 0, 2)
    assert set(second.ids) == set(first.ids)
    assert open_dataset(database, NAME).votes == 1


def test_votes_without_id_or_time_are_new_each_time_and_both_stay(database: Database) -> None:
    (pair,) = filled(database, 1)
    add_votes(database, NAME, [cast(pair)])
    again = add_votes(database, NAME, [cast(pair, choice="b")])
    assert (again.added, again.repeats) == (1, 1)
    assert [v.choice for v in votes_export(database, NAME)] == ["a", "b"]
    assert counted(database, pair)[:4] == (1, 0, 1, 0)


def test_the_same_id_in_another_dataset_is_another_vote(quick: Database) -> None:
    from annotation_bench import dataset, pairs

    from services.annotation.pairs import add_pairs

    (pair,) = filled(quick, 1)
    dataset(quick, name="other")
    add_pairs(quick, "other", pairs(1))
    add_votes(quick, NAME, [cast(pair, id="1")])
    assert add_votes(quick, "other", [cast(pair, id="1")]).added == 1


def test_one_vote_on_a_pair_that_is_not_there_and_none_is_kept(database: Database) -> None:
    (pair,) = filled(database, 1)
    with pytest.raises(InputError, match=r"1 pairs are not in the dataset \('nowhere'\)"):
        add_votes(database, NAME, [cast(pair), cast("nowhere")])
    assert list(votes_export(database, NAME)) == []
    with pytest.raises(NotThere):
        add_votes(database, "nothing", [cast(pair)])


def test_a_vote_from_the_future_is_refused(quick: Database) -> None:
    (pair,) = filled(quick, 1)
    with pytest.raises(InputError, match="not later than now"):
        add_votes(quick, NAME, [cast(pair, at=9e10)])


@pytest.mark.parametrize(
    "wrong",
    [
        {"choice": "A"}, {"choice": "withdrawn"}, {"confidence": 1.1}, {"seconds": -1}, {"annotator": "n" * 201},
        {"reason": "r" * 100_001}, {"reason": "\x00"}, {"annotator": "\x00"}, {"pair": ""}, {"at": float("nan")},
        {"shown": "aa"}, {"other": 1}, {"seconds": float("inf")},
    ],
)  # fmt: skip
def test_a_vote_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        VoteIn.model_validate({"pair": "p", "choice": "a"} | wrong)


def test_too_many_votes_at_once_are_refused(quick: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    (pair,) = filled(quick, 1)
    monkeypatch.setattr(votes_module, "MOST", 2)
    with pytest.raises(InputError, match="3 votes in one call; send at most 2"):
        add_votes(quick, NAME, [cast(pair)] * 3)


def test_no_votes_are_no_change_of_any_pair(quick: Database) -> None:
    filled(quick, 1)
    assert add_votes(quick, NAME, []).added == 0


def test_a_withdrawn_vote_stays_on_record_and_stands_no_longer(database: Database) -> None:
    (pair,) = filled(database, 1)
    (vote,) = add_votes(database, NAME, [cast(pair)]).ids
    assert counted(database, pair) == (1, 1, 0, 0, "known")
    gone = withdraw(database, NAME, vote, annotator="ann", reason="misread")
    assert (gone.choice, gone.withdraws, gone.reason, gone.annotator) == ("withdrawn", vote, "misread", "ann")
    assert withdraw(database, NAME, vote) == gone
    with pytest.raises(InputError, match=r'the vote\'s "reason" is .*; remove NUL'):
        withdraw(database, NAME, vote, reason="\x00")
    assert [v.choice for v in votes_export(database, NAME)] == ["a", "withdrawn"]
    assert counted(database, pair)[:4] == (0, 0, 0, 0)


def test_only_ones_own_votes_and_no_withdrawals_are_withdrawn(quick: Database) -> None:
    (pair,) = filled(quick, 1)
    (vote,) = add_votes(quick, NAME, [cast(pair)]).ids
    with pytest.raises(InputError, match="not by 'bo'"):
        withdraw(quick, NAME, vote, annotator="bo")
    gone = withdraw(quick, NAME, vote)
    with pytest.raises(InputError, match="itself a withdrawal"):
        withdraw(quick, NAME, gone.id)
    with pytest.raises(NotThere, match="no vote 'other'"):
        withdraw(quick, NAME, "other")


def test_counts_follow_what_stands(database: Database) -> None:
    (pair,) = filled(database, 1)
    said = [("ann", "a"), ("bo", "b"), ("", "a"), ("", "tie"), ("ann", "tie"), ("cy", "skip")]
    for annotator, choice in said:
        add_votes(database, NAME, [cast(pair, annotator, choice)])
    assert counted(database, pair) == (4, 1, 1, 2, "known")


def test_counts_follow_the_rule_when_it_is_changed(database: Database) -> None:
    (pair,) = filled(database, 1)
    add_votes(database, NAME, [cast(pair, "ann", choice, at=at) for at, choice in enumerate(["a", "b", "tie"])])
    assert counted(database, pair)[:4] == (1, 0, 0, 1)
    change_dataset(database, NAME, sampling=Sampling(repeats="first"))
    assert counted(database, pair)[:4] == (1, 1, 0, 0)
    change_dataset(database, NAME, sampling=Sampling(repeats="all"))
    assert counted(database, pair)[:4] == (1, 1, 1, 1)


def test_who_goes_on_from_the_last_vote_seen_misses_none_and_sees_none_twice(database: Database) -> None:
    pairs = filled(database, 3)
    seen: list[StoredVote] = []
    for portion in range(4):
        add_votes(database, NAME, [cast(pairs[i % 3], f"p{portion}") for i in range(portion + 1)])
        after = seen[-1].recorded_at if seen else 0.0
        seen += votes_since(database, NAME, after)
    assert [v.id for v in seen] == [v.id for v in votes_export(database, NAME)]
    assert len({v.id for v in seen}) == len(seen) == 10
    assert votes_since(database, NAME, open_dataset(database, NAME).changed_at) == []
    assert len(votes_since(database, NAME, 0, limit=4)) == 4


def test_votes_of_one_call_and_of_one_file_have_moments_of_their_own(database: Database) -> None:
    """So a page of them can end anywhere."""
    pairs = filled(database, 3)
    add_votes(database, NAME, [cast(p, f"n{i}") for i in range(5) for p in pairs])
    upload(database, NAME, io.BytesIO(b'{"a": "x", "b": "y", "votes": ["a", "b", "a"]}\n' * 4), name="p.jsonl")
    seen: list[StoredVote] = []
    while page := votes_since(database, NAME, seen[-1].recorded_at if seen else 0.0, limit=4):
        seen += page
    assert len({v.id for v in seen}) == len(seen) == 27
    assert [v.annotator for v in seen[:15]] == [f"n{i}" for i in range(5) for _ in pairs]
    assert seen[-1].recorded_at <= open_dataset(database, NAME).changed_at


def test_voters_at_once_lose_nothing_and_a_reader_beside_them_misses_none(database: Database) -> None:
    pairs = filled(database, 2)
    done = threading.Event()
    seen: list[str] = []

    def write(name: str) -> None:
        for turn in range(8):
            add_votes(database, NAME, [cast(pairs[turn % 2], name)])

    def read() -> None:
        last = 0.0
        while True:
            ended = done.is_set()
            some = votes_since(database, NAME, last)
            seen.extend(v.id for v in some)
            last = some[-1].recorded_at if some else last
            if ended:
                return

    writers = [threading.Thread(target=write, args=(f"w{i}",)) for i in range(3)]
    reader = threading.Thread(target=read)
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert len(seen) == len(set(seen)) == 24 == open_dataset(database, NAME).votes
    assert counted(database, pairs[0])[:2] == (3, 3)


def test_an_export_goes_on_over_pages(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    (pair,) = filled(database, 1)
    add_votes(database, NAME, [cast(pair, f"p{i}") for i in range(7)])
    whole = [v.id for v in votes_export(database, NAME)]
    for page in (1, 3, 7):
        monkeypatch.setattr(votes_module, "PAGE", page)
        assert [v.id for v in votes_export(database, NAME)] == whole
    assert len(whole) == 7
