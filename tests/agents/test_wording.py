"""Words for criteria that a search finds: they fit, they tell criteria apart, and a turned one says so."""

from __future__ import annotations

import numpy as np
import pytest
from made_up import SOURCE, criterion

from agents.expression_space import Candidate
from agents.signals import SIGNALS
from agents.wording import FOUND, FOUND_BY, TURNED, criterion_from, explanation, rewritten, signal_titles
from knowledge_base.criterion import Criterion, Direction

NONE = np.zeros(1, dtype=np.int8)


def candidate(expression: str, direction: Direction = "higher", margin: float = 0.0) -> Candidate:
    return Candidate(expression, direction, margin, NONE, NONE)


def reread(one: Criterion) -> Criterion:
    """The criterion as another process reads it."""
    return Criterion.model_validate_json(one.model_dump_json())


@pytest.mark.parametrize("name", sorted(SIGNALS))
def test_every_signal_makes_a_valid_criterion(name: str) -> None:
    made = criterion_from(candidate(f"log1p({name})", "lower"), "web")
    assert reread(made) == made
    assert SIGNALS[name].definition[:200] in made.description


def test_a_found_criterion_carries_expression_direction_and_margin() -> None:
    made = criterion_from(candidate("log1p(words)", "lower", 0.25), "code")
    assert (made.expression, made.direction, made.margin) == ("log1p(words)", "lower", 0.25)
    assert (made.domains, made.provenance) == ({"code": 1}, FOUND_BY)


def test_every_signal_has_a_title_and_nothing_else_has() -> None:
    assert set(signal_titles()) == set(SIGNALS)
    assert {frozenset(title) for title in signal_titles().values()} == {frozenset({"more", "less"})}


def test_every_title_is_short_plain_and_stands_only_once() -> None:
    phrases = [phrase for title in signal_titles().values() for phrase in title.values()]
    assert len({phrase.casefold() for phrase in phrases}) == len(phrases)
    assert [p for p in phrases if not 3 <= len(p) <= 60 or "_" in p or p[0] != p[0].upper()] == []


@pytest.mark.parametrize(
    ("expression", "direction", "said"),
    [
        ("log1p(dale_chall)", "higher", "harder words to read"),
        ("log1p(dale_chall)", "lower", "easier words to read"),
        ("words - 2 * comma_rate", "higher", "more words in all, and fewer commas"),
        ("words - 2 * comma_rate", "lower", "fewer words in all, and more commas"),
        ("comma_rate / sqrt(words + 1)", "higher", "more commas, and fewer words in all"),
        ("-0.5 * words", "higher", "fewer words in all"),
        ("-words", "lower", "more words in all"),
        ("words < 2 * comma_rate", "higher", "fewer words in all, and more commas"),
    ],
)
def test_the_words_say_which_way_each_measure_counts(expression: str, direction: Direction, said: str) -> None:
    made = criterion_from(candidate(expression, direction), "web")
    assert made.description.startswith(f"{FOUND}on the mining pairs people preferred the text with {said}. Judge ")
    assert made.name.casefold().startswith(said)


def test_a_found_criterion_that_is_turned_is_named_and_described_anew() -> None:
    first = criterion_from(candidate("words"), "web")
    turned = rewritten(first, candidate("words", "lower"))
    assert (first.name, turned.name) == ("More words in all", "Fewer words in all")
    assert "fewer words in all" in turned.description
    assert (TURNED in turned.description, turned.domains) == (False, {})


def test_a_found_criterion_with_another_margin_keeps_its_words() -> None:
    first = criterion_from(candidate("words"), "web")
    again = rewritten(first, candidate("words", margin=3.0))
    assert (again.name, again.description, again.domains) == (first.name, first.description, first.domains)


def test_two_combinations_of_the_same_signals_have_two_names() -> None:
    one, other = (criterion_from(candidate(e), "web") for e in ("words + chars", "words - chars"))
    assert one.name != other.name


def test_a_combination_of_many_long_names_still_fits() -> None:
    made = criterion_from(candidate(" + ".join(sorted(SIGNALS, key=len)[-8:])), "web")
    assert len(made.name) <= 80
    assert len(made.description) <= 1200


def test_an_explanation_says_what_people_preferred() -> None:
    assert explanation(candidate("words", "lower")).startswith("People preferred the text with less of this: ")


PLAIN = criterion("plain", "words", margin=1.0, domains={"web": 3})


def test_a_rewrite_is_named_after_its_own_content_even_if_its_parent_was_named_before() -> None:
    assert PLAIN.hash
    child = rewritten(PLAIN, candidate("words + chars"))
    assert child.hash == reread(child).hash != PLAIN.hash


def test_a_rewrite_keeps_name_words_source_and_domains() -> None:
    child = rewritten(PLAIN, candidate("words", margin=3.0))
    assert (child.name, child.description, child.domains) == (PLAIN.name, PLAIN.description, {"web": 3})
    assert child.provenance == SOURCE


def test_a_rewrite_takes_expression_direction_and_margin() -> None:
    child = rewritten(PLAIN, candidate("words / chars", "lower", 2.0))
    assert (child.expression, child.direction, child.margin) == ("words / chars", "lower", 2.0)


def test_a_rewrite_says_what_is_weighed_in_addition() -> None:
    child = rewritten(PLAIN, candidate("words + chars"))
    assert child.description.endswith(f"Weighed together with: {SIGNALS['chars'].definition}")


def test_a_turned_criterion_says_so_first() -> None:
    assert rewritten(PLAIN, candidate("words", "lower")).description == TURNED + PLAIN.description


def test_a_turned_criterion_stays_turned_through_a_second_rewrite() -> None:
    turned = rewritten(PLAIN, candidate("words", "lower"))
    assert rewritten(turned, candidate("words", "lower", 2.0)).description == turned.description


def test_a_criterion_turned_twice_says_what_it_said_at_first() -> None:
    turned = rewritten(PLAIN, candidate("words", "lower"))
    assert rewritten(turned, candidate("words", "higher")).description == PLAIN.description


def test_a_turned_criterion_takes_no_credit_from_the_source_that_says_the_opposite() -> None:
    turned = rewritten(PLAIN, candidate("words", "lower"))
    assert (turned.provenance, turned.domains) == (FOUND_BY, {})


def test_a_rewrite_of_a_rewrite_of_a_rewrite_still_fits() -> None:
    child = PLAIN
    for name in sorted(SIGNALS)[:40]:
        child = rewritten(child, candidate(f"words + {name}"))
    assert reread(child) == child
