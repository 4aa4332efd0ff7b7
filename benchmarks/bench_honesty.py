"""Honest reporting: does the interval a run prints cover what the set does on many other pairs?

    python -m benchmarks.bench_honesty [--draws 20] [--part evaluation] [--write]

Each draw's 30 pairs are too few to seal a share, so they are cross-fitted as `touchstone mine` does; the interval
of the pooled out-of-fold accuracy is set against the accuracy of the whole set on the draw's large test.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agents.outcome import VoteAccuracy, measure_outcomes
from agents.pairs import Pair
from agents.splitting import split
from benchmarks.contenders import Bench, vote_accuracy
from benchmarks.page import table
from benchmarks.people import FILES, Draw, Part, draws
from benchmarks.people_command import people_command

POLICIES = ("robust", "paper")


@dataclass(frozen=True)
class Honesty:
    """One draw: the interval printed, mining accuracy, and the accuracy on the large test."""

    printed: VoteAccuracy
    mining: float
    test: float

    @property
    def estimated(self) -> bool:
        """Whether the run printed an accuracy at all; pairs that hang together in one lump allow none."""
        return self.printed.decided > 0

    @property
    def covered(self) -> bool:
        """Whether an interval was printed and holds the accuracy on the large test."""
        return self.estimated and self.printed.low <= self.test <= self.printed.high


def examine(bench: Bench, draw: Draw, policy: str) -> Honesty:
    """Cross-fit the draw's pairs, and test the set mined from all of them."""
    whole = bench.mine(draw.mining, draw.test, policy)
    pooled = [o for mining, held in _folds(draw.mining) for o in bench.mine(mining, held, policy).sealed]
    printed, _ = measure_outcomes(pooled, "crossfit")
    return Honesty(printed, whole.mining_weighted.accuracy, vote_accuracy(whole.sealed))


def _folds(pairs: tuple[Pair, ...]) -> list[tuple[list[Pair], list[Pair]]]:
    return [([pairs[i] for i in f.mining], [pairs[i] for i in f.held_out]) for f in split(pairs).folds]


def run(part: Part, count: int) -> dict[str, dict[str, list[Honesty]]]:
    """Every draw of every file under both policies."""
    bench = Bench()
    found: dict[str, dict[str, list[Honesty]]] = {p: {f: [] for f in FILES} for p in POLICIES}
    for name in FILES:
        for number, draw in enumerate(draws(name, part, count), 1):
            for policy in POLICIES:
                found[policy][name].append(examine(bench, draw, policy))
            last = found["robust"][name][-1]
            span = f"[{last.printed.low:.2f}, {last.printed.high:.2f}]" if last.estimated else "no estimate"
            print(f"{name} {number}/{count}: {span} test {last.test:.3f} {'in' if last.covered else 'OUT'}", flush=True)
    return found


def report(found: dict[str, dict[str, list[Honesty]]]) -> str:
    """Coverage of the printed interval, its width, and the optimism of mining and of printed accuracy."""
    rows = []
    for policy, by_file in found.items():
        for name, draws_ in [*by_file.items(), ("all", [h for hs in by_file.values() for h in hs])]:
            rows.append([f"{policy}, {name}", *_row(draws_)])
    head = [
        "policy, file",
        "draws with an estimate",
        "interval covers the test",
        "mean width",
        "printed - test",
        "mining - test",
    ]
    return table(head, rows)


def _row(every: list[Honesty]) -> list[str]:
    draws_ = [h for h in every if h.estimated]
    covered = sum(h.covered for h in draws_)
    width = np.mean([h.printed.high - h.printed.low for h in draws_])
    printed = np.mean([h.printed.accuracy - h.test for h in draws_])
    mining = np.mean([h.mining - h.test for h in draws_])
    return [
        f"{len(draws_)} of {len(every)}",
        f"{covered} ({covered / len(draws_):.0%})",
        f"{width:.2f}",
        f"{printed:+.3f}",
        f"{mining:+.3f}",
    ]


if __name__ == "__main__":
    people_command("honesty", "bench_honesty", __doc__, lambda part, count: report(run(part, count)))
