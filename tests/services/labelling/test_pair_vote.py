"""A pair is asked in blocks, strongest criterion first, until its label stands."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelling_bench import WEIGHTS, CountingJudge, full_vote, letter_sheet
from letter_parties import LetterJudge, letter_dataset, letter_judgment

from agents.early_stop import StopRule, outcome, total_of
from agents.judgments import Ask, Judgment
from agents.pairs import Pair
from agents.panel import first_look
from agents.votes import ABSTAINED, DECIDED, MISSING, tally
from knowledge_base.criterion import Criterion
from knowledge_base.errors import InputError, WrongJudge
from services.labelling.pair_vote import ANSWERS, PairResult, PairVote, count
from services.labelling.sheet import Sheet, judges_by_name, voters_of

PAIRS = letter_dataset(40, seed=11).pairs
Answering = Callable[[Ask, Criterion, Pair], Judgment]


def by_letters(ask: Ask, criterion: Criterion, pair: Pair) -> Judgment:
    return letter_judgment(ask.key, criterion.name.removeprefix("Letters "), pair)


def voted(pair: Pair, sheet: Sheet, answer: Answering = by_letters) -> tuple[PairResult, list[list[Ask]]]:
    """The result of a vote, and the blocks that were asked."""
    vote, asked = PairVote(pair, sheet), []
    while asks := vote.next_asks():
        asked.append(asks)
        assert vote.waiting
        for ask in reversed(asks):
            vote.take(answer(ask, sheet.criteria[ask.criterion], pair), reused=False)
        assert not vote.waiting
    return vote.result(), asked


def sign(result: PairResult, sheet: Sheet) -> int:
    return outcome(total_of(sheet.ballot, {c: s for c, (s, _) in count(result.answers).items()}))


@pytest.mark.parametrize("block", [1, 2, 4])
def test_the_label_is_that_of_asking_everything_for_fewer_judgments(block: int) -> None:
    sheet, saved = letter_sheet(rule=StopRule(block=block)), 0
    for pair in PAIRS:
        result, _ = voted(pair, sheet)
        assert sign(result, sheet) == full_vote(pair)
        assert result.asked == len(result.answers) == len(WEIGHTS) - result.saved
        assert result.early == (result.saved > 0)
        saved += result.saved
    assert saved > len(PAIRS) / 2


def test_criteria_are_asked_heaviest_first_whatever_the_file_has_first() -> None:
    sheet = letter_sheet({"e": 0.2, "t": -0.9, "a": 0.5})
    assert [m.weight for m in sheet.members] == [-0.9, 0.5, 0.2]
    _, [first, *_] = voted(PAIRS[0], sheet)
    assert sheet.criteria[first[0].criterion].name == "Letters t"


def test_answers_stand_in_the_order_of_asking_in_whichever_order_they_came() -> None:
    sheet = letter_sheet(rule=StopRule(kind="none"))
    result, [asked] = voted(PAIRS[0], sheet)
    assert [a.criterion for a in result.answers] == [a.criterion for a in asked] == list(sheet.criteria)


def test_identical_texts_are_a_tie_that_nobody_is_asked_about() -> None:
    result, asked = voted(Pair(id="1", a="same", b="same", preferred="tie"), letter_sheet())
    assert asked == []
    assert result == PairResult((), 0, 0, 0, 0, early=False, audited=False, turned=False)


def test_a_pair_is_shown_in_one_order_set_by_its_hash_and_a_first_to_a_symmetric_judge() -> None:
    class Lopsided(LetterJudge):
        symmetric = False

    sheet = letter_sheet(WEIGHTS, StopRule(kind="none"), LetterJudge("even/1"), Lopsided("odd/1"))
    orders = {"even/1": set(), "odd/1": set()}
    for pair in PAIRS:
        for ask in (a for c in sheet.criteria for a in sheet.asks(c, pair.hash)):
            orders[ask.judge].add(ask.order)
            assert ask.order == first_look(pair.hash, ask.judge == "even/1")
    assert orders == {"even/1": {"ab"}, "odd/1": {"ab", "ba"}}


def test_the_majority_of_a_panel_is_a_criterions_vote() -> None:
    judges = [CountingJudge(f"letters/{i}") for i in range(3)]
    sheet = letter_sheet({"e": 1.0}, None, *judges)

    def two_against_one(ask: Ask, criterion: Criterion, pair: Pair) -> Judgment:
        return Judgment(key=ask.key, status="decided", verdict="A" if ask.judge == "letters/0" else "B")

    result, [asked] = voted(PAIRS[0], sheet, two_against_one)
    assert len(asked) == 3
    assert [a.seat for a in result.answers] == [0, 1, 2]
    assert count(result.answers) == {asked[0].criterion: (-1, "decided")}


def test_a_seat_that_cannot_judge_by_a_criterion_is_not_asked_and_one_that_nobody_can_is_left_out() -> None:
    class OnlyE(LetterJudge):
        def can_judge(self, criterion: Criterion) -> bool:
            return criterion.name == "Letters e"

    class EAndT(LetterJudge):
        def can_judge(self, criterion: Criterion) -> bool:
            return criterion.name in ("Letters e", "Letters t")

    sheet = letter_sheet(WEIGHTS, StopRule(kind="none"), OnlyE("one/1"), EAndT("two/1"))
    assert [c.name for c in sheet.criteria.values()] == ["Letters e", "Letters t"]
    assert sheet.left_out == ("Letters a", "Letters o", "Letters i", "Letters n")
    assert sheet.per_pair == 3
    result, _ = voted(PAIRS[0], sheet)
    assert [a.seat for a in result.answers] == [0, 1, 1]


def test_a_set_that_nobody_can_judge_by_is_refused() -> None:
    class Idle(LetterJudge):
        def can_judge(self, criterion: Criterion) -> bool:
            return False

    with pytest.raises(InputError, match="letters/1 can judge by none of these criteria"):
        letter_sheet(WEIGHTS, None, Idle())


def test_a_judge_that_is_not_there_is_named() -> None:
    sheet = letter_sheet()
    with pytest.raises(WrongJudge, match="'letters/1' is asked, but this worker has 'letters/2'"):
        judges_by_name(sheet.panel, [LetterJudge("letters/2")])
    with pytest.raises(WrongJudge):
        voters_of(sheet.criteria_set, sheet.panel, [])


@pytest.mark.parametrize("status", ["invalid", "failed"])
def test_missing_evidence_moves_nothing_and_the_vote_goes_on(status: str) -> None:
    def mute(ask: Ask, criterion: Criterion, pair: Pair) -> Judgment:
        return Judgment.model_validate({"key": ask.key, "status": status})

    result, _ = voted(PAIRS[0], letter_sheet(), mute)
    assert len(result.answers) == len(WEIGHTS)
    assert not result.early
    assert {say for _, say in count(result.answers).values()} == {"missing"}
    assert result.failed == (len(WEIGHTS) if status == "failed" else 0)


def test_what_was_there_before_is_counted_apart_from_what_was_asked() -> None:
    vote = PairVote(PAIRS[0], letter_sheet(rule=StopRule(kind="none")))
    asks = vote.next_asks()
    for i, ask in enumerate(asks):
        vote.take(Judgment(key=ask.key, status="abstained"), reused=i < 4)
    assert (vote.result().reused, vote.result().asked) == (4, len(WEIGHTS) - 4)


def test_an_answer_nobody_waits_for_is_passed_over() -> None:
    vote = PairVote(PAIRS[0], letter_sheet(rule=StopRule(kind="none")))
    asks = vote.next_asks()
    vote.take(Judgment(key="f" * 64, status="abstained"), reused=False)
    vote.take(Judgment(key=asks[0].key, status="abstained"), reused=False)
    vote.take(Judgment(key=asks[0].key, status="decided", verdict="A"), reused=False)
    for ask in asks[1:]:
        vote.take(Judgment(key=ask.key, status="abstained"), reused=False)
    assert {a.verdict for a in vote.result().answers} == {"abstain"}


def test_an_audited_pair_is_asked_to_the_end_and_says_whether_its_outcome_turned() -> None:
    likely = StopRule(kind="likely", error=0.45, audit=1.0)
    unchecked = StopRule(kind="likely", error=0.45, audit=0.0)
    audited = turned = differs = 0
    for pair in PAIRS:
        whole, _ = voted(pair, letter_sheet(rule=likely))
        early, _ = voted(pair, letter_sheet(rule=unchecked))
        assert sign(whole, letter_sheet()) == full_vote(pair)
        assert len(whole.answers) == len(WEIGHTS)
        assert (whole.early, whole.saved) == (False, 0)
        assert whole.audited == early.early
        assert not early.audited
        audited, turned = audited + whole.audited, turned + whole.turned
        differs += sign(early, letter_sheet()) != full_vote(pair)
    assert audited > 20
    assert turned == differs > 0, "an error as large as this must show on some pair"


def test_answers_come_back_from_json_as_they_were() -> None:
    result, _ = voted(PAIRS[0], letter_sheet())
    assert ANSWERS.validate_json(ANSWERS.dump_json(result.answers)) == result.answers


VERDICTS = st.sampled_from(["A", "B", "-", "?", "!"])
STATUS = {"A": "decided", "B": "decided", "-": "abstained", "?": "failed", "!": "invalid"}


@given(st.lists(st.lists(VERDICTS, min_size=2, max_size=2), min_size=len(WEIGHTS), max_size=len(WEIGHTS)))
def test_votes_are_counted_as_the_rest_of_the_program_counts_them(said: list[list[str]]) -> None:
    sheet = letter_sheet(WEIGHTS, StopRule(kind="none"), LetterJudge("one/1"), LetterJudge("two/1"))
    given_by = {c: dict(zip(("one/1", "two/1"), row, strict=True)) for c, row in zip(sheet.criteria, said, strict=True)}
    cells = []

    def scripted(ask: Ask, criterion: Criterion, pair: Pair) -> Judgment:
        word = given_by[ask.criterion][ask.judge]
        verdict = word if word in "AB" else "abstain"
        made = Judgment.model_validate({"key": ask.key, "status": STATUS[word], "verdict": verdict})
        cells.append((ask.criterion, pair.hash, ask.order, made))
        return made

    result, _ = voted(PAIRS[0], sheet, scripted)
    votes = tally(list(sheet.criteria), [PAIRS[0].hash], cells)
    states = {DECIDED: "decided", ABSTAINED: "abstained", MISSING: "missing"}
    expected = {c: (int(votes.signs[i, 0]), states[int(votes.states[i, 0])]) for i, c in enumerate(votes.criteria)}
    assert count(result.answers) == expected
