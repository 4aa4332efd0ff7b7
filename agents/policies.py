"""The evolution policies by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

from agents.paper_policy import PaperPolicy
from agents.policy import Policy
from agents.robust_policy import RobustPolicy, frugal
from knowledge_base.errors import InputError

PolicyName = Literal["robust", "paper"]
POLICY_NAMES: tuple[PolicyName, ...] = get_args(PolicyName)


def policy_named(name: str, size: int | None = None, rounds: int | None = None, *, free: bool = True) -> Policy:
    """The policy called `name`, with its own default size and rounds unless given.

    Args:
        name: `robust` or `paper`.
        size: criteria wanted.
        rounds: at most this many.
        free: whether judgments cost nothing. Where they do, `robust` is frugal with them, and `paper` is followed to
            the letter: it screens the whole knowledge base.

    Raises:
        InputError: no such policy, or a size or number of rounds below 1.
    """
    if name not in POLICY_NAMES:
        raise InputError(f"policy is {name!r}; use {' or '.join(map(repr, POLICY_NAMES))}")
    for label, value in (("size", size), ("rounds", rounds)):
        if value is not None and value < 1:
            raise InputError(f"{label} is {value}; use 1 or more")
    policy = PaperPolicy(screens=not free) if name == "paper" else RobustPolicy() if free else frugal()
    return replace(policy, size=size or policy.size, rounds=rounds or policy.rounds)
