"""`robust` against `paper` in simulated worlds: accuracy on large sealed sets, calls and tokens, by condition.

    python -m benchmarks.bench_policies [--worlds 20] [--sealed 300] [--processes 2] [--write]

Every run goes through our own judge, manager and prompts; behind them answers the world (benchmarks/world). Worlds 0 to
99 are for this table; all choices were made in worlds from 1000 on. Sealed pairs are shown once, in an order that their
content decides, for both policies alike, and their calls are not counted: they measure, they do not mine.
"""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

import numpy as np
from scipy import stats

from agents.paper_policy import PaperPolicy
from agents.policies import policy_named
from agents.robust_policy import RobustPolicy, frugal
from benchmarks.page import table, write_section
from benchmarks.world_runs import BASE, MINED, PLAIN, Condition, Found, Way, mine_world

SIZE, ROUNDS = 20, 3

CONDITIONS = (
    PLAIN,
    Condition("10 % label noise", noise=0.1),
    Condition("30 % label noise", noise=0.3),
    Condition("position bias .3", position_bias=0.3),
    Condition("30 % malformed replies", malformed=0.3),
)


def robust_way() -> Way:
    """The default where judgments cost money."""
    return Way("robust", policy_named("robust", SIZE, ROUNDS, free=False))


def paper_way() -> Way:
    """CritiQ as published: the whole knowledge base is screened, and prompts begin with the criterion."""
    return Way("paper", policy_named("paper", SIZE, ROUNDS, free=False), plain_vote=True, criterion_first=True)


def ablations() -> tuple[Way, ...]:
    """The default without one of its parts, and `paper` without its knowledge base."""
    whole = replace(frugal(), size=SIZE, rounds=ROUNDS)
    assert isinstance(whole, RobustPolicy)
    paper = PaperPolicy(size=SIZE, rounds=ROUNDS, screens=True)
    unraced = replace(whole, most_rungs=0, candidates=SIZE, newcomers=SIZE)
    return (
        Way("robust", whole),
        Way("no knowledge base", whole, base=0),
        Way("no evolution (one round)", replace(whole, rounds=1)),
        Way("no voting (best criterion alone)", whole, best_only=True),
        Way("plain majority instead of weights", whole, plain_vote=True),
        Way("one order only", replace(whole, looks="one")),
        Way("both orders of every pair", replace(whole, looks="both")),
        Way("no racing", unraced),
        Way("paper", paper, plain_vote=True, criterion_first=True),
        Way("paper, our prompts", paper, plain_vote=True),
        Way("paper, four rounds", replace(paper, rounds=ROUNDS + 1), plain_vote=True, criterion_first=True),
        Way("paper, no knowledge base", PaperPolicy(size=SIZE, rounds=ROUNDS), base=0, plain_vote=True),
    )


@dataclass(frozen=True)
class Job:
    """One run."""

    seed: int
    way: Way
    condition: Condition
    sealed: int


def _run(job: Job) -> Found:
    import torch

    # Every process has a core to itself. What a manager does without is counted here, not told line by line.
    torch.set_num_threads(1)
    logging.getLogger("agents").setLevel(logging.ERROR)
    return mine_world(job.seed, job.way, job.condition, job.sealed)


def run_all(jobs: Sequence[Job], processes: int) -> list[Found]:
    """All runs, in the order of `jobs`."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return list(pool.map(_run, jobs))


def compare(worlds: int, sealed: int, processes: int) -> str:
    """`robust` and `paper` side by side in every condition, with paired differences."""
    ways = (robust_way(), paper_way())
    jobs = [Job(seed, way, condition, sealed) for condition in CONDITIONS for way in ways for seed in range(worlds)]
    found = run_all(jobs, processes)
    head = [
        "condition",
        "robust",
        "paper",
        "difference (95 %)",
        "oracle",
        "calls",
        "of paper's",
        "uncached",
        "of paper's",
    ]
    rows = []
    for number, condition in enumerate(CONDITIONS):
        start = 2 * number * worlds
        ours, theirs = found[start : start + worlds], found[start + worlds : start + 2 * worlds]
        rows.append([condition.name, *_row(ours, theirs)])
    return table(head, rows)


def _row(ours: Sequence[Found], theirs: Sequence[Found]) -> list[str]:
    gain = np.array([a.accuracy - b.accuracy for a, b in zip(ours, theirs, strict=True)])
    half = float(stats.t.ppf(0.975, len(gain) - 1) * gain.std(ddof=1) / np.sqrt(len(gain)))
    calls, uncached = _ratio(ours, theirs, "calls"), _ratio(ours, theirs, "uncached")
    return [
        f"{_mean(ours, 'accuracy'):.3f}", f"{_mean(theirs, 'accuracy'):.3f}",
        f"{100 * gain.mean():+.1f} ± {100 * half:.1f}", f"{_mean(ours, 'oracle'):.3f}",
        f"{_took(ours, 'calls'):,.0f} / {_took(theirs, 'calls'):,.0f}", f"{calls:.2f}",
        f"{_took(ours, 'uncached') / 1000:,.0f}k / {_took(theirs, 'uncached') / 1000:,.0f}k", f"{uncached:.2f}",
    ]  # fmt: skip


def ablate(worlds: int, sealed: int, processes: int) -> str:
    """The default without one part at a time: what it loses and what it saves."""
    ways = ablations()
    found = run_all([Job(seed, way, PLAIN, sealed) for way in ways for seed in range(worlds)], processes)
    base = found[:worlds]
    head = ["way", "accuracy", "against robust (95 %)", "claimed", "criteria", "judging", "managing", "uncached tokens"]
    rows = []
    for number, way in enumerate(ways):
        own = found[number * worlds : (number + 1) * worlds]
        gain = np.array([a.accuracy - b.accuracy for a, b in zip(own, base, strict=True)])
        half = float(stats.t.ppf(0.975, worlds - 1) * gain.std(ddof=1) / np.sqrt(worlds)) if number else 0.0
        rows.append([
            way.name, f"{_mean(own, 'accuracy'):.3f}",
            f"{100 * gain.mean():+.1f} ± {100 * half:.1f}" if number else "-", f"{_mean(own, 'claimed'):.3f}",
            f"{_mean(own, 'criteria'):.1f}", f"{_took(own, 'judging'):,.0f}", f"{_took(own, 'managing'):,.0f}",
            f"{_took(own, 'uncached') / 1000:,.0f}k",
        ])  # fmt: skip
    return table(head, rows)


def _mean(found: Sequence[Found], name: str) -> float:
    return float(np.mean([getattr(f, name) for f in found]))


def _took(found: Sequence[Found], name: str) -> float:
    return float(np.mean([getattr(f.taken, name) for f in found]))


def _ratio(ours: Sequence[Found], theirs: Sequence[Found], name: str) -> float:
    return _took(ours, name) / _took(theirs, name)


def main() -> None:
    """Run, print, and with --write put the results on the page."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--worlds", type=int, default=20)
    options.add_argument("--sealed", type=int, default=300)
    options.add_argument("--processes", type=int, default=2)
    options.add_argument("--write", action="store_true", help="write the results to docs/benchmarks.md")
    given = options.parse_args()
    setting = f"{given.worlds} worlds, {MINED} pairs mined, {given.sealed} sealed, {SIZE} criteria, {ROUNDS} rounds, "
    setting += f"knowledge base of {BASE}. Mean over worlds; an undecided pair counts one half.\n\n"
    compared = setting + compare(given.worlds, given.sealed, given.processes)
    print(compared, flush=True)
    ablated = setting + ablate(given.worlds, given.sealed, given.processes)
    print(ablated)
    if given.write:
        command = f"python -m benchmarks.bench_policies --worlds {given.worlds} --write"
        write_section("policies", command, compared)
        write_section("ablations", command, ablated)


if __name__ == "__main__":
    main()
