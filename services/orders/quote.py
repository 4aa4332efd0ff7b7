"""What a run would be and take, told before anything is paid for or kept."""

from __future__ import annotations

from dataclasses import dataclass

from agents.pairs import Dataset
from services.deployment import Deployment
from services.estimate import Estimate
from services.estimating import estimate_run, with_share
from services.run_config import RunConfig
from services.runs import create_run, run_exists, run_id


@dataclass(frozen=True)
class Quote:
    """A run about to be ordered.

    Attributes:
        run: the id it has or would have.
        config: as it will be, with the deployment's usual budget where none was given.
        estimate: what it will take; None where nothing costs anything.
        exists: whether the same inputs made it before.
    """

    run: str
    config: RunConfig
    estimate: Estimate | None
    exists: bool


def quote(deployment: Deployment, dataset: Dataset, config: RunConfig, test: Dataset | None = None) -> Quote:
    """Name a run and estimate what it will take; nothing is kept.

    Raises:
        InputError: the configuration cannot be used, or a budget of money stands beside a model without a price.
    """
    database, parties, settings = deployment.database, deployment.parties, deployment.settings
    expected = estimate_run(database, parties, settings, dataset, config, test)
    if expected is not None:
        config = with_share(config, settings, expected)
    run = run_id(parties, dataset, config, test)
    return Quote(run, config, expected, run_exists(database, run))


def create(deployment: Deployment, dataset: Dataset, quoted: Quote, test: Dataset | None = None) -> str:
    """Create the run that was quoted; returns its id."""
    return create_run(deployment.database, deployment.parties, dataset, quoted.config, test)
