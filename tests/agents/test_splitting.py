"""Mining and sealed pairs share no text and no group."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.pairs import Pair, Preference
from agents.splitting import Split, split, unit_labels, units_of


def pair(a: str, b: str, group: str = "", preferred: Preference = "a") -> Pair:
    return Pair(id=f"{a}|{b}|{group}", a=a, b=b, preferred=preferred, group=group)


def separate(count: int, group: str = "") -> list[Pair]:
    """Pairs that share nothing."""
    return [pair(f"left {group}{i}", f"right {group}{i}", group) for i in range(count)]


texts = st.integers(0, 60).map(lambda i: f"text {i}")
groups = st.sampled_from(["", "", "", *"ghijklmnop"])
wild = st.lists(st.builds(pair, texts, texts, groups, st.sampled_from(["a", "b", "tie"])), max_size=120)
arguments = st.fixed_dictionaries(
    {
        "sealed_share": st.floats(0.05, 0.95),
        "folds": st.integers(2, 8),
        "minimum": st.integers(2, 80),
        "seed": st.integers(0, 5),
    }
)


def tokens(pairs: list[Pair], indices: tuple[int, ...]) -> set[str]:
    chosen = [pairs[i] for i in indices]
    return {t for p in chosen for t in (p.a, p.b)} | {f"group {p.group}" for p in chosen if p.group}


@given(wild, arguments)
def test_no_text_and_no_group_stands_on_both_sides(pairs: list[Pair], arguments: dict[str, float]) -> None:
    for fold in split(pairs, **arguments).folds:  # type: ignore[arg-type]  # hypothesis mixes ints and floats
        assert not tokens(pairs, fold.mining) & tokens(pairs, fold.held_out)


@given(wild, arguments)
def test_every_pair_is_on_one_side_of_each_fold_and_held_out_once(
    pairs: list[Pair], arguments: dict[str, float]
) -> None:
    result = split(pairs, **arguments)  # type: ignore[arg-type]  # hypothesis mixes ints and floats
    everything = list(range(len(pairs)))
    for fold in result.folds:
        assert sorted(fold.mining + fold.held_out) == everything
        assert list(fold.mining) == sorted(fold.mining)
        assert any(pairs[i].preferred != "tie" for i in fold.held_out)
        assert any(pairs[i].preferred != "tie" for i in fold.mining)
    if result.mode == "crossfit":
        assert sorted(i for fold in result.folds for i in fold.held_out) == everything
    assert len(result.folds) == {"sealed": 1, "none": 0}.get(result.mode, len(result.folds))


@given(wild, st.randoms(use_true_random=False), st.integers(0, 3))
def test_the_order_of_the_file_does_not_matter(pairs: list[Pair], rng: object, seed: int) -> None:
    unique = list({p.hash: p for p in pairs}.values())
    shuffled = list(unique)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random, typed as object by the strategy

    def held(result: Split, given: list[Pair]) -> list[set[str]]:
        return sorted(({given[i].id for i in fold.held_out} for fold in result.folds), key=sorted)

    assert held(split(unique, seed=seed), unique) == held(split(shuffled, seed=seed), shuffled)


@given(wild)
def test_units_cover_every_pair_once_and_share_nothing(pairs: list[Pair]) -> None:
    units = units_of(pairs)
    assert sorted(i for unit in units for i in unit) == list(range(len(pairs)))
    seen: set[str] = set()
    for unit in units:
        assert not seen & tokens(pairs, unit)
        seen |= tokens(pairs, unit)


def test_pairs_that_share_a_text_through_others_are_one_unit() -> None:
    assert units_of([pair("1", "2"), pair("8", "9"), pair("3", "2"), pair("3", "4")]) == [(0, 2, 3), (1,)]


def test_a_text_shared_across_groups_joins_the_groups() -> None:
    pairs = [pair("1", "2", "g"), pair("3", "4", "h"), pair("2", "5", "h"), pair("6", "7", "i")]
    assert units_of(pairs) == [(0, 1, 2), (3,)]


def test_case_and_white_space_do_not_make_a_text_another() -> None:
    assert units_of([pair("One  text\n", "x"), pair("y", "one text")]) == [(0, 1)]


def test_a_group_named_like_a_text_does_not_join_it() -> None:
    assert units_of([pair("x", "y", "z"), pair("z", "w")]) == [(0,), (1,)]


def test_enough_separate_pairs_seal_the_share_asked_for() -> None:
    result = split(separate(200), sealed_share=0.3)
    assert (result.mode, result.note, result.units) == ("sealed", "", 200)
    assert len(result.folds[0].held_out) == 60


@pytest.mark.parametrize(("count", "mode"), [(99, "crossfit"), (100, "sealed")])
def test_the_minimum_decides_between_sealing_and_cross_fitting(count: int, mode: str) -> None:
    assert split(separate(count)).mode == mode


def test_cross_fitting_makes_even_folds_and_says_why() -> None:
    result = split(separate(30), folds=5)
    assert [len(fold.held_out) for fold in result.folds] == [6] * 5
    assert "30 decided pairs are fewer than the 100" in result.note


def test_fewer_units_than_folds_make_fewer_folds() -> None:
    pairs = separate(10, "g") + separate(10, "h") + separate(10, "i")
    result = split(pairs, folds=5)
    assert sorted(len(fold.held_out) for fold in result.folds) == [10, 10, 10]


def test_ties_do_not_count_towards_the_minimum_but_are_divided() -> None:
    ties = [pair(f"tie {i}", f"other {i}", preferred="tie") for i in range(100)]
    assert split(separate(50) + ties).mode == "crossfit"
    sealed = split(separate(100) + ties).folds[0].held_out
    assert len([i for i in sealed if i < 100]) == 30
    assert len([i for i in sealed if i >= 100]) == 30


def test_one_large_unit_leaves_a_smaller_sealed_share_and_a_note() -> None:
    result = split(separate(900, "giant") + separate(100))
    assert result.mode == "sealed"
    assert len(result.folds[0].held_out) == 100
    assert "10% of the decided pairs are sealed, not 30%" in result.note


def test_a_unit_that_holds_nearly_everything_leaves_no_sealed_estimate() -> None:
    result = split(separate(95, "giant") + separate(5))
    assert (result.mode, result.folds) == ("none", ())
    assert "95 of 100 decided pairs hang together" in result.note


@pytest.mark.parametrize("pairs", [[], separate(1), separate(80, "one group")])
def test_a_single_unit_or_none_leaves_no_sealed_estimate(pairs: list[Pair]) -> None:
    result = split(pairs)
    assert result.mode == "none"
    assert "no sealed estimate" in result.note


def test_two_halves_are_sealed_at_the_nearest_share() -> None:
    result = split(separate(60, "g") + separate(60, "h"))
    assert result.mode == "sealed"
    assert len(result.folds[0].held_out) == 60


def test_another_seed_gives_another_split() -> None:
    pairs = separate(100)
    assert split(pairs, seed=1) == split(pairs, seed=1)
    assert split(pairs, seed=1) != split(pairs, seed=2)


def test_new_pairs_leave_most_of_the_sealed_pairs_sealed() -> None:
    before, after = split(separate(200)).folds[0], split(separate(210)).folds[0]
    assert len(set(before.held_out) & set(after.held_out)) >= 54


@pytest.mark.parametrize(
    "wrong",
    [{"sealed_share": 0.0}, {"sealed_share": 1.0}, {"folds": 1}, {"minimum": 1}, {"sealed_share": float("nan")}],
)
def test_arguments_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} is"):
        split(separate(10), **wrong)  # type: ignore[arg-type]  # deliberately wrong


def test_labels_name_the_units_whatever_the_order() -> None:
    pairs = [*separate(3), *separate(2, "one group")]
    labels = dict(zip([p.id for p in pairs], unit_labels(pairs), strict=True))
    turned = dict(zip([p.id for p in pairs[::-1]], unit_labels(pairs[::-1]), strict=True))
    assert labels == turned
    assert len(set(labels.values())) == len(units_of(pairs)) == 4
