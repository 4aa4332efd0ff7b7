"""A round, step by step: races, fates, bans, rewrites against their parents, and what a manager is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from made_up import LINEAGE, ScriptedJudge, ScriptedManager, criterion, mining, pairs

from agents.assessment import Assessment
from agents.chronicle import Fate, RoundRecord
from agents.local_run import run_local
from agents.mining import Mining
from agents.outcome import Outcome
from agents.panel import Looks
from agents.paper_policy import PaperPolicy
from agents.policy import Decision, Policy
from agents.robust_policy import RobustPolicy
from agents.steps import MISTAKES_SHOWN
from agents.votes import Votes

PREFERRED = "AABBAABB"
TURNED = PREFERRED.translate(str.maketrans("AB", "BA"))
GOOD, OTHER, MIDDLING, POOR = (criterion(n) for n in ("good", "other", "middling", "poor"))
BETTER, WORSE, EQUAL = criterion("better"), criterion("worse"), criterion("equal")
SCRIPT = {
    "good": PREFERRED,
    "other": "AABBAABA",
    "middling": "AABBABAA",
    "poor": TURNED,
    "better": PREFERRED,
    "worse": "AABBBBAA",
    "equal": "ABABAABB",
}


@dataclass(frozen=True)
class Mined:
    """A finished run and what was left of it."""

    outcome: Outcome
    thread: Mining
    manager: ScriptedManager

    @property
    def names(self) -> list[str]:
        """The final set."""
        return [c.name for c in self.outcome.criteria_set.criteria]

    @property
    def records(self) -> list[RoundRecord]:
        """What happened."""
        return self.thread.ledger.records()

    def fates(self, number: int) -> dict[str, str]:
        """Name -> fate in a round."""
        return {e.name: e.fate for e in self.records[number - 1].entries}


def mined(
    manager: ScriptedManager,
    policy: Policy,
    script: dict[str, str] = SCRIPT,
    preferred: str = PREFERRED,
    second: dict[str, str] | None = None,
) -> Mined:
    judge = ScriptedJudge(script, second)
    thread = mining(pairs(preferred), manager, policy, symmetric=judge.symmetric)
    return Mined(run_local(thread, judge, LINEAGE), thread, manager)


def paper(rounds: int = 3, size: int = 3) -> PaperPolicy:
    return PaperPolicy(size=size, rounds=rounds)


def robust(rounds: int = 3, keep: float = 0.6, looks: Looks = "second") -> RobustPolicy:
    """The default policy with numbers of these tests, so that tuning its own changes none of them."""
    return RobustPolicy(
        size=3, rounds=rounds, candidates=6, first_rung=4, survive=0.5, floor=0.1, keep=keep, drop=0.5, false_share=1.0,
        same_votes=2.0, gain_level=0.3, trust=0.2, spread=0.3, looks=looks,
    )  # fmt: skip


@dataclass(frozen=True)
class NobodyPasses(PaperPolicy):
    """A race on two pairs that nobody survives."""

    def rungs(self, pairs: int) -> tuple[int, ...]:
        return (2, pairs)

    def survivors(self, assessments: Sequence[Assessment], rung: int, rungs: int) -> list[str]:
        return []


def test_each_fate_follows_from_the_accuracy_on_the_mining_pairs() -> None:
    found = mined(ScriptedManager([POOR, MIDDLING, GOOD]), paper(rounds=1))
    assert found.fates(1) == {"good": "keep", "middling": "refine", "poor": "replace"}


def test_entries_come_best_first() -> None:
    found = mined(ScriptedManager([POOR, MIDDLING, GOOD]), paper(rounds=1))
    assert [e.name for e in found.records[0].entries] == ["good", "middling", "poor"]


def test_what_failed_is_replaced_and_banned() -> None:
    found = mined(ScriptedManager([POOR, GOOD], [[OTHER]]), paper(rounds=2, size=2))
    assert found.fates(2) == {"good": "keep", "other": "keep"}
    assert found.manager.banned == [[POOR]]
    assert [[case.criterion for case in cases] for cases in found.manager.failures] == [[POOR]]


def test_a_banned_criterion_that_is_proposed_again_does_not_come_back() -> None:
    found = mined(ScriptedManager([POOR, GOOD], [[POOR], [POOR, OTHER]]), paper(rounds=3, size=2))
    asked = [e.name for record in found.records[1:] for e in record.entries]
    assert "poor" not in asked


def test_bans_add_up_over_the_rounds() -> None:
    bad = [criterion(f"poor {i}") for i in range(3)]
    script = SCRIPT | {c.name: TURNED for c in bad}
    found = mined(ScriptedManager([bad[0]], [[bad[1]], [bad[2]]]), paper(rounds=3, size=1), script)
    assert found.manager.banned == [bad[:1], bad[:2]]


def test_a_criterion_proposed_twice_enters_once() -> None:
    found = mined(ScriptedManager([GOOD, GOOD, OTHER]), paper(rounds=1))
    assert (found.records[0].candidates, len(found.records[0].entries)) == (2, 2)


def test_something_alive_that_is_proposed_again_is_not_raced_again() -> None:
    found = mined(ScriptedManager([GOOD, MIDDLING], [[GOOD, MIDDLING, OTHER]]), paper(rounds=2, size=5))
    assert found.records[1].candidates == 1


def test_the_manager_is_told_what_is_alive_and_how_many_to_propose() -> None:
    found = mined(ScriptedManager([GOOD, MIDDLING, POOR], [[OTHER]]), paper(rounds=2))
    assert found.manager.kept == [[GOOD, MIDDLING]]
    assert found.manager.rooms == [1]


@pytest.mark.parametrize("policy", [paper(), robust()])
def test_a_better_rewrite_takes_its_parents_place(policy: Policy) -> None:
    found = mined(ScriptedManager([MIDDLING, GOOD], rewrites={"middling": BETTER}), policy)
    assert "middling" not in found.fates(2)
    assert found.fates(2)["better"] == "keep"
    assert "better" in found.names


@pytest.mark.parametrize("policy", [paper(), robust()])
def test_a_worse_rewrite_is_gone_and_its_parent_stays(policy: Policy) -> None:
    found = mined(ScriptedManager([MIDDLING, GOOD], rewrites={"middling": WORSE}), policy)
    assert "worse" not in found.fates(2)
    assert "middling" in found.fates(2)


def test_an_equal_rewrite_stays_in_the_paper_and_goes_in_the_robust_policy() -> None:
    published, default = (
        mined(ScriptedManager([MIDDLING], rewrites={"middling": EQUAL}), policy, SCRIPT | {"equal": "ABABABBB"})
        for policy in (paper(rounds=2), robust(rounds=2))
    )
    assert set(published.fates(2)) == {"equal"}
    assert set(default.fates(2)) == {"middling"}


def test_the_record_names_a_rewrites_parent_origin_and_reason() -> None:
    found = mined(ScriptedManager([MIDDLING], rewrites={"middling": BETTER}), paper(rounds=2))
    entry = found.records[1].entries[0]
    assert (entry.parent, entry.origin) == (MIDDLING.hash, "rewrite")
    assert "rewrite 1.00 against 0.62 before" in entry.why


def test_the_record_names_the_criterion_that_a_duplicate_votes_like() -> None:
    found = mined(ScriptedManager([GOOD, BETTER]), RobustPolicy(size=3, rounds=1))
    (why,) = [e.why for e in found.records[0].entries if "votes as" in e.why]
    assert why.endswith(('votes as "good" does', 'votes as "better" does'))


def test_the_record_says_why_a_rewrite_was_refused() -> None:
    found = mined(ScriptedManager([MIDDLING], rewrites={"middling": WORSE}), paper(rounds=2))
    assert "rewrite 0.50 against 0.62 before" in found.records[1].entries[0].why


def test_a_rewrite_that_was_refused_is_not_raced_again() -> None:
    found = mined(ScriptedManager([MIDDLING], [[], [OTHER]], {"middling": WORSE}), paper(rounds=3))
    assert [record.candidates for record in found.records] == [1, 1, 1]
    assert set(found.fates(3)) == {"middling", "other"}


def test_a_rewrite_equal_in_content_to_what_is_alive_is_nobodys_child() -> None:
    found = mined(ScriptedManager([GOOD, MIDDLING], [[OTHER]], {"middling": GOOD}), paper(rounds=2))
    assert all(e.parent == "" for record in found.records for e in record.entries)
    assert "middling" in found.fates(2)


def test_a_manager_that_gives_a_criterion_back_unchanged_changes_nothing() -> None:
    found = mined(ScriptedManager([MIDDLING], [[OTHER]], {"middling": MIDDLING}), paper(rounds=2))
    assert set(found.fates(2)) == {"middling", "other"}


@dataclass(frozen=True)
class RisingFloor(PaperPolicy):
    """Refines what does not decide every pair, once three criteria are assessed together."""

    def decide(self, votes: Votes, assessments: Sequence[Assessment]) -> list[Decision]:
        late = len(assessments) > 2
        fates: list[Fate] = ["refine" if late and a.coverage < 1 else "keep" for a in assessments]
        return [Decision(a.criterion, fate, "scripted") for a, fate in zip(assessments, fates, strict=True)]


def test_a_beaten_parent_is_not_in_the_set_even_if_it_was_kept_once() -> None:
    parent, child = criterion("parent"), criterion("child")
    script = SCRIPT | {"parent": "AABB----", "child": PREFERRED}
    manager = ScriptedManager([parent, GOOD], [[OTHER]], {"parent": child})
    found = mined(manager, RisingFloor(size=4, rounds=3), script)
    assert [found.fates(i).get("parent") for i in (1, 2, 3)] == ["keep", "refine", None]
    assert "child" in found.names
    assert "parent" not in found.names


def test_a_judgment_that_never_came_wins_nothing_for_a_rewrite() -> None:
    """The rewrite was right as often as its parent where both were judged; where its parent was wrong it failed."""
    found = mined(
        ScriptedManager([MIDDLING], rewrites={"middling": BETTER}), robust(rounds=2), SCRIPT | {"better": "AABBA???"}
    )
    assert "better" not in found.fates(2)


def test_a_judgment_that_never_came_costs_a_rewrite_nothing() -> None:
    script = SCRIPT | {"middling": "AABBBBAA", "better": "??BBAABB"}
    found = mined(ScriptedManager([MIDDLING], rewrites={"middling": BETTER}), robust(rounds=2, keep=0.9), script)
    assert "better" in found.fates(2)


def test_mistakes_are_pairs_on_which_the_judge_decided_against_people() -> None:
    found = mined(ScriptedManager([MIDDLING]), paper(rounds=2))
    mistakes = found.manager.refined[0][0].mistakes
    assert {m.pair.id for m in mistakes} == {"5", "6", "7"}
    assert all(m.judgment.sign == -m.pair.sign for m in mistakes)


def test_a_mistake_shows_the_order_that_went_wrong() -> None:
    script = {"middling": "AAAABBBB"}
    found = mined(ScriptedManager([MIDDLING]), robust(rounds=2, looks="both"), script, second={"middling": "--------"})
    rationales = {m.judgment.rationale for case in found.manager.refined[0] for m in case.mistakes}
    assert rationales == {"ab: A", "ab: B"}


def test_no_more_mistakes_are_shown_than_a_manager_can_read() -> None:
    preferred = "A" * 40
    found = mined(ScriptedManager([MIDDLING]), robust(rounds=2), {"middling": "A" * 21 + "B" * 19}, preferred)
    assert len(found.manager.refined[0][0].mistakes) == MISTAKES_SHOWN


def test_a_thorough_policy_has_every_mistake_shown() -> None:
    preferred = "A" * 40
    found = mined(ScriptedManager([MIDDLING]), paper(rounds=2), {"middling": "A" * 22 + "B" * 18}, preferred)
    assert len(found.manager.refined[0][0].mistakes) == 18


def test_an_abstention_a_tie_or_a_missing_judgment_is_no_mistake() -> None:
    script, preferred = {"middling": "AAB-?BB"}, "AAAAA=="
    found = mined(ScriptedManager([MIDDLING]), paper(rounds=2), script, preferred)
    assert [m.pair.id for m in found.manager.refined[0][0].mistakes] == ["2"]


def test_a_race_drops_candidates_before_they_meet_every_pair() -> None:
    weak = [criterion(f"weak {i}") for i in range(5)]
    script = SCRIPT | {c.name: TURNED for c in weak}
    found = mined(ScriptedManager([GOOD, *weak]), robust(rounds=1), script)
    assert (found.records[0].candidates, found.records[0].raced_out) == (6, 3)
    assert len(found.records[0].entries) == 3


def test_when_all_candidates_lose_the_race_the_round_is_recorded_and_nothing_is_mined() -> None:
    found = mined(ScriptedManager([GOOD, OTHER]), NobodyPasses(size=2, rounds=1))
    assert found.records == [RoundRecord(number=1, candidates=2, raced_out=2, entries=())]
    assert found.names == []


def test_when_all_newcomers_lose_the_race_what_is_alive_stands_in_the_record() -> None:
    @dataclass(frozen=True)
    class LaterNobody(NobodyPasses):
        def survivors(self, assessments: Sequence[Assessment], rung: int, rungs: int) -> list[str]:
            return [a.criterion for a in assessments if a.criterion in (GOOD.hash, POOR.hash)]

    found = mined(ScriptedManager([GOOD, POOR], [[OTHER], []]), LaterNobody(size=2, rounds=3))
    assert (found.fates(2), found.records[1].raced_out) == ({"good": "keep"}, 1)
    assert found.manager.failures[1] == []


def test_a_newcomer_that_lost_a_race_may_enter_another() -> None:
    @dataclass(frozen=True)
    class SecondChance(NobodyPasses):
        def survivors(self, assessments: Sequence[Assessment], rung: int, rungs: int) -> list[str]:
            return [a.criterion for a in assessments if a.criterion == GOOD.hash or len(assessments) == 1]

    found = mined(ScriptedManager([GOOD, OTHER], [[OTHER]]), SecondChance(size=3, rounds=2))
    assert found.fates(2) == {"good": "keep", "other": "keep"}


def test_a_full_set_with_nothing_to_improve_ends_the_run_early() -> None:
    found = mined(ScriptedManager([GOOD, OTHER], [[MIDDLING]]), paper(rounds=9, size=2))
    assert len(found.records) == 1
    assert (found.manager.refined, found.manager.kept) == ([], [])


def test_a_full_set_with_something_to_improve_goes_on() -> None:
    found = mined(ScriptedManager([GOOD, MIDDLING, OTHER], rewrites={"middling": BETTER}), paper(rounds=9, size=3))
    assert len(found.records) == 2


def test_a_run_never_takes_more_rounds_than_it_may() -> None:
    fresh = [[criterion(f"poor {i}")] for i in range(9)]
    script = {c.name: TURNED for cs in fresh for c in cs} | SCRIPT
    assert len(mined(ScriptedManager([POOR], fresh), paper(rounds=4), script).records) == 4


def test_a_manager_that_proposes_nothing_gives_an_empty_set() -> None:
    for policy in (paper(), robust()):
        found = mined(ScriptedManager(), policy)
        assert found.names == []
        assert found.outcome.mining_weighted.decided == 0


def test_a_manager_that_runs_dry_ends_the_run_with_what_stands() -> None:
    found = mined(ScriptedManager([GOOD, MIDDLING]), paper(rounds=9))
    assert len(found.records) == 1
    assert found.names == ["good"]


@pytest.mark.parametrize("preferred", ["A", "AB", "AABBA", "=====", "A=B=A", "=", "AAAAA"])
@pytest.mark.parametrize("policy", [paper(), robust(), RobustPolicy(), PaperPolicy()])
def test_few_pairs_and_ties_are_mined_like_any_others(preferred: str, policy: Policy) -> None:
    script = {n: row[: len(preferred)] for n, row in SCRIPT.items()}
    found = mined(ScriptedManager([GOOD, POOR], [[OTHER]], {"poor": BETTER}), policy, script, preferred)
    weighted = found.outcome.mining_weighted
    assert (weighted.n, weighted.ties) == (len(preferred) - preferred.count("="), preferred.count("="))


@pytest.mark.parametrize("policy", [paper(), robust(), RobustPolicy()])
def test_a_run_all_of_whose_judgments_failed_ends_without_an_accuracy(policy: Policy) -> None:
    script = dict.fromkeys(SCRIPT, "????????")
    found = mined(ScriptedManager([GOOD, MIDDLING], [[OTHER]]), policy, script)
    assert found.outcome.mining_majority.decided == 0
    assert all(e.assessment.missing == 8 for e in found.records[0].entries)
    assert all(e.assessment.right == 0 and e.assessment.accuracy == 0.5 for e in found.records[0].entries)


def test_some_judgments_that_failed_are_left_out_of_the_accuracy() -> None:
    found = mined(ScriptedManager([GOOD]), paper(rounds=1), SCRIPT | {"good": "AA??AABB"})
    assessed = found.records[0].entries[0].assessment
    assert (assessed.missing, assessed.accuracy, assessed.coverage) == (2, 1.0, 0.75)


def test_both_orders_are_asked_of_a_judge_that_is_not_symmetric() -> None:
    found = mined(ScriptedManager([GOOD]), robust(rounds=1), second={"good": TURNED})
    assessed = found.records[0].entries[0].assessment
    assert (assessed.flip_rate, assessed.decided, assessed.abstained) == (1.0, 0, 8)
