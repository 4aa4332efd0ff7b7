"""What a user says of an export on the command line, made into a choice."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from agents.pairs import Preference
from knowledge_base.errors import InputError
from services.datasets.ballots import ANSWERS
from services.exchange.choosing import Choice
from services.exchange.labelling_config import with_config


def choice_of(
    *,
    a: str = "",
    b: str = "",
    prompt: str = "",
    question: str = "",
    reason: str = "",
    means: str = "",
    config: Path | None = None,
) -> Choice:
    """A choice; see `services.exchange.choosing.Choice`.

    Args:
        a, b, prompt, question, reason: names in the export.
        means: answers and what they mean, as in `much better=a;worse=b;equal=tie`.
        config: a Label Studio labelling configuration, for what is not named.

    Raises:
        InputError: a meaning is no `a`, `b` or `tie`, or the configuration cannot be used.
    """
    choice = Choice(a, b, prompt, question, reason, dict(_meaning(part) for part in means.split(";") if part.strip()))
    return with_config(choice, config) if config else choice


def _meaning(part: str) -> tuple[str, Preference]:
    """`answer=side`; the answer may hold equal signs itself."""
    said, found, side = part.rpartition("=")
    if not found or side.strip() not in ANSWERS or not said.strip():
        raise InputError(
            f'--means holds "{part.strip()}"; write answer=a, answer=b or answer=tie, joined by semicolons'
        )
    return said.strip(), cast(Preference, side.strip())
