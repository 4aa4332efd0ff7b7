"""The API as functions: what they take and give are the server's own types."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType

import httpx
from httpx_sse import EventSource, ServerSentEvent

from agents.chronicle import RoundRecord
from services.annotation.dataset import OpenDataset
from services.annotation.pairs import PairIn, Placed
from services.annotation.vote import VoteIn
from services.annotation.votes import VotesAdded
from services.api.routes.criteria_sets import DecisionIn, OneSet
from services.api.routes.datasets import DatasetIn, PairsIn, UploadTold, VotesIn
from services.api.routes.runs import OrderedRun, Quoted, RunIn
from services.api.watching import Standing
from services.client.transport import Transport
from services.criteria_sets.proposing import Proposed
from services.criteria_sets.standing import Decision
from services.labelling.summary import LabelSummary
from services.orders.labelling_order import OrderedLabelling
from services.orders.order import Ordered
from services.run_result import RunResult

POLL_SECONDS = 1.0
Told = Standing | RoundRecord


class Client:
    """A server, for Python programs; a context manager.

    Args:
        url: of the server, such as `http://127.0.0.1:8400`.
        key: API key; empty for a server without keys.
    """

    def __init__(self, url: str, key: str = "", *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._at, self._sleep = Transport(url, key, sleep=sleep), sleep

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._at.close()

    def create_dataset(self, given: DatasetIn) -> OpenDataset:
        """Make an open dataset."""
        return self._at.post("/v1/datasets", OpenDataset, given)

    def dataset(self, dataset: str) -> OpenDataset:
        """An open dataset by id or name."""
        return self._at.get(f"/v1/datasets/{dataset}", OpenDataset)

    def upload(self, dataset: str, file: Path) -> UploadTold:
        """Add a file of pairs to an open dataset: all of it, or nothing."""
        return self._at.upload(f"/v1/datasets/{dataset}/upload", UploadTold, file, filename=file.name)

    def add_pairs(self, dataset: str, pairs: Sequence[PairIn]) -> list[Placed]:
        """Add pairs to ask people about; those that are there already stay as they are."""
        return self._at.post(f"/v1/datasets/{dataset}/pairs", list[Placed], PairsIn(pairs=list(pairs)))

    def add_votes(self, dataset: str, votes: Sequence[VoteIn]) -> VotesAdded:
        """Add votes; give each an `id`, so that none is counted twice when it is sent again."""
        return self._at.post(f"/v1/datasets/{dataset}/votes", VotesAdded, VotesIn(votes=list(votes)))

    def estimate_run(self, given: RunIn) -> Quoted:
        """What a run would take."""
        return self._at.post("/v1/runs/estimate", Quoted, given)

    def order_run(self, given: RunIn) -> OrderedRun:
        """Have a dataset mined."""
        return self._at.post("/v1/runs", OrderedRun, given)

    def run(self, run: str) -> Ordered:
        """How a run stands."""
        return self._at.get(f"/v1/runs/{run}", Ordered)

    def cancel_run(self, run: str) -> Ordered:
        """Stop a run."""
        return self._at.post(f"/v1/runs/{run}/cancel", Ordered)

    def resume_run(self, run: str) -> Ordered:
        """Take up a run again."""
        return self._at.post(f"/v1/runs/{run}/resume", Ordered)

    def result(self, run: str) -> RunResult:
        """What a finished run hands over."""
        return self._at.get(f"/v1/runs/{run}/result", RunResult)

    def report(self, run: str) -> str:
        """A finished run as a page."""
        return self._at.text(f"/v1/runs/{run}/report")

    def criteria_yaml(self, name: str, version: str) -> str:
        """A criteria set as a file."""
        return self._at.text(f"/v1/criteria-sets/{name}/{version}/export", format="yaml")

    def criteria_set(self, name: str, version: str = "approved") -> OneSet:
        """A version of a line; the approved one unless another is named."""
        return self._at.get(f"/v1/criteria-sets/{name}/{version}", OneSet)

    def propose(self, name: str, file: Path) -> Proposed:
        """Send a criteria file as a proposed version of a line."""
        return self._at.upload(f"/v1/criteria-sets/{name}/upload", Proposed, file)

    def decide(self, name: str, version: str, given: DecisionIn) -> Decision:
        """Approve or reject a version."""
        return self._at.post(f"/v1/criteria-sets/{name}/{version}/decisions", Decision, given)

    def order_labelling(self, file: Path, name: str, **options: object) -> OrderedLabelling:
        """Have a file of pairs labelled; `options` are those of POST /v1/labellings/upload."""
        query = {"filename": file.name, "name": name, **options}
        return self._at.upload("/v1/labellings/upload", OrderedLabelling, file, **query)

    def labelling(self, labelling: str) -> OrderedLabelling:
        """How a labelling stands."""
        return self._at.get(f"/v1/labellings/{labelling}", OrderedLabelling)

    def await_labelling(self, labelling: str, tell: Callable[[OrderedLabelling], None]) -> OrderedLabelling:
        """Wait for the end of a labelling; `tell` is called whenever it has moved on."""
        before: OrderedLabelling | None = None
        while before is None or before.state == "running":
            found = self.labelling(labelling)
            if before is None or found.done != before.done:
                tell(found)
            before = found
            if found.state == "running":
                self._sleep(POLL_SECONDS)
        return before

    def labelling_summary(self, labelling: str) -> LabelSummary:
        """What a finished labelling came to."""
        return self._at.get(f"/v1/labellings/{labelling}/summary", LabelSummary)

    def download_labels(
        self, labelling: str, file: Path, format: str = "parquet", *, least_margin: float = 0.0
    ) -> None:
        """The labels of a finished labelling, as a file."""
        self._at.download(f"/v1/labellings/{labelling}/labels", file, format=format, least_margin=least_margin)

    def follow(self, run: str) -> Iterator[Told]:
        """A run as it happens, until it ends: each finished round, and where it stands whenever that changes.

        A connection that breaks is made again where it was cut off; where events do not come through at all, as behind
        some proxies, the run is asked about each second instead.

        Raises:
            ServerRefused: there is no such run, or the server is away for good.
        """
        last, silent = "", 0
        while silent < 2:
            try:
                for event in self._events(run, last):
                    last, silent = event.id or last, 0
                    yield _told(event)
                    if event.event == "end":
                        return
            except httpx.TransportError:
                pass
            silent += 1
            self._sleep(POLL_SECONDS)
        yield from self._polled(run)

    def _events(self, run: str, last: str) -> Iterator[ServerSentEvent]:
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last} if last else {})}
        with self._at.stream(f"/v1/runs/{run}/events", headers) as response:
            yield from EventSource(response).iter_sse()

    def _polled(self, run: str) -> Iterator[Standing]:
        before: Standing | None = None
        while before is None or before.state == "running":
            standing = self._at.get(f"/v1/runs/{run}/progress", Standing)
            if standing != before:
                yield standing
            before = standing
            self._sleep(POLL_SECONDS)


def _told(event: ServerSentEvent) -> Told:
    return (RoundRecord if event.event == "round" else Standing).model_validate_json(event.data)
