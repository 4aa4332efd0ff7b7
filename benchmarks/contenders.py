"""What is compared on people's pairs: our policies, and what anyone could do with the same 30 pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.criteria_set import Lineage
from agents.local_run import run_local
from agents.manager import Brief
from agents.memory_ledger import MemoryLedger
from agents.mining import Mining
from agents.outcome import Outcome, PairOutcome
from agents.pairs import Pair
from agents.panel import Panel, seat_of
from agents.policies import policy_named
from agents.sample import Sample
from agents.signal_judge import SignalJudge
from agents.signals.measurement import MeasurementCache, signals_version
from agents.statistical_manager import StatisticalManager
from benchmarks.people import Draw
from knowledge_base.domains import recognise_domain
from knowledge_base.entries import load_catalogue
from knowledge_base.index import Index
from services.database import Database
from services.measurement_store import SqlMeasurements

Floats = NDArray[np.float64]
SEED = 0
MEASURED = Path(__file__).resolve().parent.parent / "build" / "measured.db"
"""Measurements are kept between benchmarks, under the version of the signals that made them."""


def _on_disk(path: Path) -> MeasurementCache:
    return SqlMeasurements(Database(f"sqlite:///{path}").create(), signals_version())


@dataclass
class Bench:
    """Parties shared by every draw, so that a text is measured once."""

    cache: MeasurementCache = field(default_factory=lambda: _on_disk(MEASURED))

    @cached_property
    def manager(self) -> StatisticalManager:
        """The statistical manager over the packaged catalogue."""
        return StatisticalManager(Index.build(load_catalogue()), self.cache)

    @cached_property
    def judge(self) -> SignalJudge:
        """The signal worker's judge."""
        return SignalJudge(self.cache)

    def mine(self, mining: Sequence[Pair], sealed: Sequence[Pair], policy_name: str) -> Outcome:
        """Mine as a user would who says nothing of the data: the domain is recognised from the mining pairs."""
        policy = policy_named(policy_name)
        texts, prompts = [t for p in mining for t in (p.a, p.b)], [p.prompt for p in mining]
        brief = Brief(tuple(mining), "", recognise_domain(texts, prompts).domain, SEED)
        ledger = MemoryLedger([*mining, *sealed])
        judge, manager = self.judge, self.manager
        lineage = Lineage(
            dataset="benchmark", pairs=len(mining), judge=judge.fingerprint, manager=manager.fingerprint,
            policy=policy.name, rounds=policy.rounds, size=policy.size, seed=SEED,
        )  # fmt: skip
        context = Mining(brief, tuple(sealed), ledger, manager, policy, Panel(seats=(seat_of(judge),)))
        return run_local(context, judge, lineage)

    def sample(self, pairs: Sequence[Pair]) -> Sample:
        """Pairs measured with the shared cache."""
        return Sample(pairs, self.cache)


def accuracy(scores: Floats, truth: NDArray[np.int8]) -> float:
    """Share of pairs decided as people did, a balanced score counting one half: no contender may pick its pairs."""
    signs = np.sign(np.round(scores, 9))
    return float(np.where(signs == 0, 0.5, signs == truth).mean())


def vote_accuracy(pairs: Sequence[PairOutcome], *, majority: bool = False) -> float:
    """`accuracy` of a thread's sealed pairs by the weighted vote, or by plain majority."""
    scores = np.array([p.majority if majority else p.probability - 0.5 for p in pairs], dtype=np.float64)
    return accuracy(scores, np.array([p.truth for p in pairs], dtype=np.int8))


def best_single(bench: Bench, outcome: Outcome, draw: Draw) -> float:
    """The criterion of the default set that did best on the mining pairs, alone."""
    members = outcome.criteria_set.members
    best = max(members, key=lambda m: (m.mining.coverage * (2 * m.mining.accuracy - 1), m.criterion.hash))
    test = bench.sample(draw.test)
    return accuracy(test.votes(best.criterion).astype(np.float64), test.truth)


def length(bench: Bench, draw: Draw) -> float:
    """Longer wins or shorter wins, whichever did better on the mining pairs (words; longer if equal)."""
    mining, test = bench.sample(draw.mining), bench.sample(draw.test)
    longer = np.sign(mining.gaps("words")) * mining.truth
    return accuracy((1.0 if longer.sum() >= 0 else -1.0) * test.gaps("words"), test.truth)


def regression(bench: Bench, draw: Draw) -> float:
    """Ridge logistic regression on differences of all signals, its strength cross-validated inside the mining pairs.

    Each difference is divided by its root mean square on the mining pairs and clipped to five of them; where a
    signal does not apply the difference is 0. Every pair stands in it both ways round, so that there is no intercept
    to learn, and both copies of a pair stay in one fold.
    """
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.model_selection import KFold

    mining, test = bench.sample(draw.mining), bench.sample(draw.test)
    names = mining.measure_all()
    test.measure_all()
    train, target = _scaled([mining.gaps(n) for n in names], [test.gaps(n) for n in names])
    folds = [(_both(a, len(train)), _both(b, len(train))) for a, b in KFold(5).split(train)]
    model = LogisticRegressionCV(
        Cs=np.logspace(-4, 1, 8), cv=folds, scoring="accuracy", fit_intercept=False, max_iter=5000,
        l1_ratios=(0.0,), use_legacy_attributes=False,
    )  # fmt: skip
    model.fit(np.vstack([train, -train]), np.concatenate([mining.truth, -mining.truth]))
    return accuracy(np.asarray(model.decision_function(target)), test.truth)


def _both(rows: NDArray[np.intp], n: int) -> NDArray[np.intp]:
    return np.concatenate([rows, rows + n])


def _scaled(train: list[Floats], target: list[Floats]) -> tuple[Floats, Floats]:
    first, second = (np.nan_to_num(np.array(x).T, posinf=0.0, neginf=0.0) for x in (train, target))
    scale = np.sqrt(np.square(first).mean(axis=0))
    used = scale > 0
    return np.clip(first[:, used] / scale[used], -5, 5), np.clip(second[:, used] / scale[used], -5, 5)
