"""Criteria sets: versions with their evidence, what differs, and what people decide."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from agents.set_diff import SetDiff
from knowledge_base.errors import NotThere
from services.access.audit import record_action
from services.api.access import Approver, Place, Reader, Runner
from services.api.chosen_set import chosen_set, earlier_set
from services.api.etags import fresh
from services.api.fields import Given, Line, Name, Prefix, Told
from services.api.noting import note
from services.api.once import OnceForFile, OnceOnly
from services.api.paging import After, Limit, Page, cursor_of, place_of
from services.api.problems import documented
from services.api.uploads import received
from services.criteria_sets.comparing import compare
from services.criteria_sets.deciding import decide
from services.criteria_sets.naming import version_meant
from services.criteria_sets.proposing import Proposed, propose_file
from services.criteria_sets.reading import cursor_of as place_in_list
from services.criteria_sets.reading import list_sets, set_details
from services.criteria_sets.standing import Decision, SetStatus, decisions_of
from services.criteria_sets.stored import SetDetails, StoredSet
from services.exchange.judge_prompt import Language
from services.exchange.promptfoo import Mode
from services.exchange.targets import ENDINGS, Target, Wanted, export_set
from services.webhooks.outbox import announce

FILE = "criteria.yaml"
MEDIA_TYPES = {
    ".yaml": "application/yaml", ".json": "application/json", ".py": "text/x-python", ".md": "text/markdown",
    ".txt": "text/plain",
}  # fmt: skip
"""Of exports, by the ending of the file."""

router = APIRouter(tags=["criteria sets"])

NamePath = Annotated[Name, Path(description="A line of criteria sets.", examples=["web-quality"])]
Version = Annotated[
    Prefix, Path(description="Version of a set, or the first 4 or more of its digits.", examples=["4f1d2c3b5a69"])
]


class SetHead(Told):
    """A version in a list: how it stands and what its criteria are called."""

    name: str
    version: str
    status: SetStatus
    criteria: list[str]
    dataset: str
    run: str
    parent: str
    created_at: float


class DecisionIn(Given):
    """What somebody decides about a version.

    Attributes:
        decision: `approve` or `reject`; approving also returns the criteria to the knowledge base.
        note: why, for the record.
        seen: number of the line's last decision that was known (0: none); another since refuses this one.
    """

    decision: Literal["approve", "reject"]
    note: Line = Field(default="", examples=["Reads well; the sealed accuracy holds."])
    seen: Annotated[int, Field(ge=0, le=10**9)] | None = None


class OneSet(Told):
    """A version and what belongs to it."""

    stored: StoredSet
    details: SetDetails


@router.get("/criteria-sets", summary="Versions of criteria sets, the latest first", responses=documented(404))
def sets(
    place: Place,
    caller: Reader,
    name: Annotated[Name | None, Query(description="Only of this line.")] = None,
    limit: Limit = 50,
    after: After = "",
) -> Page[SetHead]:
    """List the versions of every line, or of one."""
    at = place_of(after, str)
    found = list_sets(place.database, name or "", at[0] if at else "", limit + 1)
    heads = [_head(stored) for stored in found[:limit]]
    return Page(items=heads, next=cursor_of(place_in_list(found[limit - 1])) if len(found) > limit else None)


@router.get("/criteria-sets/{name}", summary="Versions of a line, the latest first", responses=documented(404))
def line(name: NamePath, place: Place, caller: Reader, limit: Limit = 50, after: After = "") -> Page[SetHead]:
    """List the versions of one line; `/approved` and `/{version}` after it give one of them whole."""
    found = sets(place, caller, name, limit, after)
    if not found.items and not after:
        raise NotThere(f"there is no line {name!r} of criteria sets; GET /v1/criteria-sets lists those there are")
    return found


@router.get("/criteria-sets/{name}/approved", summary="The approved version of a line", responses=documented(404))
def approved(name: NamePath, place: Place, caller: Reader) -> OneSet:
    """The version that is in force."""
    found = chosen_set(place, name, None)
    return OneSet(stored=found, details=set_details(place.database, name, found.version))


@router.get("/criteria-sets/{name}/{version}", summary="One version", responses=documented(404, 409))
def one(name: NamePath, version: Version, place: Place, caller: Reader) -> OneSet:
    """A version with its evidence and what was decided about it."""
    stored = version_meant(place.database, name, version)
    return OneSet(stored=stored, details=set_details(place.database, name, stored.version))


@router.get(
    "/criteria-sets/{name}/{version}/diff", summary="What differs from another version", responses=documented(404, 409)
)
def diff(
    name: NamePath,
    version: Version,
    place: Place,
    caller: Reader,
    old: Annotated[
        Prefix | None,
        Query(description="Another version of the line; else the parent, or without one the approved version."),
    ] = None,
) -> SetDiff:
    """Criteria kept, reworded, dropped and new since the other version, and why."""
    new = version_meant(place.database, name, version)
    before = version_meant(place.database, name, old) if old else earlier_set(place.database, new)
    return compare(place.database, name, before.version, new.version)


@router.get(
    "/criteria-sets/{name}/{version}/export", summary="A version for other tools", response_class=Response,
    responses={**documented(404, 409), 200: {"content": {kind: {} for kind in MEDIA_TYPES.values()}}},
)  # fmt: skip
def export(
    name: NamePath,
    version: Version,
    place: Place,
    caller: Reader,
    request: Request,
    format: Annotated[Target, Query(description="What to write it as.")] = "yaml",
    mode: Annotated[Mode | None, Query(description="Of `promptfoo` and `prompt`.")] = None,
    language: Annotated[Language, Query(description="Of `prompt`.")] = "en",
    ending: Annotated[Literal[".py", ".json"] | None, Query(description="Of `deepeval`: a module, or JSON.")] = None,
) -> Response:
    """The criteria as a file: our own, a rubric, a configuration of another tool, or a prompt."""
    stored, response = version_meant(place.database, name, version), Response()
    exported = export_set(stored.criteria_set, Wanted(format, mode, language, ending or ""))
    unchanged = fresh(request, response, hashlib.sha256(exported.text.encode()).hexdigest()[:32])
    if unchanged:
        return unchanged
    ending_of_it = ending or ENDINGS[format][0]
    file = f"{name}-{stored.version}{ending_of_it}"
    kept = {n: response.headers[n] for n in ("etag", "cache-control")}
    headers = {**kept, "Content-Disposition": f'attachment; filename="{file}"'}
    return Response(exported.text, headers=headers, media_type=MEDIA_TYPES[ending_of_it])


@router.post("/criteria-sets/{name}/{version}/decisions", summary="Approve or reject", status_code=201,
             response_model=Decision, responses=documented(404, 409))  # fmt: skip
def decision(
    name: NamePath, version: Version, given: DecisionIn, place: Place, caller: Approver, once: OnceOnly
) -> Response:
    """Put a decision on record. At most one version of a line is approved; approving an older one rolls back."""

    def work() -> Decision:
        whole = version_meant(place.database, name, version).version

        def told(connection: Connection, made: Decision) -> None:
            body = {"name": name, "version": whole, "decision": made.decision, "who": made.who, "note": made.note}
            announce(connection, "set.decided", body)
            record_action(connection, caller, f"set.{given.decision}", f"{name}@{whole}", {"note": given.note})

        return decide(
            place.database, name, whole, given.decision, given.note, caller.name, seen=given.seen, within=told
        )

    def found() -> Decision | None:
        last = next(reversed(decisions_of(place.database, name)), None)
        mine = last and last.version.startswith(version) and (last.decision, last.who) == (given.decision, caller.name)
        return last if mine else None

    return once.answer(work, 201, found)


@router.post(
    "/criteria-sets/{name}/upload", summary="Propose a criteria file", status_code=201, response_model=Proposed,
    responses=documented(409, 413),
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/yaml": {"schema": {"type": "string"}}}}
    },
)  # fmt: skip
async def propose(name: NamePath, place: Place, caller: Runner, once: OnceForFile, request: Request) -> Response:
    """Send a `criteria.yaml` as the body, perhaps edited by hand; it becomes a proposed version."""
    async with received(request, FILE, place.settings.spool, (FILE,)) as (path, digest):
        once.include(digest)

        def work() -> Proposed:
            proposed = propose_file(place.database, path, name=name, who=caller.name)
            note(place, caller, "set.proposed", f"{name}@{proposed.stored.version}")
            return proposed

        return await run_in_threadpool(once.answer, work, 201)


def _head(stored: StoredSet) -> SetHead:
    return SetHead(
        name=stored.name, version=stored.version, status=stored.status,
        criteria=[c.name for c in stored.criteria_set.criteria], dataset=stored.dataset, run=stored.run,
        parent=stored.parent, created_at=stored.created_at,
    )  # fmt: skip
