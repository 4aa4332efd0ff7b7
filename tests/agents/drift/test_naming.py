from __future__ import annotations

import math
from itertools import product

import pytest

from agents.drift.evidence import Evidence
from agents.drift.naming import SUSPICION, alarms, explanations, primary, unseparated
from agents.drift.state import CAUSES, Cause, CauseState
from agents.drift.stream import Stream
from agents.drift.tally import Tally


def stream(name: str, log_e: float, share: float = 0.5) -> Stream:
    fields = {"name": name, "label": name, "unit": "x", "direction": "rise", "share": share, "reference": Tally()}
    return Stream.model_validate({**fields, "batches": 1, "log_e": log_e})


def cause(alarm: int | None = None, e: float = 1.0, streams: tuple[Stream, ...] = ()) -> CauseState:
    history = (math.log(1000 if alarm else e),)
    return CauseState(level=0.01, alarm=alarm, evidence=Evidence(history=history), streams=streams or (stream("x", 9),))


def world(**states: CauseState) -> dict[Cause, CauseState]:
    return {c: states.get(c, cause()) for c in CAUSES}


AGREEMENT_ONLY = (stream("own", -1.0), stream("agreement", 9.0))
JUDGED_ONLY = (stream("coverage", 9.0), stream("novelty", -1.0))


def test_without_an_alarm_nothing_is_named() -> None:
    assert primary(world()) is None
    assert primary(world(judge=cause(e=99.0))) is None
    assert alarms(world()) == ()
    assert unseparated(world()) == ()


@pytest.mark.parametrize("only", CAUSES)
def test_a_single_alarm_is_named(only: Cause) -> None:
    assert primary(world(**{only: cause(3)})) == only


@pytest.mark.parametrize("earlier", ["judge", "annotators", "corpus"])
def test_whatever_may_lower_accuracy_explains_a_fall_of_it(earlier: Cause) -> None:
    found = world(**{earlier: cause(8), "fit": cause(3)})
    assert explanations(found) == {"fit": earlier}
    assert primary(found) == earlier
    assert "fell" in unseparated(found)[0]


def test_a_suspect_explains_an_alarm_without_one_of_its_own() -> None:
    found = world(annotators=cause(e=SUSPICION + 1), fit=cause(3))
    assert primary(found) == "annotators"
    assert any("no alarm" in said for said in unseparated(found))
    assert primary(world(annotators=cause(e=SUSPICION - 1), fit=cause(3))) == "fit"


def test_coverage_that_moved_with_the_judge_is_the_judges_doing() -> None:
    assert primary(world(judge=cause(3), corpus=cause(3, streams=JUDGED_ONLY))) == "judge"
    assert explanations(world(judge=cause(3), corpus=cause(3, streams=JUDGED_ONLY))) == {"corpus": "judge"}


def test_texts_that_moved_are_not_the_judges_doing() -> None:
    found = world(judge=cause(3), corpus=cause(3, streams=(stream("novelty", 9.0),)))
    assert explanations(found) == {}
    assert primary(found) == "judge"
    assert "both may have moved" in unseparated(found)[0]


def test_disagreement_on_new_pairs_may_be_the_corpus() -> None:
    found = world(corpus=cause(3), annotators=cause(2, streams=AGREEMENT_ONLY))
    assert explanations(found) == {"annotators": "corpus"}
    assert primary(found) == "corpus"


def test_people_who_contradict_themselves_are_not_explained_by_the_corpus() -> None:
    assert primary(world(corpus=cause(3), annotators=cause(2))) == "annotators"


def test_a_fall_of_fit_says_what_was_not_tested() -> None:
    blind = CauseState(level=0.0)
    found = unseparated(world(fit=cause(2), judge=blind, annotators=blind))
    assert [said for said in found if "not tested" in said] == [
        "The fall in fit may come from the judge: that was not tested.",
        "The fall in fit may come from the annotators: that was not tested.",
    ]


@pytest.mark.parametrize("raised", list(product([False, True], repeat=4)))
@pytest.mark.parametrize("streams", [(), AGREEMENT_ONLY, JUDGED_ONLY])
def test_whenever_there_is_an_alarm_something_is_named(raised: tuple[bool, ...], streams: tuple[Stream, ...]) -> None:
    found = {c: cause(2 if r else None, streams=streams) for c, r in zip(CAUSES, raised, strict=True)}
    assert (primary(found) is None) == (not any(raised))
    assert all(told for told in unseparated(found))
