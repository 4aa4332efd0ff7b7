"""Agreement is Krippendorff's alpha, whatever side a text stands on."""

import math

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.agreement import Agreement, agreement
from agents.pairs import Vote

answers = st.sampled_from(["a", "b", "tie"])
ballots = st.lists(st.lists(answers, min_size=0, max_size=6), min_size=1, max_size=15)
OTHER: dict[str, str] = {"a": "b", "b": "a", "tie": "tie"}


def cast(ballots: list[list[str]]) -> list[list[Vote]]:
    return [[Vote.model_validate({"preferred": answer}) for answer in ballot] for ballot in ballots]


def measured(*ballots: str) -> Agreement:
    """Agreement of ballots written as in `aab`, t being a tie."""
    letters = {"a": "a", "b": "b", "t": "tie"}
    found = agreement(cast([[letters[letter] for letter in ballot] for ballot in ballots]))
    assert found is not None
    return found


def reference(ballots: list[list[str]]) -> float:
    counts = [[ballot.count(o) for o in ("a", "b", "tie")] for ballot in ballots if len(ballot) > 1]
    return float(krippendorff.alpha(value_counts=np.array(counts), level_of_measurement="nominal"))


def test_full_agreement_is_one_even_if_one_side_always_wins() -> None:
    assert (measured("aa", "aaa").alpha, measured("aa", "aaa").raw) == (1.0, 1.0)


def test_a_one_sided_file_is_not_punished_for_being_one_sided() -> None:
    one_sided = measured(*["aaa"] * 9, "aab")
    mixed = measured(*["aaa", "bbb"] * 4, "bbb", "aab")
    assert one_sided.raw == pytest.approx(mixed.raw)
    assert one_sided.alpha == pytest.approx(mixed.alpha)
    assert one_sided.alpha > 0.8


def test_raw_agreement_is_the_share_of_agreeing_annotators() -> None:
    assert measured("aab", "ab").raw == pytest.approx((1 / 3 + 0) / 2)


def test_chance_is_about_zero() -> None:
    rng = np.random.default_rng(1)
    guesses = ["".join(rng.choice(["a", "b", "t"], size=4)) for _ in range(2000)]
    found = measured(*guesses)
    assert abs(found.alpha) < 0.03
    assert found.low < 0 < found.high or abs(found.alpha) < 0.01


def test_pairs_with_one_vote_say_nothing() -> None:
    assert agreement(cast([["a"], [], ["tie"]])) is None
    assert agreement([]) is None
    assert (measured("ab", "a", "aa").pairs, measured("ab", "a", "aa").votes) == (2, 4)


def test_alpha_is_unknown_where_every_vote_is_a_tie() -> None:
    assert math.isnan(measured("tt", "ttt").alpha)
    assert measured("tt", "ttt").raw == 1.0


@given(ballots)
@settings(deadline=None)
def test_alpha_is_the_librarys_where_a_and_b_are_equally_frequent(ballots: list[list[str]]) -> None:
    balanced = ballots + [[OTHER[answer] for answer in ballot] for ballot in ballots]
    found = agreement(cast(balanced), resamples=1)
    if found is not None and not math.isnan(found.alpha):
        assert found.alpha == pytest.approx(reference(balanced))


def test_krippendorffs_binary_example_with_sides_exchangeable() -> None:
    """Krippendorff 2011, "Computing Krippendorff's alpha-reliability", section A: alpha .095 from marginals 14 and 6.

    Its coincidences hold 8 disagreements among 20 values; with marginals 10 and 10 that is 1 - 19 * 8 / 200.
    """
    units = ["ab", "bb", "ab", "aa", "aa", "ab", "aa", "aa", "ba", "aa"]
    assert reference([list(unit) for unit in units]) == pytest.approx(0.095, abs=5e-4)
    assert measured(*units).alpha == pytest.approx(1 - 19 * 8 / 200)


@given(ballots, st.sets(st.integers(0, 14)))
@settings(deadline=None)
def test_exchanging_sides_changes_nothing(ballots: list[list[str]], exchanged: set[int]) -> None:
    turned = [[OTHER[v] for v in ballot] if i in exchanged else ballot for i, ballot in enumerate(ballots)]
    before, after = agreement(cast(ballots), resamples=1), agreement(cast(turned), resamples=1)
    assert (before is None) == (after is None)
    if before is not None and after is not None:
        assert after.alpha == pytest.approx(before.alpha, nan_ok=True)
        assert after.raw == pytest.approx(before.raw)


def test_the_interval_holds_alpha_and_narrows_with_more_pairs() -> None:
    few, many = measured(*["aaa", "aab", "bba", "bbb"] * 5), measured(*["aaa", "aab", "bba", "bbb"] * 80)
    assert few.low < few.alpha < few.high
    assert many.high - many.low < (few.high - few.low) / 2


def test_the_interval_covers_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    truth = 1 - 2 * 0.2 * 0.8 / 0.5
    hits = 0
    for seed in range(100):
        right = rng.integers(0, 2, 80)
        votes = np.where(rng.random((80, 3)) < 0.8, right[:, None], 1 - right[:, None])
        found = agreement(cast([["ab"[v] for v in row] for row in votes.tolist()]), resamples=300, seed=seed)
        assert found is not None
        hits += found.low <= truth <= found.high
    assert 87 <= hits <= 100


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    given = cast([list("aab"), list("abb"), list("aaa"), list("bb"), list("ab")] * 5)
    assert agreement(given, seed=3) == agreement(given, seed=3)
    assert agreement(given, seed=3) != agreement(given, seed=4)


def test_a_wider_level_gives_a_wider_interval() -> None:
    given = cast([list("aab"), list("abb"), list("aaa"), list("bbb")] * 5)
    narrow, wide = agreement(given, level=0.5), agreement(given, level=0.99)
    assert narrow is not None
    assert wide is not None
    assert wide.low < narrow.low <= narrow.high < wide.high
