"""What was known of a version as it was approved: the standard that its refreshes are held against."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from agents.assessment import Assessment
from agents.drift import Anchor, CorpusReference, Reference, Repeat, Score
from agents.judgments import Verdict
from agents.outcome import VoteAccuracy
from agents.pairs import Pair, Preference
from agents.splitting import unit_labels
from agents.votes import ABSTAINED, DECIDED, Votes
from services.annotation.repeated import repeats
from services.annotation.vote import StoredVote
from services.criteria_sets.evidence import SetEvidence
from services.criteria_sets.reading import set_details
from services.database import Database
from services.dataset_store import bare_pairs
from services.schedules.asking import votes_of
from services.schedules.work import Pins, Work
from services.sql_ledger import CHUNK

VERDICTS: dict[int, Verdict] = {1: "A", -1: "B", 0: "abstain"}


def reference_of(work: Work, pins: Pins) -> Reference:
    """The standard of the version that is examined, at its first examination."""
    known, old = set(work.groundwork.known), work.old
    evidence = set_details(work.database, work.approved.name, work.refresh.old).evidence
    pairs = [p for p in work.run.dataset.pairs if p.hash in known]
    accuracy, by_criterion = scores(evidence)
    return Reference(
        accuracy=accuracy, by_criterion=by_criterion, weights={m.criterion.hash: m.weight for m in old.members},
        known_pairs=work.groundwork.known, anchors=_anchors(pins), anchor_votes=_preferred(pairs, pins),
        deterministic=deterministic(work), ballots=_ballots(pairs, work.groundwork.steered), corpus=_corpus(work),
        repeats=repeated(work, -1.0, work.groundwork.since),
    )  # fmt: skip


def deterministic(work: Work) -> bool:
    """Whether the workers compute their answers: whose swapping provably only swaps them, at no cost, does."""
    return work.panel.symmetric and work.panel.free


def scores(evidence: SetEvidence | None) -> tuple[Score | None, dict[str, Score]]:
    """Accuracy counts on held-out pairs, of the set and by criterion, at the effective number of pairs."""
    if evidence is None or evidence.weighted is None:
        return None, {}
    each = {a.criterion: _score(a, evidence.weighted) for a in evidence.criteria if a.decided}
    return _score(evidence.weighted, evidence.weighted), each


def shares(votes: Votes, pairs: Sequence[str]) -> tuple[list[float], list[float]]:
    """Coverage and abstention on each of these pairs that got any answer."""
    at = votes.columns([votes.pairs.index(p) for p in pairs])
    decided, abstained = ((at.states == state).sum(axis=0) for state in (DECIDED, ABSTAINED))
    answered = decided + abstained
    there = answered > 0
    every = np.maximum(answered, 1)
    return (decided / every)[there].tolist(), (abstained / every)[there].tolist()


def repeated(work: Work, since: float, until: float) -> tuple[Repeat, ...]:
    """Pairs that people were shown again to see whether they answer alike, between two moments of the open dataset."""
    found = repeats(work.database, work.groundwork.dataset, since, planned=True)
    return tuple(
        Repeat(annotator=r.second.annotator, pair=r.second.pair, before=_said(r.first), now=_said(r.second))
        for r in found
        if r.second.recorded_at <= until
    )


def one_of_each_unit(pairs: Sequence[Pair], wanted: Collection[str]) -> list[str]:
    """Of each unit of these pairs that has any of the wanted ones (content hashes), one of those; ascending.

    Pairs of different units share no text, so no text is met twice among what comes back.
    """
    first: dict[str, str] = {}
    for unit, pair in sorted(zip(unit_labels(pairs), (p.hash for p in pairs), strict=True)):
        if pair in wanted:
            first.setdefault(unit, pair)
    return sorted(first.values())


def texts_of(database: Database, pairs: Sequence[str]) -> list[str]:
    """One text of each pair (content hash), a or b as its hash has it: two texts of one pair are no separate texts."""
    found = _bare(database, pairs)
    return [found[p].a if int(p[-1], 16) % 2 else found[p].b for p in pairs if p in found]


def _score(found: Assessment | VoteAccuracy, whole: VoteAccuracy) -> Score:
    """Counts divided by the design effect of the pairs that the whole set was measured on."""
    effect = whole.decided / whole.effective if whole.effective else 1.0
    return Score(right=found.right / effect, n=found.decided / effect)


def _said(vote: StoredVote) -> Preference:
    assert vote.choice in ("a", "b", "tie")
    return vote.choice


def _anchors(pins: Pins) -> tuple[Anchor, ...]:
    return tuple(
        Anchor(pair=pair, criterion=criterion, answer=VERDICTS[sign])
        for pair in sorted(pins)
        for criterion, sign in sorted(pins[pair].items())
    )


def _preferred(pairs: Sequence[Pair], pins: Pins) -> dict[str, Preference]:
    return {p.hash: p.preferred for p in pairs if p.hash in pins}


def _ballots(pairs: Sequence[Pair], steered: Collection[str]) -> tuple[tuple[Preference, ...], ...]:
    """Votes on pairs that had several; people agree less on those that much is to be learnt from."""
    there = [p for p in pairs if p.hash not in set(steered)]
    return tuple(tuple(v.preferred for v in p.votes) for p in there if len(p.votes) > 1)


def _corpus(work: Work) -> CorpusReference | None:
    """What the corpus looked like: how far the criteria decide on pairs held out then, and what texts were about.

    It is a sample of the same kind as those that are held against it: one pair of each unit, and none that people were
    shown because much was to be learnt from it.
    """
    known, pairs = set(work.groundwork.known) - set(work.groundwork.steered), _pairs_known(work)
    held_out = one_of_each_unit(pairs, known.intersection(work.groundwork.held_out, work.plan.free))
    votes = votes_of(work.database, work.refresh.thread, work.hashes, held_out, work.asks.on(held_out))
    coverage, abstention = shares(votes, held_out)
    texts = texts_of(work.database, one_of_each_unit(pairs, known)) if work.refresh.terms.texts else []
    return CorpusReference.of(coverage=coverage, abstention=abstention, embeddings=embedded(texts))


def _pairs_known(work: Work) -> list[Pair]:
    """The pairs of the dataset, and those that the version has to do with and the dataset has not."""
    there = {p.hash: p for p in work.run.dataset.pairs}
    return list({**_bare(work.database, [p for p in work.groundwork.known if p not in there]), **there}.values())


def _bare(database: Database, pairs: Sequence[str]) -> dict[str, Pair]:
    found: dict[str, Pair] = {}
    with database.read() as connection:
        for start in range(0, len(pairs), CHUNK):
            found |= bare_pairs(connection, pairs[start : start + CHUNK])
    return found


def embedded(texts: Sequence[str]) -> list[list[float]]:
    """(n, d) vectors of texts."""
    if not texts:
        return []
    from knowledge_base.embedding import embed

    found: list[list[float]] = embed(texts).tolist()
    return found
