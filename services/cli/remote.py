"""What `touchstone mine` and `touchstone label` do where `TOUCHSTONE_URL` is set: a server does the work.

The files that come of it are the same. Stopped, the command may be given again: the server went on meanwhile, and what
was sent before is found there.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from agents.chronicle import RoundRecord
from services.api.routes.datasets import DatasetIn
from services.api.routes.runs import Quoted, RunConfigIn, RunIn
from services.cli.paying import agree
from services.client.client import Client
from services.client.transport import ServerRefused
from services.labelling.summary import LabelSummary
from services.live import Watcher
from services.orders.labelling_order import OrderedLabelling
from services.progress import RunProgress
from services.run_result import RunResult
from services.settings import Settings

if TYPE_CHECKING:
    from services.cli.labelling import Order as LabelOrder
    from services.cli.mining import Order as MineOrder

POLL_SECONDS = 1.0


def client_of(settings: Settings) -> Client:
    """The server that the settings name."""
    return Client(settings.url, settings.api_key.get_secret_value())


def order_mining(client: Client, order: MineOrder, settings: Settings) -> str:
    """Send the pairs and have them mined; returns the run. Asks first where it costs something.

    Raises:
        ServerRefused: the server does not take the files, or does not answer.
        InputError: the user does not agree to the cost.
    """
    dataset = _sent(client, order.pairs, order.description)
    test = _sent(client, order.test, order.description) if order.test else None
    config = RunConfigIn(**order.config.model_dump())
    wanted = RunIn(dataset=dataset, test=test, name=line_named(order.out.name), config=config)
    quoted = client.estimate_run(wanted)
    if quoted.estimate is not None and not quoted.exists:
        _agree(quoted, settings, yes=order.yes)
    return client.order_run(wanted.model_copy(update={"accept_cost": True})).run.run


def watch_mining(client: Client, run: str, watch: Watcher) -> RunResult:
    """Show a run as it happens, and fetch what it hands over.

    Raises:
        ServerRefused: the run failed or was cancelled; the message says why.
    """
    latest: RoundRecord | None = None
    for told in client.follow(run):
        if isinstance(told, RoundRecord):
            latest = told
            continue
        watch.update(RunProgress(run=run, threads=told.threads, latest=latest, paid=told.paid))
        if told.state in ("failed", "cancelled"):
            raise ServerRefused(f"run {run} has {told.state}: {told.fault}; run the same command again to retry it")
    return client.result(run)


def label_remotely(client: Client, order: LabelOrder) -> LabelSummary:
    """Have a file labelled by a criteria file, and fetch the labels.

    Raises:
        ServerRefused: the server does not take the files, or the labelling was given up.
    """
    name = line_named(order.criteria.parent.name or order.criteria.stem)
    version = client.propose(name, order.criteria).stored.version
    budget = {f"budget_{part}": getattr(order.budget, part) for part in ("calls", "tokens", "cost")}
    ordered = client.order_labelling(
        order.pairs, name, version=version, stop=order.stop, error=order.error, accept_cost=order.yes, **budget
    )
    ended = client.await_labelling(ordered.labelling, _tell)
    if ended.state == "failed":
        raise ServerRefused(f"labelling {ended.labelling} was given up: {ended.fault}; mend that and run it again")
    client.download_labels(ended.labelling, order.out, order.out.suffix.lstrip("."))
    if order.trl is not None:
        client.download_labels(ended.labelling, order.trl, "trl", least_margin=order.min_margin)
    return client.labelling_summary(ended.labelling)


def line_named(name: str) -> str:
    """A name that a line of criteria sets may have, out of that of a folder."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")[:64] or "criteria"


def _sent(client: Client, file: Path, description: str) -> str:
    """The id of the dataset that this file is, on the server; sent only where it is not there."""
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()[:12]
    name = f"{line_named(file.stem)[:60]}-{digest}"
    try:
        dataset = client.create_dataset(DatasetIn(name=name, description=description)).id
    except ServerRefused as error:
        if error.status != 409:
            raise
        dataset = client.dataset(name).id
    client.upload(dataset, file)
    return dataset


def _agree(quoted: Quoted, settings: Settings, *, yes: bool) -> None:
    assert quoted.estimate is not None
    priced = settings.model_copy(update={"currency": quoted.currency})
    agree(quoted.estimate, quoted.config, priced, yes=yes)


def _tell(labelling: OrderedLabelling) -> None:
    typer.echo(f"{labelling.done:,} of {labelling.pairs:,} pairs labelled", err=True)
