"""Retrieval: relevant, varied, never what was banned, and the same every time."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge_base import retrieval
from knowledge_base.criterion import Criterion, Provenance
from knowledge_base.embedding import embed
from knowledge_base.errors import InputError
from knowledge_base.index import Index
from knowledge_base.retrieval import IMPORTANCE_BONUS, SAME_MEANING, retrieve

SOURCE = Provenance(kind="paper", source="A study of good texts", year=2020)
WORDS = {
    "Spelling": "The better text has fewer spelling mistakes and typing errors.",
    "Orthography": "The text with fewer misspelt words and typing errors is better.",
    "Grammar": "Sentences follow the rules of grammar, with verbs and subjects agreeing.",
    "Evidence": "Claims are supported by facts, figures and named sources.",
    "Logic": "Reasons lead to the conclusion without gaps or fallacies.",
    "Imagery": "The scene is shown in fresh images that appeal to the senses.",
    "Dialogue": "Characters speak in voices that sound like real people.",
    "Complexity": "Functions are short and have few nested branches.",
    "Naming": "Variables and functions have names that say what they are for.",
    "Politeness": "The comment addresses its reader with courtesy and respect.",
    "Relevance": "The text answers the question that was asked and nothing else.",
    "Layout": "Headings and lists let the reader find things quickly.",
}


def criterion(name: str, **changes: Any) -> Criterion:
    """One of the criteria in `WORDS`, with some fields changed."""
    return Criterion(**{"name": name, "description": WORDS[name], "provenance": SOURCE, **changes})


CRITERIA = (
    criterion("Spelling", domains={"web": 2, "argument": 3}, expression="misspelling_rate"),
    criterion("Orthography", domains={"web": 2}),
    criterion("Grammar", domains={"web": 1}),
    criterion("Evidence", domains={"argument": 3}, expression="statistic_rate"),
    criterion("Logic", domains={"argument": 3}),
    criterion("Imagery", domains={"creative": 3}),
    criterion("Dialogue", domains={"creative": 2}),
    criterion("Complexity", domains={"code": 3}, expression="max_nesting"),
    criterion("Naming", domains={"code": 3}),
    criterion("Politeness", domains={"review": 2}),
    criterion("Relevance", domains={"answers": 3}),
    criterion("Layout", domains={"answers": 1}, expression="heading_count"),
)
QUERIES = ("people preferred texts without typing errors", "good reasons and proof", "code that is easy to read", "zzz")


@cache
def everything() -> Index:
    """The index of `CRITERIA`."""
    return Index.build(CRITERIA)


def names(*queries: str, n: int = 4, **options: Any) -> list[str]:
    """Names of what is retrieved, in order."""
    return [found.criterion.name for found in retrieve(everything(), queries, n, **options)]


def test_what_the_query_is_about_comes_first() -> None:
    assert names("short functions without deep nesting")[0] == "Complexity"
    assert names("the dialogue felt real")[0] == "Dialogue"


def test_relevance_is_the_mean_of_greatest_and_average_cosine_plus_the_bonus() -> None:
    queries = ["typing errors", "facts and sources"]
    found = {r.criterion.name: r.relevance for r in retrieve(everything(), queries, 99, domain="argument")}
    cosines = embed([CRITERIA[0].words])[0] @ embed(queries).T
    expected = (cosines.max() + cosines.mean()) / 2 + 3 * IMPORTANCE_BONUS
    assert found["Spelling"] == pytest.approx(float(expected), abs=1e-5)


def test_without_diversity_relevance_alone_decides() -> None:
    found = retrieve(everything(), ["typing errors"], 99, diversity=0)
    assert [r.relevance for r in found] == sorted((r.relevance for r in found), reverse=True)
    assert {r.criterion.name for r in found[:2]} == {"Spelling", "Orthography"}


def test_diversity_keeps_a_near_copy_from_the_top() -> None:
    assert {"Spelling", "Orthography"} <= set(names("typing errors", n=2, diversity=0))
    assert not {"Spelling", "Orthography"} <= set(names("typing errors", n=4, diversity=0.8))


def test_what_the_run_has_pushes_its_like_away() -> None:
    has = [criterion("Spelling")]
    assert names("typing errors")[0] in {"Spelling", "Orthography"}
    assert not {"Spelling", "Orthography"} & set(names("typing errors", away_from=has, diversity=0.6)[:2])


def test_the_domain_lifts_what_is_central_to_it() -> None:
    assert set(names(n=2, domain="creative", diversity=0)) == {"Imagery", "Dialogue"}
    plain = names("a good text", n=99, diversity=0)
    lifted = names("a good text", n=99, diversity=0, domain="argument")
    assert lifted.index("Logic") < plain.index("Logic")


def test_without_query_and_domain_something_still_comes() -> None:
    assert len(names("", "  \n", n=3)) == 3


def test_only_programmatic_criteria_come_if_asked() -> None:
    found = names("any text", n=99, programmatic_only=True)
    assert set(found) == {"Spelling", "Evidence", "Complexity", "Layout"}


def test_a_banned_criterion_and_its_rewordings_never_come() -> None:
    reworded = criterion(
        "Spelling", description="The better text has fewer spelling mistakes and typing errors, mostly."
    )
    assert float((embed([reworded.words]) @ embed([CRITERIA[0].words]).T)[0, 0]) >= SAME_MEANING
    assert "Spelling" not in names("typing errors", n=99, banned=[reworded])


def test_a_ban_leaves_mere_neighbours() -> None:
    assert "Orthography" in names("typing errors", n=99, banned=[CRITERIA[0]])


def test_the_same_content_is_banned_though_its_provenance_differs() -> None:
    mined = CRITERIA[3].model_copy(update={"provenance": Provenance(kind="mined", source="a run", year=2025)})
    assert "Evidence" not in names("facts", n=99, banned=[mined])


@pytest.mark.parametrize("diversity", [-0.01, 1.01, float("nan")])
def test_a_diversity_that_is_no_share_is_refused(diversity: float) -> None:
    with pytest.raises(InputError, match="give a number from 0 to 1"):
        retrieve(everything(), ["a"], 1, diversity=diversity)


def test_an_empty_index_gives_nothing() -> None:
    assert retrieve(Index.build([]), ["typing errors"], 5, domain="web", banned=CRITERIA, away_from=CRITERIA) == []


@settings(max_examples=40, deadline=None)
@given(
    queries=st.lists(st.sampled_from(QUERIES), max_size=3),
    n=st.integers(-1, 15),
    banned=st.lists(st.sampled_from(CRITERIA), max_size=4),
    has=st.lists(st.sampled_from(CRITERIA), max_size=4),
    diversity=st.floats(0, 1),
    domain=st.sampled_from([None, "web", "code"]),
)
def test_whatever_is_asked_the_answer_is_in_bounds_unique_unbanned_and_repeatable(
    queries: list[str], n: int, banned: list[Criterion], has: list[Criterion], diversity: float, domain: Any
) -> None:
    options: dict[str, Any] = {"banned": banned, "away_from": has, "diversity": diversity, "domain": domain}
    found = retrieve(everything(), queries, n, **options)
    hashes = [r.criterion.hash for r in found]
    assert len(hashes) == len(set(hashes)) == max(0, min(n, len(CRITERIA) - len({b.hash for b in banned})))
    assert not set(hashes) & {b.hash for b in banned}
    assert retrieve(Index.build(CRITERIA[::-1]), queries, n, **options) == found


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 1), st.lists(st.sampled_from(CRITERIA), max_size=3, unique_by=lambda c: c.hash))
def test_selection_is_maximal_marginal_relevance_as_published(diversity: float, has: list[Criterion]) -> None:
    found = retrieve(everything(), ["good reasons"], 5, diversity=diversity, away_from=has)
    relevance = {r.criterion.hash: r.relevance for r in retrieve(everything(), ["good reasons"], 99)}
    vectors = {c.hash: embed([c.words])[0] for c in CRITERIA}
    taken = [c.hash for c in has]
    for step in found:

        def score(h: str) -> float:
            nearest = max([0.0, *(float(vectors[h] @ vectors[t]) for t in taken)])
            return (1 - diversity) * relevance[h] - diversity * nearest

        rest = [c.hash for c in CRITERIA if c.hash not in {f.criterion.hash for f in found[: found.index(step)]}]
        assert score(step.criterion.hash) >= max(map(score, rest)) - 1e-5
        taken.append(step.criterion.hash)


def test_a_large_index_is_narrowed_to_what_is_near_each_query(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = names("typing errors", "real dialogue", n=0)
    monkeypatch.setattr(retrieval, "POOL", 3)
    asked = embed(["typing errors", "real dialogue"])
    rows = retrieval._pool(everything(), asked, 0, ())
    pooled = {everything().criteria[row].name for row in rows}
    assert whole == []
    assert {"Spelling", "Orthography", "Dialogue"} <= pooled
    assert len(pooled) <= 6
    assert rows == sorted(rows)


def test_bans_do_not_use_up_the_places_of_a_narrowed_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrieval, "POOL", 1)
    near = [h.criterion for h in everything().search(embed(["typing errors"])[0], 5)]
    monkeypatch.setattr(retrieval, "_allowed", lambda index, rows, *_: rows)
    rows = retrieval._pool(everything(), embed(["typing errors"]), 0, near)
    assert len(rows) == len(near) + 1
    assert np.all(np.diff(rows) > 0)
