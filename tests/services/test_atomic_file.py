from __future__ import annotations

import os
import stat

import pytest

from knowledge_base.errors import InputError
from services.atomic_file import write_text


def test_a_file_is_made_with_its_folders(tmp_path):
    write_text(tmp_path / "a" / "b.txt", "naïve ☃")
    assert (tmp_path / "a" / "b.txt").read_text(encoding="utf-8") == "naïve ☃"


def test_an_older_file_is_replaced_and_nothing_else_is_left(tmp_path):
    write_text(tmp_path / "b.txt", "old")
    write_text(tmp_path / "b.txt", "new")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("b.txt", "new")]


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    write_text(tmp_path / "b.txt", "old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=r"b\.txt cannot be written \(No space left"):
        write_text(tmp_path / "b.txt", "new")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("b.txt", "old")]


def test_others_may_read_it_as_the_umask_says(tmp_path):
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "b.txt", "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "b.txt").stat().st_mode) == 0o640


def test_a_place_that_is_no_folder_is_named(tmp_path):
    write_text(tmp_path / "b.txt", "x")
    with pytest.raises(InputError, match="cannot be written"):
        write_text(tmp_path / "b.txt" / "c.txt", "x")


def test_a_lone_surrogate_does_not_stop_the_file(tmp_path):
    write_text(tmp_path / "b.txt", "a\ud800b")
    assert (tmp_path / "b.txt").read_text(encoding="utf-8") == "a?b"
