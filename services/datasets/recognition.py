"""Which format a file is written in, by its columns alone."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from knowledge_base.errors import InputError
from services.datasets.drafts import PairFormat, PointFormat
from services.datasets.formats import ARENA, NATIVE, POINTWISE, REFERENCE, TRL

FORMATS: tuple[PairFormat | PointFormat, ...] = (NATIVE, TRL, REFERENCE, ARENA, POINTWISE)

_EXPECTED = (
    "a, b, preferred (or votes) · prompt, chosen, rejected · A, B, answer · response_a, response_b, winner · "
    "text, label"
)


def recognise(file: str, columns: Sequence[str]) -> PairFormat | PointFormat:
    """The one format that the columns fit.

    Args:
        file: file name, for the message.
        columns: column names, spelt exactly as in the file.

    Raises:
        InputError: no format fits, or more than one does.
    """
    fitting = [known for known in FORMATS if known.fits(frozenset(columns))]
    if len(fitting) == 1:
        return fitting[0]
    found = ", ".join(repr(name[:40]) for name in columns[:20]) or "none"
    if fitting:
        names = " and ".join(known.name for known in fitting)
        raise InputError(f"{file} fits the formats {names} at once (columns: {found}); keep the columns of one")
    raise InputError(f"{file} fits no format (columns: {found}); {_hint(columns)}give the columns of one: {_EXPECTED}")


def _hint(columns: Sequence[str]) -> str:
    """A column that is nearly one of those needed, such as `Chosen ` for `chosen`; empty if there is none."""
    needed = sorted({name for known in FORMATS for name in known.needs | known.answers if len(name) > 1})
    for column in columns[:100]:
        close = difflib.get_close_matches(column.strip().lower(), needed, n=1, cutoff=0.8)
        if close and close[0] not in columns:
            return f"rename {column[:40]!r} to {close[0]!r}, or "
    return ""
