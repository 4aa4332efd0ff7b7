"""A judgment is named by what was asked, and only a decided one has a sign."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.judgments import REUSABLE, Ask, Judgment, Status, Verdict

hashes = st.text("0123456789abcdef", min_size=16, max_size=16)
asks = st.builds(
    Ask,
    judge=st.text(min_size=1, max_size=12),
    criterion=hashes,
    pair=hashes,
    order=st.sampled_from(["ab", "ba"]),
    sample=st.integers(0, 30),
)


@given(asks, asks)
def test_two_asks_have_one_key_exactly_if_they_ask_the_same(one: Ask, other: Ask) -> None:
    assert (one.key == other.key) == (one == other)


@pytest.mark.parametrize(
    "change", [{"judge": "k"}, {"criterion": "d"}, {"pair": "q"}, {"order": "ba"}, {"sample": 1}]
)  # fmt: skip
def test_everything_that_is_asked_is_in_the_key(change: dict[str, object]) -> None:
    plain = {"judge": "j", "criterion": "c", "pair": "p"}
    assert Ask.model_validate(plain).key != Ask.model_validate(plain | change).key


def test_a_key_is_64_hex_digits() -> None:
    assert set(Ask(judge="j", criterion="c", pair="p").key) <= set("0123456789abcdef")
    assert len(Ask(judge="j", criterion="c", pair="p").key) == 64


@pytest.mark.parametrize(("verdict", "sign"), [("A", 1), ("B", -1), ("abstain", 0)])
def test_a_decided_judgment_has_the_sign_of_its_verdict(verdict: Verdict, sign: int) -> None:
    assert Judgment(key="k", status="decided", verdict=verdict).sign == sign


@pytest.mark.parametrize("status", ["abstained", "invalid", "failed"])
def test_no_other_status_has_a_sign_whatever_its_verdict(status: Status) -> None:
    assert Judgment(key="k", status=status, verdict="A").sign == 0


def test_missing_evidence_is_never_reused() -> None:
    assert {"decided", "abstained"} == REUSABLE
