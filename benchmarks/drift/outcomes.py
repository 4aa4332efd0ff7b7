"""One simulated stream examined from end to end: who raised an alarm when, and what the textbook would have said."""

from __future__ import annotations

from dataclasses import dataclass

from agents.drift import DriftState, advanced
from agents.drift.naming import alarms, primary
from agents.drift.state import CAUSES, Cause
from benchmarks.drift.changes import ONSET, REFRESHES, Change
from benchmarks.drift.naive import Ledger
from benchmarks.drift.refreshes import Course, Sizes

ALPHA = 0.05


@dataclass(frozen=True)
class Stream:
    """One stream.

    Attributes:
        alarm: refresh of each cause's alarm; absent where none was raised.
        named: cause named when the first alarm of any kind was raised, and at the end; None without an alarm.
        each_batch, each_total: refresh at which a textbook test at 5 % first says drift, of the latest refresh alone,
            or of all since approval, by cause; absent where it never does.
        at_end: causes that a textbook test of everything, once and at the end, finds at the level the cause has here.
        shift: what moved: rise of the flip rate of judge and annotators, of the error rate on new votes.
    """

    alarm: dict[Cause, int]
    named_first: Cause | None
    named_last: Cause | None
    each_batch: dict[Cause, int]
    each_total: dict[Cause, int]
    at_end: frozenset[Cause]
    shift: dict[Cause, float]

    @property
    def first(self) -> int | None:
        """The refresh of the first alarm of any cause."""
        return min(self.alarm.values(), default=None)

    def found(self, cause: Cause) -> bool:
        """Whether the cause's own alarm came, and not before the change."""
        return self.alarm.get(cause, 0) >= ONSET

    def delay(self, cause: Cause) -> int:
        """Refreshes with the change until the cause's own alarm; 1 for the first."""
        return self.alarm[cause] - ONSET + 1


def examine_stream(seed: int, change: Change, sizes: Sizes | None = None, refreshes: int = REFRESHES) -> Stream:
    """Simulate and examine a stream."""
    course = Course(seed, change, sizes)
    state, ledger = DriftState.begin(course.reference, ALPHA), Ledger(course.reference)
    first: Cause | None = None
    for data in course.refreshes(refreshes):
        state = advanced(state, data)
        ledger.add(data)
        if first is None and alarms(state.causes):
            first = primary(state.causes)
    whole = ledger.p_values(0, refreshes - 1)
    return Stream(
        alarm={c: at for c in CAUSES if (at := state.causes[c].alarm) is not None},
        named_first=first, named_last=primary(state.causes),
        each_batch=_first_below(ledger, refreshes, alone=True), each_total=_first_below(ledger, refreshes, alone=False),
        at_end=frozenset(c for c in CAUSES if whole[c] <= state.causes[c].level),
        shift=_shift(ledger, refreshes),
    )  # fmt: skip


def _first_below(ledger: Ledger, refreshes: int, *, alone: bool) -> dict[Cause, int]:
    found: dict[Cause, int] = {}
    for last in range(refreshes):
        for cause, p_value in ledger.p_values(last if alone else 0, last).items():
            if p_value <= ALPHA:
                found.setdefault(cause, last + 1)
    return found


def _shift(ledger: Ledger, refreshes: int) -> dict[Cause, float]:
    """Rate after the onset minus rate before it (approval included), as observed."""
    found: dict[Cause, float] = {}
    for cause, (hits, n) in ledger.before.items():
        early, late = ledger.since[: ONSET - 1], ledger.since[ONSET - 1 : refreshes]
        before = (hits + sum(b[cause][0] for b in early)) / (n + sum(b[cause][1] for b in early))
        found[cause] = sum(b[cause][0] for b in late) / max(1.0, sum(b[cause][1] for b in late)) - before
    return found
