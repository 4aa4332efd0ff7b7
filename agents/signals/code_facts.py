"""Everything that is measured of a passage's code, worked out in one go and remembered."""

from __future__ import annotations

from dataclasses import dataclass

from agents.signals.code_documentation import Documentation, measure_documentation
from agents.signals.code_layout import Layout, measure_layout
from agents.signals.code_naming import Naming, measure_naming
from agents.signals.code_parse import parse
from agents.signals.code_safety import Safety, measure_safety
from agents.signals.code_source import source_of
from agents.signals.code_structure import Structure, measure_structure
from agents.signals.passage import Passage
from agents.signals.recall import Recall


@dataclass(frozen=True)
class Facts:
    """The measures of one passage's code.

    Attributes:
        language: what it was parsed as; empty if it could not be, and then only line measures hold.
        lines: non-blank lines of the code.
    """

    language: str
    lines: int
    structure: Structure
    naming: Naming
    documentation: Documentation
    safety: Safety
    layout: Layout


_facts: Recall[Facts] = Recall()


def facts(passage: Passage) -> Facts:
    """The measures of the code in `passage`; parsed once, whichever signals ask."""
    return _facts.one(passage, _measure)


def _measure(passage: Passage) -> Facts:
    parsed = parse(source_of(passage.text))
    return Facts(
        language=parsed.language.name if parsed.language else "",
        lines=sum(bool(line.strip()) for line in parsed.lines),
        structure=measure_structure(parsed),
        naming=measure_naming(parsed),
        documentation=measure_documentation(parsed),
        safety=measure_safety(parsed),
        layout=measure_layout(parsed),
    )
