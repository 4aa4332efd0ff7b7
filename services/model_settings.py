"""Settings of the chat models: which judge and manage, where they run, and what they may take."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from knowledge_base.errors import InputError
from services.budget import Budget
from services.prices import Price, unpriced

PREFIX = "TOUCHSTONE_"

MODEL = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*:\S+")
RESERVED = ("api_key", "base_url", "model")
"""Parameters that have settings of their own, where a secret stays secret."""


@dataclass(frozen=True)
class Endpoint:
    """A model and where it is served.

    Attributes:
        model: `provider:model`.
        base_url: address of the endpoint; empty for the provider's own.
        key: secret; empty where the provider's client finds one itself (such as in `OPENAI_API_KEY`).
        parameters: sent with every call, such as `{"temperature": 0}`.
    """

    model: str
    base_url: str = ""
    key: str = field(default="", repr=False)
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Name of what serves it, without the key: all calls to one place share its limits, whatever the model."""
        return self.base_url.rstrip("/") or self.model.split(":", 1)[0]


def _json_object(value: Any) -> Any:
    """Read a JSON object out of a variable; whatever was given as values stays as it is."""
    if not isinstance(value, str):
        return value
    try:
        read = json.loads(value or "{}", parse_constant=_refuse_constant)
    except ValueError as error:
        raise ValueError(f"write a JSON object ({error})") from None
    if not isinstance(read, dict):
        raise ValueError('write a JSON object, such as {"name": 0}')
    return read


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


Parameters = Annotated[dict[str, Any], NoDecode, BeforeValidator(_json_object)]
PriceTable = Annotated[dict[str, Price], NoDecode, BeforeValidator(_json_object)]


class ModelSettings(BaseSettings):
    """The part of the settings that is about chat models. Without any model, signals judge and statistics manage.

    Attributes:
        manager_model: model that proposes criteria, as `provider:model`; empty: the first worker's, or without one the
            statistical manager.
        manager_base_url: where it is served, `http://` or `https://`; empty: the provider's own address.
        manager_api_key: its key; empty: as the provider's client finds it.
        manager_parameters: JSON object of parameters sent with its calls, such as `{"temperature": 1}`.
        worker_model: model that judges; several, separated by commas, are a panel; empty: the signal judge.
        worker_base_url: where it is served; one for all of a panel, or one for each, separated by commas.
        worker_api_key: its key; one for all of a panel, or one for each, separated by commas.
        worker_parameters: JSON object of parameters sent with the workers' calls.
        worker_samples: answers asked of each worker for each criterion, pair and order, 1 to 16.
        criteria_per_call: criteria judged in one call, 1 to 64.
        strong_model: model that is asked where a worker does not decide; empty: none.
        strong_base_url: where it is served.
        strong_api_key: its key.
        language: of the prompts.
        text_tokens: most tokens of a text that a model is shown, 64 to 1000000.
        truncation: which part of a longer text it is shown, `head` or `head-tail`.
        context_tokens: tokens that prompt and reply may have together, 1024 to 10000000.
        completion_tokens: most tokens of a reply, 16 to 1000000.
        structured_output: whether replies are forced into a JSON schema: `auto` (where the endpoint can), `always` or
            `never`.
        in_flight: requests under way at once to an endpoint, over all processes and hosts, 1 to 4096.
        requests_per_minute: to an endpoint, over all processes and hosts; 0: unlimited.
        tokens_per_minute: of prompts and replies, to an endpoint, over all processes and hosts; 0: unlimited.
        call_tries: times a call is tried before it counts as failed, 1 to 100.
        timeout_seconds: longest wait for a reply, 0.1 to 3600.
        prices: JSON object, `{"provider:model": {"prompt": 0.5, "cached": 0.1, "completion": 1.5}}`, in money per
            million tokens; cached tokens cost as much as others where nothing is said of them.
        currency: of the prices and of the budget.
        budget_calls: most calls a run may make; 0: any number.
        budget_tokens: most tokens of prompts and replies a run may take; 0: any number.
        budget_cost: most money a run may cost; 0: any amount.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", validate_default=True)

    manager_model: str = ""
    manager_base_url: str = ""
    manager_api_key: SecretStr = SecretStr("")
    manager_parameters: Parameters = Field(default={})
    worker_model: str = ""
    worker_base_url: str = ""
    worker_api_key: SecretStr = SecretStr("")
    worker_parameters: Parameters = Field(default={})
    worker_samples: Annotated[int, Field(ge=1, le=16)] = 1
    criteria_per_call: Annotated[int, Field(ge=1, le=64)] = 1
    strong_model: str = ""
    strong_base_url: str = ""
    strong_api_key: SecretStr = SecretStr("")
    language: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")] = "en"
    text_tokens: Annotated[int, Field(ge=64, le=1_000_000)] = 2000
    truncation: Literal["head", "head-tail"] = "head-tail"
    context_tokens: Annotated[int, Field(ge=1024, le=10_000_000)] = 32768
    completion_tokens: Annotated[int, Field(ge=16, le=1_000_000)] = 1024
    structured_output: Literal["auto", "always", "never"] = "auto"
    in_flight: Annotated[int, Field(ge=1, le=4096)] = 64
    requests_per_minute: Annotated[int, Field(ge=0)] = 0
    tokens_per_minute: Annotated[int, Field(ge=0)] = 0
    call_tries: Annotated[int, Field(ge=1, le=100)] = 5
    timeout_seconds: Annotated[float, Field(ge=0.1, le=3600)] = 120.0
    prices: PriceTable = Field(default={})
    currency: Annotated[str, Field(min_length=1, max_length=12)] = "USD"
    budget_calls: Annotated[int, Field(ge=0)] = 0
    budget_tokens: Annotated[int, Field(ge=0)] = 0
    budget_cost: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0

    @field_validator("manager_model", "worker_model", "strong_model")
    @classmethod
    def _named_with_provider(cls, value: str) -> str:
        models = listed(value)
        for model in models:
            if not MODEL.fullmatch(model):
                raise ValueError("write provider:model, such as openai:my-model")
        if len(set(models)) < len(models):
            raise ValueError(f"name each model once; {PREFIX}WORKER_SAMPLES asks one several times")
        return ",".join(models)

    @field_validator("manager_model", "strong_model", "manager_base_url", "strong_base_url")
    @classmethod
    def _one(cls, value: str) -> str:
        if "," in value:
            raise ValueError("name one; only workers may be several")
        return value

    @field_validator("manager_base_url", "worker_base_url", "strong_base_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        urls = listed(value)
        for url in urls:
            _check_address(url)
        return ",".join(urls)

    @field_validator("manager_parameters", "worker_parameters")
    @classmethod
    def _without_own_settings(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name in RESERVED:
            if name in value:
                raise ValueError(f"leave {name} out of it; it has a setting of its own")
        return value

    @field_validator("prices")
    @classmethod
    def _of_models(cls, value: dict[str, Price]) -> dict[str, Price]:
        for model in value:
            if not MODEL.fullmatch(model):
                raise ValueError(f"give prices by provider:model; {model!r} is none")
        return value

    @property
    def worker_endpoints(self) -> tuple[Endpoint, ...]:
        """The workers of the panel; none where signals judge."""
        models = listed(self.worker_model)
        urls = _spread(listed(self.worker_base_url), len(models))
        keys = _spread(listed(self.worker_api_key.get_secret_value()), len(models))
        parts = zip(models, urls, keys, strict=True)
        return tuple(Endpoint(model, url, key, self.worker_parameters) for model, url, key in parts)

    @property
    def manager_endpoint(self) -> Endpoint:
        """The manager's, which is the first worker's where none is named.

        Raises:
            InputError: no model is named at all.
        """
        if self.manager_model:
            key = self.manager_api_key.get_secret_value().strip()
            return Endpoint(self.manager_model, self.manager_base_url, key, self.manager_parameters)
        if not self.worker_model:
            raise InputError(f"{PREFIX}MANAGER_MODEL is empty; name a model, such as openai:my-model")
        first = self.worker_endpoints[0]
        return Endpoint(first.model, first.base_url, first.key, self.manager_parameters)

    @property
    def strong_endpoint(self) -> Endpoint | None:
        """Of the model that is asked where a worker does not decide."""
        if not self.strong_model:
            return None
        key = self.strong_api_key.get_secret_value().strip()
        return Endpoint(self.strong_model, self.strong_base_url, key, self.worker_parameters)

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """All that are used."""
        strong = self.strong_endpoint
        named = bool(self.manager_model or self.worker_model)
        manager = (self.manager_endpoint,) if named else ()
        return (*manager, *self.worker_endpoints, *((strong,) if strong and self.worker_model else ()))

    @property
    def price_table(self) -> Mapping[str, Price]:
        """Price by `provider:model`."""
        return self.prices

    def demand_prices(self) -> None:
        """Make sure that what a run costs can be told.

        Raises:
            InputError: a model that is used has no price.
        """
        missing = unpriced((e.model for e in self.endpoints), self.prices)
        if missing:
            raise InputError(
                f"there is a budget in money, but {missing[0]} has no price; add it to {PREFIX}PRICES, such as "
                f'{{"{missing[0]}": {{"prompt": 0.5, "completion": 1.5}}}} in money per million tokens'
            )

    @property
    def budget(self) -> Budget:
        """What a run may take; nothing is kept back for the sealed pairs yet."""
        return Budget(calls=self.budget_calls or None, tokens=self.budget_tokens or None, cost=self.budget_cost or None)


def as_variable(value: Any) -> str:
    """A setting as the text of a variable from which the same setting is read."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, dict):
        return json.dumps(value)
    return str(value)


def listed(value: str) -> list[str]:
    """What stands between the commas."""
    return [part for part in (p.strip() for p in value.split(",")) if part]


def _spread(values: list[str], times: int) -> list[str]:
    """One value for all, or none, as one for each."""
    return values * times if len(values) == 1 else values or [""] * times


def _check_address(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("write an address that starts with http:// or https://")
    if parts.username or parts.password:
        raise ValueError("leave name and password out of it; a key has a setting of its own")
