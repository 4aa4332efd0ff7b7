"""What becomes of each criterion from one set to another: told once, with the reason, and the same from either side."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence

import letter_vectors
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import LINEAGE, assessment, criterion

import knowledge_base.embedding
from agents.chronicle import Entry, RoundRecord
from agents.criteria_set import CriteriaSet, Member
from agents.set_diff import CLOSE, Change, SetDiff, diff_sets, parents_in, reasons_in
from agents.set_diff_text import diff_text
from knowledge_base.criterion import Criterion


@pytest.fixture(autouse=True)
def _light_vectors() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(knowledge_base.embedding, "embed", letter_vectors.embed)
        yield


def worded(name: str, description: str = "", expression: str = "", **fields: object) -> Criterion:
    described = description or f"What the tests of the difference call {name}."
    update = {"description": described, "expression": expression, **fields}
    return Criterion.model_validate(criterion(name).model_dump() | update)


def made(*criteria: Criterion, weights: Sequence[float] = (), right: int = 8, decided: int = 10) -> CriteriaSet:
    weighed = [*weights, *(1.0 / (i + 1) for i in range(len(weights), len(criteria)))]
    figures = {"right": right, "decided": decided, "accuracy": right / decided if decided else 0.5}
    members = (
        Member(criterion=c, weight=w, mining=assessment(c.hash, **figures))
        for c, w in zip(criteria, weighed, strict=True)
    )
    return CriteriaSet(members=tuple(members), method="paper", lineage=LINEAGE)


def names(changes: Sequence[Change]) -> list[str]:
    return [c.name for c in changes]


def only(changes: Sequence[Change]) -> Change:
    (change,) = changes
    return change


FIRST, SECOND, THIRD = worded("Depth"), worded("Tone of voice"), worded("Worked examples")


class TestKept:
    """The same content on both sides."""

    def test_a_set_and_itself_differ_in_nothing(self) -> None:
        diff = diff_sets(made(FIRST, SECOND), made(FIRST, SECOND))
        assert (names(diff.kept), diff.reworded, diff.dropped, diff.new) == (["Depth", "Tone of voice"], (), (), ())

    def test_weight_rank_and_accuracy_are_told_before_and_after(self) -> None:
        old, new = made(FIRST, SECOND, weights=(2.0, 1.0)), made(SECOND, FIRST, weights=(3.0, 0.5), right=9)
        change = diff_sets(old, new).kept[0]
        assert change.name == "Tone of voice"
        assert change.before is not None
        assert change.after is not None
        assert (change.before.weight, change.after.weight) == (1.0, 3.0)
        assert (change.before.rank, change.after.rank) == (2, 1)
        assert (change.before.accuracy, change.after.accuracy) == (0.8, 0.9)
        assert change.edits == {}

    def test_an_accuracy_over_nothing_is_not_told(self) -> None:
        change = only(diff_sets(made(FIRST), made(FIRST, right=0, decided=0)).kept)
        assert change.after is not None
        assert change.after.accuracy is None

    def test_provenance_and_domains_are_not_content(self) -> None:
        other = FIRST.model_copy(update={"domains": {"code": 3}})
        assert names(diff_sets(made(FIRST), made(other)).kept) == ["Depth"]


class TestReworded:
    """Other content, the same identity."""

    def test_a_name_is_an_identity_whatever_its_case_and_spaces(self) -> None:
        change = only(
            diff_sets(made(FIRST), made(worded("depth ", "Something else altogether, in new words."))).reworded
        )
        assert change.basis == "name"
        assert change.reason == "worded anew under the same name"
        assert set(change.edits) == {"name", "description"}

    def test_a_rewrite_keeps_its_identity_through_every_step_that_the_run_records(self) -> None:
        middle, last = worded("Halfway words"), worded("Quite another name", "Nothing that it was called before.")
        parents = {last.hash: middle.hash, middle.hash: FIRST.hash}
        assert only(diff_sets(made(FIRST), made(last), parents=parents).reworded).basis == "rewrite"
        assert diff_sets(made(FIRST), made(last)).reworded == ()

    def test_parents_that_go_round_in_a_circle_end(self) -> None:
        parents = {FIRST.hash: SECOND.hash, SECOND.hash: FIRST.hash}
        assert names(diff_sets(made(FIRST), made(THIRD), parents=parents).dropped) == ["Depth"]

    def test_an_expression_is_an_identity_only_with_its_direction(self) -> None:
        old = worded("Long answers", expression="log1p(words)")
        new = worded("Elaboration", "How much is said.......", expression="log1p(words)")
        assert only(diff_sets(made(old), made(new)).reworded).basis == "expression"
        turned = new.model_copy(update={"direction": "lower"})
        assert diff_sets(made(old), made(turned)).reworded == ()

    def test_words_that_are_close_in_meaning_are_one_and_the_cosine_is_told(self) -> None:
        long = "Prefer the text whose parts follow one another in an order that helps the reader along"
        old, new = worded("Clear order", f"{long}."), worded("A clear order", f"{long}, always.")
        change = only(diff_sets(made(old), made(new)).reworded)
        assert change.basis == "meaning"
        assert change.similarity is not None
        assert CLOSE <= change.similarity < 1
        assert f"cosine {change.similarity:.2f}" in change.reason

    def test_criteria_without_expressions_are_not_one_for_that(self) -> None:
        diff = diff_sets(made(FIRST), made(worded("Zebra", "Quux quux quux quux quux quux.")))
        assert (diff.reworded, names(diff.dropped), names(diff.new)) == ((), ["Depth"], ["Zebra"])

    def test_the_surest_match_comes_first(self) -> None:
        same_words = worded("Other name", FIRST.description, expression="words")
        same_name = worded("Depth", "Something that has nothing of the old words.", expression="lines")
        diff = diff_sets(made(FIRST), made(same_words, same_name))
        assert only(diff.reworded).basis == "name"
        assert names(diff.new) == ["Other name"]

    def test_every_part_that_a_judge_sees_is_compared(self) -> None:
        new = worded("Depth", not_when="Never.", expression="log1p(words)", margin=0.25, direction="lower")
        assert set(only(diff_sets(made(FIRST), made(new)).reworded).edits) == {
            "not_when", "expression", "margin", "direction",
        }  # fmt: skip


class TestReasons:
    """Why."""

    def test_reasons_are_found_by_hash_before_name_and_by_name_in_any_case(self) -> None:
        diff = diff_sets(made(FIRST, SECOND), made(THIRD), {SECOND.hash: "by hash", "Tone of voice": "by name"})
        assert [c.reason for c in diff.dropped] == ["not in the new set", "by hash"]
        assert diff_sets(made(FIRST), made(), {"DEPTH": "told"}).dropped[0].reason == "told"

    def test_what_is_matched_is_said_before_what_was_given(self) -> None:
        assert only(diff_sets(made(FIRST), made(FIRST), {"Depth": "it held"}).kept).reason == "unchanged; it held"

    def test_a_new_criterion_is_told_as_the_run_found_it(self) -> None:
        assert (
            only(diff_sets(made(), made(FIRST), {FIRST.hash: "round 2, keep: good"}).new).reason
            == "round 2, keep: good"
        )
        assert only(diff_sets(made(), made(FIRST)).new).reason == "not in the old set"

    def test_the_last_word_of_a_run_counts(self) -> None:
        def entry(of: Criterion, fate: str, why: str, parent: str = "") -> Entry:
            return Entry.model_validate(
                {
                    "criterion": of.hash, "name": of.name, "origin": "manager", "parent": parent, "fate": fate,
                    "why": why, "assessment": assessment(of.hash),
                }
            )  # fmt: skip

        records = [
            RoundRecord(number=1, candidates=2, raced_out=0, entries=(entry(FIRST, "refine", "middling"),)),
            RoundRecord(
                number=2, candidates=2, raced_out=0,
                entries=(entry(FIRST, "replace", "poor"), entry(SECOND, "keep", "better", FIRST.hash)),
            ),
        ]  # fmt: skip
        assert reasons_in(records) == {FIRST.hash: "round 2, replace: poor", SECOND.hash: "round 2, keep: better"}
        assert parents_in(records) == {SECOND.hash: FIRST.hash}


pool = st.sampled_from(
    [
        worded(name, description, expression)
        for name in ("Depth", "depth", "Tone of voice", "Examples given")
        for description in (
            "",
            "Prefer the text that goes deeper into things.",
            "Prefer the text that goes deep into things.",
        )
        for expression in ("", "words", "lines")
    ]
)
some_sets = st.lists(st.tuples(pool, st.floats(-3, 3)), max_size=7).map(
    lambda chosen: made(*(c for c, _ in chosen), weights=[w for _, w in chosen])
)
pool_hashes = st.sampled_from(sorted({worded(n).hash for n in ("Depth", "depth", "Tone of voice", "Examples given")}))
some_parents = st.dictionaries(pool_hashes, pool_hashes, max_size=3)


def count(criteria_set: CriteriaSet) -> Counter[str]:
    return Counter(c.hash for c in criteria_set.criteria)


def before(*kinds: Sequence[Change]) -> Counter[str]:
    return Counter(c.before.hash for changes in kinds for c in changes if c.before)


def after(*kinds: Sequence[Change]) -> Counter[str]:
    return Counter(c.after.hash for changes in kinds for c in changes if c.after)


@given(some_sets, some_sets, some_parents)
def test_every_criterion_of_both_sets_is_told_exactly_once(
    old: CriteriaSet, new: CriteriaSet, parents: dict[str, str]
) -> None:
    diff = diff_sets(old, new, None, parents)
    assert before(diff.kept, diff.reworded, diff.dropped) == count(old)
    assert after(diff.kept, diff.reworded, diff.new) == count(new)
    assert all(c.after is None for c in diff.dropped)
    assert all(c.before is None for c in diff.new)
    ranks = [c.after.rank for kind in (diff.kept, diff.reworded, diff.new) for c in kind if c.after]
    assert sorted(ranks) == list(range(1, len(new.members) + 1))


@given(some_sets, some_sets, some_parents)
def test_what_is_in_both_sets_is_kept(old: CriteriaSet, new: CriteriaSet, parents: dict[str, str]) -> None:
    assert before(diff_sets(old, new, None, parents).kept) == count(old) & count(new)


def pairs_of(changes: Sequence[Change], *, turned: bool = False) -> Counter[tuple[str, str, str]]:
    found = ((c.before.hash, c.after.hash) for c in changes if c.before and c.after)
    return Counter((y, x, "") if turned else (x, y, "") for x, y in found)


@given(some_sets, some_sets, some_parents)
def test_exchanging_the_sets_exchanges_every_match(old: CriteriaSet, new: CriteriaSet, parents: dict[str, str]) -> None:
    there, back = diff_sets(old, new, None, parents), diff_sets(new, old, None, parents)
    assert pairs_of(there.reworded) == pairs_of(back.reworded, turned=True)
    assert pairs_of(there.kept) == pairs_of(back.kept, turned=True)
    assert before(there.dropped) == after(back.new)
    assert after(there.new) == before(back.dropped)


@given(some_sets, some_sets)
def test_both_renderings_tell_every_criterion(old: CriteriaSet, new: CriteriaSet) -> None:
    diff = diff_sets(old, new)
    assert SetDiff.model_validate_json(diff.model_dump_json()) == diff
    lines = Counter(line.strip() for line in diff_text(diff).splitlines())
    told = Counter(" ".join(c.name.split()) for k in (diff.kept, diff.reworded, diff.dropped, diff.new) for c in k)
    assert all(lines[name] >= n for name, n in told.items())


def test_the_text_shows_counts_figures_reasons_and_changed_words() -> None:
    old = made(FIRST, SECOND, weights=(1.2, 0.8))
    new = made(worded("Depth", "What the tests of the difference now call depth."), THIRD, weights=(0.9, 0.7), right=9)
    text = diff_text(diff_sets(old, new, {"Worked examples": "they convinced in 12 pairs"}))
    assert text.splitlines() == [
        f"{old.version} -> {new.version}: 0 kept, 1 reworded, 1 dropped, 1 new",
        "",
        "reworded",
        "  Depth",
        "    weight +1.20 -> +0.90; mining pairs right on 8 of 10 (80%) -> right on 9 of 10 (90%)",
        "    why: worded anew under the same name",
        "    description: What the tests of the difference {+now+} call [-Depth.-]{+depth.+}",
        "",
        "new",
        "  Worked examples",
        "    weight +0.70; mining pairs right on 9 of 10 (90%)",
        "    why: they convinced in 12 pairs",
        "",
        "dropped",
        "  Tone of voice",
        "    weight +0.80; mining pairs right on 8 of 10 (80%)",
        "    why: not in the new set",
    ]


def test_the_json_is_complete_and_plain() -> None:
    body = json.loads(diff_sets(made(FIRST), made(FIRST, THIRD)).model_dump_json())
    assert set(body) == {"old_version", "new_version", "kept", "reworded", "dropped", "new"}
    assert body["new"][0]["after"]["name"] == "Worked examples"
    assert body["new"][0]["before"] is None


def test_no_model_is_needed_where_nothing_but_meaning_is_not_all_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(texts: Sequence[str]) -> None:
        raise AssertionError(f"{len(texts)} texts embedded")

    monkeypatch.setattr(knowledge_base.embedding, "embed", refuse)
    assert diff_sets(made(FIRST, SECOND), made(SECOND, FIRST)).headline.endswith("2 kept, 0 reworded, 0 dropped, 0 new")
    assert len(diff_sets(made(FIRST), made(FIRST, SECOND)).new) == 1
