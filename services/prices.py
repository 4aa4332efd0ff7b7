"""What tokens cost, by a table that the user gives: providers publish prices, but none says them with a reply."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from agents.chat.endpoint import Tokens

MILLION = 1_000_000

Money = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Price(BaseModel):
    """Money per million tokens.

    Attributes:
        prompt: of prompt tokens that the endpoint had to compute.
        cached: of prompt tokens that it had in its prefix cache; None where they cost as much as the others.
        completion: of completion tokens.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: Money
    cached: Money | None = None
    completion: Money

    @property
    def highest(self) -> float:
        """Of the three, so that tokens of unknown kind never cost more."""
        return max(self.prompt, self.cached or 0.0, self.completion)


Prices = Mapping[str, Price]
"""Price by model, named `provider:model`."""


def cost_of(model: str, tokens: Tokens, prices: Prices) -> float | None:
    """Money that these tokens cost; None if the model has no price."""
    price = prices.get(model)
    if price is None:
        return None
    cached = price.prompt if price.cached is None else price.cached
    return (tokens.uncached * price.prompt + tokens.cached * cached + tokens.completion * price.completion) / MILLION


def most_of(model: str, tokens: int, prices: Prices) -> float | None:
    """Money that a call of so many tokens costs at most, however they are shared between prompt and completion.

    None if the model has no price.
    """
    price = prices.get(model)
    return None if price is None else tokens * price.highest / MILLION


def unpriced(models: Iterable[str], prices: Prices) -> list[str]:
    """Those of the models that have no price, each once."""
    return [m for m in dict.fromkeys(models) if m not in prices]
