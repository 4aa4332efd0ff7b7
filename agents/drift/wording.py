"""Findings in plain English, with the numbers that they rest on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from agents.drift.state import Cause, CauseState, DriftState

if TYPE_CHECKING:
    from agents.drift.report import CauseReport, Comparison, Finding

_SUBJECT: Mapping[Cause, str] = {
    "judge": "The judge",
    "annotators": "The annotators",
    "corpus": "The corpus",
    "fit": "The fit of the criteria",
}
_MOVED: Mapping[Cause, str] = {
    "judge": "The judge moved",
    "annotators": "The annotators moved",
    "corpus": "The corpus moved",
    "fit": "The criteria fit worse than at approval",
}
_SEARCHED = {"rise": "a rise of", "fall": "a fall of", "change": "a change of"}


def comparison_sentence(found: Comparison) -> str:
    """One comparison: before, since, evidence, and what would have been noticed."""
    before, since = found.before, found.since
    numbers = (
        f"{before.mean:.3f} at approval [{before.low:.3f}, {before.high:.3f}] ({before.n:.0f} {found.unit}), "
        f"{since.mean:.3f} since [{since.low:.3f}, {since.high:.3f}] ({since.n:.0f})"
    )
    return f"{found.label[0].upper()}{found.label[1:]}: {numbers}; e-value {number(found.log_e)}. {_power(found)}"


def cause_sentence(
    cause: Cause,
    finding: Finding,
    why: str,
    state: CauseState,
    comparisons: Sequence[Comparison],
    explained: Cause | Literal[""],
) -> str:
    """A cause's finding, with the evidence for it and the test that carries most of it."""
    if finding == "not tested":
        return f"{_SUBJECT[cause]}: not tested, because {why}."
    evidence = f"e-value {number(state.evidence.log_e)}, {number(-math.log(state.level))} raises the alarm"
    if finding == "no evidence":
        return f"{_SUBJECT[cause]}: no evidence of drift ({evidence}). {comparisons[0].sentence}"
    peak = number(state.evidence.peak)
    said = f"{_MOVED[cause]}: alarm at refresh {state.alarm} (e-value at its highest {peak}; now {evidence})."
    strongest = max(comparisons, key=lambda c: c.log_e + math.log(c.share or 1e-300))
    behind = f" {_MOVED[explained]}, which can bring this about." if explained else ""
    return f"{said}{behind} {strongest.sentence}{_named(comparisons)}"


def report_sentence(state: DriftState, primary: Cause | Literal[""], causes: Sequence[CauseReport]) -> str:
    """The whole report in two or three sentences."""
    chance = f"over all refreshes together at most {state.alpha:.0%} of streams without drift raise any alarm"
    untested = [c.cause for c in causes if c.finding == "not tested"]
    gap = f" Not tested: {', '.join(untested)}." if untested else ""
    if not primary:
        return f"Refresh {state.refreshes}: no evidence of drift ({chance}).{gap}"
    if state.causes[primary].alarm is None:
        raised = ", ".join(c.cause for c in causes if c.finding == "drift")
        likely = f"{_SUBJECT[primary][0].lower()}{_SUBJECT[primary][1:]}, without an alarm of its own,"
        return f"Refresh {state.refreshes}: alarm for {raised}; {likely} can have brought it about ({chance}).{gap}"
    others = [c.cause for c in causes if c.finding == "drift" and c.cause != primary]
    also = f" Alarms stand for {', '.join(others)} as well." if others else ""
    return f"Refresh {state.refreshes}: {_MOVED[primary][0].lower()}{_MOVED[primary][1:]} ({chance}).{also}{gap}"


def number(log_value: float) -> str:
    """A positive number given by its logarithm, in three digits: `0.42`, `68`, `3.1e+12`."""
    if log_value > 600:
        return "over 1e260"
    return f"{math.exp(log_value):.3g}"


def _power(found: Comparison) -> str:
    if found.direction == "never":
        return "A single one is proof."
    if found.noticeable is None:
        return "So few observations would not have shown any change with a chance of 80 %."
    sought = _SEARCHED[found.direction].capitalize()
    return f"{sought} {found.noticeable:.3f} would have been noticed with a chance of 80 %."


def _named(comparisons: Sequence[Comparison]) -> str:
    criteria = [c.criterion for c in comparisons if c.criterion and c.named]
    people = [c.annotator for c in comparisons if c.annotator and c.named]
    said = f" Criteria that moved: {', '.join(criteria)}." if criteria else ""
    return said + (f" Annotators who moved: {', '.join(people)}." if people else "")
