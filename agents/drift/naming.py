"""Which cause is named when several raise an alarm.

The rules, in this order:

1. The causes stand in an order: judge, annotators, corpus, fit. What comes earlier can bring about what comes later: a
   judge that reads differently decides otherwise on the corpus and on new votes; people who changed their minds
   disagree with a set that was right; a corpus of other texts may be one that the criteria were not made for.
2. A later cause's alarm is *explained* by an earlier cause that raised an alarm too, or whose e-value once reached
   `SUSPICION` (by Ville's inequality an innocent cause ever does so with a chance of at most one in `SUSPICION`; once
   there is an alarm, the question is no longer whether something moved but what, and the tests are not equally
   quick), if the later cause shows nothing that the earlier could not do. The corpus is explained by the judge only
   as far as coverage and abstention carry it, never scores or embeddings. The annotators are never explained by the
   judge, whom they do not see, but by the corpus if nothing but their agreement on new pairs speaks against them: new
   pairs may be harder.
3. The primary cause is the first, in that order, that raised an alarm or explains one, and is not explained itself.

The rules name; they do not prove. `unseparated` says what the evidence leaves open.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from agents.drift.corpus_drift import JUDGED
from agents.drift.evidence import mixture
from agents.drift.state import CAUSES, Cause, CauseState

SUSPICION = 10.0
"""E-value at which a cause may explain another's alarm without having raised one of its own."""

States = Mapping[Cause, CauseState]


def alarms(causes: States) -> tuple[Cause, ...]:
    """The causes that have raised an alarm, in the order of precedence."""
    return tuple(cause for cause in CAUSES if causes[cause].alarm is not None)


def suspects(causes: States) -> tuple[Cause, ...]:
    """The causes without an alarm that may explain one, in the order of precedence."""
    return tuple(c for c in CAUSES if causes[c].alarm is None and causes[c].evidence.peak >= math.log(SUSPICION))


def explanations(causes: States) -> dict[Cause, Cause]:
    """Alarmed cause -> the first cause that can have brought it about; the others are left out."""
    able = {*alarms(causes), *suspects(causes)}
    found = {later: [c for c in _able(causes, later) if c in able] for later in alarms(causes)}
    return {later: earlier[0] for later, earlier in found.items() if earlier}


def primary(causes: States) -> Cause | None:
    """The cause that is named; None without an alarm."""
    explained = explanations(causes)
    at_issue = {*alarms(causes), *explained.values()}
    return next((cause for cause in CAUSES if cause in at_issue and cause not in explained), None)


def unseparated(causes: States) -> tuple[str, ...]:
    """What the evidence leaves open, a sentence each."""
    explained = explanations(causes)
    said = [_OPEN[earlier, later] for later, earlier in explained.items()]
    free = [cause for cause in alarms(causes) if cause not in explained]
    said += [
        f"The {_plain(c)} raised no alarm and is named as an explanation only (highest e-value "
        f"{math.exp(causes[c].evidence.peak):.0f})."
        for c in suspects(causes)
        if c in explained.values()
    ]
    if len(free) > 1:
        said.append(f"{_listed(free)} each have evidence of their own; both may have moved.".capitalize())
    if "fit" in alarms(causes) and "fit" not in explained:
        blind = [cause for cause in CAUSES[:3] if not causes[cause].observed]
        said += [f"The fall in fit may come from the {_plain(cause)}: that was not tested." for cause in blind]
    return tuple(said)


def _able(causes: States, later: Cause) -> tuple[Cause, ...]:
    """Causes that can have brought about all that a cause shows."""
    if later == "fit":
        return ("judge", "annotators", "corpus")
    if later == "corpus" and not _stands(causes["corpus"], without=JUDGED):
        return ("judge",)
    if later == "annotators" and not _stands(causes["annotators"], without=frozenset({"agreement"})):
        return ("corpus",)
    return ()


def _stands(state: CauseState, without: frozenset[str]) -> bool:
    """Whether the evidence would do without some streams, had the others been given their capital."""
    kept = [stream for stream in state.streams if stream.name not in without]
    capital = sum(stream.share for stream in kept)
    if not capital:
        return False
    return mixture([s.log_e for s in kept], [s.share / capital for s in kept]) >= -math.log(state.level)


def _plain(cause: Cause) -> str:
    return {"judge": "judge", "annotators": "annotators", "corpus": "corpus", "fit": "fit of the criteria"}[cause]


def _listed(causes: list[Cause]) -> str:
    return " and ".join(f"the {_plain(cause)}" for cause in causes)


_OPEN: Mapping[tuple[Cause, Cause], str] = {
    (
        "judge",
        "corpus",
    ): "Coverage and abstention changed on the corpus while the judge moved; scores and embeddings do not "
    "show that the corpus did, so the judge may have done it alone.",
    (
        "judge",
        "fit",
    ): "Accuracy on new votes fell while the judge moved; whether the criteria themselves still fit can be "
    "told once a judge is pinned again.",
    ("annotators", "fit"): "Accuracy on new votes fell while people contradict their earlier votes; whether they want "
    "something else or vote with less care, these numbers do not tell.",
    (
        "corpus",
        "fit",
    ): "Accuracy on new votes fell while the corpus moved; criteria that do not suit the new texts and people "
    "who want something else look alike here.",
    (
        "corpus",
        "annotators",
    ): "Annotators agree less on new pairs while the corpus moved; the new texts may be harder to compare.",
}
