"""A rubric in Markdown for people who compare texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from agents.criteria_set import CriteriaSet
from knowledge_base.criterion import Domain
from services.exchange.exported import Exported
from services.exchange.items import Item, items_of
from services.exchange.words import markdown

HOW = (
    "Read both texts whole before you decide. Take the criteria one by one: which text does better by it, or neither? "
    "A criterion that does not apply decides nothing. Let each count by its share; the order in which the texts are "
    "shown, their length and their layout do not count unless a criterion asks about them. If you cannot tell in the "
    "end, it is a tie. Say in a sentence what decided."
)


def markdown_rubric(criteria_set: CriteriaSet) -> Exported:
    """The criteria as a page for annotators, with where they come from."""
    items = items_of(criteria_set, markdown)
    parts = [f"# How to compare two texts\n\n{HOW}\n", _overview(items)]
    parts += [_section(item, m.criterion.domains) for item, m in zip(items, criteria_set.members, strict=True)]
    return Exported(target="markdown", version=criteria_set.version, text="\n".join([*parts, _origin(criteria_set)]))


def _overview(items: tuple[Item, ...]) -> str:
    rows = [f"| {i.number} | {i.name} | {i.percent}{' against' if i.against else ''} |" for i in items]
    return "\n".join(["| | criterion | share |", "|---|---|---:|", *rows]) + "\n"


def _section(item: Item, domains: Mapping[Domain, Literal[1, 2, 3]]) -> str:
    lines = [f"## {item.number}. {item.name}", "", item.description, ""]
    if item.against:
        lines.append("- **Counts against a text**: the one that shows less of it does better.")
    if item.not_when:
        lines.append(f"- Does not apply: {item.not_when}")
    if domains:
        lines.append(
            f"- For: {', '.join(domain for domain, _ in sorted(domains.items(), key=lambda entry: -entry[1]))}"
        )
    if item.measure:
        lines.append(f"- A program measures it by: {item.measure}")
    return "\n".join([*lines, f"- Source: {item.source}", f"- Weight {item.weight:+.3f}, hash {item.hash}", ""])


def _origin(criteria_set: CriteriaSet) -> str:
    lineage = criteria_set.lineage
    told = {
        "version": criteria_set.version, "method": criteria_set.method, "dataset": lineage.dataset,
        "pairs": lineage.pairs, "judge": lineage.judge, "manager": lineage.manager, "policy": lineage.policy,
        "rounds": lineage.rounds, "size": lineage.size, "seed": lineage.seed, "parent": lineage.parent,
    }  # fmt: skip
    lines = [f"- {name}: {markdown(str(value))}" for name, value in told.items() if value != ""]
    return "\n".join(["## Where this comes from", "", *lines, ""])
