"""What a run may cost: told, asked about, and limited, before anything is paid for."""

from __future__ import annotations

import sys

import typer
from pydantic import ValidationError

from knowledge_base.errors import InputError
from services.budget import Budget
from services.estimate import Estimate
from services.run_config import RunConfig
from services.settings import Settings


def budget_given(calls: int | None, tokens: int | None, cost: float | None) -> Budget:
    """The budget that the options name.

    Raises:
        InputError: a budget of nothing, or of no number.
    """
    try:
        return Budget(calls=calls, tokens=tokens, cost=cost)
    except ValidationError as error:
        fault = error.errors()[0]
        name = str(fault["loc"][0])
        raise InputError(
            f"--budget-{name} is {fault['input']}; use a number above 0, or leave it out for no limit"
        ) from None


def agree(expected: Estimate, config: RunConfig, settings: Settings, *, yes: bool) -> None:
    """Tell what a run is expected to take, and have the user agree.

    Raises:
        InputError: the user declines, or nobody is there to ask.
    """
    for line in estimate_lines(expected, config, settings.currency):
        typer.echo(line, err=True)
    _ask(yes)


def agree_to_calls(calls: int, *, yes: bool) -> None:
    """Have the user agree to so many calls; none need no agreement.

    Raises:
        InputError: the user declines, or nobody is there to ask.
    """
    if calls:
        typer.echo(f"Expected: at most {calls:,} calls; judgments made before are not paid for again", err=True)
        _ask(yes)


def _ask(yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise InputError("nobody is there to agree to this; run the command again with --yes")
    if not typer.confirm("Go on?", err=True):
        raise InputError("stopped before anything was paid for")


def estimate_lines(expected: Estimate, config: RunConfig, currency: str) -> list[str]:
    """An estimate in words: the whole, its stages, its limit."""
    cost = "cost unknown (set TOUCHSTONE_PRICES)" if expected.cost is None else f"{expected.cost:,.2f} {currency}"
    minutes = max(1, round(expected.seconds / 60))
    lines = [f"Expected: {expected.calls:,} calls, {_big(expected.tokens)} tokens, {cost}, about {minutes} min"]
    for stage in expected.stages:
        tokens = f"{_big(stage.prompt)} prompt tokens ({_big(stage.cached)} of them likely cached)"
        lines.append(f"  {stage.stage:<8}{stage.calls:>8,} calls, {tokens}, {_big(stage.completion)} completion")
    if expected.threads > 1:
        folds = expected.threads - 1
        lines.append(f"  {folds} folds are mined beside the whole, for an honest accuracy; --holdout none saves them")
    return [*lines, _limit(config.budget, currency)]


def _limit(budget: Budget, currency: str) -> str:
    parts = [
        f"{budget.calls:,} calls" if budget.calls else "",
        f"{budget.tokens:,} tokens" if budget.tokens else "",
        f"{budget.cost:,.2f} {currency}" if budget.cost else "",
    ]
    told = ", ".join(filter(None, parts))
    if not told:
        return "No budget: nothing limits what the run takes (--budget-calls, --budget-tokens, --budget-cost)"
    return (
        f"Budget: {told}; {budget.kept_back:.0%} of it is kept for held-out pairs. A spent budget ends the run cleanly"
    )


def _big(number: int) -> str:
    for unit, size in (("M", 1_000_000), ("k", 1000)):
        if number >= size:
            return f"{number / size:,.1f}{unit}"
    return str(number)
