"""A criteria file proposed as a version of a line."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from knowledge_base.errors import NotThere
from services.criteria_file import LoadedSet, read_criteria
from services.criteria_sets.keeping import keep_set
from services.criteria_sets.reading import load_set
from services.criteria_sets.stored import StoredSet, checked_name
from services.database import Database
from services.knowledge.remark import Remark
from services.run_result import RunResult


class Proposed(BaseModel):
    """A file that was proposed.

    Attributes:
        stored: the version.
        notes: what whoever proposed it should know of the file, a sentence each.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stored: StoredSet
    notes: tuple[str, ...]


def propose_file(
    database: Database, path: str | Path, *, name: str, who: str, run: str = "", result: RunResult | None = None
) -> Proposed:
    """Keep what a criteria file holds as a proposed version of a line.

    A file that was edited has a version of its own. Its parent is the version that it states, where the line has that.

    Args:
        database: where.
        path: of a `criteria.yaml`.
        name: of the line.
        who: proposes it.
        run: that it comes from; if it is finished here and gave just this set, its evidence is kept with the version.
        result: of the run, where it is at hand: its evidence is kept if it gave just this set.

    Raises:
        InputError: the file cannot be read, or (as `FaultyRows`) fields are at fault; or the name cannot be used.
    """
    remark, loaded = Remark(who), read_criteria(path)
    parent = _edited_from(database, checked_name(name), loaded)
    run = run or (result.run if result else "")
    made = loaded.criteria_set
    stored = keep_set(database, made, name=name, run=run, parent=parent, who=remark.who, result=result)
    return Proposed(stored=stored, notes=loaded.notes)


def _edited_from(database: Database, name: str, loaded: LoadedSet) -> str:
    if not loaded.changed:
        return ""
    try:
        return load_set(database, loaded.stated, name).version
    except NotThere:
        return ""
