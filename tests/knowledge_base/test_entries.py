"""Reading the catalogue: strict, safe, and with every fault told at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from knowledge_base import entries
from knowledge_base.entries import catalogue_digest, criteria_digest, load_catalogue
from knowledge_base.errors import CatalogueError


def entry(name: str, **changes: Any) -> dict[str, Any]:
    """One well-formed entry, with some fields changed; None leaves a field out."""
    fields = {
        "name": name,
        "description": f"The better text does well in the matter of {name}, as far as a reader can see.",
        "domains": {"web": 2},
        "provenance": {"kind": "paper", "source": "A study of texts", "year": 2020},
        **changes,
    }
    return {field: value for field, value in fields.items() if value is not None}


def folder_of(path: Path, **files: object) -> Path:
    """A folder with one YAML file for each keyword; a string is written as it is."""
    for name, content in files.items():
        text = content if isinstance(content, str) else yaml.safe_dump(content, allow_unicode=True)
        (path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return path


def message(path: Path) -> str:
    """What loading the folder complains of."""
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(path)
    return str(caught.value)


def test_criteria_come_by_file_name_and_then_in_file_order(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, b=[entry("Third")], a=[entry("Second"), entry("First")])
    assert [c.name for c in load_catalogue(folder)] == ["Second", "First", "Third"]


def test_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not: [yaml")
    assert len(load_catalogue(folder_of(tmp_path, a=[entry("Only one")]))) == 1


def test_every_fault_of_every_file_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path,
        a=[entry("Good one"), entry("Odd one", margin=-1, expression="words"), entry("Vague", description="short")],
        b=[entry("Sourceless", provenance=None), entry("Misspelt", direktion="lower")],
        c="- name: [unclosed",
    )
    lines = message(folder).splitlines()
    assert lines[0] == "a.yaml: entry 2 ('Odd one'): margin is -1: Input should be greater than or equal to 0"
    assert lines[1].startswith("a.yaml: entry 3 ('Vague'): description is 'short': String should have at least 20")
    assert lines[2] == "b.yaml: entry 1 ('Sourceless'): provenance: required; add it"
    assert lines[3] == (
        "b.yaml: entry 2 ('Misspelt'): direktion is 'lower': no such field; remove it or mend its spelling"
    )
    assert lines[4].startswith("c.yaml: while parsing")
    assert len(lines) == 5


def test_a_fault_deep_inside_an_entry_names_its_path(tmp_path: Path) -> None:
    text = message(folder_of(tmp_path, a=[entry("Timeless", domains={"web": 7}, provenance={"kind": "paper"})]))
    assert "entry 1 ('Timeless'): domains.web is 7: Input should be 1, 2 or 3" in text
    assert "entry 1 ('Timeless'): provenance.year: required; add it" in text


def test_a_margin_without_an_expression_is_told_with_its_remedy(tmp_path: Path) -> None:
    text = message(folder_of(tmp_path, a=[entry("Lopsided", margin=0.1)]))
    assert text == "a.yaml: entry 1 ('Lopsided'): entry: margin is set but expression is empty; give both or neither"


def test_a_name_that_stands_twice_names_both_places(tmp_path: Path) -> None:
    text = message(folder_of(tmp_path, a=[entry("Clear claim")], b=[entry("clear  Claim", description="x" * 30)]))
    assert text == (
        "b.yaml: entry 1 ('clear  Claim'): name is taken by a.yaml: entry 1 ('Clear claim'); rename or remove one"
    )


def test_a_description_that_stands_twice_names_both_places(tmp_path: Path) -> None:
    same = "Two criteria that ask the very same thing of a text."
    text = message(folder_of(tmp_path, a=[entry("One name", description=same), entry("Another", description=same)]))
    assert text.startswith("a.yaml: entry 2 ('Another'): description is that of a.yaml: entry 1 ('One name')")


def test_a_long_value_is_cut_in_the_message(tmp_path: Path) -> None:
    text = message(folder_of(tmp_path, a=[entry("Endless", description="x" * 5000)]))
    assert len(text) < 300
    assert "..." in text


def test_a_field_name_cannot_break_or_flood_the_message(tmp_path: Path) -> None:
    text = message(folder_of(tmp_path, a=[entry("Odd names", **{"two\nlines": 1, "x" * 5000: 2})]))
    assert len(text.splitlines()) == 2
    assert r"'two\nlines' is 1: no such field" in text
    assert len(text) < 500


@pytest.mark.parametrize("content", ["", "name: not a list", "just words", "[]", "3"])
def test_a_file_that_is_no_list_of_entries_is_refused(tmp_path: Path, content: str) -> None:
    assert "not a list of criteria; start each with '- name:'" in message(folder_of(tmp_path, a=content))


def test_an_entry_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    assert message(folder_of(tmp_path, a=["just words"])).startswith("a.yaml: entry 1: entry: Input should be a valid")


def test_a_folder_without_criteria_is_refused(tmp_path: Path) -> None:
    assert "no *.yaml files; give a folder of criteria" in message(tmp_path)


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    assert "no *.yaml files" in message(tmp_path / "nowhere")


def test_files_are_read_strictly(tmp_path: Path) -> None:
    text = message(folder_of(tmp_path, a="- name: One\n  name: Two\n"))
    assert text.startswith("a.yaml: 'name' stands twice; keep one")
    assert "line 2" in text


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"- name: caf\xe9")
    assert "a.yaml: 'utf-8' codec can't decode" in message(tmp_path)


def test_a_file_nested_without_end_is_refused(tmp_path: Path) -> None:
    assert message(folder_of(tmp_path, a="[" * 20_000)).startswith("a.yaml: ")


def test_a_file_of_giant_size_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "MOST_BYTES", 100)
    assert "over 100 bytes; split it" in message(folder_of(tmp_path, a=[entry("Some criterion")]))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet=st.sampled_from(list("-:[]{}&*!#|>'\"?,%@ \n\tab1.~")), max_size=80))
def test_whatever_a_file_holds_the_answer_is_a_catalogue_error(tmp_path: Path, content: str) -> None:
    with pytest.raises(CatalogueError, match=r"^a\.yaml: "):
        load_catalogue(folder_of(tmp_path, a=content))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example({"domains": {"\x1e": None}})
@given(
    st.dictionaries(
        st.sampled_from(["name", "description", "domains", "provenance", "margin", "other"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
            lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
            max_leaves=4,
        ),
    )
)
def test_an_entry_of_wild_values_is_refused_with_its_place(tmp_path: Path, fields: dict[str, Any]) -> None:
    assert all(line.startswith("a.yaml: ") for line in message(folder_of(tmp_path, a=[fields])).splitlines())


def test_the_digest_ignores_order_and_sees_every_change(tmp_path: Path) -> None:
    first, second = load_catalogue(folder_of(tmp_path, a=[entry("First"), entry("Second")]))
    digest = criteria_digest([first, second])
    assert criteria_digest([second, first]) == digest
    assert criteria_digest([first]) != digest
    assert criteria_digest([first, second.model_copy(update={"domains": {}})]) != digest
    assert catalogue_digest(tmp_path) == digest


def test_the_catalogue_of_the_project_is_the_default() -> None:
    assert load_catalogue() == load_catalogue(entries.CATALOGUE)
    assert catalogue_digest() == criteria_digest(load_catalogue())
