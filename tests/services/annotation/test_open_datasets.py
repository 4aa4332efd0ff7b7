"""Datasets that grow: made once under a name, found by it, filled with pairs that are never taken in twice."""

from __future__ import annotations

import time

import pytest
from annotation_bench import NAME, PLAIN, dataset, pairs
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agents.pairs import Pair
from knowledge_base.errors import Conflict, InputError, NotThere
from services.annotation import moment as moments
from services.annotation.dataset import Sampling, change_dataset, create_dataset, list_datasets, open_dataset
from services.annotation.lots import lot, token, uniform
from services.annotation.moment import TICK, held
from services.annotation.pairs import PairIn, add_pairs
from services.database import Database


def test_a_dataset_is_found_by_name_and_by_id(database: Database) -> None:
    made = create_dataset(database, "web pairs.v2", "What?", domain="web", created_by="key-1", sampling=PLAIN)
    assert open_dataset(database, "web pairs.v2") == open_dataset(database, made.id) == made
    assert (made.domain, made.created_by, made.pairs, made.votes, made.sampling) == ("web", "key-1", 0, 0, PLAIN)


def test_a_name_is_given_once(database: Database) -> None:
    dataset(database)
    with pytest.raises(Conflict, match="'pairs' already"):
        create_dataset(database, NAME, "another")
    assert len(list_datasets(database)) == 1


@pytest.mark.parametrize("name", ["", " x", "a/b", "x" * 101, "näme", "d0123456789abcdef", "a" * 16, "a\x00"])
def test_a_name_that_would_not_do_in_an_address_or_reads_like_an_id_is_refused(quick: Database, name: str) -> None:
    with pytest.raises(InputError, match="name of the dataset"):
        create_dataset(quick, name)


def test_an_unknown_domain_is_refused_with_those_that_are_known(quick: Database) -> None:
    with pytest.raises(InputError, match="'poems'; use one of web, answers"):
        create_dataset(quick, "x", domain="poems")


@pytest.mark.parametrize("name", ["nothing", "a\x00b", ""])
def test_a_dataset_that_is_not_there_is_named(database: Database, name: str) -> None:
    with pytest.raises(NotThere, match="there is no dataset"):
        open_dataset(database, name)


def test_datasets_are_listed_by_name_a_page_at_a_time(database: Database) -> None:
    for name in ("c", "a", "b"):
        dataset(database, name=name)
    assert [d.name for d in list_datasets(database, limit=2)] == ["a", "b"]
    assert [d.name for d in list_datasets(database, after="b")] == ["c"]


def test_description_and_sampling_can_be_changed(database: Database) -> None:
    dataset(database)
    changed = change_dataset(database, NAME, description="Other?", sampling=Sampling(votes_wanted=3))
    assert (changed.description, changed.sampling.votes_wanted) == ("Other?", 3)
    assert change_dataset(database, NAME) == changed


def test_of_the_sampling_only_what_is_given_is_changed(database: Database) -> None:
    dataset(database, Sampling(votes_wanted=3, repeats="first"))
    changed = change_dataset(database, NAME, sampling=Sampling(share_random=0.5)).sampling
    assert changed == Sampling(votes_wanted=3, repeats="first", share_random=0.5)
    with pytest.raises(NotThere):
        change_dataset(database, "nothing", description="x")


@pytest.mark.parametrize("wrong", [{"share_random": 1.5}, {"votes_wanted": 0}, {"lease_seconds": 0}, {"other": 1}])
def test_a_sampling_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Sampling.model_validate(wrong)


def test_pairs_are_placed_in_the_order_of_their_coming_under_the_hash_that_judges_know(database: Database) -> None:
    dataset(database)
    placed = add_pairs(database, NAME, [PairIn(a="x", b="y", prompt="p"), PairIn(a="u", b="v")])
    assert placed[0].pair == Pair(id="-", a="x", b="y", prompt="p", preferred="tie").hash
    assert [p.added for p in placed] == [True, True]
    assert open_dataset(database, NAME).pairs == 2


def test_a_pair_that_is_there_is_not_added_again_whichever_way_round_it_comes(database: Database) -> None:
    dataset(database)
    first, same, turned = add_pairs(database, NAME, [PairIn(a="x", b="y"), PairIn(a="x", b="y"), PairIn(a="y", b="x")])
    assert (first.added, same.added, turned.added) == (True, False, False)
    assert (same.swapped, turned.swapped) == (False, True)
    assert first.pair == same.pair == turned.pair
    (later,) = add_pairs(database, NAME, [PairIn(a="y", b="x")])
    assert (later.added, later.swapped, later.pair) == (False, True, first.pair)
    assert open_dataset(database, NAME).pairs == 1


def test_the_same_texts_may_stand_in_two_datasets(database: Database) -> None:
    for name in ("one", "two"):
        dataset(database, name=name)
        assert add_pairs(database, name, pairs(2))[0].added


def test_an_id_stands_for_one_pair_and_a_call_that_breaks_that_adds_nothing(database: Database) -> None:
    dataset(database)
    add_pairs(database, NAME, [PairIn(a="x", b="y", id="1")])
    with pytest.raises(InputError, match=r"pair 1: .*'1', which stands for other texts"):
        add_pairs(database, NAME, [PairIn(a="new", b="one"), PairIn(a="u", b="v", id="1")])
    with pytest.raises(InputError, match="'2', which stands for other texts"):
        add_pairs(database, NAME, [PairIn(a="new", b="one", id="2"), PairIn(a="u", b="v", id="2")])
    assert open_dataset(database, NAME).pairs == 1


@pytest.mark.parametrize(
    ("pair", "told"),
    [
        (PairIn(a=" ", b="y"), '"a" is blank'),
        (PairIn(a="x", b="x"), "the same text"),
        (PairIn(a="x", b="y", prompt="p" * 5_000_001), '"prompt" is 5000001 bytes'),
    ],
)
def test_a_pair_that_cannot_be_compared_is_refused(quick: Database, pair: PairIn, told: str) -> None:
    dataset(quick)
    with pytest.raises(InputError, match=f"pair 0: {told}|pair 0: .*{told}"):
        add_pairs(quick, NAME, [pair])


def test_texts_without_nul_only() -> None:
    with pytest.raises(ValidationError, match="NUL"):
        PairIn(a="x\x00", b="y")


def test_every_write_has_a_moment_of_its_own_later_than_all_before(database: Database) -> None:
    dataset(database)
    seen = [open_dataset(database, NAME).changed_at]
    for _ in range(5):
        with held(database, NAME) as now:
            seen.append(now.moment)
    assert seen == sorted(set(seen))
    assert open_dataset(database, NAME).changed_at == seen[-1]


def test_a_clock_that_was_set_back_takes_no_moment_back(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset(database)
    before = open_dataset(database, NAME).changed_at
    real = time.time
    monkeypatch.setattr(moments.time, "time", lambda: real() - 86_400)
    with held(database, NAME) as now:
        assert before < now.moment <= before + 2 * TICK
        assert now.now < before


def test_moments_of_other_datasets_do_not_move(database: Database) -> None:
    dataset(database)
    other = dataset(database, name="other")
    add_pairs(database, NAME, pairs(1))
    assert open_dataset(database, "other").changed_at == other.changed_at


@given(st.text(max_size=10), st.text(max_size=10))
def test_lots_repeat_themselves_and_depend_on_the_secret(secret: str, name: str) -> None:
    if any("\ud800" <= c <= "\udfff" for c in secret + name):
        return
    assert lot(secret, name) == lot(secret, name)
    assert 0 <= uniform(secret, name) < 1
    assert lot(secret, name) != lot(secret + "x", name)
    assert lot(secret, name, 1) != lot(secret, name, "1")
    assert len(token(secret, name)) == 32


def test_lots_are_spread_evenly() -> None:
    drawn = [uniform("s", i) for i in range(2000)]
    assert all(abs(sum(low <= d < low + 0.1 for d in drawn) - 200) < 60 for low in (i / 10 for i in range(10)))
