"""Datasets that grow: files and pairs taken in, pairs handed to annotators, votes, agreement, frozen versions."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field, StringConstraints
from starlette.concurrency import run_in_threadpool

from knowledge_base.criterion import Domain
from knowledge_base.errors import AccessDenied
from services.access.identity import Identity
from services.annotation.accuracy import Accuracies, set_accuracy
from services.annotation.answering import answer
from services.annotation.assignment import Answer, Task
from services.annotation.dataset import (
    OpenDataset,
    Sampling,
    change_dataset,
    create_dataset,
    list_datasets,
    open_dataset,
)
from services.annotation.figures import AgreementFigures, PositionBias, agreement, position_bias
from services.annotation.freezing import freeze
from services.annotation.handing import next_pair
from services.annotation.pairs import PairIn, Placed, add_pairs
from services.annotation.uploading import UploadReport, upload
from services.annotation.vote import StoredVote, VoteIn
from services.annotation.votes import VotesAdded, add_votes, votes_export, votes_since, withdraw
from services.api.access import Annotator, Place, Reader, Runner
from services.api.chosen_set import chosen_set
from services.api.fields import DatasetName, DatasetRef, Given, Ident, Name, Prose, Storable, Told
from services.api.noting import note
from services.api.once import OnceOnly
from services.api.paging import After, Limit, Page, page_of, place_of
from services.api.problems import documented
from services.api.uploads import FileName, received
from services.criteria_sets.origin import mined_pairs, mining_thread_of
from services.criteria_sets.reading import approved_set
from services.dataset_store import save_dataset

router = APIRouter(tags=["datasets"])

DatasetId = Annotated[DatasetRef, Path(description="Id or name of an open dataset.", examples=["web-answers"])]
Annotating = Annotated[str, StringConstraints(min_length=1, max_length=200), Storable]


class DatasetIn(Given):
    """A dataset to make.

    Attributes:
        name: unlike that of any other, and nothing that reads like an id.
        description: what people compare, in a sentence or two.
        domain: of the texts; recognised from them if left out.
        sampling: how pairs are handed out.
    """

    name: DatasetName = Field(examples=["web-answers"])
    description: Prose = Field(default="", max_length=10_000, examples=["Two answers to the same question."])
    domain: Domain | None = None
    sampling: Sampling = Sampling()


class DatasetChange(Given):
    """What to change; what is left out stays."""

    description: Annotated[Prose, Field(max_length=10_000)] | None = None
    sampling: Sampling | None = None


class PairsIn(Given):
    """Pairs to ask people about."""

    pairs: list[PairIn] = Field(min_length=1, max_length=1000)


class VotesIn(Given):
    """Votes that people gave elsewhere, or a change of mind."""

    votes: list[VoteIn] = Field(min_length=1, max_length=1000)


class AnswerIn(Given):
    """An answer to a task.

    Attributes:
        said: which of the texts as shown is better, `tie`, or `skip`.
        annotator: who answers; the key's name if left out.
        confidence: in [0, 1]; reason: in their own words; seconds: that it took.
    """

    said: Answer
    annotator: Annotating | None = None
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    reason: Prose = ""
    seconds: Annotated[float, Field(ge=0, le=1e6)] | None = None


class Withdrawal(Given):
    """Why a vote is to stand no longer."""

    reason: Prose = ""


class NextTask(Told):
    """What to look at next; None where nothing is left for this annotator, or others hold what is left."""

    task: Task | None


class Frozen(Told):
    """A version: its content hash, and how many pairs it holds and how many of them people decided."""

    version: str
    pairs: int
    decided: int
    notes: tuple[str, ...]


UploadTold = UploadReport


@router.get("/datasets", summary="Open datasets, by name")
def datasets(place: Place, caller: Reader, limit: Limit = 50, after: After = "") -> Page[OpenDataset]:
    """List the datasets that grow."""
    at = place_of(after, str)
    found = list_datasets(place.database, at[0] if at else "", min(limit + 1, 200))
    return page_of(found, min(limit, 199), key=lambda d: (d.name,))


@router.post(
    "/datasets", summary="Make a dataset", status_code=201, response_model=OpenDataset, responses=documented(409)
)
def make(given: DatasetIn, place: Place, caller: Runner, once: OnceOnly) -> Response:
    """It is empty, and grows by files, pairs and votes."""

    def work() -> OpenDataset:
        made = create_dataset(
            place.database, given.name, given.description, domain=given.domain or "", sampling=given.sampling,
            created_by=caller.name,
        )  # fmt: skip
        note(place, caller, "dataset.created", made.id, name=given.name)
        return made

    def found() -> OpenDataset | None:
        there = open_dataset(place.database, given.name)
        return there if there.created_by == caller.name else None

    return once.answer(work, 201, found)


@router.get("/datasets/{dataset}", summary="One dataset", responses=documented(404))
def one(dataset: DatasetId, place: Place, caller: Reader) -> OpenDataset:
    """A dataset as it stands."""
    return open_dataset(place.database, dataset)


@router.patch("/datasets/{dataset}", summary="Change a dataset", responses=documented(404))
def change(dataset: DatasetId, given: DatasetChange, place: Place, caller: Runner) -> OpenDataset:
    """What was handed out and answered stays as it was."""
    changed = change_dataset(place.database, dataset, description=given.description, sampling=given.sampling)
    note(place, caller, "dataset.changed", changed.id)
    return changed


@router.post(
    "/datasets/{dataset}/upload", summary="Add a file", response_model=UploadReport, responses=documented(404, 413),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)  # fmt: skip
async def send(
    dataset: DatasetId,
    request: Request,
    place: Place,
    caller: Runner,
    filename: FileName,
    dry_run: Annotated[bool, Query(description="Look at it, and keep nothing.")] = False,
) -> UploadReport:
    """Send a JSONL, CSV or Parquet file as the body: all of it is taken in, or nothing. Sent again, it adds nothing."""
    open_dataset(place.database, dataset)
    async with received(request, filename, place.settings.spool) as (path, _):

        def work() -> UploadReport:
            done = upload(
                place.database, dataset, path, name=filename, dry_run=dry_run, by=caller.name, settings=place.settings
            )
            if not dry_run:
                note(place, caller, "dataset.uploaded", dataset, pairs=done.pairs_added, votes=done.votes_added)
            return done

        return await run_in_threadpool(work)


@router.post("/datasets/{dataset}/pairs", summary="Add pairs", responses=documented(404))
def pairs(dataset: DatasetId, given: PairsIn, place: Place, caller: Runner) -> list[Placed]:
    """Pairs to ask people about. Those that are there already stay as they are."""
    return add_pairs(place.database, dataset, given.pairs)


@router.post("/datasets/{dataset}/votes", summary="Add votes", responses=documented(404))
def votes(dataset: DatasetId, given: VotesIn, place: Place, caller: Annotator) -> VotesAdded:
    """All of them or none. A key without the scope `run` votes in its own name only."""
    cast = [vote.model_copy(update={"annotator": _as(caller, vote.annotator or None)}) for vote in given.votes]
    return add_votes(place.database, dataset, cast)


@router.get("/datasets/{dataset}/votes", summary="Votes that came in after a moment", responses=documented(404))
def voted(
    dataset: DatasetId,
    place: Place,
    caller: Reader,
    since: Annotated[float, Query(ge=0, le=1e11, description="`recorded_at` of the last vote seen.")] = 0.0,
    limit: Limit = 50,
) -> list[StoredVote]:
    """In the order in which they came in; ask again with the last one's `recorded_at`."""
    return votes_since(place.database, dataset, since, limit)


@router.get(
    "/datasets/{dataset}/votes/export", summary="Every vote as JSON lines", response_class=StreamingResponse,
    responses=documented(404),
)  # fmt: skip
def export(dataset: DatasetId, place: Place, caller: Reader) -> StreamingResponse:
    """Everything that was ever cast, skipped and withdrawn."""
    open_dataset(place.database, dataset)
    lines = (json.dumps(vote.model_dump()) + "\n" for vote in votes_export(place.database, dataset))
    return StreamingResponse(lines, media_type="application/jsonl")


@router.post("/datasets/{dataset}/votes/{vote}/withdraw", summary="Withdraw a vote", responses=documented(404))
def take_back(
    dataset: DatasetId,
    vote: Annotated[Ident, Path(description="Id of a vote.")],
    given: Withdrawal,
    place: Place,
    caller: Annotator,
) -> StoredVote:
    """It stands no longer, and stays on record."""
    own = "" if "run" in caller.scopes else caller.name
    return withdraw(place.database, dataset, vote, annotator=own, reason=given.reason)


@router.post("/datasets/{dataset}/next", summary="The next pair to look at", responses=documented(404))
def hand_out(
    dataset: DatasetId,
    place: Place,
    caller: Annotator,
    annotator: Annotated[Annotating | None, Query(description="Who asks; the key's name if left out.")] = None,
    name: Annotated[
        Name | None, Query(description="A line of criteria sets whose judgments say what would help.")
    ] = None,
) -> NextTask:
    """A pair that is expected to teach most, or one at random for a known share; it is kept for this annotator."""
    found = approved_set(place.database, name) if name else None
    criteria = found.criteria_set if found else None
    handed = next_pair(place.database, dataset, _as(caller, annotator), criteria=criteria)
    return NextTask(task=handed.task if handed else None)


@router.post(
    "/datasets/{dataset}/assignments/{assignment}/answer", summary="Answer a task", responses=documented(404, 409)
)
def answered(
    dataset: DatasetId,
    assignment: Annotated[Ident, Path(description="Id of a task.")],
    given: AnswerIn,
    place: Place,
    caller: Annotator,
) -> StoredVote:
    """Keep what an annotator said of the texts as they were shown. Sent again, it is the same vote."""
    return answer(
        place.database, dataset, assignment, _as(caller, given.annotator), given.said, confidence=given.confidence,
        reason=given.reason, seconds=given.seconds,
    )  # fmt: skip


@router.get("/datasets/{dataset}/agreement", summary="How far annotators agree", responses=documented(404))
def agreed(dataset: DatasetId, place: Place, caller: Reader) -> AgreementFigures:
    """Among all, and each with the others and with themselves."""
    return agreement(place.database, dataset)


@router.get("/datasets/{dataset}/position-bias", summary="Does a text's side draw votes?", responses=documented(404))
def sides(dataset: DatasetId, place: Place, caller: Reader) -> PositionBias:
    """The share of answers that went to the text shown first."""
    return position_bias(place.database, dataset)


@router.get(
    "/datasets/{dataset}/accuracy", summary="How well a set's votes fit people's", responses=documented(404, 409)
)
def accuracy(
    dataset: DatasetId,
    place: Place,
    caller: Reader,
    name: Annotated[Name, Query(description="A line of criteria sets.")],
    version: Annotated[Ident | None, Query(description="A version of it; else the approved one.")] = None,
) -> dict[str, Accuracies]:
    """Of the set's vote (under its version) and of each criterion (under its hash).

    From the pairs shown at random alone, and from all, weighted by how likely each was to be shown. Pairs that the set
    was mined from are left out.
    """
    stored = chosen_set(place, name, version)
    mined = mined_pairs(place.database, stored, mining_thread_of(place.database, stored))
    hashes = None if mined is None else {pair.hash for pair in mined}
    return set_accuracy(place.database, dataset, stored.criteria_set, hashes)


@router.post("/datasets/{dataset}/freeze", summary="Freeze a version", status_code=201, responses=documented(404))
def frozen(dataset: DatasetId, place: Place, caller: Runner) -> Frozen:
    """The dataset as it stands, with its votes settled: immutable, and named by its content."""
    made = freeze(place.database, dataset)
    save_dataset(place.database, made)
    decided = sum(pair.preferred != "tie" for pair in made.pairs)
    return Frozen(version=made.hash, pairs=len(made.pairs), decided=decided, notes=made.notes)


def _as(caller: Identity, annotator: str | None) -> str:
    """Whom a vote is by: who asks, or somebody else only where the key may run things.

    Raises:
        AccessDenied: a key votes for another person.
    """
    if annotator in (None, "", caller.name):
        return caller.name
    if "run" not in caller.scopes:
        told = f"the key {caller.name!r} votes in its own name; the scope run may bring in votes of others"
        raise AccessDenied(told, reason="forbidden", scope="run")
    return str(annotator)
