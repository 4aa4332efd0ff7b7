"""Whether what the settings say of chat models fits together, looked at before a call is paid for."""

from __future__ import annotations

from knowledge_base.errors import InputError
from services.model_settings import PREFIX, ModelSettings, listed

RULES_TOKENS = 1100
"""Prompt tokens beside the texts, a little more than they take: rules, output format and a criterion."""


def check_models(settings: ModelSettings) -> None:
    """Make sure that what the settings say of models fits together, before a call is paid for.

    Raises:
        InputError: it does not; the message names the variable, its value and what would do.
    """
    _check_counts(settings)
    if settings.endpoints:
        _check_language(settings)
        _check_lengths(settings)
    if settings.budget_cost:
        settings.demand_prices()


def _check_counts(settings: ModelSettings) -> None:
    models = len(listed(settings.worker_model))
    if not models:
        return
    urls, keys = listed(settings.worker_base_url), listed(settings.worker_api_key.get_secret_value())
    for name, given in (("BASE_URL", urls), ("API_KEY", keys)):
        if len(given) not in (0, 1, models):
            raise InputError(
                f"{PREFIX}WORKER_{name} names {len(given)}, but {PREFIX}WORKER_MODEL names {models}; "
                f"give one for all or one for each"
            )


def _check_language(settings: ModelSettings) -> None:
    from agents.chat.prompts import languages

    known = languages()
    if settings.language not in known:
        raise InputError(f"{PREFIX}LANGUAGE is {settings.language!r}; there are prompts in {' and '.join(known)}")


def _check_lengths(settings: ModelSettings) -> None:
    needed = 3 * settings.text_tokens + RULES_TOKENS + settings.completion_tokens
    if needed > settings.context_tokens:
        raise InputError(
            f"{PREFIX}CONTEXT_TOKENS is {settings.context_tokens}, but two texts and their prompt of "
            f"{settings.text_tokens} tokens each, the rules and a reply of {settings.completion_tokens} make {needed}; "
            f"use a smaller {PREFIX}TEXT_TOKENS"
        )
