"""An answer function that knows no quality but length, so that the machinery can be tested without a world.

Of two texts the one with more characters is better. Its replies have the form that every task of the project asks for.
"""

from __future__ import annotations

from collections.abc import Callable

import orjson

from benchmarks.scripted.answers import Request

LONG = 100
"""Characters from which on a text by itself is good enough."""

SIGNS = (
    ("judgments", "criterion 1"), ("critiques", "mistake 1 a"), ("explanation", "preferred"), ("criteria", "number"),
    ("criterion", "accuracy"), ("point", "text"), ("judgment", "a"),
)  # fmt: skip
"""Tasks, and a block that tells one from those after it."""


def letters(request: Request) -> str:
    """Prefer the longer text; JSON for a task of the project, a plain sentence for anything else."""
    write = WRITERS.get(task(request))
    if write is None:
        return f"I was sent {sum(len(m.content) for m in request.messages)} characters."
    return orjson.dumps(write(Blocks(request.blocks))).decode()


def task(request: Request) -> str:
    """The task: as the request names it, else as its blocks tell it (a server without schemas is not told)."""
    if request.title:
        return request.title
    names = {name for name, _ in request.blocks}
    return next((known for known, sign in SIGNS if sign in names), "")


class Blocks(dict[str, str]):
    """Blocks by name; the first of a name counts, and a missing one is empty."""

    def __init__(self, named: list[tuple[str, str]]) -> None:
        super().__init__(reversed(named))

    def __missing__(self, name: str) -> str:
        return ""

    def numbered(self, name: str) -> int:
        """How many of `name 1`, `name 2` ... there are in a row; `name` may hold the number's place as `{}`."""
        pattern = name if "{}" in name else name + " {}"
        count = 0
        while pattern.format(count + 1) in self:
            count += 1
        return count


def _judgment(blocks: Blocks) -> dict[str, object]:
    a, b = len(blocks["a"]), len(blocks["b"])
    verdict = "equal" if a == b else "A" if a > b else "B"
    return {"reasoning": f"Text A has {a} characters, text B {b}.", "verdict": verdict}


def _judgments(blocks: Blocks) -> dict[str, object]:
    count = blocks.numbered("criterion")
    return {"judgments": [{"criterion": i + 1} | _judgment(blocks) for i in range(count)]}


def _point(blocks: Blocks) -> dict[str, object]:
    size = len(blocks["text"])
    verdict = "unsure" if size == 0 else "yes" if size >= LONG else "no"
    return {"reasoning": f"The text has {size} characters.", "verdict": verdict}


def _explanation(blocks: Blocks) -> dict[str, object]:
    preferred, other = ("b", "a") if blocks["preferred"].strip() == "b" else ("a", "b")
    more = len(blocks[preferred]) - len(blocks[other])
    return {"explanation": f"The preferred text is {abs(more)} characters {'longer' if more >= 0 else 'shorter'}."}


def _criteria(blocks: Blocks) -> dict[str, object]:
    seen = f"{blocks['taken']}\n{blocks['banned']}".splitlines()
    first = 1 + sum(line.startswith("- ") for line in seen)
    wanted = int("".join(filter(str.isdecimal, blocks["number"])) or 1)
    return {"criteria": [_written(i) | {"probability": 0.5} for i in range(first, first + wanted)]}


def _critiques(blocks: Blocks) -> dict[str, object]:
    count = blocks.numbered("mistake {} a")
    return {"critiques": [f"In mistake {i + 1} people preferred the other length." for i in range(count)]}


def _criterion(blocks: Blocks) -> dict[str, object]:
    name, _, words = blocks["criterion"].partition("\n")[0].partition(": ")
    return {"name": name or "Length", "description": f"{words} Count every character.".strip(), "not_when": ""}


def _written(number: int) -> dict[str, object]:
    description = f"The text holds more characters, counted in way number {number}."
    return {"name": f"Length {number}", "description": description, "not_when": ""}


WRITERS: dict[str, Callable[[Blocks], dict[str, object]]] = {
    "judgment": _judgment,
    "judgments": _judgments,
    "point": _point,
    "explanation": _explanation,
    "criteria": _criteria,
    "critiques": _critiques,
    "criterion": _criterion,
}
"""By title of the schema: writer of the reply."""
