"""Pages by cursor: where the last page ended, so that what comes in meanwhile neither repeats nor hides a row."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from knowledge_base.errors import InputError
from services.api.fields import Count, Cursor

T = TypeVar("T")

MOST = 200


class Page(BaseModel, Generic[T]):
    """Some of a list, in a fixed order.

    Attributes:
        items: at most as many as were asked for.
        next: the cursor to ask for what follows; None at the end.
    """

    model_config = ConfigDict(frozen=True)

    items: list[T]
    next: str | None = Field(default=None, examples=["WzE3MDAwMDAwMDAuMCwgIjZmMWMyYSJd"])


Limit = Annotated[Count, Query(description="Most items on the page.")]
After = Annotated[Cursor, Query(description="The `next` of the page before; empty for the first.")]


def cursor_of(*place: Any) -> str:
    """Opaque form of the last item's place in the order."""
    return base64.urlsafe_b64encode(json.dumps(place, separators=(",", ":")).encode()).decode()


def place_of(cursor: str, *kinds: type) -> list[Any] | None:
    """The place that a cursor stands for; None for the first page.

    Raises:
        InputError: the server never gave such a cursor.
    """
    if not cursor:
        return None
    try:
        place = json.loads(base64.b64decode(cursor.encode(), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error):
        raise InputError("the cursor cannot be read; give the `next` of an earlier page") from None
    if not isinstance(place, list) or len(place) != len(kinds) or not all(map(_fits, place, kinds)):
        raise InputError("the cursor is of another list; give the `next` of an earlier page of this one")
    return place


def page_of(found: Sequence[T], limit: int, *, key: Any) -> Page[T]:
    """A page out of up to `limit` + 1 items; `key` gives an item's place as a tuple."""
    items = list(found[:limit])
    return Page(items=items, next=cursor_of(*key(items[-1])) if len(found) > limit else None)


def _fits(value: Any, kind: type) -> bool:
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e18
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**62
    return isinstance(value, str) and "\x00" not in value and value.isprintable()
