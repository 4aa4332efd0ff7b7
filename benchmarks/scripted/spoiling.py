"""Replies as they should not be: what models make of a request for JSON when they fail at it.

Each way has variants, chosen by a number, so that a client meets all of them and each reply is always spoiled alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import orjson

from benchmarks.scripted.faults import TextFault

REFUSAL = "I'm sorry, but I can't help with that request."
"""What a refusal says, in the field of its own that the API has for it."""

PROSE_REFUSALS = (
    "I'm sorry, but I can't assist with comparing these texts.",
    "As an AI language model, I am not able to make that judgment.",
    "I cannot continue with this conversation. Please try another topic.",
)
SURROUNDINGS = (
    "Sure! Here is my answer:\n\n```json\n{}\n```\n\nLet me know if you would like more detail.",
    "Let me compare both of them {{step by step}} first.\n\n{}",
    "{}\n\nI hope this helps!",
    '<think>The form is {{"verdict": ...}}, so I have to decide first.</think>\n\n{}',
)
NO_VERDICTS: tuple[object, ...] = ("C", "both", "neither one", "A/B", "", 7, None, ["A", "B"])


def spoil(text: str, fault: TextFault, variant: int) -> str:
    """The reply `text` with this fault.

    Args:
        fault: `truncated`: its beginning only, though it claims to be whole; `malformed`: no JSON, though nearly;
            `prose`: words around it; `wrong_enum`: every verdict one that does not exist, or where there is none, the
            first value of a wrong type; `refusal` and `prose_refusal`: a refusal in its place; `empty`: nothing.
        variant: any number; chooses among the ways of this fault.
    """
    match fault:
        case "truncated":
            return text[: 1 + variant % max(len(text) - 1, 1)]
        case "malformed":
            return _malformed(text, variant)
        case "prose":
            return SURROUNDINGS[variant % len(SURROUNDINGS)].format(text)
        case "wrong_enum":
            return _without_verdict(text, variant)
        case "refusal":
            return REFUSAL
        case "prose_refusal":
            return PROSE_REFUSALS[variant % len(PROSE_REFUSALS)]
        case "empty":
            return ""


def _malformed(text: str, variant: int) -> str:
    ways: tuple[Callable[[], str], ...] = (
        lambda: repr(orjson.loads(text)),
        lambda: re.sub(r"}\s*$", ",}", text),
        lambda: re.sub(r'"(\w+)":', r"\1:", text),
        lambda: re.sub(r'": ?"', '": "\n', text, count=1),
        lambda: text.replace('",', '"', 1),
        lambda: text + "}",
    )
    spoiled = ways[variant % len(ways)]() if _reads(text) else text
    return "{" + text if _reads(spoiled) else spoiled


def _without_verdict(text: str, variant: int) -> str:
    if not _reads(text):
        return text
    reply = orjson.loads(text)
    if not _replace(reply, NO_VERDICTS[variant % len(NO_VERDICTS)]) and isinstance(reply, dict) and reply:
        reply[next(iter(reply))] = None
    return orjson.dumps(reply).decode()


def _replace(part: Any, verdict: object) -> bool:
    """Replace every verdict inside `part`; returns whether there was one."""
    if isinstance(part, list):
        found = [_replace(p, verdict) for p in part]
        return any(found)
    if not isinstance(part, dict):
        return False
    found = [_replace(p, verdict) for p in part.values()]
    if "verdict" in part:
        part["verdict"] = verdict
    return "verdict" in part or any(found)


def _reads(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True
