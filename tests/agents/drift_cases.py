"""References and refreshes of a small made-up service, for tests of drift."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agents.drift import Anchor, CorpusBatch, CorpusReference, NewVote, Reference, RefreshData, Repeat, Score
from agents.judgments import Verdict

CRITERIA = ("clear", "short")
PAIRS = tuple(f"p{i}" for i in range(40))
WEIGHTS = {"clear": 1.0, "short": 0.4}


def anchors(again: Verdict | None = "A", flipped: int = 0) -> tuple[Anchor, ...]:
    """Every pair by every criterion, answered A; the first `flipped` pairs were answered B the second time."""
    return tuple(
        Anchor(pair=pair, criterion=criterion, answer="A", again="B" if again and i < flipped else again)
        for i, pair in enumerate(PAIRS)
        for criterion in CRITERIA
    )


def answers(
    flipped: int, by: Sequence[str] = CRITERIA, to: Verdict | None = "B"
) -> dict[tuple[str, str], Verdict | None]:
    """Answers on all anchors, of which the first pairs differ by some criteria."""
    return {(c, p): to if i < flipped and c in by else "A" for i, p in enumerate(PAIRS) for c in CRITERIA}


def repeats(n: int, flipped: int, who: str = "ann", first: str = "") -> tuple[Repeat, ...]:
    """Repeated votes of which the first so many differ."""
    return tuple(
        Repeat(annotator=who, pair=f"r{i}", before="a", now="b" if i < flipped else "a", first=first) for i in range(n)
    )


def votes(n: int, right: int, tag: str = "new", by: Sequence[str] = CRITERIA) -> tuple[NewVote, ...]:
    """Votes on new pairs; the set, and each criterion in `by`, meets the first `right` of them; the others meet all."""
    return tuple(
        NewVote(
            pair=f"{tag}{i}", preferred="a", vote="A" if i < right else "B",
            verdicts={c: "A" if i < right or c not in by else "B" for c in CRITERIA},
        )
        for i in range(n)
    )  # fmt: skip


def cloud(n: int, seed: int, shift: float = 0.0) -> list[list[float]]:
    """Embeddings around a place."""
    found: list[list[float]] = (np.random.default_rng(seed).normal(size=(n, 8)) + shift).tolist()
    return found


def batch(n: int, seed: int, shift: float = 0.0, coverage: float = 0.75) -> CorpusBatch:
    """A sample of the corpus, moved by so much."""
    rng = np.random.default_rng(seed)
    return CorpusBatch(
        coverage=(coverage,) * n, abstention=(1 - coverage,) * n, scores=tuple((rng.normal(size=n) + shift).tolist()),
        embeddings=tuple(map(tuple, cloud(n, seed, shift))),
    )  # fmt: skip


def whole(**changes: object) -> Reference:
    """A reference with every part."""
    rng = np.random.default_rng(1)
    fields = {
        "accuracy": Score(right=170, n=200), "by_criterion": {c: Score(right=150, n=200) for c in CRITERIA},
        "weights": WEIGHTS, "known_pairs": ("old1", "old2"), "anchors": anchors(flipped=2),
        "anchor_votes": dict.fromkeys(PAIRS, "a"), "repeats": repeats(60, 6),
        "ballots": (("a", "a"),) * 30 + (("a", "b"),) * 6,
        "corpus": CorpusReference.of(
            coverage=[0.75] * 60, abstention=[0.25] * 60, scores=rng.normal(size=200).tolist(), embeddings=cloud(300, 2)
        ),
    }  # fmt: skip
    return Reference.model_validate({**fields, **changes})


def quiet(number: int) -> RefreshData:
    """A refresh in which nothing moved."""
    return RefreshData(
        anchor_answers=answers(2), new_votes=votes(40, 34, f"q{number}-"), repeats=repeats(20, 2),
        corpus=batch(40, 100 + number),
    )  # fmt: skip
