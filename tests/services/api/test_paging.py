"""Cursors: what was given comes back, and anything else is refused."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.errors import InputError
from services.api.paging import cursor_of, page_of, place_of


@given(st.floats(0, 1e12), st.text(st.characters(codec="ascii", categories=("L", "N")), max_size=64))
def test_a_cursor_gives_back_the_place_that_it_was_made_of(at: float, run: str) -> None:
    assert place_of(cursor_of(at, run), float, str) == [at, run]


def test_no_cursor_is_the_first_page() -> None:
    assert place_of("", float, str) is None


@pytest.mark.parametrize("cursor", ["x", "====", "bm8", base64.urlsafe_b64encode(b'{"a": 1}').decode(), "-_-_"])
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InputError, match="cursor"):
        place_of(cursor, float, str)


@given(st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=", max_size=60))
def test_no_text_that_a_client_may_send_does_anything_else(cursor: str) -> None:
    try:
        found = place_of(cursor, str)
    except InputError:
        return
    assert found is None or (len(found) == 1 and isinstance(found[0], str))


@pytest.mark.parametrize(
    "place",
    [("2026", "run"), (1.0,), (1.0, "run", 2), (True, "run"), (float("nan"), "run"), (1e30, "run"), (1.0, "a\x00")],
)
def test_a_cursor_of_another_list_is_refused(place: tuple[object, ...]) -> None:
    with pytest.raises(InputError, match="cursor"):
        place_of(cursor_of(*place), float, str)


@given(st.lists(st.integers(0, 1000), unique=True, max_size=30), st.integers(1, 7))
def test_pages_one_after_the_other_are_the_whole_list(numbers: list[int], limit: int) -> None:
    ordered, seen, after = sorted(numbers), list[int](), ""
    while True:
        place = place_of(after, int)
        rest = [n for n in ordered if place is None or n > place[0]]
        page = page_of(rest[: limit + 1], limit, key=lambda n: (n,))
        seen += page.items
        assert len(page.items) <= limit
        if page.next is None:
            break
        after = page.next
    assert seen == ordered
