"""The routes, a module for each noun."""

from services.api.routes import (
    actions,
    criteria_sets,
    datasets,
    judgments,
    keys,
    knowledge,
    labellings,
    metrics,
    runs,
    schedules,
    usage,
    watching,
    webhooks,
)

ROUTERS = tuple(
    module.router
    for module in (
        datasets, runs, watching, judgments, criteria_sets, labellings, schedules, knowledge, usage, metrics, keys,
        webhooks, actions,
    )
)  # fmt: skip
