"""Criteria sets and a small knowledge base for tests, with vectors counted from letters in place of a model's."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import letter_vectors
import numpy as np
import pytest
from made_up import assessment

import knowledge_base.embedding
import knowledge_base.index
import knowledge_base.retrieval
import services.knowledge.adding
import services.knowledge.holdings
import services.knowledge.returning
import services.knowledge.searching
from agents.criteria_set import CriteriaSet, Lineage, Member
from knowledge_base.criterion import Criterion, Provenance
from services.database import Database

SOURCE = Provenance(kind="person", source="The editors of these tests")
LINEAGE = Lineage(
    dataset="d" * 64, pairs=40, judge="signals/1", manager="statistical/1", policy="robust", rounds=3, size=5, seed=7
)
PROCESSES = 4


def criterion(name: str, description: str = "", **fields: Any) -> Criterion:
    """A criterion with words of its own."""
    described = description or f"Whether the text has what these tests call {name}, {name[::-1]} and {name.upper()}."
    return Criterion.model_validate({"name": name, "description": described, "provenance": SOURCE} | fields)


SHIPPED = tuple(
    criterion(name, domains={"answers": 2})
    for name in ("Reasons given", "Worked examples", "Plain language", "Checked facts", "Good order")
)
"""What stands for the catalogue."""


def set_of(*criteria: Criterion, weights: Sequence[float] = (), parent: str = "", **figures: Any) -> CriteriaSet:
    """A criteria set; right on 24 of 30 unless told otherwise."""
    weighed = [*weights, *(1.0 / (i + 1) for i in range(len(weights), len(criteria)))]
    told = {"asked": 40, "decided": 30, "right": 24, "coverage": 0.75, "accuracy": 0.8} | figures
    members = tuple(
        Member(criterion=c, weight=w, mining=assessment(c.hash, **told)) for c, w in zip(criteria, weighed, strict=True)
    )
    lineage = LINEAGE.model_copy(update={"parent": parent})
    return CriteriaSet(members=members, method="robust", lineage=lineage)


@contextmanager
def light_knowledge(patch: pytest.MonkeyPatch, shipped: Sequence[Criterion] = SHIPPED) -> Iterator[list[str]]:
    """Letter vectors and a small catalogue, here and in what is forked from here; yields the texts embedded so far."""
    embedded: list[str] = []

    def embed(texts: Sequence[str]) -> Any:
        embedded.extend(texts)
        return letter_vectors.embed(texts) if texts else np.empty((0, letter_vectors.SIZE), dtype=np.float32)

    for module in (knowledge_base.embedding, knowledge_base.index, knowledge_base.retrieval):
        patch.setattr(module, "embed", embed)
    patch.setattr(knowledge_base.index, "embedder_fingerprint", lambda: "letters/1")
    patch.setattr(knowledge_base.index, "dimension", lambda: letter_vectors.SIZE)
    catalogue = tuple(shipped)
    for user in (
        services.knowledge.adding, services.knowledge.holdings, services.knowledge.returning,
        services.knowledge.searching,
    ):  # fmt: skip
        patch.setattr(user, "load_catalogue", lambda: catalogue)
    yield embedded


def at_once(database: Database, acts: Sequence[Callable[[Database], Any]]) -> list[str]:
    """Run each act in a process of its own, all begun together; what each gave, or its error's type and words."""
    several = multiprocessing.get_context("fork")
    together, told = several.Barrier(len(acts)), several.SimpleQueue()
    url = database.url.render_as_string(hide_password=False)
    # A connection does not survive a fork.
    database.close()

    def work(number: int) -> None:
        own = Database(url)
        together.wait(30)
        try:
            said = f"{acts[number](own)}"
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
        told.put((number, said))

    processes = [several.Process(target=work, args=(number,)) for number in range(len(acts))]
    for process in processes:
        process.start()
    found = dict(told.get() for _ in processes)
    for process in processes:
        process.join(30)
    return [found[number] for number in range(len(acts))]
