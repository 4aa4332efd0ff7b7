"""Drift: what moved since a criteria set was approved. Values in, values out; the caller does all reading and writing.

Four causes are told apart, each with a test and evidence of its own: the *judge* (pinned anchor pairs judged again),
the *annotators* (repeated votes, agreement), the *corpus* (coverage, abstention, scores, embeddings) and the *fit* of
the criteria (the set's accuracy on new votes). The evidence of each is an e-process: it may be looked at after every
refresh, refreshes may be of any size and come at any time, and over the whole stream the chance of any false alarm is
at most alpha.

    state = DriftState.begin(Reference(...), alpha=0.05)          # when a set is approved
    state, report = examine(state, RefreshData(...))              # at each refresh
    text = state.model_dump_json(); state = DriftState.model_validate_json(text)
    state = restarted(state, Reference(...))                      # when the next set is approved

What a caller owes:

- `Reference`: sealed accuracy counts (`Score(right, n)`, ties and undecided pairs left out; divide both by the design
  effect where pairs hang together) of the set's vote and by criterion hash; the ballot's weights; hashes of the pairs
  that were mined or sealed (`known_pairs`); anchor pairs judged twice at pinning, in separate calls (`Anchor(pair,
  criterion, answer, again)`; without `again` the first refresh's answers take its place and test nothing), or
  `deterministic=True`; people's votes on them (`anchor_votes`); repeated votes from before approval (`Repeat`); the
  ballots of pairs with two votes or more; `CorpusReference.of(coverage=, abstention=, scores=, embeddings=)`, the
  last as (n, d) vectors of which at most 500 are kept, in 17 numbers each. Any part may be missing: its cause is then
  `not tested`.
- `RefreshData`: only what is new. Anchor answers by (criterion hash, pair hash) on all anchors or a fresh random
  subset, merged over the two orders as at pinning, None where no evidence came; `NewVote(pair, preferred, verdicts,
  vote, annotator, unit)`; `Repeat(annotator, pair, before, now, first)`; `CorpusBatch(coverage, abstention, scores,
  embeddings)`, a fresh random sample. Votes on known pairs are passed over; nothing else can be recognised as given
  twice, so a refresh that is repeated after a crash must start from the state before it.
- an alarm stays until `restarted`.
"""

from agents.drift.corpus_reference import CorpusReference
from agents.drift.evidence import Evidence, e_bh
from agents.drift.planning import Detection, anchors_needed, detection, votes_needed
from agents.drift.power import binomial_power, matched_power
from agents.drift.reference import Anchor, Reference, Score
from agents.drift.refresh import CorpusBatch, NewVote, RefreshData, Repeat
from agents.drift.report import CauseReport, Comparison, DriftReport, Estimate
from agents.drift.state import CAUSES, Cause, CauseState, DriftState, restarted
from agents.drift.verdict import advanced, examine, report

__all__ = [
    "CAUSES",
    "Anchor",
    "Cause",
    "CauseReport",
    "CauseState",
    "Comparison",
    "CorpusBatch",
    "CorpusReference",
    "Detection",
    "DriftReport",
    "DriftState",
    "Estimate",
    "Evidence",
    "NewVote",
    "Reference",
    "RefreshData",
    "Repeat",
    "Score",
    "advanced",
    "anchors_needed",
    "binomial_power",
    "detection",
    "e_bh",
    "examine",
    "matched_power",
    "report",
    "restarted",
    "votes_needed",
]
