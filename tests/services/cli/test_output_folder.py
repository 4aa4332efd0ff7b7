"""What a folder may hold for a run to be written to it, and what is refused before any work."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from report_cases import sealed_result

from knowledge_base.errors import InputError
from services.cli.output_folder import check_folder, check_run, write_folder


@pytest.fixture
def written(tmp_path: Path) -> Path:
    write_folder(sealed_result(), tmp_path / "out")
    return tmp_path / "out"


def edit(folder: Path) -> str:
    text = (folder / "criteria.yaml").read_text(encoding="utf-8").replace("\n  weight: ", "\n  weight: 1", 1)
    (folder / "criteria.yaml").write_text(text, encoding="utf-8")
    return text


def test_criteria_edited_by_hand_are_refused_with_the_remedy_and_left_as_they_are(written):
    text = edit(written)
    with pytest.raises(InputError) as refused:
        check_folder(written)
    assert str(refused.value) == (
        f"{written / 'criteria.yaml'} was edited since Touchstone wrote it; copy it elsewhere or give another --out, "
        "or add --force to overwrite it"
    )
    with pytest.raises(InputError, match="was edited"):
        write_folder(sealed_result(), written)
    assert (written / "criteria.yaml").read_text(encoding="utf-8") == text


def test_edited_criteria_are_overwritten_by_force(written):
    untouched = (written / "criteria.yaml").read_bytes()
    edit(written)
    check_folder(written, force=True)
    write_folder(sealed_result(), written, force=True)
    assert (written / "criteria.yaml").read_bytes() == untouched


def test_an_edit_is_seen_even_where_the_file_states_no_version(written):
    lines = edit(written).splitlines(keepends=True)
    (written / "criteria.yaml").write_text("".join(x for x in lines if not x.startswith("version:")), encoding="utf-8")
    with pytest.raises(InputError, match="was edited"):
        check_folder(written)


def test_criteria_that_no_longer_read_count_as_edited(written):
    (written / "criteria.yaml").write_text("half a fi")
    with pytest.raises(InputError, match="was edited"):
        check_folder(written)


def test_an_edit_is_seen_beside_a_result_of_an_older_program(written):
    (written / "result.json").write_text('{"run": "1", "criteria_set": {}, "rounds": []}')
    check_folder(written)
    edit(written)
    with pytest.raises(InputError, match="was edited"):
        check_folder(written)


def test_criteria_that_were_taken_away_are_written_again(written):
    (written / "criteria.yaml").unlink()
    check_folder(written)


def test_another_run_is_refused_unless_forced_and_the_same_run_is_not(written):
    other = sealed_result().model_copy(update={"run": "0123456789abcdef"})
    check_run(written, sealed_result())
    with pytest.raises(InputError, match=r"result\.json is of another run .* give another --out, or add --force"):
        check_run(written, other)
    check_run(written, other, force=True)
    with pytest.raises(InputError, match="another run"):
        write_folder(other, written)
    write_folder(other, written, force=True)


def test_force_does_not_reach_the_files_of_others(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="did not write"):
        check_folder(tmp_path, force=True)


def test_trying_a_new_folder_leaves_nothing_behind(tmp_path):
    check_folder(tmp_path / "some" / "where" / "new")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match=r"cannot be written to \(Not a directory\); give another --out"):
        check_folder(tmp_path / "file" / "out")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_the_right_to_write_is_refused(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(InputError, match="cannot be written to"):
        check_folder(tmp_path / "locked")


def test_a_folder_in_place_of_one_of_the_files_is_refused(written):
    (written / "report.html").unlink()
    (written / "report.html").mkdir()
    with pytest.raises(InputError, match=r"report\.html cannot be written \(it is a folder\)"):
        check_folder(written, force=True)
