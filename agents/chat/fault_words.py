"""Words by which endpoints say what is wrong where the status does not tell, and what among them is a key."""

from __future__ import annotations

import re


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


TOO_LONG = _any(
    r"context[_ ](?:length|window|size)",
    r"maximum context",
    r"too many (?:input |prompt )?tokens",
    r"(?:prompt|input|request) is too (?:long|large)",
    r"reduce the length",
    r"input tokens exceed",
    r"exceeds? the (?:maximum|model|context|limit)",
    r"max_model_len",
)

FILTERED = _any(
    r"content[_ ](?:filter|management policy|policy)",
    r"ResponsibleAIPolicy",
    r"data_inspection_failed",
    r"\bflagged\b",
    r"moderation",
    r"safety (?:system|policy|settings|filter)",
)

QUOTA = _any(
    r"insufficient_quota",
    r"billing[_ ]hard[_ ]limit",
    r"credit balance",
    r"insufficient (?:balance|credits|funds)",
)
"""Google calls its limits a minute a quota too, so that word alone says nothing."""

NO_KEY = _any(
    r"(?:api[_ ]?key|token) (?:is )?(?:not valid|invalid|expired)",
    r"(?:invalid|incorrect|missing) api[_ ]?key",
    r"API_KEY_INVALID",
    r"resolve authentication",
    r"api[_ ]?key.{0,60}(?:must be set|not set|required|missing|not provided)",
    r"no api[_ ]?key",
)

NO_MODEL = _any(
    r"model_not_found",
    r"(?:invalid|unknown) model",
    r"\bmodel\b.{0,120}?(?:does not exist|not found|not exist)",
)

STRUCTURE = _any(
    r"response_format",
    r"json_schema",
    r"response_(?:json_schema|mime_type)",
    r"output_(?:config|format)",
    r"structured[_ ]outputs?",
    r"guided[_ ]",
    r"grammar",
    r"invalid format",
)

SEED = _any(r"\bseed\b")

UNKNOWN_PARAMETER = _any(
    r"(?:unsupported|unknown)[_ ](?:parameter|value|argument|field)",
    r"(?:unrecognized|unexpected) (?:request )?(?:argument|parameter|field)",
    r"unexpected keyword argument",
    r"extra (?:inputs|fields) (?:are )?not permitted",
)

KEYS = _any(
    r"\b(?:sk|pk|rk|gsk|hf|xai|key|lsv2|pplx|fw|nvapi|tgp)[-_][\w*.-]{6,}",
    r"\bAIza[\w-]{10,}",
    r"\bbearer\s+\S+",
    r"(?<=[?&]key=)[^\s&]+",
)
"""What looks like a key, whoever issued it."""

SHORTEST_SECRET = 4


def blank_keys(text: str, secrets: tuple[str, ...] = ()) -> str:
    """`text` without the secrets (of 4 characters or more) and without anything that looks like a key."""
    for secret in secrets:
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, "[key]")
    return KEYS.sub("[key]", text)
