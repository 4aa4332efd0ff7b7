"""The folder a run is written to: three files, all of them new or none, and never over somebody else's."""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from knowledge_base.errors import InputError
from services.atomic_file import write_texts
from services.budget import Budget
from services.criteria_file import criteria_yaml, read_criteria
from services.mining_thread import StoredRun
from services.report import report_html
from services.run_config import RunConfig
from services.run_result import RunResult

REPORT, CRITERIA, RESULT = "report.html", "criteria.yaml", "result.json"


def check_folder(folder: Path, *, force: bool = False) -> None:
    """Make sure that a run may be written to `folder`: it is absent, empty, or holds an earlier run as it was written.

    Args:
        folder: may be absent; whether it can be made is tried, and nothing of the trial is left.
        force: take an earlier run as replaceable even if its criteria were edited since.

    Raises:
        InputError: it is a file, cannot be written to, holds something else, or holds criteria edited by hand.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; give a folder")
    _try_writing(folder)
    if not _holds_something(folder):
        return
    if not _ours(folder):
        raise InputError(f"{folder} holds files that Touchstone did not write; give an empty folder or a new name")
    _check_files(folder)
    if not force:
        _check_unedited(folder)


def check_run(folder: Path, run: StoredRun | RunResult, *, force: bool = False) -> None:
    """Make sure that `folder` holds no other run than this one, unless `force` says to replace it.

    A run that its budget ended is replaced by the same one with another budget: that is how it goes on.

    Raises:
        InputError: it holds another run.
    """
    body, name = _body(folder), run.id if isinstance(run, StoredRun) else run.run
    found = body.get("run", name)
    if found != name and not force and not _went_on(body, run):
        raise InputError(f"{folder / RESULT} is of another run ({found}); {_remedy('give another --out')}")


def _went_on(body: dict[str, Any], run: StoredRun | RunResult) -> bool:
    """Whether a result is of the same run, ended by its budget."""
    try:
        earlier = RunConfig.model_validate(body["config"])
        same_pairs = body["dataset"]["hash"] == run.dataset.hash
        spent = bool(body["usage"]["spent"])
    except (KeyError, TypeError, ValidationError):
        return False
    unlimited = {"budget": Budget()}
    return spent and same_pairs and earlier.model_copy(update=unlimited) == run.config.model_copy(update=unlimited)


def write_folder(result: RunResult, folder: Path, *, force: bool = False) -> dict[str, Path]:
    """Write report, criteria and result; returns name -> path.

    Raises:
        InputError: as `check_folder` and `check_run`.
    """
    check_folder(folder, force=force)
    check_run(folder, result, force=force)
    texts = {
        "report": (folder / REPORT, report_html(result)),
        "criteria": (folder / CRITERIA, criteria_yaml(result.criteria_set)),
        "result": (folder / RESULT, result.model_dump_json(indent=1) + "\n"),
    }
    write_texts(dict(texts.values()))
    return {name: path for name, (path, _) in texts.items()}


def read_result(folder: Path) -> RunResult:
    """The result of the run that was written to `folder`.

    Raises:
        InputError: there is none, or it cannot be read.
    """
    path = folder / RESULT
    try:
        return RunResult.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); give the folder of a finished run") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(f"{path}: {where}: {first['msg']}; run `touchstone mine` again to write it anew") from None


def _holds_something(folder: Path) -> bool:
    """Whether there is such a folder with something in it.

    Raises:
        InputError: it cannot be looked into.
    """
    try:
        return folder.is_dir() and any(folder.iterdir())
    except OSError as error:
        raise InputError(f"{folder} cannot be read ({error.strerror}); give another --out") from None


def _ours(folder: Path) -> bool:
    """Whether an earlier run was written here; one of another version of the program counts."""
    return {"run", "criteria_set", "rounds"} <= _body(folder).keys()


def _body(folder: Path) -> dict[str, Any]:
    """What stands in the folder's result, unchecked; empty if there is none."""
    try:
        body = json.loads((folder / RESULT).read_bytes())
    except (OSError, ValueError):
        return {}
    return body if isinstance(body, dict) else {}


def _try_writing(folder: Path) -> None:
    """Make the folder and a file in it, and take away what was made. Permissions alone do not tell: a disk may be
    full or read-only.
    """
    absent = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
    except OSError as error:
        raise InputError(f"{folder} cannot be written to ({error.strerror}); give another --out") from None
    finally:
        for place in absent:
            with suppress(OSError):
                place.rmdir()


def _check_files(folder: Path) -> None:
    for name in (REPORT, CRITERIA, RESULT):
        if (folder / name).is_dir():
            raise InputError(f"{folder / name} cannot be written (it is a folder); give another --out")


def _check_unedited(folder: Path) -> None:
    path = folder / CRITERIA
    if path.exists() and _edited(folder):
        remedy = _remedy("copy it elsewhere or give another --out")
        raise InputError(f"{path} was edited since Touchstone wrote it; {remedy}")


def _edited(folder: Path) -> bool:
    """Whether the criteria are other than the result's. One of an older program is told by the version it states."""
    try:
        loaded = read_criteria(folder / CRITERIA)
    except InputError:
        return True
    try:
        return loaded.criteria_set.version != read_result(folder).criteria_set.version
    except InputError:
        return loaded.changed


def _remedy(first: str) -> str:
    return f"{first}, or add --force to overwrite it"
