"""A criteria set in other formats: what it says, that it can be read back, and that its words do nothing there."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from exchange_cases import BOAST, HOSTILE, READABLE, SHORT, criteria_sets, sample_set, set_of, worded
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.criteria_set import CriteriaSet
from knowledge_base.criterion import Criterion
from knowledge_base.errors import InputError
from services.criteria_file import read_criteria, write_criteria
from services.exchange.set_reading import read_set
from services.exchange.targets import ENDINGS, Target, Wanted, export_set

few = settings(max_examples=25, deadline=None)

JUDGED: list[Target] = ["prometheus", "promptfoo", "deepeval", "prompt", "markdown"]
ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
VERSION = sample_set().version


def text_of(criteria_set: CriteriaSet, target: Target, **options: Any) -> str:
    return export_set(criteria_set, Wanted(target, **options)).text


def promptfoo_of(criteria_set: CriteriaSet, **options: Any) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(text_of(criteria_set, "promptfoo", **options))
    return loaded


def module_data(text: str) -> Any:
    """The value of `SET` in a DeepEval module, read without running it."""
    found = [node for node in ast.parse(text).body if isinstance(node, ast.Assign)]
    assert [ast.unparse(node.targets[0]) for node in found] == ["SET"]
    return ast.literal_eval(found[0].value)


def strings_in(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for key, inner in value.items() for text in [key, *strings_in(inner)]]
    if isinstance(value, list):
        return [text for inner in value for text in strings_in(inner)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("target", ENDINGS)
def test_every_export_names_the_version_and_is_the_same_each_time(target: Target) -> None:
    made = export_set(sample_set(), Wanted(target))
    assert made.version == VERSION
    assert VERSION in made.text
    assert made == export_set(sample_set(), Wanted(target))
    assert made.text.endswith("\n")


@pytest.mark.parametrize("target", ENDINGS)
def test_every_export_says_where_the_set_and_its_criteria_come_from(target: Target) -> None:
    text = text_of(sample_set(), target)
    told = ["Short answers", "shorter is better", "one of them leaves out what was asked"]
    if target != "prompt":
        told += ["signals/abc", "0123456789ab", "Our editors", SHORT.hash]
    assert [word for word in told if word not in " ".join(text.replace("\\_", "_").split())] == []


@pytest.mark.parametrize("target", JUDGED)
def test_an_expression_stands_beside_the_words_and_the_export_says_that_it_is_not_run(target: Target) -> None:
    made = export_set(sample_set(), Wanted(target))
    assert "lower" in made.text
    assert "words" in made.text
    if target != "markdown":
        assert any(note.startswith("1 criterion has an expression") and "cannot run" in note for note in made.notes)
        assert any(note.startswith("1 criterion does not always apply") for note in made.notes)
        assert any(note.startswith("1 criterion counts against a text") for note in made.notes)


@pytest.mark.parametrize("target", JUDGED)
def test_a_set_for_readers_alone_has_no_note_on_expressions(target: Target) -> None:
    notes = export_set(set_of([(READABLE, 1.0)]), Wanted(target)).notes
    assert not [note for note in notes if "expression" in note or "against a text" in note]


@pytest.mark.parametrize(("target", "name"), [("yaml", "set.yaml"), ("json", "set.json")])
@few
@given(criteria_set=criteria_sets())
def test_lossless_formats_come_back_as_the_same_version(
    target: Target, name: str, criteria_set: CriteriaSet, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("s") / name
    path.write_text(text_of(criteria_set, target), encoding="utf-8")
    loaded = read_set(path)
    assert loaded.criteria_set.version == criteria_set.version
    assert loaded.criteria_set == criteria_set
    assert loaded.notes == ()


@few
@given(criteria_set=criteria_sets())
def test_json_is_plain_json_without_a_character_that_acts(criteria_set: CriteriaSet) -> None:
    text = text_of(criteria_set, "json")
    assert not ACTING.search(text)
    assert json.loads(text)["criteria"][0]["name"] == criteria_set.members[0].criterion.name


def test_a_folder_of_a_run_gives_its_criteria_file_which_a_person_may_have_edited(tmp_path: Path) -> None:
    write_criteria(sample_set(), tmp_path / "criteria.yaml")
    assert read_set(tmp_path).criteria_set.version == VERSION


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="give the folder of a finished run"):
        read_set(tmp_path)
    (tmp_path / "result.json").write_text("{}")
    with pytest.raises(InputError, match="cannot be read as a result"):
        read_set(tmp_path)


def test_prometheus_fills_the_fields_of_its_template() -> None:
    body = json.loads(text_of(sample_set(), "prometheus"))
    first = body["absolute"][0]
    assert set(first["rubric_data"]) == {"criteria", *(f"score{n}_description" for n in range(1, 6))}
    lines = first["rubric"].splitlines()
    assert lines[0] == f"[{first['rubric_data']['criteria']}]"
    assert [line.split(":")[0] for line in lines[1:]] == [f"Score {n}" for n in range(1, 6)]
    assert body["relative"][0]["rubric"] == lines[0]
    assert body["relative"][2]["rubric"].startswith("[Does the response avoid the following")
    assert [entry["weight"] for entry in body["absolute"]] == [0.6, 0.3, -0.1]


@few
@given(words=st.sampled_from(HOSTILE))
def test_no_word_adds_a_line_to_a_rubric(words: str) -> None:
    body = json.loads(text_of(worded(words), "prometheus"))
    assert len(body["absolute"][0]["rubric"].splitlines()) == 6


def test_promptfoo_weighs_each_criterion_and_reverses_what_counts_against_a_text() -> None:
    body = promptfoo_of(sample_set())
    asserts = body["defaultTest"]["assert"]
    assert [a["type"] for a in asserts] == ["llm-rubric"] * 3
    assert [a["weight"] for a in asserts] == [0.6, 0.3, 0.1]
    assert [a["metric"] for a in asserts] == [SHORT.name, READABLE.name, BOAST.name]
    assert "1 if it is wholly free of it" in asserts[2]["value"]
    assert "If it does not apply to this text, give 0.5" in asserts[0]["value"]
    assert "does not apply" not in asserts[1]["value"]
    assert 0 < body["defaultTest"]["threshold"] < 1
    assert body["prompts"] == ["{{text}}"]
    assert body["tests"][0]["vars"].keys() >= {"text"}


def test_promptfoo_compares_by_one_select_best_since_it_heeds_no_second() -> None:
    made = export_set(sample_set(), Wanted("promptfoo", "pairwise"))
    body = yaml.safe_load(made.text)
    asserts = body["defaultTest"]["assert"]
    assert [a["type"] for a in asserts] == ["select-best"]
    assert "(1) 60.0%: Short answers" in asserts[0]["value"]
    assert "(3) 10.0%, counts against a text: Boasting" in asserts[0]["value"]
    assert body["prompts"] == ["{{a}}", "{{b}}"]
    assert any("one select-best a test" in note for note in made.notes)


def test_promptfoo_carries_the_particulars_of_every_criterion() -> None:
    about = promptfoo_of(sample_set())["defaultTest"]["metadata"]["touchstone"]
    first = about["criteria"][0]
    assert (first["expression"], first["direction"], first["margin"]) == ("words", "lower", 2.0)
    assert first["domains"] == {"answers": 3, "review": 1}
    assert first["provenance"]["source"] == "Our editors"
    assert about["lineage"]["parent"] == "0123456789ab"


@pytest.mark.parametrize("mode", ["pairwise", "pointwise"])
@few
@given(criteria_set=criteria_sets())
def test_nothing_in_a_promptfoo_configuration_is_a_template_or_a_file(mode: Any, criteria_set: CriteriaSet) -> None:
    body = promptfoo_of(criteria_set, mode=mode)
    ours = {"{{text}}", "{{a}}", "{{b}}"}
    for text in strings_in(body):
        assert text in ours or not re.search(r"\{[{%#]|[}%#]\}", text), text
        assert not re.search(r"(?i)\b(file|package|python|exec):\S", text)
        assert not ACTING.search(text)
        assert "\n" not in text
    assert len(body["defaultTest"]["assert"]) == (len(criteria_set.members) if mode == "pointwise" else 1)


def test_promptfoo_says_when_it_put_spaces_into_words() -> None:
    assert any("a space was put" in note for note in export_set(worded("a {{ b }} c"), Wanted("promptfoo")).notes)
    assert not any("a space was put" in note for note in export_set(sample_set(), Wanted("promptfoo")).notes)


def test_a_version_that_looks_like_a_number_stays_a_string_by_the_rules_of_any_yaml() -> None:
    text = text_of(sample_set(), "promptfoo")
    assert f'touchstone-version: "{VERSION}"' in text or VERSION[0].isalpha()


def test_equal_names_are_told_apart_where_scores_are_kept_by_name() -> None:
    other = Criterion(name=SHORT.name, description="Another meaning of the name.", provenance=SHORT.provenance)
    twins = set_of([(SHORT, 1.0), (other, 0.5)])
    metrics = [a["metric"] for a in promptfoo_of(twins)["defaultTest"]["assert"]]
    names = [metric["name"] for metric in module_data(text_of(twins, "deepeval"))["metrics"]]
    assert len(set(metrics)) == len(set(names)) == 2


def test_deepeval_has_a_metric_for_each_criterion_and_one_that_compares() -> None:
    data = module_data(text_of(sample_set(), "deepeval"))
    assert [metric["class"] for metric in data["metrics"]] == ["GEval"] * 3
    assert [metric["share"] for metric in data["metrics"]] == pytest.approx([0.6, 0.3, 0.1])
    assert data["metrics"][0]["evaluation_params"] == ["input", "actual_output"]
    assert "free of it" in " ".join(data["metrics"][2]["evaluation_steps"])
    spans = [tuple(level["score_range"]) for level in data["metrics"][0]["rubric"]]
    assert [n for low, high in spans for n in range(low, high + 1)] == list(range(11)), "the ranges cover 0 to 10 once"
    assert data["arena"]["class"] == "ArenaGEval"
    assert len(data["arena"]["evaluation_steps"]) == 4


def test_deepeval_as_json_is_the_same_data() -> None:
    data = json.loads(text_of(sample_set(), "deepeval", ending=".json"))
    assert data == module_data(text_of(sample_set(), "deepeval", ending=".py"))


@few
@given(criteria_set=criteria_sets())
def test_words_stand_in_a_python_module_as_data_alone(criteria_set: CriteriaSet) -> None:
    text = text_of(criteria_set, "deepeval")
    plain = ast.parse(text_of(sample_set(), "deepeval"))
    made = ast.parse(text)
    assert not ACTING.search(text)
    assert [ast.dump(node) for node in made.body if not isinstance(node, (ast.Assign, ast.Expr))] == [
        ast.dump(node) for node in plain.body if not isinstance(node, (ast.Assign, ast.Expr))
    ], "all but the data is the same for every set"
    assert len(module_data(text)["metrics"]) == len(criteria_set.members)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("mode", ["pairwise", "pointwise"])
def test_the_prompt_lists_the_criteria_with_what_they_count(language: Any, mode: Any) -> None:
    text = text_of(sample_set(), "prompt", mode=mode, language=language)
    assert "1. [60.0%] Short answers: Of two answers" in text
    assert ("counts against a text" if language == "en" else "减分项") in text.split("3. [10.0%")[1].split("]")[0]
    assert "{{" not in text
    assert '"verdict"' in text if mode == "pairwise" else '"score"' in text


@pytest.mark.parametrize("mode", ["pairwise", "pointwise"])
@few
@given(criteria_set=criteria_sets())
def test_no_criterion_ends_the_list_of_criteria_or_starts_a_line(mode: Any, criteria_set: CriteriaSet) -> None:
    text = text_of(criteria_set, "prompt", mode=mode)
    opening, closing = (f"[[{slash}criteria {criteria_set.version}]]" for slash in ("", "/"))
    lines = text.split("\n")
    assert lines.count(opening) == lines.count(closing) == 1
    inside = lines[lines.index(opening) + 1 : lines.index(closing)]
    assert sum(bool(re.match(r"\d+\. \[", line)) for line in inside) == len(criteria_set.members)
    assert all(re.match(r"\d+\. \[|   \S", line) for line in inside)
    assert not ACTING.search(text)


@few
@given(criteria_set=criteria_sets())
def test_the_rubric_for_people_shows_the_words_and_nothing_else(criteria_set: CriteriaSet) -> None:
    markdown_it = pytest.importorskip("markdown_it")
    made = markdown_it.MarkdownIt("gfm-like", {"linkify": False, "html": True}).parse(text_of(criteria_set, "markdown"))
    inline = [child for token in made if token.type == "inline" for child in token.children or []]
    assert {child.type for child in inline} <= {"text", "strong_open", "strong_close", "softbreak", "text_special"}
    assert sum(token.type == "heading_open" for token in made) == len(criteria_set.members) + 2
    assert sum(token.type == "tr_open" for token in made) == len(criteria_set.members) + 1
    assert not [token for token in made if token.type in ("html_block", "fence", "code_block", "hr", "blockquote_open")]


def test_the_rubric_reads_well() -> None:
    text = text_of(sample_set(), "markdown")
    assert "| 1 | Short answers | 60.0% |" in text
    assert "- Does not apply: one of them leaves out what was asked" in text
    assert "- For: answers, review" in text
    assert "- A program measures it by: words; lower is better, differences up to 2 do not count" in text
    assert "**Counts against a text**" in text


def test_weights_of_zero_share_alike() -> None:
    body = json.loads(text_of(set_of([(SHORT, 0.0), (READABLE, 0.0)]), "prometheus"))
    assert [entry["share"] for entry in body["absolute"]] == [0.5, 0.5]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (Wanted("markdown", "pairwise"), "markdown has no modes"),
        (Wanted("promptfoo", language="zh"), "only the prompt comes in languages"),
        (Wanted("deepeval", ending=".yaml"), "a .py or .json file, not '.yaml'"),
        (Wanted("excel"), "there is no export as 'excel'"),  # type: ignore[arg-type]  # what a caller may get wrong
    ],
)
def test_what_a_target_does_not_have_is_refused(wanted: Wanted, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        export_set(sample_set(), wanted)


def test_an_exported_file_is_a_criteria_file_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    path.write_text(text_of(sample_set(), "json"), encoding="utf-8")
    assert read_criteria(path).criteria_set == sample_set()
