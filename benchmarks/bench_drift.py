"""Drift in simulated streams: false alarms, detection and delay by size, and whether the right cause is named.

    python -m benchmarks.bench_drift [--streams 200] [--processes 2] [--write]

Every stream has twelve refreshes; where something changes, it does so at the fourth. Streams 0 to 199 of each condition
are for this page; all choices were made on streams from 100,000 on.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np

from agents.drift import anchors_needed, binomial_power, votes_needed
from agents.drift.fit_drift import VOTE
from agents.drift.judge_drift import FLIPS
from agents.drift.state import CAUSES, SHARES, Cause
from agents.statistics import wilson
from benchmarks.drift.changes import CHANGES, NONE, ONSET, REFRESHES, Change
from benchmarks.drift.outcomes import ALPHA, Stream, examine_stream
from benchmarks.drift.refreshes import Sizes
from benchmarks.drift.town import CRITERIA
from benchmarks.page import table, write_section

LONG = 52
"""Refreshes of the long streams without drift: a year of weeks."""


@dataclass(frozen=True)
class Job:
    """One stream."""

    seed: int
    change: Change
    refreshes: int = REFRESHES


def _run(job: Job) -> Stream:
    return examine_stream(job.seed, job.change, refreshes=job.refreshes)


def run_all(jobs: Sequence[Job], processes: int) -> list[Stream]:
    """All streams, in the order of `jobs`."""
    # Small matrices: threads of the linear algebra library would only get in the way of the other process.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return list(pool.map(_run, jobs, chunksize=5))


def false_alarms(quiet: Sequence[Stream], long: Sequence[Stream]) -> str:
    """Streams without drift that raise an alarm at any refresh, by cause, and what textbook tests do on them."""
    head = ["any alarm without drift", *CAUSES, "any", "allowed"]
    rows = [
        _alarm_row(f"this, {REFRESHES} refreshes", [frozenset(s.alarm) for s in quiet], "0.05"),
        _alarm_row(f"this, {LONG} refreshes", [frozenset(s.alarm) for s in long], "0.05"),
        _alarm_row("5 % test of each refresh", [frozenset(s.each_batch) for s in quiet], "-"),
        _alarm_row("5 % test of all so far, at each refresh", [frozenset(s.each_total) for s in quiet], "-"),
        _alarm_row("one test at the end, levels as here", [s.at_end for s in quiet], "0.05"),
    ]
    return table(head, rows)


def _alarm_row(name: str, raised: Sequence[frozenset[Cause]], allowed: str) -> list[str]:
    each = [f"{np.mean([cause in found for found in raised]):.3f}" for cause in CAUSES]
    count = sum(bool(found) for found in raised)
    interval = wilson(count, len(raised))
    return [name, *each, f"{count / len(raised):.3f} [{interval.low:.3f}, {interval.high:.3f}]", allowed]


def detections(groups: Sequence[tuple[Change, Sequence[Stream]]]) -> str:
    """The cause's own alarm by size of the change, its delay, and what is named."""
    head = [
        "change", "moved by", "own alarm", "any alarm", "refreshes until", "observations until", "early",
        "named right", "one test at the end", "5 % test each time",
    ]  # fmt: skip
    return table(head, [_detection_row(change, streams) for change, streams in groups])


def _detection_row(change: Change, streams: Sequence[Stream]) -> list[str]:
    cause = change.cause
    assert cause is not None
    own = [s for s in streams if s.found(cause)]
    late = [s for s in streams if s.first is not None and s.first >= ONSET]
    interval = wilson(len(own), len(streams))
    delays = [s.delay(cause) for s in own]
    per = _per_refresh(cause)
    naive = [s.each_batch.get(cause, 0) >= ONSET for s in streams]
    shift = (
        f"{np.mean([s.shift[cause] for s in streams]):+.3f}" if cause in streams[0].shift else f"{change.size:.0%} new"
    )
    return [
        f"{cause} {change.size:g}", shift, f"{len(own) / len(streams):.2f} [{interval.low:.2f}, {interval.high:.2f}]",
        f"{len(late) / len(streams):.2f}", f"{np.mean(delays):.1f}" if delays else "-",
        f"{np.mean(delays) * per:,.0f}" if delays else "-",
        f"{np.mean([s.first is not None and s.first < ONSET for s in streams]):.3f}",
        f"{sum(s.named_last == cause for s in late)} of {len(late)}",
        f"{np.mean([cause in s.at_end for s in streams]):.2f}", f"{np.mean(naive):.2f}",
    ]  # fmt: skip


def _per_refresh(cause: Cause) -> int:
    """Observations of a refresh that a cause's main test reads: answers, repeated votes, documents, voted pairs."""
    sizes = Sizes()
    each: dict[Cause, int] = {
        "judge": CRITERIA * sizes.anchors,
        "annotators": sizes.new_repeats,
        "corpus": sizes.new_documents,
        "fit": sizes.new_votes,
    }
    return each[cause]


def confusion(groups: Sequence[tuple[Change, Sequence[Stream]]]) -> str:
    """What is named, by what changed: at the end of the stream, and when the first alarm is raised."""
    head = ["changed", *(f"{c} named" for c in CAUSES), "no alarm", "right at the end", "right at the first alarm"]
    rows = []
    for cause in CAUSES:
        streams = [s for change, found in groups if change.cause == cause for s in found]
        last = Counter(s.named_last for s in streams)
        alarmed = [s for s in streams if s.named_last is not None]
        rows.append([
            cause, *(str(last[c]) for c in CAUSES), str(last[None]),
            _share([s.named_last == cause for s in alarmed]), _share([s.named_first == cause for s in alarmed]),
        ])  # fmt: skip
    return table(head, rows)


def _share(right: Sequence[bool]) -> str:
    return f"{np.mean(right):.3f}" if right else "-"


def power() -> str:
    """What it takes: votes and anchors for a chance of 80 %, and the textbook's numbers for a sample of fixed size."""
    return "\n\n".join([_VOTES, _votes_table(), _ANCHORS, _anchors_table()])


_VOTES = (
    "New votes, 40 a refresh, until a fall is noticed with a chance of 80 % (anytime-valid, the accuracy at approval "
    "as uncertain as it is), by number of sealed pairs; beside them the power of the exact one-sided 5 % test of one "
    "sample against an accuracy that is *known*."
)
_ANCHORS = "Answers on anchor pairs (pairs x criteria, separate calls) for the same chance within three refreshes."


def _votes_table() -> str:
    level = ALPHA * SHARES["fit"] * VOTE
    sealed, fixed = (50, 100, 200, 400, 1000), (30, 100, 200)
    rows = []
    for before, after in ((0.88, 0.80), (0.88, 0.75), (0.88, 0.70), (0.75, 0.65), (0.75, 0.55)):
        needed = [votes_needed(before, after, reference=n, level=level, most=1600, streams=100) for n in sealed]
        textbook = [f"{binomial_power(n, before, after):.2f}" for n in fixed]
        rows.append([f"{before:.2f} to {after:.2f}", *(str(n) if n else "> 1600" for n in needed), *textbook])
    return table(["fall of accuracy", *(f"{n} sealed" for n in sealed), *(f"textbook, {n}" for n in fixed)], rows)


def _anchors_table() -> str:
    level = ALPHA * SHARES["judge"] * FLIPS
    rates = ((0.02, 0.1), (0.05, 0.1), (0.05, 0.15), (0.1, 0.2))
    rows = [[f"{a:.2f} to {b:.2f}", str(anchors_needed(a, b, level=level, streams=100) or "> 2000")] for a, b in rates]
    return table(["flip rate", "answers"], rows)


def main() -> None:
    """Run, print, and with --write put the results on the page."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--streams", type=int, default=200)
    options.add_argument("--start", type=int, default=0, help="first stream; develop on 100000 and later")
    options.add_argument("--processes", type=int, default=2)
    options.add_argument("--write", action="store_true", help="write the results to docs/benchmarks.md")
    given = options.parse_args()
    seeds = range(given.start, given.start + given.streams)
    conditions = (NONE, *CHANGES)
    jobs = [Job(seed, change) for change in conditions for seed in seeds]
    found = run_all([*jobs, *(Job(seed, NONE, LONG) for seed in seeds[: len(seeds) // 2])], given.processes)
    groups = [found[k * len(seeds) : (k + 1) * len(seeds)] for k in range(len(conditions))]
    quiet, changed, long = groups[0], list(zip(CHANGES, groups[1:], strict=True)), found[len(jobs) :]
    told = f"{len(seeds)} streams of each kind ({len(long)} long ones).\n\n"
    body = told + "\n\n".join([false_alarms(quiet, long), detections(changed), confusion(changed), power()])
    print(body)
    if given.write:
        write_section("drift", f"python -m benchmarks.bench_drift --streams {given.streams} --write", body)


if __name__ == "__main__":
    main()
