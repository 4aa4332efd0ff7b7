"""What is picked for its information misleads the plain share; the random sample and the weighing do not."""

from __future__ import annotations

import random

import numpy as np
import pytest
from annotation_bench import NAME, dataset, filled, pairs
from judged_pairs import judge, letter_set

from knowledge_base.errors import NotThere
from services.annotation.accuracy import set_accuracy, unbiased_accuracy
from services.annotation.answering import answer
from services.annotation.dataset import Sampling, open_dataset
from services.annotation.handing import next_pair
from services.annotation.judged import criteria_votes
from services.annotation.pairs import add_pairs
from services.annotation.vote import VoteIn
from services.annotation.votes import add_votes, withdraw
from services.database import Database

SET = letter_set("xyz")
X = SET.members[0].criterion.hash


def answered(database: Database, name: str, truth: dict[str, str], count: int) -> None:
    """Answer the next `count` pairs truthfully."""
    for _ in range(count):
        given = next_pair(database, name, "ann", criteria=SET)
        assert given is not None
        said = "first" if truth[given.pair] == given.shown[0] else "second"
        answer(database, name, given.id, "ann", said)


def made(database: Database, count: int, seed: int) -> tuple[list[str], dict[str, str]]:
    """Pairs on which three criteria are right most times, and on a third of the pairs only half of the time."""
    chance = random.Random(seed)
    hashes = filled(database, count, Sampling(share_random=0.25, share_repeat=0.0), secret=str(seed))
    truth = {h: chance.choice("ab") for h in hashes}
    right = [0.5 if i % 3 == 0 else 0.95 for i in range(count)]
    said = {
        letter: "".join(
            (truth[h] if chance.random() < p else "ba"["ab".index(truth[h])]).upper()
            for h, p in zip(hashes, right, strict=True)
        )
        for letter in "xyz"
    }
    judge(database, SET, hashes, said)
    return hashes, truth


def test_estimates_of_a_real_course_hold_the_truth_and_the_plain_share_is_too_low(quick: Database) -> None:
    hashes, truth = made(quick, 150, seed=3)
    answered(quick, NAME, truth, 70)
    told = set_accuracy(quick, NAME, SET)
    assert set(told) == {SET.version, *(m.criterion.hash for m in SET.members)}
    true = _true(quick, hashes, truth)
    for name, found in told.items():
        assert found.random.low <= true[name] <= found.random.high
        assert found.weighted.low <= true[name] <= found.weighted.high
        assert (found.population, found.naive.pairs, found.weighted.pairs) == (150, 70, 70)
        assert found.sampled == open_dataset(quick, NAME).sampled == found.random.pairs
        assert found.pending == 0
    shift = np.mean([found.naive.accuracy - true[name] for name, found in told.items()])
    assert shift < -0.02
    assert abs(np.mean([found.weighted.accuracy - true[n] for n, found in told.items()])) < abs(shift)


def _true(database: Database, hashes: list[str], truth: dict[str, str]) -> dict[str, float]:
    """The accuracies over all pairs, which a second dataset with every pair answered knows."""
    dataset(database, name="all")
    add_pairs(database, "all", pairs(len(hashes)))
    add_votes(database, "all", [VoteIn(pair=h, choice=c) for h, c in truth.items()])  # type: ignore[arg-type]
    return {name: found.naive.accuracy for name, found in set_accuracy(database, "all", SET).items()}


def test_once_all_are_answered_all_ways_agree_but_for_the_sample(quick: Database) -> None:
    hashes, truth = made(quick, 24, seed=5)
    answered(quick, NAME, truth, 24)
    found = set_accuracy(quick, NAME, SET)[X]
    assert found.weighted.accuracy == pytest.approx(found.naive.accuracy)
    assert found.weighted.high - found.weighted.low < 1e-6
    assert len(hashes) == found.population


def test_pairs_that_the_set_was_mined_from_are_left_out(quick: Database) -> None:
    hashes, truth = made(quick, 40, seed=6)
    answered(quick, NAME, truth, 40)
    whole = set_accuracy(quick, NAME, SET)[X]
    wrong = {h for h in hashes if _misses(quick, h, truth[h])}
    found = set_accuracy(quick, NAME, SET, wrong)[X]
    assert (whole.mined, found.mined, found.name) == (0, len(wrong), SET.members[0].criterion.name)
    assert 0 < whole.naive.accuracy < found.naive.accuracy == found.weighted.accuracy == 1.0
    assert set_accuracy(quick, NAME, SET, None)[X].mined is None


def _misses(database: Database, pair: str, truth: str) -> bool:
    with database.read() as connection:
        (sign,) = criteria_votes(connection, [X], [pair]).signs[:, 0].tolist()
    return bool(sign != {"a": 1, "b": -1}[truth])


def test_predictions_are_scored_against_what_most_votes_say(database: Database) -> None:
    hashes = filled(database, 5)
    said = [(0, "a"), (1, "b"), (2, "a"), (2, "b"), (3, "tie")]
    add_votes(database, NAME, [VoteIn(pair=hashes[i], annotator=f"{n}", choice=c) for n, (i, c) in enumerate(said)])  # type: ignore[arg-type]
    found = unbiased_accuracy(database, NAME, dict.fromkeys(hashes, 1))
    assert (found.naive.accuracy, found.naive.decided, found.naive.pairs) == (0.5, 2, 4)
    assert found.weighted.accuracy == 0.5, "nothing was drawn: what is known stands for itself"
    assert np.isnan(found.random.accuracy)
    assert unbiased_accuracy(database, NAME, {}).naive.decided == 0
    with pytest.raises(NotThere):
        unbiased_accuracy(database, "nothing", {})


def test_what_is_withdrawn_is_not_counted_and_pending_again(quick: Database) -> None:
    filled(quick, 6, Sampling(share_random=1.0, share_repeat=0.0))
    for _ in range(3):
        given = next_pair(quick, NAME, "ann")
        assert given is not None
        vote = answer(quick, NAME, given.id, "ann", "first")
    withdraw(quick, NAME, vote.id)
    found = unbiased_accuracy(quick, NAME, {})
    assert (found.sampled, found.pending, found.naive.pairs) == (3, 1, 2)


def test_estimates_can_be_sent_as_json(quick: Database) -> None:
    filled(quick, 2)
    assert '"accuracy":null' in unbiased_accuracy(quick, NAME, {}).model_dump_json()


def test_pairs_that_come_later_do_not_mislead(quick: Database) -> None:
    """Half of the pairs come in after the first draws; the weights of the answered ones add up to all pairs."""
    hashes, truth = made(quick, 30, seed=8)
    answered(quick, NAME, truth, 10)
    late = [p.pair for p in add_pairs(quick, NAME, pairs(30, start=30))]
    truth |= dict.fromkeys(late, "a")
    judge(quick, SET, late, dict.fromkeys("xyz", "A" * 30))
    add_votes(quick, NAME, [VoteIn(pair=late[0], annotator="bo", choice="a")])
    answered(quick, NAME, truth, 49)
    found = set_accuracy(quick, NAME, SET)[X]
    assert found.naive.pairs == found.population == 60
    assert found.weighted.accuracy == pytest.approx(found.naive.accuracy, abs=0.02)
    assert len(hashes) + len(late) == 60
