"""Votes become one answer and its support."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.aggregation import Aggregation, Answer, aggregate
from agents.pairs import Preference, Vote

answers = st.sampled_from(["a", "b", "tie"])
ballots = st.lists(st.lists(st.builds(Vote, preferred=answers), min_size=1, max_size=7), min_size=1, max_size=12)


def votes(*given: Preference) -> list[Vote]:
    return [Vote(preferred=answer) for answer in given]


def crowd(
    skills: dict[str, float], pairs: int, seed: int, ties: bool = False
) -> tuple[list[Preference], list[list[Vote]]]:
    """True answers and ballots of annotators who are right with the given probabilities and guess otherwise."""
    rng = random.Random(seed)
    options: list[Preference] = ["a", "b", "tie"] if ties else ["a", "b"]
    truth = [rng.choice(options) for _ in range(pairs)]

    def vote(name: str, skill: float, right: Preference) -> Vote:
        said = right if rng.random() < skill else rng.choice([o for o in options if o != right])
        return Vote(preferred=said, annotator=name)

    return truth, [[vote(name, skill, right) for name, skill in skills.items()] for right in truth]


def swapped(ballot: Sequence[Vote]) -> list[Vote]:
    other: dict[Preference, Preference] = {"a": "b", "b": "a", "tie": "tie"}
    return [Vote(preferred=other[v.preferred], annotator=v.annotator) for v in ballot]


def right(aggregation: Aggregation, truth: Sequence[Preference]) -> float:
    pairs = zip(aggregation.answers, truth, strict=True)
    return sum(answer.preferred == true for answer, true in pairs) / len(truth)


def test_anonymous_votes_are_counted() -> None:
    result = aggregate([votes("a", "a", "b"), votes("b"), votes("tie", "tie", "a")])
    assert result.method == "majority"
    assert [answer.preferred for answer in result.answers] == ["a", "b", "tie"]
    assert [answer.confidence for answer in result.answers] == [2 / 3, 1.0, 2 / 3]


@pytest.mark.parametrize(
    ("ballot", "confidence"), [(votes("a", "b"), 1 / 3), (votes("a", "b", "tie"), 1 / 3), (votes("a", "tie"), 0.5)]
)
def test_a_shared_lead_is_a_tie_of_low_confidence(ballot: list[Vote], confidence: float) -> None:
    answer = aggregate([ballot]).answers[0]
    assert answer.preferred == "tie"
    assert answer.confidence == pytest.approx(confidence)


def test_support_is_given_for_every_answer_so_that_a_stated_one_can_be_weighed() -> None:
    answer = aggregate([votes("a", "a", "a", "b")]).answers[0]
    assert (answer.support("a"), answer.support("b"), answer.support("tie")) == (0.75, 0.25, 0.0)


def test_an_empty_ballot_is_refused_by_its_place() -> None:
    with pytest.raises(ValueError, match="ballot 1 is empty"):
        aggregate([votes("a"), []])


def test_no_ballots_give_no_answers() -> None:
    assert aggregate([]).answers == ()


@given(ballots)
def test_the_majority_agrees_with_counting_and_support_sums_to_one(given_ballots: list[list[Vote]]) -> None:
    for answer, ballot in zip(aggregate(given_ballots).answers, given_ballots, strict=True):
        cast = [vote.preferred for vote in ballot]
        most = max(cast.count(o) for o in ("a", "b", "tie"))
        leaders = [o for o in ("a", "b", "tie") if cast.count(o) == most]
        assert answer.preferred == (leaders[0] if len(leaders) == 1 else "tie")
        assert answer.a + answer.b + answer.tie == pytest.approx(1)
        assert 1 / 3 <= answer.confidence <= 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning:crowdkit")
def test_the_majority_gives_the_same_shares_as_crowd_kit() -> None:
    import pandas as pd  # type: ignore[import-untyped]  # ships no types
    from crowdkit.aggregation import MajorityVote

    _, cast = crowd({"": 0.7, "x": 0.6, "y": 0.6, "z": 0.9}, 40, seed=3, ties=True)
    rows = [(i, n, v.preferred) for i, ballot in enumerate(cast) for n, v in enumerate(ballot)]
    shares = MajorityVote().fit_predict_proba(pd.DataFrame(rows, columns=["task", "worker", "label"]))
    result = aggregate(cast)
    assert result.method == "majority"
    for i, answer in enumerate(result.answers):
        assert (answer.a, answer.b, answer.tie) == pytest.approx(tuple(shares.loc[i, ["a", "b", "tie"]]))


@pytest.mark.parametrize(
    ("cast", "why"),
    [
        ([votes("a"), votes("b")], "single vote"),
        ([votes("a", "b")] * 40, "not every vote names"),
        (crowd({"ann": 0.9, "bo": 0.9}, 40, seed=1)[1], "only 2 annotators"),
        (crowd({"ann": 0.9, "bo": 0.9, "cy": 0.9}, 10, seed=1)[1], "cast 10 votes"),
        (
            crowd({"ann": 0.9, "bo": 0.9, "cy": 0.9}, 30, seed=1)[1] + [[Vote(preferred="a", annotator="ann")]] * 40,
            "30 of 70 pairs",
        ),
    ],
)
def test_thin_votes_are_counted_and_the_reason_is_given(cast: list[list[Vote]], why: str) -> None:
    result = aggregate(cast)
    assert result.method == "majority"
    assert why in result.why


@pytest.mark.parametrize("ties", [False, True])
def test_dawid_skene_beats_counting_where_annotators_differ(ties: bool) -> None:
    skills = {"ann": 0.95, "bo": 0.95, "cy": 0.5, "di": 0.5, "ed": 0.5}
    truth, cast = crowd(skills, 200, seed=7, ties=ties)
    modelled = aggregate(cast)
    counted = aggregate([[Vote(preferred=v.preferred) for v in ballot] for ballot in cast])
    assert modelled.method == "dawid-skene"
    assert right(modelled, truth) > right(counted, truth) + 0.03


def test_an_annotator_who_says_the_opposite_is_understood() -> None:
    truth, cast = crowd({"ann": 0.9, "bo": 0.9, "cy": 0.9, "contrary": 0.05}, 100, seed=2)
    lone = [*cast, [Vote(preferred="b", annotator="contrary")]]
    assert aggregate(lone).answers[-1].preferred == "a"
    assert right(aggregate(cast), truth) > 0.95


def test_an_annotator_who_never_disagreed_is_not_taken_for_infallible() -> None:
    _, cast = crowd({"ann": 1.0, "bo": 1.0, "cy": 1.0}, 30, seed=4)
    lone = [*cast, [Vote(preferred="a", annotator="ann")]]
    assert 0.8 < aggregate(lone).answers[-1].confidence < 0.995


def test_a_file_whose_better_text_stands_first_does_not_teach_that_a_is_always_right() -> None:
    one_sided = [[Vote(preferred="a", annotator=name) for name in ("ann", "bo", "cy")] for _ in range(60)]
    lone = [*one_sided, [Vote(preferred="b", annotator="ann"), Vote(preferred="b", annotator="bo")]]
    result = aggregate(lone)
    assert result.method == "dawid-skene"
    assert result.answers[-1].preferred == "b"


@given(st.sets(st.integers(0, 59)), st.booleans())
@settings(max_examples=4, deadline=None)
def test_exchanging_sides_exchanges_answers_and_nothing_else(exchanged: set[int], ties: bool) -> None:
    _, cast = crowd({"ann": 0.9, "bo": 0.8, "cy": 0.6, "di": 0.7}, 60, seed=5, ties=ties)
    before = aggregate(cast).answers
    after = aggregate([swapped(b) if i in exchanged else b for i, b in enumerate(cast)]).answers
    for i, (old, new) in enumerate(zip(before, after, strict=True)):
        expected = (old.b, old.a, old.tie) if i in exchanged else (old.a, old.b, old.tie)
        assert (new.a, new.b, new.tie) == pytest.approx(expected, abs=1e-6)


def test_the_same_votes_give_the_same_answers_to_the_bit() -> None:
    _, cast = crowd({"ann": 0.9, "bo": 0.8, "cy": 0.6}, 50, seed=6, ties=True)
    assert aggregate(cast) == aggregate(cast)


@given(ballots)
def test_the_best_supported_answer_is_never_less_supported_than_another(given_ballots: list[list[Vote]]) -> None:
    for answer in aggregate(given_ballots).answers:
        assert answer.confidence >= min(answer.a, answer.b, answer.tie)


def test_rounding_does_not_make_a_winner() -> None:
    assert Answer(0.5 + 1e-12, 0.5 - 1e-12, 0.0).preferred == "tie"
