"""With a criteria set, pairs whose label tells most are drawn more often, with chances that are known."""

from __future__ import annotations

import numpy as np
import pytest
from annotation_bench import NAME, PLAIN, asked, dataset, filled, pairs
from judged_pairs import judge, letter_set

from agents.next_pair import PRIOR_RIGHT, PRIOR_WRONG
from services.annotation import judged as judged_module
from services.annotation.dataset import Sampling
from services.annotation.handing import next_pair
from services.annotation.judged import answered_signs, criteria_votes, judged, sign_of
from services.annotation.pairs import add_pairs
from services.annotation.vote import VoteIn
from services.annotation.votes import add_votes
from services.database import Database

SET = letter_set("xy", right=30, decided=40)
X, Y = (member.criterion.hash for member in SET.members)


def test_pairs_on_which_criteria_disagree_are_drawn_before_those_on_which_they_agree(quick: Database) -> None:
    good = letter_set("xy", right=80, decided=90)
    hashes = filled(quick, 60, Sampling(share_random=0.0, share_repeat=0.0))
    judge(quick, good, hashes, {"x": "A" * 60, "y": "A" * 30 + "B" * 30})
    drawn = [given for i in range(20) if (given := next_pair(quick, NAME, f"p{i}", criteria=good))]
    assert len(drawn) == 20
    assert sum(given.pair in hashes[30:] for given in drawn) >= 17
    first = drawn[0]
    assert ((first.probability or 0) > 1 / 60) == (first.pair in hashes[30:])


def test_pairs_that_nobody_judged_are_neither_favoured_nor_left_out(quick: Database) -> None:
    hashes = filled(quick, 40, Sampling(share_random=0.0, share_repeat=0.0))
    judge(quick, SET, hashes, {"x": "A" * 20 + " " * 20, "y": "B" * 20 + " " * 20})
    drawn = [next_pair(quick, NAME, f"p{i}", criteria=SET) for i in range(20)]
    without = sum(g is not None and g.pair in hashes[20:] for g in drawn)
    assert 4 <= without <= 16


def test_without_any_judgment_a_set_changes_nothing(quick: Database) -> None:
    filled(quick, 10)
    given = next_pair(quick, NAME, "ann", criteria=SET)
    assert given is not None
    assert given.probability == pytest.approx(0.1)


def test_recorded_chances_are_those_with_which_pairs_are_drawn(
    quick: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1 / chance, averaged over many secrets, is the number of pairs; so is what it weighs any one pair to."""
    for place in ("windows", "handing"):
        monkeypatch.setattr(f"services.annotation.{place}.WINDOW", 3)
    weights, first = [], []
    for number in range(200):
        name = f"n{number}"
        dataset(quick, Sampling(share_random=0.3, share_repeat=0.0), name=name, secret=f"secret {number}")
        hashes = [p.pair for p in add_pairs(quick, name, pairs(7))]
        if not number:
            judge(quick, SET, hashes, {"x": "AAAAAA-", "y": "ABAAAA-"})
        given = next_pair(quick, name, "ann", criteria=SET)
        assert given is not None
        assert given.probability is not None
        weights.append(1 / given.probability)
        first.append(weights[-1] * (given.pair == hashes[1]))
    for weighed, expected in ((np.array(weights), 7), (np.array(first), 1)):
        assert weighed.mean() == pytest.approx(expected, abs=4 * weighed.std() / np.sqrt(200))
    assert np.array(weights).std() > 0.5, "all alike would prove nothing"


def test_votes_of_criteria_merge_orders_and_leave_out_what_is_no_evidence(database: Database) -> None:
    hashes = filled(database, 3)
    judge(database, SET, hashes, {"x": "A?-", "y": "BB "})
    with database.read() as connection:
        votes = criteria_votes(connection, [X, Y], hashes)
    assert votes.signs.tolist() == [[1, 0, 0], [-1, -1, 0]]
    assert (votes.states > 0).tolist() == [[True, False, True], [True, True, False]]


def test_the_belief_comes_from_the_votes_of_the_dataset_once_it_has_some(database: Database) -> None:
    hashes = filled(database, 4)
    judge(database, SET, hashes, {"x": "AAAA", "y": "BBB-"})
    before = judged(database, NAME, SET)
    assert before is not None
    assert (before.belief.right.tolist(), before.belief.wrong.tolist()) == (
        [30 + PRIOR_RIGHT] * 2,
        [10 + PRIOR_WRONG] * 2,
    )
    said = [VoteIn(pair=h, annotator="ann", choice=c) for h, c in zip(hashes, ("a", "a", "b", "tie"), strict=True)]  # type: ignore[arg-type]
    add_votes(database, NAME, said)
    after = judged(database, NAME, SET)
    assert after is not None
    assert after.criteria == (X, Y)
    assert after.belief.right.tolist() == [PRIOR_RIGHT + 2, PRIOR_RIGHT + 1]
    assert after.belief.wrong.tolist() == [PRIOR_WRONG + 1, PRIOR_WRONG + 2]


def test_a_belief_is_formed_again_only_as_votes_grow_by_a_twentieth(
    quick: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    formed: list[str] = []
    real = judged_module._form
    monkeypatch.setattr(judged_module, "_form", lambda c, d, s: (formed.append(d), real(c, d, s))[1])
    hashes = filled(quick, 1)
    for number in range(120):
        add_votes(quick, NAME, [VoteIn(pair=hashes[0], annotator=f"p{number}", choice="a")])
        judged(quick, NAME, SET)
    assert 30 < len(formed) < 80
    monkeypatch.setattr(judged_module, "_KEPT", 2)
    for seed in range(5):
        judged(quick, NAME, letter_set("x", seed=seed))
    assert len(judged_module._FORMED) == 2


def test_no_set_is_no_belief(quick: Database) -> None:
    filled(quick, 1)
    assert judged(quick, NAME, None) is None
    assert judged(quick, NAME, letter_set("")) is None


@pytest.mark.parametrize(
    ("counts", "sign"),
    [((2, 1, 0), 1), ((1, 2, 1), -1), ((1, 1, 0), 0), ((1, 0, 1), 0), ((0, 0, 3), 0), ((2, 2, 1), 0)],
)
def test_the_answer_with_most_votes_counts(counts: tuple[int, int, int], sign: int) -> None:
    assert sign_of(*counts) == sign


def test_answered_pairs_come_in_the_random_order_so_that_the_first_favour_none(quick: Database) -> None:
    filled(quick, 12, PLAIN)
    for _ in range(9):
        asked(quick)
    with quick.read() as connection:
        dataset_id = str(connection.exec_driver_sql("SELECT id FROM open_datasets").scalar_one())
        order = list(answered_signs(connection, dataset_id))
        lots = dict(connection.exec_driver_sql("SELECT pair, lot FROM open_pairs").all())  # type: ignore[arg-type]
        assert list(answered_signs(connection, dataset_id, 4)) == order[:4]
    assert order == sorted(order, key=lambda pair: lots[pair])
    assert len(order) == 9
