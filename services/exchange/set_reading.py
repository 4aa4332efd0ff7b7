"""A criteria set from wherever a user has one: a criteria file, its JSON, or the folder that a run was written to."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from agents.criteria_set import CriteriaSet
from knowledge_base.errors import InputError
from services.criteria_file import LoadedSet, read_criteria
from services.run_result import RunResult

CRITERIA, RESULT = "criteria.yaml", "result.json"


def read_set(path: str | Path) -> LoadedSet:
    """Read a criteria set.

    Args:
        path: `criteria.yaml`, the JSON that `touchstone export --as json` writes, or the output folder of a run; of a
            folder its `criteria.yaml` is read, which a person may have edited, and without one its `result.json`.

    Raises:
        InputError: there is none, or (as `FaultyRows`) fields are at fault.
    """
    path = Path(path)
    if not path.is_dir():
        return read_criteria(path)
    if (path / CRITERIA).exists():
        return read_criteria(path / CRITERIA)
    return LoadedSet(_of_result(path), "", ())


def _of_result(folder: Path) -> CriteriaSet:
    path = folder / RESULT
    try:
        return RunResult.model_validate_json(path.read_bytes()).criteria_set
    except OSError:
        raise InputError(f"{folder} holds no {CRITERIA} and no {RESULT}; give the folder of a finished run") from None
    except ValidationError:
        raise InputError(f"{path} cannot be read as a result; give the folder's criteria file instead") from None
