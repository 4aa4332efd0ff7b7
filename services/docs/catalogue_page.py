"""docs/catalogue.md: every prior criterion of the knowledge base, with where it comes from."""

from __future__ import annotations

from collections.abc import Sequence

from knowledge_base.criterion import DOMAINS, Criterion, Domain
from knowledge_base.entries import load_catalogue
from services.docs.blocks import table

TITLES: dict[Domain, str] = {
    "web": "Web text",
    "answers": "Answers to instructions",
    "argument": "Argument and reasoning",
    "code": "Code",
    "creative": "Creative and literary writing",
    "review": "Review comments",
}
IMPORTANCE = {1: "sometimes", 2: "usually", 3: "central"}


def catalogue_page() -> str:
    """The whole page."""
    criteria = load_catalogue()
    sections = [_section(domain, [c for c in criteria if _home(c) == domain]) for domain in DOMAINS]
    rest = [c for c in criteria if not c.domains]
    if rest:
        sections.append(_listed("Any domain", "any", rest))
    return "\n\n".join([_opening(criteria).strip(), *sections]) + "\n"


def _opening(criteria: Sequence[Criterion]) -> str:
    rows = [(f"[{TITLES[d]}](#{d})", *(str(_count(criteria, d, i)) for i in (3, 2, 1))) for d in DOMAINS]
    programmatic = sum(c.programmatic for c in criteria)
    return f"""
<!-- Written by `make docs` from knowledge_base/catalogue; edit the YAML there, not this page. -->

# Criteria catalogue

The knowledge base starts from these {len(criteria)} criteria. Each is in our own words, names its source, and says
how much it matters in which domain: *central*, *usually* or *sometimes*. {programmatic} of them are programmatic: they
carry an [expression over signals](signals.md#expressions), so that the signal worker can judge by them. The others are
words only, for a [chat model](chat-models.md) to judge by.

{table(("domain", "central", "usually", "sometimes"), rows)}

A criterion stands once, under the domain where it matters most.
"""


def _count(criteria: Sequence[Criterion], domain: Domain, importance: int) -> int:
    return sum(c.domains.get(domain) == importance for c in criteria)


def _home(criterion: Criterion) -> Domain | None:
    """The domain where it matters most; the one its entry names first among equals; None if it names none."""
    return max(criterion.domains, key=lambda d: criterion.domains[d], default=None)


def _section(domain: Domain, criteria: Sequence[Criterion]) -> str:
    return _listed(TITLES[domain], domain, sorted(criteria, key=lambda c: -c.domains[domain]))


def _listed(title: str, anchor: str, criteria: Sequence[Criterion]) -> str:
    entries = "\n\n".join(_entry(c) for c in criteria)
    return f'<a id="{anchor}"></a>\n\n## {title}\n\n{entries}'


def _entry(criterion: Criterion) -> str:
    lines = [f"### {criterion.name}", "", criterion.description.strip(), ""]
    if criterion.not_when:
        lines.append(f"- Does not apply: {criterion.not_when.strip()}")
    lines += [f"- Matters: {_importance(criterion)}", f"- {_measure(criterion)}", f"- Source: {_source(criterion)}"]
    return "\n".join(lines)


def _importance(criterion: Criterion) -> str:
    ranked = sorted(criterion.domains.items(), key=lambda item: -item[1])
    return ", ".join(f"{domain} ({IMPORTANCE[weight]})" for domain, weight in ranked) or "not said"


def _measure(criterion: Criterion) -> str:
    if not criterion.programmatic:
        return "Words only"
    return f"Expression: `{criterion.expression}`; {criterion.direction} is better, margin {criterion.margin:g}"


def _source(criterion: Criterion) -> str:
    provenance = criterion.provenance
    locator = f", {provenance.locator}" if provenance.locator else ""
    return f"{provenance.source} ({provenance.year}){locator} [{provenance.kind}]"
