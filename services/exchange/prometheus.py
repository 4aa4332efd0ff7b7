"""Rubrics in the form that Prometheus 2 was trained on (Kim et al. 2024, arXiv 2405.01535; package prometheus-eval).

Absolute grading fills a template of `criteria` and `score1_description` to `score5_description`; relative grading
takes the bracketed criteria alone.
"""

from __future__ import annotations

from typing import Any

from agents.criteria_set import CriteriaSet
from services.exchange.exported import Exported
from services.exchange.items import Item, about, items_of, notes_of
from services.exchange.words import json_text, one_line

LEVELS = {
    1: "The response does not meet this at all.",
    2: "The response meets this in a small part; most of what it asks is missing or done badly.",
    3: "The response meets this about half; what is done well and what is lacking balance.",
    4: "The response meets this nearly everywhere; the lapses are small.",
    5: "The response meets this everywhere, as well as can be expected.",
}
"""A set is mined from comparisons, so it says what is better, not how good is good enough: the levels are generic."""

GENERIC = (
    "the five levels are generic: the set was mined from comparisons, which say what is better and not what deserves "
    "which score; check scores against people before relying on them"
)

COMBINE = {
    "absolute": "Grade by each criterion on its own; the whole score is the sum of share x score, between 1 and 5.",
    "relative": "Ask each criterion in both orders of the responses. Add its weight for the response it prefers; the "
    "response with the larger sum is the better. Weights are negative where a criterion counts against a response, and "
    "the rubrics say so already: use their absolute value.",
}


def prometheus(criteria_set: CriteriaSet) -> Exported:
    """Absolute and relative rubrics of every criterion, and of all together, as JSON."""
    items = items_of(criteria_set, one_line)
    body = {
        "format": "prometheus-2",
        "touchstone": about(criteria_set, one_line),
        "combine": COMBINE,
        "absolute": [_graded(item) for item in items],
        "relative": [_compared(item) for item in items],
        "together": {"absolute": _filled(_together(items)), "relative": f"[{_together(items)}]"},
    }
    notes = [*notes_of(criteria_set, "Prometheus"), GENERIC]
    return Exported(target="prometheus", version=criteria_set.version, text=json_text(body), notes=tuple(notes))


def _graded(item: Item) -> dict[str, Any]:
    return {**_named(item), **_filled(_asked(item))}


def _compared(item: Item) -> dict[str, Any]:
    return {**_named(item), "rubric": f"[{_asked(item)}]"}


def _named(item: Item) -> dict[str, Any]:
    return {"criterion": item.name, "hash": item.hash, "weight": item.weight, "share": item.share}


def _filled(criteria: str) -> dict[str, Any]:
    """The template's fields, and the template filled with them."""
    levels = {f"score{n}_description": text for n, text in LEVELS.items()}
    lines = (f"Score {n}: {text}" for n, text in LEVELS.items())
    return {"rubric_data": {"criteria": criteria, **levels}, "rubric": "\n".join([f"[{criteria}]", *lines])}


def _asked(item: Item) -> str:
    if item.against:
        return f"Does the response avoid the following, which counts against it? {item.words}"
    return f"Does the response do well by the following? {item.words}"


def _together(items: tuple[Item, ...]) -> str:
    listed = " ".join(f"({i.number}, {i.percent}{', to be avoided' if i.against else ''}) {i.words}" for i in items)
    return f"Does the response do well by these criteria taken together, each counting by its share? {listed}"
