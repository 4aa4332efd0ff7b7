"""Fates drawn by a script, and replies spoiled as fate has it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from statistics import median, quantiles
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.scripted.faults import FAULTS, TEXT_FAULTS, WIRE_FAULTS, Script, TextFault, every_fault
from benchmarks.scripted.spoiling import REFUSAL, spoil
from knowledge_base.errors import InputError

DIGESTS = [hashlib.sha256(str(i).encode()).hexdigest() for i in range(4000)]
REPLY = json.dumps({"reasoning": 'A is {clear}, "B" is not.', "verdict": "A"})
REPLIES = [
    REPLY,
    json.dumps({"judgments": [{"criterion": i, "reasoning": "so", "verdict": "B"} for i in (1, 2)]}),
    json.dumps({"criteria": [{"name": "Length", "description": "d", "not_when": "", "probability": 0.5}]}),
    json.dumps({"critiques": ["one", "two"]}),
    json.dumps({"explanation": "文字清楚"}),
]


def reads(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def test_the_same_attempt_at_the_same_request_always_has_the_same_fate() -> None:
    script = Script(seed=3, latency=0.1, latency_p99=0.4, rates=every_fault(0.06))
    drawn = {(d, n): script.fate(d, n) for d in DIGESTS[:200] for n in (1, 2, 3)}
    again = Script(seed=3, latency=0.1, latency_p99=0.4, rates=every_fault(0.06))
    assert {(d, n): again.fate(d, n) for n in (3, 2, 1) for d in reversed(DIGESTS[:200])} == drawn


def test_another_seed_or_attempt_draws_anew() -> None:
    fates = [Script(seed=s, rates=every_fault(0.06)).fate(DIGESTS[0], n).variant for s in (0, 1) for n in (1, 2)]
    assert len(set(fates)) == 4


def test_faults_come_as_often_as_their_rates_say() -> None:
    script = Script(rates={"server_error": 0.1, "timeout": 0.05, "prose": 0.2, "empty": 0.3})
    fates = [script.fate(d, 1) for d in DIGESTS]
    wire, text = Counter(f.wire for f in fates), Counter(f.text for f in fates)
    assert wire["server_error"] / 4000 == pytest.approx(0.1, abs=0.02)
    assert wire["timeout"] / 4000 == pytest.approx(0.05, abs=0.015)
    assert text["prose"] / 4000 == pytest.approx(0.2, abs=0.03)
    assert text["empty"] / 4000 == pytest.approx(0.3, abs=0.03)
    assert set(wire) == {None, "server_error", "timeout"}
    assert set(text) == {None, "prose", "empty"}


def test_every_fault_at_once_means_every_fault() -> None:
    fates = [Script(rates=every_fault(0.1)).fate(d, 1) for d in DIGESTS]
    assert {f.wire for f in fates} == {None, *WIRE_FAULTS}
    assert {f.text for f in fates} == {None, *TEXT_FAULTS}


@given(st.integers(0, 5), st.sampled_from(DIGESTS))
def test_faults_end_after_so_many_attempts(last: int, digest: str) -> None:
    script = Script(rates={"server_error": 1.0, "empty": 1.0}, end_after=last)
    fates = [script.fate(digest, n) for n in range(1, 8)]
    assert [f.wire is not None for f in fates] == [n <= last for n in range(1, 8)]
    assert [f.text is not None for f in fates] == [n <= last for n in range(1, 8)]


def test_the_first_fates_can_be_told_one_by_one() -> None:
    script = Script(first=("rate_limit", "ok", "refusal"), rates={"unavailable": 1.0})
    fates = [script.fate(DIGESTS[0], n) for n in (1, 2, 3, 4)]
    assert [f.wire for f in fates] == ["rate_limit", None, None, "unavailable"]
    assert [f.text for f in fates] == [None, None, "refusal", None]


def test_a_constant_latency_is_constant() -> None:
    assert {Script(latency=0.2).fate(d, 1).seconds for d in DIGESTS[:50]} == {0.2}


def test_a_latency_with_a_p99_is_spread_about_its_median() -> None:
    script = Script(latency=0.2, latency_p99=1.0)
    seconds = [script.fate(d, 1).seconds for d in DIGESTS]
    assert median(seconds) == pytest.approx(0.2, rel=0.05)
    assert quantiles(seconds, n=100)[98] == pytest.approx(1.0, rel=0.15)
    assert min(seconds) > 0


def test_a_p99_equal_to_the_median_is_no_spread() -> None:
    assert {Script(latency=0.2, latency_p99=0.2).fate(d, 1).seconds for d in DIGESTS[:50]} == {0.2}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"rates": {"tiredness": 0.1}}, "tiredness"),
        ({"first": ("ok", "tiredness")}, "tiredness"),
        ({"rates": {"empty": 1.2}}, r"1\.2"),
        ({"rates": {"empty": -0.1}}, r"-0\.1"),
        ({"rates": {"timeout": 0.6, "unavailable": 0.6}}, r"1\.2"),
        ({"rates": {"empty": 0.6, "prose": 0.6}}, r"1\.2"),
        ({"latency": -1.0}, "latency"),
        ({"latency": 0.5, "latency_p99": 0.1}, "latency_p99"),
        ({"latency_p99": 0.1}, "latency_p99"),
        ({"prefill": 1.5}, "prefill"),
        ({"cap": 0}, "cap"),
        ({"retry_after": -1.0}, "retry_after"),
    ],
)
def test_a_script_that_makes_no_sense_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Script(**wrong)


def test_faults_of_wire_and_text_may_each_be_certain() -> None:
    fate = Script(rates={"drop_body": 1.0, "empty": 1.0}).fate(DIGESTS[0], 1)
    assert (fate.wire, fate.text) == ("drop_body", "empty")


@pytest.mark.parametrize("fault", TEXT_FAULTS)
def test_no_spoiled_reply_is_what_it_was(fault: TextFault) -> None:
    assert [r for r in REPLIES for variant in range(12) if spoil(r, fault, variant) == r] == []


@given(st.sampled_from(REPLIES), st.sampled_from(["truncated", "malformed"]), st.integers(0, 2**64 - 1))
def test_truncated_and_malformed_replies_are_no_json(reply: str, fault: TextFault, variant: int) -> None:
    assert not reads(spoil(reply, fault, variant))


@given(st.recursive(st.text() | st.integers() | st.none(), lambda c: st.dictionaries(st.text(), c)), st.integers(0, 99))
def test_any_json_can_be_malformed(reply: Any, variant: int) -> None:
    assert not reads(spoil(json.dumps(reply), "malformed", variant))


def test_a_truncated_reply_is_a_beginning() -> None:
    shown = {spoil(REPLY, "truncated", v) for v in range(len(REPLY))}
    assert all(REPLY.startswith(s) and s for s in shown)
    assert len(shown) == len(REPLY) - 1


def test_prose_stands_around_the_whole_reply() -> None:
    shown = {spoil(REPLY, "prose", v) for v in range(8)}
    assert len(shown) > 2
    assert all(REPLY in s and not reads(s) for s in shown)


def test_a_wrong_verdict_is_json_with_a_verdict_that_does_not_exist() -> None:
    known = ("A", "B", "not applicable", "equal", "unsure", "yes", "no")
    for variant in range(16):
        said = json.loads(spoil(REPLY, "wrong_enum", variant))
        assert list(said) == ["reasoning", "verdict"]
        assert said["verdict"] not in known
        several = json.loads(spoil(REPLIES[1], "wrong_enum", variant))["judgments"]
        assert not [j for j in several if j["verdict"] in known]


def test_a_reply_without_a_verdict_has_a_value_of_a_wrong_type() -> None:
    assert json.loads(spoil(REPLIES[3], "wrong_enum", 0)) == {"critiques": None}


def test_refusals_and_silence_say_nothing_of_the_reply() -> None:
    assert spoil(REPLY, "refusal", 5) == REFUSAL
    assert len({spoil(REPLY, "prose_refusal", v) for v in range(6)}) == 3
    assert spoil(REPLY, "empty", 1) == ""


@given(st.text(), st.sampled_from(FAULTS[len(WIRE_FAULTS) :]), st.integers(0, 50))
def test_text_that_is_no_json_can_be_spoiled_too(text: str, fault: TextFault, variant: int) -> None:
    assert isinstance(spoil(text, fault, variant), str)
