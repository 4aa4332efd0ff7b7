"""Real people: the default policy against the published one and what anyone could do with the same 30 pairs.

python -m benchmarks.bench_people [--draws 20] [--part evaluation] [--write]
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from benchmarks.contenders import Bench, best_single, length, regression, vote_accuracy
from benchmarks.page import table
from benchmarks.people import FILES, Draw, Part, draws
from benchmarks.people_command import people_command

Scores = dict[str, dict[str, list[float]]]
DEFAULT, BASELINES = "default (robust)", ("longer or shorter wins", "logistic regression, same signals")


def score(bench: Bench, draw: Draw) -> dict[str, float]:
    """Accuracy on the draw's test pairs, by contender."""
    robust = bench.mine(draw.mining, draw.test, "robust")
    paper = bench.mine(draw.mining, draw.test, "paper")
    return {
        DEFAULT: vote_accuracy(robust.sealed),
        "default, plain majority": vote_accuracy(robust.sealed, majority=True),
        "paper": vote_accuracy(paper.sealed),
        "best single criterion": best_single(bench, robust, draw),
        BASELINES[0]: length(bench, draw),
        BASELINES[1]: regression(bench, draw),
    }


def run(part: Part, count: int) -> Scores:
    """Every contender on every draw of every file."""
    bench, found = Bench(), defaultdict[str, dict[str, list[float]]](lambda: defaultdict(list))
    for name in FILES:
        for number, draw in enumerate(draws(name, part, count), 1):
            for contender, value in score(bench, draw).items():
                found[contender][name].append(value)
            print(f"{name} {number}/{count}: default {found[DEFAULT][name][-1]:.3f}", flush=True)
    return {k: dict(v) for k, v in found.items()}


def report(found: Scores) -> str:
    """The table, and how the default stands against the better baseline of each file."""
    rows = [
        [k, *(f"{np.mean(v[f]):.3f} ± {np.std(v[f]):.3f}" for f in FILES), f"{_mean(v):.3f}"] for k, v in found.items()
    ]
    lead = {f: np.mean(found[DEFAULT][f]) - max(np.mean(found[b][f]) for b in BASELINES) for f in FILES}
    told = ", ".join(f"{f} {100 * lead[f]:+.1f}" for f in FILES)
    average = 100 * float(np.mean(list(lead.values())))
    head = ["accuracy, mean ± sd over draws", *FILES, "mean"]
    against = f"Default against the better baseline of each file, in points: {told}; on average {average:+.1f}."
    return f"{table(head, rows)}\n\n{against}"


def _mean(by_file: dict[str, list[float]]) -> float:
    return float(np.mean([np.mean(by_file[f]) for f in FILES]))


if __name__ == "__main__":
    people_command("people", "bench_people", __doc__, lambda part, count: report(run(part, count)))
