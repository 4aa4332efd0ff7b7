"""The report's page: a template filled with views of a run's result."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from services.atomic_file import write_text
from services.inert import inert
from services.report import figures
from services.report.criteria_view import criteria_views
from services.report.evolution import evolution
from services.report.findings import ANCHOR, FALLEN, PAIRS_EXPLAINED, PAIRS_NAMED, findings, power
from services.report.hard_pairs_view import pair_views
from services.report.heat_map import heat_map
from services.report.scale import accuracy_scale
from services.report.scatter import scatter
from services.report.vote_strips import vote_strips
from services.run_result import RunResult

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).with_name("templates")
FIGURES = (
    figures.percent, figures.chance, figures.span, figures.points, figures.signed, figures.count, figures.duration,
)  # fmt: skip
POWER_AT = (30, 100, 200)
SPARK = (0.0, 150.0)
"""Ends of the small accuracy axis in the table of criteria, in drawing units."""


def write_report(result: RunResult, path: str | Path) -> None:
    """Write the report, replacing an older one at once or not at all."""
    write_text(Path(path), report_html(result))


def report_html(result: RunResult) -> str:
    """The report: one HTML file that needs nothing else. The same result gives the same bytes."""
    views = criteria_views(result)
    lowest = [v.member.mining.low for v in views] + [v.held_out.low for v in views if v.held_out]
    return _environment().get_template("report.html.jinja").render(
        result=result,
        facts=result.facts,
        found=findings(result),
        named=PAIRS_NAMED[result.facts.holdout],
        explained=PAIRS_EXPLAINED[result.facts.holdout],
        criteria=views,
        votes=vote_strips(result),
        spark=accuracy_scale(lowest, *SPARK),
        scatter=scatter(views),
        evolution=evolution(result),
        heat_map=heat_map(result),
        pairs=pair_views(result.hardest),
        power=[(n, power(n)) for n in POWER_AT],
        fall=(ANCHOR, FALLEN),
    )  # fmt: skip


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, finalize=inert,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.globals.update({function.__name__: function for function in FIGURES})
    return made
