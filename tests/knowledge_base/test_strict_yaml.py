"""YAML that people wrote: plain values only, and nothing that is dropped without a word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.strict_yaml import StrictLoader

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def load(text: str) -> Any:
    return yaml.load(text, Loader=StrictLoader)


def refusal(text: str) -> tuple[str, int]:
    """What reading complains of, and the line (from 1)."""
    with pytest.raises(yaml.MarkedYAMLError) as caught:
        load(text)
    assert caught.value.problem is not None
    assert caught.value.problem_mark is not None
    return caught.value.problem, caught.value.problem_mark.line + 1


@given(PLAIN)
def test_plain_values_come_back_as_they_were(values: Any) -> None:
    class Unaliased(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    assert load(yaml.dump(values, Dumper=Unaliased)) == values


def test_aliases_are_refused_before_they_can_grow() -> None:
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
    assert refusal(bomb) == ("aliases (*name) are not allowed; write the value out", 2)


def test_a_key_that_stands_twice_is_refused_at_any_depth() -> None:
    assert refusal("a: 1\nb: 2\na: 3\n") == ("'a' stands twice; keep one", 3)
    assert refusal("a:\n  - b: 1\n    b: 1\n") == ("'b' stands twice; keep one", 3)


def test_the_same_key_in_two_mappings_is_no_repetition() -> None:
    assert load("- a: 1\n- a: 2\n") == [{"a": 1}, {"a": 2}]


def test_a_python_object_is_refused_and_not_made(tmp_path: Path) -> None:
    target = tmp_path / "made-by-yaml"
    problem, line = refusal(f"- 1\n- !!python/object/apply:pathlib.Path.touch ['{target}']")
    assert "could not determine a constructor" in problem
    assert line == 2
    assert not target.exists()


@pytest.mark.parametrize("text", ["!!binary YWJj", "!!set {a, b}", "!!omap [a: 1]", "!!timestamp 2024-01-01", "!own 1"])
def test_types_that_are_not_plain_are_refused(text: str) -> None:
    assert "could not determine a constructor" in refusal(f"a: {text}")[0]


def test_what_looks_like_a_date_is_a_string_and_numbers_stay_numbers() -> None:
    found = load("a: 2024-01-31\nb: 2001-12-14t21:59:43.10-05:00\nc: 2024\nd: -1.5\n")
    assert found == {"a": "2024-01-31", "b": "2001-12-14t21:59:43.10-05:00", "c": 2024, "d": -1.5}


def test_the_library_s_own_loader_is_left_as_it_is() -> None:
    assert yaml.safe_load("a: &x 2024-01-01\nb: *x\n")["b"].year == 2024
