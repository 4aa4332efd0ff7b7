"""The command line that both benchmarks on people's pairs share."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from benchmarks.page import write_section
from benchmarks.people import Part


def people_command(section: str, module: str, summary: str | None, work: Callable[[Part, int], str]) -> None:
    """Read the options, do the work, print it, and with --write put it in its section of the page.

    Args:
        section: of docs/benchmarks.md.
        module: name of the benchmark's module, for the command that the page shows.
        summary: the help text.
        work: (part, draws) -> the result in Markdown.
    """
    options = argparse.ArgumentParser(description=summary)
    options.add_argument("--draws", type=int, default=20)
    options.add_argument("--part", choices=("development", "evaluation"), default="evaluation")
    options.add_argument("--write", action="store_true", help="write the result to docs/benchmarks.md")
    chosen = options.parse_args()
    told = work(chosen.part, chosen.draws)
    print(told)
    if chosen.write:
        write_section(section, f"python -m benchmarks.{module} --draws {chosen.draws} --write", told)
