"""The catalogue that comes with the project: large, varied, sourced, and measurable by signals that exist."""

from __future__ import annotations

import importlib
import pkgutil
import re
from functools import cache

import numpy as np
import pytest

from knowledge_base.criterion import DOMAINS, Criterion, Domain
from knowledge_base.embedding import embed
from knowledge_base.entries import load_catalogue
from knowledge_base.index import Index
from knowledge_base.retrieval import retrieve

CATALOGUE = load_catalogue()
FUNCTIONS = {"log1p", "sqrt", "abs", "min", "max", "clip"}
ASKED: dict[Domain, tuple[str, str]] = {
    "web": ("The page repeats the same boilerplate lines again and again", "repe|boilerplate|duplicat"),
    "answers": ("The answer does what the user asked for", "ask|request|question|instruction"),
    "argument": ("The argument is backed by facts and statistics", "evidence|fact|statistic|figure|support"),
    "code": ("Variables have meaningful names", "name|naming|identifier"),
    "creative": ("The story uses tired clichés", "clich"),
    "review": ("The comment talks about the lines that were changed", "chang|diff"),
}


@cache
def registered() -> frozenset[str]:
    """Names of all signals, from every module of the package."""
    package = importlib.import_module("agents.signals")
    for module in pkgutil.iter_modules(package.__path__, "agents.signals."):
        importlib.import_module(module.name)
    return frozenset(importlib.import_module("agents.signals.signal").SIGNALS)


@cache
def catalogue_index() -> Index:
    """The index of the whole catalogue."""
    return Index.build(CATALOGUE)


def test_there_are_enough_criteria() -> None:
    assert len(CATALOGUE) >= 120


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_domain_is_well_represented(domain: Domain) -> None:
    importance = [c.domains[domain] for c in CATALOGUE if domain in c.domains]
    assert len(importance) >= 20
    assert importance.count(3) >= 5


@pytest.mark.parametrize("domain", DOMAINS)
def test_signals_can_judge_in_every_domain(domain: Domain) -> None:
    assert sum(c.programmatic for c in CATALOGUE if domain in c.domains) >= 10


def test_many_criteria_are_programmatic() -> None:
    assert sum(c.programmatic for c in CATALOGUE) >= 70


@pytest.mark.parametrize("criterion", CATALOGUE, ids=lambda c: c.name)
def test_a_criterion_is_explained_placed_and_sourced(criterion: Criterion) -> None:
    assert len(criterion.description.split()) >= 40
    assert criterion.domains
    assert criterion.provenance.kind != "mined"
    assert len(criterion.provenance.source.split()) >= 3


@pytest.mark.parametrize("criterion", [c for c in CATALOGUE if c.programmatic], ids=lambda c: c.name)
def test_an_expression_uses_only_registered_signals(criterion: Criterion) -> None:
    names = set(re.findall(r"(?<![\w.])[a-z_]\w*", criterion.expression)) - FUNCTIONS
    assert names, "an expression must measure something"
    assert names <= registered(), f"unknown signals: {sorted(names - registered())}"


def test_no_two_criteria_mean_nearly_the_same() -> None:
    vectors = embed([c.words for c in CATALOGUE])
    cosines = np.triu(vectors @ vectors.T, k=1)
    close = [(CATALOGUE[i].name, CATALOGUE[j].name) for i, j in zip(*np.where(cosines >= 0.95), strict=True)]
    assert close == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_no_two_criteria_of_a_domain_measure_the_same(domain: Domain) -> None:
    own = [c for c in CATALOGUE if c.programmatic and domain in c.domains]
    measured = [(re.sub(r"\s", "", c.expression), c.direction) for c in own]
    assert sorted({m for m in measured if measured.count(m) > 1}) == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_plain_question_finds_a_criterion_about_its_matter(domain: Domain) -> None:
    question, matter = ASKED[domain]
    found = retrieve(catalogue_index(), [question], 3, domain=domain)
    assert any(re.search(matter, r.criterion.words, re.IGNORECASE) for r in found)


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_domain_alone_brings_what_is_central_to_it(domain: Domain) -> None:
    found = retrieve(catalogue_index(), [], 5, domain=domain, diversity=0)
    assert all(r.criterion.domains.get(domain) == 3 for r in found)
