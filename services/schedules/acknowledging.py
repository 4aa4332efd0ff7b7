"""An alarm of drift put to rest by a person who has seen it and lets the approved version stand."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from agents.drift import CAUSES, Cause, DriftState, restarted
from knowledge_base.errors import Conflict, NotThere
from services.criteria_sets.reading import approved_set
from services.database import Database
from services.schedules.register import load_schedule
from services.schedules.tables import DriftRow, RefreshRow


def acknowledge_drift(database: Database, schedule: str) -> tuple[Cause, ...]:
    """Begin the evidence about the approved version anew, against the same standard; returns the alarms put to rest.

    The stated level of false alarms holds anew from here. Votes that were counted are not counted again.

    Raises:
        NotThere: there is no such schedule, or nothing was examined yet.
        Conflict: a refresh of it goes on.
    """
    found = load_schedule(database, schedule)
    approved = approved_set(database, found.criteria_set)
    version = approved.version if approved else ""
    with database.write() as connection:
        _demand_rest(connection, schedule)
        here = (DriftRow.schedule == schedule, DriftRow.version == version)
        kept = connection.execute(select(DriftRow.state).where(*here)).scalar()
        if kept is None:
            raise NotThere(f"{found.name!r} has not examined the approved version of {found.criteria_set!r} yet")
        state = DriftState.model_validate_json(kept)
        anew = restarted(state, state.reference).model_dump_json()
        connection.execute(update(DriftRow).where(*here).values(state=anew))
    return tuple(cause for cause in CAUSES if state.causes[cause].alarm is not None)


def _demand_rest(connection: Connection, schedule: str) -> None:
    going = connection.execute(select(RefreshRow.id).where(RefreshRow.occupies == schedule)).scalar()
    if going:
        raise Conflict(f"refresh {going} goes on; wait for its end, or cancel it, and look at what it found first")
