"""A system prompt by which any chat model judges pairs, or single texts, with a criteria set.

The frame is a file for each language and mode. The criteria stand between lines that carry the set's version, a hash of
the criteria themselves, so that no criterion can hold the line that ends them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from agents.criteria_set import CriteriaSet
from services.exchange.exported import Exported
from services.exchange.items import Item, items_of, notes_of
from services.exchange.promptfoo import Mode
from services.exchange.words import one_line

Language = Literal["en", "zh"]

FOLDER = Path(__file__).parent / "prompts"
_PLACE = re.compile(r"\{\{(mark|criteria)\}\}")
_WORDS: dict[Language, dict[str, str]] = {
    "en": {"against": ", counts against a text", "limit": "Does not apply:", "measure": "A program measures it by:"},
    "zh": {"against": "，减分项", "limit": "不适用的情况：", "measure": "程序按以下表达式衡量："},
}
_UNSTATED = "the prompt says how to add up the verdicts, but a model may add wrongly: sum them in your own program"


def judge_prompt(criteria_set: CriteriaSet, mode: Mode = "pairwise", language: Language = "en") -> Exported:
    """The prompt's text.

    Args:
        criteria_set: the set.
        mode: `pairwise` says which of two texts is better; `pointwise` scores one.
        language: of the frame; the criteria stay in the words they were written in.
    """
    items = items_of(criteria_set, one_line)
    frame = (FOLDER / language / f"{mode}.md").read_text(encoding="utf-8")
    values = {"mark": criteria_set.version, "criteria": "\n".join(_listed(item, language) for item in items)}
    text = _PLACE.sub(lambda place: values[place[1]], frame)
    notes = [*notes_of(criteria_set, "a chat model"), _UNSTATED]
    return Exported(target="prompt", version=criteria_set.version, text=text, notes=tuple(notes))


def _listed(item: Item, language: Language) -> str:
    """A criterion in one line, and lines that belong to it indented below."""
    words = _WORDS[language]
    lines = [
        f"{item.number}. [{item.percent}{words['against'] if item.against else ''}] {item.name}: {item.description}"
    ]
    if item.not_when:
        lines.append(f"   {words['limit']} {item.not_when}")
    if item.measure:
        lines.append(f"   {words['measure']} {item.measure}")
    return "\n".join(lines)
