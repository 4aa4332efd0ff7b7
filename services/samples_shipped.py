"""The samples that come with the program: written for it, to show it at work; they measure nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).with_name("samples")


@dataclass(frozen=True)
class Sample:
    """A shipped file of pairs: its name, a title for people, and what was compared."""

    name: str
    title: str
    description: str

    @property
    def path(self) -> Path:
        """Where it lies."""
        return FOLDER / f"{self.name}.jsonl"


SAMPLES = (
    Sample("howto_answers", "Answers to how-to questions", "Which of two answers to a how-to question is better."),
    Sample("python_functions", "Python functions", "Which of two Python functions written for a task is better."),
)
