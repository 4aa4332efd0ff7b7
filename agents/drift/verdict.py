"""One refresh examined: evidence brought up to date, causes separated, and everything said in plain words."""

from __future__ import annotations

import math
from collections.abc import Iterable

from agents.drift import annotator_drift, corpus_drift, fit_drift, judge_drift
from agents.drift.betting import confidence_sequence
from agents.drift.evidence import e_bh
from agents.drift.naming import alarms, explanations, primary, unseparated
from agents.drift.power import noticeable
from agents.drift.refresh import RefreshData
from agents.drift.report import CauseReport, Comparison, DriftReport, Estimate, Finding
from agents.drift.state import CAUSES, Cause, CauseState, DriftState
from agents.drift.stream import Stream
from agents.drift.tally import Tally
from agents.drift.wording import cause_sentence, comparison_sentence, report_sentence
from agents.statistics import wilson


def examine(state: DriftState, data: RefreshData) -> tuple[DriftState, DriftReport]:
    """Bring the evidence up to date with a refresh and report.

    Args:
        state: as the last refresh left it, or as `DriftState.begin` made it.
        data: what is new. An observation must be given to one refresh only; votes on known pairs are passed over.

    Returns:
        the state to keep for the next refresh, and the report. The same arguments give the same answer.

    Raises:
        InputError: a share outside [0, 1], embeddings of another dimension, or a number that is not finite.
    """
    after = advanced(state, data)
    return after, report(after)


def advanced(state: DriftState, data: RefreshData) -> DriftState:
    """The state after a refresh, without the report (which takes longer than the evidence)."""
    refresh = state.refreshes + 1
    state = state.model_copy(update={"refreshes": refresh})
    before, state = state, _with_baseline(state, data)
    # Answers that measured the judge's own flips are the standard now and cannot be held against it as well.
    answers = data.anchor_answers if state is before else {}
    seen = frozenset(state.seen_pairs)
    votes = fit_drift.fresh(data.new_votes, seen)
    reference, memory = state.reference, state.corpus_memory
    observed = {
        "judge": judge_drift.observations(reference, answers),
        "annotators": annotator_drift.observations(data.repeats, votes),
        "corpus": _corpus(state, data),
        "fit": fit_drift.observations(votes),
    }
    causes = {cause: state.causes[cause].after(observed[cause], refresh) for cause in CAUSES}
    if reference.corpus and data.corpus:
        memory, further = corpus_drift.learned(reference.corpus, memory, data.corpus)
        causes["corpus"] = causes["corpus"].watching(further)
    known = tuple(sorted(seen.union(vote.pair for vote in votes)))
    ballots = annotator_drift.counted(state.ballots, annotator_drift.ballots(votes))
    return state.model_copy(update={"causes": causes, "corpus_memory": memory, "seen_pairs": known, "ballots": ballots})


def _corpus(state: DriftState, data: RefreshData) -> dict[str, list[float]]:
    reference = state.reference.corpus
    return corpus_drift.observations(reference, state.corpus_memory, data.corpus) if reference and data.corpus else {}


def report(state: DriftState) -> DriftReport:
    """What the evidence so far says."""
    explained = explanations(state.causes)
    causes = tuple(_cause_report(state, cause, explained) for cause in CAUSES)
    named = primary(state.causes) or ""
    return DriftReport(
        refresh=state.refreshes, alpha=state.alpha, drifted=bool(alarms(state.causes)), primary=named, causes=causes,
        agreement_before=annotator_drift.alpha(annotator_drift.counted({}, state.reference.ballots)),
        agreement_since=annotator_drift.alpha(state.ballots),
        unseparated=unseparated(state.causes), sentence=report_sentence(state, named, causes),
    )  # fmt: skip


def _with_baseline(state: DriftState, data: RefreshData) -> DriftState:
    """The state with the judge's own flips measured by this refresh, if nothing measured them before."""
    reference = state.reference
    if not reference.anchors or judge_drift.has_baseline(reference) or not data.anchor_answers:
        return state
    pinned = reference.model_copy(update={"anchors": judge_drift.pinned_again(reference, data.anchor_answers)})
    watched = state.causes["judge"].watching(judge_drift.streams(pinned))
    causes = {**state.causes, "judge": watched}
    return state.model_copy(update={"reference": pinned, "causes": causes, "baseline": state.refreshes})


def _cause_report(state: DriftState, cause: Cause, explained: dict[Cause, Cause]) -> CauseReport:
    found = state.causes[cause]
    why = _why_untested(state, cause)
    finding: Finding = "drift" if found.alarm is not None else "not tested" if why else "no evidence"
    comparisons = _comparisons(found)
    return CauseReport(
        cause=cause, finding=finding, why=why, level=found.level, log_e=found.evidence.log_e,
        e_value=found.evidence.e_value, p_value=found.evidence.p_value, alarm=found.alarm,
        explained_by=explained.get(cause, ""), comparisons=comparisons,
        sentence=cause_sentence(cause, finding, why, found, comparisons, explained.get(cause, "")),
    )  # fmt: skip


_MISSING = {
    "judge": "no anchor pairs were pinned at approval",
    "annotators": "neither repeated votes nor pairs with two votes were on record at approval",
    "corpus": "no sample of the corpus was kept at approval",
    "fit": "no accuracy on sealed pairs was counted at approval",
}
_ABSENT = {
    "judge": "no refresh brought answers on anchor pairs",
    "annotators": "no refresh brought repeated votes, or new pairs with two votes",
    "corpus": "no refresh brought a sample of the corpus",
    "fit": "no refresh brought votes on new pairs that the set decides",
}


def _why_untested(state: DriftState, cause: Cause) -> str:
    found = state.causes[cause]
    if found.observed:
        return ""
    if cause == "judge" and state.reference.anchors and not found.streams:
        return "anchor pairs were judged only once, so how often the judge flips by itself is not known yet"
    if cause == "judge" and state.baseline is not None:
        return "the first answers on anchor pairs measured how often the judge flips by itself"
    return _ABSENT[cause] if found.streams else _MISSING[cause]


def _comparisons(found: CauseState) -> tuple[Comparison, ...]:
    watched = [stream for stream in found.streams if stream.batches]
    named = _named(watched, found.level)
    return tuple(_comparison(stream, stream.name in named, found.level) for stream in watched)


def _named(watched: Iterable[Stream], level: float) -> frozenset[str]:
    """Streams that moved: criteria and persons by e-BH among their like, others where their share alone suffices."""
    named: set[str] = set()
    for kind in ("criterion", "annotator"):
        like = {s.name: s.log_e for s in watched if getattr(s, kind)}
        named.update(e_bh(like, level) if level else ())
    alone = [s for s in watched if not s.criterion and not s.annotator and s.share > 0 and level]
    named.update(s.name for s in alone if s.log_e + math.log(s.share * level) >= 0)
    return frozenset(named)


def _comparison(stream: Stream, named: bool, level: float) -> Comparison:
    since = stream.since
    found = Comparison(
        name=stream.name, label=stream.label, unit=stream.unit, direction=stream.direction,
        criterion=stream.criterion, annotator=stream.annotator, before=_fixed(stream.reference),
        since=_anytime(since), last=_fixed(stream.last), log_e=stream.log_e, share=stream.share, named=named,
        noticeable=noticeable(stream, -math.log(level * stream.share)) if level * stream.share else None, sentence="",
    )  # fmt: skip
    return found.model_copy(update={"sentence": comparison_sentence(found)})


def _fixed(tally: Tally) -> Estimate:
    """With Wilson's interval, which is too wide rather than too narrow for values between 0 and 1."""
    interval = wilson(tally.total, tally.n)
    return Estimate(mean=tally.mean, low=interval.low, high=interval.high, n=tally.n)


def _anytime(tally: Tally) -> Estimate:
    interval = confidence_sequence(tally)
    return Estimate(mean=tally.mean, low=interval.low, high=interval.high, n=tally.n)
