"""A promptfoo configuration that judges by a criteria set; read and found valid by `promptfoo validate` 0.123.

As written it grades texts that exist already: the provider `echo` gives back what it is sent. To compare prompts or
models, put them in the place of `prompts` and `providers`. https://www.promptfoo.dev/docs/configuration/reference/
"""

from __future__ import annotations

from typing import Any, Literal

import yaml

from agents.criteria_set import CriteriaSet
from services.exchange.exported import Exported
from services.exchange.items import Item, about, distinct_names, items_of, notes_of
from services.exchange.words import one_line, untemplated

Mode = Literal["pairwise", "pointwise"]

WIDTH = 110
PASS = 0.5
"""Weighted score from which a text passes."""

POINTWISE_HEAD = """\
# Criteria set {version} for promptfoo, text by text: each criterion is an llm-rubric, weighted as the set weighs it.
# A test passes if the weighted mean of its scores reaches `threshold`. The provider `echo` returns the text itself, so
# that texts which exist already are graded; put your own prompts and providers in its place to grade a model.
# `tests` is an example: replace it, for example by  tests: file://texts.csv  with columns text and prompt.
"""

PAIRWISE_HEAD = """\
# Criteria set {version} for promptfoo, pair by pair: select-best picks one of two texts.
# promptfoo heeds a single select-best for each test, so all criteria stand in one, with their shares. It shows the two
# texts in one order; exchange `a` and `b` and run again to see how far the order decides.
# `tests` is an example: replace it, for example by  tests: file://pairs.csv  with columns a, b and prompt.
"""

ONE_SELECTION = (
    "promptfoo runs one select-best a test, so the criteria are judged together and their weights are told in words "
    "instead of being summed"
)
SPACED = "a space was put into {{, {% and {# and after `file` or `package` before a colon, so that no word is run"


def promptfoo(criteria_set: CriteriaSet, mode: Mode = "pointwise") -> Exported:
    """A `promptfooconfig.yaml`.

    Args:
        criteria_set: the set.
        mode: `pointwise` scores each text by each criterion, weighted; `pairwise` picks the better of two.
    """
    items = items_of(criteria_set, untemplated)
    pairwise = mode == "pairwise"
    head = (PAIRWISE_HEAD if pairwise else POINTWISE_HEAD).format(version=criteria_set.version)
    body = _body(criteria_set, _pairwise(items) if pairwise else _pointwise(items))
    text = yaml.dump(body, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=WIDTH)
    notes = [*notes_of(criteria_set, "promptfoo"), *([ONE_SELECTION] if pairwise else []), *_spaced(criteria_set)]
    return Exported(target="promptfoo", version=criteria_set.version, text=f"{head}\n{text}", notes=tuple(notes))


class _Dumper(yaml.SafeDumper):
    """No aliases for values that are equal, and quotes around what YAML 1.2 would read otherwise than YAML 1.1."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """PyYAML writes a string such as `12e3` plainly, which promptfoo's YAML 1.2 takes for a number."""
    style = None if text[:1].isalpha() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def _body(criteria_set: CriteriaSet, judging: dict[str, Any]) -> dict[str, Any]:
    test = judging.pop("defaultTest")
    return {
        "description": f"Touchstone criteria set {criteria_set.version}",
        "tags": {"touchstone-version": criteria_set.version},
        **{key: judging[key] for key in ("prompts", "providers")},
        "defaultTest": {**test, "metadata": {"touchstone": about(criteria_set, untemplated)}},
        "tests": judging["tests"],
    }


def _pointwise(items: tuple[Item, ...]) -> dict[str, Any]:
    names = distinct_names(items)
    asserts = [
        {"type": "llm-rubric", "metric": name, "weight": abs(item.weight), "value": _rubric(item)}
        for item, name in zip(items, names, strict=True)
    ]
    return {
        "prompts": ["{{text}}"],
        "providers": ["echo"],
        "defaultTest": {"threshold": PASS, "assert": asserts},
        "tests": [{"vars": {"prompt": "What the text answers.", "text": "The text to be graded."}}],
    }


def _pairwise(items: tuple[Item, ...]) -> dict[str, Any]:
    best = {"type": "select-best", "metric": "better by the criteria", "value": _selection(items)}
    return {
        "prompts": ["{{a}}", "{{b}}"],
        "providers": ["echo"],
        "defaultTest": {"assert": [best]},
        "tests": [{"vars": {"prompt": "What both texts answer.", "a": "One text.", "b": "The other text."}}],
    }


def _rubric(item: Item) -> str:
    """What the grader is told; begins with words of ours, since some beginnings would make promptfoo load a file."""
    meaning = (
        "This counts against a text: 1 if it is wholly free of it, 0 if it is wholly so."
        if item.against
        else "1 if the text meets it fully, 0 if not at all."
    )
    limit = " If it does not apply to this text, give 0.5 and pass." if item.not_when else ""
    return f"Judge by one criterion only. {item.words} Score from 0 to 1: {meaning}{limit}"


def _selection(items: tuple[Item, ...]) -> str:
    listed = " ".join(f"({i.number}) {i.percent}{_against(i)}: {i.words}" for i in items)
    return (
        "Choose the text that is better by these criteria taken together. Decide by each of them which text does "
        f"better, or neither, and let it count by its share. {listed}"
    )


def _against(item: Item) -> str:
    return ", counts against a text" if item.against else ""


def _spaced(criteria_set: CriteriaSet) -> list[str]:
    words = (text for c in criteria_set.criteria for text in (c.name, c.description, c.not_when, c.expression))
    return [SPACED] if any(untemplated(text) != one_line(text) for text in words) else []
