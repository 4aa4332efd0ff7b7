"""Did the corpus move? Coverage, abstention, scores and embeddings of a sample now, against a sample at approval.

Scores and embeddings do not depend on the judge; coverage and abstention do, so a change in them alone is the judge's
doing where the anchor pairs say that the judge moved (agents.drift.naming).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from agents.drift.corpus_reference import CorpusReference, EmbeddingReference
from agents.drift.ranks import spread
from agents.drift.refresh import CorpusBatch
from agents.drift.sketch import Rows, shortened
from agents.drift.stream import Stream
from agents.drift.tally import Tally
from agents.drift.witness import Witness, classifier, first_witnesses

Floats = NDArray[np.float64]

SHARES = {
    "coverage": 0.12, "abstention": 0.12, "score": 0.18, "score spread": 0.08, "novelty": 0.16, "outside": 0.04,
    "axis 1": 0.03, "axis 2": 0.03, "axis 3": 0.03, "axis 4": 0.03, "classifier 1": 0.05, "classifier 2": 0.05,
    "classifier 3": 0.04, "classifier 4": 0.02, "classifier 5": 0.02,
}  # fmt: skip
"""Shares of the cause's capital, scaled up where a part is not watched."""

JUDGED = frozenset({"coverage", "abstention"})
"""Streams that depend on what the judge answers."""

LESSONS = (40, 160, 400, 800, 1600)
"""New texts after which a classifier is fitted; those texts teach it and are never evidence in it."""

LATEST = 160
"""Texts that a classifier learns from: the latest, for what came before a change only blurs it."""


class CorpusMemory(BaseModel):
    """What is kept between refreshes beside the streams.

    Attributes:
        seen: new texts so far.
        lesson: rows of the latest of them for the next classifier; empty once all are fitted.
        witnesses: what is read off embeddings.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seen: int = 0
    lesson: Rows = ()
    witnesses: tuple[Witness, ...] = ()


def begin(reference: CorpusReference | None) -> tuple[CorpusMemory, tuple[Stream, ...]]:
    """Memory and streams at approval."""
    if reference is None:
        return CorpusMemory(), ()
    embedded = reference.embeddings
    witnesses = first_witnesses(embedded) if embedded else ()
    whole = _whole(reference, witnesses)
    found = [_stream(name, tally, whole) for name, tally in _plain(reference).items() if tally.n]
    found += [_witnessed(w, embedded, whole) for w in witnesses if embedded]
    return CorpusMemory(witnesses=witnesses), tuple(stream.started() for stream in found)


def observations(reference: CorpusReference, memory: CorpusMemory, batch: CorpusBatch) -> dict[str, list[float]]:
    """Values for each stream by its name."""
    found = {"coverage": list(batch.coverage), "abstention": list(batch.abstention)}
    if reference.scores and batch.scores:
        found["score"] = reference.scores.ranks.of_values(batch.scores)
        found["score spread"] = spread(found["score"])
    if reference.embeddings and batch.embeddings:
        rows = reference.embeddings.sketch.rows(batch.embeddings)
        found.update({w.name: w.values(rows, reference.embeddings) for w in memory.witnesses})
    return found


def learned(
    reference: CorpusReference, memory: CorpusMemory, batch: CorpusBatch
) -> tuple[CorpusMemory, tuple[Stream, ...]]:
    """Memory after a batch, and the stream of a classifier that it completed the lesson of (most often none).

    The new stream's capital was set aside at approval, so nothing that was seen since decides how much it may stake.
    """
    fitted = sum(w.name.startswith("classifier") for w in memory.witnesses)
    embedded = reference.embeddings
    if embedded is None or not batch.embeddings or fitted == len(LESSONS):
        return memory, ()
    seen = memory.seen + len(batch.embeddings)
    lesson = (*memory.lesson, *shortened(embedded.sketch.rows(batch.embeddings)))[-LATEST:]
    if seen < LESSONS[fitted]:
        return memory.model_copy(update={"seen": seen, "lesson": lesson}), ()
    witness = classifier(f"classifier {fitted + 1}", embedded, np.array(lesson))
    kept = () if fitted + 1 == len(LESSONS) else lesson
    after = CorpusMemory(seen=seen, lesson=kept, witnesses=(*memory.witnesses, witness))
    return after, (_witnessed(witness, embedded, _whole(reference, memory.witnesses)).started(),)


def _plain(reference: CorpusReference) -> dict[str, Tally]:
    held = reference.scores.held if reference.scores else ()
    return {
        "coverage": reference.coverage,
        "abstention": reference.abstention,
        "score": Tally.of(held),
        "score spread": Tally.of(spread(held)),
    }


def _whole(reference: CorpusReference, witnesses: tuple[Witness, ...]) -> float:
    """Capital of everything that is or will be watched."""
    names = {name for name, tally in _plain(reference).items() if tally.n} | {w.name for w in witnesses}
    if reference.embeddings:
        names |= {f"classifier {k + 1}" for k in range(len(LESSONS))}
    return sum(SHARES[name] for name in sorted(names)) or 1.0


_LABELS = {
    "coverage": "share of the criteria that decide a pair of the corpus",
    "abstention": "share of the criteria that abstain on a pair of the corpus",
    "score": "mean rank of a document's score among those at approval",
    "score spread": "spread of the documents' scores, by rank,",
    "novelty": "mean rank of a text's distance to the nearest text at approval",
    "outside": "mean rank of what a text has that no axis of the texts at approval holds",
}


def _stream(name: str, reference: Tally, whole: float) -> Stream:
    rank = "resemblance to the new texts" if name.startswith("classifier") else f"place along {name}"
    fields = {
        "name": name, "label": _LABELS.get(name, f"mean rank of a text's {rank}"),
        "unit": "pairs" if name in JUDGED else "documents",
        "direction": "rise" if name == "novelty" or name.startswith("classifier") else "change",
        "share": min(1.0, SHARES[name] / whole), "reference": reference,
    }  # fmt: skip
    return Stream.model_validate(fields)


def _witnessed(witness: Witness, embedded: EmbeddingReference, whole: float) -> Stream:
    held = Tally.of(witness.values(np.array(embedded.held), embedded))
    return _stream(witness.name, held, whole)
