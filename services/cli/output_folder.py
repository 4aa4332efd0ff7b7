"""The folder a run is written to: three files, all of them new or none, and never over somebody else's."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from knowledge_base.errors import InputError
from services.atomic_file import write_texts
from services.criteria_file import criteria_yaml
from services.report import report_html
from services.run_result import RunResult

REPORT, CRITERIA, RESULT = "report.html", "criteria.yaml", "result.json"


def check_folder(folder: Path) -> None:
    """Make sure that a run may be written to `folder`: it is absent, empty, or holds an earlier run.

    Raises:
        InputError: it is a file, or holds something else.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; give a folder")
    if not folder.is_dir() or not any(folder.iterdir()) or _ours(folder):
        return
    raise InputError(f"{folder} holds files that Touchstone did not write; give an empty folder or a new name")


def write_folder(result: RunResult, folder: Path) -> dict[str, Path]:
    """Write report, criteria and result; returns name -> path.

    Raises:
        InputError: as `check_folder`, or the folder cannot be written to.
    """
    check_folder(folder)
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


def _ours(folder: Path) -> bool:
    """Whether an earlier run was written here; one of another version of the program counts."""
    try:
        body = json.loads((folder / RESULT).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(body, dict) and {"run", "criteria_set", "rounds"} <= body.keys()
