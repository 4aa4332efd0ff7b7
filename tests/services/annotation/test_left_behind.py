"""Folders of uploads that were killed are removed after a day, and nothing else ever is."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import pytest

from services.annotation.spool import LEFT_SECONDS, PREFIX, left_behind, remove_left_behind, spooled

DAYS_AGO = time.time() - 3 * LEFT_SECONDS
BEFORE = time.time() - LEFT_SECONDS


def folder(place: Path, name: str, at: float = DAYS_AGO) -> Path:
    made = place / name
    (made / "deeper").mkdir(parents=True)
    (made / "pairs.jsonl").write_text("{}")
    os.utime(made, (at, at))
    return made


def test_only_old_folders_of_that_name_go(tmp_path: Path) -> None:
    old = folder(tmp_path, f"{PREFIX}abc")
    kept = [
        folder(tmp_path, f"{PREFIX}new", time.time()),
        folder(tmp_path, "touchstone-home"),
        folder(tmp_path, f"my-{PREFIX}abc"),
        folder(tmp_path, "deep") / "deeper",
    ]
    assert left_behind(tmp_path, BEFORE) == [old]
    assert remove_left_behind(tmp_path, BEFORE) == 1
    assert not old.exists()
    assert all(place.exists() for place in kept)
    assert remove_left_behind(tmp_path, BEFORE) == 0


def test_links_lead_nowhere(tmp_path: Path) -> None:
    elsewhere = folder(tmp_path, "elsewhere")
    place = tmp_path / "spool"
    inner = folder(place, f"{PREFIX}real")
    (inner / "link").symlink_to(elsewhere)
    os.utime(inner, (DAYS_AGO, DAYS_AGO))
    (place / f"{PREFIX}link").symlink_to(elsewhere)
    os.utime(place / f"{PREFIX}link", (DAYS_AGO, DAYS_AGO), follow_symlinks=False)
    assert remove_left_behind(place, BEFORE) == 1
    assert (elsewhere / "pairs.jsonl").exists()
    assert (place / f"{PREFIX}link").is_symlink()


def test_a_plain_file_of_that_name_is_no_folder(tmp_path: Path) -> None:
    file = tmp_path / f"{PREFIX}file"
    file.write_text("mine")
    os.utime(file, (DAYS_AGO, DAYS_AGO))
    assert remove_left_behind(tmp_path, BEFORE) == 0
    assert file.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make what is another's")
def test_what_is_another_users_stays(tmp_path: Path) -> None:
    other = folder(tmp_path, f"{PREFIX}other")
    os.chown(other, 65534, 65534)
    assert left_behind(tmp_path, BEFORE) == []


def test_no_folder_is_no_fault(tmp_path: Path) -> None:
    assert left_behind(tmp_path / "never made", BEFORE) == []
    (tmp_path / "file").write_text("")
    assert left_behind(tmp_path / "file", BEFORE) == []


def test_without_a_folder_the_systems_own_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    old = folder(tmp_path, f"{PREFIX}abc")
    assert left_behind(None, BEFORE) == [old]


def test_what_a_killed_upload_leaves_is_found(tmp_path: Path) -> None:
    source = tmp_path / "pairs.jsonl"
    source.write_text("{}")
    with spooled(source, "pairs.jsonl", "", 1000, tmp_path / "spool") as path:
        assert left_behind(tmp_path / "spool", time.time() + 1) == [path.parent], "as if the process ended here"
        assert left_behind(tmp_path / "spool", BEFORE) == []
    assert left_behind(tmp_path / "spool", time.time() + 1) == []
