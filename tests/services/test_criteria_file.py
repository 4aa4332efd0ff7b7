from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.assessment import Assessment, assess
from agents.criteria_set import CriteriaSet, Lineage, Member
from agents.judgments import Judgment
from agents.votes import tally
from knowledge_base.criterion import DOMAINS, Criterion, Provenance
from knowledge_base.entries import load_catalogue
from knowledge_base.errors import InputError
from services.criteria_file import criteria_yaml, read_criteria, write_criteria
from services.datasets.faults import FaultyRows

LINEAGE = Lineage(
    dataset="d" * 16,
    pairs=40,
    judge="signals/abc",
    manager="statistical/abc",
    policy="robust",
    rounds=3,
    size=5,
    seed=7,
)


def assessed(criterion: Criterion, right: int = 20, decided: int = 30, asked: int = 40) -> Assessment:
    pairs = [f"pair-{i}" for i in range(asked)]
    cells = [
        (
            criterion.hash,
            p,
            "ab",
            Judgment(key=p, status="decided", verdict="A" if i < right else "B")
            if i < decided
            else Judgment(key=p, status="abstained"),
        )
        for i, p in enumerate(pairs)
    ]
    return assess(tally([criterion.hash], pairs, cells), np.ones(asked, dtype=np.int8))[0]


def catalogue_set(n: int = 4) -> CriteriaSet:
    chosen = [c for c in load_catalogue() if c.programmatic][:n]
    members = [Member(criterion=c, weight=1.0 / (i + 3), mining=assessed(c)) for i, c in enumerate(chosen)]
    return CriteriaSet(members=tuple(members), method="robust", lineage=LINEAGE)


printable = st.text(st.characters(exclude_categories=["Cs"]), min_size=3, max_size=80)
criteria = st.builds(
    Criterion,
    name=printable,
    description=st.text(st.characters(exclude_categories=["Cs"]), min_size=20, max_size=300),
    not_when=st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    domains=st.dictionaries(st.sampled_from(DOMAINS), st.sampled_from([1, 2, 3])),
    provenance=st.builds(Provenance, kind=st.just("mined"), source=printable, year=st.integers(1800, 2100)),
    expression=st.sampled_from(["words", "log1p(words) - 0.5 * hedge_rate", "words > 3"]),
    direction=st.sampled_from(["higher", "lower"]),
    margin=st.floats(0, 1e9, allow_nan=False),
)
shares = st.floats(0, 1, allow_nan=False)
FIELD_VALUES = {int: st.integers(0, 10**9), float: shares}
assessments = st.builds(
    Assessment,
    **{n: FIELD_VALUES.get(f.annotation, st.just("set later")) for n, f in Assessment.model_fields.items()},
)
weights = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def sets(draw: st.DrawFn) -> CriteriaSet:
    bodies = draw(st.lists(criteria, min_size=1, max_size=4, unique_by=lambda c: c.name.casefold()))
    members = [
        Member(criterion=c, weight=draw(weights), mining=draw(assessments).model_copy(update={"criterion": c.hash}))
        for c in bodies
    ]
    return CriteriaSet(members=tuple(members), method=draw(printable), lineage=LINEAGE)


@settings(max_examples=60, deadline=None)
@given(sets())
def test_whatever_stands_in_a_set_comes_back_identical(tmp_path_factory: pytest.TempPathFactory, made: CriteriaSet):
    path = tmp_path_factory.mktemp("set") / "criteria.yaml"
    write_criteria(made, path)
    loaded = read_criteria(path)
    assert loaded.criteria_set == made
    assert loaded.criteria_set.version == made.version == loaded.stated
    assert not loaded.changed
    assert loaded.edited == ()


def test_the_file_reads_as_prose_with_a_header_that_says_what_it_is():
    made = catalogue_set()
    text = criteria_yaml(made)
    assert text.startswith(f"# Quality criteria mined by Touchstone; version {made.version}.\n")
    assert "touchstone evaluate criteria.yaml pairs.jsonl" in text
    assert max(map(len, text.splitlines())) <= 130
    assert "&id" not in text
    assert "!!" not in text


def test_the_header_names_the_file_it_stands_in(tmp_path):
    write_criteria(catalogue_set(), tmp_path / "answers.yaml")
    assert "touchstone evaluate answers.yaml" in (tmp_path / "answers.yaml").read_text()


def test_the_same_set_gives_the_same_bytes():
    assert criteria_yaml(catalogue_set()) == criteria_yaml(catalogue_set())


def edited(tmp_path: Path, pattern: str, replacement: str, made: CriteriaSet | None = None) -> Path:
    path = tmp_path / "criteria.yaml"
    header, touchstone, body = criteria_yaml(made or catalogue_set()).partition("touchstone: ")
    text, count = re.subn(pattern, replacement, touchstone + body, count=1, flags=re.MULTILINE)
    assert count == 1, f"{pattern} is not in the file"
    path.write_text(header + text, encoding="utf-8")
    return path


def test_an_edited_weight_is_another_version(tmp_path):
    loaded = read_criteria(edited(tmp_path, r"weight: 0\.333\d+", "weight: 2"))
    assert loaded.criteria_set.members[0].weight == 2.0
    assert loaded.changed
    assert loaded.stated == catalogue_set().version != loaded.criteria_set.version
    assert loaded.edited == ()


def test_edited_words_are_another_version_and_their_old_figures_are_told_apart(tmp_path):
    loaded = read_criteria(edited(tmp_path, r"^- name: .*$", "- name: Another name"))
    first = loaded.criteria_set.members[0]
    assert loaded.changed
    assert loaded.edited == ("Another name",)
    assert first.mining.criterion == first.criterion.hash != catalogue_set().members[0].criterion.hash


def test_an_edited_source_changes_neither_version_nor_evidence(tmp_path):
    loaded = read_criteria(edited(tmp_path, r"year: \d{4}", "year: 1999"))
    assert not loaded.changed
    assert loaded.edited == ()


def test_a_file_written_by_hand_needs_only_words_and_source(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "touchstone: criteria/1\n"
        "criteria:\n"
        "- name: Short answers\n"
        "  description: The shorter of two answers is better.\n"
        "  provenance: {kind: guideline, source: Our house style, year: 2024}\n"
        "  expression: words\n"
        "  direction: lower\n"
    )
    loaded = read_criteria(path)
    (member,) = loaded.criteria_set.members
    assert member.weight == 1.0
    assert (member.mining.asked, member.mining.accuracy, member.mining.shrunken) == (0, 0.5, 0.5)
    assert not loaded.changed


@pytest.mark.parametrize(
    ("pattern", "replacement", "message"),
    [
        (r"weight: .*", "weight: heavy", r':\d+: "criteria\.1\.weight" is "heavy"; it should be a valid number'),
        (r"weight: .*", "weight: .inf", r'"criteria\.1\.weight" is Infinity; it should be a finite number'),
        (r"  direction: lower", "  direction: lowr", r'"criteria\.\d\.direction" is "lowr"; use .higher. or .lower.'),
        (r"^  description: ", "  descripton: ", r'"criteria\.1\.description" is missing; add it'),
        (r"^  description: ", "  descripton: ", r'"criteria\.1\.descripton" .*; did you mean description\?'),
        (r"^  expression: ", "  expresion: ", r'"criteria\.1\.expresion" is .*; did you mean expression\?'),
        (r"^    source: ", "    sorce: ", r'"criteria\.1\.provenance\.sorce" is .*; did you mean source\?'),
        (r"^lineage:", "linage:", r'"linage" is .*; did you mean lineage\?'),
        (r"^  weight: ", "  colour: ", r'"criteria\.1\.colour" is .*there is no such field; remove it'),
        (r"^    year: .*\n", "", r'"criteria\.1\.provenance\.year" is missing; add it'),
        (r"^- name: .*", "- name: ab", r'"criteria\.1\.name" is "ab"; string should have at least 3'),
        (r"^  expression: .*", "  expression: words.__class__", r'"criteria\.1\.expression" is .*not allowed'),
        (r"^touchstone: .*", "touchstone: criteria/9", r'criteria\.yaml:19: "touchstone" is .*; use .criteria/1'),
        (r"^touchstone: .*\n", "", '"touchstone" is missing; add it'),
        (r"^    asked: .*", "    asked: many", r'"criteria\.1\.mining\.asked" is "many"; it should be a valid integer'),
        (r"^    asked: .*\n", "", r'"criteria\.1\.mining\.asked" is missing; add it'),
        (r"^  pairs: 40", "  pairs: [40]", r'"lineage\.pairs" is \[40\]; it should be a valid integer'),
        (r"    year: .*", "    year: 12", r'"criteria\.1\.provenance\.year" is 12; it should be greater than'),
    ],
)  # fmt: skip
def test_a_faulty_field_is_named_with_its_line_and_a_remedy(tmp_path, pattern, replacement, message):
    with pytest.raises(FaultyRows, match=message):
        read_criteria(edited(tmp_path, pattern, replacement))


def test_the_line_named_is_the_line_at_fault(tmp_path):
    path = edited(tmp_path, r"weight: .*", "weight: heavy")
    line = next(i for i, text in enumerate(path.read_text().splitlines(), start=1) if "heavy" in text)
    with pytest.raises(FaultyRows) as raised:
        read_criteria(path)
    assert [fault.row for fault in raised.value.faults] == [line]


def test_every_fault_of_a_file_is_told_at_once(tmp_path):
    path = edited(tmp_path, r"weight: .*", "weight: heavy\n  colour: red")
    with pytest.raises(FaultyRows) as raised:
        read_criteria(path)
    assert {fault.field for fault in raised.value.faults} == {"criteria.1.weight", "criteria.1.colour"}


@pytest.mark.parametrize(
    ("expression", "remedy"),
    [
        ("wrds", r'unknown signal "wrds"; did you mean words\? docs/signals.md lists them all'),
        ("words + qqqqq", r'unknown signal "qqqqq"; docs/signals.md lists them all'),
        ("(words", r"does not read as arithmetic \('\(' was never closed\); see docs/signals.md"),
        ("lg(words)", "only these functions may be called: log1p"),
        ("1 + 2", "there is no signal in it"),
        ("words / 0", "it divides by 0"),
        ("words / (2 - 2)", "it divides by 0"),
    ],
)
def test_an_expression_that_cannot_judge_is_refused_with_its_line_and_a_remedy(tmp_path, expression, remedy):
    path = edited(tmp_path, r"^  expression: .*", f"  expression: {expression}")
    line = path.read_text().splitlines().index(f"  expression: {expression}") + 1
    value = re.escape(f'"criteria.1.expression" is "{expression}"; ')
    with pytest.raises(FaultyRows, match=rf"criteria\.yaml:{line}: {value}{remedy}"):
        read_criteria(path)


@pytest.mark.parametrize("expression", ["words / 2", "words / (chars + 1)", "words / chars", "0 * words"])
def test_other_divisions_are_allowed(tmp_path, expression):
    path = edited(tmp_path, r"^  expression: .*", f"  expression: {expression}")
    assert read_criteria(path).criteria_set.members[0].criterion.expression == expression


def test_the_example_in_the_header_can_be_pasted_below_the_criteria(tmp_path):
    made = catalogue_set()
    path = tmp_path / "criteria.yaml"
    write_criteria(made, path)
    example = re.findall(r"^# ((?:- |  )(?!touchstone).*)$", path.read_text(), flags=re.MULTILINE)[-6:]
    path.write_text(path.read_text() + "\n".join(example) + "\n")
    added = read_criteria(path).criteria_set.members[-1]
    assert (added.criterion.name, added.criterion.direction, added.weight) == ("Short answers", "lower", 0.5)
    assert (added.criterion.provenance.kind, added.criterion.provenance.year) == ("person", None)


def test_a_persons_criterion_without_a_year_comes_back_identical(tmp_path):
    words = catalogue_set(1).members[0]
    own = words.criterion.model_copy(update={"provenance": Provenance(kind="person", source="Our editors")})
    made = CriteriaSet(members=(words.model_copy(update={"criterion": own}),), method="robust", lineage=LINEAGE)
    write_criteria(made, tmp_path / "own.yaml")
    assert read_criteria(tmp_path / "own.yaml").criteria_set == made


def test_two_criteria_of_one_name_are_refused(tmp_path):
    made = catalogue_set(2)
    second = made.members[1].criterion.name
    path = edited(tmp_path, r"^- name: .*", f"- name: {second.upper()}", made)
    with pytest.raises(FaultyRows, match=r'"criteria\.2\.name" .* taken by another criterion'):
        read_criteria(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n- b\n", "is not a criteria file"),
        ("touchstone: criteria/1\ncriteria: []\n", '"criteria" is .* at least 1 item'),
        ("touchstone: criteria/1\ncriteria: 7\n", r'"criteria" is 7; it should be a valid list'),
        ("touchstone: criteria/1\ncriteria: [7]\n", r'"criteria\.1" is 7'),
        ("touchstone: criteria/1\n7: x\ncriteria: [7]\n", "there is no such field|should be"),
    ],
)  # fmt: skip
def test_a_file_of_another_shape_is_refused(tmp_path, text, message):
    path = tmp_path / "criteria.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_criteria(path)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ["touchstone", "version", "method", "lineage", "criteria"]


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), json_values), st.data())
def test_nothing_but_an_input_error_comes_of_a_wild_file(tmp_path_factory, top, data):
    good = yaml.safe_load(criteria_yaml(catalogue_set(1)))
    spoiled = data.draw(st.sampled_from(sorted(good["criteria"][0])))
    good["criteria"][0][spoiled] = data.draw(json_values)
    path = tmp_path_factory.mktemp("set") / "criteria.yaml"
    path.write_text(yaml.safe_dump({**good, **top}), encoding="utf-8", errors="replace")
    with suppress(InputError):
        read_criteria(path)
