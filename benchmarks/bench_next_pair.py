"""Does asking for the most telling pair save votes against asking at random? In a made-up world whose truth is known.

    python -m benchmarks.bench_next_pair [--worlds 400] [--start 0] [--write]

Each world has 1,000 pairs and 8 criteria with accuracies of about .5 to .8, which find the same pairs hard and are
judged against people who err once in ten. In a `dense` world each criterion decides at least half of the pairs, in a
`sparse` one between a twentieth and a half. Pairs are asked about one at a time, at random or for what they
are expected to teach (`agents.next_pair`, a fifth of the draws at random); nothing is read but what was asked.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from agents.next_pair import POWER, Belief, belief_of, chances, draw_probability, label_information
from agents.unbiased_accuracy import Answered, Draws, Estimate, from_sample, naive, weighted
from agents.votes import ABSTAINED, DECIDED, Votes
from benchmarks.page import table, write_section

Floats = NDArray[np.float64]
Signs = NDArray[np.int8]
Picking = Literal["random", "information"]
PICKINGS: tuple[Picking, ...] = ("random", "information")
Kind = Literal["dense", "sparse"]
DECIDING: dict[Kind, tuple[float, float]] = {"dense": (0.5, 1.0), "sparse": (0.05, 0.5)}
Way = Literal["naive", "random", "weighted"]
WAYS: dict[Way, str] = {"naive": "plain share", "random": "random sample", "weighted": "weighed back"}

PAIRS, CRITERIA = 1000, 8
MARKS = (15, 21, 30, 42, 60, 85, 120, 170, 240, 340, 480)
SHOWN = (30, 60, 120, 240)
SHARE = 0.2
BELIEF_EVERY = 5
TOP = 3
RESAMPLES = 400


@dataclass(frozen=True)
class World:
    """(c, p) votes of criteria, and (p,) answers of people, +1 or -1."""

    votes: Votes
    people: Signs

    @cached_property
    def accuracy(self) -> Floats:
        """(c,) how often each criterion agrees with people, over all pairs."""
        right, decided = self.scores(np.arange(len(self.people)))
        return np.asarray(right.sum(axis=1) / decided.sum(axis=1))

    def scores(self, pairs: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """(c, n) whether each criterion is right, and whether it decides, on these pairs."""
        signs = self.votes.signs[:, pairs]
        return (signs * self.people[pairs] > 0).astype(float), (signs != 0).astype(float)


@dataclass(frozen=True)
class Asked:
    """Pairs in the order they were asked about, with what the estimates need.

    Attributes:
        pairs: (n,) places in the world; draws: their chances.
        places: (n,) place of each pair in the random order; through: (n,) places gone through after each draw.
    """

    world: World
    pairs: NDArray[np.int64]
    draws: Draws
    places: NDArray[np.int64]
    through: NDArray[np.int64]

    def first(self, count: int) -> Asked:
        """As if only the first so many had been asked about."""
        draws = Draws(self.draws.chance[:count], self.draws.left[:count])
        return Asked(self.world, self.pairs[:count], draws, self.places[:count], self.through[:count])

    def estimates(self) -> list[dict[Way, Estimate]]:
        """Each criterion's accuracy, told in three ways."""
        none = np.zeros(len(self.pairs), dtype=np.int64)
        drawn = Answered(np.arange(len(self.pairs), dtype=np.int64), none, none)
        gone, size = int(self.through[-1]), len(self.world.people)
        inside = self.places < gone
        return [
            {
                "naive": naive(right, decided),
                "random": from_sample(right[inside], decided[inside], gone, size),
                "weighted": weighted(right, decided, self.draws, drawn),
            }
            for right, decided in zip(*self.world.scores(self.pairs), strict=True)
        ]


def made_world(seed: int, kind: Kind = "dense", pairs: int = PAIRS, criteria: int = CRITERIA) -> World:
    """A world; the same seed makes the same."""
    chance = np.random.default_rng(seed)
    logits = special.logit(chance.uniform(0.52, 0.82, criteria)) * 1.15
    truth = chance.choice(np.array([-1, 1], dtype=np.int8), pairs)
    hard = chance.normal(0, 0.7, pairs)
    right = chance.random((criteria, pairs)) < special.expit(logits[:, None] + hard)
    signs = np.where(right, truth, -truth).astype(np.int8)
    signs[chance.random((criteria, pairs)) > chance.uniform(*DECIDING[kind], criteria)[:, None]] = 0
    people = np.where(chance.random(pairs) < 0.1, -truth, truth).astype(np.int8)
    return World(_as_votes(signs), people)


def ask(world: World, picking: Picking, count: int, seed: int, share: float = SHARE, power: float = POWER) -> Asked:
    """Ask about so many pairs, one after the other."""
    chance = np.random.default_rng([seed, 1])
    size = len(world.people)
    order, through, left = chance.permutation(size), 0, np.ones(size, dtype=bool)
    pairs: list[int] = []
    probability: list[float] = []
    before: list[int] = []
    gone: list[int] = []
    share = 1.0 if picking == "random" else share
    for number in range(count):
        if number % BELIEF_EVERY == 0:
            told = _information(world, picking, belief_of(world.votes.columns(pairs), world.people[pairs]))
        fresh = np.flatnonzero(left)
        likely, outside, pair = chances(told[fresh], power), size - through, -1
        if chance.random() < share and outside:
            pair, through = int(order[through]), through + 1
        if pair < 0 or not left[pair]:
            pair = int(chance.choice(fresh, p=likely))
        at = int(np.searchsorted(fresh, pair))
        probability.append(draw_probability(float(likely[at]), len(fresh), len(fresh), outside, share))
        before.append(len(fresh))
        left[pair] = False
        pairs.append(pair)
        gone.append(through)
    asked = np.array(pairs, dtype=np.int64)
    draws = Draws(np.array(probability), np.array(before, dtype=float))
    return Asked(world, asked, draws, np.argsort(order)[asked], np.array(gone, dtype=np.int64))


@dataclass(frozen=True)
class Found:
    """How well a way of asking did in one world after so many votes.

    Attributes:
        order: Kendall's tau between the plain shares and the true accuracies.
        lost: true accuracy of the true best three criteria less that of the three that seem best.
        off: for each way of estimating, (c,) estimates less true accuracies; NaN where nothing was decided.
        held: (c,) whether each way's intervals hold the truth; width: (c,) how wide they are.
    """

    order: float
    lost: float
    off: dict[Way, Floats]
    held: dict[Way, Floats]
    width: dict[Way, Floats]


def found(asked: Asked) -> Found:
    """Score the estimates against the truth."""
    true, told = asked.world.accuracy, asked.estimates()
    plain = np.nan_to_num(np.array([e["naive"].accuracy for e in told]), nan=0.5)
    best = np.sort(true)[-TOP:].mean() - true[np.argsort(-plain, kind="stable")[:TOP]].mean()
    ends = {way: np.array([(e[way].low, e[way].high) for e in told]).T for way in WAYS}
    return Found(
        order=float(stats.kendalltau(plain, true).statistic),
        lost=float(best),
        off={way: np.array([e[way].accuracy for e in told]) - true for way in WAYS},
        held={way: ((low <= true) & (true <= high)).astype(float) for way, (low, high) in ends.items()},
        width={way: high - low for way, (low, high) in ends.items()},
    )


Results = dict[tuple[Kind, Picking, int], list[Found]]


def run(seeds: Sequence[int], power: float = POWER) -> Results:
    """Every world, both ways, at every mark."""
    results: Results = {}
    for kind in DECIDING:
        for seed in seeds:
            world = made_world(seed, kind)
            for picking in PICKINGS:
                asked = ask(world, picking, max(MARKS), seed, power=power)
                for mark in MARKS:
                    results.setdefault((kind, picking, mark), []).append(found(asked.first(mark)))
    return results


MEASURES: dict[str, Callable[[Found, Picking], float]] = {
    "order of the criteria (tau)": lambda one, _: one.order,
    "accuracy lost in the best 3": lambda one, _: one.lost,
    # Where all is random, the plain share is the best estimate; elsewhere it is the one to avoid.
    "error of the accuracies": lambda one, picking: _error(one, "naive" if picking == "random" else "weighted"),
}


def savings(results: Results) -> str:
    """What so many telling votes reach, and how many at random reach the same."""
    head = ["world, measure", "votes", "telling", "random", "votes at random for the same"]
    return table(head, [_saving(results, kind, name, mark) for kind in DECIDING for name in MEASURES for mark in SHOWN])


def _saving(results: Results, kind: Kind, name: str, mark: int) -> list[str]:
    curves = {p: _curve(results, kind, p, name) for p in PICKINGS}
    at = MARKS.index(mark)
    chance = np.random.default_rng(0)
    worlds = curves["random"].shape[1]
    again = chance.integers(0, worlds, (RESAMPLES, worlds))
    # Not interpolated: some may be infinite.
    low, high = np.quantile([_needed(curves, at, some) for some in again], [0.025, 0.975], method="inverted_cdf")
    mean = {p: float(np.nanmean(curves[p][at])) for p in PICKINGS}
    needed = _votes(_needed(curves, at, np.arange(worlds)))
    span = f"{needed} ({_votes(low)} to {_votes(high)})"
    return [f"{kind}, {name}", str(mark), f"{mean['information']:.3f}", f"{mean['random']:.3f}", span]


def _curve(results: Results, kind: Kind, picking: Picking, name: str) -> Floats:
    """(marks, worlds) the measure."""
    return np.array([[MEASURES[name](one, picking) for one in results[kind, picking, mark]] for mark in MARKS])


def _needed(curves: dict[Picking, Floats], at: int, worlds: NDArray[np.int64]) -> float:
    """Votes at random after which these worlds are on average where `MARKS[at]` telling votes bring them.

    Read off a line through the marks, made monotone; inf or 0 where it does not reach so far.
    """
    random = np.nanmean(curves["random"][:, worlds], axis=1)
    target = float(np.nanmean(curves["information"][at, worlds]))
    sign = 1.0 if random[-1] > random[0] else -1.0
    rising = np.maximum.accumulate(sign * random)
    votes = np.interp(sign * target, rising, np.log(MARKS), left=-np.inf, right=np.inf)
    return float(np.exp(votes))


def _votes(count: float) -> str:
    if not np.isfinite(count):
        return f"> {MARKS[-1]}"
    return f"{count:.0f}" if count >= MARKS[0] else f"< {MARKS[0]}"


def estimates(results: Results) -> str:
    """How far off the accuracies are that each way of estimating tells."""
    head = ["world, votes, estimate", "bias", "error", "width of the interval", "holds the truth"]
    rows = []
    for kind in DECIDING:
        for mark in SHOWN[1:]:
            rows.append([f"{kind}, {mark} at random, plain share", *_row(results[kind, "random", mark], "naive")])
            some = results[kind, "information", mark]
            rows += [[f"{kind}, {mark} telling, {name}", *_row(some, way)] for way, name in WAYS.items()]
    return table(head, rows)


def _row(some: Sequence[Found], way: Way) -> list[str]:
    bias, error = np.nanmean([one.off[way] for one in some]), np.mean([_error(one, way) for one in some])
    held, width = np.mean([one.held[way] for one in some]), np.mean([one.width[way] for one in some])
    return [f"{bias:+.3f}", f"{error:.3f}", f"{width:.2f}", f"{held:.0%}"]


def _error(one: Found, way: Way) -> float:
    """Root mean square over the criteria of which something is known."""
    return float(np.sqrt(np.nanmean(np.square(one.off[way])))) if not np.isnan(one.off[way]).all() else float("nan")


def _information(world: World, picking: Picking, belief: Belief) -> Floats:
    return np.ones(len(world.people)) if picking == "random" else label_information(world.votes, belief)


def _as_votes(signs: Signs) -> Votes:
    names = [tuple(map(str, range(size))) for size in signs.shape]
    states = np.where(signs != 0, DECIDED, ABSTAINED).astype(np.uint8)
    no = np.zeros(signs.shape, dtype=bool)
    return Votes(names[0], names[1], signs, states, no, np.ones(signs.shape, dtype=np.float32), ~no)


def main() -> None:
    """Run, print, and with --write put the results on the page."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--worlds", type=int, default=400)
    options.add_argument("--start", type=int, default=0, help="first world; develop on 1000 and later")
    options.add_argument("--power", type=float, default=POWER, help="of the information that chances grow with")
    options.add_argument("--write", action="store_true", help="write the results to docs/benchmarks.md")
    given = options.parse_args()
    results = run(range(given.start, given.start + given.worlds), given.power)
    body = "\n\n".join([f"{given.worlds} worlds of each kind.", savings(results), estimates(results)])
    print(body)
    if given.write:
        write_section("next-pair", f"python -m benchmarks.bench_next_pair --worlds {given.worlds} --write", body)


if __name__ == "__main__":
    main()
