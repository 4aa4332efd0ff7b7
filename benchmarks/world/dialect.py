"""A simulated world behind the project's own prompts: reads their blocks, asks the plain functions, writes the reply.

A server in another process gets it by name: `benchmarks.world.dialect:world_answer` with the arguments of
`world_answer`, all plain JSON values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import orjson

from benchmarks.scripted.answers import Answer, Request
from benchmarks.scripted.letters import Blocks, task
from benchmarks.world.judging import judge, judge_all, judge_one, judge_overall
from benchmarks.world.managing import GOOD, Insight, explain, propose
from benchmarks.world.people import World
from benchmarks.world.rationales import rationale, rationale_one
from benchmarks.world.rewriting import criticise, rewrite
from benchmarks.world.temper import PLAIN, Temper

Reply = dict[str, object]

MOST = 60
"""Criteria in one reply at most, whatever is asked for: a model's reply ends somewhere."""

EXCEPTION = "\nDoes not apply: "
"""Opens the line of a criterion that says when it does not apply."""


@dataclass(frozen=True)
class Simulation:
    """A world, the model that judges and the model that manages in it.

    Attributes:
        world: whose people they are.
        temper: how a judge errs; `tempers` by model name, where several workers differ.
        insight: how good the manager is.
    """

    world: World
    temper: Temper = PLAIN
    insight: Insight = GOOD
    tempers: Mapping[str, Temper] = field(default_factory=dict)

    def answer(self, request: Request) -> str:
        """The JSON text of a reply to one of the project's prompts; for anything else, a greeting."""
        write = WRITERS.get(task(request))
        if write is None:
            return "I am ready."
        return orjson.dumps(write(self, Blocks(request.blocks), request)).decode()

    def temper_of(self, model: str) -> Temper:
        """How the model of this name errs."""
        return self.tempers.get(model, self.temper)

    def seed(self, request: Request) -> str:
        """What makes the errors of this world's models their own."""
        return f"{self.world.seed}/{request.model}"


def world_answer(
    seed: int,
    temper: Mapping[str, float] | None = None,
    insight: Mapping[str, float] | None = None,
    tempers: Mapping[str, Mapping[str, float]] | None = None,
) -> Answer:
    """The answer function of a world.

    Args:
        seed: which world.
        temper, insight: fields of `Temper` and `Insight` that differ from the defaults.
        tempers: model name -> fields of its `Temper`.
    """
    own = {model: _temper(fields) for model, fields in (tempers or {}).items()}
    return Simulation(World(seed), _temper(temper or {}), Insight(**(insight or {})), own).answer


def _temper(fields: Mapping[str, float]) -> Temper:
    return Temper(noise=fields.get("noise", 1.0), position_bias=fields.get("position_bias", 0.0))


def _judgment(world: Simulation, blocks: Blocks, request: Request) -> Reply:
    a, b = blocks["a"], blocks["b"]
    seed, temper = world.seed(request), world.temper_of(request.model)
    if "criteria" in blocks:
        listed = _listed(blocks["criteria"])
        verdict = judge_overall(listed, a, b, seed, sample=request.sample, temper=temper)
        return {"reasoning": rationale(" ".join(listed[:1]), verdict, a, b), "verdict": verdict}
    words = _words(blocks["criterion"])
    verdict = judge(words, a, b, seed, sample=request.sample, temper=temper)
    return {"reasoning": rationale(words, verdict, a, b), "verdict": verdict}


def _judgments(world: Simulation, blocks: Blocks, request: Request) -> Reply:
    a, b = blocks["a"], blocks["b"]
    asked = [_words(blocks[f"criterion {i + 1}"]) for i in range(blocks.numbered("criterion"))]
    temper = world.temper_of(request.model)
    verdicts = judge_all(asked, a, b, world.seed(request), sample=request.sample, temper=temper)
    found = enumerate(zip(asked, verdicts, strict=True), 1)
    return {"judgments": [{"criterion": i, "reasoning": rationale(w, v, a, b), "verdict": v} for i, (w, v) in found]}


def _point(world: Simulation, blocks: Blocks, request: Request) -> Reply:
    words, temper = _words(blocks["criterion"]), world.temper_of(request.model)
    verdict = judge_one(words, blocks["text"], world.seed(request), sample=request.sample, temper=temper)
    return {"reasoning": rationale_one(words, verdict), "verdict": verdict}


def _explanation(world: Simulation, blocks: Blocks, request: Request) -> Reply:
    preferred = blocks["preferred"].strip()
    told = explain(
        world.world, blocks["a"], blocks["b"], preferred, _manager_seed(world, request),
        reasons=_reasons_for(preferred, blocks["reasons"]), insight=world.insight,
    )  # fmt: skip
    return {"explanation": told}


def _criteria(world: Simulation, blocks: Blocks, request: Request) -> Reply:
    asked = re.search("[0-9]{1,4}", blocks["number"])
    number = min(int(asked[0]), MOST) if asked else 1
    found = propose(
        number, blocks["explanations"], _manager_seed(world, request), taken=blocks["taken"], banned=blocks["banned"],
        failures=blocks["failures"], insight=world.insight,
    )  # fmt: skip
    return {"criteria": found}


def _critiques(world: Simulation, blocks: Blocks, request: Request) -> Reply:
    numbers = [f"mistake {i + 1}" for i in range(blocks.numbered("mistake {} a"))]
    mistakes = [(blocks[f"{n} a"], blocks[f"{n} b"], blocks[f"{n} people"].strip()) for n in numbers]
    words = _words(blocks["criterion"])
    return {"critiques": criticise(world.world, words, mistakes, _manager_seed(world, request), insight=world.insight)}


def _criterion(world: Simulation, blocks: Blocks, request: Request) -> Reply:
    name, _, description = _words(blocks["criterion"]).partition(": ")
    seed, accuracy = _manager_seed(world, request), blocks["accuracy"]
    return rewrite(name, description, blocks["critiques"], seed, accuracy=accuracy, insight=world.insight)


def _manager_seed(world: Simulation, request: Request) -> str:
    return f"{world.seed(request)}/{request.sample}"


def _words(criterion: str) -> str:
    """What a criterion asks for, without when it does not apply."""
    return criterion.partition(EXCEPTION)[0]


def _listed(criteria: str) -> list[str]:
    """Criteria written one a line, each with a dash; lines that continue one are left out."""
    return [line.removeprefix("- ") for line in criteria.splitlines() if line.startswith("- ")]


def _reasons_for(preferred: str, reasons: str) -> str:
    """What was said for the preferred text; a line that names no side counts for it."""
    other = f"- for {'b' if preferred == 'a' else 'a'}:"
    return "\n".join(line for line in reasons.splitlines() if not line.startswith(other))


WRITERS: dict[str, Callable[[Simulation, Blocks, Request], Reply]] = {
    "judgment": _judgment,
    "judgments": _judgments,
    "point": _point,
    "explanation": _explanation,
    "criteria": _criteria,
    "critiques": _critiques,
    "criterion": _criterion,
}
"""By title of the schema: writer of the reply."""
