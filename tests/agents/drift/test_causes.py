"""What each cause of drift watches, and what it reads off a refresh."""

from __future__ import annotations

import pytest
from drift_cases import CRITERIA, PAIRS, WEIGHTS, anchors, answers, batch, cloud, repeats, votes, whole
from pydantic import ValidationError

from agents.drift import Anchor, CorpusBatch, CorpusReference, NewVote, Reference, Repeat, Score
from agents.drift import annotator_drift as people
from agents.drift import corpus_drift as corpus
from agents.drift import fit_drift as fit
from agents.drift import judge_drift as judge
from agents.drift.betting import PROOF
from agents.drift.stream import Stream
from agents.drift.tally import Tally


def by_name(streams: tuple[Stream, ...]) -> dict[str, Stream]:
    return {stream.name: stream for stream in streams}


def total(streams: tuple[Stream, ...]) -> float:
    return sum(stream.share for stream in streams)


# The judge


def test_the_judge_is_watched_as_a_whole_by_criterion_by_accuracy_and_by_abstention() -> None:
    found = by_name(judge.streams(whole()))
    assert set(found) == {"flips", "abstention", "accuracy", "flips clear", "flips short"}
    assert total(tuple(found.values())) == pytest.approx(1)
    assert found["flips clear"].criterion == "clear"


def test_a_pair_counts_once_unless_criteria_are_asked_in_separate_calls() -> None:
    together, separate = (by_name(judge.streams(whole(separate_calls=s)))["flips"] for s in (False, True))
    assert (together.reference.n, separate.reference.n) == (len(PAIRS), 2 * len(PAIRS))
    assert together.reference.mean == separate.reference.mean == pytest.approx(2 / 40)


def test_the_baseline_is_how_often_the_judge_flips_by_itself() -> None:
    assert by_name(judge.streams(whole()))["flips short"].reference == Tally.binary(2, 40)


def test_flips_are_counted_against_the_pinned_answers() -> None:
    found = judge.observations(whole(), answers(10, by=["clear"]))
    assert sorted(found["flips"]) == [0.0] * 30 + [0.5] * 10
    assert (sum(found["flips clear"]), sum(found["flips short"])) == (10, 0)


def test_a_missing_answer_is_never_a_flip_and_says_nothing_of_abstention() -> None:
    found = judge.observations(whole(), answers(10, to=None))
    assert sum(found["flips"]) == 0
    assert len(found["flips"]) == len(PAIRS)
    assert len(found["abstention"]) == len(PAIRS) - 10


def test_answers_that_no_anchor_has_are_left_out() -> None:
    found = judge.observations(whole(), {("clear", "unknown"): "B", ("unknown", "p0"): "B"})
    assert not any(found.values())


def test_abstentions_are_a_share_of_the_answers() -> None:
    found = judge.observations(whole(), answers(5, by=["short"], to="abstain"))
    assert sorted(found["abstention"]) == [0.0] * 35 + [0.5] * 5


def test_the_anchor_vote_is_right_wrong_or_balanced() -> None:
    cells = {("clear", "p0"): "A", ("short", "p0"): "B", ("clear", "p1"): "B", ("clear", "p2"): "abstain"}
    found = judge.vote_scores(whole(), cells)  # type: ignore[arg-type]  # literals in a mapping
    assert found == {"p0": 1.0, "p1": 0.0, "p2": 0.5}


def test_pairs_that_people_tied_and_sets_without_weights_have_no_anchor_accuracy() -> None:
    assert judge.vote_scores(whole(anchor_votes={"p0": "tie"}), answers(0)) == {}
    assert judge.vote_scores(whole(weights={}), answers(0)) == {}


def test_accuracy_at_approval_is_that_of_the_second_judging_which_nobody_chose_by() -> None:
    assert by_name(judge.streams(whole()))["accuracy"].reference == Tally.binary(38, 40)


def test_a_judge_that_cannot_flip_is_proven_to_have_moved_by_one_flip() -> None:
    signals = whole(deterministic=True, anchors=anchors(again=None))
    flips = by_name(judge.streams(signals))["flips"]
    assert flips.direction == "never"
    assert flips.after(judge.observations(signals, answers(1))["flips"]).log_e == PROOF
    assert flips.after(judge.observations(signals, answers(0))["flips"]).log_e == 0


def test_anchors_judged_once_have_no_baseline_until_they_are_judged_again() -> None:
    bare = whole(anchors=anchors(again=None))
    assert judge.streams(bare) == ()
    assert not judge.has_baseline(bare)
    pinned = bare.model_copy(update={"anchors": judge.pinned_again(bare, answers(3))})
    assert by_name(judge.streams(pinned))["flips clear"].reference == Tally.binary(3, 40)


def test_a_deterministic_judge_that_answered_in_two_ways_is_refused() -> None:
    with pytest.raises(ValidationError, match="deterministic"):
        whole(deterministic=True)


def test_an_anchor_pinned_twice_is_refused() -> None:
    one = Anchor(pair="p", criterion="c", answer="A")
    with pytest.raises(ValidationError, match="pinned twice"):
        Reference(anchors=(one, one))


# The annotators


def test_people_are_watched_by_themselves_against_others_and_in_agreement() -> None:
    mixed = repeats(20, 2, "ann") + repeats(20, 3, "bob") + repeats(10, 4, "cyd", first="ann") + repeats(3, 1, "dan")
    found = by_name(people.streams(whole(repeats=mixed)))
    assert set(found) == {"own", "others", "agreement", "own ann", "own bob"}
    assert total(tuple(found.values())) == pytest.approx(1)
    assert found["own"].reference == Tally.binary(6, 43)
    assert found["others"].reference == Tally.binary(4, 10)
    assert found["own bob"].annotator == "bob"


def test_what_is_not_watched_leaves_its_capital_to_the_rest() -> None:
    found = people.streams(Reference(repeats=repeats(4, 1)))
    assert [(s.name, s.share) for s in found] == [("own", 1.0)]
    assert people.streams(Reference()) == ()


def test_a_repeat_is_the_same_persons_unless_another_is_named() -> None:
    one = {"annotator": "ann", "pair": "p", "before": "a", "now": "tie"}
    assert Repeat.model_validate(one).same_person
    assert Repeat.model_validate({**one, "first": "ann"}).same_person
    assert not Repeat.model_validate({**one, "first": "bob"}).same_person
    assert Repeat.model_validate(one).flipped == 1


def test_agreement_is_the_share_of_annotator_pairs_that_agree() -> None:
    told = [NewVote(pair="x", preferred=p) for p in ("a", "a", "b")] + [NewVote(pair="y", preferred="a")]
    assert people.observations((), told)["agreement"] == [pytest.approx(1 / 3)]


def test_ballots_are_counted_whatever_their_order() -> None:
    found = people.counted({"ab": 1}, [("b", "a"), ("tie", "a"), ("a",)])
    assert found == {"ab": 2, "at": 1}


def test_alpha_is_that_of_the_ballots_and_none_where_it_has_no_meaning() -> None:
    found = people.alpha({"aa": 10, "bb": 10, "ab": 5})
    assert found is not None
    assert (found.pairs, found.votes) == (25, 50)
    assert found.low < found.alpha < found.high
    assert people.alpha({}) is None
    assert people.alpha({"tt": 4}) is None


# The corpus


def test_the_corpus_is_watched_by_all_that_the_reference_holds() -> None:
    memory, streams = corpus.begin(whole().corpus)
    names = set(by_name(streams))
    assert {"coverage", "abstention", "score", "score spread", "novelty", "outside", "axis 1"} <= names
    classifiers = sum(share for name, share in corpus.SHARES.items() if name.startswith("classifier"))
    assert total(streams) == pytest.approx(1 - classifiers / sum(corpus.SHARES.values()))
    assert [w.name for w in memory.witnesses][:1] == ["novelty"]


def test_a_reference_with_one_part_gives_it_all_the_capital() -> None:
    _, streams = corpus.begin(CorpusReference.of(coverage=[0.5] * 10))
    assert [(s.name, s.share) for s in streams] == [("coverage", 1.0)]
    assert corpus.begin(None) == (corpus.CorpusMemory(), ())


def test_the_reference_of_a_score_is_the_half_that_did_not_set_the_ranks() -> None:
    _, streams = corpus.begin(whole().corpus)
    assert by_name(streams)["score"].reference.n == 100
    assert by_name(streams)["novelty"].reference.n == 150


def test_moved_scores_and_texts_rank_higher() -> None:
    reference = whole().corpus
    assert reference is not None
    memory, _ = corpus.begin(reference)
    same, moved = (corpus.observations(reference, memory, batch(60, 5, shift)) for shift in (0.0, 3.0))
    for name in ("score", "score spread", "novelty"):
        assert sum(moved[name]) > sum(same[name]) + 15


def test_a_batch_without_a_part_says_nothing_of_it() -> None:
    reference = whole().corpus
    assert reference is not None
    memory, _ = corpus.begin(reference)
    assert {k: v for k, v in corpus.observations(reference, memory, CorpusBatch(coverage=(0.5,))).items() if v} == {
        "coverage": [0.5]
    }


def test_a_classifier_is_fitted_when_enough_came_and_judges_only_what_comes_later() -> None:
    reference = whole().corpus
    assert reference is not None
    memory, _ = corpus.begin(reference)
    memory, streams = corpus.learned(reference, memory, batch(39, 6))
    assert streams == ()
    memory, streams = corpus.learned(reference, memory, batch(39, 7))
    assert [(s.name, s.batches) for s in streams] == [("classifier 1", 0)]
    assert memory.seen == 78
    assert corpus.observations(reference, memory, batch(5, 8))["classifier 1"]


def test_classifiers_come_at_each_lesson_and_then_nothing_more_is_kept() -> None:
    reference = whole().corpus
    assert reference is not None
    memory, born = corpus.begin(reference)[0], []
    for seed in range(20):
        memory, streams = corpus.learned(reference, memory, batch(100, 200 + seed))
        born += [s.name for s in streams]
        assert len(memory.lesson) <= corpus.LATEST
    assert born == [f"classifier {k}" for k in range(1, 6)]
    assert memory.lesson == ()


def test_all_capital_of_the_corpus_is_given_out_in_the_end() -> None:
    reference = whole().corpus
    assert reference is not None
    memory, streams = corpus.begin(reference)
    for seed in range(17):
        memory, further = corpus.learned(reference, memory, batch(100, 300 + seed))
        streams += further
    assert total(streams) == pytest.approx(1)


# The fit


def test_the_fit_is_watched_by_the_sets_vote_and_by_each_criterion() -> None:
    found = by_name(fit.streams(whole()))
    assert set(found) == {"vote", "vote clear", "vote short"}
    assert total(tuple(found.values())) == pytest.approx(1)
    assert found["vote"].reference == Tally.binary(170, 200)
    assert total(fit.streams(whole(by_criterion={}))) == total(fit.streams(whole(accuracy=None))) == 1
    assert fit.streams(Reference(accuracy=Score(right=0, n=0))) == ()


def test_more_right_than_decided_is_refused() -> None:
    with pytest.raises(ValidationError, match="right"):
        Score(right=3, n=2)


def test_votes_are_right_wrong_or_left_out() -> None:
    one = {"verdicts": {"clear": "B", "short": "abstain"}, "vote": "A"}
    told = [
        NewVote.model_validate({**one, "pair": "x", "preferred": "a"}),
        NewVote.model_validate({**one, "pair": "y", "preferred": "tie"}),
        NewVote.model_validate({**one, "pair": "z", "preferred": "b", "vote": "abstain"}),
    ]
    assert fit.observations(told) == {"vote": [1.0], "vote clear": [0.0, 1.0]}


def test_several_votes_on_a_pair_and_pairs_of_a_unit_are_one_observation() -> None:
    one = {"vote": "A", "pair": "x", "preferred": "a"}
    told = [NewVote.model_validate(v) for v in (one, {**one, "preferred": "b"}, {**one, "pair": "y", "unit": "x"})]
    assert fit.observations(told)["vote"] == [pytest.approx(2 / 3)]


def test_votes_on_known_pairs_are_not_fresh() -> None:
    assert [v.pair for v in fit.fresh(votes(3, 3), frozenset({"new1"}))] == ["new0", "new2"]


def test_the_cases_themselves_are_what_they_say() -> None:
    assert len(anchors()) == len(answers(0)) == len(PAIRS) * len(CRITERIA)
    assert set(WEIGHTS) == set(CRITERIA)
    assert len(cloud(3, 1)[0]) == 8
