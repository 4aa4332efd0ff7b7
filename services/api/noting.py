"""Putting on record what a request did, where the service that did it does not do so itself."""

from __future__ import annotations

from typing import Any

from services.access.audit import record_action
from services.access.identity import Identity
from services.deployment import Deployment


def note(place: Deployment, caller: Identity, action: str, subject: str, **details: Any) -> None:
    """Add an action to the record."""
    with place.database.write() as connection:
        record_action(connection, caller, action, subject, details)
