"""How far annotators agree, against the plain definitions and the krippendorff package."""

from __future__ import annotations

import itertools
import random
from typing import Any

import krippendorff  # type: ignore[import-untyped]  # ships no types
import numpy as np
import pytest
from annotation_bench import NAME, dataset, filled

import agents.agreement
from agents.pairs import Vote
from knowledge_base.errors import NotThere
from services.annotation import figures as figures_module
from services.annotation.dataset import Sampling
from services.annotation.figures import agreement, position_bias
from services.annotation.repeated import repeats
from services.annotation.vote import VoteIn
from services.annotation.votes import add_votes, withdraw
from services.database import Database

PEOPLE = ("ann", "bo", "cy")


def cast(database: Database, said: list[tuple[str, str, Any]], **more: Any) -> None:
    add_votes(database, NAME, [VoteIn(pair=p, annotator=n, choice=c, **more) for p, n, c in said])


def made_up(database: Database, count: int = 30) -> dict[str, dict[str, str]]:
    """Three people answer most of the pairs; returns who said what of each."""
    chance = random.Random(1)
    hashes = filled(database, count)
    said: dict[str, dict[str, str]] = {}
    for pair in hashes:
        right = chance.choice("ab")
        said[pair] = {n: right if chance.random() < 0.7 else chance.choice(["a", "b", "tie"]) for n in PEOPLE}
        if chance.random() < 0.3:
            said[pair].pop(chance.choice(PEOPLE))
    cast(database, [(p, n, c) for p, votes in said.items() for n, c in votes.items()])
    return said


def test_alpha_is_that_of_the_published_package(database: Database) -> None:
    said = made_up(database)
    found = agreement(database, NAME)
    code = {"a": 0, "b": 1, "tie": 2}
    mirror = {"a": "b", "b": "a", "tie": "tie"}
    # Sides are exchangeable, so every pair also counts with its sides exchanged.
    rows = [
        [code[v] if (v := votes.get(n)) else np.nan for votes in said.values()]
        + [code[mirror[v]] if (v := votes.get(n)) else np.nan for votes in said.values()]
        for n in PEOPLE
    ]
    expected = krippendorff.alpha(reliability_data=rows, level_of_measurement="nominal")
    assert found.alpha == pytest.approx(expected, abs=0.02)
    assert found.low is not None
    assert found.high is not None
    assert found.low < (found.alpha or 0) < found.high


def test_all_figures_are_those_of_the_pure_part(database: Database) -> None:
    said = made_up(database)
    ballots = [[Vote(preferred=c) for c in votes.values()] for _, votes in sorted(said.items())]  # type: ignore[arg-type]
    expected = agents.agreement.agreement(ballots)
    found = agreement(database, NAME)
    assert expected is not None
    assert (found.alpha, found.low, found.high, found.raw) == pytest.approx(
        (expected.alpha, expected.low, expected.high, expected.raw)
    )
    assert (found.pairs, found.votes) == (expected.pairs, expected.votes)


def test_each_annotator_is_set_against_the_others(database: Database) -> None:
    said = made_up(database)
    for one in agreement(database, NAME).annotators:
        shared = [v for v in said.values() if one.annotator in v and len(v) > 1]
        same = [np.mean([v[o] == v[one.annotator] for o in v if o != one.annotator]) for v in shared]
        assert one.with_others.n == len(shared)
        assert one.with_others.share == pytest.approx(np.mean(same))
        assert one.with_others.low < (one.with_others.share or 0) < one.with_others.high
        mine = [v[one.annotator] for v in said.values() if one.annotator in v]
        assert (one.votes, one.ties) == (len(mine), pytest.approx(mine.count("tie") / len(mine)))


def test_seconds_skips_and_flips_are_told(quick: Database) -> None:
    first, second, third = filled(quick, 3)
    for seconds, pair in ((5.0, first), (30.0, second), (10.0, third)):
        cast(quick, [(pair, "ann", "a")], seconds=seconds)
    cast(quick, [(first, "bo", "skip")], seconds=99.0)
    (ann, bo) = agreement(quick, NAME).annotators
    assert (ann.annotator, ann.votes, ann.seconds, ann.skips) == ("ann", 3, 10.0, 0)
    assert (bo.annotator, bo.votes, bo.seconds, bo.skips, bo.ties) == ("bo", 0, None, 1, 0.0)
    assert (ann.flips.share, ann.flips.n, ann.with_others.share) == (None, 0, None)


def test_planned_repeats_make_flips_and_changes_of_mind_do_not(quick: Database) -> None:
    from annotation_bench import asked

    filled(quick, 30, Sampling(share_repeat=0.5, repeat_after=3))
    for number in range(50):
        asked(quick, "ann", "first" if number % 2 else "tie")
    planned = repeats(quick, NAME, planned=True)
    cast(quick, [(planned[0].first.pair, "ann", "b"), (planned[0].first.pair, "ann", "a")])
    found = agreement(quick, NAME)
    assert found.flips.n == len(planned) == found.annotators[0].flips.n > 5
    assert found.flips.share == pytest.approx(np.mean([r.flipped for r in planned]))
    assert len(repeats(quick, NAME, planned=False)) == 2
    assert len(repeats(quick, NAME)) == len(planned) + 2


def test_without_two_votes_on_any_pair_there_is_no_agreement(database: Database) -> None:
    (pair,) = filled(database, 1)
    cast(database, [(pair, "ann", "a")])
    found = agreement(database, NAME)
    assert (found.alpha, found.low, found.high, found.raw, found.pairs) == (None, None, None, None, 0)
    assert len(found.annotators) == 1


def test_nothing_but_ties_is_no_alpha(quick: Database) -> None:
    (pair,) = filled(quick, 1)
    cast(quick, [(pair, n, "tie") for n in PEOPLE])
    found = agreement(quick, NAME)
    assert (found.alpha, found.raw, found.pairs) == (None, 1.0, 1)


def test_an_empty_dataset_has_no_figures(quick: Database) -> None:
    dataset(quick)
    assert agreement(quick, NAME).annotators == ()


def test_of_many_annotators_those_with_most_votes_are_told(quick: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures_module, "SHOWN", 2)
    hashes = filled(quick, 3)
    cast(quick, [(p, f"p{i}", "a") for i in range(4) for p in hashes[: i or 1]])
    found = agreement(quick, NAME)
    assert [a.annotator for a in found.annotators] == ["p3", "p2"]
    assert found.more == 2


def test_a_repeat_tells_both_votes_and_whether_the_order_was_the_same(database: Database) -> None:
    (pair,) = filled(database, 1)
    for at, (choice, shown) in enumerate([("a", "ab"), ("b", "ba"), ("b", ""), ("skip", "ab"), ("a", "ab")]):
        cast(database, [(pair, "ann", choice)], at=float(at), shown=shown)
    cast(database, [(pair, "", "a"), (pair, "", "b")])
    found = repeats(database, NAME)
    assert [(r.first.choice, r.second.choice, r.flipped, r.same_order) for r in found] == [
        ("a", "b", True, False), ("a", "b", True, None), ("a", "a", False, True),
    ]  # fmt: skip
    assert repeats(database, NAME, since=found[1].second.recorded_at) == found[2:]
    assert not any(r.planned for r in found)


@pytest.mark.parametrize("slip", [1, 2, 3])
def test_a_slip_among_repeats_counts_once(quick: Database, slip: int) -> None:
    (pair,) = filled(quick, 1)
    for at in range(5):
        cast(quick, [(pair, "ann", "b" if at == slip else "a")], at=float(at))
    assert [r.flipped for r in repeats(quick, NAME)] == [number == slip for number in range(1, 5)]


def test_repeats_are_held_against_the_first_answer_that_was_not_withdrawn(quick: Database) -> None:
    (pair,) = filled(quick, 1)
    for at, choice in enumerate("abb"):
        cast(quick, [(pair, "ann", choice)], at=float(at))
    assert [r.flipped for r in repeats(quick, NAME)] == [True, True]
    withdraw(quick, NAME, repeats(quick, NAME)[0].first.id)
    assert [(r.first.choice, r.second.choice) for r in repeats(quick, NAME)] == [("b", "b")]


def test_a_large_dataset_is_summed_up_pair_by_pair(quick: Database) -> None:
    hashes = filled(quick, 400)
    cast(quick, [(p, n, "ab"[i % 2]) for i, (p, n) in enumerate(itertools.product(hashes, PEOPLE))])
    assert agreement(quick, NAME).votes == 1200


def test_the_side_is_counted_of_answers_that_stand_and_whose_order_is_known(quick: Database) -> None:
    """A tie says nothing of the side; one's share of it is told alone if asked for."""
    hashes = filled(quick, 5)
    said = [("a", "ab"), ("b", "ba"), ("a", "ba"), ("tie", "ab"), ("b", "")]
    votes = [VoteIn(pair=p, annotator="ann", choice=c, shown=o) for p, (c, o) in zip(hashes, said, strict=True)]  # type: ignore[arg-type]
    ids = add_votes(quick, NAME, votes).ids
    add_votes(quick, NAME, [VoteIn(pair=hashes[0], annotator="bo", choice="b", shown="ab")])
    found = position_bias(quick, NAME, "ann")
    assert (found.first.share, found.first.n, found.ties) == (pytest.approx(2 / 3), 3, 1)
    assert position_bias(quick, NAME).first.n == 4
    withdraw(quick, NAME, ids[0])
    assert position_bias(quick, NAME, "ann").first.n == 2
    with pytest.raises(NotThere):
        position_bias(quick, "nothing")
