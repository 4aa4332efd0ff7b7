"""Who is handed what: nobody a pair twice, a known share by the random order, and what teaches most otherwise."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from annotation_bench import NAME, asked, dataset, filled, pairs
from sqlalchemy import select, update

from knowledge_base.errors import Conflict, InputError, NotThere
from services.annotation import windows as windows_module
from services.annotation.answering import answer, load_assignment
from services.annotation.assignment import Assignment
from services.annotation.dataset import Sampling, open_dataset
from services.annotation.figures import position_bias
from services.annotation.handing import next_pair
from services.annotation.pairs import add_pairs
from services.annotation.repeated import repeats
from services.annotation.tables import AssignmentRow, OpenPairRow
from services.annotation.vote import VoteIn
from services.annotation.votes import add_votes, votes_export, withdraw
from services.database import Database

Clock = Callable[[float], None]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Moves the clock on by so many seconds."""
    real, ahead = time.time, [0.0]
    monkeypatch.setattr("services.annotation.moment.time.time", lambda: real() + ahead[0])

    def move(seconds: float) -> None:
        ahead[0] += seconds

    return move


def places(database: Database) -> list[Any]:
    """All pairs in the random order."""
    row = OpenPairRow
    query = select(row.pair, row.state, row.why, row.drawn, row.left, row.probability, row.since, row.known)
    with database.read() as connection:
        return list(connection.execute(query.order_by(row.lot, row.position)))


def test_every_pair_is_handed_out_once_where_one_vote_is_wanted(database: Database) -> None:
    hashes = filled(database, 12)
    given = [asked(database, f"p{i % 3}") for i in range(12)]
    assert {g.pair for g in given if g} == set(hashes)
    assert asked(database, "p0") is None
    assert {v.why for v in votes_export(database, NAME)} <= {"random", "information"}


def test_the_texts_shown_and_the_answer_are_told_apart_by_the_order(database: Database) -> None:
    filled(database, 8)
    seen: set[str] = set()
    for _ in range(8):
        given = next_pair(database, NAME, "ann")
        assert given is not None
        seen.add(given.shown)
        first, second = (given.a, given.b) if given.shown == "ab" else (given.b, given.a)
        assert (given.task.first, given.task.second, given.task.assignment) == (first, second, given.id)
        assert not {"why", "probability", "shown", "pair"} & set(given.task.model_dump())
        vote = answer(database, NAME, given.id, "ann", "second", reason="r", seconds=3.0, confidence=0.5)
        assert vote.choice == given.shown[1]
        assert (vote.shown, vote.why, vote.probability) == (given.shown, given.why, given.probability)
        assert (vote.reason, vote.seconds, vote.confidence, vote.source) == ("r", 3.0, 0.5, "page")
    assert seen == {"ab", "ba"}


def test_asking_again_gives_the_same_pair_until_it_is_answered(database: Database) -> None:
    filled(database, 5)
    first = next_pair(database, NAME, "ann")
    assert first is not None
    turns = [next_pair(database, NAME, "ann") for _ in range(3)]
    assert turns == [first] * 3
    assert load_assignment(database, NAME, first.id) == first
    answer(database, NAME, first.id, "ann", "tie")
    after = next_pair(database, NAME, "ann")
    assert after is not None
    assert after.pair != first.pair


def test_a_pair_that_one_holds_is_not_handed_to_another(database: Database) -> None:
    filled(database, 3)
    given = [next_pair(database, NAME, f"p{i}") for i in range(4)]
    assert len({g.pair for g in given if g}) == 3
    assert given[3] is None


def test_what_is_not_answered_in_time_is_handed_to_the_next(database: Database, later: Clock) -> None:
    filled(database, 1, Sampling(lease_seconds=60, share_repeat=0))
    lost = next_pair(database, NAME, "ann")
    assert lost is not None
    assert next_pair(database, NAME, "bo") is None
    later(61)
    found = next_pair(database, NAME, "bo")
    assert found is not None
    assert (found.pair, found.why, found.probability) == (lost.pair, lost.why, lost.probability)
    assert next_pair(database, NAME, "ann") is None


def test_who_comes_back_after_the_lease_gets_the_pair_again_and_not_an_easier_one(
    database: Database, later: Clock
) -> None:
    filled(database, 9, Sampling(lease_seconds=60, share_repeat=0))
    lost = next_pair(database, NAME, "ann")
    later(61)
    again = next_pair(database, NAME, "ann")
    assert lost is not None
    assert again is not None
    assert (again.id, again.pair, again.shown) == (lost.id, lost.pair, lost.shown)
    assert again.until > lost.until


def test_an_answer_that_comes_late_is_kept_all_the_same(database: Database, later: Clock) -> None:
    (pair,) = filled(database, 1, Sampling(lease_seconds=60, share_repeat=0))
    lost = next_pair(database, NAME, "ann")
    later(61)
    found = next_pair(database, NAME, "bo")
    assert lost is not None
    assert found is not None
    answer(database, NAME, found.id, "bo", "first")
    answer(database, NAME, lost.id, "ann", "first")
    assert [v.annotator for v in votes_export(database, NAME)] == ["bo", "ann"]
    assert pair == found.pair


def test_a_lease_from_a_clock_that_ran_ahead_holds_nobody_up(database: Database, later: Clock) -> None:
    filled(database, 1, Sampling(lease_seconds=60, share_repeat=0))
    later(1_000_000)
    assert next_pair(database, NAME, "ann") is not None
    later(-1_000_000)
    assert next_pair(database, NAME, "bo") is not None


def test_an_assignment_is_one_vote_however_often_it_is_sent(database: Database) -> None:
    filled(database, 2)
    given = next_pair(database, NAME, "ann")
    assert given is not None
    first = answer(database, NAME, given.id, "ann", "first")
    assert answer(database, NAME, given.id, "ann", "first") == first
    with pytest.raises(Conflict, match=r"answered .* before; send a vote of its own"):
        answer(database, NAME, given.id, "ann", "second")
    assert open_dataset(database, NAME).votes == 1


def test_only_who_holds_an_assignment_answers_it(quick: Database) -> None:
    filled(quick, 1)
    given = next_pair(quick, NAME, "ann")
    assert given is not None
    with pytest.raises(InputError, match="not handed to 'bo'"):
        answer(quick, NAME, given.id, "bo", "first")
    for wrong in ("nothing", ""):
        with pytest.raises(NotThere, match="no assignment"):
            answer(quick, NAME, wrong, "ann", "first")
        with pytest.raises(NotThere, match="no assignment"):
            load_assignment(quick, NAME, wrong)


@pytest.mark.parametrize(
    "wrong", [{"confidence": 2.0}, {"seconds": -1.0}, {"reason": "\x00"}, {"reason": "r" * 100_001}]
)
def test_an_answer_that_cannot_be_is_refused_and_the_pair_stays_held(quick: Database, wrong: dict[str, Any]) -> None:
    filled(quick, 1)
    given = next_pair(quick, NAME, "ann")
    assert given is not None
    with pytest.raises(InputError, match=f'the vote\'s "{next(iter(wrong))}" is'):
        answer(quick, NAME, given.id, "ann", "first", **wrong)
    assert next_pair(quick, NAME, "ann") == given


@pytest.mark.parametrize("name", ["", " ", "n" * 201, "a\x00"])
def test_an_annotator_has_a_name(quick: Database, name: str) -> None:
    filled(quick, 1)
    with pytest.raises(InputError, match="the annotator is"):
        next_pair(quick, NAME, name)
    with pytest.raises(NotThere):
        next_pair(quick, "nothing", "ann")


def test_a_skipped_pair_goes_to_others_and_not_back(database: Database) -> None:
    (pair,) = filled(database, 1)
    assert asked(database, "ann", "skip") is not None
    assert next_pair(database, NAME, "ann") is None
    other = asked(database, "bo", "first")
    assert other is not None
    assert other.pair == pair


def test_a_pair_whose_only_vote_was_withdrawn_is_asked_about_again(database: Database) -> None:
    (pair,) = filled(database, 1)
    given = asked(database, "ann")
    assert given is not None
    assert next_pair(database, NAME, "bo") is None
    withdraw(database, NAME, f"v{given.id}")
    found = next_pair(database, NAME, "bo")
    assert found is not None
    assert found.pair == pair


def test_several_people_see_each_pair_where_they_are_wanted_and_nobody_twice(database: Database) -> None:
    hashes = filled(database, 5, Sampling(votes_wanted=3, share_repeat=0))
    given = [asked(database, f"p{i % 3}") for i in range(40)]
    seen = Counter((g.pair, g.annotator) for g in given if g)
    assert set(seen.values()) == {1}
    assert Counter(pair for pair, _ in seen) == dict.fromkeys(hashes, 3)
    assert sum(g.why == "further" for g in given if g) == 10


def test_no_more_people_hold_a_pair_than_are_wanted(database: Database) -> None:
    filled(database, 1, Sampling(votes_wanted=2, share_repeat=0))
    asked(database, "p0")
    given = [next_pair(database, NAME, f"p{i}") for i in range(1, 4)]
    assert [g is not None for g in given] == [True, False, False]


def test_both_orders_are_shown_equally_often_of_each_pair(quick: Database) -> None:
    filled(quick, 6, Sampling(votes_wanted=4, share_repeat=0))
    given = [asked(quick, f"p{i % 4}") for i in range(24)]
    shown: dict[str, Counter[str]] = {}
    for one in given:
        assert one is not None
        shown.setdefault(one.pair, Counter())[one.shown] += 1
    assert all(counts == {"ab": 2, "ba": 2} for counts in shown.values())


def test_contested_pairs_get_further_votes_before_settled_ones(quick: Database) -> None:
    hashes = filled(quick, 30, Sampling(votes_wanted=3, share_repeat=0))
    for number, pair in enumerate(hashes):
        second = "b" if number < 15 else "a"
        add_votes(quick, NAME, [VoteIn(pair=pair, annotator="x", choice="a")])
        add_votes(quick, NAME, [VoteIn(pair=pair, annotator="y", choice=second)])  # type: ignore[arg-type]
    first = [asked(quick, "ann") for _ in range(15)]
    contested = sum(g is not None and g.pair in hashes[:15] for g in first)
    assert contested >= 8
    assert {g.why for g in first if g} == {"further"}


def test_pairs_that_were_answered_elsewhere_need_no_asking(database: Database) -> None:
    first, second = filled(database, 2)
    add_votes(database, NAME, [VoteIn(pair=first, annotator="file", choice="a")])
    given = asked(database)
    assert given is not None
    assert given.pair == second
    assert next_pair(database, NAME, "ann") is None


def shares(database: Database, count: int, **sampling: Any) -> list[Assignment]:
    filled(database, count, Sampling(**{"share_repeat": 0.0, **sampling}))
    return [g for _ in range(count) if (g := asked(database)) is not None]


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_random_order_is_gone_through_at_its_share(quick: Database, share: float) -> None:
    given = shares(quick, 80, share_random=share)
    assert len(given) == 80
    place = open_dataset(quick, NAME)
    assert abs(place.sampled - 80 * share) <= 10
    order = places(quick)
    assert {p.pair for p in order if p.why == "random"} <= {p.pair for p in order[: place.sampled]}
    assert (sum(g.why == "random" for g in given) > 0) == (share > 0)


def test_the_random_sample_is_known_before_anything_is_answered(quick: Database) -> None:
    """It follows from secret and texts: not from answers, nor from what criteria say."""
    hashes = filled(quick, 40, secret="s1")
    order = [p.pair for p in places(quick)]
    assert order != hashes
    for number in range(40):
        asked(quick, f"p{number % 3}", "first" if number % 2 else "skip")
    assert [p.pair for p in places(quick)] == order


def test_chance_follows_from_the_secret(quick: Database, tmp_path: Any) -> None:
    runs = []
    for number, secret in enumerate(["one", "one", "two"]):
        other = Database(f"sqlite:///{tmp_path / f'{number}.sqlite'}").create()
        filled(other, 20, secret=secret)
        runs.append([(g.pair, g.shown, g.why) for _ in range(20) if (g := asked(other))])
        other.close()
    assert runs[0] == runs[1] != runs[2]


def test_draws_are_numbered_and_each_has_the_chance_it_was_drawn_with(database: Database) -> None:
    given = shares(database, 25)
    order = places(database)
    drawn = sorted((p for p in order if p.drawn is not None), key=lambda p: p.drawn)
    assert [p.drawn for p in drawn] == list(range(25))
    assert [p.left for p in drawn] == list(range(25, 0, -1))
    assert [p.probability for p in drawn] == [g.probability for g in given]
    # Without criteria all fresh pairs are alike, so that every draw is uniform whichever way it went.
    assert [p.probability for p in drawn] == pytest.approx([1 / p.left for p in drawn])
    assert open_dataset(database, NAME).draws == 25


@pytest.mark.parametrize("window", [1, 3, 7])
def test_a_window_smaller_than_the_dataset_leaves_draws_uniform(
    quick: Database, monkeypatch: pytest.MonkeyPatch, window: int
) -> None:
    monkeypatch.setattr(windows_module, "WINDOW", window)
    monkeypatch.setattr("services.annotation.handing.WINDOW", window)
    given = shares(quick, 20)
    assert len({g.pair for g in given}) == 20
    assert [g.probability for g in given] == pytest.approx([1 / left for left in range(20, 0, -1)])


def test_pairs_that_come_in_behind_the_random_order_are_caught_up_with(quick: Database) -> None:
    filled(quick, 10, Sampling(share_random=1.0, share_repeat=0))
    for _ in range(10):
        asked(quick)
    add_pairs(quick, NAME, pairs(30, start=10))
    before = places(quick)
    behind = {p.pair for p in before[:10] if p.state == "fresh"}
    caught = [g for _ in range(len(behind)) if (g := asked(quick)) is not None]
    assert {g.pair for g in caught} == behind
    assert {(g.why, g.probability) for g in caught} == {("random", None)}
    after = asked(quick)
    assert after is not None
    assert after.probability == pytest.approx(1 / (30 - len(behind)))
    assert {p.since for p in places(quick)} == {0, 10}
    assert [p.known for p in places(quick) if p.pair in behind] == [10] * len(behind)
    assert open_dataset(quick, NAME).sampled == 11


REPEATING = Sampling(share_repeat=0.5, repeat_after=5)


def test_some_pairs_are_shown_again_to_who_answered_them_long_enough_ago(database: Database) -> None:
    filled(database, 40, REPEATING)
    given = [g for _ in range(50) if (g := asked(database)) is not None]
    again = [g for g in given if g.why == "repeat"]
    assert 8 <= len(again) <= 35
    for one in again:
        turns = [i for i, g in enumerate(given) if g.pair == one.pair and g.occasion < one.occasion]
        assert given.index(one) - max(turns) > REPEATING.repeat_after
    assert Counter(g.occasion for g in again)[1] == len(again), "none is repeated twice while others were not at all"
    found = repeats(database, NAME, planned=True)
    assert [r.second.pair for r in found] == [g.pair for g in again]


def test_nothing_is_repeated_that_others_answered_or_that_was_skipped(quick: Database) -> None:
    filled(quick, 30, REPEATING)
    for _ in range(10):
        asked(quick, "bo")
    given = [g for _ in range(20) if (g := asked(quick, "ann", "skip")) is not None]
    assert all(g.why != "repeat" for g in given)


def test_repeats_are_no_further_votes_and_leave_the_draws_alone(quick: Database) -> None:
    filled(quick, 12, REPEATING)
    for _ in range(30):
        asked(quick)
    assert open_dataset(quick, NAME).draws == 12
    with quick.read() as connection:
        rows = list(connection.execute(select(AssignmentRow.slot, AssignmentRow.occasion)))
    assert all((row.slot is None) == (row.occasion > 0) for row in rows)


def test_no_pair_is_repeated_before_anything_else_is_answered(quick: Database) -> None:
    filled(quick, 2, REPEATING)
    given = [asked(quick) for _ in range(6)]
    assert sum(g is not None for g in given) == 2


def test_people_who_always_take_the_first_text_are_found_out(quick: Database) -> None:
    filled(quick, 40)
    for number in range(40):
        asked(quick, "ann", "first" if number % 8 else "tie")
    bias = position_bias(quick, NAME)
    assert (bias.first.share, bias.first.n, bias.ties) == (1.0, 35, 5)
    assert bias.p_value is not None
    assert bias.p_value < 1e-6
    assert position_bias(quick, NAME, "bo").first.share is None


def test_a_slot_of_a_pair_is_held_by_one_even_if_the_reckoning_were_wrong(database: Database) -> None:
    """The database itself refuses a second holder of a slot."""
    from sqlalchemy.exc import IntegrityError

    filled(database, 2, Sampling(votes_wanted=2, share_repeat=0))
    given = [next_pair(database, NAME, name) for name in ("ann", "bo")]
    assert all(given)
    pair = given[0].pair if given[0] else ""
    with pytest.raises(IntegrityError), database.write() as connection:
        connection.execute(update(AssignmentRow).values(pair=pair, slot=0))


def test_a_dataset_without_pairs_has_nothing_to_hand_out(database: Database) -> None:
    dataset(database)
    assert next_pair(database, NAME, "ann") is None
