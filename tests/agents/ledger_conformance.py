"""The suite that every ledger must pass. A room's test subclasses `LedgerConformance` and offers a `world` fixture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import pytest

from agents.assessment import Assessment
from agents.chronicle import Entry, RoundRecord
from agents.judgments import Ask, Hesitation, Judgment, Order, Status, Verdict
from agents.ledger import Ledger
from agents.pairs import Pair
from agents.votes import ABSTAINED, DECIDED, MISSING
from knowledge_base.criterion import Criterion, Provenance

JUDGE = "conformance/1"
PAIRS = tuple(Pair(id=str(i), a=f"first text {i}", b=f"second text {i}", preferred="a") for i in range(4))
HASHES = tuple(p.hash for p in PAIRS)
SOURCE = Provenance(kind="mined", source="ledger conformance", year=2024)


class World(Protocol):
    """Where ledgers live: they share the judgments in it."""

    def ledger(self, run: str = "run-1") -> Ledger:
        """A new run's ledger."""
        ...

    def answer(self, ledger: Ledger, judgments: Sequence[Judgment]) -> None:
        """Workers answer what `ledger` is missing."""
        ...


def criterion(name: str) -> Criterion:
    """A criterion that differs from others by its name."""
    return Criterion(name=name, description="What the conformance suite judges by.", provenance=SOURCE)


FIRST, SECOND = criterion("first criterion"), criterion("second criterion")


def ask(of: Criterion = FIRST, pair: int = 0, order: Order = "ab", sample: int = 0) -> Ask:
    """One ask."""
    return Ask(judge=JUDGE, criterion=of.hash, pair=HASHES[pair], order=order, sample=sample)


def answer(to: Ask, verdict: Verdict = "A", status: Status = "decided", margin: float = 0.5) -> Judgment:
    """An answer to it."""
    return Judgment(key=to.key, status=status, verdict=verdict, margin=margin, rationale=f"why {to.key[:6]}")


def round_record(number: int, candidates: int = 3) -> RoundRecord:
    """A round with one entry."""
    return RoundRecord(number=number, candidates=candidates, raced_out=0, entries=(_entry(),))


def _entry() -> Entry:
    assessed = dict.fromkeys(Assessment.model_fields, 0) | {"criterion": FIRST.hash}
    assessment = Assessment.model_validate(assessed)
    return Entry(
        criterion=FIRST.hash, name=FIRST.name, origin="manager", assessment=assessment, fate="keep", why="good"
    )


class LedgerConformance:
    """What a ledger promises."""

    def test_recall_gives_bodies_in_the_order_asked_for(self, world: World) -> None:
        ledger = world.ledger()
        ledger.remember([FIRST, SECOND])
        assert ledger.recall([SECOND.hash, FIRST.hash, SECOND.hash]) == [SECOND, FIRST, SECOND]

    def test_recall_of_nothing_is_nothing(self, world: World) -> None:
        assert world.ledger().recall([]) == []

    def test_recall_raises_for_a_criterion_never_remembered(self, world: World) -> None:
        ledger = world.ledger()
        ledger.remember([FIRST])
        with pytest.raises(KeyError):
            ledger.recall([FIRST.hash, "f" * 16])

    def test_remembering_again_takes_the_last_body(self, world: World) -> None:
        ledger = world.ledger()
        central = FIRST.model_copy(update={"domains": {"web": 3}})
        ledger.remember([FIRST])
        ledger.remember([central])
        assert ledger.recall([FIRST.hash])[0].domains == {"web": 3}

    def test_a_ledger_recalls_its_own_body_of_a_hash_that_another_remembers_too(self, world: World) -> None:
        one, other = world.ledger("run-1"), world.ledger("run-2")
        central = FIRST.model_copy(update={"domains": {"web": 3}})
        one.remember([FIRST])
        other.remember([central])
        assert one.recall([FIRST.hash])[0].domains == {}

    def test_nothing_is_missing_at_first(self, world: World) -> None:
        assert world.ledger().missing() == 0

    def test_wanting_says_how_many_are_missing(self, world: World) -> None:
        ledger = _remembering(world)
        assert ledger.want([ask(pair=0), ask(pair=1)]) == 2
        assert ledger.want([ask(pair=2)]) == ledger.missing() == 3

    def test_wanting_twice_is_wanting_once(self, world: World) -> None:
        ledger = _remembering(world)
        ledger.want([ask(), ask(), ask(pair=1)])
        assert ledger.want([ask(), ask(pair=1)]) == 2

    def test_orders_and_samples_are_judgments_of_their_own(self, world: World) -> None:
        ledger = _remembering(world)
        assert ledger.want([ask(), ask(order="ba"), ask(sample=1)]) == 3

    @pytest.mark.parametrize("status", ["decided", "abstained", "invalid", "failed"])
    def test_an_answer_of_any_status_is_not_missing(self, world: World, status: Status) -> None:
        ledger = _remembering(world)
        ledger.want([ask(), ask(pair=1)])
        world.answer(ledger, [answer(ask(), status=status)])
        assert ledger.missing() == 1

    @pytest.mark.parametrize("status", ["decided", "abstained", "invalid", "failed"])
    def test_wanting_again_what_was_answered_asks_for_nothing(self, world: World, status: Status) -> None:
        ledger = _remembering(world)
        ledger.want([ask()])
        world.answer(ledger, [answer(ask(), status=status)])
        assert ledger.want([ask()]) == 0

    @pytest.mark.parametrize("status", ["decided", "abstained"])
    def test_evidence_is_reused_by_another_run(self, world: World, status: Status) -> None:
        _answered(world, status)
        assert _remembering(world, "run-2").want([ask()]) == 0

    @pytest.mark.parametrize("status", ["invalid", "failed"])
    def test_missing_evidence_is_asked_anew_by_another_run(self, world: World, status: Status) -> None:
        first = _answered(world, status)
        other = _remembering(world, "run-2")
        assert other.want([ask()]) == 1
        assert other.want([ask()]) == 1
        assert first.missing() == 0

    @pytest.mark.parametrize("status", ["invalid", "failed"])
    def test_what_another_run_asks_anew_stays_answered_for_the_one_that_asked(
        self, world: World, status: Status
    ) -> None:
        first = _answered(world, status)
        _remembering(world, "run-2").want([ask()])
        assert first.votes([FIRST.hash], HASHES[:1]).states[0, 0] == MISSING
        assert [j.status for _, j in first.judgments(FIRST.hash, HASHES)] == [status]

    def test_an_answer_to_the_second_asking_reaches_the_second_run(self, world: World) -> None:
        _answered(world, "failed")
        other = _remembering(world, "run-2")
        other.want([ask()])
        world.answer(other, [answer(ask(), "B")])
        assert other.missing() == 0
        assert other.votes([FIRST.hash], HASHES[:1]).signs[0, 0] == -1

    def test_votes_show_each_state(self, world: World) -> None:
        ledger = _remembering(world)
        ledger.want([ask(pair=i) for i in range(3)])
        world.answer(ledger, [answer(ask(pair=0), "B"), answer(ask(pair=1), status="abstained", verdict="abstain")])
        world.answer(ledger, [answer(ask(pair=2), status="invalid", verdict="abstain")])
        votes = ledger.votes([FIRST.hash], HASHES)
        assert votes.states.tolist() == [[DECIDED, ABSTAINED, MISSING, 0]]
        assert votes.signs.tolist() == [[-1, 0, 0, 0]]

    def test_votes_merge_both_orders_and_keep_margins(self, world: World) -> None:
        ledger = _remembering(world)
        asks = [ask(pair=0), ask(pair=0, order="ba"), ask(pair=1), ask(pair=1, order="ba")]
        ledger.want(asks)
        verdicts: list[Verdict] = ["A", "B", "A", "A"]
        margins = [0.4, 0.2, 0.4, 0.8]
        world.answer(ledger, [answer(a, v, margin=m) for a, v, m in zip(asks, verdicts, margins, strict=True)])
        votes = ledger.votes([FIRST.hash], HASHES[:2])
        assert votes.signs.tolist() == [[0, 1]]
        assert votes.flipped.tolist() == [[True, False]]
        assert np.allclose(votes.margins, [[0.1, 0.6]])

    def test_votes_hold_only_what_this_ledger_wants(self, world: World) -> None:
        _answered(world, "decided")
        other = _remembering(world, "run-2")
        other.want([ask(pair=1)])
        assert other.votes([FIRST.hash], HASHES[:1]).states[0, 0] == 0

    def test_votes_come_in_the_order_asked_for(self, world: World) -> None:
        ledger = _remembering(world)
        asks = [ask(c, p) for c in (FIRST, SECOND) for p in range(2)]
        ledger.want(asks)
        verdicts: list[Verdict] = ["A", "B", "B", "B"]
        world.answer(ledger, [answer(a, v) for a, v in zip(asks, verdicts, strict=True)])
        votes = ledger.votes([SECOND.hash, FIRST.hash], [HASHES[1], HASHES[0]])
        assert votes.signs.tolist() == [[-1, -1], [-1, 1]]
        assert votes.criteria == (SECOND.hash, FIRST.hash)

    def test_judgments_come_with_rationales_in_the_order_of_the_pairs(self, world: World) -> None:
        ledger = _remembering(world)
        asks = [ask(pair=i) for i in range(3)]
        ledger.want(asks)
        world.answer(ledger, [answer(asks[0]), answer(asks[2], "B")])
        found = ledger.judgments(FIRST.hash, [HASHES[2], HASHES[1], HASHES[0]])
        assert found == [(HASHES[2], answer(asks[2], "B")), (HASHES[0], answer(asks[0]))]

    @pytest.mark.parametrize("hesitation", ["", "not applicable", "equal", "unsure"])
    @pytest.mark.parametrize("truncated", [False, True])
    def test_judgments_keep_why_a_judge_abstained_and_whether_it_saw_all(
        self, world: World, hesitation: Hesitation, truncated: bool
    ) -> None:
        ledger = _remembering(world)
        ledger.want([ask()])
        told = Judgment(key=ask().key, status="abstained", hesitation=hesitation, truncated=truncated, rationale="so")
        world.answer(ledger, [told])
        assert ledger.judgments(FIRST.hash, HASHES) == [(HASHES[0], told)]

    def test_the_budget_is_not_spent_at_first(self, world: World) -> None:
        ledger = _remembering(world)
        ledger.want([ask()])
        assert not ledger.spent()

    def test_a_record_replaces_an_earlier_one_of_its_number(self, world: World) -> None:
        ledger = world.ledger()
        for record in (round_record(2), round_record(1), round_record(2, candidates=9)):
            ledger.record(record)
        assert ledger.records() == [round_record(1), round_record(2, candidates=9)]

    def test_records_of_another_run_are_not_seen(self, world: World) -> None:
        world.ledger("run-1").record(round_record(1))
        assert world.ledger("run-2").records() == []


def _remembering(world: World, run: str = "run-1") -> Ledger:
    ledger = world.ledger(run)
    ledger.remember([FIRST, SECOND])
    return ledger


def _answered(world: World, status: Status) -> Ledger:
    """A ledger of run-1 that wanted one judgment and was answered so."""
    ledger = _remembering(world)
    ledger.want([ask()])
    world.answer(ledger, [answer(ask(), "A" if status == "decided" else "abstain", status)])
    return ledger
