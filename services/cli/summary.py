"""A finished run or evaluation on a terminal: the criteria, the honest figures, and nothing that flatters alone."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agents.assessment import Assessment
from agents.outcome import VoteAccuracy
from services.call_tally import Took, together
from services.evaluation import Evaluation
from services.inert import shown
from services.report.findings import PAIRS_NAMED, findings
from services.round_table import raw, span
from services.run_facts import AgreementFact
from services.run_result import RunResult

WIDTH = 120
"""Columns of output that goes to a file or a pipe."""

ENOUGH = 20
"""Decided mining pairs below which nothing can be said: guessing is right on 14 of 19 in one case in thirty, and
hundreds of criteria are tried."""


def print_summary(result: RunResult, console: Console) -> None:
    """The set, then what it is worth on pairs nobody mined from, weighted beside majority."""
    console.print(_set_table(result))
    found, named = findings(result), PAIRS_NAMED[result.facts.holdout]
    console.print(Text(found.headline, style="bold"))
    console.print(Text(found.sureness))
    votes = (("weighted vote ", result.held_out_weighted), ("plain majority", result.held_out_majority))
    for label, vote in votes:
        if vote is not None:
            console.print(Text(f"  {label}  {named}: {told(vote)}"))
    console.print(Text(f"  weighted vote   mining pairs (flattered): {told(result.mining_weighted)}", style="dim"))
    size = len(result.criteria_set.members)
    console.print(Text(f"  {result.effective_votes:.1f} effective votes in {size} criteria"))
    for line in paid_lines(result):
        console.print(Text(line))
    _print_notes(result, console)


def paid_lines(result: RunResult) -> list[str]:
    """What models took, in a line each: the whole, then workers and manager; nothing where none was asked."""
    calls = result.usage.calls
    if not calls.rows:
        return []
    judging = [row for row in calls.rows if row.stage in ("judge", "repair")]
    parts = (("all calls", calls.total), ("  workers", together(judging)))
    rest = together([row for row in calls.rows if row not in judging])
    told = [f"  {name:<10} {took_line(took)}" for name, took in (*parts, ("  manager", rest)) if took.calls]
    return [*told, *([f"  stopped early: {result.usage.spent}"] if result.usage.spent else [])]


def took_line(took: Took) -> str:
    """Calls, tokens, money and retries, on one line."""
    cost = "cost unknown" if took.cost is None else f"cost {took.cost:,.4f}"
    again = f", {took.retries:,} tries failed" if took.retries else ""
    prompt = f"{took.prompt:,} prompt tokens ({took.cached:,} cached)"
    return f"{took.calls:,} calls, {prompt}, {took.completion:,} completion, {cost}{again}"


def too_few(decided: int) -> str:
    """A warning where criteria are mined from so few decided pairs that chance alone would explain them, else empty."""
    if decided >= ENOUGH:
        return ""
    return (
        f"WARNING: only {decided} pairs with a preference to mine from; fewer than {ENOUGH} are too few to say "
        "anything: the criteria may fit by chance alone. Add pairs"
    )


def _print_notes(result: RunResult, console: Console) -> None:
    """What was met on reading the pairs and dividing them, and how far people agree among themselves."""
    if warning := too_few(result.mining_weighted.n):
        console.print(Text(warning, style="bold red"))
    agreed = [_agreement(result.facts.agreement)] if result.facts.agreement else []
    for note in (*agreed, *result.facts.notes):
        console.print(Text(f"note: {shown(note)}", style="dim"))


def _agreement(fact: AgreementFact) -> str:
    people = f"people give the same answer in {fact.raw:.0%} of comparisons between two votes on a pair"
    basis = f"{fact.votes} votes on {fact.pairs} pairs"
    if fact.alpha is None:
        return f"{people}; Krippendorff's alpha is not known ({basis})"
    between = "not known" if fact.low is None or fact.high is None else f"{fact.low:.2f} to {fact.high:.2f}"
    return f"{people}; Krippendorff's alpha {fact.alpha:.2f}, 95% interval {between} ({basis})"


def print_evaluation(evaluation: Evaluation, console: Console) -> None:
    """Each criterion on these pairs (`mined at`: its raw accuracy where it was mined), then the vote both ways."""
    table = _table("criterion", "weight", "right", "raw", "shrunken", "95%", "coverage", "flips", "mined at")
    for c in evaluation.criteria:
        table.add_row(Text(shown(c.name)), f"{c.weight:+.2f}", *_figures(c.here), raw(c.mining))
    console.print(table)
    console.print(Text(f"weighted vote   {told(evaluation.weighted)}", style="bold"))
    console.print(Text(f"plain majority  {told(evaluation.majority)}"))
    console.print(Text(f"{evaluation.weighted.ties} ties left out; {evaluation.effective_votes:.1f} effective votes"))
    left_out = [f"left out, this judge cannot judge by it: {name}" for name in evaluation.left_out]
    for note in (*left_out, *evaluation.notes):
        console.print(Text(f"note: {shown(note)}", style="dim"))


def output() -> Console:
    """stdout: as wide as the terminal, and wide enough for the tables where there is none."""
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH)


def told(vote: VoteAccuracy) -> str:
    """A vote's accuracy with everything it must carry, on one line; where nothing was decided it is not known."""
    if not vote.decided:
        return f"not known, none of {vote.n} decided"
    return (
        f"{vote.accuracy:.0%} ({vote.low:.0%} to {vote.high:.0%}), right on {vote.right} of {vote.decided} decided; "
        f"coverage {vote.coverage:.0%} of {vote.n}"
    )


def _set_table(result: RunResult) -> Table:
    held_out = {a.criterion: a for a in result.held_out_assessments}
    table = _table("criterion", "weight", "right", "raw", "shrunken", "95%", "coverage", "flips", "held out")
    for m in result.criteria_set.members:
        other = held_out.get(m.criterion.hash)
        honest = f"{raw(other)} of {other.decided}" if other else "-"
        table.add_row(Text(shown(m.criterion.name)), f"{m.weight:+.2f}", *_figures(m.mining), honest)
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, min_width=24)
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _figures(a: Assessment) -> tuple[str, ...]:
    right = f"{a.right} of {a.decided}"
    return right, raw(a), f"{a.shrunken:.0%}", span(a), f"{a.coverage:.0%}", f"{a.flip_rate:.0%}"
