from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from knowledge_base import model_files
from knowledge_base.errors import CatalogueError, InputError
from services import doctor
from services.doctor import Check, demand, examine
from services.settings import load_settings


def checks() -> dict[str, Check]:
    return {check.name: check for check in examine()}


@pytest.fixture
def found(place: Path) -> dict[str, Check]:
    return checks()


def test_everything_is_looked_at_and_well(found):
    assert list(found) == [
        "python", "packages", "settings", "home", "disk", "database", "redis", "embedder", "catalogue", "signals",
    ]  # fmt: skip
    assert [c for c in found.values() if not c.ok] == []
    assert all(c.found for c in found.values())
    assert not any(c.remedy for c in found.values())


@pytest.mark.usefixtures("configured")
def test_a_database_of_any_kind_is_looked_at(place):
    assert doctor._database(load_settings()).endswith(" tables")


def test_looking_at_redis_leaves_no_server_behind(place):
    assert checks()["redis"].found.startswith("embedded server starts: Redis ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_home_that_cannot_be_written_to_is_named_for_users(place, monkeypatch):
    (place / "locked").mkdir(mode=0o500)
    monkeypatch.setenv("TOUCHSTONE_HOME", str(place / "locked" / "home"))
    assert "cannot be written to" in checks()["home"].found


def test_a_home_that_is_a_file_is_a_problem_with_a_remedy(place, monkeypatch):
    (place / "file").write_text("x")
    monkeypatch.setenv("TOUCHSTONE_HOME", str(place / "file"))
    home = checks()["home"]
    assert not home.ok
    assert str(place / "file") in home.found
    assert "TOUCHSTONE_HOME" in home.remedy


def test_what_is_in_a_home_that_cannot_be_used_sends_the_reader_to_home(place, monkeypatch):
    (place / "file").write_text("x")
    monkeypatch.setenv("TOUCHSTONE_HOME", str(place / "file"))
    found = checks()
    assert [(c.ok, c.remedy) for c in (found["disk"], found["database"])] == [(False, "see home")] * 2
    assert found["redis"].ok


def test_a_database_elsewhere_is_looked_at_even_without_a_home(place, monkeypatch):
    (place / "file").write_text("x")
    monkeypatch.setenv("TOUCHSTONE_HOME", str(place / "file"))
    monkeypatch.setenv("TOUCHSTONE_DATABASE_URL", f"sqlite:///{place / 'other.sqlite'}")
    assert checks()["database"].ok


def test_what_a_command_demands_is_told_as_the_doctor_tells_it(place, monkeypatch):
    demand(load_settings())
    monkeypatch.setenv("TOUCHSTONE_REDIS_URL", "redis://127.0.0.1:1/0")
    demand(load_settings(), "home")
    with pytest.raises(InputError, match="leave that empty for an embedded server"):
        demand(load_settings())


def test_a_redis_that_accepts_and_never_answers_is_not_waited_for(place, monkeypatch):
    monkeypatch.setattr(doctor, "ANSWER_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("TOUCHSTONE_REDIS_URL", f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        with pytest.raises(InputError, match="TOUCHSTONE_REDIS_URL"):
            demand(load_settings())


def test_a_redis_address_that_is_none_is_a_problem_with_a_remedy(place, monkeypatch):
    monkeypatch.setenv("TOUCHSTONE_REDIS_URL", "redis://here:port/0")
    with pytest.raises(InputError, match="mend TOUCHSTONE_REDIS_URL"):
        demand(load_settings())


def test_a_damaged_database_is_a_problem_with_a_remedy(place):
    (place / "home").mkdir()
    (place / "home" / "touchstone.sqlite").write_bytes(b"no database" * 500)
    database = checks()["database"]
    assert not database.ok
    assert "move it away" in database.found + database.remedy


def test_settings_that_cannot_be_read_end_the_examination(place, monkeypatch):
    monkeypatch.setenv("TOUCHSTONE_WORKERS", "many")
    found = checks()
    assert list(found) == ["python", "packages", "settings"]
    assert "TOUCHSTONE_WORKERS is 'many'" in found["settings"].found


def test_a_redis_that_does_not_answer_is_a_problem_and_its_password_stays_hidden(place, monkeypatch):
    monkeypatch.setenv("TOUCHSTONE_REDIS_URL", "redis://:secret@127.0.0.1:1/0")
    redis = checks()["redis"]
    assert not redis.ok
    assert redis.found.startswith("redis://127.0.0.1:1/0: ")
    assert "secret" not in redis.found + redis.remedy
    assert "TOUCHSTONE_REDIS_URL" in redis.remedy


def test_a_database_that_cannot_be_opened_is_a_problem(place, monkeypatch):
    (place / "folder").mkdir()
    monkeypatch.setenv("TOUCHSTONE_DATABASE_URL", f"sqlite:///{place / 'folder'}")
    database = checks()["database"]
    assert not database.ok
    assert "TOUCHSTONE_DATABASE_URL" in database.remedy


def test_weights_that_are_not_the_official_ones_are_a_problem(place, monkeypatch):
    folder = place / "model"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"other weights")
    monkeypatch.setattr(model_files, "_packaged_folder", lambda: folder)
    embedder = checks()["embedder"]
    assert not embedder.ok
    assert "sha256" in embedder.found


def test_a_malformed_catalogue_is_a_problem_that_says_what_is_wrong(place, monkeypatch):
    from knowledge_base import entries

    def broken(folder: Path | None = None) -> None:
        raise CatalogueError("code.yaml: entry 3: name is missing; add it")

    monkeypatch.setattr(entries, "load_catalogue", broken)
    assert checks()["catalogue"].found == "code.yaml: entry 3: name is missing; add it"


def test_a_full_disk_is_a_problem(place, monkeypatch):
    monkeypatch.setattr(doctor, "FREE_BYTES", 10**18)
    disk = checks()["disk"]
    assert not disk.ok
    assert "GB free" in disk.found


def test_a_missing_package_is_named_with_what_installs_it(place, monkeypatch):
    monkeypatch.setattr(doctor, "PACKAGES", ("rich", "no-such-package-anywhere"))
    packages = checks()["packages"]
    assert packages.remedy == "pip install no-such-package-anywhere"


def test_an_unforeseen_error_is_a_problem_and_no_crash(place, monkeypatch):
    def crash(_: object) -> str:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(doctor, "LOOKS", (("odd", crash),))
    assert checks()["odd"] == Check("odd", False, "ZeroDivisionError: oops", doctor.REINSTALL)
