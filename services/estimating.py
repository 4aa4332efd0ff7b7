"""The estimate of a run about to be created, from its pairs, its configuration and the settings."""

from __future__ import annotations

from statistics import fmean

from sqlalchemy import func, select

from agents.pairs import Dataset
from agents.policies import policy_named
from knowledge_base.entries import load_catalogue
from services.budget import Budget
from services.database import Database
from services.estimate import CALL_SECONDS, Estimate, Load, estimate, mean_text_tokens
from services.knowledge.listing import count_approved
from services.parties import Parties
from services.prices import Price
from services.run_config import RunConfig
from services.runs import plan_threads
from services.settings import Settings
from services.tables import CallRow


def estimate_run(
    database: Database, parties: Parties, settings: Settings, dataset: Dataset, config: RunConfig, test: Dataset | None
) -> Estimate | None:
    """What a run will take; None where nothing costs anything."""
    panel = parties.panel()
    if panel.free and not settings.manager_model:
        return None
    base = len(load_catalogue()) + count_approved(database) if config.knowledge_base else 0
    policy = policy_named(config.policy, config.size, config.rounds, free=panel.free)
    threads = [(len(fold.mining), len(fold.held_out)) for _, fold in plan_threads(dataset, config, test).threads]
    load = Load(
        answers=sum(seat.samples for seat in panel.seats), together=settings.criteria_per_call,
        text=mean_text_tokens(dataset.pairs, settings.text_tokens), in_flight=settings.in_flight,
        call_seconds=_timed(database, [e.model for e in settings.worker_endpoints]) or CALL_SECONDS,
        base=base, symmetric=panel.symmetric, free=panel.free,
    )  # fmt: skip
    return estimate(policy, threads, load, _prices(settings))


def with_share(config: RunConfig, settings: Settings, expected: Estimate) -> RunConfig:
    """The configuration with the settings' budget where it has none itself, and the sealed pairs' share of it.

    Raises:
        InputError: a budget of money, and a model whose price nobody gave.
    """
    given, usual = config.budget, settings.budget
    budget = Budget(
        calls=given.calls or usual.calls, tokens=given.tokens or usual.tokens, cost=given.cost or usual.cost,
        kept_back=round(expected.kept_back, 3),
    )  # fmt: skip
    if budget.cost is not None:
        settings.demand_prices()
    return config.model_copy(update={"budget": budget if budget.limited else Budget()})


def _prices(settings: Settings) -> tuple[Price | None, Price | None]:
    """Price of the workers' tokens, of which each takes an equal share, and of the manager's."""
    workers = [e.model for e in settings.worker_endpoints]
    return _mean(workers, settings), settings.price_table.get(settings.manager_endpoint.model)


def _mean(models: list[str], settings: Settings) -> Price | None:
    """Mean price of several models; None if one of them has none."""
    found = [price for model in models if (price := settings.price_table.get(model))]
    if len(found) < len(models):
        return None
    cached = [p.prompt if p.cached is None else p.cached for p in found]
    prompt, completion = fmean(p.prompt for p in found), fmean(p.completion for p in found)
    return Price(prompt=prompt, cached=fmean(cached), completion=completion)


def _timed(database: Database, models: list[str]) -> float | None:
    """Mean seconds of a call to these models, as measured so far; None if there was none."""
    query = select(func.avg(CallRow.seconds)).where(CallRow.model.in_(models), CallRow.ended == "answered")
    with database.read() as connection:
        found: float | None = connection.execute(query).scalar_one()
    return found
